"""What skeletons are made of: points between, hooks, places, the order of writing, where parts stand and
who shows them; all characters as a version has them.
"""

import numpy as np
import pytest

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.data.scribe import composed_strokes, skeletons
from hwgen.data.scribe.skeletons import assemble
from hwgen.data.scribe.stroke_table import StrokeTable


def array(*points):
    return np.array(points, float)


def test_long_pieces_get_points_in_between():
    """By hand: .44 em in two, .45 in three; shorter ones in none."""
    for length, count in ((0.2, 1), (0.22, 1), (0.23, 2), (0.44, 2), (0.45, 3)):
        found = skeletons._with_midpoints(array((0.1, 0.1), (0.1, 0.1 + length - 1e-9)))
        np.testing.assert_allclose(
            found,
            np.stack([np.full(count + 1, 0.1), np.linspace(0.1, 0.1 + length, count + 1)], 1),
            atol=1e-6,
        )
    np.testing.assert_allclose(
        skeletons._with_midpoints(array((0, 0), (0.4, 0), (0.4, 0.1))),
        [[0, 0], [0.2, 0], [0.4, 0], [0.4, 0.1]],
        atol=1e-9,
    )


def test_place_along_a_stroke_goes_by_its_length():
    np.testing.assert_allclose(
        skeletons._along(array((0, 0), (0.3, 0.4), (0.3, 0.6), (0.0, 0.6))), [-1, 0, 0.4, 1]
    )
    np.testing.assert_allclose(skeletons._along(array((0.2, 0.2), (0.2, 0.2))), [-1, -1])


@pytest.mark.parametrize(
    'stroke, corner',
    [
        ([(0.5, 0.1), (0.5, 0.9), (0.4, 0.8)], 1),  # up to the left: 亅
        ([(0.5, 0.1), (0.5, 0.9), (0.39, 0.9)], None),  # level: it does not turn upwards, and is .11 long
        ([(0.5, 0.1), (0.5, 0.9), (0.41, 0.9)], 1),  # but a very short one is
        ([(0.1, 0.2), (0.9, 0.2), (0.9, 0.35)], None),  # down: the corner of 口
        ([(0.1, 0.2), (0.9, 0.2), (0.88, 0.29)], 1),  # shorter: that of 冖
        ([(0.5, 0.1), (0.5, 0.9), (0.49, 0.875)], None),  # too short to be meant
        ([(0.5, 0.1), (0.5, 0.9), (0.48, 0.87)], 1),
        ([(0.5, 0.1), (0.5, 0.9), (0.35, 0.68)], None),  # .266 em: more than .26
        ([(0.5, 0.1), (0.5, 0.9), (0.36, 0.69)], 1),
        ([(0.5, 0.1), (0.5, 0.3), (0.43, 0.16)], 1),
        ([(0.5, 0.1), (0.5, 0.3), (0.42, 0.14)], None),  # more than .45 of the stroke
        ([(0.1, 0.9), (0.8, 0.5), (0.9, 0.42)], None),  # goes on
        ([(0.1, 0.5), (0.8, 0.5), (0.857, 0.418)], None),  # turns by 55 degrees: cos .57
        ([(0.1, 0.5), (0.8, 0.5), (0.853, 0.416)], 1),  # by 58: cos .53
        ([(0.5, 0.1), (0.5, 0.9), (0.46, 0.88), (0.4, 0.8)], 1),  # a rounded foot: where the turning begins
    ],
)
def test_what_is_a_hook(stroke, corner):
    assert skeletons._hook(array(*stroke)) == corner


