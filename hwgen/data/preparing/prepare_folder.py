"""Folders of records from a folder of images; complete or not there at all."""

import contextlib
import functools
import math
import pathlib

from hwgen.charset.encoding import Charset
from hwgen.charset.normal_form import plain
from hwgen.charset.printable import as_json, printable, shown
from hwgen.data.formats.folder import list_images, read_folder
from hwgen.data.formats.image_files import read_image
from hwgen.data.formats.near_names import near_name
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import collection_report, record_folder, work_folder
from hwgen.data.preparing.conversion import Tally
from hwgen.data.preparing.identity import charset_info, normalization, typed_command
from hwgen.data.preparing.input_state import InputState
from hwgen.data.preparing.line_image import scaled_down
from hwgen.data.preparing.line_normalization import IMAGES_OF_A_HAND, estimate_slant, shear, sized
from hwgen.data.preparing.picture_intake import Intake, intake_settings
from hwgen.data.preparing.split_writer import LINES_PER_PIECE, LINES_PER_SHARD, Piece, resumed, write_split
from hwgen.data.preparing.writer_splits import draw_writers
from hwgen.data.reading import records as records_lib
from hwgen.settings.prepare import InputSettings, OutputSettings

_INPUT, _OUTPUT = InputSettings(), OutputSettings()  # whose defaults are ours

_SHOWN = 20


