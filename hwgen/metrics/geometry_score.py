"""Geometry score: do two collections of points have holes alike? Khrulkov and Oseledets 2018, "Geometry score: a method for comparing GANs".

For a random choice of landmarks the witness complex of the points is grown; the times during which it has exactly i one-dimensional holes, as shares
of the whole time, are its relative living times. Their means over many choices are compared. No network is needed: points may be the pixels.

The filtration is that of the authors' code, which gives plain distances to GUDHI's (weak) witness complex where squared ones are meant, so that
figures are comparable; homology is over Z_2. GUDHI itself is not used: one dimension of homology over 64 vertices is a few lines.
"""

import itertools

import numpy as np

NUM_LANDMARKS, MAX_HOLES, NUM_REPEATS = 64, 100, 1000


def default_gamma(num_points):
    """Share of the largest distance at which a complex stops growing; the authors' rule."""
    return num_points / 5000. / 128.


def relative_living_times(points, *, num_landmarks=NUM_LANDMARKS, gamma=None, max_holes=MAX_HOLES, num_repeats=NUM_REPEATS, seed=0):
    """Mean relative living times of the numbers of holes (MRLT, algorithm 1).

    Args:
        points: float [n, D].
        num_landmarks: int, drawn anew for each repeat, with replacement as the authors' code draws.
        gamma: float, or None for `default_gamma`.
        max_holes: int, I; numbers of holes from 0 to I - 1 are told apart.
        num_repeats: int.
        seed: int.

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
        distances = np.sqrt(np.maximum(squares[:, np.newaxis] + squares[chosen] - 2. * (points @ points[chosen].T), 0.))
        distances[chosen, np.arange(num_landmarks)] = 0.
        end = distances.max() * gamma
        total += living_times(hole_intervals(distances, end=end), end=end, max_holes=max_holes)
    return total / num_repeats


def geometry_score(first, second):
    """Squared distance of two mean relative living times [I] (algorithm 2); 0 for collections whose holes are alike."""
    return float(np.square(np.asarray(first) - np.asarray(second)).sum())


def hole_intervals(distances, *, end):
    """When the one-dimensional holes of a witness complex come and go.

    A simplex of landmarks appears at the smallest a at which all its faces are there and some witness has it among its
    nearest up to a: no landmark outside it is nearer, by more than a, than its farthest one.

    Args:
        distances: float [witnesses, landmarks].
        end: float, the complex grows up to here.

    Returns:
        list of (float, float): birth and death, death = `end` for holes that stay; none is empty.
    """
    edges, triangles = _filtration(distances, end)
    order = {edge: place for place, edge in enumerate(sorted(edges, key=lambda edge: (edges[edge], edge)))}
    births = [edges[edge] for edge in order]
    closing = _cycle_edges(order, distances.shape[1])
    intervals, columns = [], {}
    for triangle in sorted(triangles, key=lambda triangle: (triangles[triangle], triangle)):
        column = 0  # the triangle's boundary, a bit an edge
        for edge in itertools.combinations(triangle, 2):
            column |= 1 << order[edge]
        while column:
            youngest = column.bit_length() - 1
            if youngest not in columns:
                columns[youngest] = column
                if triangles[triangle] > births[youngest]:
                    intervals.append((births[youngest], triangles[triangle]))
                break
            column ^= columns[youngest]
    return intervals + [(births[place], end) for place in closing if place not in columns and births[place] < end]


def living_times(intervals, *, end, max_holes=MAX_HOLES):
    """Shares of the time from 0 to `end` with exactly 0, 1, ... holes (eq. 2 and 3).

    Args:
        intervals: list of (birth, death) within 0 and `end`.
        end: float; 0, a complex that never grew, counts as no holes throughout.
        max_holes: int, I.

    Returns:
        float64 [I].
    """
    shares = np.zeros(max_holes)
    if not intervals or end <= 0.:
        shares[0] = 1.
        return shares
    births, deaths = np.sort(np.array(intervals).T)
    times = np.unique(np.concatenate([births, deaths, [0., end]]))
    middles = (times[:-1] + times[1:]) / 2.
    holes = np.searchsorted(births, middles, side='right') - np.searchsorted(deaths, middles, side='right')
    fits = holes < max_holes
    np.add.at(shares, holes[fits], np.diff(times)[fits] / end)
    return shares


def _filtration(distances, end):
    """dicts (a, b) -> value and (a, b, c) -> value of the edges and triangles up to `end`, a < b < c."""
    num_landmarks = distances.shape[1]
    landmarks = np.argsort(distances, axis=1, kind='stable')
    sorted_distances = np.take_along_axis(distances, landmarks, axis=1)
    edges, triangles = {}, {}
    for size, found in ((2, edges), (3, triangles)):
        values = np.full([num_landmarks] * size, np.inf)
        for ranks in _ranks(sorted_distances, size, end):
            # The nearest landmark outside a simplex: the first rank that it leaves out.
            outside = next(rank for rank in range(size + 1) if rank not in ranks)
            wait = np.zeros(len(distances)) if outside > ranks[-1] else sorted_distances[:, ranks[-1]] - sorted_distances[:, outside]
            reached = wait <= end
            simplices = np.sort(landmarks[reached][:, ranks], axis=1)
            np.minimum.at(values, tuple(simplices.T), wait[reached])
        for simplex in zip(*np.nonzero(np.isfinite(values))):
            simplex = tuple(int(vertex) for vertex in simplex)
            faces = [edges.get(face, np.inf) for face in itertools.combinations(simplex, 2)] if size == 3 else []
            value = max(float(values[simplex]), *faces, 0.)
            if value <= end:
                found[simplex] = value
    return edges, triangles


def _ranks(sorted_distances, size, end):
    """Ascending ranks of the simplices that some witness may have up to `end`."""
    num_landmarks = sorted_distances.shape[1]
    for last in range(size - 1, num_landmarks):
        # The landmark left out has rank size - 1 at most: when even that one is nearer by more than `end`, so it stays.
        if last > size - 1 and (sorted_distances[:, last] - sorted_distances[:, size - 1]).min() > end:
            return
        for others in itertools.combinations(range(last), size - 1):
            ranks = (*others, last)
            outside = next(rank for rank in range(size + 1) if rank not in ranks)
            if outside > last or (sorted_distances[:, last] - sorted_distances[:, outside]).min() <= end:
                yield ranks


def _cycle_edges(order, num_vertices):
    """Places of the edges that close a cycle, by union and find."""
    parent = list(range(num_vertices))

    def root(vertex):
        while parent[vertex] != vertex:
            parent[vertex] = parent[parent[vertex]]
            vertex = parent[vertex]
        return vertex
    closing = []
    for (first, second), place in order.items():
        first, second = root(first), root(second)
        if first == second:
            closing.append(place)
        parent[first] = second
    return closing
