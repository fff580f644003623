"""A small generator, its Writer and its folder."""

import numpy as np
import pytest
from small_generator import make_small_generator, shared_small_generator

from hwgen.charset.encoding import Charset
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer
from hwgen.models.style_encoder import StyleEncoder


@pytest.fixture
def untraced(monkeypatch):
    """Writers that write nothing: of what they encode or refuse."""
    monkeypatch.setattr(Writer, '_compile', lambda self: None)


@pytest.fixture(scope='session')
def make_generator():
    """Function of GeneratorConfig's options -> Generator."""
    return make_small_generator


@pytest.fixture(scope='session')
def generator():
    return shared_small_generator()


@pytest.fixture(scope='session')
def writer(generator):
    return Writer(generator, Charset.load(), window_characters=4, windows_per_step=1)


@pytest.fixture(scope='session')
def model_dir(generator, tmp_path_factory):
    """Folder of the small generator with a style encoder."""
    config = generator.config
    encoder = StyleEncoder(
        config.style_dim,
        character_noise_dim=config.character_noise_dim,
        channels=(4, 6, 8),
        char_px=config.char_px,
        char_width_px=config.char_width_px,
    )
    encoder(np.ones([1, config.char_px, config.char_width_px, 1], np.float32))
    path = tmp_path_factory.mktemp('models') / 'small'
    save_generator(str(path), generator, style_encoder=encoder, charset=Charset.load())
    return str(path)
