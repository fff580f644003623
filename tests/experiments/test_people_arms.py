"""Hands like people's, what is drawn around them, and how much of a lesson they are."""

import numpy as np
import pytest

from experiments.corpus import people_arms, people_bent, people_drawn, people_tuned
from hwgen.evaluation.measuring.people import NUMERALS


def bar(height=40, width=6):
    """A numeral: an upright bar, all ink, to its box."""
    return np.ones([height, width], np.float32)


class Still:
    """A generator of random numbers that draws nothing but zero."""

    def uniform(self, low, high):
        return 0.0

    def normal(self, mean, spread, shape):
        return np.zeros(shape)


def test_a_hand_of_zeros_changes_nothing():
    np.testing.assert_allclose(people_bent.bent(bar(), people_bent.Hand(), Still()), bar(), atol=1e-5)


def test_a_slanted_bar_is_wider_by_its_height_times_the_shear():
    found = people_bent.bent(bar(), people_bent.Hand(shear=0.2), Still())
    assert found.shape[0] == 40 and found.shape[1] == pytest.approx(6 + 0.2 * 39, abs=2)
    middles = (found * np.arange(found.shape[1])).sum(1) / found.sum(1)
    assert np.diff(middles).mean() == pytest.approx(-0.2, abs=0.01)


def test_a_hand_of_another_aspect_keeps_the_area():
    """A square of 40 px by exp(-0.1) in width and exp(0.1) in height: 36.2 and 44.2."""
    found = people_bent.bent(bar(40, 40), people_bent.Hand(aspect=0.2), Still())
    middle = found.shape[0] // 2, found.shape[1] // 2
    assert found[middle[0]].sum() == pytest.approx(40 * np.exp(-0.1), abs=0.5)
    assert found[:, middle[1]].sum() == pytest.approx(40 * np.exp(0.1), abs=0.5)


def test_thicker_and_thinner():
    """Half of a pixel all around, or away: 40 x 6 with the corners is (42 x 8 + 40 x 6) / 2."""
    thick = people_bent.bent(bar(), people_bent.Hand(thickness=0.5), Still())
    assert thick.sum() == pytest.approx((42 * 8 + 40 * 6) / 2, rel=1e-4)
    thin = people_bent.bent(bar(), people_bent.Hand(thickness=-0.5), Still())
    assert thin.sum() == pytest.approx((38 * 4 + 40 * 6) / 2, rel=1e-4)


def test_bent_lines_are_written_beside_the_person_s_own():
    scans = np.full([2, len(NUMERALS), 2, 64, 64], 255, np.uint8)
    scans[..., 12:50, 28:36] = 0
    plain = people_tuned.people_records(scans, seed=3)
    records = people_tuned.people_records(scans, seed=3, bent=2)
    writers = sorted({record.writer for record in records})
    assert writers == [f'person-{p}{more}' for p in (0, 1) for more in ('', '-1', '-2')]
    for writer in writers:
        assert sum(len(record.text) for record in records if record.writer == writer) == 30
    first = [record for record in records if record.writer == 'person-0']
    theirs = [record for record in plain if record.writer == 'person-0']
    assert [record.text for record in first] == [record.text for record in theirs]
    assert all((a.image == b.image).all() for a, b in zip(first, theirs, strict=True))


def lines():
    """Two lines of two people, of numerals 0 and 1 and of 1 and 2, without spread."""
    still = np.zeros([3])
    return [
        people_drawn.ReadLine(
            'a', np.array([0, 1]), np.full(3, 1.0), still, np.array([[1.0], [2.0]]), still[:2, None]
        ),
        people_drawn.ReadLine(
            'b', np.array([1, 2]), np.full(3, 5.0), still, np.array([[4.0], [3.0]]), still[:2, None]
        ),
    ]


def test_styles_between_two_people():
    rng = np.random.default_rng(0)
    found = people_drawn._styles(None, lines(), people_drawn.Plan('between'), 400, rng)
    assert found.shape == (400, 3) and (np.ptp(found, 1) == 0).all()
    assert 1 <= found.min() < 1.1 and 4.9 < found.max() <= 5 and found.mean() == pytest.approx(3, abs=0.2)
    read = people_drawn._styles(None, lines(), people_drawn.Plan('read'), 50, rng)
    assert set(read[:, 0]) == {1.0, 5.0}


def test_noise_of_the_numeral_that_it_was_read_of():
    kinds = np.array([[0, 1, 2], [1, 1, 0]])
    own = [people_drawn.ReadLine('a', np.arange(15), None, None, np.arange(15.0)[:, None], np.zeros([15, 1]))]
    rng = np.random.default_rng(0)
    read = people_drawn._noise(own, people_drawn.Plan(noise='read'), kinds, 1, rng)
    assert (read[..., 0] == kinds).all()
    drawn = people_drawn._noise(own, people_drawn.Plan(noise_truncation=0.0), kinds, 1, rng)
    assert drawn.shape == (2, 3, 1) and not drawn.any()


def test_fitted_noise_has_mean_and_spread_of_what_was_read():
    """Read -1 and 1 (variance 2 of a sample) with a posterior of variance 2: 4 together, spread 2."""
    pair = np.array([[-1.0], [1.0]])
    read = [
        people_drawn.ReadLine('a', np.arange(15), None, None, np.full([15, 1], value), np.full([15, 1], 2.0))
        for value in pair[:, 0]
    ]
    kinds = np.zeros([4000, 1], int)
    found = people_drawn._noise(read, people_drawn.Plan(noise='fitted'), kinds, 1, np.random.default_rng(1))
    assert found.mean() == pytest.approx(0, abs=0.15) and found.std() == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(('people', 'other', 'share'), [(30, 100, 0.25), (300, 10, 0.25), (30, 100, 0.5)])
def test_mixtures_hold_the_share_that_they_say(people, other, share):
    lesson = np.zeros([people, 1, 1]), np.zeros(people, int)
    added = np.ones([other, 1, 1]), np.ones(other, int)
    pictures, labels = people_arms._mixed(lesson, added, share=share)
    assert (pictures[:, 0, 0] == labels).all() and labels.mean() == pytest.approx(share, abs=1e-3)
    assert (labels == 0).sum() >= people and (labels == 1).sum() >= other


def test_bent_pictures_say_what_they_are():
    scans = np.full([1, len(NUMERALS), 1, 64, 64], 255, np.uint8)
    scans[..., 12:50, 28:36] = 0
    pictures, labels = people_arms.bent_people(scans, copies=2, seed=0)
    assert pictures.shape == (30, 32, 32) and labels.tolist() == [*range(15)] * 2
    assert (pictures.reshape(30, -1).max(1) > 200).all()


def test_pictures_dealt_to_hands():
    """Seven of each numeral, in turns: two hands of three, the seventh left out."""
    labels = np.tile(np.arange(15), 7)
    pictures = np.repeat(np.arange(7), 15)[:, None, None] * np.ones([1, 32, 32], int)
    hands = people_arms.as_hands(pictures, labels, hands=2)
    assert hands.shape == (2, 15, 3, 32, 32)
    assert (hands[0, :, :, 0, 0] == [0, 1, 2]).all() and (hands[1, :, :, 0, 0] == [3, 4, 5]).all()
