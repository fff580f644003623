"""Protocol `neighbours`: does what stands beside a character change how it is written?

A character in the middle of seven is written again and again in one hand, with the same character noise at
every place, while a neighbour on the left, on the right, or one on either side becomes another character;
what changes in its cell is the neighbours' doing. Beside that stand
  alone             the character written by itself (same hand, same noise), as one who joins single glyphs
  would have it: its neighbours change nothing
  same_neighbours   two copies in one line, whose character noise differs and whose neighbours are the same
  other_neighbours  two copies in one line, whose neighbours differ as well
  other_hand        the same line in another drawn style
and, of real lines, two copies of a character by one writer, with a neighbour in common or with none.
"""

from __future__ import annotations

import collections
import hashlib
import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.reporting.seed_figures import Measured
from hwgen.images import resize_line, to_cells, to_uint8
from hwgen.inference.description import DEFAULT_TRUNCATION

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.feature_space import FeatureSpace
    from hwgen.inference.writer import Writer

DISTANCES = (1, 2, 3)
SIDES = {'left': (-1,), 'right': (1,), 'both': (-1, 1)}
MIDDLE = DISTANCES[-1]
LENGTH = 2 * MIDDLE + 1
DEFAULT_PLACES = 200
_STREAMS = {'lines': 0, 'characters': 1, 'styles': 2, 'real': 3}
_FEW_GREYS = 8  # of 255: a pixel that differs by more has changed
_REAL_PAIRS = 100  # of one character, at most
_SHOWN = 6


class RealCopies(NamedTuple):
    """Where one writer wrote a character twice.

    Attributes:
        lines: RecordIndex.
        matched: list of dict `same_neighbours` (the left or the right neighbour in common),
            `other_neighbours` (neither) -> two of (record number, place in the line); both of one character,
            where possible by one writer.
    """

    lines: RecordIndex
    matched: list[dict[str, tuple]]


