"""Rows, pictures and strokes of IAM one by one: what each field becomes, and what is said of what is none."""

import io

import numpy as np
import pytest
from foreign_files import on_disk
from PIL import Image

from hwgen.data.formats.readers import iam, iam_online
from hwgen.data.formats.samples import FormatError


def rows(text, words=False):
    errors = []
    file = on_disk('lines.txt', text if isinstance(text, bytes) else text.encode())
    return list(iam.read_table(file, words=words, refuse=errors.append)), [str(error) for error in errors]


def test_fields_of_a_line():
    text = (
        '# heading\n\n  a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to  \r\nb02-013-11 err 0 1 2 3 4 5'
        ' "|7|#\nc03-999z-00 ok 255 -1 -1 -1 -1 -1 1984\n'
    )
    found, errors = rows(text)
    assert errors == [] and found == [
        iam.IamRow(
            id='a01-000u-00',
            form='a01-000u',
            text='A MOVE to',
            grey_level=154,
            segmented=True,
            row=3,
            offset=11,
        ),
        iam.IamRow(
            id='b02-013-11',
            form='b02-013',
            text='" 7 #',
            grey_level=0,
            segmented=False,
            row=4,
            offset=text.index('b02'),
        ),
        iam.IamRow(
            id='c03-999z-00',
            form='c03-999z',
            text='1984',
            grey_level=255,
            segmented=True,
            row=5,
            offset=text.index('c03'),
        ),
    ]


def test_fields_of_a_word():
    """With the number of components and without it; what follows the tag is the text, be it a number or in
    several parts.
    """
    text = (
        'a01-000u-00-00 ok 154 408 768 27 51 AT A\na01-000u-00-12 err 154 2 408 768 27 51 CD'
        ' 1984\na01-000u-00-02 ok 9 1 2 3 4 NP New York|City\na01-000u-00-03 ok 9 1 2 3 4 5 CD 7 11\n'
    )
    found, errors = rows(text, words=True)
    assert errors == [] and [
        (row.id, row.form, row.text, row.grey_level, row.segmented, row.row, row.offset) for row in found
    ] == [
        ('a01-000u-00-00', 'a01-000u', 'A', 154, True, 1, 0),
        ('a01-000u-00-12', 'a01-000u', '1984', 154, False, 2, 41),
        ('a01-000u-00-02', 'a01-000u', 'New York City', 9, True, 3, text.index('a01-000u-00-02')),
        ('a01-000u-00-03', 'a01-000u', '7 11', 9, True, 4, text.index('a01-000u-00-03')),
    ]


@pytest.mark.parametrize(
    'row',
    [
        'a01-000u-0 ok 154 19 408 746 1661 89 A',
        'A01-000u-00 ok 154 19 408 746 1661 89 A',
        'xa01-000u-00 ok 154 19 408 746 1661 89 A',
        'a01-000u-00-00 ok 154 19 408 746 1661 89 A',
        'a01-000u-00 OK 154 19 408 746 1661 89 A',
        'a01-000u-00 ok 256 19 408 746 1661 89 A',
        'a01-000u-00 ok -1 19 408 746 1661 89 A',
        'a01-000u-00 ok 154 408 746 1661 89 A',
        'a01-000u-00 ok 154 19 408 746 1661 89',
        'a01-000u-00 ok 154 19 x 746 1661 89 A',
        'a01-000u-00 ok 154 19 408 1234567 1661 89 A',
        'a01-000u-00',
    ],
)
def test_rows_that_are_no_lines(row):
    found, errors = rows(f'# x\n{row}\nb02-013-11 ok 7 1 2 3 4 5 b\n')
    assert [f.row for f in found] == [3] and errors == [
        f'lines.txt, row 2, byte 4: {row!r}, expected "id ok|err level components x y w h text"'
    ]


@pytest.mark.parametrize(
    'row',
    [
        'a01-000u-00 ok 154 408 768 27 51 AT A',
        'a01-000u-00-00 ok 154 408 768 27 AT A',
        'a01-000u-00-00 ok 154 408 768 27 51 AT',
        'a01-000u-00-00 ok 154 1 408 768 27 51 AT',
    ],
)
def test_rows_that_are_no_words(row):
    found, errors = rows(row + '\n' + 'x' * 70, words=True)
    expected = 'expected "id ok|err level x y w h tag text"'
    assert found == [] and errors == [
        f'lines.txt, row 1, byte 0: {row!r}, {expected}',
        f"lines.txt, row 2, byte {len(row) + 1}: '{'x' * 60}', {expected}",
    ]
    with pytest.raises(FormatError) as caught:
        list(iam.read_table(on_disk('words.txt', row.encode()), words=True))
    assert caught.value.reason == 'table'


