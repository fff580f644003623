"""Errors of a reading where a part of what was written cannot be read at all."""

from collections.abc import Sequence

import numpy as np

_MOST = 2  # characters that a reader may make of one that it does not know


def reading_errors(units: Sequence[str | None], reading: str) -> int:
    """Edit distance between what was written and what was read, where some units may be read as anything.

    Levenshtein 1966 with one difference: a unit that is None costs nothing as whatever stands at its place,
    no more than two characters.

    Args:
        units: a character each, or None where nobody can say what is right.
        reading: str.

    Returns:
        int, insertions, deletions and substitutions of the units that can be read.
    """
    row = np.arange(len(reading) + 1)
    for unit in units:
        if unit is None:
            shifted = [
                np.concatenate([np.full(k, np.iinfo(np.int32).max), row])[: len(row)]
                for k in range(_MOST + 1)
            ]
            following = np.min(shifted, axis=0)
        else:
            following = row + 1
            if reading:
                differs = np.array([character != unit for character in reading], int)
                following[1:] = np.minimum(following[1:], row[:-1] + differs)
        # an insertion costs 1 a character: the least of what stands to the left, and the way from there
        places = np.arange(len(row))
        row = np.minimum.accumulate(following - places) + places
    return int(row[-1])
