"""`reading_errors` against the Levenshtein distance, and against the least of all that an unknown unit may
stand for.
"""

import itertools

import numpy as np

from hwgen.metrics.partly_read import reading_errors
from hwgen.metrics.text import edit_counts


def test_without_unknown_units_it_is_the_edit_distance():
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, other = (''.join(rng.choice(list('abc'), size=rng.integers(0, 7))) for _ in range(2))
        counts = edit_counts([one], [other])
        errors = int(counts.substitutions[0] + counts.deletions[0] + counts.insertions[0])
        assert reading_errors(list(one), other) == errors, (one, other)


def test_an_unknown_unit_is_the_best_of_all_it_may_be():
    rng = np.random.default_rng(1)
    fillings = ['', *'abc', *map(''.join, itertools.product('abc', repeat=2))]
    for _ in range(60):
        units = [None if rng.random() < 0.4 else str(rng.choice(list('abc'))) for _ in range(4)]
        reading = ''.join(rng.choice(list('abc'), size=rng.integers(0, 6)))
        least = min(
            reading_errors(list(''.join(next(chosen) if unit is None else unit for unit in units)), reading)
            for filled in itertools.product(fillings, repeat=units.count(None))
            for chosen in [iter(filled)]
        )
        assert reading_errors(units, reading) == least, (units, reading)


def test_by_hand():
    # 明?天 read as 明口山大: ? takes 口山, 天 is read as 大
    assert reading_errors(['明', None, '天'], '明口山大') == 1
    assert reading_errors([None], '') == reading_errors([], '') == 0
    assert reading_errors([None], 'abc') == 1 and reading_errors(['a'], '') == 1
