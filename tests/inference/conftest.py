"""A small generator with random weights, of the real class: windows, bytes and files do not depend on what it has learnt."""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.charset.encoding import Charset
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer
from hwgen.models.generator import Generator, GeneratorConfig
from hwgen.models.style_encoder import StyleEncoder


@pytest.fixture(scope='session')
def make_generator():
    """Function of GeneratorConfig's options -> Generator, built, every weight random (attention and biases too)."""
    def make(**options):
        charset = Charset.load()
        sizes = dict(num_components=charset.num_components, num_structures=charset.num_structures,
                     num_characters=charset.num_characters, char_px=16, char_width_px=16,
                     channels=(12, 8), content_channels=12, style_part_dim=6, cell_dim=4, component_dim=8, structure_dim=4, character_noise_dim=5)
        config = GeneratorConfig(**{**sizes, **options})
        generator = Generator(config)
        n = 2
        generator(component_ids=tf.ones([1, n, 4], tf.int32), structure_ids=tf.ones([1, n], tf.int32),
                  boxes=tf.ones([1, n, 4, 4]), character_ids=tf.ones([1, n], tf.int32),
                  style=tf.zeros([1, config.style_dim]), character_noise=tf.zeros([1, n, config.character_noise_dim]))
        rng = np.random.default_rng(1)
        for variable in generator.variables:  # fresh attention has gain 0 and fresh norms do nothing: they would hide errors
            if 'variance' not in variable.path:
                variable.assign(variable + rng.normal(scale=.2, size=variable.shape))
        return generator
    return make


@pytest.fixture(scope='session')
def generator(make_generator):
    return make_generator()


@pytest.fixture(scope='session')
def writer(generator):
    return Writer(generator, Charset.load(), window_characters=4, windows_per_step=1)


@pytest.fixture(scope='session')
def model_dir(generator, tmp_path_factory):
    """Folder of the small generator with a style encoder."""
    config = generator.config
    encoder = StyleEncoder(config.style_dim, character_noise_dim=config.character_noise_dim, channels=(4, 6, 8),
                           char_px=config.char_px, char_width_px=config.char_width_px)
    encoder(np.ones([1, config.char_px, config.char_width_px, 1], np.float32))
    path = tmp_path_factory.mktemp('models') / 'small'
    save_generator(str(path), generator, style_encoder=encoder, charset=Charset.load())
    return str(path)
