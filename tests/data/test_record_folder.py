"""Folders of records while they are written: what stays, what is refused, what moves where.

Without a line of writing in them.
"""

import json
import os
import sys
import types

import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import record_folder
from hwgen.data.preparing.identity import charset_info, charset_of, normalization, typed_command
from hwgen.data.preparing.journal import Journal
from hwgen.data.preparing.record_folder import already_there, summary
from hwgen.data.preparing.shard_writer import Storage
from hwgen.data.preparing.work_folder import WorkFolder, exclusive, finished_pieces
from hwgen.data.reading import shards

IDENTITY = {'source': 'test', 'version': 1, 'seed': 3, 'settings': {'a': 1, 'b': None}}


class Ended(BaseException):
    """Stands for the end of the process."""


def entry(split='train', sizes=(5,), writers=None, **values):
    return {
        'split': split,
        'shards': 1,
        'done': 1,
        'within': 0,
        'found': {},
        'sizes': list(sizes),
        'lengths': [1] * len(sizes),
        'writers': writers or {},
    } | values


def storage(intact):
    """A way of storing that says how many lines of a split are intact: function of (split, sizes)."""
    return Storage(None, lambda folder, *, split, num_shards, sizes: intact(split, sizes))


WHOLE = storage(lambda split, sizes: len(sizes))


def leave(out, entries, said=None, **settings):
    """What an interrupted process leaves."""
    with (
        pytest.raises(Ended),
        exclusive(out, storage=WHOLE, report=(said if said is not None else []).append) as work,
    ):
        work.begin(IDENTITY, **settings)
        for values in entries:
            work.append(values)
        raise Ended


# ---- what stays


def test_what_is_finished_stays_unless_the_input_is_to_blame(tmp_path):
    out, said = tmp_path / 'deep' / 'out', []
    leave(out, [entry()], said)
    assert said == [
        f'{out}: interrupted; {out}.partial has what is finished, the same command goes on from there'
    ]
    assert (tmp_path / 'deep' / 'out.partial' / 'journal').exists()
    for error, stays in ((KeyboardInterrupt, True), (OSError, True), (ValueError, False)):
        said.clear()
        with pytest.raises(error), exclusive(out, storage=WHOLE, report=said.append) as work:
            work.begin(IDENTITY, report=said.append)
            assert len(work.entries('train')) == 1 and work.has_results and work.splits == {'train'}
            raise error
        assert (tmp_path / 'deep' / 'out.partial').exists() is stays and len(said) == stays
    leave(out, [], said)
    assert not (tmp_path / 'deep' / 'out.partial').exists(), 'nothing was finished'


def test_what_an_unfinished_process_left_beside_is_removed_only_by_who_begins(tmp_path):
    partial = tmp_path / 'out.partial'
    (partial / 'sub').mkdir(parents=True)
    (partial / 'sub' / 'x.png').write_bytes(b'x')
    (partial / 'y').write_bytes(b'x')
    os.symlink(partial / 'sub', partial / 'link')
    with pytest.raises(Ended), exclusive(tmp_path / 'out'):
        raise Ended
    assert (partial / 'sub' / 'x.png').exists(), 'whoever did not begin removes nothing'
    with exclusive(tmp_path / 'out', storage=WHOLE) as work:
        work.begin(IDENTITY)
        assert [path.name for path in partial.iterdir()] == ['journal'] and not work.has_results
    assert not partial.exists()


