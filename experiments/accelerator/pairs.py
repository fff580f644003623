"""Reconstruction with a judge that sees pairs: each real line beside its reconstruction, and beside the same
text in a drawn hand.

Losses of pairs, `hwgen.losses.relativistic`; by patch; ink and contrast of what the judge sees are varied, so
that "darker" is no argument. The judge's gradient on the image is weighted by a number, but never beyond a
share of the reconstruction's own.
"""

import dataclasses

import keras
import numpy as np
import tensorflow as tf

from experiments.accelerator import lowering
from hwgen.characters import Characters
from hwgen.losses import relativistic
from hwgen.models import layers
from hwgen.training.steps import judging, reading
from hwgen.training.steps.reconstruction import ReconstructionStep

# Numbers that come with every step: how the game is played can change without compiling anew.
CONTROLS = (
    'judge_weight',  # of the judge's loss beside the reconstruction's
    'judge_share',  # of the root mean square of the reconstruction's gradient on the image: the judge's most
    'drawn_weight',  # of the judge on lines of drawn hands beside that on reconstructions
    'reading_weight',  # of SRM's loss on lines of drawn hands
    'reading_share',  # of the reconstruction's gradient: SRM's most
    'penalty',  # gamma of R1 and R2
    'jitter',  # ink and contrast vary by this share
    'judge_rate',  # learning rate of the judge
)


@dataclasses.dataclass(frozen=True)
class PairSettings:
    """What is compiled in.

    Attributes:
        channels: of the judge, one number a resolution; patches are char_px / 2^(numbers - 1) a side.
        drawn_lines: int, lines of a batch whose text is also written in a drawn hand.
    """

    channels: tuple[int, ...] = (32, 64, 128, 192)
    drawn_lines: int = 16