def test_rows_of_texts():
    """UTF-8, or Latin-1 a row; ended by LF, or by CR where there is no LF; comments and empty ones count."""
    assert list(iam.text_rows(on_disk('x.txt', 'é\n\n #c\n  ü 1\r\n'.encode() + b'caf\xe9\n'))) == [
        (1, 0, 'é'),
        (4, 8, 'ü 1'),
        (5, 16, 'café'),
    ]
    assert list(iam.text_rows(on_disk('x.txt', b'a\r#b\rc\r'))) == [(1, 0, 'a'), (3, 5, 'c')]


def test_writers_and_partitions():
    assert iam.read_writers(
        on_disk('forms.txt', b'# a01 x\na01-000u 000 2 prt 7\nb02-013\nc03-000 551\n')
    ) == {'a01-000u': '000', 'c03-000': '551'}
    files = [
        on_disk('in/trainset.txt', b'a01-000u-00 more\n#a01-000x\n\nb02-013\n'),
        on_disk('in/TestSet.txt', b'c03-000'),
        on_disk('in/testset.txt.old', b'c03-000'),
    ]
    assert (
        iam.read_partition(files) == {'a01-000u-00': 'train', 'b02-013': 'train'}
        and iam.read_partition([]) == {}
    )


def picture(values):
    buffer = io.BytesIO()
    Image.fromarray(np.array(values, np.uint8)).save(buffer, 'PNG')
    return on_disk('a01-000u-00.png', buffer.getvalue())


def test_the_picture_of_a_row():
    row = iam.IamRow(
        id='a01-000u-00', form='a01-000u', text='A to', grey_level=154, segmented=True, row=3, offset=70
    )
    values = [[0, 153, 154], [155, 200, 255]]
    for settings, expected in (({}, [[0, 153, 154], [255, 255, 255]]), ({'whiten': False}, values)):
        found = iam.read_sample(row, picture(values), writer='anna', table='lines.txt', **settings)
        assert found.image.tolist() == expected and found.image.dtype == np.uint8
        assert found._replace(image=None) == (None, 'A to', 'anna', 3, 70, (), None, '')
    for segmented, words, note in ((False, False, ''), (False, True, 'segmentation'), (True, True, '')):
        assert (
            iam.read_sample(
                row._replace(segmented=segmented),
                picture(values),
                writer='anna',
                table='lines.txt',
                words=words,
            ).note
            == note
        )
    for file, message in (
        (None, 'lines.txt, row 3, byte 70: no image a01-000u-00.png among the files'),
        (on_disk('in/y.png', b'no'), 'lines.txt, row 3, byte 70: in/y.png: no readable image (none of '),
    ):
        with pytest.raises(FormatError) as caught:
            iam.read_sample(row, file, writer='anna', table='lines.txt')
        assert str(caught.value).startswith(message) and caught.value.reason == 'image'


# ---- strokes


def xml(strokes, before=''):
    inner = ''.join(
        '<Stroke'
        f' colour="black">{"".join(f"""<Point x="{x}" y="{y}" time="1"/>""" for x, y in stroke)}</Stroke>'
        for stroke in strokes
    )
    return f'<?xml version="1.0"?>\n<Session>{before}<StrokeSet>{inner}</StrokeSet></Session>\n'.encode()


def test_strokes_of_a_file():
    """Those of points alone; coordinates of 24 bits and a sign."""
    edge = 1 << 24
    file = on_disk('a01-000u-13.xml', xml([[(3, 4), (edge, -edge), (-7, 0)], [], [(5, 6)]]))
    line = iam_online.read_line(file, text='A', writer='anna')
    assert [s.tolist() for s in line.strokes] == [[[3, 4], [edge, -edge], [-7, 0]], [[5, 6]]] and all(
        s.dtype == np.int32 for s in line.strokes
    )
    assert line._replace(strokes=()) == ((), 'A', 'anna', 13, 0, (), '')
    assert iam_online.read_line(on_disk('line.xml', xml([[(3, 4)]])), text='', writer='').record == 1


