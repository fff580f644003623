"""Ideographic Description Sequences (IDS): parsing, formatting, flattening, template boxes.

A sequence describes a character in prefix notation: ⿰日月 is 日 left of 月. A tree is a token (`str`) or a
tuple (operator, child, ...).
Source: The Unicode Standard, section 18.2. Differs: a token may also be `{83}`, BabelStone's name for a
component that has no code point, and two operators of our own stand for four in a row, `H4` and `V4`; they
are never read, and written as nested ⿰ and ⿱.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

# A token, or (operator, child, ...).
Tree: TypeAlias = str | tuple[Any, ...]
# x0, y0, x1, y1 in [0, 1], origin top left.
Box: TypeAlias = tuple[float, float, float, float]

ARITY = {
    **dict.fromkeys('⿰⿱⿴⿵⿶⿷⿸⿹⿺⿻⿼⿽㇯', 2),
    **dict.fromkeys('⿲⿳', 3),
    **dict.fromkeys('⿾⿿', 1),
}
VARIATION = '〾'  # "roughly like the following"; carries nothing to draw by
SLOT = '·'  # a component's place in a pattern
MAX_DEPTH = 12

_ROWS = {'⿰': ('⿰', '⿲', 'H4'), '⿱': ('⿱', '⿳', 'V4')}
_DIRECTION = {name: direction for direction, names in _ROWS.items() for name in names}
# Box of every child in its parent's unit square: x0, y0, x1, y1, origin top left. An enclosing component has
# the whole square.
_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
_INNER: dict[str, Box] = {
    '⿴': (0.2, 0.2, 0.8, 0.8),
    '⿵': (0.2, 0.3, 0.8, 1),
    '⿶': (0.2, 0, 0.8, 0.75),
    '⿷': (0.25, 0.2, 1, 0.8),
    '⿸': (0.3, 0.3, 1, 1),
    '⿹': (0, 0.3, 0.75, 1),
    '⿺': (0.3, 0, 1, 0.75),
    '⿼': (0, 0.2, 0.75, 0.8),
    '⿽': (0, 0, 0.75, 0.75),
    '⿻': _WHOLE,
    '㇯': _WHOLE,
}


class IdsError(ValueError):
    """A malformed sequence.

    Attributes:
        position: int, place of the offending code point in the text given.
    """

    def __init__(self, message: str, position: int):
        super().__init__(message)
        self.position = position


class ParsedSequence(NamedTuple):
    """One parsed sequence: its tree, the index after it, and where each leaf stands (depth first)."""

    tree: Tree
    end: int
    leaf_positions: tuple[int, ...]


def parse(text: str, start: int = 0, *, places: Sequence[int] | None = None) -> ParsedSequence:
    """Reads one sequence from a text, as far as it goes.

    Args:
        text: str.
        start: int, index of its first code point.
        places: sequence of len(text) + 1 int, what errors and `leaf_positions` call the indices; None for the
            indices themselves.

    Returns:
        ParsedSequence; `tree` is a token when no operator stands at `start`.

    Raises:
        IdsError: the text ends inside the sequence, a `{` is not closed, `}` stands alone, or the nesting
            exceeds 12 levels.
    """
    places = range(len(text) + 1) if places is None else places
    open_nodes: list[tuple[str, int, list[Tree]]] = []
    leaf_positions: list[int] = []
    position = start
    while True:
        if position >= len(text):
            if not open_nodes:
                raise IdsError(
                    f'position {places[position]}: the text ends where a sequence was expected',
                    places[position],
                )
            operator, at, children = open_nodes[-1]
            raise IdsError(
                f'position {places[position]}: the text ends inside {operator} of position {at}, which has'
                f' {len(children)} of {ARITY[operator]} parts',
                places[position],
            )
        character = text[position]
        if character == VARIATION:
            position += 1
            continue
        if character in ARITY:
            if len(open_nodes) == MAX_DEPTH:
                raise IdsError(
                    f'{character} at position {places[position]}: nested deeper than {MAX_DEPTH} levels',
                    places[position],
                )
            open_nodes.append((character, places[position], []))
            position += 1
            continue
        leaf_positions.append(places[position])
        tree, position = _token(text, position, places[position])
        while open_nodes:
            operator, _, children = open_nodes[-1]
            children.append(tree)
            if len(children) < ARITY[operator]:
                break
            tree = (operator, *children)
            open_nodes.pop()
        if not open_nodes:
            return ParsedSequence(tree, position, tuple(leaf_positions))


def parse_whole(text: str) -> Tree:
    """Parses a text that is one sequence and nothing else.

    Args:
        text: str.

    Returns:
        The tree.

    Raises:
        IdsError: as `parse`, or something follows the sequence.
    """
    sequence = parse(text)
    if sequence.end != len(text):
        raise IdsError(
            f'{text[sequence.end]} at position {sequence.end}: nothing was expected after the sequence',
            sequence.end,
        )
    return sequence.tree


def _token(text, position, place):
    character = text[position]
    if character == '{':
        close = text.find('}', position)
        if close < 0 or not text[position + 1 : close].isdigit():
            raise IdsError(f'{{ at position {place}: a number and }} were expected after it', place)
        return text[position : close + 1], close + 1
    if character == '}' or character.isspace() or character == SLOT:
        raise IdsError(f'{character!r} at position {place}: not a component', place)
    return character, position + 1


def format_tree(tree: Tree) -> str:
    """Writes a tree as a sequence; `parse_whole` reads it back.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        str; H4 and V4 are written as two nested pairs.
    """
    if isinstance(tree, str):
        return tree
    parts = [format_tree(child) for child in tree[1:]]
    if tree[0] in ('H4', 'V4'):
        operator = _DIRECTION[tree[0]]
        return operator + operator + parts[0] + parts[1] + operator + parts[2] + parts[3]
    return tree[0] + ''.join(parts)


def leaves(tree: Tree) -> tuple[str, ...]:
    """The tokens of a tree, depth first.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        tuple of str.
    """
    if isinstance(tree, str):
        return (tree,)
    return tuple(token for child in tree[1:] for token in leaves(child))


def operators(tree: Tree) -> tuple[str, ...]:
    """The operators of a tree, depth first.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        tuple of str.
    """
    if isinstance(tree, str):
        return ()
    return (tree[0],) + tuple(operator for child in tree[1:] for operator in operators(child))


def pattern(tree: Tree) -> str:
    """The shape of a tree without its tokens, such as ⿰·⿱·· for 语; the name of its structure.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        str.
    """
    return SLOT if isinstance(tree, str) else tree[0] + ''.join(map(pattern, tree[1:]))


def fill(pattern_: str, tokens: Sequence[str]) -> Tree:
    """Puts tokens into a pattern.

    Args:
        pattern_: str as `pattern` gives it.
        tokens: sequence of str, one per slot.

    Returns:
        The tree.

    Raises:
        ValueError: the number of tokens is not the number of slots.
    """
    if len(tokens) != pattern_.count(SLOT):
        raise ValueError(f'{pattern_}: {len(tokens)} tokens, expected {pattern_.count(SLOT)}')
    remaining = iter(tokens)

    def read(position: int) -> tuple[Tree, int]:
        if pattern_[position] == SLOT:
            return next(remaining), position + 1
        four = pattern_[position] in 'HV'
        name = pattern_[position : position + 2] if four else pattern_[position]
        position += len(name)
        children = []
        for _ in range(4 if four else ARITY[name]):
            child, position = read(position)
            children.append(child)
        return (name, *children), position

    return read(0)[0]


def flatten(tree: Tree) -> Tree:
    """Joins chains of one direction: ⿰A⿰BC -> ⿲ABC; four in a row -> H4 or V4.

    More than four are left nested.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        The tree.
    """
    if isinstance(tree, str):
        return tree
    children = [flatten(child) for child in tree[1:]]
    direction = _DIRECTION.get(tree[0])
    if direction is None:
        return (tree[0], *children)
    row: list[Tree] = []
    for child in children:
        if not isinstance(child, str) and _DIRECTION.get(child[0]) == direction:
            row += child[1:]
        else:
            row.append(child)
    if len(row) > 4:
        return (tree[0], *children)
    return (_ROWS[direction][len(row) - 2], *row)


def boxes(tree: Tree) -> list[Box]:
    """Where the leaves of a tree stand in its square: the template of its pattern.

    Args:
        tree: token or (operator, child, ...).

    Returns:
        list of (x0, y0, x1, y1) floats in [0, 1], origin top left, one per leaf, depth first.
    """
    if isinstance(tree, str):
        return [_WHOLE]
    result = []
    for (x0, y0, x1, y1), child in zip(_child_boxes(tree[0], len(tree) - 1), tree[1:], strict=True):
        width, height = x1 - x0, y1 - y0
        result += [
            (x0 + width * left, y0 + height * top, x0 + width * right, y0 + height * bottom)
            for left, top, right, bottom in boxes(child)
        ]
    return result


def _child_boxes(operator, count):
    direction = _DIRECTION.get(operator)
    if direction == '⿰':
        return [(i / count, 0, (i + 1) / count, 1) for i in range(count)]
    if direction == '⿱':
        return [(0, i / count, 1, (i + 1) / count) for i in range(count)]
    return [_WHOLE] if count == 1 else [_WHOLE, _INNER[operator]]
