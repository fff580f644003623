"""The feature network: a small recogniser of lines that is trained to measure with, and for nothing else.

Distances between real and generated lines (`metrics.distribution`) are taken in the features of a network.
This one is trained on real lines alone, from a fixed seed, by `evaluate --train_features=FOLDER`; no
generator ever got a gradient from it, and its folder says so. What a run of `train` leaves (SRM, SPM, D) did
teach a generator, and is refused: a generator pleases its teachers.
"""

import hashlib
import io
import json
import os

import keras
import numpy as np
import tensorflow as tf

from hwgen import files
from hwgen.data.preparing import record_folder
from hwgen.data.reading import pipeline, shards
from hwgen.inference import artefact
from hwgen.losses import ctc
from hwgen.models.recognizer_trunk import FRAMES, RecognizerTrunk
from hwgen.models.sequence_recognition import SequenceRecognition

PURPOSE = 'features to measure with; no generator was trained against it'
CELL_PX = 32
DESCRIPTION_FILE = 'recognizer.json'
_CHANNELS = (16, 32, 64, 96, 128)
_HIDDEN = 128
_LABEL_KIND = 'structured'
_BATCH_LINES, _LONGEST_LINE, _RATE, _CLIP_NORM = 16, 8, 2e-3, 1.0


class FeatureError(ValueError):
    """A feature network that cannot be used; the message names it and what was expected."""


class FeatureRecognizer:
    """Reads the structures and components of a line (CTC), as SRM does; its own weights.

    Args:
        num_labels: int, classes of CTC with the blank.

    Attributes:
        channels: int, D of the features.
    """

    channels = _CHANNELS[-1]

    def __init__(self, num_labels):
        self.num_labels = num_labels
        self.trunk = RecognizerTrunk(_CHANNELS, char_px=CELL_PX, char_width_px=CELL_PX, name='trunk')
        self.head = SequenceRecognition(num_labels, hidden=_HIDDEN, name='head')
        self(np.ones([1, CELL_PX, CELL_PX, 1], np.float32))

    def __call__(self, images, *, training=False):
        """float32 [B, 32, W, 1] in [-1, 1], W a multiple of 4 -> last map [B, 8, W / 4, D] and logits [B,
        W / 4, num_labels].
        """
        last = self.trunk(images, training=training)[-1]
        return last, self.head(last, training=training)

    @property
    def modules(self):
        """dict name -> Keras model."""
        return {'trunk': self.trunk, 'head': self.head}


def train(folder, *, steps=5000, seed=20, report=print):
    """Trains a feature network on the real lines of split `train`.

    With TensorFlow's deterministic operations the same call gives the same weights on
    one machine.

    Args:
        folder: path of the records.
        steps: int, of 16 lines of at most 8 characters each.
        seed: int, of weights and order.
        report: function of a str, told about progress.

    Returns:
        FeatureRecognizer; description dict: purpose, data, seed, steps.

    Raises:
        RecordError, CharsetMismatchError: lines that cannot be read.
    """
    keras.utils.set_random_seed(seed)
    charset = record_folder.charset_of(shards.read_info(folder))
    lines = pipeline.LineBatches(
        folder,
        charset=charset,
        batch_size=_BATCH_LINES,
        seed=seed,
        char_px=CELL_PX,
        max_characters=_LONGEST_LINE,
    )
    network = FeatureRecognizer(_num_labels(charset))
    optimizer = keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(_RATE, steps, alpha=0.01, warmup_target=_RATE, warmup_steps=0),
        global_clipnorm=_CLIP_NORM,
    )
    variables = [variable for module in network.modules.values() for variable in module.trainable_variables]
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(batch):
        with tf.GradientTape() as tape:
            _, logits = network(batch['images'], training=True)
            frames = tf.fill([tf.shape(logits)[0]], tf.shape(logits)[1])
            losses = ctc.ctc_loss(_labels(batch, charset), logits, num_frames=frames) / tf.cast(
                frames // FRAMES, tf.float32
            )
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    recent = []
    for number, batch in zip(range(1, steps + 1), lines.dataset()):
        recent.append(step(batch))
        if number % 500 == 0 or number == steps:
            report(f'feature network: step {number}/{steps}, loss a character {float(np.mean(recent)):.3f}')
            recent = []
    info = lines.index.info
    description = {
        'purpose': PURPOSE,
        'seed': seed,
        'steps': steps,
        'num_labels': network.num_labels,
        'charset': {'row_count': charset.row_count, 'hash': charset.hash},
        'data': (
            {name: info[name] for name in ('source', 'version', 'seed', 'settings') if name in info}
            | {'split': 'train'}
        ),
    }
    return network, description


