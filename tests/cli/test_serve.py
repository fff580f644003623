"""The serve command: the first start, signals, and its complaints.

A process each, with the export and the loaded model replaced.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import forked
import pytest
import urllib3
from many_calls import calls

import hwgen
from hwgen.serving import session as serving

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
# The command with the libraries' parts replaced: what is exported and loaded, and a model that says which
# version it is.
STUBBED = """
import os, types
import numpy as np
from hwgen.cli import app, quiet
quiet.quiet_tensorflow()
from hwgen.inference.writer import Writer
from hwgen.serving import export, saved_version
import tensorflow as tf
class Version:
    inputs = {'serving_default': {'texts': tf.TensorSpec([None], tf.string)}}
    signature_defs, definitions, description = {}, {}, {}
    def __init__(self, path):
        self.number = os.path.basename(path)
        if os.path.exists(os.path.join(path, 'broken')):
            raise saved_version.SavedVersionError(path + ': broken')
    def run(self, signature, inputs):
        errors = [b'' if text != b'?' else b'U+003F at position 0' for text in inputs['texts'].tolist()]
        return dict(
            image_bytes=np.array([self.number.encode()] * len(errors), object), error=np.array(errors, object)
        )
def export_model(writer, path, **options):
    print('asked', path, sorted(options.items()), flush=True)
    os.makedirs(path)
    return path, dict(note='')
Writer.load = lambda path, **options: (
    print('loaded', path, flush=True)
    or types.SimpleNamespace(description=dict(info=dict(data=dict(source='scribe'))))
)
export.export_model, saved_version.SavedVersion = export_model, Version
app.dispatch()
"""


def command(*arguments, stubbed=False):
    return dict(
        args=[
            sys.executable,
            '-P',
            *(['-c', STUBBED] if stubbed else ['-m', 'hwgen.cli']),
            'serve',
            *arguments,
        ],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), 'HWGEN_PROGRAM': 'serve'},
    )


class Started:
    """A server in a process that ends with the block at the latest; `lines` of what it said until it
    served, `url`.
    """

    def __init__(self, *arguments):
        self.process, self.lines = forked.Popen(**command(*arguments, '--port=0', stubbed=True)), []
        for line in self.process.stdout:
            self.lines.append(line.rstrip('\n'))
            if line.startswith('http://'):
                break
        else:
            raise AssertionError(self.process.stderr.read())
        self.url = re.match(r'http://\S+:\d+', self.lines[-1])[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, text, place=''):
        answer = urllib3.request(
            'POST',
            f'{self.url}/v1/models/pen{place}:predict',
            body=json.dumps({'instances': [text]}).encode(),
        )
        return answer.status, answer.json()

    def end(self, number):
        """-> exit status and the rest of its output."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def test_the_first_start_exports_and_a_signal_ends_it_with_0():
    with Started('--model_name=pen') as server:
        out = os.path.abspath('saved_models/hwgen/1')
        assert (
            server.lines[0]
            == f'exporting {CHECKOUT / "saved_models/spaced64"} to {out}: there is no version yet, about half'
            ' a minute'
        )
        assert re.fullmatch(
            rf"asked {out} \[\('licence', 'embedded corpus.*'\), \('max_characters', 256\), \('truncation',"
            r' 0.8\)\]',
            server.lines[2],
        )
        assert (
            server.lines[3]
            == 'no page: version 1 of pen has no signature styled_components, styles: expected one that'
            ' `export` wrote'
        )
        assert re.fullmatch(r'http://127.0.0.1:\d+: model pen, version 1; Ctrl-C ends it', server.lines[4])
        assert server.ask('永')[1]['predictions'] == [{'image_bytes': {'b64': 'MQ=='}, 'error': ''}]  # "1"
        status, answer = server.ask('?')
        assert (status, answer['error']) == (400, 'text 0: U+003F at position 0')
        assert urllib3.request('GET', server.url + '/').status == 404
        # A second one at the same port ends at once.
        port = server.url.rpartition(':')[2]
        done = subprocess.run(**command(f'--port={port}'), timeout=60)
        assert (done.returncode, done.stdout) == (2, '') and re.fullmatch(
            f'serve: 127.0.0.1:{port}: cannot be listened at: Address already in use\n', done.stderr
        )
        assert server.end(signal.SIGTERM) == (0, 'stopped\n', '')


