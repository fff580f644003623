"""Characters: built in one place for all; how lines are padded, cut and put into batches."""

import numpy as np
import tensorflow as tf

from hwgen.characters import CODES, Characters
from hwgen.charset.encoding import Charset


def test_shapes_and_types():
    found = Characters.zeros(2, 3)
    assert {name: (value.dtype, value.shape) for name, value in found._asdict().items()} == {
        'component_ids': (np.int32, (2, 3, 4)),
        'structure_ids': (np.int32, (2, 3)),
        'boxes': (np.float32, (2, 3, 4, 4)),
        'character_ids': (np.int32, (2, 3)),
        'lengths': (np.int32, (2,)),
    }
    assert not any(value.any() for value in found) and CODES == Characters._fields[:4]
    ones = Characters.ones(2, 3)
    assert ones.lengths is None
    for name in CODES:
        value = getattr(ones, name)
        assert (value == 1).all() and value.shape == getattr(found, name).shape
        assert value.dtype == getattr(found, name).dtype
    assert Characters.ones().component_ids.shape == (1, 1, 4)


def test_signatures_take_what_there_is():
    specs, lines = Characters.specs(names=True), Characters.zeros(2, 3)
    for name, spec in specs._asdict().items():
        assert spec.name == name and spec.is_compatible_with(tf.constant(getattr(lines, name)))
    assert Characters.specs(2).component_ids == tf.TensorSpec([2, None, 4], tf.int32)
    single = Characters.line_specs()
    assert single.boxes == tf.TensorSpec([None, 4, 4]) and single.lengths == tf.TensorSpec([], tf.int32)


def test_characters_of_a_table_are_those_of_their_text():
    charset = Charset.load()
    ids = np.array([[charset.character_id(c) for c in '明早'], [charset.character_id(c) for c in '天日']])
    expected = Characters.stack([charset.encode(text).characters for text in ('明早', '天日')])
    for found, wanted in zip(Characters.from_table(ids, charset), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype
    single = Characters.from_table(ids[1], charset)
    assert int(single.lengths) == 2 and single.boxes.shape == (2, 4, 4)


def test_lines_are_padded_with_zeros():
    charset = Charset.load()
    lines = [charset.encode(text).characters for text in ('明', '天日早')]
    for options, shape in (({}, (2, 3)), (dict(num_lines=4, num_characters=5), (4, 5))):
        found = Characters.stack(lines, **options)
        assert found.structure_ids.shape == shape
        assert found.lengths.tolist() == [1, 3] + [0] * (shape[0] - 2) and found.lengths.dtype == np.int32
        for name in CODES:
            value = getattr(found, name)
            for row, line in enumerate(lines):
                n = len(line.structure_ids)
                np.testing.assert_array_equal(value[row, :n], getattr(line, name))
                assert not value[row, n:].any()
            assert not value[2:].any()


def test_a_part_of_a_line_and_a_batch_of_one():
    line = Charset.load().encode('明天早日').characters
    part = line.part(1, 3)
    assert part.lengths == 2
    np.testing.assert_array_equal(part.component_ids, line.component_ids[1:3])
    np.testing.assert_array_equal(part.boxes, line.boxes[1:3])
    batch = line.as_batch()
    for found, wanted in zip(batch, Characters.stack([line]), strict=True):
        np.testing.assert_array_equal(found, wanted)
    in_graph = tf.function(lambda one: one.part(1, one.lengths - 1).as_batch())(
        tf.nest.map_structure(tf.constant, line)
    )
    assert in_graph.lengths.numpy().tolist() == [2]
    np.testing.assert_array_equal(in_graph.character_ids[0], line.character_ids[1:3])
