"""Hand file: the hand that `imitate` read from pictures of lines, as a small file. Without TensorFlow.

A style is a place in the space of one generator and means nothing to another; so the file says which one it
was read with, by the digest of its weights, and for a server, whose weights nobody sees, by the hand that
seed 0 draws there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from hwgen import files
from hwgen.charset.printable import printable

FORMAT = 1
KIND = 'hwgen hand'
COUNTED = ('labels', 'shape')  # where the numbers of characters came from
MAX_BYTES = 1 << 20  # one of 64 numbers has 5 kB
PROBE_SEED = 0
PROBE_TOLERANCE = 1e-3  # graphs round differently; between two models seed 0 differs by tenths
_EXPECTED = 'expected a hand that `imitate` saved'
_VECTORS = ('style', 'average', 'probe')


class HandError(ValueError):
    """No hand file, a damaged or foreign one, or one of another model; the message names it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Hand:
    """A hand, and where it is from.

    Attributes:
        style: float32 [Z], the style vector.
        average: float32 [Z], the model's average hand, which a server moves styles towards.
        probe: float32 [Z], the hand that the model draws from seed 0 at truncation 1.
        digest: of the generator (`Writer.digest`).
        lines, characters: what it was read from.
        counted: 'labels' or 'shape': how the characters of each line were counted.
        name: what tables call it: that of its file, without folder and suffix. Not stored.
        path: its file, for messages; '': none, then they say its name. Not stored.
    """

    style: np.ndarray
    average: np.ndarray
    probe: np.ndarray
    digest: str
    lines: int
    characters: int
    counted: str
    name: str = 'hand'
    path: str = ''

    def check_model(self, digest: str) -> None:
        """Refuses another model than the hand was read with.

        Args:
            digest: of the generator that shall write.

        Raises:
            HandError: it is another one.
        """
        if digest != self.digest:
            raise HandError(
                f'{self.path or self.name}: a hand of another model (weights {self.digest[:12]},'
                f' here {digest[:12]}): expected one that was read with this model, or --model with the one'
                ' that it was read with; `imitate` reads it anew'
            )

    def check_probe(self, drawn: np.ndarray) -> None:
        """Refuses a server of another model than the hand was read with.

        Args:
            drawn: float32 [Z'], the hand that the server draws from seed 0 (signature `styles`).

        Raises:
            HandError: it is another one.
        """
        same = drawn.shape == self.probe.shape and np.allclose(drawn, self.probe, atol=PROBE_TOLERANCE)
        if not same:
            raise HandError(
                f'{self.path or self.name}: a hand of another model than the server has (they draw seed'
                f' {PROBE_SEED} differently): expected one that was read with the model that was exported'
            )

    def before_truncation(self, truncation: float) -> np.ndarray:
        """The style that a server makes this hand of, which moves what it gets towards the average hand.

        Args:
            truncation: above 0; the share of the distance from the average that the server leaves.

        Returns:
            float32 [Z].
        """
        style, average = (values.astype(np.float64) for values in (self.style, self.average))
        return (average + (style - average) / truncation).astype(np.float32)


def digest_of(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of a generator's weights, as float32 in their order."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array, np.float32).tobytes())
    return found.hexdigest()


def save_hand(path: str | os.PathLike[str], hand: Hand, *, replace: bool = True) -> None:
    """Writes a hand file, whole or not at all.

    Args:
        path: of the file.
        hand: what is written.
        replace: whether a file that is there is replaced.

    Raises:
        OSError: naming the file.
    """
    stored: dict[str, Any] = {'kind': KIND, 'format': FORMAT, **dataclasses.asdict(hand)}
    del stored['name'], stored['path']
    for name in _VECTORS:
        stored[name] = [float(number) for number in stored[name]]
    files.write_file(path, (json.dumps(stored, indent=1) + '\n').encode(), replace=replace)


def load_hand(path: str | os.PathLike[str]) -> Hand:
    """Reads a hand file.

    Args:
        path: of the file.

    Raises:
        HandError: none there, or what is there is no hand, of another format, or damaged; names the file.
    """
    name = printable(path)
    try:
        if not os.path.isfile(path):
            there = 'is no file' if os.path.exists(path) else 'no such file'
            raise HandError(f'{name}: {there}; {_EXPECTED}')
        if os.path.getsize(path) > MAX_BYTES:
            raise HandError(f'{name}: {os.path.getsize(path):,} bytes; {_EXPECTED}, of a few thousand')
        with open(path, encoding='utf-8') as file:
            stored = json.load(file)
    except (ValueError, RecursionError, OSError) as error:
        if isinstance(error, HandError):
            raise
        why = error.strerror if isinstance(error, OSError) else 'no JSON in UTF-8'
        raise HandError(f'{name}: {why}; {_EXPECTED}') from None
    if not isinstance(stored, dict) or stored.get('kind') != KIND:
        raise HandError(f'{name}: not a hand; {_EXPECTED}')
    if stored.get('format') != FORMAT:
        raise HandError(f'{name}: format {stored.get("format")!r} of hands, expected {FORMAT}')
    try:
        return _of_stored(stored, path=name)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        reason = f'no {error}' if isinstance(error, KeyError) else error
        raise HandError(f'{name}: a damaged hand: {reason}; {_EXPECTED}') from None


def _of_stored(stored: dict[str, Any], *, path: str) -> Hand:
    """The contents of a file -> Hand; raises ValueError, KeyError or TypeError where they are none."""
    vectors = {}
    for vector in _VECTORS:
        with np.errstate(over='ignore'):
            values = np.array(stored[vector], np.float64).astype(np.float32)
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise ValueError(f'{vector} is no list of finite numbers')
        vectors[vector] = values
    if len({values.size for values in vectors.values()}) > 1:
        sizes = ', '.join(f'{vector} {values.size}' for vector, values in vectors.items())
        raise ValueError(f'numbers of values differ ({sizes})')
    digest, counted = stored['digest'], stored['counted']
    if not isinstance(digest, str) or counted not in COUNTED:
        raise ValueError(f'digest {digest!r}, counted {counted!r}')
    lines, characters = stored['lines'], stored['characters']
    if type(lines) is not int or type(characters) is not int or not 1 <= lines <= characters:
        raise ValueError(f'lines {lines!r}, characters {characters!r}')
    name = os.path.splitext(os.path.basename(path))[0]
    return Hand(
        **vectors,
        digest=digest,
        lines=lines,
        characters=characters,
        counted=counted,
        name=name,
        path=path,
    )
