"""Protocol interpolation: do pictures change evenly from style to style, and from character to character?"""

from hwgen.evaluation.protocols.pairs import PairProtocol
from hwgen.evaluation.protocols.protocol import Findings
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
From style to style, and from character to character (components, structure and boxes interpolated):
perceptual path length, largest step over mean step, detour, and a cross-fade of the ends beside them;
sheets of such rows, of one style and of one text. In pixels and in a feature space."""


class Interpolation(PairProtocol):
    """Rows of pictures between two."""

    name = 'interpolation'
    place = 6
    summary = 'Does it change evenly from style to style, and from character to character?'
    title = 'From style to style, from character to character'
    description = _DESCRIPTION
    directions = {
        'ppl': 'lower',
        'uneven': 'lower',
        'detour': 'lower',
        'step': 'neither',
        'darkness': 'near 1',
    }
    kinds = {
        **PairProtocol.kinds,
        'cross_fade': 'the end pictures laid over each other, one fading out',
        'independent': 'as many pictures that have nothing to do with each other',
    }

    def measure(self, task: Task) -> Findings:
        """Measures pairs of every seed."""
        from hwgen.evaluation.measuring import interpolation
        from hwgen.inference import content_interpolation

        between = content_interpolation.ContentInterpolation(task.model)
        return self.measure_pairs(task, interpolation, {'num_pairs': task.num_lines}, {'between': between})
