"""95 % intervals over trainings and over what was read, both drawn anew (bootstrap)."""

import numpy as np

from experiments.corpus.spreads import RESAMPLINGS, estimate


def draws(seeds, units):
    """int [1 + RESAMPLINGS, seeds], int [1 + RESAMPLINGS, units]: which are drawn; the first row is all of
    them.
    """
    rng = np.random.default_rng((seeds, units))
    return tuple(
        np.concatenate([np.arange(count)[None], rng.integers(count, size=[RESAMPLINGS, count])])
        for count in (seeds, units)
    )


def mean_of(values):
    """Estimate of the mean.

    Args:
        values: [seeds][units] of float, None or NaN where there is none.
    """
    return estimate(_means(values))


def difference_of(values, reference):
    """Estimate of how much larger the mean is than the reference's, of the same seeds and units."""
    return estimate(_means(values) - _means(reference))


def ratio_of(errors, counts):
    """Estimate of sum(errors) / sum(counts), of units that are drawn whole.

    Args:
        errors, counts: float [units].
    """
    errors, counts = np.asarray(errors, float), np.asarray(counts, float)
    drawn = draws(1, len(errors))[1]
    return estimate(errors[drawn].sum(1) / counts[drawn].sum(1))


def ratio_difference(errors, reference, counts):
    """Estimate of how much larger sum(errors) / sum(counts) is than the reference's, of the same units."""
    return ratio_of(np.asarray(errors, float) - np.asarray(reference, float), counts)


def _means(values):
    """float64 [1 + RESAMPLINGS], without what is NaN; NaN where nothing is left."""
    values = np.array(values, float)
    there = ~np.isnan(values)
    values = np.where(there, values, 0)
    pairs = [np.ix_(s, u) for s, u in zip(*draws(*values.shape), strict=True)]
    with np.errstate(invalid='ignore'):
        return np.array([values[pair].sum() for pair in pairs]) / np.array(
            [there[pair].sum() for pair in pairs]
        )
