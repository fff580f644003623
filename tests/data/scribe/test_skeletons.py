"""Skeletons: every character of the table has one, composed ones look like the entries they were composed
without, and what has no strokes is named.
"""

import numpy as np
import pytest

from hwgen.charset import ids
from hwgen.charset.encoding import Charset
from hwgen.charset.symbols import SYMBOLS
from hwgen.data.scribe import composed_strokes, skeletons
from hwgen.data.scribe.component_strokes import component_strokes, described_components
from hwgen.data.scribe.stroke_table import StrokeTable
from hwgen.data.scribe.symbol_strokes import written_symbols


def hanzi():
    charset = Charset.load()
    return [charset.characters[i] for i in charset.character_set('hanzi')]


def strokes_of(skeleton):
    return [skeleton.points[skeleton.stroke_of == k] for k in range(len(skeleton.slots))]


def boxes_of(skeleton):
    """Box of each slot [k, 4]; a thin one (一) counts as .05 em thick."""
    boxes = []
    for slot in range(len(skeleton.tokens)):
        box = composed_strokes.box_of(
            [stroke for stroke, own in zip(strokes_of(skeleton), skeleton.slots) if own == slot]
        )
        grown = np.maximum(0.05 - (box[2:] - box[:2]), 0) / 2
        boxes.append(np.concatenate([box[:2] - grown, box[2:] + grown]))
    return np.stack(boxes)


def overlaps(a, b):
    """Intersection over union of boxes [k, 4]."""
    inner = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0).prod(1)
    return inner / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inner)


@pytest.fixture(scope='module')
def pairs():
    """Entries of the table, drawn at random, and the same characters composed from other entries: [(entry,
    composed)].
    """
    charset, table = Charset.load(), StrokeTable.load()
    able = [
        c
        for c in hanzi()
        if c in table and table[c].slots is not None and len(ids.leaves(charset.tree(c))) > 1
    ]
    drawn = np.random.default_rng(0).choice(len(able), 200, replace=False)
    return [
        (skeletons.entry(able[k]), skeletons.compose(*skeletons.code_tree(able[k]), without={able[k]}))
        for k in drawn
    ]


def test_every_component_has_strokes():
    charset, table = Charset.load(), StrokeTable.load()
    shown = composed_strokes.ShownComponents.load()
    lacking = {
        token: c
        for c in hanzi()
        if c not in table
        for token in ids.leaves(charset.tree(c))
        if token not in shown._of_token and token not in described_components()
    }
    assert not lacking


@pytest.mark.slow
def test_characters_have_skeletons():
    """A sample of all characters, and every one that has a component of the table of components."""
    charset, table, described = Charset.load(), StrokeTable.load(), described_components()
    chosen = set(hanzi()[::15]) | {
        c for c in hanzi() if c not in table and described.intersection(ids.leaves(charset.tree(c)))
    }
    assert len(chosen) > 1600
    for character in chosen:
        found = skeletons.skeleton(character)
        assert len(found.points) == len(found.stroke_of) == len(found.along) == len(found.hook_of), character
        assert found.stroke_of.max() + 1 == len(found.slots) and set(found.slots.tolist()) == set(
            range(len(found.tokens))
        ), character
        assert np.isfinite(found.points).all() and found.points.min() > -0.1 and found.points.max() < 1.1, (
            character
        )
        assert len(found.places) == len(found.tokens) and found.composed == (character not in table), (
            character
        )


def test_symbols_have_strokes():
    charset = Charset.load()
    assert written_symbols() >= set(SYMBOLS)
    assert set(charset.characters) - set(hanzi()) - {''} <= written_symbols()  # '': no character


def test_composed_characters_stand_like_entries(pairs):
    found = np.concatenate([overlaps(boxes_of(entry), boxes_of(composed)) for entry, composed in pairs])
    assert found.mean() > 0.75 and (found > 0.5).mean() > 0.9


def test_composed_characters_are_written_in_the_order_of_entries(pairs):
    def runs(skeleton):  # a component may be written with a stroke more or less in another place
        return [int(slot) for k, slot in enumerate(skeleton.slots) if not k or slot != skeleton.slots[k - 1]]

    assert np.mean([runs(entry) == runs(composed) for entry, composed in pairs]) > 0.95


