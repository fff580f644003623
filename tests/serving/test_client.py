"""The client against a server on this machine: texts, sequences, seeds; patience with a busy server, plain
words about a wrong one.
"""

import dataclasses
import io
import itertools
import socket

import numpy as np
import pytest
from PIL import Image
from rest_server import serve

from hwgen.charset.encoding import Charset, CharsetMismatchError
from hwgen.inference.hand_file import Hand, HandError
from hwgen.serving import client as client_module
from hwgen.serving import rest
from hwgen.serving.client import Client, RefusalError, ServerError
from hwgen.serving.rest_service import RestService
from hwgen.serving.rest_transport import RestTransport


@pytest.fixture(scope='module')
def address(served):
    with serve(RestService('hwgen', {1: served}, labels=dict(stable=1)).answer) as url:
        yield url


def pixels(answer):
    assert answer.error == ''
    return np.asarray(Image.open(io.BytesIO(answer.picture))).astype(int)


@pytest.fixture
def waits(monkeypatch):
    """The waits between tries, seconds, which are not waited for."""
    found = []
    monkeypatch.setattr('urllib3.util.retry.time.sleep', found.append)
    return found


def canned(**outputs):
    """A server's answer: one picture that is none."""
    return 200, rest.format_prediction(
        dict(dict(image_bytes=np.array([b'PNG'], object), error=np.array([b''], object)), **outputs),
        rows=False,
    )


def test_texts_and_sequences_are_what_the_writer_writes(address, writer, truncation, monkeypatch):
    monkeypatch.setattr(client_module, 'MAX_TEXTS_PER_REQUEST', 2)
    client = Client(RestTransport(address))
    texts, seeds = (
        ['永', '明天⿱山鱼', '', '人ก', '⿱山', '山水', '天地玄黄', 'a\ud800'],
        [
            7,
            2**64 - 1,
            1,
            2,
            3,
            2**63,
            5,
            6,
        ],
    )
    answers = client.write(texts, style_seeds=seeds)
    assert [answer.error.split(':')[0] for answer in answers] == [
        '',
        '',
        'empty text',
        'U+0E01 at position 1',
        'position 2',
        '',
        '',
        'U+D800 at position 1',
    ]
    assert 'the text ends inside ⿱' in answers[4].error and not any(
        answer.picture for answer in answers if answer.error
    )
    for index in (0, 1, 5, 6):
        (expected,) = writer.write([texts[index]], style_seeds=seeds[index], truncation=truncation)
        assert np.abs(pixels(answers[index]) - expected).max() <= 1
    for answer, expected in zip(
        client.write(['永人', '', '天⿱山鱼'], style_seeds=3, truncation=0.25),
        (
            *writer.write('永人', style_seeds=3, truncation=0.25),
            None,
            *writer.write('天⿱山鱼', style_seeds=3, truncation=0.25),
        ),
    ):
        assert (
            answer.error.startswith('empty text')
            if expected is None
            else np.abs(pixels(answer) - expected).max() <= 1
        )
    assert client.write([]) == []


def test_a_hand_of_a_file(address, writer):
    """As it is, whatever the truncation, which is that of the noise; a hand of another model is refused."""
    style = writer.styles(11, truncation=1.0)[0]
    average = np.asarray(writer.generator.style_space.mean)
    probe = writer.styles(0, truncation=1.0)[0]
    hand = Hand(style, average, probe, digest='', lines=1, characters=1, counted='labels', name='mine')
    client = Client(RestTransport(address))
    for truncation in (None, 0.25, 1.0):
        answers = client.write(
            ['永人', '天⿱山鱼', ''], style_seeds=[3, 4, 5], truncation=truncation, hand=hand
        )
        noise = 0.8 if truncation is None else truncation
        for index, text in enumerate(('永人', '天⿱山鱼')):
            (expected,) = writer.write(text, style_seeds=3 + index, styles=style, truncation=noise)
            assert np.abs(pixels(answers[index]) - expected).max() <= 1
        assert answers[2].error.startswith('empty text')
    with pytest.raises(ValueError, match='truncation 0.0 with a hand: expected a number above 0'):
        client.write(['永'], truncation=0.0, hand=hand)
    with pytest.raises(HandError, match='mine: a hand of another model than the server has'):
        client.write(['永'], hand=dataclasses.replace(hand, probe=probe + np.float32(0.1)))


def test_versions_and_labels(address):
    for options in (dict(version=1), dict(label='stable')):
        assert Client(RestTransport(address, **options)).write(['永'])[0].picture
    for options, said in (
        (dict(model='half'), 'status 404: Servable not found for request: Latest.half.'),
        (dict(version=2), 'Specific.hwgen, 2.'),
        (dict(label='a b/c'), 'status 400: Unrecognized servable version label: a b/c'),
    ):
        with pytest.raises(RefusalError, match=said):
            Client(RestTransport(address, **options)).write(['永'])


