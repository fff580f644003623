"""Feature maps made larger or smaller, and values moved along their row or column."""

import keras
import tensorflow as tf


def upsample(x: tf.Tensor) -> tf.Tensor:
    """Doubles height and width by repetition. [B, H, W, C] -> [B, 2H, 2W, C]."""
    return keras.ops.repeat(keras.ops.repeat(x, 2, axis=1), 2, axis=2)


def downsample(x: tf.Tensor) -> tf.Tensor:
    """Halves height and width by averaging. [B, H, W, C] -> [B, H/2, W/2, C]."""
    return tf.nn.avg_pool2d(x, 2, 2, 'VALID')


def enlarge(x: tf.Tensor, factor: int) -> tf.Tensor:
    """Bilinear enlargement of a map by a whole factor, sample points at pixel centres.

    [B, H, W, C] -> [B, f H, f W, C].
    """
    return tf.image.resize(x, [tf.shape(x)[1] * factor, tf.shape(x)[2] * factor])


def shift_columns(x: tf.Tensor, shift_px: tf.Tensor, *, reach_px: int) -> tf.Tensor:
    """Moves every value along its row: out[w] = x[w + shift[w]], linear between columns.

    The second spatial transformer of Jaderberg et al. 2015 (bilinear sampling) in one dimension, as a sum
    over whole shifts: no gather, so the gradient is the same in every run.

    Args:
        x: float [B, H, W, C]; zero beyond its ends.
        shift_px: float [B, H, W, 1], columns, in [-reach_px, reach_px].
        reach_px: int.

    Returns:
        float [B, H, W, C].
    """
    return _shift(x, shift_px, axis=2, reach_px=reach_px)


def shift_rows(x: tf.Tensor, shift_px: tf.Tensor, *, reach_px: int) -> tf.Tensor:
    """`shift_columns` along columns: out[h] = x[h + shift[h]]."""
    return _shift(x, shift_px, axis=1, reach_px=reach_px)


def _shift(x, shift_px, *, axis, reach_px):
    size = tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]
    padding, place = [[0, 0]] * 4, [slice(None)] * 4
    padding[axis] = [reach_px, reach_px]
    padded, out = tf.pad(x, padding), 0.0
    for whole in range(-reach_px, reach_px + 1):
        place[axis] = slice(reach_px + whole, reach_px + whole + size)
        out += tf.nn.relu(1.0 - tf.abs(shift_px - whole)) * padded[tuple(place)]
    return out
