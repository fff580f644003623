"""Progress of a piece of writing, and the words that it is told in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hwgen import console

if TYPE_CHECKING:
    from hwgen.generation.verification import VerifiedLine
    from hwgen.inference.line_layout import WrittenLine

REPORT_SEC = 5.0


class Progress:
    """Counts lines and characters; says every few seconds how far it is and at the end how fast it was.

    Attributes:
        total, total_characters: int, what is to be written.
        lines, characters: int, what has been written.
    """

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, lines: int, characters: int) -> None:
        """Starts anew: so many are to be written."""
        self.total, self.total_characters = lines, characters
        self.lines = self.characters = 0
        self.began = self.reported = time.monotonic()

    def add(self, written: Sequence[WrittenLine | VerifiedLine]) -> None:
        """Counts lines that were written together: a rate is one of lines and the whole time that they took.

        Args:
            written: the lines.
        """
        self.lines += len(written)
        self.characters += sum(len(line.boxes) for line in written)
        now = time.monotonic()
        if now - self.reported >= REPORT_SEC:
            self.reported, rate = now, self.characters / max(now - self.began, 1e-3)
            console.warn(
                f'line {self.lines:,}/{self.total:,}'
                f' ({100 * self.characters / max(self.total_characters, 1):.0f} %), {rate:,.0f} characters/s,'
                f' ETA {max(self.total_characters - self.characters, 0) / rate:,.0f} s'
            )

    def summary(self) -> str:
        """How much was written, in what time, at what rate."""
        seconds = max(time.monotonic() - self.began, 1e-3)
        return (
            f'{count(self.lines, "line")}, {count(self.characters, "character")} in {seconds:.2f} s '
            f'({self.lines / seconds:,.1f} lines/s, {self.characters / seconds:,.0f} characters/s)'
        )


def count(number: int, noun: str) -> str:
    """`1 row`, `1,234 rows`."""
    return f'{number:,} {noun}{"s" * (number != 1)}'


def tell_left_out(complaints: Sequence[str]) -> None:
    """Says of the first rows that were left out why they were."""
    for complaint in complaints[:3]:
        console.warn(f'left out: {complaint}')


def left_out(complaints: Sequence[str]) -> str:
    """The end of a summary: how many rows were left out."""
    return f', {count(len(complaints), "row")} left out' if complaints else ''
