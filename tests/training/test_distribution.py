"""Strategies from a name, and batches split over replicas in order."""

import types

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


@pytest.mark.parametrize('several', [False, True])
def test_each_worker_keeps_its_own_parts(several):
    """Six replicas of two workers: of twelve lines the second worker's replicas have 6 and 7, 8 and 9, 10
    and 11, of every batch, in order.
    """
    lines = dict(a=np.arange(24).reshape(2, 12, 1).repeat(2, -1), step=np.arange(2)[:, None].repeat(12, 1))
    dataset = tf.data.Dataset.from_tensor_slices((lines, {'b': -lines['a']}) if several else lines)
    for worker in (0, 1):
        context = types.SimpleNamespace(num_input_pipelines=2, input_pipeline_id=worker)
        strategy = types.SimpleNamespace(
            num_replicas_in_sync=6,
            distribute_datasets_from_function=lambda make, context=context: make(context),
            experimental_local_results=lambda value: (value,),
        )
        found = list(distribution.distribute(strategy, dataset))
        assert len(found) == 2 * 3
        for index, part in enumerate(found):
            first = 12 * (index // 3) + 6 * worker + 2 * (index % 3)
            part, other = part if several else (part, {'b': -part['a']})
            np.testing.assert_array_equal(part['a'], [[first] * 2, [first + 1] * 2])
            np.testing.assert_array_equal(part['step'], [index // 3] * 2)
            np.testing.assert_array_equal(other['b'], -part['a'].numpy())


def test_one_device_needs_no_mirror_and_several_machines_are_asked(monkeypatch):
    """GPUs where there are any, else CPUs; what TF_CONFIG says is TensorFlow's matter."""
    asked = []
    monkeypatch.setattr(
        tf.config, 'list_logical_devices', lambda kind: asked.append(kind) or {'CPU': ['one']}.get(kind, [])
    )
    assert distribution.make_strategy('mirrored', batch_size=3) is tf.distribute.get_strategy() and asked == [
        'GPU',
        'CPU',
    ]
    monkeypatch.setattr(
        tf.distribute,
        'MirroredStrategy',
        lambda names: types.SimpleNamespace(names=names, num_replicas_in_sync=len(names)),
    )
    monkeypatch.setattr(
        tf.config,
        'list_logical_devices',
        lambda kind: [types.SimpleNamespace(name=f'{kind}:{i}') for i in range(2)],
    )
    assert distribution.make_strategy('mirrored', batch_size=4).names == ['GPU:0', 'GPU:1']
    several = types.SimpleNamespace(num_replicas_in_sync=3)
    monkeypatch.setattr(tf.distribute, 'MultiWorkerMirroredStrategy', lambda: several)
    assert distribution.make_strategy('multi_worker', batch_size=6) is several
    with pytest.raises(ValueError, match='--batch_size=4: 3 replicas do not divide it, expected a multiple'):
        distribution.make_strategy('multi_worker', batch_size=4)
