"""Terms of the steps that a loss going down does not show: whose gradient reaches whom, which noise is whose, and what must not move."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from hwgen.training import gan


def tensors(batch):
    return {key: tf.constant(value) for key, value in batch.items()}


def test_the_prior_reaches_the_style_encoder(trainer, make_batch, variables_of):
    """A large weight of the KL divergence brings styles to N(0, 1), none leaves them to the reconstruction."""
    batch, start = tensors(make_batch()), {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    ends = {}
    for scale in (1e3, 1., 0.):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        for _ in range(25):
            metrics = trainer.reconstruction_step(batch, kl_scale=scale)
        ends[scale] = float(metrics['loss/style_kl']), float(metrics['loss/noise_kl'])
    for strong, weak in ((1e3, 1.), (1e3, 0.)):
        assert ends[strong][0] < .5 * ends[weak][0] and ends[strong][1] < .5 * ends[weak][1], ends
    assert ends[1.] != ends[0.]


def test_the_posterior_is_drawn_with_its_standard_deviation(trainer, make_batch):
    rng = np.random.default_rng(0)
    for variable in trainer.model.style_encoder.trainable_variables:  # variances that are not 1, whose root is another number
        variable.assign_add(rng.normal(size=variable.shape, scale=.3).astype(np.float32))
    batch = tensors(make_batch(step=3))
    style, noise, _, _ = trainer._posterior(batch)
    posterior = trainer.model.style_encoder(batch['images'], lengths=None, training=True)
    for drawn, name, shape, stream in ((style, 'style', [trainer.model.config.generator.style_dim], gan.POSTERIOR_STYLE_STREAM),
                                       (noise, 'noise', [2, 3], gan.POSTERIOR_NOISE_STREAM)):
        log_variance = posterior[f'{name}_log_variance'].numpy()
        assert np.abs(log_variance).max() > .1
        found = (drawn.numpy() - posterior[f'{name}_mean'].numpy()) / np.exp(.5 * log_variance)
        np.testing.assert_allclose(found, trainer._normal(batch, shape, stream), atol=1e-4)  # a difference of float32 is divided


def test_each_use_of_noise_has_its_own_stream(trainer, make_batch, texts_of, monkeypatch):
    """Style and character noise, drawn and posterior: four streams, no two of which share a value at a step."""
    used, original = [], trainer._normal
    monkeypatch.setattr(trainer, '_normal', lambda batch, shape, stream: used.append(stream) or original(batch, shape, stream))
    batch = tensors(make_batch(step=2))
    trainer._fake(batch, tensors(texts_of(make_batch(step=2))))
    trainer._posterior(batch)
    assert used == [gan.STYLE_STREAM, gan.NOISE_STREAM, gan.POSTERIOR_STYLE_STREAM, gan.POSTERIOR_NOISE_STREAM]
    values = [original(batch, [6], stream).numpy() for stream in used]
    assert len(np.unique(values)) == 4 * 4 * 6


def test_whose_rate_follows_the_phase(trainer, monkeypatch):
    """Against drawn lines both fade together; on rebuilt lines the discriminator keeps its rate, as the reconstruction's fades by a law of its own."""
    given = []
    monkeypatch.setattr(trainer, '_run', lambda name, step, optimizer, rate, *arguments, **options: given.append(rate))
    settings = trainer.settings
    trainer.adversarial_step({}, {}, rate_scale=.25)
    assert float(trainer.discriminator_optimizer.learning_rate) == pytest.approx(.25 * settings.discriminator_rate)
    trainer.adversarial_reconstruction_step({}, rate_scale=.5)
    assert float(trainer.discriminator_optimizer.learning_rate) == pytest.approx(settings.discriminator_rate)
    assert given == pytest.approx([.25 * settings.generator_rate, .5 * settings.reconstruction_rate])


