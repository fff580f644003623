"""Pixel, feature and KL losses against NumPy, by hand, under masks, and by their gradients."""

import math

import numpy as np
import pytest
import tensorflow as tf

from hwgen.losses import reconstruction


@pytest.fixture
def example():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 2, 3, 4, 5))
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], np.float64)[:, None, :, None]
    return a, b, mask


def test_pixel_loss_by_hand():
    images, targets = tf.constant([[[[1.0], [0.0], [-1.0]]]]), tf.constant([[[[-1.0], [0.0], [-0.5]]]])
    assert reconstruction.pixel_loss(images, targets).numpy() == pytest.approx([2.5 / 3.0])
    mask = tf.constant([[[[1.0], [1.0], [0.0]]]])
    assert reconstruction.pixel_loss(images, targets, mask=mask).numpy() == pytest.approx([1.0])


def test_pixel_loss_equals_numpy(example):
    a, b, mask = example
    expected = [np.abs(a[0] - b[0]).mean(), np.abs(a[1] - b[1])[:, :2].mean()]
    np.testing.assert_allclose(reconstruction.pixel_loss(a, b, mask=mask), expected, rtol=1e-12)
    np.testing.assert_allclose(reconstruction.pixel_loss(a, b), np.abs(a - b).mean((1, 2, 3)), rtol=1e-12)


def test_feature_loss_equals_numpy(example):
    a, b, mask = example
    expected = [
        np.abs(a[0] - b[0]).mean() / np.abs(b[0]).mean(),
        np.abs(a[1] - b[1])[:, :2].mean() / np.abs(b[1])[:, :2].mean(),
    ]
    # its epsilon is 1e-6
    np.testing.assert_allclose(reconstruction.feature_loss(a, b, mask=mask), expected, rtol=1e-5)
    np.testing.assert_allclose(reconstruction.feature_loss(np.zeros_like(b), b), [1.0, 1.0], rtol=1e-5)
    np.testing.assert_array_equal(reconstruction.feature_loss(np.zeros_like(b), np.zeros_like(b)), [0.0, 0.0])


@pytest.mark.parametrize('loss', [reconstruction.pixel_loss, reconstruction.feature_loss])
def test_padding_changes_nothing(example, loss):
    a, b, mask = example

    def wide(x, value):
        return np.pad(x, [(0, 0), (0, 0), (0, 4), (0, 0)], constant_values=value)

    np.testing.assert_allclose(
        loss(wide(a, 9.0), wide(b, -3.0), mask=wide(mask, 0.0)), loss(a, b, mask=mask), rtol=1e-12
    )


@pytest.mark.parametrize('loss', [reconstruction.pixel_loss, reconstruction.feature_loss])
def test_gradient_of_the_images(example, loss):
    a, b, mask = example
    theory, numeric = tf.test.compute_gradient(
        lambda x: loss(x, tf.constant(b), mask=tf.constant(mask)), [tf.constant(a)]
    )
    np.testing.assert_allclose(theory[0], numeric[0], atol=1e-7)


def test_no_gradient_flows_into_the_target_features(example):
    a, b, mask = example
    features, targets = tf.Variable(a), tf.Variable(b)
    with tf.GradientTape() as tape:
        loss = reconstruction.feature_loss(features, targets, mask=mask)
    by_features, by_targets = tape.gradient(loss, [features, targets], unconnected_gradients='zero')
    assert np.abs(by_features).max() > 0.0
    np.testing.assert_array_equal(by_targets, np.zeros_like(b))


def test_kl_by_hand_and_against_an_integral():
    # N(1, e^0) from N(0, 1): half of mean^2. N(0, e^1): half of e - 1 - 1.
    loss = reconstruction.kl_loss(tf.constant([[1.0], [0.0], [0.0]]), tf.constant([[0.0], [1.0], [0.0]]))
    np.testing.assert_allclose(loss, [0.5, 0.5 * (math.e - 2.0), 0.0], atol=1e-6)
    rng = np.random.default_rng(3)
    mean, log_variance = rng.normal(size=(2, 4, 3))
    x = np.linspace(-30.0, 30.0, 200001)
    expected = np.zeros(4)
    for i in range(4):
        for j in range(3):
            m, v = mean[i, j], math.exp(log_variance[i, j])
            log_q = -0.5 * ((x - m) ** 2 / v + math.log(2.0 * math.pi * v))
            log_p = -0.5 * (x**2 + math.log(2.0 * math.pi))
            expected[i] += np.trapezoid(np.exp(log_q) * (log_q - log_p), x)
    np.testing.assert_allclose(reconstruction.kl_loss(mean, log_variance), expected, rtol=1e-6)


def test_divergence_from_a_distribution_whose_numbers_depend_on_one_another():
    """The formula of two normal distributions, with their covariances in full (float64)."""
    rng = np.random.default_rng(5)
    mean, log_variance, prior = rng.normal(size=(3, 4, 3))
    whitening = np.tril(rng.normal(size=(4, 3, 3)))
    whitening[:, range(3), range(3)] = np.exp(rng.normal(size=(4, 3)))
    expected = []
    for m, v, p, w in zip(mean, np.exp(log_variance), prior, whitening, strict=True):
        precision = w.T @ w
        log_ratio = -np.linalg.slogdet(precision)[1] - np.log(v).sum()
        off = m - p
        expected.append(0.5 * (np.trace(precision @ np.diag(v)) + off @ precision @ off - 3 + log_ratio))
    found = reconstruction.whitened_kl_loss(mean, log_variance, prior, whitening)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    standard = reconstruction.whitened_kl_loss(
        mean, log_variance, 0 * prior, np.broadcast_to(np.eye(3), [4, 3, 3])
    )
    np.testing.assert_allclose(standard, reconstruction.kl_loss(mean, log_variance), rtol=1e-9)


def test_kl_gradient():
    rng = np.random.default_rng(4)
    inputs = [tf.constant(x) for x in rng.normal(size=(2, 2, 3))]
    theory, numeric = tf.test.compute_gradient(reconstruction.kl_loss, inputs)
    for t, n in zip(theory, numeric):
        np.testing.assert_allclose(t, n, atol=1e-6)


def test_the_epsilon_of_features_is_a_millionth():
    """Targets of that size and features of 3 of them: 2 / (1 + 1)."""
    np.testing.assert_allclose(
        reconstruction.feature_loss(np.full([1, 2, 2, 1], 3e-6), np.full([1, 2, 2, 1], 1e-6)),
        [1.0],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        reconstruction.feature_loss(np.full([1, 2, 2, 1], 3.0), np.ones([1, 2, 2, 1]), epsilon=1.0), [1.0]
    )
