"""CASIA-HWDB2.x, pages of text (.dgrl), and their older form (.dgr); all numbers little-endian.

Header of both:
    bytes          content
    4   int32      size of the header, 36 + length of the illustration with its final zero
    8   char       DGRL or DGR, padded with zeros
    any char       illustration, '#...', ends with a zero
    20  char       code type: ASCII, GB, ...
    2   int16      bytes of a code: 1, 2 or 4
    2   int16      bits of a pixel: 8 (255 = paper), or 1 (set = ink)
    4   int32      H of the page, px
    4   int32      W of the page, px
    4   int32      lines

.dgrl, each line:
    4   int32      characters, N
    N codes        a code each, its first byte first, ASCII padded with zeros; FF FF marks what nobody
                   could read
    4 * int32      top, left, H, W of the line on the page, px
    H * W uint8    rows of pixels (1 bit: H * ((W + 7) // 8) bytes, the leftmost pixel in the highest bit)

.dgr, each line: int32 N, then each character:
    1 code
    4 * int16      top, left, H, W of the character on the page, px
    H * W uint8    its pixels, as above

Which of the two a file is stands in its format code; the suffixes are often confused and not looked at.

Source: nlpr.ia.ac.cn/databases/handwriting/Offline_database.html with DGRLRead.cpp and the listing for *.dgr.
A comment of that listing gives 54 + length + 1 as the size of the header, but it reads an illustration of
size - 36 bytes: 36 it is.
Differs: the image of a line of .dgr is put together from its characters, the darker pixel where they overlap.
"""

from collections.abc import Iterator

from hwgen.data.formats.archives import File
from hwgen.data.formats.casia_names import casia_writer
from hwgen.data.formats.codes import decode_label, read_code_length
from hwgen.data.formats.format import Format
from hwgen.data.formats.samples import MAX_LINE_PIXELS, Picture, Refuse, refuse_or_raise

_MIN_HEADER = 36
MAX_HEADER = 1 << 16
MAX_PAGE_PX = 1 << 16


def read_dgrl(file: File, *, refuse: Refuse = None) -> Iterator[Picture]:
    """The lines of a page.

    Args:
        file: archives.File, .dgrl or .dgr.
        refuse: function of a FormatError, told of what cannot be read; None: it is raised. Nothing but the
            sizes in a line tells where the next one starts, so a line with impossible sizes ends the page;
            those before it are kept. An empty line is left out alone, and a header whose size contradicts the
            illustration costs nothing else.

    Yields:
        Picture of each line, top to bottom; with boxes where the file is a .dgr.

    Raises:
        FormatError: `refuse` is None and the file is damaged.
    """
    return file.samples(_read_page, refuse=refuse)


def _read_page(stream, refuse):
    writer, stream.place = casia_writer(stream.name), 'header'
    kind, code_length, bits = _read_header(stream, refuse)
    start = stream.offset
    height, width, lines = stream.unpack('<iii', 'size of the page')
    if not (0 < height <= MAX_PAGE_PX and 0 < width <= MAX_PAGE_PX):
        raise stream.error(
            f'page of {width} x {height} px, expected 1 to {MAX_PAGE_PX} px', reason='size', offset=start
        )
    if not 0 <= lines <= stream.remaining // 4:
        raise stream.error(
            f'{lines} lines, expected at most {stream.remaining // 4} in the {stream.remaining} bytes that '
            'remain',
            reason='size',
            offset=start,
        )
    for record in range(1, lines + 1):
        stream.place, start = f'line {record}', stream.offset
        (count,) = stream.unpack('<i', 'number of characters')
        if not 0 <= count <= stream.remaining // code_length:
            raise stream.error(
                f'{count} characters, expected 1 to {stream.remaining // code_length} in the '
                f'{stream.remaining} bytes that remain',
                reason='size',
                offset=start,
            )
        if kind == 'DGRL':
            label = stream.take(count * code_length, f'{count} codes')
            place = stream.offset
            _, _, height, width = stream.unpack('<4i', 'place of the line')
            image, boxes = _read_pixels(stream, height, width, bits=bits, offset=place), None
        else:
            label, image, boxes = _read_characters(
                stream, count, code_length=code_length, bits=bits, page=(height, width)
            )
        if not count or image is None:
            found = f'{count} characters with an image of no pixels' if count else 'no characters'
            refuse_or_raise(
                stream.error(f'{found}, expected at least one of each', reason='empty', offset=start), refuse
            )
            continue
        text, codes = decode_label(label, code_length=code_length)
        if boxes is not None:
            boxes = boxes[: len(codes)]
        yield Picture(
            image=image, text=text, writer=writer, record=record, offset=start, codes=codes, boxes=boxes
        )
    stream.place = f'after line {lines}'
    stream.check_end()


