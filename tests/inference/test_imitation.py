"""Imitation: the style is the encoder's mean, errors name their place."""

import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.charset.encoding import Charset
from hwgen.inference.imitation import read_style
from hwgen.inference.writer import Writer


@pytest.fixture(scope='module')
def imitator(model_dir):
    return Writer.load(model_dir, windows_per_step=1)


def test_style_is_the_weighted_mean_of_the_lines(imitator):
    rng = np.random.default_rng(0)
    short, long = (rng.integers(0, 256, [16, 16 * n]).astype(np.uint8) for n in (2, 6))
    a, b = read_style(imitator, [short], [2]), read_style(imitator, [long], [6])
    expected = imitator.style_encoder((short[np.newaxis, :, :, np.newaxis] / 127.5 - 1.0).astype(np.float32))[
        'style_mean'
    ][0]
    np.testing.assert_allclose(a, expected, atol=1e-5)
    assert np.abs(a - b).max() > 1e-4
    np.testing.assert_allclose(read_style(imitator, [short, long], [2, 6]), (2 * a + 6 * b) / 8, atol=1e-6)
    (pixels,) = imitator.write('永', styles=a)
    assert pixels.shape == (16, 16)


def test_errors(imitator, generator):
    image = np.full([16, 16], 255, np.uint8)
    with pytest.raises(ValueError, match='no style encoder'):
        read_style(Writer(generator, Charset.load()), [image], [1])
    with pytest.raises(ValueError, match='1 images, 2 numbers'):
        read_style(imitator, [image], [1, 2])
    with pytest.raises(ValueError, match=r'image 1: float64 \[16, 16\], expected uint8'):
        read_style(imitator, [image, image * 1.0], [1, 1])
    with pytest.raises(ValueError, match='image 0: 0 characters'):
        read_style(imitator, [image], [0])


def test_images_that_are_no_lines(imitator):
    image = np.full([16, 16], 255, np.uint8)
    for wrong, said in (
        (image[..., np.newaxis], r'uint8 \[16, 16, 1\]'),
        (image[:0], r'uint8 \[0, 16\]'),
        (image[:, :0], r'uint8 \[16, 0\]'),
    ):
        with pytest.raises(ValueError, match=f'image 1: {said}, expected uint8'):
            read_style(imitator, [image, wrong], [1, 1])
    with pytest.raises(ValueError, match='0 images, 0 numbers of characters'):
        read_style(imitator, [], [])


def test_cells_that_are_no_squares():
    """A line of three characters is as wide as three cells, 24 px of 16 x 8."""
    seen = []

    def encoder(lines, training):
        seen.append((lines.shape, lines.dtype, training))
        return {'style_mean': tf.constant(lines[:, 0, :2, 0])}

    writer = types.SimpleNamespace(
        style_encoder=encoder, style_dim=2, char_px=16, char_width_px=8, learned_room=False
    )
    style = read_style(writer, [np.full([32, 90], 255, np.uint8), np.zeros([16, 8], np.uint8)], [3, 1])
    assert seen == [((1, 16, 24, 1), np.float32, False), ((1, 16, 8, 1), np.float32, False)]
    np.testing.assert_allclose(style, [0.5, 0.5], atol=1e-6)  # (3 * 1 + 1 * -1) / 4
    assert style.dtype == np.float32
