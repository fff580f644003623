"""System: what writes, as the comparison of systems takes it: a model of ours, or anything else."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from hwgen.inference.description import DEFAULT_TRUNCATION


class System(Protocol):
    """What writes.

    One whose pictures are made beforehand also has `require(texts_by_seed)`, which refuses what it cannot
    give before anything is measured.

    Attributes:
        char_px, char_width_px: int, the cells that its lines are scaled to where it is the first system, px.
        description: dict of JSON values.
    """

    char_px: int
    char_width_px: int
    description: dict[str, Any]

    def write(
        self,
        texts: Sequence[str],
        *,
        style_seeds: Any,
        styles: Any = None,
        truncation: float = DEFAULT_TRUNCATION,
    ) -> list[np.ndarray]:
        """Writes lines.

        Args:
            texts: sequence of str.
            style_seeds: int, or one a text.
            styles: float32 [L, Z] in place of drawn ones, or None.
            truncation: standard deviation of the styles that are drawn.

        Returns:
            list of uint8 [H, W], 255 = paper.
        """
