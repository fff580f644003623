"""Protocol `hands`: do drawn styles differ as writers do, and do the copies of a character differ within one
hand and between hands?

Real writers give the ceiling: lines of N writers, each attributed to the writer whose other lines it
resembles most in seven measures (`metrics.hands`). Generated lines have the same texts, one drawn style for
each writer.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.evaluation.measuring import real_lines
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import hands as metrics

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.inference.writer import Writer

_STREAMS = {'lines': 0, 'styles': 1, 'copies': 2, 'hands': 3}
COPIES = 8  # of a character: side by side in a line, or one in each of so many hands


def hands_protocol(
    index: RecordIndex,
    model: Writer,
    *,
    num_hands: int = 8,
    lines_per_hand: int = 12,
    num_characters: int = 20,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
) -> tuple[dict[str, Any], dict[int, list[np.ndarray]]]:
    """Measures real writers and drawn styles on the same texts.

    Args:
        index: RecordIndex of lines by writers that are not in the training lines.
        model: Writer.
        num_hands, lines_per_hand: int; the writers with the most lines are asked first.
        num_characters: int, characters of which COPIES copies are written in one line each.
        seed: int, of the choice of lines, styles and characters.
        truncation: float, standard deviation of the styles and of the character noise.

    Returns:
        summary dict: num_hands, lines_per_hand, chance, identified_real, identified_generated, num_copies
        (pairs), equal_copies, copy_distance (mean, copies within a line), hand_distance (the same character
        in different drawn hands) and hand_distance_real (by different writers; None where no character was
        written by two), spread_real and spread_generated (dict measure -> standard deviation between hands),
        lines_sha256 (of writers and texts);
        pictures dict hand number -> list of uint8 [H, W], for a sheet.

    Raises:
        ValueError: fewer than `num_hands` writers with `lines_per_hand` lines.
    """

    def rng(name):
        return np.random.default_rng([seed, _STREAMS[name]])

    lines = collections.defaultdict(list)
    for number in rng('lines').permutation(len(index)):
        record = index.read_record(int(number))
        lines[record.writer].append(record)
    chosen = _most_lines(lines, num_hands, lines_per_hand)
    pictures: dict[int, list[np.ndarray]] = {}
    real, generated = [], []
    for name, style_seed in zip(chosen, rng('styles').integers(2**63, size=num_hands), strict=True):
        records = lines[name][:lines_per_hand]
        real.append([metrics.line_measures(real_lines.beside(record, model)) for record in records])
        written = model.write([r.text for r in records], style_seeds=int(style_seed), truncation=truncation)
        generated.append([metrics.line_measures(image) for image in written])
        pictures[len(pictures)] = written
    records = [record for name in sorted(lines) for record in lines[name]]
    between, between_real = distances_between_hands(
        records, model, num_characters=num_characters, seeds=rng('hands'), truncation=truncation
    )
    digest = hashlib.sha256(
        repr([(name, [r.text for r in lines[name][:lines_per_hand]]) for name in chosen]).encode()
    )
    distances = _distances_within_lines(
        model, _frequent(records, num_characters), seeds=rng('copies'), truncation=truncation
    )
    return (
        dict(
            num_hands=num_hands,
            lines_per_hand=lines_per_hand,
            chance=1.0 / num_hands,
            identified_real=metrics.identification_rate(real),
            identified_generated=metrics.identification_rate(generated),
            num_copies=len(distances),
            equal_copies=int((distances == 0.0).sum()),
            copy_distance=float(distances.mean()),
            hand_distance=between,
            hand_distance_real=between_real,
            spread_real=_spread(real),
            spread_generated=_spread(generated),
            lines_sha256=digest.hexdigest(),
        ),
        pictures,
    )


def _most_lines(lines, num_hands, lines_per_hand):
    """The writers with the most lines: list of str."""
    chosen = sorted(sorted(lines), key=lambda name: -len(lines[name]))[:num_hands]
    if len(chosen) < num_hands or len(lines[chosen[-1]]) < lines_per_hand:
        enough = sum(len(of) >= lines_per_hand for of in lines.values())
        raise ValueError(f'{enough} writers with {lines_per_hand} lines or more: expected {num_hands}')
    return chosen


def _distances_within_lines(model, characters, *, seeds, truncation):
    """Distances between the copies of each character in a line: float64 [pairs]."""
    found, model = [], real_lines.of_cells(model)
    for character, style_seed in zip(characters, seeds.integers(2**63, size=len(characters)), strict=True):
        (image,) = model.write([character * COPIES], style_seeds=int(style_seed), truncation=truncation)
        found.append(metrics.copy_distances(np.stack(np.split(image, COPIES, axis=1))))
    return np.concatenate(found)


def _spread(measures):
    """dict measure -> standard deviation between hands."""
    return dict(zip(metrics.MEASURES, np.std(np.mean(measures, 1), 0).round(4).tolist(), strict=True))


def hand_figures(summary: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The figures of a seed, for `seed_figures.gather`.

    Args:
        summary: dict of `hands_protocol`.

    Returns:
        dict name -> dict of float, `floor` (real writers) and `generated`: `identified_8x12` (share of the
        lines attributed to their own hand; hands and lines of each), `hands_distance_pixels` (one character
        in two hands), `copies_distance_pixels` (copies within a line), `equal_copies` (share of their pairs).
    """
    lines = f'{summary["num_hands"]}x{summary["lines_per_hand"]}'
    between = {'generated': summary['hand_distance']}
    if summary['hand_distance_real'] is not None:
        between['floor'] = summary['hand_distance_real']
    return {
        f'identified_{lines}': {
            'floor': summary['identified_real'],
            'generated': summary['identified_generated'],
        },
        'hands_distance_pixels': between,
        'copies_distance_pixels': {'generated': summary['copy_distance']},
        'equal_copies': {'generated': summary['equal_copies'] / summary['num_copies']},
    }


