"""The table that has grown: traditional characters are written, and what was made with the first edition
is given exactly what it was given then.
"""

import hashlib

import numpy as np
import pytest

from hwgen.charset import dictionary, symbols
from hwgen.charset.encoding import Charset, CharsetError, CharsetMismatchError
from hwgen.charset.normal_form import singletons

FIRST_ROWS, FIRST_HASH = 9658, 'dc92b32b2f9c54c3bf9b88ad81386fa66583dbcb2b5379a4edcb4dd0dddd2b0c'
CHARSET = Charset.load()
FIRST = CHARSET.prefix(FIRST_ROWS, FIRST_HASH)
# Forms that are read since the second edition.
NEW_VARIANTS = '‐‑‒–−﹣─﹘\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205fµ∆∕∣∗‧∙⋅〜◯ʼϕϵϑ'


@pytest.mark.parametrize(
    'text',
    [
        '們在門口等書',
        '請問您貴姓？',
        '這個電話號碼對嗎？',
        '謝謝你的幫助。',
        '媽媽買了魚和雞蛋。',
        '我們學習寫漢字。',
        '鳥兒飛過龍門橋。',
        '醫師說吃藥後要多喝開水。',
        '臺灣鐵路時刻表',
        '銀行幾點關門？',
        '圖書館裡有幾萬冊書籍。',
        '歲歲平安，萬事如意！',
    ],
)
def test_everyday_traditional_sentences(text):
    encoded = CHARSET.encode(text)
    assert encoded.character_ids.all() and encoded.exact_structure.all()
    assert CHARSET.decode(encoded.component_ids, encoded.structure_ids) == text


@pytest.mark.parametrize(
    'character, sequence',
    [
        ('們', '⿰亻門'),
        ('語', '⿰訁吾'),
        ('銀', '⿰釒艮'),
        ('紅', '⿰糹工'),
        ('飯', '⿰飠⿸𠂆又'),
        ('媽', '⿰女馬'),
        ('鮮', '⿰魚羊'),
        ('門', '門'),
        ('鴨', '⿰甲鳥'),
    ],
)
def test_worked_examples(character, sequence):
    assert CHARSET.sequence(character) == sequence


def test_gbk_and_big5_are_in_the_table():
    sizes = {name: len(CHARSET.character_set(name)) for name in ('gbk', 'big5', 'big5-1')}
    # GBK: 20,902 of the basic block and 12 others; the rest of its 20,923 are equal to ones of these. Big5:
    # 13,053, two of them twice, and ten among its symbols.
    assert sizes == {'gbk': 20914, 'big5': 13061, 'big5-1': 5401}
    assert not [chr(code) for code in range(0x4E00, 0x9FA6) if not CHARSET.character_id(chr(code))]
    assert all(map(CHARSET.character_id, '€²³㈠㈩'))


def test_the_first_edition_is_frozen():
    lines = dictionary.read_lines(dictionary.TABLES / 'dictionary.tsv')
    assert dictionary.hash_lines(lines[:FIRST_ROWS]) == FIRST_HASH == FIRST.hash
    assert (len(lines), dictionary.hash_lines(lines)) == (
        23097,
        '5e63a8037fd2e4aee15c2d83d12d646b719149f552587b7b3f2159b0893fd3fc',
    )
    assert (
        [FIRST.num_components, FIRST.num_structures, FIRST.num_characters]
        == [1096, 83, 8482]
        == list(CHARSET.sizes(FIRST_ROWS).values())
    )


def test_what_the_first_edition_could_encode_has_the_codes_of_then():
    """The hashes are those of the program before the table grew: of all characters that it could encode by
    themselves, and of their codes.
    """
    newer = singletons().keys() | set(NEW_VARIANTS)
    characters = ''.join(character for character in FIRST.encodable_characters() if character not in newer)
    assert (len(characters), hashlib.sha256(characters.encode()).hexdigest()) == (
        22767,
        'c5b22b815970a0eb254631b057846609c9b06b7803d5c1b8785010008253aa99',
    )
    encoded = FIRST.encode(characters)
    digest = hashlib.sha256(
        b''.join(
            column.astype(kind).tobytes()
            for column, kind in zip(encoded[1:], ('<i4', '<i4', '<i4', '<f4', '?'))
        )
    ).hexdigest()
    assert digest == '75b916d393dec9967976c2dfc3dc552e83c3982cc3bc4d8f87c1191369b426ae'
    # The whole table encodes all of them too.
    assert len(CHARSET.encode(characters).units) == len(characters)


