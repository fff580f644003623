"""The request command with a server that answers as an exported model would: every kind of output, and its
complaints in one line.
"""

import os
import pathlib
import subprocess
import sys
import types

import forked
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from rest_server import serve

import hwgen
from hwgen.inference.picture_files import encode_png
from hwgen.serving.rest_service import RestService

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent


def paint(text, seed):
    """What the server of these tests draws: a line as wide as the text, grey as the seed."""
    return np.full([8, 8 * len(text)], seed % 200, np.uint8)


class Painted:
    """A loaded version without a network behind it."""

    inputs = {
        'serving_default': {
            'texts': types.SimpleNamespace(dtype='string', shape=tf.TensorShape([None])),
            'style_seeds': types.SimpleNamespace(dtype=np.dtype('int64'), shape=tf.TensorShape([None])),
        }
    }

    def run(self, signature, inputs):
        assert signature == 'serving_default'
        texts = [text.decode() for text in inputs['texts']]
        errors = [f'U+FFFD at position {text.index("?")}' if '?' in text else '' for text in texts]
        pictures = [
            encode_png(paint(text, seed)) for text, seed in zip(texts, inputs['style_seeds'].tolist())
        ]
        return dict(
            image_bytes=np.array(pictures, object),
            error=np.array([error.encode() for error in errors], object),
        )


@pytest.fixture(scope='module')
def address():
    with serve(RestService('hwgen', {1: Painted()}).answer) as url:
        yield url


@pytest.fixture
def run(address):
    """Function of arguments -> (exit status, stdout, stderr)."""

    def run_request(*arguments):
        done = forked.run(
            [sys.executable, '-P', '-m', 'hwgen.cli', 'request', f'--url={address}', *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'HWGEN_PROGRAM': 'request'},
        )
        return done.returncode, done.stdout, done.stderr

    run_request.address = address
    return run_request


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_line(run):
    status, out, err = run('--text', '明天', '--style_seed=5', '--out=line.png')
    assert (status, out, err) == (0, 'line.png: 1 picture\n', '')
    np.testing.assert_array_equal(pixels('line.png'), paint('明天', 5))
    status, _, err = run('--text=人', '--out=line.png')
    assert (
        status == 2
        and err.endswith('line.png: exists; give --overwrite to replace it\n')
        and pixels('line.png').shape == (8, 16)
    )
    assert run('--text=人', '--out=line.png', '--overwrite')[0] == 0 and pixels('line.png').shape == (8, 8)


def test_blanks_around_a_text_are_no_part_of_it(run):
    assert run('--text= 明天\u3000', '--out=line.png')[0] == 0 and pixels('line.png').shape == (8, 16)


def test_several_hands(run):
    assert run('--text=明天', '--num_styles=3', '--style_seed=4', '--out=hands.png')[0] == 0
    assert run('--text=明天', '--num_styles=3', '--style_seed=4', '--out=hands')[0] == 0
    assert pixels('hands.png').shape == (28, 16)
    assert (
        [pixels(f'hands/{n:06d}.png')[0, 0] for n in (1, 2, 3)]
        == [4, 5, 6]
        == [pixels('hands.png')[10 * n, 0] for n in range(3)]
    )


def test_a_file(run):
    with open('lines.txt', 'w', encoding='utf-8') as file:
        file.write('明天\n\n人\n')
    assert run('--text_file=lines.txt', '--num_styles=2', '--out=data')[0] == 0
    with open('data/labels.tsv', encoding='utf-8') as file:
        assert file.read() == '000001.png\t明天\n000002.png\t明天\n000003.png\t人\n000004.png\t人\n'
    with open('data/styles.tsv', encoding='utf-8') as file:
        assert file.read().split() == [
            '000001.png',
            '0',
            '000002.png',
            '1',
            '000003.png',
            '0',
            '000004.png',
            '1',
        ]


def test_other_formats(run):
    for name in ('a.jpg', 'a.webp', 'a.tif', 'a.pdf'):
        assert run('--text=明天', '--num_styles=2', f'--out={name}')[0] == 0
        assert name == 'a.pdf' or Image.open(name).size == (16, 18)
    status, _, err = run('--text', '明' * 2048, '--out=b.webp')
    assert status == 2 and 'makes a picture of 16,384 x 8 px' in err and not os.path.exists('b.webp')


