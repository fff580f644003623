"""Picture files: whole or not at all, nothing lost, errors that name the user's place."""

import errno
import io
import os
import pathlib
import stat

import numpy as np
import pytest
from PIL import Image

from hwgen import files
from hwgen.inference import picture_files

IMAGE = np.arange(12 * 40, dtype=np.uint8).reshape(12, 40)


def listing(path='.'):
    return sorted(str(p.relative_to(path)) for p in pathlib.Path(path).rglob('*'))


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, 'No space left on device')


def test_png_round_trip():
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(picture_files.encode_png(IMAGE)))), IMAGE)


def test_scale():
    assert picture_files.scale(IMAGE, None) is IMAGE and picture_files.scale(IMAGE, 12) is IMAGE
    assert picture_files.scale(IMAGE, 24).shape == (24, 80)
    half = picture_files.scale(IMAGE, 6)  # by hand: means of 2 x 2 pixels
    np.testing.assert_allclose(half, IMAGE.reshape(6, 2, 20, 2).astype(float).mean(axis=(1, 3)), atol=.51)
    assert (picture_files.scale(np.full([8, 8], 255, np.uint8), 13) == 255).all()


def test_stack():
    sheet = picture_files.stack([np.zeros([8, 10], np.uint8), np.full([8, 20], 7, np.uint8)])
    assert sheet.shape == (18, 20)  # 8 + 2 + 8
    assert (sheet[:8, 10:] == 255).all() and (sheet[8:10] == 255).all() and (sheet[10:] == 7).all()
    assert picture_files.stacked_size([(10, 8), (20, 8)]) == (20, 18) and picture_files.stacked_size([(10, 8)]) == (10, 8)


def test_write_file_replaces_whole():
    files.write_file('new/line.png', b'one')
    files.write_file('new/line.png', b'two')
    assert open('new/line.png', 'rb').read() == b'two'
    assert listing() == ['new', 'new/line.png']
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(os.stat('new/line.png').st_mode) == 0o666 & ~umask


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_write_file_on_a_full_disk(monkeypatch, call):
    files.write_file('line.png', b'one')
    monkeypatch.setattr(picture_files.os, call, full_disk)
    with pytest.raises(OSError, match='no space left on the disk; nothing was written') as caught:
        files.write_file('line.png', b'two')
    assert caught.value.filename == os.path.abspath('line.png')
    assert open('line.png', 'rb').read() == b'one' and listing() == ['line.png']


def write_folder(path, texts):
    with picture_files.LineFolder(path) as out:
        for number, text in enumerate(texts):
            out.add(IMAGE, text, style=number)


def test_folder():
    write_folder('a/lines', ['明天', '明天⿱山鱼'])
    assert listing('a/lines') == ['000001.png', '000002.png', 'labels.tsv', 'styles.tsv']
    assert open('a/lines/labels.tsv', encoding='utf-8').read() == '000001.png\t明天\n000002.png\t明天⿱山鱼\n'
    assert open('a/lines/styles.tsv').read() == '000001.png\t0\n000002.png\t1\n'
    assert listing('a')[0] == 'lines' and os.listdir('a') == ['lines']


def test_folder_replaces_whole():
    write_folder('lines', ['一', '二', '三'])
    picture_files.check_place('lines', overwrite=True, folder=True)
    write_folder('lines', ['四'])
    assert listing('lines') == ['000001.png', 'labels.tsv', 'styles.tsv'] and os.listdir('.') == ['lines']


def test_interrupted_folder_leaves_what_was_there(monkeypatch):
    write_folder('lines', ['一'])
    before = open('lines/labels.tsv', 'rb').read()
    for place in ('lines', 'other'):
        with pytest.raises(KeyboardInterrupt):
            with picture_files.LineFolder(place) as out:
                out.add(IMAGE, '二', style=0)
                raise KeyboardInterrupt
    with pytest.raises(OSError, match='no space left') as caught:
        with picture_files.LineFolder('lines') as out:
            monkeypatch.setattr(picture_files, 'encode_png', full_disk)
            out.add(IMAGE, '二', style=0)
    assert caught.value.filename == os.path.abspath('lines')
    assert open('lines/labels.tsv', 'rb').read() == before and os.listdir('.') == ['lines']


def test_failed_renaming_brings_the_old_folder_back(monkeypatch):
    write_folder('lines', ['一'])
    rename = os.rename

    def failing(source, target):
        if os.path.basename(target) == 'lines' and not source.endswith('.old'):
            full_disk()
        rename(source, target)
    monkeypatch.setattr(picture_files.os, 'rename', failing)
    with pytest.raises(OSError, match='no space left'):
        write_folder('lines', ['二'])
    assert os.listdir('.') == ['lines'] and '一' in open('lines/labels.tsv', encoding='utf-8').read()


