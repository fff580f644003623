"""Running hand: how people in a hurry write components and common characters, and in which order they take
strokes.

The tables strokes/running.txt and strokes/orders.txt are of our own making, from general knowledge of
everyday handwriting (Differs: nothing known; there is no source to differ from). Blank lines and lines that
start with `#` say nothing.
"""

import functools
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hwgen.data.scribe.stroke_notation import parse_strokes, read_rows

FOLDER = pathlib.Path(__file__).parent / 'strokes'
# Where a component stands in its character: beside, above or below the rest, or around it.
PLACES = ('left', 'right', 'top', 'bottom', 'around')


class RunningForm(NamedTuple):
    """A way to write a component.

    Attributes:
        name: str, of the form; each is unique within its component and place.
        degree: float in [0, 1], how hurried a writer is who writes so: near 0 nearly everyone, near 1 only
            fast cursive hands.
        strokes: tuple of float32 [n, 2], n >= 2, in writing order; x to the right, y downwards, where [0, 1]
            is the box that the component's printed strokes fill. Arrays are shared: not to be changed.
    """

    name: str
    degree: float
    strokes: tuple[np.ndarray, ...]


def running_variants(token: str, place: str | None = None) -> tuple[RunningForm, ...]:
    """The running forms of a component or character.

    Args:
        token: a component or character as the dictionary names it.
        place: one of PLACES, or None where it is not known or the token stands alone.

    Returns:
        The forms for that place if there are any, else those that hold anywhere; empty where there are none.

    Raises:
        ValueError: no such place, or a malformed row, with its file and number.
    """
    if place is not None and place not in PLACES:
        raise ValueError(f'place {place!r}: expected one of {", ".join(PLACES)}')
    return _forms(token, place) or _forms(token, None)


def stroke_orders(token: str) -> tuple[tuple[int, ...], ...]:
    """Orders other than the printed one in which people write a component.

    Args:
        token: a component or character as the dictionary names it.

    Returns:
        Permutations of the printed strokes, counted from 0; empty where none is known.

    Raises:
        ValueError: a malformed row, with its file and number.
    """
    return _orders_table().get(token, ())


def read_running(path: pathlib.Path) -> dict[tuple[str, str | None], tuple[Callable[[], RunningForm], ...]]:
    """Reads running forms: rows `COMPONENT[@PLACE] <tab> name <tab> degree <tab> strokes`, strokes in
    hundredths of the component's box.

    Args:
        path: pathlib.Path.

    Returns:
        dict (token, place or None) -> tuple of callables () -> RunningForm, in the order of the file. They
        read the strokes, which is most of the work, when called; where these are malformed they raise a
        ValueError like the one below.

    Raises:
        ValueError: the file, the row and what was expected there.
    """
    table: dict[tuple[str, str | None], dict[str, Callable[[], RunningForm]]] = {}
    for where, fields in read_rows(path, ('component', 'name', 'degree', 'strokes')):
        key, name, degree, strokes = fields
        token, at, place = key.partition('@')
        if not token or (at and place not in PLACES):
            raise ValueError(
                f'{where}: component {key!r}, expected COMPONENT or COMPONENT@PLACE with a place of'
                f' {", ".join(PLACES)}'
            )
        forms = table.setdefault((token, place or None), {})
        if not name or name in forms:
            raise ValueError(f'{where}: name {name!r}, expected one that no other form of {key} has')
        forms[name] = functools.partial(_form, where, name, _degree(degree, where), strokes)
    return {key: tuple(forms.values()) for key, forms in table.items()}


def read_orders(path: pathlib.Path) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Reads stroke orders: rows `COMPONENT <tab> order`, the numbers of the printed strokes from 1, such as
    `2 1 3`.

    Args:
        path: pathlib.Path.

    Returns:
        dict str -> tuple of permutations, counted from 0.

    Raises:
        ValueError: the file, the row and what was expected there.
    """
    table: dict[str, tuple[tuple[int, ...], ...]] = {}
    for where, (token, text) in read_rows(path, ('component', 'order')):
        words = text.split()
        order = tuple(int(word) - 1 for word in words if word.isdecimal())
        if not token or len(order) != len(words) or sorted(order) != list(range(max(2, len(words)))):
            raise ValueError(
                f'{where}: order {text!r} of {token!r}, expected the numbers 1 to n once each, n >= 2'
            )
        if order in table.get(token, ()):
            raise ValueError(f'{where}: order {text!r} of {token}, expected one not given before')
        table[token] = *table.get(token, ()), order
    return table


@functools.cache
def _forms(token, place):
    return tuple(read() for read in _running_table().get((token, place), ()))


@functools.cache
def _running_table():
    return read_running(FOLDER / 'running.txt')


@functools.cache
def _orders_table():
    return read_orders(FOLDER / 'orders.txt')


def _degree(text, where):
    try:
        degree = float(text)
    except ValueError:
        degree = -1.0
    if not 0 <= degree <= 1:
        raise ValueError(f'{where}: degree {text!r}, expected a number in [0, 1]')
    return degree


def _form(where, name, degree, text):
    try:
        return RunningForm(name, degree, tuple(parse_strokes(text)))
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from error
