"""Lines of several writers and feature spaces whose figures are known."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards
from hwgen.evaluation.judges import feature_recognizer, feature_space

CELL_PX = 32


class GreySpace:
    """A feature space of two numbers: mean grey of a picture, and of its left half.

    Remembers the sizes of what it saw.
    """

    name, digest, weights_digest, description = 'grey', 'none', 'none', {}

    def __init__(self):
        self.shapes = []

    def measure(self, pictures):
        self.shapes += [picture.shape for picture in pictures]
        vectors = np.array(
            [
                [picture.mean() / 255.0, picture[:, : picture.shape[1] // 2].mean() / 255.0]
                for picture in pictures
            ],
            np.float32,
        )
        return feature_space.Features(
            vectors,
            np.array([picture.shape[1] for picture in pictures], np.float32),
            np.stack([vectors[:, 0], 1 - vectors[:, 0]], 1),
        )


@pytest.fixture
def grey_space():
    return GreySpace()


@pytest.fixture(scope='session')
def written_folder(tmp_path_factory):
    """Folder of splits test and train: 6 writers, each with a grey of its own, 64 px high, 48 px a
    character.
    """
    folder, rng = tmp_path_factory.mktemp('written') / 'lines', np.random.default_rng(0)
    folder.mkdir()
    counts = {}
    for split, number in (('test', 50), ('train', 40)):
        lines = []
        for place in range(number):
            text = ''.join(rng.choice(list('天地玄黄日月'), size=rng.integers(2, 5)))
            image = rng.integers(0, 40, size=[64, 48 * len(text)]).astype(np.uint8) + np.uint8(
                30 * (place % 6)
            )
            ids = np.ones(len(text), np.int32)
            lines.append(
                records.LineRecord(
                    image,
                    text,
                    ids,
                    np.ones((len(text), 4), np.int32),
                    ids,
                    f'{split}-writer-{place % 6}',
                    'made',
                )
            )
        counts[split] = shard_writer.write_shards(lines, folder, split=split, num_shards=2)._asdict()
    shards.write_info(
        folder,
        {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}, 'source': 'made', 'version': 1},
    )
    return folder


@pytest.fixture(scope='session')
def untrained_features(tmp_path_factory):
    """Folder of a feature network with fresh weights."""
    folder = str(tmp_path_factory.mktemp('features') / 'network')
    network = feature_recognizer.FeatureRecognizer(20)
    feature_recognizer.save(folder, network, {'purpose': feature_recognizer.PURPOSE, 'num_labels': 20})
    return folder


@pytest.fixture(scope='session')
def lines_of_one_character(tmp_path_factory):
    """Folder of lines of one of two characters, one striped along, one across: splits train and test."""
    folder, charset = tmp_path_factory.mktemp('striped') / 'lines', Charset.load()
    folder.mkdir()
    stripes = {
        '明': np.tile(np.repeat([0, 255], 4).astype(np.uint8), [32, 4]),
        '品': np.tile(np.repeat([0, 255], 4).astype(np.uint8), [32, 4]).T,
    }
    counts = {}
    for split, number in (('train', 32), ('test', 8)):
        found = []
        for place in range(number):
            text = list(stripes)[place % 2]
            encoded = charset.encode(text)
            found.append(
                records.LineRecord(
                    stripes[text],
                    text,
                    encoded.character_ids,
                    encoded.component_ids,
                    encoded.structure_ids,
                    'somebody',
                    'made',
                )
            )
        counts[split] = shard_writer.write_shards(found, folder, split=split, num_shards=1)._asdict()
    shards.write_info(
        folder,
        {
            'splits': counts,
            'charset': {'row_count': charset.row_count, 'hash': charset.hash},
            'source': 'made',
            'version': 1,
        },
    )
    return folder
