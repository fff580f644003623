"""A file read from front to end: positions, look-ahead, bounds, and errors that name the place."""

import io
import zipfile
import zlib

import numpy as np
import pytest

from hwgen.data.formats import byte_stream
from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.samples import FormatError

DATA = bytes(np.random.default_rng(3).integers(0, 256, 200000).astype(np.uint8))


class Counting(io.BytesIO):
    """What was asked of it."""

    def __init__(self, data):
        super().__init__(data)
        self.asked = []

    def read(self, size=-1):
        self.asked.append(size)
        return super().read(size)


def refusal(call, *arguments):
    with pytest.raises(FormatError) as caught:
        call(*arguments)
    return str(caught.value), caught.value.reason


def test_what_is_taken_and_looked_ahead_is_what_stands_there():
    """Any mixture of the two gives the bytes of the file in order; looking ahead moves nothing."""
    stream, rng, place = ByteStream(io.BytesIO(DATA), size=len(DATA), name='x'), np.random.default_rng(0), 0
    assert (stream.offset, stream.remaining, stream.place, stream.name, stream.size) == (
        0,
        200000,
        '',
        'x',
        200000,
    )
    while place < len(DATA):
        count = int(rng.choice([0, 1, 7, 3000, 70000]))
        assert stream.ahead(count) == DATA[place : place + count] and stream.offset == place
        count = min(int(rng.choice([1, 5, 4096, 40000])), len(DATA) - place)
        assert stream.take(count, 'record') == DATA[place : place + count]
        place += count
        assert (stream.offset, stream.remaining) == (place, len(DATA) - place)
    assert stream.ahead(9) == b'' and stream.check_end() is None


def test_it_reads_in_pieces_of_64_kb_and_no_byte_twice():
    file = Counting(DATA)
    stream = ByteStream(file, size=len(DATA), name='x')
    for count in (10, 65526, 3, 134000, 0):
        stream.take(count, 'record')
    # 65,536 hold the first two; the third needs 3 more; the fourth what then is missing of 134,000.
    assert file.asked == [65536, 65536, 134000 - 65533]


def test_sizes_are_held_against_what_remains_and_against_a_bound(monkeypatch):
    monkeypatch.setattr(byte_stream, 'MAX_TAKE_BYTES', 100)
    stream = ByteStream(io.BytesIO(DATA), size=350, name='a.gnt')
    assert refusal(stream.take, 351, 'sample') == (
        'a.gnt, byte 0: sample of 351 bytes, 350 bytes remain (truncated or corrupt)',
        'truncated',
    )
    assert refusal(stream.take, 101, 'sample') == (
        'a.gnt, byte 0: sample of 101 bytes, expected at most 100',
        'size',
    )
    assert stream.offset == 0 and stream.take(100, 'sample') == DATA[:100]
    assert len(stream.ahead(10**9)) == 200  # twice the bound, of 250 that remain
    assert stream.take(100, 'sample') == DATA[100:200] and len(stream.ahead(10**9)) == 150
    assert stream.take(100, 'sample') + stream.take(50, 'sample') == DATA[200:350]
    assert refusal(stream.take, 1, 'sample') == (
        'a.gnt, byte 350: sample of 1 bytes, 0 bytes remain (truncated or corrupt)',
        'truncated',
    )


def test_the_bound_is_64_mb():
    stream = ByteStream(io.BytesIO(b''), size=1 << 40, name='x')
    assert (
        refusal(stream.take, (1 << 26) + 1, 'file')[1] == 'size'
        and refusal(stream.take, 1 << 26, 'file')[1] == 'truncated'
    )


def test_a_file_that_ends_before_its_size():
    stream = ByteStream(io.BytesIO(DATA[:30]), size=99, name='a.gnt')
    stream.take(20, 'header')
    stream.place = 'sample 2'
    assert stream.ahead(40) == DATA[20:30]
    assert refusal(stream.take, 40, 'image') == (
        'a.gnt, sample 2, byte 20: image of 40 bytes, the file ends 30 bytes before (truncated)',
        'truncated',
    )
    assert stream.take(10, 'image') == DATA[20:30]
    assert refusal(stream.check_end) == (
        'a.gnt, sample 2, byte 30: 69 bytes after the last record, expected the end of the file',
        'trailing',
    )


def test_numbers():
    stream = ByteStream(io.BytesIO(bytes.fromhex('ff01 02000000 fe')), size=7, name='x')
    assert (
        stream.unpack('<Bb', 'pair') == (255, 1)
        and stream.unpack('<i', 'number') == (2,)
        and stream.offset == 6
    )
    assert refusal(stream.unpack, '<h', 'number of points') == (
        'x, byte 6: number of points of 2 bytes, 1 bytes remain (truncated or corrupt)',
        'truncated',
    )


def test_errors_name_file_record_and_byte():
    stream = ByteStream(io.BytesIO(DATA), size=len(DATA), name='a.gnt')
    stream.take(12, 'header')
    assert str(stream.error('no', reason='size')) == 'a.gnt, byte 12: no'
    stream.place = 'line 3'
    assert (
        str(stream.error('no', reason='size')) == 'a.gnt, line 3, byte 12: no'
        and stream.error('no', reason='magic').reason == 'magic'
    )
    assert str(stream.error('no', reason='size', offset=0)) == 'a.gnt, line 3, byte 0: no'


@pytest.mark.parametrize(
    'raised',
    [
        zipfile.BadZipFile('crc'),
        zlib.error('crc'),
        OSError('crc'),
        EOFError('crc'),
        NotImplementedError('crc'),
        RuntimeError('crc'),
    ],
)
def test_whatever_an_archive_says_is_an_error_of_the_format(raised):
    class Broken(io.BytesIO):
        """An archive's member whose data are damaged."""

        def read(self, size=-1):
            raise raised

    stream = ByteStream(Broken(), size=9, name='a.zip/x')
    assert refusal(stream.ahead, 2) == (
        'a.zip/x, byte 0: the archive cannot be read further (crc)',
        'archive',
    )
