"""Distances between two collections of pictures, each given as feature vectors: Fréchet distance (FID),
kernel distance (KID), inception score (IS).

The figures depend on the network that the features come from, on the number of pictures and on how these were
cut and scaled: none of them means anything without the three. Statistics are accumulated chunk by chunk, so
that memory does not grow with the number of pictures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


class FeatureStatistics:
    """Number, mean and covariance of feature vectors that come in chunks (Chan, Golub and LeVeque 1979), in
    float64.

    Attributes:
        count: int, vectors so far.
        mean: float64 [D], None before the first chunk.
    """

    def __init__(self) -> None:
        self.count: int = 0
        self.mean: np.ndarray | None = None
        self._scatter: np.ndarray | None = None

    def update(self, features: ArrayLike) -> None:
        """Adds a chunk.

        Args:
            features: float [n, D], finite.

        Raises:
            ValueError: another shape than the chunks before, or values that are not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or (self.mean is not None and features.shape[1] != len(self.mean)):
            raise ValueError(
                f'features of shape {list(features.shape)}, expected [n,'
                f' {"D" if self.mean is None else len(self.mean)}]'
            )
        if not np.isfinite(features).all():
            raise ValueError('features that are not finite')
        if not len(features):
            return
        mean = features.mean(0)
        centred = features - mean
        if self.mean is None or self._scatter is None:
            self.mean, self._scatter = np.zeros_like(mean), np.zeros([len(mean), len(mean)])
        total, shift = self.count + len(features), mean - self.mean
        self._scatter += centred.T @ centred + np.outer(shift, shift) * (self.count * len(features) / total)
        self.mean = self.mean + shift * (len(features) / total)
        self.count = total

    @property
    def covariance(self) -> np.ndarray:
        """float64 [D, D], the unbiased estimate.

        Raises:
            ValueError: fewer than two vectors.
        """
        if self.count < 2 or self._scatter is None:
            raise ValueError(f'covariance of {self.count} feature vectors: expected at least 2')
        return self._scatter / (self.count - 1)


class FeatureReservoir:
    """A sample of at most `capacity` of the vectors that come in chunks, drawn without replacement (algorithm
    R, Vitter 1985).

    Args:
        capacity: at least 1. As long as no more have come, all are kept, in order.
        seed: one number or several.

    Attributes:
        count: int, vectors so far.
    """

    def __init__(self, capacity: int, *, seed: int | Sequence[int]):
        self.count, self._capacity, self._rng = 0, capacity, np.random.default_rng(seed)
        self._kept: np.ndarray | None = None

    def update(self, features: ArrayLike) -> None:
        """Adds a chunk float [n, D]."""
        features = np.asarray(features)
        if self._kept is None:
            self._kept = np.empty([0, *features.shape[1:]], features.dtype)
        room = self._capacity - len(self._kept)
        self._kept = np.concatenate([self._kept, features[:room]])
        self.count += min(room, len(features))
        for vector in features[room:]:
            self.count += 1
            place = int(self._rng.integers(self.count))
            if place < self._capacity:
                self._kept[place] = vector

    @property
    def features(self) -> np.ndarray:
        """[min(count, capacity), D]."""
        return np.empty([0, 0]) if self._kept is None else self._kept


