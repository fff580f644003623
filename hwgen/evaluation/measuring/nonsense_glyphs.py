"""Nonsense glyphs: combinations of components that are in no table and no font, as sequences (`⿱山鱼`), and
as real ink that is cut between its components and put together anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.charset.dictionary import SYMBOL_STRUCTURES
from hwgen.charset.normal_form import plain

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset
    from hwgen.data.reading.records import LineRecord

_LEFT_RIGHT = '⿰··'
_LINE_CHARACTERS = 4  # of recombined lines, at most
_INK_BELOW = 128  # dark: a pale stroke that joins two components may be cut
_TRIES = 200  # for each glyph

InkLine = tuple[tuple[str, ...], np.ndarray]  # the characters of a line, and its ink


def known_codes(charset: Charset) -> set[tuple[int, ...]]:
    """The codes of all characters that can be encoded, inside the table or not: set of (structure,
    components).
    """
    encoded = charset.encode(charset.encodable_characters())
    return {_code(encoded, place) for place in range(len(encoded.units)) if encoded.exact_structure[place]}


def draw_glyphs(
    charset: Charset,
    vocabulary: Sequence[int],
    count: int,
    *,
    seed: int | Sequence[int],
    known: set[tuple[int, ...]] | None = None,
) -> list[str]:
    """Draws nonsense glyphs.

    The structure is that of a character of the vocabulary, and into each slot comes a component that stands
    there in some character of that structure: what is new is the combination.

    Args:
        charset: Charset.
        vocabulary: ints, characters with images in training.
        count: int.
        seed: int or sequence of int.
        known: set of `known_codes`, or None.

    Returns:
        list of str, sequences, all different.

    Raises:
        ValueError: the vocabulary does not give so many.
    """
    known, rng = set(known_codes(charset) if known is None else known), np.random.default_rng(seed)
    ids = [
        int(i)
        for i in vocabulary
        if charset.structures[charset.character_structures[i]] not in SYMBOL_STRUCTURES
        and charset.character_components[i, 1]
    ]
    members: dict[tuple[int, int], set[int]] = {}
    for i in ids:
        for slot, component in enumerate(charset.character_components[i].tolist()):
            members.setdefault((int(charset.character_structures[i]), slot), set()).add(component)
    slots = {place: sorted(components) for place, components in members.items()}
    glyphs: list[str] = []
    for _ in range(_TRIES * count):
        if len(glyphs) == count:
            break
        structure = int(charset.character_structures[ids[rng.integers(len(ids))]])
        components = [slots[structure, slot][rng.integers(len(slots[structure, slot]))] for slot in range(4)]
        if (structure, *components) in known:
            continue
        known.add((structure, *components))  # not twice, nor tried again
        glyph = charset.decode([components], [structure])
        if _spells(charset, glyph, (structure, *components)):
            glyphs.append(glyph)
    if len(glyphs) < count:
        raise ValueError(
            f'{count} nonsense glyphs from the components of {len(ids)} characters: only {len(glyphs)} were'
            ' found; expected a larger vocabulary'
        )
    return glyphs


def _spells(charset, glyph, code):
    """Whether a sequence is read as one character of this code."""
    try:
        encoded = charset.encode(glyph)
    except ValueError:
        return False
    return (
        len(encoded.units) == 1
        and not encoded.character_ids[0]
        and bool(encoded.exact_structure[0])
        and _code(encoded, 0) == code
    )


def _code(encoded, place):
    return (int(encoded.structure_ids[place]), *encoded.component_ids[place].tolist())


class _Cut(NamedTuple):
    """A character of two components side by side, cut between them.

    Attributes:
        character: str.
        first, second: int, ids of its components.
        left, right: uint8 [H, w].
    """

    character: str
    first: int
    second: int
    left: np.ndarray
    right: np.ndarray


def recombine(
    records: Sequence[LineRecord], charset: Charset, *, known: set[tuple[int, ...]], seed: int | Sequence[int]
) -> tuple[list[InkLine], list[InkLine]]:
    """Real ink of characters that do not exist: left parts and right parts of one hand's characters.

    A character of two components side by side is cut at a column without dark ink between its components (the
    one nearest to where the structure has its border); without such a column it is left out. The right part
    comes from the writer's next such character, drawn at random.

    Args:
        records: LineRecords with boxes.
        charset: Charset.
        known: set of `known_codes`; pairs that exist are left out.
        seed: of the order.

    Returns:
        whole, recombined: lists of (units, image uint8 [H, W]), lines of at most four characters of one
            writer; the same left parts in the same places.
    """
    structure = charset.structures.index(_LEFT_RIGHT)
    border = float(charset.template_boxes[structure][0][2])
    parts: dict[str, list[_Cut]] = {}
    for record in records:
        if record.boxes is None:
            raise ValueError(f'a line of writer {record.writer} without boxes: expected boxes to cut at')
        for place, character in enumerate(plain(record.text)):
            if record.structure_ids[place] != structure or not charset.character_id(character):
                continue
            x0, x1 = (int(x) for x in record.boxes[place][[0, 2]])
            picture = record.image[:, max(0, x0) : x1]
            blank = np.flatnonzero(~(picture < _INK_BELOW).any(axis=0))
            blank = blank[(blank > 0.2 * picture.shape[1]) & (blank < 0.8 * picture.shape[1])]
            if len(blank):
                cut = int(blank[np.abs(blank - border * picture.shape[1]).argmin()])
                parts.setdefault(record.writer, []).append(
                    _Cut(
                        character,
                        int(record.component_ids[place][0]),
                        int(record.component_ids[place][1]),
                        picture[:, :cut],
                        picture[:, cut:],
                    )
                )
    rng, whole, recombined = np.random.default_rng(seed), [], []
    for writer in sorted(parts):
        own = [parts[writer][k] for k in rng.permutation(len(parts[writer]))]
        pairs = []
        for a, b in zip(own, own[1:] + own[:1], strict=True):
            code = (structure, a.first, b.second, 0, 0)
            if code in known:
                continue
            glyph = charset.decode([list(code[1:])], [structure])
            if _spells(charset, glyph, code):
                pairs.append((a, b, glyph))
        for start in range(0, len(pairs), _LINE_CHARACTERS):
            chosen = pairs[start : start + _LINE_CHARACTERS]
            whole.append(
                (
                    tuple(a.character for a, _, _ in chosen),
                    np.concatenate([part for a, _, _ in chosen for part in (a.left, a.right)], axis=1),
                )
            )
            recombined.append(
                (
                    tuple(glyph for _, _, glyph in chosen),
                    np.concatenate([part for a, b, _ in chosen for part in (a.left, b.right)], axis=1),
                )
            )
    return whole, recombined
