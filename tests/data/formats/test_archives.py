"""Folders and archives of files; what CASIA's names say, by the names of its download page."""

import os
import pathlib
import zipfile

import numpy as np
import pytest
from foreign_files import glyph, gnt_bytes, on_disk
from hypothesis import given, settings
from hypothesis import strategies as st

from hwgen.data.formats.archives import disk_files, list_files
from hwgen.data.formats.casia_names import casia_writer, named_partition
from hwgen.data.formats.readers.gnt import read_gnt
from hwgen.data.formats.samples import FormatError, refuse_or_raise

DATA = gnt_bytes([(c, glyph(np.random.default_rng(1), 9, 9)) for c in '天地玄黄'])


def archive(path, members, **how):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data, **how)


@pytest.mark.parametrize(
    'name, writer',
    [
        ('001-f.gnt', '001'),
        ('1001-c.gnt', '1001'),
        ('HWDB2.0Test/006-P16.dgrl', '006'),
        ('a.zip/C001-f-f.gnt', 'C001'),
        ('001.pot', '001'),
        ('501-P14.wptt', '501'),
        ('1.0train-gb1.gnt', ''),
        ('page.dgrl', ''),
        ('12345.pot', ''),
        ('c012_f.gnt', 'C012'),
        ('1001', '1001'),
        ('12-f.gnt', ''),
        ('1234x-f.gnt', ''),
        ('x001-f.gnt', ''),
        ('D001-f.gnt', ''),
        ('001/page.dgrl', ''),
    ],
)
def test_writers(name, writer):
    assert casia_writer(name) == writer


@pytest.mark.parametrize(
    'name, partition',
    [
        ('Gnt1.0TrainPart1.zip/001-f.gnt', 'train'),
        ('Gnt1.2Test.zip/a/501-f.gnt', 'test'),
        ('HWDB1.1trn_gnt.zip/1001-c.gnt', 'train'),
        ('HWDB1.1tst_gnt.zip/1241-c.gnt', 'test'),
        ('HWDB2.0Test/006-P16.dgrl', 'test'),
        ('WPTT2.0-Train/501-P14.wptt', 'train'),
        ('OLHWDB1.0test_pot.zip/001.pot', 'test'),
        ('1.0train-gb1.gnt', 'train'),
        ('Competition13Line.zip/C001-P16.dgrl', 'test'),
        ('competition-gnt/C001-f-f.gnt', 'test'),
        ('train/test/x.gnt', 'test'),
        ('contest/x.gnt', ''),
        ('latest/x.gnt', ''),
        ('trained/x.gnt', ''),
        ('mine/001-f.gnt', ''),
        ('val/x.gnt', 'validation'),
        ('VALID/x.gnt', 'validation'),
        ('my_validation/x.gnt', 'validation'),
        ('dev2/x.gnt', 'validation'),
        ('devil/x.gnt', ''),
        ('retrieval/x.gnt', ''),
        ('valued/x.gnt', ''),
        ('TRN/x.gnt', 'train'),
        ('training_1/x.gnt', 'train'),
        ('trainset.txt', 'train'),
        ('HWTrained/x.gnt', 'train'),
        ('retrain/x.gnt', ''),
        ('TEST/x.gnt', 'test'),
        ('testset.txt', 'test'),
        ('HWTested/x.gnt', 'test'),
        ('HWTes/x.gnt', ''),
        ('tests/x.gnt', ''),
        ('competitions/x.gnt', 'test'),
        ('mycompetition/x.gnt', ''),
        ('train-test/x.gnt', 'test'),
        ('val-train/x.gnt', 'validation'),
        ('test/train/001-test.gnt', 'test'),
        ('test/val/dev/train/x.gnt', 'train'),
    ],
)
def test_partitions(name, partition):
    assert named_partition(name) == partition


