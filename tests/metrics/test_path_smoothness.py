"""Paths: cases worked by hand, and the bounds that hold for every path."""

import numpy as np
import pytest

from hwgen.metrics import path_smoothness


def test_even_straight_path():
    found = path_smoothness.path_figures(np.linspace([0.0, 0.0], [3.0, 4.0], 11))  # K = 10 steps of .5
    assert found == pytest.approx((25.0, 1.0, 5.0, 5.0))


def test_a_jump():
    """One jump of 2 in 8 steps: the mean step is 1/4, so the largest is 8 of them; (2 * 8)^2 / 8 = 32."""
    found = path_smoothness.path_figures([[0.0]] * 3 + [[2.0]] * 6)
    assert found == pytest.approx((32.0, 8.0, 2.0, 2.0))


def test_there_and_back():
    """Two sides of a right angle, 3 and 4: mean of (3 * 2)^2 and (4 * 2)^2; 4 over 3.5; 7 long for a
    distance of 5.
    """
    assert path_smoothness.path_figures([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]]) == pytest.approx(
        (50.0, 8.0 / 7.0, 7.0, 5.0)
    )
    assert path_smoothness.path_figures([[0.0], [1.0], [0.0]]) == pytest.approx((4.0, 1.0, 2.0, 0.0))


def test_a_path_that_stands_still_is_even():
    assert path_smoothness.path_figures(np.ones([5, 3])) == (0.0, 1.0, 0.0, 0.0)
    with pytest.raises(ValueError, match=r'path of shape \[1, 3\]'):
        path_smoothness.path_figures(np.ones([1, 3]))
    with pytest.raises(ValueError, match=r'path of shape \[3\]'):
        path_smoothness.path_figures(np.ones(3))


def test_bounds_of_any_path():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = rng.normal(size=(rng.integers(2, 9), 4))
        steps = np.array(
            [np.sqrt(sum((a - b) ** 2 for a, b in zip(*pair))) for pair in zip(points, points[1:])]
        )
        found = path_smoothness.path_figures(points)
        assert 1.0 <= found.unevenness <= len(steps) + 1e-9 and found.length >= found.end_distance - 1e-9
        # Jensen: length squared, times one plus the squared coefficient of variation of the steps.
        assert found.perceptual_length == pytest.approx(
            found.length**2 * (1.0 + (steps.std() / steps.mean()) ** 2)
        )


def test_pixels_are_one_apart_from_black_to_white_whatever_their_number():
    for shape in ((4, 4), (8, 64)):
        points = path_smoothness.pixel_points([np.full(shape, grey, np.uint8) for grey in (0, 51, 255)])
        assert path_smoothness.path_figures(points).length == pytest.approx(1.0)
        assert path_smoothness.path_figures(points).unevenness == pytest.approx(1.6)  # .8 over .5


def test_darkness_of_the_middle():
    # a tenth of 20 x 20 px
    def ink(grey, row):
        return np.pad(np.full([2, 20], grey, np.uint8), [(row, 18 - row), (0, 0)], constant_values=255)

    moved = [ink(15, 2), ink(15, 8), ink(15, 14)]
    assert path_smoothness.middle_darkness(moved) == 1.0
    mixed = [moved[0], np.uint8((np.float64(moved[0]) + moved[2]) / 2.0), moved[2]]
    assert path_smoothness.middle_darkness(mixed) == pytest.approx(0.5)
    # 240 over the mean of 200 and 0
    assert path_smoothness.middle_darkness([ink(55, 2), ink(15, 2), ink(255, 2)]) == pytest.approx(2.4)
    assert path_smoothness.middle_darkness([ink(255, 2)] * 3) == 1.0


def test_darkness_is_that_of_the_middle_picture():
    pictures = [np.full([4, 4], grey, np.uint8) for grey in (55, 255, 155, 255, 55)]
    # 100 over 200; a quarter of the way it is 0
    assert path_smoothness.middle_darkness(pictures) == pytest.approx(0.5)
    assert path_smoothness.middle_darkness([*pictures[:2], *pictures[3:]]) == 0.0  # of four the third


def test_the_darkest_pixels_are_three_in_a_hundred():
    """Ink in four rows of a hundred counts as ink, in two rows it does not."""

    def rows(number):
        return np.repeat(np.uint8([55, 255]), [number, 100 - number])[:, np.newaxis].repeat(7, axis=1)

    assert (
        path_smoothness.middle_darkness([rows(4)] * 3)
        == path_smoothness.middle_darkness([rows(4), rows(4), rows(5)])
        == 1.0
    )
    assert path_smoothness.middle_darkness([rows(4), rows(2), rows(4)]) == pytest.approx(0.0, abs=1e-9)
    assert path_smoothness.middle_darkness([rows(2), rows(4), rows(2)]) == 1.0  # no ink at the ends
    assert path_smoothness.middle_darkness([rows(2), rows(4), rows(4)]) == pytest.approx(2.0)
