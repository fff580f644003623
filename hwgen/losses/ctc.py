"""Connectionist temporal classification, CTC (Graves et al. 2006), and the labels that SRM reads (HCT-GAN,
section 3).
"""

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.settings.model import LABEL_KINDS

_MAX_GAP = 80.0  # of logits: exp(-80) is 1.8e-35, the least normal float32 1.2e-38


def num_label_classes(kind, *, num_components, num_structures, num_characters):
    """Classes of a label kind with the blank, id 0.

    Table sizes count the padding id 0, which is the blank's place.

    Raises:
        ValueError: unknown kind, naming the known ones.
    """
    if kind not in LABEL_KINDS:
        raise ValueError(f'label kind {kind!r}: expected one of {", ".join(LABEL_KINDS)}')
    if kind == 'characters':
        return num_characters
    return num_components + (num_structures - 1 if kind == 'structured' else 0)


def line_labels(kind: str, characters: Characters, *, num_components: int) -> tf.Tensor:
    """Label sequences of lines, padded with 0 anywhere: `ctc_loss` leaves zeros out.

    `components`, the paper's: the components of each character in slot order. `structured`, ours: before them
    the structure (id num_components - 1 + structure), which delimits characters and tells 员 from 呗.
    `characters`: one id.

    Args:
        kind: one of `LABEL_KINDS`.
        characters: Characters of the lines.
        num_components: int, table size with id 0.

    Returns:
        int32 [B, N * labels of a character]: 4, 5 or 1 of them.
    """
    if kind == 'characters':
        return characters.character_ids
    tokens = characters.component_ids
    if kind == 'structured':
        ids = characters.structure_ids
        structures = tf.where(ids > 0, ids + (num_components - 1), 0)
        tokens = tf.concat([structures[..., tf.newaxis], tokens], axis=-1)
    return tf.reshape(tokens, [tf.shape(tokens)[0], -1])  # B x N x L -> B x (N L)


def required_frames(labels):
    """Frames that CTC needs at least: one a label, and one blank between equal neighbours.

    Args:
        labels: int32 [B, L], zeros are left out.

    Returns:
        int32 [B].
    """
    dense, lengths = left_aligned(labels)
    repeats = tf.reduce_sum(tf.cast((dense[:, 1:] == dense[:, :-1]) & (dense[:, 1:] > 0), tf.int32), axis=1)
    return lengths + repeats


def left_aligned(labels):
    """Moves the zeros of each row to its end, keeping the order of the rest.

    Args:
        labels: int32 [B, L].

    Returns:
        int32 [B, L]; int32 [B], the labels of each row.
    """
    order = tf.argsort(tf.cast(labels == 0, tf.int32), axis=1, stable=True)
    return tf.gather(labels, order, batch_dims=1), tf.reduce_sum(tf.cast(labels > 0, tf.int32), axis=1)


def ctc_loss(labels, logits, *, num_frames, dense=False):
    """Negative log likelihood of the labels.

    Source: Graves et al. 2006, eq. 5, blank id 0. Differs: with `dense=False` a logit more than 80 below the
    best of its frame counts as 80 below (its gradient is the one at that place), where the loss would be inf
    without.

    Args:
        labels: int32 [B, L], zeros are left out.
        logits: float32 [B, T, K], K classes with the blank.
        num_frames: int32 [B], valid frames; at least `required_frames(labels)`.
        dense: bool, the slower implementation that XLA can compile.

    Returns:
        float32 [B] in [0, inf). Labels that fit without their repeats only (`required_frames`) give inf with
        `dense=False`, and about 700 with `dense=True`, which never raises.

    Raises:
        tf.errors.InvalidArgumentError: more labels than frames, or a line without labels (`dense=False`).
    """
    aligned, lengths = left_aligned(labels)
    if dense:
        return tf.nn.ctc_loss(aligned, logits, lengths, num_frames, logits_time_major=False, blank_index=0)
    # TensorFlow takes exponentials before logarithms: what underflows leaves a label without any path. A
    # recogniser that
    # has seen a few steps only is that sure of a blank when it reads with its moving averages.
    lowest = tf.reduce_max(logits, axis=-1, keepdims=True) - _MAX_GAP
    logits = logits + tf.stop_gradient(tf.maximum(logits, lowest) - logits)
    positions = tf.where(tf.sequence_mask(lengths, tf.shape(aligned)[1]))
    sparse = tf.SparseTensor(
        positions, tf.gather_nd(aligned, positions), tf.shape(aligned, out_type=tf.int64)
    )
    return tf.nn.ctc_loss(sparse, logits, None, num_frames, logits_time_major=False, blank_index=0)


def greedy_labels(logits, *, num_frames):
    """Best path: the best class of each frame, repeats merged, blanks left out.

    Args:
        logits: float [B, T, K]; num_frames: int32 [B].

    Returns:
        int32 [B, T], left aligned, padded with 0.
    """
    best = tf.argmax(logits, axis=-1, output_type=tf.int32)
    before = tf.pad(best[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
    keep = (best != before) & tf.sequence_mask(num_frames, tf.shape(best)[1])
    return left_aligned(tf.where(keep, best, 0))[0]


def label_errors(labels, logits, *, num_frames):
    """Edit distance of the best path to the labels, and the number of labels.

    Args:
        labels: int32 [B, L]; logits: float [B, T, K]; num_frames: int32 [B].

    Returns:
        errors float32 [B], counts float32 [B]; their sums' ratio is the label error rate.
    """

    def sparse(dense):
        positions = tf.where(dense > 0)
        return tf.SparseTensor(positions, tf.gather_nd(dense, positions), tf.shape(dense, out_type=tf.int64))

    aligned, lengths = left_aligned(labels)
    errors = tf.edit_distance(
        sparse(greedy_labels(logits, num_frames=num_frames)), sparse(aligned), normalize=False
    )
    return errors, tf.cast(lengths, tf.float32)
