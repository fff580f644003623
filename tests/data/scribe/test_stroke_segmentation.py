"""Which stroke belongs to which component: how pieces are compared, divided and chosen, and that the
packaged table is what comes of it.
"""

import numpy as np
import pytest

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe.stroke_segmentation import (
    _Cut,
    _divisions,
    _in_box,
    _numbered,
    _resampled,
    _shapes,
    segment,
)
from hwgen.data.scribe.stroke_table import StrokeTable


def test_strokes_are_compared_by_eight_points_at_equal_distances():
    found = _resampled(np.array([[0, 0], [0.3, 0], [0.3, 0.4]]))
    assert found.shape == (8, 2)
    np.testing.assert_allclose(
        found, [[0.1 * k, 0] for k in range(4)] + [[0.3, 0.1 * k] for k in range(1, 5)], atol=1e-12
    )
    np.testing.assert_allclose(_resampled(np.array([[0.2, 0.3], [0.2, 0.3]])), [[0.2, 0.3]] * 8)


def test_pieces_are_brought_to_one_box_but_flat_ones_are_not_stretched():
    form = np.array([[[0.1, 0.2], [0.5, 0.2]], [[0.1, 1.0], [0.3, 0.6]]])
    np.testing.assert_allclose(_in_box(form), [[[-0.5, -0.5], [0.5, -0.5]], [[-0.5, 0.5], [0, 0]]], atol=1e-5)
    flat = np.array([[[0.1, 0.2], [0.9, 0.24]]])
    # at least .35 of the longer side
    np.testing.assert_allclose(_in_box(flat), [[[-0.5, -0.02 / 0.28], [0.5, 0.02 / 0.28]]], atol=1e-5)


def test_strokes_are_divided_in_every_way_that_an_operator_allows():
    assert list(_divisions('⿰', 2, 3)) == [((0,), (1, 2)), ((0, 1), (2,))]
    assert list(_divisions('⿲', 3, 4)) == [((0,), (1,), (2, 3)), ((0,), (1, 2), (3,)), ((0, 1), (2,), (3,))]
    assert list(_divisions('⿴', 2, 3)) == [
        ((1, 2), (0,)),
        ((2,), (0, 1)),
        ((0, 2), (1,)),
        ((0,), (1, 2)),
        ((0, 1), (2,)),
    ]
    assert list(_divisions('⿴', 2, 1)) == list(_divisions('⿱', 2, 1)) == [] and list(
        _divisions('⿰', 2, 2)
    ) == [((0,), (1,))]
    for operator in '⿴⿵⿶⿷⿸⿹⿺⿻⿼⿽㇯':
        assert len(list(_divisions(operator, 2, 4))) == 9
    for operator in ('⿰', '⿱', '⿲', '⿳', 'H4', 'V4'):
        assert len(list(_divisions(operator, 2, 4))) == 3


def test_leaves_are_numbered_in_order():
    boxes = [[0, 0, 0.5, 1], [0.5, 0, 1, 0.5], [0.5, 0.5, 1, 1]]
    operator, first, (inner, second, third) = _numbered(
        ('⿰', '甲', ('⿱', '乙', '丙')), iter(enumerate(boxes))
    )
    assert (operator, inner, first[:2], second[:2], third[:2]) == (
        '⿰',
        '⿱',
        (0, '甲'),
        (1, '乙'),
        (2, '丙'),
    )
    np.testing.assert_array_equal([first[2], second[2], third[2]], boxes)


def form(*strokes):
    return np.stack([_resampled(np.array(stroke, float)) for stroke in strokes])


BAR, POLE = [[0, 0.5], [1, 0.5]], [[0.5, 0], [0.5, 1]]


def test_the_cost_of_a_piece():
    """By hand, for each stroke: the mean distance of its points in the box, at most .30 and .05 for each
    stroke too many; and .15 of how far edges are away.
    """
    forms = form([[0, 0], [1, 0]], [[0, 1], [1, 1]])

    def cost(known, members=(0,), box=(0, 0, 1, 1)):
        return _Cut(forms, '甲', known)._leaf((0, '甲', np.array(box, float)), members)

    # the upper stroke covers 0 to 1 and 0 to 0 of the box 0 to 1 and 0 to 1: one edge of four is 1 away
    place = 0.15 * 0.25
    assert cost({}) == pytest.approx(0.18 + place) and cost({'甲': []}) == pytest.approx(0.18 + place)
    assert cost({'甲': [form(BAR)]}) == pytest.approx(place) and cost(
        {'甲': [form(BAR)]}, box=(0, 0, 1, 0)
    ) == pytest.approx(0)
    rising = form([[0, 0.6], [1, 0.4]])
    slope = np.abs(np.linspace(0.1, -0.1, 8)).mean() / 0.35  # a flat piece is stretched to .35 at most
    assert cost({'甲': [rising]}) == pytest.approx(slope + place, abs=1e-5) and cost(
        {'甲': [rising, form(BAR)]}
    ) == pytest.approx(place)
    assert cost({'甲': [form(POLE)]}) == pytest.approx(0.30 + place)  # unlike it
    assert cost({'甲': [form(BAR, POLE)]}) == pytest.approx(0.30 + 0.05 + place)
    assert cost({'甲': [form(BAR, POLE, BAR), form(BAR, POLE)]}) == pytest.approx(0.35 + place)
    assert cost({'甲': [form(BAR)]}, (0, 1)) == pytest.approx(2 * 0.35)  # two strokes: twice


