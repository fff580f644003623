"""Records: encode -> decode is the identity, and whatever contradicts the schema is refused with a message
that says where.
"""

import hashlib
import io
import re
import struct
import zlib

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from hwgen.data.reading import records, trajectories


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

    samples = draw(st.none() | st.integers(1, 9)) if n else None
    path = (
        {}
        if samples is None
        else {
            'trajectory': (
                (
                    np.array(draw(hnp.arrays(np.int32, (samples, 5), elements=st.integers(0, 1024))))
                    / trajectories.PARTS
                ).astype(np.float32)
            ),
            'trajectory_slots': draw(hnp.arrays(np.int32, samples, elements=st.integers(-1, 4 * n - 1))),
        }
    )
    return records.LineRecord(
        image=draw(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 30)))),
        text=draw(st.text(max_size=8)),
        character_ids=numbers(n),
        component_ids=numbers((n, 4)),
        structure_ids=numbers(n),
        writer=draw(st.text(max_size=4)),
        source=draw(st.text(max_size=4)),
        boxes=numbers((n, 4)) if n and draw(st.booleans()) else None,
        component_boxes=numbers((n, 4, 4)) if n and draw(st.booleans()) else None,
        **path,
    )


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


@pytest.fixture(scope='module')
def make_traced(make_record):
    """make_traced(number, length): a record with component boxes and a trajectory of 50 samples."""

    def make(number, length):
        rng = np.random.default_rng(number)
        path = np.cumsum(rng.normal(0, 3, (50, 5)), axis=0)
        path[:, 2], path[:, 3:] = np.arange(50) / 100, rng.random((50, 2))
        return make_record(
            number,
            length,
            component_boxes=rng.integers(0, 40, (length, 4, 4)).astype(np.int32),
            trajectory=path.astype(np.float32),
            trajectory_slots=rng.integers(-1, 4 * length, 50).astype(np.int32),
        )

    return make


def test_graph_reads_what_is_asked_for(make_record, make_traced):
    line = make_traced(1, 4)
    serialized = records.serialize_record(line)
    back = records.deserialize_record(serialized)
    assert set(records.parse_example(serialized)) == set(records.FEATURES)
    names = ('trajectory', 'text', 'component_boxes', 'trajectory_slots')
    read = tf.function(lambda s: records.parse_example(s, features=names))
    parsed = read(tf.constant(serialized))
    assert set(parsed) == set(names) and parsed['text'].numpy().decode() == line.text
    for name in ('trajectory', 'component_boxes', 'trajectory_slots'):
        np.testing.assert_array_equal(parsed[name], getattr(back, name))
        assert parsed[name].dtype == getattr(back, name).dtype
    parsed = read(tf.constant(records.serialize_record(make_record(1, 4))))
    assert (
        parsed['trajectory'].shape,
        parsed['component_boxes'].shape,
        parsed['trajectory_slots'].shape,
    ) == ((0, 5), (0, 4, 4), (0,))
    with pytest.raises(ValueError, match="feature 'ink': expected some of image"):
        records.parse_example(serialized, features=('image', 'ink'))


def test_optional_features_leave_other_records_as_they_were(make_record, make_traced):
    """The bytes of a record without them: pinned as the schema had them before there were any."""
    line = records.LineRecord(
        image=b'\x89PNG\r\n\x1a\n' + struct.pack('>I4sII', 13, b'IHDR', 4, 4),
        text='天地',
        character_ids=np.array([7, 300]),
        component_ids=np.array([[1, 2, 0, 0], [3, 4, 5, 0]]),
        structure_ids=np.array([3, 4]),
        writer='w',
        source='test',
        boxes=np.array([[0, 1, 2, 3], [1, -1, 300, 5]]),
    )
    assert (
        hashlib.sha256(records.serialize_record(line)).hexdigest()
        == 'aeb755b2a917f2a5125955b00a4d811b29ca6bce59b68b2eaf3be84ab1ab0f22'
    )
    assert records.serialize_record(
        line._replace(trajectory=np.zeros((0, 5)), trajectory_slots=np.zeros(0, np.int32))
    ) == records.serialize_record(line)
    example = tf.train.Example.FromString(records.serialize_record(make_traced(1, 2)))
    assert set(example.features.feature) == set(records.FEATURES) | set(records.OPTIONAL_FEATURES)
    for name in records.OPTIONAL_FEATURES:
        del example.features.feature[name]
    back = records.deserialize_record(example.SerializeToString())
    assert (back.component_boxes, back.trajectory, back.trajectory_slots) == (None, None, None)


