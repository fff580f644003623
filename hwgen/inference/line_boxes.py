"""Where in the picture of a written line the ink of each character and of each of its components is.

The writer knows which character it writes into which cell, so the box of a character is that of the ink in
its cell, at the place to which the cell is moved. Which of that ink is a component's it is asked: the
character is written again without the drawing of one component, in the same hand and with the same noise, and
each pixel belongs to the component without which it is lightened most (occlusion: Zeiler and Fergus 2014,
section 4.2).
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
_OWN = 0.1  # of black: a component owns what is so much lighter without it
_STRAY = 0.02  # of a component's ink, on each side, that does not widen its box: pixels beside the strokes


class LineBoxes(NamedTuple):
    """Boxes of a written line, px x0, y0, x1, y1 in its picture as it is written; zeros where there is no
    ink.

    Attributes:
        characters: int32 [N, 4], the ink of each character.
        components: int32 [N, 4, 4], the ink of the component in each slot; zeros where a slot is unused.
    """

    characters: np.ndarray
    components: np.ndarray


class CellBoxes(NamedTuple):
    """Boxes within the cells of characters, px: float32 [N, 4] and [N, 4, 4], as those of `LineBoxes`."""

    characters: np.ndarray
    components: np.ndarray


def ink_box(ink: np.ndarray, *, stray: float = 0.0, darkest: float | None = None) -> np.ndarray:
    """The box of ink.

    Args:
        ink: float [H, W], 0 = paper, 1 = black; less than INK of its darkest is paper.
        stray: share of it, on each of the four sides, that may lie outside.
        darkest: of the character that the ink is a part of; None: of the ink itself.

    Returns:
        float32 [4], x0, y0, x1, y1; zeros where there is none.
    """
    level = max(INK * (ink.max() if darkest is None else darkest), _PAPER)
    ink = np.where(ink >= level, ink, 0.0).astype(np.float64)
    total = ink.sum()
    if not total:
        return np.zeros(4, np.float32)
    ends = []
    for axis in (0, 1):
        grown = np.cumsum(ink.sum(axis)) / total
        first = int(np.searchsorted(grown, stray, side='right'))
        last = int(np.searchsorted(grown, 1.0 - max(stray, 1e-9), side='left'))
        ends.append((first, max(last, first) + 1))
    (x0, x1), (y0, y1) = ends
    return np.array([x0, y0, x1, y1], np.float32)


def owned(ink: np.ndarray, without: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The ink of each component of a character.

    Args:
        ink: float [H, W], of the character, 0 = paper.
        without: the same without each of its components.

    Returns:
        list of float [H, W], as many: the ink of the pixels that lose most without that component.
    """
    losses = np.stack([ink - other for other in without])
    owner = losses.argmax(0)
    return [np.where((owner == number) & (loss > _OWN), ink, 0.0) for number, loss in enumerate(losses)]


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
                spec([None, SLOTS], tf.float32),
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
        inputs = inputs_of([window], 1, window.last - window.first, self._writer.character_noise_dim)
        return self.in_cells(*inputs, own=own)

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
        slots = [slot for slot in range(SLOTS) if (parts[:, slot] & (parts.sum(1) > 1)).any()]
        left_out = np.concatenate([np.zeros([1, SLOTS]), np.eye(SLOTS)[slots]]).astype(np.float32)
        inputs = tf.nest.map_structure(
            lambda value: tf.repeat(tf.convert_to_tensor(value), len(left_out), axis=0),
            (characters, style, noise),
        )
        images, log_advances = self._generate(*inputs, left_out)
        pictures = images.numpy()[..., 0]  # B x H x (N w) x 1 -> B x H x (N w)
        inks = [
            [(1.0 - cell) / 2.0 for cell in np.split(picture, picture.shape[1] // width, axis=1)[own]]
            for picture in pictures
        ]
        return cell_boxes(inks, parts, slots, separable=self.separable), np.exp(log_advances.numpy()[0, own])

    @property
    def separable(self) -> bool:
        """Whether the model draws each component on its own (not as whole characters, or in sequence)."""
        encoder = type(self._writer.generator.content_encoder)
        return 'without' in vars(encoder)

    def _draw(self, characters, style, noise, left_out):
        generator = self._writer.generator
        encoder = generator.content_encoder
        embedded = encoder.embed(characters)
        parted = encoder.without(embedded, left_out)
        image = generator.draw(
            encoder.features(embedded if parted is None else parted, style=generator.content_style(style)),
            style,
            lengths=characters.lengths,
            blank=generator.blank(characters),
            character_noise=noise,
        )
        if self._writer.layout == 'spaced':
            return image, generator.log_advances(characters, style, noise)
        even = tf.math.log(self._writer.char_width_px / self._writer.char_px)
        return image, tf.fill(tf.shape(characters.structure_ids), tf.cast(even, tf.float32))

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


def cell_boxes(
    inks: Sequence[Sequence[np.ndarray]], parts: np.ndarray, slots: Sequence[int], *, separable: bool
) -> CellBoxes:
    """Boxes within cells.

    Args:
        inks: of the line, and of the line without each of `slots`, the ink of each cell: float [H, W].
        parts: bool [N, 4], which slots a character has.
        slots: those that were left out.
        separable: what was written without a slot differs; else a component of several has no box.

    Returns:
        CellBoxes.
    """
    whole = np.stack([ink_box(cell) for cell in inks[0]])
    components = np.zeros([len(parts), SLOTS, 4], np.float32)
    for place, own in enumerate(parts):
        used = np.flatnonzero(own).tolist()
        if len(used) == 1:
            components[place, used[0]] = whole[place]
        elif used and separable:
            without = [inks[1 + slots.index(slot)][place] for slot in used]
            for slot, ink in zip(used, owned(inks[0][place], without), strict=True):
                components[place, slot] = ink_box(ink, stray=_STRAY, darkest=inks[0][place].max())
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
