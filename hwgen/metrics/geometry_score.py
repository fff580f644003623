"""Geometry score: do two collections of points have holes alike?

Khrulkov and Oseledets 2018, "Geometry score: a method for comparing GANs".

For a random choice of landmarks the witness complex of the points is grown; the times during which it has
exactly i one-dimensional holes, as shares of the whole time, are its relative living times. Their means over
many choices are compared. No network is needed: points may be the pixels.

The filtration is that of the authors' code, which gives plain distances to GUDHI's (weak) witness complex
where squared ones are meant, so that figures are comparable; homology is over Z_2. GUDHI itself is not used:
one dimension of homology over 64 vertices is a few lines.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

NUM_LANDMARKS, MAX_HOLES, NUM_REPEATS = 64, 100, 1000


def default_gamma(num_points: int) -> float:
    """Share of the largest distance at which a complex stops growing; the authors' rule."""
    return num_points / 5000.0 / 128.0


def relative_living_times(
    points: ArrayLike,
    *,
    num_landmarks: int = NUM_LANDMARKS,
    gamma: float | None = None,
    max_holes: int = MAX_HOLES,
    num_repeats: int = NUM_REPEATS,
    seed: int | Sequence[int] = 0,
) -> np.ndarray:
    """Mean relative living times of the numbers of holes (MRLT, algorithm 1).

    Args:
        points: float [n, D].
        num_landmarks: drawn anew for each repeat, with replacement as the authors' code draws.
        gamma: share of the largest distance at which a complex stops growing; None: `default_gamma`.
        max_holes: I; numbers of holes from 0 to I - 1 are told apart.
        num_repeats: over how many choices of landmarks the mean is.
        seed: of the choices.

    Returns:
        float64 [I], the shares of time; they sum to 1 unless there were more holes.

    Raises:
        ValueError: fewer than two points.
    """
    points = np.asarray(points, np.float64)
    if len(points) < 2:
        raise ValueError(f'geometry score of {len(points)} points: expected at least 2')
    rng, total = np.random.default_rng(seed), np.zeros(max_holes)
    squares = np.square(points).sum(1)
    gamma = default_gamma(len(points)) if gamma is None else gamma
    for _ in range(num_repeats):
        chosen = rng.integers(len(points), size=num_landmarks)
        distances = np.sqrt(
            np.maximum(squares[:, np.newaxis] + squares[chosen] - 2.0 * (points @ points[chosen].T), 0.0)
        )
        distances[chosen, np.arange(num_landmarks)] = 0.0
        end = distances.max() * gamma
        total += living_times(hole_intervals(distances, end=end), end=end, max_holes=max_holes)
    return total / num_repeats


def geometry_score(first: ArrayLike, second: ArrayLike) -> float:
    """Squared distance of two mean relative living times [I] (algorithm 2); 0 for collections whose holes
    are alike.
    """
    return float(np.square(np.asarray(first) - np.asarray(second)).sum())


def hole_intervals(distances: np.ndarray, *, end: float) -> list[tuple[float, float]]:
    """When the one-dimensional holes of a witness complex come and go.

    A simplex of landmarks appears at the smallest a at which all its faces are there and some witness has it
    among its nearest up to a: no landmark outside it is nearer, by more than a, than its farthest one.

    Args:
        distances: float [witnesses, landmarks].
        end: the complex grows up to here.

    Returns:
        Birth and death of each, death = `end` for holes that stay; none is empty.
    """
    (edges, births), (triangles, deaths) = _filtration(distances, end)
    order = np.full([distances.shape[1]] * 2, -1)
    order[edges[:, 0], edges[:, 1]] = np.arange(len(edges))
    closing = _cycle_edges(edges, distances.shape[1])
    boundaries = np.stack(
        [order[triangles[:, i], triangles[:, j]] for i, j in ((0, 1), (0, 2), (1, 2))], axis=1
    )
    intervals: list[tuple[float, float]] = []
    columns: dict[int, int] = {}  # by the youngest edge of each
    for boundary, death in zip(boundaries.tolist(), deaths.tolist(), strict=True):
        if len(columns) == len(closing):  # every cycle is filled: what follows fills nothing
            break
        column = 1 << boundary[0] | 1 << boundary[1] | 1 << boundary[2]  # a bit an edge
        while column:
            youngest = column.bit_length() - 1
            if youngest not in columns:
                columns[youngest] = column
                if death > births[youngest]:
                    intervals.append((float(births[youngest]), death))
                break
            column ^= columns[youngest]
    return intervals + [
        (float(births[place]), end) for place in closing if place not in columns and births[place] < end
    ]


