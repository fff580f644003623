"""Ideographic Description Sequences: parsing, formatting, flattening, boxes."""

import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.charset import ids

DATA = pathlib.Path(__file__).parent / 'data'
TOKENS = st.sampled_from('口日月山水火木金土人') | st.sampled_from(['{1}', '{83}', '{114}'])


def _nodes(children):
    return st.one_of(
        [st.tuples(st.just(operator), *[children] * arity) for operator, arity in ids.ARITY.items()]
    )


TREES = st.recursive(TOKENS, _nodes, max_leaves=12)


def _depth(tree):
    return 0 if isinstance(tree, str) else 1 + max(map(_depth, tree[1:]))


@given(TREES)
def test_format_then_parse_is_the_identity(tree):
    text = ids.format_tree(tree)
    if _depth(tree) > ids.MAX_DEPTH:
        with pytest.raises(ids.IdsError, match='nested deeper'):
            ids.parse(text)
        return
    assert ids.parse_whole(text) == tree
    sequence = ids.parse('ab' + text + 'c', 2)
    assert sequence.tree == tree and sequence.end == 2 + len(text)
    assert [('ab' + text)[position] for position in sequence.leaf_positions] == [
        leaf[0] for leaf in ids.leaves(tree)
    ]


@given(TREES)
def test_flattening_keeps_the_leaves_and_survives_its_sequence(tree):
    flat = ids.flatten(tree)
    assert ids.leaves(flat) == ids.leaves(tree)
    assert ids.flatten(flat) == flat
    assert ids.fill(ids.pattern(flat), ids.leaves(flat)) == flat
    if _depth(ids.flatten(flat)) < ids.MAX_DEPTH - 1:
        assert ids.flatten(ids.parse_whole(ids.format_tree(flat))) == flat


@given(TREES)
def test_boxes_lie_in_the_unit_square(tree):
    boxes = np.array(ids.boxes(tree))
    assert boxes.shape == (len(ids.leaves(tree)), 4)
    assert (boxes >= 0).all() and (boxes <= 1 + 1e-9).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()


@given(st.text('⿰⿱⿲⿿㇯〾{}0口日· ', max_size=12))
def test_any_text_parses_or_says_where_it_does_not(text):
    try:
        sequence = ids.parse(text)
    except ids.IdsError as error:
        assert 0 <= error.position <= len(text)
        assert f'position {error.position}' in str(error)
    else:
        assert 0 < sequence.end <= len(text)


@pytest.mark.parametrize(
    'text, tree',
    [
        ('⿰氵⿰古月', ('⿲', '氵', '古', '月')),
        ('⿱A⿱B⿱CD', ('V4', *'ABCD')),
        ('⿰⿰AB⿰CD', ('H4', *'ABCD')),
        ('⿲A⿲BCDE', ('⿲', 'A', ('⿲', *'BCD'), 'E')),
        ('⿱A⿰BC', ('⿱', 'A', ('⿰', 'B', 'C'))),
        ('⿳A⿱BC⿰⿰DEF', ('V4', 'A', 'B', 'C', ('⿲', *'DEF'))),
    ],
)
def test_flatten_joins_chains_of_one_direction(text, tree):
    assert ids.flatten(ids.parse_whole(text)) == tree


def test_the_operators_and_their_parts():
    """U+2FF0 to U+2FFF and U+31EF; two parts, but three in a row, and one that is mirrored or turned."""
    assert set(ids.ARITY) == {chr(code) for code in (*range(0x2FF0, 0x3000), 0x31EF)}
    assert {operator: arity for operator, arity in ids.ARITY.items() if arity != 2} == {
        '⿲': 3,
        '⿳': 3,
        '⿾': 1,
        '⿿': 1,
    }
    assert ids.VARIATION == '\u303e' and ids.SLOT == '\xb7'


@pytest.mark.parametrize(
    'sequence, expected',
    [
        ('a', [(0, 0, 1, 1)]),
        ('⿰ab', [(0, 0, 0.5, 1), (0.5, 0, 1, 1)]),
        ('⿱ab', [(0, 0, 1, 0.5), (0, 0.5, 1, 1)]),
        ('⿲abc', [(0, 0, 1 / 3, 1), (1 / 3, 0, 2 / 3, 1), (2 / 3, 0, 1, 1)]),
        ('⿳abc', [(0, 0, 1, 1 / 3), (0, 1 / 3, 1, 2 / 3), (0, 2 / 3, 1, 1)]),
        ('⿼ab', [(0, 0, 1, 1), (0, 0.2, 0.75, 0.8)]),
        ('⿽ab', [(0, 0, 1, 1), (0, 0, 0.75, 0.75)]),
        ('⿻ab', [(0, 0, 1, 1)] * 2),
        ('㇯ab', [(0, 0, 1, 1)] * 2),
        ('⿾a', [(0, 0, 1, 1)]),
        ('⿷ab', [(0, 0, 1, 1), (0.25, 0.2, 1, 0.8)]),
        ('⿶ab', [(0, 0, 1, 1), (0.2, 0, 0.8, 0.75)]),
        ('⿰a⿼b⿱cd', [(0, 0, 0.5, 1), (0.5, 0, 1, 1), (0.5, 0.2, 0.875, 0.5), (0.5, 0.5, 0.875, 0.8)]),
    ],
)
def test_boxes_by_hand(sequence, expected):
    np.testing.assert_allclose(ids.boxes(ids.parse_whole(sequence)), expected, atol=1e-12)


