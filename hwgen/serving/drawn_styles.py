"""Style vectors and character noise in the graph: the numbers of `hwgen.inference.styles`, from the same
seeds.

TensorFlow's Philox gives the same random bits; the normal numbers agree to the last bit or two of a float32,
where the logarithm and the cosine of another library round differently.
"""

import math

import tensorflow as tf

from hwgen.inference.styles import CHARACTER_STREAM, STYLE_STREAM

_PHILOX = 1  # StatelessRandomUniformFullIntV2's number of the algorithm


def normals(seed: tf.Tensor, count: tf.Tensor, *, stream: int) -> tf.Tensor:
    """Standard normal numbers of a seed: `hwgen.inference.styles.normals` of the counters 0, 1, ...

    Args:
        seed: int64 scalar; a negative one stands for itself + 2^64.
        count: int32 scalar, blocks of four.
        stream: int, upper half of the counter.

    Returns:
        float32 [count, 4].
    """
    bits = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=[count, 4],
        key=tf.bitcast(tf.reshape(seed, [1]), tf.uint64),
        counter=tf.constant([0, stream], tf.uint64),
        alg=_PHILOX,
        dtype=tf.uint32,
    )
    uniform = (tf.cast(bits, tf.float64) + 0.5) / 2.0**32
    radius = tf.sqrt(-2.0 * tf.math.log(uniform[:, 0::2]))
    angle = 2.0 * math.pi * uniform[:, 1::2]
    pairs = tf.stack([radius * tf.cos(angle), radius * tf.sin(angle)], axis=-1)  # count x 2 pairs x 2
    return tf.cast(tf.reshape(pairs, [count, 4]), tf.float32)


def style_of_seed(seed: tf.Tensor, style_dim: int) -> tf.Tensor:
    """Standard normal numbers that a style is drawn from. int64 scalar -> float32 [style_dim]."""
    return tf.reshape(normals(seed, -(-style_dim // 4), stream=STYLE_STREAM), [-1])[:style_dim]


def character_noise(seed: tf.Tensor, num_characters: tf.Tensor, *, character_noise_dim: int) -> tf.Tensor:
    """Noise of a line's characters at truncation 1.

    Args:
        seed: int64 scalar.
        num_characters: int32 scalar, N.
        character_noise_dim: int, D, numbers of a character.

    Returns:
        float32 [N, D].
    """
    blocks = -(-character_noise_dim // 4)
    values = normals(seed, num_characters * blocks, stream=CHARACTER_STREAM)
    # (N blocks) x 4 -> N x (blocks 4) -> N x D
    return tf.reshape(values, [num_characters, 4 * blocks])[:, :character_noise_dim]
