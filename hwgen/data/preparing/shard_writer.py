"""Writes shards and their index; a writer that was killed goes on behind the records that it is known to
have written.
"""

import contextlib
import io
import os
import pathlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from hwgen.data.reading import records as records_lib
from hwgen.data.reading.records import LineRecord
from hwgen.data.reading.shards import (
    FOOTER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    ShardCounts,
    masked_crc,
    shard_name,
)


class Storage(NamedTuple):
    """A way in which the lines of a split lie in a folder that is being written.

    Attributes:
        open: what `ShardWriter` is: called with its arguments it gives an object with its methods and
            attributes.
        count_intact: what `count_intact` is.
    """

    open: Callable
    count_intact: Callable


class OpenFiles:
    """Files that a writer of records or pictures holds open: `_paths` and, in the same order, `_files`."""

    _paths: list[pathlib.Path]
    _files: list[BinaryIO]

    def flush(self) -> None:
        """Hands what was written to the operating system: the end of this process takes none of it away."""
        for path, file in zip(self._paths, self._files, strict=True):
            with naming_place(path):
                file.flush()

    def close(self) -> None:
        """Closes the files; what could not be written is given up."""
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()

    def remove(self) -> None:
        """Closes and removes the files."""
        self.close()
        for path in self._paths:
            path.unlink(missing_ok=True)


class ShardWriter(OpenFiles):
    """The shards of a split while they are written; at the end their index.

    Args:
        out_dir: path of an existing folder.
        split: str, 'train', 'validation', ...
        num_shards: int.
        sizes, lengths: sequences of int, the bytes and characters of records that are there already; what
            lies behind them in the shards is cut off.

    Attributes:
        sizes, lengths: list of int, of all records so far.

    Raises:
        OSError: a shard that cannot be written; names it.
    """

    def __init__(
        self,
        out_dir: str | os.PathLike[str],
        *,
        split: str,
        num_shards: int,
        sizes: Sequence[int] = (),
        lengths: Sequence[int] = (),
    ):
        self._folder, self._split = pathlib.Path(out_dir), split
        self._paths = [self._folder / shard_name(split, s, num_shards=num_shards) for s in range(num_shards)]
        self.sizes, self.lengths = list(sizes), list(lengths)
        self._files = []
        for s, path in enumerate(self._paths):
            end = sum(self.sizes[s::num_shards]) + len(self.sizes[s::num_shards]) * FRAME_BYTES
            self._files.append(open(path, 'r+b' if end else 'wb'))
            self._files[-1].truncate(end)
            self._files[-1].seek(end)

    def append(self, record: LineRecord) -> None:
        """Writes a LineRecord behind the others.

        Raises:
            ValueError: it contradicts itself; names its number.
        """
        try:
            data = records_lib.serialize_record(record)
        except ValueError as error:
            raise ValueError(f'{self._split}, record {len(self.sizes)} ({record.text!r}): {error}') from error
        header = struct.pack('<Q', len(data))
        shard = len(self.sizes) % len(self._files)
        with naming_place(self._paths[shard]):
            self._files[shard].write(
                b''.join(
                    (header, struct.pack('<I', masked_crc(header)), data, struct.pack('<I', masked_crc(data)))
                )
            )
        self.sizes.append(len(data))
        self.lengths.append(len(record.character_ids))

    def finish(self, *, writers: int) -> ShardCounts:
        """Writes the index and closes the shards.

        Args:
            writers: int, for the counts.

        Returns:
            ShardCounts.

        Raises:
            ValueError: no records.
        """
        if not self.sizes:
            raise ValueError(f'{self._folder}, split {self._split!r}: no records, expected at least one')
        self.flush()
        self.close()
        offsets, sizes, shard_bytes = places(self.sizes, num_shards=len(self._paths))
        path = self._folder / f'{self._split}.index.npz'
        with naming_place(path), open(path, 'wb') as file:
            np.savez(
                file,
                offsets=offsets,
                sizes=sizes,
                lengths=np.array(self.lengths, np.int32),
                shard_bytes=shard_bytes,
            )
        return ShardCounts(
            records=len(sizes), shards=len(self._paths), writers=writers, characters=sum(self.lengths)
        )


def places(sizes: Sequence[int], *, num_shards: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the records of a split lie in its shards.

    Args:
        sizes: sequence of int, bytes of each.
        num_shards: int.

    Returns:
        int64 [n], where each starts in its shard; int64 [n], `sizes`; int64 [num_shards], bytes of each
        shard.
    """
    data_bytes = np.array(sizes, np.int64)
    offsets, shard_bytes = np.zeros(len(sizes), np.int64), np.zeros(num_shards, np.int64)
    for s in range(num_shards):
        ends = np.cumsum(data_bytes[s::num_shards] + FRAME_BYTES)
        offsets[s::num_shards][1:] = ends[:-1]
        shard_bytes[s] = ends[-1] if len(ends) else 0
    return offsets, data_bytes, shard_bytes


@contextlib.contextmanager
def naming_place(path: str | os.PathLike[str]) -> Iterator[None]:
    """Gives the name of a file to an error of writing it, which has none: a full disk shows only then."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def write_shards(
    records: Iterable[LineRecord], out_dir: str | os.PathLike[str], *, split: str, num_shards: int
) -> ShardCounts:
    """Writes a split: its shards and their index. Where that fails none of them is left.

    Args:
        records: iterable of LineRecord.
        out_dir: path of an existing folder.
        split: str, 'train', 'validation', ...
        num_shards: int.

    Returns:
        ShardCounts.

    Raises:
        ValueError: no records, or a record that contradicts itself (its number is named).
    """
    shards, writers = ShardWriter(out_dir, split=split, num_shards=num_shards), set()
    try:
        for record in records:
            shards.append(record)
            writers.add(record.writer)
        return shards.finish(writers=len(writers))
    except BaseException:
        shards.remove()
        raise


def count_intact(
    out_dir: str | os.PathLike[str], *, split: str, num_shards: int, sizes: Sequence[int]
) -> int:
    """How many of the first records of a split that is being written lie undamaged in its shards.

    Args:
        out_dir, split, num_shards: see `ShardWriter`.
        sizes: sequence of int, bytes of the records.

    Returns:
        int, at most len(sizes).
    """
    intact = len(sizes)
    for s in range(num_shards):
        expected = range(s, intact, num_shards)
        path = pathlib.Path(out_dir) / shard_name(split, s, num_shards=num_shards)
        with open(path, 'rb') if path.is_file() else io.BytesIO() as file:
            for i in expected:
                header, data, footer = file.read(HEADER_BYTES), file.read(sizes[i]), file.read(FOOTER_BYTES)
                if header[:8] != struct.pack('<Q', sizes[i]) or footer != struct.pack('<I', masked_crc(data)):
                    intact = i
                    break
    return intact


SHARDS = Storage(ShardWriter, count_intact)
