"""Text to ids and back, prompts with sequences, errors that show the place."""

import collections
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.charset import ids, symbols
from hwgen.charset.encoding import Charset, CharsetError

CHARSET = Charset.load()
LEAVES = st.sampled_from([CHARSET.characters[i] for i in CHARSET.character_set('hanzi')]) | st.sampled_from(
    [token for token in CHARSET.components[1:] if token not in symbols.SYMBOLS]
)
TREES = st.recursive(
    LEAVES,
    lambda children: st.one_of(
        [st.tuples(st.just(operator), *[children] * arity) for operator, arity in ids.ARITY.items()]
    ),
    max_leaves=5,
)


def _row(encoded, index=0):
    return [column[index] for column in encoded]


def test_every_character_round_trips():
    text = ''.join(CHARSET.characters)
    encoded = CHARSET.encode(text)
    np.testing.assert_array_equal(encoded.character_ids, np.arange(1, CHARSET.num_characters))
    assert ''.join(encoded.units) == text
    assert encoded.exact_structure.all()
    np.testing.assert_array_equal(encoded.component_ids, CHARSET.character_components[1:])
    np.testing.assert_array_equal(encoded.structure_ids, CHARSET.character_structures[1:])
    np.testing.assert_array_equal(encoded.boxes, CHARSET.template_boxes[encoded.structure_ids])
    assert CHARSET.decode(encoded.component_ids, encoded.structure_ids) == text


def test_every_code_as_a_sequence_is_its_character():
    for index in CHARSET.character_set('hanzi'):
        sequence = ids.format_tree(CHARSET.tree(CHARSET.characters[index]))
        encoded = CHARSET.encode(sequence)
        assert encoded.character_ids.tolist() == [index] and encoded.units == (sequence,)


@pytest.mark.parametrize(
    'charset, count, pair', [(CHARSET.prefix(9658), 13, {'员', '呗'}), (CHARSET, 108, {'員', '唄'})]
)
def test_codes_are_unique_and_some_pairs_need_the_structure(charset, count, pair):
    codes = list(
        zip(charset.character_structures[1:].tolist(), map(tuple, charset.character_components[1:].tolist()))
    )
    assert len(set(codes)) == len(codes)
    groups = collections.defaultdict(list)
    for index, (_, components) in enumerate(codes, 1):
        groups[components].append(charset.characters[index])
    pairs = [set(group) for group in groups.values() if len(group) > 1]
    assert len(pairs) == count and pair in pairs


def test_shapes_types_and_padding():
    encoded = CHARSET.encode('明A ⿱山鱼')
    assert encoded.units == ('明', 'A', ' ', '⿱山鱼')
    assert [column.dtype for column in encoded[1:]] == [np.int32] * 3 + [np.float32, np.bool_]
    assert [column.shape for column in encoded[1:]] == [(4,), (4, 4), (4,), (4, 4, 4), (4,)]
    assert (encoded.component_ids[:, 0] > 0).all()  # no character uses the blank, the space neither
    unused = encoded.component_ids == 0
    assert (encoded.boxes[unused] == 0).all() and (encoded.boxes[~unused].max(-1) > 0).all()
    empty = CHARSET.encode('')
    assert [column.shape for column in empty[1:]] == [(0,), (0, 4), (0,), (0, 4, 4), (0,)]
    assert CHARSET.decode(*empty[2:4]) == ''


def test_symbols_are_components_of_their_own():
    owners = collections.Counter(c for row in CHARSET.character_components.tolist() for c in row if c)
    for symbol in symbols.SYMBOLS:
        index = CHARSET.character_id(symbol)
        component, *rest = CHARSET.character_components[index].tolist()
        assert CHARSET.components[component] == symbol and rest == [0, 0, 0] and owners[component] == 1
        assert CHARSET.structures[CHARSET.character_structures[index]] == symbols.structure_of(symbol)
    np.testing.assert_array_equal(
        CHARSET.template_boxes[
            [CHARSET.structures.index('sym-wide'), CHARSET.structures.index('sym-narrow')]
        ],
        [[[0, 0, 1, 1], *[[0] * 4] * 3]] * 2,
    )


@pytest.mark.parametrize(
    'written, as_',
    [('Ａ７％', 'A7%'), ('　', ' '), ('・', '·'), ('￥', '¥'), ('Α', 'A'), ('，！？', '，！？'), ('―', '—')],
)
def test_forms_that_are_written_alike_are_one_character(written, as_):
    assert symbols.normalize(written) == as_
    encoded = CHARSET.encode(written)
    assert encoded.units == tuple(written)
    assert CHARSET.decode(*encoded[2:4]) == as_


