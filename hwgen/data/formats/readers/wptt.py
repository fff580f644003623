"""CASIA-OLHWDB2.x, pages of text written with a pen (.wptt, .ptts); all numbers little-endian.

    bytes          content
    4   int32      size of the header, 54 + length of the illustration with its final zero
    8   char       WPTT or PTTS, padded with zeros
    any char       illustration, '#...', ends with a zero
    20  char       code type: ASCII, GB, ...
    2   int16      bytes of a code: 1, 2 or 4
    20  char       data type: short
    4   int32      length of the sample
    4   int32      number of the page
    4   int32      strokes, S
    each stroke:   uint16 points, then 2 * uint16 each, x and y
    2   uint16     lines
    each line:     uint16 strokes, then the number of each, uint16 from 0; uint16 characters, then a code
                   each;
                   .ptts has its strokes after each code: uint16 strokes, then the number of each

Source: nlpr.ia.ac.cn/databases/handwriting/Online_database.html for .wptt, and public readers of such files.
Of .ptts there is no official table: two independent public readers of it agree (one is printed in
blog.csdn.net/hhxsisme/article/details/121492917). Neither looks at its format code, so a file of that name
may have any. Where the header ends is documented in more than one way, so the illustration's zero decides and
the size is only held against it. FF FF is the code of what nobody could read.
Differs: which strokes belong to which character is not kept; a line has those that it names itself.
"""

from collections.abc import Iterator

from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import casia_writer
from hwgen.data.formats.codes import decode_label, read_code_length
from hwgen.data.formats.format import Format
from hwgen.data.formats.samples import Ink, Refuse, refuse_or_raise

_FIXED_HEADER = 54
_MAX_ILLUSTRATION = 1 << 16
_MAX_STROKES = 1 << 16  # a line names them by 16 bits


def read_wptt(file: File, *, refuse: Refuse = None) -> Iterator[Ink]:
    """The lines of a page.

    Args:
        file: archives.File, .wptt or .ptts.
        refuse: function of a FormatError, told of what cannot be read; None: it is raised. A header whose
            size contradicts the illustration costs nothing else, a line that refers to a stroke that is not
            there is left out; sizes that contradict each other end the page.

    Yields:
        Ink of each line, in the order of the file.

    Raises:
        FormatError: `refuse` is None and the file is damaged.
    """
    return file.samples(_read_page, refuse=refuse)


def _read_page(stream, refuse):
    import numpy as np  # here: the help is shown without it

    writer, stream.place = casia_writer(stream.name), 'header'
    code_length, by_character = _read_header(stream, refuse)
    start = stream.offset
    _, _, count = stream.unpack('<iii', 'number of strokes')
    most = min(stream.remaining // 2, _MAX_STROKES)
    if not 0 < count <= most:
        raise stream.error(
            f'{count} strokes, expected 1 to {most} ({stream.remaining} bytes remain)',
            reason='size',
            offset=start + 8,
        )
    strokes = []
    for number in range(count):
        stream.place = f'stroke {number}'
        (points,) = stream.unpack('<H', 'number of points')
        strokes.append(np.frombuffer(stream.take(4 * points, f'{points} points'), '<u2').reshape(-1, 2))
    stream.place = f'after stroke {count - 1}'
    (lines,) = stream.unpack('<H', 'number of lines')
    # Each stroke belongs to one line; a file that names them again and again would grow without limit.
    left = 2 * sum(map(len, strokes))
    for record in range(1, lines + 1):
        stream.place, start = f'line {record}', stream.offset
        (members,) = stream.unpack('<H', 'number of strokes')
        numbers = np.frombuffer(stream.take(2 * members, f'{members} numbers of strokes'), '<u2').tolist()
        (characters,) = stream.unpack('<H', 'number of characters')
        last = max(numbers, default=0)
        if by_character:
            label, last = _read_characters(stream, characters, code_length, last)
        else:
            label = stream.take(characters * code_length, f'{characters} codes')
        error = None
        if not characters or not any(len(strokes[n]) for n in numbers if n < count):
            error = f'{characters} characters and {members} strokes, expected at least one of each'
        if last >= count:
            error = f'stroke {last}, expected 0 to {count - 1}'
        else:
            left -= sum(len(strokes[n]) for n in numbers)
            if left < 0:
                raise stream.error(
                    'the lines name their strokes more than twice', reason='strokes', offset=start
                )
        if error:
            refuse_or_raise(stream.error(error, reason='strokes', offset=start), refuse)
            continue
        text, codes = decode_label(label, code_length=code_length)
        yield Ink(
            strokes=tuple(strokes[n].astype(np.int32) for n in numbers if len(strokes[n])),
            text=text,
            writer=writer,
            record=record,
            offset=start,
            codes=codes,
        )
    stream.place = f'after line {lines}'
    stream.check_end()


def _read_characters(stream, count, code_length, last):
    """The characters of a line of .ptts: bytes of their codes, one after the other; the largest number of
    a stroke, at least `last`.
    """
    import numpy as np  # here: the help is shown without it

    label = bytearray()
    for _ in range(count):
        label += stream.take(code_length, 'code')
        (strokes,) = stream.unpack('<H', 'number of strokes of a character')
        last = max(
            last, *np.frombuffer(stream.take(2 * strokes, f'{strokes} numbers of strokes'), '<u2').tolist(), 0
        )
    return bytes(label), last


def _read_header(stream, refuse):
    """Bytes of a code, and whether characters name their strokes."""
    (size,) = stream.unpack('<i', 'size of the header')
    kind = stream.take(8, 'format code').split(b'\0')[0].strip().upper()
    by_character = kind == b'PTTS' or stream.name.lower().endswith('.ptts')
    if kind != b'WPTT' and not by_character:
        raise stream.error(f'format code {kind!r}, expected WPTT or PTTS', reason='magic', offset=4)
    length = stream.ahead(_MAX_ILLUSTRATION).find(b'\0') + 1
    if not length:
        raise stream.error('illustration without a final zero', reason='header')
    stream.take(length, 'illustration')
    # 54 without the page's three numbers, 66 with them.
    if not _FIXED_HEADER - 1 <= size - length <= _FIXED_HEADER + 12:
        refuse_or_raise(
            stream.error(
                f'header of {size} bytes, expected {_FIXED_HEADER + length}, where the zero of the'
                ' illustration is; read on there',
                reason='header',
                offset=0,
            ),
            refuse,
        )
    code_length, start = read_code_length(stream), stream.offset
    data_type = stream.take(20, 'data type').split(b'\0')[0].decode('latin-1').strip().lower()
    if data_type and 'short' not in data_type:
        raise stream.error(f'data type {data_type!r}, expected short', reason='header', offset=start)
    return code_length, by_character


FORMAT = Format(
    name='wptt',
    summary='CASIA-OLHWDB2.x: pages of a pen, line by line',
    suffixes=('.wptt', '.ptts'),
    read=read_wptt,
    source='casia',
    writer_of=casia_writer,
    place=3,
)
