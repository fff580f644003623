"""Which writers validate and test: by the order of their hashes and the sums of their weights, by hand."""

import hashlib

from hwgen.data.preparing.writer_splits import draw_writers


def in_order(names, seed=3):
    """The names in the order in which they are asked: the largest hash first."""
    return sorted(names, key=lambda name: hashlib.sha256(f'{seed} {name}'.encode()).hexdigest(), reverse=True)


def draw(weights, shares, *, seed=3, **settings):
    said = []
    return draw_writers(weights, seed=seed, shares=shares, report=said.append, **settings), said


def test_the_next_ones_are_taken_until_the_share_is_reached():
    """Of 100: 20 are reached by three writers of 8; the next split begins behind them; the rest trains."""
    names = in_order('abcdefghijk')
    weights = dict(zip(names, [8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 20]))
    found, said = draw(weights, {'test': 0.2, 'validation': 0.1})
    assert (
        list(found.items())
        == [
            (names[0], 'test'),
            (names[1], 'test'),
            (names[2], 'test'),
            (names[3], 'validation'),
            (names[4], 'validation'),
        ]
        and not said
    )
    assert draw(dict(reversed(weights.items())), {'test': 0.2, 'validation': 0.1})[0] == found
    assert list(draw(weights, {'test': 0.16})[0]) == names[:2], 'a share that is just reached is enough'
    assert draw(weights, {'test': 0.2}, seed=4)[0] != draw(weights, {'test': 0.2})[0]


def test_twice_the_share_is_the_most():
    names = in_order('abcd')
    shares = {'test': 0.125}
    # 32 of 128 is twice the share
    assert draw(dict(zip(names, [32, 8, 8, 80])), shares) == ({names[0]: 'test'}, [])
    assert draw(dict(zip(names, [33, 8, 8, 79])), shares) == ({names[1]: 'test', names[2]: 'test'}, [])
    # 33 together are too many
    assert draw(dict(zip(names, [15, 18, 1, 94])), shares)[0] == {names[0]: 'test', names[2]: 'test'}


def test_who_was_passed_over_is_asked_again_for_the_next_split_and_in_his_turn():
    names = in_order('abcdef')
    weights = dict(zip(names, [30, 5, 31, 5, 5, 24]))  # of 100
    found, _ = draw(weights, {'validation': 0.05, 'test': 0.3})
    assert found == {names[1]: 'validation', names[0]: 'test'}
    two = dict(zip(names, [30, 31, 5, 5, 5, 24]))
    assert draw(two, {'validation': 0.05, 'test': 0.3})[0] == {names[2]: 'validation', names[0]: 'test'}
    assert draw(weights, {'validation': 0.05, 'test': 0.31})[0] == {
        names[1]: 'validation',
        names[0]: 'test',
        names[2]: 'test',
    }


def test_a_writer_is_left_for_training():
    names = in_order('ab')
    assert draw(dict.fromkeys('ab', 1), {'test': 0.5, 'validation': 0.5})[0] == {names[0]: 'test'}
    assert draw(dict.fromkeys('abc', 1), {'test': 0.4, 'validation': 0.9})[0] == dict(
        zip(in_order('abc'), ['test', 'test'])
    )
    assert draw({'a': 1}, {'test': 0.9}) == ({}, [])
    assert draw(dict(zip(names, [40, 5])), {'test': 0.1})[0] == {names[1]: 'test'}, (
        'who was passed over trains'
    )


def test_who_is_kept_counts_and_is_not_drawn():
    names = in_order('abcde')
    weights = dict.fromkeys(names, 10)
    assert list(draw(weights, {'test': 0.4}, keep={names[0], 'nobody'})[0]) == names[1:3]
    weights[names[0]] = 60  # 20 of 100, not of 40
    assert list(draw(weights, {'test': 0.2}, keep={names[0]})[0]) == names[1:3]


def test_a_split_that_stays_empty_is_told_with_the_share_that_would_do():
    weights = dict(zip(in_order('abcd'), [30, 21, 25, 24]))
    assert draw(weights, {'test': 0.1}) == (
        {},
        [
            'no lines for test: no writer is so small that it stays below 20% of the lines, 2 x --test_share;'
            ' --test_share=0.21 takes the smallest'
        ],
    )
    assert draw(weights, {'test': 0}) == ({}, [])
    weights = {'a': 1, 'b': 999, 'c': 1000}
    assert draw(weights, {'validation': 0.0001})[1][0].endswith('--validation_share=0.01 takes the smallest')
    assert draw({'a': 2, 'b': 2}, {'validation': 0.1})[1] == [
        'no lines for validation: no writer is so small that it stays below 20% of the lines, 2 x'
        ' --validation_share'
    ]
    assert draw({'a': 49, 'b': 51}, {'test': 0.01})[1][0].endswith('; --test_share=0.49 takes the smallest')
    assert draw(weights, {'test': 0.1}, keep=set(weights))[1][0].endswith('2 x --test_share')
