"""A generator's files: read back bit for bit, replaced whole or not at all, damage named."""

import json
import os
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.inference import artefact
from hwgen.inference.artefact import ArtefactError, load_generator, save_generator
from hwgen.models.generator import Generator
from hwgen.models.style_encoder import StyleEncoder
from hwgen.settings.model import GeneratorConfig


@pytest.fixture(scope='module')
def small():
    """Generator and style encoder of random weights (tables of their own: nothing here looks at
    characters).
    """
    config = GeneratorConfig(
        num_components=9,
        num_structures=5,
        num_characters=7,
        char_px=16,
        char_width_px=8,
        character_noise_dim=3,
        cell_dim=2,
        **{
            **PLAIN,
            **dict(
                content_encoding='warped',
                content_channels=4,
                channels=(4, 4),
                style_part_dim=2,
                structure_dim=3,
                component_dim=3,
                upsample='between',
            ),
        },
    )
    generator = Generator(config, name='average')
    generator(**inputs(config, 1))
    encoder = StyleEncoder(
        config.style_dim, character_noise_dim=3, channels=(4, 5, 6), char_px=16, char_width_px=8
    )
    encoder(np.ones([1, 16, 8, 1], np.float32))
    rng = np.random.default_rng(0)
    for variable in (*generator.variables, *encoder.variables):
        variable.assign(
            np.exp(rng.normal(scale=0.3, size=variable.shape))
            if 'variance' in variable.path
            else rng.normal(size=variable.shape)
        )
    return generator, encoder


def inputs(config, n):
    rng = np.random.default_rng(n)
    return dict(
        characters=Characters(
            component_ids=tf.constant(rng.integers(1, 9, size=[1, n, 4])),
            structure_ids=tf.constant(rng.integers(1, 5, size=[1, n])),
            boxes=tf.ones([1, n, 4, 4]) * [0.0, 0.0, 1.0, 1.0],
            character_ids=tf.ones([1, n], tf.int32),
        ),
        style=tf.constant(rng.normal(size=[1, config.style_dim]), tf.float32),
        character_noise=tf.constant(rng.normal(size=[1, n, 3]), tf.float32),
    )


@pytest.fixture
def saved(small, tmp_path):
    path = str(tmp_path / 'models' / 'small')
    save_generator(path, small[0], style_encoder=small[1], charset=Charset.load(), info=dict(step=12))
    return path


def rewrite(path, change):
    """Reads weights.npz, lets `change` alter the dict of arrays, writes it again."""
    file = os.path.join(path, 'weights.npz')
    with np.load(file) as stored:
        arrays = dict(stored)
    change(arrays)
    np.savez_compressed(file, **arrays)


def test_round_trip_is_bit_exact(small, saved):
    generator, encoder, description = load_generator(saved, charset=Charset.load())
    for ours, theirs in zip(small, (generator, encoder)):
        assert len(ours.variables) == len(theirs.variables)
        for a, b in zip(ours.variables, theirs.variables):
            assert a.path.split('/', 1)[1] == b.path.split('/', 1)[1]
            np.testing.assert_array_equal(a, b, err_msg=a.path)
    assert generator.config == small[0].config
    np.testing.assert_array_equal(
        generator(**inputs(generator.config, 3)), small[0](**inputs(generator.config, 3))
    )
    images = np.random.default_rng(1).uniform(-1.0, 1.0, size=[1, 16, 32, 1]).astype(np.float32)
    for key, value in small[1](images).items():
        np.testing.assert_array_equal(encoder(images)[key], value)
    assert description['info'] == dict(step=12)
    assert description['charset'] == dict(row_count=Charset.load().row_count, hash=Charset.load().hash)
    assert sorted(os.listdir(saved)) == ['generator.json', 'weights.npz']
    assert os.listdir(os.path.dirname(saved)) == ['small']


def test_without_style_encoder_and_in_half_precision(small, tmp_path):
    path = str(tmp_path / 'half')
    save_generator(path, small[0], charset=Charset.load(), dtype='float16')
    generator, encoder, _ = load_generator(path)
    assert encoder is None
    for a, b in zip(small[0].variables, generator.variables):
        np.testing.assert_array_equal(np.asarray(a).astype('float16').astype('float32'), b)


