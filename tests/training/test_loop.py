"""The outer loop with a trainer of one weight: resuming, signals, limits, values that are not finite, other
runs, full disks.

Real networks and processes: tests/cli/test_train.py.
"""

import json
import os
import pathlib
import signal
import threading

import numpy as np
import pytest
import tensorflow as tf
from one_weight import CONFIG, SAMPLE, SCHEDULE, Killed, OneWeight, die, records, saved, tell

from hwgen.data.reading.mixed_lines import MixedLines
from hwgen.data.reading.pipeline import LineBatches
from hwgen.data.reading.shards import RecordError
from hwgen.training.checkpoints import CheckpointError
from hwgen.training.gan import GanTraining
from hwgen.training.loop import NonFiniteLossError
from hwgen.training.run_directory import OtherRunError, RunDirectoryError


@pytest.fixture(autouse=True)
def signals_of_a_terminal():
    """A shell that starts the tests in the background has them ignore SIGINT."""
    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


# Resuming
# --------------------------------------------------------------------------------


@pytest.mark.parametrize('step', [2, 3, 4, 8, 10, 11])
def test_killed_at_any_step_it_ends_with_the_same_weight(make_loop, whole, capsys, step):
    ahead = step in (3, 8)
    with pytest.raises(Killed):
        make_loop(OneWeight({step: die}), read_ahead=ahead).run()
    last = (step - 1) // 3 * 3
    trainer = OneWeight()
    summary = make_loop(trainer, read_ahead=ahead).run()
    assert (summary['state'], summary['step'], summary['checkpoint']) == (
        'finished',
        11,
        'run/checkpoints/step-11',
    )
    assert trainer.weight.numpy() == whole
    out = capsys.readouterr().out
    if last:
        assert f'resumed at step {last} from run/checkpoints/step-{last}' in out
        assert dict(step=last, resumed_at=last, checkpoint=f'run/checkpoints/step-{last}') in records()
    elif step > 2:  # something was recorded, nothing saved
        assert (
            'run: an earlier start left no checkpoint; starting at step 0' in out
            and dict(step=0, resumed_at=0, checkpoint=None) in records()
        )
    assert saved() == [9, 11]


def test_a_run_in_many_pieces(make_loop, whole):
    for stop in range(12):
        trainer = OneWeight()
        summary = make_loop(trainer).run(max_steps=stop)
        assert (summary['step'], summary['state']) == (stop, 'finished' if stop == 11 else 'stopped')
    assert trainer.weight.numpy() == whole
    assert [row['step'] for row in records() if 'resumed_at' in row] == list(range(11))


def test_styles_are_fitted_where_drawing_begins_and_nowhere_else(make_loop):
    """Before step 7 of 11, with the weight that six steps left, however often sheets are written; not
    again in what goes on from a later step.
    """
    fitted = []
    for folder, options in (('a', {}), ('b', dict(sample_every=1))):
        make_loop(trainer := OneWeight(), run_dir=folder, **options).run()
        fitted.append(trainer.fitted)
    make_loop(trainer := OneWeight(), run_dir='c').run(max_steps=6)
    weight = float(trainer.weight)
    assert fitted == [(weight,), (weight,)] and trainer.fitted == ()
    make_loop(trainer := OneWeight(), run_dir='c').run(max_steps=7)
    assert trainer.fitted == (weight,)
    make_loop(trainer := OneWeight(), run_dir='c').run()
    assert trainer.fitted == ()


def test_styles_of_training_are_fitted_to_real_lines(make_trainer, charset):
    """Both generators: that which learns from drawn styles, and its average."""
    trainer, batches = (
        make_trainer(charset=charset),
        LineBatches(SAMPLE, charset=charset, batch_size=64, seed=3, char_px=16, max_characters=3),
    )
    GanTraining.draw_like_real_lines(trainer, batches)
    means = np.concatenate(
        [
            trainer.model.style_encoder(batch.images, lengths=batch.characters.lengths)['style_mean']
            for batch in map(batches.batch, range(16))
        ]
    )
    for generator in (trainer.model.generator, trainer.model.average):
        np.testing.assert_allclose(
            generator.style_space.mean, means.mean(0, dtype=np.float64), rtol=1e-4, atol=1e-5
        )
        assert np.abs(generator.style_space.factor.numpy() - np.eye(means.shape[1])).max() > 0.01


def test_the_end_is_said_again_and_nothing_is_redone(make_loop, whole, capsys):
    make_loop().run()
    before = {path: path.stat().st_mtime_ns for path in pathlib.Path('run/checkpoints').iterdir()}
    trainer = OneWeight(dict.fromkeys(range(20), die))
    assert make_loop(trainer).run()['state'] == 'finished' and trainer.weight.numpy() == whole
    assert make_loop(trainer).run(max_steps=5)['step'] == 11
    assert {path: path.stat().st_mtime_ns for path in pathlib.Path('run/checkpoints').iterdir()} == before
    assert 'finished at step 11 before: nothing left to do' in capsys.readouterr().out


