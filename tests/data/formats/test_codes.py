"""Codes of CASIA's files, by hand."""

import io
import struct

import pytest

from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.codes import decode_code, decode_label, looks_like_hanzi, read_code_length
from hwgen.data.formats.samples import FormatError


@pytest.mark.parametrize(
    'code, swapped, character',
    [
        ('b0a1', False, '啊'),
        ('a1b0', True, '啊'),
        ('a1b00000', True, '啊'),
        ('0000b0a1', False, '啊'),
        ('41', False, 'A'),
        ('4100', False, 'A'),
        ('0041', False, 'A'),
        ('36823295', True, '𠀀'),
        ('36823295', False, None),
        ('20', False, ' '),
        ('a1a1', False, '\u3000'),
        ('a980', False, '﹢'),
        ('fe50', False, '⺁'),
        ('a3ac', False, '，'),
        ('95328236', False, '𠀀'),
        ('0000', False, ''),
        ('', False, ''),
        ('aaa1', False, None),  # for private use
        # nobody sees them (U+200B, U+00AD); not assigned (U+0378)
        ('8136a437', False, None),
        ('81308532', False, None),
        ('8130c836', False, None),
        ('ffff', False, None),
        ('b0', False, None),
        ('a1', False, None),  # what nobody could read; halves
        ('07', False, None),
        ('0a', False, None),
        ('7f', False, None),  # control characters
        ('b0a141', False, None),
        ('4142', False, None),
    ],
)  # more than one character
def test_codes(code, swapped, character):
    assert decode_code(bytes.fromhex(code), swapped=swapped) == character


def test_labels():
    assert decode_label(b'\xb0\xa1A\0\xff\xff\0\0\0\0', code_length=2) == (
        '啊A\ufffd',
        (b'\xb0\xa1', b'A\0', b'\xff\xff'),
    )
    assert decode_label(bytes(4), code_length=2) == ('\ufffd', (b'\0\0',))
    assert decode_label(b'Hi', code_length=1) == ('Hi', (b'H', b'i'))
    # zeros before others are no padding
    assert decode_label(b'\0\0\xb0\xa1\0\0', code_length=2) == ('\ufffd啊', (b'\0\0', b'\xb0\xa1'))
    assert decode_label(b'\x95\x32\x82\x36A\0\0\0\0\0\0\0', code_length=4) == (
        '𠀀A',
        (b'\x95\x32\x82\x36', b'A\0\0\0'),
    )
    assert decode_label(b'\xa1\xb0', code_length=2)[0] == '“'  # never swapped
    assert decode_label(b'', code_length=2) == ('', ())


def code_length(code_type, length):
    stream = ByteStream(
        io.BytesIO(b'1234' + code_type.ljust(20, b'\0') + struct.pack('<h', length)), size=26, name='x'
    )
    stream.take(4, 'before')
    found = read_code_length(stream)
    assert stream.remaining == 0
    return found


@pytest.mark.parametrize(
    'code_type', [b'GB', b'ASCII', b'gbk\0SJIS', b'', b' GB18030', b'\xb0\xa1', b'X-BIG5']
)
@pytest.mark.parametrize('length', [1, 2, 4])
def test_code_types_that_are_read(code_type, length):
    assert code_length(code_type, length) == length


@pytest.mark.parametrize(
    'code_type, length, message, reason',
    [
        *(
            (name, 2, f"x, byte 4: code type '{name.decode()}', expected GB or ASCII", 'header')
            for name in (b'SJIS', b'JIS', b'BIG5', b'EUC-KR', b'UTF-8', b'UNICODE')
        ),
        (b' big5-hkscs', 2, "x, byte 4: code type 'BIG5-HKSCS', expected GB or ASCII", 'header'),
        *(
            (b'GB', length, f'x, byte 24: codes of {length} bytes, expected 1, 2 or 4', 'header')
            for length in (0, 3, 5, 8, -1, 256)
        ),
    ],
)
def test_code_types_that_are_not(code_type, length, message, reason):
    with pytest.raises(FormatError) as caught:
        code_length(code_type, length)
    assert (str(caught.value), caught.value.reason) == (message, reason)


def test_hanzi_of_gb_2312_begin_with_b0_to_f7():
    likely = {first for first in range(256) if looks_like_hanzi(bytes([first, 0xA1]))}
    assert likely == set(range(0xB0, 0xF8))
    assert (
        not looks_like_hanzi(b'\xb0\xa0')
        and looks_like_hanzi(b'\xb0\xa1\0\0')
        and looks_like_hanzi(b'\xa1\xb0\0\0', swapped=True)
    )
    assert (
        not looks_like_hanzi(b'\xb0\xa1\xb0\xa1')
        and not looks_like_hanzi(b'')
        and not looks_like_hanzi(b'\xb0')
        and not looks_like_hanzi(b'\x95\x32\x82\x36')
    )
