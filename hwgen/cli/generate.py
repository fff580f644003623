"""Writes text by hand: pictures of lines, pages, or training data.

One line:            bin/generate --text "明天去钓鱼" --out line.png
A glyph in no font:  bin/generate --text "明天⿱山鱼" --out line.png
                     (a sequence of components stands for one character)
One text, 5 hands:   bin/generate --text "明天" --num_styles 5 --out hands.png
                     (or --out FOLDER for a picture each)
From hand to hand:   bin/generate --text "明天" --interpolate 3 8 --steps 10 --out between.png
A page:              bin/generate --text_file letter.txt --page_width 20 --out page.png
                     (or page.pdf, with --page_lines 25 of several pages)
Training data:       bin/generate --text_file lines.txt --styles_per_line random --out data/
Read back:           bin/generate --text_file lines.txt --verify=.02 --out data/
                     (PP-OCR reads each line; what it misreads is written again in the same hand)
With boxes:          bin/generate --text_file lines.txt --labels=coco,page --out data/

The folder of the last one holds 000001.png, 000002.png, ..., labels.tsv (path TAB text, as trainers of
recognisers read it) and styles.tsv (path TAB seed, to write a line again); with --format tfrecord it holds
shards that bin/train reads.

A seed names a hand: the same seed, text and model give the same picture. Output appears whole or not at all,
and replaces nothing unless --overwrite is given; two commands never write one place at a time.
"""

import shlex
import sys

from absl import flags

from hwgen.settings import flags as settings_flags
from hwgen.settings.generate import (
    SECTIONS,
    GenerateSettings,
    HandSettings,
    LabelSettings,
    PageSettings,
    WritingSettings,
)
from hwgen.settings.setting import SettingError

POSITIONAL = '[B]'

flags.FLAGS.set_gnu_getopt(True)  # so that flags may follow the B of `--interpolate A B`
settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Hands the flags, and the B of `--interpolate A B`, to the session."""
    seeds: list[str] | None = flags.FLAGS['interpolate'].value
    if seeds is None and arguments:
        raise SettingError(f'argument {arguments[0]!r} is not a flag: flags begin with --')
    between = None if seeds is None else _seeds([*seeds, *arguments])
    settings = GenerateSettings(
        settings_flags.read(WritingSettings),
        settings_flags.read(HandSettings, interpolate=between),
        settings_flags.read(PageSettings),
        settings_flags.read(LabelSettings),
    )
    from hwgen.evaluation.judges.panel import open_reader
    from hwgen.generation import session

    session.generate(settings, open_reader=open_reader, command='generate ' + shlex.join(sys.argv[2:]))


def _seeds(typed: list[str]) -> tuple[int, ...]:
    """The two seeds of --interpolate."""
    if len(typed) != 2 or not all(seed.strip().isdecimal() and int(seed) < 2**64 for seed in typed):
        raise SettingError(
            f'--interpolate {" ".join(typed)}: expected two style seeds, such as --interpolate 3 8'
        )
    return tuple(int(seed) for seed in typed)
