"""A small network that learns what a picture of a character is: what pictures are worth that teach it."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from hwgen.evaluation.measuring.character_pictures import SIDE_PX

_CHANNELS = {32: (16, 32, 64), 64: (8, 16, 32, 64)}  # of the convolutions, by the side of the pictures, px
_BATCH = 64
_RATE = 2e-3
# Of the augmentation, an affine map drawn anew for each picture: turn and shear in radians, size and place
# relative.
_TURN, _SHEAR, _SIZE, _PLACE = 0.12, 0.15, 0.1, 0.06


class SmallNetwork:
    """Convolutions that halve the picture down to 4 px (of 32 px three, of 16, 32 and 64 channels; of 64 px
    one of 8 before them), dropout, one dense layer.

    Args:
        classes: int.
        seed: int; determines the weights, the order of the pictures and their augmentation.
        side_px: int, of the pictures: 32 or 64.
    """

    def __init__(self, classes: int, *, seed: int, side_px: int = SIDE_PX):
        tf.keras.utils.set_random_seed(seed)
        layers = tf.keras.layers
        convolutions = []
        for channels in _CHANNELS[side_px]:
            convolutions += [
                layers.Conv2D(channels, 3, padding='same', activation='relu'),
                layers.MaxPool2D(),
            ]
        self._side_px = side_px
        self._model = tf.keras.Sequential(
            [
                tf.keras.Input([side_px, side_px, 1]),
                *convolutions,
                layers.Flatten(),
                layers.Dropout(0.4),
                layers.Dense(classes),
            ]
        )
        self._rng = np.random.default_rng(seed)
        self._logits = tf.function(
            lambda pictures: self._model(pictures, training=False),
            input_signature=[tf.TensorSpec([None, side_px, side_px, 1])],
        )

    def train(self, pictures: np.ndarray, labels: np.ndarray, *, steps: int) -> SmallNetwork:
        """Adam on batches of 64, the rate falling along a cosine.

        Args:
            pictures: uint8 [N, side_px, side_px], 255 = ink.
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
                output_shape=[self._side_px, self._side_px],
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
            loss = step(
                pictures[rows],
                affine_maps(self._rng, _BATCH, side_px=self._side_px),
                np.asarray(labels[rows], np.int32),
            )
            if number % 50 == 0 and not np.isfinite(loss):
                raise FloatingPointError(f'step {number}: the loss is {float(loss)}')
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the weights, an .npz."""
        np.savez_compressed(path, *[variable.numpy() for variable in self._model.weights])

    def load(self, path: str | os.PathLike[str]) -> SmallNetwork:
        """Takes the weights that a network of as many classes wrote; returns itself."""
        with np.load(path) as archive:
            self._model.set_weights([archive[name] for name in archive.files])
        return self

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """float32 [N, classes] of uint8 [N, side_px, side_px], 255 = ink."""
        return np.concatenate(
            [self._logits(_scaled(pictures[i : i + 500])).numpy() for i in range(0, len(pictures), 500)]
        )


def _scaled(pictures):
    """float32 [N, H, W, 1], ink about 1."""
    return tf.cast(pictures, tf.float32)[..., None] / 255.0


def affine_maps(rng: np.random.Generator, count: int, *, side_px: int = SIDE_PX) -> np.ndarray:
    """float32 [count, 8]: random maps of the augmentation, from the result to the picture, about its
    middle.
    """
    turn, shear = rng.uniform(-_TURN, _TURN, count), rng.uniform(-_SHEAR, _SHEAR, count)
    size = np.exp(rng.uniform(-_SIZE, _SIZE, [2, count]))
    a, b = size[0] * np.cos(turn), size[0] * (shear * np.cos(turn) - np.sin(turn))
    c, d = size[1] * np.sin(turn), size[1] * (shear * np.sin(turn) + np.cos(turn))
    middle = (side_px - 1) / 2
    x, y = middle + rng.uniform(-_PLACE, _PLACE, [2, count]) * side_px
    zeros = np.zeros(count)
    return np.stack([a, b, x - (a + b) * middle, c, d, y - (c + d) * middle, zeros, zeros], 1).astype(
        np.float32
    )
