"""What is constant in a hand that holds a pen, and how hands differ.

The ranges are calibrated on people's writing, see docs/scribe.md.
"""

from typing import NamedTuple

import numpy as np

# kind -> (share of writers, median width of the line in em, its log deviation, how much width follows
#          pressure, how much darkness follows it, darkness from, to, grain)
PENS = {
    'ball': (0.34, 0.030, 0.3, 0.25, 0.45, 0.55, 0.9, 0.25),
    'gel': (0.34, 0.035, 0.3, 0.12, 0.10, 0.75, 1.0, 0.06),
    'fountain': (0.12, 0.041, 0.28, 0.45, 0.20, 0.65, 0.98, 0.06),
    'pencil': (0.12, 0.036, 0.26, 0.30, 0.65, 0.40, 0.7, 0.75),
    'felt': (0.08, 0.066, 0.22, 0.15, 0.06, 0.75, 1.0, 0.05),
}


class Traits(NamedTuple):
    """A hand.

    Lengths in em, angles in radians, times in s; `_deviation`: standard deviation from copy to copy.

    Attributes:
        hurry: float in [0, 1], tempo: 0 = slow. Who writes slowly need not write neatly: that is `stroke`.
            hurry_deviation.
        running: float in [0, 1], up to which degree the forms of running hand are used (`running_hand.py`);
            abbreviates: float in [0, 1], how often.
        joining: float, how readily strokes are joined by ink.
        rest_sec: float, rest at the ends of strokes.
        rise: float, slope of horizontals, upwards to the right; slant: float, shear of verticals, positive to
            the right; turn: float.
        aspect: float, log of width over height, for the printed one; abreast, stacked: how much wider, higher
            (log) characters of parts side by side, one above the other are: print squeezes them into a
            square, people do not; size: float, of a character in its em.
        stroke: float, how far strokes stray from the printed form by habit and from copy to copy; copy_share:
            float in (0, 1), part of it that is new in each copy.
        reach: float, log of how long strokes are, for the printed ones; long_reach, tall_reach: the same of
            long horizontals and verticals besides.
        hook: float, how long hooks are, for the printed ones; 0: none.
        part: float, how far components stray in place and size; balance: float [2], share of the first part,
            across and down.
        warp: float, bend of whole characters; fixed_warp: float [6, 2], the bend that all characters of the
            hand share.
        tremor: float.
        pen: str, a key of PENS; width: float, of the line; darkness: float in (0, 1]; width_pressure,
            dark_pressure, grain: float; taper: float in [0, 1], how thin strokes end; blur: float, px.
        pitch: float, distance from character to character; evenness: float in [0, 1]: 1 = equal cells, 0 = by
            the width of each character;
        narrow: float, factor on the cells of letters and digits; point_cell: float, cell of a punctuation
            mark.
        drift: float, rise of the baseline a character; sway: amplitude of its slow wave; shift_deviation,
            size_deviation, size_wander, turn_deviation, slant_deviation, pitch_deviation: float.
    """

    hurry: float
    hurry_deviation: float
    running: float
    abbreviates: float
    joining: float
    rest_sec: float
    rise: float
    slant: float
    turn: float
    aspect: float
    abreast: float
    stacked: float
    size: float
    stroke: float
    copy_share: float
    reach: float
    long_reach: float
    hook: float
    tall_reach: float
    part: float
    balance: np.ndarray
    warp: float
    fixed_warp: np.ndarray
    tremor: float
    pen: str
    width: float
    darkness: float
    width_pressure: float
    dark_pressure: float
    grain: float
    taper: float
    blur: float
    pitch: float
    evenness: float
    narrow: float
    point_cell: float
    drift: float
    sway: float
    shift_deviation: float
    size_deviation: float
    size_wander: float
    turn_deviation: float
    slant_deviation: float
    pitch_deviation: float


def draw_traits(rng: np.random.Generator) -> Traits:
    """The traits of a writer.

    Args:
        rng: numpy Generator.

    Returns:
        Traits.
    """
    kinds = list(PENS)
    pen = kinds[rng.choice(len(kinds), p=[PENS[kind][0] for kind in kinds])]
    _, width, width_deviation, width_pressure, dark_pressure, dark_from, dark_to, grain = PENS[pen]
    hurry = float(rng.beta(1.25, 1.5))
    # Who hurries also abbreviates and joins, but not everyone who does the one does the other.
    running = float(np.clip(hurry * 0.8 + rng.normal(0.03, 0.2), 0, 1))
    stroke = float(min(np.exp(rng.normal(np.log(0.037), 0.32)), 0.062))
    return Traits(
        hurry=hurry,
        hurry_deviation=rng.uniform(0.04, 0.12),
        running=running,
        abbreviates=rng.beta(1.1, 2.2) * (0.3 + 0.7 * hurry),
        joining=float(np.exp(rng.normal(0, 0.4)) * (0.05 if rng.random() < 0.5 else 1.0)),
        rest_sec=float(rng.uniform(0.0, 0.035) * (1.2 - hurry)),
        rise=float(rng.normal(0.09, 0.058)),
        slant=float(rng.normal(0.03, 0.072)),
        turn=float(rng.normal(0, 0.03)),
        aspect=float(rng.normal(-0.17, 0.11)),
        abreast=float(rng.normal(0.2, 0.08)),
        stacked=float(rng.normal(0.26, 0.11)),
        size=float(np.exp(np.clip(rng.normal(0, 0.2), -0.45, 0.45))),
        stroke=stroke,
        copy_share=rng.uniform(0.4, 0.62),
        reach=float(rng.normal(-0.05, 0.05)),
        long_reach=float(np.clip(rng.normal(-0.26, 0.14), -0.5, 0.1)),
        hook=float(0 if rng.random() < 0.28 else np.exp(rng.normal(np.log(1.5), 0.35))),
        tall_reach=float(rng.normal(0.03, 0.09)),
        part=float(np.exp(rng.normal(np.log(0.048), 0.33))),
        balance=rng.normal(0, 0.045, 2),
        warp=float(np.exp(rng.normal(np.log(0.039), 0.33))),
        fixed_warp=rng.normal(0, 0.026, (6, 2)),
        tremor=float(np.exp(rng.normal(np.log(0.0022), 0.5))),
        pen=pen,
        width=float(np.clip(width * np.exp(rng.normal(0, width_deviation)), 0.018, 0.12)),
        darkness=rng.uniform(dark_from, dark_to),
        width_pressure=width_pressure * rng.uniform(0.6, 1.4),
        dark_pressure=dark_pressure * rng.uniform(0.6, 1.4),
        grain=grain * rng.uniform(0.5, 1.4),
        taper=rng.uniform(0.1, 0.8),
        blur=rng.uniform(0.2, 0.7),
        pitch=float(np.clip(rng.normal(0.93, 0.08), 0.74, 1.2)),
        evenness=rng.uniform(0.35, 1),
        narrow=rng.uniform(0.85, 1.25),
        point_cell=rng.uniform(0.45, 0.95),
        drift=float(np.clip(rng.normal(0, 0.012), -0.03, 0.03)),
        sway=rng.uniform(0, 0.05),
        shift_deviation=rng.uniform(0.015, 0.05),
        size_deviation=rng.uniform(0.025, 0.08),
        size_wander=rng.uniform(0.0, 0.06),
        turn_deviation=rng.uniform(0.008, 0.03),
        slant_deviation=rng.uniform(0.01, 0.035),
        pitch_deviation=rng.uniform(0.02, 0.07),
    )
