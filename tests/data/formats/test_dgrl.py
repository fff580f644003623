"""CASIA-HWDB2.x pages.

The layout is held against a straightforward reader (`plain_dgrl`, as public scripts read .dgrl), and against
the listing for .dgr that CASIA publishes, by bytes worked by hand."""

import struct

import numpy as np
import pytest
from foreign_files import (
    codes,
    dgr_bytes,
    dgrl_bytes,
    glyph,
    on_disk,
    page_header,
    plain_dgrl,
    refused,
    spoil,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.data.formats.readers import dgrl
from hwgen.data.formats.readers.dgrl import read_dgrl
from hwgen.data.formats.samples import FormatError

RNG = np.random.default_rng(0)
LINES = [('天地玄黄', glyph(RNG, 6, 20)), ('A，1宇', glyph(RNG, 5, 9)), ('宙', glyph(RNG, 7, 3))]


def test_bytes_worked_by_hand():
    data = (
        bytes.fromhex('28000000')
        + b'DGRL\0\0\0\0'
        + b'#ab\0'
        + b'GB'
        + bytes(18)
        + bytes.fromhex('0200 0800')
        + bytes.fromhex('64000000 c8000000 01000000')
        + bytes.fromhex('02000000')
        + b'\xb0\xa1A\0'
        + bytes.fromhex('01000000 02000000 02000000 03000000')
        + bytes([0, 1, 2, 253, 254, 255])
    )
    (line,) = read_dgrl(on_disk('001-P16.dgrl', data))
    assert (line.text, line.writer, line.record, line.offset, line.codes) == (
        '啊A',
        '001',
        1,
        52,
        (b'\xb0\xa1', b'A\0'),
    )
    np.testing.assert_array_equal(line.image, [[0, 1, 2], [253, 254, 255]])
    assert line.boxes is None


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from('天地玄黄宇宙A1，。！'), min_size=1, max_size=9),
            st.integers(1, 12),
            st.integers(1, 40),
        ),
        max_size=5,
    ),
    st.sampled_from([2, 4]),
    st.binary(max_size=12),
)
def test_round_trip(lines, code_length, illustration):
    written = [(text, glyph(RNG, height, width)) for text, height, width in lines]
    data = dgrl_bytes(
        written, code_length=code_length, illustration=b'#' + illustration.replace(b'\0', b'') + b'\0'
    )
    read, plain = list(read_dgrl(on_disk('001-P16.dgrl', data))), list(plain_dgrl(data))
    assert [line.text for line in read] == [text for text, _ in written] == [text for text, _ in plain]
    for line, (_, image), (_, other) in zip(read, written, plain):
        np.testing.assert_array_equal(line.image, image)
        np.testing.assert_array_equal(line.image, other)


def test_codes_of_one_byte_and_pixels_of_one_bit():
    bitmap = np.packbits(
        np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0, 0, 0, 0]], np.uint8), axis=1
    )
    data = (
        page_header(b'DGRL', code_length=1, bits=1, code_type=b'ASCII')
        + struct.pack('<3i', 9, 9, 1)
        + struct.pack('<i', 2)
        + b'Hi'
        + struct.pack('<4i', 0, 0, 2, 9)
        + bitmap.tobytes()
    )
    (line,) = read_dgrl(on_disk('x.dgrl', data))
    assert line.text == 'Hi'
    np.testing.assert_array_equal(line.image, [[0, *[255] * 7, 0], [255, 0, *[255] * 7]])


@pytest.mark.parametrize('width', [1, 7, 8, 9, 16, 17])
def test_rows_of_bits_fill_whole_bytes(width):
    image = np.random.default_rng(width).integers(0, 2, (3, width)).astype(np.uint8)
    line = (
        struct.pack('<i', 1)
        + codes('天')
        + struct.pack('<4i', 0, 0, 3, width)
        + np.packbits(image, axis=1).tobytes()
    )
    read = list(
        read_dgrl(
            on_disk('x.dgrl', page_header(b'DGRL', bits=1) + struct.pack('<3i', 99, 99, 2) + line + line)
        )
    )
    assert len(read) == 2
    for found in read:
        np.testing.assert_array_equal(found.image, 255 * (1 - image))


