"""Where in the picture of a written line the ink of each character and of each of its components is.

The writer knows which character it writes into which cell, so the box of a character is that of the ink in
its cell, at the place to which the cell is moved. The boxes of its components are those over which the
content encoder draws them, stretched so that together they fill that box. (What ink goes when a component is
left out tells no more, at five times the work: docs/results/truth.md.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.characters import SLOTS, Characters
from hwgen.inference import line_layout
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.windows import inputs_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hwgen.inference.windows import Window
    from hwgen.inference.writer import Writer

INK = 0.25  # of the darkest ink of a box: what is lighter is none, so that pale hands have boxes as dark ones
_PAPER = 0.1  # of black: no ink is so light


class LineBoxes(NamedTuple):
    """Boxes of a written line, px x0, y0, x1, y1 in its picture as it is written; zeros where there is no
    ink.

    Attributes:
        characters: int32 [N, 4], the ink of each character.
        components: int32 [N, 4, 4], the component in each slot; zeros where a slot is unused.
    """

    characters: np.ndarray
    components: np.ndarray


class CellBoxes(NamedTuple):
    """Boxes within the cells of characters, px: float32 [N, 4] and [N, 4, 4], as those of `LineBoxes`."""

    characters: np.ndarray
    components: np.ndarray


def ink_box(ink: np.ndarray) -> np.ndarray:
    """The box of ink.

    Args:
        ink: float [H, W], 0 = paper, 1 = black; less than INK of its darkest is paper.

    Returns:
        float32 [4], x0, y0, x1, y1; zeros where there is none.
    """
    there = ink >= max(INK * ink.max(), _PAPER)
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not rows.size:
        return np.zeros(4, np.float32)
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)


def fitted(boxes: np.ndarray, around: np.ndarray) -> np.ndarray:
    """Boxes of a character's components, stretched so that together they fill a box.

    Args:
        boxes: float [K, 4], x0, y0, x1, y1.
        around: float [4], the box of the character's ink.

    Returns:
        float32 [K, 4].
    """
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    scale = np.tile((around[2:] - around[:2]) / np.maximum(high - low, 1e-6), 2)
    return (np.tile(around[:2], 2) + (boxes - np.tile(low, 2)) * scale).astype(np.float32)


class LineMarker:
    """Finds the boxes of what a writer writes.

    Args:
        writer: Writer.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        spec = tf.TensorSpec
        self._generate = tf.function(
            self._draw,
            input_signature=[
                Characters.specs(),
                spec([None, writer.style_dim], tf.float32),
                spec([None, None, writer.character_noise_dim], tf.float32),
            ],
        )

    def boxes(
        self,
        texts: str | Sequence[str],
        *,
        style_seeds: int | Sequence[int] | np.ndarray = 0,
        styles: ArrayLike | None = None,
        truncation: float = DEFAULT_TRUNCATION,
        noise_offsets: int | Sequence[int] = 0,
        quotes_before: int | Sequence[int] = 0,
    ) -> list[LineBoxes]:
        """Boxes of the lines that `Writer.write_lines` writes with these arguments."""
        writer, found = self._writer, []
        for line in writer._lines(texts, style_seeds, styles, truncation, noise_offsets, quotes_before):
            cells, advances = [], []
            for window in writer._windows(line):
                boxes, rooms = self._window(window)
                cells.append(boxes)
                advances.append(rooms)
            found.append(
                self._placed(
                    CellBoxes(*map(np.concatenate, zip(*cells, strict=True))), np.concatenate(advances)
                )
            )
        return found

    def _window(self, window: Window) -> tuple[CellBoxes, np.ndarray]:
        """Boxes of a window's own characters in their cells, and their advances."""
        own = slice(window.start - window.first, window.stop - window.first)
        characters, style, normal = inputs_of(
            [window], 1, window.last - window.first, self._writer.character_noise_dim
        )
        noise = self._writer.generator.drawn_noise(characters, style, normal)
        return self.in_cells(characters, style, np.asarray(noise), own=own)

    def in_cells(
        self,
        characters: Characters,
        style: ArrayLike,
        noise: ArrayLike,
        *,
        own: slice = slice(None),
    ) -> tuple[CellBoxes, np.ndarray]:
        """Boxes of the characters of one line in their cells, and their advances.

        Args:
            characters: Characters of one line, B = 1, in full.
            style: float32 [1, Z]; noise: float32 [1, N, D].
            own: the characters that are asked for.

        Returns:
            CellBoxes; float32 [N], in heights of the line.
        """
        width = self._writer.char_width_px
        parts = np.asarray(characters.component_ids)[0, own] > 0
        inputs = tf.nest.map_structure(tf.convert_to_tensor, (characters, style, noise))
        images, log_advances, boxes = self._generate(*inputs)
        picture = images.numpy()[0, ..., 0]  # 1 x H x (N w) x 1 -> H x (N w)
        cells = np.split((1.0 - picture) / 2.0, picture.shape[1] // width, axis=1)[own]
        return cell_boxes(cells, parts, boxes.numpy()[0, own]), np.exp(log_advances.numpy()[0, own])

    def _draw(self, characters, style, noise):
        writer = self._writer
        return (
            *writer.draw(characters, style, noise),
            writer.generator.content_encoder.component_boxes(characters),
        )

    def _placed(self, cells: CellBoxes, advances: np.ndarray) -> LineBoxes:
        """Boxes in cells -> boxes in the line's picture."""
        writer = self._writer
        sizes = dict(char_px=writer.char_px, char_width_px=writer.char_width_px)
        if writer.layout == 'spaced':
            placed = line_layout.place(advances, **sizes)
            left, scale = placed.left - placed.left[0], placed.widths / writer.char_width_px
        else:
            left, scale = np.arange(len(advances)) * writer.char_width_px, np.ones(len(advances))
        return LineBoxes(
            _moved(cells.characters, left[:, None], scale[:, None]),
            _moved(cells.components, left[:, None, None], scale[:, None, None]),
        )


def cell_boxes(cells: Sequence[np.ndarray], parts: np.ndarray, boxes: np.ndarray) -> CellBoxes:
    """Boxes within cells.

    Args:
        cells: the ink of each cell, float [H, W], 0 = paper.
        parts: bool [N, 4], which slots a character has.
        boxes: float [N, 4, 4] in [0, 1], where components are drawn.

    Returns:
        CellBoxes.
    """
    whole = np.stack([ink_box(cell) for cell in cells])
    components = np.zeros([len(parts), SLOTS, 4], np.float32)
    for place, used in enumerate(parts):
        if used.any() and whole[place].any():
            components[place, used] = fitted(boxes[place, used], whole[place])
    return CellBoxes(whole, components)


def _moved(boxes: np.ndarray, left: Any, scale: Any) -> np.ndarray:
    """Boxes in cells at the places of these: int32, zeros stay."""
    there = boxes[..., 2:3] > boxes[..., :1]
    across = left + boxes[..., ::2] * scale
    moved = np.stack([np.floor(across[..., 0]), boxes[..., 1], np.ceil(across[..., 1]), boxes[..., 3]], -1)
    return np.where(there, moved, 0).astype(np.int32)


def boxes_of(writer: Writer, texts: str | Sequence[str], **how: Any) -> list[LineBoxes]:
    """Boxes of the lines that `writer.write_lines(texts, **how)` writes."""
    return LineMarker(writer).boxes(texts, **how)