@pytest.mark.parametrize('first', [7, 9])
def test_a_list_of_checkpoints_that_is_lost_is_no_new_start(make_loop, whole, first):
    """Of step-9 and step-10 the latter is the newer one."""
    make_loop(checkpoint_every=1).run(max_steps=first)
    make_loop().run(max_steps=first + 1)
    os.remove('run/checkpoints/checkpoint')
    trainer = OneWeight(dict.fromkeys(range(first + 2), die))
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole


def test_a_folder_whose_name_is_a_pattern_goes_on_and_leaves_its_neighbour_alone(make_loop, whole, capsys):
    make_loop(run_dir='runs/exp1', checkpoint_every=1, keep_checkpoints=8).run(max_steps=8)
    for stop in (4, 11):
        make_loop(trainer := OneWeight(), run_dir='runs/exp[1]', checkpoint_every=1).run(max_steps=stop)
    assert (
        trainer.weight.numpy() == whole
        and 'resumed at step 4 from runs/exp[1]/checkpoints/step-4' in capsys.readouterr().out
    )
    assert saved('runs/exp[1]') == [10, 11] and saved('runs/exp1') == list(range(1, 9))
    assert any('tfevents' in name for name in os.listdir('runs/exp[1]/tensorboard'))


def test_leftovers_of_a_killed_save_are_removed(make_loop):
    make_loop().run(max_steps=4)
    left = pathlib.Path('run/checkpoints/step-6_temp')
    left.mkdir()
    (left / 'part-00000-of-00001.data-00000-of-00001.tempstate1').write_bytes(b'x')
    make_loop().run()
    assert not left.exists()


def test_unlabelled_lines_come_again_as_they_would_have(make_loop, charset, whole):
    mixed, weights = (
        MixedLines(LineBatches(SAMPLE, charset=charset, batch_size=4, seed=3, char_px=16), SAMPLE, share=0.5),
        set(),
    )
    for stops in ([11], [7, 9, 11]):
        for stop in stops:
            make_loop(trainer := OneWeight(), mixed=mixed, run_dir=f'run-{stops[0]}').run(max_steps=stop)
        weights.add(float(trainer.weight))
    assert len(weights) == 1 and weights != {float(whole)}


# Signals
# --------------------------------------------------------------------------------


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_run_after_its_step(make_loop, whole, number):
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    summary = make_loop(OneWeight({5: tell(number)})).run()
    assert (summary['state'], summary['step'], summary['checkpoint']) == (
        'interrupted',
        5,
        'run/checkpoints/step-5',
    )
    assert (records()[-1]['step'], records()[-1]['state']) == (5, 'interrupted')
    assert {n: signal.getsignal(n) for n in before} == before
    trainer = OneWeight()
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole


def test_a_second_signal_leaves_at_once(make_loop, whole):
    def twice():
        tell(signal.SIGINT)()
        tell(signal.SIGINT)()

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        make_loop(OneWeight({5: twice})).run()
    assert saved() == [3] and signal.getsignal(signal.SIGINT) == handler
    trainer = OneWeight()
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole


@pytest.mark.parametrize('where', ['restore', 'save', 'sample'])
def test_signals_between_steps(make_loop, whole, monkeypatch, where):
    """While a checkpoint is read or written or sheets are drawn: it is finished, and then the run ends."""
    make_loop().run(max_steps=3)
    loop = make_loop(sample_every=6, checkpoint_every=6)
    owner = loop.samples if where == 'sample' else loop.checkpoints
    original = getattr(owner, where)

    def told(*args):
        monkeypatch.setattr(owner, where, original)
        tell()()
        return original(*args)

    monkeypatch.setattr(owner, where, told)
    summary = loop.run()
    assert (summary['state'], summary['step']) == ('interrupted', 3 if where == 'restore' else 6)
    trainer = OneWeight()
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole


