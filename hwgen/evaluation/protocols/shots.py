"""Protocol shots: how well are characters written that training lines show never, once, a few times?"""

from typing import Any

from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.evaluation.protocols.protocol import KINDS, Findings, Option, Protocol
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
Of data of `prepare --shots=0,1,5,20`: the share of each group's characters that PP-OCR misreads, and of
their structures and components that the feature network misreads: real, written by --before, by --model.
--out receives shots.md besides, with intervals."""


class Shots(Protocol):
    """Characters seen never, once, a few times, before and after."""

    name = 'shots'
    place = 8
    summary = 'How well does it write characters that training lines show never, once, a few times?'
    title = 'Characters seen never, once, a few times'
    description = _DESCRIPTION
    examples = ('--protocol=shots --data=tfrecords/shots --model=runs/shots/model',)
    judges = ('reader', 'component_reader')
    splits = tuple(SPLITS)
    num_lines = 250
    options = (
        Option(
            'before',
            'saved_models/demo',  # where experiments/shots.flags starts
            'the model before it was trained on the shots. Example: --before=runs/demo/model.',
        ),
    )
    directions = {'error': 'lower'}
    kinds = {
        **KINDS,
        'before': 'lines of the same texts by the model before it was trained on the shots',
        'after': 'lines of the same texts by the model that is measured',
    }

    def measure(self, task: Task) -> Findings:
        """Has both models write, and both readers read."""
        import functools

        from hwgen.charset.encoding import Charset
        from hwgen.evaluation.judges import character_errors
        from hwgen.evaluation.measuring import shots
        from hwgen.inference.model_folder import find_model
        from hwgen.inference.writer import Writer

        groups = shots.groups_of(task.info, Charset.load())
        component_reader = task.judges['component_reader']
        readers = {
            'ppocr': functools.partial(character_errors.read_characters, task.judges['reader']),
            'components': functools.partial(character_errors.read_components, component_reader),
        }
        before = find_model(task.options['before'])
        models = {'before': Writer.load(before, allow_unseen=True), 'after': task.model}
        indices = {split: task.index(split) for split in SPLITS}
        found = [
            shots.read_lines(
                readers,
                indices,
                models,
                groups=groups,
                num_lines=task.num_lines,
                seed=seed,
                truncation=task.truncation,
                report=task.report,
            )
            for seed in task.seeds
        ]
        return Findings(
            [shots.figures(one, groups) for one in found],
            {'before': before, 'conditions': shots.intervals(found, groups, seed=task.seeds[0])},
            {
                'num_lines': task.num_lines,
                'shots': task.info['shots'],
                'lines_sha256': [one.digest for one in found],
            },
            samples=(found[0], groups),
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """The first characters of each group, and the table of intervals."""
        from hwgen import files
        from hwgen.evaluation.measuring import shots
        from hwgen.evaluation.reporting import picture_sheet

        files.write_file(task.place('shots.md'), shots.format_markdown(found.facts['conditions']).encode())
        picture_sheet.write_sheet(task.place('shots.png'), shots.sheet_rows(*found.samples))
        return [('shots.png', 'The first characters of each group: real, before, after')]

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Tells where the intervals are."""
        task.report(f'intervals {task.place("shots.md")}')
