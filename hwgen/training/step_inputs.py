"""What the steps of a run read, as a pure function of the step: a batch of lines, texts to write, what the
discriminator takes for real.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.data.reading.mixed_lines import MixedLines, RealLines
from hwgen.data.reading.pipeline import LineBatch, LineBatches
from hwgen.settings.schedule import Schedule
from hwgen.training.texts import TextSampler


class StepInput(NamedTuple):
    """What is read for one step.

    Attributes:
        lines: real lines with their texts.
        texts: what to write on drawn styles: lines as long as those of the batch.
        real: what the discriminator takes for real beside drawn lines, a cell of paper each at steps where it
            sees none; None: it is `lines`.
    """

    lines: LineBatch
    texts: Characters
    real: RealLines | None


class StepInputs:
    """Batches, texts and, where some lines have no text, the discriminator's real lines, read ahead together
    (`interface.Inputs`).

    Args:
        batches: lines of the training split, limited to the lengths of `schedule`.
        texts: what to write.
        schedule: says when the discriminator sees lines of drawn styles, and how long lines are.
        mixed: what the discriminator takes for real beside drawn lines; None: the lines of `batches`.
    """

    def __init__(
        self,
        batches: LineBatches,
        texts: TextSampler,
        *,
        schedule: Schedule,
        mixed: MixedLines | None = None,
    ):
        self.batches, self.texts, self.schedule, self.mixed = batches, texts, schedule, mixed

    def follow(self, plan: Schedule) -> None:
        """Takes a schedule for what is to come."""
        if plan != self.schedule:
            self.batches.limit(plan.max_characters)
        self.schedule = plan

    def dataset(self, start_step: int) -> tf.data.Dataset:
        """The inputs from a step on, in order.

        Args:
            start_step: from 0 on.

        Returns:
            tf.data.Dataset of StepInput. Endless.
        """
        return (
            self.batches.dataset(start_step=start_step)
            .map(
                lambda lines: StepInput(lines, self._texts(lines), self._real(lines.step[0])),
                num_parallel_calls=1,
                deterministic=True,
            )
            .prefetch(4)
        )

    def check(self, step: int) -> None:
        """Reads the lines of a step outside TensorFlow, whose errors wrap what is wrong with a record in
        words of its own.

        Raises:
            RecordError: a damaged record; names file, record and byte.
        """
        self.batches.batch(step)
        if self.mixed is not None and self._shows_mixed(step):
            self.mixed.batch(step)

    def _texts(self, lines):
        """What to write: as many characters as the batch's lines have, so that both sides are alike."""
        n, specs = tf.shape(lines.characters.structure_ids)[1], Characters.specs(self.batches.batch_size)

        def sample(step, n):
            return tuple(self.texts.batch(int(step), self.batches.batch_size, int(n)))

        values = tf.numpy_function(sample, [lines.step[0], n], [spec.dtype for spec in specs], stateful=False)
        return Characters(
            *(tf.ensure_shape(value, spec.shape) for value, spec in zip(values, specs, strict=True))
        )

    def _real(self, step):
        if self.mixed is None:
            return None
        b, h, w = self.batches.batch_size, self.batches.char_px, self.batches.char_width_px
        shapes = RealLines(images=[b, h, None, 1], lengths=[b], unlabelled_weights=[b])
        # Of no width it would end the process: TensorFlow 2.21 cannot split tensors without elements over
        # replicas.
        paper = RealLines(
            images=np.ones([b, h, w, 1], np.float32),
            lengths=np.ones(b, np.float32),
            unlabelled_weights=np.zeros(b, np.float32),
        )

        def read(step):
            return tuple(self.mixed.batch(int(step)) if self._shows_mixed(int(step)) else paper)

        values = tf.numpy_function(read, [step], [tf.float32] * len(shapes))
        return RealLines(
            *(tf.ensure_shape(value, shape) for value, shape in zip(values, shapes, strict=True))
        )

    def _shows_mixed(self, step):
        # The inputs are read ahead, at the end of the schedule beyond it.
        return (
            self.mixed is not None
            and step < self.schedule.total_steps
            and self.schedule.updates_by_drawn_lines(step)
        )
