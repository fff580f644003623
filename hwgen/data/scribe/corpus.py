"""The plan of the embedded corpus: which characters have images, who writes which split, and every line as
a pure function of its number.
"""

import functools
import hashlib
import math
from typing import NamedTuple

import numpy as np

from hwgen.charset import symbols
from hwgen.charset.encoding import Charset, normalize
from hwgen.data.reading.records import LineRecord
from hwgen.data.scribe import sentences
from hwgen.data.scribe.composers import SYMBOLS, ChineseComposer, EverydayComposer, LatinComposer
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.fonts import FALLBACK, default_fonts, open_font, partial_fonts
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.settings.prepare import CorpusSettings
from hwgen.settings.setting import choices_of

# The corpus of fonts alone, which everything published up to now stands on; and the present one, whose
# version changes whenever the same arguments give
# other images or texts.
VERSIONS = FONTS_VERSION, SCRIBE_VERSION = choices_of(CorpusSettings, 'corpus')
# of the writers: people are read with it as well as with any from 0.3 to 0.85, better than with pens or fonts
# alone (docs/results/corpus.md)
PEN_SHARE = 0.5
SPLITS = ('train', 'validation', 'test', 'unseen')
# The rows of the dictionary that a version plans with and writes its records in: what is appended later
# changes neither.
_ROWS = {FONTS_VERSION: 9658, SCRIBE_VERSION: 23097}
# Characters held out are as common as those with images: they are taken from this many of the most frequent
# ones.
_COMMON = 2500
_SHOTS = len(SPLITS)  # what a random stream is for; those of lines have the number of their split


