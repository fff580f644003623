"""How fast the input pipeline is, and whether a training step ever waits for it.

    python -m benchmarks.pipeline [--data=tfrecords/demo] [--batch_size=16] [--step_ms=200]

Prints batches a second with nothing else to do, the time of a step of random access, and the share of its
time that a consumer with a step of --step_ms waits, once with an idle step and once with one that keeps every
core busy, as training on the CPU does.
"""

import itertools
import os
import time

from absl import app, flags

_DATA = flags.DEFINE_string('data', 'tfrecords/demo', 'Folder of records.')
_BATCH = flags.DEFINE_integer('batch_size', 16, 'Lines of a batch.')
_CHAR_PX = flags.DEFINE_integer('char_px', 32, 'Height of a line, pixels.')
_STEP_MS = flags.DEFINE_float('step_ms', 200.0, "The consumer's step, milliseconds.")
_STEPS = flags.DEFINE_integer('steps', 50, 'Steps of each measurement.')


def waiting_share(dataset, step, *, num_steps):
    """Share of the time in which a consumer waits for its next batch, the start of the pipeline left out."""
    waited, iterator = 0.0, iter(dataset)
    next(iterator)
    step()
    start = time.perf_counter()
    for _ in range(num_steps):
        asked = time.perf_counter()
        next(iterator)
        waited += time.perf_counter() - asked
        step()
    return waited / (time.perf_counter() - start)


def main(argv):
    del argv
    import tensorflow as tf

    from hwgen.charset.encoding import Charset
    from hwgen.data.reading.pipeline import LineBatches

    start = time.perf_counter()
    data = LineBatches(
        _DATA.value, charset=Charset.load(), batch_size=_BATCH.value, seed=0, char_px=_CHAR_PX.value
    )
    print(
        f'{_DATA.value}: {len(data)} lines, opened in {time.perf_counter() - start:.2f} s; batch'
        f' {_BATCH.value}, {_CHAR_PX.value} px, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}'
    )

    data.batch(0)
    start = time.perf_counter()
    for step in range(_STEPS.value):
        data.batch(1000 + 37 * step)
    print(f'random access: {(time.perf_counter() - start) / _STEPS.value * 1e3:.1f} ms a batch')

    start, batches = time.perf_counter(), itertools.islice(data.dataset(), 1, None)
    next(batches)
    began = time.perf_counter()
    for _ in range(_STEPS.value * 4):
        next(batches)
    rate = _STEPS.value * 4 / (time.perf_counter() - began)
    print(
        f'alone: {rate:.0f} batches/s, {rate * _BATCH.value:.0f} lines/s; first batch after'
        f' {began - start:.2f} s'
    )

    idle = waiting_share(data.dataset(), lambda: time.sleep(_STEP_MS.value / 1e3), num_steps=_STEPS.value)
    print(f'idle step of {_STEP_MS.value:.0f} ms: waits {100 * idle:.2f} % of the time')
    matrix = tf.random.stateless_normal([1024, 1024], [0, 0])

    def busy():
        end = time.perf_counter() + _STEP_MS.value / 1e3
        while time.perf_counter() < end:
            tf.linalg.matmul(matrix, matrix).numpy()

    ready = tf.data.Dataset.from_tensors(data.batch(0)).repeat()
    print(
        f'busy step of {_STEP_MS.value:.0f} ms: waits'
        f' {100 * waiting_share(data.dataset(), busy, num_steps=_STEPS.value):.2f} % of the time; for a batch'
        f' that is always ready {100 * waiting_share(ready, busy, num_steps=_STEPS.value):.2f} %'
    )


if __name__ == '__main__':
    app.run(main)
