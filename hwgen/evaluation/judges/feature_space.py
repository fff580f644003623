"""Feature spaces: what turns pictures of lines into the vectors that distances are taken of.

Each has a name and a hash, which go into every figure.

`recognizer`  the project's own feature network (`feature_recognizer`); the default.
`inception`   Inception-v3's pooled features, from a file of yours: nothing is downloaded.
`vgg16_hwd`   the convolutions of a VGG16 trained to tell fonts apart (HWD), from a file of yours.
"""

import hashlib
import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from hwgen.evaluation.judges import feature_recognizer
from hwgen.evaluation.judges.feature_recognizer import FeatureError
from hwgen.images import resize_line
from hwgen.tensorflow_files import plain_path

NAMES = ('recognizer', 'inception', 'vgg16_hwd')
_BATCH_PICTURES = 32
_INCEPTION_PX = 299
_VGG_PX = 32
_FRAME_PX = 4  # of the recogniser's map


class Features(NamedTuple):
    """What a space says of n pictures.

    Attributes:
        vectors: float32 [n, D], of each picture the mean over its columns.
        columns: float32 [n], feature columns behind each mean.
        probabilities: float32 [m, K], class probabilities for the inception score, or None where the network
            has none.
    """

    vectors: np.ndarray
    columns: np.ndarray
    probabilities: np.ndarray | None


class FeatureSpace(Protocol):
    """What measures pictures: `RecognizerSpace`, `NetworkSpace`.

    Attributes:
        name: str, which goes into every figure.
        digest: str, SHA-256 of the network; of a file it covers the file's name, too, as in results of
            before.
        weights_digest: str, SHA-256 of what the network computes with, whatever its file is called: by this
            two results are held against each other where both have it.
        description: dict of JSON values.
    """

    name: str
    digest: str
    weights_digest: str
    description: dict[str, Any]

    def measure(self, pictures: Sequence[np.ndarray]) -> Features:
        """Features of pictures, uint8 [H, W] each, 255 = paper."""


def open_space(name: str, path: str | None, *, square: bool = True) -> FeatureSpace:
    """A feature space by its name.

    Args:
        name: one of NAMES.
        path: str, folder of the feature network, or file or folder of weights: `.onnx`, `.keras`, `.h5`,
            SavedModel.
        square: bool, `inception` sees a picture as 299 x 299 px, as it was trained; else 299 px high, as wide
            as it is.

    Raises:
        FeatureError: no such file, another kind of file, a network that taught a generator.
        ArtefactError: damaged weights.
    """
    if name == 'recognizer':
        return RecognizerSpace(path or '')
    return NetworkSpace(name, path, square=square)


class RecognizerSpace:
    """Features of the project's own recogniser: the mean over all places of its last map of convolutions.

    A sample for the inception score is a frame of a line in which it reads something: the probabilities of
    structures and components. Differs from Salimans et al. 2016: a line is many samples.

    Args:
        path: str, folder that `feature_recognizer.save` wrote.

    Attributes:
        name, digest, weights_digest: str.
    """

    name = 'recognizer'

    def __init__(self, path: str | os.PathLike[str]):
        self._network, self.description, self.digest = feature_recognizer.load(path)
        self.weights_digest = self.digest

    def measure(self, pictures: Sequence[np.ndarray]) -> Features:
        """Features of pictures; those of one do not depend on the others.

        Args:
            pictures: list of uint8 [H, W], 255 = paper; scaled to 32 px in height.

        Returns:
            Features.
        """
        lines = [self._to_input(picture) for picture in pictures]
        vectors = np.zeros([len(lines), self._network.channels], np.float32)
        probabilities: list[np.ndarray] = [np.empty(0)] * len(lines)
        for members in _of_one_shape(lines):
            last, logits = self._network(np.stack([lines[i] for i in members]))
            vectors[members] = np.mean(last.numpy(), axis=(1, 2))
            for i, scores in zip(members, logits.numpy(), strict=True):
                # frames that do not read CTC's blank, without its class
                scores = scores[scores.argmax(1) > 0, 1:]
                weights = np.exp(scores - scores.max(1, keepdims=True))
                probabilities[i] = weights / weights.sum(1, keepdims=True)
        return Features(
            vectors,
            np.array([line.shape[1] / _FRAME_PX for line in lines], np.float32),
            np.concatenate(probabilities),
        )

    @staticmethod
    def _to_input(picture):
        height = feature_recognizer.CELL_PX
        width = max(2, round(picture.shape[1] * height / picture.shape[0] / _FRAME_PX)) * _FRAME_PX
        return resize_line(picture, height_px=height, width_px=width)[..., np.newaxis]