def test_other_work_is_refused_with_what_differs(tmp_path):
    out = tmp_path / 'out'
    leave(out, [entry()], fingerprint='x')
    for change, fingerprint, words in (
        ({'seed': 4}, 'x', 'seed 3, now 4'),
        ({'settings': {'a': 1, 'c': 2}}, 'x', 'c None, now 2'),
        ({'settings': {'c': 2}}, 'x', 'c None, now 2; a 1, now None'),
        ({}, 'y', 'input changed'),
        (
            {'settings': {'a': 2, 'b': 5}, 'version': 2},
            'y',
            'version 1, now 2; a 1, now 2; b None, now 5; input changed',
        ),
        ({'source': 'other', 'settings': {'z': 1}}, 'x', "source 'test', now 'other'"),
    ):
        with pytest.raises(FileExistsError) as raised, exclusive(out, storage=WHOLE) as work:
            work.begin({**IDENTITY, **change}, fingerprint=fingerprint)
        assert (
            str(raised.value)
            == f'{out}.partial has what an interrupted command finished, but that was another one ({words}):'
            f' give that again, or remove what it left: rm -r {out}.partial'
        )
    older = Charset.load().prefix(500)
    with (
        pytest.raises(FileExistsError, match=r'another one \(charset changed\)'),
        exclusive(out, storage=WHOLE) as work,
    ):
        work.begin(IDENTITY, fingerprint='x', charset=older)
    assert finished_pieces(out, 'train', IDENTITY) == (
        tmp_path / 'out.partial',
        [],
    ), 'the input is part of it'


def test_other_work_that_had_finished_nothing_is_no_matter(tmp_path):
    partial = tmp_path / 'out.partial'
    partial.mkdir()
    journal = Journal(partial / 'journal')
    journal.start({'identity': {'source': 'other', 'settings': {}}, 'charset': {}, 'input': ''})
    journal.close()
    (partial / 'train-00000-of-00009.tfrecord').write_bytes(b'half')
    leave(tmp_path / 'out', [entry()])
    assert [path.name for path in partial.iterdir()] == ['journal'] and finished_pieces(
        tmp_path / 'out', 'train', IDENTITY
    )[1] == [entry()]


def test_what_another_process_has_finished(tmp_path):
    out = tmp_path / 'out'
    leave(out, [entry(), entry('test'), entry(sizes=(1, 2))])
    assert (
        finished_pieces(out, 'train', IDENTITY)[1] == [entry(), entry(sizes=(1, 2))]
        and finished_pieces(out, 'test', {**IDENTITY, 'seed': 0})[1] == []
    )
    assert finished_pieces(tmp_path / 'none', 'train', IDENTITY) == (tmp_path / 'none.partial', [])


@pytest.mark.parametrize(
    'intact, kept',
    [
        (lambda split, sizes: len(sizes), 4),
        (lambda split, sizes: 3 if split == 'train' else 1, 3),
        (lambda split, sizes: 2 if split == 'train' else 1, 3),
        (lambda split, sizes: 1 if split == 'train' else 0, 0),
        (lambda split, sizes: len(sizes) if split == 'train' else 0, 1),
        (lambda split, sizes: 3 if split == 'train' else 0, 1),
        (lambda split, sizes: 0, 0),
    ],
)
def test_pieces_are_kept_up_to_the_first_that_is_damaged(tmp_path, intact, kept):
    """Lines of train: 2, 0 and 2; one of test between them."""
    out, said = tmp_path / 'out', []
    entries = [entry(sizes=(5, 6)), entry('test', sizes=(7,)), entry(sizes=()), entry(sizes=(8, 9))]
    leave(out, entries)
    with pytest.raises(Ended), exclusive(out, storage=storage(intact), report=lambda line: None) as work:
        work.begin(IDENTITY, report=said.append)
        assert work.entries('train') + work.entries('test') == [
            e for split in ('train', 'test') for e in entries[:kept] if e['split'] == split
        ]
        raise Ended
    assert said == (
        [] if kept == 4 else [f'{out}.partial: damaged files, {4 - kept} of 4 pieces are written again']
    )


