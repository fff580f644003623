"""experiments/corpus: readers of hostile files, descriptors of pictures with known answers, distances
against a plain computation.
"""

import cv2
import numpy as np
import pytest

from experiments.corpus import (
    judges,
    paths,
    pictures,
    preparation,
    report,
    sheets,
    simulated,
    spreads,
)
from experiments.corpus.shapes import FEATURES, measure
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.measuring import character_pictures, people

NAMES = [feature.name for feature in FEATURES]


def draw(*lines, width_px=5, side_px=96):
    """uint8 [side, side]: dark lines ((x, y), (x, y), ...) on paper, by four times finer pixels."""
    over = 4
    picture = np.full([side_px * over] * 2, 255, np.uint8)
    for line in lines:
        points = (np.array(line, float) * over * 16).round().astype(np.int32)
        cv2.polylines(picture, [points[:, None]], False, 20, width_px * over, cv2.LINE_8, 4)
    return cv2.resize(picture, (side_px, side_px), interpolation=cv2.INTER_AREA)


def features(picture, character):
    crop = character_pictures.clean(picture)
    mask = preparation.bitmap(crop)
    return dict(zip(NAMES, measure(crop, mask, preparation.skeleton(mask), character)))


def archive(path, **changed):
    """Two writers, fifteen characters, three copies, in mixed order."""
    w, c, s = (axis.ravel() for axis in np.meshgrid([3, 7], np.arange(1, 16), [1, 2, 3], indexing='ij'))
    order = np.random.default_rng(0).permutation(len(w))
    images = np.broadcast_to((100 * (w == 7) + 5 * c + s)[:, None, None], (len(w), 8, 8)).astype(np.uint8)
    arrays = {
        'images': images[order],
        'code': c[order].astype(np.uint8),
        'writer': w[order],
        'sample': s[order],
        **changed,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def test_people_are_sorted(tmp_path):
    read = people.read_people(archive(tmp_path / 'n.npz'))
    assert read.shape == (2, 15, 3, 8, 8)
    assert read[1, 4, 2, 0, 0] == 100 + 5 * 5 + 3 and read[0, 0, 0, 0, 0] == 6


@pytest.mark.parametrize(
    'changed, told',
    [
        ({'writer': None}, 'no array writer'),
        ({'code': np.zeros(90, np.uint8)}, 'codes 0 to 0, expected 1 to 15'),
        ({'images': np.zeros([90, 8], np.uint8)}, 'expected 3 axes'),
        ({'images': np.zeros([89, 8, 8], np.uint8)}, '89 > 0 entries'),
        ({'images': np.zeros([90, 8, 8])}, 'expected uint8'),
        ({'sample': np.ones(90, int)}, 'occurs 3 times, expected once'),
    ],
)
def test_people_of_another_kind(tmp_path, changed, told):
    with pytest.raises(ValueError, match=told) as caught:
        people.read_people(archive(tmp_path / 'n.npz', **changed))
    assert 'n.npz' in str(caught.value)


@pytest.mark.parametrize('kept', [0, 10, 0.3, 0.9])
def test_truncated_people(tmp_path, kept):
    path = archive(tmp_path / 'n.npz')
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(ValueError, match='n.npz'):
        people.read_people(path)


def test_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / 'n.npy', np.zeros(3))
    with pytest.raises(ValueError, match='expected an .npz archive'):
        people.read_people(tmp_path / 'n.npy')
    with pytest.raises(OSError):
        people.read_people(tmp_path / 'absent.npz')


def test_clean_takes_away_paleness_paper_and_dirt():
    picture = draw([(30, 20), (30, 70)], [(20, 40), (60, 40)])
    dirty = np.clip(200 - (255.0 - picture) * 0.4 + np.linspace(-20, 20, 96)[:, None], 0, 255).astype(
        np.uint8
    )
    dirty[85:87, 80:82] = 60  # a speck
    dirty[10:14, 94:] = 60  # a neighbour's end
    a, b = character_pictures.clean(picture), character_pictures.clean(dirty)
    assert a.shape == b.shape
    assert np.abs(a - b).mean() < 0.02  # uint8 of a range of 94 levels
    assert character_pictures.clean(np.full([20, 20], 250, np.uint8)).shape == (1, 1)


def test_stroke_along_the_edge_is_ink():
    picture = np.full([40, 60], 255, np.uint8)
    picture[:5], picture[30:35, 5:50] = 0, 0
    assert character_pictures.clean(picture).shape == (35, 60)


def test_fit_keeps_the_aspect():
    square = character_pictures.fit(np.ones([10, 40], np.float32))
    rows, columns = np.flatnonzero(square.any(1)), np.flatnonzero(square.any(0))
    assert len(columns) == 28 and len(rows) == 7
    assert columns[0] == 2 and rows[0] == 12


