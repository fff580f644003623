"""Handwriting distance (HWD): how far apart are two hands in the features of a network that knows hands?"""

import numpy as np


class HandMeans:
    """The mean features of each writer's lines, line by line.

    Attributes:
        counts: dict writer -> int, lines so far.
    """

    def __init__(self):
        self.counts, self._sums, self._weights = {}, {}, {}

    def update(self, writers, features, *, columns=None):
        """Adds lines.

        Args:
            writers: sequence of str, n of them.
            features: float [n, D], of each line the mean over its columns.
            columns: float [n], feature columns of each line, its weight in its writer's mean; None: all count
                alike.
        """
        columns = np.ones(len(features)) if columns is None else columns
        for writer, row, weight in zip(writers, np.asarray(features, np.float64), columns, strict=True):
            self._sums[writer] = self._sums.get(writer, 0.0) + weight * row
            self._weights[writer] = self._weights.get(writer, 0.0) + float(weight)
            self.counts[writer] = self.counts.get(writer, 0) + 1

    def mean(self, writer):
        """float64 [D]; KeyError for a writer without lines."""
        return self._sums[writer] / self._weights[writer]


def handwriting_distance(first, second):
    """Euclidean distance between a writer's mean features in two collections, the mean over the writers that
    both have.

    Source: Pippi et al. 2023, "HWD: a novel evaluation score for styled handwritten text generation", section
    3, with features of the convolutions of a VGG16 that tells fonts apart; means are over feature columns, as
    in the authors' library (aimagelab/HWD). In any other features it is another measure: the name of a figure
    says which.

    Args:
        first, second: HandMeans.

    Returns:
        float >= 0; int, writers.

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


def distance_between_hands(hands):
    """The mean distance of every pair of writers of one collection: what `handwriting_distance` would be if
    hands were mixed up.

    Args:
        hands: HandMeans of at least two writers.

    Returns:
        float.

    Raises:
        ValueError: fewer than two writers.
    """
    if len(hands.counts) < 2:
        raise ValueError(f'distance between hands of {len(hands.counts)} writers: expected at least 2')
    means = np.stack([hands.mean(writer) for writer in sorted(hands.counts)])
    first, second = np.triu_indices(len(means), 1)
    return float(np.linalg.norm(means[first] - means[second], axis=1).mean())
