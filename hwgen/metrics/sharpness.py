"""Sharpness of a line: how steep the edges of its strokes are, whatever the darkness of its ink."""

from typing import NamedTuple

import numpy as np

_DARK = 97.0  # percentile of the ink of all pixels that counts as its darkness
_STEEP = 90.0  # percentile of the gradient on ink


class Edges(NamedTuple):
    """How a line's strokes end.

    Attributes:
        darkness: float in [0, 1], 97th percentile of the ink of its pixels.
        gradient: float, 90th percentile, over the pixels with more than half that ink, of the change of ink
            a pixel.
        sharpness: float, gradient over darkness; 0 for a line without ink.
    """

    darkness: float
    gradient: float
    sharpness: float


def line_edges(image: np.ndarray) -> Edges:
    """Darkness, gradient and sharpness of a line.

    The gradient is that of central differences, by both axes together. It is a change a pixel: lines of one
    height can be compared, of two heights not.

    Args:
        image: uint8 [H, W], 255 = paper, at least 2 x 2.

    Returns:
        Edges.
    """
    ink = 1.0 - image.astype(np.float32) / 255.0
    darkness = float(np.percentile(ink, _DARK))
    inked = ink > 0.5 * darkness
    if darkness <= 0.0 or not inked.any():
        return Edges(0.0, 0.0, 0.0)
    down, across = np.gradient(ink)
    gradient = float(np.percentile(np.hypot(down, across)[inked], _STEEP))
    return Edges(darkness, gradient, gradient / darkness)
