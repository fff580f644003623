"""Picture files of every format and depth."""

import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

import hwgen
from hwgen.data.formats.image_files import FORMATS, read_image, suffixes
from hwgen.data.formats.pixel_range import full_scale

GREY = np.array([[0, 100, 255], [7, 128, 200]], np.uint8)


@pytest.mark.parametrize('name', ['x.png', 'x.bmp', 'x.tif', 'x.pgm'])
def test_grey_images_are_read_as_they_are(tmp_path, name):
    Image.fromarray(GREY).save(tmp_path / name)
    np.testing.assert_array_equal(read_image(tmp_path / name), GREY)


def test_other_images_become_grey(tmp_path):
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / 'deep.png')
    np.testing.assert_array_equal(read_image(tmp_path / 'deep.png'), GREY)
    Image.fromarray(np.dstack([np.zeros((2, 3, 3), np.uint8), 255 - GREY])).save(tmp_path / 'ink.png')
    np.testing.assert_array_equal(read_image(tmp_path / 'ink.png'), GREY)  # black ink on transparent paper
    turned = Image.fromarray(GREY)
    exif = turned.getexif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    turned.save(tmp_path / 'turned.png', exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / 'turned.png'), np.rot90(GREY, -1))


def test_unreadable_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='y.png: no such image'):
        read_image(tmp_path / 'y.png')
    noise = np.random.default_rng(0).integers(0, 256, (50, 50)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / 'x.png')
    whole = (tmp_path / 'x.png').read_bytes()
    for damaged in (b'', b'text', whole[:40], whole[: len(whole) // 2]):
        (tmp_path / 'x.png').write_bytes(damaged)
        with pytest.raises(OSError, match='x.png: no readable image'):
            read_image(tmp_path / 'x.png')


def test_images_that_are_not_read(tmp_path, recwarn):
    """What calls other programs, and what would fill the memory: a picture of 100 megapixels in 12 kB,
    refused without a word of Pillow's.
    """
    (tmp_path / 'x.png').write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n')
    with pytest.raises(OSError, match=r'x.png: no readable image \(none of PNG, JPEG, '):
        read_image(tmp_path / 'x.png')
    # no address: rejected.tsv is the same every time
    with pytest.raises(OSError, match=r'^page: no readable image \(none of PNG, [^<]*$'):
        read_image(io.BytesIO(b'text'), name='page')
    Image.new('1', (10000, 10000)).save(tmp_path / 'y.png')
    with pytest.raises(
        OSError, match='y.png: no readable image .10000 x 10000 px, expected at most 16777216 pixels'
    ):
        read_image(tmp_path / 'y.png')
    assert not recwarn.list


LINE = np.full((64, 40), 240, np.uint8)
LINE[5:15, 5:8], LINE[5:60, 20:30] = 30, 120
BITS = {8: 1, 10: 1023 / 255, 12: 4095 / 255, 14: 16383 / 255, 16: 257}


def tiff(path, values, *, photometric=1, kind=1, orientation=1):
    """An uncompressed grey or RGB TIFF; kind: 1 unsigned, 2 signed, 3 float."""
    values = np.ascontiguousarray(values)
    channels, data = values[0, 0].size, values.tobytes()
    start = 8 + 2 + 12 * 11 + 4
    bits = (258, 3, 3, start) if channels == 3 else (258, 3, 1, values.itemsize * 8)
    entries = [
        (256, 4, 1, values.shape[1]),
        (257, 4, 1, values.shape[0]),
        bits,
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, start + 6),
        (274, 3, 1, orientation),
        (277, 3, 1, channels),
        (278, 4, 1, values.shape[0]),
        (279, 4, 1, len(data)),
        (339, 3, 1, kind),
    ]
    rows = b''.join(
        struct.pack('<HHI', tag, form, count)
        + (struct.pack('<HH', value, 0) if form == 3 and count == 1 else struct.pack('<I', value))
        for tag, form, count, value in entries
    )
    path.write_bytes(
        b'II*\0'
        + struct.pack('<IH', 8, len(entries))
        + rows
        + bytes(4)
        + struct.pack('<3H', *[values.itemsize * 8] * 3)
        + data
    )
    return path


@pytest.mark.parametrize('bits', BITS)
def test_fewer_bits_in_sixteen(tmp_path, bits):
    """Black without a word, once: the range is that of the values, in grey and in colour, PNG, TIFF, PNM
    and JPEG 2000.
    """
    deep = np.rint(LINE * float(BITS[bits])).astype(np.uint16)
    white, colours = round(255 * BITS[bits]), np.dstack([deep] * 3)
    # black ink, transparent paper
    cv2.imwrite(str(tmp_path / 'clear.png'), np.dstack([colours * 0, white - deep]))
    for name, values in (
        ('a.png', deep),
        ('c.png', colours),
        ('a.jp2', deep),
        ('c.jp2', colours),
        ('c.tif', colours),
    ):
        cv2.imwrite(str(tmp_path / name), values)
    tiff(tmp_path / 'a.tif', deep)
    tiff(tmp_path / 'zero.tif', white - deep, photometric=0)  # white is zero
    (tmp_path / 'a.pgm').write_bytes(b'P5\n40 64\n65535\n' + deep.astype('>u2').tobytes())
    (tmp_path / 'c.ppm').write_bytes(b'P6\n40 64\n65535\n' + colours.astype('>u2').tobytes())
    for name in ('a.png', 'c.png', 'a.jp2', 'c.jp2', 'c.tif', 'a.tif', 'zero.tif', 'a.pgm', 'c.ppm'):
        np.testing.assert_allclose(read_image(tmp_path / name), LINE, atol=1, err_msg=name)
    opaque = read_image(tmp_path / 'clear.png')  # its whitest channel shows the range: 225 of 255
    np.testing.assert_allclose(opaque, 255.0 - (255 - LINE) * (1.0 if bits == 8 else 1.0), atol=1)


@pytest.mark.parametrize('name', ['x.png', 'x.ppm', 'x.tif', 'x.jp2'])
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_colours_weigh_as_the_eye_has_them(tmp_path, name, dtype):
    """ITU-R 601: red .299, green .587, blue .114, of 8 bits and of 16. Red ink is dark, green is not."""
    # red, green, blue
    squares = np.kron(
        np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8),
        np.ones((32, 32, 1), np.uint8),
    )
    values = squares.astype(dtype) * (257 if dtype == np.uint16 else 1)
    cv2.imwrite(str(tmp_path / name), values[..., ::-1])  # OpenCV has blue first
    found = read_image(tmp_path / name)
    for place, grey in enumerate((0.299 * 255, 0.587 * 255, 0.114 * 255, 255)):
        np.testing.assert_allclose(found[8:24, 32 * place + 8 : 32 * place + 24], grey, atol=1)


