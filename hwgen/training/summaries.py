"""What a run tells: `metrics.jsonl` (append-only), TensorBoard, and one progress line an interval."""

import contextlib
import json
import math
import os
import resource
import sys
import time
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
import tensorflow as tf

from hwgen.charset.printable import as_json, as_text
from hwgen.tensorflow_files import plain_path
from hwgen.training import measures
from hwgen.training.interface import Plan
from hwgen.training.run_directory import writing


class RunLog:
    """Writes a run's records.

    Args:
        run_dir: the run's folder.
        total_steps: for the progress line; an attribute of that name may be changed.
        stream: file for progress lines; default standard output.

    Attributes:
        unheard: bool, the program that read the output has ended (`| head`).

    Raises:
        RunDirectoryError: from every method that writes a file, naming it.
    """

    def __init__(self, run_dir: str, *, total_steps: int, stream: IO[str] | None = None):
        self.run_dir = run_dir
        self.total_steps = total_steps
        self.stream = stream or sys.stdout
        self.unheard = False
        self._file = os.path.join(run_dir, 'metrics.jsonl')
        self._board_folder = os.path.join(run_dir, 'tensorboard')
        with writing(self._file):
            _drop_torn_line(self._file)
            # a record is one write: a killed process tears none
            self._jsonl = open(self._file, 'ab', buffering=0)
        with writing(self._board_folder):
            os.makedirs(self._board_folder, exist_ok=True)
            self._link = contextlib.ExitStack()
            self._board = tf.summary.create_file_writer(
                self._link.enter_context(plain_path(self._board_folder))
            )

    def resume(self, step: int) -> None:
        """Tells TensorBoard that the run goes on after `step` steps: what an earlier call showed of later
        ones is not shown beside what comes now.
        """
        start = tf.compat.v1.Event(
            wall_time=time.time(),
            step=step + 1,
            session_log=tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START),
        )
        with writing(self._board_folder):
            for _ in range(2):  # the first that TensorBoard sees of a run says nothing to it
                tf.raw_ops.ImportEvent(writer=self._board._resource, event=start.SerializeToString())
            self._board.flush()

    def has_records(self) -> bool:
        """Whether an earlier call, or this one, recorded anything."""
        return os.path.getsize(self._file) > 0

    def record(self, step: int, values: Mapping[str, Any]) -> None:
        """Appends one line to metrics.jsonl; `values` are JSON values, NaN and infinity become null."""
        values = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in values.items()
        }
        line = (
            json.dumps(as_json(dict(step=step, **values)), ensure_ascii=False, allow_nan=False) + '\n'
        ).encode()
        with writing(self._file):
            if self._jsonl.write(line) != len(line):
                raise OSError('no space left')

    def scalars(self, step: int, phase: str, values: Mapping[str, float]) -> None:
        """Records float metrics in both places. Keys are paths such as `loss/pixel`."""
        self.record(step, dict(phase=phase, **{key: float(f'{value:.6g}') for key, value in values.items()}))
        with writing(self._board_folder), self._board.as_default(step=step):
            for key, value in values.items():
                tf.summary.scalar(key, value, description=measures.describe(key))
            self._board.flush()

    def images(self, step: int, pictures: Mapping[str, np.ndarray]) -> None:
        """Shows pictures on TensorBoard, uint8 [H, W] or [H, W, 3] by name."""
        with writing(self._board_folder), self._board.as_default(step=step):
            for name, picture in pictures.items():
                picture = picture[..., None] if picture.ndim == 2 else picture
                tf.summary.image(name, picture[None], description=measures.describe(name))
            self._board.flush()

    def text(self, step: int, name: str, text: str) -> None:
        """Shows a text on TensorBoard."""
        with writing(self._board_folder), self._board.as_default(step=step):
            tf.summary.text(name, as_text(text), description=measures.describe(name))
            self._board.flush()

    def say(self, message: str) -> None:
        """Prints one line.

        A terminal that has gone is no reason to stop a long training: the records go on without it.
        """
        try:
            print(message, file=self.stream, flush=True)
        except OSError as error:
            self.unheard = isinstance(error, BrokenPipeError)
            self.stream = open(os.devnull, 'w', encoding='utf-8')

    def say_from_handler(self, message: str) -> None:
        """Prints one line from a signal handler, which may have interrupted `say`: past the buffers, which
        allow no second entry.
        """
        # not a file of the operating system, or closed: the signal is heeded all the same
        with contextlib.suppress(OSError, ValueError):
            os.write(self.stream.fileno(), f'{message}\n'.encode(errors='backslashreplace'))

    def progress(
        self,
        step: int,
        phase: str,
        values: Mapping[str, float],
        *,
        plan: Plan,
        rate: float,
        remaining_sec: float,
    ) -> None:
        """Prints step, share, phase, rate, time to go, the figures that matter in the phase, and memory.

        Args:
            step: steps done.
            phase: the one under way.
            values: figures; those of `measures.SHOWN` are printed, or all losses if there are none of them.
            plan: for the number of the phase.
            rate: steps a second over the last interval.
            remaining_sec: estimated time to go.
        """
        keys = [key for key in measures.SHOWN.get(phase, ()) if key in values]
        keys = keys or [key for key in values if key.startswith('loss/')]
        shown = ', '.join(measures.tell(key, values[key]) for key in keys)
        unit = 2**30 if sys.platform == 'darwin' else 2**20  # bytes there, KiB elsewhere
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
        self.say(
            f'{time.strftime("%H:%M:%S")} step {step}/{self.total_steps}'
            f' {100.0 * step / self.total_steps:4.1f}% {measures.phase_name(phase, plan)} {rate:.1f}'
            f' steps/s ETA {_duration(remaining_sec)} | {shown} | {peak:.1f} GiB'
        )

    def close(self) -> None:
        """Flushes and closes the files."""
        self._jsonl.close()
        with writing(self._board_folder):
            self._board.close()
            self._link.close()


def _drop_torn_line(file):
    """Cuts off a last line without its end, which a full disk may leave: the next record would be glued to
    it.
    """
    if not os.path.isfile(file):
        return
    with open(file, 'r+b') as stream:
        content = stream.read()
        if content and not content.endswith(b'\n'):
            stream.truncate(content.rfind(b'\n') + 1)


def _duration(seconds):
    seconds = int(max(seconds, 0))
    return f'{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}'