def label_error(network, folder, *, split, charset=None):
    """Share of the labels of a split's lines that the network reads wrong.

    Args:
        network: FeatureRecognizer.
        folder: path of the records.
        split: str.
        charset: Charset that the network's labels are those of, or None for that of the records.

    Returns:
        float; int, lines; int, labels.
    """
    charset = record_folder.charset_of(shards.read_info(folder)) if charset is None else charset
    lines = pipeline.LineBatches(
        folder, charset=charset, split=split, batch_size=_BATCH_LINES, seed=0, char_px=CELL_PX
    )
    wrong = total = 0.0
    for batch in lines.sweep():
        _, logits = network(batch['images'])
        errors, counts = ctc.label_errors(
            _labels(batch, charset), logits, num_frames=tf.fill([len(batch['images'])], logits.shape[1])
        )
        wrong, total = wrong + float(tf.reduce_sum(errors)), total + float(tf.reduce_sum(counts))
    return wrong / total, len(lines), int(total)


def measured_splits(folder):
    """The splits of a folder on which `label_error` says something: all but the one it learned from."""
    return [split for split in shards.read_info(folder)['splits'] if split != 'train']


def save(path, network, description):
    """Writes a feature network: `recognizer.json` and `weights.npz` (float16).

    Args:
        path: str, folder; made where it is absent, its two files replaced.
        network: FeatureRecognizer.
        description: dict of JSON values.
    """
    os.makedirs(path, exist_ok=True)
    arrays = {}
    for name, module in network.modules.items():
        arrays |= artefact.named_arrays(name, module)
    weights = os.path.join(path, 'weights.npz')
    content = io.BytesIO()
    np.savez_compressed(content, **{name: value.astype(np.float16) for name, value in arrays.items()})
    files.write_file(weights, content.getvalue())
    files.write_json(os.path.join(path, DESCRIPTION_FILE), description)


def load(path):
    """Reads a feature network.

    Args:
        path: str, folder that `save` wrote.

    Returns:
        FeatureRecognizer; description dict; str, SHA-256 of the weights as they are computed with.

    Raises:
        FeatureError: no feature network there, or one of a generator's own (a run of `train`, a generator's
            folder).
        ArtefactError: damaged weights.
    """
    file = os.path.join(path, DESCRIPTION_FILE)
    if not os.path.exists(file):
        for trace in ('config.json', 'generator.json', 'checkpoints'):
            if os.path.exists(os.path.join(path, trace)):
                raise FeatureError(
                    f'{path}: is a generator or its training run ({trace}); its recognisers and its'
                    ' discriminator taught it, so they cannot judge it: expected a feature network of'
                    ' `evaluate --train_features`'
                )
        raise FeatureError(
            f'{path}: no feature network there (expected {file}, as `evaluate --train_features` writes it)'
        )
    try:
        with open(file, encoding='utf-8') as stream:
            description = json.load(stream)
        purpose, num_labels = description['purpose'], int(description['num_labels'])
    except (ValueError, KeyError, TypeError) as error:
        raise FeatureError(f'{file}: not the description of a feature network: {error}') from None
    if purpose != PURPOSE:
        raise FeatureError(
            f'{file}: purpose {purpose!r}, expected {PURPOSE!r}: a network that gave a generator gradients'
            ' cannot judge it'
        )
    network, weights = FeatureRecognizer(num_labels), os.path.join(path, 'weights.npz')
    arrays, digest = artefact.read_arrays(weights), hashlib.sha256()
    for name, module in network.modules.items():
        artefact.assign_arrays(name, module, arrays, weights)
        for variable in module.variables:
            digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return network, description, digest.hexdigest()


def _num_labels(charset):
    return ctc.num_label_classes(
        _LABEL_KIND,
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=charset.num_characters,
    )


def _labels(batch, charset):
    return ctc.line_labels(
        _LABEL_KIND,
        batch['characters'],
        num_components=charset.num_components,
    )
