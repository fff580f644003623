"""A planned corpus: which characters have images, who writes which split, and every line as a pure function
of its number.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset, normalize
from hwgen.data.reading.records import LineRecord
from hwgen.data.scribe.composers import ChineseComposer, EverydayComposer, LatinComposer
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.fonts import default_fonts, open_font, partial_fonts
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.settings.prepare import CorpusSettings
from hwgen.settings.setting import choices_of

# The corpus of fonts alone, which everything published up to now stands on; and the present one, whose
# version changes whenever the same arguments give other images or texts.
VERSIONS = FONTS_VERSION, SCRIBE_VERSION = choices_of(CorpusSettings, 'corpus')
# of the writers: people are read with it as well as with any from 0.3 to 0.85, better than with pens or fonts
# alone (docs/results/corpus.md)
PEN_SHARE = 0.5
SPLITS = ('train', 'validation', 'test', 'unseen')
# The rows of the dictionary that a version plans with and writes its records in: what is appended later
# changes neither.
_ROWS = {FONTS_VERSION: 9658, SCRIBE_VERSION: 23097}
SHOTS_STREAM = len(SPLITS)  # what a random stream is for; those of lines have the number of their split


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
    splits: dict[str, int]
    writers: dict[str, range]
    vocabulary: tuple[int, ...]
    held_out: tuple[int, ...]
    shots: dict[int, tuple[int, ...]]
    shown: dict[int, int]
    texts: tuple[str, ...] = ()
    vertical: bool = False
    slips: float = 0.0

    def line(self, split: str, i: int) -> LineRecord:
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

    def text(self, split: str, i: int) -> str:
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
        writer = self.writer(writers[chosen])
        return self._composed(split, i, writer, rng), writer, rng

    def outline(self, split: str) -> tuple[np.ndarray, np.ndarray]:
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

    def writer(self, index: int) -> FontWriter | PenWriter:
        """The writer of an index, as lines of this plan have it."""
        if _holds_pen(index, self.pen_share):
            return _pen_writer(self.seed, index)
        return _font_writer(self.seed, index, self.script, self.version)

    def _able(self, writers, chosen, text):
        """The chosen one of the writers, or, where that one has a font without a character of the text,
        the next one with a pen.
        """
        writer = self.writer(writers[chosen])
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
            place = int(np.random.default_rng((self.seed, SHOTS_STREAM, i, 1)).integers(length))
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


def corpus_charset(version: str = SCRIBE_VERSION) -> Charset:
    """The dictionary in which a version of the corpus is planned and its records are written: the packaged
    one as it was then.
    """
    return Charset.load().prefix(_ROWS[version])


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
