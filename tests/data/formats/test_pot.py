"""CASIA-OLHWDB1.x.

The layout is held against a straightforward reader (`plain_pot`, as public scripts read .pot, codes as
numbers of 4 bytes), and against the published counts of a writer of OLHWDB1.0 (4,037 samples, 3,866 of them
hanzi)."""

import struct

import numpy as np
import pytest
from foreign_files import codes, on_disk, plain_pot, pot_bytes, pot_sample, refused, spoil
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.data.formats.readers.pot import read_pot
from hwgen.data.formats.samples import FormatError

HANZI = ''.join(
    bytes([high, low]).decode('gb2312') for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)
)
STROKES = [[(10, 10), (20, 12)], [(15, 5), (15, 25), (14, 30)]]


def test_bytes_worked_by_hand():
    """啊 is GB B0A1, stored as A1 B0 00 00; two strokes; 2 + 4 + 2 + 6 * 4 bytes."""
    data = bytes.fromhex('2000 a1b00000 0200 01000200 03000400 ffff0000 05000600 ffff0000 ffffffff')
    (sample,) = read_pot(on_disk('001.pot', data))
    assert (sample.text, sample.writer, sample.record, sample.offset) == ('啊', '001', 1, 0)
    assert [stroke.tolist() for stroke in sample.strokes] == [[[1, 2], [3, 4]], [[5, 6]]]


points = st.lists(st.tuples(st.integers(0, 20000), st.integers(0, 20000)), min_size=1, max_size=9)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(HANZI), st.lists(points, min_size=1, max_size=5)), min_size=1, max_size=6
    )
)
def test_round_trip(samples):
    data = pot_bytes(samples)
    plain = list(plain_pot(data))
    assert plain == [(text, [[tuple(p) for p in stroke] for stroke in strokes]) for text, strokes in samples]
    # Few samples: their order is a matter of votes. The documented one wins where no code speaks against it.
    read = list(
        read_pot(
            on_disk(
                '001.pot', pot_bytes([*samples, *[(c, STROKES) for c in '天地玄黄宇宙洪荒日月盈昃辰宿列张']])
            )
        )
    )
    assert [s.text for s in read[: len(samples)]] == [text for text, _ in samples]
    for sample, (_, strokes) in zip(read, samples):
        assert [stroke.tolist() for stroke in sample.strokes] == [
            [list(p) for p in stroke] for stroke in strokes
        ]


@pytest.mark.parametrize('order', ['little', 'big'])
@pytest.mark.parametrize('code_length', [4, 2])
def test_a_writer_of_olhwdb1_0_in_each_version(order, code_length):
    """4,037 samples, 3,866 of them hanzi, the codes in either order and length."""
    level_2 = [
        bytes([high, low]).decode('gb2312') for high in range(0xD8, 0xDC) for low in range(0xA1, 0xFF)
    ][:200]
    symbols = [chr(i) for i in range(33, 127)] + [
        bytes([0xA3, low]).decode('gb2312') for low in range(0xB0, 0xFD)
    ]
    classes = [*HANZI, *level_2, *symbols[:171]]
    read = list(
        read_pot(
            on_disk(
                '001.pot', pot_bytes([(c, STROKES) for c in classes], order=order, code_length=code_length)
            )
        )
    )
    assert [s.text for s in read] == classes and len(read) == 4037 and len({s.text for s in read}) == 4037
    assert sum('一' <= s.text <= '鿿' for s in read) == 3866


def test_a_sample_longer_than_its_size_field_can_say():
    long = np.arange(40000).reshape(-1, 2) % 9000
    read = list(read_pot(on_disk('001.pot', pot_bytes([('天', STROKES), ('地', [long]), ('玄', STROKES)]))))
    assert [s.text for s in read] == ['天', '地', '玄']
    np.testing.assert_array_equal(read[1].strokes[0], long)


GOOD = pot_bytes([(c, STROKES) for c in '天地玄'])
SIZE = len(GOOD) // 3


