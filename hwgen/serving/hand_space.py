"""HandSpace: the hands of an exported model, as far as its signature `styles` tells: seeds, what lies between
them, directions.

Styles are an affine map of normal numbers (`hwgen.models.layers.StyleSpace`), and the numbers of a seed are
known (`hwgen.inference.styles`). So the map follows from enough styles, and hands between two seeds are those
of `generate --interpolate`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from hwgen.inference import styles

NUM_DIRECTIONS = 4
MIX_STEPS = 100  # a mixture is rounded to such a part
_SEEDS_PER_DIMENSION = 4


class HandSpace:
    """Style vectors of one model.

    Args:
        draw: function, seeds int64 [B] -> styles float32 [B, Z] at truncation 1.

    Attributes:
        style_dim: int, Z.
        average: float64 [Z], the average hand.
        directions: float64 [NUM_DIRECTIONS, Z], the principal axes along which hands differ most, each one
            standard deviation long; fewer where Z is less.

    Raises:
        ValueError: the styles are no affine map of the seeds' numbers.
    """

    def __init__(self, draw: Callable[[np.ndarray], np.ndarray]) -> None:
        self.style_dim = np.shape(draw(np.zeros([1], np.int64)))[-1]
        seeds = np.arange(_SEEDS_PER_DIMENSION * (self.style_dim + 1))
        normal = styles.styles_from_seeds(seeds, self.style_dim).astype(np.float64)
        drawn = np.asarray(draw(seeds.astype(np.int64)), np.float64)
        columns = np.concatenate([normal, np.ones([len(seeds), 1])], axis=1)
        fitted, *_ = np.linalg.lstsq(columns, drawn, rcond=None)  # (Z + 1) x Z
        if not np.allclose(columns @ fitted, drawn, atol=1e-4):  # float32 of the graph
            raise ValueError('signature styles: expected the hands of seeds as `export` writes them')
        self._map, self.average = fitted[:-1], fitted[-1]
        _, deviations, axes = np.linalg.svd(self._map)  # the covariance is map^T map
        # a direction has two signs: one of them, always the same
        axes *= np.where(axes.sum(1, keepdims=True) < 0, -1.0, 1.0)
        self.directions = (deviations[:, np.newaxis] * axes)[:NUM_DIRECTIONS]

    def between(
        self, first: int, second: int, *, mixes: Sequence[float], amounts: Sequence[float] = ()
    ) -> np.ndarray:
        """Hands from one seed to another.

        Args:
            first, second: int, style seeds.
            mixes: sequence of float in [0, 1], 0 the first.
            amounts: sequence of float, standard deviations along each of the `directions`, added to every
                hand.

        Returns:
            float32 [len(mixes), Z] at truncation 1.
        """
        ends = styles.styles_from_seeds([first, second], self.style_dim)
        path = styles.interpolate_styles(*ends, steps=MIX_STEPS + 1)
        normal = path[[round(mix * MIX_STEPS) for mix in mixes]]
        moved = np.asarray(amounts, np.float64) @ self.directions[: len(amounts)]
        return (self.average + normal @ self._map + moved).astype(np.float32)
