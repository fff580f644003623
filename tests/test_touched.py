"""Which slow tests a change asks for."""

import os
import pathlib
import subprocess

import pytest
from touched import WITHOUT_HISTORY, belongs, changed_files, touched

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    'files, places',
    [
        ([], []),
        (['README.md', 'docs/index.md', 'hwgen/images.py', 'pyproject.toml', '.ci/run'], []),
        (['hwgen/training/loop.py', 'tests/training/test_loop.py'], ['tests/training']),
        (['hwgen/data/formats/iam.py', 'tests/cli/preset_values.json'], ['tests/cli', 'tests/data']),
        (['bin/test', 'demo.flags', 'hwgen/gone/x.py', 'benchmarks/writing.py'], ['tests/cli']),
        (['experiments/corpus/hands.py'], ['tests/experiments']),
        (['saved_models/demo/weights.npz'], ['tests/evaluation']),
        (['constraints.txt'], ['tests']),
        (None, list(WITHOUT_HISTORY)),
    ],
)
def test_places_of_files(files, places):
    assert touched(files, CHECKOUT) == places


def test_what_runs_without_a_history_is_there():
    for place in WITHOUT_HISTORY:
        file, _, name = place.partition('::')
        assert f'def {name}(' in (CHECKOUT / file).read_text(encoding='utf-8') if name else CHECKOUT / file


def test_ids_of_a_place():
    assert belongs('tests/data/test_x.py::test_y', ['tests/models', 'tests/data'])
    assert belongs('tests/data/test_x.py::test_y[1]', ['tests/data/test_x.py::test_y'])
    assert not belongs('tests/data/test_x.py::test_yes', ['tests/data/test_x.py::test_y'])
    assert not belongs('tests/data_of/test_x.py::test_y', ['tests/data']) and not belongs('tests/a.py::b', [])


def test_files_of_a_change():
    """On a branch: since it left; on main: of the last commit; without a commit before, or git: not known.
    What is not committed counts.
    """

    def git(*arguments):
        names = {f'GIT_{who}_{what}': 'x' for who in ('AUTHOR', 'COMMITTER') for what in ('NAME', 'EMAIL')}
        subprocess.run(['git', *arguments], check=True, capture_output=True, env={**os.environ, **names})

    def commit(*names):
        for name in names:
            pathlib.Path(name).write_text(name)
        git('add', '.')
        git('commit', '-q', '-m', ' '.join(names))

    git('init', '-q', '-b', 'main')
    assert changed_files('.') is None
    commit('a')
    assert changed_files('.') is None
    commit('b', 'c')
    assert changed_files('.') == ['b', 'c']
    git('update-ref', 'refs/remotes/origin/main', 'HEAD')
    assert changed_files('.') == ['b', 'c']
    git('checkout', '-q', '-b', 'mine')
    commit('d')
    commit('e')
    pathlib.Path('a').write_text('not committed')
    assert changed_files('.') == ['a', 'd', 'e']
