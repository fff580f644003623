"""The embedded corpus as folders of labelled pictures: what stands in them, that they are read back, and
that an interrupted one goes on.
"""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from test_prepare_data import ROOT, command

from hwgen.data.preparing import picture_folder, prepare
from hwgen.data.preparing.journal import Journal
from hwgen.data.reading import shards
from hwgen.data.reading.pipeline import LineBatches
from hwgen.data.scribe import corpus

TEXTS = ('北京市海淀区中关村大街27号', '上海市黄浦区人民路1号', 'Ａ座3层，电话：010-62345678', '# 南京路 5号')
SETTINGS = dict(seed=3, height_px=32, workers=1, output_format='folder', report=print)


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / 'texts.txt'
    path.write_text('\n'.join(TEXTS), encoding='utf-8')
    return path


def contents(folder):
    """The bytes of every file below a folder, but the command in info.json."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(pathlib.Path(folder).rglob('*'))
        if path.is_file()
    }
    info = json.loads(files.pop('info.json'))
    info.pop('command')
    return files, info


def rows(path):
    return [json.loads(row) for row in path.read_text(encoding='utf-8').splitlines()]


def test_what_stands_in_it(text_file, tmp_path, lines_of):
    """The lines are those of the records, and the tables say what the records say."""
    out = tmp_path / 'out'
    info = prepare.prepare_scribe(out, text_file=text_file, lines=10, **SETTINGS)
    prepare.prepare_scribe(
        tmp_path / 'records', text_file=text_file, lines=10, **{**SETTINGS, 'output_format': 'records'}
    )
    assert sorted(path.name for path in out.iterdir()) == [
        *(f'{i:06d}.png' for i in range(1, 11)),
        'boxes.jsonl',
        'info.json',
        'labels.tsv',
    ]
    assert info['settings']['format'] == 'folder' and info['splits'] == {
        'train': {**shards.read_info(tmp_path / 'records')['splits']['train'], 'shards': 0}
    }
    labels = (out / 'labels.tsv').read_text(encoding='utf-8')
    assert labels.endswith('\n') and labels.count('\n') == 10
    for i, ((_, line), label, boxes) in enumerate(
        zip(lines_of(tmp_path / 'records'), labels.splitlines(), rows(out / 'boxes.jsonl'), strict=True), 1
    ):
        assert label == f'{i:06d}.png\t{line.text}\t{line.writer}'
        expected = {'path': f'{i:06d}.png', 'text': line.text, 'boxes': line.boxes.tolist()}
        assert boxes == expected | (
            {} if line.component_boxes is None else {'component_boxes': line.component_boxes.tolist()}
        )
        np.testing.assert_array_equal(np.asarray(Image.open(out / f'{i:06d}.png')), line.image)


@pytest.mark.slow
def test_read_back_as_a_folder(text_file, tmp_path, lines_of):
    """bin/prepare --format=folder, then bin/prepare --source=folder: every line with equal text and
    pixels.
    """
    done = command(
        f'--text_file={text_file}',
        '--format=folder',
        '--height_px=48',
        '--lines=9',
        '--out=pictures',
        '--workers=1',
    )
    assert done.returncode == 0 and 'pictures: complete, train 9 lines' in done.stdout, done.stderr
    done = command(
        '--source=folder',
        '--input=pictures',
        '--height_px=48',
        '--validation_share=0',
        '--test_share=0',
        '--out=back',
    )
    assert done.returncode == 0, done.stderr
    prepare.prepare_scribe(
        tmp_path / 'records', text_file=text_file, lines=9, height_px=48, workers=1, report=print
    )
    for (_, back), (_, line) in zip(lines_of('back'), lines_of(tmp_path / 'records'), strict=True):
        assert (back.text, back.writer) == (line.text, line.writer)
        np.testing.assert_array_equal(back.image, line.image)


@pytest.mark.slow
def test_splits_have_folders_and_workers_do_not_matter(text_file, tmp_path):
    settings = {**SETTINGS, 'text_file': text_file, 'lines': 40, 'validation_lines': 5, 'test_lines': 5}
    prepare.prepare_scribe(tmp_path / 'one', **settings)
    prepare.prepare_scribe(tmp_path / 'two', **{**settings, 'workers': 2})
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')
    assert sorted(path.name for path in (tmp_path / 'one').iterdir()) == [
        'info.json',
        'test',
        'train',
        'validation',
    ]
    assert sorted(path.name for path in (tmp_path / 'one' / 'test').iterdir()) == [
        *(f'00000{i}.png' for i in range(1, 6)),
        'boxes.jsonl',
        'labels.tsv',
    ]
    composed = prepare.prepare_scribe(
        tmp_path / 'composed',
        lines=3,
        validation_lines=2,
        test_lines=2,
        unseen_lines=2,
        vocabulary_size=700,
        **SETTINGS,
    )
    assert (
        composed['splits'].keys() == {'train', 'validation', 'test', 'unseen'}
        and (tmp_path / 'composed' / 'unseen' / '000002.png').is_file()
    )


def test_existing_folders(text_file, tmp_path, charset):
    out, said = tmp_path / 'out', []
    prepare.prepare_scribe(out, text_file=text_file, **SETTINGS)
    before = contents(out)
    prepare.prepare_scribe(out, text_file=text_file, **{**SETTINGS, 'report': said.append})
    assert said == [f'{out}: already there, train 4 lines'] and contents(out) == before
    with pytest.raises(FileExistsError, match="format 'folder', now None"):
        prepare.prepare_scribe(out, text_file=text_file, **{**SETTINGS, 'output_format': 'records'})
    with pytest.raises(
        shards.RecordError,
        match='out: pictures, expected records; `bin/prepare --source=folder` makes records of pictures',
    ):
        LineBatches(out, charset=charset, batch_size=2, seed=0)
    with pytest.raises(ValueError, match="output_format='zip': expected records or folder"):
        prepare.prepare_scribe(tmp_path / 'other', **{**SETTINGS, 'output_format': 'zip'})


# ---- interrupted


DRAWN = {}


@pytest.fixture
def drawn_once(monkeypatch):
    """Lines that several preparations of a module's test share are drawn once."""

    def line(plan, split, i, *, real=corpus.Plan.line):
        if (split, i) not in DRAWN:
            DRAWN[split, i] = real(plan, split, i)
        return DRAWN[split, i]

    monkeypatch.setattr(corpus.Plan, 'line', line)