def test_the_first_records_of_all_writers(tmp_path):
    entries = [
        entry(sizes=(1, 1, 1), writers={'a': 0, 'b': 2}),
        entry('test', sizes=(1, 1), writers={'c': 1, 'a': 0}),
        entry(sizes=(1,), writers={'b': 0}),
        entry(sizes=(1, 1), writers={'d': 1}),
        entry('test', sizes=(1,), writers={'e': 0}),
    ]
    with exclusive(tmp_path / 'out', storage=WHOLE) as work:
        work.begin(IDENTITY)
        for values in entries:
            work.append(values)
        assert list(work.first_records()) == [
            ('train', 0),
            ('train', 2),
            ('test', 1),
            ('train', 5),
            ('test', 2),
        ]
        (work.path / 'info.json').write_text('{}')
        work.forget({'train'})
        assert (
            work.splits == {'test'}
            and not (work.path / 'info.json').exists()
            and len(work.entries('test')) == 2
        )
        work.append(entry('unseen', sizes=()))
        assert work.splits == {'test'}, 'a split without a line is none'


def test_who_has_not_begun_has_nothing(tmp_path):
    work = WorkFolder(tmp_path)
    work.discard()
    work.close()
    assert not work.has_results


# ---- what is there


def info(**values):
    return {
        **IDENTITY,
        'splits': {'train': {'records': 4, 'shards': 1}, 'test': {'records': 2, 'shards': 1}},
        'charset': charset_info(),
        **values,
    }


class State:
    """Stands for an InputState: says what it is told to."""

    def __init__(self, changed=(), remark='', error=None):
        self._answer, self._error = (list(changed), remark), error

    def changes(self, before, *, since):
        if self._error:
            raise self._error
        assert before == {'files': 9} and since > 10**18
        return self._answer


def there(out, state=None, **values):
    out.mkdir(exist_ok=True)
    shards.write_info(out, info(**values))
    said = []
    found = already_there(out, IDENTITY, state=state and (lambda: state), report=said.append)
    assert found == shards.read_info(out)
    return said


def test_a_folder_that_is_there(tmp_path, monkeypatch):
    """Its shards apart: tests/data/test_prepare_folder.py."""
    monkeypatch.setattr(
        record_folder.shards_lib,
        'RecordIndex',
        lambda folder, split: types.SimpleNamespace(close=lambda: None),
    )
    out = tmp_path / 'out'
    assert already_there(out, IDENTITY) is None
    plain = f'{out}: already there, train 4, test 2 lines'
    assert there(out) == [plain] and there(out, State(), input={'files': 9}) == [plain]
    assert there(out, State(remark='touched'), input={'files': 9}) == [f'{plain}; touched']
    assert there(out, State(error=FileNotFoundError('gone')), input={'files': 9}) == [
        f'{plain}; not compared with its input (gone)'
    ]
    assert there(out, State()) == [
        f'{plain}; an earlier version wrote it and kept no account of its input: whether that has changed'
        ' since is not known'
    ]
    with pytest.raises(FileExistsError) as raised:
        there(out, State(['a has changed', 'b']), input={'files': 9})
    assert (
        str(raised.value)
        == f'{out} exists and was written from other input (a has changed; b); choose another folder, or'
        f' remove it to have it written anew: rm -r {out}'
    )
    with pytest.raises(
        FileExistsError,
        match=r'settings \(seed 3, now 4; a 1, now 2; b None, now 7\); choose another folder or remove it',
    ):
        already_there(out, {**IDENTITY, 'seed': 4, 'settings': {'a': 2, 'b': 7}})
    with pytest.raises(ValueError, match='00000'):
        there(out, charset={**charset_info(), 'hash': '0' * 64})


def test_what_is_said_of_a_folder():
    assert summary(info()) == 'train 4, test 2 lines'
    assert normalization(deslant=False, normalize_size=None) == {} and normalization(
        deslant=True, normalize_size=None
    ) == {'deslant': True}
    assert normalization(deslant=False, normalize_size=0.5) == {'normalize_size': 0.5}
    assert list(normalization(deslant=True, normalize_size=0.4)) == ['deslant', 'normalize_size']
    charset = Charset.load()
    assert (
        charset_info() == {'row_count': charset.row_count, 'hash': charset.hash}
        and charset_of(info()).hash == charset.hash
    )
    older = charset.prefix(600)
    assert charset_info(older) == {'row_count': 600, 'hash': older.hash}
    found = charset_of({'charset': charset_info(older)})
    assert (found.row_count, found.hash) == (600, older.hash)


