"""The pictures of a hand's lines: found, looked at, made white, cut to their ink, characters counted."""

import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.charset.printable import printable, shown
from hwgen.charset.widths import expected_room
from hwgen.data.formats.folder import LabelledImage, list_images, read_folder
from hwgen.data.formats.image_files import read_image
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.line_cut import count_characters, cut_line
from hwgen.data.preparing.picture_intake import Intake

LABELS = 'labels.tsv'


class HandLine(NamedTuple):
    """A line of the hand.

    Attributes:
        image: uint8 [H, W], 255 = paper, cut to its ink.
        num_characters: int, at least 1.
        text: str, '' where there is no label.
        place: str, the picture, for messages.
    """

    image: np.ndarray
    num_characters: int
    text: str
    place: str


def read_lines(
    images: str, *, labels: str | None, dark: str, cell_aspect: float, report: Callable[[str], Any]
) -> list[HandLine]:
    """Reads the lines.

    Args:
        images: folder of pictures, or a picture.
        labels: see `ImitateSettings`.
        dark: what becomes of light ink on black, see `Intake`.
        cell_aspect: width of the model's cells by their height, for lines without labels.
        report: function of a str, told of what is passed over.

    Returns:
        list of HandLine, at least one; all with a text, or none.

    Raises:
        FormatError: a picture or row that cannot be used, with its place; lines of several writers.
        FileNotFoundError: no such folder, table or picture.
    """
    rows, labelled = _rows(images, labels, report)
    writers = sorted({row.writer for row in rows})
    if len(writers) > 1:
        told = ', '.join(printable(writer) or 'none' for writer in writers[:5])
        raise FormatError(
            f'{printable(images)}: lines of {len(writers)} writers ({told}{" ..." * (len(writers) > 5)}), as'
            ' sub-folders or labels say: expected those of one',
            reason='writer',
        )
    intake, found = Intake(whiten=True, dark=dark), []
    for row in rows:
        try:
            image, _ = intake.take(read_image(row.path))
        except FormatError as error:
            raise FormatError(f'{printable(row.path)}: {error}', reason=error.reason) from None
        count = _count(row.text) if labelled else None
        image = cut_line(image, num_characters=count)
        count = count or count_characters(image, cell_aspect=cell_aspect)
        found.append(HandLine(image, count, row.text, printable(row.path)))
    return found


def room_of(line: HandLine) -> np.ndarray | None:
    """What its characters are parted by, see `charset.widths.expected_room`; None: nobody knows its text."""
    return expected_room(_units(line.text)) if line.text else None


def check_texts(lines: Sequence[HandLine], charset: Charset) -> None:
    """Refuses lines whose texts cannot be learned.

    Raises:
        FormatError: no labels, or a text with a character that is not in the table.
    """
    for line in lines:
        if not line.text:
            raise FormatError(
                f'{line.place}: no label, expected a text for each line to learn from (--labels); without'
                ' --minutes lines need none',
                reason='text',
            )
        try:
            charset.encode(line.text)
        except CharsetError as error:
            raise FormatError(f'{line.place}: {error}; the text: {shown(line.text)}', reason='text') from None


def _rows(images: str, labels: str | None, report: Callable[[str], Any]) -> tuple[list[LabelledImage], bool]:
    """The pictures, and whether they have texts."""
    if os.path.isfile(images):
        if labels is not None:
            raise FormatError(
                f'--labels={labels} with --images={images}, a picture: expected a folder', reason='table'
            )
        return [LabelledImage(pathlib.Path(images), '', '', 1)], False
    found: Iterable[LabelledImage]
    if labels is None and not os.path.isfile(os.path.join(images, LABELS)):
        found, labelled = list_images(images, report=report), False
    else:
        found, labelled = read_folder(images, labels=labels or LABELS, report=report), True
    rows = list(found)
    if not rows:
        raise FormatError(
            f'{printable(os.path.join(images, labels or LABELS))}: no row; expected path TAB text',
            reason='table',
        )
    for row in rows:
        if labelled and not row.text:
            raise FormatError(f'{printable(row.path)}: an empty label, expected its text', reason='text')
    return rows, labelled


def _count(text: str) -> int:
    """Characters of a label, one that is not in the table among them."""
    return max(1, len(_units(text)))


def _units(text: str) -> Sequence[str]:
    """The characters of a label; those of one that is not in the table as they stand."""
    try:
        return Charset.load().encode(text).units
    except CharsetError:
        return tuple(text)
