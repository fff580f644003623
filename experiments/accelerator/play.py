"""Trains arms of a game, from the same weights or one after the other: needs JAX, NumPy and Pillow, and
`device.py` beside it.

    python3 play.py DIR --arms=ARMS.json --out=OUT      arms one after the other, each for its seconds
    python3 play.py DIR --check                         one step of each phase against TensorFlow's

ARMS.json: a list of {"name", "phase", "seconds", "rate", "controls"}. A control is a number, or two: at the
beginning and at the end, by powers between. All arms see the same lines in the same order, and begin with the
same weights; one with "goes_on" begins with those of the arm before it. The rate falls by a cosine to "floor"
of itself. With "fit_styles", styles are drawn from then on where the style encoder finds those of the lines.
No arm begins before all phases are compiled: XLA times its choices on the device, and a training beside it
made that three times as slow.

Of each arm comes back OUT/NAME/weights.npz in float16: the averaged generator and the style encoder, or the
recognisers where it taught those; OUT/NAME/generator.npz, the learning one; OUT/NAME-judge.npz; and
OUT/NAME.json, its losses. An arm without time writes nothing.
"""

import argparse
import functools
import json
import math
import pathlib
import time

import jax
import numpy as np
from device import Device, load_step, say

WARM_UP = 300  # steps: rates, and what the judge counts
RATE_FLOOR = 0.03
STYLES = 'styles'  # what the style encoder says, beside the phases
STYLE_LINES = 1024  # as `hwgen.training.averaging.styles_of_lines`
LEAST_VARIANCE = 1e-3  # as `hwgen.models.layers.StyleSpace.fit`


class Game(Device):
    """`Device` whose phases take more noise, and numbers that say how the game is played."""

    def start_again(self):
        """The weights, lines and noise of the beginning."""
        if not hasattr(self, 'first'):
            self.first = {name: np.asarray(value) for name, value in self.variables.items()}
        self.variables = {name: jax.numpy.array(value) for name, value in self.first.items()}
        self.draw_anew()

    def compile(self, phases):
        """As there; what the style encoder says as well."""
        super().compile(phases)
        if (self.folder / f'{STYLES}.json').exists():
            call, description = load_step(self.folder, STYLES)
            self._styles_of = description['inputs']['lengths'][1][0]

            def of_lines(lines, variables, members):
                return call(self._batch(lines, members), variables)[0]

            members = np.zeros(self._styles_of, np.int32)
            lowered = jax.jit(of_lines).lower(self.lines, self.variables, members)
            self._compiled[STYLES] = self._threads.submit(lowered.compile)

    def fit_styles(self):
        """Draws styles from now on where the style encoder finds those of the first lines."""
        styles, b = self._compiled[STYLES].result(), self._styles_of
        usable = np.flatnonzero(self.lengths <= self.config['schedule']['longest_lines']).astype(np.int32)
        found = [
            styles(self.lines, self.variables, usable[first : first + b])
            for first in range(0, min(STYLE_LINES, len(usable) - b + 1), b)
        ]
        mean, factor = style_space(
            *(
                np.concatenate([np.asarray(posterior[name]) for posterior in found])
                for name in ('style_mean', 'style_log_variance')
            )
        )
        for name in [name for name in self.variables if '/style_space/' in name]:
            value = mean if name.endswith('/mean') else factor
            self.variables[name] = jax.numpy.array(value.astype(np.float32))

    def _steps(self, phase):
        call, description = load_step(self.folder, phase)
        shapes = {name: tuple(shape) for name, (_, shape) in description['inputs'].items()}
        self.controls = {phase: [name for name, shape in shapes.items() if shape == ()]} | getattr(
            self, 'controls', {}
        )
        noise = [name for name in sorted(shapes) if name.endswith(('_normal', '_uniform'))]

        def step(lines, controls, variables, inputs):
            members, rate, key = inputs
            batch = {**self._batch(lines, members), **controls}
            for name, own in zip(noise, jax.random.split(key, len(noise)), strict=True):
                batch[name] = (
                    jax.random.normal(own, shapes[name], np.float32)
                    if name.endswith('_normal')
                    else jax.random.uniform(own, shapes[name], np.float32, -1.0, 1.0)
                )
            metrics, variables = call(batch, {**variables, description['rate']: rate})
            return variables, metrics

        @functools.partial(jax.jit, donate_argnums=0)
        def steps(variables, members, rates, keys, controls, lines):
            return jax.lax.scan(functools.partial(step, lines, controls), variables, (members, rates, keys))

        return steps, shapes['images'][0]

    def _inputs(self, phase, longest, rate, controls=None):
        controls = controls or {}
        return *super()._inputs(phase, longest, rate), {
            name: np.float32(controls.get(name, 0.0)) for name in self.controls[phase]
        }

    def play(self, phase, rate, longest, controls):
        """`chunk` steps; returns their metrics, dict name -> float32 [chunk]."""
        self.variables, metrics = self._compiled[phase].result()(
            self.variables, *self._inputs(phase, longest, rate, controls), self.lines
        )
        return {name: np.asarray(values) for name, values in metrics.items()}

    def write(self, out, name, phase):
        """Writes what an arm has come to, so far."""

        def halves(*owners):
            return {
                key: np.asarray(value).astype(np.float16 if value.dtype == np.float32 else value.dtype)
                for key, value in self.variables.items()
                if key.startswith(owners)
            }

        (out / name).mkdir(exist_ok=True)
        if phase == 'recognizers':
            np.savez_compressed(out / name / 'weights.npz', **halves('sequence_', 'spatial_'))
            return
        np.savez_compressed(out / name / 'weights.npz', **halves('average/', 'style_encoder/'))
        np.savez_compressed(out / name / 'generator.npz', **halves('generator/'))
        if phase == 'pairs':
            np.savez_compressed(out / f'{name}-judge.npz', **halves('judge/'))


