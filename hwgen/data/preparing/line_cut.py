"""A line as it is cut out of a scan, brought to the cut of the lines that models learn from, and its
characters counted by its aspect where no label tells.

Lines of the embedded corpus end a little beyond their ink, which takes 0.89 of the height (median of 1,000);
and none is enlarged until flat characters (一一) fill the height.
"""

import numpy as np

from hwgen.data.preparing.line_normalization import ink_mask

MARGIN = 1 / 16  # of the height of the ink, on every side
LEAST_HEIGHT = 0.84  # of the width that a character takes: as `scribe` has it
# Width of a character by the height of a line that is cut so, where cells are squares: the median of the
# embedded corpus (docs/results/imitation.md).
CHARACTER_ASPECT = 0.9


def cut_line(image: np.ndarray, *, num_characters: int | None = None) -> np.ndarray:
    """Cuts a line to its ink and a small margin of paper.

    Args:
        image: uint8 [H, W], 255 = paper, which is white.
        num_characters: N, where it is known: then flat characters keep room above and below.

    Returns:
        uint8 [H', W']; paper is added where the picture ends too soon. A picture without ink stays as it is.
    """
    mask = ink_mask(image)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return image
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height = int(bottom - top)
    if num_characters:
        height = max(height, round(LEAST_HEIGHT * (right - left) / num_characters))
    above, margin = (height - (bottom - top)) // 2, max(1, round(MARGIN * height))
    edges = [top - above - margin, top - above + height + margin, left - margin, right + margin]
    outside = [max(0, -edges[0]), max(0, edges[1] - image.shape[0])]
    beside = [max(0, -edges[2]), max(0, edges[3] - image.shape[1])]
    wide = np.pad(image, [outside, beside], constant_values=255)
    return wide[
        edges[0] + outside[0] : edges[1] + outside[0],
        edges[2] + beside[0] : edges[3] + beside[0],
    ]


def count_by_aspect(image: np.ndarray, *, cell_aspect: float = 1.0) -> int:
    """How many characters a line has, as far as its shape tells: its width by that of a usual character.

    Args:
        image: uint8 [H, W], as `cut_line` cuts it.
        cell_aspect: width of a model's cells by their height; Latin ones are half as wide.

    Returns:
        At least 1.
    """
    height, width = image.shape
    return max(1, round(width / (height * CHARACTER_ASPECT * cell_aspect)))
