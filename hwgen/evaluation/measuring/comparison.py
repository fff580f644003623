"""Several systems write the same texts and are measured by one protocol, beside real lines.

Real lines are measured once for all systems. All lines, real or written, are scaled to the same cells before
anything is measured.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import ImageFont

from hwgen.charset.reading_form import folded
from hwgen.data.scribe import fonts
from hwgen.evaluation.measuring import conventions, line_halves, line_statistics
from hwgen.evaluation.reporting import picture_sheet
from hwgen.evaluation.reporting.seed_figures import SeedFigures
from hwgen.images import to_cells
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.metrics import text as text_metrics

if TYPE_CHECKING:
    from hwgen.data.reading.shards import RecordIndex
    from hwgen.evaluation.judges.component_reader import ComponentReader
    from hwgen.evaluation.judges.feature_space import FeatureSpace
    from hwgen.evaluation.judges.independent_reader import TextReader
    from hwgen.evaluation.systems.system import System

FLOOR = 'floor'
_HEAD_PX = 20  # height of the names above a sheet's columns


class Compared(NamedTuple):
    """What a comparison found.

    Attributes:
        figures: list, one a seed, of dict figure -> dict of float: `floor` and each system's name, for
            `seed_figures.gather`.
        digests: list of str, one a seed, of the lines.
        sheet: list of rows of uint8 [H, W], a row a text of the first seed: the real line, then a picture of
            each system.
        texts: list of str, those of the sheet.
    """

    figures: list
    digests: list
    sheet: list
    texts: list


@dataclasses.dataclass
class _Reading:
    """What the readers make of lines, as they come; a reader that is None reads nothing."""

    reader: object
    component_reader: object
    cells: dict
    wrong: dict = dataclasses.field(default_factory=dict)
    total: dict = dataclasses.field(default_factory=dict)
    num_lines: int = 0

    def update(self, images, records):
        """Adds lines: uint8 [H, W] each, and the records whose texts they have."""
        texts, self.num_lines = [record.text for record in records], self.num_lines + len(records)
        images = [
            to_cells(image, len(record.character_ids), **self.cells)
            for image, record in zip(images, records, strict=True)
        ]
        if self.reader is not None:
            counts = text_metrics.edit_counts(
                [folded(text) for text in texts], [folded(text) for text in self.reader.read(images)]
            )
            self._add('cer', counts.errors, counts.reference_lengths)
        if self.component_reader is not None:
            self._add('label_error', *self.component_reader.label_errors(images, texts))

    def _add(self, name, wrong, total):
        self.wrong[name] = self.wrong.get(name, 0) + int(wrong.sum())
        self.total[name] = self.total.get(name, 0) + int(total.sum())

    def rates(self):
        """dict `cer`, `label_error` -> float."""
        return {name: wrong / self.total[name] for name, wrong in self.wrong.items()}

    def told(self):
        """The rates, for a line about progress."""
        return ''.join(f', {name.replace("_", " ")} {rate:.3f}' for name, rate in self.rates().items())


def compare_systems(
    systems: Mapping[str, System],
    index: RecordIndex,
    *,
    space: FeatureSpace,
    reader: TextReader | None = None,
    component_reader: ComponentReader | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    num_lines: int | None = None,
    truncation: float = DEFAULT_TRUNCATION,
    protocol: str = 'hct',
    cells: dict[str, int] | None = None,
    geometry_repeats: int | None = None,
    real: dict[int, Any] | None = None,
    report: Callable[[str], object] = print,
) -> Compared:
    """Measures several systems on the same texts.

    The figures, N lines each: `fid_SPACE_N`, `kid_SPACE_N` and `geometry_score_pixels_N` hold written lines
    against the real ones of the same texts, as the protocol has it; with `_other_texts` at the end the same
    written lines against the half that `floor` is measured against, which is what may be compared with the
    floor; `is_SPACE_N`; `cer_N`, characters that `reader` reads wrong; `label_error_N`, structures and
    components that `component_reader` reads wrong. The floor of the last three are the real lines whose texts
    are written. Of a system that writes nothing legible the inception score is 1.

    Args:
        systems: dict name -> system (`systems`), in the order of the table; a name is none of the floor's or
            of the table's own.
        index: RecordIndex of real lines.
        space: feature space.
        reader: IndependentReader or None: no `cer`.
        component_reader: ComponentReader or None: no `label_error`.
        seeds: sequence of int, of lines, styles and all that is drawn in measuring.
        num_lines: int, of a half at most; None: the protocol's number.
        truncation: float, of drawn styles and of the character noise, for systems that know it.
        protocol: str, one of `conventions.CONVENTIONS` that draws hands.
        cells: dict char_px, char_width_px that all lines are scaled to; None: those of the first system.
        geometry_repeats: int, choices of landmarks behind the geometry score (the most costly figure but for
            reading); 0: none; None: 200.
        real: dict, filled here: the real lines as they were measured, for further calls that differ in their
            systems alone; None: they are forgotten.
        report: function of a str, told about progress.

    Returns:
        Compared.

    Raises:
        ValueError: no system; a protocol that imitates hands; too few lines; what a system raises that cannot
            write the texts.
    """
    if not systems or conventions.CONVENTIONS[protocol].imitates:
        raise ValueError(
            f'comparison of {len(systems)} systems by the protocol {protocol}: expected at least one, and a'
            ' protocol that draws hands'
        )
    if cells is None:
        first = next(iter(systems.values()))
        cells = dict(char_px=first.char_px, char_width_px=first.char_width_px)
    needed = [system.require for system in systems.values() if hasattr(system, 'require')]
    if needed:
        texts_by_seed = protocol_texts(index, protocol=protocol, seeds=seeds, num_lines=num_lines)
        for require in needed:
            require(texts_by_seed)
    figures: list[SeedFigures] = []
    sheet: list[list[np.ndarray]] = []
    digests: list[str] = []
    texts: list[str] = []
    for seed in seeds:
        if real is None or seed not in real:
            measured = _measure_real(
                line_halves.Halves(
                    index,
                    protocol,
                    space=space,
                    cells=cells,
                    num_lines=num_lines,
                    seed=seed,
                    geometry_repeats=geometry_repeats,
                ),
                _Reading(reader, component_reader, cells),
            )
            report(f'seed {seed}: 2 x {len(measured[0].selection.first)} real lines{measured[1].told()}')
            if real is not None:
                real[seed] = measured
        halves, floor, written = measured if real is None else real[seed]
        digests.append(halves.selection.digest)
        columns = [halves.second.shown]
        texts = texts or written[: len(columns[0])]
        figures.append({})
        for name, system in systems.items():
            side, reading = halves.side(), _Reading(reader, component_reader, cells)
            for images, records in halves.write(system, truncation=truncation):
                side.update(images, records)
                reading.update(images, records)
            _add(figures[-1], name, halves.figures(side), reading, floor)
            columns.append(side.shown)
            report(f'seed {seed}: {name}, {len(halves.selection.second)} lines{reading.told()}')
        sheet = sheet or [list(row) for row in zip(*columns, strict=True)]
    return Compared(figures, digests, sheet, texts)


def _measure_real(halves, reading):
    """The real lines of a seed: Halves, what is read in the half whose texts are written, and these texts."""
    texts = []
    for images, records in halves.read():
        reading.update(images, records)
        texts += [record.text for record in records]
    return halves, reading, texts


def protocol_texts(
    index: RecordIndex,
    *,
    protocol: str = 'hct',
    seeds: Iterable[int] = (0, 1, 2),
    num_lines: int | None = None,
) -> list[list[str]]:
    """The texts that systems write: a list of str for each seed; arguments as of `compare_systems`."""
    most = conventions.CONVENTIONS[protocol].num_lines
    chosen = [
        line_halves.choose_lines(index, protocol, num_lines=min(num_lines or most, most), seed=seed).second
        for seed in seeds
    ]
    return [[index.read_record(number, decode_image=False).text for number in numbers] for numbers in chosen]


def _add(found, name, measured, reading, floor):
    """Puts a system's figures into those of its seed, each beside its floor."""
    for figure, values in measured.items():
        found.setdefault(figure, {FLOOR: values['floor']})[name] = values['generated']
        if 'other_texts' in values:
            found.setdefault(f'{figure}_other_texts', {FLOOR: values['floor']})[name] = values['other_texts']
    for figure, rate in reading.rates().items():
        found.setdefault(
            f'{figure}_{line_statistics.short_count(reading.num_lines)}', {FLOOR: floor.rates()[figure]}
        )[name] = rate


