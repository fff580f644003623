"""The reader of components on pictures, against the network's own error on records and against labels
worked out by hand.
"""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.reading import shards
from hwgen.evaluation.judges import component_reader, feature_recognizer


@pytest.fixture(scope='module')
def network():
    """Untrained, but for a head that reads something."""
    network = feature_recognizer.FeatureRecognizer(feature_recognizer._num_labels(Charset.load()))
    rng = np.random.default_rng(3)
    for variable in network.head.variables:
        variable.assign(variable + rng.normal(scale=0.5, size=variable.shape))
    return network


def test_pictures_are_read_as_records_are(network, lines_of_one_character):
    index = shards.RecordIndex(lines_of_one_character, split='train')
    records = [index.read_record(number) for number in range(len(index))]
    errors, counts = component_reader.ComponentReader(network).label_errors(
        [r.image for r in records], [r.text for r in records]
    )
    error, num_lines, num_labels = feature_recognizer.label_error(
        network, lines_of_one_character, split='train'
    )
    assert (
        (len(errors), counts.sum()) == (num_lines, num_labels)
        and errors.sum() / counts.sum() == pytest.approx(error, abs=1e-9)
        and 0 < error
    )


def test_a_lines_errors_do_not_depend_on_those_beside_it(network):
    rng = np.random.default_rng(0)
    texts = ['明', '品天', '天去', '品', '明天去']
    images = [
        rng.integers(0, 256, size=[rng.integers(20, 70), 40 * len(text)]).astype(np.uint8) for text in texts
    ]
    reader = component_reader.ComponentReader(network)
    together = reader.label_errors(images, texts)
    alone = [reader.label_errors([image], [text]) for image, text in zip(images, texts)]
    np.testing.assert_array_equal(together, np.concatenate(alone, axis=1))
    # 明 = ⿰日月: a structure and two components; 品 = ⿱口⿰口口, 天 and 去 as the table has them.
    codes = Charset.load().encode('明')
    assert together[1][0] == 1 + np.count_nonzero(codes.component_ids) == 3


def test_what_reads_nothing_has_everything_wrong():
    class Blank:
        def __call__(self, images):
            scores = np.zeros([len(images), images.shape[2] // 4, 4], np.float32)
            scores[..., 0] = 1.0
            return None, scores

    errors, counts = component_reader.ComponentReader(Blank()).label_errors(
        [np.zeros([32, 64], np.uint8)] * 2, ['明天', '明']
    )
    np.testing.assert_array_equal(errors, counts)


class Framed:
    """A network of four frames a cell: each reads the label that the mean grey of its eighth of the
    picture stands for, 0 for black. Keeps what it saw.
    """

    def __init__(self):
        self.seen = []

    def __call__(self, images):
        self.seen.append(images)
        greys = (
            np.rint((np.asarray(images)[..., 0] + 1.0) * 127.5).reshape(len(images), 32, -1, 4).mean((1, 3))
        )
        return None, np.eye(256, dtype=np.float32)[np.rint(greys).astype(int)] * 9.0


def test_lines_are_read_in_their_order_whatever_their_length():
    """Repeats fall together, blanks go; pictures are scaled to cells of 32 px; lines of one length sixteen
    at a time, at most.
    """
    network = Framed()
    reader = component_reader.ComponentReader(network)

    def picture(labels, width):
        return np.repeat(np.uint8(labels), width)[np.newaxis].repeat(32, axis=0)

    lines = [[7, 7, 0, 7, 9, 9, 0, 0], [5, 0, 0, 0, 0, 0, 0, 200] * 2] + [
        [number] * 8 for number in range(1, 19)
    ]
    numbers = [1, 2] + [1] * 18
    read = reader.read([picture(line, 4) for line in lines], numbers)
    assert read == [[7, 7, 9], [5, 200, 5, 200], *([number] for number in range(1, 19))]
    assert [batch.shape for batch in network.seen] == [(16, 32, 32, 1), (3, 32, 32, 1), (1, 32, 64, 1)]
    assert (
        network.seen[0].dtype == np.float32
        and network.seen[0].min() == -1.0
        and network.seen[-1].max() == np.float32(200 / 127.5 - 1)
    )
    # as wide as its cells
    assert reader.read([np.full([64, 20], 40, np.uint8)], [1]) == [[40]] and network.seen[-1].shape == (
        1,
        32,
        32,
        1,
    )
    assert reader.read([], []) == []


def test_errors_are_those_of_edit_distance_line_by_line(monkeypatch):
    """Labels told here: 天 3 of them, 地 2; wrong, missing and additional ones, lines of two lengths in
    turns.
    """
    reader = component_reader.ComponentReader(Framed())
    monkeypatch.setattr(
        reader, 'labels', lambda text: [{'天': (4, 5, 6), '地': (7, 8)}[letter] for letter in text]
    )
    lines = {
        '天': [4, 4, 5, 5, 9, 0, 0, 0],
        '天地': [4, 5, 6, 7, 8, 0, 1, 0] + [0] * 8,
        '地': [7] + [0] * 7,
        '地天': [0] * 16,
    }
    images = [np.repeat(np.uint8(line), 4)[np.newaxis].repeat(32, axis=0) for line in lines.values()]
    errors, counts = reader.label_errors(images, list(lines))
    assert (errors.tolist(), counts.tolist()) == (
        [1, 1, 1, 5],
        [3, 5, 2, 5],
    ) and errors.dtype == counts.dtype == np.int64


def test_a_character_that_is_not_in_the_table(network):
    with pytest.raises(ValueError, match='position 1'):
        component_reader.ComponentReader(network).label_errors([np.zeros([32, 64], np.uint8)], ['明\ue000'])


def test_the_one_that_ships_reads_a_folder_it_was_not_made_for(untrained_features):
    assert component_reader.ComponentReader.load(untrained_features)
