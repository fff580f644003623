"""Discriminator: is a line real handwriting?

Fully convolutional, one score a line (SAGAN; HCT-GAN, section 3).
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.settings.model import ModuleSizes
from hwgen.settings.setting import choices_of


class DiscriminatorBlock(Composite, keras.layers.Layer):
    """Residual block with spectral normalisation.

    Args:
        filters: int, output channels.
        down: bool, it halves the resolution.
        first: bool, it reads the picture, which no rectifier may cut.
    """

    def __init__(self, filters: int, *, down: bool, first: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.down = down
        self.first = first
        self.conv_1 = layers.Conv2D(filters, spectral=True, name='conv_1')
        self.conv_2 = layers.Conv2D(filters, spectral=True, name='conv_2')
        self.skip = layers.Conv2D(filters, 1, spectral=True, name='skip')

    def call(
        self,
        x: tf.Tensor,
        valid: tf.Tensor | None = None,
        narrow_valid: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """x [B, H, W, C], valid [B, 1, W, 1], narrow_valid [B, 1, W/2, 1] -> [B, H/2, W/2, filters]."""
        h = x if self.first else tf.nn.relu(x)
        h = layers.apply_mask(self.conv_1(h, training=training), valid)
        h = layers.apply_mask(self.conv_2(tf.nn.relu(h), training=training), valid)
        if self.down:  # pooling before the 1 x 1 skip costs a quarter and gives the same
            h, x, valid = layers.downsample(h), layers.downsample(x), narrow_valid
        return h + layers.apply_mask(self.skip(x, training=training), valid)


class Discriminator(Composite, keras.Model):
    """Images of lines -> scores.

    Source: SAGAN's and ScrabbleGAN's discriminators: residual blocks with spectral normalisation, patches
    scored by one linear layer and pooled. Differs: features are summed over the 4 x 4 positions of a
    character and averaged over the line's characters (`pool='sum'`), because under spectral normalisation the
    mean over all patches of a slim network stays too small to reach the hinge's margin; `pool='mean'` is
    ScrabbleGAN's.

    Args:
        channels: tuple of int, one a block; every block but the last halves the resolution, down to 4 rows.
        char_px, char_width_px: int, pixels of a character.
        pool: 'sum' or 'mean'.

    Raises:
        ValueError: when the number of channels does not lead from char_px to 4 rows.
    """

    def __init__(
        self, channels: tuple[int, ...], *, char_px: int, char_width_px: int, pool: str, **kwargs: Any
    ):
        super().__init__(**kwargs)
        downs = char_px.bit_length() - 3  # log2(char_px / 4)
        if len(channels) != downs + 1:
            raise ValueError(
                f'discriminator channels {tuple(channels)}: char_px={char_px} needs {downs + 1} numbers'
            )
        pools = choices_of(ModuleSizes, 'discriminator_pool')
        if pool not in pools:
            raise ValueError(f'discriminator pool {pool!r}: expected {" or ".join(pools)}')
        self.channels, self.char_px, self.char_width_px = tuple(channels), char_px, char_width_px
        self.pool = pool
        self.blocks = tuple(
            DiscriminatorBlock(filters, down=i < downs, first=i == 0, name=f'block_{i + 1}')
            for i, filters in enumerate(channels)
        )
        self.score = layers.Dense(1, spectral=True, name='score')

    def call(self, images: tf.Tensor, lengths: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """Scores a batch.

        Args:
            images: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper +1.
            lengths: int32 or float32 [B], width of each line in cells: its characters or, of a line without a
                text, whole columns of the last map, which has char_width_px / char_px * 4 a cell; None when
                all fill N.
            training: bool, update the spectral vectors.

        Returns:
            float32 [B]: large for real, small for generated.
        """
        columns = self.char_width_px
        n = tf.shape(images)[2] // columns

        def mask():
            return layers.column_mask(lengths, n, columns_per_character=columns)

        # paper becomes 0, what 'same' convolutions see beyond the line
        x = layers.apply_mask(1.0 - images, mask())
        for block in self.blocks:
            before = mask()
            if block.down:
                columns //= 2
            x = block(x, valid=before, narrow_valid=mask(), training=training)
        x = layers.apply_mask(tf.nn.relu(x), mask())
        characters = tf.cast(n, x.dtype) if lengths is None else tf.cast(lengths, x.dtype)[:, tf.newaxis]
        pooled = tf.reduce_sum(x, [1, 2]) / characters  # B x C
        if self.pool == 'mean':
            pooled = pooled / (x.shape[1] * columns)
        return tf.cast(self.score(pooled, training=training), tf.float32)[:, 0]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {
            'name': self.name,
            'channels': self.channels,
            'char_px': self.char_px,
            'char_width_px': self.char_width_px,
            'pool': self.pool,
        }
