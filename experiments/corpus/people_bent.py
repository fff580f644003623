"""Hands like a person's: numerals slanted, turned, stretched, thinned or thickened all alike, and each bent a
little by itself.
"""

from typing import NamedTuple

import cv2
import numpy as np

# Of a hand, drawn uniformly up to: shear, radians of a turn, logarithm of the aspect, thickness.
_SHEAR, _TURN, _ASPECT, _THICKNESS = 0.2, 0.06, 0.12, 0.4
_OWN = 0.35  # of each numeral by itself, by the above
_BEND, _KNOTS = 0.035, 4  # standard deviation of the knots' displacement, by the longer side; knots a side
_PAPER = 0.05  # of the ink: paler is cut off


class Hand(NamedTuple):
    """What all numerals of a hand share; all 0: as they are."""

    shear: float = 0.0
    turn: float = 0.0
    aspect: float = 0.0
    thickness: float = 0.0


def draw_hand(rng):
    """A hand near those that are there."""
    return Hand(*(float(rng.uniform(-most, most)) for most in (_SHEAR, _TURN, _ASPECT, _THICKNESS)))


def bent(crop, hand, rng):
    """A numeral of another hand.

    Args:
        crop: float32 [h, w] in [0, 1], 1 = ink, the box of the ink.
        hand: Hand.
        rng: numpy Generator, of what is the numeral's own.

    Returns:
        float32 [h', w'] in [0, 1], the box of the ink.
    """
    own = draw_hand(rng)
    shear, turn, aspect = (a + _OWN * b for a, b in zip(hand[:3], own[:3], strict=True))
    side = max(crop.shape)
    pad = side // 2 + 2
    ink = np.pad(_thickened(crop, hand.thickness), pad)
    height, width = ink.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dy, dx = (
        cv2.resize(
            rng.normal(0, _BEND * side, [_KNOTS, _KNOTS]), (width, height), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(2)
    )
    x, y = x + dx - (width - 1) / 2, y + dy - (height - 1) / 2
    x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    x, y = np.exp(aspect / 2) * (x + shear * y), np.exp(-aspect / 2) * y
    maps = [(x + (width - 1) / 2).astype(np.float32), (y + (height - 1) / 2).astype(np.float32)]
    moved = np.clip(cv2.remap(ink, *maps, cv2.INTER_LINEAR), 0, 1)
    rows, columns = (np.flatnonzero((moved > _PAPER).any(axis)) for axis in (1, 0))
    if not rows.size:
        return crop
    return np.ascontiguousarray(moved[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _thickened(crop, by):
    """Ink spread by a pixel all around, or taken away, to a share of it."""
    ink, box = np.pad(crop, 2), np.ones([3, 3], np.uint8)
    if by > 0:
        return ink + by * (cv2.dilate(ink, box) - ink)
    return ink + by * (ink - cv2.erode(ink, box))
