"""Hands as measures of their lines: can one be told from another by how it writes, whatever it writes?"""

import numpy as np
from numpy.typing import ArrayLike

MEASURES = ('ink', 'darkness', 'stroke_width', 'slant', 'height', 'blank_columns', 'centre')
_SLANTS = np.linspace(-0.5, 0.5, 21)  # horizontal shift per row, px


def line_measures(image: np.ndarray) -> np.ndarray:
    """How a line is written, in seven numbers that hold little of what is written.

    Args:
        image: uint8 [H, W], 255 = paper.

    Returns:
        float64 [7], in the order of MEASURES: mean ink in [0, 1]; ink of the darkest pixels (97th
        percentile); width of the strokes, twice their area by their outline, px; slant, the shift to the
        right per row downwards (positive: it leans to the right at the top) that makes the profile of the
        columns steepest; rows from the highest to the lowest ink, px; share of columns without ink; row of
        the ink's centre, px. Zeros for a line without ink.
    """
    ink = 1.0 - image.astype(np.float32) / 255.0
    darkness = float(np.percentile(ink, 97))
    strokes = ink > 0.5 * max(float(np.percentile(ink, 98)), 0.2)
    rows = np.flatnonzero(strokes.any(1))
    if not rows.size:
        return np.zeros(len(MEASURES))
    edges = sum(np.count_nonzero(np.diff(np.pad(strokes, 1).astype(np.int8), axis=axis)) for axis in (0, 1))
    h, w = ink.shape
    columns = np.arange(w)
    sheared = (
        np.stack(
            [
                np.interp(columns - slant * (y - h / 2.0), columns, row, left=0.0, right=0.0)
                for y, row in enumerate(ink)
            ]
        )
        for slant in _SLANTS
    )
    steepness = [float(np.square(picture.sum(0)).sum()) for picture in sheared]
    return np.array(
        [
            ink.mean(),
            darkness,
            2.0 * strokes.sum() / edges,
            _SLANTS[int(np.argmax(steepness))],
            rows[-1] - rows[0] + 1.0,
            1.0 - strokes.any(0).mean(),
            (ink.sum(1) * np.arange(h)).sum() / ink.sum(),
        ]
    )


def identification_rate(measures: ArrayLike) -> float:
    """Share of lines that lie nearest to the other lines of their own hand.

    Each line is left out in turn; distances to the hands' means are in units of the spread within hands.

    Args:
        measures: float [hands, lines, F], at least 2 x 2.

    Returns:
        In [0, 1]; 1 / hands is chance.

    Raises:
        ValueError: fewer than two hands or lines.
    """
    measures = np.asarray(measures, np.float64)
    hands, lines = measures.shape[:2]
    if hands < 2 or lines < 2:
        raise ValueError(f'measures of {hands} hands x {lines} lines: expected at least 2 x 2')
    spread = np.sqrt(measures.var(1).mean(0))
    scaled = measures / np.where(spread > 0.0, spread, 1.0)
    means, right = scaled.mean(1), 0
    for hand in range(hands):
        for line in range(lines):
            others = means.copy()
            others[hand] = (means[hand] * lines - scaled[hand, line]) / (lines - 1)
            right += int(np.argmin(np.square(others - scaled[hand, line]).sum(1))) == hand
    return right / (hands * lines)


def copy_distances(copies: ArrayLike) -> np.ndarray:
    """Mean absolute difference of every pair of pictures of one character, in [0, 1].

    Args:
        copies: uint8 [K, H, W], K >= 2.

    Returns:
        float64 [K (K - 1) / 2].
    """
    copies = np.asarray(copies, np.float64) / 255.0
    first, second = np.triu_indices(len(copies), 1)
    return np.abs(copies[first] - copies[second]).mean((1, 2))
