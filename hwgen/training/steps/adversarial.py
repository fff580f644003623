"""Discriminator and generator against each other, on lines of drawn styles (HCT-GAN, "Losses and optimization
settings"; ScrabbleGAN: Fogel et al. 2020).
"""

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.data.reading.mixed_lines import RealLines
from hwgen.data.reading.pipeline import LineBatch
from hwgen.losses import adversarial
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import judging, reading
from hwgen.training.steps.step import Metrics, TrainingStep
from hwgen.training.steps.writing import GeneratorStep


class DiscriminatorStep(TrainingStep):
    """Updates the discriminator, as a part of the steps whose lines it judges.

    Args:
        model: HctGan, built within the strategy's scope.
        settings, strategy: see `TrainingStep`.
    """

    def __init__(self, model: HctGan, settings: GanSettings, *, strategy: tf.distribute.Strategy):
        self.model, self.settings = model, settings
        super().__init__(model.discriminator.trainable_variables, settings, strategy=strategy, beta_1=0.5)

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.settings.discriminator_rate

    def scale_rate(self, rate_scale: float) -> None:
        """The learning rate of what comes: its own, times `rate_scale`."""
        self.optimizer.learning_rate.assign(self.rate * rate_scale)

    def learn(
        self, lines: LineBatch, texts: Characters, fake: tf.Tensor, real: RealLines | None = None
    ) -> Metrics:
        """One update on one replica.

        Args:
            lines: real lines.
            texts: what the written lines read.
            fake: float32 [B, H, W, 1], the written lines.
            real: unlabelled lines among others, which are the real ones then; None: `lines` are.
        """
        if real is None:
            images, lengths = lines.images, reading.lengths_of(lines.characters, self.settings)
        else:
            images, lengths = real.images, real.lengths
        with tf.GradientTape() as tape:
            real_scores = self.model.discriminator(images, lengths=lengths, training=True)
            fake_scores = self.model.discriminator(
                fake, lengths=reading.lengths_of(texts, self.settings), training=True
            )
            loss = self.share(adversarial.hinge_discriminator_loss(real_scores, fake_scores))
        norm = self.apply(tape, loss)
        metrics = {
            'loss/discriminator': loss,
            'score/real': self.share(real_scores),
            'score/fake': self.share(fake_scores),
            'grad/discriminator_norm': norm,
        }
        if real is not None:
            metrics['score/unlabelled'] = self.share(real_scores * real.unlabelled_weights)
        return metrics


class AdversarialStep(GeneratorStep):
    """Updates the discriminator, then the generator against it and the frozen recognisers: the generator's
    three gradients are balanced on the image.

    Args:
        model, settings, average_updates, strategy: see `GeneratorStep`.
        discriminator: the discriminator's part.
    """

    def __init__(
        self,
        model: HctGan,
        settings: GanSettings,
        *,
        average_updates: tf.Variable,
        discriminator: DiscriminatorStep,
        strategy: tf.distribute.Strategy,
    ):
        self.discriminator = discriminator
        super().__init__(
            model,
            settings,
            variables=model.generator.trainable_variables,
            average_updates=average_updates,
            strategy=strategy,
            beta_1=0.5,
        )

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.settings.generator_rate

    def update(
        self,
        lines: LineBatch,
        texts: Characters,
        *,
        real: RealLines | None = None,
        rate_scale: float = 1.0,
        update_generator: bool = True,
    ) -> Metrics:
        """One update of the discriminator, then one of the generator.

        Args:
            lines: the real lines (per replica where the strategy has several, as all that follows).
            texts: what to write.
            real: what the discriminator takes for real; None: `lines`. Nothing but its loss depends on it.
            rate_scale: times both learning rates.
            update_generator: False while the discriminator warms up.

        Returns:
            float32 scalars: losses, scores, sigmas of the gradients on the image, norms; with `real` also
            score/unlabelled.
        """
        self.discriminator.scale_rate(rate_scale)
        if update_generator:
            return self.run(
                self._replica_step, lines, texts, real, rate_scale=rate_scale, then=self.move_average
            )
        return self.run(self._discriminator_replica_step, lines, texts, real, rate_scale=rate_scale)

    def _drawn(self, lines, texts):
        """Lines of texts in drawn styles; the noise is that of the step and places of `lines`."""
        return self.write(texts, *self.drawn_hands(lines, texts))

    def _discriminator_replica_step(self, lines, texts, real=None):
        fake = self._drawn(lines, texts)
        return self.discriminator.learn(lines, texts, tf.stop_gradient(fake), real)

    def _replica_step(self, lines, texts, real=None):
        settings = self.settings
        with tf.GradientTape() as tape:
            fake = self._drawn(lines, texts)
        image = tf.stop_gradient(fake)
        metrics = self.discriminator.learn(lines, texts, image, real)

        def judged(image):
            return judging.frozen_losses(
                texts, image, model=self.model, settings=settings, share=self.share, recognizers=True
            )

        losses, gradients, read = judging.gradients_on_image(image, judged)
        total, sigmas = judging.balanced(
            texts,
            gradients,
            {
                'discriminator': settings.discriminator_weight,
                'sequence': settings.sequence_weight,
                'spatial': settings.spatial_weight,
            },
            model=self.model,
            settings=settings,
            reference=settings.balance_reference,
        )
        norm = self.apply(tape, fake, output_gradients=total)
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        metrics.update({f'loss/{name}_fake': loss for name, loss in losses.items()})
        metrics.update({f'grad/sigma_{name}': sigma / replicas for name, sigma in sigmas.items()})
        metrics['grad/generator_norm'] = norm
        metrics['metric/label_error_fake'] = self.share(read.label_errors())
        return metrics
