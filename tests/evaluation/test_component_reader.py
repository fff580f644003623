"""The reader of components on pictures, against the network's own error on records and against labels worked out by hand."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data import shards
from hwgen.evaluation import component_reader, feature_recognizer


@pytest.fixture(scope='module')
def network():
    """Untrained, but for a head that reads something."""
    network = feature_recognizer.FeatureRecognizer(feature_recognizer._num_labels(Charset.load()))
    rng = np.random.default_rng(3)
    for variable in network.head.variables:
        variable.assign(variable + rng.normal(scale=.5, size=variable.shape))
    return network


def test_pictures_are_read_as_records_are(network, lines_of_one_character):
    index = shards.RecordIndex(lines_of_one_character, split='train')
    records = [index.read_record(number) for number in range(len(index))]
    errors, counts = component_reader.ComponentReader(network).label_errors([r.image for r in records], [r.text for r in records])
    error, num_lines, num_labels = feature_recognizer.label_error(network, lines_of_one_character, split='train')
    assert (len(errors), counts.sum()) == (num_lines, num_labels) and errors.sum() / counts.sum() == pytest.approx(error, abs=1e-9) and 0 < error


def test_a_lines_errors_do_not_depend_on_those_beside_it(network):
    rng = np.random.default_rng(0)
    texts = ['明', '品天', '天去', '品', '明天去']
    images = [rng.integers(0, 256, size=[rng.integers(20, 70), 40 * len(text)]).astype(np.uint8) for text in texts]
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
            scores[..., 0] = 1.
            return None, scores
    errors, counts = component_reader.ComponentReader(Blank()).label_errors([np.zeros([32, 64], np.uint8)] * 2, ['明天', '明'])
    np.testing.assert_array_equal(errors, counts)


def test_a_character_that_is_not_in_the_table(network):
    with pytest.raises(ValueError, match='position 1'):
        component_reader.ComponentReader(network).label_errors([np.zeros([32, 64], np.uint8)], ['明\ue000'])


def test_the_one_that_ships_reads_a_folder_it_was_not_made_for(untrained_features):
    assert component_reader.ComponentReader.load(untrained_features)
