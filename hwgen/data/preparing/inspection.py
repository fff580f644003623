"""What a file or collection of handwriting holds, told in lines of text, and its first samples on one
sheet.
"""

import collections
import os
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from hwgen.data.formats.folder import LabelledImage, list_images, read_folder
from hwgen.data.formats.image_files import find_images, read_image, suffixes
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink, Picture, Sample
from hwgen.data.preparing.collection import open_collection, source_of
from hwgen.data.preparing.contact_sheet import ROW_PX, draw_sheet, small
from hwgen.data.preparing.line_image import draw_ink, with_cells
from hwgen.data.preparing.picture_intake import Look, look_at, look_at_character, look_soon
from hwgen.data.reading.records import encode_png

_FIRST = 10
_ON_SHEET = 60
_TABLES = (
    'labels.tsv',
    'label.txt',
    'rec_gt.txt',
    'labels.csv',
    'labels.jsonl',
    'metadata.jsonl',
    'metadata.csv',
)
_LOOKS = {
    'grey paper': 'with grey paper',
    'dark': 'dark (ink on black? --dark=invert turns such pictures over)',
    'black': 'nearly black',
    'blank': 'without ink',
    'tiny': 'lower or narrower than 4 px',
}
_TABLE_SUFFIXES = ('.tsv', '.txt', '.jsonl', '.json', '.csv')


def inspect(
    path: str | os.PathLike[str],
    *,
    source: str = 'auto',
    unit: str = 'lines',
    labels: str | None = None,
    name_pattern: str | None = None,
    pen_px: float = 2.0,
    sheet: str | os.PathLike[str] | None = None,
    report: Callable[[str], object] = print,
) -> None:
    """Reads all of it and tells what was found; damaged samples are told as well, nothing stops it.

    Args:
        path: path of a file, an archive, a collection, or a folder of images with a table of labels; or of
            that table.
        source, unit: see `open_collection`; also 'folder'.
        labels: str, the table of a folder; None: the first there is of the usual names.
        name_pattern: str, see `read_folder`.
        pen_px: float, see `draw_ink`.
        sheet: path of a PNG of the first samples, or None.
        report: function of a str.

    Raises:
        FileNotFoundError: no such path, or no known format.
        FormatError: an archive or table that cannot be read.
    """
    errors: list[Exception] = []
    pictures: list[np.ndarray] = []
    found = _Found(report)
    for sample, cell, look in _samples(path, source, unit, labels, name_pattern, errors.append, report):
        found.add(sample, look)
        if sheet and len(pictures) < _ON_SHEET:
            try:
                pictures.append(_picture(sample, cell, pen_px))
            except ValueError as error:
                errors.append(error)
    found.tell()
    for damage in errors[:_FIRST]:
        report(f'damaged: {damage}')
    if len(errors) > _FIRST:
        report(f'damaged: {len(errors) - _FIRST} more')
    if sheet and pictures:
        pathlib.Path(sheet).write_bytes(encode_png(draw_sheet(pictures)))
        report(f'{sheet}: the first {len(pictures)} samples')


def _samples(
    path: str | os.PathLike[str],
    source: str,
    unit: str,
    labels: str | None,
    name_pattern: str | None,
    refuse: Callable[[Exception], object],
    report: Callable[[str], object],
) -> Iterator[tuple[Sample, int | None, Callable[[np.ndarray], Look]]]:
    """Tells what there is: (sample, `extent` of a usual character of ink, how its picture is looked at)."""
    may_be_folder = source in ('auto', 'folder')
    if may_be_folder and os.path.isfile(path) and pathlib.Path(path).suffix.lower() in _TABLE_SUFFIXES:
        path, labels = pathlib.Path(path).parent, pathlib.Path(path).name
    table = _table(path, labels)
    says_texts = table or name_pattern
    if may_be_folder and not says_texts and not labels and _is_pictures(path):
        report(f'{path}: pictures without a table')
        return _picture_samples(path, refuse, report)
    if source == 'folder' or source == 'auto' and says_texts:
        report(f'{path}: a folder of images with {table or labels or "texts in their names"}')
        return _folder_samples(path, table or labels or _TABLES[0], name_pattern, refuse, report)
    parts = open_collection(path, source=source, unit=unit, refuse=refuse)
    kinds = collections.Counter(part.kind for part in parts)
    writers = sorted({part.writer for part in parts if part.writer})
    report(
        f'{path}: {", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))}, '
        f'{sum(part.num_bytes for part in parts)} bytes, {len(writers)} writers named {_some(writers)}'
    )
    named = collections.Counter(part.partition for part in parts if part.partition)
    if named:
        told = ', '.join(f'{name} {count} parts' for name, count in sorted(named.items()))
        report(f'official partition: {told}')
    return _part_samples(parts, refuse)


