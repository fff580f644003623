"""Pictures of lines, scaled to cells, to a height, to their ink; numbers of a network as grey levels."""

import cv2
import numpy as np

_CROP_MARGIN = 0.1  # of the line's height
_INK_BELOW = 200  # grey level of a pixel that counts as ink when cropping


def resize_line(image: np.ndarray, *, height_px: int, width_px: int) -> np.ndarray:
    """Scales a line to the model's cells: mean over areas where an axis shrinks, linear where it grows.

    Args:
        image: uint8 [H, W], 255 = paper.
        height_px, width_px: int.

    Returns:
        float32 [height_px, width_px] in [-1, 1], paper +1.
    """
    image = np.asarray(image, np.float32)
    # The axes are scaled apart: INTER_AREA averages only where neither of them grows, and takes nearest
    # neighbours elsewhere.
    for rows, columns in ((height_px, image.shape[1]), (height_px, width_px)):
        if image.shape != (rows, columns):
            shrinks = rows < image.shape[0] or columns < image.shape[1]
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            image = cv2.resize(image, (columns, rows), interpolation=how)
    return image.reshape(height_px, width_px) * np.float32(2 / 255) - np.float32(1)


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Numbers in [-1, 1], paper +1, as grey levels, rounded to the nearest; what lies beyond is ink or paper.

    Args:
        images: float [...].

    Returns:
        uint8 [...], 255 = paper.
    """
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def to_cells(image: np.ndarray, num_characters: int, *, char_px: int, char_width_px: int) -> np.ndarray:
    """A line as real ones are scaled in training.

    Args:
        image: uint8 [H, W], 255 = paper.
        num_characters: int, N.
        char_px, char_width_px: int, height and width of a cell.

    Returns:
        uint8 [char_px, N * char_width_px].
    """
    return to_uint8(resize_line(image, height_px=char_px, width_px=num_characters * char_width_px))


def to_height(image: np.ndarray, height_px: int) -> np.ndarray:
    """A line of another height, with the aspect it was written in.

    Args:
        image: uint8 [H, W], 255 = paper.
        height_px: int.

    Returns:
        uint8 [height_px, W'].
    """
    width_px = max(1, round(image.shape[1] * height_px / image.shape[0]))
    return to_uint8(resize_line(image, height_px=height_px, width_px=width_px))


def crop_to_ink(image: np.ndarray) -> np.ndarray:
    """Cuts a line to its ink and a margin of a tenth of its height around it; a line without ink stays as it
    is.

    Args:
        image: uint8 [H, W], 255 = paper.

    Returns:
        uint8 [H', W'].
    """
    ink = image < _INK_BELOW
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not rows.size:
        return image
    margin = round(image.shape[0] * _CROP_MARGIN)
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    return image[top : rows[-1] + 1 + margin, left : columns[-1] + 1 + margin]
