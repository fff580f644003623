"""Writes a data set as TFRecord shards: the embedded handwriting corpus, or your own line images.

The result is a folder of shards with info.json, which `train --data` reads. It appears when it is complete; a command
that is given again finds it there. Images are stored at --height_px and scaled to the model's size while training.

--source=scribe has simulated writers write the embedded corpus: --lines for training, and 500 lines each of validation
and test (writers that are not in the training lines) and `unseen` (also characters that are not in them).

--source=folder reads a folder of line images and a table with a row `path TAB text` each, as PaddleOCR has them; the
writer is the third column, or else the sub-folder that the image lies in. Splits are made by writer; lines without a
known writer are split one by one.

Examples:
  prepare --out=tfrecords/demo
  prepare --out=tfrecords/large --lines=200000 --vocabulary=3755 --max_characters=16
  prepare --out=tfrecords/latin --script=latin
  prepare --source=folder --input=scans --labels=label.txt --out=tfrecords/mine --on_error=skip
"""

from absl import flags

_SOURCE = flags.DEFINE_enum('source', 'scribe', ['scribe', 'folder'],
    'Where lines come from: the embedded corpus, or a folder of images.')
_OUT = flags.DEFINE_string('out', None, 'Folder to write. Example: --out=tfrecords/demo.')
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of writers, texts and splits. Example: --seed=1.', lower_bound=0)
_HEIGHT_PX = flags.DEFINE_integer('height_px', 64,
    'Height of the stored images, pixels; lower images of a folder keep theirs.', lower_bound=8, upper_bound=1024)
_MIN_CHARACTERS = flags.DEFINE_integer('min_characters', None,
    'Characters of the shortest line. Default: 2 (scribe), 1 (folder).', lower_bound=1)
_MAX_CHARACTERS = flags.DEFINE_integer('max_characters', None,
    'Characters of the longest line. Default: 8 (scribe), no limit (folder). Longer rows of a folder are left out'
    ' and counted.', lower_bound=1)
_LINES = flags.DEFINE_integer('lines', 48000, 'Training lines of the embedded corpus. Example: --lines=200000.', lower_bound=1)
_HELD_OUT_LINES = flags.DEFINE_integer('heldout_lines', 500,
    'Lines of each of its other splits, validation, test and unseen.', lower_bound=1)
_VOCABULARY = flags.DEFINE_integer('vocabulary', 3500,
    'Hanzi of the embedded corpus that have images; those that show every component come first. Punctuation, '
    'digits and letters come on top. Example: --vocabulary=3755.', lower_bound=1)
_SCRIPT = flags.DEFINE_enum('script', 'chinese', ['chinese', 'latin'], 'Script of the embedded corpus.')
_WORKERS = flags.DEFINE_integer('workers', None,
    'Processes that draw the embedded corpus. Default: one a CPU. The result does not depend on it.', lower_bound=1)
_INPUT = flags.DEFINE_string('input', None, 'Folder of line images, for --source=folder. Example: --input=scans.')
_LABELS = flags.DEFINE_string('labels', 'labels.tsv',
    'Its table of labels, in --input, or an absolute path. Example: --labels=label.txt.')
_ON_ERROR = flags.DEFINE_enum('on_error', 'fail', ['fail', 'skip'],
    'A row that cannot be used (unknown character, no such image): stop, or report, count and go on.')
_VALIDATION_SHARE = flags.DEFINE_float('validation_share', .05,
    'Share of the lines of a folder that validate.', lower_bound=0., upper_bound=.5)
_TEST_SHARE = flags.DEFINE_float('test_share', .05, 'Share of the lines of a folder that test.', lower_bound=0., upper_bound=.5)


def main(arguments):
    """Checks the flags and writes the folder."""
    del arguments
    from hwgen.cli.app import UserError
    if not _OUT.value:
        raise UserError('--out: no folder given; expected for example --out=tfrecords/demo')
    lengths = {flag.name: flag.value for flag in (_MIN_CHARACTERS, _MAX_CHARACTERS) if flag.value is not None}
    common = dict(lengths, seed=_SEED.value, height_px=_HEIGHT_PX.value, report=_say)
    if _SOURCE.value == 'folder':
        if not _INPUT.value:
            raise UserError('--input: no folder given; --source=folder expects one with line images, for example --input=scans')
        from hwgen.data import prepare
        prepare.prepare_folder(_OUT.value, images=_INPUT.value, labels=_LABELS.value, on_error=_ON_ERROR.value,
                               validation_share=_VALIDATION_SHARE.value, test_share=_TEST_SHARE.value, **common)
        return
    if _INPUT.value:
        raise UserError('--input goes with --source=folder, not with --source=scribe')
    from hwgen.data import prepare
    prepare.prepare_scribe(_OUT.value, lines=_LINES.value, vocabulary_size=_VOCABULARY.value, script=_SCRIPT.value,
                           validation_lines=_HELD_OUT_LINES.value, test_lines=_HELD_OUT_LINES.value,
                           unseen_lines=_HELD_OUT_LINES.value, workers=_WORKERS.value, **common)


def _say(message):
    print(message, flush=True)
