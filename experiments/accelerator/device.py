"""Trains lowered steps with JAX: needs JAX, NumPy and Pillow, neither TensorFlow nor hwgen.

    python3 device.py time DIR             each phase compiled, its first step held against reference.npz
    where that is there, steps a second
    python3 device.py train DIR --out=OUT --recognizers=90 --reconstruction=360

DIR holds what `exchange.py export` and `exchange.py pack` wrote. Learning rates follow the run's schedule by
the clock: a warm-up, then a cosine that reaches its floor when a phase's seconds are over, so that the time
is used up whatever the machine does in it. Weights are written to OUT every `--save_every` seconds.
"""

import argparse
import concurrent.futures
import functools
import io
import json
import math
import os
import pathlib
import time

import jax
import numpy as np
from PIL import Image

PHASES = ('recognizers', 'reconstruction')
START = time.monotonic()
FILE_BYTES = 15 << 20  # of one file that is written


def say(text):
    """A line for the log."""
    print(f'{time.monotonic() - START:6.1f} s  {text}', flush=True)


def load_step(folder, name):
    """A lowered step as a JAX function.

    Args:
        folder: pathlib.Path.
        name: str, a phase.

    Returns:
        call: function of (inputs dict, variables dict) -> (metrics dict, new variables dict), which `jax.jit`
            and `lax.scan` take; description: dict.
    """
    import dataclasses

    from jax import export
    from jax._src.interpreters import mlir as jax_mlir
    from jax._src.lib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    description = json.loads((folder / f'{name}.json').read_text(encoding='utf-8'))
    dtypes = {'f32': np.float32, 'i64': np.int64, 'i32': np.int32, 'i1': np.bool_}

    def abstract(kind):
        kind = ir.RankedTensorType(kind)
        return jax.core.ShapedArray(tuple(kind.shape), np.dtype(dtypes[str(kind.element_type)]))

    with jax_mlir.make_ir_context() as context:
        module = stablehlo.deserialize_portable_artifact(context, (folder / f'{name}.mlirbc').read_bytes())
        main = next(f for f in module.body.operations if f.attributes['sym_name'].value == 'main')
        inputs, outputs = (
            [abstract(kind) for kind in kinds] for kinds in (main.type.inputs, main.type.results)
        )
        for function in module.body.operations:  # TensorFlow leaves copies that StableHLO cannot serialise
            for block in function.regions[0].blocks:
                for operation in [o for o in block.operations if o.operation.name == 'mhlo.copy']:
                    operation.operation.results[0].replace_all_uses_with(operation.operation.operands[0])
                    operation.operation.erase()
        code = stablehlo.serialize_portable_artifact(module, stablehlo.get_current_version())
    tree = jax.tree_util.tree_structure
    # An Exported made by hand; its fields differ between releases of JAX.
    fields = dict(
        fun_name=name,
        in_tree=tree((tuple(inputs), {})),
        in_avals=tuple(inputs),
        out_tree=tree(tuple(outputs)),
        out_avals=tuple(outputs),
        nr_devices=1,
        platforms=('cuda' if jax.default_backend() == 'gpu' else jax.default_backend(),),
        ordered_effects=(),
        unordered_effects=(),
        disabled_safety_checks=(),
        mlir_module_serialized=code,
        calling_convention_version=export.maximum_supported_calling_convention_version,
        module_kept_var_idx=tuple(range(len(inputs))),
        uses_global_constants=False,
        _get_vjp=None,
    )
    for field in dataclasses.fields(export.Exported):
        if field.name not in fields:
            of_all = (None,) * len(inputs if 'in_' in field.name else outputs)
            fields[field.name] = (
                False if '_has_' in field.name else of_all if 'sharding' in field.name else None
            )
    exported = export.Exported(**fields)

    def call(batch, variables):
        results = exported.call(
            *[batch[key] for key in description['inputs']],
            *[variables[key] for key in description['captured']],
        )
        changed = {key: results[int(place)] for place, key in description['updates'].items()}
        rest = [result for place, result in enumerate(results) if str(place) not in description['updates']]
        return dict(zip(description['metrics'], rest, strict=True)), {**variables, **changed}

    return call, description


