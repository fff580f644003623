"""Images of lines as records store them: scaled down, a character put on paper, ink drawn."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from hwgen.data.formats.samples import MAX_LINE_PIXELS, Ink, Sample
from hwgen.images import to_height

# The median crop of a CASIA-HWDB1.x character is about 83 x 66 px.
CHARACTER_PX = 66
_MAX_CHARACTER_PX = 4096
_OVERSAMPLING = 4
_SAMPLES_OF_A_CELL = 200
_MAX_PATH = 400  # heights of the image for each character; a dense character has about 30
_MAX_ASPECT = 1.5  # of a character of ink: a line of dashes is not blown up until it is as high as a line


def scaled_down(image: np.ndarray, *, height_px: int) -> np.ndarray:
    """An image that is no higher than it shall be.

    Args:
        image: uint8 [H, W], 255 = paper.
        height_px: int.

    Returns:
        uint8 [min(H, height_px), ...], the aspect kept.
    """
    if image.shape[0] <= height_px:
        return image
    return to_height(image, height_px)


def on_paper(image: np.ndarray, *, cell_px: int = CHARACTER_PX) -> np.ndarray:
    """A character that was cropped tightly, in the middle of a square of paper: 一 stays flat and a comma
    small.

    Args:
        image: uint8 [H, W], 255 = paper.
        cell_px: int, the least side of the square.

    Returns:
        uint8 [S, S], S = max(H, W, cell_px).

    Raises:
        ValueError: a side of more than 4096 px.
    """
    height, width = image.shape
    side = max(height, width, cell_px)
    if side > _MAX_CHARACTER_PX:  # the square of a long strip could be of any size
        raise ValueError(f'character of {width} x {height} px, expected at most {_MAX_CHARACTER_PX} px')
    paper = np.full((side, side), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    paper[top : top + height, left : left + width] = image
    return paper


def extent(strokes: Sequence[np.ndarray]) -> int:
    """The larger side of the box around strokes, at least 1.

    Args:
        strokes: sequence of int [P, 2].

    Returns:
        int, in the pen's unit.
    """
    points = np.concatenate(strokes)
    return max(1, int(np.max(points.max(0) - points.min(0))))


def with_cells(samples: Iterable[Sample]) -> Iterator[tuple[Sample, int | None]]:
    """Isolated characters, each with the size of a usual one: the median of the first 200, so that a comma
    stays small.

    Args:
        samples: iterable of Ink or Picture.

    Yields:
        (sample, int, `extent` of a usual character in the pen's unit; None for a Picture).
    """
    samples = iter(samples)
    first = list(itertools.islice(samples, _SAMPLES_OF_A_CELL))
    ink = [extent(sample.strokes) for sample in first if isinstance(sample, Ink)]
    cell = int(np.median(ink)) if ink else None
    for sample in itertools.chain(first, samples):
        yield sample, cell


def draw_ink(
    strokes: Sequence[np.ndarray],
    *,
    height_px: int,
    pen_px: float,
    num_characters: int,
    cell_extent: int | None = None,
) -> np.ndarray:
    """Strokes of a pen as an image, black ink of one width on white paper.

    Args:
        strokes: sequence of int [P, 2], x to the right and y down.
        height_px: int, height of the image.
        pen_px: float, width of the pen in the image.
        num_characters: int, N; a line is drawn no wider than 1.5 * N * height_px, and lower than the image
            then.
        cell_extent: int, for an isolated character: the size of a usual one, in the pen's unit. None: a line.

    Returns:
        uint8 [height_px, W]; for an isolated character W = height_px and it stands in the middle.

    Raises:
        ValueError: an image that is too large to be a line, or strokes that are too long to be its
            characters.
    """
    points = np.concatenate(strokes).astype(np.float64)
    low, high = points.min(0), points.max(0)
    size = np.maximum(high - low, 1)
    inner = max(1.0, height_px - pen_px - 2)  # a pixel of paper above and below
    if cell_extent is None:
        scale = min(inner / size[1], _MAX_ASPECT * num_characters * inner / size[0])
        width_px = max(1, round(size[0] * scale + pen_px + 2))
    else:
        scale, width_px = inner / max(*size, cell_extent), height_px
    if width_px * height_px * _OVERSAMPLING**2 > 4 * MAX_LINE_PIXELS:  # 64 MB while it is drawn
        raise ValueError(
            f'ink of {width_px} x {height_px} px, expected at most {MAX_LINE_PIXELS // 4} pixels'
        )
    path_px = (
        sum(float(np.hypot(*np.diff(stroke, axis=0).T.astype(np.float64)).sum()) for stroke in strokes)
        * scale
    )
    if path_px > _MAX_PATH * height_px * max(1, num_characters):
        raise ValueError(
            f'strokes of {path_px:.0f} px for {num_characters} characters, expected at most '
            f'{_MAX_PATH * height_px * max(1, num_characters)} px'
        )
    fine = np.full((height_px * _OVERSAMPLING, width_px * _OVERSAMPLING), 255, np.uint8)
    middle = np.array([width_px, height_px]) / 2
    shift = 4  # fractional bits of the coordinates
    for stroke in strokes:
        placed = ((stroke - (low + high) / 2) * scale + middle) * _OVERSAMPLING - 0.5
        fixed = np.round(placed * (1 << shift)).astype(np.int32).reshape(-1, 1, 2)
        if len(fixed) == 1:  # a dot
            cv2.circle(
                fine,
                fixed[0, 0].tolist(),
                round(pen_px * _OVERSAMPLING / 2 * (1 << shift)),
                0,
                -1,
                cv2.LINE_AA,
                shift,
            )
        else:
            cv2.polylines(fine, [fixed], False, 0, max(1, round(pen_px * _OVERSAMPLING)), cv2.LINE_AA, shift)
    return cv2.resize(fine, (width_px, height_px), interpolation=cv2.INTER_AREA).reshape(height_px, width_px)
