"""A training of one weight, which takes in every batch, text, rate and step it is shown:
a step left out, repeated or taken out of order changes its bits. The fixtures `make_loop` and `whole` are in
conftest.py."""

import functools
import itertools
import json
import os
import pathlib
import signal
import types

import numpy as np
import tensorflow as tf

import hwgen
from hwgen.settings.schedule import Schedule
from hwgen.settings.steps import GanSettings
from hwgen.training.gan import GanTraining
from hwgen.training.step_inputs import StepInput, StepInputs

SAMPLE = pathlib.Path(hwgen.__file__).resolve().parent.parent / 'tfrecords' / 'sample'
CONFIG = dict(
    model=dict(generator=dict(channels=[8, 8])),
    settings=dict(batch_size=4),
    schedule=dict(steps=9),
    data=dict(folder='lines', digest='a', charset_hash='h'),
    flags=dict(batch_size=4, generator_channels=['8', '8'], max_steps=None),
)
SCHEDULE = Schedule(
    3,
    3,
    5,
    discriminator_warmup_steps=2,
    recognizer_every=2,
    reconstruction_every=2,
    longest_lines=3,
    growing_steps=2,
)


class OneWeight(GanTraining):
    """GanTraining with steps that move one weight. `at` maps a number of steps to what happens within that
    step.
    """

    def __init__(self, at=None):
        self.weight = tf.Variable(np.float64(1.0))
        self._settings = GanSettings(batch_size=4, seed=3)
        self.strategy = tf.distribute.get_strategy()
        self.recognizers = types.SimpleNamespace(update=functools.partial(self._take, 1.0))
        self.reconstruction = types.SimpleNamespace(update=functools.partial(self._take, 2.0))
        self.adversarial = types.SimpleNamespace(update=functools.partial(self._take, 3.0))
        self.at = at or {}
        self.fitted = ()

    def trackables(self):
        return dict(weight=self.weight)

    def _take(self, kind, batch, texts=None, real=None, rate_scale=1.0, update_generator=True):
        step = int(batch.step[0])
        seen = (
            tf.reduce_sum(tf.cast(batch.images, tf.float64))
            + 7.0 * rate_scale
            + 3.0 * update_generator
            + kind
        )
        if texts is not None:
            seen += 0.1 * float(tf.reduce_sum(texts.character_ids))
        seen += sum(tf.reduce_sum(tf.cast(value, tf.float64)) for value in (real or ()))
        self.weight.assign(0.9 * self.weight + tf.sin(seen) + 0.01 * step)
        value = self.at.get(step + 1, lambda: None)()
        return {
            'loss/a': tf.constant(1.0 if value is None else value),
            'loss/weight': self.weight.read_value(),
        }

    def draw_like_real_lines(self, batches):
        self.fitted += (float(self.weight),)


class PlainInputs(StepInputs):
    """The same inputs without tf.data, each made when it is asked for."""

    def dataset(self, start_step):
        for step in itertools.count(start_step):
            lines = self.batches.batch(step)
            count, length = lines.characters.structure_ids.shape
            texts = self.texts.batch(step, count, length)
            yield StepInput(*(tf.nest.map_structure(tf.constant, part) for part in (lines, texts)), None)


class Unshown:
    """Samples without pictures: the sheets of OneWeight would be blank."""

    def __init__(self, log):
        self.log, self.sampled = log, ()

    def sample(self, step, plan):
        self.sampled += (step,)
        return f'{self.log.run_dir}/samples/seen-{step:06d}.png'

    def close(self, step, plan, **options):
        return dict(sheet=self.sample(step, plan), model=None)


class Killed(BaseException):
    """As sudden as kill -9: nothing of the loop's own catches it."""


def die():
    raise Killed


def tell(number=signal.SIGTERM):
    return lambda: os.kill(os.getpid(), number)


def records():
    return [
        json.loads(line)
        for line in pathlib.Path('run/metrics.jsonl').read_text(encoding='utf-8').splitlines()
    ]


def saved(run_dir='run'):
    return sorted(
        int(path.stem.split('-')[1]) for path in pathlib.Path(run_dir, 'checkpoints').glob('*.index')
    )
