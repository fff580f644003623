"""Protocol imitation: how near does an imitated hand come to who wrote it?"""

import json
import os
from typing import Any

from hwgen.evaluation.protocols.protocol import Findings, Option, Protocol, Request
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
The style encoder reads 1, 5 and 50 lines of writers that the model has not seen, with and without labels;
what is written in their hands is held against other lines of theirs, in the seven measures of `hands` and in
units of their spread within a writer: the distance to the writer, the mean distance to the others, and how
often the writer is the nearest. Once as measured, and once without what all hands of a kind have in common
(a model that writes paler is as far from all). --out receives imitation.png and imitation.md (with intervals
over writers) besides. Without --data a corpus with enough lines of each writer is written, once."""


class Imitation(Protocol):
    """Hands read from lines, against their writers."""

    name = 'imitation'
    place = 13
    summary = 'How near does a hand that was read from a few lines come to its writer?'
    title = 'Imitated hands'
    description = _DESCRIPTION
    examples = ('--protocol=imitation --seeds=1',)
    splits = ('test',)
    corpus = 'tfrecords/hands'
    options = (
        Option('shots', ('1', '5', '50'), 'lines of a writer that are read. Example: --shots=1,5.'),
        Option('num_writers', 40, 'writers at most. Example: --num_writers=20.'),
        Option('lines_per_hand', 12, 'lines that are written in a hand, and as many to compare with.'),
    )
    directions = {'own': None, 'other': 'neither', 'nearest': 'neither', 'centred': None}
    kinds = {
        'floor': 'other real lines of the same writer: what a perfect imitator could reach',
        'drawn': 'a hand drawn by a seed, for each writer',
        'lines_1': 'a hand read from one line, with its number of characters; the others likewise',
        'unlabelled_1': 'the same from the picture alone, its characters counted by its shape',
    }

    def open(self, request: Request) -> Any:
        """The version of the embedded corpus that the model learned from; None: not known."""
        from hwgen.inference.model_folder import find_model

        if not isinstance(request.model, str):
            description = getattr(request.model, 'description', {})
        else:
            with open(os.path.join(find_model(request.model), 'generator.json'), encoding='utf-8') as file:
                description = json.load(file)
        info = description.get('info') or {}
        return (info.get('data') or info).get('version')

    def corpus_settings(self, opened: Any) -> dict[str, Any] | None:
        """Enough lines of 40 writers, of the version that the model learned from."""
        from hwgen.data.scribe.plan import VERSIONS

        version = {'version': opened} if opened in VERSIONS else {}
        return {'test_lines': 4800, 'validation_lines': 0, 'unseen_lines': 0, 'lines': 100, **version}

    def measure(self, task: Task) -> Findings:
        """Measures every seed."""
        from hwgen.evaluation.measuring import imitation

        options, found = task.options, []
        shots = tuple(int(number) for number in options['shots'])
        for seed in task.seeds:
            chosen = imitation.choose_lines(
                task.index('test'),
                shots=shots,
                num_writers=options['num_writers'],
                lines_per_hand=options['lines_per_hand'],
                seed=seed,
            )
            task.report(f'seed {seed}: {len(chosen)} writers')
            found.append(
                imitation.measure(
                    task.model,
                    chosen,
                    shots=shots,
                    seed=seed,
                    truncation=task.truncation,
                    report=task.report,
                )
            )
        return Findings(
            [imitation.figures(one) for one in found],
            {'conditions': imitation.intervals(found, seed=task.seeds[0]), 'bias': found[0].bias},
            {'options': dict(options), 'lines_sha256': [one.digest for one in found]},
            samples=found[0],
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """Lines of writers, imitated, and in another hand; the table of intervals."""
        from hwgen import files
        from hwgen.evaluation.measuring import imitation
        from hwgen.evaluation.reporting import picture_sheet

        table = imitation.format_markdown(found.facts['conditions'])
        files.write_file(task.place('imitation.md'), table.encode())
        task.report(table)
        picture_sheet.write_sheet(task.place('imitation.png'), found.samples.rows)
        return [('imitation.png', "A writer's line, its text imitated, its text in the next writer's hand")]
