"""Slant and size of handwriting made equal, by flag: slanted lines are sheared upright, and the core of the
writing takes a stated share of the height.

Both are those of Vinciarelli and Luettin, "A new normalization technique for cursive handwritten words",
Pattern Recognition Letters 22 (2001). Slant: for each angle the image is sheared, and a column counts where
its ink is one unbroken stroke, by the square of its length; the angle with the largest sum makes most strokes
upright. Core region (without ascenders and descenders): the rows whose density of ink is above Otsu's
threshold of all densities.
Differs: the slant is that of a hand, the sum is taken over several of its lines or characters; angles are
tried in steps of 3 degrees and then of 1, at most 60 px high; of equally good angles the smallest is taken;
the core is the span of the dense rows, not one run of them (hanzi have sparse rows in their middle).
"""

import functools
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

MAX_SLANT_DEGREES = 45
# from which its slant is estimated: a line alone may have no more than a few upright strokes
IMAGES_OF_A_HAND = 40
_ESTIMATE_PX = 60
_LEAST_GAIN = 1.02  # of the sum over that of the image as it is: a shear that changes nothing is none
_MAX_ASPECT = 1.5  # of a character: a line of dashes is not blown up until it is as high as a line


def ink_mask(image: np.ndarray) -> np.ndarray:
    """Which pixels are ink, by Otsu's threshold.

    Args:
        image: uint8 [H, W], 255 = paper.

    Returns:
        bool [H, W]; nothing where the image is of one grey level.
    """
    threshold = _threshold(image)
    return np.zeros(image.shape, bool) if threshold is None else image <= threshold


def estimate_slant(images: Iterable[np.ndarray]) -> int:
    """The slant that images of one hand have in common.

    Args:
        images: iterable of uint8 [H, W], 255 = paper.

    Returns:
        int, degrees to the right of upright, -45 to 45; 0 where there is no ink.
    """
    inked = [(_small(image), threshold) for image in images if (threshold := _threshold(image)) is not None]

    @functools.cache
    def total(degrees: int) -> int:
        return sum(_unbroken(_sheared(image, degrees)[0] <= threshold) for image, threshold in inked)

    def best(candidates: Iterable[int]) -> int:
        return max(candidates, key=lambda degrees: (total(degrees), -abs(degrees)))

    found = best(range(-MAX_SLANT_DEGREES, MAX_SLANT_DEGREES + 1, 3))
    found = best(range(max(-MAX_SLANT_DEGREES, found - 2), min(MAX_SLANT_DEGREES, found + 2) + 1))
    return found if total(found) > _LEAST_GAIN * total(0) else 0


def _threshold(image):
    """Otsu's threshold: what is not above it is ink; None where the image is of one grey level."""
    if image.min() == image.max():
        return None
    threshold = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
    # Half way to the next grey level that there is: of black and white alone Otsu gives 0, and whatever a
    # shear mixes of the two would be paper.
    return (int(image[image <= threshold].max()) + int(image[image > threshold].min())) // 2


def _small(image):
    """An image no higher than the estimate needs."""
    if image.shape[0] <= _ESTIMATE_PX:
        return image
    return cv2.resize(
        image,
        (max(1, round(image.shape[1] * _ESTIMATE_PX / image.shape[0])), _ESTIMATE_PX),
        interpolation=cv2.INTER_AREA,
    )