@pytest.mark.parametrize('status', [429, 503])
def test_a_busy_server_is_asked_again(status, waits):
    asked = []

    def answer(method, path, body):
        asked.append((method, path, body))
        return canned() if len(asked) == 3 else (status, rest.format_error('loading'), {'Retry-After': '0'})

    with serve(answer) as url:
        assert Client(RestTransport(url)).write(['永'])[0].picture == b'PNG'
    assert len(asked) == 3 and len(set(asked)) == 1 and len(waits) == 1  # the first repetition comes at once


def test_patience_ends(waits):
    asked = []
    with serve(
        lambda *request: (
            asked.append(request) or (503, rest.format_error('loading\nstill'), {'Retry-After': '0'})
        )
    ) as url:
        with pytest.raises(ServerError, match=f'^{url}/v1/models/hwgen:predict: status 503: loading still$'):
            Client(RestTransport(url, retries=2)).write(['永'])
    assert len(asked) == 3 and waits


def test_the_waits_double_and_a_long_retry_after_is_not_kept(waits):
    replies = iter([(503, b'', {'Retry-After': '86400'})] + [(503, b'')] * 3)
    with serve(lambda *_: next(replies)) as url:
        with pytest.raises(ServerError, match='status 503: an empty answer'):
            Client(RestTransport(url, retries=3)).write(['永'])
    assert waits[0] == 20 and 1 <= waits[1] <= 1.5 + 0.5 and 2 <= waits[2] <= 2.5 + 0.5


def test_nobody_there():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
        with pytest.raises(
            ServerError, match=f'^http://127.0.0.1:{port}/v1/models/hwgen:predict: no answer: .*refused'
        ):
            Client(RestTransport(f'http://127.0.0.1:{port}', retries=0)).write(['永'])


@pytest.mark.parametrize(
    'reply, error, message',
    [
        (
            (400, rest.format_error('texts 2, style_seeds 1')),
            RefusalError,
            'status 400: texts 2, style_seeds 1$',
        ),
        ((500, b'<html>oops'), ServerError, 'status 500: <html>oops$'),
        ((302, b'', {'Location': '/elsewhere'}), ServerError, 'no answer: too many redirects'),
        ((200, b'<html>a portal'), ServerError, 'an answer that cannot be read'),
        (
            (200, b'{"outputs": [1, 2]}'),
            ServerError,
            "an answer that cannot be read: expected an object 'outputs'",
        ),
        (
            (200, b'{"outputs": {"y": [1.5]}}'),
            ServerError,
            'the server answers y: expected image_bytes of 1 texts',
        ),
        (canned(error=np.array([b'', b''], object)), ServerError, 'expected error of 1 texts'),
    ],
)
def test_other_answers(reply, error, message):
    with serve(lambda *_: reply) as url, pytest.raises(error, match=message):
        Client(RestTransport(url, retries=0)).write(['永'])


def test_the_ids_of_another_dictionary_are_refused():
    other = canned(charset_rows=np.array([9000]), charset_hash=np.array([b'0' * 64], object))
    with serve(lambda *_: other) as url, pytest.raises(CharsetMismatchError, match=f'hash {"0" * 64}'):
        Client(RestTransport(url)).write(['⿱山鱼'])


class OldServer:
    """Writes with a model of the first edition of the table: keeps what it is asked."""

    def __init__(self):
        self.charset, self.asked = Charset.load().prefix(9658), []

    def predict(self, signature, inputs):
        """One picture that is none for each text."""
        self.asked.append((signature, inputs))
        count = len(inputs['style_seeds'])
        return dict(
            image_bytes=np.array([b'PNG'] * count, object),
            error=np.array([b''] * count, object),
            charset_rows=np.array([self.charset.row_count] * count),
            charset_hash=np.array([self.charset.hash.encode()] * count, object),
        )


def test_codes_are_those_of_the_servers_table():
    server = OldServer()
    client = Client(server)
    texts = ['漢⿱山鱼', '我們⿱山鱼', '⿱山']
    for _ in range(2):
        old, newer, wrong = client.write(texts)
        assert old.picture == b'PNG' and newer.error.startswith(
            'U+5011 們 at position 1: was added to the table after this model was trained'
        )
        assert 'the text ends' in wrong.error
    expected = server.charset.encode(texts[0])
    assert len(server.asked) == 3  # once for nothing: then the table is known
    for _, inputs in server.asked[1:]:
        np.testing.assert_array_equal(inputs['component_ids'], expected.component_ids[np.newaxis])
        np.testing.assert_array_equal(inputs['character_ids'], expected.character_ids[np.newaxis])


def test_a_text_that_is_wrong_takes_no_seed_of_another():
    server = OldServer()
    answers = Client(server).write(['⿱山', '⿱山鱼', '⿰', '⿱鱼山'], style_seeds=[1, 2, 3, 2**64 - 4])
    assert [bool(answer.error) for answer in answers] == [True, False, True, False]
    assert [inputs['style_seeds'].tolist() for _, inputs in server.asked[-1:]] == [[2, -4]]


def test_a_server_that_changes_its_table_all_the_time_is_left():
    server, tables = OldServer(), itertools.cycle([Charset.load().prefix(9658), Charset.load().prefix(9700)])
    predict = server.predict

    def changing(*request):
        server.charset = next(tables)
        return predict(*request)

    server.predict = changing
    with pytest.raises(ServerError, match='now with one version and now with another'):
        Client(server).write(['⿱山鱼'])
    assert len(server.asked) == 3


