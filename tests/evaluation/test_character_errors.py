"""Errors of single characters, with readers whose errors are known."""

import pathlib

import numpy as np
import pytest

import hwgen
from hwgen.charset.encoding import Charset
from hwgen.data import shards
from hwgen.evaluation import character_errors, feature_recognizer
from hwgen.evaluation.character_errors import CharacterErrors
from hwgen.evaluation.component_reader import ComponentReader
from hwgen.metrics import text as text_metrics

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent


class Recites:
    """Reads what it is told."""

    def __init__(self, *readings):
        self.readings = readings

    def read(self, images):
        assert len(images) == len(self.readings)
        return list(self.readings)


def test_errors_belong_to_their_characters():
    errors = character_errors.read_characters(Recites('天池玄', '黄'), [None] * 2, ['天地玄！', '玄黄'])
    # ！ is folded to !; 天 and 玄 are read, 地 is not, nor !, nor the second 玄.
    assert list(zip(errors.characters, errors.wrong.tolist(), errors.total.tolist())) == [
        ('天', 0, 1), ('地', 1, 1), ('玄', 0, 1), ('!', 1, 1), ('玄', 1, 1), ('黄', 0, 1)]
    assert errors.rate() == 3 / 6 and errors.only({'玄'}).rate() == 1 / 2 and errors.only({'天', '黄'}).rate() == 0
    assert character_errors.joined([errors, errors.only({'地'})]).rate() == 4 / 7
    with pytest.raises(ValueError, match='at least one occurrence'):
        errors.only({'明'}).rate()


def test_interval_draws_characters_with_all_their_occurrences():
    # Copies of a character fail together: with each character all wrong or all right the interval is that of 40 coins, not of 400.
    rows = [(chr(0x4e00 + k), k % 2, 1) for k in range(40) for _ in range(10)]
    low, high = CharacterErrors.of(rows).interval(seed=0)
    assert low == pytest.approx(.5 - 1.96 * (.25 / 40) ** .5, abs=.03) and high == pytest.approx(.5 + 1.96 * (.25 / 40) ** .5, abs=.03)
    assert CharacterErrors.of(rows[:1] * 5).interval(seed=0) == (0, 0)


def test_an_interval_holds_nineteen_in_twenty():
    """Of 400 coins: half of it is 1.960 standard deviations of their mean, not the 1.645 of nine in ten."""
    errors = CharacterErrors.of((chr(0x4e00 + k), k % 2, 1) for k in range(400))
    half = np.mean([np.subtract(high, low) / 2 for low, high in (errors.interval(seed=seed) for seed in range(8))])
    assert half == pytest.approx(1.96 * (.25 / 400) ** .5, abs=.003)


def test_interval_of_a_difference_is_paired():
    before = CharacterErrors.of((chr(0x4e00 + k), k % 2, 1) for k in range(40))
    after = before._replace(wrong=before.wrong * 0)
    assert before.interval(seed=0, before=before) == (0, 0)
    low, high = after.interval(seed=0, before=before)
    assert .3 < low < .5 < high < .7
    with pytest.raises(ValueError, match='the same characters'):
        before.interval(seed=0, before=before.only({'一'}))


@pytest.fixture(scope='module')
def reader():
    return ComponentReader.load(str(CHECKOUT / 'saved_models' / 'features'))


def test_labels_are_structure_and_components(reader):
    charset = Charset.load().prefix(9658)  # of which the network's labels are
    components = charset.num_components - 1
    assert reader.charset is charset
    for character in ('明', '⿱山鱼', '。'):
        encoded, (labels,) = charset.encode(character), reader.labels(character)
        assert labels[0] == components + encoded.structure_ids[0]
        assert list(labels[1:]) == [c for c in encoded.component_ids[0] if c]
    assert [len(labels) for labels in reader.labels('明⿱山鱼。')] == [3, 3, 2]


@pytest.mark.parametrize('split', ['test', 'unseen'])
def test_reads_as_the_feature_network_does(reader, split):
    """Edit distances of its readings add up to the network's own label error on the same lines."""
    network, _, _ = feature_recognizer.load(str(CHECKOUT / 'saved_models' / 'features'))
    error, num_lines, num_labels = feature_recognizer.label_error(network, CHECKOUT / 'tfrecords' / 'sample', split=split)
    index = shards.RecordIndex(CHECKOUT / 'tfrecords' / 'sample', split=split)
    records = [index.read_record(i) for i in range(len(index))]
    read = reader.read([record.image for record in records], [len(record.text) for record in records])
    labels = [[label for character in reader.labels(record.text) for label in character] for record in records]
    counts = text_metrics.edit_counts(labels, read)
    assert (len(records), counts.reference_lengths.sum()) == (num_lines, num_labels)
    # Rounded to grey levels in between: a label more or less may differ.
    assert abs(counts.errors.sum() - round(error * num_labels)) <= 1
    errors = character_errors.read_components(reader, [record.image for record in records], [record.text for record in records])
    assert errors.total.sum() == num_labels and ''.join(errors.characters) == ''.join(record.text for record in records)
    assert errors.wrong.sum() == (counts.substitutions + counts.deletions).sum()
    assert errors.total.tolist() == [len(own) for record in records for own in reader.labels(record.text)] and np.all(errors.wrong <= errors.total)
