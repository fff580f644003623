"""Batches of lines: what they hold, that they depend on (seed, step) alone, and that every line comes once
in an epoch.
"""

import collections
import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest
import tensorflow as tf

from hwgen import spacing
from hwgen.characters import Characters
from hwgen.data.reading import pipeline, shards
from hwgen.data.reading.pipeline import LineBatches
from hwgen.images import resize_line
from hwgen.losses import ctc
from hwgen.models.recognizer_trunk import FRAMES


@pytest.fixture
def batches(folder, charset):
    def make(**arguments):
        return LineBatches(folder, charset=charset, **{'batch_size': 4, 'seed': 7, **arguments})

    return make


def assert_same(a, b):
    tf.nest.map_structure(np.testing.assert_array_equal, a, b)


# ---- what a batch holds


def test_batch_holds_its_records(batches, folder):
    data, index = batches(char_px=16, char_width_px=8), shards.RecordIndex(folder, split='train')
    for step in range(12):
        batch, (members, n) = data.batch(step), data.members(step)
        assert batch.images.shape == (4, 16, 8 * n, 1) and batch.images.dtype == np.float32
        assert (batch.characters.lengths == n).all() and (batch.widths == 8 * n).all()
        np.testing.assert_array_equal(batch.example_index, range(4))
        for row, member in enumerate(members):
            line = index.read_record(int(member))
            for name in ('character_ids', 'component_ids', 'structure_ids'):
                found = getattr(batch.characters, name)
                np.testing.assert_array_equal(found[row], getattr(line, name))
                assert found.dtype == np.int32
            boxes = batch.characters.boxes
            np.testing.assert_array_equal(boxes[row], data.charset.template_boxes[line.structure_ids])
            assert boxes.dtype == np.float32 and boxes[row, :, 0].any()
            np.testing.assert_array_equal(
                batch.images[row, ..., 0], resize_line(line.image, height_px=16, width_px=8 * n)
            )
        np.testing.assert_array_equal(batch.advances, np.full([4, n], 0.5, np.float32))


def test_spaced_characters_stand_in_cells_of_their_own(batches, folder):
    data = batches(char_px=16, layout='spaced', bucket_width=4)
    index = shards.RecordIndex(folder, split='train')
    batch, (members, n) = data.batch(0), data.members(0)
    assert batch.advances.shape == (4, n) and batch.advances.dtype == np.float32
    for row, member in enumerate(members):
        line = index.read_record(int(member))
        length = len(line.character_ids)
        image, advances = spacing.space_line(line.image, length, line.boxes, char_px=16, char_width_px=16)
        np.testing.assert_array_equal(batch.images[row, :, : 16 * length, 0], image)
        np.testing.assert_array_equal(batch.advances[row], np.pad(advances, (0, n - length)))
        assert (batch.images[row, :, 16 * length :] == 1).all()


def test_padding_is_paper_and_zero(batches):
    data, padded = batches(char_px=16, bucket_width=4), 0
    for step in range(20):
        batch = data.batch(step)
        n = batch.characters.character_ids.shape[1]
        assert n in (4, 6) and batch.images.shape[2] == 16 * n
        for row, length in enumerate(batch.characters.lengths):
            padded += n - length
            assert batch.widths[row] == 16 * length
            assert (batch.images[row, :, 16 * length :] == 1).all() and (
                batch.images[row, :, : 16 * length] < 1
            ).any()
            for name in ('character_ids', 'component_ids', 'structure_ids', 'boxes'):
                codes = getattr(batch.characters, name)
                assert not codes[row, length:].any() and codes[row, :length].any()
    assert padded > 50


def test_lengths_are_confined(batches):
    data = batches(min_characters=2, max_characters=4)
    lengths = shards.RecordIndex(data.index.folder, split='train').lengths
    assert len(data) == ((lengths >= 2) & (lengths <= 4)).sum()
    assert {data.members(s)[1] for s in range(60)} <= {2, 3, 4}


def test_short_lines_first(batches):
    limit = lambda step: 2 + step // 20  # noqa: E731
    data = batches(max_characters=limit)
    seen = [data.members(s)[1] for s in range(120)]
    assert all(n <= limit(s) for s, n in enumerate(seen)) and max(seen) == 6
    resumed = batches(max_characters=limit)
    assert_same(data.batch(77), resumed.batch(77))
    assert batches(max_characters=lambda step: 0).members(3)[1] == 1


# ---- order


def test_every_line_once_in_every_epoch(batches):
    """Each bucket's stream is permutation after permutation of its lines, every one in another order."""
    data, streams = batches(batch_size=7), collections.defaultdict(list)
    for step in range(400):
        members, n = data.members(step)
        streams[n].extend(members.tolist())
    lengths = data.index.lengths
    for n, stream in streams.items():
        lines = np.flatnonzero(lengths == n).tolist()
        epochs = (
            list(itertools.batched(stream, len(lines)))
            if sys.version_info >= (3, 12)
            else [tuple(stream[i : i + len(lines)]) for i in range(0, len(stream), len(lines))]
        )
        assert len(epochs) > 10
        for epoch in epochs[:-1]:
            assert sorted(epoch) == lines
        assert len(set(epochs[:-1])) > 1 or len(lines) == 1


