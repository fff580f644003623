"""The generate command, end to end with a small model: every kind of output, and every complaint in one line."""

import functools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from hwgen.charset.encoding import Charset
from hwgen.cli import app, generate
from hwgen.data.shards import RecordIndex, read_info
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer
from hwgen.models.generator import Generator, GeneratorConfig


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Folder of a small generator with random weights."""
    charset = Charset.load()
    generator = Generator(GeneratorConfig(
        charset.num_components, charset.num_structures, charset.num_characters, char_px=16, char_width_px=16, channels=(8, 8),
        content_channels=8, style_part_dim=4, component_dim=8, structure_dim=4))
    generator(component_ids=np.ones([1, 1, 4], np.int32), structure_ids=np.ones([1, 1], np.int32), boxes=np.ones([1, 1, 4, 4], np.float32),
              style=np.zeros([1, 12], np.float32), character_noise=np.zeros([1, 1, 8], np.float32))
    path = tmp_path_factory.mktemp('models') / 'small'
    save_generator(str(path), generator, charset=charset)
    return str(path)


_load = functools.lru_cache(None)(Writer.load)  # the commands of one test run need not read one model forty times


@pytest.fixture
def run(model, capsys, monkeypatch):
    """Function of arguments -> (exit status, stdout, stderr). --truncation=1, as the Writer that tells what to expect has it."""
    monkeypatch.setattr(Writer, 'load', _load)

    def run_generate(*arguments, model=model):
        with flagsaver.flagsaver():
            try:
                app.run(generate.main, generate.__doc__, arguments=['--truncation=1', *arguments, f'--model={model}'], program='generate',
                        positional=generate.POSITIONAL)
            except SystemExit as leave:
                out, err = capsys.readouterr()
                return leave.code, out, err
    return run_generate


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_line(run, model):
    status, out, err = run('--text', '明天⿱山鱼', '--style_seed', '5', '--out', 'line.png')
    assert (status, err) == (None, '')
    assert 'line.png: 48 x 16 px; 1 line, 3 characters in' in out and 'characters/s' in out
    expected, = Writer.load(model).write('明天⿱山鱼', style_seeds=5)
    np.testing.assert_array_equal(pixels('line.png'), expected)
    assert os.listdir('.') == ['line.png']


def test_a_run_directory_is_a_model(run, model):
    os.makedirs('runs/mine')
    os.symlink(model, 'runs/mine/model')
    assert run('--text=明', '--out=line.png', model='runs/mine')[0] is None


def test_several_hands_in_one_picture_or_a_folder(run, model):
    assert run('--text=明天', '--num_styles=3', '--style_seed=4', '--out=hands.png')[0] is None
    assert run('--text=明天', '--num_styles=3', '--style_seed=4', '--out=hands')[0] is None
    sheet = pixels('hands.png')
    for number, expected in enumerate(Writer.load(model).write(['明天'] * 3, style_seeds=[4, 5, 6])):
        np.testing.assert_array_equal(sheet[20 * number:20 * number + 16], expected)
        np.testing.assert_array_equal(pixels(f'hands/{number + 1:06d}.png'), expected)
    assert pathlib.Path('hands/styles.tsv').read_text() == '000001.png\t4\n000002.png\t5\n000003.png\t6\n'


@pytest.mark.parametrize('seeds', [['--interpolate', '3', '8'], ['--interpolate=3,8']], ids=['spaced', 'comma'])
def test_from_hand_to_hand(run, model, seeds):
    assert run('--text=明天', *seeds, '--steps=3', '--out=between.png')[0] is None
    sheet, writer = pixels('between.png'), Writer.load(model)
    first, = writer.write('明天', style_seeds=3)
    last, = writer.write('明天', style_seeds=3, styles=writer.styles(8)[0])  # the noise of the first hand throughout
    np.testing.assert_array_equal(sheet[:16], first)
    assert np.abs(sheet[-16:].astype(int) - last).max() <= 1  # the great circle's end in float32
    assert (sheet[20:36] != first).any()


def test_training_data(run, model):
    pathlib.Path('lines.txt').write_text('明天去\n\n　钓鱼。⿱山鱼\n', encoding='utf-8')
    status, out, _ = run('--text_file=lines.txt', '--styles_per_line=random', '--num_styles=2', '--style_seed=10', '--out=data')
    assert status is None and '4 pictures, labels.tsv; 4 lines, 14 characters' in out
    labels = [row.split('\t') for row in pathlib.Path('data/labels.tsv').read_text(encoding='utf-8').splitlines()]
    assert labels == [['000001.png', '明天去'], ['000002.png', '明天去'], ['000003.png', '钓鱼。⿱山鱼'], ['000004.png', '钓鱼。⿱山鱼']]
    seeds = [row.split('\t')[1] for row in pathlib.Path('data/styles.tsv').read_text().splitlines()]
    assert seeds == ['10', '11', '12', '13']
    for (name, text), seed in zip(labels, seeds):
        np.testing.assert_array_equal(pixels(f'data/{name}'), Writer.load(model).write(text, style_seeds=int(seed))[0])
    assert run('--text_file=lines.txt', '--style_seed=10', '--out=same')[0] is None
    assert pathlib.Path('same/styles.tsv').read_text() == '000001.png\t10\n000002.png\t10\n'


def test_many_lines_are_written_in_chunks(run, monkeypatch):
    pathlib.Path('lines.txt').write_text('一\n二三\n' * 5)
    run('--text_file=lines.txt', '--styles_per_line=random', '--out=whole')
    monkeypatch.setattr(generate, 'CHUNK_LINES', 3)
    monkeypatch.setattr(generate, 'REPORT_SEC', 0.)
    status, _, err = run('--text_file=lines.txt', '--styles_per_line=random', '--out=chunks')
    assert status is None and 'line 10/10 (100 %)' in err and 'ETA' in err
    for name in os.listdir('whole'):
        assert pathlib.Path('whole', name).read_bytes() == pathlib.Path('chunks', name).read_bytes()


def test_records(run, model):
    pathlib.Path('lines.txt').write_text('明天去\n⿱山鱼A\n')
    status, out, _ = run('--text_file=lines.txt', '--styles_per_line=random', '--format=tfrecord', '--height_px=32', '--out=shards')
    assert status is None and '2 records in 1 shard;' in out
    index = RecordIndex('shards', split='train')
    record, charset = index.read_record(1), Charset.load()
    assert (record.text, record.writer, record.image.shape) == ('⿱山鱼A', 'style-1', (32, 64))
    assert record.boxes.tolist() == [[0, 0, 32, 32], [32, 0, 64, 32]]
    np.testing.assert_array_equal(record.component_ids, charset.encode('⿱山鱼A').component_ids)
    info = read_info('shards')
    assert info['splits']['train']['records'] == 2 and info['charset']['hash'] == charset.hash and info['image_height_px'] == 32
    assert info['vocabulary'] == sorted(charset.character_id(c) for c in '明天去A')


def test_pages(run):
    status, out, _ = run('--text=明天，去钓鱼。\n\n好', '--page_width=4', '--margin=.5', '--line_spacing=1.5', '--indent=1', '--out=page.png')
    assert status is None and '3 lines, 8 characters' in out
    page = pixels('page.png')
    assert page.shape == (8 + 3 * 24 + 16 + 8, 8 + 4 * 16 + 8)  # 明天， / 去钓鱼。 / empty / 好
    assert (page[:, :8] == 255).all() and (page[:8] == 255).all()


def test_pages_in_a_folder_at_another_height(run):
    status, out, _ = run('--text', '一二三四五六七八', '--page_width=64px', '--indent=0', '--page_lines=1', '--height_px=32', '--out=pages')
    assert status is None and '4 pages' in out  # 64 px hold two characters of 32
    assert [pixels(f'pages/{n:06d}.png').shape for n in (1, 2, 3, 4)] == [(96, 128)] * 4
    assert run('--text', '一二三四五六七八', '--page_width=2', '--indent=0', '--page_lines=1', '--out=page.png')[0] == 2


def test_height(run):
    run('--text=明天', '--height_px=24', '--out=line.png')
    assert pixels('line.png').shape == (24, 48)


def test_nothing_is_replaced_unasked(run):
    assert run('--text=明', '--out=line.png')[0] is None
    before = pathlib.Path('line.png').read_bytes()
    status, _, err = run('--text=天', '--out=line.png')
    assert status == 2 and 'line.png: exists; give --overwrite' in err and pathlib.Path('line.png').read_bytes() == before
    assert run('--text=天', '--out=line.png', '--overwrite')[0] is None
    assert pathlib.Path('line.png').read_bytes() != before


def test_unwritable_rows(run):
    pathlib.Path('lines.txt').write_text('明\n天ก\n')
    status, _, err = run('--text_file=lines.txt', '--out=data')
    assert status == 2 and err.startswith('generate: lines.txt:2: ') and 'U+0E01' in err and 'position 1' in err and err.count('\n') == 1
    assert os.listdir('.') == ['lines.txt']
    status, out, err = run('--text_file=lines.txt', '--out=data', '--skip_unwritable')
    assert status is None and '1 row left out' in out and 'left out: lines.txt:2' in err
    assert pathlib.Path('data/labels.tsv').read_text() == '000001.png\t明\n'


@pytest.mark.parametrize('arguments, message', [
    ([], 'expected either --text'),
    (['--text=明', '--text_file=x', '--out=x'], 'expected either --text'),
    (['--text=明'], '--out is missing'),
    (['--text=', '--out=x.png'], 'empty text'),
    (['--text= ', '--page_width=9', '--out=x.png'], 'empty'),
    (['--text=ก', '--out=x.png'], 'U+0E01'),
    (['--text=⿱山', '--out=x.png'], 'the text ends inside'),
    (['--text=明\n天', '--out=x.png'], 'line break'),
    (['--text=明', '--out=x.jpg'], None),  # a folder of that name
    (['--text_file=nowhere.txt', '--out=x'], 'nowhere.txt: no such file'),
    (['--text=明', '--interpolate=3', '--out=x.png'], 'expected two style seeds'),
    (['--text=明', '--interpolate', '3', 'x', '--out=x.png'], 'expected two style seeds'),
    (['--text=明', '--interpolate=3,4', '--num_styles=2', '--out=x.png'], '--num_styles does not go with --interpolate'),
    (['--text=明', '--page_width=9', '--format=tfrecord', '--out=x'], '--format tfrecord does not go with --page_width'),
    (['--text=明', '--page_width=wide', '--out=x.png'], "page width 'wide'"),
    (['--text=明', '--page_width=2', '--out=x.png'], 'indent of 2 characters'),
    (['--text=明', 'more', '--out=x.png'], "'more' is not a flag"),
    (['--text=明', '--style_seed=18446744073709551616', '--out=x.png'], '0 to 2^64 - 1'),
    (['--text=' + '明' * 62501, '--out=x.png'], 'makes a picture of 1,000,016 px'),
])
def test_complaints(run, arguments, message):
    status, _, err = run(*arguments)
    if message is None:
        assert status is None
    else:
        assert status == 2 and message in err and err.count('\n') == 1, err
        assert os.listdir('.') == []


def test_missing_model(run):
    status, _, err = run('--text=明', '--out=x.png', model='nowhere')
    assert status == 2 and 'nowhere: no generator there' in err


def test_help_imports_no_tensorflow():
    code = ('import sys\nfrom hwgen.cli import app\n'
            'try:\n    app.dispatch(["generate", "--help"])\nexcept SystemExit as leave:\n    assert not leave.code\n'
            'heavy = {"tensorflow", "keras", "numpy", "cv2"} & set(sys.modules)\nassert not heavy, heavy')
    root = str(pathlib.Path(app.__file__).resolve().parents[2])
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': root}, check=False)
    assert done.returncode == 0, done.stderr
    assert '--interpolate' in done.stdout and 'Training data' in done.stdout
