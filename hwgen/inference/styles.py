"""Style vectors and character noise: normal numbers that are functions of a seed and a place, with no state.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3": Philox 4x32-10. Its block is a function of
key and counter, so the noise of character 9,000 is computed without that of the characters before it, and any
window of a line can be written alone. It is the Philox of TensorFlow (`StatelessRandomUniformFullIntV2`), bit
for bit, so that a graph computes the same numbers from the same seeds; NumPy's own is another member of the
family (4x64) and does not.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_ROUNDS = 10

STYLE_STREAM = 0  # upper half of the counter: what the numbers are for
CHARACTER_STREAM = 1
MAX_SEED = 2**64 - 1


def philox(keys: ArrayLike, counters: ArrayLike, *, stream: int) -> np.ndarray:
    """Philox 4x32-10.

    Args:
        keys: uint64 [...], the seeds.
        counters: uint64 [...], broadcast with `keys`; the lower 64 bits of the counter.
        stream: int, the upper 64 bits of the counter.

    Returns:
        uint64 [..., 4], each below 2^32.
    """
    keys, counters = np.broadcast_arrays(np.asarray(keys, np.uint64), np.asarray(counters, np.uint64))
    k0, k1 = keys & _LOW, keys >> _SHIFT
    c0, c1 = counters & _LOW, counters >> _SHIFT
    c2, c3 = (np.full_like(c0, part) for part in (stream & 0xFFFFFFFF, stream >> 32))
    for _ in range(_ROUNDS):
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (second >> _SHIFT) ^ c1 ^ k0,
            second & _LOW,
            (first >> _SHIFT) ^ c3 ^ k1,
            first & _LOW,
        )
        k0, k1 = (k0 + _KEY_STEPS[0]) & _LOW, (k1 + _KEY_STEPS[1]) & _LOW
    return np.stack([c0, c1, c2, c3], axis=-1)


def normals(keys: ArrayLike, counters: ArrayLike, *, stream: int) -> np.ndarray:
    """Standard normal numbers, four a block: Box-Muller on the pairs of a Philox block.

    Args:
        keys, counters, stream: see `philox`.

    Returns:
        float32 [..., 4], |z| below 6.8.
    """
    # in (0, 1): the log is finite
    uniform = (philox(keys, counters, stream=stream).astype(np.float64) + 0.5) / 2.0**32
    radius = np.sqrt(-2.0 * np.log(uniform[..., 0::2]))
    angle = 2.0 * np.pi * uniform[..., 1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)  # ... x 2 pairs x 2
    return pairs.reshape(*pairs.shape[:-2], 4).astype(np.float32)


def check_seeds(seeds: Any) -> np.ndarray:
    """Style seeds as uint64 [B].

    Args:
        seeds: int or sequence of int in [0, 2^64).

    Raises:
        ValueError: naming the first seed that is no integer of that range.
    """
    seeds = [seeds] if np.ndim(seeds) == 0 else list(seeds)
    for position, seed in enumerate(seeds):
        if not _is_whole(seed) or not 0 <= int(seed) <= MAX_SEED:
            raise ValueError(f'style seed {position}: {seed}: expected an integer from 0 to 2^64 - 1')
    return np.array([int(seed) for seed in seeds], np.uint64)


def seeds_of_lines(seeds: Any, num_lines: int) -> np.ndarray:
    """As `check_seeds`, with one seed for all lines repeated: uint64 [num_lines], or as many as are given."""
    checked = check_seeds(seeds)
    return np.repeat(checked, num_lines) if np.ndim(seeds) == 0 else checked


def _is_whole(number: Any) -> bool:
    try:
        return int(number) == number
    except (TypeError, ValueError, OverflowError):  # None, a text, infinity
        return False


def styles_from_seeds(seeds: Any, style_dim: int, *, truncation: float = 1.0) -> np.ndarray:
    """Style vectors of seeds.

    Args:
        seeds: int or sequence of int, B of them.
        style_dim: int, Z.
        truncation: float >= 0, standard deviation; below 1 hands come closer to the average one, 0 is that
            one.

    Returns:
        float32 [B, Z].
    """
    blocks = np.arange(-(-style_dim // 4), dtype=np.uint64)
    values = normals(check_seeds(seeds)[:, np.newaxis], blocks, stream=STYLE_STREAM)  # B x blocks x 4
    return values.reshape(len(values), -1)[:, :style_dim] * np.float32(check_truncation(truncation))


def character_noise(
    seed: int, start: int, stop: int, *, character_noise_dim: int, truncation: float = 1.0
) -> np.ndarray:
    """Noise of the characters start .. stop - 1 of a line.

    Args:
        seed: int, style seed of the line.
        start, stop: int, indices of characters in the line.
        character_noise_dim: int, D, numbers of a character.
        truncation: float >= 0, standard deviation; 0 makes all copies of a character equal but for their
            neighbours.

    Returns:
        float32 [stop - start, D]; row i depends on (seed, start + i, D) alone.
    """
    blocks = -(-character_noise_dim // 4)
    counters = np.arange(start * blocks, stop * blocks, dtype=np.uint64)
    values = normals(check_seeds(seed), counters, stream=CHARACTER_STREAM)
    # (N blocks) x 4 -> N x (blocks 4) -> N x D
    values = values.reshape(stop - start, 4 * blocks)[:, :character_noise_dim]
    return values * np.float32(check_truncation(truncation))


def check_truncation(truncation: float) -> float:
    """Returns `truncation`; raises ValueError unless it is a finite number of at least 0."""
    try:
        good = bool(np.isfinite(truncation) and truncation >= 0.0)
    except (TypeError, ValueError):  # None, a text, several numbers
        good = False
    if not good:
        raise ValueError(
            f'truncation {truncation}: expected a number of at least 0 (1 is what the model was trained with)'
        )
    return truncation


def interpolate_styles(first: ArrayLike, second: ArrayLike, *, steps: int) -> np.ndarray:
    """Styles on the great circle from one style vector to another.

    White 2016, "Sampling generative networks", section 2.1: a straight line between two normal vectors of
    many dimensions passes through lengths that the generator never saw. Differs: the length itself changes
    linearly from one end's to the other's, so that both ends are met exactly.

    Args:
        first, second: float32 [Z].
        steps: int >= 2, styles including both ends.

    Returns:
        float32 [steps, Z].

    Raises:
        ValueError: for fewer than 2 steps or vectors of different size.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(
            f'interpolation between styles of shapes {first.shape} and {second.shape}: expected two of [Z]'
        )
    if steps < 2:
        raise ValueError(f'interpolation of {steps} steps: expected at least 2, the two ends')
    t = np.linspace(0.0, 1.0, steps)[:, np.newaxis]
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    straight = (1.0 - t) * first + t * second
    if min(lengths) < 1e-6:
        return straight.astype(np.float32)
    angle = np.arccos(np.clip(first @ second / (lengths[0] * lengths[1]), -1.0, 1.0))
    if np.sin(angle) < 1e-6:  # parallel, or opposite: no one great circle
        return straight.astype(np.float32)
    directions = (
        np.sin((1.0 - t) * angle) * first / lengths[0] + np.sin(t * angle) * second / lengths[1]
    ) / np.sin(angle)
    return (directions * ((1.0 - t) * lengths[0] + t * lengths[1])).astype(np.float32)