class Plan(NamedTuple):
    """A planned corpus; `line` draws it.

    Attributes:
        seed, min_characters, max_characters, height_px: int.
        script, version: str.
        pen_share: float in [0, 1], share of the writers who write with a pen; the others have a font.
        splits: dict str -> int, lines.
        writers: dict str -> range of writer indices; no writer is in two.
        vocabulary: tuple of int, character ids that have images, ascending.
        held_out: tuple of int, character ids of the split `unseen`; they occur in no other, but for `shots`.
        shots: dict int -> tuple of int, ascending: how often training lines show a character -> the held-out
            characters that they show so often.
        shown: dict int -> int, training line -> the held-out character that stands in it.
        texts: tuple of str, what lines say; (): texts are composed.
        vertical: bool; slips: float (`PenWriter.write_line`).
    """

    seed: int
    min_characters: int
    max_characters: int
    height_px: int
    script: str
    version: str
    pen_share: float
    splits: dict
    writers: dict
    vocabulary: tuple
    held_out: tuple
    shots: dict
    shown: dict
    texts: tuple = ()
    vertical: bool = False
    slips: float = 0.0

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
        text, writer, rng = self._begun(split, i)
        ways = {'vertical': self.vertical, 'slips': self.slips} if self.vertical or self.slips else {}
        written = writer.write_line(normalize(text), rng, height_px=self.height_px, **ways)
        encoded = corpus_charset(self.version).encode(text)
        return LineRecord(
            image=written.image,
            text=text,
            character_ids=encoded.character_ids,
            component_ids=encoded.component_ids,
            structure_ids=encoded.structure_ids,
            writer=writer.name,
            source=f'scribe {self.version}',
            boxes=written.boxes,
            component_boxes=written.component_boxes,
            trajectory=written.trajectory,
            trajectory_slots=written.trajectory_slots,
        )

    def text(self, split, i):
        """The text of `line`, which is not drawn: str. Arguments and errors as there."""
        return self._begun(split, i)[0]

    def _begun(self, split, i):
        """What a line says, who writes it, and the stream of random numbers that the picture goes on with."""
        if split not in self.splits or not 0 <= i < self.splits[split]:
            raise LookupError(f'line {i} of {split!r}: expected splits {self.splits}')
        rng = np.random.default_rng((self.seed, SPLITS.index(split), i))
        writers = self.writers[split]
        chosen = int(rng.integers(len(writers)))
        if self.texts:
            text, chosen = self._given(split, i, rng, chosen)
            return text, self._able(writers, chosen, text), rng
        writer = self._writer(writers[chosen])
        return self._composed(split, i, writer, rng), writer, rng

    def outline(self, split):
        """How long each line of a split of composed texts is, and who writes it; nothing is drawn.

        Args:
            split: str, a key of `splits`.

        Returns:
            int32 [n], characters; int64 [n], indices of writers.
        """
        lengths, chosen = np.zeros(self.splits[split], np.int32), np.zeros(self.splits[split], np.int64)
        for i in range(self.splits[split]):
            rng = np.random.default_rng((self.seed, SPLITS.index(split), i))
            chosen[i] = self.writers[split][int(rng.integers(len(self.writers[split])))]
            lengths[i] = self._length(rng)
        return lengths, chosen

    def _length(self, rng):
        # Short lines are more frequent than long ones: training begins with them.
        return self.min_characters + int(
            (self.max_characters - self.min_characters + 1) * rng.random() ** 1.4
        )

    def _writer(self, index):
        """The writer of an index."""
        if _holds_pen(index, self.pen_share):
            return _pen_writer(self.seed, index)
        return _font_writer(self.seed, index, self.script, self.version)

    def _able(self, writers, chosen, text):
        """The chosen one of the writers, or, where that one has a font without a character of the text,
        the next one with a pen.
        """
        writer = self._writer(writers[chosen])
        if (
            isinstance(writer, PenWriter)
            or self.script == 'latin'
            or writer.characters.issuperset(normalize(text))
        ):
            return writer
        order = (writers[(chosen + step) % len(writers)] for step in range(len(writers)))
        return _pen_writer(
            self.seed, next((index for index in order if _holds_pen(index, self.pen_share)), writers[chosen])
        )

    def _composed(self, split, i, writer, rng):
        """The text of a line where none were given."""
        length = self._length(rng)
        # Fonts write what they have; only in the first corpus another font stood in.
        font = (
            writer.habits.font if self.version != FONTS_VERSION and isinstance(writer, FontWriter) else None
        )
        text = _composer(
            self.held_out if split == 'unseen' else self.vocabulary,
            self.script,
            self.version,
            split == 'unseen',
            font,
        ).compose(length, rng)
        if split == 'train' and i in self.shown:
            # Its place is drawn apart, so that writer, size, slant and the other characters stay those of the
            # line without it.
            place = int(np.random.default_rng((self.seed, _SHOTS, i, 1)).integers(length))
            text = text[:place] + corpus_charset(self.version).characters[self.shown[i]] + text[place + 1 :]
        return text

    def _given(self, split, i, rng, chosen):
        """The text of a line where texts were given, and which of the split's writers writes it: those of
        copies of a text follow each other.
        """
        count, lines, num_writers = len(self.texts), self.splits[split], len(self.writers[split])
        if lines < count:  # one out of each of so many equal parts, in their order
            first, end = i * count // lines, (i + 1) * count // lines
            return self.texts[first + int(rng.integers(end - first))], chosen
        copy, place = divmod(i, count)
        first = int(np.random.default_rng((self.seed, SPLITS.index(split), place)).integers(num_writers))
        return self.texts[place], (first + copy) % num_writers


def corpus_charset(version=SCRIBE_VERSION):
    """The dictionary in which a version of the corpus is planned and its records are written: the packaged
    one as it was then.
    """
    return Charset.load().prefix(_ROWS[version])


