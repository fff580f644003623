"""Feature spaces: what one picture gives does not depend on the others; networks from files in every format; what is refused, and how."""

import importlib.util
import json
import os
import pathlib

import cv2
import numpy as np
import pytest
import tensorflow as tf

import hwgen
from hwgen.evaluation import feature_recognizer, feature_space
from hwgen.inference.artefact import ArtefactError

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent


def lines(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, size=shape).astype(np.uint8) for shape in shapes]


def test_a_picture_alone_and_among_others(untrained_features):
    space = feature_space.open_space('recognizer', untrained_features)
    pictures = lines((32, 96), (64, 128), (32, 96), (32, 40), (20, 3))
    found = space.measure(pictures)
    assert found.vectors.shape == (5, 128) and found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.columns, [24, 16, 24, 10, 2])
    for picture, vector in zip(pictures, found.vectors):
        # One line or several in a product of matrices: the order of the sums differs.
        np.testing.assert_allclose(space.measure([picture]).vectors[0], vector, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.probabilities.sum(1), 1., atol=1e-5)
    assert found.probabilities.shape[1] == 19
    assert space.measure(pictures).vectors.tobytes() == found.vectors.tobytes()


def test_features_are_the_mean_of_the_last_map(untrained_features):
    network, _, digest = feature_recognizer.load(untrained_features)
    picture, = lines((32, 64))
    last, logits = network((picture.astype(np.float32) * np.float32(2 / 255) - np.float32(1))[np.newaxis, ..., np.newaxis])
    space = feature_space.open_space('recognizer', untrained_features)
    found = space.measure([picture])
    np.testing.assert_allclose(found.vectors[0], last.numpy()[0].mean((0, 1)), rtol=1e-5, atol=1e-6)
    read = tf.nn.softmax(logits[0], axis=-1).numpy()
    read = read[read.argmax(1) > 0, 1:]
    np.testing.assert_allclose(found.probabilities, read / read.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)
    assert space.digest == digest and len(digest) == 64


def test_what_taught_a_generator_is_refused(tmp_path, untrained_features):
    for trace in ('config.json', 'generator.json'):
        folder = tmp_path / trace.split('.')[0]
        folder.mkdir()
        (folder / trace).write_text('{}')
        with pytest.raises(feature_space.FeatureError, match=f'is a generator or its training run .{trace}.; its recognisers .* cannot judge it'):
            feature_space.open_space('recognizer', str(folder))
    with pytest.raises(feature_space.FeatureError, match='cannot judge it'):
        feature_space.open_space('recognizer', str(CHECKOUT / 'saved_models' / 'demo'))
    with pytest.raises(feature_space.FeatureError, match='nowhere: no feature network there'):
        feature_space.open_space('recognizer', 'nowhere')
    network, description, _ = feature_recognizer.load(untrained_features)
    feature_recognizer.save('other', network, {**description, 'purpose': 'sequence recognition'})
    with pytest.raises(feature_space.FeatureError, match="purpose 'sequence recognition', expected"):
        feature_space.open_space('recognizer', 'other')
    pathlib.Path('other/recognizer.json').write_text('[')
    with pytest.raises(feature_space.FeatureError, match='not the description'):
        feature_space.open_space('recognizer', 'other')
    feature_recognizer.save('other', network, {**description, 'num_labels': 21})
    with pytest.raises(ArtefactError, match='expected .*21'):
        feature_space.open_space('recognizer', 'other')


def test_the_network_that_ships():
    """Its hash, its size and what it says of itself: a change of it changes every figure, so it changes this test."""
    folder = CHECKOUT / 'saved_models' / 'features'
    space = feature_space.open_space('recognizer', str(folder))
    assert space.digest.startswith('80c00f8fc1230a56')
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    assert space.description['seed'] == 20 and space.description['steps'] == 5000 and space.description['data']['split'] == 'train'
    assert space.description['label_error']['test']['error'] < .31


