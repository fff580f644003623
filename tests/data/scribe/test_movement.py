"""The movement of a pen."""

import numpy as np
import pytest
from scipy import stats

from hwgen.data.scribe import movement


def test_normal_distribution_is_scipys():
    z = np.linspace(-8, 8, 4001)
    np.testing.assert_allclose(movement.normal_distribution(z), stats.norm.cdf(z), atol=7.5e-8)


def test_a_single_stroke_is_a_lognormal_pulse():
    """Where the pen is at each time is how much of a lognormal has passed: SciPy's, with the parameters that the docstring states."""
    moved = movement.trace(np.array([[0, 0], [.4, 0]]), np.array([True]), hurry=.5)
    own = float(movement.durations(np.array([.4]), np.array([True]), hurry=.5)[0])
    width = own + .031
    scale = width / (np.exp(2 * movement.SHAPE) - np.exp(-2 * movement.SHAPE))
    onset = own / 2 - width / 2 - scale * np.exp(-2 * movement.SHAPE)
    expected = .4 * stats.lognorm.cdf(moved.time_sec - onset, movement.SHAPE, scale=scale)
    np.testing.assert_allclose(moved.points[:, 0], expected, atol=2e-6)
    assert (moved.points[:, 1] == 0).all()


def test_four_times_the_way_takes_twice_the_time():
    short, long, travel = movement.durations(np.array([.1, .4, .4]), np.array([True, True, False]), hurry=.3)
    assert long / short == pytest.approx(2, abs=2e-3) and travel / long == pytest.approx(.75)
    assert movement.durations(np.array([1.]), np.array([True]), hurry=0)[0] == pytest.approx(.31, abs=1e-4)
    assert movement.durations(np.array([1.]), np.array([True]), hurry=1)[0] == pytest.approx(.075, abs=1e-4)


def distances_to(targets, moved):
    return np.array([np.hypot(*(moved.points - target).T).min() for target in targets])


def test_who_is_careful_meets_the_corners_and_who_hurries_rounds_them():
    corner = np.array([[.1, .2], [.8, .2], [.8, .8]])
    down = np.array([True, True])
    careful, hurried = (movement.trace(corner, down, hurry=hurry, rest_sec=.015 * (1 - hurry)) for hurry in (0., 1.))
    assert distances_to(corner[1:2], careful)[0] < .03 < .05 < distances_to(corner[1:2], hurried)[0] < .2
    # Both come to the end, and the one is faster.
    assert np.hypot(*(careful.points[-1] - corner[-1])) < .02 and np.hypot(*(hurried.points[-1] - corner[-1])) < .05
    assert hurried.time_sec[-1] < .4 * careful.time_sec[-1]


def test_the_pen_rests_where_strokes_end_and_begin():
    """Once after each stroke and once before the next: four changes from paper to air and back here."""
    targets, down = np.random.default_rng(1).random((7, 2)), np.array([True, True, False, True, False, True])
    without, rested = (movement.trace(targets, down, hurry=.4, rest_sec=rest_sec) for rest_sec in (0., .02))
    later = rested.time_sec - without.time_sec
    np.testing.assert_allclose([later[without.piece_of == piece].mean() for piece in range(6)], [0, 0, .02, .04, .06, .08], atol=1e-5)


def test_time_runs_and_pieces_follow_each_other():
    rng = np.random.default_rng(0)
    moved = movement.trace(rng.random((30, 2)), rng.random(29) < .6, hurry=.6, rest_sec=.01)
    assert (np.diff(moved.time_sec) > 0).all() and (np.diff(moved.piece_of) >= 0).all() and set(moved.piece_of) == set(range(29))


def test_a_point_in_the_middle_of_a_straight_stroke_does_not_stop_the_pen():
    line = np.array([[0, 0], [.2, 0], [.4, 0]])
    moved = movement.trace(line, np.array([True, True]), hurry=0.)
    speed = np.diff(moved.points[:, 0]) / np.diff(moved.time_sec)
    inner = speed[len(speed) // 4:-len(speed) // 4]
    assert inner.min() > .45 * inner.max()
