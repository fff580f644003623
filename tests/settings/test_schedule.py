"""Schedule: phases, boundaries, rates, line lengths, who is updated when."""

import math

import pytest

from hwgen.settings.schedule import Schedule


@pytest.fixture
def schedule():
    return Schedule(
        1000,
        2000,
        500,
        discriminator_warmup_steps=50,
        recognizer_every=4,
        reconstruction_every=2,
        reconstruction_floor=0.25,
        rate_floor=0.1,
        shortest_lines=2,
        longest_lines=8,
        growing_steps=600,
    )


@pytest.mark.parametrize(
    'step, place',
    [
        (0, ('recognizers', 0, 1000)),
        (999, ('recognizers', 999, 1000)),
        (1000, ('reconstruction', 0, 2000)),
        (2999, ('reconstruction', 1999, 2000)),
        (3000, ('adversarial', 0, 500)),
        (3499, ('adversarial', 499, 500)),
    ],
)
def test_phases_and_their_boundaries(schedule, step, place):
    assert schedule.place(step) == place


def test_no_step_beyond_the_last(schedule):
    assert schedule.total_steps == 3500
    with pytest.raises(ValueError, match='step 3500: the schedule has 3500 steps'):
        schedule.place(3500)


def test_skipped_phases():
    pure = Schedule(0, 0, 10)
    assert [pure.place(step)[0] for step in range(10)] == ['adversarial'] * 10
    assert Schedule(0, 5, 0).place(0) == ('reconstruction', 0, 5)
    assert Schedule(3, 0, 5).place(3) == ('adversarial', 0, 5)


def test_rate_scale_by_hand(schedule):
    # A linear start over 100 steps times a cosine from 1 to .1: at the middle of a phase 0.1 + 0.9 / 2.
    assert schedule.rate_scale(0) == pytest.approx(0.01)
    assert schedule.rate_scale(500) == pytest.approx(0.55)
    assert schedule.rate_scale(1000) == pytest.approx(0.01)
    assert schedule.rate_scale(2000) == pytest.approx(0.55)
    assert schedule.rate_scale(3250) == pytest.approx(0.55)
    assert schedule.rate_scale(999) == pytest.approx(0.1, abs=1e-5)
    for step in range(3500):
        _, within, steps = schedule.place(step)
        cosine = 0.1 + 0.45 * (1.0 + math.cos(math.pi * within / steps))
        assert schedule.rate_scale(step) == pytest.approx(cosine * min(1.0, (within + 1) / 100.0))
        assert 0.0 < schedule.rate_scale(step) <= 1.0


def test_reconstruction_fades_in_the_adversarial_phase(schedule):
    assert schedule.reconstruction_scale(2000) == schedule.rate_scale(2000)
    # From the warm-up's end, .1, down to a quarter of it.
    assert schedule.reconstruction_scale(3000) == pytest.approx(0.1)
    assert schedule.reconstruction_scale(3250) == pytest.approx(0.1 * (1.0 - 0.75 / 2.0))
    assert schedule.reconstruction_scale(3499) == pytest.approx(0.025, abs=2e-4)


def test_lines_grow_in_the_first_two_phases(schedule):
    lengths = [schedule.max_characters(step) for step in range(3501)]
    for start in (0, 1000):
        grown = lengths[start : start + 600]
        assert grown[0] == 2 and grown == sorted(grown) and grown[-1] == 7
        assert [grown.count(n) for n in range(2, 8)] == [100] * 6
    assert set(lengths[600:1000]) == set(lengths[1600:]) == {8}
    still = Schedule(10, 10, 10, longest_lines=5, growing_steps=0)
    assert {still.max_characters(step) for step in range(31)} == {5}


def test_updates(schedule):
    assert all(schedule.updates_recognizers(step) for step in range(1000))
    assert [schedule.updates_recognizers(step) for step in range(1000, 1008)] == [
        True,
        False,
        False,
        False,
    ] * 2
    assert not any(schedule.updates_by_reconstruction(step) for step in range(1000))
    assert all(schedule.updates_by_reconstruction(step) for step in range(1000, 3000))
    assert [schedule.updates_by_reconstruction(step) for step in range(3000, 3004)] == [
        True,
        False,
        True,
        False,
    ]
    paper = Schedule(5, 5, 5, recognizer_every=0, reconstruction_every=0)
    assert [paper.updates_recognizers(step) for step in range(15)] == [True] * 5 + [False] * 10
    assert [paper.updates_by_reconstruction(step) for step in range(15)] == [False] * 5 + [True] * 5 + [
        False
    ] * 5


