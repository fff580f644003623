"""A small generator with a style encoder, as a folder, and pictures of lines to read."""

import pathlib

import numpy as np
import pytest
from made_once import made_once
from PIL import Image
from small_generator import make_small_generator

from hwgen.charset.encoding import Charset
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer
from hwgen.models.style_encoder import StyleEncoder


@pytest.fixture(scope='session')
def model(tmp_path_factory):
    """The folder."""

    def write(folder):
        generator = make_small_generator()
        encoder = StyleEncoder(
            generator.config.style_dim,
            character_noise_dim=5,
            channels=(4, 6, 8),
            char_px=16,
            char_width_px=16,
        )
        encoder(np.ones([1, 16, 16, 1], np.float32))
        save_generator(folder / 'model', generator, style_encoder=encoder, charset=Charset.load())
        return str(folder / 'model')

    return made_once(tmp_path_factory, 'imitator', write)


@pytest.fixture(scope='session')
def writer(model):
    return Writer.load(model, tell=None)


def draw_line(characters, *, ink=0):
    """uint8 [60, ...]: so many bars on a sheet of paper with wide margins."""
    image = np.full([60, 40 * characters + 50], 255, np.uint8)
    for n in range(characters):
        left = 30 + 40 * n
        image[15:47, left + 4 : left + 36] = ink
        image[20:42, left + 10 : left + 30] = 255
    return image


@pytest.fixture
def lines():
    """Folder of three lines of 2, 3 and 4 characters, without labels."""
    folder = pathlib.Path('my_lines')
    folder.mkdir()
    for number, characters in enumerate((2, 3, 4)):
        Image.fromarray(draw_line(characters, ink=20 * number)).save(folder / f'{number}.png')
    return folder


@pytest.fixture
def labelled(lines):
    """The same folder with its table."""
    (lines / 'labels.tsv').write_text('0.png\t明天\n1.png\t天地人\n2.png\t日月山水\n', encoding='utf-8')
    return lines
