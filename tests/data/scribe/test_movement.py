"""The movement of a pen."""

import numpy as np
import pytest
from scipy import stats

from hwgen.data.scribe import movement


def test_normal_distribution_is_scipys():
    z = np.linspace(-8, 8, 4001)
    np.testing.assert_allclose(movement.normal_distribution(z), stats.norm.cdf(z), atol=7.5e-8)


def test_a_single_stroke_is_a_lognormal_pulse():
    """Where the pen is at each time is how much of a lognormal has passed: SciPy's, with the parameters
    that the docstring states.
    """
    moved = movement.trace(np.array([[0, 0], [0.4, 0]]), np.array([True]), hurry=0.5)
    own = float(movement.durations(np.array([0.4]), np.array([True]), hurry=0.5)[0])
    width = own + 0.031
    scale = width / (np.exp(2 * movement.SHAPE) - np.exp(-2 * movement.SHAPE))
    onset = own / 2 - width / 2 - scale * np.exp(-2 * movement.SHAPE)
    expected = 0.4 * stats.lognorm.cdf(moved.time_sec - onset, movement.SHAPE, scale=scale)
    np.testing.assert_allclose(moved.points[:, 0], expected, atol=2e-6)
    assert (moved.points[:, 1] == 0).all()


def test_four_times_the_way_takes_twice_the_time():
    short, long, travel = movement.durations(
        np.array([0.1, 0.4, 0.4]), np.array([True, True, False]), hurry=0.3
    )
    assert long / short == pytest.approx(2, abs=2e-3) and travel / long == pytest.approx(0.75)
    assert movement.durations(np.array([1.0]), np.array([True]), hurry=0)[0] == pytest.approx(0.31, abs=1e-4)
    assert movement.durations(np.array([1.0]), np.array([True]), hurry=1)[0] == pytest.approx(0.075, abs=1e-4)


def distances_to(targets, moved):
    return np.array([np.hypot(*(moved.points - target).T).min() for target in targets])


def test_who_is_careful_meets_the_corners_and_who_hurries_rounds_them():
    corner = np.array([[0.1, 0.2], [0.8, 0.2], [0.8, 0.8]])
    down = np.array([True, True])
    careful, hurried = (
        movement.trace(corner, down, hurry=hurry, rest_sec=0.015 * (1 - hurry)) for hurry in (0.0, 1.0)
    )
    assert distances_to(corner[1:2], careful)[0] < 0.03 < 0.05 < distances_to(corner[1:2], hurried)[0] < 0.2
    # Both come to the end, and the one is faster.
    assert (
        np.hypot(*(careful.points[-1] - corner[-1])) < 0.02
        and np.hypot(*(hurried.points[-1] - corner[-1])) < 0.05
    )
    assert hurried.time_sec[-1] < 0.4 * careful.time_sec[-1]


def test_the_pen_rests_where_strokes_end_and_begin():
    """Once after each stroke and once before the next: four changes from paper to air and back here."""
    targets, down = np.random.default_rng(1).random((7, 2)), np.array([True, True, False, True, False, True])
    without, rested = (
        movement.trace(targets, down, hurry=0.4, rest_sec=rest_sec) for rest_sec in (0.0, 0.02)
    )
    later = rested.time_sec - without.time_sec
    np.testing.assert_allclose(
        [later[without.piece_of == piece].mean() for piece in range(6)],
        [0, 0, 0.02, 0.04, 0.06, 0.08],
        atol=1e-5,
    )


def test_time_runs_and_pieces_follow_each_other():
    rng = np.random.default_rng(0)
    moved = movement.trace(rng.random((30, 2)), rng.random(29) < 0.6, hurry=0.6, rest_sec=0.01)
    assert (
        (np.diff(moved.time_sec) > 0).all()
        and (np.diff(moved.piece_of) >= 0).all()
        and set(moved.piece_of) == set(range(29))
    )