def test_a_sequence_is_composed():
    found = skeletons.skeleton('⿱山鱼')
    assert found.composed and found.tokens == ('山', '鱼') and found.places == ('top', 'bottom')
    assert found.slots.tolist() == [0] * 3 + [1] * 8
    top, bottom = boxes_of(found)
    assert top[3] < bottom[1] + 0.05 and top[1] < 0.2 and bottom[3] > 0.8
    assert found.points.min() > 0 and found.points.max() < 1


def test_a_flat_component_keeps_its_thickness_and_is_as_wide_as_its_place():
    """一 on the left, where other components are as high as the character: it is moved there, not
    stretched.
    """
    for sequence, slot in (('⿰一鱼', 0), ('⿰鱼一', 1), ('⿲一鱼一', 2)):
        boxes = boxes_of(skeletons.skeleton(sequence))
        assert boxes[slot, 3] - boxes[slot, 1] < 0.13 and boxes[slot, 2] - boxes[slot, 0] > 0.15
        assert (boxes[1 - slot if slot < 2 else 1, 3] - boxes[1 - slot if slot < 2 else 1, 1]) > 0.6


def test_what_an_enclosure_holds_comes_before_it_is_closed():
    assert skeletons.skeleton('⿴囗鱼').slots.tolist() == [0] * 2 + [1] * 8 + [0]
    assert skeletons.skeleton('⿺辶鱼').slots.tolist()[:8] == [1] * 8
    assert skeletons.skeleton('⿶凵鱼').slots.tolist() == [1] * 8 + [0] * 2


def test_parts_that_lie_on_each_other_are_drawn_apart():
    """By hand: boxes .7 wide that share .4 may share .3 of .7, around the middle of what they shared."""
    tree, templates = ('⿰', '甲', '乙'), np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1]])
    found = composed_strokes._kept_apart(tree, [[0, 0, 0.7, 1], [0.3, 0, 1, 1]], templates)
    np.testing.assert_allclose(found, [[0, 0, 0.605, 1], [0.395, 0, 1, 1]])
    near = np.array([[0, 0, 0.6, 1], [0.45, 0, 1, 1]])  # .15 of .55: less than .3 of it
    np.testing.assert_array_equal(composed_strokes._kept_apart(tree, near, templates), near)
    np.testing.assert_array_equal(
        composed_strokes._kept_apart(('⿴', '甲', '乙'), [[0, 0, 1, 1], [0.2, 0.2, 0.8, 0.8]], templates),
        [[0, 0, 1, 1], [0.2, 0.2, 0.8, 0.8]],
    )
    # In the wrong order: the template, in the part of the em that characters cover.
    np.testing.assert_allclose(
        composed_strokes._kept_apart(tree, [[0.5, 0, 1, 1], [0, 0, 0.6, 1]], templates),
        [[0.07, 0.07, 0.5, 0.93], [0.5, 0.07, 0.93, 0.93]],
    )
    upright = composed_strokes._kept_apart(('⿱', '甲', '乙'), [[0, 0, 1, 0.7], [0, 0.3, 1, 1]], templates)
    np.testing.assert_allclose(upright, [[0, 0, 1, 0.605], [0, 0.395, 1, 1]])