def test_another_seed_draws_other_noise(trainer, make_batch, monkeypatch):
    """All of it, and not the noise that the same seed has for another use: seeds 0 to 3 with streams 0 to 3 are sixteen draws."""
    batch, drawn = tensors(make_batch(step=2)), []
    for seed in range(4):
        monkeypatch.setattr(trainer, 'settings', dataclasses.replace(trainer.settings, seed=seed))
        drawn += [trainer._normal(batch, [6], stream).numpy() for stream in (gan.STYLE_STREAM, gan.NOISE_STREAM, gan.POSTERIOR_STYLE_STREAM, gan.POSTERIOR_NOISE_STREAM)]
    assert len(np.unique(drawn)) == 16 * 4 * 6


def test_a_frozen_discriminator_keeps_its_vectors(trainer, make_batch, texts_of, variables_of):
    """What power iteration has found, and batch statistics, are after a whole step what they are after the discriminator's part of it."""
    batch, texts = tensors(make_batch()), tensors(texts_of(make_batch()))
    start, after = {name: variable.numpy() for name, variable in variables_of(trainer).items()}, []
    for update_generator in (False, True):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        trainer.adversarial_step(batch, texts, update_generator=update_generator)
        after.append([variable.numpy() for variable in trainer.model.discriminator.non_trainable_variables])
    assert after[0] and any((a != b.numpy()).any() for a, b in zip(start.values(), variables_of(trainer).values()))
    for discriminator_alone, whole in zip(*after):
        np.testing.assert_allclose(whole, discriminator_alone, atol=1e-6)  # two graphs round differently


def test_recognisers_that_judge_keep_their_statistics(trainer, make_batch, texts_of):
    before = [variable.numpy() for module in trainer.model.recognizers() for variable in module.variables]
    trainer.adversarial_step(tensors(make_batch()), tensors(texts_of(make_batch())))
    for a, b in zip(before, [variable for module in trainer.model.recognizers() for variable in module.variables]):
        np.testing.assert_array_equal(a, b)


def test_the_decay_of_the_average_has_its_bound(trainer, make_batch):
    """Late in a run min(.999, n / (n + 9)) is .999."""
    trainer.average_updates.assign(10 ** 6)
    start = [v.numpy() for v in trainer.model.average.variables]
    trainer.reconstruction_step(tensors(make_batch()), rate_scale=50.)
    moved = 0.
    for mean, old, new in zip(trainer.model.average.variables, start, trainer.model.generator.variables):
        np.testing.assert_allclose(mean.numpy() - old, .001 * (new.numpy() - old), atol=3e-7)  # of numbers near 1, in float32
        moved = max(moved, np.abs(mean.numpy() - old).max())
    assert moved > 1e-5


@pytest.mark.parametrize('judge_scale, expected', [(0., (0., 0., 0.)), (1., (.5, .25, .125)), (.5, (.25, .125, .0625))])
def test_a_scale_counts_for_every_judge(trainer, make_batch, monkeypatch, judge_scale, expected):
    """Of discriminator, SRM and SPM on reconstructed lines; the reconstruction keeps its weight."""
    monkeypatch.setattr(trainer, 'settings', dataclasses.replace(
        trainer.settings, reconstruction_discriminator_weight=.5, reconstruction_sequence_weight=.25, reconstruction_spatial_weight=.125))
    given, original = [], trainer._balanced
    monkeypatch.setattr(trainer, '_balanced', lambda batch, gradients, weights, reference: given.append((weights, reference)) or original(
        batch, gradients, weights, reference=reference))
    batch = dict(tensors(make_batch()), kl_scale=tf.constant(1.), judge_scale=tf.constant(judge_scale))
    trainer._adversarial_reconstruction_replica_step(batch)
    (weights, reference), = given
    assert reference == 'reconstruction' and float(weights['reconstruction']) == 1.
    assert tuple(float(weights[name]) for name in ('discriminator', 'sequence', 'spatial')) == expected
