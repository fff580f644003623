"""The step by reconstruction: the line that the style encoder describes, written with the real line's text,
should be the real line; without or with the judges of drawn lines.
"""

import tensorflow as tf

from hwgen.data.reading.pipeline import LineBatch
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import judging
from hwgen.training.steps.adversarial import DiscriminatorStep
from hwgen.training.steps.rebuilding import RebuildingStep
from hwgen.training.steps.step import Metrics


class ReconstructionStep(RebuildingStep):
    """Updates generator and style encoder.

    Differs: Adam's beta_1 is its own 0.9, where the paper has 0.5 for all networks: this is no game.

    Args:
        model, settings, average_updates, strategy: see `RebuildingStep`.
        discriminator: the discriminator's part of `update_judged`.
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
        super().__init__(model, settings, average_updates=average_updates, strategy=strategy, beta_1=0.9)

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.settings.reconstruction_rate

    def update(self, lines: LineBatch, *, rate_scale: float = 1.0, kl_scale: float = 1.0) -> Metrics:
        """One update: the line that E(x) describes, with x's text, should be x.

        Args:
            lines: real lines with their texts (per replica where the strategy has several).
            rate_scale: times the learning rate.
            kl_scale: times the weights of the KL divergences.

        Returns:
            float32 scalars: loss/pixel, loss/feature, loss/style_kl, loss/noise_kl, loss/spacing,
            grad/reconstruction_norm.
        """
        return self.run(
            self._replica_step, lines, tf.constant(kl_scale), rate_scale=rate_scale, then=self.move_average
        )

    def update_judged(
        self, lines: LineBatch, *, rate_scale: float = 1.0, kl_scale: float = 1.0, judge_scale: float = 1.0
    ) -> Metrics:
        """One update of the discriminator on real and reconstructed lines, then `update` with its verdict.

        The reconstructed line has the real one's text and style, so the discriminator sees the hand's quality
        alone (VAE-GAN: Larsen et al. 2016). Its gradient on the image, and those of the frozen recognisers,
        are brought to the spread of the reconstruction's own (as Esser et al. 2021, eq. 7, do at the last
        layer). Its real lines are those of the batch, each beside its own reconstruction: lines without a
        text have none.

        Args:
            lines, rate_scale, kl_scale: see `update`.
            judge_scale: times the weights of those gradients; 0 while the discriminator warms up.

        Returns:
            float32 scalars: those of `update`, scores, sigmas of the gradients on the image.
        """
        self.discriminator.scale_rate(1.0)
        return self.run(
            self._replica_step,
            lines,
            tf.constant(kl_scale),
            tf.constant(judge_scale),
            rate_scale=rate_scale,
            then=self.move_average,
        )

    def _replica_step(self, lines, kl_scale, judge_scale=None):
        """Generator and style encoder against the real line and, with a `judge_scale`, against D and the
        recognisers as well.
        """
        judged = judge_scale is not None
        with tf.GradientTape() as tape:
            drawn = self._posterior(lines)
            fake = self.write(lines.characters, drawn.style, drawn.noise)
            prior = self.share(self._beside_image(drawn, kl_scale))
        image = tf.stop_gradient(fake)
        metrics = self.discriminator.learn(lines, lines.characters, image) if judged else {}

        def losses_of(image):
            loss, parts = self._losses(lines, image)
            losses = {'reconstruction': self.share(loss)}
            if judged:
                losses.update(self._judges(lines, image))
            return losses, parts

        losses, gradients, parts = judging.gradients_on_image(image, losses_of)
        total, sigmas = gradients['reconstruction'], {}
        if judged:
            total, sigmas = self._balanced(lines, gradients, judge_scale)
        norm = self.apply(tape, [fake, prior], output_gradients=[total, tf.ones_like(prior)])
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        metrics.update({f'loss/{name}': self.share(value) for name, value in parts.items()})
        metrics.update(self._told(drawn), **{'grad/reconstruction_norm': norm})
        metrics.update(
            {f'loss/{name}_fake': value for name, value in losses.items() if name != 'reconstruction'}
        )
        metrics.update({f'grad/sigma_{name}': sigma / replicas for name, sigma in sigmas.items()})
        return metrics

    def _judges(self, lines, image):
        """Shares of the judges' losses; the recognisers are asked only where one of them has a weight."""
        settings = self.settings
        recognizers = settings.reconstruction_sequence_weight or settings.reconstruction_spatial_weight
        return judging.frozen_losses(
            lines.characters,
            image,
            model=self.model,
            settings=settings,
            share=self.share,
            recognizers=bool(recognizers),
        )[0]

    def _balanced(self, lines, gradients, scale):
        """All gradients on the image in one, and the spread of each."""
        settings = self.settings
        weights = {
            'reconstruction': 1.0,
            'discriminator': scale * settings.reconstruction_discriminator_weight,
            'sequence': scale * settings.reconstruction_sequence_weight,
            'spatial': scale * settings.reconstruction_spatial_weight,
        }
        return judging.balanced(
            lines.characters,
            gradients,
            weights,
            model=self.model,
            settings=settings,
            reference='reconstruction',
        )
