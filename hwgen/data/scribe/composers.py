"""Texts of an exact length over a given set of characters."""

import collections

import numpy as np

from hwgen.data.scribe import sentences

SYMBOLS = {'chinese': '，。、；：？！“”（）《》0123456789' 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
           'latin': ' ' 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789' '.,;:\'"-!?()'}
_LONG_WORD = 10
_TOKENS = ('{}年', '{}月', '{}日', '{}个', '第{}', '{}元', '{}')


class ChineseComposer:
    """Chinese texts: half of the lines words as they are counted, half characters drawn evenly, so that rare ones get their images too; between
    them punctuation, now and then a number or Latin letters.

    Args:
        characters: sequence of str that may be used, in a fixed order.
        uniform: bool; hanzi drawn evenly and nothing else.
    """

    def __init__(self, characters, *, uniform):
        symbols = frozenset(SYMBOLS['chinese'])
        self.uniform = uniform
        self.hanzi = [c for c in characters if c not in symbols]
        known = set(characters)
        words = [] if uniform else [(w, n) for w, n in sentences.words() if known.issuperset(w)]
        self.words = [w for w, _ in words]
        # The square root keeps frequent words frequent without letting 的 be a tenth of everything.
        weights = np.array([n for _, n in words], float) ** .5
        self.cumulative = np.cumsum(weights) / weights.sum() if words else None
        self.tokens = [t for t in _TOKENS if known.issuperset(t.replace('{}', ''))]

    def compose(self, length, rng):
        """A text.

        Args:
            length: int >= 1, characters.
            rng: numpy Generator.

        Returns:
            str of that length.
        """
        if self.uniform:
            return ''.join(self._some(length, rng))
        kind, parts, missing = rng.random(), [], length
        while missing > 0:
            parts.append(self._part(kind, rng, first=missing == length, missing=missing))
            missing -= len(parts[-1])
        return ''.join(parts)[:length]

    def _some(self, count, rng):
        return [self.hanzi[k] for k in rng.integers(len(self.hanzi), size=count)]

    def _part(self, kind, rng, *, first, missing):
        chance = rng.random()
        if chance < .09:
            if not first:
                return '，。、；：？！，。，'[rng.integers(10)]
        elif chance < .105:
            if missing < 4:
                return ''.join(self._some(1, rng))
            word = self._word(rng) if kind < .5 and self.words else ''.join(self._some(2, rng))
            left, right = ('“”', '（）', '《》')[rng.integers(3)]
            if len(word) + 2 <= missing:
                return left + word + right
        elif chance < .13:
            number = str(int(10 ** rng.uniform(0, 4)))
            return self.tokens[rng.integers(len(self.tokens))].format(number)[:missing] if self.tokens else number[:missing]
        elif chance < .142:
            letters = SYMBOLS['chinese'][-52:]
            return ''.join(letters[k] for k in rng.integers(26, size=rng.integers(1, 4)) + 26 * rng.integers(2))[:missing]
        if kind < .5 and self.words:
            return self._word(rng)
        return ''.join(self._some(rng.integers(1, 4), rng))

    def _word(self, rng):
        return self.words[min(int(np.searchsorted(self.cumulative, rng.random())), len(self.words) - 1)]


class LatinComposer:
    """Latin texts of whole words: runs of neighbouring words of the declarations, words of the list where they fit, numbers, capitals, and
    letters drawn evenly, for those that English and French hardly use.

    Args:
        characters: sequence of str that may be used, in a fixed order.
    """

    def __init__(self, characters):
        known = set(characters)
        self.running = [w for w in sentences.latin_words() if known.issuperset(w)]
        self.letters = [c for c in characters if c != ' ']
        self.by_length = collections.defaultdict(list)
        for word in sentences.english_words():
            if known.issuperset(word):
                self.by_length[len(word)].append(word)

    def compose(self, length, rng):
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
                word = self._of_length(missing if missing <= _LONG_WORD else int(rng.integers(2, missing - 2)), rng)
            words.append(word)
            missing -= len(word) + 1
        return ' '.join(words)

    def _word(self, rng, *, place):
        chance = rng.random()
        if chance < .05:
            return str(int(10 ** rng.uniform(0, 4)))
        if chance < .1:
            return ''.join(self.letters[j] for j in rng.integers(len(self.letters), size=rng.integers(1, 7)))
        if chance < .4:
            return self._of_length(int(rng.integers(2, _LONG_WORD + 1)), rng)
        word = self.running[place % len(self.running)]
        return word.upper() if chance > .96 else word

    def _of_length(self, length, rng):
        words = self.by_length.get(length)
        if not words:
            return ''.join(self.letters[j] for j in rng.integers(len(self.letters), size=length))
        word = words[rng.integers(len(words))]
        return word.capitalize() if rng.random() < .1 else word
