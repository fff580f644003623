"""What a run writes of itself, with real networks of a few channels: the artefact's statistics and styles are those of the weights that it holds."""

import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from hwgen.data.pipeline import LineBatches
from hwgen.inference import artefact, styles
from hwgen.models import layers
from hwgen.training import sheets
from hwgen.training.sampling import Sampler
from one_weight import SAMPLE

LENGTH = 3


@pytest.fixture(scope='module')
def written(make_trainer, variables_of, charset, texts, tmp_path_factory):
    """A run's folder after one sample and its model; trainer, lines, and its variables before; what had been fitted and measured then was of other weights."""
    folder, trainer = tmp_path_factory.mktemp('run'), make_trainer(charset=charset)
    (folder / 'samples').mkdir()
    batches = LineBatches(SAMPLE, charset=charset, batch_size=64, seed=3, char_px=16, max_characters=LENGTH)
    said = []
    log = types.SimpleNamespace(run_dir=str(folder), say=said.append, **dict.fromkeys(('images', 'text', 'scalars'), lambda *arguments: None))
    sampler = Sampler(trainer, batches=batches, texts=texts, charset=charset, log=log, longest_lines=LENGTH)
    rng = np.random.default_rng(0)
    for variable in trainer.model.style_encoder.trainable_variables:  # hands that differ
        variable.assign_add(rng.normal(size=variable.shape, scale=.2).astype(np.float32))
    for space in (trainer.model.generator.style_space, trainer.model.average.style_space):
        space.mean.assign(np.full(space.mean.shape, 9., np.float32))
    for norm in layers.batch_normalizations(trainer.model.average):
        norm.moving_mean.assign(tf.fill(norm.moving_mean.shape, 5.))
    before = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    with sampler.ready_to_write(styles_learned=True):
        sampler.sample(7)
        sampler.save_model(7, {}, seen='')
    return folder, trainer, batches, before


def test_whoever_looks_at_a_run_changes_nothing_of_it(written, variables_of):
    """Nor what comes after: the average moves on from its own statistics and styles, phase 3 draws from its own."""
    _, trainer, _, before = written
    for name, variable in variables_of(trainer).items():
        np.testing.assert_array_equal(variable, before[name], err_msg=name)


def test_styles_are_fitted_to_real_lines_right_before(written, charset):
    """Mean and covariance of the mixture over 1024 lines, by NumPy."""
    folder, _, batches, _ = written
    generator, encoder, description = artefact.load_generator(str(folder / 'model'), charset=charset)
    assert description['info']['step'] == 7
    found = [encoder(batch['images'], lengths=batch['lengths']) for batch in map(batches.batch, range(1024 // 64))]
    means = np.concatenate([one['style_mean'] for one in found]).astype(np.float64)
    variances = np.exp(np.concatenate([one['style_log_variance'] for one in found]).astype(np.float64))
    away = means - means.mean(0)
    covariance = away.T @ away / 1024 + np.diag(variances.mean(0) + 1e-3)
    assert len(means) == 1024 and away.std() > .01
    space = generator.style_space
    np.testing.assert_allclose(space.mean, means.mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(space.factor.numpy() @ space.factor.numpy().T, covariance, rtol=1e-3, atol=1e-3)


def test_statistics_are_those_of_its_weights_in_its_styles(written, charset, texts):
    """The mean over 16 batches of texts, each line in the next hand of that style space."""
    folder, trainer, _, _ = written
    generator, _, _ = artefact.load_generator(str(folder / 'model'), charset=charset)
    norms, size = layers.batch_normalizations(generator), trainer.settings.batch_size
    expected, each = [norm.moving_mean.numpy() for norm in norms], []
    space, config = generator.style_space, generator.config
    for norm in norms:
        norm.momentum.assign(0.)  # the statistics of one batch
    for number in range(16):
        seeds, inputs = range(number * size, (number + 1) * size), texts.batch(number, size, LENGTH)
        noise = np.stack([styles.character_noise(seed, 0, LENGTH, noise_dim=config.character_noise_dim) for seed in seeds])
        generator(inputs['component_ids'], inputs['structure_ids'], boxes=charset.template_boxes[inputs['structure_ids']], character_ids=inputs['character_ids'],
                  lengths=np.full([size], LENGTH, np.int32), style=space.mean.numpy() + styles.styles_from_seeds(seeds, config.style_dim) @ space.factor.numpy().T,
                  character_noise=noise, training=True)
        each.append([norm.moving_mean.numpy() for norm in norms])
    for place, wanted in enumerate(expected):
        np.testing.assert_allclose(wanted, np.mean([one[place] for one in each], axis=0), rtol=1e-3, atol=1e-4)
    assert any(np.abs(wanted - each[0][place]).max() > 1e-3 for place, wanted in enumerate(expected))  # no batch alone


def test_the_sheet_is_what_the_model_writes(written, charset):
    folder, trainer, batches, _ = written
    generator, _, _ = artefact.load_generator(str(folder / 'model'), charset=charset)
    info = batches.index.info
    drawn = sheets.SampleSheets(charset, vocabulary=info['vocabulary'], held_out=info.get('held_out', ()), seed=trainer.settings.seed, num_characters=LENGTH)
    difference = np.array(Image.open(folder / 'samples' / 'seen-000007.png')).astype(int) - drawn.draw(generator)['seen']
    assert np.abs(difference).max() <= 1
