"""The strokes of components that no entry of the stroke table shows, or only wrongly: composed of others, or
drawn for this project.

`strokes/components.txt` holds them, a row a component:

    COMPONENT <TAB> =sequence   composed like a character, of components with strokes
    COMPONENT <TAB> strokes     in the notation of `stroke_notation`; a full character reaches from 8 to 92
    across and from 6 to 94 downwards
"""

import functools
from pathlib import Path

import numpy as np

from hwgen.charset import ids
from hwgen.data.scribe.stroke_notation import parse_strokes, read_rows

COMPONENTS_FILE = Path(__file__).parent / 'strokes' / 'components.txt'


@functools.cache
def component_strokes(token: str, *, path: Path = COMPONENTS_FILE) -> ids.Tree | list[np.ndarray]:
    """What the table says of a component.

    Args:
        token: str, a component.
        path: the table.

    Returns:
        A tree of components (a str or a tuple whose first item is an operator), or a list of float32 [n, 2],
        em, read-only.

    Raises:
        LookupError: the table has no row for the component.
        ValueError: a row that cannot be read; file and row are named.
    """
    rows = _rows(path)
    if token not in rows:
        raise LookupError(f'component {token}: no strokes in {path.name}')
    place, text = rows[token]
    try:
        if text.startswith('='):
            return ids.flatten(ids.parse_whole(text[1:]))
        strokes = parse_strokes(text)
    except ValueError as error:
        raise ValueError(f'{place}: {error}') from error
    for stroke in strokes:
        stroke.flags.writeable = False  # they are cached
    return strokes


def described_components(*, path: Path = COMPONENTS_FILE) -> frozenset[str]:
    """The components that have a row: frozenset of str."""
    return frozenset(_rows(path))


@functools.cache
def _rows(path):
    """dict component -> (place, text). The text is read when it is asked for."""
    table = {}
    for place, fields in read_rows(path, ('component', 'strokes')):
        try:
            token = ids.parse_whole(fields[0])
        except ValueError as error:
            raise ValueError(f'{place}: {error}') from error
        if not isinstance(token, str):
            raise ValueError(f'{place}: {token!r}, expected one component')
        if token in table:
            raise ValueError(f'{place}: {token} has a row already, {table[token][0]}')
        table[token] = place, fields[1]
    return table
