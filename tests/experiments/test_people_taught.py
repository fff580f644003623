"""People that teach a writer, and what is made of them: lines, boxes, halves, tables."""

import collections

import numpy as np
import pytest

from experiments.corpus import parting, people_taught, people_tuned
from hwgen.evaluation.measuring.people import NUMERALS


def scans(*, people, copies):
    """uint8 [people, 15, copies, 64, 64]: a bar whose width says which numeral it is."""
    found = np.full([people, len(NUMERALS), copies, 64, 64], 255, np.uint8)
    for c in range(len(NUMERALS)):
        found[:, c, :, 10:50, 20 : 24 + 2 * c] = 0
    return found


def test_lines_hold_every_copy_once_with_boxes_of_its_ink():
    records = people_tuned.people_records(scans(people=2, copies=4), seed=3)
    for person in range(2):
        own = [record for record in records if record.writer == f'person-{person}']
        counts = collections.Counter(''.join(record.text for record in own))
        assert counts == dict.fromkeys(NUMERALS, 4)
        assert all(1 <= len(record.text) <= 6 for record in own)
    for record in records:
        assert record.boxes.shape == (len(record.text), 4)
        for character, (x0, y0, x1, y1) in zip(record.text, record.boxes, strict=True):
            cut = record.image[y0:y1, x0:x1]
            assert (cut.min(0) < 200).all() and (cut.min(1) < 200).all()
            # 4 + 2 c px wide of 40 high, at the line's scale
            wide = (4 + 2 * NUMERALS.index(character)) / 40
            assert (x1 - x0) / (y1 - y0) == pytest.approx(wide, abs=0.05)
    first, second = (people_tuned.people_records(scans(people=1, copies=2), seed=s)[0].text for s in (0, 1))
    assert first != second


def test_those_who_teach_are_not_read():
    teach, read = people_taught.split_people(100, split=0)
    assert len(teach) == 20 and sorted([*teach, *read]) == list(range(100))
    assert teach.tolist() != people_taught.split_people(100, split=1)[0].tolist()


def test_half_of_each():
    """Two pictures beside five: ten, of which the two come five times."""
    few, many = np.arange(2)[:, None, None] + np.zeros([2, 1, 1]), np.arange(5)[:, None, None] + 10.0
    pictures, labels = people_taught.half_and_half((few, np.array([0, 1])), (many, np.arange(5)))
    assert pictures.ravel().tolist() == [0, 1, 0, 1, 0, 10, 11, 12, 13, 14]
    assert labels.tolist() == [0, 1, 0, 1, 0, 0, 1, 2, 3, 4]


def test_labels_of_pictures():
    hands = np.arange(2 * 15 * 3).reshape(2, 15, 3, 1, 1) * np.ones([32, 32], int)
    pictures, labels = people_taught.flat(hands)
    assert pictures.shape == (90, 32, 32) and labels[:6].tolist() == [0, 0, 0, 1, 1, 1]
    assert (pictures[:, 0, 0] // 3 % 15 == labels).all()


def test_the_table_holds_what_differs_from_people():
    shares = {'people': [[0.9, 1.0], [0.8, 1.0]], 'tuned': [[1.0, 1.0], [0.9, 1.0]]}
    text = people_taught.report(shares, {'tuned': (0.75, 0.7, 0.8, 600)})
    assert '| people | 0.9250 (' in text and '| tuned | 0.9750 (' in text
    assert '| 0.0500 (' in text and '| tuned | 0.750 (0.700 to 0.800) | 600 |' in text


def test_partings_by_hand():
    """Cuts at 10 and 20 for 12 and 28 of a height of 64: within 4 px, and not; parts share 10 of 12, 8 of 18,
    and 2 of 10 px.
    """
    near, overlap = parting.held_against(np.array([0, 10, 20, 30]), np.array([0, 12, 28, 30]), 64)
    assert near.tolist() == [True, False]
    np.testing.assert_allclose(overlap, [10 / 12, 8 / 18, 2 / 10])
    assert parting.is_mixed(['国', '1']) and not parting.is_mixed(['国', '⿰木木'])
    assert not parting.is_mixed(['a', '1'])