def read_lines(paths, capacity):
    """What `packing.pack_lines` wrote: images uint8 [capacity, char_px, longest * char_px], padding 255;
    ids int32 [capacity, longest]; lengths int32 [L]; advances float32 [capacity, longest], padding 0.
    """
    images, ids, rooms, lengths, there = None, None, None, [], 0
    for path in paths:
        with np.load(path) as stored:
            ends = np.cumsum(stored['strip_bytes'])
            strips = [
                stored['strips'][end - size : end].tobytes()
                for end, size in zip(ends, stored['strip_bytes'], strict=True)
            ]
            px, longest, of_file = int(stored['char_px']), int(stored['longest_lines']), stored['lengths']
            parts = np.cumsum(of_file)[:-1]
            texts = np.split(stored['character_ids'], parts)
            advances = np.split(stored['advances'], parts)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
            decoded = list(
                threads.map(lambda data: np.asarray(Image.open(io.BytesIO(data)).convert('L')), strips)
            )
        if images is None:
            images, ids, rooms = (
                np.full((capacity, px, longest * px), 255, np.uint8),
                np.zeros((capacity, longest), np.int32),
                np.zeros((capacity, longest), np.float32),
            )
        k, column = 0, 0
        for length, text, room in zip(of_file[: capacity - there], texts, advances, strict=False):
            if column == decoded[k].shape[1]:
                k, column = k + 1, 0
            line = decoded[k][:, column : column + length * px]
            # what lossy compression does to paper
            images[there, :, : length * px] = np.where(line >= 248, 255, line)
            ids[there, :length], rooms[there, :length] = text, room
            lengths.append(length)
            column, there = column + length * px, there + 1
    return images, ids, np.array(lengths, np.int32), rooms


