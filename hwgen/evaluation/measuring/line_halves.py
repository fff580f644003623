"""Real lines as two halves that share no line, drawn by the seed, and lines that a model writes with the
texts of the second half.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.evaluation.measuring.conventions import CONVENTIONS
from hwgen.evaluation.measuring.line_statistics import Side, side_figures
from hwgen.inference.imitation import read_style

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.feature_space import FeatureSpace
    from hwgen.evaluation.systems.system import System

_STREAMS = {'lines': 0, 'styles': 1}
_CHUNK_LINES = 32
_STYLE_LINES = 15  # of a writer, of which a hand is imitated: as many as GANwriting takes
_GEOMETRY_REPEATS = 200


class Selection(NamedTuple):
    """The lines of a seed.

    Attributes:
        first, second: lists of record numbers of the halves, of one length.
        digest: str, SHA-256 of protocol, numbers, writers and texts.
    """

    first: list
    second: list
    digest: str


def choose_lines(index: RecordIndex, name: str, *, num_lines: int, seed: int) -> Selection:
    """Draws the halves.

    Where hands are imitated, place i of both halves is of one writer, and the writers take turns.

    Args:
        index: RecordIndex.
        name: str, of a protocol.
        num_lines: int, of a half at most.
        seed: int.

    Returns:
        Selection.

    Raises:
        ValueError: fewer than two lines for a half.
    """
    protocol, order = (
        CONVENTIONS[name],
        np.random.default_rng([seed, _STREAMS['lines']]).permutation(len(index)),
    )
    records = {}

    def line(number):
        if number not in records:
            record = index.read_record(int(number), decode_image=False)
            records[number] = record.writer, record.text
        return records[number]

    if protocol.imitates:
        by_writer: dict[str, list[int]] = {}
        for number in order:
            by_writer.setdefault(line(number)[0], []).append(int(number))
        pairs = sorted(
            (turn, writer, numbers[turn], numbers[len(numbers) // 2 + turn])
            for writer, numbers in by_writer.items()
            for turn in range(len(numbers) // 2)
        )
        first, second = [pair[2] for pair in pairs[:num_lines]], [pair[3] for pair in pairs[:num_lines]]
    else:
        half = min(num_lines, len(order) // 2)
        first, second = order[:half].tolist(), order[half : 2 * half].tolist()
    if len(first) < 2:
        raise ValueError(
            f'{index.folder}, split {index.split!r}: {len(first)} lines for each half, expected at least 2'
            + (' (of writers with two lines or more)' if protocol.imitates else '')
        )
    digest = hashlib.sha256(repr((name, protocol[:5], seed)).encode())
    for number in (*first, *second):
        digest.update('\t'.join((str(number), *line(number), '\n')).encode())
    return Selection(first, second, digest.hexdigest())


class Halves:
    """The real lines of one seed, measured once, for as many writers as there are.

    Args:
        index: RecordIndex.
        name: str, of a protocol.
        space: feature space.
        cells: dict char_px, char_width_px: what lines are scaled to.
        training: float32 [t, D] from `training_features`, for protocols that look for copies.
        num_lines: int, of a half at most; None: the protocol's number.
        seed: int, of lines, styles and all that is drawn in measuring.
        geometry_repeats: int, choices of landmarks behind the geometry score; 0: none; None: 200.

    Attributes:
        selection: Selection; first, second: Side.

    Raises:
        ValueError: too few lines.
    """

    def __init__(
        self,
        index: RecordIndex,
        name: str,
        *,
        space: FeatureSpace,
        cells: Mapping[str, int],
        training: np.ndarray | None = None,
        num_lines: int | None = None,
        seed: int = 0,
        geometry_repeats: int | None = None,
    ):
        self._index, self._protocol, self._space, self._cells, self._seed = (
            index,
            CONVENTIONS[name],
            space,
            cells,
            seed,
        )
        self._training = training if self._protocol.memorization else None
        self._geometry_repeats = _GEOMETRY_REPEATS if geometry_repeats is None else geometry_repeats
        self.selection = choose_lines(
            index,
            name,
            num_lines=min(num_lines or self._protocol.num_lines, self._protocol.num_lines),
            seed=seed,
        )
        self.first, self.second = self.side(), self.side()
        self._floors: dict[str, float] = {}
        for side, numbers in ((self.first, self.selection.first), (self.second, self.selection.second)):
            for records in chunks(index, numbers):
                side.update([record.image for record in records], records)

    def read(self) -> Iterator[tuple[list[np.ndarray], list[LineRecord]]]:
        """The real lines of the second half, as `write` yields written ones."""
        for records in chunks(self._index, self.selection.second):
            yield [record.image for record in records], records

    def side(self) -> Side:
        """An empty Side, to be filled with written lines."""
        return Side(
            self._protocol,
            self._space,
            cells=self._cells,
            training=self._training,
            geometry_repeats=self._geometry_repeats,
        )

    def write(
        self, model: System, *, truncation: float
    ) -> Iterator[tuple[list[np.ndarray], list[LineRecord]]]:
        """Has the texts of the second half written, in hands that the seed draws, or in those of the real
        writers.

        Args:
            model: has `write`, as Writer; where hands are imitated its style encoder, too.
            truncation: float, of drawn styles and of the character noise.

        Yields:
            list of uint8 [H, W]; list of the LineRecords whose texts they have, without images. A chunk at a
            time.
        """
        styles = _hands(self._index, self.selection.first, model) if self._protocol.imitates else None
        style_seeds = np.random.default_rng([self._seed, _STREAMS['styles']]).integers(
            2**63, size=len(self.selection.second)
        )
        for number, records in enumerate(chunks(self._index, self.selection.second, decode_image=False)):
            seeds = style_seeds[number * _CHUNK_LINES :][: len(records)]
            chosen = None if styles is None else np.stack([styles[record.writer] for record in records])
            yield (
                model.write(
                    [record.text for record in records],
                    style_seeds=seeds,
                    styles=chosen,
                    truncation=truncation,
                ),
                records,
            )

    def figures(self, generated: Side | None = None) -> dict[str, dict[str, float]]:
        """dict name -> dict of float: `floor` and, with a Side of written lines, `generated` and
        `other_texts`.
        """
        return side_figures(
            self._space.name, self.first, self.second, generated, seed=self._seed, floors=self._floors
        )


def chunks(
    index: RecordIndex, numbers: Sequence[int] | np.ndarray, **options: bool
) -> Iterator[list[LineRecord]]:
    """The records of these numbers, 32 at a time; `options` as of `RecordIndex.read_record`."""
    for start in range(0, len(numbers), _CHUNK_LINES):
        yield [index.read_record(int(number), **options) for number in numbers[start : start + _CHUNK_LINES]]


def _hands(index, numbers, model):
    """dict writer's name -> style float32 [Z], read from at most 15 of the lines."""
    lines = {}
    for records in chunks(index, numbers):
        for record in records:
            if len(lines.setdefault(record.writer, [])) < _STYLE_LINES:
                lines[record.writer].append((record.image, len(record.character_ids)))
    return {name: read_style(model, *zip(*pairs, strict=True)) for name, pairs in lines.items()}
