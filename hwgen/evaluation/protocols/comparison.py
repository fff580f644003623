"""Protocol comparison: systems that write the same texts."""

from typing import Any

from hwgen.evaluation.protocols.distances import DIRECTIONS, OTHER_TEXTS
from hwgen.evaluation.protocols.protocol import KINDS, Findings, Protocol, ProtocolError, Request
from hwgen.evaluation.protocols.task import Task

_DESCRIPTION = """\
The model and the systems of --compare write the same texts, and all are measured as hct does (without the
search for copies) and read, by PP-OCR and by the feature network (which reads structures and components),
beside the floor of real lines. --compare is a model's folder; handright, a simulator from fonts; or the
folder of pictures that any other system wrote, with their texts in a table (labels.tsv, label.txt, *.jsonl)
or in text files beside them. --texts_out=FILE writes the texts that such a system needs (FILE.tsv: as the
table of its folder), for the same --split, --num_lines and seeds."""


class Comparison(Protocol):
    """Several systems, all by the same judges."""

    name = 'comparison'
    place = 10
    summary = 'How do several systems compare that write the same texts?'
    title = 'Systems that write the same texts'
    description = _DESCRIPTION
    examples = (
        '--protocol=comparison --texts_out=other/labels.tsv',
        '--protocol=comparison --compare=handright --compare=zi2zi=other --out=evaluations/mine',
    )
    judges = ('space', 'reader', 'component_reader')
    opens_model = False
    real_alone = True
    takes_systems = True
    by_system = True
    directions = {**DIRECTIONS, 'cer': 'lower', 'label': 'lower'}
    kinds = {**KINDS, **OTHER_TEXTS}

    def open(self, request: Request) -> Any:
        """The systems: dict name -> system, the model first."""
        from hwgen.evaluation.systems import compared_systems
        from hwgen.inference.model_folder import find_model

        opened = {}
        if request.model is None and not request.compare:
            raise ProtocolError(
                '--protocol=comparison with an empty --model and no --compare: expected a system'
            )
        names = list(request.compare)
        if isinstance(request.model, str):
            folder = find_model(request.model)
            names.insert(0, f'{compared_systems.name_of(folder)}={folder}')
        elif request.model is not None:
            opened['model'] = request.model
        return {**opened, **compared_systems.open_systems(names)}

    def first_model(self, request: Request, opened: Any) -> Any:
        """The model, which is the first of the systems."""
        return None if request.model is None else next(iter(opened.values()))

    def measure(self, task: Task) -> Findings:
        """Has all systems write and all judges read."""
        from hwgen.evaluation.measuring import comparison

        compared = comparison.compare_systems(
            task.opened,
            task.index(),
            seeds=task.seeds,
            num_lines=task.num_lines,
            truncation=task.truncation,
            report=task.report,
            **task.judges,
        )
        described = {name: system.description for name, system in task.opened.items()}
        return Findings(
            compared.figures,
            {'systems': described, 'feature_network': task.judges['space'].description},
            {'lines_sha256': compared.digests},
            samples=compared,
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """The same texts: a real line, and each system."""
        from hwgen.evaluation.measuring import comparison

        comparison.write_sheet(task.place('comparison.png'), found.samples, task.opened)
        return [('comparison.png', 'The same texts: a real line, and each system')]
