"""Locks of files; what is written whole is tested in tests/inference/test_picture_files.py."""

import errno
import os
import subprocess
import sys

import pytest

from hwgen import files

# Says whether the lock is its own, and, where it waits, when it has it.
OTHER = (
    "import os; from hwgen import files; print(files.lock(os.open('x', os.O_RDONLY), wait={}), flush=True)"
)


def other(wait):
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, '-P', '-c', OTHER.format(wait)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )


def test_one_process_at_a_time():
    open('x', 'wb').close()
    held = os.open('x', os.O_RDONLY)
    assert files.lock(held) is True
    assert other(False).communicate(timeout=60)[0] == 'False\n'
    with other(True) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
        os.close(held)
        assert waiting.communicate(timeout=60)[0] == 'True\n'


def test_a_file_system_without_locks(monkeypatch):
    def refuse(descriptor, how):
        raise OSError(errno.ENOLCK, 'no locks')

    monkeypatch.setattr(files.fcntl, 'flock', refuse)
    assert files.lock(0) is None
