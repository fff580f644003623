"""Simulated hands that write the same numerals as the people.

A source of hands is a class built with a seed that has one method:

    draw(writer, character, copy) -> uint8 [H, W], 255 = paper: one isolated character, at the size the hand
    writes it, with paper all around.

It is a pure function of seed and arguments. SOURCES names the classes; another kind of hand is one more
entry.
"""

import functools

import numpy as np

from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.measuring.people import NUMERALS

_MARGIN_PX = 8  # a line is cut around its ink; what reaches the edge of a scan may be a neighbour's


class FontHands:
    """The writers of the embedded corpus (scribe): lines of one character, 64 px high.

    A line is brought to its height, so the size of a character is not quite the hand's: of tall characters
    the height is always the same.

    Args:
        seed: int >= 0.
    """

    def __init__(self, seed):
        self._seed = seed
        self._writer = functools.lru_cache(maxsize=8)(functools.partial(FontWriter, seed, script='chinese'))

    def draw(self, writer, character, copy):
        """uint8 [64 + 2 _MARGIN_PX, W]: the character in the hand of this writer."""
        rng = np.random.default_rng((self._seed, writer, ord(character), copy))
        line = self._writer(index=writer).write_line(character, rng, height_px=64).image
        return np.pad(line, _MARGIN_PX, constant_values=255)


class PenHands:
    """Writers with a pen: lines of one character, in the size of the hand, about 64 px an em.

    Args:
        seed: int >= 0.
    """

    def __init__(self, seed):
        self._seed = seed
        self._writer = functools.lru_cache(maxsize=8)(functools.partial(PenWriter, seed))

    def draw(self, writer, character, copy):
        """uint8 [H, W]: the character in the hand of this writer."""
        rng = np.random.default_rng((self._seed, writer, ord(character), copy))
        return np.pad(
            self._writer(index=writer).write_line(character, rng, em_px=60.0).image, 4, constant_values=255
        )


SOURCES = {'fonts': FontHands, 'pen': PenHands}


def draw_hands(source, *, writers, copies):
    """Everything the hands write.

    Args:
        source: has `draw`.
        writers, copies: int.

    Returns:
        list [writers][15][copies] of uint8 [H, W].
    """
    return [
        [[source.draw(writer, character, copy) for copy in range(copies)] for character in NUMERALS]
        for writer in range(writers)
    ]
