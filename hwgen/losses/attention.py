"""The loss of a reader that says one label after the other (Bahdanau et al. 2015; a guide by attention, to
compare SPM with).
"""

import tensorflow as tf


def attention_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy of a line's labels and its end.

    Source: Sutskever et al. 2014, eq. 1, divided by the number of labels. Differs: nothing known.

    Args:
        labels: int32 [B, L], zeros at the end of each row.
        logits: float32 [B, L + 1, K]; class 0 is the end.

    Returns:
        float32 [B] in [0, inf).
    """
    ended = tf.pad(labels, [[0, 0], [0, 1]])  # B x (L + 1), an end behind every line
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ended, logits=logits)
    lengths = tf.reduce_sum(tf.cast(labels > 0, tf.int32), axis=1)
    valid = tf.sequence_mask(lengths + 1, tf.shape(ended)[1], dtype=logits.dtype)
    return tf.reduce_sum(each * valid, axis=1) / tf.reduce_sum(valid, axis=1)
