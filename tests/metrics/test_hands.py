"""Measures of hands: drawn bars whose measures are known, hands that can and cannot be told apart."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from hwgen.metrics import hands


def bars(*, width=2, grey=0, lean=0.0, top=4, bottom=28, pitch=16, size=(32, 96)):
    """Upright bars, `lean` px to the right per row downwards."""
    image = np.full(size, 255, np.uint8)
    for left in range(12, size[1] - 12, pitch):
        for row in range(top, bottom):
            start = left + round(lean * (row - 16))
            image[row, start : start + width] = grey
    return image


def measure(image):
    return dict(zip(hands.MEASURES, hands.line_measures(image)))


def test_measures_of_bars():
    found = measure(bars())
    assert found['ink'] == pytest.approx(5 * 2 * 24 / (32 * 96), abs=1e-6)
    assert (found['darkness'], found['height'], found['slant']) == (1.0, 24.0, 0.0)
    assert found['centre'] == pytest.approx(15.5)
    assert found['blank_columns'] == pytest.approx(1.0 - 10 / 96)
    assert measure(bars(grey=127))['darkness'] == pytest.approx(1.0 - 127 / 255, abs=1e-3)
    widths = [measure(bars(width=width))['stroke_width'] for width in (1, 3, 5)]
    # a bar's area by half its outline
    np.testing.assert_allclose(widths, [24 * width / (24 + width) for width in (1, 3, 5)])


@pytest.mark.parametrize('lean', [-0.3, 0.2])
def test_slant_is_the_shear_that_rights_the_bars(lean):
    assert measure(bars(lean=lean))['slant'] == pytest.approx(-lean, abs=0.051)


def test_where_the_ink_lies_and_how_dark_it_is_are_told_apart():
    """Bars in the upper quarter: as far from the middle row as no other row's mirror is."""
    found = measure(bars(top=2, bottom=10))
    assert found['centre'] == pytest.approx(5.5) and found['height'] == 8.0
    shaded = bars(top=2, bottom=10)
    # the two upper rows of ink are of .6: 6 rows of 1 around 6.5, 2 of .6 around 2.5
    shaded[2:4][shaded[2:4] == 0] = 102
    assert measure(shaded)['centre'] == pytest.approx((6 * 6.5 + 1.2 * 2.5) / 7.2, abs=1e-5)
    assert measure(shaded)['ink'] == pytest.approx(5 * 2 * 7.2 / (32 * 96), abs=1e-6)


def test_the_darkest_are_three_in_a_hundred():
    """And strokes are what is half as dark as the darkest two in a hundred, or as ink of a fifth."""

    def rows(*darkness):
        image = np.full([100, 40], 255, np.uint8)
        for row, value in darkness:
            image[row] = round(255 * (1 - value))
        return measure(image)

    # place 96.03 of 0 to 99
    assert rows((10, 1.0), (30, 1.0), (50, 1.0), (70, 0.4), (71, 0.4))['darkness'] == pytest.approx(
        0.4 + 0.03 * 0.6, abs=0.003
    )
    assert rows((10, 1.0), (30, 1.0), (50, 0.4))['darkness'] == pytest.approx(0.03 * 0.4, abs=0.003)
    dark = [(20 + row, 0.8) for row in range(3)]
    assert rows(*dark, (10, 0.42), (60, 0.38))['height'] == 13.0  # .4 is half of .8
    pale = [(20 + row, 0.16) for row in range(5)]
    assert rows(*pale, (10, 0.11), (60, 0.09))['height'] == 15.0  # .1 is half of a fifth
    np.testing.assert_array_equal(list(rows((20, 0.09), (21, 0.09), (22, 0.09)).values()), 0.0)
    # of two rows of a hundred the third darkest is nearly all: .5 or .28
    three, two = [(10, 1.0), (30, 1.0), (40, 1.0)], [(10, 1.0), (30, 1.0)]
    assert (
        rows(*three, (50, 0.55), (80, 0.45))['height'] == 41.0
        and rows(*two, (50, 0.55), (80, 0.45))['height'] == 71.0
    )


def test_strokes_at_the_rim_have_an_outline_too():
    found = measure(np.zeros([8, 16], np.uint8))
    assert found['stroke_width'] == pytest.approx(2 * 128 / 48) and (
        found['height'],
        found['blank_columns'],
        found['ink'],
    ) == (8.0, 0.0, 1.0)


@pytest.mark.parametrize('lean', [-0.5, -0.45, 0.05, 0.5])
def test_slants_are_told_in_steps_of_a_twentieth_up_to_a_half(lean):
    leaning = bars(lean=lean, top=1, bottom=31, width=3)
    assert measure(leaning)['slant'] == pytest.approx(-lean, abs=1e-9)


def test_paper_alone():
    np.testing.assert_array_equal(hands.line_measures(np.full([8, 16], 255, np.uint8)), 0.0)


def test_identification_of_hands_that_differ_and_of_one_hand():
    rng = np.random.default_rng(0)
    within = rng.normal(size=[8, 30, 7])
    assert hands.identification_rate(within + 9.0 * rng.normal(size=[8, 1, 7])) == 1.0
    assert hands.identification_rate(within) < 0.3
    far = np.zeros([2, 3, 1])
    far[1] = 1.0
    assert hands.identification_rate(far) == 1.0  # no spread at all
    # the third of each hand lies with the other
    mixed = np.array([[[0.0], [0.0], [10.0]], [[10.0], [10.0], [0.0]]])
    assert hands.identification_rate(mixed) == pytest.approx(4 / 6)
    assert hands.identification_rate(within * 1000.0) == hands.identification_rate(within)


def test_the_spread_is_that_of_each_measure_within_hands():
    """Every line by itself, in loops; measures whose units and spreads differ."""
    rng = np.random.default_rng(9)
    measures = (
        rng.normal(size=[5, 4, 3]) * [1.0, 0.2, 3.0] + rng.normal(size=[5, 1, 3]) * [3.0, 0.02, 0.3]
    ) * [1.0, 100.0, 0.01]
    right = 0
    for hand in range(5):
        for line in range(4):
            distances = []
            for other in range(5):
                lines = [measures[other, k] for k in range(4) if (other, k) != (hand, line)]
                distances.append(
                    sum(
                        (np.mean([one[f] for one in lines]) - measures[hand, line, f]) ** 2
                        / np.mean([np.var([measures[h, k, f] for k in range(4)]) for h in range(5)])
                        for f in range(3)
                    )
                )
            right += distances.index(min(distances)) == hand
    assert hands.identification_rate(measures) == right / 20 == 0.75


def test_a_line_does_not_vote_for_its_own_hand():
    """Left out, the line at 0 is 10 from its hand's other line and 7 from the other hand; with itself in
    the mean it would be at 5.
    """
    assert hands.identification_rate(np.array([[[0.0], [10.0]], [[7.0], [7.0]]])) == 0.5


def test_too_few_hands_or_lines():
    for shape in ([1, 5, 7], [5, 1, 7]):
        with pytest.raises(ValueError, match='at least 2 x 2'):
            hands.identification_rate(np.zeros(shape))


def test_copy_distances_are_those_of_scipy():
    copies = np.random.default_rng(1).integers(0, 256, size=[5, 4, 6]).astype(np.uint8)
    np.testing.assert_allclose(
        hands.copy_distances(copies), pdist(copies.reshape(5, -1) / 255.0, 'cityblock') / 24
    )
    assert hands.copy_distances(copies[[0, 0]])[0] == 0.0
