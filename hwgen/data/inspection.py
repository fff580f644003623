"""What a file or collection of handwriting holds, told in lines of text, and its first samples on one sheet."""

import collections
import pathlib

import numpy as np

from hwgen.data.collection import open_collection
from hwgen.data.contact_sheet import ROW_PX, draw_sheet, small
from hwgen.data.formats.folder import read_folder, read_image
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink, Picture
from hwgen.data.line_image import draw_ink, with_cells
from hwgen.data.records import encode_png

_FIRST = 10
_ON_SHEET = 60
_TABLES = ('labels.tsv', 'label.txt', 'labels.jsonl', 'metadata.jsonl')


def inspect(path, *, source='auto', unit='lines', labels=None, pen_px=2.0, sheet=None, report=print):
    """Reads all of it and tells what was found; damaged samples are told as well, nothing stops it.

    Args:
        path: path of a file, an archive, a collection, or a folder of images with a table of labels.
        source, unit: see `open_collection`; also 'folder'.
        labels: str, the table of a folder; None: the first there is of the usual names.
        pen_px: float, see `draw_ink`.
        sheet: path of a PNG of the first samples, or None.
        report: function of a str.

    Raises:
        FileNotFoundError: no such path, or no known format.
        FormatError: an archive or table that cannot be read.
    """
    errors = []
    if source == 'folder' or source == 'auto' and _table(path, labels):
        report(f'{path}: a folder of images with {_table(path, labels) or labels}')
        samples = _folder_samples(path, _table(path, labels) or labels or _TABLES[0], errors.append)
    else:
        parts = open_collection(path, source=source, unit=unit, refuse=errors.append)
        kinds = collections.Counter(part.kind for part in parts)
        writers = sorted({part.writer for part in parts if part.writer})
        report(f'{path}: {", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))}, '
               f'{sum(part.num_bytes for part in parts)} bytes, {len(writers)} writers named {_some(writers)}')
        named = collections.Counter(part.partition for part in parts if part.partition)
        if named:
            report(f'official partition: {", ".join(f"{name} {count} parts" for name, count in sorted(named.items()))}')
        samples = _part_samples(parts, errors.append)
    found = _Found(report)
    pictures = []
    for sample, cell in samples:
        found.add(sample)
        if sheet and len(pictures) < _ON_SHEET:
            try:
                pictures.append(_picture(sample, cell, pen_px))
            except ValueError as error:
                errors.append(error)
    found.tell()
    for error in errors[:_FIRST]:
        report(f'damaged: {error}')
    if len(errors) > _FIRST:
        report(f'damaged: {len(errors) - _FIRST} more')
    if sheet and pictures:
        pathlib.Path(sheet).write_bytes(encode_png(draw_sheet(pictures)))
        report(f'{sheet}: the first {len(pictures)} samples')


class _Found:
    """Counts of samples."""

    def __init__(self, report):
        self._report, self._first = report, []
        self._characters, self._bad, self._writers = collections.Counter(), collections.Counter(), collections.Counter()
        self._heights, self._widths, self._count = [], [], 0

    def add(self, sample):
        """Counts one, and tells of it if it is one of the first."""
        self._count += 1
        self._characters.update(sample.text)
        self._bad.update(code.hex() for code, c in zip(sample.codes, sample.text) if c == UNKNOWN_CHARACTER)
        self._writers[sample.writer] += 1
        if isinstance(sample, Ink):
            points = np.concatenate(sample.strokes)
            width, height = (int(n) for n in np.ptp(points, axis=0))
            size = f'{len(sample.strokes)} strokes, {len(points)} points, {width} x {height}'
        else:
            height, width = sample.image.shape
            size = f'{width} x {height} px, grey {sample.image.min()} to {sample.image.max()}'
        self._heights.append(height)
        self._widths.append(width)
        if self._count <= _FIRST:
            codes = ' '.join(code.hex() for code in sample.codes[:8]) + (' ...' if len(sample.codes) > 8 else '')
            boxes = '' if sample.__class__ is Ink or sample.boxes is None else ', boxes of characters'
            note = f', marked {sample.note}' if sample.note else ''
            self._report(f'  {sample.record} at byte {sample.offset}: {sample.text[:40]} '
                         f'{f"[{codes}] " if codes else ""}{size}{boxes}{note}')

    def tell(self):
        """Tells the counts."""
        if not self._count:
            self._report('no sample that can be read')
            return
        known = {c: n for c, n in self._characters.items() if c != UNKNOWN_CHARACTER}
        hanzi = sum(n for c, n in known.items() if '一' <= c <= '鿿')
        self._report(f'{self._count} samples, {sum(known.values())} characters ({hanzi} hanzi) of {len(known)} classes, '
                     f'writers {_some(sorted(filter(None, self._writers))) or "unknown"}')
        for name, values in (('heights', self._heights), ('widths', self._widths)):
            self._report(f'{name} {min(values)} to {max(values)}, median {int(np.median(values))}')
        if self._bad:
            shown = ', '.join(f'{code} {n}' for code, n in self._bad.most_common(_FIRST))
            self._report(f'codes that decode to nothing: {shown}')


def _some(names):
    return ', '.join(names[:_FIRST]) + (' ...' if len(names) > _FIRST else '')


def _table(path, labels):
    names = [labels] if labels else _TABLES
    return next((name for name in names if pathlib.Path(path, name).is_file()), None) if pathlib.Path(path).is_dir() else None


def _part_samples(parts, refuse):
    for part in parts:
        try:
            samples = part.read(refuse=refuse)
            yield from with_cells(samples) if part.isolated else ((sample, None) for sample in samples)
        except FormatError as error:
            refuse(error)


def _folder_samples(path, labels, refuse):
    for row in read_folder(path, labels=labels, refuse=refuse):
        try:
            yield Picture(image=read_image(row.path), text=row.text, writer=row.writer, record=row.row, offset=0), None
        except OSError as error:
            refuse(error)


def _picture(sample, cell, pen_px):
    """uint8 [H <= 64, W <= the sheet's]."""
    if isinstance(sample, Ink):
        image = draw_ink(sample.strokes, height_px=ROW_PX, pen_px=pen_px, num_characters=len(sample.text) or 1, cell_extent=cell)
    else:
        image = sample.image
    return small(image)
