"""Which of the codes that fit a tree is taken, in tables small enough to see it."""

import pytest

from hwgen.charset import ids
from hwgen.charset.composition import Composer
from hwgen.charset.dictionary import CharsetError
from hwgen.charset.encoding import Charset

LEFT_RIGHT, ABOVE = '⿰··', '⿱··'


def compose(sequence, *, components, patterns, trees):
    composer = Composer(
        set(components),
        patterns={pattern: number for number, pattern in enumerate(patterns, 1)},
        trees={character: ids.parse_whole(tree) for character, tree in trees.items()},
        further_trees=dict,
    )
    parsed = ids.parse(sequence)
    return composer.compose(parsed.tree, leaf_positions=parsed.leaf_positions, position=0)


@pytest.mark.parametrize(
    'patterns, trees, expected',
    [
        # 明 is a component and a character of two: both codes have a known pattern, and the one with more
        # leaves
        # expanded is taken.
        ((LEFT_RIGHT, ABOVE, '⿱⿰···'), {'明': '⿰日月'}, '⿱⿰日月皿'),
        # The pattern of the expanded one has no number: the whole component stays.
        ((LEFT_RIGHT, ABOVE), {'明': '⿰日月'}, '⿱明皿'),
        # Nor has the other: then again the one with more leaves expanded.
        ((LEFT_RIGHT,), {'明': '⿰日月'}, '⿱⿰日月皿'),
        # The table has 盟 with the component 明: what it has comes first.
        ((LEFT_RIGHT, ABOVE, '⿱⿰···'), {'明': '⿰日月', '盟': '⿱明皿'}, '⿱明皿'),
    ],
)
@pytest.mark.parametrize('sequence', ['⿱明皿', '⿱⿰日月皿'])
def test_the_code_that_is_taken(patterns, trees, expected, sequence):
    found = compose(sequence, components='日月皿明', patterns=patterns, trees=trees)
    assert ids.format_tree(found.tree) == expected and found.known_pattern == (found.pattern in patterns)


def test_what_does_not_fit_expanded_stays_whole():
    """Five leaves are one too many, so one of the two parts stays a component: of equals the one whose
    sequence comes first.
    """
    found = compose('⿱⿲日月日⿰月日', components='日月明', patterns=(ABOVE,), trees={'明': '⿲日月日'})
    assert found.tokens == ('明', '月', '日')


def test_of_equals_the_one_of_fewer_operators():
    """Expanded one or the other, both would be five: ⿰山⿱丁戊 has two operators, ⿰⿱甲⿰乙丙水 three,
    though it stands first.
    """
    for patterns in ((), ('⿰·⿱··', '⿰⿱·⿰···')):
        found = compose(
            '⿰山水',
            components='山水甲乙丙丁戊',
            patterns=patterns,
            trees={'山': '⿱甲⿰乙丙', '水': '⿱丁戊'},
        )
        assert found.tokens == ('山', '丁', '戊') and found.known_pattern == bool(patterns)


def test_nearest_share_the_most_leaves_then_the_pattern():
    trees = {'一': '⿰甲乙', '二': '⿱丙甲', '三': '⿱乙甲', '四': '⿰丁丁', '五': '⿰丙甲'}
    composer = Composer(
        set('甲乙丙丁'),
        patterns={},
        trees={character: ids.parse_whole(tree) for character, tree in trees.items()},
        further_trees=dict,
    )
    # Two leaves: 三 of the same pattern before 一; then one leaf: 二 (⿱) before 五; 四 shares nothing.
    assert composer.nearest(('⿱', '甲', '乙'), 9) == ['三', '一', '二', '五']
    assert composer.nearest(('⿱', '甲', '乙'), 2) == ['三', '一'] and composer.nearest('丁') == ['四']


def refusal(sequence, **table):
    with pytest.raises(CharsetError) as caught:
        compose(sequence, **{'components': '日月木', 'patterns': (LEFT_RIGHT,), 'trees': {}, **table})
    return str(caught.value), caught.value.position


