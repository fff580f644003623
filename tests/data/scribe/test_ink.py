"""Ink."""

import numpy as np
import pytest
from scipy import ndimage

from hwgen.data.scribe import ink


def line(points, width, *, height_px, darkness=1.0, shape=None):
    points = np.array(points, float)
    count = len(points)
    return ink.draw(
        points,
        np.full(count, width),
        np.full(count, darkness),
        np.ones(count - 1, bool),
        shape=shape or (height_px, 4 * height_px),
        fine=ink.fineness(height_px),
    )


@pytest.mark.parametrize('height_px', [32, 64, 128])
@pytest.mark.parametrize('width', [1.5, 3.0, 6.0])
def test_a_line_covers_its_width_times_its_length(height_px, width):
    drawn = line([[20, height_px / 2], [100, height_px / 2]], width, height_px=height_px)
    across = drawn[:, 40:80].sum(0)
    # The fine canvas has lines of every second px.
    np.testing.assert_allclose(across, width, atol=1.3 / ink.fineness(height_px))
    assert (across.std() < 0.02) and abs(
        (drawn[:, 60] * (np.arange(height_px) + 0.5)).sum() / across[20] - height_px / 2
    ) < 0.15


def test_edges_are_as_sharp_as_the_size_allows():
    """From paper to full ink within about a pixel, at every height: nothing is drawn small and enlarged."""
    for height_px in (32, 64, 128):
        drawn = line([[20, height_px / 2], [100, height_px / 2]], 6, height_px=height_px)
        column = drawn[:, 60]
        assert ((column > 0.05) & (column < 0.95)).sum() <= 4


def test_darkness_is_kept_and_the_darker_lies_on_top():
    drawn = ink.draw(
        np.array([[10, 16], [50, 16], [30, 4], [30, 28.0]]),
        np.full(4, 4.0),
        np.array([0.5, 0.5, 1, 1]),
        np.array([True, False, True]),
        shape=(32, 60),
        fine=ink.fineness(32),
    )
    assert (
        drawn[16, 15] == pytest.approx(0.5, abs=0.02)
        and drawn[16, 30] == pytest.approx(1, abs=0.02)
        and drawn[6, 30] == pytest.approx(1, abs=0.02)
    )


def test_between_two_samples_lies_what_is_half_way():
    """Darkness and width of a piece are the means of its ends."""
    drawn = ink.draw(
        np.array([[10, 16], [60, 16.0]]),
        np.array([3.0, 9.0]),
        np.array([1 / 3, 1.0]),
        np.array([True]),
        shape=(32, 70),
        fine=ink.fineness(32),
    )
    column = drawn[:, 35]
    assert column.max() == pytest.approx(2 / 3, abs=0.02) and column.sum() / column.max() == pytest.approx(
        6.0, abs=0.3
    )


def test_what_is_not_shown_leaves_the_paper_blank():
    drawn = ink.draw(
        np.array([[5, 5], [50, 20.0]]), np.ones(2) * 3, np.ones(2), np.array([False]), shape=(32, 60), fine=4
    )
    assert not drawn.any()
    assert (ink.scan(drawn, np.random.default_rng(0), grain=0.5, grain_px=3, blur_px=1) == 255).all()


def test_scan_without_grain_and_blur_is_the_ink():
    drawn = line([[10, 10], [60, 20]], 4, height_px=32)
    image = ink.scan(drawn.copy(), np.random.default_rng(0), grain=0, grain_px=3, blur_px=0)
    np.testing.assert_allclose(255 - image.astype(float), 255 * drawn, atol=1)


def test_how_much_finer_lines_are_drawn():
    """256 px or so, three times at least and eight times at most."""
    assert [
        ink.fineness(height) for height in (16, 32, 36, 39, 40, 46, 47, 48, 57, 64, 73, 74, 85, 96, 128, 512)
    ] == [8, 8, 7, 7, 6, 6, 5, 5, 4, 4, 4, 3, 3, 3, 3, 3]


def test_what_opencv_is_told_comes_nearest():
    """It draws 1.4 px for 1, and 3.5, 5.5, 7.5 for 2, 4, 6."""
    assert ink._thickness(
        np.array([0.5, 1.4, 2.44, 2.46, 3.5, 4.4, 4.6, 5.5, 6.4, 6.6, 7.5, 200.2, 900.0])
    ).tolist() == [1, 1, 1, 2, 2, 2, 4, 4, 4, 6, 6, 198, 254]


