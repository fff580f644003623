"""Spatial perception module (SPM): says which component stands where, trained by counting.

HCT-GAN, section 3, "SPM".
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.models.recognizer_trunk import FRAMES


class SpatialPerception(Composite, keras.Model):
    """Trunk features -> logits of each position of a 4 x 4 grid a character.

    Source: HCT-GAN, section 3: fully convolutional with spatial attention; the attention is that of CBAM (Woo
    et al. 2018, eq. 3): a 7 x 7 convolution over the mean and the maximum of the channels, through a sigmoid.
    Differs: the paper leaves the depth open; here one convolution at 4 rows follows the trunk.

    Args:
        num_labels: int, classes with the blank (id 0).
        hidden: int, channels of the convolution.
    """

    def __init__(self, num_labels: int, *, hidden: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_labels, self.hidden = num_labels, hidden
        self.conv = layers.Conv2D(hidden, use_bias=False, name='conv')
        self.norm = layers.BatchNormalization(name='norm')
        self.attention = layers.Conv2D(1, 7, name='attention')
        self.classify = layers.Dense(num_labels, name='classify')

    def call(
        self, features: tf.Tensor, lengths: tf.Tensor | None = None, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Classifies positions.

        Args:
            features: float32 [B, 8, 8N, C], the trunk's last map.
            lengths: int32 [B], characters of each line; None when all fill N.
            training: bool.

        Returns:
            logits float32 [B, 4, 4N, num_labels]; attention float32 [B, 4, 4N, 1] in (0, 1).
        """
        columns = FRAMES // 2
        mask = layers.column_mask(lengths, tf.shape(features)[2] // FRAMES, columns_per_character=columns)
        x = layers.downsample(features)  # B x 8 x 8N x C -> B x 4 x 4N x C
        x = layers.apply_mask(tf.nn.relu(self.norm(self.conv(x), valid=mask, training=training)), mask)
        summary = tf.concat(
            [tf.reduce_mean(x, -1, keepdims=True), tf.reduce_max(x, -1, keepdims=True)], axis=-1
        )
        attention = tf.sigmoid(self.attention(summary))
        return tf.cast(self.classify(x * attention), tf.float32), attention

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {'name': self.name, 'num_labels': self.num_labels, 'hidden': self.hidden}
