"""The path of a pen for every character that the dictionary can describe: an entry of the stroke table, or
composed from the strokes of its components (`composed_strokes`).
"""

import functools
import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe.composed_strokes import placed_strokes
from hwgen.data.scribe.stroke_table import StrokeTable

_LONG = 0.22  # em: a longer straight piece gets points in between, so that it can bow
# em, cos, em: a short end that turns by more than 57 degrees is a hook
_HOOK, _HOOK_TURN, _DOWN_HOOK = 0.26, 0.55, 0.1


class Skeleton(NamedTuple):
    """What is written, before a hand makes it its own. S strokes, P points.

    Attributes:
        points: float32 [P, 2], em, x to the right and y downwards from the top left corner of the em; targets
            of the pen's movement.
        stroke_of: int32 [P], the stroke of each point, ascending from 0.
        along: float32 [P] in [-1, 1], place along its stroke.
        hook_of: int32 [P], the point at which the hook begins that a point belongs to; its own number where
            it belongs to none.
        slots: int32 [S], component slot of each stroke.
        tokens: tuple of str, the component of each slot.
        places: tuple of str, where each slot stands: 'left', 'right', 'top', 'bottom', 'around', 'inside',
            'whole'.
        advance: float, em, width of the cell.
        composed: bool, not an entry of the table.
    """

    points: np.ndarray
    stroke_of: np.ndarray
    along: np.ndarray
    hook_of: np.ndarray
    slots: np.ndarray
    tokens: tuple[str, ...]
    places: tuple[str, ...]
    advance: float
    composed: bool


def assemble(
    strokes: Sequence[np.ndarray],
    slots: Sequence[int],
    tokens: Sequence[str],
    places: Sequence[str],
    *,
    advance: float = 1.0,
    composed: bool = False,
) -> Skeleton:
    """A Skeleton of strokes.

    Args:
        strokes: sequence of float [n, 2], em.
        slots: sequence of int, one a stroke.
        tokens, places: sequences of str, one a slot.
        advance: float, em.
        composed: bool.

    Returns:
        Skeleton.
    """
    dense = [_with_midpoints(np.asarray(stroke, np.float32)) for stroke in strokes]
    counts = [len(stroke) for stroke in dense]
    points = np.concatenate(dense) if dense else np.zeros([0, 2], np.float32)
    along = [_along(stroke) for stroke in dense] or [np.zeros([0])]
    hooks = np.arange(len(points), dtype=np.int32)
    for stroke, first in zip(dense, np.cumsum([0, *counts])[:-1], strict=True):
        corner = _hook(stroke)
        if corner is not None:
            hooks[first + corner : first + len(stroke)] = first + corner
    return Skeleton(
        points.astype(np.float32),
        np.repeat(np.arange(len(dense), dtype=np.int32), counts),
        np.concatenate(along).astype(np.float32),
        hooks,
        np.asarray(slots, np.int32),
        tuple(tokens),
        tuple(places),
        float(advance),
        composed,
    )


def _along(stroke):
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    return length / max(length[-1], 1e-6) * 2 - 1


def _hook(stroke):
    """Number of the point at which a stroke's hook begins: a short end that turns sharply; None where it
    has none.
    """
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    left = np.concatenate([np.cumsum(lengths[::-1])[::-1], [0]])
    best = None
    for k in range(len(stroke) - 2, 0, -1):
        if left[k] > min(_HOOK, 0.45 * left[0]):
            break
        # Directions over a stretch, for printed hooks have a small foot at their corner.
        first = next(j for j in range(k - 1, -1, -1) if left[j] - left[k] > 0.5 * _HOOK or not j)
        before, after = stroke[k] - stroke[first], stroke[-1] - stroke[k]
        turn = before @ after / max(np.hypot(*before) * np.hypot(*after), 1e-9)
        # What turns down is the second half of a corner (口) unless it is very short (冖).
        if turn < _HOOK_TURN and left[k] > 0.03 and (after[1] < 0 or left[k] < _DOWN_HOOK):
            best = k
    return best


