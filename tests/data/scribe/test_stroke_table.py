"""The table of strokes: what it says of well-known characters, its licence and size, writing and reading;
how strokes are given to components.
"""

import hashlib

import numpy as np
import pytest

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe import stroke_segmentation, stroke_table
from hwgen.data.scribe.stroke_table import StrokeTable


@pytest.fixture(scope='module')
def table():
    return StrokeTable.load()


@pytest.mark.parametrize(
    'character, count',
    [('一', 1), ('永', 5), ('我', 7), ('明', 8), ('国', 8), ('湖', 12), ('龜', 18), ('書', 10)],
)
def test_numbers_of_strokes(table, character, count):
    assert character in table and len(table[character].strokes) == count


def test_strokes_lie_in_the_em_in_the_direction_of_writing(table):
    for character in list(table.characters)[::40]:
        for stroke in table[character].strokes:
            assert stroke.dtype == np.float32 and len(stroke) >= 2 and not stroke.flags.writeable, character
            assert stroke.min() >= 0 and stroke.max() <= 1, character
    first, second = table['十'].strokes
    assert first[-1, 0] > first[0, 0] + 0.5 and second[-1, 1] > second[0, 1] + 0.5


def test_slots_of_well_known_characters(table):
    assert table['湖'].slots == (0,) * 3 + (1,) * 5 + (2,) * 4
    assert table['明'].slots == (0,) * 4 + (1,) * 4
    assert table['永'].slots == (0,) * 5
    assert table['国'].slots == (0, 0, 1, 1, 1, 1, 1, 0)
    assert table['这'].slots == (1, 1, 1, 1, 0, 0, 0)  # 辶 comes last
    assert np.concatenate(table['这'].strokes[4:])[:, 0].min() < 0.2


def test_every_character_with_a_code_has_slots_and_each_slot_strokes(table):
    charset = Charset.load()
    for character in table.characters:
        slots, coded = table[character].slots, bool(charset.character_id(character))
        assert (slots is not None) == coded, character
        assert not coded or set(slots) == set(range(len(ids.leaves(charset.tree(character))))), character


def test_an_unknown_character_is_named(table):
    assert '𫲸' not in table
    with pytest.raises(LookupError, match="'𫲸': not among the 9574 characters"):
        table['𫲸']  # pylint: disable=pointless-statement


def test_licence_and_size():
    licence = (stroke_table.FOLDER / 'ARPHICPL.TXT').read_bytes()
    assert licence.startswith(b'ARPHIC PUBLIC LICENSE')
    # as it came
    assert (
        hashlib.sha256(licence).hexdigest()
        == '5590533436c70f10f2f524ee61456238c290175c6662fbe1c700b5f038a6d328'
    )
    assert 'ARPHICPL.TXT' in (stroke_table.FOLDER / 'NOTICE.txt').read_text(encoding='utf-8')
    assert (stroke_table.FOLDER / 'medians.npz').stat().st_size <= 3_000_000


def test_what_is_written_is_read(tmp_path):
    grid = stroke_table.GRID
    strokes = {
        '甲': [np.array([[10, 20], [200, 30]]) / grid, np.array([[0, 0], [0, 255], [255, 255]]) / grid],
        '乙': [np.array([[5, 5], [6, 250]]) / grid],
    }
    paths = [tmp_path / name for name in ('a.npz', 'b.npz')]
    for path in paths:
        stroke_table.write_table(path, strokes, {'甲': [1, 0]})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    read = StrokeTable(paths[0])
    assert set(read.characters) == {'甲', '乙'}
    assert read['甲'].slots == (1, 0) and read['乙'].slots is None
    for character, own in strokes.items():
        assert len(read[character].strokes) == len(own)
        for a, b in zip(read[character].strokes, own):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_simplified_strokes_keep_ends_and_stay_near():
    t = np.linspace(0, np.pi, 200)
    curve = np.stack([t / 4, 0.3 * np.sin(t)], 1)
    few = stroke_table.simplified(curve, tolerance=0.01)
    assert 3 <= len(few) < 20
    np.testing.assert_array_equal(few[[0, -1]], curve[[0, -1]])
    dense = np.concatenate([np.linspace(a, b, 100) for a, b in zip(few, few[1:])])
    assert np.linalg.norm(curve[:, None] - dense[None], axis=-1).min(1).max() < 0.011
    assert len(stroke_table.simplified(np.stack([t, 2 * t], 1))) == 2
    closed = np.array([[0, 0], [1, 0], [1, 1], [0, 0.0]])
    np.testing.assert_array_equal(stroke_table.simplified(closed), closed)
    two = np.array([[0, 0], [1, 1.0]])
    np.testing.assert_array_equal(stroke_table.simplified(two), two)


