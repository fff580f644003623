"""Symbols, the forms that are written alike, and those that stand in for each other."""

import unicodedata

import pytest

from hwgen.charset import folding, symbols
from hwgen.charset.character_table import space_component
from hwgen.charset.encoding import Charset

# By hand: what is written, and as what.
WRITTEN = {
    '·': '・•‧∙⋅',
    '—': '―─﹘',
    '‖': '∥',
    '…': '⋯',
    'ˉ': '￣',
    '¢': '￠',
    '£': '￡',
    '¥': '￥',
    '-': '‐‑‒–−﹣－',
    'μ': 'µ',
    'Δ': '∆',
    '/': '∕／',
    '|': '∣｜',
    '*': '∗＊',
    '～': '〜',
    '○': '◯',
    '’': 'ʼ',
    'φ': 'ϕ',
    'ε': 'ϵ',
    'θ': 'ϑ',
    'A': 'ΑＡ',
    'B': 'ΒＢ',
    'E': 'ΕＥ',
    'Z': 'ΖＺ',
    'H': 'ΗＨ',
    'I': 'ΙＩ',
    'K': 'ΚＫ',
    'M': 'ΜＭ',
    'N': 'ΝＮ',
    'O': 'ΟＯ',
    'P': 'ΡＰ',
    'T': 'ΤＴ',
    'Y': 'ΥＹ',
    'X': 'ΧＸ',
    'o': 'οｏ',
}
FULL_WIDTH_THAT_STAYS = '！（），．：；？～'


def test_forms_and_what_they_are_written_by():
    expected = {form: character for character, forms in WRITTEN.items() for form in forms}
    full_width = {chr(code): unicodedata.normalize('NFKC', chr(code)) for code in range(0xFF01, 0xFF5F)}
    expected |= {form: plain for form, plain in full_width.items() if form not in FULL_WIDTH_THAT_STAYS}
    spaces = {chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) == 'Zs'} - {
        ' ',
        '\u1680',
    }
    assert symbols.VARIANTS == expected | dict.fromkeys(spaces, ' ')
    assert (
        symbols.normalize(''.join(expected)) == ''.join(expected.values())
        and symbols.normalize(FULL_WIDTH_THAT_STAYS) == FULL_WIDTH_THAT_STAYS
    )


def test_the_symbols():
    """Each once; all of rows 1 and 3 of GB 2312 that are no variants, and the numbers of row 2 that have a
    place.
    """
    assert len(set(symbols.SYMBOLS)) == len(symbols.SYMBOLS) == 251 and symbols.ASCII == ''.join(
        chr(code) for code in range(32, 127)
    )
    cells = [bytes([row, cell]).decode('gb2312') for row in (0xA1, 0xA3) for cell in range(0xA1, 0xFF)]
    assert {symbols.normalize(cell) for cell in cells} <= set(symbols.SYMBOLS)
    assert not set(symbols.SYMBOLS + symbols.FURTHER_SYMBOLS) & symbols.VARIANTS.keys() and not set(
        symbols.SYMBOLS
    ) & set(symbols.FURTHER_SYMBOLS)
    assert set(symbols.NUMBERS) == {chr(code) for code in (*range(0x2460, 0x246A), *range(0x2160, 0x216C))}
    assert symbols.FURTHER_SYMBOLS == '€¹²³' + ''.join(chr(code) for code in range(0x3220, 0x322A))


def test_narrow_and_wide():
    """Narrow are Latin and Greek letters, digits, ASCII marks and the signs as narrow as those."""
    table = Charset.load()
    for symbol in symbols.SYMBOLS + symbols.FURTHER_SYMBOLS:
        narrow = symbol.isascii() or symbol in '·°′″¢£¥€¹²³' or unicodedata.name(symbol).startswith('GREEK')
        assert (
            symbols.structure_of(symbol)
            == ('sym-narrow' if narrow else 'sym-wide')
            == table.structures[table.character_structures[table.character_id(symbol)]]
        ), symbol
    assert symbols.structure_of('Ж') == 'sym-wide'


def test_the_component_of_the_space():
    table = Charset.load()
    assert table.components[space_component(table)] == ' ' and space_component(table) > 0
    assert (
        space_component(Charset(['component\ta'])) == 0
        and space_component(Charset(['component\ta', 'component\t '])) == 2
    )


ALIKE = {
    ',': '，',
    ';': '；',
    ':': '：',
    '?': '？',
    '!': '！',
    '(': '（',
    ')': '）',
    '.': '．',
    '~': '～',
    '<': '〈',
    '>': '〉',
    '[': '〔',
    ']': '〕',
    "'": '’‘',
    '`': '‘',
}


def test_which_forms_are_alike():
    """Pairs in both directions; letters and plain marks stand for signs, never the other way round; the
    likest first.
    """
    expected = dict(ALIKE)
    for plain, forms in ALIKE.items():
        for form in forms:
            expected[form] = expected.get(form, '') + plain
    expected |= {
        '〇': '○O',
        '○': '〇O',
        '“': '"',
        '”': '"',
        '∶': '：:',
        '′': "'’",
        '″': '”"',
        '∑': 'Σ',
        '∏': 'Π',
        '∪': 'U',
        '∨': 'V',
        '×': 'x',
        'Ⅰ': 'I',
        'Ⅴ': 'V',
        'Ⅹ': 'X',
    }
    assert folding.ALIKE == expected and folding.BY_TURNS == {'"': '“”'}


@pytest.mark.parametrize('seen, expected', [('’‘', '’'), ('‘', '‘'), ('`', None), ("'", None)])
def test_of_several_forms_the_first_that_was_shown(seen, expected):
    table = Charset.load()
    found = folding.fold_unseen(table, set(seen).__contains__)
    component = table.components.index("'")
    assert (table.characters[found.first[component]] or None) == expected and found.first[
        component
    ] == found.second[component]
    assert (
        found.first.dtype == found.second.dtype == 'int32'
        and len(found.first) == table.num_components
        and bool(found) == (seen != "'" or bool(found.first.any()))
    )
    assert not folding.fold_unseen(table, lambda character: True) and not folding.fold_unseen(
        table, lambda character: False
    )


def test_a_symbol_within_a_character_of_others_is_not_folded():
    table = Charset.load()
    found = folding.fold_unseen(table, '，'.__eq__)
    comma, other = table.components.index(','), table.components.index('日')
    codes = table.encode(',日').component_ids.copy()
    ids = folding.folded_ids(found, codes)
    assert table.characters[ids[0]] == '，' and ids[1] == 0 and ids.dtype == 'int32'
    for place in (1, 2, 3):
        codes[0] = [comma, 0, 0, 0]
        codes[0, place] = other
        assert folding.folded_ids(found, codes).tolist() == [0, 0]
