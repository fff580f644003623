"""What a run writes of itself, with real networks of a few channels: the artefact's statistics and styles
are those of the weights that it holds.
"""

import os
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf
from one_weight import SAMPLE
from PIL import Image

from hwgen.characters import Characters
from hwgen.data.reading.pipeline import LineBatch, LineBatches
from hwgen.inference import artefact, styles
from hwgen.models import layers
from hwgen.training import averaging, sheets
from hwgen.training.run_directory import RunDirectoryError
from hwgen.training.sampling import Sampler

LENGTH = 3


@pytest.fixture(scope='module')
def written(make_trainer, variables_of, charset, texts, tmp_path_factory):
    """A run's folder after one sample and its model; trainer, lines, and its variables before; what had
    been fitted and measured then was of other weights.
    """
    folder, trainer = tmp_path_factory.mktemp('run'), make_trainer(charset=charset)
    (folder / 'samples').mkdir()
    batches = LineBatches(SAMPLE, charset=charset, batch_size=64, seed=3, char_px=16, max_characters=LENGTH)
    said = []
    log = types.SimpleNamespace(
        run_dir=str(folder),
        say=said.append,
        **dict.fromkeys(('images', 'text', 'scalars'), lambda *arguments: None),
    )
    sampler = Sampler(
        log, training=trainer, batches=batches, texts=texts, charset=charset, longest_lines=LENGTH
    )
    rng = np.random.default_rng(0)
    for variable in trainer.model.style_encoder.trainable_variables:  # hands that differ
        variable.assign_add(rng.normal(size=variable.shape, scale=0.2).astype(np.float32))
    for space in (trainer.model.generator.style_space, trainer.model.average.style_space):
        space.mean.assign(np.full(space.mean.shape, 9.0, np.float32))
    for norm in layers.batch_normalizations(trainer.model.average):
        norm.moving_mean.assign(tf.fill(norm.moving_mean.shape, 5.0))
    before = {name: variable.numpy() for name, variable in variables_of(trainer).items()}
    with sampler.ready_to_write(styles_learned=True):
        sampler.write_sheets(7)
        sampler.save_model(7, {}, seen='')
    return folder, trainer, batches, before


def test_whoever_looks_at_a_run_changes_nothing_of_it(written, variables_of):
    """Nor what comes after: the average moves on from its own statistics and styles, phase 3 draws from
    its own.
    """
    _, trainer, _, before = written
    for name, variable in variables_of(trainer).items():
        np.testing.assert_array_equal(variable, before[name], err_msg=name)


