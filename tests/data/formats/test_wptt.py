"""CASIA-OLHWDB2.x pages.

The layout is held against a straightforward reader (`plain_wptt`, as a public reader of .wptt and one of
.ptts go through it: the illustration's zero ends it, the header's size is not asked)."""

import struct

import numpy as np
import pytest
from foreign_files import codes, on_disk, plain_wptt, ptts_bytes, refused, spoil, wptt_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.data.formats.readers import wptt
from hwgen.data.formats.readers.wptt import read_wptt
from hwgen.data.formats.samples import FormatError

STROKES = [[(1, 2), (3, 4)], [(5, 6)], [(7, 8), (9, 10), (11, 12)], [(40000, 65535)]]
LINES = [('天地', [0, 1]), ('玄', [3, 2])]
PAGE = wptt_bytes(STROKES, LINES)
START = 54 + 8  # of the page's three numbers


def test_page():
    first, second = read_wptt(on_disk('501-P14.wptt', PAGE))
    assert (first.text, first.writer, first.record, first.codes) == (
        '天地',
        '501',
        1,
        (b'\xcc\xec', b'\xb5\xd8'),
    )
    assert [s.tolist() for s in first.strokes] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert [s.tolist() for s in second.strokes] == [[[40000, 65535]], [[7, 8], [9, 10], [11, 12]]]
    assert PAGE[second.offset : second.offset + 2] == b'\2\0'


@settings(max_examples=30)
@given(st.data())
def test_round_trip(data):
    point = st.tuples(st.integers(0, 65535), st.integers(0, 65535))
    strokes = data.draw(st.lists(st.lists(point, min_size=1, max_size=5), min_size=1, max_size=8))
    order = data.draw(st.permutations(range(len(strokes))))
    cut = data.draw(st.integers(1, len(strokes)))
    lines = [
        (data.draw(st.text(st.sampled_from('天地玄黄A，'), min_size=1, max_size=6)), part)
        for part in (order[:cut], order[cut:])
        if part
    ]
    name, write = data.draw(st.sampled_from([('501-P14.wptt', wptt_bytes), ('501-P14.ptts', ptts_bytes)]))
    page = write(strokes, lines, header_extra=data.draw(st.sampled_from([0, 4, 12])))
    read, plain = (
        list(read_wptt(on_disk(name, page))),
        list(plain_wptt(page, by_character=write is ptts_bytes)),
    )
    assert [line.text for line in read] == [text for text, _ in lines] == [text for text, _ in plain]
    for line, (_, members), (_, other) in zip(read, lines, plain):
        assert [s.tolist() for s in line.strokes] == [[list(p) for p in strokes[i]] for i in members]
        assert [[tuple(p) for p in s.tolist()] for s in line.strokes] == other


def test_pages_whose_characters_name_their_strokes():
    """The format code or the name tells them."""
    for name, kind in (
        ('C001-P16.ptts', b'PTTS'),
        ('C001-P16.wptt', b'PTTS'),
        ('C001-P16.PTTS', b'WPTT'),
        ('C001-P16.ptts', b'page'),
    ):
        first, second = read_wptt(on_disk(name, ptts_bytes(STROKES, LINES, kind=kind)))
        assert (first.text, first.writer, second.text) == ('天地', 'C001', '玄')
        assert [s.tolist() for s in second.strokes] == [[[40000, 65535]], [[7, 8], [9, 10], [11, 12]]]


