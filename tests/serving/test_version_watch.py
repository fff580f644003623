"""Versions that come, go and break below a folder that is served; a version is what its folder's name
says.
"""

import os
import shutil
import threading
import types

import pytest

from hwgen.serving import version_watch
from hwgen.serving.saved_version import SavedVersionError
from hwgen.serving.version_watch import VersionWatch, WantedVersionError


def load(path):
    with open(os.path.join(path, 'saved_model.pb'), encoding='utf-8') as file:
        content = file.read()
    if content != 'whole':
        raise SavedVersionError(f'{path}: {content}')
    return f'model {os.path.basename(path)}'


def put(number, content='whole'):
    os.makedirs(f'base/{number}', exist_ok=True)
    with open(f'base/{number}/saved_model.pb', 'w', encoding='utf-8') as file:
        file.write(content)


@pytest.fixture
def said():
    return []


def watch(said, **options):
    return VersionWatch('base', load=load, report=said.append, **options)


def test_the_newest_is_served_once_its_files_stay_the_same(said):
    put(1)
    watched = watch(said)
    assert watched.versions == {1: 'model 1'} and not watched.poll()
    put(2, 'who')
    assert not watched.poll()  # seen
    put(2)
    assert not watched.poll() and watched.versions == {1: 'model 1'}  # it is another one than a moment ago
    assert (
        watched.poll()
        and watched.versions == {2: 'model 2'}
        and said == ['version 2 is served now, in place of 1']
    )
    assert not watched.poll()


def test_a_broken_one_is_passed_over_and_tried_again_when_it_changes(said):
    put(1)
    put(3, 'cut')
    watched = watch(said)
    assert watched.versions == {1: 'model 1'} and said == ['passed over, version 1 is served: base/3: cut']
    put(2)
    assert [watched.poll() for _ in range(3)] == [False, True, False] and watched.versions == {2: 'model 2'}
    put(4, 'cut')
    # once
    assert not any(watched.poll() for _ in range(4)) and said[2:] == [
        'passed over, version 2 goes on being served: base/4: cut'
    ]
    put(4)
    assert [watched.poll() for _ in range(2)] == [False, True] and watched.versions == {4: 'model 4'}


def test_a_version_that_is_removed_gives_way_to_the_next_older_one_but_the_last_stays(said):
    for number in (1, 2):
        put(number)
    watched = watch(said)
    shutil.rmtree('base/2')
    assert [watched.poll() for _ in range(2)] == [False, True] and watched.versions == {1: 'model 1'}
    shutil.rmtree('base')
    assert not watched.poll() and watched.versions == {1: 'model 1'}


def test_versions_with_labels_stay_and_wanted_ones_are_the_only_ones(said):
    for number in (1, 2, 3):
        put(number)
    watched = watch(said, labelled=[1])
    assert watched.versions == {1: 'model 1', 3: 'model 3'}
    put(4)
    assert [watched.poll() for _ in range(2)] == [False, True] and watched.versions == {
        1: 'model 1',
        4: 'model 4',
    }
    fixed = watch(said, wanted=[2])
    put(5)
    assert not fixed.poll() and not fixed.poll() and fixed.versions == {2: 'model 2'}


def test_complaints(said):
    with pytest.raises(WantedVersionError, match='^base: no such folder; expected one with versions'):
        watch(said)
    put(1, 'cut')
    put(2, 'cut too')
    with pytest.raises(SavedVersionError, match='^base/2: cut too$'):
        watch(said)
    with pytest.raises(WantedVersionError, match='^version 3: expected one of those in base: 1, 2$'):
        watch(said, wanted=[3])
    put(2)
    with pytest.raises(SavedVersionError, match='^base/1: cut$'):
        watch(said, wanted=[1])
    assert said == []


def test_a_file_that_changes_in_a_folder_below_is_seen(said):
    """By its name, its size or its time."""
    put(1)
    os.makedirs('base/2/variables')
    put(2)
    watched, file = watch(said, wanted=None), 'base/3/variables/data'
    assert watched.versions == {2: 'model 2'}
    os.makedirs('base/3/variables')
    put(3)
    for change in (
        lambda: open(file, 'w').close(),
        lambda: open(file, 'a').write('x'),
        lambda: os.utime(file, ns=(5, 5)),
        lambda: os.rename(file, f'{file}2'),
    ):
        assert not watched.poll()
        change()
    assert not watched.poll() and watched.versions == {2: 'model 2'}
    assert watched.poll() and watched.versions == {3: 'model 3'}


def test_it_looks_again_and_again_and_tells_of_changes_alone(said, monkeypatch, caplog):
    """Once a pause, on a thread of its own; a fault is logged, and it goes on."""
    put(1)
    watched, told, pauses = watch(said), [], iter([False] * 4 + [True])
    looks = iter([False, True, OSError('gone'), True])
    waited, done = [], threading.Event()

    def poll():
        found = next(looks)
        if isinstance(found, Exception):
            raise found
        return found

    class Pause:
        def wait(self, seconds):
            waited.append(seconds)
            over = next(pauses)
            if over:
                done.set()
            return over

    monkeypatch.setattr(watched, 'poll', poll)
    monkeypatch.setattr(
        version_watch, 'threading', types.SimpleNamespace(Event=Pause, Thread=threading.Thread)
    )
    watched.watch(2.5, told.append)
    assert (
        done.wait(60)
        and waited == [2.5] * 5
        and told == [{1: 'model 1'}] * 2
        and "'base': looking for versions" in caplog.text
    )


def test_a_version_that_is_wanted_is_not_loaded_twice():
    loaded = []
    put(1)
    put(2)
    watched = VersionWatch(
        'base', labelled=[2], load=lambda path: loaded.append(path) or f'model {path}', report=print
    )
    assert loaded == ['base/2'] and watched.versions == {2: 'model base/2'}
    assert sorted(
        VersionWatch('base', wanted=[2], labelled=[1, 2], load=lambda path: path, report=print).versions
    ) == [1, 2]
