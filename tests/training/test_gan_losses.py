"""Each term of the steps' losses by itself, eagerly and by hand: lines of unequal lengths, what is read,
counted, rebuilt, judged, and what is handed to `apply`.
"""

import dataclasses
import itertools
import types

import numpy as np
import pytest
import tensorflow as tf

from hwgen.data.reading.mixed_lines import RealLines
from hwgen.losses import attention, balance, ctc, reconstruction
from hwgen.training.steps import judging, reading, writing
from hwgen.training.steps.step import TrainingStep

LENGTHS = (3, 1, 2, 3)
KL_SCALE = 0.25
PX = 16


@pytest.fixture
def shaken(trainer):
    """The trainer with weights and statistics that are all other numbers, for lines of unequal lengths."""
    rng = np.random.default_rng(0)
    for module in trainer.model.modules().values():
        for variable in module.variables:
            name, noise = (
                variable.path.rsplit('/', 1)[-1],
                rng.normal(size=variable.shape, scale=0.1).astype(np.float32),
            )
            if name not in ('momentum', 'u'):
                variable.assign(variable + (np.abs(noise) if name == 'moving_variance' else noise))
    return trainer


@pytest.fixture
def lines(make_batch):
    return tf.nest.map_structure(tf.constant, make_batch(3, lengths=LENGTHS))


@pytest.fixture
def set_options(shaken, monkeypatch):
    """Function of GanSettings' options: the trainer has these besides unequal lengths."""

    def change(**options):
        monkeypatch.setattr(
            shaken, 'settings', dataclasses.replace(shaken.settings, **{'uniform_lengths': False, **options})
        )

    change()
    return change


@pytest.fixture
def applied(shaken, monkeypatch):
    """What is handed to `apply`, in order, with all that is judged in between; nothing is moved."""
    found = []

    def apply(step, tape, target, output_gradients=None):
        found.append(
            types.SimpleNamespace(
                optimizer=step.optimizer,
                target=target,
                variables=step.variables,
                output_gradients=output_gradients,
                gradients=tape.gradient(target, step.variables, output_gradients=output_gradients),
            )
        )
        return tf.constant(float(len(found)))

    monkeypatch.setattr(TrainingStep, 'apply', apply)
    return found


def read(trainer, lines, images, **options):
    return reading.read(lines.characters, images, model=trainer.model, settings=trainer.settings, **options)


def frozen_losses(trainer, texts, image, **options):
    return judging.frozen_losses(
        texts,
        image,
        model=trainer.model,
        settings=trainer.settings,
        share=trainer.adversarial.share,
        **options,
    )


def configure(trainer, monkeypatch, *, generator=None, **options):
    config = trainer.model.config
    monkeypatch.setattr(
        trainer.model,
        'config',
        dataclasses.replace(
            config, generator=dataclasses.replace(config.generator, **(generator or {})), **options
        ),
    )


def numpy_ace(ids, logits):
    """Counting loss of one line: ids that occur, logits [H, W, K]."""
    p = np.exp(np.asarray(logits, np.float64))
    share = (p / p.sum(-1, keepdims=True)).mean((0, 1))
    area = logits.shape[0] * logits.shape[1]
    counts = np.bincount(ids, minlength=len(share))[1:] / area
    return -np.sum(np.concatenate([[1.0 - counts.sum()], counts]) * np.log(share))


def edits(a, b):
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, before = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def error_rate(labels, logits, frames):
    """Mean over the lines of edits per label."""
    rates = []
    for wanted, scores, count in zip(labels.numpy(), logits.numpy(), frames):
        read = [k for k, _ in itertools.groupby(scores[:count].argmax(-1)) if k]
        rates.append(edits(read, wanted[wanted > 0]) / (wanted > 0).sum())
    return np.mean(rates)


# Reading
# --------------------------------------------------------------------------------


