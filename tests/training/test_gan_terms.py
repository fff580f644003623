"""Terms of the steps that a loss going down does not show: whose gradient reaches whom, which noise is
whose, and what must not move.
"""

import dataclasses
import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.models import layers
from hwgen.settings.steps import GanSettings
from hwgen.training import averaging, gan
from hwgen.training.steps import judging, writing
from hwgen.training.steps.step import TrainingStep


def tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


@pytest.mark.slow
def test_the_prior_reaches_the_style_encoder(trainer, make_batch, variables_of):
    """A large weight of the KL divergence brings styles to N(0, 1), none leaves them to the
    reconstruction.
    """
    batch, start = (
        tensors(make_batch()),
        {name: variable.numpy() for name, variable in variables_of(trainer).items()},
    )
    ends = {}
    for scale in (1e3, 1.0, 0.0):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        for _ in range(25):
            metrics = trainer.reconstruction.update(batch, kl_scale=scale)
        ends[scale] = float(metrics['loss/style_kl']), float(metrics['loss/noise_kl'])
    for strong, weak in ((1e3, 1.0), (1e3, 0.0)):
        assert ends[strong][0] < 0.5 * ends[weak][0] and ends[strong][1] < 0.5 * ends[weak][1], ends
    assert ends[1.0] != ends[0.0]


def test_the_posterior_is_drawn_with_its_standard_deviation(trainer, make_batch):
    rng = np.random.default_rng(0)
    # variances that are not 1, whose root is another number
    for variable in trainer.model.style_encoder.trainable_variables:
        variable.assign_add(rng.normal(size=variable.shape, scale=0.3).astype(np.float32))
    batch = tensors(make_batch(step=3))
    style, noise, *_ = trainer.reconstruction._posterior(batch)
    posterior = trainer.model.style_encoder(batch.images, lengths=None, training=True)
    for drawn, name, shape, stream in (
        (style, 'style', [trainer.model.config.generator.style_dim], writing.POSTERIOR_STYLE_STREAM),
        (noise, 'noise', [2, 3], writing.POSTERIOR_NOISE_STREAM),
    ):
        log_variance = posterior[f'{name}_log_variance'].numpy()
        assert np.abs(log_variance).max() > 0.1
        found = (drawn.numpy() - posterior[f'{name}_mean'].numpy()) / np.exp(0.5 * log_variance)
        # a difference of float32 is divided
        np.testing.assert_allclose(found, trainer.reconstruction.normal(batch, shape, stream), atol=1e-4)


def test_each_use_of_noise_has_its_own_stream(trainer, make_batch, texts_of, monkeypatch):
    """Style and character noise, drawn and posterior: four streams, no two of which share a value at a
    step.
    """
    used, original = [], trainer.reconstruction.normal
    for step in (trainer.adversarial, trainer.reconstruction):
        monkeypatch.setattr(
            step,
            'normal',
            lambda batch, shape, stream: used.append(stream) or original(batch, shape, stream),
        )
    batch = tensors(make_batch(step=2))
    trainer.adversarial._drawn(batch, tensors(texts_of(make_batch(step=2))))
    trainer.reconstruction._posterior(batch)
    assert used == [
        writing.STYLE_STREAM,
        writing.NOISE_STREAM,
        writing.POSTERIOR_STYLE_STREAM,
        writing.POSTERIOR_NOISE_STREAM,
    ]
    values = [original(batch, [6], stream).numpy() for stream in used]
    assert len(np.unique(values)) == 4 * 4 * 6


