"""Texts of an exact length over a given set of characters."""

import collections
import functools
from collections.abc import Sequence

import numpy as np

from hwgen.charset import symbols
from hwgen.data.scribe import sentences

SYMBOLS = {
    'chinese': '，。、；：？！“”（）《》0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    'latin': ' abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:\'"-!?()',
}
_LONG_WORD = 10
_TOKENS = ('{}年', '{}月', '{}日', '{}个', '第{}', '{}元', '{}')


def _filled(length, part):
    """Parts one after the other, the last one cut where it is too long: str of `length`. part: function of
    `first` and `missing`, how many characters.
    """
    text = ''
    while len(text) < length:
        text += part(first=not text, missing=length - len(text))
    return text[:length]


class ChineseComposer:
    """Chinese texts: half of the lines words as they are counted, half characters drawn evenly, so that rare
    ones get their images too; between them punctuation, now and then a number or Latin letters.

    Args:
        characters: sequence of str that may be used, in a fixed order.
        uniform: bool; hanzi drawn evenly and nothing else.
    """

    def __init__(self, characters: Sequence[str], *, uniform: bool):
        own = frozenset(SYMBOLS['chinese'])
        self.uniform = uniform
        self.hanzi = [c for c in characters if c not in own]
        known = set(characters)
        words = [] if uniform else [(w, n) for w, n in sentences.words() if known.issuperset(w)]
        self.words = [w for w, _ in words]
        # The square root keeps frequent words frequent without letting 的 be a tenth of everything.
        weights = np.array([n for _, n in words], float) ** 0.5
        self.cumulative = np.cumsum(weights) / weights.sum() if words else np.zeros(0)
        self.tokens = [t for t in _TOKENS if known.issuperset(t.replace('{}', ''))]

    def compose(self, length: int, rng: np.random.Generator) -> str:
        """A text.

        Args:
            length: int >= 1, characters.
            rng: numpy Generator.

        Returns:
            str of that length.
        """
        if self.uniform:
            return ''.join(self.some(length, rng))
        return _filled(length, functools.partial(self._part, rng.random(), rng))

    def some(self, count: int, rng: np.random.Generator) -> list[str]:
        """Hanzi drawn evenly: list of str."""
        return [self.hanzi[k] for k in rng.integers(len(self.hanzi), size=count)]

    def _part(self, kind, rng, *, first, missing):
        chance = rng.random()
        if chance < 0.09:
            if not first:
                return '，。、；：？！，。，'[rng.integers(10)]
        elif chance < 0.105:
            if missing < 4:
                return ''.join(self.some(1, rng))
            word = self.word(rng) if kind < 0.5 and self.words else ''.join(self.some(2, rng))
            left, right = ('“”', '（）', '《》')[rng.integers(3)]
            if len(word) + 2 <= missing:
                return left + word + right
        elif chance < 0.13:
            number = str(int(10 ** rng.uniform(0, 4)))
            return (
                self.tokens[rng.integers(len(self.tokens))].format(number)[:missing]
                if self.tokens
                else number[:missing]
            )
        elif chance < 0.142:
            letters = SYMBOLS['chinese'][-52:]
            return ''.join(
                letters[k] for k in rng.integers(26, size=rng.integers(1, 4)) + 26 * rng.integers(2)
            )[:missing]
        if kind < 0.5 and self.words:
            return self.word(rng)
        return ''.join(self.some(rng.integers(1, 4), rng))

    def word(self, rng: np.random.Generator) -> str:
        """A word, the more frequent the likelier: str."""
        return self.words[min(int(np.searchsorted(self.cumulative, rng.random())), len(self.words) - 1)]


