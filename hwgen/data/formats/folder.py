"""A plain folder of line images with a table of labels: a line `path TAB text` each, as PaddleOCR's label.txt, or JSON Lines.

The writer is the third column where there is one, else the sub-folder that the image lies in, else unknown. A table named
*.jsonl has an object a line instead: {"path": "a.png", "text": "...", "writer": "..."}, the writer where it is known; the
names file_name (Hugging Face's metadata.jsonl) and image are read for path, and label for text.
"""

import functools
import json
import pathlib
import struct
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hwgen.data.formats.samples import MAX_LINE_PIXELS, FormatError, refuse_or_raise


# Not all that Pillow knows: some of its readers call other programs (EPS), some take any bytes for an image (TGA).
_FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP', 'PPM', 'GIF', 'WEBP', 'JPEG2000', 'AVIF')


class LabelledImage(NamedTuple):
    """A row of the table.

    Attributes:
        path: pathlib.Path of the image.
        text: str.
        writer: str, '' where unknown.
        row: int, its number in the table, from 1.
    """

    path: pathlib.Path
    text: str
    writer: str
    row: int


def read_folder(folder, *, labels='labels.tsv', refuse=None):
    """The rows of a table of labels.

    Args:
        folder: path that the images' paths start from.
        labels: path of the table, in `folder` unless absolute. UTF-8, no header; empty rows and rows that start with
            # and hold no TAB are left out.
        refuse: function of a FormatError, told of rows of another shape; None: it is raised.

    Yields:
        LabelledImage.

    Raises:
        FileNotFoundError: no folder or no table.
        FormatError: a table that is no UTF-8, or `refuse` is None and a row of another shape; names file, row and byte.
    """
    folder = pathlib.Path(folder)
    table = folder / labels
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder; expected one with images and {pathlib.Path(labels).name}')
    if not table.is_file():
        raise FileNotFoundError(f'{table}: no such file; expected rows "path TAB text"')
    try:
        rows = table.read_text(encoding='utf-8-sig').split('\n')
    except UnicodeDecodeError as error:
        raise FormatError(f'{table}, byte {error.start}: no UTF-8; convert the table to it', reason='text') from error
    for number, row in enumerate(rows, 1):
        row = row.rstrip('\r')
        if not row.strip() or row.startswith('#') and '\t' not in row:
            continue
        columns = _json_columns(row) if table.suffix.lower() == '.jsonl' else row.split('\t')
        problem = _problem(columns, row)
        if problem:
            refuse_or_raise(FormatError(f'{table}, row {number}: {problem}', reason='table'), refuse)
            continue
        path = pathlib.PurePath(columns[0].strip())
        writer = columns[2].strip() if len(columns) == 3 else path.parent.as_posix().removeprefix('.')
        yield LabelledImage(path=folder / path, text=columns[1].strip(), writer=writer, row=number)


def _problem(columns, row):
    """What is wrong with the columns of a row, or None."""
    if columns is None:
        return f'{row[:60]!r}, expected {{"path": "...", "text": "..."}}'
    if len(columns) not in (2, 3) or not columns[0].strip():
        return f'{len(columns)} columns, expected path TAB text (TAB writer)'
    return None


def _json_columns(row):
    """Path, text and, where it is there, writer of an object; None where the row is none with both."""
    try:
        fields = json.loads(row)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    found = [next((fields[name] for name in names if name in fields), None)
             for names in (('path', 'file_name', 'image'), ('text', 'label'), ('writer',))]
    columns = [str(value) if isinstance(value, (str, int)) and _is_text(str(value)) else None for value in found]
    if None in columns[:2] or columns[2] is None and found[2] is not None:
        return None
    return columns if columns[2] is not None else columns[:2]


def _is_text(value):
    """Whether it has no half of a pair of surrogates, which JSON can name and nothing can write."""
    return not any('\ud800' <= character <= '\udfff' for character in value)


@functools.cache
def _formats():
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def read_image(path, *, name=None, max_pixels=MAX_LINE_PIXELS):
    """A line image: PNG, JPEG, TIFF, BMP, PGM, GIF, WebP, JPEG 2000 or, where Pillow has it, AVIF.

    Args:
        path: path, or a binary file object.
        name: str, what messages call it; None: the path.
        max_pixels: int, larger ones are refused before they are decompressed.

    Returns:
        uint8 [H, W], 255 = paper; what is transparent is paper.

    Raises:
        OSError: no such file, no image, damaged, too large.
    """
    name = path if name is None else name
    try:
        with warnings.catch_warnings(action='ignore'), Image.open(path, formats=_formats()) as image:
            if image.width * image.height > max_pixels:
                raise OSError(f'{image.width} x {image.height} px, expected at most {max_pixels} pixels')
            image = ImageOps.exif_transpose(image)
            if image.mode in ('I', 'I;16', 'I;16B', 'I;16L'):
                return (np.asarray(image) // 257).clip(0, 255).astype(np.uint8)  # 16 bit -> 8 bit
            if image.mode in ('RGBA', 'LA', 'PA') or 'transparency' in image.info:
                image = image.convert('RGBA')
                image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
            return np.array(image.convert('L'))
    except FileNotFoundError:
        raise FileNotFoundError(f'{name}: no such image') from None
    except UnidentifiedImageError:  # its own message has the address of what was read
        raise OSError(f'{name}: no readable image (none of {", ".join(_formats())})') from None
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, struct.error, Image.DecompressionBombError) as error:
        raise OSError(f'{name}: no readable image ({error})') from error