@pytest.mark.usefixtures('set_options')
def test_losses_of_reading_are_those_of_each_line_alone(shaken, lines):
    """CTC per character of the line's own, ACE over its own cells; what was read comes with its frames."""
    sequence, spatial, labels, logits, frames = read(shaken, lines, lines.images, training=False)
    np.testing.assert_array_equal(frames, [24, 8, 16, 24])
    for line, n in enumerate(LENGTHS):
        _, logits_alone, seen, _ = shaken.model.read(lines.images[line : line + 1, :, : n * PX])
        components, structures = (
            ids.numpy()[line, :n] for ids in (lines.characters.component_ids, lines.characters.structure_ids)
        )
        wanted = [
            k for structure, slots in zip(structures, components) for k in (11 + structure, *slots[slots > 0])
        ]
        np.testing.assert_array_equal(labels[line][labels[line] > 0], wanted)
        np.testing.assert_allclose(logits[line, : 8 * n], logits_alone[0], atol=1e-5)
        expected = (
            ctc.ctc_loss(tf.constant([wanted], tf.int32), logits_alone, num_frames=tf.constant([8 * n]))[0]
            / n
        )
        assert float(sequence[line]) == pytest.approx(float(expected), rel=1e-4)
        assert float(spatial[line]) == pytest.approx(
            numpy_ace(components[components > 0], seen[0].numpy()), rel=1e-4
        )


@pytest.mark.parametrize('kind', ['components', 'characters'])
def test_other_labels_are_read_where_they_are_asked_for(shaken, lines, set_options, kind):
    set_options(sequence_labels=kind)
    ids = getattr(lines.characters, 'component_ids' if kind == 'components' else 'character_ids')
    labels = reading.labels_of(lines.characters, shaken.model, shaken.settings)
    for found, expected in zip(labels.numpy(), ids.numpy().reshape(4, -1)):
        np.testing.assert_array_equal(found[found > 0], expected[expected > 0])


@pytest.mark.parametrize('dense', [False, True])
def test_which_ctc_reads(shaken, lines, set_options, monkeypatch, dense):
    set_options(dense_ctc=dense)
    given, original = [], ctc.ctc_loss
    monkeypatch.setattr(
        ctc,
        'ctc_loss',
        lambda *arguments, **options: given.append(options['dense']) or original(*arguments, **options),
    )
    read(shaken, lines, lines.images, training=False)
    assert given == [dense]


@pytest.mark.parametrize('uniform', [False, True])
@pytest.mark.parametrize('structures', [False, True])
def test_what_is_counted(shaken, lines, set_options, monkeypatch, structures, uniform):
    """Components, and with `spatial_structures` each character's structure after them, over the cells of
    the line or of all.
    """
    set_options(spatial_structures=structures, uniform_lengths=uniform)
    configure(shaken, monkeypatch, spatial_labels=16)
    logits = np.random.default_rng(1).normal(size=(4, 4, 12, 16)).astype(np.float32)
    found = reading.counting_loss(
        lines.characters, tf.constant(logits), model=shaken.model, settings=shaken.settings
    )
    for line, n in enumerate(LENGTHS):
        ids = lines.characters.component_ids.numpy()[line, :n]
        ids = [
            *ids[ids > 0],
            *(11 + lines.characters.structure_ids.numpy()[line, :n] if structures else ()),
        ]
        assert float(found[line]) == pytest.approx(
            numpy_ace(ids, logits[line, :, : 12 if uniform else 4 * n]), rel=1e-5
        )


def test_attention_is_told_the_components_in_their_order(shaken, lines, set_options, monkeypatch):
    """Without gaps, zeros at the end; its loss is that of attention.

    All lines are as long as the batch where they are uniform.
    """
    set_options(uniform_lengths=True)
    configure(shaken, monkeypatch, attention_perception=True)
    rng, told = np.random.default_rng(2), []
    sequence, spatial = (
        tf.constant(rng.normal(size=shape).astype(np.float32)) for shape in ((4, 24, 16), (4, 13, 12))
    )
    monkeypatch.setattr(
        shaken.model,
        'read',
        lambda images, **options: told.append((images, options)) or (None, sequence, spatial, None),
    )
    losses = read(shaken, lines, lines.images * 0.5, training='as said')
    ((images, options),) = told
    assert options['training'] == 'as said' and options['lengths'] is None
    np.testing.assert_array_equal(images, lines.images * 0.5)
    for row, ids in zip(
        options['components'].numpy(), lines.characters.component_ids.numpy().reshape(4, -1), strict=True
    ):
        np.testing.assert_array_equal(row, [*ids[ids > 0], *ids[ids == 0]])
    np.testing.assert_allclose(
        losses.spatial_loss, attention.attention_loss(options['components'], spatial), rtol=1e-6
    )
    np.testing.assert_array_equal(losses.num_frames, [24] * 4)
    np.testing.assert_allclose(
        losses.sequence_loss,
        ctc.ctc_loss(losses.labels, sequence, num_frames=tf.fill([4], 24)) / 3.0,
        rtol=1e-6,
    )


