"""Formatter, linter and type checker find nothing; what they find otherwise is shown as they say it."""

import pathlib
import subprocess
import sys

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]


COMMANDS = {
    'format': 'ruff format --check --diff',
    'lint': 'ruff check --output-format=concise',
    'types': 'mypy',
}


@pytest.mark.parametrize('command', COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_found(command):
    """Settings: pyproject.toml."""
    done = subprocess.run(
        [sys.executable, '-P', '-m', *command.split()],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f'{command}\n{done.stdout}{done.stderr}'
