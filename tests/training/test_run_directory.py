"""Which calls go on with a run, and which are refused."""

import json
import os
import pathlib
import shutil

import pytest
import tensorflow as tf

from hwgen.training.run_directory import OtherRunError, RunDirectory, RunDirectoryError, writing

CONFIG = dict(
    model=dict(generator=dict(channels=[8, 8])),
    settings=dict(batch_size=4),
    schedule=dict(steps=9),
    data=dict(folder='lines', digest='a', charset_hash='h'),
    flags=dict(batch_size=4, generator_channels=['8', '8'], max_steps=None),
)


def changed(**parts):
    """CONFIG with some entries of its parts replaced."""
    config = json.loads(json.dumps(CONFIG))
    for part, values in parts.items():
        config[part].update(values)
    return config


def begin(config=CONFIG, *, checkpoint=True):
    """A run that was started as `config` says, and got as far as a checkpoint."""
    RunDirectory('run', config).close()
    if checkpoint:
        os.makedirs('run/checkpoints', exist_ok=True)
        pathlib.Path('run/checkpoints/step-2.index').write_text('')


def go_on(config=CONFIG):
    """Whether config.json was written anew."""
    folder = RunDirectory('run', config)
    folder.close()
    return folder.rewritten


@pytest.mark.parametrize(
    'config, message',
    [
        (
            changed(settings=dict(batch_size=8), flags=dict(batch_size=8)),
            '--batch_size=4, now --batch_size=8: give the same flags, or another --run_dir$',
        ),
        (
            changed(model=dict(generator=dict(channels=[8, 16])), flags=dict(generator_channels=['8', '16'])),
            '--generator_channels=8,8, now --generator_channels=8,16',
        ),
        (changed(model=dict(generator=dict(channels=[8, 16]))), r'model.generator.channels = 8,8, now 8,16'),
        (
            changed(data=dict(digest='b', folder='others')),
            r'other lines \(then --data=lines, now --data=others\)',
        ),
        (changed(data=dict(charset_hash='i')), 'data.charset_hash = h, now i'),
        (
            changed(settings=dict(batch_size=8), flags={f'flag_{i}': i for i in range(6)}),
            'settings.batch_size = 4, now 8',
        ),
    ],
    ids=['flag', 'list', 'no flag', 'lines', 'charset', 'new flags'],
)
def test_a_run_of_other_flags_or_lines_is_left_alone(config, message):
    begin()
    before = pathlib.Path('run/config.json').read_bytes()
    with pytest.raises(OtherRunError, match='^run: its run was started .*' + message):
        go_on(config)
    assert pathlib.Path('run/config.json').read_bytes() == before
    assert not go_on(), 'the lock was let go'


@pytest.mark.parametrize(
    'then, now, message',
    [
        (None, dict(folder='scans', digest='a', num_lines=2), '--unlabelled=, now --unlabelled=scans: give'),
        (dict(folder='scans', digest='a', num_lines=2), None, '--unlabelled=scans, now --unlabelled=: give'),
        (
            dict(folder='scans', digest='a', num_lines=2),
            dict(folder='more', digest='b', num_lines=2),
            r'other lines \(then --unlabelled=scans, now --unlabelled=more\)',
        ),
        (
            dict(folder='scans', digest='a', num_lines=2),
            dict(folder='scans', digest='a', num_lines=3),
            'unlabelled.num_lines = 2, now 3',
        ),
    ],
    ids=['more', 'fewer', 'others', 'share'],
)
def test_unlabelled_lines_are_a_part_of_the_run(then, now, message):
    def config(part):
        return {**changed(flags=dict(unlabelled=part and part['folder'])), 'unlabelled': part}

    begin(config(then))
    with pytest.raises(OtherRunError, match='^run: its run was started .*' + message):
        go_on(config(now))
    assert not go_on(config(then and {**then, 'folder': 'moved'}))
    assert not go_on(), 'a run of before there were such lines'


def test_many_flags_are_counted():
    begin(changed(flags={f'flag_{i}': 0 for i in range(6)}))
    with pytest.raises(
        OtherRunError, match=r'now --flag_0=1 --flag_1=1 --flag_2=1 --flag_3=1 \(and 2 flags more\)'
    ):
        go_on(changed(settings=dict(batch_size=8), flags={f'flag_{i}': 1 for i in range(6)}))


