"""Picture files, and folders of labelled PNGs: where they may go, and how they are put together."""

import contextlib
import errno
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from PIL import Image

from hwgen import files
from hwgen.files import name_place, new_folder
from hwgen.inference import picture_formats
from hwgen.settings.generate import ENLARGING

LABELS = 'labels.tsv'
STYLES = 'styles.tsv'
_OURS = re.compile(
    r'[0-9]{6,}\.(png|xml)|(labels|styles|readings|given_up)\.tsv|boxes\.jsonl|coco\.json'
    r'|.*-[0-9]{5}-of-[0-9]{5}\.tfrecord|.*\.index\.npz|info\.json'
)


def scale(
    image: np.ndarray, height_px: int | None, *, line_px: int | None = None, enlarging: str = 'learned'
) -> np.ndarray:
    """Resizes an image to a height of its lines, keeping its proportions.

    Args:
        image: uint8 [H, W].
        height_px: int, new height of a line in pixels; None for no change.
        line_px: int, height of a line in the image; None: it is one line.
        enlarging: 'learned' or 'cubic', how it grows.

    Returns:
        uint8 [round(H * height_px / line_px), W']: the mean over areas where it shrinks; where it grows, by
        `enlargement`, or by cubic interpolation.

    Raises:
        EnlargerError: no weights to enlarge with.
        ValueError: no such height or way.
    """
    if height_px is not None and height_px < 1:
        raise ValueError(f'height_px={height_px}: expected at least 1')
    if enlarging not in ENLARGING:
        raise ValueError(f'enlarging={enlarging!r}: expected {" or ".join(ENLARGING)}')
    line_px = image.shape[0] if line_px is None else line_px
    if height_px is None or height_px == line_px:
        return image
    height = max(1, round(image.shape[0] * height_px / line_px))
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    if height_px > line_px and enlarging == 'learned':
        from hwgen.inference import enlargement

        large = enlargement.shipped().enlarge(image, height_px, line_px=line_px)[:, :width]
        return np.pad(large, [(0, 0), (0, width - large.shape[1])], constant_values=255)
    import cv2  # here: what is refused is refused sooner without it

    method = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(image, (width, height), interpolation=method)


def stacked_size(sizes: Sequence[tuple[int, int]], *, gap: float = 0.25) -> tuple[int, int]:
    """Width and height of what `stack` gives, in px: list of (W, H) -> (int, int)."""
    height, width = sizes[0][1], max(width for width, _ in sizes)
    return width, (height + round(gap * height)) * (len(sizes) - 1) + height


def stack(images: Sequence[np.ndarray], *, gap: float = 0.25) -> np.ndarray:
    """Puts lines below each other, left-aligned.

    Args:
        images: list of uint8 [H, W_i], lines of one height.
        gap: float, blank space between them in line heights.

    Returns:
        uint8 [H', max W_i]; one image alone is returned as it is.
    """
    height = images[0].shape[0]
    pitch = height + round(gap * height)
    sheet = np.full(stacked_size([image.shape[::-1] for image in images], gap=gap)[::-1], 255, np.uint8)
    for number, image in enumerate(images):
        sheet[number * pitch : number * pitch + height, : image.shape[1]] = image
    return sheet


