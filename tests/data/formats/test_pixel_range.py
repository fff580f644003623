"""Grey levels from pixels of any depth."""

import numpy as np
import pytest

from hwgen.data.formats import pixel_range
from hwgen.data.formats.pixel_range import RANGES, full_scale, grey_levels

RAMP = np.add.outer(37 * np.arange(5), np.arange(7)) % 256  # 5 rows, 7 columns, no two rows alike
RAMP[4, 6] = 255


def test_the_ranges():
    assert RANGES == (1, 255, 1023, 4095, 16383, 65535, 16777215, 2147483647, 4294967295)


@pytest.mark.parametrize('low, fits', [(-1.2, True), (-1.3, False)])
def test_half_a_grey_level_below_nothing_is_nothing(low, fits):
    """Of 255 that is 1.275."""
    if fits:
        assert full_scale(np.array([low, 200.0])) == 255
    else:
        with pytest.raises(ValueError, match=r'^values -1.3 to 200 \(float64\), expected none below 0$'):
            full_scale(np.array([low, 200.0]))


def test_what_is_said_of_values_that_fit_nowhere():
    for values, said in (
        (np.array([0.0, np.nan]), r'values nan to nan \(float64\), expected numbers'),
        (np.array([-np.inf, 1]), r'values -inf to 1 \(float64\), expected numbers'),
        (
            np.array([3, 300], np.uint16),
            (
                r'values 3 to 300 \(uint16\): white may be 255 or 1023, expected a picture that shows which;'
                r' save it with 8 bits'
            ),
        ),
        (np.array([0.0, 5e9]), r'values 0 to 5e\+09 \(float64\), expected at most 4294967295'),
    ):
        with pytest.raises(ValueError, match=f'^{said}$'):
            full_scale(values)


@pytest.mark.parametrize('rows_at_once', [1, 2, 3, 100])
def test_a_picture_in_pieces_is_the_picture(monkeypatch, rows_at_once):
    monkeypatch.setattr(pixel_range, '_PIXELS_AT_ONCE', 7 * rows_at_once + 6)
    np.testing.assert_array_equal(grey_levels(RAMP.astype(np.uint16) * 257), RAMP)
    monkeypatch.setattr(pixel_range, '_PIXELS_AT_ONCE', 1)  # less than a row
    np.testing.assert_array_equal(grey_levels(RAMP.astype(np.float64), white_is_zero=True), 255 - RAMP)


def test_levels_are_rounded_and_clipped():
    # 10 bits; half a level beyond it at the end
    found = grey_levels(np.array([[0, 511, 513, 1023, 1026, 800]], np.int32))
    assert found.tolist() == [[0, 127, 128, 255, 255, 199]] and found.dtype == np.uint8
    assert grey_levels(np.array([[-1.2, 255.9, 0.6, 77.0]])).tolist() == [[0, 255, 1, 77]]
    assert grey_levels(np.array([[-1.2, 255.9, 0.6, 77.0]]), white_is_zero=True).tolist() == [
        [255, 0, 254, 178]
    ]


def test_colours_and_opacity():
    """Blue, green, red: .114, .587, .299; an opacity of 51 in 255 leaves a fifth of the ink."""
    colours = np.zeros((1, 5, 4), np.uint8)
    colours[0, :, :3] = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (255, 255, 255), (10, 20, 30)]
    inks = [22.8, 117.4, 59.8, 255, 1.14 + 11.74 + 8.97]
    np.testing.assert_array_equal(grey_levels(colours[..., :3]), [np.rint(inks)])
    for opacity, left in ((255, 1), (51, 0.2), (0, 0)):
        colours[..., 3] = opacity
        np.testing.assert_array_equal(
            grey_levels(colours), [np.rint([255 - left * (255 - ink) for ink in inks])]
        )
    np.testing.assert_array_equal(
        grey_levels(colours[..., :3], white_is_zero=True), [np.rint([255 - ink for ink in inks])]
    )
    deep = colours.astype(np.uint16) * 257
    deep[..., 3] = 257 * 51
    np.testing.assert_array_equal(grey_levels(deep), [np.rint([255 - 0.2 * (255 - ink) for ink in inks])])
