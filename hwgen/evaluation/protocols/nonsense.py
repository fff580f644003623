"""Protocol nonsense: are combinations of components that are in no table written as asked?"""

from typing import Any

from hwgen.evaluation.measuring.splits import SPLITS
from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
Combinations of components that are no existing character, read by the feature network beside characters
that exist. --out receives nonsense.md and nonsense.txt (what was asked) besides."""


class Nonsense(Protocol):
    """Glyphs that nobody wrote before."""

    name = 'nonsense'
    place = 9
    summary = 'Does it write combinations of components that are no character?'
    title = 'Combinations of components that are in no table'
    description = _DESCRIPTION
    judges = ('component_reader',)
    splits = tuple(SPLITS)
    num_lines = 250
    directions = {'error': 'lower'}

    def measure(self, task: Task) -> Findings:
        """Has glyphs written and read."""
        from hwgen.evaluation.measuring import nonsense, nonsense_glyphs

        reader = task.judges['component_reader']
        # Both must know the glyphs, the one that writes and the one that reads: the older table of the two.
        charset = min(task.model.charset, reader.charset, key=lambda charset: charset.row_count)
        indices = {split: task.index(split) for split in SPLITS}
        known = nonsense_glyphs.known_codes(charset)
        vocabulary = [i for i in task.info['vocabulary'] if i < charset.num_characters]
        found = [
            nonsense.read_lines(
                reader,
                indices,
                task.model,
                vocabulary=vocabulary,
                charset=charset,
                known=known,
                num_lines=task.num_lines,
                seed=seed,
                truncation=task.truncation,
                report=task.report,
            )
            for seed in task.seeds
        ]
        first = task.seeds[0]
        return Findings(
            [nonsense.figures(one) for one in found],
            {
                'conditions': nonsense.intervals(found, seed=first),
                'recombining': nonsense.recombining(found, seed=first),
            },
            {'num_lines': task.num_lines, 'lines_sha256': [nonsense.digest(one) for one in found]},
            samples=(charset, found[0]),
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """What was written and beside it what was asked, the sequences, and the table of intervals."""
        from hwgen import files
        from hwgen.evaluation.measuring import nonsense, nonsense_sheet
        from hwgen.inference import picture_files

        charset, first = found.samples
        (glyphs,) = (lines for lines in first if lines.kind == 'nonsense')
        picture = nonsense_sheet.draw_sheet(charset, glyphs.units, glyphs.images)
        files.write_file(task.place('nonsense.png'), picture_files.encode_png(picture))
        sequences = ''.join(''.join(line) + '\n' for line in glyphs.units)
        files.write_file(task.place('nonsense.txt'), sequences.encode())
        table = nonsense.format_markdown(found.facts['conditions'], found.facts['recombining'])
        files.write_file(task.place('nonsense.md'), table.encode())
        task.report(f'\n{table}')
        return [('nonsense.png', 'Written, and beside it what was asked (boxes of the structure)')]

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Tells where the sequences are."""
        task.report(f'sequences {task.place("nonsense.txt")}')