def test_marks_are_composed_before_they_are_sent(address, writer, truncation):
    marked, plain, invisible = Client(RestTransport(address)).write(['a=\u0338', 'a≠', '\u200ba\u00ad≠'])
    assert marked.picture == plain.picture == invisible.picture
    (error,) = Client(RestTransport(address)).write(['ae\u0301'])
    assert error.error.startswith('U+00E9 é at position 1')


def test_what_is_refused_before_it_is_sent():
    for url in ('localhost:8501', 'ftp://localhost', '', 'http://'):
        with pytest.raises(ValueError, match='expected an address such as http://localhost:8501'):
            RestTransport(url)
    with pytest.raises(ValueError, match='version 1 and label stable: expected one of them'):
        RestTransport('http://localhost', version=1, label='stable')
    client = Client(RestTransport('http://localhost:1', retries=0))
    with pytest.raises(ValueError, match='2 texts, 1 style seeds'):
        client.write(['永', '人'], style_seeds=[1])
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(ValueError, match=f'style seed {seed}: expected an integer'):
            client.write(['永'], style_seeds=seed)
    for truncation in (-1, float('nan')):
        with pytest.raises(ValueError, match='truncation .*: expected a number of at least 0'):
            client.write(['永'], truncation=truncation)


def test_requests_hold_32_texts_and_each_its_seeds():
    server = OldServer()
    texts, seeds = ['永'] * 33 + ['⿱山鱼'] * 33, [*range(66)]
    answers = Client(server).write(texts, style_seeds=seeds)
    assert [answer.picture for answer in answers] == [b'PNG'] * 66
    plain = [
        inputs['style_seeds'].tolist() for signature, inputs in server.asked if signature == 'serving_default'
    ]
    coded = [inputs for signature, inputs in server.asked if signature == 'components'][-2:]
    assert plain == [[*range(32)], [32]] and [inputs['style_seeds'].tolist() for inputs in coded] == [
        [*range(33, 65)],
        [65],
    ]
    assert [inputs['truncation'].tolist() for inputs in coded] == [[-1.0] * 32, [-1.0]] and coded[0][
        'lengths'
    ].dtype == np.int32
    (texts,) = (inputs['texts'] for signature, inputs in server.asked[1:2])
    assert texts.dtype == object and texts.tolist() == ['永'.encode()]


def test_codes_of_lines_of_different_length():
    """Zero beyond a line's end; lengths are in characters, of which a sequence is one; truncations as
    given.
    """
    server = OldServer()
    lines = ['永', '天⿱山鱼人']
    Client(server).write(lines, truncation=0.25)
    inputs = server.asked[-1][1]
    assert inputs['lengths'].tolist() == [1, 3] and inputs['truncation'].tolist() == [0.25, 0.25]
    for name in ('component_ids', 'structure_ids', 'boxes', 'character_ids'):
        for row, line in enumerate(lines):
            expected = getattr(server.charset.encode(line), name)
            np.testing.assert_array_equal(inputs[name][row, : len(expected)], expected)
            assert not inputs[name][row, len(expected) :].any() and inputs[name].shape[:2] == (2, 3)


def test_what_is_asked_of_a_pool(monkeypatch):
    """Six tries with waits from half a second to twenty, of a POST alone; no redirection; the address with
    a slash or without.
    """
    transport = RestTransport('https://host:8501/', model='a/b', version=0, timeout_sec=7.0, retries=3)
    assert (
        transport.url == 'https://host:8501/v1/models/a%2Fb/versions/0:predict'
        and RestTransport('http://host', label='a b').url
        == 'http://host/v1/models/hwgen/labels/a%20b:predict'
    )
    retry = transport._pool.connection_pool_kw['retries']
    assert (
        retry.total,
        retry.redirect,
        set(retry.allowed_methods),
        retry.backoff_factor,
        retry.backoff_jitter,
        retry.backoff_max,
        retry.retry_after_max,
    ) == (3, 0, {'POST'}, 0.5, 0.5, 20.0, 20.0)
    assert set(retry.status_forcelist) == {429, 502, 503, 504} and retry.raise_on_status is False
    default = RestTransport('http://host')._pool.connection_pool_kw
    assert (
        transport._pool.connection_pool_kw['timeout'].connect_timeout,
        default['timeout'].connect_timeout,
        default['retries'].total,
    ) == (7.0, 60.0, 5)


@pytest.mark.parametrize(
    'status, kind',
    [
        (400, RefusalError),
        (403, RefusalError),
        (404, RefusalError),
        (413, RefusalError),
        (499, RefusalError),
        (429, ServerError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (504, ServerError),
        (201, ServerError),
    ],
)
def test_whose_fault_a_status_is(status, kind):
    with (
        serve(lambda *_: (status, b'x' * 300)) as url,
        pytest.raises(kind, match=f': status {status}: {"x" * 200}$'),
    ):
        RestTransport(url, retries=0).predict('styles', dict(style_seeds=np.array([1])))
