"""Style encoder E(x): the style vector of a line, and of each of its characters the small deviation from it.

Its posterior is that of a variational autoencoder (Kingma and Welling 2014), so that styles drawn from N(0,
1) and styles read from a line are one space (BicycleGAN's cVAE-GAN, Zhu et al. 2017).
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite

_HIDDEN = 128  # of what reads a picture beside its character


class StyleEncoder(Composite, keras.Model):
    """Images of lines -> mean and log variance of `style` [B, Z] and of `character_noise` [B, N, D].

    The line's vector comes from the mean over its characters, so it can hardly say which ones were written; a
    character's comes from its own cell, is kept small (8 numbers under a KL term), enough for place and size,
    and has mean 0 over the line: what all characters of a line share, its slant or size or ink, is style and
    nothing else.

    With `reads_content` the noise is read of the character's picture beside what is written there. What the
    generator knows from the character then costs nats and is of no use, so that the noise of every character
    comes to be N(0, 1), a comma's as that of a dense hanzi, and noise drawn without looking fits each of them
    (conditional variational autoencoder: Sohn et al. 2015).

    Args:
        style_dim: int, Z.
        character_noise_dim: int, D; 0 for none.
        channels: tuple of int, one convolution each, every one followed by halving, down to 4 rows or fewer.
        char_px, char_width_px: int, pixels of a character.
        reads_content: bool, the noise is read beside what is written.
    """

    def __init__(
        self,
        style_dim: int,
        *,
        character_noise_dim: int,
        channels: tuple[int, ...],
        char_px: int,
        char_width_px: int,
        reads_content: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.style_dim = style_dim
        self.channels, self.char_px = tuple(channels), char_px
        self.character_noise_dim = character_noise_dim
        self.char_width_px = char_width_px
        self.halvings = char_px.bit_length() - 3
        self.convolutions = tuple(
            layers.Conv2D(c, use_bias=False, name=f'conv_{i + 1}') for i, c in enumerate(channels)
        )
        self.norms = tuple(layers.BatchNormalization(name=f'norm_{i + 1}') for i in range(len(channels)))
        self.to_style = layers.Dense(2 * style_dim, name='to_style')
        self.to_noise = (
            layers.Dense(2 * character_noise_dim, name='to_noise') if character_noise_dim else None
        )
        self.reads_content = reads_content and character_noise_dim > 0
        if self.reads_content:
            self.beside_content = layers.Dense(_HIDDEN, name='beside_content')
            self.content_to_noise = layers.Dense(
                2 * character_noise_dim, kernel_initializer='zeros', name='content_to_noise'
            )

    def call(
        self,
        images: tf.Tensor,
        lengths: tf.Tensor | None = None,
        training: bool = False,
        described: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """Reads the style of a batch of lines.

        Args:
            images: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper +1.
            lengths: int32 [B], characters of each line; None when all fill N.
            training: bool.
            described: float32 [B, N, F], what is written (`ContentEncoder.describe`), for `reads_content`;
                without it the answer has no noise then.

        Returns:
            dict: style_mean, style_log_variance float32 [B, Z]; noise_mean, noise_log_variance float32 [B, N,
                D] (absent when D is 0, or without `described` where that is read).
        """
        columns = self.char_width_px
        n = tf.shape(images)[2] // columns
        mask = layers.column_mask(lengths, n, columns_per_character=columns)
        x = layers.apply_mask(1.0 - images, mask)
        for index, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            if 0 < index <= self.halvings:
                x = layers.downsample(x)
                columns //= 2
                mask = layers.column_mask(lengths, n, columns_per_character=columns)
            x = layers.apply_mask(tf.nn.relu(norm(convolution(x), valid=mask, training=training)), mask)
        x = tf.cast(x, tf.float32)
        b, h, c = tf.shape(x)[0], x.shape[1], x.shape[-1]
        # By place, not by mean over the cell: convolutions alone do not know where in its cell ink stands,
        # and neither slant nor size can be told from what is left then.
        places = tf.reshape(
            tf.transpose(tf.reshape(x, [b, h, n, columns, c]), [0, 2, 1, 3, 4]), [b, n, h * columns * c]
        )
        each = (
            tf.ones([b, n, 1])
            if lengths is None
            else tf.sequence_mask(lengths, n, dtype=tf.float32)[:, :, tf.newaxis]
        )

        # B x N x C -> B x C
        def over_line(values):
            return tf.reduce_sum(values * each, 1) / tf.reduce_sum(each, 1)

        mean, log_variance = tf.split(self.to_style(over_line(places)), 2, axis=-1)
        out = dict(style_mean=mean, style_log_variance=tf.clip_by_value(log_variance, -8.0, 4.0))
        if self.to_noise is not None and (described is not None or not self.reads_content):
            noise = self.to_noise(places)
            if self.reads_content:
                noise += self.content_to_noise(
                    tf.nn.relu(self.beside_content(tf.concat([places, described], -1)))
                )
            mean, log_variance = tf.split(noise, 2, axis=-1)
            mean -= over_line(mean)[:, tf.newaxis]
            out.update(noise_mean=mean, noise_log_variance=tf.clip_by_value(log_variance, -8.0, 4.0))
        return out

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {
            'name': self.name,
            'style_dim': self.style_dim,
            'character_noise_dim': self.character_noise_dim,
            'channels': self.channels,
            'char_px': self.char_px,
            'char_width_px': self.char_width_px,
            'reads_content': self.reads_content,
        }
