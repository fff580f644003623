"""Teaches a saved writer where the noise of its characters lies (`hwgen.models.noise_space`), as training
does with --noise_prior=learned: for writers that were trained without.

    python -m experiments.writer.noise --model=saved_models/spaced64 --data=tfrecords/wider --out=FOLDER

Nothing else of the writer changes. Told are nats a character by which the style encoder's noise of lines of
writers that nobody trained on (--split) lies from N(0, 1), and from what was learned.
"""

import argparse
import dataclasses
import time

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.data.reading.cells import record_in_cells
from hwgen.data.reading.shards import RecordIndex
from hwgen.inference import artefact
from hwgen.losses import reconstruction

_BATCH, _RATE, _TOLD_LINES = 256, 2e-3, 300


class Answers:
    """What a style encoder says of the lines of a split.

    Args:
        generator, encoder: of a saved writer.
        charset: Charset of the lines.
        index: of the lines.
        count: how many are read, at most.

    Attributes:
        described: float32 [K, F], of each character that occurs.
        character: int [M], of each written character its row there.
        line: int [M], its line.
        noise, noise_variance: float32 [M, D].
        style, style_variance: float32 [lines, Z].
    """

    def __init__(self, generator, encoder, charset, index, *, count):
        config, parts = generator.config, []
        describe = generator.content_encoder.describe

        @tf.function(reduce_retracing=True)
        def asked(characters, image):
            described = describe(characters)
            return encoder(image, training=False, described=described), described

        rows, told = {}, []
        characters_of, lines_of = [], []
        for number in range(min(count, len(index))):
            record = index.read_record(number)
            cells, _ = record_in_cells(
                record,
                charset.characters,
                spaced=config.layout == 'spaced',
                char_px=config.char_px,
                char_width_px=config.char_width_px,
            )
            coded = Characters.from_table(np.asarray(record.character_ids), charset)
            coded = Characters.stack([coded])._replace(lengths=None)
            coded = coded._replace(**{name: tf.constant(getattr(coded, name)) for name in coded._fields[:-1]})
            answer, described = asked(coded, cells[np.newaxis, ..., np.newaxis])
            parts.append({name: value.numpy()[0] for name, value in answer.items()})
            for place, character in enumerate(record.character_ids):
                if character not in rows:
                    rows[character] = len(rows)
                    told.append(described.numpy()[0, place])
                characters_of.append(rows[character])
                lines_of.append(number)
        self.described = np.stack(told)
        self.character, self.line = np.array(characters_of), np.array(lines_of)
        self.noise = np.concatenate([part['noise_mean'] for part in parts])
        self.noise_variance = np.exp(np.concatenate([part['noise_log_variance'] for part in parts]))
        self.style = np.stack([part['style_mean'] for part in parts])
        self.style_variance = np.exp(np.stack([part['style_log_variance'] for part in parts]))

    def some(self, chosen, rng):
        """Inputs of a step: described, style (drawn), noise and its log variance of the chosen characters."""
        lines = self.line[chosen]
        normal = rng.standard_normal([len(chosen), self.style.shape[1]])
        style = self.style[lines] + np.sqrt(self.style_variance[lines]) * normal
        values = (self.described[self.character[chosen]], style, self.noise[chosen])
        return [tf.constant(v, tf.float32) for v in (*values, np.log(self.noise_variance[chosen]))]


def nats(space, described, style, mean, log_variance):
    """KL divergence [M] of noise from what a NoiseSpace says of it."""
    prior, whitening = space(described[:, tf.newaxis], style)
    return reconstruction.whitened_kl_loss(mean, log_variance, prior[:, 0], whitening[:, 0])


def learn(space, answers, told, *, steps, seed):
    """Teaches a NoiseSpace; prints nats of the lines that it was not taught."""
    rng, optimizer = np.random.default_rng(seed), tf.keras.optimizers.Adam()

    @tf.function
    def step(*inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(nats(space, *inputs))
        variables = space.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    unseen = told.some(np.arange(len(told.character)), np.random.default_rng(seed))
    print(f'N(0, 1): {np.mean(reconstruction.kl_loss(*unseen[2:])):.2f} nats a character', flush=True)
    for number in range(steps):
        optimizer.learning_rate = _RATE * 0.5 * (1.0 + np.cos(np.pi * number / steps))
        step(*answers.some(rng.integers(len(answers.character), size=_BATCH), rng))
        if (number + 1) % max(steps // 6, 1) == 0:
            print(f'step {number + 1}: {np.mean(nats(space, *unseen)):.2f}', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--model', required=True, help='folder of a saved generator with a style encoder')
    parser.add_argument('--data', required=True, help='folder of records that it was trained on')
    parser.add_argument('--split', default='validation', help='whose nats are told')
    parser.add_argument('--lines', type=int, default=24000, help='lines that teach, at most')
    parser.add_argument('--steps', type=int, default=3000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--dtype', default='float16', help='of the saved weights')
    parser.add_argument('--out', required=True)
    options = parser.parse_args()
    charset = Charset.load()
    before, encoder, description = artefact.load_generator(options.model, charset=charset)
    charset = charset.prefix(description['charset']['row_count'])
    generator = artefact.built_generator(dataclasses.replace(before.config, noise_prior='learned'))
    for variable, value in zip(generator.variables, before.variables, strict=False):
        variable.assign(value)  # the noise space comes last
    started = time.monotonic()
    answers = Answers(
        generator, encoder, charset, RecordIndex(options.data, split='train'), count=options.lines
    )
    told = Answers(
        generator, encoder, charset, RecordIndex(options.data, split=options.split), count=_TOLD_LINES
    )
    seconds = time.monotonic() - started
    print(f'{len(answers.style)} lines, {len(answers.character)} characters in {seconds:.0f} s')
    tf.keras.utils.set_random_seed(options.seed)
    learn(generator.noise_space, answers, told, steps=options.steps, seed=options.seed)
    artefact.save_generator(
        options.out,
        generator,
        style_encoder=encoder,
        charset=charset,
        seen=description.get('seen'),
        info=dict(description['info'], noise_prior=f'experiments.writer.noise --steps={options.steps}'),
        dtype=options.dtype,
    )
    print(f'{time.monotonic() - started:.0f} s: {options.out}')


if __name__ == '__main__':
    main()
