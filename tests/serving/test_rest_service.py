"""The export behind the REST calls: every documented call, and the complaints with their status."""

import base64
import json

import numpy as np
import pytest
from rest_server import serve

from hwgen.serving.client import Client
from hwgen.serving.model_versions import ModelVersions
from hwgen.serving.rest import RestError
from hwgen.serving.rest_service import RestService
from hwgen.serving.rest_transport import RestTransport


@pytest.fixture(scope='module')
def service(served):
    return RestService('hwgen', {1: served, 3: served}, labels=dict(stable=1, canary=3))


def ask(service, request, path='/v1/models/hwgen:predict'):
    status, body = service.answer('POST', path, json.dumps(request).encode())
    return status, json.loads(body)


def test_rows_columns_and_base64_give_the_same_picture(service, served):
    expected = served.run(
        'serving_default', dict(texts=np.array(['永人'.encode()], object), style_seeds=np.array([7]))
    )['image_bytes'][0]
    encoded = {'b64': base64.b64encode('永人'.encode()).decode()}
    for path in ('', '/versions/1', '/labels/canary'):
        status, answer = ask(
            service,
            {'instances': [{'texts': '永人', 'style_seeds': 7}, {'texts': 'ก', 'style_seeds': 1}]},
            f'/v1/models/hwgen{path}:predict',
        )
        assert status == 200 and [row['error'] for row in answer['predictions']] == [
            '',
            'U+0E01 at position 0',
        ]
        assert base64.b64decode(answer['predictions'][0]['image_bytes']['b64']) == expected
    status, answer = ask(
        service, {'signature_name': 'serving_default', 'inputs': {'texts': [encoded], 'style_seeds': [7]}}
    )
    assert status == 200 and base64.b64decode(answer['outputs']['image_bytes'][0]['b64']) == expected
    status, answer = ask(service, {'signature_name': 'styles', 'instances': [1, 2]})
    assert status == 200 and np.shape(answer['predictions']) == (2, 18)


def test_status(service):
    status, body = service.answer('GET', '/v1/models/hwgen')
    assert status == 200 and [row['version'] for row in json.loads(body)['model_version_status']] == [
        '3',
        '1',
    ]
    assert [
        row['version']
        for row in json.loads(service.answer('GET', '/v1/models/hwgen/labels/stable')[1])[
            'model_version_status'
        ]
    ] == ['1']


def test_metadata_describes_every_tensor(service):
    status, body = service.answer('GET', '/v1/models/hwgen/metadata')
    answer = json.loads(body)
    assert status == 200 and answer['model_spec'] == {'name': 'hwgen', 'signature_name': '', 'version': '3'}
    definition = answer['metadata']['signature_def']['signature_def']['styled']
    assert definition['method_name'] == 'tensorflow/serving/predict'
    tensor = definition['inputs']['styles']
    assert tensor['dtype'] == 'DT_FLOAT' and tensor['name'] == 'styled_styles:0'
    assert tensor['tensor_shape'] == {
        'dim': [{'size': '-1', 'name': ''}, {'size': '18', 'name': ''}],
        'unknown_rank': False,
    }


