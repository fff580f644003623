"""The handwriting fonts of the embedded corpus: which there are, what they can write, the outline of a character as a bitmap.

`build.py` makes the packaged files.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parent / 'fonts'
# Outlines are stored on a grid of this many units an em: at the size they are drawn (96 px) rounding moves a point by less than a fifth of a
# pixel, and the files are half as large.
UNITS_PER_EM = 256
# Fonts are brought to one size: the mean extent of these characters (of hanzi the side of the square of equal area, of letters the height) is
# this share of the em. Hanzi of all fonts then fill their cell alike, and letters stand to each other as the designer meant.
_REFERENCE = {'chinese': ('国的有我湖餐龙事看要新说能得着意', .82), 'latin': ('xzvou', .42)}


class FontSource(NamedTuple):
    """A published font.

    Attributes:
        name: str, ours, and stem of the packaged file.
        package: str, folder of the fontsource package with its version.
        weight: str, weight of the files in it.
        script: 'chinese' | 'latin'.
        brush: bool, whether its strokes are those of a brush.
        default: bool, whether writers use it unless told otherwise.
    """
    name: str
    package: str
    weight: str
    script: str
    brush: bool = False
    default: bool = True


SOURCES = {source.name: source for source in (
    FontSource('long-cang', 'fontsource-long-cang-5.3.0', '400', 'chinese', brush=True),
    FontSource('zhi-mang-xing', 'fontsource-zhi-mang-xing-5.3.0', '400', 'chinese', brush=True),
    FontSource('ma-shan-zheng', 'fontsource-ma-shan-zheng-5.3.1', '400', 'chinese', brush=True),
    FontSource('lxgw-wenkai', 'fontsource-lxgw-wenkai-5.3.0', '300', 'chinese'),
    FontSource('caveat', 'fontsource-caveat-5.3.0', '400', 'latin'),
    FontSource('patrick-hand', 'fontsource-patrick-hand-5.3.0', '400', 'latin'),
    FontSource('kalam', 'fontsource-kalam-5.3.0', '300', 'latin'),
    FontSource('shadows-into-light', 'fontsource-shadows-into-light-5.3.0', '400', 'latin'),
    FontSource('indie-flower', 'fontsource-indie-flower-5.3.0', '400', 'latin'),
    FontSource('gochi-hand', 'fontsource-gochi-hand-5.3.0', '400', 'latin'),
    FontSource('reenie-beanie', 'fontsource-reenie-beanie-5.3.0', '400', 'latin'),
)}
# Writes what the other Chinese fonts lack.
FALLBACK = 'lxgw-wenkai'


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

    def __init__(self, name):
        if name not in SOURCES:
            raise ValueError(f'font {name!r}: expected one of {", ".join(SOURCES)}')
        self.name, self.source = name, SOURCES[name]

    @property
    def path(self):
        return FOLDER / f'{self.name}.woff2'

    @functools.cached_property
    def characters(self):
        lines = (FOLDER / f'{self.name}.characters.txt').read_text(encoding='utf-8').splitlines()
        return frozenset(''.join(lines)) | {' '}

    @functools.lru_cache(maxsize=4)
    def _sized(self, em_px):
        font = ImageFont.truetype(str(self.path), em_px, layout_engine=ImageFont.Layout.BASIC)
        return font

    @functools.cached_property
    def _scale(self):
        """Factor by which the font is enlarged, so that its reference characters have the common size."""
        characters, share = _REFERENCE[self.source.script]
        boxes = np.array([self._sized(512).getbbox(c) for c in characters])
        sides = boxes[:, 2:] - boxes[:, :2]
        extents = sides[:, 1] if self.source.script == 'latin' else sides.prod(1) ** .5
        return float(share * 512 / extents.mean())

    def advance(self, character):
        """Advance width: float, em."""
        return self._sized(512).getlength(character) / 512 * self._scale

    def mask(self, character, *, em_px, pad_px):
        """Coverage of a character in its em box.

        Hanzi of a font have one centre; it is brought to the centre of the box. Other characters keep their place relative to it.

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
        ImageDraw.Draw(image).text((x, self._baseline(em_px) + pad_px), character, fill=255, font=font, anchor='ls')
        return np.asarray(image)

    @functools.lru_cache(maxsize=4)
    def _baseline(self, em_px):
        """Height of the baseline below the top of the em box: float, px."""
        font = self._sized(round(em_px * self._scale))
        boxes = np.array([font.getbbox(c, anchor='ls') for c in _REFERENCE[self.source.script][0]])
        return float(em_px / 2 - boxes[:, [1, 3]].mean())


@functools.cache
def open_font(name):
    """The font of a name, one object a process."""
    return Font(name)


def default_fonts(script):
    """Names of the fonts writers of a script use: tuple of str."""
    return tuple(source.name for source in SOURCES.values() if source.script == script and source.default)
