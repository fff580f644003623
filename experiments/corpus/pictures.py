"""All pictures of one kind of hands, prepared for every measure."""

from typing import NamedTuple

import numpy as np

from experiments.corpus import preparation
from experiments.corpus.shapes import measure
from hwgen.evaluation.measuring.character_pictures import clean, fit
from hwgen.evaluation.measuring.people import NUMERALS


class Pictures(NamedTuple):
    """What hands wrote: axes writers W, characters 15, copies S.

    Attributes:
        inked: uint8 [W, 15, S, SIDE_PX, SIDE_PX], 255 = ink: stretched, cut out, all of one size.
        paths: the same of the path alone, redrawn in one thin line.
        features: float64 [W, 15, S, len(FEATURES)].
    """

    inked: np.ndarray
    paths: np.ndarray
    features: np.ndarray


def longer_side(hands):
    """Mean longer side of the ink, px, of pictures [W][15][S]; the first copy of each is looked at."""
    return float(np.mean([max(clean(copies[0]).shape) for characters in hands for copies in characters]))


def prepare(hands, *, factor=1.0, pen=None):
    """Prepares pictures.

    Args:
        hands: [W][15][S] of uint8 [H, W], 255 = paper.
        factor: float, by which a scanner makes them smaller first, so that two kinds do not differ in their
            resolution.
        pen: None, or float [W]: the width of a pen, by the character's longer side, in which the path of each
            hand is drawn anew first.

    Returns:
        Pictures.
    """
    inked, paths, features = [], [], []
    for w, characters in enumerate(hands):
        for character, copies in zip(NUMERALS, characters, strict=True):
            for picture in preparation.scan(copies, factor=factor) if factor != 1.0 else copies:
                crop = clean(picture)
                if pen is not None:
                    crop = preparation.draw_path(
                        preparation.skeleton(preparation.bitmap(crop)),
                        width=pen[w],
                        longer_px=max(crop.shape),
                    )
                mask = preparation.bitmap(crop)
                path = preparation.skeleton(mask)
                inked.append(_bytes(fit(crop)))
                paths.append(_bytes(preparation.redraw(path)))
                features.append(measure(crop, mask, path, character))
    shape = (len(hands), len(NUMERALS), -1)
    return Pictures(*(np.array(part).reshape(*shape, *part[0].shape) for part in (inked, paths, features)))


def _bytes(picture):
    return np.rint(255 * picture).astype(np.uint8)