@pytest.mark.parametrize('degrees', [-10, 0, 10])
def test_slant_and_rise(degrees):
    lean = np.tan(np.radians(degrees)) * 30
    found = features(
        draw([(48 + lean, 18), (48 - lean, 78)], [(20, 48 + lean), (76, 48 - lean * 26 / 30)]), '十'
    )
    assert found['slant'] == pytest.approx(degrees, abs=1.0)  # a skeleton of whole pixels
    assert found['rise'] == pytest.approx(degrees, abs=1.0)


@pytest.mark.parametrize('width_px', [5, 8])
def test_stroke_width_and_aspect(width_px):
    found = features(draw([(48, 14), (48, 86)], [(30, 50), (66, 50)], width_px=width_px), '十')
    height = 72 + width_px
    # blur and threshold: half a pixel on both sides
    assert found['stroke'] * height == pytest.approx(width_px, abs=1.0)
    assert found['aspect'] == pytest.approx((36 + width_px) / height, rel=0.03)  # whole pixels
    assert found['height'] == pytest.approx(height, abs=1)


def test_joined_strokes_and_loops():
    apart = features(draw([(30, 20), (60, 20)], [(25, 45), (65, 45)], [(15, 75), (80, 75)]), '三')
    together = features(draw([(30, 20), (60, 20), (30, 45), (65, 45), (15, 75), (80, 75)]), '三')
    assert (apart['pieces'], apart['joined']) == (3, 0) and (together['pieces'], together['joined']) == (1, 2)
    box = [(20, 20), (76, 20), (76, 76), (20, 76), (20, 20)]
    assert features(draw(box), '四')['loops'] == 1
    assert features(draw(box, [(20, 48), (76, 48)]), '四')['loops'] == 2
    assert features(draw(box[:4]), '四')['loops'] == 0
    assert np.isnan(apart['loops'])


def test_sharp_corners_and_round_ones():
    edge = features(draw([(20, 24), (70, 24), (70, 80)]), '七')
    angles = np.radians(np.linspace(-90, 0, 60))
    bow = features(draw([(20, 24), *zip(58 + 12 * np.cos(angles), 36 + 12 * np.sin(angles)), (70, 80)]), '七')
    straight = features(draw([(20, 48), (76, 48)]), '七')
    # A right angle rounded with radius r stays r (sqrt(2) - 1) away from the corner, 0.08 of this character;
    # the sides begin on the bow, so less is found.
    assert edge['corner'] < 0.035 < 0.045 < bow['corner'] < 0.085 and np.isnan(straight['corner'])
    assert straight['turn'] < 10 < edge['turn']


def test_trace_covers_the_skeleton():
    cross = np.zeros([21, 21], bool)
    cross[10, 2:19] = cross[2:19, 10] = True
    traced = paths.trace(cross)
    assert sorted(len(points) for points, _ in traced) == [9] * 4 and all(met == 1 for _, met in traced)
    ring = np.zeros([21, 21], np.uint8)
    cv2.circle(ring, (10, 10), 6, 1)
    ((points, met),) = paths.trace(ring > 0)
    assert met == 2 and (points[0] == points[-1]).all()
    assert paths.prune(traced, least_px=10) == []


def test_directions_and_turning_by_hand():
    line = np.stack([np.arange(20.0), -np.arange(20.0)], 1)
    assert paths.directions(line, arm_px=3) == pytest.approx(45.0)
    assert paths.directions(line[::-1], arm_px=3) == pytest.approx(45.0)
    corner = np.concatenate(
        [np.stack([np.arange(10.0), np.zeros(10)], 1), np.stack([np.full(9, 9.0), np.arange(1.0, 10)], 1)]
    )
    turned = paths.turning(corner, arm_px=4)
    assert turned.max() == pytest.approx(90.0) and turned[0] == 0 and len(turned) == 19 - 8
    assert not len(paths.turning(corner[:8], arm_px=4))


def test_distance_ratio_by_hand():
    # Hands at 0, 2 and 0, 4 (copies 2 and 4 apart): same hand sqrt((4 + 16) / 2); other hands 0-0, 0-4, 2-0,
    # 2-4: sqrt((0 + 16 + 4 + 4) / 4).
    values = np.array([[[[0.0], [2.0]]], [[[0.0], [4.0]]]])
    assert spreads.distance_ratios(values)[0, 0] == pytest.approx(np.sqrt(10 / 6))


def test_distance_ratio_against_all_pairs():
    values = np.random.default_rng(1).normal(size=[5, 2, 3, 4]) + np.random.default_rng(2).normal(
        size=[5, 2, 1, 4]
    )
    found = spreads.distance_ratios(values)
    row = spreads.resample(5)[7]
    for c in range(2):

        def mean(pairs):
            return np.mean([np.square(values[a, c, i] - values[b, c, j]).sum() for a, b, i, j in pairs])

        for n, drawn in ((0, range(5)), (7, row)):
            same = mean([(a, a, i, j) for a in drawn for i in range(3) for j in range(3) if i != j])
            other = mean(
                [(a, b, i, j) for a in drawn for b in drawn if a != b for i in range(3) for j in range(3)]
            )
            assert found[n, c] == pytest.approx(np.sqrt(same / other), rel=1e-5)  # pictures are float32


