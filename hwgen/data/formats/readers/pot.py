"""CASIA-OLHWDB1.x, isolated characters of a pen (.pot): samples one after the other, no header, all numbers
little-endian.

    bytes          content
    2   uint16     size of the sample with these 2 bytes
    4 or 2         GB code
    2   uint16     strokes
    then points of 2 * int16, x and y; (-1, 0) ends a stroke, (-1, -1) the character

Source: nlpr.ia.ac.cn/databases/handwriting/Online_database.html, table 2. It has the code as a number of 4
bytes, so that 啊, B0 A1, is stored as A1 B0 00 00. The versions differ: there are files with the code's first
byte first, and with a code of 2 bytes. Both are found out: the size of a sample is a multiple of 4 with codes
of 4 bytes and not with those of 2; and hanzi, which are most of a file, have a first byte from B0 to F7, so
the order in which more codes look like hanzi is the file's, the documented one if they are even.
A size has 16 bits only, so a longer sample has it modulo 65536: where a sample ends is read from its points.
"""

from collections.abc import Iterator

from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import casia_writer
from hwgen.data.formats.codes import decode_code, looks_like_hanzi
from hwgen.data.formats.format import Format
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink, Refuse, refuse_or_raise

_VOTE_BYTES = 1 << 20
_MAX_SAMPLE_BYTES = 1 << 20  # a character of 10,000 points has 40,000
_STROKE_END, _END = (-1, 0), (-1, -1)


def read_pot(file: File, *, refuse: Refuse = None) -> Iterator[Ink]:
    """The characters of a file.

    Args:
        file: archives.File.
        refuse: function of a FormatError, told of what cannot be read; None: it is raised. A sample that
            contradicts itself is left out if another follows where its size or its first end mark says, else
            the rest of the file is.

    Yields:
        Ink; its text is U+FFFD where the code decodes to nothing.

    Raises:
        FormatError: `refuse` is None and the file is damaged.
    """
    return file.samples(_read_samples, refuse=refuse)


def _read_samples(stream, refuse):
    writer, record = casia_writer(stream.name), 0
    swapped = _codes_are_swapped(stream.ahead(_VOTE_BYTES))
    while stream.remaining:
        record += 1
        stream.place, start = f'sample {record}', stream.offset
        try:
            code, strokes, length = _read_sample(stream)
        except FormatError as error:
            told = error
            size = int.from_bytes(stream.ahead(2), 'little')
            length = next(
                (
                    length
                    for length in (size, *sorted(_marked_lengths(stream)))
                    if 12 <= length <= stream.remaining and _sample_follows(stream, length)
                ),
                None,
            )
            if length is None:
                raise
            if length != size:
                told = stream.error(
                    f'size field of {size} bytes, the end (-1, -1) is after {length}; read on behind it',
                    reason='size',
                )
            refuse_or_raise(told, refuse)
            stream.take(length, 'sample')
            continue
        stream.take(length, 'sample')
        yield Ink(
            strokes=strokes,
            text=decode_code(code, swapped=swapped) or UNKNOWN_CHARACTER,
            writer=writer,
            record=record,
            offset=start,
            codes=(code,),
        )


def _codes_are_swapped(data):
    """Whether the codes at the start of a file are little-endian, by their majority."""
    swapped = straight = position = 0
    while len(data) - position >= 8:
        size = int.from_bytes(data[position : position + 2], 'little')
        code = data[position + 2 : position + (6 if size % 4 == 0 else 4)]
        swapped += looks_like_hanzi(code, swapped=True)
        straight += looks_like_hanzi(code)
        if size < 12:
            break
        position += size
    return swapped >= straight


def _read_sample(stream):
    """The sample at the position, which stays: its code, strokes and length in bytes."""
    import numpy as np  # here: the help is shown without it

    (size,) = np.frombuffer(stream.ahead(2).ljust(2, b'\0'), '<u2').tolist()
    if size % 2:
        raise stream.error(f'sample of {size} bytes, expected an even number from 10', reason='size')
    code_length = 4 if size % 4 == 0 else 2
    header = 4 + code_length
    # Mostly the size is right; a longer sample has more of what was cut from it.
    length = size if size >= 6 else size + (1 << 16)
    while True:
        if length > stream.remaining:
            raise stream.error(
                f'sample of {length} bytes, {stream.remaining} bytes remain (truncated or corrupt)',
                reason='truncated',
            )
        if length > _MAX_SAMPLE_BYTES:
            raise stream.error(f'no end (-1, -1) within {_MAX_SAMPLE_BYTES} bytes', reason='size')
        data = stream.ahead(length)
        if len(data) < length:
            raise stream.error(
                f'sample of {length} bytes, the file ends {length - len(data)} bytes before (truncated)',
                reason='truncated',
            )
        points = np.frombuffer(data, '<i2', offset=min(header, length)).reshape(-1, 2).astype(np.int32)
        ends = np.flatnonzero((points == _END).all(1))
        if len(ends):
            break
        length += 1 << 16
    if ends[0] != len(points) - 1:
        raise stream.error(
            f'end (-1, -1) after {header + 4 * (int(ends[0]) + 1)} bytes, expected it at the end of {length} '
            'bytes',
            reason='size',
        )
    count = int.from_bytes(data[2 + code_length : header], 'little')
    stops = np.flatnonzero((points == _STROKE_END).all(1))
    if len(stops) != count or len(points) > 1 and (not count or stops[-1] != len(points) - 2):
        raise stream.error(
            f'{len(stops)} ends of strokes (-1, 0), expected {count} and the last before the end (-1, -1)',
            reason='strokes',
        )
    strokes = tuple(
        stroke
        for stroke in (part if i == 0 else part[1:] for i, part in enumerate(np.split(points[:-1], stops)))
        if len(stroke)
    )
    if not strokes:
        raise stream.error('no stroke with a point, expected at least one', reason='strokes')
    return data[2 : 2 + code_length], strokes, length


def _marked_lengths(stream):
    """The bytes up to the first end mark, with a code of 4 and of 2 bytes: where a sample ends whose size
    field is wrong.
    """
    import numpy as np  # here: the help is shown without it

    data = stream.ahead(_MAX_SAMPLE_BYTES)
    for header in (8, 6):
        whole = data[header : header + (len(data) - header) // 4 * 4] if len(data) > header else b''
        ends = np.flatnonzero((np.frombuffer(whole, '<i2').reshape(-1, 2) == _END).all(1))
        if len(ends):
            yield header + 4 * (int(ends[0]) + 1)


def _sample_follows(stream, size):
    """Whether the file ends, or a sample with its end mark starts, so many bytes ahead."""
    if size == stream.remaining:
        return True
    ahead = stream.ahead(size + (1 << 16))[size:]
    length = int.from_bytes(ahead[:2], 'little')
    return 12 <= length <= len(ahead) and ahead[length - 4 : length] == b'\xff' * 4


FORMAT = Format(
    name='pot',
    summary='CASIA-OLHWDB1.x: isolated characters of a pen',
    suffixes=('.pot',),
    read=read_pot,
    source='casia',
    writer_of=casia_writer,
    record='sample',
    isolated=True,
    place=2,
)
