"""Two-dimensional ACE against NumPy, by hand, and by its gradient."""

import math

import numpy as np
import pytest
import tensorflow as tf

from hwgen.losses import ace


def numpy_ace(counts, logits, widths=None, epsilon=1e-10):
    """The formula of the paper in float64, position by position."""
    losses = []
    for b in range(len(logits)):
        line = np.asarray(logits[b], np.float64)
        line = line[:, : None if widths is None else widths[b]]
        area = line.shape[0] * line.shape[1]
        y = np.zeros(line.shape[-1])
        for row in line:
            for position in row:
                exponentials = np.exp(position - position.max())
                y += exponentials / exponentials.sum()
        wanted = np.array(counts[b], np.float64)
        wanted[0] = area - wanted[1:].sum()
        losses.append(-sum(n / area * math.log(max(v / area, epsilon)) for n, v in zip(wanted, y)))
    return np.array(losses)


def column_mask(widths, total):
    return (np.arange(total) < np.array(widths)[:, None]).astype(np.float32)[:, None, :, None]


@pytest.fixture
def example():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(3, 4, 8, 6)).astype(np.float32)
    counts = np.array([[0, 2, 0, 1, 1, 0], [0, 0, 0, 0, 0, 3], [0, 1, 1, 1, 1, 4]], np.float32)
    return counts, logits


def test_worked_by_hand():
    # A map of 2 x 2, one occurrence of class 1: N = (3, 1), HW = 4. The softmax is (3/4, 1/4) everywhere, so
    # y / HW = (3/4, 1/4): the loss is the entropy -(.75 ln .75 + .25 ln .25) = 0.562335, its least value.
    logits = np.zeros([1, 2, 2, 2], np.float32)
    logits[..., 0] = math.log(3.0)
    assert ace.ace_loss(tf.constant([[0.0, 1.0]]), tf.constant(logits)).numpy() == pytest.approx(
        [0.562335], abs=1e-6
    )
    # Two of class 1 wanted instead: -(.5 ln .75 + .5 ln .25) = 0.836988.
    assert ace.ace_loss(tf.constant([[0.0, 2.0]]), tf.constant(logits)).numpy() == pytest.approx(
        [0.836988], abs=1e-6
    )


def test_equals_numpy(example):
    counts, logits = example
    np.testing.assert_allclose(ace.ace_loss(counts, logits), numpy_ace(counts, logits), rtol=1e-5)


def test_padding_changes_nothing(example):
    counts, logits = example
    widths = [8, 4, 8]
    alone = numpy_ace(counts, logits, widths)
    # what stands in the padding must not matter
    padded = np.concatenate([logits, np.full_like(logits, 50.0)], axis=2)
    padded[1, :, 4:, 3] = -70.0
    np.testing.assert_allclose(ace.ace_loss(counts, logits, mask=column_mask(widths, 8)), alone, rtol=1e-5)
    np.testing.assert_allclose(ace.ace_loss(counts, padded, mask=column_mask(widths, 16)), alone, rtol=1e-5)
    np.testing.assert_allclose(
        ace.ace_loss(counts, logits, mask=column_mask([8] * 3, 8)), ace.ace_loss(counts, logits), rtol=1e-6
    )


def test_blank_column_of_the_counts_is_ignored(example):
    counts, logits = example
    other = counts.copy()
    other[:, 0] = 99.0
    np.testing.assert_array_equal(ace.ace_loss(other, logits), ace.ace_loss(counts, logits))


def test_the_least_share_is_epsilon(example):
    """Shares above it are as they are, those below count as it: nothing is added."""
    counts, logits = example
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    epsilon = float(np.median(shares.mean((1, 2))))
    np.testing.assert_allclose(
        ace.ace_loss(counts, logits, epsilon=epsilon), numpy_ace(counts, logits, epsilon=epsilon), rtol=1e-5
    )


def test_impossible_class_stays_finite():
    logits = np.zeros([1, 4, 4, 3], np.float32)
    logits[..., 2] = -1e4  # its softmax is exactly 0
    loss = ace.ace_loss(tf.constant([[0.0, 0.0, 4.0]]), tf.constant(logits)).numpy()
    # share 4/16 at the floor, 12/16 blank at y = 1/2
    assert loss == pytest.approx([0.25 * -math.log(1e-10) + 0.75 * math.log(2.0)], rel=1e-5)


def test_gradient_equals_differences_of_the_numpy_loss(example):
    counts, logits = example
    widths, variable = [8, 4, 8], tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(ace.ace_loss(counts, variable, mask=column_mask(widths, 8)))
    gradient = tape.gradient(loss, variable).numpy()
    assert not gradient[1, :, 4:].any()
    rng = np.random.default_rng(0)
    for index in map(tuple, rng.integers([3, 4, 8, 6], size=(40, 4))):
        shifted = [logits.astype(np.float64) for _ in range(2)]
        shifted[0][index] += 1e-5
        shifted[1][index] -= 1e-5
        up, down = (numpy_ace(counts, x, widths).sum() for x in shifted)
        assert gradient[index] == pytest.approx((up - down) / 2e-5, abs=1e-6)


def test_component_counts():
    ids = np.array([[[3, 3, 1, 0], [2, 0, 0, 0]], [[0, 0, 0, 0], [4, 4, 4, 4]]], np.int32)
    np.testing.assert_array_equal(
        ace.component_counts(ids, num_labels=6), [[0, 1, 1, 2, 0, 0], [0, 0, 0, 0, 4, 0]]
    )
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 9, size=(5, 7, 4)).astype(np.int32)
    expected = np.stack([np.bincount(row[row > 0], minlength=9) for row in ids.reshape(5, -1)])
    np.testing.assert_array_equal(ace.component_counts(ids, num_labels=9), expected)
