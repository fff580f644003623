"""Schedule: phases, boundaries, rates, line lengths, who is updated when."""

import math

import pytest

from hwgen.settings.schedule import Schedule


@pytest.fixture
def schedule():
    return Schedule(1000, 2000, 500, discriminator_warmup_steps=50, recognizer_every=4, reconstruction_every=2,
                    reconstruction_floor=.25, rate_floor=.1, shortest_lines=2, longest_lines=8, growing_steps=600)


@pytest.mark.parametrize('step, place', [
    (0, ('recognizers', 0, 1000)), (999, ('recognizers', 999, 1000)), (1000, ('reconstruction', 0, 2000)),
    (2999, ('reconstruction', 1999, 2000)), (3000, ('adversarial', 0, 500)), (3499, ('adversarial', 499, 500))])
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
    assert schedule.rate_scale(0) == pytest.approx(.01)
    assert schedule.rate_scale(500) == pytest.approx(.55)
    assert schedule.rate_scale(1000) == pytest.approx(.01)
    assert schedule.rate_scale(2000) == pytest.approx(.55)
    assert schedule.rate_scale(3250) == pytest.approx(.55)
    assert schedule.rate_scale(999) == pytest.approx(.1, abs=1e-5)
    for step in range(3500):
        _, within, steps = schedule.place(step)
        cosine = .1 + .45 * (1. + math.cos(math.pi * within / steps))
        assert schedule.rate_scale(step) == pytest.approx(cosine * min(1., (within + 1) / 100.))
        assert 0. < schedule.rate_scale(step) <= 1.


def test_reconstruction_fades_in_the_adversarial_phase(schedule):
    assert schedule.reconstruction_scale(2000) == schedule.rate_scale(2000)
    # From the warm-up's end, .1, down to a quarter of it.
    assert schedule.reconstruction_scale(3000) == pytest.approx(.1)
    assert schedule.reconstruction_scale(3250) == pytest.approx(.1 * (1. - .75 / 2.))
    assert schedule.reconstruction_scale(3499) == pytest.approx(.025, abs=2e-4)


def test_lines_grow_in_the_first_two_phases(schedule):
    lengths = [schedule.max_characters(step) for step in range(3501)]
    for start in (0, 1000):
        grown = lengths[start:start + 600]
        assert grown[0] == 2 and grown == sorted(grown) and grown[-1] == 7
        assert [grown.count(n) for n in range(2, 8)] == [100] * 6
    assert set(lengths[600:1000]) == set(lengths[1600:]) == {8}
    still = Schedule(10, 10, 10, longest_lines=5, growing_steps=0)
    assert {still.max_characters(step) for step in range(31)} == {5}


def test_updates(schedule):
    assert all(schedule.updates_recognizers(step) for step in range(1000))
    assert [schedule.updates_recognizers(step) for step in range(1000, 1008)] == [True, False, False, False] * 2
    assert not any(schedule.updates_by_reconstruction(step) for step in range(1000))
    assert all(schedule.updates_by_reconstruction(step) for step in range(1000, 3000))
    assert [schedule.updates_by_reconstruction(step) for step in range(3000, 3004)] == [True, False, True, False]
    paper = Schedule(5, 5, 5, recognizer_every=0, reconstruction_every=0)
    assert [paper.updates_recognizers(step) for step in range(15)] == [True] * 5 + [False] * 10
    assert [paper.updates_by_reconstruction(step) for step in range(15)] == [False] * 5 + [True] * 5 + [False] * 5


def test_when_the_style_encoder_has_learned(schedule):
    """Not before the first reconstruction step, and never in the paper's pure GAN."""
    assert [schedule.has_reconstructed(step) for step in (0, 1000, 1001, 3500)] == [False, False, True, True]
    pure = Schedule(10, 0, 10, reconstruction_every=0)
    assert not any(pure.has_reconstructed(step) for step in range(21))
    late = Schedule(10, 0, 10, reconstruction_every=3)
    assert [late.has_reconstructed(step) for step in (10, 11, 20)] == [False, True, True]
    assert not Schedule(10, 0, 0).has_reconstructed(10)
    starts = [[step for step in range(made.total_steps) if made.starts_to_draw(step)] for made in (Schedule(2, 3, 4), pure, late, Schedule(0, 4, 2), Schedule(2, 3, 0))]
    assert starts == [[5], [], [], [4], []]
