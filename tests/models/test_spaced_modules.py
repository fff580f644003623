"""What learns the room of characters: the head against NumPy, what each number may see, a style encoder that
reads beside the text.
"""

import numpy as np
import pytest
import tensorflow as tf
from small_generator import make_small_generator

from hwgen.characters import Characters
from hwgen.losses.reconstruction import spacing_loss
from hwgen.models.spacing import Spacing
from hwgen.models.style_encoder import StyleEncoder

F, Z, D = 5, 3, 2


@pytest.fixture
def head(randomise):
    module = Spacing(4)
    module(tf.ones([1, 2, F]), tf.ones([1, Z]), tf.ones([1, 2, D]))
    return randomise(module)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_head_by_numpy(head):
    """A hidden layer of each character, one of it beside its neighbours, style and noise."""
    described, style, noise = numbers(2, 3, F), numbers(2, Z, seed=1), numbers(2, 3, D, seed=2)

    def dense(layer, x):
        return x @ layer.kernel.numpy() + layer.bias.numpy()

    own = np.maximum(dense(head.character, described), 0)
    zeros = np.zeros_like(own[:, :1])
    before, after = np.concatenate([zeros, own[:, :-1]], 1), np.concatenate([own[:, 1:], zeros], 1)
    together = np.concatenate([own, before, after, np.repeat(style[:, None], 3, 1), noise], -1)
    expected = dense(head.advance, np.maximum(dense(head.together, together), 0))[..., 0] + np.log(0.85)
    expected = np.clip(expected, np.log(0.05), np.log(3.0))
    np.testing.assert_allclose(head(described, style, noise), expected, atol=1e-5)


def test_padding_changes_no_advance(head):
    described, style, noise = numbers(1, 5, F), numbers(1, Z), numbers(1, 5, D)
    alone = head(described[:, :3], style, noise[:, :3])
    np.testing.assert_allclose(
        head(described, style, noise, lengths=tf.constant([3]))[:, :3], alone, atol=1e-6
    )
    assert np.abs(head(described, style, noise)[:, 2] - alone[:, 2]).max() > 1e-4  # it would without lengths


def test_an_untrained_head_says_the_mean_character():
    module = Spacing()
    np.testing.assert_allclose(
        module(numbers(1, 2, F), numbers(1, Z)), np.full([1, 2], np.log(0.85)), rtol=1e-6
    )


def test_the_loss_by_hand():
    """One twice too wide, one right, and padding; a line of half the right width; a line of padding."""
    right = np.array([[0.5, 0.8, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]], np.float32)
    said = np.log(np.array([[1.0, 0.8, 9.0], [0.5, 0.5, 0.5], [2.0, 2.0, 2.0]], np.float32))
    np.testing.assert_allclose(spacing_loss(said, right), [np.log(2) / 2, np.log(2), 0.0], atol=1e-6)


def test_advances_are_learned_without_moving_the_embeddings():
    generator = make_small_generator(layout='spaced')
    characters, style = Characters.ones(1, 2), tf.ones([1, generator.config.style_dim])
    noise = tf.ones([1, 2, generator.config.character_noise_dim])
    with tf.GradientTape() as tape:
        said = tf.reduce_sum(generator.log_advances(characters, style, noise))
    moved = [
        v.path
        for v, g in zip(
            generator.trainable_variables, tape.gradient(said, generator.trainable_variables), strict=True
        )
        if g is not None
    ]
    assert moved and all('/spacing/' in path for path in moved)
    with pytest.raises(ValueError, match="layout 'cells' has no advances; expected layout 'spaced'"):
        make_small_generator().log_advances(characters, style, noise)


def test_pictures_are_those_of_a_generator_of_cells():
    """The head comes last: all other weights of two generators of one seed are equal, and so are pictures."""
    spaced, cells = make_small_generator(layout='spaced'), make_small_generator()
    for one, other in zip(spaced.variables, cells.variables, strict=False):
        one.assign(other)
    inputs = dict(
        characters=Characters.ones(1, 2),
        style=numbers(1, cells.config.style_dim),
        character_noise=numbers(1, 2, cells.config.character_noise_dim),
    )
    np.testing.assert_array_equal(spaced(**inputs), cells(**inputs))


def test_noise_is_read_beside_the_text(randomise, lines_of_images):
    """The same picture with another text has other noise and the same style; without a text it has none."""
    module = StyleEncoder(
        Z, character_noise_dim=D, channels=(8, 8, 8), char_px=16, char_width_px=16, reads_content=True
    )
    module(tf.ones([1, 16, 16, 1]), described=tf.ones([1, 1, F]))
    randomise(module)
    images, text, other = lines_of_images([2], 16, 16), numbers(1, 2, F), numbers(1, 2, F, seed=1)
    first, second, none = module(images, described=text), module(images, described=other), module(images)
    np.testing.assert_array_equal(first['style_mean'], second['style_mean'])
    np.testing.assert_array_equal(first['style_mean'], none['style_mean'])
    assert np.abs(first['noise_mean'] - second['noise_mean']).max() > 1e-3 and 'noise_mean' not in none
    np.testing.assert_allclose(np.mean(first['noise_mean'], 1), 0.0, atol=1e-6)