def frechet_distance(first: FeatureStatistics, second: FeatureStatistics) -> float:
    """Fréchet distance of the normal distributions with the moments of two collections; FID is this in
    features of Inception.

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule", eq. 6: |m1 - m2|^2 + tr(C1 +
    C2 - 2 (C1 C2)^(1/2)). Differs: the trace of the root is the sum of the roots of the eigenvalues of
    C1^(1/2) C2 C1^(1/2), which is symmetric: no complex numbers, and covariances without full rank (fewer
    vectors than dimensions) need no offset. It is biased upwards, more so for fewer vectors (Bińkowski et al.
    2018, appendix D): compare figures of equal counts only.

    Args:
        first, second: of at least 2 vectors each.

    Returns:
        At least 0.

    Raises:
        ValueError: fewer than two vectors, or different dimensions.
    """
    covariances, means = (first.covariance, second.covariance), (np.array(first.mean), np.array(second.mean))
    if covariances[0].shape != covariances[1].shape:
        raise ValueError(
            f'features of {len(covariances[0])} and of {len(covariances[1])} dimensions: expected those of'
            ' one network'
        )
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    product = root @ covariances[1] @ root
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2.0), 0.0))
    distance = (
        np.square(means[0] - means[1]).sum()
        + np.trace(covariances[0])
        + np.trace(covariances[1])
        - 2.0 * roots.sum()
    )
    return float(max(distance, 0.0))


def kernel_distance(
    first: ArrayLike,
    second: ArrayLike,
    *,
    num_subsets: int = 100,
    subset_size: int = 1000,
    seed: int | Sequence[int] = 0,
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with the kernel (x.y / D + 1)^3, the mean of unbiased estimates over
    subsets; KID in features of Inception.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4; 100 subsets of 1,000. Differs: where a
    collection is smaller than a subset, its part of every subset is the whole of it, so that the two counts
    may differ.

    Args:
        first, second: float [n, D] and [m, D], n, m >= 2.
        num_subsets, subset_size: how many subsets, of how many vectors.
        seed: of the subsets.

    Returns:
        The distance, near 0 (also below it) for one distribution; its standard deviation over the subsets.

    Raises:
        ValueError: fewer than two vectors, or different dimensions.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if min(len(first), len(second)) < 2 or first.shape[1:] != second.shape[1:]:
        raise ValueError(
            f'features {list(first.shape)} and {list(second.shape)}: expected at least 2 of each, of one'
            ' network'
        )
    rng = np.random.default_rng(seed)

    def draw(features):
        return (
            features[rng.permutation(len(features))[:subset_size]]
            if len(features) > subset_size
            else features
        )

    count = num_subsets if max(len(first), len(second)) > subset_size else 1
    estimates = [_unbiased_mmd(draw(first), draw(second)) for _ in range(count)]
    return float(np.mean(estimates)), float(np.std(estimates))


def _unbiased_mmd(first, second):
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1.0) ** 3

    def within(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return within(kernel(first, first)) + within(kernel(second, second)) - 2.0 * kernel(first, second).mean()


class InceptionScore:
    """exp(E[KL(p(y | x) || p(y))]) of class probabilities that come in chunks.

    Source: Salimans et al. 2016, "Improved techniques for training GANs", eq. 1. Differs: over all samples at
    once; the customary mean over ten parts depends on their size.

    Attributes:
        count: int, samples so far.
    """

    def __init__(self) -> None:
        self.count, self._negative_entropy = 0, 0.0
        self._sum: np.ndarray | None = None

    def update(self, probabilities: ArrayLike) -> None:
        """Adds a chunk float [n, K], rows sum to 1.

        Raises:
            ValueError: rows that are no probabilities.
        """
        probabilities = np.asarray(probabilities, np.float64)
        # float32 softmax over thousands of classes
        if not np.allclose(probabilities.sum(-1), 1.0, atol=1e-3) or probabilities.min(initial=0.0) < 0.0:
            raise ValueError('class probabilities that are negative or do not sum to 1')
        self.count += len(probabilities)
        self._sum = probabilities.sum(0) + (0.0 if self._sum is None else self._sum)
        self._negative_entropy += _plogp(probabilities)

    @property
    def value(self) -> float:
        """In [1, K].

        Raises:
            ValueError: no samples.
        """
        if not self.count or self._sum is None:
            raise ValueError('inception score of no samples: expected at least one')
        return float(np.exp(self._negative_entropy / self.count - _plogp(self._sum / self.count)))


def _plogp(probabilities):
    return float((probabilities * np.log(np.where(probabilities > 0.0, probabilities, 1.0))).sum())
