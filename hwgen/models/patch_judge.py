"""Patch judge: which of two lines is real handwriting, by patch.

The discriminator of the game of pairs (`hwgen.training.steps.pairs`).
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite


class PatchBlock(Composite, keras.layers.Layer):
    """Residual block without normalisation.

    Source: Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN" (R3GAN), section 3:
    no normalisation, leaky rectifiers, a residual branch that starts at zero (Fixup: Zhang et al. 2019).
    Differs: two 3 x 3 convolutions of one width in place of a grouped one between two of 1 x 1; one learned
    gain starts at zero in place of the last kernel.

    Args:
        filters: int, channels in and out.
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.conv_1 = layers.Conv2D(filters, name='conv_1')
        self.conv_2 = layers.Conv2D(filters, name='conv_2')
        self.gain = self.add_weight(shape=(), initializer='zeros', name='gain')

    def call(self, x: tf.Tensor, valid: tf.Tensor | None = None) -> tf.Tensor:
        """x [B, H, W, C], valid [B, 1, W, 1] or None -> [B, H, W, C]."""
        h = layers.apply_mask(_activation(self.conv_1(_activation(x))), valid)
        return layers.apply_mask(x + tf.cast(self.gain, x.dtype) * self.conv_2(h), valid)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {'name': self.name, 'filters': self.filters}


class PatchJudge(Composite, keras.Model):
    """Images of lines -> a score for each patch.

    Scores mean something beside those of another line at the same place: the larger is the more real.
    Source: blocks of Huang et al. 2024 (R3GAN), see `PatchBlock`; a score for each patch as in Isola et al.
    2017, "Image-to-Image Translation with Conditional Adversarial Networks" (PatchGAN), section 3.2.2.
    Differs: mean pooling between the blocks, wider layers by 1 x 1 convolutions behind it.

    With four numbers of channels a patch is 8 px a side and sees about 66 px around it, a cell of 64 px.

    Args:
        channels: tuple of int, one a resolution: each beyond the first halves it.
        char_px, char_width_px: int, pixels of a character.

    Raises:
        ValueError: more resolutions than the pixels of a character allow.
    """

    def __init__(self, channels: tuple[int, ...], *, char_px: int, char_width_px: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.channels, self.char_px, self.char_width_px = tuple(channels), char_px, char_width_px
        patch_px = 2 ** max(len(self.channels) - 1, 0)
        if not self.channels or char_px % patch_px or char_width_px % patch_px:
            raise ValueError(
                f'judge_channels {self.channels}: patches of {patch_px} px do not divide a character of'
                f' {char_px} x {char_width_px} px; expected fewer numbers, at least 1'
            )
        self.patch_px = patch_px
        self.first = layers.Conv2D(self.channels[0], name='first')
        self.wider = tuple(
            layers.Conv2D(filters, 1, name=f'wider_{i + 1}') for i, filters in enumerate(self.channels[1:])
        )
        self.blocks = tuple(
            PatchBlock(filters, name=f'block_{i + 1}') for i, filters in enumerate(self.channels[1:])
        )
        self.score = layers.Conv2D(1, 1, name='score')

    def mask(self, images: tf.Tensor, lengths: tf.Tensor | None) -> tf.Tensor | None:
        """The valid patches of lines: float32 [B, 1, W / patch_px, 1], or None where all are.

        Args:
            images, lengths: of `call`.
        """
        return layers.column_mask(
            lengths,
            tf.shape(images)[2] // self.char_width_px,
            columns_per_character=self.char_width_px // self.patch_px,
        )

    def call(self, images: tf.Tensor, lengths: tf.Tensor | None = None) -> tf.Tensor:
        """Scores patches.

        Args:
            images: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper +1; varied ink may pass -1.
            lengths: int32 [B], characters of each line; None when all fill N.

        Returns:
            float32 [B, char_px / patch_px, N * char_width_px / patch_px, 1].
        """
        columns = self.char_width_px
        n = tf.shape(images)[2] // columns

        def mask():
            return layers.column_mask(lengths, n, columns_per_character=columns)

        # paper becomes 0, what 'same' convolutions see beyond the line; so do slopes there
        x = self.first(layers.apply_mask(1.0 - images, mask()))
        x = layers.apply_mask(_activation(x), mask())
        for wider, block in zip(self.wider, self.blocks, strict=True):
            columns //= 2
            x = block(layers.apply_mask(wider(layers.downsample(x)), mask()), mask())
        return tf.cast(self.score(_activation(x)), tf.float32)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {
            'name': self.name,
            'channels': self.channels,
            'char_px': self.char_px,
            'char_width_px': self.char_width_px,
        }


def _activation(x):
    return tf.nn.leaky_relu(x, 0.2)
