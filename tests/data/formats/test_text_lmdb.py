"""The LMDB layout of scene-text code; read where the library is installed, and one line where it is not."""

import io
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

from hwgen.data.collection import open_collection
from hwgen.data.formats.samples import FormatError
from hwgen.data.formats.text_lmdb import read_lmdb


def test_one_clear_error_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, 'lmdb', None)
    with pytest.raises(ValueError, match='train: reading LMDB needs the package lmdb, which is not installed: pip install lmdb'):
        next(read_lmdb(pathlib.Path('train')))


def test_samples():
    lmdb = pytest.importorskip('lmdb', reason='the package lmdb is not installed')
    buffer = io.BytesIO()
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(buffer, 'PNG')
    with lmdb.open('train', map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        for key, value in {'num-samples': b'4', 'image-000000001': buffer.getvalue(), 'label-000000001': '天地'.encode(),
                           'image-000000002': b'no image', 'label-000000002': b'x', 'label-000000003': b'x',
                           'image-000000004': buffer.getvalue(), 'label-000000004': b'\xff'}.items():
            transaction.put(key.encode(), value)
    errors = []
    part, = open_collection('train')
    sample, = part.read(refuse=errors.append)
    assert (sample.text, sample.record, part.partition) == ('天地', 1, 'train') and sample.image.tolist()[1] == [4, 5, 6, 7]
    assert [e.reason for e in errors] == ['image', 'table', 'text'] and 'train, sample 3: no key image-000000003' in str(errors[1])
    with lmdb.open('train', map_size=1 << 20) as environment, environment.begin(write=True) as transaction:
        transaction.put(b'num-samples', b'99999999')
    with pytest.raises(FormatError, match="num-samples b'99999999', expected the number of samples"):
        list(part.read())
    pathlib.Path('train/data.mdb').write_bytes(b'x' * 9000)
    with pytest.raises(FormatError, match='train: no readable LMDB'):
        list(part.read())
