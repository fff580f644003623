"""Formats of pictures: which one the name of an output asks for, how large a picture may be, and its
bytes.
"""

from __future__ import annotations

import io
import mimetypes
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    import numpy as np


class Format(NamedTuple):
    """A format that is written: Pillow's name of it, the longest side that its readers take (px), and how
    it is saved.
    """

    name: str
    max_side_px: int
    options: dict
    several: bool = False  # whether one file may hold several pictures


# A pixel of a PDF is 1/96 inch, and no page of one may be longer than 200 inches. Its date would make equal
# pictures unequal files.
_PDF = Format(
    'PDF', 19_200, {'resolution': 96.0, 'quality': 95, 'creationDate': None, 'modDate': None}, several=True
)
_JPEG, _TIFF = (
    Format('JPEG', 65_500, {'quality': 95}),
    Format('TIFF', 1_000_000, {'compression': 'tiff_deflate'}, several=True),
)
FORMATS = {
    '.png': Format('PNG', 1_000_000, {}),
    '.jpg': _JPEG,
    '.jpeg': _JPEG,
    '.webp': Format('WEBP', 16_383, {'lossless': True}),
    '.tif': _TIFF,
    # libpng reads no wider or higher picture unless asked to
    '.tiff': _TIFF,
    '.bmp': Format('BMP', 1_000_000, {}),
    '.pdf': _PDF,
}
MAX_PIXELS = 2 * 89_478_485  # Pillow takes larger pictures for an attack
# Beside what Python knows of pictures, films, sound and texts (`mimetypes`): names that nobody gives to a
# folder.
_FILES = frozenset(
    '.ai .apng .avif .csv .dib .djvu .doc .docx .emf .epub .eps .exr .gz .heic .heif .icns .ico .j2k .jfif'
    ' .jp2 .jpx .json .jsonl .jxl .md .mng .npy .npz .odp .ods .odt .pcx .pptx .ppt .ps .psd .rar .rtf .svgz'
    ' .tar .tex .tfrecord .tfrecords .tga .tgz .wmf .xcf .xls .xlsx .xps .zip .7z'.split()
)


def names_picture(path: str) -> bool:
    """Whether an output is to be a picture file, by its name; else it is a folder, as every name that ends
    with / is.

    Args:
        path: str.

    Returns:
        bool.

    Raises:
        ValueError: the name is that of a file of another kind, or that of standard output.
    """
    if path == '-':
        raise ValueError(
            f'{path}: nothing is written to standard output; expected a name that ends in'
            f' {", ".join(FORMATS)}, or that of a folder ({path}/ is one)'
        )
    suffix = _suffix(path)
    if suffix in FORMATS:
        return True
    kind = mimetypes.MimeTypes().types_map[True].get(suffix, '')
    if suffix in _FILES or kind.partition('/')[0] in ('image', 'video', 'audio', 'text'):
        raise ValueError(
            f'{path}: no {suffix} file is written; expected a name that ends in {", ".join(FORMATS)}, or that'
            f' of a folder ({path}/ is one)'
        )
    return False


def check_folder(path: str, *, flag: str) -> None:
    """Refuses the name of a file for a folder that is not there yet: whoever types it wants something else.

    Args:
        path: str.
        flag: str, what it is the value of.

    Raises:
        ValueError: the name is that of a picture or of another file.
    """
    if os.path.isdir(path):
        return
    try:
        refused = names_picture(path)
    except ValueError:
        refused = True
    if refused:
        raise ValueError(
            f'{flag}={path}: a folder is written, expected the name of one ({path}/ is one, too)'
        )


def format_of(path: str) -> Format:
    """The Format that the name of a picture file asks for."""
    return FORMATS[_suffix(path)]


def _suffix(path):
    return os.path.splitext(os.path.basename(path))[1].lower()


def check_size(width_px: int, height_px: int, *, place: str, advice: str, path: str = 'a.png') -> None:
    """Refuses a picture that readers of its format do not accept, before it is drawn.

    Args:
        width_px, height_px: int.
        place: str, where its text stands.
        advice: str, what to do instead.
        path: str, the file; by default one of a folder.

    Raises:
        ValueError: naming the place of its text.
    """
    kind = format_of(path)
    if max(width_px, height_px) > kind.max_side_px:
        limit = f'{kind.max_side_px:,} px wide and high'
    elif width_px * height_px > MAX_PIXELS:
        limit = f'{MAX_PIXELS:,} pixels in all'
    else:
        return
    raise ValueError(
        f'{place}: makes a picture of {width_px:,} x {height_px:,} px; expected at most {limit}, the largest'
        f' that readers of {kind.name} accept; {advice}'
    )


def encode(images: Sequence[np.ndarray], path: str) -> bytes:
    """Pictures -> the bytes of a file.

    Args:
        images: list of uint8 [H, W]; more than one only where the format takes `several`.
        path: str, the file: its suffix says which format.

    Returns:
        bytes; the same for the same pictures.
    """
    first, *others = [Image.fromarray(image) for image in images]
    kind, stream = format_of(path), io.BytesIO()
    first.save(
        stream, kind.name, **kind.options, **({'save_all': True, 'append_images': others} if others else {})
    )
    return stream.getvalue()
