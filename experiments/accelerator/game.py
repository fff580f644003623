"""A run handed to an accelerator for a game of pairs: the steps `recognizers`, `reconstruction` and `pairs`,
what the style encoder says, weights and tables into a folder, `play.py` beside them.

    python -m experiments.accelerator.game --run_dir=RUN --out=DIR
    python -m experiments.accelerator.exchange pack --data=DATA --out=DIR
    python3 DIR/play.py DIR --out=OUT --arms=ARMS.json                  there, with JAX and without TensorFlow
    python -m experiments.accelerator.exchange import --run_dir=RUN --weights=OUT/ARM --step=STEP

The game starts from the averaged generator of the run's newest checkpoint, with new moments of Adam, and with
styles drawn from those of the run's own lines. Back come the averaged generator, which writes, and the style
encoder; the learning generator of the run stays as it was.
"""

import argparse
import dataclasses
import functools
import pathlib

import numpy as np
import tensorflow as tf

from experiments.accelerator import exchange, lowering, pairs
from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatches
from hwgen.settings.pairs import PairSettings
from hwgen.training import averaging

PHASES = (*lowering.PHASES, 'pairs')


def open_game(run_dir, settings, *, product_dtype=None, noise_kl_weight=None):
    """The trainer of a run, its generator the averaged one.

    Args:
        run_dir, product_dtype: see `exchange.open_run`.
        settings: PairSettings.
        noise_kl_weight: float, in place of the run's, or None.

    Returns:
        PairTrainer; dict, config.json.
    """
    trainer, _, config = exchange.open_run(
        run_dir, product_dtype=product_dtype, kind=functools.partial(pairs.PairTrainer, pairs=settings)
    )
    if noise_kl_weight is not None:
        trainer.settings = dataclasses.replace(trainer.settings, noise_kl_weight=noise_kl_weight)
    for variable, mean in zip(
        trainer.model.generator.variables, trainer.model.average.variables, strict=True
    ):
        variable.assign(mean)
    return trainer, config


def variables_of(trainer):
    """dict name -> tf.Variable of all that the game touches."""
    return lowering.named_variables(trainer) | lowering.named_variables(_Only(trainer.game_trackables()))


class _Only:
    def __init__(self, items):
        self.trackables = lambda: items


def export_game(trainer, config, out, *, batch_size, reference=False, weights_dtype='float32'):
    """Writes the lowered steps, the variables, and the tables of the characters.

    Args:
        trainer, config: of `open_game`.
        out: path.
        batch_size: int.
        reference: bool, one step of TensorFlow's own, without XLA, goes along for `play.py --check`.
        weights_dtype: 'float32' or 'float16'.
    """
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    trainer.settings = dataclasses.replace(trainer.settings, batch_size=batch_size)
    variables = variables_of(trainer)
    before = {name: variable.numpy() for name, variable in variables.items()}
    charset = Charset.load().prefix(config['data']['charset_rows'])
    captured, kept = set(), {}
    for phase in PHASES:
        batch = random_batch(trainer, phase, charset, num_characters=config['schedule']['longest_lines'])
        of_phase = trainer.optimizer_of(phase).learning_rate.value
        rate = next(name for name, variable in variables.items() if variable is of_phase)
        names = lowering.lower(trainer.step(phase), batch, variables, out / phase, rate=rate)
        captured.update(names)
        if phase == 'reconstruction':
            lines = {name: batch[name] for name in ('images', 'lengths')}
            lowering.lower(trainer.step(lowering.STYLES), lines, variables, out / lowering.STYLES, rate=None)
        if reference:
            metrics = trainer.step(phase, jit=False)(batch)
            kept.update({f'{phase}/batch/{name}': value.numpy() for name, value in batch.items()})
            kept.update({f'{phase}/metric/{name}': value.numpy() for name, value in metrics.items()})
            kept.update({f'{phase}/after/{name}': variables[name].numpy() for name in names})
            for name, value in before.items():
                variables[name].assign(value)
    if reference:
        np.savez_compressed(out / 'reference.npz', **kept)
    exchange.write_variables(
        out / 'variables.npz',
        {name: before[name] for name in before if name in captured},
        dtype=weights_dtype,
    )
    exchange.write_beside(out, charset, config, programs=['device.py', 'play.py'])


def random_batch(trainer, phase, charset, *, num_characters, seed=0):
    """Noise as lines of a phase, their ends paper: dict name -> tensor."""
    config, b, rng = trainer.model.config.generator, trainer.settings.batch_size, np.random.default_rng(seed)
    sizes = dict(batch_size=b, num_characters=num_characters)
    shapes = (
        pairs.specification(config, trainer.pairs.pairs, **sizes)
        if phase == 'pairs'
        else lowering.specification(config, **sizes)
    )
    lengths = (1 + np.arange(b) % num_characters).astype(np.int32)
    within = np.arange(num_characters) < lengths[:, None]
    ids = (rng.integers(1, charset.num_characters, within.shape) * within).astype(np.int32)
    batch = {
        name: (rng.uniform(-1, 1, shape) if name.endswith('_uniform') else rng.standard_normal(shape))
        for name, (_, shape) in shapes.items()
    }
    batch.update(
        images=np.where(
            np.repeat(within, config.char_width_px, 1)[:, None, :, None],
            rng.uniform(-1, 1, shapes['images'][1]),
            1.0,
        ),
        lengths=lengths,
        advances=within,
        character_ids=ids,
        component_ids=charset.character_components[ids],
        structure_ids=charset.character_structures[ids],
    )
    if phase == 'pairs':
        batch.update(dict.fromkeys(pairs.CONTROLS, 0.1))
    return {name: tf.constant(np.asarray(batch[name], dtype)) for name, (dtype, _) in shapes.items()}


def main():
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--run_dir', required=True)
    parser.add_argument('--out', required=True)
    parser.add_argument(
        '--data', help='records whose lines say where styles are drawn; default: where the run drew them'
    )
    parser.add_argument('--batch_size', type=int, default=32)
    parser.add_argument('--drawn_lines', type=int, default=16, help='of a batch, written in a drawn hand too')
    parser.add_argument('--noise_kl_weight', type=float, help="default: the run's")
    parser.add_argument('--product_dtype', choices=['float32', 'bfloat16'])
    parser.add_argument('--weights_dtype', choices=['float32', 'float16'], default='float32')
    parser.add_argument('--reference', action='store_true')
    options = parser.parse_args()
    trainer, config = open_game(
        options.run_dir,
        PairSettings(drawn_share=options.drawn_lines / options.batch_size),
        product_dtype=options.product_dtype,
        noise_kl_weight=options.noise_kl_weight,
    )
    if options.data:
        charset = Charset.load().prefix(config['data']['charset_rows'], config['data']['charset_hash'])
        lines = LineBatches(
            options.data,
            charset=charset,
            split='train',
            batch_size=32,
            seed=1,
            char_px=trainer.model.config.generator.char_px,
            layout=trainer.model.config.generator.layout,
            max_characters=config['schedule']['longest_lines'],
        )
        styles = averaging.styles_of_lines(trainer.model.style_encoder, lines)
        for generator in (trainer.model.generator, trainer.model.average):
            generator.style_space.fit(*styles)
    export_game(
        trainer,
        config,
        options.out,
        batch_size=options.batch_size,
        reference=options.reference,
        weights_dtype=options.weights_dtype,
    )


if __name__ == '__main__':
    main()