@pytest.mark.parametrize(
    'change, message, kept, reason',
    [
        (
            lambda d: d[:-2],
            'sample 3, byte 80: sample of 40 bytes, 38 bytes remain (truncated or corrupt)',
            '天地',
            'truncated',
        ),
        (
            lambda d: d + b'\1',
            'sample 4, byte 120: sample of 1 bytes, expected an even number from 10',
            '天地玄',
            'size',
        ),
        (
            lambda d: d[:SIZE] + b'\0\0' + d[SIZE + 2 :],
            'sample 2, byte 40: size field of 0 bytes, the end (-1, -1) is after 40; read on behind it',
            '天玄',
            'size',
        ),
        (
            lambda d: d[:SIZE] + b'\x24\0' + d[SIZE + 2 :],
            'sample 2, byte 40: size field of 36 bytes, the end (-1, -1) is after 40; read on behind it',
            '天玄',
            'size',
        ),
        (
            lambda d: d[:SIZE] + b'\x29\0' + d[SIZE + 2 :],
            'sample 2, byte 40: size field of 41 bytes, the end (-1, -1) is after 40; read on behind it',
            '天玄',
            'size',
        ),
        (
            lambda d: d[:SIZE] + b'\0\0' + d[SIZE + 2 : 2 * SIZE - 4] + b'\1\0\1\0' + d[2 * SIZE :],
            'sample 2, byte 40: size field of 0 bytes, the end (-1, -1) is after 80; read on behind it',
            '天',
            'size',
        ),
        (
            lambda d: d[: SIZE + 6] + b'\7\0' + d[SIZE + 8 :],
            'sample 2, byte 40: 2 ends of strokes (-1, 0), expected 7 and the last before the end (-1, -1)',
            '天玄',
            'strokes',
        ),
        (
            lambda d: d[: 2 * SIZE - 4] + b'\1\0\1\0' + d[2 * SIZE :],
            'sample 2, byte 40: sample of 65576 bytes, 80 bytes remain (truncated or corrupt)',
            '天玄',
            'truncated',
        ),
        (
            lambda d: d[: 2 * SIZE - 12] + b'\xff' * 4 + d[2 * SIZE - 8 :],
            'sample 2, byte 40: end (-1, -1) after 32 bytes, expected it at the end of 40 bytes',
            '天玄',
            'size',
        ),
        (
            lambda d: pot_bytes([('天', STROKES), ('地', []), ('玄', STROKES)]),
            'sample 2, byte 40: no stroke with a point, expected at least one',
            '天玄',
            'strokes',
        ),
    ],
)
def test_damaged(change, message, kept, reason):
    file = on_disk('x.pot', change(GOOD))
    with pytest.raises(FormatError) as caught:
        list(read_pot(file))
    samples, (error,) = refused(read_pot, file)
    assert ''.join(s.text for s in samples) == kept
    assert (
        str(error) == str(caught.value) == f'x.pot, {message}'
        and error.reason == caught.value.reason == reason
    )


@pytest.mark.parametrize('points', [16379, 16380, 16381, 16382, 32764, 32800, 49200])
def test_sizes_of_which_little_or_nothing_is_left_modulo_65536(points):
    """16 bytes and 4 a point: 16,380 points have the size 0, one more the size 4; twice and three times as
    many begin anew.
    """
    long = np.arange(2 * points).reshape(-1, 2) % 9000
    data = pot_bytes([('天', STROKES), ('地', [long]), ('玄', STROKES)])
    assert struct.unpack('<H', data[40:42])[0] == (16 + 4 * points) % 65536
    samples = list(read_pot(on_disk('001.pot', data)))
    assert [s.text for s in samples] == ['天', '地', '玄'] and [s.offset for s in samples] == [
        0,
        40,
        56 + 4 * points,
    ]
    np.testing.assert_array_equal(samples[1].strokes[0], long)


def test_codes_of_two_bytes_and_a_size_of_two():
    """14 bytes and 4 a point: 65,538."""
    long = np.arange(2 * 16381).reshape(-1, 2) % 9000
    assert 14 + 4 * len(long) == 65536 + 2
    samples = list(
        read_pot(
            on_disk('001.pot', pot_bytes([('天', STROKES), ('地', [long]), ('玄', STROKES)], code_length=2))
        )
    )
    assert [s.text for s in samples] == ['天', '地', '玄'] and len(samples[1].strokes[0]) == 16381


def test_a_sample_without_an_end():
    """It is looked for in 1 MB."""
    data = struct.pack('<H', 60) + codes('天', 4) + struct.pack('<H', 1) + bytes([1, 0]) * (1 << 20)
    with pytest.raises(FormatError) as caught:
        list(read_pot(on_disk('x.pot', data)))
    assert (str(caught.value), caught.value.reason) == (
        'x.pot, sample 1, byte 0: no end (-1, -1) within 1048576 bytes',
        'size',
    )
    long = np.ones((262136, 2), int)  # 1,048,560 bytes
    (sample,) = read_pot(on_disk('x.pot', pot_bytes([('天', [long])])))
    assert len(sample.strokes[0]) == 262136


def test_points_that_are_nearly_ends():
    stroke = [(-1, 5), (3, -1), (0, 0), (-1, 1), (0, -1), (-32768, 32767)]
    (sample,) = read_pot(on_disk('x.pot', pot_bytes([('天', [stroke, [(7, 7)]])])))
    assert [s.tolist() for s in sample.strokes] == [[list(p) for p in stroke], [[7, 7]]] and sample.strokes[
        0
    ].dtype == np.int32


def test_strokes_of_no_points_are_none():
    (sample,) = read_pot(on_disk('x.pot', pot_bytes([('天', [[], [(1, 2), (3, 4)], [], [(5, 6)], []])])))
    assert [s.tolist() for s in sample.strokes] == [[[1, 2], [3, 4]], [[5, 6]]]


