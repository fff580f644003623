"""What a long piece of work has done so far, in a file that only grows: who is killed and starts again
reads it there.
"""

import contextlib
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import google_crc32c


class Journal:
    """An append-only file: a head, which says what the work is, and an entry for each finished piece.

    A row is the checksum (crc32c) of a JSON value, a space, and the value. Rows are valid up to the first
    that is not, so a row that was cut off by the end of its process is as if it had not been written; opening
    the journal cuts it off.

    Args:
        path: pathlib.Path; need not exist.

    Attributes:
        head: the first value, or None where there is none.
        entries: list of the values after it.
    """

    def __init__(self, path: pathlib.Path):
        self._open(path)

    def _open(self, path: pathlib.Path) -> None:
        self._file = open(path, 'a+b')
        self._file.seek(0)
        values, self._ends = _values(self._file)
        self.head: Any = values[0] if values else None
        self.entries: list[dict[str, Any]] = values[1:]
        self._file.truncate(self._ends[-1] if self._ends else 0)

    def start(self, head: Any) -> None:
        """Forgets everything and begins with a head."""
        self._file.truncate(0)
        self.head, self.entries, self._ends = head, [], []
        self._write(head)

    def append(self, entry: dict[str, Any]) -> None:
        """Adds an entry, a dict for JSON; it is there however this process ends."""
        self._write(entry)
        self.entries.append(entry)

    def keep(self, count: int) -> None:
        """Forgets all but the first `count` entries."""
        del self.entries[count:], self._ends[count + 1 :]
        self._file.truncate(self._ends[-1])

    def drop(self, unwanted: Callable[[dict[str, Any]], bool]) -> None:
        """Forgets some entries, wherever they stand: all of them or, where this process ends before, none.

        Args:
            unwanted: function of an entry -> bool.
        """
        path = pathlib.Path(self._file.name)
        new = path.with_name(f'{path.name}.new')
        with contextlib.closing(Journal(new)) as journal:
            journal.start(self.head)
            for entry in self.entries:
                if not unwanted(entry):
                    journal.append(entry)
        os.replace(new, path)
        self.close()
        self._open(path)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, value):
        data = json.dumps(value, separators=(',', ':')).encode('ascii')
        row = b'%08x %s\n' % (google_crc32c.value(data), data)
        self._file.write(row)
        self._file.flush()
        self._ends.append((self._ends[-1] if self._ends else 0) + len(row))


def read_journal(path: pathlib.Path) -> tuple[Any, list[dict[str, Any]]]:
    """The head and the entries of a journal that another process may be writing: (None, []) where there is
    none.
    """
    try:
        with open(path, 'rb') as file:
            values, _ = _values(file)
    except FileNotFoundError:
        values = []
    return (values[0], values[1:]) if values else (None, [])


def _values(file):
    """The values of a journal up to the first row that is not valid, and where in the file each row ends."""
    values, ends = [], []
    for row in file:
        value = _value(row)
        if value is None:
            break
        values.append(value)
        ends.append((ends[-1] if ends else 0) + len(row))
    return values, ends


def _value(row):
    """The value of a row, or None where it is damaged or incomplete."""
    checksum, _, data = row.partition(b' ')
    if not data.endswith(b'\n') or checksum != b'%08x' % google_crc32c.value(data[:-1]):
        return None
    return json.loads(data)
