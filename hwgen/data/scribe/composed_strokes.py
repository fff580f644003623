"""The strokes of a composed character: those of its components, each where such components stand.

A component is taken from the entry of the stroke table that shows it in the most similar place, and put into
the mean box of its component in that slot of that pattern, weighted towards entries whose other parts are as
rich in strokes. Real boxes are met better so than by any fixed template (docs/scribe.md has the figures).
What no entry shows has its strokes from `component_strokes`.
"""

import functools
import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe.component_strokes import component_strokes, described_components
from hwgen.data.scribe.stroke_table import StrokeTable

_FLAT = 0.12  # em: a thinner piece is not stretched across
_RICHNESS = 2.5  # strokes: how fast an entry's weight falls with the difference of the other parts
_ENOUGH = 8  # entries of a pattern whose mean boxes are trusted
_OVERLAP = 0.3  # of the smaller of two neighbours' boxes: more than that lies on each other
# The axis along which an operator's parts follow each other: 0 across, 1 down.
_AXES = {'⿰': 0, '⿲': 0, 'H4': 0, '⿱': 1, '⿳': 1, 'V4': 1}
_INSET = (0.07, 0.07, 0.93, 0.93)  # what of its em a character covers, where nothing else is known


def box_of(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Box x0, y0, x1, y1 of strokes: float [4], em."""
    points = np.concatenate(strokes)
    return np.concatenate([points.min(0), points.max(0)])


def placed_strokes(
    tree: ids.Tree, boxes: np.ndarray, without: Collection[str] = ()
) -> tuple[list[np.ndarray], list[int]]:
    """The strokes of a tree's components where they stand, in writing order, and the slot of each.

    Args:
        tree: token or (operator, child, ...), leaves are components.
        boxes: float [k, 4], template boxes of the leaves in [0, 1].
        without: characters whose entries must not be used.

    Returns:
        list of float [n, 2], em; list of int.

    Raises:
        LookupError: a component that no entry shows and `component_strokes` lacks.
    """
    pattern, tokens, table = ids.pattern(tree), ids.leaves(tree), ShownComponents.load()
    richness = [table.richness(token) for token in tokens]
    strokes, slots = [], []
    placed = _kept_apart(tree, table.boxes(tree, boxes, richness, without=without), boxes)
    for slot, token in enumerate(tokens):
        shape = table.shape(token, pattern, slot, placed[slot], without=without)
        own = box_of(shape)
        # A flat piece (一) keeps its thickness: it is moved across, not stretched.
        size, wanted = own[2:] - own[:2], placed[slot][2:] - placed[slot][:2]
        factor = [wanted[k] / size[k] if size[k] > _FLAT else 1 for k in (0, 1)]
        centre, to = (own[:2] + own[2:]) / 2, (placed[slot][:2] + placed[slot][2:]) / 2
        strokes += [(stroke - centre) * factor + to for stroke in shape]
        slots += [slot] * len(shape)
    order = _writing_order(tree, slots)
    return [strokes[k] for k in order], [slots[k] for k in order]


def _writing_order(tree, slots):
    """Order of strokes: as the slots follow each other, but 辶 and its kin come after what they hold, and 囗
    is closed last.
    """
    members = [[k for k, slot in enumerate(slots) if slot == s] for s in range(max(slots) + 1)]

    def read(node, first):
        if isinstance(node, str):
            return list(members[first]), first + 1
        parts = []
        for child in node[1:]:
            part, first = read(child, first)
            parts.append(part)
        if node[0] == '⿺' and (not isinstance(node[1], str) or node[1] in '辶廴乚'):
            parts = parts[1:] + parts[:1]
        elif node[0] == '⿴' and node[1] == '囗':
            parts = [parts[0][:-1], parts[1], parts[0][-1:]]
        elif node[0] == '⿶':
            parts = parts[1:] + parts[:1]
        return [k for part in parts for k in part], first

    return read(tree, 0)[0]


def _in_em(boxes):
    """Boxes of a template in the em that a character covers: float [..., 4]."""
    low, high = np.array(_INSET[:2]), np.array(_INSET[2:])
    return np.concatenate([low + boxes[..., :2] * (high - low), low + boxes[..., 2:] * (high - low)], -1)


def _kept_apart(tree, placed, boxes):
    """Boxes of parts side by side or one above the other, drawn apart where they would lie on each other.

    Args:
        tree: token or (operator, child, ...).
        placed: sequence of float [4], a leaf each.
        boxes: float [k, 4], template boxes of the leaves.

    Returns:
        float [k, 4].
    """
    placed = np.array(placed, float)

    def visit(node, first):
        """The number of the leaf after those of a node."""
        if isinstance(node, str):
            return first + 1
        ends = [first]
        for child in node[1:]:
            ends.append(ends[-1] + len(ids.leaves(child)))
        axis = _AXES.get(node[0])
        if axis is not None:
            for (a, b), (_, c) in itertools.pairwise(itertools.pairwise(ends)):
                low, end = placed[a:b, axis].min(), placed[a:b, axis + 2].max()
                begin, high = placed[b:c, axis].min(), placed[b:c, axis + 2].max()
                smaller = max(min(end - low, high - begin), 0.05)
                if end - begin <= _OVERLAP * smaller:
                    continue
                middle, reach = (end + begin) / 2, _OVERLAP / 2 * smaller
                if not low < middle - reach < middle + reach < high:  # not even in the order of the structure
                    for leaves in (slice(a, b), slice(b, c)):
                        placed[leaves] = _in_em(boxes[leaves])
                    continue
                for leaves, from_, to, scale in (
                    (slice(a, b), low, low, (middle + reach - low) / (end - low)),
                    (slice(b, c), high, high, (high - middle + reach) / (high - begin)),
                ):
                    placed[leaves, axis::2] = to + (placed[leaves, axis::2] - from_) * scale
        for child, begin in zip(node[1:], ends[:-1], strict=True):
            visit(child, begin)
        return ends[-1]

    visit(tree, 0)
    return placed


class Occurrence(NamedTuple):
    """A component as an entry of the stroke table shows it.

    Attributes:
        character: str, the entry.
        pattern: str, of the entry; slot: int, where in it the component stands.
        token: str, the component.
        box: float [4], em, x0, y0, x1, y1 of its strokes.
        num_strokes: int, how many these are.
        counts: int [k], strokes of every component of the entry.
    """

    character: str
    pattern: str
    slot: int
    token: str
    box: np.ndarray
    num_strokes: int
    counts: np.ndarray


class ShownComponents:
    """Which entry shows which component where."""

    def __init__(self) -> None:
        table, charset = StrokeTable.load(), Charset.load()
        self._table = table
        self._of_token: dict[str, list[Occurrence]] = {}
        self._of_slot: dict[tuple[str, int], list[Occurrence]] = {}
        for character in table.characters:
            printed = table[character]
            if printed.slots is None or not charset.character_id(character):
                continue
            tree = charset.tree(character)
            tokens, pattern = ids.leaves(tree), ids.pattern(tree)
            counts = np.bincount(printed.slots, minlength=len(tokens))
            for slot, token in enumerate(tokens):
                if not counts[slot]:
                    continue
                box = box_of(
                    [
                        stroke
                        for stroke, own in zip(printed.strokes, printed.slots, strict=True)
                        if own == slot
                    ]
                )
                row = Occurrence(character, pattern, slot, token, box, counts[slot], counts)
                self._of_token.setdefault(token, []).append(row)
                self._of_slot.setdefault((pattern, slot), []).append(row)
        for character in table.characters:  # components that are entries without a code of their own
            if character not in self._of_token:
                strokes = table[character].strokes
                self._of_token[character] = [
                    Occurrence(
                        character,
                        pattern=ids.SLOT,
                        slot=0,
                        token=character,
                        box=box_of(strokes),
                        num_strokes=len(strokes),
                        counts=np.array([len(strokes)]),
                    )
                ]

    @classmethod
    @functools.cache
    def load(cls) -> 'ShownComponents':
        """One object a process."""
        return cls()

    def _is_shown(self, token):
        """Whether entries are to be asked for a component: what `component_strokes` has is not shown by
        any, or wrongly.
        """
        return token in self._of_token and token not in described_components()

    def richness(self, token: str) -> float:
        """Number of strokes of a component."""
        if not self._is_shown(token):
            return float(len(_described_strokes(token)))
        return float(np.median([row.num_strokes for row in self._of_token[token]]))

    def boxes(
        self,
        tree: ids.Tree,
        templates: Sequence[Sequence[float]] | np.ndarray,
        richness: Sequence[float],
        *,
        without: Collection[str],
    ) -> list[np.ndarray]:
        """Where the components of a tree stand: list of float [4], one a leaf.

        Where few entries have its pattern, the outer parts are placed first.
        """
        pattern, tokens = ids.pattern(tree), ids.leaves(tree)
        shown = sum(
            row.character not in without for row in self._of_slot.get((pattern, 0), ())[: _ENOUGH + 1]
        )
        if isinstance(tree, str) or shown >= _ENOUGH or all(isinstance(child, str) for child in tree[1:]):
            return [
                self.box(pattern, slot, tokens, richness, template=templates[slot], without=without)
                for slot in range(len(tokens))
            ]
        ends = np.cumsum([0] + [len(ids.leaves(child)) for child in tree[1:]]).tolist()
        outer = (tree[0], *map(ids.format_tree, tree[1:]))
        whole = self.boxes(
            outer,
            ids.boxes(outer),
            [sum(richness[a:b]) for a, b in itertools.pairwise(ends)],
            without=without,
        )
        found = []
        for child, box, (a, b) in zip(tree[1:], whole, itertools.pairwise(ends), strict=True):
            inner = np.stack(self.boxes(child, ids.boxes(child), richness[a:b], without=without))
            low, high = inner[:, :2].min(0), inner[:, 2:].max(0)
            factor = (box[2:] - box[:2]) / (high - low)
            found += [
                np.concatenate([(own[:2] - low) * factor, (own[2:] - low) * factor]) + np.tile(box[:2], 2)
                for own in inner
            ]
        return found

    def box(
        self,
        pattern: str,
        slot: int,
        tokens: Sequence[str],
        richness: Sequence[float],
        *,
        template: Sequence[float] | np.ndarray,
        without: Collection[str],
    ) -> np.ndarray:
        """Where a component stands in a character of these components: float [4]."""
        if pattern == ids.SLOT and not self._is_shown(tokens[slot]):
            return box_of(_described_strokes(tokens[slot]))
        rows = [row for row in self._of_slot.get((pattern, slot), ()) if row.character not in without]
        same = [row for row in rows if row.token == tokens[slot]]
        if not rows:
            return _in_em(template)
        if not same:
            # Another component there, as rich as this one.
            same = sorted(rows, key=lambda row: abs(row.num_strokes - richness[slot]))[
                : max(8, len(rows) // 10)
            ]
        weights = np.array([np.exp(-_difference(row.counts, richness) / _RICHNESS) for row in same]) + 1e-4
        return weights @ np.stack([row.box for row in same]) / weights.sum()

    def shape(
        self, token: str, pattern: str, slot: int, box: np.ndarray, *, without: Collection[str]
    ) -> list[np.ndarray]:
        """The strokes of a component as the entry has them that shows it in the most similar place: list
        of float [n, 2].
        """
        if not self._is_shown(token):
            return _described_strokes(token)
        rows = [row for row in self._of_token[token] if row.character not in without] or self._of_token[token]

        def distance(row: Occurrence) -> tuple[float, str]:
            elsewhere = (row.pattern, row.slot) != (pattern, slot)
            return float(np.abs(row.box - box).sum()) + 0.15 * elsewhere, row.character

        chosen = min(rows, key=distance)
        printed = self._table[chosen.character]
        if printed.slots is None or chosen.pattern == ids.SLOT:
            return list(printed.strokes)
        owners = zip(printed.strokes, printed.slots, strict=True)
        return [stroke for stroke, owner in owners if owner == chosen.slot]


def _difference(counts: np.ndarray, richness: Sequence[float]) -> float:
    """By how many strokes the components of two characters differ."""
    return sum(abs(float(count) - rich) for count, rich in zip(counts, richness, strict=True))


@functools.cache
def _described_strokes(token: str) -> list[np.ndarray]:
    """The strokes of a component that entries are not asked for: list of float [n, 2]."""
    if token not in described_components():
        raise LookupError(f'component {token}: no entry of the stroke table shows it')
    found = component_strokes(token)
    return found if isinstance(found, list) else placed_strokes(found, np.array(ids.boxes(found)))[0]