def test_what_is_said_of_what_does_not_fit():
    trees = {
        '明': '⿰日月',
        '林': '⿰木木',
        '晶': '⿲日日日',
        '曰': '⿰{5}日',
        '申': '⿱月{5}',
        '甲': '⿰{5}月',
        '乙': '⿱{5}{5}',
        'a': 'b',
    }
    assert refusal('⿰⿰明木⿰明日', trees=trees) == (
        '⿰⿰明木⿰明日 at position 0: needs 6 components, expected at most 4',
        0,
    )
    assert refusal('⿰日水', trees=trees) == (
        'U+6C34 水 at position 2: not in the table and not a known component',
        2,
    )
    assert refusal('⿰日{5}', trees=trees) == (
        (
            '{5}, a part that is no character, found in 曰 申 甲, at position 2: not in the table and not a'
            ' known component'
        ),
        2,
    )
    assert refusal('⿰日{6}', trees=trees) == (
        '{6}, a part that is no character, at position 2: not in the table and not a known component',
        2,
    )
    # Of five characters that share a part those with both parts first; 曰 is not named as where its own part
    # is found.
    assert refusal('曰', trees=trees) == (
        (
            'U+66F0 曰 at position 0: not in the table; as ⿰？日 it would need ？ (a part that is no'
            ' character, found in 申 甲 乙), not known as component; nearest: 曰 明 甲'
        ),
        0,
    )
    assert refusal('a', trees=trees) == (
        'U+0061 a at position 0: not in the table; as b it would need b, not known as component; nearest: a',
        0,
    )


@pytest.mark.parametrize(
    'character, known',
    [
        ('é', '; U+0065 e is known'),
        ('⑴', '; (1) is known'),
        ('ﬁ', ''),
        ('ⅳ', ''),
        ('㈡', ''),
        ('Å', ''),
        ('ẽ', '; U+0065 e is known'),
        ('１', '; U+0031 1 is known'),
    ],
)
def test_what_resembles_a_character_is_said_where_all_of_it_is_known(character, known):
    assert (
        refusal(character, components='e(1)', trees={'f': '⿰ee'})[0]
        == f'U+{ord(character):04X} {character} at position 0: not in the table and not a known'
        f' component{known}'
    )


def test_further_sequences_are_read_where_neither_table_nor_component_is_there():
    further = {'昌': '⿱日曰', '曰': '日', '品': '⿱口⿰口口', '日': '⿰月月', '明': '⿰月日'}
    composer = Composer(
        set('日月口'), patterns={}, trees={'明': ids.parse_whole('⿰日月')}, further_trees=lambda: further
    )

    def code(text):
        parsed = ids.parse(text)
        return composer.compose(parsed.tree, leaf_positions=parsed.leaf_positions, position=7).tokens

    assert (
        code('品') == ('口', '口', '口')
        and code('日') == ('日',)
        and code('明') == ('日', '月')
        and code('⿰品月') == ('口', '口', '口', '月')
    )
    with pytest.raises(
        CharsetError,
        match=(
            '^U.660C 昌 at position 0: not in the table; as ⿱日曰 it would need 曰, not known as component;'
            ' nearest: 明$'
        ),
    ):
        code('昌')  # what a sequence holds is not looked up again
    with pytest.raises(
        CharsetError, match='^⿰品⿰月日 at position 7: needs 5 components, expected at most 4$'
    ):
        code('⿰品⿰月日')


def test_a_structure_that_stands_in_makes_no_table_character():
    charset = Charset(
        [
            'component\t口',
            'component\t山',
            'component\t木',
            'structure\t⿰⿱···',
            'structure\t·',
            'character\t天\t⿰⿱···\t口\t山\t木',
        ]
    )
    same, other = charset.encode('⿰⿱口山木'), charset.encode('⿰口⿱山木')
    assert (
        same.character_ids.tolist() == [1]
        and other.character_ids.tolist() == [0]
        and not other.exact_structure[0]
    )
    assert (
        same.component_ids.tolist() == other.component_ids.tolist()
        and same.structure_ids.tolist() == other.structure_ids.tolist() == [1]
    )


def test_structures_that_stand_in_for_others():
    """The operator alone, wherever its row stands; else the first pattern that it heads; else one
    component.
    """
    charset = Charset(
        [
            'component\t口',
            'component\t山',
            'component\t木',
            'structure\t·',
            'structure\t⿰⿱···',
            'structure\t⿱·⿰··',
            'structure\t⿱⿴···',
            'structure\t⿰··',
        ]
    )
    for sequence, stands_in in (('⿰口⿱山木', '⿰··'), ('⿱⿰口山木', '⿱·⿰··'), ('⿴口山', '·')):
        encoded = charset.encode(sequence)
        assert not encoded.exact_structure[0] and charset.structures[encoded.structure_ids[0]] == stands_in
