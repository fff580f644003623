"""Where commands keep what they make of their own accord: nothing of it lies where one happens to stand."""

import os
import pathlib
import subprocess
import sys

import pytest

from hwgen.data.preparing import prepare
from hwgen.data.preparing.corpus_place import corpus_place
from hwgen.settings import resources


@pytest.fixture
def installed(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, 'in_checkout', lambda: False)
    monkeypatch.setattr(prepare, 'EMBEDDED', dict(prepare.EMBEDDED))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    return tmp_path / 'cache/hwgen'


def test_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setenv('XDG_CACHE_HOME', '/var/caches')
    assert resources.cache_folder() == pathlib.Path('/var/caches/hwgen')
    for given in ('', 'relative'):  # which the specification has ignored
        monkeypatch.setenv('XDG_CACHE_HOME', given)
        monkeypatch.setattr(resources.sys, 'platform', 'linux')
        assert resources.cache_folder() == tmp_path / '.cache/hwgen'
        monkeypatch.setattr(resources.sys, 'platform', 'darwin')
        assert resources.cache_folder() == tmp_path / 'Library/Caches/hwgen'


def test_in_a_checkout_things_stay_where_they_are():
    assert resources.in_checkout()
    assert (
        resources.made_place('saved_models/hwgen') == 'saved_models/hwgen'
        and corpus_place('tfrecords/demo') == 'tfrecords/demo'
    )


def test_an_installed_hwgen_keeps_corpora_in_its_cache(installed):
    assert corpus_place('tfrecords/demo-1.1') == str(installed / 'tfrecords/demo-1.1') and prepare.EMBEDDED[
        str(installed / 'tfrecords/demo-1.1')
    ] == {'version': '1.1'}
    assert corpus_place('tfrecords/mine') == 'tfrecords/mine'  # somebody's own: never a cache
    os.makedirs('tfrecords/demo')
    # it is here already
    assert corpus_place('tfrecords/demo') == 'tfrecords/demo' and not installed.exists()


# An hwgen that is not in a checkout, as far as the call that writes the corpus.
STUBBED = """
import sys
from hwgen.cli import app, quiet
quiet.quiet_tensorflow()
from hwgen.data.preparing import prepare
from hwgen.settings import resources
resources.in_checkout = lambda: False
def prepare_scribe(folder, **settings):
    print('asked', folder, settings)
    sys.exit(0)
prepare.prepare_scribe = prepare_scribe
app.dispatch()
"""


@pytest.mark.parametrize(
    'arguments, place', [(['train'], 'tfrecords/demo'), (['evaluate', '--num_lines=2'], 'tfrecords/wide')]
)
@pytest.mark.slow
def test_commands_write_them_there(arguments, place, tmp_path):
    checkout = str(resources.CHECKOUT)
    done = subprocess.run(
        [sys.executable, '-P', '-c', STUBBED, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': checkout, 'XDG_CACHE_HOME': str(tmp_path / 'cache')},
        check=False,
    )
    assert (
        done.returncode == 0
        and f'asked {tmp_path}/cache/hwgen/{place} ' in done.stdout
        and not os.path.exists('tfrecords')
    )
