"""Phases that a call with `--max_minutes` cut short: kept in the run's `plan.json`, so that whoever goes
on with the run agrees.
"""

import json
import os

from hwgen import files
from hwgen.training.interface import Plan
from hwgen.training.run_directory import OtherRunError, writing


class PhaseCuts:
    """The cuts of a run.

    With them the schedule is a pure function of the number of steps done: a cut beyond the checkpoint that a
    run goes on from has not happened.

    Args:
        run_dir: the run's folder.
        planned: the plan as the flags have it.

    Raises:
        OtherRunError: plan.json is not what was written there.
    """

    def __init__(self, run_dir: str, planned: Plan):
        self._file, self.planned = os.path.join(run_dir, 'plan.json'), planned
        self._steps: list[int] = []
        if os.path.exists(self._file):
            try:
                with open(self._file, encoding='utf-8') as stream:
                    self._steps = [int(cut['at_step']) for cut in json.load(stream)['cuts']]
                self._applied()
            except (ValueError, KeyError, TypeError) as error:
                raise OtherRunError(
                    f'{self._file} does not say where the phases of this run were cut short ({error!r}):'
                    ' restore it, or give another --run_dir'
                ) from None

    def resume(self, step: int) -> Plan:
        """The plan of a run that goes on after `step` steps; cuts beyond it are forgotten.

        Raises:
            RunDirectoryError: that cannot be recorded.
        """
        kept = [at for at in self._steps if at <= step]
        if kept != self._steps:
            self._steps = kept
            self._write()
        return self._applied()[0]

    def add(self, step: int) -> Plan:
        """Ends the phase under way after `step` steps, and records it.

        Returns:
            The plan from here on.

        Raises:
            RunDirectoryError: it cannot be recorded.
        """
        self._steps.append(step)
        self._write()
        return self._applied()[0]

    def _applied(self):
        """The schedule with all cuts, and what each of them did."""
        schedule, rows = self.planned, []
        for at in self._steps:
            phase, within, planned = schedule.place(at)
            rows.append(dict(at_step=at, phase=phase, steps=within, planned_steps=planned))
            schedule = schedule.cut(at)
        return schedule, rows

    def _write(self):
        with writing(self._file):
            files.write_json(self._file, dict(cuts=self._applied()[1]))