@pytest.mark.parametrize(
    'method, path, request_, status, message',
    [
        ('POST', '/v1/models/half:predict', {}, 404, 'Servable not found for request: Latest(half)'),
        (
            'POST',
            '/v1/models/hwgen/versions/2:predict',
            {},
            404,
            'Servable not found for request: Specific(hwgen, 2)',
        ),
        (
            'POST',
            '/v1/models/hwgen/labels/nope:predict',
            {},
            400,
            'Unrecognized servable version label: nope',
        ),
        ('GET', '/v1/models/half', {}, 404, 'Could not find any versions of model half'),
        ('GET', '/v1/models/hwgen/versions/2', {}, 404, 'Could not find version 2 of model hwgen'),
        ('GET', '/elsewhere', {}, 400, 'Malformed request: GET /elsewhere'),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'signature_name': 'other', 'inputs': {}},
            400,
            'Serving signature name: "other" not found in signature def',
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'inputs': {'texts': ['永', '人'], 'style_seeds': [1]}},
            400,
            'texts 2, style_seeds 1: expected one size of axis 0',
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'inputs': {'texts': '永', 'style_seeds': [1]}},
            400,
            "input texts: shape [], expected [-1]; in 'inputs' give a list",
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'inputs': {'texts': '永', 'style_seeds': 1}},
            400,
            (
                'input style_seeds: shape [], expected [-1]; input texts: shape [], expected [-1]; in'
                " 'inputs' give a list"
            ),
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'instances': [{'texts': '永', 'style_seeds': [7]}]},
            400,
            "input style_seeds: shape [1, 1], expected [-1]; each of 'instances' gives one row",
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'instances': [{'texts': ['永', '好'], 'style_seeds': [7, 8]}]},
            400,
            'input texts: shape [1, 2], expected [-1]',
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'signature_name': 'styled', 'inputs': {'texts': ['永'], 'styles': [[1, 2]], 'truncation': [1]}},
            400,
            'input styles: shape [1, 2], expected [-1, 18]',
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {'signature_name': 'styles', 'inputs': [[1], [2]]},
            400,
            'input style_seeds: shape [2, 1], expected [-1]',
        ),
        (
            'POST',
            '/v1/models/hwgen:predict',
            {
                'signature_name': 'components',
                'inputs': {
                    'component_ids': [[[1, 0, 0, 0]]],
                    'structure_ids': [[1, 2]],
                    'boxes': [[[[0, 0, 1, 1]] * 4]],
                    'character_ids': [[1]],
                    'lengths': [1],
                    'style_seeds': [1],
                    'truncation': [1],
                },
            },
            400,
            'expected one size of axis 1',
        ),
    ],
)
def test_errors(service, method, path, request_, status, message):
    found, body = service.answer(method, path, json.dumps(request_).encode())
    error = json.loads(body)['error']
    assert found == status and message in error and json.loads(body).keys() == {'error'}
    # Never the inside of the graph.
    assert not any(
        inside in error
        for inside in ('Graph', 'node', 'Detected', '{{', 'stack', 'Op:', 'assertion', 'Tensor')
    )


def test_a_text_that_cannot_be_written_as_an_answer_of_400(served):
    strict = RestService('hwgen', {1: served}, refuse_unwritable=True)
    request = {'instances': [{'texts': '永', 'style_seeds': 7}, {'texts': '永ก', 'style_seeds': 1}]}
    status, answer = ask(strict, request)
    assert status == 400 and answer['error'] == 'text 1: U+0E01 at position 1'
    # The other text is written, as it would be alone.
    alone = ask(strict, {'instances': request['instances'][:1]})
    assert alone[0] == 200 and alone[1]['predictions'] == answer['predictions'][:1]
    with serve(strict.answer) as url:
        written = Client(RestTransport(url)).write(['永', '永ก'], style_seeds=[7, 1])
    assert [answer.error for answer in written] == ['', 'U+0E01 at position 1']
    assert base64.b64encode(written[0].picture).decode() == answer['predictions'][0]['image_bytes']['b64']


def test_too_many_lines(served):
    service = RestService('hwgen', {1: served}, max_lines=2)
    for signature, count in (('serving_default', 3), ('styled', 9)):
        inputs = dict(
            texts=['永'] * count, style_seeds=[1] * count, styles=[[0.0] * 18] * count, truncation=[1.0]
        )
        status, answer = ask(service, {'signature_name': signature, 'inputs': inputs})
        assert (status, answer) == (400, {'error': f'{count} lines: expected at most 2 in a request'})
    assert ask(service, {'inputs': dict(texts=['永'] * 2, style_seeds=[1, 2])})[0] == 200


def test_too_many_values(served, monkeypatch):
    """Of `images` they are known before anything is drawn: lines x characters x pixels, and boxes."""

    def per_line(characters):
        return characters * (16 * 16 + 4) + 2

    for texts, count in (
        (['永'], per_line(1)),
        (['永人山', 'ก', '永\u200b'], 3 * per_line(3)),
        ([''], per_line(1)),
        (['人' * 81, '永'], 2 * per_line(1)),
        (['人' * 80] * 2, 2 * per_line(80)),
    ):
        inputs = dict(texts=texts, style_seeds=list(range(len(texts))))
        status, answer = ask(
            RestService('hwgen', {1: served}, max_values=count),
            {'signature_name': 'images', 'inputs': inputs},
        )
        assert status == 200 and sum(np.size(value) for value in answer['outputs'].values()) <= count
        with monkeypatch.context() as patch:
            patch.setattr(served, 'run', None)
            status, answer = ask(
                RestService('hwgen', {1: served}, max_values=count - 1),
                {'signature_name': 'images', 'inputs': inputs},
            )
        assert status == 400 and answer['error'].startswith(
            f'an answer of {count} values: expected at most {count - 1} (--max_values)'
        )
    # 2 x 18
    assert (
        ask(RestService('hwgen', {1: served}, max_values=35), {'signature_name': 'styles', 'inputs': [1, 2]})[
            0
        ]
        == 400
    )