def test_typical_shapes_of_a_component():
    """Its own entry, then of each number of strokes that is frequent the piece in the middle of those that
    are clearest.
    """
    bars = [form([[0, 0.5], [1, 0.5 + tilt]]) for tilt in (0.0, 0.1, 0.2, 0.5)]
    found = [(0.1, bars[3]), (0.05, bars[0]), (0.02, bars[2]), (0.01, bars[1]), (0.3, form(BAR, POLE))]
    own = form(POLE)
    shapes = _shapes('甲', found, {'甲': own})
    assert shapes[0] is own
    boxed = [_in_box(bar) for bar in bars]
    totals = [sum(np.linalg.norm(a - b, axis=-1).mean() for b in boxed) for a in boxed]
    assert shapes[1] is bars[int(np.argmin(totals))] and len(shapes) == 3 and len(shapes[2]) == 2
    assert len(_shapes('乙', found, {'甲': own})) == 2
    rare = [(0.1, bars[0])] * 22 + [(0.3, form(BAR, POLE))] * 3  # 3 of 25 are 12 %
    assert len(_shapes('乙', rare, {})) == 2 and len(_shapes('乙', rare[:21] + rare[23:], {})) == 1
    many = [(0.1, form(*[BAR] * n)) for n in range(1, 8)]
    assert [len(shape) for shape in _shapes('乙', many, {})] == [1, 2, 3, 4, 5]


def test_the_best_cut_is_cheapest_over_all_its_strokes():
    forms = form([[0, 0.2], [0.4, 0.2]], [[0.2, 0], [0.2, 1]], [[0.6, 0.5], [1, 0.5]])
    known = {'十': [form(BAR, POLE)], '一': [form(BAR)]}
    cost, slots = _Cut(forms, ('⿰', '十', '一'), known).best()
    assert slots == [0, 0, 1]
    cut = _Cut(forms, ('⿰', '十', '一'), known)
    boxes = ids.boxes(('⿰', '十', '一'))
    assert cost == pytest.approx(
        (cut._leaf((0, '十', np.array(boxes[0])), (0, 1)) + cut._leaf((1, '一', np.array(boxes[1])), (2,)))
        / 3
    )
    cost, slots = _Cut(forms, ('⿰', '一', ('⿱', '一', '一')), known).best()
    assert sorted(set(slots)) == [0, 1, 2]


@pytest.fixture(scope='module')
def segmented():
    """Characters of 口, 木, 日, 土 and what else is in them, cut anew."""
    charset, table = Charset.load(), StrokeTable.load()
    trees = {}
    for i in charset.character_set('hanzi'):
        character = charset.characters[i]
        if (
            character in table
            and len(table[character].strokes) <= 9
            and set(ids.leaves(charset.tree(character))) <= set('口木日土囗人十一女力又小寸心夂辶门王田禾')
        ):
            trees[character] = charset.tree(character)
    told = []
    slots, costs = segment(
        {c: [np.asarray(stroke, float) for stroke in table[c].strokes] for c in trees},
        trees,
        report=told.append,
    )
    return slots, costs, told


def test_the_packaged_table_is_what_comes_of_it(segmented):
    slots, costs, told = segmented
    table = StrokeTable.load()
    assert len(slots) > 100 and set(slots) == set(costs)
    same = np.mean([tuple(slots[c]) == table[c].slots for c in slots])
    assert same > 0.95  # fewer characters are known here
    assert [line.split(':')[0] for line in told] == ['round 1', 'round 2', 'round 3', 'round 4']
    assert (
        told[-1] == f'round 4: mean cost {np.mean(list(costs.values())):.4f},'
        f' {sum(cost > 0.25 for cost in costs.values())} doubtful'
    )


def test_costs_are_these(segmented):
    """Golden: constants that all cuts hang on. Rounds go down and settle."""
    _, costs, told = segmented
    np.testing.assert_allclose(
        (len(costs), np.mean(list(costs.values())), np.std(list(costs.values())), max(costs.values())),
        COSTS,
        atol=1e-6,
    )
    assert [line.split(', ')[0].rsplit(' ', 1)[1] for line in told] == ROUNDS


COSTS = (102.0, 0.0467141, 0.0323558, 0.1261856)
ROUNDS = ['0.0718', '0.0467', '0.0467', '0.0467']