def test_an_older_one_is_replaced(small, saved):
    save_generator(saved, small[0], charset=Charset.load(), info=dict(step=13))
    _, encoder, description = load_generator(saved)
    assert description['info'] == dict(step=13) and encoder is None
    assert os.listdir(os.path.dirname(saved)) == ['small']


@pytest.mark.parametrize('failing', ['savez_compressed', 'fsync'])
def test_a_failed_write_leaves_the_older_one(small, saved, monkeypatch, failing):
    def full(*_, **__):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(np if failing == 'savez_compressed' else os, failing, full)
    with pytest.raises(OSError, match='(?i)no space left'):
        save_generator(saved, small[0], charset=Charset.load(), info=dict(step=13))
    monkeypatch.undo()
    assert load_generator(saved)[2]['info'] == dict(step=12)
    assert os.listdir(os.path.dirname(saved)) == ['small']


def test_a_failed_rename_leaves_the_older_one(small, saved, monkeypatch):
    """The last step of a replacement fails (a scanner holds the new folder): the older one is still there."""
    rename, calls = os.rename, []

    def second_fails(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise PermissionError(13, 'Permission denied', target)
        rename(source, target)

    monkeypatch.setattr(artefact.os, 'rename', second_fails)
    with pytest.raises(PermissionError):
        save_generator(saved, small[0], charset=Charset.load(), info=dict(step=13))
    monkeypatch.undo()
    assert load_generator(saved)[2]['info'] == dict(step=12)


def test_nothing_there(tmp_path):
    with pytest.raises(ArtefactError, match='nowhere: no generator there .expected .*generator.json'):
        load_generator(str(tmp_path / 'nowhere'))


def test_missing_weights(saved):
    os.remove(os.path.join(saved, 'weights.npz'))
    with pytest.raises(ArtefactError, match='small: no weights there .expected .*weights.npz'):
        load_generator(saved)


@pytest.mark.parametrize(
    'text',
    [
        '',
        '{',
        '[]',
        '{}',
        '{"generator": {"sizes": 3}}',
        '{"generator": {}}',
        '{"generator": 5}',
        '"x"',
        '\ud800',
    ],
)
def test_a_description_that_is_none(saved, text):
    with open(os.path.join(saved, 'generator.json'), 'wb') as file:
        file.write(text.encode('utf-8', 'surrogatepass'))
    with pytest.raises(ArtefactError, match='generator.json: not a generator description'):
        load_generator(saved)


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda d: d.update(format=2), 'format 2, expected 1'),
        (lambda d: d.pop('format'), 'format None, expected 1'),
        (lambda d: d.pop('charset'), 'generator.json'),
        (lambda d: d['charset'].pop('hash'), 'generator.json'),
        (lambda d: d['generator'].update(content_encoding='runes'), 'runes'),
        (
            lambda d: d['generator'].update(upsample='subpixel'),
            "upsample='subpixel': expected one of first, between",
        ),
        (lambda d: d['style_encoder'].pop('channels'), 'generator.json'),
    ],
)
def test_a_description_that_does_not_fit(saved, change, message):
    file = os.path.join(saved, 'generator.json')
    with open(file, encoding='utf-8') as stream:
        description = json.load(stream)
    change(description)
    with open(file, 'w', encoding='utf-8') as stream:
        json.dump(description, stream)
    with pytest.raises(ArtefactError, match=message) as error:
        load_generator(saved, charset=Charset.load())
    assert 'generator.json' in str(error.value)


def test_another_charset(saved):
    file = os.path.join(saved, 'generator.json')
    with open(file, encoding='utf-8') as stream:
        description = json.load(stream)
    description['charset']['hash'] = '0' * 64
    with open(file, 'w', encoding='utf-8') as stream:
        json.dump(description, stream)
    with pytest.raises(ValueError, match='0' * 8):
        load_generator(saved, charset=Charset.load())
    assert load_generator(saved)[0] is not None  # unasked, it is not compared


