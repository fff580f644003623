"""Nonsense glyphs: combinations of components that are in no table and no font, as sequences (`⿱山鱼`), and
as real ink that is cut between its components and put together anew.
"""

import numpy as np

from hwgen.charset.dictionary import SYMBOL_STRUCTURES
from hwgen.charset.normal_form import plain

_LEFT_RIGHT = '⿰··'
_LINE_CHARACTERS = 4  # of recombined lines, at most
_INK_BELOW = 128  # dark: a pale stroke that joins two components may be cut
_TRIES = 200  # for each glyph


def known_codes(charset):
    """The codes of all characters that can be encoded, inside the table or not: set of (structure,
    components).
    """
    encoded = charset.encode(charset.encodable_characters())
    return {_code(encoded, place) for place in range(len(encoded.units)) if encoded.exact_structure[place]}


def draw_glyphs(charset, vocabulary, count, *, seed, known=None):
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
    slots = {}
    for i in ids:
        for slot, component in enumerate(charset.character_components[i].tolist()):
            slots.setdefault((int(charset.character_structures[i]), slot), set()).add(component)
    slots, glyphs = {place: sorted(components) for place, components in slots.items()}, []
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


def recombine(records, charset, *, known, seed):
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
    border, parts = float(charset.template_boxes[structure][0][2]), {}
    for record in records:
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
                    (
                        character,
                        tuple(record.component_ids[place][:2].tolist()),
                        picture[:, :cut],
                        picture[:, cut:],
                    )
                )
    rng, whole, recombined = np.random.default_rng(seed), [], []
    for writer in sorted(parts):
        own = [parts[writer][k] for k in rng.permutation(len(parts[writer]))]
        pairs = [
            (a, b) for a, b in zip(own, own[1:] + own[:1]) if (structure, a[1][0], b[1][1], 0, 0) not in known
        ]
        pairs = [(a, b, charset.decode([[a[1][0], b[1][1], 0, 0]], [structure])) for a, b in pairs]
        pairs = [
            pair
            for pair in pairs
            if _spells(charset, pair[2], (structure, pair[0][1][0], pair[1][1][1], 0, 0))
        ]
        for start in range(0, len(pairs), _LINE_CHARACTERS):
            chosen = pairs[start : start + _LINE_CHARACTERS]
            whole.append(
                (
                    tuple(a[0] for a, _, _ in chosen),
                    np.concatenate([part for a, _, _ in chosen for part in a[2:]], axis=1),
                )
            )
            recombined.append(
                (
                    tuple(glyph for _, _, glyph in chosen),
                    np.concatenate([part for a, b, _ in chosen for part in (a[2], b[3])], axis=1),
                )
            )
    return whole, recombined
