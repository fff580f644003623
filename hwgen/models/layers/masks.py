"""Which columns of a padded batch of lines are valid.

Feature maps are [B, H, W, C]; a line of N characters is N cells wide. `valid` [B, 1, W, 1] holds 1 on the
valid columns and 0 on padding (Keras keeps the argument name `mask` to itself); `valid=None` says that every
column is valid, which takes the faster fused kernels.
"""

import tensorflow as tf


def column_mask(
    lengths: tf.Tensor | None,
    num_characters: int | tf.Tensor,
    *,
    columns_per_character: int,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor | None:
    """Mask of the valid columns of a padded batch of lines.

    Args:
        lengths: int32 [B], characters in each line, or float32, such that columns are whole; None when every
            line fills the batch's width.
        num_characters: int scalar, N, characters in the widest line.
        columns_per_character: int, feature columns of one character at this resolution.
        dtype: dtype of the mask.

    Returns:
        [B, 1, N * columns_per_character, 1], 1 where valid, or None for `lengths=None`.
    """
    if lengths is None:
        return None
    mask = tf.sequence_mask(
        lengths * columns_per_character, num_characters * columns_per_character, dtype=dtype
    )
    return mask[:, tf.newaxis, :, tf.newaxis]  # B x W -> B x 1 x W x 1


def apply_mask(x: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Sets padding columns of `x` [B, H, W, C] to zero; the identity for `mask=None`."""
    return x if mask is None else x * tf.cast(mask, x.dtype)
