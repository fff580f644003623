"""Verification: lines that are written are read back by a reader that never trained the generator, and
written again with other noise, in the same hand, until they read as asked.

What a reader does not know (a rare hanzi, a sequence of components) nobody can verify: it is left out of the
comparison, told, and no reason to write a line again. All that is decided of a line hangs on its text, its
hand and its noise alone, not on the lines beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from hwgen import console
from hwgen.charset.printable import printable
from hwgen.charset.reading_form import alike
from hwgen.inference import picture_files
from hwgen.inference.line_layout import WrittenLine
from hwgen.inference.styles import seeds_of_lines
from hwgen.metrics.partly_read import reading_errors
from hwgen.settings.generate import DEFAULT_TRIES

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

VERIFIED, PARTLY, UNVERIFIABLE, GIVEN_UP = 'verified', 'partly', 'unverifiable', 'given up'
_TOLD = 10  # lines that are named on the screen; the table has all


class SureReader(Protocol):
    """What reads lines and says how sure it is.

    Attributes:
        name: for reports.
        characters: all it can read, folded.
    """

    name: str
    characters: Container[str]

    def readings(self, images: Sequence[np.ndarray]) -> list[tuple[str, float]]:
        """Of lines uint8 [H, W], 255 = paper, the text and how sure the reader is of it, 0 to 1."""


class Verified(NamedTuple):
    """What a reader made of a line.

    Attributes:
        verdict: 'verified': it reads as asked; 'partly': it does but for characters that the reader does not
            know; 'unverifiable': the reader knows none of them; 'given up': it does not, after all tries.
        reading: str, what was read.
        confidence: float, how sure the reader was of what it read, 0 to 1.
        error: float, character error rate over the characters that the reader knows; 0 where there is none.
        tries: int, how often the line was written.
        noise_seed: int, the seed of the noise of what was kept: `Writer.write(text, styles=style,
            style_seeds=noise_seed)` writes it again.
        unread: tuple of str, characters that the reader does not know.
    """

    verdict: str
    reading: str
    confidence: float
    error: float
    tries: int
    noise_seed: int
    unread: tuple[str, ...]


class VerifiedLine(NamedTuple):
    """A line that was written, and what a reader made of it.

    Attributes:
        image: uint8 [char_px, W], 255 = paper.
        boxes: int32 [N, 4] px x0, y0, x1, y1, as of `WrittenLine`.
        verified: Verified.
    """

    image: np.ndarray
    boxes: np.ndarray
    verified: Verified


def write_lines(
    writer: Writer, verifier: Verifier | None, texts: Sequence[str], **how: Any
) -> Sequence[WrittenLine | VerifiedLine]:
    """Writes lines, and reads them back where there is a verifier; `how` as of `Writer.write_lines`."""
    if verifier is None:
        how.pop('fits', None)
        return writer.write_lines(texts, **how)
    return verifier.write_lines(writer, texts, **how)


def noise_seed(seed: int, attempt: int) -> int:
    """The seed of a line's noise at an attempt: its own at attempt 0, then numbers that hang on both."""
    if not attempt:
        return seed
    return int.from_bytes(hashlib.sha256(f'verify {seed} {attempt}'.encode()).digest()[:8], 'little') >> 1


