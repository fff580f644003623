"""What `generate` asks of its writer and makes of what it gets: a writer that keeps what it is asked
stands in, with cells of 16 x 8.
"""

import json
import os
import pathlib
import types

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from PIL import Image

import hwgen
from hwgen.charset.encoding import Charset
from hwgen.cli import app, generate
from hwgen.data.reading.shards import RecordIndex, read_info
from hwgen.generation import lines as lines_module
from hwgen.generation import progress as progress_module
from hwgen.inference.line_layout import WrittenLine
from hwgen.inference.repertoire import Repertoire
from hwgen.inference.writer import Writer


class Pen:
    """Writes each line in one grey, that of its number; `asked` has what for."""

    char_px, char_width_px, style_dim, layout = 16, 8, 3, 'cells'

    def __init__(self, repertoire):
        self.asked, self.charset, self.encode, self.lines = [], repertoire.charset, repertoire.encode, 0

    def write_lines(self, texts, **options):
        self.asked.append(
            (
                list(texts),
                {
                    name: np.asarray(value).tolist()
                    for name, value in options.items()
                    if name != 'styles' or value is not None
                },
            )
        )
        written = []
        for text in texts:
            self.lines += 1
            count = len(self.encode(text).units)
            boxes = np.array([[8 * i, 0, 8 * i + 8, 16] for i in range(count)], np.int32)
            written.append(WrittenLine(np.full([16, 8 * count], self.lines, np.uint8), boxes))
        return written

    def styles(self, seeds, *, truncation):
        return np.float32([[seed, truncation, 0] for seed in seeds])

    def styles_between(self, first, second, *, steps, truncation):
        return np.float32([[first, second, step + truncation] for step in range(steps)])


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Function of arguments -> (exit status, stdout, stderr, Pen, options that it was loaded with)."""
    charset = Charset.load()
    sizes = dict(
        num_components=charset.num_components,
        num_structures=charset.num_structures,
        num_characters=charset.num_characters,
        char_px=16,
        char_width_px=8,
    )
    (tmp_path / 'model').mkdir()
    (tmp_path / 'model/generator.json').write_text(
        json.dumps(
            dict(format=1, generator=sizes, charset=dict(row_count=charset.row_count, hash=charset.hash))
        )
    )
    os.makedirs('here')
    monkeypatch.chdir('here')

    def call(*arguments):
        pens = []
        monkeypatch.setattr(
            Writer,
            'load',
            lambda path, **options: (
                pens.extend([Pen(Repertoire.load(path)), {'path': path, **options}]) or pens[0]
            ),
        )
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as end:
            app.run(
                generate.main,
                generate.__doc__,
                arguments=[*arguments, f'--model={tmp_path}/model'],
                program='generate',
                positional=generate.POSITIONAL,
            )
        return end.value.code, *capsys.readouterr(), *(pens or (None, None))

    return call


def grey(path):
    return np.asarray(Image.open(path))


def rows(path):
    return [row.split('\t') for row in pathlib.Path(path).read_text(encoding='utf-8').splitlines()]


def test_hands_of_one_text(run, monkeypatch):
    status, out, _, pen, loaded = run(
        '--text= 明天 ',
        '--num_styles=3',
        '--style_seed=4',
        '--truncation=.25',
        '--out=a.png',
        '--allow_unseen',
    )
    assert (
        status is None
        and [asked for asked, _ in pen.asked] == [['明天']] * 3
        and loaded['allow_unseen'] is True
        and loaded['tell'] is None
    )
    assert [options for _, options in pen.asked] == [
        dict(style_seeds=seed, styles=[seed, 0.25, 0.0], truncation=0.25) for seed in (4, 5, 6)
    ]
    assert (
        grey('a.png').shape == (16 + 2 * 20, 16)
        and [grey('a.png')[20 * i, 0] for i in range(3)] == [1, 2, 3]
        and out.count('a.png: 16 x 56 px; 3 lines, 6 characters in ') == 1
    )
    with monkeypatch.context() as patch:
        patch.setattr(progress_module, 'REPORT_SEC', 0.0)
        said = run('--text=明天', '--num_styles=4', '--out=b.png')[2].splitlines()
    assert [line.split(',')[0] for line in said] == [
        'line 1/4 (25 %)',
        'line 2/4 (50 %)',
        'line 3/4 (75 %)',
        'line 4/4 (100 %)',
    ]
    assert run('--text=明天', '--interpolate=3,8', '--steps=3', '--out=folder')[3].asked == [
        # one noise, that of the first hand
        (['明天'], dict(style_seeds=3, styles=[3.0, 8.0, pytest.approx(step + 0.8)], truncation=0.8))
        for step in range(3)
    ]
    assert (
        rows('folder/styles.tsv')
        == [['000001.png', '3..8 0.000'], ['000002.png', '3..8 0.500'], ['000003.png', '3..8 1.000']]
        and len(rows('folder/labels.tsv')) == 3
    )
    assert len(run('--text=明', '--interpolate=3,8', '--out=eight.png')[3].asked) == 8
    assert run('--text=明', '--interpolate', '3', str(2**64 - 1), '--steps=2', '--out=last.png')[0] is None
    status, _, err, *_ = run('--text=明', '--interpolate', '3', str(2**64), '--out=x.png')
    assert status == 2 and f'--interpolate 3 {2**64}: expected two style seeds' in err


@pytest.mark.parametrize(
    'arguments, said',
    [
        (['--page_width=9'], '--page_width does not go with --interpolate'),
        (['--format=tfrecord'], '--format tfrecord does not go with --interpolate'),
        (['--page_width=9', '--num_styles=2'], '--num_styles does not go with --interpolate'),
    ],
)
def test_what_does_not_go_with_interpolation(run, arguments, said):
    assert said in run('--text=明', '--interpolate=1,2', '--out=x', *arguments)[2]


def test_what_does_not_go_together(run):
    pathlib.Path('lines.txt').write_text('明\n')
    assert (
        '--text_file does not go with --interpolate'
        in run('--text_file=lines.txt', '--interpolate=1,2', '--out=x')[2]
    )
    assert (
        '--styles_per_line random does not go with --page_width'
        in run('--text=明', '--page_width=5', '--styles_per_line=random', '--out=x.png')[2]
    )
    assert "argument 'x' is not a flag" in run('--text=明', '--out=x.png', 'x')[2]
    assert (
        run('--text=明\n', '--out=x.png')[0] is None
        and '--text holds a line break' in run('--text=明\n天', '--out=y.png')[2]
    )


def test_rows_in_hands_of_their_own(run, monkeypatch):
    """Row by row, each in all its hands; three complaints are enough; the longest line is the one that is
    too long.
    """
    pathlib.Path('lines.txt').write_text('明天\n\nก\n ⿱山鱼人 \n' + 'ก\n' * 3, encoding='utf-8')
    monkeypatch.setattr(lines_module, 'CHUNK_LINES', 3)
    status, out, err, pen, _ = run(
        '--text_file=lines.txt',
        '--styles_per_line=random',
        '--num_styles=2',
        '--style_seed=10',
        '--skip_unwritable',
        '--out=data',
        '--height_px=8',
    )
    assert status is None and pen.asked == [
        (['明天', '明天', '⿱山鱼人'], dict(style_seeds=[10, 11, 12], truncation=0.8)),
        (['⿱山鱼人'], dict(style_seeds=[13], truncation=0.8)),
    ]
    assert (
        rows('data/styles.tsv') == [[f'{n:06d}.png', str(9 + n)] for n in (1, 2, 3, 4)]
        and grey('data/000001.png').shape == (8, 8)
        and grey('data/000003.png')[0, 0] == 3
    )
    assert 'data: 4 pictures, labels.tsv, 4 rows left out; 4 lines, 8 characters in ' in out and [
        line.split(':')[2] for line in err.splitlines()
    ] == ['3', '5', '6']
    assert [
        options['style_seeds']
        for _, options in run(
            '--text_file=lines.txt', '--num_styles=2', '--style_seed=10', '--skip_unwritable', '--out=same'
        )[3].asked
    ] == [[10, 11, 10], [11]]
    assert rows('same/styles.tsv')[2][1] == '10'
    for seed, status in ((2**64 - 4, None), (2**64 - 3, 2)):
        found, _, err, *_ = run(
            '--text_file=lines.txt',
            '--styles_per_line=random',
            '--num_styles=2',
            f'--style_seed={seed}',
            '--skip_unwritable',
            f'--out=at{seed}',
        )
        assert found == status and (
            status is None
            or f'--style_seed={seed}: 4 lines have seeds of their own, expected 0 to 2^64 - 4' in err
        )
    pathlib.Path('long.txt').write_text('明\n' + '天' * 125_001 + '\n人\n', encoding='utf-8')
    assert 'long.txt:2: makes a picture of 1,000,008 x 16 px' in run('--text_file=long.txt', '--out=long')[2]
    assert run('--text=明', '--out=one/')[3].asked == [(['明'], dict(style_seeds=[0], truncation=0.8))]


def test_records_of_cells_that_are_no_squares(run, monkeypatch):
    """24 x 16 px scaled to 15 are 22 wide (22.5, to even): cells end at 8, 16, 24 times 22/24, and at 16
    times 15/16.
    """
    monkeypatch.setattr(lines_module, 'SHARD_RECORDS', 2)
    monkeypatch.setattr('sys.argv', ['hwgen', 'generate', '--text_file=lines.txt', '--out=my shards'])
    pathlib.Path('lines.txt').write_text('明天去\n一\n二三\n四\n', encoding='utf-8')
    status, out, _, pen, _ = run(
        '--text_file=lines.txt',
        '--format=tfrecord',
        '--height_px=15',
        '--styles_per_line=random',
        '--style_seed=7',
        '--out=shards',
    )
    assert status is None and 'shards: 4 records in 2 shards; 4 lines, 7 characters in ' in out
    index, charset = RecordIndex('shards', split='train'), Charset.load()
    record = next(record for record in map(index.read_record, range(4)) if record.text == '明天去')
    assert (
        record.image.shape == (15, 22)
        and record.boxes.tolist() == [[0, 0, 7, 15], [7, 0, 15, 15], [15, 0, 22, 15]]
        and record.writer == 'style-7'
    )
    np.testing.assert_array_equal(record.character_ids, charset.encode('明天去').character_ids)
    np.testing.assert_array_equal(record.structure_ids, charset.encode('明天去').structure_ids)
    info = read_info('shards')
    assert info['splits']['train'] == dict(info['splits']['train'], records=4, shards=2, characters=7) and (
        info['source'],
        info['version'],
        info['seed'],
        info['image_height_px'],
        info['held_out'],
    ) == ('generated', hwgen.__version__, 7, 15, [])
    assert (
        info['vocabulary'] == sorted(charset.character_id(character) for character in '明天去一二三四')
        and info['command'] == "generate --text_file=lines.txt '--out=my shards'"
    )
    assert info['charset'] == dict(row_count=charset.row_count, hash=charset.hash)
    run('--text=⿱山鱼', '--format=tfrecord', '--out=as_it_is')
    assert (
        read_info('as_it_is')['image_height_px'] == 16
        and read_info('as_it_is')['vocabulary'] == []
        and RecordIndex('as_it_is', split='train').read_record(0).boxes.tolist() == [[0, 0, 8, 16]]
    )


def test_pages(run, monkeypatch):
    """Places and quotation marks before each line, chunk by chunk; every hand has all pages, one after the
    other.
    """
    monkeypatch.setattr(lines_module, 'CHUNK_LINES', 2)
    text = '"明天"去钓"鱼\n\n 好 '
    status, out, _, pen, _ = run(
        f'--text={text}',
        '--page_width=4',
        '--indent=1',
        '--page_lines=3',
        '--margin=.5',
        '--line_spacing=1.5',
        '--num_styles=2',
        '--style_seed=3',
        '--truncation=.5',
        '--out=pages',
    )
    lines = [['"明天', '"去钓"'], ['鱼'], ['好']]
    places = [
        dict(noise_offsets=[0, 3], quotes_before=[0, 1]),
        dict(noise_offsets=[7], quotes_before=[3]),
        dict(noise_offsets=[8], quotes_before=[0]),
    ]
    assert status is None and pen.asked == [
        (texts, dict(style_seeds=seed, truncation=0.5, **place))
        for seed in (3, 4)
        for texts, place in zip(lines, places)
    ]
    assert rows('pages/labels.tsv') == [['000001.png', '"明天\\n"去钓"\\n鱼'], ['000002.png', '好']] + [
        ['000003.png', '"明天\\n"去钓"\\n鱼'],
        ['000004.png', '好'],
    ]
    assert [seed for _, seed in rows('pages/styles.tsv')] == [
        '3',
        '3',
        '4',
        '4',
    ] and 'pages: 4 pages; 8 lines, 18 characters in ' in out
    page = grey('pages/000001.png')  # margins of 8, lines 24 apart, four cells of 8 wide
    assert page.shape == (8 + 2 * 24 + 16 + 8, 8 + 32 + 8)
    expected = np.full(page.shape, 255)
    expected[8:24, 16:40], expected[32:48, 8:40], expected[56:72, 8:16] = 1, 2, 3
    np.testing.assert_array_equal(page, expected)
    assert (grey('pages/000002.png')[32:48, 16:24] == 4).all()  # an empty line stands before it


def test_pages_at_another_height(run):
    """100 px between the margins hold six cells of 16; the page is drawn as the model writes, and scaled
    then.
    """
    status, out, _, pen, _ = run(
        '--text=' + '明' * 8, '--page_width=100px', '--height_px=32', '--indent=0', '--out=page.png'
    )
    assert (
        status is None
        and [texts for texts, _ in pen.asked] == [['明' * 6, '明' * 2]]
        and grey('page.png').shape == (2 * (16 + 22 + 16 + 16), 2 * (16 + 48 + 16))
    )
    assert 'page.png: page of 160 x 140 px; 2 lines, 8 characters in ' in out
    pathlib.Path('rows.txt').write_text('明ก\n\n天\n', encoding='utf-8')
    status, out, err, pen, _ = run(
        '--text_file=rows.txt', '--page_width=5', '--skip_unwritable', '--out=rows.png'
    )
    assert [texts for texts, _ in pen.asked] == [['天']] and grey('rows.png').shape == (
        16 + 22 + 16 + 16,
        16 + 40 + 16,
    )
    assert err.startswith('left out: rows.txt:1: ') and ', 1 row left out; ' in out
    pathlib.Path('empty.txt').write_text('\n')
    assert 'empty.txt: no text in it' in run('--text_file=empty.txt', '--page_width=5', '--out=x.png')[2]
    status, _, err, *_ = run('--text=' + '明\n' * 800, '--page_width=9', '--height_px=64', '--out=tall.jpg')
    # as large as it is scaled, too
    assert (
        status == 2 and '--text: makes a picture of' in err and 'readers of JPEG accept; --page_lines' in err
    )


def test_progress_is_told_now_and_then(capsys, monkeypatch):
    """By hand: 30 of 120 characters in 6 s are 5 a second, and 18 s are left."""
    now = [100.0]
    monkeypatch.setattr(progress_module, 'time', types.SimpleNamespace(monotonic=lambda: now[0]))
    progress = progress_module.Progress()
    progress.begin(1200, 120)
    for seconds, widths, said in (
        (104.9, [80], ''),
        (106.0, [80, 80], 'line 3/1,200 (25 %), 5 characters/s, ETA 18 s\n'),
        (110.0, [80], ''),
        (111.0, [80], 'line 5/1,200 (42 %), 5 characters/s, ETA 15 s\n'),
    ):
        now[0] = seconds
        progress.add([WrittenLine(np.zeros([16, width]), np.zeros([width // 8, 4])) for width in widths])
        assert capsys.readouterr().err == said
    now[0] = 112.5
    assert progress.summary() == '5 lines, 50 characters in 12.50 s (0.4 lines/s, 4 characters/s)'
    progress.begin(1, 1)
    assert progress.summary() == '0 lines, 0 characters in 0.00 s (0.0 lines/s, 0 characters/s)'
    assert [progress_module.count(number, 'row') for number in (0, 1, 2, 1234)] == [
        '0 rows',
        '1 row',
        '2 rows',
        '1,234 rows',
    ]
    assert (
        progress_module.REPORT_SEC == 5.0
        and lines_module.CHUNK_LINES == 64
        and flags.FLAGS['style_seed'].default == 0
    )