def test_a_glyph_of_no_font():
    _, character, components, structure, boxes, exact = _row(CHARSET.encode('⿱山鱼'))
    assert character == 0 and exact
    assert [CHARSET.components[c] for c in components] == ['山', '鱼', '', '']
    assert CHARSET.structures[structure] == '⿱··'
    np.testing.assert_array_equal(boxes[:2], [[0, 0, 1, 0.5], [0, 0.5, 1, 1]])


@pytest.mark.parametrize(
    'prompt, character',
    [
        ('⿰日月', '明'),
        ('⿰氵胡', '湖'),
        ('⿰氵⿰古月', '湖'),
        ('⿲氵⿱十口月', '湖'),
        ('⿰讠⿱五口', '语'),
        ('〾⿰日〾月', '明'),
        ('⿱口贝', '员'),
        ('⿰口贝', '呗'),
        ('⿱⿰⿱立早⿱夂贡心', '戆'),
    ],
)
def test_sequences_of_table_characters_are_those_characters(prompt, character):
    encoded = CHARSET.encode(prompt)
    assert encoded.character_ids.tolist() == [CHARSET.character_id(character)]
    assert CHARSET.decode(*encoded[2:4]) == character


def test_a_leaf_is_expanded_by_its_own_code():
    encoded = CHARSET.encode('⿱山湖')
    assert [CHARSET.components[c] for c in encoded.component_ids[0]] == ['山', '氵', '古', '月']


def test_an_unknown_pattern_gets_boxes_of_its_tree_and_the_operators_structure():
    _, character, components, structure, boxes, exact = _row(CHARSET.encode('⿴⿺山木⿱水火'))
    assert not exact and character == 0 and (components > 0).all()
    assert CHARSET.structures[structure] == '⿴··'
    np.testing.assert_allclose(boxes, ids.boxes(ids.parse_whole('⿴⿺山木⿱水火')), rtol=1e-6)
    nearest = CHARSET.nearest_patterns('⿴⿺山木⿱水火')
    assert len(nearest) == 3 and set(nearest) < set(CHARSET.structures)
    assert all(pattern.count('·') == 4 for pattern in nearest)


@pytest.mark.parametrize('sequence', ['⿴⿺山木⿱水火', '⿻⿻口一丨', '⿰⿺山木⿺水火', '⿺⿱山木⿰水火'])
def test_nearest_patterns_are_the_most_alike(sequence):
    """As many slots, then the first operator, then the most operators in common, each as often as both
    have it.
    """
    tree = ids.parse_whole(sequence)
    pattern = ids.pattern(ids.flatten(tree))
    assert pattern not in CHARSET.structures

    def likeness(known):
        common = collections.Counter(known) & collections.Counter(pattern)
        return (
            -abs(known.count('·') - pattern.count('·')),
            known[0] == pattern[0],
            sum(common.values()) - common['·'],
        )

    # a stable order
    others = sorted(
        (known for known in CHARSET.structures[1:] if not known.startswith('sym')), key=likeness, reverse=True
    )
    assert CHARSET.nearest_patterns(sequence, 6) == tuple(others[:6])


@pytest.mark.parametrize(
    'operator', [operator for operator, arity in ids.ARITY.items() if arity == 1] + list('⿼⿽㇯')
)
def test_operators_without_any_pattern_are_written_too(operator):
    encoded = CHARSET.encode(operator + '山木'[: ids.ARITY[operator]])
    assert not encoded.exact_structure[0] and encoded.structure_ids[0] > 0


def test_ideographs_outside_the_table():
    first = CHARSET.prefix(9658)
    encoded = first.encode('漢寫囍')
    assert encoded.character_ids.tolist() == [0, 0, 0] and (encoded.component_ids[:, 0] > 0).all()
    assert first.decode(*encoded[2:4]).startswith('⿰氵')
    encoded = CHARSET.encode('䀹㐆')
    assert encoded.character_ids.tolist() == [0, 0] and CHARSET.decode(*encoded[2:4]).startswith('⿰目夾')
    with pytest.raises(CharsetError, match='U\\+4331 䌱 at position 1.*⿰糹䇔.*need 䇔.*nearest: 經'):
        CHARSET.encode('a䌱')


@pytest.mark.parametrize(
    'text, position, says',
    [
        ('明☃', 1, 'U\\+2603 ☃ at position 1: not in the table'),
        ('a⿱山☃', 3, 'position 3'),
        ('ab⿱山', 4, 'ends inside ⿱ of position 2'),
        ('⿰{999}山', 1, r'\{999\}, a part that is no character, at position 1'),
        ('月⿰⿰⿰⿰口日月山水', 1, 'position 1: needs 5 components, expected at most 4'),
        ('⒜', 0, r'\(a\) is known'),
        ('明\n', 1, 'U\\+000A'),
        ('⿰山{', 2, 'number and }'),
        ('㣈', 0, '⿰㣇㣇'),
        ('㷤', 0, 'needs 5 components'),
        ('㡣', 0, r'as ⿰帝？ it would need 帝, ？ \(a part that is no character, found in 龍\)'),
        ('㒫', 0, r'as ⿱？儿 it would need ？ \(a part that is no character\), not known'),
        ('⿱{82}😀', 5, 'U\\+1F600'),
        ('口' + '⿰' * 99, 13, 'deeper than 12'),
    ],
)
def test_errors_show_the_place_and_help(text, position, says):
    with pytest.raises(CharsetError, match=says) as caught:
        CHARSET.encode(text)
    assert caught.value.position == position