def style_space(means, log_variances):
    """Mean [Z] and factor [Z, Z] of the normal distribution that `hwgen.models.layers.StyleSpace.fit` fits to
    what a style encoder says, float [lines, Z] each.
    """
    means = means.astype(float)
    spread = np.exp(log_variances.astype(float)).mean(0) + LEAST_VARIANCE
    covariance = np.cov(means, rowvar=False, bias=True) + np.diag(spread)
    return means.mean(0), np.linalg.cholesky(covariance)


def value_at(control, share):
    """A control's value at a share of an arm's time."""
    if not isinstance(control, list):
        return control
    first, last = control
    return first ** (1 - share) * last**share


def play_arm(game, arm, out, *, longest, deadline):
    """One arm; returns its log."""
    phase, log, step, told = arm['phase'], [], 0, -math.inf
    floor = arm.get('floor', RATE_FLOOR)
    if not arm.get('goes_on'):
        game.start_again()
    if arm.get('fit_styles'):
        game.fit_styles()
    began = time.monotonic()
    end = min(began + arm['seconds'], deadline)
    say(f'{arm["name"]}: begins, {end - began:.0f} s')
    while (now := time.monotonic()) < end:
        share = min(1.0, (now - began) / (end - began))
        warm = min(1.0, (step + game.chunk) / WARM_UP)
        rate = arm['rate'] * warm * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * share)))
        controls = {name: value_at(value, share) for name, value in arm.get('controls', {}).items()}
        for name in ('judge_weight', 'reading_weight'):
            if name in controls:
                controls[name] *= warm
        metrics = game.play(phase, rate, longest, controls)
        step += game.chunk
        means = {name: float(values.mean()) for name, values in metrics.items()}
        log.append({'step': step, 'seconds': time.monotonic() - began, 'rate': rate, **means})
        if not all(map(math.isfinite, means.values())):
            say(f'{arm["name"]}: not finite at step {step}: {means}')
            return log
        if now - told > 15:
            told = now
            say(
                f'{arm["name"]} {step} ({step / (time.monotonic() - began):.1f}/s) '
                + ' '.join(f'{name} {value:.4g}' for name, value in sorted(means.items()))
            )
    if step:
        game.write(out, arm['name'], phase)
    say(f'{arm["name"]}: {step} steps')
    return log


def check(game, phases):
    """Holds one step of each phase against TensorFlow's, from the same weights and the same batch."""
    with np.load(game.folder / 'reference.npz') as reference:
        for phase in phases:
            call, description = load_step(game.folder, phase)
            batch = {name: reference[f'{phase}/batch/{name}'] for name in description['inputs']}
            metrics, after = jax.jit(call)(batch, game.variables)
            for name, value in sorted(metrics.items()):
                say(f'{phase}: {name} {float(value):.6g}, {float(reference[f"{phase}/metric/{name}"]):.6g}')
            worst = []
            for name in description['captured']:
                expected = reference[f'{phase}/after/{name}'].astype(float)
                moved = np.linalg.norm(expected - np.asarray(game.variables[name], float))
                off = np.linalg.norm(np.asarray(after[name], float) - expected)
                worst.append((float(off / moved) if moved > 1e-9 else float(off), name))
            moments = sorted(pair for pair in worst if 'momentum' in pair[1])
            say(f'{phase}: first moments, median {moments[len(moments) // 2]}, worst {moments[-3:]}')


def main():
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder')
    parser.add_argument('--arms')
    parser.add_argument('--out', default='.')
    parser.add_argument('--chunk', type=int, default=25, help='steps of one call')
    parser.add_argument('--capacity', type=int, default=34000)
    parser.add_argument('--deadline', type=float, default=math.inf, help='seconds after the start')
    parser.add_argument('--cache', help='folder of compiled programs')
    parser.add_argument('--check', action='store_true')
    options = parser.parse_args()
    jax.config.update('jax_enable_x64', True)  # Adam counts in int64
    if options.cache:
        jax.config.update('jax_compilation_cache_dir', options.cache)
        jax.config.update('jax_persistent_cache_min_compile_time_secs', 1)
    began = time.monotonic()
    say(f'jax {jax.__version__}, {jax.devices()}, numpy {np.__version__}')
    game = Game(options.folder, chunk=options.chunk, capacity=options.capacity)
    if options.check:
        check(game, ('recognizers', 'reconstruction', 'pairs'))
    if options.arms:
        arms = json.loads(pathlib.Path(options.arms).read_text())
        out = pathlib.Path(options.out)
        out.mkdir(parents=True, exist_ok=True)
        phases = list(dict.fromkeys(arm['phase'] for arm in arms))
        game.compile(phases)
        for phase in phases:
            game.ready(phase)
        for arm in arms:
            log = play_arm(
                game,
                arm,
                out,
                longest=game.config['schedule']['longest_lines'],
                deadline=began + options.deadline,
            )
            (out / f'{arm["name"]}.json').write_text(json.dumps(log))


if __name__ == '__main__':
    main()
