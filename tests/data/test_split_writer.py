"""A split piece by piece: what is counted, kept, told; by a clock that the test sets."""

import json
import types

import pytest

from hwgen.data.preparing import split_writer, work_folder
from hwgen.data.preparing.journal import Journal, read_journal
from hwgen.data.preparing.split_writer import Piece, resumed, write_split
from hwgen.data.reading import shards


class Stopped(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def clock(monkeypatch):
    """A list with the time in seconds."""
    now = [100.0]
    monkeypatch.setattr(split_writer, 'time', types.SimpleNamespace(monotonic=lambda: now[0]))
    return now


def write(out, pieces, said, *, splits=('train',), identity=None, **settings):
    """Writes `train` of a folder from pieces: function of (done, within); what is finished stays as it
    would by the end of the process.
    """
    with work_folder.exclusive(out, report=said.append) as work:
        work.begin(identity or {'source': 'test', 'settings': {}}, report=said.append)
        resumed(work, dict.fromkeys(splits, settings['steps']), unit='file', name='out', report=said.append)
        counts = write_split(
            work, pieces, split='train', num_shards=2, unit='file', name='out', report=said.append, **settings
        )
        files = {path.name: path.read_bytes() for path in work.path.iterdir()}
    return counts, files


def test_counts_and_journal_of_three_pieces(tmp_path, make_record, clock):
    """Writers are counted once, each piece names the first record of each, and what was found is told in
    order.
    """
    lines = [
        make_record(i, n, writer=writer)
        for i, (n, writer) in enumerate(((2, 'a'), (1, 'b'), (3, 'b'), (1, 'a'), (4, 'c')))
    ]
    pieces, said, told = (
        [Piece(lines[:3], 1, found={'x': 1}), Piece([], 2), Piece(lines[3:], 3, found={'x': 2})],
        [],
        [],
    )
    counts, files = write(
        tmp_path / 'out', lambda done, within: (piece for piece in pieces), said, steps=3, tell=told.append
    )
    assert counts == {'records': 5, 'shards': 2, 'writers': 3, 'characters': 11} and told == [
        {'x': 1},
        {},
        {'x': 2},
    ]
    entries = [json.loads(row.partition(b' ')[2]) for row in files['journal'].splitlines()[1:]]
    assert [
        (
            entry['done'],
            entry['within'],
            entry['lengths'],
            entry['writers'],
            entry['found'],
            entry['split'],
            entry['shards'],
        )
        for entry in entries
    ] == [
        (1, 0, [2, 1, 3], {'a': 0, 'b': 1}, {'x': 1}, 'train', 2),
        (2, 0, [], {}, {}, 'train', 2),
        (3, 0, [1, 4], {'a': 0, 'c': 1}, {'x': 2}, 'train', 2),
    ]
    assert [len(entry['sizes']) for entry in entries] == [3, 0, 2] and 'train.index.npz' in files
    assert said == ['out: train 5 lines of 3 writers, 11 characters, 5000000000 lines/s']


def test_it_goes_on_behind_the_last_piece(tmp_path, make_record, clock):
    lines, asked, said, told = [make_record(i, 1, writer=f'w{i}') for i in range(5)], [], [], []

    def until(done, within):
        asked.append((done, within))
        yield Piece(lines[:2], 1, found={'n': 1})
        yield Piece(lines[2:3], 1, within=7, found={'n': 2})
        raise Stopped

    def rest(done, within):
        asked.append((done, within))
        clock[0] += 4
        yield Piece(lines[3:], 3, found={'n': 3})

    with pytest.raises(Stopped):
        write(tmp_path / 'out', until, said, steps=3, tell=told.append)
    assert (
        said.pop().startswith(f'{tmp_path}/out: interrupted; {tmp_path}/out.partial has what is finished')
        and not said
    )
    counts, files = write(tmp_path / 'out', rest, said, steps=3, splits=('train', 'test'), tell=told.append)
    assert asked == [(0, 0), (1, 7)] and told == [{'n': n} for n in (1, 2, 1, 2, 3)]
    assert counts == {'records': 5, 'shards': 2, 'writers': 5, 'characters': 5}
    # two of them in four seconds
    assert said == [
        'out: resumed: 1 of 6 files done',
        'out: train 5 lines of 5 writers, 5 characters, 0 lines/s',
    ]
    shards.write_info(tmp_path, {'splits': {'train': counts}, 'charset': {'row_count': 1, 'hash': ''}})
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    index = shards.RecordIndex(tmp_path, split='train')
    assert [index.read_record(i).text for i in range(5)] == [line.text for line in lines]


@pytest.mark.parametrize(
    'weights, expected',
    [
        (None, ['1/4, 25 %, 3 lines, 1 lines/s, 15 s left', '3/4, 75 %, 10 lines, 1 lines/s, 4 s left']),
        (
            [0, 10, 40, 90, 100],
            ['1/4, 10 %, 3 lines, 1 lines/s, 45 s left', '3/4, 90 %, 10 lines, 1 lines/s, 2 s left'],
        ),
    ],
)
def test_progress_is_told_every_five_seconds(tmp_path, make_record, clock, weights, expected):
    """Seconds left by the work that was done in those that went by, rounded up.

    Not told: what is less than 5 s after the line before.
    """
    said = []

    def pieces(done, within):
        for seconds, number, steps in ((5, 3, 1), (4.9, 4, 2), (0.1, 3, 3), (4, 1, 4)):
            clock[0] += seconds
            yield Piece([make_record(i, 1) for i in range(number)], steps)

    write(tmp_path / 'out', pieces, said, steps=4, weights=weights)
    assert said[:-1] == [f'out: train file {line}' for line in expected] and said[-1].endswith(
        '11 lines of 4 writers, 11 characters, 1 lines/s'
    )


def test_progress_after_an_interruption_counts_what_is_new(tmp_path, make_record, clock):
    def begun(done, within):
        yield Piece([make_record(i, 1) for i in range(20)], 2)
        raise Stopped

    def rest(done, within):
        clock[0] += 10
        yield Piece([make_record(0, 1)], 2, within=1)  # within a step: nothing by which to tell what is left
        clock[0] += 10
        yield Piece([make_record(i, 1) for i in range(99)], 3)

    said = []
    with pytest.raises(Stopped):
        write(tmp_path / 'out', begun, said, steps=5)
    said.clear()
    write(tmp_path / 'out', rest, said, steps=5)
    assert said[1:3] == [
        'out: train file 2/5, 40 %, 21 lines, 0 lines/s',
        'out: train file 3/5, 60 %, 120 lines, 5 lines/s, 40 s left',
    ]


def test_a_split_without_a_record_leaves_no_file(tmp_path, clock):
    said = []

    def pieces(done, within):
        clock[0] += 6
        yield Piece([], 1)

    counts, files = write(tmp_path / 'out', pieces, said, steps=1, weights=[0, 0])
    assert (
        counts is None
        and set(files) == {'journal'}
        and said == ['out: train file 1/1, 0 %, 0 lines, 0 lines/s', 'out: train has no usable line']
    )


# ---- the journal


def test_a_journal_forgets_some_entries_and_goes_on(tmp_path):
    path = tmp_path / 'j'
    assert read_journal(path) == (None, [])
    (tmp_path / 'j.new').write_bytes(b'what a process that was killed here left')
    journal = Journal(path)
    journal.start({'work': 1})
    for i in range(6):
        journal.append({'i': i})
    journal.drop(lambda entry: entry['i'] % 3 == 1)
    assert (
        journal.head == {'work': 1}
        and [entry['i'] for entry in journal.entries] == [0, 2, 3, 5]
        and not (tmp_path / 'j.new').exists()
    )
    journal.append({'i': 9})
    assert read_journal(path) == ({'work': 1}, [{'i': i} for i in (0, 2, 3, 5, 9)])
    journal.keep(2)
    assert read_journal(path) == ({'work': 1}, [{'i': 0}, {'i': 2}])
    journal.keep(0)
    assert read_journal(path) == ({'work': 1}, []) and journal.entries == []
    journal.start({'work': 2})
    journal.append({'i': 7})
    journal.close()
    assert read_journal(path) == ({'work': 2}, [{'i': 7}])


def test_a_row_of_a_journal_is_a_checksum_and_its_value(tmp_path):
    """CRC-32C of `123456789` is E3069283 (its usual check value); a number is JSON as well."""
    journal = Journal(tmp_path / 'j')
    journal.start(123456789)
    journal.close()
    assert (tmp_path / 'j').read_bytes() == b'e3069283 123456789\n'
    for data, expected in (
        (b'e3069283 123456789\n', 123456789),
        (b'E3069283 123456789\n', None),
        (b'e3069283 123456788\n', None),
        (b'e3069283 123456789', None),
    ):
        (tmp_path / 'j').write_bytes(data)
        assert read_journal(tmp_path / 'j') == (expected, [])