class Device:
    """Lines, variables and phases on the accelerator.

    Args:
        folder: path of what was exported.
        chunk: int, steps of one call.
        capacity: int, lines that there is room for: what is compiled does not depend on how many there are;
            more are left out.

    Attributes:
        variables: dict name -> array, the present values.
        config: dict, settings and schedule of the run.
    """

    def __init__(self, folder, *, chunk, capacity):
        self.folder, self.chunk = pathlib.Path(folder), chunk
        with np.load(self.folder / 'variables.npz') as stored:
            values = {name: stored[name] for name in stored.files if name != 'same'}
            values.update({name: values[other] for name, other in json.loads(str(stored['same'])).items()})

        def single(value):
            return value.astype(np.float32) if value.dtype == np.float16 else value

        self.variables = {name: jax.numpy.array(single(value)) for name, value in values.items()}
        self.config = json.loads((self.folder / 'config.json').read_text())
        images, ids, self.lengths, advances = read_lines(sorted(self.folder.glob('lines-*.npz')), capacity)
        say(f'{len(self.lengths)} lines, {self.lengths.sum()} characters')
        with np.load(self.folder / 'tables.npz') as tables:
            self.lines = jax.device_put(
                {
                    'images': images,
                    'character_ids': ids,
                    'advances': advances,
                    'lengths': np.pad(self.lengths, (0, capacity - len(self.lengths))),
                    'component_table': tables['component_ids'],
                    'structure_table': tables['structure_ids'],
                }
            )
        self.draw_anew()
        self._threads, self._compiled, self._batch_sizes = (
            concurrent.futures.ThreadPoolExecutor(4),
            {},
            {},
        )

    def draw_anew(self):
        """The lines and the noise of the beginning come next."""
        seed = self.config['settings']['seed']
        self.rng, self.key, self.pools = np.random.default_rng(seed), jax.random.key(seed), {}

    def compile(self, phases):
        """Has phases compiled in the background; `run` waits for its own."""
        for phase in phases:
            function, self._batch_sizes[phase] = self._steps(phase)
            lowered = function.lower(self.variables, *self._inputs(phase, 8, 0.0), self.lines)

            def finish(phase=phase, lowered=lowered):
                began = time.monotonic()
                compiled = lowered.compile()
                say(
                    f'{phase}: compiled in {time.monotonic() - began:.0f} s, batches of'
                    f' {self._batch_sizes[phase]}'
                )
                return compiled

            self._compiled[phase] = self._threads.submit(finish)

    @staticmethod
    def _batch(lines, members):
        """The images and texts of some lines, as a lowered step takes them."""
        ids = lines['character_ids'][members]
        images = lines['images'][members].astype(np.float32) * np.float32(2 / 255) - np.float32(1)
        return {
            'images': images[..., None],
            'lengths': lines['lengths'][members],
            'character_ids': ids,
            'advances': lines['advances'][members],
            'component_ids': lines['component_table'][ids],
            'structure_ids': lines['structure_table'][ids],
        }

    def _steps(self, phase):
        """The function of `chunk` steps of a phase, and its batch size."""
        call, description = load_step(self.folder, phase)
        shapes = {name: tuple(shape) for name, (_, shape) in description['inputs'].items()}

        def step(lines, variables, inputs):
            members, rate, key = inputs
            style_key, noise_key = jax.random.split(key)
            batch = {
                **self._batch(lines, members),
                'style_normal': jax.random.normal(style_key, shapes['style_normal'], np.float32),
                'noise_normal': jax.random.normal(noise_key, shapes['noise_normal'], np.float32),
            }
            metrics, variables = call(batch, {**variables, description['rate']: rate})
            return variables, metrics

        @functools.partial(jax.jit, donate_argnums=0)
        def steps(variables, members, rates, keys, lines):
            return jax.lax.scan(functools.partial(step, lines), variables, (members, rates, keys))

        return steps, shapes['images'][0]

    def _inputs(self, phase, longest, rate):
        b = self._batch_sizes[phase]
        members = np.stack([self._members(b, longest) for _ in range(self.chunk)])
        self.key, key = jax.random.split(self.key)
        return members, np.full(self.chunk, rate, np.float32), jax.random.split(key, self.chunk)

    def _members(self, b, longest):
        """The next lines of an endless shuffled stream of those that are no longer than `longest`."""
        pool = self.pools.get(longest, np.empty(0, np.int32))
        while len(pool) < b:
            usable = np.flatnonzero(self.lengths <= max(longest, self.lengths.min())).astype(np.int32)
            pool = np.concatenate([pool, self.rng.permutation(usable)])
        self.pools[longest] = pool[b:]
        return pool[:b]

    def ready(self, phase):
        """Waits until a phase is compiled."""
        self._compiled[phase].result()

    def run(self, phase, rate, longest):
        """`chunk` steps; returns their metrics, dict name -> float32 [chunk]."""
        self.variables, metrics = self._compiled[phase].result()(
            self.variables, *self._inputs(phase, longest, rate), self.lines
        )
        return {name: np.asarray(values) for name, values in metrics.items()}

    def save(self, out):
        """Writes the variables of models (no optimizer's) to OUT/weights-K.npz, each file whole or not at
        all.
        """
        part, size, parts = {}, 0, []
        for name, value in self.variables.items():
            if 'optimizer' in name or name.startswith('discriminator/'):
                continue
            value = np.asarray(value)
            if size + value.nbytes > FILE_BYTES:
                parts.append(part)
                part, size = {}, 0
            part[name], size = value, size + value.nbytes
        for k, arrays in enumerate([*parts, part]):
            path = out / f'weights-{k}.npz'
            np.savez(path.with_suffix('.part.npz'), **arrays)
            os.replace(path.with_suffix('.part.npz'), path)


def check(device, folder):
    """Holds one step of each phase against what TensorFlow made of the same batch and weights."""
    path = pathlib.Path(folder) / 'reference.npz'
    if not path.exists():
        return
    with np.load(path) as reference:
        for phase in PHASES:
            call, description = load_step(pathlib.Path(folder), phase)
            batch = {name: reference[f'{phase}/batch/{name}'] for name in description['inputs']}
            metrics, after = jax.jit(call)(batch, device.variables)
            for name, value in metrics.items():
                say(
                    f'{phase}: {name} {float(value):.6f}, TensorFlow'
                    f' {float(reference[f"{phase}/metric/{name}"]):.6f}'
                )
            if f'{phase}/after/{description["rate"]}' not in reference.files:
                continue
            worst = []
            for name in description['captured']:
                expected, got = (
                    reference[f'{phase}/after/{name}'].astype(float),
                    np.asarray(after[name], float),
                )
                moved = np.linalg.norm(expected - np.asarray(device.variables[name], float))
                worst.append(
                    (
                        (
                            float(np.linalg.norm(got - expected) / (moved + 1e-12))
                            if moved > 1e-9
                            else float(np.abs(got - expected).max())
                        ),
                        name,
                    )
                )
            moments = sorted(pair for pair in worst if 'momentum' in pair[1])
            others = sorted(
                pair for pair in worst if 'momentum' not in pair[1] and 'optimizer' not in pair[1]
            )
            say(
                f"{phase}: difference over how far a variable moved: Adam's first moments (the gradients)"
                f' median {moments[len(moments) // 2][0]:.1e}, '
                f'worst {moments[-1]}; others worst {others[-3:]}'
            )


