"""Ink."""

import numpy as np
import pytest

from hwgen.data.scribe import ink


def line(points, width, *, height_px, darkness=1., shape=None):
    points = np.array(points, float)
    count = len(points)
    return ink.draw(points, np.full(count, width), np.full(count, darkness), np.ones(count - 1, bool), shape=shape or (height_px, 4 * height_px),
                    fine=ink.fineness(height_px))


@pytest.mark.parametrize('height_px', [32, 64, 128])
@pytest.mark.parametrize('width', [1.5, 3., 6.])
def test_a_line_covers_its_width_times_its_length(height_px, width):
    drawn = line([[20, height_px / 2], [100, height_px / 2]], width, height_px=height_px)
    across = drawn[:, 40:80].sum(0)
    # The fine canvas has lines of every second px.
    np.testing.assert_allclose(across, width, atol=1.3 / ink.fineness(height_px))
    assert (across.std() < .02) and abs((drawn[:, 60] * (np.arange(height_px) + .5)).sum() / across[20] - height_px / 2) < .15


def test_edges_are_as_sharp_as_the_size_allows():
    """From paper to full ink within about a pixel, at every height: nothing is drawn small and enlarged."""
    for height_px in (32, 64, 128):
        drawn = line([[20, height_px / 2], [100, height_px / 2]], 6, height_px=height_px)
        column = drawn[:, 60]
        assert ((column > .05) & (column < .95)).sum() <= 4


def test_darkness_is_kept_and_the_darker_lies_on_top():
    drawn = ink.draw(np.array([[10, 16], [50, 16], [30, 4], [30, 28.]]), np.full(4, 4.), np.array([.5, .5, 1, 1]), np.array([True, False, True]),
                     shape=(32, 60), fine=ink.fineness(32))
    assert drawn[16, 15] == pytest.approx(.5, abs=.02) and drawn[16, 30] == pytest.approx(1, abs=.02) and drawn[6, 30] == pytest.approx(1, abs=.02)


def test_between_two_samples_lies_what_is_half_way():
    """Darkness and width of a piece are the means of its ends."""
    drawn = ink.draw(np.array([[10, 16], [60, 16.]]), np.array([3., 9.]), np.array([1 / 3, 1.]), np.array([True]), shape=(32, 70), fine=ink.fineness(32))
    column = drawn[:, 35]
    assert column.max() == pytest.approx(2 / 3, abs=.02) and column.sum() / column.max() == pytest.approx(6., abs=.3)


def test_what_is_not_shown_leaves_the_paper_blank():
    drawn = ink.draw(np.array([[5, 5], [50, 20.]]), np.ones(2) * 3, np.ones(2), np.array([False]), shape=(32, 60), fine=4)
    assert not drawn.any()
    assert (ink.scan(drawn, np.random.default_rng(0), grain=.5, grain_px=3, blur_px=1) == 255).all()


def test_scan_without_grain_and_blur_is_the_ink():
    drawn = line([[10, 10], [60, 20]], 4, height_px=32)
    image = ink.scan(drawn.copy(), np.random.default_rng(0), grain=0, grain_px=3, blur_px=0)
    np.testing.assert_allclose(255 - image.astype(float), 255 * drawn, atol=1)
