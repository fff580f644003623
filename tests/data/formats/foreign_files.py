"""Files in the layouts of CASIA, written here byte by byte from the published tables, and a straightforward
reader of each.

The readers share nothing with hwgen's: they are what public scripts do with such files (a loop of
struct.unpack, no checks).
"""

import io
import pathlib
import struct

import numpy as np

from hwgen.data.formats import registry
from hwgen.data.formats.archives import File

# Suffix -> the reader of files with it, and what its format is.
FORMATS = {
    suffix: one for one in registry.find_formats().values() if one.read is not None for suffix in one.suffixes
}
READERS = {suffix: one.read for suffix, one in FORMATS.items()}


def on_disk(name, data, folder='.'):
    """An archives.File of bytes that are written to a folder."""
    path = pathlib.Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return File(name, len(data), path)


def glyph(rng, height, width):
    return rng.integers(0, 256, (height, width)).astype(np.uint8)


def gnt_sample(code, image, *, size=None, width=None, height=None):
    height, width = height or image.shape[0], image.shape[1] if width is None else width
    return (
        struct.pack('<I', 10 + image.size if size is None else size)
        + code
        + struct.pack('<HH', width, height)
        + image.tobytes()
    )


def gnt_bytes(samples):
    return b''.join(gnt_sample(text.encode('gbk').ljust(2, b'\0'), image) for text, image in samples)


def plain_gnt(data):
    file = io.BytesIO(data)
    while head := file.read(10):
        _, code, width, height = struct.unpack('<I2sHH', head)
        yield (
            code.rstrip(b'\0').decode('gbk'),
            np.frombuffer(file.read(width * height), np.uint8).reshape(height, width),
        )


def page_header(kind, *, code_length=2, bits=8, code_type=b'GB', illustration=b'#a page\0'):
    return (
        struct.pack('<i', 36 + len(illustration))
        + kind.ljust(8, b'\0')
        + illustration
        + code_type.ljust(20, b'\0')
        + struct.pack('<hh', code_length, bits)
    )


def codes(text, code_length=2):
    return b''.join(character.encode('gbk').ljust(code_length, b'\0') for character in text)


def dgrl_bytes(lines, *, page=(3000, 2400), code_length=2, **header):
    data = page_header(b'DGRL', code_length=code_length, **header) + struct.pack('<3i', *page, len(lines))
    for number, (text, image) in enumerate(lines):
        label = codes(text, code_length) if isinstance(text, str) else text
        data += (
            struct.pack('<i', len(label) // code_length)
            + label
            + struct.pack('<4i', 50 * number, 7, *image.shape)
            + image.tobytes()
        )
    return data


def plain_dgrl(data):
    file = io.BytesIO(data)
    (size,) = struct.unpack('<i', file.read(4))
    header = file.read(size - 4)
    (code_length,) = struct.unpack('<h', header[-4:-2])
    _, _, lines = struct.unpack('<3i', file.read(12))
    for _ in range(lines):
        (count,) = struct.unpack('<i', file.read(4))
        text = file.read(count * code_length).decode('gb18030', 'ignore').replace('\0', '')
        _, _, height, width = struct.unpack('<4i', file.read(16))
        yield text, np.frombuffer(file.read(height * width), np.uint8).reshape(height, width)


def dgr_bytes(lines, *, page=(600, 800)):
    """`lines` of characters (text, top, left, image)."""
    data = page_header(b'DGR') + struct.pack('<3i', *page, len(lines))
    for line in lines:
        data += struct.pack('<i', len(line))
        for text, top, left, image in line:
            data += codes(text) + struct.pack('<4h', top, left, *image.shape) + image.tobytes()
    return data


def pot_sample(code, strokes, *, size=None, count=None):
    body = code + struct.pack('<H', len(strokes) if count is None else count)
    for stroke in strokes:
        body += np.asarray(stroke, '<i2').tobytes() + struct.pack('<hh', -1, 0)
    body += struct.pack('<hh', -1, -1)
    return struct.pack('<H', (2 + len(body) if size is None else size) % 65536) + body


def pot_bytes(samples, *, order='little', code_length=4):
    data = b''
    for text, strokes in samples:
        code = text.encode('gbk')
        code = code[::-1].ljust(code_length, b'\0') if order == 'little' else code.ljust(code_length, b'\0')
        data += pot_sample(code, strokes)
    return data


def plain_pot(data):
    file = io.BytesIO(data)
    while file.read(2):
        code = file.read(4)
        text = bytes([code[1], code[0]]).strip(b'\0').decode('gbk')
        (count,) = struct.unpack('<H', file.read(2))
        strokes = [[]]
        while (point := struct.unpack('<hh', file.read(4))) != (-1, -1):
            strokes.append([]) if point == (-1, 0) else strokes[-1].append(point)
        assert len(strokes) == count + 1
        yield text, strokes[:-1]


def wptt_bytes(
    strokes, lines, *, header_extra=0, illustration=b'#a page\0', count=None, kind=b'WPTT', by_character=False
):
    """`lines` of (text or codes, numbers of strokes); `by_character`: .ptts, where the characters share
    these strokes out.
    """
    data = (
        struct.pack('<i', 54 + len(illustration) + header_extra)
        + kind.ljust(8, b'\0')
        + illustration
        + b'GB'.ljust(20, b'\0')
        + struct.pack('<h', 2)
        + b'short'.ljust(20, b'\0')
        + struct.pack('<3i', 0, 14, len(strokes) if count is None else count)
    )
    for stroke in strokes:
        data += struct.pack('<H', len(stroke)) + np.asarray(stroke, '<u2').tobytes()
    data += struct.pack('<H', len(lines))
    for text, members in lines:
        label = codes(text) if isinstance(text, str) else text
        data += (
            struct.pack('<H', len(members))
            + np.asarray(members, '<u2').tobytes()
            + struct.pack('<H', len(label) // 2)
        )
        for i in range(len(label) // 2):
            own = members[i :: len(label) // 2]
            data += label[2 * i : 2 * i + 2] + (
                struct.pack('<H', len(own)) + np.asarray(own, '<u2').tobytes() if by_character else b''
            )
    return data


def ptts_bytes(strokes, lines, **header):
    return wptt_bytes(strokes, lines, **{'kind': b'PTTS', **header}, by_character=True)


def plain_wptt(data, by_character=False):
    file = io.BytesIO(data)
    number = lambda layout='<H': struct.unpack(layout, file.read(struct.calcsize(layout)))[0]  # noqa: E731
    file.read(12)
    while file.read(1) != b'\0':
        pass
    file.read(20)
    code_length = number()
    file.read(28)
    strokes = [[(number(), number()) for _ in range(number())] for _ in range(number('<i'))]
    for _ in range(number()):
        members = [number() for _ in range(number())]
        text = b''
        for _ in range(number()):
            text += file.read(code_length)
            if by_character:
                file.read(2 * number())
        yield text.decode('gb2312', 'ignore').replace('\0', ''), [strokes[i] for i in members]


def refused(read, file):
    """(samples, errors) of a reader that skips what is damaged."""
    errors = []
    return list(read(file, refuse=errors.append)), errors


def spoil(data, whole, values):
    """Bytes with some of them changed, then cut, then continued, as hypothesis draws; `values` is the
    strategy of a changed byte.
    """
    from hypothesis import strategies as st  # here, as the benchmark that writes such files does without it

    spoilt = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(values)
    return bytes(spoilt[: data.draw(st.integers(0, len(spoilt)))]) + data.draw(st.binary(max_size=20))
