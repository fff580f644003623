"""The dialect of TF-Serving's REST calls: requests and answers as its documentation shows them, and its
complaints.
"""

import json

import numpy as np
import pytest

from hwgen.serving import rest

# The three inputs of the example of api_rest.md.
SPECS = {'tag': 'object', 'signal': 'int64', 'sensor': 'float32'}
ROWS = [
    {'tag': 'foo', 'signal': [1, 2, 3, 4, 5], 'sensor': [[1, 2], [3, 4]]},
    {'tag': 'bar', 'signal': [3, 4, 1, 2, 5], 'sensor': [[4, 5], [6, 8]]},
]
COLUMNS = {
    'tag': ['foo', 'bar'],
    'signal': [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
    'sensor': [[[1, 2], [3, 4]], [[4, 5], [6, 8]]],
}


def parse(request, specs=None):
    body = request if isinstance(request, (bytes, str)) else json.dumps(request)
    return rest.parse_prediction(body, {'serving_default': specs or SPECS, 'one': {'x': 'float32'}}.get)


@pytest.mark.parametrize(
    'method, path, target',
    [
        ('POST', '/v1/models/hwgen:predict', ('predict', 'hwgen', None, None)),
        ('POST', '/V1/Models/hwgen/versions/12:predict', ('predict', 'hwgen', 12, None)),
        ('POST', '/v1/models/hw%20gen/labels/stable:predict', ('predict', 'hw gen', None, 'stable')),
        ('GET', '/v1/models/hwgen', ('status', 'hwgen', None, None)),
        ('GET', '/v1/models/hwgen/versions/1', ('status', 'hwgen', 1, None)),
        ('GET', '/v1/models/hwgen/metadata', ('metadata', 'hwgen', None, None)),
        ('GET', '/v1/models/hwgen/labels/canary/metadata?x=1', ('metadata', 'hwgen', None, 'canary')),
    ],
)
def test_paths(method, path, target):
    assert rest.parse_path(method, path) == target


@pytest.mark.parametrize(
    'method, path',
    [
        ('GET', '/v1/models/hwgen:predict'),
        ('POST', '/v1/models/hwgen'),
        ('POST', '/v1/models/hwgen:classify'),
        ('PUT', '/v1/models/hwgen'),
        ('GET', '/'),
        ('POST', '/v1/models/hwgen/versions/x:predict'),
        ('POST', '/v1/models/hwgen/versions/1/labels/a:predict'),
    ],
)
def test_paths_that_are_none(method, path):
    with pytest.raises(rest.RestError, match=f'Malformed request: {method} ') as caught:
        rest.parse_path(method, path)
    assert caught.value.status == 400


def test_rows_and_columns_are_the_same_tensors():
    rows, columns = parse({'instances': ROWS}), parse({'signature_name': '', 'inputs': COLUMNS})
    assert (rows.signature, rows.rows, columns.signature, columns.rows) == (
        'serving_default',
        True,
        'serving_default',
        False,
    )
    for found in (rows, columns):
        assert found.inputs['tag'].tolist() == [b'foo', b'bar']
        for name, dtype in (('signal', np.int64), ('sensor', np.float32)):
            np.testing.assert_array_equal(found.inputs[name], COLUMNS[name])
            assert found.inputs[name].dtype == dtype


def test_a_single_input_needs_no_name():
    for request in (
        {'instances': [1.5, 2]},
        {'inputs': [1.5, 2]},
        {'inputs': {'x': [1.5, 2]}},
        {'instances': [{'x': 1.5}, {'x': 2}]},
    ):
        assert parse({'signature_name': 'one', **request}).inputs['x'].tolist() == [1.5, 2.0]
    assert parse('{"signature_name": "one", "inputs": [NaN, -Infinity, 1e38]}').inputs['x'].tolist() == [
        pytest.approx(np.nan, nan_ok=True),
        -np.inf,
        np.float32(1e38),
    ]


def test_binary_values():
    texts = {'texts': 'object'}
    assert parse({'instances': [{'b64': 'AP8='}, {'b64': ''}]}, texts).inputs['texts'].tolist() == [
        b'\x00\xff',
        b'',
    ]
    assert parse({'inputs': {'texts': [{'b64': 'aGk='}, '明']}}, texts).inputs['texts'].tolist() == [
        b'hi',
        '明'.encode(),
    ]
    with pytest.raises(rest.RestError, match='Unable to base64 decode'):
        parse({'instances': [{'b64': '%%%'}]}, texts)


# What absl::Base64Unescape takes and what not: white space anywhere, padding whole or absent, dots as
# padding; no other alphabet, no half padding.
@pytest.mark.parametrize(
    'text, value',
    [
        ('YQ', b'a'),
        ('YWI', b'ab'),
        ('YQ==', b'a'),
        ('YQ..', b'a'),
        ('YQ=.', b'a'),
        ('5piO5aSp\n5Y67\n', '明天去'.encode()),
        (' Y\tQ \r\n= =\x0b\x0c', b'a'),
        ('', b''),
        (' \n', b''),
        ('YR==', b'a'),
        ('YWJj', b'abc'),
    ],
)
def test_base64_that_is_taken(text, value):
    assert parse({'instances': [{'b64': text}]}, {'texts': 'object'}).inputs['texts'].tolist() == [value]


@pytest.mark.parametrize(
    'text',
    [
        'Y',
        'YQ=',
        'YWI==',
        'YWJj=',
        '=',
        '====',
        'YQ=a',
        'Y-_Q',
        'YQ\u00a0',
        'YQ\u2003==',
        'YQ\0',
        'YWJjZ',
        '明',
        'ＹＱ',
        'YQ===',
        'Y Q=\n',
    ],
)
def test_base64_that_is_refused(text):
    with pytest.raises(rest.RestError, match='^input texts: Unable to base64 decode$'):
        parse({'instances': [{'b64': text}]}, {'texts': 'object'})


@pytest.mark.parametrize(
    'number, version', [('0' * 5000 + '7', 7), ('9223372036854775807', 2**63 - 1), ('000', 0)]
)
def test_versions_of_many_digits(number, version):
    assert rest.parse_path('GET', f'/v1/models/hwgen/versions/{number}').version == version


@pytest.mark.parametrize('number', ['9223372036854775808', '9' * 20, '9' * 5000])
def test_versions_beyond_int64(number):
    for method, end in (('GET', ''), ('GET', '/metadata'), ('POST', ':predict')):
        with pytest.raises(
            rest.RestError, match='^Failed to convert version: 9[0-9.]* to numeric.$'
        ) as caught:
            rest.parse_path(method, f'/v1/models/hwgen/versions/{number}{end}')
        assert caught.value.status == 400 and len(str(caught.value)) < 300


@pytest.mark.parametrize(
    'request_, message',
    [
        (b'', 'JSON Parse error'),
        (b'{', 'JSON Parse error'),
        (b'\xff\xfe{}', 'JSON Parse error'),
        ('[' * 100_000, 'JSON Parse error'),
        ('[1]', 'Is not object'),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({'instances': ROWS, 'inputs': COLUMNS}, "expecting only one of 'inputs' or 'instances'"),
        ({'signature_name': 100, 'instances': ROWS}, "'signature_name' key must be a string value."),
        (
            {'signature_name': 'other', 'instances': ROWS},
            'Serving signature name: "other" not found in signature def',
        ),
        ({'instances': {}}, "Expecting 'instances' to be an list/array"),
        ({'instances': []}, "No values in 'instances' array"),
        ({'instances': [1, 2]}, 'instances is a plain list, but expecting list of objects'),
        ({'instances': [ROWS[0], 1]}, 'Expecting object but got list at item 1'),
        (
            {'instances': [ROWS[0], {'tag': 'x'}]},
            "element: 1 of 'instances' list. .* keys must be equal to: sensor,signal,tag",
        ),
        (
            {'instances': [ROWS[0], {**ROWS[1], 'more': 1}]},
            "element: 1 of 'instances' list. .* keys must be equal to: sensor,signal,tag",
        ),
        (
            {'signature_name': 'one', 'instances': [{'x': 1, 'y': 2}]},
            "element: 0 of 'instances' list. .* keys must be equal to: x",
        ),
        ({'inputs': [1]}, 'inputs is a plain value/list'),
        ({'inputs': {'tag': ['x']}}, "Missing named input: signal in 'inputs' object."),
        ({'inputs': {**COLUMNS, 'tag': [1, 2]}}, 'input tag: JSON Value: 1 is not of expected type: string'),
        ({'inputs': {**COLUMNS, 'tag': [{'b64': 1}]}}, 'input tag: .*is not of expected type: string'),
        ({'inputs': {**COLUMNS, 'tag': ['\ud800']}}, 'The surrogate pair in string is invalid'),
        (
            {'inputs': {**COLUMNS, 'signal': [1.5]}},
            'input signal: JSON Value: 1.5 is not of expected type: int64',
        ),
        ({'inputs': {**COLUMNS, 'signal': [True]}}, 'JSON Value: true is not of expected type: int64'),
        ({'inputs': {**COLUMNS, 'signal': [2**63]}}, 'is not of expected type: int64'),
        ({'inputs': {**COLUMNS, 'signal': [None]}}, 'JSON Value: null'),
        ({'inputs': {**COLUMNS, 'sensor': [1e39]}}, 'without loss of precision'),
        ({'inputs': {**COLUMNS, 'sensor': [10**400]}}, 'without loss of precision'),
        (
            {'inputs': {**COLUMNS, 'signal': [[1, 2], [3]]}},
            'Encountered list at unexpected size: 1 at level: 1 expected size: 2',
        ),
        ({'inputs': {**COLUMNS, 'signal': [[1], 2]}}, 'found at incorrect level'),
        ({'inputs': {**COLUMNS, 'signal': [1, [2]]}}, 'unexpected size'),
        ('{"signature_name": "one", "inputs": ' + '[' * 400 + ']' * 400 + '}', 'nested 400 deep'),
    ],
)
def test_complaints(request_, message):
    with pytest.raises(rest.RestError, match=message) as caught:
        parse(request_)
    assert caught.value.status == 400 and len(str(caught.value)) < 600


def test_answers():
    outputs = dict(
        image_bytes=np.array([b'\x89PNG', b''], object),
        error=np.array([b'', 'U+9C7B 鱻'.encode()], object),
        images=np.array([[0.1, 1e-9], [np.nan, 2]], np.float32),
        widths=np.array([3, 4], np.int32),
    )
    first = {'image_bytes': {'b64': 'iVBORw=='}, 'error': '', 'images': [0.1, 1e-9], 'widths': 3}
    assert json.loads(rest.format_prediction(outputs, rows=True))['predictions'][0] == first
    # a float32's own digits, not 0.10000000149011612
    assert b'0.1,' in rest.format_prediction(outputs, rows=True)
    columns = json.loads(rest.format_prediction(outputs, rows=False))['outputs']
    assert (
        columns['error'] == ['', 'U+9C7B 鱻']
        and columns['widths'] == [3, 4]
        and np.isnan(columns['images'][1][0])
    )
    # One output stands alone.
    assert json.loads(rest.format_prediction({'styles': np.eye(2)}, rows=True)) == {
        'predictions': [[1.0, 0.0], [0.0, 1.0]]
    }
    assert json.loads(rest.format_prediction({'styles': np.eye(2)}, rows=False)) == {
        'outputs': [[1.0, 0.0], [0.0, 1.0]]
    }
    with pytest.raises(rest.RestError, match='inconsistent batch size'):
        rest.format_prediction({'a': np.zeros([2]), 'b': np.zeros([3])}, rows=True)


def test_what_the_client_sends_and_reads_is_the_same_dialect():
    inputs = {
        'tag': np.array(['明'.encode(), b''], object),
        'signal': np.array([[2**62], [-1]]),
        'sensor': np.array([0.1, -np.inf], np.float32),
    }
    found = parse(rest.format_request('serving_default', inputs)).inputs
    outputs = rest.parse_outputs(
        rest.format_prediction(dict(found, image_bytes=np.array([b'\x00\xff', b''], object)), rows=False)
    )
    for name, value in inputs.items():
        assert found[name].tolist() == value.tolist() and found[name].dtype == value.dtype
        assert outputs[name].astype(value.dtype).tolist() == value.tolist()
    assert outputs['image_bytes'].tolist() == [b'\x00\xff', b'']
    for body in (
        b'',
        b'[]',
        b'{"outputs": [1]}',
        b'{"predictions": []}',
        b'{"outputs": {"x": [[1], [2, 3]]}}',
    ):
        with pytest.raises(ValueError):
            rest.parse_outputs(body)


def test_status_and_metadata():
    assert json.loads(rest.format_status([1, 2])) == {
        'model_version_status': [
            {'version': version, 'state': 'AVAILABLE', 'status': {'error_code': 'OK', 'error_message': ''}}
            for version in ('2', '1')
        ]
    }
    assert json.loads(rest.format_metadata('hwgen', 3, {'styles': {}})) == {
        'model_spec': {'name': 'hwgen', 'signature_name': '', 'version': '3'},
        'metadata': {'signature_def': {'signature_def': {'styles': {}}}},
    }
    for message in ('an "error"\n', '明', 'half a pair: \ud800'):
        assert json.loads(rest.format_error(message)) == {'error': message}


def test_values_at_the_ends_of_their_types():
    """The largest and the smallest of each kind are taken, one more is not; a float that is a whole number
    is no integer.
    """
    for dtype in ('int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'):
        ends = np.iinfo(dtype)
        found = parse({'inputs': [int(ends.min), int(ends.max)]}, {'x': dtype}).inputs['x']
        assert found.tolist() == [ends.min, ends.max] and found.dtype == dtype
        for wrong in (int(ends.min) - 1, int(ends.max) + 1, 1.0, True, '1'):
            with pytest.raises(
                rest.RestError, match=f'input x: JSON Value: .* is not of expected type: {dtype}$'
            ):
                parse({'inputs': [wrong]}, {'x': dtype})
    for dtype in ('float32', 'float64'):
        largest = float(np.finfo(dtype).max)
        assert parse({'inputs': [largest, -largest, 3]}, {'x': dtype}).inputs['x'].tolist() == [
            largest,
            -largest,
            3.0,
        ]
        with pytest.raises(rest.RestError, match='is not of expected type: float'):
            parse({'inputs': [True]}, {'x': dtype})
    for wrong in (3.5e38, -3.5e38):
        with pytest.raises(rest.RestError, match='to float without loss of precision'):
            parse({'inputs': [wrong]}, {'x': 'float32'})
    assert parse({'inputs': [True, False]}, {'x': 'bool'}).inputs['x'].tolist() == [True, False]
    for wrong in (1, 'true'):
        with pytest.raises(rest.RestError, match='is not of expected type: bool'):
            parse({'inputs': [wrong]}, {'x': 'bool'})


def test_lists_as_deep_as_they_may_be():
    def nested(depth):
        return {'inputs': json.loads('[' * depth + '7' + ']' * depth)}

    assert (
        parse(nested(32), {'x': 'int64'}).inputs['x'].shape == (1,) * 32
        and parse({'inputs': 7}, {'x': 'int64'}).inputs['x'].shape == ()
    )
    with pytest.raises(rest.RestError, match='input x: lists nested 33 deep, expected at most 32'):
        parse(nested(33), {'x': 'int64'})
    assert parse({'inputs': [[], []]}, {'x': 'int64'}).inputs['x'].shape == (2, 0)
    for value, said in (
        ([[1, 2], [3]], 'unexpected size: 1 at level: 1 expected size: 2'),
        ([1, [2]], 'unexpected size: 1 at level: 1 expected size: 0'),
        ([[1], 2], 'JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2'),
    ):
        with pytest.raises(rest.RestError, match=said):
            parse({'inputs': value}, {'x': 'int64'})


def test_long_values_are_shortened():
    for text, shown in (('x' * 198, '"' + 'x' * 198 + '"'), ('x' * 199, '"' + 'x' * 199 + '...')):
        with pytest.raises(rest.RestError) as caught:
            parse(json.dumps(text))
        assert str(caught.value) == f'JSON Value: {shown} Is not object'
    with pytest.raises(rest.RestError) as caught:
        rest.parse_path('GET', '/' + 'a' * 300)
    assert str(caught.value) == 'Malformed request: GET /' + 'a' * 199 + '...'


def test_what_an_answer_must_be():
    with pytest.raises(
        rest.RestError, match=r'^Tensors have inconsistent batch size: a \[2\], b \[\]$'
    ) as caught:
        rest.format_prediction({'a': np.zeros([2]), 'b': np.zeros([])}, rows=True)
    assert caught.value.status == 500
    assert (
        rest.format_prediction({'a': np.zeros([2, 1]), 'b': np.array(3)}, rows=False)
        == b'{"outputs": {"a": [[0.0], [0.0]], "b": 3}}'
    )
    assert (
        rest.format_prediction({'a': np.array(['\u660e'.encode()], object)}, rows=True, error='x')
        == '{"error": "x", "predictions": ["明"]}'.encode()
    )
    found = rest.parse_outputs(
        '{"outputs": {"a": [[1, 2]], "b": ["明", {"b64": "AP8="}], "c": 2.5, "d": []}}'.encode()
    )
    assert (
        found['a'].tolist() == [[1, 2]]
        and found['b'].tolist() == ['明'.encode(), b'\x00\xff']
        and found['c'].shape == ()
        and found['d'].shape == (0,)
    )
    assert (
        rest.format_request('s"x', {'t_bytes': np.array([b'a'], object), 'n': np.array([1, 2])})
        == b'{"signature_name": "s\\"x", "inputs": {"t_bytes": [{"b64": "YQ=="}], "n": [1, 2]}}'
    )
