"""The shape of a character as two distance fields, from which a stroke of any width is drawn.

A brush font read as pen: the skeleton of the outline is the path of the pen. With d the distance to that path
and b the signed distance to the outline (inside positive, about r - d where the brush has half width r), ink
lies where

    (1 - t) (w - d) + t (b + s) > 0,

which is a pen of constant half width w at t = 0 and the font's own brush, made thinner or bolder by s, at t =
1. Both fields are linear in between, so they bear enlarging, turning and bending without a loss of edge.
"""

import functools

import cv2
import numpy as np

from hwgen.data.scribe.fonts import font_for

EM_PX = 96
PAD_PX = 16
SIDE_PX = EM_PX + 2 * PAD_PX
# Fields are kept as uint8 in steps of 1/8 px: finer than outlines on their grid, a quarter of the memory of
# floats.
STEP_PX = 1 / 8
ZERO = 128
_KEPT = 12000  # characters, 32 KiB each: at most 400 MB a process


def _removable():
    """Zhang and Suen 1984: for each of both sub-steps a table, neighbourhood code -> 255 where the pixel
    may go, else 0.
    """
    tables = np.zeros([2, 256], np.uint8)
    for code in range(256):
        # clockwise from the north: n0 n1(ne) n2(e) n3(se) n4(s) n5(sw) n6(w) n7(nw)
        n = [(code >> k) & 1 for k in range(8)]
        if not 2 <= sum(n) <= 6 or sum(n[k] == 0 and n[(k + 1) % 8] == 1 for k in range(8)) != 1:
            continue
        tables[0, code] = 255 * (n[0] * n[2] * n[4] == 0 and n[2] * n[4] * n[6] == 0)
        tables[1, code] = 255 * (n[0] * n[2] * n[6] == 0 and n[0] * n[4] * n[6] == 0)
    return tables


_REMOVABLE = _removable()
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def thin(mask: np.ndarray) -> np.ndarray:
    """Skeleton of a bitmap, one pixel wide, as connected as the bitmap is (Zhang and Suen, CACM 27:3, 1984).

    Args:
        mask: bool [H, W]; the outermost rows and columns are empty.

    Returns:
        bool [H, W].
    """
    ink = mask.astype(np.uint8)
    while True:
        before = cv2.countNonZero(ink)
        for table in _REMOVABLE:
            code = cv2.filter2D(ink, cv2.CV_8U, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            ink[cv2.LUT(code, table) > 0] = 0
        if cv2.countNonZero(ink) == before:
            return ink.astype(bool)


def _quantized(field_px):
    return np.clip(np.rint(field_px / STEP_PX + ZERO), 0, 255).astype(np.uint8)


@functools.lru_cache(maxsize=_KEPT)
def fields(font_name: str, character: str) -> np.ndarray | None:
    """Both distance fields of a character; kept, for drawing them anew costs milliseconds.

    Args:
        font_name: str; a character it lacks is taken from the fallbacks.
        character: str of one.

    Returns:
        uint8 [SIDE_PX, SIDE_PX, 2]: (b, -d) in steps of STEP_PX px from ZERO; the em box lies PAD_PX inside.
        None for a character without ink.

    Raises:
        ValueError: neither the font nor a fallback has the character.
    """
    mask = font_for(font_name, character).mask(character, em_px=EM_PX, pad_px=PAD_PX)
    ink = mask > 127
    if not ink.any():
        return None
    ink[[0, -1]] = ink[:, [0, -1]] = False
    path = thin(ink)
    inside = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~ink).astype(np.uint8), cv2.DIST_L2, 5)
    # 5 x 5: the path on the grid of pixels has steps, a pen has not.
    from_path = cv2.GaussianBlur(cv2.distanceTransform((~path).astype(np.uint8), cv2.DIST_L2, 5), (0, 0), 1.2)
    brush = cv2.GaussianBlur(inside - outside, (0, 0), 0.7)
    result = np.stack([_quantized(brush), _quantized(-from_path)], -1)
    result.setflags(write=False)
    return result
