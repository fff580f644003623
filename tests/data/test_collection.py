"""Which files a collection has, in which parts, and which of them count as what was read."""

import pathlib
import zipfile

import pytest

from hwgen.data.formats import registry
from hwgen.data.formats.readers import dgrl, gnt, pot, wptt
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.collection import input_state, open_collection, source_of

STROKES = '<x><StrokeSet><Stroke><Point x="{0}" y="7"/><Point x="9" y="8"/></Stroke></StrokeSet></x>'


def put(folder, files):
    for name, data in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())


def parts_of(path, **settings):
    return [
        (part.name, part.kind, part.writer, part.partition, part.num_bytes)
        for part in open_collection(path, **settings)
    ]


def test_what_a_format_is():
    units = {
        'gnt': 'sample',
        'dgrl': 'line',
        'pot': 'sample',
        'wptt': 'line',
        'iam': 'row',
        'iam_online': 'line',
        'lmdb': 'sample',
    }
    found = registry.find_formats()
    assert {name: one.record for name, one in found.items()} == units and list(found) == list(units)
    for name, one in found.items():
        assert one.isolated is (name in ('gnt', 'pot')) and one.white_paper is (name != 'lmdb')
    assert registry.sources() == ('casia', 'iam', 'iam_online', 'lmdb')


def test_files_of_casia():
    put(
        'in',
        {
            'HWDB2.0Test/004-P16.dgrl': b'12345',
            'b/1001-c.GNT': b'123',
            'a/page.dgr': b'1',
            'a/001.pot': b'12',
            'a/WPTT-Train/501-P14.wptt': b'1234',
            'a/C001.ptts': b'',
            'a/notes.txt': b'x',
        },
    )
    assert (
        parts_of('in')
        == parts_of('in', source='casia')
        == [
            ('in/HWDB2.0Test/004-P16.dgrl', 'dgrl', '004', 'test', 5),
            ('in/a/001.pot', 'pot', '001', '', 2),
            ('in/a/C001.ptts', 'ptts', 'C001', '', 0),
            ('in/a/WPTT-Train/501-P14.wptt', 'wptt', '501', 'train', 4),
            ('in/a/page.dgr', 'dgr', '', '', 1),
            ('in/b/1001-c.GNT', 'gnt', '1001', '', 3),
        ]
    )
    kinds = {part.kind: part.read.func for part in open_collection('in')}
    assert kinds == {
        'gnt': gnt.read_gnt,
        'pot': pot.read_pot,
        'dgrl': dgrl.read_dgrl,
        'dgr': dgrl.read_dgrl,
        'wptt': wptt.read_wptt,
        'ptts': wptt.read_wptt,
    }
    assert {part.kind for part in open_collection('in') if part.isolated} == {'gnt', 'pot'}
    assert {part.unit for part in open_collection('in') if part.isolated} == {'sample'}


LINES = (
    'a01-000u-00 ok 154 1 1 1 60 20 A\na01-000u-01 ok 154 1 1 1 60 20 B\na01-000u-02 ok 154 1 1 1 60 20'
    ' C\nb02-013-00 ok 170 7 1 2 3 4 D\nc01-001-00 ok 170 7 1 2 3 4 E\n'
)
FORMS = {
    'iam/forms.txt': 'a01-000u 007 2 prt 7 5 52 36\nb02-013 008 2 prt 7 5 52 36\n',
    'iam/lines.txt': LINES,
    'iam/testset.txt': 'b02-013\na01-000u-01\n',
    'iam/trainset.txt': 'a01-000u\n',
    'iam/x/a01-000u-00.png': b'123',
    'iam/x/a01-000u-01.png': b'12345',
    'iam/x/a01-000u-02.tif': b'1234567',
    'iam/y/a01-000u-00.png': b'twice',
    'iam/x/b02-013-00.png': b'1',
    'iam/x/z.png': b'-',
}


