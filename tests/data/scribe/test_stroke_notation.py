"""Strokes as text."""

import numpy as np
import pytest

from hwgen.data.scribe.stroke_notation import parse_strokes, read_rows


def test_polygons_are_their_points():
    strokes = parse_strokes('10,50 90,46; 0,0 100,0 100,100')
    assert [s.tolist() for s in strokes] == [
        np.float32([[0.1, 0.5], [0.9, 0.46]]).tolist(),
        [[0, 0], [1, 0], [1, 1]],
    ]


def test_a_curve_passes_through_its_points_and_between_them():
    (curve,) = parse_strokes('~0,0 50,50 100,0')
    assert (
        curve[0].tolist() == [0, 0]
        and curve[6].tolist() == [0.5, 0.5]
        and curve[12].tolist() == [1, 0]
        and len(curve) == 13
    )
    # Half way, by hand: .5 (2 a + (b - p) t + (2 p - 5 a + 4 b - q) t^2 + (3 a - p - 3 b + q) t^3) with p =
    # (-.5, -.5), a = 0, b = (.5, .5),
    # q = (1, 0), t = .5: x = .5 (0 + .5 + 0 + 0) = .25; y = .5 (0 + .5 + (-1 + 2) / 4 + (.5 - 1.5) / 8) =
    # .3125.
    np.testing.assert_allclose(curve[3], [0.25, 0.3125], atol=1e-6)


def test_a_corner_in_a_curve_stays_sharp():
    (curve,) = parse_strokes('~0,0 0,50 50,50! 50,0 100,0')
    corner = int(np.flatnonzero((curve == [0.5, 0.5]).all(1))[0])
    before, after = curve[corner] - curve[corner - 1], curve[corner + 1] - curve[corner]
    assert before[0] > 0 and abs(after[0]) < abs(after[1]) and after[1] < 0


@pytest.mark.parametrize(
    'text, told',
    [
        ('10,50', 'stroke 1.*two points'),
        ('1,1 2,2; 3,x 4,4', "stroke 2, '3,x'"),
        ('', 'stroke 1'),
        ('1,1 2,2;', 'stroke 2'),
    ],
)
def test_what_cannot_be_read_is_named(text, told):
    with pytest.raises(ValueError, match=told):
        parse_strokes(text)


def test_every_piece_of_a_curve_has_six_parts():
    """Against the cubic by hand, with ends that go on in their own direction: p = 2 a - b before the first
    point, the same after the last.
    """
    points = np.array([[0.1, 0.2], [0.4, 0.1], [0.8, 0.6], [0.9, 0.9]])
    (curve,) = parse_strokes('~10,20 40,10 80,60 90,90')
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    assert len(curve) == 19
    for piece in range(3):
        p, a, b, q = padded[piece : piece + 4]
        for n in range(6):
            t = n / 6
            # as Catmull and Rom's is usually written
            matrix = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]])
            np.testing.assert_allclose(
                curve[6 * piece + n],
                np.array([1, t, t * t, t**3]) @ matrix @ np.stack([p, a, b, q]),
                atol=1e-6,
            )
    (corner,) = parse_strokes('~0,0 50,0! 50,50 90,90')
    assert len(corner) == 1 + 12 + 1 and corner[1].tolist() == [0.5, 0]  # two points are a straight line
    (straight,) = parse_strokes('~0,0 50,50')
    assert straight.tolist() == [[0, 0], [0.5, 0.5]] and straight.dtype == np.float32


def test_rows_between_blank_lines_and_comments(tmp_path):
    path = tmp_path / 'rows.txt'
    path.write_text('# a\n\nx\ty\n#\tz\nu\t\n', encoding='utf-8')
    assert list(read_rows(path, ('one', 'two'))) == [
        ('rows.txt, row 3', ['x', 'y']),
        ('rows.txt, row 5', ['u', '']),
    ]
    with pytest.raises(
        ValueError, match='rows.txt, row 3: 2 fields, expected a, b and c with tabs between them'
    ):
        list(read_rows(path, ('a', 'b', 'c')))
