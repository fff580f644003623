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
    np.testing.assert_allclose(half, IMAGE.reshape(6, 2, 20, 2).astype(float).mean(axis=(1, 3)), atol=0.51)
    assert (picture_files.scale(np.full([8, 8], 255, np.uint8), 13) == 255).all()


def test_stack():
    sheet = picture_files.stack([np.zeros([8, 10], np.uint8), np.full([8, 20], 7, np.uint8)])
    assert sheet.shape == (18, 20)  # 8 + 2 + 8
    assert (sheet[:8, 10:] == 255).all() and (sheet[8:10] == 255).all() and (sheet[10:] == 7).all()
    assert picture_files.stacked_size([(10, 8), (20, 8)]) == (20, 18) and picture_files.stacked_size(
        [(10, 8)]
    ) == (10, 8)


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
    assert '一' in open('lines/labels.tsv', encoding='utf-8').read() and sorted(os.listdir('.')) == [
        'line.png',
        'lines',
        'new.png',
    ]


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
    # root may write anywhere
    monkeypatch.setattr(picture_files.os, 'access', lambda path, mode: not path.endswith('locked'))
    for place, folder in (('locked/line.png', False), ('locked/new/lines', True)):
        with pytest.raises(PermissionError, match='folder is not writable') as caught:
            picture_files.check_place(place, overwrite=True, folder=folder)
        assert caught.value.filename == os.path.abspath('locked')

    def refused(**kwargs):
        raise PermissionError(
            errno.EACCES, 'Permission denied', os.path.join(kwargs['dir'], kwargs['prefix'] + 'abcd')
        )

    for name in ('mkstemp', 'mkdtemp'):
        monkeypatch.setattr(files.tempfile, name, refused)
    for write in (
        lambda: files.write_file('locked/line.png', b''),
        lambda: write_folder('locked/lines', ['一']),
    ):
        with pytest.raises(PermissionError, match='Permission denied') as caught:
            write()
        assert caught.value.filename in (os.path.abspath('locked/line.png'), os.path.abspath('locked/lines'))
    assert os.listdir('locked') == []


def test_scaling_by_hand():
    """A third of the width and height: means over 3 x 3; larger: cubic, which goes beyond the levels
    beside a step, as linear does not.
    """
    image = np.random.default_rng(0).integers(0, 256, (6, 9)).astype(np.uint8)
    np.testing.assert_allclose(
        picture_files.scale(image, 2), image.reshape(2, 3, 3, 3).mean(axis=(1, 3)), atol=0.51
    )
    step = np.repeat(np.uint8([[100, 100, 150, 150]]), 4, axis=0)
    assert picture_files.scale(step, 8).min() < 100 and picture_files.scale(step, 8).max() > 150
    assert [
        picture_files.scale(np.zeros(shape, np.uint8), height).shape
        for shape, height in (((10, 3), 5), ((10, 30), 7), ((10, 33), 5), ((30, 10), 1))
    ] == [(5, 2), (7, 21), (5, 16), (1, 1)]


def test_sizes_of_stacks():
    """Lines of 10 with a quarter between them, rounded to 2: three are 34 high; the first tells the
    height.
    """
    images = [np.full([10, width], width, np.uint8) for width in (4, 9, 6)]
    sheet = picture_files.stack(images)
    assert sheet.shape == (34, 9) == picture_files.stacked_size([(4, 10), (9, 10), (6, 10)])[::-1]
    for number, image in enumerate(images):
        top = 12 * number
        assert (
            (sheet[top : top + 10, : image.shape[1]] == image[0, 0]).all()
            and (sheet[top : top + 10, image.shape[1] :] == 255).all()
            and (sheet[top + 10 : top + 12] == 255).all()
        )
    assert picture_files.stack(images, gap=0.1).shape == (32, 9) and picture_files.stacked_size(
        [(4, 10)] * 2, gap=0.56
    ) == (4, 26)


def test_places_and_their_names(tmp_path):
    check = picture_files.check_place
    os.mkdir('empty')
    check('empty', overwrite=False, folder=True)
    check('missing/deeper/line.png', overwrite=False, folder=False)
    os.symlink('nowhere', 'link.png')  # something is there, though nothing can be read
    with pytest.raises(FileExistsError, match='exists; give --overwrite'):
        check('link.png', overwrite=False, folder=False)
    with pytest.raises(
        ValueError, match='name: expected a name that ends in .png, .* .or a folder, with --text_file'
    ):
        check('name', overwrite=False, folder=False)
    os.mkdir('shards')
    for name in ('train-00000-of-00001.tfrecord', 'train.index.npz', 'info.json', '1234567.png'):
        open(f'shards/{name}', 'w').close()
    check('shards', overwrite=True, folder=True)
    for name in (
        '12345.png',
        'a000001.png',
        '000001.png.txt',
        'train-0000-of-00001.tfrecord',
        'labels.tsv.old',
    ):
        open(f'shards/{name}', 'w').close()
        with pytest.raises(FileExistsError, match=f'folder holds other files .{name}.'):
            check('shards', overwrite=True, folder=True)
        os.unlink(f'shards/{name}')


def test_folders_that_were_made_for_nothing_go_again():
    """Those that the command made itself, and no others."""
    os.mkdir('mine')
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            with picture_files.reserved('mine/new/er/line.png', overwrite=False, folder=False):
                assert listing() == ['mine', 'mine/new', 'mine/new/er', 'mine/new/er/.line.png.lock']
                raise KeyboardInterrupt
        assert listing() == ['mine']
    with picture_files.reserved('mine/new/er/line.png', overwrite=False, folder=False):
        files.write_file('mine/new/er/line.png', b'', replace=False)
    assert listing() == ['mine', 'mine/new', 'mine/new/er', 'mine/new/er/line.png']


def test_new_folders_are_open_to_whom_the_umask_lets_in():
    write_folder('lines', ['一'])
    before = os.umask(0o002)
    try:
        write_folder('open', ['一'])
        files.write_file('open.png', b'')
    finally:
        os.umask(before)
    assert [stat.S_IMODE(os.stat(name).st_mode) for name in ('lines', 'open', 'open.png')] == [
        0o777 & ~before,
        0o775,
        0o664,
    ]


def test_what_is_added_without_replacing_goes_into_an_empty_folder():
    os.mkdir('lines')
    with picture_files.LineFolder('lines', replace=False) as out:
        out.add(IMAGE, '一', style='3..8 0.500')
        assert out.count == 1
    assert open('lines/styles.tsv', encoding='utf-8').read() == '000001.png\t3..8 0.500\n' and os.listdir(
        '.'
    ) == ['lines']
    np.testing.assert_array_equal(np.asarray(Image.open('lines/000001.png')), IMAGE)
