"""Are generated samples copies of the training data?

Distances to the nearest training sample, held against those of samples that cannot be copies.
"""

import math

import numpy as np
from numpy.typing import ArrayLike


class NearestNeighbors:
    """For each of some points the nearest of reference points that come in chunks: memory does not grow with
    their number.

    Args:
        points: float [n, D].

    Attributes:
        distances: float64 [n], infinite before the first chunk.
        indices: int64 [n], place of the nearest in the order of coming, the first of equals; -1 before the
            first chunk.
    """

    def __init__(self, points: ArrayLike):
        self._points = np.asarray(points, np.float64)
        self.distances = np.full(len(self._points), np.inf)
        self.indices = np.full(len(self._points), -1, np.int64)
        self._seen = 0

    def update(self, reference: ArrayLike) -> None:
        """Adds a chunk of reference points, float [m, D].

        Raises:
            ValueError: another number of dimensions.
        """
        reference = np.asarray(reference, np.float64)
        if reference.ndim != 2 or reference.shape[1] != self._points.shape[1]:
            raise ValueError(
                f'reference points {list(reference.shape)}, expected [m, {self._points.shape[1]}]'
            )
        if len(reference):
            squares = (
                np.square(self._points).sum(1)[:, np.newaxis]
                + np.square(reference).sum(1)
                - 2.0 * self._points @ reference.T
            )
            nearest = squares.argmin(1)
            # Anew from the difference: the expanded square loses the small distances of copies.
            distances = np.linalg.norm(self._points - reference[nearest], axis=1)
            closer = distances < self.distances
            self.distances[closer], self.indices[closer] = distances[closer], nearest[closer] + self._seen
        self._seen += len(reference)


def copying_score(test_distances: ArrayLike, generated_distances: ArrayLike) -> float:
    """Three-sample test for data copying: z-score of the Mann-Whitney statistic.

    Source: Meehan, Chaudhuri and Dasgupta 2020, "A non-parametric test to detect data-copying in generative
    models", section 3 (the global statistic, one cell). Differs: equal distances count a half and the
    variance is corrected for them.

    Args:
        test_distances: float [n], of real samples that were not trained on to their nearest training sample.
        generated_distances: float [m].

    Returns:
        The score; far below 0 (-3, say): generated samples lie closer to the training data than new real
        ones do, they are copied; far above 0: further away, the model does not fit. Where all distances are
        equal, 0.

    Raises:
        ValueError: no distances on one side.
    """
    test, generated = np.asarray(test_distances, np.float64), np.asarray(generated_distances, np.float64)
    n, m = len(test), len(generated)
    if not n or not m:
        raise ValueError(
            f'distances of {n} test samples and of {m} generated ones: expected at least one of each'
        )
    _, places, ties = np.unique(np.concatenate([test, generated]), return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties - 1) / 2.0  # mid-ranks from 1
    larger = ranks[places[n:]].sum() - m * (m + 1) / 2.0  # pairs in which the generated one is further away
    variance = n * m / 12.0 * (n + m + 1.0 - (ties**3.0 - ties).sum() / max((n + m) * (n + m - 1.0), 1.0))
    return float((larger - n * m / 2.0) / math.sqrt(variance)) if variance > 0.0 else 0.0


def copied_share(
    test_distances: ArrayLike, generated_distances: ArrayLike, *, quantile: float = 0.01
) -> float:
    """Share of generated samples that lie closer to their nearest training sample than all but `quantile` of
    the test samples do to theirs.

    The test says whether the collection copies as a whole; this one also sees a few copies among many
    originals.

    Args:
        test_distances: float [n], n >= 1; generated_distances: float [m], m >= 1.
        quantile: in [0, 1); the share that is expected where nothing is copied.

    Returns:
        In [0, 1].

    Raises:
        ValueError: no distances on one side.
    """
    test, generated = np.asarray(test_distances, np.float64), np.asarray(generated_distances, np.float64)
    if not test.size or not generated.size:
        raise ValueError(
            f'distances of {test.size} test samples and of {generated.size} generated ones: expected at least'
            ' one of each'
        )
    return float((generated < np.quantile(test, quantile)).mean())