def test_whose_rate_follows_the_phase(trainer, monkeypatch):
    """Against drawn lines both fade together; on rebuilt lines the discriminator keeps its rate, as the
    reconstruction's fades by a law of its own. All rates differ.
    """
    given = []
    monkeypatch.setattr(
        trainer,
        'settings',
        dataclasses.replace(
            trainer.settings,
            recognizer_rate=1.0,
            reconstruction_rate=2.0,
            generator_rate=4.0,
            discriminator_rate=8.0,
        ),
    )
    monkeypatch.setattr(
        TrainingStep,
        'run',
        lambda self, replica_step, *inputs, rate_scale, then=None: given.append(
            (
                replica_step,
                self.rate * rate_scale,
                then is not None,
                *(float(one) if isinstance(one, tf.Tensor) else one for one in inputs),
            )
        ),
    )

    def judge():
        return float(trainer.discriminator.optimizer.learning_rate)

    trainer.adversarial.update('lines', 'texts', rate_scale=0.25)
    assert judge() == 2.0
    trainer.adversarial.update('lines', 'texts', real='others', update_generator=False)
    assert judge() == 8.0
    trainer.discriminator.optimizer.learning_rate.assign(7.0)
    trainer.recognizers.update('lines', rate_scale=0.5)
    trainer.reconstruction.update('lines', rate_scale=0.5)
    trainer.reconstruction.update('lines', kl_scale=0.125)
    assert judge() == 7.0
    trainer.reconstruction.update_judged('lines', rate_scale=0.5)
    assert judge() == 8.0
    trainer.reconstruction.update_judged('lines', kl_scale=0.5, judge_scale=0.25)
    drawn, rebuild = trainer.adversarial, trainer.reconstruction._replica_step
    assert given == [
        (drawn._replica_step, 1.0, True, 'lines', 'texts', None),
        (drawn._discriminator_replica_step, 4.0, False, 'lines', 'texts', 'others'),
        (trainer.recognizers._replica_step, 0.5, False, 'lines'),
        (rebuild, 1.0, True, 'lines', 1.0),
        (rebuild, 2.0, True, 'lines', 0.125),
        (rebuild, 1.0, True, 'lines', 1.0, 1.0),
        (rebuild, 2.0, True, 'lines', 0.5, 0.25),
    ]


def test_a_step_sums_over_replicas_at_its_rate_and_moves_the_average_by_its_decay(trainer, monkeypatch):
    """One function for each kind and number of inputs, and none made twice; what is not given is no input."""
    calls, moved, step = [], [], trainer.adversarial
    monkeypatch.setattr(step, '_functions', {})
    monkeypatch.setattr(
        trainer, 'settings', dataclasses.replace(trainer.settings, average_decay=0.75, generator_rate=0.25)
    )
    monkeypatch.setattr(
        averaging,
        'move_average',
        lambda average, generator, updates, decay: moved.append((average, generator, updates, decay)),
    )

    def one(*arguments):
        return calls.append(len(arguments)) or {'a': arguments[0]['x'] * 2.0}

    def two(*arguments):
        return one(*arguments)

    def run(update, *arguments, then=step.move_average):
        return float(step.run(update, *arguments, rate_scale=0.5, then=then)['a'])

    x, y = ({'x': tf.constant(value)} for value in (3.0, 5.0))
    assert run(one, x) == 6.0 and float(step.optimizer.learning_rate) == 0.125
    assert moved == [(trainer.model.average, trainer.model.generator, trainer.average_updates, 0.75)]
    assert run(one, y, None) == 10.0 and run(one, y, x) == 10.0 and run(two, x, then=None) == 6.0
    assert calls == [1, 2, 1] and len(moved) == 2 and set(step._functions) == {(one, 1), (one, 2), (two, 1)}


def test_optimizers_are_those_of_the_paper(trainer):
    """Adam with beta_1 = .5 in the game of generator and discriminator, its own .9 before; each over its
    own variables, all of whose slots are there.
    """
    made = gan.GanTraining(trainer.model, trainer.settings, strategy=trainer.strategy)
    model, variables = made.model, {}
    for name, step, beta_1, modules in (
        ('recognizer', made.recognizers, 0.9, model.recognizers()),
        ('reconstruction', made.reconstruction, 0.9, (model.generator, model.style_encoder)),
        ('generator', made.adversarial, 0.5, (model.generator,)),
        ('discriminator', made.discriminator, 0.5, (model.discriminator,)),
    ):
        optimizer, variables[name] = (
            made.trackables()[f'{name}_optimizer'],
            [v for module in modules for v in module.trainable_variables],
        )
        assert (optimizer.beta_1, optimizer.beta_2) == (beta_1, 0.999) and optimizer.built
        assert optimizer is step.optimizer
        assert [id(v) for v in step.variables] == [id(v) for v in variables[name]]
        assert len(optimizer.variables) == 2 + 2 * len(variables[name])
        assert float(optimizer.learning_rate) == pytest.approx(getattr(made.settings, f'{name}_rate'))
    assert len(variables['recognizer']) == sum(
        len(m.trainable_variables)
        for m in (model.sequence_trunk, model.sequence_recognition, model.spatial_perception)
    )
    assert not {id(v) for v in variables['recognizer']} & {
        id(v) for v in (*variables['reconstruction'], *variables['discriminator'])
    }


