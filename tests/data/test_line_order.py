"""Which lines make a batch, by the numbers of numpy's Philox: whose turn it is, in which order its lines
come. A run that goes on must see the same ones.
"""

import numpy as np
import pytest

from hwgen.charset.encoding import CharsetMismatchError
from hwgen.data.reading import pipeline, shards
from hwgen.data.reading.pipeline import LineBatches, NoLineError, random_stream


def philox(*key):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def test_random_numbers_are_those_of_their_key():
    assert (
        random_stream(3, 1, 7).random(5).tolist() == philox(3, 1, 7).random(5).tolist()
        and random_stream(0).random() != random_stream(1).random()
    )


@pytest.fixture
def batches(folder, charset):
    def make(**arguments):
        return LineBatches(folder, charset=charset, **{'batch_size': 4, 'seed': 7, **arguments})

    return make


def turns(sizes, steps, *, seed, allowed=lambda step: None):
    """Whose turn it is: each is owed its share of every step, and drawn in proportion to what it is owed,
    if anything; then it has had one.
    """
    owed, found = dict.fromkeys(sizes, 0.0), []
    numbers = np.concatenate([philox(seed, 1, block).random(4096) for block in range(steps // 4096 + 1)])
    for step in range(steps):
        names = allowed(step) or list(sizes)
        for name in names:
            owed[name] += sizes[name] / sum(sizes[other] for other in names)
        left = numbers[step] * sum(max(owed[name], 0) for name in names)
        for name in names:
            left -= max(owed[name], 0)
            if left < 0:
                break
        owed[name] -= 1
        found.append(name)
    return found


@pytest.mark.parametrize('width, limit', [(1, None), (2, None), (4, None), (1, 3)])
def test_whose_turn_it_is_and_which_lines_come(batches, width, limit):
    data = batches(bucket_width=width, max_characters=limit and (lambda step: limit if step < 100 else 9))
    lengths = data.index.lengths
    members = {b: np.flatnonzero((lengths - 1) // width == b) for b in range(6 // width + 1)}
    members = {b: found for b, found in members.items() if len(found)}
    expected = turns(
        {b: len(found) for b, found in members.items()},
        300,
        seed=7,
        allowed=lambda step: list(range(3)) if limit and step < 100 else None,
    )
    before = dict.fromkeys(members, 0)
    for step, bucket in enumerate(expected):
        count = len(members[bucket])
        lines = [
            philox(7, 2, bucket, number // count).permutation(members[bucket])[number % count]
            for number in range(4 * before[bucket], 4 * before[bucket] + 4)
        ]
        before[bucket] += 1
        found, n = data.members(step)
        assert found.tolist() == lines and found.dtype == np.int64 and n == lengths[members[bucket]].max()


def test_the_second_block_of_numbers(batches):
    data = batches(max_characters=3)
    lengths = data.index.lengths
    expected = turns(
        {n - 1: int((lengths == n).sum()) for n in (1, 2, 3) if (lengths == n).any()}, 4200, seed=7
    )
    assert [data.members(step)[1] - 1 for step in range(4090, 4200)] == expected[4090:]


def test_lengths_and_numbers_of_usable_records(batches, folder):
    lengths = shards.RecordIndex(folder, split='train').lengths
    for least, most in ((2, 4), (3, 3), (1, None), (0, 2)):
        data, usable = (
            batches(min_characters=least, max_characters=most, bucket_width=2),
            (lengths >= max(1, least)) & (lengths <= (most or 9)),
        )
        assert data.record_numbers().tolist() == np.flatnonzero(usable).tolist() and len(data) == usable.sum()
    assert batches(bucket_width=4).num_characters == {0: 4, 1: 6}
    assert batches(bucket_width=4, max_characters=5, min_characters=5).num_characters == (
        {1: 5} if (lengths == 5).any() else {}
    )


def test_lines_without_text_are_none_of_them(tmp_path, write_folder, make_record, charset):
    empty = dict(
        text='',
        character_ids=np.zeros(0, np.int32),
        component_ids=np.zeros([0, 4], np.int32),
        structure_ids=np.zeros(0, np.int32),
        boxes=None,
    )
    folder = write_folder(
        tmp_path / 'x', [make_record(0, 2), make_record(1, 1, **empty), make_record(2, 3)], num_shards=1
    )
    for least in (0, 1):
        assert LineBatches(
            folder, charset=charset, batch_size=2, seed=0, min_characters=least
        ).record_numbers().tolist() == [0, 2]
    with pytest.raises(
        NoLineError, match=r'no line of 4 to any number of characters; its 3 lines have 0 to 3'
    ):
        LineBatches(folder, charset=charset, batch_size=2, seed=0, min_characters=4)
    with pytest.raises(NoLineError, match=r'no line of 0 to 1 characters'):
        LineBatches(folder, charset=charset, batch_size=2, seed=0, min_characters=0, max_characters=1)


def test_a_sweep_goes_from_the_short_lines_to_the_long(batches):
    data = batches(char_px=16)
    found = list(data.sweep())
    assert [n for batch in found for n in batch['characters'].lengths.tolist()] == sorted(
        data.index.lengths.tolist()
    )
    assert all(
        len(batch['characters'].lengths) == 4
        or index + 1 == len(found)
        or found[index + 1]['characters'].lengths[0] > batch['characters'].lengths[0]
        for index, batch in enumerate(found)
    )
    assert [len(batch['characters'].lengths) for batch in data.sweep(batch_size=1000)] == [
        int((data.index.lengths == n).sum()) for n in np.unique(data.index.lengths)
    ]


@pytest.mark.parametrize(
    'name, size',
    [
        ('character_ids', 'num_characters'),
        ('component_ids', 'num_components'),
        ('structure_ids', 'num_structures'),
    ],
)
def test_the_last_id_of_the_table_is_one_and_the_next_is_none(
    tmp_path, write_folder, make_record, charset, name, size
):
    last, line = getattr(charset, size) - 1, make_record(0, 3)
    ids = getattr(line, name).copy()
    for value in (last, last + 1):
        ids.flat[-1] = value
        folder = write_folder(tmp_path / str(value), [line._replace(**{name: ids})], num_shards=1)
        data = LineBatches(folder, charset=charset, batch_size=1, seed=0, char_px=8)
        if value == last:
            assert getattr(data.batch(0)['characters'], name).max() == last
        else:
            with pytest.raises(
                shards.RecordError,
                match=rf"split 'train', record 0 \('.*'\): {name} has {value}, expected at most {last}",
            ):
                data.batch(0)


def test_a_cell_is_as_wide_as_high_unless_it_is_said(batches):
    assert batches(char_px=16).batch(0)['images'].shape[2] % 16 == 0
    data = batches(char_px=16, char_width_px=24, bucket_width=3)
    batch = data.batch(1)
    assert (
        batch['images'].shape == (4, 16, 24 * batch['characters'].character_ids.shape[1], 1)
        and (batch['widths'] == 24 * batch['characters'].lengths).all()
    )


def test_another_table_is_named_with_the_file(folder, charset):
    """An older table is a beginning of this one; a folder that was written with more rows than there are
    cannot be read with it.
    """
    with pytest.raises(CharsetMismatchError, match='lines/info.json: '):
        LineBatches(folder, charset=charset.prefix(charset.row_count - 1), batch_size=1, seed=0)


def test_repeats_and_empty_slots_ask_for_frames():
    """By hand: A B = 2, and the structure 3; A A = 3 + 1; without a structure the blank before counts;
    nothing at all 0.
    """
    components = np.array(
        [[1, 2, 0, 0], [1, 1, 0, 0], [1, 1, 2, 2], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 2, 1, 2]],
        np.int32,
    )
    for structures, expected in (
        (np.ones(7, np.int32), [3, 4, 7, 2, 1, 1, 5]),
        (np.zeros(7, np.int32), [3, 4, 7, 2, 0, 0, 5]),
    ):
        found = pipeline.max_label_frames(components, structures)
        assert found.tolist() == expected and found.dtype == np.int32
