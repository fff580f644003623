"""Hands of each kind, as the embedded corpus has them, and the isolated characters they write."""

import functools
import hashlib

import numpy as np

from experiments.corpus import preparation
from hwgen.data.scribe.corpus import FONTS_VERSION, SCRIBE_VERSION
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.fonts import default_fonts, partial_fonts
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.measuring import character_pictures
from hwgen.evaluation.measuring.people import NUMERALS

KINDS = {'fonts_1_1': 'fonts, 1.1', 'fonts_2_0': 'fonts, 2.0', 'pen': 'pens'}
_TESTED_FROM = 100_000  # index of the first writer who teaches nothing
_SIZED_WRITERS = 30  # hands whose size is measured


@functools.lru_cache(maxsize=256)
def open_hand(kind, index, seed=0):
    """The writer of an index: FontWriter or PenWriter."""
    if kind == 'pen':
        return PenWriter(seed, index)
    fonts = default_fonts('chinese', FONTS_VERSION if kind == 'fonts_1_1' else SCRIBE_VERSION)
    return FontWriter(
        seed, index, fonts=fonts if kind == 'fonts_1_1' else fonts + partial_fonts('chinese', SCRIBE_VERSION)
    )


def writes(kind, index, text):
    """Whether a hand has all characters of a text in its own letterforms."""
    return kind == 'pen' or open_hand(kind, index).characters.issuperset(text)


def write(kind, index, text, copy=0):
    """uint8 [64, W], 255 = paper: a line by a hand; a pure function of its arguments."""
    rng = np.random.default_rng((index, copy, *map(ord, text)))
    return open_hand(kind, index).write_line(text, rng, height_px=64).image


def test_index(n):
    """The index of the n-th hand that teaches nothing."""
    return _TESTED_FROM + n


def hand_for(kind, text, n):
    """The n-th hand of a kind that teaches nothing, or the next that has the characters of a text: int."""
    return next(index for index in map(test_index, range(n, n + 100)) if writes(kind, index, text))


def fingerprint(kind):
    """SHA-256 of a few lines: other hands, other figures."""
    drawn = [
        write(kind, index, NUMERALS[index], 1)
        for index in range(len(NUMERALS))
        if writes(kind, index, NUMERALS[index])
    ]
    return hashlib.sha256(b''.join(image.tobytes() for image in drawn)).hexdigest()


def scanner_factor(kind, longer_px):
    """By how much a scanner makes this kind smaller, so that it has the resolution of pictures whose
    longer side is so many px: float.
    """
    sides = [
        max(character_pictures.clean(write(kind, index, c)).shape)
        for index in range(_SIZED_WRITERS)
        for c in NUMERALS
        if writes(kind, index, c)
    ]
    return longer_px / float(np.mean(sides))


def draw_pool(kind, characters, indices, *, factor):
    """Isolated characters of several hands.

    Args:
        kind: str, a key of KINDS.
        characters: str.
        indices: sequence of int, of the hands.
        factor: float, `scanner_factor`.

    Returns:
        uint8 [W, C, SIDE_PX, SIDE_PX], 255 = ink, prepared as people's; bool [W, C], whether the hand has the
        character.
    """
    side = character_pictures.SIDE_PX
    pictures, there = (
        np.zeros([len(indices), len(characters), side, side], np.uint8),
        np.zeros([len(indices), len(characters)], bool),
    )
    for w, index in enumerate(indices):
        for c, character in enumerate(characters):
            if writes(kind, index, character):
                pictures[w, c], there[w, c] = prepare(write(kind, index, character), factor=factor), True
    return pictures, there


def prepare(image, *, factor=1.0):
    """uint8 [SIDE_PX, SIDE_PX], 255 = ink: a picture as a network sees it, of uint8 [H, W], 255 = paper."""
    if factor != 1.0:
        (image,) = preparation.scan([image], factor=factor)
    return character_pictures.as_seen(image)
