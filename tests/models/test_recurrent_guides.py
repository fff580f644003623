"""The recurrent guides, LSTMs over frames and attention over the plane: shapes, pinned sizes, masks, gradients, what they can learn."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from hwgen.losses.attention import attention_loss
from hwgen.models.attention_perception import AttentionPerception
from hwgen.models.sequence_recognition import SequenceRecognition

LABELS = np.array([[3, 1, 2], [4, 0, 0]], np.int32)


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(2, 8, 24, 6)).astype(np.float32)


@pytest.fixture
def memory(randomise, features):
    module = SequenceRecognition(11, hidden=8, recurrent=True)
    module(features)
    return randomise(module)


@pytest.fixture
def attention(randomise, features):
    module = AttentionPerception(7, hidden=8)
    module(features, LABELS)
    return randomise(module)


def test_shapes_and_pinned_sizes(memory, attention, features):
    assert memory(features).shape == (2, 24, 11)
    logits, weights = attention(features, LABELS)
    assert logits.shape == (2, 4, 7) and weights.shape == (2, 4, 8, 24)
    np.testing.assert_allclose(tf.reduce_sum(weights, [2, 3]), np.ones([2, 4]), rtol=1e-5)
    count = lambda module: sum(int(np.prod(v.shape)) for v in module.trainable_variables)
    # Two LSTMs of 4 states over 6 channels, 4 gates each; the classes.
    assert count(memory) == 2 * 4 * (6 * 4 + 4 * 4 + 4) + 9 * 11
    # Embedding; a unit of 8 states over 8 + 6 channels with 3 gates and two biases each; key, query, score; the classes over state and sight.
    assert count(attention) == 7 * 8 + 3 * (14 * 8 + 8 * 8 + 2 * 8) + 7 * 8 + 9 * 8 + 9 + 15 * 7


def test_a_line_alone_equals_the_line_in_a_padded_batch(memory, attention, features):
    lengths = tf.constant([3, 1])
    for width in (24, 48):
        batch = np.pad(features, [(0, 0), (0, 0), (0, width - 24), (0, 0)], constant_values=.4)
        frames, (logits, weights) = memory(batch, lengths=lengths), attention(batch, LABELS, lengths=lengths)
        for line, length in enumerate((3, 1)):
            alone = features[line:line + 1, :, :8 * length]
            np.testing.assert_allclose(frames[line, :8 * length], memory(alone)[0], atol=1e-5)
            expected = attention(alone, LABELS[line:line + 1])
            np.testing.assert_allclose(logits[line], expected[0][0], atol=1e-5)
            np.testing.assert_allclose(weights[line, :, :, :8 * length], expected[1][0], atol=1e-5)
            assert not weights[line, :, :, 8 * length:].numpy().any()


def test_only_labels_before_are_known(attention, features):
    first, second = attention(features, LABELS)[0], attention(features, np.array([[3, 5, 2], [4, 0, 0]], np.int32))[0]
    np.testing.assert_array_equal(first[0, :2], second[0, :2])
    assert abs(first[0, 2] - second[0, 2]).numpy().max() > 1e-3


def test_a_recurrent_reader_sees_the_whole_line(memory, features):
    changed = features.copy()
    changed[:, :, -1] += 1.
    assert (abs(memory(changed) - memory(features)).numpy().max(axis=(0, 2)) > 1e-7).all()


def test_every_variable_and_the_features_get_a_gradient(memory, attention, features):
    features = tf.constant(features)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        losses = tf.reduce_sum(memory(features) ** 2), tf.reduce_sum(attention_loss(LABELS, attention(features, LABELS)[0]))
    for module, loss in zip((memory, attention), losses):
        for gradient in tape.gradient(loss, [features, *module.trainable_variables]):
            gradient = tf.convert_to_tensor(gradient)
            assert np.isfinite(gradient).all() and gradient.numpy().any()


def test_graph_equals_eager(memory, attention, features):
    function = tf.function(lambda x, n: (memory(x, lengths=n), *attention(x, LABELS, lengths=n)))
    lengths = tf.constant([3, 1])
    for a, b in zip(function(features, lengths), (memory(features, lengths=lengths), *attention(features, LABELS, lengths=lengths))):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_attention_learns_where_a_label_stands():
    """Blobs of three kinds at random places: after training it reads them from left to right and looks at them."""
    rng, module, adam = np.random.default_rng(0), AttentionPerception(4, hidden=24), keras.optimizers.Adam(1e-2)

    def batch(size=16):
        x, labels, places = rng.normal(scale=.1, size=(size, 8, 16, 4)), rng.integers(1, 4, size=(size, 2)), rng.integers(8, size=(size, 2, 2))
        for line in range(size):
            for k in range(2):
                x[line, places[line, k, 0], 8 * k + places[line, k, 1], labels[line, k]] += 3.
                x[line, :, 8 * k:8 * k + 8, 0] = k
        return x.astype(np.float32), labels.astype(np.int32), places

    def step(x, labels):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(attention_loss(labels, module(x, labels)[0]))
        adam.apply(tape.gradient(loss, module.trainable_variables), module.trainable_variables)
    module(*batch()[:2])
    adam.build(module.trainable_variables)
    function = tf.function(step)
    for _ in range(250):
        function(*map(tf.constant, batch()[:2]))
    x, labels, places = batch()
    logits, weights = module(x, labels)
    assert (np.argmax(logits[:, :2], -1) == labels).mean() > .9 and (np.argmax(logits[:, 2], -1) == 0).all()
    looked = np.argmax(tf.reshape(weights[:, :2], [16, 2, -1]), -1)
    assert (looked == places[..., 0] * 16 + 8 * np.arange(2) + places[..., 1]).mean() > .8