def test_trajectories_are_left_unread(make_traced):
    line = make_traced(2, 3)
    serialized = changed(line, trajectory=b'no zlib')
    back = records.deserialize_record(serialized, decode_trajectory=False)
    assert (back.trajectory, back.trajectory_slots) == (None, None)
    np.testing.assert_array_equal(back.component_boxes, line.component_boxes)
    with pytest.raises(ValueError, match='trajectory: 7 bytes that zlib does not read'):
        records.deserialize_record(serialized)


def test_bytes_of_a_record_do_not_depend_on_chance(make_record):
    assert records.serialize_record(make_record(3, 5)) == records.serialize_record(make_record(3, 5))


def test_image_may_come_as_png(make_record):
    line = make_record(4, 3)
    assert records.serialize_record(
        line._replace(image=records.encode_png(line.image))
    ) == records.serialize_record(line)
    assert records.deserialize_record(
        records.serialize_record(line), decode_image=False
    ).image == records.encode_png(line.image)


def changed(line, **features):
    """The record's bytes with features replaced (None: left out)."""
    example = tf.train.Example.FromString(records.serialize_record(line))
    for name, value in features.items():
        del example.features.feature[name]
        if isinstance(value, (bytes, str)):
            example.features.feature[name].bytes_list.value.append(
                value if isinstance(value, bytes) else value.encode()
            )
        elif value is not None:
            example.features.feature[name].int64_list.value.extend(value)
    return example.SerializeToString()


@pytest.mark.parametrize(
    'features, message',
    [
        ({'text': None}, "no feature 'text', expected image, height"),
        ({'length': [3]}, "'character_ids': 2 numbers for 3 characters, expected 3"),
        ({'length': []}, "'length': 0 values of int, expected 1"),
        ({'length': [2, 2]}, "'length': 2 values of int, expected 1"),
        ({'length': [-1]}, "'character_ids': 2 numbers for -1 characters"),
        ({'component_ids': [1] * 7}, "'component_ids': 7 numbers for 2 characters, expected 8"),
        ({'structure_ids': [1, -1]}, "'structure_ids': numbers from -1 to 1, expected 0 to"),
        ({'character_ids': [1, 2**31]}, "'character_ids': numbers from 1 to 2147483648"),
        ({'character_ids': [1, -(2**63)]}, "'character_ids': numbers from -9223372036854775808"),
        ({'boxes': [1] * 4}, "'boxes': 4 numbers for 2 characters, expected 8"),
        ({'boxes': [2**40] * 8}, "'boxes': numbers from 1099511627776"),
        ({'image': [3]}, "'image': 0 values of bytes, expected 1"),
        ({'height': [41]}, 'image of 40 x 62 px, expected 41 x 62 px'),
        ({'image': b'GIF89a'}, 'image of 6 bytes is no complete PNG'),
        ({'text': b'\xff'}, "'text': no UTF-8"),
        ({'writer': b'\xed\xa0\x80'}, "'writer': no UTF-8"),
    ],
)
def test_contradictions_are_refused(make_record, features, message):
    with pytest.raises(ValueError, match=message.replace('(', r'\(')):
        records.deserialize_record(changed(make_record(5, 2), **features))


