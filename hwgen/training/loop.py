"""The outer loop of a run: steps, resuming, checkpoints, summaries, stopping. The maths of a step is in `gan.py`."""

import json
import os
import signal
import time

import numpy as np
import tensorflow as tf
from PIL import Image

from hwgen.inference import artefact, styles
from hwgen.losses import ctc
from hwgen.training import distribution, sheets
from hwgen.training.checkpoints import CheckpointError, Checkpoints
from hwgen.training.summaries import RunLog

SHOWN = {  # what the progress line tells of each phase
    'recognizers': ('loss/sequence_real', 'loss/spatial_real', 'metric/label_error_real'),
    'reconstruction': ('loss/pixel', 'loss/feature', 'loss/style_kl', 'metric/label_error_reconstructed',
                       'metric/label_error_real'),
    'adversarial': ('score/real', 'score/fake', 'metric/label_error_fake', 'metric/label_error_reconstructed',
                    'metric/label_error_real'),
}


class NonFiniteLossError(RuntimeError):
    """A loss or gradient norm is not finite."""


class TrainingLoop:
    """Runs a schedule to its end, or until a signal, a step, or a time.

    Args:
        trainer: GanTrainer.
        schedule: Schedule.
        batches: LineBatches of the training split.
        texts: TextSampler of what to write.
        charset: Charset.
        run_dir: str; made if absent.
        config: dict of JSON values, written to config.json; a run that goes on must have the same `model` entry.
        sample_every, checkpoint_every, log_every: int, steps.
        keep_checkpoints: int.
        validation: LineBatches of unseen writers, for the recognisers' error; or None.
    """

    def __init__(self, trainer, schedule, *, batches, texts, charset, run_dir, config, sample_every=1000,
                 checkpoint_every=500, log_every=50, keep_checkpoints=3, validation=None):
        self.trainer, self.schedule = trainer, schedule
        self.batches, self.texts, self.charset, self.validation = batches, texts, charset, validation
        self.run_dir, self.config = run_dir, config
        self.sample_every, self.checkpoint_every, self.log_every = sample_every, checkpoint_every, log_every
        os.makedirs(os.path.join(run_dir, 'samples'), exist_ok=True)
        self._check_config()
        self.log = RunLog(run_dir, total_steps=schedule.total_steps)
        self.checkpoints = Checkpoints(
            os.path.join(run_dir, 'checkpoints'), trainer.trackables(), keep=keep_checkpoints)
        info = batches.index.info
        self.sheets = sheets.SampleSheets(
            charset, vocabulary=info['vocabulary'], held_out=info.get('held_out', ()), seed=trainer.settings.seed,
            num_characters=min(8, schedule.longest_lines))
        self._signal = None

    def run(self, *, max_steps=None, max_minutes=None):
        """Trains.

        Args:
            max_steps: int, last step of this call (counted from the run's start); None for the schedule's end.
            max_minutes: float, minutes of this call; None for no limit.

        Returns:
            dict: state ('finished' | 'interrupted' | 'stopped'), step, checkpoint, sheet, model (paths).

        Raises:
            NonFiniteLossError: naming the metric, the step and the last good checkpoint.
            CheckpointError: checkpoints that do not fit.
        """
        start = time.monotonic()
        step, path, unreadable = self.checkpoints.restore()
        for damaged, reason in unreadable:
            self.log.say(f'{damaged}: passed over: {reason}')
        if path:
            self.log.say(f'resumed at step {step} from {path}')
            self.log.record(step, dict(resumed_at=step, checkpoint=path))
        elif os.path.getsize(os.path.join(self.run_dir, 'metrics.jsonl')):
            self.log.say(f'{self.run_dir}: an earlier start left no checkpoint; starting at step 0')
            self.log.record(0, dict(resumed_at=0, checkpoint=None))
        stop_at = min(self.schedule.total_steps, max_steps if max_steps is not None else self.schedule.total_steps)
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            step, saved = self._steps(step, stop_at, start, max_minutes)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        path = saved or self.checkpoints.save(step)
        state = 'finished' if step >= self.schedule.total_steps else 'interrupted' if self._signal else 'stopped'
        summary = dict(state=state, step=step, checkpoint=path, **self._close(step))
        self.log.record(step, dict(state=state, minutes=round((time.monotonic() - start) / 60., 2)))
        self.log.close()
        return summary

    def _steps(self, step, stop_at, start, max_minutes):
        """Steps until `stop_at` or a reason to stop; returns the number of steps done and the checkpoint of exactly that one."""
        dataset = self.batches.dataset(start_step=step).map(
            self._with_texts, num_parallel_calls=1, deterministic=True).prefetch(4)
        iterator = distribution.distribute(self.trainer.strategy, dataset)
        kept, last_time, last_step, saved = {}, time.monotonic(), step, None
        waited = 0.
        while step < stop_at and not self._signal:
            if max_minutes is not None and time.monotonic() - start > 60. * max_minutes:
                break
            before = time.monotonic()
            batch, texts = next(iterator)
            waited += time.monotonic() - before
            phase = self.schedule.place(step)[0]
            for key, value in self._one_step(step, phase, batch, texts).items():
                kept.setdefault(key, []).append(value)
            step, saved = step + 1, None
            if step % self.log_every == 0 or step == stop_at:
                values = self._means(kept, step)
                now = time.monotonic()
                rate = (step - last_step) / (now - last_time)
                # Share of the interval that the step waited for its data: near zero unless the pipeline starves it.
                values['time/data_wait_share'] = waited / (now - last_time)
                values['time/steps_per_sec'] = rate
                self.log.scalars(step, phase, values)
                shown = {key: values[key] for key in SHOWN[phase] if key in values}
                remaining = (self.schedule.total_steps - step) / rate
                if max_minutes is not None:
                    remaining = min(remaining, 60. * max_minutes - (now - start))
                self.log.progress(step, phase, shown, rate=rate, remaining_sec=remaining)
                kept, last_time, last_step, waited = {}, now, step, 0.
            if step % self.sample_every == 0:
                self._sample(step)
            if step % self.checkpoint_every == 0:
                saved = self.checkpoints.save(step)
        if kept:
            self._means(kept, step)  # a checkpoint of weights that are not finite is worse than none
        return step, saved

    def _one_step(self, step, phase, batch, texts):
        trainer, schedule = self.trainer, self.schedule
        metrics = {}
        if schedule.updates_recognizers(step):
            scale = schedule.rate_scale(step) if phase == 'recognizers' else schedule.rate_floor
            metrics.update(trainer.recognizer_step(batch, rate_scale=scale))
        if schedule.updates_by_reconstruction(step):
            metrics.update(trainer.reconstruction_step(batch, rate_scale=schedule.reconstruction_scale(step)))
        if phase == 'adversarial':
            warm = schedule.place(step)[1] >= schedule.discriminator_warmup_steps
            metrics.update(trainer.adversarial_step(
                batch, texts, rate_scale=schedule.rate_scale(step), update_generator=warm))
        return metrics

    def _with_texts(self, batch):
        """Adds what to write: as many characters as the batch's lines have, so that both sides are alike."""
        n = tf.shape(batch['structure_ids'])[1]
        size = self.trainer.settings.batch_size

        def sample(step, n):
            texts = self.texts.batch(int(step), size, int(n))
            return tuple(texts[key] for key in ('character_ids', 'component_ids', 'structure_ids'))
        characters, components, structures = tf.numpy_function(
            sample, [batch['step'][0], n], (tf.int32, tf.int32, tf.int32), stateful=False)
        texts = dict(character_ids=tf.ensure_shape(characters, [size, None]),
                     component_ids=tf.ensure_shape(components, [size, None, 4]),
                     structure_ids=tf.ensure_shape(structures, [size, None]), lengths=tf.fill([size], n))
        return batch, texts

    def _means(self, kept, step):
        """Means of an interval's metrics; refuses values that are not finite."""
        values = {key: float(np.mean([float(v) for v in series])) for key, series in kept.items()}
        bad = sorted(key for key, value in values.items() if not np.isfinite(value))
        if bad:
            last = tf.train.latest_checkpoint(self.checkpoints.folder)
            self.log.record(step, dict(state='not finite', metrics=bad))
            raise NonFiniteLossError(
                f'{", ".join(bad)} not finite between step {step - self.log_every} and {step}; '
                f'last good checkpoint: {last or "none"}')
        return values

    def _recompute_statistics(self, num_batches=16):
        """Statistics of the averaged generator over `num_batches` batches of fixed texts."""
        config = self.trainer.model.config.generator
        size, n = self.trainer.settings.batch_size, self.schedule.longest_lines
        batches = []
        for index in range(num_batches):
            texts = {key: tf.constant(value) for key, value in self.texts.batch(index, size, n).items()}
            seeds = range(index * size, (index + 1) * size)
            texts['lengths'] = tf.fill([size], n)
            texts['style'] = tf.constant(styles.styles_from_seeds(seeds, config.style_dim))
            texts['character_noise'] = tf.constant(np.stack([
                styles.character_noise(seed, 0, n, noise_dim=config.character_noise_dim) for seed in seeds]))
            batches.append(texts)
        self.trainer.recompute_statistics(batches)

    def _sample(self, step):
        """Writes the sample sheets of a step; returns the path of the main one."""
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
            Image.fromarray(picture).save(file + '.part', format='PNG')
            os.replace(file + '.part', file)
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
        for name in ('seen', 'unseen'):
            inputs = self.sheets.inputs(name, model.config.generator)
            wrong, count = error(inputs, model.average(**inputs, training=False))
            values[f'metric/label_error_{name}_{self.sheets.rows}'] = wrong / count
        return values

    def _close(self, step):
        """Last sheets and the averaged generator as files."""
        sheet = self._sample(step)
        folder = os.path.join(self.run_dir, 'model')
        artefact.save_generator(
            folder, self.trainer.model.average, style_encoder=self.trainer.model.style_encoder, charset=self.charset,
            info=dict(step=step, **{key: self.config[key] for key in ('command', 'seed', 'version', 'data') if key in self.config}))
        return dict(sheet=sheet, model=folder)

    def _on_signal(self, number, frame):
        del frame
        if self._signal:  # a second one means now
            raise KeyboardInterrupt
        self._signal = number
        self.log.say(f'{signal.Signals(number).name}: saving a checkpoint, then leaving (once more: leave at once)')

    def _check_config(self):
        """Writes config.json, or compares a run's with this call's."""
        file = os.path.join(self.run_dir, 'config.json')
        if os.path.exists(file):
            try:
                with open(file, encoding='utf-8') as stream:
                    before = json.load(stream)
            except ValueError as error:
                raise CheckpointError(f'{file}: not JSON ({error}); restore it, or choose another --run_dir') from None
            now = json.loads(json.dumps(self.config))
            for part in ('model', 'settings', 'schedule', 'data'):
                different = sorted(key for key in set(before.get(part, {})) | set(now.get(part, {}))
                                   if before.get(part, {}).get(key) != now.get(part, {}).get(key))
                if different:
                    key = different[0]
                    raise CheckpointError(
                        f'{self.run_dir}: this run was started with {part}.{key} = {before.get(part, {}).get(key)!r}, '
                        f'now {now.get(part, {}).get(key)!r}: give the same flags, or another --run_dir')
            return
        temporary = file + '.part'
        with open(temporary, 'w', encoding='utf-8') as stream:
            json.dump(self.config, stream, indent=1, ensure_ascii=False, sort_keys=True)
            stream.write('\n')
        os.replace(temporary, file)
