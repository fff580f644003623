"""Ink that varies, and how much of it there is."""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.training.steps import ink


def test_ink_varies_and_paper_stays():
    rng = np.random.default_rng(0)
    images, numbers = rng.uniform(-1, 1, (3, 4, 8, 1)), rng.uniform(-1, 1, (3, 2))
    images[:, :, 5:] = 1.0
    dark = (1 - images) / 2
    strength, contrast = (0.2 * numbers).T[:, :, None, None, None]
    expected = 1 - 2 * (1 + strength) * dark * (1 + contrast * (1 - dark))
    varied = ink.vary_ink(tf.constant(images), tf.constant(numbers), reach=0.2)
    np.testing.assert_allclose(varied, expected, rtol=1e-12)
    assert (varied.numpy()[:, :, 5:] == 1.0).all()
    # more ink stays more ink: the change has no turning point
    grey = tf.reshape(tf.linspace(-1.0, 1.0, 50), [1, 1, 50, 1])
    for corner in ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)):
        assert (np.diff(ink.vary_ink(grey, tf.constant([corner]), reach=0.5)[0, 0, :, 0]) > 0).all()


def test_ink_worked_by_hand():
    # Half of ink, a tenth more of it and no contrast: 0.55, which is 1 - 2 * 0.55; full contrast adds half.
    grey = tf.zeros([2, 1, 1, 1])
    np.testing.assert_allclose(
        ink.vary_ink(grey, tf.constant([[0.2, 0.0], [0.0, 1.0]]), reach=0.5)[:, 0, 0, 0],
        [-0.1, 1 - 2 * 0.5 * 1.25],
        rtol=1e-6,
    )


def test_mean_ink_is_that_of_the_valid_columns():
    images = tf.constant([[[1.0, -1.0, 0.0, -1.0]], [[1.0, 1.0, 1.0, 0.0]]])[..., tf.newaxis]
    assert ink.mean_ink(images, None).numpy() == pytest.approx([0.625, 0.125])
    mask = tf.reshape([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]], [2, 1, 4, 1])
    assert ink.mean_ink(images, mask).numpy() == pytest.approx([0.5, 0.0])
