"""Self-attention within a window of characters."""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models.layers.linear import Conv2D
from hwgen.models.layers.masks import apply_mask


class WindowedSelfAttention(keras.layers.Layer):
    """Self-attention of SAGAN within a window of characters.

    Source: Zhang et al. 2019, "Self-Attention GANs", eq. 1-3, with its 2 x 2 pooled keys and values and a
    learned gain that starts at zero. Differs: a position attends to its own character and `reach` characters
    on either side, not to the whole map, so that cost is linear in length, a line of any length is written in
    windows, and padding changes nothing.

    Args:
        columns_per_character: int, feature columns of one character here; even.
        reach: int, characters on either side that a position sees.
        spectral: bool, spectral normalisation of the projections.
    """

    def __init__(self, *, columns_per_character: int, reach: int = 1, spectral: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.columns = columns_per_character
        self.reach = reach
        self.spectral = spectral

    def build(self, input_shape: Any) -> None:
        """Makes the four projections and the gain."""
        channels = int(input_shape[-1])
        self.channels = channels
        self.query = Conv2D(max(channels // 8, 1), 1, spectral=self.spectral, use_bias=False, name='query')
        self.key = Conv2D(max(channels // 8, 1), 1, spectral=self.spectral, use_bias=False, name='key')
        self.value = Conv2D(max(channels // 2, 1), 1, spectral=self.spectral, use_bias=False, name='value')
        self.output_projection = Conv2D(
            channels, 1, spectral=self.spectral, use_bias=False, name='output_projection'
        )
        self.gain = self.add_weight(shape=(), initializer='zeros', name='gain')

    def _by_character(self, x, columns):
        """B x H x (N w) x C -> B x N x (H w) x C: the positions of each character together."""
        b, h, c = tf.shape(x)[0], x.shape[1], x.shape[-1]
        x = tf.reshape(x, [b, h, -1, columns, c])
        x = tf.transpose(x, [0, 2, 1, 3, 4])  # B x H x N x w x C -> B x N x H x w x C
        return tf.reshape(x, [b, -1, h * columns, c])

    def _neighbourhood(self, x):
        """B x N x P x C -> B x N x ((2 reach + 1) P) x C: each character with its neighbours; zeros beyond
        the ends.
        """
        padded = tf.pad(x, [[0, 0], [self.reach, self.reach], [0, 0], [0, 0]])
        n = tf.shape(x)[1]
        return tf.concat([padded[:, i : i + n] for i in range(2 * self.reach + 1)], axis=2)

    def call(self, x: tf.Tensor, valid: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """Adds what a position attends to.

        Args:
            x: float [B, H, W, C].
            valid: float [B, 1, W, 1], 1 on valid columns; None: all are.
            training: bool, the singular vectors of the projections take a step.

        Returns:
            float [B, H, W, C], zero on columns that are not valid.
        """
        height, half = x.shape[1], self.columns // 2

        def pool(t):
            return tf.nn.max_pool2d(t, 2, 2, 'VALID')

        query = self._by_character(self.query(x, training=training), self.columns)
        key = self._neighbourhood(self._by_character(pool(self.key(x, training=training)), half))
        value = self._neighbourhood(self._by_character(pool(self.value(x, training=training)), half))
        columns = tf.ones_like(x[:, :1, :, :1]) if valid is None else tf.cast(valid, x.dtype)
        # B x 1 x (N w) x 1 -> B x N x 1, then each character's neighbours exist or do not: B x N x ((2 reach
        # + 1) P)
        exists = self._by_character(columns[:, :, :: self.columns], 1)
        positions = (height // 2) * half
        exists = tf.repeat(self._neighbourhood(exists)[..., 0], positions, axis=-1)
        scores = tf.matmul(query, key, transpose_b=True) + (exists[:, :, tf.newaxis, :] - 1.0) * 1e4
        attended = tf.matmul(tf.nn.softmax(tf.cast(scores, tf.float32)), tf.cast(value, tf.float32))
        b, c = tf.shape(x)[0], value.shape[-1]
        # B x N x (H w) x C ->
        attended = tf.reshape(tf.cast(attended, x.dtype), [b, -1, height, self.columns, c])
        # -> B x H x (N w) x C
        attended = tf.reshape(tf.transpose(attended, [0, 2, 1, 3, 4]), [b, height, -1, c])
        out = self.output_projection(attended, training=training)
        return apply_mask(x + tf.cast(self.gain, x.dtype) * out, valid)
