"""Grey levels of 8 bits from pixels of any depth: by the range that the values use, not by the one that their
container could hold.

Scanners and programs put 8, 10, 12 or 14 bits into 16, and 0 to 1 or 0 to 255 into floats, and no file says
which. So the range is the smallest of RANGES that holds the brightest value. What is brightest in a picture
of writing is paper: where it has less than three tenths of that range the file may as well be brighter than a
smaller range allows, and is refused.
"""

import numpy as np

# Masks and floats; 8, 10, 12, 14, 16, 24, 31 and 32 bits.
RANGES = (1, *((1 << bits) - 1 for bits in (8, 10, 12, 14, 16, 24, 31, 32)))
# of a range that its brightest value takes; the smallest range has no smaller one to be mistaken for
_LEAST_SHARE = 0.3
_SLACK = 0.005  # of a range, a grey level: what resampling leaves beyond it
_PIXELS_AT_ONCE = 1 << 20  # of numbers that are wider than those of the picture


def full_scale(values: np.ndarray) -> int:
    """The value that stands for white.

    Args:
        values: array of integers or floats, at least one; all channels of a picture together.

    Returns:
        int, one of RANGES.

    Raises:
        ValueError: values that are no numbers, negative, beyond all ranges, or between two of them.
    """
    low, high = float(values.min()), float(values.max())  # one NaN makes both NaN
    found = f'values {low:g} to {high:g} ({values.dtype})'
    if not np.isfinite([low, high]).all():
        raise ValueError(f'{found}, expected numbers')
    place = next((place for place, top in enumerate(RANGES) if high <= top * (1 + _SLACK)), None)
    if place is None:
        raise ValueError(f'{found}, expected at most {RANGES[-1]}')
    if low < -_SLACK * RANGES[place]:
        raise ValueError(f'{found}, expected none below 0')
    if place and high < _LEAST_SHARE * RANGES[place]:
        raise ValueError(
            f'{found}: white may be {RANGES[place - 1]} or {RANGES[place]}, expected a picture that shows'
            ' which; save it with 8 bits'
        )
    return RANGES[place]


def grey_levels(values: np.ndarray, *, white_is_zero: bool = False) -> np.ndarray:
    """A picture of 8 bits.

    Args:
        values: array [H, W], or [H, W, 3 or 4] of blue, green, red and opacity, of integers or floats.
        white_is_zero: bool, whether small values are light.

    Returns:
        uint8 [H, W], 255 = white; what is transparent is white.

    Raises:
        ValueError: as `full_scale`.
    """
    scale = np.float32(255 / full_scale(values))
    height, width = values.shape[:2]
    grey = np.empty((height, width), np.uint8)
    rows = max(1, _PIXELS_AT_ONCE // width)
    for top in range(0, height, rows):
        part = values[top : top + rows].astype(np.float32) * scale
        if part.ndim == 3:
            opacity = part[..., 3] / 255 if part.shape[2] == 4 else 1.0
            # ITU-R 601-2, as Pillow's
            part = 255 - opacity * (255 - part[..., :3] @ np.array([0.114, 0.587, 0.299], np.float32))
        grey[top : top + rows] = np.clip(np.rint(255 - part if white_is_zero else part), 0, 255)
    return grey
