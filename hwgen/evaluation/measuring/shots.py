"""Few shots: how well characters are written that the training lines show never, once, a few times (`prepare
--shots`).

The lines are those of the split `unseen`, whose characters are all held-out ones, and for comparison those of
`test`, by writers that are in no training line. The same texts are written by the model before it was trained
on the shots, for which all groups are zero shots, and after: the one shows how hard each group is by itself,
the difference what the shots did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hwgen.charset.normal_form import plain
from hwgen.evaluation.judges import character_errors
from hwgen.evaluation.measuring import real_lines
from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.images import to_cells, to_height
from hwgen.inference.description import DEFAULT_TRUNCATION

if TYPE_CHECKING:
    from hwgen.charset.encoding import Charset
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.character_errors import CharacterErrors
    from hwgen.inference.writer import Writer

SIDES = {'floor': 'real', 'before': 'before', 'after': 'after'}
SEEN = 'seen'
_STREAMS = {'lines': 20, 'styles': 21, 'intervals': 22}
_LINES_AT_ONCE = 32
_CELL_PX, _LABEL_WIDTH_PX, _TEXT_PX = 32, 130, 18


class Reading(NamedTuple):
    """What one seed gave.

    Attributes:
        errors: dict (reader, side) -> CharacterErrors.
        num_lines: int, of each split at most.
        cells: dict (group, side) -> list of uint8 [32, w], pictures of the first characters of the group.
        digest: str, SHA-256 of the texts.
    """

    errors: dict
    num_lines: int
    cells: dict
    digest: str


def groups_of(info: Mapping[str, Any], charset: Charset) -> dict[str, frozenset[str]]:
    """The groups of characters.

    Args:
        info: dict, info.json.
        charset: Charset.

    Returns:
        dict name -> frozenset of str: `seen` (hanzi of the vocabulary) and `shots0`, `shots5`, ... in rising
        order.

    Raises:
        ValueError: a folder that was prepared without shots.
    """
    if not info.get('shots'):
        raise ValueError('the lines have no shots: expected a folder of `prepare --shots=0,1,5,20`')
    hanzi = set(charset.character_set('hanzi'))
    groups = {SEEN: [i for i in info['vocabulary'] if i in hanzi]}
    groups |= {f'shots{count}': info['shots'][count] for count in sorted(info['shots'], key=int)}
    return {name: frozenset(charset.characters[i] for i in ids) for name, ids in groups.items()}


def read_lines(
    readers: Mapping[str, Callable[[Sequence[np.ndarray], Sequence[str]], CharacterErrors]],
    indices: Mapping[str, RecordIndex],
    models: Mapping[str, Writer],
    *,
    groups: Mapping[str, frozenset[str]],
    num_lines: int | None = 250,
    seed: int = 0,
    truncation: float = DEFAULT_TRUNCATION,
    sheet_characters: int = 12,
    report: Callable[[str], object] = print,
) -> Reading:
    """Has the lines of one seed read.

    Args:
        readers: dict name -> function of (images, texts) that gives CharacterErrors.
        indices: dict of RecordIndex, `test` and `unseen`.
        models: dict of Writer, `before` and `after`, with cells of one size.
        groups: dict of `groups_of`.
        num_lines: int, of each split at most; None: all.
        seed: int, of the choice of lines and of the styles, which are the same before and after.
        truncation: float, of the styles.
        sheet_characters: int, of each group on the sheet.
        report: function of a str.

    Returns:
        Reading.

    Raises:
        ValueError: models with other cells.
        CharsetError: a model cannot write one of the texts.
    """
    models = {side: real_lines.of_cells(model) for side, model in models.items()}
    sizes = {(model.char_px, model.char_width_px) for model in models.values()}
    if len(sizes) > 1:
        raise ValueError(
            f'models with cells of {" and ".join(f"{h} x {w} px" for h, w in sorted(sizes))}: expected one'
            ' size'
        )
    ((char_px, char_width_px),) = sizes
    found: dict[tuple[str, str], list[CharacterErrors]] = {}
    cells: dict[tuple[str, str], list[np.ndarray]] = {}
    drawn: list[list[str]] = []
    for number, split in enumerate(SPLITS):
        index = indices[split]
        chosen = np.random.default_rng([seed, _STREAMS['lines'], number]).permutation(len(index))[:num_lines]
        records = [index.read_record(int(i)) for i in chosen]
        texts = [record.text for record in records]
        drawn.append(texts)
        seeds = np.random.default_rng([seed, _STREAMS['styles'], number]).integers(2**63, size=len(texts))
        sides = {
            'floor': [
                to_cells(
                    record.image, len(record.character_ids), char_px=char_px, char_width_px=char_width_px
                )
                for record in records
            ]
        }
        for side, model in models.items():
            sides[side] = []
            for start in range(0, len(texts), _LINES_AT_ONCE):
                part = slice(start, start + _LINES_AT_ONCE)
                sides[side] += model.write(texts[part], style_seeds=seeds[part], truncation=truncation)
        for side, images in sides.items():
            for name, read in readers.items():
                found.setdefault((name, side), []).append(read(images, texts))
            report(f'seed {seed}: {split}, {SIDES[side]}: {len(texts)} lines read')
        for group, characters in groups.items():
            places = _first_places(texts, characters, sheet_characters)
            for side, images in sides.items() if places else ():
                cells[group, side] = [
                    (
                        _real_cell(records[line], place)
                        if side == 'floor'
                        else images[line][:, place * char_width_px : (place + 1) * char_width_px]
                    )
                    for line, place in places
                ]
    return Reading(
        {key: character_errors.joined(parts) for key, parts in found.items()},
        max(map(len, drawn)),
        cells,
        hashlib.sha256(repr(drawn).encode()).hexdigest(),
    )


def figures(reading: Reading, groups: Mapping[str, frozenset[str]]) -> dict[str, dict[str, float]]:
    """Errors as figures of `seed_figures.gather`.

    Args:
        reading: Reading of a seed.
        groups: dict of `groups_of`.

    Returns:
        dict `error_ppocr_shots5_250` (reader, group, lines) -> dict of `floor`, `before`, `after`.
    """
    rows: dict[str, dict[str, float]] = {}
    for (reader, side), errors in reading.errors.items():
        for group, characters in groups.items():
            rows.setdefault(f'error_{reader}_{group}_{reading.num_lines}', {})[side] = errors.only(
                characters
            ).rate()
    return rows


def intervals(
    readings: Sequence[Reading], groups: Mapping[str, frozenset[str]], *, seed: int
) -> list[dict[str, Any]]:
    """Errors over all seeds together with intervals over characters.

    Args:
        readings: list of Reading, one a seed.
        groups: dict of `groups_of`.
        seed: int.

    Returns:
        list of dict: reader, group, num_characters (different ones), num_occurrences, and for floor, before,
        after and gain (before - after) the value and its 95 % interval: [value, low, high].
    """
    rows, draws = [], [seed, _STREAMS['intervals']]
    for reader in dict.fromkeys(name for name, _ in readings[0].errors):
        sides = {
            side: character_errors.joined([reading.errors[reader, side] for reading in readings])
            for side in SIDES
        }
        for group, characters in groups.items():
            own = {side: errors.only(characters) for side, errors in sides.items()}
            row = {
                'reader': reader,
                'group': group,
                'num_characters': len(set(own['floor'].characters)),
                'num_occurrences': len(own['floor'].characters),
            }
            row |= {side: [errors.rate(), *errors.interval(seed=draws)] for side, errors in own.items()}
            row['gain'] = [
                own['before'].rate() - own['after'].rate(),
                *own['after'].interval(seed=draws, before=own['before']),
            ]
            rows.append(row)
    return rows


def format_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """A table of `intervals`."""

    def cell(value):
        return f'{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})'

    lines = [
        f'| {row["reader"]} | {row["group"]} | {row["num_characters"]} | {row["num_occurrences"]} | '
        + ' | '.join(cell(row[side]) for side in (*SIDES, 'gain'))
        + ' |'
        for row in rows
    ]
    return '\n'.join(
        [
            '| reader | group | characters | occurrences | real | before | after | before - after |',
            '|---|---|---|---|---|---|---|---|',
            *lines,
            '',
        ]
    )


def sheet_rows(reading: Reading, groups: Iterable[str]) -> list[list[np.ndarray]]:
    """Rows of pictures for `picture_sheet.write_sheet`: for each group real, before, after, the characters
    below each other; each row named on its left.
    """
    rows, width = [], max(len(cells) for cells in reading.cells.values())
    for group in groups:
        for side, told in SIDES.items():
            cells = reading.cells[group, side]
            rows.append(
                [
                    _label(f'{group} {told}'),
                    *cells,
                    *[np.full([_CELL_PX, _CELL_PX], 255, np.uint8)] * (width - len(cells)),
                ]
            )
    return rows


def _first_places(texts, characters, count):
    """(line, place) of the first occurrences of so many different characters."""
    places = {}
    for line, text in enumerate(texts):
        for place, character in enumerate(plain(text)):
            if character in characters and len(places) < count:
                places.setdefault(character, (line, place))
    return list(places.values())


def _real_cell(record, place):
    """The cell of a character in a real line: as wide as it was written where the record says so."""
    image = record.image
    x0, x1 = (
        (record.boxes[place][0], record.boxes[place][2])
        if record.boxes is not None
        else (round(end * image.shape[1] / len(record.character_ids)) for end in (place, place + 1))
    )
    return to_height(image[:, max(0, x0) : max(x0 + 1, x1)], _CELL_PX)


def _label(text):
    picture = Image.new('L', (_LABEL_WIDTH_PX, _CELL_PX), 255)
    ImageDraw.Draw(picture).text(
        (0, _CELL_PX // 2), text, font=ImageFont.load_default(_TEXT_PX), fill=90, anchor='lm'
    )
    return np.asarray(picture)
