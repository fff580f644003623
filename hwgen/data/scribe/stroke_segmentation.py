"""Which stroke belongs to which component: found from the order of writing and the shapes of components.

Parts side by side or one above the other are written one after the other; of an enclosure the inner part is
written without interruption, before, after or between strokes of the outer one. Of all cuts that allows, the
one is taken whose pieces look most like their components, as known from entries of their own or from the
characters cut so far; a few rounds settle it. Source: ours; the idea of matching medians to components is
Make Me a Hanzi's.
"""

import collections
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hwgen.charset import ids

_POINTS = 8  # a stroke in comparisons
# cost of a piece that looks like no known shape of its component (mean distance of points, in the box of the
# piece)
_NEW = 0.30
_UNKNOWN = 0.18  # cost of a component of which nothing is known yet
_PLACE = 0.15  # weight of the distance between a piece's box and its slot's
_ROUNDS = 4
_SHAPES, _SAMPLES = 5, 24
_ENCLOSING = frozenset('⿴⿵⿶⿷⿸⿹⿺⿻⿼⿽㇯')


def segment(
    strokes: Mapping[str, Sequence[np.ndarray]],
    trees: Mapping[str, ids.Tree],
    *,
    report: Callable[[str], object] = lambda message: None,
) -> tuple[dict[str, list[int]], dict[str, float]]:
    """Assigns strokes to slots.

    Args:
        strokes: dict str -> list of float [n, 2], em, in writing order.
        trees: dict str -> tree of at most four leaves; characters that are not in `strokes` are no matter.
        report: function of a str.

    Returns:
        (slots, costs): dict str -> list of int, one a stroke, for every character of both; dict str -> float,
        how unlike their components its pieces look: below 0.1 good, above 0.25 doubtful.
    """
    forms = {
        character: np.stack([_resampled(stroke) for stroke in own]) for character, own in strokes.items()
    }
    known = {character: [form] for character, form in forms.items()}
    slots, costs = {}, {}
    for number in range(_ROUNDS):
        pieces = collections.defaultdict(list)
        for character, tree in trees.items():
            if character not in forms:
                continue
            costs[character], slots[character] = _Cut(forms[character], tree, known).best()
            own = np.array(slots[character])
            for slot, token in enumerate(ids.leaves(tree)):
                pieces[token].append((costs[character], forms[character][own == slot]))
        known = {
            **{c: [form] for c, form in forms.items()},
            **{token: _shapes(token, found, forms) for token, found in pieces.items()},
        }
        report(
            f'round {number + 1}: mean cost {np.mean(list(costs.values())):.4f},'
            f' {sum(c > 0.25 for c in costs.values())} doubtful'
        )
    return slots, costs


def _resampled(stroke):
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    at = np.linspace(0, along[-1], _POINTS)
    return np.stack([np.interp(at, along, stroke[:, 0]), np.interp(at, along, stroke[:, 1])], 1)


def _in_box(form):
    """A piece [S, P, 2] in its own box; a flat one is not stretched to a square."""
    low, high = form.min((0, 1)), form.max((0, 1))
    size = np.maximum(high - low, 0.35 * (high - low).max() + 1e-6)
    return (form - (low + high) / 2) / size


def _shapes(token, found, forms):
    """Typical shapes of a component: of each frequent number of strokes the middle one of its clearest
    pieces, and its own entry.
    """
    by_count = collections.defaultdict(list)
    for _, form in sorted(found, key=lambda item: item[0])[:200]:
        by_count[len(form)].append(form)
    total = sum(map(len, by_count.values()))
    shapes = [forms[token]] if token in forms else []
    for members in sorted(by_count.values(), key=len, reverse=True):
        if len(members) < 0.12 * total or len(shapes) >= _SHAPES:
            continue
        boxed = np.stack([_in_box(form) for form in members[:_SAMPLES]])
        distances = np.linalg.norm(boxed[:, None] - boxed[None], axis=-1).mean((2, 3))
        shapes.append(members[int(distances.sum(1).argmin())])
    return shapes


class _Cut:
    """The best cut of one character."""

    def __init__(self, forms, tree, known):
        self._forms, self._tree, self._known = forms, tree, known
        self._leaf_costs = {}
        low, high = forms.min((0, 1)), forms.max((0, 1))
        self._low, self._size = low, np.maximum(high - low, 0.2)
        self._numbers = {}

    def best(self):
        """(cost, slots)."""
        places = iter(enumerate(ids.boxes(self._tree)))
        cost, parts = self._parts(_numbered(self._tree, places), tuple(range(len(self._forms))))
        slots = [0] * len(self._forms)
        for slot, members in parts:
            for member in members:
                slots[member] = slot
        return cost / len(self._forms), slots

    def _parts(self, node, members):
        """(cost, ((slot, members), ...)): costs are weighted by the number of strokes."""
        if len(node) == 3 and isinstance(node[0], int):
            return self._leaf(node, members), ((node[0], members),)
        key = (id(node), members)
        if key in self._numbers:
            return self._numbers[key]
        best = (np.inf, ())
        for pieces in _divisions(node[0], len(node) - 1, len(members)):
            total, parts = 0.0, ()
            for child, piece in zip(node[1:], pieces, strict=True):
                cost, found = self._parts(child, tuple(members[k] for k in piece))
                total, parts = total + cost, parts + found
                if total >= best[0]:
                    break
            if total < best[0]:
                best = total, parts
        self._numbers[key] = best
        return best

    def _leaf(self, leaf, members):
        key = (leaf[0], members)
        if key not in self._leaf_costs:
            _, token, box = leaf
            form = self._forms[list(members)]
            shapes = self._known.get(token)
            if not shapes:
                cost = _UNKNOWN
            else:
                same = [shape for shape in shapes if len(shape) == len(form)]
                fewest = min(abs(len(shape) - len(form)) for shape in shapes)
                boxed = _in_box(form)
                cost = min(
                    (float(np.linalg.norm(_in_box(shape) - boxed, axis=-1).mean()) for shape in same),
                    default=_NEW + 0.05 * fewest,
                )
                cost = min(cost, _NEW + 0.05 * fewest)
            low, high = (
                (form.min((0, 1)) - self._low) / self._size,
                (form.max((0, 1)) - self._low) / self._size,
            )
            place = float(np.abs(np.concatenate([low, high]) - box).mean())
            self._leaf_costs[key] = (cost + _PLACE * place) * len(form)
        return self._leaf_costs[key]


def _numbered(tree, places):
    """The tree with (slot, token, box) in place of its leaves."""
    if isinstance(tree, str):
        slot, box = next(places)
        return slot, tree, np.array(box)
    return (tree[0], *(_numbered(child, places) for child in tree[1:]))


def _divisions(operator, count, total):
    """How an operator's parts may share strokes: lists of tuples of indices, one a part, each with at
    least one stroke if there are enough.
    """
    if total < count:
        return
    if operator in _ENCLOSING and count == 2:
        for start in range(total):
            for end in range(start + 1, total + 1):
                if end - start < total:
                    yield tuple(range(start)) + tuple(range(end, total)), tuple(range(start, end))
        return
    for cuts in itertools.combinations(range(1, total), count - 1):
        ends = (0, *cuts, total)
        yield tuple(tuple(range(a, b)) for a, b in itertools.pairwise(ends))