def test_what_nobody_could_read_is_marked_and_padding_is_not():
    lines = [
        (codes('天') + b'\xff\xff' + codes('地'), glyph(RNG, 2, 2)),
        (codes('玄') + bytes(4), glyph(RNG, 2, 2)),
        (b'\0\0' + codes('黄'), glyph(RNG, 2, 2)),
        (bytes(4), glyph(RNG, 2, 2)),
    ]
    assert [line.text for line in read_dgrl(on_disk('x.dgrl', dgrl_bytes(lines)))] == [
        '天�地',
        '玄',
        '�黄',
        '�',
    ]


def test_dgr_lines_are_put_together_from_their_characters():
    """Two characters that overlap by a column, the darker pixel of each."""
    first, second = np.full((3, 2), 100, np.uint8), np.full((2, 2), 50, np.uint8)
    second[0, 0] = 200
    data = dgr_bytes([[('天', 10, 20, first), ('地', 11, 21, second)], [('玄', 40, 5, first)]])
    for name in ('006-P16.dgr', '006-P16.dgrl'):  # the suffix decides nothing
        line, other = read_dgrl(on_disk(name, data))
        assert (line.text, other.text, line.writer) == ('天地', '玄', '006')
        np.testing.assert_array_equal(line.image, [[100, 100, 255], [100, 100, 50], [100, 50, 50]])
        np.testing.assert_array_equal(line.boxes, [[0, 0, 2, 3], [1, 1, 3, 3]])


def test_boxes_are_those_of_the_characters_that_are_told():
    """A code of zeros at the end of a line of .dgr is padding, and so is its picture's box."""
    image = np.zeros((2, 3), np.uint8)
    (line,) = read_dgrl(
        on_disk('x.dgr', dgr_bytes([[('天', 5, 5, image), ('地', 5, 9, image), ('\0', 5, 13, image)]]))
    )
    assert (line.text, len(line.codes)) == ('天地', 2)
    np.testing.assert_array_equal(line.boxes, [[0, 0, 3, 2], [4, 0, 7, 2]])


PAGE = dgrl_bytes(LINES)
HEADER = 36 + 8