def test_lines_lie_where_they_are_told_to_a_sixteenth():
    """The centre of the upper left pixel is at (.5, .5): the middle of the ink is that of the line,
    whatever part of a pixel it lies at.
    """
    for part in (0.0, 0.25, 0.5, 0.7):
        drawn = ink.draw(
            np.array([[10 + part, 12.3], [10 + part, 30.3]]),
            np.full(2, 3.0),
            np.ones(2),
            np.array([True]),
            shape=(48, 24),
            fine=8,
        )
        across, down = drawn.sum(0), drawn.sum(1)
        assert (across * (np.arange(24) + 0.5)).sum() / across.sum() == pytest.approx(10 + part, abs=0.03)
        assert (down * (np.arange(48) + 0.5)).sum() / down.sum() == pytest.approx(21.3, abs=0.05)
        # Half the width beyond both ends.
        assert down.sum() / down.max() == pytest.approx(18 + 3 - 0.6, abs=0.5)  # round ends


def test_darkness_comes_in_sixths_and_light_ink_is_ink():
    def level(darkness):
        return ink.draw(
            np.array([[5, 16], [60, 16.0]]),
            np.full(2, 6.0),
            np.full(2, darkness),
            np.array([True]),
            shape=(32, 64),
            fine=4,
        )[16, 30]

    for darkness, sixths in (
        (0.0, 1),
        (0.2, 1),
        (0.3, 2),
        (0.5, 3),
        (0.57, 3),
        (0.6, 4),
        (0.95, 6),
        (1.0, 6),
    ):
        assert level(darkness) == pytest.approx(sixths / 6, abs=0.003), darkness
    crossing = ink.draw(
        np.array([[5, 16], [60, 16], [30, 4], [30, 28.0]]),
        np.full(4, 6.0),
        np.array([1.0, 1, 0.5, 0.5]),
        np.array([True, False, True]),
        shape=(32, 64),
        fine=4,
    )
    # the light line, drawn later, does not cover the dark one
    assert crossing[16, 30] == pytest.approx(1, abs=0.003)
    assert crossing.dtype == np.float32 and crossing.shape == (32, 64)


class Noise:
    """Stands for a Generator: noise is the same everywhere, or every second grain is none."""

    def __init__(self, value):
        self.value, self.shape = value, None

    def standard_normal(self, shape, dtype):
        self.shape = shape
        return np.full(shape, self.value, dtype)


def test_grain_takes_ink_away():
    """By hand: .4 of the grain for each deviation of the noise, either way, at most two; as many grains as
    fit.
    """
    for value, left in ((1.0, 1 - 0.5 * 0.4), (-1.0, 1 - 0.5 * 0.4), (5.0, 1 - 0.5 * 0.8), (0.0, 1.0)):
        noise = Noise(value)
        image = ink.scan(np.ones([40, 90], np.float32), noise, grain=0.5, grain_px=4.5, blur_px=0)
        assert (image == int(255.5 - 255 * left)).all() and noise.shape == (8, 20)
    ink.scan(np.ones([4, 4], np.float32), noise, grain=0.5, grain_px=4.5, blur_px=0)
    assert noise.shape == (2, 2)
    untouched = ink.scan(
        np.ones([40, 90], np.float32), np.random.default_rng(0), grain=0, grain_px=4.5, blur_px=0
    )
    assert (untouched == 0).all() and (
        ink.scan(np.full([4, 4], 1.5, np.float32), noise, grain=0, grain_px=9, blur_px=0) == 0
    ).all()
    np.testing.assert_array_equal(
        ink.scan(np.full([4, 4], 0.5, np.float32), noise, grain=0, grain_px=9, blur_px=0), 128
    )


def test_the_scanner_blurs_like_a_gaussian():
    dot = np.zeros([31, 31], np.float32)
    dot[15, 15] = 1
    for blur in (0.8, 1.5):
        image = ink.scan(dot.copy() * 1.0, np.random.default_rng(0), grain=0, grain_px=3, blur_px=blur)
        np.testing.assert_allclose(
            255 - image.astype(float), 255 * ndimage.gaussian_filter(dot.astype(float), blur), atol=1.5
        )
    # too little to be any
    assert ink.scan(dot.copy(), np.random.default_rng(0), grain=0, grain_px=3, blur_px=0.05)[15, 15] == 0
    assert ink.scan(dot.copy(), np.random.default_rng(0), grain=0, grain_px=3, blur_px=0.3)[15, 15] > 0
