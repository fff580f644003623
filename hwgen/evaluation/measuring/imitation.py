"""Protocol `imitation`: how near lines in an imitated hand come to the lines of who wrote it.

Of every writer so many lines are read by the style encoder; the texts of other lines of the same writer are
written in that hand, and their seven measures (`metrics.hands`) are held against a third part of the lines.
Those other lines themselves, which have the same texts, are what a perfect imitator could reach; hands drawn
by seeds are what comes without any reading.
"""

from __future__ import annotations

import collections
import hashlib
import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.charset.widths import expected_room
from hwgen.data.preparing.line_cut import count_characters, cut_line
from hwgen.evaluation.measuring import real_lines
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.imitation import read_style
from hwgen.metrics import hands as metrics

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.inference.writer import Writer

_STREAMS = {'lines': 0, 'styles': 1, 'bootstrap': 2}
SHOTS = (1, 5, 50)  # lines of a writer that the encoder reads
_SHEET_ROWS = 8
_RESAMPLES = 1000


class Lines(NamedTuple):
    """The lines of a writer: read, written again, and compared with."""

    read: list[LineRecord]
    written: list[LineRecord]
    compared: list[LineRecord]


class Imitation(NamedTuple):
    """What a seed gave.

    Attributes:
        distances: dict kind -> float64 [W, W], from the lines in the hand of writer i (`floor`: by writer i)
            to those of writer j, `floor`, `drawn`, `lines_1`, ..., `unlabelled_1`, ...
        centred: the same without what all hands of a kind share.
        bias: dict measure -> float, what all hands of the most lines share beyond the writers', in spreads.
        digest: str, of the lines.
        rows: list of (line of the writer, its text imitated, its text in the next writer's hand).
    """

    distances: dict[str, np.ndarray]
    centred: dict[str, np.ndarray]
    bias: dict[str, float]
    digest: str
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]


def choose_lines(
    index: RecordIndex, *, shots: Sequence[int], num_writers: int, lines_per_hand: int, seed: int
) -> dict[str, Lines]:
    """Draws the lines of the writers with the most.

    Args:
        index: of lines by writers that the model has not seen.
        shots: how many are read.
        num_writers: at most.
        lines_per_hand: that are written, and as many that are compared with.
        seed: of the choice.

    Returns:
        dict writer -> Lines.

    Raises:
        ValueError: fewer than two writers with enough lines.
    """
    by_writer: dict[str, list[int]] = collections.defaultdict(list)
    for number in np.random.default_rng([seed, _STREAMS['lines']]).permutation(len(index)):
        by_writer[index.read_record(int(number), decode_image=False).writer].append(int(number))
    most, needed = max(shots), max(shots) + 2 * lines_per_hand
    enough = [name for name in sorted(by_writer) if len(by_writer[name]) >= needed]
    if len(enough) < 2:
        raise ValueError(f'{index.folder}: {len(enough)} writers with {needed} lines, expected at least 2')
    chosen = {}
    for name in sorted(enough, key=lambda name: -len(by_writer[name]))[:num_writers]:
        records = [index.read_record(number) for number in by_writer[name][:needed]]
        split = most, most + lines_per_hand
        chosen[name] = Lines(records[: split[0]], records[split[0] : split[1]], records[split[1] :])
    return chosen


def measure(
    model: Writer,
    chosen: dict[str, Lines],
    *,
    shots: Sequence[int],
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
    report: Callable[[str], Any] = print,
) -> Imitation:
    """Has every writer imitated.

    Args:
        model: Writer with a style encoder.
        chosen: of `choose_lines`.
        shots: lines that are read.
        seed: of the drawn hands and of the noise.
        truncation: of the drawn hands and of the noise.
        report: function of a str, told of progress.

    Returns:
        Imitation.

    Raises:
        ValueError: a model without style encoder.
    """
    seeds = np.random.default_rng([seed, _STREAMS['styles']]).integers(2**63, size=len(chosen))

    def of_real(records):
        return [real_lines.beside(record, model) for record in records]

    def of_hand(lines, style, noise):
        texts = [record.text for record in lines.written]
        noises = [(int(noise) + place) % 2**63 for place in range(len(texts))]
        return model.write(texts, style_seeds=noises, styles=style, truncation=truncation)

    real = _measured([of_real(lines.compared) for lines in chosen.values()])
    hands = {'floor': _measured([of_real(lines.written) for lines in chosen.values()])}
    drawn = model.styles(seeds, truncation=truncation)
    styles = {'drawn': list(drawn), **_read_styles(model, chosen, shots)}
    pictures: dict[str, list[list[np.ndarray]]] = {}
    for kind, of_kind in styles.items():
        pictures[kind] = [
            of_hand(lines, style, noise)
            for lines, style, noise in zip(chosen.values(), of_kind, seeds, strict=True)
        ]
        hands[kind] = _measured(pictures[kind])
        report(f'{kind}: {len(chosen)} hands written')
    spread = np.sqrt(np.concatenate([real, hands['floor']], 1).var(1).mean(0))
    scale = np.where(spread > 0.0, spread, 1.0)
    means = {kind: measures.mean(1) / scale for kind, measures in hands.items()}
    target = real.mean(1) / scale
    most = f'lines_{max(shots)}'
    other_styles = [*styles[most][1:], styles[most][0]]  # each writer's text in the next one's hand
    sheet = zip(chosen.values(), pictures[most], other_styles, seeds, strict=True)
    rows = [
        (of_real(lines.written[:1])[0], pictured[0], of_hand(lines, style, noise)[0])
        for lines, pictured, style, noise in itertools.islice(sheet, _SHEET_ROWS)
    ]
    told = [(name, [[r.text for r in part] for part in lines]) for name, lines in chosen.items()]
    return Imitation(
        {kind: _distances(values, target) for kind, values in means.items()},
        {
            kind: _distances(values - values.mean(0) + target.mean(0), target)
            for kind, values in means.items()
        },
        dict(zip(metrics.MEASURES, (means[most] - target).mean(0).round(3).tolist(), strict=True)),
        hashlib.sha256(repr(told).encode()).hexdigest(),
        rows,
    )