@pytest.mark.parametrize(
    'arguments, expected',
    [
        (['/x/bin/prepare', '--out=a b', '--seed=1'], "prepare '--out=a b' --seed=1"),
        (['/y/hwgen/cli/__main__.py', 'train'], 'hwgen train'),
        ([], ''),
        (['prepare', os.fsdecode(b'--out=\xff')], "prepare '--out=\\xff'"),
    ],
)
def test_the_command_as_it_was_typed(monkeypatch, arguments, expected):
    monkeypatch.setattr(sys, 'argv', arguments)
    assert typed_command() in (expected, expected or "''")


def test_splits_are_published_and_others_stay(tmp_path):
    """What is done of a split that is not asked for goes on lying where it was; the folder has what was
    there before, and comes with info.json last.
    """
    out, said = tmp_path / 'out', []
    with exclusive(out, storage=WHOLE) as work:
        work.begin(IDENTITY)
        for split in ('test', 'validation'):
            work.append(entry(split))
            (work.path / f'{split}-00000-of-00001.tfrecord').write_bytes(split.encode())
            (work.path / f'{split}.index.npz').write_bytes(b'index')
        (work.path / 'ready').mkdir()
        (work.path / 'ready' / 'left').write_bytes(b'of a process that ended here')
        counts = {'records': 1, 'shards': 1}
        found = record_folder.publish(
            work,
            out,
            info(splits={'test': counts}, planned={'train': counts, 'validation': counts}),
            report=said.append,
        )
    assert said == [
        f'{out}: complete, test 1 lines; train, validation are written when a command needs them'
    ] and set(found['splits']) == {'test'}
    assert 'not_shown' not in found
    assert sorted(path.name for path in out.iterdir()) == [
        'info.json',
        'test-00000-of-00001.tfrecord',
        'test.index.npz',
    ]
    partial = tmp_path / 'out.partial'
    assert sorted(path.name for path in partial.iterdir()) == [
        'journal',
        'validation-00000-of-00001.tfrecord',
        'validation.index.npz',
    ]
    before = json.loads((out / 'info.json').read_text())
    shards.write_info(out, {**before, 'not_shown': [7]})
    with exclusive(out, storage=WHOLE) as work:
        work.begin(IDENTITY)
        assert work.splits == {'validation'}
        found = record_folder.publish(
            work, out, info(splits={'test': counts, 'validation': counts}), report=said.append
        )
    assert (
        found['not_shown'] == [7] and set(found['splits']) == {'test', 'validation'} and not partial.exists()
    )
    assert said[1] == f'{out}: complete, test 1, validation 1 lines'
    assert (out / 'validation-00000-of-00001.tfrecord').read_bytes() == b'validation' and (
        out / 'validation.index.npz'
    ).exists()


def test_all_at_once_is_published_by_its_name(tmp_path, make_record, write_folder):
    """Characters of the vocabulary that no training line shows are named, in their order."""
    line = make_record(3, 4)
    shown = sorted({*line.character_ids.tolist()})
    out = tmp_path / 'out'
    with exclusive(out) as work:
        work.begin(IDENTITY)
        write_folder(work.path, [line], num_shards=1)
        found = record_folder.publish(
            work,
            out,
            info(splits=shards.read_info(work.path)['splits'], vocabulary=[1200, *shown, 9], held_out=[]),
            report=lambda line: None,
        )
    assert found['not_shown'] == sorted({1200, 9} - {*shown})
    assert sorted(path.name for path in out.iterdir()) == [
        'info.json',
        'train-00000-of-00001.tfrecord',
        'train.index.npz',
    ]
