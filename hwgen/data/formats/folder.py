"""A plain folder of line images and their texts: a table with a row `path TAB text` each, as PaddleOCR's label.txt, or JSON Lines;
a folder of text files; or the names of the images.

The writer is the third column where there is one, else the sub-folder that the image lies in, else unknown. A row without a TAB is
`path SPACE text`, as in RIMES' tables of words (groundtruth_training_icdar2011.txt). A table named *.jsonl has an object a line
instead: {"path": "a.png", "text": "...", "writer": "..."}, the writer where it is known; the names file_name (Hugging Face's
metadata.jsonl) and image are read for path, and label for text.
Where the labels are a folder, a.png has its text in a.txt or a.gt.txt there (RIMES-2011-Lines: Images, Transcriptions).
A pattern of names may tell writer and text, as of CVL's words, 0052-1-0-0-Imagine.tif: writer, page, line, word, text.
Images without text need no table: `list_images`.

Source: public readers of these sets (github.com/aimagelab/HWD; loaders of groundtruth_training_icdar2011.txt) and descriptions of CVL 1.1.
"""

import functools
import json
import pathlib
import re
import struct
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hwgen.data.formats.samples import MAX_LINE_PIXELS, FormatError, refuse_or_raise

# Not all that Pillow knows: some of its readers call other programs (EPS), some take any bytes for an image (TGA).
_FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP', 'PPM', 'GIF', 'WEBP', 'JPEG2000', 'AVIF')
_IMAGE_SUFFIXES = ('.bmp', '.gif', '.jpeg', '.jpg', '.pgm', '.png', '.tif', '.tiff', '.webp')


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


def read_folder(folder, *, labels='labels.tsv', name_pattern=None, refuse=None):
    """The images of a folder with their texts.

    Args:
        folder: path that the images' paths start from.
        labels: path of the table, or of a folder of text files; in `folder` unless absolute. UTF-8, no header; empty rows and rows
            that start with # and hold no TAB are left out.
        name_pattern: str, a regular expression that the names of the images match, without suffix: its groups `writer` and
            `text` tell them; with a group `text` there are no labels. None: names tell nothing.
        refuse: function of a FormatError, told of rows of another shape, names that do not match and images without a text; None:
            it is raised.

    Yields:
        LabelledImage.

    Raises:
        FileNotFoundError: no folder or no labels.
        ValueError: no such pattern.
        FormatError: a table or text that is no UTF-8, or `refuse` is None and a row of another shape; names file, row and byte.
    """
    folder = pathlib.Path(folder)
    pattern = _compiled(name_pattern)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder; expected one with images and {pathlib.Path(labels).name}')
    if 'text' in pattern.groupindex:
        rows = ((number, path, None, '') for number, path in enumerate(_images(folder), 1))
    elif (folder / labels).is_dir():
        rows = _text_file_rows(folder, folder / labels, refuse)
    else:
        rows = _table_rows(folder, folder / labels, refuse)
    for number, path, text, writer in rows:
        found = pattern.fullmatch(path.stem)
        if found is None:
            refuse_or_raise(FormatError(f'{path}: the name does not match {name_pattern}, expected it to', reason='name'), refuse)
            continue
        told, place = found.groupdict(), path.parent
        inside = place.relative_to(folder) if place.is_relative_to(folder) else place
        yield LabelledImage(path=path, text=told.get('text') or text or '', row=number,
                            writer=writer or told.get('writer') or inside.as_posix().removeprefix('.'))


def _compiled(name_pattern):
    """The pattern; one that matches everything where there is none."""
    if name_pattern is None:
        return re.compile('.*', re.DOTALL)
    try:
        pattern = re.compile(name_pattern, re.DOTALL)
    except re.error as error:
        raise ValueError(f'name pattern {name_pattern!r}: {error}, expected a regular expression') from error
    if not {'writer', 'text'} & pattern.groupindex.keys():
        raise ValueError(f'name pattern {name_pattern!r}: no group (?P<writer>...) or (?P<text>...), expected at least one')
    return pattern


def _images(folder):
    """The images of a folder and its sub-folders; nothing hidden."""
    found = sorted(path for path in folder.rglob('*') if path.suffix.lower() in _IMAGE_SUFFIXES and path.is_file())
    return [path for path in found if not any(part.startswith('.') for part in path.relative_to(folder).parts)]


def _text_file_rows(folder, texts, refuse):
    """(number, path, text, '') of each image with a text file."""
    for number, path in enumerate(_images(folder), 1):
        stem = texts / path.relative_to(folder).with_suffix('')
        file = next((name for name in (stem.with_name(f'{stem.name}.txt'), stem.with_name(f'{stem.name}.gt.txt')) if name.is_file()), None)
        if file is None:
            refuse_or_raise(FormatError(f'{path}: no {stem.name}.txt in {stem.parent}, expected its text', reason='table'), refuse)
            continue
        yield number, path, _utf8(file).strip(), ''


def _table_rows(folder, table, refuse):
    """(number, path, text, writer or '') of each row of a table."""
    if not table.is_file():
        raise FileNotFoundError(f'{table}: no such file; expected rows "path TAB text"')
    for number, row in enumerate(_utf8(table).split('\n'), 1):
        row = row.rstrip('\r')
        if not row.strip() or row.startswith('#') and '\t' not in row:
            continue
        if table.suffix.lower() == '.jsonl':
            columns = _json_columns(row)
        else:
            columns = row.split('\t') if '\t' in row else row.split(' ', 1)
        problem = _problem(columns, row)
        if problem:
            refuse_or_raise(FormatError(f'{table}, row {number}: {problem}', reason='table'), refuse)
            continue
        yield number, folder / columns[0].strip(), columns[1].strip(), columns[2].strip() if len(columns) == 3 else ''


def _utf8(path):
    try:
        return path.read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise FormatError(f'{path}, byte {error.start}: no UTF-8; convert it to that', reason='text') from error


def _problem(columns, row):
    """What is wrong with the columns of a row, or None."""
    if columns is None:
        return f'{row[:60]!r}, expected {{"path": "...", "text": "..."}}'
    if len(columns) not in (2, 3) or not columns[0].strip():
        return f'{len(columns)} columns, expected path TAB text (TAB writer)'
    return None


def list_images(folder):
    """The images of a folder and its sub-folders, without text, in the order of their paths.

    Args:
        folder: path. Files of other kinds, and what begins with a dot, are passed over.

    Yields:
        LabelledImage; the writer is the sub-folder.

    Raises:
        FileNotFoundError: no folder, or no image in it.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'{folder}: no such folder; expected one with images')
    paths = _images(folder)
    if not paths:
        raise FileNotFoundError(f'{folder}: no image in it; expected files {", ".join(_IMAGE_SUFFIXES)}')
    for number, path in enumerate(paths, 1):
        yield LabelledImage(path=path, text='', writer=path.parent.relative_to(folder).as_posix().removeprefix('.'), row=number)


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