def put(offset, layout, *values):
    return lambda d: d[:offset] + struct.pack(layout, *values) + d[offset + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    'change, message, kept, reason',
    [
        (
            put(0, '<i', 12),
            (
                'header, byte 0: header of 12 bytes, expected 62, where the zero of the illustration is; read'
                ' on there'
            ),
            2,
            'header',
        ),
        (put(4, '4s', b'DGRL'), "header, byte 4: format code b'DGRL', expected WPTT or PTTS", 0, 'magic'),
        (
            lambda d: ptts_bytes(STROKES, LINES)[:-1],
            'line 2, byte 144: 2 numbers of strokes of 4 bytes, 3 bytes remain (truncated or corrupt)',
            1,
            'truncated',
        ),
        (
            lambda d: ptts_bytes(STROKES, LINES).replace(b'\xd0\xfe\2\0\3', b'\xd0\xfe\2\0\7'),
            'line 2, byte 132: stroke 7, expected 0 to 3',
            1,
            'strokes',
        ),
        (put(20, '20s', b'BIG5'), "header, byte 20: code type 'BIG5', expected GB or ASCII", 0, 'header'),
        (put(40, '<h', 7), 'header, byte 40: codes of 7 bytes, expected 1, 2 or 4', 0, 'header'),
        (put(42, '20s', b'float'), "header, byte 42: data type 'float', expected short", 0, 'header'),
        (
            put(START + 8, '<i', 0),
            'header, byte 70: 0 strokes, expected 1 to 30 (60 bytes remain)',
            0,
            'size',
        ),
        (
            put(START + 8, '<i', 0x7FFFFFFF),
            'header, byte 70: 2147483647 strokes, expected 1 to 30 (60 bytes remain)',
            0,
            'size',
        ),
        (
            put(START + 12, '<H', 65535),
            'stroke 0, byte 76: 65535 points of 262140 bytes, 58 bytes remain (truncated or corrupt)',
            0,
            'truncated',
        ),
        (
            lambda d: d[:-1],
            'line 2, byte 132: 1 codes of 2 bytes, 1 bytes remain (truncated or corrupt)',
            1,
            'truncated',
        ),
        (
            lambda d: d + b'\0',
            'after line 2, byte 134: 1 bytes after the last record, expected the end of the file',
            2,
            'trailing',
        ),
        (
            lambda d: wptt_bytes(STROKES, [*LINES[:1], ('黄', [4]), *LINES[1:]]),
            'line 2, byte 124: stroke 4, expected 0 to 3',
            2,
            'strokes',
        ),
        (
            lambda d: wptt_bytes(STROKES, [*LINES[:1], ('黄', []), *LINES[1:]]),
            'line 2, byte 124: 1 characters and 0 strokes, expected at least one of each',
            2,
            'strokes',
        ),
        (
            lambda d: wptt_bytes(STROKES, [*LINES[:1], ('', [1]), *LINES[1:]]),
            'line 2, byte 124: 0 characters and 1 strokes, expected at least one of each',
            2,
            'strokes',
        ),
        (
            lambda d: wptt_bytes(STROKES, [*LINES, ('黄', [2] * 9)]),
            'line 3, byte 134: the lines name their strokes more than twice',
            2,
            'strokes',
        ),
    ],
)
def test_damaged(change, message, kept, reason):
    file = on_disk('x.wptt', change(PAGE))
    with pytest.raises(FormatError) as caught:
        list(read_wptt(file))
    samples, (error,) = refused(read_wptt, file)
    assert [s.text for s in samples] == [text for text, _ in LINES[:kept]]
    assert (
        str(error) == str(caught.value) == f'x.wptt, {message}'
        and error.reason == caught.value.reason == reason
    )


@pytest.mark.parametrize(
    'extra, told', [(-54, True), (-2, True), (-1, False), (0, False), (12, False), (13, True)]
)
def test_sizes_of_headers(extra, told):
    """54 with the illustration, one less without its zero, 66 with the page's three numbers; another costs
    nothing but a word.
    """
    lines, errors = refused(read_wptt, on_disk('x.wptt', wptt_bytes(STROKES, LINES, header_extra=extra)))
    assert [line.text for line in lines] == ['天地', '玄']
    assert [str(error) for error in errors] == [
        f'x.wptt, header, byte 0: header of {62 + extra} bytes, expected 62, where the zero of the'
        ' illustration is; read on there'
    ] * told


@pytest.mark.parametrize(
    'illustration, read', [(b'\0', True), (b'x' * 65535 + b'\0', True), (b'x' * 65536 + b'\0', False)]
)
def test_the_zero_of_the_illustration(illustration, read):
    file = on_disk('x.wptt', wptt_bytes(STROKES, LINES, illustration=illustration))
    if read:
        assert [line.text for line in read_wptt(file)] == ['天地', '玄']
        return
    with pytest.raises(FormatError) as caught:
        list(read_wptt(file))
    assert (str(caught.value), caught.value.reason) == (
        'x.wptt, header, byte 12: illustration without a final zero',
        'header',
    )


@pytest.mark.parametrize(
    'change',
    [
        put(4, '8s', b'wptt'),
        put(4, '8s', b' Wptt '),
        put(4, '8s', b'WPTT\0DGR'),
        put(42, '20s', b''),
        put(42, '20s', b'SHORT'),
        put(42, '20s', b' unsigned short'),
    ],
)
def test_what_is_written_in_another_way_in_headers(change):
    assert [line.text for line in read_wptt(on_disk('x.wptt', change(PAGE)))] == ['天地', '玄']