def test_styles_are_fitted_to_real_lines_right_before(written, charset):
    """Mean and covariance of the mixture over 1024 lines, by NumPy."""
    folder, _, batches, _ = written
    generator, encoder, description = artefact.load_generator(str(folder / 'model'), charset=charset)
    assert description['info']['step'] == 7
    found = [
        encoder(batch.images, lengths=batch.characters.lengths)
        for batch in map(batches.batch, range(1024 // 64))
    ]
    means = np.concatenate([one['style_mean'] for one in found]).astype(np.float64)
    variances = np.exp(np.concatenate([one['style_log_variance'] for one in found]).astype(np.float64))
    away = means - means.mean(0)
    covariance = away.T @ away / 1024 + np.diag(variances.mean(0) + 1e-3)
    assert len(means) == 1024 and away.std() > 0.01
    space = generator.style_space
    np.testing.assert_allclose(space.mean, means.mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        space.factor.numpy() @ space.factor.numpy().T, covariance, rtol=1e-3, atol=1e-3
    )


def test_statistics_are_those_of_its_weights_in_its_styles(written, charset, texts):
    """The mean over 16 batches of texts, each line in the next hand of that style space."""
    folder, trainer, _, _ = written
    generator, _, _ = artefact.load_generator(str(folder / 'model'), charset=charset)
    norms, size = layers.batch_normalizations(generator), trainer.settings.batch_size
    expected, each = [norm.moving_mean.numpy() for norm in norms], []
    space, config = generator.style_space, generator.config
    for norm in norms:
        norm.momentum.assign(0.0)  # the statistics of one batch
    for number in range(16):
        seeds, inputs = range(number * size, (number + 1) * size), texts.batch(number, size, LENGTH)
        noise = np.stack(
            [
                styles.character_noise(seed, 0, LENGTH, character_noise_dim=config.character_noise_dim)
                for seed in seeds
            ]
        )
        generator(
            inputs,
            style=space.mean.numpy()
            + styles.styles_from_seeds(seeds, config.style_dim) @ space.factor.numpy().T,
            character_noise=noise,
            training=True,
        )
        each.append([norm.moving_mean.numpy() for norm in norms])
    for place, wanted in enumerate(expected):
        np.testing.assert_allclose(
            wanted, np.mean([one[place] for one in each], axis=0), rtol=1e-3, atol=1e-4
        )
    # no batch alone
    assert any(np.abs(wanted - each[0][place]).max() > 1e-3 for place, wanted in enumerate(expected))


def test_the_sheet_is_what_the_model_writes(written, charset):
    folder, trainer, batches, _ = written
    generator, _, _ = artefact.load_generator(str(folder / 'model'), charset=charset)
    info = batches.index.info
    drawn = sheets.SampleSheets(
        charset,
        vocabulary=info['vocabulary'],
        held_out=info.get('held_out', ()),
        seed=trainer.settings.seed,
        num_characters=LENGTH,
    )
    difference = (
        np.array(Image.open(folder / 'samples' / 'seen-000007.png')).astype(int)
        - drawn.draw(generator)['seen']
    )
    assert np.abs(difference).max() <= 1


# Without networks
# ------------------------------------------------------------------------------------------------------


class Hand:
    """A generator that writes grey lines, as dark as its id says, and a style encoder's answers for them."""

    def __init__(self, shade):
        self.shade, self.asked, self.config = (
            shade,
            [],
            types.SimpleNamespace(style_dim=4, character_noise_dim=2, num_components=9),
        )
        self.content_encoder = types.SimpleNamespace(describe=lambda characters: None)
        self.style_space = types.SimpleNamespace(
            fit=lambda means, variances: self.asked.append(('fit', means, variances))
        )

    def __call__(self, **inputs):
        self.asked.append(inputs)
        return tf.fill([len(inputs['characters'].component_ids), 4, 8, 1], self.shade)


@pytest.fixture
def sampler(monkeypatch, charset):
    """Sampler of a run in `run` whose sheets, lines and readers are ours; `said` are its records."""
    info = dict(
        vocabulary=charset.character_set('gb2312-1')[:40], held_out=charset.character_set('gb2312-1')[50:60]
    )
    lines = LineBatch(
        images=np.stack([np.full([4, 8, 1], shade, np.float32) for shade in np.arange(-1.0, 0.8, 0.27)]),
        characters=Characters(
            component_ids=np.full([7, 2, 4], 5),
            structure_ids=np.full([7, 2], 3),
            boxes=np.full([7, 2, 4, 4], 0.5),
            character_ids=np.full([7, 2], 8),
            lengths=np.array([2, 1, 2, 1, 2, 2, 2]),
        ),
        widths=None,
        example_index=None,
    )
    batches = types.SimpleNamespace(
        index=types.SimpleNamespace(info=info), batch_size=300, batch=lambda step: lines._replace(step=step)
    )
    encoded = []

    def encoder(images, lengths=None, training=False, described=None):
        encoded.append((images, lengths, training))
        number = float(len(encoded))
        return dict(
            style_mean=tf.fill([2, 4], number),
            style_log_variance=tf.fill([2, 4], -number),
            noise_mean=tf.fill([2, 2, 2], 7.0),
        )

    model = types.SimpleNamespace(
        generator=Hand(0.5),
        average=Hand(0.0),
        style_encoder=encoder,
        config=types.SimpleNamespace(generator=Hand(0.0).config),
        read=lambda images: (None, None, tf.one_hot(np.full([7, 4, 8], 5), 9) * 50.0),
    )
    said = {name: [] for name in ('images', 'text', 'scalars', 'say')}
    log = types.SimpleNamespace(
        run_dir='run', **{name: lambda *arguments, name=name: said[name].append(arguments) for name in said}
    )
    trainer = types.SimpleNamespace(
        model=model, settings=types.SimpleNamespace(seed=3, batch_size=4, sequence_labels='components')
    )
    (pathlib.Path('run') / 'samples').mkdir(parents=True)
    made = Sampler(log, training=trainer, batches=batches, texts=None, charset=charset, longest_lines=9)
    return types.SimpleNamespace(made=made, model=model, said=said, encoded=encoded, lines=lines, info=info)


def test_sheets_of_a_step(sampler, monkeypatch, charset):
    """Pictures, then what is read on them; six real lines above what is rebuilt of them from their means,
    and where SPM sees their components.
    """
    order, made = [], sampler.made
    monkeypatch.setattr(
        made,
        '_read_samples',
        lambda: (
            order.append('read') or {'metric/label_error_seen_8': 0.25, 'metric/label_error_unseen_8': 0.5}
        ),
    )
    monkeypatch.setattr(
        made.sheets,
        'draw',
        lambda generator: order.append(generator) or dict(seen=np.arange(12, dtype=np.uint8).reshape(3, 4)),
    )
    assert made.write_sheets(12) == 'run/samples/seen-000012.png' and order == [sampler.model.average, 'read']
    ((step, pictures),) = sampler.said['images']
    assert step == 12 and list(pictures) == ['seen', 'real_above_reconstruction', 'spatial_perception']
    pairs = pictures['real_above_reconstruction'][:: 4 + sheets.GAP_PX, 0].tolist()
    assert pairs[0::2] == [0, 34, 69, 103, 138, 172] and pairs[1::2] == [128] * 6
    # half of 172 and of red
    assert pictures['spatial_perception'].shape == (6 * 4, 8, 3) and pictures['spatial_perception'][
        -1, 0
    ].tolist() == [213, 116, 116]
    (rebuilt,) = sampler.model.average.asked
    assert (
        rebuilt['training'] is False
        and sampler.encoded[0][2] is False
        and np.unique(rebuilt['style']) == 1.0
        and np.unique(rebuilt['character_noise']) == 7.0
    )
    for asked, line in zip(rebuilt['characters'], sampler.lines.characters._replace(lengths=None)):
        assert asked is line  # and no lengths: all are written as long as the longest
    assert not sampler.model.generator.asked
    for name, picture in pictures.items():
        np.testing.assert_array_equal(np.array(Image.open(f'run/samples/{name}-000012.png')), picture)
    assert len(list(pathlib.Path('run/samples').iterdir())) == 3
    assert sampler.said['scalars'] == [
        (12, 'sample', {'metric/label_error_seen_8': 0.25, 'metric/label_error_unseen_8': 0.5})
    ]
    assert sampler.said['say'] == [
        (
            (
                'sheets of step 12: misread of written lines, characters with images 0.25, misread of written'
                ' lines, characters without images 0.5 | run/samples'
            ),
        )
    ]
    ((step, name, text),) = sampler.said['text']
    assert (
        (step, name) == (12, 'texts')
        and text.split('\n\n')[0] == 'seen: ' + ' / '.join(made.sheets.texts['seen'])
        and text.count('\n\n') == 3
    )
    sampler.model.read = lambda images: (None, None, None)
    made.write_sheets(13)
    assert list(sampler.said['images'][-1][1]) == ['seen', 'real_above_reconstruction']


def test_styles_then_statistics_and_both_taken_back(sampler, monkeypatch):
    """Statistics are those of the styles that are fitted; an encoder that has learned nothing fits none."""
    average, order = sampler.model.average, []
    average.variables = [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]
    average.style_space.fit = lambda means, variances: (
        order.append('styles') or average.variables[0].assign([8.0, 9.0])
    )
    monkeypatch.setattr(
        sampler.made,
        '_recompute_statistics',
        lambda: order.append('statistics') or average.variables[1].assign(7.0),
    )
    for learned, steps, inside in (
        (True, ['styles', 'statistics'], [8.0, 9.0]),
        (False, ['statistics'], [1.0, 2.0]),
    ):
        order.clear()
        with sampler.made.ready_to_write(styles_learned=learned):
            assert (order, average.variables[0].numpy().tolist(), float(average.variables[1])) == (
                steps,
                inside,
                7.0,
            )
        assert (average.variables[0].numpy().tolist(), float(average.variables[1])) == ([1.0, 2.0], 3.0)
    with pytest.raises(OSError, match='full'), sampler.made.ready_to_write(styles_learned=True):
        raise OSError('full')
    assert average.variables[0].numpy().tolist() == [1.0, 2.0]


def test_the_texts_of_the_sheets(sampler, charset):
    """Of the run's seed and characters; eight a line at most, fewer where its lines are shorter."""
    for longest, expected in ((9, 8), (8, 8), (3, 3)):
        made = Sampler(
            None,
            training=sampler.made.training,
            batches=sampler.made.batches,
            texts=None,
            charset=charset,
            longest_lines=longest,
        )
        same = sheets.SampleSheets(
            charset,
            vocabulary=sampler.info['vocabulary'],
            held_out=sampler.info['held_out'],
            seed=3,
            num_characters=expected,
        )
        assert made.sheets.texts == same.texts and len(made.sheets.texts['seen'][0]) == expected


def test_a_style_space_is_of_so_many_lines_at_least(sampler):
    """1,024 lines are four batches of 300, 600 are two; of each what the encoder says of it, variances as
    such.
    """
    for options, first, last in (({}, 1, 4), (dict(num_lines=600), 5, 6), (dict(num_lines=601), 7, 9)):
        means, variances = averaging.styles_of_lines(
            sampler.model.style_encoder, sampler.made.batches, **options
        )
        assert means[:, 0].tolist() == np.repeat(range(first, last + 1), 2).tolist()
        np.testing.assert_allclose(variances, np.exp(-means), rtol=1e-6)
    assert sampler.encoded[0][1] is sampler.lines.characters.lengths and sampler.encoded[0][2] is False


def test_what_is_read_on_samples(sampler, monkeypatch):
    """Edits over labels of all lines together: eight batches of unseen writers, four of which misread 1 of 8
    and 2 of 4 labels and four none of 8,
    and the two sheets of texts."""
    made, trainer, asked = sampler.made, sampler.made.training, []
    ids = np.zeros([2, 2, 4], np.int32)
    ids[0], ids[1, 0] = [[1, 2, 3, 4], [1, 2, 3, 4]], [5, 6, 7, 8]
    right = np.concatenate(
        [np.array([[1, 2, 3, 4, 1, 2, 3, 4], [5, 6, 7, 8, 0, 0, 0, 0]]), np.zeros([2, 2], int)], 1
    )
    wrong = right.copy()
    wrong[0, 2], wrong[1, :2] = 8, 0
    characters = Characters.zeros(2, 2)._replace(component_ids=ids)
    fewer, short = ids.copy(), right.copy()
    fewer[0, 1], short[0, 4:] = 0, 0
    made.validation = types.SimpleNamespace(
        batch_size=2,
        batch=lambda step: (
            asked.append(step)
            or (
                LineBatch('wrong', None, characters, None)
                if step < 4
                else LineBatch('short', None, characters._replace(component_ids=fewer), None)
            )
        ),
    )
    made.sheets = types.SimpleNamespace(
        texts=dict(seen=[], one_text=[], unseen=[]),
        rows=6,
        inputs=lambda name, generator: (
            asked.append((name, generator)) or dict(characters=characters, name=name)
        ),
    )
    trainer.model.average = lambda training, name, **inputs: (
        asked.append(training) or ('wrong' if name == 'unseen' else 'right')
    )
    trainer.model.read = lambda images: (
        None,
        tf.one_hot(dict(right=right, wrong=wrong, short=short)[images], 9),
    )
    assert made._read_samples() == {
        'metric/label_error_validation_16': pytest.approx(4 * 3 / (4 * 12 + 4 * 8)),
        'metric/label_error_seen_6': 0.0,
        'metric/label_error_unseen_6': pytest.approx(3 / 12),
    }
    assert asked == [
        *range(8),
        ('seen', trainer.model.average),
        False,
        ('unseen', trainer.model.average),
        False,
    ]
    made.validation = None
    del made.sheets.texts['unseen']
    assert list(made._read_samples()) == ['metric/label_error_seen_6']


def test_a_picture_that_cannot_be_written_leaves_nothing_half(sampler, monkeypatch):
    def full(handle):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    monkeypatch.setattr(sampler.made.sheets, 'draw', lambda generator: dict(seen=np.zeros([3, 4], np.uint8)))
    with pytest.raises(
        RunDirectoryError,
        match=(
            '^run/samples/seen-000003.png: cannot be written: no space left on the disk; nothing was written,'
            ' what was there is unchanged$'
        ),
    ):
        sampler.made.write_sheets(3)
    assert not list(pathlib.Path('run/samples').iterdir())


def test_what_the_model_is_written_with(sampler, monkeypatch, charset):
    given = []
    monkeypatch.setattr(
        artefact, 'save_generator', lambda *arguments, **options: given.append((arguments, options))
    )
    assert sampler.made.save_model(7, dict(seed=3), seen='天') == 'run/model'
    assert given == [
        (
            ('run/model', sampler.model.average),
            dict(
                style_encoder=sampler.model.style_encoder,
                charset=charset,
                seen='天',
                info=dict(step=7, seed=3),
            ),
        )
    ]
