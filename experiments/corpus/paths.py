"""The skeleton of a character as the lines a pen went along."""

import numpy as np

_ALL = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def trace(skeleton):
    """Cuts a skeleton at its ends and crossings.

    Args:
        skeleton: bool [H, W], one pixel wide.

    Returns:
        list of (float64 [N, 2] px x, y, N >= 2; int, how many of its two ends meet another line, 2 for a
        closed one).
    """
    around = _neighbours(skeleton)
    paths, seen = [], set()
    nodes = [pixel for pixel, near in around.items() if len(near) not in (0, 2)]

    def follow(start, step):
        pixels = [start, step]
        while len(around[pixels[-1]]) == 2 and pixels[-1] != start:
            a, b = around[pixels[-1]]
            pixels.append(b if a == pixels[-2] else a)
        seen.update((pixels[i], pixels[i + 1]) for i in range(len(pixels) - 1))
        seen.update((pixels[i + 1], pixels[i]) for i in range(len(pixels) - 1))
        paths.append(
            (np.array([(x, y) for y, x in pixels], float), sum(len(around[pixels[i]]) > 1 for i in (0, -1)))
        )

    for node in nodes:
        for step in around[node]:
            if (node, step) not in seen:
                follow(node, step)
    walked = {pixel for edge in seen for pixel in edge}
    for pixel, near in around.items():
        if len(near) == 2 and pixel not in walked:  # a ring without a crossing
            follow(pixel, near[0])
            walked.update((int(y), int(x)) for x, y in paths[-1][0])
    return paths


def _neighbours(skeleton):
    """dict pixel (y, x) -> list of pixels; a diagonal step is left out where two straight ones lead to the
    same.
    """
    pixels = set(zip(*(axis.tolist() for axis in np.nonzero(skeleton)), strict=True))
    around = {}
    for y, x in pixels:
        around[y, x] = [
            (y + dy, x + dx)
            for dy, dx in _ALL
            if (y + dy, x + dx) in pixels
            and not (dy and dx and ((y + dy, x) in pixels or (y, x + dx) in pixels))
        ]
    return around


def prune(paths, *, least_px):
    """Without the twigs that thinning leaves at the rim of a thick line.

    Args:
        paths: of `trace`.
        least_px: float; a line with one free end is a twig if it is shorter.

    Returns:
        list of float64 [N, 2].
    """
    return [points for points, met in paths if met != 1 or len(points) > least_px]


def smooth(points):
    """The line without the steps of the grid of pixels: mean over five points, fewer at the ends, which stay
    in place.

    Args:
        points: float [N, 2].

    Returns:
        float64 [N, 2].
    """
    n = len(points)
    sums = np.concatenate([np.zeros([1, 2]), np.cumsum(points, 0)])
    i = np.arange(n)
    reach = np.minimum(np.minimum(i, n - 1 - i), 2)
    return (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1)[:, None]


def turning(points, *, arm_px):
    """By how much a line turns at each point, between the chords to arm_px points before and after.

    Args:
        points: float [N, 2].
        arm_px: int >= 1.

    Returns:
        float64 [max(0, N - 2 arm_px)] degrees, 0 to 180.
    """
    if len(points) <= 2 * arm_px:
        return np.zeros(0)
    steps = points[arm_px:] - points[:-arm_px]
    before, after = steps[:-arm_px], steps[arm_px:]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return np.abs(np.degrees(np.arctan2(cross, (before * after).sum(1))))


def directions(points, *, arm_px):
    """Directions of the chords of 2 arm_px points.

    Args:
        points: float [N, 2] px x, y.
        arm_px: int >= 1.

    Returns:
        float64 [max(0, N - 2 arm_px)] degrees in (-90, 90], 0 = level, positive = up to the right.
    """
    chords = points[2 * arm_px :] - points[: -2 * arm_px]
    angles = np.degrees(np.arctan2(-chords[:, 1], chords[:, 0]))
    return 90 - (90 - angles) % 180