def test_check_place(tmp_path):
    check = picture_files.check_place
    check('new.png', overwrite=False, folder=False)
    check('deep/er/new', overwrite=False, folder=True)
    files.write_file('old.png', b'')
    with pytest.raises(FileExistsError, match='exists; give --overwrite'):
        check('old.png', overwrite=False, folder=False)
    check('old.png', overwrite=True, folder=False)
    with pytest.raises(FileExistsError, match='is a file, expected the name of a folder'):
        check('old.png', overwrite=True, folder=True)
    with pytest.raises(NotADirectoryError) as caught:
        check('old.png/x.png', overwrite=True, folder=False)
    assert caught.value.filename == str(tmp_path / 'old.png')
    with pytest.raises(ValueError, match='no .gif file is written'):
        check('line.gif', overwrite=False, folder=False)
    write_folder('lines', ['一'])
    with pytest.raises(FileExistsError, match='exists; give --overwrite'):
        check('lines', overwrite=False, folder=True)
    check('lines', overwrite=True, folder=True)
    with pytest.raises(FileExistsError, match='is a folder'):
        check('lines', overwrite=True, folder=False)
    open('lines/thesis.txt', 'w').close()
    with pytest.raises(FileExistsError, match='folder holds other files .thesis.txt.'):
        check('lines', overwrite=True, folder=True)


def test_what_appeared_meanwhile_stays(monkeypatch):
    files.write_file('line.png', b'theirs')
    with pytest.raises(FileExistsError, match='appeared there meanwhile') as caught:
        files.write_file('line.png', b'ours', replace=False)
    assert caught.value.filename == os.path.abspath('line.png')
    write_folder('lines', ['一'])
    for place in ('lines', 'line.png'):
        with pytest.raises(FileExistsError, match='appeared there meanwhile'):
            with picture_files.LineFolder(place, replace=False) as out:
                out.add(IMAGE, '二', style=0)
    monkeypatch.setattr(picture_files.os, 'link', lambda *names: full_disk())  # a file system without links
    files.write_file('new.png', b'ours', replace=False)
    with pytest.raises(FileExistsError, match='appeared there meanwhile'):
        files.write_file('line.png', b'ours', replace=False)
    assert [open(name, 'rb').read() for name in ('line.png', 'new.png')] == [b'theirs', b'ours']
    assert '一' in open('lines/labels.tsv', encoding='utf-8').read() and sorted(os.listdir('.')) == ['line.png', 'lines', 'new.png']


def test_a_folder_of_nothing_is_an_error():
    write_folder('lines', ['一'])
    for place in ('lines', 'other'):
        with pytest.raises(ValueError, match='nothing was written, expected at least one picture'):
            write_folder(place, [])
    assert '一' in open('lines/labels.tsv', encoding='utf-8').read() and os.listdir('.') == ['lines']


@pytest.mark.parametrize('place, folder', [('line.png', False), ('new/er/lines', True)])
def test_a_place_is_one_commands_at_a_time(place, folder):
    with picture_files.reserved(place, overwrite=False, folder=folder):
        for overwrite in (False, True):
            with pytest.raises(FileExistsError, match='another command is writing it') as caught:
                with picture_files.reserved(place, overwrite=overwrite, folder=folder):
                    raise AssertionError('two at once')
        assert caught.value.filename == os.path.abspath(place)
    assert os.listdir('.') == []
    open('.other.png.lock', 'wb').close()  # of a command that was killed
    with picture_files.reserved('other.png', overwrite=False, folder=False):
        files.write_file('other.png', b'', replace=False)
    assert os.listdir('.') == ['other.png']


def test_what_was_finished_while_one_waited_is_seen(monkeypatch):
    lock = picture_files._lock

    def slow(*names):
        files.write_file('line.png', b'theirs')
        return lock(*names)
    monkeypatch.setattr(picture_files, '_lock', slow)
    with pytest.raises(FileExistsError, match='exists; give --overwrite'):
        with picture_files.reserved('line.png', overwrite=False, folder=False):
            raise AssertionError('written over')
    assert os.listdir('.') == ['line.png']


def test_unwritable_folder(monkeypatch):
    os.mkdir('locked')
    monkeypatch.setattr(picture_files.os, 'access', lambda path, mode: not path.endswith('locked'))  # root may write anywhere
    for place, folder in (('locked/line.png', False), ('locked/new/lines', True)):
        with pytest.raises(PermissionError, match='folder is not writable') as caught:
            picture_files.check_place(place, overwrite=True, folder=folder)
        assert caught.value.filename == os.path.abspath('locked')

    def refused(**kwargs):
        raise PermissionError(errno.EACCES, 'Permission denied', os.path.join(kwargs['dir'], kwargs['prefix'] + 'abcd'))
    for name in ('mkstemp', 'mkdtemp'):
        monkeypatch.setattr(files.tempfile, name, refused)
    for write in (lambda: files.write_file('locked/line.png', b''), lambda: write_folder('locked/lines', ['一'])):
        with pytest.raises(PermissionError, match='Permission denied') as caught:
            write()
        assert caught.value.filename in (os.path.abspath('locked/line.png'), os.path.abspath('locked/lines'))
    assert os.listdir('locked') == []
