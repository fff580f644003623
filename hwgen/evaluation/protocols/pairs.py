"""What interpolation and neighbours have in common: their figures are means over pairs of pictures."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from hwgen.evaluation.protocols.protocol import Findings, Protocol
from hwgen.evaluation.protocols.task import Task


class PairProtocol(Protocol):
    """Pairs or places of every seed, and sheets of the first."""

    judges = ('space',)

    def measure_pairs(
        self,
        task: Task,
        measuring: ModuleType,
        counted: Mapping[str, Any],
        shown: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> Findings:
        """Measures every seed.

        Args:
            task: Task.
            measuring: module with `measure` and `sheets`.
            counted: dict, arguments of `measure` alone.
            shown: dict, arguments of both.
            **facts: JSON values for the result.

        Returns:
            Findings.
        """
        from hwgen.evaluation.reporting import seed_figures

        index, space, found = task.index(), task.judges['space'], []
        options = {'truncation': task.truncation, **(shown or {})}
        for seed in task.seeds:
            found.append(measuring.measure(index, task.model, space=space, seed=seed, **counted, **options))
            task.report(f'seed {seed}: measured')
        return Findings(
            [one.figures for one in found],
            {'feature_network': space.description, 'conditions': seed_figures.over_pairs(found), **facts},
            {'lines_sha256': [one.digest for one in found]},
            samples=(measuring, index, options),
        )

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """The sheets of the first seed."""
        from hwgen import files
        from hwgen.inference import picture_files

        measuring, index, options = found.samples
        pictures = []
        drawn = measuring.sheets(index, task.model, seed=task.seeds[0], **options)
        for sheet, (picture, caption) in drawn.items():
            pictures.append((f'{self.name}_{sheet}.png', caption))
            files.write_file(task.place(pictures[-1][0]), picture_files.encode_png(picture))
        return pictures
