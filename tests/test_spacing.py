"""Characters of a line set into cells of their own: pieces and advances by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwgen import spacing
from hwgen.charset.widths import expected_room
from hwgen.spacing import even_room, part_by_ink, part_line, space_line


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


def test_without_boxes_by_the_text():
    """国，国: ink 2..22, 26..29, 33..53 of a height of 24. Equal parts would end at 19 and 36: within the
    hanzi; of the gaps 22..26 and 29..33 the middles are cut, half a gap (0.04 of the height) around the ends.
    """
    image = line_of(56, (2, 22), (26, 29), (33, 53), height=24)
    edges = part_line(image, 3, room=expected_room('国，国'))
    np.testing.assert_allclose(edges, [1, 24, 31, 54], atol=0.6)  # px of a line of 48


def test_a_gap_within_a_character_is_none_between_two():
    """川, 川: strokes 2..5, 9..12, 16..19 and 23..26, 30..33, 37..40: as wide as the gap between the two."""
    image = line_of(42, *((x, x + 3) for x in range(2, 40, 7)), height=20)
    np.testing.assert_allclose(part_line(image, 2), [1.2, 21, 40.8], atol=0.6)


def test_a_space_is_parted_from_what_is_beside_it():
    """国, a gap of 18, 国: the space has no ink, and each hanzi all of its own."""
    image = line_of(62, (2, 22), (40, 60), height=24)
    edges = part_line(image, 3, room=expected_room('国 国'))
    assert 22 <= edges[1] < edges[2] <= 40 and edges[2] - edges[1] > 4


def cost_of(edges, ink, room, scale, margin):
    """The cost of a way to cut, as the docstring of `part_by_ink` and its constants say, column by column."""
    cost = 0.0
    for i, (x0, x1) in enumerate(itertools.pairwise(edges)):
        columns = [x for x in range(x0, x1) if ink[x] > spacing._BLANK]
        inked = (columns[-1] + 1 - columns[0]) / scale if columns else 0.0
        width, (advance, own_ink, spread, ink_spread) = (x1 - x0) / scale, room[i]
        for end in (0, len(room) - 1):
            width += ((advance - own_ink) / 2 - margin / scale) * (i == end)
        cost += 0.5 * ((width - advance) / max(spread, 0.08)) ** 2 / 2
        cost += 0.2 * ((inked - own_ink) / max(ink_spread, 0.08)) ** 2 / 2
        if i:
            blank, right = 0, x0
            while right < len(ink) and ink[right] <= spacing._BLANK:
                blank, right = blank + 1, right + 1
            left = x0
            while left > 0 and ink[left - 1] <= spacing._BLANK:
                blank, left = blank + 1, left - 1
            cost += 100.0 * (ink[x0 - 1] + ink[x0]) / 2 - 10.0 * min(blank / scale, 0.3)
    return cost


@pytest.mark.parametrize('seed', range(3))
def test_no_way_to_cut_is_cheaper(seed):
    """All ways between the places that may be cut, one by one."""
    rng = np.random.default_rng(seed)
    ink = np.where(rng.random(40) < 0.3, 0.0, rng.random(40))
    room = expected_room('国，a国'[: 3 + seed % 2])
    ends, scale, margin = (1, 38), 12.0, 2
    cuts = spacing._Cuts(ink, ends, needed=6, in_blanks=False)
    found = cuts.cheapest(room, scale, margin).astype(int).tolist()
    every = [
        [ends[0], *inner, ends[1]]
        for inner in itertools.combinations(cuts.places[1:-1].tolist(), len(room) - 1)
    ]
    costs = [cost_of(edges, ink, room, scale, margin) for edges in every]
    assert cost_of(found, ink, room, scale, margin) == pytest.approx(min(costs), rel=1e-9)


def test_a_gap_wider_than_any_piece_is_cut():
    """Two strokes at both ends of much paper."""
    edges = part_by_ink(line_of(900, (2, 8), (890, 896)), even_room(5))
    assert len(edges) == 6 and (np.diff(edges) >= 1).all() and edges[0] < 3 and edges[-1] > 895


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
