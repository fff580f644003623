"""Where records lie in shards, by hand; and what a folder says of them."""

import json
import os
import struct

import google_crc32c
import numpy as np
import pytest

from hwgen.data.preparing import shard_writer
from hwgen.data.preparing.shard_writer import ShardWriter, count_intact, naming_place, places, write_shards
from hwgen.data.reading import records
from hwgen.data.reading.shards import (
    RecordError,
    RecordIndex,
    masked_crc,
    read_info,
    shard_name,
    shown_ids,
    whole,
    write_info,
)


def test_records_take_turns_in_the_shards():
    """16 bytes of frame each; records 0, 3, 6 lie in the first shard.

    A shard without a record has no byte.
    """
    offsets, sizes, ends = places([10, 20, 30, 1, 2, 3, 100], num_shards=3)
    assert (
        offsets.tolist() == [0, 0, 0, 26, 36, 46, 43]
        and sizes.tolist() == [10, 20, 30, 1, 2, 3, 100]
        and ends.tolist() == [159, 54, 65]
    )
    offsets, _, ends = places([7], num_shards=3)
    assert offsets.tolist() == [0] and ends.tolist() == [23, 0, 0] and offsets.dtype == ends.dtype == np.int64
    assert (
        places([], num_shards=2)[2].tolist() == [0, 0]
        and shard_name('test', 7, num_shards=12) == 'test-00007-of-00012.tfrecord'
    )


def test_the_checksum_is_rotated_and_shifted():
    """CRC-32C of `123456789` is E3069283; by 15 bits to the right and A282EAD8 more."""
    crc = 0xE3069283
    assert google_crc32c.value(b'123456789') == crc and masked_crc(b'123456789') == (
        (crc >> 15) + (crc % (1 << 15) << 17) + 0xA282EAD8
    ) % (1 << 32)


def test_a_record_stands_between_its_checksums(tmp_path, make_record):
    lines = [make_record(i, 1 + i) for i in range(5)]
    write_shards(iter(lines), tmp_path, split='x', num_shards=2)
    for shard in range(2):
        expected = b''
        for line in lines[shard::2]:
            data = records.serialize_record(line)
            length = struct.pack('<Q', len(data))
            expected += (
                length + struct.pack('<I', masked_crc(length)) + data + struct.pack('<I', masked_crc(data))
            )
        assert (tmp_path / shard_name('x', shard, num_shards=2)).read_bytes() == expected
    index = np.load(tmp_path / 'x.index.npz')
    assert index['lengths'].tolist() == [1, 2, 3, 4, 5] and index['lengths'].dtype == np.int32
    assert index['shard_bytes'].tolist() == [
        (tmp_path / shard_name('x', shard, num_shards=2)).stat().st_size for shard in range(2)
    ]


def test_a_writer_goes_on_behind_the_records_that_are_known(tmp_path, make_record):
    """Of seven in three shards four are known: what lies behind them is cut off, and the next stands in
    the second shard.
    """
    lines = [make_record(i, 1 + i % 3) for i in range(9)]
    (tmp_path / 'whole').mkdir()
    (tmp_path / 'out').mkdir()
    write_shards(iter(lines), tmp_path / 'whole', split='x', num_shards=3)
    first = ShardWriter(tmp_path / 'out', split='x', num_shards=3)
    for line in lines[:7]:
        first.append(line)
    first.flush()
    assert count_intact(tmp_path / 'out', split='x', num_shards=3, sizes=first.sizes) == 7
    first.close()
    for known in (4, 1):
        writer = ShardWriter(
            tmp_path / 'out',
            split='x',
            num_shards=3,
            sizes=first.sizes[:known],
            lengths=first.lengths[:known],
        )
        assert [path.stat().st_size for path in sorted((tmp_path / 'out').glob('*.tfrecord'))] == places(
            first.sizes[:known], num_shards=3
        )[2].tolist()
        for line in lines[known:]:
            writer.append(line)
        assert writer.finish(writers=5) == (9, 3, 5, sum(1 + i % 3 for i in range(9)))
        assert {path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()} == {
            path.name: path.read_bytes() for path in (tmp_path / 'whole').iterdir()
        }


