"""The feature network's training and error, with a network that knows nothing, whose loss is known; what
is written of it.
"""

import hashlib
import json
import math
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.data.reading.pipeline import LineBatch
from hwgen.evaluation.judges import feature_recognizer
from hwgen.evaluation.judges.component_reader import ComponentReader


class Undecided:
    """All classes alike in every frame, whatever it sees; it has a weight that no gradient moves."""

    def __init__(self, num_labels):
        self.num_labels, self.trained = num_labels, []
        self.modules = {'head': keras.layers.Dense(num_labels, kernel_initializer='zeros', use_bias=False)}
        self.modules['head'].build([None, None, 1])

    def __call__(self, images, *, training=False):
        self.trained.append(training)
        frames = tf.reduce_mean(images, axis=1)[:, ::4] * 0.0
        return None, self.modules['head'](frames)


class Batches:
    """Lines of 明, and in turns of 明天: keeps what it is asked."""

    asked = []

    def __init__(self, folder, **options):
        self.asked.append((folder, options))
        self.index = type(
            'Index',
            (),
            {'info': {'source': 'made', 'version': 7, 'seed': 4, 'settings': {'a': 1}, 'splits': {}}},
        )

    def dataset(self):
        while True:
            for text in ('明', '明天'):
                characters = Characters.stack([Charset.load().encode(text).characters] * 2)
                images = np.ones([2, 32, 32 * len(text), 1], np.float32)
                yield LineBatch(images, np.full(2, 32 * len(text)), characters, np.arange(2))


@pytest.fixture
def stubs(monkeypatch):
    """dict of what training used."""
    used = {}

    class Adam(keras.optimizers.Adam):
        def __init__(self, rate, **options):
            used.update(rate=rate, options=options)
            super().__init__(rate, **options)

    monkeypatch.setattr(feature_recognizer, 'FeatureRecognizer', Undecided)
    monkeypatch.setattr(feature_recognizer.shards, 'read_info', lambda folder: {'of': folder})
    monkeypatch.setattr(
        feature_recognizer, 'charset_of', lambda info: used.update(info=info) or Charset.load()
    )
    monkeypatch.setattr(feature_recognizer.pipeline, 'LineBatches', Batches)
    monkeypatch.setattr(Batches, 'asked', [])
    monkeypatch.setattr(keras.optimizers, 'Adam', Adam)
    monkeypatch.setattr(keras.utils, 'set_random_seed', lambda seed: used.update(seed=seed))
    return used


def loss_of(text, num_labels):
    """Negative log likelihood a character where all classes are alike: of T frames and L labels, none
    twice in a row, C(T + L, 2 L) paths read them.
    """
    frames, labels = 8 * len(text), sum(map(len, ComponentReader(None).labels(text)))
    return (frames * math.log(num_labels) - math.log(math.comb(frames + labels, 2 * labels))) / len(text)


def test_what_the_network_is_trained_with(stubs):
    """As the one that ships: its description tells steps and seed alone, so the rest has to stay."""
    said = []
    network, description = feature_recognizer.train('lines', steps=3, seed=6, report=said.append)
    ((folder, options),) = Batches.asked
    assert folder == 'lines' and stubs['info'] == {'of': 'lines'} and stubs['seed'] == 6
    assert options.pop('charset') is Charset.load() and options == {
        'batch_size': 16,
        'seed': 6,
        'char_px': 32,
        'max_characters': 8,
    }
    rates = [float(stubs['rate'](step)) for step in (0, 1, 2, 3, 9)]
    assert rates == pytest.approx(
        [2e-3 * (0.01 + 0.99 * (1.0 + math.cos(math.pi * step / 3)) / 2.0) for step in (0, 1, 2, 3, 3)]
    )
    assert stubs['options'] == {'global_clipnorm': 1.0} and set(network.trained) == {True}
    charset = Charset.load()
    # the blank has the place of neither's padding
    assert network.num_labels == 1 + (charset.num_components - 1) + (charset.num_structures - 1)
    assert description == {
        'purpose': feature_recognizer.PURPOSE,
        'seed': 6,
        'steps': 3,
        'num_labels': network.num_labels,
        'charset': {'row_count': charset.row_count, 'hash': charset.hash},
        'data': {'source': 'made', 'version': 7, 'seed': 4, 'settings': {'a': 1}, 'split': 'train'},
    }
    loss = np.mean([loss_of(text, network.num_labels) for text in ('明', '明天', '明')])
    assert said == [f'feature network: step 3/3, loss a character {loss:.3f}']
    assert feature_recognizer.train.__kwdefaults__ == {'steps': 5000, 'seed': 20, 'report': print}


