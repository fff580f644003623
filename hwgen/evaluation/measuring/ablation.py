"""Measures the rows of a plan of trainings, each by the same lines and judges, and puts them into one table.

A row that was trained with several seeds has a spread: that of trainings and of lines together, since the
lines are of the same seed. A difference of two rows is one only where it is larger than their spreads
together.
"""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from hwgen import files
from hwgen.data.reading.shards import RecordIndex
from hwgen.evaluation.measuring import comparison, hands, training_plan
from hwgen.evaluation.reporting import picture_sheet, seed_figures
from hwgen.evaluation.reporting.seed_figures import SeedFigures
from hwgen.inference.writer import Writer

GEOMETRY_REPEATS = 50  # a quarter of what one comparison takes: many rows, one of the costlier figures
_MEASURED = 'measured.json'
_HANDS_STREAM = 5
_READING = ('cer', 'label_error')  # figures that are also measured on characters without images in training


def measure_model(
    folder: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str],
    judges: Mapping[str, Any],
    seed: int,
    num_lines: int | None,
    truncation: float,
    geometry_repeats: int,
    real: dict[str, dict],
    report: Callable[[str], object],
) -> SeedFigures:
    """Measures one trained model; what was measured before under the same conditions is read back.

    Args:
        folder: path of the run.
        data: path of the records, with the splits test and (not needed) unseen.
        judges: dict `space`, `reader`, `component_reader`: see `comparison.compare_systems`.
        seed: int, of lines, styles and all that is drawn.
        num_lines: int, of a half; None: the protocol's number.
        truncation: float.
        geometry_repeats: int.
        real: dict, filled here: what was measured of real lines, for the next model with the same seed.
        report: function of a str.

    Returns:
        dict figure -> dict of float: `generated`, `floor`.
    """
    folder = pathlib.Path(folder)
    index = RecordIndex(str(data), split='test')
    lines = {'seed': seed, 'num_lines': num_lines, 'truncation': truncation}
    under = _conditions(folder, index.info, judges, **lines, geometry_repeats=geometry_repeats)
    before = _measured_before(folder, under)
    if before is not None:
        return before
    # what it cannot write shall count
    model = Writer.load(str(folder / 'model'), allow_unseen=True, tell=None)

    def compared(split_index, split, repeats):
        found = comparison.compare_systems(
            {'generated': model},
            split_index,
            seeds=(seed,),
            num_lines=num_lines,
            truncation=truncation,
            geometry_repeats=repeats,
            real=real.setdefault(split, {}),
            report=report,
            **judges,
        )
        return found.figures[0]

    figures = dict(compared(index, 'test', geometry_repeats))
    if 'unseen' in index.info['splits']:
        unseen = compared(RecordIndex(str(data), split='unseen'), 'unseen', 0)
        figures |= {f'unseen_{name}': value for name, value in unseen.items() if name.startswith(_READING)}
    records = sorted(
        (index.read_record(number) for number in range(len(index))), key=lambda record: record.writer
    )
    drawn, written = hands.distances_between_hands(
        records, model, seeds=np.random.default_rng([seed, _HANDS_STREAM]), truncation=truncation
    )
    figures['hands_distance_pixels'] = (
        {'floor': written, 'generated': drawn} if written is not None else {'generated': drawn}
    )
    files.write_file(
        str(folder / _MEASURED),
        (json.dumps({'measured_under': under, 'figures': figures}, indent=1) + '\n').encode(),
    )
    return figures


def _conditions(folder, info, judges, **options):
    """dict of JSON values: what a model was measured under, its weights among them."""
    weights = hashlib.sha256((folder / 'model' / 'weights.npz').read_bytes()).hexdigest()
    data = {name: info[name] for name in ('source', 'version', 'seed', 'settings') if name in info}
    under = {
        'weights_sha256': weights,
        **options,
        'features': judges['space'].weights_digest,
        'reader': judges['reader'] and judges['reader'].name,
        'data': data,
    }
    return json.loads(json.dumps(under))