def test_files_of_folders_and_archives(tmp_path):
    root = tmp_path / 'HWDB1'
    (root / 'Gnt1.0Test').mkdir(parents=True)
    (root / 'Gnt1.0Test' / '004-f.gnt').write_bytes(DATA)
    (root / '.hidden.gnt').write_bytes(b'x')
    archive(
        root / 'Gnt1.0Train.zip',
        {'inner/002-f.gnt': DATA, '001-f.gnt': DATA, '__MACOSX/001-f.gnt': b'x', 'inner/._x.gnt': b'x'},
    )
    files = list_files(root)
    assert [file.name for file in files] == [
        'HWDB1/Gnt1.0Test/004-f.gnt',
        'HWDB1/Gnt1.0Train.zip/001-f.gnt',
        'HWDB1/Gnt1.0Train.zip/inner/002-f.gnt',
    ]
    for file in files:
        assert (
            file.size == len(DATA)
            and file.read() == DATA
            and [s.text for s in read_gnt(file)] == list('天地玄黄')
        )
    assert [file.name for file in list_files(root / 'Gnt1.0Train.zip')][0] == 'Gnt1.0Train.zip/001-f.gnt'
    assert [file.name for file in list_files(root / 'Gnt1.0Test' / '004-f.gnt')] == ['004-f.gnt']
    # nothing unpacked
    assert sorted(path.name for path in root.iterdir()) == ['.hidden.gnt', 'Gnt1.0Test', 'Gnt1.0Train.zip']


def test_names_that_are_no_text_and_members_under_a_password():
    pathlib.Path('in').mkdir()
    name = os.fsdecode(b'in/\xff\xfe-c.gnt')
    pathlib.Path(name).write_bytes(DATA)
    (file,) = list_files('in')
    assert file.name == 'in/\\xff\\xfe-c.gnt' and [s.text for s in read_gnt(file)] == list('天地玄黄')
    archive('x.zip', {'001-f.gnt': DATA})
    data = bytearray(pathlib.Path('x.zip').read_bytes())
    for signature, flags in ((b'PK\3\4', 6), (b'PK\1\2', 8)):
        data[data.find(signature) + flags] |= 1  # encrypted
    pathlib.Path('x.zip').write_bytes(data)
    (file,) = list_files('x.zip')
    with pytest.raises(
        FormatError, match='x.zip/001-f.gnt, byte 0: cannot be read from the archive .*password'
    ):
        list(read_gnt(file))


def test_what_counts_as_a_file():
    """Suffixes in any case; nothing hidden, on disk or in an archive, no folders of archives, no links to
    folders; all in the order of their names.
    """
    for name in (
        'in/b.GNT',
        'in/.git/c.gnt',
        'in/sub/.d.gnt',
        'in/sub/a.txt',
        'in/z.gnt',
        'other/e.gnt',
        'in/Packed.d/f.gnt',
    ):
        path = pathlib.Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    os.symlink('../other', 'in/linked')
    os.symlink('../other/e.gnt', 'in/file.gnt')
    os.symlink('nowhere', 'in/dangling.gnt')
    archive(
        'in/Packed.ZIP',
        {
            'folder/': b'',
            'folder/b.Gnt': b'bb',
            'a/.hidden/c': b'c',
            'folder/.d.gnt': b'd',
            '__MACOSX/a/e.gnt': b'e',
            'a/__MACOSX/f.gnt': b'f',
            'inner.zip': b'PK',
        },
    )
    expected = [
        'in/Packed.ZIP/a/.hidden/c',
        'in/Packed.ZIP/a/__MACOSX/f.gnt',
        'in/Packed.ZIP/folder/b.Gnt',
        'in/Packed.ZIP/inner.zip',
        'in/Packed.d/f.gnt',
        'in/b.GNT',
        'in/file.gnt',
        'in/sub/a.txt',
        'in/z.gnt',
    ]
    found = list_files('in')
    assert (
        [file.name for file in found] == expected and found[2].suffix == '.gnt' and found[5].suffix == '.gnt'
    )
    assert [(file.size, file.path, file.member) for file in found[2:6:3]] == [
        (2, pathlib.Path('in/Packed.ZIP'), 'folder/b.Gnt'),
        (8, pathlib.Path('in/b.GNT'), ''),
    ]
    assert [file.read() for file in found[4:7]] == [b'in/Packed.d/f.gnt', b'in/b.GNT', b'other/e.gnt']
    # by itself as well
    assert [file.name for file in list_files('in/Packed.ZIP')] == [
        name.removeprefix('in/') for name in expected[:4]
    ]
    os.chdir('in')
    assert [file.name for file in list_files('.')] == expected  # by the folder's own name
    assert sorted(path.as_posix() for path in disk_files('.')) == [
        'Packed.ZIP',
        'Packed.d/f.gnt',
        'b.GNT',
        'file.gnt',
        'sub/a.txt',
        'z.gnt',
    ]
    assert list(disk_files('b.GNT')) == [pathlib.Path('b.GNT')]