def train(device, out, seconds, *, save_every, deadline):
    """Both phases, each for its seconds."""
    settings, schedule = device.config['settings'], device.config['schedule']
    base = dict(recognizers=settings['recognizer_rate'], reconstruction=settings['reconstruction_rate'])
    log, phases = [], [phase for phase in PHASES if seconds[phase]]
    device.compile(phases)
    for phase in phases:
        device.ready(phase)
        began = saved = time.monotonic()
        end = min(began + seconds[phase], deadline)
        step, told = 0, 0.0
        while time.monotonic() < end:
            share = (time.monotonic() - began) / (end - began)
            floor = schedule['rate_floor']
            scale = min(1.0, (step + device.chunk) / 200.0) * (
                floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * share))
            )
            longest = schedule['longest_lines']
            if step < schedule['growing_steps']:
                longest = (
                    schedule['shortest_lines']
                    + (longest - schedule['shortest_lines']) * step // schedule['growing_steps']
                )
            metrics = device.run(phase, base[phase] * scale, longest)
            step += device.chunk
            now = time.monotonic()
            means = {name: float(values.mean()) for name, values in metrics.items()}
            log.append(
                {'phase': phase, 'step': step, 'seconds': now - began, 'rate': base[phase] * scale, **means}
            )
            if not all(map(math.isfinite, means.values())):
                raise FloatingPointError(f'{phase}, step {step}: {means}; the weights saved last are good')
            if now - told > 10:
                told = now
                say(
                    f'{phase} {step} ({step / (now - began):.1f}/s, {share:.0%}) '
                    + ' '.join(f'{name} {value:.4f}' for name, value in means.items())
                )
            if now - saved > save_every:
                device.save(out)
                saved = time.monotonic()
        device.save(out)
        (out / 'log.json').write_text(json.dumps(log))
        say(f'{phase}: {step} steps')


def main():
    """The commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('command', choices=['time', 'train'])
    parser.add_argument('folder')
    parser.add_argument('--out', default='.')
    parser.add_argument('--chunk', type=int, default=50, help='steps of one call')
    parser.add_argument('--recognizers', type=float, default=90.0, help='seconds')
    parser.add_argument('--reconstruction', type=float, default=360.0, help='seconds')
    parser.add_argument('--save_every', type=float, default=90.0, help='seconds')
    parser.add_argument(
        '--deadline',
        type=float,
        default=math.inf,
        help='seconds after the start at which the second phase ends at the latest',
    )
    parser.add_argument(
        '--capacity', type=int, default=48000, help='lines that there is room for; more are left out'
    )
    parser.add_argument('--phases', default=','.join(PHASES), help='of `time`')
    options = parser.parse_args()
    jax.config.update('jax_enable_x64', True)  # Adam counts in int64
    say(f'jax {jax.__version__}, {jax.devices()}, numpy {np.__version__}')
    device = Device(options.folder, chunk=options.chunk, capacity=options.capacity)
    if options.command == 'train':
        out = pathlib.Path(options.out)
        out.mkdir(parents=True, exist_ok=True)
        train(
            device,
            out,
            dict(recognizers=options.recognizers, reconstruction=options.reconstruction),
            save_every=options.save_every,
            deadline=START + options.deadline,
        )
        return
    device.compile(options.phases.split(','))
    check(device, options.folder)
    for phase in options.phases.split(','):
        device.run(phase, 1e-3, 8)
        began = time.monotonic()
        for _ in range(3):
            metrics = device.run(phase, 1e-3, 8)
        rate = 3 * device.chunk / (time.monotonic() - began)
        say(
            f'{phase}: {rate:.1f} steps/s; '
            + ' '.join(f'{name} {values[-1]:.4f}' for name, values in metrics.items())
        )


if __name__ == '__main__':
    main()
