"""What the loop asks of its trainer at each step, what it records of an interval, what it refuses, what it
leaves at the end: without networks.
"""

import contextlib
import functools
import inspect
import json
import math
import os
import pathlib
import re
import types

import numpy as np
import pytest
import tensorflow as tf
from one_weight import OneWeight, records, saved

from hwgen.settings.schedule import Schedule
from hwgen.settings.steps import GanSettings
from hwgen.training.gan import GanTraining
from hwgen.training.loop import NonFiniteLossError, TrainingLoop
from hwgen.training.sampling import Sampler
from hwgen.training.step_inputs import StepInput, StepInputs

ODD = Schedule(
    5,
    4,
    9,
    discriminator_warmup_steps=3,
    recognizer_every=2,
    reconstruction_every=3,
    adversarial_every=2,
    rate_floor=0.2,
    reconstruction_floor=0.5,
    growing_steps=0,
)


class Asked(GanTraining):
    """A training that remembers which updates it was asked for."""

    def __init__(self, **weights):
        self._settings, self.asked = GanSettings(8, **weights), []
        self.recognizers, self.reconstruction, self.adversarial = (
            types.SimpleNamespace(
                **{update: functools.partial(self._note, f'{name}.{update}') for update in updates}
            )
            for name, updates in (
                ('recognizers', ['update']),
                ('reconstruction', ['update', 'update_judged']),
                ('adversarial', ['update']),
            )
        )

    def _note(self, name, *inputs, **options):
        self.asked.append((name, inputs, options))
        return {name: float(len(self.asked)), 'last': name}


def asked_for(step, *, schedule=ODD, real=None, **weights):
    trainer = Asked(**weights)
    metrics = trainer.update(step, schedule, StepInput('batch', 'texts', real))
    assert metrics == {
        **{name: float(i) for i, (name, *_) in enumerate(trainer.asked, 1)},
        **({'last': trainer.asked[-1][0]} if trainer.asked else {}),
    }
    return {name: (inputs, options) for name, inputs, options in trainer.asked}


def fall(within, steps):
    """Where the linear start of 100 steps and the cosine to .2 are."""
    return min(1.0, (within + 1) / 100.0) * (0.2 + 0.4 * (1.0 + math.cos(math.pi * within / steps)))


@pytest.mark.parametrize('judged', [None, 'discriminator', 'sequence', 'spatial'])
def test_who_is_asked_at_which_rate(judged):
    """Recognisers by their own cosine, then at its floor; the rebuilding by its own laws; judges, whichever
    has a weight, count once the discriminator is warm.
    """
    weights = {f'reconstruction_{judged}_weight': 0.5} if judged else {}
    for step in range(18):
        found, expected = asked_for(step, **weights), {}
        phase, within = [('recognizers', step), ('reconstruction', step - 5), ('adversarial', step - 9)][
            (step >= 5) + (step >= 9)
        ]
        warm = within >= 3
        if phase == 'recognizers':
            expected['recognizers.update'] = (('batch',), dict(rate_scale=fall(within, 5)))
        elif within % 2 == 0:
            expected['recognizers.update'] = (('batch',), dict(rate_scale=0.2))
        if phase == 'reconstruction':
            expected['reconstruction.update'] = (('batch',), dict(rate_scale=fall(within, 4)))
        elif phase == 'adversarial' and within % 3 == 0:
            fading = dict(rate_scale=0.2 * (1.0 - 0.5 * within / 9))
            expected['reconstruction.update_judged' if judged else 'reconstruction.update'] = (
                ('batch',),
                {**fading, **(dict(judge_scale=float(warm)) if judged else {})},
            )
        if phase == 'adversarial' and within % 2 == 0:
            expected['adversarial.update'] = (
                ('batch', 'texts'),
                dict(real=None, rate_scale=fall(within, 9), update_generator=warm),
            )
        assert list(found) == list(expected), step  # and in this order
        for name, (inputs, options) in expected.items():
            assert found[name][0] == inputs and found[name][1] == pytest.approx(options), (step, name)


def test_unlabelled_lines_are_handed_on():
    real = dict(images=1)
    assert asked_for(9, real=real)['adversarial.update'][1]['real'] is real


# Figures
# --------------------------------------------------------------------------------


