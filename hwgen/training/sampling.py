"""What a run shows of itself: sheets of fixed texts, what its own recogniser reads on them, and the
generator as files.
"""

import contextlib
import os

import numpy as np
import tensorflow as tf

from hwgen import files
from hwgen.inference import artefact, styles
from hwgen.inference.picture_files import encode_png
from hwgen.losses import ctc
from hwgen.training import averaging, measures, sheets
from hwgen.training.run_directory import writing


class Sampler:
    """Draws and writes the samples of one run.

    Args:
        trainer: GanTrainer.
        batches: LineBatches of the training split.
        texts: TextSampler.
        charset: Charset.
        log: RunLog.
        longest_lines: int, characters of the longest line.
        validation: LineBatches of unseen writers, or None.
    """

    def __init__(self, trainer, *, batches, texts, charset, log, longest_lines, validation=None):
        self.trainer, self.batches, self.texts, self.charset = trainer, batches, texts, charset
        self.log, self.longest_lines, self.validation = log, longest_lines, validation
        info = batches.index.info
        self.sheets = sheets.SampleSheets(
            charset,
            vocabulary=info['vocabulary'],
            held_out=info.get('held_out', ()),
            seed=trainer.settings.seed,
            num_characters=min(8, longest_lines),
        )

    @contextlib.contextmanager
    def ready_to_write(self, *, styles_learned):
        """Within the block the averaged generator is as it writes: its own batch statistics, drawn styles
        like those of real lines. Behind it
        all is as before: whoever looks at a run changes nothing of it.

        Args:
            styles_learned: bool, the style encoder has learned anything; False: the style space stays as it
                is.
        """
        average = self.trainer.model.average
        kept = [variable.numpy() for variable in average.variables]
        try:
            if styles_learned:
                average.style_space.fit(
                    *averaging.styles_of_lines(self.trainer.model.style_encoder, self.batches)
                )
            self._recompute_statistics()
            yield
        finally:
            for variable, value in zip(average.variables, kept):
                variable.assign(value)

    def sample(self, step):
        """Writes the sample sheets of a step, within `ready_to_write`.

        Args:
            step: int.

        Returns:
            str, path of the main sheet.

        Raises:
            RunDirectoryError: naming the file that cannot be written.
        """
        model = self.trainer.model
        pictures = self.sheets.draw(model.average)
        batch = self.batches.batch(0)
        posterior = model.style_encoder(batch['images'], training=False)
        again = model.average(
            characters=batch['characters']._replace(lengths=None),
            style=posterior['style_mean'],
            character_noise=posterior.get('noise_mean'),
            training=False,
        )
        pictures['real_above_reconstruction'] = sheets.pairs(batch['images'][:6], again[:6])
        spatial = model.read(batch['images'])[2]
        if spatial is not None:
            pictures['spatial_perception'] = sheets.heat_maps(
                batch['images'][:6], spatial[:6], batch['characters'].component_ids[:6]
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

    def save_model(self, step, info, *, seen=None):
        """Writes the averaged generator, which is the one that writes, within `ready_to_write`.

        Args:
            step: int; info: dict of JSON values, of the artefact's description; seen:
                `artefact.save_generator`.

        Returns:
            str, its folder.

        Raises:
            RunDirectoryError: it cannot be written.
        """
        folder = os.path.join(self.log.run_dir, 'model')
        with writing(folder):
            artefact.save_generator(
                folder,
                self.trainer.model.average,
                style_encoder=self.trainer.model.style_encoder,
                charset=self.charset,
                seen=seen,
                info=dict(step=step, **info),
            )
        return folder

    def _recompute_statistics(self, num_batches=16):
        """Statistics of the averaged generator over `num_batches` batches of fixed texts."""
        config = self.trainer.model.config.generator
        size, n = self.trainer.settings.batch_size, self.longest_lines
        batches = []
        for index in range(num_batches):
            texts = dict(characters=tf.nest.map_structure(tf.constant, self.texts.batch(index, size, n)))
            seeds = range(index * size, (index + 1) * size)
            texts['style'] = self.trainer.model.average.style_space(
                styles.styles_from_seeds(seeds, config.style_dim)
            )
            texts['character_noise'] = tf.constant(
                np.stack(
                    [
                        styles.character_noise(seed, 0, n, character_noise_dim=config.character_noise_dim)
                        for seed in seeds
                    ]
                )
            )
            batches.append(texts)
        self.trainer.recompute_statistics(batches)

    def _read_samples(self, num_batches=8):
        """What the run's own SRM reads: on real lines of unseen writers, and on written lines of the sheets'
        texts.

        A measure of progress only: readability is judged by a reader that gave the generator no gradient.
        """
        model, settings, values = self.trainer.model, self.trainer.settings, {}

        def error(inputs, images):
            logits = model.read(images)[1]
            labels = ctc.line_labels(
                settings.sequence_labels,
                inputs['characters'],
                num_components=model.config.generator.num_components,
            )
            errors, counts = ctc.label_errors(
                labels, logits, num_frames=tf.fill([logits.shape[0]], logits.shape[1])
            )
            return float(tf.reduce_sum(errors)), float(tf.reduce_sum(counts))

        if self.validation is not None:
            found = [
                error(batch, batch['images']) for batch in map(self.validation.batch, range(num_batches))
            ]
            lines = num_batches * self.validation.batch_size
            values[f'metric/label_error_validation_{lines}'] = sum(e for e, _ in found) / sum(
                c for _, c in found
            )
        for name in [name for name in ('seen', 'unseen') if name in self.sheets.texts]:
            inputs = self.sheets.inputs(name, model.average)
            wrong, count = error(inputs, model.average(**inputs, training=False))
            values[f'metric/label_error_{name}_{self.sheets.rows}'] = wrong / count
        return values
