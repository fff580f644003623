"""Text as Unicode means it: characters that are equal in its eyes are one, and those that nobody sees are
none.

Source: The Unicode Standard, sections 3.11 (canonical composition, NFC), 5.21 (default-ignorable code points)
and 12.1 (radicals). Differs: invisible characters are dropped before the text is composed, and radicals are
replaced by the ideographs of their shape, which NFC leaves alone.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

# The property Default_Ignorable_Code_Point: soft hyphen, zero-width characters, marks of direction, variation
# selectors, tags, fillers.
IGNORABLE = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# Radical -> the ideograph of the same shape: all of the Kangxi block, and of the supplement those that are
# written as it. Not ⺍, say, of which Unicode tells the meaning (小), nor those that are components of ours
# (⺈, ⺌, ⺼, ...).
_SUPPLEMENT = (
    '⺁厂⺂乛⺃乚⺅亻⺆冂⺇𠘨⺉刂⺋㔾⺎兀⺏尣⺐尢⺑𡯂⺒巳⺓幺⺔彑⺖忄⺘扌⺙攵⺛旡⺞歺⺟母⺠民⺡氵⺢氺⺣灬⺤爫⺥爫⺦丬⺨犭⺩王⺪𤴔⺬示⺭礻⺮𥫗⺯糹⺰纟⺱罓⺲罒⺳㓁⺵𦉫⺷𦍌⺸𦍋⺹耂⺺肀⺻聿⺽𦥑'
    '⺾艹⺿艹⻀艹⻁虎⻂衤⻃覀⻄西⻅见⻆角⻇𧢲⻈讠⻉贝⻊𧾷⻋车⻌辶⻍辶⻎辶⻏阝⻐钅⻑長⻒镸⻓长⻔门⻕𨸏⻖阝⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻞𩙿⻟飠⻠饣⻡𩠐⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟'
)
RADICALS = {chr(code): unicodedata.normalize('NFKC', chr(code)) for code in range(0x2F00, 0x2FD6)} | dict(
    zip(_SUPPLEMENT[::2], _SUPPLEMENT[1::2], strict=True)
)

_IGNORED = re.compile('[' + ''.join(f'{chr(first)}-{chr(last)}' for first, last in IGNORABLE) + ']')
_CHANGED = re.compile(f'{_IGNORED.pattern}|[{"".join(RADICALS)}]')


class NormalForm(NamedTuple):
    """A text in normal form.

    Attributes:
        text: str, N code points.
        starts: sequence of N + 1 int: where each of them begins in the text as it was written, and the length
            of that.
    """

    text: str
    starts: Sequence[int]


def normal_form(text: str) -> NormalForm:
    """The normal form of a text, with the places of its characters.

    Args:
        text: str.

    Returns:
        NormalForm. An invisible character belongs to the one before it, at the beginning of a text to the
        first.
    """
    if text.isascii() or (unicodedata.is_normalized('NFC', text) and not _CHANGED.search(text)):
        return NormalForm(text, range(len(text) + 1))
    characters: list[str] = []
    starts: list[int] = []
    cluster: list[tuple[str, int]] = []  # a character and what may become one with it, with their places

    def close() -> None:
        composed = unicodedata.normalize('NFC', ''.join(character for character, _ in cluster))
        own = dict(reversed(cluster))  # of marks that are left over the first place of each
        characters.extend(RADICALS.get(character, character) for character in composed)
        starts.extend(
            own.get(character, cluster[0][1]) if number else cluster[0][1]
            for number, character in enumerate(composed)
        )
        cluster.clear()

    for position, character in enumerate(text):
        if _IGNORED.match(character):
            continue
        if cluster and not _joins(character):
            close()
        cluster.append((character, position))
    if cluster:
        close()
    return NormalForm(''.join(characters), (*starts, len(text)))


def plain(text: str) -> str:
    """The normal form of a text alone: str."""
    return normal_form(text).text


def has_parts(text: str) -> bool:
    """Whether a text holds a character that may become one with what stands before it, so that it cannot
    be read code point by code point.
    """
    return not text.isascii() and any(
        _joins(character) and not _IGNORED.match(character) for character in text
    )


def _joins(character):
    """Whether a character may become one with what stands before it: marks, and vowels and finals of
    Hangul.
    """
    return unicodedata.category(character)[0] == 'M' or '\u1160' <= character <= '\u11ff'


def singletons() -> dict[str, str]:
    """Single code points that are another one in Unicode's eyes: compatibility ideographs, the Kelvin sign.

    Returns:
        dict str -> str, the radicals included.
    """
    # Beyond U+2FA1D, the last compatibility ideograph, no character has a canonical decomposition.
    found = (
        (chr(code), unicodedata.normalize('NFC', chr(code)))
        for code in (*range(0x340, 0xD800), *range(0xE000, 0x2FA1E))
    )
    return {
        character: composed for character, composed in found if composed != character and len(composed) == 1
    } | RADICALS