@given(TREES)
def test_random_sequences_are_written_or_refused_for_their_size(tree):
    text = ids.format_tree(tree)
    try:
        encoded = CHARSET.encode('a' + text + 'b')
    except CharsetError as error:
        assert 'components, expected at most 4' in str(error) and error.position == 1
        return
    # a brace alone is a symbol, not a component's name
    assert encoded.units == ('a', text, 'b') or text.startswith('{')
    used = encoded.component_ids > 0
    boxes = encoded.boxes[used]
    assert (boxes >= 0).all() and (boxes <= 1).all() and (boxes[:, :2] < boxes[:, 2:]).all()
    assert (encoded.boxes[~used] == 0).all()
    if encoded.exact_structure.all():
        again = CHARSET.encode(CHARSET.decode(encoded.component_ids, encoded.structure_ids))
        np.testing.assert_array_equal(again.component_ids, encoded.component_ids)
        np.testing.assert_array_equal(again.structure_ids, encoded.structure_ids)


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, CHARSET.num_components - 1), min_size=4, max_size=4),
            st.integers(0, CHARSET.num_structures - 1),
        ),
        max_size=4,
    )
)
def test_any_codes_decode_to_text_that_parses(codes):
    text = CHARSET.decode(
        np.array([c for c, _ in codes]).reshape(-1, 4), np.array([s for _, s in codes], int)
    )
    position = 0
    while position < len(text):
        # A lone symbol may be a brace, which is no sequence.
        position = ids.parse(text, position).end if text[position] in ids.ARITY else position + 1


def test_decoding_pads_and_checks():
    brace, slot = CHARSET.components.index('{'), CHARSET.components.index('·')
    assert (
        CHARSET.decode([[brace, slot, 0, 0]], [CHARSET.structures.index('⿰··')]) == '⿰？？'
        and CHARSET.decode([[brace, 0, 0, 0]], [CHARSET.structures.index('·')]) == '{'
    )
    space, moon = CHARSET.components.index(' '), CHARSET.components.index('月')
    assert (
        CHARSET.decode(
            [[space, moon, 0, 0], [space, 0, 0, 0]],
            [CHARSET.structures.index(name) for name in ('⿰··', '·')],
        )
        == '⿰？月 '
    )
    assert CHARSET.decode(np.zeros([3, 4], int), np.zeros([3], int)) == ''
    structure = CHARSET.structures.index('⿰··')
    assert CHARSET.decode([[CHARSET.components.index('日'), 0, 0, 0]], [structure]) == '⿰日？'
    for components, structures in (
        ([[CHARSET.num_components, 0, 0, 0]], [1]),
        ([[1, 0, 0, 0]], [CHARSET.num_structures]),
        ([[-1, 0, 0, 0]], [1]),
    ):
        with pytest.raises(CharsetError, match='expected ids below'):
            CHARSET.decode(components, structures)


SMALL = [
    'component\t日',
    'component\t月',
    'structure\t⿰··',
    'structure\tsym-narrow',
    'component\tA',
    'component\té',
    'character\t明\t⿰··\t日\t月',
    'character\tA\tsym-narrow\tA',
]


