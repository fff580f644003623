"""CASIA-HWDB1.x, isolated characters (.gnt): samples one after the other, no header, all numbers
little-endian.

    bytes          content
    4   uint32     size of the sample with these 10 bytes, 10 + W * H
    2              GB code, its first byte first: B0 A1 is 啊; ASCII has a zero beside it
    2   uint16     W, px
    2   uint16     H, px
    W * H  uint8   rows of pixels, 255 = paper

Source: nlpr.ia.ac.cn/databases/handwriting/Offline_database.html, table 2. A file holds the samples of one
writer (001-f.gnt), in older downloads those of many (1.0train-gb1.gnt).
"""

import struct
from collections.abc import Iterator

from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import casia_writer
from hwgen.data.formats.codes import decode_code
from hwgen.data.formats.format import Format
from hwgen.data.formats.samples import MAX_LINE_PIXELS, UNKNOWN_CHARACTER, Picture, Refuse, refuse_or_raise

_HEADER = struct.Struct('<I2sHH')


def read_gnt(file: File, *, refuse: Refuse = None) -> Iterator[Picture]:
    """The characters of a file.

    Args:
        file: archives.File.
        refuse: function of a FormatError, told of what cannot be read; None: it is raised. A sample whose
            sizes contradict each other is left out if another follows where its size field or W * H says,
            else the rest of the file is.

    Yields:
        Picture; its text is U+FFFD where the code decodes to nothing.

    Raises:
        FormatError: `refuse` is None and the file is damaged.
    """
    return file.samples(_read_samples, refuse=refuse)


def _read_samples(stream, refuse):
    import numpy as np  # here: the help is shown without it

    writer, record = casia_writer(stream.name), 0
    while stream.remaining:
        record += 1
        stream.place, start = f'sample {record}', stream.offset
        if stream.remaining < _HEADER.size:
            raise stream.error(
                f'{stream.remaining} bytes, expected a header of {_HEADER.size} or the end of the file',
                reason='trailing',
            )
        size, code, width, height = _HEADER.unpack(stream.ahead(_HEADER.size).ljust(_HEADER.size, b'\0'))
        problem = _problem(size, width, height, stream.remaining)
        if problem:
            sentence, reason = problem
            length = next(
                (
                    length
                    for length in (size, _HEADER.size + width * height)
                    if _HEADER.size <= length <= min(stream.remaining, MAX_LINE_PIXELS)
                    and _sample_follows(stream, length)
                ),
                None,
            )
            if length is None:
                raise stream.error(
                    f'{sentence}; the rest of the file, {stream.remaining} bytes, is not read', reason=reason
                )
            refuse_or_raise(
                stream.error(
                    sentence if length == size else f'{sentence}: a wrong size, read on behind the image',
                    reason=reason,
                ),
                refuse,
            )
            stream.take(length, 'sample')
            continue
        pixels = np.frombuffer(stream.take(size, 'sample'), np.uint8, offset=_HEADER.size)
        yield Picture(
            image=pixels.reshape(height, width),
            text=decode_code(code) or UNKNOWN_CHARACTER,
            writer=writer,
            record=record,
            offset=start,
            codes=(code,),
        )


def _problem(size, width, height, remaining):
    """What is wrong with a header: a sentence and its reason, or None."""
    if not width or not height:
        return f'image of {width} x {height} px, expected at least 1 x 1', 'size'
    if width * height > MAX_LINE_PIXELS:
        return f'image of {width} x {height} px, expected at most {MAX_LINE_PIXELS} pixels', 'size'
    if size != _HEADER.size + width * height:
        return (
            (
                f'sample of {size} bytes, expected {_HEADER.size + width * height} for an image of {width} x'
                f' {height} px'
            ),
            'size',
        )
    if size > remaining:
        return (
            (
                f'sample of {size} bytes ({width} x {height} px), {remaining} bytes remain (truncated or'
                ' corrupt)'
            ),
            'truncated',
        )
    return None


def _sample_follows(stream, size):
    """Whether the file ends, or a consistent sample starts, so many bytes ahead."""
    if size == stream.remaining:
        return True
    ahead = stream.ahead(size + _HEADER.size)[size:]
    if len(ahead) < _HEADER.size:
        return False
    next_size, _, width, height = _HEADER.unpack(ahead)
    return not _problem(next_size, width, height, stream.remaining - size)


FORMAT = Format(
    name='gnt',
    summary='CASIA-HWDB1.x: isolated characters',
    suffixes=('.gnt',),
    read=read_gnt,
    source='casia',
    writer_of=casia_writer,
    record='sample',
    isolated=True,
    place=0,
)
