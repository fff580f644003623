"""Settings of imitation: pictures of a hand's lines, what becomes of them, and a text in that hand."""

import dataclasses
from typing import ClassVar

from hwgen.settings.generate import DEFAULT_MODEL, DEFAULT_TRUNCATION
from hwgen.settings.prepare import InputSettings
from hwgen.settings.setting import check, choices_of, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImitateSettings:
    """Whose lines are read, by which model, and where the hand is kept."""

    SECTION: ClassVar[str] = 'Lines and hand'

    images: str | None = setting(
        None, 'Folder with a picture of each line, by one person; or one picture. Example: --images=my_lines.'
    )
    labels: str | None = setting(
        None,
        'What the lines say: a table of labels in --images, or an absolute path, or a folder of texts, as of'
        ' bin/prepare. Default: labels.tsv where it is there; without labels the characters of a line are'
        ' counted by its shape. Example: --labels=labels.tsv.',
    )
    hand: str | None = setting(
        None,
        'Where the hand is kept: a small file; with --minutes the folder of a model. bin/generate --hand'
        ' takes both. Example: --hand=mine.hand.',
    )
    minutes: float = setting(
        0.0,
        'Fine-tune the model for so long on the lines, which need labels; 0: the style encoder reads the'
        ' hand at once. Example: --minutes=5.',
        unit='minutes',
        lower=0.0,
    )
    model: str = setting(
        DEFAULT_MODEL,
        'Folder of a trained generator, or a run directory of bin/train. Example: runs/demo.',
    )
    dark: str = setting(
        'refuse',
        'Pictures of light ink on black: cannot be used, are turned over, or stay as they are.',
        choices=choices_of(InputSettings, 'dark'),
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSettings:
    """What is written in the hand at once; bin/generate --hand writes more."""

    SECTION: ClassVar[str] = 'Text and output'

    text: str | None = setting(None, 'Text to write in the hand.')
    out: str | None = setting(None, 'Picture of it (.png, .jpg, .webp, .tif, .bmp, .pdf), or a folder.')
    style_seed: int = setting(0, 'Seed of the character noise. Example: 42.', lower=0)
    truncation: float = setting(
        DEFAULT_TRUNCATION, 'Standard deviation of the character noise. Example: 0.5.', lower=0.0
    )
    overwrite: bool = setting(False, 'Replace the output and the hand if they exist.')

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class ImitationSettings:
    """All of an imitation.

    Attributes:
        hand: ImitateSettings.
        writing: TextSettings.
    """

    hand: ImitateSettings = ImitateSettings()
    writing: TextSettings = TextSettings()


SECTIONS: tuple[type, ...] = (ImitateSettings, TextSettings)  # in the order of `--help`
