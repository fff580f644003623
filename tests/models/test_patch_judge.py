"""The judge of pairs: shapes, pinned size, against NumPy, masks, gradients, what it is built with."""

import json

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import convolve, halve, value

from hwgen.models.patch_judge import PatchBlock, PatchJudge


@pytest.fixture
def make(randomise):
    def build(channels=(4, 6, 8), *, char_px=16, char_width_px=None):
        width = char_width_px or char_px
        module = PatchJudge(channels, char_px=char_px, char_width_px=width)
        module(tf.ones([1, char_px, width, 1]))
        return randomise(module)  # gains too: at 0, where they start, the blocks see nothing

    return build


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 32), (32, 16), (64, 64)])
@pytest.mark.parametrize('channels, patch_px', [((4,), 1), ((4, 6), 2), ((4, 6, 8, 8), 8)])
def test_one_score_a_patch(make, lines_of_images, char_px, char_width_px, channels, patch_px):
    module = make(channels, char_px=char_px, char_width_px=char_width_px)
    scores = module(lines_of_images([3, 3], char_px, char_width_px))
    assert scores.shape == (2, char_px // patch_px, 3 * char_width_px // patch_px, 1)
    assert module.patch_px == patch_px and scores.dtype == tf.float32


def test_pinned_parameter_count():
    """As in docs/results/recipe.md, "Pairs": 1.07 M."""
    module = PatchJudge((32, 64, 128, 192), char_px=64, char_width_px=64)
    module(tf.ones([1, 64, 64, 1]))

    # From a to b channels: 1 x 1 a b + b, then two of 3 x 3 b b + b and a gain.
    def resolution(a, b):
        return a * b + b + 2 * (9 * b * b + b) + 1

    expected = 9 * 32 + 32 + resolution(32, 64) + resolution(64, 128) + resolution(128, 192) + 193
    assert module.count_params() == expected == 1_068_676


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def test_equals_numpy(make, lines_of_images):
    module = make()
    image = np.asarray(lines_of_images([2], 16, 16))
    x = leaky(convolve(module.first, 1.0 - image[0].astype(np.float64)))
    for wider, block in zip(module.wider, module.blocks, strict=True):
        x = convolve(wider, halve(x))
        x = x + value(block.gain) * convolve(block.conv_2, leaky(convolve(block.conv_1, leaky(x))))
    expected = convolve(module.score, leaky(x))
    np.testing.assert_allclose(module(image)[0], expected, rtol=1e-4, atol=1e-4)


def test_a_block_begins_as_nothing():
    block, x = PatchBlock(3), tf.constant(np.random.default_rng(0).normal(size=[2, 4, 6, 3]), tf.float32)
    np.testing.assert_array_equal(block(x, valid=None), x)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(block(x) ** 2)
    assert float(tape.gradient(total, block.gain)) != 0.0


@pytest.mark.parametrize('char_width_px', [16, 8])
def test_padding_does_not_reach_it(make, char_width_px):
    judge = make(char_width_px=char_width_px)
    rng, w = np.random.default_rng(1), char_width_px
    line = rng.uniform(-1, 1, (1, 16, 2 * w, 1)).astype(np.float32)
    padded = np.pad(line, [(0, 0), (0, 0), (0, 3 * w), (0, 0)], constant_values=-1.0)  # even black
    alone, among = judge(line, tf.constant([2])), judge(padded, tf.constant([2]))
    np.testing.assert_allclose(among[:, :, : 2 * w // 4], alone, atol=1e-5)
    np.testing.assert_allclose(judge(line), alone, atol=1e-6)
    expected = [1] * (2 * w // 4) + [0] * (3 * w // 4)
    np.testing.assert_array_equal(judge.mask(padded, tf.constant([2]))[0, 0, :, 0], expected)
    assert judge.mask(padded, None) is None


def test_every_variable_gets_a_gradient(make, lines_of_images):
    module, images = make(), lines_of_images([2, 1], 16, 16)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(module(images, tf.constant([2, 1])) ** 2)
    gradients = tape.gradient(total, module.trainable_variables)
    for variable, gradient in zip(module.trainable_variables, gradients, strict=True):
        assert np.isfinite(gradient).all() and np.any(gradient), variable.path


@pytest.mark.parametrize('channels, char_width_px', [((), 16), ((4, 4, 4, 4, 4), 8), ((4,) * 6, 16)], ids=str)
def test_patches_must_divide_a_character(channels, char_width_px):
    with pytest.raises(ValueError, match='judge_channels .* expected fewer numbers, at least 1'):
        PatchJudge(channels, char_px=16, char_width_px=char_width_px)


def test_it_is_built_again_from_its_config(make, lines_of_images):
    first, images = make(), lines_of_images([2, 1], 16, 16)
    second = PatchJudge.from_config(json.loads(json.dumps(first.get_config())))
    second(images)
    second.set_weights(first.get_weights())
    assert second.name == first.name
    np.testing.assert_array_equal(first(images), second(images))
    block = PatchBlock.from_config(first.blocks[0].get_config())
    assert block.filters == 6 and block.name == 'block_1'
