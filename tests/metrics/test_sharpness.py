"""Sharpness of lines, by hand."""

import numpy as np
import pytest

from hwgen.metrics.sharpness import line_edges


def _step(*levels):
    """A picture of 10 rows whose columns have these amounts of ink in tenths."""
    return np.rint(255 * (1 - np.tile(levels, [10, 1]) / 10)).astype(np.uint8)


def test_a_hard_and_a_soft_edge_by_hand():
    # Ten columns of ink 10/10 beside ten of paper: of the inked pixels one column in ten has the central
    # difference (10 - 0) / 2 = 0.5, the others 0; the 90th percentile of 100 pixels lies between the 90th and
    # the 91st, which begins the ten steep ones: 0.9 * 99 = 89.1 -> 0 + 0.1 * 0.5.
    found = line_edges(_step(*[0] * 10, *[10] * 10))
    np.testing.assert_allclose(found, [1.0, 0.05, 0.05], atol=1e-6)
    # Two columns of ink between paper: both have 0.5.
    np.testing.assert_allclose(line_edges(_step(0, 0, 10, 10, 0, 0)), [1.0, 0.5, 0.5], atol=1e-6)
    # Half as dark, half as steep, as sharp.
    pale = line_edges(_step(0, 0, 5, 5, 0, 0))
    np.testing.assert_allclose(pale, [0.5, 0.25, 0.5], atol=4e-3)
    # A ramp: only columns above half the darkness count, 6 to 10 tenths, slope 0.2 each and 0 at the end.
    soft = line_edges(_step(0, 2, 4, 6, 8, 10, 10))
    np.testing.assert_allclose(soft[1:], [0.2, 0.2], atol=4e-3)


def test_paper_has_no_edges():
    assert line_edges(np.full([8, 30], 255, np.uint8)) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize('size', [3, 5])
def test_blur_takes_sharpness_away(size):
    import cv2

    rng = np.random.default_rng(1)
    image = np.where(rng.random([16, 40]) < 0.3, 0, 255).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    assert line_edges(cv2.blur(image, (size, size))).sharpness < line_edges(image).sharpness