def test_forms_of_iam():
    """The list names a line before it names its form; a writer is who is named, or the form; its own
    pictures are what there is to read.
    """
    put('.', FORMS)
    assert parts_of('iam') == [
        ('iam/lines.txt/a01-000u', 'iam', '007', 'train', 10),
        ('iam/lines.txt/a01-000u', 'iam', '007', 'test', 5),
        ('iam/lines.txt/b02-013', 'iam', '008', 'test', 1),
        ('iam/lines.txt/c01-001', 'iam', 'c01-001', '', 0),
    ]
    put(
        '.',
        {
            'iam/words.txt': (
                'a01-000u-01-00 ok 154 408 768 27 51 AT A\na01-000u-02-00 ok 154 408 768 27 51 AT B\n'
            ),
            'iam/a01-000u-01-00.png': b'12',
        },
    )
    assert parts_of('iam', unit='words') == [
        ('iam/words.txt/a01-000u', 'iam', '007', 'test', 2),
        ('iam/words.txt/a01-000u', 'iam', '007', 'train', 0),
    ]
    pathlib.Path('iam/lines.txt').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'no lines.txt among the \d+ files, expected the table of the lines'
    ):
        open_collection('iam')
    pathlib.Path('iam/words.txt').rename('iam/lines.txt')
    with pytest.raises(
        FileNotFoundError, match=r'no words.txt among the \d+ files, expected the table of the words'
    ):
        open_collection('iam', unit='words')


def test_pen_strokes_of_iam():
    put(
        'online',
        {
            'lineStrokes/a01/a01-000/a01-000u-02.xml': STROKES.format(2),
            'lineStrokes/a01/a01-000/a01-000u-01.xml': STROKES.format(10),
            'lineStrokes/b01/b01-000z-01.xml': STROKES.format(3),
            'ascii/a01/a01-000u.txt': 'CSR:\n\nfirst\nsecond\n',
            'other/b01-000z.txt': 'CSR:\n\nno transcription\n',
            'original/a01/strokesu.xml': '<x><Form id="a01-000u" writerID="99"/></x>',
            'original/a01/a01-000u-01.xml': '<x><Form id="b01-000z" writerID="98"/></x>',
            'testset_f.txt': 'b01-000z\n',
        },
    )
    assert parts_of('online') == [
        (
            'online/lineStrokes/a01/a01-000/a01-000u-01.xml',
            'iam_online',
            '99',
            '',
            len(STROKES.format(10)) + len(STROKES.format(2)),
        ),
        ('online/lineStrokes/b01/b01-000z-01.xml', 'iam_online', '98', 'test', len(STROKES.format(3))),
    ]
    first, second = open_collection('online')
    errors = []
    assert [(ink.text, ink.writer, ink.strokes[0][0, 0]) for ink in first.read(refuse=errors.append)] == [
        ('first', '99', 10),
        ('second', '99', 2),
    ] and not errors
    assert (
        not list(second.read(refuse=errors.append))
        and str(errors[0])
        == 'online/lineStrokes/b01/b01-000z-01.xml, byte 0: no ascii/.../b01-000z.txt with its text'
    )
    put(
        'online',
        {
            'lineStrokes/a01/a01-000/a01-000u-00.xml': STROKES.format(2),
            'lineStrokes/a01/a01-000/a01-000u-03.xml': STROKES.format(2),
        },
    )
    errors.clear()
    assert [ink.text for ink in open_collection('online')[0].read(refuse=errors.append)] == [
        'first',
        'second',
    ]
    assert [str(error).partition('byte 0: ')[2] for error in errors] == [
        f'no line {i} in online/ascii/a01/a01-000u.txt, it has 2' for i in (0, 3)
    ]
    assert errors[0].reason == 'table'


def test_data_bases():
    put('in', {'train/data.mdb': b'12', 'train/lock.mdb': b'', 'my_val/data.mdb': b'1', 'mine/data.mdb': b''})
    assert parts_of('in') == [
        ('in/mine', 'lmdb', '', '', 0),
        ('in/my_val', 'lmdb', '', 'validation', 1),
        ('in/train', 'lmdb', '', 'train', 2),
    ]
    with zipfile.ZipFile('packed.zip', 'w') as archive:
        archive.writestr('train/data.mdb', b'12')
    with pytest.raises(FileNotFoundError, match='packed.zip: 1 files, among them no known format'):
        open_collection('packed.zip')


