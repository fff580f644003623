"""Picture files: the formats that are read, the files of a folder that have them, and their pixels as grey
levels.
"""

import contextlib
import functools
import os
import pathlib
import struct
import warnings
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from hwgen.charset.printable import printable
from hwgen.data.formats.pixel_range import grey_levels
from hwgen.data.formats.samples import MAX_LINE_PIXELS

# Not all that Pillow knows: some of its readers call other programs (EPS), some take any bytes for an image
# (TGA).
FORMATS = {
    'PNG': 'PNG',
    'JPEG': 'JPEG',
    'TIFF': 'TIFF',
    'BMP': 'BMP',
    'PPM': 'PNM',
    'GIF': 'GIF',
    'WEBP': 'WebP',
    'JPEG2000': 'JPEG 2000',
    'AVIF': 'AVIF',
}
# What people have pictures of writing in, and is not read.
_OTHER_SUFFIXES = frozenset(
    """.ai .arw .cr2 .cr3 .dcm .dds .dib .djv .djvu .dng .emf .eps .exr .fits .heic .heics .heif .hif .ico
    .jb2 .jbig2 .jng .jp3 .jpm .jxl .jxr .mpo .nef .orf .pam .pcx .pdf .ps .psb .psd .qoi .raf .ras .rw2 .sgi
    .svg .svgz .tga .wdp .wmf .xbm .xcf .xpm""".split()
)
_TEXT_SUFFIXES = frozenset('.csv .htm .html .json .jsonl .log .md .tsv .txt .xml .yaml .yml'.split())
SHEET, REPORT = 'sheet.png', 'report.json'  # what stands beside shards
_NEW_SUBFILE_TYPE, _PHOTOMETRIC, _BITS, _SAMPLE_FORMAT, _ORIENTATION = 254, 262, 258, 339, 274  # tags of TIFF


