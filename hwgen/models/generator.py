"""Generator: content features and a style vector become the image of a handwritten line (SAGAN-style,
convolutional).

HCT-GAN (ICPR 2022), section 3, "Generator and discriminator"; ScrabbleGAN (CVPR 2020), section 3.1.
"""

import dataclasses
import math
from typing import Any

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.models.content.encodings import content_encoder
from hwgen.models.noise_space import NoiseSpace
from hwgen.models.spacing import Spacing
from hwgen.settings.model import CELLS, GeneratorConfig
from hwgen.settings.setting import from_stored


class GeneratorBlock(Composite, keras.layers.Layer):
    """Residual block that doubles the resolution; batch normalisation conditional on its part of a style.

    Args:
        filters: int, output channels.
        upsample: 'first' or 'between': before the first convolution (SAGAN), or after it.
        spectral: bool, spectral normalisation of the convolutions.
    """

    def __init__(self, filters: int, *, upsample: str, spectral: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.upsample = upsample
        self.norm_1 = layers.BatchNormalization(conditional=True, name='norm_1')
        self.conv_1 = layers.Conv2D(filters, spectral=spectral, name='conv_1')
        self.norm_2 = layers.BatchNormalization(conditional=True, name='norm_2')
        self.conv_2 = layers.Conv2D(filters, spectral=spectral, name='conv_2')
        self.skip = layers.Conv2D(filters, 1, spectral=spectral, name='skip')

    def call(
        self,
        x: tf.Tensor,
        style_part: tf.Tensor,
        valid: tf.Tensor | None = None,
        wide_valid: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """x [B, H, W, C], style_part [B, Z1], valid [B, 1, W, 1], wide_valid [B, 1, 2W, 1] -> [B, 2H, 2W,
        filters].
        """
        h = tf.nn.relu(self.norm_1(x, style_part, valid=valid, training=training))
        if self.upsample == 'first':
            h = self.conv_1(layers.upsample(h), training=training)
        else:
            h = layers.apply_mask(self.conv_1(h, training=training), valid)
        between = wide_valid if self.upsample == 'first' else valid
        h = tf.nn.relu(self.norm_2(h, style_part, valid=between, training=training))
        skip = self.skip(x, training=training)
        h = self.conv_2(h if self.upsample == 'first' else layers.upsample(h), training=training)
        return layers.apply_mask(h + layers.upsample(skip), wide_valid)


class Generator(Composite, keras.Model):
    """Components, structure and style -> the image of a line.

    Source: HCT-GAN, section 3; blocks after SAGAN. The style vector is split into z1, joined to the content,
    and one part for each block's conditional batch normalisation. Differs: attention is windowed (see
    `WindowedSelfAttention`); a small noise vector of each character is joined to z1 (character_noise_dim=0 is
    the paper's); `upsample='between'` is ours.

    Args:
        config: GeneratorConfig.

    Attributes:
        config: the same.
        space_component: int, id of the component that is a space, whose cells are paper; 0, as at first:
            none. Who writes sets it (`Writer`).
    """

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(**kwargs)
        self.config = config
        self.space_component = 0
        self.content_encoder = content_encoder(config, name='content_encoder')
        # A tuple, not a list: tf.train.Checkpoint drops the sublayers that a Keras 3 model holds in a list.
        self.blocks = tuple(
            GeneratorBlock(filters, upsample=config.upsample, spectral=config.spectral, name=f'block_{i + 1}')
            for i, filters in enumerate(config.channels)
        )
        self.attention = None
        if config.attention_px:
            columns = config.attention_px * config.cell_columns // CELLS
            self.attention = layers.WindowedSelfAttention(
                columns_per_character=columns, spectral=config.spectral, name='attention'
            )
        self.style_space = layers.StyleSpace(name='style_space')
        self.style_space.build([None, config.style_dim])
        self.to_bend = None
        if config.bend_px:
            self.to_bend = layers.Conv2D(2, spectral=False, name='to_bend')
        self.last_norm = layers.BatchNormalization(name='last_norm')
        self.last_conv = layers.Conv2D(1, spectral=False, name='last_conv')
        self.spacing = Spacing(name='spacing') if config.layout == 'spaced' else None
        self.noise_space = None
        if config.noise_prior == 'learned' and config.character_noise_dim:
            self.noise_space = NoiseSpace(config.character_noise_dim, name='noise_space')

    @property
    def context_characters(self) -> int:
        """Characters on either side that can change a character's pixels: the receptive field, rounded up."""
        config = self.config
        reach, total = 0.0, 0  # reach in characters since the last whole step; whole characters so far
        columns = config.cell_columns
        for index in range(config.num_blocks):
            reach += 1.0 / (2 * columns if config.upsample == 'first' else columns) + 1.0 / (2 * columns)
            columns *= 2
            if self.attention is not None and CELLS << (index + 1) == config.attention_px:
                total, reach = total + math.ceil(reach) + self.attention.reach, 0.0
        reach += 1.0 / columns
        if self.to_bend is not None:
            # The displacement itself looks no further than that; it brings ink from bend_px away.
            reach += config.bend_px / (config.char_width_px or config.char_px)
        return total + math.ceil(reach)

    def call(
        self,
        characters: Characters,
        style: tf.Tensor,
        character_noise: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Writes a batch of lines.

        Args:
            characters: Characters, what to write.
            style: float32 [B, style_dim], of the style encoder or of `style_space`.
            character_noise: float32 [B, N, character_noise_dim], of the style encoder or of `drawn_noise`;
                None when that is 0.
            training: bool, batch statistics instead of the fixed ones.

        Returns:
            float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper +1; padding is exactly +1.
        """
        content = self.content_encoder(characters, style=self.content_style(style))
        if self.spacing is not None and not self.spacing.built:  # so that one call makes every variable
            self.log_advances(characters, style, character_noise)
        if self.noise_space is not None and not self.noise_space.built:
            self.drawn_noise(characters, style, character_noise)
        return self.draw(
            content,
            style,
            lengths=characters.lengths,
            blank=self.blank(characters),
            character_noise=character_noise,
            training=training,
        )

    def log_advances(
        self, characters: Characters, style: tf.Tensor, character_noise: tf.Tensor | None = None
    ) -> tf.Tensor:
        """How much room each character takes along its line; what it is learned by moves neither the
        embeddings nor, by them, the pictures.

        Args:
            characters, style, character_noise: as of the call.

        Returns:
            float32 [B, N], natural logarithms of the advances in heights of the line.

        Raises:
            ValueError: a generator that learns none (`layout`).
        """
        if self.spacing is None:
            raise ValueError("a generator of layout 'cells' has no advances; expected layout 'spaced'")
        described = tf.stop_gradient(self.content_encoder.describe(characters))
        return self.spacing(described, style, character_noise=character_noise, lengths=characters.lengths)

    def drawn_noise(
        self, characters: Characters, style: tf.Tensor, normal: tf.Tensor | None = None
    ) -> tf.Tensor | None:
        """Standard normal numbers as the noise that these characters have in such a hand. Nothing is learned
        by it: no gradient passes.

        Args:
            characters, style: as of the call.
            normal: float32 [B, N, character_noise_dim], N(0, 1); None when that is 0.

        Returns:
            float32 [B, N, character_noise_dim]; `normal` itself where no prior is learned (`noise_prior`).
        """
        if self.noise_space is None or normal is None:
            return normal
        described = self.content_encoder.describe(characters)
        return tf.stop_gradient(self.noise_space.draw(described, style, normal))

    def blank(self, characters: Characters) -> tf.Tensor | None:
        """Which characters are spaces: bool [B, N]; None where there is no `space_component`."""
        if not self.space_component:
            return None
        components = characters.component_ids
        return (components[..., 0] == self.space_component) & (tf.reduce_sum(components[..., 1:], -1) == 0)

    def content_style(self, style: tf.Tensor) -> tf.Tensor:
        """z1, the part of a style [B, style_dim] that meets the content: float32 [B, style_part_dim]."""
        return style[:, : self.config.style_part_dim]

    def draw(
        self,
        content: tuple[tf.Tensor, tuple[tf.Tensor, ...]],
        style: tf.Tensor,
        *,
        lengths: tf.Tensor | None = None,
        blank: tf.Tensor | None = None,
        character_noise: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """The second half of the call: features of the content encoder, as it returns them, become images.

        Where `blank` (bool [B, N], or None) is true there is paper, exactly, whatever was learned of a space:
        such a cell is masked as those beyond the line's end are, after every layer. So its neighbours are
        written as the last and the first character of a line, which every training picture shows, and no
        stroke is cut that would not end there anyway. Training has no `space_component`: to it a space is a
        character like others, for the paper of real lines is not exactly white, and the discriminator would
        know written ones by it.

        The other arguments are those of the call.
        """
        config = self.config
        x, maps = content[0], list(content[1])
        n = tf.shape(x)[2] // CELLS

        def mask(columns):
            return _without(blank, layers.column_mask(lengths, n, columns_per_character=columns), columns)

        parts = tf.split(style, config.num_blocks + 1, axis=-1)
        columns = config.cell_columns
        if columns < CELLS:  # Latin cells are half as wide as high: B x H x (N H) x C -> B x H x (N H/2) x C
            x, *maps = (tf.nn.avg_pool2d(m, [1, 2], [1, 2], 'VALID') for m in (x, *maps))
        parts_of_noise = []
        if not self.content_encoder.reads_style:
            parts_of_noise.append(tf.repeat(parts[0][:, tf.newaxis], n, axis=1))  # B x N x Z1
        if config.character_noise_dim:
            parts_of_noise.append(character_noise)
        noise = None
        if parts_of_noise:
            # B x 1 x (N columns) x Z
            noise = tf.repeat(tf.concat(parts_of_noise, axis=-1), columns, axis=1)[:, tf.newaxis]
            noise = tf.cast(tf.repeat(noise, CELLS, axis=1), x.dtype)
            x = tf.concat([x, noise], axis=-1)
        x = layers.apply_mask(x, mask(columns))
        bend = None
        for index, (block, part) in enumerate(zip(self.blocks, parts[1:], strict=True)):
            if 0 < index <= len(maps):
                x = tf.concat(
                    [x, layers.apply_mask(tf.cast(maps[index - 1], x.dtype), mask(columns))], axis=-1
                )
            x = block(x, part, valid=mask(columns), wide_valid=mask(2 * columns), training=training)
            columns *= 2
            if self.attention is not None and x.shape[1] == config.attention_px:
                x = self.attention(x, valid=mask(columns), training=training)
            if self.to_bend is not None and x.shape[1] == 2 * CELLS:
                bend = self._bend(x, noise, valid=mask(columns), training=training)
        x = tf.nn.relu(self.last_norm(x, valid=mask(columns), training=training))
        x = tf.tanh(tf.cast(self.last_conv(x, training=training), tf.float32))
        valid = mask(columns)
        if bend is not None:

            def paper(image):
                return 1.0 - layers.apply_mask(1.0 - image, valid)

            x = 1.0 - layers.shift_columns(1.0 - paper(x), bend[..., :1], reach_px=config.bend_px)
            x = 1.0 - layers.shift_rows(1.0 - x, bend[..., 1:], reach_px=config.bend_px)
        return x if valid is None else x * valid + (1.0 - valid)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of: the sizes as a dict of plain values."""
        return {'name': self.name, 'config': dataclasses.asdict(self.config)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> 'Generator':
        """One like that whose `get_config` this is, with weights of its own."""
        return cls(**{**config, 'config': from_stored(GeneratorConfig, config['config'])})

    def _bend(self, x, noise, *, valid, training):
        """Displacement of every pixel [B, char_px, N * char_width_px, 2] in px, smooth, from a map of 8
        rows.
        """
        reach = float(self.config.bend_px)
        x = tf.nn.relu(x)
        if noise is not None:
            x = tf.concat([x, layers.apply_mask(layers.upsample(noise), valid)], axis=-1)
        coarse = reach * tf.tanh(0.1 * tf.cast(self.to_bend(x, training=training), tf.float32))
        # beyond its end a line is bent like its end, as the enlargement does at the end of the map
        if valid is not None:
            before, written_before = (
                tf.pad(x, [[0, 0], [0, 0], [1, 0], [0, 0]])[:, :, :-1] for x in (coarse, valid)
            )
            after, written_after = (
                tf.pad(x, [[0, 0], [0, 0], [0, 1], [0, 0]])[:, :, 1:] for x in (coarse, valid)
            )
            # and before its beginning, behind a space, like its beginning
            end = tf.where((written_before < written_after), after, before)
            coarse = coarse * valid + end * (1.0 - valid)
        return layers.enlarge(coarse, self.config.char_px // (2 * CELLS))


def _without(blank, mask, columns):
    """A mask [B, 1, N * columns, 1], or None, that is 0 also in the columns of the characters `blank`,
    bool [B, N] or None.
    """
    if blank is None:
        return mask
    # B x N -> B x (N w) -> B x 1 x (N w) x 1
    written = tf.repeat(tf.cast(~blank, tf.float32), columns, axis=1)[:, tf.newaxis, :, tf.newaxis]
    return written if mask is None else mask * written
