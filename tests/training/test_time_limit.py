"""Minutes of a call by themselves, by a clock of our own: each answer worked out by hand.

Within runs: test_minutes.py.
"""

import types

import pytest

from hwgen.settings.schedule import Schedule
from hwgen.training import time_limit
from hwgen.training.time_limit import TimeLimit

PLANNED = Schedule(10, 20, 30)


@pytest.fixture
def clock(monkeypatch):
    seconds = [1000.0]
    monkeypatch.setattr(time_limit, 'time', types.SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


def answers(limit, clock, times, schedule=PLANNED, stop_at=60, start=0):
    """What the time asks for before each step; the clock then stands where `times` says."""
    found = []
    for step, now in enumerate(times, start):
        clock[0] = now
        found.append(limit.asks(step, schedule, stop_at))
    return found


def test_without_minutes_it_asks_for_nothing(clock):
    limit = TimeLimit(None, started=0.0)
    assert answers(limit, clock, [0.0, 1e9]) == [None, None] and limit.remaining_sec() == float('inf')


def test_a_phase_ends_where_its_share_does(clock):
    """10 minutes from 1000 on.

    The first step takes 30 s, as much is kept: 540 s from 1030 to 1570 are for the 9 + 20 + 30 steps to come,
    82.37 of them for
    phase 1: until 1112.37. Its last steps go to the others."""
    limit = TimeLimit(10.0, started=1000.0)
    assert answers(limit, clock, [1000.0, 1030.0, 1112.3]) == [
        None
    ] * 3 and limit.remaining_sec() == pytest.approx(1570.0 - 1112.3)
    assert answers(limit, clock, [1112.4], start=3) == ['cut']
    # In phase 2 from 1113 on: 457 s for 20 + 30 steps, until 1295.8.
    cut = PLANNED.cut(3)
    assert answers(limit, clock, [1113.0, 1295.7, 1295.9], cut, 53, start=3) == [None, None, 'cut']
    # The last phase is never cut; at 1570, and not before, all ends.
    assert answers(limit, clock, [1296.0, 1569.9, 1570.0], cut.cut(5), 35, start=5) == [None, None, 'stop']


def test_one_step_is_made_and_one_of_each_phase(clock):
    """However late it is at the first; a phase that was entered too late is not cut before it made a step."""
    assert answers(TimeLimit(1.0, started=0.0), clock, [500.0, 501.0]) == [None, 'stop']
    limit = TimeLimit(10.0, started=0.0)
    assert answers(limit, clock, [0.0, 10.0, 400.0]) == [None, None, 'cut']
    assert answers(limit, clock, [420.0, 560.0], Schedule(2, 20, 30), 52, start=2) == [None, 'cut']


def test_what_is_kept_for_the_end(clock):
    """As much as the first step took, then what sheets took; never more than a quarter of all: 150 of 600
    s.
    """
    limit = TimeLimit(10.0, started=0.0)
    assert (
        answers(limit, clock, [0.0, 40.0], Schedule(0, 90, 0), 90) == [None, None]
        and limit.remaining_sec() == 520.0
    )
    limit.closing_sec = 25.0
    assert limit.remaining_sec() == 535.0
    limit.closing_sec = 149.0
    assert limit.remaining_sec() == 411.0
    limit.closing_sec = 400.0
    assert limit.remaining_sec() == 410.0 and answers(
        limit, clock, [449.9, 450.0], Schedule(0, 90, 0), 90, start=2
    ) == [None, 'stop']
    limit.closing_sec = 0.0
    assert limit.remaining_sec() == 150.0, 'nothing was needed, and nothing is kept'


def test_a_phase_is_cut_only_where_every_later_one_gets_a_step(clock):
    """Two later phases and a first step of 100 s: at 599 there are 201 s left for them, at 601 only 199."""
    for now, asked in ((599.0, 'cut'), (600.0, None), (601.0, None)):
        limit = TimeLimit(15.0, started=0.0)
        assert answers(limit, clock, [0.0, 100.0, now]) == [None, None, asked]


@pytest.mark.parametrize(
    'options',
    [dict(divide=False), dict(stop_at=10), dict(schedule=Schedule(0, 60, 0))],
    ids=['not divided', 'no later phase asked for', 'one phase'],
)
def test_nothing_is_cut_where_nothing_comes_after(clock, options):
    limit = TimeLimit(10.0, started=0.0, divide=options.pop('divide', True))
    assert answers(limit, clock, [0.0, 10.0, 500.0, 589.9, 590.0], **options) == [None] * 4 + ['stop']


def test_only_steps_that_are_asked_for_have_a_share(clock):
    """--max_steps=14 leaves 9 and 4 steps after the first: 9/13 of 585 s, from 5 on, for phase 1."""
    limit = TimeLimit(595 / 60, started=0.0)
    assert answers(limit, clock, [0.0, 5.0, 409.9], stop_at=14) == [None] * 3 and answers(
        limit, clock, [410.1], stop_at=14, start=3
    ) == ['cut']
    # 5 + 585 * 9 / 13 = 410
