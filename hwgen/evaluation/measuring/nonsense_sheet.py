"""The sheet of nonsense glyphs: each as it was written, beside it what was asked, its components in print
in the boxes of its structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from hwgen.data.scribe import fonts
from hwgen.inference import picture_files

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset

_CELL_PX, _GAP_PX, _FRAME_PX = 64, 14, 1
_CODE_PX = 10  # size of the code point of a component that the font lacks


def draw_plan(charset: Charset, glyph: str) -> np.ndarray:
    """What a sequence asks for.

    Args:
        charset: Charset.
        glyph: str, a sequence.

    Returns:
        uint8 [64, 64], 255 = paper: the boxes of the structure, in each its component, in a printed font
        whose em box is the box; its code point where the font lacks it.
    """
    encoded, font = charset.encode(glyph), fonts.open_font(fonts.FALLBACK)
    picture = Image.new('L', (_CELL_PX, _CELL_PX), 255)
    pen = ImageDraw.Draw(picture)
    for component, box in zip(encoded.component_ids[0], encoded.boxes[0], strict=True):
        if not component:
            continue
        x0, y0, x1, y1 = (round(float(side) * (_CELL_PX - _FRAME_PX)) for side in box)
        pen.rectangle((x0, y0, x1, y1), outline=200)
        name, width, height = charset.components[component], x1 - x0, y1 - y0
        if name in font.characters:
            mask = font.mask(name, em_px=_CELL_PX, pad_px=0)
            ink = Image.fromarray(255 - mask).resize(
                (max(1, width), max(1, height)), Image.Resampling.LANCZOS
            )
            # Boxes overlap where one component surrounds another.
            picture.paste(
                ImageChops.darker(ink, picture.crop((x0, y0, x0 + ink.width, y0 + ink.height))), (x0, y0)
            )
        else:
            told = f'{ord(name):X}' if len(name) == 1 else name
            pen.text(
                (x0 + _FRAME_PX + 1, y0 + _FRAME_PX + 1),
                told,
                font=ImageFont.load_default(_CODE_PX),
                fill=120,
                anchor='lt',
            )
    return np.asarray(picture)


def draw_sheet(
    charset: Charset,
    units: Sequence[Sequence[str]],
    images: Sequence[np.ndarray],
    *,
    columns: int = 7,
    count: int = 56,
) -> np.ndarray:
    """The first glyphs of the lines.

    Args:
        charset: Charset.
        units: list of tuple of str, sequences of each line.
        images: list of uint8 [H, W], the lines, their characters in cells of one width.
        columns: int, pairs of glyph and plan in a row.
        count: int, glyphs at most.

    Returns:
        uint8 [H, W].
    """
    pairs: list[np.ndarray] = []
    for line, image in zip(units, images, strict=True):
        for glyph, cell in zip(line, np.split(image, len(line), axis=1), strict=True):
            if len(pairs) < count:
                written = np.asarray(
                    Image.fromarray(np.ascontiguousarray(cell)).resize(
                        (_CELL_PX, _CELL_PX), Image.Resampling.BICUBIC
                    )
                )
                pairs.append(
                    np.pad(
                        np.concatenate([written, draw_plan(charset, glyph)], axis=1),
                        [(0, 0), (0, _GAP_PX)],
                        constant_values=255,
                    )
                )
    rows = [np.concatenate(pairs[start : start + columns], axis=1) for start in range(0, len(pairs), columns)]
    return picture_files.stack(rows)
