"""Feature spaces: what one picture gives does not depend on the others; networks from files in every
format; what is refused, and how.
"""

import hashlib
import importlib.util
import json
import os
import pathlib

import cv2
import numpy as np
import pytest
import tensorflow as tf

import hwgen
from hwgen.evaluation.judges import feature_recognizer, feature_space
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
    np.testing.assert_allclose(found.probabilities.sum(1), 1.0, atol=1e-5)
    assert found.probabilities.shape[1] == 19
    assert space.measure(pictures).vectors.tobytes() == found.vectors.tobytes()


def test_features_are_the_mean_of_the_last_map(untrained_features):
    network, _, digest = feature_recognizer.load(untrained_features)
    (picture,) = lines((32, 64))
    last, logits = network(
        (picture.astype(np.float32) * np.float32(2 / 255) - np.float32(1))[np.newaxis, ..., np.newaxis]
    )
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
        with pytest.raises(
            feature_space.FeatureError,
            match=f'is a generator or its training run .{trace}.; its recognisers .* cannot judge it',
        ):
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
    """Its hash, its size and what it says of itself: a change of it changes every figure, so it changes
    this test.
    """
    folder = CHECKOUT / 'saved_models' / 'features'
    space = feature_space.open_space('recognizer', str(folder))
    assert space.digest.startswith('80c00f8fc1230a56')
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    assert (
        space.description['seed'] == 20
        and space.description['steps'] == 5000
        and space.description['data']['split'] == 'train'
    )
    assert space.description['label_error']['test']['error'] < 0.31


class Pooled(tf.Module):
    """Mean of each channel over the picture, and its first two as probabilities."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32)])
    def features(self, pictures):
        return {'a': tf.reduce_mean(pictures, [1, 2])}


def keras_network(path):
    pictures = tf.keras.Input([None, None, 3])
    pooled = tf.keras.layers.GlobalAveragePooling2D()(pictures)
    model = tf.keras.Model(
        pictures, [tf.keras.layers.AveragePooling2D(2)(pictures), tf.keras.layers.Softmax()(pooled)]
    )
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
    np.testing.assert_allclose(
        found.vectors, [[picture.mean() / 127.5 - 1.0] * 3 for picture in pictures], atol=0.02
    )
    np.testing.assert_array_equal(found.columns, [1, 1] if saved_model else [149, 149])
    if not saved_model:
        np.testing.assert_allclose(found.probabilities, 1 / 3, atol=1e-5)
    wide = feature_space.open_space('inception', name, square=False).measure(pictures[1:])
    assert wide.columns[0] == (1 if saved_model else round(90 * 299 / 32) // 2)
    (low,) = feature_space.open_space('vgg16_hwd', name).measure(lines((64, 20))).vectors
    # 10 of 32 columns are the picture in [0, 1], the rest 0, as the authors' code fills up.
    scaled = cv2.resize(lines((64, 20))[0], (10, 32), interpolation=cv2.INTER_NEAREST_EXACT) / 255.0
    np.testing.assert_allclose(low, [scaled.sum() / 32 / 32] * 3, atol=1e-5)


def onnx_network(path):
    """A file with one node, GlobalAveragePool of [B, 3, H, W], in the bytes of ONNX's protocol buffer."""

    def field(number, value):
        if isinstance(value, int):
            return bytes([number << 3, value])
        value = value.encode() if isinstance(value, str) else value
        return (
            bytes([number << 3 | 2])
            + (bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7]))
            + value
        )

    # ValueInfoProto: name, type.tensor_type of float32 with a named or fixed size an axis
    def entry(name, *axes):
        shape = b''.join(
            field(1, field(1, axis) if isinstance(axis, int) else field(2, axis)) for axis in axes
        )
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    node = field(1, 'x') + field(2, 'y') + field(4, 'GlobalAveragePool')
    graph = (
        field(1, node)
        + field(2, 'g')
        + field(11, entry('x', 'B', 3, 'H', 'W'))
        + field(12, entry('y', 'B', 3, 1, 1))
    )
    pathlib.Path(path).write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))


