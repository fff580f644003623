"""Pictures of isolated characters, of people and of simulated or written hands alike, before a small network
sees them: neither paleness nor size is judged.
"""

import cv2
import numpy as np

SIDE_PX, INNER_PX = 32, 28  # what networks and distances see
_BACKGROUND_PX = 15  # wider than any stroke
_FLOOR = 0.12  # of the darkest ink: paler is paper
_INK = 0.35  # of the ink: a pixel that belongs to the character
_SPECK, _STRAY = 0.025, 0.25  # of all ink: a spot that is dirt; one at the edge that is a neighbour's


def as_seen(picture: np.ndarray, *, side_px: int = SIDE_PX) -> np.ndarray:
    """A picture as a network sees it: cleaned, cut out, its longer side 7/8 of the square's.

    Args:
        picture: uint8 [H, W], 255 = paper.
        side_px: int, a multiple of 8.

    Returns:
        uint8 [side_px, side_px], 255 = ink.
    """
    square = fit(clean(picture), side_px=side_px, inner_px=side_px * INNER_PX // SIDE_PX)
    return np.rint(255 * square).astype(np.uint8)


def clean(picture: np.ndarray) -> np.ndarray:
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


def fit(crop: np.ndarray, *, side_px: int = SIDE_PX, inner_px: int = INNER_PX) -> np.ndarray:
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