@pytest.mark.parametrize('spatial', [True, False])
def test_recognisers_learn_the_sum_of_both_means(shaken, lines, set_options, applied, monkeypatch, spatial):
    if not spatial:
        monkeypatch.setattr(shaken.model, 'spatial_perception', None)
    first, second, labels, logits, frames = read(shaken, lines, lines.images, training=True)
    metrics = shaken.recognizers._replica_step(lines)
    (step,) = applied
    means = [np.mean(first), np.mean(second) if spatial else 0.0]
    assert float(step.target) == pytest.approx(sum(means), rel=1e-5) and step.output_gradients is None
    assert step.optimizer is shaken.recognizers.optimizer and step.variables is shaken.recognizers.variables
    expected = {
        'loss/sequence_real': means[0],
        'grad/recognizer_norm': 1.0,
        'metric/label_error_real': error_rate(labels, logits, frames),
    }
    assert {key: float(value) for key, value in metrics.items()} == pytest.approx(
        {**expected, 'loss/spatial_real': means[1]} if spatial else expected, rel=1e-5
    )


# Rebuilding
# --------------------------------------------------------------------------------


@pytest.mark.parametrize('uniform', [False, True])
def test_divergences_of_the_posterior(shaken, lines, set_options, uniform):
    """In nats, of the style of each line; of its characters' noise the mean over those that it has."""
    set_options(uniform_lengths=uniform)
    posterior = {
        key: value.numpy().astype(np.float64)
        for key, value in shaken.model.style_encoder(
            lines.images, lengths=None if uniform else lines.characters.lengths, training=True
        ).items()
    }
    style, noise, style_kl, noise_kl, *_ = shaken.reconstruction._posterior(lines)

    def nats(name):
        return 0.5 * np.sum(
            posterior[f'{name}_mean'] ** 2
            + np.exp(posterior[f'{name}_log_variance'])
            - 1.0
            - posterior[f'{name}_log_variance'],
            -1,
        )

    np.testing.assert_allclose(style_kl, nats('style'), rtol=1e-4)
    np.testing.assert_allclose(
        noise_kl, [row[: 3 if uniform else n].mean() for row, n in zip(nats('noise'), LENGTHS)], rtol=1e-4
    )
    assert style.shape == (4, 12) and noise.shape == (4, 3, 3)


def test_without_character_noise_there_is_none(shaken, lines, set_options, monkeypatch):
    configure(shaken, monkeypatch, generator=dict(character_noise_dim=0))
    style, noise, style_kl, noise_kl, *_ = shaken.reconstruction._posterior(lines)
    assert style.shape == (4, 12) and style_kl.shape == (4,) and noise is None and noise_kl is None


@pytest.mark.parametrize('uniform', [False, True])
def test_what_a_rebuilt_line_lacks(shaken, lines, set_options, uniform):
    """Each line alone: pixels and the features of two levels, of equal weight among them, over its own
    columns.
    """
    set_options(pixel_weight=3.0, feature_weight=0.5, feature_levels=(1, 3), uniform_lengths=uniform)
    image = np.clip(
        lines.images + np.random.default_rng(3).normal(size=lines.images.shape, scale=0.5), -1.0, 1.0
    ).astype(np.float32)
    total, parts = shaken.reconstruction._losses(lines, tf.constant(image))
    for line, n in enumerate((3,) * 4 if uniform else LENGTHS):
        found, wanted = (
            image[line : line + 1, :, : n * PX],
            lines.images.numpy()[line : line + 1, :, : n * PX],
        )
        features, targets = (shaken.model.sequence_trunk(x) for x in (found, wanted))
        apart = [np.abs(features[i] - targets[i]).mean() / np.abs(targets[i]).mean() for i in (0, 2)]
        assert float(parts['pixel'][line]) == pytest.approx(np.abs(found - wanted).mean(), rel=1e-4)
        assert float(parts['feature'][line]) == pytest.approx(np.mean(apart), rel=1e-3)
        assert float(total[line]) == pytest.approx(
            3.0 * np.abs(found - wanted).mean() + 0.5 * np.mean(apart), rel=1e-3
        )
    assert set(parts) == {'pixel', 'feature'}


