"""Names and foreign text made fit to be printed and written."""

import json
import os

import pytest

from hwgen.charset import printable


@pytest.mark.parametrize('value, text', [
    (os.fsdecode(b'runs/\xd5\xc5'), 'runs/\\xd5\\xc5'), ('runs/张', 'runs/张'), ('\ud800', '\\ud800'), ('C:\\x', 'C:\\x'), ('a\nb', 'a\nb')])
def test_bytes_that_are_no_text(value, text):
    assert printable.as_text(value) == text and printable.is_text(value) == (value == text)
    assert json.loads(json.dumps(printable.as_json({'path': [value], value: 1, 'n': None}), ensure_ascii=False).encode()) == {'path': [text], text: 1, 'n': None}


def test_control_characters():
    """What would colour, clear or turn a terminal's line stands there as an escape."""
    assert printable.printable('a\nb\x1b[31m\x07\x9b\u202e\u2028c\t') == 'a\\nb\\x1b[31m\\x07\\x9b\\u202e\\u2028c\\t'
    assert printable.shown('a.png\t明\\t天\x00') == "'a.png\\t明\\\\t天\\x00'"
    assert printable.shown('x' * 70) == f"'{'x' * 60}' ..."