def _with_midpoints(stroke):
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    parts = [
        np.linspace(a, b, max(1, int(np.ceil(step / _LONG))), endpoint=False)
        for (a, b), step in zip(itertools.pairwise(stroke), steps, strict=True)
    ]
    return np.concatenate([*parts, stroke[-1:]])


def places_of(tree: ids.Tree) -> tuple[str, ...]:
    """Where the leaves of a tree stand, in a word each; of nested ones the innermost counts.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        tuple of str.
    """
    if isinstance(tree, str):
        return ('whole',)
    names = {
        '⿰': ('left', 'right'),
        '⿱': ('top', 'bottom'),
        '⿲': ('left', 'middle', 'right'),
        '⿳': ('top', 'middle', 'bottom'),
        'H4': ('left', 'middle', 'middle', 'right'),
        'V4': ('top', 'middle', 'middle', 'bottom'),
    }.get(tree[0], ('around', 'inside'))
    found: tuple[str, ...] = ()
    # An operator of one part (⿾, ⿿) has a place more than parts.
    for child, name in zip(tree[1:], names, strict=False):
        found += (name,) if isinstance(child, str) else places_of(child)
    return found


def entry(character: str) -> Skeleton:
    """The skeleton of a character that the stroke table has.

    Args:
        character: str.

    Returns:
        Skeleton; a character without a code is one component.

    Raises:
        LookupError: the table lacks it.
    """
    printed, charset = StrokeTable.load()[character], Charset.load()
    if printed.slots is None or not charset.character_id(character):
        return assemble(printed.strokes, [0] * len(printed.strokes), (character,), ('whole',))
    tree = charset.tree(character)
    return assemble(printed.strokes, printed.slots, ids.leaves(tree), places_of(tree))


def compose(tree: ids.Tree, boxes: np.ndarray, *, without: Collection[str] = ()) -> Skeleton:
    """The skeleton of a code, from the strokes of its components.

    Args:
        tree: token or (operator, child, ...), leaves are components.
        boxes: float [k, 4], template boxes of the leaves in [0, 1].
        without: characters whose entries must not be used.

    Returns:
        Skeleton.

    Raises:
        LookupError: a component that no entry shows and `component_strokes` lacks.
    """
    strokes, slots = placed_strokes(tree, boxes, without)
    return assemble(strokes, slots, ids.leaves(tree), places_of(tree), composed=True)


def code_tree(unit: str) -> tuple[ids.Tree, np.ndarray]:
    """The code of a unit as a tree, whether or not its pattern has an id.

    Args:
        unit: str, a character or sequence that the dictionary can describe.

    Returns:
        (tree, boxes): token or (operator, child, ...) over components; float [k, 4], template box of each of
        its k leaves.

    Raises:
        CharsetError: it cannot.
    """
    charset = Charset.load()
    if charset.character_id(unit):
        tree = charset.tree(unit)
    else:
        sequence = ids.parse(unit)
        tree = charset.composer.compose(
            sequence.tree, leaf_positions=sequence.leaf_positions, position=0
        ).tree
    return tree, np.array(ids.boxes(tree))


@functools.lru_cache(maxsize=16384)
def skeleton(unit: str) -> Skeleton:
    """The skeleton of a character or sequence.

    Args:
        unit: str, a character or an Ideographic Description Sequence.

    Returns:
        Skeleton.

    Raises:
        CharsetError: the dictionary cannot describe it.
        LookupError: a component that no entry shows and `component_strokes` lacks.
    """
    if unit in StrokeTable.load():
        return entry(unit)
    tree, boxes = code_tree(unit)
    whole = ids.format_tree(tree)
    if whole in StrokeTable.load():
        return entry(whole)
    return compose(tree, boxes)
