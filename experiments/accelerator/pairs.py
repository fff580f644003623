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
from hwgen.losses import relativistic
from hwgen.models import layers
from hwgen.training import averaging

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


class PairTrainer(lowering.LoweredTrainer):
    """`LoweredTrainer` with one more phase, `pairs`. Arguments as there, and `pairs`, PairSettings."""

    def __init__(self, model, settings, *, pairs=PairSettings(), **kwargs):
        super().__init__(model, settings, **kwargs)
        self.pairs = pairs
        config = model.config.generator
        self.judge = PatchJudge(pairs.channels, char_width_px=config.char_width_px, name='judge')
        self.judge(tf.ones([1, config.char_px, config.char_width_px, 1]), tf.ones([1], tf.int32))
        if settings.product_dtype != 'float32':
            layers.multiply_in(self.judge, settings.product_dtype)
        self.judge_optimizer = keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99)
        self.judge_optimizer.build(self.judge.trainable_variables)
        self.pair_optimizer = keras.optimizers.Adam(settings.reconstruction_rate, beta_1=0.5, beta_2=0.99)
        self.pair_optimizer.build(self.reconstruction_variables)

    def game_trackables(self):
        """dict name -> what the game adds to a checkpoint's."""
        return dict(
            judge=self.judge, judge_optimizer=self.judge_optimizer, pair_optimizer=self.pair_optimizer
        )

    def optimizer_of(self, phase):
        return self.pair_optimizer if phase == 'pairs' else super().optimizer_of(phase)

    def step(self, phase, *, jit=True):
        if phase != 'pairs':
            return super().step(phase, jit=jit)

        @tf.function(jit_compile=jit, autograph=False)
        def pairs(batch):
            metrics = self._pair_step(batch)
            averaging.move_average(
                self.model.average,
                self.model.generator,
                updates=self.average_updates,
                decay=self.settings.average_decay,
            )
            return metrics

        return pairs

    def _scores(self, real, fake, lengths):
        """Patch scores of real and generated lines, two [M, h, w, 1]."""
        scores = self.judge(tf.concat([real, fake], 0), tf.concat([lengths, lengths], 0))
        return tf.split(scores, 2)

    def _update_judge(self, batch, real, fake, lengths):
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
            objective = tf.reduce_mean(loss + 0.5 * batch['penalty'] * (r1 + r2))
        variables = self.judge.trainable_variables
        gradients = tape.gradient(objective, variables)
        self.judge_optimizer.learning_rate.assign(batch['judge_rate'])
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

    def _pair_step(self, batch):
        settings, b, d = self.settings, self.settings.batch_size, self.pairs.drawn_lines
        lines = {
            name: tf.concat([batch[name], batch[name][:d]], 0) if d else batch[name]
            for name in ('images', 'lengths', 'component_ids', 'structure_ids', 'character_ids')
        }
        with tf.GradientTape() as tape:
            style, noise, style_kl, noise_kl = self._posterior(batch)
            if d:
                style = tf.concat([style, self.model.generator.style_space(batch['drawn_style_normal'])], 0)
                noise = tf.concat([noise, batch['drawn_noise_normal']], 0)
            fake = self._write(lines, style, noise)
            prior = self._share(settings.style_kl_weight * style_kl + settings.noise_kl_weight * noise_kl)
        image = tf.stop_gradient(fake)
        numbers = tf.reshape(batch['jitter_uniform'], [2, b + d, 2])
        real_seen = vary_ink(lines['images'], numbers[0], reach=batch['jitter'])
        metrics = self._update_judge(
            batch, real_seen, vary_ink(image, numbers[1], reach=batch['jitter']), lines['lengths']
        )
        drawn = {name: values[b:] for name, values in lines.items()}
        with tf.GradientTape(persistent=True) as image_tape:
            image_tape.watch(image)
            lacks, parts = self._reconstruction_losses(batch, image[:b])
            scores = self._scores(
                real_seen, vary_ink(image, numbers[1], reach=batch['jitter']), lines['lengths']
            )
            verdict = relativistic.pairing_generator_loss(
                *scores, mask=self.judge.mask(image, lines['lengths'])
            )
            losses = {'reconstruction': self._share(lacks), 'judge': self._share(verdict)}
            if d:
                read = self._reading_losses(drawn, image[b:], training=False)[0]
                losses['reading'] = self._share(read)
        gradients = {name: image_tape.gradient(loss, image) for name, loss in losses.items()}
        del image_tape
        valid = self._image_mask(lines, image) * tf.ones_like(image)

        def size(name, part):
            """Root mean square of a gradient over the valid pixels of some lines."""
            return tf.sqrt(
                tf.reduce_sum(tf.square(gradients[name] * valid)[part]) / tf.reduce_sum(valid[part])
            )

        reconstructed, written = slice(0, b), slice(b, b + d)
        reference, judged = size('reconstruction', reconstructed), size('judge', reconstructed)
        judge_scale = tf.minimum(batch['judge_weight'], batch['judge_share'] * reference / (judged + 1e-12))
        of_line = tf.concat([tf.ones([b]), tf.fill([d], batch['drawn_weight'])], 0)[:, None, None, None]
        total = gradients['reconstruction'] + judge_scale * of_line * gradients['judge']
        metrics.update(
            {
                'grad/reconstruction': reference,
                'grad/judge': judged,
                'grad/judge_scale': judge_scale,
                'grad/darker': _along_ink(gradients['judge'], image, valid, reconstructed),
                'ink/real': _mean_ink(lines['images'], valid, reconstructed),
                'ink/reconstructed': _mean_ink(image, valid, reconstructed),
                'loss/judge': tf.reduce_mean(verdict[:b]),
            }
        )
        if d:
            reading = size('reading', written)
            reading_scale = tf.minimum(
                batch['reading_weight'], batch['reading_share'] * reference / (reading + 1e-12)
            )
            total += reading_scale * gradients['reading']
            metrics.update(
                {
                    'grad/judge_drawn': size('judge', written),
                    'grad/reading': reading,
                    'grad/reading_scale': reading_scale,
                    'grad/darker_drawn': _along_ink(gradients['judge'], image, valid, written),
                    'ink/drawn': _mean_ink(image, valid, written),
                    'loss/reading': tf.reduce_mean(read),
                }
            )
        norm = self._apply(
            self.pair_optimizer,
            tape,
            [fake, prior],
            self.reconstruction_variables,
            output_gradients=[total * valid, tf.ones_like(prior)],
        )
        metrics.update({f'loss/{name}': self._share(value) for name, value in parts.items()})
        metrics.update(
            {
                'loss/style_kl': self._share(style_kl),
                'loss/noise_kl': self._share(noise_kl),
                'grad/norm': norm,
            }
        )
        return metrics


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
