"""Character codes of CASIA's files: GB 2312, GBK or GB 18030, or ASCII padded with zeros, sometimes with
their bytes swapped.
"""

import unicodedata

from hwgen.data.formats.byte_stream import ByteStream
from hwgen.data.formats.samples import UNKNOWN_CHARACTER

_LENGTHS = (1, 2, 4)
_FOREIGN_TYPES = ('SJIS', 'JIS', 'BIG5', 'EUC', 'UTF', 'UNICODE')


def read_code_length(stream: ByteStream) -> int:
    """The part of a page's header that tells its codes: 20 bytes code type (ASCII, GB, ...), int16 bytes of a
    code.

    Args:
        stream: ByteStream.

    Returns:
        int, 1, 2 or 4.

    Raises:
        FormatError: codes of another kind or length.
    """
    start = stream.offset
    code_type = stream.take(20, 'code type').split(b'\0')[0].decode('latin-1').strip().upper()
    (length,) = stream.unpack('<h', 'length of a code')
    if code_type.startswith(_FOREIGN_TYPES):
        raise stream.error(f'code type {code_type!r}, expected GB or ASCII', reason='header', offset=start)
    if length not in _LENGTHS:
        raise stream.error(f'codes of {length} bytes, expected 1, 2 or 4', reason='header', offset=start + 20)
    return length


def decode_code(code: bytes, *, swapped: bool = False) -> str | None:
    """The character of a code.

    Args:
        code: bytes, 1, 2 or 4 of them. Zeros before and after are padding.
        swapped: bool, the last byte comes first (a little-endian number).

    Returns:
        str, one character; '' for zeros alone; None for a code that decodes to nothing: unassigned, for
        private use, a control character, or more than one character.
    """
    code = (code[::-1] if swapped else code).strip(b'\0')
    try:
        text = code.decode('gb18030')
    except UnicodeDecodeError:
        return None
    if len(text) > 1 or text and unicodedata.category(text) in ('Cc', 'Cf', 'Cn', 'Co', 'Cs'):
        return None
    return text


def decode_label(data: bytes, *, code_length: int) -> tuple[str, tuple[bytes, ...]]:
    """The text of a line.

    Args:
        data: bytes, the codes one after the other.
        code_length: int, bytes of each.

    Returns:
        str, with U+FFFD for each code that decodes to nothing; tuple of bytes, the codes. Zeros at the end
        are padding and in neither, unless there is nothing else.
    """
    codes = [data[i : i + code_length] for i in range(0, len(data), code_length)]
    while len(codes) > 1 and not codes[-1].strip(b'\0'):
        codes.pop()
    return ''.join(decode_code(code) or UNKNOWN_CHARACTER for code in codes), tuple(codes)


def looks_like_hanzi(code: bytes, *, swapped: bool = False) -> bool:
    """Whether a code of 2 or 4 bytes has the first byte of a hanzi of GB 2312, when read in this order."""
    code = (code[::-1] if swapped else code).strip(b'\0')
    return len(code) == 2 and 0xB0 <= code[0] <= 0xF7 and code[1] >= 0xA1