def test_products_of_all_but_what_writes(trainer):
    """In bfloat16 where that is asked for: every convolution of every module, without the averaged
    generator's.
    """
    convolutions = {
        name: [layer for layer in module._flatten_layers() if isinstance(layer, layers.Conv2D)]
        for name, module in trainer.model.modules().items()
    }
    try:
        gan.GanTraining(
            trainer.model,
            dataclasses.replace(trainer.settings, product_dtype='bfloat16'),
            strategy=trainer.strategy,
        )
        assert {
            name: {layer.product_dtype for layer in found} for name, found in convolutions.items() if found
        } == {
            name: {None if name == 'average' else tf.bfloat16}
            for name, found in convolutions.items()
            if found
        }
    finally:
        for module in trainer.model.modules().values():
            layers.multiply_in(module, None)


def test_what_settings_are_where_nothing_is_said():
    """Those of demo.flags, written out again; alpha, beta and gamma of the balance are the
    paper's 1, .5, .5.
    """
    assert dataclasses.asdict(GanSettings(8)) == dict(
        batch_size=8,
        seed=1,
        sequence_labels='structured',
        spatial_structures=False,
        balance_rule='full',
        balance_reference='discriminator',
        discriminator_weight=1.0,
        sequence_weight=0.5,
        spatial_weight=0.5,
        pixel_weight=1.0,
        feature_weight=1.0,
        style_kl_weight=0.0005,
        noise_kl_weight=0.002,
        feature_levels=(4,),
        reconstruction_discriminator_weight=0.0,
        reconstruction_sequence_weight=0.0,
        reconstruction_spatial_weight=0.0,
        recognizer_rate=0.002,
        reconstruction_rate=0.002,
        generator_rate=0.0002,
        discriminator_rate=0.0002,
        clip_norm=1.0,
        average_decay=0.999,
        spacing_weight=0.2,
        uniform_lengths=True,
        dense_ctc=False,
        product_dtype='auto',
    )


def test_gradients_are_whole_where_nothing_clips_them(trainer, monkeypatch):
    """clip_norm 0; another bound than 1; and what a loss does not depend on gets a gradient of 0, not
    none.
    """
    applied = []
    step, variables = (
        trainer.adversarial,
        [tf.Variable([1.0, 2.0]), tf.Variable([5.0]), tf.Variable([7.0, 7.0, 7.0])],
    )
    optimizer = types.SimpleNamespace(
        apply=lambda gradients, variables: applied.append([g.numpy() for g in gradients])
    )
    monkeypatch.setattr(step, 'optimizer', optimizer)
    monkeypatch.setattr(step, 'variables', variables)
    for clip, share in ((0.0, 1.0), (2.5, 0.5), (5.0, 1.0), (6.0, 1.0)):
        monkeypatch.setattr(trainer, 'settings', dataclasses.replace(trainer.settings, clip_norm=clip))
        with tf.GradientTape() as tape:
            out = [3.0 * variables[0][1] * tf.ones([2]), 4.0 * variables[1]]
        norm = step.apply(tape, out, output_gradients=[tf.constant([1.0, 0.0]), tf.constant([-1.0])])
        assert float(norm) == pytest.approx(5.0)
        for found, expected in zip(applied.pop(), ([0.0, 3.0], [-4.0], [0.0, 0.0, 0.0]), strict=True):
            np.testing.assert_allclose(found, share * np.array(expected), rtol=1e-6)


