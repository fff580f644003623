"""The outer loop of a run: steps, resuming, checkpoints, summaries, stopping.

The maths of a step is in `gan.py`.
"""

import contextlib
import json
import os
import time
from typing import IO

import numpy as np
import tensorflow as tf

from hwgen.settings.train import RunSettings
from hwgen.training import averaging, distribution, measures
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.phase_cuts import PhaseCuts
from hwgen.training.run_directory import RunDirectory
from hwgen.training.sampling import Sampler
from hwgen.training.step_inputs import StepInputs
from hwgen.training.stop_signals import StopSignals
from hwgen.training.summaries import RunLog
from hwgen.training.time_limit import TimeLimit

_RUN = RunSettings()  # whose defaults are ours


class NonFiniteLossError(RuntimeError):
    """A loss, a gradient norm or a weight is not finite."""


class TrainingLoop:
    """Runs a schedule to its end, or until a signal, a step, or a time.

    Args:
        trainer: GanTrainer.
        schedule: Schedule.
        batches: LineBatches of the training split.
        texts: TextSampler of what to write.
        charset: Charset.
        run_dir: str; made if absent.
        config: dict of JSON values, written to config.json; a run that goes on must agree with it
            (`RunDirectory`).
        sample_every, checkpoint_every, log_every: int, steps.
        checkpoint_minutes: float, a checkpoint is written as well when the last one is so old; None: never.
        keep_checkpoints: int.
        validation: LineBatches of unseen writers, for the recognisers' error; or None.
        initialize: function without arguments that gives the models their first weights and returns a line
            for the log; called where the run starts and not where it goes on; or None.
        mixed: MixedLines of what the discriminator takes for real beside drawn lines; None: the lines of
            `batches`.
        stream: file for what is told; None: standard output.

    Raises:
        OtherRunError: `run_dir` holds a run of other flags, or another process trains there.
        OSError: `run_dir` cannot be made.
    """

    def __init__(
        self,
        trainer,
        schedule,
        *,
        batches,
        texts,
        charset,
        run_dir,
        config,
        sample_every: int = _RUN.sample_every,
        checkpoint_every: int = _RUN.checkpoint_every,
        checkpoint_minutes: float | None = None,
        log_every: int = _RUN.log_every,
        keep_checkpoints: int = _RUN.keep_checkpoints,
        validation=None,
        initialize=None,
        mixed=None,
        stream: IO[str] | None = None,
    ):
        self.trainer, self.schedule, self.batches, self.texts, self.mixed = (
            trainer,
            schedule,
            batches,
            texts,
            mixed,
        )
        self.run_dir, self.config, self.initialize = run_dir, config, initialize
        self.sample_every, self.checkpoint_every, self.log_every = sample_every, checkpoint_every, log_every
        self.checkpoint_minutes = checkpoint_minutes
        self._folder = RunDirectory(run_dir, config)
        self._cuts = PhaseCuts(run_dir, schedule)
        self.log = RunLog(run_dir, total_steps=schedule.total_steps, stream=stream)
        self.checkpoints = Checkpoints(
            os.path.join(run_dir, 'checkpoints'),
            trainer.trackables(),
            keep=keep_checkpoints,
            every=checkpoint_every,
        )
        self.sampler = Sampler(
            trainer,
            batches=batches,
            texts=texts,
            charset=charset,
            log=self.log,
            longest_lines=schedule.longest_lines,
            validation=validation,
        )
        self.signals = StopSignals(self.log.say_from_handler)
        self._saved = None  # the newest checkpoint: (step, path)
        self._follow(schedule)

    def run(self, *, max_steps=None, max_minutes=None, divide_minutes=True, started=None):
        """Trains.

        Args:
            max_steps: int, last step of this call (counted from the run's start); None for the schedule's
                end.
            max_minutes: float, minutes of this call; None for no limit. Where they do not suffice for all
                phases, each that is to come gets its share (`TimeLimit`); a phase that is cut short so stays
                so (`PhaseCuts`).
            divide_minutes: bool, False: phases are never cut, the call ends wherever it is.
            started: float of `time.monotonic`, from when on minutes count; None: now.

        Returns:
            dict: state ('finished' | 'interrupted' | 'stopped'), step, schedule (Schedule, as it was cut),
                checkpoint, sheet, model (paths; the last None where the generator has learned nothing yet,
                the last two where a signal came before the first step).

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
            total = self.schedule.total_steps
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
                if step >= self.schedule.total_steps
                else 'interrupted'
                if self._told_to_stop()
                else 'stopped'
            )
            self.log.record(step, dict(state=state, minutes=round((time.monotonic() - start) / 60.0, 2)))
            return dict(
                state=state, step=step, schedule=self.schedule, checkpoint=path, **self._close(step, first)
            )

    def _follow(self, schedule):
        """Takes a schedule for what is to come.

        Steps that are done are the same in it; what was read ahead is not used.
        """
        if schedule != self.schedule:
            self.batches.limit(schedule.max_characters)
        self.schedule = schedule
        self.inputs = StepInputs(self.batches, self.texts, schedule=schedule, mixed=self.mixed)
        self.log.total_steps = schedule.total_steps

    def _last_step(self, max_steps):
        total = self.schedule.total_steps
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
        iterator = distribution.distribute(self.trainer.strategy, self.inputs.dataset(step))
        # kept: metric -> [(step, value)] since the last line of the log; aside: seconds of it spent on sheets
        # and checkpoints
        kept, last_time, last_step, waited, aside = {}, time.monotonic(), step, 0.0, 0.0
        last_save, said = last_time, None
        while step < self._last_step(max_steps) and not self._told_to_stop():
            asked = limit.asks(step, self.schedule, self._last_step(max_steps))
            if asked == 'stop':
                break
            if asked == 'cut':
                self._cut(step)
                iterator = distribution.distribute(self.trainer.strategy, self.inputs.dataset(step))
                continue
            phase = self.schedule.place(step)[0]
            if phase != said:
                self.log.say(
                    f'{measures.phase_name(phase, self.schedule)}: building its steps, which takes up to a'
                    ' minute before the next line'
                )
                said = phase
            before = time.monotonic()
            inputs = self._next(iterator, step, kept)
            waited += time.monotonic() - before
            if self.schedule.starts_to_draw(step):
                self._draw_like_real_lines()
            metrics = self._one_step(step, phase, *inputs)
            step += 1
            for key, value in metrics.items():
                kept.setdefault(key, []).append((step, value))
            if step % self.log_every == 0 or step == self._last_step(max_steps):
                values = self._means(kept)
                now = time.monotonic()
                seconds = max(now - last_time - aside, 1e-9)
                rate = (step - last_step) / seconds
                # Share of the interval that the step waited for its data: near zero unless the pipeline
                # starves it.
                values['time/data_wait_share'] = waited / seconds
                values['time/steps_per_sec'] = rate
                self.log.scalars(step, phase, values)
                self.log.progress(
                    step,
                    phase,
                    values,
                    schedule=self.schedule,
                    rate=rate,
                    remaining_sec=min((self._last_step(max_steps) - step) / rate, limit.remaining_sec()),
                )
                kept, last_time, last_step, waited, aside = {}, now, step, 0.0, 0.0
            before = time.monotonic()
            if step % self.sample_every == 0:
                self._means(kept)  # nobody wants to see sheets of weights that are not finite
                self._sample(step)
                limit.closing_sec = time.monotonic() - before
            if step % self.checkpoint_every == 0 or self._is_old(last_save):
                self._save(step, kept)
                last_save = time.monotonic()
            aside += time.monotonic() - before
        self._means(kept)
        return step

    def _is_old(self, last_save):
        return (
            self.checkpoint_minutes is not None
            and time.monotonic() - last_save >= 60.0 * self.checkpoint_minutes
        )

    def _cut(self, step):
        """Ends the phase under way, as the time that it has is over."""
        phase, within, planned = self.schedule.place(step)
        name = measures.phase_name(phase, self.schedule)
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

    def _one_step(self, step, phase, batch, texts, real):
        trainer, schedule = self.trainer, self.schedule
        metrics = {}
        if schedule.updates_recognizers(step):
            scale = schedule.rate_scale(step) if phase == 'recognizers' else schedule.rate_floor
            metrics.update(trainer.recognizer_step(batch, rate_scale=scale))
        warm = phase == 'adversarial' and schedule.place(step)[1] >= schedule.discriminator_warmup_steps
        if schedule.updates_by_reconstruction(step):
            scale = schedule.reconstruction_scale(step)
            if phase == 'adversarial' and trainer.settings.reconstruction_discriminator_weight:
                metrics.update(
                    trainer.adversarial_reconstruction_step(batch, rate_scale=scale, judge_scale=float(warm))
                )
            else:
                metrics.update(trainer.reconstruction_step(batch, rate_scale=scale))
        if schedule.updates_by_drawn_lines(step):
            metrics.update(
                trainer.adversarial_step(
                    batch,
                    texts,
                    real=real or None,
                    rate_scale=schedule.rate_scale(step),
                    update_generator=warm,
                )
            )
        return metrics

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
        for name, item in self.trainer.trackables().items():
            for variable in [item] if isinstance(item, tf.Variable) else item.variables:
                if not np.isfinite(np.asarray(variable)).all():
                    bad.append(f'{name}/{getattr(variable, "path", variable.name)}')
        if bad:
            self._refuse(bad, step)

    def _refuse(self, names, step):
        self.log.record(step, dict(state='not finite', metrics=names))
        last = self._saved[1] if self._saved else 'none'
        more = f' and {len(names) - 6} more' if len(names) > 6 else ''
        raise NonFiniteLossError(
            f'{", ".join(names[:6])}{more}: not finite at step {step}; last good checkpoint: {last}'
        )

    def _sample(self, step):
        """Writes the sample sheets of a step; returns the path of the main one."""
        with self.sampler.ready_to_write(styles_learned=self.schedule.has_reconstructed(step)):
            return self.sampler.sample(step)

    def _draw_like_real_lines(self):
        """From here on the drawn styles of training are like those of real lines (`StyleSpace`); the
        averaged generator follows.
        """
        model = self.trainer.model
        found = averaging.styles_of_lines(model.style_encoder, self.batches)
        for generator in (model.generator, model.average):
            generator.style_space.fit(*found)

    def _close(self, step, first):
        """Last sheets and the averaged generator as files; where this call made no step, those that are
        there are fine.
        """
        folder = os.path.join(self.run_dir, 'model')
        sheet = os.path.join(self.run_dir, 'samples', f'seen-{step:06d}.png')
        # A generator that is to learn and has not yet is none to write with.
        learned = self.schedule.generator_steps(step) or not self.schedule.generator_steps(
            self.schedule.total_steps
        )
        if step == first and step and os.path.exists(sheet) and (not learned or _step_of(folder) == step):
            return dict(sheet=sheet, model=folder if learned else None)
        if step == first == 0 and self._told_to_stop():
            return dict(sheet=None, model=None)
        self.log.say(
            'writing sample sheets and model, which takes up to a minute'
            if learned
            else 'writing sample sheets, which takes up to a minute'
        )
        info = {key: self.config[key] for key in ('command', 'seed', 'version', 'data') if key in self.config}
        with self.sampler.ready_to_write(styles_learned=self.schedule.has_reconstructed(step)):
            return dict(
                sheet=self.sampler.sample(step),
                model=self.sampler.save_model(step, info, seen=self.config.get('seen')) if learned else None,
            )

    def _told_to_stop(self):
        """By a signal, or as whoever read the output has left (`| head`)."""
        return self.signals.told or self.log.unheard


def _step_of(folder):
    """The step that an artefact was written at; None where there is no good one."""
    try:
        with open(os.path.join(folder, 'generator.json'), encoding='utf-8') as stream:
            return json.load(stream)['info']['step']
    except (OSError, ValueError, KeyError, TypeError):
        return None
