"""Folders of the embedded corpus that get their splits when they are needed: byte for byte what is written
at once, whatever interrupts it.
"""

import json
import shutil

import pytest
from preparing import SIZES

from hwgen.data.preparing import prepare
from hwgen.data.reading import shards
from hwgen.data.scribe import corpus

SETTINGS = dict(SIZES, workers=1)


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """Folder that was written at once."""
    folder = tmp_path_factory.mktemp('whole') / 'out'
    prepare.prepare_scribe(folder, **SETTINGS, report=lambda line: None)
    return folder


def contents(folder):
    """The bytes of its shards and indices, and its info.json without the command."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != 'info.json'}
    return found, {
        name: value
        for name, value in json.loads((folder / 'info.json').read_text()).items()
        if name != 'command'
    }


def test_an_outline_is_what_is_drawn_later():
    for settings in {}, {'version': '1.1'}, {'script': 'latin'}, {'shots': (0, 1, 5), 'lines': 4000}:
        plan = corpus.plan_corpus(**{'lines': 60, **settings})
        lengths, writers = plan.outline('train')
        for i in range(0, 60, 7):
            record = plan.line('train', i)
            assert (len(record.character_ids), record.writer) == (lengths[i], plan.writer(writers[i]).name)


def test_splits_are_added_when_they_are_needed(whole, tmp_path):
    out, said = tmp_path / 'out', []
    info = prepare.prepare_scribe(out, **SETTINGS, splits=['test'], report=said.append)
    assert set(info['splits']) == {'test'} and set(info['planned']) == {'train', 'validation', 'unseen'}
    assert (
        'complete, test 8 lines; train, validation, unseen are written when a command needs them' in said[-1]
    )
    assert {path.name.split('-')[0].split('.')[0] for path in out.iterdir()} == {'test', 'info'}
    assert shards.whole(info) == {
        **shards.whole(info),
        **{name: value for name, value in contents(whole)[1].items() if name != 'not_shown'},
    }
    with pytest.raises(shards.RecordError, match="split 'train' has not been written yet"):
        shards.RecordIndex(out, split='train')
    before = (out / 'test-00000-of-00001.tfrecord').stat().st_mtime_ns
    prepare.prepare_scribe(out, **SETTINGS, splits=['test', 'validation'], report=said.append)
    assert set(shards.read_info(out)['splits']) == {'test', 'validation'}
    prepare.prepare_scribe(out, **SETTINGS, splits=['test'], report=said.append)
    assert 'already there' in said[-1]
    prepare.prepare_scribe(out, **SETTINGS, report=said.append)
    assert contents(out) == contents(whole) and not (tmp_path / 'out.partial').exists()
    assert (out / 'test-00000-of-00001.tfrecord').stat().st_mtime_ns == before  # not drawn again
    assert list(contents(out)[1]) == list(contents(whole)[1]) and list(contents(out)[1]['splits']) == [
        'train',
        'validation',
        'test',
        'unseen',
    ]
    with pytest.raises(FileExistsError, match='lines 70, now 71'):
        prepare.prepare_scribe(out, **{**SETTINGS, 'lines': 71}, splits=['test'], report=said.append)


def test_what_is_done_of_other_splits_stays(whole, tmp_path, monkeypatch):
    out, drawn = tmp_path / 'out', prepare.drawn

    def stopping(plan, split, lines, **options):
        if lines[0] >= 32:
            raise KeyboardInterrupt
        return drawn(plan, split, lines, **options)

    monkeypatch.setattr(prepare, 'drawn', stopping)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare_scribe(out, **SETTINGS, report=lambda line: None)
    info = prepare.prepare_scribe(out, **SETTINGS, splits=['unseen'], report=lambda line: None)
    assert set(info['splits']) == {'unseen'} and (tmp_path / 'out.partial' / 'journal').exists()
    monkeypatch.setattr(prepare, 'drawn', drawn)
    said = []
    prepare.prepare_scribe(out, **SETTINGS, splits=['train', 'validation', 'test'], report=said.append)
    assert any('resumed: 32 of 87 lines done' in line for line in said)
    assert contents(out) == contents(whole) and not (tmp_path / 'out.partial').exists()


@pytest.mark.parametrize('moment', ['rename', 'write_info', 'forget'])
def test_killed_while_splits_move(whole, tmp_path, monkeypatch, moment):
    class Killed(BaseException):
        """Stands for the end of the process."""

    out = tmp_path / 'out'
    prepare.prepare_scribe(out, **SETTINGS, splits=['test'], report=lambda line: None)

    def kill(*arguments):
        raise Killed

    place = {
        'rename': (prepare.record_folder.pathlib.Path, 'rename'),
        'write_info': (shards, 'write_info'),
        'forget': (prepare.work_folder.WorkFolder, 'forget'),
    }
    with monkeypatch.context() as patched:
        if moment != 'forget':
            real, calls = getattr(*place[moment]), []
            patched.setattr(
                *place[moment],
                lambda *arguments: (calls.append(1), real(*arguments) if len(calls) < 2 else kill())[1],
            )
        else:
            patched.setattr(*place[moment], kill)
        with pytest.raises(Killed):
            prepare.prepare_scribe(out, **SETTINGS, splits=['validation'], report=lambda line: None)
    assert set(shards.read_info(out)['splits']) in ({'test'}, {'test', 'validation'})
    prepare.prepare_scribe(out, **SETTINGS, report=lambda line: None)
    assert contents(out) == contents(whole)


@pytest.mark.slow
def test_a_corpus_asked_for_by_its_name(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, 'EMBEDDED', {'small': SETTINGS})
    prepare.ensure_embedded('small', ['test', 'unseen'])
    assert set(shards.read_info('small')['splits']) == {'test', 'unseen'}
    shutil.move('small', 'moved')  # what it is stands in its info.json
    prepare.ensure_embedded('moved', ['train', 'validation'], report=lambda line: None)
    assert contents(tmp_path / 'moved') == contents(whole)
    prepare.ensure_embedded('moved', ['train', 'other'], report=pytest.fail)
    # whoever reads it says that it is not there
    prepare.ensure_embedded('elsewhere', ['train'], report=pytest.fail)


def test_pictures_and_texts_are_written_at_once(tmp_path):
    with pytest.raises(ValueError, match='expected all of them'):
        prepare.prepare_scribe(tmp_path / 'out', **SETTINGS, output_format='folder', splits=['test'])
