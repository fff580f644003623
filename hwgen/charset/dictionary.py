"""The frozen dictionary as a file: rows that are only ever appended, and the hash by which artefacts know
them.

`tables/dictionary.tsv` holds one row a line, three kinds in one sequence, so that one row count names a state
of all three id spaces:

    component  TOKEN
    structure  PATTERN             ⿰·⿱··, or sym-wide, sym-narrow
    character  CHARACTER  PATTERN  TOKEN [TOKEN ...]

separated by tabs. The id of a component is its place among the components, counted from 1; 0 is padding (and
CTC's blank); likewise structures and characters. `tables/sets.tsv` names groups of characters and is not
hashed; `tables/ideographs.tsv` holds trees of ideographs that have no character id. It is only ever appended
to as well: a line with a third field, a number of rows, holds for tables of at least so many and takes the
place of an earlier one.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

TABLES = Path(__file__).parent / 'tables'
MAX_COMPONENTS = 4
SYMBOL_STRUCTURES = ('sym-wide', 'sym-narrow')


class CharsetError(ValueError):
    """Text that cannot be written.

    Attributes:
        position: int, index of the offending code point in the text, or None.
    """

    def __init__(self, message: str, position: int | None = None):
        super().__init__(message)
        self.position = position


class CharsetMismatchError(ValueError):
    """An artefact was made with a table that the present one does not extend."""


class Row(NamedTuple):
    """One row: kind is 'component', 'structure' or 'character'; `pattern` and `tokens` are a character's
    code.
    """

    kind: str
    name: str
    pattern: str = ''
    tokens: tuple[str, ...] = ()

    def line(self) -> str:
        """The row as it is written and hashed: str without the line end."""
        return '\t'.join(
            (self.kind, self.name) + ((self.pattern, *self.tokens) if self.kind == 'character' else ())
        )


def parse_lines(lines: Iterable[str], *, source: str = 'dictionary') -> list[Row]:
    """Reads rows and checks that each refers to earlier ones only.

    Args:
        lines: sequence of str without line ends.
        source: str that errors name.

    Returns:
        list of Row.

    Raises:
        CharsetError: the row, what is wrong with it and what was expected.
    """
    rows: list[Row] = []
    known: dict[str, set[str]] = {'component': set(), 'structure': set(), 'character': set()}
    for number, line in enumerate(lines, 1):
        kind, *fields = line.split('\t')
        if kind not in known or not fields or not fields[0] or (kind != 'character' and len(fields) > 1):
            raise CharsetError(
                f'{source}, row {number}: {line!r}, expected component, structure or character and its fields'
            )
        row = Row(kind, fields[0], fields[1] if len(fields) > 1 else '', tuple(fields[2:]))
        if row.name in known[kind]:
            raise CharsetError(
                f'{source}, row {number}: {kind} {row.name} stands in an earlier row, expected once'
            )
        if kind == 'character':
            slots = 1 if row.pattern in SYMBOL_STRUCTURES else row.pattern.count('·')
            if (
                not 1 <= slots == len(row.tokens) <= MAX_COMPONENTS
                or row.pattern not in known['structure']
                or not known['component'].issuperset(row.tokens)
            ):
                raise CharsetError(
                    f'{source}, row {number}: {row.name} as {row.pattern} of {" ".join(row.tokens)}, expected'
                    ' an earlier structure and as many earlier components as it has slots'
                )
        known[kind].add(row.name)
        rows.append(row)
    return rows


def read_lines(path: str | os.PathLike[str]) -> list[str]:
    """Lines of a table file.

    Args:
        path: path of a UTF-8 text with \\n line ends.

    Returns:
        list of str.
    """
    # Not splitlines(): that splits at U+2028 and others too, which are no line ends here.
    lines = Path(path).read_bytes().decode('utf-8').split('\n')
    return lines[:-1] if lines[-1] == '' else lines


def read_sequences(row_count: int, folder: str | os.PathLike[str] = TABLES) -> dict[str, str]:
    """The newest sequence of every ideograph of `ideographs.tsv` that a table of so many rows had.

    Args:
        row_count: int.
        folder: path of the tables.

    Returns:
        dict str -> str; empty without the file.
    """
    path = Path(folder) / 'ideographs.tsv'
    found: dict[str, str] = {}
    for line in read_lines(path) if path.exists() else ():
        character, sequence, *since = line.split('\t')
        if not since or int(since[0]) <= row_count:
            found[character] = sequence
    return found


def hash_lines(lines: Iterable[str]) -> str:
    """SHA-256 of rows.

    Args:
        lines: iterable of str without line ends.

    Returns:
        str of 64 hexadecimal digits.
    """
    return hashlib.sha256(''.join(line + '\n' for line in lines).encode('utf-8')).hexdigest()


def check_extension(lines: Sequence[str], row_count: int, hash_: str) -> int:
    """Checks that rows extend those an artefact was made with.

    Args:
        lines: sequence of str, the present rows.
        row_count: int, number of rows of the artefact's table.
        hash_: str, `hash_lines` of them.

    Returns:
        int, number of rows that the present table has beyond the artefact's.

    Raises:
        CharsetMismatchError: naming both row counts and hashes.
    """
    if not 0 <= row_count <= len(lines):
        raise CharsetMismatchError(
            f'the artefact was made with a dictionary of {row_count} rows (hash {hash_}); this one has only '
            f'{len(lines)} (hash {hash_lines(lines)}): expected the same or an extension of it'
        )
    present = hash_lines(lines[:row_count])
    if present != hash_:
        raise CharsetMismatchError(
            f'the artefact was made with a dictionary of {row_count} rows with hash {hash_}; the first '
            f'{row_count} rows here have hash {present}: expected the same rows'
        )
    return len(lines) - row_count
