"""CTC against the enumeration of all paths, and what surrounds it: labels, feasibility, greedy reading,
errors.
"""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.losses import ctc
from hwgen.models.recognizer_trunk import FRAMES


def collapse(path):
    merged = [k for k, _ in itertools.groupby(path)]
    return tuple(k for k in merged if k != 0)


def enumerated_loss(labels, logits):
    """-ln of the sum over all K^T paths that collapse to `labels`, in float64. logits [T, K]."""
    logits = np.asarray(logits, np.float64)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    wanted, total = tuple(k for k in labels if k), 0.0
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        if collapse(path) == wanted:
            total += math.exp(sum(log_p[t, k] for t, k in enumerate(path)))
    return -math.log(total) if total else math.inf


def needed(labels):
    labels = [k for k in labels if k]
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:]))


@pytest.mark.parametrize('dense', [False, True])
def test_worked_by_hand(dense):
    # Two classes, all probabilities 1/2. Two frames, label "1": the paths 11, 10, 01 of four: -ln(3/4).
    # Three frames, label "11": only 1 0 1 of eight: -ln(1/8).
    logits = tf.zeros([2, 3, 2])
    loss = ctc.ctc_loss(tf.constant([[1, 0], [1, 1]]), logits, num_frames=tf.constant([2, 3]), dense=dense)
    np.testing.assert_allclose(loss, [math.log(4.0 / 3.0), math.log(8.0)], rtol=1e-5)


@pytest.mark.parametrize('dense', [False, True])
def test_equals_enumeration_of_paths(dense):
    rng = np.random.default_rng(3)
    frames, classes = 5, 4
    rows = [[1, 2, 3], [2, 2, 0], [0, 3, 0], [0, 1, 1], [3, 0, 3], [1, 0, 2], [3, 3, 3], [1, 2, 1]]
    logits = rng.normal(scale=2.0, size=(len(rows), frames, classes)).astype(np.float32)
    num_frames = np.array([5, 4, 3, 5, 3, 2, 5, 3], np.int32)
    assert all(needed(row) <= t for row, t in zip(rows, num_frames))
    expected = [enumerated_loss(row, x[:t]) for row, x, t in zip(rows, logits, num_frames)]
    loss = ctc.ctc_loss(
        tf.constant(rows), tf.constant(logits), num_frames=tf.constant(num_frames), dense=dense
    )
    np.testing.assert_allclose(loss, expected, rtol=2e-5)  # log-sum-exp in float32


@pytest.mark.parametrize('dense', [False, True])
def test_zeros_anywhere_and_frames_of_padding_change_nothing(dense):
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(1, 8, 5)).astype(np.float32)
    plain = ctc.ctc_loss(tf.constant([[4, 2, 2]]), logits, num_frames=tf.constant([8]), dense=dense)
    spread = tf.constant([[0, 4, 0, 0, 2, 0, 2, 0]])
    garbage = np.concatenate([logits, np.full_like(logits, 9.0)], axis=1)
    for images in (logits, garbage):
        loss = ctc.ctc_loss(spread, tf.constant(images), num_frames=tf.constant([8]), dense=dense)
        np.testing.assert_allclose(loss, plain, rtol=1e-5)


@pytest.mark.parametrize('dense', [False, True])
def test_gradient_equals_differences_of_the_enumeration(dense):
    rng = np.random.default_rng(6)
    rows, num_frames = [[1, 0, 1], [2, 1, 0]], [4, 3]
    logits = rng.normal(size=(2, 4, 3)).astype(np.float32)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(
            ctc.ctc_loss(tf.constant(rows), variable, num_frames=tf.constant(num_frames), dense=dense)
        )
    gradient = tape.gradient(loss, variable).numpy()
    assert not gradient[1, 3:].any()
    for b, t, k in itertools.product(range(2), range(4), range(3)):
        values = []
        for step in (1e-5, -1e-5):
            moved = logits.astype(np.float64)
            moved[b, t, k] += step
            values.append(enumerated_loss(rows[b], moved[b, : num_frames[b]]))
        assert gradient[b, t, k] == pytest.approx((values[0] - values[1]) / 2e-5, abs=2e-5)


