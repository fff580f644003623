"""Collections become folders of records: splits, reports, what is left out; by the command as well."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from foreign_files import codes, dgr_bytes, dgrl_bytes, glyph, gnt_bytes, gnt_sample, pot_bytes, wptt_bytes
from PIL import Image
from preparing import part, prepare_collection
from test_iam import COLLECTION, ONLINE

from hwgen.charset.encoding import Charset
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import conversion, record_folder
from hwgen.data.preparing import prepare_collection as prepare_lib
from hwgen.data.preparing.contact_sheet import sheet_of_writers
from hwgen.data.reading import shards
from hwgen.data.reading.pipeline import LineBatches

ROOT = prepare_lib.__file__.rsplit('/hwgen/', 1)[0]
TEXTS = ['天地玄黄', '宇宙，洪荒', 'A1日月']


def page(seed):
    rng = np.random.default_rng(seed)
    return dgrl_bytes([(text, glyph(rng, 40 + 10 * i, 200)) for i, text in enumerate(TEXTS)])


def write(folder, files):
    for name, data in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def hwdb2():
    """Pages of 12 writers in a folder and an archive, named as CASIA names them."""
    write('HWDB2', {f'HWDB2.0Test/{writer:03d}-P16.dgrl': page(writer) for writer in (4, 5)})
    with zipfile.ZipFile('HWDB2/HWDB2.0Train.zip', 'w') as archive:
        for writer in range(10, 20):
            for number in (16, 17):
                archive.writestr(f'{writer:03d}-P{number}.dgrl', page(writer * number))
    return 'HWDB2'


def run(out, path, **settings):
    said = []
    info = prepare_collection(out, path=path, report=said.append, **settings)
    return info, said


def test_pages_with_the_official_partition(lines_of):
    info, said = run('out', hwdb2(), source='casia', validation_share=0.2)
    assert {name: (c['records'], c['writers']) for name, c in info['splits'].items()} == {
        'train': (48, 8),
        'validation': (12, 2),
        'test': (6, 2),
    }
    assert info['skipped'] == {} and 'out: complete, train 48, validation 12, test 6 lines' in said
    writers = {}
    for split, line in lines_of('out'):
        writers.setdefault(line.writer, set()).add(split)
        assert (
            line.text in TEXTS
            and line.source == 'dgrl'
            and line.image.shape in ((40, 200), (50, 200), (60, 200))
        )
    assert all(len(splits) == 1 for splits in writers.values())
    assert {writer for writer, splits in writers.items() if 'test' in splits} == {'004', '005'}
    report = json.loads(pathlib.Path('out/report.json').read_text())
    assert (
        report['files'] == {'dgrl': 22}
        and report['writers_named'] == 12
        and report['class_histogram']['天'] == 22
    )
    assert (
        report['classes'] == len(set(''.join(TEXTS))) and pathlib.Path('out/rejected.tsv').read_text() == ''
    )


def test_the_same_bytes_every_time_and_from_folders_as_from_archives():
    run('one', hwdb2())
    run('two', 'HWDB2')
    with zipfile.ZipFile('HWDB2/HWDB2.0Train.zip') as archive:
        archive.extractall('HWDB2/HWDB2.0Train.zip.d')
    pathlib.Path('HWDB2/HWDB2.0Train.zip').unlink()
    pathlib.Path('HWDB2/HWDB2.0Train.zip.d').rename('HWDB2/HWDB2.0Train')
    run('three', 'HWDB2')
    files = {
        out: {p.name: p.read_bytes() for p in pathlib.Path(out).iterdir() if p.name != 'info.json'}
        for out in ('one', 'two', 'three')
    }
    assert files['one'] == files['two'] == files['three']
    assert run('three', 'HWDB2')[1] == [
        f'three: already there, {record_folder.summary(shards.read_info("three"))}'
    ]
    with pytest.raises(FileExistsError, match='seed 0, now 1'):
        run('three', 'HWDB2', seed=1)
    with pytest.raises(
        FileExistsError,
        match=r'one exists and was written from other input \(3 files of \d+ bytes then, now 22 of',
    ):
        run('one', 'HWDB2')  # of archives, which are not there any more
    (pathlib.Path('HWDB2') / 'notes.txt').write_text('nothing that is read')
    assert 'already there' in run('three', 'HWDB2')[1][0]
    page = pathlib.Path('HWDB2/HWDB2.0Train/010-P16.dgrl')
    page.write_bytes(page.read_bytes()[:-1] + b'\7')  # of the same size
    with pytest.raises(
        FileExistsError,
        match=r'files of the same size have other contents \(newer: HWDB2.0Train/010-P16.dgrl\)',
    ):
        run('three', 'HWDB2')


def test_two_forms_of_which_one_is_damaged(scans_of_iam):
    """The good one is for training, whatever the order by hash is: neither test nor validation is as large
    as half of everything.
    """
    for seed in range(4):
        info, said = run(f'out{seed}', scans_of_iam, seed=seed, on_error='skip')
        assert (
            info['splits']['train']['records'] == 3
            and info['splits'].keys() == {'train'}
            and info['skipped'] == {'image': 3}
        )


@pytest.fixture
def scans_of_iam():
    """Two forms of three lines by two people; the pictures of the second are cut."""
    rows = []
    for form in ('a01-000u', 'b02-001'):
        for i in range(3):
            name = f'iam/{form}-{i:02d}.png'
            pathlib.Path(name).parent.mkdir(exist_ok=True)
            Image.fromarray(glyph(np.random.default_rng(i), 20, 60)).save(name)
            if form == 'b02-001':
                pathlib.Path(name).write_bytes(pathlib.Path(name).read_bytes()[:-300])
            rows.append(f'{form}-{i:02d} ok 154 1 1 1 60 20 A|line')
    pathlib.Path('iam/lines.txt').write_text('\n'.join(rows))
    return 'iam'


def test_an_empty_label_is_a_sample_that_cannot_be_used(scans_of_iam):
    rows = pathlib.Path('iam/lines.txt').read_text().split('\n')
    pathlib.Path('iam/lines.txt').write_text('\n'.join(['a01-000u-00 ok 154 1 1 1 60 20 |', *rows[1:3]]))
    with pytest.raises(
        FormatError, match=r'iam/lines.txt/a01-000u, row 1, byte 0: no text, expected at least one character'
    ):
        run('out', 'iam')
    info, _ = run('out', 'iam', on_error='skip')
    assert info['skipped'] == {'text': 1} and 'row 1' in pathlib.Path('out/rejected.tsv').read_text()
    pathlib.Path('iam/lines.txt').write_text('\n'.join(rows))
    with pytest.raises(FileExistsError, match=r'other input \(lines.txt has changed\)'):
        run('out', 'iam', on_error='skip')


def test_by_writer_where_nothing_is_official_or_it_is_not_wanted(lines_of):
    info, _ = run('out', hwdb2(), partition='writers', test_share=0.3, validation_share=0.3)
    writers = {}
    for split, line in lines_of('out'):
        writers.setdefault(line.writer, set()).add(split)
    assert (
        len(writers) == 12
        and all(len(splits) == 1 for splits in writers.values())
        and len(info['splits']) == 3
    )
    info, _ = run('tests', 'HWDB2', partition='test')
    assert list(info['splits']) == ['test'] and info['splits']['test']['records'] == 66


def test_it_trains():
    run('out', hwdb2())
    batch = LineBatches('out', charset=Charset.load(), batch_size=3, seed=0).batch(0)
    assert batch.images.shape[0] == 3 and batch.images.shape[1] == 32


def test_any_number_of_workers_writes_the_same_bytes(monkeypatch):
    """Pages, a file of many writers (read once a split), spoilt files; read here where they are large."""
    spoilt()
    write(
        'bad',
        {'1.0all-gb1.gnt': gnt_bytes([('天', glyph(np.random.default_rng(i), 5, 5)) for i in range(50)])},
    )
    for out, workers, sent in (('one', 1, 0), ('two', 2, 1 << 20), ('mixed', 2, 400)):
        monkeypatch.setattr(conversion, 'MAX_SENT_BYTES', sent)
        run(out, 'bad', on_error='skip', workers=workers, test_share=0.2)
    files = {
        out: {p.name: p.read_bytes() for p in pathlib.Path(out).iterdir()} for out in ('one', 'two', 'mixed')
    }
    assert (
        files['one'] == files['two'] == files['mixed']
        and files['one']['rejected.tsv']
        and 'sheet.png' in files['one']
    )
    with pytest.raises(FormatError, match='line 2, byte .*: code ffff decodes to nothing') as raised:
        run('other', 'bad', workers=2, validation_share=0, test_share=0)
    assert raised.value.reason == 'code' and not pathlib.Path('other').exists()


def test_the_sheet_shows_every_writer(tmp_path, make_record, write_folder):
    hwdb2()
    run('out', 'HWDB2')
    sheet = np.asarray(Image.open('out/sheet.png'))
    assert sheet.shape[1] == 1200 and sheet.shape[0] >= 7 * 44 and (sheet == 225).any()
    greys = write_folder(
        tmp_path / 'greys', [make_record(i, 1, image=np.full((10, 10), 10 * i, np.uint8)) for i in range(4)]
    )
    firsts = [('train', 0), ('train', 2), ('train', 3)]
    assert sheet_of_writers(greys, firsts, most=3)[0, [0, 14, 28]].tolist() == [0, 20, 30]
    # then the others
    assert sheet_of_writers(greys, firsts, most=9)[0, [0, 14, 28, 42, 56]].tolist() == [0, 20, 30, 10, 225]


def test_isolated_characters(lines_of):
    """一 stays flat on a square of paper; a dash is one pixel high, and neither fills its cell."""
    bar, block = np.zeros((4, 60), np.uint8), np.zeros((90, 80), np.uint8)
    write(
        'gnt', {'1001-c.gnt': gnt_bytes([('一', bar), ('回', block)]), '1002-c.gnt': gnt_bytes([('一', bar)])}
    )
    run('out', 'gnt', validation_share=0, test_share=0)
    flat, full, _ = [line for _, line in lines_of('out')]
    assert (flat.text, flat.writer, flat.image.shape) == ('一', '1001', (64, 64)) and (
        full.text,
        full.image.shape,
    ) == ('回', (64, 64))
    rows = np.flatnonzero((flat.image < 128).any(1))
    assert 2 <= len(rows) <= 5 and 28 <= rows.mean() <= 35 and (full.image < 128).mean() > 0.8


def test_files_of_many_writers_are_split_one_by_one(lines_of):
    rng = np.random.default_rng(0)
    write('gnt', {'1.0all-gb1.gnt': gnt_bytes([('天', glyph(rng, 5, 5)) for _ in range(400)])})
    info, _ = run('out', 'gnt', validation_share=0.1, test_share=0.2)
    counts = {name: c['records'] for name, c in info['splits'].items()}
    assert sum(counts.values()) == 400 and 20 <= counts['validation'] <= 60 and 50 <= counts['test'] <= 110
    assert len({(line.writer) for _, line in lines_of('out')}) == 400


def test_ink_is_drawn(lines_of):
    square = [[(100, 100), (500, 100), (500, 500), (100, 500), (100, 100)]]
    dot = [[(300, 300)]]
    write(
        'pen',
        {
            '001.pot': pot_bytes([('口', square)] * 3 + [('、', dot)]),
            '501-P14.wptt': wptt_bytes([square[0], [(x + 600, y) for x, y in square[0]]], [('口口', [0, 1])]),
        },
    )
    run('out', 'pen', pen_px=3, validation_share=0, test_share=0, height_px=48)
    lines = [line for _, line in lines_of('out')]
    assert [line.text for line in lines] == ['口', '口', '口', '、', '口口']
    box, mark, line = lines[0].image, lines[3].image, lines[4].image
    assert box.shape == mark.shape == (48, 48) and line.shape[0] == 48 and 110 <= line.shape[1] <= 125
    middle = box[24] < 128  # two strokes of the pen's width
    assert 4 <= middle.sum() <= 8 and not middle[10:38].any()
    assert 4 <= (mark < 128).sum() <= 20  # a dot stays a dot
    assert {line.source for line in lines} == {'pot', 'wptt'}


def test_boxes_of_dgr_follow_the_scaling(lines_of):
    image = np.zeros((128, 100), np.uint8)
    write('old', {'006-P16.dgr': dgr_bytes([[('天', 10, 20, image), ('地', 10, 140, image)]])})
    run('out', 'old')
    ((_, line),) = lines_of('out')
    assert line.image.shape == (64, 110)
    np.testing.assert_array_equal(line.boxes, [[0, 0, 50, 64], [60, 0, 110, 64]])


def spoilt():
    rng = np.random.default_rng(0)
    good = (TEXTS[0], glyph(rng, 9, 30))
    write(
        'bad',
        {
            '001-P16.dgrl': dgrl_bytes([good, (codes('天') + b'\xff\xff', glyph(rng, 9, 30)), good]),
            '002-P16.dgrl': dgrl_bytes([good, good])[:-5],
            '003-P16.dgrl': b'no page of text at all',
            '004-P16.dgrl': dgrl_bytes([('亄天', glyph(rng, 9, 9)), ('Ж', glyph(rng, 9, 9)), good]),
            '005-f.gnt': (
                gnt_bytes([('天', glyph(rng, 9, 9))]) + gnt_sample(codes('地'), glyph(rng, 3, 3), width=0)
            ),
        },
    )
    return 'bad'


def test_what_cannot_be_used(lines_of):
    with pytest.raises(
        ValueError,
        match=r'bad/001-P16.dgrl, line 2, byte \d+: code ffff decodes to nothing, expected GBK or ASCII',
    ):
        run('out', spoilt(), validation_share=0, test_share=0)
    assert not pathlib.Path('out').exists() and not pathlib.Path('out.partial').exists()
    info, said = run('out', 'bad', on_error='skip', validation_share=0, test_share=0)
    assert info['skipped'] == {
        'code': 1,
        'magic': 1,
        'size': 1,
        'text': info['skipped']['text'],
        'truncated': 1,
    }
    assert [line.text for _, line in lines_of('out')].count(TEXTS[0]) == 4
    rows = pathlib.Path('out/rejected.tsv').read_text().splitlines()
    assert len(rows) == sum(info['skipped'].values()) and rows[0].startswith(
        'code\tbad/001-P16.dgrl, line 2, byte '
    )
    assert any('bad/003-P16.dgrl, header, byte 0: header of' in row for row in rows)
    report = json.loads(pathlib.Path('out/report.json').read_text())
    assert report['codes_without_a_character'] == {'ffff': 1} and report['rejected'] == info['skipped']
    assert report['outside_the_dictionary'] == {
        'Ж': {'count': 1, 'code_point': 'U+0416', 'sequence': None, 'missing': ['Ж'], 'nearest': ''}
    }
    assert report['rows_that_add_them'] == ['component\tЖ', 'character\tЖ\tsym-wide\tЖ']
    assert any(
        '1 characters outside the dictionary: Ж U+0416 1; of 1 the package knows no decomposition' in line
        for line in said
    )
    assert any('to add them, append rows_that_add_them of report.json' in line for line in said)
    assert any('decode to nothing: ffff 1' in line for line in said) and any(
        'left out' in line for line in said
    )
    with pytest.raises(ValueError, match="bad: no usable sample, left out .*'length': "):
        run('other', 'bad', on_error='skip', min_characters=9)
    with pytest.raises(ValueError, match="partition='all': expected one of auto, writers, train"):
        run('other', 'bad', on_error='skip', partition='all')
    with pytest.raises(ValueError, match="on_error='stop': expected one of fail, skip"):
        run('other', 'bad', on_error='stop')


def test_an_archive_that_was_cut_short():
    """Its pages are lost; those of the other files are not, and it is named."""
    hwdb2()
    whole = pathlib.Path('HWDB2/HWDB2.0Train.zip').read_bytes()
    pathlib.Path('HWDB2/HWDB2.1Train.zip').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match='HWDB2.1Train.zip, byte 0: no readable .zip archive'):
        run('out', 'HWDB2')
    info, _ = run('out', 'HWDB2', on_error='skip')
    assert sum(c['records'] for c in info['splits'].values()) == 66 and info['skipped'] == {'archive': 1}
    assert (
        pathlib.Path('out/rejected.tsv').read_text().startswith('archive\tHWDB2/HWDB2.1Train.zip, byte 0: ')
    )


def test_english_lines_and_ink(lines_of):
    for folder, files in (('iam', COLLECTION), ('online', ONLINE)):
        write(
            folder, {name: data if isinstance(data, bytes) else data.encode() for name, data in files.items()}
        )
    info, _ = run('lines', 'iam', validation_share=0)
    assert {name: c['records'] for name, c in info['splits'].items()} == {'train': 2, 'test': 1} and info[
        'skipped'
    ] == {}
    assert [line.text for _, line in lines_of('lines')][0] == 'A MOVE to stop Mr. Gaitskell from'
    info, _ = run('words', 'iam', unit='words')
    assert info['splits']['train']['records'] == 2 and info['skipped'] == {'segmentation': 1}
    info, _ = run('ink', 'online', source='iam_online')
    (_, first), _ = lines_of('ink')
    assert (
        first.writer == '10008'
        and first.image.shape[0] == 64
        and first.image.min() < 50
        and first.source == 'iam_online'
    )


def members(splits):
    return {split: [p.name for p, _ in found] for split, found in splits}


def test_splits():
    shares = {'test': 0.25, 'validation': 0.25}
    parts = [part(f'{w}-{n}', w) for w in 'abcdefgh' for n in (1, 2)]
    drawn = prepare_lib.split_parts(parts, seed=3, shares=shares, partition='auto')
    again = prepare_lib.split_parts(parts[::-1], seed=3, shares=shares, partition='auto')
    assert {split: set(names) for split, names in members(drawn).items()} == {
        split: set(names) for split, names in members(again).items()
    }
    assert {split: len(found) for split, found in drawn} == {'train': 8, 'validation': 4, 'test': 4}
    assert (
        len({name[0] for name in members(drawn)['test']} & {name[0] for name in members(drawn)['train']}) == 0
    )
    official = [part('1', 'a', 'train'), part('2', 'b', 'test'), part('3', 'b'), part('4', 'c')]
    found = members(
        prepare_lib.split_parts(official, seed=0, shares={'test': 0.5, 'validation': 0}, partition='auto')
    )
    assert found == {'train': ['1', '4'], 'test': ['2', '3']}  # what has no partition goes with its writer
    said = []
    prepare_lib.split_parts(
        [part('1', 'a', 'train'), part('2', 'a', 'test')],
        seed=0,
        shares={},
        partition='auto',
        report=said.append,
    )
    assert said == ['the official partition has 1 writers in two splits: a']


class Planned(Exception):
    """Ends a preparation where it would begin to write."""


@pytest.mark.parametrize(
    'sizes, workers, shards_of_train',
    [
        ((64 << 20,), 5, 1),
        (((64 << 20) - 1,), 1, 1),
        ((0,), 1, 1),
        (((128 << 20) - 9, 9), 5, 1),
        ((128 << 20, 1), 5, 2),
        ((1 << 40,), 5, 256),
    ],
)
def test_what_is_planned_by_the_size_of_a_collection(monkeypatch, sizes, workers, shards_of_train):
    """Processes from 64 MiB on, a shard for 128 MiB, 256 shards at most; the work before each file is the
    bytes of those before.
    """
    asked = []

    @contextlib.contextmanager
    def open_pool(number):
        asked.append(number)
        yield None

    def write_split(work, pieces, *, split, num_shards, steps, weights, **others):
        asked.extend((split, num_shards, steps, weights))
        raise Planned

    write('in', {'001.pot': b'x'})
    monkeypatch.setattr(
        prepare_lib,
        'open_collection',
        lambda path, **settings: [part(str(i), '', num_bytes=size) for i, size in enumerate(sizes)],
    )
    monkeypatch.setattr(prepare_lib, 'open_pool', open_pool)
    monkeypatch.setattr(prepare_lib, 'write_split', write_split)
    monkeypatch.setattr(prepare_lib.os, 'cpu_count', lambda: 5)
    with pytest.raises(Planned):
        run('out', 'in', validation_share=0, test_share=0)
    assert asked == [workers, 'train', shards_of_train, len(sizes), [0, *np.cumsum(sizes).tolist()]]
    asked.clear()
    with pytest.raises(Planned):
        run('out', 'in', workers=3)
    assert asked[0] == 3


def test_what_info_says_of_a_collection(monkeypatch):
    write(
        'pages',
        {
            '001-P16.dgrl': dgrl_bytes(
                [
                    ('黄天', glyph(np.random.default_rng(0), 9, 30)),
                    ('天' * 9, glyph(np.random.default_rng(1), 9, 30)),
                ]
            )
        },
    )
    info, said = run(
        'out', 'pages', seed=4, max_characters=8, dark='keep', height_px=40, pen_px=3, partition='train'
    )
    charset = Charset.load()
    assert (
        info['vocabulary'] == sorted(charset.encode('黄天').character_ids.tolist())
        and info['held_out'] == []
        and info['skipped'] == {'length': 1}
    )
    assert info['image_height_px'] == 40
    assert info['settings'] == {
        'input': 'pages',
        'unit': 'lines',
        'partition': 'train',
        'height_px': 40,
        'pen_px': 3,
        'min_characters': 1,
        'max_characters': 8,
        'validation_share': 0.05,
        'test_share': 0.05,
        'on_error': 'fail',
        'dark': 'keep',
    }
    assert (info['source'], info['version'], info['seed'], info['input']['files']) == ('auto', 1, 4, 1)
    assert said[0].startswith('out: train 1 lines of 1 writers, 2 characters, ')
    with pytest.raises(ValueError, match=r"pages: no usable sample, left out {'length': 2}"):
        run('other', 'pages', max_characters=1)
    assert run('test', 'pages', partition='test')[0]['splits'].keys() == {'test'}


def command(*arguments):
    return subprocess.run(
        [sys.executable, '-P', '-m', 'hwgen.cli', 'prepare', *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': ROOT},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_command():
    hwdb2()
    spoilt()
    done = command('--source=casia', '--input=HWDB2', '--out=out')
    assert done.returncode == 0, done.stderr
    assert 'out: complete, train 54, validation 6, test 6 lines' in done.stdout
    pathlib.Path('empty').mkdir()
    for arguments, message in [
        (
            ['--out=x', '--source=casia'],
            '--input: no folder given; --source=casia expects one with the collection',
        ),
        (['--out=x', '--source=casia', '--input=nowhere'], 'nowhere: no such file or folder'),
        (
            ['--out=x', '--source=iam', '--input=HWDB2'],
            'HWDB2: 22 files, among them no lines.txt or words.txt and images',
        ),
        (
            ['--out=x', '--source=auto', '--input=empty'],
            'empty: 0 files, among them no known format; expected files .gnt, .dgrl',
        ),
        (['--out=x', '--source=casia', '--input=bad', '--partition=train'], 'bad/001-P16.dgrl, line 2, byte'),
        (['--inspect=nowhere'], 'nowhere: no such file or folder'),
        (
            ['--inspect=HWDB2', '--out=sheet.txt'],
            '--out=sheet.txt: with --inspect expected a picture to write',
        ),
        (['--inspect=HWDB2', '--out=none/sheet.png'], 'none/sheet.png: no such file or directory'),
    ]:
        failed = command(*arguments)
        assert failed.returncode == 2 and message in failed.stderr and 'Traceback' not in failed.stderr, (
            failed.stderr
        )
        assert len(failed.stderr.strip().split('\n')) == 1, failed.stderr