def prepare_folder(
    out_dir,
    *,
    images,
    labels=_INPUT.labels,
    name_pattern=None,
    height_px=_OUTPUT.height_px,
    min_characters=1,
    max_characters=None,
    seed=0,
    validation_share=_INPUT.validation_share,
    test_share=_INPUT.test_share,
    on_error=_OUTPUT.on_error,
    deslant=False,
    normalize_size=None,
    keep_paper=False,
    dark=_INPUT.dark,
    report=print,
):
    """Writes the records of a folder of line images with a table of labels, or of images alone
    (`formats/folder.py`); beside them report.json,
    rejected.tsv and sheet.png.

    Splits are made by writer; of lines whose writer is unknown each counts as a writer of its own. Rows of
    the same picture, or of one with the same bytes, stay together, and so do their writers.

    Args:
        out_dir: path to write.
        images, labels: paths of the folder and the table, or folder of texts; None as `labels`: every image
            of the folder, without text.
        name_pattern: str, what the names of the images tell, see `read_folder`; None: nothing.
        height_px: int, higher images are scaled down to it, keeping their aspect.
        min_characters, max_characters: int, other lines are left out, named and counted; no matter without
            text.
        seed: int >= 0, of the splits.
        validation_share, test_share: float, shares of the lines, see `draw_writers`.
        on_error: 'fail' stops at the first row that cannot be used; 'skip' reports and counts them.
        deslant: bool, shear slanted writing upright: by the slant of each writer, of each line where the
            writer is unknown.
        normalize_size: float, the share of a line's height that the core of its writing takes, see
            `line_normalization.sized`; None: as it was written.
        keep_paper: bool, grey paper stays grey; else it becomes white, see `paper.flattened`.
        dark: 'refuse' | 'invert' | 'keep', what becomes of pictures of light ink on black.
        report: function of a str, told about progress and skipped rows.

    Returns:
        dict, info.json; `skipped` {reason: rows}.

    Raises:
        ValueError: on_error='fail' and a row that cannot be used (names table, row, image, place in the
            text); or no usable row.
        FileExistsError: `out_dir` exists and was written with other settings or from other input, or another
            call was interrupted.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    settings = {
        'images': str(images),
        'labels': None if labels is None else str(labels),
        'height_px': height_px,
        'min_characters': min_characters,
        'max_characters': max_characters,
        'validation_share': validation_share,
        'test_share': test_share,
        'on_error': on_error,
    }
    settings |= normalization(deslant=deslant, normalize_size=normalize_size)
    settings |= intake_settings(whiten=not keep_paper, dark=dark)
    if name_pattern is not None:
        settings['name_pattern'] = name_pattern
    identity = as_json({'source': 'folder', 'version': 1, 'seed': seed, 'settings': settings})
    charset, has_text = Charset.load(), labels is not None

    @functools.cache
    def found():
        return _read_rows(images, labels, name_pattern, report)

    @functools.cache
    def state():
        return _input_state(
            images, labels, name_pattern, [row for row in found() if not isinstance(row, FormatError)]
        )

    with work_folder.exclusive(out_dir, report=report) as work:
        done = record_folder.already_there(out_dir, identity, state=state, report=report)
        if done:
            return done
        table = pathlib.Path(images) / (labels or '')
        rows, tally = [], Tally(skip=on_error == 'skip')
        place = table if table.exists() else images

        def refuse(error, into=tally):
            into.refuse(error)
            report(f'skipped: {error}')

        def unusable(row, reason, error):
            place_of_row = (
                f'{printable(place)}, row {row.row} ({printable(row.path.name)}): ' if has_text else ''
            )
            return FormatError(f'{place_of_row}{error}', reason=reason)

        lengths = []
        for row in found():
            if isinstance(row, FormatError):
                refuse(row)
                continue
            try:
                encoded = charset.encode(row.text)
            except ValueError as error:
                tally.count_outside(row.text)
                refuse(unusable(row, 'text', f'{error}; the text: {shown(row.text)}'))
                continue
            n = len(encoded.character_ids)
            if has_text and not n:
                refuse(
                    unusable(
                        row,
                        'text',
                        'no text, expected at least one character; --unlabelled takes pictures without',
                    )
                )
            elif has_text and (n < min_characters or max_characters and n > max_characters):
                tally.skipped['length'] += 1
                most = f'to {max_characters}' if max_characters else 'or more'
                lengths.append(
                    'left out:'
                    f' {unusable(row, "length", f"{n} characters, expected {min_characters} {most}")}'
                )
            else:
                rows.append((row, encoded))
        for line in lengths[:_SHOWN]:
            report(line)
        if len(lengths) > _SHOWN:
            report(f'left out: {len(lengths) - _SHOWN} more rows of another length')
        if not rows:
            raise ValueError(
                f'{place}: no usable row, skipped {dict(tally.skipped) or "none"}; expected rows "path TAB'
                ' text"'
            )

        def pieces(members, done, within):
            del within
            for start in range(done, len(members), LINES_PER_PIECE):
                # counted when the piece is written: whoever goes on has read the count
                records, found = [], Tally(skip=tally.skip)
                for row, encoded in members[start : start + LINES_PER_PIECE]:
                    try:
                        image, remarks = intake.take(read_image(row.path))
                    except (OSError, FormatError) as error:
                        near = near_name(images, row.path) if isinstance(error, FileNotFoundError) else None
                        words = f'{error}; did you mean {printable(near)}?' if near else error
                        if isinstance(error, FormatError) and not has_text:
                            words = f'{printable(row.path)}: {error}'
                        refuse(unusable(row, getattr(error, 'reason', 'image'), words), found)
                        continue
                    found.remarks.update(remarks)
                    found.classes.update(map(plain, encoded.units))
                    image, _ = shear(image, degrees=slants(row, image))
                    if normalize_size:
                        image, _ = sized(
                            image, share=normalize_size, num_characters=len(encoded.character_ids) or None
                        )
                    records.append(
                        records_lib.LineRecord(
                            image=scaled_down(image, height_px=height_px),
                            text=row.text,
                            character_ids=encoded.character_ids,
                            component_ids=encoded.component_ids,
                            structure_ids=encoded.structure_ids,
                            writer=_writer(row),
                            source='folder',
                        )
                    )
                yield Piece(records, min(start + LINES_PER_PIECE, len(members)), found=found.as_json())

        intake = Intake(whiten=not keep_paper, dark=dark)
        slants = _Slants([row for row, _ in rows], intake) if deslant else lambda row, image: 0
        splits = dict(
            _by_writer(
                rows,
                seed=seed,
                shares={'validation': validation_share, 'test': test_share},
                state=state(),
                report=lambda line: report(f'{out_dir}: {line}'),
            )
        )
        kept = state().as_json()
        work.begin(identity, fingerprint=state().fingerprint, report=report)
        resumed(
            work,
            {split: len(members) for split, members in splits.items()},
            unit='row',
            name=out_dir,
            report=report,
        )
        written = {}
        for split, members in splits.items():
            counts = write_split(
                work,
                functools.partial(pieces, members),
                split=split,
                steps=len(members),
                unit='row',
                num_shards=math.ceil(len(members) / LINES_PER_SHARD),
                name=out_dir,
                report=report,
                tell=tally.merge,
            )
            if counts:
                written[split] = counts
        if 'train' not in written:
            raise ValueError(f'{place}: no usable row to train on, skipped {dict(tally.skipped)}')
        present = {int(i) for _, encoded in rows for i in encoded.character_ids if i}
        info = {
            **identity,
            'splits': written,
            'charset': charset_info(),
            'image_height_px': height_px,
            'vocabulary': sorted(present),
            'held_out': [],
            'skipped': dict(tally.skipped),
            'input': kept,
            'command': typed_command(),
        }
        return collection_report.publish(
            work,
            out_dir,
            info,
            tally,
            files=[row.path.suffix.lower()[1:] for row, _ in rows],
            whitened=not keep_paper,
            writers_named=len({row.writer for row, _ in rows if row.writer}),
            report=report,
        )


def _read_rows(images, labels, name_pattern, report):
    """The rows of the folder in their order; in the place of one that is no use, its FormatError."""
    found = []
    rows = (
        list_images(images, refuse=found.append, report=report)
        if labels is None
        else read_folder(images, labels=labels, name_pattern=name_pattern, refuse=found.append, report=report)
    )
    for row in rows:
        found.append(row)
    return found


def _input_state(images, labels, name_pattern, rows):
    """What is read: the pictures of the rows, and their table or texts."""
    place, tables = pathlib.Path(images) / (labels or ''), {}
    if labels is not None and '(?P<text>' not in (name_pattern or ''):
        tables = {'a text file': sorted(place.rglob('*.txt'))} if place.is_dir() else {str(labels): [place]}
    return InputState(images, files=[row.path for row in rows], tables=tables)


class _Slants:
    """The slant of each row's hand."""

    def __init__(self, rows, intake):
        self._of_writer, self._found, self._intake = {}, {}, intake
        for row in rows:
            self._of_writer.setdefault(row.writer, []).append(row)

    def __call__(self, row, image):
        if not row.writer:
            return estimate_slant([image])
        if row.writer not in self._found:
            self._found[row.writer] = estimate_slant(
                self._readable(self._of_writer[row.writer][:IMAGES_OF_A_HAND])
            )
        return self._found[row.writer]

    def _readable(self, rows):
        for row in rows:
            with contextlib.suppress(OSError, FormatError):  # told when its record is made
                yield self._intake.take(read_image(row.path))[0]