def measure(
    index: RecordIndex,
    model: Writer,
    *,
    space: FeatureSpace,
    real: RealCopies | None = None,
    num_places: int | None = None,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
) -> Measured:
    """Measures the cells of one seed.

    Args:
        index: RecordIndex, from whose texts the lines are cut.
        model: Writer.
        space: feature space.
        real: RealCopies or None.
        num_places: int, characters whose neighbours are changed; None: DEFAULT_PLACES.
        seed: int, of lines, neighbours and styles.
        truncation: float, of styles and character noise.

    Returns:
        Measured. Figures, each as `pixels` (mean absolute difference, black to white is 1), `changed` (share
        of pixels that differ by more than 8 grey levels of 255) and distance in the feature space:
        `neighbour_pixels_1_200`, where the next neighbour is another (2, 3: the one after it), kinds left,
        right, both; `copies_pixels_200`, kinds alone, same_neighbours, other_neighbours, other_hand;
        `real_pixels_50`, kinds same_neighbours, other_neighbours.
        `nearest_eighth_1_200`: share of the change of pixels in the eighth of the cell next to the neighbour,
            kinds left, right; 0 where nothing changes.

    Raises:
        ValueError: the split has fewer than two characters.
        CharsetError: the model cannot write one of them.
    """
    model = real_lines.of_cells(model)
    lines = choose_lines(index, num_places or DEFAULT_PLACES, seed=seed)
    by_pair: dict[str, dict[str, list[float]]] = {}
    hands = np.random.default_rng([seed, _STREAMS['styles']]).integers(2**63, size=[len(lines), 2]).tolist()
    profiles = {side: np.zeros(model.char_width_px) for side in ('left', 'right')}
    for (line, others), pair_of_hands in zip(lines, hands, strict=True):
        cells = _write_cells(model, line, others, pair_of_hands, truncation)
        _compare(cells, space, len(lines), by_pair)
        for side, profile in profiles.items():
            first, second = cells['neighbour_{}_1'][side]
            profile += np.abs(np.float64(first) - second).sum(0)
    if real is not None:
        drawn = _draw_real(real, len(lines), seed)
        for pairs in drawn:
            cells = {
                kind: [real_cell(real.lines.read_record(number), place, model) for number, place in copies]
                for kind, copies in pairs.items()
            }
            _compare({'real_{}': cells}, space, len(drawn), by_pair)
    figures = {
        name: {kind: float(np.mean(values)) for kind, values in kinds.items()}
        for name, kinds in by_pair.items()
    }
    eighth = max(1, model.char_width_px // 8)
    near = {'left': profiles['left'][:eighth], 'right': profiles['right'][-eighth:]}
    figures[f'nearest_eighth_1_{len(lines)}'] = {
        side: float(near[side].sum() / (profile.sum() or 1.0)) for side, profile in profiles.items()
    }
    return Measured(figures, by_pair, hashlib.sha256(repr(lines).encode()).hexdigest())


def choose_lines(index: RecordIndex, num_lines: int, *, seed: int) -> list[tuple[str, str]]:
    """Lines of LENGTH characters, cut from the texts of a split one after the other, and for each place
    another character of that split.

    Args:
        index: RecordIndex.
        num_lines: int.
        seed: int.

    Returns:
        list of (line, others), str of LENGTH each, at no place equal.

    Raises:
        ValueError: the split has fewer than two characters.
    """
    stream: list = []
    rng = np.random.default_rng([seed, _STREAMS['characters']])
    for number in np.random.default_rng([seed, _STREAMS['lines']]).permutation(len(index)):
        record = index.read_record(int(number), decode_image=False)
        # no sequences of components, each of several letters
        if len(record.text) == len(record.character_ids):
            stream += record.text
    if len(set(stream)) < 2:
        raise ValueError(
            f'{index.folder}, split {index.split!r}: {len(set(stream))} characters, expected at least 2 to'
            ' exchange neighbours'
        )
    letters, lines = itertools.cycle(stream), []
    for _ in range(num_lines):
        line = ''.join(itertools.islice(letters, LENGTH))
        lines.append(
            (
                line,
                ''.join(
                    next(other for other in iter(lambda: str(rng.choice(stream)), None) if other != letter)
                    for letter in line
                ),
            )
        )
    return lines


def _exchange(line, others, places):
    return ''.join(
        other if place in places else letter
        for place, (letter, other) in enumerate(zip(line, others, strict=True))
    )


def _write_cells(model, line, others, hands, truncation):
    """dict name of a figure, {} for its measure -> dict kind -> two uint8 [char_px, char_width_px]."""

    def cell(image, place=MIDDLE):
        return image[:, place * model.char_width_px : (place + 1) * model.char_width_px]

    whole = _exchange(line, others, set(range(LENGTH)) - {MIDDLE})
    variants = {
        (distance, side): _exchange(line, others, [MIDDLE + sign * distance for sign in signs])
        for distance in DISTANCES
        for side, signs in SIDES.items()
    }
    plain, same, other, *changed = model.write(
        [line, line + line, line + whole, *variants.values()], style_seeds=hands[0], truncation=truncation
    )
    (alone,) = model.write([line[MIDDLE]], style_seeds=hands[0], truncation=truncation, noise_offsets=MIDDLE)
    (elsewhere,) = model.write([line], style_seeds=hands[1], truncation=truncation)
    found = {}
    for (distance, side), image in zip(variants, changed, strict=True):
        found.setdefault(f'neighbour_{{}}_{distance}', {})[side] = cell(plain), cell(image)
    found['copies_{}'] = {
        'alone': (cell(plain), alone),
        'same_neighbours': (cell(same), cell(same, LENGTH + MIDDLE)),
        'other_neighbours': (cell(other), cell(other, LENGTH + MIDDLE)),
        'other_hand': (cell(plain), cell(elsewhere)),
    }
    return found


def _compare(cells, space, count, by_pair):
    """Adds the distances of pairs of cells to `by_pair`."""
    flat = [(name, kind, *pair) for name, kinds in cells.items() for kind, pair in kinds.items()]
    vectors = space.measure([picture for *_, first, second in flat for picture in (first, second)]).vectors
    for (name, kind, first, second), (a, b) in zip(flat, vectors.reshape(len(flat), 2, -1), strict=True):
        difference = np.abs(np.float64(first) - second)
        for measure_name, value in (
            ('pixels', difference.mean() / 255.0),
            ('changed', (difference > _FEW_GREYS).mean()),
            (space.name, np.linalg.norm(a - b)),
        ):
            by_pair.setdefault(f'{name.format(measure_name)}_{count}', {}).setdefault(kind, []).append(
                float(value)
            )


def real_copies(index: RecordIndex) -> RealCopies:
    """Looks for characters that a writer wrote twice within lines (not at their ends).

    Args:
        index: RecordIndex; all of it is read, without the pictures.

    Returns:
        RealCopies.
    """
    places: dict[str, dict[str, list[tuple]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for number in range(len(index)):
        record = index.read_record(number, decode_image=False)
        if len(record.text) == len(record.character_ids):
            for place, (left, letter, right) in enumerate(
                zip(record.text, record.text[1:], record.text[2:], strict=False), 1
            ):
                places[letter][record.writer].append((left, right, number, place))
    matched = []
    for letter in sorted(places):
        same: list[tuple[str, tuple]] = []
        other: list[tuple[str, tuple]] = []
        for name in sorted(places[letter]):
            for first, second in itertools.combinations(places[letter][name], 2):
                kind = other if first[0] != second[0] and first[1] != second[1] else same
                if first[2] != second[2] and len(kind) < _REAL_PAIRS:
                    kind.append((name, (first[2:], second[2:])))
        for name, copies in same:
            of_writer = next((one for one in other if one[0] == name), other[0] if other else None)
            if of_writer:
                other.remove(of_writer)
                matched.append({'same_neighbours': copies, 'other_neighbours': of_writer[1]})
    return RealCopies(index, matched)


def _draw_real(real, count, seed):
    if real is None:
        return []
    order = np.random.default_rng([seed, _STREAMS['real']]).permutation(len(real.matched))[:count]
    return [real.matched[place] for place in order]


def real_cell(record: LineRecord, place: int, model: Writer) -> np.ndarray:
    """A character of a real line, scaled to a cell of the model: what stands in its box; where boxes are
    unknown, its share of the line.

    Args:
        record: LineRecord.
        place: int, of the character.
        model: Writer.

    Returns:
        uint8 [char_px, char_width_px].
    """
    if record.boxes is None:
        image = to_cells(
            record.image,
            len(record.character_ids),
            char_px=model.char_px,
            char_width_px=model.char_width_px,
        )
        return image[:, place * model.char_width_px : (place + 1) * model.char_width_px]
    x0, y0, x1, y1 = np.maximum(record.boxes[place], 0)
    return to_uint8(
        resize_line(
            record.image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)],
            height_px=model.char_px,
            width_px=model.char_width_px,
        )
    )


def sheets(
    index: RecordIndex, model: Writer, *, seed: int = 0, truncation: float = DEFAULT_TRUNCATION
) -> dict[str, tuple[np.ndarray, str]]:
    """Pictures to look at: the first lines of `measure`.

    Args:
        As of `measure`.

    Returns:
        dict name -> (uint8 [H, W], caption).
    """
    rows, model = [], real_lines.of_cells(model)
    hands = np.random.default_rng([seed, _STREAMS['styles']]).integers(2**63, size=[_SHOWN, 2]).tolist()
    for (line, others), (hand, _) in zip(choose_lines(index, _SHOWN, seed=seed), hands, strict=True):
        changed = _exchange(line, others, [MIDDLE - 1, MIDDLE + 1])
        images = model.write([line, changed], style_seeds=hand, truncation=truncation)
        joined = np.concatenate(
            [
                model.write([letter], style_seeds=hand, truncation=truncation, noise_offsets=place)[0]
                for place, letter in enumerate(line)
            ],
            axis=1,
        )
        difference = [
            255.0 - np.minimum(4.0 * np.abs(np.float64(images[0]) - image), 255.0)
            for image in (images[1], joined)
        ]
        gap = np.full([model.char_px, model.char_width_px // 2], 255, np.uint8)
        parts = [images[0], images[1], difference[0], joined, difference[1]]
        rows.append(
            np.concatenate([part for one in parts for part in (one.astype(np.uint8), gap)][:-1], axis=1)
        )
    picture = np.concatenate(
        [np.pad(row, [(0, model.char_px // 4), (0, 0)], constant_values=255) for row in rows]
    )
    return {
        'lines': (
            picture,
            (
                'A line; the same with other neighbours of its middle character; the difference, four times'
                ' as dark; single glyphs joined; their difference from the line'
            ),
        )
    }
