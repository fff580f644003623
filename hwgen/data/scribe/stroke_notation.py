"""Strokes as text: how the shapes of our own are written down, in files that a person can read and mend.

A stroke is a row of points `x,y` in hundredths, x to the right and y downwards, in the direction of writing;
`;` stands between strokes:

    10,50 90,46                a straight stroke
    10,20 80,20 80,90          a polygon: every point is a corner
    ~50,10 20,50 50,90         a curve through its points
    ~20,10 20,80 40,90! 70,40  a curve with a corner at the third point

A curve is the Catmull-Rom spline of its points (Catmull and Rom 1974; Differs: nothing known), which passes
through every one of them.
"""

import itertools
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

_STEPS = 6  # parts into which a curve is cut between two points


def read_rows(path: pathlib.Path, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table of strokes: fields between tabs; blank lines and those that start with `#` say
    nothing.

    Args:
        path: pathlib.Path of a UTF-8 text.
        columns: sequence of str, what the fields are.

    Yields:
        (place, fields): str that errors name, 'symbols.txt, row 7'; list of str.

    Raises:
        ValueError: a row of another number of fields.
    """
    for number, line in enumerate(path.read_text(encoding='utf-8').split('\n'), 1):
        if line and not line.startswith('#'):
            place, fields = f'{path.name}, row {number}', line.split('\t')
            if len(fields) != len(columns):
                raise ValueError(
                    f'{place}: {len(fields)} fields, expected {", ".join(columns[:-1])} and {columns[-1]}'
                    ' with tabs between them'
                )
            yield place, fields


def parse_strokes(text: str) -> list[np.ndarray]:
    """Reads strokes.

    Args:
        text: str, at least one stroke of at least two points; a dot is a short stroke.

    Returns:
        list of float32 [n, 2], points x, y in units of the box (1 = 100 hundredths), n >= 2.

    Raises:
        ValueError: the stroke and the point that cannot be read.
    """
    return [_stroke(part.strip(), number) for number, part in enumerate(text.split(';'), 1)]


def _stroke(text, number):
    curved, corners, points = text.startswith('~'), [], []
    for word in text.removeprefix('~').split():
        numbers = word.removesuffix('!').split(',')
        try:
            x, y = map(float, numbers)
        except ValueError as error:
            raise ValueError(f'stroke {number}, {word!r}: expected x,y in hundredths') from error
        points.append((x / 100, y / 100))
        corners.append(not curved or word.endswith('!'))
    if len(points) < 2:
        raise ValueError(f'stroke {number}, {text!r}: expected at least two points x,y')
    corners[0] = corners[-1] = True
    ends = [n for n, corner in enumerate(corners) if corner]
    points = np.array(points)
    parts = [_spline(points[a : b + 1])[:-1] for a, b in itertools.pairwise(ends)]
    return np.concatenate([*parts, points[-1:]]).astype(np.float32)


def _spline(points):
    """The curve through points [n, 2]; two points: the straight line."""
    if len(points) < 3:
        return points
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, a, b, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.arange(_STEPS)[:, None, None] / _STEPS
    curve = 0.5 * (
        2 * a
        + (b - before) * t
        + (2 * before - 5 * a + 4 * b - after) * t**2
        + (3 * a - before - 3 * b + after) * t**3
    )
    # steps x parts x 2 -> (parts steps) x 2
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])
