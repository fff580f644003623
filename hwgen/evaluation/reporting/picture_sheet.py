"""Sheets of pictures to look at, as PNG: rows and columns of lines, each 48 px high."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwgen import files
from hwgen.images import to_height
from hwgen.inference import picture_files

_SHEET_PX = 48


def write_sheet(
    path: str | os.PathLike[str],
    rows: Sequence[Sequence[np.ndarray]],
    *,
    heads: Sequence[str] | None = None,
    font: ImageFont.FreeTypeFont | None = None,
) -> None:
    """Writes rows of pictures as a PNG: columns of one width, each picture 48 px high.

    Args:
        path: of the file.
        rows: list of lists of uint8 [H, W], 255 = paper, as many in each.
        heads: list of str, what stands above each column; None: nothing.
        font: PIL font, at most 24 px high, of the heads, which need one.
    """
    if heads is not None and font is not None:
        rows = [[head_picture(head, font) for head in heads], *rows]
    rows = [[to_height(picture, _SHEET_PX) for picture in row] for row in rows]
    widths = [max(row[column].shape[1] for row in rows) + _SHEET_PX for column in range(len(rows[0]))]
    lines = [
        np.concatenate(
            [
                np.pad(picture, [(0, 0), (0, width - picture.shape[1])], constant_values=255)
                for picture, width in zip(row, widths, strict=True)
            ],
            axis=1,
        )
        for row in rows
    ]
    files.write_file(str(path), picture_files.encode_png(picture_files.stack(lines)))


def head_picture(head: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Words as a picture of a sheet's height.

    Args:
        head: str.
        font: PIL font, at most 24 px high.

    Returns:
        uint8 [48, W].
    """
    picture = Image.new('L', (max(1, round(font.getlength(head))), _SHEET_PX), 255)
    ImageDraw.Draw(picture).text((0, _SHEET_PX - 6), head, font=font, fill=90, anchor='ls')
    return np.asarray(picture)
