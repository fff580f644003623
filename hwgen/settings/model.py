"""Settings of the networks: the generator, and the other modules of HCT-GAN beside it."""

import dataclasses
from typing import Any, ClassVar

from hwgen.settings.setting import REQUIRED, check, from_stored, setting

CELLS = 4  # a character is 4 x 4 cells of features; the generator starts from there


@dataclasses.dataclass(frozen=True)
class ContentEncoding:
    """What is known of a content encoding where no network is at hand; its class is in
    `hwgen/models/content/`.

    Attributes:
        by_character: it writes the characters of the table alone, each by its id.
        numbered_structures: a character outside the table needs a structure that has an id.
    """

    by_character: bool = False
    numbered_structures: bool = False


CONTENT_ENCODINGS = {
    'sequence': ContentEncoding(numbered_structures=True),
    'layout': ContentEncoding(),
    'warped': ContentEncoding(),
    'onehot': ContentEncoding(by_character=True),
}
LABEL_KINDS = ('components', 'structured', 'characters')


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorSettings:
    """Sizes of a generator that do not come from a table of characters."""

    SECTION: ClassVar[str] = 'Generator'

    content_encoding: str = setting(
        'warped',
        'How characters enter the generator: sequence (HCT-GAN), layout or warped (ours, over the boxes of'
        ' the structure), onehot (ScrabbleGAN).',
        choices=tuple(CONTENT_ENCODINGS),
    )
    filter_mean: bool = setting(
        False,
        'Each character has a part that no style changes (content_encoding=onehot); off: the paper, whose'
        ' filters times a style of mean 0 have none.',
        absent=False,
    )
    char_px: int = setting(
        32, 'Height of a line: 16, 32, 64 or 128 (docs/training.md, "Larger lines").', unit='px', lower=8
    )
    char_width_px: int | None = setting(
        None, 'Width of a character: char_px (default) or half of it.', unit='px'
    )
    layout: str = setting(
        'cells',
        'How characters stand on a line: cells, each as wide as the next; spaced, each with the room that it'
        ' takes, which is learned from the boxes of the lines.',
        flag='character_layout',
        choices=('cells', 'spaced'),
        absent='cells',
    )
    content_channels: int = setting(192, 'Channels of the content features; 480 in the paper.', lower=1)
    channels: tuple[int, ...] = setting(
        (128, 64, 32),
        'Channels of each generator block, log2(char_px / 4) numbers.',
        flag='generator_channels',
        lower=1,
    )
    style_part_dim: int = setting(
        16, 'Size of each part z1, z2, ... of the style vector; 32 in the paper.', lower=1
    )
    character_noise_dim: int = setting(
        8,
        "Noise numbers of each character, joined to z1; 0 is the paper's model.",
        flag='character_noise',
        lower=0,
    )
    noise_prior: str = setting(
        'normal',
        'What the noise of characters is drawn from: normal, N(0, 1); learned, for each character and hand'
        ' from what the style encoder says of real lines.',
        choices=('normal', 'learned'),
        absent='normal',
    )
    attention_px: int = setting(
        8, 'Rows of the feature map that self-attention follows (8: after the first block); 0: none.', lower=0
    )
    upsample: str = setting(
        'between',
        "Upsampling before a block's first convolution (SAGAN), or after it (cheaper).",
        choices=('first', 'between'),
    )
    spectral: bool = setting(
        False, 'Spectral normalisation in the generator.', flag='generator_spectral_norm'
    )
    structure_dim: int = setting(64, 'Size of a structure embedding.', lower=1)
    component_dim: int = setting(128, 'Size of a component embedding.', lower=1)
    cell_dim: int = setting(64, "Channels of a component's own map (content_encoding=warped).", lower=1)
    map_channels: tuple[int, ...] = setting(
        (16, 8),
        "Channels of a component's finer maps of 8 x 8, 16 x 16, ... cells (content_encoding=warped); may be"
        ' none.',
        lower=1,
        may_be_empty=True,
        absent=(),
    )
    learn_boxes: bool = setting(
        True, 'Move the template boxes by what stands in them (content_encoding=warped).', absent=False
    )
    bend_px: int = setting(
        5,
        'How far the generator may bend its characters; 0: not at all. The displacement comes from the map'
        ' that has 8 rows.',
        unit='px',
        lower=0,
        absent=0,
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class GeneratorConfig(GeneratorSettings):
    """Sizes of a generator; everything an artefact needs to build it again.

    Attributes:
        num_components, num_structures, num_characters: int, table sizes with id 0 (padding). The others: see
            `GeneratorSettings`. char_width_px is never None: a cell is a square unless the width is told.

    Raises:
        ValueError: sizes that do not fit together, naming them.
    """

    num_components: int = setting(REQUIRED, 'Components of the table, with id 0.', flag='')
    num_structures: int = setting(REQUIRED, 'Structures of the table, with id 0.', flag='')
    num_characters: int = setting(REQUIRED, 'Characters of the table, with id 0.', flag='')

    def __post_init__(self):
        object.__setattr__(self, 'channels', tuple(self.channels))
        object.__setattr__(self, 'map_channels', tuple(self.map_channels))
        if self.char_width_px is None:
            object.__setattr__(self, 'char_width_px', self.char_px)
        blocks = self.char_px.bit_length() - 3
        if self.char_px < 8 or self.char_px & (self.char_px - 1):
            raise ValueError(
                f'char_px={self.char_px}: expected a power of two of at least 8; a model writes lines of'
                ' other heights with height_px of generate'
            )
        if len(self.channels) != blocks:
            raise ValueError(
                f'generator channels {self.channels}: char_px={self.char_px} has {blocks} blocks '
                f'(log2(char_px / 4)), expected {blocks} numbers'
            )
        ratio = self.char_px // self.char_width_px if self.char_width_px else 0
        if ratio not in (1, 2) or ratio * self.char_width_px != self.char_px:
            raise ValueError(
                f'char_width_px={self.char_width_px}: expected {self.char_px} or {self.char_px // 2}'
            )
        if len(self.map_channels) >= blocks:
            raise ValueError(f'map_channels {self.map_channels}: expected fewer than the {blocks} blocks')
        check(self)

    @property
    def encoding(self) -> ContentEncoding:
        """What is known of the content encoding."""
        return CONTENT_ENCODINGS[self.content_encoding]

    @property
    def num_blocks(self) -> int:
        """Number of upsampling blocks."""
        return len(self.channels)

    @property
    def style_dim(self) -> int:
        """Size of the whole style vector: z1 and one part a block."""
        return self.style_part_dim * (self.num_blocks + 1)

    @property
    def cell_columns(self) -> int:
        """Columns of the content map that one character has: 4, or 2 for half-width cells."""
        return CELLS * (self.char_width_px or self.char_px) // self.char_px


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModuleSizes:
    """Sizes of the modules beside the generator: discriminator, recognisers (SRM, SPM) and style encoder."""

    discriminator_channels: tuple[int, ...] = setting(
        (24, 48, 96, 128), 'Channels of each discriminator block, log2(char_px / 4) + 1 numbers.', lower=1
    )
    discriminator_pool: str = setting(
        'sum',
        "Pooling of patches before the score: sum over a character's cells, or the mean (ScrabbleGAN).",
        choices=('sum', 'mean'),
    )
    recognizer_channels: tuple[int, ...] = setting(
        (24, 48, 96, 128, 160), "Channels of the convolutions of a recogniser's trunk.", lower=1
    )
    recognizer_hidden: int = setting(192, "Channels of the recognisers' heads.", lower=1)
    recurrent_sequence: bool = setting(
        False, 'SRM reads its frames with LSTMs. For comparison: a recurrent reader guides a generator worse.'
    )
    attention_perception: bool = setting(
        False, 'A recurrent reader with attention over the plane in place of SPM; likewise.'
    )
    share_trunk: bool = setting(
        True,
        "SRM and SPM share their convolutions: two thirds of the cost. Off: each has its own, the paper's.",
    )
    style_channels: tuple[int, ...] = setting(
        (16, 32, 64, 96), "Channels of the style encoder's convolutions.", lower=1
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModuleSettings(ModuleSizes):
    """What is asked for of the modules beside the generator."""

    SECTION: ClassVar[str] = 'Recognisers, discriminator and style encoder'

    spatial_perception: bool = setting(True, 'Have SPM (off: ScrabbleGAN).')


@dataclasses.dataclass(frozen=True)
class HctGanConfig(ModuleSizes):
    """Sizes of all modules.

    Attributes:
        generator: GeneratorConfig; also gives the image size to the other modules.
        sequence_labels: int, classes of SRM with the blank.
        spatial_labels: int, classes of SPM with the blank; 0 leaves SPM out (ScrabbleGAN).
        The others: see `ModuleSizes`.
    """

    generator: GeneratorConfig
    sequence_labels: int = setting(REQUIRED, 'Classes of SRM with the blank.', flag='')
    spatial_labels: int = setting(REQUIRED, 'Classes of SPM with the blank; 0: no SPM.', flag='')


def stored_model(stored: dict[str, Any]) -> HctGanConfig:
    """The sizes of all modules as `model` in a run's config.json has them, of this version of the program
    or of an earlier one.
    """
    return from_stored(
        HctGanConfig,
        {**stored, 'generator': None},
        generator=from_stored(GeneratorConfig, stored['generator']),
    )
