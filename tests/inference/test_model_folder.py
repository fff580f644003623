"""Where a generator is looked for: a folder, a run, what ships."""

import os
import pathlib

import pytest

from hwgen.inference.description import ArtefactError
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model, find_shipped
from hwgen.settings import resources
from hwgen.settings.resources import resource_path


def test_a_run_that_has_no_model_yet_is_no_missing_generator(tmp_path):
    for name in ('begun', 'ended/model', 'empty'):
        (tmp_path / name).mkdir(parents=True)
    for name in ('begun', 'ended'):
        (tmp_path / name / 'metrics.jsonl').write_text('')
    for path in ('begun', 'begun/', 'begun/model'):
        with pytest.raises(
            ArtefactError,
            match=(
                f'{path}: training not finished: there is no model yet. It is written to .*begun/model when'
            ),
        ):
            find_model(f'{tmp_path}/{path}')
    assert find_model(f'{tmp_path}/ended') == f'{tmp_path}/ended/model'
    for path in ('ended/model', 'empty', 'nowhere', 'nowhere/model'):
        assert find_model(f'{tmp_path}/{path}') == f'{tmp_path}/{path}'


def test_what_ships_is_found_from_any_folder(tmp_path, monkeypatch):
    """A folder of that name where one works comes first."""
    monkeypatch.chdir(tmp_path)
    assert (
        find_model(DEFAULT_MODEL) == str(resource_path(DEFAULT_MODEL))
        and (resource_path(DEFAULT_MODEL) / 'generator.json').is_file()
    )
    assert DEFAULT_MODEL == 'saved_models/spaced64'
    assert find_model('saved_models/demo') == str(resource_path('saved_models/demo'))
    for name in (DEFAULT_MODEL, 'saved_models/demo'):
        (tmp_path / name).mkdir(parents=True)
        assert find_model(name) == name


def test_files_that_ship_lie_in_the_checkout_or_where_it_is_installed(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, 'CHECKOUT', tmp_path / 'checkout')
    monkeypatch.setattr(
        resources.sysconfig, 'get_path', lambda kind: {'data': str(tmp_path / 'prefix')}[kind]
    )
    assert resource_path('demo.flags') == tmp_path / 'checkout/demo.flags'  # where one would look for it
    for place in ('checkout/share/hwgen', 'prefix/share/hwgen', 'checkout'):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / 'demo.flags').touch()
        assert resource_path('demo.flags') == tmp_path / place / 'demo.flags'


def test_a_generator_that_has_a_folder_called_model(tmp_path):
    os.makedirs('mine/model')
    assert find_model('mine') == 'mine/model'
    pathlib.Path('mine/generator.json').touch()
    assert find_model('mine') == 'mine'
    assert find_model(DEFAULT_MODEL) == str(resource_path('saved_models/spaced64'))
    os.makedirs('saved_models/spaced64')
    assert find_model(DEFAULT_MODEL) == 'saved_models/spaced64'  # the one that is here


def test_a_model_that_ships_has_a_name():
    shipped = str(resource_path('saved_models/demo'))
    assert find_shipped('demo') == find_model('demo') == find_model(pathlib.Path('demo')) == shipped
    # no generator, and no name
    assert find_model('features') == 'features' and find_model('other/demo') == 'other/demo'
    assert find_model('saved_models/features') == 'saved_models/features'
    assert find_model('spaced64') == str(resource_path(DEFAULT_MODEL))
    assert find_shipped(None) is None
    os.mkdir('demo')
    assert find_model('demo') == 'demo'  # the one that is here