def put(offset, layout, *values):
    return lambda d: d[:offset] + struct.pack(layout, *values) + d[offset + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    'change, message, kept, reason',
    [
        (
            put(0, '<i', -1),
            (
                'header, byte 0: header of -1 bytes, expected 44, where the zero of the illustration is; read'
                ' on there'
            ),
            3,
            'header',
        ),
        (
            put(0, '<i', 1 << 30),
            (
                'header, byte 0: header of 1073741824 bytes, expected 44, where the zero of the illustration'
                ' is; read on there'
            ),
            3,
            'header',
        ),
        (
            put(0, '<i', 45),
            (
                'header, byte 0: header of 45 bytes, expected 44, where the zero of the illustration is; read'
                ' on there'
            ),
            3,
            'header',
        ),
        (
            lambda d: put(0, '<i', -1)(d[:11] + b'x' * 20),
            'header, byte 0: header of -1 bytes, expected 36 to 31',
            0,
            'magic',
        ),
        (put(4, '8s', b'GNT'), "header, byte 4: format code b'GNT', expected DGRL or DGR", 0, 'magic'),
        (
            put(HEADER - 24, '20s', b'SJIS'),
            "header, byte 20: code type 'SJIS', expected GB or ASCII",
            0,
            'header',
        ),
        (put(HEADER - 4, '<h', 3), 'header, byte 40: codes of 3 bytes, expected 1, 2 or 4', 0, 'header'),
        (put(HEADER - 2, '<h', 24), 'header, byte 42: 24 bits a pixel, expected 1 or 8', 0, 'header'),
        (put(HEADER, '<i', 0), 'header, byte 44: page of 2400 x 0 px, expected 1 to 65536 px', 0, 'size'),
        (
            put(HEADER + 8, '<i', 1 << 30),
            'header, byte 44: 1073741824 lines, expected at most 66 in the 264 bytes that remain',
            0,
            'size',
        ),
        (
            put(HEADER + 8, '<i', -5),
            'header, byte 44: -5 lines, expected at most 66 in the 264 bytes that remain',
            0,
            'size',
        ),
        (
            put(HEADER + 8, '<i', 2),
            'after line 2, byte 277: 43 bytes after the last record, expected the end of the file',
            2,
            'trailing',
        ),
        (
            put(HEADER + 8, '<i', 4),
            'line 4, byte 320: number of characters of 4 bytes, 0 bytes remain (truncated or corrupt)',
            3,
            'truncated',
        ),
        (
            put(HEADER + 12, '<i', 0x7FFFFFFF),
            'line 1, byte 56: 2147483647 characters, expected 1 to 130 in the 260 bytes that remain',
            0,
            'size',
        ),
        (
            put(HEADER + 12, '<i', -1),
            'line 1, byte 56: -1 characters, expected 1 to 130 in the 260 bytes that remain',
            0,
            'size',
        ),
        (
            put(HEADER + 12 + 12 + 8, '<ii', 61, 65535),
            'line 1, byte 68: image of 65535 x 61 px exceeds the file, 236 bytes remain',
            0,
            'truncated',
        ),
        (
            put(HEADER + 12 + 12 + 8, '<ii', -6, -20),
            'line 1, byte 68: image of -20 x -6 px, expected at least 1 x 1',
            0,
            'size',
        ),
        (
            lambda d: d[:-1],
            'line 3, byte 283: image of 3 x 7 px exceeds the file, 20 bytes remain',
            2,
            'truncated',
        ),
        (lambda d: d[:20], 'header, byte 0: header of 44 bytes, expected 36 to 20', 0, 'magic'),
        (
            lambda d: b'',
            'header, byte 0: size of the header of 4 bytes, 0 bytes remain (truncated or corrupt)',
            0,
            'truncated',
        ),
    ],
)
def test_damaged(change, message, kept, reason):
    file = on_disk('x.dgrl', change(PAGE))
    with pytest.raises(FormatError) as caught:
        list(read_dgrl(file))
    samples, (error,) = refused(read_dgrl, file)
    assert [s.text for s in samples] == [text for text, _ in LINES[:kept]]
    assert (
        str(error) == str(caught.value) == f'x.dgrl, {message}'
        and error.reason == caught.value.reason == reason
    )


@pytest.mark.parametrize('kind', [b'DGRL', b'dgrl', b'DGRL  ', b'DgrL\0xx'])
@pytest.mark.parametrize('illustration', [b'', b'\0', b'#a page\0', b'x' * (65536 - 36)])
def test_headers(kind, illustration):
    """Of 36 bytes and of 65,536 at most; the format code in any case, whatever stands behind its zero."""
    header = page_header(kind, illustration=illustration)
    assert len(header) == 36 + len(illustration) == struct.unpack('<i', header[:4])[0]
    (line,) = read_dgrl(
        on_disk(
            'x.dgrl',
            header
            + PAGE[HEADER : HEADER + 8]
            + struct.pack('<i', 1)
            + PAGE[HEADER + 12 : HEADER + 12 + 28 + 120],
        )
    )
    assert (line.text, line.offset, line.record) == ('天地玄黄', len(header) + 12, 1)
    np.testing.assert_array_equal(line.image, LINES[0][1])


def test_a_header_that_is_too_large():
    with pytest.raises(FormatError) as caught:
        list(read_dgrl(on_disk('x.dgrl', page_header(b'DGRL', illustration=b'x' * (65537 - 36)) + bytes(99))))
    assert (str(caught.value), caught.value.reason) == (
        'x.dgrl, header, byte 0: header of 65537 bytes, expected 36 to 65536',
        'magic',
    )


