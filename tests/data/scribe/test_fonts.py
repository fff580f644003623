"""The packaged fonts draw what they claim to, and their licences lie beside them."""

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import fonts
from hwgen.data.scribe.build import wanted_characters
from hwgen.data.scribe.composers import SYMBOLS

CHINESE, LATIN = fonts.default_fonts('chinese', '2.0'), fonts.default_fonts('latin', '2.0')
PARTIAL = fonts.partial_fonts('chinese', '2.0')
MOST_BYTES = 16 * 2 ** 20  # of the folder: the repository is to stay small


@pytest.mark.parametrize('name', fonts.SOURCES)
def test_file_holds_the_listed_characters(name):
    packaged = TTFont(fonts.open_font(name).path)
    drawn = {chr(code) for code in packaged.getBestCmap()}
    assert drawn | {' '} == fonts.open_font(name).characters
    assert packaged['head'].unitsPerEm == fonts.UNITS_PER_EM


@pytest.mark.parametrize('name', fonts.SOURCES)
def test_licence(name):
    font = fonts.open_font(name)
    kind, words = fonts.LICENCES[font.source.licence]
    licence = font.licence_path.read_text(encoding='utf-8')
    assert words in licence and licence.startswith('Copyright')
    names = TTFont(font.path)['name']
    # Condition 3 of the SIL Open Font License: a modified version does not bear a reserved name; "Gochi", "Kose" and others are reserved here.
    assert names.getDebugName(1).startswith('Scribe ')
    assert names.getDebugName(13) == f'{kind}, see {font.licence_path.name}; a modified subset'


def test_family_names_differ():
    families = [TTFont(fonts.open_font(name).path)['name'].getDebugName(1) for name in fonts.SOURCES]
    assert families == [f'Scribe {i + 1}' for i in range(len(families))]


def test_folder_holds_three_files_a_font_and_is_small():
    expected = {f'{name}.{ending}' for name, source in fonts.SOURCES.items() for ending in ('woff2', 'characters.txt', f'{source.licence}.txt')}
    assert {path.name for path in fonts.FOLDER.iterdir()} == expected
    assert sum(path.stat().st_size for path in fonts.FOLDER.iterdir()) < MOST_BYTES


def test_fonts_of_a_version():
    old = ('long-cang', 'zhi-mang-xing', 'ma-shan-zheng', 'lxgw-wenkai')
    assert fonts.default_fonts('chinese') == fonts.default_fonts('chinese', '1.1') == old
    assert fonts.default_fonts('chinese', '2.0') == (*old, 'kose')
    assert fonts.default_fonts('latin', '2.0') == fonts.default_fonts('latin') and len(LATIN) == 7
    assert fonts.partial_fonts('chinese') == fonts.partial_fonts('latin', '2.0') == ()
    assert PARTIAL == ('zen-kurenaido', 'kiloji')
    with pytest.raises(ValueError, match="version '3.0': expected one of 1.1, 2.0"):
        fonts.default_fonts('chinese', '3.0')


def test_at_least_four_chinese_fonts_cover_gb2312():
    charset = Charset.load()
    level1, level2 = ({charset.characters[i] for i in charset.character_set(name)} for name in ('gb2312-1', 'gb2312-2'))
    assert len(level1) == 3755 and len(level2) == 3008
    assert len(fonts.default_fonts('chinese')) >= 4
    for name in CHINESE:
        found = fonts.open_font(name).characters
        assert level1 <= found
        assert len(level2 & found) >= 2975
    assert level2 <= fonts.open_font(fonts.FALLBACK).characters


def test_the_last_fallback_has_gbk_and_big5():
    wanted = wanted_characters(wide=True)
    assert len(wanted) == 21441
    hanzi = {codec: {c for c in wanted if encodes(c, codec) and '\u4e00' <= c <= '\u9fff'} for codec in ('gbk', 'big5')}
    assert len(hanzi['gbk']) == 20902 and len(hanzi['big5']) == 13061
    assert wanted <= fonts.open_font(fonts.FALLBACKS[-1]).characters
    # The narrower repertoire is what the fonts of version 1.1 were cut to, whatever becomes of the table.
    assert wanted_characters(wide=False) == fonts.open_font(fonts.FALLBACK).characters


def encodes(character, codec):
    try:
        return len(character.encode(codec)) == 2
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize('name', PARTIAL)
def test_partial_fonts(name):
    wanted = wanted_characters(wide=True)
    first_of_big5 = {c for c in wanted if encodes(c, 'big5') and b'\xa4\x40' <= c.encode('big5') < b'\xc9\x40' and '\u4e00' <= c}
    found = fonts.open_font(name).characters
    assert len(first_of_big5) == 5401 and .8 < len(first_of_big5 & found) / 5401 < .9
    assert not set('说龙书') & found and set('說龍書話') - found == {'說'}  # Japanese: 説


def test_font_for():
    assert fonts.font_for('kiloji', '国').name == 'kiloji'
    assert fonts.font_for('kiloji', '说').name == fonts.FALLBACK
    assert fonts.font_for('long-cang', '說').name == 'kose'
    assert fonts.font_for('caveat', '가').name == fonts.FALLBACK  # which then says that it lacks it


@pytest.mark.parametrize('name', LATIN)
def test_latin_fonts_have_all_symbols(name):
    assert fonts.open_font(name).characters.issuperset(SYMBOLS['latin'])


def test_symbols_of_chinese_lines_are_in_the_fallback():
    assert fonts.open_font(fonts.FALLBACK).characters.issuperset(SYMBOLS['chinese'])


@pytest.mark.parametrize('name', CHINESE + PARTIAL)
def test_hanzi_fill_their_cell_alike(name):
    font = fonts.open_font(name)
    masks = np.array([font.mask(c, em_px=100, pad_px=20) for c in '国明龙我想能' if c in font.characters])
    ys, xs = np.nonzero(masks.max(0) > 127)
    assert abs((ys.min() + ys.max()) / 2 - 70) < 9 and abs((xs.min() + xs.max()) / 2 - 70) < 9
    assert 70 < ys.max() - ys.min() < 116 and 70 < xs.max() - xs.min() < 116


def test_letters_stand_on_one_line():
    font = fonts.open_font('patrick-hand')
    bottom = {c: np.nonzero(font.mask(c, em_px=200, pad_px=40).max(1) > 127)[0].max() for c in 'xhnpg'}
    assert abs(bottom['x'] - bottom['h']) < 10 and abs(bottom['x'] - bottom['n']) < 10
    assert bottom['p'] > bottom['x'] + 20 and bottom['g'] > bottom['x'] + 20
    assert font.advance('m') > 1.4 * font.advance('i')


def test_errors_name_the_character_and_the_font():
    with pytest.raises(ValueError, match="'鱼' U\\+9C7C: not in font caveat"):
        fonts.open_font('caveat').mask('鱼', em_px=32, pad_px=4)
    with pytest.raises(ValueError, match="font 'arial': expected one of long-cang"):
        fonts.Font('arial')
