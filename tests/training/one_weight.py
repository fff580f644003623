"""A training loop with a trainer of one weight, which takes in every batch, text, rate and step it is shown:
a step left out, repeated or taken out of order changes its bits. The fixtures `make_loop` and `whole` are in
conftest.py."""

import json
import os
import pathlib
import signal
import types

import numpy as np
import tensorflow as tf

import hwgen
from hwgen.settings.schedule import Schedule
from hwgen.training.loop import TrainingLoop

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


class OneWeight:
    """Stands in for GanTrainer. `at` maps a number of steps to what happens within that step."""

    def __init__(self, at=None):
        self.weight = tf.Variable(np.float64(1.0))
        self.settings = types.SimpleNamespace(batch_size=4, seed=3, reconstruction_discriminator_weight=0.0)
        self.strategy = tf.distribute.get_strategy()
        self.model = self
        self.at = at or {}
        self.fitted = ()

    def trackables(self):
        return dict(weight=self.weight)

    def _take(self, kind, batch, texts=None, real=None, rate_scale=1.0, update_generator=True):
        step = int(batch['step'][0])
        seen = (
            tf.reduce_sum(tf.cast(batch['images'], tf.float64))
            + 7.0 * rate_scale
            + 3.0 * update_generator
            + kind
        )
        if texts is not None:
            seen += 0.1 * float(tf.reduce_sum(texts.character_ids))
        seen += sum(tf.reduce_sum(tf.cast(value, tf.float64)) for value in (real or {}).values())
        self.weight.assign(0.9 * self.weight + tf.sin(seen) + 0.01 * step)
        value = self.at.get(step + 1, lambda: None)()
        return {
            'loss/a': tf.constant(1.0 if value is None else value),
            'loss/weight': self.weight.read_value(),
        }

    def recognizer_step(self, batch, **options):
        return self._take(1.0, batch, **options)

    def reconstruction_step(self, batch, **options):
        return self._take(2.0, batch, **options)

    def adversarial_step(self, batch, texts, **options):
        return self._take(3.0, batch, texts, **options)


class Loop(TrainingLoop):
    """Without pictures: the sheets of OneWeight would be blank."""

    sampled = ()

    def _draw_like_real_lines(self):
        self.trainer.fitted += (float(self.trainer.weight),)

    def _sample(self, step):
        self.sampled += (step,)
        return f'{self.run_dir}/samples/seen-{step:06d}.png'

    def _close(self, step, first):
        return dict(sheet=self._sample(step), model=None)


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
