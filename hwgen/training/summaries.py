"""What a run tells: `metrics.jsonl` (append-only), TensorBoard, and one progress line an interval."""

import json
import os
import resource
import sys
import time

import tensorflow as tf


class RunLog:
    """Writes a run's records.

    Args:
        run_dir: str, the run's folder.
        total_steps: int, for the progress line.
        stream: file for progress lines; default standard output.
    """

    def __init__(self, run_dir, *, total_steps, stream=None):
        self.run_dir = run_dir
        self.total_steps = total_steps
        self.stream = stream or sys.stdout
        self._jsonl = open(os.path.join(run_dir, 'metrics.jsonl'), 'a', encoding='utf-8')
        self._board = tf.summary.create_file_writer(os.path.join(run_dir, 'tensorboard'))

    def record(self, step, values):
        """Appends one line to metrics.jsonl; `values` are JSON values."""
        self._jsonl.write(json.dumps(dict(step=step, **values), ensure_ascii=False) + '\n')
        self._jsonl.flush()

    def scalars(self, step, phase, values):
        """Records float metrics in both places. Keys are paths such as `loss/pixel`."""
        self.record(step, dict(phase=phase, **{key: float(f'{value:.6g}') for key, value in values.items()}))
        with self._board.as_default(step=step):
            for key, value in values.items():
                tf.summary.scalar(key, value)
        self._board.flush()

    def images(self, step, pictures):
        """Shows pictures on TensorBoard. pictures: dict name -> uint8 [H, W] or [H, W, 3]."""
        with self._board.as_default(step=step):
            for name, picture in pictures.items():
                picture = picture[..., None] if picture.ndim == 2 else picture
                tf.summary.image(name, picture[None])
        self._board.flush()

    def text(self, step, name, text):
        """Shows a text on TensorBoard."""
        with self._board.as_default(step=step):
            tf.summary.text(name, text)
        self._board.flush()

    def say(self, message):
        """Prints one line."""
        print(message, file=self.stream, flush=True)

    def progress(self, step, phase, values, *, rate, remaining_sec):
        """Prints step, share, phase, rate, time to go, the losses that matter and memory.

        Args:
            step: int, steps done.
            phase: str.
            values: dict of float, shown in order.
            rate: float, steps a second over the last interval.
            remaining_sec: float, estimated time to go.
        """
        shown = ' '.join(f'{key.split("/", 1)[-1]} {value:.3g}' for key, value in values.items())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
        self.say(f'{time.strftime("%H:%M:%S")} step {step}/{self.total_steps} {100. * step / self.total_steps:4.1f}% '
                 f'{phase} {rate:.1f} steps/s ETA {_duration(remaining_sec)} | {shown} | {peak:.1f} GiB')

    def close(self):
        """Flushes and closes the files."""
        self._jsonl.close()
        self._board.close()


def _duration(seconds):
    seconds = int(max(seconds, 0))
    return f'{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}'