def test_figures_are_means_of_their_interval_and_speed_is_without_sheets(
    make_loop, clock, monkeypatch, capsys
):
    """Steps of 8 s that wait 2 s of them for their lines; sheets of 30 s after the third step, checkpoints
    of 5 s after the fourth. Logged after 3, 6 and, the last, 7.
    """
    clock[0] = 100.0
    schedule, at = Schedule(7, 0, 0, growing_steps=0), {}
    for step in range(1, 8):

        def pass_time(step=step):
            clock[0] += 6.0
            return float(step**2)

        at[step] = pass_time
    loop = make_loop(OneWeight(at), schedule=schedule, log_every=3, sample_every=3, checkpoint_every=4)
    following, sample, save = loop._next, loop.samples.sample, loop.checkpoints.save

    def after(seconds, function):
        def slowly(*arguments):
            clock[0] += seconds
            return function(*arguments)

        return slowly

    monkeypatch.setattr(loop, '_next', after(2.0, following))
    monkeypatch.setattr(loop.samples, 'sample', after(30.0, sample))
    monkeypatch.setattr(loop.checkpoints, 'save', after(5.0, save))
    loop.run(max_minutes=100.0)
    rows = [row for row in records() if 'loss/a' in row]
    assert [(row['step'], row['loss/a']) for row in rows] == [
        (3, pytest.approx(14 / 3, rel=1e-5)),
        (6, pytest.approx(77 / 3, rel=1e-5)),
        (7, 49.0),
    ]
    assert [row['time/steps_per_sec'] for row in rows] == [0.125] * 3 and [
        row['time/data_wait_share'] for row in rows
    ] == [0.25] * 3
    # To go: 4 steps of 8 s, 1, none, as the minutes would suffice for more.
    lines = re.findall(r'step (\d)/7 .* (0\.1) steps/s ETA ([\d:]+)', capsys.readouterr().out)
    assert lines == [('3', '0.1', '0:00:32'), ('6', '0.1', '0:00:08'), ('7', '0.1', '0:00:00')]
    assert loop.samples.sampled == (3, 6, 7) and records()[-1] == dict(
        step=7, state='finished', minutes=round((7 * 8 + 2 * 30 + 2 * 5) / 60, 2)
    )


def test_time_to_go_is_no_more_than_is_left(make_loop, clock, capsys):
    """60 s less what is gone; once the first step's 20 s are known, a quarter of all is kept."""
    clock[0] = 100.0
    at = {step: lambda: clock.__setitem__(0, clock[0] + 20.0) for step in range(1, 20)}
    make_loop(
        OneWeight(at), schedule=Schedule(0, 19, 0, recognizer_every=0, growing_steps=0), log_every=1
    ).run(max_minutes=1.0)
    assert re.findall(r'ETA ([\d:]+)', capsys.readouterr().out) == ['0:00:40', '0:00:05', '0:00:00']


def test_what_a_loop_does_where_nothing_is_said(make_loop):
    """The defaults of the flags of `train`, written out again, but that no checkpoint is written by time."""
    loop = make_loop()
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(TrainingLoop).parameters.items()
        if parameter.default is not parameter.empty
    }
    assert defaults == dict(
        sample_every=3000,
        checkpoint_every=1500,
        checkpoint_minutes=None,
        log_every=50,
        keep_checkpoints=3,
        initialize=None,
        stream=None,
    )
    assert (loop.checkpoints.keep, loop.checkpoints.every) == (2, 3)
    assert {
        name: parameter.default
        for name, parameter in inspect.signature(Sampler).parameters.items()
        if parameter.default is not parameter.empty
    } == dict(validation=None)
    assert inspect.signature(StepInputs).parameters['mixed'].default is None


# Words and refusals
# --------------------------------------------------------------------------------


def test_the_end_of_a_call_is_said_and_steps_that_are_done_are_not_repeated(make_loop, capsys):
    make_loop().run(max_steps=4)
    assert 'nothing' not in capsys.readouterr().out
    make_loop().run(max_steps=4)
    assert 'step 4 is done and no more were asked for (--max_steps=4)' in capsys.readouterr().out
    make_loop(run_dir='other').run(max_steps=0)
    out = capsys.readouterr().out
    assert 'is done' not in out and 'finished' not in out, 'step 0 is no step'


