"""Writes a data set: the embedded handwriting corpus, your own texts in its hands, or your own line images.

The result is a folder of TFRecord shards with info.json, which `train --data` reads. It appears when it is complete; a command
that is given again finds it there. Images are stored at --height_px and scaled to the model's size while training.

--source=scribe has simulated writers write the embedded corpus: --lines for training, and 500 lines each of validation
and test (writers that are not in the training lines) and `unseen` (also characters that are not in them). With --shots groups
of these characters do stand in training lines, each a counted number of times.

With --text_file=FILE they write your texts instead: every line of FILE that is not blank, once and in its order; with --lines more often, each time by
another writer, or fewer of them, from all parts of the file. A line that cannot be written is named with its place (--on_error=skip leaves it out and counts
it). All lines are for training, unless --heldout_lines is given: then so many more of other writers are for validation, and for test.

--format=folder writes pictures instead of shards: 000001.png, ..., labels.tsv (a row `path TAB text TAB writer`, which PaddleOCR takes as a label file and
--source=folder reads), boxes.jsonl (where each character stands), and info.json, which says what is in it. Several splits have a folder each.

--source=folder reads a folder of line images and a table with a row `path TAB text` each, as PaddleOCR has them, or JSON
Lines, or a folder with a text file for each image; the writer is the third column, or what --name_pattern finds in the
image's name, or else the sub-folder that the image lies in. Read as well: ["a.png", "b.png"] TAB text; `path SPACE text`;
ICDAR's `a.png, "text"`; *.csv; a first row that names the columns (path, file_name, filename, image ...; text, label, words
...; writer); JSON objects with such names, a row each or (*.json) as a list or as MMOCR's data_list; \\ in paths for /. Labels of
detection (PPOCRLabel's Label.txt) are refused: give rec_gt.txt. A third column in some rows alone that looks like the rest of
a text with a TAB in it, not like a writer, is refused: a first row of names settles it.
Splits are made by writer; lines without a known writer are split one by one, rows of one picture stay together. A writer who
alone has more than twice the share of a split is not drawn for it: few hands are all for training, which is said.
report.json, rejected.tsv and sheet.png (look at it) lie beside the shards. With --unlabelled no table is read, and every image of the folder and its sub-folders becomes a line without
text, for `train --unlabelled`.

--source=casia reads CASIA's files as they are downloaded, in folders or .zip archives: characters (.gnt), pages of lines
(.dgrl, .dgr), characters and pages of a pen (.pot, .wptt, .ptts). --source=iam reads IAM (lines.txt or words.txt, images,
forms.txt), --source=iam_online IAM-OnDB, --source=lmdb an LMDB folder, --source=auto whichever it is. The official
partition is kept where files or folders are named by it; report.json and rejected.tsv beside the shards say what is in
them and what was left out, sheet.png shows some of it.

Pictures are looked at first: blank, black and tiny ones cannot be used (--on_error), nor can light ink on black (--dark). Grey paper of --source=folder and
lmdb, of scans and photographs, becomes white, shadows too (--keep_paper); CASIA's and IAM's is white already. How many there were is said at the end.

Killed at any moment, the same command goes on where it was; when it is done, the same command compares the input with what was
read (info.json), and refuses where that has changed. --deslant and --normalize_size make slant and size of the writing
equal; without them lines stay as they are.

--inspect=FILE prints what a file or collection holds, and draws its first samples into --out, a .png.

Examples:
  prepare --out=tfrecords/demo
  prepare --out=tfrecords/large --lines=200000 --vocabulary=3755 --max_characters=16
  prepare --out=tfrecords/latin --script=latin
  prepare --out=tfrecords/shots --lines=4000 --shots=0,1,5,20
  prepare --text_file=addresses.txt --format=folder --height_px=48 --out=pictures
  prepare --text_file=addresses.txt --lines=100000 --heldout_lines=1000 --writers=2000 --on_error=skip --out=tfrecords/addresses
  prepare --source=folder --input=scans --labels=label.txt --out=tfrecords/mine --on_error=skip
  prepare --source=folder --input=more_scans --unlabelled --out=tfrecords/unlabelled
  prepare --source=casia --input=HWDB2 --out=tfrecords/casia-hwdb2 --on_error=skip
  prepare --inspect=HWDB2/HWDB2.0Test.zip --out=sheet.png
"""

import contextlib
import re

from absl import flags

# Arguments of the library that have another name as flags.
_FLAG_OF = {'vocabulary_size': 'vocabulary', 'num_writers': 'writers', 'version': 'corpus', 'output_format': 'format',
            **dict.fromkeys(('validation_lines', 'test_lines', 'unseen_lines'), 'heldout_lines')}
