"""Lines of people's numbers: scans of isolated numerals of one person set side by side, as close as
numbers are written.
"""

from typing import NamedTuple

import cv2
import numpy as np

from hwgen.evaluation.measuring.character_pictures import clean
from hwgen.evaluation.measuring.people import NUMERALS

HEIGHT_PX = 64
_SIZE = 0.74  # longer side of the person's characters on the mean, by the height of the line
_PITCH = 0.86  # from character to character, by the height
_LENGTHS = (3, 6)


class Line(NamedTuple):
    """A line: uint8 [HEIGHT_PX, W], 255 = paper; its text; the person's number."""

    image: np.ndarray
    text: str
    person: int


def write_lines(scans, *, characters, lines, seed):
    """Lines of every person.

    Args:
        scans: [people][15][copies] of uint8 [H, W], 255 = paper.
        characters: str, the numerals to use.
        lines: int, of each person, of 3 to 6 characters.
        seed: int.

    Returns:
        list of Line.
    """
    found = []
    for person, own in enumerate(scans):
        rng = np.random.default_rng((seed, person))
        size = np.mean([max(clean(copies[0]).shape) for copies in own])
        for _ in range(lines):
            text = ''.join(rng.choice(list(characters), rng.integers(_LENGTHS[0], _LENGTHS[1] + 1)))
            crops = [clean(own[NUMERALS.index(c)][rng.integers(len(own[0]))]) for c in text]
            found.append(Line(set_side_by_side(crops, scale=_SIZE * HEIGHT_PX / size), text, person))
    return found


def set_side_by_side(crops, *, scale):
    """uint8 [HEIGHT_PX, W] of crops float32 [h, w] in [0, 1], 1 = ink, each in the middle of its cell;
    what does not fit is made smaller.
    """
    cell = round(_PITCH * HEIGHT_PX)
    line = np.zeros([HEIGHT_PX, cell * len(crops)], np.float32)
    for n, crop in enumerate(crops):
        by = min(scale, (HEIGHT_PX - 2) / crop.shape[0], (cell - 2) / crop.shape[1])
        size = [max(1, round(side * by)) for side in crop.shape[::-1]]
        drawn = np.clip(
            cv2.resize(crop, size, interpolation=cv2.INTER_AREA if by < 1 else cv2.INTER_CUBIC), 0, 1
        )
        top, left = (HEIGHT_PX - size[1]) // 2, n * cell + (cell - size[0]) // 2
        line[top : top + size[1], left : left + size[0]] = drawn
    return np.rint(255 * (1 - line)).astype(np.uint8)
