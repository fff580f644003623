"""The handwriting fonts of the embedded corpus: which there are, what they can write, the outline of a
character as a bitmap.

`build.py` makes the packaged files.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parent / 'fonts'
# Outlines are stored on a grid of this many units an em: at the size they are drawn (96 px) rounding moves a
# point by less than a fifth of a pixel, and the files are half as large.
UNITS_PER_EM = 256
# Fonts are brought to one size: the mean extent of these characters (of hanzi the side of the square of equal
# area, of letters the height) is this share of the em. Hanzi of all fonts then fill their cell alike, and
# letters stand to each other as the designer meant.
_REFERENCE = {'chinese': ('国的有我湖餐龙事看要新说能得着意', 0.82), 'latin': ('xzvou', 0.42)}
# Versions of the corpus that brought fonts, ascending.
VERSIONS = ('1.1', '2.0')
# By the ending of the packaged licence: its name, and words that its text must hold.
LICENCES = {
    'OFL': ('SIL Open Font License 1.1', 'SIL OPEN FONT LICENSE Version 1.1'),
    'BSD': ('BSD 3-Clause License', 'Redistribution and use in source and binary forms'),
}


class FontSource(NamedTuple):
    """A published font.

    Attributes:
        name: str, ours, and stem of the packaged file.
        package: str, folder of the unpacked package with its version.
        files: str, pattern of its files in that folder; several are parts of one font.
        script: 'chinese' | 'latin'.
        brush: bool, whether its strokes are those of a brush.
        since: str, of VERSIONS, the first one of the corpus whose writers use it.
        wide: bool, whether all hanzi of GBK and Big5 are packaged that it draws, not only those of GB 2312
            and the common standard characters.
        partial: bool, whether it lacks many characters in common use; see `partial_fonts`.
        licence: str, a key of LICENCES.
        licence_file: str, in the folder.
        notice: str, copyright notice that goes before the licence; empty where the licence begins with one.
    """

    name: str
    package: str
    files: str
    script: str
    brush: bool = False
    since: str = '1.1'
    wide: bool = False
    partial: bool = False
    licence: str = 'OFL'
    licence_file: str = 'LICENSE'
    notice: str = ''


# The package has the licence without it; this is what its README.md and the font itself say.
_KOSE_NOTICE = (
    'Copyright (c) 2020 LXGW (https://github.com/lxgw/kose-font), with Reserved Font Names "Xiaolai", "Kose",'
    ' "小赖" and "小濑".\n'
    'Derived from Setofont by Nozomi Seto (twinklem_seto, http://setofont.osdn.jp), Naikai Font by Max'
    ' (https://github.com/max32002/naikaifont) and\n'
    'cjkFonts AllSeto by cjkFonts (https://www.cjkfonts.io/blog/cjkfonts_allseto).\n'
)
SOURCES = {
    source.name: source
    for source in (
        FontSource(
            'long-cang', 'fontsource-long-cang-5.3.0', 'files/*-400-normal.woff2', 'chinese', brush=True
        ),
        FontSource(
            'zhi-mang-xing',
            'fontsource-zhi-mang-xing-5.3.0',
            'files/*-400-normal.woff2',
            'chinese',
            brush=True,
        ),
        FontSource(
            'ma-shan-zheng',
            'fontsource-ma-shan-zheng-5.3.1',
            'files/*-400-normal.woff2',
            'chinese',
            brush=True,
        ),
        FontSource('lxgw-wenkai', 'fontsource-lxgw-wenkai-5.3.0', 'files/*-300-normal.woff2', 'chinese'),
        FontSource('caveat', 'fontsource-caveat-5.3.0', 'files/*-400-normal.woff2', 'latin'),
        FontSource('patrick-hand', 'fontsource-patrick-hand-5.3.0', 'files/*-400-normal.woff2', 'latin'),
        FontSource('kalam', 'fontsource-kalam-5.3.0', 'files/*-300-normal.woff2', 'latin'),
        FontSource(
            'shadows-into-light', 'fontsource-shadows-into-light-5.3.0', 'files/*-400-normal.woff2', 'latin'
        ),
        FontSource('indie-flower', 'fontsource-indie-flower-5.3.0', 'files/*-400-normal.woff2', 'latin'),
        FontSource('gochi-hand', 'fontsource-gochi-hand-5.3.0', 'files/*-400-normal.woff2', 'latin'),
        FontSource('reenie-beanie', 'fontsource-reenie-beanie-5.3.0', 'files/*-400-normal.woff2', 'latin'),
        FontSource(
            'kose',
            'kose-font-1.0.0',
            'fonts/Kosefont-JP.ttf',
            'chinese',
            since='2.0',
            wide=True,
            licence_file='License.txt',
            notice=_KOSE_NOTICE,
        ),
        FontSource(
            'zen-kurenaido',
            'fontsource-zen-kurenaido-5.3.0',
            'files/*-400-normal.woff2',
            'chinese',
            since='2.0',
            wide=True,
            partial=True,
        ),
        FontSource(
            'kiloji',
            'fonts-kiloji-2.1.0-25',
            'usr/share/fonts/truetype/kiloji/kiloji.ttf',
            'chinese',
            since='2.0',
            wide=True,
            partial=True,
            licence='BSD',
            licence_file='usr/share/doc/fonts-kiloji/copyright',
            notice='Copyright 2007 きろのの <kilo.sw@gmail.com>\n\n',
        ),
    )
}
# Writes what the other Chinese fonts lack; what it lacks itself, the next of FALLBACKS writes.
FALLBACK = 'lxgw-wenkai'
FALLBACKS = (FALLBACK, 'kose')


class Font:
    """A packaged font.

    Args:
        name: str, a key of SOURCES.

    Attributes:
        name: str.
        source: FontSource.
        characters: frozenset of str that it can draw.

    Raises:
        ValueError: no such font.
    """

    def __init__(self, name: str):
        if name not in SOURCES:
            raise ValueError(f'font {name!r}: expected one of {", ".join(SOURCES)}')
        self.name, self.source = name, SOURCES[name]
        self._baselines: dict[int, float] = {}  # of each size of an em, px

    @property
    def path(self) -> Path:
        return FOLDER / f'{self.name}.woff2'

    @property
    def licence_path(self) -> Path:
        return FOLDER / f'{self.name}.{self.source.licence}.txt'

    @functools.cached_property
    def characters(self) -> frozenset[str]:
        lines = (FOLDER / f'{self.name}.characters.txt').read_text(encoding='utf-8').splitlines()
        return frozenset(''.join(lines)) | {' '}

    def _sized(self, em_px: int) -> ImageFont.FreeTypeFont:
        return _open_file(self.path, em_px)

    @functools.cached_property
    def _reference(self):
        """The reference characters that the font has: str.

        A missing one would count as the empty shape that stands for it.
        """
        reference, _ = _REFERENCE[self.source.script]
        return ''.join(character for character in reference if character in self.characters)

    @functools.cached_property
    def _scale(self):
        """Factor by which the font is enlarged, so that its reference characters have the common size."""
        share = _REFERENCE[self.source.script][1]
        boxes = np.array([self._sized(512).getbbox(c) for c in self._reference])
        sides = boxes[:, 2:] - boxes[:, :2]
        extents = sides[:, 1] if self.source.script == 'latin' else sides.prod(1) ** 0.5
        return float(share * 512 / extents.mean())

    def advance(self, character: str) -> float:
        """Advance width: float, em."""
        return self._sized(512).getlength(character) / 512 * self._scale

    def mask(self, character: str, *, em_px: int, pad_px: int) -> np.ndarray:
        """Coverage of a character in its em box.

        Hanzi of a font have one centre; it is brought to the centre of the box. Other characters keep their
        place relative to it.

        Args:
            character: str of one.
            em_px: int, side of the em box.
            pad_px: int, margin around it, into which strokes may reach.

        Returns:
            uint8 [em_px + 2 pad_px, same], 255 = ink.

        Raises:
            ValueError: the font lacks the character.
        """
        if character not in self.characters:
            raise ValueError(f'{character!r} U+{ord(character):04X}: not in font {self.name}')
        side = em_px + 2 * pad_px
        image = Image.new('L', (side, side), 0)
        font = self._sized(round(em_px * self._scale))
        x = (em_px - font.getlength(character)) / 2 + pad_px
        ImageDraw.Draw(image).text(
            (x, self._baseline(em_px) + pad_px), character, fill=255, font=font, anchor='ls'
        )
        return np.asarray(image)

    def _baseline(self, em_px: int) -> float:
        """Height of the baseline below the top of the em box: float, px."""
        if em_px not in self._baselines:
            font = self._sized(round(em_px * self._scale))
            boxes = np.array([font.getbbox(character, anchor='ls') for character in self._reference])
            self._baselines[em_px] = float(em_px / 2 - boxes[:, [1, 3]].mean())
        return self._baselines[em_px]


@functools.lru_cache(maxsize=4)
def _open_file(path: Path, em_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), em_px, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def open_font(name: str) -> Font:
    """The font of a name, one object a process."""
    return Font(name)


def font_for(name: str, character: str) -> Font:
    """The font that a character is taken from where a hand has the letterforms of another.

    Args:
        name: str, the hand's font.
        character: str of one.

    Returns:
        Font: of that name if it has the character, else the first of FALLBACKS that has it, else FALLBACK.
    """
    candidates = (name, *FALLBACKS)
    return next(
        (font for font in map(open_font, candidates) if character in font.characters), open_font(FALLBACK)
    )


def default_fonts(script: str, version: str = '1.1') -> tuple[str, ...]:
    """The fonts that writers use unless told otherwise; each writes what is in common use.

    Args:
        script: 'chinese' | 'latin'.
        version: str, of the corpus, one of VERSIONS; a later one has the fonts of the earlier ones, in the
            same order, and its own.

    Returns:
        tuple of str, names.

    Raises:
        ValueError: no such version.
    """
    return _fonts_of(script, version, partial=False)


def partial_fonts(script: str, version: str = '1.1') -> tuple[str, ...]:
    """Hands that lack many characters in common use, such as Japanese ones without the simplified characters.

    What they lack would come in another hand's letterforms (`font_for`), several in a line. Give their
    writers texts of `Font.characters` only.

    Args:
        script: 'chinese' | 'latin'.
        version: str, as for `default_fonts`.

    Returns:
        tuple of str, names.

    Raises:
        ValueError: no such version.
    """
    return _fonts_of(script, version, partial=True)


def _fonts_of(script, version, *, partial):
    if version not in VERSIONS:
        raise ValueError(f'version {version!r}: expected one of {", ".join(VERSIONS)}')
    known = VERSIONS[: VERSIONS.index(version) + 1]
    return tuple(
        source.name
        for source in SOURCES.values()
        if source.script == script and source.partial == partial and source.since in known
    )
