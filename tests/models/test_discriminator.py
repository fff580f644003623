"""Discriminator: shapes, pinned size, masks, gradients, frozen passes."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import convolve, halve, linear, relu

from hwgen.models.discriminator import Discriminator


@pytest.fixture
def make(randomise):
    def build(*, char_px=16, char_width_px=None, pool='sum', **options):
        width = char_width_px or char_px
        module = Discriminator(
            (8,) * (char_px.bit_length() - 2), char_px=char_px, char_width_px=width, pool=pool, **options
        )
        module(tf.ones([1, char_px, width, 1]))
        return randomise(module)

    return build


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 32), (32, 16), (64, 64)])
@pytest.mark.parametrize('pool', ['sum', 'mean'])
def test_one_score_a_line(make, lines_of_images, char_px, char_width_px, pool):
    module = make(char_px=char_px, char_width_px=char_width_px, pool=pool)
    for n in (1, 3):
        scores = module(lines_of_images([n, n], char_px, char_width_px))
        assert scores.shape == (2,) and scores.dtype == tf.float32
        assert scores[0] != scores[1]


def test_pools_differ_by_the_number_of_positions(make, lines_of_images):
    images = lines_of_images([2, 2], 32, 16)  # 4 rows, 2 columns a character
    total, mean = (make(char_px=32, char_width_px=16, pool=pool) for pool in ('sum', 'mean'))
    bias = total.score.bias.numpy()
    np.testing.assert_allclose((total(images) - bias) / 8.0, mean(images) - bias, rtol=1e-5)


def test_pinned_parameter_count():
    """64, 128, 256, 512 channels at 32 px: 4,857,793 weights (SAGAN's shape at the paper's size)."""
    module = Discriminator((64, 128, 256, 512), char_px=32, char_width_px=32, pool='sum')
    module(tf.ones([1, 32, 32, 1]))

    # A block from a to b channels: 3 x 3 (a b + b b) + a b + 3 b. Then 512 + 1.
    def block(a, b):
        return 9 * (a * b + b * b) + a * b + 3 * b

    expected = block(1, 64) + block(64, 128) + block(128, 256) + block(256, 512) + 513
    assert sum(int(np.prod(v.shape)) for v in module.trainable_variables) == expected == 4_857_793


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 16)])
@pytest.mark.parametrize('pool', ['sum', 'mean'])
def test_line_alone_equals_line_in_a_padded_batch(make, lines_of_images, char_px, char_width_px, pool):
    module, lengths = make(char_px=char_px, char_width_px=char_width_px, pool=pool), [4, 1, 3]
    images = lines_of_images(lengths, char_px, char_width_px)
    alone = [
        float(module(image[None, :, : length * char_width_px])[0]) for image, length in zip(images, lengths)
    ]
    np.testing.assert_allclose(module(images, lengths=tf.constant(lengths)), alone, atol=1e-5)
    # not even paper
    wide = np.pad(images, [(0, 0), (0, 0), (0, 4 * char_width_px), (0, 0)], constant_values=-0.3)
    np.testing.assert_allclose(module(wide, lengths=tf.constant(lengths)), alone, atol=1e-5)
    full = lines_of_images([3, 3], char_px, char_width_px)
    np.testing.assert_allclose(module(full, lengths=tf.constant([3, 3])), module(full), atol=1e-6)


@pytest.mark.parametrize('char_width_px, lengths', [(16, [1.25, 3.0, 0.5]), (8, [1.5, 3.0, 0.5])])
def test_a_line_may_end_within_a_cell(make, lines_of_images, char_width_px, lengths):
    """At a column of the last map, 4 px here; what stands beyond it changes nothing.

    Whole cells are as in int32.
    """
    module = make(char_px=16, char_width_px=char_width_px)
    images = lines_of_images([3, 3, 3], 16, char_width_px)
    beyond = np.arange(3 * char_width_px) >= np.array(lengths)[:, None] * char_width_px
    other = np.where(beyond[:, None, :, None], np.float32(-0.3), images)
    wide = np.pad(other, [(0, 0), (0, 0), (0, 3 * char_width_px), (0, 0)], constant_values=0.7)
    scores = module(images, lengths=tf.constant(lengths))
    assert (np.abs(module(images) - scores)[::2] > 1e-3).all(), 'what was cut off counted'
    for padded in (other, wide):
        np.testing.assert_allclose(module(padded, lengths=tf.constant(lengths)), scores, atol=1e-5)
    np.testing.assert_array_equal(
        module(images, lengths=tf.constant([3.0, 2.0, 1.0])), module(images, lengths=tf.constant([3, 2, 1]))
    )


def test_every_variable_and_the_image_get_a_gradient(make, lines_of_images):
    module = make(char_px=32)
    images = tf.Variable(lines_of_images([3, 2], 32, 32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(
            module(tf.convert_to_tensor(images), lengths=tf.constant([3, 2]), training=True) * [1.0, -2.0]
        )
    gradients = tape.gradient(loss, [images, *module.trainable_variables])
    for variable, gradient in zip([images, *module.trainable_variables], gradients):
        assert gradient is not None and np.isfinite(gradient).all() and gradient.numpy().any(), variable
    assert not gradients[0][1, :, 64:].numpy().any()  # none on padding


def test_score_per_character_does_not_grow_with_length(make):
    """The mean over characters: a line repeated scores the same in its middle parts, whatever its length."""
    module = make(char_px=16)
    image = np.random.default_rng(0).uniform(-1.0, 1.0, size=(1, 16, 16, 1)).astype(np.float32)
    scores = [float(module(np.tile(image, [1, 1, n, 1]))[0]) for n in (4, 8, 16, 32)]
    steps = np.abs(np.diff(scores))
    assert (
        steps[1] < 0.6 * steps[0] + 1e-4 and steps[2] < 0.6 * steps[1] + 1e-4
    )  # only the ends' share halves


def test_only_training_moves_the_spectral_vectors(make, lines_of_images, numpy_values):
    module, images = make(), lines_of_images([2, 2], 16, 16)
    before = numpy_values(module)
    module(images, training=False)
    for a, b in zip(before, numpy_values(module)):
        np.testing.assert_array_equal(a, b)
    module(images, training=True)
    moved = [v.path.rsplit('/', 1)[-1] for a, v in zip(before, module.variables) if (a != v.numpy()).any()]
    assert moved == ['u'] * 10  # three blocks of three convolutions, and the score


def test_graph_equals_eager(make, lines_of_images):
    module = make()
    images, lengths = tf.constant(lines_of_images([3, 1], 16, 16)), tf.constant([3, 1])
    function = tf.function(lambda x, n: module(x, lengths=n))
    np.testing.assert_allclose(function(images, lengths), module(images, lengths=lengths), atol=1e-5)


def test_impossible_sizes():
    with pytest.raises(ValueError, match=r'channels \(8, 8\): char_px=32 needs 4 numbers'):
        Discriminator((8, 8), char_px=32, char_width_px=32, pool='sum')
    with pytest.raises(ValueError, match="pool 'max': expected sum or mean"):
        Discriminator((8, 8, 8, 8), char_px=32, char_width_px=32, pool='max')


@pytest.mark.parametrize('char_px, char_width_px, pool', [(16, 16, 'sum'), (32, 16, 'mean')])
def test_scores_equal_numpy(make, lines_of_images, char_px, char_width_px, pool):
    """Residual blocks that halve, all but the last; their features summed over a character's places (or
    averaged), over the line averaged.
    """
    module, n = make(char_px=char_px, char_width_px=char_width_px, pool=pool), 3
    images, expected = lines_of_images([n, n], char_px, char_width_px), []
    for image in images.astype(np.float64):
        x = 1.0 - image
        for i, block in enumerate(module.blocks):
            h = convolve(block.conv_2, relu(convolve(block.conv_1, relu(x) if i else x)))
            x = convolve(block.skip, x) + h
            x = halve(x) if i < len(module.blocks) - 1 else x
        pooled = relu(x).sum((0, 1)) / n / (1 if pool == 'sum' else 4 * 4 * char_width_px / char_px)
        expected.append(linear(module.score, pooled)[0])
    assert expected[0] != pytest.approx(expected[1], rel=1e-2)
    np.testing.assert_allclose(module(images), expected, rtol=1e-3, atol=1e-4)
