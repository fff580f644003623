"""Pictures written here byte by byte or by their published layout: transparency, masks, bounds; and which
files of a folder are pictures.
"""

import io
import struct
import types
import zlib

import numpy as np
import pytest
from PIL import Image

from hwgen.data.formats import image_files
from hwgen.data.formats.image_files import expected_formats, find_images, read_image, suffixes

GREY = np.array([[0, 100, 255], [7, 128, 200]], np.uint8)


def png(path, values, *, depth=8, kind=0, chunks=()):
    """A PNG of its chunks; kind: 0 grey, 2 colour, 3 palette, 4 grey and opacity, 6 colour and opacity."""
    values = np.atleast_3d(values)
    rows = b''.join(b'\0' + row.astype('>u2' if depth == 16 else np.uint8).tobytes() for row in values)
    parts = [
        (b'IHDR', struct.pack('>IIBBBBB', values.shape[1], values.shape[0], depth, kind, 0, 0, 0)),
        *chunks,
        (b'IDAT', zlib.compress(rows)),
        (b'IEND', b''),
    ]
    path.write_bytes(
        b'\x89PNG\r\n\x1a\n'
        + b''.join(
            struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
            for name, data in parts
        )
    )
    return path


@pytest.mark.parametrize('depth', [8, 16])
def test_what_is_transparent_is_paper(tmp_path, depth):
    """Grey 100 of which a fifth is seen, 51 of 255, is 255 - 155 / 5 = 224; of colours ITU-R 601 of what
    is seen.
    """
    top = 257 if depth == 16 else 1
    opacity = np.array([[0, 51, 255], [255, 255, 0]])
    expected = [[255, 224, 255], [7, 128, 255]]
    found = read_image(
        png(tmp_path / 'grey.png', np.dstack([GREY.astype(int) * top, opacity * top]), depth=depth, kind=4)
    )
    np.testing.assert_allclose(found, expected, atol=1)
    colours = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]]).astype(int)  # red, green, blue
    seen = 255 - opacity[..., np.newaxis] / 255 * (255 - colours)
    found = read_image(
        png(tmp_path / 'colour.png', np.dstack([colours * top, opacity * top]), depth=depth, kind=6)
    )
    np.testing.assert_allclose(found, seen @ [0.299, 0.587, 0.114], atol=1)
    np.testing.assert_allclose(
        read_image(png(tmp_path / 'opaque.png', colours * top, depth=depth, kind=2)),
        colours @ [0.299, 0.587, 0.114],
        atol=1,
    )


def test_ten_bits_of_grey_and_of_opacity(tmp_path):
    values = np.rint(np.dstack([GREY, [[255, 51, 255], [255, 255, 0]]]) * (1023 / 255)).astype(int)
    np.testing.assert_allclose(
        read_image(png(tmp_path / 'x.png', values, depth=16, kind=4)), [[0, 224, 255], [7, 128, 255]], atol=1
    )


def test_a_grey_or_colour_that_stands_for_nothing_is_paper(tmp_path):
    np.testing.assert_array_equal(
        read_image(png(tmp_path / 'x.png', GREY, chunks=[(b'tRNS', struct.pack('>H', 7))])),
        [[0, 100, 255], [255, 128, 200]],
    )
    deep = GREY.astype(int) * 257
    np.testing.assert_array_equal(
        read_image(png(tmp_path / 'x.png', deep, depth=16, chunks=[(b'tRNS', struct.pack('>H', 7 * 257))])),
        [[0, 100, 255], [255, 128, 200]],
    )
    np.testing.assert_array_equal(
        read_image(png(tmp_path / 'x.png', deep, depth=16, chunks=[(b'tRNS', struct.pack('>H', 7))])), GREY
    )
    colours = np.dstack([GREY] * 3)
    np.testing.assert_array_equal(
        read_image(
            png(tmp_path / 'x.png', colours, kind=2, chunks=[(b'tRNS', struct.pack('>3H', 128, 128, 128))])
        ),
        [[0, 100, 255], [7, 255, 200]],
    )
    palette = (b'PLTE', bytes([10, 10, 10, 255, 255, 255, 50, 50, 50]))
    indices = np.array([[0, 1, 2], [2, 0, 1]])
    np.testing.assert_array_equal(
        read_image(png(tmp_path / 'x.png', indices, kind=3, chunks=[palette])), [[10, 255, 50], [50, 10, 255]]
    )
    np.testing.assert_array_equal(
        read_image(
            png(tmp_path / 'x.png', indices, kind=3, chunks=[palette, (b'tRNS', bytes([0, 255, 255]))])
        ),
        [[255, 255, 50], [50, 255, 255]],
    )


def test_masks_have_nothing_but_none_and_one(tmp_path):
    for values, expected in (
        ([[0, 1, 1], [1, 0, 0]], [[0, 255, 255], [255, 0, 0]]),
        ([[1, 1]], [[1, 1]]),
        ([[0, 0]], [[0, 0]]),
        ([[0, 1, 2]], [[0, 1, 2]]),
    ):
        assert read_image(png(tmp_path / 'x.png', np.array(values))).tolist() == expected


def test_pictures_of_portable_anymap(tmp_path):
    """Colours of one byte up to 255, of two beyond it; bits whose ink is 1."""
    (tmp_path / 'x.pbm').write_bytes(b'P4\n9 2\n' + bytes([0b10000001, 0b10000000, 0b01000000, 0]))
    np.testing.assert_array_equal(
        read_image(tmp_path / 'x.pbm'), [[0, *[255] * 6, 0, 0], [255, 0, *[255] * 7]]
    )
    (tmp_path / 'x.ppm').write_bytes(b'P6\n2 1\n255\n' + bytes([200, 0, 0, 0, 200, 0]))
    assert read_image(tmp_path / 'x.ppm').tolist() == [[60, 117]]
    (tmp_path / 'x.ppm').write_bytes(b'P6\n2 1\n1023\n' + struct.pack('>6H', 1023, 0, 0, 1023, 1023, 1023))
    np.testing.assert_allclose(read_image(tmp_path / 'x.ppm'), [[76, 255]], atol=1)


