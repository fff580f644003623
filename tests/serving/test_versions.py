"""Version folders: the next number, none twice, and what exports that run at once or were killed do to
each other.
"""

import errno
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import pytest

import hwgen
from hwgen.serving.versions import (
    NewVersion,
    find_versions,
    held_folder,
    remove_abandoned,
    tell_no_versions,
    version_folder,
)


def test_versions(tmp_path):
    base = tmp_path / 'hwgen'
    assert version_folder(str(base)) == str(base / '1')
    assert version_folder(str(base / '7')) == str(base / '7')
    for name in ('2', '10', '.11.temporary', 'models.config', '9' * 30):
        (base / name).mkdir(parents=True)
    # a number beyond int64 is none for TF-Serving
    assert version_folder(str(base)) == str(base / '11') and sorted(find_versions(str(base))) == [2, 10]
    with pytest.raises(
        FileExistsError, match='version exists and may be served; expected a new number'
    ) as caught:
        version_folder(str(base / '2'))
    assert caught.value.filename == str(base / '2')
    (tmp_path / 'file').touch()
    with pytest.raises(FileExistsError, match='is a file, expected a folder for versions'):
        version_folder(str(tmp_path / 'file'))


def test_two_at_once_to_the_next_number_have_one_each(tmp_path):
    with NewVersion(str(tmp_path / 'hwgen')) as first:
        with NewVersion(str(tmp_path / 'hwgen')) as second:
            open(os.path.join(second.folder, 'second'), 'w').close()
        open(os.path.join(first.folder, 'first'), 'w').close()
    assert (second.path, first.path) == (str(tmp_path / 'hwgen/1'), str(tmp_path / 'hwgen/2'))
    assert {path.name: os.listdir(path) for path in (tmp_path / 'hwgen').iterdir()} == {
        '1': ['second'],
        '2': ['first'],
    }
    assert os.stat(first.path).st_mode & 0o777 == 0o777 & ~_umask()


def test_of_two_at_once_to_one_version_the_second_is_told_before_its_work(tmp_path):
    with NewVersion(str(tmp_path / '7')) as first:
        with pytest.raises(
            FileExistsError, match='another export is writing this version; expected another number'
        ) as caught:
            NewVersion(str(tmp_path / '7')).__enter__()
        assert caught.value.filename == str(tmp_path / '7')
        with NewVersion(str(tmp_path / '8')):
            pass
    assert first.path == str(tmp_path / '7') and sorted(os.listdir(tmp_path)) == ['7', '8']


def test_what_came_meanwhile_stays(tmp_path):
    for theirs in (lambda path: path.mkdir(), lambda path: path.touch()):
        path = tmp_path / 'hwgen' / '1'
        with pytest.raises(FileExistsError, match='version exists and may be served|is a file'):
            with NewVersion(str(path)):
                theirs(path)
        assert os.listdir(tmp_path / 'hwgen') == ['1'] and (path.is_file() or not os.listdir(path))
        path.rmdir() if path.is_dir() else path.unlink()


def test_an_error_leaves_nothing_and_names_the_version(tmp_path):
    with pytest.raises(OSError) as caught:
        with NewVersion(str(tmp_path / 'hwgen')) as version:
            open(os.path.join(version.folder, 'none', 'file'), 'w')
    assert caught.value.filename == str(tmp_path / 'hwgen/1') and os.listdir(tmp_path / 'hwgen') == []