def test_a_rebuilding_step_has_the_gradient_of_its_pixels_and_of_its_prior(
    shaken, lines, set_options, applied
):
    """Weight times sign over the line's own pixels and the batch; the prior is the weighted sum of both
    divergences, times its scale.
    """
    set_options(pixel_weight=2.0, feature_weight=0.0, style_kl_weight=0.3, noise_kl_weight=0.07)
    style, noise, style_kl, noise_kl, *_ = shaken.reconstruction._posterior(lines)
    fake = shaken.reconstruction.write(lines.characters, style, noise)
    metrics = shaken.reconstruction._replica_step(lines, KL_SCALE)
    (step,) = applied
    assert (
        step.optimizer is shaken.reconstruction.optimizer
        and step.variables is shaken.reconstruction.variables
    )
    np.testing.assert_allclose(step.target[0], fake, atol=1e-5)
    assert float(step.target[1]) == pytest.approx(
        0.25 * (0.3 * np.mean(style_kl) + 0.07 * np.mean(noise_kl)), rel=1e-4
    )
    valid = (np.arange(3 * PX) < np.array(LENGTHS)[:, None] * PX)[:, None, :, None]
    expected = (
        2.0
        * np.sign(step.target[0] - lines.images)
        * valid
        / (4 * PX * np.array(LENGTHS)[:, None, None, None] * PX)
    )
    np.testing.assert_allclose(step.output_gradients[0], expected, atol=1e-8)
    assert float(step.output_gradients[1]) == 1.0
    assert all(
        gradient is not None
        for v, gradient in zip(step.variables, step.gradients)
        if 'attention' not in v.path
    ), 'style encoder and generator'
    assert set(metrics) == {
        'loss/pixel',
        'loss/feature',
        'loss/style_kl',
        'loss/noise_kl',
        'grad/reconstruction_norm',
    }
    assert float(metrics['loss/style_kl']) == pytest.approx(np.mean(style_kl), rel=1e-4) and float(
        metrics['loss/noise_kl']
    ) == pytest.approx(np.mean(noise_kl), rel=1e-4)
    parts = shaken.reconstruction._losses(lines, step.target[0])[1]
    assert [float(metrics[f'loss/{name}']) for name in ('pixel', 'feature')] == pytest.approx(
        [np.mean(parts[name]) for name in ('pixel', 'feature')], rel=1e-4
    )


def test_a_rebuilding_step_teaches_the_prior_of_noise_and_the_prior_alone(make_trainer, lines):
    """A hundredth of the divergence of the encoder's noise from the prior, which moves no other weight."""
    trainer = make_trainer(model=dict(noise_prior='learned'), style_kl_weight=0.0, noise_kl_weight=0.0)
    step, space = trainer.reconstruction, trainer.model.generator.noise_space
    for variable in space.variables:
        variable.assign(variable + tf.random.stateless_normal(variable.shape, [1, 2]) * 0.1)
    with tf.GradientTape() as tape:
        posterior = step._posterior(lines)
        beside = step._beside_image(posterior)
    answer = trainer.model.style_encoder(lines.images, training=True)
    described = trainer.model.generator.content_encoder.describe(lines.characters)
    nats = reconstruction.whitened_kl_loss(
        answer['noise_mean'], answer['noise_log_variance'], *space(described, posterior.style)
    )
    assert float(tf.reduce_mean(nats)) > 0.1
    np.testing.assert_allclose(posterior.prior, tf.reduce_mean(nats, 1), rtol=1e-4)
    np.testing.assert_allclose(beside, 0.01 * posterior.prior, rtol=1e-4)
    gradients = tape.gradient(beside, step.variables)
    moved = {v.path for v, g in zip(step.variables, gradients, strict=True) if g is not None and np.any(g)}
    assert moved == {v.path for v in space.trainable_variables}
    assert float(step._told(posterior)['loss/noise_prior']) == pytest.approx(float(np.mean(nats)), rel=1e-4)


