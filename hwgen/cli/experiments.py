"""What `evaluate` does for the experiments: interpolation, neighbours, shots, nonsense, comparison and ablation."""

import functools

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.cli.app import UserError
from hwgen.cli.measurements import say
from hwgen.evaluation import ablation, character_errors, comparison, interpolation, neighbours, nonsense, nonsense_sheet, result_page, results, shots
from hwgen.inference import content_interpolation, picture_files
from hwgen.inference.writer import Writer


def measure_interpolation(task):
    """From style to style, from character to character.

    Args:
        task: measurements.Task.
    """
    between = content_interpolation.ContentInterpolation(task.writer)
    _measure_pairs(task, interpolation, title='From style to style, from character to character', between=between,
                   counted=dict(num_pairs=task.num_lines))


def measure_neighbours(task):
    """Does a neighbour change a character?

    Args:
        task: measurements.Task.
    """
    real = neighbours.real_copies(task.index('train' if 'train' in task.info['splits'] else None))
    _measure_pairs(task, neighbours, title='Does a neighbour change a character?', counted=dict(num_places=task.num_lines, real=real),
                   context_characters=task.writer.generator.context_characters)


def _measure_pairs(task, protocol, *, title, counted, between=None, **facts):
    index, space, found = task.index(), task.judges['space'], []
    options = dict(truncation=task.truncation) | ({} if between is None else dict(between=between))
    for seed in task.seeds:
        found.append(protocol.measure(index, task.writer, space=space, seed=seed, **counted, **options))
        say(f'seed {seed}: measured')
    task.measured_under |= {'lines_sha256': [one.digest for one in found]}
    pictures = []
    for sheet, (picture, caption) in protocol.sheets(index, task.writer, seed=task.seeds[0], **options).items():
        pictures.append((f'{task.protocol}_{sheet}.png', caption))
        files.write_file(task.place(pictures[-1][0]), picture_files.encode_png(picture))
    task.write([one.figures for one in found], title=title, pictures=pictures, feature_network=space.description, conditions=results.over_pairs(found), **facts)


def measure_shots(task, *, before):
    """Characters seen never, once, a few times.

    Args:
        task: measurements.Task.
        before: str, folder of the model before it was trained on the shots.
    """
    groups = shots.groups_of(task.info, Charset.load())
    readers = {'ppocr': functools.partial(character_errors.read_characters, task.judges['reader']),
               'components': functools.partial(character_errors.read_components, task.judges['component_reader'])}
    writers = {'before': Writer.load(before, allow_unseen=True), 'after': task.writer}
    found = [shots.read_lines(readers, {split: task.index(split) for split in ('test', 'unseen')}, writers, groups=groups,
                              num_lines=task.num_lines, seed=seed, truncation=task.truncation, report=say) for seed in task.seeds]
    task.measured_under |= {'num_lines': task.num_lines, 'shots': task.info['shots'], 'lines_sha256': [one.digest for one in found]}
    rows = shots.intervals(found, groups, seed=task.seeds[0])
    intervals = task.place('shots.md')
    files.write_file(intervals, shots.format_markdown(rows).encode())
    result_page.write_sheet(task.place('shots.png'), shots.sheet_rows(found[0], groups))
    task.write([shots.figures(one, groups) for one in found], title='Characters seen never, once, a few times', before=before, conditions=rows,
               pictures=[('shots.png', 'The first characters of each group: real, before, after')])
    print(f'intervals {intervals}')


def measure_nonsense(task):
    """Combinations of components that are in no table.

    Args:
        task: measurements.Task.
    """
    # Both must know the glyphs, the one that writes and the one that reads: the older table of the two.
    charset = min(task.writer.charset, task.judges['component_reader'].charset, key=lambda charset: charset.row_count)
    indices = {split: task.index(split) for split in ('test', 'unseen')}
    known = nonsense.known_codes(charset)
    vocabulary = [i for i in task.info['vocabulary'] if i < charset.num_characters]
    found = [nonsense.read_lines(task.judges['component_reader'], indices, task.writer, vocabulary=vocabulary, charset=charset, known=known,
                                 num_lines=task.num_lines, seed=seed, truncation=task.truncation, report=say) for seed in task.seeds]
    task.measured_under |= {'num_lines': task.num_lines, 'lines_sha256': [nonsense.digest(one) for one in found]}
    glyphs, = (lines for lines in found[0] if lines.kind == 'nonsense')
    sequences = task.place('nonsense.txt')
    files.write_file(task.place('nonsense.png'), picture_files.encode_png(nonsense_sheet.draw_sheet(charset, glyphs.units, glyphs.images)))
    files.write_file(sequences, ''.join(''.join(line) + '\n' for line in glyphs.units).encode())
    rows, costs = nonsense.intervals(found, seed=task.seeds[0]), nonsense.recombining(found, seed=task.seeds[0])
    table = nonsense.format_markdown(rows, costs)
    files.write_file(task.place('nonsense.md'), table.encode())
    print(f'\n{table}')
    task.write([nonsense.figures(one) for one in found], title='Combinations of components that are in no table', conditions=rows, recombining=costs,
               pictures=[('nonsense.png', 'Written, and beside it what was asked (boxes of the structure)')])
    print(f'sequences {sequences}')


def measure_comparison(task, systems):
    """Systems that write the same texts.

    Args:
        task: measurements.Task.
        systems: dict name -> system.
    """
    compared = comparison.compare_systems(systems, task.index(), seeds=task.seeds, num_lines=task.num_lines, truncation=task.truncation, report=say, **task.judges)
    task.measured_under |= {'lines_sha256': compared.digests}
    comparison.write_sheet(task.place('comparison.png'), compared, systems)
    task.write(compared.figures, title='Systems that write the same texts', by_system=True, pictures=[('comparison.png', 'The same texts: a real line, and each system')],
               systems={name: system.description for name, system in systems.items()}, feature_network=task.judges['space'].description)


def measure_ablation(task, plan, *, runs, num_parallel):
    """Trains the rows of a plan, measures them, and puts them into one table.

    Args:
        task: measurements.Task.
        plan: training_plan.Plan.
        runs: str, folder of the trainings.
        num_parallel: int, trainings at a time.

    Raises:
        UserError: trainings failed; named after the table of all others is written.
    """
    measured, failed = ablation.run(plan, runs=runs, data=task.data, judges=task.judges, num_lines=task.num_lines, truncation=task.truncation,
                                    num_parallel=num_parallel, report=say)
    if measured:
        titles = {row.name: row.title for row in plan.rows if row.name in measured}
        pictures = ablation.write_sheets(task.place(''), plan, measured, runs=runs, texts=ablation.sheet_texts(task.index('test')), truncation=task.truncation)
        task.seeds = sorted({seed for row in plan.rows if row.name in measured for seed in row.seeds})
        gathered = task.write(ablation.by_seed(measured), title='Ablation', by_system=True, pictures=pictures, reference=plan.reference,
                              rows=[row._asdict() for row in plan.rows], feature_network=task.judges['space'].description)
        table = task.place('ablation.md')
        files.write_file(table, ablation.format_table(gathered, titles, reference=plan.reference).encode())
        print(f'table     {table}')
    if failed:
        raise UserError(f'{len(failed)} trainings are not finished: ' + '; '.join(f'{name}: {reason}' for name, reason in failed.items()))