def _read_header(stream, refuse):
    (size,) = stream.unpack('<i', 'size of the header')
    ahead = stream.ahead(MAX_HEADER)
    # of the illustration: by the header's size, by the zero at its end
    length, zero = size - _MIN_HEADER, ahead.find(b'\0', 8) - 7
    if not _holds(ahead, length) and zero > 0 and _holds(ahead, zero):
        refuse_or_raise(
            stream.error(
                f'header of {size} bytes, expected {_MIN_HEADER + zero}, where the zero of the illustration'
                ' is; read on there',
                reason='header',
                offset=0,
            ),
            refuse,
        )
        length = zero
    elif not _MIN_HEADER <= size <= min(MAX_HEADER, stream.size):
        raise stream.error(
            f'header of {size} bytes, expected {_MIN_HEADER} to {min(MAX_HEADER, stream.size)}',
            reason='magic',
            offset=0,
        )
    kind = stream.take(8, 'format code').split(b'\0')[0].strip().upper()
    if kind not in (b'DGRL', b'DGR'):
        raise stream.error(f'format code {kind!r}, expected DGRL or DGR', reason='magic', offset=4)
    stream.take(length, 'illustration')
    code_length, start = read_code_length(stream), stream.offset
    (bits,) = stream.unpack('<h', 'bits of a pixel')
    if bits not in (1, 8):
        raise stream.error(f'{bits} bits a pixel, expected 1 or 8', reason='header', offset=start)
    return kind.decode(), code_length, bits


def _holds(ahead, length):
    """Whether a header holds together whose illustration has so many bytes; `ahead`: bytes from the format
    code on.
    """
    if not 0 <= length <= len(ahead) - _MIN_HEADER + 4 or ahead[:8].split(b'\0')[0].strip().upper() not in (
        b'DGRL',
        b'DGR',
    ):
        return False
    code_length, bits = (
        int.from_bytes(ahead[8 + length + start : 8 + length + start + 2], 'little') for start in (20, 22)
    )
    return code_length in (1, 2, 4) and bits in (1, 8)


def _read_pixels(stream, height, width, *, bits, offset):
    """uint8 [height, width], or None where that is no pixel."""
    import numpy as np  # here: the help is shown without it

    if height < 0 or width < 0:
        raise stream.error(
            f'image of {width} x {height} px, expected at least 1 x 1', reason='size', offset=offset
        )
    if not height or not width:
        return None
    row = width if bits == 8 else (width + 7) // 8
    if height * row > stream.remaining:
        raise stream.error(
            f'image of {width} x {height} px exceeds the file, {stream.remaining} bytes remain',
            reason='truncated',
            offset=offset,
        )
    if height * width > MAX_LINE_PIXELS:
        raise stream.error(
            f'image of {width} x {height} px, expected at most {MAX_LINE_PIXELS} pixels',
            reason='size',
            offset=offset,
        )
    pixels = np.frombuffer(stream.take(height * row, 'image'), np.uint8).reshape(height, row)
    return pixels if bits == 8 else (1 - np.unpackbits(pixels, axis=1, count=width)) * np.uint8(255)


def _read_characters(stream, count, *, code_length, bits, page):
    """The characters of a line of .dgr: their codes, the line's image (None where a character has none),
    the boxes in it.
    """
    import numpy as np  # here: the help is shown without it

    if not count:
        return b'', None, None
    if count > stream.remaining // (code_length + 8):
        raise stream.error(
            f'{count} characters of at least {code_length + 8} bytes, {stream.remaining} bytes remain',
            reason='truncated',
        )
    codes, images, boxes, pixels = [], [], [], 0
    for _ in range(count):
        codes.append(stream.take(code_length, 'code'))
        offset = stream.offset
        top, left, height, width = stream.unpack('<4h', 'place of the character')
        images.append(_read_pixels(stream, height, width, bits=bits, offset=offset))
        boxes.append((left, top, left + width, top + height))
        pixels += height * width
        if pixels > 2 * MAX_LINE_PIXELS:
            raise stream.error(
                f'{pixels} pixels of characters in a line, expected at most {2 * MAX_LINE_PIXELS}',
                reason='size',
                offset=offset,
            )
        # Within the page, so that the image of the line is no larger than it.
        if left < 0 or top < 0 or left + width > page[1] or top + height > page[0]:
            raise stream.error(
                f'character at {left}, {top} of {width} x {height} px, expected it within the page of'
                f' {page[1]} x {page[0]} px',
                reason='size',
                offset=offset,
            )
    if any(image is None for image in images):
        return b''.join(codes), None, None
    boxes = np.array(boxes, np.int32)
    origin, end = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    width, height = (int(n) for n in end - origin)
    if width * height > MAX_LINE_PIXELS:
        raise stream.error(
            f'line of {width} x {height} px, expected at most {MAX_LINE_PIXELS} pixels', reason='size'
        )
    boxes -= np.tile(origin, 2)
    line = np.full((height, width), 255, np.uint8)
    for image, (x0, y0, x1, y1) in zip(images, boxes, strict=True):
        np.minimum(line[y0:y1, x0:x1], image, out=line[y0:y1, x0:x1])
    return b''.join(codes), line, boxes


FORMAT = Format(
    name='dgrl',
    summary='CASIA-HWDB2.x: pages, line by line',
    suffixes=('.dgrl', '.dgr'),
    read=read_dgrl,
    source='casia',
    writer_of=casia_writer,
    place=1,
)
