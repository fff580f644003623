"""What each corpus is worth: the classes, the rows, what is kept of a run, lines of people's numbers,
intervals.
"""

import hashlib
import json

import numpy as np
import pytest

from experiments.corpus import (
    character_worth,
    hands,
    intervals,
    measured,
    people_lines,
    worth_report,
    worth_rows,
)
from hwgen.charset.encoding import Charset
from hwgen.data.scribe.corpus import plan_corpus
from hwgen.evaluation.measuring.lookalikes import CLASSES
from hwgen.evaluation.measuring.people import NUMERALS


def test_classes_are_in_the_table_once_and_begin_with_the_numerals():
    assert CLASSES.startswith(NUMERALS)
    assert len(set(CLASSES)) == len(CLASSES)
    assert all(Charset.load().character_id(c) for c in CLASSES)
    # what was measured stands on these
    assert (len(CLASSES), hashlib.sha256(CLASSES.encode()).hexdigest()[:16]) == (158, '34cce086b03eecfc')


@pytest.mark.parametrize('kind', hands.KINDS)
def test_some_hand_of_each_kind_writes_all_classes(kind):
    index = hands.hand_for(kind, CLASSES, 0)
    assert index >= hands.test_index(0)
    picture = hands.prepare(hands.write(kind, index, '永'))
    assert picture.shape == (32, 32) and picture.max() > 200
    assert (hands.write(kind, index, '永') == hands.write(kind, index, '永')).all()


@pytest.mark.parametrize('row', worth_rows.ROWS, ids=lambda row: row.name)
def test_rows_can_be_planned(row):
    plan = plan_corpus(version=row.version, pen_share=row.pen_share, vocabulary_size=300)
    assert plan.pen_share == row.pen_share
    assert sum(row.kinds().values()) == pytest.approx(1)
    assert set(row.kinds()) <= set(hands.KINDS)


def test_choosing_rows_and_parts():
    assert [row.name for row in worth_rows.choose_rows(['pen', 'fonts_1_1'], 'writer')] == [
        'fonts_1_1',
        'pen',
    ]
    assert len(worth_rows.choose_rows([], 'characters')) == len(worth_rows.ROWS)
    assert 'pen_30' not in [row.name for row in worth_rows.choose_rows([], 'writer')]
    assert worth_rows.choose_parts(['writer', 'characters']) == ('characters', 'writer')
    with pytest.raises(ValueError, match="no row 'pencil'; expected some of fonts_1_1"):
        worth_rows.choose_rows(['pencil'], 'lines')
    with pytest.raises(ValueError, match="no part 'words'"):
        worth_rows.choose_parts(['words'])


def test_what_is_measured_is_kept_and_measured_anew_under_other_conditions(tmp_path):
    calls = []

    def measure():
        calls.append(1)
        return {'value': [len(calls), None]}

    path = tmp_path / 'characters' / 'pen.json'
    assert measured.once(path, {'seeds': (1, 2)}, measure) == {'value': [1, None]}
    assert measured.once(path, {'seeds': (1, 2)}, measure) == {'value': [1, None]}
    assert measured.once(path, {'seeds': (1,)}, measure) == {'value': [2, None]}
    # a damaged file is one that is not there
    path.write_text(path.read_text(encoding='utf-8')[:20], encoding='utf-8')
    assert measured.once(path, {'seeds': (1,)}, measure) == {'value': [3, None]}
    assert json.loads(path.read_text(encoding='utf-8'))['measured_under'] == {'seeds': [1]}


@pytest.mark.parametrize(
    'shares, counts',
    [
        ({'fonts_2_0': 0.3, 'pen': 0.7}, {'fonts_2_0': 36, 'pen': 84}),
        ({'pen': 1.0}, {'pen': 120}),
        ({'fonts_2_0': 0.999, 'pen': 0.001}, {'fonts_2_0': 120}),
    ],
)
def test_shares_become_counts(shares, counts):
    assert character_worth.split_count(shares, 120) == counts


def test_a_lesson_has_as_many_pictures_of_each_character_from_the_hands_that_have_it(tmp_path):
    pools = character_worth.Pools(tmp_path, writers=4, tested=2, longer_px=25.0, characters='永人')
    pictures, labels = pools.lesson({'fonts_1_1': 0.5, 'pen': 0.5}, copies=4, rng=np.random.default_rng(0))
    assert pictures.shape == (8, 32, 32) and labels.tolist() == [0] * 4 + [1] * 4
    # from the folder
    again = character_worth.Pools(tmp_path, writers=4, tested=2, longer_px=25.0, characters='永人')
    assert (
        again.lesson({'fonts_1_1': 0.5, 'pen': 0.5}, copies=4, rng=np.random.default_rng(0))[0] == pictures
    ).all()


def test_lines_of_people_say_what_they_show():
    scan = np.full([64, 64], 255, np.uint8)
    scan[20:44, 30:34] = 40
    scans = [[[scan] * 2] * len(NUMERALS)] * 3
    lines = people_lines.write_lines(scans, characters='一十', lines=2, seed=1)
    assert [line.person for line in lines] == [0, 0, 1, 1, 2, 2]
    for line in lines:
        assert set(line.text) <= set('一十') and 3 <= len(line.text) <= 6
        assert line.image.shape == (64, 55 * len(line.text)) and line.image.dtype == np.uint8
        inked = (line.image < 128).any(0).reshape(len(line.text), 55)
        assert inked.any(1).all() and not inked[:, [0, -1]].any()  # each in its cell


def test_intervals():
    values = np.random.default_rng(0).normal(0.5, 0.1, [3, 50])
    found = intervals.mean_of(values.tolist())
    assert found.value == pytest.approx(values.mean()) and found.low < found.value < found.high
    # Of the same people: a shift of all is sure, however much they differ.
    shifted = intervals.difference_of(values + 0.02, values)
    assert (shifted.value, shifted.low, shifted.high) == pytest.approx((0.02, 0.02, 0.02))
    holes = [[1.0, None, 0.0], [1.0, 1.0, None]]
    assert intervals.mean_of(holes).value == pytest.approx(3 / 4)
    # (1 + 2) / (10 + 20)
    assert intervals.ratio_of([1, 2], [10, 20]).value == pytest.approx(0.1)
    assert intervals.ratio_difference([1, 2], [0, 0], [10, 20]).value == pytest.approx(0.1)


def test_tables_name_every_row_that_is_there():
    hits = [[0.5, 0.7]]
    found = {
        name: dict.fromkeys(('people', 'people_15', 'tuned_15', *hands.KINDS), hits)
        for name in ('fonts_1_1', 'pen')
    }
    text, summary = worth_report.character_table({**found, 'nothing': {'tuned_15': [[None, 0.9]]}})
    assert [line.split(' | ')[0] for line in text.splitlines()] == [
        '| taught by',
        '|---|---|---|---|---|---|---|---|',
        '| fonts, 1.1',
        '| pens',
        '| nothing',
    ]
    assert summary['pen']['people_difference'].value == 0
    assert '0.600' in text and '0.900' in text
