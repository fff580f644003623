"""Names of files and other foreign text, made fit to be printed, written as UTF-8 and put into JSON.

Python has a name that is no UTF-8 (a folder from a GBK archive) with half surrogates in it, which nothing can
write: `\\udcd5` stands for the byte D5.
"""

import re
from typing import Any

_SURROGATE = re.compile('[\ud800-\udfff]')
# What a terminal acts upon or shows as a line of its own, and what turns the direction of writing.
_CONTROL = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')
_NAMED = {'\n': '\\n', '\r': '\\r', '\t': '\\t'}


def is_text(value: str) -> bool:
    """Whether a str can be written as UTF-8: half a pair of surrogates cannot."""
    return not _SURROGATE.search(value)


def as_text(value: object) -> str:
    """A path or str as text: bytes that are no UTF-8 become `\\xd5`, as in Python's own literals.

    Args:
        value: path or str.

    Returns:
        str that can be written as UTF-8; `value` itself where it can.
    """
    return _SURROGATE.sub(lambda found: _escaped(ord(found[0])), str(value))


def as_json(value: Any) -> Any:
    """A value for JSON, each str in it `as_text`."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return {as_json(key): as_json(inner) for key, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def printable(value: object) -> str:
    """A path or str on one line: also control characters are escaped, as `\\n` or `\\x1b`."""
    return _CONTROL.sub(lambda found: _NAMED.get(found[0]) or _escaped(ord(found[0])), as_text(value))


def shown(value: object, *, most: int = 60) -> str:
    """A row or text for a message: in quotes, on one line, its beginning where it is longer than `most`
    characters. A backslash is doubled.
    """
    value = str(value)
    text = printable(value[:most].replace('\\', '\\\\'))
    return f"'{text}'" + (' ...' if len(value) > most else '')


def _escaped(code):
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # the byte that it stands for
    return f'\\x{code:02x}' if code < 0x100 else f'\\u{code:04x}'
