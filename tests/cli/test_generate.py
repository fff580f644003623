"""The generate command, end to end with a small model: every kind of output, and every complaint in one
line.
"""

import functools
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.cli import app, generate
from hwgen.data.reading.shards import RecordIndex, read_info
from hwgen.generation import lines, progress
from hwgen.inference.artefact import save_generator
from hwgen.inference.writer import Writer
from hwgen.models.generator import Generator
from hwgen.settings.model import GeneratorConfig


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Folder of a small generator with random weights."""
    charset = Charset.load()
    generator = Generator(
        GeneratorConfig(
            charset.num_components,
            charset.num_structures,
            charset.num_characters,
            char_px=16,
            char_width_px=16,
            **{
                **PLAIN,
                **dict(
                    channels=(8, 8), content_channels=8, style_part_dim=4, component_dim=8, structure_dim=4
                ),
            },
        )
    )
    generator(
        characters=Characters.ones(),
        style=np.zeros([1, 12], np.float32),
        character_noise=np.zeros([1, 1, 8], np.float32),
    )
    path = tmp_path_factory.mktemp('models') / 'small'
    save_generator(str(path), generator, charset=charset)
    return str(path)


# the commands of one test run need not read one model forty times
_load = functools.lru_cache(None)(Writer.load)


@pytest.fixture
def run(model, capsys, monkeypatch):
    """Function of arguments -> (exit status, stdout, stderr)."""
    monkeypatch.setattr(Writer, 'load', _load)

    def run_generate(*arguments, model=model):
        with flagsaver.flagsaver():
            try:
                app.run(
                    generate.main,
                    generate.__doc__,
                    arguments=[*arguments, f'--model={model}'],
                    program='generate',
                    positional=generate.POSITIONAL,
                )
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
    (expected,) = Writer.load(model).write('明天⿱山鱼', style_seeds=5)
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
        np.testing.assert_array_equal(sheet[20 * number : 20 * number + 16], expected)
        np.testing.assert_array_equal(pixels(f'hands/{number + 1:06d}.png'), expected)
    assert pathlib.Path('hands/styles.tsv').read_text() == '000001.png\t4\n000002.png\t5\n000003.png\t6\n'


@pytest.mark.parametrize(
    'seeds', [['--interpolate', '3', '8'], ['--interpolate=3,8']], ids=['spaced', 'comma']
)
def test_from_hand_to_hand(run, model, seeds):
    assert run('--text=明天', *seeds, '--steps=3', '--out=between.png')[0] is None
    sheet, writer = pixels('between.png'), Writer.load(model)
    (first,) = writer.write('明天', style_seeds=3)
    # the noise of the first hand throughout
    (last,) = writer.write('明天', style_seeds=3, styles=writer.styles(8)[0])
    np.testing.assert_array_equal(sheet[:16], first)
    assert np.abs(sheet[-16:].astype(int) - last).max() <= 1  # the great circle's end in float32
    assert (sheet[20:36] != first).any()


def test_training_data(run, model):
    pathlib.Path('lines.txt').write_text('明天去\n\n　钓鱼。⿱山鱼\n', encoding='utf-8')
    status, out, _ = run(
        '--text_file=lines.txt', '--styles_per_line=random', '--num_styles=2', '--style_seed=10', '--out=data'
    )
    assert status is None and '4 pictures, labels.tsv; 4 lines, 14 characters' in out
    labels = [
        row.split('\t') for row in pathlib.Path('data/labels.tsv').read_text(encoding='utf-8').splitlines()
    ]
    assert labels == [
        ['000001.png', '明天去'],
        ['000002.png', '明天去'],
        ['000003.png', '钓鱼。⿱山鱼'],
        ['000004.png', '钓鱼。⿱山鱼'],
    ]
    seeds = [row.split('\t')[1] for row in pathlib.Path('data/styles.tsv').read_text().splitlines()]
    assert seeds == ['10', '11', '12', '13']
    for (name, text), seed in zip(labels, seeds):
        np.testing.assert_array_equal(
            pixels(f'data/{name}'), Writer.load(model).write(text, style_seeds=int(seed))[0]
        )
    assert run('--text_file=lines.txt', '--style_seed=10', '--out=same')[0] is None
    assert pathlib.Path('same/styles.tsv').read_text() == '000001.png\t10\n000002.png\t10\n'


def test_many_lines_are_written_in_chunks(run, monkeypatch):
    pathlib.Path('lines.txt').write_text('一\n二三\n' * 5)
    run('--text_file=lines.txt', '--styles_per_line=random', '--out=whole')
    monkeypatch.setattr(lines, 'CHUNK_LINES', 3)
    monkeypatch.setattr(progress, 'REPORT_SEC', 0.0)
    status, _, err = run('--text_file=lines.txt', '--styles_per_line=random', '--out=chunks')
    assert status is None and 'line 10/10 (100 %)' in err and 'ETA' in err
    for name in os.listdir('whole'):
        assert pathlib.Path('whole', name).read_bytes() == pathlib.Path('chunks', name).read_bytes()


def test_records(run, model):
    pathlib.Path('lines.txt').write_text('明天去\n⿱山鱼A\n')
    status, out, _ = run(
        '--text_file=lines.txt',
        '--styles_per_line=random',
        '--format=tfrecord',
        '--height_px=32',
        '--out=shards',
    )
    assert status is None and '2 records in 1 shard;' in out
    index = RecordIndex('shards', split='train')
    record, charset = index.read_record(1), Charset.load()
    assert (record.text, record.writer, record.image.shape) == ('⿱山鱼A', 'style-1', (32, 64))
    assert record.boxes.tolist() == [[0, 0, 32, 32], [32, 0, 64, 32]]
    np.testing.assert_array_equal(record.component_ids, charset.encode('⿱山鱼A').component_ids)
    info = read_info('shards')
    assert (
        info['splits']['train']['records'] == 2
        and info['charset']['hash'] == charset.hash
        and info['image_height_px'] == 32
    )
    assert info['vocabulary'] == sorted(charset.character_id(c) for c in '明天去A')


def test_pages(run):
    status, out, _ = run(
        '--text=明天，去钓鱼。\n\n好',
        '--page_width=4',
        '--margin=.5',
        '--line_spacing=1.5',
        '--indent=1',
        '--out=page.png',
    )
    assert status is None and '3 lines, 8 characters' in out
    page = pixels('page.png')
    assert page.shape == (8 + 3 * 24 + 16 + 8, 8 + 4 * 16 + 8)  # 明天， / 去钓鱼。 / empty / 好
    assert (page[:, :8] == 255).all() and (page[:8] == 255).all()


def test_pages_in_a_folder_at_another_height(run):
    status, out, _ = run(
        '--text',
        '一二三四五六七八',
        '--page_width=64px',
        '--indent=0',
        '--page_lines=1',
        '--height_px=32',
        '--out=pages',
    )
    assert status is None and '4 pages' in out  # 64 px hold two characters of 32
    assert [pixels(f'pages/{n:06d}.png').shape for n in (1, 2, 3, 4)] == [(96, 128)] * 4
    assert (
        run('--text', '一二三四五六七八', '--page_width=2', '--indent=0', '--page_lines=1', '--out=page.png')[
            0
        ]
        == 2
    )


def test_height(run):
    run('--text=明天', '--height_px=24', '--out=line.png')
    assert pixels('line.png').shape == (24, 48)


def test_nothing_is_replaced_unasked(run):
    assert run('--text=明', '--out=line.png')[0] is None
    before = pathlib.Path('line.png').read_bytes()
    status, _, err = run('--text=天', '--out=line.png')
    assert (
        status == 2
        and 'line.png: exists; give --overwrite' in err
        and pathlib.Path('line.png').read_bytes() == before
    )
    assert run('--text=天', '--out=line.png', '--overwrite')[0] is None
    assert pathlib.Path('line.png').read_bytes() != before


def test_unwritable_rows(run):
    pathlib.Path('lines.txt').write_text('明\n天ก\n')
    status, _, err = run('--text_file=lines.txt', '--out=data')
    assert (
        status == 2
        and err.startswith('generate: lines.txt:2: ')
        and 'U+0E01' in err
        and 'position 1' in err
        and err.count('\n') == 1
    )
    assert os.listdir('.') == ['lines.txt']
    status, out, err = run('--text_file=lines.txt', '--out=data', '--skip_unwritable')
    assert status is None and '1 row left out' in out and 'left out: lines.txt:2' in err
    assert pathlib.Path('data/labels.tsv').read_text() == '000001.png\t明\n'


@pytest.mark.parametrize(
    'arguments, message',
    [
        ([], 'expected either --text'),
        (['--text=明', '--text_file=x', '--out=x'], 'expected either --text'),
        (['--text=明'], '--out is missing'),
        (['--text=', '--out=x.png'], 'empty text'),
        (['--text= ', '--page_width=9', '--out=x.png'], 'empty'),
        (['--text=ก', '--out=x.png'], 'U+0E01'),
        (['--text=⿱山', '--out=x.png'], 'the text ends inside'),
        (['--text=明\n天', '--out=x.png'], 'line break'),
        (['--text=明', '--out=x.gif'], 'x.gif: no .gif file is written'),
        (
            ['--text_file=/dev/null', '--out=x.png'],
            '--out=x.png: --text_file without --page_width writes a folder',
        ),
        (['--text=明', '--format=tfrecord', '--out=x.png'], '--out=x.png: --format tfrecord writes a folder'),
        (['--text_file=/dev/null', '--out=x'], '/dev/null: no text in it'),
        (
            [
                '--text=' + '明\n' * 700,
                '--page_width=1',
                '--indent=0',
                '--margin=0',
                '--line_spacing=100',
                '--out=x.png',
            ],
            '--text: makes a picture of 16 x 1,118,416 px; expected at most 1,000,000 px wide and high',
        ),
        (
            ['--text=' + '明\n' * 9000, '--page_width=80', '--out=x.png'],
            (
                'expected at most 178,956,970 pixels in all, the largest that readers of PNG accept;'
                ' --page_lines'
            ),
        ),
        (
            ['--text=' + '明\n' * 9000, '--page_width=80', '--height_px=4', '--out=x'],
            'expected at most 178,956,970',
        ),
        (
            ['--text=明', '--num_styles=50001', '--out=x.png'],
            '--text in 50,001 hands: makes a picture of 16 x 1,000,016 px',
        ),
        (
            ['--text=明', '--interpolate=1,2', '--steps=50001', '--out=x.png'],
            'a folder as --out has a picture for each hand',
        ),
        (
            ['--text=' + '明' * 1201, '--out=x.pdf'],
            '19,200 px wide and high, the largest that readers of PDF accept',
        ),
        (['--text_file=nowhere.txt', '--out=x'], 'nowhere.txt: no such file'),
        (['--text=明', '--interpolate=3', '--out=x.png'], 'expected two style seeds'),
        (['--text=明', '--interpolate', '3', 'x', '--out=x.png'], 'expected two style seeds'),
        (
            ['--text=明', '--interpolate=3,4', '--num_styles=2', '--out=x.png'],
            '--num_styles does not go with --interpolate',
        ),
        (
            ['--text=明', '--page_width=9', '--format=tfrecord', '--out=x'],
            '--format tfrecord does not go with --page_width',
        ),
        (['--text=明', '--page_width=wide', '--out=x.png'], "page width 'wide'"),
        (['--text=明', '--page_width=2', '--out=x.png'], 'indent of 2 characters'),
        (['--text=明', 'more', '--out=x.png'], "'more' is not a flag"),
        (['--text=明', '--style_seed=18446744073709551616', '--out=x.png'], '0 to 2^64 - 1'),
        (['--text=' + '明' * 62501, '--out=x.png'], 'makes a picture of 1,000,016 x 16 px'),
    ],
)
def test_complaints(run, arguments, message):
    status, out, err = run(*arguments)
    assert status == 2 and message in err and err.count('\n') == 1, err
    assert os.listdir('.') == []
    assert 'loading' not in out  # told before the model is loaded


def test_missing_model(run):
    status, out, err = run('--text=明', '--out=x.png', model='nowhere')
    assert status == 2 and 'nowhere: no generator there' in err and out == ''
    os.mkdir('run')
    pathlib.Path('run/config.json').write_text('{}')
    status, _, err = run('--text=明', '--out=x.png', model='run')
    assert (
        status == 2
        and 'run: no generator there' in err
        and 'a training is there that has not written its model yet' in err
    )


@pytest.fixture
def pipe():
    """Function of a text -> path of a pipe that holds it, which can be read once."""
    opened = []

    def write(text):
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        opened.append(reading)
        return f'/dev/fd/{reading}'

    yield write
    for descriptor in opened:
        os.close(descriptor)


def test_texts_that_can_be_read_once(run, pipe, monkeypatch):
    text = '明天\n\n去钓鱼\n'
    pathlib.Path('lines.txt').write_text(text, encoding='utf-8')
    for kind, arguments in {
        'lines': [],
        'pages': ['--page_width=4', '--indent=0', '--page_lines=1'],
        'shards': ['--format=tfrecord'],
    }.items():
        assert run('--text_file=lines.txt', f'--out={kind}', *arguments)[0] is None
        assert run(f'--text_file={pipe(text)}', f'--out={kind}-pipe', *arguments)[0] is None
        with monkeypatch.context() as patched:
            patched.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(text.encode()), 'utf-8'))
            assert run('--text_file=-', f'--out={kind}-stdin', *arguments)[0] is None
        for name in os.listdir(kind):
            if name != 'info.json':  # has the command in it
                assert (
                    len(
                        {
                            pathlib.Path(f'{kind}{source}', name).read_bytes()
                            for source in ('', '-pipe', '-stdin')
                        }
                    )
                    == 1
                ), name
    status, _, err = run(f'--text_file={pipe("")}', '--out=lines', '--overwrite')
    assert status == 2 and 'no text in it' in err and len(os.listdir('lines')) == 4


def test_a_text_file_that_changes_meanwhile(run, monkeypatch):
    pathlib.Path('lines.txt').write_text('明天\n去钓鱼\n', encoding='utf-8')
    assert run('--text_file=lines.txt', '--out=lines')[0] is None
    load = Writer.load

    def emptying(path, **settings):
        pathlib.Path('lines.txt').write_text('')
        return load(path)

    monkeypatch.setattr(Writer, 'load', emptying)
    status, _, err = run('--text_file=lines.txt', '--out=lines', '--overwrite')
    assert status == 2 and '0 lines found where 2 had been checked' in err
    assert len(os.listdir('lines')) == 4 and sorted(os.listdir('.')) == ['lines', 'lines.txt']


@pytest.mark.parametrize(
    'out, options',
    [('line.png', []), ('lines', []), ('shards', ['--format=tfrecord']), ('page.pdf', ['--page_width=4'])],
)
def test_two_commands_with_one_place(run, monkeypatch, out, options):
    load, second = Writer.load, []

    def meanwhile(path, **settings):
        if not second:
            second.append(None)
            second[0] = run('--text=天', f'--out={out}', *options)
        return load(path, **settings)

    monkeypatch.setattr(Writer, 'load', meanwhile)
    status, _, err = run('--text=明', f'--out={out}', *options)
    assert status is None and os.listdir('.') == [out]
    status, told, err = second[0]
    # that of the first
    assert (
        status == 2
        and f'{out}: another command is writing it at this moment' in err
        and told.count('loading') == 1
    )


def test_a_file_that_appears_meanwhile_stays(run, monkeypatch):
    load = Writer.load

    def meanwhile(path, **settings):
        pathlib.Path('line.png').write_bytes(b'theirs')
        return load(path, **settings)

    monkeypatch.setattr(Writer, 'load', meanwhile)
    status, _, err = run('--text=明', '--out=line.png')
    assert (
        status == 2
        and 'line.png: something has appeared there meanwhile' in err
        and pathlib.Path('line.png').read_bytes() == b'theirs'
    )
    assert run('--text=明', '--out=line.png', '--overwrite')[0] is None and pixels('line.png').shape == (
        16,
        16,
    )


@pytest.mark.parametrize('name', ['line.jpg', 'line.jpeg', 'line.webp', 'line.tif', 'line.bmp'])
def test_other_formats(run, model, name):
    assert run('--text=明天', f'--out={name}')[0] is None
    (expected,) = Writer.load(model).write('明天')
    difference = np.abs(np.asarray(Image.open(name).convert('L')).astype(int) - expected)
    assert difference.max() == 0 if name[-3:] not in ('jpg', 'peg') else difference.mean() < 3


def test_pages_in_one_file(run):
    pages = ['--text', '一二三四五六七八', '--page_width=2', '--indent=0', '--page_lines=1']
    status, out, _ = run(*pages, '--out=pages.pdf')
    assert (
        status is None
        and 'page of 64 x 48 px, 4 of them' in out
        and pathlib.Path('pages.pdf').read_bytes().count(b'/MediaBox') == 4
    )
    assert run(*pages, '--out=pages.tif')[0] is None and Image.open('pages.tif').n_frames == 4
    status, _, err = run(*pages, '--out=pages.png')
    assert status == 2 and '4 pages in 1 hands: expected a folder, or a .pdf or .tif' in err


def test_a_name_with_a_slash_is_a_folder(run):
    assert run('--text=明', '--out=line.png/')[0] is None and pixels('line.png/000001.png').shape == (16, 16)


def test_a_rate_is_that_of_lines_that_were_written_together(run, monkeypatch):
    monkeypatch.setattr(progress, 'REPORT_SEC', 0.0)
    monkeypatch.setattr(lines, 'CHUNK_LINES', 3)
    _, _, err = run('--text', '明天\n' * 7, '--page_width=4', '--out=page.png')
    assert [row.split(',')[0] for row in err.splitlines()] == [
        'line 3/7 (43 %)',
        'line 6/7 (86 %)',
        'line 7/7 (100 %)',
    ]


def test_a_text_is_refused_before_tensorflow(model):
    code = (
        'import sys\nfrom hwgen.cli import app\ntry:\n    app.dispatch(["generate", "--text=明ก",'
        f' "--out=x.png", "--model={model}"])\nexcept SystemExit as leave:\n    assert leave.code == 2\nheavy'
        ' = {"tensorflow", "keras"} & set(sys.modules)\nassert not heavy, heavy'
    )
    root = str(pathlib.Path(app.__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': root},
        check=False,
    )
    assert done.returncode == 0 and 'U+0E01' in done.stderr and done.stdout == '', done.stderr


def test_help_imports_no_tensorflow():
    code = (
        'import sys\nfrom hwgen.cli import app\ntry:\n    app.dispatch(["generate", "--help"])\nexcept'
        ' SystemExit as leave:\n    assert not leave.code\nheavy = {"tensorflow", "keras", "numpy", "cv2"} &'
        ' set(sys.modules)\nassert not heavy, heavy'
    )
    root = str(pathlib.Path(app.__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': root},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '--interpolate' in done.stdout and 'Training data' in done.stdout


# What the model was not shown
# ------------------------------------------------------------------------------------------


@pytest.fixture
def shown(model):
    """A copy of the model that says that it was shown these."""
    shutil.copytree(model, 'shown')
    file = pathlib.Path('shown/generator.json')
    file.write_text(
        json.dumps({**json.loads(file.read_text(encoding='utf-8')), 'seen': '明天，“”'}), encoding='utf-8'
    )
    return 'shown'


def test_what_was_not_shown_is_refused_by_name_and_place(run, shown):
    status, _, err = run('--text=明天.', '--out=line.png', model=shown)
    assert (
        status == 2
        and err.startswith('generate: U+002E . at position 2: no training picture of this model showed it; ')
        and '--allow_unseen' in err
    )
    pathlib.Path('rows.txt').write_text('明天\n3.14\n"明", 天\n', encoding='utf-8')
    status, _, err = run('--text_file=rows.txt', '--out=data', model=shown)
    assert (
        status == 2
        and err.startswith('generate: rows.txt:2: U+0033 3 at position 0: no training picture')
        and err.count('\n') == 1
    )
    assert os.path.exists('data') is False and not os.path.exists('line.png')
    status, _, err = run('--text_file=rows.txt', '--skip_unwritable', '--out=data', model=shown)
    assert status is None and err.startswith('left out: rows.txt:2: U+0033')
    labels = pathlib.Path('data/labels.tsv').read_text(encoding='utf-8')
    assert labels == '000001.png\t明天\n000002.png\t"明", 天\n'  # a label says what was asked for
    assert (pixels('data/000002.png')[:, 64:80] == 255).all()
    np.testing.assert_array_equal(
        pixels('data/000002.png'), Writer.load(shown).write('“明”，\u3000天', style_seeds=0)[0]
    )


def test_allow_unseen_writes_it_and_says_so_once(run, shown):
    status, _, err = run('--text=3.14', '--num_styles=2', '--out=hands.png', '--allow_unseen', model=shown)
    assert (
        status is None
        and err.startswith('U+0033 3 is written though no training picture')
        and err.count('\n') == 1
    )
    assert pixels('hands.png').shape[1] == 64


def test_quotation_marks_go_on_by_turns_on_a_page(run, shown):
    # The second line begins within the quotation.
    for text, name in (('"明天明天明"天\n"明"', 'plain.png'), ('“明天明天明”天\n“明”', 'round.png')):
        assert run(f'--text={text}', '--page_width=4', '--indent=0', f'--out={name}', model=shown)[0] is None
    np.testing.assert_array_equal(pixels('plain.png'), pixels('round.png'))


def test_a_model_that_does_not_say_is_told_of(run, shown):
    told = 'it does not say which characters its training pictures showed'
    status, out, err = run('--text=3.14', '--out=line.png')
    assert (status, err) == (None, '') and out.splitlines()[1].endswith(
        f's; {told}, so that none is refused for that'
    )
    assert told not in run('--text=明天', '--out=other.png', model=shown)[1]
