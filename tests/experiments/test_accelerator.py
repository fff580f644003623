"""experiments/accelerator: what is lowered is the training step, what is carried comes back as it was; JAX itself is not needed here."""

import dataclasses
import io
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from experiments.accelerator import exchange, lowering, packing
from hwgen.charset.encoding import Charset
from hwgen.data.shards import RecordIndex
from hwgen.models.hct_gan import HctGan
from hwgen.settings.model import GeneratorConfig
from hwgen.settings.model import HctGanConfig
from hwgen.settings.steps import GanSettings
from hwgen.training.checkpoints import Checkpoints
from hwgen.training.gan import GanTrainer

N = 3


def make(kind, *, seed=5):
    """A trainer of a tiny model with random weights, the same at every call."""
    tf.keras.utils.set_random_seed(seed)
    charset = Charset.load()
    generator = GeneratorConfig(
        charset.num_components, charset.num_structures, charset.num_characters, content_encoding='warped', char_px=16, char_width_px=16,
        content_channels=8, channels=(8, 8), style_part_dim=4, character_noise_dim=2, attention_px=8, upsample='between', spectral=False,
        structure_dim=4, component_dim=4, cell_dim=4, map_channels=(4,), learn_boxes=True, bend_px=2)
    labels = charset.num_components + charset.num_structures - 1
    model = HctGan(HctGanConfig(generator, sequence_labels=labels, spatial_labels=charset.num_components, discriminator_channels=(4, 4, 4),
                                recognizer_channels=(4, 4, 8), recognizer_hidden=8, share_trunk=True, style_channels=(4, 4, 8)))
    settings = GanSettings(batch_size=2, seed=0, feature_levels=(2,), uniform_lengths=False, product_dtype='float32')
    return kind(model, settings, template_boxes=charset.template_boxes, strategy=tf.distribute.get_strategy())


def batch_of(trainer, *, seed=1):
    rng, charset = np.random.default_rng(seed), Charset.load()
    shapes = lowering.specification(trainer.model.config.generator, batch_size=2, num_characters=N)
    ids = rng.integers(1, charset.num_characters, (2, N)).astype(np.int32) * (np.arange(N) < np.array([[N], [N - 1]]))
    batch = {name: rng.standard_normal(shape).astype(dtype) for name, (dtype, shape) in shapes.items()}
    batch['images'] = np.tanh(batch['images'])
    batch['images'][1, :, (N - 1) * 16:] = 1.
    batch.update(lengths=np.array([N, N - 1], np.int32), character_ids=ids, component_ids=charset.character_components[ids].astype(np.int32),
                 structure_ids=charset.character_structures[ids].astype(np.int32))
    return {name: tf.constant(value) for name, value in batch.items()}


def run_folder(folder, trainer):
    """A run as far as `exchange` looks at one."""
    charset = Charset.load()
    folder.mkdir()
    (folder / 'config.json').write_text(json.dumps({
        'model': dataclasses.asdict(trainer.model.config), 'settings': dataclasses.asdict(trainer.settings), 'schedule': {'longest_lines': N},
        'data': {'charset_rows': charset.row_count, 'charset_hash': charset.hash}}))
    Checkpoints(str(folder / 'checkpoints'), trainer.trackables()).save(0)
    return folder


def test_recognizers_learn_what_the_trainer_teaches():
    # The trainer's own CTC is another implementation: they agree to 1e-4 of the loss.
    ours, theirs = make(lowering.LoweredTrainer), make(GanTrainer)
    batch = batch_of(ours)
    loss = ours.step('recognizers', jit=False)(batch)
    expected = theirs.recognizer_step(batch)
    assert float(loss['loss/sequence_real']) == pytest.approx(float(expected['loss/sequence_real']), rel=1e-4)
    assert float(loss['grad/recognizer_norm']) == pytest.approx(float(expected['grad/recognizer_norm']), rel=1e-3)


