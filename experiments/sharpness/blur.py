"""Where the blur of a writer comes from: the sharpness of its lines, one cause at a time.

  python -m experiments.sharpness.blur --data=tfrecords/wide --model=spaced64 --out=blur.md
  python -m experiments.sharpness.blur --data=tfrecords/wide --run=runs/spaced64 --out=blur.md

Each row is of the same real lines: themselves; moved between their pixels, as the
generator's bend resamples what it moves; written
again with what the style encoder says of them, means or draws; in drawn hands; and written again after style
and noise, or all weights, were fitted to these very lines by the error of pixels alone, so that nothing is
left to be explained. Of a run both generators are measured, the one that learns and its average.
"""

import argparse
import json
import os
import pathlib
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatches
from hwgen.images import to_uint8
from hwgen.inference.artefact import built_generator, load_generator
from hwgen.inference.model_folder import find_model
from hwgen.metrics.sharpness import line_edges
from hwgen.models import layers
from hwgen.models.style_encoder import StyleEncoder
from hwgen.settings.model import stored_model
from hwgen.training import checkpoints

_BATCH = 8


class Networks(NamedTuple):
    """Attributes:
    generators: {name: Generator}; the first one is the one that writes.
    encoder: StyleEncoder.
    """

    generators: dict
    encoder: StyleEncoder


def of_model(path, charset):
    """The networks of a written model."""
    generator, encoder, _ = load_generator(find_model(path), charset=charset)
    return Networks({'averaged': generator}, encoder)


def of_run(path):
    """The networks of a run's newest checkpoint."""
    config = stored_model(json.loads(pathlib.Path(path, 'config.json').read_text())['model'])
    sizes = config.generator
    named = {'averaged': built_generator(sizes), 'learning': built_generator(sizes)}
    encoder = StyleEncoder(
        sizes.style_dim,
        character_noise_dim=sizes.character_noise_dim,
        char_px=sizes.char_px,
        char_width_px=sizes.char_width_px,
        channels=config.style_channels,
        reads_content=sizes.layout == 'spaced',
        name='style_encoder',
    )
    one = next(iter(named.values()))
    from hwgen.characters import Characters

    encoder(
        np.ones([1, sizes.char_px, sizes.char_width_px, 1], np.float32),
        described=one.content_encoder.describe(Characters.ones(1, 1)),
    )
    folder = os.path.join(path, 'checkpoints')
    newest = checkpoints.prefix(folder, checkpoints.saved_steps(folder)[-1])
    tf.train.Checkpoint(
        average=named['averaged'], generator=named['learning'], style_encoder=encoder
    ).restore(newest).assert_existing_objects_matched().expect_partial()
    return Networks(named, encoder)


class Row(NamedTuple):
    """Lines of one kind: means over them."""

    sharpness: float
    gradient: float
    darkness: float
    error: float


def measured(pairs):
    """Row of pairs of images (found, real), float32 [H, W] in [-1, 1]."""
    edges, errors = [], []
    for found, real in pairs:
        edges.append(line_edges(to_uint8(found)))
        errors.append(np.abs(found - real).mean() / 2)
    columns = np.mean(edges, axis=0)
    return Row(float(columns[2]), float(columns[1]), float(columns[0]), float(np.mean(errors)))


def lines_of(images, widths):
    """A batch [B, H, W, 1] as images of their own widths."""
    return [image[:, :width, 0] for image, width in zip(np.asarray(images), widths, strict=True)]


def posterior(networks, batch):
    """What the encoder says of lines: dict of float32 arrays."""
    generator = next(iter(networks.generators.values()))
    described = generator.content_encoder.describe(batch.characters)
    return networks.encoder(batch.images, lengths=batch.characters.lengths, described=described)


def drawn(answer, name, rng):
    """A draw of the posterior: float32."""
    mean, spread = answer[f'{name}_mean'], np.exp(0.5 * np.asarray(answer[f'{name}_log_variance']))
    return np.asarray(mean + spread * rng.standard_normal(spread.shape), np.float32)


class Bends:
    """Within `with`, `straight` is the last picture as it was before it was bent."""

    def __enter__(self):
        self._kept = layers.shift_columns

        def shift_columns(x, shift_px, *, reach_px):
            self.straight = 1 - x
            return self._kept(x, shift_px, reach_px=reach_px)

        layers.shift_columns = shift_columns
        return self

    def __exit__(self, *_):
        layers.shift_columns = self._kept


def between(images, rng):
    """Pictures moved by a part of a pixel, another for each, by the linear resampling of the bend."""
    ink = 1 - images
    for move in (layers.shift_columns, layers.shift_rows):
        shift = rng.uniform(0, 1, [len(ink), 1, 1, 1]).astype(np.float32)
        ink = move(ink, np.broadcast_to(shift, ink.shape), reach_px=1)
    return 1 - ink


