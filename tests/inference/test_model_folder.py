"""Where a generator is looked for: a folder, a run, what ships."""

import pytest

from hwgen.inference.description import ArtefactError
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.settings.resources import resource_path


def test_a_run_that_has_no_model_yet_is_no_missing_generator(tmp_path):
    for name in ('begun', 'ended/model', 'empty'):
        (tmp_path / name).mkdir(parents=True)
    for name in ('begun', 'ended'):
        (tmp_path / name / 'metrics.jsonl').write_text('')
    for path in ('begun', 'begun/', 'begun/model'):
        with pytest.raises(ArtefactError, match=f'{path}: training not finished: there is no model yet. It is written to .*begun/model when'):
            find_model(f'{tmp_path}/{path}')
    assert find_model(f'{tmp_path}/ended') == f'{tmp_path}/ended/model'
    for path in ('ended/model', 'empty', 'nowhere', 'nowhere/model'):
        assert find_model(f'{tmp_path}/{path}') == f'{tmp_path}/{path}'


def test_what_ships_is_found_from_any_folder(tmp_path, monkeypatch):
    """A folder of that name where one works comes first."""
    monkeypatch.chdir(tmp_path)
    assert find_model(DEFAULT_MODEL) == str(resource_path(DEFAULT_MODEL)) and (resource_path(DEFAULT_MODEL) / 'generator.json').is_file()
    (tmp_path / DEFAULT_MODEL).mkdir(parents=True)
    assert find_model(DEFAULT_MODEL) == DEFAULT_MODEL
