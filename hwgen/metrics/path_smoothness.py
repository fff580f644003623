"""How evenly, and how straight, pictures change along a path of K + 1 of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class PathFigures(NamedTuple):
    """What a path is like.

    Attributes:
        perceptual_length: mean over the steps of (distance / step)^2, the whole path being 1 long:
            path length squared where steps are even, more where they are not.
        unevenness: the largest step over the mean step: 1 where all are equal, K where one jump is all
            there is; 1 for a path that stands still.
        length: sum of the steps' distances.
        end_distance: distance between the ends; `length` over it is 1 for a straight path.
    """

    perceptual_length: float
    unevenness: float
    length: float
    end_distance: float


def path_figures(points: ArrayLike) -> PathFigures:
    """Figures of a path in a space of Euclidean distances.

    Source: perceptual path length, Karras et al. 2019, "A style-based generator architecture for GANs",
    section 4.1: E[d(G(z(t)), G(z(t + e))) / e^2], d the squared distance in a network's features. Differs: e
    is 1 / K instead of 1e-4, and the mean is over the K steps of one path, not over random t: pictures of 8
    bits change in none of their pixels within 1e-4. The space is the caller's, not LPIPS. Unevenness and
    detour are ours: a path length alone rewards a generator whose pictures are all alike.

    Args:
        points: float [K + 1, D], K >= 1, at equal distances of the parameter.

    Raises:
        ValueError: fewer than two points.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f'path of shape {list(points.shape)}: expected [K + 1, D] with at least two points')
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    length = float(steps.sum())
    return PathFigures(
        float(np.mean(np.square(steps * len(steps)))),
        float(steps.max() / steps.mean()) if length else 1.0,
        length,
        float(np.linalg.norm(points[-1] - points[0])),
    )


def pixel_points(pictures: ArrayLike) -> np.ndarray:
    """Pictures as points whose distance is the root mean square difference of their pixels.

    Args:
        pictures: uint8 [K + 1, H, W].

    Returns:
        float64 [K + 1, H W]; black and white are 1 apart.
    """
    pixels = np.asarray(pictures, np.float64)
    pixels = pixels.reshape(len(pixels), -1) / 255.0  # K + 1 x H x W -> K + 1 x (H W)
    return pixels / np.sqrt(pixels.shape[1])


def middle_darkness(pictures: ArrayLike) -> float:
    """Ink of the darkest pixels (97th percentile) half way, over its mean at the ends: 1 where strokes stay
    ink, about 1/2 where two pictures shine through each other.

    Args:
        pictures: uint8 [K + 1, H, W], 255 = paper.

    Returns:
        At least 0; 1 where the ends have no ink.
    """
    pictures = np.asarray(pictures)
    first, middle, last = (
        np.percentile(255.0 - pictures[i].astype(np.float64), 97) for i in (0, len(pictures) // 2, -1)
    )
    return float(2.0 * middle / (first + last)) if first + last else 1.0
