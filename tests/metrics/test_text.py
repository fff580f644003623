"""Edit counts and error rates against a brute-force search over all alignments, and against cases worked
by hand.
"""

import functools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from hwgen.metrics import text

# Few different units, so that chance alignments and ties are common.
LINES = st.text(alphabet='永字八', max_size=6)


def brute_force(reference, read):
    """(S, D, I) of the best alignment by trying every alignment: fewest errors, then fewest substitutions."""

    @functools.cache
    def best(i, j):
        if i == len(reference) and j == len(read):
            return (0, 0, 0)
        options = []
        if i < len(reference):
            s, d, n = best(i + 1, j)
            options.append((s, d + 1, n))
        if j < len(read):
            s, d, n = best(i, j + 1)
            options.append((s, d, n + 1))
        if i < len(reference) and j < len(read):
            s, d, n = best(i + 1, j + 1)
            options.append((s + (reference[i] != read[j]), d, n))
        return min(options, key=lambda counts: (sum(counts), counts[0]))

    return best(0, 0)


def columns(counts):
    return list(zip(*(column.tolist() for column in counts[:3])))


@hypothesis.given(st.lists(st.tuples(LINES, LINES), max_size=8))
def test_edit_counts_equal_brute_force(pairs):
    counts = text.edit_counts([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    assert columns(counts) == [brute_force(*pair) for pair in pairs]
    assert counts.reference_lengths.tolist() == [len(pair[0]) for pair in pairs]
    assert counts.hypothesis_lengths.tolist() == [len(pair[1]) for pair in pairs]


@hypothesis.given(LINES, LINES, LINES)
def test_distance_is_a_metric(a, b, c):
    ab, ba, ac, bc = text.edit_counts([a, b, a, b], [b, a, c, c]).errors
    assert (ab == 0) == (a == b)
    assert ab == ba
    assert ac <= ab + bc


def test_worked_by_hand():
    # reference  春 眠 不 觉 晓      春 is read, 眠 became 民 (S), 不 is missing (D), 觉 and 晓 are read,
    # 。 was added (I).
    # read       春 民    觉 晓 。
    counts = text.edit_counts(['春眠不觉晓'], ['春民觉晓。'])
    assert columns(counts) == [(1, 1, 1)]
    assert counts.errors.tolist() == [3]
    assert text.character_error_rate(counts) == pytest.approx(3 / 5, abs=1e-12)
    assert text.accurate_rate(counts) == pytest.approx(2 / 5, abs=1e-12)
    assert text.correct_rate(counts) == pytest.approx(3 / 5, abs=1e-12)
    assert text.normalized_edit_distance(counts) == pytest.approx(3 / 5, abs=1e-12)


def test_ties_go_to_the_alignment_with_more_correct_units():
    # ab -> bc: two substitutions, or b kept with one deletion and one insertion; both two errors.
    assert columns(text.edit_counts(['ab'], ['bc'])) == [(0, 1, 1)]


def test_rates_pool_the_lines_but_ned_averages_them():
    # 1 error in 2 units and 0 in 8: CER 1/10, NED (1/2 + 0) / 2.
    counts = text.edit_counts(['天地', '玄黄宇宙洪荒日月'], ['天', '玄黄宇宙洪荒日月'])
    assert text.character_error_rate(counts) == pytest.approx(0.1, abs=1e-12)
    assert text.normalized_edit_distance(counts) == pytest.approx(0.25, abs=1e-12)


def test_insertions_drive_cer_above_one_and_leave_correct_rate():
    counts = text.edit_counts(['一'], ['一二三四'])
    assert text.character_error_rate(counts) == 3
    assert text.accurate_rate(counts) == -2
    assert text.correct_rate(counts) == 1
    assert text.normalized_edit_distance(counts) == 0.75


def test_units_may_be_strings_ids_or_words():
    as_text = text.edit_counts(['abca'], ['aca'])
    as_ids = text.edit_counts([np.array([7, 8, 9, 7])], [np.array([7, 9, 7])])
    as_words = text.edit_counts([['⿱山鱼', 'b', 'c', '⿱山鱼']], [['⿱山鱼', 'c', '⿱山鱼']])
    assert columns(as_text) == columns(as_ids) == columns(as_words) == [(0, 1, 0)]


def test_edges():
    assert columns(text.edit_counts([], [])) == []
    assert columns(text.edit_counts(['', '天', ''], ['', '', '天地'])) == [(0, 0, 0), (0, 1, 0), (0, 0, 2)]
    empty = text.edit_counts([''], [''])
    assert text.normalized_edit_distance(empty) == 0
    with pytest.raises(ValueError, match='without any unit'):
        text.character_error_rate(empty)
    with pytest.raises(ValueError, match='no lines'):
        text.normalized_edit_distance(text.edit_counts([], []))
    with pytest.raises(ValueError, match='2 references, but 1 hypotheses'):
        text.edit_counts(['a', 'b'], ['a'])


def test_a_line_does_not_depend_on_the_lines_beside_it(monkeypatch):
    """Padding and working off in portions change nothing, long lines included."""
    generator = np.random.default_rng(3)
    lines = [generator.integers(5, size=size) for size in generator.integers(0, 80, size=60)]
    read = [generator.integers(5, size=size) for size in generator.integers(0, 80, size=60)]
    together = text.edit_counts(lines, read)
    monkeypatch.setattr(text, '_CELLS_AT_ONCE', 100)
    portions = text.edit_counts(lines, read)
    alone = [columns(text.edit_counts([line], [other]))[0] for line, other in zip(lines, read)]
    assert columns(together) == columns(portions) == alone


def test_bootstrap_interval_of_equal_lines_is_a_point():
    counts = text.edit_counts(['天地'] * 20, ['天也'] * 20)
    assert text.bootstrap_interval(counts, text.character_error_rate, seed=0) == (0.5, 0.5)


def test_bootstrap_interval_has_the_width_of_the_binomial():
    # 400 lines of one unit, a quarter of them wrong: CER is a mean of Bernoulli draws, its standard error
    # sqrt(.25 * .75 / 400) = .02165.
    counts = text.edit_counts(['天'] * 400, ['天'] * 300 + ['地'] * 100)
    low, high = text.bootstrap_interval(counts, text.character_error_rate, seed=0, num_resamples=4000)
    # 4,000 resamples leave about 2 % of scatter in the quantiles.
    assert low == pytest.approx(0.25 - 1.96 * 0.02165, abs=0.004)
    assert high == pytest.approx(0.25 + 1.96 * 0.02165, abs=0.004)
    assert (low, high) == text.bootstrap_interval(
        counts, text.character_error_rate, seed=0, num_resamples=4000
    )
    assert (low, high) != text.bootstrap_interval(
        counts, text.character_error_rate, seed=1, num_resamples=4000
    )


@pytest.mark.parametrize('confidence, deviations', [(0.5, 0.6745), (0.8, 1.2816), (0.99, 2.5758)])
def test_bootstrap_interval_of_another_confidence(confidence, deviations):
    counts = text.edit_counts(['天'] * 400, ['天'] * 300 + ['地'] * 100)
    low, high = text.bootstrap_interval(
        counts, text.character_error_rate, seed=0, num_resamples=4000, confidence=confidence
    )
    # scatter of the quantiles
    assert [low, high] == pytest.approx([0.25 - deviations * 0.02165, 0.25 + deviations * 0.02165], abs=0.005)


def test_an_interval_is_of_a_thousand_draws_of_all_lines():
    """The stream is part of the figure; lines of different lengths, so that it matters which counts are
    drawn together.
    """
    counts = text.edit_counts(['天地玄黄', '天', '日月盈昃', '人'], ['天地玄', '地', '日月', '人人人'])
    errors, lengths = np.array([1, 1, 2, 2]), np.array([4, 1, 4, 1])
    draws = np.random.default_rng(6).integers(4, size=(1000, 4))
    rates = [sum(errors[k] for k in draw) / sum(lengths[k] for k in draw) for draw in draws]
    assert text.bootstrap_interval(counts, text.character_error_rate, seed=6) == pytest.approx(
        tuple(np.percentile(rates, [2.5, 97.5]))
    )
    correct = text.bootstrap_interval(counts, text.correct_rate, seed=6, num_resamples=1000)
    wrong = np.array([1, 1, 2, 0])  # what was read besides is not counted
    assert correct == pytest.approx(
        tuple(np.percentile([1 - wrong[draw].sum() / lengths[draw].sum() for draw in draws], [2.5, 97.5]))
    )


def test_some_of_the_lines():
    counts = text.edit_counts(['ab', 'abc', 'a'], ['xb', 'a', 'abcd'])
    for chosen in ([2, 0, 2], np.array([True, False, True])):
        taken, places = counts.take(chosen), np.arange(3)[chosen]
        assert columns(taken) == [columns(counts)[k] for k in places]
        assert taken.reference_lengths.tolist() == [
            [2, 3, 1][k] for k in places
        ] and taken.hypothesis_lengths.tolist() == [[2, 1, 4][k] for k in places]


def test_rates_of_empty_references_among_others():
    """Insertions into a line that should be empty count in the error rate, and make that line's distance
    1.
    """
    counts = text.edit_counts(['', '天地', ''], ['天', '天地', ''])
    assert (
        text.character_error_rate(counts) == 0.5
        and text.normalized_edit_distance(counts) == pytest.approx(1 / 3)
        and text.correct_rate(counts) == 1.0
    )
    with pytest.raises(ValueError, match='2 lines without any unit'):
        text.correct_rate(counts.take([0, 2]))
    with pytest.raises(ValueError, match='1 references, but 2 hypotheses'):
        text.edit_counts(['a'], ['a', 'b'])


def test_bootstrap_refuses_empty_references():
    with pytest.raises(ValueError, match='1 of them with an empty reference'):
        text.bootstrap_interval(text.edit_counts(['', '天'], ['', '天']), text.character_error_rate, seed=0)


def best_matchings(reference, read):
    """Every set of read units that an alignment of the fewest errors and the most correct units gives."""

    def alignments(i, j):
        if i == len(reference) and j == len(read):
            yield (0, 0), ()
        if i < len(reference):
            for (errors, matches), found in alignments(i + 1, j):
                yield (errors + 1, matches), (False, *found)
        if j < len(read):
            for (errors, matches), found in alignments(i, j + 1):
                yield (errors + 1, matches), found
        if i < len(reference) and j < len(read):
            equal = reference[i] == read[j]
            for (errors, matches), found in alignments(i + 1, j + 1):
                yield (errors + (not equal), matches - equal), (equal, *found)

    every = list(alignments(0, 0))
    return {found for cost, found in every if cost == min(cost for cost, _ in every)}


@hypothesis.given(st.text(alphabet='永字八', max_size=4), st.text(alphabet='永字八', max_size=4))
def test_matched_units_equal_brute_force(reference, read):
    found = text.matched_units(reference, read)
    assert tuple(found.tolist()) in best_matchings(reference, read)
    counts = text.edit_counts([reference], [read])
    assert found.sum() == len(reference) - counts.substitutions[0] - counts.deletions[0]


def test_matched_units_by_hand():
    assert text.matched_units('春眠不觉晓', '春民觉晓。').tolist() == [True, False, False, True, True]
    assert text.matched_units('aa', 'a').tolist() == [False, True]  # as the docstring says
    # Which of two is read is arbitrary where as many are either way, but fixed: figures of characters hang on
    # it.
    assert text.matched_units('ab', 'ba').tolist() == [True, False] and text.matched_units(
        'aab', 'ba'
    ).tolist() == [False, True, False]
    assert (
        text.matched_units([7, 8], [8, 7, 8]).tolist() == [True, True]
        and text.matched_units('', 'a').tolist() == []
    )
