"""Lines and folders of records that the tests of `hwgen.data` read."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import shard_writer
from hwgen.data.reading import shards
from hwgen.data.reading.records import LineRecord


@pytest.fixture(scope='session')
def charset():
    return Charset.load()


@pytest.fixture(scope='session')
def make_record(charset):
    """make_record(number, length): a line of random characters whose picture is unlike any other's."""

    def make(number, length, *, writer=None, height=40, cell=31, **fields):
        rng = np.random.default_rng(number)
        ids = rng.integers(1, charset.num_characters, length)
        width = max(1, cell * length)
        image = np.full((height, width), 255, np.uint8)
        image[5:-5] = rng.integers(0, 256, (height - 10, width))
        values = dict(
            image=image,
            text=''.join(charset.characters[i] for i in ids),
            character_ids=ids.astype(np.int32),
            component_ids=charset.character_components[ids],
            structure_ids=charset.character_structures[ids],
            writer=writer or f'writer {number % 7}',
            source='test',
            boxes=rng.integers(0, 40, (length, 4)).astype(np.int32),
        )
        return LineRecord(**{**values, **fields})

    return make


@pytest.fixture(scope='session')
def write_folder(charset):
    """write_folder(path, records, num_shards): a complete folder with the split `train`."""

    def write(path, records, *, num_shards=3, split='train', hash=None):
        path.mkdir(exist_ok=True)
        counts = shard_writer.write_shards(records, path, split=split, num_shards=num_shards)
        shards.write_info(
            path,
            {
                'splits': {split: counts._asdict()},
                'charset': {'row_count': charset.row_count, 'hash': hash or charset.hash},
            },
        )
        return path

    return write


@pytest.fixture(scope='session')
def lines_of():
    """lines_of(path): (split, record) of every line of a folder."""

    def read(path):
        for split in shards.read_info(path)['splits']:
            index = shards.RecordIndex(path, split=split)
            for i in range(len(index)):
                yield split, index.read_record(i)

    return read


@pytest.fixture(scope='session')
def folder(tmp_path_factory, write_folder, make_record):
    """120 lines of 1 to 6 characters in 3 shards, unequal numbers of each length. Not to be written to."""
    lengths = [1 + i * i // 3 % 6 for i in range(120)]
    return write_folder(
        tmp_path_factory.mktemp('lines') / 'lines', [make_record(i, n) for i, n in enumerate(lengths)]
    )
