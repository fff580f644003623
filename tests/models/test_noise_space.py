"""What the noise of characters is drawn from, where that is learned: the layer against NumPy, what it learns
of answers whose distribution is known, and what reads it.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_generator import make_small_generator

from hwgen.characters import Characters
from hwgen.losses.reconstruction import whitened_kl_loss
from hwgen.models.noise_space import NoiseSpace

F, Z, D = 5, 3, 2


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture
def space(randomise):
    module = NoiseSpace(D, hidden=4)
    module(tf.ones([1, 2, F]), tf.ones([1, Z]))
    return randomise(module)


def test_the_layer_by_numpy(space):
    """Two hidden layers, of the character and of it beside the style; spreads from 0.05 to 7.5."""
    space.distribution.kernel.assign(
        space.distribution.kernel * 8.0
    )  # so that some spreads meet their bounds
    described, style = numbers(2, 3, F), numbers(2, Z, seed=1)

    def dense(layer, x):
        return x @ layer.kernel.numpy() + layer.bias.numpy()

    own = np.maximum(dense(space.character, described), 0)
    together = np.concatenate([own, np.repeat(style[:, None], 3, 1)], -1)
    out = dense(space.distribution, np.maximum(dense(space.together, together), 0))
    lower = np.tril(out[..., D:].reshape(2, 3, D, D), -1)
    logs = out[..., D:].reshape(2, 3, D, D)[..., range(D), range(D)]
    bounded = 1.0 / np.clip(np.exp(-logs), 0.05, 7.5)
    assert (np.abs(bounded * np.exp(-logs) - 1) > 1e-3).any()
    lower[..., range(D), range(D)] = bounded
    mean, whitening = space(described, style)
    np.testing.assert_allclose(mean, out[..., :D], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(whitening, lower, rtol=1e-3, atol=1e-5)


def test_what_is_drawn_is_standard_normal_once_whitened(space):
    described, style, normal = numbers(2, 3, F), numbers(2, Z, seed=1), numbers(2, 3, D, seed=2)
    mean, whitening = (value.numpy() for value in space(described, style))
    noise = space.draw(described, style, normal).numpy()
    np.testing.assert_allclose(np.einsum('bnij,bnj->bni', whitening, noise - mean), normal, atol=1e-4)
    np.testing.assert_allclose(space.draw(described, style, 0 * normal), mean, atol=1e-6)


def test_each_character_is_by_itself(space):
    described, style, normal = numbers(1, 3, F), numbers(1, Z), numbers(1, 3, D)
    whole = space.draw(described, style, normal).numpy()
    for place in range(3):
        own = slice(place, place + 1)
        alone = space.draw(described[:, own], style, normal[:, own])
        np.testing.assert_allclose(alone, whole[:, own], atol=1e-6)


def test_until_it_has_learned_noise_is_standard_normal():
    normal = numbers(1, 3, D)
    np.testing.assert_array_equal(NoiseSpace(D).draw(numbers(1, 3, F), numbers(1, Z), normal), normal)


def test_it_learns_the_distribution_of_answers():
    """Two kinds of characters and a style, answers of known mean and covariance: found within 0.1."""
    keras.utils.set_random_seed(1)
    rng, module, optimizer = np.random.default_rng(1), NoiseSpace(D, hidden=16), keras.optimizers.Adam()
    kinds = np.eye(2, dtype=np.float32)
    factors = np.array([[[0.5, 0.0], [0.4, 0.3]], [[1.0, 0.0], [-0.6, 0.5]]])
    left = 0.2  # deviation that the encoder leaves itself

    def means(kind, style):
        return np.stack([np.where(kind == 0, 1.0, -0.5), style[:, 0]], -1)

    @tf.function
    def step(described, style, mean, log_variance):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(whitened_kl_loss(mean, log_variance, *module(described, style)))
        variables = module.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    module(np.ones([1, 1, 2], np.float32), np.ones([1, 1], np.float32))
    for number in range(250):
        optimizer.learning_rate = 0.03 * (1.0 - number / 250)
        kind, style = rng.integers(2, size=256), rng.choice([-1.0, 1.0], size=[256, 1])
        mean = means(kind, style) + np.einsum('bij,bj->bi', factors[kind], rng.normal(size=[256, 2]))
        inputs = kinds[kind][:, None], style, mean[:, None], np.full([256, 1, 2], np.log(left**2))
        step(*(tf.constant(value, tf.float32) for value in inputs))
    for kind in range(2):
        for style in (-1.0, 1.0):
            mean, whitening = module(kinds[None, kind : kind + 1], np.full([1, 1], style, np.float32))
            inverse = np.linalg.inv(whitening[0, 0].numpy())
            expected = factors[kind] @ factors[kind].T + left**2 * np.eye(2)
            np.testing.assert_allclose(mean[0, 0], means(np.array([kind]), np.array([[style]]))[0], atol=0.1)
            np.testing.assert_allclose(inverse @ inverse.T, expected, atol=0.1)


def test_a_generator_draws_by_it_and_nothing_is_learned_by_that():
    generator = make_small_generator(noise_prior='learned')
    config = generator.config
    characters = Characters.ones(2, 3)
    style, normal = numbers(2, config.style_dim), numbers(2, 3, config.character_noise_dim)
    with tf.GradientTape() as tape:
        noise = generator.drawn_noise(characters, style, normal)
        drawn = tf.reduce_sum(noise)
    assert all(g is None for g in tape.gradient(drawn, generator.trainable_variables))
    expected = generator.noise_space.draw(generator.content_encoder.describe(characters), style, normal)
    np.testing.assert_array_equal(noise, expected)
    assert np.abs(noise - normal).max() > 0.1


@pytest.mark.parametrize('options', [dict(noise_prior='normal'), dict(character_noise_dim=0)])
def test_without_a_prior_normal_numbers_are_the_noise(options):
    generator = make_small_generator(**{'noise_prior': 'learned', **options})
    normal = numbers(1, 2, 5)
    assert generator.noise_space is None
    assert (
        generator.drawn_noise(Characters.ones(1, 2), numbers(1, generator.config.style_dim), normal) is normal
    )


def test_pictures_are_those_of_a_generator_without():
    """The prior comes last: all other weights of two generators of one seed are equal, and so are pictures of
    the same noise.
    """
    learned, plain = make_small_generator(noise_prior='learned'), make_small_generator()
    for one, other in zip(learned.variables, plain.variables, strict=False):
        assert one.path.split('/', 1)[1] == other.path.split('/', 1)[1]
        one.assign(other)
    inputs = dict(
        characters=Characters.ones(1, 2),
        style=numbers(1, plain.config.style_dim),
        character_noise=numbers(1, 2, plain.config.character_noise_dim),
    )
    np.testing.assert_array_equal(learned(**inputs), plain(**inputs))