class EverydayComposer:
    """Chinese texts as people write them, every symbol of the table among them: words as they are counted or
    hanzi drawn evenly, with the marks, numbers, Latin words and signs that stand between them, each in the
    company it keeps.

    Args:
        characters: sequence of str that may be used, in a fixed order.
    """

    def __init__(self, characters: Sequence[str]):
        charset_symbols = frozenset(symbols.SYMBOLS + symbols.FURTHER_SYMBOLS)
        self._known = frozenset(characters)
        self._symbols = [c for c in characters if c in charset_symbols and c != ' ']
        hanzi = [c for c in characters if c not in charset_symbols and c != ' ']
        self._plain = ChineseComposer(hanzi, uniform=False) if hanzi else None
        self._latin = [w for w in sentences.english_words() if len(w) <= 8 and self._known.issuperset(w)]
        self._marks = [c for c in '，。、，。；：？！，。…' if c in self._known]
        self._pairs = [
            pair
            for pair in ('“”', '（）', '《》', '【】', '‘’', '「」', '()', '""', '[]', '〈〉')
            if self._known.issuperset(pair)
        ]
        self._latin_alone = bool(self._latin) and ' ' in self._known

    def compose(self, length: int, rng: np.random.Generator) -> str:
        """A text that neither begins nor ends with a space.

        Args:
            length: int >= 1, characters.
            rng: numpy Generator.

        Returns:
            str of that length.
        """
        even = rng.random() < 0.5
        text = _filled(length, functools.partial(self._part, even, rng))
        # A space at an end would be no part of the picture.
        return ''.join(
            self._hanzi(1, True, rng) if c == ' ' and n in (0, length - 1) else c for n, c in enumerate(text)
        )

    def _hanzi(self, count, even, rng):
        if self._plain is None:
            return ''.join(self._symbols[k] for k in rng.integers(len(self._symbols), size=count))
        if even or not self._plain.words:
            return ''.join(self._plain.some(count, rng))
        return self._plain.word(rng)

    def _part(self, even, rng, *, first, missing):
        chance = rng.random()
        written = None
        if chance < 0.10 and self._marks and not first:
            written = self._marks[rng.integers(len(self._marks))]
            written = written * 2 if written == '…' and missing > 1 else written
        elif chance < 0.12 and self._pairs and missing > 3:
            left, right = self._pairs[rng.integers(len(self._pairs))]
            inner = self._hanzi(2, even, rng)
            written = left + inner + right if len(inner) + 2 <= missing else None
        elif chance < 0.155:
            written = self._number(rng)
        elif chance < 0.195 and self._latin and missing > 2:
            written = self._words(rng, missing)
        elif chance < 0.24 and self._symbols:  # every sign of the table gets its pictures
            written = self._symbols[rng.integers(len(self._symbols))]
        if not written or len(written) > missing or not self._known.issuperset(written):
            return self._hanzi(int(rng.integers(1, 4)), even, rng)
        return written

    @staticmethod
    def _number(rng):
        kind, number = rng.integers(10), int(10 ** rng.uniform(0, 4))
        return (
            str(number),
            str(number),
            f'{rng.uniform(0, 100):.1f}',
            f'{rng.uniform(0, 10):.2f}',
            f'{number % 100}%',
            f'{number % 24}:{number % 60:02d}',
            f'{1900 + number % 130}年',
            f'{1 + number % 12}月{1 + number % 28}日',
            f'¥{number}',
            f'{1 + number % 20}.',
        )[kind]

    def _words(self, rng, missing):
        word, second = self._fitting(missing, rng), ''
        if rng.random() < 0.3:
            word = word.upper()[:4]
        elif rng.random() < 0.4:
            word = word.capitalize()
        if self._latin_alone and missing > len(word) + 2 and rng.random() < 0.7:
            second = self._fitting(missing - len(word) - 1, rng)
        return f'{word} {second}' if second else word

    def _fitting(self, room, rng):
        """A Latin word of at most so many letters, if one is soon found: str, else ''."""
        for _ in range(12):
            word = self._latin[rng.integers(len(self._latin))]
            if len(word) <= room:
                return word
        return ''


class LatinComposer:
    """Latin texts of whole words: runs of neighbouring words of the declarations, words of the list where
    they fit, numbers, capitals, and letters drawn evenly, for those that English and French hardly use.

    Args:
        characters: sequence of str that may be used, in a fixed order.
    """

    def __init__(self, characters: Sequence[str]):
        known = set(characters)
        self.running = [w for w in sentences.latin_words() if known.issuperset(w)]
        self.letters = [c for c in characters if c != ' ']
        self.by_length = collections.defaultdict(list)
        for word in sentences.english_words():
            if known.issuperset(word):
                self.by_length[len(word)].append(word)

    def compose(self, length: int, rng: np.random.Generator) -> str:
        """A text without space at either end.

        Args:
            length: int >= 1, characters.
            rng: numpy Generator.

        Returns:
            str of that length.
        """
        words, missing, place = [], length, int(rng.integers(len(self.running)))
        while missing > 0:
            word = self._word(rng, place=place)
            place += 1
            # A word may fill the rest exactly or leave room for a space and a word of two letters.
            if len(word) != missing and len(word) > missing - 3:
                word = self._of_length(
                    missing if missing <= _LONG_WORD else int(rng.integers(2, missing - 2)), rng
                )
            words.append(word)
            missing -= len(word) + 1
        return ' '.join(words)

    def _word(self, rng, *, place):
        chance = rng.random()
        if chance < 0.05:
            return str(int(10 ** rng.uniform(0, 4)))
        if chance < 0.1:
            return ''.join(self.letters[j] for j in rng.integers(len(self.letters), size=rng.integers(1, 7)))
        if chance < 0.4:
            return self._of_length(int(rng.integers(2, _LONG_WORD + 1)), rng)
        word = self.running[place % len(self.running)]
        return word.upper() if chance > 0.96 else word

    def _of_length(self, length, rng):
        words = self.by_length.get(length)
        if not words:
            return ''.join(self.letters[j] for j in rng.integers(len(self.letters), size=length))
        word = words[rng.integers(len(words))]
        return word.capitalize() if rng.random() < 0.1 else word