def test_versions_and_labels_of_a_folder():
    for number in (1, 2, 10):
        os.makedirs(f'mine/{number}')
    os.makedirs('mine/10.partial')
    with Started('--model_name=pen', '--model_base_path=mine', '--labels=stable:2') as server:
        assert (
            server.lines[-1].endswith('model pen, version 2, 10; Ctrl-C ends it') and len(server.lines) == 2
        )
        told = [
            server.ask('永', place)[1]['predictions'][0]['image_bytes']['b64']
            for place in ('', '/labels/stable', '/versions/2')
        ]
        assert told == ['MTA=', 'Mg==', 'Mg=='] and server.ask('永', '/versions/1')[0] == 404
        assert server.end(signal.SIGINT) == (0, 'stopped\n', '')


def test_a_version_of_another_model_than_the_default_is_told():
    """Where nobody named the folder: what an earlier default left there is not taken for the present one."""
    info = {
        name: json.loads((CHECKOUT / 'saved_models' / name / 'generator.json').read_text('utf-8'))['info']
        for name in ('demo', 'spaced64')
    }
    for version, trained in ((1, 'demo'), (2, 'spaced64'), (3, None)):
        place = pathlib.Path('saved_models/hwgen', str(version))
        (place / 'assets.extra').mkdir(parents=True)
        if trained:
            (place / 'assets.extra/hwgen.json').write_text(json.dumps({'trained': info[trained]}))
        said = []
        serving._tell_of_other_model(str(place), report=said.append)
        assert said == (
            [
                'saved_models/hwgen/1: was made of another model than saved_models/spaced64 (by `train'
                ' --flagfile=demo.flags`); `export` writes a version of that, --model serves another one'
            ]
            if trained == 'demo'
            else []
        )


@pytest.mark.slow
def test_versions_that_come_and_go_while_it_runs():
    """Also in the middle of the way: a broken newest version keeps it neither from starting nor from going
    on.
    """
    os.makedirs('mine/1')
    os.makedirs('mine/2')
    pathlib.Path('mine/2/broken').touch()
    with Started(
        '--model_name=pen', '--model_base_path=mine', '--file_system_poll_wait_seconds=.05'
    ) as server:
        assert server.lines[0] == 'passed over, version 1 is served: mine/2: broken' and server.lines[
            -1
        ].endswith('model pen, version 1; Ctrl-C ends it')
        assert server.ask('永')[1]['predictions'][0]['image_bytes']['b64'] == 'MQ=='
        os.makedirs('mine/3')
        assert server.process.stdout.readline() == 'version 3 is served now, in place of 1\n'
        until = time.monotonic() + 60
        while server.ask('永')[1]['predictions'][0]['image_bytes']['b64'] != 'Mw==':
            assert time.monotonic() < until
        assert server.ask('永', '/versions/1')[0] == 404
        assert server.end(signal.SIGTERM)[0] == 0