_SOURCE = flags.DEFINE_enum('source', 'scribe', ['scribe', 'folder', 'casia', 'iam', 'iam_online', 'lmdb', 'auto'],
    'Where lines come from: the embedded corpus, a folder of images, or a collection; auto: what --input turns out to be.')
_OUT = flags.DEFINE_string('out', None, 'Folder to write. Example: --out=tfrecords/demo.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of writers, texts and splits. Example: --seed=1.', lower_bound=0)
_HEIGHT_PX = flags.DEFINE_integer('height_px', 64,
    'Height of the stored images, pixels; lower images of a folder keep theirs.', lower_bound=8, upper_bound=1024)
_MIN_CHARACTERS = flags.DEFINE_integer('min_characters', None,
    'Characters of the shortest line. Default: 2 (scribe), 1 (others, --text_file).', lower_bound=1)
_MAX_CHARACTERS = flags.DEFINE_integer('max_characters', None,
    'Characters of the longest line. Default: 8 (scribe), no limit (others, --text_file). Longer lines of a collection are left out'
    ' and counted.', lower_bound=1)
_TEXT_FILE = flags.DEFINE_string('text_file', None, 'Texts for the simulated writers, a line of UTF-8 each; - is standard input. '
    'Example: --text_file=addresses.txt.')
_LINES = flags.DEFINE_integer('lines', None,
    'Training lines of the embedded corpus. Default: 48000, or as many as --text_file has. Example: --lines=200000.', lower_bound=1)
_HELD_OUT_LINES = flags.DEFINE_integer('heldout_lines', None,
    'Lines of each of its other splits, validation, test and unseen. Default: 500; with --text_file, whose lines have no unseen, none.', lower_bound=1)
_WRITERS = flags.DEFINE_integer('writers', 400,
    'Simulated writers of the training lines; each other split has a tenth as many of its own, at least 4.', lower_bound=1)
_FORMAT = flags.DEFINE_enum('format', 'records', ['records', 'folder'],
    'What --source=scribe writes: TFRecord shards, or a folder of labelled pictures.')
_TRAJECTORY = flags.DEFINE_bool('trajectory', False,
    'Store the path of the pen as well (--source=scribe), in the records, or in strokes.jsonl of a folder. Writers with a font have none.')
_CORPUS = flags.DEFINE_enum('corpus', '2.0', ['1.1', '2.0'],
    'Version of the embedded corpus: 2.0 is written by pens and fonts; 1.1, by four fonts, is what the model that ships learned from.')
_PEN_SHARE = flags.DEFINE_float('pen_share', None,
    'Share of the simulated writers who write with a pen, movement by movement; the others have a font. Default: 0.5, with '
    'which people are read best (docs/results/corpus.md); 1 with --trajectory, --vertical or --slips; 0 for Latin. Example: --pen_share=1.', lower_bound=0., upper_bound=1.)
_SLIPS = flags.DEFINE_float('slips', 0.,
    'How often a character is first begun wrongly and struck out; the label does not tell of it. Example: --slips=.02.', lower_bound=0., upper_bound=1.)
_VERTICAL = flags.DEFINE_bool('vertical', False, 'Lines from top to bottom, --height_px wide. With --format=folder.')
_VOCABULARY = flags.DEFINE_integer('vocabulary', 3500,
    'Hanzi of the embedded corpus that have images; those that show every component come first. Punctuation, '
    'digits and letters come on top. Example: --vocabulary=3755.', lower_bound=1)
_SHOTS = flags.DEFINE_list('shots', [],
    'For each of as many groups of the characters of `unseen`, how many training lines show each character, at most one such '
    'character a line; info.json lists the groups. Default: none does. Example: --shots=0,1,5,20.')
_SCRIPT = flags.DEFINE_enum('script', 'chinese', ['chinese', 'latin'], 'Script of the embedded corpus.')
_WORKERS = flags.DEFINE_integer('workers', None,
    'Processes that draw the embedded corpus or read a collection. Default: one a CPU (a small collection: one). The result does'
    ' not depend on it.', lower_bound=1)
_INPUT = flags.DEFINE_string('input', None,
    'Folder of line images, or a collection: a folder, archive or file. Example: --input=scans.')
_LABELS = flags.DEFINE_string('labels', 'labels.tsv',
    'Table of labels of --source=folder, in --input, or an absolute path; .jsonl: JSON Lines; .csv, .json; a folder: a text file for each '
    'image. Example: --labels=label.txt.')
