"""The strokes of hanzi as they are printed: medians in writing order, and to which component of its character
each stroke belongs.

`strokes/medians.npz` is a derived table of hanzi-writer-data 2.0.1 (Make Me a Hanzi, from fonts of Arphic
Technology), under the Arphic Public License that lies beside it; `strokes/NOTICE.txt` says what was changed.
`build.py` makes it, with `stroke_segmentation.py`.

Arrays of the file: codes uint32 [C], ascending; stroke_counts uint8 [C]; point_counts uint8 [S]; slots uint8
[S]; points uint8 [P, 2], x and y in GRID parts of the em, origin top left.
"""

import functools
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / 'strokes'
GRID = 255
_SOURCE_BOX, _SOURCE_TOP = 1024, 900  # the source's em and the height of its upper edge; y runs upwards there
_TOLERANCE = 0.005  # em: a point of the median may be left out where the line passes it this near
NO_SLOT = 255


class PrintedStrokes(NamedTuple):
    """The strokes of a character, in writing order.

    Attributes:
        strokes: tuple of float32 [n, 2], n >= 2: x, y in em, origin top left.
        slots: tuple of int, the component slot 0..3 of each stroke, as `Charset.tree` orders them; None for a
            character without a code.
    """

    strokes: tuple[np.ndarray, ...]
    slots: tuple[int, ...] | None


class StrokeTable:
    """The packaged table.

    Args:
        path: path of the file.

    Attributes:
        characters: dict str -> int, row.
    """

    def __init__(self, path: str | os.PathLike[str] = FOLDER / 'medians.npz'):
        with np.load(path) as arrays:
            self._stroke_counts, self._point_counts, self._slots, self._points = (
                arrays[name] for name in ('stroke_counts', 'point_counts', 'slots', 'points')
            )
            codes = arrays['codes'].tolist()
        self._kept = functools.lru_cache(maxsize=4096)(self._strokes)
        self.characters = {chr(code): row for row, code in enumerate(codes)}
        self._first_strokes = np.concatenate([[0], np.cumsum(self._stroke_counts, dtype=np.int64)])
        self._first_points = np.concatenate([[0], np.cumsum(self._point_counts, dtype=np.int64)])

    @classmethod
    @functools.cache
    def load(cls) -> 'StrokeTable':
        """The packaged table, one object a process."""
        return cls()

    def __contains__(self, character):
        return character in self.characters

    def __getitem__(self, character: str) -> PrintedStrokes:
        """The strokes of a character: PrintedStrokes.

        Raises LookupError naming it where the table has none.
        """
        return self._kept(character)

    def _strokes(self, character: str) -> PrintedStrokes:
        if character not in self.characters:
            raise LookupError(
                f'{character!r}: not among the {len(self.characters)} characters of the stroke table'
            )
        row = self.characters[character]
        first, last = self._first_strokes[row : row + 2].tolist()
        ends = self._first_points[first : last + 1].tolist()
        points = self._points[ends[0] : ends[-1]].astype(np.float32) / GRID
        points.setflags(write=False)
        slots = tuple(self._slots[first:last].tolist())
        return PrintedStrokes(
            tuple(points[a - ends[0] : b - ends[0]] for a, b in itertools.pairwise(ends)),
            None if NO_SLOT in slots else slots,
        )


def read_medians(entry: Mapping[str, Any]) -> list[np.ndarray]:
    """The strokes of an entry of hanzi-writer-data.

    Args:
        entry: dict with `medians`, lists of [x, y].

    Returns:
        list of float [n, 2], em, origin top left.
    """
    return [
        (np.array(stroke, float) * [1, -1] + [0, _SOURCE_TOP]) / _SOURCE_BOX for stroke in entry['medians']
    ]


def simplified(points: np.ndarray, tolerance: float = _TOLERANCE) -> np.ndarray:
    """Leaves out what a straight line passes near (Ramer 1972; Douglas and Peucker 1973).

    Args:
        points: float [n, 2], n >= 2.
        tolerance: float, in the points' unit.

    Returns:
        float [m, 2], 2 <= m <= n; first and last stay.
    """
    keep, open_ = {0, len(points) - 1}, [(0, len(points) - 1)]
    while open_:
        a, b = open_.pop()
        if b - a < 2:
            continue
        start, along = points[a], points[b] - points[a]
        inner = points[a + 1 : b] - start
        length = np.hypot(*along)
        # A closed piece has no direction: distance from its end.
        away = (
            np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]) / length
            if length > 1e-9
            else np.hypot(*inner.T)
        )
        worst = int(away.argmax())
        if away[worst] > tolerance:
            keep.add(a + 1 + worst)
            open_ += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return points[sorted(keep)]


def write_table(
    path: str | os.PathLike[str],
    strokes: Mapping[str, Sequence[np.ndarray]],
    slots: Mapping[str, Sequence[int]],
) -> None:
    """Writes the file; the same bytes whenever it is built.

    Args:
        path: path.
        strokes: dict str -> list of float [n, 2], em.
        slots: dict str -> sequence of int, one a stroke; characters without a code are absent.
    """
    characters = sorted(strokes)
    kept = [
        [np.clip(np.rint(simplified(stroke) * GRID), 0, GRID).astype(np.uint8) for stroke in strokes[c]]
        for c in characters
    ]
    every = [stroke for character in kept for stroke in character]
    np.savez_compressed(
        path,
        codes=np.array([ord(c) for c in characters], np.uint32),
        stroke_counts=np.array([len(c) for c in kept], np.uint8),
        point_counts=np.array([len(stroke) for stroke in every], np.uint8),
        points=np.concatenate(every),
        slots=np.array(
            [
                slot
                for c, own in zip(characters, kept, strict=True)
                for slot in slots.get(c, [NO_SLOT] * len(own))
            ],
            np.uint8,
        ),
    )
