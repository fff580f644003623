"""Batches of real lines: chosen, read, scaled and padded as a pure function of (seed, step)."""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset, CharsetMismatchError
from hwgen.data.reading.cells import record_in_cells
from hwgen.data.reading.shards import LineIndex, RecordError, RecordIndex
from hwgen.settings.model import GeneratorSettings

if TYPE_CHECKING:
    import tensorflow as tf

_UNIFORMS_PER_BLOCK = 4096
_CHOICE, _ORDER = 1, 2  # what a random stream is for


def random_stream(*key: int) -> np.random.Generator:
    """The random numbers of a key: the same ones in every process, on every machine, wherever a run started.

    Args:
        *key: non-negative ints.

    Returns:
        np.random.Generator.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(list(key))))


class NoLineError(RecordError):
    """No line of a split has a length that is asked for."""


class LineBatch(NamedTuple):
    """B real lines with their texts, as NumPy arrays or as tensors.

    Attributes:
        images: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], paper and padding +1.
        widths: int32 [B], px.
        characters: the texts, with the boxes of their structures.
        example_index: int32 [B], 0 to B - 1: the place of each in the global batch, whatever replica reads
            it.
        step: int64 [B], the same number B times, so that a distribution strategy can split it between
            replicas like the rest; None: the lines are those of no step.
        advances: float32 [B, N], the room that each character took along the line, in heights of the line; 0
            for padding. None: not known.
    """

    images: np.ndarray | tf.Tensor
    widths: np.ndarray | tf.Tensor
    characters: Characters
    example_index: np.ndarray | tf.Tensor
    step: np.ndarray | tf.Tensor | None = None
    advances: np.ndarray | tf.Tensor | None = None


class LineBatches:
    """Batches of a split of a folder of records.

    Lines of equal length (or of a bucket of lengths) make a batch. Each bucket is an endless stream: all its
    lines in a random order, then all in another, so each line comes exactly once in every epoch of its
    bucket; the buckets take turns at random such that none lags behind its share by more than a few batches.

    Args:
        folder: path of the records.
        charset: Charset that the ids must fit.
        split: str.
        batch_size: int, the global batch.
        seed: int >= 0.
        char_px: int, height of a line in px.
        char_width_px: int, width of a character in px; None: char_px.
        layout: str, 'cells': a line as a whole is scaled to its cells; 'spaced': each character is set into
            the middle of its own cell (`spacing.space_line`).
        min_characters: int, shorter lines are left out.
        max_characters: int, longer lines are left out; None: no limit; or a function of the step, for short
            lines first.
        bucket_width: int, lengths that share a bucket; above 1 lines are padded to the bucket's longest.
        index: RecordIndex or DrawnIndex of the split, None: the former.

    Attributes:
        index: RecordIndex or DrawnIndex.
        num_characters: {bucket: N}, to how many characters the batches of a bucket are padded.

    Raises:
        RecordError: the folder cannot be read; NoLineError: no line has such a length.
        CharsetMismatchError: the records were written with another table.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        charset: Charset,
        split: str = 'train',
        batch_size: int,
        seed: int,
        char_px: int = GeneratorSettings().char_px,
        char_width_px: int | None = None,
        layout: str = 'cells',
        min_characters: int = 1,
        max_characters: int | Callable[[int], int | None] | None = None,
        bucket_width: int = 1,
        index: LineIndex | None = None,
    ):
        self.index = RecordIndex(folder, split=split) if index is None else index
        self.charset, self.batch_size, self.seed = charset, batch_size, seed
        self.char_px, self.char_width_px, self.layout = char_px, char_width_px or char_px, layout
        written_with = self.index.info['charset']
        try:
            charset.check_compatible(written_with['row_count'], written_with['hash'])
        except CharsetMismatchError as error:
            raise CharsetMismatchError(f'{self.index.folder / "info.json"}: {error}') from error
        lengths = self.index.lengths
        limit = None if callable(max_characters) else max_characters
        self._limit = max_characters if callable(max_characters) else None
        usable = (lengths >= max(1, min_characters)) & (lengths <= (limit or np.inf))
        self._buckets = {
            int(b): np.flatnonzero(usable & ((lengths - 1) // bucket_width == b))
            for b in np.unique((lengths[usable] - 1) // bucket_width)
        }
        if not lengths.any():
            raise RecordError(
                f'{folder}, split {split!r}: its {len(lengths)} lines have no text, expected lines with one; '
                '`train --unlabelled` takes those without'
            )
        if not self._buckets:
            raise NoLineError(
                f'{folder}, split {split!r}: no line of {min_characters} to {limit or "any number of"} '
                f'characters; its {len(lengths)} lines have {lengths.min()} to {lengths.max()}'
            )
        self.num_characters = {b: int(lengths[members].max()) for b, members in self._buckets.items()}
        self._orders: dict[tuple[int, int], np.ndarray] = {}  # (bucket, epoch) -> permutation, the newest few
        self._schedule: list[tuple[int, int]] = []  # step -> (bucket, how many batches of it came before)
        self._credits = dict.fromkeys(self._buckets, 0.0)
        self._counts = dict.fromkeys(self._buckets, 0)
        self._uniforms = None
        self._lock = threading.Lock()  # batches of several steps are read at the same time
        self._threads = concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1), 'lines')

    def __len__(self):
        """Lines of usable length."""
        return sum(map(len, self._buckets.values()))

    def record_numbers(self) -> np.ndarray:
        """The records of usable length, int64 [len], ascending."""
        return np.sort(np.concatenate(list(self._buckets.values())))

    def limit(self, max_characters: Callable[[int], int | None]) -> None:
        """Another limit of length; whose turn it is is decided anew, as it would have been had this limit
        been given at the start.

        Args:
            max_characters: function of the step.
        """
        with self._lock:
            self._limit = max_characters
            self._schedule.clear()
            self._credits, self._counts = dict.fromkeys(self._buckets, 0.0), dict.fromkeys(self._buckets, 0)

    def members(self, step: int) -> tuple[np.ndarray, int]:
        """The records of a step.

        Args:
            step: int >= 0.

        Returns:
            int64 [batch_size], record numbers; int, the characters to which the batch is padded.
        """
        with self._lock:
            bucket, before = self._turn(step)
            places = np.arange(before * self.batch_size, (before + 1) * self.batch_size)
            epochs, places = np.divmod(places, len(self._buckets[bucket]))
            chosen = [
                self._order(bucket, int(epoch))[place] for epoch, place in zip(epochs, places, strict=True)
            ]
        return np.array(chosen, np.int64), self.num_characters[bucket]

    def batch(self, step: int) -> LineBatch:
        """The batch of a step.

        Args:
            step: int >= 0.

        Returns:
            LineBatch of NumPy arrays.

        Raises:
            RecordError: a damaged record; names file, record and byte.
        """
        members, num_characters = self.members(step)
        lines = self._read_batch(members, num_characters)
        return lines._replace(step=np.full(self.batch_size, step, np.int64))

    def sweep(self, batch_size: int | None = None) -> Iterator[LineBatch]:
        """Every line of the split once, the short ones first, for evaluation.

        Args:
            batch_size: int; None: that of the training.

        Yields:
            LineBatch without a step, smaller at the end of each bucket.
        """
        batch_size = batch_size or self.batch_size
        for bucket, members in self._buckets.items():
            for start in range(0, len(members), batch_size):
                yield self._read_batch(members[start : start + batch_size], self.num_characters[bucket])

    def dataset(self, start_step: int = 0, *, workers: int = 2, prefetch: int = 4) -> tf.data.Dataset:
        """The batches from a step on, read ahead of their use, in order.

        Args:
            start_step: int >= 0.
            workers: int, batches read at the same time.
            prefetch: int, batches kept ready.

        Returns:
            tf.data.Dataset of LineBatch. Endless.
        """
        import tensorflow as tf  # here: batches are read without it, too

        b, h = self.batch_size, self.char_px
        spec = LineBatch(
            images=tf.TensorSpec([b, h, None, 1]),
            widths=tf.TensorSpec([b], tf.int32),
            characters=Characters.specs(b),
            example_index=tf.TensorSpec([b], tf.int32),
            step=tf.TensorSpec([b], tf.int64),
            advances=tf.TensorSpec([b, None], tf.float32),
        )

        def read(step):
            return tf.nest.flatten(self.batch(int(step)))

        def batch_of(step):
            flat = tf.nest.flatten(spec)
            values = tf.numpy_function(read, [step], [one.dtype for one in flat])
            shaped = [tf.ensure_shape(value, one.shape) for value, one in zip(values, flat, strict=True)]
            return tf.nest.pack_sequence_as(spec, shaped)

        steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max)
        dataset = steps.map(batch_of, num_parallel_calls=workers, deterministic=True).prefetch(prefetch)
        options = tf.data.Options()
        # One process reads all: every replica takes its part of each batch, none reads shards of its own.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        return dataset.with_options(options)

    def _turn(self, step):
        """Whose turn it is: (bucket, batches of it before this step)."""
        while len(self._schedule) <= step:
            s = len(self._schedule)
            limit = self._limit(s) if self._limit else None
            allowed = [b for b, n in self.num_characters.items() if limit is None or n <= limit]
            # a limit below the shortest line: the shortest ones there are
            allowed = allowed or [min(self._buckets)]
            total = sum(len(self._buckets[b]) for b in allowed)
            for b in allowed:
                self._credits[b] += len(self._buckets[b]) / total
            if s % _UNIFORMS_PER_BLOCK == 0:
                self._uniforms = random_stream(self.seed, _CHOICE, s // _UNIFORMS_PER_BLOCK).random(
                    _UNIFORMS_PER_BLOCK
                )
            # Drawn in proportion to what each is owed: random, so that no other cycle of the training keeps
            # step with the lengths, and yet in the long run exactly its share.
            owed = np.cumsum([max(self._credits[b], 0.0) for b in allowed])
            place = int(
                np.searchsorted(owed, self._uniforms[s % _UNIFORMS_PER_BLOCK] * owed[-1], side='right')
            )
            chosen = allowed[min(place, len(allowed) - 1)]
            self._credits[chosen] -= 1
            self._schedule.append((chosen, self._counts[chosen]))
            self._counts[chosen] += 1
        return self._schedule[step]

    def _order(self, bucket, epoch):
        """The records of a bucket in the order of an epoch."""
        order = self._orders.get((bucket, epoch))
        if order is None:
            order = random_stream(self.seed, _ORDER, bucket, epoch).permutation(self._buckets[bucket])
            if len(self._orders) > 4 * len(self._buckets):
                self._orders.clear()
            self._orders[bucket, epoch] = order
        return order

    def _read_batch(self, members, num_characters):
        cell, b, n = self.char_width_px, len(members), num_characters
        characters = Characters.zeros(b, n)
        characters.lengths[:] = self.index.lengths[members]
        lines = LineBatch(
            images=np.ones((b, self.char_px, n * cell, 1), np.float32),
            widths=(self.index.lengths[members] * cell).astype(np.int32),
            characters=characters,
            example_index=np.arange(b, dtype=np.int32),
            advances=np.zeros((b, n), np.float32),
        )

        table_sizes = {
            'character_ids': self.charset.num_characters,
            'component_ids': self.charset.num_components,
            'structure_ids': self.charset.num_structures,
        }

        def fill(row):
            record = self.index.read_record(int(members[row]), decode_trajectory=False)
            length, width = len(record.character_ids), int(lines.widths[row])
            lines.images[row, :, :width, 0], lines.advances[row, :length] = record_in_cells(
                record,
                self.charset.characters,  # an id beyond them is refused below
                spaced=self.layout == 'spaced',
                char_px=self.char_px,
                char_width_px=self.char_width_px,
            )
            for name, size in table_sizes.items():
                ids = getattr(record, name)
                if length and ids.max() >= size:
                    raise RecordError(
                        f'{self.index.folder}, split {self.index.split!r}, record {members[row]} '
                        f'({record.text!r}): {name} has {ids.max()}, expected at most {size - 1}'
                    )
                getattr(characters, name)[row, :length] = ids
            characters.boxes[row, :length] = self.charset.template_boxes[record.structure_ids]

        list(self._threads.map(fill, range(b)))  # decoding and scaling run outside Python's lock
        return lines
