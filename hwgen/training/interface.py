"""What `TrainingLoop` asks of whatever it trains: four small protocols.

A new kind of model brings a `Training` (its networks and steps), `Inputs` (what they read), `Samples` (what a
person is shown of a run) and a `Plan` (how many steps of what), and the loop resumes it, saves it, cuts and
stops it as it does HCT-GAN, for which these are `GanTraining`, `StepInputs`, `Sampler` and `Schedule`.
docs/extending.md has an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import tensorflow as tf

PlanT = TypeVar('PlanT', bound='Plan')


class Plan(Protocol):
    """How many steps of which phases; a pure function of the step number."""

    @property
    def total_steps(self) -> int:
        """Steps of all phases."""

    def phases(self) -> Mapping[str, int]:
        """The phases that have steps, in order, with their numbers of steps."""

    def place(self, step: int) -> tuple[str, int, int]:
        """Phase of a step (counted from 0), the step within it, and the phase's length."""

    def cut(self: PlanT, step: int) -> PlanT:
        """The plan whose phase of that time ends after `step` steps; all before is as it was."""


class Training(Protocol):
    """Networks and the steps that train them."""

    @property
    def strategy(self) -> tf.distribute.Strategy:
        """Over which replicas the steps run."""

    def trackables(self) -> dict[str, Any]:
        """Networks, optimizers and variables by the name that each has in a checkpoint: everything that a
        run which goes on needs to end with the bits of one that was never interrupted.
        """

    def prepare(self, step: int, plan: Any, inputs: Any) -> None:
        """Called before every step, for what has to be done once, before a certain one.

        Args:
            step: counted from 0.
            plan: of the run.
            inputs: the run's `Inputs`.
        """

    def update(self, step: int, plan: Any, read: Any) -> Mapping[str, Any]:
        """All updates of one step.

        Args:
            step: counted from 0.
            plan: of the run.
            read: the step's element of `Inputs.dataset`, for the replicas (`distribution.distribute`).

        Returns:
            Float scalars; keys are paths such as `loss/pixel`. One that is not finite ends the run.
        """


class Inputs(Protocol):
    """What the steps read, as a pure function of the step."""

    def follow(self, plan: Any) -> None:
        """Takes a plan for what is to come: at the start of a run, and where a phase was cut short."""

    def dataset(self, start_step: int) -> tf.data.Dataset:
        """The inputs from a step on, in order, without an end."""

    def check(self, step: int) -> None:
        """Reads the lines of a step outside TensorFlow, whose errors wrap what is wrong with a record.

        Raises:
            RecordError: a damaged record.
        """


class Samples(Protocol):
    """What a person is shown of a run. Whoever looks at a run changes nothing of it."""

    def sample(self, step: int, plan: Any) -> str | None:
        """Writes what there is to see after `step` steps; returns the path of the main picture, if any."""

    def close(
        self, step: int, plan: Any, *, first: int, config: Mapping[str, Any], stopped: bool
    ) -> dict[str, str | None]:
        """What a call leaves behind at its end.

        Args:
            step: steps done.
            plan: of the run.
            first: steps that were done before this call; equal to `step` where it made none.
            config: config.json of the run.
            stopped: the user is waiting for the program to end.

        Returns:
            `sheet`, the main picture, and `model`, the folder of what was trained: paths or None.
        """
