"""What a preparation has read, as it was then: whoever prepares again is told what has changed since, and
keeps no old lines without a word.
"""

import hashlib
import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from hwgen.charset.printable import as_text, printable

_NAMED = 3


class InputState:
    """The files that a preparation reads, as they are now.

    Args:
        root: path of the input; names are told from there on.
        files: iterable of path, pictures and archives: compared by names, sizes and times, by their contents
            where only times differ.
        tables: dict {name: list of path}, labels and the like: compared by their contents. What is not there
            counts as well.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        files: Iterable[str | os.PathLike[str]],
        tables: Mapping[str, Iterable[str | os.PathLike[str]]] | None = None,
    ):
        self._root = pathlib.Path(root)
        self._files = sorted({self._name(path): pathlib.Path(path) for path in files}.items())
        self._tables = {
            as_text(name): _hashed((self._name(path), _digest(path)) for path in paths)
            for name, paths in (tables or {}).items()
        }
        self._stats = {name: _stat(path) for name, path in self._files}
        self._contents: dict[str, str] | None = None

    def _name(self, path):
        path = pathlib.Path(path)
        return as_text((path.relative_to(self._root) if path.is_relative_to(self._root) else path).as_posix())

    @property
    def fingerprint(self) -> str:
        """str, another one where a table has other contents, or a file another name, size or time of
        change.
        """
        return _hashed(
            [*self._tables.items(), *((name, size, time) for name, (size, time) in self._stats.items())]
        )

    @property
    def contents(self) -> dict[str, str]:
        """dict {name: sha256} of the files, '' of what cannot be read; all of them are read, once."""
        if self._contents is None:
            self._contents = {name: _digest(path) for name, path in self._files}
        return self._contents

    def content(self, path: str | os.PathLike[str]) -> str:
        """The sha256 of one of the files, '' where it cannot be read."""
        return self.contents[self._name(path)]

    def as_json(self) -> dict[str, Any]:
        """What info.json keeps of it: dict of numbers and digests."""
        return {
            'files': len(self._files),
            'bytes': sum(max(0, size) for size, _ in self._stats.values()),
            'tables': self._tables,
            **self._digests(),
            'contents': _hashed(self.contents.items()),
        }

    def _digests(self):
        return {
            'sizes': _hashed((name, size) for name, (size, _) in self._stats.items()),
            'times': _hashed((name, time) for name, (_, time) in self._stats.items()),
        }

    def changes(self, before: Mapping[str, Any], *, since: int | None = None) -> tuple[list[str], str]:
        """What is not as it was.

        Args:
            before: `as_json` of the preparation.
            since: int, ns: when it was done; files that have changed after it are named. None: no file is.

        Returns:
            list of str, empty where nothing has changed; str, a remark, or ''.
        """
        names = {**before['tables'], **self._tables}
        changed = [
            f'{printable(name)} has changed'
            for name in names
            if before['tables'].get(name) != self._tables.get(name)
        ]
        now, remark = self._digests(), ''
        if now['sizes'] != before['sizes']:
            size = sum(max(0, size) for size, _ in self._stats.values())
            changed.append(
                f'{before["files"]} files of {before["bytes"]} bytes then, now {len(self._files)} of {size}'
                + self._newer(since)
            )
        elif now['times'] != before['times']:
            if _hashed(self.contents.items()) != before['contents']:
                changed.append('files of the same size have other contents' + self._newer(since))
            else:
                remark = 'files of the input were touched or copied since, with the same contents'
        return changed, remark

    def _newer(self, since):
        newer = [
            printable(name) for name, (_, time) in self._stats.items() if since is not None and time > since
        ]
        return (
            f' (newer: {", ".join(newer[:_NAMED])}{" ..." if len(newer) > _NAMED else ""})' if newer else ''
        )


def _stat(path):
    """(bytes, time of change in ns); (-1, 0) where there is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return -1, 0
    return found.st_size, found.st_mtime_ns


def _digest(path):
    try:
        if not os.path.isfile(path):  # nor a pipe, which may never end
            return ''
        with open(path, 'rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    except (OSError, ValueError):
        return ''


def _hashed(rows):
    digest = hashlib.sha256()
    for row in rows:
        digest.update(('\0'.join(map(str, row)) + '\n').encode())
    return digest.hexdigest()
