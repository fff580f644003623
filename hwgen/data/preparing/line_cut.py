"""A line as it is cut out of a scan, brought to the cut of the lines that models learn from, and its
characters counted by its shape where no label tells.

Lines of the embedded corpus end a little beyond their ink, which takes 0.89 of the height (median of 1,000);
and none is enlarged until flat characters (一一) fill the height.
"""

import numpy as np

from hwgen.data.preparing.line_normalization import ink_mask

MARGIN = 1 / 16  # of the height of the ink, on every side
LEAST_HEIGHT = 0.84  # of the width that a character takes: as `scribe` has it
# Width of a character by the height of a line that is cut so, where cells are squares. With it and the
# penalty, chosen on other lines, 0.915 of the lines of corpus 1.1 and 0.765 of those of 2.0 are counted right
# (600 each of the split validation); by width alone 0.68 and 0.52.
CHARACTER_ASPECT = 0.87
_PENALTY = 4.0  # of the logarithm of a width by the usual one, squared; in units of the line's mean ink
_GAP = 0.12  # of a cell, on both sides of where two meet
_FEWEST, _MOST = 0.65, 1.5  # numbers that are tried, by that of the usual width


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


def count_characters(image: np.ndarray, *, cell_aspect: float = 1.0) -> int:
    """How many characters a line has, as far as its shape tells.

    Of the numbers that come near its width by that of a usual character, the one is taken whose equal cells
    have the least ink where they meet, with a penalty on what is far from the usual width.

    Args:
        image: uint8 [H, W], 255 = paper, as `cut_line` cuts it.
        cell_aspect: width of a model's cells by their height; Latin ones are half as wide.

    Returns:
        At least 1.
    """
    height, width = image.shape
    usual = width / (height * CHARACTER_ASPECT * cell_aspect)
    profile = (255.0 - image).sum(0)
    ink = profile.mean()
    numbers = range(max(1, int(np.ceil(_FEWEST * usual))), int(_MOST * usual) + 1)
    if not ink or not numbers:
        return max(1, round(usual))

    def cost(number: int) -> float:
        between = _ink_between(profile, number, margin=MARGIN * height) / ink
        return between + _PENALTY * float(np.log(number / usual)) ** 2

    return min(numbers, key=cost)


def _ink_between(profile, number, *, margin):
    """Mean of a profile of columns around the places where so many equal cells meet; its mean where there is
    one.
    """
    if number == 1:
        return float(profile.mean())
    cell = (len(profile) - 2 * margin) / number
    places = margin + cell * np.arange(1, number)
    first = np.maximum(0, places - _GAP * cell).astype(int)
    last = np.minimum(len(profile), places + _GAP * cell + 1).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    return float(np.mean((sums[last] - sums[first]) / (last - first)))
