"""CASIA-HWDB2.x pages. The layout is held against a straightforward reader (`plain_dgrl`, as public scripts read .dgrl), and
against the listing for .dgr that CASIA publishes, by bytes worked by hand."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_files import codes, dgr_bytes, dgrl_bytes, glyph, on_disk, page_header, plain_dgrl, refused, spoil
from hwgen.data.formats.dgrl import read_dgrl
from hwgen.data.formats.samples import FormatError

RNG = np.random.default_rng(0)
LINES = [('天地玄黄', glyph(RNG, 6, 20)), ('A，1宇', glyph(RNG, 5, 9)), ('宙', glyph(RNG, 7, 3))]


def test_bytes_worked_by_hand():
    data = (bytes.fromhex('28000000') + b'DGRL\0\0\0\0' + b'#ab\0' + b'GB' + bytes(18) + bytes.fromhex('0200 0800')
            + bytes.fromhex('64000000 c8000000 01000000') + bytes.fromhex('02000000') + b'\xb0\xa1A\0'
            + bytes.fromhex('01000000 02000000 02000000 03000000') + bytes([0, 1, 2, 253, 254, 255]))
    line, = read_dgrl(on_disk('001-P16.dgrl', data))
    assert (line.text, line.writer, line.record, line.offset, line.codes) == ('啊A', '001', 1, 52, (b'\xb0\xa1', b'A\0'))
    np.testing.assert_array_equal(line.image, [[0, 1, 2], [253, 254, 255]])
    assert line.boxes is None


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(st.sampled_from('天地玄黄宇宙A1，。！'), min_size=1, max_size=9), st.integers(1, 12), st.integers(1, 40)),
                max_size=5), st.sampled_from([2, 4]), st.binary(max_size=12))
def test_round_trip(lines, code_length, illustration):
    written = [(text, glyph(RNG, height, width)) for text, height, width in lines]
    data = dgrl_bytes(written, code_length=code_length, illustration=b'#' + illustration.replace(b'\0', b'') + b'\0')
    read, plain = list(read_dgrl(on_disk('001-P16.dgrl', data))), list(plain_dgrl(data))
    assert [line.text for line in read] == [text for text, _ in written] == [text for text, _ in plain]
    for line, (_, image), (_, other) in zip(read, written, plain):
        np.testing.assert_array_equal(line.image, image)
        np.testing.assert_array_equal(line.image, other)


def test_codes_of_one_byte_and_pixels_of_one_bit():
    bitmap = np.packbits(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0, 0, 0, 0]], np.uint8), axis=1)
    data = (page_header(b'DGRL', code_length=1, bits=1, code_type=b'ASCII') + struct.pack('<3i', 9, 9, 1) + struct.pack('<i', 2) + b'Hi'
            + struct.pack('<4i', 0, 0, 2, 9) + bitmap.tobytes())
    line, = read_dgrl(on_disk('x.dgrl', data))
    assert line.text == 'Hi'
    np.testing.assert_array_equal(line.image, [[0, *[255] * 7, 0], [255, 0, *[255] * 7]])


@pytest.mark.parametrize('width', [1, 7, 8, 9, 16, 17])
def test_rows_of_bits_fill_whole_bytes(width):
    image = np.random.default_rng(width).integers(0, 2, (3, width)).astype(np.uint8)
    line = struct.pack('<i', 1) + codes('天') + struct.pack('<4i', 0, 0, 3, width) + np.packbits(image, axis=1).tobytes()
    read = list(read_dgrl(on_disk('x.dgrl', page_header(b'DGRL', bits=1) + struct.pack('<3i', 99, 99, 2) + line + line)))
    assert len(read) == 2
    for found in read:
        np.testing.assert_array_equal(found.image, 255 * (1 - image))


def test_what_nobody_could_read_is_marked_and_padding_is_not():
    lines = [(codes('天') + b'\xff\xff' + codes('地'), glyph(RNG, 2, 2)), (codes('玄') + bytes(4), glyph(RNG, 2, 2)),
             (b'\0\0' + codes('黄'), glyph(RNG, 2, 2)), (bytes(4), glyph(RNG, 2, 2))]
    assert [line.text for line in read_dgrl(on_disk('x.dgrl', dgrl_bytes(lines)))] == ['天�地', '玄', '�黄', '�']


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
    line, = read_dgrl(on_disk('x.dgr', dgr_bytes([[('天', 5, 5, image), ('地', 5, 9, image), ('\0', 5, 13, image)]])))
    assert (line.text, len(line.codes)) == ('天地', 2)
    np.testing.assert_array_equal(line.boxes, [[0, 0, 3, 2], [4, 0, 7, 2]])


PAGE = dgrl_bytes(LINES)
HEADER = 36 + 8


def put(offset, layout, *values):
    return lambda d: d[:offset] + struct.pack(layout, *values) + d[offset + struct.calcsize(layout):]


@pytest.mark.parametrize('change, message, kept', [
    (put(0, '<i', -1), 'x.dgrl, header, byte 0: header of -1 bytes, expected 44, where the zero of the illustration is; read on there', 3),
    (put(0, '<i', 1 << 30), 'header of 1073741824 bytes, expected 44', 3),
    (put(0, '<i', 45), 'header of 45 bytes, expected 44', 3),
    (lambda d: put(0, '<i', -1)(d[:11] + b'x' * 20), 'x.dgrl, header, byte 0: header of -1 bytes, expected 36 to', 0),
    (put(4, '8s', b'GNT'), "byte 4: format code b'GNT', expected DGRL or DGR", 0),
    (put(HEADER - 24, '20s', b'SJIS'), "code type 'SJIS', expected GB or ASCII", 0),
    (put(HEADER - 4, '<h', 3), 'byte 40: codes of 3 bytes, expected 1, 2 or 4', 0),
    (put(HEADER - 2, '<h', 24), '24 bits a pixel, expected 1 or 8', 0),
    (put(HEADER, '<i', 0), 'byte 44: page of 2400 x 0 px', 0),
    (put(HEADER + 8, '<i', 1 << 30), '1073741824 lines, expected at most', 0),
    (put(HEADER + 8, '<i', -5), '-5 lines', 0),
    (put(HEADER + 8, '<i', 2), 'after line 2, byte .*: 43 bytes after the last record, expected the end of the file', 2),
    (put(HEADER + 8, '<i', 4), 'line 4, byte .*: number of characters of 4 bytes, 0 bytes remain', 3),
    (put(HEADER + 12, '<i', 0x7fffffff), 'line 1, byte 56: 2147483647 characters, expected 1 to', 0),
    (put(HEADER + 12, '<i', -1), 'line 1, byte 56: -1 characters, expected 1 to', 0),
    (put(HEADER + 12 + 12 + 8, '<ii', 61, 65535), 'line 1, byte 68: image of 65535 x 61 px exceeds the file', 0),
    (put(HEADER + 12 + 12 + 8, '<ii', -6, -20), 'image of -20 x -6 px', 0),
    (lambda d: d[:-1], 'line 3, byte .*: image of 3 x 7 px exceeds the file, 20 bytes remain', 2),
    (lambda d: d[:20], 'header', 0), (lambda d: b'', 'size of the header of 4 bytes, 0 bytes remain', 0)])
def test_damaged(change, message, kept):
    file = on_disk('x.dgrl', change(PAGE))
    with pytest.raises(FormatError, match=message):
        list(read_dgrl(file))
    lines, errors = refused(read_dgrl, file)
    assert [line.text for line in lines] == [text for text, _ in LINES[:kept]] and len(errors) == 1 and errors[0].reason


def test_an_empty_line_is_left_out_alone():
    none, image = np.zeros((0, 5), np.uint8), glyph(RNG, 3, 3)
    for data in (dgrl_bytes([('天', image), ('', image), ('地', image)]), dgrl_bytes([('天', image), ('玄', none), ('地', image)]),
                 dgr_bytes([[('天', 1, 1, image)], [], [('地', 1, 1, image)]]),
                 dgr_bytes([[('天', 1, 1, image)], [('玄', 1, 1, none), ('黄', 1, 1, image)], [('地', 1, 1, image)]])):
        file = on_disk('x.dgrl', data)
        lines, errors = refused(read_dgrl, file)
        assert [line.text for line in lines] == ['天', '地'] and 'x.dgrl, line 2, byte ' in str(errors[0]) and len(errors) == 1
        with pytest.raises(FormatError, match='expected at least one of each'):
            list(read_dgrl(file))


def test_characters_of_dgr_lie_on_the_page():
    image = np.zeros((2, 2), np.uint8)
    for top, left in ((599, 0), (0, 799), (-1, 0), (32767, 32767)):
        with pytest.raises(FormatError, match='line 1, byte .*: character at .*, expected it within the page of 800 x 600 px'):
            list(read_dgrl(on_disk('x.dgr', dgr_bytes([[('天', 0, 0, image), ('地', top, left, image)]]))))


@settings(max_examples=150)
@given(st.data())
def test_no_bytes_crash_it(data):
    page = data.draw(st.sampled_from([PAGE, dgr_bytes([[('天', 10, 20, LINES[0][1]), ('地', 11, 50, LINES[1][1])]])]))
    spoilt = spoil(data, page, st.sampled_from([0, 1, 2, 127, 128, 255]))
    _, errors = refused(read_dgrl, on_disk('x.dgrl', spoilt))
    assert all(str(error).startswith('x.dgrl, ') and ', byte ' in str(error) for error in errors)