@pytest.mark.parametrize(
    'height, width, read',
    [
        (1, 1, True),
        (65536, 65536, True),
        (65537, 9, False),
        (9, 65537, False),
        (9, 0, False),
        (0, 9, False),
        (-1, 9, False),
        (9, -1, False),
    ],
)
def test_pages_of_any_size_may_be_empty(height, width, read):
    file = on_disk('x.dgrl', page_header(b'DGRL') + struct.pack('<3i', height, width, 0))
    if read:
        assert list(read_dgrl(file)) == []
        return
    with pytest.raises(
        FormatError, match=f'^x.dgrl, header, byte 44: page of {width} x {height} px, expected 1 to 65536 px$'
    ):
        list(read_dgrl(file))


@pytest.mark.parametrize(
    'lines, errors',
    [
        (
            [[], []],
            [
                ('line 1, byte 56: no characters, expected at least one of each', 'empty'),
                ('line 2, byte 60: no characters, expected at least one of each', 'empty'),
            ],
        ),
        (
            [[('天', 1, 1, np.zeros((0, 2), np.uint8)), ('地', 1, 1, np.zeros((2, 0), np.uint8))]],
            [
                (
                    'line 1, byte 56: 2 characters with an image of no pixels, expected at least one of each',
                    'empty',
                )
            ],
        ),
        (
            [[('天', 1, 1, np.zeros((2, 2), np.uint8))] * 2, []],
            [('line 2, byte 88: no characters, expected at least one of each', 'empty')],
        ),
    ],
)
def test_sizes_that_just_fit(lines, errors):
    """A line of .dgr has 4 bytes at least, a character of it 10."""
    samples, found = refused(read_dgrl, on_disk('x.dgr', dgr_bytes(lines)))
    assert [(str(error).removeprefix('x.dgr, '), error.reason) for error in found] == errors and len(
        samples
    ) + len(found) == len(lines)


def test_more_characters_than_bytes():
    data = dgr_bytes([[('天', 1, 1, np.zeros((2, 2), np.uint8))]])
    for count, message, reason in (
        (2, '2 characters of at least 10 bytes, 14 bytes remain', 'truncated'),
        (7, '7 characters of at least 10 bytes, 14 bytes remain', 'truncated'),
        (8, '8 characters, expected 1 to 7 in the 14 bytes that remain', 'size'),
    ):
        with pytest.raises(FormatError, match=message) as caught:
            list(read_dgrl(on_disk('x.dgr', put(56, '<i', count)(data))))
        assert caught.value.reason == reason


def test_bounds_of_images(monkeypatch):
    """A line has at most so many pixels, its characters together twice as many, though each of them and
    the line itself be small enough.
    """
    monkeypatch.setattr(dgrl, 'MAX_LINE_PIXELS', 20)

    def shapes(data):
        return [line.image.shape for line in read_dgrl(on_disk('x.dgrl', data))]

    block, large = np.zeros((4, 5), np.uint8), np.zeros((3, 7), np.uint8)
    assert (
        shapes(dgrl_bytes([('天', block)]))
        == [(4, 5)]
        == shapes(dgr_bytes([[('天', 1, 1, block), ('地', 1, 1, block)]]))
    )
    for data, message, reason in (
        (
            dgrl_bytes([('天', large)]),
            'line 1, byte 62: image of 7 x 3 px, expected at most 20 pixels',
            'size',
        ),
        (
            dgr_bytes([[('天', 1, 1, large)]]),
            'line 1, byte 62: image of 7 x 3 px, expected at most 20 pixels',
            'size',
        ),
        (
            dgr_bytes([[('天', 1, 1, block), ('地', 1, 1, block), ('玄', 1, 1, block[:1, :1])]]),
            'line 1, byte 122: 41 pixels of characters in a line, expected at most 40',
            'size',
        ),
        (
            dgr_bytes([[('天', 1, 1, block), ('地', 1, 2, block)]]),
            'line 1, byte 120: line of 6 x 4 px, expected at most 20 pixels',
            'size',
        ),
    ):
        with pytest.raises(FormatError) as caught:
            shapes(data)
        assert (str(caught.value), caught.value.reason) == (f'x.dgrl, {message}', reason)