def test_hands_are_drawn_with_the_noise_of_their_characters(make_trainer, lines):
    trainer = make_trainer(model=dict(noise_prior='learned'))
    generator = trainer.model.generator
    generator.noise_space.distribution.bias.assign([1.0, 2.0, 3.0] + [0.0] * 9)
    normal = trainer.adversarial.normal(lines, [3, 3], writing.NOISE_STREAM)
    _, noise = trainer.adversarial.drawn_hands(lines, lines.characters)
    np.testing.assert_allclose(noise, normal + [1.0, 2.0, 3.0], atol=1e-5)


@pytest.mark.parametrize(
    'weights, judges',
    [
        ((0.5, 0.0, 0.0), ['discriminator']),
        ((0.0, 0.0, 0.5), ['discriminator', 'sequence', 'spatial']),
        ((0.0, 0.5, 0.0), ['discriminator', 'sequence', 'spatial']),
    ],
)
def test_who_judges_a_rebuilt_line(shaken, lines, set_options, applied, monkeypatch, weights, judges):
    """First the discriminator learns, from the batch and what was rebuilt of it; the recognisers read only
    where one of them has a weight.
    """
    set_options(
        **dict(
            zip(
                (
                    'reconstruction_discriminator_weight',
                    'reconstruction_sequence_weight',
                    'reconstruction_spatial_weight',
                ),
                weights,
            )
        )
    )
    shown, original = [], shaken.discriminator.learn
    monkeypatch.setattr(shaken.discriminator, 'learn', lambda *lines: shown.append(lines) or original(*lines))
    metrics = shaken.reconstruction._replica_step(lines, KL_SCALE, tf.constant(1.0))
    assert [step.optimizer for step in applied] == [
        shaken.discriminator.optimizer,
        shaken.reconstruction.optimizer,
    ]
    image = applied[1].target[0]
    expected = frozen_losses(shaken, lines.characters, image, recognizers=len(judges) > 1)[0]
    assert list(expected) == judges
    for name in judges:
        assert float(metrics[f'loss/{name}_fake']) == pytest.approx(float(expected[name]), rel=1e-4)
    ((batch, texts, fake),) = shown
    assert batch is lines and texts is lines.characters
    np.testing.assert_array_equal(fake, image)
    assert {key for key in metrics if 'sigma' in key} == {
        f'grad/sigma_{name}' for name in ('reconstruction', *judges)
    }
    assert {
        'loss/pixel',
        'loss/feature',
        'loss/style_kl',
        'loss/noise_kl',
        'loss/discriminator',
        'grad/discriminator_norm',
        'grad/reconstruction_norm',
    } < set(metrics)
    assert 'loss/reconstruction_fake' not in metrics and (
        float(metrics['grad/discriminator_norm']),
        float(metrics['grad/reconstruction_norm']),
    ) == (1.0, 2.0)


# Judging
# --------------------------------------------------------------------------------


@pytest.mark.usefixtures('set_options')
def test_frozen_judges(shaken, lines):
    """Means over the batch: minus the discriminator's score, and what the recognisers lose."""
    image = lines.images * 0.7
    losses, found = frozen_losses(shaken, lines.characters, image, recognizers=True)
    scores = shaken.model.discriminator(image, lengths=lines.characters.lengths)
    sequence, spatial, *expected = read(shaken, lines, image, training=False)
    assert {name: float(value) for name, value in losses.items()} == pytest.approx(
        dict(discriminator=-np.mean(scores), sequence=np.mean(sequence), spatial=np.mean(spatial)), rel=1e-5
    )
    for a, b in zip(found[2:], expected, strict=True):
        np.testing.assert_array_equal(a, b)
    losses, found = frozen_losses(shaken, lines.characters, image, recognizers=False)
    assert list(losses) == ['discriminator'] and found is None