@pytest.mark.parametrize('share', [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_weights(saved, share):
    file = os.path.join(saved, 'weights.npz')
    with open(file, 'r+b') as stream:
        stream.truncate(int(os.path.getsize(file) * share))
    with pytest.raises(ArtefactError, match='weights.npz: damaged'):
        load_generator(saved)


def test_flipped_bytes_are_never_taken_for_weights(small, saved):
    """A hundred places of the file, one at a time: refused, or (dates and the like) read as they were."""
    file = os.path.join(saved, 'weights.npz')
    with open(file, 'rb') as stream:
        content = stream.read()
    refused = 0
    for place in np.random.default_rng(2).integers(0, len(content), size=100):
        with open(file, 'wb') as stream:
            stream.write(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            arrays = artefact.read_arrays(file)
        except ArtefactError:
            refused += 1
            continue
        expected = artefact.named_arrays('generator', small[0])
        if not set(expected) <= set(arrays):  # a damaged name: `load_generator` misses it
            refused += 1
            continue
        for name, value in expected.items():
            np.testing.assert_array_equal(arrays[name], value)
    assert refused > 30


def test_an_archive_of_other_things(saved):
    file = os.path.join(saved, 'weights.npz')
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('readme.txt', 'hello')
    with pytest.raises(ArtefactError, match='weights.npz'):
        load_generator(saved)


def test_pickles_are_never_loaded(saved):
    def poison(arrays):
        first = next(iter(arrays))
        arrays[first] = np.array([dict(a=1)], dtype=object)

    rewrite(saved, poison)
    with pytest.raises(ArtefactError, match='weights.npz: damaged'):
        load_generator(saved)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('part', ['generator', 'style_encoder'])
def test_weights_that_are_not_finite(saved, value, part):
    names = []

    def poison(arrays):
        names.append([name for name in arrays if name.startswith(part) and name.endswith('kernel')][-1])
        arrays[names[0]].flat[3] = value

    rewrite(saved, poison)
    with pytest.raises(ArtefactError, match=f'weights.npz: {names[0]} holds values that are not finite'):
        load_generator(saved)


def test_arrays_that_do_not_fit(saved):
    names = []

    def drop(arrays):
        names.append(sorted(arrays)[4])
        del arrays[names[0]]

    rewrite(saved, drop)
    with pytest.raises(ArtefactError, match=f'weights.npz: no array {names[0]}'):
        load_generator(saved)
    rewrite(saved, lambda arrays: arrays.update({names[0]: np.zeros([2, 2, 2], np.float32)}))
    with pytest.raises(ArtefactError, match=rf'{names[0]} has shape \(2, 2, 2\), expected'):
        load_generator(saved)


def test_what_is_written_is_what_was_given(small, tmp_path):
    """Sizes, channels and what was shown, as JSON that people read; a folder that others may read; nothing
    that was not given.
    """
    path = str(tmp_path / 'a' / 'b' / 'model')
    save_generator(
        path, small[0], style_encoder=small[1], charset=Charset.load(), seen='明天', info=dict(command='训练')
    )
    with open(os.path.join(path, 'generator.json'), encoding='utf-8') as stream:
        text = stream.read()
    found = json.loads(text)
    assert '明天' in text and '训练' in text and text.endswith('}\n') and text.startswith('{\n "format": 1')
    assert found['seen'] == '明天' and found['style_encoder'] == dict(channels=[4, 5, 6])
    assert (
        found['generator']['char_px'],
        found['generator']['char_width_px'],
        found['generator']['num_components'],
    ) == (16, 8, 9)
    assert os.stat(path).st_mode & 0o777 == 0o755
    with np.load(os.path.join(path, 'weights.npz')) as stored:
        assert {value.dtype for value in stored.values()} == {np.dtype('float32')} and len(
            stored.files
        ) == len(small[0].variables) + len(small[1].variables)
        index, variable = next(
            (i, v) for i, v in enumerate(small[0].variables) if v.path.endswith('last_conv/kernel')
        )
        np.testing.assert_array_equal(
            stored[f'generator/{index:03d}/{variable.path.split("/", 1)[1]}'], variable
        )
    save_generator(path, small[0], charset=Charset.load())
    with open(os.path.join(path, 'generator.json'), encoding='utf-8') as stream:
        assert json.load(stream).keys() == {'format', 'generator', 'charset', 'info'}
    save_generator(path, small[0], charset=Charset.load(), seen='')  # nothing was shown, which is known
    assert load_generator(path)[2]['seen'] == ''
