"""The plan of the embedded corpus: which characters have images, who writes which split, and every line as a pure function of its number."""

import functools
import hashlib
from typing import NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.data.records import LineRecord
from hwgen.data.scribe import sentences
from hwgen.data.scribe.composers import SYMBOLS, ChineseComposer, LatinComposer
from hwgen.data.scribe.fonts import FALLBACK, default_fonts, open_font
from hwgen.data.scribe.writer import SimulatedWriter

# Changes whenever the same arguments give other images or texts.
SCRIBE_VERSION = '1.1'
SPLITS = ('train', 'validation', 'test', 'unseen')
# Characters held out are as common as those with images: they are taken from this many of the most frequent ones.
_COMMON = 2500
_SHOTS = len(SPLITS)  # what a random stream is for; those of lines have the number of their split


class Plan(NamedTuple):
    """A planned corpus; `line` draws it.

    Attributes:
        seed, min_characters, max_characters, height_px: int.
        script: str.
        splits: dict str -> int, lines.
        writers: dict str -> range of writer indices; no writer is in two.
        vocabulary: tuple of int, character ids that have images, ascending.
        held_out: tuple of int, character ids of the split `unseen`; they occur in no other, but for `shots`.
        shots: dict int -> tuple of int, ascending: how often training lines show a character -> the held-out characters that they show so often.
        shown: dict int -> int, training line -> the held-out character that stands in it.
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
    shots: dict
    shown: dict

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
        if split == 'train' and i in self.shown:
            # Its place is drawn apart, so that writer, size, slant and the other characters stay those of the line without it.
            place = int(np.random.default_rng((self.seed, _SHOTS, i, 1)).integers(length))
            text = text[:place] + Charset.load().characters[self.shown[i]] + text[place + 1:]
        image, boxes = writer.write_line(text, rng, height_px=self.height_px)
        encoded = Charset.load().encode(text)
        return LineRecord(image=image, text=text, character_ids=encoded.character_ids, component_ids=encoded.component_ids,
                          structure_ids=encoded.structure_ids, writer=writer.name, source=f'scribe {SCRIBE_VERSION}', boxes=boxes)


def plan_corpus(charset=None, *, seed=0, lines=48000, validation_lines=500, test_lines=500, unseen_lines=500, vocabulary_size=3500,
                held_out=200, num_writers=400, min_characters=2, max_characters=8, height_px=64, script='chinese', shots=()):
    """Plans a corpus.

    The vocabulary of Chinese is the characters that together show every component and structure (`Charset.component_cover`), filled up with the
    most frequent ones; where it is too small for them, the most frequent only. Held-out characters are common ones of which every component and
    the structure are in the vocabulary. They depend on neither seed nor vocabulary (but for small ones), so figures of runs compare.

    With `shots` the seed divides the held-out characters into as many groups of equal size (the first ones larger by one where they do not come out
    even), and each character of a group takes the place of a character in as many training lines as its shots, at most one a line. All other
    lines are those of the corpus without shots.

    Args:
        charset: Charset or None for the packaged one.
        seed: int >= 0.
        lines, validation_lines, test_lines, unseen_lines: int >= 0.
        vocabulary_size: int, hanzi with images, at most; symbols come on top. Latin: ignored.
        held_out: int, hanzi without images, at most; Latin: none.
        num_writers: int >= 1, of train; each other split has a tenth as many of its own, at least 4.
        min_characters, max_characters: int, 1 <= min <= max.
        height_px: int >= 16.
        script: 'chinese' | 'latin'.
        shots: sequence of different ints >= 0, a group each; empty: no held-out character is in a training line.

    Returns:
        Plan.

    Raises:
        ValueError: an argument out of range, lines of held-out characters where there are none, or too few characters or lines for the shots.
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
    groups, shown = _choose_shots(unseen, shots, seed=seed, lines=lines, min_characters=min_characters) if shots else ({}, {})
    others = max(4, num_writers // 10)
    starts = np.cumsum([0, num_writers, others, others, others]).tolist()
    return Plan(seed=seed, min_characters=min_characters, max_characters=max_characters, height_px=height_px, script=script,
                splits=dict(zip(SPLITS, (lines, validation_lines, test_lines, unseen_lines))),
                writers={split: range(a, b) for split, a, b in zip(SPLITS, starts, starts[1:])},
                vocabulary=tuple(sorted({*hanzi, *symbols})), held_out=tuple(sorted(unseen)),
                shots=groups, shown=shown)


def _choose_shots(held_out, shots, *, seed, lines, min_characters):
    """The groups of the held-out characters, and which training line shows which of them."""
    told = f'shots={",".join(map(str, shots))}'
    if len(set(shots)) < len(shots) or min(shots) < 0:
        raise ValueError(f'{told}: expected different numbers of at least 0')
    if len(held_out) < len(shots):
        raise ValueError(f'{told}: expected at least as many held-out characters as groups, there are {len(held_out)}')
    if min_characters < 2:
        raise ValueError(f'{told}, min_characters={min_characters}: expected at least 2, for the characters are shown among others')
    rng = np.random.default_rng((seed, _SHOTS))
    groups = dict(zip(shots, np.array_split(rng.permutation(sorted(held_out)), len(shots))))
    copies = np.concatenate([np.repeat(group, count) for count, group in groups.items()])
    if len(copies) > lines:
        raise ValueError(f'{told}: {len(copies)} training lines are to show a held-out character each; expected at least as many, lines={lines}')
    chosen = rng.permutation(lines)[:len(copies)]
    return ({count: tuple(sorted(group.tolist())) for count, group in groups.items()},
            dict(sorted(zip(chosen.tolist(), copies.tolist()))))


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
    return LatinComposer(characters) if script == 'latin' else ChineseComposer(characters, uniform=uniform)
