"""What is constant in a simulated hand, and how hands differ.

The ranges are calibrated on scanned handwriting, see docs/scribe.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hwgen.data.scribe.fonts import open_font

BEND_NODES = 5  # side of the grid on which the displacement of a whole character is drawn


class Habits(NamedTuple):
    """What is constant in a hand. Lengths in em, angles in degrees.

    Attributes:
        font: str.
        brush: float in [0, 1], from a pen of one width (0) to the font's own brush (1).
        half_width: float, of the pen.
        swell: float, by which the brush is made bolder on each side.
        pressure: float, relative deviation of the width along strokes.
        grey: float, grey level of the ink, 0 = black.
        grain: float in [0, 1], unevenness of the ink.
        softness: float, px, width of a stroke's edge.
        blur: float, px, of the scanner.
        size, aspect: float, of characters in their cell; width over height.
        slant, turn: float, shear and rotation.
        pitch: float, distance from character to character.
        narrow: float, width of the cell of a digit or letter.
        drift: float, rise of the baseline a character; sway: amplitude of its slow wave.
        bend: float32 [BEND_NODES, BEND_NODES, 2], displacement that all its characters share.
        bend_deviation, jitter, shift_deviation, size_deviation, turn_deviation, slant_deviation,
            pitch_deviation, grey_deviation: float, standard deviations from character to character.
    """

    font: str
    brush: float
    half_width: float
    swell: float
    pressure: float
    grey: float
    grain: float
    softness: float
    blur: float
    size: float
    aspect: float
    slant: float
    turn: float
    pitch: float
    narrow: float
    drift: float
    sway: float
    bend: np.ndarray
    bend_deviation: float
    jitter: float
    shift_deviation: float
    size_deviation: float
    turn_deviation: float
    slant_deviation: float
    pitch_deviation: float
    grey_deviation: float


def draw_habits(rng: np.random.Generator, *, fonts: Sequence[str]) -> Habits:
    """The habits of a writer.

    Args:
        rng: numpy Generator.
        fonts: sequence of str to choose from.

    Returns:
        Habits.
    """
    font = fonts[int(rng.integers(len(fonts)))]
    kind = rng.random()
    own_brush = open_font(font).source.brush
    if not own_brush or kind < 0.72:
        brush, swell = rng.uniform(0, 0.25), rng.uniform(-0.012, 0)
    elif kind < 0.9:
        brush, swell = rng.uniform(0.3, 0.7), rng.uniform(-0.015, -0.003)
    else:
        brush, swell = rng.uniform(0.8, 1), rng.uniform(-0.012, 0)
    return Habits(
        font=font,
        brush=brush,
        swell=swell,
        half_width=float(np.clip(rng.lognormal(np.log(0.023), 0.26), 0.013, 0.042)),
        pressure=rng.uniform(0.05, 0.22),
        grey=float(np.clip(rng.normal(75, 34), 10, 150)),
        grain=rng.uniform(0.05, 0.4),
        softness=rng.uniform(1, 1.6),
        blur=rng.uniform(0.25, 0.65),
        size=float(np.clip(rng.normal(1.0, 0.07), 0.85, 1.18)),
        aspect=float(np.exp(np.clip(rng.normal(-0.03, 0.1), -0.28, 0.22))),
        slant=float(np.clip(rng.normal(0.03, 0.08), -0.2, 0.28)),
        turn=float(np.clip(rng.normal(-1, 1.8), -5, 5)),
        pitch=float(np.clip(rng.normal(0.89, 0.08), 0.72, 1.15)),
        narrow=rng.uniform(0.6, 0.85),
        drift=float(np.clip(rng.normal(0, 0.012), -0.03, 0.03)),
        sway=rng.uniform(0, 0.05),
        bend=rng.normal(0, rng.uniform(0.012, 0.03), (BEND_NODES, BEND_NODES, 2)).astype(np.float32),
        bend_deviation=rng.uniform(0.008, 0.024),
        jitter=rng.uniform(0.002, 0.007),
        shift_deviation=rng.uniform(0.015, 0.05),
        size_deviation=rng.uniform(0.02, 0.07),
        turn_deviation=rng.uniform(0.8, 2.6),
        slant_deviation=rng.uniform(0.01, 0.04),
        pitch_deviation=rng.uniform(0.02, 0.06),
        grey_deviation=rng.uniform(0.01, 0.06),
    )
