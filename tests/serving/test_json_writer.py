"""The pieces that answers are written in: joined they are what `json.dumps` makes of the tensor."""

import base64
import json

import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
from hypothesis import strategies as st

from hwgen.serving import json_writer, rest


def as_lists(array, name):
    """The values as Python's JSON encoder takes them; a float by the shortest digits of its own precision."""
    if array.ndim:
        return (
            [as_lists(part, name) for part in array]
            if array.ndim > 1
            else [as_lists(array[i, ...], name) for i in range(len(array))]
        )
    value = array.item()
    if isinstance(value, bytes):
        return (
            {'b64': base64.b64encode(value).decode()}
            if name.endswith('_bytes')
            else value.decode('utf-8', 'replace')
        )
    return float(str(array[()])) if isinstance(value, float) else value


SHAPES = hypothesis.extra.numpy.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
ARRAYS = st.one_of(
    *(
        hypothesis.extra.numpy.arrays(dtype, SHAPES)
        for dtype in (np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8, bool)
    ),
    hypothesis.extra.numpy.arrays(
        object, SHAPES, elements=st.binary(max_size=5) | st.text(max_size=5).map(str.encode)
    ),
)


@hypothesis.given(ARRAYS, st.sampled_from(['images', 'image_bytes']), st.sampled_from([1, 3, 7, 4096]))
def test_the_pieces_are_the_text_of_the_encoder(array, name, piece_values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_writer, 'PIECE_VALUES', piece_values)
        pieces = list(json_writer.write_tensor(array, name))
    assert ''.join(pieces) == json.dumps(as_lists(array, name), ensure_ascii=False)


def test_floats_by_hand():
    values = [
        0.1,
        1e-4,
        1e-5,
        1e15,
        1e16,
        123456789,
        16777216,
        3.4e38,
        1e-45,
        np.nan,
        np.inf,
        -np.inf,
        -0.0,
        0,
        5,
    ]
    assert (
        ''.join(json_writer.write_tensor(np.array(values, np.float32), 'x'))
        == '[0.1, 0.0001, 1e-05, 1000000000000000.0, 1e+16, 123456790.0, 16777216.0, 3.4e+38, 1e-45, NaN,'
        ' Infinity, -Infinity, -0.0, 0.0, 5.0]'
    )


@pytest.mark.parametrize('shape', [(2, 32, 9000, 1), (20_000,), (1, 20_000, 1, 1)])
def test_no_piece_of_a_large_tensor_is_large(shape):
    array = np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    pieces = list(json_writer.write_tensor(array, 'images'))
    assert (
        max(piece.count('.') for piece in pieces) <= json_writer.PIECE_VALUES
        and len(pieces) < 5 * array.size / 4000
    )
    np.testing.assert_array_equal(np.array(json.loads(''.join(pieces)), np.float32), array)


@pytest.mark.parametrize('rows', [True, False])
def test_whole_answers(rows):
    outputs = dict(
        image_bytes=np.array([b'\x89PNG', b'', b'x'], object),
        images=np.arange(12, dtype=np.float32).reshape(3, 2, 2) / 7,
        error=np.array([b'', '鱻'.encode(), b'\xff'], object),
    )
    for chosen in (
        outputs,
        {'images': outputs['images']},
        {name: value[:0] for name, value in outputs.items()},
    ):
        lists = {name: as_lists(value, name) for name, value in chosen.items()}
        if rows:
            expected = {
                'predictions': (
                    [dict(zip(lists, row)) for row in zip(*lists.values())]
                    if len(lists) > 1
                    else lists['images']
                )
            }
        else:
            expected = {'outputs': lists if len(lists) > 1 else lists['images']}
        assert rest.format_prediction(chosen, rows=rows) == json.dumps(expected, ensure_ascii=False).encode()
        assert (
            rest.format_prediction(chosen, rows=rows, error='no "鱻"')
            == json.dumps({'error': 'no "鱻"', **expected}, ensure_ascii=False).encode()
        )
