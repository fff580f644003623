"""Aggregation cross-entropy in two dimensions, ACE (Xie et al. 2019, eq. 8-10; HCT-GAN, "Losses"):
learning by counting.
"""

import tensorflow as tf


def component_counts(component_ids: tf.Tensor, *, num_labels: int) -> tf.Tensor:
    """How often each component occurs in a line.

    Args:
        component_ids: int32 [B, ...], 0 for padding.
        num_labels: K.

    Returns:
        float32 [B, K]; column 0 (the blank) is 0.
    """
    flat = tf.reshape(component_ids, [tf.shape(component_ids)[0], -1])
    # A scatter, not a one-hot of B x L x K: K is near a thousand.
    rows = tf.repeat(tf.range(tf.shape(flat)[0])[:, tf.newaxis], tf.shape(flat)[1], axis=1)
    ones = tf.cast(flat > 0, tf.float32)
    indices = tf.stack([tf.reshape(rows, [-1]), tf.reshape(flat, [-1])], axis=-1)
    return tf.scatter_nd(indices, tf.reshape(ones, [-1]), [tf.shape(flat)[0], num_labels])


def ace_loss(
    counts: tf.Tensor, logits: tf.Tensor, *, mask: tf.Tensor | None = None, epsilon: float = 1e-10
) -> tf.Tensor:
    """- sum_k (N_k / HW) ln(y_k / HW) with y_k the sum of the softmax over the valid map.

    Source: Xie et al. 2019, eq. 10; HCT-GAN. N_blank = HW - sum N_k. Differs: y_k / HW is kept above
    `epsilon`; H and W are those of the valid positions, so that padding changes nothing.

    Args:
        counts: float32 [B, K], N_k; column 0 is ignored (it is the blank's).
        logits: float32 [B, H, W, K], before the softmax.
        mask: float32 [B, 1, W, 1], 1 on valid columns; None when all are valid.
        epsilon: the least y_k / HW.

    Returns:
        float32 [B] in [0, inf).
    """
    y = tf.nn.softmax(logits)
    height = tf.cast(tf.shape(logits)[1], tf.float32)
    if mask is None:
        area = height * tf.cast(tf.shape(logits)[2], tf.float32) * tf.ones([tf.shape(logits)[0]])
    else:
        y, area = y * mask, height * tf.reduce_sum(mask, [1, 2, 3])
    y = tf.reduce_sum(y, [1, 2]) / area[:, tf.newaxis]  # B x H x W x K -> B x K
    share = counts[:, 1:] / area[:, tf.newaxis]
    share = tf.concat([1.0 - tf.reduce_sum(share, axis=1, keepdims=True), share], axis=1)
    return -tf.reduce_sum(share * tf.math.log(tf.maximum(y, epsilon)), axis=1)