def distances_between_hands(
    records: Sequence[LineRecord],
    model: Writer,
    *,
    num_characters: int = 20,
    seeds: np.random.Generator,
    truncation: float = DEFAULT_TRUNCATION,
) -> tuple[float, float | None]:
    """How much one character differs from hand to hand: 0 where all drawn styles write alike (a collapsed
    generator).

    Args:
        records: list of Record, sorted by writer.
        model: Writer.
        num_characters: int, how many of the records' most frequent ideographs.
        seeds: numpy Generator, of the styles.
        truncation: float, standard deviation of the styles.

    Returns:
        float, mean distance between the pictures of a character in COPIES drawn hands
        (`metrics.hands.copy_distances`); the same of different writers in the records, None where no
        character was written by two.
    """
    model = real_lines.of_cells(model)
    between, between_real, characters = [], [], _frequent(records, num_characters)
    for character, style_seeds in zip(
        characters, seeds.integers(2**63, size=[len(characters), COPIES]), strict=True
    ):
        between.append(
            metrics.copy_distances(
                np.stack(model.write([character] * COPIES, style_seeds=style_seeds, truncation=truncation))
            )
        )
        written_by = _cells_of(character, records, model)
        if len(written_by) > 1:
            between_real.append(metrics.copy_distances(np.stack(written_by)))
    return float(np.concatenate(between).mean()), (
        float(np.concatenate(between_real).mean()) if between_real else None
    )


def _frequent(records, number):
    """The most frequent ideographs of records: list of str."""
    counts = collections.Counter(c for record in records for c in record.text if '\u4e00' <= c <= '\u9fff')
    return [
        character for character, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]
    ]


def _cells_of(character, records, model):
    """The cells in which different writers wrote a character, one a writer, uint8 [char_px, char_width_px]
    each, at most COPIES.
    """
    found = {}
    for record in records:
        if (
            record.writer not in found
            and character in record.text
            and len(record.text) == len(record.character_ids)
        ):
            left = record.text.index(character) * model.char_width_px
            found[record.writer] = real_lines.in_cells(record, model)[:, left : left + model.char_width_px]
            if len(found) == COPIES:
                break
    return list(found.values())