@pytest.mark.skipif(
    importlib.util.find_spec('onnxruntime') is None, reason='needs the extra `reader` (onnxruntime)'
)
def test_a_network_of_onnx():
    onnx_network('net.onnx')
    pictures = lines((40, 60), (32, 90), (32, 90))
    found = feature_space.open_space('inception', 'net.onnx').measure(pictures)
    np.testing.assert_allclose(
        found.vectors, [[picture.mean() / 127.5 - 1.0] * 3 for picture in pictures], atol=0.02
    )
    assert found.probabilities is None
    pathlib.Path('net.onnx').write_bytes(pathlib.Path('net.onnx').read_bytes()[:-20])
    with pytest.raises(feature_space.FeatureError, match='net.onnx: no network that can be read'):
        feature_space.open_space('inception', 'net.onnx')


def test_files_that_are_no_networks():
    pathlib.Path('a.keras').write_bytes(b'no network')
    pathlib.Path('a.pth').write_bytes(b'')
    for path, message in (
        (None, 'no --feature_weights: no such file'),
        ('b.onnx', 'b.onnx: no such file'),
        ('a.keras', 'a.keras: no network that can be read'),
        ('a.pth', 'a.pth: expected a file .onnx, .keras or .h5'),
    ):
        with pytest.raises(feature_space.FeatureError, match=message):
            feature_space.open_space('inception', path)
    tf.keras.Sequential([tf.keras.Input([8]), tf.keras.layers.Dense(2)]).save('flat.keras')
    with pytest.raises(feature_space.FeatureError, match=r'input of shape \[None, 8\], expected pictures'):
        feature_space.open_space('vgg16_hwd', 'flat.keras')


def space_of(run, monkeypatch, name='inception', *, channels_first=False, **options):
    """A NetworkSpace whose network is a function of the batch."""
    monkeypatch.setattr(feature_space, '_load_network', lambda path: (run, channels_first))
    pathlib.Path('net.onnx').write_bytes(b'a network')
    return feature_space.open_space(name, 'net.onnx', **options)


@pytest.mark.parametrize('channels_first', [False, True])
def test_a_map_counts_by_its_columns(monkeypatch, channels_first):
    """Of 3 rows and 5 columns; either order of axes, of what goes in and of what comes out."""
    seen = []

    def run(batch):
        seen.append(batch.shape)
        maps = np.arange(len(batch) * 30.0).reshape(len(batch), 3, 5, 2)
        return [maps.transpose(0, 3, 1, 2) if channels_first else maps]

    found = space_of(run, monkeypatch, channels_first=channels_first).measure(lines((10, 20), (30, 15)))
    np.testing.assert_array_equal(found.columns, [5.0, 5.0])
    np.testing.assert_array_equal(found.vectors, [[14.0, 15.0], [44.0, 45.0]])
    assert (
        seen == [(2, 3, 299, 299) if channels_first else (2, 299, 299, 3)]
        and found.probabilities is None
        and found.vectors.dtype == np.float32
    )


def test_pictures_of_one_size_go_together_and_come_back_in_their_order(monkeypatch):
    """At most 32 at a time; a second output are probabilities."""
    sizes = []

    def run(batch):
        sizes.append(batch.shape)
        greys = batch.mean((1, 2))[:, :1]
        return [
            np.concatenate([greys, batch[:, 0, 0, :2]], axis=1),
            np.concatenate([greys, 1.0 - greys], axis=1),
        ]

    space = space_of(run, monkeypatch, name='vgg16_hwd')
    pictures = [np.full([32, 64 if number % 3 else 40], number, np.uint8) for number in range(60)]
    found = space.measure(pictures)
    assert sizes == [(20, 32, 40, 3), (32, 32, 64, 3), (8, 32, 64, 3)]
    # sums of float32
    np.testing.assert_allclose(
        found.vectors, np.arange(60.0)[:, np.newaxis].repeat(3, axis=1) / 255.0, atol=1e-5
    )
    np.testing.assert_allclose(found.probabilities[:, 1], 1.0 - np.arange(60.0) / 255.0, atol=1e-5)
    np.testing.assert_array_equal(found.columns, 1.0)
    assert feature_space._BATCH_PICTURES == 32


