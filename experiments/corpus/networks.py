"""The small network of both questions: which character is it, and did a person write it?"""

import numpy as np
import tensorflow as tf

from experiments.corpus.preparation import SIDE_PX

_BATCH = 64
_RATE = 2e-3
# Of the augmentation, an affine map drawn anew for each picture: turn and shear in radians, size and place
# relative.
_TURN, _SHEAR, _SIZE, _PLACE = 0.12, 0.15, 0.1, 0.06


class SmallNetwork:
    """Three convolutions of 16, 32 and 64 channels, dropout, one dense layer.

    Args:
        classes: int.
        seed: int; determines the weights, the order of the pictures and their augmentation.
    """

    def __init__(self, classes, *, seed):
        tf.keras.utils.set_random_seed(seed)
        layers = tf.keras.layers
        self._model = tf.keras.Sequential(
            [
                tf.keras.Input([SIDE_PX, SIDE_PX, 1]),
                layers.Conv2D(16, 3, padding='same', activation='relu'),
                layers.MaxPool2D(),
                layers.Conv2D(32, 3, padding='same', activation='relu'),
                layers.MaxPool2D(),
                layers.Conv2D(64, 3, padding='same', activation='relu'),
                layers.MaxPool2D(),
                layers.Flatten(),
                layers.Dropout(0.4),
                layers.Dense(classes),
            ]
        )
        self._rng = np.random.default_rng(seed)
        self._logits = tf.function(
            lambda pictures: self._model(pictures, training=False),
            input_signature=[tf.TensorSpec([None, SIDE_PX, SIDE_PX, 1])],
        )

    def train(self, pictures, labels, *, steps):
        """Adam on batches of 64, the rate falling along a cosine.

        Args:
            pictures: uint8 [N, SIDE_PX, SIDE_PX], 255 = ink.
            labels: int [N].
            steps: int.

        Returns:
            SmallNetwork, itself.

        Raises:
            FloatingPointError: the loss is not finite; names the step.
        """
        optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(_RATE, steps))
        model, variables = self._model, self._model.trainable_variables

        @tf.function
        def step(batch, maps, target):
            batch = tf.raw_ops.ImageProjectiveTransformV3(
                images=_scaled(batch),
                transforms=maps,
                output_shape=[SIDE_PX, SIDE_PX],
                fill_value=0.0,
                interpolation='BILINEAR',
                fill_mode='CONSTANT',
            )
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, model(batch, training=True))
                loss = tf.reduce_mean(losses)
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

        order = np.zeros(0, int)
        for number in range(steps):
            while len(order) < _BATCH:
                order = np.concatenate([order, self._rng.permutation(len(pictures))])
            rows, order = order[:_BATCH], order[_BATCH:]
            loss = step(pictures[rows], affine_maps(self._rng, _BATCH), np.asarray(labels[rows], np.int32))
            if number % 50 == 0 and not np.isfinite(loss):
                raise FloatingPointError(f'step {number}: the loss is {float(loss)}')
        return self

    def save(self, path):
        """Writes the weights, an .npz."""
        np.savez_compressed(path, *[variable.numpy() for variable in self._model.weights])

    def load(self, path):
        """Takes the weights that a network of as many classes wrote; returns itself."""
        with np.load(path) as archive:
            self._model.set_weights([archive[name] for name in archive.files])
        return self

    def logits(self, pictures):
        """float32 [N, classes] of uint8 [N, SIDE_PX, SIDE_PX], 255 = ink."""
        return np.concatenate(
            [self._logits(_scaled(pictures[i : i + 500])).numpy() for i in range(0, len(pictures), 500)]
        )


def _scaled(pictures):
    """float32 [N, H, W, 1], ink about 1."""
    return tf.cast(pictures, tf.float32)[..., None] / 255.0


def affine_maps(rng, count):
    """float32 [count, 8]: random maps of the augmentation, from the result to the picture, about its
    middle.
    """
    turn, shear = rng.uniform(-_TURN, _TURN, count), rng.uniform(-_SHEAR, _SHEAR, count)
    size = np.exp(rng.uniform(-_SIZE, _SIZE, [2, count]))
    a, b = size[0] * np.cos(turn), size[0] * (shear * np.cos(turn) - np.sin(turn))
    c, d = size[1] * np.sin(turn), size[1] * (shear * np.sin(turn) + np.cos(turn))
    middle = (SIDE_PX - 1) / 2
    x, y = middle + rng.uniform(-_PLACE, _PLACE, [2, count]) * SIDE_PX
    zeros = np.zeros(count)
    return np.stack([a, b, x - (a + b) * middle, c, d, y - (c + d) * middle, zeros, zeros], 1).astype(
        np.float32
    )