def test_buckets_have_their_share_all_along(batches):
    data = batches()
    lengths = data.index.lengths
    counts = collections.Counter()
    for step in range(2000):
        counts[data.members(step)[1]] += 1
        for n in set(lengths.tolist()):
            assert abs(counts[n] - (step + 1) * np.mean(lengths == n)) < 6


def test_lengths_do_not_keep_step_with_another_cycle(batches):
    """Every fourth step trains the recognisers, say: it must see all lengths."""
    data = batches()
    for phase in range(4):
        assert {data.members(s)[1] for s in range(phase, 400, 4)} == set(data.index.lengths.tolist())


@pytest.mark.slow
def test_turns_of_the_lengths_follow_the_seed_and_do_not_come_again(batches):
    """Of two seeds, and of a block of random numbers and the next: as different as chance would have it."""

    def turns(seed, start):
        return [batches(seed=seed).members(step)[1] for step in range(start, start + 64)]

    first = turns(3, 0)
    assert len(set(first)) > 1 and turns(3, 0) == first
    assert turns(4, 0) != first and turns(3, 4096) != first
    data, drawn = batches(), []
    for step in (0, 4096, 8192):
        data.members(step)
        drawn.append(data._uniforms)
    assert len(np.unique(drawn)) == np.size(drawn), 'no block of numbers comes again'


def test_another_limit_is_as_if_it_had_been_given_at_the_start(batches):
    short, long = (lambda step: 2), (lambda step: 2 if step < 20 else 9)
    changed, expected = batches(max_characters=short), batches(max_characters=long)
    changed.members(60)
    changed.limit(long)
    for step in (0, 19, 20, 45, 60):
        np.testing.assert_array_equal(changed.members(step)[0], expected.members(step)[0])
        assert changed.members(step)[1] == expected.members(step)[1]


def test_batch_depends_on_seed_and_step_alone(batches):
    data = batches()
    forward = [data.batch(s) for s in range(30)]
    other = batches()
    for step in (29, 3, 17, 3):
        assert_same(other.batch(step), forward[step])
    assert [batches(seed=8).members(s)[0].tolist() for s in range(30)] != [
        data.members(s)[0].tolist() for s in range(30)
    ]


def test_dataset_from_any_step_is_the_rest_of_the_run(batches):
    data = batches()
    for start in (0, 13):
        for step, batch in zip(range(start, start + 9), data.dataset(start_step=start)):
            np.testing.assert_array_equal(batch.step, [step] * 4)
            assert_same(tf.nest.map_structure(np.asarray, batch), batches().batch(step))


