"""A test that hangs fails by its name (time_bound.py), and those behind it run."""

import os
import pathlib
import subprocess
import sys

import time_bound

HANGING = """
import subprocess, sys, threading, time
import pytest

@pytest.fixture
def never():
    threading.Event().wait()

def test_setup(never):
    pass

def test_sleep():
    try:
        time.sleep(600)
    except Exception:  # as code that catches too much does
        pass

def test_process():
    subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])

def test_in_time():
    time.sleep(0.01)
"""


def test_one_that_hangs_fails_by_name():
    pathlib.Path('test_hanging.py').write_text(HANGING)
    done = subprocess.run(
        [
            *(
                sys.executable,
                '-P',
                '-m',
                'pytest',
                '-q',
                '-n',
                '0',
                '-p',
                'time_bound',
                '--test_minutes=0.01',
            ),
            *('-p', 'no:cacheprovider', 'test_hanging.py'),
        ],
        env={**os.environ, 'PYTHONPATH': str(pathlib.Path(time_bound.__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1 and '2 failed, 1 passed, 1 error' in done.stdout, done.stdout
    for name in ('setup', 'sleep', 'process'):
        said = f'test_hanging.py::test_{name}: not done after 0.01 minutes (--test_minutes)'
        assert said in done.stdout
