"""The training lines of an embedded corpus while another process writes them: drawn where they are read,
to the last bit those that will be stored.
"""

import contextlib
import multiprocessing
import os
import pathlib
import re
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from hwgen.data.preparing import corpus_work, prepare, work_folder
from hwgen.data.preparing.shard_writer import places
from hwgen.data.preparing.worker_pool import follow_parent
from hwgen.data.reading import records as records_lib
from hwgen.data.reading.records import LineRecord
from hwgen.data.reading.shards import (
    FOOTER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    RecordIndex,
    masked_crc,
    read_info,
    shard_name,
    whole,
)
from hwgen.data.scribe.plan import corpus_charset
from hwgen.tensorflow_files import reason_of

_REPORT_SEC = 60
_LOOK_SEC = 5


class DrawnIndex:
    """A split that is planned and not there yet, with what `RecordIndex` has.

    Reading is safe from several threads.

    A process writes the split, and is ended by `close` and with this process, however that ends; what it has
    finished then is not drawn again. A line that it has finished is read from its shards; one that it has not
    is drawn when it is read, which takes 10 to 20 ms of one core. Where the writing fails that is reported,
    and lines are drawn to the end.

    Args:
        folder: path of an embedded corpus, of which some split has been written.
        split: str.
        workers: int, processes that draw; None: one for each CPU but one.
        start: function of the module level that the process calls first, or None.
        report: function of a str, called by another thread.

    Attributes:
        info: dict, info.json as it is when the split is there.
        lengths: int32 [n], written characters of each record.

    Raises:
        RecordError: no such folder.
        ValueError: settings that are impossible.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        split: str = 'train',
        workers: int | None = None,
        start: Callable[..., object] | None = None,
        report: Callable[[str], object] = print,
    ):
        self.folder, self.split = pathlib.Path(folder), split
        self._written, self._failed, self._closing = threading.Event(), threading.Event(), threading.Event()
        self._stored: RecordIndex | None = None
        self._report = report
        self._drawing, self._looking = threading.Lock(), threading.Lock()
        info = read_info(folder)
        work = corpus_work.work_of(**prepare.settings_of(info))
        self._plan, self._trajectory, self._identity = work.plan, work.trajectory, work.identity
        # shards, offsets and sizes of what is finished; when that was looked up
        self._pieces: tuple[list[BinaryIO], np.ndarray, np.ndarray] = ([], np.zeros(0), np.zeros(0))
        self._looked: float | None = None
        # a fork of a process with TensorFlow's threads may hang
        context = multiprocessing.get_context('spawn')
        self._answers, answers = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_write,
            args=(answers, str(folder), split, workers or max(1, (os.cpu_count() or 1) - 1), start),
        )
        self._process.start()
        answers.close()  # its end is the end of the process
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self.lengths, _ = self._plan.outline(split)
            planned = {name: counts for name, counts in info.get('planned', {}).items() if name != split}
            self.info = {
                **info,
                'splits': {**info['splits'], split: whole(info)['splits'][split]},
                'planned': planned,
            }
            missing = prepare.not_shown(self._plan) if split == 'train' else self.info.get('not_shown')
            if missing:
                self.info['not_shown'] = missing
        except BaseException:
            self.close()
            raise

    def __len__(self):
        return len(self.lengths)

    def digest(self) -> str | None:
        """As that of `RecordIndex`; None while it is not known."""
        stored = self._records()
        return None if stored is None else stored.digest()

    def read_record(self, i: int, *, decode_image: bool = True, decode_trajectory: bool = True) -> LineRecord:
        """Record i. Arguments, result and errors as those of `RecordIndex`."""
        if not 0 <= i < len(self):
            raise IndexError(
                f'{self.folder}, split {self.split!r}, record {i}: expected 0 to {len(self) - 1}'
            )
        stored = self._records()
        if stored is not None:
            return stored.read_record(i, decode_image=decode_image, decode_trajectory=decode_trajectory)
        serialized = self._finished(i)
        if serialized is None:
            with self._drawing:  # nothing says that fonts and pens may be used by several threads
                (record,) = prepare.drawn(self._plan, self.split, [i], trajectory=self._trajectory)
            serialized = records_lib.serialize_record(record)
        return records_lib.deserialize_record(
            serialized, decode_image=decode_image, decode_trajectory=decode_trajectory
        )

    def close(self) -> None:
        """Ends the writing, and says so unless it is done; records can still be read, as batches are until
        the program ends.
        """
        self._closing.set()
        self._process.kill()  # whatever is finished stays; the processes that draw for it end with it
        self._listener.join()
        self._process.join()
        self._answers.close()
        if not self._written.is_set() and not self._failed.is_set():
            self._report(
                f'{self.folder}: its {len(self.lengths)} lines of {self.split} are not all written; the next'
                ' command that needs them goes on with that'
            )

    def _records(self):
        """The RecordIndex where the split is written, else None."""
        if self._stored is None and self._written.is_set():
            with self._looking:
                if self._stored is None:
                    self._stored = RecordIndex(self.folder, split=self.split)
        return self._stored

    def _finished(self, i):
        """The bytes of record i in the shards that are being written; None where they are not there, or
        not as they should be.
        """
        with self._looking:
            if self._looked is None or time.monotonic() - self._looked >= _LOOK_SEC:
                self._look()
            files, offsets, sizes = self._pieces
        if i >= len(sizes):
            return None
        frame = os.pread(files[i % len(files)].fileno(), FRAME_BYTES + int(sizes[i]), int(offsets[i]))
        data = frame[HEADER_BYTES:-FOOTER_BYTES]
        length, checksum = struct.pack('<Q', sizes[i]), struct.pack('<I', masked_crc(data))
        intact = frame[:8] == length and frame[-FOOTER_BYTES:] == checksum
        return data if intact else None

    def _look(self):
        """Looks up what is finished. Files that it held open close when nobody reads them any more."""
        self._looked = time.monotonic()
        folder, entries = work_folder.finished_pieces(
            self.folder, self.split, self._identity, charset=corpus_charset(self._plan.version)
        )
        if entries:
            num_shards = entries[0]['shards']
            offsets, sizes, _ = places(
                [size for entry in entries for size in entry['sizes']], num_shards=num_shards
            )
            paths = [folder / shard_name(self.split, s, num_shards=num_shards) for s in range(num_shards)]
            with contextlib.suppress(FileNotFoundError):  # they are moved to their place just now
                self._pieces = [open(path, 'rb') for path in paths], offsets, sizes

    def _listen(self):
        """Passes on what the process says, until it ends."""
        last = {}
        try:
            while True:
                kind, text = self._answers.recv()
                if kind != 'said':
                    break
                # lines that differ in their numbers alone: progress
                what, now = re.sub(r'\d+', '', text), time.monotonic()
                if now - last.get(what, -_REPORT_SEC) >= _REPORT_SEC:
                    last[what] = now
                    self._tell(text)
        except (EOFError, OSError):
            if self._closing.is_set():
                return
            self._process.join()
            code = self._process.exitcode or 0
            how = signal.Signals(-code).name if code < 0 else f'status {code}'
            kind, text = 'failed', f'the process that wrote it ended without an answer ({how})'
        if kind == 'written':
            self._written.set()
            return
        self._failed.set()
        self._tell(
            f'{self.folder}: {self.split} was not written: {text}; the training goes on with lines that it'
            ' draws when it reads them, which is slower. The next command that needs the corpus writes it'
        )

    def _tell(self, text):
        with contextlib.suppress(OSError, ValueError):  # whoever read the output has left
            self._report(text)


@contextlib.contextmanager
def training_lines(
    folder: str | os.PathLike[str],
    *,
    start: Callable[..., object] | None = None,
    report: Callable[[str], object] = print,
) -> Iterator[DrawnIndex | None]:
    """The DrawnIndex of a folder whose training lines are planned and not written, closed at the end; None
    where they are there.

    Args:
        folder, start, report: see `DrawnIndex`.

    Yields:
        DrawnIndex or None.
    """
    if 'train' not in read_info(folder).get('planned', ()):
        yield None
        return
    report(
        f'{folder}: its training lines are written beside the training, which draws what it reads before (the'
        ' first steps are slower)'
    )
    with contextlib.closing(DrawnIndex(folder, start=start, report=report)) as index:
        yield index


# ---- in the process that writes


def _write(answers, folder, split, workers, start):
    # and no less of the cores than the training has: the sooner all is written, the less is drawn twice
    follow_parent()
    if start is not None:
        start()
    try:
        prepare.prepare_scribe(
            folder,
            **prepare.settings_of(read_info(folder)),
            splits=[split],
            workers=workers,
            report=lambda *lines: answers.send(('said', ' '.join(lines))),
        )
    except (OSError, ValueError, LookupError) as error:
        place = getattr(error, 'filename', None)
        answers.send(('failed', str(error) if place is None else f'{place}: {reason_of(error)}'))
    else:
        answers.send(('written', None))
