"""Checkpoints: the newest readable one is restored, damage is reported, other sizes are refused."""

import os
import pathlib
import shutil
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from hwgen.models.recognizer_trunk import RecognizerTrunk
from hwgen.training.checkpoints import CheckpointError, Checkpoints, saved_steps


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
    assert values(items) == {7.0}
    assert saved_steps(str(tmp_path / 'none')) == []


def test_the_newest_is_restored_into_fresh_objects(three):
    items = trackables()
    step, path, unreadable = Checkpoints(three, items).restore()
    assert (step, os.path.basename(path), unreadable) == (30, 'step-30', [])
    assert values(items) == {30.0}


def test_only_the_newest_few_stay(tmp_path):
    items = trackables()
    checkpoints = Checkpoints(str(tmp_path / 'checkpoints'), items, keep=2)
    for step in (1, 2, 3, 4):
        checkpoints.save(step)
    assert sorted(name for name in os.listdir(tmp_path / 'checkpoints') if name.endswith('.index')) == [
        'step-3.index',
        'step-4.index',
    ]
    assert saved_steps(str(tmp_path / 'checkpoints')) == [3, 4]
    again = Checkpoints(str(tmp_path / 'checkpoints'), items, keep=2)  # a resumed run goes on counting
    again.restore()
    again.save(5)
    assert sorted(name for name in os.listdir(tmp_path / 'checkpoints') if name.endswith('.index')) == [
        'step-4.index',
        'step-5.index',
    ]


@pytest.mark.parametrize(
    'keep, every, steps, expected',
    [
        (3, 10, [10, 13, 17, 20, 24], [10, 20, 24]),
        (3, 10, [10, 13, 17], [10, 13, 17]),
        (3, 10, [10, 20, 30, 33, 37], [30, 33, 37]),
        (3, 10, [3, 5, 7, 9], [7, 9]),
        (1, 10, [10, 13], [13]),
        (2, 10, [10, 20, 21, 22], [21, 22]),
    ],
    ids=['between goes first', 'two newest', 'never more', 'a short run', 'one', 'two'],
)
def test_those_between_go_first(tmp_path, keep, every, steps, expected):
    checkpoints = Checkpoints(str(tmp_path), trackables(), keep=keep, every=every)
    for step in steps:
        checkpoints.save(step)
    assert saved_steps(str(tmp_path)) == expected
    assert sorted(os.listdir(tmp_path)) == sorted(
        ['checkpoint', *(f'step-{s}.{end}' for s in expected for end in ('index', 'data-00000-of-00001'))]
    )
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / f'step-{expected[-1]}'), (
        'what TensorFlow itself reads'
    )
    assert tf.train.get_checkpoint_state(str(tmp_path)).all_model_checkpoint_paths == [
        str(tmp_path / f'step-{s}') for s in expected
    ]


def test_a_clock_that_was_set_back_changes_nothing(tmp_path, monkeypatch, capfd):
    items = trackables()
    Checkpoints(str(tmp_path), items, keep=2).save(8)
    now = time.time()
    monkeypatch.setattr(time, 'time', lambda: now - 864000.0)
    checkpoints = Checkpoints(str(tmp_path), items, keep=2)
    checkpoints.restore()
    for step in (9, 10, 11):
        checkpoints.save(step)
    assert saved_steps(str(tmp_path)) == [10, 11]
    assert 'seconds behind' not in capfd.readouterr().err


def test_a_list_that_is_lost_leaves_the_order_of_numbers(tmp_path):
    """step-9 before step-10, though not by their names."""
    items = trackables()
    checkpoints = Checkpoints(str(tmp_path), items)
    for step in (8, 9, 10):
        fill(items, step)
        checkpoints.save(step)
    os.remove(tmp_path / 'checkpoint')
    items = trackables()
    assert Checkpoints(str(tmp_path), items).restore()[0] == 10 and values(items) == {10.0}


@pytest.mark.parametrize(
    'name, neighbour',
    [
        ('exp[1]', 'exp1'),
        ('exp[!2]', 'exp1'),
        ('e*p1', 'exp1'),
        ('exp?', 'exp1'),
        ('exp\\1', 'exp1'),
        ('exp{1}', 'exp1'),
        ('x=[1,2] 文', 'x=1 文'),
        ('[', 'a'),
        ('exp1', 'exp[1]'),
    ],
)
def test_a_name_is_no_pattern(tmp_path, name, neighbour):
    """Below `runs/exp[1]` TensorFlow alone saves, restores nothing, and removes checkpoints of
    `runs/exp1`.
    """
    folders = [str(tmp_path / 'runs' / part / 'checkpoints') for part in (name, neighbour)]
    items = trackables()
    for value, folder in enumerate(folders):
        checkpoints = Checkpoints(folder, items, keep=2)
        for step in (1, 2, 3):
            fill(items, 10 * value + step)
            checkpoints.save(step)
    for value, folder in enumerate(folders):
        assert saved_steps(folder) == [2, 3]
        items = trackables()
        assert Checkpoints(folder, items).restore() == (3, os.path.join(folder, 'step-3'), []) and values(
            items
        ) == {10.0 * value + 3.0}


def test_no_word_of_tensorflow_about_what_is_damaged(three):
    with open(os.path.join(three, 'step-30.data-00000-of-00001'), 'r+b') as stream:
        stream.seek(1000)
        stream.write(b'xxxx')
    with open(os.path.join(three, 'step-20.index'), 'r+b') as stream:
        stream.truncate(20)
    os.remove(os.path.join(three, 'step-10.data-00000-of-00001'))
    with pytest.raises(CheckpointError) as error:
        Checkpoints(three, trackables()).restore()
    assert str(error.value) == (
        'no checkpoint can be restored (other sizes, or damaged files): '
        + '; '.join(
            f'{three}/step-{step}: {reason}'
            for step, reason in (
                (30, 'damaged (a checksum does not fit)'),
                (20, 'damaged (a file of it is cut short)'),
                (10, 'no such file or directory'),
            )
        )
    )


