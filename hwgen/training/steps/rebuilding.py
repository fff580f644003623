"""What steps share that rebuild real lines: the line that the style encoder describes, written with the real
line's text, and what it lacks.
"""

from typing import NamedTuple

import tensorflow as tf

from hwgen.losses import reconstruction
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import judging, reading
from hwgen.training.steps.writing import POSTERIOR_NOISE_STREAM, POSTERIOR_STYLE_STREAM, GeneratorStep

# Small, so that the generator's gradients keep their share of the norm that all are clipped to; how fast the
# prior learns does not depend on it (Adam).
_PRIOR_WEIGHT = 0.01


class Posterior(NamedTuple):
    """What is drawn from the style encoder's answer E(x) for B lines.

    Attributes:
        style: float32 [B, Z].
        noise: float32 [B, N, Zc], of the characters; None without it.
        style_kl: float32 [B], KL divergence of the style from N(0, 1), nats a line.
        noise_kl: float32 [B], of the noise, nats a character; None without it.
        prior: float32 [B], KL divergence of the noise from what `noise_space` says of it, nats a character;
            None where that is not learned.
        spacing: float32 [B], how far off the characters' advances are (`reconstruction.spacing_loss`); None
            where none are learned.
    """

    style: tf.Tensor
    noise: tf.Tensor | None
    style_kl: tf.Tensor
    noise_kl: tf.Tensor | None
    prior: tf.Tensor | None
    spacing: tf.Tensor | None


class RebuildingStep(GeneratorStep):
    """A step that moves generator and style encoder, by lines that are rebuilt among others.

    Args:
        model, settings, average_updates, strategy: see `GeneratorStep`.
        **decays: Adam's, see `TrainingStep`.

    Raises:
        ValueError: feature levels that the trunk does not have.
    """

    def __init__(
        self,
        model: HctGan,
        settings: GanSettings,
        *,
        average_updates: tf.Variable,
        strategy: tf.distribute.Strategy,
        **decays: float,
    ):
        levels, maps = settings.feature_levels, len(model.sequence_trunk.convolutions)
        if not levels or not 1 <= min(levels) <= max(levels) <= maps:
            raise ValueError(
                f'feature_levels {levels}: expected numbers from 1 to {maps}, the maps of the trunk'
            )
        super().__init__(
            model,
            settings,
            variables=model.generator.trainable_variables + model.style_encoder.trainable_variables,
            average_updates=average_updates,
            strategy=strategy,
            **decays,
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
            return Posterior(style, None, style_kl, None, None, self._spacing(lines, style, None))
        n = tf.shape(lines.characters.structure_ids)[1]
        noise = draw('noise', [n, config.character_noise_dim], POSTERIOR_NOISE_STREAM)
        noise_kl = reconstruction.kl_loss(answer['noise_mean'], answer['noise_log_variance'])
        each = tf.ones_like(noise_kl) if lengths is None else tf.sequence_mask(lengths, n, dtype=tf.float32)

        def over_line(values):
            return tf.reduce_sum(values * each, 1) / tf.reduce_sum(each, 1)

        prior = self._from_prior(answer, described, style)
        return Posterior(
            style,
            noise,
            style_kl,
            over_line(noise_kl),
            None if prior is None else over_line(prior),
            self._spacing(lines, style, noise),
        )

    def _from_prior(self, answer, described, style):
        """How far the style encoder's noise lies from what the generator's prior says of it: [B, N]; None
        where none is learned. The prior alone learns by it.
        """
        space = self.model.generator.noise_space
        if space is None:
            return None
        mean, log_variance, style = map(
            tf.stop_gradient, (answer['noise_mean'], answer['noise_log_variance'], style)
        )
        return reconstruction.whitened_kl_loss(mean, log_variance, *space(described, style))

    def _spacing(self, lines, style, noise):
        """How far off the advances of lines are that are said of a style and noise: [B]; None where none are
        learned.
        """
        generator = self.model.generator
        if generator.spacing is None:
            return None
        lengths = reading.lengths_of(lines.characters, self.settings)
        said = generator.log_advances(lines.characters._replace(lengths=lengths), style, noise)
        return reconstruction.spacing_loss(said, lines.advances)

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

    def _beside_image(self, drawn, kl_scale=1.0):
        """What is lost beside the picture, weighted: what a posterior costs, times `kl_scale`, and how far
        off the advances are. float32 [B].
        """
        settings, cost = self.settings, self.settings.style_kl_weight * drawn.style_kl
        if drawn.noise_kl is not None:
            cost += settings.noise_kl_weight * drawn.noise_kl
        cost *= kl_scale
        if drawn.prior is not None:
            cost += _PRIOR_WEIGHT * drawn.prior
        return cost if drawn.spacing is None else cost + settings.spacing_weight * drawn.spacing

    def _told(self, drawn):
        """Metrics of a posterior."""
        parts = {
            'style_kl': drawn.style_kl,
            'noise_kl': drawn.noise_kl,
            'noise_prior': drawn.prior,
            'spacing': drawn.spacing,
        }
        return {f'loss/{name}': self.share(part) for name, part in parts.items() if part is not None}


def _feature_loss(features, targets, lengths, n):
    """Feature loss [B] of maps [B, H, W, C] of lines of n characters."""
    mask = None
    if lengths is not None:
        columns = tf.shape(features)[2] // n
        mask = tf.sequence_mask(lengths * columns, n * columns, dtype=tf.float32)
        mask = mask[:, tf.newaxis, :, tf.newaxis]  # B x W -> B x 1 x W x 1
    return reconstruction.feature_loss(features, targets, mask=mask)
