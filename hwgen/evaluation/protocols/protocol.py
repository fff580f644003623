"""Protocol: a fixed way to measure a model, so that two people get figures that can be compared.

A protocol is one class in one file. What it says of itself (name, summary, judges, splits, ...) is where the
help, the choices of `--protocol`, the table headings and the result pages come from; what it does is
`measure` and `sheets`. Nothing heavy may be imported at the head of such a file: help is shown in a fraction
of a second.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hwgen.evaluation.protocols.task import Task

JUDGES = ('space', 'reader', 'component_reader')
WAYS = ('lower', 'higher', 'near 1', 'neither', None)  # values of `Protocol.directions`
# What the kinds of a figure are, where nothing else is said.
KINDS = {
    'generated': 'written lines against real ones of the same texts',
    'floor': 'real lines against other real lines: what a perfect writer could reach',
}


class ProtocolError(ValueError):
    """What was asked for cannot be measured; the message says what was expected."""


class Option(NamedTuple):
    """A setting of one protocol: a flag of `evaluate`, and a named argument of `session.evaluate`.

    Attributes:
        name: str.
        default: bool, int (at least 1), str, tuple of str, or None for a str that need not be given.
        help: str, with an example.
    """

    name: str
    default: Any
    help: str


class Request(NamedTuple):
    """What is asked for, before data and judges are opened.

    Attributes:
        model: str, folder of a model or of a run; a Writer; or None, real lines only.
        compare: tuple of str, further systems.
        num_lines: int or None; truncation: float.
        options: dict, the protocol's own settings by name.
    """

    model: Any
    compare: tuple[str, ...]
    num_lines: int | None
    truncation: float
    options: dict[str, Any]


class Findings(NamedTuple):
    """What was measured.

    Attributes:
        figures: list, one a seed, of dict name of a figure -> dict kind -> float. The kinds are `generated`,
            `floor`, ... or, where systems are compared, the systems' names.
        facts: dict of JSON values that stand in the result besides.
        measured_under: dict of JSON values that must be equal for two results to be comparable: digests of
            the lines, for one.
        samples: whatever `sheets` and `conclude` need.
        seeds: list of int, where they are not those that were asked for.
    """

    figures: list[dict[str, dict[str, float]]]
    facts: dict[str, Any] = {}
    measured_under: dict[str, Any] = {}
    samples: Any = None
    seeds: list[int] | None = None


class Protocol:
    """A fixed way to measure a model; subclasses set the attributes and write `measure`.

    Attributes:
        name: str, as in `--protocol=NAME`, and of the files of the report.
        place: int, where it stands in the help: from low to high, equal ones by name.
        summary: str, one line: the question it answers.
        title: str, of the page of its result.
        description: str, of the help: what is measured, what the figures and the files of the report are.
        examples: sequence of str, calls for the help, without `evaluate`.
        judges: sequence of `space` (a feature space), `reader` (PP-OCR), `component_reader` (structures and
            components): what it needs of them.
        splits: the splits it reads whatever --split says; None: the one of --split.
        required: those without which it cannot measure; None: the first of `splits`, or the one of --split.
        further_splits: splits that it reads besides, where the data has them.
        corpus: str, its own folder of data where none is given; None: the embedded corpus that fits the
            model.
        num_lines: int, lines of each kind where nobody says; None: `measure` says.
        opens_model: bool, --model is opened and handed to `measure` as `task.model`.
        real_alone: bool, it can do without a model: real lines only.
        takes_systems: bool, --compare names systems beside --model.
        takes_against: bool, its result can be held against another.
        by_system: bool, the kinds of its figures are systems: a row of the table each.
        by_seed: bool, its figures are those of several seeds; else the result is the `facts` of its findings,
            as JSON without a page.
        square: bool, Inception sees its pictures as squares.
        options: sequence of Option, settings of its own.
        directions: first word of a figure's name -> which way is better: 'lower', 'higher', 'near 1'; None:
            what matters is the distance from the floor; 'neither': it tells how, not how well.
        kinds: kind of a figure -> what it is, for the page.
    """

    name: str = ''
    place: int = 100
    summary: str = ''
    title: str = ''
    description: str = ''
    examples: Sequence[str] = ()
    judges: Sequence[str] = ()
    splits: Sequence[str] | None = None
    required: Sequence[str] | None = None
    further_splits: Sequence[str] = ()
    corpus: str | None = None
    num_lines: int | None = None
    opens_model: bool = True
    real_alone: bool = False
    takes_systems: bool = False
    takes_against: bool = True
    by_system: bool = False
    by_seed: bool = True
    square: bool = True
    options: Sequence[Option] = ()
    directions: Mapping[str, str | None] = {}
    kinds: Mapping[str, str] = KINDS

    def open(self, request: Request) -> Any:
        """What it needs besides model and judges, opened before anything is written: what is missing shows.

        Args:
            request: Request.

        Returns:
            Anything; `task.opened`.
        """
        del request
        return None

    def first_model(self, request: Request, opened: Any) -> Any:
        """The model that the report tells of, for a protocol that does not have --model opened.

        Args:
            request: Request.
            opened: what `open` returned.

        Returns:
            Writer or another system, or None.
        """
        del request, opened
        return None

    def corpus_settings(self, opened: Any) -> dict[str, Any] | None:
        """How its own corpus is written where it is absent; None: as the corpus of that name is.

        Args:
            opened: what `open` returned.
        """
        del opened
        return None

    def conditions(self, request: Request) -> dict[str, Any]:
        """What must be equal for two results to be comparable, as far as it is known before measuring.

        Args:
            request: Request.

        Returns:
            dict of JSON values.
        """
        del request
        return {}

    def measure(self, task: Task) -> Findings:
        """Measures.

        Args:
            task: Task.

        Returns:
            Findings.
        """
        raise NotImplementedError(f'{type(self).__name__}.measure')

    def sheets(self, task: Task, found: Findings) -> list[tuple[str, str]]:
        """Writes the pictures of the report, and what else shall stand beside the result.

        Args:
            task: Task; `task.place(name)` is the path of a file of the report.
            found: Findings.

        Returns:
            list of (file name of a picture, caption).
        """
        del task, found
        return []

    def conclude(self, task: Task, found: Findings, result: dict[str, Any] | None) -> None:
        """Does what is left when the result is written.

        Args:
            task: Task.
            found: Findings.
            result: dict that was written; None: there was no figure.

        Raises:
            ProtocolError: what could not be measured, where the report tells of all else.
        """
