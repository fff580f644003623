"""Images of lines as records store them: sizes and places worked out by hand, grey levels by the overlap
of pixels, ink by the area of its strokes.
"""

import numpy as np
import pytest

from hwgen.data.formats.samples import Ink, Picture
from hwgen.data.preparing import line_image
from hwgen.data.preparing.line_image import draw_ink, extent, on_paper, scaled_down, with_cells


def overlap(old, new):
    """float [new, old]: how much of a new pixel each old one covers."""
    edges = np.arange(new + 1) * old / new
    return (
        (
            np.minimum(edges[1:, None], np.arange(1, old + 1)) - np.maximum(edges[:-1, None], np.arange(old))
        ).clip(0)
        * new
        / old
    )


def ink_of(image):
    """Pixels of ink, and the mean row and column of it."""
    ink = (255.0 - image) / 255
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return ink.sum(), (y * ink).sum() / ink.sum(), (x * ink).sum() / ink.sum()


# ---- pictures


def test_a_higher_image_is_scaled_down_to_the_nearest_grey_level():
    image = np.random.default_rng(0).integers(0, 256, (31, 50)).astype(np.uint8)
    found = scaled_down(image, height_px=20)
    assert found.dtype == np.uint8 and found.shape == (20, 32)  # 50 * 20 / 31 = 32.3
    np.testing.assert_allclose(found, overlap(31, 20) @ image @ overlap(50, 32).T, atol=0.502)
    assert scaled_down(np.zeros((60, 89), np.uint8), height_px=20).shape == (20, 30)  # 29.7


def test_an_image_that_is_no_higher_stays_and_a_narrow_one_keeps_a_column():
    for height in (19, 20):
        image = np.full((height, 7), 3, np.uint8)
        assert scaled_down(image, height_px=20) is image
    assert scaled_down(np.zeros((21, 7), np.uint8), height_px=20).shape == (20, 7)
    assert scaled_down(np.zeros((500, 1), np.uint8), height_px=64).shape == (64, 1)


@pytest.mark.parametrize(
    'shape, cell, side, top, left',
    [
        ((5, 8), 12, 12, 3, 2),
        ((8, 5), 12, 12, 2, 3),
        ((20, 9), 12, 20, 0, 5),
        ((3, 21), 12, 21, 9, 0),
        ((4, 60), None, 66, 31, 3),
    ],
)
def test_a_character_stands_in_the_middle_of_a_square_of_paper(shape, cell, side, top, left):
    character = np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape)
    found = on_paper(character) if cell is None else on_paper(character, cell_px=cell)
    expected = np.pad(
        character, ((top, side - top - shape[0]), (left, side - left - shape[1])), constant_values=255
    )
    np.testing.assert_array_equal(found, expected)


def test_a_character_of_any_side_is_none():
    assert on_paper(np.zeros((4096, 2), np.uint8)).shape == (4096, 4096)
    with pytest.raises(ValueError, match='character of 2 x 4097 px, expected at most 4096 px'):
        on_paper(np.zeros((4097, 2), np.uint8))


# ---- ink


def stroke(*points):
    return np.array(points, np.int32)


def ink(width, height=1, text='a'):
    return Ink(
        strokes=(stroke((5, 7), (5 + width, 7)), stroke((5, 7 + height))),
        text=text,
        writer='',
        record=1,
        offset=0,
    )


def test_the_extent_is_the_larger_side_of_all_strokes():
    assert extent([stroke((10, 3), (14, 3)), stroke((12, -8))]) == 11
    assert extent([stroke((10, 3), (-30, 3)), stroke((12, -8))]) == 42
    assert extent([stroke((9, 9))]) == 1


def test_the_usual_character_is_the_median_of_the_first_200():
    samples = [ink(10 if i < 100 else 30) for i in range(200)] + [ink(1000)] * 50
    found = list(with_cells(iter(samples)))
    assert all(one is other for one, (other, _) in zip(samples, found, strict=True)) and {
        cell for _, cell in found
    } == {20}
    picture = Picture(image=np.zeros((500, 500), np.uint8), text='a', writer='', record=1, offset=0)
    assert [cell for _, cell in with_cells([picture, ink(12), picture, ink(40), ink(14, height=41)])] == [
        40
    ] * 5
    assert [cell for _, cell in with_cells([picture] * 3)] == [None] * 3 and not list(with_cells([]))


