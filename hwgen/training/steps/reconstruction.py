"""The step by reconstruction: the line that the style encoder describes, written with the real line's text,
should be the real line; without or with the judges of drawn lines.
"""

from typing import NamedTuple

import tensorflow as tf

from hwgen.data.reading.pipeline import LineBatch
from hwgen.losses import reconstruction
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import judging, reading
from hwgen.training.steps.adversarial import DiscriminatorStep
from hwgen.training.steps.step import Metrics
from hwgen.training.steps.writing import POSTERIOR_NOISE_STREAM, POSTERIOR_STYLE_STREAM, GeneratorStep


class Posterior(NamedTuple):
    """What is drawn from the style encoder's answer E(x) for B lines.

    Attributes:
        style: float32 [B, Z].
        noise: float32 [B, N, Zc], of the characters; None without it.
        style_kl: float32 [B], KL divergence of the style from N(0, 1), nats a line.
        noise_kl: float32 [B], of the noise, nats a character; None without it.
    """

    style: tf.Tensor
    noise: tf.Tensor | None
    style_kl: tf.Tensor
    noise_kl: tf.Tensor | None


class ReconstructionStep(GeneratorStep):
    """Updates generator and style encoder.

    Differs: Adam's beta_1 is its own 0.9, where the paper has 0.5 for all networks: this is no game.

    Args:
        model, settings, average_updates, strategy: see `GeneratorStep`.
        discriminator: the discriminator's part of `update_judged`.

    Raises:
        ValueError: feature levels that the trunk does not have.
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
        levels, maps = settings.feature_levels, len(model.sequence_trunk.convolutions)
        if not levels or not 1 <= min(levels) <= max(levels) <= maps:
            raise ValueError(
                f'feature_levels {levels}: expected numbers from 1 to {maps}, the maps of the trunk'
            )
        self.discriminator = discriminator
        super().__init__(
            model,
            settings,
            variables=model.generator.trainable_variables + model.style_encoder.trainable_variables,
            average_updates=average_updates,
            strategy=strategy,
            beta_1=0.9,
        )

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
            float32 scalars: loss/pixel, loss/feature, loss/style_kl, loss/noise_kl,
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

    def _posterior(self, lines):
        """Posterior of the lines, with their draws."""
        config, lengths = self.model.config.generator, reading.lengths_of(lines.characters, self.settings)
        described = tf.stop_gradient(self.model.generator.content_encoder.describe(lines.characters))
        answer = self.model.style_encoder(lines.images, lengths=lengths, training=True, described=described)

        def draw(name, shape, stream):
            spread = tf.exp(0.5 * answer[f'{name}_log_variance'])
            return answer[f'{name}_mean'] + spread * self.normal(lines, shape, stream)

        style = draw('style', [config.style_dim], POSTERIOR_STYLE_STREAM)
        style_kl = reconstruction.kl_loss(answer['style_mean'], answer['style_log_variance'])
        if not config.character_noise_dim:
            return Posterior(style, None, style_kl, None)
        n = tf.shape(lines.characters.structure_ids)[1]
        noise = draw('noise', [n, config.character_noise_dim], POSTERIOR_NOISE_STREAM)
        noise_kl = reconstruction.kl_loss(answer['noise_mean'], answer['noise_log_variance'])
        each = tf.ones_like(noise_kl) if lengths is None else tf.sequence_mask(lengths, n, dtype=tf.float32)
        mean_kl = tf.reduce_sum(noise_kl * each, 1) / tf.reduce_sum(each, 1)
        return Posterior(style, noise, style_kl, mean_kl)

    def _losses(self, lines, image):
        """What a reconstructed line [B, H, W, 1] lacks: total [B], and its parts [B] by name."""
        settings, images = self.settings, lines.images
        lengths = reading.lengths_of(lines.characters, settings)
        n = tf.shape(lines.characters.structure_ids)[1]
        pixel = reconstruction.pixel_loss(
            image,
            images,
            mask=judging.image_mask(lines.characters, images, model=self.model, settings=settings),
        )
        # most of the recognisers' cost lies behind the maps that are compared
        depth = max(settings.feature_levels)
        features = self.model.sequence_trunk(image, lengths=lengths, training=False, depth=depth)
        targets = self.model.sequence_trunk(images, lengths=lengths, training=False, depth=depth)
        feature = tf.add_n(
            [
                _feature_loss(features[level - 1], targets[level - 1], lengths, n)
                for level in settings.feature_levels
            ]
        ) / len(settings.feature_levels)
        total = settings.pixel_weight * pixel + settings.feature_weight * feature
        return total, {'pixel': pixel, 'feature': feature}

    def _replica_step(self, lines, kl_scale, judge_scale=None):
        """Generator and style encoder against the real line and, with a `judge_scale`, against D and the
        recognisers as well.
        """
        judged = judge_scale is not None
        with tf.GradientTape() as tape:
            drawn = self._posterior(lines)
            fake = self.write(lines.characters, drawn.style, drawn.noise)
            prior, spacing = self._beside_image(lines, drawn, kl_scale)
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
        metrics.update({'loss/style_kl': self.share(drawn.style_kl), 'grad/reconstruction_norm': norm})
        metrics.update(
            {f'loss/{name}_fake': value for name, value in losses.items() if name != 'reconstruction'}
        )
        metrics.update({f'grad/sigma_{name}': sigma / replicas for name, sigma in sigmas.items()})
        if drawn.noise_kl is not None:
            metrics['loss/noise_kl'] = self.share(drawn.noise_kl)
        if spacing is not None:
            metrics['loss/spacing'] = self.share(spacing)
        return metrics

    def _beside_image(self, lines, drawn, kl_scale):
        """What is lost beside the picture: the share of it [], weighted; and the loss of the advances [B], or
        None where none are learned.
        """
        settings, generator = self.settings, self.model.generator
        lost, spacing = settings.style_kl_weight * drawn.style_kl, None
        if drawn.noise_kl is not None:
            lost += settings.noise_kl_weight * drawn.noise_kl
        lost *= kl_scale
        if generator.spacing is not None:
            lengths = reading.lengths_of(lines.characters, settings)
            spacing = reconstruction.spacing_loss(
                generator.log_advances(lines.characters._replace(lengths=lengths), drawn.style, drawn.noise),
                lines.advances,
            )
            lost += settings.spacing_weight * spacing
        return self.share(lost), spacing

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


def _feature_loss(features, targets, lengths, n):
    """Feature loss [B] of maps [B, H, W, C] of lines of n characters."""
    mask = None
    if lengths is not None:
        columns = tf.shape(features)[2] // n
        mask = tf.sequence_mask(lengths * columns, n * columns, dtype=tf.float32)
        mask = mask[:, tf.newaxis, :, tf.newaxis]  # B x W -> B x 1 x W x 1
    return reconstruction.feature_loss(features, targets, mask=mask)
