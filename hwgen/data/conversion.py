"""Samples of collections become records, and are counted; by several processes where that is wanted."""

import collections
import concurrent.futures
import contextlib
import itertools
import multiprocessing
from concurrent.futures.process import BrokenProcessPool

import cv2
import numpy as np

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.data import records as records_lib
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink
from hwgen.data.line_image import draw_ink, on_paper, scaled_down, with_cells

SHOWN = 20  # codes in a message
# A part that another process reads comes back whole; a larger one is read here, record by record.
MAX_SENT_BYTES = 64 << 20


class Tally:
    """What was found, and what was left out.

    Args:
        skip: bool, keep a sample that cannot be used in `rejected`; else it is raised.

    Attributes:
        rejected: dict {message: reason}, in the order of the samples.
        classes, outside: Counter of characters: of records; outside the dictionary.
        codes: Counter of str, codes without a character, hexadecimal.
        skipped: Counter of reasons.
        present: set of int, character ids.
    """

    def __init__(self, *, skip):
        self.skip, self.rejected = skip, {}
        self.classes, self.outside, self.codes, self.skipped = (collections.Counter() for _ in range(4))
        self.present = set()

    def refuse(self, error, reason=None):
        """Raises, or lists and counts, a sample that cannot be used."""
        if not self.skip:
            raise error
        if str(error) not in self.rejected:  # a part without a writer is read once for each split
            self.rejected[str(error)] = reason or error.reason
            self.skipped[self.rejected[str(error)]] += 1

    def merge(self, other):
        """Adds what another process found."""
        for name in ('classes', 'outside', 'codes'):
            getattr(self, name).update(getattr(other, name))
        self.skipped.update(other.skipped - collections.Counter(other.rejected.values()))
        for message, reason in other.rejected.items():
            self.refuse(message, reason)
        self.present |= other.present


class Converter:
    """Makes records of samples.

    Args:
        tally: Tally that counts them.
        height_px, pen_px, shortest, longest: see `prepare_collection`.
    """

    def __init__(self, tally, *, height_px, pen_px, shortest, longest):
        self.tally, self._settings = tally, (height_px, pen_px, shortest, longest)
        self._charset = Charset.load()
        self._known = {}

    def records(self, part, chosen):
        """The records of a part.

        Args:
            part: collection.Part.
            chosen: function of a record's number -> bool, or None for all.

        Yields:
            LineRecord.

        Raises:
            FormatError: a sample cannot be used, and the tally does not skip.
        """
        try:
            yield from self._records(part, chosen)
        except FormatError as error:
            self.tally.refuse(error)
        except OSError as error:
            self.tally.refuse(FormatError(f'{part.name}, byte 0: {error.strerror or error}', reason='file'))

    def _records(self, part, chosen):
        refuse = self.tally.refuse if self.tally.skip else None
        samples = part.read(refuse=refuse)
        for sample, cell in with_cells(samples) if part.isolated else ((sample, None) for sample in samples):
            if chosen is None or chosen(sample.record):
                record = self._record(part, sample, cell)
                if record is not None:
                    yield record

    def _record(self, part, sample, cell):
        height_px, pen_px, shortest, longest = self._settings
        place = f'{part.name}, {part.unit} {sample.record}, byte {sample.offset}'
        if sample.note:
            self.tally.skipped[sample.note] += 1
            return None
        if UNKNOWN_CHARACTER in sample.text:
            bad = [code for code, character in zip(sample.codes, sample.text) if character == UNKNOWN_CHARACTER]
            self.tally.codes.update(code.hex() for code in bad)
            shown = f'code {" ".join(code.hex() for code in bad[:SHOWN])}' if bad else 'a code'
            self.tally.refuse(FormatError(f'{place}: {shown} decodes to nothing, expected GBK or ASCII', reason='code'))
            return None
        try:
            encoded = self._charset.encode(sample.text.strip())
        except CharsetError as error:
            self.tally.outside.update(c for c in sample.text if not self._is_known(c))
            self.tally.refuse(FormatError(f'{place}: {error}', reason='text'))
            return None
        if not shortest <= len(encoded.character_ids) <= longest:
            self.tally.skipped['length'] += 1
            return None
        try:
            image, boxes = self._image(part, sample, cell, height_px=height_px, pen_px=pen_px, units=len(encoded.units))
        except ValueError as error:
            self.tally.refuse(FormatError(f'{place}: {error}', reason='size'))
            return None
        self.tally.classes.update(encoded.units)
        self.tally.present.update(int(i) for i in encoded.character_ids if i)
        return records_lib.LineRecord(
            image=image, text=sample.text.strip(), character_ids=encoded.character_ids, component_ids=encoded.component_ids,
            structure_ids=encoded.structure_ids, writer=sample.writer or part.writer or f'unknown {part.name} {sample.record}',
            source=part.kind, boxes=boxes)

    @staticmethod
    def _image(part, sample, cell, *, height_px, pen_px, units):
        if isinstance(sample, Ink):
            return draw_ink(sample.strokes, height_px=height_px, pen_px=pen_px, num_characters=units, cell_extent=cell), None
        image, boxes = sample.image, sample.boxes
        if part.isolated:
            image = on_paper(image)
        scaled = scaled_down(image, height_px=height_px)
        if boxes is not None and len(boxes) == units:
            factor = np.array(scaled.shape[::-1] * 2) / np.array(image.shape[::-1] * 2)
            return scaled, np.round(boxes * factor).astype(np.int32)
        return scaled, None

    def _is_known(self, character):
        if character not in self._known:
            try:
                self._charset.encode(character)
                self._known[character] = True
            except CharsetError:
                self._known[character] = False
        return self._known[character]