def test_four_in_a_row_have_a_quarter_each():
    np.testing.assert_allclose(ids.boxes(('H4', *'abcd')), [(i / 4, 0, (i + 1) / 4, 1) for i in range(4)])
    np.testing.assert_allclose(ids.boxes(('V4', *'abcd')), [(0, i / 4, 1, (i + 1) / 4) for i in range(4)])
    assert (
        ids.format_tree(('H4', *'abcd')) == '⿰⿰ab⿰cd'
        and ids.format_tree(('V4', 'a', ('H4', *'bcde'), 'f', 'g')) == '⿱⿱a⿰⿰bc⿰de⿱fg'
    )


def test_trees_taken_apart_and_put_together():
    tree = ('⿱', ('H4', 'a', '{12}', 'b', ('⿴', 'c', 'd')), ('⿾', 'e'))
    assert (
        ids.leaves(tree) == ('a', '{12}', 'b', 'c', 'd', 'e')
        and ids.operators(tree) == ('⿱', 'H4', '⿴', '⿾')
        and ids.pattern(tree) == '⿱H4···⿴··⿾·'
    )
    assert (
        ids.fill('⿱H4···⿴··⿾·', ['a', '{12}', 'b', 'c', 'd', 'e']) == tree
        and ids.fill('·', ['a']) == 'a'
        and ids.operators('a') == ()
    )
    for tokens in ('ab', 'abcd'):
        with pytest.raises(ValueError, match=f'^⿰·⿱··: {len(tokens)} tokens, expected 3$'):
            ids.fill('⿰·⿱··', tokens)


def test_twelve_levels_and_no_more():
    assert ids.leaves(ids.parse_whole('⿱' * 12 + '日' * 13)) == ('日',) * 13
    with pytest.raises(ids.IdsError, match='^⿱ at position 12: nested deeper than 12 levels$'):
        ids.parse('⿱' * 13 + '日' * 14)


def test_sequences_within_a_text():
    """As far as one goes; the places may have other names."""
    assert (
        ids.parse('x⿰ab⿰cd', 1) == (('⿰', 'a', 'b'), 4, (2, 3))
        and ids.parse('x⿰ab', 0) == ('x', 1, (0,))
        and ids.parse('〾a', 0) == ('a', 2, (1,))
    )
    assert ids.parse('⿰a〾b', places=[10, 20, 30, 40, 50]) == (('⿰', 'a', 'b'), 4, (20, 40))
    for text, message in (
        ('⿰⿱a', 'position 93: the text ends inside ⿱ of position 91, which has 1 of 2 parts'),
        ('⿲ab', 'position 93: the text ends inside ⿲ of position 90, which has 2 of 3 parts'),
        ('⿰{}', '{ at position 91: a number and } were expected after it'),
        ('⿰·a', "'·' at position 91: not a component"),
        ('⿰\u3000a', "'\\\\u3000' at position 91"),
    ):
        with pytest.raises(ids.IdsError, match=message.replace('{', '.').replace('}', '.')) as caught:
            ids.parse(text, places=range(90, 94))
        assert caught.value.position == int(message.partition('position ')[2][:2])


@pytest.mark.parametrize(
    'text, tree',
    [
        ('⿱⿰ab⿰cd', ('⿱', ('⿰', 'a', 'b'), ('⿰', 'c', 'd'))),
        ('⿲⿰abcd', ('H4', *'abcd')),
        ('⿲a⿰bcd', ('H4', *'abcd')),
        ('⿰⿲abcd', ('H4', *'abcd')),
        ('⿰⿰⿰abcd', ('H4', *'abcd')),
        ('⿰⿲abc⿰de', ('⿰', ('⿲', *'abc'), ('⿰', *'de'))),
        ('⿿⿰a⿰bc', ('⿿', ('⿲', *'abc'))),
        ('⿴⿱a⿱bc⿱⿱de⿱fg', ('⿴', ('⿳', *'abc'), ('V4', *'defg'))),
    ],
)
def test_more_chains(text, tree):
    assert ids.flatten(ids.parse_whole(text)) == tree


def test_the_variation_mark_is_dropped_and_a_braced_number_is_one_token():
    assert ids.parse_whole('〾⿻一〾{42}') == ('⿻', '一', '{42}')


@pytest.mark.parametrize(
    'text, position, says',
    [
        ('⿰日', 2, 'has 1 of 2 parts'),
        ('⿲日⿱月', 4, '⿱ of position 2'),
        ('', 0, 'sequence was expected'),
        ('⿰{8日', 1, 'number and }'),
        ('⿰日}', 2, 'not a component'),
        ('⿰日 ', 2, 'not a component'),
        ('⿱' * 13 + '日' * 14, 12, 'deeper than 12'),
        ('⿰日月山', 3, 'nothing was expected'),
    ],
)
def test_errors_show_the_place(text, position, says):
    with pytest.raises(ids.IdsError, match=says) as caught:
        ids.parse_whole(text)
    assert caught.value.position == position


def test_a_hostile_depth_does_not_exhaust_the_stack():
    with pytest.raises(ids.IdsError):
        ids.parse('⿰' * 100_000)


def test_boxes_equal_the_independent_templates():
    # Written down to three decimals in the reference.
    for line in (DATA / 'reference_structures.tsv').read_text('utf-8').splitlines():
        pattern, expected = line.split('\t')
        expected = [[float(number) for number in box.split(',')] for box in expected.split()]
        np.testing.assert_allclose(
            ids.boxes(ids.fill(pattern, 'ABCD'[: len(expected)])), expected, atol=6e-4, err_msg=pattern
        )