def write(out, text_file, **settings):
    said = []
    prepare.prepare_scribe(
        out,
        text_file=text_file,
        lines=100,
        validation_lines=40,
        **{**SETTINGS, 'height_px': 16, 'report': said.append, **settings},
    )
    return said


def end_after(pieces, monkeypatch, *, written, out, text_file):
    """Has it interrupted when so many pieces are in the journal, the last one `written` there or not."""
    left = [pieces]

    def append(journal, entry, *, real=Journal.append):
        left[0] -= 1
        if left[0] or written:
            real(journal, entry)
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Journal, 'append', append)
        write(out, text_file)
    assert not out.exists()


@pytest.mark.usefixtures('drawn_once')
@pytest.mark.parametrize('written', [True, False])
def test_ended_anywhere_and_started_again(text_file, tmp_path, monkeypatch, written):
    write(tmp_path / 'whole', text_file)
    for pieces in (1, 3, 5, 6):
        out = tmp_path / 'out'
        end_after(pieces, monkeypatch, written=written, out=out, text_file=text_file)
        said = write(out, text_file)
        assert any('resumed: ' in line for line in said) == (pieces > 1 or written)
        assert contents(out) == contents(tmp_path / 'whole') and not (tmp_path / 'out.partial').exists()
        shutil.rmtree(out)


@pytest.mark.usefixtures('drawn_once')
def test_damaged_leftovers_are_written_again(text_file, tmp_path, monkeypatch):
    write(tmp_path / 'whole', text_file)
    out, train = tmp_path / 'out', tmp_path / 'out.partial' / 'train'

    def flip(path, place):
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    for damage in (
        lambda: flip(train / '000040.png', 300),
        lambda: os.truncate(train / '000040.png', 100),
        (train / '000040.png').unlink,
        lambda: (train / '000040.png').write_bytes(b''),
        lambda: os.truncate(train / 'labels.tsv', 500),
        (train / 'boxes.jsonl').unlink,
        lambda: flip(train / 'boxes.jsonl', 3),
        lambda: shutil.rmtree(train),
    ):
        end_after(3, monkeypatch, written=True, out=out, text_file=text_file)
        damage()
        said = write(out, text_file)
        assert 'out.partial: damaged files, ' in said[0] and contents(out) == contents(tmp_path / 'whole'), (
            said
        )
        shutil.rmtree(out)


