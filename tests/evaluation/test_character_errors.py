"""Errors of single characters, with readers whose errors are known."""

import pathlib

import numpy as np
import pytest

import hwgen
from hwgen.charset.encoding import Charset
from hwgen.data.reading import shards
from hwgen.evaluation.judges import character_errors, feature_recognizer
from hwgen.evaluation.judges.character_errors import CharacterErrors
from hwgen.evaluation.judges.component_reader import ComponentReader
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
        ('天', 0, 1),
        ('地', 1, 1),
        ('玄', 0, 1),
        ('!', 1, 1),
        ('玄', 1, 1),
        ('黄', 0, 1),
    ]
    wide = character_errors.read_characters(Recites('ａ！天 Ｂ'), [None], ['a!天B'])
    # what was read is folded, too
    assert wide.characters.tolist() == ['a', '!', '天', 'B'] and not wide.wrong.any()
    assert (
        errors.rate() == 3 / 6
        and errors.only({'玄'}).rate() == 1 / 2
        and errors.only({'天', '黄'}).rate() == 0
    )
    assert character_errors.joined([errors, errors.only({'地'})]).rate() == 4 / 7
    with pytest.raises(ValueError, match='at least one occurrence'):
        errors.only({'明'}).rate()


def test_interval_draws_characters_with_all_their_occurrences():
    # Copies of a character fail together: with each character all wrong or all right the interval is that of
    # 40 coins, not of 400.
    rows = [(chr(0x4E00 + k), k % 2, 1) for k in range(40) for _ in range(10)]
    low, high = CharacterErrors.of(rows).interval(seed=0)
    assert low == pytest.approx(0.5 - 1.96 * (0.25 / 40) ** 0.5, abs=0.03) and high == pytest.approx(
        0.5 + 1.96 * (0.25 / 40) ** 0.5, abs=0.03
    )
    assert CharacterErrors.of(rows[:1] * 5).interval(seed=0) == (0, 0)


def test_an_interval_holds_nineteen_in_twenty():
    """Of 400 coins: half of it is 1.960 standard deviations of their mean, not the 1.645 of nine in ten."""
    errors = CharacterErrors.of((chr(0x4E00 + k), k % 2, 1) for k in range(400))
    half = np.mean(
        [np.subtract(high, low) / 2 for low, high in (errors.interval(seed=seed) for seed in range(8))]
    )
    assert half == pytest.approx(1.96 * (0.25 / 400) ** 0.5, abs=0.003)


def test_interval_of_a_difference_is_paired():
    before = CharacterErrors.of((chr(0x4E00 + k), k % 2, 1) for k in range(40))
    after = before._replace(wrong=before.wrong * 0)
    assert before.interval(seed=0, before=before) == (0, 0)
    low, high = after.interval(seed=0, before=before)
    assert 0.3 < low < 0.5 < high < 0.7
    with pytest.raises(ValueError, match='the same characters'):
        before.interval(seed=0, before=before.only({'一'}))


def test_the_interval_is_that_of_a_thousand_draws_of_characters():
    """In loops.

    The stream is part of the figure; characters of different numbers of occurrences and units, in another
    order than the sorted one.
    """
    rows = [('地', 2, 3), ('天', 0, 3), ('地', 1, 3), ('人', 4, 5), ('天', 1, 2), ('地', 3, 3)]
    errors = CharacterErrors.of(rows)
    names, draws = sorted('天地人'), np.random.default_rng([4, 7]).integers(3, size=(1000, 3))

    def rates(rows):
        sums = {name: np.sum([row[1:] for row in rows if row[0] == name], axis=0) for name in names}
        drawn = [np.sum([sums[names[k]] for k in draw], axis=0) for draw in draws]
        return np.array([wrong / total for wrong, total in drawn])

    assert errors.interval(seed=[4, 7]) == pytest.approx(tuple(np.percentile(rates(rows), [2.5, 97.5])))
    worse = [('人', 5, 5), ('天', 3, 3), ('天', 1, 2), ('地', 9, 9)]
    expected = tuple(np.percentile(rates(worse) - rates(rows), [2.5, 97.5]))
    assert errors.interval(seed=[4, 7], before=CharacterErrors.of(worse)) == pytest.approx(expected)
    assert CharacterErrors.of([]).total.shape == (0,)


class Labelled:
    """A component reader of letters: a character's labels are those it is told, and it reads what it is
    told.
    """

    def __init__(self, labels, *readings):
        self.own, self.readings, self.numbers = labels, readings, None

    def labels(self, text):
        return [self.own[character] for character in text]

    def read(self, images, num_characters):
        self.numbers = num_characters
        return list(self.readings)


def test_components_belong_to_their_characters():
    """Of 明 everything is read but its last component, of 品 its structure alone, of 天 nothing; then all of
    天 and one label of 品 that comes first.
    """
    reader = Labelled({'明': (9, 1, 2), '品': (8, 3, 4, 5), '天': (7, 6)}, [9, 1, 8], [7, 6, 8])
    found = character_errors.read_components(reader, [None] * 2, ['明品天', '天品'])
    assert list(zip(found.characters, found.wrong.tolist(), found.total.tolist())) == [
        ('明', 1, 3),
        ('品', 3, 4),
        ('天', 2, 2),
        ('天', 0, 2),
        ('品', 3, 4),
    ]
    assert reader.numbers == [3, 2]
    radical = character_errors.read_components(Labelled({'\u2f00': (9,)}, [9]), [None], ['\u2f00'])
    assert radical.characters.tolist() == ['一']  # the character as which it is written


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
    error, num_lines, num_labels = feature_recognizer.label_error(
        network, CHECKOUT / 'tfrecords' / 'sample', split=split
    )
    index = shards.RecordIndex(CHECKOUT / 'tfrecords' / 'sample', split=split)
    records = [index.read_record(i) for i in range(len(index))]
    read = reader.read([record.image for record in records], [len(record.text) for record in records])
    labels = [
        [label for character in reader.labels(record.text) for label in character] for record in records
    ]
    counts = text_metrics.edit_counts(labels, read)
    assert (len(records), counts.reference_lengths.sum()) == (num_lines, num_labels)
    # Rounded to grey levels in between: a label more or less may differ.
    assert abs(counts.errors.sum() - round(error * num_labels)) <= 1
    errors = character_errors.read_components(
        reader, [record.image for record in records], [record.text for record in records]
    )
    assert errors.total.sum() == num_labels and ''.join(errors.characters) == ''.join(
        record.text for record in records
    )
    assert errors.wrong.sum() == (counts.substitutions + counts.deletions).sum()
    assert errors.total.tolist() == [
        len(own) for record in records for own in reader.labels(record.text)
    ] and np.all(errors.wrong <= errors.total)
