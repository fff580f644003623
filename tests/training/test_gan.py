"""The training steps on a tiny model: each lowers its loss, moves what it should and nothing else, resumes
and splits over replicas.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from steps_taken import WAYS, taken

from hwgen.losses import ctc
from hwgen.models import layers
from hwgen.training import distribution, gan
from hwgen.training.checkpoints import Checkpoints


def tensors(batch):
    return tf.nest.map_structure(tf.constant, batch)


def one_step(trainer, kind, batch, texts, **options):
    if kind == 'recognizer':
        return trainer.recognizers.update(batch)
    if kind == 'reconstruction':
        return trainer.reconstruction.update(batch)
    if kind == 'adversarial_reconstruction':
        return trainer.reconstruction.update_judged(batch)
    return trainer.adversarial.update(batch, texts, update_generator=kind == 'adversarial', **options)


KINDS = ('recognizer', 'reconstruction', 'adversarial_reconstruction', 'discriminator', 'adversarial')
MOVES = dict(
    recognizer={'sequence_trunk', 'sequence_recognition', 'spatial_perception', 'recognizer_optimizer'},
    reconstruction={'generator', 'average', 'style_encoder', 'reconstruction_optimizer', 'average_updates'},
    adversarial_reconstruction={
        'generator',
        'average',
        'style_encoder',
        'reconstruction_optimizer',
        'average_updates',
        'discriminator',
        'discriminator_optimizer',
    },
    discriminator={'generator', 'discriminator', 'discriminator_optimizer'},
    adversarial={
        'generator',
        'average',
        'discriminator',
        'generator_optimizer',
        'discriminator_optimizer',
        'average_updates',
    },
)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.slow
def test_a_step_moves_its_own_and_nothing_else(trainer, variables_of, make_batch, texts_of, kind):
    batch = make_batch()
    before = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    metrics = one_step(trainer, kind, tensors(batch), tensors(texts_of(batch)))
    assert all(np.isfinite(float(value)) for value in metrics.values()), metrics
    moved = {
        name for name, variable in variables_of(trainer).items() if (before[name] != variable.numpy()).any()
    }
    moved = {name for name in moved if not name.endswith('learning_rate')}
    assert {name.split('/')[0] for name in moved} == MOVES[kind]
    weights = {v.path for v in trainer.adversarial.variables}
    if kind == 'discriminator':  # only the generator's batch statistics see the fakes
        assert {name.rsplit('/', 1)[-1] for name in moved if name.startswith('generator/')} == {
            'moving_mean',
            'moving_variance',
        }
    elif kind != 'recognizer':
        still = [
            v.path
            for v, name in zip(
                trainer.model.generator.variables, [n for n in before if n.startswith('generator/')]
            )
            if v.path in weights and name not in moved
        ]
        # Attention starts with gain 0, so that nothing behind its gain gets a gradient in the first step.
        assert all('attention' in path for path in still), still


def test_recognisers_overfit_one_batch(trainer, make_batch):
    batch = tensors(make_batch())
    metrics = [trainer.recognizers.update(batch, rate_scale=3.0) for _ in range(60)]
    for name in ('loss/sequence_real', 'loss/spatial_real', 'metric/label_error_real'):
        first, last = float(metrics[0][name]), float(metrics[-1][name])
        assert last < 0.5 * first, f'{name}: {first} -> {last}'


@pytest.mark.slow
def test_recurrent_guides_overfit_one_batch_and_guide(make_trainer, make_batch, texts_of):
    """LSTMs in SRM, attention in place of SPM: they learn, all of them, and the generator gets a gradient
    of each.
    """
    trainer, batch = (
        make_trainer(guides=dict(recurrent_sequence=True, attention_perception=True)),
        make_batch(),
    )
    before = [variable.numpy() for variable in trainer.recognizers.variables]
    texts, batch = tensors(texts_of(batch)), tensors(batch)
    metrics = [trainer.recognizers.update(batch, rate_scale=3.0) for _ in range(60)]
    for name in ('loss/sequence_real', 'loss/spatial_real'):
        first, last = float(metrics[0][name]), float(metrics[-1][name])
        assert last < 0.5 * first, f'{name}: {first} -> {last}'
    assert not [
        v.path for v, first in zip(trainer.recognizers.variables, before) if (first == v.numpy()).all()
    ]
    metrics = trainer.adversarial.update(batch, texts)
    assert float(metrics['grad/sigma_sequence']) > 0.0 and float(metrics['grad/sigma_spatial']) > 0.0


def test_reconstruction_overfits_one_batch(trainer, make_batch):
    batch = tensors(make_batch())
    metrics = [trainer.reconstruction.update(batch, rate_scale=5.0, kl_scale=0.0) for _ in range(60)]
    first, last = float(metrics[0]['loss/pixel']), float(metrics[-1]['loss/pixel'])
    assert last < 0.5 * first, (first, last)


@pytest.mark.slow
def test_the_room_of_characters_is_learned(make_trainer, make_batch):
    """One batch: narrow and wide characters are told apart within 5 %, and it is said what they cost."""
    trainer = make_trainer(model=dict(layout='spaced'), spacing_weight=1.0)
    advances = np.random.default_rng(3).uniform(0.3, 1.4, [4, 2]).astype(np.float32)
    batch = tensors(make_batch()._replace(advances=advances))
    metrics = [trainer.reconstruction.update(batch, rate_scale=5.0, kl_scale=0.0) for _ in range(150)]
    assert float(metrics[0]['loss/spacing']) > 0.2 and float(metrics[-1]['loss/spacing']) < 0.05
    assert float(metrics[-1]['loss/pixel']) < 0.5 * float(metrics[0]['loss/pixel'])


@pytest.mark.slow
def test_a_judge_without_weight_changes_nothing_of_a_reconstruction(make_trainer, variables_of, make_batch):
    """The discriminator learns; generator, style encoder and losses are those of the plain step (other
    order of sums: 1e-5).
    """
    batch = tensors(make_batch())
    plain, judged = make_trainer(), make_trainer(reconstruction_discriminator_weight=0.5)
    expected = plain.reconstruction.update(batch)
    found = judged.reconstruction.update_judged(batch, judge_scale=0.0)
    for key, value in expected.items():
        assert float(found[key]) == pytest.approx(float(value), rel=1e-4), key
    for (name, a), b in zip(variables_of(plain).items(), variables_of(judged).values()):
        if name.split('/')[0] in ('generator', 'style_encoder', 'average'):
            # Adam's first step is the rate's sign: 2e-3 x rounding
            np.testing.assert_allclose(a, b, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_the_judge_moves_a_reconstruction(make_trainer, make_batch):
    """What D asks for has the weight that was set, in units of the reconstruction's own spread."""
    batch = tensors(make_batch())
    trainer = make_trainer(
        reconstruction_discriminator_weight=0.5, reconstruction_sequence_weight=0.25, clip_norm=0.0
    )
    metrics = trainer.reconstruction.update_judged(batch)
    assert {
        'score/real',
        'score/fake',
        'grad/sigma_reconstruction',
        'grad/sigma_discriminator',
        'grad/sigma_sequence',
        'loss/sequence_fake',
        'loss/pixel',
        'loss/feature',
    } <= set(metrics)
    still = make_trainer(
        reconstruction_discriminator_weight=0.5, reconstruction_sequence_weight=0.25, clip_norm=0.0
    )
    alone = still.reconstruction.update_judged(batch, judge_scale=0.0)
    assert float(metrics['grad/reconstruction_norm']) != pytest.approx(
        float(alone['grad/reconstruction_norm']), rel=1e-3
    )