def _sheared(image, degrees):
    """An image and the matrix that takes its slant away; wide enough for all of it."""
    height, width = image.shape
    slope = np.tan(np.radians(degrees))
    wide = int(np.ceil(abs(slope) * height / 2)) + 1
    matrix = np.array([[1, slope, wide - slope * (height - 1) / 2], [0, 1, 0]])
    paper = int(np.median(image[~ink_mask(image)]))
    return (
        cv2.warpAffine(
            image,
            matrix,
            (width + 2 * wide, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=paper,
        ),
        matrix,
    )


def _unbroken(mask):
    """Sum of squared lengths of the columns with one unbroken stroke."""
    counts = mask.sum(0)
    span = len(mask) - mask.argmax(0) - mask[::-1].argmax(0)
    return int(np.sum(counts[counts == span] ** 2))


def shear(
    image: np.ndarray, *, degrees: float, boxes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """An image with its slant taken away; the paper beside the ink stays as wide as it was.

    Args:
        image: uint8 [H, W], 255 = paper.
        degrees: number, of its slant to the right.
        boxes: int32 [N, 4] px x0, y0, x1, y1 of parts of it, or None.

    Returns:
        (uint8 [H, W'], int32 [N, 4] or None).
    """
    mask = ink_mask(image)
    if not degrees or not mask.any():
        return image, boxes
    sheared, matrix = _sheared(image, degrees)
    slope, width = matrix[0, 1], image.shape[1]
    before = np.flatnonzero(mask.any(0))
    rows, columns = np.nonzero(mask)
    moved = columns + slope * rows + matrix[0, 2]
    left = max(0, int(np.floor(moved.min())) - int(before[0]))
    right = min(sheared.shape[1], int(np.ceil(moved.max())) + width - int(before[-1]))
    if boxes is not None:
        corners = [
            boxes[:, [x]] + slope * boxes[:, [y]] + matrix[0, 2] - left
            for x, y in ((0, 1), (0, 3), (2, 1), (2, 3))
        ]
        x = np.clip(np.round(np.hstack(corners)), 0, right - left)
        boxes = np.stack([x.min(1), boxes[:, 1], x.max(1), boxes[:, 3]], 1).astype(np.int32)
    return np.ascontiguousarray(sheared[:, left:right]), boxes


def upright(strokes: Sequence[np.ndarray], *, degrees: float) -> Sequence[np.ndarray]:
    """Strokes of a pen with their slant taken away.

    Args:
        strokes: sequence of int32 [P, 2], x to the right and y down.
        degrees: number, of their slant to the right.

    Returns:
        tuple of int32 [P, 2].
    """
    slope = np.array([np.tan(np.radians(degrees)), 0])
    return (
        tuple(stroke + np.round(stroke[:, 1:] * slope).astype(np.int32) for stroke in strokes)
        if degrees
        else strokes
    )


def core_rows(mask: np.ndarray) -> tuple[int, int]:
    """The core of a line of writing.

    Args:
        mask: bool [H, W], ink; with at least one pixel of it.

    Returns:
        (top, bottom), int: its rows are top to bottom - 1.
    """
    density = mask.sum(1).astype(np.float64)
    levels = np.round(density * (255 / density.max())).astype(np.uint8)
    threshold, _ = cv2.threshold(levels[density > 0], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dense = np.flatnonzero((levels > threshold) if levels[density > 0].min() < levels.max() else density > 0)
    return int(dense[0]), int(dense[-1]) + 1


def sized(
    image: np.ndarray, *, share: float, num_characters: int | None, boxes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """A line cut or padded above and below such that its core has a share of the height and stands in the
    middle.

    No ink is cut off: a line with long ascenders or descenders has more height, and a smaller core, than its
    share says. Nothing is scaled here; lines become equally high when they are stored or read.

    Args:
        image: uint8 [H, W], 255 = paper.
        share: float in (0, 1].
        num_characters: int, N; no character becomes higher than 1.5 times its width would be. None: unknown,
            and not held.
        boxes: int32 [N, 4] px x0, y0, x1, y1 of parts of it, or None.

    Returns:
        (uint8 [H', W], int32 [N, 4] or None).
    """
    mask = ink_mask(image)
    if not mask.any():
        return image, boxes
    top, bottom = core_rows(mask)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    middle = (top + bottom) / 2
    width = (
        (columns[-1] + 1 - columns[0]) / (_MAX_ASPECT * max(1, num_characters))
        if num_characters is not None
        else 0.0
    )
    half = max((bottom - top) / share, width, 2 * (middle - rows[0]), 2 * (rows[-1] + 1 - middle)) / 2
    first, last = int(np.floor(middle - half)), int(np.ceil(middle + half))
    above, below = max(0, -first), max(0, last - image.shape[0])
    paper = int(np.median(image[~mask]))
    padded = np.pad(image, ((above, below), (0, 0)), constant_values=paper)[first + above : last + above]
    return padded, None if boxes is None else boxes - np.array([0, first, 0, first], np.int32)
