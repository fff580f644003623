"""A run handed to an accelerator and taken back: the run's configuration and weights out, trained weights in.

    bin/train --flagfile=FLAGS --max_steps=0                                     makes the run: its
    configuration, its first weights
    python -m experiments.accelerator.exchange export --run_dir=RUN --out=DIR    steps, weights and lines into
    DIR
    python3 DIR/device.py train DIR --out=OUT ...                                there, with JAX and without
    TensorFlow (`device.py --help`)
    python -m experiments.accelerator.exchange import --run_dir=RUN --weights=OUT --step=STEP
    bin/train --flagfile=FLAGS                                                   goes on from STEP, or at the
    end of the schedule writes sheets and model

Only the first two phases are lowered (`lowering.py`). Adam's moments stay there: a run that goes on here
starts them anew.
"""

import argparse
import dataclasses
import json
import pathlib
import shutil

import numpy as np
import tensorflow as tf

from experiments.accelerator import lowering, packing
from hwgen.charset.encoding import Charset
from hwgen.data.reading.shards import RecordIndex
from hwgen.models.hct_gan import HctGan
from hwgen.settings.model import stored_model
from hwgen.settings.setting import from_stored
from hwgen.settings.steps import GanSettings
from hwgen.training.checkpoints import Checkpoints


def open_run(run_dir, *, product_dtype=None, kind=None):
    """The trainer of a run with the weights of its newest checkpoint.

    Args:
        run_dir: path.
        product_dtype: 'float32' or 'bfloat16', in place of the run's.
        kind: function with the arguments of LoweredTrainer that returns one; None: LoweredTrainer itself.

    Returns:
        trainer: LoweredTrainer; checkpoints: Checkpoints; config: dict, config.json.

    Raises:
        OSError, ValueError: no such run.
        CheckpointError: its checkpoints do not fit.
    """
    run_dir = pathlib.Path(run_dir)
    config = json.loads((run_dir / 'config.json').read_text(encoding='utf-8'))
    charset = Charset.load().prefix(config['data']['charset_rows'], config['data']['charset_hash'])
    model = HctGan(stored_model(config['model']))
    settings = from_stored(
        GanSettings, config['settings'], **({'product_dtype': product_dtype} if product_dtype else {})
    )
    trainer = (kind or lowering.LoweredTrainer)(
        model, settings, template_boxes=charset.template_boxes, strategy=tf.distribute.get_strategy()
    )
    checkpoints = Checkpoints(str(run_dir / 'checkpoints'), trainer.trackables())
    if checkpoints.restore()[1] is None:
        raise ValueError(f'{run_dir}: no checkpoint; expected a run that `train --max_steps=0` made')
    return trainer, checkpoints, config


def export_run(run_dir, out, *, batch_size=None, product_dtype=None, weights_dtype='float32'):
    """Writes the lowered steps, the variables, the tables of the characters, and `device.py` beside them.

    Args:
        run_dir, out: path.
        batch_size: int or None for the run's.
        product_dtype: see `open_run`.
        weights_dtype: 'float32', or 'float16' for half the bytes.
    """
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    trainer, _, config = open_run(run_dir, product_dtype=product_dtype)
    batch_size = batch_size or trainer.settings.batch_size
    trainer.settings = dataclasses.replace(trainer.settings, batch_size=batch_size)
    variables = lowering.named_variables(trainer)
    shapes = lowering.specification(
        trainer.model.config.generator,
        batch_size=batch_size,
        num_characters=config['schedule']['longest_lines'],
    )
    batch = {name: tf.zeros(shape, dtype) for name, (dtype, shape) in shapes.items()}
    captured = set()
    for phase in lowering.PHASES:
        optimizer = trainer.optimizer_of(phase)
        rate = next(name for name, variable in variables.items() if variable is optimizer.learning_rate.value)
        captured.update(lowering.lower(trainer.step(phase), batch, variables, out / phase, rate=rate))
    write_variables(
        out / 'variables.npz',
        {name: variable.numpy() for name, variable in variables.items() if name in captured},
        dtype=weights_dtype,
    )
    charset = Charset.load().prefix(config['data']['charset_rows'])
    write_beside(out, charset, config, programs=['device.py'])


