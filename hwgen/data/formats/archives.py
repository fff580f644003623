"""The files of a collection as it was downloaded: in folders, in .zip archives, or archives in folders; nothing is unpacked."""

import contextlib
import functools
import hashlib
import os
import pathlib
import struct
import zipfile
from typing import NamedTuple

from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.samples import FormatError

MAX_TEXT_BYTES = 1 << 26  # of a table, an XML file or an image file read whole


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
    def suffix(self):
        """Its suffix in lower case, '.gnt'."""
        return pathlib.PurePosixPath(self.name).suffix.lower()

    @contextlib.contextmanager
    def open(self):
        """A ByteStream of its bytes, closed at the end."""
        if not self.member:
            with open(self.path, 'rb') as file:
                yield ByteStream(file, size=self.size, name=self.name)
            return
        try:
            file = _archive(self.path, self.path.stat().st_mtime_ns).open(self.member)
        except (zipfile.BadZipFile, OSError, KeyError, NotImplementedError, RuntimeError) as error:
            raise FormatError(f'{self.name}, byte 0: cannot be read from the archive ({error})', reason='archive') from error
        with file:
            yield ByteStream(file, size=self.size, name=self.name)

    def read(self):
        """All its bytes, at most MAX_TEXT_BYTES; raises FormatError where there are more."""
        with self.open() as stream:
            return stream.take(self.size, 'the file')


def list_files(path):
    """Every file of a collection, in the order of their names.

    Args:
        path: path of a file, a .zip archive, or a folder of both.

    Returns:
        list of File. Hidden files and links to folders are left out; archives in archives are listed as files.

    Raises:
        FileNotFoundError: no such path.
        FormatError: an archive that cannot be read.
    """
    path = pathlib.Path(path)
    if path.is_file():
        found = _members(path, path.name) if path.suffix.lower() == '.zip' else [File(path.name, path.stat().st_size, path)]
    elif path.is_dir():
        found = []
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if not name.startswith('.')]
            for name in names:
                inner = pathlib.Path(folder, name)
                shown = pathlib.PurePath(path.name or path.resolve().name, inner.relative_to(path)).as_posix()
                if name.startswith('.') or not inner.is_file():
                    continue
                found += _members(inner, shown) if inner.suffix.lower() == '.zip' else [File(shown, inner.stat().st_size, inner)]
    else:
        raise FileNotFoundError(f'{path}: no such file or folder')
    # Names that are no text become text: they are written into reports and records.
    found = [file._replace(name=file.name.encode('utf-8', 'backslashreplace').decode()) for file in found]
    return sorted(found, key=lambda file: file.name)


def fingerprint(files):
    """A short name of files as they are now: another one where a name, a size or a time of change is another.

    Args:
        files: iterable of File; those that are not there count as well.

    Returns:
        str.
    """
    digest = hashlib.sha256()
    for file in files:
        try:
            found = file.path.stat()
            state = f'{found.st_size} {found.st_mtime_ns}'
        except OSError:
            state = 'missing'
        digest.update(f'{file.name}\0{file.path.name}\0{file.member}\0{file.size}\0{state}\n'.encode('utf-8', 'surrogateescape'))
    return digest.hexdigest()


@functools.lru_cache(8)
def _archive(path, changed):
    """An archive, kept open: its table of contents is read once, not once a member."""
    del changed
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error) as error:
        raise FormatError(f'{path.name}, byte 0: no readable .zip archive ({error})', reason='archive') from error


def _members(path, shown):
    return [File(f'{shown}/{info.filename}', info.file_size, path, info.filename)
            for info in _archive(path, path.stat().st_mtime_ns).infolist()
            if not info.is_dir() and not pathlib.PurePosixPath(info.filename).name.startswith('.')
            and not info.filename.startswith('__MACOSX/')]
