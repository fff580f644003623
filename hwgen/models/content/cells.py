"""The cells of a character: how much of them an interval covers, and the cells of a line side by side."""

import tensorflow as tf

from hwgen.settings.model import CELLS


def overlap_with_cells(low: tf.Tensor, high: tf.Tensor, cells: int = CELLS) -> tf.Tensor:
    """Share of each of the cell rows (or columns) of a character that an interval covers.

    Args:
        low, high: float [...], ends of the interval in [0, 1].
        cells: rows (or columns) of a character.

    Returns:
        float [..., cells] in [0, 1].
    """
    edges = tf.range(cells, dtype=tf.float32) / cells
    low, high = low[..., tf.newaxis], high[..., tf.newaxis]
    return tf.nn.relu(tf.minimum(high, edges + 1.0 / cells) - tf.maximum(low, edges)) * cells


def side_by_side(cells: tf.Tensor) -> tf.Tensor:
    """The characters of each line beside one another: B x N x H x H x C -> B x H x (N H) x C."""
    b, h, c = tf.shape(cells)[0], cells.shape[2], cells.shape[-1]
    return tf.reshape(tf.transpose(cells, [0, 2, 1, 3, 4]), [b, h, -1, c])
