"""The outer loop of a run: steps, resuming, checkpoints, summaries, stopping.

The maths of a step is in `hwgen.training.steps`.
"""

import contextlib
import os
import time
from collections.abc import Callable
from typing import IO, Any

import numpy as np
import tensorflow as tf

from hwgen.settings.train import RunSettings
from hwgen.training import distribution, measures
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.interface import Inputs, Plan, Samples, Training
from hwgen.training.phase_cuts import PhaseCuts
from hwgen.training.run_directory import RunDirectory
from hwgen.training.stop_signals import StopSignals
from hwgen.training.summaries import RunLog
from hwgen.training.time_limit import TimeLimit

_RUN = RunSettings()  # whose defaults are ours


class NonFiniteLossError(RuntimeError):
    """A loss, a gradient norm or a weight is not finite."""


class _Interval:
    """The steps since the last line of the log: what they told, and where their time went.

    Attributes:
        first: steps done when it began, at `begun` of `time.monotonic`.
        kept: by metric the pairs (step, value).
        waited, aside: seconds that were spent on waiting for lines, and on sheets and checkpoints.
    """

    def __init__(self, first: int, begun: float):
        self.first, self.begun = first, begun
        self.kept: dict[str, list[tuple[int, Any]]] = {}
        self.waited = self.aside = 0.0

    def keep(self, step, metrics):
        """Takes the metrics of a step."""
        for key, value in metrics.items():
            self.kept.setdefault(key, []).append((step, value))


