"""Task: what a protocol measures and with what, and where its report goes. Imported without NumPy."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

from hwgen.console import say


@dataclasses.dataclass
class Task:
    """What is to be measured, and where the report goes.

    Attributes:
        protocol: str, its name.
        data: str, folder of the records; split: str, of those protocols that take any; info: dict, its
            info.json.
        judges: dict of `space`, `reader`, `component_reader`, those that the protocol needs.
        model: Writer or another system, or None.
        out: str, folder of the report.
        seeds: list of int.
        num_lines: int, or None: what the protocol's measuring says.
        truncation: float.
        measured_under: dict of JSON values, what must be equal for two results to be comparable.
        facts: dict of JSON values, what else the figures depend on.
        there: dict, a result to compare with, or None; against: str, its file.
        options: dict, the protocol's own settings by name.
        opened: what `protocol.open` returned.
        report: function of a str, told about progress and what was found.
    """

    protocol: str
    data: str
    split: str
    info: dict[str, Any]
    judges: dict[str, Any]
    model: Any
    out: str
    seeds: list[int]
    num_lines: int | None
    truncation: float
    measured_under: dict[str, Any]
    facts: dict[str, Any]
    there: dict[str, Any] | None = None
    against: str | None = None
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    opened: Any = None
    report: Callable[[str], None] = say

    def index(self, split: str | None = None) -> Any:
        """RecordIndex of a split; None: the task's own."""
        from hwgen.data.reading.shards import RecordIndex

        return RecordIndex(self.data, split=split or self.split)

    def place(self, name: str) -> str:
        """Path of a file of the report, whose folder is made."""
        os.makedirs(self.out, exist_ok=True)
        return os.path.join(self.out, name)