def test_sparse_and_dense_agree_on_a_whole_line():
    rng = np.random.default_rng(8)
    logits = rng.normal(size=(3, 64, 90)).astype(np.float32)
    labels = rng.integers(0, 90, size=(3, 40)).astype(np.int32)
    frames = np.array([64, 60, 62], np.int32)
    assert (ctc.required_frames(labels).numpy() <= frames).all()
    sparse, dense = (
        ctc.ctc_loss(labels, tf.constant(logits), num_frames=frames, dense=d) for d in (False, True)
    )
    np.testing.assert_allclose(sparse, dense, rtol=1e-5)


def test_labels_that_do_not_fit_are_never_a_small_loss():
    """More labels than frames raise; where only the repeats do not fit, the loss is infinite, and a run
    stops by it.
    """
    short = dict(logits=tf.zeros([1, 2, 3]), num_frames=tf.constant([2]))
    with pytest.raises(tf.errors.InvalidArgumentError, match='required: 3, available: 2'):
        ctc.ctc_loss(tf.constant([[1, 2, 1]]), **short)
    with pytest.raises(tf.errors.InvalidArgumentError, match='Labels length is zero'):
        ctc.ctc_loss(tf.constant([[0, 0]]), **short)
    assert ctc.ctc_loss(tf.constant([[1, 1]]), **short).numpy() == np.inf
    for labels in ([[1, 2, 1]], [[1, 1]]):
        assert ctc.ctc_loss(tf.constant(labels), dense=True, **short).numpy() > 500.0


def test_a_reader_that_is_sure_of_blanks_gives_a_finite_loss():
    """Logits 1,000 apart count as 80 apart, gradient and all; three labels then cost about 80 each; what
    is closer is as it was.
    """

    def loss_and_gradient(gap):
        logits = np.zeros((1, 8, 5), np.float32)
        logits[..., 0] = gap
        variable = tf.Variable(logits)
        with tf.GradientTape() as tape:
            loss = ctc.ctc_loss(tf.constant([[1, 3, 2]]), variable, num_frames=tf.constant([8]))
        return float(loss[0]), tape.gradient(loss, variable).numpy()[0]

    (far, far_gradient), (near, near_gradient), (usual, _) = map(loss_and_gradient, (1000.0, 80.0, 50.0))
    assert far == near and 80 * 3 - 10 < far < 80 * 3 and usual == pytest.approx(near - 30 * 3, rel=1e-5)
    np.testing.assert_array_equal(far_gradient, near_gradient)
    # each label once: up; blanks down
    assert (far_gradient[:, [1, 3, 2]].sum(0) < -0.9).all() and far_gradient[:, 0].sum() > 2.9


def test_required_frames_equals_the_shortest_feasible_enumeration():
    rng = np.random.default_rng(9)
    rows = np.concatenate(
        [rng.integers(0, 3, size=(30, 4)), [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 2]]]
    )
    found = ctc.required_frames(tf.constant(rows, tf.int32)).numpy()
    for row, frames in zip(rows, found):
        wanted = tuple(k for k in row if k)
        shortest = next(
            t
            for t in range(9)
            if any(collapse(path) == wanted for path in itertools.product(range(3), repeat=t))
        )
        assert frames == shortest, row


def test_worst_case_of_every_label_kind_fits_the_frames():
    """8 frames a cell hold the longest label of a character with all its repeats, whatever follows it."""
    charset = Charset.load()
    ids = np.arange(1, charset.num_characters, dtype=np.int32)
    ids = ids[charset.character_structures[ids] > 0]
    for kind in ctc.LABEL_KINDS:
        # Twice the same character: its repeats inside, and those at the border.
        twice = np.stack([ids, ids], axis=1)
        labels = ctc.line_labels(
            kind,
            Characters.from_table(twice, charset),
            num_components=charset.num_components,
        )
        assert int(tf.reduce_max(ctc.required_frames(labels))) <= 2 * FRAMES, kind
    # Any character beside any other: four equal components need 4 + 3 frames and one blank to the next: 8.
    assert 4 + 3 + 1 <= FRAMES


