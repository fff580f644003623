"""The averaged generator: the law of its mean by hand, and statistics of equal weight, with modules of a
few numbers.
"""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from hwgen.models import layers
from hwgen.training import averaging


def holder(*values):
    return types.SimpleNamespace(variables=[tf.Variable(np.float32(value)) for value in values])


def test_the_average_forgets_its_start_and_then_is_slow():
    """decay n / (n + 9), bounded: after n moves towards 1 from 0 the rest is the product of the decays."""
    average, generator, updates, left = (
        holder(0.0, [8.0, -4.0]),
        holder(1.0, [0.0, 0.0]),
        tf.Variable(0, dtype=tf.int64),
        1.0,
    )
    for n in range(1, 7):
        averaging.move_average(average, generator, updates=updates, decay=0.35)
        left *= min(0.35, n / (n + 9.0))  # .1, 2/11, .25, 4/13, .35 from the fifth on
        assert float(average.variables[0]) == pytest.approx(1.0 - left, rel=1e-6) and int(updates) == n
        np.testing.assert_allclose(average.variables[1], [8.0 * left, -4.0 * left], rtol=1e-6)
    assert left == pytest.approx(0.1 * 2 / 11 * 0.25 * 4 / 13 * 0.35 * 0.35)
    np.testing.assert_array_equal(generator.variables[1], [0.0, 0.0])


def test_statistics_are_a_running_mean_and_every_momentum_comes_back():
    norms = [layers.BatchNormalization(momentum=0.9), layers.BatchNormalization(momentum=0.4)]
    module = keras.Sequential(norms)
    module(np.zeros([1, 1, 1, 2], np.float32))
    for norm in norms:
        norm.moving_mean.assign([70.0, 70.0])
        norm.moving_variance.assign([70.0, 70.0])
    batches = (
        np.random.default_rng(0).normal(size=(4, 3, 2, 5, 2)).astype(np.float32)
        * np.float32([1.0, 2.0, 4.0, 8.0])[:, None, None, None, None]
    )
    averaging.recompute_statistics(
        module, [lambda batch=batch: norms[0](batch, training=True) for batch in batches]
    )
    np.testing.assert_allclose(norms[0].moving_mean, batches.mean((0, 1, 2, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(norms[0].moving_variance, batches.var((1, 2, 3)).mean(0), rtol=1e-5)
    np.testing.assert_array_equal(norms[1].moving_mean, [70.0, 70.0])  # it was not passed
    assert [float(norm.momentum) for norm in norms] == pytest.approx([0.9, 0.4])