def test_groups_and_cover_of_the_first_edition():
    sizes = {
        name: len(FIRST.character_set(name)) for name in ('gb2312-1', 'gb2312-2', 'tgh', 'hanzi', 'symbols')
    }
    assert sizes == {'gb2312-1': 3755, 'gb2312-2': 3008, 'tgh': 8105, 'hanzi': 8230, 'symbols': 250}
    assert (
        hashlib.sha256(repr(FIRST.component_cover()).encode()).hexdigest()
        == 'c72b9b7e42e364a2b60175dd90c1d2a7dd6948ef45b5e13336d77f6acc0f3754'
    )


@pytest.mark.parametrize(
    'text, character, position',
    [
        ('我們', '們', 1),
        ('水\u200b門', '門', 2),
        ('ab⿰訁吾', '訁', 3),
        ('€', '€', 0),
        ('\uf9d1', '六', None),
    ],
)
def test_what_was_added_later_is_refused_with_that_reason(text, character, position):
    assert len(CHARSET.encode(text).units)
    if position is None:  # an old character, newly read by another name
        assert FIRST.decode(*FIRST.encode(text)[2:4]) == character
        return
    with pytest.raises(
        CharsetError,
        match=(
            f'^U\\+{ord(character):04X} {character} at position {position}: was added to the table after this'
            ' model was trained'
        ),
    ) as caught:
        FIRST.encode(text)
    assert caught.value.position == position and '\n' not in str(caught.value)


def test_what_neither_has_is_refused_as_ever():
    for text in '☃', '⿱山☃', '⿱山', '⿰山{', '⿰山 ', 'a⿰山·':
        messages = []
        for charset in FIRST, CHARSET:
            with pytest.raises(CharsetError) as caught:
                charset.encode(text)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


def test_prefixes():
    assert CHARSET.prefix(CHARSET.row_count) is CHARSET and CHARSET.prefix(FIRST_ROWS) is FIRST
    with pytest.raises(CharsetMismatchError, match='0000'):
        CHARSET.prefix(FIRST_ROWS, '0' * 64)
    for row_count in -1, CHARSET.row_count + 1:
        with pytest.raises(CharsetMismatchError, match=f'{row_count} rows'):
            CHARSET.prefix(row_count)


def test_sequences_are_those_of_the_age_of_a_table(tmp_path):
    (tmp_path / 'ideographs.tsv').write_text('甲\t⿰ab\n乙\t⿰ac\n甲\t⿰ad\t20\n', encoding='utf-8')
    assert dictionary.read_sequences(19, tmp_path) == {'甲': '⿰ab', '乙': '⿰ac'}
    assert dictionary.read_sequences(20, tmp_path) == {'甲': '⿰ad', '乙': '⿰ac'}
    old = Charset(
        ['component\ta', 'component\tb', 'structure\t⿰··', 'component\tc'],
        further_trees=lambda count: {'甲': '⿰ab' if count < 4 else '⿰ac'},
    )
    assert (
        old.decode(*old.encode('甲')[2:4]) == '⿰ac'
        and old.prefix(3).decode(*old.prefix(3).encode('甲')[2:4]) == '⿰ab'
    )


def test_both_tables_agree_on_the_ids_of_what_both_have():
    assert (
        CHARSET.characters[: FIRST.num_characters] == FIRST.characters
        and CHARSET.components[: FIRST.num_components] == FIRST.components
    )
    np.testing.assert_array_equal(
        CHARSET.character_components[: FIRST.num_characters], FIRST.character_components
    )
    assert (
        symbols.FURTHER_SYMBOLS[0] in CHARSET.characters
        and symbols.FURTHER_SYMBOLS[0] not in FIRST.characters
    )
