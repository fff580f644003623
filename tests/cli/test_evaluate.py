"""`evaluate` from flags to report, on printed lines that the reader reads without error."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys

import forked
import numpy as np
import pytest
from many_calls import calls
from PIL import Image, ImageDraw, ImageFont

import hwgen
from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent

needs_reader = pytest.mark.skipif(
    importlib.util.find_spec('rapidocr') is None or importlib.util.find_spec('onnxruntime') is None,
    reason='needs the extra `reader` (rapidocr, onnxruntime)',
)
SAMPLE = f'--data={CHECKOUT}/tfrecords/sample'


def evaluate(*arguments, run=forked.run):
    return run(
        [sys.executable, '-P', '-m', 'hwgen.cli', 'evaluate', *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
    )


def assert_refused(*cases, always=()):
    """Each (arguments, message) ends with status 2 and its message in one line; all in one process."""
    setup = 'from hwgen.cli import quiet\nquiet.quiet_tensorflow()'
    found = calls('evaluate', [[*always, *arguments] for arguments, _ in cases], setup=setup)
    for (arguments, message), (status, _, _, err) in zip(cases, found):
        assert status == 2 and message in err and err.count('\n') == 1, (arguments, status, err)


def printed(text):
    """A record of a printed line, 64 px high and 40 px a character."""
    image = Image.new('L', (40 * len(text), 64), 255)
    for place, letter in enumerate(text):
        ImageDraw.Draw(image).text(
            (40 * place + 20, 32), letter, font=ImageFont.load_default(48), fill=20, anchor='mm'
        )
    ids = np.ones(len(text), np.int32)
    return records.LineRecord(
        np.array(image), text, ids, np.ones((len(text), 4), np.int32), ids, 'printer', 'print'
    )


def write_lines(folder, **splits):
    counts = {
        split: shard_writer.write_shards(map(printed, texts), folder, split=split, num_shards=1)._asdict()
        for split, texts in splits.items()
    }
    shards.write_info(
        folder,
        {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}, 'source': 'print', 'version': 1},
    )


@needs_reader
def test_reads_real_lines_and_reports_them(tmp_path):
    (tmp_path / 'lines').mkdir()
    # The last label of `unseen` is wrong on purpose: one error in 6 characters.
    write_lines(tmp_path / 'lines', test=['HWGEN', '2026', 'PAPER'], unseen=['INK', 'PEN'])
    info = tmp_path / 'lines'
    wrong = [printed('INK'), printed('PEN')._replace(text='PET')]
    counts = shard_writer.write_shards(wrong, info, split='unseen', num_shards=1)
    assert counts.characters == 6
    first = evaluate('--data=lines', '--model=', '--num_lines=10', '--true_aspect', '--out=report')
    assert (first.returncode, first.stderr) == (0, '')
    found = json.loads(pathlib.Path('report/reader.json').read_text(encoding='utf-8'))
    figures = {
        row['name']: (row['num_lines'], row['num_characters'], round(row['cer'], 4))
        for row in found['conditions']
    }
    assert figures['real_seen_true_aspect'] == (3, 14, 0) and figures['real_unseen_true_aspect'] == (
        2,
        6,
        0.1667,
    )
    assert set(figures) == {'real_seen', 'real_unseen', 'real_seen_true_aspect', 'real_unseen_true_aspect'}
    kinds = {row['name']: row for row in found['symbol_conditions']}
    assert set(kinds) == {'real_punctuation', 'real_digits', 'real_latin'} and all(
        row['num_lines'] == 3 and row['cer'] < 0.5 for row in kinds.values()
    )
    assert {row['kind'] for row in found['symbols']} == {'punctuation', 'digits', 'latin'} and all(
        row['num_places'] >= row['real'] for row in found['symbols']
    )
    assert '| punctuation | 。 |' in pathlib.Path('report/reader.md').read_text(encoding='utf-8')
    assert {'cer_punctuation_3', 'cer_digits_3', 'cer_latin_3'} <= {row['name'] for row in found['figures']}
    # Three seeds of the choice of lines; here all lines are read in each.
    unseen = next(row for row in found['figures'] if row['name'] == 'cer_unseen_2')
    assert (
        unseen['true_aspect']['values'] == pytest.approx([1 / 6] * 3)
        and unseen['true_aspect']['spread'] == 0.0
    )
    assert found['model'] == 'none' and found['data'] == {'folder': 'lines', 'source': 'print', 'version': 1}
    assert 'unseen' in first.stdout and 'report/reader.png' in first.stdout
    before = {path.name: path.read_bytes() for path in pathlib.Path('report').iterdir()}
    assert sorted(before) == ['reader.html', 'reader.json', 'reader.md', 'reader.png', 'reader.tsv']
    again = evaluate(
        '--data=lines', '--model=', '--num_lines=10', '--true_aspect', '--out=report', run=subprocess.run
    )
    assert (again.returncode, again.stderr) == (0, '')
    assert before == {path.name: path.read_bytes() for path in pathlib.Path('report').iterdir()}


@needs_reader
def test_says_what_is_missing(tmp_path):
    (tmp_path / 'lines').mkdir()
    write_lines(tmp_path / 'lines', train=['INK'])
    assert_refused(
        (['--data=none', '--model='], 'evaluate: none: no such folder'),
        (['--data=lines', '--model='], 'evaluate: lines: no split test'),
        (
            ['--data=lines', '--protocol=taste'],
            (
                'evaluate: flag --protocol=taste: value should be one of'
                ' <reader|hands|hct|scrabblegan|ganwriting|hwd|interpolation|neighbours|shots|nonsense'
                '|comparison|ablation|usefulness|imitation>'
            ),
        ),
        (
            [f'--data={CHECKOUT}/tfrecords/sample', '--protocol=hands'],
            '0 writers with 12 lines or more: expected 8',
        ),
        (
            [f'--data={CHECKOUT}/tfrecords/sample', '--protocol=hands', '--model='],
            'expected the folder of a model',
        ),
    )


def test_seeds_begin_where_they_are_told_to(tmp_path):
    """With the judges, and what they would judge, left out."""
    (tmp_path / 'lines').mkdir()
    write_lines(tmp_path / 'lines', test=['INK'])
    script = (
        'from hwgen.evaluation import protocol_run\nfrom hwgen.evaluation.judges import panel\n'
        'panel.open_judges = lambda *arguments, **options:'
        ' {}\nprotocol_run.run = lambda protocol, task: print(task.protocol, task.seeds, task.num_lines,'
        ' task.truncation)\nimport runpy\nrunpy.run_module("hwgen.cli", run_name="__main__", alter_sys=True)'
    )
    done = subprocess.run(
        [
            sys.executable,
            '-P',
            '-c',
            script,
            'evaluate',
            '--protocol=hct',
            '--model=',
            '--data=lines',
            '--seed=4',
            '--seeds=2',
            '--num_lines=7',
            '--truncation=.3',
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
    )
    assert (done.returncode, done.stdout) == (0, 'hct [4, 5] 7 0.3\n'), done.stderr


@pytest.mark.slow
@needs_reader
def test_what_was_hardly_or_never_seen(tmp_path):
    """A few lines with the models that ship: the same figures twice; a model is not better than itself."""
    settings = json.loads((CHECKOUT / 'tfrecords/sample/info.json').read_text(encoding='utf-8'))
    shutil.copytree(CHECKOUT / 'tfrecords/sample', tmp_path / 'lines')
    refused = evaluate('--protocol=shots', '--data=lines')
    assert (
        refused.returncode == 2
        and 'no shots: expected a folder of `prepare --shots=0,1,5,20`' in refused.stderr
        and refused.stderr.count('\n') == 1
    )
    settings['shots'] = {'0': settings['held_out'][::2], '5': settings['held_out'][1::2]}
    (tmp_path / 'lines/info.json').write_text(json.dumps(settings), encoding='utf-8')
    files = {
        'shots': ['shots.html', 'shots.json', 'shots.md', 'shots.png'],
        'nonsense': ['nonsense.html', 'nonsense.json', 'nonsense.md', 'nonsense.png', 'nonsense.txt'],
    }
    for protocol, names in files.items():
        arguments = [
            f'--protocol={protocol}',
            '--data=lines',
            '--num_lines=6',
            '--seeds=2',
            '--out=out-' + protocol,
            '--model=demo',  # as --before, of one size
        ]
        first = evaluate(*arguments)
        assert (first.returncode, first.stderr) == (0, ''), first.stderr
        before = {path.name: path.read_bytes() for path in pathlib.Path('out-' + protocol).iterdir()}
        assert sorted(before) == names
        assert evaluate(*arguments).returncode == 0 and before == {
            path.name: path.read_bytes() for path in pathlib.Path('out-' + protocol).iterdir()
        }
    found = json.loads(pathlib.Path('out-shots/shots.json').read_text(encoding='utf-8'))
    assert {row['name'] for row in found['figures']} == {
        f'error_{r}_{g}_6' for r in ('ppocr', 'components') for g in ('seen', 'shots0', 'shots5')
    }
    assert all(row['before'] == row['after'] for row in found['figures']) and all(
        row['gain'] == [0, 0, 0] for row in found['conditions']
    )


@pytest.mark.slow
def test_distances_twice_and_against_each_other(tmp_path):
    """A few lines of one writer, with the models that ship."""
    (tmp_path / 'lines').mkdir()
    write_lines(
        tmp_path / 'lines',
        test=['HWGEN', '2026', 'PAPER', 'INK', 'PEN', 'LINES', 'GAN', 'TEXT', '1234', 'HAND', 'NIB', 'CELL'],
    )
    arguments = ['--protocol=ganwriting', '--data=lines', '--num_lines=6', '--seeds=2']
    first = evaluate(*arguments, '--out=first')
    assert (first.returncode, first.stderr) == (0, '')
    assert sorted(path.name for path in pathlib.Path('first').iterdir()) == [
        'ganwriting.html',
        'ganwriting.json',
        'ganwriting.png',
    ]
    before = pathlib.Path('first/ganwriting.png').read_bytes()
    again = evaluate(*arguments, '--out=first', '--against=first/ganwriting.json')
    assert (
        again.returncode == 0
        and again.stdout.count('within the spreads') >= 6
        and 'beyond' not in again.stdout
    )
    found = json.loads(pathlib.Path('first/ganwriting.json').read_text(encoding='utf-8'))
    names = {row['name'].rsplit('_', 1)[0] for row in found['figures']}
    assert names == {'fid_recognizer', 'kid_recognizer', 'is_recognizer'} and found['seeds'] == [0, 1]
    for row in found['figures']:
        assert row['generated']['spread'] is not None and len(row['floor']['values']) == 2
        assert f'<td>{row["name"]}</td>' in pathlib.Path('first/ganwriting.html').read_text(encoding='utf-8')
    rows = [line for line in again.stdout.splitlines() if 'within the spreads' in line]
    assert all(' +0 ' in row for row in rows)  # exactly the same figures
    assert before == pathlib.Path('first/ganwriting.png').read_bytes()
    for other, message in (
        (['--num_lines=5'], 'num_lines 6 there, 5 here'),
        (['--protocol=hwd'], 'protocol "ganwriting" there, "hwd" here'),
    ):
        refused = evaluate(*arguments, *other, '--out=first', '--against=first/ganwriting.json')
        assert refused.returncode == 2 and message in refused.stderr and refused.stderr.count('\n') == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    'protocol, sheets, names',
    [
        (
            'interpolation',
            ['one_hand', 'one_text', 'other_structure', 'same_structure', 'styles'],
            {'ppl', 'uneven', 'detour', 'step', 'darkness'},
        ),
        ('neighbours', ['lines'], {'neighbour', 'copies', 'nearest', 'real'}),
    ],
)
def test_what_is_written_alone_twice(protocol, sheets, names):
    """Two pairs or places, with the models that ship."""
    arguments = [f'--protocol={protocol}', SAMPLE, '--num_lines=2', '--seeds=2', '--out=report']
    first = evaluate(*arguments)
    assert (first.returncode, first.stderr) == (0, '')
    pictures = {f'{protocol}_{name}.png' for name in sheets}
    before = {path.name: path.read_bytes() for path in pathlib.Path('report').iterdir()}
    assert before.keys() == {f'{protocol}.html', f'{protocol}.json', *pictures}
    again = evaluate(*arguments, f'--against=report/{protocol}.json')
    rows = [line for line in again.stdout.splitlines() if 'within the spreads' in line]
    assert len(rows) > 10 and all(' +0 ' in row for row in rows) and 'beyond' not in again.stdout
    assert all(before[name] == pathlib.Path('report', name).read_bytes() for name in pictures)
    found = json.loads(before[f'{protocol}.json'])
    assert {row['name'].split('_')[0] for row in found['figures']} <= names and found['conditions'][0][
        'num_pairs'
    ] == 4


@needs_reader
@pytest.mark.slow
def test_a_comparison_with_what_another_system_wrote(tmp_path):
    """The list of texts, filled with printed lines by hand; then a model that ships beside them, twice."""
    (tmp_path / 'lines').mkdir()
    write_lines(
        tmp_path / 'lines',
        test=['HWGEN', '2026', 'PAPER', 'INK', 'PEN', 'LINES', 'GAN', 'TEXT', '1234', 'HAND', 'NIB', 'CELL'],
    )
    arguments = ['--protocol=comparison', '--data=lines', '--num_lines=6', '--seeds=2']
    arguments.append('--model=saved_models/demo')  # the smallest that ships
    listed = evaluate(*arguments, '--texts_out=print/labels.tsv')
    assert (listed.returncode, listed.stdout, listed.stderr) == (
        0,
        'print/labels.tsv: 12 lines to write, those of 2 seeds\n',
        '',
    )
    rows = [
        row.split('\t') for row in pathlib.Path('print/labels.tsv').read_text(encoding='utf-8').splitlines()
    ]
    for name, text in rows[1:]:
        Image.fromarray(printed(text).image).save(f'print/{name}')
    missing = evaluate(*arguments, '--compare=print', '--out=found')
    assert (
        missing.returncode == 2
        and 'print/000001.png: no such picture' in missing.stderr
        and missing.stderr.count('\n') == 1
    )
    Image.fromarray(printed(rows[0][1]).image).save('print/000001.png')
    first = evaluate(*arguments, '--compare=press=print', '--out=found')
    assert (first.returncode, first.stderr) == (0, '')
    assert sorted(path.name for path in pathlib.Path('found').iterdir()) == [
        'comparison.html',
        'comparison.json',
        'comparison.png',
    ]
    found = json.loads(pathlib.Path('found/comparison.json').read_text(encoding='utf-8'))
    figures = {row['name']: row for row in found['figures']}
    # Printed by the same hand as the real lines: no distance, and read alike.
    assert figures['fid_recognizer_6']['press']['mean'] < 1e-6 < figures['fid_recognizer_6']['demo']['mean']
    assert figures['cer_6']['press']['values'] == figures['cer_6']['floor']['values'] and set(
        found['systems']
    ) == {'demo', 'press'}
    again = evaluate(*arguments, '--compare=press=print', '--out=found', '--against=found/comparison.json')
    rows = [line for line in again.stdout.splitlines() if 'the spreads' in line]
    assert (
        again.returncode == 0
        and len(rows) == 3 * len(figures)
        and all(' +0 ' in row and 'within' in row for row in rows)
    )


@needs_reader
@pytest.mark.slow
def test_comparisons_that_cannot_be_made():
    pathlib.Path('empty').mkdir()
    assert_refused(
        (
            ['--protocol=comparison', '--compare=empty'],
            'empty: neither a model (generator.json) nor pictures with their texts',
        ),
        (['--protocol=comparison', '--model='], 'with an empty --model and no --compare: expected a system'),
        (
            ['--protocol=hct', '--compare=empty'],
            '--compare or --texts_out with --protocol=hct: expected --protocol=comparison',
        ),
        always=[SAMPLE],
    )


@pytest.mark.slow
def test_distances_that_cannot_be_measured():
    assert_refused(
        (
            [f'--feature_weights={CHECKOUT}/saved_models/demo'],
            'its recognisers and its discriminator taught it, so they cannot judge it',
        ),
        (['--against=nothing.json'], 'nothing.json: no such file'),
        always=['--protocol=hct', SAMPLE],
    )
    done = evaluate('--protocol=neighbours', SAMPLE, '--model=')
    assert done.returncode == 2 and done.stderr.endswith(
        'evaluate: --protocol=neighbours with an empty --model: expected the folder of a model\n'
    )
