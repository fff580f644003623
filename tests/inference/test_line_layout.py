"""Cells moved together, by hand and in pieces."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen.inference import line_layout

CELL = dict(char_px=10, char_width_px=6)


def cells_of(*columns):
    """Cells of 6 columns, ink of grey level k + 1 in the columns told of cell k."""
    cells = np.full((10, 6 * len(columns)), 255, np.uint8)
    for k, own in enumerate(columns):
        for column in own:
            cells[:, 6 * k + column] = k + 1
    return cells


def test_by_hand():
    """Advances of 4, 2 and 8 px: rooms begin at 0, 4 and 6; the cells at -1, 2 and, stretched to 8, at 6; the
    line begins with the first cell.
    """
    image, boxes = line_layout.spaced(
        cells_of([1, 4], [2, 3], [0, 5]), np.array([0.4, 0.2, 0.8], np.float32), **CELL
    )
    assert image.shape == (10, 15) and image.dtype == np.uint8
    np.testing.assert_array_equal(boxes, [[1, 0, 5, 10], [5, 0, 7, 10], [7, 0, 15, 10]])
    assert (image[0, [1, 4]] == 1).all() and (image[0, [5, 6]] == 2).all()
    assert image[0, 7] == 3 and image[0, 14] == 3 and image[0, 10] == 255


def test_where_cells_overlap_the_darker_ink_stays():
    image, _ = line_layout.spaced(cells_of([5], [0]), np.array([0.1, 0.1], np.float32), **CELL)
    # cells at -3 and -2: the last column of the first is at 5, the first of the second at 1
    assert (image[0] == [255, 2, 255, 255, 255, 1, 255]).all()


def test_even_advances_are_cells_side_by_side():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 256, (10, 60), dtype=np.uint8)
    image, boxes = line_layout.spaced(cells, np.full(10, 0.6, np.float32), **CELL)
    np.testing.assert_array_equal(image, cells)
    np.testing.assert_array_equal(boxes, line_layout.even_boxes(10, **CELL))


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_pieces_side_by_side_are_the_line(seed, n):
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 256, (10, 6 * n), dtype=np.uint8)
    advances = rng.uniform(0.02, 1.5, n).astype(np.float32)
    image, boxes = line_layout.spaced(cells, advances, **CELL)
    cuts = [0, *sorted(rng.integers(0, n + 1, 3)), n]
    windows = [
        (cells[:, 6 * a : 6 * b], advances[a:b]) for a, b in zip(cuts, cuts[1:], strict=False) if b > a
    ]
    pieces = list(line_layout.in_pieces(windows, **CELL))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), image)
    assert (np.diff(boxes[:, 0]) == (boxes[:-1, 2] - boxes[:-1, 0])).all()
    # nothing is invented, and no cell's ink is lost: each is at its place at most as light as it was
    placed = line_layout.place(advances, **CELL)
    for i, (left, width) in enumerate(zip(placed.left - placed.left[0], placed.widths, strict=True)):
        if width == 6:
            assert (image[:, left : left + 6] <= cells[:, 6 * i : 6 * i + 6]).all()


def test_memory_does_not_grow_with_the_line():
    line = line_layout.SpacedLine(**CELL)
    for _ in range(50):
        line.add(np.zeros((10, 12), np.uint8), np.array([0.5, 0.9], np.float32))
    assert line._pending.shape[1] < 20


def test_which_layout():
    assert line_layout.chosen(None, 'spaced') == line_layout.chosen('spaced', 'spaced') == 'spaced'
    assert line_layout.chosen('cells', 'spaced') == line_layout.chosen(None, 'cells') == 'cells'
    with pytest.raises(ValueError, match="has not learned how much room characters take; expected 'cells'"):
        line_layout.chosen('spaced', 'cells')
    with pytest.raises(ValueError, match="layout 'x': expected 'cells' or 'spaced'"):
        line_layout.chosen('x', 'cells')
