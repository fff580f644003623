"""Writes text by hand: pictures of lines, pages, or training data.

One line:            bin/generate --text "明天去钓鱼" --out line.png
A glyph in no font:  bin/generate --text "明天⿱山鱼" --out line.png    (a sequence of components stands for one
character)
One text, 5 hands:   bin/generate --text "明天" --num_styles 5 --out hands.png    (or --out FOLDER for a picture
each)
From hand to hand:   bin/generate --text "明天" --interpolate 3 8 --steps 10 --out between.png
A page:              bin/generate --text_file letter.txt --page_width 20 --out page.png    (or page.pdf, with
--page_lines 25 of several pages)
Training data:       bin/generate --text_file lines.txt --styles_per_line random --out data/

The folder of the last one holds 000001.png, 000002.png, ..., labels.tsv (path TAB text, as trainers of
recognisers read it) and styles.tsv (path TAB seed, to write a line again); with --format tfrecord it holds
shards that bin/train reads.

A seed names a hand: the same seed, text and model give the same picture. Output appears whole or not at all,
and replaces nothing unless --overwrite is given; two commands never write one place at a time.
"""

import itertools
import shlex
import sys
import time

from absl import flags

import hwgen
from hwgen import files
from hwgen.charset.printable import printable
from hwgen.cli.app import UserError, check_writing
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model

POSITIONAL = '[B]'
CHUNK_LINES = 64  # lines handed to the writer at once; bounds memory, changes no picture
SHARD_RECORDS = 4096
REPORT_SEC = 5.0
_TOO_LONG = '--page_width breaks a text into lines'

flags.FLAGS.set_gnu_getopt(True)  # so that flags may follow the B of `--interpolate A B`
TEXT = flags.DEFINE_string('text', None, 'Text to write. With --page_width a line break begins a paragraph.')
TEXT_FILE = flags.DEFINE_string(
    'text_file',
    None,
    'UTF-8 file: each row is a line of handwriting, with --page_width a paragraph. - is standard input.',
)
OUT = flags.DEFINE_string(
    'out',
    None,
    'Where to: a picture (.png, .jpg, .webp, .tif, .bmp, .pdf), or a folder (for --text_file, '
    'tfrecord, one picture a style, several pages, which .pdf and .tif hold, too). NAME/ is a folder.',
)
MODEL = flags.DEFINE_string(
    'model',
    DEFAULT_MODEL,
    'Folder of a trained generator, or a run directory of bin/train. Example: runs/demo.',
)
STYLE_SEED = flags.DEFINE_integer(
    'style_seed', 0, 'Hand to write in, 0 to 2^64 - 1. Example: 42.', lower_bound=0
)
NUM_STYLES = flags.DEFINE_integer(
    'num_styles', 1, 'Write everything in so many hands: seeds style_seed, style_seed + 1, ...', lower_bound=1
)
INTERPOLATE = flags.DEFINE_list(
    'interpolate', None, 'Two seeds A B (or A,B): write --text in --steps hands from A to B.'
)
STEPS = flags.DEFINE_integer('steps', 8, 'Hands of --interpolate, A and B included.', lower_bound=2)
STYLES_PER_LINE = flags.DEFINE_enum(
    'styles_per_line',
    'same',
    ['same', 'random'],
    'Hands of --text_file: same: all rows in one; random: a new seed for every row, counted on from'
    ' style_seed.',
)
TRUNCATION = flags.DEFINE_float(
    'truncation',
    DEFAULT_TRUNCATION,
    'Standard deviation of styles and character noise: 1 is the spread of the hands the model learned from, '
    'less is tidier and more alike, 0 the average hand. Example: 0.5.',
    lower_bound=0.0,
)
FORMAT = flags.DEFINE_enum('format', 'png', ['png', 'tfrecord'], 'Pictures, or shards for bin/train.')
HEIGHT_PX = flags.DEFINE_integer(
    'height_px',
    None,
    'Scale lines to this height in pixels; default: as the model writes.',
    lower_bound=4,
    upper_bound=4096,
)
PAGE_WIDTH = flags.DEFINE_string(
    'page_width', None, 'Write pages: characters of a full line (20) or pixels between the margins (800px).'
)
PAGE_LINES = flags.DEFINE_integer(
    'page_lines', 0, 'Lines of a full page; 0: one page as long as the text.', lower_bound=0
)
LINE_SPACING = flags.DEFINE_float(
    'line_spacing', 1.4, 'Distance of the lines of a page, in line heights.', lower_bound=1.0
)
MARGIN = flags.DEFINE_float('margin', 1.0, 'Margin of a page, in line heights.', lower_bound=0.0)
INDENT = flags.DEFINE_integer('indent', 2, 'Blank characters before a paragraph of a page.', lower_bound=0)
SKIP_UNWRITABLE = flags.DEFINE_bool(
    'skip_unwritable',
    False,
    'Leave out rows of --text_file that hold unknown characters, instead of stopping.',
)
ALLOW_UNSEEN = flags.DEFINE_bool(
    'allow_unseen',
    False,
    'Write also characters that no training picture of the model showed, nor the parts they are made of: '
    'probably scribbles. Without it they are refused.',
)
OVERWRITE = flags.DEFINE_bool(
    'overwrite',
    False,
    'Replace the output if it exists (a folder only if all in it is output of this command).',
)