def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path):
    script = f"""
import os, signal, sys
from hwgen.serving.versions import NewVersion
for out in ('hwgen', 'hwgen/3'):
    version = NewVersion(os.path.join({str(tmp_path)!r}, out)).__enter__()
    os.mkdir(os.path.join(version.folder, 'variables'))
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, '-P', '-c', script],
        env={**os.environ, 'PYTHONPATH': os.path.dirname(os.path.dirname(hwgen.__file__))},
        check=False,
    )
    left = sorted(os.listdir(tmp_path / 'hwgen'))
    assert done.returncode == -signal.SIGKILL and [
        bool(re.fullmatch(r'\.(3|next)\..{8}', name)) for name in left
    ] == [True, True]
    (tmp_path / 'hwgen/.other.abcdefgh').mkdir()
    with NewVersion(str(tmp_path / 'hwgen')) as version:
        assert sorted(os.listdir(tmp_path / 'hwgen')) == sorted(
            [os.path.basename(version.folder), '.other.abcdefgh']
        )
    assert sorted(os.listdir(tmp_path / 'hwgen')) == ['.other.abcdefgh', '1']


def test_a_held_folder_is_not_abandoned(tmp_path):
    folder, held = held_folder(str(tmp_path), 'mine-')
    (tmp_path / 'mine-12345678').mkdir()
    assert remove_abandoned(str(tmp_path), 'mine-.{8}') == [os.path.basename(folder)] and os.listdir(
        tmp_path
    ) == [os.path.basename(folder)]
    assert os.stat(folder).st_mode & 0o777 == 0o700
    os.close(held)
    assert remove_abandoned(str(tmp_path), 'mine-.{8}') == [] and os.listdir(tmp_path) == []


def test_a_version_is_written_into_a_held_folder(tmp_path):
    """As `serve --model` does; the process that holds a folder would wait for itself."""
    folder, held = held_folder(str(tmp_path), 'mine-')

    def write():
        with NewVersion(os.path.join(folder, '1')) as version:
            pathlib.Path(version.folder, 'made').touch()

    # in a thread, which a test that fails does not wait for
    writing = threading.Thread(target=write, daemon=True)
    writing.start()
    writing.join(timeout=20)
    assert not writing.is_alive() and os.listdir(folder) == ['1'] and os.listdir(f'{folder}/1') == ['made']
    assert remove_abandoned(str(tmp_path), 'mine-.{8}') == [os.path.basename(folder)]
    os.close(held)


@pytest.mark.parametrize(
    'make, named, said',
    [
        ('', 'none', 'none: no such folder; expected one with versions as export writes them, none/1'),
        (
            'plain/saved_model.pb',
            'plain',
            (
                'plain: no version in it, it holds a SavedModel itself; expected that in a numbered folder,'
                ' plain/1'
            ),
        ),
        (
            'mine/1/saved_model.pb',
            'mine/1',
            'mine/1: is a version itself; expected the folder above it, --model_base_path={}/mine',
        ),
        (
            'demo/generator.json',
            'demo',
            'demo: no version in it, it holds a trained model; --model=demo serves that',
        ),
        (
            'run/model/generator.json',
            'run',
            'run: no version in it, it holds a trained model; --model=run serves that',
        ),
        (
            'scans/a.png',
            'scans',
            'scans: no version in it, it holds a.png; expected folders as export writes them, scans/1',
        ),
    ],
)
def test_what_is_said_of_a_folder_without_versions(make, named, said):
    if make:
        os.makedirs(os.path.dirname(make))
        open(make, 'w').close()
    assert tell_no_versions(named) == said.format(os.getcwd())


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_largest_number_is_a_version(tmp_path):
    for name in (str(2**63 - 1), str(2**63), '0', '007', '٣', '-1', '1.5'):
        (tmp_path / name).mkdir()
    assert find_versions(str(tmp_path)) == {
        2**63 - 1: str(tmp_path / str(2**63 - 1)),
        0: str(tmp_path / '0'),
        7: str(tmp_path / '007'),
    }
    assert find_versions(str(tmp_path / 'none')) == {} and version_folder(str(tmp_path / 'none')) == str(
        tmp_path / 'none/1'
    )
    os.symlink('nowhere', tmp_path / '5')
    with pytest.raises(FileExistsError, match='version exists'):
        version_folder(str(tmp_path / '5'))


def test_what_is_said_of_folders_of_other_things(tmp_path):
    for name in ('d', 'a', 'c'):
        (tmp_path / 'three' / name).mkdir(parents=True)
    (tmp_path / 'four/b').mkdir(parents=True)
    for name in ('d', 'a', 'c'):
        (tmp_path / 'four' / name).mkdir()
    (tmp_path / 'run/checkpoints').mkdir(parents=True)
    (tmp_path / 'text').mkdir()
    (tmp_path / 'text/saved_model.pbtxt').touch()
    (tmp_path / 'none').mkdir()
    for name, said in (
        ('three', 'it holds a, c, d; expected'),
        ('four', 'it holds a, b, c, ...; expected'),
        ('none', 'it is empty; expected'),
        ('run', 'it holds a trained model; --model=run serves'),
        ('text', 'it holds a SavedModel itself; expected'),
    ):
        assert f'{name}: no version in it, {said}' in tell_no_versions(name)
    (tmp_path / 'file').touch()
    assert tell_no_versions('file') == 'file: is a file, expected a folder for versions'


def test_a_full_disk_is_told_of_the_version(tmp_path):
    for filename in (None, 'folder', '.hidden'):
        with pytest.raises(OSError) as caught:
            with NewVersion(str(tmp_path / 'hwgen/4')) as version:
                raise OSError(
                    errno.ENOSPC,
                    'No space left on device',
                    {'folder': os.path.join(version.folder, 'x'), '.hidden': '/elsewhere/.hidden'}.get(
                        filename
                    ),
                )
        assert (
            caught.value.filename == str(tmp_path / 'hwgen/4')
            and caught.value.strerror
            == 'no space left on the disk; nothing was written, what was there is unchanged'
        )
    with pytest.raises(OSError) as caught:  # about another file: named as it is
        with NewVersion(str(tmp_path / 'hwgen/4')):
            raise OSError(errno.EACCES, 'Permission denied', '/elsewhere/file')
    assert caught.value.filename == '/elsewhere/file' and os.listdir(tmp_path / 'hwgen') == []


def test_an_export_whose_number_is_taken_meanwhile_gets_the_next(tmp_path):
    with NewVersion(str(tmp_path / 'hwgen')) as version:
        assert version.path == str(tmp_path / 'hwgen/1') and os.path.basename(version.folder).startswith(
            '.next.'
        )
        (tmp_path / 'hwgen/1').mkdir()
    assert version.path == str(tmp_path / 'hwgen/2')
    with NewVersion(str(tmp_path / 'hwgen/9')) as version:
        assert os.path.basename(version.folder).startswith('.9.') and version.path == str(
            tmp_path / 'hwgen/9'
        )