def test_dgr_of_one_bit_and_of_codes_of_four_bytes():
    """A code, then top, left, H, W as 16 bits; rows of whole bytes, set bits are ink."""
    first, second = np.array([[1, 0, 1], [0, 0, 1]], np.uint8), np.array([[1], [0]], np.uint8)
    data = page_header(b'DGR', code_length=4, bits=1) + struct.pack('<3i', 50, 90, 1) + struct.pack('<i', 2)
    for code, top, left, bits in ((codes('天', 4), 10, 20, first), ('𠀀'.encode('gb18030'), 11, 30, second)):
        data += code + struct.pack('<4h', top, left, *bits.shape) + np.packbits(bits, axis=1).tobytes()
    (line,) = read_dgrl(on_disk('C002-P16.dgr', data))
    expected = np.full((3, 11), 255, np.uint8)
    expected[0, [0, 2]] = expected[1, 2] = expected[1, 10] = 0
    np.testing.assert_array_equal(line.image, expected)
    assert (line.text, line.writer, line.codes, line.boxes.tolist(), line.boxes.dtype) == (
        '天𠀀',
        'C002',
        (codes('天', 4), '𠀀'.encode('gb18030')),
        [[0, 0, 3, 2], [10, 1, 11, 3]],
        np.int32,
    )


def test_an_empty_line_is_left_out_alone():
    none, image = np.zeros((0, 5), np.uint8), glyph(RNG, 3, 3)
    for data in (
        dgrl_bytes([('天', image), ('', image), ('地', image)]),
        dgrl_bytes([('天', image), ('玄', none), ('地', image)]),
        dgr_bytes([[('天', 1, 1, image)], [], [('地', 1, 1, image)]]),
        dgr_bytes([[('天', 1, 1, image)], [('玄', 1, 1, none), ('黄', 1, 1, image)], [('地', 1, 1, image)]]),
    ):
        file = on_disk('x.dgrl', data)
        lines, errors = refused(read_dgrl, file)
        assert (
            [(line.text, line.record) for line in lines] == [('天', 1), ('地', 3)]
            and 'x.dgrl, line 2, byte ' in str(errors[0])
            and len(errors) == 1
        )
        with pytest.raises(FormatError, match='expected at least one of each'):
            list(read_dgrl(file))


def test_characters_of_dgr_lie_on_the_page():
    image = np.zeros((2, 2), np.uint8)
    # at its very edges
    (line,) = read_dgrl(on_disk('x.dgr', dgr_bytes([[('天', 0, 798, image), ('地', 598, 0, image)]])))
    assert line.image.shape == (600, 800) and line.boxes.tolist() == [[798, 0, 800, 2], [0, 598, 2, 600]]
    for top, left in ((599, 0), (0, 799), (-1, 0), (0, -1), (32767, 32767)):
        with pytest.raises(
            FormatError,
            match=(
                f'line 1, byte 76: character at {left}, {top} of 2 x 2 px, expected it within the page of 800'
                ' x 600 px'
            ),
        ):
            list(read_dgrl(on_disk('x.dgr', dgr_bytes([[('天', 0, 0, image), ('地', top, left, image)]]))))


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_crash_it(data):
    page = data.draw(
        st.sampled_from([PAGE, dgr_bytes([[('天', 10, 20, LINES[0][1]), ('地', 11, 50, LINES[1][1])]])])
    )
    spoilt = spoil(data, page, st.sampled_from([0, 1, 2, 127, 128, 255]))
    _, errors = refused(read_dgrl, on_disk('x.dgrl', spoilt))
    assert all(str(error).startswith('x.dgrl, ') and ', byte ' in str(error) for error in errors)
