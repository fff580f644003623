"""Records, progress lines, and what is left of them when writing fails."""

import io
import json
import os
import pathlib
import re
import resource
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator

from hwgen.settings.schedule import Schedule
from hwgen.training.run_directory import RunDirectoryError
from hwgen.training.summaries import RunLog


@pytest.fixture
def log(tmp_path):
    os.mkdir('run')
    log = RunLog('run', total_steps=200, stream=io.StringIO())
    yield log
    log.close()


def records():
    return [
        json.loads(line)
        for line in pathlib.Path('run/metrics.jsonl').read_text(encoding='utf-8').splitlines()
    ]


def test_records_are_appended(log):
    assert not log.has_records()
    log.record(1, dict(state='finished', 字='永'))
    log.scalars(2, 'recognizers', {'loss/a': 1 / 3, 'grad/b': 1e-12})
    again = RunLog('run', total_steps=200)
    assert again.has_records()
    again.record(3, {})
    again.close()
    assert records() == [
        dict(step=1, state='finished', 字='永'),
        {'step': 2, 'phase': 'recognizers', 'loss/a': 0.333333, 'grad/b': 1e-12},
        dict(step=3),
    ]


def test_json_has_no_nan(log):
    """RFC 8259 knows none, and strict readers stop there."""
    log.record(1, dict(a=float('nan'), b=float('-inf'), c=np.pi))
    assert records() == [dict(step=1, a=None, b=None, c=np.pi)]


def test_a_torn_last_line_is_cut_off(log):
    log.record(1, {})
    with open('run/metrics.jsonl', 'a') as file:
        file.write('{"step": 2, "loss')
    RunLog('run', total_steps=200).record(3, {})
    assert records() == [dict(step=1), dict(step=3)]


def test_tensorboard_reads_everything_back(log):
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    log.scalars(5, 'adversarial', {'loss/a': 0.25, 'score/real': -1.5})
    log.images(5, dict(sheet=picture, colours=np.stack([picture] * 3, axis=-1)))
    log.text(6, 'texts', 'seen: 永和')
    events = event_accumulator.EventAccumulator('run/tensorboard', size_guidance=dict(tensors=0))
    events.Reload()
    found = {tag: events.Tensors(tag)[-1] for tag in events.Tags()['tensors']}
    assert {tag: event.step for tag, event in found.items()} == {
        'loss/a': 5,
        'score/real': 5,
        'sheet': 5,
        'colours': 5,
        'texts': 6,
    }
    assert tf.make_ndarray(found['score/real'].tensor_proto) == -1.5
    for name, channels in (('sheet', 1), ('colours', 3)):
        width, height, png = tf.make_ndarray(found[name].tensor_proto)
        assert (int(width), int(height)) == (4, 3)
        np.testing.assert_array_equal(tf.io.decode_png(png), np.repeat(picture[..., None], channels, -1))


@pytest.mark.parametrize(
    'rate, remaining, shown',
    [
        (3.04, 3725.9, '3.0 steps/s ETA 1:02:05'),
        (0.031, 0, '0.0 steps/s ETA 0:00:00'),
        (20.0, -3, 'ETA 0:00:00'),
    ],
)
def test_progress_line(log, rate, remaining, shown):
    """The phase by number and name, figures by names that say what they are, and what is good."""
    log.progress(
        50,
        'reconstruction',
        {'loss/feature': 1.0, 'loss/pixel': 0.17345, 'grad/reconstruction_norm': 1.0},
        plan=Schedule(0, 150, 50),
        rate=rate,
        remaining_sec=remaining,
    )
    line = log.stream.getvalue()
    assert re.fullmatch(
        r'\d\d:\d\d:\d\d step 50/200 25.0% phase 1 of 2 \(generator by rebuilding\) [\d.]+ steps/s ETA'
        r' \d+:\d\d:\d\d \| '
        r'rebuilding error 0.173 \(good: below 0.12\), rebuilding error in features 1 \| \d+\.\d GiB\n',
        line,
    )
    assert shown in line


def test_tensorboard_shows_a_step_once_after_a_resume():
    """Steps 6 to 8 of an earlier call are made again: what it showed of them is purged, what it showed of
    step 5 stays.
    """
    os.mkdir('run')
    for first, last in ((5, 8), (6, 9)):
        log = RunLog('run', total_steps=200, stream=io.StringIO())
        if first == 6:
            log.resume(5)
        for step in range(first, last + 1):
            log.scalars(step, 'recognizers', {'loss/pixel': float(first)})
            log.images(step, dict(seen=np.zeros([2, 2], np.uint8)))
        log.close()
        if first == 5:  # TensorBoard reads files by their names, which hold the second
            (written,) = pathlib.Path('run/tensorboard').iterdir()
            written.rename(written.with_name('events.out.tfevents.1000000000.host.1.0.v2'))
    # what TensorBoard itself reads with
    events = plugin_event_accumulator.EventAccumulator(
        'run/tensorboard', tensor_size_guidance=dict(scalars=0, images=0)
    )
    events.Reload()
    for tag in ('loss/pixel', 'seen'):
        assert [event.step for event in events.Tensors(tag)] == [5, 6, 7, 8, 9]
    assert [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors('loss/pixel')] == [
        5.0,
        6.0,
        6.0,
        6.0,
        6.0,
    ]
    assert events.SummaryMetadata('loss/pixel').summary_description.endswith('Good: below 0.12.')


