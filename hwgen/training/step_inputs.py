"""What the steps of a run read, as a pure function of the step: a batch of lines, texts to write, what the
discriminator takes for real.
"""

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters


class StepInputs:
    """Batches, texts and, where some lines have no text, the discriminator's real lines, read ahead together.

    Args:
        batches: LineBatches of the training split.
        texts: TextSampler of what to write.
        schedule: Schedule, which says when the discriminator sees lines of drawn styles.
        mixed: MixedLines, or None: the discriminator's real lines are those of the batch.
    """

    def __init__(self, batches, texts, *, schedule, mixed=None):
        self.batches, self.texts, self.schedule, self.mixed = batches, texts, schedule, mixed

    def dataset(self, start_step):
        """The inputs from a step on, in order.

        Args:
            start_step: int >= 0.

        Returns:
            tf.data.Dataset of (batch, texts, real) as `GanTrainer.adversarial_step` takes them. Without
            `mixed`, real is an empty dict; with it, its lines are a cell of paper at steps where the
            discriminator sees none.
        """
        return (
            self.batches.dataset(start_step=start_step)
            .map(
                lambda batch: (batch, self._texts(batch), self._real(batch['step'][0])),
                num_parallel_calls=1,
                deterministic=True,
            )
            .prefetch(4)
        )

    def check(self, step):
        """Reads the lines of a step outside TensorFlow, whose errors wrap what is wrong with a record in
        words of its own.

        Raises:
            RecordError: a damaged record; names file, record and byte.
        """
        self.batches.batch(step)
        if self._shows_mixed(step):
            self.mixed.batch(step)

    def _texts(self, batch):
        """What to write: as many characters as the batch's lines have, so that both sides are alike."""
        n, specs = tf.shape(batch['characters'].structure_ids)[1], Characters.specs(self.batches.batch_size)

        def sample(step, n):
            return tuple(self.texts.batch(int(step), self.batches.batch_size, int(n)))

        values = tf.numpy_function(
            sample, [batch['step'][0], n], [spec.dtype for spec in specs], stateful=False
        )
        return Characters(
            *(tf.ensure_shape(value, spec.shape) for value, spec in zip(values, specs, strict=True))
        )

    def _real(self, step):
        if self.mixed is None:
            return {}
        b, h, w = self.batches.batch_size, self.batches.char_px, self.batches.char_width_px
        shapes = dict(images=[b, h, None, 1], lengths=[b], unlabelled_weights=[b])
        # Of no width it would end the process: TensorFlow 2.21 cannot split tensors without elements over
        # replicas.
        paper = dict(
            images=np.ones([b, h, w, 1], np.float32),
            lengths=np.ones(b, np.float32),
            unlabelled_weights=np.zeros(b, np.float32),
        )

        def read(step):
            real = self.mixed.batch(int(step)) if self._shows_mixed(int(step)) else paper
            return [real[name] for name in shapes]

        values = tf.numpy_function(read, [step], [tf.float32] * len(shapes))
        return {name: tf.ensure_shape(value, shapes[name]) for name, value in zip(shapes, values)}

    def _shows_mixed(self, step):
        # The inputs are read ahead, at the end of the schedule beyond it.
        return (
            self.mixed is not None
            and step < self.schedule.total_steps
            and self.schedule.updates_by_drawn_lines(step)
        )
