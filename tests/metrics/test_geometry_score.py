"""Geometry score: complexes against their definition and ranks of boundary matrices, shapes whose holes
are known.
"""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from hwgen.metrics import geometry_score


def filtration(distances, size):
    """By the definition: the smallest a at which the faces are there and a witness has no outsider nearer
    by more than a.
    """
    values = {}
    for simplex in itertools.combinations(range(distances.shape[1]), size):
        outside = np.delete(distances, simplex, axis=1)
        farthest = distances[:, simplex].max(1)
        wait = np.maximum(farthest - outside.min(1), 0.0).min() if outside.shape[1] else 0.0
        faces = filtration(distances, size - 1) if size > 2 else {}
        values[simplex] = max(
            [wait, *(faces[face] for face in itertools.combinations(simplex, size - 1) if faces)]
        )
    return values


def holes_at(edges, triangles, num_vertices, time):
    """First Betti number: edges - rank(boundary of edges) - rank(boundary of triangles), over Z_2."""
    there = [edge for edge, value in edges.items() if value <= time]
    filled = [triangle for triangle, value in triangles.items() if value <= time]
    first = [[vertex in edge for vertex in range(num_vertices)] for edge in there]
    second = [[set(edge) <= set(triangle) for edge in there] for triangle in filled]
    return len(there) - rank(first) - rank(second)


def rank(rows):
    rows, found = [int(''.join('01'[bool(value)] for value in row), 2) for row in rows], 0
    while rows:
        pivot = rows.pop()
        if pivot:
            found += 1
            low = pivot & -pivot
            rows = [row ^ pivot if row & low else row for row in rows]
    return found


@pytest.mark.parametrize('seed, share', [(0, 0.05), (1, 0.2), (2, 1.0), (3, 0.4)])
def test_intervals_are_those_of_the_definition(seed, share):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=[40, 2])
    # landmarks may be drawn twice
    distances = np.linalg.norm(points[:, np.newaxis] - points[rng.integers(40, size=8)], axis=-1)
    end = distances.max() * share
    intervals = geometry_score.hole_intervals(distances, end=end)
    edges, triangles = filtration(distances, 2), filtration(distances, 3)
    times = np.linspace(0.0, end, 101)[:-1] + end / 200.0
    expected = [holes_at(edges, triangles, 8, time) for time in times]
    assert [sum(birth <= time < death for birth, death in intervals) for time in times] == expected
    assert all(0.0 <= birth < death <= end for birth, death in intervals)


def test_living_times_by_hand():
    # None from 0 to 1, one to 2, two to 4, one to 5, none to 10.
    found = geometry_score.living_times([(1.0, 4.0), (2.0, 5.0)], end=10.0, max_holes=4)
    np.testing.assert_allclose(found, [0.6, 0.2, 0.2, 0.0])
    np.testing.assert_allclose(
        geometry_score.living_times([(1.0, 4.0), (2.0, 5.0)], end=10.0, max_holes=2), [0.6, 0.2]
    )
    np.testing.assert_array_equal(geometry_score.living_times([], end=10.0, max_holes=2), [1.0, 0.0])
    np.testing.assert_array_equal(geometry_score.living_times([], end=0.0, max_holes=2), [1.0, 0.0])
    assert geometry_score.default_gamma(5000) == 1 / 128


def ring(count, rng, centre=0.0):
    angle = rng.uniform(0.0, 2.0 * np.pi, count)
    return np.stack([np.cos(angle) + centre, np.sin(angle)], axis=1)


