"""Windows: the pieces in which a line is computed, anchored at absolute character indices."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import EncodedText
from hwgen.inference import styles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class LineToWrite(NamedTuple):
    """One line to write.

    Attributes:
        encoded: its codes.
        style: float32 [Z].
        seed: int, what its noise is drawn from.
        offset: int, index of the first character's noise.
        truncation: float, standard deviation of its noise.
    """

    encoded: EncodedText
    style: np.ndarray
    seed: int
    offset: int
    truncation: float

    @property
    def length(self) -> int:
        """Characters."""
        return len(self.encoded.units)


class Window(NamedTuple):
    """Characters start .. stop - 1 of a line, computed from first .. last - 1."""

    line: LineToWrite
    start: int
    stop: int
    first: int
    last: int

    def own_part(
        self, image: np.ndarray, advances: np.ndarray, *, char_width_px: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """What was computed, without the context.

        Args:
            image: float32 [H, (last - first) * char_width_px or more].
            advances: float32 [last - first or more].
            char_width_px: int.

        Raises:
            ValueError: values that are not finite.
        """
        left, own = self.start - self.first, self.stop - self.start
        image = image[:, left * char_width_px : (left + own) * char_width_px]
        advances = advances[left : left + own]
        if not (np.isfinite(image).all() and np.isfinite(advances).all()):
            raise ValueError(
                f'characters {self.start} to {self.stop - 1} of a line: the model gives values that are not'
                ' finite; expected weights of a training that ended well'
            )
        return image, advances


def lines_to_write(
    texts: Sequence[str],
    style_seeds: int | Sequence[int] | np.ndarray,
    given: ArrayLike | None,
    *,
    truncation: float,
    noise_offsets: int | Sequence[int],
    quotes_before: int | Sequence[int],
    encode: Callable[..., EncodedText],
    styles_of: Callable[[np.ndarray], np.ndarray],
    style_dim: int,
) -> list[LineToWrite]:
    """The lines that a call of `Writer.write` asks for; arguments and errors as there.

    Args:
        texts: of the lines.
        style_seeds, truncation, noise_offsets, quotes_before: see `Writer.write`.
        given: its `styles`.
        encode: see `Writer.encode`.
        styles_of: function of seeds, their styles.
        style_dim: int, numbers of a style.
    """
    seeds = styles.seeds_of_lines(style_seeds, len(texts))
    if not texts:
        return []
    if given is None:
        given = styles_of(seeds)
    vectors = np.asarray(given, np.float32)
    vectors = np.tile(vectors, [len(texts), 1]) if vectors.ndim == 1 else vectors
    if vectors.shape != (len(texts), style_dim) or len(seeds) != len(texts):
        raise ValueError(
            f'{len(texts)} texts, {len(seeds)} style seeds, styles of shape {vectors.shape}: expected one '
            f'seed and one style of {style_dim} numbers for each text'
        )
    if not np.isfinite(vectors).all():
        raise ValueError('styles: expected finite numbers')
    offsets = np.broadcast_to(noise_offsets, [len(texts)])
    styles.check_truncation(truncation)
    quotes = np.broadcast_to(quotes_before, [len(texts)])
    return [
        LineToWrite(encode(text, quotes_before=int(before)), style, int(seed), int(offset), truncation)
        for text, style, seed, offset, before in zip(texts, vectors, seeds, offsets, quotes, strict=True)
    ]


def windows_of(line: LineToWrite, window_characters: int, *, context: int) -> Iterator[Window]:
    """The windows of a line, in their order.

    Args:
        line: the line.
        window_characters: characters of each, but for the last.
        context: characters on either side that can change a window's pixels.
    """
    for start in range(0, line.length, window_characters):
        stop = min(start + window_characters, line.length)
        yield Window(line, start, stop, max(start - context, 0), min(stop + context, line.length))


def inputs_of(
    windows: Sequence[Window], num_lines: int, num_characters: int, noise_dim: int
) -> tuple[Characters, tf.Tensor, tf.Tensor]:
    """What a generator takes for windows, as `num_lines` lines of `num_characters`, blank ones behind them.

    Returns:
        Characters; float32 [num_lines, Z], styles; float32 [num_lines, num_characters, D], noise.
    """
    characters = Characters.stack(
        [line.encoded.characters.part(first, last) for line, _, _, first, last in windows],
        num_lines=num_lines,
        num_characters=num_characters,
    )
    style = np.zeros([num_lines, len(windows[0].line.style)], np.float32)
    noise = np.zeros([num_lines, num_characters, noise_dim], np.float32)
    for row, (line, _, _, first, last) in enumerate(windows):
        style[row] = line.style
        noise[row, : last - first] = styles.character_noise(
            line.seed,
            line.offset + first,
            line.offset + last,
            character_noise_dim=noise_dim,
            truncation=line.truncation,
        )
    return tf.nest.map_structure(tf.constant, (characters, style, noise))


def batched(iterable: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items, the last one perhaps shorter (itertools.batched, which Python 3.11 does not
    have).
    """
    iterator = iter(iterable)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
