"""What a run shows of itself: sheets of fixed texts, what its own recogniser reads on them, and the
generator as files.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatches
from hwgen.inference import artefact
from hwgen.inference.picture_files import encode_png
from hwgen.losses import ctc
from hwgen.settings.schedule import Schedule
from hwgen.training import averaging, measures, sheets
from hwgen.training.gan import GanTraining, StyledTexts
from hwgen.training.run_directory import writing
from hwgen.training.summaries import RunLog
from hwgen.training.texts import TextSampler


class Sampler:
    """Draws and writes the samples of one run (`interface.Samples`).

    Args:
        log: where the run tells of itself.
        training: whose averaged generator writes.
        batches: lines of the training split.
        texts: to measure the statistics of the averaged generator over.
        charset: table of characters.
        longest_lines: characters of the longest line.
        validation: lines of unseen writers, or None.
    """

    def __init__(
        self,
        log: RunLog,
        *,
        training: GanTraining,
        batches: LineBatches,
        texts: TextSampler,
        charset: Charset,
        longest_lines: int,
        validation: LineBatches | None = None,
    ):
        self.training, self.batches, self.texts, self.charset = training, batches, texts, charset
        self.log, self.longest_lines, self.validation = log, longest_lines, validation
        info = batches.index.info
        self.sheets = sheets.SampleSheets(
            charset,
            vocabulary=info['vocabulary'],
            held_out=info.get('held_out', ()),
            seed=training.settings.seed,
            num_characters=min(8, longest_lines),
        )

    def sample(self, step: int, plan: Schedule) -> str:
        """Writes the sample sheets of a step; returns the path of the main one.

        Raises:
            RunDirectoryError: naming the file that cannot be written.
        """
        with self.ready_to_write(styles_learned=plan.has_reconstructed(step)):
            return self.write_sheets(step)

    def close(
        self, step: int, plan: Schedule, *, first: int, config: Mapping[str, Any], stopped: bool
    ) -> dict[str, str | None]:
        """Last sheets and the averaged generator as files; where this call made no step, those that are
        there are fine. Arguments and answer: `interface.Samples`; `model` is None where the generator has
        learned nothing yet, both are None where a signal came before the first step.
        """
        folder = os.path.join(self.log.run_dir, 'model')
        sheet = os.path.join(self.log.run_dir, 'samples', f'seen-{step:06d}.png')
        # A generator that is to learn and has not yet is none to write with.
        learned = plan.generator_steps(step) or not plan.generator_steps(plan.total_steps)
        if step == first and step and os.path.exists(sheet) and (not learned or _step_of(folder) == step):
            return dict(sheet=sheet, model=folder if learned else None)
        if step == first == 0 and stopped:
            return dict(sheet=None, model=None)
        self.log.say(
            'writing sample sheets and model, which takes up to a minute'
            if learned
            else 'writing sample sheets, which takes up to a minute'
        )
        info = {key: config[key] for key in ('command', 'seed', 'version', 'data') if key in config}
        with self.ready_to_write(styles_learned=plan.has_reconstructed(step)):
            return dict(
                sheet=self.write_sheets(step),
                model=self.save_model(step, info, seen=config.get('seen')) if learned else None,
            )

    @contextlib.contextmanager
    def ready_to_write(self, *, styles_learned: bool) -> Iterator[None]:
        """Within the block the averaged generator is as it writes: its own batch statistics, drawn styles
        like those of real lines. Behind it all is as before: whoever looks at a run changes nothing of it.

        Args:
            styles_learned: the style encoder has learned anything; False: the style space stays as it is.
        """
        average = self.training.model.average
        kept = [variable.numpy() for variable in average.variables]
        try:
            if styles_learned:
                average.style_space.fit(
                    *averaging.styles_of_lines(self.training.model.style_encoder, self.batches)
                )
            self._recompute_statistics()
            yield
        finally:
            for variable, value in zip(average.variables, kept, strict=True):
                variable.assign(value)

    def write_sheets(self, step: int) -> str:
        """Writes the sample sheets of a step, within `ready_to_write`.

        Returns:
            The path of the main sheet.

        Raises:
            RunDirectoryError: naming the file that cannot be written.
        """
        model = self.training.model
        pictures = self.sheets.draw(model.average)
        batch = self.batches.batch(0)
        posterior = model.style_encoder(
            batch.images,
            training=False,
            described=model.average.content_encoder.describe(batch.characters),
        )
        again = model.average(
            characters=batch.characters._replace(lengths=None),
            style=posterior['style_mean'],
            character_noise=posterior.get('noise_mean'),
            training=False,
        )
        pictures['real_above_reconstruction'] = sheets.pairs(batch.images[:6], again[:6])
        spatial = model.read(batch.images)[2]
        if spatial is not None:
            pictures['spatial_perception'] = sheets.heat_maps(
                batch.images[:6], spatial[:6], batch.characters.component_ids[:6]
            )
        self.log.images(step, pictures)
        self.log.text(
            step, 'texts', '\n\n'.join(f'{name}: ' + ' / '.join(t) for name, t in self.sheets.texts.items())
        )
        folder = os.path.join(self.log.run_dir, 'samples')
        for name, picture in pictures.items():
            file = os.path.join(folder, f'{name}-{step:06d}.png')
            with writing(file):
                files.write_file(file, encode_png(picture))
        values = self._read_samples()
        self.log.scalars(step, 'sample', values)
        self.log.say(
            f'sheets of step {step}: '
            + ', '.join(measures.tell(key, value) for key, value in values.items())
            + f' | {folder}'
        )
        return os.path.join(folder, f'seen-{step:06d}.png')

    def save_model(self, step: int, info: Mapping[str, Any], *, seen: str | None = None) -> str:
        """Writes the averaged generator, which is the one that writes, within `ready_to_write`.

        Args:
            step: steps done.
            info: JSON values, of the artefact's description.
            seen: see `artefact.save_generator`.

        Returns:
            Its folder.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        folder = os.path.join(self.log.run_dir, 'model')
        with writing(folder):
            artefact.save_generator(
                folder,
                self.training.model.average,
                style_encoder=self.training.model.style_encoder,
                charset=self.charset,
                seen=seen,
                info=dict(step=step, **info),
            )
        return folder

    def _recompute_statistics(self, num_batches=16):
        """Statistics of the averaged generator over `num_batches` batches of fixed texts."""
        size, n = self.training.settings.batch_size, self.longest_lines
        average, batches = self.training.model.average, []
        for index in range(num_batches):
            seeds = range(index * size, (index + 1) * size)
            characters = tf.nest.map_structure(tf.constant, self.texts.batch(index, size, n))
            batches.append(StyledTexts(characters, *sheets.hands_of_seeds(average, characters, list(seeds))))
        self.training.recompute_statistics(batches)

    def _read_samples(self, num_batches=8):
        """What the run's own SRM reads: on real lines of unseen writers, and on written lines of the sheets'
        texts.

        A measure of progress only: readability is judged by a reader that gave the generator no gradient.
        """
        model, settings, values = self.training.model, self.training.settings, {}

        def error(characters, images):
            logits = model.read(images)[1]
            labels = ctc.line_labels(
                settings.sequence_labels,
                characters,
                num_components=model.config.generator.num_components,
            )
            errors, counts = ctc.label_errors(
                labels, logits, num_frames=tf.fill([logits.shape[0]], logits.shape[1])
            )
            return float(tf.reduce_sum(errors)), float(tf.reduce_sum(counts))

        if self.validation is not None:
            found = [
                error(batch.characters, batch.images)
                for batch in map(self.validation.batch, range(num_batches))
            ]
            lines = num_batches * self.validation.batch_size
            values[f'metric/label_error_validation_{lines}'] = sum(e for e, _ in found) / sum(
                c for _, c in found
            )
        for name in [name for name in ('seen', 'unseen') if name in self.sheets.texts]:
            inputs = self.sheets.inputs(name, model.average)
            wrong, count = error(inputs['characters'], model.average(**inputs, training=False))
            values[f'metric/label_error_{name}_{self.sheets.rows}'] = wrong / count
        return values


def _step_of(folder):
    """The step that an artefact was written at; None where there is no good one."""
    try:
        with open(os.path.join(folder, 'generator.json'), encoding='utf-8') as stream:
            return json.load(stream)['info']['step']
    except (OSError, ValueError, KeyError, TypeError):
        return None