def test_the_loss_is_told_every_five_hundred_steps_and_at_the_end(stubs, monkeypatch):
    """Of the steps since it was told last."""
    said, kept = [], iter(range(1, 2000))
    monkeypatch.setattr(
        feature_recognizer.tf, 'function', lambda **options: lambda step: lambda batch: next(kept)
    )
    feature_recognizer.train('lines', steps=1003, report=said.append)
    assert said == [
        f'feature network: step {step}/1003, loss a character {loss:.3f}'
        for step, loss in ((500, 250.5), (1000, 750.5), (1003, 1002.0))
    ]


class Reads:
    """Reads 明 in every line, once, whatever stands there."""

    def __init__(self, num_labels):
        self.num_labels, self.sizes = num_labels, []

    def __call__(self, images, *, training=False):
        assert not training
        self.sizes.append(tuple(images.shape))
        (labels,), scores = (
            ComponentReader(None).labels('明'),
            np.zeros([len(images), images.shape[2] // 4, self.num_labels], np.float32),
        )
        scores[:, :, 0] = 0.5
        scores[:, np.arange(3), labels] = 1.0
        return None, scores


def test_the_error_is_the_share_of_all_labels(lines_of_one_character):
    """Of 8 lines half are 明; the others, 品, share no label with it: three of three wrong."""
    network = Reads(1600)
    assert feature_recognizer.label_error(network, lines_of_one_character, split='test') == (0.5, 8, 24)
    assert network.sizes == [(8, 32, 32, 1)]
    network.sizes.clear()
    assert feature_recognizer.label_error(
        network, lines_of_one_character, split='train', charset=Charset.load()
    ) == (0.5, 32, 96)
    assert network.sizes == [(16, 32, 32, 1)] * 2
    assert feature_recognizer.measured_splits(lines_of_one_character) == ['test']


def test_what_is_written_and_what_is_computed_with(untrained_features):
    """Halves on the disk, floats in the memory; the hash is of these, and of all of them in their order."""
    network, description, digest = feature_recognizer.load(untrained_features)
    assert sorted(os.listdir(untrained_features)) == ['recognizer.json', 'weights.npz'] and description == {
        'purpose': feature_recognizer.PURPOSE,
        'num_labels': 20,
    }
    with np.load(os.path.join(untrained_features, 'weights.npz')) as stored:
        assert {value.dtype for value in stored.values()} == {np.dtype(np.float16)}
    assert list(network.modules) == ['trunk', 'head']
    values = [variable.numpy() for module in network.modules.values() for variable in module.variables]
    assert {value.dtype for value in values} == {np.dtype(np.float32)} and digest == hashlib.sha256(
        b''.join(value.tobytes() for value in values)
    ).hexdigest()
    last, logits = network(np.ones([2, 32, 48, 1], np.float32))
    assert last.shape == (2, 8, 12, 128) and logits.shape == (2, 12, 20) and network.channels == 128
    with open(os.path.join(untrained_features, 'recognizer.json'), encoding='utf-8') as stream:
        text = stream.read()
    assert json.loads(text) == description and text.endswith('}\n')


def test_a_folder_of_a_generator_is_none_of_a_feature_network(tmp_path):
    (tmp_path / 'checkpoints').mkdir()
    with pytest.raises(feature_recognizer.FeatureError, match=r'its training run \(checkpoints\)'):
        feature_recognizer.load(str(tmp_path))
    for text in ('{"purpose": 1}', '{"num_labels": 3}', '[]', '{"purpose": "x", "num_labels": null}'):
        (tmp_path / 'recognizer.json').write_text(text)
        with pytest.raises(
            feature_recognizer.FeatureError, match='recognizer.json: not the description of a feature network'
        ):
            feature_recognizer.load(str(tmp_path))