def test_a_skeleton_says_what_belongs_to_what():
    found = assemble(
        [array((0.1, 0.1), (0.5, 0.1)), array((0.5, 0.1), (0.5, 0.9), (0.4, 0.8))],
        [1, 0],
        ('甲', '乙'),
        ('left', 'right'),
        advance=0.7,
        composed=True,
    )
    assert found.stroke_of.tolist() == [0, 0, 0] + [1] * 6 and found.slots.tolist() == [1, 0]
    assert (
        found.hook_of.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7]
        and found.points[7].tolist() == np.float32([0.5, 0.9]).tolist()
    )
    assert (found.tokens, found.places, found.advance, found.composed) == (
        ('甲', '乙'),
        ('left', 'right'),
        0.7,
        True,
    )
    assert [value.dtype for value in found[:5]] == [np.float32, np.int32, np.float32, np.int32, np.int32]
    np.testing.assert_allclose(found.along[[0, 2, 3, 8]], [-1, 1, -1, 1])
    nothing = assemble([], [], (' ',), ('symbol',))
    assert (
        nothing.points.shape == (0, 2)
        and not len(nothing.slots)
        and nothing.advance == 1
        and not nothing.composed
    )


def test_places_of_parts():
    assert skeletons.places_of('甲') == ('whole',)
    for operator, places in (
        ('⿰', ('left', 'right')),
        ('⿱', ('top', 'bottom')),
        ('⿴', ('around', 'inside')),
        ('⿺', ('around', 'inside')),
        ('⿶', ('around', 'inside')),
        ('⿲', ('left', 'middle', 'right')),
        ('⿳', ('top', 'middle', 'bottom')),
        ('H4', ('left', 'middle', 'middle', 'right')),
        ('V4', ('top', 'middle', 'middle', 'bottom')),
    ):
        assert skeletons.places_of((operator, *'甲乙丙丁'[: len(places)])) == places
    assert skeletons.places_of(('⿰', '甲', ('⿱', '乙', '丙'))) == ('left', 'top', 'bottom')
    assert skeletons.places_of(('⿺', ('⿱', '甲', '乙'), '丙')) == ('top', 'bottom', 'inside')


def test_the_order_of_strokes():
    def order(tree, slots):
        return composed_strokes._writing_order(tree, slots)

    assert order(('⿰', '甲', '乙'), [0, 0, 1, 1]) == [0, 1, 2, 3]
    for around in '辶廴乚':
        assert order(('⿺', around, '乙'), [0, 0, 1, 1, 1]) == [2, 3, 4, 0, 1]
    assert order(('⿺', '走', '乙'), [0, 0, 1, 1]) == [0, 1, 2, 3]  # written first
    assert order(('⿺', ('⿱', '甲', '乙'), '丙'), [0, 1, 2, 2]) == [2, 3, 0, 1]
    assert order(('⿴', '囗', '乙'), [0, 0, 0, 1, 1]) == [0, 1, 3, 4, 2] and order(
        ('⿴', '行', '乙'), [0, 0, 1]
    ) == [0, 1, 2]
    assert order(('⿶', '凵', '乙'), [0, 0, 1, 1]) == [2, 3, 0, 1] and order(
        ('⿵', '门', '乙'), [0, 0, 1, 1]
    ) == [0, 1, 2, 3]
    assert order(('⿰', '甲', ('⿺', '辶', '乙')), [0, 1, 1, 2, 2]) == [0, 3, 4, 1, 2]


def test_boxes_of_templates_lie_in_what_a_character_covers():
    np.testing.assert_allclose(
        composed_strokes._in_em(array((0, 0, 1, 1), (0.5, 0, 1, 0.5))),
        [[0.07, 0.07, 0.93, 0.93], [0.5, 0.07, 0.93, 0.5]],
    )


