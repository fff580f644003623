"""`hwgen.inference.line_layout` as a graph: cells are moved together until each character has its room."""

import tensorflow as tf


def spaced(
    cells: tf.Tensor, log_advances: tf.Tensor, *, char_px: int, char_width_px: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """A line whose characters have the room that they take.

    Args:
        cells: float32 [char_px, N * char_width_px] in [-1, 1], paper +1; N >= 1.
        log_advances: float32 [N], natural logarithms of the advances in heights of the line.
        char_px, char_width_px: int, height and width of a cell.

    Returns:
        float32 [char_px, W]; int32 [N, 4] px x0, y0, x1, y1, the room of each character.
    """
    # values that are not finite are told by the picture; here they must not become sizes
    log_advances = tf.where(tf.math.is_finite(log_advances), log_advances, 0.0)
    taken = tf.maximum(tf.cast(tf.round(tf.exp(log_advances) * char_px), tf.int32), 1)
    ends = tf.cumsum(taken)
    room = ends - taken
    left = room + tf.minimum((taken - char_width_px) // 2, 0)
    widths = tf.maximum(taken, char_width_px)
    first = left[0]
    width = tf.reduce_max(left + widths) - first

    # every column of every cell: which cell it is of, which column of it
    index = tf.repeat(tf.range(tf.shape(taken)[0]), widths)
    column = tf.range(tf.size(index)) - tf.gather(tf.cumsum(widths) - widths, index)
    stretch = char_width_px / tf.cast(tf.gather(widths, index), tf.float32)
    source = tf.clip_by_value(
        (tf.cast(column, tf.float32) + 0.5) * tf.cast(stretch, tf.float32) - 0.5, 0.0, char_width_px - 1.0
    )
    before = tf.cast(tf.floor(source), tf.int32)
    share = (source - tf.floor(source))[:, tf.newaxis]
    after = tf.minimum(before + 1, char_width_px - 1)
    columns = tf.transpose(cells)  # (N w) x H
    start = index * char_width_px
    pixels = tf.gather(columns, start + before) * (1.0 - share) + tf.gather(columns, start + after) * share
    place = tf.gather(left, index) + column - first
    line = tf.tensor_scatter_nd_min(tf.ones([width, char_px]), place[:, tf.newaxis], pixels)
    x0 = room - first
    boxes = tf.stack([x0, tf.zeros_like(x0), ends - first, tf.fill(tf.shape(x0), char_px)], 1)
    return tf.transpose(line), boxes
