"""Enlargement: lines made larger than a model writes them, with strokes as sharp as a pen's.

Interpolation makes an edge as many times as wide as the picture. What a small network knows of strokes makes
it a pixel wide again: five convolutions without biases over the ink of a place and six pixels around it give
4 x 4 pixels for each one. Without biases paper stays paper, exactly, and pale ink is treated as dark ink is
(Mohan et al. 2020, "Robust and Interpretable Blind Image Denoising via Bias-Free Convolutional Neural
Networks"); the 4 x 4 pixels are Shi et al. 2016 (sub-pixel convolution). NumPy alone: it needs no
TensorFlow. `experiments/sharpness/enlarger.py` trains it.

A picture is computed in tiles of one size that begin at its upper left corner, each with the pixels around it
that it depends on: so memory does not grow with a line, and its bytes do not depend on the pieces in which it
comes.
"""

from __future__ import annotations

import functools
import itertools
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hwgen.settings.resources import resource_path

FACTOR = 4  # of one pass
SHIPPED = 'saved_models/enlarger'
WEIGHTS = 'weights.npz'
PAPER = 255
_TILE_LINES = 4  # columns of a tile, in heights of a line


class EnlargerError(ValueError):
    """Weights that are missing, damaged or of another network; the message names the file."""


class Enlarger:
    """Enlarges pictures of writing.

    Args:
        kernels: float32 [k, k, in, out] of each convolution, k odd; the first one reads 1 channel, the last
            one gives FACTOR * FACTOR.

    Attributes:
        reach: int, pixels on every side that a pixel depends on.
    """

    def __init__(self, kernels: Sequence[np.ndarray]):
        self._kernels = [np.ascontiguousarray(kernel, np.float32) for kernel in kernels]
        self.reach = sum(kernel.shape[0] // 2 for kernel in self._kernels)

    @classmethod
    def load(cls, folder: str | os.PathLike[str] | None = None) -> Enlarger:
        """Reads the weights of a folder; None: those that ship.

        Raises:
            EnlargerError: naming the file and what was expected.
        """
        path = os.path.join(resource_path(SHIPPED) if folder is None else folder, WEIGHTS)
        try:
            with np.load(path, allow_pickle=False) as stored:
                kernels = [stored[f'kernel_{i}'] for i in range(len(stored.files))]
        except FileNotFoundError:
            raise EnlargerError(f'{path}: no such file; expected the weights that enlarge lines') from None
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise EnlargerError(f'{path}: damaged weights: {" ".join(str(error).split())}') from None
        channels = [1, *(kernel.shape[-1] for kernel in kernels if kernel.ndim == 4)]
        shapes = [
            (size, size, *pair)
            for size, pair in zip(
                [kernel.shape[0] for kernel in kernels], itertools.pairwise(channels), strict=False
            )
        ]
        if (
            not kernels
            or [kernel.shape for kernel in kernels] != shapes
            or channels[-1] != FACTOR**2
            or not all(kernel.shape[0] % 2 and np.isfinite(kernel).all() for kernel in kernels)
        ):
            raise EnlargerError(
                f'{path}: kernels of shapes {[kernel.shape for kernel in kernels]}; expected finite ones, odd'
                f' in size, from 1 channel to {FACTOR**2}'
            )
        return cls(kernels)

    @property
    def num_parameters(self) -> int:
        """Weights."""
        return sum(kernel.size for kernel in self._kernels)

    def enlarge(self, image: np.ndarray, height_px: int, *, line_px: int | None = None) -> np.ndarray:
        """A picture with larger lines.

        Args:
            image: uint8 [H, W], 255 = paper.
            height_px: int >= line_px, height of a line in what is returned.
            line_px: int, height of a line in the image; None: the image is one line.

        Returns:
            uint8 [round(H * height_px / line_px), round(W * height_px / line_px)].
        """
        line_px = image.shape[0] if line_px is None else line_px
        return np.concatenate(list(self.in_pieces([image], height_px, line_px=line_px)), axis=1)

    def in_pieces(
        self, pieces: Iterable[np.ndarray], height_px: int, *, line_px: int | None = None
    ) -> Iterator[np.ndarray]:
        """A picture that comes in pieces from left to right, in pieces; side by side they are the whole one,
        whatever the pieces. At most one of them is without columns.

        Args:
            pieces: uint8 [H, w_i], 255 = paper.
            height_px, line_px: see `enlarge`.

        Yields:
            uint8 [H', w].
        """
        pieces = iter(pieces)
        first = next(pieces, None)
        if first is None:
            return
        line_px = first.shape[0] if line_px is None else line_px
        if height_px < line_px:
            raise ValueError(f'height_px={height_px}: expected at least {line_px}, the height of a line')
        found = itertools.chain([first], pieces)
        while height_px > FACTOR * line_px:  # as often as it takes
            found, line_px = self._pass(found, FACTOR * line_px, line_px), FACTOR * line_px
        yield from self._pass(found, height_px, line_px)

    def _pass(self, pieces, height_px, line_px):
        """`in_pieces` for at most FACTOR times the height."""
        tile, reach = _TILE_LINES * line_px, self.reach
        pending = None  # columns from `reach` before the next tile on
        done = width = 0
        for piece in pieces:
            width += piece.shape[1]
            if pending is None:
                pending = np.full((piece.shape[0], reach), PAPER, np.uint8)
            pending = np.concatenate([pending, piece], axis=1)
            while pending.shape[1] >= tile + 2 * reach:
                yield self._column(pending[:, : tile + 2 * reach], height_px, line_px)
                pending, done = pending[:, tile:], done + _TILE_LINES * height_px
        if pending is None:
            return
        size = round(width * height_px / line_px)
        while done < size:
            missing = max(tile + 2 * reach - pending.shape[1], 0)
            pending = np.pad(pending, [(0, 0), (0, missing)], constant_values=PAPER)
            yield self._column(pending[:, : tile + 2 * reach], height_px, line_px)[:, : size - done]
            pending, done = pending[:, tile:], done + _TILE_LINES * height_px

    def _column(self, strip, height_px, line_px):
        """Tiles below each other: uint8 [H, tile + 2 reach] -> uint8 [H', tile * height_px / line_px]."""
        height, reach = strip.shape[0], self.reach
        rows = -(-height // line_px)
        padded = np.pad(strip, [(reach, rows * line_px - height + reach), (0, 0)], constant_values=PAPER)
        tiles = [
            self._tile(padded[row * line_px : (row + 1) * line_px + 2 * reach], height_px)
            for row in range(rows)
        ]
        return np.concatenate(tiles)[: max(1, round(height * height_px / line_px))]

    def _tile(self, tile, height_px):
        """uint8 [h + 2 reach, w + 2 reach] -> uint8 [height_px, w * height_px / h]."""
        height, width = (size - 2 * self.reach for size in tile.shape)
        shape = (height_px, width * height_px // height)
        if tile.min() == PAPER:
            return np.full(shape, PAPER, np.uint8)
        ink = self.sharpen(np.float32(1) - tile.astype(np.float32) / np.float32(PAPER))
        if shape != ink.shape:
            ink = cv2.resize(ink, shape[::-1], interpolation=cv2.INTER_AREA)
        return np.clip(np.rint((1 - ink) * PAPER), 0, PAPER).astype(np.uint8)

    def sharpen(self, ink: np.ndarray) -> np.ndarray:
        """The network.

        Args:
            ink: float32 [h + 2 reach, w + 2 reach] in [0, 1], 0 = paper.

        Returns:
            float32 [FACTOR h, FACTOR w], in [0, 1].
        """
        x = ink[..., np.newaxis]
        for i, kernel in enumerate(self._kernels):
            if i:
                x = np.maximum(x, 0)
            x = _convolve(x, kernel)
        height, width = x.shape[:2]
        x += ink[self.reach : self.reach + height, self.reach : self.reach + width, np.newaxis]
        # h x w x (F F) -> h x F x w x F -> (h F) x (w F)
        x = x.reshape(height, width, FACTOR, FACTOR).transpose(0, 2, 1, 3)
        return np.clip(x.reshape(FACTOR * height, FACTOR * width), 0, 1)


def _convolve(x, kernel):
    """Without padding: float32 [h, w, in] -> [h - k + 1, w - k + 1, out]."""
    size, _, channels, filters = kernel.shape
    views = sliding_window_view(x, (size, size), axis=(0, 1))  # h' x w' x in x k x k
    height, width = views.shape[:2]
    columns = views.transpose(0, 1, 3, 4, 2).reshape(height * width, size * size * channels)
    return (columns @ kernel.reshape(-1, filters)).reshape(height, width, filters)


@functools.cache
def shipped() -> Enlarger:
    """The one that ships; or EnlargerError."""
    return Enlarger.load()
