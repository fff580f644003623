"""What the readers of foreign formats give: pictures, or ink (pen strokes), each with its text; and their
one exception.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np

# A page of CASIA scanned at 300 dpi has 9 million pixels, a line of it less than one: what is larger than
# this is no line.
MAX_LINE_PIXELS = 1 << 24
UNKNOWN_CHARACTER = '�'  # stands in a text for a code that decodes to nothing


class Picture(NamedTuple):
    """A character, word or line of pixels.

    Attributes:
        image: uint8 [H, W], 255 = paper.
        text: str; U+FFFD for each code that decodes to nothing.
        writer: str, '' where unknown.
        record: int, its number in the file, from 1.
        offset: int, the byte of the file at which it starts.
        codes: tuple of bytes, the codes of the text as the file has them; () where it has none.
        boxes: int32 [N, 4] px x0, y0, x1, y1 of each character in `image`, or None where unknown.
        note: str, '' or why the collection itself says that this sample is no good.
    """

    image: np.ndarray
    text: str
    writer: str
    record: int
    offset: int
    codes: tuple[bytes, ...] = ()
    boxes: np.ndarray | None = None
    note: str = ''


class Ink(NamedTuple):
    """A character or line of pen strokes; the other attributes are those of `Picture`.

    Attributes:
        strokes: tuple of int32 [P, 2], x to the right and y down, in the pen's own unit.
    """

    strokes: tuple[np.ndarray, ...]
    text: str
    writer: str
    record: int
    offset: int
    codes: tuple[bytes, ...] = ()
    note: str = ''


class FormatError(ValueError):
    """A file that is not what its format says; the message names file, record, byte, what was found and what
    was expected.

    Attributes:
        reason: str, one word for counting: truncated, size, magic, header, code, trailing, image, archive,
            text, ...
    """

    def __init__(self, message: str, *, reason: str):
        super().__init__(message)
        self.reason = reason

    def __reduce__(self):
        """How it comes back from another process: by the message alone it could not be made again."""
        return functools.partial(FormatError, reason=self.reason), self.args


# What a reader of a format yields, and who is told of what cannot be read; None: it is raised.
Sample: TypeAlias = Picture | Ink
Refuse: TypeAlias = Callable[[FormatError], object] | None


def refuse_or_raise(error: FormatError, refuse: Refuse) -> None:
    """Tells `refuse` of a sample that cannot be read, or raises where nobody wants to be told.

    Args:
        error: FormatError.
        refuse: function of a FormatError, or None.

    Raises:
        FormatError: `refuse` is None.
    """
    if refuse is None:
        raise error
    refuse(error)