def test_damage_in_two_shards_counts_from_the_first(tmp_path, make_record):
    write_shards((make_record(i, 2) for i in range(9)), tmp_path, split='x', num_shards=3)
    sizes = np.load(tmp_path / 'x.index.npz')['sizes'].tolist()
    for damaged in ((3, 7), (6, 1), (5, 4)):
        for record in damaged:
            path = tmp_path / shard_name('x', record % 3, num_shards=3)
            data = bytearray(path.read_bytes())
            data[sum(sizes[record % 3 : record : 3]) + 16 * (record // 3) + 20] ^= 1
            path.write_bytes(data)
        assert count_intact(tmp_path, split='x', num_shards=3, sizes=sizes) == min(damaged)
        write_shards((make_record(i, 2) for i in range(9)), tmp_path, split='x', num_shards=3)


@pytest.mark.parametrize('name', ['offsets', 'sizes', 'lengths', 'shard_bytes'])
def test_a_negative_number_of_an_index_is_none(tmp_path, make_record, write_folder, name):
    folder = write_folder(tmp_path / 'x', [make_record(i, 2) for i in range(3)], num_shards=2)
    arrays = dict(np.load(folder / 'train.index.npz'))
    arrays[name][-1] = -1
    np.savez(folder / 'train.index.npz', **arrays)
    with pytest.raises(
        RecordError,
        match='train.index.npz: expected lists of non-negative integers; delete it to have it built',
    ):
        RecordIndex(folder, split='train')


def test_an_error_of_writing_has_the_name_of_the_file():
    with pytest.raises(OSError) as raised, naming_place('/x/y'):
        raise OSError(28, 'No space left on device')
    assert (raised.value.errno, raised.value.strerror, raised.value.filename) == (
        28,
        'No space left on device',
        '/x/y',
    )


def test_files_are_given_up_when_they_cannot_be_closed(tmp_path):
    writer = ShardWriter(tmp_path, split='x', num_shards=2)

    class Full:
        """Stands for a file on a full disk."""

        def close(self):
            raise OSError(28, 'No space left on device')

        flush = close

    kept, writer._files[0] = writer._files[0], Full()
    with pytest.raises(OSError) as raised:
        writer.flush()
    assert raised.value.filename == str(tmp_path / shard_name('x', 0, num_shards=2))
    writer.remove()
    assert not list(tmp_path.iterdir()) and writer._files[1].closed
    kept.close()


# ---- info.json


def test_info_is_there_whole_or_not_at_all(tmp_path):
    write_info(tmp_path, {'splits': {}, 'charset': {'row_count': 1, 'hash': ''}, 'writer': '张\udcd5'})
    text = (tmp_path / 'info.json').read_text(encoding='utf-8')
    assert (
        text == '{"schema_version": 1, "splits": {}, "charset": {"row_count": 1, "hash": ""}, "writer":'
        ' "张\\\\xd5"}\n'
    )
    assert [path.name for path in tmp_path.iterdir()] == ['info.json']
    assert read_info(tmp_path) == json.loads(text)


@pytest.mark.parametrize(
    'charset, splits',
    [
        ({'row_count': 1, 'hash': 2}, {}),
        ({'hash': ''}, {}),
        ({'row_count': 1, 'hash': ''}, {'train': {'records': 1}}),
        (
            {'row_count': 1, 'hash': ''},
            {'train': {'records': 1, 'shards': 1}, 'test': {'records': '1', 'shards': 1}},
        ),
    ],
)
def test_info_of_other_kinds(tmp_path, charset, splits):
    (tmp_path / 'info.json').write_text(
        json.dumps({'schema_version': 1, 'splits': splits, 'charset': charset})
    )
    with pytest.raises(RecordError, match='info.json: .*expected an object with '):
        read_info(tmp_path)


def test_a_folder_is_whole_with_what_is_planned():
    counts = {'records': 1, 'shards': 1}
    info = {'a': 1, 'splits': {'test': counts}, 'planned': {'train': counts}}
    assert (
        whole(info) == {'a': 1, 'splits': {'test': counts, 'train': counts}}
        and whole({'splits': {}}) == {'splits': {}}
        and 'planned' in info
    )
    assert list(whole(info)['splits']) == ['test', 'train']


# ---- reading


@pytest.fixture
def pair(tmp_path, make_record, write_folder):
    """Two folders with the same five lines, in two shards and in one."""
    lines = [make_record(i, 1 + i) for i in range(5)]
    return (
        lines,
        write_folder(tmp_path / 'two', lines, num_shards=2),
        write_folder(tmp_path / 'one', lines, num_shards=1),
    )


def test_a_digest_is_that_of_the_records_however_they_lie(pair, tmp_path, write_folder):
    lines, two, one = pair
    digests = {RecordIndex(folder, split='train').digest() for folder in (two, one)}
    assert len(digests) == 1
    for name, other in (
        ('order', lines[1:] + lines[:1]),
        ('fewer', lines[:4]),
        ('writer', [*lines[:4], lines[4]._replace(writer='writer 3')]),
    ):
        assert (
            RecordIndex(write_folder(tmp_path / name, other, num_shards=2), split='train').digest()
            not in digests
        ), name


def test_records_are_read_by_number_within_bounds(pair):
    lines, two, _ = pair
    index = RecordIndex(two, split='train')
    assert [index.read_record(i).text for i in range(5)] == [line.text for line in lines]
    assert index.read_record(2, decode_image=False).image == records.encode_png(lines[2].image)
    for number in (-1, 5):
        with pytest.raises(IndexError, match=f"two, split 'train', record {number}: expected 0 to 4"):
            index.read(number)
    index.close()
    with pytest.raises(ValueError, match='closed file'):
        index.read(0)


def test_lengths_of_another_index_are_told(pair):
    _, two, _ = pair
    arrays = dict(np.load(two / 'train.index.npz'))
    arrays['lengths'] = arrays['lengths'] + np.int32([0, 0, 0, 1, 0])
    np.savez(two / 'train.index.npz', **arrays)
    index = RecordIndex(two, split='train')
    index.read_record(2)
    with pytest.raises(
        RecordError,
        match=(
            rf'train-00001-of-00002.tfrecord, record 1, byte {arrays["offsets"][3]}: 4 characters, expected 5'
            r' by train.index.npz'
        ),
    ):
        index.read_record(3)


def test_a_byte_more_or_less_is_told(pair):
    _, two, _ = pair
    path = two / shard_name('train', 1, num_shards=2)
    data = path.read_bytes()
    path.write_bytes(data + b'x')
    with pytest.raises(
        RecordError,
        match=(
            rf'00001-of-00002.tfrecord, record 2, byte {len(data)}: 1 bytes more than train.index.npz knows,'
            r' expected the end of the file'
        ),
    ):
        RecordIndex(two, split='train')
    second = int(np.load(two / 'train.index.npz')['offsets'][3])
    for size, record, start in ((len(data) - 1, 1, second), (second, 1, second), (second - 1, 0, 0)):
        path.write_bytes(data[:size])
        with pytest.raises(
            RecordError,
            match=rf'record {record}, byte {start}: .*the file ends at byte {size}.*\(truncated\)',
        ):
            RecordIndex(two, split='train')
    (two / 'train.index.npz').rename(two / 'index')
    for size in (len(data) - 1, len(data) - 4, second + 5):
        path.write_bytes(data[:size])
        with pytest.raises(RecordError, match=rf'record 1, byte {second}: .*\(truncated\)'):
            RecordIndex(two, split='train')
    (two / 'index').rename(two / 'train.index.npz')
    path.unlink()
    os.mkdir(path)
    with pytest.raises(
        RecordError,
        match=(
            "00001-of-00002.tfrecord: no such file; info.json lists 2 shards of 'train', the folder has"
            ' train-00000-of-00002.tfrecord, train-00001'
        ),
    ):
        RecordIndex(two, split='train')


def test_info_that_counts_other_records(pair):
    _, two, _ = pair
    info = read_info(two)
    for count, message in (
        (4, "two, split 'train': 5 records in the shards, expected 4 by info.json"),
        (0, "two: no records of split 'train'; it has train"),
    ):
        write_info(two, {**info, 'splits': {'train': {**info['splits']['train'], 'records': count}}})
        with pytest.raises(RecordError, match=message):
            RecordIndex(two, split='train')


def test_the_characters_that_a_split_shows(pair, tmp_path, make_record, write_folder):
    lines, two, _ = pair
    assert shown_ids(two) == {int(i) for line in lines for i in line.character_ids}
    unknown = make_record(9, 3)._replace(character_ids=np.array([0, 5, 0], np.int32))
    write_folder(two, [unknown], split='test', num_shards=1)
    assert shown_ids(two, split='test') == {5}


def test_the_way_of_shards():
    assert shard_writer.SHARDS == (ShardWriter, count_intact)
