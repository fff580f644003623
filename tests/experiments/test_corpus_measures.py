"""experiments/corpus: intervals, spreads, paths, shapes and pictures, step by step and by hand."""

import numpy as np
import pytest

from experiments.corpus import intervals, paths, pictures, preparation, shapes, spreads
from hwgen.evaluation.measuring import character_pictures

# ---- intervals and spreads


def test_estimates_are_the_first_value_and_the_middle_95_percent():
    found = spreads.estimate(np.array([7.0, *np.arange(401.0), np.nan]))
    assert found == (7.0, 10.0, 390.0)
    drawn = spreads.resample(5)
    assert (
        drawn.shape == (401, 5)
        and drawn[0].tolist() == [0, 1, 2, 3, 4]
        and drawn.max() == 4
        and drawn.min() == 0
        and spreads.RESAMPLINGS == 400
    )
    np.testing.assert_array_equal(drawn[1:], np.random.default_rng(0).integers(5, size=[400, 5]))
    assert not np.array_equal(drawn, spreads.resample(5, seed=1))


def test_ratios_are_drawn_by_whole_units():
    seeds, units = intervals.draws(2, 3)
    assert (
        seeds.shape == (401, 2)
        and units.shape == (401, 3)
        and seeds[0].tolist() == [0, 1]
        and units[0].tolist() == [0, 1, 2]
    )
    rng = np.random.default_rng((2, 3))
    np.testing.assert_array_equal(seeds[1:], rng.integers(2, size=[400, 2]))
    np.testing.assert_array_equal(units[1:], rng.integers(3, size=[400, 3]))
    errors, counts = np.array([1.0, 5.0, 0.0]), np.array([10.0, 10.0, 100.0])
    found = intervals.ratio_of(errors, counts)
    drawn = intervals.draws(1, 3)[1]
    expected = np.array([errors[row].sum() / counts[row].sum() for row in drawn])
    np.testing.assert_allclose(found, (6 / 120, *np.percentile(expected[1:], [2.5, 97.5])))
    np.testing.assert_allclose(
        intervals.ratio_difference(errors, [1, 1, 1], counts),
        (
            3 / 120,
            *np.percentile([(errors - 1)[row].sum() / counts[row].sum() for row in drawn[1:]], [2.5, 97.5]),
        ),
    )
    values = np.array([[0.1, 0.5, np.nan, 0.2], [0.3, 0.7, 0.9, 0.4]])
    found, (seeds, units) = intervals.mean_of(values), intervals.draws(2, 4)
    drawn = [values[np.ix_(s, u)] for s, u in zip(seeds, units)]
    expected = [np.nanmean(own) if not np.isnan(own).all() else np.nan for own in drawn]
    np.testing.assert_allclose(
        found, (np.mean([0.1, 0.5, 0.2, 0.3, 0.7, 0.9, 0.4]), *np.nanpercentile(expected[1:], [2.5, 97.5]))
    )
    assert intervals.difference_of(values, values - 0.2).value == pytest.approx(0.2)


def test_spreads_without_relation():
    """By hand: two hands, one character, two copies: 1, 3 and 5, 9."""
    values = np.array([[[1.0, 3.0]], [[5.0, 9.0]]])
    found = spreads.spreads(values, relative=False)
    assert found['mean'][0] == 4.5 and found['within'][0] == pytest.approx(np.sqrt((2 + 8) / 2))
    assert found['between'][0] == pytest.approx(np.sqrt(2.5**2 - 5 / 2)) and found['common'][
        0
    ] == pytest.approx(2.5)
    relative = spreads.spreads(values, relative=True)
    assert relative['within'][0] == pytest.approx(np.sqrt((2 / 4 + 8 / 49) / 2)) and relative['between'][
        0
    ] == pytest.approx(np.sqrt(6.25 - 2.5) / 4.5)
    # Two characters that share nothing have nothing in common, two that share all have all.
    apart = np.array(
        [
            [[2.0, 2.0], [5.0, 5.0]],
            [[4.0, 4.0], [5.0, 5.0]],
            [[3.0, 3.0], [6.0, 6.0]],
            [[3.0, 3.0], [4.0, 4.0]],
        ]
    )
    assert spreads.spreads(apart, relative=False)['common'][0] == pytest.approx(0)
    alike = np.repeat(np.array([[[2.0]], [[4.0]], [[6.0]]]), 2, 1).repeat(2, 2)
    assert spreads.spreads(alike, relative=False)['common'][0] == pytest.approx(np.sqrt(8 / 3))


# ---- paths and shapes


