"""The training steps of HCT-GAN and ScrabbleGAN: maths only; the outer loop is `loop.py`.

Four steps, each a tf.function over all replicas: recognisers on real lines; generator and style encoder by
reconstruction; the same with a discriminator as a second judge; discriminator and generator against each
other on lines of drawn styles, the generator's three gradients balanced on the image (HCT-GAN, "Losses and
optimization settings").
"""

import functools

import keras
import tensorflow as tf

from hwgen.losses import ace, adversarial, attention, balance, ctc, reconstruction
from hwgen.models import layers
from hwgen.models.recognizer_trunk import FRAMES
from hwgen.training import averaging
from hwgen.training.signatures import of_any_length

# Streams of noise: one number for each independent use, so that no two draws of a step share their values.
STYLE_STREAM, NOISE_STREAM, POSTERIOR_STYLE_STREAM, POSTERIOR_NOISE_STREAM = range(4)


class GanTrainer:
    """Owns the optimizers and runs the steps of one `HctGan` under a `tf.distribute` strategy.

    Every variable exists after construction, so that a checkpoint restored before the first step resumes bit
    for bit.

    Args:
        model: HctGan, built within the strategy's scope.
        settings: GanSettings.
        strategy: tf.distribute.Strategy.

    Raises:
        ValueError: feature levels that the trunk does not have.
    """

    def __init__(self, model, settings, *, strategy):
        self.model = model
        self.settings = settings
        self.strategy = strategy
        maps = len(model.sequence_trunk.convolutions)
        if (
            not settings.feature_levels
            or not 1 <= min(settings.feature_levels) <= max(settings.feature_levels) <= maps
        ):
            raise ValueError(
                f'feature_levels {settings.feature_levels}: expected numbers from 1 to {maps}, the maps of'
                ' the trunk'
            )
        with strategy.scope():

            def adam(rate, beta_1):
                return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=0.999)

            # beta_1 = .5 is the paper's, for all networks; the warm-up is no game and keeps Adam's own .9.
            self.recognizer_optimizer = adam(settings.recognizer_rate, 0.9)
            self.reconstruction_optimizer = adam(settings.reconstruction_rate, 0.9)
            self.generator_optimizer = adam(settings.generator_rate, 0.5)
            self.discriminator_optimizer = adam(settings.discriminator_rate, 0.5)
            self.average_updates = tf.Variable(0, trainable=False, dtype=tf.int64, name='average_updates')
        self.recognizer_variables = [v for m in model.recognizers() for v in m.trainable_variables]
        self.generator_variables = model.generator.trainable_variables
        self.reconstruction_variables = self.generator_variables + model.style_encoder.trainable_variables
        self.discriminator_variables = model.discriminator.trainable_variables
        self.recognizer_optimizer.build(self.recognizer_variables)
        self.reconstruction_optimizer.build(self.reconstruction_variables)
        self.generator_optimizer.build(self.generator_variables)
        self.discriminator_optimizer.build(self.discriminator_variables)
        if settings.product_dtype != 'float32':
            for name, module in model.modules().items():
                if name != 'average':  # it writes as it will write elsewhere
                    layers.multiply_in(module, settings.product_dtype)
        self._functions = {}

    def trackables(self):
        """dict name -> everything that a checkpoint must hold."""
        return dict(
            self.model.modules(),
            recognizer_optimizer=self.recognizer_optimizer,
            reconstruction_optimizer=self.reconstruction_optimizer,
            generator_optimizer=self.generator_optimizer,
            discriminator_optimizer=self.discriminator_optimizer,
            average_updates=self.average_updates,
        )

    # Steps over all replicas
    # -----------------------------------------------------------------------------------------

    def recognizer_step(self, batch, *, rate_scale=1.0):
        """One update of SRM and SPM on real lines.

        Args:
            batch: dict of `images` and `characters` (per replica where the strategy has several).
            rate_scale: float, times the learning rate.

        Returns:
            dict of float32 scalars: loss/sequence_real, loss/spatial_real, metric/label_error_real.
        """
        return self._run(
            'recognizer',
            self._recognizer_replica_step,
            self.recognizer_optimizer,
            self.settings.recognizer_rate * rate_scale,
            batch,
            moves_generator=False,
        )

    def reconstruction_step(self, batch, *, rate_scale=1.0, kl_scale=1.0):
        """One update of generator and style encoder: the line that E(x) describes, with x's text, should be
        x.

        Returns:
            dict of float32 scalars: loss/pixel, loss/feature, loss/style_kl, loss/noise_kl,
            grad/reconstruction_norm.
        """
        return self._run(
            'reconstruction',
            self._reconstruction_replica_step,
            self.reconstruction_optimizer,
            self.settings.reconstruction_rate * rate_scale,
            dict(batch, kl_scale=tf.constant(kl_scale)),
        )

    def adversarial_reconstruction_step(self, batch, *, rate_scale=1.0, kl_scale=1.0, judge_scale=1.0):
        """One update of the discriminator on real and reconstructed lines, then `reconstruction_step` with
        its verdict.

        The reconstructed line has the real one's text and style, so the discriminator sees the hand's quality
        alone (VAE-GAN: Larsen et al. 2016). Its gradient on the image, and those of the frozen recognisers,
        are brought to the spread of the reconstruction's own (as Esser et al. 2021, eq. 7, do at the last
        layer). Its real lines are those of the batch, each beside its own reconstruction: lines without a
        text have none.

        Args:
            batch, rate_scale, kl_scale: see `reconstruction_step`.
            judge_scale: float, times the weights of those gradients; 0 while the discriminator warms up.

        Returns:
            dict of float32 scalars: those of `reconstruction_step`, scores, sigmas of the gradients on the
            image.
        """
        self.discriminator_optimizer.learning_rate.assign(self.settings.discriminator_rate)
        return self._run(
            'adversarial_reconstruction',
            self._adversarial_reconstruction_replica_step,
            self.reconstruction_optimizer,
            self.settings.reconstruction_rate * rate_scale,
            dict(batch, kl_scale=tf.constant(kl_scale), judge_scale=tf.constant(judge_scale)),
        )

    def adversarial_step(self, batch, texts, *, real=None, rate_scale=1.0, update_generator=True):
        """One update of the discriminator, then one of the generator against it and the frozen recognisers.

        Args:
            batch: dict as for `recognizer_step`, the real lines.
            texts: Characters, what to write.
            real: dict of `MixedLines.batch`, the lines that the discriminator takes for real; None: those of
                `batch`. Nothing but its loss depends on them.
            rate_scale: float, times both learning rates.
            update_generator: bool, False while the discriminator warms up.

        Returns:
            dict of float32 scalars: losses, scores, sigmas of the gradients on the image, norms; with `real`
            also score/unlabelled.
        """
        self.discriminator_optimizer.learning_rate.assign(self.settings.discriminator_rate * rate_scale)
        name, step = (
            ('adversarial', self._adversarial_replica_step)
            if update_generator
            else ('discriminator', self._discriminator_replica_step)
        )
        return self._run(
            name,
            step,
            self.generator_optimizer,
            self.settings.generator_rate * rate_scale,
            batch,
            texts,
            real,
            moves_generator=update_generator,
        )

    def _run(self, name, replica_step, optimizer, rate, *args, moves_generator=True):
        args = [value for value in args if value is not None]

        def function(*args):
            metrics = self.strategy.run(replica_step, args=args)
            if moves_generator:
                averaging.move_average(
                    self.model.average,
                    self.model.generator,
                    updates=self.average_updates,
                    decay=self.settings.average_decay,
                )
            return {
                key: self.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
                for key, value in metrics.items()
            }

        optimizer.learning_rate.assign(rate)
        return self._traced((name, len(args)), function, args)(*args)

    def _traced(self, key, function, args):
        """The tf.function of a key, traced once for lines of every length: one trace for each length would
        compute other last bits, and with
        `reduce_retracing` those of a step would depend on which length its process met first."""
        if key not in self._functions:
            self._functions[key] = tf.function(
                function, input_signature=[of_any_length(value) for value in args]
            )
        return self._functions[key]

    # Steps of one replica: metrics are shares of the global value, summed by the caller
    # ------------------------------

    def _share(self, per_example):
        """Sum of per-example values over the global batch size: summed over replicas it is the global
        mean.
        """
        return tf.reduce_sum(per_example) / self.settings.batch_size

    def _lengths(self, batch):
        return None if self.settings.uniform_lengths else batch['characters'].lengths

    def _labels(self, batch):
        return ctc.line_labels(
            self.settings.sequence_labels,
            batch['characters'],
            num_components=self.model.config.generator.num_components,
        )

    def _reading_losses(self, batch, images, *, training):
        """CTC and ACE (or attention) losses [B] (the latter None without SPM) of lines that should read
        `batch`'s text, and what was read.
        """
        lengths = self._lengths(batch)
        # B x N x 4 -> B x 4N
        components, _ = ctc.left_aligned(
            tf.reshape(batch['characters'].component_ids, [tf.shape(images)[0], -1])
        )
        _, sequence, spatial, _ = self.model.read(
            images, lengths=lengths, training=training, components=components
        )
        frames = (
            tf.fill([tf.shape(sequence)[0]], tf.shape(sequence)[1]) if lengths is None else lengths * FRAMES
        )
        labels = self._labels(batch)
        sequence_loss = ctc.ctc_loss(labels, sequence, num_frames=frames, dense=self.settings.dense_ctc)
        # CTC grows with length; per character, a line's weight does not depend on its length and rates carry
        # over.
        sequence_loss /= tf.cast(frames // FRAMES, tf.float32)
        spatial_loss = None
        if self.model.config.attention_perception and spatial is not None:
            spatial_loss = attention.attention_loss(components, spatial)
        elif spatial is not None:
            spatial_loss = self._counting_loss(batch, spatial)
        return sequence_loss, spatial_loss, (labels, sequence, frames)

    def _counting_loss(self, batch, spatial):
        """ACE of SPM's logits [B, 4, 4N, K]."""
        mask = layers.column_mask(self._lengths(batch), tf.shape(spatial)[2] // 4, columns_per_character=4)
        counted = batch['characters'].component_ids
        if self.settings.spatial_structures:
            structures = batch['characters'].structure_ids[..., tf.newaxis]
            offset = self.model.config.generator.num_components - 1
            counted = tf.concat([counted, tf.where(structures > 0, structures + offset, 0)], axis=-1)
        counts = ace.component_counts(counted, num_labels=self.model.config.spatial_labels)
        return ace.ace_loss(counts, spatial, mask=mask)

    def _apply(self, optimizer, tape, target, variables, output_gradients=None):
        """Applies gradients of a share of the global mean; returns their global norm before clipping."""
        gradients = tape.gradient(target, variables, output_gradients=output_gradients)
        gradients = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g) for g, v in zip(gradients, variables)
        ]
        replicas = tf.distribute.get_replica_context()
        count = replicas.num_replicas_in_sync
        # the norm must be that of the whole gradient, so that replicas do not change the clipping
        if count > 1:
            gradients = replicas.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        norm = tf.linalg.global_norm(gradients)
        if self.settings.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.settings.clip_norm, use_norm=norm)
        if count > 1:  # Keras sums over replicas once more
            gradients = [g / count for g in gradients]
        optimizer.apply(gradients, variables)
        return norm / count

    def _recognizer_replica_step(self, batch):
        with tf.GradientTape() as tape:
            sequence_loss, spatial_loss, read = self._reading_losses(batch, batch['images'], training=True)
            loss = self._share(sequence_loss if spatial_loss is None else sequence_loss + spatial_loss)
        norm = self._apply(self.recognizer_optimizer, tape, loss, self.recognizer_variables)
        errors, counts = ctc.label_errors(read[0], read[1], num_frames=read[2])
        metrics = {
            'loss/sequence_real': self._share(sequence_loss),
            'grad/recognizer_norm': norm,
            'metric/label_error_real': self._share(errors / tf.maximum(counts, 1.0)),
        }
        if spatial_loss is not None:
            metrics['loss/spatial_real'] = self._share(spatial_loss)
        return metrics

    def _normal(self, batch, shape, stream):
        """N(0, 1) noise [B, *shape] of (seed, step, example): replicas draw what one device would."""
        seed = tf.stack(
            [tf.cast(self.settings.seed, tf.int64) * 16 + stream, tf.cast(batch['step'][0], tf.int64)]
        )
        rows = tf.random.stateless_normal(tf.concat([[self.settings.batch_size], shape], 0), seed)
        return tf.gather(rows, batch['example_index'])

    def _write(self, texts, style, noise, *, generator=None):
        return (generator or self.model.generator)(
            characters=texts['characters']._replace(lengths=self._lengths(texts)),
            style=style,
            character_noise=noise,
            training=True,
        )

    def _image_mask(self, batch, images):
        columns = self.model.config.generator.char_width_px
        return layers.column_mask(
            self._lengths(batch), tf.shape(images)[2] // columns, columns_per_character=columns
        )

    def _posterior(self, batch):
        """Style and character noise drawn from E(x), and their KL divergences [B]; noise and its KL are
        None without it.
        """
        config, lengths = self.model.config.generator, self._lengths(batch)
        posterior = self.model.style_encoder(batch['images'], lengths=lengths, training=True)

        def draw(name, shape, stream):
            return posterior[f'{name}_mean'] + tf.exp(0.5 * posterior[f'{name}_log_variance']) * self._normal(
                batch, shape, stream
            )

        style = draw('style', [config.style_dim], POSTERIOR_STYLE_STREAM)
        style_kl = reconstruction.kl_loss(posterior['style_mean'], posterior['style_log_variance'])
        if not config.character_noise_dim:
            return style, None, style_kl, None
        n = tf.shape(batch['characters'].structure_ids)[1]
        noise = draw('noise', [n, config.character_noise_dim], POSTERIOR_NOISE_STREAM)
        noise_kl = reconstruction.kl_loss(posterior['noise_mean'], posterior['noise_log_variance'])
        each = tf.ones_like(noise_kl) if lengths is None else tf.sequence_mask(lengths, n, dtype=tf.float32)
        return style, noise, style_kl, tf.reduce_sum(noise_kl * each, 1) / tf.reduce_sum(each, 1)

    def _reconstruction_losses(self, batch, image):
        """What a reconstructed line [B, H, W, 1] lacks: total [B], and dict of its parts [B]."""
        settings, images, lengths = self.settings, batch['images'], self._lengths(batch)
        n = tf.shape(batch['characters'].structure_ids)[1]
        pixel = reconstruction.pixel_loss(image, images, mask=self._image_mask(batch, images))
        # most of the recognisers' cost lies behind the maps that are compared
        depth = max(settings.feature_levels)
        features = self.model.sequence_trunk(image, lengths=lengths, training=False, depth=depth)
        targets = self.model.sequence_trunk(images, lengths=lengths, training=False, depth=depth)
        feature = tf.add_n(
            [
                self._feature_loss(features[level - 1], targets[level - 1], lengths, n)
                for level in settings.feature_levels
            ]
        ) / len(settings.feature_levels)
        return settings.pixel_weight * pixel + settings.feature_weight * feature, dict(
            pixel=pixel, feature=feature
        )

    def _adversarial_reconstruction_replica_step(self, batch):
        return self._reconstruction_replica_step(batch, judged=True)

    def _reconstruction_replica_step(self, batch, judged=False):
        """Generator and style encoder against the real line and, if `judged`, against D and the
        recognisers as well.
        """
        settings = self.settings
        with tf.GradientTape() as tape:
            style, noise, style_kl, noise_kl = self._posterior(batch)
            fake = self._write(batch, style, noise)
            prior = settings.style_kl_weight * style_kl
            if noise_kl is not None:
                prior += settings.noise_kl_weight * noise_kl
            prior = batch['kl_scale'] * self._share(prior)
        image = tf.stop_gradient(fake)
        metrics = self._update_discriminator(batch, batch, image) if judged else {}
        with tf.GradientTape(persistent=True) as image_tape:
            image_tape.watch(image)
            loss, parts = self._reconstruction_losses(batch, image)
            losses = dict(reconstruction=self._share(loss))
            if judged:
                losses.update(
                    self._frozen_losses(
                        batch,
                        image,
                        reading=bool(
                            settings.reconstruction_sequence_weight or settings.reconstruction_spatial_weight
                        ),
                    )[0]
                )
        gradients = {name: image_tape.gradient(value, image) for name, value in losses.items()}
        del image_tape
        total, sigmas = gradients['reconstruction'], {}
        if judged:
            total, sigmas = self._balanced(
                batch,
                gradients,
                dict(
                    reconstruction=1.0,
                    discriminator=batch['judge_scale'] * settings.reconstruction_discriminator_weight,
                    sequence=batch['judge_scale'] * settings.reconstruction_sequence_weight,
                    spatial=batch['judge_scale'] * settings.reconstruction_spatial_weight,
                ),
                reference='reconstruction',
            )
        norm = self._apply(
            self.reconstruction_optimizer,
            tape,
            [fake, prior],
            self.reconstruction_variables,
            output_gradients=[total, tf.ones_like(prior)],
        )
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        metrics.update({f'loss/{name}': self._share(value) for name, value in parts.items()})
        metrics.update({'loss/style_kl': self._share(style_kl), 'grad/reconstruction_norm': norm})
        metrics.update(
            {f'loss/{name}_fake': value for name, value in losses.items() if name != 'reconstruction'}
        )
        metrics.update({f'grad/sigma_{name}': sigma / replicas for name, sigma in sigmas.items()})
        if noise_kl is not None:
            metrics['loss/noise_kl'] = self._share(noise_kl)
        return metrics

    def _frozen_losses(self, texts, image, *, reading):
        """Shares of D's and the recognisers' losses on lines that should read `texts`, and what was read
        (or None).
        """
        # D, SRM and SPM are frozen: training=False moves no statistics.
        scores = self.model.discriminator(image, lengths=self._lengths(texts), training=False)
        losses, read = dict(discriminator=self._share(adversarial.hinge_generator_loss(scores))), None
        if reading:
            sequence_loss, spatial_loss, read = self._reading_losses(texts, image, training=False)
            losses['sequence'] = self._share(sequence_loss)
            if spatial_loss is not None:
                losses['spatial'] = self._share(spatial_loss)
        return losses, read

    def _balanced(self, texts, gradients, weights, *, reference):
        image = next(iter(gradients.values()))
        mask = self._image_mask(texts, image)
        mask = tf.ones_like(image[:, :1, :, :]) if mask is None else mask
        return balance.balance_gradients(
            gradients, weights, mask=mask, rule=self.settings.balance_rule, reference=reference
        )

    def _feature_loss(self, features, targets, lengths, n):
        columns = tf.shape(features)[2] // n
        mask = (
            None
            if lengths is None
            else tf.sequence_mask(lengths * columns, n * columns, dtype=tf.float32)[
                :, tf.newaxis, :, tf.newaxis
            ]
        )
        return reconstruction.feature_loss(features, targets, mask=mask)

    def _fake(self, batch, texts):
        config = self.model.config.generator
        n, texts = (
            tf.shape(texts.structure_ids)[1],
            dict(characters=texts, step=batch['step'], example_index=batch['example_index']),
        )
        style = self.model.generator.style_space(self._normal(texts, [config.style_dim], STYLE_STREAM))
        noise = None
        if config.character_noise_dim:
            noise = self._normal(texts, [n, config.character_noise_dim], NOISE_STREAM)
        return self._write(texts, style, noise), texts

    def _update_discriminator(self, batch, texts, fake, real=None):
        """D against `fake`; for it the lines of `real` are real, or else those of `batch`."""
        discriminator = self.model.discriminator
        images, lengths = (
            (batch['images'], self._lengths(batch)) if real is None else (real['images'], real['lengths'])
        )
        with tf.GradientTape() as tape:
            real_scores = discriminator(images, lengths=lengths, training=True)
            fake_scores = discriminator(fake, lengths=self._lengths(texts), training=True)
            loss = self._share(adversarial.hinge_discriminator_loss(real_scores, fake_scores))
        norm = self._apply(self.discriminator_optimizer, tape, loss, self.discriminator_variables)
        metrics = {
            'loss/discriminator': loss,
            'score/real': self._share(real_scores),
            'score/fake': self._share(fake_scores),
            'grad/discriminator_norm': norm,
        }
        if real is not None:
            metrics['score/unlabelled'] = self._share(real_scores * real['unlabelled_weights'])
        return metrics

    def _discriminator_replica_step(self, batch, texts, real=None):
        fake, texts = self._fake(batch, texts)
        return self._update_discriminator(batch, texts, tf.stop_gradient(fake), real)

    def _adversarial_replica_step(self, batch, texts, real=None):
        settings = self.settings
        with tf.GradientTape() as tape:
            fake, texts = self._fake(batch, texts)
        image = tf.stop_gradient(fake)
        metrics = self._update_discriminator(batch, texts, image, real)
        with tf.GradientTape(persistent=True) as image_tape:  # each loss's gradient on the image alone
            image_tape.watch(image)
            losses, read = self._frozen_losses(texts, image, reading=True)
        gradients = {name: image_tape.gradient(loss, image) for name, loss in losses.items()}
        del image_tape
        weights = dict(
            discriminator=settings.discriminator_weight,
            sequence=settings.sequence_weight,
            spatial=settings.spatial_weight,
        )
        total, sigmas = self._balanced(texts, gradients, weights, reference=settings.balance_reference)
        norm = self._apply(
            self.generator_optimizer, tape, fake, self.generator_variables, output_gradients=total
        )
        errors, counts = ctc.label_errors(read[0], read[1], num_frames=read[2])
        replicas = tf.distribute.get_replica_context().num_replicas_in_sync
        metrics.update({f'loss/{name}_fake': loss for name, loss in losses.items()})
        metrics.update({f'grad/sigma_{name}': sigma / replicas for name, sigma in sigmas.items()})
        metrics.update(
            {
                'grad/generator_norm': norm,
                'metric/label_error_fake': self._share(errors / tf.maximum(counts, 1.0)),
            }
        )
        return metrics

    def recompute_statistics(self, text_batches):
        """Batch statistics of the averaged generator, measured anew over these texts, the same on every
        replica.

        Args:
            text_batches: list of dicts of `characters`, `style` [B, Z] and `character_noise` [B, N, D].
        """

        def function(texts):
            self._write(texts, texts['style'], texts['character_noise'], generator=self.model.average)

        averaging.recompute_statistics(
            self.model.average,
            (
                functools.partial(
                    self.strategy.run, self._traced('statistics', function, (texts,)), args=(texts,)
                )
                for texts in text_batches
            ),
        )
