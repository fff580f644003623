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
        return Form(points, stroke_of, np.arange(len(lengths), dtype=np.int32), 1., False)


@pytest.mark.parametrize('unit', ['永', '一'])
def test_a_beginning_is_struck_out(unit):
    strikes, kept, others = [[len(stroke) for stroke in strike] for strike in slips._STRIKES], set(), 0
    for seed in range(200):
        letters = Letters()
        form = slips.slip(letters, unit, np.random.default_rng(seed))
        counts = np.bincount(form.stroke_of).tolist()
        lengths = LENGTHS['一' if letters.asked == ['一'] else '永']
        # Whole strokes of the character, in their order, and then all strokes of one way of striking out.
        own = next(n for n in range(1, len(lengths) + 1) if counts[:n] == lengths[:n] and counts[n:] in strikes)
        np.testing.assert_array_equal(form.points[form.stroke_of < own], np.repeat(np.arange(own), lengths[:own])[:, None].repeat(2, 1).astype(np.float32) / 10)
        assert len(form.slots) == len(counts) and len(form.points) == len(form.stroke_of)
        # Across all of what is struck out, and a little beyond; a flat or small one is taken for .3 em.
        assert np.ptp(form.points[form.stroke_of >= own, 0]) > .8 * max(.3, np.ptp(form.points[form.stroke_of < own, 0]))
        if letters.asked == [unit]:
            kept.add(own)
        else:
            others += 1
            assert own == len(lengths) and letters.asked[0] in slips._FREQUENT  # another character is written to its end
    assert kept == ({2, 3, 4, 5} if unit == '永' else {1}) and 60 < others < 140


def test_a_form_without_strokes_is_left():
    class Blank(Letters):
        def form(self, unit, rng):
            return Form(np.zeros([0, 2], np.float32), np.zeros(0, np.int32), np.zeros(0, np.int32), .45, True)
    assert not len(slips.slip(Blank(), ' ', np.random.default_rng(0)).points)


def test_slips_are_as_frequent_as_asked():
    drawn = slips.draw_slips(20_000, np.random.default_rng(0), chance=.2)
    assert drawn.mean() == pytest.approx(.2, abs=.01) and not slips.draw_slips(9, np.random.default_rng(0), chance=0.).any()
