"""Paths that TensorFlow takes for patterns, and what is left of its words."""

import os
import pathlib
import tempfile

import pytest
import tensorflow as tf

from hwgen.tensorflow_files import plain_path, reason_of, takes_for_pattern


@pytest.mark.parametrize('name', ['runs/exp[1]', 'a*', 'a?b', 'a{1,2}', 'a\\b', 'x://y'])
def test_a_folder_with_such_characters_is_reached_by_another_path(name):
    folder = pathlib.Path(name)
    folder.mkdir(parents=True)
    with plain_path(name) as plain:
        assert takes_for_pattern(name) and not takes_for_pattern(plain)
        pathlib.Path(plain, 'file').write_text('x')
        assert tf.io.gfile.glob(os.path.join(plain, 'f*')) == [os.path.join(plain, 'file')]
    assert (folder / 'file').read_text() == 'x' and not os.path.lexists(plain), (
        'the way is gone, the folder is not'
    )


def test_it_may_be_relative_and_need_not_be_there():
    with plain_path('a[b]') as plain:
        assert not os.path.exists(plain)
        os.mkdir('a[b]')
        assert os.path.isdir(plain)


def test_all_others_stay_as_they_are():
    with plain_path('runs/续 训 (1)') as plain:
        assert plain == 'runs/续 训 (1)'


def test_a_temporary_folder_with_such_a_name_is_not_used(tmp_path, monkeypatch):
    (tmp_path / 't[1]').mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 't[1]'))
    with plain_path('a[b]') as plain:
        assert not takes_for_pattern(plain)


def test_where_no_way_is_found_the_characters_are_named(monkeypatch):
    monkeypatch.setattr(os, 'symlink', lambda *paths: (_ for _ in ()).throw(PermissionError(1, 'no')))
    with pytest.raises(
        ValueError,
        match=r'^a\[b\]: TensorFlow takes \[ \] in a path for a pattern, .*expected a path without',
    ):
        with plain_path('a[b]'):
            pass


@pytest.mark.parametrize(
    'error, expected',
    [
        (FileNotFoundError(2, 'No such file or directory'), 'no such file or directory'),
        (
            tf.errors.ResourceExhaustedError(
                None,
                None,
                '{{function_node x}} /r/step-3_temp/part.tempstate12; No space left on device [Op:SaveV2]',
            ),
            'no space left on device',
        ),
        (
            tf.errors.DataLossError(
                None,
                None,
                '{{function_node y}} TensorBundle at r/step-3 shard 0 (9 bytes): Checksum does not match:'
                ' stored 1 vs. calculated 2 [Op:Res',
            ),
            'damaged (a checksum does not fit)',
        ),
        (
            tf.errors.OpError(
                None,
                None,
                'Unable to read file (r.index). Perhaps the file is corrupt or (failed to seek to header'
                ' entry): block checksum mismatch',
                15,
            ),
            'damaged (a checksum does not fit)',
        ),
        (tf.errors.OpError(None, None, 'not an sstable (bad magic number)', 15), 'damaged'),
        (IndexError('Read less bytes than requested'), 'damaged (a file of it is cut short)'),
        (
            tf.errors.FailedPreconditionError(
                None, None, '{{function_node z}} r/step-30.index; Is a directory [Op:MergeV2Checkpoints]'
            ),
            'is a directory',
        ),
        (
            ValueError(
                'Received incompatible tensor with shape (4,) when attempting to restore variable with shape'
                ' (5,) and name trunk/mean:0.'
            ),
            'trunk/mean has shape (4,) there and (5,) here',
        ),
        (
            AssertionError('Unresolved object in checkpoint (root).count: attributes {\n name: "x"'),
            'it holds count, which is not here',
        ),
        (
            tf.errors.UnknownError(None, None, '{{function_node x}} something\nelse [Op:A] name: b'),
            'something else',
        ),
    ],
)
def test_reasons_are_a_few_words(error, expected):
    assert reason_of(error) == expected


@pytest.mark.parametrize(
    'said, meant',
    [
        ('x; Disk quota exceeded', 'disk quota exceeded'),
        ('x; Permission denied', 'permission denied'),
        ('Read-only file system [Op:S]', 'read-only file system'),
        ('Input/output error', 'input/output error'),
        ('a.index; Not a directory', 'not a directory'),
        ('b; not a directory', 'not a directory'),
        ('checksum: 1', 'damaged (a checksum does not fit)'),
        ('file is too short to be', 'damaged (a file of it is cut short)'),
        ('less bytes than', 'damaged (a file of it is cut short)'),
        ('Truncated record', 'damaged (a file of it is cut short)'),
        ('truncated record', 'damaged (a file of it is cut short)'),
        ('DATA_LOSS: x', 'damaged'),
        ('Error parsing text', 'damaged'),
        ('r/x.data; No such file or directory', 'no such file or directory'),
        (
            'Unsuccessful TensorSliceReader constructor: Failed to find any matching files for x',
            'no such file or directory',
        ),
        ('x does not exist', 'no such file or directory'),
        ('Some Python objects that were not bound to', 'it lacks variables that are here'),
        ('Unresolved object in checkpoint (root).a.b-1: attributes', 'it holds a.b-1, which is not here'),
        ('{{function_node a}} {{node b}} ' + 'x' * 400, 'x' * 300),
        ('a [Op:Save] and a [OpX] [Op:Last]', 'a'),
    ],
)
def test_each_reason_has_its_words(said, meant):
    assert reason_of(ValueError(said)) == meant


def test_an_error_of_the_system_without_words():
    assert (
        reason_of(OSError('Odd THING')) == 'odd thing'
        and reason_of(OSError(28, 'No space left on device', 'x')) == 'no space left on device'
    )


@pytest.mark.parametrize(
    'path, characters',
    [
        ('a?*[]{}\\b', '*?[\\]{}'),
        ('gs://x', '://'),
        ('h1.x://y', '://'),
        ('a/b://c', ''),
        ('1a://c', ''),
        ('runs/x (1),~', ''),
        (os.fsdecode(b'a\xff'), '\udcff'),
    ],
)
def test_the_characters_of_a_pattern(path, characters):
    assert takes_for_pattern(path) == characters
