"""What the graph says of codes, said of the text that they come from: it knows places among characters,
not what was typed.
"""

import re
from collections.abc import Sequence

from hwgen.charset.composition import describe

_PLACE = re.compile(r'character (\d+): ')


def name_character(error: str, units: Sequence[str]) -> tuple[str, int | None]:
    """An error of `components` or `styled_components` with the character and its place in the text.

    Args:
        error: str, `character 3: ...` or another.
        units: sequence of str, `EncodedText.units` of the text.

    Returns:
        str; int, place in the text as it was typed, None where the error is of no character.
    """
    found = _PLACE.match(error)
    if not found or int(found[1]) >= len(units):
        return error, None
    index = int(found[1])
    position = sum(map(len, units[:index]))
    return f'{describe(units[index])} at position {position}: {error[found.end() :]}', position