@pytest.mark.parametrize(
    'data, message, reason',
    [
        (
            xml([[(1, 2), ((1 << 24) + 1, 2)]]),
            (
                "row 2, byte {place}: point {{'x': '16777217', 'y': '2', 'time': '1'}}, expected numbers x"
                ' and y, in a stroke'
            ),
            'strokes',
        ),
        (
            xml([[(1, 2), (2, -(1 << 24) - 1)]]),
            (
                "row 2, byte {place}: point {{'x': '2', 'y': '-16777217', 'time': '1'}}, expected numbers x"
                ' and y, in a stroke'
            ),
            'strokes',
        ),
        (
            xml([[(1, 2), ('1.5', 2)]]),
            (
                "row 2, byte {place}: point {{'x': '1.5', 'y': '2', 'time': '1'}}, expected numbers x and y,"
                ' in a stroke'
            ),
            'strokes',
        ),
        (
            xml([[(1, 2)]], '<Point x="1" y="2"/>'),
            "row 2, byte 31: point {{'x': '1', 'y': '2'}}, expected numbers x and y, in a stroke",
            'strokes',
        ),
        (xml([[], []]), 'row 3, byte 129: no stroke with a point, expected at least one', 'strokes'),
        (xml([]), 'row 3, byte 65: no stroke with a point, expected at least one', 'strokes'),
        (b'<a>\n<b></a>', 'row 2, byte 3: no readable XML (mismatched tag: line 2, column 5)', 'xml'),
        (
            b'<!DOCTYPE a [\n<!ENTITY b "bb">]><a/>',
            'row 2, byte 14: an entity is declared, expected none',
            'xml',
        ),
    ],
)
def test_what_is_said_of_damaged_strokes(data, message, reason):
    place = data.find(b'<Point', data.find(b'<Point') + 1)
    with pytest.raises(FormatError) as caught:
        iam_online.read_line(on_disk('a01-000u-01.xml', data), text='', writer='')
    found = str(caught.value)
    if reason == 'xml':  # where the parser stands is its own affair
        assert (
            found.startswith('a01-000u-01.xml, row 2, byte ')
            and found.partition(': ')[2] == message.partition(': ')[2]
        )
    else:
        assert found == 'a01-000u-01.xml, ' + message.format(place=place)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    'data, found',
    [
        (b'<x><Form id="a01-000u" writerID="10008"/></x>', ('a01-000u', '10008')),
        (b'<Form writerID="7"/>', ('', '7')),
        (b'<Form id="a01" writerID=""/>', None),
        (b'<x><form id="a" writerID="1"/></x>', None),
        (b'<x><Form id="a"/><Form id="b" writerID="2"/><Form id="c" writerID="3"/></x>', ('b', '2')),
    ],
)
def test_who_wrote_a_form(data, found):
    assert iam_online.read_form_writer(on_disk('strokesu.xml', data)) == found


def test_transcriptions():
    assert iam_online.read_transcription(
        on_disk('x.txt', 'OCR:\n\nno\nCSR:\n\n A to \n\r\ncafé\nCSR:\n'.encode('latin-1'))
    ) == ['A to', 'café', 'CSR:']
    assert iam_online.read_transcription(on_disk('x.txt', b'CSR:')) == []
    with pytest.raises(
        FormatError, match='^x.txt, byte 0: no row "CSR:", expected one above the lines$'
    ) as caught:
        iam_online.read_transcription(on_disk('x.txt', b'CSR\nA'))
    assert caught.value.reason == 'table'


@pytest.mark.parametrize(
    'name, found',
    [
        ('a01-000u-01.xml', ('a01-000u', '01')),
        ('z99-999-10.xml', ('z99-999', '10')),
        ('a01-000uu-01.xml', None),
        ('a1-000u-01.xml', None),
        ('a01-00-01.xml', None),
        ('a01-000-1.xml', None),
        ('a01-000-01xml', None),
        ('xa01-000-01.xml', None),
        ('a01-000-01.xml.bak', None),
    ],
)
def test_names_of_lines(name, found):
    matched = iam_online.LINE_NAME.fullmatch(name)
    assert (matched and matched.groups()) == found
