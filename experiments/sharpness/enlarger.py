"""Trains the network that enlarges lines (`hwgen/inference/enlargement.py`) on the simulated writers' own
lines, drawn at 256 px, against the same lines scaled down:

  prepare --out=tfrecords/fine --lines=800 --heldout_lines=100 --writers=200 --vocabulary=3500 \
      --max_characters=6 --seed=11 --height_px=256
  python -m experiments.sharpness.enlarger --data=tfrecords/fine --out=saved_models/enlarger
"""

import argparse
import json
import os
import time

import keras
import numpy as np
import tensorflow as tf

import hwgen
from hwgen import files
from hwgen.data.reading.shards import RecordIndex
from hwgen.inference.enlargement import FACTOR, WEIGHTS

SIZES = (5, 3, 3, 3, 3)  # of the kernels
PIECE_PX = 28  # a piece that is given back, before it is enlarged
BATCH = 12
_HALF = 0.35  # of the pieces are of lines of half the height
_BETWEEN, _BLURRED = 0.4, 0.4  # are resampled between pixels, are blurred


def pieces(lines, halves, rng, *, reach, num):
    """Pieces of lines, small and large.

    A small one is what a writer of that height could give: the mean over areas, for some of them between
    the pixels (as a bend resamples them), some blurred a little, in uint8.

    Args:
        lines: list of uint8 [H, W]; halves: the same, half as high.
        rng: numpy Generator.
        reach: int, pixels around a piece that the network sees.
        num: int.

    Returns:
        float32 [num, PIECE_PX + 2 reach, PIECE_PX + 2 reach, 1], ink of the small ones; float32
        [num, FACTOR PIECE_PX, FACTOR PIECE_PX, 1], that of the large ones.
    """
    small_px = PIECE_PX + 2 * reach
    small, large = [], []
    while len(small) < num:
        line = (halves if rng.random() < _HALF else lines)[rng.integers(len(lines))]
        margin = 3  # small pixels, for the blur and the places between pixels
        size = FACTOR * (small_px + 2 * margin)
        edge = FACTOR * (reach + margin)
        line = np.pad(line, edge, constant_values=255)
        down, right = (rng.integers(0, side - size + 1) if side > size else 0 for side in line.shape)
        piece = 1 - line[down : down + size, right : right + size].astype(np.float32) / 255
        if piece.shape != (size, size) or piece.max() < 0.1:
            continue
        low = piece.reshape(size // FACTOR, FACTOR, size // FACTOR, FACTOR).mean((1, 3))
        shift = rng.integers(0, FACTOR, 2) if rng.random() < _BETWEEN else (0, 0)
        for axis, quarter in enumerate(shift):
            low = low + (np.roll(low, -1, axis) - low) * np.float32(quarter / FACTOR)
        if rng.random() < _BLURRED:
            low = blurred(low, rng.uniform(0.2, 0.6))
        low = np.rint(low[margin:-margin, margin:-margin] * 255) / 255
        top, left = (FACTOR * (margin + reach) + quarter for quarter in shift)
        small.append(low)
        large.append(piece[top : top + FACTOR * PIECE_PX, left : left + FACTOR * PIECE_PX])
    return (
        np.stack(small)[..., np.newaxis].astype(np.float32),
        np.stack(large)[..., np.newaxis].astype(np.float32),
    )


def halved(line):
    """Half as high: uint8 [H, W] -> uint8 [H // 2, W // 2]."""
    height, width = (side // 2 * 2 for side in line.shape)
    parts = line[:height, :width].reshape(height // 2, 2, width // 2, 2).astype(np.float32)
    return np.rint(parts.mean((1, 3))).astype(np.uint8)


def blurred(ink, deviation):
    """By a normal distribution of three pixels: float32 [H, W]."""
    side = np.exp(-0.5 / deviation**2)
    for axis in (0, 1):
        ink = (ink + side * (np.roll(ink, 1, axis) + np.roll(ink, -1, axis))) / (1 + 2 * side)
    return ink.astype(np.float32)


def network(channels):
    """The network as `Enlarger.sharpen` computes it."""
    filters = [*channels, FACTOR**2]
    return keras.Sequential(
        [keras.Input([None, None, 1])]
        + [
            keras.layers.Conv2D(
                number,
                size,
                use_bias=False,
                activation='relu' if i < len(filters) - 1 else None,
                kernel_initializer='he_normal' if i < len(filters) - 1 else 'zeros',
            )
            for i, (number, size) in enumerate(zip(filters, SIZES, strict=True))
        ]
    )


def losses(found, wanted, *, slopes):
    """Mean absolute error of pixels, and of the differences between neighbours."""
    pixels = tf.reduce_mean(tf.abs(found - wanted))
    edges = sum(
        tf.reduce_mean(tf.abs(a - b))
        for a, b in zip(tf.image.image_gradients(found), tf.image.image_gradients(wanted), strict=True)
    )
    return pixels + slopes * edges, pixels


def parse(arguments=None):
    """The arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--data', required=True, help='Records of 256 px.')
    parser.add_argument('--out', required=True, help='Folder to write.')
    parser.add_argument('--steps', type=int, default=6000, help='Steps of 12 pieces.')
    parser.add_argument('--seed', type=int, default=1, help='Of weights and pieces.')
    parser.add_argument(
        '--rate', type=float, default=0.002, help="Adam's, falling to nothing as a half cosine."
    )
    parser.add_argument(
        '--slopes', type=float, default=1.0, help='Weight of the differences between neighbours in the loss.'
    )
    parser.add_argument(
        '--channels', type=int, nargs='+', default=[32, 32, 32, 24], help='Of the convolutions but the last.'
    )
    return parser.parse_args(arguments)


def main(given):
    """Trains, and writes the folder."""
    seed, steps = given.seed, given.steps
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    rng = np.random.default_rng(seed)
    index = RecordIndex(given.data, split='train')
    lines = [index.read_record(i).image for i in range(len(index))]
    halves = [halved(line) for line in lines]
    model = network(given.channels)
    reach = sum(size // 2 for size in SIZES)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(given.rate, steps))

    @tf.function
    def step(small, large):
        with tf.GradientTape() as tape:
            base = small[:, reach : reach + PIECE_PX, reach : reach + PIECE_PX]
            found = tf.nn.depth_to_space(model(small, training=True) + base, FACTOR)
            loss, pixels = losses(found, large, slopes=given.slopes)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss, pixels

    began, recent = time.monotonic(), []
    for number in range(1, steps + 1):
        recent.append([float(value) for value in step(*pieces(lines, halves, rng, reach=reach, num=BATCH))])
        if number % 250 == 0 or number == steps:
            loss, pixels = np.mean(recent, axis=0)
            spent = time.monotonic() - began
            print(f'step {number}/{steps}, loss {loss:.5f}, pixels {pixels:.5f}, {spent:.0f} s', flush=True)
            recent = []
    card = dict(
        purpose='enlarges lines of handwriting four times, for --height_px',
        data={name: index.info[name] for name in ('source', 'version', 'seed', 'settings')},
        licence='Apache-2.0; learned from the embedded corpus alone (docs/scribe.md, sources and licences)',
        command='python -m experiments.sharpness.enlarger --data=tfrecords/fine --out=saved_models/enlarger',
        steps=steps,
        seed=seed,
        slopes=given.slopes,
        version=hwgen.__version__,
        minutes=round((time.monotonic() - began) / 60, 1),
    )
    with files.new_folder(os.path.abspath(given.out)) as folder:
        kernels = {f'kernel_{i}': v.numpy().astype(np.float16) for i, v in enumerate(model.variables)}
        np.savez_compressed(os.path.join(folder, WEIGHTS), **kernels)
        files.write_json(os.path.join(folder, 'enlarger.json'), json.loads(json.dumps(card)))


if __name__ == '__main__':
    main(parse())
