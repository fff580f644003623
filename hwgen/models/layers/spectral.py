"""Spectral normalisation of a kernel."""

import tensorflow as tf


def spectral_norm(kernel: tf.Tensor, u: tf.Variable, *, training: bool) -> tf.Tensor:
    """Kernel over its largest singular value, estimated by one power iteration.

    Source: Miyato et al. 2018, "Spectral Normalization for GANs", eq. 8 and algorithm 1. The reparametrised
    form: the gradient flows through sigma, while u and v are constants. Differs: nothing known.

    Args:
        kernel: float [..., C_out], the raw weights.
        u: variable float [1, C_out], the left singular vector's estimate; updated in place only when
            training.
        training: bool.

    Returns:
        float, shape of `kernel`.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])  # kh x kw x C_in x C_out -> (kh kw C_in) x C_out
    frozen = tf.stop_gradient(matrix)
    u_old = tf.convert_to_tensor(u)
    v = tf.math.l2_normalize(tf.matmul(u_old, frozen, transpose_b=True))  # 1 x (kh kw C_in)
    u_new = tf.math.l2_normalize(tf.matmul(v, frozen))  # 1 x C_out
    if training:
        u.assign(u_new)
    sigma = tf.matmul(tf.matmul(v, matrix), u_new, transpose_b=True)  # 1 x 1
    return kernel / tf.reshape(sigma, [])