def test_smoothing_by_hand():
    points = np.array([[0.0, 0], [3, 0], [0, 6], [3, 0], [0, 9], [6, 3]])
    found = paths.smooth(points)
    np.testing.assert_allclose(found, [[0, 0], [1, 2], [6 / 5, 3], [12 / 5, 18 / 5], [3, 4], [6, 3]])


def test_directions_keep_to_half_a_turn():
    for degrees in (-89, -40, 0, 30, 90):
        t = np.arange(9.0)[:, None] * [np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))]
        assert (
            paths.directions(t, arm_px=2) == pytest.approx(degrees)
            and len(paths.directions(t, arm_px=2)) == 5
            and len(paths.directions(t[::-1], arm_px=2)) == 5
        )
    assert not len(paths.directions(t[:4], arm_px=2)) and len(paths.turning(t[:5], arm_px=2)) == 1
    left = np.array([[0.0, 0], [1, 0], [2, 0], [2, -1], [2, -2]])
    assert paths.turning(left, arm_px=2) == pytest.approx(90) and paths.turning(
        left[::-1], arm_px=2
    ) == pytest.approx(90)


def test_twigs_are_lines_with_one_free_end():
    line = np.zeros([4, 2])
    kept = paths.prune([(line, 0), (line, 1), (np.zeros([5, 2]), 1), (line, 2)], least_px=4)
    assert [len(points) for points in kept] == [4, 5, 4]


def test_a_diagonal_step_is_no_crossing():
    stairs = np.zeros([6, 6], bool)
    stairs[1, 1] = stairs[1, 2] = stairs[2, 2] = stairs[2, 3] = stairs[3, 4] = True
    ((points, met),) = paths.trace(stairs)
    assert (
        met == 0
        and len(points) == 5
        and {tuple(p) for p in points} == {(1, 1), (2, 1), (2, 2), (3, 2), (4, 3)}
    )


def bow(radius, *, degrees=90, arm=30):
    """A line of steps of about a pixel: level, through a bow, straight on."""
    turn = np.radians(degrees)
    angles = np.linspace(0, turn, max(2, int(radius * turn) + 1))
    arc = np.stack([radius * np.sin(angles), radius * (1 - np.cos(angles))], 1)
    before, after = (
        np.stack([np.arange(-arm, 0.0), np.zeros(arm)], 1),
        arc[-1] + np.arange(1.0, arm)[:, None] * [np.cos(turn), np.sin(turn)],
    )
    return np.concatenate([before, arc, after])


@pytest.mark.parametrize('radius', [2.0, 5.0, 8.0])
def test_corners_are_cut_off_by_their_radius(radius):
    """A right angle rounded with radius r stays r (sqrt(2) - 1) away from where its sides meet."""
    (cut,) = shapes._corner_cuts(bow(radius))
    assert cut == pytest.approx(radius * (np.sqrt(2) - 1), abs=0.35)
    assert (
        shapes._corner_cuts(bow(radius, degrees=40)) == []
        and len(shapes._corner_cuts(bow(radius, degrees=60))) == 1
    )


def test_shapes_count_what_is_large_enough():
    mask = np.zeros([96, 96], bool)
    mask[10:12, 10:14] = mask[30:31, 30:37] = True  # 8 px, and 7
    values = {}
    shapes._measure_pieces(values, mask, '三')
    assert values == {'pieces': 1, 'joined': 2, 'loops': 0}
    mask[50:60, 50:60] = True
    mask[53:55, 53:57] = False  # 8 px of paper
    shapes._measure_pieces(values, mask, '二')
    assert values == {'pieces': 2, 'joined': 0, 'loops': 1}
    shapes._measure_pieces(values, mask, '一')
    assert np.isnan(values['joined'])


