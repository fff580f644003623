"""Writes a split piece by piece: each finished piece is in the shards and in the journal, and is not made
again.
"""

import contextlib
import math
import time
import types
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from hwgen.data.preparing.work_folder import WorkFolder

LINES_PER_SHARD = 5000  # where pictures are read or drawn line by line
LINES_PER_PIECE = 32
_REPORT_SEC = 5


class Piece(NamedTuple):
    """Some records of a split, and how far the work on it is done after them.

    Attributes:
        records: list of LineRecord.
        done: int, steps (lines, rows, files) of which nothing is left to do.
        within: int, how much of the next step is done; 0 where steps are not divided.
        found: dict for JSON, what else is to be known of the piece.
    """

    records: list
    done: int
    within: int = 0
    found: Mapping[str, Any] = types.MappingProxyType({})


# What `write_split` is given piece by piece, and closes.
Pieces: TypeAlias = Generator[Piece, None, None]


def write_split(
    work: WorkFolder,
    pieces: Callable[[int, int], Pieces],
    *,
    split: str,
    num_shards: int,
    steps: int,
    unit: str,
    name: object,
    report: Callable[[str], object],
    weights: Sequence[int] | None = None,
    tell: Callable[[Mapping[str, Any]], object] | None = None,
) -> dict[str, int] | None:
    """Writes the shards (or pictures) of a split, from where an interrupted process left them, and reports a
    line every few seconds.

    Args:
        work: work_folder.WorkFolder, begun.
        pieces: function of (done, within) of the last finished piece, (0, 0) at the start; gives the Pieces
            after it.
        split: str.
        num_shards: int.
        steps: int, of the whole split.
        unit: str, what a step is, for messages.
        name: of the folder, for messages.
        report: function of a str.
        weights: list of steps + 1 numbers, the work done before each step; None: all are the same.
        tell: function of `found` of each piece, also of those of the interrupted process.

    Returns:
        dict of counts for info.json, or None where there is no record.
    """
    before = work.entries(split)
    shards = work.storage.open(
        work.path,
        split=split,
        num_shards=num_shards,
        sizes=[n for e in before for n in e['sizes']],
        lengths=[n for e in before for n in e['lengths']],
    )
    writers, done, within = set(), 0, 0
    for entry in before:
        writers.update(entry['writers'])
        done, within = entry['done'], entry['within']
        if tell:
            tell(entry['found'])
    first, start = len(shards.sizes), time.monotonic()
    progress = _Progress(
        f'{name}: {split} {unit}', weights or range(steps + 1), done=done, lines=first, start=start
    )
    with contextlib.closing(shards), contextlib.closing(pieces(done, within)) as stream:
        for piece in stream:
            count = len(shards.sizes)
            here: dict[str, int] = {}
            for i, record in enumerate(piece.records):
                shards.append(record)
                here.setdefault(record.writer, i)
            shards.flush()
            work.append(
                {
                    'split': split,
                    'shards': num_shards,
                    'done': piece.done,
                    'within': piece.within,
                    'found': dict(piece.found),
                    'sizes': shards.sizes[count:],
                    'lengths': shards.lengths[count:],
                    'writers': here,
                }
            )
            writers.update(here)
            if tell:
                tell(piece.found)
            told = progress.told(piece.done, len(shards.sizes))
            if told:
                report(told)
        if not shards.sizes:
            shards.remove()
            report(f'{name}: {split} has no usable line')
            return None
        counts = shards.finish(writers=len(writers))
    report(
        f'{name}: {split} {counts.records} lines of {counts.writers} writers, {counts.characters} characters,'
        f' {(counts.records - first) / max(time.monotonic() - start, 1e-9):.0f} lines/s'
    )
    return counts._asdict()


class _Progress:
    """What is said of a split every few seconds.

    Args:
        subject: str, begins the line.
        weights: sequence of numbers, the work done before each step, and all of it.
        done, lines: int, steps and lines that were there at the start.
        start: float, s, when it was.
    """

    def __init__(self, subject: str, weights: Sequence[int], *, done: int, lines: int, start: float) -> None:
        self._subject, self._weights = subject, weights
        self._ahead, self._lines = weights[done], lines
        self._start = self._last = start

    def told(self, done: int, lines: int) -> str:
        """The line, or '' where the last one is only just said."""
        now = time.monotonic()
        if now - self._last < _REPORT_SEC:
            return ''
        self._last = now
        elapsed, total, reached = now - self._start, self._weights[-1], self._weights[done]
        read = reached - self._ahead
        left = f', {math.ceil(elapsed * (total - reached) / read)} s left' if read else ''
        return (
            f'{self._subject} {done}/{len(self._weights) - 1}, {100 * reached // (total or 1)} %,'
            f' {lines} lines, {(lines - self._lines) / elapsed:.0f} lines/s{left}'
        )


def resumed(
    work: WorkFolder, totals: Mapping[str, int], *, unit: str, name: object, report: Callable[[str], object]
) -> None:
    """Reports how much an interrupted process had finished, if anything.

    Args:
        work: work_folder.WorkFolder, begun.
        totals: dict {split: steps}.
        unit: str, what a step is.
        name: of the folder.
        report: function of a str.
    """
    done = sum(max((entry['done'] for entry in work.entries(split)), default=0) for split in totals)
    if work.has_results:
        report(f'{name}: resumed: {done} of {sum(totals.values())} {unit}s done')
