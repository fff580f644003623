"""Measures of hands: drawn bars whose measures are known, hands that can and cannot be told apart."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from hwgen.metrics import hands


def bars(*, width=2, grey=0, lean=0., top=4, bottom=28, pitch=16, size=(32, 96)):
    """Upright bars, `lean` px to the right per row downwards."""
    image = np.full(size, 255, np.uint8)
    for left in range(12, size[1] - 12, pitch):
        for row in range(top, bottom):
            start = left + round(lean * (row - 16))
            image[row, start:start + width] = grey
    return image


def measure(image):
    return dict(zip(hands.MEASURES, hands.line_measures(image)))


def test_measures_of_bars():
    found = measure(bars())
    assert found['ink'] == pytest.approx(5 * 2 * 24 / (32 * 96), abs=1e-6)
    assert (found['darkness'], found['height'], found['slant']) == (1., 24., 0.)
    assert found['centre'] == pytest.approx(15.5)
    assert found['blank_columns'] == pytest.approx(1. - 10 / 96)
    assert measure(bars(grey=127))['darkness'] == pytest.approx(1. - 127 / 255, abs=1e-3)
    widths = [measure(bars(width=width))['stroke_width'] for width in (1, 3, 5)]
    np.testing.assert_allclose(widths, [24 * width / (24 + width) for width in (1, 3, 5)])  # a bar's area by half its outline


@pytest.mark.parametrize('lean', [-.3, .2])
def test_slant_is_the_shear_that_rights_the_bars(lean):
    assert measure(bars(lean=lean))['slant'] == pytest.approx(-lean, abs=.051)


def test_paper_alone():
    np.testing.assert_array_equal(hands.line_measures(np.full([8, 16], 255, np.uint8)), 0.)


def test_identification_of_hands_that_differ_and_of_one_hand():
    rng = np.random.default_rng(0)
    within = rng.normal(size=[8, 30, 7])
    assert hands.identification_rate(within + 9. * rng.normal(size=[8, 1, 7])) == 1.
    assert hands.identification_rate(within) < .3
    far = np.zeros([2, 3, 1])
    far[1] = 1.
    assert hands.identification_rate(far) == 1.  # no spread at all
    mixed = np.array([[[0.], [0.], [10.]], [[10.], [10.], [0.]]])  # the third of each hand lies with the other
    assert hands.identification_rate(mixed) == pytest.approx(4 / 6)
    assert hands.identification_rate(within * 1000.) == hands.identification_rate(within)


def test_a_line_does_not_vote_for_its_own_hand():
    """Left out, the line at 0 is 10 from its hand's other line and 7 from the other hand; with itself in the mean it would be at 5."""
    assert hands.identification_rate(np.array([[[0.], [10.]], [[7.], [7.]]])) == .5


def test_too_few_hands_or_lines():
    for shape in ([1, 5, 7], [5, 1, 7]):
        with pytest.raises(ValueError, match='at least 2 x 2'):
            hands.identification_rate(np.zeros(shape))


def test_copy_distances_are_those_of_scipy():
    copies = np.random.default_rng(1).integers(0, 256, size=[5, 4, 6]).astype(np.uint8)
    np.testing.assert_allclose(hands.copy_distances(copies), pdist(copies.reshape(5, -1) / 255., 'cityblock') / 24)
    assert hands.copy_distances(copies[[0, 0]])[0] == 0.
