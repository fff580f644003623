"""A simulator of handwriting from fonts as a system to compare with: Handright (github.com/Gsllchb/Handright,
BSD-2-Clause), with the project's own fonts.

It moves, turns and sizes characters at random, and then each connected piece of ink. Its parameters are its
own defaults for a font of 100 px, those of its Quick Start: standard deviations of 100 / 64 px for the size
of a character, 100 / 32 px for its place along and across the line, 100 / 32 px for the place of a piece of
ink, and 0.07 rad for its turn.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageFont

from hwgen.charset.normal_form import plain
from hwgen.data.scribe import fonts
from hwgen.inference.description import DEFAULT_TRUNCATION

FONT_PX = 100
_MARGIN_PX = 5  # of paper around the ink
# what a line whose ink leaves more room keeps of its cells: all but this, so that 一 is not enlarged and a
# comma keeps its place
_INSET_PX = 8
_ROOM_PX = 300  # around the line while it is drawn: no random move reaches further
# of the line's length above and below it: a piece of ink as long as the line, turned by four standard
# deviations
_ROOM_SHARE = 0.3
_INK_BELOW = 255  # grey level
_STREAM = 0x4A12D


class SimulatorUnavailableError(ImportError):
    """Handright is not installed; the message has the command that installs it."""


class FontSimulator:
    """Writes lines with Handright.

    A style seed draws the font and all that varies; there is no style vector and no truncation.

    Args:
        char_px, char_width_px: int, size of the cells that its lines are compared in, px.

    Attributes:
        description: dict of JSON values: version, fonts, parameters.

    Raises:
        SimulatorUnavailableError: Handright is not installed.
    """

    def __init__(self, *, char_px: int = 32, char_width_px: int = 32):
        import importlib.metadata

        try:
            import handright  # optional
        except ImportError:
            raise SimulatorUnavailableError(
                'handright is not installed: pip install --no-deps "handright>=8.2,<8.3", in a checkout'
                ' simply start bin/evaluate without HWGEN_VENV'
            ) from None
        self._handright, self.char_px, self.char_width_px = handright, char_px, char_width_px
        self._fonts = fonts.default_fonts('chinese')
        self.description = {
            'system': f'handright {importlib.metadata.version("handright")}',
            'fonts': list(self._fonts),
            'font_px': FONT_PX,
            'parameters': 'defaults',
        }

    def write(
        self,
        texts: Sequence[str],
        *,
        style_seeds: Any,
        styles: Any = None,
        truncation: float = DEFAULT_TRUNCATION,
    ) -> list[np.ndarray]:
        """Writes lines.

        Args:
            texts: list of str.
            style_seeds: sequence of int >= 0, one a text.
            styles: None.
            truncation: float, of no effect.

        Returns:
            list of uint8 [H, W], 255 = paper, cut to the ink with a margin of 5 px, no narrower than the
            line's cells but for 8 px; a character is about 100 px high.

        Raises:
            ValueError: style vectors; a text that no font can write, naming the character and its place.
        """
        if styles is not None:
            raise ValueError('handright writes in no given hand: expected style seeds alone')
        return [self._write_line(text, int(seed)) for text, seed in zip(texts, style_seeds, strict=True)]

    def _write_line(self, text, seed):
        text = plain(text)
        font = _sized(self._choose_font(text, seed), FONT_PX)
        length = round(sum(font.getlength(character) for character in text))
        top, left = _ROOM_PX + round(_ROOM_SHARE * length), _ROOM_PX
        size = round(length + FONT_PX / 4 * len(text)) + 2 * left + 2 * FONT_PX, 2 * top + FONT_PX
        template = self._handright.Template(
            background=Image.new('L', size, 255), font=font, top_margin=top, left_margin=left
        )
        (page,) = self._handright.handwrite(text, template, seed=seed)
        return _cut(np.asarray(page), cells=(left, top, left + length, top + FONT_PX))

    def _choose_font(self, text, seed):
        """The first font of the seed's order that has all characters."""
        order = [
            self._fonts[place]
            for place in np.random.default_rng([seed, _STREAM]).permutation(len(self._fonts))
        ]
        missing = {
            name: [
                place
                for place, character in enumerate(text)
                if character not in fonts.open_font(name).characters
            ]
            for name in order
        }
        chosen = next((name for name in order if not missing[name]), None)
        if chosen is None:
            place = missing[fonts.FALLBACK][0]
            raise ValueError(
                f'{text!r}, position {place}: {text[place]!r} U+{ord(text[place]):04X}: in no font that'
                ' handright writes with'
            )
        return chosen


class _SizedFont(ImageFont.FreeTypeFont):
    """A font whose other sizes are opened once: Handright asks for one with every character."""

    def font_variant(self, *, size):
        return _sized(self.hwgen_name, size)


@functools.lru_cache(maxsize=256)
def _sized(name, size):
    font = _SizedFont(str(fonts.open_font(name).path), size, layout_engine=ImageFont.Layout.BASIC)
    font.hwgen_name = name
    return font


def _cut(page, *, cells):
    """The ink and a margin around it, and at least the box of the line's cells (x0, y0, x1, y1 px) without
    its rim.
    """
    ink = page < _INK_BELOW
    kept = []
    for found, low, high in ((ink.any(axis=0), cells[0], cells[2]), (ink.any(axis=1), cells[1], cells[3])):
        places = np.flatnonzero(found)
        ends = (places[0] - _MARGIN_PX, places[-1] + 1 + _MARGIN_PX) if places.size else (high, low)
        kept.append(slice(min(low + _INSET_PX, ends[0]), max(high - _INSET_PX, ends[1])))
    return page[kept[1], kept[0]]
