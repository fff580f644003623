"""The game of pairs: a judge sees each real line beside its reconstruction, and beside the same text in a
drawn hand; generator and style encoder learn by reconstruction and by its verdict.

What both lines of a pair share cancels: the text, and beside a reconstruction the hand. Losses of pairs:
`hwgen.losses.relativistic`.
"""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.data.reading.pipeline import LineBatch
from hwgen.losses import relativistic
from hwgen.models.hct_gan import HctGan
from hwgen.models.patch_judge import PatchJudge
from hwgen.settings.pairs import PairSettings
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import ink, judging, reading
from hwgen.training.steps.rebuilding import RebuildingStep
from hwgen.training.steps.step import Metrics, TrainingStep
from hwgen.training.steps.writing import DRAWN_INK_STREAM, INK_STREAM


class PairControls(NamedTuple):
    """Numbers that say how a step is played, float32 scalars: they change without another trace.

    Attributes:
        judge_weight: of the judge's gradient on the image beside the reconstruction's.
        judge_share: the most that it counts, a share of the reconstruction's.
        drawn_weight: of the judge on lines of drawn hands beside that on reconstructions.
        reading_weight: of the gradient of SRM's loss on lines of drawn hands.
        reading_share: the most that this counts, a share of the reconstruction's.
        penalty: gamma of R1 and R2.
        jitter: ink and contrast vary by this share.
    """

    judge_weight: Any
    judge_share: Any
    drawn_weight: Any
    reading_weight: Any
    reading_share: Any
    penalty: Any
    jitter: Any


