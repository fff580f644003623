"""Folders and archives of files; what CASIA's names say, by the names of its download page."""

import os
import pathlib
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_files import glyph, gnt_bytes
from hwgen.data.formats.archives import list_files
from hwgen.data.formats.casia_names import casia_writer, named_partition
from hwgen.data.formats.gnt import read_gnt
from hwgen.data.formats.samples import FormatError

DATA = gnt_bytes([(c, glyph(np.random.default_rng(1), 9, 9)) for c in '天地玄黄'])


def archive(path, members, **how):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data, **how)


@pytest.mark.parametrize('name, writer', [
    ('001-f.gnt', '001'), ('1001-c.gnt', '1001'), ('HWDB2.0Test/006-P16.dgrl', '006'), ('a.zip/C001-f-f.gnt', 'C001'),
    ('001.pot', '001'), ('501-P14.wptt', '501'), ('1.0train-gb1.gnt', ''), ('page.dgrl', ''), ('12345.pot', '')])
def test_writers(name, writer):
    assert casia_writer(name) == writer


@pytest.mark.parametrize('name, partition', [
    ('Gnt1.0TrainPart1.zip/001-f.gnt', 'train'), ('Gnt1.2Test.zip/a/501-f.gnt', 'test'), ('HWDB1.1trn_gnt.zip/1001-c.gnt', 'train'),
    ('HWDB1.1tst_gnt.zip/1241-c.gnt', 'test'), ('HWDB2.0Test/006-P16.dgrl', 'test'), ('WPTT2.0-Train/501-P14.wptt', 'train'),
    ('OLHWDB1.0test_pot.zip/001.pot', 'test'), ('1.0train-gb1.gnt', 'train'), ('Competition13Line.zip/C001-P16.dgrl', 'test'),
    ('competition-gnt/C001-f-f.gnt', 'test'), ('train/test/x.gnt', 'test'), ('contest/x.gnt', ''), ('latest/x.gnt', ''),
    ('trained/x.gnt', ''), ('mine/001-f.gnt', ''), ('val/x.gnt', 'validation')])
def test_partitions(name, partition):
    assert named_partition(name) == partition


def test_files_of_folders_and_archives(tmp_path):
    root = tmp_path / 'HWDB1'
    (root / 'Gnt1.0Test').mkdir(parents=True)
    (root / 'Gnt1.0Test' / '004-f.gnt').write_bytes(DATA)
    (root / '.hidden.gnt').write_bytes(b'x')
    archive(root / 'Gnt1.0Train.zip', {'inner/002-f.gnt': DATA, '001-f.gnt': DATA, '__MACOSX/001-f.gnt': b'x', 'inner/._x.gnt': b'x'})
    files = list_files(root)
    assert [file.name for file in files] == [
        'HWDB1/Gnt1.0Test/004-f.gnt', 'HWDB1/Gnt1.0Train.zip/001-f.gnt', 'HWDB1/Gnt1.0Train.zip/inner/002-f.gnt']
    for file in files:
        assert file.size == len(DATA) and file.read() == DATA and [s.text for s in read_gnt(file)] == list('天地玄黄')
    assert [file.name for file in list_files(root / 'Gnt1.0Train.zip')][0] == 'Gnt1.0Train.zip/001-f.gnt'
    assert [file.name for file in list_files(root / 'Gnt1.0Test' / '004-f.gnt')] == ['004-f.gnt']
    assert sorted(path.name for path in root.iterdir()) == ['.hidden.gnt', 'Gnt1.0Test', 'Gnt1.0Train.zip']  # nothing unpacked


def test_names_that_are_no_text_and_members_under_a_password():
    pathlib.Path('in').mkdir()
    name = os.fsdecode(b'in/\xff\xfe-c.gnt')
    pathlib.Path(name).write_bytes(DATA)
    file, = list_files('in')
    assert file.name == 'in/\\xff\\xfe-c.gnt' and [s.text for s in read_gnt(file)] == list('天地玄黄')
    archive('x.zip', {'001-f.gnt': DATA})
    data = bytearray(pathlib.Path('x.zip').read_bytes())
    for signature, flags in ((b'PK\3\4', 6), (b'PK\1\2', 8)):
        data[data.find(signature) + flags] |= 1  # encrypted
    pathlib.Path('x.zip').write_bytes(data)
    file, = list_files('x.zip')
    with pytest.raises(FormatError, match='x.zip/001-f.gnt, byte 0: cannot be read from the archive .*password'):
        list(read_gnt(file))


def test_what_cannot_be_listed(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such file or folder'):
        list_files('nowhere')
    pathlib.Path('x.zip').write_bytes(b'PK no')
    with pytest.raises(FormatError, match='x.zip, byte 0: no readable .zip archive'):
        list_files('x.zip')


@settings(max_examples=100)
@given(st.data())
def test_no_archive_crashes_it(data):
    archive('whole.zip', {'001-f.gnt': DATA, '002-f.gnt': DATA})
    spoilt = bytearray(pathlib.Path('whole.zip').read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    path = pathlib.Path(f'{data.draw(st.integers(0, 1 << 40))}.zip')
    path.write_bytes(spoilt)
    errors = []
    try:
        for file in list_files(path):
            list(read_gnt(file, refuse=errors.append))
    except FormatError as error:
        errors.append(error)
    assert all(', byte ' in str(error) for error in errors)
