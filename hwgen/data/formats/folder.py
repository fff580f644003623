"""A plain folder of line images with a table of labels: a line `path TAB text` each, as PaddleOCR's label.txt, or JSON Lines.

The writer is the third column where there is one, else the sub-folder that the image lies in, else unknown. A table named
*.jsonl has an object a line instead: {"path": "a.png", "text": "...", "writer": "..."}, the writer where it is known; the
names file_name (Hugging Face's metadata.jsonl) and image are read for path, and label for text.
Images without text need no table: `list_images`.
"""

import json
import pathlib
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps


IMAGE_SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.pgm', '.png', '.tif', '.tiff', '.webp')


class LabelledImage(NamedTuple):
    """A row of the table, or an image without one.

    Attributes:
        path: pathlib.Path of the image.
        text: str, '' without a table.
        writer: str, '' where unknown.
        row: int, its number in the table or, without one, among the images, from 1.
    """

    path: pathlib.Path
    text: str
    writer: str
    row: int


def read_folder(folder, *, labels='labels.tsv'):
    """The rows of a table of labels.

    Args:
        folder: path that the images' paths start from.
        labels: path of the table, in `folder` unless absolute. UTF-8, no header; empty rows and rows that start with
            # and hold no TAB are left out.

    Yields:
        LabelledImage.

    Raises:
        FileNotFoundError: no folder or no table.
        ValueError: a row of another shape; names file and row.
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
        raise ValueError(f'{table}, byte {error.start}: no UTF-8; convert the table to it') from error
    for number, row in enumerate(rows, 1):
        row = row.rstrip('\r')
        if not row.strip() or row.startswith('#') and '\t' not in row:
            continue
        columns = _json_columns(row) if table.suffix.lower() == '.jsonl' else row.split('\t')
        if columns is None:
            raise ValueError(f'{table}, row {number}: {row[:60]!r}, expected {{"path": "...", "text": "..."}}')
        if len(columns) not in (2, 3) or not columns[0].strip():
            raise ValueError(f'{table}, row {number}: {len(columns)} columns, expected path TAB text (TAB writer)')
        path = pathlib.PurePath(columns[0].strip())
        writer = columns[2].strip() if len(columns) == 3 else path.parent.as_posix().removeprefix('.')
        yield LabelledImage(path=folder / path, text=columns[1].strip(), writer=writer, row=number)


def list_images(folder):
    """The images of a folder and its sub-folders, without text, in the order of their paths.

    Args:
        folder: path. Files of other kinds (`IMAGE_SUFFIXES`), and what begins with a dot, are passed over.

    Yields:
        LabelledImage; the writer is the sub-folder.

    Raises:
        FileNotFoundError: no folder, or no image in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder; expected one with images')
    paths = sorted(path.relative_to(folder) for path in folder.rglob('*') if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    paths = [path for path in paths if not any(part.startswith('.') for part in path.parts)]
    if not paths:
        raise FileNotFoundError(f'{folder}: no image in it; expected files {", ".join(IMAGE_SUFFIXES)}')
    for number, path in enumerate(paths, 1):
        yield LabelledImage(path=folder / path, text='', writer=path.parent.as_posix().removeprefix('.'), row=number)


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
    columns = [str(value) if isinstance(value, (str, int)) else None for value in found]
    return None if None in columns[:2] else columns if columns[2] is not None else columns[:2]


def read_image(path, *, name=None, max_pixels=None):
    """A line image of any format that Pillow reads.

    Args:
        path: path, or a binary file object.
        name: str, what messages call it; None: the path.
        max_pixels: int, larger ones are refused before they are decompressed; None: Pillow's own limit.

    Returns:
        uint8 [H, W], 255 = paper; what is transparent is paper.

    Raises:
        OSError: no such file, no image, damaged, too large.
    """
    name = path if name is None else name
    try:
        with Image.open(path) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise OSError(f'{image.width} x {image.height} px, expected at most {max_pixels} pixels')
            image = ImageOps.exif_transpose(image)
            if image.mode in ('I', 'I;16', 'I;16B', 'I;16L'):
                return (np.asarray(image).astype(np.int64) // 257).clip(0, 255).astype(np.uint8)  # 16 bit -> 8 bit
            if image.mode in ('RGBA', 'LA', 'PA') or 'transparency' in image.info:
                image = image.convert('RGBA')
                image = Image.alpha_composite(Image.new('RGBA', image.size, 'white'), image)
            return np.array(image.convert('L'))
    except FileNotFoundError:
        raise FileNotFoundError(f'{name}: no such image') from None
    except (OSError, ValueError, SyntaxError, EOFError, OverflowError, struct.error, Image.DecompressionBombError) as error:
        raise OSError(f'{name}: no readable image ({error})') from error
