"""Characters of a line set into cells of their own: pieces and advances by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.spacing import part_line, space_line


def line_of(width, *inks, height=10):
    """A line of paper with black columns from x0 to x1 - 1 each."""
    image = np.full((height, width), 255, np.uint8)
    for x0, x1 in inks:
        image[:, x0:x1] = 0
    return image


def boxes_of(*inks, height=10):
    return np.array([(x0, 0, x1, height) for x0, x1 in inks])


def test_pieces_and_advances_by_hand():
    """Ink at 2..6 and 10..12 of a line of 10 px: parted in the middle of 6..10, with half of that gap (4, but
    no more than 0.15 of the height) before the first and behind the last.
    """
    inks = (2, 6), (10, 12)
    image = line_of(20, *inks)
    np.testing.assert_allclose(part_line(image, 2, boxes_of(*inks)), [1.25, 8, 12.75])
    cells, advances = space_line(image, 2, boxes_of(*inks), char_px=10, char_width_px=10)
    np.testing.assert_allclose(advances, [0.675, 0.475])
    # columns 1..7 and 8..12, 7 and 5 of them, in the middle of ten: from 1 and from 2
    expected = np.ones((10, 20), np.float32)
    expected[:, 2:6] = expected[:, 10 + 2 + 2 : 10 + 2 + 4] = -1
    np.testing.assert_array_equal(cells, expected)


def test_a_cut_goes_where_there_is_little_ink():
    """Boxes overlap by 3; the middle, 10.5, is in ink; the nearest border with paper on one side is 10."""
    image = line_of(20, (2, 9), (10, 18))
    edges = part_line(image, 2, np.array([(2, 0, 12, 10), (9, 0, 18, 10)]))
    assert edges[1] == 10


def test_what_is_wider_than_a_cell_is_squeezed_and_its_advance_stays():
    inks = (1, 31), (34, 38)
    cells, advances = space_line(line_of(40, *inks), 2, boxes_of(*inks), char_px=10, char_width_px=10)
    np.testing.assert_allclose(advances, [3.175, 0.675])
    assert (cells[:, 1:9] < -0.9).all() and cells[0, 0] > -1


def test_scale_is_that_of_the_height():
    """Twice as high and wide: the same picture, the same advances."""
    inks = (2, 6), (10, 12)
    small, large = line_of(20, *inks), np.kron(line_of(20, *inks), np.ones((2, 2), np.uint8))
    cells, advances = space_line(small, 2, boxes_of(*inks), char_px=10, char_width_px=10)
    again, of_large = space_line(large, 2, 2 * boxes_of(*inks), char_px=10, char_width_px=10)
    np.testing.assert_array_equal(again, cells)
    np.testing.assert_allclose(of_large, advances, atol=0.06)  # a cut goes through the middle of a pixel


def test_without_boxes_by_ink():
    """Three strokes near even places are parted in the gaps between them."""
    edges = part_line(line_of(30, (1, 8), (12, 18), (23, 29)), 3)
    assert 8 <= edges[1] <= 12 and 18 <= edges[2] <= 23 and edges[0] <= 1 and edges[3] >= 29


@pytest.mark.parametrize('image', [line_of(3), line_of(1), line_of(40, (0, 40))])
@pytest.mark.parametrize('n', [1, 2, 7])
def test_any_picture_has_all_its_cells(image, n):
    """Blank ones, ones of fewer columns than characters, black ones."""
    cells, advances = space_line(image, n, char_px=8, char_width_px=8)
    assert cells.shape == (8, 8 * n) and (advances > 0).all() and np.isfinite(cells).all()


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_no_ink_is_lost_between_boxes(seed, n):
    """Boxes apart from each other: every black column is in the cells."""
    rng = np.random.default_rng(seed)
    places = 3 + np.cumsum(rng.integers(1, 6, 2 * n))
    inks = list(zip(places[::2], places[1::2], strict=True))
    image = line_of(int(places[-1]) + 3, *inks)
    cells, advances = space_line(image, n, boxes_of(*inks), char_px=10, char_width_px=16)
    assert (cells < 0).all(0).sum() == sum(x1 - x0 for x0, x1 in inks)
    assert (advances * 10 >= np.diff(inks, axis=1)[:, 0]).all()
