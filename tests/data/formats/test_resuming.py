"""An interrupted preparation goes on where it was, and what it writes in the end is what an undisturbed
one writes.
"""

import contextlib
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from foreign_files import dgrl_bytes, glyph, gnt_bytes
from PIL import Image
from preparing import prepare_collection, prepare_folder
from test_prepare_collection import ROOT, spoilt, write

from hwgen.data.preparing import conversion, prepare, shard_writer
from hwgen.data.preparing.journal import Journal

QUIET = {'report': lambda line: None}


def bad_collection():
    """Pages and characters, some of them spoilt, and a file of 60 writers that is read for each split."""
    spoilt()
    write(
        'bad',
        {
            '1.0all-gb1.gnt': gnt_bytes([('天', glyph(np.random.default_rng(i), 5, 5)) for i in range(60)]),
            **{
                f'{writer}-P16.dgrl': dgrl_bytes([('天地', glyph(np.random.default_rng(writer), 9, 20))])
                for writer in range(100, 106)
            },
        },
    )


def scans():
    rows = []
    for i in range(100):
        write('scans', {f'w{i % 5}/{i}.txt': b''})
        Image.fromarray(glyph(np.random.default_rng(i), 20, 40)).save(f'scans/w{i % 5}/{i}.png')
        rows.append(f'w{i % 5}/{i}.png\t{"天地玄黄"[: 1 + i % 4]}')
    write('scans', {'labels.tsv': '\n'.join([*rows, 'w0/none.png\t天', 'w0/1.png\t\ue000']).encode()})


def collection(out, workers=1, **settings):
    said = []
    prepare_collection(
        out,
        path='bad',
        on_error='skip',
        test_share=0.2,
        workers=workers,
        **{'report': said.append, **settings},
    )
    return said


def folder(out, **settings):
    said = []
    prepare_folder(
        out,
        images='scans',
        on_error='skip',
        validation_share=0.2,
        test_share=0.2,
        report=said.append,
        **settings,
    )
    return said


def corpus(out, workers=1):
    said = []
    prepare.prepare_scribe(
        out,
        lines=80,
        validation_lines=6,
        test_lines=6,
        unseen_lines=6,
        vocabulary_size=700,
        seed=5,
        height_px=32,
        workers=workers,
        report=said.append,
    )
    return said


def contents(out):
    return {path.name: path.read_bytes() for path in sorted(pathlib.Path(out).iterdir())}


@contextlib.contextmanager
def ended_after(pieces, monkeypatch, *, written=True):
    """Within it, the journal's entry number `pieces` is the last; `written`: or is not written, though its
    records are.
    """
    left = [pieces]

    def append(journal, entry, *, real=Journal.append):
        left[0] -= 1
        if left[0] or written:
            real(journal, entry)
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Journal, 'append', append)
        yield


@pytest.mark.parametrize(
    'make, write_input, points',
    [(collection, bad_collection, (1, 4, 9, 20)), (folder, scans, (1, 3)), (corpus, lambda: None, (2,))],
)
def test_ended_anywhere_and_started_again(monkeypatch, make, write_input, points):
    write_input()
    monkeypatch.setattr(conversion, '_PIECE_SAMPLES', 7)
    make('whole')
    for written in (True, False):
        for point in points:
            with ended_after(point, monkeypatch, written=written):
                make('out')
            finished = point - 1 + written
            assert not os.path.exists('out') and os.path.exists('out.partial/journal') == bool(finished)
            said = make('out')
            assert any(
                re.fullmatch(r'out: resumed: \d+ of \d+ (file|row|line)s done', line) for line in said
            ) == bool(finished), said
            assert contents('out') == contents('whole') and not os.path.exists('out.partial')
            shutil.rmtree('out')


def test_with_other_numbers_of_workers_and_ended_again_and_again(monkeypatch):
    bad_collection()
    collection('whole')
    monkeypatch.setattr(conversion, '_PIECE_SAMPLES', 7)
    for sent in (0, 1 << 20, 400):  # what is read here goes on within a file
        monkeypatch.setattr(conversion, 'MAX_SENT_BYTES', sent)
        with ended_after(3, monkeypatch):
            collection('out', workers=2)
    collection('out', workers=2)
    assert contents('out') == contents('whole')


