"""Protocol neighbours: does what stands beside a character change it?"""

from hwgen.evaluation.protocols.pairs import PairProtocol
from hwgen.evaluation.protocols.protocol import Findings
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
A character's cell with one neighbour exchanged, 1 to 3 cells away, beside the character written alone, two
copies in one line, and copies in real lines. In pixels and in a feature space."""


class Neighbours(PairProtocol):
    """A character beside others."""

    name = 'neighbours'
    place = 7
    summary = 'Does what stands beside a character change it?'
    title = 'Does a neighbour change a character?'
    description = _DESCRIPTION
    further_splits = ('train',)
    directions = {'neighbour': 'neither', 'nearest': 'neither', 'copies': 'neither', 'real': 'neither'}
    kinds = {
        **PairProtocol.kinds,
        'alone': 'the character written by itself, against the same in the line',
        'same_neighbours': (
            'two copies, with other character noise (real: by one writer, with the left or '
            'the right '
            'neighbour in common)'
        ),
        'other_neighbours': 'two copies whose neighbours differ as well',
        'other_hand': 'the same line in another drawn style',
    }

    def measure(self, task: Task) -> Findings:
        """Measures places of every seed; real copies are looked for where there are most lines."""
        from hwgen.evaluation.measuring import neighbours

        real = neighbours.real_copies(task.index('train' if 'train' in task.info['splits'] else None))
        counted = {'num_places': task.num_lines, 'real': real}
        reach = task.model.generator.context_characters
        return self.measure_pairs(task, neighbours, counted, context_characters=reach)
