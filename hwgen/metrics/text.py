"""Errors of read text against written text: character error rate (CER), accurate rate (AR), correct rate
(CR), normalised edit distance (NED).

Counts are made once for all lines (`edit_counts`); the rates are functions of the counts, so an interval over
resampled lines costs next to nothing. A text is a sequence of hashable units: a string (its units are code
points), a list of words, an array of ids. Nothing is normalised here.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

# Lines are padded to a common length and worked off together, as many as fit into this number of table cells.
_CELLS_AT_ONCE = 1 << 20


class EditCounts(NamedTuple):
    """The errors of each line, counted on a best alignment of what was read (hypothesis) with what was
    written (reference).

    Of the alignments with the fewest errors it is one with the fewest substitutions, that is with the most
    correct units; by that the counts are unique.
    """

    substitutions: np.ndarray  # int64 [L]
    deletions: np.ndarray  # int64 [L] units of the reference that were not read
    insertions: np.ndarray  # int64 [L] units read that are not in the reference
    reference_lengths: np.ndarray  # int64 [L]
    hypothesis_lengths: np.ndarray  # int64 [L]

    @property
    def errors(self) -> np.ndarray:
        """Edit distance of each line, int64 [L]."""
        return self.substitutions + self.deletions + self.insertions

    def take(self, lines: np.ndarray | Sequence[int]) -> 'EditCounts':
        """The counts of some of the lines (indices or a mask, repeats allowed)."""
        return EditCounts(*(column[lines] for column in self))


def edit_counts(references: Sequence, hypotheses: Sequence) -> EditCounts:
    """Counts substitutions, deletions and insertions of many lines at once (Levenshtein distance, all costs
    1).

    Args:
      references: what was written, L sequences of hashable units.
      hypotheses: what was read, as many.

    Returns:
      EditCounts of int64 [L].

    Raises:
      ValueError: the numbers of lines differ.
    """
    if len(references) != len(hypotheses):
        raise ValueError(
            f'{len(references)} references, but {len(hypotheses)} hypotheses: expected one hypothesis a'
            ' reference'
        )
    ids: dict[Hashable, int] = {}
    rows = [
        [[ids.setdefault(unit, len(ids)) for unit in _units(line)] for line in lines]
        for lines in (references, hypotheses)
    ]
    lengths = np.array([[len(row) for row in side] for side in rows], np.int64).reshape(2, -1)
    distances, substitutions = np.zeros((2, len(references)), np.int64)
    order = np.argsort(lengths.max(axis=0), kind='stable')
    start = 0
    while start < len(order):
        # As many of the next lines as fit, by the longest of them; at least one.
        widths = lengths[:, order[start:]].max(axis=0) + 1
        number = max(1, int(np.count_nonzero(np.arange(1, len(widths) + 1) * widths <= _CELLS_AT_ONCE)))
        chosen = order[start : start + number]
        distances[chosen], substitutions[chosen] = _align(
            *([side[line] for line in chosen] for side in rows), *lengths[:, chosen]
        )
        start += number
    # Deletions - insertions is the difference of the lengths, deletions + insertions what is left of the
    # distance.
    gaps, surplus = distances - substitutions, lengths[0] - lengths[1]
    return EditCounts(substitutions, (gaps + surplus) // 2, (gaps - surplus) // 2, *lengths)


def _units(line):
    return line.tolist() if isinstance(line, np.ndarray) else line


def _align(references, hypotheses, reference_lengths, hypothesis_lengths):
    """Distances and numbers of substitutions of padded lines, int64 [L] each; one step a reference position,
    all lines and columns at once.

    A gap costs `unit`, a substitution `unit + 1`, where `unit` exceeds any number of substitutions: so total
    = unit * errors + substitutions, and the cheapest alignment has the fewest errors and among these the
    fewest substitutions.
    """
    num_rows, num_columns = int(reference_lengths.max(initial=0)), int(hypothesis_lengths.max(initial=0))
    unit = np.int64(num_rows + num_columns + 2)
    # The pads differ, so that padding never matches padding; what lies beyond a line's own end is never
    # looked at.
    reference_ids, hypothesis_ids = (
        _pad(references, num_rows, fill=-1),
        _pad(hypotheses, num_columns, fill=-2),
    )
    ramp = unit * np.arange(num_columns + 1)  # the price of reading that many units that are not there
    row = np.tile(ramp, (len(references), 1))
    totals = row[np.arange(len(references)), hypothesis_lengths]
    for position in range(num_rows):
        different = reference_ids[:, position, None] != hypothesis_ids
        best = row + unit
        np.minimum(best[:, 1:], row[:, :-1] + (unit + 1) * different, out=best[:, 1:])
        # row[j] = min(best[j], row[j - 1] + unit) for all j at once: a running minimum after the ramp is
        # taken off.
        row = np.minimum.accumulate(best - ramp, axis=1) + ramp
        ends = np.flatnonzero(reference_lengths == position + 1)
        totals[ends] = row[ends, hypothesis_lengths[ends]]
    return totals // unit, totals % unit


def _pad(rows, length, *, fill):
    """int64 [L, length] of the rows, filled up."""
    padded = np.full((len(rows), length), fill, np.int64)
    for line, row in enumerate(rows):
        padded[line, : len(row)] = row
    return padded


def matched_units(reference: Sequence, hypothesis: Sequence) -> np.ndarray:
    """Which units of a text were read, on the alignment of `edit_counts` (fewest errors, of these the most
    correct units).

    Where several alignments are as good, later units take what was read first: of 'aa' read as 'a' the second
    one counts as read.

    Args:
      reference: what was written, N hashable units.
      hypothesis: what was read.

    Returns:
      bool [N].
    """
    n, m = len(reference), len(hypothesis)
    equal = [[a == b for b in hypothesis] for a in reference]
    # best[i][j]: (errors, -matches) of the first i units against the first j that were read.
    best = [[(j, 0) for j in range(m + 1)]]
    for i in range(n):
        row = [(i + 1, 0)]
        for j in range(m):
            row.append(
                min(_step(best[i][j], equal[i][j]), _step(best[i][j + 1], False), _step(row[j], False))
            )
        best.append(row)
    found, i, j = np.zeros(n, bool), n, m
    while i and j:
        if best[i][j] == _step(best[i - 1][j - 1], equal[i - 1][j - 1]):
            found[i - 1], i, j = equal[i - 1][j - 1], i - 1, j - 1
        elif best[i][j] == _step(best[i - 1][j], False):
            i -= 1
        else:
            j -= 1
    return found


def _step(before, match):
    return (before[0], before[1] - 1) if match else (before[0] + 1, before[1])


def character_error_rate(counts: EditCounts) -> float:
    """CER = (S + D + I) / N over all lines together, N the units of the references; may exceed 1.

    Raises:
      ValueError: the references have no unit.
    """
    return _ratio(counts.errors.sum(), counts)


def accurate_rate(counts: EditCounts) -> float:
    """AR = (N - D - S - I) / N = 1 - CER, as in the ICDAR competitions on Chinese handwriting; may be
    negative.
    """
    return 1 - character_error_rate(counts)


def correct_rate(counts: EditCounts) -> float:
    """CR = (N - D - S) / N over all lines together: as AR, but what was read besides is not counted; in
    [0, 1].
    """
    return 1 - _ratio((counts.deletions + counts.substitutions).sum(), counts)


def normalized_edit_distance(counts: EditCounts) -> float:
    """NED: the mean over lines of the distance divided by the longer of the two lengths (two empty texts: 0);
    in [0, 1], 0 is perfect.

    Competitions report 1 - NED.

    Raises:
      ValueError: there is no line.
    """
    if not len(counts.errors):
        raise ValueError('normalised edit distance of no lines: expected at least one')
    return float(
        np.mean(
            counts.errors / np.maximum(1, np.maximum(counts.reference_lengths, counts.hypothesis_lengths))
        )
    )


def _ratio(number, counts):
    total = counts.reference_lengths.sum()
    if total == 0:
        raise ValueError(
            f'error rate of {len(counts.errors)} lines without any unit: expected references that are not all'
            ' empty'
        )
    return float(number / total)


def bootstrap_interval(
    counts: EditCounts,
    rate: Callable[[EditCounts], float],
    *,
    seed: int | Sequence[int],
    confidence: float = 0.95,
    num_resamples: int = 1000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a rate over lines: whole lines are drawn with replacement (errors
    within a line hang together).

    Args:
      counts: the lines.
      rate: one of the rates above, a function of EditCounts.
      seed: of the draws.
      confidence: in (0, 1).
      num_resamples: how often the lines are drawn.

    Returns:
      (low, high).

    Raises:
      ValueError: there is no line, or one has an empty reference (a resample of such lines would have no
          rate).
    """
    if not counts.reference_lengths.size or not counts.reference_lengths.all():
        raise ValueError(
            f'bootstrap over {counts.reference_lengths.size} lines,'
            f' {np.count_nonzero(counts.reference_lengths == 0)} of them with an empty reference: expected'
            ' lines that all have one'
        )
    draws = np.random.default_rng(seed).integers(len(counts.errors), size=(num_resamples, len(counts.errors)))
    tail = (1 - confidence) / 2
    low, high = np.quantile([rate(counts.take(draw)) for draw in draws], [tail, 1 - tail])
    return float(low), float(high)
