"""The counts and lines of `prepare --inspect`, for samples that are made by hand."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from hwgen.data.formats.samples import Ink, Picture
from hwgen.data.preparing import inspection
from hwgen.data.preparing.picture_intake import Look


def picture(number, text='天', *, height=5, width=7, writer='', **fields):
    image = np.full((height, width), 200, np.uint8)
    image[0, 0] = 3
    return Picture(image=image, text=text, writer=writer, record=number, offset=10 * number, **fields)


def ink(number, *strokes, **fields):
    return Ink(
        strokes=tuple(np.array(stroke, np.int32) for stroke in strokes),
        text='口',
        writer='w',
        record=number,
        offset=0,
        **fields,
    )


def told(samples, look=lambda image: Look('', '', False)):
    said = []
    found = inspection._Found(said.append)
    for sample in samples:
        found.add(sample, look)
    shown = len(said)
    found.tell()
    return said[:shown], said[shown:]


def test_the_first_samples_have_a_line_each():
    first, _ = told([picture(i) for i in range(1, 15)])
    assert (
        len(first) == 10
        and first[0] == '  1 at byte 10: 天 7 x 5 px, grey 3 to 200'
        and first[9].startswith('  10 at byte 100: ')
    )
    first, _ = told(
        [
            picture(3, '天' * 41, codes=(b'\xcc\xec',) * 9, boxes=np.zeros((1, 4)), note='segmentation'),
            picture(4, codes=(b'\xcc',) * 8),
        ]
    )
    assert first == [
        (
            f'  3 at byte 30: {"天" * 40} [{" ".join(["ccec"] * 8)} ...] 7 x 5 px, grey 3 to 200, boxes of'
            ' characters, marked segmentation'
        ),
        '  4 at byte 40: 天 [cc cc cc cc cc cc cc cc] 7 x 5 px, grey 3 to 200',
    ]
    first, _ = told([ink(1, [(5, 7), (25, 8)], [(9, 107)], note='odd')])
    assert first == ['  1 at byte 0: 口 2 strokes, 3 points, 20 x 100, marked odd']


def test_what_is_counted():
    samples = [
        picture(1, '天天A', height=4, width=30, writer='b'),
        picture(2, '一鿿\ufffd', height=9, width=10, codes=(b'\x01', b'\x02', b'\xff'), writer='a'),
        picture(3, '\u4dffB\ufffd', height=20, width=11, codes=(b'\x01', b'\x02', b'\xfe')),
        picture(4, '\ufffd', codes=(b'\xfe',), height=8, width=12, writer='a'),
    ]
    _, said = told(samples)
    assert said == [
        '4 samples, 7 characters (4 hanzi) of 6 classes, writers a, b',
        'heights 4 to 20, median 8',
        'widths 10 to 30, median 11',
        'codes that decode to nothing: fe 2, ff 1',
    ]
    assert told([picture(1)])[1][0].endswith('writers unknown') and told([])[1] == [
        'no sample that can be read'
    ]
    _, said = told([picture(i, '\ufffd', codes=(bytes([i]),), writer=f'w{i:02d}') for i in range(12)])
    assert said[0].startswith('12 samples, 0 characters (0 hanzi) of 0 classes, writers w00, w01, ') and said[
        0
    ].endswith('w09 ...')
    assert said[-1].count(',') == 9


def test_what_pictures_look_like_is_counted_with_their_numbers():
    looks = {
        1: Look('', '', True),
        2: Look('dark', '', True),
        3: Look('black', '', True),
        4: Look('blank', '', True),
        5: Look('tiny', '', False),
    }
    numbers = iter([1, 2, 1, 3, 4, 5])
    first, said = told([picture(i) for i in (7, 8, 9, 10, 11, 12)], lambda image: looks[next(numbers)])
    assert [line.rpartition(', ')[2] for line in first] == [
        'grey paper',
        'dark',
        'grey paper',
        'black',
        'blank',
        'tiny',
    ]
    assert said[3:] == [
        '2 of 6 with grey paper: 7, 9',
        '1 of 6 dark (ink on black? --dark=invert turns such pictures over): 8',
        '1 of 6 nearly black: 10',
        '1 of 6 without ink: 11',
        '1 of 6 lower or narrower than 4 px: 12',
    ]
    _, said = told([picture(i) for i in range(11)], lambda image: Look('blank', '', False))
    assert said[3] == '11 of 11 without ink: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 ...'


def inspect(path, **settings):
    said = []
    inspection.inspect(path, report=said.append, **settings)
    return said


def test_sixty_pictures_are_on_the_sheet():
    pathlib.Path('in').mkdir()
    for i in range(63):
        Image.fromarray(picture(i).image).save(f'in/{i:02d}.png')
    said = inspect('in', sheet='sheet.png')
    assert (
        said[0] == 'in: pictures without a table'
        and said[-1] == 'sheet.png: the first 60 samples'
        and np.asarray(Image.open('sheet.png')).shape == (9, 1200)
    )
    assert (np.asarray(Image.open('sheet.png')) == 3).sum() == 60


def test_ink_on_the_sheet_is_as_wide_as_its_text_may_be():
    """64 px high, 60 of them for a line of one unit's height: at most 90 px a character; without a text it
    is one.
    """
    for text, width in (('天' * 4, 364), ('天', 94), ('', 94)):
        assert inspection._picture(ink(1, [(0, 0), (5000, 3)])._replace(text=text), None, 2.0).shape == (
            64,
            width,
        )
    assert inspection._picture(ink(1, [(0, 0), (5000, 3)]), 5000, 2.0).shape == (64, 64)
    assert inspection._picture(picture(1, height=128, width=50), None, 2.0).shape == (64, 25)


def test_the_table_is_the_first_of_the_usual_names():
    pathlib.Path('in').mkdir()
    Image.fromarray(picture(1).image).save('in/a.png')
    for name, text in (
        ('metadata.csv', 'file_name,text\na.png,一\n'),
        ('labels.jsonl', '{"path": "a.png", "text": "二"}\n'),
        ('rec_gt.txt', 'a.png\t三\n'),
        ('labels.tsv', 'a.png\t四\n'),
    ):
        pathlib.Path('in', name).write_text(text)
        said = inspect('in')
        assert said[0] == f'in: a folder of images with {name}'
        assert (
            said[1].split()[4]
            == text.strip().replace('"', ' ').replace('}', ' ').split()[-1].split(',')[-1].split('\t')[-1]
        )
    assert (
        inspect('in/rec_gt.txt')[1].split()[4] == '三'
        and inspect('in', labels='metadata.csv')[1].split()[4] == '一'
    )
    said = inspect('in/a.png')
    assert said[0] == 'in/a.png: pictures without a table' and said[1].startswith('  1 at byte 0: ')
    with pytest.raises(FileNotFoundError):
        inspect('in', source='casia')
    pathlib.Path('in/labels.tsv').write_text('a.png\t四\n' + ''.join(f'{i}.png\t五\n' for i in range(12)))
    said = inspect('in')
    assert (
        len([line for line in said if line.startswith('damaged: ')]) == 11 and said[-1] == 'damaged: 2 more'
    )
    for missing, more in ((10, False), (11, True)):
        pathlib.Path('in/labels.tsv').write_text(
            'a.png\t四\n' + ''.join(f'{i}.png\t五\n' for i in range(missing))
        )
        assert (inspect('in')[-1] == 'damaged: 1 more') is more and len(
            [line for line in inspect('in') if line.startswith('damaged: ')]
        ) == missing