def test_medians_of_the_source_are_brought_to_the_em():
    """By hand: 1024 units an em, its upper edge at 900, y upwards."""
    found = stroke_table.read_medians(
        {'medians': [[[0, 900], [512, 388], [1024, -124]], [[256, 644], [256, 132]]]}
    )
    np.testing.assert_allclose(found[0], [[0, 0], [0.5, 0.5], [1, 1]])
    np.testing.assert_allclose(found[1], [[0.25, 0.25], [0.25, 0.75]])


def test_points_are_left_out_up_to_the_tolerance():
    def bent(away):
        return np.array([[0, 0], [0.5, away], [1, 0.0]])

    assert len(stroke_table.simplified(bent(0.0051))) == 3 and len(stroke_table.simplified(bent(0.0049))) == 2
    assert (
        len(stroke_table.simplified(bent(-0.0051))) == 3
        and len(stroke_table.simplified(bent(0.1), tolerance=0.1)) == 2
    )

    # Away from the line, not upwards: (.5, .5 + d) is d / sqrt(2) away from the diagonal.
    def slope(d):
        return np.array([[0, 0], [0.5, 0.5 + d], [1, 1.0]])

    assert (
        len(stroke_table.simplified(slope(0.0070))) == 2 and len(stroke_table.simplified(slope(0.0072))) == 3
    )
    waves = np.stack([np.linspace(0, 1, 9), [0, 0.1, 0, -0.1, 0, 0.1, 0, -0.1, 0]], 1)
    found = stroke_table.simplified(waves, tolerance=0.06)
    assert found.tolist() == sorted(found.tolist()) and {0.1, -0.1} <= set(found[:, 1])


def test_what_lies_outside_the_em_is_written_at_its_edge(tmp_path):
    path = tmp_path / 'a.npz'
    stroke_table.write_table(
        path,
        {'乙': [np.array([[-0.2, 0.5], [1.3, 0.5]])], '丁': [np.array([[0.1, 0.1004], [0.1, 0.9]])]},
        {'乙': [2]},
    )
    read = StrokeTable(path)
    np.testing.assert_allclose(read['乙'].strokes[0], [[0, 0.5], [1, 0.5]], atol=0.5 / 255)
    # to the nearest of 255 parts
    np.testing.assert_allclose(
        read['丁'].strokes[0], np.rint(np.array([[0.1, 0.1004], [0.1, 0.9]]) * 255) / 255, atol=1e-6
    )
    assert read['乙'].slots == (2,) and read['丁'].slots is None and list(read.characters) == ['丁', '乙']
    with np.load(path) as arrays:
        assert {name: arrays[name].dtype.name for name in arrays.files} == {
            'codes': 'uint32',
            'stroke_counts': 'uint8',
            'point_counts': 'uint8',
            'points': 'uint8',
            'slots': 'uint8',
        }
        assert arrays['slots'].tolist() == [255, 2] and arrays['codes'].tolist() == [ord('丁'), ord('乙')]
    assert read['乙'] is read['乙'] and stroke_table.GRID == 255


def line(*points):
    return np.array(points, float)


def test_strokes_are_given_to_the_components_they_look_like():
    cross = [line((0.1, 0.5), (0.9, 0.5)), line((0.5, 0.1), (0.5, 0.9))]
    three = [line((0.1, 0.2), (0.9, 0.2)), line((0.1, 0.5), (0.9, 0.5)), line((0.1, 0.8), (0.9, 0.8))]
    frame = [
        line((0.1, 0.1), (0.1, 0.9)),
        line((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)),
        line((0.1, 0.9), (0.9, 0.9)),
    ]

    def placed(form, x, y, width, height):
        return [stroke * [width, height] + [x, y] for stroke in form]

    strokes = {
        '十': cross,
        '三': three,
        '囗': frame,
        '甲': placed(cross, 0, 0, 0.5, 1) + placed(three, 0.5, 0, 0.5, 1),
        '乙': placed(three, 0, 0, 0.5, 1) + placed(cross, 0.5, 0, 0.5, 1),
        '丙': frame[:2] + placed(cross, 0.2, 0.2, 0.6, 0.6) + frame[2:],
        '丁': placed(cross, 0.3, 0, 0.7, 0.7) + frame,
    }
    trees = {
        '甲': ('⿰', '十', '三'),
        '乙': ('⿰', '三', '十'),
        '丙': ('⿴', '囗', '十'),
        '丁': ('⿺', '囗', '十'),
        '戊': ('⿰', '十', '十'),
    }
    told = []
    slots, costs = stroke_segmentation.segment(strokes, trees, report=told.append)
    assert slots == {
        '甲': [0, 0, 1, 1, 1],
        '乙': [0, 0, 0, 1, 1],
        '丙': [0, 0, 1, 1, 0],
        '丁': [1, 1, 0, 0, 0],
    }
    assert set(costs) == set(slots) and max(costs.values()) < 0.1
    assert told and told[0].startswith('round 1: ')
