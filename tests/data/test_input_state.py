"""What a preparation has read: which changes of which files are told, and which are none."""

import hashlib
import json
import os

import pytest

from hwgen.data.preparing.input_state import InputState

FILES = {'a.png': b'first', 'sub/b.png': b'second one', 'labels.tsv': b'a.png\tx'}


@pytest.fixture
def root(tmp_path):
    """A folder with two pictures and a table, all of one time."""
    for name, data in FILES.items():
        path = tmp_path / 'in' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(5, 1000))
    return tmp_path / 'in'


def state(root, *, files=('a.png', 'sub/b.png'), tables=('labels.tsv',)):
    return InputState(
        root, files=[root / name for name in files], tables={'labels': [root / name for name in tables]}
    )


def digest(data):
    return hashlib.sha256(data).hexdigest()


def changed(root, before, *, since=None, **settings):
    return state(root, **settings).changes(json.loads(json.dumps(before)), since=since)


def test_contents_are_those_of_each_file_by_its_name_from_the_root(root, tmp_path):
    (tmp_path / 'other.png').write_bytes(b'elsewhere')
    found = InputState(
        root,
        files=[
            root / 'sub' / 'b.png',
            root / 'a.png',
            root / 'a.png',
            tmp_path / 'other.png',
            root / 'none.png',
        ],
    )
    expected = {
        str(tmp_path / 'other.png'): digest(b'elsewhere'),
        'a.png': digest(b'first'),
        'none.png': '',
        'sub/b.png': digest(b'second one'),
    }
    assert found.contents == expected and list(found.contents) == sorted(expected)
    assert (
        found.content(root / 'sub' / 'b.png') == digest(b'second one')
        and found.content(root / 'none.png') == ''
    )
    assert (found.as_json()['files'], found.as_json()['bytes']) == (4, 5 + 10 + 9)
    (root / 'a.png').write_bytes(b'later')
    assert found.content(root / 'a.png') == digest(b'first'), 'they are read once'


def test_what_is_as_it_was(root):
    before = state(root).as_json()
    assert changed(root, before) == ([], '') and state(root).fingerprint == state(root).fingerprint
    (root / 'notes').write_bytes(b'nothing that is read')
    assert changed(root, before) == ([], '') and state(root, files=('sub/b.png', 'a.png')).as_json() == before


@pytest.mark.parametrize(
    'change',
    [
        lambda root: (root / 'a.png').write_bytes(b'longer than that'),
        lambda root: os.utime(root / 'a.png', ns=(5, 2000)),
        lambda root: (root / 'a.png').unlink(),
        lambda root: (root / 'labels.tsv').write_bytes(b'b.png\tx'),
    ],
)
def test_another_fingerprint(root, change):
    before = state(root).fingerprint
    change(root)
    assert state(root).fingerprint != before


def test_the_time_of_a_table_is_no_matter(root):
    before, mark = state(root).as_json(), state(root).fingerprint
    os.utime(root / 'labels.tsv', ns=(5, 9000))
    assert changed(root, before) == ([], '') and state(root).fingerprint == mark


def test_a_table_with_other_contents(root):
    before = state(root).as_json()
    (root / 'labels.tsv').write_bytes(b'a.png\ty')
    assert changed(root, before) == (['labels has changed'], '')
    assert changed(root, before, tables=('none.tsv',)) == (['labels has changed'], '')
    assert InputState(
        root, files=[root / 'a.png', root / 'sub' / 'b.png'], tables={'new\n': [root / 'labels.tsv']}
    ).changes(before) == (['labels has changed', 'new\\n has changed'], '')


def test_files_that_come_go_or_grow(root):
    before = state(root).as_json()
    (root / 'c.png').write_bytes(b'3')
    assert changed(root, before, files=('a.png', 'sub/b.png', 'c.png')) == (
        ['2 files of 15 bytes then, now 3 of 16'],
        '',
    )
    assert changed(root, before, files=('a.png',)) == (['2 files of 15 bytes then, now 1 of 5'], '')
    (root / 'a.png').unlink()
    assert changed(root, before) == (['2 files of 15 bytes then, now 2 of 10'], '')
    os.rename(root / 'c.png', root / 'a.png')
    (root / 'a.png').write_bytes(b'abcdef')
    (root / 'labels.tsv').write_bytes(b'')
    assert changed(root, before) == (['labels has changed', '2 files of 15 bytes then, now 2 of 16'], '')


def test_an_exchange_of_names_is_told(root):
    before = state(root).as_json()
    os.rename(root / 'a.png', root / 'c.png')
    assert changed(root, before, files=('c.png', 'sub/b.png')) == (
        ['2 files of 15 bytes then, now 2 of 15'],
        '',
    )


def test_the_same_size_with_other_contents_and_the_newer_files(root):
    """Newer is what has a later time than that of the preparation; three are named."""
    before = state(root).as_json()
    (root / 'a.png').write_bytes(b'other')
    os.utime(root / 'a.png', ns=(5, 2000))
    told = 'files of the same size have other contents'
    assert changed(root, before) == ([told], '') and changed(root, before, since=1999) == (
        [f'{told} (newer: a.png)'],
        '',
    )
    assert changed(root, before, since=2000) == ([told], '')
    for name in 'cdef':
        (root / f'{name}.png').write_bytes(b'')
        os.utime(root / f'{name}.png', ns=(5, 3000))
    names = ('a.png', 'sub/b.png', *(f'{name}.png' for name in 'cdef'))
    assert changed(root, before, files=names, since=2500)[0][0].endswith(
        'now 6 of 15 (newer: c.png, d.png, e.png ...)'
    )
    assert changed(root, before, files=names[:5], since=2500)[0][0].endswith(
        'now 5 of 15 (newer: c.png, d.png, e.png)'
    )
    assert changed(root, before, files=names[:5], since=0)[0][0].endswith('(newer: a.png, c.png, d.png ...)')


def test_files_that_were_touched_are_a_remark(root):
    before = state(root).as_json()
    os.utime(root / 'sub' / 'b.png', ns=(5, 2000))
    assert changed(root, before, since=0) == (
        [],
        'files of the input were touched or copied since, with the same contents',
    )
    (root / 'sub' / 'b.png').write_bytes(b'second two')
    os.utime(root / 'sub' / 'b.png', ns=(5, 1000))
    assert changed(root, before) == (
        [],
        '',
    ), 'as a copy with its time: only times say that contents are to be compared'


def test_what_is_no_regular_file_is_not_read(root):
    os.mkfifo(root / 'pipe.png')
    found = InputState(root, files=[root / 'pipe.png', root / 'sub', root / 'nul\0.png'])
    assert set(found.contents.values()) == {''}
