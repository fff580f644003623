"""Lines are cut to their ink, and their characters counted by width and gaps."""

import numpy as np
import pytest

from hwgen.data.preparing.line_cut import count_characters, cut_line


def line(characters, *, cell=40, height=44, gap=10, above=0, beside=0):
    """Blocks of stripes in equal cells, on paper."""
    image = np.full([height, characters * cell], 255, np.uint8)
    for n in range(characters):
        image[2:-2:3, n * cell + gap // 2 : (n + 1) * cell - gap // 2] = 0
    return np.pad(image, [[above, above], [beside, beside]], constant_values=255)


def test_cut_to_the_ink():
    image = np.full([200, 300], 255, np.uint8)
    image[80:112, 100:180] = 30  # 32 px high: a margin of 2 px
    expected = np.full([36, 84], 255, np.uint8)
    expected[2:34, 2:82] = 30
    np.testing.assert_array_equal(cut_line(image), expected)
    # ink that reaches the edges of the picture gets paper around it
    np.testing.assert_array_equal(cut_line(image[80:112, 100:180].copy()), np.full([32, 80], 30, np.uint8))
    image[80:112, :] = 30
    assert cut_line(image).shape == (36, 304)


def test_flat_characters_keep_their_room():
    image = np.full([200, 300], 255, np.uint8)
    image[100:104, 50:250] = 0  # two characters 100 px wide, 4 px high
    assert cut_line(image).shape == (4 + 2, 202)
    cut = cut_line(image, num_characters=2)  # 84 px high, with a margin of 5 px
    assert cut.shape == (84 + 10, 210)
    assert np.flatnonzero((cut < 255).any(1)).tolist() == list(range(45, 49))


def test_no_ink():
    blank = np.full([20, 30], 255, np.uint8)
    np.testing.assert_array_equal(cut_line(blank), blank)
    assert count_characters(blank) == 2  # by its width alone: 30 / (20 * 0.87)


@pytest.mark.parametrize('characters', [1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize('cell', [32, 40, 50])
def test_characters_are_counted_where_they_meet(characters, cell):
    """Cells 0.7 to 1.1 times as wide as high: width alone would count 20 as 16 or as 26."""
    image = cut_line(line(characters, cell=cell, above=30, beside=50))
    assert count_characters(image) == characters


def test_narrow_cells():
    image = cut_line(line(12, cell=20, gap=4))
    assert count_characters(image, cell_aspect=0.5) == 12
