"""Where the noise of characters lies."""

import math
from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite

_LEAST_SPREAD, _MOST_SPREAD = 0.05, 7.5  # of one number, given those before it; 1 is that of N(0, 1)


class NoiseSpace(Composite, keras.layers.Layer):
    """Character and hand -> the normal distribution of the character's noise.

    The style encoder puts into a character's noise what neither the text nor the style tells: where it
    stands, which of its forms it has. Its KL term holds each line's answer near N(0, 1), but the answers of
    all lines together are no N(0, 1) (Rosca et al. 2018, "Distribution matching in variational inference"):
    their numbers depend on one another, and on the character. Noise from N(0, 1) is then noise that the
    generator was never taught, and a 1 that some hands give a foot gets half of one. So the noise is drawn
    from a prior that is learned for each character and hand, as in a conditional variational autoencoder
    (Sohn et al. 2015, section 4.1), by the divergence of the style encoder's answers from it
    (`hwgen.losses.reconstruction.whitened_kl_loss`), which moves nothing else.

    Args:
        noise_dim: int, D, noise numbers of a character.
        hidden: int, size of both hidden layers.
    """

    def __init__(self, noise_dim: int, hidden: int = 96, **kwargs: Any):
        super().__init__(**kwargs)
        self.noise_dim, self.hidden = noise_dim, hidden
        self.character = layers.Dense(hidden, name='character')
        self.together = layers.Dense(hidden, name='together')
        # zeros: mean 0, and a matrix of 1 on its diagonal alone
        self.distribution = layers.Dense(
            noise_dim + noise_dim * noise_dim, kernel_initializer='zeros', name='distribution'
        )

    def call(self, described: tf.Tensor, style: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The noise of the characters of lines; of each by itself, whatever stands beside it.

        Args:
            described: float32 [B, N, F], of `ContentEncoder.describe`.
            style: float32 [B, Z].

        Returns:
            mean: float32 [B, N, D]; whitening: float32 [B, N, D, D], lower triangular, its diagonal above 0:
            whitening (noise - mean) is N(0, 1). N(0, 1) itself until it has learned.
        """
        b, n = tf.unstack(tf.shape(described)[:2])
        x = tf.nn.relu(self.character(described))
        x = tf.concat([x, tf.repeat(style[:, tf.newaxis], n, axis=1)], -1)
        x = tf.cast(self.distribution(tf.nn.relu(self.together(x))), tf.float32)
        d = self.noise_dim
        lower = tf.linalg.band_part(tf.reshape(x[..., d:], [b, n, d, d]), -1, 0)
        log_diagonal = tf.clip_by_value(
            tf.linalg.diag_part(lower), -math.log(_MOST_SPREAD), -math.log(_LEAST_SPREAD)
        )
        return x[..., :d], tf.linalg.set_diag(lower, tf.exp(log_diagonal))

    def draw(self, described: tf.Tensor, style: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
        """Standard normal numbers float32 [B, N, D] -> noise float32 [B, N, D] of the characters."""
        mean, whitening = self(described, style)
        return mean + tf.linalg.triangular_solve(whitening, normal[..., tf.newaxis])[..., 0]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {'name': self.name, 'noise_dim': self.noise_dim, 'hidden': self.hidden}
