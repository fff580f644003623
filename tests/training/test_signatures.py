"""A step's bits do not depend on which lengths of lines its process has seen before: it is traced once for
all.
"""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.training.signatures import of_any_length


def test_the_axis_of_the_line_is_open():
    given = dict(
        images=np.ones([4, 16, 32, 1], np.float32),
        style=np.ones([4, 7], np.float32),
        ids=tf.ones([4, 2, 4], tf.int32),
        lengths=tf.ones([4], tf.int64),
        scale=tf.constant(1.0),
    )
    found = {name: (spec.shape.as_list(), spec.dtype) for name, spec in of_any_length(given).items()}
    assert found == dict(
        images=([4, 16, None, 1], tf.float32),
        style=([4, 7], tf.float32),
        ids=([4, None, 4], tf.int32),
        lengths=([4], tf.int64),
        scale=([], tf.float32),
    )


@pytest.mark.slow
def test_what_came_first_changes_no_bit(determinism, make_trainer, make_batch, variables_of):
    """The same lines of 2, 3 and 4 characters after none, and after one of 4."""
    batches = {n: tf.nest.map_structure(tf.constant, make_batch(n, lengths=(n,) * 4)) for n in (2, 3, 4)}
    ends = []
    for before in ((), (4, 3)):
        trainer = make_trainer()
        start = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
        for n in before:
            trainer.recognizers.update(batches[n])
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        for n in (2, 3, 4, 2, 3):
            trainer.recognizers.update(batches[n])
        ends.append({name: variable.numpy() for name, variable in variables_of(trainer).items()})
    for name, value in ends[1].items():
        np.testing.assert_array_equal(value, ends[0][name], err_msg=name)


def test_every_replica_has_the_open_axis(two_replicas):
    """Of values that each replica has its own of, as of one."""
    parts = two_replicas.experimental_distribute_values_from_function(lambda context: tf.ones([2, 16, 32, 1]))
    found = of_any_length(dict(images=parts, texts=dict(ids=tf.ones([4, 3], tf.int32))))
    assert [(spec.shape.as_list(), spec.dtype) for spec in found['images']._value_specs] == [
        ([2, 16, None, 1], tf.float32)
    ] * 2
    assert found['texts']['ids'] == tf.TensorSpec([4, None], tf.int32)


def test_characters_are_of_any_length():
    found = of_any_length(Characters.zeros(4, 3))
    assert found == Characters.specs(4) and isinstance(found, Characters)