def test_first_weights_are_taken_at_the_start_alone(make_loop, capsys):
    taken = []

    def start():
        return taken.append(1) or 'elsewhere'

    make_loop(initialize=start).run(max_steps=3)
    assert 'starts from elsewhere' in capsys.readouterr().out
    make_loop(initialize=start).run(max_steps=4)
    assert taken == [1] and 'starts from' not in capsys.readouterr().out


def test_a_phase_is_announced_once(make_loop, capsys):
    make_loop().run()
    out = capsys.readouterr().out
    for number, name in enumerate(
        ('recognisers', 'generator by rebuilding', 'generator against discriminator'), 1
    ):
        assert (
            out.count(
                f'phase {number} of 3 ({name}): building its steps, which takes up to a minute before the'
                ' next line\n'
            )
            == 1
        )


def test_values_that_are_not_finite_are_named_by_their_first_step(make_loop):
    """Six names at most, of the first step that has any; nothing of later ones."""
    loop, one = make_loop(), tf.constant(1.0)
    kept = {
        f'loss/{name}': [(3, one), (4, tf.constant(np.inf)), (5, tf.constant(np.nan))] for name in 'hgfedcba'
    }
    kept['loss/z'] = [(4, one), (5, tf.constant(np.nan))]
    assert loop._means({key: [pairs[0]] for key, pairs in kept.items()}) == dict.fromkeys(kept, 1.0)
    loop._saved = 2, 'run/checkpoints/step-2'
    names = ', '.join(f'loss/{name}' for name in 'abcdef')
    with pytest.raises(
        NonFiniteLossError,
        match=f'^{names} and 2 more: not finite at step 4; last good checkpoint: run/checkpoints/step-2$',
    ):
        loop._means(kept)
    assert records()[-1] == dict(step=4, state='not finite', metrics=[f'loss/{name}' for name in 'abcdefgh'])
    with pytest.raises(NonFiniteLossError, match=f'^{names}: not finite at step 4'):
        loop._means({key: kept[key] for key in [f'loss/{name}' for name in 'abcdef']})


# The end
# --------------------------------------------------------------------------------


def close(step, first, *, schedule, told=False, written=None, sheet=None):
    """What a call leaves that made the steps from `first` on: (result, sheets drawn, models written)."""
    os.makedirs('run/samples', exist_ok=True)
    os.makedirs('run/model', exist_ok=True)
    if sheet is not None:
        pathlib.Path(f'run/samples/seen-{sheet:06d}.png').write_text('')
    if written is not None:
        pathlib.Path('run/model/generator.json').write_text(json.dumps(dict(info=dict(step=written))))
    drawn, models = [], []
    sampler = types.SimpleNamespace(
        save_model=lambda *arguments, **options: models.append((arguments, options)) or 'the model',
        write_sheets=lambda step: drawn.append(step) or 'the sheet',
        ready_to_write=lambda styles_learned: contextlib.nullcontext(drawn.append(styles_learned)),
        log=types.SimpleNamespace(say=lambda text: None, run_dir='run'),
    )
    config = dict(command='train', seed=3, version='1', data=dict(a=1), seen='天', flags={})
    left = Sampler.close(sampler, step, schedule, first=first, config=config, stopped=told)
    return left, drawn, models


def test_a_call_ends_with_sheets_and_the_model():
    found, drawn, models = close(6, 4, schedule=Schedule(2, 5, 0))
    assert found == dict(sheet='the sheet', model='the model') and drawn == [True, 6]
    assert models == [((6, dict(command='train', seed=3, version='1', data=dict(a=1))), dict(seen='天'))]