_NAME_PATTERN = flags.DEFINE_string('name_pattern', None,
    'Regular expression that the names of the images of --source=folder match, without suffix: a group (?P<writer>...) tells who '
    "wrote it, a group (?P<text>...) what, then there are no labels. Example: --name_pattern='(?P<writer>[^-]+)-.*'.")
_UNLABELLED = flags.DEFINE_bool('unlabelled', False, 'Images without text (--source=folder): no table is read.')
_UNIT = flags.DEFINE_enum('unit', 'lines', ['lines', 'words'], 'What --source=iam reads: lines.txt or words.txt.')
_PARTITION = flags.DEFINE_enum('partition', 'auto', ['auto', 'writers', 'train', 'validation', 'test'],
    'Splits of a collection: the official ones where its names tell them, else by writer (auto); by writer; or all of it is '
    'the one that is named here.')
_PEN_PX = flags.DEFINE_float('pen_px', 2., 'Width of the pen that ink is drawn with, pixels of the stored image.',
    lower_bound=.25, upper_bound=64.)
_DESLANT = flags.DEFINE_bool('deslant', False,
    'Shear slanted writing upright: by the slant of each writer, of each line where the writer is unknown.')
_NORMALIZE_SIZE = flags.DEFINE_float('normalize_size', None,
    'Cut and pad lines such that the core of their writing (without ascenders and descenders) takes this share of the height. '
    'Default: lines stay as they were cut. Example: --normalize_size=.5.', lower_bound=.1, upper_bound=1.)
_KEEP_PAPER = flags.DEFINE_bool('keep_paper', False,
    'Keep the grey of the paper, its gradients and shadows. Default: paper of --source=folder and lmdb becomes white; ink keeps its grey level relative to it.')
_DARK = flags.DEFINE_enum('dark', 'refuse', ['refuse', 'invert', 'keep'],
    'Pictures of light ink on black: cannot be used (see --on_error), are turned over, or stay as they are.')
_INSPECT = flags.DEFINE_string('inspect', None, 'Print what this file, archive or folder holds, and write no shards.')
_ON_ERROR = flags.DEFINE_enum('on_error', 'fail', ['fail', 'skip'],
    'A sample or text that cannot be used (unknown character, no such image, damaged): stop, or report, count and go on.')
_VALIDATION_SHARE = flags.DEFINE_float('validation_share', .05,
    'Share of the lines that validate, at most twice as many, where the collection does not say.', lower_bound=0., upper_bound=.5)
_TEST_SHARE = flags.DEFINE_float('test_share', .05, 'Share of the lines that test, at most twice as many, where the collection does not say.',
    lower_bound=0., upper_bound=.5)


def main(arguments):
    """Checks the flags and writes the folder."""
    del arguments
    from hwgen.cli.app import UserError
    if _INSPECT.value:
        return _inspect()
    if not _OUT.value:
        raise UserError('--out: no folder given; expected for example --out=tfrecords/demo')
    from hwgen.inference import picture_formats
    picture_formats.check_folder(_OUT.value, flag='--out')
    if _UNLABELLED.value:
        _check_unlabelled()
    lengths = {flag.name: flag.value for flag in (_MIN_CHARACTERS, _MAX_CHARACTERS) if flag.value is not None}
    common = dict(lengths, seed=_SEED.value, height_px=_HEIGHT_PX.value, report=_say)
    shares = {'validation_share': _VALIDATION_SHARE.value, 'test_share': _TEST_SHARE.value, 'on_error': _ON_ERROR.value,
              'deslant': _DESLANT.value, 'normalize_size': _NORMALIZE_SIZE.value, 'keep_paper': _KEEP_PAPER.value, 'dark': _DARK.value}
    if _SOURCE.value != 'scribe':
        _check_foreign()
    if _SOURCE.value == 'scribe':
        if _INPUT.value:
            raise UserError('--input goes with --source=folder, casia, iam, iam_online, lmdb or auto, not with --source=scribe')
        if any(shares[name] for name in ('deslant', 'normalize_size', 'keep_paper')) or flags.FLAGS['dark'].present:
            raise UserError('--deslant, --normalize_size, --keep_paper and --dark are for writing of others, not for --source=scribe')
        _check_text_file()
        if _VERTICAL.value and _FORMAT.value == 'records':
            raise UserError('--vertical goes with --format=folder: models learn from horizontal lines')
        with _in_words_of_flags():
            _write_scribe(common)
    elif not _INPUT.value:
        raise UserError(f'--input: no folder given; --source={_SOURCE.value} expects one with '
                        + ('line images, for example --input=scans' if _SOURCE.value == 'folder' else
                           'the collection, for example --input=HWDB2'))
    elif _SOURCE.value == 'folder':
        from hwgen.data import prepare_folder
        prepare_folder.prepare_folder(_OUT.value, images=_INPUT.value, labels=None if _UNLABELLED.value else _LABELS.value,
                                      name_pattern=_NAME_PATTERN.value, **shares, **common)
    else:
        from hwgen.data import prepare_collection
        prepare_collection.prepare_collection(_OUT.value, path=_INPUT.value, source=_SOURCE.value, unit=_UNIT.value,
                                              partition=_PARTITION.value, pen_px=_PEN_PX.value, workers=_WORKERS.value,
                                              **shares, **common)


