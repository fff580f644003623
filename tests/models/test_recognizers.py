"""Trunk, SRM and SPM: shapes, pinned sizes, masks, gradients, frozen passes."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import convolve, halve, largest, linear, normalise, relu, sigmoid

from hwgen.models.recognizer_trunk import FRAMES, RecognizerTrunk
from hwgen.models.sequence_recognition import SequenceRecognition
from hwgen.models.spatial_perception import SpatialPerception


class Readers:
    """Trunk and both heads with random weights."""

    def __init__(self, randomise, char_px, char_width_px):
        self.char_px, self.char_width_px = char_px, char_width_px
        self.trunk = RecognizerTrunk(
            (8,) * (char_px.bit_length() - 2), char_px=char_px, char_width_px=char_width_px
        )
        self.sequence = SequenceRecognition(11, hidden=8)
        self.spatial = SpatialPerception(7, hidden=8)
        self.modules = self.trunk, self.sequence, self.spatial
        self(np.ones([1, char_px, char_width_px, 1], np.float32))
        for module in self.modules:
            randomise(module)

    def __call__(self, images, lengths=None, training=False):
        features = self.trunk(images, lengths=lengths, training=training)
        sequence = self.sequence(features[-1], lengths=lengths, training=training)
        return features, sequence, *self.spatial(features[-1], lengths=lengths, training=training)

    @property
    def variables(self):
        return [v for module in self.modules for v in module.variables]


@pytest.fixture
def make(randomise):
    return lambda char_px=16, char_width_px=None: Readers(randomise, char_px, char_width_px or char_px)


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 32), (32, 16), (64, 64)])
def test_shapes(make, lines_of_images, char_px, char_width_px):
    readers = make(char_px, char_width_px)
    for n in (1, 3):
        features, sequence, spatial, attention = readers(lines_of_images([n, n], char_px, char_width_px))
        assert features[0].shape == (2, char_px, n * char_width_px, 8)
        assert features[-1].shape == (2, 8, FRAMES * n, 8)
        assert sequence.shape == (2, FRAMES * n, 11) and sequence.dtype == tf.float32
        assert spatial.shape == (2, 4, 4 * n, 7) and spatial.dtype == tf.float32
        assert attention.shape == (2, 4, 4 * n, 1)
        assert (attention.numpy() > 0.0).all() and (attention.numpy() < 1.0).all()


def test_pinned_parameter_counts():
    """Trunk 64, 128, 256, 256, 512; heads of 256 channels for 1,126 and 1,040 labels (convolutions without
    bias).
    """
    trunk, sequence, spatial = (
        RecognizerTrunk((64, 128, 256, 256, 512), char_px=32, char_width_px=32),
        SequenceRecognition(1126, hidden=256),
        SpatialPerception(1040, hidden=256),
    )
    features = trunk(tf.ones([1, 32, 32, 1]))
    sequence(features[-1])
    spatial(features[-1])

    def count(module):
        return sum(int(np.prod(v.shape)) for v in module.trainable_variables)

    pairs = ((1, 64), (64, 128), (128, 256), (256, 256), (256, 512))
    assert count(trunk) == sum(9 * a * b + 2 * b for a, b in pairs) == 2_141_120
    assert count(sequence) == 5 * 512 * 256 + 2 * 256 + 257 * 1126 == 945_254
    assert count(spatial) == 9 * 512 * 256 + 2 * 256 + (49 * 2 + 1) + 257 * 1040 == 1_447_539


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 16)])
def test_line_alone_equals_line_in_a_padded_batch(make, lines_of_images, char_px, char_width_px):
    readers, lengths = make(char_px, char_width_px), [4, 1, 3]
    images = lines_of_images(lengths, char_px, char_width_px)
    wide = np.pad(images, [(0, 0), (0, 0), (0, 4 * char_width_px), (0, 0)], constant_values=-0.3)
    for batch in (images, wide):
        features, sequence, spatial, attention = readers(batch, lengths=tf.constant(lengths))
        for line, length in enumerate(lengths):
            alone = readers(images[line : line + 1, :, : length * char_width_px])
            for found, expected in zip(features, alone[0]):
                np.testing.assert_allclose(found[line, :, : expected.shape[2]], expected[0], atol=1e-5)
                assert not found[line, :, expected.shape[2] :].numpy().any()
            np.testing.assert_allclose(sequence[line, : FRAMES * length], alone[1][0], atol=1e-5)
            np.testing.assert_allclose(spatial[line, :, : 4 * length], alone[2][0], atol=1e-5)
            np.testing.assert_allclose(attention[line, :, : 4 * length], alone[3][0], atol=1e-5)


def test_doubled_padding_changes_nothing_while_training(make, lines_of_images):
    results, lengths = [], tf.constant([3, 1])
    for n in (3, 6):
        readers = make()
        _, sequence, spatial, _ = readers(
            lines_of_images([3, 1], 16, 16, num_characters=n), lengths=lengths, training=True
        )
        results.append(
            (sequence[0, :24], sequence[1, :8], spatial[0, :, :12], spatial[1, :, :4], *readers.variables)
        )
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)  # statistics are summed in another order


@pytest.mark.parametrize('training', [False, True])
def test_no_lengths_equals_full_lengths(make, lines_of_images, training):
    results = []
    for lengths in (None, tf.constant([3, 3])):
        readers = make()
        _, *out = readers(lines_of_images([3, 3], 16, 16), lengths=lengths, training=training)
        results.append((*out, *readers.variables))
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)  # the fused kernel sums in another order


def test_every_variable_gets_a_gradient(make, lines_of_images):
    readers = make(32)
    variables = [v for module in readers.modules for v in module.trainable_variables]
    rng = np.random.default_rng(0)
    for training in (True, False):
        with tf.GradientTape() as tape:
            _, sequence, spatial, _ = readers(lines_of_images([3, 2], 32, 32), training=training)
            loss = tf.reduce_sum(sequence * rng.normal(size=sequence.shape)) + tf.reduce_sum(
                spatial * rng.normal(size=spatial.shape)
            )
        for variable, gradient in zip(variables, tape.gradient(loss, variables)):
            assert gradient is not None and np.isfinite(gradient).all() and gradient.numpy().any(), (
                variable.path
            )


def test_a_pass_without_training_moves_nothing(make, lines_of_images):
    readers, images = make(), lines_of_images([2, 2], 16, 16)
    before = [v.numpy() for v in readers.variables]
    readers(images)
    for a, b in zip(before, readers.variables):
        np.testing.assert_array_equal(a, b)
    readers(images, training=True)
    moved = {v.path.rsplit('/', 1)[-1] for a, v in zip(before, readers.variables) if (a != v.numpy()).any()}
    assert moved == {'moving_mean', 'moving_variance'}


def test_graph_equals_eager(make, lines_of_images):
    readers = make()
    images, lengths = tf.constant(lines_of_images([3, 1], 16, 16)), tf.constant([3, 1])
    function = tf.function(lambda x, n: readers(x, lengths=n)[1:])
    for a, b in zip(function(images, lengths), readers(images, lengths=lengths)[1:]):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_too_few_channels():
    with pytest.raises(ValueError, match=r'channels \(8, 8\): char_px=32 needs more than 2 numbers'):
        RecognizerTrunk((8, 8), char_px=32, char_width_px=32)


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 16)])
def test_readers_equal_numpy(make, lines_of_images, char_px, char_width_px):
    """Trunk: the largest of 2 x 2, once eight columns a character are reached of 2 x 1.

    SRM: the largest of each column, a convolution along them. SPM: half the
    map, a convolution, and the attention of mean and maximum on what is classified."""
    readers = make(char_px, char_width_px)
    images = lines_of_images([3, 3], char_px, char_width_px)
    features, sequence, spatial, attention = readers(images)
    for line, image in enumerate(images.astype(np.float64)):
        x = 1.0 - image
        for found, convolution, norm in zip(
            features, readers.trunk.convolutions, readers.trunk.norms, strict=True
        ):
            x = relu(normalise(norm, convolve(convolution, x)))
            np.testing.assert_allclose(found[line], x, atol=1e-4)
            if x.shape[0] > 8:
                last, x = x, largest(x, 2, 2 if x.shape[1] > 24 else 1)
        assert x.shape[:2] == (8, 24) and last.shape[0] == 16
        frames = relu(
            normalise(
                readers.sequence.frame_norm, convolve(readers.sequence.frame_conv, x.max(0, keepdims=True))
            )
        )[0]
        np.testing.assert_allclose(sequence[line], linear(readers.sequence.classify, frames), atol=1e-4)
        x = relu(normalise(readers.spatial.norm, convolve(readers.spatial.conv, halve(x))))
        seen = sigmoid(convolve(readers.spatial.attention, np.stack([x.mean(-1), x.max(-1)], -1)))
        np.testing.assert_allclose(attention[line], seen, atol=1e-5)
        np.testing.assert_allclose(spatial[line], linear(readers.spatial.classify, x * seen), atol=1e-4)


def test_the_first_maps_alone(make, lines_of_images):
    """As they are among all, without what lies behind them."""
    trunk, images = make(32).trunk, lines_of_images([2, 2], 32, 32)
    whole = trunk(images)
    for depth in (1, 2, 4):
        found = trunk(images, depth=depth)
        assert len(found) == depth
        for a, b in zip(found, whole):
            np.testing.assert_array_equal(a, b)
