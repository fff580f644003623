"""experiments/accelerator: what is lowered is the training step, what is carried comes back as it was; JAX
itself is not needed here.
"""

import dataclasses
import io
import json
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.accelerator import exchange, lowering, packing
from hwgen.charset.encoding import Charset
from hwgen.data.reading.shards import RecordIndex
from hwgen.models.hct_gan import HctGan
from hwgen.settings.model import GeneratorConfig, HctGanConfig
from hwgen.settings.steps import GanSettings
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.gan import GanTraining

N = 3
UNREAD = dict(
    widths=np.zeros(2, np.int32),
    example_index=np.zeros(2, np.int32),
    step=np.zeros(2, np.int64),
    advances=np.ones((2, N), np.float32),
)


def make(kind, *, seed=5):
    """A trainer of a tiny model with random weights, the same at every call."""
    tf.keras.utils.set_random_seed(seed)
    charset = Charset.load()
    generator = GeneratorConfig(
        charset.num_components,
        charset.num_structures,
        charset.num_characters,
        content_encoding='warped',
        char_px=16,
        char_width_px=16,
        content_channels=8,
        channels=(8, 8),
        style_part_dim=4,
        character_noise_dim=2,
        attention_px=8,
        upsample='between',
        spectral=False,
        structure_dim=4,
        component_dim=4,
        cell_dim=4,
        map_channels=(4,),
        learn_boxes=True,
        bend_px=2,
    )
    labels = charset.num_components + charset.num_structures - 1
    model = HctGan(
        HctGanConfig(
            generator,
            sequence_labels=labels,
            spatial_labels=charset.num_components,
            discriminator_channels=(4, 4, 4),
            recognizer_channels=(4, 4, 8),
            recognizer_hidden=8,
            share_trunk=True,
            style_channels=(4, 4, 8),
        )
    )
    settings = GanSettings(
        batch_size=2, seed=0, feature_levels=(2,), uniform_lengths=False, product_dtype='float32'
    )
    boxes = {} if kind is GanTraining else dict(template_boxes=charset.template_boxes)
    return kind(model, settings, strategy=tf.distribute.get_strategy(), **boxes)


def batch_of(trainer, *, seed=1):
    rng, charset = np.random.default_rng(seed), Charset.load()
    shapes = lowering.specification(trainer.model.config.generator, batch_size=2, num_characters=N)
    ids = rng.integers(1, charset.num_characters, (2, N)).astype(np.int32) * (
        np.arange(N) < np.array([[N], [N - 1]])
    )
    batch = {name: rng.standard_normal(shape).astype(dtype) for name, (dtype, shape) in shapes.items()}
    batch['images'] = np.tanh(batch['images'])
    batch['images'][1, :, (N - 1) * 16 :] = 1.0
    batch.update(
        lengths=np.array([N, N - 1], np.int32),
        character_ids=ids,
        component_ids=charset.character_components[ids].astype(np.int32),
        structure_ids=charset.character_structures[ids].astype(np.int32),
    )
    return {name: tf.constant(value) for name, value in batch.items()}


def run_folder(folder, trainer):
    """A run as far as `exchange` looks at one."""
    charset = Charset.load()
    folder.mkdir()
    (folder / 'config.json').write_text(
        json.dumps(
            {
                'model': dataclasses.asdict(trainer.model.config),
                'settings': dataclasses.asdict(trainer.settings),
                'schedule': {'longest_lines': N},
                'data': {'charset_rows': charset.row_count, 'charset_hash': charset.hash},
            }
        )
    )
    Checkpoints(str(folder / 'checkpoints'), trainer.trackables()).save(0)
    return folder


@pytest.mark.slow
def test_recognizers_learn_what_the_trainer_teaches():
    # The trainer's own CTC is another implementation: they agree to 1e-4 of the loss.
    ours, theirs = make(lowering.LoweredTrainer), make(GanTraining)
    batch = batch_of(ours)
    loss = ours.step('recognizers', jit=False)(batch)
    expected = theirs.recognizers.update(ours._lines(batch)._replace(**UNREAD))
    assert float(loss['loss/sequence_real']) == pytest.approx(float(expected['loss/sequence_real']), rel=1e-4)
    assert float(loss['grad/recognizer_norm']) == pytest.approx(
        float(expected['grad/recognizer_norm']), rel=1e-3
    )


