"""Pairing losses and penalties against NumPy, by hand, and by their gradients."""

import numpy as np
import tensorflow as tf

from hwgen.losses import relativistic


def test_worked_by_hand():
    real, fake = tf.reshape([0.0, 100.0, -3.0], [3, 1, 1, 1]), tf.reshape([0.0, -100.0, 97.0], [3, 1, 1, 1])
    np.testing.assert_allclose(
        relativistic.pairing_discriminator_loss(real, fake), [np.log(2.0), 0.0, 100.0], rtol=1e-6
    )
    np.testing.assert_allclose(
        relativistic.pairing_generator_loss(real, fake), [np.log(2.0), 200.0, 0.0], rtol=1e-6, atol=1e-30
    )


def test_equals_numpy():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(scale=3.0, size=(2, 5, 4, 6, 1))
    lengths = np.array([6, 1, 3, 5, 2])
    mask = (np.arange(6) < lengths[:, None])[:, None, :, None].astype(float)
    for function, difference in (
        (relativistic.pairing_discriminator_loss, fake - real),
        (relativistic.pairing_generator_loss, real - fake),
    ):
        patches = np.log1p(np.exp(difference))
        np.testing.assert_allclose(function(real, fake), patches.mean((1, 2, 3)), rtol=1e-12)
        np.testing.assert_allclose(
            function(real, fake, mask=mask), (patches * mask).sum((1, 2, 3)) / (4 * lengths), rtol=1e-12
        )


def test_what_both_share_cancels():
    rng = np.random.default_rng(1)
    real, fake, shared = rng.normal(size=(3, 2, 4, 4, 1))
    for function in (relativistic.pairing_discriminator_loss, relativistic.pairing_generator_loss):
        np.testing.assert_allclose(function(real + shared, fake + shared), function(real, fake), rtol=1e-9)


def test_gradients():
    rng = np.random.default_rng(2)
    real, fake = (tf.constant(rng.normal(size=[2, 2, 3, 1])) for _ in range(2))
    for function in (relativistic.pairing_discriminator_loss, relativistic.pairing_generator_loss):
        theory, numeric = tf.test.compute_gradient(function, [real, fake])
        for found, expected in zip(theory, numeric):
            np.testing.assert_allclose(found, expected, atol=1e-7)


def test_gradient_fades_where_the_generator_wins():
    real, fake = tf.zeros([1, 1, 3, 1]), tf.Variable(tf.reshape([-5.0, 0.0, 5.0], [1, 1, 3, 1]))
    with tf.GradientTape() as tape:
        loss = relativistic.pairing_generator_loss(real, fake)
    slopes = tape.gradient(loss, fake)[0, 0, :, 0].numpy() * 3.0
    np.testing.assert_allclose(slopes, [-1 / (1 + np.exp(-5.0)), -0.5, -1 / (1 + np.exp(5.0))], rtol=1e-5)


def test_penalty_of_a_linear_discriminator():
    # Scores w . patch of 2 x 2 patches: the gradient is w in each, so the penalty is |w|^2, however many.
    weights = np.array([[0.5, -1.0], [2.0, 0.25]])
    kernel = tf.constant(weights[:, :, None, None])
    for width in (4, 12):
        images = tf.constant(np.random.default_rng(3).normal(size=[3, 4, width, 1]))
        with tf.GradientTape() as tape:
            tape.watch(images)
            scores = tf.nn.conv2d(images, kernel, 2, 'VALID')
            total = tf.reduce_sum(scores)
        patches = np.full(3, scores.shape[1] * scores.shape[2], float)
        np.testing.assert_allclose(
            relativistic.zero_centred_penalty(tape.gradient(total, images), patches),
            np.full(3, (weights**2).sum()),
            rtol=1e-12,
        )


def test_penalty_teaches():
    """A gradient of a gradient: the penalty's own gradient on D's weights is that of numbers."""
    images = tf.constant(np.random.default_rng(4).normal(size=[2, 4, 4, 1]))

    def penalty(kernel):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(tf.nn.softplus(tf.nn.conv2d(images, kernel, 1, 'SAME')))
        return relativistic.zero_centred_penalty(tape.gradient(total, images), tf.fill([2], 16.0 + 0 * total))

    kernel = tf.constant(np.random.default_rng(5).normal(size=[3, 3, 1, 1]))
    theory, numeric = tf.test.compute_gradient(penalty, [kernel])
    np.testing.assert_allclose(theory[0], numeric[0], rtol=1e-5, atol=1e-7)
