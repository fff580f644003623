"""Export: a version appears whole, compared and described, or not at all."""

import base64
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

import hwgen
from hwgen.inference import picture_files
from hwgen.serving import export
from hwgen.serving.saved_version import SavedVersion
from hwgen.serving.text_lookup import TextLookup


def test_what_it_says_of_itself(exported, writer):
    path, told, _ = exported
    with open(os.path.join(path, 'assets.extra', 'hwgen.json'), encoding='utf-8') as file:
        assert json.load(file) == told
    assert (told['hwgen'], told['charset']) == (
        hwgen.__version__,
        dict(row_count=writer.charset.row_count, hash=writer.charset.hash),
    )
    assert (told['truncation'], told['max_characters'], told['data_licence']) == (0.7, 80, 'made for a test')
    assert told['signatures'] == [
        'serving_default',
        'styled',
        'images',
        'components',
        'styled_components',
        'styles',
    ]
    assert told['compared'] == dict(
        lines=3,
        characters=48,
        largest_difference_grey_levels=told['compared']['largest_difference_grey_levels'],
    )
    assert told['compared']['largest_difference_grey_levels'] <= 1
    assert (
        told['format'],
        told['char_px'],
        told['char_width_px'],
        told['style_dim'],
        told['content_encoding'],
        told['trained'],
    ) == (1, 16, 16, 18, 'layout', {})
    assert (
        told['characters'] == len(writer.charset.encodable_characters())
        and told['allow_unseen'] is False
        and told['tensorflow'] == export.tf.__version__
    )
    assert told['note'] == writer.repertoire.note != ''
    assert sorted(os.listdir(os.path.dirname(path))) == ['3']  # nothing temporary is left beside it
    assert {'saved_model.pb', 'variables', 'assets.extra'} <= set(os.listdir(path))


def test_a_picture_that_differs_is_not_published(exported, writer, truncation, monkeypatch):
    """The comparison can fail: against a Writer of which one pixel differs, and against one that draws
    other hands.
    """
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
        with pytest.raises(
            export.ExportError,
            match=(
                '^served: signature serving_default writes .* up to .* grey levels apart from the generator,'
                ' expected at most 1'
            ),
        ):
            export._compare('served', writer, texts, truncation)
    names, answers = exported[2]
    spoilt = [dict(answer) for answer in answers]
    spoilt[5]['images'] = np.array(spoilt[5]['images'])
    spoilt[5]['images'][-1, 3, 2] = np.nan
    with monkeypatch.context() as patch:
        patch.setattr(export, '_ask', lambda *_: (names, spoilt))
        with pytest.raises(
            export.ExportError, match='signature images writes .* up to nan grey levels apart'
        ):
            export._compare('served', writer, texts, truncation)
    monkeypatch.setattr(
        writer, 'styles', lambda seeds, **options: styles(seeds, **options) + np.float32(1e-4)
    )
    with pytest.raises(
        export.ExportError, match='signature styles draws other hands|signature styled writes'
    ):
        export._compare('served', writer, texts, truncation)
    monkeypatch.setattr(export, '_ask', lambda *_: (['serving_default'], exported[2][1]))
    with pytest.raises(export.ExportError, match='signatures serving_default; expected components, images'):
        export._compare('served', writer, texts, truncation)


def test_nothing_appears_when_the_comparison_fails(writer, monkeypatch, tmp_path):
    def fail(*arguments):
        assert os.listdir(arguments[0])  # it is written by then, under another name
        raise export.ExportError('differs')

    monkeypatch.setattr(export, '_compare', fail)
    monkeypatch.setattr(
        export.tf.saved_model,
        'save',
        lambda model, folder, signatures: (
            '[' not in folder and open(os.path.join(folder, 'saved_model.pb'), 'w').close()
        ),
    )
    monkeypatch.setattr(export.ServedModel, 'signatures', lambda self: {})
    path = tmp_path / 'hwgen[x]' / '1'
    with pytest.raises(export.ExportError, match='differs'):
        export.export_model(writer, str(path), truncation=1.0, max_characters=9, licence='')
    assert os.listdir(path.parent) == []
    # Someone else was faster: theirs stays.
    monkeypatch.setattr(
        export, '_compare', lambda *arguments: (path.mkdir(), (path / 'theirs').touch(), 0.0)[-1]
    )
    with pytest.raises(FileExistsError, match='version exists and may be served') as caught:
        export.export_model(writer, str(path), truncation=1.0, max_characters=9, licence='')
    assert (
        caught.value.filename == str(path)
        and os.listdir(path) == ['theirs']
        and os.listdir(path.parent) == ['1']
    )


@pytest.mark.slow
def test_a_name_is_no_pattern(exported, tmp_path):
    """TensorFlow alone finds no variables below a folder of such a name, and says that it is of another
    device.
    """
    path = str(tmp_path / 'base[1] x*' / '1')
    shutil.copytree(exported[0], path)
    request = dict(signature='styles', inputs=dict(style_seeds=[3]))
    (names, (answer,)), (_, (expected,)) = (export._ask(folder, [request]) for folder in (path, exported[0]))
    assert 'serving_default' in names and answer == expected
    np.testing.assert_array_equal(
        SavedVersion(path).run('styles', dict(style_seeds=np.array([3])))['styles'],
        np.float32(answer['styles']),
    )


def test_a_folder_that_does_not_load(tmp_path, writer):
    (tmp_path / 'saved_model.pb').write_bytes(b'')
    with pytest.raises(export.ExportError, match=f'{tmp_path}: a fresh process cannot load or run it: '):
        export._compare(str(tmp_path), writer, ['永'], 1.0)


