"""experiments/latin: what a reader got wrong of Latin lines, counted by hand, and the sheet of lines."""

import numpy as np
import pytest

from experiments.latin.errors import reading_errors
from experiments.latin.words import sheet


def test_words_characters_and_edit_distance_by_hand():
    # words: cat and Dog are wrong of three; characters: a and D are wrong of 6 + 3; NED (1/6 + 1/3) / 2
    found = reading_errors(['the cat', 'Dog'], ['the cot', 'dog'], seed=0)
    assert (found['num_lines'], found['num_words'], found['num_characters']) == (2, 3, 9)
    assert found['wer'] == pytest.approx(2 / 3)
    assert found['cer'] == pytest.approx(2 / 9)
    assert found['ned'] == pytest.approx(1 / 4)
    assert found['wer_95_low'] <= found['wer'] <= found['wer_95_high']


def test_a_space_that_is_not_read_joins_two_words_and_costs_no_character():
    # one word read in place of two: a substitution and a deletion
    found = reading_errors(['of he'], ['ofhe'], seed=0)
    assert (found['wer'], found['cer'], found['ned']) == (1.0, 0.0, 0.0)


def test_lines_stand_in_rows_of_eight():
    lines = [np.full([4, 5 + i], 10 * i, np.uint8) for i in range(9)]
    page = np.asarray(sheet(lines))
    assert page.shape == (2 * (4 + 6) + 6, 8 * (13 + 6) + 6)
    np.testing.assert_array_equal(page[6:10, 6 + 2 * 19 : 6 + 2 * 19 + 7], lines[2])
    np.testing.assert_array_equal(page[16:20, 6 : 6 + 13], lines[8])
