"""Replicas: the `tf.distribute` strategy that a flag names, and what is the same however many there are."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from hwgen.settings.setting import choices_of
from hwgen.settings.train import RunSettings

STRATEGIES = choices_of(RunSettings, 'strategy')


def make_strategy(name: str, *, batch_size: int) -> tf.distribute.Strategy:
    """A strategy over the machine's devices.

    Args:
        name: 'mirrored' (all GPUs, or all logical CPU devices, of this machine), 'multi_worker' (reads
            TF_CONFIG), or 'default' (one device, no communication).
        batch_size: the global batch, which the replicas must divide evenly.

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
        strategy = (
            tf.distribute.get_strategy()
            if len(devices) == 1
            else tf.distribute.MirroredStrategy([device.name for device in devices])
        )
    else:
        strategy = tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        raise ValueError(
            f'--batch_size={batch_size}: {replicas} replicas do not divide it, expected a multiple'
        )
    return strategy


def distribute(strategy: tf.distribute.Strategy, dataset: tf.data.Dataset) -> Iterator[Any]:
    """An iterator over a dataset of global batches, each split in order over the replicas of all workers.

    Every worker reads all batches and keeps its own part: which examples a replica sees depends on its place
    alone.

    Args:
        strategy: over whose replicas.
        dataset: of nested tensors [B, ...], B a multiple of the number of replicas; None stays None.
    """
    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return iter(dataset)

    def parts_of_worker(context):
        here = replicas // context.num_input_pipelines

        def split(*batch):
            def parts(tensor):  # B x ... -> replicas x (B / replicas) x ... -> those of this worker
                if tensor is None:
                    return None
                shape = tf.concat([[replicas, tf.shape(tensor)[0] // replicas], tf.shape(tensor)[1:]], axis=0)
                whole = tf.reshape(tensor, shape)
                return whole[context.input_pipeline_id * here : (context.input_pipeline_id + 1) * here]

            parted = tf.nest.map_structure(parts, batch)
            return parted if len(batch) > 1 else parted[0]

        return dataset.map(split).unbatch().prefetch(2 * here)

    def absent(value):  # what no replica has
        return all(part is None for part in strategy.experimental_local_results(value))

    return (
        tf.nest.map_structure(lambda value: None if absent(value) else value, element)
        for element in strategy.distribute_datasets_from_function(parts_of_worker)
    )
