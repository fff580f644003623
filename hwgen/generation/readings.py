"""Tables of what a reader made of lines: `readings.tsv` of those that are kept, `given_up.tsv` of those that
are not.

Both begin with a row that names their columns. `readings.tsv` is a label file as well, of which `prepare
--source=folder` takes path and text.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any, Self

from hwgen.charset.printable import printable
from hwgen.generation.verification import GIVEN_UP, Tally, VerifiedLine

if TYPE_CHECKING:
    from hwgen.inference.line_layout import WrittenLine
    from hwgen.settings.generate import GenerateSettings

READINGS, LEFT_OUT = 'readings.tsv', 'given_up.tsv'
_COLUMNS = ('text', 'verdict', 'error', 'confidence', 'tries', 'noise_seed', 'unread', 'reading')


class Readings:
    """The tables of a folder that is being written.

    Args:
        settings: GenerateSettings; without `labels.verify` nothing is written.
        folder: the folder.
        of: str, the first column's name: what a row is about.
    """

    def __init__(self, settings: GenerateSettings, folder: str, *, of: str) -> None:
        self._on, self._out = settings.labels.verify is not None, settings.labels.given_up == 'leave_out'
        self._folder, self._of = folder, of
        self._stack = contextlib.ExitStack()
        self._tables: dict[str, IO[str]] = {}
        self.tally = Tally(left_out=self._out)

    def __enter__(self) -> Self:
        if self._on:
            self._open(READINGS, (self._of, 'line', *_COLUMNS))
            if self._out:
                self._open(LEFT_OUT, ('style', *_COLUMNS))
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def _open(self, name, columns):
        self._tables[name] = self._stack.enter_context(
            open(os.path.join(self._folder, name), 'w', encoding='utf-8', newline='\n')
        )
        self._tables[name].write('\t'.join(columns) + '\n')

    def is_kept(self, line: WrittenLine | VerifiedLine, text: str, *, style: object) -> bool:
        """Whether a line is kept; told and counted where it is not."""
        if not (self._out and isinstance(line, VerifiedLine) and line.verified.verdict == GIVEN_UP):
            return True
        self.tally.add(line, text=text, place=f'style {style}')
        self._tables[LEFT_OUT].write('\t'.join([printable(style), *_row(line, text)]) + '\n')
        return False

    def add(self, line: WrittenLine | VerifiedLine, text: str, *, place: str, number: int = 1) -> None:
        """A row for a line that is kept.

        Args:
            line: the line.
            text: what was written.
            place: the picture or the record.
            number: of the line in it.
        """
        if not isinstance(line, VerifiedLine):
            return
        told = place if self._of == 'path' else f'{self._of} {place}'
        self.tally.add(line, text=text, place=told if number == 1 else f'{told}, line {number}')
        self._tables[READINGS].write('\t'.join([place, str(number), *_row(line, text)]) + '\n')

    def told(self) -> str:
        """What became of the lines, in words."""
        return self.tally.summary()


class RecordReadings(Readings):
    """The tables of a folder of records, whose rows are of records, counted from 1."""

    def __init__(self, settings: GenerateSettings, folder: str) -> None:
        super().__init__(settings, folder, of='record')

    def kept(
        self,
        written: Iterator[tuple[WrittenLine | VerifiedLine, str, int]],
        named: Callable[[int], object],
    ) -> Iterator[tuple[WrittenLine | VerifiedLine, str, int]]:
        """The lines that become records.

        Args:
            written: lines, their texts and seeds.
            named: function of a seed: what the hand is called.

        Raises:
            ValueError: none is left.
        """
        number = 0
        for line, text, seed in written:
            if self.is_kept(line, text, style=named(seed)):
                number += 1
                self.add(line, text, place=str(number))
                yield line, text, seed
        if not number:
            raise ValueError('no line reads as asked: expected a larger --verify, or --given_up=keep')


def _row(line: VerifiedLine, text: str) -> list[str]:
    """The cells of a line behind its place."""
    found = line.verified
    return [
        text,
        found.verdict,
        f'{found.error:.4f}',
        f'{found.confidence:.4f}',
        str(found.tries),
        str(found.noise_seed),
        ' '.join(found.unread),
        printable(found.reading),
    ]
