"""Ink: what a trajectory leaves on paper, at the size it is drawn.

Lines are drawn several times as fine as the result and brought down by averaging areas, so that edges are as
sharp as the size allows and nothing is ever enlarged. Width and darkness vary along the line; pieces of equal
width and darkness are drawn together, from light to dark.
"""

from collections.abc import Sequence

import cv2
import numpy as np

_FINE_PX = 256  # a line's height on the fine canvas, about
_DARK_LEVELS = 6
_SHIFT = 4  # fractional bits of coordinates for OpenCV


def fineness(height_px: int) -> int:
    """How many times finer a line is drawn than it is stored: int."""
    return int(np.clip(round(_FINE_PX / height_px), 3, 8))


def _thickness(widths):
    """What OpenCV is to be told so that its smooth lines come out nearest to these widths, px: int64 of the
    same shape.

    It draws lines of 1.4 px, and of 3.5, 5.5, 7.5, ... for the even numbers 2, 4, 6, ...
    """
    even = 2 * np.rint((widths - 1.5) / 2)
    return np.where(widths < 2.45, 1, np.clip(even, 2, 254)).astype(np.int64)


def draw(
    points: np.ndarray,
    widths: np.ndarray,
    darkness: np.ndarray,
    shown: np.ndarray,
    *,
    shape: Sequence[int],
    fine: int,
) -> np.ndarray:
    """Draws polylines of varying width.

    Args:
        points: float [T, 2], x, y px of the result; the centre of the upper left pixel is at (0.5, 0.5).
        widths: float [T], px, > 0.
        darkness: float [T] in [0, 1].
        shown: bool [T - 1], whether ink lies between a sample and the next.
        shape: (height, width) px.
        fine: int, `fineness`.

    Returns:
        float32 [height, width] in [0, 1], how much of the paper is covered by how dark ink.
    """
    height, width = shape
    canvas = np.zeros((height * fine, width * fine), np.uint8)
    at = np.flatnonzero(shown)
    if len(at):
        thick = _thickness((widths[at] + widths[at + 1]) * (fine / 2))
        dark = np.clip(np.rint((darkness[at] + darkness[at + 1]) / 2 * _DARK_LEVELS), 1, _DARK_LEVELS).astype(
            np.int64
        )
        grid = np.rint((points * fine - 0.5) * (1 << _SHIFT)).astype(np.int32)
        segments = np.stack([grid[at], grid[at + 1]], 1)
        keys = dark * 256 + thick
        order = np.argsort(keys, kind='stable')
        ends = np.flatnonzero(np.diff(keys[order], append=-1)) + 1
        for a, b in zip([0, *ends[:-1]], ends, strict=True):
            key = int(keys[order[a]])
            cv2.polylines(
                canvas,
                list(segments[order[a:b]]),
                False,
                round(255 * (key >> 8) / _DARK_LEVELS),
                key & 255,
                cv2.LINE_AA,
                _SHIFT,
            )
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1 / 255)


def scan(
    ink: np.ndarray, rng: np.random.Generator, *, grain: float, grain_px: float, blur_px: float
) -> np.ndarray:
    """Ink as a scanner sees it.

    Args:
        ink: float32 [H, W] in [0, 1]; is changed.
        rng: numpy Generator.
        grain: float in [0, 1], how unevenly it lies: paper shows through.
        grain_px: float, size of the grains.
        blur_px: float, standard deviation of the scanner's blur; 0: none.

    Returns:
        uint8 [H, W], 255 = paper.
    """
    height, width = ink.shape
    noise = rng.standard_normal((max(2, int(height / grain_px)), max(2, int(width / grain_px))), np.float32)
    if grain:
        grains = cv2.resize(np.clip(noise, -2, 2), (width, height), interpolation=cv2.INTER_LINEAR)
        ink *= 1 - grain * 0.4 * np.abs(grains)
    if blur_px > 0.05:
        ink = cv2.GaussianBlur(ink, (0, 0), blur_px)
    return (255.5 - 255 * np.clip(ink, 0, 1)).astype(np.uint8)
