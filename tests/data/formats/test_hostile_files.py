"""What no file may do, whatever it says of itself: take memory beyond its size and a bound, hang, or raise
anything but FormatError.
"""

import pathlib
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from foreign_files import READERS, codes, dgr_bytes, glyph, on_disk, page_header, ptts_bytes, wptt_bytes
from fuzz_targets import SQUARE, WHOLE

from hwgen.data.formats.archives import list_files
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import line_image

RNG = np.random.default_rng(0)
BIG = 0x7FFFFFFF
LIES = {
    'gnt, samples of 4 GB': ('.gnt', struct.pack('<I2sHH', 10 + 65535 * 65535, b'\xb0\xa1', 65535, 65535)),
    'dgrl, header of 2 GB': ('.dgrl', struct.pack('<i', BIG)),
    'dgrl, 2 G lines': ('.dgrl', page_header(b'DGRL') + struct.pack('<3i', 60000, 60000, BIG)),
    'dgrl, 2 G characters': ('.dgrl', page_header(b'DGRL') + struct.pack('<4i', 60000, 60000, 1, BIG)),
    'dgrl, 2 G x 2 G px': (
        '.dgrl',
        page_header(b'DGRL')
        + struct.pack('<4i', 60000, 60000, 1, 1)
        + codes('天')
        + struct.pack('<4i', 0, 0, BIG, BIG),
    ),
    'dgr, a line as large as its page': (
        '.dgr',
        dgr_bytes(
            [[('天', 0, 0, glyph(RNG, 1, 1)), ('地', 30000, 30000, glyph(RNG, 1, 1))]], page=(60000, 60000)
        ),
    ),
    'pot, no end': ('.pot', struct.pack('<H', 65532) + b'\xa1\xb0\0\0\1\0'),
    'wptt, 2 G strokes': ('.wptt', wptt_bytes([], [], count=BIG)),
    'ptts, characters that name strokes again and again': (
        '.ptts',
        ptts_bytes([SQUARE], [(codes('天') * 6000, [0] * 6000)]),
    ),
    'wptt, strokes named again and again': ('.wptt', wptt_bytes([SQUARE * 4000], [('天', [0] * 60000)] * 5)),
}


@pytest.mark.parametrize('name', LIES)
def test_sizes_that_are_not_believed(name):
    suffix, data = LIES[name]
    file, errors = on_disk(f'x{suffix}', data), []
    tracemalloc.start()
    try:
        assert not list(READERS[suffix](file, refuse=errors.append)) and errors
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(data) + (1 << 20), f'{peak} bytes for a file of {len(data)}'
    with pytest.raises(FormatError):
        list(READERS[suffix](file))


def test_archives_that_lie_of_sizes():
    with zipfile.ZipFile('x.zip', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('001-f.gnt', WHOLE['.gnt'])
    data = bytearray(pathlib.Path('x.zip').read_bytes())
    entry = data.rfind(b'PK\1\2')
    data[entry + 24 : entry + 28] = struct.pack('<I', 0xFFFFFFF0)  # uncompressed size
    pathlib.Path('x.zip').write_bytes(data)
    (file,) = list_files('x.zip')
    errors = []
    samples = list(READERS['.gnt'](file, refuse=errors.append))
    assert (
        file.size == 0xFFFFFFF0
        and ''.join(s.text for s in samples) in ('', '天', '天地', '天地玄')
        and len(errors) == 1
    )
    with pytest.raises(
        FormatError, match='x.zip/001-f.gnt, byte 0: the file of 4294967280 bytes, expected at most 67108864'
    ):
        file.read()


def test_archives_that_swell():
    """A sample of 200 MB, packed to 200 KB: the size is refused before it is unpacked."""
    with (
        zipfile.ZipFile('x.zip', 'w', zipfile.ZIP_DEFLATED) as archive,
        archive.open('001-f.gnt', 'w') as member,
    ):
        member.write(struct.pack('<I2sHH', 10 + 20000 * 10000, b'\xb0\xa1', 20000, 10000))
        for _ in range(200):
            member.write(bytes(1000000))
    file, errors = list_files('x.zip')[0], []
    tracemalloc.start()
    try:
        assert not list(
            READERS['.gnt'](file, refuse=errors.append)
        ) and 'expected at most 16777216 pixels' in str(errors[0])
        assert tracemalloc.get_traced_memory()[1] < 1 << 21
    finally:
        tracemalloc.stop()


def test_images_that_would_grow_when_they_are_made():
    """A strip of 1 x 65535 px would be a square of 4 GB; ink that goes to and fro would be drawn for
    minutes.
    """
    with pytest.raises(ValueError, match='character of 65535 x 1 px, expected at most 4096 px'):
        line_image.on_paper(np.zeros((1, 65535), np.uint8))
    zigzag = np.array([[0, 0], [60000, 900]] * 30000)
    for characters, cell in ((1, None), (500, None), (1, 60000)):
        with pytest.raises(ValueError, match=r'strokes of \d+ px for \d+ characters, expected at most'):
            line_image.draw_ink([zigzag], height_px=64, pen_px=2, num_characters=characters, cell_extent=cell)
    with pytest.raises(ValueError, match='ink of .* px, expected at most'):
        line_image.draw_ink([zigzag * [60000, 1]], height_px=64, pen_px=2, num_characters=60000)