@pytest.mark.parametrize(
    'features, message',
    [
        ({'component_boxes': [1] * 31}, "'component_boxes': 31 numbers for 2 characters, expected 32"),
        ({'component_boxes': [2**40] * 32}, "'component_boxes': numbers from 1099511627776"),
        ({'trajectory': None}, 'trajectory_slots [50] of a trajectory [0, 5], expected [0]'),
        ({'trajectory': [1, 2]}, "'trajectory': 0 values of bytes, expected 1"),
        (
            {'trajectory': zlib.compress(bytes(20 * 50))[:-5]},
            'trajectory: 12 bytes, expected more (truncated)',
        ),
        ({'trajectory': zlib.compress(bytes(20 * 50)) + b'x'}, 'expected nothing after the end'),
        (
            {'trajectory': zlib.compress(bytes(20 * 49))},
            'trajectory_slots [50] of a trajectory [49, 5], expected [49]',
        ),
        (
            {'trajectory': zlib.compress(bytes(999))},
            'trajectory: 999 bytes of samples, expected a multiple of 20',
        ),
        ({'trajectory': zlib.compress(b'\xff' * 1000)}, 'pen and pressure from -0.04'),
        ({'trajectory_slots': None}, 'trajectory_slots [0] of a trajectory [50, 5], expected [50]'),
        (
            {'trajectory_slots': zlib.compress(np.full(50, 8).astype('<i4').tobytes())},
            'trajectory_slots: numbers from 8 to 400, expected -1 to 7 for 2 characters',
        ),
    ],
)
def test_contradicting_optional_features_are_refused(make_traced, features, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        records.deserialize_record(changed(make_traced(5, 2), **features))


@pytest.mark.parametrize(
    'serialized', [b'', b'\xff' * 50, tf.train.SequenceExample().SerializeToString(), b'PNG']
)
def test_foreign_bytes_are_refused(serialized):
    with pytest.raises(ValueError, match='no tf.train.Example|no feature'):
        records.deserialize_record(serialized)


@hypothesis.given(st.data())
def test_hostile_bytes_raise_nothing_but_value_errors(make_record, make_traced, data):
    """Also a record with valid checksums may come from anyone: no other exception, and no image that
    contradicts its size.
    """
    serialized = bytearray(
        records.serialize_record(data.draw(st.sampled_from([make_record, make_traced]))(6, 3))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(serialized) - 1))
        serialized[position] = data.draw(st.integers(0, 255))
    serialized = bytes(serialized[: data.draw(st.integers(0, len(serialized)))])
    try:
        line = records.deserialize_record(serialized)
    except ValueError:
        return
    assert line.image.ndim == 2 and line.image.dtype == np.uint8
    n = len(line.character_ids)
    assert line.component_ids.shape == (n, 4) and line.structure_ids.shape == (n,)


def begun_png(width, height):
    """A PNG up to where its pixels begin: its header is all that can be read of it."""

    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress(b''))
    )


@pytest.mark.parametrize(
    'width, height', [(8192, 8193), (1 << 14, 1 << 14), (100_000, 100_000), (2**31 - 1, 2**31 - 1)]
)
def test_huge_image_is_refused_before_it_is_decompressed(width, height):
    # Pillow refuses what is larger still, and does not say how large it is
    said = '' if width * height > 1 << 27 else f'image of {height} x {width} px, '
    with pytest.raises(ValueError, match=f'{said}expected at most 67108864 pixels'):
        records.decode_png(begun_png(width, height))
    with pytest.raises(ValueError, match=f'{said}expected 3 x 4 px' if said else 'expected at most'):
        records.decode_png(begun_png(width, height), expected_shape=(3, 4))


def test_the_largest_image_and_one_of_a_pixel_more(monkeypatch):
    monkeypatch.setattr(records, 'MAX_IMAGE_PIXELS', 12)
    assert records.decode_png(records.encode_png(np.zeros((3, 4), np.uint8))).shape == (3, 4)
    with pytest.raises(ValueError, match='image of 13 x 1 px, expected at most 12 pixels'):
        records.decode_png(records.encode_png(np.zeros((13, 1), np.uint8)))