class Failing(io.StringIO):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def test_a_terminal_that_has_gone(log):
    """Output that fails is given up; only a reader that has left is noted, as it did so on purpose."""
    log.stream = Failing(OSError(5, 'Input/output error'))
    log.say('one')
    log.say('two')
    assert not log.unheard
    log.stream = Failing(BrokenPipeError(32, 'Broken pipe'))
    log.say('three')
    assert log.unheard


def test_words_of_a_signal_handler_pass_the_buffers(log, capfd):
    log.say_from_handler('into a string: nowhere, but no error')
    log.stream = sys.__stdout__
    log.say_from_handler('SIGTERM: saving')
    assert capfd.readouterr().out == 'SIGTERM: saving\n'


def test_folders_that_cannot_be_written(tmp_path):
    pathlib.Path('file').write_text('')
    with pytest.raises(RunDirectoryError, match='^file/metrics.jsonl: cannot be written: not a directory$'):
        RunLog('file', total_steps=1)
    os.mkdir('run')
    pathlib.Path('run/tensorboard').write_text('')
    with pytest.raises(RunDirectoryError, match='^run/tensorboard: cannot be written: '):
        log = RunLog('run', total_steps=1, stream=io.StringIO())
        log.scalars(1, 'x', {'loss/a': 1.0})


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs a device that is always full')
def test_a_full_disk(tmp_path):
    os.mkdir('run')
    os.symlink('/dev/full', 'run/metrics.jsonl')
    log = RunLog('run', total_steps=1, stream=io.StringIO())
    with pytest.raises(
        RunDirectoryError, match='^run/metrics.jsonl: cannot be written: no space left on device$'
    ):
        log.record(1, {})


def test_the_progress_line_says_how_much_memory_was_needed(log, monkeypatch):
    """The most so far, of what the system counts in KiB; shares and rates to one place, figures in their
    order.
    """
    monkeypatch.setattr(
        resource,
        'getrusage',
        lambda who: (
            types.SimpleNamespace(ru_maxrss=int(2.26 * 2**20)) if who == resource.RUSAGE_SELF else None
        ),
    )
    monkeypatch.setattr(sys, 'platform', 'linux')
    log.progress(
        33,
        'recognizers',
        {'loss/spatial_real': 2.0, 'loss/pixel': 1.0, 'metric/label_error_real': 0.5},
        plan=Schedule(80, 0, 120),
        rate=0.25,
        remaining_sec=86399.9,
    )
    assert (
        log.stream.getvalue()[8:]
        == ' step 33/200 16.5% phase 1 of 2 (recognisers) 0.2 steps/s ETA 23:59:59 | '
        'misread of real lines 0.5 (good: below 0.4), counting loss 2 | 2.3 GiB\n'
    )
    log.total_steps = 66
    log.progress(33, 'adversarial', {}, plan=Schedule(80, 0, 120), rate=12.36, remaining_sec=360000.0)
    assert (
        log.stream.getvalue().splitlines()[1][8:]
        == ' step 33/66 50.0% phase 2 of 2 (generator against discriminator) 12.4 steps/s ETA 100:00:00 |  |'
        ' 2.3 GiB'
    )


def test_a_phase_of_another_kind_of_model_is_told_by_its_name_and_losses(log):
    class Plan:
        def phases(self):
            return dict(counting=40)

    log.progress(
        33, 'counting', {'loss/count': 0.5, 'grad/norm': 1.0}, plan=Plan(), rate=1.0, remaining_sec=7.0
    )
    assert ' phase 1 of 1 (counting) 1.0 steps/s ETA 0:00:07 | loss/count 0.5 | ' in log.stream.getvalue()


def test_figures_have_six_digits_where_people_read_and_all_on_the_board(log):
    log.scalars(3, 'recognizers', {'loss/pixel': 1234.56789, 'x': float('nan')})
    log.text(3, 'texts', 'seen: \ud800永')
    log.close()
    assert records() == [{'step': 3, 'phase': 'recognizers', 'loss/pixel': 1234.57, 'x': None}]
    events = event_accumulator.EventAccumulator('run/tensorboard', size_guidance=dict(tensors=0))
    events.Reload()
    assert tf.make_ndarray(events.Tensors('loss/pixel')[0].tensor_proto) == pytest.approx(
        1234.56789, rel=1e-6
    )
    text = tf.make_ndarray(events.Tensors('texts')[0].tensor_proto)
    assert np.ravel(text)[0].decode().startswith('seen: ') and np.ravel(text)[0].decode().endswith('永')
    assert events.SummaryMetadata('texts').summary_description == 'What the sheets should read, row by row.'
    assert events.SummaryMetadata('x').summary_description == 'x'


@pytest.mark.parametrize(
    'content, kept',
    [
        (b'', b''),
        (b'{"step": 1}\n', b'{"step": 1}\n'),
        (b'{"step": 1}\n{"st', b'{"step": 1}\n'),
        (b'{"st', b''),
    ],
)
def test_whole_lines_stay(content, kept):
    os.mkdir('run')
    pathlib.Path('run/metrics.jsonl').write_bytes(content)
    log = RunLog('run', total_steps=1, stream=io.StringIO())
    assert log.has_records() == bool(kept)
    log.close()
    assert pathlib.Path('run/metrics.jsonl').read_bytes() == kept


def test_a_record_that_was_written_in_part_is_an_error(log, monkeypatch):
    monkeypatch.setattr(
        log, '_jsonl', types.SimpleNamespace(write=lambda line: len(line) - 1, close=log._jsonl.close)
    )
    with pytest.raises(RunDirectoryError, match='^run/metrics.jsonl: cannot be written: no space left'):
        log.record(1, {})