def _read_styles(model, chosen, shots):
    """dict `lines_K` -> list of float32 [Z] of the writers; `unlabelled_K`: with counted characters."""
    charset, cell_aspect = Charset.load(), model.char_width_px / model.char_px
    styles = {}
    for number in shots:
        labelled, counted = [], []
        for lines in chosen.values():
            records = lines.read[:number]
            images = [record.image for record in records]
            rooms = [expected_room(charset.encode(record.text).units) for record in records]
            labelled.append(read_style(model, images, [len(room) for room in rooms], rooms=rooms))
            cut = [cut_line(image) for image in images]
            numbers = [count_characters(image, cell_aspect=cell_aspect) for image in cut]
            counted.append(read_style(model, cut, numbers))
        styles[f'lines_{number}'], styles[f'unlabelled_{number}'] = labelled, counted
    return styles


def _measured(hands):
    """float64 [W, L, 7]: the measures of the lines of each hand."""
    return np.array([[metrics.line_measures(image) for image in images] for images in hands])


def _distances(hands, target):
    """float64 [W, W]: from each hand's means to those of each writer."""
    return np.sqrt(np.square(hands[:, np.newaxis] - target[np.newaxis]).sum(-1))


def own_and_others(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each hand: its distance to its writer, its mean distance to the others, and whether its writer is
    the nearest.

    Args:
        distances: float64 [W, W].

    Returns:
        (float64 [W], float64 [W], bool [W]).
    """
    own = np.diag(distances)
    others = (distances.sum(1) - own) / (len(distances) - 1)
    return own, others, distances.argmin(1) == np.arange(len(distances))


def figures(found: Imitation) -> dict[str, dict[str, float]]:
    """The figures of a seed, for `seed_figures.gather`: `own_distance`, `other_distance`, `nearest_own` and
    the same of centred measures; the kinds are those of `Imitation.distances`.
    """
    rows: dict[str, dict[str, float]] = {}
    for prefix, matrices in (('', found.distances), ('centred_', found.centred)):
        for kind, distances in matrices.items():
            values = (float(one.mean()) for one in own_and_others(distances))
            names = ('own_distance', 'other_distance', 'nearest_own')
            for name, value in zip(names, values, strict=True):
                rows.setdefault(prefix + name, {})[kind] = value
    return rows


def intervals(found: Sequence[Imitation], *, seed: int) -> list[dict[str, Any]]:
    """Distances and shares over the writers of all seeds, with 95 % bootstrap intervals over writers.

    Args:
        found: one a seed.
        seed: of the resampling.

    Returns:
        list of dict: kind, centred, num_hands, own, others, nearest; each of the last three a list of mean,
        low, high.
    """
    rng, rows = np.random.default_rng([seed, _STREAMS['bootstrap']]), []
    for centred in (False, True):
        for kind in found[0].distances:
            parts = [own_and_others((one.centred if centred else one.distances)[kind]) for one in found]
            row: dict[str, Any] = {'kind': kind, 'centred': centred}
            for name, values in zip(('own', 'others', 'nearest'), zip(*parts, strict=True), strict=True):
                every = np.concatenate(values).astype(np.float64)
                drawn = rng.integers(len(every), size=[_RESAMPLES, len(every)])
                low, high = np.percentile(every[drawn].mean(1), [2.5, 97.5])
                row |= {'num_hands': len(every), name: [float(every.mean()), float(low), float(high)]}
            rows.append(row)
    return rows


def format_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The intervals as tables, Markdown."""
    text = ''
    for centred in (False, True):
        text += (
            f'\n{"Without what all hands of a kind share" if centred else "As measured"}\n\n'
            '| lines | to their writer | to other writers | their writer is nearest |\n|---|---|---|---|\n'
        )
        for row in rows:
            if row['centred'] == centred:
                shown = ' | '.join(
                    f'{mean:.2f} ({low:.2f} to {high:.2f})'
                    for mean, low, high in (row['own'], row['others'], row['nearest'])
                )
                text += f'| {row["kind"]} | {shown} |\n'
    return text
