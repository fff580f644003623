"""VersionWatch: keeps what is served in step with the folder of versions, as TF-Serving does by its
file-system source.

Source: TensorFlow Serving, file_system_storage_path_source.cc, availability_preserving_policy.cc: a new
version is loaded before the old one goes.
Differs: a version that cannot be loaded is passed over for the next older one, and tried again when its files
change; a new one is read when its files have stayed the same from one look to the next, so that it may be
copied into place; where the last version is removed, it goes on being served.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

from hwgen.serving.saved_version import SavedVersion, SavedVersionError
from hwgen.serving.versions import find_versions, tell_no_versions

_log = logging.getLogger(__name__)


class WantedVersionError(ValueError):
    """A version that was asked for is not there."""


class VersionWatch:
    """The versions of one folder.

    Args:
        base: str, their folder.
        wanted: iterable of int, the versions to serve; None: the newest, whichever that is.
        labelled: iterable of int, versions to serve besides.
        load: function of a version's folder -> SavedVersion.
        report: function of a str, told what becomes of versions.

    Attributes:
        versions: dict int -> SavedVersion, those to be served.

    Raises:
        WantedVersionError: one is not there; SavedVersionError: one cannot be loaded, or none can.
    """

    def __init__(
        self,
        base: str,
        *,
        wanted: Collection[int] | None = None,
        labelled: Iterable[int] = (),
        load: Callable[[str], Any] = SavedVersion,
        report: Callable[[str], object] = print,
    ) -> None:
        self._base, self._load, self._report, self._follow = base, load, report, wanted is None
        self._broken: dict[int, Any] = {}
        self._seen: dict[int, Any] = {}
        self._newest: int | None = None
        folders = find_versions(base)
        if not folders:
            raise WantedVersionError(tell_no_versions(base))
        self._fixed = sorted({*(wanted or ()), *labelled})
        for number in self._fixed:
            if number not in folders:
                raise WantedVersionError(
                    f'version {number}: expected one of those in {base}:'
                    f' {", ".join(map(str, sorted(folders)))}'
                )
        self.versions = {number: load(folders[number]) for number in self._fixed}
        if self._follow:
            self._start(folders)

    def _start(self, folders):
        """Loads the newest version that can be loaded."""
        errors = []
        for number in sorted(folders, reverse=True):
            stamp = _stamp(folders[number])
            try:
                self.versions[number] = self.versions.get(number) or self._load(folders[number])
            except SavedVersionError as error:
                self._broken[number] = stamp
                errors.append(error)
            else:
                self._newest = number
                for refused in errors:
                    self._report(f'passed over, version {number} is served: {refused}')
                return
        raise errors[0]

    def poll(self) -> bool:
        """Looks once.

        Returns:
            bool, whether `versions` is another one now.
        """
        if not self._follow:
            return False
        folders = find_versions(self._base)
        for number in sorted(folders, reverse=True):
            if number == self._newest:
                return False
            stamp = _stamp(folders[number])
            if self._broken.get(number) == stamp:
                continue
            if self._seen.get(number) != stamp:
                self._seen[number] = stamp
                continue
            try:
                loaded = self.versions.get(number) or self._load(folders[number])
            except SavedVersionError as error:
                self._broken[number] = stamp
                self._report(f'passed over, version {self._newest} goes on being served: {error}')
                continue
            kept = {fixed: self.versions[fixed] for fixed in self._fixed}
            self._report(f'version {number} is served now, in place of {self._newest}')
            self.versions, self._newest = {**kept, number: loaded}, number
            return True
        return False

    def watch(self, every_sec: float, on_change: Callable[[dict[int, Any]], object]) -> None:
        """Polls in a thread of its own, as long as the process lives.

        Args:
            every_sec: float > 0.
            on_change: function of `versions`, called when they have changed.
        """

        def look():
            pause = threading.Event()
            while not pause.wait(every_sec):
                try:
                    if self.poll():
                        on_change(self.versions)
                except Exception:  # a folder that cannot be read now may be again
                    _log.exception('%r: looking for versions', self._base)

        threading.Thread(target=look, name='hwgen-versions', daemon=True).start()


def _stamp(folder):
    """What a folder's files are, as far as their names, sizes and times tell."""
    files = []
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(path, name))
            except OSError:
                continue  # gone meanwhile: another look will differ
            files.append((os.path.join(path, name), found.st_size, found.st_mtime_ns))
    return sorted(files)
