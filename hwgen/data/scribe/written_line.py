"""A line that a simulated writer wrote, and what is true of it."""

from typing import NamedTuple

import numpy as np


class WrittenLine(NamedTuple):
    """A line of N characters; T samples of the movement.

    Attributes:
        image: uint8 [H, W], 255 = paper, cut around the ink.
        boxes: int32 [N, 4], px x0, y0, x1, y1 of each character's ink; of its cell where it has none.
        component_boxes: int32 [N, 4, 4], the same of each component slot; zeros where a slot is unused. None
            where the writer does not know it.
        trajectory: float32 [T, 5]: x px, y px, time s, pen (1 = on paper, 0 = in the air), pressure in [0,
            1]. None where nothing moved.
        trajectory_slots: int32 [T]: 4 * character + slot; -1 for travel from character to character. None
            likewise.
    """

    image: np.ndarray
    boxes: np.ndarray
    component_boxes: np.ndarray | None = None
    trajectory: np.ndarray | None = None
    trajectory_slots: np.ndarray | None = None
