"""Minutes divided over the phases: where a phase is cut short, that who goes on agrees, and when nothing
is cut. By a clock of our own.
"""

import json
import pathlib

import pytest
from one_weight import Killed, OneWeight, die, records, saved

from hwgen.settings.schedule import Schedule
from hwgen.training.phase_cuts import PhaseCuts
from hwgen.training.run_directory import OtherRunError

LONG = Schedule(
    10,
    10,
    20,
    discriminator_warmup_steps=2,
    recognizer_every=2,
    reconstruction_every=2,
    longest_lines=3,
    growing_steps=2,
)


def slow(clock, first=10.0, **at):
    """A trainer whose steps take ten seconds, the first `first`; `at` maps s5, the fifth, to what happens
    there.
    """
    done = []

    def after(step):
        def pass_time():
            if done[-1:] != [step]:  # a step may update more than one network
                done.append(step)
                clock[0] += first if step == 1 else 10.0
            return at.get(f's{step}', lambda: None)()

        return pass_time

    return OneWeight({step: after(step) for step in range(1, 60)})


def plan():
    return [
        (cut['at_step'], cut['phase'], cut['steps'], cut['planned_steps'])
        for cut in json.loads(pathlib.Path('run/plan.json').read_text())['cuts']
    ]


@pytest.fixture
def cut_weight(make_loop, clock):
    """The weight at the end of a run that two minutes cut to 4, 3 and 20 steps, in the calls that it took;
    its folder is then `whole`.
    """
    trainer = slow(clock)
    make_loop(trainer, schedule=LONG).run(max_minutes=2.0)
    make_loop(trainer, schedule=LONG).run()
    pathlib.Path('run').rename('whole')
    clock[0] = 0.0
    return trainer.weight.numpy()


def test_each_phase_gets_the_share_of_its_steps(make_loop, clock, capsys):
    """120 s, 10 for the first step and so 10 kept for the end: after it 100 s for 9 + 10 + 20 steps; 23
    for phase 1, then 23 of 70 s for phase 2.
    """
    summary = make_loop(slow(clock), schedule=LONG).run(max_minutes=2.0)
    assert (summary['state'], summary['step'], summary['schedule'].phases()) == (
        'stopped',
        11,
        dict(recognizers=4, reconstruction=3, adversarial=20),
    )
    assert plan() == [(4, 'recognizers', 4, 10), (7, 'reconstruction', 3, 10)] and clock[0] == 110.0
    assert [(row['step'], row['cut'], row['planned_steps']) for row in records() if 'cut' in row] == [
        (4, 'recognizers', 10),
        (7, 'reconstruction', 10),
    ]
    out = capsys.readouterr().out
    assert 'phase 1 of 3 (recognisers): cut short after 4 of 10 steps' in out and ' step 8/27 ' in out
    assert [row['phase'] for row in records() if row.get('phase')] == ['recognizers'] * 2 + [
        'reconstruction'
    ] + ['adversarial'] * 2


def test_a_second_call_goes_on_where_the_first_stopped(make_loop, clock, cut_weight, capsys):
    trainer = slow(clock)
    make_loop(trainer, schedule=LONG).run(max_minutes=2.0)
    for _ in range(2):
        clock[0] = 0.0
        summary = make_loop(trainer, schedule=LONG).run(max_minutes=2.0)
    assert (summary['state'], summary['step']) == ('finished', 27) and plan() == [
        (4, 'recognizers', 4, 10),
        (7, 'reconstruction', 3, 10),
    ]
    assert trainer.weight.numpy() == cut_weight
    assert (
        make_loop(trainer, schedule=LONG).run()['state'] == 'finished'
        and 'finished at step 27 before: nothing left to do' in capsys.readouterr().out
    )


@pytest.mark.parametrize('killed', [8, 10, 12])
def test_killed_after_its_cuts_it_ends_with_the_same_weight(make_loop, clock, cut_weight, killed):
    with pytest.raises(Killed):
        make_loop(slow(clock, **{f's{killed}': die}), schedule=LONG, checkpoint_every=1).run(max_minutes=2.1)
    trainer = slow(clock)
    assert make_loop(trainer, schedule=LONG).run()['step'] == 27
    assert trainer.weight.numpy() == cut_weight


def test_a_cut_beyond_the_last_checkpoint_has_not_happened(make_loop, clock):
    """Killed in step 9; the newest checkpoint is of step 6, the second cut of step 7."""
    with pytest.raises(Killed):
        make_loop(slow(clock, s9=die), schedule=LONG).run(max_minutes=2.0)
    assert len(plan()) == 2 and saved() == [3, 6]
    weights = []
    for stops in ([12, None], [None]):
        make_loop(slow(clock), schedule=LONG, run_dir='run').run(max_steps=0)
        for stop in stops:
            summary = make_loop(trainer := slow(clock), schedule=LONG).run(max_steps=stop)
        assert summary['step'] == 34 and plan() == [(4, 'recognizers', 4, 10)]
        weights.append(trainer.weight.numpy())
    assert weights[0] == weights[1]


