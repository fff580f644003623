"""CASIA-HWDB1.x.

The layout is held against a straightforward reader (`plain_gnt`, what pycasia and many scripts do), and
against the published counts of a writer of HWDB1.0 (3,866 hanzi and 171 symbols)."""

import struct

import numpy as np
import pytest
from foreign_files import glyph, gnt_bytes, gnt_sample, on_disk, plain_gnt, refused, spoil
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.charset.encoding import Charset
from hwgen.data.formats.readers import gnt
from hwgen.data.formats.readers.gnt import read_gnt
from hwgen.data.formats.samples import FormatError

RNG = np.random.default_rng(0)
HANZI = ''.join(
    bytes([high, low]).decode('gb2312') for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)
)


def test_bytes_worked_by_hand(tmp_path):
    """啊 is GB B0A1, stored as B0 A1; 2 px wide and 3 high; 10 + 6 bytes."""
    data = bytes.fromhex('10000000 b0a1 0200 0300') + bytes([0, 1, 2, 3, 4, 255])
    (sample,) = read_gnt(on_disk('1001-c.gnt', data))
    assert (sample.text, sample.writer, sample.record, sample.offset, sample.codes) == (
        '啊',
        '1001',
        1,
        0,
        (b'\xb0\xa1',),
    )
    np.testing.assert_array_equal(sample.image, [[0, 1], [2, 3], [4, 255]])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(HANZI + 'Aa0，！～'), st.integers(1, 30), st.integers(1, 30)), max_size=8
    ),
    st.integers(0, 99),
)
def test_round_trip(samples, seed):
    rng = np.random.default_rng(seed)
    written = [(text, glyph(rng, height, width)) for text, height, width in samples]
    data = gnt_bytes(written)
    read, plain = list(read_gnt(on_disk('001-f.gnt', data))), list(plain_gnt(data))
    assert [s.text for s in read] == [t for t, _ in written] == [t for t, _ in plain]
    for sample, (_, image), (_, other) in zip(read, written, plain):
        np.testing.assert_array_equal(sample.image, image)
        np.testing.assert_array_equal(sample.image, other)
        assert data[sample.offset :][:4] == struct.pack('<I', 10 + image.size)
    assert [s.record for s in read] == list(range(1, len(written) + 1))


def test_a_writer_of_hwdb1_0():
    """4,037 samples, 3,866 of them hanzi: a file of that many classes, each once."""
    charset = Charset.load()
    level_2 = [bytes([high, low]).decode('gb2312') for high in range(0xD8, 0xF8) for low in range(0xA1, 0xFF)]
    symbols = [
        charset.characters[i]
        for i in charset.character_set('symbols')
        if 0 < len(charset.characters[i].encode('gbk', 'ignore')) < 3
    ]
    classes = [*HANZI[:3666], *level_2[:200], *symbols[:171]]
    read = list(read_gnt(on_disk('001-f.gnt', gnt_bytes([(c, np.zeros((2, 3), np.uint8)) for c in classes]))))
    assert len(symbols) >= 171 and len(read) == 4037 and len({s.text for s in read}) == 4037
    assert sum('一' <= s.text <= '鿿' for s in read) == 3866


GOOD = gnt_bytes([('天', glyph(RNG, 5, 4)), ('地', glyph(RNG, 3, 6)), ('玄', glyph(RNG, 4, 4))])
SECOND = 30  # where 地 starts


@pytest.mark.parametrize(
    'change, message, kept, reason',
    [
        (
            lambda d: d[:-3],
            (
                'sample 3, byte 58: sample of 26 bytes (4 x 4 px), 23 bytes remain (truncated or corrupt);'
                ' the rest of the file, 23 bytes, is not read'
            ),
            '天地',
            'truncated',
        ),
        (
            lambda d: d + b'\0\0\0',
            'sample 4, byte 84: 3 bytes, expected a header of 10 or the end of the file',
            '天地玄',
            'trailing',
        ),
        (
            lambda d: d[: SECOND + 6] + b'\0\0' + d[SECOND + 8 :],
            'sample 2, byte 30: image of 0 x 3 px, expected at least 1 x 1',
            '天玄',
            'size',
        ),
        (
            lambda d: d[: SECOND + 6] + b'\xff\xff\xff\xff' + d[SECOND + 10 :],
            'sample 2, byte 30: image of 65535 x 65535 px, expected at most 16777216 pixels',
            '天玄',
            'size',
        ),
        (
            lambda d: d[:SECOND] + b'\xff\xff\xff\xff' + d[SECOND + 4 :],
            (
                'sample 2, byte 30: sample of 4294967295 bytes, expected 28 for an image of 6 x 3 px: a wrong'
                ' size, read on behind the image'
            ),
            '天玄',
            'size',
        ),
        (
            lambda d: d[:SECOND] + b'\0\0\0\0' + d[SECOND + 4 :],
            (
                'sample 2, byte 30: sample of 0 bytes, expected 28 for an image of 6 x 3 px: a wrong size,'
                ' read on behind the image'
            ),
            '天玄',
            'size',
        ),
        (
            lambda d: d[:58] + b'\x0b' + d[59:],
            (
                'sample 3, byte 58: sample of 11 bytes, expected 26 for an image of 4 x 4 px: a wrong size,'
                ' read on behind the image'
            ),
            '天地',
            'size',
        ),
        (
            lambda d: d[:SECOND] + b'\xff\xff\xff\xff' + d[SECOND + 4 : SECOND + 6] + b'\7' + d[SECOND + 7 :],
            (
                'sample 2, byte 30: sample of 4294967295 bytes, expected 31 for an image of 7 x 3 px; the'
                ' rest of the file, 54 bytes, is not read'
            ),
            '天',
            'size',
        ),
        (
            lambda d: d[: SECOND + 6] + b'\x07\0' + d[SECOND + 8 :],
            'sample 2, byte 30: sample of 28 bytes, expected 31 for an image of 7 x 3 px',
            '天玄',
            'size',
        ),
        (
            lambda d: b'PK\3\4' + bytes(40),
            (
                'sample 1, byte 0: image of 0 x 0 px, expected at least 1 x 1; the rest of the file, 44'
                ' bytes, is not read'
            ),
            '',
            'size',
        ),
    ],
)
def test_damaged(change, message, kept, reason):
    file = on_disk('001-f.gnt', change(GOOD))
    with pytest.raises(FormatError) as caught:
        list(read_gnt(file))
    samples, (error,) = refused(read_gnt, file)
    assert ''.join(s.text for s in samples) == kept
    assert (
        str(error) == str(caught.value) == f'001-f.gnt, {message}'
        and error.reason == caught.value.reason == reason
    )