def living_times(
    intervals: Sequence[tuple[float, float]], *, end: float, max_holes: int = MAX_HOLES
) -> np.ndarray:
    """Shares of the time from 0 to `end` with exactly 0, 1, ... holes (eq. 2 and 3).

    Args:
        intervals: birth and death of each hole, within 0 and `end`.
        end: of the time; 0, a complex that never grew, counts as no holes throughout.
        max_holes: I.

    Returns:
        float64 [I].
    """
    shares = np.zeros(max_holes)
    if not intervals or end <= 0.0:
        shares[0] = 1.0
        return shares
    births, deaths = np.sort(np.array(intervals).T)
    times = np.unique(np.concatenate([births, deaths, [0.0, end]]))
    middles = (times[:-1] + times[1:]) / 2.0
    holes = np.searchsorted(births, middles, side='right') - np.searchsorted(deaths, middles, side='right')
    fits = holes < max_holes
    np.add.at(shares, holes[fits], np.diff(times)[fits] / end)
    return shares


def _filtration(distances, end):
    """Edges int [E, 2] and triangles int [T, 3] up to `end`, vertices ascending, each with its values [E]
    and [T], in the order of these.
    """
    num_landmarks = distances.shape[1]
    landmarks = np.argsort(distances, axis=1, kind='stable')
    sorted_distances = np.take_along_axis(distances, landmarks, axis=1)
    found, faces = [], None
    for size in (2, 3):
        values = np.full([num_landmarks] * size, np.inf)
        for last in range(size - 1, num_landmarks):
            # A simplex leaves out one of the first ranks; the latest that can be is size - 1. Where even that
            # one is nearer than the farthest
            # vertex by more than `end`, so it is for all farther ones.
            if (
                last > size - 1
                and not (sorted_distances[:, last] - sorted_distances[:, size - 1] <= end).any()
            ):
                break
            others = np.array(list(itertools.combinations(range(last), size - 1)))
            # The nearest landmark outside: the first rank that is left out. With the first `size` ranks
            # nothing nearer is left out.
            outside = np.minimum(
                np.argmin(np.pad(others, [(0, 0), (0, 1)], constant_values=-1) == np.arange(size), axis=1),
                last,
            )
            # witnesses x simplices
            wait = sorted_distances[:, last, np.newaxis] - sorted_distances[:, outside]
            witness, simplex = np.nonzero(wait <= end)
            vertices = np.concatenate(
                [landmarks[witness[:, np.newaxis], others[simplex]], landmarks[witness, last, np.newaxis]],
                axis=1,
            )
            np.minimum.at(values, tuple(np.sort(vertices, axis=1).T), wait[witness, simplex])
        if faces is not None:  # a triangle waits for its edges
            values = np.maximum(
                values,
                np.maximum(faces[:, :, np.newaxis], np.maximum(faces[:, np.newaxis], faces[np.newaxis])),
            )
        faces = values
        simplices = np.argwhere(values <= end)
        reached = values[tuple(simplices.T)]
        by_value = np.argsort(reached, kind='stable')
        found.append((simplices[by_value], reached[by_value]))
    return found


def _cycle_edges(edges, num_vertices):
    """Places of the edges that close a cycle, by union and find."""
    parent = list(range(num_vertices))

    def root(vertex):
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex

    closing = []
    for place, (first, second) in enumerate(edges.tolist()):
        first, second = root(first), root(second)
        if first == second:
            closing.append(place)
        parent[first] = second
    return closing
