"""The plan of the embedded corpus: which characters have images, who writes which split, and every line as a pure function of its number."""

import functools
import hashlib
from typing import NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.data.records import LineRecord
from hwgen.data.scribe import sentences
from hwgen.data.scribe.fonts import FALLBACK, default_fonts, open_font
from hwgen.data.scribe.writer import SimulatedWriter

# Changes whenever the same arguments give other images or texts.
SCRIBE_VERSION = '1.1'
SPLITS = ('train', 'validation', 'test', 'unseen')
SYMBOLS = {'chinese': '，。、；：？！“”（）《》0123456789' 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
           'latin': ' ' 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789' '.,;:\'"-!?()'}
# Characters held out are as common as those with images: they are taken from this many of the most frequent ones.
_COMMON = 2500
_TOKENS = ('{}年', '{}月', '{}日', '{}个', '第{}', '{}%', '{}元', '{}', '{}-{}')


class Plan(NamedTuple):
    """A planned corpus; `line` draws it.

    Attributes:
        seed, min_characters, max_characters, height_px: int.
        script: str.
        splits: dict str -> int, lines.
        writers: dict str -> range of writer indices; no writer is in two.
        vocabulary: tuple of int, character ids that have images, ascending.
        held_out: tuple of int, character ids of the split `unseen`; they occur in no other.
    """
    seed: int
    min_characters: int
    max_characters: int
    height_px: int
    script: str
    splits: dict
    writers: dict
    vocabulary: tuple
    held_out: tuple

    def line(self, split, i):
        """A line: a pure function of the plan's arguments, the split and i.

        Args:
            split: str, a key of `splits`.
            i: int in [0, splits[split]).

        Returns:
            LineRecord.

        Raises:
            LookupError: no such split or line.
        """
        if split not in self.splits or not 0 <= i < self.splits[split]:
            raise LookupError(f'line {i} of {split!r}: expected splits {self.splits}')
        rng = np.random.default_rng((self.seed, SPLITS.index(split), i))
        writers = self.writers[split]
        writer = _writer(self.seed, writers[int(rng.integers(len(writers)))], self.script)
        # Short lines are more frequent than long ones: training begins with them.
        spread = self.max_characters - self.min_characters + 1
        length = self.min_characters + int(spread * rng.random() ** 1.4)
        text = _composer(self.vocabulary if split != 'unseen' else self.held_out, self.script, split == 'unseen').compose(length, rng)
        image, boxes = writer.write_line(text, rng, height_px=self.height_px)
        encoded = Charset.load().encode(text)
        return LineRecord(image=image, text=text, character_ids=encoded.character_ids, component_ids=encoded.component_ids,
                          structure_ids=encoded.structure_ids, writer=writer.name, source=f'scribe {SCRIBE_VERSION}', boxes=boxes)