@pytest.mark.usefixtures('drawn_once')
def test_leftovers_of_another_format_are_not_touched(text_file, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    end_after(2, monkeypatch, written=True, out=out, text_file=text_file)
    with pytest.raises(FileExistsError, match=r"another one \(format 'folder', now None\)"):
        write(out, text_file, output_format='records')
    assert (tmp_path / 'out.partial' / 'train' / '000001.png').is_file() and any(
        'resumed: 64 of' in line for line in write(out, text_file)
    )


@pytest.mark.usefixtures('drawn_once')
@pytest.mark.parametrize('limit, name', [(900, '[0-9]{6}.png'), (6000, 'boxes.jsonl')])
def test_a_full_disk(text_file, tmp_path, limit, name):
    write(tmp_path / 'whole', text_file)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(OSError, match=f'File too large.*out.partial/train/{name}'):
            write(tmp_path / 'out', text_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / 'out').exists()
    write(tmp_path / 'out', text_file)
    assert contents(tmp_path / 'out') == contents(tmp_path / 'whole')


@pytest.mark.slow
def test_killed_and_started_again(text_file, tmp_path):
    settings = dict(text_file=str(text_file), lines=600, output_format='folder', height_px=32, workers=2)
    program = f'from hwgen.data.preparing import prepare; prepare.prepare_scribe("out", **{settings!r})'
    journal = tmp_path / 'out.partial' / 'journal'
    with subprocess.Popen(
        [sys.executable, '-c', program],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': ROOT},
        start_new_session=True,
    ) as process:
        while not journal.exists() or journal.read_bytes().count(b'\n') < 4:
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    said = []
    prepare.prepare_scribe(tmp_path / 'out', **settings, report=said.append)
    assert 'resumed: ' in said[0]
    prepare.prepare_scribe(tmp_path / 'whole', **settings, report=print)
    assert contents(tmp_path / 'out') == contents(tmp_path / 'whole')


# ---- the path of the pen


def test_trajectories(text_file, tmp_path, lines_of):
    info = prepare.prepare_scribe(tmp_path / 'out', text_file=text_file, trajectory=True, **SETTINGS)
    assert info['settings']['trajectory'] is True
    for name, asked in (('with', True), ('without', False)):
        prepare.prepare_scribe(
            tmp_path / name,
            text_file=text_file,
            trajectory=asked,
            pen_share=1.0,
            **{**SETTINGS, 'output_format': 'records'},
        )
    lines = [line for _, line in lines_of(tmp_path / 'with')]
    for line, strokes, boxes in zip(
        lines, rows(tmp_path / 'out' / 'strokes.jsonl'), rows(tmp_path / 'out' / 'boxes.jsonl'), strict=True
    ):
        assert (
            strokes.pop('path') == boxes['path'] and boxes['component_boxes'] == line.component_boxes.tolist()
        )
        assert strokes.pop('slots') == line.trajectory_slots.tolist() and list(strokes) == [
            'x',
            'y',
            'time',
            'pen',
            'pressure',
        ]
        # Either is rounded: 1/128 px and .005 px, 61 us and 50 us, 1/2048 and .0005.
        assert (
            np.abs(np.stack(list(strokes.values()), -1) - line.trajectory)
            < [0.013, 0.013, 1.2e-4, 1e-3, 1e-3]
        ).all()
    for _, line in lines_of(tmp_path / 'without'):
        assert (line.trajectory, line.trajectory_slots) == (None, None) and line.component_boxes is not None
    prepare.prepare_scribe(tmp_path / 'plain', text_file=text_file, pen_share=1.0, **SETTINGS)
    assert (
        not (tmp_path / 'plain' / 'strokes.jsonl').exists()
        and 'component_boxes' in rows(tmp_path / 'plain' / 'boxes.jsonl')[0]
    )


def test_trajectories_of_writers_without_a_pen():
    for font in ('--pen_share=.5', '--corpus=1.1'):
        refused = command(
            '--trajectory', font, '--out=x', '--lines=3', '--heldout_lines=1', '--format=folder'
        )
        assert refused.returncode == 2 and refused.stderr.count('\n') == 1, refused.stderr
        assert 'a font has no path of a pen; expected --pen_share=1' in refused.stderr
        assert not os.path.exists('x') and not os.path.exists('x.partial')


def test_vertical_lines_and_slips(text_file, tmp_path):
    settings = {name: value for name, value in SETTINGS.items() if name != 'output_format'}
    prepare.prepare_scribe(
        tmp_path / 'down', text_file=text_file, vertical=True, slips=0.3, output_format='folder', **settings
    )
    pictures = [Image.open(path) for path in sorted((tmp_path / 'down').glob('*.png'))]
    assert (
        pictures
        and all(picture.width == SETTINGS['height_px'] for picture in pictures)
        and max(picture.height / picture.width for picture in pictures) > 2
    )
    with pytest.raises(ValueError, match='vertical lines: models learn from horizontal ones'):
        prepare.prepare_scribe(tmp_path / 'records', text_file=text_file, vertical=True, **settings)
    refused = command('--vertical', '--out=x')
    assert refused.returncode == 2 and '--vertical goes with --format=folder' in refused.stderr


def test_what_no_table_holds(tmp_path, make_record):
    writer = picture_folder.PictureWriter(tmp_path, split='train')
    for fields in ({'text': '天\n地'}, {'writer': 'a\tb'}, {'text': 'a\rb'}, {'writer': 'a\n'}):
        with pytest.raises(ValueError, match='train, line 0: text .* expected no TAB or line break'):
            writer.append(make_record(1, 2)._replace(**fields))
    writer.append(make_record(1, 2)._replace(boxes=None))
    writer.remove()
    assert not list(tmp_path.iterdir())


def test_rows_of_a_line_by_hand(tmp_path, make_record):
    """Decimals: of a place 2, of a time 4, of pen and pressure 3; who goes on removes what lies behind."""
    line = make_record(
        1,
        2,
        writer='w',
        trajectory=np.array([[1.234, -5.678, 0.123456, 1, 0.98765], [2, 3, 4, 0, 0]]),
        trajectory_slots=np.array([-1, 7], np.int32),
        component_boxes=np.arange(32, dtype=np.int32).reshape(2, 4, 4),
    )
    writer = picture_folder.PictureWriter(tmp_path, split='test', subfolders=True, trajectory=True)
    for text in ('天地', '玄黄', '宇宙'):
        writer.append(line._replace(text=text))
    writer.append(
        line._replace(text='日月', trajectory=None, trajectory_slots=None, boxes=None, component_boxes=None)
    )
    sizes = list(writer.sizes)
    assert writer.finish(writers=3) == (4, 0, 3, 8) and sizes == [
        (tmp_path / 'test' / f'00000{i}.png').stat().st_size for i in (1, 2, 3, 4)
    ]
    assert rows(tmp_path / 'test' / 'strokes.jsonl') == [
        {
            'path': f'00000{i}.png',
            'x': [1.23, 2.0],
            'y': [-5.68, 3.0],
            'time': [0.1235, 4.0],
            'pen': [1.0, 0.0],
            'pressure': [0.988, 0.0],
            'slots': [-1, 7],
        }
        for i in (1, 2, 3)
    ] + [{'path': '000004.png'}]
    boxes = rows(tmp_path / 'test' / 'boxes.jsonl')
    assert boxes[0] == {
        'path': '000001.png',
        'text': '天地',
        'boxes': line.boxes.tolist(),
        'component_boxes': line.component_boxes.tolist(),
    }
    assert boxes[3] == {'path': '000004.png', 'text': '日月', 'boxes': None}
    assert (tmp_path / 'test' / 'labels.tsv').read_text() == ''.join(
        f'00000{i}.png\t{text}\tw\n' for i, text in enumerate(('天地', '玄黄', '宇宙', '日月'), 1)
    )
    storage = picture_folder.picture_storage(subfolders=True, trajectory=True)

    def count(sizes):
        return storage.count_intact(tmp_path, split='test', num_shards=0, sizes=sizes)

    assert count(sizes) == 4 and count(sizes[:2]) == 2 and count([*sizes[:2], sizes[2] + 1]) == 2
    writer = storage.open(tmp_path, split='test', num_shards=0, sizes=sizes[:2], lengths=[2, 2])
    writer.append(line._replace(text='盈昃'))
    assert writer.finish(writers=1).characters == 6 and sorted(
        path.name for path in (tmp_path / 'test').iterdir()
    ) == ['000001.png', '000002.png', '000003.png', 'boxes.jsonl', 'labels.tsv', 'strokes.jsonl']
    assert [row['text'] for row in rows(tmp_path / 'test' / 'boxes.jsonl')] == [
        '天地',
        '玄黄',
        '盈昃',
    ] and count(sizes[:3]) == 3
    (tmp_path / 'test' / 'strokes.jsonl').unlink()
    assert count(sizes[:3]) == 0
    picture_folder.PictureWriter(
        tmp_path, split='test', sizes=sizes[:1], lengths=[2], subfolders=True
    ).close()
    assert [path.name for path in sorted((tmp_path / 'test').glob('*.png'))] == ['000001.png'] and len(
        rows(tmp_path / 'test' / 'boxes.jsonl')
    ) == 1
