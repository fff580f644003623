"""Folders of records from a folder of images; complete or not there at all."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hwgen.charset.printable import as_json, printable, shown
from hwgen.data.formats.folder import LabelledImage, list_images, read_folder
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import collection_report, record_folder, work_folder
from hwgen.data.preparing.conversion import Tally
from hwgen.data.preparing.folder_lines import FolderLines, Line, table_of, writer_of
from hwgen.data.preparing.identity import charset_info, normalization, typed_command
from hwgen.data.preparing.input_state import InputState
from hwgen.data.preparing.picture_intake import intake_settings
from hwgen.data.preparing.split_writer import LINES_PER_SHARD, resumed, write_split
from hwgen.data.preparing.work_folder import WorkFolder
from hwgen.data.preparing.writer_splits import draw_writers
from hwgen.settings.prepare import InputSettings, OutputSettings


def prepare_folder(
    output: OutputSettings, given: InputSettings, *, report: Callable[[str], object] = print
) -> dict[str, Any]:
    """Writes the records of a folder of line images with a table of labels, or of images alone
    (`formats/folder.py`); beside them report.json, rejected.tsv and sheet.png.

    Splits are made by writer; of lines whose writer is unknown each counts as a writer of its own. Rows of
    the same picture, or of one with the same bytes, stay together, and so do their writers.

    Args:
        output: OutputSettings: `out`, the folder to write; `seed` of the splits; `height_px`, to which higher
            images are scaled down; `min_characters` (None: 1) and `max_characters`, other lines are left out,
            named and counted, no matter without text; `on_error`: 'fail' stops at the first row that cannot
            be used, 'skip' reports and counts them.
        given: InputSettings: `input`, the folder of images; `labels`, its table or folder of texts, unless
            `unlabelled`: then every image is a line without text; `name_pattern` (`read_folder`); the shares
            of the splits (`draw_writers`); `deslant`, by the slant of each writer, of each line where the
            writer is unknown; `normalize_size` (`line_normalization.sized`); `keep_paper`, else grey paper
            becomes white (`paper.flattened`); `dark`.
        report: function of a str, told about progress and skipped rows.

    Returns:
        dict, info.json; `skipped` {reason: rows}.

    Raises:
        ValueError: on_error='fail' and a row that cannot be used (names table, row, image, place in the
            text); or no usable row.
        FileExistsError: `out` exists and was written with other settings or from other input, or another
            call was interrupted.
    """
    if output.out is None or given.input is None:
        raise ValueError(f'out={output.out}, input={given.input}: expected a folder to write and one to read')
    out_dir, images = output.out, given.input
    identity = _identity(output, given)

    @functools.cache
    def found() -> list[LabelledImage | FormatError]:
        return _read_rows(images, given, report)

    @functools.cache
    def state() -> InputState:
        return _input_state(images, given, [row for row in found() if isinstance(row, LabelledImage)])

    with work_folder.exclusive(out_dir, report=report) as work:
        done = record_folder.already_there(out_dir, identity, state=state, report=report)
        if done:
            return done
        table, tally = table_of(images, given), Tally(skip=output.on_error == 'skip')
        place = table if table.exists() else images
        lines = FolderLines(output, given, images=images, place=place, tally=tally, report=report)
        usable = lines.usable(found())
        if not usable:
            raise ValueError(
                f'{place}: no usable row, skipped {dict(tally.skipped) or "none"}; expected rows "path TAB'
                ' text"'
            )
        splits = _by_writer(
            usable,
            seed=output.seed,
            shares={'validation': given.validation_share, 'test': given.test_share},
            state=state(),
            report=lambda line: report(f'{out_dir}: {line}'),
        )
        kept = state().as_json()
        work.begin(identity, fingerprint=state().fingerprint, report=report)
        written = _write_splits(work, splits, lines, tally, out_dir=out_dir, report=report)
        if 'train' not in written:
            raise ValueError(f'{place}: no usable row to train on, skipped {dict(tally.skipped)}')
        info = {
            **identity,
            'splits': written,
            'charset': charset_info(),
            'image_height_px': output.height_px,
            'vocabulary': sorted({int(i) for line in usable for i in line.encoded.character_ids if i}),
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
            files=[line.row.path.suffix.lower()[1:] for line in usable],
            whitened=not given.keep_paper,
            writers_named=len({line.row.writer for line in usable if line.row.writer}),
            report=report,
        )


def _identity(output: OutputSettings, given: InputSettings) -> dict[str, Any]:
    """By what the folder is known: see `record_folder.already_there`."""
    settings = {
        'images': str(given.input),
        'labels': None if given.unlabelled else str(given.labels),
        'height_px': output.height_px,
        'min_characters': output.min_characters or 1,
        'max_characters': output.max_characters,
        'validation_share': given.validation_share,
        'test_share': given.test_share,
        'on_error': output.on_error,
    }
    settings |= normalization(deslant=given.deslant, normalize_size=given.normalize_size)
    settings |= intake_settings(whiten=not given.keep_paper, dark=given.dark)
    if given.name_pattern is not None:
        settings['name_pattern'] = given.name_pattern
    return as_json({'source': 'folder', 'version': 1, 'seed': output.seed, 'settings': settings})


def _read_rows(
    images: str, given: InputSettings, report: Callable[[str], object]
) -> list[LabelledImage | FormatError]:
    """The rows of the folder in their order; in the place of one that is no use, its FormatError."""
    found: list[LabelledImage | FormatError] = []
    if given.unlabelled:
        rows = list_images(images, refuse=found.append, report=report)
    else:
        rows = read_folder(
            images,
            labels=given.labels,
            name_pattern=given.name_pattern,
            refuse=found.append,
            report=report,
        )
    for row in rows:
        found.append(row)  # noqa: PERF402 (reading the rows adds those that are refused, in their place)
    return found


def _input_state(images: str, given: InputSettings, rows: Sequence[LabelledImage]) -> InputState:
    """What is read: the pictures of the rows, and their table or texts."""
    place = table_of(images, given)
    tables = {}
    if not given.unlabelled and '(?P<text>' not in (given.name_pattern or ''):
        if place.is_dir():
            tables['a text file'] = sorted(place.rglob('*.txt'))
        else:
            tables[str(given.labels)] = [place]
    return InputState(images, files=[row.path for row in rows], tables=tables)


def _write_splits(
    work: WorkFolder,
    splits: Mapping[str, Sequence[Line]],
    lines: FolderLines,
    tally: Tally,
    *,
    out_dir: str,
    report: Callable[[str], object],
) -> dict[str, dict[str, int]]:
    """Writes the splits, from where an interrupted process left them: the counts of those that have lines."""
    totals = {split: len(members) for split, members in splits.items()}
    resumed(work, totals, unit='row', name=out_dir, report=report)
    written = {}
    for split, members in splits.items():
        counts = write_split(
            work,
            functools.partial(lines.pieces, members),
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
    return written


def _by_writer(
    lines: Sequence[Line],
    *,
    seed: int,
    shares: Mapping[str, float],
    state: InputState,
    report: Callable[[str], object],
) -> dict[str, list[Line]]:
    """Splits lines such that no writer and no picture is in two; train first, none without lines."""
    hands: dict[str, str] = {}  # writer -> the first of those whose pictures are the same
    first: dict[str, LabelledImage] = {}  # picture -> its first row
    again: list[tuple[LabelledImage, LabelledImage]] = []
    for row, _ in lines:
        writer, picture = writer_of(row), state.content(row.path) or str(row.path)
        hands.setdefault(writer, writer)
        if picture in first:
            again.append((row, first[picture]))
            hands[_first_of(hands, writer)] = _first_of(hands, writer_of(first[picture]))
        else:
            first[picture] = row
    if again:
        _tell_repeated(again, report)
    members: dict[str, list[Line]] = {}
    for line in lines:
        members.setdefault(_first_of(hands, writer_of(line.row)), []).append(line)
    drawn = draw_writers(
        {hand: len(found) for hand, found in members.items()}, seed=seed, shares=shares, report=report
    )
    splits: dict[str, list[Line]] = {'train': [], **{split: [] for split in shares}}
    for hand in [*drawn, *(members.keys() - drawn.keys())]:
        splits[drawn.get(hand, 'train')] += members[hand]
    splits['train'].sort(key=lambda line: line.row.row)
    return {split: found for split, found in splits.items() if found}


def _tell_repeated(
    again: Sequence[tuple[LabelledImage, LabelledImage]], report: Callable[[str], object]
) -> None:
    """Tells of rows with the picture of an earlier one: (row, earlier)."""
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


def _first_of(hands: Mapping[str, str], writer: str) -> str:
    while hands[writer] != writer:
        writer = hands[writer]
    return writer
