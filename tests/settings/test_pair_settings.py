"""Settings of the game of pairs: what they are where nothing is said, how gamma falls, what is refused."""

import dataclasses

import pytest

from hwgen.settings.pairs import PairSettings
from hwgen.settings.train import SECTIONS, TrainSettings


def test_where_nothing_is_said_it_is_played_as_it_was_measured():
    """The arm `drawn` of docs/results/recipe.md, written out again."""
    assert dataclasses.asdict(PairSettings()) == dict(
        judge_channels=(32, 64, 128, 192),
        judge_rate=3e-4,
        judge_weight=4.0,
        judge_share=0.7,
        judge_penalty=1.0,
        judge_penalty_end=0.1,
        ink_jitter=0.15,
        drawn_share=0.5,
        drawn_weight=1.0,
        reading_weight=0.02,
        reading_share=0.2,
    )
    assert TrainSettings().pairs == PairSettings() and PairSettings in SECTIONS


def test_gamma_falls_evenly_in_its_logarithm():
    pairs = PairSettings(judge_penalty=2.0, judge_penalty_end=0.02)
    # a factor of 100 in all, of 10 by the middle, of the fourth root by the first quarter
    assert [pairs.penalty(share) for share in (0.0, 0.25, 0.5, 1.0)] == pytest.approx(
        [2.0, 2.0 / 100**0.25, 0.2, 0.02]
    )
    none = PairSettings(judge_penalty=0.0, judge_penalty_end=0.0)
    assert [none.penalty(share) for share in (0.0, 0.5, 1.0)] == [0.0, 0.0, 0.0]


def test_lines_in_drawn_hands():
    assert [PairSettings(drawn_share=share).drawn_lines(8) for share in (0.0, 0.3, 0.5, 1.0)] == [0, 2, 4, 8]


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(drawn_share=1.5), '^drawn_share=1.5: expected 0 to 1$'),
        (dict(ink_jitter=0.6), '^ink_jitter=0.6: expected 0 to 0.5$'),
        (dict(judge_channels=(8, 0)), r'^judge_channels=\(8, 0\): expected at least 1$'),
        (dict(judge_penalty=-1.0), '^judge_penalty=-1.0: expected at least 0$'),
        (
            dict(judge_penalty_end=0.0),
            '^judge_penalty=1 judge_penalty_end=0: gamma falls by factors, expected both 0 or neither$',
        ),
    ],
)
def test_what_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PairSettings(**settings)
