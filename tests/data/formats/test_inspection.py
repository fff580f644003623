"""What `prepare --inspect` tells of each format."""

import contextlib
import io
import pathlib
import sys
import types
import zipfile

import numpy as np
import pytest
from foreign_files import codes, dgr_bytes, dgrl_bytes, glyph, gnt_bytes, pot_bytes, ptts_bytes, wptt_bytes
from PIL import Image
from test_iam import COLLECTION, ONLINE

from hwgen.data.preparing import inspection

RNG = np.random.default_rng(0)
SQUARE = [(100, 100), (500, 100), (500, 500), (100, 500), (100, 100)]
FILES = {
    '1001-c.gnt': (
        gnt_bytes([('天', glyph(RNG, 8, 6)), ('A', glyph(RNG, 4, 5))]),
        [
            '1001-c.gnt: 1 gnt, 88 bytes, 1 writers named 1001',
            '  1 at byte 0: 天 [ccec] 6 x 8 px, grey',
            '  2 at byte 58: A [4100] 5 x 4 px',
            '2 samples, 2 characters (1 hanzi) of 2 classes, writers 1001',
            'heights 4 to 8, median 6',
        ],
    ),
    '001-P16.dgrl': (
        dgrl_bytes([('天地', glyph(RNG, 9, 30)), (codes('玄') + b'\xff\xff', glyph(RNG, 9, 30))]),
        [
            '1 dgrl',
            '  1 at byte 56: 天地 [ccec b5d8] 30 x 9 px',
            '2 samples, 3 characters (3 hanzi) of 3 classes',
            'codes that decode to nothing: ffff 1',
        ],
    ),
    '006-P16.dgr': (
        dgr_bytes([[('天', 10, 20, glyph(RNG, 5, 5))]]),
        ['1 dgr', '5 x 5 px', 'boxes of characters'],
    ),
    '001.pot': (pot_bytes([('口', [SQUARE])]), ['1 pot', '', '1 strokes, 5 points, 400 x 400']),
    'WPTT2.0-Test/501-P14.wptt': (
        wptt_bytes([SQUARE], [('口', [0])]),
        ['1 wptt', 'official partition: test 1 parts', '1 strokes, 5 points'],
    ),
    'C001-P16.ptts': (
        ptts_bytes([SQUARE], [('口', [0])]),
        ['1 ptts', '1 writers named C001', ': 口 [bfda] 1 strokes, 5 points, 400 x 400'],
    ),
    'labels.tsv': (
        b'a.png\t\xe5\xa4\xa9\tanna\nnone.png\tx\n',
        [
            'a folder of images with labels.tsv',
            '  1 at byte 0: 天 9 x 7 px',
            'writers anna',
            'damaged: ',
            'none.png: no such image',
        ],
    ),
}


def told(path, **settings):
    said = []
    inspection.inspect(path, report=said.append, **settings)
    return said


@pytest.mark.parametrize('name', FILES)
def test_files(name):
    data, expected = FILES[name]
    path = pathlib.Path('in', name)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    if name == 'labels.tsv':
        Image.fromarray(glyph(RNG, 7, 9)).save('in/a.png')
    said = told('in' if name != '1001-c.gnt' else path, sheet='sheet.png')
    text = '\n'.join(said)
    if name == '001.pot':
        expected = [expected[0], f'口 [{"口".encode("gbk")[::-1].hex()}0000]', expected[2]]
    for sentence in expected:
        assert sentence in text, text
    sheet = np.asarray(Image.open('sheet.png'))
    assert (
        sheet.shape[1] == 1200
        and sheet.min() < 200
        and (sheet == 225).any()
        and said[-1].startswith('sheet.png: the first')
    )


def test_collections():
    put('iam', COLLECTION)
    put('online', ONLINE)
    text = '\n'.join(told('iam', sheet='sheet.png'))
    assert (
        '2 iam, ' in text
        and 'a01-000u' not in text
        and 'A MOVE to stop Mr. Gaitskell from' in text
        and 'train 1 parts' in text
    )
    assert 'marked segmentation' in '\n'.join(told('iam', unit='words'))
    text = '\n'.join(told('online', sheet='sheet.png'))
    assert '1 iam_online' in text and '2 strokes, 3 points' in text


def put(folder, files):
    for name, data in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())


