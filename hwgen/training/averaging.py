"""The averaged generator, which is the one that writes: its weights, its batch statistics measured anew,
and the styles that it is to draw.
"""

import keras
import numpy as np
import tensorflow as tf

from hwgen.models import layers


def move_average(average, generator, *, updates, decay):
    """Moves the average towards the generator; early on by running mean, so that it forgets the start.

    In cross-replica context: the averages are no replica's own, and every replica holds the same weights by
    now.

    Args:
        average, generator: Generator, of one architecture.
        updates: tf.Variable int64, how often the average was moved; counted up.
        decay: float, of the moving average later on.
    """
    updates.assign_add(1)
    count = tf.cast(updates, tf.float32)
    decay = tf.minimum(decay, count / (count + 9.0))
    for mean, variable in zip(average.variables, generator.variables):
        mean.assign(variable + decay * (mean - variable))


def recompute_statistics(generator, passes):
    """Batch statistics over several passes, of equal weight: those of the learning generator do not fit its
    average's weights.

    Args:
        generator: Generator.
        passes: iterable of functions without arguments, each of which has the generator write a batch in
            training.
    """
    norms = layers.batch_normalizations(generator)
    kept = [float(keras.ops.convert_to_numpy(norm.momentum)) for norm in norms]
    for index, write in enumerate(passes):
        for norm in norms:  # running mean of equal weights
            norm.momentum.assign(index / (index + 1.0))
        write()
    for norm, momentum in zip(norms, kept):
        norm.momentum.assign(momentum)


def styles_of_lines(style_encoder, batches, *, num_lines=1024):
    """What a style encoder says of real lines, always the same ones: where `StyleSpace.fit` is to draw.

    Args:
        style_encoder: StyleEncoder.
        batches: LineBatches; the first `num_lines` of its lines, to a whole batch.

    Returns:
        (means, variances), float32 [lines, Z].
    """
    found = [
        style_encoder(batch['images'], lengths=batch['characters'].lengths)
        for batch in map(batches.batch, range(-(-num_lines // batches.batch_size)))
    ]
    means, log_variances = (
        np.concatenate([posterior[name] for posterior in found])
        for name in ('style_mean', 'style_log_variance')
    )
    return means, np.exp(log_variances)