def test_feature_levels_that_the_trunk_lacks_are_refused(trainer):
    def make(levels):
        return gan.GanTraining(
            trainer.model,
            dataclasses.replace(trainer.settings, feature_levels=levels),
            strategy=trainer.strategy,
        )

    lacking = 'feature_levels .*expected numbers from 1 to 3, the maps of the trunk'
    for levels, message in {
        (4,): lacking,
        (0, 1): r'feature_levels=\(0, 1\): expected at least 1',
        (2, 4): lacking,
        (): lacking,
    }.items():
        with pytest.raises(ValueError, match=message):
            make(levels)
    make((1, 3))


@pytest.mark.slow
def test_products_in_bfloat16_stay_near(make_trainer, make_batch):
    """8 bits of mantissa: losses within 2 %; the averaged generator, which writes, keeps float32 products."""
    batch = tensors(make_batch())
    exact = make_trainer().reconstruction.update(batch)
    trainer = make_trainer(product_dtype='bfloat16')
    rough = trainer.reconstruction.update(batch)
    for key in ('loss/pixel', 'loss/feature'):
        assert float(rough[key]) != float(exact[key])
        assert float(rough[key]) == pytest.approx(float(exact[key]), rel=0.02)
    assert trainer.model.generator.last_conv.product_dtype == tf.bfloat16
    assert trainer.model.average.last_conv.product_dtype is None