def test_undivided_minutes_stop_wherever_it_is(make_loop, clock):
    trainer, whole = slow(clock), slow([0.0])
    summary = make_loop(trainer, schedule=LONG).run(max_minutes=2.0, divide_minutes=False)
    assert (summary['state'], summary['step'], summary['schedule']) == (
        'stopped',
        11,
        LONG,
    ) and not pathlib.Path('run/plan.json').exists()
    make_loop(trainer, schedule=LONG).run()
    make_loop(whole, schedule=LONG, run_dir='other').run()
    assert trainer.weight.numpy() == whole.weight.numpy()


@pytest.mark.parametrize(
    'first, minutes, steps',
    [(100.0, 1.0, 1), (25.0, 1.0, 3), (10.0, 60.0, 40)],
    ids=['less than the first step', 'no time for three', 'enough'],
)
def test_where_the_later_phases_would_get_nowhere_or_all_fits_nothing_is_cut(
    make_loop, clock, first, minutes, steps
):
    summary = make_loop(slow(clock, first), schedule=LONG).run(max_minutes=minutes)
    assert (summary['step'], summary['schedule']) == (steps, LONG) and not pathlib.Path(
        'run/plan.json'
    ).exists()


def test_one_phase_and_steps_that_are_asked_for_are_not_divided(make_loop, clock):
    make_loop(
        slow(clock), schedule=Schedule(0, 40, 0, recognizer_every=4, growing_steps=0), run_dir='one'
    ).run(max_minutes=2.0)
    summary = make_loop(slow(clock), schedule=LONG).run(max_minutes=10.0, max_steps=9)
    assert summary['step'] == 9 and summary['schedule'] == LONG


def test_what_was_needed_before_the_steps_counts(make_loop, clock):
    clock[0] = 60.0
    summary = make_loop(slow(clock), schedule=Schedule(0, 40, 0, recognizer_every=4, growing_steps=0)).run(
        max_minutes=2.0, started=0.0
    )
    assert summary['step'] == 5 and clock[0] == 110.0 and records()[-1]['minutes'] == 1.83


@pytest.mark.parametrize('log_every', [2, 100])
def test_sheets_tell_what_the_end_will_take(make_loop, clock, monkeypatch, log_every):
    loop = make_loop(
        slow(clock),
        schedule=Schedule(0, 40, 0, recognizer_every=4, growing_steps=0),
        sample_every=2,
        log_every=log_every,
    )
    sample = loop.samples.sample

    def slowly(step, plan):
        clock[0] += 15.0
        return sample(step, plan)

    monkeypatch.setattr(loop.samples, 'sample', slowly)
    summary = loop.run(max_minutes=2.25)
    assert summary['step'] == 8, 'step 8 begins at 115 s, and 15 of 135 s are kept'


def test_checkpoints_by_time(make_loop, clock):
    """Every half minute beside every eight steps."""
    with pytest.raises(Killed):
        make_loop(slow(clock, s8=die), schedule=LONG, checkpoint_every=8, checkpoint_minutes=0.5).run()
    assert saved() == [3, 6]
    trainer = slow(clock)
    make_loop(trainer, schedule=LONG, checkpoint_every=8, checkpoint_minutes=0.5, keep_checkpoints=3).run(
        max_steps=14
    )
    assert saved() == [8, 11, 14]
    make_loop(trainer, schedule=LONG).run()
    make_loop(whole := slow([0.0]), schedule=LONG, run_dir='other').run()
    assert trainer.weight.numpy() == whole.weight.numpy()


@pytest.mark.parametrize(
    'content', ['{', '[]', '{"cuts": [{"at_step": "x"}]}', '{"cuts": [{"at_step": 900}]}']
)
def test_a_plan_that_is_none_is_refused(content):
    pathlib.Path('plan.json').write_text(content)
    with pytest.raises(
        OtherRunError, match='plan.json does not say where the phases of this run were cut short'
    ):
        PhaseCuts('.', LONG)


def test_a_cut_schedule():
    cut = LONG.cut(4)
    assert (
        cut.phases() == dict(recognizers=4, reconstruction=10, adversarial=20)
        and cut.place(3) == ('recognizers', 3, 4)
        and cut.place(4) == ('reconstruction', 0, 10)
    )
    assert [cut.max_characters(s) for s in range(4)] == [
        LONG.max_characters(s) for s in range(4)
    ] and cut.max_characters(4) == 2
    assert (
        cut.done(6) == dict(recognizers=4, reconstruction=2, adversarial=0) and LONG.done(40) == LONG.phases()
    )
    assert [LONG.generator_steps(s) for s in (0, 10, 11, 20, 21, 22, 23, 99)] == [
        0,
        0,
        1,
        10,
        11,
        11,
        12,
        30 - 1,
    ]
    assert (
        Schedule(5, 0, 0).generator_steps(5)
        == Schedule(0, 0, 4, discriminator_warmup_steps=4, reconstruction_every=0).generator_steps(4)
        == 0
    )