def rows_of(networks, batches, rng):
    """{name: Row} of everything but the fits."""
    found = {}

    def add(name, images, batch):
        found.setdefault(name, []).extend(
            zip(lines_of(images, batch.widths), lines_of(batch.images, batch.widths), strict=True)
        )

    for batch in batches:
        answer = posterior(networks, batch)
        means = answer['style_mean'], answer['noise_mean']
        draws = drawn(answer, 'style', rng), drawn(answer, 'noise', rng)
        normal = rng.standard_normal(means[1].shape).astype(np.float32)
        add('real lines', batch.images, batch)
        add('real lines, resampled between their pixels', between(batch.images, rng), batch)
        for name, generator in networks.generators.items():
            with Bends() as bends:
                image = generator(batch.characters, *means)
            add(f'{name}: rebuilt, means', image, batch)
            if name == 'averaged' and generator.to_bend is not None:
                add(f'{name}: rebuilt, means, before the bend', bends.straight, batch)
            add(f'{name}: rebuilt, draws', generator(batch.characters, *draws), batch)
            add(
                f"{name}: the line's style, drawn noise", generator(batch.characters, means[0], normal), batch
            )
            for truncation in (0.8, 1.0):
                hands = generator.style_space(
                    (truncation * rng.standard_normal(means[0].shape)).astype(np.float32)
                )
                image = generator(batch.characters, hands, truncation * normal)
                add(f'{name}: drawn hands, truncation {truncation:g}', image, batch)
    return {name: measured(pairs) for name, pairs in found.items()}


def fitted(networks, batches, *, steps, weights):
    """Row of lines written again after style and noise, and with `weights` the whole generator, were fitted
    to each batch of them by the error of pixels.
    """
    generator = next(iter(networks.generators.values()))
    pairs, kept = [], [variable.numpy() for variable in generator.variables]
    for batch in batches:
        image = _fit(generator, batch, posterior(networks, batch), steps=steps, weights=weights)
        pairs += zip(lines_of(image, batch.widths), lines_of(batch.images, batch.widths), strict=True)
        for variable, value in zip(generator.variables, kept, strict=True):
            variable.assign(value)
    return measured(pairs)


def _fit(generator, batch, answer, *, steps, weights):
    """The lines of a batch, written again after a fit; the generator is changed with `weights`."""
    style, noise = (keras.Variable(answer[f'{name}_mean']) for name in ('style', 'noise'))
    variables = [style, noise, *(generator.trainable_variables if weights else [])]
    rate = keras.optimizers.schedules.CosineDecay(1e-3 if weights else 0.05, max(steps, 1))
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            image = generator(batch.characters, style.value, noise.value)
            loss = tf.reduce_mean(tf.abs(image - batch.images))
        found = tape.gradient(
            loss, [v.value for v in variables], unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        optimizer.apply([tf.convert_to_tensor(gradient) for gradient in found], variables)

    for _ in range(steps):
        step()
    return generator(batch.characters, style.value, noise.value)


def parse(arguments=None):
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--data', required=True, help='Records.')
    parser.add_argument('--split', default='test', help='Its split.')
    parser.add_argument('--model', help='A written model.')
    parser.add_argument('--run', help='A run, in place of a model: its newest checkpoint.')
    parser.add_argument('--num_lines', type=int, default=150, help='Lines that are written again.')
    parser.add_argument(
        '--fitted_lines', type=int, default=8, help='Lines that style, noise and weights are fitted to.'
    )
    parser.add_argument('--fit_steps', type=int, default=100, help='Steps of each fit; 0: none.')
    parser.add_argument('--seed', type=int, default=3, help='Of the lines, draws and drawn hands.')
    parser.add_argument('--out', required=True, help='Page to write.')
    return parser.parse_args(arguments)


def main(given):
    """Measures, and writes the page."""
    charset, seed = Charset.load(), given.seed
    networks = of_run(given.run) if given.run else of_model(given.model, charset)
    config = next(iter(networks.generators.values())).config
    lines = LineBatches(
        given.data,
        charset=charset,
        split=given.split,
        batch_size=_BATCH,
        seed=seed,
        char_px=config.char_px,
        char_width_px=config.char_width_px,
        layout=config.layout,
    )
    batches = [
        batch
        for batch in map(lines.batch, range(-(-given.num_lines // _BATCH)))
        if np.max(batch.characters.component_ids) < config.num_components
    ]
    name = f'{given.split} of {given.data}, seed {seed}, {given.run or given.model}'
    found = rows_of(networks, batches, np.random.default_rng(seed))
    page = [f'{len(batches) * _BATCH} lines of {name}\n', *table(found)]
    files.write_file(given.out, '\n'.join(page).encode() + b'\n', replace=True)
    if given.fit_steps:
        few = batches[: -(-given.fitted_lines // _BATCH)]
        real = [image for batch in few for image in lines_of(batch.images, batch.widths)]
        found = {'real lines': measured(zip(real, real, strict=True))}
        for fits, weights in (('style and noise', False), ('style, noise and all weights', True)):
            for steps in (0, given.fit_steps):
                if steps or not weights:
                    row = fitted(networks, few, steps=steps, weights=weights)
                    found[f'{fits} fitted to them, {steps} steps'] = row
        page += [f'\n{len(real)} of these lines\n', *table(found)]
        files.write_file(given.out, '\n'.join(page).encode() + b'\n', replace=True)
    print('\n'.join(page))


def table(found):
    """Rows of {name: Row}, the first of which are the real lines."""
    own = next(iter(found.values()))
    return [
        '| lines | sharpness | share | gradient, share | darkness | error |',
        '|---|---|---|---|---|---|',
        *(
            f'| {name} | {row.sharpness:.3f} | {row.sharpness / own.sharpness:.3f} |'
            f' {row.gradient / own.gradient:.3f} | {row.darkness:.3f} | {row.error:.4f} |'
            for name, row in found.items()
        ),
    ]


if __name__ == '__main__':
    main(parse())