def test_when_the_style_encoder_has_learned(schedule):
    """Not before the first reconstruction step, and never in the paper's pure GAN."""
    assert [schedule.has_reconstructed(step) for step in (0, 1000, 1001, 3500)] == [False, False, True, True]
    pure = Schedule(10, 0, 10, reconstruction_every=0)
    assert not any(pure.has_reconstructed(step) for step in range(21))
    late = Schedule(10, 0, 10, reconstruction_every=3)
    assert [late.has_reconstructed(step) for step in (10, 11, 20)] == [False, True, True]
    assert not Schedule(10, 0, 0).has_reconstructed(10)
    starts = [
        [step for step in range(made.total_steps) if made.starts_to_draw(step)]
        for made in (Schedule(2, 3, 4), pure, late, Schedule(0, 4, 2), Schedule(2, 3, 0))
    ]
    assert starts == [[5], [], [], [4], []]


# The game of pairs
# ------------------------------------------------------------------


def test_by_pairs_every_step_of_the_last_phase_is_one():
    """Nothing of the paper's game is left in it, whatever its flags say; the recognisers may learn on."""
    pairs = Schedule(3, 2, 6, game='pairs', recognizer_every=4, reconstruction_every=2, adversarial_every=1)
    steps = range(pairs.total_steps)
    assert [pairs.updates_by_pairs(step) for step in steps] == [False] * 5 + [True] * 6
    assert [pairs.updates_by_reconstruction(step) for step in steps] == [False] * 3 + [True] * 2 + [False] * 6
    assert not any(pairs.updates_by_drawn_lines(step) for step in steps)
    assert [pairs.updates_recognizers(step) for step in range(5, 11)] == [
        True,
        False,
        False,
        False,
        True,
        False,
    ]
    # each teaches the generator and the style encoder, from the first on
    assert [pairs.generator_steps(step) for step in (3, 5, 6, 11)] == [0, 2, 3, 8]
    late = Schedule(3, 0, 6, game='pairs', reconstruction_every=0)
    assert [late.has_reconstructed(step) for step in (3, 4, 9)] == [False, True, True]
    assert not any(Schedule(3, 2, 6).updates_by_pairs(step) for step in steps)


def test_styles_are_fitted_where_the_game_of_pairs_begins():
    """With weights from elsewhere too, when this run has taught the style encoder nothing yet."""
    starts = [
        [step for step in range(made.total_steps) if made.starts_to_draw(step)]
        for made in (Schedule(2, 3, 4, game='pairs'), Schedule(2, 0, 4, game='pairs'), Schedule(2, 0, 4))
    ]
    assert starts == [[5], [2], []]


def test_the_judge_gets_its_weight_by_and_by():
    pairs = Schedule(0, 3, 10, game='pairs', discriminator_warmup_steps=4)
    assert [pairs.judge_scale(step) for step in range(3, 10)] == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert Schedule(0, 0, 2, game='pairs', discriminator_warmup_steps=0).judge_scale(0) == 1.0


# Every step of small schedules, by what the flags promise
# -----------------------------------------------------------------

ODD = (
    Schedule(
        7,
        11,
        13,
        discriminator_warmup_steps=3,
        recognizer_every=4,
        reconstruction_every=3,
        adversarial_every=2,
    ),
    Schedule(
        5, 0, 9, discriminator_warmup_steps=0, recognizer_every=0, reconstruction_every=0, adversarial_every=1
    ),
    Schedule(
        0, 6, 4, discriminator_warmup_steps=9, recognizer_every=1, reconstruction_every=5, adversarial_every=0
    ),
    Schedule(
        4, 0, 8, discriminator_warmup_steps=2, recognizer_every=2, reconstruction_every=4, adversarial_every=3
    ),
    Schedule(0, 5, 0),
    Schedule(6, 0, 0),
)


def steps_of(schedule):
    """(phase, step within it) of every step, written out."""
    return [
        (phase, within)
        for phase, steps in (
            ('recognizers', schedule.recognizer_steps),
            ('reconstruction', schedule.reconstruction_steps),
            ('adversarial', schedule.adversarial_steps),
        )
        for within in range(steps)
    ]


