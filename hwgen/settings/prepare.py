"""Settings of data sets: what is written, by simulated writers, or from pictures and collections of
others.
"""

import dataclasses
from typing import ClassVar

from hwgen.settings.setting import check, setting


@dataclasses.dataclass(frozen=True)
class OutputSettings:
    """What is read and where it is written to, whoever wrote it."""

    SECTION: ClassVar[str] = 'Data set'

    source: str = setting(
        'scribe',
        'Where lines come from: the embedded corpus, a folder of images, or a collection; auto: what --input'
        ' turns out to be.',
        choices=('scribe', 'folder', 'casia', 'iam', 'iam_online', 'lmdb', 'auto'),
        extensible=True,
    )
    out: str | None = setting(None, 'Folder to write. Example: --out=tfrecords/demo.')
    seed: int = setting(0, 'Seed of writers, texts and splits. Example: --seed=1.', lower=0)
    height_px: int = setting(
        64,
        'Height of the stored images; lower images of a folder keep theirs.',
        unit='px',
        lower=8,
        upper=1024,
    )
    min_characters: int | None = setting(
        None, 'Characters of the shortest line. Default: 2 (scribe), 1 (others, --text_file).', lower=1
    )
    max_characters: int | None = setting(
        None,
        'Characters of the longest line. Default: 8 (scribe), no limit (others, --text_file). Longer lines of'
        ' a collection are left out and counted.',
        lower=1,
    )
    workers: int | None = setting(
        None,
        'Processes that draw the embedded corpus or read a collection. Default: one a CPU (a small'
        ' collection: one). The result does not depend on it.',
        lower=1,
    )
    on_error: str = setting(
        'fail',
        'A sample or text that cannot be used (unknown character, no such image, damaged): stop, or report,'
        ' count and go on.',
        choices=('fail', 'skip'),
    )
    inspect: str | None = setting(None, 'Print what this file, archive or folder holds, and write no shards.')

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class CorpusSettings:
    """What simulated writers write, and how."""

    SECTION: ClassVar[str] = 'Simulated writers (--source=scribe)'

    text_file: str | None = setting(
        None,
        'Texts for the simulated writers, a line of UTF-8 each; - is standard input. Example:'
        ' --text_file=addresses.txt.',
    )
    lines: int | None = setting(
        None,
        'Training lines of the embedded corpus. Default: 48000, or as many as --text_file has. Example:'
        ' --lines=200000.',
        lower=1,
    )
    heldout_lines: int | None = setting(
        None,
        'Lines of each of its other splits, validation, test and unseen. Default: 500; with --text_file,'
        ' whose lines have no unseen, none.',
        lower=1,
    )
    writers: int = setting(
        400,
        'Simulated writers of the training lines; each other split has a tenth as many of its own, at'
        ' least 4.',
        lower=1,
    )
    format: str = setting(
        'records',
        'What --source=scribe writes: TFRecord shards, or a folder of labelled pictures.',
        choices=('records', 'folder'),
    )
    trajectory: bool = setting(
        False,
        'Store the path of the pen as well (--source=scribe), in the records, or in strokes.jsonl of a'
        ' folder. Writers with a font have none.',
    )
    corpus: str = setting(
        '2.0',
        'Version of the embedded corpus: 2.0 is written by pens and fonts; 1.1, by four fonts, is what'
        ' saved_models/demo learned from.',
        choices=('1.1', '2.0'),
    )
    pen_share: float | None = setting(
        None,
        'Share of the simulated writers who write with a pen, movement by movement; the others have a font.'
        ' Default: 0.5, with which people are read best (docs/results/corpus.md); 1 with --trajectory,'
        ' --vertical or --slips; 0 for Latin. Example: --pen_share=1.',
        lower=0.0,
        upper=1.0,
    )
    slips: float = setting(
        0.0,
        'How often a character is first begun wrongly and struck out; the label does not tell of it. Example:'
        ' --slips=.02.',
        lower=0.0,
        upper=1.0,
    )
    vertical: bool = setting(False, 'Lines from top to bottom, --height_px wide. With --format=folder.')
    vocabulary: int = setting(
        3500,
        'Hanzi of the embedded corpus that have images; those that show every component come first.'
        ' Punctuation, digits and letters come on top. Example: --vocabulary=3755.',
        lower=1,
    )
    shots: tuple[int, ...] = setting(
        (),
        'For each of as many groups of the characters of `unseen`, how many training lines show each'
        ' character, at most one such character a line; info.json lists the groups. Default: none does.'
        ' Example: --shots=0,1,5,20.',
        lower=0,
        may_be_empty=True,
    )
    script: str = setting('chinese', 'Script of the embedded corpus.', choices=('chinese', 'latin'))

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class InputSettings:
    """Writing of others: how it is read, split and brought into shape."""

    SECTION: ClassVar[str] = 'Pictures and collections (other sources)'

    input: str | None = setting(
        None, 'Folder of line images, or a collection: a folder, archive or file. Example: --input=scans.'
    )
    labels: str = setting(
        'labels.tsv',
        'Table of labels of --source=folder, in --input, or an absolute path; .jsonl: JSON Lines; .csv,'
        ' .json; a folder: a text file for each image. Example: --labels=label.txt.',
    )
    name_pattern: str | None = setting(
        None,
        'Regular expression that the names of the images of --source=folder match, without suffix: a group'
        ' (?P<writer>...) tells who wrote it, a group (?P<text>...) what, then there are no labels. Example:'
        " --name_pattern='(?P<writer>[^-]+)-.*'.",
    )
    unlabelled: bool = setting(False, 'Images without text (--source=folder): no table is read.')
    unit: str = setting(
        'lines', 'What --source=iam reads: lines.txt or words.txt.', choices=('lines', 'words')
    )
    partition: str = setting(
        'auto',
        'Splits of a collection: the official ones where its names tell them, else by writer (auto); by'
        ' writer; or all of it is the one that is named here.',
        choices=('auto', 'writers', 'train', 'validation', 'test'),
    )
    pen_px: float = setting(
        2.0,
        'Width of the pen that ink is drawn with, of the stored image.',
        unit='px',
        lower=0.25,
        upper=64.0,
    )
    deslant: bool = setting(
        False,
        'Shear slanted writing upright: by the slant of each writer, of each line where the writer is'
        ' unknown.',
    )
    normalize_size: float | None = setting(
        None,
        'Cut and pad lines such that the core of their writing (without ascenders and descenders) takes this'
        ' share of the height. Default: lines stay as they were cut. Example: --normalize_size=.5.',
        lower=0.1,
        upper=1.0,
    )
    keep_paper: bool = setting(
        False,
        'Keep the grey of the paper, its gradients and shadows. Default: paper of --source=folder and lmdb'
        ' becomes white; ink keeps its grey level relative to it.',
    )
    dark: str = setting(
        'refuse',
        'Pictures of light ink on black: cannot be used (see --on_error), are turned over, or stay as they'
        ' are.',
        choices=('refuse', 'invert', 'keep'),
    )
    validation_share: float = setting(
        0.05,
        'Share of the lines that validate, at most twice as many, where the collection does not say.',
        lower=0.0,
        upper=0.5,
    )
    test_share: float = setting(
        0.05,
        'Share of the lines that test, at most twice as many, where the collection does not say.',
        lower=0.0,
        upper=0.5,
    )

    def __post_init__(self):
        check(self)


@dataclasses.dataclass(frozen=True)
class PrepareSettings:
    """All of the making of a data set.

    Attributes:
        output: OutputSettings.
        corpus: CorpusSettings.
        foreign: InputSettings.
    """

    output: OutputSettings = OutputSettings()
    corpus: CorpusSettings = CorpusSettings()
    foreign: InputSettings = InputSettings()


SECTIONS: tuple[type, ...] = (OutputSettings, CorpusSettings, InputSettings)  # in the order of `--help`
