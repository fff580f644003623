"""Training lines that are read while another process writes them: the same as stored ones, whatever
becomes of that process.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import types

import numpy as np
import pytest
from preparing import SIZES

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import corpus_work, drawn_index, prepare, work_folder
from hwgen.data.preparing.drawn_index import DrawnIndex
from hwgen.data.reading import shards
from hwgen.data.reading.pipeline import LineBatches

CHECKOUT = str(pathlib.Path(prepare.__file__).resolve().parents[3])


def quiet(*lines):
    """A report that nobody reads."""


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Folder that was written at once."""
    folder = tmp_path_factory.mktemp('whole') / 'out'
    prepare.prepare_scribe(folder, **SIZES, workers=1, report=quiet)
    return folder


@pytest.fixture
def begun(tmp_path):
    """Folder of which the validation lines are there."""
    folder = tmp_path / 'out'
    prepare.prepare_scribe(folder, **SIZES, workers=1, splits=['validation'], report=quiet)
    return folder


def until(condition):
    """Waits for something that another process does."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError('it did not happen within a minute')


def assert_same_records(index, stored):
    np.testing.assert_array_equal(index.lengths, stored.lengths)
    assert len(index) == len(stored) and index.lengths.dtype == stored.lengths.dtype
    for i in range(0, len(stored), 3):
        for options in {}, {'decode_image': False}, {'decode_trajectory': False}:
            for name, found, expected in zip(
                shards.records_lib.LineRecord._fields,
                index.read_record(i, **options),
                stored.read_record(i, **options),
            ):
                assert type(found) is type(expected), name
                np.testing.assert_array_equal(found, expected, err_msg=name)
                assert getattr(found, 'dtype', None) == getattr(expected, 'dtype', None), name
    with pytest.raises(IndexError, match='record 70: expected 0 to 69'):
        index.read_record(70)


def test_lines_are_the_stored_ones_before_and_after_they_are_written(whole, begun):
    stored, said = shards.RecordIndex(whole, split='train'), []
    with work_folder.exclusive(begun):  # the other process waits
        index = DrawnIndex(begun, workers=1, report=said.append)
        with contextlib.closing(index):
            assert_same_records(index, stored)
            told = shards.whole(index.info)
            assert told.pop('command') and told.pop('not_shown')
            expected = dict(stored.info)
            assert (
                index.info['not_shown'] == expected.pop('not_shown')
                and expected.pop('command')
                and told == expected
            )
            assert (
                index.info['splits'].keys() == {'train', 'validation'}
                and index.info['planned'].keys() == {'test', 'unseen'}
                and index.digest() is None
            )
            drawn, read = (
                LineBatches(
                    folder, charset=Charset.load(), batch_size=4, seed=1, char_px=16, index=lines
                ).batch(3)
                for folder, lines in ((begun, index), (whole, None))
            )
            assert drawn.images.shape[0] == 4 and drawn._fields == read._fields
            for value, expected in zip(
                (*drawn.characters, *drawn._replace(characters=())),
                (*read.characters, *read._replace(characters=())),
            ):
                np.testing.assert_array_equal(value, expected)
            until(lambda: any('another command is writing it' in line for line in said))
    assert (
        said[-1]
        == f'{begun}: its 70 lines of train are not all written; the next command that needs them goes on'
        ' with that'
    )
    with drawn_index.training_lines(begun, report=said.append) as index:
        until(index._written.is_set)
        assert_same_records(index, stored)
        assert index.digest() == stored.digest() and 'complete' in said[-1]
    assert (
        'not all written' not in said[-1] and shards.read_info(begun)['not_shown'] == stored.info['not_shown']
    )
    with drawn_index.training_lines(begun, report=said.append) as index:
        assert index is None  # nothing to write


def test_lines_that_are_finished_are_read(whole, begun, monkeypatch):
    stored, drawn, asked = shards.RecordIndex(whole, split='train'), prepare.drawn, []

    def stopping(plan, split, lines, **options):
        asked.extend(lines)
        if len(lines) > 1 and lines[0] >= 32:
            raise KeyboardInterrupt
        return drawn(plan, split, lines, **options)

    monkeypatch.setattr(prepare, 'drawn', stopping)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare_scribe(begun, **SIZES, workers=1, report=quiet)
    with (
        work_folder.exclusive(begun) as held,
        contextlib.closing(DrawnIndex(begun, workers=1, report=quiet)) as index,
    ):
        asked.clear()
        assert_same_records(index, stored)
        assert asked and min(asked) >= 32
        (shard,) = held.path.glob('train-*.tfrecord')
        data = bytearray(shard.read_bytes())
        data[100] ^= 1  # of record 0: it is drawn instead
        shard.write_bytes(data)
        assert_same_records(index, stored)
        assert set(asked) & set(range(32)) == {0}
        other = corpus_work.work_of(**{**SIZES, 'lines': 71})
        assert (
            work_folder.finished_pieces(
                begun, 'train', other.identity, charset=prepare.corpus.corpus_charset()
            )[1]
            == []
        )


@pytest.mark.slow
def test_characters_that_no_line_shows_are_known_from_the_plan():
    for settings in {}, {'version': '1.1'}, {'shots': (0, 1), 'lines': 120}, {'script': 'latin'}:
        plan = corpus_work.work_of(**{**SIZES, **settings}).plan
        shown = {int(i) for n in range(plan.splits['train']) for i in plan.line('train', n).character_ids}
        assert prepare.not_shown(plan) == sorted(set(plan.vocabulary) - shown)


def test_a_writing_that_fails_is_told_and_lines_are_drawn(whole, begun):
    said = []
    with work_folder.exclusive(begun) as work:  # an interrupted command of another corpus
        work.begin({'source': 'scribe', 'settings': {'lines': 3}})
        work.append(
            {
                'split': 'train',
                'shards': 0,
                'done': 1,
                'within': 0,
                'found': {},
                'sizes': [],
                'lengths': [],
                'writers': {},
            }
        )
    stored = shards.RecordIndex(whole, split='train')
    with contextlib.closing(DrawnIndex(begun, workers=1, report=said.append)) as index:
        until(index._failed.is_set)
        until(lambda: said)
        assert_same_records(index, stored)
    (line,) = said
    assert (
        f'{begun}: train was not written: {begun}.partial has what an interrupted command finished, but that'
        ' was another one' in line
    )
    assert 'the training goes on with lines that it draws' in line and '\n' not in line


def test_a_writer_that_is_killed_is_told(begun):
    said = []
    with (
        work_folder.exclusive(begun),
        contextlib.closing(DrawnIndex(begun, workers=1, report=said.append)) as index,
    ):
        os.kill(index._process.pid, signal.SIGKILL)
        until(lambda: said and index._failed.is_set())
        assert index.read_record(3).text
    assert (
        'train was not written: the process that wrote it ended without an answer (SIGKILL); the training'
        ' goes on' in said[-1]
    )


class Listened:
    """A DrawnIndex whose process says what the test says, at the seconds that it says: all that listens to
    it.
    """

    def __init__(self, monkeypatch, messages, *, exitcode=None, closing=False):
        self.said, self.folder, self.split = [], 'out', 'train'
        self._written, self._failed, self._closing = threading.Event(), threading.Event(), threading.Event()
        if closing:
            self._closing.set()
        self._process = types.SimpleNamespace(join=lambda: None, exitcode=exitcode)
        left = iter(messages)

        def recv():
            seconds, message = next(left, (None, None))
            if message is None:
                raise EOFError
            monkeypatch.setattr(drawn_index, 'time', types.SimpleNamespace(monotonic=lambda: seconds))
            return message

        self._answers = types.SimpleNamespace(recv=recv)
        DrawnIndex._listen(self)

    def _tell(self, text):
        self.said.append(text)


def test_progress_is_passed_on_once_a_minute(monkeypatch):
    """Lines that differ in their numbers alone are one; others are told at once."""
    found = Listened(
        monkeypatch,
        [
            (1, ('said', 'line 1/9, 10 %')),
            (50, ('said', 'line 2/9, 20 %')),
            (51, ('said', 'resumed: 3')),
            (60.5, ('said', 'line 3/9, 30 %')),
            (61, ('said', 'line 44/9, 4 %')),
            (120, ('said', 'line 5/9, 5 %')),
            (121, ('said', 'line 6/9, 6 %')),
            (122, ('written', None)),
            (900, ('said', 'after that')),
        ],
    )
    assert (
        found.said == ['line 1/9, 10 %', 'resumed: 3', 'line 44/9, 4 %', 'line 6/9, 6 %']
        and found._written.is_set()
        and not found._failed.is_set()
    )


@pytest.mark.parametrize(
    'messages, exitcode, reason',
    [
        ([(0, ('failed', 'no room'))], None, 'no room'),
        ([], -9, 'the process that wrote it ended without an answer (SIGKILL)'),
        ([(0, ('said', 'x'))], 3, 'the process that wrote it ended without an answer (status 3)'),
        ([], None, '... (status 0)'),
    ],
)
def test_what_went_wrong_is_told_once(monkeypatch, messages, exitcode, reason):
    found = Listened(monkeypatch, messages, exitcode=exitcode)
    reason = reason.replace('...', 'the process that wrote it ended without an answer')
    assert (
        found.said[-1]
        == f'out: train was not written: {reason}; the training goes on with lines that it draws when it'
        ' reads them, which is slower. The next command that needs the corpus writes it'
    )
    assert (
        found._failed.is_set()
        and not found._written.is_set()
        and len(found.said) == 1 + any(kind == 'said' for _, (kind, _) in messages)
    )


def test_who_is_closing_is_told_nothing(monkeypatch):
    found = Listened(monkeypatch, [], exitcode=-9, closing=True)
    assert not found.said and not found._failed.is_set() and not found._written.is_set()


def test_what_is_finished_is_looked_up_again_after_five_seconds(monkeypatch):
    class Looking:
        """A DrawnIndex of which nothing is finished."""

        _looking, _looked, _pieces, looks = threading.Lock(), None, ([], (), ()), 0

        def _look(self):
            self._looked, self.looks = drawn_index.time.monotonic(), self.looks + 1

    index, looks = Looking(), []
    for now in (50.0, 51, 54.9, 55, 59.9, 70, 71):
        monkeypatch.setattr(drawn_index, 'time', types.SimpleNamespace(monotonic=lambda now=now: now))
        assert DrawnIndex._finished(index, 0) is None
        looks.append(index.looks)
    assert looks == [1, 1, 1, 2, 2, 3, 3]


HOLDING = """
import sys, time
from hwgen.data.preparing.drawn_index import DrawnIndex
if __name__ == '__main__':
    index = DrawnIndex(sys.argv[1], workers=2)
    print('pid', index._process.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.slow
def test_the_writer_ends_with_its_parent_and_the_next_one_goes_on(tmp_path, number):
    folder, said = tmp_path / 'out', []
    prepare.prepare_scribe(
        folder, **{**SIZES, 'lines': 20000}, workers=1, splits=['validation'], report=quiet
    )
    (tmp_path / 'holding.py').write_text(HOLDING)
    with subprocess.Popen(
        [sys.executable, '-P', str(tmp_path / 'holding.py'), str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': CHECKOUT, 'PYTHONUNBUFFERED': '1'},
    ) as process:
        pid = next(int(line.split()[1]) for line in process.stdout if line.startswith('pid'))
        journal = tmp_path / 'out.partial' / 'journal'
        until(lambda: journal.exists() and journal.read_bytes().count(b'\n') > 2)
        process.send_signal(number)
        process.wait()
    until(
        lambda: (
            not pathlib.Path(f'/proc/{pid}').exists()
            or 'Z' in pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0]
        )
    )
    with contextlib.closing(DrawnIndex(folder, workers=1, report=said.append)):
        until(lambda: any('resumed: ' in line for line in said))
