"""Writes a data set: the embedded handwriting corpus, your own texts in its hands, or your own line images.

The result is a folder of TFRecord shards with info.json, which `train --data` reads. It appears when it is
complete; a command that is given again finds it there. Images are stored at --height_px and scaled to the
model's size while training.

--source=scribe has simulated writers write the embedded corpus: --lines for training, and 500 lines each of
validation and test (writers that are not in the training lines) and `unseen` (also characters that are not in
them). With --shots groups of these characters do stand in training lines, each a counted number of times.

With --text_file=FILE they write your texts instead: every line of FILE that is not blank, once and in its
order; with --lines more often, each time by another writer, or fewer of them, from all parts of the file. A
line that cannot be written is named with its place (--on_error=skip leaves it out and counts it). All lines
are for training, unless --heldout_lines is given: then so many more of other writers are for validation, and
for test.

--format=folder writes pictures instead of shards: 000001.png, ..., labels.tsv (a row `path TAB text TAB
writer`, which PaddleOCR takes as a label file and --source=folder reads), boxes.jsonl (where each character
stands), and info.json, which says what is in it. Several splits have a folder each.

--source=folder reads a folder of line images and a table with a row `path TAB text` each, as PaddleOCR has
them, or JSON Lines, or a folder with a text file for each image; the writer is the third column, or what
--name_pattern finds in the image's name, or else the sub-folder that the image lies in. Read as well:
["a.png", "b.png"] TAB text; `path SPACE text`; ICDAR's `a.png, "text"`; *.csv; a first row that names the
columns (path, file_name, filename, image ...; text, label, words ...; writer); JSON objects with such names,
a row each or (*.json) as a list or as MMOCR's data_list; \\ in paths for /. Labels of detection (PPOCRLabel's
Label.txt) are refused: give rec_gt.txt. A third column in some rows alone that looks like the rest of a text
with a TAB in it, not like a writer, is refused: a first row of names settles it. Splits are made by writer;
lines without a known writer are split one by one, rows of one picture stay together. A writer who alone has
more than twice the share of a split is not drawn for it: few hands are all for training, which is said.
report.json, rejected.tsv and sheet.png (look at it) lie beside the shards. With --unlabelled no table is
read, and every image of the folder and its sub-folders becomes a line without text, for `train --unlabelled`.

Collections are read as they are downloaded, in folders or .zip archives (the formats are listed below);
--source=auto reads whichever it is. The official partition is kept where files or folders are named by it;
report.json and rejected.tsv beside the shards say what is in them and what was left out, sheet.png shows some
of it.

Pictures are looked at first: blank, black and tiny ones cannot be used (--on_error), nor can light ink on
black (--dark). Grey paper of --source=folder and lmdb, of scans and photographs, becomes white, shadows too
(--keep_paper); CASIA's and IAM's is white already. How many there were is said at the end.

An interrupted run resumes when you repeat the command; when it is done, the same command compares the input
with what was read (info.json), and refuses where that has changed. --deslant and --normalize_size make
slant and size of the writing equal; without them lines stay as they are.

--inspect=FILE prints what a file or collection holds, and draws its first samples into --out, a .png.
"""

import contextlib
import re

from absl import flags

from hwgen.data.formats import registry
from hwgen.settings import flags as settings_flags
from hwgen.settings.prepare import SECTIONS, InputSettings, OutputSettings

# Arguments of the library that have another name as flags.
_FLAG_OF = {
    'vocabulary_size': 'vocabulary',
    'num_writers': 'writers',
    'version': 'corpus',
    'output_format': 'format',
    **dict.fromkeys(('validation_lines', 'test_lines', 'unseen_lines'), 'heldout_lines'),
}
settings_flags.define(*SECTIONS, module=__name__, more_choices={'source': registry.sources()})
_EXAMPLES = """Examples:
  prepare --out=tfrecords/demo
  prepare --out=tfrecords/large --lines=200000 --vocabulary=3755 --max_characters=16
  prepare --out=tfrecords/latin --script=latin
  prepare --out=tfrecords/shots --lines=4000 --shots=0,1,5,20
  prepare --text_file=addresses.txt --format=folder --height_px=48 --out=pictures
  prepare --text_file=addresses.txt --lines=100000 --heldout_lines=1000 --writers=2000 --on_error=skip \\
      --out=tfrecords/addresses
  prepare --source=folder --input=scans --labels=label.txt --out=tfrecords/mine --on_error=skip
  prepare --source=folder --input=more_scans --unlabelled --out=tfrecords/unlabelled
  prepare --source=casia --input=HWDB2 --out=tfrecords/casia-hwdb2 --on_error=skip
  prepare --inspect=HWDB2/HWDB2.0Test.zip --out=sheet.png
"""


def _told_formats():
    """What the formats say of themselves."""
    rows = []
    for name, one in registry.find_formats().items():
        files = ', '.join(one.suffixes) + (' and pictures' if one.pictures else '')
        rows.append(f'  --source={one.asked_by}: {name} ({files}), {one.summary}')
    return '\n'.join(['Formats of collections:', *rows, 'How one is added: docs/extending.md.'])


__doc__ += f'\n{_told_formats()}\n\n{_EXAMPLES}'