class JudgeStep(TrainingStep):
    """Updates the judge, as a part of the step whose lines it judges.

    Source: Huang et al. 2024 (R3GAN): the relativistic pairing loss, R1 + R2, Adam without a mean of the
    gradients (beta_1 0), beta_2 0.99, no clipping, as the penalties bound the slopes. Differs:
    `hwgen.losses.relativistic` says how.

    Args:
        judge: built within the strategy's scope.
        pairs: PairSettings.
        settings, strategy: see `TrainingStep`.
    """

    def __init__(
        self,
        judge: PatchJudge,
        settings: GanSettings,
        *,
        pairs: PairSettings,
        strategy: tf.distribute.Strategy,
    ):
        self.judge, self.pairs = judge, pairs
        super().__init__(judge.trainable_variables, settings, strategy=strategy, beta_1=0.0, beta_2=0.99)

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.pairs.judge_rate

    @property
    def num_drawn(self) -> int:
        """Lines of a batch, over all replicas, that are written in a drawn hand as well."""
        return self.pairs.drawn_lines(self.settings.batch_size)

    def scale_rate(self, rate_scale: float) -> None:
        """The learning rate of what comes: its own, times `rate_scale`."""
        self.optimizer.learning_rate.assign(self.rate * rate_scale)

    def of_drawn(self, per_example: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the lines of drawn hands."""
        return tf.reduce_sum(per_example) / self.num_drawn

    def learn(
        self, real: tf.Tensor, fake: tf.Tensor, lengths: tf.Tensor | None, *, rebuilt: int, penalty: tf.Tensor
    ) -> Metrics:
        """One update on one replica.

        Args:
            real, fake: float32 [M, H, W, 1], the i-th of one beside the i-th of the other.
            lengths: int32 [M], characters of the lines; None: all fill the width.
            rebuilt: how many of the pairs, the first, hold a reconstruction; the others a drawn hand.
            penalty: float32 scalar, gamma.
        """
        with tf.GradientTape() as tape:
            with tf.GradientTape() as slopes_tape:
                slopes_tape.watch([real, fake])
                both = None if lengths is None else tf.concat([lengths, lengths], 0)
                scores = tf.split(self.judge(tf.concat([real, fake], 0), lengths=both), 2)
                mask = self.judge.mask(real, lengths)
                valid = tf.ones_like(scores[0]) if mask is None else mask * tf.ones_like(scores[0])
                total = tf.reduce_sum((scores[0] + scores[1]) * valid)
            patches = tf.reduce_sum(valid, [1, 2, 3])  # M
            r1, r2 = (
                relativistic.zero_centred_penalty(slopes, patches)
                for slopes in slopes_tape.gradient(total, [real, fake])
            )
            loss = relativistic.pairing_discriminator_loss(*scores, mask=mask)
            each = loss + 0.5 * penalty * (r1 + r2)
            objective = tf.reduce_sum(each) / (self.settings.batch_size + self.num_drawn)
        norm = self.apply(tape, objective, clip=False)
        margins = tf.reduce_sum((scores[0] - scores[1]) * valid, [1, 2, 3]) / patches  # M
        told = {
            'judge/loss': loss,
            'judge/margin': margins,
            'judge/right': tf.cast(margins > 0.0, tf.float32),
            'judge/r1': r1,
            'judge/r2': r2,
        }
        metrics = {name: self.share(values[:rebuilt]) for name, values in told.items()}
        if self.num_drawn:
            metrics |= {f'{name}_drawn': self.of_drawn(values[rebuilt:]) for name, values in told.items()}
        return {**metrics, 'grad/judge_norm': norm}


class PairStep(RebuildingStep):
    """Updates the judge, then generator and style encoder: by reconstruction, by the judge's verdict on
    reconstructions and on lines of drawn hands, and by SRM's reading of the latter.

    Source: the losses of R3GAN (Huang et al. 2024) on the pairs of a VAE-GAN (Larsen et al. 2016), which
    shows its discriminator reconstructions and drawn samples. Differs: the judge's gradient on the image is
    held to a share of the reconstruction's own, where Esser et al. 2021 (VQGAN, eq. 7) make both equal; ink
    and contrast of what the judge sees vary, on either side by numbers of their own.

    Args:
        model, settings, average_updates, strategy: see `RebuildingStep`.
        pairs: PairSettings.
        judge: the judge's part.

    Raises:
        ValueError: lines of drawn hands that the replicas cannot divide.
    """

    def __init__(
        self,
        model: HctGan,
        settings: GanSettings,
        *,
        pairs: PairSettings,
        judge: JudgeStep,
        average_updates: tf.Variable,
        strategy: tf.distribute.Strategy,
    ):
        self.pairs, self.judge = pairs, judge
        if judge.num_drawn % strategy.num_replicas_in_sync:
            raise ValueError(
                f'--drawn_share={pairs.drawn_share:g}: {judge.num_drawn} of {settings.batch_size} lines,'
                f' which {strategy.num_replicas_in_sync} replicas do not divide; expected a multiple'
            )
        super().__init__(
            model,
            settings,
            average_updates=average_updates,
            strategy=strategy,
            beta_1=0.5,
            beta_2=0.99,
        )

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.settings.generator_rate

    def controls(self, share: float, *, judge_scale: float = 1.0) -> PairControls:
        """What the settings come to when a share of the phase's steps is done.

        Args:
            share: from 0 to 1.
            judge_scale: times the weights of the judge and of SRM.
        """
        pairs = self.pairs
        values = PairControls(
            judge_weight=judge_scale * pairs.judge_weight,
            judge_share=pairs.judge_share,
            drawn_weight=pairs.drawn_weight,
            reading_weight=judge_scale * pairs.reading_weight,
            reading_share=pairs.reading_share,
            penalty=pairs.penalty(share),
            jitter=pairs.ink_jitter,
        )
        return PairControls(*(tf.constant(value, tf.float32) for value in values))

    def update(
        self, lines: LineBatch, *, rate_scale: float = 1.0, judge_scale: float = 1.0, share: float = 0.0
    ) -> Metrics:
        """One update of the judge, then one of generator and style encoder.

        Args:
            lines: real lines with their texts (per replica where the strategy has several).
            rate_scale: times both learning rates.
            judge_scale, share: see `controls`.

        Returns:
            float32 scalars: those of a reconstruction; of the judge; sizes of the gradients on the image and
            what became of them; ink of real lines, reconstructions and lines of drawn hands.
        """
        self.judge.scale_rate(rate_scale)
        return self.run(
            self._replica_step,
            lines,
            self.controls(share, judge_scale=judge_scale),
            rate_scale=rate_scale,
            then=self.move_average,
        )

    def _chosen(self):
        """Which of a replica's lines are written in a drawn hand as well, int32: those of one device."""
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        lines, chosen = self.settings.batch_size // replicas, self.judge.num_drawn // replicas
        return (np.arange(chosen) * lines // max(chosen, 1)).astype(np.int32)

    def _replica_step(self, lines, controls):
        b, some = lines.images.shape[0], None
        every = lines  # what is written: the lines, then those that are also written in a drawn hand
        if self.judge.num_drawn:
            some = _each(lines, lambda value: tf.gather(value, self._chosen()))
            every = _each(lines, lambda value: tf.concat([value, tf.gather(value, self._chosen())], 0))
        with tf.GradientTape() as tape:
            posterior = self._posterior(lines)
            style, noise = posterior.style, posterior.noise
            if some is not None:
                hands = self.drawn_hands(some, some.characters)
                style = tf.concat([style, hands[0]], 0)
                noise = None if noise is None else tf.concat([noise, hands[1]], 0)
            fake = self.write(every.characters, style, noise)
            prior = self.share(self._beside_image(posterior))
        image = tf.stop_gradient(fake)
        mask = judging.image_mask(every.characters, image, model=self.model, settings=self.settings)
        metrics, gradients = self._judged(lines, some, every, image, controls)
        valid = tf.ones_like(image) if mask is None else mask * tf.ones_like(image)
        total, told = self._weighted(controls, gradients, image, valid, b)
        norm = self.apply(tape, [fake, prior], output_gradients=[total * valid, tf.ones_like(prior)])
        metrics.update(told)
        metrics.update(self._told(posterior), **{'grad/pairs_norm': norm})
        shown, written = ink.mean_ink(every.images, mask), ink.mean_ink(image, mask)
        metrics.update({'ink/real': self.share(shown[:b]), 'ink/reconstructed': self.share(written[:b])})
        if some is not None:
            metrics['ink/drawn'] = self.judge.of_drawn(written[b:])
        return metrics

    def _judged(self, lines, some, every, image, controls):
        """Has the judge learn, and all that teach the generator say what they lack of lines.

        Args:
            lines, some, every: the real lines, those that are also written in a drawn hand, both in a row.
            image: float32 [M, H, W, 1], what was written for `every`.
            controls: PairControls.

        Returns:
            Metrics; the gradients on the image by name.
        """
        b, lengths = lines.images.shape[0], reading.lengths_of(every.characters, self.settings)
        numbers = self.uniform(lines, [2, 2], INK_STREAM)
        if some is not None:
            numbers = tf.concat([numbers, self.uniform(some, [2, 2], DRAWN_INK_STREAM)], 0)

        def as_seen(images, side):
            return ink.vary_ink(images, numbers[:, side], reach=controls.jitter)

        real, judge = as_seen(every.images, 0), self.judge.judge
        metrics = self.judge.learn(real, as_seen(image, 1), lengths, rebuilt=b, penalty=controls.penalty)
        real_scores = judge(real, lengths=lengths)

        def losses_of(image):
            lacks, parts = self._losses(lines, image[:b])
            verdict = relativistic.pairing_generator_loss(
                real_scores, judge(as_seen(image, 1), lengths=lengths), mask=judge.mask(image, lengths)
            )
            losses = {'reconstruction': self.share(lacks), 'judge': self.share(verdict)}
            told = {f'loss/{name}': self.share(value) for name, value in parts.items()}
            told['loss/judge'] = self.share(verdict[:b])
            if some is not None:
                told['loss/judge_drawn'] = self.judge.of_drawn(verdict[b:])
                read = reading.read(
                    some.characters, image[b:], model=self.model, settings=self.settings, training=False
                ).sequence_loss
                losses['reading'] = self.share(read)
                told['loss/sequence_fake'] = self.judge.of_drawn(read)
            return losses, told

        _, gradients, told = judging.gradients_on_image(image, losses_of)
        return {**metrics, **told}, gradients

    def _weighted(self, controls, gradients, image, valid, b):
        """The gradients on the image in one, each with its weight but no more than its share of the
        reconstruction's; and metrics.
        """
        rebuilt, drawn = slice(0, b), slice(b, None)
        reference = self._size(gradients['reconstruction'], valid, rebuilt)
        judged = self._size(gradients['judge'], valid, rebuilt)
        judge_scale = tf.minimum(controls.judge_weight, controls.judge_share * reference / (judged + 1e-12))
        of_line = tf.concat([tf.ones([b]), tf.fill([len(self._chosen())], controls.drawn_weight)], 0)
        of_line = of_line[:, tf.newaxis, tf.newaxis, tf.newaxis]  # M -> M x 1 x 1 x 1
        total = gradients['reconstruction'] + judge_scale * of_line * gradients['judge']
        told = {
            'grad/reconstruction': reference,
            'grad/judge': judged,
            'grad/judge_scale': judge_scale,
            'grad/darker': self._along_ink(gradients['judge'], image, valid, rebuilt),
        }
        if 'reading' in gradients:
            read = self._size(gradients['reading'], valid, drawn)
            reading_scale = tf.minimum(
                controls.reading_weight, controls.reading_share * reference / (read + 1e-12)
            )
            total += reading_scale * gradients['reading']
            told |= {
                'grad/judge_drawn': self._size(gradients['judge'], valid, drawn),
                'grad/reading': read,
                'grad/reading_scale': reading_scale,
                'grad/darker_drawn': self._along_ink(gradients['judge'], image, valid, drawn),
            }
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        return total, {name: value / replicas for name, value in told.items()}

    def _size(self, gradient, valid, part):
        """Root mean square of a gradient over the valid pixels of some lines, of all replicas."""
        square, count = self.total(
            [tf.reduce_sum(tf.square(gradient * valid)[part]), tf.reduce_sum(valid[part])]
        )
        return tf.sqrt(square / count)

    def _along_ink(self, gradient, image, valid, part):
        """Cosine of a gradient and the ink: 1 where a step against it makes all ink darker in proportion."""
        gradient, dark = (gradient * valid)[part], ((1.0 - image) / 2.0 * valid)[part]
        product, squares, dark_squares = self.total(
            [tf.reduce_sum(values) for values in (gradient * dark, gradient**2, dark**2)]
        )
        return product / (tf.sqrt(squares * dark_squares) + 1e-12)


def _each(lines, function):
    """Lines whose every tensor is what a function makes of it."""
    return tf.nest.map_structure(lambda value: None if value is None else function(value), lines)
