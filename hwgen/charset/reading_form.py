"""The forms in which written and read text are compared."""

from __future__ import annotations

import functools

from hwgen.charset import folding
from hwgen.charset.normal_form import plain

# Full-width Latin, digits and punctuation, curly quotes: one handwriting with the plain forms, and a reader
# gives now the one, now the other.
_FOLDED = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | {ord(mark): '"' for mark in '“”„'}
    | {ord(mark): "'" for mark in '‘’'}
)


def folded(text: str) -> str:
    """The form in which written and read text are compared: without white space and invisible characters,
    with full-width forms and curly quotes made plain.

    Differs from NFKC: an ellipsis stays one character, and no ideograph becomes another; radicals are the
    ideographs as which they are written.
    """
    return ''.join(plain(text).translate(_FOLDED).split())


def alike(text: str) -> str:
    """`folded`, and of symbols that handwriting does not tell apart (`folding.ALIKE`: 〇 and O, × and x, ∶
    and :) one stands for all.

    What only size or context tells apart stays: C and c, 0 and O, 1 and l.
    """
    return folded(text).translate(_representatives())


@functools.cache
def _representatives() -> dict[int, str]:
    """Each symbol that has others like it -> the least of its group."""
    group: dict[str, set[str]] = {}
    for one, others in folding.ALIKE.items():
        members = {folded(character) for character in (one, *others)}
        members |= {other for member in list(members) for other in group.get(member, ())}
        for member in members:
            group[member] = members
    return {ord(member): min(members) for member, members in group.items()}
