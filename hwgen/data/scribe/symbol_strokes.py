"""The strokes of letters, digits, punctuation and signs: how people write them, drawn for this project.

`strokes/symbols.txt` holds them, a row for every way in which a symbol is written (the strokes as
`stroke_notation` has them):

    SYMBOL <TAB> advance <TAB> name of the way <TAB> strokes

A symbol stands for itself, or is U+XXXX. The box of a symbol is one em high and as wide as its advance; x and
y are hundredths of the em from the upper left corner of that box. Hanzi fill 8 to 92 of their em; capitals
and digits stand from 18 down to the baseline at 84, small letters reach up to 46, ascenders up to 14 and
descenders down to 104.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hwgen.data.scribe.stroke_notation import parse_strokes, read_rows

SYMBOLS_FILE = Path(__file__).parent / 'strokes' / 'symbols.txt'
_BLANK_EM = 0.45  # what a space takes


class SymbolShape(NamedTuple):
    """One way of writing a symbol.

    Attributes:
        name: str, unlike the names of the symbol's other ways.
        advance: float, width of the symbol's box in em, > 0.
        strokes: tuple of float32 [n, 2] in the order of writing, points x, y in em, x from the left edge of
            the box, y downwards from its top; n >= 2; read-only. A space has none.
    """

    name: str
    advance: float
    strokes: tuple[np.ndarray, ...]


class _Row(NamedTuple):
    place: str
    name: str
    advance: str
    strokes: str


@functools.cache
def symbol_strokes(character: str, *, path: Path = SYMBOLS_FILE) -> tuple[SymbolShape, ...]:
    """All ways of writing a symbol, the plainest first.

    Args:
        character: one character in its normal form (`hwgen.charset.symbols.normalize`).
        path: the table.

    Returns:
        At least one shape.

    Raises:
        LookupError: the table has no row for the character.
        ValueError: a row that cannot be read; file and row are named.
    """
    if character == ' ':
        return (SymbolShape('blank', _BLANK_EM, ()),)
    rows = _rows(path).get(character)
    if rows is None:
        raise LookupError(f'{character!r}: no strokes in {path.name}')
    return tuple(map(_shape, rows))


@functools.cache
def written_symbols(*, path: Path = SYMBOLS_FILE) -> frozenset[str]:
    """The symbols that have strokes, and the space."""
    return frozenset(_rows(path)) | {' '}


@functools.cache
def _rows(path):
    """dict symbol -> its rows.

    Strokes stay text until they are asked for: reading all of them would take a noticeable moment.
    """
    table = {}
    for place, fields in read_rows(path, ('symbol', 'advance', 'name', 'strokes')):
        rows = table.setdefault(_symbol(fields[0], place), [])
        if fields[2] in {row.name for row in rows}:
            raise ValueError(
                f'{place}: {fields[0]!r} has a shape {fields[2]!r} already, expected another name'
            )
        rows.append(_Row(place, fields[2], fields[1], fields[3]))
    return table


def _symbol(text, place):
    try:
        symbol = chr(int(text.removeprefix('U+'), 16)) if text.startswith('U+') else text
    except (ValueError, OverflowError) as error:
        raise ValueError(f'{place}: symbol {text!r}, expected U+ and a hexadecimal number') from error
    if len(symbol) != 1:
        raise ValueError(f'{place}: symbol {text!r}, expected one character or U+XXXX')
    return symbol


def _shape(row):
    try:
        advance = float(row.advance)
        strokes = parse_strokes(row.strokes)
    except ValueError as error:
        raise ValueError(f'{row.place}: {error}') from error
    if not 0 < advance <= 2:
        raise ValueError(f'{row.place}: advance {row.advance}, expected em between 0 and 2')
    for stroke in strokes:
        stroke.flags.writeable = False  # they are cached
    return SymbolShape(row.name, advance, tuple(strokes))
