"""How alike the copies of a hand are, and how different the hands: with 95 % intervals over the hands
(bootstrap).
"""

from typing import NamedTuple

import numpy as np

RESAMPLINGS = 400


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def resample(writers, *, seed=0):
    """int [1 + RESAMPLINGS, writers]: which writers are drawn; the first row is all of them."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.arange(writers)[None], rng.integers(writers, size=[RESAMPLINGS, writers])])


def estimate(values):
    """Estimate of values whose first is that of all writers, the others of resampled ones."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return Estimate(float(values[0]), float(low), float(high))


def distance_ratios(pictures):
    """Root mean square distance of two pictures of the same hand by that of two of different hands, of each
    character.

    Args:
        pictures: float [writers, characters, copies, ...], writers and copies at least 2.

    Returns:
        float64 [1 + RESAMPLINGS, characters], of all writers first, then of resampled ones.
    """
    w, c, s = pictures.shape[:3]
    flat = np.asarray(pictures, np.float32).reshape(w, c, s, -1)
    ratios = np.empty([1 + RESAMPLINGS, c])
    drawn = resample(w)
    # how often each writer was drawn
    times = np.stack([np.bincount(row, minlength=w) for row in drawn]).astype(float)
    for n in range(c):
        means = flat[:, n].mean(1).astype(float)
        power = np.square(flat[:, n].astype(float)).sum(-1).mean(-1)  # mean squared length of a hand's copies
        # Pairs of different copies: E|a - b|^2 = 2 (E|a|^2 - |mean|^2) s / (s - 1).
        within = 2 * (power - np.square(means).sum(-1)) * s / (s - 1)
        between = power[:, None] + power - 2 * means @ means.T
        np.fill_diagonal(between, 0)
        pairs = times.sum(1) ** 2 - np.square(times).sum(1)  # of different writers
        with np.errstate(invalid='ignore'):  # of few hands a resampling may draw one alone
            other = np.einsum('bi,ij,bj->b', times, between, times) / pairs
            ratios[:, n] = np.sqrt(times @ within / w / other)
    return ratios


def spreads(values, *, relative):
    """Mean of a feature, and how it varies.

    Args:
        values: float [writers, characters, copies], NaN where it does not exist; characters that have none
            are left out.
        relative: bool: within a hand by the mean of that hand's copies, between hands by the mean of the
            corpus, of each character; values > 0.

    Returns:
        dict of float64 [1 + RESAMPLINGS]: mean; within, standard deviation of the copies of a hand; between,
        that of the hands' means (without the part that is due to few copies), rms over characters; common,
        that of what all characters of a hand share. NaN where there are too few.
    """
    values = values[:, ~np.isnan(values).all((0, 2))]
    nothing = dict.fromkeys(('mean', 'within', 'between', 'common'), np.full(1 + RESAMPLINGS, np.nan))
    if not values.size:
        return nothing
    count = (~np.isnan(values)).sum(2)
    total = np.nansum(values, 2)
    hand = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    squares = np.nansum(np.square(values - hand[..., None]), 2)
    drawn = resample(len(values))
    with np.errstate(invalid='ignore', divide='ignore'):
        mean = _mean(hand[drawn], 1)  # B x C
        freedom = np.maximum(count - 1, 0)[drawn].sum(1)
        variance = squares[drawn].sum(1) / freedom  # B x C
        within = (squares / np.square(hand))[drawn]
        within = np.where(np.isnan(within), 0, within).sum(1) / freedom if relative else variance
        noise = variance * _mean(np.where(count > 0, 1 / count, np.nan)[drawn], 1)  # of a hand's mean
        between = _mean(np.square(hand[drawn] - mean[:, None]), 1) - noise
        scale = np.abs(mean) if relative else np.ones_like(mean)
        shared = _mean((hand[drawn] - mean[:, None]) / scale[:, None], 2)  # B x W
        characters = np.maximum(1, (~np.isnan(mean)).sum(1))
        # What chance and the characters' own habits leave in a mean over the characters.
        rest = _mean(
            _mean(np.square((hand[drawn] - mean[:, None]) / scale[:, None] - shared[..., None]), 1), 1
        ) / np.maximum(1, characters - 1)
        common = _mean(np.square(shared), 1) - rest
        return {
            'mean': _mean(mean, 1),
            'within': np.sqrt(_mean(within, 1)),
            'between': np.sqrt(np.maximum(0, _mean(between / scale**2, 1))),
            'common': np.sqrt(np.maximum(0, common)),
        }


def _mean(values, axis):
    """Mean over what is not NaN; NaN where nothing is left."""
    there = ~np.isnan(values)
    return np.where(there, values, 0).sum(axis) / np.where(there.any(axis), there.sum(axis), np.nan)