def test_spreads_recover_what_was_put_in():
    rng = np.random.default_rng(0)
    shape = np.array([400, 6, 5])
    values = (
        20
        + 2 * rng.normal(size=[400, 1, 1])
        + 1.5 * rng.normal(size=[400, 6, 1])
        + 1 * rng.normal(size=shape)
    )
    found = spreads.spreads(values, relative=False)
    assert found['mean'][0] == pytest.approx(20, abs=0.3)
    assert found['within'][0] == pytest.approx(1, rel=0.03)
    assert found['between'][0] == pytest.approx(2.5, rel=0.06)
    assert found['common'][0] == pytest.approx(2, rel=0.1)
    scaled = spreads.spreads(3 * values, relative=True)
    assert scaled['between'][0] == pytest.approx(found['between'][0] / 20, rel=0.03)
    assert scaled['within'][0] == pytest.approx(
        np.sqrt((values / values.mean(2, keepdims=True)).var(2, ddof=1).mean())
    )
    holes = values.copy()
    holes[:, 0] = np.nan
    holes[:50, 1, 0] = np.nan
    assert spreads.spreads(holes, relative=False)['within'][0] == pytest.approx(1, rel=0.03)
    low, high = spreads.estimate(found['between'])[1:]
    assert low < 2.5 < high
    assert np.isnan(spreads.spreads(np.full([3, 2, 2], np.nan), relative=True)['mean']).all()


def test_halves_share_no_writer():
    taught, tested = judges.halves(11, seed=3)
    assert sorted([*taught, *tested]) == list(range(11)) and abs(len(taught) - len(tested)) == 1


def test_font_hands_are_pure_functions():
    a, b = (simulated.FontHands(4) for _ in range(2))
    b.draw(0, '二', 0)
    assert np.array_equal(a.draw(3, '万', 1), b.draw(3, '万', 1))
    assert not np.array_equal(a.draw(3, '万', 1), a.draw(3, '万', 2))
    assert (a.draw(3, '万', 1)[[0, -1]] == 255).all()


def test_hands_write_what_their_writers_do_with_paper_around():
    def rng():
        return np.random.default_rng((4, 3, ord('万'), 1))

    font, pen = (
        FontWriter(4, 3).write_line('万', rng(), height_px=64).image,
        PenWriter(4, 3).write_line('万', rng(), em_px=60.0).image,
    )
    np.testing.assert_array_equal(
        simulated.FontHands(4).draw(3, '万', 1), np.pad(font, 8, constant_values=255)
    )
    np.testing.assert_array_equal(simulated.PenHands(4).draw(3, '万', 1), np.pad(pen, 4, constant_values=255))
    told = []
    source = type('', (), {'draw': lambda self, *arguments: told.append(arguments) or arguments})()
    drawn = simulated.draw_hands(source, writers=2, copies=3)
    assert (
        drawn[1][4][2] == (1, '四', 2)
        and (len(drawn), len(drawn[0]), len(drawn[0][0])) == (2, 15, 3)
        and len(told) == 90
    )
    assert simulated.SOURCES == {'fonts': simulated.FontHands, 'pen': simulated.PenHands}


@pytest.mark.slow
def test_from_pictures_to_tables():
    """The whole way with hardly any training: simulated hands against half-sized ones of another seed."""
    hands = [simulated.draw_hands(simulated.FontHands(seed), writers=4, copies=2) for seed in (0, 1)]
    factor = 24 / pictures.longer_side(hands[0])
    first, second = (pictures.prepare(kind, factor=factor) for kind in hands)
    assert first.inked.shape == first.paths.shape == (4, 15, 2, 32, 32) and first.features.shape == (
        4,
        15,
        2,
        len(NAMES),
    )
    pen = pictures.prepare(hands[0], factor=factor, pen=np.full(4, 0.1))
    assert np.nanmean(pen.features[..., NAMES.index('stroke')]) == pytest.approx(0.1, abs=0.02)
    comparison = report.compare(first, second)
    verdicts = {
        'taught': judges.teach(first.inked, second.inked, seeds=1, steps=2)['simulated_all'],
        'apart': judges.tell_apart(first.paths, second.paths, seeds=1, steps=2),
    }
    assert verdicts['taught'].pictures == 120
    assert verdicts['apart'].pictures == 120 and len(verdicts['apart'].surest) == 120
    told = report.table(comparison, verdicts)
    assert 'stroke width' in told and '| apart |' in told
    assert report.plain(verdicts)['apart']['seeds'] and 'surest' not in report.plain(verdicts)['apart']
    assert (
        sheets.surest_sheet(first.paths, second.paths, verdicts['apart']).ndim
        == sheets.hands_sheet(first.inked, second.inked).ndim
        == 2
    )
