"""Conventions of the protocols of distances: how many lines, and what is cut out of each, by the work of
their name.
"""

from typing import NamedTuple

import cv2
import numpy as np

from hwgen.images import to_cells, to_height


class Convention(NamedTuple):
    """What a protocol of distances fixes, by the work of its name.

    Attributes:
        num_lines: int, lines of a half at most; geometry_lines: int, points of the geometry score at most (0:
            it has none).
        picture: name of what is cut out of a line (`pictures`).
        imitates: bool, generated lines are in the hands of the real ones' writers; else in drawn styles.
        square: bool, Inception sees pictures as squares.
        memorization: bool, copies of training lines are looked for.
        source: where the convention is from.
    """

    num_lines: int
    geometry_lines: int
    picture: str
    imitates: bool
    square: bool
    memorization: bool
    source: str


ALL_LINES = 1 << 30
CONVENTIONS = {
    'hct': Convention(
        20_000,
        5_000,
        'cells',
        False,
        True,
        True,
        'HCT-GAN, ICPR 2022: lines of 32 x 32 N px, 20,000 for FID, 5,000 for the geometry score',
    ),
    'scrabblegan': Convention(
        ALL_LINES,
        5_000,
        'cells',
        False,
        False,
        True,
        'ScrabbleGAN, CVPR 2020: 299 px high for Inception, as many lines as the test set has',
    ),
    'ganwriting': Convention(
        ALL_LINES, 0, 'left', True, True, False, 'GANwriting, ECCV 2020: the left 64 px of a line 64 px high'
    ),
    'hwd': Convention(
        ALL_LINES,
        0,
        'squares',
        True,
        True,
        False,
        'HWD, BMVC 2023: lines 32 px high, for FID cut into squares; HWD of whole lines, writer by writer',
    ),
}


def pictures(
    image: np.ndarray, *, kind: str, num_characters: int, char_px: int, char_width_px: int
) -> list[np.ndarray]:
    """What a protocol cuts out of a line.

    Args:
        image: uint8 [H, W], 255 = paper.
        kind: 'cells', the line scaled to its cells; 'left', the left 64 px of the line at 64 px, scaled to a
            square; 'squares', squares as high as the line at 32 px, the last filled up with paper.
        num_characters: int; char_px, char_width_px: int, the model's cells.

    Returns:
        list of uint8 [h, w].
    """
    if kind == 'cells':
        return [to_cells(image, num_characters, char_px=char_px, char_width_px=char_width_px)]
    if kind == 'left':
        return [cv2.resize(to_height(image, 64)[:, :64], (64, 64), interpolation=cv2.INTER_AREA)]
    line = to_height(image, 32)
    line = np.pad(line, [(0, 0), (0, -line.shape[1] % 32)], constant_values=255)
    return np.split(line, line.shape[1] // 32, axis=1)
