"""True boxes: the writer's boxes of characters and components against those of a pen's strokes.

Where a generated line has its ink nobody knows but the writer. So the writer rebuilds lines of simulated
pens: same text, style and noise read from the line, each character in its cell. The pen knows where its
strokes went; the writer says where its ink is, as it does for everything it writes; and the two are held
against each other within the cell. So what the rebuilding moves counts as an error of the boxes, too.
"""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hwgen import spacing
from hwgen.characters import Characters
from hwgen.charset.encoding import CharsetError
from hwgen.data.reading.cells import record_in_cells
from hwgen.inference.line_boxes import CellBoxes, LineMarker, fitted, ink_box

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.inference.writer import Writer

_STREAM = 0xB0  # of the choice of lines
_FEWEST = 20  # boxes of a structure that get a figure of their own
DEFAULT_LINES = 100
KINDS = ('generated', 'real', 'template')  # of boxes, see Overlap


class Overlap(NamedTuple):
    """How well boxes of a thing agree.

    Attributes:
        part: 'characters' or 'components'.
        structure: operator of the character's structure, or 'one component'.
        boxes: kind -> intersection over union with the true box: `generated` the writer's, `real` that of the
            ink of the real line in its cell (what the rule for ink alone costs; of characters), `template`
            the structure's template box stretched to the same ink, or, of characters, the cell itself.
    """

    part: str
    structure: str
    boxes: dict[str, float]