def test_line_labels_by_hand():
    components = tf.constant([[[5, 5, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]])
    structures, ids = tf.constant([[2, 1, 0]]), tf.constant([[7, 6, 0]])
    characters = Characters(components, structures, boxes=None, character_ids=ids)

    def make(kind):
        return ctc.line_labels(kind, characters, num_components=10).numpy().tolist()

    assert make('components') == [[5, 5, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]]
    # Structure s becomes 9 + s: the first id after the nine components.
    assert make('structured') == [[11, 5, 5, 0, 0, 10, 3, 0, 0, 0, 0, 0, 0, 0, 0]]
    assert make('characters') == [[7, 6, 0]]


def test_label_classes_hold_every_label():
    sizes = dict(num_components=10, num_structures=4, num_characters=30)
    assert ctc.num_label_classes('components', **sizes) == 10
    assert ctc.num_label_classes('structured', **sizes) == 13  # blank, 9 components, 3 structures
    assert ctc.num_label_classes('characters', **sizes) == 30
    largest = ctc.line_labels(
        'structured',
        Characters(tf.constant([[[9, 9, 9, 9]]]), tf.constant([[3]]), None, tf.constant([[29]])),
        num_components=10,
    )
    assert int(tf.reduce_max(largest)) == 12
    with pytest.raises(ValueError, match='strokes.*components, structured, characters'):
        ctc.num_label_classes('strokes', **sizes)


def test_structured_labels_tell_equal_components_apart():
    charset = Charset.load()
    pair = np.array([[charset.character_id('员')], [charset.character_id('呗')]])
    assert (pair > 0).all()
    labels = {
        kind: ctc.line_labels(
            kind, Characters.from_table(pair, charset), num_components=charset.num_components
        ).numpy()
        for kind in ('components', 'structured')
    }
    np.testing.assert_array_equal(labels['components'][0], labels['components'][1])
    assert (labels['structured'][0] != labels['structured'][1]).any()


def test_greedy_reading_and_errors():
    best = np.array([[0, 3, 3, 0, 3, 1, 1, 0, 2, 2], [2, 2, 2, 0, 0, 1, 4, 4, 4, 4]])
    logits, frames = tf.one_hot(best, 5) * 7.0, tf.constant([10, 6])
    read = ctc.greedy_labels(logits, num_frames=frames).numpy()
    expected = [collapse(best[0]), collapse(best[1, :6])]
    assert [tuple(k for k in row if k) for row in read] == expected == [(3, 3, 1, 2), (2, 1)]
    # Against 3 3 1 2: nothing wrong. Against 2 3 1: one of three is missing (read 2 1).
    errors, counts = ctc.label_errors(
        tf.constant([[3, 0, 3, 1, 2], [0, 2, 3, 1, 0]]), logits, num_frames=frames
    )
    np.testing.assert_array_equal(errors, [0.0, 1.0])
    np.testing.assert_array_equal(counts, [4.0, 3.0])


def test_errors_of_a_reader_that_reads_nothing():
    logits = tf.one_hot(tf.zeros([2, 6], tf.int32), 5)
    errors, counts = ctc.label_errors(
        tf.constant([[1, 2, 3], [0, 4, 0]]), logits, num_frames=tf.constant([6, 6])
    )
    np.testing.assert_array_equal(errors, counts)
    np.testing.assert_array_equal(counts, [3.0, 1.0])


def test_a_label_that_goes_on_beyond_the_last_frame_is_read():
    """Frames of padding may say the same."""
    logits = tf.one_hot([[1, 1, 2, 2, 2], [3, 3, 3, 3, 3], [0, 0, 4, 4, 0]], 5)
    np.testing.assert_array_equal(
        ctc.greedy_labels(logits, num_frames=tf.constant([4, 1, 3]))[:, :3], [[1, 2, 0], [3, 0, 0], [4, 0, 0]]
    )
