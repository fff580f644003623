"""Text files: one line of handwriting a row, read and checked with file and row in every complaint."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

from hwgen.charset.encoding import CharsetError


class TextFileError(ValueError):
    """A text file is not UTF-8, is empty, or holds a line that cannot be written; the message begins
    `file:row:`.
    """


class TextRow(NamedTuple):
    """A row of a text file: its number, counted from 1, and its text without blanks at the ends."""

    number: int
    text: str


class TextFile:
    """A text file whose rows are read as often as one likes, also where it can be read only once: a pipe, or
    standard input.

    Args:
        path: str, UTF-8 text; `-` is standard input.

    Attributes:
        name: str, for messages.

    Raises:
        OSError: cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = 'standard input' if path == '-' else os.fspath(path)
        if path == '-' and sys.stdin is None:
            raise TextFileError('standard input is closed: expected a text from it')
        self._file: IO[bytes] = sys.stdin.buffer if path == '-' else open(path, 'rb')
        if path == '-' or not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            copy = tempfile.TemporaryFile()
            shutil.copyfileobj(self._file, copy)
            self._file = copy

    def rows(self) -> Iterator[TextRow]:
        """The rows, blank ones too, one at a time; one reading ends where the next begins.

        Blank characters at both ends of a row (U+3000 too, with which Chinese paragraphs are often indented)
        are left out, and so is a byte order mark.

        Yields:
            TextRow.

        Raises:
            TextFileError: not UTF-8.
        """
        self._file.seek(0)
        for number, line in enumerate(self._file, 1):
            if number == 1:
                line = line.removeprefix(b'\xef\xbb\xbf')
            try:
                text = line.decode('utf-8')
            except UnicodeDecodeError as error:
                raise TextFileError(
                    f'{self.name}:{number}: byte {error.start} (0x{line[error.start]:02X}) is not UTF-8;'
                    ' expected a UTF-8 text file'
                ) from None
            yield TextRow(number, text.strip())


def check_rows(
    file: TextFile, encode: Callable[[str], Any], *, skip_unwritable: bool = False
) -> tuple[dict[int, int], list[str]]:
    """Finds the rows of a text file that can be written, before the first one is.

    Args:
        file: TextFile.
        encode: function of a text that raises CharsetError where it cannot be written, such as
            `Writer.encode`.
        skip_unwritable: bool, leave such rows out instead of stopping.

    Returns:
        lengths: dict row number -> number of characters, of the rows to write; skipped: list of str, what was
            wrong with each row left out.

    Raises:
        TextFileError: a row cannot be written (`file:row: ...`, and how many more), or no row can.
    """
    lengths, complaints = {}, []
    for number, text in file.rows():
        if text:
            try:
                lengths[number] = len(encode(text).units)
            except CharsetError as error:
                complaints.append(f'{file.name}:{number}: {error}')
    if complaints and not skip_unwritable:
        more = f' (and {len(complaints) - 1:,} more such rows)' if len(complaints) > 1 else ''
        raise TextFileError(f'{complaints[0]}{more}; --skip_unwritable leaves such rows out')
    if not lengths:
        raise TextFileError(
            complaints[0] if complaints else f'{file.name}: no text in it; expected one line of text a row'
        )
    return lengths, complaints