def test_what_does_not_change_the_training_may_differ():
    begin()
    for config in (
        changed(flags=dict(max_steps=9)),
        changed(data=dict(folder='moved')),
        changed(settings=dict(of_a_later_version=1)),
    ):
        assert not go_on(config)


def test_runs_of_before_there_were_digests_know_their_folder():
    older = {**CONFIG, 'data': dict(folder='lines', charset_hash='h')}
    begin(older)
    assert not go_on()
    with pytest.raises(OtherRunError, match='data.folder = lines, now elsewhere'):
        go_on(changed(data=dict(folder='elsewhere')))


def test_without_a_checkpoint_nothing_is_lost():
    begin(checkpoint=False)
    other = changed(settings=dict(batch_size=8))
    assert go_on(other)
    assert json.loads(pathlib.Path('run/config.json').read_text(encoding='utf-8')) == other


@pytest.mark.parametrize(
    'content, message',
    [
        ('{', 'run/config.json is not the description of a run'),
        ('[]', 'not the description of a run'),
        ('{"model": 3}', 'model = 3, now'),
    ],
)
def test_a_config_that_is_none(content, message):
    begin()
    pathlib.Path('run/config.json').write_text(content)
    with pytest.raises(OtherRunError, match=message):
        go_on()


def test_a_config_that_is_gone_beside_checkpoints():
    """It may have been other flags: nobody can tell any more."""
    begin()
    os.remove('run/config.json')
    with pytest.raises(
        OtherRunError,
        match=(
            '^run/config.json: no such file, though there are checkpoints: .*Restore it, or give another'
            ' --run_dir .*--init_from=run begins'
        ),
    ):
        go_on()
    assert not os.path.exists('run/config.json')
    os.remove('run/checkpoints/step-2.index')
    assert not go_on(), 'a fresh start, not another one'


def test_other_records_under_an_equal_description():
    """The same info.json, other pictures; runs of before there were such hashes go on."""
    for part in ('data', 'unlabelled'):

        def config(**values):
            return {
                **CONFIG,
                part: dict(folder='lines', digest='a', charset_hash='h', **values),
            }

        begin(config(contents='x'))
        assert not go_on(config(contents='x')) and not go_on(config())
        with pytest.raises(
            OtherRunError,
            match=(
                rf'^run: its run was started on other lines \(--{part}=lines holds others by now\): give the'
                r' same lines'
            ),
        ):
            go_on(config(contents='y'))
        shutil.rmtree('run')
        begin(config())
        assert not go_on(config(contents='y'))
        shutil.rmtree('run')


def test_a_folder_that_cannot_be_made():
    pathlib.Path('run').write_text('a file')
    with pytest.raises(OSError) as error:
        go_on()
    assert error.value.filename.startswith('run')


def test_reasons_are_one_line():
    with pytest.raises(RunDirectoryError, match='^a/b: cannot be written: no such file or directory$'):
        with writing('a/b'):
            open('a/b', 'w')
    error = tf.errors.ResourceExhaustedError(
        None, None, '{{function_node x}} f.data.tempstate1; No space left on device [Op:SaveV2] name:\n more'
    )
    with pytest.raises(RunDirectoryError, match='^f: cannot be written: no space left on device$'):
        with writing('f'):
            raise error


def test_first_weights_that_a_run_has_not_begun_with():
    """They would not be read at all; who leaves them out goes on."""
    begin(changed(flags=dict(init_from='there')))
    assert not go_on(changed(flags=dict(init_from='./there'))) and not go_on(
        changed(flags=dict(init_from=None))
    )
    with pytest.raises(
        OtherRunError,
        match=(
            '^run: its run was started with --init_from=there, now elsewhere, .*: leave --init_from out to go'
            ' on, or give another --run_dir'
        ),
    ):
        go_on(changed(flags=dict(init_from='elsewhere')))
    os.remove('run/checkpoints/step-2.index')
    assert go_on(changed(flags=dict(init_from='elsewhere')))


