"""CASIA-OLHWDB2.x, pages of text written with a pen (.wptt); all numbers little-endian.

    bytes          content
    4   int32      size of the header, 54 + length of the illustration with its final zero
    8   char       WPTT, padded with zeros
    any char       illustration, '#...', ends with a zero
    20  char       code type: ASCII, GB, ...
    2   int16      bytes of a code: 1, 2 or 4
    20  char       data type: short
    4   int32      length of the sample
    4   int32      number of the page
    4   int32      strokes, S
    each stroke:   uint16 points, then 2 * uint16 each, x and y
    2   uint16     lines
    each line:     uint16 strokes, then the number of each, uint16 from 0; uint16 characters, then a code each

Source: nlpr.ia.ac.cn/databases/handwriting/Online_database.html and public readers of such files. Where the header ends
is documented in more than one way, so the illustration's zero decides and the size is only held against it.
FF FF is the code of what nobody could read. `.ptts` (the competition's pages) is another format, which is not read: no
description of it could be had.
"""

import numpy as np

from hwgen.data.formats.casia_names import casia_writer
from hwgen.data.formats.codes import CODE_LENGTHS, FOREIGN_CODE_TYPES, decode_label
from hwgen.data.formats.samples import Ink, refuse_or_raise

_FIXED_HEADER = 54
_MAX_ILLUSTRATION = 1 << 16
_MAX_STROKES = 1 << 16  # a line names them by 16 bits


def read_wptt(file, *, refuse=None):
    """The lines of a page.

    Args:
        file: archives.File.
        refuse: function of a FormatError, told of what cannot be read; None: it is raised. A line that refers to a stroke
            that is not there is left out; sizes that contradict each other end the page.

    Yields:
        Ink of each line, in the order of the file.

    Raises:
        FormatError: `refuse` is None and the file is damaged.
    """
    return file.samples(_read_page, refuse=refuse)


def _read_page(stream, refuse):
    writer, stream.place = casia_writer(stream.name), 'header'
    code_length = _read_header(stream)
    start = stream.offset
    _, _, count = stream.unpack('<iii', 'number of strokes')
    most = min(stream.remaining // 2, _MAX_STROKES)
    if not 0 < count <= most:
        raise stream.error(f'{count} strokes, expected 1 to {most} ({stream.remaining} bytes remain)', reason='size',
                           offset=start + 8)
    strokes = []
    for number in range(count):
        stream.place = f'stroke {number}'
        points, = stream.unpack('<H', 'number of points')
        strokes.append(np.frombuffer(stream.take(4 * points, f'{points} points'), '<u2').reshape(-1, 2))
    stream.place = f'after stroke {count - 1}'
    lines, = stream.unpack('<H', 'number of lines')
    # Each stroke belongs to one line; a file that names them again and again would grow without limit.
    left = 2 * sum(map(len, strokes))
    for record in range(1, lines + 1):
        stream.place, start = f'line {record}', stream.offset
        members, = stream.unpack('<H', 'number of strokes')
        numbers = np.frombuffer(stream.take(2 * members, f'{members} numbers of strokes'), '<u2').tolist()
        characters, = stream.unpack('<H', 'number of characters')
        label = stream.take(characters * code_length, f'{characters} codes')
        error = None
        if not characters or not any(len(strokes[n]) for n in numbers if n < count):
            error = f'{characters} characters and {members} strokes, expected at least one of each'
        if any(n >= count for n in numbers):
            error = f'stroke {max(numbers)}, expected 0 to {count - 1}'
        else:
            left -= sum(len(strokes[n]) for n in numbers)
            if left < 0:
                raise stream.error('the lines name their strokes more than twice', reason='strokes', offset=start)
        if error:
            refuse_or_raise(stream.error(error, reason='strokes', offset=start), refuse)
            continue
        text, codes = decode_label(label, code_length=code_length)
        yield Ink(strokes=tuple(strokes[n].astype(np.int32) for n in numbers if len(strokes[n])), text=text, writer=writer,
                  record=record, offset=start, codes=codes)
    stream.place = f'after line {lines}'
    stream.check_end()


def _read_header(stream):
    size, = stream.unpack('<i', 'size of the header')
    kind = stream.take(8, 'format code').split(b'\0')[0].strip().upper()
    if kind != b'WPTT':
        raise stream.error(f'format code {kind!r}, expected WPTT', reason='magic', offset=4)
    length = stream.ahead(_MAX_ILLUSTRATION).find(b'\0') + 1
    if not length:
        raise stream.error('illustration without a final zero', reason='header')
    stream.take(length, 'illustration')
    # 54 without the page's three numbers, 66 with them.
    if not _FIXED_HEADER - 1 <= size - length <= _FIXED_HEADER + 12:
        raise stream.error(f'header of {size} bytes, expected {_FIXED_HEADER + length}', reason='header', offset=0)
    start = stream.offset
    code_type = stream.take(20, 'code type').split(b'\0')[0].decode('latin-1').strip().upper()
    code_length, = stream.unpack('<h', 'length of a code')
    data_type = stream.take(20, 'data type').split(b'\0')[0].decode('latin-1').strip().lower()
    if code_type.startswith(FOREIGN_CODE_TYPES):
        raise stream.error(f'code type {code_type!r}, expected GB or ASCII', reason='header', offset=start)
    if code_length not in CODE_LENGTHS:
        raise stream.error(f'codes of {code_length} bytes, expected 1, 2 or 4', reason='header', offset=start + 20)
    if data_type and 'short' not in data_type:
        raise stream.error(f'data type {data_type!r}, expected short', reason='header', offset=start + 22)
    return code_length
