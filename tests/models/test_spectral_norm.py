"""Spectral normalisation: against an SVD, one step of power iteration against NumPy, its gradient against
differences.
"""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.models import layers


@pytest.mark.parametrize('shape', [(3, 3, 4, 8), (1, 1, 9, 5), (6, 7)])
def test_spectral_norm_equals_the_largest_singular_value(shape):
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=shape).astype(np.float32)
    u = tf.Variable(rng.normal(size=(1, shape[-1])).astype(np.float32))
    for _ in range(200):
        normal = layers.spectral_norm(tf.constant(kernel), u, training=True)
    sigma = np.linalg.svd(kernel.reshape(-1, shape[-1]), compute_uv=False)[0]
    np.testing.assert_allclose(normal, kernel / sigma, rtol=1e-4, atol=1e-6)
    frozen = layers.spectral_norm(tf.constant(kernel), u, training=False)
    np.testing.assert_allclose(frozen, normal, rtol=1e-4, atol=1e-6)


def test_one_power_iteration_equals_numpy():
    rng = np.random.default_rng(2)
    kernel, u0 = rng.normal(size=(6, 4)), rng.normal(size=(1, 4))
    v = u0 @ kernel.T
    v /= np.linalg.norm(v)
    u = v @ kernel
    u /= np.linalg.norm(u)
    sigma = (v @ kernel @ u.T).item()
    variable = tf.Variable(u0)
    np.testing.assert_allclose(
        layers.spectral_norm(tf.constant(kernel), variable, training=False), kernel / sigma, rtol=1e-9
    )
    np.testing.assert_array_equal(variable, u0)  # reading moves nothing
    np.testing.assert_allclose(
        layers.spectral_norm(tf.constant(kernel), variable, training=True), kernel / sigma, rtol=1e-9
    )
    np.testing.assert_allclose(variable, u, rtol=1e-9)


def test_gradient_flows_through_sigma():
    """At the true singular vectors the gradient is that of W / sigma(W): the reparametrised form, not a
    projection.
    """
    rng = np.random.default_rng(3)
    kernel, weights = rng.normal(size=(2, 6, 4))
    left, _, right = np.linalg.svd(kernel)
    u = tf.constant(right[:1])
    variable = tf.Variable(kernel)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(
            layers.spectral_norm(tf.convert_to_tensor(variable), u, training=False) * weights
        )
    gradient = tape.gradient(loss, variable).numpy()
    numeric = np.zeros_like(kernel)

    def value(k):
        return (k / np.linalg.svd(k, compute_uv=False)[0] * weights).sum()

    for index in np.ndindex(*kernel.shape):
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        numeric[index] = (value(kernel + step) - value(kernel - step)) / 2e-6
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)
    # W / sigma does not depend on the size of W, so the gradient stands at right angles to W; a projection's
    # does not.
    assert abs((gradient * kernel).sum()) < 1e-9


def test_singular_vectors_are_constants_to_the_gradient():
    """Far from the true ones, where it counts: u and v follow the weights in value, but nothing flows
    through them.
    """
    rng = np.random.default_rng(7)
    kernel, weights, u0 = rng.normal(size=(6, 4)), rng.normal(size=(6, 4)), rng.normal(size=(1, 4))
    v = u0 @ kernel.T
    v /= np.linalg.norm(v)
    u = v @ kernel
    u /= np.linalg.norm(u)
    assert (v @ kernel @ u.T).item() < 0.9 * np.linalg.svd(kernel, compute_uv=False)[0]
    variable = tf.Variable(kernel)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(
            layers.spectral_norm(tf.convert_to_tensor(variable), tf.constant(u0), training=False) * weights
        )
    numeric = np.zeros_like(kernel)

    def value(k):
        return (k / (v @ k @ u.T) * weights).sum()

    for index in np.ndindex(*kernel.shape):
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        numeric[index] = (value(kernel + step) - value(kernel - step)) / 2e-6
    np.testing.assert_allclose(tape.gradient(loss, variable), numeric, atol=1e-7)


@pytest.mark.parametrize(
    'make', [lambda: layers.Conv2D(5, spectral=True), lambda: layers.Dense(5, spectral=True)]
)
def test_only_training_moves_the_spectral_vector(make):
    layer = make()
    x = tf.random.stateless_normal([2, 4, 4, 3], [0, 0])
    layer(x)
    before = layer.u.numpy()
    layer(x, training=False)
    np.testing.assert_array_equal(layer.u, before)
    layer(x, training=True)
    assert np.abs(layer.u - before).max() > 0.0
    assert np.linalg.norm(layer.u) == pytest.approx(1.0, abs=1e-6)
    assert layer.u.path not in {variable.path for variable in layer.trainable_variables}
