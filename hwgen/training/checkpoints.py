"""Checkpoints of a run: atomic, the newest few kept, restored bit for bit or refused with a reason."""

import contextlib
import os
import re
import shutil
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from hwgen import files
from hwgen.settings.train import RunSettings
from hwgen.tensorflow_files import plain_path, reason_of

# What TensorFlow raises for a checkpoint that is damaged (IndexError: a data file that ends early) or belongs
# to other models.
UNREADABLE = (tf.errors.OpError, OSError, ValueError, AssertionError, IndexError)


class CheckpointError(RuntimeError):
    """A run's checkpoints cannot be read or do not fit the models."""


class Checkpoints:
    """Checkpoints below a run directory.

    They are found and removed by their exact names: TensorFlow's own manager takes the folder's path for a
    pattern, keeps a list that may be lost, and removes nothing more once a clock was set back.

    Args:
        folder: where they lie; made at the first `save`.
        trackables: by name the Keras models, optimizers and variables; all of them built.
        keep: how many of them stay at most.
        every: steps between those that are kept longest; one of another step, written as time had
            passed, goes first. The two newest stay (with `keep` 1: the newest), so that there is one to fall
            back on.
    """

    def __init__(
        self,
        folder: str,
        trackables: Mapping[str, Any],
        *,
        keep: int = RunSettings().keep_checkpoints,
        every: int = 1,
    ):
        self.folder, self.keep, self.every = folder, keep, every
        self.step = tf.Variable(0, trainable=False, dtype=tf.int64, name='step')
        self._checkpoint = tf.train.Checkpoint(step=self.step, **trackables)

    def save(self, step: int) -> str:
        """Writes a checkpoint; TensorFlow writes it beside and renames it, so that a killed process leaves
        the last one.

        Returns:
            Its path.

        Raises:
            CheckpointError: the folder cannot be written (a full disk), naming it.
        """
        self.step.assign(step)
        try:
            os.makedirs(self.folder, exist_ok=True)
            with plain_path(self.folder) as plain:
                self._checkpoint.save_counter.assign_add(1)
                self._checkpoint.write(os.path.join(plain, f'step-{step}'))
            self._prune(step)
        except (tf.errors.OpError, OSError) as error:
            self._remove_unfinished()
            raise CheckpointError(
                f'{self.folder}: checkpoint of step {step} could not be written: '
                f'{reason_of(error)}; the earlier ones are untouched'
            ) from None
        return prefix(self.folder, step)

    def restore(self) -> tuple[int, str | None, list[tuple[str, str]]]:
        """Restores the newest checkpoint that can be read.

        Returns:
            Its step and path, 0 and None where there is none; path and reason of those that were passed over.

        Raises:
            CheckpointError: there are checkpoints and none fits, naming each with its reason.
        """
        self._remove_unfinished()
        unreadable: list[tuple[str, str]] = []
        for step in reversed(saved_steps(self.folder)):
            path = prefix(self.folder, step)
            try:
                with plain_path(self.folder) as plain:
                    self._checkpoint.restore(
                        prefix(plain, step)
                    ).assert_existing_objects_matched().assert_consumed()
                return int(self.step.numpy()), path, unreadable
            except UNREADABLE as error:
                unreadable.append((path, reason_of(error)))
        if unreadable:
            raise CheckpointError(
                'no checkpoint can be restored (other sizes, or damaged files): '
                + '; '.join(f'{path}: {reason}' for path, reason in unreadable)
            )
        return 0, None, unreadable

    def _prune(self, newest):
        """Removes what is more than `keep` up to the step `newest`, and writes the list that TensorFlow's
        own functions read.
        """
        # one of a later step was passed over: damaged
        steps = [step for step in saved_steps(self.folder) if step <= newest]
        spare = min(self.keep, 2)
        kept = steps[-spare:]
        for step in reversed(steps[:-spare]):
            if step % self.every == 0 and len(kept) < self.keep:
                kept.insert(0, step)
        for step in set(steps) - set(kept):
            _remove(self.folder, step)
        rows = [
            f'model_checkpoint_path: "step-{newest}"\n',
            *(f'all_model_checkpoint_paths: "step-{step}"\n' for step in kept),
        ]
        files.write_file(os.path.join(self.folder, 'checkpoint'), ''.join(rows).encode())

    def _remove_unfinished(self):
        """Removes what a killed process or a full disk left of a checkpoint that was being written."""
        for name in _listed(self.folder):
            if re.fullmatch(r'step-\d+_temp', name):
                shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
            # of an earlier version, of `files.write_file`
            elif name == 'checkpoint.part' or name.startswith('.checkpoint.'):
                with contextlib.suppress(OSError):
                    os.remove(os.path.join(self.folder, name))


def saved_steps(folder: str) -> list[int]:
    """The steps of the checkpoints in a folder, ascending; by their files, as a list may be lost."""
    return sorted(
        int(found[1]) for name in _listed(folder) if (found := re.fullmatch(r'step-(\d+)\.index', name))
    )


def prefix(folder: str, step: int) -> str:
    """The path of a checkpoint, as TensorFlow and `--init_from` name it."""
    return os.path.join(folder, f'step-{step}')


def _listed(folder):
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove(folder, step):
    """Removes a checkpoint, its index first: without that it is none."""
    names = [name for name in _listed(folder) if re.fullmatch(rf'step-{step}\.(index|data-\d+-of-\d+)', name)]
    for name in sorted(names, reverse=True):
        os.remove(os.path.join(folder, name))
