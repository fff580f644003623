"""Losses of the warm-up by reconstruction: pixels, recogniser features, and the style's prior."""

import tensorflow as tf


def masked_mean(values: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Mean of each example over valid positions. values [B, H, W, C], mask [B, 1, W, 1] or None -> [B]."""
    if mask is None:
        return tf.reduce_mean(values, [1, 2, 3])
    mask = tf.cast(mask, values.dtype) * tf.ones_like(values)
    return tf.reduce_sum(values * mask, [1, 2, 3]) / tf.reduce_sum(mask, [1, 2, 3])


def pixel_loss(images: tf.Tensor, targets: tf.Tensor, *, mask: tf.Tensor | None = None) -> tf.Tensor:
    """Mean absolute difference over valid pixels; float32 [B] in [0, 2]."""
    return masked_mean(tf.abs(images - targets), mask)


def feature_loss(
    features: tf.Tensor, targets: tf.Tensor, *, mask: tf.Tensor | None = None, epsilon: float = 1e-6
) -> tf.Tensor:
    """Mean absolute difference of features relative to the target's mean magnitude (Johnson et al. 2016, with
    L1).

    Args:
        features, targets: float [B, H, W, C]; no gradient flows into the targets.
        mask: float [B, 1, W, 1] or None.

    Returns:
        float32 [B] in [0, inf); 1 for features that are all zero.
    """
    targets = tf.stop_gradient(targets)
    return masked_mean(tf.abs(features - targets), mask) / (masked_mean(tf.abs(targets), mask) + epsilon)


def kl_loss(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of N(mean, variance) from N(0, 1), summed over the last axis (Kingma and Welling 2014,
    eq. 10).

    Args:
        mean, log_variance: float [..., Z].

    Returns:
        float [...] in [0, inf), in nats.
    """
    return 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_variance) - 1.0 - log_variance, axis=-1)


def whitened_kl_loss(
    mean: tf.Tensor, log_variance: tf.Tensor, prior_mean: tf.Tensor, whitening: tf.Tensor
) -> tf.Tensor:
    """KL divergence of N(mean, variance), whose numbers are independent, from a normal distribution whose are
    not.

    Args:
        mean, log_variance: float [..., D].
        prior_mean: float [..., D].
        whitening: float [..., D, D], lower triangular, its diagonal above 0; the inverse covariance of the
            second distribution is whitening^T whitening.

    Returns:
        float [...] in [0, inf), in nats.
    """
    off = tf.linalg.matvec(whitening, mean - prior_mean)
    spread = tf.reduce_sum(tf.square(whitening) * tf.exp(log_variance)[..., tf.newaxis, :], axis=-1)
    log_determinants = 2.0 * tf.math.log(tf.linalg.diag_part(whitening)) + log_variance
    return 0.5 * tf.reduce_sum(spread + tf.square(off) - 1.0 - log_determinants, axis=-1)


def spacing_loss(log_advances: tf.Tensor, advances: tf.Tensor) -> tf.Tensor:
    """Mean over a line's characters of how far off their advances are, as factors.

    Args:
        log_advances: float32 [B, N], natural logarithms of what is said.
        advances: float32 [B, N], what is right; 0 for padding, which does not count.

    Returns:
        float32 [B] in [0, inf): mean absolute difference of the logarithms.
    """
    valid = tf.cast(advances > 0.0, tf.float32)
    off = tf.abs(log_advances - tf.math.log(tf.where(advances > 0.0, advances, 1.0))) * valid
    return tf.reduce_sum(off, 1) / tf.maximum(tf.reduce_sum(valid, 1), 1.0)
