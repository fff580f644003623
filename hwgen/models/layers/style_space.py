"""Where the styles of writers lie."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf


class StyleSpace(keras.layers.Layer):
    """Where styles lie: the normal distribution of those that the style encoder found in real lines.

    A KL term leaves the encoder's styles of all lines together (the aggregate posterior) near N(0, 1), not at
    it; styles drawn from N(0, 1) would then be hands that the generator was never taught. Fitting a density
    to the encoder's styles after training removes that gap (Ghosh et al. 2020, "From variational to
    deterministic autoencoders", section 4).
    """

    def build(self, input_shape: Any) -> None:
        """mean [Z] and lower triangular factor [Z, Z] of the covariance; N(0, 1) until they are fitted."""
        size = input_shape[-1]
        self.mean = self.add_weight(shape=[size], initializer='zeros', trainable=False, name='mean')
        self.factor = self.add_weight(
            shape=[size, size], initializer='identity', trainable=False, name='factor'
        )

    def call(self, normal: tf.Tensor) -> tf.Tensor:
        """Standard normal numbers float32 [B, Z] -> styles float32 [B, Z]."""
        return self.mean + tf.linalg.matmul(normal, self.factor, transpose_b=True)

    def fit(self, means: np.ndarray, variances: np.ndarray, *, least_variance: float = 1e-3) -> None:
        """Takes mean and covariance of a mixture of normal distributions, one a line.

        Args:
            means, variances: float [lines, Z], what the style encoder says of each line.
            least_variance: float, added to every direction, so that few lines still give a factor.
        """
        means = np.asarray(means, np.float64)
        covariance = np.cov(means, rowvar=False, bias=True) + np.diag(np.mean(variances, 0) + least_variance)
        self.mean.assign(means.mean(0).astype(np.float32))
        self.factor.assign(np.linalg.cholesky(covariance).astype(np.float32))