def test_texts_that_can_be_read_once(run):
    reading, writing = os.pipe()
    os.write(writing, '明天\n\n人\n'.encode())
    os.close(writing)
    done = subprocess.run(
        [
            sys.executable,
            '-P',
            '-m',
            'hwgen.cli',
            'request',
            f'--url={run.address}',
            '--text_file=-',
            '--out=data',
        ],
        stdin=reading,
        timeout=120,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
        check=False,
    )
    os.close(reading)
    assert done.returncode == 0 and sorted(os.listdir('data')) == [
        '000001.png',
        '000002.png',
        'labels.tsv',
        'styles.tsv',
    ]


def test_what_cannot_be_written_stops_it_or_is_left_out(run):
    with open('lines.txt', 'w', encoding='utf-8') as file:
        file.write('明天\n人?\n?\n')
    status, out, err = run('--text_file=lines.txt', '--out=data')
    assert (status, out) == (2, '')
    assert (
        err
        == 'request: lines.txt:2: U+FFFD at position 1 (and 1 more such rows); --skip_unwritable leaves such'
        ' rows out\n'
    )
    assert os.listdir('.') == ['lines.txt']
    status, out, err = run('--text_file=lines.txt', '--out=data', '--skip_unwritable')
    assert (status, out) == (0, 'data: 1 picture, 2 left out\n')
    assert err == 'left out: lines.txt:2: U+FFFD at position 1\nleft out: lines.txt:3: U+FFFD at position 0\n'
    assert run('--text=?', '--out=line.png')[::2] == (2, 'request: --text: U+FFFD at position 0\n')
    assert run('--text=⿱山', '--out=line.png')[2].startswith(
        'request: --text: position 2: the text ends inside ⿱'
    )


def test_where_nothing_can_be_written_nothing_is_made(run):
    """Leaving everything out is no result."""
    with open('lines.txt', 'w', encoding='utf-8') as file:
        file.write('人?\n?\n')
    status, out, err = run('--text_file=lines.txt', '--out=data', '--skip_unwritable')
    assert (status, out) == (
        2,
        '',
    ) and 'request: lines.txt:1: U+FFFD at position 1 (and 1 more such rows)' in err
    assert os.listdir('.') == ['lines.txt']


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--out=a.png'], 'request: expected either --text "..." or --text_file FILE'),
        (['--text=明'], 'request: --out is missing: expected a picture, such as line.png, or a folder'),
        (
            ['--text=明', '--out=a.png', '--model_name=half'],
            '/v1/models/half:predict: status 404: Servable not found for request: Latest(half)',
        ),
        (
            ['--text=明', '--out=a.png', '--version=1', '--label=x'],
            'request: version 1 and label x: expected one of them',
        ),
        (
            ['--text=明', '--out=a.png', '--url=here'],
            'request: here: expected an address such as http://localhost:8501',
        ),
        (
            ['--text=明', '--out=a.png', f'--style_seed={2**64}'],
            f'request: --style_seed={2**64}: expected 0 to 2^64 - 1',
        ),
        (['--text=明', '--out=a.txt/b.png', '--text_file=x'], 'request: expected either'),
        (['--text=明', '--out=a.svg'], 'request: a.svg: no .svg file is written'),
        (['--text_file=none.txt', '--out=a.png'], 'request: --out=a.png: --text_file writes a folder'),
        (['--text_file=none.txt', '--out=a'], 'request: none.txt: no such file or directory'),
    ],
)
def test_complaints(run, arguments, message):
    status, out, err = run(*arguments)
    assert (status, out) == (2, '') and message in err and err.count('\n') == 1
    assert os.listdir('.') == []


def test_a_server_that_is_not_there_is_no_fault_of_the_user(run):
    status, _, err = run('--text=明', '--out=a.png', '--url=http://127.0.0.1:1', '--retries=0')
    assert (
        status == 1
        and err.startswith('request: http://127.0.0.1:1/v1/models/hwgen:predict: no answer: ')
        and err.count('\n') == 1
    )


def test_a_picture_is_passed_on_as_it_came(run):
    assert run('--text=永', '--out=line.png')[0] == 0
    with open('line.png', 'rb') as file:
        assert file.read() == encode_png(paint('永', 0))