class _Found:
    """Counts of samples."""

    def __init__(self, report):
        self._report, self._first = report, []
        self._characters, self._bad, self._writers = (collections.Counter() for _ in range(3))
        self._heights, self._widths, self._count, self._looks = [], [], 0, collections.defaultdict(list)

    def _seen(self, look, record):
        """What is to be said of a picture in its line; keeps its number."""
        found = look.fault or ('grey paper' if look.grey_paper else '')
        if found:
            self._looks[found].append(str(record))
        return found and f', {found}'

    def add(self, sample, look=look_at):
        """Counts one, and tells of it if it is one of the first; look: function of a picture, gives a
        picture_intake.Look.
        """
        self._count += 1
        self._characters.update(sample.text)
        codes = zip(sample.codes, sample.text, strict=False)  # not every format has codes
        self._bad.update(code.hex() for code, character in codes if character == UNKNOWN_CHARACTER)
        self._writers[sample.writer] += 1
        if isinstance(sample, Ink):
            points = np.concatenate(sample.strokes)
            width, height = (int(n) for n in np.ptp(points, axis=0))
            size = f'{len(sample.strokes)} strokes, {len(points)} points, {width} x {height}'
        else:
            height, width = sample.image.shape
            size = (
                f'{width} x {height} px, grey {sample.image.min()} to'
                f' {sample.image.max()}{self._seen(look(sample.image), sample.record)}'
            )
        self._heights.append(height)
        self._widths.append(width)
        if self._count <= _FIRST:
            codes = ' '.join(code.hex() for code in sample.codes[:8]) + (
                ' ...' if len(sample.codes) > 8 else ''
            )
            boxes = '' if sample.__class__ is Ink or sample.boxes is None else ', boxes of characters'
            note = f', marked {sample.note}' if sample.note else ''
            self._report(
                f'  {sample.record} at byte {sample.offset}: {sample.text[:40]} '
                f'{f"[{codes}] " if codes else ""}{size}{boxes}{note}'
            )

    def tell(self):
        """Tells the counts."""
        if not self._count:
            self._report('no sample that can be read')
            return
        known = {c: n for c, n in self._characters.items() if c != UNKNOWN_CHARACTER}
        hanzi = sum(n for c, n in known.items() if '一' <= c <= '鿿')
        self._report(
            f'{self._count} samples, {sum(known.values())} characters ({hanzi} hanzi) of {len(known)}'
            f' classes, writers {_some(sorted(filter(None, self._writers))) or "unknown"}'
        )
        for name, values in (('heights', self._heights), ('widths', self._widths)):
            self._report(f'{name} {min(values)} to {max(values)}, median {int(np.median(values))}')
        for found, said in _LOOKS.items():
            if self._looks[found]:
                self._report(
                    f'{len(self._looks[found])} of {self._count} {said}: {_some(self._looks[found])}'
                )
        if self._bad:
            shown = ', '.join(f'{code} {n}' for code, n in self._bad.most_common(_FIRST))
            self._report(f'codes that decode to nothing: {shown}')


def _some(names):
    return ', '.join(names[:_FIRST]) + (' ...' if len(names) > _FIRST else '')


def _table(path, labels):
    if not pathlib.Path(path).is_dir():
        return None
    names = [labels] if labels else _TABLES
    return next((name for name in names if pathlib.Path(path, name).exists()), None)


def _part_samples(parts, refuse):
    for part in parts:
        try:
            samples = part.read(refuse=refuse)
            if part.isolated:
                yield from ((sample, cell, look_at_character) for sample, cell in with_cells(samples))
            else:
                yield from ((sample, None, look_soon) for sample in samples)
        except FormatError as error:
            refuse(error)


def _is_pictures(path):
    """Whether it is a picture, or a folder with pictures and no collection."""
    path = pathlib.Path(path)
    if path.is_file():
        return path.suffix.lower() in suffixes()
    return path.is_dir() and source_of(path) is None and bool(find_images(path)[0])


def _picture_samples(path, refuse, report):
    path = pathlib.Path(path)
    rows = (
        list_images(path, refuse=refuse, report=report)
        if path.is_dir()
        else [LabelledImage(path=path, text='', writer='', row=1)]
    )
    yield from _samples_of(rows, refuse)


def _folder_samples(path, labels, name_pattern, refuse, report):
    yield from _samples_of(
        read_folder(path, labels=labels, name_pattern=name_pattern, refuse=refuse, report=report), refuse
    )


def _samples_of(rows, refuse):
    for row in rows:
        try:
            yield (
                Picture(
                    image=read_image(row.path), text=row.text, writer=row.writer, record=row.row, offset=0
                ),
                None,
                look_at,
            )
        except OSError as error:
            refuse(error)


def _picture(sample, cell, pen_px):
    """uint8 [H <= 64, W <= the sheet's]."""
    if isinstance(sample, Ink):
        image = draw_ink(
            sample.strokes,
            height_px=ROW_PX,
            pen_px=pen_px,
            num_characters=len(sample.text) or 1,
            cell_extent=cell,
        )
    else:
        image = sample.image
    return small(image)