@pytest.mark.parametrize('length, label', [(1, b'Hi'), (4, codes('天', 4) + '𠀀'.encode('gb18030'))])
@pytest.mark.parametrize('by_character', [False, True])
def test_codes_of_one_and_of_four_bytes(length, label, by_character):
    """Two characters, of which the first names strokes 1 and 0, the second none."""
    data = bytearray(
        PAGE[: START + 8]
        + struct.pack('<i', 2)
        + struct.pack('<5H', 2, 1, 2, 3, 4)
        + struct.pack('<3H', 1, 5, 6)
        + struct.pack('<H', 1)
    )
    data[40:42] = struct.pack('<h', length)
    own = (struct.pack('<3H', 2, 1, 0), struct.pack('<H', 0)) if by_character else (b'', b'')
    data += (
        struct.pack('<3H', 2, 1, 0) + struct.pack('<H', 2) + label[:length] + own[0] + label[length:] + own[1]
    )
    (line,) = read_wptt(on_disk('007-P1.ptts' if by_character else '007-P1.wptt', bytes(data)))
    assert (line.text, line.writer, line.codes) == (
        'Hi' if length == 1 else '天𠀀',
        '007',
        (label[:length], label[length:]),
    )
    assert [s.tolist() for s in line.strokes] == [[[5, 6]], [[1, 2], [3, 4]]] and line.strokes[
        0
    ].dtype == np.int32


def test_strokes_of_no_points_are_none():
    strokes = [[], [(5, 6)], [], [(7, 8)]]
    lines, (error,) = refused(
        read_wptt, on_disk('x.wptt', wptt_bytes(strokes, [('天', [0, 1, 2]), ('地', [0, 2]), ('玄', [2, 3])]))
    )
    assert [(line.text, line.record, [s.tolist() for s in line.strokes]) for line in lines] == [
        ('天', 1, [[[5, 6]]]),
        ('玄', 3, [[[7, 8]]]),
    ]
    assert 'line 2, byte ' in str(
        error
    ) and '1 characters and 2 strokes, expected at least one of each' in str(error)


def test_strokes_that_just_fit(monkeypatch):
    """One of no points has two bytes; a line names them by 16 bits."""
    empty = wptt_bytes([[]] * 3, [])
    assert list(read_wptt(on_disk('x.wptt', empty))) == []
    # the number of lines has two as well
    with pytest.raises(
        FormatError, match=r'^x.wptt, header, byte 70: 5 strokes, expected 1 to 4 \(8 bytes remain\)$'
    ):
        list(read_wptt(on_disk('x.wptt', put(START + 8, '<i', 5)(empty))))
    with pytest.raises(FormatError, match=r'byte 70: -1 strokes, expected 1 to 4'):
        list(read_wptt(on_disk('x.wptt', put(START + 8, '<i', -1)(empty))))
    assert wptt._MAX_STROKES == 65536
    monkeypatch.setattr(wptt, '_MAX_STROKES', 4)
    assert len(list(read_wptt(on_disk('x.wptt', PAGE)))) == 2
    with pytest.raises(FormatError, match=r'5 strokes, expected 1 to 4 \('):
        list(read_wptt(on_disk('x.wptt', wptt_bytes([*STROKES, [(1, 1)]], LINES))))


def test_strokes_of_characters_are_looked_at_too():
    """The largest number of a line or of any of its characters."""
    page = bytearray(ptts_bytes(STROKES, [('天地', [0, 1]), ('玄', [3, 2])]))
    place = page.index(codes('天')) + 4  # the first character's own stroke
    page[place : place + 2] = struct.pack('<H', 4)
    lines, (error,) = refused(read_wptt, on_disk('x.ptts', bytes(page)))
    assert (
        [line.text for line in lines] == ['玄']
        and str(error).endswith(': stroke 4, expected 0 to 3')
        and error.reason == 'strokes'
    )


def test_lines_may_name_their_strokes_twice_and_not_more():
    """Seven points in four strokes: fourteen may be named."""
    twice = [*LINES, ('黄', [2, 2]), ('宇', [1])]
    assert sum(len(STROKES[n]) for _, members in twice for n in members) == 2 * sum(map(len, STROKES))
    assert len(list(read_wptt(on_disk('x.wptt', wptt_bytes(STROKES, twice))))) == 4
    with pytest.raises(FormatError, match='line 5, byte .*: the lines name their strokes more than twice'):
        list(read_wptt(on_disk('x.wptt', wptt_bytes(STROKES, [*twice, ('宙', [1])]))))


def test_what_nobody_could_read_is_marked():
    (line,) = read_wptt(
        on_disk('x.wptt', wptt_bytes(STROKES, [(codes('天') + b'\xff\xff' + codes('地'), [0])]))
    )
    assert line.text == '天�地'


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_crash_it(data):
    page = data.draw(st.sampled_from([PAGE, ptts_bytes(STROKES, LINES)]))
    spoilt = spoil(data, page, st.sampled_from([0, 1, 2, 4, 127, 255]))
    lines, errors = refused(read_wptt, on_disk('x.wptt', spoilt))
    assert all(isinstance(stroke, np.ndarray) for line in lines for stroke in line.strokes)
    assert all(str(error).startswith('x.wptt, ') and ', byte ' in str(error) for error in errors)