@pytest.mark.slow
def test_an_installed_hwgen_exports_into_its_cache(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    arguments = command('--port=0', stubbed=True)
    installed = STUBBED.replace(
        'app.dispatch()',
        'from hwgen.settings import resources\nresources.in_checkout = lambda: False\napp.dispatch()',
    )
    with subprocess.Popen(
        **{**arguments, 'args': [installed if part == STUBBED else part for part in arguments['args']]}
    ) as process:
        assert process.stdout.readline().startswith(
            f'exporting {CHECKOUT / "saved_models/spaced64"} to {tmp_path}/cache/hwgen/saved_models/'
        )
        while not process.stdout.readline().startswith('http://'):
            assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert os.listdir('.') == ['cache'] and len(list((tmp_path / 'cache/hwgen/saved_models').iterdir())) == 1


@pytest.mark.slow
def test_a_model_of_ones_own_is_exported_for_the_while(tmp_path, monkeypatch):
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    monkeypatch.setenv('TMPDIR', str(scratch))
    with Started('--model=runs/mine') as server:
        (folder,) = scratch.glob('hwgen-serve-*')
        assert server.lines[:2] == [
            'exporting runs/mine, about half a minute',
            'loaded runs/mine',
        ] and server.lines[2].startswith(f'asked {folder}/1 ')
        assert server.end(signal.SIGTERM)[0] == 0
    assert not list(scratch.glob('hwgen-serve-*')) and os.listdir('.') == ['scratch']


@pytest.mark.slow
def test_told_to_stop_while_it_exports_it_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    slow = STUBBED.replace(
        "print('asked', path, sorted(options.items()), flush=True)",
        "print('asked', flush=True); import time; time.sleep(60)",
    )
    arguments = command('--model=runs/mine', '--port=0', stubbed=True)
    with subprocess.Popen(
        **{**arguments, 'args': [slow if part == STUBBED else part for part in arguments['args']]}
    ) as process:
        while process.stdout.readline() != 'asked\n':
            assert process.poll() is None
        assert len(list(tmp_path.glob('hwgen-serve-*'))) == 1
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert not list(tmp_path.glob('hwgen-serve-*'))


COMPLAINTS = [
    (['--labels=stable'], 'serve: --labels=stable: expected NAME:NUMBER, such as stable:1'),
    (
        ['--model=runs/mine', '--model_base_path=mine'],
        'serve: --model and --model_base_path are both given: expected one',
    ),
    (['--model_base_path=mine', '--versions=2'], 'serve: version 2: expected one of those in mine: 1'),
    (
        ['--model_base_path=mine', '--versions=1,x'],
        'serve: --versions: version x: expected a number from 0 to ',
    ),
    (['--model_base_path=mine', f'--labels=stable:{"9" * 5000}'], 'serve: --labels: version 999'),
    (['--model_base_path=mine', '--labels=stable:٣'], 'serve: --labels: version ٣: expected a number'),
    (
        ['--model_base_path=plain'],
        (
            'serve: plain: no version in it, it holds a SavedModel itself; expected that in a numbered'
            ' folder, plain/1'
        ),
    ),
    (
        ['--model_base_path=plian'],
        'serve: plian: no such folder; expected one with versions as export writes them, plian/1',
    ),
    (
        ['--model_base_path=mine/1'],
        'serve: mine/1: no version in it, it is empty; expected folders as export writes them, mine/1/1',
    ),
    (
        ['--model_base_path=mine', '--labels=stable:3'],
        'serve: version 3: expected one of those in mine: 1',
    ),
    (['--model_base_path=a file'], 'a file: is a file, expected a folder for versions'),
    (['--host=no.such.host.invalid'], 'serve: no.such.host.invalid:0: cannot be listened at: '),
    (['--max_connections=2000000000'], 'serve: --max_connections=2000000000: expected at most '),
]


def make_folders():
    os.makedirs('mine/1')
    os.makedirs('plain')
    for name in ('a file', 'plain/saved_model.pb'):
        pathlib.Path(name).touch()


def assert_untouched():
    assert (
        sorted(os.listdir('.')) == ['a file', 'mine', 'plain']
        and os.listdir('mine/1') == []
        and os.listdir('plain') == ['saved_model.pb']
    )


def test_complaints():
    make_folders()
    setup = 'from hwgen.cli import quiet\nquiet.quiet_tensorflow()'
    found = calls('serve', [['--port=0', *arguments] for arguments, _ in COMPLAINTS], setup=setup)
    for (arguments, message), (status, _, out, err) in zip(COMPLAINTS, found):
        assert (status, out) == (2, '') and message in err and err.count('\n') == 1, (arguments, status, err)
    assert_untouched()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--model_base_path=mine'], 'serve: mine/1: not a SavedModel as `export` writes it: '),
        (['--port=70000'], 'serve: flag --port=70000'),
    ],
)
def test_complaints_of_a_process(arguments, message):
    make_folders()
    done = subprocess.run(**command('--port=0', *arguments), timeout=120)
    assert (
        (done.returncode, done.stdout) == (2, '') and message in done.stderr and done.stderr.count('\n') == 1
    )
    assert_untouched()


def test_without_the_extra_of_grpc_it_says_what_to_install(tmp_path):
    (tmp_path / 'shadow').mkdir()
    (tmp_path / 'shadow/sitecustomize.py').write_text(
        'import sys\nsys.modules["tensorflow_serving"] = None  # as if it were not installed\n'
    )
    asked = command('--port=0', '--grpc_port=0')
    asked['env']['PYTHONPATH'] = os.pathsep.join([str(tmp_path / 'shadow'), str(CHECKOUT)])
    done = subprocess.run(**asked, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        '',
        (
            'serve: --grpc_port: tensorflow-serving-api is not installed: expected the packages of the extra'
            ' `grpc`, pip install "hwgen[grpc]"\n'
        ),
    )


def test_without_the_extra_it_says_what_to_install(tmp_path):
    (tmp_path / 'shadow').mkdir()
    (tmp_path / 'shadow/uvicorn.py').write_text(
        'raise ModuleNotFoundError("No module named \'uvicorn\'", name="uvicorn")'
    )
    asked = command('--port=0')
    asked['env']['PYTHONPATH'] = os.pathsep.join([str(tmp_path / 'shadow'), str(CHECKOUT)])
    done = subprocess.run(**asked, timeout=60)
    assert (done.returncode, done.stderr) == (
        2,
        (
            'serve: uvicorn is not installed: expected the packages of the extra `serve`, pip install'
            ' "hwgen[serve]"\n'
        ),
    )
