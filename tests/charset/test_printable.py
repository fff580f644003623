"""Names and foreign text made fit to be printed and written."""

import json
import os
import pathlib

import pytest

from hwgen.charset import printable


@pytest.mark.parametrize(
    'value, text',
    [
        (os.fsdecode(b'runs/\xd5\xc5'), 'runs/\\xd5\\xc5'),
        ('runs/张', 'runs/张'),
        ('\ud800', '\\ud800'),
        ('C:\\x', 'C:\\x'),
        ('a\nb', 'a\nb'),
    ],
)
def test_bytes_that_are_no_text(value, text):
    assert printable.as_text(value) == text and printable.is_text(value) == (value == text)
    assert json.loads(
        json.dumps(printable.as_json({'path': [value], value: 1, 'n': None}), ensure_ascii=False).encode()
    ) == {'path': [text], text: 1, 'n': None}


def test_control_characters():
    """What would colour, clear or turn a terminal's line stands there as an escape."""
    assert (
        printable.printable('a\nb\x1b[31m\x07\x9b\u202e\u2028c\t')
        == 'a\\nb\\x1b[31m\\x07\\x9b\\u202e\\u2028c\\t'
    )
    assert printable.shown('a.png\t明\\t天\x00') == "'a.png\\t明\\\\t天\\x00'"
    assert (
        printable.shown('x' * 70) == f"'{'x' * 60}' ..."
        and printable.shown('x' * 60) == f"'{'x' * 60}'"
        and printable.shown('x' * 61) == f"'{'x' * 60}' ..."
    )
    assert (
        printable.shown('abcd', most=3) == "'abc' ..."
        and printable.shown(7) == "'7'"
        and printable.printable(pathlib.Path('a\rb')) == 'a\\rb'
    )
    assert printable.shown('\n' * 9, most=9) == "'" + '\\n' * 9 + "'"  # counted before it is escaped


def test_what_a_terminal_acts_upon():
    """The controls of ASCII and Latin-1, ends of lines and paragraphs, and marks that turn the direction;
    nothing else.
    """
    acts = {code for code in range(0x3000) if printable.printable(chr(code)) != chr(code)}
    assert acts == {
        *range(0x20),
        *range(0x7F, 0xA0),
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    }
    named = {0x0A: '\\n', 0x0D: '\\r', 0x09: '\\t'}
    assert all(
        printable.printable(chr(code))
        == named.get(code, f'\\x{code:02x}' if code < 256 else f'\\u{code:04x}')
        for code in acts
    )


@pytest.mark.parametrize(
    'code, text',
    [
        (0xD800, '\\ud800'),
        (0xDC7F, '\\udc7f'),
        (0xDC80, '\\x80'),
        (0xDCFF, '\\xff'),
        (0xDD00, '\\udd00'),
        (0xDFFF, '\\udfff'),
    ],
)
def test_halves_of_pairs(code, text):
    """Python has the bytes 80 to FF that are no UTF-8 as DC80 to DCFF."""
    assert printable.as_text('a' + chr(code)) == printable.printable(
        'a' + chr(code)
    ) == 'a' + text and not printable.is_text(chr(code))
    assert printable.is_text(chr(0xD7FF)) and printable.is_text(chr(0xE000))


def test_values_for_json():
    assert printable.as_json({'a': ('b\udcd5', 1, 2.5, True, None), '\udcd5': {'c': ['\n']}}) == {
        'a': ['b\\xd5', 1, 2.5, True, None],
        '\\xd5': {'c': ['\n']},
    }
