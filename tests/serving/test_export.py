"""Export: a version appears whole, compared and described, or not at all."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import hwgen
from hwgen.serving import export
from hwgen.serving.saved_version import SavedVersion
from hwgen.serving.text_lookup import TextLookup


def test_what_it_says_of_itself(exported, writer):
    path, told, _ = exported
    with open(os.path.join(path, 'assets.extra', 'hwgen.json'), encoding='utf-8') as file:
        assert json.load(file) == told
    assert (told['hwgen'], told['charset']) == (hwgen.__version__, dict(row_count=writer.charset.row_count, hash=writer.charset.hash))
    assert (told['truncation'], told['max_characters'], told['data_licence']) == (.7, 80, 'made for a test')
    assert told['signatures'] == ['serving_default', 'styled', 'images', 'components', 'styled_components', 'styles']
    assert told['compared'] == dict(lines=3, characters=48, largest_difference_grey_levels=told['compared']['largest_difference_grey_levels'])
    assert told['compared']['largest_difference_grey_levels'] <= 1
    assert sorted(os.listdir(os.path.dirname(path))) == ['3']  # nothing temporary is left beside it
    assert {'saved_model.pb', 'variables', 'assets.extra'} <= set(os.listdir(path))


def test_a_picture_that_differs_is_not_published(exported, writer, truncation, monkeypatch):
    """The comparison can fail: against a Writer of which one pixel differs, and against one that draws other hands."""
    texts = export._sample_texts(TextLookup(writer, max_characters=80).characters, 80)
    monkeypatch.setattr(export, '_ask', lambda *_: exported[2])
    assert export._compare('served', writer, texts, truncation) <= 1
    write, styles = writer.write, writer.styles

    def other(*arguments, **options):
        images = write(*arguments, **options)
        images[-1][3, -1] = 255 - images[-1][3, -1] // 2
        return images
    with monkeypatch.context() as patch:
        patch.setattr(writer, 'write', other)
        with pytest.raises(export.ExportError, match='^served: signature serving_default writes .* up to .* grey levels apart from the generator, expected at most 1'):
            export._compare('served', writer, texts, truncation)
    names, answers = exported[2]
    spoilt = [dict(answer) for answer in answers]
    spoilt[5]['images'] = np.array(spoilt[5]['images'])
    spoilt[5]['images'][-1, 3, 2] = np.nan
    with monkeypatch.context() as patch:
        patch.setattr(export, '_ask', lambda *_: (names, spoilt))
        with pytest.raises(export.ExportError, match='signature images writes .* up to nan grey levels apart'):
            export._compare('served', writer, texts, truncation)
    monkeypatch.setattr(writer, 'styles', lambda seeds, **options: styles(seeds, **options) + np.float32(1e-4))
    with pytest.raises(export.ExportError, match='signature styles draws other hands|signature styled writes'):
        export._compare('served', writer, texts, truncation)
    monkeypatch.setattr(export, '_ask', lambda *_: (['serving_default'], exported[2][1]))
    with pytest.raises(export.ExportError, match='signatures serving_default; expected components, images'):
        export._compare('served', writer, texts, truncation)


def test_nothing_appears_when_the_comparison_fails(writer, monkeypatch, tmp_path):
    def fail(*arguments):
        assert os.listdir(arguments[0])  # it is written by then, under another name
        raise export.ExportError('differs')
    monkeypatch.setattr(export, '_compare', fail)
    monkeypatch.setattr(export.tf.saved_model, 'save', lambda model, folder, signatures: '[' not in folder and open(os.path.join(folder, 'saved_model.pb'), 'w').close())
    monkeypatch.setattr(export.ServedModel, 'signatures', lambda self: {})
    path = tmp_path / 'hwgen[x]' / '1'
    with pytest.raises(export.ExportError, match='differs'):
        export.export_model(writer, str(path), truncation=1., max_characters=9, licence='')
    assert os.listdir(path.parent) == []
    # Someone else was faster: theirs stays.
    monkeypatch.setattr(export, '_compare', lambda *arguments: (path.mkdir(), (path / 'theirs').touch()) and 0.)
    with pytest.raises(FileExistsError, match='version exists and may be served') as caught:
        export.export_model(writer, str(path), truncation=1., max_characters=9, licence='')
    assert caught.value.filename == str(path) and os.listdir(path) == ['theirs'] and os.listdir(path.parent) == ['1']


def test_a_name_is_no_pattern(exported, tmp_path):
    """TensorFlow alone finds no variables below a folder of such a name, and says that it is of another device."""
    path = str(tmp_path / 'base[1] x*' / '1')
    shutil.copytree(exported[0], path)
    request = dict(signature='styles', inputs=dict(style_seeds=[3]))
    (names, (answer,)), (_, (expected,)) = (export._ask(folder, [request]) for folder in (path, exported[0]))
    assert 'serving_default' in names and answer == expected
    np.testing.assert_array_equal(SavedVersion(path).run('styles', dict(style_seeds=np.array([3])))['styles'], np.float32(answer['styles']))


def test_a_folder_that_does_not_load(tmp_path, writer):
    (tmp_path / 'saved_model.pb').write_bytes(b'')
    with pytest.raises(export.ExportError, match=f'{tmp_path}: a fresh process cannot load or run it: '):
        export._compare(str(tmp_path), writer, ['永'], 1.)


def test_licences():
    assert 'SIL Open Font License' in export.data_licence(dict(data=dict(source='scribe'), command='train'))
    assert 'research only' in export.data_licence(dict(data=dict(source='casia')))
    for info in ({}, dict(data=dict(source='folder')), dict(data=dict(source='scribe'), command='train --init_from=runs/casia')):
        assert export.data_licence(info) == export.UNSTATED


def test_the_fresh_process_ends_with_who_asked(tmp_path):
    """However it ends: the script waits for a folder that does not come to an end, until its standard input does."""
    slow = "import sys, types, time; sys.modules['tensorflow'] = types.SimpleNamespace(saved_model=types.SimpleNamespace(load=lambda path: time.sleep(600)))\n"
    script = slow + f"import runpy; sys.argv = ['x', 'a', 'b', 'c']; runpy.run_path({export.fresh_process.__file__!r}, run_name='__main__')"
    with subprocess.Popen([sys.executable, '-P', '-c', script], stdin=subprocess.PIPE) as child:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=1)
        child.stdin.close()
        assert child.wait(timeout=60) == -signal.SIGKILL
