"""Cross-entropy of labels and end against NumPy, padding, gradients."""

import numpy as np
import scipy.special
import tensorflow as tf

from hwgen.losses.attention import attention_loss


def test_against_numpy_and_by_hand():
    rng = np.random.default_rng(0)
    labels, logits = (
        np.array([[3, 1, 2], [2, 0, 0], [0, 0, 0]], np.int32),
        rng.normal(size=(3, 4, 5)).astype(np.float32),
    )
    expected = []
    for row, scores in zip(labels, logits):
        row = [*row[row > 0], 0]
        expected.append(
            np.mean([scipy.special.logsumexp(s.astype(float)) - s[label] for s, label in zip(scores, row)])
        )
    np.testing.assert_allclose(attention_loss(labels, logits), expected, rtol=1e-5)
    # Two classes, logits (0, ln 3): the label 1 has probability 3/4 and the end 1/4; (ln 4/3 + ln 4) / 2.
    found = attention_loss(np.array([[1]], np.int32), np.log([[[1.0, 3.0], [1.0, 3.0]]]).astype(np.float32))
    np.testing.assert_allclose(found, [(np.log(4 / 3) + np.log(4)) / 2], rtol=1e-6)


def test_doubled_padding_changes_nothing():
    rng = np.random.default_rng(1)
    labels, logits = np.array([[3, 1], [2, 0]], np.int32), rng.normal(size=(2, 3, 5)).astype(np.float32)
    padded = attention_loss(
        np.pad(labels, [(0, 0), (0, 4)]),
        np.concatenate([logits, rng.normal(size=(2, 4, 5)).astype(np.float32)], axis=1),
    )
    np.testing.assert_allclose(padded, attention_loss(labels, logits), rtol=1e-6)


def test_gradient():
    labels, logits = (
        tf.constant([[3, 1], [2, 0]]),
        tf.constant(np.random.default_rng(2).normal(size=(2, 3, 5))),
    )
    analytic, numeric = tf.test.compute_gradient(lambda x: attention_loss(labels, x), [logits])
    np.testing.assert_allclose(analytic[0], numeric[0], atol=1e-7)
