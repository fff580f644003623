"""FID, KID and IS against SciPy, brute force and cases worked by hand; streams against whole arrays."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from hwgen.metrics import distribution


def statistics(features, *, chunks=1):
    found = distribution.FeatureStatistics()
    for chunk in np.array_split(features, chunks):
        found.update(chunk)
    return found


def draw(count, dimensions, *, seed, rank=None):
    rng = np.random.default_rng(seed)
    return rng.normal(size=[count, rank or dimensions]) @ rng.normal(
        size=[rank or dimensions, dimensions]
    ) + rng.normal(size=dimensions)


def test_streamed_moments_are_those_of_the_whole():
    features = draw(997, 6, seed=0) + 1e3  # a mean far from 0 would show cancellation
    found = statistics(features, chunks=13)
    assert found.count == 997
    np.testing.assert_allclose(found.mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features, rowvar=False), rtol=1e-9)
    found.update(np.empty([0, 6]))
    assert found.count == 997
    single = statistics(features, chunks=997)
    np.testing.assert_allclose(single.covariance, found.covariance, rtol=1e-9)


@pytest.mark.parametrize('real, generated', [(400, 400), (400, 150), (3, 40), (2, 2)])
def test_frechet_distance_is_that_of_scipys_root(real, generated):
    """Also with fewer vectors than dimensions, where the covariances have no full rank."""
    first, second = draw(real, 10, seed=1), draw(generated, 10, seed=2)
    covariances = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    # The root of a product without full rank is what sqrtm cannot do well: the sum of the roots of its
    # eigenvalues, which are not negative, is its trace.
    roots = np.sqrt(np.maximum(np.real(scipy.linalg.eigvals(covariances[0] @ covariances[1])), 0.0)).sum()
    if min(real, generated) > 10:
        np.testing.assert_allclose(
            roots, np.trace(np.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))), rtol=1e-8
        )
    expected = (
        np.square(first.mean(0) - second.mean(0)).sum()
        + np.trace(covariances[0] + covariances[1])
        - 2.0 * roots
    )
    found = distribution.frechet_distance(statistics(first), statistics(second, chunks=2))
    # Roots of eigenvalues that are 0 but for rounding: 1e-16 becomes 1e-8 of a trace.
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(
        distribution.frechet_distance(statistics(second), statistics(first)), found, rtol=1e-6
    )


def test_frechet_distance_by_hand():
    # One dimension: (m1 - m2)^2 + (s1 - s2)^2; samples -1, 1 have the variance 2, samples 1, 7 the mean 4 and
    # the variance 18.
    first, second = np.array([[-1.0], [1.0]]), np.array([[1.0], [7.0]])
    assert distribution.frechet_distance(statistics(first), statistics(second)) == pytest.approx(
        4.0**2 + (18.0**0.5 - 2.0**0.5) ** 2
    )
    constant = np.ones([5, 3])
    assert distribution.frechet_distance(statistics(constant), statistics(constant)) == 0.0
    assert distribution.frechet_distance(statistics(constant), statistics(3.0 * constant)) == pytest.approx(
        12.0
    )
    full = draw(300, 4, seed=3)
    assert distribution.frechet_distance(statistics(full), statistics(full)) == pytest.approx(0.0, abs=1e-9)


def brute_mmd(first, second):
    def kernel(x, y):
        return (x @ y / len(x) + 1.0) ** 3

    def pairs(xs):
        return np.mean([kernel(xs[i], xs[j]) for i, j in itertools.permutations(range(len(xs)), 2)])

    return pairs(first) + pairs(second) - 2.0 * np.mean([kernel(x, y) for x in first for y in second])


@pytest.mark.parametrize('real, generated', [(12, 12), (12, 7), (2, 9)])
def test_kernel_distance_is_the_unbiased_estimate(real, generated):
    first, second = draw(real, 5, seed=4), draw(generated, 5, seed=5)
    found, spread = distribution.kernel_distance(first, second)
    np.testing.assert_allclose(found, brute_mmd(first, second), rtol=1e-9)
    assert spread == 0.0


def test_kernel_distance_over_subsets():
    first, second = draw(60, 3, seed=6), draw(11, 3, seed=7)
    found, spread = distribution.kernel_distance(first, second, num_subsets=200, subset_size=20, seed=1)
    # Unbiased: the mean over subsets estimates the value of the whole, the smaller collection being in every
    # subset as it is.
    whole, _ = distribution.kernel_distance(first, second, subset_size=60)
    assert abs(found - whole) < 4.0 * spread / 200**0.5
    assert distribution.kernel_distance(first, second, num_subsets=200, subset_size=20, seed=1) == (
        found,
        spread,
    )
    assert distribution.kernel_distance(first, second, num_subsets=200, subset_size=20, seed=2)[0] != found
    same = [
        distribution.kernel_distance(*np.random.default_rng(seed).normal(size=[2, 50, 3]))[0]
        for seed in range(40)
    ]
    assert abs(np.mean(same)) < 4.0 * np.std(same) / 40**0.5 and min(same) < 0.0


def test_an_empty_chunk_is_nothing_wherever_it_comes():
    found = statistics(np.empty([0, 4]))
    assert found.count == 0 and found.mean is None
    features = draw(9, 4, seed=1).astype(np.float32)
    found.update(features)
    assert found.count == 9 and found.mean.dtype == found.covariance.dtype == np.float64
    np.testing.assert_allclose(found.covariance, np.cov(np.float64(features), rowvar=False), rtol=1e-9)
    score, reservoir = distribution.InceptionScore(), distribution.FeatureReservoir(3, seed=0)
    score.update(np.empty([0, 2]))
    assert score.count == 0 and reservoir.features.shape == (0, 0)
    reservoir.update(np.empty([0, 4], np.float32))
    assert (
        reservoir.count == 0 and reservoir.features.shape == (0, 4) and reservoir.features.dtype == np.float32
    )


def test_a_distance_is_never_below_nothing():
    """Rounding alone would put some of these below 0: they are 0."""
    found = [
        distribution.frechet_distance(statistics(features), statistics(features))
        for features in (draw(12, 7, seed=seed, rank=3) for seed in range(30))
    ]
    assert min(found) == 0.0 <= max(found) < 1e-6


def test_every_subset_is_drawn_anew_from_either_side():
    """The stream is part of the figure: of each subset first the one collection's part, then the other's."""
    first, second, rng = draw(15, 3, seed=6), draw(13, 3, seed=7), np.random.default_rng(5)
    expected = [
        brute_mmd(first[rng.permutation(15)[:12]], second[rng.permutation(13)[:12]]) for _ in range(4)
    ]
    found = distribution.kernel_distance(first, second, num_subsets=4, subset_size=12, seed=5)
    assert found == pytest.approx((np.mean(expected), np.std(expected)), rel=1e-9)
    rng = np.random.default_rng(0)
    expected = [brute_mmd(first[rng.permutation(15)[:14]], second) for _ in range(3)]
    assert distribution.kernel_distance(first, second, num_subsets=3, subset_size=14) == pytest.approx(
        (np.mean(expected), np.std(expected)), rel=1e-9
    )
    # those of the paper
    assert distribution.kernel_distance.__kwdefaults__ == {'num_subsets': 100, 'subset_size': 1000, 'seed': 0}


def test_inception_score():
    probabilities = np.random.default_rng(8).dirichlet(np.ones(6), size=50)
    found = distribution.InceptionScore()
    for chunk in np.array_split(probabilities, 7):
        found.update(chunk)
    expected = np.exp(np.mean([scipy.stats.entropy(row, probabilities.mean(0)) for row in probabilities]))
    assert found.count == 50 and found.value == pytest.approx(expected, rel=1e-9)
    certain, undecided = distribution.InceptionScore(), distribution.InceptionScore()
    certain.update(np.eye(4))
    undecided.update(np.full([9, 4], 0.25))
    assert certain.value == pytest.approx(4.0) and undecided.value == pytest.approx(1.0)


def test_a_reservoir_keeps_all_while_there_is_room_and_then_a_fair_sample():
    features = np.arange(30.0)[:, np.newaxis]
    roomy = distribution.FeatureReservoir(40, seed=0)
    for chunk in np.array_split(features, 4):
        roomy.update(chunk)
    np.testing.assert_array_equal(roomy.features, features)
    assert roomy.count == 30
    kept = np.zeros(30)
    for seed in range(2000):
        small = distribution.FeatureReservoir(10, seed=seed)
        for chunk in np.array_split(features, 4):
            small.update(chunk)
        assert small.count == 30 and len(np.unique(small.features)) == 10
        kept[small.features[:, 0].astype(int)] += 1
    assert np.all(np.abs(kept / 2000 - 1 / 3) < 5 * (2 / 9 / 2000) ** 0.5)


def test_a_reservoir_of_one_holds_each_of_two_as_often_as_the_other():
    kept = []
    for seed in range(400):
        one = distribution.FeatureReservoir(1, seed=seed)
        one.update(np.array([[0.0]]))
        one.update(np.array([[1.0]]))
        kept.append(float(one.features[0, 0]))
    assert one.count == 2 and abs(np.mean(kept) - 0.5) < 0.1  # four standard deviations
    pair = [distribution.FeatureReservoir(5, seed=[3, 1]) for _ in range(2)]
    for reservoir, chunks in zip(pair, (1, 6)):
        for chunk in np.array_split(np.arange(40.0)[:, np.newaxis], chunks):
            reservoir.update(chunk)
    np.testing.assert_array_equal(pair[0].features, pair[1].features)  # chunks are none of its business
    other = distribution.FeatureReservoir(5, seed=[3, 2])
    other.update(np.arange(40.0)[:, np.newaxis])
    assert (other.features != pair[0].features).any()


def test_what_cannot_be_measured_is_named():
    two, one = statistics(np.eye(3)), statistics(np.ones([1, 3]))
    with pytest.raises(ValueError, match='covariance of 1 feature vectors: expected at least 2'):
        distribution.frechet_distance(two, one)
    with pytest.raises(ValueError, match='3 and of 2 dimensions'):
        distribution.frechet_distance(two, statistics(np.eye(2)))
    with pytest.raises(ValueError, match=r'expected \[n, 3\]'):
        two.update(np.eye(2))
    with pytest.raises(ValueError, match=r'shape \[3\], expected'):
        two.update(np.ones(3))
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match='not finite'):
            two.update(np.array([[1.0, value, 1.0]]))
    with pytest.raises(ValueError, match='at least 2 of each'):
        distribution.kernel_distance(np.ones([1, 3]), np.ones([5, 3]))
    with pytest.raises(ValueError, match='at least 2 of each'):
        distribution.kernel_distance(np.ones([5, 3]), np.ones([1, 3]))
    with pytest.raises(ValueError, match='of one network'):
        distribution.kernel_distance(np.ones([5, 3]), np.ones([5, 4]))
    with pytest.raises(ValueError, match='no samples'):
        distribution.InceptionScore().value
    distribution.InceptionScore().update([[0.5, 0.5005]])  # as near as a float32 softmax comes
    for wrong in ([[0.5, 0.6]], [[1.5, -0.5]], [[0.5, 0.5], [0.5, 0.503]]):
        with pytest.raises(ValueError, match='negative or do not sum'):
            distribution.InceptionScore().update(wrong)