def plan_corpus(
    charset=None,
    *,
    seed=0,
    lines=48000,
    validation_lines=500,
    test_lines=500,
    unseen_lines=500,
    vocabulary_size=3500,
    held_out=200,
    num_writers=400,
    min_characters=2,
    max_characters=8,
    height_px=64,
    script='chinese',
    shots=(),
    version=SCRIBE_VERSION,
    pen_share=None,
    texts=(),
    vertical=False,
    slips=0.0,
):
    """Plans a corpus.

    The vocabulary of Chinese is the characters that together show every component and structure
    (`Charset.component_cover`), filled up with the most frequent ones; where it is too small for them, the
    most frequent only. Held-out characters are common ones of which every component and the structure are in
    the vocabulary. They depend on neither seed nor vocabulary (but for small ones), so figures of runs
    compare.

    With `shots` the seed divides the held-out characters into as many groups of equal size (the first ones
    larger by one where they do not come out even), and each character of a group takes the place of a
    character in as many training lines as its shots, at most one a line. All other lines are those of the
    corpus without shots.

    With `texts` these are written, in their order: all of them and again, by other writers, where a split has
    more lines, one out of each of as many equal parts where it has fewer. Their characters are the
    vocabulary, and there is no split `unseen`.

    Args:
        charset: Charset or None for `corpus_charset`.
        seed: int >= 0.
        lines, validation_lines, test_lines, unseen_lines: int >= 0.
        vocabulary_size: int, hanzi with images, at most; symbols come on top. Latin: ignored.
        held_out: int, hanzi without images, at most; Latin: none.
        num_writers: int >= 1, of train; each other split has a tenth as many of its own, at least 4.
        min_characters, max_characters: int, 1 <= min <= max.
        height_px: int >= 16.
        script: 'chinese' | 'latin'.
        shots: sequence of different ints >= 0, a group each; empty: no held-out character is in a training
            line.
        version: str, of VERSIONS: FONTS_VERSION is the corpus of four fonts, as it was.
        pen_share: float in [0, 1], share of the writers of each split who write with a pen; None: PEN_SHARE,
            of the first corpus and of Latin 0.
        vertical: bool, lines from top to bottom, height_px wide; slips: float in [0, 1], how often a
            character is begun wrongly and struck out. Both ask for pens: pen_share is 1 then.
        texts: sequence of str, none empty, to be written instead of composed ones; vocabulary_size, held_out
            and the lengths are no matter then.

    Returns:
        Plan.

    Raises:
        ValueError: an argument out of range, lines of held-out characters where there are none, too few
            characters or lines for the shots, or texts and shots.
    """
    for name, value, least in (
        ('seed', seed, 0),
        ('lines', lines, 0),
        ('validation_lines', validation_lines, 0),
        ('test_lines', test_lines, 0),
        ('unseen_lines', unseen_lines, 0),
        ('held_out', held_out, 0),
        ('vocabulary_size', vocabulary_size, 1),
        ('num_writers', num_writers, 1),
        ('min_characters', min_characters, 1),
        ('height_px', height_px, 16),
    ):
        if value < least:
            raise ValueError(f'{name}={value}: expected at least {least}')
    if max_characters < min_characters:
        raise ValueError(
            f'max_characters={max_characters}: expected at least min_characters={min_characters}'
        )
    if script not in SYMBOLS:
        raise ValueError(f'script={script!r}: expected one of {", ".join(SYMBOLS)}')
    if version not in VERSIONS:
        raise ValueError(f'version={version!r}: expected one of {", ".join(VERSIONS)}')
    old = version == FONTS_VERSION
    if pen_share is None:
        pen_share = 0.0 if old or script == 'latin' else 1.0 if vertical or slips else PEN_SHARE
    if not 0 <= pen_share <= (not old):
        raise ValueError(
            f'pen_share={pen_share}: expected a share, 0 to 1'
            + (f'; version {FONTS_VERSION} has no pens' if old else '')
        )
    if not 0 <= slips <= 1:
        raise ValueError(f'slips={slips}: expected a share, 0 to 1')
    if (vertical or slips) and pen_share < 1:
        raise ValueError(
            f'vertical={vertical}, slips={slips} with pen_share={pen_share}: fonts write neither; expected'
            ' pen_share=1'
        )
    charset = charset or corpus_charset(version)
    own_symbols = SYMBOLS[script] if old or script == 'latin' else symbols.SYMBOLS + symbols.FURTHER_SYMBOLS
    symbol_ids = [i for i in map(charset.character_id, own_symbols) if i]
    if texts:
        if shots or unseen_lines:
            raise ValueError(
                f'shots={shots}, unseen_lines={unseen_lines} with texts: expected none, all characters of'
                ' given texts are written'
            )
        hanzi, unseen, symbol_ids = (
            sorted({int(i) for text in texts for i in charset.encode(text).character_ids if i}),
            [],
            [],
        )
    elif script == 'latin':
        hanzi, unseen, unseen_lines = [], [], 0
    else:
        hanzi, unseen = _choose_hanzi(
            charset,
            vocabulary_size=vocabulary_size,
            held_out=held_out,
            drawable=_drawable(version, pen_share),
        )
        if unseen_lines and not unseen:
            raise ValueError(
                f'unseen_lines={unseen_lines}: no character is left to hold out with'
                f' vocabulary_size={vocabulary_size}, held_out={held_out}; expected unseen_lines=0 or a'
                ' smaller vocabulary'
            )
    groups, shown = (
        _choose_shots(unseen, shots, seed=seed, lines=lines, min_characters=min_characters)
        if shots
        else ({}, {})
    )
    others = max(4, num_writers // 10)
    starts = np.cumsum([0, num_writers, others, others, others]).tolist()
    return Plan(
        seed=seed,
        min_characters=min_characters,
        max_characters=max_characters,
        height_px=height_px,
        script=script,
        version=version,
        pen_share=float(pen_share),
        splits=dict(zip(SPLITS, (lines, validation_lines, test_lines, unseen_lines))),
        writers={split: range(a, b) for split, a, b in zip(SPLITS, starts, starts[1:])},
        vocabulary=tuple(sorted({*hanzi, *symbol_ids})),
        held_out=tuple(sorted(unseen)),
        shots=groups,
        shown=shown,
        texts=tuple(texts),
        vertical=vertical,
        slips=slips,
    )


def _choose_shots(held_out, shots, *, seed, lines, min_characters):
    """The groups of the held-out characters, and which training line shows which of them."""
    told = f'shots={",".join(map(str, shots))}'
    if len(set(shots)) < len(shots) or min(shots) < 0:
        raise ValueError(f'{told}: expected different numbers of at least 0')
    if len(held_out) < len(shots):
        raise ValueError(
            f'{told}: expected at least as many held-out characters as groups, there are {len(held_out)}'
        )
    if min_characters < 2:
        raise ValueError(
            f'{told}, min_characters={min_characters}: expected at least 2, for the characters are shown'
            ' among others'
        )
    rng = np.random.default_rng((seed, _SHOTS))
    groups = dict(zip(shots, np.array_split(rng.permutation(sorted(held_out)), len(shots))))
    copies = np.concatenate([np.repeat(group, count) for count, group in groups.items()])
    if len(copies) > lines:
        raise ValueError(
            f'{told}: {len(copies)} training lines are to show a held-out character each; expected at least'
            f' as many, lines={lines}'
        )
    chosen = rng.permutation(lines)[: len(copies)]
    return (
        {count: tuple(sorted(group.tolist())) for count, group in groups.items()},
        dict(sorted(zip(chosen.tolist(), copies.tolist()))),
    )


def _drawable(version, pen_share):
    """What can be shown: (what frequent characters must be in, what those that show a component must be
    in), frozensets of str, or None for all.
    """
    if version == FONTS_VERSION:
        fallback = open_font(FALLBACK).characters
        return (
            fallback.intersection(*(open_font(name).characters for name in default_fonts('chinese'))),
            fallback,
        )
    if pen_share:
        return None, None
    some = frozenset().union(*(open_font(name).characters for name in default_fonts('chinese', version)))
    return some, some


def _choose_hanzi(charset, *, vocabulary_size, held_out, drawable):
    frequent = [
        i
        for i in map(charset.character_id, sentences.character_counts())
        if i and (drawable[0] is None or charset.characters[i] in drawable[0])
    ]
    cover = [
        i for i in charset.component_cover() if drawable[1] is None or charset.characters[i] in drawable[1]
    ]
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
        unseen = by_hash(
            i
            for i in rest[vocabulary_size:_COMMON]
            if components.issuperset(charset.character_components[i].tolist())
            and int(charset.character_structures[i]) in structures
        )[:held_out]
    return hanzi, unseen


def _holds_pen(index, share):
    """Whether the writer of an index writes with a pen: any run of writers has the share as nearly as
    whole numbers allow.
    """
    return math.floor((index + 1) * share + 1e-9) > math.floor(index * share + 1e-9)


@functools.lru_cache(maxsize=512)
def _pen_writer(seed, index):
    return PenWriter(seed, index)


@functools.lru_cache(maxsize=4096)
def _font_writer(seed, index, script, version):
    fonts = default_fonts(script, version)
    if version != FONTS_VERSION:
        fonts += partial_fonts(script, version)
    return FontWriter(seed, index, script=script, fonts=fonts)


@functools.lru_cache(maxsize=64)
def _composer(ids, script, version, uniform, font):
    characters = [corpus_charset(version).characters[i] for i in ids]
    if font is not None:
        # A font that has none of them: another font stands in, as for a single character that it lacks.
        characters = [c for c in characters if c in open_font(font).characters] or characters
    if script == 'latin':
        return LatinComposer(characters)
    if version == FONTS_VERSION or uniform:
        return ChineseComposer(characters, uniform=uniform)
    return EverydayComposer(characters)