def encode_png(image: np.ndarray) -> bytes:
    """uint8 [H, W], grey, or [H, W, 3] -> bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, 'PNG')
    return stream.getvalue()


def check_place(path: str | os.PathLike[str], *, overwrite: bool, folder: bool) -> None:
    """Refuses a place for output before any work is done.

    Args:
        path: str, file or folder to be made.
        overwrite: bool, may replace what is there.
        folder: bool, whether a folder is to be made.

    Raises:
        FileExistsError: something is there (and `overwrite` is off, or it is of another kind, or it holds
            files that are not pictures this module writes).
        ValueError: a file whose name is not that of a picture.
        FileNotFoundError, NotADirectoryError, PermissionError: the folder it shall stand in is not there or
            not writable.
    """
    path = os.path.abspath(path)
    parent = os.path.dirname(path)
    if os.path.isdir(path):
        foreign = [name for name in sorted(os.listdir(path)) if not _OURS.fullmatch(name)]
        if not folder:
            raise FileExistsError(errno.EEXIST, 'is a folder, expected the name of a picture file', path)
        if foreign:
            raise FileExistsError(
                errno.EEXIST, f'folder holds other files ({foreign[0]}), expected a new or empty one', path
            )
        if os.listdir(path) and not overwrite:
            raise FileExistsError(errno.EEXIST, 'exists; give --overwrite to replace it', path)
    elif os.path.lexists(path):
        if folder:
            raise FileExistsError(errno.EEXIST, 'is a file, expected the name of a folder', path)
        if not overwrite:
            raise FileExistsError(errno.EEXIST, 'exists; give --overwrite to replace it', path)
    if not folder and not picture_formats.names_picture(path):
        raise ValueError(
            f'{path}: expected a name that ends in {", ".join(picture_formats.FORMATS)} (or a folder, with'
            ' --text_file)'
        )
    nearest = parent
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest):
        raise NotADirectoryError(errno.ENOTDIR, 'is not a folder', nearest)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, 'folder is not writable', nearest)


@contextlib.contextmanager
def reserved(path: str | os.PathLike[str], *, overwrite: bool, folder: bool) -> Iterator[None]:
    """Keeps a place for the work of the block: another command that wants it meanwhile is told so before its
    own work.

    A lock file beside the place says so, for as long as this process lives.

    Args:
        path, overwrite, folder: see `check_place`.

    Raises:
        FileExistsError: another command is writing it, or as `check_place`, which has the last word before
            the work.
    """
    path = os.path.abspath(path)
    check_place(path, overwrite=overwrite, folder=folder)
    with contextlib.ExitStack() as stack:
        lock = os.path.join(os.path.dirname(path), f'.{os.path.basename(path)}.lock')
        try:
            for made in _make_folders(os.path.dirname(path)):
                stack.callback(_remove_empty, made)
            stack.callback(os.close, _lock(lock, path))
        except OSError as error:
            name_place(error, path)
            raise
        stack.callback(_remove, lock)
        check_place(path, overwrite=overwrite, folder=folder)  # another command may just have finished it
        yield


def _lock(lock, path):
    """Makes a lock file and holds it, as a file descriptor."""
    while True:
        fd = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        ours = files.lock(fd)
        if ours is False:
            os.close(fd)
            raise FileExistsError(
                errno.EEXIST,
                'another command is writing it at this moment; expected a place of its own for each',
                path,
            )
        if ours is None:  # the end of the work is as careful
            return fd
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(lock)):
                return fd
        os.close(fd)  # that of a command that has just ended


def _make_folders(path):
    """Makes a folder and those above it; the ones that were made, the highest first."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.makedirs(folder, exist_ok=True)
    return missing[::-1]


def _remove_empty(folder):
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _remove(path):
    with contextlib.suppress(OSError):
        os.unlink(path)


class LineFolder:
    """A folder of pictures with their texts: 000001.png, ..., `labels.tsv` (path TAB text) and `styles.tsv`
    (path TAB seed).

    A context manager around `files.new_folder`: a folder of no picture is an error, and leaves what was
    there.

    Args:
        path: str, the folder.
        replace: bool, see `files.new_folder`.
    """

    def __init__(self, path: str | os.PathLike[str], *, replace: bool = True) -> None:
        self.count = 0
        self._path, self._replace = path, replace
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._folder = stack.enter_context(new_folder(self._path, replace=self._replace))
            self._labels, self._styles = (
                stack.enter_context(
                    open(os.path.join(self._folder, name), 'w', encoding='utf-8', newline='\n')
                )
                for name in (LABELS, STYLES)
            )
            self._stack = stack.pop_all()
        return self

    def add(self, image: np.ndarray, text: str, *, style: object) -> str:
        """Writes the next picture.

        Args:
            image: uint8 [H, W].
            text: str, as it was given (a sequence of components stays one).
            style: what it was written with, such as the seed.

        Returns:
            str, the picture's name.
        """
        name = f'{self.count + 1:06d}.png'
        with open(os.path.join(self._folder, name), 'wb') as file:
            file.write(encode_png(image))
        self._labels.write(f'{name}\t{text}\n')
        self._styles.write(f'{name}\t{style}\n')
        self.count += 1
        return name

    @property
    def folder(self) -> str:
        """The folder as it is being written: what else shall appear with it."""
        return self._folder

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        if kind is None and not self.count:
            empty = ValueError(
                f'{self._path}: nothing was written, expected at least one picture; what was there is'
                ' unchanged'
            )
            self._stack.__exit__(ValueError, empty, None)
            raise empty
        return self._stack.__exit__(kind, error, trace)
