"""What a run tells: `metrics.jsonl` (append-only), TensorBoard, and one progress line an interval."""

import json
import math
import os
import resource
import sys
import time

import tensorflow as tf

from hwgen.training.run_directory import writing


class RunLog:
    """Writes a run's records.

    Args:
        run_dir: str, the run's folder.
        total_steps: int, for the progress line.
        stream: file for progress lines; default standard output.

    Attributes:
        unheard: bool, the program that read the output has ended (`| head`).

    Raises:
        RunDirectoryError: from every method that writes a file, naming it.
    """

    def __init__(self, run_dir, *, total_steps, stream=None):
        self.run_dir = run_dir
        self.total_steps = total_steps
        self.stream = stream or sys.stdout
        self.unheard = False
        self._file = os.path.join(run_dir, 'metrics.jsonl')
        self._board_folder = os.path.join(run_dir, 'tensorboard')
        with writing(self._file):
            _drop_torn_line(self._file)
            self._jsonl = open(self._file, 'ab', buffering=0)  # a record is one write: a killed process tears none
        with writing(self._board_folder):
            self._board = tf.summary.create_file_writer(self._board_folder)

    def has_records(self):
        """Whether an earlier call, or this one, recorded anything."""
        return os.path.getsize(self._file) > 0

    def record(self, step, values):
        """Appends one line to metrics.jsonl; `values` are JSON values, NaN and infinity become null."""
        values = {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()}
        line = (json.dumps(dict(step=step, **values), ensure_ascii=False, allow_nan=False) + '\n').encode()
        with writing(self._file):
            if self._jsonl.write(line) != len(line):
                raise OSError('no space left')

    def scalars(self, step, phase, values):
        """Records float metrics in both places. Keys are paths such as `loss/pixel`."""
        self.record(step, dict(phase=phase, **{key: float(f'{value:.6g}') for key, value in values.items()}))
        with writing(self._board_folder), self._board.as_default(step=step):
            for key, value in values.items():
                tf.summary.scalar(key, value)
            self._board.flush()

    def images(self, step, pictures):
        """Shows pictures on TensorBoard. pictures: dict name -> uint8 [H, W] or [H, W, 3]."""
        with writing(self._board_folder), self._board.as_default(step=step):
            for name, picture in pictures.items():
                picture = picture[..., None] if picture.ndim == 2 else picture
                tf.summary.image(name, picture[None])
            self._board.flush()

    def text(self, step, name, text):
        """Shows a text on TensorBoard."""
        with writing(self._board_folder), self._board.as_default(step=step):
            tf.summary.text(name, text)
            self._board.flush()

    def say(self, message):
        """Prints one line. A terminal that has gone is no reason to stop a long training: the records go on without it."""
        try:
            print(message, file=self.stream, flush=True)
        except OSError as error:
            self.unheard = isinstance(error, BrokenPipeError)
            self.stream = open(os.devnull, 'w', encoding='utf-8')

    def say_from_handler(self, message):
        """Prints one line from a signal handler, which may have interrupted `say`: past the buffers, which allow no second entry."""
        try:
            os.write(self.stream.fileno(), f'{message}\n'.encode())
        except (OSError, ValueError):  # not a file of the operating system, or closed: the signal is heeded all the same
            pass

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
        unit = 2 ** 30 if sys.platform == 'darwin' else 2 ** 20  # bytes there, KiB elsewhere
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        self.say(f'{time.strftime("%H:%M:%S")} step {step}/{self.total_steps} {100. * step / self.total_steps:4.1f}% '
                 f'{phase} {rate:.1f} steps/s ETA {_duration(remaining_sec)} | {shown} | {peak:.1f} GiB')

    def close(self):
        """Flushes and closes the files."""
        self._jsonl.close()
        with writing(self._board_folder):
            self._board.close()


def _drop_torn_line(file):
    """Cuts off a last line without its end, which a full disk may leave: the next record would be glued to it."""
    if not os.path.isfile(file):
        return
    with open(file, 'r+b') as stream:
        content = stream.read()
        if content and not content.endswith(b'\n'):
            stream.truncate(content.rfind(b'\n') + 1)


def _duration(seconds):
    seconds = int(max(seconds, 0))
    return f'{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}'