class NetworkSpace:
    """Features of a network from a file.

    It gets pictures float32 [B, H, W, 3] or [B, 3, H, W], whichever its input asks for, in RGB. `inception`:
    in [-1, 1], scaled to 299 px (bilinear). `vgg16_hwd`: in [0, 1], 32 px high, nearest neighbour, filled up
    with 0 to 32 px in width, as aimagelab/HWD does. It gives features [B, D], or a map [B, h, w, D] or [B, D,
    h, w] of which the mean is taken; a second output [B, K], if it has one, are class probabilities.

    Args:
        name: 'inception' or 'vgg16_hwd'.
        path: str.
        square: bool, see `open_space`.

    Attributes:
        name, digest, weights_digest: str, see `FeatureSpace`.

    Raises:
        FeatureError: naming the file and what was expected.
    """

    def __init__(self, name: str, path: str | None, *, square: bool = True):
        self.name, self.path, self._square = name, path, square
        self.description = {'file': pathlib.Path(path or '').name}
        if not path or not pathlib.Path(path).exists():
            raise FeatureError(
                f'feature space {name}: {path or "no --feature_weights"}: no such file; expected its weights'
                ' as .onnx, .keras, .h5 or the folder of a SavedModel (nothing is downloaded)'
            )
        self.digest, self.weights_digest = _digest(pathlib.Path(path)), _weights_digest(pathlib.Path(path))
        try:
            self._run, self._channels_first = _load_network(pathlib.Path(path))
        except FeatureError:
            raise
        except Exception as error:  # three libraries, each with kinds of errors of its own
            raise FeatureError(
                f'{path}: no network that can be read ({" ".join(str(error).split())[:200]})'
            ) from None

    def measure(self, pictures: Sequence[np.ndarray]) -> Features:
        """Features of pictures list of uint8 [H, W]; see `RecognizerSpace.measure`."""
        inputs = [self._to_input(picture) for picture in pictures]
        columns = np.ones(len(inputs), np.float32)
        vectors: list[np.ndarray] = [np.empty(0)] * len(inputs)
        probabilities: dict[int, np.ndarray] = {}
        for members in _of_one_shape(inputs):
            # B x H x W -> B x H x W x 3
            batch = np.repeat(np.stack([inputs[i] for i in members])[..., np.newaxis], 3, axis=3)
            outputs = self._run(batch.transpose(0, 3, 1, 2) if self._channels_first else batch)
            features = outputs[0]
            if features.ndim == 4:
                columns[members] = features.shape[3 if self._channels_first else 2]
                features = features.mean((2, 3) if self._channels_first else (1, 2))
            if features.ndim != 2 or len(features) != len(members):
                raise FeatureError(
                    f'{self.path}: gives {list(outputs[0].shape)} for {len(members)} pictures, expected [B,'
                    ' D] or a map of 4 axes'
                )
            for place, i in enumerate(members):
                vectors[i] = features[place]
                if len(outputs) > 1:
                    probabilities[i] = outputs[1][place]
        return Features(
            np.stack(vectors).astype(np.float32),
            columns,
            np.stack([probabilities[i] for i in range(len(inputs))]) if probabilities else None,
        )

    def _to_input(self, picture):
        height, width = picture.shape
        if self.name == 'inception':
            wide = (
                _INCEPTION_PX
                if self._square
                else max(_INCEPTION_PX // 4, round(width * _INCEPTION_PX / height))
            )
            return (
                cv2.resize(picture, (wide, _INCEPTION_PX), interpolation=cv2.INTER_LINEAR).astype(np.float32)
                / 127.5
                - 1.0
            )
        wide = max(1, int(_VGG_PX * width / height))
        scaled = (
            cv2.resize(picture, (wide, _VGG_PX), interpolation=cv2.INTER_NEAREST_EXACT).astype(np.float32)
            / 255.0
        )
        return np.pad(scaled, [(0, 0), (0, max(0, _VGG_PX - wide))])


def _of_one_shape(arrays):
    """Lists of places of arrays that have one shape, none longer than a batch."""
    by_shape = {}
    for place, array in enumerate(arrays):
        by_shape.setdefault(array.shape, []).append(place)
    for _, places in sorted(by_shape.items()):
        for start in range(0, len(places), _BATCH_PICTURES):
            yield places[start : start + _BATCH_PICTURES]


def _digest(path):
    """SHA-256 of names and bytes, as results of before have it."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob('*')) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _weights_digest(path):
    """SHA-256 of the bytes of a file, or of what lies where in a folder, whatever the two are called."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for file in sorted(path.rglob('*')):
        if file.is_file():
            content = file.read_bytes()
            digest.update(f'{file.relative_to(path).as_posix()} {len(content)} '.encode())
            digest.update(content)
    return digest.hexdigest()


def _load_network(path):
    """A function of the batch that gives the outputs as arrays, and whether its input has channels first."""
    if path.suffix == '.onnx':
        try:
            import onnxruntime  # optional
        except ImportError:
            raise FeatureError(f'{path}: needs onnxruntime: pip install "hwgen[reader]"') from None
        session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
        entry = session.get_inputs()[0]
        return lambda batch: session.run(None, {entry.name: batch}), _channels_first(path, entry.shape)
    import tensorflow as tf

    if path.is_dir():
        with plain_path(path) as plain:
            function = tf.saved_model.load(plain).signatures['serving_default']
        ((entry, spec),) = function.structured_input_signature[1].items()

        def run(batch):
            return [output.numpy() for _, output in sorted(function(**{entry: tf.constant(batch)}).items())]

        return run, _channels_first(path, spec.shape)
    if path.suffix not in ('.keras', '.h5'):
        raise FeatureError(f'{path}: expected a file .onnx, .keras or .h5, or the folder of a SavedModel')
    import keras

    model = keras.models.load_model(path, compile=False)

    def run(batch):
        return [np.asarray(output) for output in tf.nest.flatten(model(batch, training=False))]

    return run, _channels_first(path, model.inputs[0].shape)


def _channels_first(path, shape):
    if len(shape) != 4 or (shape[1] != 3) == (shape[3] != 3):
        raise FeatureError(
            f'{path}: input of shape {list(shape)}, expected pictures [B, H, W, 3] or [B, 3, H, W]'
        )
    return shape[1] == 3