def _measured_before(folder, under):
    """The figures of a model that was measured under the same conditions, or None."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        before = json.loads((folder / _MEASURED).read_text(encoding='utf-8'))
        if before['measured_under'] == under:
            return before['figures']
    return None


def run(
    plan: training_plan.Plan,
    *,
    runs: str | os.PathLike[str],
    data: str | os.PathLike[str],
    judges: Mapping[str, Any],
    num_lines: int | None,
    truncation: float,
    geometry_repeats: int = GEOMETRY_REPEATS,
    num_parallel: int = 1,
    report: Callable[[str], object] = print,
) -> tuple[dict[str, list[SeedFigures]], dict[str, str]]:
    """Trains what is missing of a plan, then measures what is not measured yet.

    Args:
        plan: training_plan.Plan.
        runs: path of the folder of the runs; recognisers in `recognizers/KIND`, rows in `ROW/seed-N`.
        data: path of the records.
        judges, num_lines, truncation, geometry_repeats: see `measure_model`. The lines of seed N are measured
            for the training of seed N.
        num_parallel: int, trainings at a time.
        report: function of a str.

    Returns:
        dict row's name -> list of figures of `measure_model`, one a seed that is finished; dict of the
        trainings that are not -> str, why.
    """
    failed = training_plan.train_all(
        training_plan.recognizer_jobs(plan, runs, data=data), num_parallel=num_parallel, report=report
    )
    broken = {name.split()[-1] for name in failed}
    rows = [
        (row, seed, job)
        for row, seed, job in training_plan.row_jobs(plan, runs, data=data)
        if row.recognizers not in broken
    ]
    failed |= training_plan.train_all([job for _, _, job in rows], num_parallel=num_parallel, report=report)
    measured: dict[str, list[SeedFigures]] = {row.name: [] for row in plan.rows}
    real: dict[str, dict] = {}
    for number, (row, seed, job) in enumerate(rows, 1):
        if job.is_done():
            figures = measure_model(
                job.run_dir,
                data=data,
                judges=judges,
                seed=seed,
                num_lines=num_lines,
                truncation=truncation,
                geometry_repeats=geometry_repeats,
                real=real,
                report=lambda line: None,
            )
            measured[row.name].append(figures)
            report(
                f'{number} of {len(rows)}, {job.name}: '
                + ', '.join(
                    f'{name} {values["generated"]:.3g}'
                    for name, values in figures.items()
                    if 'other_texts' not in name
                )
            )
    return {name: found for name, found in measured.items() if found}, failed


def by_seed(measured: Mapping[str, Sequence[SeedFigures]]) -> list[SeedFigures]:
    """The figures of all rows, seed by seed.

    Args:
        measured: dict row's name -> list of figures of `measure_model`, one a seed, in the plan's order of
            seeds.

    Returns:
        list of dict figure -> dict of float (`floor` and the rows that have so many seeds), for
        `seed_figures.gather`.
    """
    merged: list[SeedFigures] = []
    for turn in range(max(map(len, measured.values()))):
        merged.append({})
        for row, seeds in measured.items():
            for name, values in seeds[turn].items() if turn < len(seeds) else ():
                found = merged[-1].setdefault(name, {})
                found |= {'floor': values['floor']} if 'floor' in values else {}
                found[row] = values['generated']
    return merged


def verdict(figure: Mapping[str, Any], row: str, reference: str) -> str:
    """How a row stands to the reference row: a difference is one only where it is larger than the spreads of
    both together. Where 1 is best, what differs is how far they are from 1.

    Args:
        figure: dict of `seed_figures.gather`: better, and mean and spread of each row.
        row, reference: str, rows of it. A row that was trained once is taken to spread as the reference does.

    Returns:
        'better', 'worse', 'none'; '' where the figure has no better (the floor is best, or it tells how and
        not how well) or the reference no spread.
    """
    here, there = figure[row], figure[reference]
    if figure['better'] in (None, 'neither') or there['spread'] is None:
        return ''
    difference = here['mean'] - there['mean']
    if figure['better'] == 'near 1':
        difference = abs(here['mean'] - 1.0) - abs(there['mean'] - 1.0)
    if abs(difference) <= there['spread'] + (there['spread'] if here['spread'] is None else here['spread']):
        return 'none'
    return 'better' if (difference < 0) == (figure['better'] != 'higher') else 'worse'


def format_table(gathered: Sequence[Mapping[str, Any]], titles: Mapping[str, str], *, reference: str) -> str:
    """The rows as a Markdown table: mean and spread of each figure, with an arrow up or down where it differs
    from the reference.

    Args:
        gathered: list of `seed_figures.gather`.
        titles: dict row's name -> title, in the table's order.
        reference: str, the row that all others are held against.

    Returns:
        str.
    """
    marks = {'better': ' ▲', 'worse': ' ▼', 'none': ' ·', '': ''}

    def cell(figure, kind):
        if kind not in figure:
            return ''
        mark = (
            ''
            if kind in ('floor', reference) or reference not in figure
            else marks[verdict(figure, kind, reference)]
        )
        return seed_figures.describe(figure[kind]) + mark

    heads = ['row', *(f'`{figure["name"]}`' for figure in gathered)]
    lines = ['| ' + ' | '.join(heads) + ' |', '|' + '---|' * len(heads)]
    for kind, title in {'floor': 'real lines', **titles}.items():
        title = f'**{title}**' if kind == reference else title
        lines.append('| ' + ' | '.join([title, *(cell(figure, kind) for figure in gathered)]) + ' |')
    return '\n'.join(lines) + '\n'


def sheet_texts(index: RecordIndex, *, number: int = 3, num_characters: int = 4) -> list[str]:
    """The first texts of records that have so many ideographs and nothing else: list of str.

    Where there are none, the first of those whose length is nearest; where no text is of ideographs alone,
    whatever they are of.
    """
    found: dict[str, None] = {}
    others: dict[str, None] = {}
    for record in (index.read_record(place, decode_image=False) for place in range(len(index))):
        if len(record.text) == num_characters and _is_of_ideographs(record.text):
            found[record.text] = None
            if len(found) == number:
                break
        others[record.text] = None
    if found:
        return list(found)
    fitting = [text for text in others if _is_of_ideographs(text)] or list(others)
    return sorted(fitting, key=lambda text: abs(len(text) - num_characters))[:number]


def _is_of_ideographs(text):
    return all('\u4e00' <= character <= '\u9fff' for character in text)


def write_sheets(
    out: str | os.PathLike[str],
    plan: training_plan.Plan,
    measured: Collection[str],
    *,
    runs: str | os.PathLike[str],
    texts: Sequence[str],
    truncation: float,
) -> list[tuple[str, str]]:
    """Writes what every measured row makes of the same texts and styles (first seed), as PNGs: all rows, and
    the plan's strip if all of it is there.

    Args:
        out: path of the folder.
        plan: training_plan.Plan.
        measured: dict whose keys are the rows to show.
        runs: path of the folder of the runs.
        texts: list of str.
        truncation: float.

    Returns:
        list of (file name in `out`, caption).
    """
    out, font = pathlib.Path(out), comparison.head_font()
    models = {
        row.name: Writer.load(
            str(pathlib.Path(runs) / row.name / f'seed-{row.seeds[0]}' / 'model'),
            allow_unseen=True,
            tell=None,
        )
        for row in plan.rows
        if row.name in measured
    }
    titles = {row.name: row.title for row in plan.rows}
    shown = [
        [
            picture_sheet.head_picture(titles[name], font),
            *(
                picture
                for seed in (0, 1)
                for picture in model.write(texts, style_seeds=seed, truncation=truncation)
            ),
        ]
        for name, model in models.items()
    ]
    picture_sheet.write_sheet(out / 'ablation.png', shown)
    found = [('ablation.png', 'The same texts by every row, in two drawn hands')]
    if plan.strip and set(plan.strip) <= set(models):
        comparison.write_strip(
            out / 'ablation_strip.png',
            {titles[name]: models[name] for name in plan.strip},
            texts,
            truncation=truncation,
        )
        found.append(('ablation_strip.png', ', '.join(titles[name] for name in plan.strip)))
    return found