@pytest.mark.parametrize('uniform', [False, True])
@pytest.mark.parametrize('rule', ['full', 'scale'])
def test_the_balance_is_over_the_lines_own_columns_by_the_rule_that_is_set(
    shaken, lines, set_options, uniform, rule
):
    set_options(balance_rule=rule, uniform_lengths=uniform)
    rng = np.random.default_rng(4)
    gradients = {
        name: rng.normal(size=(4, PX, 3 * PX, 1), scale=scale).astype(np.float32)
        for name, scale in (('discriminator', 1.0), ('sequence', 0.1))
    }
    weights = dict(discriminator=1.0, sequence=0.5)
    mask = np.repeat(np.arange(3) < np.array([3] * 4 if uniform else LENGTHS)[:, None], PX, 1)[
        :, None, :, None
    ].astype(np.float32)
    found, expected = (
        judging.balanced(
            lines.characters,
            gradients,
            weights,
            model=shaken.model,
            settings=shaken.settings,
            reference='smallest',
        ),
        balance.balance_gradients(gradients, weights, mask=mask, rule=rule, reference='smallest'),
    )
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    for name in gradients:
        assert float(found[1][name]) == pytest.approx(
            gradients[name][np.broadcast_to(mask > 0, gradients[name].shape)].std(), rel=1e-4
        )


class Scores:
    """A discriminator that says what it is told, and remembers what it was asked."""

    def __init__(self, *scores):
        self.scores, self.asked = list(scores), []

    def __call__(self, images, lengths=None, training=False):
        self.asked.append((images, lengths, training))
        return tf.constant(self.scores[len(self.asked) - 1])


@pytest.mark.parametrize('mixed', [False, True])
def test_the_discriminators_loss_by_hand(shaken, lines, set_options, applied, monkeypatch, mixed):
    """Real scores 2, .5, -1, 0 cost 0, .5, 2, 1; written ones -2, -.5, 1, .5 cost 0, .5, 2, 1.5: 7.5 / 4."""
    judge = Scores([2.0, 0.5, -1.0, 0.0], [-2.0, -0.5, 1.0, 0.5])
    monkeypatch.setattr(shaken.model, 'discriminator', judge)
    real = (
        RealLines(
            images=lines.images * 0.5,
            lengths=tf.constant([1.5, 2.0, 0.25, 3.0]),
            unlabelled_weights=tf.constant([0.0, 0.0, 2.0, 4.0]),
        )
        if mixed
        else None
    )
    lengths, fake = tf.constant([1, 2, 3, 3]), lines.images * 0.25
    texts = lines.characters._replace(lengths=lengths)
    metrics = shaken.discriminator.learn(lines, texts, fake, real)
    expected = {
        'loss/discriminator': 7.5 / 4,
        'score/real': 1.5 / 4,
        'score/fake': -1.0 / 4,
        'grad/discriminator_norm': 1.0,
    }
    assert {key: float(value) for key, value in metrics.items()} == pytest.approx(
        {**expected, 'score/unlabelled': -2.0 / 4} if mixed else expected
    )
    (shown, widths, first), (written, lengths, second) = judge.asked
    assert first is second is True
    np.testing.assert_array_equal(shown, (real or lines).images)
    np.testing.assert_array_equal(widths, real.lengths if mixed else lines.characters.lengths)
    np.testing.assert_array_equal(written, fake)
    np.testing.assert_array_equal(lengths, [1, 2, 3, 3])
    (step,) = applied
    assert (step.optimizer, step.variables) == (
        shaken.discriminator.optimizer,
        shaken.discriminator.variables,
    ) and float(step.target) == pytest.approx(7.5 / 4)


