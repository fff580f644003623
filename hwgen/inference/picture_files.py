"""Picture files: PNGs and folders of labelled PNGs that appear whole or not at all.

Everything is written under a temporary name beside its place and renamed when complete, so that a full disk, an error
or an interruption leaves what was there before.
"""

import contextlib
import errno
import io
import os
import re
import shutil
import tempfile

import cv2
import numpy as np
from PIL import Image

LABELS = 'labels.tsv'
STYLES = 'styles.tsv'
_OURS = re.compile(r'[0-9]{6,}\.png|labels\.tsv|styles\.tsv|.*-[0-9]{5}-of-[0-9]{5}\.tfrecord|.*\.index\.npz|info\.json')
MAX_WIDTH_PX = 1_000_000  # libpng reads no wider picture unless asked to


def scale(image, height_px):
    """Resizes an image to a height, keeping its proportions.

    Args:
        image: uint8 [H, W].
        height_px: int, new height in pixels; None for no change.

    Returns:
        uint8 [height_px, W']: the mean over areas where it shrinks, cubic where it grows.
    """
    if height_px is None or height_px == image.shape[0]:
        return image
    width = max(1, round(image.shape[1] * height_px / image.shape[0]))
    method = cv2.INTER_AREA if height_px < image.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height_px), interpolation=method)


def stack(images, *, gap=.25):
    """Puts lines below each other, left-aligned.

    Args:
        images: list of uint8 [H, W_i], lines of one height.
        gap: float, blank space between them in line heights.

    Returns:
        uint8 [H', max W_i]; one image alone is returned as it is.
    """
    height, width = images[0].shape[0], max(image.shape[1] for image in images)
    pitch = height + round(gap * height)
    sheet = np.full([pitch * (len(images) - 1) + height, width], 255, np.uint8)
    for number, image in enumerate(images):
        sheet[number * pitch:number * pitch + height, :image.shape[1]] = image
    return sheet


def check_width(width_px, *, place):
    """Refuses a picture that PNG readers do not accept.

    Raises:
        ValueError: naming the place of its text.
    """
    if width_px > MAX_WIDTH_PX:
        raise ValueError(f'{place}: makes a picture of {width_px:,} px; expected at most {MAX_WIDTH_PX:,} px, the widest that '
                         'PNG readers accept; --page_width breaks a text into lines')


def encode_png(image):
    """uint8 [H, W] -> bytes of a grey PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, 'PNG')
    return stream.getvalue()


def check_place(path, *, overwrite, folder):
    """Refuses a place for output before any work is done.

    Args:
        path: str, file or folder to be made.
        overwrite: bool, may replace what is there.
        folder: bool, whether a folder is to be made.

    Raises:
        FileExistsError: something is there (and `overwrite` is off, or it is of another kind, or it holds files that
            are not pictures this module writes).
        FileNotFoundError, NotADirectoryError, PermissionError: the folder it shall stand in is not there or not
            writable.
    """
    path = os.path.abspath(path)
    parent = os.path.dirname(path)
    if os.path.isdir(path):
        foreign = [name for name in sorted(os.listdir(path)) if not _OURS.fullmatch(name)]
        if not folder:
            raise FileExistsError(errno.EEXIST, 'is a folder, expected the name of a picture file', path)
        if foreign:
            raise FileExistsError(errno.EEXIST, f'folder holds other files ({foreign[0]}), expected a new or empty one', path)
        if os.listdir(path) and not overwrite:
            raise FileExistsError(errno.EEXIST, 'exists; give --overwrite to replace it', path)
    elif os.path.lexists(path):
        if folder:
            raise FileExistsError(errno.EEXIST, 'is a file, expected the name of a folder', path)
        if not overwrite:
            raise FileExistsError(errno.EEXIST, 'exists; give --overwrite to replace it', path)
    if not folder and os.path.splitext(path)[1].lower() != '.png':
        raise ValueError(f'{path}: expected a name that ends in .png (or a folder, with --text_file)')
    nearest = parent
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest):
        raise NotADirectoryError(errno.ENOTDIR, 'is not a folder', nearest)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, 'folder is not writable', nearest)


def write_file(path, data):
    """Writes bytes to a file, whole or not at all; replaces what is there; makes missing folders.

    Raises:
        OSError: naming `path`; what was there before is unchanged.
    """
    path = os.path.abspath(path)
    temporary = None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f'.{os.path.basename(path)}.', dir=os.path.dirname(path))
        with os.fdopen(handle, 'wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        _name_place(error, path)
        raise


@contextlib.contextmanager
def new_folder(path, *, replace=True):
    """A folder that appears when the block ends without an error, and never half-made.

    Args:
        path: str, the folder.
        replace: bool, a folder that is there (see `check_place`) is replaced then; else only an empty one is.

    Yields:
        str, the temporary folder to write into.

    Raises:
        OSError: naming `path`, also for an OSError of the block that is about a file in the temporary folder.
    """
    path, temporary = os.path.abspath(path), None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = tempfile.mkdtemp(prefix=f'.{os.path.basename(path)}.', dir=os.path.dirname(path))
        os.chmod(temporary, 0o777 & ~_umask())
        yield temporary
        if replace:
            _replace_folder(temporary, path)
        else:
            os.rename(temporary, path)
    except BaseException as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        _name_place(error, path)
        raise


class LineFolder:
    """A folder of pictures with their texts: 000001.png, ..., `labels.tsv` (path TAB text) and `styles.tsv` (path TAB seed).

    A context manager around `new_folder`.

    Args:
        path: str, the folder.
    """

    def __init__(self, path):
        self.count = 0
        self._path = path
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._folder = stack.enter_context(new_folder(self._path))
            self._labels, self._styles = (
                stack.enter_context(open(os.path.join(self._folder, name), 'w', encoding='utf-8', newline='\n'))
                for name in (LABELS, STYLES))
            self._stack = stack.pop_all()
        return self

    def add(self, image, text, *, style):
        """Writes the next picture.

        Args:
            image: uint8 [H, W].
            text: str, as it was given (a sequence of components stays one).
            style: what it was written with, such as the seed.
        """
        name = f'{self.count + 1:06d}.png'
        with open(os.path.join(self._folder, name), 'wb') as file:
            file.write(encode_png(image))
        self._labels.write(f'{name}\t{text}\n')
        self._styles.write(f'{name}\t{style}\n')
        self.count += 1

    def __exit__(self, *error):
        return self._stack.__exit__(*error)


def _replace_folder(new, path):
    """Renames the folder `new` to `path`; a folder that is there gives way, and is back if the renaming fails."""
    if not os.path.isdir(path):
        os.rename(new, path)
        return
    old = f'{new}.old'
    os.rename(path, old)
    try:
        os.rename(new, path)
    except BaseException:
        os.rename(old, path)
        raise
    shutil.rmtree(old)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _name_place(error, path):
    """Makes an operating system's error about the temporary file name the user's instead."""
    if isinstance(error, OSError):
        temporary = os.path.join(os.path.dirname(path), f'.{os.path.basename(path)}.')
        if error.filename is None or str(error.filename).startswith(temporary):
            error.filename, error.filename2 = path, None
        if error.errno == errno.ENOSPC:
            error.strerror = 'no space left on the disk; nothing was written, what was there is unchanged'