def test_reconstruction_is_the_trainers(monkeypatch):
    ours, theirs = make(lowering.LoweredTrainer), make(GanTrainer)
    batch = batch_of(ours)
    monkeypatch.setattr(theirs, '_normal', ours._normal)  # the same noise
    loss = ours.step('reconstruction', jit=False)(batch)
    expected = theirs.reconstruction_step(batch)
    assert set(loss) == set(expected)
    for name, value in loss.items():
        assert float(value) == pytest.approx(float(expected[name]), rel=1e-4), name
    for got, wanted in zip(ours.model.average.variables, theirs.model.average.variables):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-5)


def test_lowered_recognizers(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    variables = lowering.named_variables(trainer)
    rate = 'recognizer_optimizer/001/learning_rate'
    captured = lowering.lower(trainer.step('recognizers'), batch_of(trainer), variables, tmp_path / 'recognizers', rate=rate)
    told = json.loads((tmp_path / 'recognizers.json').read_text())
    assert (tmp_path / 'recognizers.mlirbc').read_bytes()[:4] == b'ML\xefR'  # MLIR bytecode
    assert told['captured'] == captured and rate in captured
    assert told['inputs']['images'] == ['float32', [2, 16, N * 16, 1]]
    moved = set(told['updates'].values())
    weights = {name for name, v in variables.items() if any(v is w.value for w in trainer.recognizer_variables)}
    assert weights <= moved and rate not in moved
    assert not any(name.startswith(('generator/', 'style_encoder/')) for name in moved)


def test_lower_names_what_it_does_not_know(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    variables = lowering.named_variables(trainer)
    del variables['recognizer_optimizer/001/learning_rate']
    with pytest.raises(ValueError, match='none of the variables'):
        lowering.lower(trainer.step('recognizers'), batch_of(trainer), variables, tmp_path / 'x', rate='')


def test_weights_come_back(tmp_path):
    trainer = make(lowering.LoweredTrainer)
    run = run_folder(tmp_path / 'run', trainer)
    name = next(name for name in lowering.named_variables(trainer) if name.startswith('average/') and name.endswith('/kernel'))
    value = np.full(lowering.named_variables(trainer)[name].shape, .25, np.float32)
    (tmp_path / 'back').mkdir()
    np.savez(tmp_path / 'back' / 'weights-0.npz', **{name: value})
    assert exchange.import_weights(run, tmp_path / 'back', step=7) == 1
    again, checkpoints, _ = exchange.open_run(run)
    np.testing.assert_array_equal(lowering.named_variables(again)[name].numpy(), value)
    assert int(checkpoints.step.numpy()) == 7
    for wrong in (value.ravel(), np.full_like(value, np.nan)):
        np.savez(tmp_path / 'back' / 'weights-0.npz', **{name: wrong})
        with pytest.raises(ValueError, match='expected finite values'):
            exchange.import_weights(run, tmp_path / 'back', step=8)


def test_variables_are_written_once(tmp_path):
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    exchange.write_variables(tmp_path / 'v.npz', {'a': a, 'b': a.copy(), 'c': np.zeros(6, np.float32), 'n': np.int64(3)}, dtype='float16')
    with np.load(tmp_path / 'v.npz') as stored:
        assert json.loads(str(stored['same'])) == {'b': 'a'}
        assert stored['a'].dtype == np.float16 and stored['n'] == 3
        np.testing.assert_array_equal(stored['a'], a)


def test_lines_are_packed_in_order(tmp_path):
    index = RecordIndex(pathlib.Path(__file__).parents[2] / 'tfrecords' / 'sample', split='train')
    packing.pack_lines(index, tmp_path, char_px=16, longest_lines=4, quality=90, num_files=2)
    texts, widths = [], 0
    for k in range(2):
        with np.load(tmp_path / f'lines-{k}.npz') as stored:
            texts += np.split(stored['character_ids'], np.cumsum(stored['lengths'])[:-1])
            strip = stored['strips'][:int(stored['strip_bytes'][0])].tobytes()
            image = Image.open(io.BytesIO(strip))
            widths += image.width
            assert image.height == 16 and len(stored['strip_bytes']) == 1
    kept = [i for i in range(len(index)) if index.lengths[i] <= 4]
    assert len(texts) == len(kept)
    for text, number in zip(texts, kept):
        np.testing.assert_array_equal(text, index.read_record(number).character_ids)
    assert widths == 16 * sum(index.lengths[i] for i in kept)
