"""Which parts of a collection belong to which split, by hand and by hashes."""

import hashlib

import pytest
from preparing import part

from hwgen.data.preparing.prepare_collection import split_parts


def split(parts, *, seed=0, shares=None, partition='auto'):
    said = []
    found = split_parts(
        parts,
        seed=seed,
        shares={'test': 0, 'validation': 0} if shares is None else shares,
        partition=partition,
        report=said.append,
    )
    return [(name, [(p.name, chosen) for p, chosen in members]) for name, members in found], said


def names(found):
    return {name: [p for p, _ in members] for name, members in found[0]}


@pytest.mark.parametrize('partition', ['train', 'validation', 'test'])
def test_all_of_it_is_what_is_said(partition):
    parts = [part('b', 'x', 'test'), part('a')]
    assert split(parts, partition=partition, shares={'test': 0.5, 'validation': 0.5}) == (
        [(partition, [('b', None), ('a', None)])],
        [],
    )


def test_the_official_partition_stands():
    """What it does not name goes with its writer: to test, to validation, else to train.

    Train comes first, whatever comes first in the collection.
    """
    parts = [
        part('1', 'a', 'test'),
        part('2', 'b', 'validation'),
        part('3', 'c', 'train'),
        part('4', 'a'),
        part('5', 'b'),
        part('6', 'c'),
        part('7', 'd'),
    ]
    found = split(parts, shares={'test': 0.9, 'validation': 0.9})
    assert [name for name, _ in found[0]] == ['train', 'validation', 'test'] and not found[1]
    assert names(found) == {'train': ['3', '6', '7'], 'validation': ['2', '5'], 'test': ['1', '4']}
    assert names(split(parts[2:3])) == {'train': ['3']}


def test_what_the_partition_leaves_open_is_drawn():
    """Only train and test are official: validation is drawn from the training part, of its bytes."""
    parts = [
        part('t', 'z', 'test', 10**6),
        *(part(f'{w}{n}', w, 'train' if n else '') for w in 'abcdefghij' for n in (0, 1)),
    ]
    found = names(split(parts, shares={'test': 0.5, 'validation': 0.1}))
    order = sorted('abcdefghij', key=lambda writer: hashlib.sha256(f'0 {writer}'.encode()).digest())
    assert (
        found['test'] == ['t']
        and found['validation'] == [f'{order[-1]}0', f'{order[-1]}1']
        and len(found['train']) == 18
    )
    assert 'validation' not in names(split(parts, shares={'test': 0.5, 'validation': 0}))
    found = names(split(parts, partition='writers', shares={'test': 0, 'validation': 0.1}, seed=4))
    order = sorted(
        'abcdefghijz', key=lambda writer: hashlib.sha256(f'4 {writer}'.encode()).digest(), reverse=True
    )
    assert (
        set(found) == {'train', 'validation'}
        and 't' in found['train' if order[0] != 'z' else 'validation'] + found['train']
    )


def test_writers_that_are_official_twice_are_told_and_not_drawn():
    parts = [
        part('0', 'a', 'train', 80),
        part('1', 'a', 'test', 80),
        part('2', 'b', 'train', 80),
        part('3', 'c', 'train', 80),
    ]
    for seed in range(12):  # of some of them he would be the first
        found = split(parts, shares={'validation': 0.3, 'test': 0}, seed=seed)
        assert (
            '0' in names(found)['train']
            and names(found)['test'] == ['1']
            and len(names(found)['validation']) == 1
        )
        assert found[1] == ['the official partition has 1 writers in two splits: a']
    assert names(split([*parts, part('4', 'a')]))['test'] == [
        '1',
        '4',
    ], 'what is not named of such a writer trains nothing'
    many = [part(f'{w}{p}', f'w{w:02d}', p) for w in range(25) for p in ('train', 'test')]
    assert split(many)[1] == [
        f'the official partition has 25 writers in two splits: {", ".join(f"w{w:02d}" for w in range(20))}'
    ]
    unknown = [part('0', '', 'train'), part('1', '', 'test')]
    assert split(unknown)[1] == [] and names(split(unknown)) == {'train': ['0'], 'test': ['1']}
    assert names(split([part('0', '', 'test'), part('1', '', '')])) == {'train': ['1'], 'test': ['0']}


def test_bytes_are_what_is_shared_out_and_an_empty_part_counts_one():
    order = sorted('abcd', key=lambda writer: hashlib.sha256(f'0 {writer}'.encode()).digest(), reverse=True)
    sizes = dict(zip(order, (30, 25, 25, 20)))
    parts = [part(f'{w}', w, num_bytes=size) for w, size in sorted(sizes.items())]
    assert names(split(parts, shares={'test': 0.3}))['test'] == order[:1] and sorted(
        names(split(parts, shares={'test': 0.31}))['test']
    ) == sorted(order[:2])
    assert names(split(parts, shares={'test': 0.14}))['test'] == order[1:2], (
        'thirty of a hundred are more than twice the share'
    )
    empty = [part(w, w, num_bytes=0) for w in 'abcd']
    assert len(names(split(empty, shares={'test': 0.25}))['test']) == 1


def test_samples_of_unknown_writers_are_drawn_by_their_hash():
    """The first eight bytes of SHA-256 of seed, part and number, as a share: below .2 test, below .3
    validation.
    """
    parts = [part('old.gnt'), part('x', 'anna')]
    found = split(parts, shares={'test': 0.2, 'validation': 0.1}, seed=5)
    assert (
        names(found) == {'train': ['old.gnt', 'x'], 'test': ['old.gnt'], 'validation': ['old.gnt']}
        and not found[1]
    )
    chosen = {name: members[0][1] for name, members in found[0]}
    for number in range(200):
        share = int(hashlib.sha256(f'5 old.gnt {number}'.encode()).hexdigest()[:16], 16) / 2**64
        expected = 'test' if share < 0.2 else 'validation' if share < 0.3 else 'train'
        assert {name for name, choose in chosen.items() if choose(number)} == {expected}
    assert dict(found[0])['train'][1] == ('x', None)


def test_a_split_that_stays_empty_is_told_where_all_writers_are_known():
    parts = [part(w, w) for w in 'abc']
    assert [line.split(':')[0] for line in split(parts, shares={'test': 0.05, 'validation': 0.05})[1]] == [
        'no lines for test',
        'no lines for validation',
    ]
    assert split([*parts, part('d')], shares={'test': 0.05, 'validation': 0.05})[1] == []


def test_another_partition_is_none():
    with pytest.raises(
        ValueError, match="partition='all': expected one of auto, writers, train, validation, test"
    ):
        split([], partition='all')