@contextlib.contextmanager
def _in_words_of_flags():
    """Within it, an error about an argument of the library names the flag that the user has typed."""
    from hwgen.cli.app import UserError
    try:
        yield
    except ValueError as error:
        told = str(error)
        for name in {*re.findall(r'(?<![\w/-])[a-z_]+(?==)', told)}:
            flag = _FLAG_OF.get(name, name)
            told = re.sub(rf'(?<![\w/-]){name}(?==)', f'--{flag}', told) if flag in flags.FLAGS else told
        if told == str(error):
            raise
        raise UserError(told) from error


def _write_scribe(common):
    from hwgen.data import prepare
    prepare.prepare_scribe(_OUT.value, lines=_LINES.value, vocabulary_size=_VOCABULARY.value, script=_SCRIPT.value,
                           validation_lines=_HELD_OUT_LINES.value, test_lines=_HELD_OUT_LINES.value,
                           unseen_lines=None if _TEXT_FILE.value else _HELD_OUT_LINES.value, shots=_shots(), num_writers=_WRITERS.value,
                           text_file=_TEXT_FILE.value, on_error=_ON_ERROR.value, output_format=_FORMAT.value,
                           trajectory=_TRAJECTORY.value, version=_CORPUS.value, pen_share=_PEN_SHARE.value, vertical=_VERTICAL.value,
                           slips=_SLIPS.value, workers=_WORKERS.value, **common)


def _shots():
    from hwgen.cli.app import UserError
    if _SHOTS.value and _SCRIPT.value == 'latin':
        raise UserError('--shots with --script=latin: expected chinese, Latin has no held-out characters')
    if not all(count.strip().isdecimal() for count in _SHOTS.value):
        raise UserError(f'--shots={",".join(_SHOTS.value)}: expected whole numbers separated by commas, for example --shots=0,1,5,20')
    return tuple(map(int, _SHOTS.value))


def _check_foreign():
    """Refuses what only simulated writers do."""
    from hwgen.cli.app import UserError
    for name in ('shots', 'text_file', 'writers', 'format', 'trajectory', 'corpus', 'pen_share', 'slips', 'vertical'):
        flag = flags.FLAGS[name]
        if flag.present and flag.value != flag.default:
            raise UserError(f'--{name} goes with --source=scribe, not with --source={_SOURCE.value}')


def _check_text_file():
    """Refuses what says which texts are composed, where they are given; and a corpus of no text."""
    from hwgen.cli.app import UserError
    if _TEXT_FILE.value is None:
        return
    for name in ('vocabulary', 'shots'):
        if flags.FLAGS[name].present:
            raise UserError(f'--{name} is for composed texts, it does not go with --text_file')


def _check_unlabelled():
    """Refuses what would be passed over without a text."""
    from hwgen.cli.app import UserError
    if _SOURCE.value != 'folder':
        raise UserError(f'--unlabelled goes with --source=folder, not with --source={_SOURCE.value}; `train --unlabelled` takes '
                        f'prepared lines that have a text as well')
    senseless = [name for name in ('labels', 'name_pattern', 'min_characters', 'max_characters') if flags.FLAGS[name].present]
    if senseless:
        raise UserError(f'--{senseless[0]} goes with a table of texts, not with --unlabelled')


def _inspect():
    from hwgen.cli.app import UserError
    if _OUT.value and not _OUT.value.lower().endswith('.png'):
        raise UserError(f'--out={_OUT.value}: with --inspect expected a picture to write, for example --out=sheet.png')
    from hwgen.data import inspection
    source = 'auto' if _SOURCE.value == 'scribe' else _SOURCE.value
    labels = _LABELS.value if flags.FLAGS['labels'].present else None
    inspection.inspect(_INSPECT.value, source=source, unit=_UNIT.value, labels=labels, name_pattern=_NAME_PATTERN.value,
                       pen_px=_PEN_PX.value, sheet=_OUT.value, report=_say)


def _say(message):
    from hwgen.charset.printable import printable
    print(printable(message), flush=True)
