"""The packaged fonts draw what they claim to, and their licences lie beside them."""

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import fonts
from hwgen.data.scribe.build import wanted_characters
from hwgen.data.scribe.composers import SYMBOLS

CHINESE, LATIN = fonts.default_fonts('chinese', '2.0'), fonts.default_fonts('latin', '2.0')
PARTIAL = fonts.partial_fonts('chinese', '2.0')
MOST_BYTES = 16 * 2**20  # of the folder: the repository is to stay small


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
    # Condition 3 of the SIL Open Font License: a modified version does not bear a reserved name; "Gochi",
    # "Kose" and others are reserved here.
    assert names.getDebugName(1).startswith('Scribe ')
    assert names.getDebugName(13) == f'{kind}, see {font.licence_path.name}; a modified subset'


def test_family_names_differ():
    families = [TTFont(fonts.open_font(name).path)['name'].getDebugName(1) for name in fonts.SOURCES]
    assert families == [f'Scribe {i + 1}' for i in range(len(families))]


def test_folder_holds_three_files_a_font_and_is_small():
    expected = {
        f'{name}.{ending}'
        for name, source in fonts.SOURCES.items()
        for ending in ('woff2', 'characters.txt', f'{source.licence}.txt')
    }
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
    level1, level2 = (
        {charset.characters[i] for i in charset.character_set(name)} for name in ('gb2312-1', 'gb2312-2')
    )
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
    hanzi = {
        codec: {c for c in wanted if encodes(c, codec) and '\u4e00' <= c <= '\u9fff'}
        for codec in ('gbk', 'big5')
    }
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
    first_of_big5 = {
        c
        for c in wanted
        if encodes(c, 'big5') and b'\xa4\x40' <= c.encode('big5') < b'\xc9\x40' and '\u4e00' <= c
    }
    found = fonts.open_font(name).characters
    assert len(first_of_big5) == 5401 and 0.8 < len(first_of_big5 & found) / 5401 < 0.9
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


def extents(name, characters):
    """Where the ink of characters lies [n, 4], em: x0, y0, x1, y1 from the origin, y upwards; and the
    advance widths. Looked up in large pictures.
    """
    font, found = (
        ImageFont.truetype(str(fonts.FOLDER / f'{name}.woff2'), 1000, layout_engine=ImageFont.Layout.BASIC),
        [],
    )
    for character in characters:
        image = Image.new('L', (2000, 2000), 0)
        ImageDraw.Draw(image).text((500, 1400), character, fill=255, font=font, anchor='ls')
        rows, columns = (np.flatnonzero(np.asarray(image).max(axis) > 127) for axis in (1, 0))
        found.append([columns[0] - 500, 1400 - rows[-1] - 1, columns[-1] + 1 - 500, 1400 - rows[0]])
    return np.array(found) / 1000, np.array([font.getlength(character) for character in characters]) / 1000


@pytest.mark.parametrize('name', ['kiloji', 'caveat', 'kalam'])
def test_fonts_are_brought_to_one_size_and_centre(name):
    """The reference characters in large pictures: the mean extent is the common share of the em, their
    mean middle the middle of the em.
    """
    font, latin = fonts.open_font(name), fonts.SOURCES[name].script == 'latin'
    reference, share = (
        ('xzvou', 0.42)
        if latin
        else (''.join(c for c in '国的有我湖餐龙事看要新说能得着意' if c in font.characters), 0.82)
    )
    boxes, widths = extents(name, reference)
    # Pillow's boxes reach from the origin to the advance width at least, and from the baseline.
    wide, low, high = (
        np.maximum(boxes[:, 2], widths) - np.minimum(boxes[:, 0], 0),
        np.minimum(boxes[:, 1], 0),
        boxes[:, 3],
    )
    scale = share / (high - low if latin else np.sqrt(wide * (high - low))).mean()
    assert font._scale == pytest.approx(scale, rel=0.01)
    for character, width in zip(reference, widths):
        assert font.advance(character) == pytest.approx(width * scale, rel=0.015)
    middle = 0.5 + (low + high).mean() / 2 * scale
    assert font._baseline(100) == pytest.approx(100 * middle, abs=1.0)
    for character, box, width in zip(reference[:3], boxes, widths):
        mask = font.mask(character, em_px=100, pad_px=20)
        rows, columns = np.flatnonzero(mask.max(1) > 127), np.flatnonzero(mask.max(0) > 127)
        assert mask.shape == (140, 140) and mask.dtype == np.uint8
        np.testing.assert_allclose([rows[0], rows[-1] + 1], 20 + 100 * (middle - box[[3, 1]] * scale), atol=2)
        # its cell in the middle
        np.testing.assert_allclose(
            [columns[0], columns[-1] + 1], 20 + 50 + 100 * scale * (box[[0, 2]] - width / 2), atol=2
        )


def test_the_table_of_fonts():
    """Which are brushes, partial, wide, and under which licence."""

    def names(told):
        return [name for name, source in fonts.SOURCES.items() if told(source)]

    assert names(lambda source: source.brush) == ['long-cang', 'zhi-mang-xing', 'ma-shan-zheng']
    assert names(lambda source: source.partial) == ['zen-kurenaido', 'kiloji'] and names(
        lambda source: source.wide
    ) == ['kose', 'zen-kurenaido', 'kiloji']
    assert names(lambda source: source.licence != 'OFL') == ['kiloji'] and names(
        lambda source: source.since != '1.1'
    ) == ['kose', 'zen-kurenaido', 'kiloji']
    assert fonts.FALLBACKS == ('lxgw-wenkai', 'kose') and fonts.open_font('kose') is fonts.open_font('kose')
    assert fonts.default_fonts('latin') == (
        'caveat',
        'patrick-hand',
        'kalam',
        'shadows-into-light',
        'indie-flower',
        'gochi-hand',
        'reenie-beanie',
    )
    with pytest.raises(ValueError, match="version '1.0'"):
        fonts.partial_fonts('chinese', '1.0')
