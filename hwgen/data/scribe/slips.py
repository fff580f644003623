"""Slips of the pen: a character begun wrongly, struck out, and written anew."""

import numpy as np

from hwgen.data.scribe.letterforms import Form, Letterforms
from hwgen.data.scribe.stroke_notation import parse_strokes

# What people write where they meant something else.
_FREQUENT = '的一是不了在有我他这个们来到说大地子中上下'
# How they strike it out, in the box of what is struck out.
_STRIKES = tuple(
    parse_strokes(text)
    for text in (
        '-8,54 108,46',
        '-6,42 106,38; -4,62 108,58',
        '-5,30 105,38 -2,52 106,58 0,74 104,80',
        '-5,4 104,96; 102,2 -4,98',
        '~-4,60 16,30 30,66 48,30 64,68 82,30 106,56',
        '-8,40 106,36 -4,52 108,48 -6,64 104,60',
    )
)


def draw_slips(count: int, rng: np.random.Generator, *, chance: float) -> np.ndarray:
    """Before which characters a slip stands.

    Args:
        count: int, characters of the line.
        rng: numpy Generator.
        chance: float in [0, 1], of each character.

    Returns:
        bool [count].
    """
    return rng.random(count) < chance


def slip(letterforms: Letterforms, unit: str, rng: np.random.Generator) -> Form:
    """A slip: another character, or the same one given up halfway.

    Args:
        letterforms: Letterforms of the hand.
        unit: str, what was meant.
        rng: numpy Generator.

    Returns:
        Form of the strokes that were written, those that strike it out among them.
    """
    meant = rng.random() < 0.5
    form = letterforms.form(unit if meant else _FREQUENT[rng.integers(len(_FREQUENT))], rng)
    strokes = len(form.slots)
    if not strokes:
        return form
    kept = max(1, int(np.ceil(strokes * rng.uniform(0.4, 1)))) if meant else strokes
    keep = form.stroke_of < kept
    points, stroke_of = form.points[keep], form.stroke_of[keep]
    low, high = points.min(0), points.max(0)
    size = np.maximum(high - low, 0.3)
    low = (low + high - size) / 2
    strike = _STRIKES[rng.integers(len(_STRIKES))]
    added = [low + (stroke + rng.normal(0, 0.05, stroke.shape)) * size for stroke in strike]
    numbers = np.repeat(np.arange(kept, kept + len(added)), [len(stroke) for stroke in added])
    return form._replace(
        points=np.concatenate([points, *added]).astype(np.float32),
        stroke_of=np.concatenate([stroke_of, numbers]).astype(np.int32),
        slots=np.zeros(kept + len(added), np.int32),
    )