def write_beside(out, charset, config, *, programs):
    """Writes what lies beside lowered steps and their variables.

    Args:
        out: pathlib.Path of the folder.
        charset: Charset whose tables say what characters are made of.
        config: dict, config.json of the run.
        programs: list of str, files of this folder that run there.
    """
    np.savez(
        out / 'tables.npz',
        component_ids=charset.character_components.astype(np.int32),
        structure_ids=charset.character_structures.astype(np.int32),
    )
    (out / 'config.json').write_text(
        json.dumps({key: config[key] for key in ('settings', 'schedule')}, indent=1), encoding='utf-8'
    )
    for name in programs:
        shutil.copy(pathlib.Path(__file__).with_name(name), out)


def write_variables(path, values, *, dtype):
    """Writes variables, each value once: the average starts as the generator, all moments as zeros.

    Args:
        path: path of the .npz; entry `same` is a JSON dict name -> name of the array that holds its value.
        values: dict name -> array.
        dtype: of what is float32.
    """
    kept, same, names = {}, {}, {}
    for name, value in values.items():
        key = value.shape, value.dtype.name, value.tobytes()
        if names.setdefault(key, name) != name:
            same[name] = names[key]
        else:
            kept[name] = value.astype(dtype) if value.dtype == np.float32 else value
    np.savez_compressed(path, same=json.dumps(same), **kept)