@pytest.mark.parametrize(
    'step, first, schedule, options, expected',
    [
        (2, 0, Schedule(2, 5, 0), {}, ('the sheet', None)),  # the generator has learned nothing yet
        (3, 0, Schedule(2, 5, 0), {}, ('the sheet', 'the model')),
        (4, 0, Schedule(4, 0, 0), {}, ('the sheet', 'the model')),  # it never will
        (0, 0, Schedule(2, 5, 0), dict(told=True), (None, None)),
        (0, 0, Schedule(2, 5, 0), {}, ('the sheet', None)),
        (1, 0, Schedule(2, 5, 0), dict(told=True), ('the sheet', None)),
        # there already
        (5, 5, Schedule(2, 5, 0), dict(sheet=5, written=5), ('run/samples/seen-000005.png', 'run/model')),
        (5, 5, Schedule(2, 5, 0), dict(sheet=5, written=4), ('the sheet', 'the model')),
        (5, 5, Schedule(2, 5, 0), dict(sheet=5), ('the sheet', 'the model')),
        (5, 5, Schedule(2, 5, 0), dict(sheet=4, written=5), ('the sheet', 'the model')),
        (5, 4, Schedule(2, 5, 0), dict(sheet=5, written=5), ('the sheet', 'the model')),
        (2, 2, Schedule(2, 5, 0), dict(sheet=2), ('run/samples/seen-000002.png', None)),
        (0, 0, Schedule(2, 5, 0), dict(sheet=0), ('the sheet', None)),
    ],
)
def test_what_is_there_is_not_written_again_and_a_generator_that_learned_nothing_is_none(
    step, first, schedule, options, expected
):
    found, drawn, models = close(step, first, schedule=schedule, **options)
    assert (found['sheet'], found['model']) == expected
    assert (drawn, len(models)) == (
        [schedule.has_reconstructed(step), step] if expected[0] == 'the sheet' else [],
        int(expected[1] == 'the model'),
    )


def test_sheets_have_fitted_styles_once_the_encoder_has_learned():
    asked = []

    @contextlib.contextmanager
    def ready_to_write(styles_learned):
        asked.append(styles_learned)
        yield
        asked.append('left')

    sampler = types.SimpleNamespace(
        ready_to_write=ready_to_write, write_sheets=lambda step: asked.append(step) or step
    )
    assert [Sampler.sample(sampler, step, Schedule(2, 5, 0)) for step in (2, 3)] == [2, 3] and asked == [
        False,
        2,
        'left',
        True,
        3,
        'left',
    ]


# Going on
# --------------------------------------------------------------------------------


def test_another_schedule_is_followed_by_lines_texts_and_figures(make_loop, monkeypatch):
    """The lines get its limit of length, but only where it is another one."""
    loop, limits = make_loop(schedule=ODD), []
    monkeypatch.setattr(loop.inputs.batches, 'limit', limits.append)
    loop._follow(Schedule(**vars(ODD)))
    assert not limits
    cut = ODD.cut(7)
    loop._follow(cut)
    assert (
        limits == [cut.max_characters]
        and loop.plan is cut
        and loop.inputs.schedule is cut
        and loop.log.total_steps == cut.total_steps == 16
    )


def test_a_checkpoint_that_is_passed_over_is_told_with_its_reason(make_loop, monkeypatch, capsys):
    """TensorBoard forgets what came after the one that was read; the damaged one is written anew."""
    make_loop().run(max_steps=6)
    capsys.readouterr()
    os.remove('run/checkpoints/step-6.data-00000-of-00001')
    loop, forgotten = make_loop(), []
    monkeypatch.setattr(loop.log, 'resume', forgotten.append)
    loop.run(max_steps=7)
    out = capsys.readouterr().out
    assert (
        'run/checkpoints/step-6: passed over: no such file or directory\n' in out
        and 'resumed at step 3 from run/checkpoints/step-3\n' in out
        and forgotten == [3]
    )
    assert dict(step=3, resumed_at=3, checkpoint='run/checkpoints/step-3') in records() and sorted(
        saved()
    ) == [6, 7]
    assert pathlib.Path('run/checkpoints/step-6.data-00000-of-00001').exists()


@pytest.mark.parametrize('last, state', [(5, 'stopped'), (18, 'finished'), (99, 'finished')])
def test_how_a_call_ended(make_loop, last, state):
    summary = make_loop(schedule=ODD).run(max_steps=last)
    assert (summary['state'], summary['step'], summary['model']) == (state, min(last, 18), None)
    assert (
        summary['schedule'] == ODD
        and summary['checkpoint'] == f'run/checkpoints/step-{min(last, 18)}'
        and summary['sheet'].endswith(f'seen-{min(last, 18):06d}.png')
    )