def test_boxes_are_means_weighted_by_how_rich_the_other_parts_are():
    shown, rows = object.__new__(composed_strokes.ShownComponents), []
    for character, token, box, counts in (
        ('一', '甲', [0, 0, 0.4, 1], [3, 5]),
        ('二', '甲', [0, 0, 0.6, 1], [3, 10]),
        ('三', '丙', [0, 0, 0.9, 1], [3, 5]),
    ):
        rows.append(
            composed_strokes.Occurrence(
                character, '⿰··', 0, token, np.array(box, float), counts[0], np.array(counts)
            )
        )
    shown._of_slot = {('⿰··', 0): rows}

    def box(tokens, **options):
        return composed_strokes.ShownComponents.box(
            shown,
            '⿰··',
            0,
            tokens,
            [3.0, 5.0],
            template=np.array([0, 0, 0.5, 1]),
            **{'without': (), **options},
        )

    weight = np.exp(-5 / 2.5)  # five strokes further from what is asked
    np.testing.assert_allclose(box(('甲', '乙')), [0, 0, (0.4 + 0.6 * weight) / (1 + weight), 1], atol=1e-4)
    np.testing.assert_allclose(box(('甲', '乙'), without=('一',)), [0, 0, 0.6, 1])
    # another component there: all of them
    np.testing.assert_allclose(
        box(('丁', '乙')), [0, 0, (0.4 + 0.6 * weight + 0.9) / (2 + weight), 1], atol=1e-4
    )
    np.testing.assert_allclose(box(('甲', '乙'), without=('一', '二', '三')), [0.07, 0.07, 0.5, 0.93])


def test_components_of_the_table_of_components():
    drawn, composed = skeletons.skeleton('僞'), skeletons.skeleton('堫')
    assert drawn.tokens == ('亻', '爲') and (drawn.slots == 1).sum() == 12
    assert composed.tokens == ('土', '㚇') and (composed.slots == 1).sum() == 9
    # Alone it stands as it was drawn.
    whole = skeletons.skeleton('丗')
    np.testing.assert_allclose(
        composed_strokes.box_of(strokes_of(whole)),
        composed_strokes.box_of(component_strokes('丗')),
        atol=1e-6,
    )


def test_rows_of_components_can_be_read():
    shown = composed_strokes.ShownComponents.load()
    for token in described_components():
        found = component_strokes(token)
        assert token not in StrokeTable.load(), token
        if isinstance(found, list):
            points = np.concatenate(found)
            assert points.min() > 0 and points.max() < 1 and np.ptp(points, axis=0).max() > 0.7, token
        else:
            assert all(
                part in shown._of_token or part in described_components() for part in ids.leaves(found)
            ), token
        assert shown.richness(token) >= 1


def test_a_table_of_components_of_ones_own(tmp_path):
    path = tmp_path / 'mine.txt'
    path.write_text(
        '# A comment.\n\n{901}\t10,10 40,80; 50,10 60,10\n甲\t=⿱口{901}\n乙\t=⿱口⿱日{901}\n',
        encoding='utf-8',
    )
    assert described_components(path=path) == {'{901}', '甲', '乙'}
    strokes = component_strokes('{901}', path=path)
    np.testing.assert_allclose(strokes[0], [[0.1, 0.1], [0.4, 0.8]])
    assert len(strokes) == 2 and not strokes[0].flags.writeable
    assert component_strokes('甲', path=path) == ('⿱', '口', '{901}')
    assert (
        component_strokes('乙', path=path)
        == ids.flatten(ids.parse_whole('⿱口⿱日{901}'))
        == ('⿳', '口', '日', '{901}')
    )
    with pytest.raises(LookupError, match='component 丙: no strokes in mine.txt'):
        component_strokes('丙', path=path)


@pytest.mark.parametrize(
    'row, told',
    [
        ('甲', '1 fields'),
        ('甲\t=⿱口口\t', '3 fields'),
        ('⿱口口\t10,10 20,20', 'expected one component'),
        ('{x}\t10,10 20,20', 'position 0'),
        ('甲\t10,10 20,x', "stroke 1, '20,x'"),
        ('甲\t10,10', 'at least two points'),
        ('甲\t=⿱口', 'the text ends inside'),
        ('甲\t=', 'position 0'),
        ('甲\t1,1 2,2\n甲\t1,1 2,2', 'has a row already'),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, row, told):
    path = tmp_path / 'components.txt'
    path.write_text(f'# A comment.\n{row}\n', encoding='utf-8')
    with pytest.raises(ValueError, match=f'components.txt, row [23]: .*{told}'):
        component_strokes('甲', path=path)


def test_a_component_without_strokes_is_named():
    with pytest.raises(LookupError, match=r'component \{899\}: no entry'):
        skeletons.compose(('⿰', '口', '{899}'), np.array([[0, 0, 0.5, 1], [0.5, 0, 1, 1]]))
