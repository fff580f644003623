"""The files of a collection as it was downloaded: in folders, in .zip archives, or archives in folders;
nothing is unpacked.
"""

import contextlib
import functools
import os
import pathlib
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from hwgen.charset.printable import as_text
from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.samples import FormatError, Refuse, Sample, refuse_or_raise

MAX_TEXT_BYTES = 1 << 26  # of a table, an XML file or an image file read whole
# what damaged archives raise
_UNREADABLE = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error)


_Kind = TypeVar('_Kind', bound=Sample)  # what a reader gives


class File(NamedTuple):
    """A file on disk or in an archive.

    Attributes:
        name: str, its path from the collection on, with /; of a member: the archive's, then its own.
        size: int, bytes.
        path: pathlib.Path of the file or archive on disk.
        member: str, its name in the archive; '' on disk.
    """

    name: str
    size: int
    path: pathlib.Path
    member: str = ''

    @property
    def base(self) -> str:
        """Its name without the folders and the archive that it lies in."""
        return pathlib.PurePosixPath(self.name).name

    @property
    def suffix(self) -> str:
        """Its suffix in lower case, '.gnt'."""
        return pathlib.PurePosixPath(self.name).suffix.lower()

    @contextlib.contextmanager
    def open(self) -> Iterator[ByteStream]:
        """A ByteStream of its bytes, closed at the end."""
        if not self.member:
            with open(self.path, 'rb') as file:
                yield ByteStream(file, size=self.size, name=self.name)
            return
        try:
            archive = _archive(self.path, self.path.stat().st_mtime_ns)
            method = archive.getinfo(self.member).compress_type
            # the others unpack any amount at once
            if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotImplementedError(
                    f'compressed by method {method}, expected 0, stored, or 8, deflated; unpack it first'
                )
            member = archive.open(self.member)
        except (*_UNREADABLE, OSError, KeyError, RuntimeError) as error:
            raise FormatError(
                f'{self.name}, byte 0: cannot be read from the archive ({error})', reason='archive'
            ) from error
        with member:
            yield ByteStream(member, size=self.size, name=self.name)

    def samples(
        self, read: Callable[[ByteStream, Refuse], Iterator[_Kind]], *, refuse: Refuse
    ) -> Iterator[_Kind]:
        """What a reader finds in it.

        Args:
            read: generator function of (ByteStream, refuse).
            refuse: function of a FormatError, told of the one that ends the file; None: it is raised.

        Yields:
            what `read` does.
        """
        try:
            with self.open() as stream:
                yield from read(stream, refuse)
        except FormatError as error:
            refuse_or_raise(error, refuse)

    def read(self) -> bytes:
        """All its bytes, at most MAX_TEXT_BYTES; raises FormatError where there are more."""
        with self.open() as stream:
            return stream.take(self.size, 'the file')


def list_files(path: str | os.PathLike[str], *, refuse: Refuse = None) -> list[File]:
    """Every file of a collection, in the order of their names.

    Args:
        path: path of a file, a .zip archive, or a folder of both.
        refuse: function of a FormatError, told of archives in the folder that cannot be read; None: it is
            raised.

    Returns:
        list of File. Hidden files and links to folders are left out; archives in archives are listed as
        files.

    Raises:
        FileNotFoundError: no such path.
        FormatError: an archive that cannot be read, and `refuse` is None.
    """
    path = pathlib.Path(path)
    if path.is_file():
        shown = as_text(path.name)
        found = (
            _members(path, shown, refuse)
            if path.suffix.lower() == '.zip'
            else [File(shown, path.stat().st_size, path)]
        )
    elif path.is_dir():
        found = []
        for inner in disk_files(path):
            shown = as_text(
                pathlib.PurePath(path.name or path.resolve().name, inner.relative_to(path)).as_posix()
            )
            found += (
                _members(inner, shown, refuse)
                if inner.suffix.lower() == '.zip'
                else [File(shown, inner.stat().st_size, inner)]
            )
    else:
        raise FileNotFoundError(f'{path}: no such file or folder')
    return sorted(found, key=lambda file: file.name)


def disk_files(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """The files of a folder and its sub-folders as they lie on disk, or the file itself; hidden files and
    links to folders are left out.

    Args:
        path: path.

    Yields:
        pathlib.Path.
    """
    if pathlib.Path(path).is_file():
        yield pathlib.Path(path)
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith('.')]
        yield from (
            inner
            for inner in (pathlib.Path(folder, name) for name in names if not name.startswith('.'))
            if inner.is_file()
        )


@functools.lru_cache(8)
def _archive(path: pathlib.Path, changed: int) -> zipfile.ZipFile:
    """An archive, kept open: its table of contents is read once, not once a member."""
    del changed
    return zipfile.ZipFile(path)


def _members(path: pathlib.Path, shown: str, refuse: Refuse) -> list[File]:
    try:
        archive = _archive(path, path.stat().st_mtime_ns)
    except _UNREADABLE as error:
        refuse_or_raise(
            FormatError(f'{shown}, byte 0: no readable .zip archive ({error})', reason='archive'), refuse
        )
        return []
    return [
        File(f'{shown}/{info.filename}', info.file_size, path, info.filename)
        for info in archive.infolist()
        if info.filename
        and not info.filename.endswith('/')
        and not pathlib.PurePosixPath(info.filename).name.startswith('.')
        and not info.filename.startswith('__MACOSX/')
    ]
