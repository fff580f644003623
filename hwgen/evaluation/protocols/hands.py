"""Protocol hands: can drawn styles be told apart as writers can?"""

from typing import Any

from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
Lines of 8 writers, and lines of 8 drawn styles with the same texts, 12 each, are attributed to the hand
whose other lines they resemble most (ink, darkness, stroke width, slant, height, blank columns, centre);
and the copies of a character are compared, within one line and between hands. For the first seed alone.
--out receives hands.json and hands.png (a block of lines for each drawn style), and no page."""


class Hands(Protocol):
    """Lines attributed to the hand that they resemble most."""

    name = 'hands'
    place = 1
    summary = 'Can its styles be told apart, as writers can?'
    title = 'Can drawn styles be told apart?'
    description = _DESCRIPTION
    examples = ('--protocol=hands',)
    splits = ('test',)
    takes_against = False
    by_seed = False

    def measure(self, task: Task) -> Findings:
        """Measures for the first seed: `facts` are the figures, `samples` the lines of each hand."""
        from hwgen.evaluation.measuring import hands

        summary, pictures = hands.hands_protocol(
            task.index('test'), task.model, seed=task.seeds[0], truncation=task.truncation
        )
        return Findings([], summary, samples=pictures)

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
        """Tells the figures."""
        told = found.facts
        task.report(
            f'{told["num_hands"]} hands, {told["lines_per_hand"]} lines each: attributed to their own hand '
            f'{told["identified_generated"]:.3f} of the generated lines, {told["identified_real"]:.3f} of '
            'the real ones, '
            f'{told["chance"]:.3f} by chance'
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
        task.report(f'\nreport    {task.place("hands.json")}\npictures  {task.place("hands.png")}')
