"""The formats that there are: of this package, of installed packages, and those that were registered.

- a module of `hwgen.data.formats.readers` with a `Format`;
- an entry point of the group `hwgen.formats` that names a `Format`, of any installed package: found wherever
  `prepare` runs;
- `register`, for a program that prepares from Python.
"""

import functools
import importlib
import importlib.metadata
import pkgutil

from hwgen.data.formats import readers
from hwgen.data.formats.format import Format

ENTRY_POINTS = 'hwgen.formats'
_TAKEN = ('scribe', 'folder', 'auto')  # values of `--source` that are no formats
_registered: dict[str, Format] = {}


def register(format: Format) -> Format:
    """Makes a format known to this process by its name.

    Processes that read a collection beside this one import its `read` by the module that it stands in.

    Args:
        format: Format.

    Returns:
        The same.

    Raises:
        ValueError: its name, summary, suffixes or reader are missing, or taken by another one.
    """
    _check(format, {**_outside(), **_registered, **_own()}, place=f'format {format.name!r}')
    _registered[format.name] = format
    return format


def find_formats() -> dict[str, Format]:
    """All formats by name, in the order of the help."""
    found = {**_outside(), **_registered, **_own()}
    return {one.name: one for one in sorted(found.values(), key=lambda one: (one.place, one.name))}


def formats_of(source: str) -> list[Format]:
    """The formats that a value of `--source` reads, in the order of the help.

    Raises:
        ValueError: there are none; the message has what there is.
    """
    found = [one for one in find_formats().values() if one.asked_by == source]
    if not found:
        raise ValueError(f'source {source!r}: expected one of {", ".join(sources())}')
    return found


def sources() -> tuple[str, ...]:
    """The values of `--source` that read formats, in the order of the help."""
    return tuple(dict.fromkeys(one.asked_by for one in find_formats().values()))


@functools.cache
def _own() -> dict[str, Format]:
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(readers.__path__):
        name = f'{readers.__name__}.{module.name}'
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, Format):
                _check(value, found, place=name)
                found[value.name] = value
    return found


@functools.cache
def _outside() -> dict[str, Format]:
    found: dict[str, Format] = {}
    for entry in importlib.metadata.entry_points(group=ENTRY_POINTS):
        place = f'entry point {entry.name!r} of {ENTRY_POINTS} ({entry.value})'
        try:
            value = entry.load()
        except (ImportError, AttributeError) as error:
            raise ValueError(f'{place}: {error}') from error
        if not isinstance(value, Format):
            raise ValueError(f'{place}: {value!r}, expected a hwgen.data.formats.format.Format')
        _check(value, {**_own(), **found}, place=place)
        found[value.name] = value
    return found


def _check(format: Format, known: dict[str, Format], *, place: str) -> None:
    """Refuses a format that is not whole, or whose name or files are those of another one."""
    if not format.name.isidentifier():
        raise ValueError(f'{place}: name {format.name!r}, expected letters, digits and _')
    if format.asked_by in _TAKEN:
        raise ValueError(f'{place}: name {format.asked_by!r} is no format, expected another name')
    if not format.summary or '\n' in format.summary:
        raise ValueError(f'{place}: summary {format.summary!r}, expected one line')
    wrong = [suffix for suffix in format.suffixes if not suffix.startswith('.') or suffix != suffix.lower()]
    if wrong:
        raise ValueError(f'{place}: suffix {wrong[0]!r}, expected one such as .gnt, in lower case')
    if (format.read is None) == (format.parts is None):
        raise ValueError(f'{place}: expected one of read and parts')
    if format.parts is not None and format.is_there is None:
        raise ValueError(f'{place}: parts without is_there, which tells such a collection from others')
    if known.get(format.name, format) is not format:
        raise ValueError(f'{place}: there is a format {format.name!r}, expected another name')
    if format.read is not None:
        for other in known.values():
            both = set(format.suffixes) & set(other.suffixes) if other.read is not None else set()
            if both and other is not format:
                raise ValueError(f'{place}: files {", ".join(sorted(both))} are those of {other.name}')
