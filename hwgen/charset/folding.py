"""Symbols that handwriting does not tell apart, though the table does: where a model was shown the one and
not the other, it writes the one for the other.

Differs from `symbols.VARIANTS`, which are one character to the table and to every model: these have a
component each, and a model that was shown both writes both. A text keeps what was written in it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset

# Each of a pair for the other: full-width and ASCII marks, the apostrophe and the single quotation marks.
_PAIRS = (
    ',，',
    ';；',
    ':：',
    '?？',
    '!！',
    '(（',
    ')）',
    '.．',
    '~～',
    '<〈',
    '>〉',
    '[〔',
    ']〕',
    "'’",
    "'‘",
    '`‘',
    '〇○',
)
# These for others, but not the other way round: a sign must not stand where a letter or a plain mark is
# meant. Of several forms the first one that was shown.
_INSTEAD = {
    '“': '"',
    '”': '"',
    '∶': '：:',
    '′': "'’",
    '″': '”"',
    '〇': 'O',
    '○': 'O',
    '∑': 'Σ',
    '∏': 'Π',
    '∪': 'U',
    '∨': 'V',
    '×': 'x',
    'Ⅰ': 'I',
    'Ⅴ': 'V',
    'Ⅹ': 'X',
}
# What stands for two forms, the opening and the closing one, which follow each other in a line.
BY_TURNS = {'"': '“”'}


def _alike() -> dict[str, str]:
    forms: dict[str, str] = {}
    for pair in _PAIRS:
        forms[pair[0]] = forms.get(pair[0], '') + pair[1]
        forms[pair[1]] = forms.get(pair[1], '') + pair[0]
    for one, others in _INSTEAD.items():
        forms[one] = forms.get(one, '') + others
    return forms


# Character -> the forms that may be written for it, the likest first.
ALIKE = _alike()


class Folding(NamedTuple):
    """For each component of a table the character that is written for that symbol; 0 where it stands for
    itself.

    Attributes:
        first, second: int32 [num_components], character ids. They differ where two forms take turns: `second`
            for every other one in a line.
    """

    first: np.ndarray
    second: np.ndarray

    def __bool__(self):
        return bool(self.first.any())


def fold_unseen(charset: Charset, is_seen: Callable[[str], bool]) -> Folding:
    """The folding of a model.

    Args:
        charset: Charset, the table of the model.
        is_seen: function of a character: whether a training picture showed it.

    Returns:
        Folding.
    """
    first, second = (np.zeros(charset.num_components, np.int32) for _ in range(2))
    for character in (*ALIKE, *BY_TURNS):
        row = charset.character_id(character)
        if not row or is_seen(character):
            continue
        forms = BY_TURNS.get(character, '')
        if not all(map(is_seen, forms)):
            forms = ''
        one = next(filter(is_seen, ALIKE.get(character, '')), '')
        opening, closing = tuple(forms) or (one, one)
        if opening:
            component = charset.character_components[row, 0]
            first[component] = charset.character_id(opening)
            second[component] = charset.character_id(closing)
    return Folding(first, second)


def folded_ids(folding: Folding, component_ids: np.ndarray, *, turned: int = 0) -> np.ndarray:
    """Which table characters are written in place of those of a line.

    Args:
        folding: Folding.
        component_ids: int32 [N, 4].
        turned: int, how many symbols that take turns went before.

    Returns:
        int32 [N], character ids; 0 where nothing is folded.
    """
    component, alone = component_ids[:, 0], (component_ids[:, 1:] == 0).all(axis=1)
    first, second = (np.where(alone, ids[component], 0) for ids in folding)
    in_turn = first != second
    before = turned + np.cumsum(in_turn) - in_turn  # symbols that take turns, up to each one
    return np.where(in_turn & (before % 2 == 1), second, first).astype(np.int32)
