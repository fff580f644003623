"""What readers make of single characters: errors of an aligned reading, attributed to the characters that
were to be read.

A line's error rate says nothing about one character of it. Here the reading is aligned with the text
(`metrics.text.matched_units`), and a character is read where one that equals it stands at its place. So this
is recall: what was read besides is nobody's error.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.charset.normal_form import plain
from hwgen.charset.reading_form import folded
from hwgen.metrics import text as text_metrics

if TYPE_CHECKING:
    from hwgen.evaluation.judges.component_reader import ComponentReader
    from hwgen.evaluation.judges.independent_reader import TextReader

_RESAMPLES = 1000


class CharacterErrors(NamedTuple):
    """Occurrences of characters in lines that were read.

    Attributes:
        characters: object [M], str.
        wrong: int64 [M], units (the character itself, or its structure and components) that were not read.
        total: int64 [M], units.
    """

    characters: np.ndarray
    wrong: np.ndarray
    total: np.ndarray

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int, int]]) -> CharacterErrors:
        """From (character, wrong, total), one an occurrence."""
        rows = list(rows)
        return cls(
            np.array([row[0] for row in rows], object),
            *np.array([row[1:] for row in rows], np.int64).reshape(-1, 2).T,
        )

    def only(self, characters: Container[str]) -> CharacterErrors:
        """The occurrences of some characters."""
        chosen = np.array([character in characters for character in self.characters], bool)
        return CharacterErrors(*(column[chosen] for column in self))

    def rate(self) -> float:
        """Share of the units that were not read.

        Raises:
            ValueError: there is no occurrence.
        """
        if not len(self.total):
            raise ValueError('error of no characters: expected at least one occurrence')
        return float(self.wrong.sum() / self.total.sum())

    def interval(
        self, *, seed: int | Sequence[int], before: CharacterErrors | None = None
    ) -> tuple[float, float]:
        """95 % bootstrap interval of the rate, or of how much lower it is than before.

        Characters are drawn with replacement, each with all its
        occurrences: copies of a character succeed and fail together.

        Args:
            seed: of the draws.
            before: CharacterErrors of the same characters, or None.

        Returns:
            (low, high).
        """
        sides = [self] if before is None else [self, before]
        names = sorted(set(self.characters))
        if any(sorted(set(side.characters)) != names for side in sides):
            raise ValueError('an interval of the difference: expected the same characters on both sides')
        draws = np.random.default_rng(seed).integers(len(names), size=(_RESAMPLES, len(names)))
        rates = []
        for side in sides:
            places = np.searchsorted(names, side.characters.astype(str))
            wrong, total = (np.bincount(places, column, len(names)) for column in (side.wrong, side.total))
            rates.append(wrong[draws].sum(axis=1) / total[draws].sum(axis=1))
        low, high = np.quantile(rates[0] if before is None else rates[1] - rates[0], [0.025, 0.975])
        return float(low), float(high)


def joined(parts: Iterable[CharacterErrors]) -> CharacterErrors:
    """Several CharacterErrors as one."""
    return CharacterErrors(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def read_characters(
    reader: TextReader, images: Sequence[np.ndarray], texts: Sequence[str]
) -> CharacterErrors:
    """Errors of an independent reader: of each character, 0 or 1.

    Args:
        reader: has `read(images) -> texts`.
        images: uint8 [H, W] each.
        texts: what stands in them.

    Returns:
        CharacterErrors of the folded characters.
    """

    def rows():
        for text, reading in zip(map(folded, texts), map(folded, reader.read(images)), strict=True):
            for character, match in zip(text, text_metrics.matched_units(text, reading), strict=True):
                yield character, 1 - int(match), 1

    return CharacterErrors.of(rows())


def read_components(
    reader: ComponentReader, images: Sequence[np.ndarray], texts: Sequence[str]
) -> CharacterErrors:
    """Errors of the component reader: of each character, how many of its structure and components.

    Args:
        reader: ComponentReader.
        images: uint8 [H, W] each.
        texts: what stands in them, without sequences.

    Returns:
        CharacterErrors of the characters.
    """

    def rows():
        labels = [reader.labels(text) for text in texts]
        for text, written, read in zip(
            map(plain, texts), labels, reader.read(images, [len(line) for line in labels]), strict=True
        ):
            matches = iter(
                text_metrics.matched_units([label for character in written for label in character], read)
            )
            for character, own in zip(text, written, strict=True):
                found = [next(matches) for _ in own]
                yield character, len(own) - int(sum(found)), len(own)

    return CharacterErrors.of(rows())