def converted(members, *, tally, settings, pool=None, workers=1):
    """The records of parts, in order, whoever reads them.

    Args:
        members: list of (Part, chosen), see `Converter.records`.
        tally: Tally; it has what belongs to the records so far, and at the end all.
        settings: dict of the settings of `Converter`.
        pool: `open_pool`'s, or None: read here.
        workers: int, its processes. No more than 2 * workers parts are read ahead.

    Yields:
        (int, LineRecord): the number of the part among members, from 0. Images are PNG bytes where another process read.

    Raises:
        FormatError: as `Converter.records`.
        ChildProcessError: a process ended without an answer.
    """
    here = Converter(tally, **settings)
    if pool is None:
        for number, member in enumerate(members):
            yield from ((number, record) for record in here.records(*member))
        return
    waiting, ahead = collections.deque(), enumerate(members)
    while True:
        for number, member in itertools.islice(ahead, 2 * workers - len(waiting)):
            # A data base is one part, however many samples it has, and may be larger than its file says.
            sent = member[0].num_bytes <= MAX_SENT_BYTES and member[0].kind != 'lmdb'
            waiting.append((number, member, _submit(pool, member, settings, tally.skip) if sent else None))
        if not waiting:
            return
        number, member, answer = waiting.popleft()
        if answer is None:
            yield from ((number, record) for record in here.records(*member))
            continue
        try:
            records, found = answer.result()
        except BrokenProcessPool:
            raise _died(member) from None
        yield from ((number, record) for record in records)
        tally.merge(found)


@contextlib.contextmanager
def open_pool(workers):
    """Processes that read parts; None for one worker.

    Args:
        workers: int.

    Yields:
        ProcessPoolExecutor or None. What it has not begun when the block is left is not begun any more.
    """
    if workers == 1:
        yield None
        return
    # Fresh processes: those that fork from one with TensorFlow's threads may hang.
    pool = concurrent.futures.ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context('spawn'),
                                                  initializer=cv2.setNumThreads, initargs=(1,))  # they share the cores
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool, member, settings, skip):
    try:
        return pool.submit(_convert, *member, settings, skip)
    except BrokenProcessPool:
        raise _died(member) from None


def _died(member):
    return ChildProcessError(f'{member[0].name}: a process that read this file or the next ones ended without an answer '
                             f'(killed, or out of memory); expected its records, --workers=1 reads in one process')


def _convert(part, chosen, settings, skip):
    """All records of a part, compressed, and their tally."""
    converter = Converter(Tally(skip=skip), **settings)
    records = [record._replace(image=records_lib.encode_png(record.image)) for record in converter.records(part, chosen)]
    return records, converter.tally
