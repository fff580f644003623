"""What is constant in a hand that holds a pen, and how hands differ. The ranges are calibrated on people's writing, see docs/scribe.md."""

from typing import NamedTuple

import numpy as np

# kind -> (share of writers, median width of the line in em, its log deviation, how much width follows pressure, how much darkness follows it,
#          darkness from, to, grain)
PENS = {
    'ball': (.34, .030, .3, .25, .45, .55, .9, .25),
    'gel': (.34, .035, .3, .12, .10, .75, 1., .06),
    'fountain': (.12, .041, .28, .45, .20, .65, .98, .06),
    'pencil': (.12, .036, .26, .30, .65, .40, .7, .75),
    'felt': (.08, .066, .22, .15, .06, .75, 1., .05),
}


class Traits(NamedTuple):
    """A hand. Lengths in em, angles in radians, times in s; `_deviation`: standard deviation from copy to copy.

    Attributes:
        hurry: float in [0, 1], tempo: 0 = slow. Who writes slowly need not write neatly: that is `stroke`. hurry_deviation.
        running: float in [0, 1], up to which degree the forms of running hand are used (`running_hand.py`); abbreviates: float in [0, 1], how often.
        joining: float, how readily strokes are joined by ink.
        rest_sec: float, rest at the ends of strokes.
        rise: float, slope of horizontals, upwards to the right; slant: float, shear of verticals, positive to the right; turn: float.
        aspect: float, log of width over height, for the printed one; abreast, stacked: how much wider, higher (log) characters of
            parts side by side, one above the other are: print squeezes them into a square, people do not; size: float, of a character in its em.
        stroke: float, how far strokes stray from the printed form by habit and from copy to copy; copy_share: float in (0, 1), part of it that is new
            in each copy.
        reach: float, log of how long strokes are, for the printed ones; long_reach, tall_reach: the same of long
            horizontals and verticals besides.
        hook: float, how long hooks are, for the printed ones; 0: none.
        part: float, how far components stray in place and size; balance: float [2], share of the first part, across and down.
        warp: float, bend of whole characters; fixed_warp: float [6, 2], the bend that all characters of the hand share.
        tremor: float.
        pen: str, a key of PENS; width: float, of the line; darkness: float in (0, 1]; width_pressure, dark_pressure, grain: float; taper: float in [0, 1],
            how thin strokes end; blur: float, px.
        pitch: float, distance from character to character; evenness: float in [0, 1]: 1 = equal cells, 0 = by the width of each character;
        narrow: float, factor on the cells of letters and digits; point_cell: float, cell of a punctuation mark.
        drift: float, rise of the baseline a character; sway: amplitude of its slow wave; shift_deviation, size_deviation, size_wander, turn_deviation,
            slant_deviation, pitch_deviation: float.
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


def draw_traits(rng):
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
    running = float(np.clip(hurry * .8 + rng.normal(.03, .2), 0, 1))
    stroke = float(min(np.exp(rng.normal(np.log(.037), .32)), .062))
    return Traits(
        hurry=hurry, hurry_deviation=rng.uniform(.04, .12), running=running, abbreviates=rng.beta(1.1, 2.2) * (.3 + .7 * hurry),
        joining=float(np.exp(rng.normal(0, .4)) * (.05 if rng.random() < .5 else 1.)),
        rest_sec=float(rng.uniform(.0, .035) * (1.2 - hurry)),
        rise=float(rng.normal(.09, .058)), slant=float(rng.normal(.03, .072)), turn=float(rng.normal(0, .03)),
        aspect=float(rng.normal(-.17, .11)), abreast=float(rng.normal(.2, .08)), stacked=float(rng.normal(.26, .11)),
        size=float(np.exp(np.clip(rng.normal(0, .2), -.45, .45))),
        stroke=stroke, copy_share=rng.uniform(.4, .62), reach=float(rng.normal(-.05, .05)),
        long_reach=float(np.clip(rng.normal(-.26, .14), -.5, .1)),
        hook=float(0 if rng.random() < .28 else np.exp(rng.normal(np.log(1.5), .35))), tall_reach=float(rng.normal(.03, .09)),
        part=float(np.exp(rng.normal(np.log(.048), .33))), balance=rng.normal(0, .045, 2),
        warp=float(np.exp(rng.normal(np.log(.039), .33))), fixed_warp=rng.normal(0, .026, (6, 2)), tremor=float(np.exp(rng.normal(np.log(.0022), .5))),
        pen=pen, width=float(np.clip(width * np.exp(rng.normal(0, width_deviation)), .018, .12)), darkness=rng.uniform(dark_from, dark_to),
        width_pressure=width_pressure * rng.uniform(.6, 1.4), dark_pressure=dark_pressure * rng.uniform(.6, 1.4), grain=grain * rng.uniform(.5, 1.4),
        taper=rng.uniform(.1, .8), blur=rng.uniform(.2, .7),
        pitch=float(np.clip(rng.normal(.93, .08), .74, 1.2)), evenness=rng.uniform(.35, 1), narrow=rng.uniform(.85, 1.25), point_cell=rng.uniform(.45, .95),
        drift=float(np.clip(rng.normal(0, .012), -.03, .03)), sway=rng.uniform(0, .05),
        shift_deviation=rng.uniform(.015, .05), size_deviation=rng.uniform(.025, .08), size_wander=rng.uniform(.0, .06), turn_deviation=rng.uniform(.008, .03),
        slant_deviation=rng.uniform(.01, .035), pitch_deviation=rng.uniform(.02, .07))
