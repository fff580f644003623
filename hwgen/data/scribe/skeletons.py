"""The path of a pen for every character that the dictionary can describe: an entry of the stroke table, or
composed from the strokes of its components.

A composed character takes each component from the entry that shows it in the most similar place, and puts it
where such components stand: in the mean box of its component in that slot of that pattern, weighted towards
entries whose other parts are as rich in strokes. Real boxes are met better so than by any fixed template
(docs/scribe.md has the figures). What no entry shows has its strokes from `component_strokes`.
"""

import functools
from typing import NamedTuple

import numpy as np

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe.component_strokes import component_strokes, described_components
from hwgen.data.scribe.stroke_table import StrokeTable

_LONG = 0.22  # em: a longer straight piece gets points in between, so that it can bow
_FLAT = 0.12  # em: a thinner piece is not stretched across
# em, cos, em: a short end that turns by more than 57 degrees is a hook
_HOOK, _HOOK_TURN, _DOWN_HOOK = 0.26, 0.55, 0.1
_RICHNESS = 2.5  # strokes: how fast an entry's weight falls with the difference of the other parts
_ENOUGH = 8  # entries of a pattern whose mean boxes are trusted
_OVERLAP = 0.3  # of the smaller of two neighbours' boxes: more than that lies on each other
_INSET = (0.07, 0.07, 0.93, 0.93)  # what of its em a character covers, where nothing else is known


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
    tokens: tuple
    places: tuple
    advance: float
    composed: bool


def assemble(strokes, slots, tokens, places, *, advance=1.0, composed=False):
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
    for stroke, first in zip(dense, np.cumsum([0, *counts])):
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
        for a, b, step in zip(stroke, stroke[1:], steps)
    ]
    return np.concatenate([*parts, stroke[-1:]])


def box_of(strokes):
    """Box x0, y0, x1, y1 of strokes: float [4], em."""
    points = np.concatenate(strokes)
    return np.concatenate([points.min(0), points.max(0)])


def places_of(tree):
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
    found = ()
    for child, name in zip(tree[1:], names):
        found += (name,) if isinstance(child, str) else places_of(child)
    return found


def entry(character):
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


def compose(tree, boxes, *, without=()):
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
    strokes, slots = _placed(tree, boxes, without)
    return assemble(strokes, slots, ids.leaves(tree), places_of(tree), composed=True)


def _placed(tree, boxes, without=()):
    """The strokes of a tree's components where they stand, in writing order, and the slot of each."""
    pattern, tokens, table = ids.pattern(tree), ids.leaves(tree), _Shown.load()
    richness = [table.richness(token) for token in tokens]
    strokes, slots = [], []
    placed = _kept_apart(tree, table.boxes(tree, boxes, richness, without=without), boxes)
    for slot, token in enumerate(tokens):
        shape = table.shape(token, pattern, slot, placed[slot], without=without)
        own = box_of(shape)
        # A flat piece (一) keeps its thickness: it is moved across, not stretched.
        factor = [
            (
                (placed[slot][2 + k] - placed[slot][k]) / (own[2 + k] - own[k])
                if own[2 + k] - own[k] > _FLAT
                else 1
            )
            for k in (0, 1)
        ]
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
        if node[0] == '⿺' and not isinstance(node[1], str) or node[0] == '⿺' and node[1] in '辶廴乚':
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
        axis = 0 if node[0] in ('⿰', '⿲', 'H4') else 1 if node[0] in ('⿱', '⿳', 'V4') else None
        if axis is not None:
            for a, b, c in zip(ends, ends[1:], ends[2:]):
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
        for child, begin in zip(node[1:], ends):
            visit(child, begin)
        return ends[-1]

    visit(tree, 0)
    return placed


