"""What is done to pictures of people and of simulated hands alike, before anything is compared."""

import cv2
import numpy as np

from hwgen.data.scribe.glyphs import thin
from hwgen.evaluation.measuring.character_pictures import SIDE_PX, fit

CANVAS_PX, SPAN_PX = 96, 80  # what the shape is measured on


def bitmap(crop):
    """The crop on the canvas its shape is measured on.

    Args:
        crop: float32 [h, w] in [0, 1].

    Returns:
        bool [CANVAS_PX, CANVAS_PX]; breaks of a pixel or so of the scan are closed.
    """
    canvas = cv2.GaussianBlur(fit(crop, side_px=CANVAS_PX, inner_px=SPAN_PX), (0, 0), 1.2)
    return (
        canvas > 0.4 * np.percentile(canvas[canvas > 0.1], 80)
        if (canvas > 0.1).any()
        else np.zeros(canvas.shape, bool)
    )


def redraw(path):
    """The path alone in a thin, even line: neither the ink nor the width of the pen counts.

    Args:
        path: bool [CANVAS_PX, CANVAS_PX], a skeleton.

    Returns:
        float32 [SIDE_PX, SIDE_PX] in [0, 1].
    """
    rows, columns = np.flatnonzero(path.any(1)), np.flatnonzero(path.any(0))
    if not len(rows):
        return np.zeros([SIDE_PX, SIDE_PX], np.float32)
    crop = path[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    # 2 px around, so that the line's own width has room.
    grown = cv2.dilate(
        np.pad(crop, 2).astype(np.float32), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    )
    return fit(cv2.GaussianBlur(grown, (0, 0), 1.0))


def skeleton(mask):
    """bool [CANVAS_PX, CANVAS_PX]: the path of the pen (Zhang and Suen)."""
    mask = mask.copy()
    mask[[0, -1]] = mask[:, [0, -1]] = False
    return thin(mask)


def scan(pictures, *, factor):
    """Pictures as a scanner of another resolution sees them.

    Args:
        pictures: sequence of uint8 [H, W].
        factor: float > 0, of both sides.

    Returns:
        list of uint8.
    """
    return [
        cv2.resize(
            picture,
            None,
            fx=factor,
            fy=factor,
            interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR,
        )
        for picture in pictures
    ]


def draw_path(path, *, width, longer_px):
    """A path in the pen of another: a round pen of even width and ink.

    Args:
        path: bool [CANVAS_PX, CANVAS_PX], a skeleton.
        width: float, of the pen, by the longer side of the character.
        longer_px: int, longer side of the result.

    Returns:
        float32 [h, w] in [0, 1], 1 = ink, cut out.
    """
    away = cv2.distanceTransform((~np.pad(path, SPAN_PX // 8)).astype(np.uint8), cv2.DIST_L2, 5)
    ink = np.clip(width * SPAN_PX / 2 - away + 0.5, 0, 1).astype(np.float32)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    if not path.any() or not len(rows):
        return np.zeros([1, 1], np.float32)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = [max(1, int(round(n * longer_px / max(ink.shape)))) for n in ink.shape[::-1]]
    return cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
