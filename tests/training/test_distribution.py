"""Strategies from a name, and batches split over replicas in order."""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.training import distribution


def test_two_logical_devices_make_two_replicas(two_replicas):
    assert two_replicas.num_replicas_in_sync == 2
    assert distribution.make_strategy('default', batch_size=3).num_replicas_in_sync == 1


def test_batch_that_replicas_do_not_divide():
    with pytest.raises(ValueError, match='--batch_size=5: 2 replicas do not divide it'):
        distribution.make_strategy('mirrored', batch_size=5)


def test_unknown_strategy():
    with pytest.raises(ValueError, match='--strategy=tpu: expected one of mirrored, multi_worker, default'):
        distribution.make_strategy('tpu', batch_size=4)


def test_batches_are_split_in_order(two_replicas):
    data = dict(a=np.arange(12).reshape(3, 4), step=np.arange(3)[:, None].repeat(4, 1))
    dataset = tf.data.Dataset.from_tensor_slices(data)
    strategy = two_replicas
    for index, batch in enumerate(distribution.distribute(strategy, dataset)):
        parts = strategy.experimental_local_results(batch['a'])
        np.testing.assert_array_equal(parts[0], data['a'][index, :2])
        np.testing.assert_array_equal(parts[1], data['a'][index, 2:])
    assert index == 2
    one = list(distribution.distribute(distribution.make_strategy('default', batch_size=4), dataset))
    np.testing.assert_array_equal(one[1]['a'], data['a'][1])
