"""Folders of records: TFRecord shards, an index for random access and info.json.

`shard_writer.py` writes the shards.

Record i of a split lies in shard i % num_shards at place i // num_shards. `{split}.index.npz` beside the
shards holds where each record starts and how long its text is, so that a line is read without the ones before
it; where that file is missing the index is built from the shards. info.json is written last: a folder that
has it is complete.
"""

import hashlib
import json
import os
import pathlib
import struct
import zipfile
from typing import Any, NamedTuple, Protocol

import google_crc32c
import numpy as np

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.data.reading import records as records_lib

HEADER_BYTES = 12  # uint64 length, uint32 masked crc32c of these 8 bytes
FOOTER_BYTES = 4  # uint32 masked crc32c of the data
FRAME_BYTES = HEADER_BYTES + FOOTER_BYTES


class RecordError(ValueError):
    """A folder, shard or record that cannot be read; the message names file, record, byte and what was
    expected.
    """


class ShardCounts(NamedTuple):
    """What was written of a split; the fields are those of info.json."""

    records: int
    shards: int
    writers: int
    characters: int


def shard_name(split: str, shard: int, *, num_shards: int) -> str:
    """File name of a shard."""
    return f'{split}-{shard:05d}-of-{num_shards:05d}.tfrecord'


def write_info(out_dir: str | os.PathLike[str], info: dict[str, Any]) -> None:
    """Writes info.json of a folder whose shards are complete.

    Args:
        out_dir: path.
        info: dict for JSON, with `splits` {name: ShardCounts._asdict()} and `charset` {row_count, hash};
            `planned` has, likewise, what may be written later (`whole`).
    """
    path = pathlib.Path(out_dir) / 'info.json'
    files.write_json(path, as_json({'schema_version': records_lib.SCHEMA_VERSION, **info}), indent=None)