def test_an_archive_that_was_written_anew_is_read_anew():
    for number, data in enumerate((b'one', b'three', b'seven')):
        archive('x.zip', {'001-f.gnt': data})
        os.utime('x.zip', ns=(number, 10**9 * number))
        (file,) = list_files('x.zip')
        assert (file.size, file.read()) == (len(data), data)


def test_members_by_their_way_of_packing():
    """Stored and deflated; the others unpack any amount at once."""
    for method, read in (
        (zipfile.ZIP_STORED, True),
        (zipfile.ZIP_DEFLATED, True),
        (zipfile.ZIP_BZIP2, False),
        (zipfile.ZIP_LZMA, False),
    ):
        with zipfile.ZipFile(f'{method}.zip', 'w', method) as file:
            file.writestr('001-f.gnt', DATA)
        (file,) = list_files(f'{method}.zip')
        if read:
            assert file.read() == DATA
            continue
        with pytest.raises(
            FormatError,
            match=(
                rf'^{method}.zip/001-f.gnt, byte 0: cannot be read from the archive \(compressed by method'
                rf' {method}, expected 0'
            ),
        ) as caught:
            file.read()
        assert caught.value.reason == 'archive'


def test_an_archive_that_is_gone_or_damaged_is_told_and_the_others_read():
    pathlib.Path('in').mkdir()
    archive('in/b.zip', {'001-f.gnt': DATA})
    pathlib.Path('in/a.zip').write_bytes(b'PK no')
    told = []
    (file,) = list_files('in', refuse=told.append)
    assert (
        file.name == 'in/b.zip/001-f.gnt'
        and len(told) == 1
        and told[0].reason == 'archive'
        and str(told[0]).startswith('in/a.zip, byte 0: no readable .zip archive (')
    )
    with pytest.raises(FormatError, match='in/a.zip, byte 0'):
        list_files('in')
    assert list_files('in/a.zip', refuse=told.append) == [] and len(told) == 2
    pathlib.Path('in/b.zip').unlink()
    told.clear()
    assert list(read_gnt(file, refuse=told.append)) == [] and told[0].reason == 'archive'
    with pytest.raises(FormatError, match='in/b.zip/001-f.gnt, byte 0: cannot be read from the archive'):
        list(read_gnt(file))


def test_what_ends_a_file_leaves_what_was_read_before_it():
    def read(stream, refuse):
        yield stream.take(2, 'pair')
        refuse_or_raise(stream.error('odd', reason='size'), refuse)
        yield stream.take(1, 'one')
        raise stream.error('no end', reason='magic')

    file, told = on_disk('x.gnt', b'abcd'), []
    assert list(file.samples(read, refuse=told.append)) == [b'ab', b'c']
    assert [(str(error), error.reason) for error in told] == [
        ('x.gnt, byte 2: odd', 'size'),
        ('x.gnt, byte 3: no end', 'magic'),
    ]
    with pytest.raises(FormatError, match='odd'):
        list(file.samples(read, refuse=None))


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
