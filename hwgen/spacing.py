"""Lines as their characters stand, one by one in cells: what lies between two characters is cut through the
middle, and each piece is set into the middle of its cell at the line's own scale.

A line that is scaled as a whole to so many equal cells has a comma stretched or a wide character squeezed,
and most characters beside their cell; what of it is due to place would have to be learned as noise. Here a
piece keeps its shape, and how much room it took along the line is a number of its own, its *advance*.
"""

import cv2
import numpy as np

from hwgen.images import resize_line

_NEAR = 0.1  # of the line's height: how far from the middle between two boxes a cut may go for less ink
_LEAST_PX = 2  # of a character's piece, at the line's height
_WIDEST_GAP = 0.15  # of the line's height: wider gaps do not widen the ends of a line
_SINGLE_GAP = 0.08  # of the line's height, around a character that stands alone
_REACH = 0.45  # of an even character's width: how far from even places unknown characters may be parted


def part_line(image: np.ndarray, num_characters: int, boxes: np.ndarray | None = None) -> np.ndarray:
    """Where the characters of a line begin and end.

    Args:
        image: uint8 [H, W], 255 = paper.
        num_characters: int, N.
        boxes: int [N, 4] px x0, y0, x1, y1 of each character in the image; None: unknown, then the line is
            parted where there is least ink near even places (`part_by_ink`).

    Returns:
        float64 [N + 1] px, ascending: character i has the columns from number i to number i + 1.
    """
    height, width = image.shape
    if boxes is None:
        return part_by_ink(image, num_characters)
    left, right = boxes[:, 0].astype(float), boxes[:, 2].astype(float)
    gaps = left[1:] - right[:-1]
    gap = float(np.median(gaps)) if gaps.size else _SINGLE_GAP * height
    margin = np.clip(gap, 0.0, _WIDEST_GAP * height) / 2
    ink = _ink(image)
    edges = [
        left[0] - margin,
        *(_least_ink(ink, place, _NEAR * height) for place in (left[1:] + right[:-1]) / 2),
        right[-1] + margin,
    ]
    return _ascending(np.clip(edges, 0.0, width), width)


def part_by_ink(image: np.ndarray, num_characters: int) -> np.ndarray:
    """Where the characters of a line begin and end where nobody knows: within reach of even places, through
    as little ink as can be, the line's ends at its first and last ink.

    Arguments and answer as of `part_line`.
    """
    height, width = image.shape
    ink = _ink(image)
    found = np.flatnonzero(ink > 1.0 / height)
    first, last = (found[0], found[-1] + 1) if found.size else (0, width)
    margin = _SINGLE_GAP / 2 * height
    first, last = max(0.0, first - margin), min(float(width), last + margin)
    even = np.linspace(first, last, num_characters + 1)
    reach = _REACH * (last - first) / num_characters
    return _ascending(
        np.array([first, *(_least_ink(ink, place, reach) for place in even[1:-1]), last]), width
    )


def _ink(image):
    """How much of each column is ink: float64 [W], 0 to 1."""
    return (255.0 - image.astype(np.float64)).sum(0) / 255.0 / image.shape[0]


def _least_ink(ink, place, reach):
    """A border between two columns near a place where there is little ink on either side; of equal ones the
    nearest.
    """
    borders = np.arange(max(1, int(np.ceil(place - reach))), min(len(ink) - 1, int(place + reach)) + 1)
    if not borders.size:
        return place
    beside = (ink[borders - 1] + ink[borders]) / 2
    away = np.abs(borders - place) / reach
    return float(borders[np.argmin(beside + 0.05 * away**2)])


def _ascending(edges, width):
    """Edges in ascending order with at least a pixel between them, as far as the width allows."""
    least = min(1.0, width / max(1, len(edges) - 1))
    for i in range(1, len(edges)):
        edges[i] = max(edges[i], edges[i - 1] + least)
    over = edges[-1] - width
    return edges if over <= 0 else np.minimum(edges, width - least * np.arange(len(edges) - 1, -1, -1))


def space_line(
    image: np.ndarray,
    num_characters: int,
    boxes: np.ndarray | None = None,
    *,
    char_px: int,
    char_width_px: int,
) -> tuple[np.ndarray, np.ndarray]:
    """A line with each character in the middle of its own cell.

    Args:
        image: uint8 [H, W], 255 = paper.
        num_characters: int, N.
        boxes: see `part_line`.
        char_px, char_width_px: int, height and width of a cell.

    Returns:
        float32 [char_px, N * char_width_px] in [-1, 1], paper +1: pieces at the scale of the line's height,
            those wider than a cell squeezed to it;
        float32 [N], advances: the room each character took along the line, in heights of the line.
    """
    edges = part_line(image, num_characters, boxes) * (char_px / image.shape[0])
    scaled = resize_line(
        image, height_px=char_px, width_px=max(1, round(image.shape[1] * char_px / image.shape[0]))
    )
    bounds = np.rint(edges).astype(int)
    cells = np.ones((char_px, num_characters * char_width_px), np.float32)
    for i in range(num_characters):
        piece = scaled[:, bounds[i] : bounds[i + 1]]
        if not piece.shape[1]:
            continue
        if piece.shape[1] > char_width_px:
            piece = cv2.resize(piece, (char_width_px, char_px), interpolation=cv2.INTER_AREA)
        start = i * char_width_px + (char_width_px - piece.shape[1]) // 2
        cells[:, start : start + piece.shape[1]] = piece
    advances = np.maximum(np.diff(edges), _LEAST_PX) / char_px
    return cells, advances.astype(np.float32)


def in_cells(
    image: np.ndarray,
    num_characters: int,
    boxes: np.ndarray | None = None,
    *,
    layout: str,
    char_px: int,
    char_width_px: int,
) -> tuple[np.ndarray, np.ndarray]:
    """A line in cells, as a model of a layout is shown it.

    Args:
        layout: 'cells': the line as a whole is scaled to its cells, which are its characters' advances;
            'spaced': `space_line`, whose other arguments and answer these are.
    """
    if layout == 'spaced':
        return space_line(image, num_characters, boxes, char_px=char_px, char_width_px=char_width_px)
    cells = resize_line(image, height_px=char_px, width_px=num_characters * char_width_px)
    return cells, np.full(num_characters, char_width_px / char_px, np.float32)