def main(arguments):
    """Checks the flags and writes the folder."""
    del arguments
    from hwgen.cli.app import UserError

    if flags.FLAGS.inspect:
        return _inspect()
    if not flags.FLAGS.out:
        raise UserError('--out: no folder given; expected for example --out=tfrecords/demo')
    from hwgen.inference import picture_formats

    picture_formats.check_folder(flags.FLAGS.out, flag='--out')
    if flags.FLAGS.unlabelled:
        _check_unlabelled()
    if flags.FLAGS.source != 'scribe':
        _check_foreign()
    if flags.FLAGS.source == 'scribe':
        if flags.FLAGS.input:
            others = ', '.join(['folder', *registry.sources()])
            raise UserError(f'--input goes with --source={others} or auto, not with --source=scribe')
        if (
            any(flags.FLAGS[name].value for name in ('deslant', 'normalize_size', 'keep_paper'))
            or flags.FLAGS['dark'].present
        ):
            raise UserError(
                '--deslant, --normalize_size, --keep_paper and --dark are for writing of others, not for'
                ' --source=scribe'
            )
        _check_text_file()
        if flags.FLAGS.vertical and flags.FLAGS.format == 'records':
            raise UserError('--vertical goes with --format=folder: models learn from horizontal lines')
        with _in_words_of_flags():
            _write_scribe()
    elif not flags.FLAGS.input:
        raise UserError(
            f'--input: no folder given; --source={flags.FLAGS.source} expects one with '
            + (
                'line images, for example --input=scans'
                if flags.FLAGS.source == 'folder'
                else 'the collection, for example --input=HWDB2'
            )
        )
    elif flags.FLAGS.source == 'folder':
        from hwgen.data.preparing import prepare_folder

        prepare_folder.prepare_folder(
            settings_flags.read(OutputSettings), settings_flags.read(InputSettings), report=_say
        )
    else:
        from hwgen.data.preparing import prepare_collection

        prepare_collection.prepare_collection(
            settings_flags.read(OutputSettings), settings_flags.read(InputSettings), report=_say
        )


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


def _write_scribe():
    from hwgen.data.preparing import prepare

    lengths = {
        name: flags.FLAGS[name].value
        for name in ('min_characters', 'max_characters')
        if flags.FLAGS[name].value is not None
    }
    prepare.prepare_scribe(
        flags.FLAGS.out,
        lines=flags.FLAGS.lines,
        vocabulary_size=flags.FLAGS.vocabulary,
        script=flags.FLAGS.script,
        validation_lines=flags.FLAGS.heldout_lines,
        test_lines=flags.FLAGS.heldout_lines,
        unseen_lines=None if flags.FLAGS.text_file else flags.FLAGS.heldout_lines,
        shots=_shots(),
        num_writers=flags.FLAGS.writers,
        text_file=flags.FLAGS.text_file,
        on_error=flags.FLAGS.on_error,
        output_format=flags.FLAGS.format,
        trajectory=flags.FLAGS.trajectory,
        version=flags.FLAGS.corpus,
        pen_share=flags.FLAGS.pen_share,
        vertical=flags.FLAGS.vertical,
        slips=flags.FLAGS.slips,
        workers=flags.FLAGS.workers,
        seed=flags.FLAGS.seed,
        height_px=flags.FLAGS.height_px,
        report=_say,
        **lengths,
    )


def _shots():
    from hwgen.cli.app import UserError

    if flags.FLAGS.shots and flags.FLAGS.script == 'latin':
        raise UserError('--shots with --script=latin: expected chinese, Latin has no held-out characters')
    if not all(count.strip().isdecimal() for count in flags.FLAGS.shots):
        raise UserError(
            f'--shots={",".join(flags.FLAGS.shots)}: expected whole numbers separated by commas, for example'
            ' --shots=0,1,5,20'
        )
    return tuple(map(int, flags.FLAGS.shots))


def _check_foreign():
    """Refuses what only simulated writers do."""
    from hwgen.cli.app import UserError

    for name in (
        'shots',
        'text_file',
        'writers',
        'format',
        'trajectory',
        'corpus',
        'pen_share',
        'slips',
        'vertical',
    ):
        flag = flags.FLAGS[name]
        if flag.present and flag.value != flag.default:
            raise UserError(f'--{name} goes with --source=scribe, not with --source={flags.FLAGS.source}')


def _check_text_file():
    """Refuses what says which texts are composed, where they are given; and a corpus of no text."""
    from hwgen.cli.app import UserError

    if flags.FLAGS.text_file is None:
        return
    for name in ('vocabulary', 'shots'):
        if flags.FLAGS[name].present:
            raise UserError(f'--{name} is for composed texts, it does not go with --text_file')


def _check_unlabelled():
    """Refuses what would be passed over without a text."""
    from hwgen.cli.app import UserError

    if flags.FLAGS.source != 'folder':
        raise UserError(
            f'--unlabelled goes with --source=folder, not with --source={flags.FLAGS.source}; `train'
            ' --unlabelled` takes prepared lines that have a text as well'
        )
    senseless = [
        name
        for name in ('labels', 'name_pattern', 'min_characters', 'max_characters')
        if flags.FLAGS[name].present
    ]
    if senseless:
        raise UserError(f'--{senseless[0]} goes with a table of texts, not with --unlabelled')


def _inspect():
    from hwgen.cli.app import UserError

    if flags.FLAGS.out and not flags.FLAGS.out.lower().endswith('.png'):
        raise UserError(
            f'--out={flags.FLAGS.out}: with --inspect expected a picture to write, for example'
            ' --out=sheet.png'
        )
    from hwgen.data.preparing import inspection

    source = 'auto' if flags.FLAGS.source == 'scribe' else flags.FLAGS.source
    labels = flags.FLAGS.labels if flags.FLAGS['labels'].present else None
    inspection.inspect(
        flags.FLAGS.inspect,
        source=source,
        unit=flags.FLAGS.unit,
        labels=labels,
        name_pattern=flags.FLAGS.name_pattern,
        pen_px=flags.FLAGS.pen_px,
        sheet=flags.FLAGS.out,
        report=_say,
    )


def _say(message):
    from hwgen.charset.printable import printable

    print(printable(message), flush=True)
