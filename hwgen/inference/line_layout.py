"""From the cells of a line's characters to the line: each with the room that it takes.

A generator of layout `spaced` writes each character in the middle of its own cell, and says how much room it
takes along the line, its advance. Here cells are moved together until each has that room; where two overlap,
the darker ink of both stays, so that nothing of a stroke is lost that reaches into a neighbour's room.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from hwgen.inference.picture_files import scale

PAPER = 255


class WrittenLine(NamedTuple):
    """A written line.

    Attributes:
        image: uint8 [char_px, W], 255 = paper.
        boxes: int32 [N, 4] px x0, y0, x1, y1: the cell of each character, or, of layout `spaced`, the room
            that it takes.
    """

    image: np.ndarray
    boxes: np.ndarray

    def at_height(self, height_px: int | None, *, enlarging: str = 'learned') -> WrittenLine:
        """The line of another height, and its boxes with it; see `picture_files.scale`."""
        image = scale(self.image, height_px, enlarging=enlarging)
        if image is self.image:
            return self
        (height, width), (scaled_height, scaled_width) = self.image.shape, image.shape
        boxes = self.boxes * ([scaled_width / width, scaled_height / height] * 2)
        return WrittenLine(image, boxes.round().astype('int32'))


class Placed(NamedTuple):
    """Where the cells of characters come to stand, in pixels.

    Attributes:
        left: int64 [N], first column of each cell; below 0 where a narrow first character stands in the
            middle of its cell.
        widths: int64 [N], columns of each cell: its own, or the advance of a wider character, to which it is
            stretched.
        room: int64 [N + 1], where the room of each character begins, and where the last one's ends.
    """

    left: np.ndarray
    widths: np.ndarray
    room: np.ndarray


def place(advances: np.ndarray, *, char_px: int, char_width_px: int, start: int = 0) -> Placed:
    """Places cells one behind the other.

    Args:
        advances: float [N], in heights of the line.
        char_px, char_width_px: int, height and width of a cell.
        start: int, where the room of the first character begins, px.

    Returns:
        Placed. Whole pixels: strokes stay as sharp as they were written, and a line in pieces is the line.
    """
    taken = np.maximum(np.rint(np.asarray(advances, np.float64) * char_px), 1).astype(np.int64)
    room = start + np.concatenate([[0], np.cumsum(taken)])
    left = room[:-1] + np.minimum((taken - char_width_px) // 2, 0)
    return Placed(left, np.maximum(taken, char_width_px), room)


class SpacedLine:
    """A line that grows from its beginning; memory does not grow with it.

    Args:
        char_px, char_width_px: int, height and width of a cell.
    """

    def __init__(self, *, char_px: int, char_width_px: int):
        self.char_px, self.char_width_px = char_px, char_width_px
        self._next = 0  # where the next character's room begins
        self._begun: int | None = None  # the line's first column
        self._pending = np.full((char_px, 0), PAPER, np.uint8)  # columns that a next cell may still reach
        self._at = 0  # the column that `_pending` begins with

    def add(self, cells: np.ndarray, advances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next characters.

        Args:
            cells: uint8 [char_px, n * char_width_px], 255 = paper.
            advances: float32 [n], in heights of the line.

        Returns:
            uint8 [char_px, w], the columns that no later character reaches, behind those given before;
            int32 [n, 4] px x0, y0, x1, y1, the room of each character in the whole line.
        """
        placed = place(advances, char_px=self.char_px, char_width_px=self.char_width_px, start=self._next)
        if self._begun is None:
            self._begun = self._at = int(placed.left[0])
        self._next = int(placed.room[-1])
        end = int((placed.left + placed.widths).max())
        missing = end - self._at - self._pending.shape[1]
        pending = np.pad(self._pending, [(0, 0), (0, max(missing, 0))], constant_values=PAPER)
        for i, (left, width) in enumerate(zip(placed.left - self._at, placed.widths, strict=True)):
            cell = cells[:, i * self.char_width_px : (i + 1) * self.char_width_px]
            there = pending[:, left : left + width]
            np.minimum(there, _stretched(cell, int(width)), out=there)
        done = max(0, min(self._next + (1 - self.char_width_px) // 2, end) - self._at)
        finished, self._pending = pending[:, :done], pending[:, done:]
        self._at += done
        x0, x1 = placed.room[:-1] - self._begun, placed.room[1:] - self._begun
        boxes = np.stack([x0, np.zeros_like(x0), x1, np.full_like(x0, self.char_px)], 1)
        return finished, boxes.astype(np.int32)

    def close(self) -> np.ndarray:
        """The columns that are left: uint8 [char_px, w]."""
        pending, self._pending = self._pending, self._pending[:, :0]
        return pending


def chosen(layout: str | None, learned: str) -> str:
    """The layout that a model writes in: the one that it was trained for, or equal cells, which every model
    can.

    Args:
        layout: what is asked for; None: as it was trained.
        learned: of its generator.

    Raises:
        ValueError: another one.
    """
    if layout in (None, 'cells', learned):
        return layout or learned
    if layout == 'spaced':
        raise ValueError(
            "layout 'spaced': this model has not learned how much room characters take; expected 'cells'"
        )
    raise ValueError(f"layout {layout!r}: expected 'cells' or 'spaced'")


def spaced(cells: np.ndarray, advances: np.ndarray, *, char_px: int, char_width_px: int) -> WrittenLine:
    """A whole line of the arguments of `SpacedLine.add`."""
    line = SpacedLine(char_px=char_px, char_width_px=char_width_px)
    image, boxes = line.add(cells, advances)
    return WrittenLine(np.concatenate([image, line.close()], axis=1), boxes)


def in_pieces(
    windows: Iterable[tuple[np.ndarray, np.ndarray]], *, char_px: int, char_width_px: int
) -> Iterator[np.ndarray]:
    """The pieces of a line, side by side, of windows with the arguments of `SpacedLine.add`."""
    line = SpacedLine(char_px=char_px, char_width_px=char_width_px)
    for cells, advances in windows:
        yield line.add(cells, advances)[0]
    yield line.close()


def pieces_at_height(
    pieces: Iterator[np.ndarray], height_px: int | None, *, char_px: int
) -> Iterator[np.ndarray]:
    """The pieces of a line, of another height; see `WrittenLine.at_height`.

    Args:
        pieces: uint8 [char_px, w_i].
        height_px: int >= char_px, or None.
        char_px: int.

    Raises:
        ValueError: a height below `char_px`.
    """
    if height_px is None or height_px == char_px:
        return pieces
    if height_px < char_px:
        raise ValueError(f'height_px={height_px}: expected at least {char_px}, as high as lines are written')
    from hwgen.inference import enlargement

    return enlargement.shipped().in_pieces(pieces, height_px)


def even_boxes(num_characters: int, *, char_px: int, char_width_px: int) -> np.ndarray:
    """The boxes of a line in equal cells: int32 [N, 4] px x0, y0, x1, y1."""
    left = np.arange(num_characters, dtype=np.int32) * char_width_px
    return np.stack([left, np.zeros_like(left), left + char_width_px, np.full_like(left, char_px)], axis=1)


def _stretched(cell, width):
    """A cell uint8 [H, W] of another width: linear between its columns."""
    if width == cell.shape[1]:
        return cell
    source = np.clip((np.arange(width) + 0.5) * cell.shape[1] / width - 0.5, 0, cell.shape[1] - 1)
    first = np.floor(source).astype(int)
    share = (source - first).astype(np.float32)
    after = np.minimum(first + 1, cell.shape[1] - 1)
    return np.rint(cell[:, first] * (1 - share) + cell[:, after] * share).astype(np.uint8)