def test_a_small_table():
    """What it says of characters, components and those of further sequences; 昌 has a component that it
    lacks.
    """
    table = Charset(
        SMALL,
        sets={'mine': 'A明日'},
        further_trees=lambda count: {'朋': '⿰月月', '昌': '⿱日曰', '昍': f'⿰日{"日月"[count == 8]}'},
    )
    assert (table.components, table.structures, table.characters) == (
        ('', '日', '月', 'A', 'é'),
        ('', '⿰··', 'sym-narrow'),
        ('', '明', 'A'),
    )
    assert (table.num_components, table.num_structures, table.num_characters, table.row_count) == (5, 3, 3, 8)
    assert table.character_components.tolist() == [
        [0] * 4,
        [1, 2, 0, 0],
        [3, 0, 0, 0],
    ] and table.character_structures.tolist() == [0, 1, 2]
    assert [table.character_id(c) for c in ('明', 'A', 'Ａ', '日', 'e\u0301', '\u200bA')] == [
        1,
        2,
        2,
        0,
        0,
        2,
    ]
    assert table.tree('Ａ') == 'A' and table.tree('明') == ('⿰', '日', '月')
    assert [table.sequence(c) for c in '明A日朋昌水昍'] == [
        '⿰日月',
        'A',
        '日',
        '⿰月月',
        '⿱日曰',
        None,
        '⿰日月',
    ] and table.prefix(7).sequence('昍') == '⿰日日'
    assert table.sizes(7) == {'num_components': 5, 'num_structures': 3, 'num_characters': 2} and table.sizes(
        0
    ) == dict.fromkeys(table.sizes(1), 1)
    assert table.character_set('mine') == (1, 2) and table.prefix(7).character_set('mine') == (1,)
    encoded = table.encode('明朋')
    assert (
        encoded.character_ids.tolist() == [1, 0]
        and encoded.component_ids.tolist() == [[1, 2, 0, 0], [2, 2, 0, 0]]
        and table.decode(*encoded[2:4]) == '明⿰月月'
    )
    for character, message in (('日', r'U\+65E5 日: not in the table'), ('{5}', '.5.: not in the table')):
        with pytest.raises(CharsetError, match=f'^{message}$'):
            table.tree(character)
    assert table.nearest_characters(('⿰', '日', '日')) == ['明'] and table.nearest_characters('A', 0) == []


def test_which_single_characters_a_small_table_encodes():
    rows = [*SMALL, 'structure\t·']
    table = Charset(rows, further_trees=lambda count: {'朋': '⿰月月', '昌': '⿱日曰'})
    found = table.encodable_characters()
    assert (
        found == ''.join(sorted(found))
        and set('明A日月é朋Ａ\u2f47\u2f49') <= set(found)
        and not set('昌水B') & set(found)
    )
    assert all(table.encode(character).units == (character,) for character in found)


def test_ids_beyond_the_table_are_named():
    table = Charset(SMALL)
    for components, structures, place in (
        ([[1, 2, 0, 0], [5, 0, 0, 0]], [1, 1], 1),
        ([[1, 2, 0, 0]], [3], 0),
        ([[1, 2, 0, 0]], [-1], 0),
        ([[1, 0, 0, -1]], [1], 0),
    ):
        with pytest.raises(
            CharsetError,
            match=(
                rf'^character {place}: components \[{", ".join(map(str, components[place]))}\], structure'
                rf' {structures[place]}; expected ids below 5 and 3$'
            ),
        ) as caught:
            table.decode(components, structures)
        assert caught.value.position == place
    assert (
        table.decode([[4, 1, 2, 3], [4, 1, 2, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], [1, 2, 0, 2, 1])
        == '⿰⿰é日⿰月A⿲é日月⿰日日日⿰？？'
    )


def test_character_sets():
    sizes = {
        name: len(CHARSET.character_set(name)) for name in ('gb2312-1', 'gb2312-2', 'tgh', 'hanzi', 'ascii')
    }
    assert sizes == {'gb2312-1': 3755, 'gb2312-2': 3008, 'tgh': 8105, 'hanzi': 21190, 'ascii': 95}
    for name in 'symbols', 'punctuation':
        assert all(CHARSET.character_set(name))
    # Every code that a GBK label of rows 1 and 3 can hold is a symbol of the table.
    cells = [bytes([row, cell]).decode('gbk') for row in (0xA1, 0xA3) for cell in range(0xA1, 0xFF)]
    assert all(map(CHARSET.character_id, cells))
    with pytest.raises(CharsetError, match='gb2312-1'):
        CHARSET.character_set('big6')


def test_the_cover_shows_every_component_and_structure():
    hanzi, cover = np.array(CHARSET.character_set('hanzi')), np.array(CHARSET.component_cover())
    assert set(cover) <= set(hanzi) and len(set(cover)) == len(cover) < 1000
    assert set(CHARSET.character_components[cover].flat) == set(CHARSET.character_components[hanzi].flat)
    assert set(CHARSET.character_structures[cover]) == set(CHARSET.character_structures[hanzi])


def test_the_arrays_cannot_be_changed():
    for array in CHARSET.character_components, CHARSET.character_structures, CHARSET.template_boxes:
        with pytest.raises(ValueError):
            array[0] = 1


def test_the_charset_needs_no_tensorflow():
    program = (
        'import sys; from hwgen.charset.encoding import Charset; Charset.load().encode("⿱山鱼"); print([m'
        ' for m in sys.modules if "tensorflow" in m or "keras" in m])'
    )
    out = subprocess.run(
        [sys.executable, '-c', program],
        capture_output=True,
        text=True,
        check=True,
        env={'PYTHONPATH': ':'.join(sys.path)},
    )
    assert out.stdout.strip() == '[]'
