"""Sequence recognition module (SRM): reads a line as a sequence of labels for CTC.

HCT-GAN, section 3, "SRM".
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.models.recognizer_trunk import FRAMES


class SequenceRecognition(Composite, keras.Model):
    """Trunk features -> logits of 8 frames a character.

    Source: HCT-GAN, section 3: a convolutional feature extractor, the maximum over height, one linear layer.
    Differs: one convolution along the frames (5 wide) stands between, so that a frame sees a whole character,
    which the structure token needs; 8 frames a character at every char_px.

    With `recurrent` two LSTMs, one a direction, read the frames instead (CRNN: Shi et al. 2017, section 2.2).
    The papers advise against it as a guide of a generator: it learns what usually follows and reads what was
    not written (ScrabbleGAN, supplement). It is there to be compared.

    Args:
        num_labels: int, classes with CTC's blank (id 0).
        hidden: int, channels of the frame convolution; of each LSTM half of it.
        recurrent: bool.
    """

    def __init__(self, num_labels: int, *, hidden: int, recurrent: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_labels, self.hidden = num_labels, hidden
        self.recurrent = recurrent
        if recurrent:
            self.frame_memory = keras.layers.Bidirectional(
                keras.layers.LSTM(hidden // 2, return_sequences=True, name='memory'), name='frame_memory'
            )
        else:
            self.frame_conv = layers.Conv2D(hidden, (1, 5), use_bias=False, name='frame_conv')
            self.frame_norm = layers.BatchNormalization(name='frame_norm')
        self.classify = layers.Dense(num_labels, name='classify')

    def call(
        self, features: tf.Tensor, lengths: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Classifies frames.

        Args:
            features: float32 [B, 8, 8N, C], the trunk's last map.
            lengths: int32 [B], characters of each line; None when all fill N.
            training: bool.

        Returns:
            float32 [B, 8N, num_labels], logits; frames of padding carry no meaning.
        """
        n = tf.shape(features)[2] // FRAMES
        mask = layers.column_mask(lengths, n, columns_per_character=FRAMES)
        x = tf.reduce_max(features, axis=1, keepdims=True)  # B x 8 x T x C -> B x 1 x T x C
        if self.recurrent:  # frames of padding move neither direction's state
            valid = None if lengths is None else tf.sequence_mask(lengths * FRAMES, n * FRAMES)
            # without the mask that Keras ties to it
            x = tf.identity(self.frame_memory(x[:, 0], mask=valid, training=training))
            return tf.cast(self.classify(x), tf.float32)
        x = layers.apply_mask(
            tf.nn.relu(self.frame_norm(self.frame_conv(x), valid=mask, training=training)), mask
        )
        return tf.cast(self.classify(x[:, 0]), tf.float32)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {
            'name': self.name,
            'num_labels': self.num_labels,
            'hidden': self.hidden,
            'recurrent': self.recurrent,
        }
