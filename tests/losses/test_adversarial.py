"""Hinge losses by hand and by their gradients."""

import numpy as np
import tensorflow as tf

from hwgen.losses import adversarial


def test_worked_by_hand():
    # max(0, 1 - D(x)) + max(0, 1 + D(G(z))): (2, -2) costs nothing, (0, 0) costs 1 + 1, (-1, .5) costs 2 +
    # 1.5.
    loss = adversarial.hinge_discriminator_loss(tf.constant([2.0, 0.0, -1.0]), tf.constant([-2.0, 0.0, 0.5]))
    np.testing.assert_allclose(loss, [0.0, 2.0, 3.5])
    np.testing.assert_allclose(
        adversarial.hinge_generator_loss(tf.constant([2.0, 0.0, -1.0])), [-2.0, 0.0, 1.0]
    )


def test_equals_numpy():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(scale=2.0, size=(2, 50))
    expected = np.maximum(0.0, 1.0 - real) + np.maximum(0.0, 1.0 + fake)
    np.testing.assert_allclose(adversarial.hinge_discriminator_loss(real, fake), expected, rtol=1e-12)


def test_gradients():
    scores = tf.constant([-2.3, -0.4, 0.7, 1.9], tf.float64)  # away from the kinks at 1 and -1
    other = tf.zeros([4], tf.float64)
    for function in (
        lambda x: adversarial.hinge_discriminator_loss(x, other),
        lambda x: adversarial.hinge_discriminator_loss(other, x),
        adversarial.hinge_generator_loss,
    ):
        theory, numeric = tf.test.compute_gradient(function, [scores])
        np.testing.assert_allclose(theory[0], numeric[0], atol=1e-7)


def test_no_gradient_beyond_the_margin():
    real, fake = tf.Variable([1.5, 0.5]), tf.Variable([-1.5, -0.5])
    with tf.GradientTape() as tape:
        loss = adversarial.hinge_discriminator_loss(real, fake)
    by_real, by_fake = tape.gradient(loss, [real, fake])
    np.testing.assert_array_equal(by_real, [0.0, -1.0])
    np.testing.assert_array_equal(by_fake, [0.0, 1.0])
