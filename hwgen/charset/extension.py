"""How characters outside the dictionary would be written: what they decompose to, and the rows that would
add them.
"""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from hwgen.charset import ids
from hwgen.charset.dictionary import MAX_COMPONENTS, Row
from hwgen.charset.encoding import Charset
from hwgen.charset.symbols import structure_of


class Proposal(NamedTuple):
    """What adding a character takes.

    Attributes:
        sequence: str, the Ideographic Description Sequence that the package has of it; '' where it has none.
        missing: tuple of str, components that the dictionary lacks.
        nearest: tuple of str, characters of the dictionary that share components with it.
        rows: tuple of str, to append to tables/dictionary.tsv; () where none can: a space, an operator of
            sequences, ...
    """

    sequence: str
    missing: tuple[str, ...]
    nearest: tuple[str, ...]
    rows: tuple[str, ...]


def propose_rows(charset: Charset, character: str) -> Proposal:
    """The rows that would add a character.

    It is composed as its sequence says; where there is none, or it takes more than four components, it
    becomes a component of its own.

    Args:
        charset: Charset that does not encode it.
        character: str, one character.

    Returns:
        Proposal.
    """
    sequence = charset.sequence(character)
    tree = character if sequence is None else ids.flatten(ids.parse_whole(sequence))
    nearest = () if sequence is None else tuple(charset.nearest_characters(tree))
    if character in ids.ARITY or character == ids.VARIATION or unicodedata.category(character)[0] in 'CZ':
        return Proposal('', (), (), ())
    if len(ids.leaves(tree)) > MAX_COMPONENTS:
        tree = character
    hanzi = sequence is not None or unicodedata.name(character, '').startswith('CJK')
    pattern, leaves = ids.pattern(tree) if hanzi else structure_of(character), ids.leaves(tree)
    missing = tuple(leaf for leaf in dict.fromkeys(leaves) if leaf not in charset.components)
    rows = [Row('component', leaf) for leaf in missing]
    if pattern not in charset.structures:
        rows.append(Row('structure', pattern))
    rows.append(Row('character', character, pattern, leaves))
    return Proposal(sequence or '', missing, nearest, tuple(row.line() for row in rows))


def merge_rows(proposals: Iterable[Proposal]) -> list[str]:
    """The rows of several proposals, each once.

    Args:
        proposals: iterable of Proposal.

    Returns:
        list of str, in the order in which they may be appended.
    """
    return list(dict.fromkeys(row for proposal in proposals for row in proposal.rows))
