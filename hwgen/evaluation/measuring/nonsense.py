"""Nonsense glyphs: combinations of components that are in no table and no font, written as sequences
(`nonsense_glyphs`) and read by the component reader.

What a reader misreads is not the model's fault alone: it has seen characters that exist, and may read what
is unusual as something usual. So the same is asked of ink that no model wrote: real characters, left of
right, cut between their components and put together anew (`recombined`), beside the same characters as they
are (`whole`). What recombining costs a reader of real ink is the reader's bias; what it costs more of
generated lines with the same texts is the model's.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen.charset.dictionary import SYMBOL_STRUCTURES
from hwgen.charset.normal_form import plain
from hwgen.evaluation.measuring.nonsense_glyphs import draw_glyphs, recombine
from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import text as text_metrics

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.component_reader import ComponentReader
    from hwgen.inference.writer import Writer

_STREAMS = {'lines': 30, 'styles': 31, 'glyphs': 32, 'even': 33, 'recombined': 34, 'intervals': 35}
_LINES_AT_ONCE = 32
_RESAMPLES = 1000


class Lines(NamedTuple):
    """Lines of one kind by one hand, and what was read in them.

    Attributes:
        kind: str: seen, unseen, even, nonsense, whole, recombined.
        side: str: floor (real ink), generated.
        units: list of tuple of str, the characters of each line; a sequence is one.
        images: list of uint8 [H, W].
        counts: EditCounts of the labels of each line, all labels.
        structures, components: int64 [M, 2], of each hanzi: how many were not read, how many there are.
    """

    kind: str
    side: str
    units: list
    images: list
    counts: text_metrics.EditCounts
    structures: np.ndarray
    components: np.ndarray


def read_lines(
    reader: ComponentReader,
    indices: Mapping[str, RecordIndex],
    model: Writer,
    *,
    vocabulary: Sequence[int],
    charset: Charset,
    known: set[tuple[int, ...]],
    num_lines: int | None = 250,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
    report: Callable[[str], object] = print,
) -> list[Lines]:
    """Has the lines of one seed written and read.

    Args:
        reader: ComponentReader.
        indices: dict of RecordIndex, `test` and `unseen`.
        model: Writer.
        vocabulary: ints, characters with images in training.
        charset: Charset.
        known: set of `known_codes`.
        num_lines: int, of a kind at most; None: all.
        seed: int, of lines, glyphs and styles.
        truncation: float, of the styles.
        report: function of a str.

    Returns:
        list of Lines.

    Raises:
        ValueError, CharsetError: too small a vocabulary; a text that the model cannot write.
    """
    texts, real, found = {}, {}, []
    for number, (split, kind) in enumerate(SPLITS.items()):
        chosen = np.random.default_rng([seed, _STREAMS['lines'], number]).permutation(len(indices[split]))[
            :num_lines
        ]
        records = [indices[split].read_record(int(i)) for i in chosen]
        texts[kind], real[kind] = (
            [tuple(plain(record.text)) for record in records],
            [record.image for record in records],
        )
    lengths = [len(line) for line in texts['unseen']]
    hanzi = [
        charset.characters[i]
        for i in vocabulary
        if charset.structures[charset.character_structures[i]] not in SYMBOL_STRUCTURES
    ]
    rng = np.random.default_rng([seed, _STREAMS['even']])
    texts['even'] = _cut([hanzi[k] for k in rng.integers(len(hanzi), size=sum(lengths))], lengths)
    texts['nonsense'] = _cut(
        draw_glyphs(charset, vocabulary, sum(lengths), seed=[seed, _STREAMS['glyphs']], known=known), lengths
    )
    records = [indices['test'].read_record(i) for i in range(len(indices['test']))]
    if all(record.boxes is not None for record in records):
        pairs = recombine(records, charset, known=known, seed=[seed, _STREAMS['recombined']])
        for kind, lines in zip(('whole', 'recombined'), pairs, strict=True) if pairs[0] else ():
            texts[kind] = [units for units, _ in lines[:num_lines]]
            real[kind] = [image for _, image in lines[:num_lines]]
    for number, (kind, units) in enumerate(texts.items()):
        # Equal hands for kinds that are compared line by line.
        seeds = np.random.default_rng([seed, _STREAMS['styles'], min(number, 4)]).integers(
            2**63, size=len(units)
        )
        if kind in real:
            found.append(_read(reader, charset, kind, 'floor', units, real[kind]))
        images = []
        for start in range(0, len(units), _LINES_AT_ONCE):
            part = slice(start, start + _LINES_AT_ONCE)
            images += model.write(
                [''.join(line) for line in units[part]], style_seeds=seeds[part], truncation=truncation
            )
        found.append(_read(reader, charset, kind, 'generated', units, images))
        report(f'seed {seed}: {kind}, {len(units)} lines, {sum(map(len, units))} characters read')
    return found


def _cut(units, lengths):
    """A list as tuples of these lengths."""
    ends = np.cumsum([0, *lengths])
    return [tuple(units[a:b]) for a, b in itertools.pairwise(ends)]


def _read(reader, charset, kind, side, units, images):
    texts = [''.join(line) for line in units]
    labels = [reader.labels(text) for text in texts]
    read = reader.read(images, [len(line) for line in labels])
    flat = [[label for character in line for label in character] for line in labels]
    structures, components = [], []
    for text, line, all_labels, reading in zip(texts, labels, flat, read, strict=True):
        matches = iter(text_metrics.matched_units(all_labels, reading))
        for structure, own in zip(charset.encode(text).structure_ids, line, strict=True):
            match = [bool(next(matches)) for _ in own]
            if charset.structures[structure] not in SYMBOL_STRUCTURES:
                structures.append((not match[0], 1))
                components.append((len(own) - 1 - sum(match[1:]), len(own) - 1))
    return Lines(
        kind,
        side,
        units,
        images,
        text_metrics.edit_counts(flat, read),
        *(np.array(rows, np.int64) for rows in (structures, components)),
    )


def figures(found: Sequence[Lines]) -> dict[str, dict[str, float]]:
    """Errors as figures of `seed_figures.gather`, but those of whole and recombined lines, of which every
    seed has another number.

    Args:
        found: list of Lines of one seed.

    Returns:
        dict `error_labels_nonsense_250` (edit distance over the labels of lines), `error_structures_...`,
        `error_components_...` (share not read, of hanzi) -> dict of `floor` and `generated`, as far as there
        are such lines.
    """
    figures_of: dict[str, dict[str, float]] = {}
    for lines in found:
        if lines.kind in ('whole', 'recombined'):
            continue
        for name, rate in (
            ('labels', text_metrics.character_error_rate(lines.counts)),
            ('structures', np.divide(*lines.structures.sum(axis=0))),
            ('components', np.divide(*lines.components.sum(axis=0))),
        ):
            figures_of.setdefault(f'error_{name}_{lines.kind}_{len(lines.units)}', {})[lines.side] = float(
                rate
            )
    return figures_of


def format_markdown(rows: Sequence[Mapping[str, Any]], costs: Mapping[str, Sequence[float]] | None) -> str:
    """A table of `intervals`, and of `recombining` below it."""
    lines = [
        f'| {row["kind"]} | {"real" if row["side"] == "floor" else row["side"]} | {row["num_lines"]} |'
        f' {row["num_characters"]} | {row["num_labels"]} | {row["label_error"]:.3f}'
        f' ({row["label_error_95_low"]:.3f} to {row["label_error_95_high"]:.3f}) |'
        for row in rows
    ]
    told = {'floor': 'real', 'generated': 'generated', 'writer': 'generated - real'}
    cost_rows = [
        f'| {told[name]} | {value:+.3f} ({low:+.3f} to {high:+.3f}) |'
        for name, (value, low, high) in (costs or {}).items()
    ]
    return '\n'.join(
        [
            '| lines | hand | N lines | N characters | N labels | label error |',
            '|---|---|---|---|---|---|',
            *lines,
            '',
            *(['| recombining adds | label error |', '|---|---|', *cost_rows, ''] if cost_rows else []),
        ]
    )


def digest(found: Sequence[Lines]) -> str:
    """SHA-256 of the kinds of lines and their texts."""
    return hashlib.sha256(
        repr([(lines.kind, lines.side, lines.units) for lines in found]).encode()
    ).hexdigest()


def intervals(found_by_seed: Sequence[Sequence[Lines]], *, seed: int) -> list[dict[str, Any]]:
    """Label errors over all seeds together, with bootstrap intervals over lines.

    Args:
        found_by_seed: list of lists of Lines.
        seed: int.

    Returns:
        list of dict: kind, side, num_lines, num_characters, num_labels, label_error, label_error_95_low,
        label_error_95_high.
    """
    rows = []
    for parts in zip(*found_by_seed, strict=False):
        counts = text_metrics.EditCounts(
            *(np.concatenate(columns) for columns in zip(*(part.counts for part in parts), strict=True))
        )
        low, high = text_metrics.bootstrap_interval(
            counts, text_metrics.character_error_rate, seed=[seed, _STREAMS['intervals']]
        )
        rows.append(
            {
                'kind': parts[0].kind,
                'side': parts[0].side,
                'num_lines': len(counts.errors),
                'num_characters': sum(len(line) for part in parts for line in part.units),
                'num_labels': int(counts.reference_lengths.sum()),
                'label_error': text_metrics.character_error_rate(counts),
                'label_error_95_low': low,
                'label_error_95_high': high,
            }
        )
    return rows


def recombining(found_by_seed: Sequence[Sequence[Lines]], *, seed: int) -> dict[str, list[float]] | None:
    """What it costs that a character does not exist: label error of `recombined` lines less that of `whole`
    ones, over all seeds together. In ink that
    no model wrote (floor) it is the reader's bias, what generated lines cost more is the model's.

    Args:
        found_by_seed: list of lists of Lines.
        seed: int.

    Returns:
        dict floor, generated, writer (generated - floor) -> [value, low, high], 95 % bootstrap interval over
        lines, which are the same on all sides; or None where there are no such lines.
    """
    gathered: dict[tuple[str, str], list[np.ndarray]] = {}
    for found in found_by_seed:
        for lines in found:
            gathered.setdefault((lines.kind, lines.side), []).append(
                np.stack([lines.counts.errors, lines.counts.reference_lengths])
            )
    if ('whole', 'floor') not in gathered:
        return None
    counts = {
        key: np.concatenate(parts, axis=1)
        for key, parts in gathered.items()
        if key[0] in ('whole', 'recombined')
    }
    num_lines = counts['whole', 'floor'].shape[1]
    draws = np.random.default_rng([seed, _STREAMS['intervals']]).integers(
        num_lines, size=(_RESAMPLES, num_lines)
    )
    draws = np.concatenate([np.arange(num_lines)[np.newaxis], draws])  # first the lines as they are
    rates = {key: np.divide(*table[:, draws].sum(axis=2)) for key, table in counts.items()}
    costs = {side: rates['recombined', side] - rates['whole', side] for side in ('floor', 'generated')}
    costs['writer'] = costs['generated'] - costs['floor']
    return {
        name: [float(cost[0]), *map(float, np.quantile(cost[1:], [0.025, 0.975]))]
        for name, cost in costs.items()
    }