def plan_corpus(charset=None, *, seed=0, lines=20000, validation_lines=500, test_lines=500, unseen_lines=500, vocabulary_size=1000,
                held_out=200, num_writers=400, min_characters=2, max_characters=8, height_px=64, script='chinese'):
    """Plans a corpus.

    The vocabulary of Chinese is the characters that together show every component and structure (`Charset.component_cover`), filled up with the
    most frequent ones; where it is too small for them, the most frequent only. Held-out characters are common ones of which every component and
    the structure are in the vocabulary. They depend on neither seed nor vocabulary (but for small ones), so figures of runs compare.

    Args:
        charset: Charset or None for the packaged one.
        seed: int >= 0.
        lines, validation_lines, test_lines, unseen_lines: int >= 0.
        vocabulary_size: int, hanzi with images; symbols come on top. Latin: ignored.
        held_out: int, hanzi without images, at most; Latin: none.
        num_writers: int >= 1, of train; each other split has a tenth as many of its own, at least 4.
        min_characters, max_characters: int, 1 <= min <= max.
        height_px: int >= 16.
        script: 'chinese' | 'latin'.

    Returns:
        Plan.

    Raises:
        ValueError: an argument out of range, or lines of held-out characters where there are none.
    """
    for name, value, least in (('seed', seed, 0), ('lines', lines, 0), ('validation_lines', validation_lines, 0), ('test_lines', test_lines, 0),
                               ('unseen_lines', unseen_lines, 0), ('held_out', held_out, 0), ('vocabulary_size', vocabulary_size, 1),
                               ('num_writers', num_writers, 1), ('min_characters', min_characters, 1), ('height_px', height_px, 16)):
        if value < least:
            raise ValueError(f'{name}={value}: expected at least {least}')
    if max_characters < min_characters:
        raise ValueError(f'max_characters={max_characters}: expected at least min_characters={min_characters}')
    if script not in SYMBOLS:
        raise ValueError(f'script={script!r}: expected one of {", ".join(SYMBOLS)}')
    charset = charset or Charset.load()
    symbols = [i for i in map(charset.character_id, SYMBOLS[script]) if i]
    if script == 'latin':
        hanzi, unseen, unseen_lines = [], [], 0
    else:
        hanzi, unseen = _choose_hanzi(charset, vocabulary_size=vocabulary_size, held_out=held_out)
        if unseen_lines and not unseen:
            raise ValueError(f'unseen_lines={unseen_lines}: no character is left to hold out with vocabulary_size={vocabulary_size}, '
                             f'held_out={held_out}; expected unseen_lines=0 or a smaller vocabulary')
    others = max(4, num_writers // 10)
    starts = np.cumsum([0, num_writers, others, others, others]).tolist()
    return Plan(seed=seed, min_characters=min_characters, max_characters=max_characters, height_px=height_px, script=script,
                splits=dict(zip(SPLITS, (lines, validation_lines, test_lines, unseen_lines))),
                writers={split: range(a, b) for split, a, b in zip(SPLITS, starts, starts[1:])},
                vocabulary=tuple(sorted({*hanzi, *symbols})), held_out=tuple(sorted(unseen)))


def _choose_hanzi(charset, *, vocabulary_size, held_out):
    drawable = open_font(FALLBACK).characters.intersection(*(open_font(name).characters for name in default_fonts('chinese')))
    frequent = [i for i in map(charset.character_id, sentences.character_counts()) if i and charset.characters[i] in drawable]
    cover = [i for i in charset.component_cover() if charset.characters[i] in open_font(FALLBACK).characters]
    cover = cover if len(cover) <= vocabulary_size else []

    def by_hash(ids):
        return sorted(ids, key=lambda i: hashlib.sha256(charset.characters[i].encode()).digest())

    first = set(cover)
    unseen = by_hash(i for i in frequent[:_COMMON] if i not in first)[:held_out] if cover else []
    kept_out = set(unseen)
    rest = [i for i in frequent if i not in first and i not in kept_out]
    hanzi = (cover + rest)[:vocabulary_size]
    if not cover:
        components = set(charset.character_components[hanzi].ravel().tolist())
        structures = set(charset.character_structures[hanzi].tolist())
        unseen = by_hash(i for i in rest[vocabulary_size:_COMMON] if components.issuperset(charset.character_components[i].tolist())
                         and int(charset.character_structures[i]) in structures)[:held_out]
    return hanzi, unseen


@functools.lru_cache(maxsize=4096)
def _writer(seed, index, script):
    return SimulatedWriter(seed, index, script=script)


@functools.lru_cache(maxsize=8)
def _composer(ids, script, uniform):
    characters = [Charset.load().characters[i] for i in ids]
    return _LatinComposer(characters) if script == 'latin' else _ChineseComposer(characters, uniform=uniform)


class _ChineseComposer:
    """Texts of an exact length over a set of characters: half words as they are counted, half characters drawn evenly."""

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
        self.tokens = [t for t in _TOKENS if known.issuperset(t.replace('{}', '').replace('%', '').replace('-', ''))
                       and '%' not in t and '-' not in t]

    def compose(self, length, rng):
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


class _LatinComposer:
    """Runs of neighbouring words of the texts, now and then a number or a word in capitals."""

    def __init__(self, characters):
        known = set(characters)
        self.words = [w for w in sentences.latin_words() if known.issuperset(w)]
        self.characters = [c for c in characters if c != ' ']

    def compose(self, length, rng):
        start = int(rng.integers(len(self.words)))
        text, k = '', start
        while len(text) < length:
            chance = rng.random()
            if chance < .06:
                word = str(int(10 ** rng.uniform(0, 4)))
            elif chance < .14:  # even draws, for letters that English and French hardly use
                word = ''.join(self.characters[j] for j in rng.integers(len(self.characters), size=rng.integers(1, 7)))
            else:
                word = self.words[k % len(self.words)]
                word = word.upper() if rng.random() < .05 else word
                k += 1
            text += (' ' if text else '') + word
        text = text[:length]
        return text if text[-1] != ' ' else text[:-1] + '.'