@pytest.mark.parametrize('schedule', ODD)
def test_who_learns_at_each_step(schedule):
    """Counted from the start of each phase, the first step of which is one; 0 is never."""

    def due(every, within):
        return every > 0 and within in range(0, 100, every)

    taught = rebuilt = 0
    for step, (phase, within) in enumerate(steps_of(schedule)):
        last = phase == 'adversarial'
        assert schedule.updates_recognizers(step) == (
            phase == 'recognizers' or due(schedule.recognizer_every, within)
        )
        assert schedule.updates_by_reconstruction(step) == (
            phase == 'reconstruction' or last and due(schedule.reconstruction_every, within)
        )
        assert schedule.updates_by_drawn_lines(step) == (last and due(schedule.adversarial_every, within))
        assert (schedule.generator_steps(step), schedule.has_reconstructed(step)) == (
            taught,
            rebuilt > 0,
        ), step
        rebuilt += schedule.updates_by_reconstruction(step)
        taught += (
            schedule.updates_by_reconstruction(step)
            or schedule.updates_by_drawn_lines(step)
            and within >= schedule.discriminator_warmup_steps
        )
    assert schedule.generator_steps(len(steps_of(schedule)) + 7) == taught and schedule.has_reconstructed(
        len(steps_of(schedule))
    ) == (rebuilt > 0)


@pytest.mark.parametrize('schedule', ODD)
def test_steps_that_are_done_and_cuts(schedule):
    places = steps_of(schedule)
    assert schedule.total_steps == len(places) and list(schedule.phases()) == list(
        dict.fromkeys(phase for phase, _ in places)
    )
    for step in range(len(places) + 1):
        assert schedule.done(step) == {
            phase: sum(p == phase for p, _ in places[:step]) for phase in schedule.phases()
        }
    for step, (phase, within) in enumerate(places):
        rest = [place for place in places[step:] if place[0] != phase]
        assert steps_of(schedule.cut(step)) == places[:step] + rest, (
            'all before is as it was, of the phase under way nothing comes any more'
        )
        assert schedule.place(step) == (phase, within, schedule.phases()[phase])
    with pytest.raises(ValueError):
        schedule.cut(len(places))


def test_lines_grow_by_whole_characters():
    """From 3 to 8 over four steps: 3, 4.25, 5.5, 6.75, rounded down, in each of the first two phases; then
    8, and in the third phase from its first step.
    """
    schedule = Schedule(6, 5, 3, shortest_lines=3, longest_lines=8, growing_steps=4)
    assert [schedule.max_characters(step) for step in range(16)] == [
        3,
        4,
        5,
        6,
        8,
        8,
        3,
        4,
        5,
        6,
        8,
        8,
        8,
        8,
        8,
        8,
    ]
    assert [Schedule(0, 0, 3, growing_steps=4).max_characters(step) for step in range(3)] == [8, 8, 8]


def test_rates_fall_to_their_floors():
    """Other floors than the defaults: .2 at a phase's end, and the reconstruction from .2 down to half of
    it.
    """
    schedule = Schedule(400, 0, 200, rate_floor=0.2, reconstruction_floor=0.5)
    assert schedule.rate_scale(200) == pytest.approx(0.6) and schedule.rate_scale(100) == pytest.approx(
        0.2 + 0.8 * (0.5 + math.sqrt(0.125))
    )
    assert schedule.rate_scale(49) == pytest.approx(
        0.5 * (0.2 + 0.4 * (1.0 + math.cos(math.pi * 49 / 400)))
    ) and schedule.rate_scale(399) == pytest.approx(0.2, abs=1e-4)
    assert [schedule.reconstruction_scale(step) for step in (400, 500, 550)] == pytest.approx(
        [0.2, 0.15, 0.125]
    )


def test_what_a_schedule_is_where_nothing_is_said():
    """Those of demo.flags, written out again."""
    schedule = Schedule(1, 1, 1)
    assert (
        schedule.discriminator_warmup_steps,
        schedule.recognizer_every,
        schedule.reconstruction_every,
        schedule.adversarial_every,
    ) == (200, 0, 2, 1)
    assert (schedule.reconstruction_floor, schedule.rate_floor, schedule.game) == (0.25, 0.1, 'paper')
    assert (schedule.shortest_lines, schedule.longest_lines, schedule.growing_steps) == (2, 8, 500)
