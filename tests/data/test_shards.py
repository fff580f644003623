"""Shards: what is written is what is read, in order; damage is told with file, record and byte."""

import json
import shutil

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the folder that may be damaged."""
    return shutil.copytree(folder, tmp_path / 'copy')


def first_shard(folder):
    return folder / 'train-00000-of-00003.tfrecord'


def test_records_come_back_in_order(folder, make_record):
    index = shards.RecordIndex(folder, split='train')
    assert len(index) == 120 and index.lengths.dtype == np.int32
    for i in (0, 1, 2, 3, 57, 119):
        line, expected = index.read_record(i), make_record(i, 1 + i * i // 3 % 6)
        assert (
            line.text == expected.text
            and line.writer == expected.writer
            and len(line.text) == index.lengths[i]
        )
        np.testing.assert_array_equal(line.image, expected.image)
        np.testing.assert_array_equal(line.boxes, expected.boxes)
    with pytest.raises(IndexError, match='record 120: expected 0 to 119'):
        index.read(120)


def test_tensorflow_reads_the_same_bytes(folder):
    index = shards.RecordIndex(folder, split='train')
    paths = [str(folder / shards.shard_name('train', s, num_shards=3)) for s in range(3)]
    for s, path in enumerate(paths):
        assert [item.numpy() for item in tf.data.TFRecordDataset(path)] == [
            index.read(i) for i in range(s, 120, 3)
        ]


def test_checksum_is_that_of_tfrecord_files(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / 'x')) as file:
        file.write(b'handwriting')
    assert shards.masked_crc(b'handwriting') == int.from_bytes((tmp_path / 'x').read_bytes()[-4:], 'little')


def test_index_is_built_where_it_is_missing(copy, folder):
    (copy / 'train.index.npz').unlink()
    built, stored = shards.RecordIndex(copy, split='train'), shards.RecordIndex(folder, split='train')
    np.testing.assert_array_equal(built.lengths, stored.lengths)
    assert [built.read(i) for i in range(120)] == [stored.read(i) for i in range(120)]


def test_counts(tmp_path, make_record):
    counts = shard_writer.write_shards(
        (make_record(i, 2, writer='ab'[i % 2]) for i in range(5)), tmp_path, split='test', num_shards=2
    )
    assert counts == (5, 2, 2, 10)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        'test-00000-of-00002.tfrecord',
        'test-00001-of-00002.tfrecord',
        'test.index.npz',
    ]


def test_a_failure_leaves_no_file(tmp_path, make_record):
    def lines():
        yield make_record(0, 2)
        yield make_record(1, 2)._replace(structure_ids=np.zeros(5, np.int32))

    with pytest.raises(
        ValueError, match=r"train, record 1 \('.*'\): structure_ids \[5\] of a line of 2 characters"
    ):
        shard_writer.write_shards(lines(), tmp_path, split='train', num_shards=2)
    with pytest.raises(ValueError, match="split 'train': no records, expected at least one"):
        shard_writer.write_shards(iter(()), tmp_path, split='train', num_shards=2)
    with pytest.raises(KeyboardInterrupt):
        shard_writer.write_shards(interrupted(make_record), tmp_path, split='train', num_shards=2)
    assert not list(tmp_path.iterdir())


def interrupted(make_record):
    yield make_record(0, 1)
    raise KeyboardInterrupt


@pytest.mark.parametrize('stored_index', [True, False])
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=30)
@hypothesis.given(data=st.data())
def test_truncated_shard(copy, folder, stored_index, data):
    """Cut anywhere, the shard is refused when it is opened, and the message names the record in which it
    ends.
    """
    if not stored_index:
        (copy / 'train.index.npz').unlink(missing_ok=True)
    whole = first_shard(folder).read_bytes()
    size = data.draw(st.integers(0, len(whole) - 1))
    first_shard(copy).write_bytes(whole[:size])
    offsets = np.load(folder / 'train.index.npz')['offsets'][::3]
    record = int(np.searchsorted(offsets, size, side='right')) - 1
    if not stored_index and size in offsets:  # whole records: only info.json knows that some are missing
        message = 'shards of unequal counts|records in the shards, expected 120 by info.json'
    else:
        message = rf'train-00000-of-00003.tfrecord, record {record}, byte {offsets[record]}: .*\(truncated\)'
    with pytest.raises(shards.RecordError, match=message):
        shards.RecordIndex(copy, split='train')


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=30)
@hypothesis.given(data=st.data())
def test_a_flipped_bit_is_found(copy, folder, data):
    whole = bytearray(first_shard(folder).read_bytes())
    position = data.draw(st.integers(0, len(whole) - 1))
    whole[position] ^= 1 << data.draw(st.integers(0, 7))
    first_shard(copy).write_bytes(bytes(whole))
    offsets = np.load(folder / 'train.index.npz')['offsets'][::3]
    record = int(np.searchsorted(offsets, position, side='right')) - 1
    index = shards.RecordIndex(copy, split='train')
    message = rf'train-00000-of-00003.tfrecord, record {record}, byte {offsets[record]}: '
    with pytest.raises(
        shards.RecordError, match=message + r'checksum [0-9a-f]{8} of the (length|data), expected [0-9a-f]{8}'
    ):
        index.read(3 * record)
    if record:
        index.read(0)
    (copy / 'train.index.npz').rename(copy / 'index')
    with pytest.raises(shards.RecordError, match=message):
        shards.RecordIndex(copy, split='train')
    (copy / 'index').rename(copy / 'train.index.npz')


def test_foreign_shard(copy):
    first_shard(copy).write_bytes(b'PK\x03\x04' + bytes(first_shard(copy).stat().st_size))
    with pytest.raises(
        shards.RecordError, match=r'record 0, byte 0: checksum .* of the length.*no TFRecord file'
    ):
        shards.RecordIndex(copy, split='train')
    first_shard(copy).write_bytes(b'PK\x03\x04' + bytes(5000))
    with pytest.raises(
        shards.RecordError, match=r'record 0, byte 0: checksum .* of the length.*no TFRecord file'
    ):
        shards.RecordIndex(copy, split='train')
    (copy / 'train.index.npz').unlink()
    with pytest.raises(
        shards.RecordError, match=r'record 0, byte 0: checksum .* of the length.*no TFRecord file'
    ):
        shards.RecordIndex(copy, split='train')
    with tf.io.TFRecordWriter(str(first_shard(copy))) as file:
        file.write(tf.train.Example().SerializeToString())
    with pytest.raises(shards.RecordError, match="record 0, byte 0: no feature 'image'"):
        shards.RecordIndex(copy, split='train')


def test_exchanged_shard(copy, make_record):
    with tf.io.TFRecordWriter(str(first_shard(copy))) as file:
        file.write(records.serialize_record(make_record(9, 2)))
    with pytest.raises(shards.RecordError, match='train-00000-of-00003.tfrecord, record'):
        shards.RecordIndex(copy, split='train')
    (copy / 'train.index.npz').unlink()
    with pytest.raises(shards.RecordError, match='shards of unequal counts'):
        shards.RecordIndex(copy, split='train')


def test_missing_things(copy):
    with pytest.raises(shards.RecordError, match='nowhere: no such folder; expected shards and info.json'):
        shards.RecordIndex('nowhere', split='train')
    with pytest.raises(shards.RecordError, match="no records of split 'test'; it has train"):
        shards.RecordIndex(copy, split='test')
    first_shard(copy).unlink()
    with pytest.raises(
        shards.RecordError,
        match=(
            "00000-of-00003.tfrecord: no such file; info.json lists 3 shards of 'train', the folder has"
            ' train-00001'
        ),
    ):
        shards.RecordIndex(copy, split='train')
    (copy / 'info.json').unlink()
    with pytest.raises(shards.RecordError, match='info.json: no such file; expected it beside the shards'):
        shards.read_info(copy)


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', 'no JSON'),
        ('[]', 'expected an object with schema_version'),
        ('{"splits": {}}', 'expected an object'),
        (json.dumps({'schema_version': 99, 'splits': {}, 'charset': {}}), 'schema version 99, expected 1'),
        (
            json.dumps({'schema_version': 1, 'splits': {}, 'charset': {'row_count': '3'}}),
            '.*expected an object with row_count and hash',
        ),
        (
            json.dumps(
                {'schema_version': 1, 'splits': {'train': {}}, 'charset': {'row_count': 3, 'hash': ''}}
            ),
            '{}, expected an object with records and shards',
        ),
        ('\x00\xff', 'no JSON'),
    ],
)
def test_damaged_info(copy, text, message):
    (copy / 'info.json').write_bytes(text.encode('latin-1'))
    with pytest.raises(shards.RecordError, match=f'info.json: {message}'):
        shards.read_info(copy)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(data=st.binary(max_size=300))
def test_damaged_index(copy, data):
    (copy / 'train.index.npz').write_bytes(data)
    with pytest.raises(shards.RecordError, match='train.index.npz: no index of records .* delete it'):
        shards.RecordIndex(copy, split='train')


def test_sizes_of_another_index(copy):
    """An index whose sizes belong to other records is told, though every record is there."""
    arrays = dict(np.load(copy / 'train.index.npz'))
    other = int(np.flatnonzero(arrays['sizes'] != arrays['sizes'][0])[0])
    first, second = arrays['sizes'][[0, other]]
    arrays['sizes'][[0, other]] = second, first
    np.savez(copy / 'train.index.npz', **arrays)
    index = shards.RecordIndex(copy, split='train')
    with pytest.raises(
        shards.RecordError,
        match=(
            rf'train-00000-of-00003.tfrecord, record 0, byte 0: {first} bytes of data, expected {second} by'
            r' train.index.npz'
        ),
    ):
        index.read_record(0)
    with pytest.raises(
        shards.RecordError,
        match=rf'record {other // 3}, byte .*: {second} bytes of data, expected {first} by train.index.npz',
    ):
        index.read_record(other)


def test_index_of_other_kinds(copy):
    arrays = dict(np.load(copy / 'train.index.npz'))
    for name, value in (
        ('offsets', -arrays['offsets']),
        ('sizes', arrays['sizes'].astype(float)),
        ('lengths', arrays['lengths'][:5]),
        ('shard_bytes', arrays['shard_bytes'][:2]),
    ):
        np.savez(copy / 'train.index.npz', **{**arrays, name: value})
        with pytest.raises(shards.RecordError, match='train.index.npz: .*delete it to have it built'):
            shards.RecordIndex(copy, split='train')
