"""How much room each character takes along a line."""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite

_NARROWEST, _WIDEST = 0.05, 3.0  # advances, in heights of a line
_FIRST = 0.85  # what an untrained head answers: the mean character of the embedded corpus


class Spacing(Composite, keras.layers.Layer):
    """Character, neighbours, style and noise -> the advance of each character.

    Ours: handwriting has no table of widths, as fonts do; a hand writes wide or narrow (style), and the same
    character never twice as wide (noise).

    Args:
        hidden: int, size of both hidden layers.
    """

    def __init__(self, hidden: int = 96, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden = hidden
        self.character = layers.Dense(hidden, name='character')
        self.together = layers.Dense(hidden, name='together')
        self.advance = layers.Dense(1, kernel_initializer='zeros', name='advance')

    def call(
        self,
        described: tf.Tensor,
        style: tf.Tensor,
        character_noise: tf.Tensor | None = None,
        lengths: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Advances of the characters of lines.

        Args:
            described: float32 [B, N, F], of `ContentEncoder.describe`.
            style: float32 [B, Z].
            character_noise: float32 [B, N, D], or None.
            lengths: int32 [B], characters of each line; None when all fill N.

        Returns:
            float32 [B, N], natural logarithms of the advances in heights of the line.
        """
        n = tf.shape(described)[1]
        x = tf.nn.relu(self.character(described))
        if lengths is not None:
            x *= tf.sequence_mask(lengths, n, dtype=x.dtype)[:, :, tf.newaxis]
        padded = tf.pad(x, [[0, 0], [1, 1], [0, 0]])
        parts = [x, padded[:, :-2], padded[:, 2:], tf.repeat(style[:, tf.newaxis], n, axis=1)]
        if character_noise is not None:
            parts.append(character_noise)
        x = tf.nn.relu(self.together(tf.concat(parts, -1)))
        advance = self.advance(x)[..., 0] + tf.math.log(_FIRST)
        return tf.clip_by_value(advance, tf.math.log(_NARROWEST), tf.math.log(_WIDEST))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {'name': self.name, 'hidden': self.hidden}
