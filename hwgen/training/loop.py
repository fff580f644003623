"""The outer loop of a run: steps, resuming, checkpoints, summaries, stopping. The maths of a step is in `gan.py`."""

import contextlib
import json
import os
import signal
import threading
import time

import numpy as np
import tensorflow as tf
from PIL import Image

from hwgen.inference import artefact, styles
from hwgen.losses import ctc
from hwgen.training import distribution, sheets
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.run_directory import RunDirectory, writing
from hwgen.training.step_inputs import StepInputs
from hwgen.training.summaries import RunLog

SHOWN = {  # what the progress line tells of each phase
    'recognizers': ('loss/sequence_real', 'loss/spatial_real', 'metric/label_error_real'),
    'reconstruction': ('loss/pixel', 'loss/feature', 'loss/style_kl', 'loss/noise_kl', 'metric/label_error_real'),
    'adversarial': ('score/real', 'score/unlabelled', 'score/fake', 'metric/label_error_fake', 'loss/pixel', 'loss/feature',
                    'metric/label_error_real'),
}


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
        config: dict of JSON values, written to config.json; a run that goes on must agree with it (`RunDirectory`).
        sample_every, checkpoint_every, log_every: int, steps.
        keep_checkpoints: int.
        validation: LineBatches of unseen writers, for the recognisers' error; or None.
        initialize: function without arguments that gives the models their first weights and returns a line for the log;
            called where the run starts and not where it goes on; or None.
        mixed: MixedLines of what the discriminator takes for real beside drawn lines; None: the lines of `batches`.

    Raises:
        OtherRunError: `run_dir` holds a run of other flags, or another process trains there.
        OSError: `run_dir` cannot be made.
    """

    def __init__(self, trainer, schedule, *, batches, texts, charset, run_dir, config, sample_every=1000,
                 checkpoint_every=500, log_every=50, keep_checkpoints=3, validation=None, initialize=None, mixed=None):
        self.trainer, self.schedule = trainer, schedule
        self.batches, self.texts, self.charset, self.validation = batches, texts, charset, validation
        self.inputs = StepInputs(batches, texts, schedule=schedule, mixed=mixed)
        self.run_dir, self.config, self.initialize = run_dir, config, initialize
        self.sample_every, self.checkpoint_every, self.log_every = sample_every, checkpoint_every, log_every
        self._folder = RunDirectory(run_dir, config)
        self.log = RunLog(run_dir, total_steps=schedule.total_steps)
        self.checkpoints = Checkpoints(
            os.path.join(run_dir, 'checkpoints'), trainer.trackables(), keep=keep_checkpoints)
        info = batches.index.info
        self.sheets = sheets.SampleSheets(
            charset, vocabulary=info['vocabulary'], held_out=info.get('held_out', ()), seed=trainer.settings.seed,
            num_characters=min(8, schedule.longest_lines))
        self._signal = None
        self._saved = None  # the newest checkpoint: (step, path)

    def run(self, *, max_steps=None, max_minutes=None):
        """Trains.

        Args:
            max_steps: int, last step of this call (counted from the run's start); None for the schedule's end.
            max_minutes: float, minutes of this call; None for no limit.

        Returns:
            dict: state ('finished' | 'interrupted' | 'stopped'), step, checkpoint, sheet, model (paths; the last two None
            where a signal came before the first step).

        Raises:
            NonFiniteLossError: naming the metrics or weights, the step and the last good checkpoint.
            CheckpointError: checkpoints that do not fit, or that cannot be written.
            RunDirectoryError: another file of the run cannot be written.
            RecordError: a damaged record; what was learned until then is saved.
            KeyboardInterrupt: a second signal.
        """
        start = time.monotonic()
        with contextlib.closing(self._folder), contextlib.closing(self.log), self._signals():
            first = self._resume()
            total = self.schedule.total_steps
            stop_at = total if max_steps is None else min(total, max_steps)
            if first >= stop_at and first:
                self.log.say(f'finished at step {first} before: nothing left to do' if first >= total else
                             f'step {first} is done and no more were asked for (--max_steps={max_steps})')
            step = self._steps(first, stop_at, start, max_minutes)
            path = self._save(step)
            state = 'finished' if step >= total else 'interrupted' if self._told_to_stop() else 'stopped'
            self.log.record(step, dict(state=state, minutes=round((time.monotonic() - start) / 60., 2)))
            return dict(state=state, step=step, checkpoint=path, **self._close(step, first))

    def _resume(self):
        """Restores the newest good checkpoint, if any, and says so; returns the number of steps done."""
        step, path, unreadable = self.checkpoints.restore()
        for damaged, reason in unreadable:
            self.log.say(f'{damaged}: passed over: {reason}')
        if path:
            self._saved = step, path
            self.log.say(f'resumed at step {step} from {path}')
            self.log.record(step, dict(resumed_at=step, checkpoint=path))
        elif self.log.has_records():
            other = ', with other flags' if self._folder.rewritten else ''
            self.log.say(f'{self.run_dir}: an earlier start left no checkpoint; starting at step 0{other}')
            self.log.record(0, dict(resumed_at=0, checkpoint=None))
        if not path and self.initialize:
            self.log.say(f'starts from {self.initialize()}')
        return step

    def _steps(self, step, stop_at, start, max_minutes):
        """Steps from `step` until `stop_at` or a reason to stop; returns the number of steps done."""
        if step >= stop_at:
            return step
        iterator = distribution.distribute(self.trainer.strategy, self.inputs.dataset(step))
        # kept: metric -> [(step, value)] since the last line of the log; aside: seconds of it spent on sheets and checkpoints
        kept, last_time, last_step, waited, aside = {}, time.monotonic(), step, 0., 0.
        while step < stop_at and not self._told_to_stop():
            if max_minutes is not None and time.monotonic() - start > 60. * max_minutes:
                break
            before = time.monotonic()
            inputs = self._next(iterator, step, kept)
            waited += time.monotonic() - before
            phase = self.schedule.place(step)[0]
            metrics = self._one_step(step, phase, *inputs)
            step += 1
            for key, value in metrics.items():
                kept.setdefault(key, []).append((step, value))
            if step % self.log_every == 0 or step == stop_at:
                values = self._means(kept)
                now = time.monotonic()
                seconds = max(now - last_time - aside, 1e-9)
                rate = (step - last_step) / seconds
                # Share of the interval that the step waited for its data: near zero unless the pipeline starves it.
                values['time/data_wait_share'] = waited / seconds
                values['time/steps_per_sec'] = rate
                self.log.scalars(step, phase, values)
                shown = {key: values[key] for key in SHOWN[phase] if key in values}
                remaining = (stop_at - step) / rate
                if max_minutes is not None:
                    remaining = min(remaining, 60. * max_minutes - (now - start))
                self.log.progress(step, phase, shown, rate=rate, remaining_sec=remaining)
                kept, last_time, last_step, waited, aside = {}, now, step, 0., 0.
            before = time.monotonic()
            if step % self.sample_every == 0:
                self._means(kept)  # nobody wants to see sheets of weights that are not finite
                self._sample(step)
            if step % self.checkpoint_every == 0:
                self._save(step, kept)
            aside += time.monotonic() - before
        self._means(kept)
        return step

    def _next(self, iterator, step, kept):
        """What the next step reads. Where the data are damaged, what was learned until then is saved first."""
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

    @contextlib.contextmanager
    def _signals(self):
        """Within it SIGTERM, SIGINT and a closed terminal end the run after the step; outside the main thread nothing changes.

        Signals that are ignored stay so: those are `nohup` and a shell's jobs in the background.
        """
        numbers = [number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
        if threading.current_thread() is not threading.main_thread():
            numbers = []
        previous = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

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
                metrics.update(trainer.adversarial_reconstruction_step(batch, rate_scale=scale, judge_scale=float(warm)))
            else:
                metrics.update(trainer.reconstruction_step(batch, rate_scale=scale))
        if schedule.updates_by_drawn_lines(step):
            metrics.update(trainer.adversarial_step(
                batch, texts, real=real or None, rate_scale=schedule.rate_scale(step), update_generator=warm))
        return metrics

    def _means(self, kept):
        """Means of an interval's metrics, {metric: [(step, value)]}; refuses values that are not finite."""
        series = {key: [(step, float(value)) for step, value in pairs] for key, pairs in kept.items()}
        bad = sorted((step, key) for key, pairs in series.items() for step, value in pairs if not np.isfinite(value))
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
        last = tf.train.latest_checkpoint(self.checkpoints.folder)
        more = f' and {len(names) - 6} more' if len(names) > 6 else ''
        raise NonFiniteLossError(f'{", ".join(names[:6])}{more}: not finite at step {step}; last good checkpoint: {last or "none"}')

    def _fit_style_space(self, num_lines=1024):
        """Styles that are drawn from now on are like those of `num_lines` real lines, always the same ones."""
        model, batches = self.trainer.model, self.batches
        found = [model.style_encoder(batch['images'], lengths=batch['lengths'])
                 for batch in map(batches.batch, range(-(-num_lines // batches.batch_size)))]
        means = np.concatenate([posterior['style_mean'] for posterior in found])
        variances = np.exp(np.concatenate([posterior['style_log_variance'] for posterior in found]))
        for generator in (model.generator, model.average):
            generator.style_space.fit(means, variances)

    def _recompute_statistics(self, num_batches=16):
        """Statistics of the averaged generator over `num_batches` batches of fixed texts."""
        config = self.trainer.model.config.generator
        size, n = self.trainer.settings.batch_size, self.schedule.longest_lines
        batches = []
        for index in range(num_batches):
            texts = {key: tf.constant(value) for key, value in self.texts.batch(index, size, n).items()}
            seeds = range(index * size, (index + 1) * size)
            texts['lengths'] = tf.fill([size], n)
            texts['style'] = self.trainer.model.average.style_space(styles.styles_from_seeds(seeds, config.style_dim))
            texts['character_noise'] = tf.constant(np.stack([
                styles.character_noise(seed, 0, n, noise_dim=config.character_noise_dim) for seed in seeds]))
            batches.append(texts)
        self.trainer.recompute_statistics(batches)

    def _sample(self, step):
        """Writes the sample sheets of a step; returns the path of the main one."""
        if self.schedule.has_reconstructed(step):
            self._fit_style_space()
        self._recompute_statistics()
        model = self.trainer.model
        pictures = self.sheets.draw(model.average)
        batch = self.batches.batch(0)
        posterior = model.style_encoder(batch['images'], training=False)
        boxes = self.charset.template_boxes[batch['structure_ids']]
        again = model.average(
            component_ids=batch['component_ids'], structure_ids=batch['structure_ids'], boxes=boxes,
            character_ids=batch['character_ids'], style=posterior['style_mean'],
            character_noise=posterior.get('noise_mean'), training=False)
        pictures['real_above_reconstruction'] = sheets.pairs(batch['images'][:6], again[:6])
        spatial = model.read(batch['images'])[2]
        if spatial is not None:
            pictures['spatial_perception'] = sheets.heat_maps(batch['images'][:6], spatial[:6], batch['component_ids'][:6])
        self.log.images(step, pictures)
        self.log.text(step, 'texts', '\n\n'.join(f'{name}: ' + ' / '.join(t) for name, t in self.sheets.texts.items()))
        folder = os.path.join(self.run_dir, 'samples')
        for name, picture in pictures.items():
            file = os.path.join(folder, f'{name}-{step:06d}.png')
            with writing(file):
                try:
                    Image.fromarray(picture).save(file + '.part', format='PNG')
                    os.replace(file + '.part', file)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.remove(file + '.part')
                    raise
        values = self._read_samples()
        self.log.scalars(step, 'sample', values)
        self.log.say('samples: ' + ' '.join(f'{key.split("/", 1)[-1]} {value:.3f}' for key, value in values.items())
                     + f' | {folder}')
        return os.path.join(folder, f'seen-{step:06d}.png')

    def _read_samples(self, num_batches=8):
        """What the run's own SRM reads: on real lines of unseen writers, and on written lines of the sheets' texts.

        A measure of progress only: readability is judged by a reader that gave the generator no gradient.
        """
        model, settings, values = self.trainer.model, self.trainer.settings, {}

        def error(inputs, images):
            logits = model.read(images)[1]
            labels = ctc.line_labels(
                settings.sequence_labels, component_ids=inputs['component_ids'], structure_ids=inputs['structure_ids'],
                character_ids=inputs['character_ids'], num_components=model.config.generator.num_components)
            errors, counts = ctc.label_errors(labels, logits, num_frames=tf.fill([logits.shape[0]], logits.shape[1]))
            return float(tf.reduce_sum(errors)), float(tf.reduce_sum(counts))
        if self.validation is not None:
            found = [error(batch, batch['images']) for batch in map(self.validation.batch, range(num_batches))]
            lines = num_batches * self.validation.batch_size
            values[f'metric/label_error_validation_{lines}'] = sum(e for e, _ in found) / sum(c for _, c in found)
        for name in [name for name in ('seen', 'unseen') if name in self.sheets.texts]:
            inputs = self.sheets.inputs(name, model.average)
            wrong, count = error(inputs, model.average(**inputs, training=False))
            values[f'metric/label_error_{name}_{self.sheets.rows}'] = wrong / count
        return values

    def _close(self, step, first):
        """Last sheets and the averaged generator as files; where this call made no step, those that are there are fine."""
        folder = os.path.join(self.run_dir, 'model')
        sheet = os.path.join(self.run_dir, 'samples', f'seen-{step:06d}.png')
        if step == first and step and os.path.exists(sheet) and _step_of(folder) == step:
            return dict(sheet=sheet, model=folder)
        if step == first == 0 and self._told_to_stop():
            return dict(sheet=None, model=None)
        sheet = self._sample(step)
        info = {key: self.config[key] for key in ('command', 'seed', 'version', 'data') if key in self.config}
        with writing(folder):
            artefact.save_generator(
                folder, self.trainer.model.average, style_encoder=self.trainer.model.style_encoder, charset=self.charset,
                info=dict(step=step, **info))
        return dict(sheet=sheet, model=folder)

    def _told_to_stop(self):
        """By a signal, or as whoever read the output has left (`| head`)."""
        return bool(self._signal) or self.log.unheard

    def _on_signal(self, number, frame):
        del frame
        if self._signal:  # a second one means now
            raise KeyboardInterrupt
        self._signal = number
        self.log.say_from_handler(
            f'{signal.Signals(number).name}: saving a checkpoint, then leaving (once more: leave at once)')


def _step_of(folder):
    """The step that an artefact was written at; None where there is no good one."""
    try:
        with open(os.path.join(folder, 'generator.json'), encoding='utf-8') as stream:
            return json.load(stream)['info']['step']
    except (OSError, ValueError, KeyError, TypeError):
        return None
