"""Replicas: the `tf.distribute` strategy that a flag names, and what is the same however many there are."""

import tensorflow as tf

STRATEGIES = ('mirrored', 'multi_worker', 'default')


def make_strategy(name, *, batch_size):
    """A strategy over the machine's devices.

    Args:
        name: 'mirrored' (all GPUs, or all logical CPU devices, of this machine), 'multi_worker' (reads TF_CONFIG), or
            'default' (one device, no communication).
        batch_size: int, the global batch, which the replicas must divide evenly.

    Returns:
        tf.distribute.Strategy.

    Raises:
        ValueError: unknown name; or replicas that do not divide the batch, naming both numbers.
    """
    if name not in STRATEGIES:
        raise ValueError(f'--strategy={name}: expected one of {", ".join(STRATEGIES)}')
    if name == 'multi_worker':
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif name == 'mirrored':
        devices = tf.config.list_logical_devices('GPU') or tf.config.list_logical_devices('CPU')
        # One device needs no mirroring: the same mathematics without its bookkeeping.
        strategy = tf.distribute.get_strategy() if len(devices) == 1 else tf.distribute.MirroredStrategy(
            [device.name for device in devices])
    else:
        strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(f'--batch_size={batch_size}: {replicas} replicas do not divide it, expected a multiple')
    return strategy


def distribute(strategy, dataset):
    """An iterator over a dataset of global batches, each split in order over the replicas."""
    if strategy.num_replicas_in_sync == 1:
        return iter(dataset)
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return iter(strategy.experimental_distribute_dataset(dataset.with_options(options)))
