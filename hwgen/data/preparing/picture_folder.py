"""Folders of labelled pictures while they are written, as trainers of OCR read them, and `prepare
--source=folder`.

A split is a folder (the whole folder where there is but one split):

- 000001.png, 000002.png, ...: the lines.
- labels.tsv: a row `path TAB text TAB writer` for each. PaddleOCR's SimpleDataSet takes it as a label file:
  it reads the first two columns.
- boxes.jsonl: an object a row, {"path", "text", "boxes": [[x0, y0, x1, y1], ...] of the characters, px, null
  where unknown} and, where it is known, "component_boxes": [[[x0, y0, x1, y1] of each of 4 slots], ...],
  zeros where a slot is unused.
- strokes.jsonl, where trajectories were asked for: {"path", "x", "y" px, "time" s, "pen" 1 on paper .. 0 in
  the air, "pressure" 0..1, "slots"}, a list of a number for each sample; slots: 4 * character + slot, -1 for
  travel between characters.

The interface is that of `shard_writer.ShardWriter`: who was killed goes on behind the lines that it is known
to have written.
"""

import contextlib
import functools
import json
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from hwgen.data.preparing.shard_writer import OpenFiles, Storage, naming_place
from hwgen.data.reading import records as records_lib
from hwgen.data.reading.records import LineRecord
from hwgen.data.reading.shards import ShardCounts

LABELS, BOXES, STROKES = 'labels.tsv', 'boxes.jsonl', 'strokes.jsonl'
# of a trajectory, and their decimals
_COLUMNS = (('x', 2), ('y', 2), ('time', 4), ('pen', 3), ('pressure', 3))


class PictureWriter(OpenFiles):
    """The pictures of a split while they are written, and their tables.

    Args:
        out_dir: path of an existing folder.
        split: str.
        num_shards: int, no matter here.
        sizes, lengths: sequences of int, bytes of the pictures that are there already, and their characters;
            what lies behind them is removed.
        subfolders: bool, whether a split has a folder of its own.
        trajectory: bool, whether there is a table of strokes.

    Attributes:
        sizes, lengths: list of int, of all lines so far.

    Raises:
        OSError: a file that cannot be written; names it.
    """

    def __init__(
        self,
        out_dir: str | os.PathLike[str],
        *,
        split: str,
        num_shards: int = 0,
        sizes: Sequence[int] = (),
        lengths: Sequence[int] = (),
        subfolders: bool = False,
        trajectory: bool = False,
    ):
        del num_shards
        self._split, self._folder = split, _folder(out_dir, split, subfolders)
        self._folder.mkdir(exist_ok=True)
        self.sizes, self.lengths = list(sizes), list(lengths)
        self._paths = [self._folder / name for name in _tables(trajectory)]
        self._files = []
        for path in self._paths:
            self._files.append(open(path, 'r+b' if self.sizes else 'wb'))
            for _ in self.sizes:
                self._files[-1].readline()
            self._files[-1].truncate(self._files[-1].tell())
        number = len(self.sizes)
        while (path := self._folder / _name(number)).exists():
            path.unlink()
            number += 1

    def append(self, record: LineRecord) -> None:
        """Writes a LineRecord behind the others.

        Raises:
            ValueError: a text or writer that no row of a table holds; names its number.
        """
        name = _name(len(self.sizes))
        if any(set('\t\r\n') & set(value) for value in (record.text, record.writer)):
            raise ValueError(
                f'{self._split}, line {len(self.sizes)}: text {record.text!r}, writer {record.writer!r},'
                ' expected no TAB or line break'
            )
        png = record.image if isinstance(record.image, bytes) else records_lib.encode_png(record.image)
        with naming_place(self._folder / name):
            (self._folder / name).write_bytes(png)
        boxes = {'path': name, 'text': record.text, 'boxes': _list(record.boxes)}
        if record.component_boxes is not None:
            boxes['component_boxes'] = _list(record.component_boxes)
        rows = (
            f'{name}\t{record.text}\t{record.writer}',
            _json(boxes),
            _json({'path': name, **_strokes(record)}),
        )
        # Where trajectories were not asked for there is no table for the last row.
        for path, file, row in zip(self._paths, self._files, rows, strict=False):
            with naming_place(path):
                file.write(row.encode() + b'\n')
        self.sizes.append(len(png))
        self.lengths.append(len(record.character_ids))

    def remove(self) -> None:
        """Removes pictures and tables."""
        super().remove()
        for i in range(len(self.sizes)):
            (self._folder / _name(i)).unlink(missing_ok=True)

    def finish(self, *, writers: int) -> ShardCounts:
        """Closes the tables.

        Args:
            writers: int, for the counts.

        Returns:
            ShardCounts, of no shard.
        """
        self.flush()
        self.close()
        return ShardCounts(records=len(self.sizes), shards=0, writers=writers, characters=sum(self.lengths))


def picture_storage(*, subfolders: bool, trajectory: bool) -> Storage:
    """Storage of pictures, for `work_folder.exclusive`.

    Args:
        subfolders: bool, whether a split has a folder of its own.
        trajectory: bool, whether there is a table of strokes.

    Returns:
        Storage.
    """
    return Storage(
        functools.partial(PictureWriter, subfolders=subfolders, trajectory=trajectory),
        functools.partial(_count_intact, subfolders=subfolders, trajectory=trajectory),
    )


def _count_intact(out_dir, *, split, num_shards, sizes, subfolders, trajectory):
    """How many of the first lines of a split that is being written are there, undamaged, with their rows."""
    del num_shards
    folder = _folder(out_dir, split, subfolders)
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(open(path, 'rb'))
            for path in (folder / name for name in _tables(trajectory))
            if path.is_file()
        ]
        if len(files) < len(_tables(trajectory)):
            return 0
        for i, size in enumerate(sizes):
            rows = [file.readline() for file in files]
            starts = (f'{_name(i)}\t', *[f'{{"path": "{_name(i)}"'] * (len(rows) - 1))
            whole = all(
                row.startswith(start.encode()) and row.endswith(b'\n')
                for row, start in zip(rows, starts, strict=True)
            )
            if not whole or not _is_intact(folder / _name(i), size):
                return i
    return len(sizes)


def _is_intact(path, size):
    try:
        if path.stat().st_size != size:
            return False
        with Image.open(path, formats=('PNG',)) as image:
            image.verify()  # the checksums of its chunks
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _folder(out_dir, split, subfolders):
    return pathlib.Path(out_dir) / split if subfolders else pathlib.Path(out_dir)


def _tables(trajectory):
    return (LABELS, BOXES, STROKES)[: 3 if trajectory else 2]


def _name(i):
    return f'{i + 1:06d}.png'


def _json(value):
    return json.dumps(value, ensure_ascii=False)


def _list(array):
    return None if array is None else np.asarray(array).tolist()


def _strokes(record):
    """The columns of a trajectory; none where it is unknown."""
    if record.trajectory is None:
        return {}
    columns = np.asarray(record.trajectory, np.float64).T
    return {
        name: column.round(decimals).tolist()
        for (name, decimals), column in zip(_COLUMNS, columns, strict=True)
    } | {'slots': _list(record.trajectory_slots)}
