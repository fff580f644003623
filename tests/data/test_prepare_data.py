"""Folders of records: complete or not there; from a folder of images and from the embedded corpus."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from preparing import prepare_folder

from hwgen.data.preparing import prepare
from hwgen.data.reading import shards
from hwgen.data.reading.pipeline import LineBatches

ROOT = prepare.__file__.rsplit('/hwgen/', 1)[0]
SMALL = dict(
    lines=24,
    validation_lines=6,
    test_lines=6,
    unseen_lines=6,
    vocabulary_size=700,
    seed=5,
    height_px=32,
    workers=1,
)


def contents(folder):
    """The bytes of every file, but the command in info.json."""
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    info = json.loads(files.pop('info.json'))
    info.pop('command')
    return files, info


# ---- a folder of images


@pytest.fixture
def scans(tmp_path):
    """60 images of 5 writers, heights from 20 to 100 px, and two rows that cannot be used."""
    rng, rows = np.random.default_rng(0), []
    (tmp_path / 'scans').mkdir()
    for i in range(60):
        (tmp_path / 'scans' / f'w{i % 5}').mkdir(exist_ok=True)
        name, height = f'w{i % 5}/{i}.png', 20 + 20 * (i % 5)
        # on white paper, which stays as it is
        ink = np.where(rng.random((height, 150)) < 0.2, rng.integers(0, 200, (height, 150)), 255)
        Image.fromarray(ink.astype(np.uint8)).save(tmp_path / 'scans' / name)
        rows.append(f'{name}\t{"天地玄黄"[: 1 + i % 4]}')
    (tmp_path / 'scans' / 'labels.tsv').write_text('\n'.join(rows))
    return tmp_path / 'scans'


def spoil(scans):
    with open(scans / 'labels.tsv', 'a') as file:
        file.write('\nw0/0.png\t天\ue000地\nw0/missing.png\t天地')


def test_folder_import(lines_of, scans, tmp_path):
    said = []
    info = prepare_folder(
        tmp_path / 'out', images=scans, height_px=64, validation_share=0.2, test_share=0.2, report=said.append
    )
    assert sum(s['records'] for s in info['splits'].values()) == 60 and info['splits'].keys() == {
        'train',
        'validation',
        'test',
    }
    assert (info['image_height_px'], info['source'], info['skipped']) == (64, 'folder', {})
    assert 'complete, train ' in said[-1]
    for _, line in lines_of(tmp_path / 'out'):
        assert line.text == '天地玄黄'[: len(line.text)] and line.boxes is None
        assert line.image.shape[0] <= 64 and line.writer in {f'w{i}' for i in range(5)}
        heights = {'w0': (20, 150), 'w1': (40, 150), 'w2': (60, 150), 'w3': (64, 120), 'w4': (64, 96)}
        assert line.image.shape == heights[line.writer]


def test_characters_of_the_other_splits_alone_are_not_shown(scans, tmp_path):
    """Rare enough to be in one line, which is a test line."""
    rows = (scans / 'labels.tsv').read_text().split('\n')
    (scans / 'labels.tsv').write_text(
        '\n'.join(row if number else row.replace('天', '鱼') for number, row in enumerate(rows))
    )
    shown = {}
    for seed in range(6):
        info = prepare_folder(
            tmp_path / f'out{seed}',
            images=scans,
            validation_share=0.2,
            test_share=0.2,
            seed=seed,
            report=print,
        )
        missing = info.get('not_shown', [])
        assert (
            missing == sorted({*info['vocabulary']} - shards.shown_ids(tmp_path / f'out{seed}'))
            and 'not_shown' in info
            or not missing
        )
        shown[seed] = not missing
    assert set(shown.values()) == {True, False}


def test_images_without_text(scans, tmp_path, lines_of):
    """Every image is a record of no characters, of its writer, at its own aspect; the table, though it is
    there, is not read.
    """
    spoil(scans)
    info = prepare_folder(
        tmp_path / 'out',
        images=scans,
        labels=None,
        height_px=64,
        validation_share=0.2,
        test_share=0.2,
        report=print,
    )
    assert (
        sum(s['records'] for s in info['splits'].values()) == 60
        and sum(s['characters'] for s in info['splits'].values()) == 0
    )
    assert (info['vocabulary'], info['skipped']) == ([], {})
    written = {}
    for _, line in lines_of(tmp_path / 'out'):
        assert (
            line.text,
            line.boxes,
            len(line.character_ids),
            line.component_ids.shape,
            len(line.structure_ids),
        ) == ('', None, 0, (0, 4), 0)
        written.setdefault(line.writer, []).append(line.image)
    heights = {'w0': (20, 150), 'w1': (40, 150), 'w2': (60, 150), 'w3': (64, 120), 'w4': (64, 96)}
    assert {writer: {image.shape for image in images} for writer, images in written.items()} == {
        w: {shape} for w, shape in heights.items()
    }
    there = {np.asarray(Image.open(path)).tobytes() for path in (scans / 'w0').iterdir()}
    assert {image.tobytes() for image in written['w0']} == there
    with pytest.raises(FileExistsError, match='labels None, now'):
        prepare_folder(
            tmp_path / 'out', images=scans, height_px=64, validation_share=0.2, test_share=0.2, report=print
        )
    (scans / 'w0' / '0.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'^\S*w0/0.png: no readable image'):
        prepare_folder(tmp_path / 'other', images=scans, labels=None, report=print)
    assert prepare_folder(tmp_path / 'other', images=scans, labels=None, on_error='skip', report=print)[
        'skipped'
    ] == {'image': 1}


def test_images_that_are_no_higher_are_kept_bit_for_bit(scans, tmp_path):
    prepare_folder(tmp_path / 'out', images=scans, validation_share=0, test_share=0, report=print)
    index = shards.RecordIndex(tmp_path / 'out', split='train')
    for i in (0, 1, 2, 5, 12):
        np.testing.assert_array_equal(
            index.read_record(i).image, np.asarray(Image.open(scans / f'w{i % 5}' / f'{i}.png'))
        )


def test_no_writer_in_two_splits(lines_of, scans, tmp_path):
    for seed in range(4):
        prepare_folder(
            tmp_path / f'{seed}', images=scans, validation_share=0.2, test_share=0.2, seed=seed, report=print
        )
        splits = {}
        for split, line in lines_of(tmp_path / f'{seed}'):
            splits.setdefault(line.writer, set()).add(split)
        assert len(splits) == 5 and all(len(found) == 1 for found in splits.values())
    assert contents(tmp_path / '0')[0] != contents(tmp_path / '1')[0]


def test_lines_of_unknown_writers_are_split_one_by_one(scans, tmp_path):
    flat = tmp_path / 'flat'
    flat.mkdir()
    rows = (scans / 'labels.tsv').read_text().split('\n')
    for row in rows:
        shutil.copy(scans / row.split('\t')[0], flat / row.split('\t')[0].split('/')[1])
    (flat / 'labels.tsv').write_text('\n'.join(row.split('/')[1] for row in rows))
    info = prepare_folder(tmp_path / 'out', images=flat, validation_share=0.1, test_share=0.1, report=print)
    assert {name: counts['records'] for name, counts in info['splits'].items()} == {
        'train': 48,
        'validation': 6,
        'test': 6,
    }


def test_rows_that_cannot_be_used(scans, tmp_path):
    spoil(scans)
    with pytest.raises(ValueError, match=r'labels.tsv, row 61 \(0.png\): .*U\+E000.* position 1'):
        prepare_folder(tmp_path / 'out', images=scans, report=print)
    assert not (tmp_path / 'out').exists() and not (tmp_path / 'out.partial').exists()
    said = []
    info = prepare_folder(
        tmp_path / 'out',
        images=scans,
        on_error='skip',
        validation_share=0,
        test_share=0,
        max_characters=3,
        report=said.append,
    )
    assert (
        info['skipped'] == {'text': 1, 'length': 15, 'image': 1} and info['splits']['train']['records'] == 45
    )
    assert any('row 61' in line for line in said) and any(
        'row 62 (missing.png)' in line and 'no such image' in line for line in said
    )
    with pytest.raises(ValueError, match=r'row 62 \(missing.png\): .*no such image'):
        (scans / 'labels.tsv').write_text((scans / 'labels.tsv').read_text().replace('\ue000', ''))
        prepare_folder(tmp_path / 'other', images=scans, report=print)
    with pytest.raises(ValueError, match="no usable row, skipped {'length': 62}"):
        prepare_folder(tmp_path / 'other', images=scans, min_characters=9, report=print)
    with pytest.raises(ValueError, match="on_error='stop': expected one of fail, skip"):
        prepare_folder(tmp_path / 'other', images=scans, on_error='stop')


def test_labels_keep_what_was_written(scans, tmp_path, lines_of):
    written = '\u200b天=\u0338\u2f54\ufe00'
    table = scans / 'labels.tsv'
    table.write_text(
        ''.join(f'w0/{i}.png\t{text}\n' for i, text in ((0, written), (5, '天≠水'))), encoding='utf-8'
    )
    prepare_folder(tmp_path / 'out', images=scans, validation_share=0, test_share=0, report=print)
    found = {line.text: line for _, line in lines_of(tmp_path / 'out')}
    assert found.keys() == {written, '天≠水'}
    np.testing.assert_array_equal(found[written].component_ids, found['天≠水'].component_ids)
    assert len(found[written].character_ids) == 3


def test_what_names_tell(scans, tmp_path, lines_of):
    """Writers and texts by a pattern; names and rows of another shape are skipped and counted."""
    info = prepare_folder(
        tmp_path / 'out',
        images=scans,
        name_pattern='(?P<text>[1-9].*)',
        on_error='skip',
        validation_share=0,
        test_share=0,
        report=print,
    )
    assert info['skipped'] == {'name': 1} and sorted(
        line.text for _, line in lines_of(tmp_path / 'out')
    ) == sorted(map(str, range(1, 60)))
    assert info['settings']['name_pattern'] == '(?P<text>[1-9].*)'
    with open(scans / 'labels.tsv', 'a') as file:
        file.write('\nw0/0.png\n')
    info = prepare_folder(
        tmp_path / 'other', images=scans, on_error='skip', validation_share=0, test_share=0, report=print
    )
    assert info['skipped'] == {'table': 1}
    with pytest.raises(ValueError, match='row 61: 1 columns'):
        prepare_folder(tmp_path / 'strict', images=scans, report=print)


def test_rows_of_another_shape(scans, tmp_path):
    """One damaged row of the table costs that row."""
    rows = (scans / 'labels.tsv').read_text(encoding='utf-8').splitlines()
    (scans / 'labels.tsv').write_text('\n'.join([*rows[:3], 'no-text', *rows[3:]]), encoding='utf-8')
    with pytest.raises(ValueError, match='labels.tsv, row 4: 1 columns, expected path TAB text'):
        prepare_folder(tmp_path / 'out', images=scans, report=print)
    said = []
    info = prepare_folder(
        tmp_path / 'out', images=scans, on_error='skip', validation_share=0, test_share=0, report=said.append
    )
    assert info['skipped'] == {'table': 1} and info['splits']['train']['records'] == len(rows)
    assert said[0].startswith('skipped: ') and 'labels.tsv, row 4: 1 columns' in said[0]


def test_existing_folders(scans, tmp_path):
    out, said = tmp_path / 'out', []
    prepare_folder(out, images=scans, report=print)
    before = contents(out)
    prepare_folder(out, images=scans, report=said.append)
    assert 'already there, train' in said[0] and contents(out) == before
    with pytest.raises(
        FileExistsError,
        match=r'out exists and was written with other settings \(height_px 64, now 32\); choose',
    ):
        prepare_folder(out, images=scans, height_px=32, report=print)
    (tmp_path / 'foreign').mkdir()
    (tmp_path / 'foreign' / 'thesis.tex').touch()
    with pytest.raises(FileExistsError, match='foreign exists and is no folder of records'):
        prepare_folder(tmp_path / 'foreign', images=scans, report=print)
    assert (tmp_path / 'foreign' / 'thesis.tex').exists()


def test_what_a_killed_process_left_is_removed(scans, tmp_path):
    (tmp_path / 'out.partial').mkdir()
    (tmp_path / 'out.partial' / 'train-00000-of-00009.tfrecord').write_bytes(b'half')
    prepare_folder(tmp_path / 'out', images=scans, validation_share=0, test_share=0, report=print)
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        'info.json',
        'rejected.tsv',
        'report.json',
        'sheet.png',
        'train-00000-of-00001.tfrecord',
        'train.index.npz',
    ]
    assert not (tmp_path / 'out.partial').exists()


def test_two_processes_do_not_write_one_folder(scans, tmp_path):
    """The second waits for the first, and then finds its work."""
    partial = tmp_path / 'out.partial'
    partial.mkdir()
    held = os.open(partial, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    program = (
        'from hwgen.data.preparing.prepare_folder import prepare_folder\n'
        'from hwgen.settings.prepare import InputSettings, OutputSettings\n'
        f'prepare_folder(OutputSettings(out={str(tmp_path / "out")!r}), InputSettings(input={str(scans)!r}))'
    )
    with subprocess.Popen(
        [sys.executable, '-c', program],
        env={**os.environ, 'PYTHONPATH': ROOT},
        stdout=subprocess.PIPE,
        text=True,
    ) as second:
        time.sleep(2)
        assert second.poll() is None and not list(partial.iterdir())
        prepare_folder(tmp_path / 'first', images=scans, report=print)
        partial.rmdir()
        (tmp_path / 'first').rename(tmp_path / 'out')
        os.close(held)
        assert 'already there' in second.communicate()[0]
    assert second.returncode == 0 and not partial.exists()


def command(*arguments):
    return subprocess.run(
        [sys.executable, '-m', 'hwgen.cli', 'prepare', *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': ROOT},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_command(scans, tmp_path):
    spoil(scans)
    done = command(
        '--source=folder',
        f'--input={scans}',
        '--out=out',
        '--on_error=skip',
        '--max_characters=3',
        '--validation_share=.2',
    )
    assert done.returncode == 0, done.stderr
    assert shards.read_info('out')['skipped'] == {'text': 1, 'length': 15, 'image': 1}
    assert 'row 62' in done.stdout and 'out: complete, train ' in done.stdout
    for arguments, message in [
        ([], '--out: no folder given; expected for example'),
        (['--out=x', '--source=folder'], '--input: no folder given'),
        (['--out=x', '--input=y'], '--input goes with --source=folder'),
        (
            ['--out=x', '--source=folder', '--input=y'],
            'y: no such folder; expected one with images and labels.tsv',
        ),
        (['--out=x', '--source=folder', f'--input={scans}'], 'labels.tsv, row 61'),
        (
            ['--out=out', '--source=folder', f'--input={scans}'],
            'out exists and was written with other settings',
        ),
        (['--out=x', '--unlabelled'], '--unlabelled goes with --source=folder, not with --source=scribe'),
        (
            ['--out=x', '--unlabelled', '--source=folder', f'--input={scans}', '--max_characters=3'],
            '--max_characters goes with a table',
        ),
        (['--out=x', '--shots=0,many'], '--shots=0,many: expected whole numbers'),
        (
            ['--out=x', '--shots=1', '--source=casia', '--input=y'],
            '--shots goes with --source=scribe, not with --source=casia',
        ),
        (['--out=x', '--shots=1', '--script=latin'], '--shots with --script=latin'),
        (['--out=x', '--shots=0,1,5,20', '--lines=1299'], 'shots=0,1,5,20: 1300 training lines are to show'),
        (['--out=x', '--height_px=0'], 'height_px'),
    ]:
        failed = command(*arguments)
        assert failed.returncode == 2 and message in failed.stderr and 'Traceback' not in failed.stderr, (
            failed.stderr
        )
        assert len(failed.stderr.strip().split('\n')) == 1, failed.stderr


# ---- the embedded corpus


@pytest.fixture(scope='module')
def corpus_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('corpus') / 'small'
    prepare.prepare_scribe(folder, **SMALL, report=print)
    return folder


def test_embedded_corpus(lines_of, corpus_folder, charset):
    info = shards.read_info(corpus_folder)
    assert {name: counts['records'] for name, counts in info['splits'].items()} == {
        'train': 24,
        'validation': 6,
        'test': 6,
        'unseen': 6,
    }
    assert info['charset'] == {'row_count': charset.row_count, 'hash': charset.hash}
    assert (
        (info['source'], info['seed'], info['image_height_px']) == ('scribe', 5, 32)
        and info['version']
        and info['command']
    )
    vocabulary, held_out, writers = set(info['vocabulary']), set(info['held_out']), {}
    assert held_out and not vocabulary & held_out
    for split, line in lines_of(corpus_folder):
        assert line.image.shape[0] == 32 and 2 <= len(line.character_ids) <= 8
        np.testing.assert_array_equal(charset.encode(line.text).character_ids, line.character_ids)
        np.testing.assert_array_equal(charset.character_components[line.character_ids], line.component_ids)
        assert set(line.character_ids.tolist()) <= (held_out if split == 'unseen' else vocabulary)
        writers.setdefault(line.writer, set()).add(split == 'train')
    assert all(len(found) == 1 for found in writers.values())


def test_what_training_lines_do_not_show_is_said(lines_of, corpus_folder):
    """24 lines cannot show 700 characters; who learns from them shall not say that it has seen them."""
    info = shards.read_info(corpus_folder)
    shown = {
        int(i) for split, line in lines_of(corpus_folder) if split == 'train' for i in line.character_ids
    }
    assert (
        shards.shown_ids(corpus_folder) == shown
        and info['not_shown'] == sorted({*info['vocabulary']} - shown)
        and len(info['not_shown']) > 500
    )


@pytest.mark.slow
def test_corpus_does_not_depend_on_workers(corpus_folder, tmp_path):
    prepare.prepare_scribe(tmp_path / 'again', **{**SMALL, 'workers': 2}, report=print)
    assert contents(tmp_path / 'again') == contents(corpus_folder)


def test_corpus_depends_on_its_seed(corpus_folder, tmp_path):
    prepare.prepare_scribe(tmp_path / 'other', **{**SMALL, 'seed': 6}, report=print)
    assert contents(tmp_path / 'other')[0] != contents(corpus_folder)[0]
    with pytest.raises(FileExistsError, match='seed 6, now 5'):
        prepare.prepare_scribe(tmp_path / 'other', **SMALL, report=print)


@pytest.mark.slow
def test_corpus_with_shots(corpus_folder, tmp_path):
    """The flag changes the lines that show a held-out character and nothing else, whatever the number of
    workers.
    """
    settings = {**SMALL, 'lines': 105}
    prepare.prepare_scribe(tmp_path / 'out', **settings, shots=(0, 1), report=print)
    prepare.prepare_scribe(tmp_path / 'again', **{**settings, 'workers': 2}, shots=(0, 1), report=print)
    prepare.prepare_scribe(tmp_path / 'without', **settings, report=print)
    (files, info), (other_files, other_info) = contents(tmp_path / 'out'), contents(tmp_path / 'without')
    assert (files, info) == contents(tmp_path / 'again')
    groups = info.pop('shots')
    assert (
        info['settings'].pop('shots') == [0, 1]
        and 'shots' not in other_info
        and 'shots' not in other_info['settings']
    )
    assert sorted(i for group in groups.values() for i in group) == info['held_out']
    counts = dict.fromkeys(info['held_out'], 0)
    index, others = (shards.RecordIndex(tmp_path / name, split='train') for name in ('out', 'without'))
    for i in range(len(index)):
        shown = [c for c in index.read_record(i).character_ids.tolist() if c in counts]
        assert shown or index.read(i) == others.read(i)
        for c in shown:
            counts[c] += 1
    assert counts == {c: int(count) for count, group in groups.items() for c in group}
    same = [name for name in files if not name.startswith('train')]
    assert len(same) == 6 and all(files[name] == other_files[name] for name in same)
    info['splits']['train'].pop('writers'), other_info['splits']['train'].pop('writers')
    # A character that stood where a held-out one does is shown by no other line, perhaps.
    assert {*other_info.pop('not_shown')} <= {*info.pop('not_shown')}
    assert info == other_info
    with pytest.raises(FileExistsError, match=r'shots \[0, 1\], now None'):
        prepare.prepare_scribe(tmp_path / 'out', **settings, report=print)


def test_corpus_trains(corpus_folder, charset):
    batch = LineBatches(corpus_folder, charset=charset, batch_size=3, seed=0).batch(0)
    assert batch.images.min() < -0.2 and (batch.images > 0.9).mean() > 0.5  # ink on paper


@pytest.mark.slow
@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGKILL])
def test_interrupted_writing_goes_on_where_it_was(tmp_path, how):
    settings = dict(SMALL, lines=600, workers=2)
    program = f'from hwgen.data.preparing import prepare; prepare.prepare_scribe("out", **{settings!r})'
    journal = tmp_path / 'out.partial' / 'journal'
    with subprocess.Popen(
        [sys.executable, '-c', program], env={**os.environ, 'PYTHONPATH': ROOT}, start_new_session=True
    ) as process:
        while not journal.exists() or journal.read_bytes().count(b'\n') < 4:
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, how)
    assert not (tmp_path / 'out').exists()
    said = []
    prepare.prepare_scribe(tmp_path / 'out', **settings, report=said.append)
    assert 'resumed: ' in said[0] and not (tmp_path / 'out.partial').exists()
    prepare.prepare_scribe(tmp_path / 'whole', **settings, report=print)
    assert contents(tmp_path / 'out') == contents(tmp_path / 'whole')