def test_discriminator_learns_to_tell_one_batch_apart(trainer, make_batch, texts_of):
    batch = make_batch()
    batch, texts = tensors(batch), tensors(texts_of(batch))
    metrics = [
        trainer.adversarial.update(batch, texts, rate_scale=10.0, update_generator=False) for _ in range(40)
    ]
    assert float(metrics[-1]['loss/discriminator']) < 0.6 * float(metrics[0]['loss/discriminator'])
    assert float(metrics[-1]['score/real']) > float(metrics[-1]['score/fake'])


@pytest.mark.slow
def test_generator_learns_from_the_frozen_critics(trainer, make_batch, texts_of):
    """With D standing still, G's step raises D's score of its lines and lowers what the recognisers say
    against them.
    """
    batch = make_batch()
    batch, texts = tensors(batch), tensors(texts_of(batch))
    for _ in range(30):
        trainer.recognizers.update(batch, rate_scale=3.0)
    metrics = []
    for _ in range(40):
        metrics.append(trainer.adversarial.update(batch, texts, rate_scale=20.0))
        trainer.discriminator.optimizer.learning_rate.assign(0.0)
    objective = [sum(float(m[name]) for name in ('loss/sequence_fake', 'loss/spatial_fake')) for m in metrics]
    assert np.mean(objective[-5:]) < objective[0]