@pytest.mark.parametrize(
    'outputs, told',
    [
        ([np.zeros([1, 2])], r'gives \[1, 2\] for 2 pictures'),
        ([np.zeros([2, 3, 4])], r'gives \[2, 3, 4\] for 2'),
        ([np.zeros(2)], r'gives \[2\]'),
    ],
)
def test_what_is_no_feature_of_a_picture(monkeypatch, outputs, told):
    with pytest.raises(
        feature_space.FeatureError, match=f'net.onnx: {told}.*expected .B, D. or a map of 4 axes'
    ):
        space_of(lambda batch: outputs, monkeypatch).measure(lines((10, 20), (10, 20)))


def test_sizes_that_networks_see(monkeypatch):
    def space(name, **options):
        return space_of(None, monkeypatch, name, **options)

    black, paper = (np.full([100, 200], grey, np.uint8) for grey in (0, 255))
    assert (
        space('inception')._to_input(black).shape
        == (299, 299)
        == space('inception')._to_input(black[:, :3]).shape
    )
    wide = space('inception', square=False)
    # a quarter of the height at least
    assert [wide._to_input(black[:, :width]).shape for width in (200, 50, 30, 7)] == [
        (299, 598),
        (299, 150),
        (299, 90),
        (299, 74),
    ]
    assert (wide._to_input(black) == -1.0).all() and (wide._to_input(paper) == 1.0).all()
    ramp = np.tile(np.uint8([0, 100]), [2, 1])
    # From the middle of the one pixel to that of the other, evenly; to the nearest grey level.
    np.testing.assert_allclose(
        space('inception')._to_input(ramp)[7],
        np.interp((np.arange(299) + 0.5) * 2 / 299, [0.5, 1.5], [0, 100]) / 127.5 - 1.0,
        atol=0.009,
    )
    hwd = space('vgg16_hwd')
    assert [
        hwd._to_input(np.zeros(shape, np.uint8)).shape
        for shape in ((64, 21), (64, 63), (64, 65), (64, 131), (99, 1))
    ] == [(32, 32), (32, 32), (32, 32), (32, 65), (32, 32)]
    ones = [
        int(hwd._to_input(np.full(shape, 255, np.uint8)).sum())
        for shape in ((64, 21), (64, 63), (64, 131), (99, 1))
    ]
    # whole pixels, rounded down as the authors' code has it; the rest is 0
    assert ones == [32 * 10, 32 * 31, 32 * 65, 32]
    nearest = hwd._to_input(lines((48, 100), seed=4)[0])
    np.testing.assert_allclose(
        nearest,
        cv2.resize(lines((48, 100), seed=4)[0], (66, 32), interpolation=cv2.INTER_NEAREST_EXACT) / 255.0,
        atol=1e-6,
    )


def test_which_axis_has_the_colours():
    for shape, first in (
        ((None, None, None, 3), False),
        ((None, 3, None, None), True),
        ((1, 3, 299, 299), True),
        ((1, 299, 299, 3), False),
    ):
        assert feature_space._channels_first('x', shape) is first
    for shape in ((None, 3, 299, 3), (None, 1, 32, 32), (3, 3, 3), (None, 32, 32, 1)):
        with pytest.raises(feature_space.FeatureError, match='x: input of shape'):
            feature_space._channels_first('x', shape)


def test_the_digest_of_weights_is_that_of_names_and_bytes(tmp_path):
    """Files of a folder in the order of their names; it stands in every result, so that two that differ
    are not compared.
    """
    folder = tmp_path / 'net'
    for name, content in (('b.txt', b'two'), ('variables/data', b'three'), ('a.txt', b'one')):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    assert (
        feature_space._digest(folder)
        == hashlib.sha256(b'a.txt' + b'one' + b'b.txt' + b'two' + b'data' + b'three').hexdigest()
    )
    assert feature_space._digest(folder / 'a.txt') == hashlib.sha256(b'a.txt' + b'one').hexdigest()


