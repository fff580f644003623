"""Formats of pictures: what a name asks for, what is too large, and pictures that are read again as they
were.
"""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from hwgen.inference import picture_formats

IMAGE = np.kron(np.arange(0, 256, 16, dtype=np.uint8).reshape(4, 4), np.ones([16, 16], np.uint8))


@pytest.mark.parametrize(
    'name, picture',
    [
        ('a.png', True),
        ('x/A.PNG', True),
        ('a.jpg', True),
        ('a.jpeg', True),
        ('a.webp', True),
        ('a.tif', True),
        ('a.tiff', True),
        ('a.bmp', True),
        ('a.pdf', True),
        ('a', False),
        ('a/', False),
        ('a.png/', False),
        ('v1.1', False),
        ('data.2026-11', False),
        ('我的字', False),
        ('x.y/z', False),
    ],
)
def test_names(name, picture):
    assert picture_formats.names_picture(name) is picture


@pytest.mark.parametrize(
    'name',
    [
        'a.gif',
        'a.svg',
        'x/a.SVG',
        'a.jp2',
        'a.avif',
        'a.ppm',
        'a.docx',
        'a.txt',
        'a.tsv',
        'a.html',
        'a.json',
        'a.zip',
        'a.mp4',
        'a.tfrecord',
        'a.eps',
    ],
)
def test_names_of_other_files(name):
    with pytest.raises(
        ValueError,
        match=(
            rf'{name}: no .* file is written; expected a name that ends in .png, .*or that of a folder'
            rf' .{name}/ is one'
        ),
    ):
        picture_formats.names_picture(name)
    assert picture_formats.names_picture(f'{name}/') is False


def test_standard_output_is_no_picture():
    with pytest.raises(
        ValueError,
        match=(
            r'-: nothing is written to standard output; expected a name that ends in .png, .*or that of a'
            r' folder .-/ is one'
        ),
    ):
        picture_formats.names_picture('-')


def test_the_name_of_a_file_for_a_folder(tmp_path):
    for name in 'report.pdf', 'a.html', 'x.png', 'x.tfrecord':
        with pytest.raises(
            ValueError,
            match=f'--out={name}: a folder is written, expected the name of one .{name}/ is one, too',
        ):
            picture_formats.check_folder(name, flag='--out')
        picture_formats.check_folder(f'{name}/', flag='--out')
    (tmp_path / 'there.png').mkdir()
    for name in 'tfrecords/v1.1', 'evaluations', str(tmp_path / 'there.png'):
        picture_formats.check_folder(name, flag='--out')


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.webp', '.tif', '.bmp'])
def test_read_again(suffix):
    data = picture_formats.encode([IMAGE], f'a{suffix}')
    assert data == picture_formats.encode([IMAGE], f'a{suffix}')
    read = np.asarray(Image.open(io.BytesIO(data)).convert('L')).astype(int)
    # JPEG of quality 95 keeps patches of one grey
    assert np.abs(read - IMAGE).max() <= (3 if suffix == '.jpg' else 0)


def test_several_in_one_file():
    other = 255 - IMAGE[:32]
    pages = ImageSequence.Iterator(Image.open(io.BytesIO(picture_formats.encode([IMAGE, other], 'a.tif'))))
    assert [np.asarray(page).tolist() for page in pages] == [IMAGE.tolist(), other.tolist()]
    data = picture_formats.encode([IMAGE, other], 'a.pdf')
    assert data.startswith(b'%PDF') and data.count(b'/MediaBox') == 2 and b'Date' not in data
    # 64 px of 1/96 inch are 48 points
    assert b'/MediaBox [ 0 0 48.0 48.0 ]' in data and b'/MediaBox [ 0 0 48.0 24.0 ]' in data