def test_another_command_or_other_input_is_refused_and_nothing_lost(monkeypatch):
    bad_collection()
    collection('whole')
    with ended_after(8, monkeypatch):
        collection('out')
    before = contents('out.partial')
    with pytest.raises(
        FileExistsError,
        match=(
            r'^out.partial has what an interrupted command finished, but that was another one \(height_px'
            r' 64, '
            r'now 48\): give that again, or remove what it left: rm -r out.partial$'
        ),
    ):
        collection('out', height_px=48)
    with pytest.raises(FileExistsError, match=r'\(source auto, now folder\)|source'):
        scans()
        folder('out')
    with pytest.raises(ValueError, match="partition='all'"):
        collection('out', partition='all')
    for change in (lambda path: os.utime(path, (1, 1)), lambda path: os.rename(path, 'bad/107-P16.dgrl')):
        state, path = os.stat('bad/105-P16.dgrl'), 'bad/105-P16.dgrl'
        change(path)
        with pytest.raises(FileExistsError, match=r'another one \(input changed\)'):
            collection('out')
        if not os.path.exists(path):
            os.rename('bad/107-P16.dgrl', path)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert contents('out.partial') == before
    assert 'resumed: 8 of ' in collection('out')[0] and contents('out') == contents('whole')


def test_damaged_leftovers_are_written_again(monkeypatch):
    bad_collection()
    collection('whole')
    shard = pathlib.Path('out.partial/train-00000-of-00001.tfrecord')

    def flip(path, place):
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    for damage, told in (
        (lambda: flip(shard, 700), True),
        (lambda: os.truncate(shard, shard.stat().st_size - 1), True),
        (shard.unlink, True),
        (lambda: flip(shard.with_name('journal'), -9), False),
        (lambda: flip(shard.with_name('journal'), 3), False),
    ):
        with ended_after(9, monkeypatch):
            collection('out')
        damage()
        said = collection('out')
        assert (
            bool(re.search(r'out.partial: damaged files, [1-9] of 9 pieces are written again', said[0]))
            == told
        ), said
        assert contents('out') == contents('whole')
        shutil.rmtree('out')


def test_a_full_disk(monkeypatch):
    bad_collection()
    collection('whole', height_px=1024)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
    try:
        with pytest.raises(OSError, match='File too large') as raised:
            collection('out', height_px=1024)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.filename.startswith('out.partial/') and not os.path.exists('out')
    assert 'resumed' in collection('out', height_px=1024)[0] and contents('out') == contents('whole')


def test_a_bad_sample_leaves_nothing():
    """It must be mended or skipped first, and both make it another preparation."""
    spoilt()
    with pytest.raises(ValueError, match='004-P16.dgrl|001-P16.dgrl'):
        prepare_collection('out', path='bad', partition='train', **QUIET)
    assert not os.path.exists('out.partial')