class Verifier:
    """Writes lines until they read as asked.

    Args:
        reader: SureReader, such as `IndependentReader`.
        share: float, the character error rate that is good enough.
        tries: int >= 1, how often a line is written at most.
        height_px: int, lines are read at this height, as they are kept; None: as they are written.
        enlarging: 'learned' or 'cubic', how they grow.
    """

    def __init__(
        self,
        reader: SureReader,
        share: float,
        *,
        tries: int = DEFAULT_TRIES,
        height_px: int | None = None,
        enlarging: str = 'learned',
    ) -> None:
        self.reader, self.share, self.tries = reader, share, tries
        self.height_px, self.enlarging = height_px, enlarging
        self._known: dict[str, bool] = {}
        listed = reader.characters if isinstance(reader.characters, Iterable) else ()
        self._forms: Container[str] = frozenset(map(alike, listed)) or reader.characters

    def write_lines(
        self,
        writer: Writer,
        texts: Sequence[str],
        *,
        style_seeds: int | Sequence[int],
        truncation: float,
        styles: Any = None,
        noise_offsets: int | Sequence[int] = 0,
        quotes_before: int | Sequence[int] = 0,
        fits: Callable[[int, WrittenLine], bool] | None = None,
    ) -> list[VerifiedLine]:
        """Writes lines as `Writer.write_lines`, whose arguments these are.

        Args:
            fits: function of the number of a line and what was written anew for it: whether it can stand in
                the place of the first one; None: all can.

        Returns:
            VerifiedLine of each text; of a line that is given up the try with the fewest errors, of equal
            ones the one that the reader is surest of, then the first.
        """
        count = len(texts)
        seeds = seeds_of_lines(style_seeds, count).tolist()
        offsets, quotes = (
            np.broadcast_to(values, [count]).tolist() for values in (noise_offsets, quotes_before)
        )
        if styles is None:
            styles = writer.styles(seeds, truncation=truncation)
        styles = np.broadcast_to(np.asarray(styles, np.float32), [count, np.shape(styles)[-1]])
        units = [self._units(writer.encode(text).units) for text in texts]
        best: list[VerifiedLine | None] = [None] * count
        open_ = list(range(count))
        # where nothing is drawn for each character, another seed is the same line
        attempts = self.tries if getattr(writer, 'character_noise_dim', 1) and truncation > 0 else 1
        for attempt in range(attempts):
            drawn = [noise_seed(seeds[place], attempt) for place in open_]
            written = writer.write_lines(
                [texts[place] for place in open_],
                style_seeds=drawn,
                styles=styles[open_],
                truncation=truncation,
                noise_offsets=[offsets[place] for place in open_],
                quotes_before=[quotes[place] for place in open_],
            )
            for place, seed, line in zip(open_, drawn, written, strict=True):
                kept = best[place]
                if kept is not None:
                    kept = kept._replace(verified=kept.verified._replace(tries=attempt + 1))
                if kept is None or fits is None or fits(place, line):
                    kept = _better(kept, self._read(line, units[place], seed=seed, tries=attempt + 1))
                best[place] = kept
            open_ = [place for place in open_ if _is_open(best[place])]
            if not open_:
                break
        return [line for line in best if line is not None]

    def _units(self, units):
        """What is to be read: pairs of the form in which it is compared, None where the reader does not know
        it, and the unit; what is folded away, as a space, is left out.
        """
        return [(form if self._knows(form) else None, unit) for unit in units if (form := alike(unit))]

    def _knows(self, form):
        """Whether the reader can read a unit: a sequence of components is more than a character."""
        if form not in self._known:
            self._known[form] = len(form) == 1 and form in self._forms
        return self._known[form]

    def _read(self, line, units, *, seed, tries):
        """A line and what is read in it. One line at a time: what is read must not hang on its neighbours."""
        kept = picture_files.scale(line.image, self.height_px, enlarging=self.enlarging)
        ((reading, confidence),) = self.reader.readings([kept])
        wanted = [form for form, _ in units]
        known = sum(form is not None for form in wanted)
        errors = reading_errors(wanted, alike(reading)) if known or not wanted else 0
        error = errors / max(known, 1)
        unread = tuple(dict.fromkeys(unit for form, unit in units if form is None))
        if error > self.share:
            verdict = GIVEN_UP
        elif not unread:
            verdict = VERIFIED
        else:
            verdict = PARTLY if known else UNVERIFIABLE
        return VerifiedLine(
            line.image, line.boxes, Verified(verdict, reading, confidence, error, tries, seed, unread)
        )


def _is_open(line: VerifiedLine | None) -> bool:
    """Whether a line does not read as asked yet."""
    return line is None or line.verified.verdict == GIVEN_UP


def _better(kept: VerifiedLine | None, new: VerifiedLine) -> VerifiedLine:
    """The better of two tries of a line; of equal ones the first."""
    if kept is None:
        return new
    one, other = kept.verified, new.verified
    if (other.error, -other.confidence) < (one.error, -one.confidence):
        return new
    return kept


class Tally:
    """Counts what became of lines, and names what was given up.

    Args:
        left_out: what is given up is left out.
        all_told: all lines are named, where no table has them.

    Attributes:
        counts: dict of verdict -> lines.
        tries: int, how often lines were written.
    """

    def __init__(self, *, left_out: bool = False, all_told: bool = False) -> None:
        self._all_told = all_told
        self.counts = dict.fromkeys((VERIFIED, PARTLY, UNVERIFIABLE, GIVEN_UP), 0)
        self.tries, self._named, self._left_out = 0, 0, left_out

    def add(self, line: WrittenLine | VerifiedLine, *, text: str, place: str) -> None:
        """Counts a line that was read back; others are passed over.

        Args:
            line: the line.
            text: what was written.
            place: where it stands, for the message.
        """
        if not isinstance(line, VerifiedLine):
            return
        verified = line.verified
        self.counts[verified.verdict] += 1
        self.tries += verified.tries
        if verified.verdict == VERIFIED and not self._all_told:
            return
        self._named += 1
        if self._named <= _TOLD:
            console.warn(f'{place}: {printable(text)}: {describe(verified, left_out=self._left_out)}')
        elif self._named == _TOLD + 1:
            console.warn(
                '... further lines: their number follows'
                + ('' if self._all_told else ', readings.tsv has what was read')
            )

    def summary(self) -> str:
        """What became of the lines, in words."""
        lines = sum(self.counts.values())
        if not lines:
            return ''
        parts = [f'{self.counts[VERIFIED]:,} verified']
        for verdict, words in (
            (PARTLY, 'verified in part'),
            (UNVERIFIABLE, 'that the reader cannot verify'),
            (GIVEN_UP, 'given up and left out' if self._left_out else 'given up and kept'),
        ):
            if self.counts[verdict]:
                parts.append(f'{self.counts[verdict]:,} {words}')
        return f'; {", ".join(parts)}, {self.tries / lines:.2f} tries a line'


def describe(verified: Verified, *, left_out: bool = False) -> str:
    """What became of a line, in words."""
    told = (
        f'read {printable(verified.reading)!r} (error {verified.error:.3f}, sure {verified.confidence:.2f})'
    )
    unread = f'the reader does not know {printable(" ".join(verified.unread))}' if verified.unread else ''
    if verified.verdict == GIVEN_UP:
        kept = 'left out' if left_out else 'the best is kept'
        tries = f'{verified.tries} {"try" if verified.tries == 1 else "tries"}'
        told = f'given up after {tries}, {kept}: {told}'
    return f'{told}; {unread}' if unread else told
