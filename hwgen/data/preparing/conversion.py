"""Samples of collections become records, and are counted; by several processes where that is wanted."""

import collections
import contextlib
import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.charset.normal_form import plain
from hwgen.data.formats.format import Part
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink
from hwgen.data.preparing.collection import Chosen
from hwgen.data.preparing.line_image import draw_ink, on_paper, scaled_down, with_cells
from hwgen.data.preparing.line_normalization import IMAGES_OF_A_HAND, estimate_slant, shear, sized, upright
from hwgen.data.preparing.picture_intake import Intake, look_at_character
from hwgen.data.preparing.split_writer import Piece, Pieces
from hwgen.data.preparing.worker_pool import WorkerPool
from hwgen.data.reading import records as records_lib
from hwgen.data.reading.records import LineRecord

SHOWN = 20  # codes in a message
# A part that another process reads comes back whole; a larger one is read here, record by record.
MAX_SENT_BYTES = 64 << 20
_PIECE_SAMPLES = 512  # of a part that is read here
_COUNTERS = ('classes', 'outside', 'codes', 'skipped', 'remarks')


@functools.cache
def _is_known(character):
    """Whether the dictionary has it."""
    try:
        Charset.load().encode(character)
    except CharsetError:
        return False
    return True


class Tally:
    """What was found, and what was left out.

    Args:
        skip: bool, keep a sample that cannot be used in `rejected`; else it is raised.

    Attributes:
        rejected: dict {message: reason}, in the order of the samples.
        classes, outside: Counter of characters: of records; outside the dictionary.
        codes: Counter of str, codes without a character, hexadecimal.
        skipped: Counter of reasons.
        remarks: Counter of what is to be said of pictures that became records, see `picture_intake`.
        present: set of int, character ids.
    """

    def __init__(self, *, skip: bool):
        self.skip = skip
        self.rejected: dict[str, str] = {}
        self.classes: collections.Counter[str] = collections.Counter()
        self.outside: collections.Counter[str] = collections.Counter()
        self.codes: collections.Counter[str] = collections.Counter()
        self.skipped: collections.Counter[str] = collections.Counter()
        self.remarks: collections.Counter[str] = collections.Counter()
        self.present: set[int] = set()

    def refuse(self, error: FormatError) -> None:
        """Raises, or lists and counts, a sample that cannot be used."""
        if not self.skip:
            raise error
        self._list(str(error), error.reason)

    def _list(self, message: str, reason: str) -> None:
        if message not in self.rejected:  # a part without a writer is read once for each split
            self.rejected[message] = reason
            self.skipped[reason] += 1

    def count_outside(self, text: str) -> None:
        """Counts the characters of a text that are outside the dictionary."""
        self.outside.update(c for c in plain(text) if not _is_known(c))

    def as_json(self) -> dict[str, Any]:
        """All of it as a dict for JSON."""
        return {
            'rejected': self.rejected,
            'present': sorted(self.present),
            **{name: dict(getattr(self, name)) for name in _COUNTERS},
        }

    def merge(self, found: Mapping[str, Any]) -> None:
        """Adds what another tally has, given `as_json`."""
        for name in _COUNTERS:
            counts = collections.Counter(found.get(name, {}))  # the journal of an earlier version lacks some
            if name == 'skipped':  # of the rejected ones each is counted once, below
                counts -= collections.Counter(found['rejected'].values())
            getattr(self, name).update(counts)
        for message, reason in found['rejected'].items():
            self._list(message, reason)
        self.present.update(found['present'])


