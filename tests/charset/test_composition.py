"""Which of the codes that fit a tree is taken, in tables small enough to see it."""

import pytest

from hwgen.charset import ids
from hwgen.charset.composition import Composer
from hwgen.charset.encoding import Charset

LEFT_RIGHT, ABOVE = '⿰··', '⿱··'


def compose(sequence, *, components, patterns, trees):
    composer = Composer(set(components), patterns={pattern: number for number, pattern in enumerate(patterns, 1)},
                        trees={character: ids.parse_whole(tree) for character, tree in trees.items()}, further_trees=dict)
    parsed = ids.parse(sequence)
    return composer.compose(parsed.tree, leaf_positions=parsed.leaf_positions, position=0)


@pytest.mark.parametrize('patterns, trees, expected', [
    # 明 is a component and a character of two: both codes have a known pattern, and the one with more leaves expanded is taken.
    ((LEFT_RIGHT, ABOVE, '⿱⿰···'), {'明': '⿰日月'}, '⿱⿰日月皿'),
    # The pattern of the expanded one has no number: the whole component stays.
    ((LEFT_RIGHT, ABOVE), {'明': '⿰日月'}, '⿱明皿'),
    # Nor has the other: then again the one with more leaves expanded.
    ((LEFT_RIGHT,), {'明': '⿰日月'}, '⿱⿰日月皿'),
    # The table has 盟 with the component 明: what it has comes first.
    ((LEFT_RIGHT, ABOVE, '⿱⿰···'), {'明': '⿰日月', '盟': '⿱明皿'}, '⿱明皿')])
@pytest.mark.parametrize('sequence', ['⿱明皿', '⿱⿰日月皿'])
def test_the_code_that_is_taken(patterns, trees, expected, sequence):
    found = compose(sequence, components='日月皿明', patterns=patterns, trees=trees)
    assert ids.format_tree(found.tree) == expected and found.known_pattern == (found.pattern in patterns)


def test_what_does_not_fit_expanded_stays_whole():
    """Five leaves are one too many, so one of the two parts stays a component: of equals the one whose sequence comes first."""
    found = compose('⿱⿲日月日⿰月日', components='日月明', patterns=(ABOVE,), trees={'明': '⿲日月日'})
    assert found.tokens == ('明', '月', '日')


def test_nearest_share_the_most_leaves_then_the_pattern():
    trees = {'一': '⿰甲乙', '二': '⿱丙甲', '三': '⿱乙甲', '四': '⿰丁丁', '五': '⿰丙甲'}
    composer = Composer(set('甲乙丙丁'), patterns={}, trees={character: ids.parse_whole(tree) for character, tree in trees.items()}, further_trees=dict)
    # Two leaves: 三 of the same pattern before 一; then one leaf: 二 (⿱) before 五; 四 shares nothing.
    assert composer.nearest(('⿱', '甲', '乙'), 9) == ['三', '一', '二', '五']
    assert composer.nearest(('⿱', '甲', '乙'), 2) == ['三', '一'] and composer.nearest('丁') == ['四']


def test_structures_that_stand_in_for_others():
    """The operator alone, wherever its row stands; else the first pattern that it heads; else one component."""
    charset = Charset(['component\t口', 'component\t山', 'component\t木', 'structure\t·',
                       'structure\t⿰⿱···', 'structure\t⿱·⿰··', 'structure\t⿱⿴···', 'structure\t⿰··'])
    for sequence, stands_in in (('⿰口⿱山木', '⿰··'), ('⿱⿰口山木', '⿱·⿰··'), ('⿴口山', '·')):
        encoded = charset.encode(sequence)
        assert not encoded.exact_structure[0] and charset.structures[encoded.structure_ids[0]] == stands_in
