"""A binary file read from front to end, in which no size is believed before it is held against the bytes
that remain.
"""

import struct
import zipfile
import zlib
from typing import Any, Protocol

from hwgen.data.formats.samples import FormatError

MAX_TAKE_BYTES = 1 << 26  # the most that is held at once; larger than any record of the formats
_READ_BYTES = 1 << 16


class Readable(Protocol):
    """A binary file, or a member of an archive."""

    def read(self, count: int, /) -> bytes: ...


class ByteStream:
    """A file with a position, look-ahead and errors that name the place.

    Memory stays below MAX_TAKE_BYTES and what is looked ahead, whatever the file says of itself.

    Args:
        file: binary file object; only `read` is used, so a member of an archive will do.
        size: int, bytes that it says it has.
        name: str, for messages.

    Attributes:
        offset: int, the next byte.
        remaining: int, bytes from there on.
        place: str, the record being read ('sample 3'), '' before the first.
    """

    def __init__(self, file: Readable, *, size: int, name: str):
        self._file, self.name, self.size = file, name, size
        self.offset, self.place = 0, ''
        self._buffer, self._used = b'', 0  # bytes read, and how many of them were taken

    @property
    def remaining(self) -> int:
        """Bytes that the file should still have."""
        return self.size - self.offset

    def error(self, problem: str, *, reason: str, offset: int | None = None) -> FormatError:
        """A FormatError at this place, to be raised.

        Args:
            problem: str, what was found and what was expected.
            reason: str, see FormatError.
            offset: int, the byte it is about; None: the position.

        Returns:
            FormatError.
        """
        place = f', {self.place}' if self.place else ''
        return FormatError(
            f'{self.name}{place}, byte {self.offset if offset is None else offset}: {problem}', reason=reason
        )

    def take(self, count: int, what: str) -> bytes:
        """The next bytes.

        Args:
            count: int.
            what: str, for messages.

        Returns:
            bytes, exactly `count`.

        Raises:
            FormatError: fewer remain, or more than MAX_TAKE_BYTES are asked for.
        """
        if count > self.remaining:
            raise self.error(
                f'{what} of {count} bytes, {self.remaining} bytes remain (truncated or corrupt)',
                reason='truncated',
            )
        if count > MAX_TAKE_BYTES:
            raise self.error(f'{what} of {count} bytes, expected at most {MAX_TAKE_BYTES}', reason='size')
        data = self.ahead(count)
        if len(data) < count:
            raise self.error(
                f'{what} of {count} bytes, the file ends {count - len(data)} bytes before (truncated)',
                reason='truncated',
            )
        self._used += count
        self.offset += count
        return data

    def ahead(self, count: int) -> bytes:
        """Bytes from the position on, which stays where it is.

        Args:
            count: int.

        Returns:
            bytes, fewer than `count` where the file ends before.
        """
        count = min(count, self.remaining, 2 * MAX_TAKE_BYTES)
        missing = count - (len(self._buffer) - self._used)
        if missing > 0:
            try:
                more = self._file.read(max(missing, _READ_BYTES))
            except (
                zipfile.BadZipFile,
                zlib.error,
                OSError,
                EOFError,
                NotImplementedError,
                RuntimeError,
            ) as error:
                raise self.error(f'the archive cannot be read further ({error})', reason='archive') from error
            self._buffer, self._used = self._buffer[self._used :] + more, 0
        return self._buffer[self._used : self._used + count]

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        """The next bytes as numbers.

        Args:
            layout: str, of `struct`.
            what: str, for messages.

        Returns:
            tuple.

        Raises:
            FormatError: the file ends before.
        """
        return struct.unpack(layout, self.take(struct.calcsize(layout), what))

    def check_end(self) -> None:
        """Raises FormatError where bytes are left."""
        if self.remaining:
            raise self.error(
                f'{self.remaining} bytes after the last record, expected the end of the file',
                reason='trailing',
            )