@pytest.mark.parametrize('width', [5, 9, 13])
def test_the_width_of_a_stroke_is_that_of_the_ink(width):
    """An odd number of rows about the path: by the longer side, 80 px of the canvas."""
    mask, path = np.zeros([96, 96], bool), np.zeros([96, 96], bool)
    mask[48 - width // 2 : 49 + width // 2, 8:88] = path[48, 8 + width : 88 - width] = True
    values = dict(
        zip(
            [feature.name for feature in shapes.FEATURES],
            shapes.measure(np.full([20, 100], 0.5, np.float32), mask, path, '一'),
        )
    )
    assert values['stroke'] == pytest.approx(width / 80, abs=1e-3)
    assert (values['width'], values['ink'], values['rise']) == (100, 1000, 0) and np.isnan(
        [values[name] for name in ('height', 'aspect', 'slant', 'corner', 'loops')]
    ).all()


def test_lines_lean_and_rise_by_their_median():
    values = {}

    def ray(degrees, count):
        return np.arange(count)[:, None] * [
            np.cos(np.radians(degrees)),
            -np.sin(np.radians(degrees)),
        ]

    shapes._measure_lines(values, [ray(10, 30), ray(20, 19), ray(60, 40), ray(75, 21), ray(-80, 18)])
    assert values['rise'] == pytest.approx(10)
    # ten points less than each line has
    assert values['slant'] == pytest.approx(np.median([30.0] * 30 + [15.0] * 11 + [-10.0] * 8))
    assert values['turn'] == pytest.approx(0, abs=1e-6) and 'corner' not in values
    few = {}
    shapes._measure_lines(few, [ray(5, 17), ray(90, 18)])
    assert 'rise' not in few and few['slant'] == pytest.approx(0)
    assert [feature.kind for feature in shapes.FEATURES] == ['size'] * 5 + ['angle'] * 3 + ['share'] + [
        'count'
    ] * 3
    assert shapes._PRINTED == {'二': 2, '三': 3, '六': 3, '八': 2, '亿': 2}


# ---- pictures


def test_ink_is_stretched_between_its_palest_and_its_darkest():
    picture = np.full([60, 60], 240, np.uint8)
    picture[20:40, 20:24], picture[20:40, 24:28], picture[20:40, 28:32] = 40, 140, 222
    found = character_pictures.clean(picture)
    # 200, 100 and 18 grey levels of ink; .12 of the darkest is paper: 1, (.5 - .12) / .88, 0; what is paler
    # than .35 is not in the box.
    assert (
        found.shape == (20, 8)
        and found[10, 1] == pytest.approx(1, abs=0.01)
        and found[10, 6] == pytest.approx((0.5 - 0.12) / 0.88, abs=0.02)
    )
    spotted = picture.copy()
    spotted[50:52, 50:53] = 40  # 6 px of 20 x 8: .03 of the ink or so stays
    assert character_pictures.clean(spotted).shape[0] == 32
    spotted[50:52, 51:53] = 240
    assert character_pictures.clean(spotted).shape == (20, 8)


def test_sizes_of_fitted_pictures():
    small = character_pictures.fit(np.ones([7, 5], np.float32), side_px=20, inner_px=14)
    assert np.flatnonzero(small.any(1)).tolist() == list(range(3, 17)) and np.flatnonzero(
        small.any(0)
    ).tolist() == list(range(5, 15))
    assert (
        small.max() <= 1
        and character_pictures.fit(np.ones([100, 1], np.float32)).sum() > 0
        and (character_pictures.SIDE_PX, character_pictures.INNER_PX) == (32, 28)
    )
    assert preparation.bitmap(np.ones([10, 20], np.float32)).shape == (96, 96)
    mask = preparation.bitmap(np.ones([40, 80], np.float32))
    assert abs(mask.any(0).sum() - 80) <= 2 and abs(mask.any(1).sum() - 40) <= 2
    assert (
        not preparation.bitmap(np.zeros([1, 1], np.float32)).any()
        and not preparation.redraw(np.zeros([96, 96], bool)).any()
    )


def test_paths_are_redrawn_in_lines_of_a_width():
    path = np.zeros([96, 96], bool)
    path[20, 10:86] = path[20:70, 48] = True
    drawn = preparation.redraw(path)
    assert drawn.shape == (32, 32) and 0.9 < drawn[4:28, 15:17].max() <= 1
    across = drawn[20].sum()  # 5 px of 80, in 28 px
    assert 1.4 < across < 2.4
    for width in (0.05, 0.1):
        ink = preparation.draw_path(path, width=width, longer_px=160)
        assert max(ink.shape) == 160
        assert ink[:, 10:40].sum(0).mean() == pytest.approx(width * 80 * 160 / (76 + width * 80), abs=1.2)
    assert preparation.draw_path(np.zeros([96, 96], bool), width=0.1, longer_px=50).shape == (1, 1)
    (half,) = preparation.scan([np.full([40, 60], 7, np.uint8)], factor=0.5)
    assert (
        half.shape == (20, 30)
        and (half == 7).all()
        and preparation.scan([half], factor=2.0)[0].shape == (40, 60)
    )


def test_the_longer_side_is_that_of_the_ink_of_first_copies():
    def scan(h, w):
        picture = np.full([80, 80], 255, np.uint8)
        picture[10 : 10 + h, 10 : 10 + w] = 0
        return picture

    assert pictures.longer_side([[[scan(30, 10), scan(60, 60)], [scan(10, 14), scan(60, 60)]]]) == 22
