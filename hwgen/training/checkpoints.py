"""Checkpoints of a run: atomic, the newest few kept, restored bit for bit or refused with a reason."""

import glob
import os
import re
import shutil

import tensorflow as tf

from hwgen.training.run_directory import reason_of


class CheckpointError(RuntimeError):
    """A run's checkpoints cannot be read or do not fit the models."""


class Checkpoints:
    """Checkpoints below a run directory.

    Args:
        folder: str, where they lie.
        trackables: dict name -> Keras model, optimizer or tf.Variable; all of them built.
        keep: int, how many of the newest stay.
    """

    def __init__(self, folder, trackables, *, keep=3):
        self.folder = folder
        self.step = tf.Variable(0, trainable=False, dtype=tf.int64, name='step')
        self._checkpoint = tf.train.Checkpoint(step=self.step, **trackables)
        self._manager = tf.train.CheckpointManager(self._checkpoint, folder, max_to_keep=keep, checkpoint_name='step')

    def save(self, step):
        """Writes a checkpoint; TensorFlow writes it beside and renames it, so that a killed process leaves the last one.

        Returns:
            str, its path.

        Raises:
            CheckpointError: the folder cannot be written (a full disk), naming it.
        """
        self.step.assign(step)
        try:
            return self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            self._remove_unfinished()
            raise CheckpointError(f'{self.folder}: checkpoint of step {step} could not be written: '
                                  f'{reason_of(error)}; the earlier ones are untouched') from None

    def restore(self):
        """Restores the newest checkpoint that can be read.

        Returns:
            (step, path), or (0, None) where there is none; unreadable: list of (path, reason) that were passed over.

        Raises:
            CheckpointError: there are checkpoints and none fits, naming each with its reason.
        """
        self._remove_unfinished()
        unreadable = []
        for path in reversed(self._manager.checkpoints or self._unlisted()):
            try:
                self._checkpoint.restore(path).assert_existing_objects_matched().assert_consumed()
                return int(self.step.numpy()), path, unreadable
            # IndexError is what TensorFlow's reader raises for a data file that ends early.
            except (tf.errors.OpError, ValueError, AssertionError, IndexError) as error:
                unreadable.append((path, ' '.join(str(error).split())[:300]))
        if unreadable:
            raise CheckpointError('no checkpoint can be restored (other sizes, or damaged files): ' + '; '.join(
                f'{path}: {reason}' for path, reason in unreadable))
        return 0, None, unreadable

    def _unlisted(self):
        """Checkpoints in the folder, the newest last, where TensorFlow's list of them is missing or empty: it leaves them
        out after a clock was set back. To start anew in silence would be worse."""
        found = {int(match[1]): path for path in glob.glob(os.path.join(glob.escape(self.folder), 'step-*.index'))
                 if (match := re.search(r'step-(\d+)\.index$', path))}
        return [found[step].removesuffix('.index') for step in sorted(found)]

    def _remove_unfinished(self):
        """Removes what a killed process or a full disk left of a checkpoint that was being written."""
        for path in glob.glob(os.path.join(glob.escape(self.folder), 'step-*_temp')):
            shutil.rmtree(path, ignore_errors=True)


def has_checkpoints(run_dir):
    """Whether a run directory holds a checkpoint to go on from."""
    return tf.train.latest_checkpoint(os.path.join(run_dir, 'checkpoints')) is not None