def test_licences():
    assert 'SIL Open Font License' in export.data_licence(dict(data=dict(source='scribe'), command='train'))
    assert 'research only' in export.data_licence(dict(data=dict(source='casia')))
    for info in (
        {},
        dict(data=dict(source='folder')),
        dict(data=dict(source='scribe'), command='train --init_from=runs/casia'),
    ):
        assert export.data_licence(info) == export.UNSTATED


def test_the_fresh_process_ends_with_who_asked(tmp_path):
    """However it ends: the script waits for a folder that does not come to an end, until its standard
    input does.
    """
    slow = (
        "import sys, types, time; sys.modules['tensorflow'] ="
        ' types.SimpleNamespace(saved_model=types.SimpleNamespace(load=lambda path: time.sleep(600)))\n'
    )
    script = (
        slow
        + f"import runpy; sys.argv = ['x', 'a', 'b', 'c']; runpy.run_path({export.fresh_process.__file__!r},"
        " run_name='__main__')"
    )
    with subprocess.Popen([sys.executable, '-P', '-c', script], stdin=subprocess.PIPE) as child:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=1)
        child.stdin.close()
        assert child.wait(timeout=60) == -signal.SIGKILL


def test_texts_that_are_compared():
    """From the first character to the last in equal steps, in lines of 1, 7 and 40, none longer than may
    be.
    """
    characters = ''.join(map(chr, range(0x4E00, 0x4E00 + 48)))
    assert export._sample_texts(characters, 80) == [characters[:1], characters[1:8], characters[8:]]
    assert list(map(len, export._sample_texts(characters, 5))) == [1, 5, 5] and list(
        map(len, export._sample_texts(characters, 1))
    ) == [1, 1, 1]
    joined = ''.join(export._sample_texts(characters[:11], 5))
    assert joined == characters[:11] and ''.join(export._sample_texts('一二', 1)) == '一一二'


def test_one_grey_level_may_differ_and_no_more(exported, writer, truncation, monkeypatch):
    """Of pictures one level; of floats half a one more, which the rounding of the expected picture takes;
    of hands next to nothing.
    """
    texts = export._sample_texts(TextLookup(writer, max_characters=80).characters, 80)
    names, answers = exported[2]
    expected = {
        name: writer.write(texts, style_seeds=[3, 4, 5], truncation=share)
        for name, share in (('default', truncation), ('components', 1.0))
    }

    def compare(place, key, change):
        spoilt = [dict(answer) for answer in answers]
        spoilt[place][key] = change(list(spoilt[place][key]))
        monkeypatch.setattr(export, '_ask', lambda *_: (names, spoilt))
        return export._compare('served', writer, texts, truncation)

    def png(image):
        return lambda found: [
            *found[:1],
            base64.b64encode(picture_files.encode_png(image)).decode(),
            *found[2:],
        ]

    def moved(image, levels):
        image = image.astype(int)
        image[3, 5] += levels if image[3, 5] < 128 else -levels
        return image.astype(np.uint8)

    for place, kind in ((0, 'default'), (2, 'components')):
        assert compare(place, 'image_bytes', png(moved(expected[kind][1], 1))) == 1.0
        with pytest.raises(
            export.ExportError, match='up to 2 grey levels apart from the generator, expected at most 1'
        ):
            compare(place, 'image_bytes', png(moved(expected[kind][1], 2)))
    with pytest.raises(export.ExportError, match='gives no picture of .*, expected 112 x 16 px'):
        compare(0, 'image_bytes', png(expected['default'][1][:, :-1]))

    def floats(levels):
        def change(images):
            images = np.array(images, np.float64)
            images[1, :, :112, 0] = expected['default'][1] / 127.5 - 1
            images[1, 3, 5, 0] += levels / 127.5
            return images

        return change

    for levels in (1.45, -1.45):
        assert compare(5, 'images', floats(levels)) <= 1
    for levels in (1.55, -1.55):
        with pytest.raises(export.ExportError, match='signature images writes'):
            compare(5, 'images', floats(levels))
    with pytest.raises(
        export.ExportError, match='the text U.10FFFF gives the error .*, expected that it is named'
    ):
        compare(0, 'error', lambda errors: [*errors[:-1], errors[0]])
    with pytest.raises(export.ExportError, match='signature styles draws other hands'):
        compare(6, 'styles', lambda styles: np.array(styles) * 1.001)


@pytest.mark.parametrize(
    'kind, number, named', [('ResourceExhaustedError', errno.ENOSPC, True), ('UnknownError', errno.EIO, True)]
)
def test_an_error_of_the_file_system_is_one_of_the_version(
    writer, monkeypatch, tmp_path, kind, number, named
):
    def save(*_, **__):
        raise getattr(export.tf.errors, kind)(None, None, 'disk')

    monkeypatch.setattr(export.tf.saved_model, 'save', save)
    monkeypatch.setattr(export.ServedModel, 'signatures', lambda self: {})
    with pytest.raises(OSError) as caught:
        export.export_model(writer, str(tmp_path / 'hwgen/1'), truncation=1.0, max_characters=9, licence='')
    assert (caught.value.errno, caught.value.filename == str(tmp_path / 'hwgen/1')) == (
        number,
        named,
    ) and os.listdir(tmp_path / 'hwgen') == []


def test_every_licence_is_told():
    for source, word in (
        ('iam', 'IAM handwriting database: non-commercial'),
        ('iam_online', 'IAM-OnDB: non-commercial'),
        ('casia', 'CASIA .*research only'),
        ('scribe', 'Arphic'),
    ):
        assert re.search(
            word, export.data_licence(dict(data=dict(source=source), command='train --flagfile=x'))
        )