def test_the_generator_learns_against_judges_that_have_just_learned(
    shaken, lines, texts_of, make_batch, set_options, applied, monkeypatch
):
    """First the discriminator, then the balanced sum of all three gradients on the image; each judge with
    the weight that is its own.
    """
    set_options(
        discriminator_weight=0.9, sequence_weight=0.6, spatial_weight=0.3, balance_reference='smallest'
    )
    texts, asked, original = (
        tf.nest.map_structure(tf.constant, texts_of(make_batch(3, lengths=LENGTHS))),
        [],
        judging.balanced,
    )
    monkeypatch.setattr(
        judging,
        'balanced',
        lambda texts, gradients, weights, reference, **options: (
            asked.append((len(applied), gradients, weights, reference))
            or original(texts, gradients, weights, reference=reference, **options)
        ),
    )
    metrics = shaken.adversarial._replica_step(lines, texts)
    assert [step.optimizer for step in applied] == [
        shaken.discriminator.optimizer,
        shaken.adversarial.optimizer,
    ]
    ((learned, gradients, weights, reference),) = asked
    assert (
        learned == 1
        and weights == dict(discriminator=0.9, sequence=0.6, spatial=0.3)
        and reference == 'smallest'
    )
    step = applied[1]
    assert step.variables is shaken.adversarial.variables
    total, sigmas = original(
        texts,
        gradients,
        weights,
        model=shaken.model,
        settings=shaken.settings,
        reference='smallest',
    )
    np.testing.assert_allclose(step.output_gradients, total, atol=1e-7)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(step.target)
        losses, (_, _, labels, logits, frames) = frozen_losses(shaken, texts, step.target, recognizers=True)
    for name, loss in losses.items():
        np.testing.assert_allclose(
            gradients[name], tape.gradient(loss, step.target), atol=1e-3 * np.abs(gradients[name]).max()
        )
        assert float(metrics[f'loss/{name}_fake']) == pytest.approx(float(loss), rel=1e-3)
        assert float(metrics[f'grad/sigma_{name}']) == pytest.approx(float(sigmas[name]), rel=1e-5)
    assert float(metrics['metric/label_error_fake']) == pytest.approx(
        error_rate(labels, logits, frames), rel=1e-5
    )
    assert (float(metrics['grad/discriminator_norm']), float(metrics['grad/generator_norm'])) == (1.0, 2.0)


# Writing
# --------------------------------------------------------------------------------


@pytest.mark.parametrize('uniform', [False, True])
def test_what_the_generator_is_given(shaken, lines, texts_of, make_batch, set_options, monkeypatch, uniform):
    """The texts' characters, a style of the fitted space and noise by the batch's step
    and places; it writes as in training.
    """
    set_options(uniform_lengths=uniform)
    texts, given = (
        tf.nest.map_structure(tf.constant, texts_of(make_batch(3, lengths=LENGTHS))),
        [],
    )
    space = shaken.model.generator.style_space

    def generator(**inputs):
        return given.append(inputs) or 'written'

    generator.style_space, generator.drawn_noise = space, shaken.model.generator.drawn_noise
    monkeypatch.setattr(shaken.model, 'generator', generator)
    lines = lines._replace(
        step=tf.fill([4], tf.constant(8, tf.int64)), example_index=tf.constant([2, 3, 0, 1])
    )
    written = shaken.adversarial._drawn(lines, texts)
    (inputs,) = given
    assert written == 'written' and inputs['training'] is True
    given = inputs['characters']
    for name in ('component_ids', 'structure_ids', 'boxes', 'character_ids'):
        np.testing.assert_array_equal(getattr(given, name), getattr(texts, name))
    assert given.lengths is None if uniform else given.lengths.numpy().tolist() == [3, 2, 1, 3]

    # What of a seed, a step and a use is drawn is kept for good: a run of today goes on tomorrow.
    def normal(stream, *shape):
        return tf.random.stateless_normal([4, *shape], tf.constant([3 * 16 + stream, 8], tf.int64)).numpy()[
            [2, 3, 0, 1]
        ]

    np.testing.assert_allclose(
        inputs['style'], space.mean.numpy() + normal(0, 12) @ space.factor.numpy().T, atol=1e-5
    )
    np.testing.assert_allclose(inputs['character_noise'], normal(1, 3, 3), atol=1e-6)
    assert (writing.POSTERIOR_STYLE_STREAM, writing.POSTERIOR_NOISE_STREAM) == (2, 3)


def test_without_character_noise_none_is_drawn(shaken, lines, set_options, monkeypatch):
    configure(shaken, monkeypatch, generator=dict(character_noise_dim=0))
    given = []
    monkeypatch.setattr(shaken.adversarial, 'write', lambda texts, style, noise: given.append(noise))
    shaken.adversarial._drawn(lines, lines.characters)
    assert given == [None]
