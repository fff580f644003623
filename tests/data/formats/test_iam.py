"""IAM and IAM-OnDB.

Rows are held against the examples in the headings of `lines.txt`, `words.txt` and `forms.txt`, as they are
quoted in public: "a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from"."""

import io
import pathlib
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hwgen.data.formats.archives import list_files
from hwgen.data.formats.readers import iam, iam_online
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.collection import open_collection

LINES = """#--- lines.txt ---#
# format: a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
a01-000u-00 ok 154 19 408 746 1661 89 A|MOVE|to|stop|Mr.|Gaitskell|from
a01-000u-01 err 156 19 395 932 1850 105 nominating|any|more|Labour|life|Peers
b02-013-00 ok 170 7 1 2 3 4 "|#|7
"""
WORDS = """# words
a01-000u-00-00 ok 154 408 768 27 51 AT A
a01-000u-00-01 err 154 1 507 766 213 48 NN MOVE
a01-000u-00-02 ok 154 -1 -1 -1 -1 NN B B C
"""
PAPER, INK = 200, 30


def png(height=10, width=20):
    image = np.full((height, width), PAPER, np.uint8)
    image[3:5, 4:9] = INK
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, 'PNG')
    return buffer.getvalue()


def write(folder, files):
    for name, data in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())


COLLECTION = {
    'ascii/lines.txt': LINES,
    'ascii/words.txt': WORDS,
    'ascii/forms.txt': '# forms\na01-000u 000 2 prt 7 5 52 36\n',
    'sets/testset.txt': 'b02-013-00\n',
    'sets/trainset.txt': 'a01-000u-00\na01-000u-01\n',
    **{f'lines/a01/a01-000u/a01-000u-0{i}.png': png() for i in range(2)},
    'lines/b02/b02-013/b02-013-00.png': png(),
    **{f'words/a01/a01-000u/a01-000u-00-0{i}.png': png(5 + i, 12) for i in range(3)},
}


def samples(parts, errors=None):
    return [
        sample for part in parts for sample in part.read(refuse=None if errors is None else errors.append)
    ]


@pytest.mark.parametrize('packed', [False, True])
def test_lines(packed):
    if packed:
        with zipfile.ZipFile('iam.zip', 'w') as file:
            for name, data in COLLECTION.items():
                file.writestr(name, data)
    else:
        write('iam', COLLECTION)
    parts = open_collection('iam.zip' if packed else 'iam')
    assert [(part.kind, part.writer, part.partition) for part in parts] == [
        ('iam', '000', 'train'),
        ('iam', 'b02-013', 'test'),
    ]
    first, second, third = samples(parts)
    assert [s.text for s in (first, second, third)] == [
        'A MOVE to stop Mr. Gaitskell from',
        'nominating any more Labour life Peers',
        '" # 7',
    ]
    assert (first.writer, first.record, first.note, second.note) == ('000', 3, '', '')
    assert first.image.shape == (10, 20) and set(first.image.flat) == {INK, 255}  # the paper is white


def test_only_what_is_lighter_than_the_grey_level_is_paper():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(150, 160, dtype=np.uint8)[np.newaxis].repeat(3, axis=0)).save(buffer, 'PNG')
    write('iam', {**COLLECTION, 'lines/a01/a01-000u/a01-000u-00.png': buffer.getvalue()})  # its row says 154
    first, *_ = samples(open_collection('iam'))
    assert first.image[0].tolist() == [150, 151, 152, 153, 154, 255, 255, 255, 255, 255]


def test_official_partitions():
    """IAM has two lists for validation; IAM-OnDB names its lists of validation v and t, and that of the
    test f.
    """
    lists = [
        'trainset',
        'validationset1',
        'validationset2',
        'testset',
        'testset_v',
        'testset_t',
        'testset_f',
        'other',
    ]
    write('lists', {f'{name}.txt': f'a01-{number:03d}\n' for number, name in enumerate(lists)})
    assert iam.read_partition(list_files('lists')) == {
        'a01-000': 'train',
        'a01-001': 'validation',
        'a01-002': 'validation',
        'a01-003': 'test',
        'a01-004': 'validation',
        'a01-005': 'validation',
        'a01-006': 'test',
    }


def test_words():
    write('iam', COLLECTION)
    (part,) = open_collection('iam', unit='words')
    assert [(s.text, s.note, s.image.shape[0]) for s in samples([part])] == [
        ('A', '', 5),
        ('MOVE', 'segmentation', 6),
        ('B B C', '', 7),
    ]
    assert part.partition == 'train'  # words belong to where their line belongs


