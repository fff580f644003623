"""A forked process (forked.py) is what one that is started would be."""

import os
import pathlib
import signal
import subprocess
import sys

import forked
import pytest

import hwgen

ENVIRONMENT = {**os.environ, 'PYTHONPATH': str(pathlib.Path(hwgen.__file__).resolve().parents[1])}
SAYS = """
import os, random, signal, sys
import numpy as np
print(sys.argv, sys.stdin.read(), os.getcwd(), os.environ['ONE'], __name__, sys.path[:2], sys.stdout.encoding,
      sys.stdout.errors, sys.stderr.errors, sys.stdin.errors, signal.getsignal(signal.SIGINT))
print('wrong', file=sys.stderr)
sys.exit(7)
"""


def python(module, code, *arguments, **options):
    return module.run(
        [sys.executable, '-P', '-c', code, *arguments],
        **{**dict(capture_output=True, env=ENVIRONMENT, timeout=120), **options},
    )


def test_it_is_as_if_it_were_started(tmp_path):
    """Arguments, bytes among them, input, folder, environment, streams, status."""
    (tmp_path / 'place').mkdir()
    options = dict(
        text=True,
        input='明天',
        cwd=tmp_path / 'place',
        env={**ENVIRONMENT, 'ONE': 'two', 'PYTHONUNBUFFERED': ''},
    )
    found, expected = (python(module, SAYS, 'a', b'\xd5', **options) for module in (forked, subprocess))
    assert (found.stdout, found.returncode, found.stderr) == (expected.stdout, 7, 'wrong\n')
    assert '明天' in found.stdout and expected.stderr == 'wrong\n'


def test_ends():
    """Of the process itself: by a signal, by an error, without what Python does at its end."""
    for code, status in (
        ('import os, signal; os.kill(os.getpid(), signal.SIGKILL)', -signal.SIGKILL),
        (
            'import os, signal; signal.signal(2, signal.default_int_handler); os.kill(os.getpid(), 2)',
            -signal.SIGINT,
        ),
        ('import os; os._exit(130)', 130),
        ('import atexit; atexit.register(print, "end")', 0),
        ('1 / 0', 1),
    ):
        done = python(forked, code)
        assert done.returncode == status, (code, done)
        assert done.stdout == (b'end\n' if status == 0 else b'')
        assert (b'ZeroDivisionError' in done.stderr) == (status == 1)
    with pytest.raises(subprocess.CalledProcessError):
        python(forked, '1 / 0', check=True)


def test_it_is_told_to_stop_and_waited_for():
    code = 'import time; print("there", flush=True); time.sleep(60)'
    with forked.Popen([sys.executable, '-P', '-c', code], stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        assert process.stdout.readline() == b'there\n'
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)
        assert pathlib.Path(f'/proc/{process.pid}/task').is_dir()
        process.terminate()
        assert process.wait(timeout=60) == process.poll() == -signal.SIGTERM
    with pytest.raises(subprocess.TimeoutExpired):
        python(forked, code, timeout=0.5)


def test_tensorflow_is_there_and_has_run_nothing():
    """Two at once: what one does to TensorFlow the other does not see, and their random numbers differ."""
    code = (
        'import random, sys\nassert "tensorflow" in sys.modules and not any(name.startswith("hwgen") for name'
        ' in sys.modules)\nimport tensorflow as tf, numpy as np\ntf.config.set_logical_device_configuration('
        'tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * {})\n'
        'print(len(tf.config.list_logical_devices()), int(tf.reduce_sum(tf.ones([3, 3]) @ tf.ones([3, 3]))),'
        ' random.random(), np.random.rand(), flush=True)\nsys.stdin.read()'
    )
    said = []
    for devices in (2, 3):
        process = forked.Popen(
            [sys.executable, '-P', '-c', code.format(devices)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        )  # fmt: skip
        said.append((process, process.stdout.readline().split()))
    for process, _ in said:
        assert process.communicate() == ('', '') and process.returncode == 0
    (first, second) = (words for _, words in said)
    assert (first[:2], second[:2]) == (['2', '27'], ['3', '27'])
    assert first[2] != second[2] and first[3] != second[3]


def test_what_a_fork_cannot_do_is_refused():
    for options in (
        dict(env={**ENVIRONMENT, 'PYTHONHASHSEED': '7'}),
        dict(preexec_fn=print),
    ):
        with pytest.raises(ValueError, match='expected'):
            python(forked, 'print()', **options)
    with pytest.raises(ValueError, match='expected'):
        forked.run([sys.executable, 'script.py'])
