"""The recurrent guides, LSTMs over frames and attention over the plane: shapes, pinned sizes, masks,
gradients, against NumPy. That they learn: tests/training/test_gan.py.
"""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import linear, sigmoid, softmax, value

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

    def count(module):
        return sum(int(np.prod(v.shape)) for v in module.trainable_variables)

    # Two LSTMs of 4 states over 6 channels, 4 gates each; the classes.
    assert count(memory) == 2 * 4 * (6 * 4 + 4 * 4 + 4) + 9 * 11
    # Embedding; a unit of 8 states over 8 + 6 channels with 3 gates and two biases each; key, query, score;
    # the classes over state and sight.
    assert count(attention) == 7 * 8 + 3 * (14 * 8 + 8 * 8 + 2 * 8) + 7 * 8 + 9 * 8 + 9 + 15 * 7


def test_a_line_alone_equals_the_line_in_a_padded_batch(memory, attention, features):
    lengths = tf.constant([3, 1])
    for width in (24, 48):
        batch = np.pad(features, [(0, 0), (0, 0), (0, width - 24), (0, 0)], constant_values=0.4)
        frames, (logits, weights) = memory(batch, lengths=lengths), attention(batch, LABELS, lengths=lengths)
        for line, length in enumerate((3, 1)):
            alone = features[line : line + 1, :, : 8 * length]
            np.testing.assert_allclose(frames[line, : 8 * length], memory(alone)[0], atol=1e-5)
            expected = attention(alone, LABELS[line : line + 1])
            np.testing.assert_allclose(logits[line], expected[0][0], atol=1e-5)
            np.testing.assert_allclose(weights[line, :, :, : 8 * length], expected[1][0], atol=1e-5)
            assert not weights[line, :, :, 8 * length :].numpy().any()


def test_only_labels_before_are_known(attention, features):
    first, second = (
        attention(features, LABELS)[0],
        attention(features, np.array([[3, 5, 2], [4, 0, 0]], np.int32))[0],
    )
    np.testing.assert_array_equal(first[0, :2], second[0, :2])
    assert abs(first[0, 2] - second[0, 2]).numpy().max() > 1e-3


def test_a_recurrent_reader_sees_the_whole_line(memory, features):
    changed = features.copy()
    changed[:, :, -1] += 1.0
    assert (abs(memory(changed) - memory(features)).numpy().max(axis=(0, 2)) > 1e-7).all()


def test_every_variable_and_the_features_get_a_gradient(memory, attention, features):
    features = tf.constant(features)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        losses = (
            tf.reduce_sum(memory(features) ** 2),
            tf.reduce_sum(attention_loss(LABELS, attention(features, LABELS)[0])),
        )
    for module, loss in zip((memory, attention), losses):
        for gradient in tape.gradient(loss, [features, *module.trainable_variables]):
            gradient = tf.convert_to_tensor(gradient)
            assert np.isfinite(gradient).all() and gradient.numpy().any()


def test_graph_equals_eager(memory, attention, features):
    function = tf.function(lambda x, n: (memory(x, lengths=n), *attention(x, LABELS, lengths=n)))
    lengths = tf.constant([3, 1])
    for a, b in zip(
        function(features, lengths),
        (memory(features, lengths=lengths), *attention(features, LABELS, lengths=lengths)),
    ):
        np.testing.assert_allclose(a, b, atol=1e-5)


def gated(cell, state, x):
    """A gated recurrent unit (Cho et al. 2014) that resets after its recurrent product: update, reset,
    candidate stand side by side.
    """
    (from_x, from_state), units = value(cell.bias), cell.units
    a, b = x @ value(cell.kernel) + from_x, state @ value(cell.recurrent_kernel) + from_state
    update, reset = sigmoid(a[:units] + b[:units]), sigmoid(a[units : 2 * units] + b[units : 2 * units])
    return update * state + (1.0 - update) * np.tanh(a[2 * units :] + reset * b[2 * units :])


def test_attention_equals_numpy(attention, features):
    """One label after the other: where it looks from its state, the state from the label before and what
    it saw, the next label from both.
    """
    logits, looked = attention(features, LABELS)
    for line, labels in enumerate(LABELS):
        places = features[line].astype(np.float64).reshape(-1, 6)
        keys, state = linear(attention.key, places), np.zeros(8)
        for number, before in enumerate([0, *labels]):
            shares = softmax(linear(attention.score, np.tanh(keys + linear(attention.query, state)))[:, 0])
            seen = shares @ places
            state = gated(
                attention.cell, state, np.concatenate([value(attention.embed.embeddings)[before], seen])
            )
            np.testing.assert_allclose(looked[line, number], shares.reshape(8, 24), atol=1e-5)
            np.testing.assert_allclose(
                logits[line, number], linear(attention.classify, np.concatenate([state, seen])), atol=1e-4
            )
    looked = looked.numpy()
    assert np.abs(looked[0, 1] - looked[0, 2]).max() > 1e-3 and looked[0, 0].max() > 2.0 / 192, (
        'it looks somewhere, and elsewhere next'
    )


def test_attention_starts_with_labels_of_unit_variance():
    module = AttentionPerception(200, hidden=50)
    module.embed.build(None)
    assert np.std(module.embed.embeddings) == pytest.approx(1.0, abs=0.05)  # 10,000 draws


def long_short(cell, frames):
    """States of a long short-term memory (Hochreiter and Schmidhuber 1997) along frames: input, forget,
    candidate, output stand side by side.
    """
    state, memory, out = np.zeros(cell.units), np.zeros(cell.units), []
    for x in frames:
        into, forget, candidate, shown = np.split(
            x @ value(cell.kernel) + state @ value(cell.recurrent_kernel) + value(cell.bias), 4
        )
        memory = sigmoid(forget) * memory + sigmoid(into) * np.tanh(candidate)
        state = sigmoid(shown) * np.tanh(memory)
        out.append(state)
    return np.stack(out)


def test_memory_equals_numpy(memory, features):
    """The largest of each column, read from both sides."""
    found = memory(features)
    for line, x in enumerate(features.astype(np.float64).max(1)):
        there, back = (
            long_short(memory.frame_memory.forward_layer.cell, x),
            long_short(memory.frame_memory.backward_layer.cell, x[::-1])[::-1],
        )
        np.testing.assert_allclose(
            found[line], linear(memory.classify, np.concatenate([there, back], -1)), atol=1e-5
        )
