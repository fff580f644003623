"""Groups of the table's characters: named sets, and a small set that shows every component and structure."""

from collections.abc import Mapping, Sequence

import numpy as np

from hwgen.charset.character_table import CharacterTable
from hwgen.charset.dictionary import SYMBOL_STRUCTURES

_BIG5_LEVEL_1 = b'\xa4\x40', b'\xc6\x7e'


def named_groups(charset: CharacterTable, sets: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """The named groups of a table.

    Args:
        charset: CharacterTable.
        sets: dict str -> str, further groups by their characters; those that the table lacks are left out.

    Returns:
        dict str -> tuple of int, character ids, ascending.
    """
    symbol = [structure in SYMBOL_STRUCTURES for structure in charset.structures]
    hanzi = [i for i in range(1, charset.num_characters) if not symbol[charset.character_structures[i]]]
    code = {
        encoding: {i: charset.characters[i].encode(encoding, 'ignore') for i in hanzi}
        for encoding in ('gb2312', 'gbk', 'big5')
    }
    groups = {
        'hanzi': hanzi,
        'gb2312-1': [i for i in hanzi if b'\xb0' <= code['gb2312'][i] < b'\xd8'],
        'gb2312-2': [i for i in hanzi if b'\xd8' <= code['gb2312'][i]],
        'gbk': [i for i in hanzi if code['gbk'][i]],
        'big5': [i for i in hanzi if code['big5'][i]],
        'big5-1': [i for i in hanzi if _BIG5_LEVEL_1[0] <= code['big5'][i] <= _BIG5_LEVEL_1[1]],
        'ascii': [i for i in range(1, charset.num_characters) if charset.characters[i].isascii()],
    }
    groups |= {
        name: sorted({charset.character_id(member) for member in members} - {0})
        for name, members in sets.items()
    }
    return {name: tuple(members) for name, members in groups.items()}


def component_cover(charset: CharacterTable, hanzi: Sequence[int]) -> tuple[int, ...]:
    """A small set of hanzi that together show every component and every structure that hanzi have (greedy,
    most frequent first).

    Args:
        charset: CharacterTable.
        hanzi: sequence of int, ids of its hanzi.

    Returns:
        tuple of int, character ids in the order chosen.
    """
    members = np.array(hanzi)
    items = np.concatenate(
        [
            charset.character_components[members],
            charset.num_components + charset.character_structures[members, None],
        ],
        1,
    )
    shows = np.zeros([len(members), charset.num_components + charset.num_structures], bool)
    shows[np.arange(len(members))[:, None], items] = True
    shows[:, 0] = False
    gains, missing, chosen = shows.sum(1), shows.any(0), []
    while missing.any():
        best = int(gains.argmax())
        chosen.append(int(members[best]))
        new = shows[best] & missing
        gains = gains - shows[:, new].sum(1)
        missing &= ~new
    return tuple(chosen)