@pytest.mark.slow
def test_reconstruction_is_the_trainers(monkeypatch):
    ours, theirs = make(lowering.LoweredTrainer), make(GanTraining)
    batch = batch_of(ours)
    monkeypatch.setattr(theirs.reconstruction, 'normal', lowering.noise_of(batch))  # the same noise
    loss = ours.step('reconstruction', jit=False)(batch)
    expected = theirs.reconstruction.update(ours._lines(batch)._replace(**UNREAD))
    assert set(loss) == set(expected)
    for name, value in loss.items():
        assert float(value) == pytest.approx(float(expected[name]), rel=1e-4), name
    for got, wanted in zip(ours.model.average.variables, theirs.model.average.variables):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-5)


@pytest.mark.slow
def test_lowered_recognizers(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    variables = lowering.named_variables(trainer)
    rate = 'recognizer_optimizer/001/learning_rate'
    captured = lowering.lower(
        trainer.step('recognizers'), batch_of(trainer), variables, tmp_path / 'recognizers', rate=rate
    )
    told = json.loads((tmp_path / 'recognizers.json').read_text())
    assert (tmp_path / 'recognizers.mlirbc').read_bytes()[:4] == b'ML\xefR'  # MLIR bytecode
    assert told['captured'] == captured and rate in captured
    assert told['inputs']['images'] == ['float32', [2, 16, N * 16, 1]]
    moved = set(told['updates'].values())
    weights = {
        name for name, v in variables.items() if any(v is w.value for w in trainer.recognizers.variables)
    }
    assert weights <= moved and rate not in moved
    assert not any(name.startswith(('generator/', 'style_encoder/')) for name in moved)


def test_lower_names_what_it_does_not_know(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    variables = lowering.named_variables(trainer)
    del variables['recognizer_optimizer/001/learning_rate']
    with pytest.raises(ValueError, match='none of the variables'):
        lowering.lower(trainer.step('recognizers'), batch_of(trainer), variables, tmp_path / 'x', rate='')


@pytest.mark.slow
def test_weights_come_back(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    run = run_folder(tmp_path / 'run', trainer)
    name = next(
        name
        for name in lowering.named_variables(trainer)
        if name.startswith('average/') and name.endswith('/kernel')
    )
    value = np.full(lowering.named_variables(trainer)[name].shape, 0.25, np.float32)
    (tmp_path / 'back').mkdir()
    other = next(
        own
        for own in lowering.named_variables(trainer)
        if own.startswith('average/') and own.endswith('/kernel') and own != name
    )
    np.savez(tmp_path / 'back' / 'weights-0.npz', **{name: value})
    np.savez(
        tmp_path / 'back' / 'weights-1.npz',
        **{other: np.full(lowering.named_variables(trainer)[other].shape, 0.5, np.float32)},
    )
    assert exchange.import_weights(run, tmp_path / 'back', step=7) == 2
    again, checkpoints, _ = exchange.open_run(run)
    np.testing.assert_array_equal(lowering.named_variables(again)[name].numpy(), value)
    assert (lowering.named_variables(again)[other].numpy() == 0.5).all()
    assert int(checkpoints.step.numpy()) == 7
    for wrong in (value.ravel(), np.full_like(value, np.nan)):
        np.savez(tmp_path / 'back' / 'weights-0.npz', **{name: wrong})
        with pytest.raises(ValueError, match='expected finite values'):
            exchange.import_weights(run, tmp_path / 'back', step=8)


def test_variables_are_written_once(tmp_path):
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    exchange.write_variables(
        tmp_path / 'v.npz',
        {
            'a': a,
            'b': a.copy(),
            'c': np.zeros(6, np.float32),
            'd': a.reshape(3, 2),
            'e': a.view(np.int32),
            'n': np.int64(3),
        },
        dtype='float16',
    )
    with np.load(tmp_path / 'v.npz') as stored:
        assert json.loads(str(stored['same'])) == {'b': 'a'}
        assert (
            stored['a'].dtype == np.float16
            and stored['n'] == 3
            and stored['d'].shape == (3, 2)
            and stored['e'].dtype == np.int32
        )
        np.testing.assert_array_equal(stored['a'], a)


def test_lines_are_packed_in_order(tmp_path):
    index = RecordIndex(pathlib.Path(__file__).parents[2] / 'tfrecords' / 'sample', split='train')
    packing.pack_lines(index, tmp_path, char_px=16, longest_lines=4, quality=90, num_files=2)
    texts, widths = [], 0
    for k in range(2):
        with np.load(tmp_path / f'lines-{k}.npz') as stored:
            texts += np.split(stored['character_ids'], np.cumsum(stored['lengths'])[:-1])
            strip = stored['strips'][: int(stored['strip_bytes'][0])].tobytes()
            image = Image.open(io.BytesIO(strip))
            widths += image.width
            assert image.height == 16 and len(stored['strip_bytes']) == 1
    kept = [i for i in range(len(index)) if index.lengths[i] <= 4]
    assert len(texts) == len(kept)
    for text, number in zip(texts, kept):
        np.testing.assert_array_equal(text, index.read_record(number).character_ids)
    assert widths == 16 * sum(index.lengths[i] for i in kept)


@pytest.fixture
def opened(monkeypatch):
    """A run as `open_run` returns it, without a network: two phases, an optimizer each; what is lowered is
    told.
    """
    told, charset = [], Charset.load()
    values = {
        f'optimizer/{phase}': tf.Variable(rate) for phase, rate in zip(lowering.PHASES, (0.5, 0.25))
    } | {
        'generator/a': tf.Variable(np.arange(4, dtype=np.float32)),
        'average/a': tf.Variable(np.arange(4, dtype=np.float32)),
        'style/b': tf.Variable(1.5),
        'unused/c': tf.Variable(9.0),
    }

    class Trainer:
        settings = GanSettings(batch_size=6)
        model = types.SimpleNamespace(
            config=types.SimpleNamespace(
                generator=types.SimpleNamespace(
                    char_px=16, char_width_px=12, style_dim=5, character_noise_dim=3, layout='cells'
                )
            )
        )

        def optimizer_of(self, phase):
            return types.SimpleNamespace(
                learning_rate=types.SimpleNamespace(value=values[f'optimizer/{phase}'])
            )

        def step(self, phase, *, jit=True):
            def run(batch):
                told.append(
                    (
                        phase,
                        jit,
                        self.settings.batch_size,
                        {name: value.numpy() for name, value in batch.items()},
                        values['style/b'].numpy(),
                    )
                )
                values['style/b'].assign_add(1.0)
                return {'loss': tf.reduce_sum(batch['style_normal'])}

            return phase if jit else run

    def lower(function, batch, variables, path, *, rate):
        told.append(
            (
                function,
                {name: (value.dtype.name, tuple(value.shape)) for name, value in batch.items()},
                path.name,
                rate,
            )
        )
        captured = [rate, 'generator/a', 'average/a', 'style/b']
        path.with_suffix('.json').write_text(
            json.dumps(
                {
                    'inputs': {name: [value.dtype.name, list(value.shape)] for name, value in batch.items()},
                    'captured': captured,
                }
            )
        )
        return captured

    config = {
        'settings': {'seed': 1},
        'schedule': {'longest_lines': 2},
        'data': {'charset_rows': charset.row_count},
        'model': {},
    }
    monkeypatch.setattr(
        exchange, 'open_run', lambda run_dir, *, product_dtype=None: (Trainer(), None, config)
    )
    monkeypatch.setattr(lowering, 'named_variables', lambda trainer: values)
    monkeypatch.setattr(lowering, 'lower', lower)
    return told


def test_what_a_machine_without_tensorflow_gets(opened, tmp_path):
    out = tmp_path / 'deep' / 'out'
    exchange.export_run('run', out, weights_dtype='float16')
    assert [(function, path, rate) for function, _, path, rate in opened] == [
        (phase, phase, f'optimizer/{phase}') for phase in lowering.PHASES
    ]
    assert opened[0][1] == {
        'images': ('float32', (6, 16, 24, 1)),
        'lengths': ('int32', (6,)),
        'component_ids': ('int32', (6, 2, 4)),
        'structure_ids': ('int32', (6, 2)),
        'character_ids': ('int32', (6, 2)),
        'style_normal': ('float32', (6, 5)),
        'noise_normal': ('float32', (6, 2, 3)),
    }
    with np.load(out / 'variables.npz') as stored:
        assert json.loads(str(stored['same'])) == {'average/a': 'generator/a'}
        assert {name: stored[name].dtype.name for name in stored.files if name != 'same'} == dict.fromkeys(
            ['optimizer/recognizers', 'optimizer/reconstruction', 'generator/a', 'style/b'], 'float16'
        )
    charset = Charset.load()
    with np.load(out / 'tables.npz') as tables:
        np.testing.assert_array_equal(tables['component_ids'], charset.character_components)
        np.testing.assert_array_equal(tables['structure_ids'], charset.character_structures)
        assert tables['component_ids'].dtype == tables['structure_ids'].dtype == np.int32
    assert json.loads((out / 'config.json').read_text()) == {
        'settings': {'seed': 1},
        'schedule': {'longest_lines': 2},
    }
    assert (out / 'device.py').read_bytes() == pathlib.Path(exchange.__file__).with_name(
        'device.py'
    ).read_bytes()
    exchange.export_run('run', out, batch_size=3)
    assert opened[2][1]['images'] == ('float32', (3, 16, 24, 1))


def test_a_reference_step_of_each_phase(opened, tmp_path):
    """From the exported weights each time, on lines of 1 and 2 characters with paper and no character
    behind their ends.
    """
    exchange.export_run('run', tmp_path, batch_size=3)
    opened.clear()
    exchange.write_reference('run', tmp_path, arrays=True)
    assert [(phase, jit, size, before) for phase, jit, size, _, before in opened] == [
        ('recognizers', False, 3, 1.5),
        ('reconstruction', False, 3, 1.5),
    ]
    charset = Charset.load()
    for _, _, _, batch, _ in opened:
        assert batch['lengths'].tolist() == [1, 2, 1] and (batch['character_ids'] > 0).tolist() == [
            [True, False],
            [True, True],
            [True, False],
        ]
        np.testing.assert_array_equal(
            batch['component_ids'], charset.character_components[batch['character_ids']]
        )
        np.testing.assert_array_equal(
            batch['structure_ids'], charset.character_structures[batch['character_ids']]
        )
        assert (
            (batch['images'][[0, 2], :, 12:] == 1).all()
            and -1 <= batch['images'].min() < -0.9
            and batch['images'][1, :, 12:].std() > 0.5
            and batch['images'].dtype == np.float32
        )
        assert (
            batch['style_normal'].shape == (3, 5)
            and batch['noise_normal'].shape == (3, 2, 3)
            and batch['style_normal'].std() > 0.4
        )
    assert (opened[0][3]['style_normal'] != opened[1][3]['style_normal']).any()
    with np.load(tmp_path / 'reference.npz') as stored:
        for phase, _, _, batch, _ in opened:
            np.testing.assert_array_equal(stored[f'{phase}/batch/images'], batch['images'])
            assert (
                stored[f'{phase}/metric/loss'] == pytest.approx(batch['style_normal'].sum(), rel=1e-5)
                and stored[f'{phase}/after/style/b'] == 2.5
            )
            assert f'{phase}/after/unused/c' not in stored.files
    exchange.write_reference('run', tmp_path, arrays=False)
    with np.load(tmp_path / 'reference.npz') as stored:
        assert not [name for name in stored.files if '/after/' in name]


def test_a_run_is_opened_as_it_was_configured(tmp_path, monkeypatch):
    """Lists of JSON are tuples again, the table is the run's, the product's type may be another; a run
    without a checkpoint is told.
    """
    charset, found, restored = Charset.load(), {}, ['weights']
    generator = GeneratorConfig(
        charset.num_components,
        charset.num_structures,
        charset.num_characters,
        channels=(8, 8),
        char_px=16,
        char_width_px=16,
        attention_px=8,
        map_channels=(4,),
    )
    config = HctGanConfig(generator, sequence_labels=7, spatial_labels=8, discriminator_channels=(4, 4, 4))
    settings = GanSettings(batch_size=3, feature_levels=(2, 1))
    (tmp_path / 'config.json').write_text(
        json.dumps(
            {
                'model': dataclasses.asdict(config),
                'settings': dataclasses.asdict(settings),
                'data': {'charset_rows': charset.row_count, 'charset_hash': charset.hash},
            }
        )
    )

    class Trainer:
        def __init__(self, model, settings, *, template_boxes, strategy):
            found.update(model=model, settings=settings, boxes=template_boxes)

        def trackables(self):
            return {'all': 'variables'}

    class Stored:
        def __init__(self, folder, trackables):
            found.update(folder=folder, trackables=trackables)

        def restore(self):
            return 0, restored[0]

    monkeypatch.setattr(exchange, 'HctGan', lambda config: config)
    monkeypatch.setattr(exchange, 'Checkpoints', Stored)
    monkeypatch.setattr(lowering, 'LoweredTrainer', Trainer)
    _, _, read = exchange.open_run(tmp_path)
    assert (
        found['model'] == dataclasses.replace(config, generator=found['model'].generator)
        and found['settings'] == settings
        and read['model']['sequence_labels'] == 7
    )
    assert (
        found['folder'] == str(tmp_path / 'checkpoints')
        and found['trackables'] == {'all': 'variables'}
        and type(found['model'].discriminator_channels) is tuple
    )
    np.testing.assert_array_equal(found['boxes'], charset.template_boxes)
    exchange.open_run(tmp_path, product_dtype='bfloat16')
    assert found['settings'] == dataclasses.replace(settings, product_dtype='bfloat16')
    restored[0] = None
    with pytest.raises(ValueError, match='no checkpoint; expected a run that `train --max_steps=0` made'):
        exchange.open_run(tmp_path)


@pytest.mark.parametrize(
    'arguments, called',
    [
        (
            ['export', '--run_dir=R', '--out=O'],
            [('export', 'R', 'O', dict(batch_size=None, product_dtype=None, weights_dtype='float32'))],
        ),
        (
            [
                'export',
                '--run_dir=R',
                '--out=O',
                '--batch_size=4',
                '--product_dtype=bfloat16',
                '--weights_dtype=float16',
                '--reference=losses',
            ],
            [
                ('export', 'R', 'O', dict(batch_size=4, product_dtype='bfloat16', weights_dtype='float16')),
                ('reference', 'R', 'O', dict(arrays=False, product_dtype='bfloat16')),
            ],
        ),
        (
            ['export', '--run_dir=R', '--out=O', '--reference=all'],
            [
                ('export', 'R', 'O', dict(batch_size=None, product_dtype=None, weights_dtype='float32')),
                ('reference', 'R', 'O', dict(arrays=True, product_dtype=None)),
            ],
        ),
        (
            ['pack', '--data=D', '--out=O'],
            [
                (
                    'pack',
                    ('index', 'D', 'train'),
                    'O',
                    dict(char_px=64, longest_lines=8, quality=80, num_files=1, layout='cells'),
                )
            ],
        ),
        (['import', '--run_dir=R', '--weights=W', '--step=5'], [('import', 'R', 'W', dict(step=5))]),
    ],
)
def test_commands_of_the_exchange(monkeypatch, arguments, called):
    calls = []

    def note(name):
        return lambda *places, **options: calls.append((name, *places, options)) or 3

    for name, function in (
        ('export', 'export_run'),
        ('reference', 'write_reference'),
        ('import', 'import_weights'),
    ):
        monkeypatch.setattr(exchange, function, note(name))
    monkeypatch.setattr(packing, 'pack_lines', note('pack'))
    monkeypatch.setattr(exchange, 'RecordIndex', lambda path, *, split: ('index', path, split))
    monkeypatch.setattr('sys.argv', ['exchange', *arguments])
    exchange.main()
    assert calls == called