class Pooled(tf.Module):
    """Mean of each channel over the picture, and its first two as probabilities."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def features(self, pictures):
        return {'a': tf.reduce_mean(pictures, [1, 2])}


def keras_network(path):
    pictures = tf.keras.Input([None, None, 3])
    pooled = tf.keras.layers.GlobalAveragePooling2D()(pictures)
    model = tf.keras.Model(pictures, [tf.keras.layers.AveragePooling2D(2)(pictures), tf.keras.layers.Softmax()(pooled)])
    model.save(path)


@pytest.mark.parametrize('name', ['net.keras', 'net.h5', 'net', 'net[1]'])
def test_networks_from_files(name):
    saved_model = '.' not in name
    if saved_model:
        tf.saved_model.save(Pooled(), name, signatures={'serving_default': Pooled().features})
    else:
        keras_network(name)
    pictures = lines((40, 60), (32, 90))
    found = feature_space.open_space('inception', name).measure(pictures)
    # Scaling to 299 x 299 keeps the mean of noise but for the rim; in [-1, 1].
    np.testing.assert_allclose(found.vectors, [[picture.mean() / 127.5 - 1.] * 3 for picture in pictures], atol=.02)
    np.testing.assert_array_equal(found.columns, [1, 1] if saved_model else [149, 149])
    if not saved_model:
        np.testing.assert_allclose(found.probabilities, 1 / 3, atol=1e-5)
    wide = feature_space.open_space('inception', name, square=False).measure(pictures[1:])
    assert wide.columns[0] == (1 if saved_model else round(90 * 299 / 32) // 2)
    low, = feature_space.open_space('vgg16_hwd', name).measure(lines((64, 20))).vectors
    # 10 of 32 columns are the picture in [0, 1], the rest 0, as the authors' code fills up.
    scaled = cv2.resize(lines((64, 20))[0], (10, 32), interpolation=cv2.INTER_NEAREST_EXACT) / 255.
    np.testing.assert_allclose(low, [scaled.sum() / 32 / 32] * 3, atol=1e-5)


def onnx_network(path):
    """A file with one node, GlobalAveragePool of [B, 3, H, W], in the bytes of ONNX's protocol buffer."""
    def field(number, value):
        if isinstance(value, int):
            return bytes([number << 3, value])
        value = value.encode() if isinstance(value, str) else value
        return bytes([number << 3 | 2]) + (bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7])) + value

    def entry(name, *axes):  # ValueInfoProto: name, type.tensor_type of float32 with a named or fixed size an axis
        shape = b''.join(field(1, field(1, axis) if isinstance(axis, int) else field(2, axis)) for axis in axes)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))
    node = field(1, 'x') + field(2, 'y') + field(4, 'GlobalAveragePool')
    graph = field(1, node) + field(2, 'g') + field(11, entry('x', 'B', 3, 'H', 'W')) + field(12, entry('y', 'B', 3, 1, 1))
    pathlib.Path(path).write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))


@pytest.mark.skipif(importlib.util.find_spec('onnxruntime') is None, reason='needs the extra `reader` (onnxruntime)')
def test_a_network_of_onnx():
    onnx_network('net.onnx')
    pictures = lines((40, 60), (32, 90), (32, 90))
    found = feature_space.open_space('inception', 'net.onnx').measure(pictures)
    np.testing.assert_allclose(found.vectors, [[picture.mean() / 127.5 - 1.] * 3 for picture in pictures], atol=.02)
    assert found.probabilities is None
    pathlib.Path('net.onnx').write_bytes(pathlib.Path('net.onnx').read_bytes()[:-20])
    with pytest.raises(feature_space.FeatureError, match='net.onnx: no network that can be read'):
        feature_space.open_space('inception', 'net.onnx')


def test_files_that_are_no_networks():
    pathlib.Path('a.keras').write_bytes(b'no network')
    pathlib.Path('a.pth').write_bytes(b'')
    for path, message in ((None, 'no --feature_weights: no such file'), ('b.onnx', 'b.onnx: no such file'), ('a.keras', 'a.keras: no network that can be read'),
                          ('a.pth', 'a.pth: expected a file .onnx, .keras or .h5')):
        with pytest.raises(feature_space.FeatureError, match=message):
            feature_space.open_space('inception', path)
    tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(2)]).save('flat.keras')
    with pytest.raises(feature_space.FeatureError, match=r'input of shape \[None, 8\], expected pictures'):
        feature_space.open_space('vgg16_hwd', 'flat.keras')


@pytest.mark.slow
def test_a_trained_network_is_saved_with_where_it_is_from(lines_of_one_character):
    network, description = feature_recognizer.train(lines_of_one_character, steps=1, report=lambda line: None)
    assert description['purpose'] == feature_recognizer.PURPOSE and description['data'] == {'source': 'made', 'version': 1, 'split': 'train'}
    assert feature_recognizer.measured_splits(lines_of_one_character) == ['test']
    feature_recognizer.save('network', network, description)
    assert sorted(os.listdir('network')) == ['recognizer.json', 'weights.npz']
    again, read, _ = feature_recognizer.load('network')
    assert read == json.loads(json.dumps(description))
    picture = lines((32, 64))[0][np.newaxis, ..., np.newaxis] / np.float32(127.5) - np.float32(1)
    # float16 on the disk: 11 bits of each weight
    np.testing.assert_allclose(again(picture)[0], network(picture)[0], rtol=.02, atol=.02)


@pytest.mark.slow
def test_training_is_deterministic_and_learns(lines_of_one_character):
    weights = [feature_recognizer.train(lines_of_one_character, steps=3, report=lambda line: None)[0] for _ in range(2)]
    for first, second in zip(*([variable.numpy() for module in network.modules.values() for variable in module.variables] for network in weights)):
        np.testing.assert_array_equal(first, second)
    before = feature_recognizer.label_error(weights[0], lines_of_one_character, split='test')
    network, _ = feature_recognizer.train(lines_of_one_character, steps=150, report=lambda line: None)
    after = feature_recognizer.label_error(network, lines_of_one_character, split='test')
    assert before[1:] == after[1:] == (8, 24) and after[0] < .5 < before[0]