def main(arguments):
    """Checks flags, place and texts, which needs no TensorFlow; then loads the model, writes, and reports."""
    hands = _check_flags(arguments)
    from hwgen.inference import picture_files, picture_formats, text_files
    from hwgen.inference.repertoire import Repertoire

    folder = not picture_formats.names_picture(OUT.value)
    for flag, given in (
        ('--format tfrecord', FORMAT.value == 'tfrecord'),
        (
            '--text_file without --page_width',
            TEXT_FILE.value is not None and not PAGE_WIDTH.value,
        ),
    ):
        if given and not folder:
            raise UserError(
                f'--out={OUT.value}: {flag} writes a folder, expected the name of one ({OUT.value}/ is one,'
                ' too)'
            )
    picture_files.check_place(OUT.value, overwrite=OVERWRITE.value, folder=folder)
    file = None if TEXT_FILE.value is None else text_files.TextFile(TEXT_FILE.value)
    model = find_model(MODEL.value)
    repertoire = Repertoire.load(model, allow_unseen=ALLOW_UNSEEN.value)
    if PAGE_WIDTH.value:
        write = _plan_pages(repertoire, file, folder)
    elif (folder or FORMAT.value == 'tfrecord') and hands is None:
        write = _plan_lines(repertoire, file)
    else:
        write = _plan_sheet(repertoire, folder, hands)
    with picture_files.reserved(OUT.value, overwrite=OVERWRITE.value, folder=folder):
        print(f'loading {printable(model)} ...', flush=True)
        began = time.monotonic()
        from hwgen.inference.writer import Writer

        # the repertoire has told what there is to tell
        writer = Writer.load(model, allow_unseen=ALLOW_UNSEEN.value, tell=None)
        print(
            '; '.join(
                filter(
                    None,
                    [
                        f'model {printable(model)}, loaded in {time.monotonic() - began:.1f} s',
                        repertoire.note,
                    ],
                )
            ),
            flush=True,
        )
        progress = _Progress()
        what = write(writer, progress)
    print(f'{printable(OUT.value)}: {what}; {progress.summary()}')


def _check_flags(arguments):
    """Refuses flags that do not go together; returns the two seeds of --interpolate, or None."""
    check_writing(
        TEXT.value, TEXT_FILE.value, out=OUT.value, style_seed=STYLE_SEED.value, num_styles=NUM_STYLES.value
    )
    hands = [*(INTERPOLATE.value or ()), *arguments]
    if INTERPOLATE.value is None:
        if arguments:
            raise UserError(f'argument {arguments[0]!r} is not a flag: flags begin with --')
        hands = None
    elif len(hands) != 2 or not all(hand.strip().isdecimal() and int(hand) < 2**64 for hand in hands):
        raise UserError(
            f'--interpolate {" ".join(hands)}: expected two style seeds, such as --interpolate 3 8'
        )
    refused = (
        [
            ('--text_file', TEXT_FILE.value),
            ('--num_styles', NUM_STYLES.value > 1),
            ('--page_width', PAGE_WIDTH.value),
            ('--format tfrecord', FORMAT.value == 'tfrecord'),
        ]
        if hands
        else []
    )
    if PAGE_WIDTH.value:
        refused += [
            ('--format tfrecord', FORMAT.value == 'tfrecord'),
            ('--styles_per_line random', STYLES_PER_LINE.value == 'random'),
        ]
    elif TEXT.value is not None and '\n' in TEXT.value.strip():
        raise UserError(
            '--text holds a line break: give --page_width to write paragraphs, or --text_file for one picture'
            ' a row'
        )
    for name, given in refused:
        if given:
            raise UserError(f'{name} does not go with {"--interpolate" if hands else "--page_width"}')
    return [int(hand) for hand in hands] if hands else None


