"""Presets: files of flags, one a row.

A preset names its parent by `--flagfile=PARENT.flags` in its first row and holds the difference alone.
"""

import os
import pathlib

from hwgen.settings.resources import resource_path


class PresetError(ValueError):
    """A preset that is not there, is no text, or names itself; the message is one line."""


def find(name: str, *, named_in: pathlib.Path | None = None) -> pathlib.Path:
    """The file of a preset.

    Args:
        name: as it is typed. A bare name that is no file means the preset that ships with hwgen.
        named_in: the preset that names it, whose folder is looked into first; None: it was typed.

    Raises:
        PresetError: there is no such file.
    """
    path = pathlib.Path(os.path.expanduser(name))
    places = [] if named_in is None else [named_in.parent / path]
    places += [path, *([resource_path(name)] if path.name == name else [])]
    for place in places:
        if place.exists() and not place.is_dir():  # it may be a pipe
            return place
    raise PresetError(
        f'--flagfile={name}: no such file' + (f' (named in {named_in})' if named_in is not None else '')
    )


def exists(name: str) -> bool:
    """Whether there is a preset of this name; see `find`."""
    try:
        find(name)
    except PresetError:
        return False
    return True


def shipped() -> list[str]:
    """The names of the presets that ship, without `.flags`."""
    return sorted(path.stem for path in resource_path('demo.flags').parent.glob('*.flags'))


def read(path: pathlib.Path, *, within: tuple[pathlib.Path, ...] = ()) -> list[str]:
    """The flags of a preset and of those it names, in order: later flags win.

    Args:
        path: the file.
        within: presets that led here.

    Returns:
        list of str, one a row, without comments (# or //) and `--flagfile`.

    Raises:
        PresetError: it names one that is not there or itself, or is no text in UTF-8.
        OSError: it cannot be read.
    """
    if path.resolve() in [outer.resolve() for outer in within]:
        raise PresetError(f'--flagfile={path}: a preset that names itself, by way of {within[-1]}')
    try:
        rows = [row.strip() for row in path.read_text(encoding='utf-8').splitlines()]
    except UnicodeDecodeError as error:
        raise PresetError(f'--flagfile={path}: no text in UTF-8 at byte {error.start}') from None
    return _expanded([row for row in rows if row and not row.startswith(('#', '//'))], within=(*within, path))


def expand(arguments: list[str]) -> list[str]:
    """Arguments of a command with the flags of presets in the places of `--flagfile`.

    An empty one (`--flagfile=`) is no preset.

    Raises:
        PresetError: see `read`; or `--flagfile` without a name.
    """
    return _expanded(list(arguments), within=())


def _expanded(rows, *, within):
    found, rest = [], list(rows)
    while rest:
        row = rest.pop(0)
        head, separator, name = row.partition('=')
        if row == '--':  # what follows is no flag
            return [*found, row, *rest]
        if head not in ('--flagfile', '-flagfile'):
            found.append(row)
            continue
        if not separator and not rest:
            raise PresetError('--flagfile with no argument')
        name = name if separator else rest.pop(0)
        if name:
            found += read(find(name, named_in=within[-1] if within else None), within=within)
    return found
