"""HandSpace against the Writer, which knows the map that it finds."""

import functools

import numpy as np
import pytest

from hwgen.serving.hand_space import NUM_DIRECTIONS, HandSpace


@pytest.fixture(scope='module')
def hands(writer):
    space = writer.generator.style_space
    rng, before = np.random.default_rng(5), [space.mean.numpy(), space.factor.numpy()]
    space.mean.assign(rng.normal(size=writer.style_dim))
    space.factor.assign(np.tril(rng.normal(size=[writer.style_dim] * 2)))
    yield (
        HandSpace(functools.partial(writer.styles, truncation=1.0)),
        space.mean.numpy(),
        space.factor.numpy().astype(np.float64),
    )
    space.mean.assign(before[0])
    space.factor.assign(before[1])


def test_hands_between_two_seeds_are_those_of_generate(hands, writer):
    found = hands[0].between(3, 2**64 - 8, mixes=[0, 0.25, 0.5, 1])
    assert found.dtype == np.float32
    # fitted from float32 styles
    np.testing.assert_allclose(
        found, writer.styles_between(3, 2**64 - 8, steps=5, truncation=1.0)[[0, 1, 2, 4]], atol=1e-4
    )


def test_a_mixture_is_rounded_to_the_nearest_hundredth(hands, writer):
    """29 hundredths of 100 are 28.999... in binary."""
    found = hands[0].between(3, 8, mixes=[0.29, 0.57, 0.994, 0.996])
    np.testing.assert_allclose(
        found, writer.styles_between(3, 8, steps=101, truncation=1.0)[[29, 57, 99, 100]], atol=1e-4
    )


def test_average_and_directions(hands, writer):
    found, mean, factor = hands
    np.testing.assert_allclose(found.average, mean, atol=1e-4)
    variances, axes = np.linalg.eigh(factor @ factor.T)
    expected = (np.sqrt(variances) * axes).T[::-1][:NUM_DIRECTIONS]  # the largest first
    np.testing.assert_allclose(np.abs(found.directions), np.abs(expected), atol=1e-3)
    assert (found.directions.sum(1) > 0).all()
    moved = found.between(3, 8, mixes=[0, 1], amounts=[0, -1.5]) - found.between(3, 8, mixes=[0, 1])
    np.testing.assert_allclose(moved, [-1.5 * found.directions[1]] * 2, atol=1e-5)


def test_styles_that_are_no_map_of_the_seeds():
    with pytest.raises(
        ValueError, match='^signature styles: expected the hands of seeds as `export` writes them'
    ):
        HandSpace(lambda seeds: np.random.default_rng(1).normal(size=[len(seeds), 6]))