@pytest.mark.parametrize(
    'count, points, found',
    [
        (1, [(1, 1), (-1, 0), (2, 2), (-1, -1)], 1),
        (0, [(2, 2), (-1, -1)], 0),
        (0, [(1, 1), (-1, 0), (-1, -1)], 1),
        (2, [(1, 1), (-1, 0), (-1, -1)], 1),
    ],
)
def test_ends_of_strokes(count, points, found):
    """As many as the header says, the last one before the end of the character."""
    body = codes('天', 4) + struct.pack('<H', count) + np.array(points, '<i2').tobytes()
    samples, (error,) = refused(
        read_pot, on_disk('x.pot', struct.pack('<H', 2 + len(body)) + body + pot_bytes([('地', STROKES)]))
    )
    assert [(s.text, s.record, s.offset) for s in samples] == [('地', 2, 2 + len(body))]
    assert (
        str(error)
        == f'x.pot, sample 1, byte 0: {found} ends of strokes (-1, 0), expected {count} and the last before'
        ' the end (-1, -1)'
        and error.reason == 'strokes'
    )


@pytest.mark.parametrize('code_length, length', [(4, 40), (2, 38)])
@pytest.mark.parametrize('size', [0, 24, 22, 60000])
def test_behind_a_wrong_size_the_end_mark_tells_where_to_go_on(code_length, length, size):
    """24 bytes on stands a number that could be a size, 15, and no end mark behind that; the codes may
    have two bytes.
    """
    data = bytearray(pot_bytes([('天', STROKES), ('地', STROKES), ('玄', STROKES)], code_length=code_length))
    assert len(data) == 3 * length
    data[length : length + 2] = struct.pack('<H', size)
    samples, (error,) = refused(read_pot, on_disk('x.pot', bytes(data)))
    assert [(s.text, s.record, s.offset) for s in samples] == [('天', 1, 0), ('玄', 3, 2 * length)]
    assert (
        str(error)
        == f'x.pot, sample 2, byte {length}: size field of {size} bytes, the end (-1, -1) is after {length};'
        ' read on behind it'
        and error.reason == 'size'
    )


def test_a_character_of_no_strokes_at_all():
    with pytest.raises(FormatError, match='no stroke with a point'):
        list(read_pot(on_disk('x.pot', pot_sample(codes('天', 4), []))))


@pytest.mark.parametrize(
    'straight, swapped, order',
    [(0, 0, 'swapped'), (1, 0, 'straight'), (1, 1, 'swapped'), (2, 1, 'straight'), (1, 2, 'swapped')],
)
def test_the_order_of_codes_is_that_of_most(straight, swapped, order):
    """中, D6 D0, looks like hanzi in either order (D0 D6 is 兄); 地 with B5 D8 as well, 啊, B0 A1, in one
    alone.
    """
    data = (
        pot_sample(codes('啊', 4), STROKES) * straight
        + pot_sample(codes('啊')[::-1] + bytes(2), STROKES) * swapped
        + pot_sample(codes('中', 4), STROKES) * 3
    )
    texts = [s.text for s in read_pot(on_disk('x.pot', data))]
    assert texts[-3:] == ['中' if order == 'straight' else bytes([0xD0, 0xD6]).decode('gbk')] * 3
    assert texts[:straight] == (
        ['啊'] * straight if order == 'straight' else [bytes([0xA1, 0xB0]).decode('gbk')] * straight
    )


def test_codes_are_counted_up_to_a_size_that_is_none():
    """Behind it the points are no samples, though they may look like hanzi whose bytes are swapped."""
    stroke = [(1, 1), (20, 0xB0A1 - 65536), (0, 5), (2, 2), (2, 2), (2, 2), (20, 0xB0A1 - 65536), (0, 5)]
    data = pot_sample(codes('啊', 4), [stroke], size=4) + pot_sample(codes('中', 4), STROKES)
    samples, (error,) = refused(read_pot, on_disk('x.pot', data))
    assert [s.text for s in samples] == ['中'] and 'size field of 4 bytes' in str(error)


def test_codes_that_decode_to_nothing_are_kept_and_marked():
    data = (
        pot_sample(b'\xff\xff\xff\xff', STROKES) + pot_sample(bytes(4), STROKES) + pot_bytes([('A', STROKES)])
    )
    assert [s.text for s in read_pot(on_disk('x.pot', data))] == ['�', '�', 'A']


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_crash_it(data):
    spoilt = spoil(data, GOOD, st.sampled_from([0, 1, 2, 4, 127, 255]))
    samples, errors = refused(read_pot, on_disk('x.pot', spoilt))
    assert sum(len(stroke) * 4 for s in samples for stroke in s.strokes) <= len(spoilt)
    assert all(str(error).startswith('x.pot, ') and ', byte ' in str(error) for error in errors)