class Converter:
    """Makes records of samples.

    Args:
        tally: Tally that counts them.
        height_px, pen_px, deslant, normalize_size, shortest, longest, keep_paper, dark: see
            `prepare_collection`.

    Attributes:
        tally: the same; may be changed for another between two samples.
    """

    def __init__(
        self,
        tally: Tally,
        *,
        height_px: int,
        pen_px: float,
        shortest: int,
        longest: float,
        deslant: bool = False,
        normalize_size: float | None = None,
        keep_paper: bool = False,
        dark: str = 'refuse',
    ):
        self.tally, self._lengths = tally, (shortest, longest)
        self._height_px, self._pen_px, self._deslant, self._share = height_px, pen_px, deslant, normalize_size
        self._intakes = {whiten: Intake(whiten=whiten, dark=dark) for whiten in (False, True)}
        self._keep_paper = keep_paper
        self._charset = Charset.load()

    def records(self, part: Part, chosen: Chosen, *, after: int = 0) -> Iterator[LineRecord | None]:
        """The records of a part.

        Args:
            part: collection.Part.
            chosen: function of a record's number -> bool, or None for all.
            after: int, samples that are read but not converted: they are done.

        Yields:
            LineRecord of each sample after those, or None where it gives none; its image is PNG bytes.

        Raises:
            FormatError: a sample cannot be used, and the tally does not skip.
        """
        try:
            samples = part.read(refuse=self._refuse if self.tally.skip else None)
            cells = with_cells(samples) if part.isolated else ((sample, None) for sample in samples)
            for sample, cell, slant in itertools.islice(self._with_slants(cells, part), after, None):
                if chosen is None or chosen(sample.record):
                    yield self._record(part, sample, cell, slant)
                else:
                    yield None
        except FormatError as error:
            self.tally.refuse(error)
        except OSError as error:
            self.tally.refuse(FormatError(f'{part.name}, byte 0: {error.strerror or error}', reason='file'))

    def _refuse(self, error):
        self.tally.refuse(error)

    def _with_slants(self, cells, part):
        """Samples with the slant of their hand, where it is to be taken away; that of each line alone
        where the writer is unknown.
        """
        first = list(itertools.islice(cells, IMAGES_OF_A_HAND)) if self._deslant and part.writer else []
        common = estimate_slant(self._readable(part, first))
        for sample, cell in itertools.chain(first, cells):
            slant = common
            if self._deslant and not first:
                slant = estimate_slant(self._readable(part, [(sample, cell)]))
            yield sample, cell, slant

    def _readable(self, part, cells):
        for sample, cell in cells:
            # what cannot be drawn or taken in is told when its record is made
            with contextlib.suppress(ValueError):
                yield self._upright(part, self._taken(part, sample)[0], cell, 0, units=len(sample.text))[0]

    def _taken(self, part, sample):
        """A sample whose picture was looked at, and what is to be remarked of it."""
        if isinstance(sample, Ink):
            return sample, ()
        if part.isolated or sample.boxes is not None:  # put on white paper by their reader
            look = look_at_character(sample.image)
            if look.fault:
                raise FormatError(look.words, reason=look.fault)
            return sample, ()
        whiten = not (part.format.white_paper or self._keep_paper)
        image, remarks = self._intakes[whiten].take(sample.image)
        return sample._replace(image=image), remarks

    def _record(self, part, sample, cell, slant):
        shortest, longest = self._lengths
        place = f'{part.name}, {part.unit} {sample.record}, byte {sample.offset}'
        if sample.note:
            self.tally.skipped[sample.note] += 1
            return None
        if UNKNOWN_CHARACTER in sample.text:
            codes = zip(sample.codes, sample.text, strict=False)  # not every format has codes
            bad = [code for code, character in codes if character == UNKNOWN_CHARACTER]
            self.tally.codes.update(code.hex() for code in bad)
            shown = f'code {" ".join(code.hex() for code in bad[:SHOWN])}' if bad else 'a code'
            self.tally.refuse(
                FormatError(f'{place}: {shown} decodes to nothing, expected GBK or ASCII', reason='code')
            )
            return None
        try:
            encoded = self._charset.encode(sample.text.strip())
        except CharsetError as error:
            self.tally.count_outside(sample.text)
            self.tally.refuse(FormatError(f'{place}: {error}', reason='text'))
            return None
        if not len(encoded.character_ids):
            self.tally.refuse(
                FormatError(f'{place}: no text, expected at least one character', reason='text')
            )
            return None
        if not shortest <= len(encoded.character_ids) <= longest:
            self.tally.skipped['length'] += 1
            return None
        try:
            sample, remarks = self._taken(part, sample)
            image, boxes = self._image(part, sample, cell, slant, units=len(encoded.units))
        except ValueError as error:
            self.tally.refuse(FormatError(f'{place}: {error}', reason=getattr(error, 'reason', 'size')))
            return None
        self.tally.remarks.update(remarks)
        self.tally.classes.update(map(plain, encoded.units))
        self.tally.present.update(int(i) for i in encoded.character_ids if i)
        return records_lib.LineRecord(
            image=records_lib.encode_png(image),
            text=sample.text.strip(),
            character_ids=encoded.character_ids,
            component_ids=encoded.component_ids,
            structure_ids=encoded.structure_ids,
            writer=sample.writer or part.writer or f'unknown {part.name} {sample.record}',
            source=part.kind,
            boxes=boxes,
        )

    def _upright(self, part, sample, cell, slant, *, units):
        """The image of a sample without its slant, uint8 [H, W] as large as it is, and its boxes or None."""
        if isinstance(sample, Ink):
            strokes = upright(sample.strokes, degrees=slant)
            drawn = draw_ink(
                strokes,
                height_px=self._height_px,
                pen_px=self._pen_px,
                num_characters=units,
                cell_extent=cell,
            )
            return drawn, None
        image, boxes = shear(sample.image, degrees=slant, boxes=sample.boxes)
        if boxes is not None and len(boxes) != units:
            boxes = None
        return on_paper(image) if part.isolated else image, boxes

    def _image(self, part, sample, cell, slant, *, units):
        image, boxes = self._upright(part, sample, cell, slant, units=units)
        if self._share is not None and not part.isolated:  # characters keep their sizes among each other
            image, boxes = sized(image, share=self._share, num_characters=units, boxes=boxes)
        scaled = scaled_down(image, height_px=self._height_px)
        if boxes is None:
            return scaled, None
        factor = np.array(scaled.shape[::-1] * 2) / np.array(image.shape[::-1] * 2)
        return scaled, np.round(boxes * factor).astype(np.int32)