class PatchBlock(keras.layers.Layer):
    """Residual block without normalisation, as R3GAN's; its last convolution starts at zero."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv_1 = layers.Conv2D(filters, name='conv_1')
        self.conv_2 = layers.Conv2D(filters, name='conv_2')
        self.gain = self.add_weight(shape=(), initializer='zeros', name='gain')

    def call(self, x, valid):
        """x [B, H, W, C], valid [B, 1, W, 1] -> [B, H, W, C]."""
        h = layers.apply_mask(_activation(self.conv_1(_activation(x))), valid)
        return layers.apply_mask(x + tf.cast(self.gain, x.dtype) * self.conv_2(h), valid)


class PatchJudge(keras.Model):
    """Images of lines -> a score for each patch: large for real.

    A patch is 8 px wide where there are four numbers of channels, and sees about 66 px, a cell, around it.
    """

    def __init__(self, channels, *, char_width_px, **kwargs):
        super().__init__(**kwargs)
        self.char_width_px = char_width_px
        self.first = layers.Conv2D(channels[0], name='first')
        self.wider = tuple(
            layers.Conv2D(filters, 1, name=f'wider_{i + 1}') for i, filters in enumerate(channels[1:])
        )
        self.blocks = tuple(
            PatchBlock(filters, name=f'block_{i + 1}') for i, filters in enumerate(channels[1:])
        )
        self.score = layers.Conv2D(1, 1, name='score')

    @property
    def patch_px(self):
        """Pixels between patches."""
        return 2 ** len(self.blocks)

    def mask(self, images, lengths):
        """The valid patches of lines, float32 [B, 1, W / patch_px, 1]."""
        columns = self.char_width_px
        return layers.column_mask(
            lengths,
            tf.shape(images)[2] // columns,
            columns_per_character=columns // self.patch_px,
        )

    def call(self, images, lengths):
        """Images [B, H, W, 1] in [-1, 1], lengths int32 [B] -> [B, H / patch_px, W / patch_px, 1]."""
        columns = self.char_width_px
        n = tf.shape(images)[2] // columns

        def mask():
            return layers.column_mask(lengths, n, columns_per_character=columns)

        x = layers.apply_mask(_activation(self.first(1.0 - images)), mask())
        for wider, block in zip(self.wider, self.blocks, strict=True):
            columns //= 2
            x = block(layers.apply_mask(wider(layers.downsample(x)), mask()), mask())
        return tf.cast(self.score(_activation(x)), tf.float32)


def _activation(x):
    return tf.nn.leaky_relu(x, 0.2)


def vary_ink(images, numbers, *, reach):
    """Ink and contrast a little otherwise, smoothly, paper as it was.

    Args:
        images: float32 [B, H, W, 1] in [-1, 1], paper +1.
        numbers: float32 [B, 2] in [-1, 1].
        reach: float in [0, 1), of the change.

    Returns:
        float32, its shape; of ink i in [0, 1]: (1 + a) i (1 + c (1 - i)), which may pass 1.
    """
    ink = (1.0 - images) / 2.0
    strength, contrast = tf.split((reach * numbers)[:, tf.newaxis, tf.newaxis, :], 2, axis=-1)
    return 1.0 - 2.0 * (1.0 + strength) * ink * (1.0 + contrast * (1.0 - ink))


class PairStep(ReconstructionStep):
    """The step by reconstruction with the verdict of a judge of pairs; of some texts lines in drawn hands,
    that the judge and SRM judge as well. One device, lines of a batch with noise of their own: see
    `lowering.LoweredTrainer`.

    Args:
        model, settings, average_updates, discriminator, strategy: of `ReconstructionStep`.
        pairs: PairSettings.

    Attributes:
        judge: PatchJudge.
        judge_optimizer: its optimizer.
    """

    def __init__(self, model, settings, *, pairs, **shared):
        super().__init__(model, settings, **shared)
        self.pairs = pairs
        config = model.config.generator
        self.judge = PatchJudge(pairs.channels, char_width_px=config.char_width_px, name='judge')
        self.judge(tf.ones([1, config.char_px, config.char_width_px, 1]), tf.ones([1], tf.int32))
        if settings.product_dtype != 'float32':
            layers.multiply_in(self.judge, settings.product_dtype)
        self.judge_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99)
        self.judge_optimizer.build(self.judge.trainable_variables)
        self.optimizer = keras.optimizers.Adam(settings.reconstruction_rate, beta_1=0.5, beta_2=0.99)
        self.optimizer.build(self.variables)

    def update_pairs(self, lines, controls):
        """One update of the judge, then one of generator and style encoder.

        Args:
            lines: LineBatch, the real lines with their texts.
            controls: dict of float32 scalars, CONTROLS; with drawn lines also `drawn_style_normal` and
                `drawn_noise_normal`; and `jitter_uniform`: see `specification`.

        Returns:
            dict of float32 scalars.
        """
        settings, b, d = self.settings, self.settings.batch_size, self.pairs.drawn_lines
        texts, images = lines.characters, lines.images
        if d:
            texts = Characters(*(tf.concat([values, values[:d]], 0) for values in texts))
            images = tf.concat([images, images[:d]], 0)
        with tf.GradientTape() as tape:
            style, noise, style_kl, noise_kl = self._posterior(lines)
            if d:
                drawn = self.model.generator.style_space(controls['drawn_style_normal'])
                style = tf.concat([style, drawn], 0)
                noise = tf.concat([noise, controls['drawn_noise_normal']], 0)
            fake = self.write(texts, style, noise)
            prior = self.share(settings.style_kl_weight * style_kl + settings.noise_kl_weight * noise_kl)
        image = tf.stop_gradient(fake)
        numbers = tf.reshape(controls['jitter_uniform'], [2, b + d, 2])
        real_seen = vary_ink(images, numbers[0], reach=controls['jitter'])
        fake_seen = vary_ink(image, numbers[1], reach=controls['jitter'])
        metrics = self._update_judge(controls, real_seen, fake_seen, texts.lengths)

        def losses_of(image):
            lacks, parts = self._losses(lines, image[:b])
            varied = vary_ink(image, numbers[1], reach=controls['jitter'])
            verdict = relativistic.pairing_generator_loss(
                *self._scores(real_seen, varied, texts.lengths), mask=self.judge.mask(image, texts.lengths)
            )
            losses = {'reconstruction': self.share(lacks), 'judge': self.share(verdict)}
            read = None
            if d:
                written = Characters(*(values[b:] for values in texts))
                read = reading.read(
                    written, image[b:], model=self.model, settings=settings, training=False
                ).sequence_loss
                losses['reading'] = self.share(read)
            return losses, (parts, verdict, read)

        _, gradients, (parts, verdict, read) = judging.gradients_on_image(image, losses_of)
        valid = judging.image_mask(texts, image, model=self.model, settings=settings) * tf.ones_like(image)
        total, told = self._weighted(controls, gradients, image, images, valid)
        metrics.update(told, **{'loss/judge': tf.reduce_mean(verdict[:b])})
        if d:
            metrics['loss/reading'] = tf.reduce_mean(read)
        norm = self.apply(tape, [fake, prior], output_gradients=[total * valid, tf.ones_like(prior)])
        metrics.update({f'loss/{name}': self.share(value) for name, value in parts.items()})
        metrics.update(
            {
                'loss/style_kl': self.share(style_kl),
                'loss/noise_kl': self.share(noise_kl),
                'grad/norm': norm,
            }
        )
        return metrics

    def _scores(self, real, fake, lengths):
        """Patch scores of real and generated lines, two [M, h, w, 1]."""
        scores = self.judge(tf.concat([real, fake], 0), tf.concat([lengths, lengths], 0))
        return tf.split(scores, 2)

    def _update_judge(self, controls, real, fake, lengths):
        """One step of the judge; returns metrics."""
        with tf.GradientTape() as tape:
            with tf.GradientTape() as slopes_tape:
                slopes_tape.watch([real, fake])
                scores = self._scores(real, fake, lengths)
                mask = self.judge.mask(real, lengths)
                total = tf.reduce_sum((scores[0] + scores[1]) * mask)
            patches = tf.reduce_sum(mask, [1, 2, 3]) * scores[0].shape[1]
            r1, r2 = (
                relativistic.zero_centred_penalty(slopes, patches)
                for slopes in slopes_tape.gradient(total, [real, fake])
            )
            loss = relativistic.pairing_discriminator_loss(*scores, mask=mask)
            objective = tf.reduce_mean(loss + 0.5 * controls['penalty'] * (r1 + r2))
        variables = self.judge.trainable_variables
        gradients = tape.gradient(objective, variables)
        self.judge_optimizer.learning_rate.assign(controls['judge_rate'])
        self.judge_optimizer.apply(gradients, variables)
        b = self.settings.batch_size
        margins = tf.reduce_sum((scores[0] - scores[1]) * mask, [1, 2, 3]) / patches  # M
        metrics = {
            'judge/loss': tf.reduce_mean(loss[:b]),
            'judge/r1': tf.reduce_mean(r1),
            'judge/r2': tf.reduce_mean(r2),
            'judge/norm': tf.linalg.global_norm(gradients),
            'judge/margin': tf.reduce_mean(margins[:b]),
            'judge/right': tf.reduce_mean(tf.cast(margins[:b] > 0, tf.float32)),
        }
        if self.pairs.drawn_lines:
            metrics['judge/loss_drawn'] = tf.reduce_mean(loss[b:])
            metrics['judge/margin_drawn'] = tf.reduce_mean(margins[b:])
            metrics['judge/right_drawn'] = tf.reduce_mean(tf.cast(margins[b:] > 0, tf.float32))
        return metrics

    def _weighted(self, controls, gradients, image, images, valid):
        """The gradients on the image in one, each with its weight but no more than its share of the
        reconstruction's; and metrics.
        """
        b, d = self.settings.batch_size, self.pairs.drawn_lines
        reconstructed, written = slice(0, b), slice(b, b + d)

        def size(name, part):
            """Root mean square of a gradient over the valid pixels of some lines."""
            return tf.sqrt(
                tf.reduce_sum(tf.square(gradients[name] * valid)[part]) / tf.reduce_sum(valid[part])
            )

        reference, judged = size('reconstruction', reconstructed), size('judge', reconstructed)
        most = controls['judge_share'] * reference / (judged + 1e-12)
        judge_scale = tf.minimum(controls['judge_weight'], most)
        of_line = tf.concat([tf.ones([b]), tf.fill([d], controls['drawn_weight'])], 0)
        of_line = of_line[:, tf.newaxis, tf.newaxis, tf.newaxis]  # B + D -> B + D x 1 x 1 x 1
        total = gradients['reconstruction'] + judge_scale * of_line * gradients['judge']
        metrics = {
            'grad/reconstruction': reference,
            'grad/judge': judged,
            'grad/judge_scale': judge_scale,
            'grad/darker': _along_ink(gradients['judge'], image, valid, reconstructed),
            'ink/real': _mean_ink(images, valid, reconstructed),
            'ink/reconstructed': _mean_ink(image, valid, reconstructed),
        }
        if not d:
            return total, metrics
        read = size('reading', written)
        most = controls['reading_share'] * reference / (read + 1e-12)
        reading_scale = tf.minimum(controls['reading_weight'], most)
        metrics |= {
            'grad/judge_drawn': size('judge', written),
            'grad/reading': read,
            'grad/reading_scale': reading_scale,
            'grad/darker_drawn': _along_ink(gradients['judge'], image, valid, written),
            'ink/drawn': _mean_ink(image, valid, written),
        }
        return total + reading_scale * gradients['reading'], metrics


class PairTrainer(lowering.LoweredTrainer):
    """`LoweredTrainer` with one more phase, `pairs`. Arguments as there, and `pairs`, PairSettings."""

    def __init__(self, model, settings, *, pairs=PairSettings(), **kwargs):
        super().__init__(model, settings, **kwargs)
        self.pairs = pairs
        self.pair_step = PairStep(
            model,
            self.settings,
            pairs=pairs,
            average_updates=self.average_updates,
            discriminator=self.discriminator,
            strategy=self.strategy,
        )

    def game_trackables(self):
        """dict name -> what the game adds to a checkpoint's."""
        step = self.pair_step
        return dict(judge=step.judge, judge_optimizer=step.judge_optimizer, pair_optimizer=step.optimizer)

    def optimizer_of(self, phase):
        return self.pair_step.optimizer if phase == 'pairs' else super().optimizer_of(phase)

    def step(self, phase, *, jit=True):
        if phase != 'pairs':
            return super().step(phase, jit=jit)

        @tf.function(jit_compile=jit, autograph=False)
        def pairs(batch):
            step = self.pair_step
            step.settings = self.settings
            step.normal = lowering.noise_of(batch)
            metrics = step.update_pairs(self._lines(batch), batch)
            step.move_average()
            return metrics

        return pairs


def _mean_ink(images, valid, part):
    return tf.reduce_sum(((1.0 - images) / 2.0 * valid)[part]) / tf.reduce_sum(valid[part])


def _along_ink(gradient, images, valid, part):
    """Cosine of a gradient and the ink: 1 where a step against it makes all ink darker, as it stands."""
    gradient, ink = (gradient * valid)[part], (1.0 - images[part]) / 2.0
    return tf.reduce_sum(gradient * ink) / (tf.norm(gradient) * tf.norm(ink) + 1e-12)


def specification(config, pairs, *, batch_size, num_characters):
    """What the lowered phase takes: `lowering.specification`, noise for drawn hands, numbers for the ink, and
    CONTROLS.
    """
    d = pairs.drawn_lines
    drawn = {
        'drawn_style_normal': (np.float32, (d, config.style_dim)),
        'drawn_noise_normal': (np.float32, (d, num_characters, config.character_noise_dim)),
    }
    return {
        **lowering.specification(config, batch_size=batch_size, num_characters=num_characters),
        **(drawn if d else {}),
        'jitter_uniform': (np.float32, (2 * (batch_size + d), 2)),
        **dict.fromkeys(CONTROLS, (np.float32, ())),
    }