@pytest.mark.parametrize('weights', [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_weights_decide_whose_gradients_move_the_generator(
    trainer, make_batch, texts_of, monkeypatch, weights
):
    """Without any weight it stands still; each alone moves it."""
    names = 'discriminator_weight', 'sequence_weight', 'spatial_weight'
    monkeypatch.setattr(
        trainer,
        'settings',
        dataclasses.replace(trainer.settings, balance_rule='scale', **dict(zip(names, weights))),
    )
    batch = make_batch()
    metrics = trainer.adversarial._replica_step(tensors(batch), tensors(texts_of(batch)))
    assert (float(metrics['grad/generator_norm']) > 0.0) == any(weights)


def test_metrics_are_the_losses_of_the_global_batch(trainer, make_batch):
    """loss/sequence_real: CTC per character, averaged over the batch, written out here with the model's
    own logits.
    """
    batch = make_batch()
    model = trainer.model
    labels = ctc.line_labels(
        'structured',
        batch.characters,
        num_components=12,
    )
    # moves statistics only, which a training step does not read
    logits = model.read(batch.images, training=True)[1]
    expected = tf.reduce_mean(ctc.ctc_loss(labels, logits, num_frames=tf.fill([4], 16))) / 2.0
    metrics = trainer.recognizers.update(tensors(batch))
    # graph against eager
    assert float(metrics['loss/sequence_real']) == pytest.approx(float(expected), rel=1e-4)


def test_noise_is_a_function_of_seed_step_and_example(trainer, make_batch):
    batch = tensors(make_batch(step=5))

    def draw(**changes):
        return trainer.reconstruction.normal(batch._replace(**changes), [6], 1).numpy()

    np.testing.assert_array_equal(draw(), draw())
    np.testing.assert_array_equal(draw(example_index=tf.constant([2, 0])), draw()[[2, 0]])
    assert (draw(step=tf.fill([4], tf.constant(6, tf.int64))) != draw()).all()
    assert (trainer.reconstruction.normal(batch, [6], 2).numpy() != draw()).all()
    assert len(np.unique(draw())) == 24


def test_clipping_bounds_the_update(trainer, make_batch, monkeypatch):
    applied = {}

    class Optimizer:
        def apply(self, gradients, variables):
            applied['norm'] = float(tf.linalg.global_norm(gradients))

    variables = [tf.Variable([3.0]), tf.Variable([4.0])]
    with tf.GradientTape(persistent=True) as tape:
        steep, flat = 6.0 * variables[0] + 8.0 * variables[1], 0.3 * variables[0] + 0.4 * variables[1]
    step = trainer.adversarial
    monkeypatch.setattr(step, 'optimizer', Optimizer())
    monkeypatch.setattr(step, 'variables', variables)
    norm = step.apply(tape, steep)
    assert float(norm) == pytest.approx(10.0) and applied['norm'] == pytest.approx(1.0)
    step.apply(tape, flat)
    assert applied['norm'] == pytest.approx(0.5)
    assert float(step.apply(tape, steep, clip=False)) == applied['norm'] == pytest.approx(10.0)


def test_average_follows_the_generator(trainer, make_batch):
    """decay = min(.999, n / (n + 9)): after the first step .1 of the old and .9 of the new."""
    batch = tensors(make_batch())
    start = [v.numpy() for v in trainer.model.average.variables]
    trainer.reconstruction.update(batch)
    for mean, old, new in zip(trainer.model.average.variables, start, trainer.model.generator.variables):
        np.testing.assert_allclose(mean, 0.1 * old + 0.9 * new.numpy(), atol=1e-6)
    assert int(trainer.average_updates) == 1


def test_recomputed_statistics_are_the_mean_over_the_batches(trainer, make_batch):
    rng = np.random.default_rng(0)
    config = trainer.model.config.generator
    batches = []
    for step in range(3):
        style, noise = (
            tf.constant(rng.normal(size=shape).astype(np.float32))
            for shape in ([4, config.style_dim], [4, 2, 3])
        )
        batches.append(gan.StyledTexts(tensors(make_batch(step).characters), style, noise))
    (norm,) = [n for n in layers.batch_normalizations(trainer.model.average) if n.name == 'last_norm']
    each = []
    for texts in batches:
        trainer.recompute_statistics([texts])
        each.append((norm.moving_mean.numpy(), norm.moving_variance.numpy()))
    trainer.recompute_statistics(batches)
    np.testing.assert_allclose(norm.moving_mean, np.mean([m for m, _ in each], axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        norm.moving_variance, np.mean([v for _, v in each], axis=0), rtol=1e-4, atol=1e-6
    )
    assert float(norm.momentum) == pytest.approx(0.98)


# Resuming and replicas
# -----------------------------------------------------------------------------------------------


def run(trainer, make_batch, texts_of, steps, *, split=None, kinds=KINDS):
    """Every kind of step, once a step number; returns the metrics."""
    found = []
    for step in steps:
        batch = make_batch(step)
        both = tensors(batch), tensors(texts_of(batch))
        if split is not None:
            dataset = tf.data.Dataset.from_tensors(both)
            both = next(distribution.distribute(split, dataset))
        found.append([one_step(trainer, kind, *both) for kind in kinds])
    return found


@pytest.fixture(scope='module', params=WAYS)
def some_steps(request, determinism, one_trainer, variables_of, make_batch, texts_of, tmp_path_factory):
    """Checkpoint after two steps of four (of three where they are eager), and all values after the last."""
    way, rest = request.param, range(2, 4 if request.param == 'traced' else 3)
    trainer, start = one_trainer
    for name, variable in variables_of(trainer).items():
        variable.assign(start[name])
    folder = str(tmp_path_factory.mktemp('run') / 'checkpoints')
    checkpoints = Checkpoints(folder, trainer.trackables())
    with taken(way):
        first = run(trainer, make_batch, texts_of, range(2))
    after_two = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    path = checkpoints.save(2)
    with taken(way):
        last = run(trainer, make_batch, texts_of, rest)
    end = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    return dict(
        way=way, rest=rest, folder=folder, path=path, first=first, last=last, after_two=after_two, end=end
    )


def test_checkpoint_holds_every_variable(some_steps, one_trainer, variables_of):
    """As many keys as variables; those of a trained weight lie under its module or its optimizer,
    whichever came first.
    """
    keys = [
        key for key, _ in tf.train.list_variables(some_steps['path']) if '.ATTRIBUTES/VARIABLE_VALUE' in key
    ]
    variables = variables_of(one_trainer[0])
    assert len({id(variable) for variable in variables.values()}) == len(variables)
    assert len(keys) == len(variables) + 2  # and the step, and TensorFlow's save_counter
    assert {key.split('/')[0] for key in keys} == {name.split('/')[0] for name in variables} | {
        'step',
        'save_counter',
    }


def test_resuming_is_bit_exact(some_steps, make_trainer, variables_of, make_batch, texts_of):
    """Four steps are two, a fresh start from the checkpoint, and the rest: every weight, statistic, optimizer
    slot, and loss.
    """
    trainer = make_trainer()
    checkpoints = Checkpoints(some_steps['folder'], trainer.trackables())
    for variable in variables_of(trainer).values():  # whatever the checkpoint leaves out is found out
        variable.assign(tf.ones_like(variable) * 5)
    assert checkpoints.restore() == (2, some_steps['path'], [])
    for name, variable in variables_of(trainer).items():
        np.testing.assert_array_equal(variable, some_steps['after_two'][name], err_msg=name)
    with taken(some_steps['way']):
        metrics = run(trainer, make_batch, texts_of, some_steps['rest'])
    for name, variable in variables_of(trainer).items():
        np.testing.assert_array_equal(variable, some_steps['end'][name], err_msg=name)
    for found, expected in zip(metrics, some_steps['last']):
        for a, b in zip(found, expected):
            assert {key: float(value) for key, value in a.items()} == {
                key: float(value) for key, value in b.items()
            }


@pytest.mark.parametrize(
    'some_steps, kinds',
    [('eager', ('recognizer',)), pytest.param('traced', KINDS, marks=pytest.mark.slow)],
    ids=['recognizer', 'all'],
    indirect=['some_steps'],
)
def test_two_replicas_equal_one(
    some_steps, make_trainer, variables_of, make_batch, texts_of, two_replicas, kinds
):
    """Two steps of every kind on two logical CPUs, against one device.

    Sums over the batch are taken in another order, which moves gradients by about 1e-7 of their size. Adam
    divides by their own size, so that a gradient near zero turns such a difference into a whole step of the
    learning rate (2e-3 here): weights are held to two such steps and to a mean difference of a fiftieth of
    one; losses and norms to 1e-3 in the first step and to 5e-3 in the second.
    """
    strategy = two_replicas
    trainer = make_trainer(strategy)
    metrics = run(trainer, make_batch, texts_of, range(2), split=strategy, kinds=kinds)
    for found, expected, rel in zip(metrics, some_steps['first'], (1e-3, 5e-3)):
        for a, b in zip(found, expected):
            assert set(a) == set(b)
            for key in a:
                assert float(a[key]) == pytest.approx(float(b[key]), rel=rel, abs=1e-4), key
    compared, slots = set().union(*(MOVES[kind] for kind in kinds)), 0
    for name, variable in variables_of(trainer).items():
        # Adam's update does not see a factor that all its gradients have, but the means that it keeps of them
        # do.
        if (
            kinds == ('recognizer',)
            and name.startswith('recognizer_optimizer')
            and name.endswith(('momentum', 'velocity'))
        ):
            found, expected = variable.numpy(), some_steps['after_two'][name]
            assert np.abs(found - expected).max() <= 0.1 * np.abs(expected).max() + 1e-7, name
            slots += 1
        if 'optimizer' in name or name.split('/')[0] not in compared:
            continue
        for value in strategy.experimental_local_results(
            variable if isinstance(variable, tf.Variable) else variable.value
        ):
            difference = np.abs(value.numpy() - some_steps['after_two'][name])
            assert difference.max() <= 4e-3, name
            assert difference.mean() <= 4e-5 + 1e-4 * np.abs(some_steps['after_two'][name]).mean(), name
    assert kinds != ('recognizer',) or slots >= 2 * len(trainer.recognizers.variables)