def test_threads_get_the_same_batches(batches):
    expected, data = batches(), batches()
    found = {}
    threads = [
        threading.Thread(target=lambda s=s: found.__setitem__(s, data.members(s)[0]))
        for s in range(40, 0, -1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for step, members in found.items():
        np.testing.assert_array_equal(members, expected.members(step)[0])


def test_order_does_not_depend_on_pythonhashseed(batches, folder):
    program = (
        'import sys; from hwgen.charset.encoding import Charset; from hwgen.data.reading.pipeline import'
        ' LineBatches\ndata = LineBatches(sys.argv[1], charset=Charset.load(), batch_size=4,'
        ' seed=7)\nprint([data.members(s)[0].tolist() for s in range(50)])'
    )
    root = pipeline.__file__.rsplit('/hwgen/', 1)[0]
    outputs = {
        subprocess.run(
            [sys.executable, '-c', program, str(folder)],
            env={'PYTHONHASHSEED': seed, 'PYTHONPATH': root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ('1', '2')
    }
    assert outputs == {f'{[batches().members(s)[0].tolist() for s in range(50)]}\n'}


def test_sweep_visits_every_line_once(batches, make_record):
    swept = list(batches(char_px=16, bucket_width=2).sweep(batch_size=16))
    texts = collections.Counter(
        tuple(row[:n])
        for batch in swept
        for row, n in zip(batch.characters.character_ids, batch.characters.lengths)
    )
    assert texts == collections.Counter(
        tuple(make_record(i, 1 + i * i // 3 % 6).character_ids) for i in range(120)
    )
    assert all(
        len(batch.characters.lengths) == len(batch.images) == len(batch.example_index) for batch in swept
    )


# ---- replicas


def test_replicas_get_the_batch_in_order(batches):
    strategy = tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])
    data = batches(batch_size=6)
    for step, batch in zip(range(5), strategy.experimental_distribute_dataset(data.dataset())):
        first, second = (
            tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[i].numpy(), batch)
            for i in range(2)
        )
        assert (first.example_index.tolist(), second.example_index.tolist()) == ([0, 1, 2], [3, 4, 5])
        assert first.step.tolist() == second.step.tolist() == [step] * 3
        whole = tf.nest.map_structure(lambda *values: np.concatenate(values), first, second)
        assert_same(whole, data.batch(step))


# ---- errors


def test_other_table_is_refused(tmp_path, write_folder, make_record, charset):
    folder = write_folder(tmp_path / 'x', [make_record(0, 2)], hash='0' * 64)
    with pytest.raises(ValueError, match=f'x/info.json: .*0000.*{charset.hash}'):
        LineBatches(folder, charset=charset, batch_size=1, seed=0)


def test_no_line_of_such_a_length(batches):
    with pytest.raises(
        shards.RecordError, match=r"split 'train': no line of 7 to 9 characters; its 120 lines have 1 to 6"
    ):
        batches(min_characters=7, max_characters=9)


def test_damage_is_told_while_training(tmp_path, write_folder, make_record, charset):
    folder = write_folder(tmp_path / 'x', [make_record(i, 2) for i in range(4)], num_shards=1)
    shard = folder / shards.shard_name('train', 0, num_shards=1)
    damaged = bytearray(shard.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    shard.write_bytes(bytes(damaged))
    data = LineBatches(folder, charset=charset, batch_size=4, seed=0)
    with pytest.raises(shards.RecordError, match='train-00000-of-00001.tfrecord, record 2, byte .*checksum'):
        data.batch(0)
    with pytest.raises(tf.errors.OpError, match='train-00000-of-00001.tfrecord, record 2, byte .*checksum'):
        next(iter(data.dataset()))


def test_ids_beyond_the_table_are_refused(tmp_path, write_folder, make_record, charset):
    line = make_record(0, 2)
    folder = write_folder(tmp_path / 'x', [line._replace(component_ids=np.full((2, 4), 10**6, np.int32))])
    with pytest.raises(
        shards.RecordError,
        match=rf'record 0 .*component_ids has 1000000, expected at most {charset.num_components - 1}',
    ):
        LineBatches(folder, charset=charset, batch_size=1, seed=0).batch(0)


# ---- labels fit the frames


def max_label_frames(component_ids, structure_ids):
    """Frames that the labels of a character need at most, in whatever line and kind of label it stands.

    CTC needs a frame a label and one between equal neighbours. `structured` labels are the structure and the
    components; `components` are the latter alone and may also repeat the last component of the character
    before.

    Args:
        component_ids: int32 [..., 4], 0 where a slot is empty.
        structure_ids: int32 [...].

    Returns:
        int32 [...]; at most 8, what a character has (`recognizer_trunk.FRAMES`).
    """
    used = component_ids > 0
    repeats = np.sum(used[..., 1:] & (component_ids[..., 1:] == component_ids[..., :-1]), axis=-1)
    components = used.sum(-1) + repeats
    structured = components + (structure_ids > 0)
    before = used.any(-1)  # a frame for the blank between this character and its neighbour
    return np.maximum(structured, components + before).astype(np.int32)


def required_frames(labels):
    """By hand: one a label, one between equal neighbours."""
    labels = [label for label in labels if label]
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:]))


def test_labels_of_every_character_fit_its_frames(charset):
    """For the whole table, and for the worst neighbours: the sum of the bounds covers what a line needs."""
    ids = np.arange(1, charset.num_characters)
    components, structures = charset.character_components[ids], charset.character_structures[ids]
    bound = max_label_frames(components, structures)
    assert bound.max() <= FRAMES
    for kind in ('components', 'structured', 'characters'):
        labels = ctc.line_labels(
            kind,
            tf.nest.map_structure(tf.constant, Characters.from_table(ids[:, None], charset)),
            num_components=charset.num_components,
        )
        alone = ctc.required_frames(labels).numpy()
        assert (alone <= bound).all()
        doubled = ctc.required_frames(tf.concat([labels, labels], axis=1)).numpy()
        assert (doubled <= 2 * bound).all() or kind == 'characters'
        assert (doubled <= 2 * FRAMES).all()
        for row in (0, 7, len(ids) // 2, int(alone.argmax())):
            assert alone[row] == required_frames(np.asarray(labels)[row])


def test_worst_imaginable_character_needs_all_frames():
    """AAAA needs 4 + 3 blanks, and one more before the next A, or the structure: 8."""
    assert max_label_frames(np.array([5, 5, 5, 5]), np.array(3)) == 8
    assert max_label_frames(np.array([[1, 2, 2, 0], [0, 0, 0, 0]]), np.array([1, 2])).tolist() == [
        5,
        1,
    ]
    line = [5] * 4 * 10
    assert required_frames(line) == 10 * 8 - 1


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
        found = max_label_frames(components, structures)
        assert found.tolist() == expected and found.dtype == np.int32