def read_info(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """The contents of a folder's info.json.

    Args:
        folder: path.

    Returns:
        dict: schema_version, splits {name: {records, shards, writers, characters}}, charset {row_count,
            hash}, ...

    Raises:
        RecordError: no such folder, no info.json, or one of another kind.
    """
    path = pathlib.Path(folder) / 'info.json'
    if not path.parent.is_dir():
        raise RecordError(
            f'{path.parent}: no such folder; expected shards and info.json as `bin/prepare` writes them'
        )
    try:
        info = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise RecordError(
            f'{path}: no such file; expected it beside the shards (`bin/prepare` writes it last)'
        ) from None
    except ValueError as error:
        raise RecordError(f'{path}: no JSON ({error}); expected what `bin/prepare` writes') from error
    if not isinstance(info, dict) or not {'schema_version', 'splits', 'charset'} <= info.keys():
        raise RecordError(f'{path}: expected an object with schema_version, splits and charset')
    if info['schema_version'] != records_lib.SCHEMA_VERSION:
        raise RecordError(
            f'{path}: schema version {info["schema_version"]}, expected {records_lib.SCHEMA_VERSION}; '
            'write the records anew'
        )
    parts: list[tuple[Any, dict[str, type]]] = [(info['charset'], {'row_count': int, 'hash': str})]
    parts += [(counts, {'records': int, 'shards': int}) for counts in info['splits'].values()]
    for part, fields in parts:
        if any(not isinstance(part.get(name), kind) for name, kind in fields.items()):
            raise RecordError(f'{path}: {part}, expected an object with {" and ".join(fields)}')
    return info


def whole(info: dict[str, Any]) -> dict[str, Any]:
    """info.json of a folder as it is when all its planned splits are there: the same before and after they
    were written.
    """
    planned = info.get('planned', {})
    return {
        **{key: value for key, value in info.items() if key != 'planned'},
        'splits': {**info['splits'], **planned},
    }


def masked_crc(data: bytes) -> int:
    """The checksum of TFRecord files: crc32c, rotated and shifted.

    Args:
        data: bytes.

    Returns:
        int, 32 bit.
    """
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class LineIndex(Protocol):
    """What readers of lines ask of an index of records: `RecordIndex` has it, and whatever stands in for one
    that is not written yet.
    """

    folder: pathlib.Path
    split: str
    info: dict[str, Any]
    lengths: np.ndarray

    def __len__(self) -> int: ...

    def digest(self) -> str | None: ...

    def read_record(
        self, i: int, *, decode_image: bool = True, decode_trajectory: bool = True
    ) -> records_lib.LineRecord: ...


class RecordIndex:
    """Random access to the records of a split. Reading is safe from several threads.

    Args:
        folder: path of a folder that `write_shards` and `write_info` wrote.
        split: str.

    Attributes:
        info: dict, info.json.
        lengths: int32 [n], written characters of each record.

    Raises:
        RecordError: no such folder or split, missing shards, shards of another size than the index's.
    """

    def __init__(self, folder: str | os.PathLike[str], *, split: str):
        self.folder, self.split = pathlib.Path(folder), split
        self.info = read_info(folder)
        counts = self.info['splits'].get(split, {})
        if split in self.info.get('planned', ()):
            raise RecordError(
                f'{self.folder}: split {split!r} has not been written yet, as no command has asked for it;'
                ' `bin/train` and `bin/evaluate` add what they need where --data names the folder'
            )
        if not counts.get('records'):
            raise RecordError(
                f'{self.folder}: no records of split {split!r}; it has {", ".join(self.info["splits"])}'
            )
        if not counts['shards']:
            raise RecordError(
                f'{self.folder}: pictures, expected records; `bin/prepare --source=folder` makes records of'
                ' pictures'
            )
        self._paths = [
            self.folder / shard_name(split, s, num_shards=counts['shards']) for s in range(counts['shards'])
        ]
        for path in self._paths:
            if not path.is_file():
                present = sorted(p.name for p in self.folder.glob(f'{split}-*.tfrecord'))
                raise RecordError(
                    f'{path}: no such file; info.json lists {counts["shards"]} shards of {split!r}, '
                    f'the folder has {", ".join(present) or "none"}'
                )
        self._files = [open(path, 'rb') for path in self._paths]
        stored = self.folder / f'{split}.index.npz'
        self._offsets, self._sizes, self.lengths = self._load(stored) if stored.is_file() else self._scan()
        if len(self.lengths) != counts['records']:
            raise RecordError(
                f'{self.folder}, split {split!r}: {len(self.lengths)} records in the shards, '
                f'expected {counts["records"]} by info.json'
            )

    def __len__(self):
        return len(self.lengths)

    def digest(self) -> str:
        """What the records are, wherever they lie and however many shards hold them: a hash of the sizes and
        of the checksums that stand beside their data. These are not checked against the data, which is done
        where a record is read.

        Returns:
            str, hexadecimal.
        """
        found = hashlib.sha256(np.asarray(self._sizes, np.int64).tobytes())
        for i, (offset, size) in enumerate(zip(self._offsets, self._sizes, strict=True)):
            found.update(
                os.pread(
                    self._files[i % len(self._files)].fileno(),
                    FOOTER_BYTES,
                    int(offset) + HEADER_BYTES + int(size),
                )
            )
        return found.hexdigest()

    def close(self) -> None:
        """Closes the shards."""
        for file in self._files:
            file.close()

    def read(self, i: int) -> bytes:
        """The bytes of record i, both checksums checked.

        Args:
            i: int in [0, len).

        Returns:
            bytes of a `tf.train.Example`.

        Raises:
            RecordError: damaged; names file, record and byte.
        """
        if not 0 <= i < len(self):
            raise IndexError(
                f'{self.folder}, split {self.split!r}, record {i}: expected 0 to {len(self) - 1}'
            )
        k, shard = divmod(i, len(self._files))
        return self._read_at(shard, k, offset=int(self._offsets[i]), size=int(self._sizes[i]))

    def read_record(
        self, i: int, *, decode_image: bool = True, decode_trajectory: bool = True
    ) -> records_lib.LineRecord:
        """Record i.

        Args:
            i: int in [0, len).
            decode_image: bool; False leaves the PNG bytes in `image`.
            decode_trajectory: bool; False leaves it None, unread.

        Returns:
            LineRecord.

        Raises:
            RecordError: damaged or of another schema; names file, record and byte.
        """
        k, shard = divmod(i, len(self._files))
        serialized = self.read(i)
        try:
            record = records_lib.deserialize_record(
                serialized, decode_image=decode_image, decode_trajectory=decode_trajectory
            )
        except ValueError as error:
            raise RecordError(f'{self._place(shard, k, self._offsets[i])}: {error}') from error
        if len(record.character_ids) != self.lengths[i]:
            raise RecordError(
                f'{self._place(shard, k, self._offsets[i])}: {len(record.character_ids)} characters, '
                f'expected {self.lengths[i]} by {self.split}.index.npz'
            )
        return record

    def _place(self, shard, k, offset):
        return f'{self._paths[shard]}, record {k}, byte {offset}'

    def _read_at(self, shard, k, *, offset, size=None):
        """Record k of a shard; its size, where given, is what the index says."""
        place = self._place(shard, k, offset)
        fd = self._files[shard].fileno()
        header = os.pread(fd, HEADER_BYTES, offset)
        if len(header) < HEADER_BYTES:
            raise RecordError(f'{place}: the file ends within the header of the record (truncated)')
        length, crc = struct.unpack('<QI', header)
        if masked_crc(header[:8]) != crc:
            raise RecordError(
                f'{place}: checksum {crc:08x} of the length, expected {masked_crc(header[:8]):08x} '
                '(corrupt, or no TFRecord file)'
            )
        if size is not None and length != size:
            raise RecordError(f'{place}: {length} bytes of data, expected {size} by {self.split}.index.npz')
        if offset + HEADER_BYTES + length + FOOTER_BYTES > os.fstat(fd).st_size:
            raise RecordError(
                f'{place}: {length} bytes of data expected, the file ends at byte '
                f'{os.fstat(fd).st_size} (truncated)'
            )
        body = os.pread(fd, length + FOOTER_BYTES, offset + HEADER_BYTES)
        data, (crc,) = body[:length], struct.unpack('<I', body[length:])
        if masked_crc(data) != crc:
            raise RecordError(
                f'{place}: checksum {crc:08x} of the data, expected {masked_crc(data):08x} (corrupt)'
            )
        return data

    def _load(self, path):
        """Reads the stored index and holds it against the sizes of the shards."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                offsets, sizes, lengths, shard_bytes = (
                    arrays[k] for k in ('offsets', 'sizes', 'lengths', 'shard_bytes')
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise RecordError(
                f'{path}: no index of records ({error}); delete it to have it built from the shards'
            ) from error
        if not len(offsets) == len(sizes) == len(lengths) or len(shard_bytes) != len(self._files):
            raise RecordError(
                f'{path}: an index of {len(shard_bytes)} shards, expected {len(self._files)}; '
                'delete it to have it built from the shards'
            )
        if any(
            a.ndim != 1 or a.dtype.kind != 'i' or a.size and a.min() < 0
            for a in (offsets, sizes, lengths, shard_bytes)
        ):
            raise RecordError(
                f'{path}: expected lists of non-negative integers; delete it to have it built from the shards'
            )
        for s, file in enumerate(self._files):
            size = os.fstat(file.fileno()).st_size
            starts = offsets[s :: len(self._files)]
            if size != shard_bytes[s]:
                self._read_at(s, 0, offset=0)  # tells when it is no TFRecord file at all
            if size < shard_bytes[s]:
                k = int(np.searchsorted(starts, size, side='right')) - 1  # the record in which the file ends
                raise RecordError(
                    f'{self._place(s, k, starts[k])}: the file ends at byte {size}, expected '
                    f'{shard_bytes[s]} bytes (truncated)'
                )
            if size > shard_bytes[s]:
                raise RecordError(
                    f'{self._place(s, len(starts), shard_bytes[s])}: {size - shard_bytes[s]} bytes more '
                    f'than {path.name} knows, expected the end of the file'
                )
        return offsets, sizes, lengths

    def _scan(self):
        """Builds the index by reading every record."""
        found = []
        for s, file in enumerate(self._files):
            offset, k, end = 0, 0, os.fstat(file.fileno()).st_size
            while offset < end:
                data = self._read_at(s, k, offset=offset)
                try:
                    length = len(
                        records_lib.deserialize_record(
                            data, decode_image=False, decode_trajectory=False
                        ).character_ids
                    )
                except ValueError as error:
                    raise RecordError(f'{self._place(s, k, offset)}: {error}') from error
                found.append((k, s, offset, len(data), length))
                offset, k = offset + HEADER_BYTES + len(data) + FOOTER_BYTES, k + 1
        found.sort()
        if any((k, s) != divmod(i, len(self._files)) for i, (k, s, *_) in enumerate(found)):
            raise RecordError(
                f'{self.folder}, split {self.split!r}: shards of unequal counts, expected record i in shard '
                f'i % {len(self._files)}; a shard was exchanged'
            )
        _, _, offsets, sizes, lengths = (
            np.array(column) for column in (zip(*found, strict=True) if found else [()] * 5)
        )
        return offsets.astype(np.int64), sizes.astype(np.int64), lengths.astype(np.int32)


def shown_ids(folder: str | os.PathLike[str], *, split: str = 'train') -> set[int]:
    """The characters that a split shows.

    Args:
        folder: path of a folder of records.
        split: str.

    Returns:
        set of int, character ids, 0 not among them.

    Raises:
        RecordError: as `RecordIndex`.
    """
    index, shown = RecordIndex(folder, split=split), set()
    try:
        for i in range(len(index)):
            shown.update(
                index.read_record(i, decode_image=False, decode_trajectory=False).character_ids.tolist()
            )
    finally:
        index.close()
    return shown - {0}
