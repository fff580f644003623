"""Protocol hands: can drawn styles be told apart as writers can?"""

from typing import Any

from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
Lines of 8 writers, and lines of 8 drawn styles with the same texts, 12 each, are attributed to the hand
whose other lines they resemble most (ink, darkness, stroke width, slant, height, blank columns, centre);
and the copies of a character are compared, within one line and between hands. --out receives hands.png (a
block of lines for each drawn style of the first seed); hands.json has what that seed gave besides."""


class Hands(Protocol):
    """Lines attributed to the hand that they resemble most."""

    name = 'hands'
    place = 1
    summary = 'Can its styles be told apart, as writers can?'
    title = 'Can drawn styles be told apart?'
    description = _DESCRIPTION
    examples = ('--protocol=hands',)
    splits = ('test',)
    directions = {'identified': None, 'hands': None, 'copies': 'neither', 'equal': 'lower'}
    kinds = {
        'generated': 'lines in drawn styles, with the texts of the real ones',
        'floor': 'lines of real writers: what a perfect writer could reach',
    }

    def measure(self, task: Task) -> Findings:
        """Measures every seed: `facts` are what the first one gave, `samples` its lines of each hand."""
        from hwgen.evaluation.measuring import hands

        index, found = task.index('test'), []
        for seed in task.seeds:
            found.append(hands.hands_protocol(index, task.model, seed=seed, truncation=task.truncation))
            task.report(f'seed {seed}: measured')
        summary, pictures = found[0]
        return Findings(
            [hands.hand_figures(one) for one, _ in found],
            {name: value for name, value in summary.items() if name != 'lines_sha256'},
            {'lines_sha256': [one['lines_sha256'] for one, _ in found]},
            samples=pictures,
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """A block of lines for each hand."""
        from hwgen import files
        from hwgen.inference import picture_files

        blocks = [picture_files.stack(lines[:4], gap=0.1) for lines in found.samples.values()]
        files.write_file(
            task.place('hands.png'), picture_files.encode_png(picture_files.stack(blocks, gap=0.25))
        )
        return [('hands.png', 'A block of lines for each drawn style')]

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Tells what the first seed gave."""
        told = found.facts
        task.report(
            f'\nseed {task.seeds[0]}: {told["num_hands"]} hands, {told["lines_per_hand"]} lines each: '
            f'attributed to their own hand {told["identified_generated"]:.3f} of the generated lines, '
            f'{told["identified_real"]:.3f} of the real ones, {told["chance"]:.3f} by chance'
        )
        task.report(
            f'{told["num_copies"]} pairs of copies of a character: {told["equal_copies"]} equal, '
            f'mean difference {told["copy_distance"]:.3f}'
        )
        real = told['hand_distance_real']
        task.report(
            f'a character in two hands: mean difference {told["hand_distance"]:.3f}'
            + ('' if real is None else f'; by two real writers {real:.3f}')
        )