def test_shapes_have_the_holes_that_they_have():
    rng = np.random.default_rng(0)

    def times(points):
        return geometry_score.relative_living_times(
            points, num_landmarks=24, gamma=0.04, max_holes=8, num_repeats=8, seed=1
        )

    one, two = times(ring(500, rng)), times(np.concatenate([ring(250, rng), ring(250, rng, centre=4.0)]))
    again = times(ring(300, rng))
    assert one.argmax() == again.argmax() == 1 and two.argmax() == 2
    np.testing.assert_allclose([one.sum(), two.sum()], 1.0)
    assert geometry_score.geometry_score(one, again) < 0.1 * geometry_score.geometry_score(one, two)
    assert (
        geometry_score.geometry_score(one, one) == 0.0
        and geometry_score.geometry_score([1.0, 0.0], [0.0, 1.0]) == 2.0
    )
    radius = np.sqrt(rng.uniform(0.0, 1.0, 500))[:, np.newaxis]
    disc = geometry_score.relative_living_times(
        ring(500, rng) * radius, num_landmarks=24, gamma=0.3, max_holes=8, num_repeats=8, seed=1
    )
    assert disc.argmax() == 0


def test_seed_and_scale():
    points = np.random.default_rng(2).normal(size=[60, 3])

    def times(scale, seed):
        return geometry_score.relative_living_times(
            points * scale, num_landmarks=12, gamma=0.1, num_repeats=3, seed=seed
        )

    np.testing.assert_array_equal(times(1.0, 0), times(1.0, 0))
    assert (times(1.0, 0) != times(1.0, 1)).any()
    np.testing.assert_allclose(times(4.0, 0), times(1.0, 0), atol=1e-9)
    np.testing.assert_array_equal(times(0.0, 0), np.eye(100)[0])  # all points are one


def test_living_times_are_the_mean_over_the_choices_of_landmarks():
    """Worked out again, with the distances of SciPy: landmarks are drawn with replacement, each choice
    grows to a share of its own largest distance.
    """
    points, rng, expected = (
        np.random.default_rng(4).normal(size=[50, 3]) + 5.0,
        np.random.default_rng([7, 4]),
        [],
    )
    points[9] *= 4.0  # far away: it matters whether it is a landmark
    for _ in range(3):
        distances = cdist(points, points[rng.integers(50, size=13)])
        end = distances.max() * 0.15
        expected.append(
            geometry_score.living_times(
                geometry_score.hole_intervals(distances, end=end), end=end, max_holes=2
            )
        )
    found = geometry_score.relative_living_times(
        points, num_landmarks=13, gamma=0.15, max_holes=2, num_repeats=3, seed=[7, 4]
    )
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-6)
    assert 0.0 < found.sum() < 1.0 and found.shape == (2,)  # there are times with two holes and more


def test_the_authors_numbers():
    assert (geometry_score.NUM_LANDMARKS, geometry_score.MAX_HOLES, geometry_score.NUM_REPEATS) == (
        64,
        100,
        1000,
    )
    assert geometry_score.relative_living_times.__kwdefaults__ == {
        'num_landmarks': 64,
        'gamma': None,
        'max_holes': 100,
        'num_repeats': 1000,
        'seed': 0,
    }
    assert geometry_score.default_gamma(2000) == pytest.approx(0.4 / 128) and geometry_score.default_gamma(
        20_000
    ) == pytest.approx(4 / 128)


def test_the_size_of_a_complex_is_that_of_the_number_of_points(monkeypatch):
    points = np.random.default_rng(2).normal(size=[60, 3])

    def times(gamma):
        return geometry_score.relative_living_times(points, num_landmarks=12, gamma=gamma, num_repeats=2)

    monkeypatch.setattr(geometry_score, 'default_gamma', lambda number: number / 400.0)
    np.testing.assert_array_equal(times(None), times(0.15))
    assert (times(None) != times(0.1)).any()


def test_times_without_growth_are_times_without_holes():
    np.testing.assert_array_equal(
        geometry_score.living_times([(0.0, 0.0)], end=0.0, max_holes=3), [1.0, 0.0, 0.0]
    )
    assert geometry_score.living_times([(1.0, 2.0)], end=4.0).shape == (100,)
    assert geometry_score.hole_intervals(np.zeros([5, 3]), end=0.0) == []
    assert geometry_score.geometry_score([1.0, 0.0, 0.5], [0.5, 0.25, 0.0]) == 0.25 + 0.0625 + 0.25


def test_too_few_points():
    with pytest.raises(ValueError, match='1 points: expected at least 2'):
        geometry_score.relative_living_times(np.zeros([1, 2]))
