"""Ink of lines: varied, so that a judge cannot tell by it; measured."""

import tensorflow as tf

from hwgen.losses.reconstruction import masked_mean


def vary_ink(images: tf.Tensor, numbers: tf.Tensor, *, reach: float | tf.Tensor) -> tf.Tensor:
    """Ink and contrast a little otherwise, smoothly, paper as it was.

    Args:
        images: float32 [B, H, W, 1] in [-1, 1], paper +1.
        numbers: float32 [B, 2] in [-1, 1], of ink and of contrast.
        reach: in [0, 0.5], of the change; up to there more ink stays more ink.

    Returns:
        float32, its shape; of ink i in [0, 1]: (1 + a) i (1 + c (1 - i)), which may pass 1, with the numbers
        times `reach` for a and c.
    """
    ink = (1.0 - images) / 2.0
    strength, contrast = tf.split(
        (reach * numbers)[:, tf.newaxis, tf.newaxis, :], 2, axis=-1
    )  # B x 1 x 1 x 1
    return 1.0 - 2.0 * (1.0 + strength) * ink * (1.0 + contrast * (1.0 - ink))


def mean_ink(images: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Mean ink of each line, 0 for paper and 1 for a black line: float32 [B].

    Args:
        images: float32 [B, H, W, 1] in [-1, 1].
        mask: float32 [B, 1, W, 1], 1 on valid columns; or None.
    """
    return masked_mean((1.0 - images) / 2.0, mask)
