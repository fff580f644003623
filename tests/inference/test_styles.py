"""Styles: the counter-based numbers against TensorFlow's Philox, their distribution, and independence of
order.
"""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from hwgen.inference import styles

SEEDS = st.integers(0, styles.MAX_SEED)


@hypothesis.given(seed=SEEDS, counter=st.integers(0, 2**63), stream=st.integers(0, 2**63))
@hypothesis.settings(max_examples=50)
def test_philox_is_tensorflows(seed, counter, stream):
    expected = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[12],
        key=tf.constant([seed], tf.uint64),
        counter=tf.constant([counter, stream], tf.uint64),
        alg=1,
        dtype=tf.uint32,
    ).numpy()
    actual = styles.philox(seed, np.arange(counter, counter + 3, dtype=np.uint64), stream=stream)
    np.testing.assert_array_equal(actual.reshape(-1), expected)


def test_philox_known_answer():
    # Random123's kat_vectors: philox4x32 10 rounds, counter and key of ones and of zeros.
    ones = 2**64 - 1
    assert [f'{x:08x}' for x in styles.philox(0, 0, stream=0)] == [
        '6627e8d5',
        'e169c58d',
        'bc57ac4c',
        '9b00dbd8',
    ]
    assert [f'{x:08x}' for x in styles.philox(ones, ones, stream=ones)] == [
        '408f276d',
        '41c83b0e',
        'a20bc7c6',
        '6d5451fd',
    ]


def test_numbers_are_standard_normal():
    style = styles.styles_from_seeds(range(2000), 16).reshape(-1)
    noise = styles.character_noise(3, 0, 4000, character_noise_dim=8).reshape(-1)
    for values in (style, noise):
        assert values.dtype == np.float32
        assert scipy.stats.kstest(values, 'norm').pvalue > 1e-3
    # No two seeds, characters or uses share numbers.
    assert len(np.unique(np.concatenate([style, noise]))) > 0.999 * (style.size + noise.size)


@hypothesis.given(
    seed=SEEDS, start=st.integers(0, 50), size=st.integers(0, 9), character_noise_dim=st.integers(0, 9)
)
@hypothesis.settings(max_examples=50)
def test_any_stretch_of_noise_is_the_same_numbers(seed, start, size, character_noise_dim):
    whole = styles.character_noise(seed, 0, 60, character_noise_dim=character_noise_dim)
    part = styles.character_noise(seed, start, start + size, character_noise_dim=character_noise_dim)
    assert part.shape == (size, character_noise_dim)
    np.testing.assert_array_equal(part, whole[start : start + size])


def test_a_seed_does_not_depend_on_its_neighbours():
    together = styles.styles_from_seeds([5, 2**63, 9], 7)
    np.testing.assert_array_equal(together[1], styles.styles_from_seeds(2**63, 7)[0])


def test_truncation_scales_the_deviation():
    np.testing.assert_allclose(
        styles.styles_from_seeds(4, 9, truncation=0.5), 0.5 * styles.styles_from_seeds(4, 9), rtol=1e-6
    )
    assert not styles.character_noise(4, 0, 5, character_noise_dim=3, truncation=0.0).any()
    for truncation in (-1.0, np.nan, np.inf, None, 'a', [1.0, 2.0]):
        with pytest.raises(ValueError, match='truncation .*at least 0'):
            styles.styles_from_seeds(4, 9, truncation=truncation)


@pytest.mark.parametrize('seed', [-1, 2**64, 0.5, None, '7', float('inf')])
def test_seeds_out_of_range(seed):
    with pytest.raises(ValueError, match='style seed 1: .*expected an integer from 0'):
        styles.check_seeds([0, seed])


def test_interpolation_keeps_ends_and_lengths():
    first, second = styles.styles_from_seeds([1, 2], 128)
    between = styles.interpolate_styles(first, second, steps=5)
    assert between.shape == (5, 128) and between.dtype == np.float32
    np.testing.assert_allclose(between[[0, -1]], [first, second], atol=1e-6)
    lengths = np.linalg.norm(between, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[-1], 5), rtol=1e-5)
    angles = [np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(between, between[1:])]
    np.testing.assert_allclose(angles, angles[0], rtol=1e-3)  # float32 arccos of nearby directions


