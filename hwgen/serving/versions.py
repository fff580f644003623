"""The folders of a served model: `<base>/<number>/`, as TF-Serving looks for them, and how a new one comes
there.
"""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from typing import Self

from hwgen.files import lock

MAX_VERSION = 2**63 - 1  # TF-Serving's numbers are int64
_UNHELD = '.new'
_HELD: set[str] = set()  # folders that this process holds (`held_folder`)
_SAVED_MODEL = ('saved_model.pb', 'saved_model.pbtxt')


def find_versions(base: str) -> dict[int, str]:
    """The versions in a folder.

    Args:
        base: str.

    Returns:
        dict int -> str, path; empty where there is no such folder.
    """
    names = os.listdir(base) if os.path.isdir(base) else ()
    return {
        int(name): os.path.join(base, name)
        for name in names
        if re.fullmatch('[0-9]+', name) and int(name) <= MAX_VERSION
    }


def tell_no_versions(base: str) -> str:
    """Why a folder has no version, for whoever named it: what is there, and what to give in its place. str
    -> str.
    """
    parent, name = os.path.split(os.path.abspath(base))

    def holds(*names):
        return any(os.path.exists(os.path.join(base, one)) for one in names)

    if not os.path.lexists(base):
        return (
            f'{base}: no such folder; expected one with versions as export writes them,'
            f' {os.path.join(base, "1")}'
        )
    if not os.path.isdir(base):
        return f'{base}: is a file, expected a folder for versions'
    if holds(*_SAVED_MODEL):
        if re.fullmatch('[0-9]+', name):
            return f'{base}: is a version itself; expected the folder above it, --model_base_path={parent}'
        return (
            f'{base}: no version in it, it holds a SavedModel itself; expected that in a numbered folder,'
            f' {os.path.join(base, "1")}'
        )
    if holds('generator.json', 'model', 'checkpoints'):
        return f'{base}: no version in it, it holds a trained model; --model={base} serves that'
    found = sorted(os.listdir(base))
    told = f'it holds {", ".join(found[:3])}{", ..." if found[3:] else ""}' if found else 'it is empty'
    return (
        f'{base}: no version in it, {told}; expected folders as export writes them, {os.path.join(base, "1")}'
    )


def version_folder(out: str) -> str:
    """The folder that an export would go to now.

    Args:
        out: str, `BASE/NUMBER`, or `BASE` for one more than the largest number there.

    Returns:
        str, absolute path of a folder that does not exist.

    Raises:
        FileExistsError: the version is there, or another export is writing it, or a file stands where the
            base should be.
    """
    path = os.path.abspath(out)
    if os.path.isfile(path):
        raise FileExistsError(
            errno.EEXIST, 'is a file, expected a folder for versions or a version in it', path
        )
    if not re.fullmatch('[0-9]+', os.path.basename(path)):
        return os.path.join(path, str(max(find_versions(path), default=0) + 1))
    if os.path.lexists(path):
        raise FileExistsError(
            errno.EEXIST,
            'version exists and may be served; expected a new number, or the folder above it for '
            'the next one',
            path,
        )
    return path


class NewVersion:
    """A version that appears whole or not at all: a context manager around the writing of its files.

    What an export that was killed has left is removed by the next one to the same place. Where a number was
    named, a second export to it is refused before its work; where none was, each gets the next that is free
    when it is done.

    Args:
        out: str, see `version_folder`.

    Attributes:
        folder: str, where to write until the block ends.
        path: str, the version's folder; final when the block has ended.

    Raises:
        OSError: naming the version. Nothing has appeared then.
    """

    def __init__(self, out: str) -> None:
        self._out = os.path.abspath(out)

    def __enter__(self) -> Self:
        self.path = version_folder(self._out)
        self._base = os.path.dirname(self.path)
        self._named = self.path == self._out
        prefix = f'.{os.path.basename(self.path) if self._named else "next"}.'
        with self._naming_place():
            os.makedirs(self._base, exist_ok=True)
            with _locked(self._base):
                living = remove_abandoned(self._base, r'\.([0-9]+|next)\..{8}')
                if self._named and any(name.startswith(prefix) for name in living):
                    raise FileExistsError(
                        errno.EEXIST,
                        'another export is writing this version; expected another number, or the folder above'
                        ' it for the next one',
                        self.path,
                    )
                self.folder, self._held = held_folder(self._base, prefix)
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(self.folder, 0o777 & ~mask)
        return self

    def __exit__(self, kind, error, trace):
        try:
            with self._naming_place():
                if error is not None:
                    raise error
                with _locked(self._base):
                    self.path = version_folder(self._out)
                    os.rename(self.folder, self.path)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._held)

    @contextlib.contextmanager
    def _naming_place(self):
        """Makes an error of the system about a temporary file one about the version."""
        try:
            yield
        except OSError as error:
            if (
                error.filename is None
                or os.path.basename(str(error.filename)).startswith('.')
                or str(error.filename).startswith(getattr(self, 'folder', '\0'))
            ):
                error.filename, error.filename2 = self.path, None
            if error.errno == errno.ENOSPC:
                error.strerror = 'no space left on the disk; nothing was written, what was there is unchanged'
            raise


def held_folder(parent: str, prefix: str) -> tuple[str, int]:
    """Makes a temporary folder that is known to be in use as long as this process lives and keeps it.

    Args:
        parent: str.
        prefix: str, of its name.

    Returns:
        str, path; int, descriptor: whoever closes it gives the folder up (`remove_abandoned`).
    """
    made = tempfile.mkdtemp(prefix=prefix, suffix=_UNHELD, dir=parent)
    held = os.open(made, os.O_RDONLY)
    lock(held)
    folder = made.removesuffix(_UNHELD)
    os.rename(made, folder)  # nobody takes it for abandoned before it is held
    _HELD.add(folder)
    return folder, held


def remove_abandoned(parent: str, pattern: str) -> list[str]:
    """Removes the folders of `held_folder` whose process has ended.

    Args:
        parent: str, folder.
        pattern: str, regular expression of their whole names.

    Returns:
        list of str, names of those that are in use.
    """
    living = []
    for name in filter(re.compile(pattern).fullmatch, os.listdir(parent)):
        path = os.path.join(parent, name)
        try:
            held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            ours = lock(held)
            if ours:
                shutil.rmtree(path, ignore_errors=True)
            elif ours is False:
                living.append(name)
        finally:
            os.close(held)
    return living


@contextlib.contextmanager
def _locked(folder):
    """One process at a time looks what is in a folder and acts on it: one that this process holds is its own,
    and a second lock on it would wait for the first for ever.
    """
    if folder in _HELD:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)