def converted(
    members: Sequence[tuple[Part, Chosen]],
    done: int = 0,
    within: int = 0,
    *,
    settings: Mapping[str, Any],
    skip: bool,
    pool: WorkerPool | None = None,
) -> Pieces:
    """The records of parts, in order, whoever reads them.

    Args:
        members: list of (Part, chosen), see `Converter.records`.
        done: int, parts that are done.
        within: int, samples of the next part that are done.
        settings: dict of the settings of `Converter`.
        skip: bool, leave out what cannot be used.
        pool: WorkerPool, or None: read here.

    Yields:
        split_writer.Piece, with a `Tally.as_json` in `found`; a part that a process reads is one piece,
        another is many.

    Raises:
        FormatError: as `Converter.records`.
        ChildProcessError: a process ended without an answer; names the part.
    """
    rest = list(enumerate(members))[done:]
    after = {done: within}

    def task(number: int, member: tuple[Part, Chosen]) -> tuple[Any, ...] | None:
        """What a process is sent; None: the part is read here."""
        part, _ = member
        if part.num_bytes > MAX_SENT_BYTES or part.format.unbounded:
            return None
        return number, *member, settings, skip, after.get(number, 0)

    pieces: Iterator[Piece | None] = itertools.repeat(None, len(rest))
    if pool:
        tasks = (task(number, member) for number, member in rest)
        pieces = pool.results(_convert, tasks, names=lambda i: rest[i][1][0].name)
    for (number, member), piece in zip(rest, pieces, strict=True):
        if piece is not None:
            yield piece
        else:
            yield from _pieces(number, *member, settings, skip, after.get(number, 0), samples=_PIECE_SAMPLES)


def _convert(*arguments):
    """All of a part as one piece."""
    (piece,) = _pieces(*arguments, samples=math.inf)
    return piece


def _pieces(number, part, chosen, settings, skip, after, *, samples):
    """The pieces of a part, of so many samples each."""
    converter, records = Converter(Tally(skip=skip), **settings), []
    for count, record in enumerate(converter.records(part, chosen, after=after), after + 1):
        if record is not None:
            records.append(record)
        if count - after >= samples:
            yield Piece(records, number, count, converter.tally.as_json())
            after, records, converter.tally = count, [], Tally(skip=skip)
    yield Piece(records, number + 1, 0, converter.tally.as_json())
