"""The packaged fonts draw what they claim to, and their licences lie beside them."""

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import fonts
from hwgen.data.scribe.composers import SYMBOLS

CHINESE, LATIN = fonts.default_fonts('chinese'), fonts.default_fonts('latin')


@pytest.mark.parametrize('name', fonts.SOURCES)
def test_file_holds_the_listed_characters(name):
    packaged = TTFont(fonts.open_font(name).path)
    drawn = {chr(code) for code in packaged.getBestCmap()}
    assert drawn | {' '} == fonts.open_font(name).characters
    assert packaged['head'].unitsPerEm == fonts.UNITS_PER_EM


@pytest.mark.parametrize('name', fonts.SOURCES)
def test_licence(name):
    licence = (fonts.FOLDER / f'{name}.OFL.txt').read_text(encoding='utf-8')
    assert 'SIL OPEN FONT LICENSE Version 1.1' in licence and licence.startswith('Copyright')
    names = TTFont(fonts.open_font(name).path)['name']
    # Condition 3 of the licence: a modified version does not bear a reserved name; one licence here reserves "Gochi".
    assert names.getDebugName(1).startswith('Scribe ') and 'Open Font License' in names.getDebugName(13)


def test_at_least_four_chinese_fonts_cover_gb2312():
    charset = Charset.load()
    level1, level2 = ({charset.characters[i] for i in charset.character_set(name)} for name in ('gb2312-1', 'gb2312-2'))
    assert len(level1) == 3755 and len(level2) == 3008
    assert len(CHINESE) >= 4
    for name in CHINESE:
        found = fonts.open_font(name).characters
        assert level1 <= found
        assert len(level2 & found) >= 2975
    assert level2 <= fonts.open_font(fonts.FALLBACK).characters


@pytest.mark.parametrize('name', LATIN)
def test_latin_fonts_have_all_symbols(name):
    assert fonts.open_font(name).characters.issuperset(SYMBOLS['latin'])


def test_symbols_of_chinese_lines_are_in_the_fallback():
    assert fonts.open_font(fonts.FALLBACK).characters.issuperset(SYMBOLS['chinese'])


@pytest.mark.parametrize('name', CHINESE)
def test_hanzi_fill_their_cell_alike(name):
    masks = np.array([fonts.open_font(name).mask(c, em_px=100, pad_px=20) for c in '国明龙我想能'])
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
