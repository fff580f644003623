"""Copies in the training data: nearest neighbours against SciPy, the test against SciPy's Mann-Whitney,
copies that were put there.
"""

import numpy as np
import pytest
import scipy.stats
from scipy.spatial.distance import cdist

from hwgen.metrics import memorization


def nearest(points, reference, *, chunks=1):
    found = memorization.NearestNeighbors(points)
    for chunk in np.array_split(reference, chunks):
        found.update(chunk)
    return found


@pytest.mark.parametrize('chunks', [1, 4, 31])
def test_nearest_neighbors_are_scipys(chunks):
    rng = np.random.default_rng(0)
    points, reference = rng.normal(size=[17, 5]), rng.normal(size=[31, 5])
    points[3] = reference[20]
    found = nearest(points, reference, chunks=chunks)
    distances = cdist(points, reference)
    np.testing.assert_array_equal(found.indices, distances.argmin(1))
    np.testing.assert_allclose(found.distances, distances.min(1), rtol=1e-12)
    assert found.distances[3] == 0.0


def test_the_first_of_equals_and_no_reference_at_all():
    found = nearest(np.zeros([1, 2]), np.array([[3.0, 4.0], [1.0, 0.0], [0.0, 1.0]]), chunks=3)
    assert (found.indices[0], found.distances[0]) == (1, 1.0)
    empty = nearest(np.zeros([1, 2]), np.empty([0, 2]))
    assert (empty.indices[0], empty.distances[0]) == (-1, np.inf)
    with pytest.raises(ValueError, match=r'expected \[m, 2\]'):
        empty.update(np.zeros([1, 3]))
    with pytest.raises(ValueError, match=r'reference points \[2\]'):
        empty.update(np.zeros(2))


@pytest.mark.parametrize('n, m, decimals', [(40, 40, 9), (40, 13, 9), (25, 60, 0), (1, 1, 9)])
def test_copying_score_is_mann_whitneys(n, m, decimals):
    rng = np.random.default_rng(1)
    test, generated = rng.gamma(2.0, size=n).round(decimals), rng.gamma(2.5, size=m).round(decimals)
    result = scipy.stats.mannwhitneyu(
        generated, test, method='asymptotic', use_continuity=False, alternative='greater'
    )
    expected = scipy.stats.norm.isf(result.pvalue)
    assert memorization.copying_score(test, generated) == pytest.approx(expected, abs=1e-9)


def test_copies_show():
    rng = np.random.default_rng(2)
    training, test, fresh = rng.normal(size=[400, 3]), rng.normal(size=[200, 3]), rng.normal(size=[150, 3])
    copies = training[:150] + 1e-3 * rng.normal(size=[150, 3])
    few = np.concatenate([fresh[:140], copies[:10]])
    real = nearest(test, training).distances

    def score(points):
        return memorization.copying_score(real, nearest(points, training).distances)

    def share(points):
        return memorization.copied_share(real, nearest(points, training).distances)

    assert score(copies) < -10.0 and abs(score(fresh)) < 3.0 and score(fresh + 9.0) > 10.0
    assert share(copies) == 1.0 and share(fresh) < 0.05 and 10 / 150 <= share(few) < 15 / 150


def test_as_near_as_a_test_sample_is_no_copy():
    """Exact copies among the test lines: where the quantile is a distance of theirs, samples at that
    distance are as near, not nearer.
    """
    assert memorization.copied_share([1.0, 2.0, 3.0], [1.0, 0.5, 1.0, 4.0], quantile=0.0) == 0.25
    assert memorization.copied_share([0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 1.0]) == 0.0


def test_a_copy_is_nearer_than_all_but_one_in_a_hundred_test_lines():
    test = np.arange(101.0)[::-1]  # the hundredth part is below 1
    assert memorization.copied_share(test, [0.5, 1.0, 1.5, 2.5]) == 0.25
    assert memorization.copied_share(test, [0.5, 1.0, 1.5, 2.5, 30.0], quantile=0.02) == 0.6


def test_ends():
    assert memorization.copying_score([1.0, 1.0], [1.0]) == 0.0
    for function in (memorization.copying_score, memorization.copied_share):
        with pytest.raises(ValueError, match='0 test samples'):
            function([], [1.0])
        with pytest.raises(ValueError, match='of 2 test samples and of 0 generated'):
            function([1.0, 2.0], [])
    assert (
        memorization.copying_score([1.0, 2.0, 3.0], [4.0, 5.0])
        == -memorization.copying_score([4.0, 4.5, 5.0], [1.0, 2.0])
        > 0.0
    )
