"""bin/ on a fresh machine: the environment is made once, from setup.cfg, whatever comes between.

Without network: its only package is made here.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest

import hwgen

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
SETUP = """[options]
install_requires =
    # a comment, as setup.cfg has them
    tiny >=1, <2
[options.extras_require]
test = tiny
reader = tiny
serve = tiny
[tool:hwgen]
compare =
    picky >=1, <2
"""


def write_wheel(folder, version, *, name='tiny', needs=''):
    """A wheel of a package, as small as the format allows."""
    info = f'{name}-{version}.dist-info'
    with zipfile.ZipFile(folder / f'{name}-{version}-py3-none-any.whl', 'w') as wheel:
        wheel.writestr(f'{name}.py', f'VERSION = "{version}"\n')
        wheel.writestr(
            f'{info}/METADATA', f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}'
        )
        wheel.writestr(
            f'{info}/WHEEL', 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
        )
        wheel.writestr(f'{info}/RECORD', '')


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the real bin/, whose one command prints the version of `tiny`; in a folder with a
    space.
    """
    root = tmp_path / 'a checkout'
    shutil.copytree(CHECKOUT / 'bin', root / 'bin')
    (root / 'setup.cfg').write_text(SETUP)
    (root / 'constraints.txt').write_text('tiny==1.0\n')
    (root / 'hwgen/cli').mkdir(parents=True)
    (root / 'hwgen/cli/__main__.py').write_text(
        'import sys, tiny\nprint("tiny", tiny.VERSION, *sys.argv[1:])\n'
    )
    (root / 'wheels').mkdir()
    for version in ('1.0', '1.1'):
        write_wheel(root / 'wheels', version)
    write_wheel(root / 'wheels', '1.0', name='picky', needs='Requires-Dist: tiny >=9\n')
    return root


def environment(checkout, **more):
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(('PIP_', 'HWGEN_', 'PYTHON'))
    }
    return {
        **clean,
        'PIP_NO_INDEX': '1',
        'PIP_FIND_LINKS': (checkout / 'wheels').as_uri(),
        'PIP_CONFIG_FILE': os.devnull,
        'HWGEN_PYTHON': sys.executable,
        'HWGEN_CUDA': '0',
        **more,
    }


def start(checkout, *arguments, **more):
    return subprocess.run(
        [checkout / 'bin/generate', *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(checkout, **more),
    )


@pytest.mark.slow
def test_first_start_makes_it_second_start_finds_it_and_a_new_pin_updates_it(checkout):
    first = start(checkout, '--text', '春 眠')
    assert (first.returncode, first.stdout) == (0, 'tiny 1.0 generate --text 春 眠\n')
    assert (
        'first start: making the Python environment' in first.stderr
        and 'the environment is ready' in first.stderr
    )
    second = start(checkout)
    assert (second.stdout, second.stderr) == ('tiny 1.0 generate\n', '')
    (checkout / 'constraints.txt').write_text('tiny==1.1\n')
    third = start(checkout)
    assert third.stdout == 'tiny 1.1 generate\n' and 'bringing up to date' in third.stderr
    # An installation that was killed leaves its mark: the next start trusts nothing of it.
    (checkout / '.venv/.hwgen/installing').touch()
    (checkout / '.venv/.hwgen/base').unlink()
    (checkout / '.venv/rubbish').touch()
    fourth = start(checkout)
    assert fourth.stdout == 'tiny 1.1 generate\n' and 'first start' in fourth.stderr
    assert not (checkout / '.venv/rubbish').exists()


@pytest.mark.slow
def test_the_reader_comes_with_the_first_lines_that_are_read_back(checkout):
    def stamps(*arguments):
        done = subprocess.run(
            [checkout / 'bin/generate', *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            env=environment(checkout),
        )
        assert done.returncode == 0, done.stderr
        return {path.name for path in (checkout / '.venv/.hwgen').iterdir()}

    assert 'reader' not in stamps('--text=verify', '--out=a.png')
    assert 'reader' in stamps('--text=a', '--verify=.02', '--out=a.png')


@pytest.mark.slow
def test_a_package_that_asks_for_what_cannot_be_had_is_installed_alone(checkout):
    arguments = ['--protocol=comparison', '--compare=handright', '--seeds=1']
    done = subprocess.run(
        [checkout / 'bin/evaluate', *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(checkout),
    )
    assert (done.returncode, done.stdout) == (0, f'tiny 1.0 evaluate {" ".join(arguments)}\n'), done.stderr
    stamps = {path.name for path in (checkout / '.venv/.hwgen').iterdir()}
    assert {'base', 'reader', 'compare'} <= stamps
    found = subprocess.run(
        [checkout / '.venv/bin/python', '-c', 'import picky; print(picky.VERSION)'],
        capture_output=True,
        text=True,
    )
    assert found.stdout == '1.0\n'
    # Brought up to date for something else, it stays; without being asked for, it does not come.
    (checkout / 'constraints.txt').write_text('tiny==1.1\n')
    again = start(checkout)
    assert (
        again.stdout == 'tiny 1.1 generate\n'
        and 'compare' in again.stderr
        and (checkout / '.venv/.hwgen/compare').exists()
    )


@pytest.mark.slow
def test_two_starts_at_once_and_a_killed_one(checkout):
    killed = subprocess.Popen(
        [checkout / 'bin/generate'],
        stderr=subprocess.DEVNULL,
        env=environment(checkout),
        start_new_session=True,
    )
    while not (checkout / '.venv/.hwgen/installing').exists():
        assert killed.poll() is None
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    both = [
        subprocess.Popen(
            [checkout / 'bin/generate'],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(checkout),
        )
        for _ in range(2)
    ]
    results = [process.communicate(timeout=120) for process in both]
    assert [output for output, _ in results] == ['tiny 1.0 generate\n'] * 2
    assert sum('making the Python environment' in errors for _, errors in results) == 1


def test_an_environment_of_the_users_own_is_left_alone(checkout, tmp_path):
    own = tmp_path / 'own'
    (own / 'bin').mkdir(parents=True)
    (own / 'bin/python').write_text('#!/bin/sh\necho mine "$@"\n')
    (own / 'bin/python').chmod(0o755)
    done = start(checkout, '--x', HWGEN_VENV=str(own))
    assert (done.returncode, done.stdout, done.stderr) == (0, 'mine -P -m hwgen.cli generate --x\n', '')
    assert os.listdir(own) == ['bin']


@pytest.mark.slow
def test_what_is_in_the_way_is_told(checkout, tmp_path):
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/letter').touch()
    done = start(checkout, HWGEN_VENV=str(tmp_path / 'full'))
    assert done.returncode == 1 and 'full exists and is not a virtual environment' in done.stderr
    assert os.listdir(tmp_path / 'full') == ['letter']

    done = start(checkout, HWGEN_PYTHON='python2.6')
    assert done.returncode == 2 and 'hwgen needs Python 3.11, 3.12 or 3.13' in done.stderr

    # No index: pip finds nothing at all.
    shutil.rmtree(checkout / 'wheels')
    done = start(checkout)
    assert (
        done.returncode == 1
        and 'the package index cannot be reached' in done.stderr
        and 'Traceback' not in done.stderr
    )