def test_contents_that_were_not_known_are_added_once_and_hold_from_then_on():
    """Lines that were still being written when the run began; all else of its description stays what it
    was.
    """
    for part in ('data', 'unlabelled'):

        def config(contents, folder='lines'):
            return {
                **CONFIG,
                part: dict(folder=folder, digest='a', charset_hash='h', contents=contents),
            }

        begin(config(None))
        path = pathlib.Path('run/config.json')
        before = path.read_bytes()
        assert not go_on(config(None)) and path.read_bytes() == before
        assert not go_on(config('x', 'moved')) and json.loads(path.read_text(encoding='utf-8')) == config('x')
        inode = os.stat(path).st_ino
        assert not go_on(config('x')) and not go_on(config(None, 'again')) and os.stat(path).st_ino == inode
        with pytest.raises(OtherRunError, match=rf'other lines \(then --{part}=lines, now --{part}=moved\)'):
            go_on(config('y', 'moved'))
        shutil.rmtree('run')


@pytest.mark.parametrize(
    'name',
    [
        'data',
        'run_dir',
        'strategy',
        'cpu_replicas',
        'deterministic',
        'max_steps',
        'max_minutes',
        'log_every',
        'divide_minutes',
        'sample_every',
        'checkpoint_every',
        'checkpoint_minutes',
        'keep_checkpoints',
    ],
)
def test_flags_that_say_how_and_not_what_are_not_blamed(name):
    begin(changed(flags={name: 1, 'z': 1}))
    assert not go_on(changed(flags={name: 2, 'z': 2}))
    with pytest.raises(OtherRunError, match='started with --z=1, now --z=2: give the same flags'):
        go_on(changed(settings=dict(batch_size=8), flags={name: 2, 'z': 2}))


@pytest.mark.parametrize(
    'then, now, said',
    [
        (True, False, '--x=true, now --x=false'),
        (None, 'a', '--x=, now --x=a'),
        ([1, 2], [], '--x=1,2, now --x='),
        (0.5, 1e-7, '--x=0.5, now --x=1e-07'),
    ],
)
def test_values_are_told_as_flags_take_them(then, now, said):
    begin(changed(flags=dict(x=then)))
    with pytest.raises(OtherRunError, match=f'started with {said}: '):
        go_on(changed(settings=dict(batch_size=8), flags=dict(x=now)))


@pytest.mark.parametrize('count, more', [(4, ''), (5, r' \(and 1 flags more\)')])
def test_four_flags_are_named_at_most(count, more):
    begin(changed(flags={f'flag_{i}': 0 for i in range(count)}))
    with pytest.raises(OtherRunError, match=f'now --flag_0=1 --flag_1=1 --flag_2=1 --flag_3=1{more}: give'):
        go_on(changed(settings=dict(batch_size=8), flags={f'flag_{i}': 1 for i in range(count)}))


@pytest.mark.parametrize('part', ['model', 'settings', 'schedule'])
def test_every_part_of_a_description_counts(part):
    begin(changed(**{part: dict(x=dict(y=1, of_before=1))}))
    with pytest.raises(
        OtherRunError, match=f'started with {part}.x.y = 1, now 2: give what it was started with'
    ):
        go_on(changed(**{part: dict(x=dict(y=2, of_now=1))}))


def test_recognizers_are_first_weights_too():
    begin(changed(flags=dict(recognizers_from=None)))
    assert not go_on(changed(flags=dict(recognizers_from='')))
    with pytest.raises(
        OtherRunError, match='started with --recognizers_from=, now there, .*: leave --recognizers_from out'
    ):
        go_on(changed(flags=dict(recognizers_from='there')))


def test_what_a_folder_holds_and_how_its_description_is_written():
    folder = RunDirectory('run', {**CONFIG, 'name': '永', 'a': 1})
    assert os.path.isdir('run/samples') and not folder.has_checkpoints() and not folder.rewritten
    text = pathlib.Path('run/config.json').read_text(encoding='utf-8')
    assert (
        text.startswith('{\n "a": 1,\n "data": {')
        and '"name": "永"' in text
        and text.endswith('}\n')
        and sorted(os.listdir('run')) == ['config.json', 'lock', 'samples']
    )
    folder.close()
    folder.close()