def test_the_source_that_files_speak_for():
    """The first of several in the order of the registry; what is asked for is taken, though others are
    there.
    """
    put(
        'both',
        {'001.pot': b'', 'lines.txt': LINES, 'lineStrokes/a01-000u-01.xml': STROKES, 'train/data.mdb': b''},
    )
    assert source_of('both') == 'casia' and {part.kind for part in open_collection('both', source='iam')} == {
        'iam'
    }
    assert [part.kind for part in open_collection('both', source='lmdb')] == ['lmdb']
    for name, source in (
        ('001.pot', 'iam'),
        ('lines.txt', 'iam_online'),
        ('lineStrokes/a01-000u-01.xml', 'lmdb'),
        ('train/data.mdb', None),
    ):
        pathlib.Path('both', name).unlink()
        assert source_of('both') == source
    assert source_of('nowhere') is None
    put('words', {'words.txt': ''})
    assert source_of('words') == 'iam'


def test_what_is_not_found_is_said():
    put('in', {'a.tgz': b'', 'b.zipper': b''})
    with pytest.raises(
        FileNotFoundError,
        match=r'^in: 2 files, among them no known format; in/a.tgz must be unpacked first \(.zip need not\)$',
    ):
        open_collection('in')
    pathlib.Path('in/a.tgz').unlink()
    for source, expected in (
        ('casia', 'files .gnt, .dgrl, .dgr, .pot, .wptt, .ptts'),
        ('iam', 'lines.txt or words.txt and images'),
        ('lmdb', 'a folder with data.mdb'),
    ):
        with pytest.raises(
            FileNotFoundError, match=f'^in: 1 files, among them no {expected}; expected {expected}$'
        ):
            open_collection('in', source=source)
    for name in ('x.tar', 'x.tar.gz', 'x.rar'):
        put('in', {name: b''})
        with pytest.raises(FileNotFoundError, match=f'in/{name} must be unpacked first'):
            open_collection('in', source='casia')
        pathlib.Path('in', name).unlink()


# ---- what was read


def test_files_that_count_are_those_of_the_source():
    put(
        'in',
        {
            '001.POT': b'1',
            'a.zip': b'12',
            'notes.txt': b'1234',
            'b.png': b'12345678',
            'old/001.pot': b'x',
            'old/info.json': b'{}',
            'old/train.index.npz': b'',
            'new.partial/002.pot': b'x',
            'info.json': b'{}',
            'mine/info.json': b'{}',
            'mine/003.pot': b'1234567890123456',
        },
    )
    assert (input_state('in').as_json()['files'], input_state('in').as_json()['bytes']) == (3, 19)
    assert set(input_state('in', source='casia').contents) == {'001.POT', 'a.zip', 'mine/003.pot'}
    assert (
        set(input_state('in/001.POT').contents) == {'001.POT'}
        and input_state('in/001.POT').as_json()['tables'] == {}
    )
    assert set(input_state('in', source='iam').contents) == {'a.zip', 'b.png'}


def test_texts_count_by_their_contents():
    put('.', FORMS)
    found = input_state('iam').as_json()
    assert set(found['tables']) == {'lines.txt', 'forms.txt', 'testset.txt', 'trainset.txt'} and (
        found['files'],
        found['bytes'],
    ) == (6, 22)
    put('.', {'iam/testset.txt': 'b02-014\na01-000u-01\n'})
    assert input_state('iam').changes(found) == (['testset.txt has changed'], '')
    put('online', {'lineStrokes/a01-000u-01.xml': STROKES, 'ascii/a01-000u.txt': 'CSR:\n'})
    found = input_state('online').as_json()
    assert list(found['tables']) == ['a text file'] and found['files'] == 1
    put('in', {'train/data.mdb': b'12', 'train/lock.mdb': b'1', 'train/notes.txt': b''})
    assert (
        set(input_state('in').contents) == {'train/data.mdb'} and input_state('in').as_json()['tables'] == {}
    )


def test_rows_that_cannot_be_read_are_told_or_raised():
    put('.', {**FORMS, 'iam/lines.txt': LINES + 'd01-001-00 ok\n'})
    errors = []
    assert len(open_collection('iam', refuse=errors.append)) == 4 and errors[0].reason == 'table'
    with pytest.raises(FormatError, match='d01-001-00'):
        open_collection('iam')
    with pytest.raises(FormatError, match='no image'):
        list(open_collection('iam', refuse=errors.append)[3].read(refuse=None))