def test_a_line_without_text_has_no_boxes_of_components(make_record):
    empty = dict(
        text='',
        character_ids=np.zeros(0, np.int32),
        component_ids=np.zeros([0, 4], np.int32),
        structure_ids=np.zeros(0, np.int32),
        boxes=None,
    )
    line = make_record(1, 1, **empty)
    assert records.serialize_record(
        line._replace(component_boxes=np.zeros((0, 4, 4), np.int32))
    ) == records.serialize_record(line)
    back = records.deserialize_record(records.serialize_record(line))
    assert (back.boxes, back.component_boxes, back.component_ids.shape) == (None, None, (0, 4))


def test_boxes_may_reach_beyond_the_image(make_traced):
    line = make_traced(1, 2)
    line = line._replace(boxes=line.boxes - 45, component_boxes=line.component_boxes - 45)
    assert_same(
        line._replace(trajectory=None, trajectory_slots=None),
        records.deserialize_record(records.serialize_record(line), decode_trajectory=False),
    )


def test_graph_makes_colours_grey(make_record):
    """As Python does: .299, .587 and .114 of red, green and blue."""
    colours = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, 'PNG')
    serialized = records.serialize_record(make_record(1, 2)._replace(image=buffer.getvalue()))
    for found in (
        records.deserialize_record(serialized).image,
        records.parse_example(serialized, features=('image',))['image'].numpy(),
    ):
        assert np.abs(found - colours @ [0.299, 0.587, 0.114]).max() <= 1.01


def test_graph_asks_for_what_every_record_has(make_record):
    line = make_record(5, 2)
    for name in ('text', 'length', 'image'):
        with pytest.raises(tf.errors.InvalidArgumentError, match=name):
            records.parse_example(changed(line, **{name: None}), features=(name,))


@pytest.mark.parametrize('mode', ['1', 'RGB', 'P', 'LA'])
def test_png_of_other_modes_become_grey(mode):
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    np.testing.assert_array_equal(records.decode_png(buffer.getvalue()), [[0, 255], [255, 0]])


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 0), np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 3), np.uint8),
    ],
)
def test_only_grey_images_of_some_size_are_written(image):
    with pytest.raises(ValueError, match=r'expected uint8 \[H, W\] with H, W > 0'):
        records.encode_png(image)


def test_arrays_of_other_lengths_are_not_written(make_record):
    line = make_record(7, 3)
    with pytest.raises(
        ValueError, match=r'component_ids \[2, 4\] of a line of 3 characters, expected \[3, 4\]'
    ):
        records.serialize_record(line._replace(component_ids=line.component_ids[:2]))


@pytest.mark.parametrize(
    'fields, message',
    [
        (
            {'component_boxes': np.zeros((2, 4, 4))},
            'component_boxes [2, 4, 4] of a line of 3 characters, expected [3, 4, 4]',
        ),
        ({'trajectory': None}, 'trajectory: None, expected both'),
        ({'trajectory_slots': None}, 'trajectory_slots: None, expected both'),
        (
            {'trajectory_slots': np.zeros(49, np.int32)},
            'trajectory_slots [49] of a trajectory [50, 5], expected [50]',
        ),
        ({'trajectory_slots': np.full(50, 12)}, 'trajectory_slots: numbers from 12 to 12, expected -1 to 11'),
        ({'trajectory_slots': np.full(50, -2)}, 'trajectory_slots: numbers from -2 to -2, expected -1 to 11'),
        ({'boxes': np.zeros((2, 4))}, 'boxes [2, 4] of a line of 3 characters, expected [3, 4]'),
        ({'structure_ids': np.zeros((3, 1))}, 'structure_ids [3, 1] of a line of 3 characters, expected [3]'),
        ({'trajectory': np.zeros((50, 4))}, 'trajectory [50, 4], expected [T, 5]'),
        (
            {'trajectory': np.full((50, 5), np.nan)},
            'trajectory, sample 0, x: nan, expected less than 16777216 in size',
        ),
        ({'trajectory': np.eye(50, 5) * 2.0}, 'trajectory, sample 3, pen: 2.0, expected 0 to 1'),
    ],
)
def test_contradicting_optional_fields_are_not_written(make_traced, fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        records.serialize_record(make_traced(7, 3)._replace(**fields))