class TrainingLoop:
    """Runs a plan to its end, or until a signal, a step, or a time. What is trained it knows by the protocols
    of `interface.py` alone.

    Args:
        training: the networks and their steps (`GanTraining`).
        plan: how many steps of what (`Schedule`).
        inputs: what the steps read (`StepInputs`).
        samples: called with the run's log, gives what is shown of the run (`Sampler`).
        run_dir: made if absent.
        config: JSON values, written to config.json; a run that goes on must agree with it (`RunDirectory`).
        sample_every, checkpoint_every, log_every: steps.
        checkpoint_minutes: a checkpoint is written as well when the last one is so old; None: never.
        keep_checkpoints: how many stay.
        initialize: gives the models their first weights and returns a line for the log; called where the run
            starts and not where it goes on; or None.
        stream: file for what is told; None: standard output.

    Raises:
        OtherRunError: `run_dir` holds a run of other flags, or another process trains there.
        OSError: `run_dir` cannot be made.
    """

    def __init__(
        self,
        training: Training,
        plan: Plan,
        *,
        inputs: Inputs,
        samples: Callable[[RunLog], Samples],
        run_dir: str,
        config: dict[str, Any],
        sample_every: int = _RUN.sample_every,
        checkpoint_every: int = _RUN.checkpoint_every,
        checkpoint_minutes: float | None = None,
        log_every: int = _RUN.log_every,
        keep_checkpoints: int = _RUN.keep_checkpoints,
        initialize: Callable[[], str] | None = None,
        stream: IO[str] | None = None,
    ):
        self.training, self.plan, self.inputs = training, plan, inputs
        self.run_dir, self.config, self.initialize = run_dir, config, initialize
        self.sample_every, self.checkpoint_every, self.log_every = sample_every, checkpoint_every, log_every
        self.checkpoint_minutes = checkpoint_minutes
        self._folder = RunDirectory(run_dir, config)
        self._cuts = PhaseCuts(run_dir, plan)
        self.log = RunLog(run_dir, total_steps=plan.total_steps, stream=stream)
        self.checkpoints = Checkpoints(
            os.path.join(run_dir, 'checkpoints'),
            training.trackables(),
            keep=keep_checkpoints,
            every=checkpoint_every,
        )
        self.samples = samples(self.log)
        self.signals = StopSignals(self.log.say_from_handler)
        self._saved: tuple[int, str] | None = None  # the newest checkpoint: (step, path)
        self._follow(plan)

    def run(
        self,
        *,
        max_steps: int | None = None,
        max_minutes: float | None = None,
        divide_minutes: bool = True,
        started: float | None = None,
    ) -> dict[str, Any]:
        """Trains.

        Args:
            max_steps: last step of this call (counted from the run's start); None for the plan's end.
            max_minutes: minutes of this call; None for no limit. Where they do not suffice for all phases,
                each that is to come gets its share (`TimeLimit`); a phase that is cut short so stays so
                (`PhaseCuts`).
            divide_minutes: False: phases are never cut, the call ends wherever it is.
            started: of `time.monotonic`, from when on minutes count; None: now.

        Returns:
            state ('finished' | 'interrupted' | 'stopped'), step, schedule (the plan, as it was cut),
            checkpoint (its path), and what `Samples.close` left: sheet, model.

        Raises:
            NonFiniteLossError: naming the metrics or weights, the step and the last good checkpoint.
            CheckpointError: checkpoints that do not fit, or that cannot be written.
            RunDirectoryError: another file of the run cannot be written.
            RecordError: a damaged record; what was learned until then is saved.
            KeyboardInterrupt: a second signal.
        """
        start = time.monotonic() if started is None else started
        limit = TimeLimit(max_minutes, started=start, divide=divide_minutes)
        with contextlib.closing(self._folder), contextlib.closing(self.log), self.signals.heeded():
            first = self._resume()
            total = self.plan.total_steps
            if first >= self._last_step(max_steps) and first:
                self.log.say(
                    f'finished at step {first} before: nothing left to do'
                    if first >= total
                    else f'step {first} is done and no more were asked for (--max_steps={max_steps})'
                )
            step = self._steps(first, max_steps, limit)
            path = self._save(step)
            state = (
                'finished'
                if step >= self.plan.total_steps
                else 'interrupted'
                if self._told_to_stop()
                else 'stopped'
            )
            self.log.record(step, dict(state=state, minutes=round((time.monotonic() - start) / 60.0, 2)))
            left = self.samples.close(
                step, self.plan, first=first, config=self.config, stopped=self._told_to_stop()
            )
            return dict(state=state, step=step, schedule=self.plan, checkpoint=path, **left)

    def _follow(self, plan):
        """Takes a plan for what is to come.

        Steps that are done are the same in it; what was read ahead is not used.
        """
        self.plan = plan
        self.inputs.follow(plan)
        self.log.total_steps = plan.total_steps

    def _last_step(self, max_steps):
        total = self.plan.total_steps
        return total if max_steps is None else min(total, max_steps)

    def _resume(self):
        """Restores the newest good checkpoint, if any, and says so; returns the number of steps done."""
        step, path, unreadable = self.checkpoints.restore()
        for damaged, reason in unreadable:
            self.log.say(f'{damaged}: passed over: {reason}')
        self._follow(self._cuts.resume(step))
        if path:
            self._saved = step, path
            self.log.resume(step)
            self.log.say(f'resumed at step {step} from {path}')
            self.log.record(step, dict(resumed_at=step, checkpoint=path))
        elif self.log.has_records():
            other = ', with other flags' if self._folder.rewritten else ''
            self.log.resume(0)
            self.log.say(f'{self.run_dir}: an earlier start left no checkpoint; starting at step 0{other}')
            self.log.record(0, dict(resumed_at=0, checkpoint=None))
        if not path and self.initialize:
            self.log.say(f'starts from {self.initialize()}')
        return step

    def _steps(self, step, max_steps, limit):
        """Steps from `step` until the last one or a reason to stop; returns the number of steps done."""
        if step >= self._last_step(max_steps):
            return step
        iterator = distribution.distribute(self.training.strategy, self.inputs.dataset(step))
        interval, last_save, said = _Interval(step, time.monotonic()), time.monotonic(), None
        while step < self._last_step(max_steps) and not self._told_to_stop():
            asked = limit.asks(step, self.plan, self._last_step(max_steps))
            if asked == 'stop':
                break
            if asked == 'cut':
                self._cut(step)
                iterator = distribution.distribute(self.training.strategy, self.inputs.dataset(step))
                continue
            phase = self.plan.place(step)[0]
            if phase != said:
                self.log.say(
                    f'{measures.phase_name(phase, self.plan)}: building its steps, which takes up to a'
                    ' minute before the next line'
                )
                said = phase
            before = time.monotonic()
            read = self._next(iterator, step, interval.kept)
            interval.waited += time.monotonic() - before
            self.training.prepare(step, self.plan, self.inputs)
            metrics = self.training.update(step, self.plan, read)
            step += 1
            interval.keep(step, metrics)
            if step % self.log_every == 0 or step == self._last_step(max_steps):
                interval = self._tell(step, phase, interval, self._last_step(max_steps), limit)
            before = time.monotonic()
            if step % self.sample_every == 0:
                self._means(interval.kept)  # nobody wants to see sheets of weights that are not finite
                self.samples.sample(step, self.plan)
                limit.closing_sec = time.monotonic() - before
            if step % self.checkpoint_every == 0 or self._is_old(last_save):
                self._save(step, interval.kept)
                last_save = time.monotonic()
            interval.aside += time.monotonic() - before
        self._means(interval.kept)
        return step

    def _tell(self, step, phase, interval, last_step, limit):
        """Records what an interval has told, and shows it; returns the next one."""
        values, now = self._means(interval.kept), time.monotonic()
        seconds = max(now - interval.begun - interval.aside, 1e-9)
        rate = (step - interval.first) / seconds
        # Share of the interval that the step waited for its data: near zero unless the pipeline starves it.
        values['time/data_wait_share'] = interval.waited / seconds
        values['time/steps_per_sec'] = rate
        self.log.scalars(step, phase, values)
        remaining_sec = min((last_step - step) / rate, limit.remaining_sec())
        self.log.progress(step, phase, values, plan=self.plan, rate=rate, remaining_sec=remaining_sec)
        return _Interval(step, now)

    def _is_old(self, last_save):
        return (
            self.checkpoint_minutes is not None
            and time.monotonic() - last_save >= 60.0 * self.checkpoint_minutes
        )

    def _cut(self, step):
        """Ends the phase under way, as the time that it has is over."""
        phase, within, planned = self.plan.place(step)
        name = measures.phase_name(phase, self.plan)
        self._follow(self._cuts.add(step))
        self.log.record(step, dict(cut=phase, steps=within, planned_steps=planned))
        self.log.say(
            f'{name}: cut short after {within} of {planned} steps, so that what comes after it gets its share'
            ' of the minutes'
        )

    def _next(self, iterator, step, kept):
        """What the next step reads.

        Where the data are damaged, what was learned until then is saved first.
        """
        try:
            return next(iterator)
        except tf.errors.OpError:
            if step:
                path = self._save(step, kept)
                self.log.say(f'the data of step {step + 1} cannot be read; {step} steps are saved as {path}')
            self.inputs.check(step)
            raise

    def _save(self, step, kept=()):
        """Writes a checkpoint of finite weights, unless it is there already; returns its path."""
        if self._saved is None or self._saved[0] != step:
            self._means(dict(kept))
            self._check_weights(step)
            self._saved = step, self.checkpoints.save(step)
        return self._saved[1]

    def _means(self, kept):
        """Means of an interval's metrics, {metric: [(step, value)]}; refuses values that are not finite."""
        series = {key: [(step, float(value)) for step, value in pairs] for key, pairs in kept.items()}
        bad = sorted(
            (step, key) for key, pairs in series.items() for step, value in pairs if not np.isfinite(value)
        )
        if bad:
            first = bad[0][0]
            self._refuse([key for step, key in bad if step == first], first)
        return {key: float(np.mean([value for _, value in pairs])) for key, pairs in series.items()}

    def _check_weights(self, step):
        """Refuses weights that are not finite: a checkpoint of them is worse than none."""
        bad = []
        for name, item in self.training.trackables().items():
            bad += [
                f'{name}/{getattr(variable, "path", variable.name)}'
                for variable in ([item] if isinstance(item, tf.Variable) else item.variables)
                if not np.isfinite(np.asarray(variable)).all()
            ]
        if bad:
            self._refuse(bad, step)

    def _refuse(self, names, step):
        self.log.record(step, dict(state='not finite', metrics=names))
        last = self._saved[1] if self._saved else 'none'
        more = f' and {len(names) - 6} more' if len(names) > 6 else ''
        raise NonFiniteLossError(
            f'{", ".join(names[:6])}{more}: not finite at step {step}; last good checkpoint: {last}'
        )

    def _told_to_stop(self):
        """By a signal, or as whoever read the output has left (`| head`)."""
        return self.signals.told or self.log.unheard
