"""Records: encode -> decode is the identity, and whatever contradicts the schema is refused with a message that says where."""

import io
import struct
import zlib

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from hwgen.data import records


def assert_same(a, b):
    for name, x, y in zip(a._fields, a, b):
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype and x.shape == y.shape, name
            np.testing.assert_array_equal(x, y, err_msg=name)
        else:
            assert x == y, name


ids = st.integers(0, 2**31 - 1)


@st.composite
def lines(draw):
    n = draw(st.integers(0, 5))

    def numbers(shape):
        return np.array(draw(hnp.arrays(np.int32, shape, elements=ids)))

    return records.LineRecord(
        image=draw(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 30)))), text=draw(st.text(max_size=8)),
        character_ids=numbers(n), component_ids=numbers((n, 4)), structure_ids=numbers(n), writer=draw(st.text(max_size=4)),
        source=draw(st.text(max_size=4)), boxes=numbers((n, 4)) if n and draw(st.booleans()) else None)


@hypothesis.given(lines())
def test_round_trip_is_the_identity(line):
    assert_same(line, records.deserialize_record(records.serialize_record(line)))


def test_graph_reads_what_python_reads(make_record):
    for line in (make_record(1, 4), make_record(2, 1)._replace(boxes=None)):
        serialized = records.serialize_record(line)
        parsed = tf.function(records.parse_example)(tf.constant(serialized))
        for name in ('image', 'character_ids', 'component_ids', 'structure_ids'):
            np.testing.assert_array_equal(parsed[name], getattr(line, name))
        np.testing.assert_array_equal(parsed['boxes'], np.zeros((0, 4)) if line.boxes is None else line.boxes)
        assert parsed['text'].numpy().decode() == line.text and parsed['length'] == len(line.text)
        assert (parsed['height'], parsed['width']) == line.image.shape


def test_bytes_of_a_record_do_not_depend_on_chance(make_record):
    assert records.serialize_record(make_record(3, 5)) == records.serialize_record(make_record(3, 5))


def test_image_may_come_as_png(make_record):
    line = make_record(4, 3)
    assert records.serialize_record(line._replace(image=records.encode_png(line.image))) == records.serialize_record(line)
    assert records.deserialize_record(records.serialize_record(line), decode_image=False).image == records.encode_png(line.image)


def changed(line, **features):
    """The record's bytes with features replaced (None: left out)."""
    example = tf.train.Example.FromString(records.serialize_record(line))
    for name, value in features.items():
        del example.features.feature[name]
        if isinstance(value, (bytes, str)):
            example.features.feature[name].bytes_list.value.append(value if isinstance(value, bytes) else value.encode())
        elif value is not None:
            example.features.feature[name].int64_list.value.extend(value)
    return example.SerializeToString()


@pytest.mark.parametrize('features, message', [
    ({'text': None}, "no feature 'text', expected image, height"),
    ({'length': [3]}, "'character_ids': 2 numbers for 3 characters, expected 3"),
    ({'length': []}, "'length': 0 values of int, expected 1"),
    ({'length': [2, 2]}, "'length': 2 values of int, expected 1"),
    ({'length': [-1]}, "'character_ids': 2 numbers for -1 characters"),
    ({'component_ids': [1] * 7}, "'component_ids': 7 numbers for 2 characters, expected 8"),
    ({'structure_ids': [1, -1]}, "'structure_ids': numbers from -1 to 1, expected 0 to"),
    ({'character_ids': [1, 2**31]}, "'character_ids': numbers from 1 to 2147483648"),
    ({'character_ids': [1, -2**63]}, "'character_ids': numbers from -9223372036854775808"),
    ({'boxes': [1] * 4}, "'boxes': 4 numbers for 2 characters, expected 8"),
    ({'boxes': [2**40] * 8}, "'boxes': numbers from 1099511627776"),
    ({'image': [3]}, "'image': 0 values of bytes, expected 1"),
    ({'height': [41]}, 'image of 40 x 62 px, expected 41 x 62 px'),
    ({'image': b'GIF89a'}, 'image of 6 bytes is no complete PNG'),
    ({'text': b'\xff'}, "'text': no UTF-8"),
    ({'writer': b'\xed\xa0\x80'}, "'writer': no UTF-8"),
])
def test_contradictions_are_refused(make_record, features, message):
    with pytest.raises(ValueError, match=message.replace('(', r'\(')):
        records.deserialize_record(changed(make_record(5, 2), **features))


@pytest.mark.parametrize('serialized', [b'', b'\xff' * 50, tf.train.SequenceExample().SerializeToString(), b'PNG'])
def test_foreign_bytes_are_refused(serialized):
    with pytest.raises(ValueError, match='no tf.train.Example|no feature'):
        records.deserialize_record(serialized)


@hypothesis.given(st.data())
def test_hostile_bytes_raise_nothing_but_value_errors(make_record, data):
    """Also a record with valid checksums may come from anyone: no other exception, and no image that contradicts its size."""
    serialized = bytearray(records.serialize_record(make_record(6, 3)))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(serialized) - 1))
        serialized[position] = data.draw(st.integers(0, 255))
    serialized = bytes(serialized[:data.draw(st.integers(0, len(serialized)))])
    try:
        line = records.deserialize_record(serialized)
    except ValueError:
        return
    assert line.image.ndim == 2 and line.image.dtype == np.uint8
    n = len(line.character_ids)
    assert line.component_ids.shape == (n, 4) and line.structure_ids.shape == (n,)


def test_huge_image_is_refused_before_it_is_decompressed():
    header = struct.pack('>IIBBBBB', 100_000, 100_000, 8, 0, 0, 0, 0)
    chunk = struct.pack('>I', len(header)) + b'IHDR' + header + struct.pack('>I', zlib.crc32(b'IHDR' + header))
    with pytest.raises(ValueError, match='100000 x 100000 px, expected at most|no complete PNG'):
        records.decode_png(b'\x89PNG\r\n\x1a\n' + chunk)


@pytest.mark.parametrize('mode', ['1', 'RGB', 'P', 'LA'])
def test_png_of_other_modes_become_grey(mode):
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    np.testing.assert_array_equal(records.decode_png(buffer.getvalue()), [[0, 255], [255, 0]])


@pytest.mark.parametrize('image', [np.zeros((0, 5), np.uint8), np.zeros((5, 0), np.uint8), np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8)])
def test_only_grey_images_of_some_size_are_written(image):
    with pytest.raises(ValueError, match=r'expected uint8 \[H, W\] with H, W > 0'):
        records.encode_png(image)


def test_arrays_of_other_lengths_are_not_written(make_record):
    line = make_record(7, 3)
    with pytest.raises(ValueError, match=r'component_ids \[2, 4\] of a line of 3 characters, expected \[3, 4\]'):
        records.serialize_record(line._replace(component_ids=line.component_ids[:2]))
