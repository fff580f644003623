"""Protocol ablation: trains every row of a plan and puts their figures into one table."""

from typing import Any

from hwgen.evaluation.protocols.comparison import Comparison
from hwgen.evaluation.protocols.protocol import Findings, Option, Protocol, ProtocolError, Request
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
Trains every row of a plan (a folder with plan.toml and a file of flags for each row), measures all as
comparison does, characters without images in training and the distance between drawn hands besides, and
puts them into one table, which --out receives as ablation.md. The plan that ships takes about two hours of
two cores. Each row is a training of its own: what is done stays done, and the same command goes on. A seed
of --runs is measured on the lines of that seed."""


class Ablation(Protocol):
    """Rows of trainings."""

    name = 'ablation'
    place = 11
    summary = 'What is each part worth?'
    title = 'Ablation'
    description = _DESCRIPTION
    examples = (
        '--protocol=ablation --truncation=1',
        '--protocol=ablation --rows=components_both,layout --jobs=1',
    )
    judges = ('space', 'reader', 'component_reader')
    splits = ('train', 'validation', 'test', 'unseen')
    required = ('test',)
    corpus = 'tfrecords/ablation'
    opens_model = False
    by_system = True
    options = (
        Option('plan', None, 'folder of the plan. Default: experiments/ablation. Example: --plan=mine.'),
        Option(
            'base_flags',
            None,
            "flags of all rows in place of the plan's. Example: "
            '--base_flags=experiments/ablation/paper.flags.',
        ),
        Option('rows', (), 'some rows of the plan. Example: --rows=components_both,layout.'),
        Option('runs', 'runs/ablation', 'folder of the trainings.'),
        Option(
            'jobs',
            2,
            'trainings at a time, each on its share of the processors: two of one thread were twice as '
            'fast as one of two.',
        ),
    )
    directions = {**Comparison.directions, 'hands': None}
    kinds = Comparison.kinds

    def open(self, request: Request) -> Any:
        """The plan."""
        from hwgen.evaluation.measuring import training_plan
        from hwgen.settings.resources import resource_path

        options = request.options
        folder = options['plan'] or str(resource_path('experiments/ablation'))
        return training_plan.read_plan(
            folder, base=options['base_flags'], rows=list(options['rows'] or ()) or None
        )

    def corpus_settings(self, opened: Any) -> dict[str, Any] | None:
        """As the plan says."""
        return opened.data

    def conditions(self, request: Request) -> dict[str, Any]:
        """The seeds are those of the plan's rows."""
        return {'first_seed': None, 'seeds': None, 'truncation': request.truncation}

    def measure(self, task: Task) -> Findings:
        """Trains and measures; what did not succeed is left for `conclude`."""
        from hwgen.evaluation.measuring import ablation

        plan = task.opened
        measured, failed = ablation.run(
            plan,
            runs=task.options['runs'],
            data=task.data,
            judges=task.judges,
            num_lines=task.num_lines,
            truncation=task.truncation,
            num_parallel=task.options['jobs'],
            report=task.report,
        )
        facts = {
            'reference': plan.reference,
            'rows': [row._asdict() for row in plan.rows],
            'feature_network': task.judges['space'].description,
        }
        figures = ablation.by_seed(measured) if measured else []
        seeds = sorted({seed for row in plan.rows if row.name in measured for seed in row.seeds})
        return Findings(figures, facts, samples=(measured, failed), seeds=seeds)

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """A sheet of all rows, and strips."""
        from hwgen.evaluation.measuring import ablation

        measured, _ = found.samples
        return ablation.write_sheets(
            task.place(''),
            task.opened,
            measured,
            runs=task.options['runs'],
            texts=ablation.sheet_texts(task.index('test')),
            truncation=task.truncation,
        )

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Writes the table, and names the trainings that failed."""
        from hwgen import files
        from hwgen.evaluation.measuring import ablation

        measured, failed = found.samples
        if result is not None:
            titles = {row.name: row.title for row in task.opened.rows if row.name in measured}
            table = ablation.format_table(result['figures'], titles, reference=task.opened.reference)
            place = task.place('ablation.md')
            files.write_file(place, table.encode())
            task.report(f'table     {place}')
        if failed:
            reasons = '; '.join(f'{name}: {reason}' for name, reason in failed.items())
            raise ProtocolError(f'{len(failed)} trainings are not finished: {reasons}')
