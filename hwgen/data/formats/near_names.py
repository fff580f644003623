"""What a picture that a table names and that is not there may have been meant to be: 'did you mean'."""

import functools
import os
import pathlib
import unicodedata


def near_name(folder: str | os.PathLike[str], path: str | os.PathLike[str]) -> str | None:
    """A file that is there, whose name differs by what people and other programs change.

    These are the case of letters, a comma or quotes around the name, another or no suffix, how an accent is
    composed (macOS), \\ for /, and folders before it that are no part of the path from here on.

    Args:
        folder: path that names start from.
        path: path of a file that is not there, `folder` and the name.

    Returns:
        str, its path from `folder` on, or None.
    """
    folder, path = pathlib.Path(folder), pathlib.Path(path)
    name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
    parts = [part for part in name.replace('\\', '/').strip(' \'",;').split('/') if part not in ('', '.')]
    for start in range(len(parts)):  # the whole name first
        found = _found(folder, parts[start:])
        if found:
            return '/'.join(found)
    return None


def _found(folder, parts):
    """The parts as they are called on disk, or None."""
    found = []
    for depth, part in enumerate(parts):
        place = os.path.join(folder, *found)
        there = _entries(place, os.stat(place).st_mtime_ns) if os.path.isdir(place) else {}
        is_file = depth == len(parts) - 1
        entry = (
            there.get(_key(part))
            or is_file
            and there.get('stem ' + _key(pathlib.PurePath(part).stem))
            or is_file
            and there.get('stem ' + _key(part))
        )
        if not entry:
            return None
        found.append(entry)
    return found if os.path.isfile(os.path.join(folder, *found)) else None


@functools.lru_cache(16)
def _entries(folder, changed):
    """{key: name} of what a folder holds, by whole names and by stems; the first in their order where two
    are alike.
    """
    del changed
    try:
        names = sorted(os.listdir(folder), reverse=True)
    except OSError:
        return {}
    pictures = [
        name for name in names if not name.lower().endswith(('.txt', '.json', '.jsonl', '.tsv', '.csv'))
    ]
    return {'stem ' + _key(pathlib.PurePath(name).stem): name for name in pictures} | {
        _key(name): name for name in names
    }


def _key(name):
    return unicodedata.normalize('NFC', name).casefold()