def test_behind_a_sample_that_is_left_out_the_others_keep_their_numbers():
    file = on_disk('001-f.gnt', GOOD[: SECOND + 6] + bytes(2) + GOOD[SECOND + 8 :])
    (first, third), _ = refused(read_gnt, file)
    assert [(s.text, s.record, s.offset, s.writer) for s in (first, third)] == [
        ('天', 1, 0, '001'),
        ('玄', 3, 58, '001'),
    ]
    np.testing.assert_array_equal(third.image, np.frombuffer(GOOD[68:], np.uint8).reshape(4, 4))


def test_the_last_sample_and_two_damaged_ones_in_a_row():
    """At the end of the file nothing needs to follow; between two damaged samples there is no place to
    read on from.
    """
    samples, (error,) = refused(read_gnt, on_disk('x.gnt', GOOD[:64] + bytes(2) + GOOD[66:]))
    assert [s.text for s in samples] == ['天', '地'] and str(
        error
    ) == 'x.gnt, sample 3, byte 58: image of 0 x 4 px, expected at least 1 x 1'
    samples, (error,) = refused(
        read_gnt, on_disk('x.gnt', GOOD[:36] + bytes(2) + GOOD[38:64] + bytes(2) + GOOD[66:])
    )
    assert (
        [s.text for s in samples] == ['天']
        and str(error).startswith('x.gnt, sample 2, byte 30: image of 0 x 3 px')
        and str(error).endswith('54 bytes, is not read')
    )
    # 9 bytes are no header
    samples, (error,) = refused(read_gnt, on_disk('x.gnt', GOOD[:36] + bytes(2) + GOOD[38:67]))
    assert [s.text for s in samples] == ['天'] and 'the rest of the file, 37 bytes, is not read' in str(error)
    # 23 bytes are no sample of 26
    samples, (error,) = refused(read_gnt, on_disk('x.gnt', GOOD[:36] + bytes(2) + GOOD[38:-3]))
    assert [s.text for s in samples] == ['天'] and 'the rest of the file, 51 bytes, is not read' in str(error)


def test_where_both_sizes_may_be_right_that_of_the_sample_is_taken():
    """11 x 4 px would reach to the end of the file, 28 bytes to the next sample."""
    samples, (error,) = refused(read_gnt, on_disk('x.gnt', GOOD[:36] + struct.pack('<HH', 11, 4) + GOOD[40:]))
    assert [s.text for s in samples] == ['天', '玄'] and str(
        error
    ) == 'x.gnt, sample 2, byte 30: sample of 28 bytes, expected 54 for an image of 11 x 4 px'


def test_a_header_alone_is_a_sample_of_no_pixels():
    samples, (error,) = refused(
        read_gnt, on_disk('x.gnt', GOOD + gnt_bytes([('黄', np.zeros((0, 0), np.uint8))]))
    )
    assert (
        len(samples) == 3
        and str(error) == 'x.gnt, sample 4, byte 84: image of 0 x 0 px, expected at least 1 x 1'
        and error.reason == 'size'
    )


def test_the_largest_image(monkeypatch):
    monkeypatch.setattr(gnt, 'MAX_LINE_PIXELS', 20)
    largest, larger = (gnt_bytes([('天', glyph(RNG, height, width))]) for height, width in ((4, 5), (3, 7)))
    (sample,) = read_gnt(on_disk('x.gnt', largest))
    assert sample.image.shape == (4, 5) and sample.image.dtype == np.uint8
    with pytest.raises(
        FormatError,
        match='image of 7 x 3 px, expected at most 20 pixels; the rest of the file, 31 bytes, is not read',
    ):
        list(read_gnt(on_disk('x.gnt', larger)))
    with pytest.raises(FormatError, match='image of 2 x 0 px, expected at least 1 x 1'):
        list(read_gnt(on_disk('x.gnt', gnt_bytes([('天', glyph(RNG, 0, 2))]))))


def test_codes_that_decode_to_nothing_are_kept_and_marked():
    data = b''.join(
        gnt_sample(code, np.zeros((1, 1), np.uint8))
        for code in (b'\xff\xff', b'\0\0', b'A\0', b'\0A', b'\x80\x20')
    )
    assert [s.text for s in read_gnt(on_disk('x.gnt', data))] == ['�', '�', 'A', 'A', '�']


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_crash_it(data):
    spoilt = spoil(data, GOOD, st.integers(0, 255))
    file = on_disk('x.gnt', spoilt)
    samples, errors = refused(read_gnt, file)
    assert sum(s.image.size for s in samples) <= len(spoilt)
    for error in errors:
        assert str(error).startswith('x.gnt, sample ') and ', byte ' in str(error)
    if errors:
        with pytest.raises(FormatError):
            list(read_gnt(file))