def test_a_network_is_known_by_its_weights_whatever_its_file_is_called(tmp_path):
    for name, content in (('a', b'one'), ('b', b'one'), ('c', b'two')):
        (tmp_path / f'{name}.onnx').write_bytes(content)
        (tmp_path / name / 'variables').mkdir(parents=True)
        (tmp_path / name / 'variables' / 'index').write_bytes(content)
        (tmp_path / name / 'saved_model.pb').write_bytes(b'graph')
    for suffix in ('.onnx', ''):
        first, same, other = (feature_space._weights_digest(tmp_path / f'{name}{suffix}') for name in 'abc')
        assert first == same != other
    (tmp_path / 'a' / 'variables' / 'index').rename(tmp_path / 'a' / 'variables' / 'data')
    assert feature_space._weights_digest(tmp_path / 'a') != same


def test_widths_of_the_recognisers_lines(untrained_features):
    """In frames of 4 px, to the nearest, at least two: a line of 26 px at a height of 16 has 13 of them,
    one of 30 of 15 has 16.
    """
    sizes = [
        feature_space.RecognizerSpace._to_input(np.zeros(shape, np.uint8)).shape
        for shape in ((16, 26), (15, 30), (64, 75), (64, 77), (32, 9), (320, 9))
    ]
    assert sizes == [(32, 52, 1), (32, 64, 1), (32, 36, 1), (32, 40, 1), (32, 8, 1), (32, 8, 1)]
    picture = feature_space.RecognizerSpace._to_input(np.full([32, 40], 255, np.uint8))
    assert (
        picture.dtype == np.float32
        and (picture == 1.0).all()
        and feature_space.NAMES == ('recognizer', 'inception', 'vgg16_hwd')
    )


@pytest.mark.slow
def test_a_trained_network_is_saved_with_where_it_is_from(lines_of_one_character):
    network, description = feature_recognizer.train(lines_of_one_character, steps=1, report=lambda line: None)
    assert description['purpose'] == feature_recognizer.PURPOSE and description['data'] == {
        'source': 'made',
        'version': 1,
        'split': 'train',
    }
    assert feature_recognizer.measured_splits(lines_of_one_character) == ['test']
    feature_recognizer.save('network', network, description)
    assert sorted(os.listdir('network')) == ['recognizer.json', 'weights.npz']
    again, read, _ = feature_recognizer.load('network')
    assert read == json.loads(json.dumps(description))
    picture = lines((32, 64))[0][np.newaxis, ..., np.newaxis] / np.float32(127.5) - np.float32(1)
    # float16 on the disk: 11 bits of each weight
    np.testing.assert_allclose(again(picture)[0], network(picture)[0], rtol=0.02, atol=0.02)


@pytest.mark.slow
def test_training_is_deterministic_and_learns(lines_of_one_character):
    weights = [
        feature_recognizer.train(lines_of_one_character, steps=3, report=lambda line: None)[0]
        for _ in range(2)
    ]
    for first, second in zip(
        *(
            [variable.numpy() for module in network.modules.values() for variable in module.variables]
            for network in weights
        )
    ):
        np.testing.assert_array_equal(first, second)
    # Three steps are nearly enough for half of it: before is a network that was not trained at all.
    before = feature_recognizer.label_error(
        feature_recognizer.FeatureRecognizer(weights[0].num_labels), lines_of_one_character, split='test'
    )
    network, _ = feature_recognizer.train(lines_of_one_character, steps=150, report=lambda line: None)
    after = feature_recognizer.label_error(network, lines_of_one_character, split='test')
    assert before[1:] == after[1:] == (8, 24) and after[0] < 0.3 < 0.7 < before[0]
