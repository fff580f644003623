"""Handwriting distance (HWD): how far apart are two hands in the features of a network that knows hands?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


class HandMeans:
    """The mean features of each writer's lines, line by line.

    Attributes:
        counts: lines so far, by writer.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._sums: dict[str, np.ndarray] = {}
        self._weights: dict[str, float] = {}

    def update(
        self, writers: Sequence[str], features: ArrayLike, *, columns: ArrayLike | None = None
    ) -> None:
        """Adds lines.

        Args:
            writers: n of them.
            features: float [n, D], of each line the mean over its columns.
            columns: float [n], feature columns of each line, its weight in its writer's mean; None: all count
                alike.
        """
        rows = np.asarray(features, np.float64)
        weights = np.ones(len(rows)) if columns is None else np.asarray(columns)
        for writer, row, weight in zip(writers, rows, weights, strict=True):
            self._sums[writer] = self._sums.get(writer, 0.0) + weight * row
            self._weights[writer] = self._weights.get(writer, 0.0) + float(weight)
            self.counts[writer] = self.counts.get(writer, 0) + 1

    def mean(self, writer: str) -> np.ndarray:
        """float64 [D]; KeyError for a writer without lines."""
        return self._sums[writer] / self._weights[writer]


def handwriting_distance(first: HandMeans, second: HandMeans) -> tuple[float, int]:
    """Euclidean distance between a writer's mean features in two collections, the mean over the writers that
    both have.

    Source: Pippi et al. 2023, "HWD: a novel evaluation score for styled handwritten text generation", section
    3, with features of the convolutions of a VGG16 that tells fonts apart; means are over feature columns, as
    in the authors' library (aimagelab/HWD). In any other features it is another measure: the name of a figure
    says which.

    Args:
        first, second: the collections.

    Returns:
        The distance, at least 0; how many writers it is the mean of.

    Raises:
        ValueError: no writer is in both.
    """
    shared = sorted(first.counts.keys() & second.counts.keys())
    if not shared:
        raise ValueError(
            f'handwriting distance of {len(first.counts)} and {len(second.counts)} writers: none is in both'
        )
    return float(
        np.mean([np.linalg.norm(first.mean(writer) - second.mean(writer)) for writer in shared])
    ), len(shared)


def distance_between_hands(hands: HandMeans) -> float:
    """The mean distance of every pair of writers of one collection: what `handwriting_distance` would be if
    hands were mixed up.

    Args:
        hands: of at least two writers.

    Raises:
        ValueError: fewer than two writers.
    """
    if len(hands.counts) < 2:
        raise ValueError(f'distance between hands of {len(hands.counts)} writers: expected at least 2')
    means = np.stack([hands.mean(writer) for writer in sorted(hands.counts)])
    first, second = np.triu_indices(len(means), 1)
    return float(np.linalg.norm(means[first] - means[second], axis=1).mean())