@pytest.mark.parametrize(
    'kind, dtype, scale',
    [
        (3, np.float32, 1 / 255),
        (3, np.float32, 1),
        (3, np.float32, 257),
        (2, np.int32, 1),
        (2, np.int32, 257),
        (2, np.int32, (2**31 - 1) / 255),
        (1, np.uint32, 1),
        (1, np.uint32, (2**32 - 1) / 255),
        (2, np.int16, 1),
    ],
)
def test_wide_pixels(tmp_path, kind, dtype, scale):
    np.testing.assert_allclose(
        read_image(tiff(tmp_path / 'x.tif', (LINE * float(scale)).astype(dtype), kind=kind)), LINE, atol=1
    )


@pytest.mark.parametrize(
    'orientation, turned',
    [(1, LINE), (2, LINE[:, ::-1]), (3, LINE[::-1, ::-1]), (6, np.rot90(LINE, -1)), (8, np.rot90(LINE))],
)
@pytest.mark.parametrize('channels', [1, 3])
def test_pictures_of_any_depth_are_turned_once(tmp_path, orientation, turned, channels):
    for dtype in (np.uint8, np.uint16):
        values = LINE.astype(dtype)
        path = tiff(
            tmp_path / 'x.tif',
            values if channels == 1 else np.dstack([values] * 3),
            photometric=1 if channels == 1 else 2,
            orientation=orientation,
        )
        np.testing.assert_array_equal(read_image(path), turned)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_png_in_colour_that_lies_on_its_side(tmp_path, dtype):
    """Its eXIf chunk says so, which OpenCV does not heed."""
    cv2.imwrite(
        str(tmp_path / 'x.png'), np.dstack([LINE.astype(dtype) * (257 if dtype == np.uint16 else 1)] * 3)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    chunk, data = b'eXIf' + exif.tobytes().removeprefix(b'Exif\0\0'), (tmp_path / 'x.png').read_bytes()
    (tmp_path / 'x.png').write_bytes(
        data[:33]
        + struct.pack('>I', len(chunk) - 4)
        + chunk
        + struct.pack('>I', zlib.crc32(chunk))
        + data[33:]
    )
    np.testing.assert_array_equal(read_image(tmp_path / 'x.png'), np.rot90(LINE, -1))


def test_masks(tmp_path):
    for dtype in (np.uint8, np.uint16):
        Image.fromarray((LINE > 100).astype(dtype)).save(tmp_path / 'x.png')
        np.testing.assert_array_equal(read_image(tmp_path / 'x.png'), np.where(LINE > 100, 255, 0))


@pytest.mark.parametrize(
    'values, message',
    [
        (LINE / 255 - 0.5, 'expected none below 0'),
        (np.where(LINE < 50, np.nan, LINE), 'values nan to nan .float32., expected numbers'),
        (np.where(LINE < 50, np.inf, LINE), 'inf .*expected numbers'),
        (LINE / 200, r'values 0.15 to 1.2 \(float32\): white may be 1 or 255'),
        (LINE * 1.2, 'white may be 255 or 1023'),
        (LINE * 1e9, 'expected at most 4294967295'),
    ],
)
def test_values_whose_range_cannot_be_told_are_refused(tmp_path, values, message):
    with pytest.raises(
        OSError,
        match=(
            f'x.tif: no readable image .values .*{message}' if not message.startswith('values') else message
        ),
    ):
        read_image(tiff(tmp_path / 'x.tif', values.astype(np.float32), kind=3))


def test_the_range_of_values():
    """The smallest range that holds the brightest value, half a grey level of slack; three tenths of it at
    least.
    """
    tops = {
        0.02: 1,
        1.004: 1,
        76.5: 255,
        100: 255,
        255: 255,
        256: 255,
        310: 1023,
        1023: 1023,
        3000: 4095,
        60000: 65535,
        2**24 - 1: 2**24 - 1,
    }
    assert {top: full_scale(np.array([0.0, top])) for top in tops} == tops
    for top in (1.02, 2, 76, 257, 306, 1050, 4200, 18000):
        with pytest.raises(ValueError, match='white may be'):
            full_scale(np.array([0.0, top]))


def test_one_list_of_formats():
    """The page on data names what is read; every suffix of those formats is found by walking."""
    page = (pathlib.Path(hwgen.__file__).parents[1] / 'docs' / 'your_data.md').read_text(encoding='utf-8')
    row = next(line for line in page.splitlines() if line.startswith('A folder of line images ('))
    assert all(name in row for name in FORMATS.values())
    assert {
        '.png',
        '.jpg',
        '.jpeg',
        '.jfif',
        '.tif',
        '.tiff',
        '.bmp',
        '.pgm',
        '.ppm',
        '.pbm',
        '.gif',
        '.webp',
        '.jp2',
        '.j2k',
        '.avif',
    } <= suffixes()


@pytest.mark.parametrize('suffix', ['tif', 'gif', 'png', 'webp'])
def test_several_pages_or_frames_are_refused(tmp_path, suffix):
    path, pages = (
        tmp_path / f'x.{suffix}',
        [Image.fromarray(np.full((6, 9), level, np.uint8)) for level in (200, 20, 90)],
    )
    pages[0].save(path, save_all=True, append_images=pages[1:])
    with pytest.raises(OSError, match='3 pages or frames, expected a single picture'):
        read_image(path)


def test_a_small_copy_beside_a_picture_is_none_of_its_own(tmp_path):
    """A scan of TIFF with a thumbnail: bit 0 of NewSubfileType (TIFF 6.0, p. 36)."""
    for kind, refused in ((1, False), (0, True)):
        small = Image.fromarray(GREY[:1])
        small.encoderinfo = {'tiffinfo': {254: kind}}
        Image.fromarray(GREY).save(tmp_path / 'x.tif', save_all=True, append_images=[small])
        if refused:
            with pytest.raises(OSError, match='2 pages or frames'):
                read_image(tmp_path / 'x.tif')
        else:
            np.testing.assert_array_equal(read_image(tmp_path / 'x.tif'), GREY)


def test_a_jpeg_that_ends_early_is_damaged(tmp_path):
    """The decoder fills what is missing with its middle grey: rows of 128 to the end."""
    rng, stream = np.random.default_rng(0), io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (128, 160), dtype=np.uint8)).save(stream, 'JPEG')
    data = stream.getvalue()
    (tmp_path / 'whole.jpg').write_bytes(data)
    (tmp_path / 'cut.jpg').write_bytes(data[: len(data) // 2] + b'\xff\xd9')
    assert read_image(tmp_path / 'whole.jpg').shape == (128, 160)
    with pytest.raises(
        OSError, match='cut.jpg: no readable image .damaged: its last [4-8][0-9] of 128 rows are missing'
    ):
        read_image(tmp_path / 'cut.jpg')
    Image.fromarray(np.full([40, 60], 128, np.uint8)).save(tmp_path / 'grey.jpg')
    assert (read_image(tmp_path / 'grey.jpg') == 128).all()  # that is said by whoever looks for ink
