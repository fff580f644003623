"""Reading: a reader that is independent of the project reads real lines and lines that the model wrote.

Generated lines have the texts of the real ones, so that the two differ in the hand alone; real lines say what
the reader can do at best (the floor).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.charset.reading_form import folded
from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.images import crop_to_ink, to_cells, to_height
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import text as text_metrics

if TYPE_CHECKING:
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.independent_reader import TextReader
    from hwgen.inference.writer import Writer

_LINES_AT_ONCE = 32
_STREAMS = {'lines': 0, 'styles': 1, 'bootstrap': 2}


class Condition(NamedTuple):
    """Lines of one kind, and what was read in them.

    Attributes:
      name: `real_seen`, `generated_unseen`, ...
      images: uint8 [H, W] each, 255 = paper, as the reader got them.
      texts: what was to be written, L of them.
      readings: what was read, as many.
      counts: errors of the folded readings against the folded texts.
      num_unreadable: characters of the texts that the reader does not know at all: errors that are not the
          hand's.
    """

    name: str
    images: list
    texts: list
    readings: list
    counts: text_metrics.EditCounts
    num_unreadable: int

    def summary(self, *, seed: int | Sequence[int]) -> dict:
        """The figures, with the number of lines and characters behind them."""
        low, high = text_metrics.bootstrap_interval(self.counts, text_metrics.character_error_rate, seed=seed)
        return {
            'name': self.name,
            'num_lines': len(self.texts),
            'num_characters': int(self.counts.reference_lengths.sum()),
            'num_unreadable_characters': self.num_unreadable,
            'cer': text_metrics.character_error_rate(self.counts),
            'cer_95_low': low,
            'cer_95_high': high,
            'accurate_rate': text_metrics.accurate_rate(self.counts),
            'correct_rate': text_metrics.correct_rate(self.counts),
            'normalized_edit_distance': text_metrics.normalized_edit_distance(self.counts),
        }


def reader_protocol(
    reader: TextReader,
    indices: Mapping[str, RecordIndex],
    *,
    model: Writer | None = None,
    num_lines: int = 200,
    seed: int = 0,
    char_px: int = 32,
    char_width_px: int = 32,
    true_aspect: bool = False,
    crop: bool = False,
    truncation: float = DEFAULT_TRUNCATION,
    report: Callable[[str], object] = print,
) -> list[Condition]:
    """Has real and generated lines read.

    Real lines are scaled to the model's cells (char_px x N * char_width_px), as in training, so that the
    reader gets both at one size; beside a model whose characters have the room that they take, to its height.

    Args:
      reader: has `read(images) -> texts` and `characters`; see `IndependentReader`.
      indices: split -> RecordIndex, of `test` and, where the collection has it, `unseen`.
      model: Writer, or None to read real lines only; its cells replace char_px and char_width_px.
      num_lines: lines of each kind, at most; drawn without replacement, the same ones for every model.
      seed: of the choice of lines and of the styles.
      char_px, char_width_px: size of a cell, px, where there is no model.
      true_aspect: read real lines also as they were written, scaled to char_px in height only.
      crop: cut every line to its ink (with a margin of a tenth of its height) before it is read.
      truncation: standard deviation of the styles that are drawn.
      report: function of a str, told about progress.

    Returns:
      The conditions in the order real, real at true aspect, generated; seen before unseen.

    Raises:
      ValueError: num_lines < 1 or no splits.
      CharsetError: the model cannot write one of the texts.
    """
    if num_lines < 1 or not indices:
        raise ValueError(
            f'num_lines={num_lines}, splits {sorted(indices)}: expected at least one line and one split'
        )
    if model is not None:
        char_px, char_width_px = model.char_px, model.char_width_px
    conditions = []

    def read(name, images, texts):
        if crop:
            images = [crop_to_ink(image) for image in images]
        readings = reader.read(images)
        written, understood = [folded(text) for text in texts], [folded(text) for text in readings]
        unreadable = sum(character not in reader.characters for text in written for character in text)
        counts = text_metrics.edit_counts(written, understood)
        conditions.append(Condition(name, images, texts, readings, counts, unreadable))
        report(
            f'{name}: {len(texts)} lines read, character error'
            f' {text_metrics.character_error_rate(counts):.3f}'
        )

    for number, split in enumerate(split for split in SPLITS if split in indices):
        lines = _draw_lines(indices[split], num_lines, seed=[seed, _STREAMS['lines'], number])
        texts, kind = [line.text for line in lines], SPLITS[split]
        read(
            f'real_{kind}',
            [
                to_cells(line.image, len(line.character_ids), char_px=char_px, char_width_px=char_width_px)
                if model is None
                else real_lines.beside(line, model)
                for line in lines
            ],
            texts,
        )
        if true_aspect:
            read(f'real_{kind}_true_aspect', [to_height(line.image, char_px) for line in lines], texts)
        if model is not None:
            style_seeds = np.random.default_rng([seed, _STREAMS['styles'], number]).integers(
                2**63, size=len(texts)
            )
            images = []
            for start in range(0, len(texts), _LINES_AT_ONCE):
                part = slice(start, start + _LINES_AT_ONCE)
                images += model.write(texts[part], style_seeds=style_seeds[part], truncation=truncation)
            read(f'generated_{kind}', images, texts)
    return sorted(
        conditions,
        key=lambda condition: ('true_aspect' in condition.name) + 2 * condition.name.startswith('generated'),
    )


def reading_figures(conditions: Sequence[Condition]) -> dict:
    """Character errors as figures of `seed_figures.gather`: real lines are the floor of the generated ones
    with the same texts.

    Args:
      conditions: list of Condition of one seed.

    Returns:
      dict `cer_seen_200` (the number of lines) -> dict of `floor`, `generated`, `true_aspect` (real lines as
      wide as they were written).
    """
    figures: dict[str, dict[str, float]] = {}
    for condition in conditions:
        origin, kind, *aspect = condition.name.split('_', 2)
        side = aspect[0] if aspect else {'real': 'floor'}.get(origin, origin)
        figures.setdefault(f'cer_{kind}_{len(condition.texts)}', {})[side] = (
            text_metrics.character_error_rate(condition.counts)
        )
    return figures


def texts_digest(conditions: Sequence[Condition]) -> str:
    """SHA-256 of the kinds of lines that were read and of their texts, in order."""
    return hashlib.sha256(
        repr([(condition.name, list(condition.texts)) for condition in conditions]).encode()
    ).hexdigest()


def bootstrap_seed(seed: int) -> list[int]:
    """Seed of the intervals of a protocol's report."""
    return [seed, _STREAMS['bootstrap']]


def _draw_lines(index, num_lines, *, seed):
    """Records drawn without replacement.

    The first n of any larger draw with the same seed are the same lines.
    """
    order = np.random.default_rng(seed).permutation(len(index))
    return [index.read_record(int(i)) for i in order[:num_lines]]