def test_interpolation_by_hand():
    # A quarter circle in two dimensions, from length 1 to length 3; its middle is at 45 degrees with length
    # 2.
    middle = styles.interpolate_styles([1.0, 0.0], [0.0, 3.0], steps=3)[1]
    np.testing.assert_allclose(middle, [2**0.5, 2**0.5], rtol=1e-6)
    # Parallel, opposite and zero vectors have no one great circle: the straight line.
    for second in ([2.0, 0.0], [-1.0, 0.0], [0.0, 0.0]):
        np.testing.assert_allclose(
            styles.interpolate_styles([1.0, 0.0], second, steps=3)[1], [(1.0 + second[0]) / 2, 0.0], atol=1e-6
        )


def test_interpolation_errors():
    with pytest.raises(ValueError, match='at least 2'):
        styles.interpolate_styles([1.0], [2.0], steps=1)
    with pytest.raises(ValueError, match=r'shapes \(1,\) and \(2,\)'):
        styles.interpolate_styles([1.0], [2.0, 3.0], steps=3)


def test_box_muller_by_hand():
    """Each pair is (r cos a, r sin a) of two uniform numbers at the middle of their bins."""
    bits = styles.philox(2**40 + 7, np.uint64(3), stream=styles.CHARACTER_STREAM).astype(float)
    u = (bits + 0.5) / 2**32
    expected = [
        value
        for radius, turn in ((u[0], u[1]), (u[2], u[3]))
        for value in (
            np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * turn),
            np.sqrt(-2 * np.log(radius)) * np.sin(2 * np.pi * turn),
        )
    ]
    np.testing.assert_allclose(
        styles.normals(2**40 + 7, 3, stream=styles.CHARACTER_STREAM), expected, rtol=1e-6
    )


def test_which_numbers_a_hand_and_a_character_have():
    """A hand of 6 numbers is the first of blocks 0 and 1 of stream 0; a character's 6 are blocks 2 n and 2
    n + 1 of stream 1, scaled by the truncation.
    """

    def blocks(numbers, stream):
        return np.concatenate([styles.normals(9, number, stream=stream) for number in numbers])

    np.testing.assert_array_equal(styles.styles_from_seeds(9, 6)[0], blocks([0, 1], 0)[:6])
    np.testing.assert_array_equal(styles.styles_from_seeds([4, 9], 8)[1], blocks([0, 1], 0))
    noise = styles.character_noise(9, 5, 7, character_noise_dim=6, truncation=0.5)
    np.testing.assert_array_equal(
        noise, np.float32(0.5) * np.stack([blocks([10, 11], 1)[:6], blocks([12, 13], 1)[:6]])
    )
    assert (
        styles.check_seeds(7).tolist() == [7]
        and styles.check_seeds([2**64 - 1, 0]).tolist() == [2**64 - 1, 0]
        and styles.check_seeds(7).dtype == np.uint64
    )


def test_a_quarter_and_the_ends_of_the_way():
    """From (2, 0) to (0, 1), a quarter of the way: 22.5 degrees, length 1.75."""
    way = styles.interpolate_styles([2.0, 0.0], [0.0, 1.0], steps=5)
    np.testing.assert_allclose(way[1], 1.75 * np.array([np.cos(np.pi / 8), np.sin(np.pi / 8)]), rtol=1e-6)
    np.testing.assert_allclose(
        way[3], 1.25 * np.array([np.cos(3 * np.pi / 8), np.sin(3 * np.pi / 8)]), rtol=1e-6
    )
    np.testing.assert_allclose(
        styles.interpolate_styles([2.0, 1.0], [1.0, 4.0], steps=2), [[2.0, 1.0], [1.0, 4.0]], rtol=1e-6
    )
    np.testing.assert_allclose(styles.interpolate_styles([0.0, 0.0], [4.0, 8.0], steps=5)[1], [1.0, 2.0])
    with pytest.raises(ValueError, match='expected two of'):
        styles.interpolate_styles([[1.0]], [[2.0]], steps=3)