@pytest.mark.parametrize(
    'damage', ['truncated data', 'empty data', 'no data', 'garbage index', 'empty index']
)
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
    assert values(items) == {20.0}
    ((damaged, reason),) = unreadable
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
    assert step == 20 and len(unreadable) == 1 and values(items) == {20.0}


def test_other_sizes_are_refused(three):
    items = trackables(channels=5)
    with pytest.raises(CheckpointError, match='no checkpoint can be restored') as error:
        Checkpoints(three, items).restore()
    for step in (10, 20, 30):
        assert f'step-{step}: trunk/norm_1/moving_mean has shape (4,) there and (5,) here' in str(error.value)


def test_other_objects_are_refused(three):
    items = dict(trackables(), more=tf.Variable(1.0))
    with pytest.raises(
        CheckpointError, match='no checkpoint can be restored.*step-30: it lacks variables that are here'
    ):
        Checkpoints(three, items).restore()
    fewer = trackables()
    del fewer['count']
    with pytest.raises(
        CheckpointError, match='no checkpoint can be restored.*step-30: it holds count, which is not here'
    ):
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


def test_three_stay_where_nothing_is_said(tmp_path):
    checkpoints = Checkpoints(str(tmp_path), trackables())
    for step in (1, 2, 3, 4, 5):
        assert checkpoints.save(step) == str(tmp_path / f'step-{step}') and int(checkpoints.step) == step
    assert saved_steps(str(tmp_path)) == [3, 4, 5]
    assert tf.train.load_variable(str(tmp_path / 'step-5'), 'save_counter/.ATTRIBUTES/VARIABLE_VALUE') == 5, (
        'as where TensorFlow itself saves'
    )


def test_one_that_was_passed_over_stays_and_counts_for_nothing(three):
    """Step 30 is damaged; two are kept of those up to the one that is written, and TensorFlow's list names
    these.
    """
    os.remove(os.path.join(three, 'step-30.data-00000-of-00001'))
    checkpoints = Checkpoints(three, trackables(), keep=2)
    assert checkpoints.restore()[0] == 20
    checkpoints.save(25)
    assert saved_steps(three) == [20, 25, 30]
    assert (
        pathlib.Path(three, 'checkpoint').read_text(encoding='utf-8')
        == 'model_checkpoint_path: "step-25"\nall_model_checkpoint_paths:'
        ' "step-20"\nall_model_checkpoint_paths: "step-25"\n'
    )


def test_only_names_of_checkpoints_are_checkpoints(tmp_path):
    for name in (
        'step-7.index',
        'step-12.index',
        'step-x.index',
        'step-9.index.part',
        'xstep-8.index',
        'step-5.data-00000-of-00001',
        'step-.index',
    ):
        (tmp_path / name).write_text('')
    assert saved_steps(str(tmp_path)) == [7, 12] and saved_steps(str(tmp_path / 'step-7.index')) == []


def test_what_a_failed_save_left_is_removed_and_the_others_are_untouched(three, monkeypatch):
    """A full disk in the middle of a checkpoint, and in the middle of the list; what is no checkpoint's
    stays.
    """
    before = {path.name: path.read_bytes() for path in pathlib.Path(three).iterdir()}
    pathlib.Path(three, 'step-x_temp').mkdir()
    checkpoints, remaining = Checkpoints(three, trackables()), set(before) | {'step-x_temp'}

    def full(path):
        pathlib.Path(three, 'step-40_temp').mkdir()
        pathlib.Path(three, 'step-40_temp', 'part').write_text('')
        pathlib.Path(three, 'checkpoint.part').write_text('')
        pathlib.Path(three, '.checkpoint.x1y2').write_text('')
        raise tf.errors.ResourceExhaustedError(None, None, 'x; No space left on device')

    monkeypatch.setattr(checkpoints._checkpoint, 'write', full)
    with pytest.raises(
        CheckpointError,
        match=(
            'checkpoint of step 40 could not be written: no space left on device; the earlier ones are'
            ' untouched$'
        ),
    ):
        checkpoints.save(40)
    assert {path.name for path in pathlib.Path(three).iterdir()} == remaining
    assert all(pathlib.Path(three, name).read_bytes() == content for name, content in before.items())


def test_a_checkpoint_loses_its_index_first(three, monkeypatch):
    """Killed in between, it is none; the files of step 3 are not those of step 30."""
    for name in (
        'step-3.index',
        'step-3.data-00000-of-00002',
        'step-3.data-00001-of-00002',
        'step-3.index.bak',
    ):
        pathlib.Path(three, name).write_text('')
    removed, remove = [], os.remove
    monkeypatch.setattr(os, 'remove', lambda path: removed.append(os.path.basename(path)) or remove(path))
    Checkpoints(three, trackables(), keep=3).save(35)
    for step in (3, 10):
        own = [name for name in removed if name.startswith(f'step-{step}.')]
        assert own[0] == f'step-{step}.index' and len(own) == (3 if step == 3 else 2)
    assert sorted({name.split('.')[0] for name in removed}) == ['step-10', 'step-3'] and saved_steps(
        three
    ) == [20, 30, 35]
    assert pathlib.Path(three, 'step-3.index.bak').exists()
