"""Character codes of CASIA's files: GB 2312, GBK or GB 18030, or ASCII padded with zeros, sometimes with their bytes swapped."""

import unicodedata

from hwgen.data.formats.samples import UNKNOWN_CHARACTER

CODE_LENGTHS = (1, 2, 4)
FOREIGN_CODE_TYPES = ('SJIS', 'JIS', 'BIG5', 'EUC', 'UTF', 'UNICODE')


def decode_code(code, *, swapped=False):
    """The character of a code.

    Args:
        code: bytes, 1, 2 or 4 of them. Zeros before and after are padding.
        swapped: bool, the last byte comes first (a little-endian number).

    Returns:
        str, one character; '' for zeros alone; None for a code that decodes to nothing: unassigned, for private use, a
        control character, or more than one character.
    """
    code = (code[::-1] if swapped else code).strip(b'\0')
    try:
        text = code.decode('gb18030')
    except UnicodeDecodeError:
        return None
    if len(text) > 1 or text and unicodedata.category(text) in ('Cc', 'Cf', 'Cn', 'Co', 'Cs'):
        return None
    return text


def decode_label(data, *, code_length):
    """The text of a line.

    Args:
        data: bytes, the codes one after the other.
        code_length: int, bytes of each.

    Returns:
        str, with U+FFFD for each code that decodes to nothing; tuple of bytes, the codes. Zeros at the end are padding
        and in neither, unless there is nothing else.
    """
    codes = [data[i:i + code_length] for i in range(0, len(data), code_length)]
    while len(codes) > 1 and not codes[-1].strip(b'\0'):
        codes.pop()
    return ''.join(decode_code(code) or UNKNOWN_CHARACTER for code in codes), tuple(codes)


def looks_like_hanzi(code, *, swapped=False):
    """Whether a code of 2 or 4 bytes has the first byte of a hanzi of GB 2312, when read in this order."""
    code = (code[::-1] if swapped else code).strip(b'\0')
    return len(code) == 2 and 0xB0 <= code[0] <= 0xF7 and code[1] >= 0xA1
