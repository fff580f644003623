"""Files and folders that appear whole or not at all.

Everything is written under a temporary name beside its place and renamed when complete, so that a full disk,
an error or an interruption leaves what was there before.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

_OTHER = 'something has appeared there meanwhile and stays as it is; expected a free name'


def write_file(path: str | os.PathLike[str], data: bytes, *, replace: bool = True) -> None:
    """Writes bytes to a file, whole or not at all; makes missing folders.

    Args:
        path: path.
        data: bytes.
        replace: bool, what is there is replaced; else it stays, and that is an error.

    Raises:
        FileExistsError: `replace` is off and something is there.
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
        if replace:
            os.replace(temporary, path)
        else:
            _link(temporary, path)
    except BaseException as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        name_place(error, path)
        raise


def write_json(path: str | os.PathLike[str], value: Any, *, indent: int | None = 1, **options: Any) -> None:
    """Writes a value as JSON, UTF-8 and a line break at its end, whole or not at all.

    Args:
        path: path.
        value: what `json.dumps` takes.
        indent, **options: of `json.dumps`.

    Raises:
        OSError: as `write_file`.
    """
    write_file(path, (json.dumps(value, ensure_ascii=False, indent=indent, **options) + '\n').encode())


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str], *, replace: bool = True) -> Iterator[str]:
    """A folder that appears when the block ends without an error, and never half-made.

    Args:
        path: path, the folder.
        replace: bool, a folder that is there (see `picture_files.check_place`) is replaced then; else only an
            empty one is, and another is an error.

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
            try:
                os.rename(temporary, path)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise FileExistsError(errno.EEXIST, _OTHER, path) from None
                raise
    except BaseException as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        name_place(error, path)
        raise


def lock(descriptor: int, *, wait: bool = False) -> bool | None:
    """Locks an open file or folder for this process, until it is closed or the process ends.

    Args:
        descriptor: of the open file or folder.
        wait: for a process that has it; else that is told.

    Returns:
        True, the lock is ours; False, another process has it; None, this file system has no locks, and
        nobody can tell.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _link(temporary, path):
    """Gives a file a name that is free, and no other; takes the temporary one from it."""
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: the name is taken first
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            os.replace(temporary, path)
    except FileExistsError:
        raise FileExistsError(errno.EEXIST, _OTHER, path) from None
    with contextlib.suppress(OSError):
        os.unlink(temporary)


def _replace_folder(new, path):
    """Renames the folder `new` to `path`; a folder that is there gives way, and is back if the renaming
    fails.
    """
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


def name_place(error: BaseException, path: str | os.PathLike[str]) -> None:
    """Makes an operating system's error about the temporary name of a file the user's instead: it names
    `path`, and says what a full disk left.
    """
    if isinstance(error, OSError):
        temporary = os.path.join(os.path.dirname(path), f'.{os.path.basename(path)}.')
        if error.filename is None or str(error.filename).startswith(temporary):
            error.filename, error.filename2 = path, None
        if error.errno == errno.ENOSPC:
            error.strerror = 'no space left on the disk; nothing was written, what was there is unchanged'
