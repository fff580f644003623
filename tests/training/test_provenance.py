"""What a run says it was made with: lines wherever they lie, versions, the processor's products, the
commit of a checkout.
"""

import builtins
import hashlib
import io
import platform
import subprocess
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

import hwgen
from hwgen.training import provenance


def index_of(**info):
    return types.SimpleNamespace(info=info, digest=lambda: 'of the records')


def test_lines_are_what_prepare_says_of_them_but_when_and_how():
    """SHA-256 of info.json in the order of its keys, the splits that are still to come among the others,
    without the command and what the pictures' files were.
    """
    told = dict(splits=dict(train=20, test=4), char_px=64, vocabulary=[3, 1])
    found = provenance.lines_of(index_of(**told))
    assert found == dict(
        contents='of the records',
        digest=hashlib.sha256(
            b'{"char_px": 64, "splits": {"test": 4, "train": 20}, "vocabulary": [3, 1]}'
        ).hexdigest(),
    )
    same = (
        dict(told, command='prepare --x', input=[['a', 1]]),
        dict(vocabulary=[3, 1], char_px=64, splits=dict(train=20), planned=dict(test=4)),
    )
    assert all(provenance.lines_of(index_of(**info)) == found for info in same)
    for other in (
        dict(told, char_px=32),
        dict(told, vocabulary=[1, 3]),
        dict(told, splits=dict(train=20, test=5)),
        dict(told, commands='x'),
    ):
        assert provenance.lines_of(index_of(**other))['digest'] != found['digest']


def test_versions_are_those_at_work(monkeypatch):
    monkeypatch.setattr(provenance, '_git_commit', lambda: 'abc+')
    assert provenance.versions() == dict(
        version=hwgen.__version__,
        tensorflow=tf.__version__,
        keras=keras.__version__,
        numpy=np.__version__,
        python=platform.python_version(),
        git_commit='abc+',
    )


@pytest.mark.parametrize(
    'text, expected',
    [
        ('processor : 0\nflags\t\t: fpu avx512f avx512_bf16 sse\n', 'bfloat16'),
        ('flags : amx_bf16 amx_tile\n', 'bfloat16'),
        ('flags : fpu avx512f avx2\n', 'float32'),
        ('flags : avx512_bf16x\nbugs : avx512_bf16\n', 'float32'),
        ('model name : avx512_bf16\n', 'float32'),
        ('', 'float32'),
        (None, 'float32'),
    ],
)
def test_products_are_in_bfloat16_where_the_processor_has_them(monkeypatch, text, expected):
    """Either of the two extensions, by its whole name, on the line of flags; where nothing can be read
    there is none.
    """

    def opened(path, *arguments, **options):
        assert path == '/proc/cpuinfo'
        if text is None:
            raise FileNotFoundError(path)
        return io.StringIO(text)

    monkeypatch.setattr(builtins, 'open', opened)
    found = provenance.fast_product_dtype()
    monkeypatch.undo()
    assert found == expected


def test_the_commit_of_a_checkout_says_whether_the_package_differs(tmp_path, monkeypatch):
    package = tmp_path / 'hwgen'
    package.mkdir()
    for name in ('hwgen/__init__.py', 'notes.txt'):
        (tmp_path / name).write_text('')
    monkeypatch.setattr(
        provenance, 'hwgen', types.SimpleNamespace(__file__=str(package / '__init__.py'), __version__='1')
    )
    assert provenance.versions()['git_commit'] is None, 'no checkout'

    def git(*arguments):
        return subprocess.run(
            ['git', '-C', str(tmp_path), '-c', 'user.name=a', '-c', 'user.email=a@b', *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    git('init', '-q')
    assert provenance.versions()['git_commit'] is None, 'a checkout without a commit'
    git('add', '.')
    git('commit', '-qm', 'first')
    commit = git('rev-parse', 'HEAD').strip()
    assert provenance.versions()['git_commit'] == commit and len(commit) == 40
    (tmp_path / 'notes.txt').write_text('of no matter')
    assert provenance.versions()['git_commit'] == commit
    (package / '__init__.py').write_text('changed')
    assert provenance.versions()['git_commit'] == commit + '+'