def _plan_lines(repertoire, file):
    """Rows of a text file (or one text), each in its hands -> what writes a folder of pictures or of
    shards.
    """
    from hwgen.inference import picture_files, picture_formats, text_files

    if file is None:
        text = TEXT.value.strip()
        lengths, skipped, rows, name = (
            {1: len(repertoire.encode(text).units)},
            [],
            [text_files.TextRow(1, text)],
            '--text',
        )
    else:
        lengths, skipped = text_files.check_rows(
            file, repertoire.encode, skip_unwritable=SKIP_UNWRITABLE.value
        )
        rows, name = (row for row in file.rows() if row.number in lengths), file.name
    _tell_left_out(skipped)
    longest = max(lengths, key=lengths.get)
    picture_formats.check_size(
        *repertoire.picture_size(lengths[longest], HEIGHT_PX.value),
        place=f'{name}:{longest}',
        advice=_TOO_LONG,
    )
    count = len(lengths) * NUM_STYLES.value
    if STYLES_PER_LINE.value == 'random' and STYLE_SEED.value + count > 2**64:
        raise UserError(
            f'--style_seed={STYLE_SEED.value}: {count:,} lines have seeds of their own, expected 0 to 2^64 -'
            f' {count:,}'
        )

    def write(writer, progress):
        progress.begin(count, sum(lengths.values()) * NUM_STYLES.value)
        written = _written(writer, rows, progress, count=count, name=name)
        if FORMAT.value == 'tfrecord':
            return _write_tfrecord(writer, written, count) + _left_out(skipped)
        with picture_files.LineFolder(OUT.value, replace=OVERWRITE.value) as out:
            for image, text, seed in written:
                out.add(picture_files.scale(image, HEIGHT_PX.value), text, style=seed)
        return f'{_count(out.count, "picture")}, {picture_files.LABELS}' + _left_out(skipped)

    return write


def _tell_left_out(skipped):
    for complaint in skipped[:3]:
        print(f'left out: {complaint}', file=sys.stderr)


def _left_out(skipped):
    return f', {_count(len(skipped), "row")} left out' if skipped else ''


def _written(writer, rows, progress, *, count, name):
    """Yields (image, text, seed) of each row in each of its hands; `count` of them."""
    styles = NUM_STYLES.value
    tasks = (
        (row.text, STYLE_SEED.value + style + (styles * index if STYLES_PER_LINE.value == 'random' else 0))
        for index, row in enumerate(rows)
        for style in range(styles)
    )
    while chunk := list(itertools.islice(tasks, CHUNK_LINES)):
        texts, seeds = zip(*chunk)
        images = writer.write(texts, style_seeds=seeds, truncation=TRUNCATION.value)
        progress.add(images, writer.char_width_px)
        yield from zip(images, texts, seeds)
    if progress.lines != count:
        raise UserError(
            f'{name}: {progress.lines:,} lines found where {count:,} had been checked: it has changed'
            ' meanwhile, expected it to stay as it is'
        )


