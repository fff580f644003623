"""Codes of CASIA's files, by hand."""

import pytest

from hwgen.data.formats.codes import decode_code, decode_label, looks_like_hanzi


@pytest.mark.parametrize('code, swapped, character', [
    ('b0a1', False, '啊'), ('a1b0', True, '啊'), ('a1b00000', True, '啊'), ('0000b0a1', False, '啊'), ('41', False, 'A'), ('4100', False, 'A'), ('0041', False, 'A'),
    ('a3ac', False, '，'), ('95328236', False, '𠀀'), ('0000', False, ''), ('', False, ''),
    ('aaa1', False, None),          # for private use
    ('ffff', False, None), ('b0', False, None), ('a1', False, None),  # what nobody could read; halves
    ('07', False, None), ('0a', False, None), ('7f', False, None),    # control characters
    ('b0a141', False, None), ('4142', False, None)])                  # more than one character
def test_codes(code, swapped, character):
    assert decode_code(bytes.fromhex(code), swapped=swapped) == character


def test_labels():
    assert decode_label(b'\xb0\xa1A\0\xff\xff\0\0\0\0', code_length=2) == ('啊A\ufffd', (b'\xb0\xa1', b'A\0', b'\xff\xff'))
    assert decode_label(bytes(4), code_length=2) == ('\ufffd', (b'\0\0',))
    assert decode_label(b'Hi', code_length=1) == ('Hi', (b'H', b'i'))


def test_hanzi_of_gb_2312_begin_with_b0_to_f7():
    likely = {first for first in range(256) if looks_like_hanzi(bytes([first, 0xA1]))}
    assert likely == set(range(0xB0, 0xF8))
    assert not looks_like_hanzi(b'\xb0\xa0') and looks_like_hanzi(b'\xb0\xa1\0\0') and looks_like_hanzi(b'\xa1\xb0\0\0', swapped=True)
    assert not looks_like_hanzi(b'\xb0') and not looks_like_hanzi(b'\x95\x32\x82\x36')
