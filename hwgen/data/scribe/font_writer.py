"""A simulated writer who writes with a font: habits drawn once, varied a little with every character.

Lines are thin pen strokes for most writers and a brush for some (`glyphs.py`), on white paper.
`docs/scribe.md` has the ranges as measured on the result, beside those of scanned handwriting.
"""

import functools
from collections.abc import Sequence

import cv2
import numpy as np

from hwgen.data.scribe import glyphs
from hwgen.data.scribe.fonts import default_fonts, open_font
from hwgen.data.scribe.habits import BEND_NODES, draw_habits
from hwgen.data.scribe.written_line import WrittenLine

_STREAM = 0x5C121BE  # keeps these random streams apart from others of the same seed
_JITTER_NODES = 11  # side of the grid on which the trembling of the pen is drawn
_PATCH = 1.5  # side of the patch a character is drawn on, em
_EM_OF_HEIGHT = 0.86  # lines are drawn at about the size they are stored in
_LEAST_SPACE = 0.36  # between words, em: several fonts have hardly any
_LEAST_HEIGHT = 0.84  # a line of 一 is not enlarged until it fills the height, em


class FontWriter:
    """Writes lines in one hand.

    Args:
        seed: int >= 0.
        index: int >= 0; (seed, index, script) determine the habits.
        script: 'chinese' | 'latin'.
        fonts: sequence of str to draw the font from, or None for the default ones.

    Attributes:
        habits: Habits.
        name: str, by which records know the writer.

    Raises:
        ValueError: no such script or font.
    """

    def __init__(self, seed: int, index: int, *, script: str = 'chinese', fonts: Sequence[str] | None = None):
        fonts = tuple(fonts) if fonts is not None else default_fonts(script)
        if script not in ('chinese', 'latin') or not fonts:
            raise ValueError(
                f'script {script!r}, fonts {fonts}: expected chinese or latin, and at least one font'
            )
        self.script = script
        self.name = f'{script} {seed}-{index}'
        self.habits = draw_habits(
            np.random.default_rng((_STREAM, seed, index, script == 'latin')), fonts=fonts
        )

    @property
    def characters(self) -> frozenset[str]:
        """What the hand writes in its own letterforms: frozenset of str."""
        return open_font(self.habits.font).characters

    def write_line(self, text: str, rng: np.random.Generator, *, height_px: int = 64) -> WrittenLine:
        """Writes a line.

        Args:
            text: str, N >= 1 characters; those the font lacks are taken from the fallback font.
            rng: numpy Generator, the variation from character to character.
            height_px: int, height of the result.

        Returns:
            WrittenLine, with image and boxes.

        Raises:
            ValueError: empty text; a character that no font has, with its position.
        """
        if not text:
            raise ValueError('text: empty, expected at least one character')
        em_px = _EM_OF_HEIGHT * height_px
        centres, rows = self._places(text, rng)
        margin = em_px  # room for what reaches over the first and last cell
        width = int(np.ceil((centres[-1] + 0.7) * em_px + 2 * margin))
        top = min(rows) - _PATCH / 2
        height = int(np.ceil((max(rows) + _PATCH / 2 - top) * em_px)) + 2
        ink = np.zeros([height, width], np.float32)
        boxes = np.zeros([len(text), 4], np.float32)
        for n, character in enumerate(text):
            x, y = centres[n] * em_px + margin, (rows[n] - top) * em_px
            boxes[n] = self._draw(ink, character, x, y, em_px=em_px, rng=rng, position=n)
        return self._scan(ink, boxes, rng, em_px=em_px, height_px=height_px)

    def _places(self, text, rng):
        """Centres of the characters, em: x from the left edge of the first cell, y downwards around the
        middle of the line.
        """
        habits = self.habits
        cells = np.array([self._cell(c) for c in text])
        cells *= habits.pitch * (1 + np.clip(rng.normal(0, habits.pitch_deviation, len(text)), -0.15, 0.15))
        centres = np.cumsum(cells) - cells / 2
        phase, period = rng.uniform(0, 2 * np.pi), rng.uniform(4, 9)
        rise = np.clip(habits.drift + rng.normal(0, 0.004), -0.03, 0.03) * np.minimum(1, 8 / len(text))
        rows = -rise * (centres - centres.mean()) + habits.sway * np.sin(phase + centres * 2 * np.pi / period)
        return centres, rows + np.clip(rng.normal(0, habits.shift_deviation, len(text)), -0.12, 0.12)

    def _cell(self, character):
        """Width of a character's cell before the pitch is applied: float, em."""
        habits = self.habits
        if self.script == 'latin':
            width = _advance(habits.font, character) * habits.size * habits.aspect
            # Letters keep closer to their natural distance than hanzi.
            return (
                max(width, _LEAST_SPACE if character == ' ' else 0)
                * (0.6 + 0.42 * habits.pitch)
                / habits.pitch
            )
        if character.isascii():
            return habits.narrow * (1.2 if character in 'mwMW%@' else 1)
        return 1.0

    def _draw(self, ink, character, x, y, *, em_px, rng, position):
        """Draws a character centred at x, y px into ink; returns the box of its ink, px."""
        habits = self.habits
        variation = rng.standard_normal(6, np.float32)
        coarse = rng.standard_normal((BEND_NODES, BEND_NODES, 3), np.float32)
        fine = rng.standard_normal((_JITTER_NODES, _JITTER_NODES, 2), np.float32)
        try:
            field = glyphs.fields(habits.font, character)
        except ValueError as error:
            raise ValueError(f'text, position {position}: {error}') from error
        if field is None:
            half = self._cell(character) * habits.pitch / 2 * em_px
            return x - half, y - em_px / 2, x + half, y + em_px / 2
        variation = np.clip(variation, -2, 2)
        side = int(_PATCH * em_px) + 1
        left, top = int(x - side / 2), int(y - side / 2)
        scale = habits.size * (1 + habits.size_deviation * variation[0])
        inverse = self._inverse(scale, variation[1:4])
        coarse[..., :2] *= habits.bend_deviation
        coarse[..., :2] += habits.bend
        coarse[..., 2] *= habits.pressure
        bend = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        shake = cv2.resize(fine * np.float32(habits.jitter), (side, side), interpolation=cv2.INTER_CUBIC)
        # patch px -> em around the character's centre -> em of the upright character -> px of the field
        steps = np.arange(side, dtype=np.float32) + 0.5
        across, down = (steps + left - x) / np.float32(em_px), (steps + top - y) / np.float32(em_px)
        source = bend[..., :2] + shake
        source[..., 0] += inverse[0, 0] * across + (inverse[0, 1] * down)[:, None]
        source[..., 1] += inverse[1, 0] * across + (inverse[1, 1] * down)[:, None]
        source *= glyphs.EM_PX
        source += glyphs.SIDE_PX / 2 - 0.5
        drawn = cv2.remap(
            field, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0)
        )
        # both fields in steps, the widths too
        step = glyphs.STEP_PX / glyphs.EM_PX  # em
        t = habits.brush
        depth = cv2.transform(drawn.astype(np.float32), np.array([[t, 1 - t]], np.float32))
        own = (1 - t) * habits.half_width / step
        depth += bend[..., 2] * (own + t * 0.03 / step)
        depth += own + t * habits.swell / step - glyphs.ZERO
        depth *= scale * step * em_px / habits.softness
        depth += 0.5
        np.clip(depth, 0, 1, out=depth)
        rows, columns = np.flatnonzero(depth.max(1) > 0.3), np.flatnonzero(depth.max(0) > 0.3)
        y0, y1 = max(0, -top), min(side, ink.shape[0] - top)
        x0, x1 = max(0, -left), min(side, ink.shape[1] - left)
        depth *= 1 - abs(habits.grey_deviation * variation[4])
        part = ink[top + y0 : top + y1, left + x0 : left + x1]
        np.maximum(part, depth[y0:y1, x0:x1], out=part)
        if not len(rows):
            return x, y, x, y
        return left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1

    def _inverse(self, scale, variation):
        """float [2, 2]: from the line to the upright character, both em."""
        habits = self.habits
        turn = np.deg2rad(habits.turn + habits.turn_deviation * variation[0])
        slant = habits.slant + habits.slant_deviation * variation[1]
        aspect = habits.aspect * (1 + 0.04 * variation[2])
        rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        forward = rotate @ np.array([[aspect, -slant], [0, 1]]) * scale
        return np.linalg.inv(forward).astype(np.float32)

    def _scan(self, ink, boxes, rng, *, em_px, height_px):
        """Ink on paper: uneven, blurred, cut out and brought to the height; boxes go along."""
        habits = self.habits
        height, width = ink.shape
        grain = rng.standard_normal((max(2, height // 5), max(2, width // 5)), np.float32)
        np.clip(grain, -2, 2, out=grain)
        ink *= 1 - habits.grain * 0.25 * np.abs(
            cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
        )
        ink = cv2.GaussianBlur(ink, (0, 0), habits.blur)
        left, top, right, bottom = self._cut(boxes, rng, em_px=em_px, shape=ink.shape)
        scale = height_px / (bottom - top)
        out_width = max(1, round((right - left) * scale))
        method = cv2.INTER_AREA if scale < 0.8 else cv2.INTER_LINEAR
        ink = cv2.resize(ink[top:bottom, left:right], (out_width, height_px), interpolation=method)
        ink *= -(255 - habits.grey)
        ink += 255.5
        boxes = (boxes - [left, top, left, top]) * [
            out_width / (right - left),
            scale,
            out_width / (right - left),
            scale,
        ]
        limits = [out_width, height_px, out_width, height_px]
        return WrittenLine(ink.astype(np.uint8), np.clip(np.rint(boxes), 0, limits).astype(np.int32))

    def _cut(self, boxes, rng, *, em_px, shape):
        """The rectangle that is kept: the ink and a small margin, at least a line's height, and room for
        the cell of a comma.
        """
        margins = rng.uniform(0.01, 0.07, 4) * em_px
        top, bottom = boxes[:, 1].min(), boxes[:, 3].max()
        missing = max(0, _LEAST_HEIGHT * em_px - (bottom - top))
        middle = (boxes[:, 1] + boxes[:, 3]).mean() / 2
        # What is missing goes to the side where the line's middle leaves more room.
        share = 0.5 if bottom == top else np.clip((bottom - middle) / (bottom - top), 0.3, 0.7)
        edges = [
            boxes[:, 0].min() - margins[0],
            top - missing * (1 - share) - margins[1],
            boxes[:, 2].max() + margins[2],
            bottom + missing * share + margins[3],
        ]
        least = 0.3 * em_px
        for side, n in ((0, boxes[:, 0].argmin()), (2, boxes[:, 2].argmax())):
            x0, _, x1, _ = boxes[n]
            if x1 - x0 < 2 * least:  # a narrow character at the end keeps most of its cell
                room = min(least, self.habits.narrow * em_px / 2)
                middle = (x0 + x1) / 2
                edges[side] = min(edges[0], middle - room) if side == 0 else max(edges[2], middle + room)
        left, top, right, bottom = (int(round(edge)) for edge in edges)
        left, top = max(0, left), max(0, top)
        return left, top, max(left + 1, min(right, shape[1])), max(top + 1, min(bottom, shape[0]))


@functools.lru_cache(maxsize=4096)
def _advance(font_name, character):
    font = open_font(font_name)
    return font.advance(character if character in font.characters else 'n')
