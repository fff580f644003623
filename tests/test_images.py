"""Pictures of lines: areas are averaged, nothing aliases, grey levels are rounded and stay within 0 to
255.
"""

import numpy as np
import pytest

from hwgen import images


def area_average(image, height, width):
    """The mean of the image over each new pixel's area, by the overlap of every old pixel with it."""

    def weights(old, new):
        edges = np.arange(new + 1) * old / new
        overlap = np.minimum(edges[1:, None], np.arange(1, old + 1)) - np.maximum(
            edges[:-1, None], np.arange(old)
        )
        return overlap.clip(0) / (old / new)

    return weights(image.shape[0], height) @ image @ weights(image.shape[1], width).T


@pytest.mark.parametrize('shape', [(64, 96), (70, 100), (65, 32), (32, 97), (133, 512)])
def test_shrinking_averages_over_areas(shape):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    expected = area_average(image, 32, 32) / 127.5 - 1
    np.testing.assert_allclose(images.resize_line(image, height_px=32, width_px=32), expected, atol=1e-5)


@pytest.mark.parametrize('shape', [(64, 20), (20, 64), (10, 11), (1, 1), (1, 300)])
def test_growing_one_way_does_not_alias_the_other(shape):
    """cv2's area mode would take nearest neighbours for both axes as soon as one of them grows."""
    ramp = np.broadcast_to(np.linspace(0, 255, shape[0])[:, None], shape).round().astype(np.uint8)
    resized = images.resize_line(ramp, height_px=32, width_px=32)
    assert (
        resized.dtype == np.float32
        and resized.shape == (32, 32)
        and resized.min() >= -1
        and resized.max() <= 1
    )
    np.testing.assert_array_equal(resized, np.broadcast_to(resized[:, :1], (32, 32)))
    assert (np.diff(resized[:, 0]) >= 0).all()
    stripes = np.broadcast_to(np.arange(shape[1]) % 2 * 255, shape).astype(np.uint8)
    if shape[1] >= 64:
        grey = images.resize_line(stripes, height_px=32, width_px=32)
        np.testing.assert_allclose(
            grey, area_average(stripes[:1], 1, 32).repeat(32, 0) / 127.5 - 1, atol=1e-5
        )


def test_constants_and_equal_sizes_are_kept():
    image = np.random.default_rng(1).integers(0, 256, (32, 64)).astype(np.uint8)
    np.testing.assert_allclose(
        images.resize_line(image, height_px=32, width_px=64), image / 127.5 - 1, atol=1e-6
    )
    for value, expected in ((255, 1), (0, -1)):
        for shape in ((64, 64), (20, 100), (9, 9)):
            resized = images.resize_line(np.full(shape, value, np.uint8), height_px=32, width_px=48)
            np.testing.assert_allclose(resized, expected, atol=1e-6)


@pytest.mark.parametrize('shape', [(64, 640), (32, 320), (20, 100), (100, 90), (32, 700), (90, 320)], ids=str)
def test_lines_come_to_the_size_of_their_cells(shape):
    """Also those that are no longer uint8."""
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    fitted = images.resize_line(image, height_px=32, width_px=320)
    assert fitted.shape == (32, 320) and fitted.dtype == np.float32
    np.testing.assert_array_equal(
        fitted, images.resize_line(image.astype(np.float64), height_px=32, width_px=320)
    )


def test_fitting_by_hand():
    """Heights halve by means of two rows, while widths double linearly: 0, 64, 191, 255 between 0 and 255
    (OpenCV's pixel centres).
    """
    image = np.uint8([[0, 255], [0, 255], [100, 200], [140, 100]])
    fitted = (images.resize_line(image, height_px=2, width_px=4) + 1) * 127.5
    np.testing.assert_allclose(fitted, [[0, 63.75, 191.25, 255], [120, 127.5, 142.5, 150]], atol=1e-3)


def test_to_uint8():
    np.testing.assert_array_equal(
        images.to_uint8(np.array([-1.0, -0.999, 0.0, 0.999, 1.0], np.float32)), [0, 0, 128, 255, 255]
    )
    np.testing.assert_array_equal(
        images.to_uint8(np.float32([3.4, 3.6, 254.4, 200.6]) / 127.5 - 1), [3, 4, 254, 201]
    )


def test_uint8_rounds_and_clips():
    numbers = np.array([-2.0, -1.0, -0.5, 0.0, 0.999, 1.0, 7.0])
    # .25 * 255 = 63.75
    np.testing.assert_array_equal(images.to_uint8(numbers), [0, 0, 64, 128, 255, 255, 255])


def test_lines_in_cells_and_as_wide_as_they_are():
    image = np.repeat(np.uint8([0, 255, 100]), [30, 30, 40])[np.newaxis].repeat(60, axis=0)
    assert (
        images.to_cells(image, 3, char_px=24, char_width_px=20).shape == (24, 60)
        and images.to_cells(image, 3, char_px=24, char_width_px=20).dtype == np.uint8
    )
    # 11.67 px are 12
    assert [images.to_height(image, height).shape for height in (30, 48, 60, 7)] == [
        (30, 50),
        (48, 80),
        (60, 100),
        (7, 12),
    ]
    np.testing.assert_array_equal(images.to_height(image, 60), image)
    assert images.to_height(image[:, :1], 8).shape == (8, 1)


def test_crop_to_ink():
    image = np.full((20, 100), 255, np.uint8)
    image[5:9, 30:50] = 10
    # A margin of 2 px, a tenth of the height, on every side.
    np.testing.assert_array_equal(images.crop_to_ink(image), image[3:11, 28:52])
    image[0, 99] = 10
    np.testing.assert_array_equal(images.crop_to_ink(image), image[:11, 28:])
    pale = np.full((16, 40), 200, np.uint8)
    pale[3, 7], pale[12, 30] = 199, 0
    np.testing.assert_array_equal(images.crop_to_ink(pale), pale[1:15, 5:33])  # a tenth of 16 px is 2
    blank = np.full((20, 100), 255, np.uint8)
    assert images.crop_to_ink(blank) is blank