def write_sheet(path: str | os.PathLike[str], compared: Compared, names: Iterable[str]) -> None:
    """Writes a comparison's sheet as a PNG: a row a text, the real line and then a column a system, its name
    above it.

    Args:
        path: of the file.
        compared: Compared.
        names: sequence of str, the systems in their order.
    """
    picture_sheet.write_sheet(path, compared.sheet, heads=['real', *names], font=head_font())


def write_strip(
    path: str | os.PathLike[str],
    systems: Mapping[str, System],
    texts: Sequence[str],
    *,
    style_seeds: int | Sequence[int] = 0,
    truncation: float = DEFAULT_TRUNCATION,
) -> None:
    """Writes texts by several systems side by side as a PNG: a row a text, a column a system, its name above
    it.

    Args:
        path: of the file.
        systems: dict name -> system.
        texts: list of str.
        style_seeds: int, or one a text: the same for every system.
        truncation: float, as of `compare_systems`.

    Raises:
        What a system raises that cannot write a text.
    """
    seeds = np.broadcast_to(style_seeds, [len(texts)]).tolist()
    columns = [
        system.write(list(texts), style_seeds=seeds, truncation=truncation) for system in systems.values()
    ]
    picture_sheet.write_sheet(
        path, [list(row) for row in zip(*columns, strict=True)], heads=list(systems), font=head_font()
    )


def head_font() -> ImageFont.FreeTypeFont:
    """The font of names on sheets."""
    return ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), _HEAD_PX)