def test_three_parts_are_drawn_apart_pair_by_pair():
    """By hand: the second pair shares .3, of which .15 of the smaller one's .5 may stay; nested ones too."""
    tree, templates = (
        ('⿲', '甲', '乙', '丙'),
        np.array([[0, 0, 0.33, 1], [0.33, 0, 0.67, 1], [0.67, 0, 1, 1]]),
    )
    found = composed_strokes._kept_apart(tree, [[0, 0, 0.3, 1], [0.3, 0, 0.8, 1], [0.5, 0, 1, 1]], templates)
    np.testing.assert_allclose(found, [[0, 0, 0.3, 1], [0.3, 0, 0.725, 1], [0.575, 0, 1, 1]])
    nested = ('⿱', '甲', ('⿰', '乙', '丙'))
    found = composed_strokes._kept_apart(
        nested,
        [[0, 0, 1, 0.4], [0, 0.4, 0.7, 1], [0.3, 0.4, 1, 1]],
        np.array([[0, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]),
    )
    np.testing.assert_allclose(found, [[0, 0, 1, 0.4], [0, 0.4, 0.605, 1], [0.395, 0.4, 1, 1]])
    # Around a group of leaves: scaled together.
    found = composed_strokes._kept_apart(
        nested,
        [[0, 0, 1, 0.7], [0, 0.3, 0.5, 1], [0.5, 0.4, 1, 1]],
        np.array([[0, 0, 1, 0.5], [0, 0.5, 0.5, 1], [0.5, 0.5, 1, 1]]),
    )
    np.testing.assert_allclose(
        found, [[0, 0, 1, 0.605], [0, 0.395, 0.5, 1], [0.5, 1 - 0.6 * 0.605 / 0.7, 1, 1]]
    )


def shown_of(*rows):
    """Entries that show components, by hand: (character, pattern, slot, token, box, counts)."""
    shown = object.__new__(composed_strokes.ShownComponents)
    shown._of_token, shown._of_slot = {}, {}
    for character, pattern, slot, token, box, counts in rows:
        row = composed_strokes.Occurrence(
            character, pattern, slot, token, np.array(box, float), counts[slot], np.array(counts)
        )
        shown._of_token.setdefault(token, []).append(row)
        shown._of_slot.setdefault((pattern, slot), []).append(row)
    shown._table = {
        character: type('', (), {'strokes': [f'{character} {n}' for n in range(4)], 'slots': (0, 1, 1, 0)})()
        for character, *_ in rows
    }
    return shown


def test_strokes_come_from_the_entry_that_is_most_alike():
    """The sum of the distances of the edges, and .15 for another place."""
    shown = shown_of(
        ('一', 'A', 0, '甲', [0, 0, 0.5, 1], [1, 1]),
        ('二', 'B', 0, '甲', [0, 0, 0.4, 1], [1, 1]),
        ('三', 'A', 1, '甲', [0.5, 0, 1, 1], [1, 1]),
        ('四', ids.SLOT, 0, '甲', [0, 0, 1, 1], [4]),
    )

    def strokes(box, pattern='A', slot=0, without=()):
        return shown.shape('甲', pattern, slot, np.array(box, float), without=without)

    # .13 against .03 + .15
    assert strokes([0, 0, 0.5, 1]) == ['一 0', '一 3'] and strokes([0, 0, 0.37, 1]) == ['一 0', '一 3']
    assert strokes([0, 0, 0.36, 1], 'C') == ['二 0', '二 3'] and strokes([0, 0, 0.41, 1]) == ['一 0', '一 3']
    assert strokes([0.5, 0, 1, 1], 'A', 1) == ['三 1', '三 2'] and strokes([0, 0, 1, 1], ids.SLOT, 0) == [
        f'四 {n}' for n in range(4)
    ]
    assert strokes([0, 0, 0.5, 1], without=('一',)) == ['二 0', '二 3'] and strokes(
        [0, 0, 0.5, 1], without=tuple('一二三四')
    ) == ['一 0', '一 3']
    assert shown.richness('甲') == 1
    for away, chosen in ((0.14, '一'), (0.16, '二')):  # another place that is nearer by .14 or by .16
        shown = shown_of(
            ('一', 'A', 0, '甲', [0, 0, 0.4 + away, 1], [1, 1]), ('二', 'B', 0, '甲', [0, 0, 0.4, 1], [1, 1])
        )
        assert shown.shape('甲', 'A', 0, np.array([0, 0, 0.4, 1.0]), without=()) == [
            f'{chosen} 0',
            f'{chosen} 3',
        ]


def test_few_entries_of_a_pattern_are_placed_from_outside_to_inside(monkeypatch):
    """A nested pattern that seven entries show is placed part by part; one that eight show as a whole."""
    tree, asked = ('⿰', '甲', ('⿱', '乙', '丙')), []
    pattern = ids.pattern(tree)

    def box(self, pattern, slot, tokens, richness, *, template, without):
        asked.append((pattern, tuple(richness)))
        return (
            np.array([[0, 0, 0.4, 1.0], [0.4, 0.1, 1.0, 0.9]][slot])
            if pattern == ids.pattern(('⿰', '甲', '乙'))
            else np.array([[0.1, 0, 0.9, 0.4], [0.1, 0.4, 0.9, 1.0]][slot])
        )

    monkeypatch.setattr(composed_strokes.ShownComponents, 'box', box)
    for count, whole in ((7, False), (8, True)):
        asked.clear()
        shown = shown_of(*((str(n), pattern, 0, '甲', [0, 0, 0.4, 1], [1, 1, 1]) for n in range(count)))
        found = [] if whole else shown.boxes(tree, ids.boxes(tree), [2.0, 3.0, 4.0], without=())
        if whole:
            with pytest.raises(IndexError):
                shown.boxes(tree, ids.boxes(tree), [2.0, 3.0, 4.0], without=())
            assert asked[0] == (pattern, (2.0, 3.0, 4.0))
            without = shown.boxes(tree, ids.boxes(tree), [2.0, 3.0, 4.0], without=('0',))
            assert len(without) == 3
        else:
            assert [richness for _, richness in asked] == [(2.0, 7.0)] * 2 + [(2.0,)] + [(3.0, 4.0)] * 2
            np.testing.assert_allclose(
                found, [[0, 0, 0.4, 1], [0.4, 0.1, 1, 0.1 + 0.8 * 0.4], [0.4, 0.1 + 0.8 * 0.4, 1, 0.9]]
            )


def test_entries_and_sequences_have_their_codes():
    charset = Charset.load()
    entry = skeletons.entry('明')
    assert (
        entry.tokens == ids.leaves(charset.tree('明'))
        and entry.places == ('left', 'right')
        and not entry.composed
    )
    np.testing.assert_allclose(
        entry.points[[0, -1]],
        np.concatenate([s[[0, -1]] for s in StrokeTable.load()['明'].strokes])[[0, -1]],
        atol=1e-6,
    )
    tree, boxes = skeletons.code_tree('⿱山鱼')
    assert tree == ('⿱', '山', '鱼') and boxes.shape == (2, 4)
    np.testing.assert_allclose(boxes, ids.boxes(tree))
    assert skeletons.skeleton('⿰日月') is not None and not skeletons.skeleton('明').composed


def test_a_character_without_a_code_is_one_component():
    table, charset = StrokeTable.load(), Charset.load()
    character = next(c for c in table.characters if not charset.character_id(c) and len(table[c].strokes) > 2)
    found = skeletons.entry(character)
    assert (
        found.tokens == (character,)
        and found.places == ('whole',)
        and not found.slots.any()
        and len(found.slots) == len(table[character].strokes)
    )
    shown = composed_strokes.ShownComponents.load()
    assert '{899}' not in shown._of_token and {'口', character} <= shown._of_token.keys()
    with pytest.raises(LookupError):
        skeletons.entry('A')


# Strokes, and sum of all coordinates by their number, of every so many hanzi: golden, for whoever learns from
# a version learns these shapes.
SHAPES = (101.0, 1275.0, 2.759713, 328.0, -19.413252, 10344.0, 60.789132, 423.359356)


def shapes():
    charset = Charset.load()
    found = []
    for i in charset.character_set('hanzi')[7::211]:
        skeleton = skeletons.skeleton(charset.characters[i])
        points = skeleton.points.astype(float)
        found.append(
            (
                len(skeleton.slots),
                (points * np.cos(np.arange(points.size)).reshape(points.shape)).sum(),
                (skeleton.hook_of != np.arange(len(points))).sum(),
                (skeleton.along * np.sin(np.arange(len(points)))).sum(dtype=float),
                (skeleton.slots * np.arange(len(skeleton.slots))).sum(),
            )
        )
    found = np.array(found)
    return len(found), *found.sum(0), *np.abs(found).sum(0)[[1, 3]]


def test_shapes_are_these():
    np.testing.assert_allclose(shapes(), SHAPES, atol=2e-4)