def test_a_line_fills_the_height_but_for_a_pixel_of_paper_on_each_side():
    """A pen of 3 px in 40: 35 px for 100 units. A box of 60 x 100 units is 21 px + pen + paper wide."""
    strokes = [stroke((200, 50), (200, 150)), stroke((260, 90), (230, 90))]
    image = draw_ink(strokes, height_px=40, pen_px=3, num_characters=9)
    assert image.dtype == np.uint8 and image.shape == (40, 26)
    dark = image < 128
    assert np.flatnonzero(dark.any(1)).tolist() == list(range(1, 39)) and np.flatnonzero(
        dark.any(0)
    ).tolist() == [1, 2, 3, *range(11, 25)]
    assert dark[20, [1, 2, 3]].all() and not dark[20, 5:10].any()  # the upright stroke is three pixels wide
    assert image[[0, -1]].min() > 200 and image.min() == 0
    # Lengths times width, and the round ends: two strokes of 35 and 10.5 px; the rim of a pen is a quarter of
    # a pixel.
    least, most = ((35 + 10.5) * pen + 2 * np.pi * (pen / 2) ** 2 for pen in (3, 3.4))
    assert least < ink_of(image)[0] < most


def test_ink_stands_in_the_middle_to_a_part_of_a_pixel():
    for points, options in (
        (((0, 0), (100, 70)), {}),
        (((7, 90), (31, 3)), {'cell_extent': 300}),
        (((3, 3),), {'cell_extent': 9}),
        (((3, 3),), {}),
    ):
        image = draw_ink([stroke(*points)], height_px=41, pen_px=4, num_characters=3, **options)
        _, row, column = ink_of(image)
        assert abs(row - 20) < 0.07 and abs(column - (image.shape[1] - 1) / 2) < 0.07, points


@pytest.mark.parametrize('characters, width', [(1, 58), (2, 112)])
def test_a_dash_is_drawn_lower_than_the_image(characters, width):
    """36 px for the ink of one line's height: at most 1.5 of them for each character, and 4 for pen and
    paper.
    """
    image = draw_ink(
        [stroke((0, 0), (90, 0)), stroke((0, 2), (90, 2))], height_px=40, pen_px=2, num_characters=characters
    )
    assert image.shape == (40, width) and np.flatnonzero((image < 128).any(0)).tolist() == list(
        range(1, width - 1)
    )


def test_a_small_character_stays_small_in_its_cell():
    """Half of a usual one, 200 units: 35 px for these, 17.5 + pen of 3 for its height; a larger one fills
    its cell.
    """
    small = draw_ink(
        [stroke((0, 0), (0, 100)), stroke((30, 50))],
        height_px=40,
        pen_px=3,
        num_characters=1,
        cell_extent=200,
    )
    rows = np.flatnonzero((small < 128).any(1))
    assert small.shape == (40, 40) and 20 <= len(rows) <= 21 and abs(rows.mean() - 19.5) <= 0.5
    large = draw_ink([stroke((0, 0), (400, 10))], height_px=40, pen_px=3, num_characters=1, cell_extent=200)
    assert large.shape == (40, 40) and np.flatnonzero((large < 128).any(0)).tolist() == list(range(1, 39))


@pytest.mark.parametrize('pen', [2, 5.5, 9])
def test_a_dot_is_as_large_as_the_pen(pen):
    found = np.sqrt(
        4 / np.pi * ink_of(draw_ink([stroke((7, 7))], height_px=30, pen_px=pen, num_characters=1))[0]
    )
    assert pen - 0.05 < found < pen + 0.35  # its rim is a quarter of a pixel


def test_strokes_that_are_too_long_to_be_characters():
    """At most 400 heights of path for each: 35 px to and fro, 457 times in 40 px."""
    zigzag = stroke(*((0, 100 * (i % 2)) for i in range(459)))
    assert draw_ink([zigzag[:458]], height_px=40, pen_px=3, num_characters=1).shape[0] == 40
    assert draw_ink([zigzag], height_px=40, pen_px=3, num_characters=2).shape[0] == 40
    with pytest.raises(ValueError, match='strokes of 16030 px for 1 characters, expected at most 16000 px'):
        draw_ink([zigzag], height_px=40, pen_px=3, num_characters=1)
    with pytest.raises(ValueError, match='strokes of 16030 px for 0 characters, expected at most 16000 px'):
        draw_ink(
            [zigzag[:230], zigzag[:230] + (0, 0)], height_px=40, pen_px=3, num_characters=0, cell_extent=100
        )


def test_ink_that_is_too_large_to_be_a_line(monkeypatch):
    """A quarter of MAX_LINE_PIXELS, as it is drawn four times as fine: 1,000 of 40 x 25 px."""
    monkeypatch.setattr(line_image, 'MAX_LINE_PIXELS', 4000)
    assert draw_ink([stroke((0, 0), (20, 35))], height_px=40, pen_px=3, num_characters=9).shape == (40, 25)
    with pytest.raises(ValueError, match='ink of 26 x 40 px, expected at most 1000 pixels'):
        draw_ink([stroke((0, 0), (21, 35))], height_px=40, pen_px=3, num_characters=9)