class _Shown:
    """Which entry shows which component where."""

    def __init__(self):
        table, charset = StrokeTable.load(), Charset.load()
        self._table = table
        self._of_token, self._of_slot = {}, {}
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
                box = box_of([stroke for stroke, own in zip(printed.strokes, printed.slots) if own == slot])
                row = (character, pattern, slot, token, box, counts[slot], counts)
                self._of_token.setdefault(token, []).append(row)
                self._of_slot.setdefault((pattern, slot), []).append(row)
        for character in table.characters:  # components that are entries without a code of their own
            if character not in self._of_token:
                strokes = table[character].strokes
                self._of_token[character] = [
                    (
                        character,
                        ids.SLOT,
                        0,
                        character,
                        box_of(strokes),
                        len(strokes),
                        np.array([len(strokes)]),
                    )
                ]

    @classmethod
    @functools.cache
    def load(cls):
        """One object a process."""
        return cls()

    def knows(self, token):
        return token in self._of_token or token in described_components()

    def _is_shown(self, token):
        """Whether entries are to be asked for a component: what `component_strokes` has is not shown by
        any, or wrongly.
        """
        return token in self._of_token and token not in described_components()

    @functools.cache
    def _described(self, token):
        """The strokes of a component that entries are not asked for: list of float [n, 2]."""
        if token not in described_components():
            raise LookupError(f'component {token}: no entry of the stroke table shows it')
        found = component_strokes(token)
        return found if isinstance(found, list) else _placed(found, np.array(ids.boxes(found)))[0]

    def richness(self, token):
        """Number of strokes of a component."""
        if not self._is_shown(token):
            return float(len(self._described(token)))
        return float(np.median([row[5] for row in self._of_token[token]]))

    def boxes(self, tree, templates, richness, *, without):
        """Where the components of a tree stand: list of float [4], one a leaf.

        Where few entries have its pattern, the outer parts are placed first.
        """
        pattern, tokens = ids.pattern(tree), ids.leaves(tree)
        shown = sum(row[0] not in without for row in self._of_slot.get((pattern, 0), ())[: _ENOUGH + 1])
        if isinstance(tree, str) or shown >= _ENOUGH or all(isinstance(child, str) for child in tree[1:]):
            return [
                self.box(pattern, slot, tokens, richness, template=templates[slot], without=without)
                for slot in range(len(tokens))
            ]
        ends = np.cumsum([0] + [len(ids.leaves(child)) for child in tree[1:]]).tolist()
        outer = (tree[0], *map(ids.format_tree, tree[1:]))
        whole = self.boxes(
            outer, ids.boxes(outer), [sum(richness[a:b]) for a, b in zip(ends, ends[1:])], without=without
        )
        found = []
        for child, box, a, b in zip(tree[1:], whole, ends, ends[1:]):
            inner = np.stack(self.boxes(child, ids.boxes(child), richness[a:b], without=without))
            low, high = inner[:, :2].min(0), inner[:, 2:].max(0)
            factor = (box[2:] - box[:2]) / (high - low)
            found += [
                np.concatenate([(own[:2] - low) * factor, (own[2:] - low) * factor]) + np.tile(box[:2], 2)
                for own in inner
            ]
        return found

    def box(self, pattern, slot, tokens, richness, *, template, without):
        """Where a component stands in a character of these components: float [4]."""
        if pattern == ids.SLOT and not self._is_shown(tokens[slot]):
            return box_of(self._described(tokens[slot]))
        rows = [row for row in self._of_slot.get((pattern, slot), ()) if row[0] not in without]
        same = [row for row in rows if row[3] == tokens[slot]]
        if not rows:
            return _in_em(template)
        if not same:
            # Another component there, as rich as this one.
            same = sorted(rows, key=lambda row: abs(row[5] - richness[slot]))[: max(8, len(rows) // 10)]
        weights = (
            np.array(
                [
                    np.exp(
                        -sum(abs(float(count) - rich) for count, rich in zip(row[6], richness)) / _RICHNESS
                    )
                    for row in same
                ]
            )
            + 1e-4
        )
        return weights @ np.stack([row[4] for row in same]) / weights.sum()

    def shape(self, token, pattern, slot, box, *, without):
        """The strokes of a component as the entry has them that shows it in the most similar place: list
        of float [n, 2].
        """
        if not self._is_shown(token):
            return self._described(token)
        rows = [row for row in self._of_token[token] if row[0] not in without] or self._of_token[token]
        chosen = min(
            rows,
            key=lambda row: (
                float(np.abs(row[4] - box).sum()) + 0.15 * ((row[1], row[2]) != (pattern, slot)),
                row[0],
            ),
        )
        printed = self._table[chosen[0]]
        if printed.slots is None or chosen[1] == ids.SLOT:
            return list(printed.strokes)
        return [stroke for stroke, own in zip(printed.strokes, printed.slots) if own == chosen[2]]


def code_tree(unit):
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
def skeleton(unit):
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
