"""Checkpoints: the newest readable one is restored, damage is reported, other sizes are refused."""

import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from hwgen.models.recognizer_trunk import RecognizerTrunk
from hwgen.training.checkpoints import CheckpointError, Checkpoints, has_checkpoints


def trackables(channels=4):
    model = RecognizerTrunk((channels, channels), char_px=16, char_width_px=16, name='trunk')
    model(tf.ones([1, 16, 16, 1]))
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    return dict(model=model, optimizer=optimizer, count=tf.Variable(0))


def fill(items, value):
    for variable in (*items['model'].variables, items['count']):
        variable.assign(tf.cast(tf.fill(variable.shape, value), variable.dtype))


def values(items):
    return {float(np.asarray(v).flat[0]) for v in (*items['model'].variables, items['count'])}


@pytest.fixture
def three(tmp_path):
    """Checkpoints of steps 10, 20, 30, each filled with its step."""
    items = trackables()
    checkpoints = Checkpoints(str(tmp_path / 'run'), items)
    for step in (10, 20, 30):
        fill(items, step)
        checkpoints.save(step)
    return str(tmp_path / 'run')


def test_nothing_there(tmp_path):
    items = trackables()
    fill(items, 7)
    assert Checkpoints(str(tmp_path / 'none'), items).restore() == (0, None, [])
    assert values(items) == {7.}
    assert not has_checkpoints(str(tmp_path))


def test_the_newest_is_restored_into_fresh_objects(three):
    items = trackables()
    step, path, unreadable = Checkpoints(three, items).restore()
    assert (step, os.path.basename(path), unreadable) == (30, 'step-30', [])
    assert values(items) == {30.}


def test_only_the_newest_few_stay(tmp_path):
    items = trackables()
    checkpoints = Checkpoints(str(tmp_path / 'checkpoints'), items, keep=2)
    for step in (1, 2, 3, 4):
        checkpoints.save(step)
    assert sorted(name for name in os.listdir(tmp_path / 'checkpoints') if name.endswith('.index')) == ['step-3.index', 'step-4.index']
    assert has_checkpoints(str(tmp_path))
    again = Checkpoints(str(tmp_path / 'checkpoints'), items, keep=2)  # a resumed run goes on counting
    again.restore()
    again.save(5)
    assert sorted(name for name in os.listdir(tmp_path / 'checkpoints') if name.endswith('.index')) == ['step-4.index', 'step-5.index']


@pytest.mark.parametrize('damage', ['truncated data', 'empty data', 'no data', 'garbage index', 'empty index'])
def test_a_damaged_newest_falls_back_and_says_so(three, damage):
    what, part = damage.split()
    file = os.path.join(three, 'step-30.index' if part == 'index' else 'step-30.data-00000-of-00001')
    if what == 'no':
        os.remove(file)
    else:
        size = os.path.getsize(file)
        with open(file, 'r+b') as stream:
            if what == 'garbage':
                stream.write(bytes(size))
            else:
                stream.truncate(size // 2 if what == 'truncated' else 0)
    items = trackables()
    step, path, unreadable = Checkpoints(three, items).restore()
    assert (step, os.path.basename(path)) == (20, 'step-20')
    assert values(items) == {20.}
    (damaged, reason), = unreadable
    assert os.path.basename(damaged) == 'step-30' and reason


def test_flipped_bytes_are_found(three):
    file = os.path.join(three, 'step-30.data-00000-of-00001')
    with open(file, 'r+b') as stream:
        stream.seek(os.path.getsize(file) // 2)
        byte = stream.read(1)
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte[0] ^ 0x10]))
    items = trackables()
    step, _, unreadable = Checkpoints(three, items).restore()
    assert step == 20 and len(unreadable) == 1 and values(items) == {20.}


def test_other_sizes_are_refused(three):
    items = trackables(channels=5)
    with pytest.raises(CheckpointError, match='no checkpoint can be restored') as error:
        Checkpoints(three, items).restore()
    for step in (10, 20, 30):
        assert f'step-{step}' in str(error.value)


def test_other_objects_are_refused(three):
    items = dict(trackables(), more=tf.Variable(1.))
    with pytest.raises(CheckpointError, match='no checkpoint can be restored'):
        Checkpoints(three, items).restore()
    fewer = trackables()
    del fewer['count']
    with pytest.raises(CheckpointError, match='no checkpoint can be restored'):
        Checkpoints(three, fewer).restore()


def test_a_folder_that_cannot_be_written(three):
    items = trackables()
    checkpoints = Checkpoints(three, items)
    checkpoints.restore()
    shutil.rmtree(three)
    with open(three, 'w', encoding='utf-8') as file:  # a file where the folder was
        file.write('')
    with pytest.raises(CheckpointError, match='checkpoint of step 40 could not be written'):
        checkpoints.save(40)
