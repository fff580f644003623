"""The movement of a pen: targets joined into one trajectory in time.

Kinematic theory of rapid movements, in its Sigma-Lognormal form (O'Reilly and Plamondon, Pattern Recognition
42, 2009; Plamondon and Djioua, Human Movement Science 25, 2006): every piece from target to target is a pulse
whose speed is lognormal in time, and the pen is the sum of all pulses that are on their way. A pulse needs a
time of its own, and besides the time that muscles take; who writes slowly lets one pulse end before the next
begins and meets every corner, who hurries lets them overlap: corners round, hooks shrink, short strokes lean
over to the next. Travel above the paper is movement like any other, so that what a joined stroke leaves on
the paper comes from the same sum.

Differs: pieces are straight (a curve is several of them); duration goes with the square root of the length
(the isochrony of handwriting: Viviani and Terzuolo, Neuroscience 7, 1982), it is not fitted to recordings.
"""

from typing import NamedTuple

import numpy as np

SHAPE = 0.28  # sigma of the lognormal: the rise is a little faster than the fall
_REACTION_SEC = 0.031  # what muscles add to each pulse, s
_SLOW, _FAST = 0.31, 0.075  # s for a stroke of one em, at no hurry and at full hurry
_TRAVEL = 0.75  # travel takes this part of the time of a stroke
_CORNER_SEC = 0.025  # longest rest at a corner
_SMOOTH = 0.35  # 1 - cos of the turn, from which on it is a corner
_STEP = 0.028  # em: samples along the ink are about so far apart
_TRAVEL_STEP = 0.07
_MOST = 14  # samples of a piece


class Movement(NamedTuple):
    """A trajectory of T samples, ascending in time but not evenly spaced.

    Attributes:
        points: float32 [T, 2], in the targets' unit.
        time_sec: float32 [T].
        piece_of: int32 [T], the piece each sample belongs to.
    """

    points: np.ndarray
    time_sec: np.ndarray
    piece_of: np.ndarray


def normal_distribution(z: np.ndarray) -> np.ndarray:
    """Distribution function of the standard normal, to 7.5e-8 (Abramowitz and Stegun 1964, 26.2.17).

    Args:
        z: float array.

    Returns:
        float array of the same shape, in [0, 1].
    """
    t = 1 / (1 + 0.2316419 * np.abs(z))
    tail = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail *= np.exp(-0.5 * z * z) * 0.3989422804014327
    return np.where(z < 0, tail, 1 - tail)


def durations(lengths: np.ndarray, down: np.ndarray, *, hurry: float) -> np.ndarray:
    """Time of each piece by itself.

    Args:
        lengths: float [K], em.
        down: bool [K], whether the piece is a stroke's; the others are travel.
        hurry: float in [0, 1.2], 0 = careful.

    Returns:
        float [K], s.
    """
    unit = _SLOW * (_FAST / _SLOW) ** hurry
    return unit * np.sqrt(lengths + 1e-4) * np.where(down, 1, _TRAVEL)


def trace(targets: np.ndarray, down: np.ndarray, *, hurry: float, rest_sec: float = 0.0) -> Movement:
    """Moves a pen along targets.

    Args:
        targets: float [K + 1, 2], em.
        down: bool [K], as `durations`.
        hurry: float in [0, 1.2].
        rest_sec: float >= 0, rest where a stroke ends or begins; more of it lets strokes reach their ends.

    Returns:
        Movement.
    """
    steps = np.diff(targets, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    own = durations(lengths, down, hurry=hurry)
    # Rests: at corners, by how sharp they are; where the pen is lifted or put down.
    unit = steps / np.maximum(lengths, 1e-6)[:, None]
    turn = 1 - np.clip((unit[1:] * unit[:-1]).sum(1), -1, 1)
    rest = np.where(
        down[1:] & down[:-1], _CORNER_SEC * max(0.0, 1 - hurry) * np.minimum(turn, 1.5) / 1.5, 0.0
    )
    rest = np.where(down[1:] != down[:-1], rest_sec, rest)
    starts = np.concatenate([[0], np.cumsum(own[:-1] + rest)])
    # Where one piece goes on in the direction of the last they are one stroke to the hand, and their pulses
    # overlap whatever its tempo.
    onward = np.where(down[1:] & down[:-1], np.clip(1 - turn / _SMOOTH, 0, 1), 0)
    width = own * (1 + 0.5 * (np.concatenate([[0], onward]) + np.concatenate([onward, [0]]))) + _REACTION_SEC
    scale = width / (2 * np.sinh(2 * SHAPE))  # exp(mu): the central 95 % of a pulse last `width`
    onsets = starts + own / 2 - width / 2 - scale * np.exp(-2 * SHAPE)
    counts = np.clip(np.ceil(lengths / np.where(down, _STEP, _TRAVEL_STEP)).astype(int) + 1, 2, _MOST)
    piece_of = np.repeat(np.arange(len(own)), counts)
    place = np.arange(len(piece_of)) - np.repeat(np.cumsum(counts) - counts, counts)
    spans = own.copy()
    spans[-1] += 0.6 * _REACTION_SEC  # nothing follows the last piece, so it is let come to its end
    time = starts[piece_of] + spans[piece_of] * (place + 0.5) / counts[piece_of]
    # Speed is a sum of pulses, so position is the first target and each step times how much of its pulse has
    # passed.
    passed = (np.maximum(time[:, None] - onsets, 1e-9) / scale).astype(np.float32)
    share = normal_distribution(np.log(passed) / SHAPE)
    points = targets[0] + share @ steps
    return Movement(points.astype(np.float32), time.astype(np.float32), piece_of.astype(np.int32))