def _write_tfrecord(writer, written, count):
    """Written lines -> shards of `hwgen.data`, one split `train`."""
    from hwgen.data.preparing import shard_writer
    from hwgen.data.reading import shards
    from hwgen.data.reading.records import LineRecord
    from hwgen.inference import picture_files

    vocabulary = set()

    def records():
        for image, text, seed in written:
            encoded, scaled = writer.encode(text), picture_files.scale(image, HEIGHT_PX.value)
            boxes = writer.boxes(len(encoded.units)) * (
                [scaled.shape[1] / image.shape[1], scaled.shape[0] / image.shape[0]] * 2
            )
            vocabulary.update(encoded.character_ids.tolist())
            yield LineRecord(
                scaled,
                text,
                encoded.character_ids,
                encoded.component_ids,
                encoded.structure_ids,
                f'style-{seed}',
                'generated',
                boxes.round().astype('int32'),
            )

    with files.new_folder(OUT.value, replace=OVERWRITE.value) as folder:
        counts = shard_writer.write_shards(
            records(), folder, split='train', num_shards=-(-count // SHARD_RECORDS)
        )
        shards.write_info(
            folder,
            dict(
                splits=dict(train=counts._asdict()),
                charset=dict(row_count=writer.charset.row_count, hash=writer.charset.hash),
                version=hwgen.__version__,
                seed=STYLE_SEED.value,
                command='generate ' + shlex.join(sys.argv[2:]),
                source='generated',
                image_height_px=HEIGHT_PX.value or writer.char_px,
                vocabulary=sorted(vocabulary - {0}),
                held_out=[],
            ),
        )
    return f'{_count(counts.records, "record")} in {_count(counts.shards, "shard")}'


def _plan_sheet(repertoire, folder, hands):
    """One text in one or several hands -> what writes one picture, the lines below each other, or a
    folder.
    """
    from hwgen.inference import picture_files, picture_formats

    text, count = TEXT.value.strip(), STEPS.value if hands else NUM_STYLES.value
    length = len(repertoire.encode(text).units)
    size = repertoire.picture_size(length, HEIGHT_PX.value)
    picture_formats.check_size(*size, place='--text', advice=_TOO_LONG)
    if not folder:
        picture_formats.check_size(
            *picture_files.stacked_size([size] * count),
            place=f'--text in {_count(count, "hand")}',
            path=OUT.value,
            advice=_TOO_LONG if count == 1 else 'a folder as --out has a picture for each hand',
        )

    def write(writer, progress):
        if hands:
            styles_of = writer.styles_between(*hands, steps=count, truncation=TRUNCATION.value)
            seeds = [hands[0]] * count  # one noise for all steps: only the hand changes
            names = [f'{hands[0]}..{hands[1]} {step / (count - 1):.3f}' for step in range(count)]
        else:
            seeds = names = [STYLE_SEED.value + style for style in range(count)]
            styles_of = writer.styles(seeds, truncation=TRUNCATION.value)
        progress.begin(count, length * count)

        def written():
            for seed, style in zip(seeds, styles_of):
                images = writer.write([text], style_seeds=seed, styles=style, truncation=TRUNCATION.value)
                progress.add(images, writer.char_width_px)
                yield picture_files.scale(images[0], HEIGHT_PX.value)

        if folder:
            with picture_files.LineFolder(OUT.value, replace=OVERWRITE.value) as out:
                for image, name in zip(written(), names):
                    out.add(image, text, style=name)
            return f'{_count(out.count, "picture")}, {picture_files.LABELS}'
        return _write_pictures([picture_files.stack(list(written()))])

    return write


def _plan_pages(repertoire, file, folder):
    """Paragraphs -> what writes one page, or a folder or file of pages."""
    from hwgen.inference import pages, picture_files, picture_formats, text_files

    skipped = []
    if file is None:
        paragraphs = [row.strip() for row in TEXT.value.strip().split('\n')]
    else:
        lengths, skipped = text_files.check_rows(
            file, repertoire.encode, skip_unwritable=SKIP_UNWRITABLE.value
        )
        _tell_left_out(skipped)
        paragraphs = [row.text for row in file.rows() if not row.text or row.number in lengths]
    place, cells = (
        '--text' if file is None else file.name,
        dict(char_px=repertoire.char_px, char_width_px=repertoire.char_width_px),
    )
    style = pages.PageStyle(
        pages.parse_width(PAGE_WIDTH.value, repertoire.picture_size(1, HEIGHT_PX.value)[0]),
        line_spacing=LINE_SPACING.value,
        margin=MARGIN.value,
        indent=INDENT.value,
        lines=PAGE_LINES.value,
    )
    if not any(paragraphs):
        raise UserError(f'{place} is empty: expected at least one character')
    units = [repertoire.encode(paragraph).units if paragraph else () for paragraph in paragraphs]
    layout = pages.lay_out(units, style)
    seeds = [STYLE_SEED.value + number for number in range(NUM_STYLES.value)]
    if not folder and len(layout) * len(seeds) > 1 and not picture_formats.format_of(OUT.value).several:
        raise UserError(
            f'{len(layout)} pages in {len(seeds)} hands: expected a folder, or a .pdf or .tif, as --out, not'
            f' {OUT.value}'
        )
    width, height = pages.page_size(max(map(len, layout)), style, **cells)
    factor = (HEIGHT_PX.value or repertoire.char_px) / repertoire.char_px
    for scale in {1.0, factor}:  # it is drawn as the model writes, and scaled then
        picture_formats.check_size(
            round(width * scale),
            round(height * scale),
            place=place,
            path='a.png' if folder else OUT.value,
            advice=(
                '--page_lines, with a folder as --out, makes several pages of it, and --page_width says how'
                ' wide they are'
            ),
        )

    def write(writer, progress):
        lines = [line for page in layout for line in page if line is not None]
        progress.begin(len(lines) * len(seeds), sum(map(len, units)) * len(seeds))

        def composed():
            for seed, page in itertools.product(seeds, layout):
                images, there = [], [line for line in page if line]
                for start in range(0, len(there), CHUNK_LINES):
                    chunk = there[start : start + CHUNK_LINES]
                    images += writer.write(
                        [line.text for line in chunk],
                        style_seeds=seed,
                        truncation=TRUNCATION.value,
                        noise_offsets=[line.offset for line in chunk],
                        quotes_before=[line.quotes for line in chunk],
                    )
                    progress.add(images[start:], writer.char_width_px)
                image = pages.compose(page, images, style, **cells)
                if HEIGHT_PX.value:
                    image = picture_files.scale(image, max(1, round(image.shape[0] * factor)))
                yield image, '\\n'.join(line.text for line in there), seed

        if not folder:
            return f'page of {_write_pictures([image for image, _, _ in composed()])}' + _left_out(skipped)
        with picture_files.LineFolder(OUT.value, replace=OVERWRITE.value) as out:
            for image, text, seed in composed():
                out.add(image, text, style=seed)
        return _count(out.count, 'page') + _left_out(skipped)

    return write


def _write_pictures(images):
    """Writes --out, a file of one picture or several, and says how large it is."""
    from hwgen.inference import picture_formats

    files.write_file(OUT.value, picture_formats.encode(images, OUT.value), replace=OVERWRITE.value)
    return f'{images[0].shape[1]:,} x {images[0].shape[0]:,} px' + (
        f', {len(images):,} of them' if len(images) > 1 else ''
    )


class _Progress:
    """Counts lines and characters; says every few seconds how far it is and at the end how fast it was."""

    def __init__(self):
        self.begin(0, 0)

    def begin(self, lines, characters):
        self.total, self.total_characters = lines, characters
        self.lines = self.characters = 0
        self.began = self.reported = time.monotonic()

    def add(self, images, char_width_px):
        """Counts lines that were written together: a rate is one of lines and the whole time that they
        took.
        """
        self.lines += len(images)
        self.characters += sum(image.shape[1] for image in images) // char_width_px
        now = time.monotonic()
        if now - self.reported >= REPORT_SEC:
            self.reported, rate = now, self.characters / max(now - self.began, 1e-3)
            print(
                f'line {self.lines:,}/{self.total:,}'
                f' ({100 * self.characters / max(self.total_characters, 1):.0f} %), {rate:,.0f} characters/s,'
                f' ETA {max(self.total_characters - self.characters, 0) / rate:,.0f} s',
                file=sys.stderr,
                flush=True,
            )

    def summary(self):
        seconds = max(time.monotonic() - self.began, 1e-3)
        return (
            f'{_count(self.lines, "line")}, {_count(self.characters, "character")} in {seconds:.2f} s '
            f'({self.lines / seconds:,.1f} lines/s, {self.characters / seconds:,.0f} characters/s)'
        )


def _count(number, noun):
    return f'{number:,} {noun}{"s" * (number != 1)}'
