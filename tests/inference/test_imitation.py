"""Imitation: the scaling is the training's, the style is the encoder's mean, errors name their place."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.pipeline import resize_line
from hwgen.inference.imitation import fit_line, read_style
from hwgen.inference.writer import Writer


@pytest.fixture(scope='module')
def imitator(model_dir):
    return Writer.load(model_dir, windows_per_step=1)


@pytest.mark.parametrize('shape', [(64, 640), (32, 320), (20, 100), (100, 90), (32, 700), (90, 320)], ids=str)
def test_lines_are_scaled_as_in_training(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    fitted = fit_line(image, height_px=32, width_px=320)
    assert fitted.shape == (32, 320) and fitted.dtype == np.float32
    np.testing.assert_allclose(fitted, resize_line(image, height_px=32, width_px=320), atol=1e-6)


def test_style_is_the_weighted_mean_of_the_lines(imitator):
    rng = np.random.default_rng(0)
    short, long = (rng.integers(0, 256, [16, 16 * n]).astype(np.uint8) for n in (2, 6))
    a, b = read_style(imitator, [short], [2]), read_style(imitator, [long], [6])
    expected = imitator.style_encoder((short[np.newaxis, :, :, np.newaxis] / 127.5 - 1.).astype(np.float32))['style_mean'][0]
    np.testing.assert_allclose(a, expected, atol=1e-5)
    assert np.abs(a - b).max() > 1e-4
    np.testing.assert_allclose(read_style(imitator, [short, long], [2, 6]), (2 * a + 6 * b) / 8, atol=1e-6)
    pixels, = imitator.write('永', styles=a)
    assert pixels.shape == (16, 16)


def test_errors(imitator, generator):
    image = np.full([16, 16], 255, np.uint8)
    with pytest.raises(ValueError, match='no style encoder'):
        read_style(Writer(generator, Charset.load()), [image], [1])
    with pytest.raises(ValueError, match='1 images, 2 numbers'):
        read_style(imitator, [image], [1, 2])
    with pytest.raises(ValueError, match=r'image 1: float64 \[16, 16\], expected uint8'):
        read_style(imitator, [image, image * 1.], [1, 1])
    with pytest.raises(ValueError, match='image 0: 0 characters'):
        read_style(imitator, [image], [0])
