"""A collection of handwriting as it was downloaded: which files it has, in which format, by whom, for which
split.
"""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from hwgen.data.formats import registry
from hwgen.data.formats.archives import File, disk_files, list_files
from hwgen.data.formats.format import Format, Part
from hwgen.data.formats.image_files import suffixes as image_suffixes
from hwgen.data.formats.samples import FormatError, Refuse
from hwgen.data.preparing.input_state import InputState

# Which records of a part belong to a split: a function of a record's number; None: all of them.
Chosen: TypeAlias = Callable[[int], bool] | None
_PACKED = ('.tgz', '.tar.gz', '.tar', '.rar')


def open_collection(
    path: str | os.PathLike[str], *, source: str = 'auto', unit: str = 'lines', refuse: Refuse = None
) -> list[Part]:
    """What a collection holds, without reading its samples.

    Args:
        path: path of a file, an archive, or a folder of both.
        source: str, of `registry.sources` ('casia': .gnt, .dgrl, .dgr, .pot, .wptt, .ptts, whatever of them
            is there; 'iam', 'iam_online', 'lmdb', ...), or 'auto': the one that its files speak for.
        unit: 'lines' | 'words', of IAM.
        refuse: function of a FormatError, told of archives, rows of tables and transcriptions that cannot be
            read; None: raised.

    Returns:
        list of Part, in the order of their names.

    Raises:
        ValueError: no such source.
        FileNotFoundError: no such path, or no files of that source in it.
        FormatError: an archive or table that cannot be read.
    """
    files = list_files(path, refuse=refuse)
    asked, source = source, _source(files, source)
    formats = registry.formats_of(source) if source else []
    if not any(one.finds(files) for one in formats):
        raise FileNotFoundError(f'{path}: {_nothing_found(files, None if asked == "auto" else asked)}')
    parts = (part for one in formats for part in one.parts_of(files, unit=unit, refuse=refuse))
    return sorted(parts, key=lambda part: part.name)


def source_of(path: str | os.PathLike[str]) -> str | None:
    """The source that the files of a collection speak for, None where they speak for none or are not
    there.
    """
    try:
        return _source(list_files(path, refuse=lambda error: None), 'auto') or None
    except (FileNotFoundError, FormatError):
        return None


def input_state(path: str | os.PathLike[str], *, source: str = 'auto') -> InputState:
    """What `open_collection` and the readers of its parts read: files and archives on disk; other files and
    folders of records are none of it.

    Args:
        path, source: see `open_collection`.

    Returns:
        InputState.

    Raises:
        FileNotFoundError: no such path.
    """
    source = _source(list_files(path, refuse=lambda error: None), source)
    formats = registry.formats_of(source) if source else []
    read, path = _suffixes(formats), pathlib.Path(path)
    found: list[pathlib.Path] = []
    texts: dict[str, list[pathlib.Path]] = {}
    prepared: dict[pathlib.Path, bool] = {}  # folder -> whether `prepare` wrote it
    for file in disk_files(path):
        if file.parent not in prepared:
            prepared[file.parent] = _is_prepared(file.parent)
        if file.suffix.lower() not in read or file.name == 'lock.mdb' or prepared[file.parent]:
            continue
        if file.suffix.lower() == '.txt':
            texts.setdefault(formats[0].text_files or file.name, []).append(file)
        else:
            found.append(file)
    return InputState(path.parent if path.is_file() else path, files=found, tables=texts)


def _source(files: Sequence[File], source: str) -> str:
    """The source that is meant, '' where nothing speaks for one."""
    if source != 'auto':
        return source
    return next((one.asked_by for one in registry.find_formats().values() if one.finds(files)), '')


def _suffixes(formats: Sequence[Format]) -> set[str]:
    """The suffixes of the files on disk that formats read."""
    found = {suffix for one in formats for suffix in one.suffixes}
    if any(one.archives for one in formats):
        found.add('.zip')
    return found | image_suffixes() if any(one.pictures for one in formats) else found


def _is_prepared(folder: pathlib.Path) -> bool:
    """Whether a folder holds records, finished or not."""
    finished = (folder / 'info.json').exists() and any(folder.glob('*.index.npz'))
    return folder.suffix == '.partial' or finished


def _nothing_found(files: Sequence[File], source: str | None) -> str:
    """What is to be said of files of which none is asked for."""
    if source is None:
        looked_for, expected = 'known format', '; '.join(_expected(one) for one in registry.sources())
    else:
        looked_for = expected = _expected(source)
    packed = next((file.name for file in files if file.name.endswith(_PACKED)), None)
    advice = f'{packed} must be unpacked first (.zip need not)' if packed else f'expected {expected}'
    return f'{len(files)} files, among them no {looked_for}; {advice}'


def _expected(source: str) -> str:
    """What a collection of a source has."""
    formats = registry.formats_of(source)
    told = [one.expected for one in formats if one.expected]
    plain = [suffix for one in formats if not one.expected for suffix in one.suffixes]
    return ' or '.join([*([f'files {", ".join(plain)}'] if plain else []), *told])
