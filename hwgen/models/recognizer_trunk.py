"""Convolutional features that the two recognisers read: SRM (sequence) and SPM (spatial), HCT-GAN, section
3.
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite

FRAMES = 8  # columns of features a character has at every char_px: the longest label with its repeats fits


class RecognizerTrunk(Composite, keras.Model):
    """Images of lines -> features with 8 rows and 8 columns a character.

    Plain convolutions with batch normalisation and no recurrence: a recurrent recogniser learns the language
    and reads what was not written (ScrabbleGAN, supplement; HCT-GAN, section 3).

    Args:
        channels: tuple of int. The first log2(char_px / 8) convolutions are each followed by halving; the
            others keep 8 rows.
        char_px, char_width_px: int, pixels of a character.

    Raises:
        ValueError: fewer channels than halvings, naming both.
    """

    def __init__(self, channels: tuple[int, ...], *, char_px: int, char_width_px: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.char_px, self.char_width_px = tuple(channels), char_px, char_width_px
        self.row_halvings = (char_px // FRAMES).bit_length() - 1
        self.column_halvings = (char_width_px // FRAMES).bit_length() - 1
        if len(channels) <= self.row_halvings:
            raise ValueError(
                f'recognizer channels {tuple(channels)}: char_px={char_px} needs more than '
                f'{self.row_halvings} numbers'
            )
        self.convolutions = tuple(
            layers.Conv2D(c, use_bias=False, name=f'conv_{i + 1}') for i, c in enumerate(channels)
        )
        self.norms = tuple(layers.BatchNormalization(name=f'norm_{i + 1}') for i in range(len(channels)))

    def call(
        self,
        images: tf.Tensor,
        lengths: tf.Tensor | None = None,
        training: bool = False,
        depth: int | None = None,
    ) -> tuple[tf.Tensor, ...]:
        """Reads a batch.

        Args:
            images: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper +1.
            lengths: int32 [B], characters of each line; None when all fill N.
            training: bool, batch statistics and their update.
            depth: int, the first so many convolutions only; None for all.

        Returns:
            tuple of float32 maps, one a convolution; the last of all is [B, 8, 8N, channels[-1]].
        """
        columns = self.char_width_px
        n = tf.shape(images)[2] // columns
        mask = layers.column_mask(lengths, n, columns_per_character=columns)
        x = layers.apply_mask(1.0 - images, mask)
        features = []
        read = list(zip(self.convolutions, self.norms, strict=True))[:depth]
        for index, (convolution, norm) in enumerate(read):
            x = tf.nn.relu(norm(convolution(x), valid=mask, training=training))
            x = layers.apply_mask(x, mask)
            features.append(x)
            if index < self.row_halvings:
                wide = 2 if index < self.column_halvings else 1
                x = tf.nn.max_pool2d(x, [2, wide], [2, wide], 'VALID')
                columns //= wide
                mask = layers.column_mask(lengths, n, columns_per_character=columns)
        return tuple(features)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {
            'name': self.name,
            'channels': self.channels,
            'char_px': self.char_px,
            'char_width_px': self.char_width_px,
        }