def test_ignored_signals_stay_ignored_and_other_threads_have_no_handlers(make_loop):
    """`nohup train`, and `train &` in a script."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert make_loop(OneWeight({5: tell(signal.SIGHUP), 6: tell(signal.SIGINT)})).run()['state'] == 'finished'
    found = []
    thread = threading.Thread(target=lambda: found.append(make_loop(run_dir='other').run()['state']))
    thread.start()
    thread.join()
    assert found == ['finished']


def test_whoever_read_the_output_has_left(make_loop, monkeypatch):
    """`train | head`: the run ends as by a signal, with a checkpoint."""

    class Gone:
        def write(self, text):
            raise BrokenPipeError(32, 'Broken pipe')

        def flush(self):
            pass

    loop = make_loop(log_every=4)
    loop.log.stream = Gone()
    assert loop.run()['state'] == 'interrupted' and saved() == [1]


# Values that are not finite
# --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'step, last, value', [(1, None, np.nan), (5, 3, np.inf), (6, 3, np.nan), (11, 9, np.nan)]
)
def test_a_loss_that_is_not_finite_stops_before_the_next_checkpoint(make_loop, step, last, value):
    with pytest.raises(NonFiniteLossError) as error:
        make_loop(OneWeight({step: lambda: value}), log_every=50, sample_every=6).run()
    assert (
        str(error.value) == f'loss/a: not finite at step {step}; last good checkpoint:'
        f' {f"run/checkpoints/step-{last}" if last else "none"}'
    )
    assert saved()[-1:] == ([last] if last else [])
    assert records()[-1] == dict(step=step, state='not finite', metrics=['loss/a'])


def test_a_signal_does_not_save_what_is_not_finite(make_loop):
    def both():
        tell()()
        return np.nan

    with pytest.raises(NonFiniteLossError, match='at step 5'):
        make_loop(OneWeight({5: both}), log_every=50).run()
    assert saved() == [3]


def test_weights_that_are_not_finite_are_not_saved(make_loop):
    """The losses of the step were still fine."""
    trainer = OneWeight()
    extra = tf.Variable([1.0, np.inf], name='moment')
    trainer.trackables = lambda: dict(weight=trainer.weight, optimizer=extra)
    with pytest.raises(
        NonFiniteLossError, match=r'^optimizer/moment\S*: not finite at step 3; last good checkpoint: none$'
    ):
        make_loop(trainer).run()
    assert saved() == []


# Data
# --------------------------------------------------------------------------------


def test_damaged_lines_stop_the_run_with_what_it_learned(make_loop, charset, whole, capsys):
    class Damaged(LineBatches):
        def batch(self, step):
            if step >= 7:
                raise RecordError('train-00000-of-00001.tfrecord, record 5, byte 90: checksum')
            return super().batch(step)

    batches = Damaged(
        SAMPLE, charset=charset, batch_size=4, seed=3, char_px=16, max_characters=SCHEDULE.max_characters
    )
    with pytest.raises(RecordError, match='^train-00000-of-00001.tfrecord, record 5, byte 90: checksum$'):
        make_loop(batches=batches).run()
    assert (
        saved() == [6, 7]
        and 'the data of step 8 cannot be read; 7 steps are saved as run/checkpoints/step-7'
        in capsys.readouterr().out
    )
    trainer = OneWeight()
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole


# The folder
# --------------------------------------------------------------------------------


def test_without_a_checkpoint_other_flags_start_anew(make_loop, capsys):
    with pytest.raises(Killed):
        make_loop(OneWeight({3: die})).run()
    other = {**CONFIG, 'settings': dict(batch_size=8), 'flags': dict(batch_size=8)}
    assert make_loop(config=other).run(max_steps=1)['step'] == 1
    assert 'starting at step 0, with other flags' in capsys.readouterr().out
    assert json.loads(pathlib.Path('run/config.json').read_text(encoding='utf-8'))['settings'] == dict(
        batch_size=8
    )


def test_one_process_at_a_time(make_loop):
    first = make_loop()
    with pytest.raises(OtherRunError, match='^run: another process is training there'):
        make_loop()
    first.run(max_steps=1)
    make_loop().run(max_steps=2)


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs a device that is always full')
def test_a_full_disk_under_the_records(make_loop):
    os.mkdir('run')
    os.symlink('/dev/full', 'run/metrics.jsonl')
    with pytest.raises(
        RunDirectoryError, match='^run/metrics.jsonl: cannot be written: no space left on device$'
    ):
        make_loop().run()


def test_checkpoints_that_cannot_be_written(make_loop, whole):
    """A file where the next checkpoint wants its folder; the last one stays good."""
    make_loop().run(max_steps=3)
    pathlib.Path('run/checkpoints/step-6.index').mkdir()
    pathlib.Path('run/checkpoints/step-6.index/x').write_text('')
    with pytest.raises(
        CheckpointError,
        match='^run/checkpoints: checkpoint of step 6 could not be written: .*earlier ones are untouched$',
    ):
        make_loop().run()
    (pathlib.Path('run/checkpoints/step-6.index') / 'x').unlink()
    pathlib.Path('run/checkpoints/step-6.index').rmdir()
    trainer = OneWeight()
    make_loop(trainer).run()
    assert trainer.weight.numpy() == whole