def test_a_point_in_the_middle_of_a_straight_stroke_does_not_stop_the_pen():
    line = np.array([[0, 0], [0.2, 0], [0.4, 0]])
    moved = movement.trace(line, np.array([True, True]), hurry=0.0)
    speed = np.diff(moved.points[:, 0]) / np.diff(moved.time_sec)
    inner = speed[len(speed) // 4 : -len(speed) // 4]
    assert inner.min() > 0.45 * inner.max()


def by_scipy(targets, down, *, hurry, rest_sec):
    """Times by hand and positions from SciPy's lognormal distribution, piece after piece: the same as
    `trace` in another way.
    """
    count, unit = len(down), 0.31 * (0.075 / 0.31) ** hurry
    lengths = [np.linalg.norm(targets[k + 1] - targets[k]) for k in range(count)]
    own = [unit * np.sqrt(length + 1e-4) * (1 if d else 0.75) for length, d in zip(lengths, down)]
    starts, onward = [0.0], []
    for k in range(1, count):
        a, b = targets[k] - targets[k - 1], targets[k + 1] - targets[k]
        turn = 1 - a @ b / (lengths[k - 1] * lengths[k])
        rest = (
            rest_sec
            if down[k] != down[k - 1]
            else 0.025 * max(0, 1 - hurry) * min(turn, 1.5) / 1.5
            if down[k]
            else 0
        )
        starts.append(starts[-1] + own[k - 1] + rest)
        onward.append(max(0, 1 - turn / 0.35) if down[k] and down[k - 1] else 0)
    time, piece_of = [], []
    for k in range(count):
        samples = min(14, max(2, int(np.ceil(lengths[k] / (0.028 if down[k] else 0.07))) + 1))
        span = own[k] + (0.6 * 0.031 if k == count - 1 else 0)
        time += [starts[k] + span * (n + 0.5) / samples for n in range(samples)]
        piece_of += [k] * samples
    time = np.array(time)
    points = np.tile(targets[0], (len(time), 1))
    for k in range(count):
        width = (
            own[k] * (1 + 0.5 * ((onward[k - 1] if k else 0) + (onward[k] if k < count - 1 else 0))) + 0.031
        )
        scale = width / (np.exp(0.56) - np.exp(-0.56))
        onset = starts[k] + own[k] / 2 - width / 2 - scale * np.exp(-0.56)
        points += stats.lognorm.cdf(time - onset, 0.28, scale=scale)[:, None] * (targets[k + 1] - targets[k])
    return points, time, piece_of


@pytest.mark.parametrize('hurry, rest_sec', [(0.0, 0.0), (0.3, 0.02), (0.8, 0.01), (1.1, 0.03)])
def test_a_movement_is_the_sum_of_its_pulses(hurry, rest_sec):
    """Sharp and blunt corners, points on straight strokes, travel, long pieces and short ones."""
    targets = np.array(
        [
            [0.1, 0.1],
            [0.5, 0.12],
            [0.9, 0.16],
            [0.85, 0.2],
            [0.86, 0.9],
            [0.8, 0.88],
            [0.3, 0.3],
            [0.32, 0.31],
            [0.7, 0.3],
            [0.4, 0.7],
            [0.45, 0.72],
            [0.1, 0.1],
            [0.1, 0.9],
        ]
    )
    down = np.array([True, True, True, True, True, False, True, True, False, False, True, True])
    moved = movement.trace(targets, down, hurry=hurry, rest_sec=rest_sec)
    points, time, piece_of = by_scipy(targets, down, hurry=hurry, rest_sec=rest_sec)
    np.testing.assert_array_equal(moved.piece_of, piece_of)
    np.testing.assert_allclose(moved.time_sec, time, atol=1e-6)
    np.testing.assert_allclose(moved.points, points, atol=5e-6)
    assert (moved.points.dtype, moved.time_sec.dtype, moved.piece_of.dtype) == (
        np.float32,
        np.float32,
        np.int32,
    )


def test_a_target_twice_is_no_way():
    moved = movement.trace(np.array([[0.2, 0.3], [0.2, 0.3], [0.5, 0.3]]), np.array([True, True]), hurry=0.5)
    assert (
        np.isfinite(moved.points).all()
        and (moved.piece_of == 0).sum() == 2
        and np.hypot(*(moved.points[-1] - [0.5, 0.3])) < 0.03
    )