def _by_writer(rows, *, seed, shares, state, report):
    """Splits rows such that no writer and no picture is in two."""
    hands, first, again = {}, {}, []  # writer -> the first of those whose pictures are the same
    for row, _ in rows:
        writer, picture = _writer(row), state.content(row.path) or str(row.path)
        hands.setdefault(writer, writer)
        if picture in first:
            again.append((row, first[picture]))
            one, other = (_first_of(hands, name) for name in (_writer(first[picture]), writer))
            hands[other] = one
        else:
            first[picture] = row
    if again:
        row, earlier = again[0]
        report(
            f'{len(again)} rows have the picture of another row (row {row.row} that of row {earlier.row},'
            f' {printable(earlier.path.name)}): they stay in one split'
        )
        differing = [(row, earlier) for row, earlier in again if row.text != earlier.text]
        if differing:
            row, earlier = differing[0]
            report(
                f'{len(differing)} of them have another text: row {row.row} {shown(row.text)}, row'
                f' {earlier.row} {shown(earlier.text)}; one of the two is wrong'
            )
    members = {}
    for row in rows:
        members.setdefault(_first_of(hands, _writer(row[0])), []).append(row)
    drawn = draw_writers(
        {hand: len(found) for hand, found in members.items()}, seed=seed, shares=shares, report=report
    )
    splits = {'train': [], **{split: [] for split in shares}}
    for hand in [*drawn, *(members.keys() - drawn.keys())]:
        splits[drawn.get(hand, 'train')] += members[hand]
    splits['train'].sort(key=lambda row: row[0].row)
    return [(split, found) for split, found in splits.items() if found]


def _writer(row):
    return row.writer or f'unknown {row.row}'


def _first_of(hands, writer):
    while hands[writer] != writer:
        writer = hands[writer]
    return writer