def test_how_large_a_picture_may_be(tmp_path):
    path = png(tmp_path / 'x.png', GREY)
    np.testing.assert_array_equal(read_image(path, max_pixels=6), GREY)
    with pytest.raises(OSError, match=r'x.png: no readable image \(3 x 2 px, expected at most 5 pixels\)$'):
        read_image(path, max_pixels=5)


def test_files_objects_and_names(tmp_path):
    path = png(tmp_path / 'x.png', GREY)
    with pytest.raises(OSError, match='^page: no readable image'):  # a picture is the whole of an object
        read_image(io.BytesIO(b'before' + path.read_bytes()), name='page')
    file = io.BytesIO(path.read_bytes())
    np.testing.assert_array_equal(read_image(file), GREY)
    assert not file.closed
    with pytest.raises(OSError, match=r'x.png: no readable image \(no regular file\)'):
        read_image(tmp_path, name='x.png')
    with pytest.raises(FileNotFoundError, match='^y: no such image$'):
        read_image(tmp_path / 'none.png', name='y')
    with pytest.raises(FileNotFoundError, match=r'^a\\nb.png: no such image$'):
        read_image('a\nb.png')


def test_the_formats_of_this_pillow():
    assert expected_formats().startswith('PNG, JPEG, TIFF, BMP, PNM, GIF, WebP') and isinstance(
        suffixes(), frozenset
    )
    assert not suffixes() & {'.eps', '.tga', '.pdf', '.pcx', '.ico', '.svg', '.xbm', '.dds'} and all(
        suffix.startswith('.') for suffix in suffixes()
    )


def test_which_files_are_pictures(tmp_path):
    """By their suffixes in any case, in order of paths; nothing hidden, nor the sheet that stands beside a
    report.
    """
    picture = png(tmp_path / 'x.png', GREY).read_bytes()
    (tmp_path / 'x.png').unlink()
    for name in (
        'b/a.PNG',
        'b/.hidden/a.png',
        'b/.a.png',
        'a.jpg',
        'b.gif',
        'sheet.png',
        'out/sheet.png',
        'out/report.json',
        'out/a.png',
        'out/in/sheet.png',
        'B/sheet.png.bmp',
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture)
    (tmp_path / 'c.png').mkdir()
    found, others = find_images(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        'B/sheet.png.bmp',
        'a.jpg',
        'b/a.PNG',
        'b.gif',
        'out/a.png',
        'out/in/sheet.png',
        'sheet.png',
    ] and others == []


def test_which_files_look_like_pictures(tmp_path):
    """By a suffix of theirs, or by their bytes where they have none of a text's; two letters alone, as of
    BMP and PNM, are no bytes of a picture.
    """
    picture, buffers = png(tmp_path / 'x.png', GREY).read_bytes(), {}
    (tmp_path / 'x.png').unlink()
    for name in ('BMP', 'PPM', 'GIF', 'TIFF'):
        Image.fromarray(GREY).save(buffers.setdefault(name, io.BytesIO()), name)
    for name, data in {
        'a.HEIC': b'',
        'in/b.xcf': b'',
        'in/c.svgz': b'',
        'd': picture,
        'e.dat': picture,
        'f.txt': picture,
        'g.csv': picture,
        'h.JSON': picture,
        'i.md': picture,
        'j': buffers['BMP'].getvalue(),
        'k': buffers['PPM'].getvalue(),
        'l': buffers['GIF'].getvalue(),
        'm.tifx': buffers['TIFF'].getvalue(),
        'n.gz': b'text',
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert find_images(tmp_path) == (
        [],
        [
            'a.HEIC (HEIC is not read)',
            'd (PNG without its suffix)',
            'e.dat (PNG without its suffix)',
            'in/b.xcf (XCF is not read)',
            'in/c.svgz (SVGZ is not read)',
            'l (GIF without its suffix)',
            'm.tifx (TIFF without its suffix)',
        ],
    )


@pytest.mark.parametrize(
    'bits, deep', [(0x07, False), (0x87, False), (0x08, True), (0x0F, True), (0x88, True), (0x00, False)]
)
def test_bits_of_jpeg_2000(bits, deep):
    """ISO 15444-1: SOC; SIZ of length, capabilities, eight numbers of 32 bits, channels; of each first the
    bits less 1, the highest bit for signed ones.
    """
    image = types.SimpleNamespace(mode='RGB', tile=[types.SimpleNamespace(args=())], format='JPEG2000')
    codestream = b'\xff\x4f\xff\x51' + struct.pack('>HH8IH', 47, 0, *[99] * 8, 3) + bytes([bits, 1, 1])
    for image.mode in ('LA', 'RGBA', 'RGB'):
        assert (
            image_files._has_deep_colours(image, io.BytesIO(b'box before it' + codestream + b'rest')) is deep
        )
    assert not image_files._has_deep_colours(
        image, io.BytesIO(codestream[:42])
    ) and not image_files._has_deep_colours(image, io.BytesIO(b'none' * 20))
    assert not image_files._has_deep_colours(
        types.SimpleNamespace(mode='L', tile=image.tile, format='JPEG2000'), io.BytesIO(codestream)
    )


def test_the_bytes_of_a_file_leave_its_position():
    file = io.BytesIO(b'abcdef')
    file.seek(4)
    assert image_files._file_bytes(file) == b'abcdef' and file.tell() == 4
