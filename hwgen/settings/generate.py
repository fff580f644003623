"""Settings of writing: texts, hands, pages, and the pictures or records that are written."""

import dataclasses
from typing import ClassVar

from hwgen.settings.setting import SettingError, check, setting

DEFAULT_MODEL = 'saved_models/spaced64'  # what writes wherever no other model is named
# Standard deviation of what seeds draw, hands and character noise, wherever nothing else is said: a little
# plainer than those the model learned from (1).
DEFAULT_TRUNCATION = 0.8
LABELS = ('tsv', 'jsonl', 'coco', 'page')  # forms of labels
DEFAULT_TRIES = 8  # of a line that is to read as asked
MAX_SEEDS = 2**64  # style seeds there are
ENLARGING = ('learned', 'cubic')  # how lines become higher than they are written


@dataclasses.dataclass(frozen=True, kw_only=True)
class WritingSettings:
    """What is written, by which model, and where to."""

    SECTION: ClassVar[str] = 'Text, model and output'

    text: str | None = setting(None, 'Text to write. With --page_width a line break begins a paragraph.')
    text_file: str | None = setting(
        None,
        'UTF-8 file: each row is a line of handwriting, with --page_width a paragraph. - is standard input.',
    )
    out: str | None = setting(
        None,
        'Where to: a picture (.png, .jpg, .webp, .tif, .bmp, .pdf), or a folder (for --text_file, '
        'tfrecord, one picture a style, several pages, which .pdf and .tif hold, too). NAME/ is a folder.',
    )
    model: str = setting(
        DEFAULT_MODEL,
        'Folder of a trained generator, or a run directory of bin/train. Example: runs/demo.',
    )
    format: str = setting('png', 'Pictures, or shards for bin/train.', choices=('png', 'tfrecord'))
    skip_unwritable: bool = setting(
        False, 'Leave out rows of --text_file that hold unknown characters, instead of stopping.'
    )
    allow_unseen: bool = setting(
        False,
        'Write also characters that no training picture of the model showed, nor the parts they are made of: '
        'probably scribbles. Without it they are refused.',
    )
    overwrite: bool = setting(
        False, 'Replace the output if it exists (a folder only if all in it is output of this command).'
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HandSettings:
    """Whose handwriting it is."""

    SECTION: ClassVar[str] = 'Hands'

    style_seed: int = setting(0, 'Hand to write in, 0 to 2^64 - 1. Example: 42.', lower=0)
    hand: str | None = setting(
        None,
        'Write in the hand of this file, which bin/imitate read from pictures of lines, or of this folder,'
        ' which it fine-tuned; --style_seed and --truncation are then those of the character noise alone.'
        ' Example: --hand=mine.hand.',
    )
    num_styles: int = setting(
        1, 'Write everything in so many hands: seeds style_seed, style_seed + 1, ...', lower=1
    )
    interpolate: tuple[int, ...] | None = setting(
        None, 'Two seeds A B (or A,B): write --text in --steps hands from A to B.', lower=0
    )
    steps: int = setting(8, 'Hands of --interpolate, A and B included.', lower=2)
    styles_per_line: str = setting(
        'same',
        'Hands of --text_file: same: all rows in one; random: a new seed for every row, counted on from'
        ' style_seed.',
        choices=('same', 'random'),
    )
    truncation: float = setting(
        DEFAULT_TRUNCATION,
        'Standard deviation of styles and character noise: 1 is the spread of the hands the model learned'
        ' from, less is tidier and more alike, 0 the average hand. Example: 0.5.',
        lower=0.0,
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageSettings:
    """How large lines are, and pages of them."""

    SECTION: ClassVar[str] = 'Size and pages'

    height_px: int | None = setting(
        None,
        'Scale lines to this height in pixels; default: as the model writes. Up to 256 strokes stay sharp.',
        unit='px',
        lower=4,
        upper=4096,
    )
    enlarging: str = setting(
        'learned',
        'How lines become higher than the model writes them: learned, by a small network that knows what'
        ' strokes look like; cubic, by interpolation, as before it.',
        choices=ENLARGING,
    )
    layout: str | None = setting(
        None,
        'cells: each character is as wide as the next; spaced: each has the room that it takes, for models'
        ' that have learned it; default: as the model was trained.',
        choices=('cells', 'spaced'),
    )
    page_width: str | None = setting(
        None, 'Write pages: characters of a full line (20) or pixels between the margins (800px).'
    )
    page_lines: int = setting(0, 'Lines of a full page; 0: one page as long as the text.', lower=0)
    line_spacing: float = setting(1.4, 'Distance of the lines of a page, in line heights.', lower=1.0)
    margin: float = setting(1.0, 'Margin of a page, in line heights.', lower=0.0)
    indent: int = setting(2, 'Blank characters before a paragraph of a page.', lower=0)

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """What is said of what is written, and whether it reads as asked."""

    SECTION: ClassVar[str] = 'Labels and verification'

    labels: tuple[str, ...] = setting(
        ('tsv',),
        'Labels of a folder, one form or several: tsv: labels.tsv and styles.tsv, which are always there;'
        ' jsonl: boxes.jsonl; coco: coco.json; page: PAGE XML beside each picture. The last three have boxes'
        ' of the ink of characters and components. Example: --labels=coco,page.',
    )
    verify: float | None = setting(
        None,
        'Have each line read back by PP-OCR, which never trained a generator, and written again with other'
        ' noise, in the same hand, until its character error rate is at most this. Folders get readings.tsv.'
        ' Example: --verify=.02.',
        lower=0.0,
        upper=1.0,
    )
    verify_tries: int = setting(DEFAULT_TRIES, 'How often --verify writes a line at most.', lower=1)
    given_up: str = setting(
        'keep',
        'Lines that never read as asked: keep: the best try, told in readings.tsv; leave_out: they are in'
        ' given_up.tsv alone (of folders and records).',
        choices=('keep', 'leave_out'),
    )

    def __post_init__(self):
        check(self)
        for form in self.labels:
            if form not in LABELS:
                raise SettingError(f'--labels={",".join(self.labels)}: expected of {", ".join(LABELS)}')


@dataclasses.dataclass(frozen=True)
class GenerateSettings:
    """All of a piece of writing.

    Attributes:
        writing: WritingSettings.
        hands: HandSettings.
        pages: PageSettings.
        labels: LabelSettings.
    """

    writing: WritingSettings = WritingSettings()
    hands: HandSettings = HandSettings()
    pages: PageSettings = PageSettings()
    labels: LabelSettings = LabelSettings()


SECTIONS: tuple[type, ...] = (
    WritingSettings,
    HandSettings,
    PageSettings,
    LabelSettings,
)  # in the order of `--help`


def check_writing(
    text: str | None, text_file: str | None, *, out: str | None, style_seed: int, num_styles: int
) -> None:
    """Refuses values of --text, --text_file, --out, --style_seed and --num_styles that name no task.

    Raises:
        SettingError: neither or both of text and text_file, no place to write to, or seeds beyond 2^64 - 1.
    """
    if (text is None) == (text_file is None):
        raise SettingError('expected either --text "..." or --text_file FILE')
    if not out:
        raise SettingError('--out is missing: expected a picture, such as line.png, or a folder')
    if style_seed + num_styles > MAX_SEEDS:
        raise SettingError(f'--style_seed={style_seed}: expected 0 to 2^64 - 1')