def test_intact_records_are_counted(tmp_path, make_record):
    writer = shard_writer.ShardWriter(tmp_path, split='train', num_shards=3)
    for i in range(10):
        writer.append(make_record(i, 2))
    writer.flush()

    def count(sizes=writer.sizes):
        return shard_writer.count_intact(tmp_path, split='train', num_shards=3, sizes=sizes)

    path = tmp_path / 'train-00001-of-00003.tfrecord'  # records 1, 4, 7
    whole = path.read_bytes()
    assert count() == 10 and count(writer.sizes[:4]) == 4 and count([*writer.sizes[:5], 1]) == 5
    for place, intact in ((0, 1), (40, 1), (16 + writer.sizes[1], 4), (len(whole) - 1, 7)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert count() == intact, place
    path.unlink()
    assert count() == 1


def test_journal(tmp_path):
    journal = Journal(tmp_path / 'j')
    assert journal.head is None and journal.entries == []
    journal.start({'work': '天'})
    for i in range(4):
        journal.append({'i': i})
    journal.keep(3)
    journal.append({'i': '\ud800'})
    journal.close()
    whole = (tmp_path / 'j').read_bytes()
    rows = whole.split(b'\n')
    values = [{'i': 0}, {'i': 1}, {'i': 2}, {'i': '\ud800'}]
    for data, kept in (
        (whole, 4),
        (whole[:-1], 3),
        (whole + b'0000', 4),
        (whole[: len(rows[0]) + 4], 0),
        (whole.replace(b'{"i":1}', b'{"i":7}'), 1),
    ):
        (tmp_path / 'j').write_bytes(data)
        journal = Journal(tmp_path / 'j')
        assert journal.head == {'work': '天'} and journal.entries == values[:kept]
        journal.append({'i': 'new'})
        journal.close()
        assert Journal(tmp_path / 'j').entries == [*values[:kept], {'i': 'new'}]
    (tmp_path / 'j').write_bytes(b'no journal')
    assert Journal(tmp_path / 'j').head is None


# ---- real processes


@pytest.fixture(scope='module')
def prepared_pages(tmp_path_factory):
    """30 pages that take a worker a tenth of a second each, and what an undisturbed preparation makes of
    them.
    """
    folder = tmp_path_factory.mktemp('pages')
    lines = [('天地玄黄', glyph(np.random.default_rng(i), 63, 300)) for i in range(40)]
    write(folder, {f'pages/{writer}-P16.dgrl': dgrl_bytes(lines) for writer in range(100, 130)})
    prepare_collection(folder / 'whole', path=folder / 'pages', source='casia', workers=1, **QUIET)
    return folder


@pytest.fixture
def whole(prepared_pages):
    """Its folder; `pages` lies in the current one."""
    os.symlink(prepared_pages / 'pages', 'pages')
    return prepared_pages / 'whole'


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, '-P', '-m', 'hwgen.cli', 'prepare', '--source=casia', '--input=pages', *arguments],
        text=True,
        env={**os.environ, 'PYTHONPATH': ROOT},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def wait_for_pieces(process, count):
    journal = pathlib.Path('out.partial/journal')
    while not journal.exists() or journal.read_bytes().count(b'\n') <= count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def workers_of(pid):
    """Process ids of a process's workers (Linux)."""
    found = []
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            if (
                int(stat.read_text().rpartition(')')[2].split()[1]) == pid
                and b'spawn_main' in stat.with_name('cmdline').read_bytes()
            ):
                found.append(int(stat.parent.name))
    return found


def is_running(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def finish_and_compare(whole):
    said = []
    prepare_collection('out', path='pages', source='casia', workers=1, report=said.append)
    assert 'out: resumed: ' in said[0] and int(re.search(r'(\d+) of 30 files done', said[0])[1]) >= 2
    found, expected = contents('out'), contents(whole)
    found.pop('info.json'), expected.pop('info.json')  # the command, and the place of the input
    assert found == expected


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isdir('/proc/self'), reason='the workers are found in /proc, which this system has not'
)
def test_kill_9(whole):
    process = started('--out=out', '--workers=2')
    wait_for_pieces(process, 2)
    workers = workers_of(process.pid)
    process.kill()
    process.wait()
    assert not os.path.exists('out') and len(workers) == 2
    for _ in range(500):
        outliving = [pid for pid in workers if is_running(pid)]
        if not outliving:
            break
        time.sleep(0.02)
    for pid in outliving:
        os.kill(pid, signal.SIGKILL)
    assert not outliving, 'workers outlive the process that started them'
    finish_and_compare(whole)


@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isdir('/proc/self'), reason='the workers are found in /proc, which this system has not'
)
def test_a_killed_worker(whole):
    process = started('--out=out', '--workers=2')
    wait_for_pieces(process, 2)
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    told, error = process.communicate()
    assert process.returncode == 2 and error.count('\n') == 1, error
    assert re.search(
        r'pages/1\d\d-P16.dgrl( or what follows)?: the process that worked on it ended without an answer'
        r' \(SIGKILL; '
        r'.*--workers=1 needs the least',
        error,
    )
    assert 'out: interrupted; out.partial has what is finished, the same command goes on from there' in told
    finish_and_compare(whole)
