"""Small modules with random weights, and inputs for them."""

import numpy as np
import pytest
import tensorflow as tf
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.models.generator import Generator
from hwgen.models.hct_gan import HctGan
from hwgen.settings.model import GeneratorConfig, HctGanConfig

SIZES = dict(
    num_components=30,
    num_structures=12,
    num_characters=20,
    content_channels=8,
    style_part_dim=4,
    character_noise_dim=3,
    structure_dim=5,
    component_dim=6,
    cell_dim=4,
)


@pytest.fixture(scope='session')
def randomise():
    """Function of a module: sets every weight anew from a seed, so that no fresh gain of 0 or statistic of
    0 and 1 hides an error.
    """

    def change(module, seed=1):
        rng = np.random.default_rng(seed)
        for variable in module.variables:
            name, shape = variable.path.rsplit('/', 1)[-1], variable.shape
            if name == 'momentum':
                continue
            if name in ('gamma', 'moving_variance', 'gain'):
                variable.assign(np.exp(rng.normal(scale=0.3, size=shape)))
            elif name == 'kernel':
                variable.assign(rng.normal(scale=np.prod(shape[:-1]) ** -0.5, size=shape))
            else:
                variable.assign(
                    rng.normal(scale=0.3 if name in ('bias', 'beta', 'moving_mean') else 1.0, size=shape)
                )
        return module

    return change


@pytest.fixture(scope='session')
def text_inputs():
    """Function of (number of lines, characters, config): the generator's inputs, all random."""

    def make(num_lines, num_characters, config, seed=0):
        rng = np.random.default_rng(seed)
        shape = (num_lines, num_characters)
        components = rng.integers(0, config.num_components, size=(*shape, 4))
        components[..., 0] = rng.integers(1, config.num_components, size=shape)
        corners = np.sort(rng.uniform(size=(*shape, 4, 2, 2)), axis=-2)  # ... x (low, high) x (x, y)
        characters = Characters(
            component_ids=components.astype(np.int32),
            structure_ids=rng.integers(1, config.num_structures, size=shape).astype(np.int32),
            boxes=corners.reshape(*shape, 4, 4).astype(np.float32),
            character_ids=rng.integers(1, config.num_characters, size=shape).astype(np.int32),
        )
        return dict(
            characters=characters,
            style=rng.normal(size=(num_lines, config.style_dim)).astype(np.float32),
            character_noise=rng.normal(size=(*shape, config.character_noise_dim)).astype(np.float32),
        )

    return make


@pytest.fixture(scope='session')
def make_generator(randomise):
    """Function of GeneratorConfig's options -> small built Generator; one object for equal options, its
    random weights set anew.
    """
    made = {}

    def make(**options):
        key = tuple(sorted(options.items()))
        if key not in made:
            char_px = options.get('char_px', 32)
            sizes = dict(
                PLAIN | SIZES,
                channels=(8,) * (char_px.bit_length() - 3),
                char_px=char_px,
                char_width_px=options.get('char_width_px', char_px),
            )
            config = GeneratorConfig(**{**sizes, **options})
            made[key] = Generator(config)
            made[key](
                Characters.ones(),
                style=tf.zeros([1, config.style_dim]),
                character_noise=tf.zeros([1, 1, config.character_noise_dim]),
            )
        return randomise(made[key])

    return make


@pytest.fixture(scope='session')
def make_hct_gan():
    """Function of char_px, char_width_px and HctGanConfig's options -> small HctGan as it starts; one
    object for equal options.
    """
    made = {}

    def make(*, char_px=16, char_width_px=None, **options):
        key = (char_px, char_width_px, *sorted(options.items()))
        if key not in made:
            blocks = char_px.bit_length() - 3
            config = GeneratorConfig(
                **dict(
                    PLAIN | SIZES,
                    content_encoding='warped',
                    channels=(8,) * blocks,
                    char_px=char_px,
                    char_width_px=char_width_px or char_px,
                )
            )
            sizes = dict(
                share_trunk=False,
                sequence_labels=23,
                spatial_labels=13,
                discriminator_channels=(8,) * (blocks + 1),
                recognizer_channels=(8,) * (blocks + 1),
                recognizer_hidden=8,
                style_channels=(8,) * (blocks + 1),
            )
            model = HctGan(HctGanConfig(config, **{**sizes, **options}))
            made[key] = model, [v.numpy() for module in model.modules().values() for v in module.variables]
        model, start = made[key]
        for variable, value in zip(
            [v for module in model.modules().values() for v in module.variables], start
        ):
            variable.assign(value)
        return model

    return make


@pytest.fixture(scope='session')
def lines_of_images():
    """Function of (lengths, char_px, char_width_px): images [B, H, N * width, 1] in [-1, 1] that are paper
    beyond each length.
    """

    def make(lengths, char_px, char_width_px, *, num_characters=None, seed=0):
        n = num_characters or max(lengths)
        rng = np.random.default_rng(seed)
        images = rng.uniform(-1.0, 1.0, size=(len(lengths), char_px, max(lengths) * char_width_px, 1)).astype(
            np.float32
        )
        images = np.concatenate(
            [images, np.ones([len(lengths), char_px, (n - max(lengths)) * char_width_px, 1], np.float32)],
            axis=2,
        )
        for image, length in zip(images, lengths):
            image[:, length * char_width_px :] = 1.0
        return images

    return make


@pytest.fixture(scope='session')
def numpy_values():
    """Function of a module -> list of its variables' values."""
    return lambda module: [variable.numpy() for variable in module.variables]
