"""The export command: which model goes where, its report, and its complaints; and, in the long tier, the
model that ships from export to picture.
"""

import os
import pathlib
import sys

import forked
import numpy as np
import pytest
from PIL import Image
from rest_server import serve

import hwgen
from hwgen.serving.rest_service import RestService
from hwgen.serving.saved_version import SavedVersion

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
# The command with the libraries' parts replaced: which model is loaded, and what is asked of it.
STUBBED = """
import os, types
from hwgen.cli import app, quiet
quiet.quiet_tensorflow()
from hwgen.inference.writer import Writer
from hwgen.serving import export, versions
def export_model(writer, out, **options):
    print('asked', out, sorted(options.items()))
    path = versions.version_folder(out)
    os.makedirs(path)
    return path, dict(characters=7, compared=dict(lines=3, characters=48, largest_difference_grey_levels=0.))
Writer.load = lambda path, **options: (
    print('loaded', path) or types.SimpleNamespace(description=dict(info=dict(data=dict(source='folder'))))
)
export.export_model = export_model
app.dispatch()
"""


def run(*arguments):
    """-> (exit status, stdout, stderr)."""
    done = forked.run(
        [sys.executable, '-P', *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'HWGEN_PROGRAM': 'hwgen'},
    )
    return done.returncode, done.stdout, done.stderr


def run_command(*arguments):
    return run('-m', 'hwgen.cli', *arguments)


@pytest.mark.slow
def test_a_run_goes_to_the_next_number():
    os.makedirs('runs/mine/model')
    os.makedirs('saved_models/hwgen/4')
    status, out, err = run('-c', STUBBED, 'export', '--run=runs/mine', '--truncation=1')
    assert (status, err) == (0, '')
    assert out.splitlines()[0] == 'loaded runs/mine/model'
    assert (
        out.splitlines()[1]
        == 'model runs/mine/model; licence of its data: not stated; --data_licence states it'
    )
    assert (
        out.splitlines()[2]
        == "asked saved_models/hwgen [('licence', 'not stated'), ('max_characters', 256), ('truncation',"
        ' 1.0)]'
    )
    assert out.splitlines()[3].startswith('saved_models/hwgen/5: 7 characters, 0.0 MB, in ')


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--run=a', '--model=b'], 'hwgen: --run and --model are both given: expected one'),
        (['--out='], '--out= is empty: expected a value'),
        (['--out=served/1'], 'version exists and may be served; expected a new number'),
        (['--model=none', '--out=served/2'], 'hwgen: none: no generator there'),
    ],
)
def test_complaints(arguments, message):
    os.makedirs('served/1')
    status, out, err = run_command('export', *arguments)
    assert (status, out) == (2, '') and message in err and err.count('\n') == 1
    assert os.listdir('served') == ['1']


@pytest.mark.slow
def test_the_model_that_ships_from_export_to_picture():
    """Export, server, request: the picture that `generate` writes, within one grey level."""
    status, out, err = run_command('export', '--out=saved_models/hwgen')
    assert (status, err) == (0, '') and 'SIL Open Font License' in out
    with serve(RestService('hwgen', {1: SavedVersion('saved_models/hwgen/1')}).answer) as url:
        for text, options in (
            ('永和九年，岁在癸丑，暮春之初，会于会稽山阴之兰亭，修禊事也。群贤毕至，少长咸集。', []),
            ('明天⿱山鱼', ['--truncation=.5', '--num_styles=3']),
        ):
            assert (
                run_command(
                    'request',
                    f'--url={url}',
                    f'--text={text}',
                    '--style_seed=5',
                    '--out=served.png',
                    '--overwrite',
                    *options,
                )[0]
                == 0
            )
            assert (
                run_command(
                    'generate',
                    f'--text={text}',
                    '--style_seed=5',
                    '--out=written.png',
                    '--overwrite',
                    *options,
                )[0]
                == 0
            )
            found, expected = (
                np.asarray(Image.open(name)).astype(int) for name in ('served.png', 'written.png')
            )
            assert found.shape == expected.shape and np.abs(found - expected).max() <= 1