def write_reference(run_dir, out, *, arrays, product_dtype=None):
    """Writes reference.npz: one step of each phase as TensorFlow does it, without XLA, from the exported
    weights; `device.py time` holds its own against it.

    Args:
        run_dir, out, product_dtype: as for `export_run`, which comes before.
        arrays: bool, all variables after the step as well, not the losses and norms alone.
    """
    out, kept, rng = pathlib.Path(out), {}, np.random.default_rng(0)
    trainer, _, config = open_run(run_dir, product_dtype=product_dtype)
    charset = Charset.load().prefix(config['data']['charset_rows'])
    variables = lowering.named_variables(trainer)
    before = {name: variable.numpy() for name, variable in variables.items()}
    for phase in lowering.PHASES:
        description = json.loads((out / f'{phase}.json').read_text(encoding='utf-8'))
        shapes = {name: tuple(shape) for name, (_, shape) in description['inputs'].items()}
        b, n = shapes['structure_ids']
        trainer.settings = dataclasses.replace(trainer.settings, batch_size=b)
        lengths = (1 + np.arange(b) % n).astype(np.int32)
        ids = rng.integers(1, charset.num_characters, (b, n)).astype(np.int32) * (
            np.arange(n) < lengths[:, None]
        )
        batch = {
            'images': (
                np.where(
                    np.repeat(np.arange(n) < lengths[:, None], shapes['images'][2] // n, 1)[:, None, :, None],
                    rng.uniform(-1, 1, shapes['images']),
                    1.0,
                ).astype(np.float32)
            ),
            'lengths': lengths,
            'advances': (np.arange(n) < lengths[:, None]).astype(np.float32),
            'character_ids': ids,
            'component_ids': charset.character_components[ids].astype(np.int32),
            'structure_ids': charset.character_structures[ids].astype(np.int32),
        }
        batch.update(
            {
                name: rng.standard_normal(shapes[name]).astype(np.float32)
                for name in ('style_normal', 'noise_normal')
            }
        )
        batch = {name: batch[name] for name in shapes}
        for name, variable in variables.items():
            variable.assign(before[name])
        metrics = trainer.step(phase, jit=False)({name: tf.constant(value) for name, value in batch.items()})
        kept.update({f'{phase}/batch/{name}': value for name, value in batch.items()})
        kept.update({f'{phase}/metric/{name}': value.numpy() for name, value in metrics.items()})
        if arrays:
            kept.update(
                {f'{phase}/after/{name}': variables[name].numpy() for name in description['captured']}
            )
    np.savez_compressed(out / 'reference.npz', **kept)


def import_weights(run_dir, folder, *, step):
    """Gives a run the variables that were trained elsewhere, as its checkpoint of `step`.

    Args:
        run_dir: path.
        folder: path of the .npz files that `device.py` wrote; a variable that is in none keeps its value.
        step: int.

    Returns:
        int, variables that were there.

    Raises:
        ValueError: an array that is no variable of the run, of another shape, or not finite; or no arrays.
    """
    trainer, checkpoints, _ = open_run(run_dir)
    variables, count = lowering.named_variables(trainer), 0
    for path in sorted(pathlib.Path(folder).glob('*.npz')):
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                value = arrays[name]
                if (
                    name not in variables
                    or tuple(variables[name].shape) != value.shape
                    or not np.isfinite(value).all()
                ):
                    raise ValueError(
                        f'{path}: {name} {value.shape}: expected finite values of a variable of {run_dir}, of'
                        ' its shape'
                    )
                variables[name].assign(value.astype(variables[name].dtype.as_numpy_dtype))
                count += 1
    if not count:
        raise ValueError(f'{folder}: no .npz files with variables')
    checkpoints.save(step)
    return count


def main():
    """The commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    export = commands.add_parser('export', help='lower the steps of a run')
    export.add_argument('--run_dir', required=True)
    export.add_argument('--out', required=True)
    export.add_argument('--batch_size', type=int, help="lines of a batch; default: the run's")
    export.add_argument(
        '--product_dtype',
        choices=['float32', 'bfloat16'],
        help="what convolutions multiply in; default: the run's",
    )
    export.add_argument(
        '--weights_dtype',
        choices=['float32', 'float16'],
        default='float32',
        help='of the weights that go along',
    )
    export.add_argument(
        '--reference',
        choices=['none', 'losses', 'all'],
        default='none',
        help="what of one step of TensorFlow's own goes along, to check against",
    )
    lines = commands.add_parser(
        'pack', help='the training lines of a folder of records, in files small enough to carry'
    )
    lines.add_argument('--data', required=True)
    lines.add_argument('--out', required=True)
    lines.add_argument('--char_px', type=int, default=64)
    lines.add_argument('--layout', choices=['cells', 'spaced'], default='cells')
    lines.add_argument('--longest_lines', type=int, default=8)
    lines.add_argument('--quality', type=int, default=80, help='of WebP')
    lines.add_argument('--files', type=int, default=1, help='how many files of about equal size')
    back = commands.add_parser('import', help='the trained weights into the run')
    back.add_argument('--run_dir', required=True)
    back.add_argument('--weights', required=True)
    back.add_argument('--step', type=int, required=True)
    options = parser.parse_args()
    if options.command == 'export':
        export_run(
            options.run_dir,
            options.out,
            batch_size=options.batch_size,
            product_dtype=options.product_dtype,
            weights_dtype=options.weights_dtype,
        )
        if options.reference != 'none':
            write_reference(
                options.run_dir,
                options.out,
                arrays=options.reference == 'all',
                product_dtype=options.product_dtype,
            )
    elif options.command == 'pack':
        packing.pack_lines(
            RecordIndex(options.data, split='train'),
            options.out,
            char_px=options.char_px,
            longest_lines=options.longest_lines,
            quality=options.quality,
            num_files=options.files,
            layout=options.layout,
        )
    else:
        print(
            f'{import_weights(options.run_dir, options.weights, step=options.step)} variables at step'
            f' {options.step}'
        )


if __name__ == '__main__':
    main()
