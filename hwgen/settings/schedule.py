"""Which step is of which phase: recognisers, reconstruction, adversarial; a pure function of the step
number.
"""

import dataclasses
import math
from typing import Any, ClassVar

from hwgen.settings.setting import check, setting

PHASES = ('recognizers', 'reconstruction', 'adversarial')
_LENGTHS = dict(zip(PHASES, ('recognizer_steps', 'reconstruction_steps', 'adversarial_steps'), strict=True))


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Lengths of the phases and what happens within them. 0, 0, n steps are the paper's pure GAN."""

    SECTION: ClassVar[str] = 'Schedule'

    recognizer_steps: int = setting(
        4000, 'Steps of phase 1, recognisers on real lines; 0 skips it.', unit='steps', lower=0
    )
    reconstruction_steps: int = setting(
        22000, 'Steps of phase 2, reconstruction; 0 skips it.', unit='steps', lower=0
    )
    adversarial_steps: int = setting(
        0, 'Steps of phase 3, generator against discriminator; 0 skips it.', unit='steps', lower=0
    )
    game: str = setting(
        'paper',
        "How phase 3 is played: the paper's way, lines of drawn styles and texts before a discriminator and"
        ' the recognisers; or by pairs, each real line beside its reconstruction and beside the same text in'
        ' a drawn hand before a judge of patches (see the section Game of pairs).',
        choices=('paper', 'pairs'),
    )
    discriminator_warmup_steps: int = setting(
        200,
        'First steps of phase 3 that update the discriminator alone: the balance would amplify the gradient'
        ' of one that knows nothing yet. With --game=pairs, steps over which the weights of the judge and of'
        ' SRM grow from 0, beside the reconstruction.',
        unit='steps',
        lower=0,
    )
    recognizer_every: int = setting(
        0, 'After phase 1, one recogniser update in so many steps; 0: none.', lower=0
    )
    reconstruction_every: int = setting(
        2,
        'In phase 3, one reconstruction step in so many; 0: none. Not with --game=pairs, where every step'
        ' holds one.',
        lower=0,
    )
    adversarial_every: int = setting(
        1,
        'In phase 3, one step on lines of drawn styles in so many; 0: none. Not with --game=pairs.',
        lower=0,
    )
    reconstruction_floor: float = setting(
        0.25,
        "Scale of the reconstruction step's rate at the end of phase 3, to which it fades from 1.",
        flag='',
    )
    rate_floor: float = setting(
        0.1, 'Share of its learning rate at which a phase ends (cosine).', lower=0.0, upper=1.0
    )
    shortest_lines: int = setting(
        2, 'Characters of the longest line when phases 1 and 2 start.', unit='characters', lower=1
    )
    longest_lines: int = setting(
        8, 'Characters of the longest line; longer ones of the data are left out.', unit='characters', lower=1
    )
    growing_steps: int = setting(
        500, 'Steps over which lines grow from short to long; 0: long at once.', unit='steps', lower=0
    )

    def __post_init__(self):
        check(self)
        object.__setattr__(self, 'shortest_lines', min(self.shortest_lines, self.longest_lines))

    @property
    def total_steps(self) -> int:
        """Steps of all phases."""
        return self.recognizer_steps + self.reconstruction_steps + self.adversarial_steps

    def phases(self) -> dict[str, int]:
        """The phases that have steps, in order: dict phase -> steps."""
        lengths = {phase: getattr(self, name) for phase, name in _LENGTHS.items()}
        return {phase: steps for phase, steps in lengths.items() if steps}

    def done(self, step: int) -> dict[str, int]:
        """Of each phase that has steps, how many are among the first `step`: dict phase -> steps."""
        found = {}
        for phase, steps in self.phases().items():
            found[phase] = min(step, steps)
            step -= found[phase]
        return found

    def cut(self, step: int) -> 'Schedule':
        """The schedule whose phase of that time ends after `step` steps; all before is as it was.

        Raises:
            ValueError: a step beyond the last.
        """
        phase, within, _ = self.place(step)
        shorter: dict[str, Any] = {_LENGTHS[phase]: within}
        return dataclasses.replace(self, **shorter)

    def place(self, step: int) -> tuple[str, int, int]:
        """Phase of a step (counted from 0), the step within it, and the phase's length.

        Raises:
            ValueError: a step beyond the last.
        """
        start = 0
        for phase, steps in self.phases().items():
            if step < start + steps:
                return phase, step - start, steps
            start += steps
        raise ValueError(f'step {step}: the schedule has {self.total_steps} steps')

    def rate_scale(self, step: int) -> float:
        """Scale of the phase's learning rates: a short linear warm-up, then a cosine from 1 to
        `rate_floor`.
        """
        _, within, steps = self.place(step)
        warm = min(1.0, (within + 1) / 100.0)
        return warm * (
            self.rate_floor + (1.0 - self.rate_floor) * 0.5 * (1.0 + math.cos(math.pi * within / steps))
        )

    def reconstruction_scale(self, step: int) -> float:
        """Scale of the reconstruction step's rate: the phase's own, or the fading one of the adversarial
        phase.
        """
        phase, within, steps = self.place(step)
        if phase != 'adversarial':
            return self.rate_scale(step)
        # It starts where the warm-up's cosine ended, so that the generator is not shaken.
        return self.rate_floor * (1.0 - (1.0 - self.reconstruction_floor) * within / steps)

    def max_characters(self, step: int) -> int:
        """Characters of the longest line at a step: short lines first, since alignment is learned on them
        soonest.
        """
        if step >= self.total_steps or not self.growing_steps:
            return self.longest_lines
        phase, within, _ = self.place(step)
        if phase == 'adversarial' or within >= self.growing_steps:
            return self.longest_lines
        return self.shortest_lines + (self.longest_lines - self.shortest_lines) * within // self.growing_steps

    def updates_recognizers(self, step: int) -> bool:
        """Whether the recognisers are updated at a step."""
        phase, within, _ = self.place(step)
        return phase == 'recognizers' or bool(self.recognizer_every and within % self.recognizer_every == 0)

    def updates_by_reconstruction(self, step: int) -> bool:
        """Whether generator and style encoder get a reconstruction step."""
        phase, within, _ = self.place(step)
        return phase == 'reconstruction' or bool(
            phase == 'adversarial'
            and self.game == 'paper'
            and self.reconstruction_every
            and within % self.reconstruction_every == 0
        )

    def generator_steps(self, step: int) -> int:
        """How many of the first `step` steps teach the generator."""

        def teaches(s):
            _, within, _ = self.place(s)
            return (
                self.updates_by_reconstruction(s)
                or self.updates_by_pairs(s)
                or self.updates_by_drawn_lines(s)
                and within >= self.discriminator_warmup_steps
            )

        return sum(map(teaches, range(min(step, self.total_steps))))

    def has_reconstructed(self, step: int) -> bool:
        """Whether `step` steps taught the style encoder anything."""
        start = self.recognizer_steps + (0 if self.reconstruction_steps else self.total_steps)
        rebuilds = self.game == 'pairs' or self.reconstruction_every
        return step > start or bool(rebuilds and step > self.total_steps - self.adversarial_steps)

    def starts_to_draw(self, step: int) -> bool:
        """Whether the style space is fitted before a step: the first that draws styles, where the style
        encoder has learned any. By pairs always: where it has not learned in this run, it came with the
        weights that the run starts from (a new one says N(0, 1) of all lines, nearly).
        """
        phase, within, _ = self.place(step)
        return (
            phase == 'adversarial' and not within and (self.game == 'pairs' or self.has_reconstructed(step))
        )

    def updates_by_pairs(self, step: int) -> bool:
        """Whether judge, generator and style encoder get a step of the game of pairs."""
        return self.game == 'pairs' and self.place(step)[0] == 'adversarial'

    def judge_scale(self, step: int) -> float:
        """In the game of pairs, scale of the weights of the judge and of SRM: from 0 to 1 while the judge
        warms up.
        """
        _, within, _ = self.place(step)
        warmup = self.discriminator_warmup_steps
        return 1.0 if within >= warmup else within / warmup

    def updates_by_drawn_lines(self, step: int) -> bool:
        """Whether discriminator and generator get a step on lines of drawn styles."""
        phase, within, _ = self.place(step)
        return bool(
            phase == 'adversarial'
            and self.game == 'paper'
            and self.adversarial_every
            and within % self.adversarial_every == 0
        )