def intersection_over_union(one: np.ndarray, other: np.ndarray) -> float:
    """Of two boxes x0, y0, x1, y1 (Jaccard 1912); 0 where both are empty."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    union = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / union if union > 0.0 else 0.0


def true_in_cell(
    box: np.ndarray, begin: int, end: int, *, scale: tuple[float, float], char_px: int, char_width_px: int
) -> np.ndarray:
    """A box of a real line in the cell of its character, as `spacing.space_line` puts it there.

    Args:
        box: [4], px of the real line.
        begin, end: columns of the character's piece in the line, once scaled.
        scale: across and down, from the real line to one of height `char_px`.
        char_px, char_width_px: int, the cell.

    Returns:
        float [4], px of the cell, cut at its edges.
    """
    across, down = np.array(box[::2], float) * scale[0] - begin, np.array(box[1::2], float) * scale[1]
    width = end - begin
    if width > char_width_px:
        across *= char_width_px / width
        width = char_width_px
    across += (char_width_px - width) // 2
    across, down = np.clip(across, 0, char_width_px), np.clip(down, 0, char_px)
    return np.array([across[0], down[0], across[1], down[1]])


def measure_boxes(
    index: RecordIndex, model: Writer, *, seed: int, num_lines: int = DEFAULT_LINES
) -> tuple[list[Overlap], dict[str, Any]]:
    """Rebuilds lines of pens and holds boxes against each other.

    Args:
        index: records, among them such as know the boxes of components.
        model: Writer with a style encoder.
        seed: int, of the choice of lines.
        num_lines: int, at most.

    Returns:
        list of Overlap; dict of JSON values: lines, missing (characters whose cell shows no ink),
        lines_sha256.

    Raises:
        ValueError: a model without style encoder, or no such line that it can write.
    """
    if model.style_encoder is None:
        raise ValueError('the model has no style encoder: expected one trained with the reconstruction phase')
    marker, digest = LineMarker(model), hashlib.sha256()
    overlaps: list[Overlap] = []
    lines = missing = 0
    for number in np.random.default_rng([seed, _STREAM]).permutation(len(index)):
        record = index.read_record(int(number))
        if record.boxes is None or record.component_boxes is None:
            continue
        try:
            encoded = model.encode(record.text)
        except CharsetError:
            continue
        if not np.array_equal(encoded.component_ids, record.component_ids):
            continue  # composed otherwise in the model's table: other slots
        cells, _ = record_in_cells(
            record,
            model.charset.characters,
            spaced=model.learned_room,
            char_px=model.char_px,
            char_width_px=model.char_width_px,
        )
        found = rebuilt_boxes(marker, model, cells, Characters.stack([encoded.characters]))
        missing += int((found.characters[:, 2] == found.characters[:, 0]).sum())
        overlaps += _compared(record, cells, found, encoded, model)
        digest.update(f'{record.writer} {record.text} '.encode())
        lines += 1
        if lines == num_lines:
            break
    if not lines:
        raise ValueError(
            'no line knows where its components are, in characters that the model can write: expected records'
            ' of simulated pens (bin/prepare, version 2)'
        )
    return overlaps, {'lines': lines, 'missing': missing, 'lines_sha256': digest.hexdigest()}


def rebuilt_boxes(marker: LineMarker, model: Writer, cells: np.ndarray, characters: Characters) -> CellBoxes:
    """The writer's boxes of a line that it rebuilds.

    Args:
        marker: of the model.
        model: Writer with a style encoder.
        cells: float32 [char_px, N * char_width_px] in [-1, 1], the real line.
        characters: what is written in it, B = 1.
    """
    encoder, described = model.style_encoder, None
    assert encoder is not None
    if getattr(encoder, 'reads_content', False):
        described = model.generator.content_encoder.describe(characters)
    read = encoder(cells[np.newaxis, :, :, np.newaxis], training=False, described=described)
    shape = [1, len(characters.structure_ids[0]), model.character_noise_dim]
    noise = read.get('noise_mean', np.zeros(shape, np.float32))
    return marker.in_cells(characters, read['style_mean'], noise)[0]


def _compared(record: LineRecord, cells, found: CellBoxes, encoded, model) -> Iterator[Overlap]:
    """The overlaps of a line."""
    boxes, parts = record.boxes, record.component_boxes
    if boxes is None or parts is None:
        return
    char_px, width = model.char_px, model.char_width_px
    count = len(record.character_ids)
    if model.learned_room:
        scale = (char_px / record.image.shape[0],) * 2
        edges = np.rint(spacing.part_line(record.image, count, record.boxes) * scale[0]).astype(int)
    else:
        scale = (count * width / record.image.shape[1], char_px / record.image.shape[0])
        edges = np.arange(count + 1) * width
    for place in range(count):

        def true(box):
            begin, end = edges[place], edges[place + 1]  # noqa: B023 (called within this turn)
            return true_in_cell(box, begin, end, scale=scale, char_px=char_px, char_width_px=width)

        used = np.flatnonzero(encoded.component_ids[place] > 0).tolist()
        name = structure_of(model.charset.structures[int(encoded.structure_ids[place])], len(used))
        box = true(boxes[place])
        if not parts[place].any():
            continue  # no ink: a space
        real = (1.0 - cells[:, place * width : (place + 1) * width]) / 2.0
        cell = np.array([0.0, 0.0, width, char_px])
        yield Overlap(
            'characters',
            name,
            {
                'generated': intersection_over_union(found.characters[place], box),
                'real': intersection_over_union(ink_box(real), box),
                'template': intersection_over_union(cell, box),
            },
        )
        for slot in used if len(used) > 1 else ():
            own = parts[place, slot]
            if not own.any():
                continue
            template = fitted(encoded.boxes[place, used], found.characters[place])[used.index(slot)]
            yield Overlap(
                'components',
                name,
                {
                    'generated': intersection_over_union(found.components[place, slot], true(own)),
                    'template': intersection_over_union(template, true(own)),
                },
            )


def structure_of(pattern: str, num_components: int) -> str:
    """What a structure is called: its outermost operator; 'one component' where it has none."""
    if num_components < 2:
        return 'one component'
    return pattern[:2] if pattern[:2] in ('H4', 'V4') else pattern[:1]


def box_figures(overlaps: list[Overlap]) -> dict[str, dict[str, float]]:
    """The figures of a seed.

    Args:
        overlaps: list of Overlap.

    Returns:
        dict name -> dict kind -> float: `iou_characters`, `iou_components` (means), the shares of these of
        at least 0.5 and 0.75 (`share_components_0.5`), and `iou_components_⿰` of each structure that has
        enough.
    """
    groups: dict[str, list[Overlap]] = collections.defaultdict(list)
    for one in overlaps:
        groups[one.part].append(one)
    structures: dict[str, list[Overlap]] = collections.defaultdict(list)
    for one in overlaps:
        structures[f'{one.part}_{one.structure}'.replace(' ', '_')].append(one)
    figures = {}
    for name, own in groups.items():
        figures[f'iou_{name}'] = _means(own, lambda value: value)
        for least in (0.5, 0.75):
            figures[f'share_{name}_{least}'] = _means(own, lambda value, least=least: float(value >= least))
    for name, own in sorted(structures.items(), key=lambda item: -len(item[1])):
        if len(own) >= _FEWEST:
            figures[f'iou_{name}'] = _means(own, lambda value: value)
    return figures


def counts(overlaps: list[Overlap]) -> dict[str, int]:
    """How many boxes stand behind the figures: dict of part and structure -> int."""
    found = collections.Counter(one.part for one in overlaps)
    found.update(f'{one.part} {one.structure}' for one in overlaps)
    return dict(found.most_common())


def behind(name: str) -> str:
    """What a figure counts, in the words of `counts`: `iou_components_⿰` -> `components ⿰`."""
    kind, part, *rest = name.split('_')
    return part if kind == 'share' or not rest else f'{part} {" ".join(rest)}'


def _means(overlaps, of):
    return {kind: float(np.mean([of(one.boxes[kind]) for one in overlaps])) for kind in overlaps[0].boxes}
