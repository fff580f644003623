"""Protocols hct, scrabblegan, ganwriting and hwd: real lines against generated ones of the same texts, by
distances between distributions.

Real lines are two halves that share no line, drawn by the seed. The generated ones have the texts of the
second half. Three comparisons of each figure:
  figure       generated against the second half: the same texts on both sides
  floor        the first half against the second: what real lines are worth against real ones, of other texts
  other texts  generated against the first half: differs from the floor in nothing but who wrote the texts of
  the second half
Everything streams: a chunk of lines at a time is read, written, measured and forgotten. What is fixed by each
protocol: `conventions`; the halves: `line_halves`; what is measured of a side: `line_statistics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.evaluation.measuring.conventions import CONVENTIONS, pictures
from hwgen.evaluation.measuring.line_halves import Halves, chunks
from hwgen.inference.description import DEFAULT_TRUNCATION

if TYPE_CHECKING:
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.feature_space import FeatureSpace
    from hwgen.inference.writer import Writer

_TRAINING_STREAM = 5
_TRAINING_LINES = 10_000  # that are looked through for copies


class Comparison(NamedTuple):
    """What one seed gave.

    Attributes:
        figures: dict name -> dict of float: `generated`, `floor`, `other_texts`; without a model `floor`
            alone.
        sheet: list of rows of uint8 [H, W]: real, generated of the same text.
        copies: list of (generated line uint8 [H, W], record number of the nearest training line), the closest
            first.
        digest: str, of the lines.
    """

    figures: dict
    sheet: list
    copies: list
    digest: str


def compare(
    index: RecordIndex,
    name: str,
    *,
    space: FeatureSpace,
    model: Writer | None = None,
    cells: dict[str, int] | None = None,
    training: np.ndarray | None = None,
    num_lines: int | None = None,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
    report: Callable[[str], object] = print,
) -> Comparison:
    """Runs a protocol for one seed.

    Args:
        index, name, space, training, num_lines, seed: as `Halves` has them.
        model: Writer, or None for the floor alone.
        cells: dict char_px, char_width_px where there is no model.
        truncation: float, of drawn styles and of the character noise.
        report: function of a str.

    Returns:
        Comparison.

    Raises:
        ValueError: too few lines; a protocol that imitates hands and a model without style encoder.
        CharsetError: the model cannot write one of the texts.
    """
    if model is not None:
        cells = dict(char_px=model.char_px, char_width_px=model.char_width_px)
        if CONVENTIONS[name].imitates and model.style_encoder is None:
            raise ValueError(
                f'--protocol={name}: the model has no style encoder, so it cannot imitate the writers;'
                ' expected one trained with reconstruction'
            )
    if cells is None:
        raise ValueError('no model and no cells: expected one of them, lines are scaled to cells')
    halves = Halves(index, name, space=space, cells=cells, training=training, num_lines=num_lines, seed=seed)
    generated = None
    if model is not None:
        generated = halves.side()
        for images, records in halves.write(model, truncation=truncation):
            generated.update(images, records)
    report(
        f'seed {seed}: 2 x {len(halves.selection.first)} real lines'
        + (f', {len(halves.selection.second)} generated' if generated else '')
    )
    sheet = (
        [list(row) for row in zip(halves.second.shown, generated.shown, strict=True)]
        if generated
        else [[image] for image in halves.second.shown]
    )
    return Comparison(
        halves.figures(generated),
        sheet,
        [(image, place) for _, place, image in generated.nearest] if generated else [],
        halves.selection.digest,
    )


def training_lines(index: RecordIndex) -> np.ndarray:
    """Record numbers of the training lines that are looked through for copies, at most 10,000: int64 [t]."""
    return np.random.default_rng(_TRAINING_STREAM).permutation(len(index))[:_TRAINING_LINES]


def training_features(
    index: RecordIndex, name: str, *, space: FeatureSpace, cells: Mapping[str, int]
) -> np.ndarray:
    """Features of these lines, float32 [t, D], cut as the protocol cuts."""
    kind = CONVENTIONS[name].picture

    def measured(records):
        cut = [
            pictures(record.image, kind=kind, num_characters=len(record.character_ids), **cells)
            for record in records
        ]
        return space.measure([picture for line in cut for picture in line]).vectors

    return np.concatenate([measured(records) for records in chunks(index, training_lines(index))])
