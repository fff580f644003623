"""What is done to pictures of people and of simulated hands alike, before anything is compared."""

import cv2
import numpy as np

from hwgen.data.scribe.glyphs import thin

SIDE_PX, INNER_PX = 32, 28  # what networks and distances see
CANVAS_PX, SPAN_PX = 96, 80  # what the shape is measured on
_BACKGROUND_PX = 15  # wider than any stroke
_FLOOR = 0.12  # of the darkest ink: paler is paper
_INK = 0.35  # of the ink: a pixel that belongs to the character
_SPECK, _STRAY = 0.025, 0.25  # of all ink: a spot that is dirt; one at the edge that is a neighbour's


def clean(picture):
    """Paper flattened, ink stretched, dirt removed, cut out.

    Args:
        picture: uint8 [H, W], 255 = paper.

    Returns:
        float32 [h, w] in [0, 1], 1 = ink, the box of the ink; [1, 1] of zero for a picture without ink.
    """
    # Paper around: a stroke along the edge would pass for dark paper.
    grey = np.pad(picture, 8, constant_values=int(np.percentile(picture, 90)))
    box = np.ones([_BACKGROUND_PX, _BACKGROUND_PX], np.uint8)
    paper = cv2.GaussianBlur(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, box), (0, 0), 4.0)
    ink = np.maximum(paper.astype(np.float32) - grey, 0)[8:-8, 8:-8]
    darkest = float(ink.max())
    if darkest < 8:
        return np.zeros([1, 1], np.float32)
    level = np.percentile(ink[ink > 0.3 * darkest], 80)
    ink = np.clip((ink / level - _FLOOR) / (1 - _FLOOR), 0, 1)
    mask = ink > _INK
    # Ink that is broken by a pixel is one spot still.
    near = cv2.dilate(mask.astype(np.uint8), np.ones([3, 3], np.uint8))
    count, spots, boxes, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    mass = np.bincount(spots.ravel(), (ink * mask).ravel(), count) / max(1e-6, (ink * mask).sum())
    h, w = ink.shape
    at_edge = (
        (boxes[:, 0] == 0)
        | (boxes[:, 1] == 0)
        | (boxes[:, 0] + boxes[:, 2] == w)
        | (boxes[:, 1] + boxes[:, 3] == h)
    )
    kept = (mass > _SPECK) & ~(at_edge & (mass < _STRAY) & (mass < mass[1:].max(initial=0)))
    kept[0] = False
    ink = ink * kept[spots]
    mask &= kept[spots]
    if not mask.any():
        return np.zeros([1, 1], np.float32)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def fit(crop, *, side_px=SIDE_PX, inner_px=INNER_PX):
    """The crop in the middle of a square, its longer side brought to inner_px.

    Args:
        crop: float32 [h, w] in [0, 1].
        side_px, inner_px: int.

    Returns:
        float32 [side_px, side_px] in [0, 1].
    """
    scale = inner_px / max(crop.shape)
    size = [max(1, int(round(n * scale))) for n in crop.shape[::-1]]
    drawn = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    square = np.zeros([side_px, side_px], np.float32)
    top, left = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = np.clip(drawn, 0, 1)
    return square


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
