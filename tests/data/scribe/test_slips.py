"""Slips: what is begun wrongly is struck out, stroke for stroke."""

import numpy as np
import pytest

from hwgen.data.scribe import slips
from hwgen.data.scribe.letterforms import Form

LENGTHS = {'永': [3, 4, 2, 5, 3], '一': [2]}


class Letters:
    """Every character but 一 has the strokes of 永; the points of a stroke are all its number."""

    def __init__(self):
        self.asked = []

    def form(self, unit, rng):
        self.asked.append(unit)
        lengths = LENGTHS['一' if unit == '一' else '永']
        stroke_of = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        points = np.stack([stroke_of, stroke_of], 1).astype(np.float32) / 10
        return Form(points, stroke_of, np.arange(len(lengths), dtype=np.int32), 1.0, False)


@pytest.mark.parametrize('unit', ['永', '一'])
def test_a_beginning_is_struck_out(unit):
    strikes, kept, others = [[len(stroke) for stroke in strike] for strike in slips._STRIKES], set(), 0
    for seed in range(200):
        letters = Letters()
        form = slips.slip(letters, unit, np.random.default_rng(seed))
        counts = np.bincount(form.stroke_of).tolist()
        lengths = LENGTHS['一' if letters.asked == ['一'] else '永']
        # Whole strokes of the character, in their order, and then all strokes of one way of striking out.
        own = next(
            n for n in range(1, len(lengths) + 1) if counts[:n] == lengths[:n] and counts[n:] in strikes
        )
        np.testing.assert_array_equal(
            form.points[form.stroke_of < own],
            np.repeat(np.arange(own), lengths[:own])[:, None].repeat(2, 1).astype(np.float32) / 10,
        )
        assert len(form.slots) == len(counts) and len(form.points) == len(form.stroke_of)
        # Across all of what is struck out, and a little beyond; a flat or small one is taken for .3 em.
        assert np.ptp(form.points[form.stroke_of >= own, 0]) > 0.8 * max(
            0.3, np.ptp(form.points[form.stroke_of < own, 0])
        )
        if letters.asked == [unit]:
            kept.add(own)
        else:
            others += 1
            # another character is written to its end
            assert own == len(lengths) and letters.asked[0] in slips._FREQUENT
    assert kept == ({2, 3, 4, 5} if unit == '永' else {1}) and 60 < others < 140


def test_a_form_without_strokes_is_left():
    class Blank(Letters):
        def form(self, unit, rng):
            return Form(
                np.zeros([0, 2], np.float32), np.zeros(0, np.int32), np.zeros(0, np.int32), 0.45, True
            )

    assert not len(slips.slip(Blank(), ' ', np.random.default_rng(0)).points)


def test_slips_are_as_frequent_as_asked():
    drawn = slips.draw_slips(20_000, np.random.default_rng(0), chance=0.2)
    assert (
        drawn.mean() == pytest.approx(0.2, abs=0.01)
        and not slips.draw_slips(9, np.random.default_rng(0), chance=0.0).any()
    )


@pytest.mark.parametrize('seed', range(6))
def test_a_strike_lies_in_the_box_of_what_is_struck_out(seed):
    """By hand, without the hand's deviations: the box of what was written, at least .3 em each way about
    its middle; points stray by .05 of it.
    """

    class Rng:
        def __init__(self, spread):
            self.spread, self.deviations = spread, []

        def random(self):
            return 0.49

        def uniform(self, low, high):
            assert (low, high) == (0.4, 1)
            return 0.5

        def integers(self, count):
            return seed % count

        def normal(self, mean, deviation, shape):
            self.deviations.append((mean, deviation))
            return np.full(shape, self.spread)

    rng = Rng(0.0)
    form = slips.slip(Letters(), '永', rng)
    # ceil(5 x .5) = 3 strokes are kept
    assert rng.deviations == [(0, 0.05)] * len(slips._STRIKES[seed]) and (form.stroke_of < 3).sum() == 9
    strikes = np.concatenate(slips._STRIKES[seed])
    # points from 0 to .2: .3 about .1
    np.testing.assert_allclose(form.points[9:], 0.1 - 0.15 + strikes * 0.3, atol=1e-6)
    np.testing.assert_allclose(
        slips.slip(Letters(), '永', Rng(1.0)).points[9:], -0.05 + (strikes + 1) * 0.3, atol=1e-6
    )
    assert form.slots.tolist() == [0] * (3 + len(slips._STRIKES[seed])) and (
        form.slots.dtype,
        form.stroke_of.dtype,
        form.points.dtype,
    ) == (np.int32, np.int32, np.float32)
    assert strikes[:, 0].min() <= -0.02 and strikes[:, 0].max() >= 1.04


def test_a_wide_character_is_struck_out_as_wide_as_it_is():
    class Wide(Letters):
        def form(self, unit, rng):
            return Form(
                np.float32([[-0.4, 0], [0.4, 0], [0, -0.2], [0, 0.4]]),
                np.int32([0, 0, 1, 1]),
                np.int32([0, 0]),
                1.0,
                False,
            )

    rng = np.random.default_rng(3)
    rng = type(
        '',
        (),
        {
            'random': lambda self: 0.9,
            'integers': lambda self, count: 0,
            'normal': lambda self, *arguments: np.zeros(arguments[2]),
        },
    )()
    form = slips.slip(Wide(), '十', rng)
    np.testing.assert_allclose(
        form.points[4:],
        [[-0.4 - 0.08 * 0.8, -0.2 + 0.54 * 0.6], [-0.4 + 1.08 * 0.8, -0.2 + 0.46 * 0.6]],
        atol=1e-6,
    )


def test_what_people_write_by_mistake():
    assert slips._FREQUENT == '的一是不了在有我他这个们来到说大地子中上下' and len(slips._STRIKES) == 6
    assert [len(strike) for strike in slips._STRIKES] == [1, 2, 1, 2, 1, 1]
    drawn = slips.draw_slips(5, np.random.default_rng(0), chance=0.5)
    np.testing.assert_array_equal(drawn, np.random.default_rng(0).random(5) < 0.5)
    assert slips.draw_slips(3, np.random.default_rng(0), chance=1.0).all()