def test_another_seed_draws_other_noise(trainer, make_batch, monkeypatch):
    """All of it, and not the noise that the same seed has for another use: seeds 0 to 3 with streams 0 to
    3 are sixteen draws.
    """
    batch, drawn = tensors(make_batch(step=2)), []
    for seed in range(4):
        monkeypatch.setattr(trainer, 'settings', dataclasses.replace(trainer.settings, seed=seed))
        drawn += [
            trainer.reconstruction.normal(batch, [6], stream).numpy()
            for stream in (
                writing.STYLE_STREAM,
                writing.NOISE_STREAM,
                writing.POSTERIOR_STYLE_STREAM,
                writing.POSTERIOR_NOISE_STREAM,
            )
        ]
    assert len(np.unique(drawn)) == 16 * 4 * 6


@pytest.mark.slow
def test_a_frozen_discriminator_keeps_its_vectors(trainer, make_batch, texts_of, variables_of):
    """What power iteration has found, and batch statistics, are after a whole step what they are after the
    discriminator's part of it.
    """
    batch, texts = tensors(make_batch()), tensors(texts_of(make_batch()))
    start, after = {name: variable.numpy() for name, variable in variables_of(trainer).items()}, []
    for update_generator in (False, True):
        for name, variable in variables_of(trainer).items():
            variable.assign(start[name])
        trainer.adversarial.update(batch, texts, update_generator=update_generator)
        after.append([variable.numpy() for variable in trainer.model.discriminator.non_trainable_variables])
    assert after[0] and any(
        (a != b.numpy()).any() for a, b in zip(start.values(), variables_of(trainer).values())
    )
    for discriminator_alone, whole in zip(*after):
        np.testing.assert_allclose(whole, discriminator_alone, atol=1e-6)  # two graphs round differently


def test_recognisers_that_judge_keep_their_statistics(trainer, make_batch, texts_of):
    before = [variable.numpy() for module in trainer.model.recognizers() for variable in module.variables]
    trainer.adversarial.update(tensors(make_batch()), tensors(texts_of(make_batch())))
    for a, b in zip(
        before, [variable for module in trainer.model.recognizers() for variable in module.variables]
    ):
        np.testing.assert_array_equal(a, b)


def test_the_decay_of_the_average_has_its_bound(trainer, make_batch):
    """Late in a run min(.999, n / (n + 9)) is .999."""
    trainer.average_updates.assign(10**6)
    start = [v.numpy() for v in trainer.model.average.variables]
    trainer.reconstruction.update(tensors(make_batch()), rate_scale=50.0)
    moved = 0.0
    for mean, old, new in zip(trainer.model.average.variables, start, trainer.model.generator.variables):
        # of numbers near 1, in float32
        np.testing.assert_allclose(mean.numpy() - old, 0.001 * (new.numpy() - old), atol=3e-7)
        moved = max(moved, np.abs(mean.numpy() - old).max())
    assert moved > 1e-5


@pytest.mark.parametrize(
    'judge_scale, expected', [(0.0, (0.0, 0.0, 0.0)), (1.0, (0.5, 0.25, 0.125)), (0.5, (0.25, 0.125, 0.0625))]
)
def test_a_scale_counts_for_every_judge(trainer, make_batch, monkeypatch, judge_scale, expected):
    """Of discriminator, SRM and SPM on reconstructed lines; the reconstruction keeps its weight."""
    monkeypatch.setattr(
        trainer,
        'settings',
        dataclasses.replace(
            trainer.settings,
            reconstruction_discriminator_weight=0.5,
            reconstruction_sequence_weight=0.25,
            reconstruction_spatial_weight=0.125,
        ),
    )
    given, original = [], judging.balanced
    monkeypatch.setattr(
        judging,
        'balanced',
        lambda batch, gradients, weights, reference, **options: (
            given.append((weights, reference))
            or original(batch, gradients, weights, reference=reference, **options)
        ),
    )
    trainer.reconstruction._replica_step(tensors(make_batch()), tf.constant(1.0), tf.constant(judge_scale))
    ((weights, reference),) = given
    assert reference == 'reconstruction' and float(weights['reconstruction']) == 1.0
    assert tuple(float(weights[name]) for name in ('discriminator', 'sequence', 'spatial')) == expected