@pytest.mark.parametrize(
    'width, height, path',
    [
        (1_000_001, 1, 'a.png'),
        (1, 1_000_001, 'a.png'),
        (192, 1_080_051, 'a.png'),
        (20_000, 8948, 'a.png'),
        (20_000, 8948, 'a.tif'),
        (65_501, 1, 'a.jpg'),
        (1, 16_384, 'a.webp'),
        (1, 19_201, 'a.pdf'),
        (1_000_001, 1, 'a.tif'),
        (1, 1_000_001, 'a.tiff'),
        (1_000_001, 1, 'a.bmp'),
        (1, 65_501, 'a.jpeg'),
    ],
)
def test_too_large(width, height, path):
    with pytest.raises(
        ValueError,
        match=rf'letter.txt: makes a picture of {width:,} x {height:,} px; expected at most .* break it',
    ):
        picture_formats.check_size(width, height, place='letter.txt', advice='break it', path=path)


def test_just_small_enough():
    for width, height, path in [
        (1_000_000, 178, 'a.png'),
        (178, 1_000_000, 'a.png'),
        (65_500, 2_000, 'a.jpg'),
        (16_383, 1, 'a.webp'),
        (20_000, 8947, 'a.png'),
        (19_200, 1, 'a.pdf'),
        (1_000_000, 1, 'a.tif'),
        (1, 1_000_000, 'a.bmp'),
    ]:
        picture_formats.check_size(width, height, place='x', advice='y', path=path)
    # Pillow takes it (and warns)
    Image.open(io.BytesIO(picture_formats.encode([np.zeros([8947, 20_000], np.uint8)], 'a.png'))).load()


def test_limits_are_told_with_the_place():
    assert picture_formats.MAX_PIXELS == 178_956_970
    for size, limit in (
        ((1_000_001, 1), '1,000,000 px wide and high'),
        ((20_000, 8948), '178,956,970 pixels in all'),
    ):
        with pytest.raises(
            ValueError,
            match=(
                f'^x: makes a picture of .* px; expected at most {limit}, the largest that readers of PNG'
                ' accept; y$'
            ),
        ):
            picture_formats.check_size(*size, place='x', advice='y')


def test_how_pictures_are_packed():
    """Without loss but for JPEG and PDF, whose quality is 95: the tables of quantisation that libjpeg
    makes of it begin with 2, 1, 1, 2.
    """
    for suffix in ('.jpg', '.jpeg'):
        image = Image.open(io.BytesIO(picture_formats.encode([IMAGE], f'a{suffix}')))
        assert image.format == 'JPEG' and image.quantization[0][:4] == [2, 1, 1, 2]
    assert (
        Image.open(io.BytesIO(picture_formats.encode([IMAGE], 'a.TIFF'))).info['compression']
        == 'tiff_adobe_deflate'
    )
    noise = np.random.default_rng(0).integers(0, 256, (16, 24)).astype(np.uint8)
    for suffix, kind in (('.webp', 'WEBP'), ('.bmp', 'BMP'), ('.png', 'PNG'), ('.tiff', 'TIFF')):
        image = Image.open(io.BytesIO(picture_formats.encode([noise], f'a{suffix}')))
        assert (
            image.format == kind
            and image.size == (24, 16)
            and (np.asarray(image.convert('L')) == noise).all()
        )
    assert [
        kind.several
        for kind in (
            picture_formats.format_of('a.pdf'),
            picture_formats.format_of('b.TIF'),
            picture_formats.format_of('a.png'),
        )
    ] == [True, True, False]
    page = picture_formats.encode([noise], 'a.pdf')
    start = page.index(b'\xff\xd8\xff')
    assert Image.open(io.BytesIO(page[start : page.index(b'endstream', start)])).quantization[0][:4] == [
        2,
        1,
        1,
        2,
    ]


@pytest.mark.parametrize('suffix', sorted(picture_formats._FILES))
def test_every_name_of_a_file_is_refused(suffix):
    with pytest.raises(ValueError, match='file is written'):
        picture_formats.names_picture(f'a{suffix}')