@functools.cache
def _formats():
    """Those of FORMATS that this Pillow has."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@functools.cache
def suffixes() -> frozenset[str]:
    """The suffixes of pictures that are read, '.png' and so on: frozenset."""
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in _formats())


def expected_formats() -> str:
    """The formats for messages: 'PNG, JPEG, ...'."""
    return ', '.join(FORMATS[name] for name in _formats())


def find_images(folder: pathlib.Path) -> tuple[list[pathlib.Path], list[str]]:
    """The pictures of a folder and its sub-folders; nothing hidden, nor the sheet of a folder of records that
    was written into it.

    Args:
        folder: pathlib.Path.

    Returns:
        (list of pathlib.Path in their order, list of str: files that look like pictures and are none of
        those, with what they are).
    """
    found, others = [], []
    for path in sorted(folder.rglob('*')):
        inner = path.relative_to(folder)
        if (
            any(part.startswith('.') for part in inner.parts)
            or not path.is_file()
            or path.name == SHEET
            and path.with_name(REPORT).is_file()
        ):
            continue
        if path.suffix.lower() in suffixes():
            found.append(path)
        elif looks := _looks_like(path):
            others.append(f'{inner} ({looks})')
    return found, others


def _looks_like(path):
    """What kind of picture a file is whose suffix is none of ours; '' where it seems to be none."""
    suffix = path.suffix.lower()
    if suffix in _TEXT_SUFFIXES:
        return ''
    if suffix in _OTHER_SUFFIXES:
        return f'{suffix[1:].upper()} is not read'
    try:
        # Two letters make a BMP or PNM: words of a text may begin with them.
        with (
            warnings.catch_warnings(action='ignore'),
            Image.open(path, formats=[name for name in _formats() if name not in ('BMP', 'PPM')]) as image,
        ):
            return f'{FORMATS.get(image.format, image.format)} without its suffix'
    except Exception:  # whatever a reader makes of a file that nobody said was a picture
        return ''


def read_image(
    path: str | os.PathLike[str] | BinaryIO, *, name: str | None = None, max_pixels: int = MAX_LINE_PIXELS
) -> np.ndarray:
    """A line image, of one of FORMATS (AVIF where Pillow has it) and of any depth: see `pixel_range`.

    Args:
        path: path, or a binary file object.
        name: str, what messages call it; None: the path.
        max_pixels: int, larger ones are refused before they are decompressed.

    Returns:
        uint8 [H, W], 255 = paper; what is transparent is paper.

    Raises:
        OSError: no such file, no image, damaged, too large, several pages or frames, or values whose range
            cannot be told.
    """
    name = printable(path) if name is None else name
    try:
        if not hasattr(path, 'read') and os.path.exists(path) and not os.path.isfile(path):
            raise OSError('no regular file')  # one would wait for what comes through a pipe
        # Opened here: where Pillow is given a path it maps plain TIFFs, and those that lie on their side come
        # out scrambled (13.0).
        with (
            contextlib.nullcontext(path) if hasattr(path, 'read') else open(path, 'rb') as file,
            warnings.catch_warnings(action='ignore'),
            Image.open(file, formats=_formats()) as image,
        ):
            if image.width * image.height > max_pixels:
                raise OSError(f'{image.width} x {image.height} px, expected at most {max_pixels} pixels')
            if (count := _count_pictures(image)) > 1:
                raise OSError(f'{count} pages or frames, expected a single picture')
            # Pillow keeps the high bytes alone
            deep = _deep_colours(file, image.size) if _has_deep_colours(image, file) else None
            if deep is not None:
                # OpenCV turns TIFF itself
                return grey_levels(deep) if image.format == 'TIFF' else _turned(grey_levels(deep), image)
            if image.mode[0] in 'IF':
                return _single_channel(image)
            shown: Image.Image = ImageOps.exif_transpose(image)
            if shown.mode in ('RGBA', 'LA', 'PA') or 'transparency' in shown.info:
                shown = shown.convert('RGBA')
                shown = Image.alpha_composite(Image.new('RGBA', shown.size, 'white'), shown)
            grey = np.array(shown.convert('L'))
            if image.format == 'JPEG' and (lost := _lost_rows(grey)):
                raise OSError(f'damaged: its last {lost} of {len(grey)} rows are missing')
            # a mask: ink 0, paper 1
            return grey_levels(grey) if grey.max(initial=0) == 1 and not grey.min() else grey
    except FileNotFoundError:
        raise FileNotFoundError(f'{name}: no such image') from None
    except UnidentifiedImageError:  # its own message has the address of what was read
        raise OSError(f'{name}: no readable image (none of {expected_formats()})') from None
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        OverflowError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        raise OSError(f'{name}: no readable image ({error})') from error


def _count_pictures(image):
    """Pages or frames of an open file; small copies of its first, as TIFF may have them, are none."""
    count = getattr(image, 'n_frames', 1)
    if count == 1 or image.format != 'TIFF':
        return count
    for page in range(1, count):
        image.seek(page)
        count -= image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & 1
    image.seek(0)
    return count


def _lost_rows(grey):
    """Rows at the lower end of a decoded JPEG that its file did not hold: the decoder fills them with its
    middle grey, and does not say so.
    """
    filled = (grey == 128).all(1)
    lost = len(filled) if filled.all() else int(np.argmin(filled[::-1]))
    return lost if 8 <= lost < len(filled) else 0


def _single_channel(image):
    """uint8 [H, W] of a grey picture of more than 8 bits, upright."""
    tags = dict(image.tag_v2) if image.format == 'TIFF' else {}
    values = np.asarray(ImageOps.exif_transpose(image))
    if values.dtype == np.int32 and tags.get(_BITS) == (32,) and tags.get(_SAMPLE_FORMAT, (1,)) == (1,):
        values = values.view(np.uint32)  # Pillow has no such picture
    transparent = image.info.get('transparency')
    grey = grey_levels(values, white_is_zero=tags.get(_PHOTOMETRIC) == 0)
    return np.where(values == transparent, np.uint8(255), grey) if isinstance(transparent, int) else grey


def _has_deep_colours(image, file):
    """Whether it has colours of more than 8 bits."""
    if image.mode not in ('RGB', 'RGBA', 'LA') or not image.tile:
        return False
    kind = image.tile[0].args
    if image.format == 'JPEG2000':
        head = _file_bytes(file)
        # SOC and SIZ of the codestream; 42 bytes on, the bits of the first channel, less 1
        place = head.find(b'\xff\x4f\xff\x51')
        return 0 <= place < len(head) - 42 and head[place + 42] & 127 > 7
    if image.format == 'PPM':
        return isinstance(kind, tuple) and kind[-1] > 255
    return image.format in ('PNG', 'TIFF') and ';16' in str(kind)


def _deep_colours(file, size):
    """uint16 [H, W, 3 or 4], blue, green, red and opacity; None where OpenCV cannot read it (damaged, or a
    TIFF that lies on its side).
    """
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        values = cv2.imdecode(np.frombuffer(_file_bytes(file), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    finally:
        logging.setLogLevel(level)
    return (
        values
        if values is not None
        and values.ndim == 3
        and values.shape[1::-1] == size
        and values.shape[2] in (3, 4)
        else None
    )


def _file_bytes(file):
    place = file.tell()
    file.seek(0)
    data = file.read()
    file.seek(place)
    return data


def _turned(grey, image):
    """Grey levels turned as the picture's file says that they are to be shown."""
    turned = Image.fromarray(grey)
    turned.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return np.array(ImageOps.exif_transpose(turned))