def test_what_is_missing_or_damaged():
    write(
        'iam',
        {
            **COLLECTION,
            'lines/b02/b02-013/b02-013-00.png': b'',
            'ascii/lines.txt': LINES + 'a01-000u-02 ok 156 x\n',
        },
    )
    pathlib.Path('iam/lines/a01/a01-000u/a01-000u-01.png').unlink()
    with pytest.raises(
        FormatError, match=r"lines.txt, row 6, byte \d+: 'a01-000u-02 ok 156 x', expected \"id ok\|err level"
    ):
        open_collection('iam')
    errors = []
    found = samples(open_collection('iam', refuse=errors.append), errors)
    assert [s.text[:6] for s in found] == ['A MOVE'] and [e.reason for e in errors] == [
        'table',
        'image',
        'image',
    ]
    assert 'row 4, byte' in str(errors[1]) and 'no image a01-000u-01.png among the files' in str(errors[1])
    assert 'row 5, byte' in str(errors[2]) and 'b02-013-00.png: no readable image' in str(errors[2])
    write('other', {'x.tgz': b'', 'readme': b''})
    with pytest.raises(
        FileNotFoundError,
        match=(
            r'other: 2 files, among them no lines.txt or words.txt and images; other/x.tgz must be unpacked'
        ),
    ):
        open_collection('other', source='iam')
    with pytest.raises(FileNotFoundError, match='no words.txt among the'):
        write('half', {'lines.txt': LINES})
        open_collection('half', unit='words')


@settings(max_examples=100)
@given(st.binary(max_size=80), st.booleans())
def test_no_table_crashes_it(row, words):
    pathlib.Path('lines.txt').write_bytes(LINES.encode() + row)
    errors = []
    rows = list(iam.read_table(list_files('lines.txt')[0], words=words, refuse=errors.append))
    assert all(0 <= row.grey_level <= 255 for row in rows) and all(
        ', byte ' in str(error) for error in errors
    )


STROKES = """<?xml version="1.0" encoding="ISO-8859-1"?>
<WhiteboardCaptureSession>
  <WhiteboardDescription>
    <SensorLocation corner="top_left"/><DiagonallyOppositeCoords x="6512" y="1376"/>
  </WhiteboardDescription>
  <StrokeSet>
    <Stroke colour="black" start_time="769.05" end_time="769.64">
      <Point x="1073" y="1058" time="769.05"/><Point x="1072" y="1085" time="769.07"/>
    </Stroke>
    <Stroke colour="black" start_time="770" end_time="771"><Point x="1200" y="1100" time="770.2"/></Stroke>
  </StrokeSet>
</WhiteboardCaptureSession>
"""
ONLINE = {
    'lineStrokes/a01/a01-000/a01-000u-01.xml': STROKES,
    'lineStrokes/a01/a01-000/a01-000u-02.xml': STROKES,
    'ascii/a01/a01-000/a01-000u.txt': (
        'OCR:\n\nA MOVE to stop\n\nCSR: \n\nA MOVE to stop Mr. Gaitskell\n# nominating any more\n'
    ),
    'original/a01/a01-000/strokesu.xml': '<x><General><Form id="a01-000u" writerID="10008"/></General></x>',
    'trainset.txt': 'a01-000u\n',
}


def test_strokes():
    write('online', ONLINE)
    (part,) = open_collection('online')
    assert (part.kind, part.writer, part.partition) == ('iam_online', '10008', 'train')
    first, second = samples([part])
    assert (first.text, second.text, first.record, second.record) == (
        'A MOVE to stop Mr. Gaitskell',
        '# nominating any more',
        1,
        2,
    )
    assert [s.tolist() for s in first.strokes] == [[[1073, 1058], [1072, 1085]], [[1200, 1100]]]


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda x: x[:200], r'a01-000u-01.xml, row \d+, byte \d+: no readable XML'),
        (lambda x: x.replace('x="1072"', 'x="wide"'), "point .*'wide'.*, expected numbers x and y"),
        (lambda x: x.replace('x="1072"', f'x="{1 << 40}"'), 'expected numbers x and y'),
        (lambda x: x.replace('x="1072"', f'x="-{1 << 40}"'), 'expected numbers x and y'),
        (lambda x: x.replace('Point', 'Dot'), 'no stroke with a point'),
        (
            lambda x: x.replace(
                '<WhiteboardCaptureSession>',
                '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><WhiteboardCaptureSession>',
                1,
            ),
            'an entity is declared, expected none',
        ),
        (lambda x: '', 'no readable XML'),
    ],
)
def test_damaged_strokes(change, message):
    write('online', {**ONLINE, 'lineStrokes/a01/a01-000/a01-000u-01.xml': change(STROKES)})
    parts, errors = open_collection('online'), []
    with pytest.raises(FormatError, match=message):
        samples(parts)
    assert len(samples(parts, errors)) == 1 and len(errors) == 1


def test_transcriptions_that_are_missing():
    write(
        'online',
        {
            **ONLINE,
            'ascii/a01/a01-000/a01-000u.txt': 'CSR:\nonly one\n',
            'lineStrokes/b01/b01-001/b01-001z-01.xml': STROKES,
        },
    )
    errors = []
    assert [s.text for s in samples(open_collection('online'), errors)] == ['only one']
    assert 'no line 2 in online/ascii/a01/a01-000/a01-000u.txt, it has 1' in str(errors[0])
    assert 'no ascii/.../b01-001z.txt with its text' in str(errors[1])
    write('online', {'ascii/a01/a01-000/a01-000u.txt': 'nothing'})
    with pytest.raises(FormatError, match='no row "CSR:"'):
        open_collection('online')
    assert iam_online.LINE_NAME.fullmatch('a01-000u-01.xml')
