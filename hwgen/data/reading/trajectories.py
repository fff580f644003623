"""The path of a pen along a line, as records store it: fixed point, differences from sample to sample,
zlib.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

# x px, y px, time s, pen, pressure: a stored whole number counts this part of the unit. Powers of two, so
# that what was read is stored again bit for bit.
# An error of half a part: 1/128 px, 61 us, 1/2048; beyond 2^24 parts (262,144 px; 2,048 s) float32 itself is
# coarser.
PARTS = np.array([64, 64, 8192, 1024, 1024], np.float64)
_LIMIT = 1 << 30  # parts; a difference of two still fits into int32
MAX_SAMPLES = 1 << 22  # what a damaged or hostile record may claim: 80 MiB


def encode_trajectory(trajectory: np.ndarray) -> bytes:
    """Bytes of a trajectory.

    Args:
        trajectory: float [T, 5]: x px, y px, time s, pen 0..1 (1 = on paper), pressure 0..1.

    Returns:
        bytes; b'' for T = 0.

    Raises:
        ValueError: another shape, more than MAX_SAMPLES, or a value that is not finite or out of range; names
            the sample.
    """
    trajectory = np.asarray(trajectory, np.float64)
    if trajectory.ndim != 2 or trajectory.shape[1] != len(PARTS):
        raise ValueError(f'trajectory {list(trajectory.shape)}, expected [T, {len(PARTS)}]')
    if len(trajectory) > MAX_SAMPLES:
        raise ValueError(f'trajectory of {len(trajectory)} samples, expected at most {MAX_SAMPLES}')
    limits = _LIMIT / PARTS
    wrong = ~(np.abs(trajectory) < limits)  # NaN too
    wrong[:, 3:] |= (trajectory[:, 3:] < 0) | (trajectory[:, 3:] > 1)
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        expected = '0 to 1' if column > 2 else f'less than {limits[column]:.0f} in size'
        raise ValueError(
            f'trajectory, sample {row}, {("x", "y", "time", "pen", "pressure")[column]}:'
            f' {trajectory[row, column]}, expected {expected}'
        )
    return _packed(np.rint(trajectory * PARTS).astype('<i4'))


def decode_trajectory(data: bytes) -> np.ndarray:
    """The trajectory of `encode_trajectory`'s bytes.

    Args:
        data: bytes.

    Returns:
        float32 [T, 5].

    Raises:
        ValueError: damaged, too large, or no whole number of samples; or pen or pressure beyond 0..1.
    """
    trajectory = _unpacked(data, len(PARTS), 'trajectory') / PARTS
    if trajectory[:, 3:].size and not 0 <= trajectory[:, 3:].min() <= trajectory[:, 3:].max() <= 1:
        raise ValueError(
            f'trajectory: pen and pressure from {trajectory[:, 3:].min()} to {trajectory[:, 3:].max()},'
            ' expected 0 to 1'
        )
    return trajectory.astype(np.float32)


def encode_slots(slots: np.ndarray) -> bytes:
    """Bytes of int [T], see `LineRecord.trajectory_slots`; b'' for T = 0."""
    return _packed(np.asarray(slots).astype('<i4')[:, None])


def decode_slots(data: bytes) -> np.ndarray:
    """int32 [T] of `encode_slots`' bytes.

    Raises:
        ValueError: damaged, or too large.
    """
    return _unpacked(data, 1, 'trajectory_slots')[:, 0]


def _packed(rows):
    return zlib.compress(np.diff(rows, axis=0, prepend=rows[:1] * 0).tobytes()) if len(rows) else b''


def _unpacked(data, columns, name):
    """int32 [T, columns]; sums wrap around, so that no bytes are an error of arithmetic."""
    if not data:
        return np.zeros([0, columns], np.int32)
    row_bytes = 4 * columns
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(data, MAX_SAMPLES * row_bytes + 1)
    except zlib.error as error:
        raise ValueError(f'{name}: {len(data)} bytes that zlib does not read ({error})') from error
    if len(raw) > MAX_SAMPLES * row_bytes:
        raise ValueError(f'{name}: more than {MAX_SAMPLES} samples, expected at most so many')
    if not stream.eof or stream.unused_data:
        raise ValueError(
            f'{name}: {len(data)} bytes, expected'
            f' {"more (truncated)" if not stream.eof else "nothing after the end"}'
        )
    if len(raw) % row_bytes:
        raise ValueError(f'{name}: {len(raw)} bytes of samples, expected a multiple of {row_bytes}')
    return np.cumsum(np.frombuffer(raw, '<i4').reshape(-1, columns), axis=0, dtype=np.int32)


def parse_trajectory(data: tf.Tensor) -> tf.Tensor:
    """`decode_trajectory` in a TensorFlow graph; checks nothing but that zlib reads it.

    Args:
        data: string scalar tensor.

    Returns:
        float32 [T, 5].
    """
    import tensorflow as tf

    return tf.cast(tf.cast(_parsed(data, len(PARTS)), tf.float64) / PARTS, tf.float32)


def parse_slots(data: tf.Tensor) -> tf.Tensor:
    """`decode_slots` in a TensorFlow graph: int32 [T]."""
    return _parsed(data, 1)[:, 0]


def _parsed(data, columns):
    import tensorflow as tf

    raw = tf.cond(tf.strings.length(data) > 0, lambda: tf.io.decode_compressed(data, 'ZLIB'), lambda: data)
    return tf.cumsum(tf.reshape(tf.io.decode_raw(raw, tf.int32), [-1, columns]))