def test_archives():
    files = {name: data for name, (data, _) in FILES.items() if name != 'labels.tsv'}
    with zipfile.ZipFile('all.zip', 'w') as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    put('all', files)
    packed, unpacked = told('all.zip', sheet='packed.png'), told('all', sheet='unpacked.png')
    assert (
        packed[0].startswith('all.zip: 1 dgr, 1 dgrl, 1 gnt, 1 pot, 1 ptts, 1 wptt, ')
        and packed[1:-1] == unpacked[1:-1]
    )
    assert pathlib.Path('packed.png').read_bytes() == pathlib.Path('unpacked.png').read_bytes()
    with zipfile.ZipFile('iam.zip', 'w') as archive:
        for name, data in COLLECTION.items():
            archive.writestr(name, data)
    assert any('A MOVE to stop Mr. Gaitskell from' in line for line in told('iam.zip'))


def test_folders_of_images():
    """A table of JSON Lines, in its folder or named itself; text files; names that tell the text."""
    buffer = io.BytesIO()
    Image.fromarray(glyph(RNG, 7, 9)).save(buffer, 'PNG')
    image = buffer.getvalue()
    put(
        'jsonl',
        {'a.png': image, 'labels.jsonl': '{"path": "a.png", "text": "天地", "writer": "anna"}\nno row\n'},
    )
    for path in ('jsonl', 'jsonl/labels.jsonl'):
        text = '\n'.join(told(path, sheet='sheet.png'))
        assert (
            'jsonl: a folder of images with labels.jsonl' in text
            and '  1 at byte 0: 天地 9 x 7 px' in text
            and 'writers anna' in text
        )
        assert (
            "damaged: jsonl/labels.jsonl, row 2: 'no row', expected" in text
            and 'sheet.png: the first 1 samples' in text
        )
    put('files', {'Images/a.png': image, 'Transcriptions/a.txt': '宇宙'})
    assert '  1 at byte 0: 宇宙 9 x 7 px, grey' in '\n'.join(
        told('files/Images', source='folder', labels='../Transcriptions')
    )
    put('words', {'0052/0052-1-0-0-Imagine.png': image})
    text = '\n'.join(told('words', name_pattern=r'(?P<writer>\d+)-\d+-\d+-\d+-(?P<text>.+)'))
    assert (
        'words: a folder of images with texts in their names' in text
        and 'Imagine 9 x 7 px' in text
        and 'writers 0052' in text
    )


def test_lmdb(monkeypatch):
    """A data base of the library; where that is not installed, one that answers as its documentation says."""
    buffer = io.BytesIO()
    Image.fromarray(glyph(RNG, 7, 9)).save(buffer, 'PNG')
    values = {
        b'num-samples': b'2',
        b'image-000000001': buffer.getvalue(),
        b'label-000000001': '天地'.encode(),
        b'label-000000002': b'x',
    }
    try:
        import lmdb

        with (
            lmdb.open('train', map_size=1 << 20) as environment,
            environment.begin(write=True) as transaction,
        ):
            for key, value in values.items():
                transaction.put(key, value)
    except ImportError:
        put('train', {'data.mdb': b'a data base'})
        transaction = types.SimpleNamespace(get=values.get)
        environment = types.SimpleNamespace(
            begin=lambda: contextlib.nullcontext(transaction), stat=lambda: {'entries': len(values)}
        )
        monkeypatch.setitem(
            sys.modules,
            'lmdb',
            types.SimpleNamespace(
                open=lambda path, **how: contextlib.nullcontext(environment), Error=OSError
            ),
        )
    text = '\n'.join(told('train', sheet='sheet.png'))
    assert (
        'train: 1 lmdb, ' in text
        and 'official partition: train 1 parts' in text
        and '  1 at byte 0: 天地 9 x 7 px' in text
    )
    assert (
        'damaged: train, sample 2: no key image-000000002' in text
        and 'sheet.png: the first 1 samples' in text
    )


def test_damaged_files_are_told_not_fatal():
    pathlib.Path('in').mkdir()
    for i in range(12):
        pathlib.Path(f'in/{i:03d}-P16.dgrl').write_bytes(b'no page')
    said = told('in', sheet='sheet.png')
    assert said[-2].startswith('damaged: in/009-P16.dgrl, header, byte ') and said[-1] == 'damaged: 2 more'
    assert 'no sample that can be read' in said and not pathlib.Path('sheet.png').exists()
    pathlib.Path('in/more.zip').write_bytes(b'PK cut short')
    assert 'damaged: in/more.zip, byte 0: no readable .zip archive (File is not a zip file)' in told('in')
    pathlib.Path('in/more.zip').unlink()
    with pytest.raises(FileNotFoundError, match='in: 12 files, among them no lines.txt'):
        told('in', source='iam')