def test_what_cannot_be_served(served):
    with pytest.raises(ValueError, match='no version to serve'):
        RestService('hwgen', {})
    with pytest.raises(ValueError, match='label stable of version 2: expected one of the served versions 1'):
        RestService('hwgen', {1: served}, labels=dict(stable=2))


class Told:
    """A version that keeps what it is asked; as many values as it is told to give."""

    description = dict(char_px=16, char_width_px=8, max_characters=5)

    def __init__(self, values=1):
        self.asked, self.values = [], values

    def run(self, signature, inputs):
        self.asked.append((signature, inputs))
        return dict(a=np.zeros([self.values - 1]), b=np.zeros([]))


def test_limits_are_reached_before_they_are_passed():
    """Lines are those of the longest input; of the values of `images` those that are known before: cells
    of 16 x 8 and 4 numbers of a box for each place, 2 of a line.
    """

    def texts(*lines):
        return dict(texts=np.array([line.encode() for line in lines], object), style_seeds=np.array(7))

    for lines, allowed in ((2, True), (1, False)):
        models, told = ModelVersions('m', {1: Told()}, max_lines=lines), Told()
        if allowed:
            assert models.run(told, 'x', dict(a=np.zeros([1]), b=np.zeros([2, 9]))).keys() == {'a', 'b'}
        else:
            with pytest.raises(RestError, match='^2 lines: expected at most 1 in a request$') as caught:
                models.run(told, 'x', dict(a=np.zeros([1]), b=np.zeros([2, 9])))
            assert caught.value.status == 400 and told.asked == []
    for given, count in (
        (texts('永', '永人山'), 2 * (3 * (16 * 8 + 4) + 2)),
        (texts('永人山天地好'), 1 * 132 + 2),
        (texts('永人山天地', ''), 2 * (5 * 132 + 2)),
        (texts(), 0),
    ):
        told = Told()
        ModelVersions('m', {1: told}, max_values=max(count, 1)).run(told, 'images', given)
        assert len(told.asked) == 1
        if count:
            with pytest.raises(
                RestError, match=f'^an answer of {count} values: expected at most {count - 1} '
            ):
                ModelVersions('m', {1: told}, max_values=count - 1).run(told, 'images', given)
            assert len(told.asked) == 1  # told before anything is drawn
    for values, allowed in ((5, 5), (6, 5)):  # of other signatures they are known when they are there
        models = ModelVersions('m', {1: Told()}, max_values=allowed)
        if values <= allowed:
            models.run(Told(values), 'styled', texts('永' * 99))
        else:
            with pytest.raises(RestError, match='an answer of 6 values: expected at most 5'):
                models.run(Told(values), 'styled', texts('永'))
    other = Told(3)
    other.description = {}  # a version that another program wrote
    ModelVersions('m', {1: other}, max_values=3).run(other, 'images', texts('永'))


def test_which_versions_a_request_means():
    models = ModelVersions('m', {1: 'one', 3: 'three'}, labels=dict(stable=1))
    assert (
        models.choose('m') == {1: 'one', 3: 'three'}
        and models.choose('m', version=3) == {3: 'three'}
        and models.choose('m', label='stable') == {1: 'one'}
    )
    assert models.choose('m', label='stable', version=1) == {1: 'one'}
    for options, said, status in (
        (dict(version=3, label='stable'), r'Specific\(m, 3\)', 404),
        (dict(label='other'), 'Unrecognized servable version label: other', 400),
        (dict(version=2, status=True), 'Could not find version 2 of model m', 404),
    ):
        with pytest.raises(RestError, match=said) as caught:
            models.choose('m', **options)
        assert caught.value.status == status
    with pytest.raises(RestError, match=r'Latest\(n\)') as caught:
        models.choose('n', label='stable')
    assert caught.value.status == 404
    with pytest.raises(ValueError, match='label stable of version 1: expected one of the served versions 3'):
        models.replace({3: 'three'})
    assert models.choose('m') == {1: 'one', 3: 'three'}  # what cannot be served changes nothing
    models.replace({1: 'new'})
    assert models.choose('m') == {1: 'new'}
