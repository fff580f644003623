"""What the steps read: the same whatever step a run goes on from, and where the discriminator's real lines
are among it.
"""

import itertools
import pathlib

import numpy as np
import pytest
import tensorflow as tf

import hwgen
from hwgen.charset.encoding import Charset
from hwgen.data.reading.mixed_lines import MixedLines
from hwgen.data.reading.pipeline import LineBatches
from hwgen.data.reading.shards import RecordError
from hwgen.settings.schedule import Schedule
from hwgen.training import distribution
from hwgen.training.step_inputs import StepInputs
from hwgen.training.texts import TextSampler

SAMPLE = pathlib.Path(hwgen.__file__).resolve().parent.parent / 'tfrecords' / 'sample'
# drawn lines at steps 3 and 5
SCHEDULE = Schedule(1, 2, 4, recognizer_every=4, adversarial_every=2, longest_lines=3, growing_steps=0)


@pytest.fixture(scope='module')
def batches():
    return LineBatches(SAMPLE, charset=Charset.load(), batch_size=4, seed=3, char_px=16, max_characters=3)


@pytest.fixture(scope='module')
def mixed(batches):
    return MixedLines(batches, SAMPLE, share=0.25)


@pytest.fixture
def make_inputs(batches):
    return lambda mixed: StepInputs(
        batches, TextSampler(batches.charset, seed=3), schedule=SCHEDULE, mixed=mixed
    )


def read(inputs, start, stop):
    return list(itertools.islice(inputs.dataset(start).as_numpy_iterator(), stop - start))


def assert_same(found, expected):
    tf.nest.map_structure(np.testing.assert_array_equal, list(found), list(expected))


def test_inputs_are_a_function_of_the_step(make_inputs, batches, mixed):
    """Read beyond the end of the schedule, as what is read ahead is."""
    whole = read(make_inputs(mixed), 0, 9)
    for start in (2, 5):
        for found, expected in zip(read(make_inputs(mixed), start, 9), whole[start:], strict=True):
            assert_same(found, expected)
    for step, (batch, texts, real) in enumerate(whole):
        assert (batch.pop('step') == step).all()
        assert_same([batch], [batches.batch(step)])
        n = batch['characters'].structure_ids.shape[1]
        assert texts.component_ids.shape == (4, n, 4) and (texts.lengths == n).all()
        drawn = TextSampler(batches.charset, seed=3).batch(step, 4, n)  # of this step, and no other
        assert_same(texts, drawn)
        if step in (3, 5):
            assert_same([real], [mixed.batch(step)])
        else:
            assert (
                real['images'].shape == (4, 16, 16, 1)
                and (real['images'] == 1).all()
                and real['lengths'].tolist() == [1.0] * 4
                and not real['unlabelled_weights'].any()
            )


def test_replicas_read_their_part_of_everything(make_inputs, mixed, two_replicas):
    """The first replica the first half of each batch, and of the discriminator's lines, whether it is
    shown any or not.
    """
    inputs = make_inputs(mixed)
    for parts, whole in zip(distribution.distribute(two_replicas, inputs.dataset(1)), read(inputs, 1, 6)):
        for part, value in zip(tf.nest.flatten(parts), tf.nest.flatten(whole), strict=True):
            halves = [np.asarray(half) for half in two_replicas.experimental_local_results(part)]
            np.testing.assert_array_equal(np.concatenate(halves), value)


def test_without_unlabelled_lines_batches_and_texts_are_the_same(make_inputs, mixed):
    for (batch, texts, real), (same_batch, same_texts, _) in zip(
        read(make_inputs(None), 0, 6), read(make_inputs(mixed), 0, 6), strict=True
    ):
        assert real == {}
        assert_same([batch, texts], [same_batch, same_texts])


def test_a_damaged_line_is_told_in_its_own_words(make_inputs, batches):
    class Damaged(MixedLines):
        def batch(self, step):
            raise RecordError('train-00000-of-00001.tfrecord, record 5, byte 90: checksum')

    inputs = make_inputs(Damaged(batches, SAMPLE, share=0.25))
    for step in (0, 2, 4, 7):
        inputs.check(step)
    with pytest.raises(RecordError, match='^train-00000-of-00001.tfrecord, record 5, byte 90: checksum$'):
        inputs.check(3)


def test_damaged_lines_of_the_batch_are_told_too(make_inputs, batches, monkeypatch):
    def damaged(step):
        if step == 4:
            raise RecordError('train, record 9')

    monkeypatch.setattr(batches, 'batch', damaged)
    make_inputs(None).check(3)
    with pytest.raises(RecordError, match='^train, record 9$'):
        make_inputs(None).check(4)
