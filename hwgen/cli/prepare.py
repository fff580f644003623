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

An interrupted command resumes when you repeat it; when it is done, the same command compares the
input with what was read (info.json), and refuses where that has changed. --deslant and --normalize_size make
slant and size of the writing equal; without them lines stay as they are.

--inspect=FILE prints what a file or collection holds, and draws its first samples into --out, a .png.
"""

from absl import flags

from hwgen.data.formats import registry
from hwgen.settings import flags as settings_flags
from hwgen.settings.prepare import SECTIONS, PrepareSettings
from hwgen.settings.setting import SettingError

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


def _told_formats() -> str:
    """What the formats say of themselves."""
    rows = []
    for name, one in registry.find_formats().items():
        files = ', '.join(one.suffixes) + (' and pictures' if one.pictures else '')
        rows.append(f'  --source={one.asked_by}: {name} ({files}), {one.summary}')
    return '\n'.join(['Formats of collections:', *rows, 'How one is added: docs/extending.md.'])


__doc__ += f'\n{_told_formats()}\n\n{_EXAMPLES}'


def main(arguments: list[str]) -> None:
    """Hands the flags to the session."""
    del arguments
    shots: list[str] = flags.FLAGS['shots'].value or []
    if not all(count.strip().isdecimal() for count in shots):
        raise SettingError(
            f'--shots={",".join(shots)}: expected whole numbers separated by commas, for example'
            ' --shots=0,1,5,20'
        )
    settings = settings_flags.read_all(PrepareSettings)
    if settings.output.out and not settings.output.inspect:
        from hwgen.inference import picture_formats

        picture_formats.check_folder(settings.output.out, flag='--out')
    from hwgen.data.preparing import session

    session.prepare(settings, given=settings_flags.given(*SECTIONS))
