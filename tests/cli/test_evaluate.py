"""`evaluate` from flags to report, on printed lines that the reader reads without error."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import hwgen
from hwgen.data import records, shard_writer, shards

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent

needs_reader = pytest.mark.skipif(importlib.util.find_spec('rapidocr') is None or importlib.util.find_spec('onnxruntime') is None,
                                  reason='needs the extra `reader` (rapidocr, onnxruntime)')
SAMPLE = f'--data={CHECKOUT}/tfrecords/sample'


def evaluate(*arguments):
    return subprocess.run([sys.executable, '-P', '-m', 'hwgen.cli', 'evaluate', *arguments], capture_output=True, text=True, timeout=300,
                          env={**os.environ, 'PYTHONPATH': str(CHECKOUT)})


def printed(text):
    """A record of a printed line, 64 px high and 40 px a character."""
    image = Image.new('L', (40 * len(text), 64), 255)
    for place, letter in enumerate(text):
        ImageDraw.Draw(image).text((40 * place + 20, 32), letter, font=ImageFont.load_default(48), fill=20, anchor='mm')
    ids = np.ones(len(text), np.int32)
    return records.LineRecord(np.array(image), text, ids, np.ones((len(text), 4), np.int32), ids, 'printer', 'print')


def write_lines(folder, **splits):
    counts = {split: shard_writer.write_shards(map(printed, texts), folder, split=split, num_shards=1)._asdict() for split, texts in splits.items()}
    shards.write_info(folder, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}, 'source': 'print', 'version': 1})


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
    figures = {row['name']: (row['num_lines'], row['num_characters'], round(row['cer'], 4)) for row in found['conditions']}
    assert figures['real_seen_true_aspect'] == (3, 14, 0) and figures['real_unseen_true_aspect'] == (2, 6, .1667)
    assert set(figures) == {'real_seen', 'real_unseen', 'real_seen_true_aspect', 'real_unseen_true_aspect'}
    # Three seeds of the choice of lines; here all lines are read in each.
    unseen = next(row for row in found['figures'] if row['name'] == 'cer_unseen_2')
    assert unseen['true_aspect']['values'] == pytest.approx([1 / 6] * 3) and unseen['true_aspect']['spread'] == 0.
    assert found['model'] == 'none' and found['data'] == {'folder': 'lines', 'source': 'print', 'version': 1}
    assert 'unseen' in first.stdout and 'report/reader.png' in first.stdout
    before = {path.name: path.read_bytes() for path in pathlib.Path('report').iterdir()}
    assert sorted(before) == ['reader.html', 'reader.json', 'reader.md', 'reader.png', 'reader.tsv']
    evaluate('--data=lines', '--model=', '--num_lines=10', '--true_aspect', '--out=report')
    assert before == {path.name: path.read_bytes() for path in pathlib.Path('report').iterdir()}


@needs_reader
def test_says_what_is_missing(tmp_path):
    (tmp_path / 'lines').mkdir()
    write_lines(tmp_path / 'lines', train=['INK'])
    for arguments, message in ((['--data=none', '--model='], 'evaluate: none: no such folder'),
                               (['--data=lines', '--model='], 'evaluate: lines: no split test'),
                               (['--data=lines', '--protocol=taste'], 'evaluate: flag --protocol=taste: value should be one of <reader|hands|shots|nonsense|hct|scrabblegan|ganwriting|hwd>'),
                               ([f'--data={CHECKOUT}/tfrecords/sample', '--protocol=hands'], '0 writers with 12 lines or more: expected 8'),
                               ([f'--data={CHECKOUT}/tfrecords/sample', '--protocol=hands', '--model='], 'expected the folder of a model')):
        done = evaluate(*arguments)
        assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1


@pytest.mark.slow
@needs_reader
def test_what_was_hardly_or_never_seen(tmp_path):
    """A few lines with the models that ship: the same figures twice; a model is not better than itself."""
    settings = json.loads((CHECKOUT / 'tfrecords/sample/info.json').read_text(encoding='utf-8'))
    shutil.copytree(CHECKOUT / 'tfrecords/sample', tmp_path / 'lines')
    refused = evaluate('--protocol=shots', '--data=lines')
    assert refused.returncode == 2 and 'no shots: expected a folder of `prepare --shots=0,1,5,20`' in refused.stderr and refused.stderr.count('\n') == 1
    settings['shots'] = {'0': settings['held_out'][::2], '5': settings['held_out'][1::2]}
    (tmp_path / 'lines/info.json').write_text(json.dumps(settings), encoding='utf-8')
    files = {'shots': ['shots.html', 'shots.json', 'shots.md', 'shots.png'], 'nonsense': ['nonsense.html', 'nonsense.json', 'nonsense.md', 'nonsense.png', 'nonsense.txt']}
    for protocol, names in files.items():
        arguments = [f'--protocol={protocol}', '--data=lines', '--num_lines=6', '--seeds=2', '--out=out-' + protocol]
        first = evaluate(*arguments)
        assert (first.returncode, first.stderr) == (0, ''), first.stderr
        before = {path.name: path.read_bytes() for path in pathlib.Path('out-' + protocol).iterdir()}
        assert sorted(before) == names
        assert evaluate(*arguments).returncode == 0 and before == {path.name: path.read_bytes() for path in pathlib.Path('out-' + protocol).iterdir()}
    found = json.loads(pathlib.Path('out-shots/shots.json').read_text(encoding='utf-8'))
    assert {row['name'] for row in found['figures']} == {f'error_{r}_{g}_6' for r in ('ppocr', 'components') for g in ('seen', 'shots0', 'shots5')}
    assert all(row['before'] == row['after'] for row in found['figures']) and all(row['gain'] == [0, 0, 0] for row in found['conditions'])


@pytest.mark.slow
def test_distances_twice_and_against_each_other(tmp_path):
    """A few lines of one writer, with the models that ship."""
    (tmp_path / 'lines').mkdir()
    write_lines(tmp_path / 'lines', test=['HWGEN', '2026', 'PAPER', 'INK', 'PEN', 'LINES', 'GAN', 'TEXT', '1234', 'HAND', 'NIB', 'CELL'])
    arguments = ['--protocol=ganwriting', '--data=lines', '--num_lines=6', '--seeds=2']
    first = evaluate(*arguments, '--out=first')
    assert (first.returncode, first.stderr) == (0, '')
    assert sorted(path.name for path in pathlib.Path('first').iterdir()) == ['ganwriting.html', 'ganwriting.json', 'ganwriting.png']
    before = pathlib.Path('first/ganwriting.png').read_bytes()
    again = evaluate(*arguments, '--out=first', '--against=first/ganwriting.json')
    assert again.returncode == 0 and again.stdout.count('within the spreads') >= 6 and 'beyond' not in again.stdout
    found = json.loads(pathlib.Path('first/ganwriting.json').read_text(encoding='utf-8'))
    names = {row['name'].rsplit('_', 1)[0] for row in found['figures']}
    assert names == {'fid_recognizer', 'kid_recognizer', 'is_recognizer'} and found['seeds'] == [0, 1]
    for row in found['figures']:
        assert row['generated']['spread'] is not None and len(row['floor']['values']) == 2
        assert f'<td>{row["name"]}</td>' in pathlib.Path('first/ganwriting.html').read_text(encoding='utf-8')
    rows = [line for line in again.stdout.splitlines() if 'within the spreads' in line]
    assert all(' +0 ' in row for row in rows)  # exactly the same figures
    assert before == pathlib.Path('first/ganwriting.png').read_bytes()
    for other, message in ((['--num_lines=5'], 'num_lines 6 there, 5 here'), (['--protocol=hwd'], 'protocol "ganwriting" there, "hwd" here')):
        refused = evaluate(*arguments, *other, '--out=first', '--against=first/ganwriting.json')
        assert refused.returncode == 2 and message in refused.stderr and refused.stderr.count('\n') == 1


def test_distances_that_cannot_be_measured():
    for arguments, message in (([f'--feature_weights={CHECKOUT}/saved_models/demo'], 'its recognisers and its discriminator taught it, so they cannot judge it'),
                               (['--against=nothing.json'], 'nothing.json: no such file'),
                               (['--protocol=nonsense', '--model='], '--protocol=nonsense with an empty --model: expected the folder of a model'),
                               (['--protocol=nonsense', '--feature_weights=none'], 'none: no feature network there')):
        done = evaluate('--protocol=hct', SAMPLE, *arguments)
        assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1, done.stderr
