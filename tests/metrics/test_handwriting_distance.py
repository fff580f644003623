"""Handwriting distance against means and distances of NumPy and SciPy, and by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from hwgen.metrics import handwriting_distance as hwd


def hands(writers, features, columns=None, *, chunks=1):
    found = hwd.HandMeans()
    for part in np.array_split(np.arange(len(writers)), chunks):
        found.update(
            [writers[i] for i in part],
            np.asarray(features)[part],
            columns=None if columns is None else np.asarray(columns)[part],
        )
    return found


def test_by_hand():
    first = hands(['a', 'a', 'b', 'only here'], [[0.0, 0.0], [2.0, 0.0], [5.0, 5.0], [9.0, 9.0]])
    second = hands(['b', 'a'], [[5.0, 6.0], [4.0, 4.0]])
    # a: (1, 0) and (4, 4), 5 apart; b: 1 apart.
    assert hwd.handwriting_distance(first, second) == (3.0, 2)
    assert first.counts == {'a': 2, 'b': 1, 'only here': 1}
    # The first line of a is three times as long: (.5, 0).
    longer = hands(['a', 'a'], [[0.0, 0.0], [2.0, 0.0]], [3, 1])
    np.testing.assert_allclose(longer.mean('a'), [0.5, 0.0])


def test_streamed_means_and_distances_of_pairs():
    rng = np.random.default_rng(0)
    writers, features, columns = list('abcd' * 9), rng.normal(size=[36, 7]), rng.integers(1, 9, size=36)
    whole, parts = hands(writers, features, columns), hands(writers, features, columns, chunks=5)
    means = np.stack([np.average(features[i::4], axis=0, weights=columns[i::4]) for i in range(4)])
    for found in (whole, parts):
        np.testing.assert_allclose([found.mean(writer) for writer in 'abcd'], means, rtol=1e-12)
        assert hwd.distance_between_hands(found) == pytest.approx(pdist(means).mean())
    assert hwd.handwriting_distance(whole, parts)[0] == pytest.approx(0.0, abs=1e-12)


def test_no_common_writer_and_one_writer():
    with pytest.raises(ValueError, match='1 and 1 writers: none is in both'):
        hwd.handwriting_distance(hands(['a'], [[0.0]]), hands(['b'], [[0.0]]))
    with pytest.raises(ValueError, match='1 writers: expected at least 2'):
        hwd.distance_between_hands(hands(['a'], [[0.0]]))


def test_every_line_has_a_writer_and_features():
    found = hwd.HandMeans()
    with pytest.raises(ValueError):
        found.update(['a'], np.zeros([2, 3]))
    with pytest.raises(ValueError):
        hwd.HandMeans().update(['a', 'b'], np.zeros([2, 3]), columns=[1.0])
    with pytest.raises(KeyError):
        hwd.HandMeans().mean('a')
