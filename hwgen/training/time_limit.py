"""The minutes of one call, divided over the phases that are still to come."""

import time

from hwgen.training.interface import Plan


class TimeLimit:
    """Says when a call should leave a phase, and when it should end.

    Each phase gets the share of the time that its steps are of all that are left: so a generator that is to
    learn after its recognisers does learn, however short the time. A phase that is through early leaves its
    time to the later ones. Time is kept for the sheets and the model that a call ends with: as much as sheets
    took, or, while none were drawn, as long as the first step with its building took; at most a quarter of
    all.

    Args:
        minutes: from `started` on; None: no limit.
        started: of `time.monotonic`.
        divide: False: no phase is left early.

    Attributes:
        closing_sec: what the end of the call will take; set it once it is known.
    """

    def __init__(self, minutes: float | None, *, started: float, divide: bool = True):
        self._minutes, self._started, self._divide = minutes, started, divide
        self.closing_sec: float | None = None
        self._begun: float | None = None
        self._first_step_sec: float | None = None
        self._phase: tuple[str, int, float] | None = (
            None  # (name, step at which it was entered, when its share ends)
        )

    def asks(self, step: int, plan: Plan, stop_at: int) -> str | None:
        """What the time asks for before the step after `step`; to be called before each step of a call.

        Args:
            step: steps done.
            plan: of the run.
            stop_at: the call's last step.

        Returns:
            'stop', 'cut' (the phase under way ends here), or None. A call makes at least one step, and one of
            each phase that it enters.
        """
        if self._minutes is None:
            return None
        now = time.monotonic()
        first = self._begun is None
        if self._begun is None:
            self._begun = now
        elif self._first_step_sec is None:
            # shares anew, as it is known what the end takes
            self._first_step_sec, self._phase = now - self._begun, None
        end = self._end(self._minutes)
        if now >= end and not first:
            return 'stop'
        phase = plan.place(step)[0]
        left = {
            name: min(steps, stop_at - start) for name, start, steps in _ahead(plan, step) if start < stop_at
        }
        if self._phase is None or self._phase[0] != phase:
            self._phase = phase, step, now + (end - now) * left[phase] / sum(left.values())
            return None
        later = len(left) - 1
        if (
            self._divide
            and later
            and now >= self._phase[2]
            and step > self._phase[1]
            and end - now > later * (self._first_step_sec or 0.0)
        ):
            return 'cut'
        return None

    def remaining_sec(self) -> float:
        """Seconds until the last step, infinite without a limit."""
        return float('inf') if self._minutes is None else self._end(self._minutes) - time.monotonic()

    def _end(self, minutes):
        closing = self._first_step_sec or 0.0 if self.closing_sec is None else self.closing_sec
        return self._started + 60.0 * minutes - min(closing, 15.0 * minutes)


def _ahead(plan, step):
    """(phase, its first step that is to come, how many are) of the phases that are not over."""
    start = 0
    for phase, steps in plan.phases().items():
        if start + steps > step:
            yield phase, max(start, step), start + steps - max(start, step)
        start += steps
