"""The LMDB layout of scene-text code; read where the library is installed, and one line where it is not."""

import io
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

from hwgen.data.formats.readers.text_lmdb import read_lmdb
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.collection import open_collection


def test_one_clear_error_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'lmdb', None)
    with pytest.raises(
        ValueError,
        match='train: reading LMDB needs the package lmdb, which is not installed: pip install lmdb',
    ):
        next(read_lmdb(pathlib.Path('train')))


def test_samples():
    lmdb = pytest.importorskip('lmdb', reason='the package lmdb is not installed')
    buffer = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(buffer, 'PNG')
    with lmdb.open('train', map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for key, value in {
            'num-samples': b'4',
            'image-000000001': buffer.getvalue(),
            'label-000000001': '天地'.encode(),
            'image-000000002': b'no image',
            'label-000000002': b'x',
            'label-000000003': b'x',
            'image-000000004': buffer.getvalue(),
            'label-000000004': b'\xff',
        }.items():
            transaction.put(key.encode(), value)
    errors = []
    (part,) = open_collection('train')
    (sample,) = part.read(refuse=errors.append)
    assert (sample.text, sample.record, part.partition) == ('天地', 1, 'train') and sample.image.tolist()[
        1
    ] == [4, 5, 6, 7]
    assert [e.reason for e in errors] == [
        'image',
        'table',
        'text',
    ] and 'train, sample 3: no key image-000000003' in str(errors[1])
    with lmdb.open('train', map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        transaction.put(b'num-samples', b'99999999')
    with pytest.raises(FormatError, match="num-samples b'99999999', expected the number of samples"):
        list(part.read())
    pathlib.Path('train/data.mdb').write_bytes(b'x' * 9000)
    with pytest.raises(FormatError, match='train: no readable LMDB'):
        list(part.read())


def base(values, folder='train'):
    lmdb = pytest.importorskip('lmdb', reason='the package lmdb is not installed')
    with lmdb.open(folder, map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key.encode(), value)
    return pathlib.Path(folder)


def picture(values):
    buffer = io.BytesIO()
    Image.fromarray(np.array(values, np.uint8)).save(buffer, 'PNG')
    return buffer.getvalue()


def test_each_sample_and_what_is_said_of_those_that_are_none():
    folder, errors = (
        base(
            {
                'num-samples': b'6',
                'image-000000001': picture([[1, 2, 3]]),
                'label-000000001': b'one',
                'image-000000003': picture([[9], [8]]),
                'label-000000003': b' 3 ',
                'label-000000002': b'x',
                'image-000000004': b'',
                'label-000000004': b'\xff' * 30,
                'image-000000005': b'no',
                'label-000000005': b'x',
            }
        ),
        [],
    )
    found = list(read_lmdb(folder, name='my', refuse=errors.append))
    assert [(s.image.tolist(), *s[1:]) for s in found] == [
        ([[1, 2, 3]], 'one', '', 1, 0, (), None, ''),
        ([[9], [8]], ' 3 ', '', 3, 0, (), None, ''),
    ]
    assert [(error.reason, str(error).partition(' (')[0]) for error in errors] == [
        ('table', 'my, sample 2: no key image-000000002'),
        ('text', "my, sample 4: label b'" + r'\xff' * 20 + "' is no UTF-8"),
        ('image', 'my, sample 5: image-000000005: no readable image'),
        ('table', 'my, sample 6: no key image-000000006 and label-000000006'),
    ]
    with pytest.raises(FormatError, match='^train, sample 2: no key image-000000002$'):
        list(read_lmdb(folder))


@pytest.mark.parametrize(
    'count, fits',
    [
        (b'0', True),
        (b'6', True),
        (b'7', False),
        (b'-1', False),
        (b'', False),
        (b'1.0', False),
        (b'0' * 17 + b'1', True),
        (b'0' * 18 + b'1', False),
    ],
)
def test_the_number_of_samples_is_held_against_the_entries(count, fits):
    """Three entries have at most six samples: of each there may be a label or an image alone."""
    folder, errors = (
        base({'num-samples': count, 'image-000000001': picture([[1, 2, 3]]), 'label-000000001': b'one'}),
        [],
    )
    if fits:
        assert len(list(read_lmdb(folder, refuse=errors.append))) + len(errors) == int(count)
        return
    with pytest.raises(FormatError) as caught:
        list(read_lmdb(folder, refuse=errors.append))
    assert (
        str(caught.value) == f'train: num-samples {count!r}, expected the number of samples in the 3 entries'
        and caught.value.reason == 'header'
    )


def test_what_is_no_data_base():
    pytest.importorskip('lmdb', reason='the package lmdb is not installed')
    with pytest.raises(FormatError, match='^none: no readable LMDB ') as caught:
        list(read_lmdb(pathlib.Path('none')))
    assert caught.value.reason == 'magic' and not pathlib.Path('none').exists()
