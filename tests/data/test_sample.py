"""The committed sample: small, complete, and readable with the table that ships."""

import pathlib

import numpy as np

from hwgen.data.reading import pipeline, shards
from hwgen.data.reading.pipeline import LineBatches

SAMPLE = pathlib.Path(pipeline.__file__).parents[3] / 'tfrecords' / 'sample'


def test_sample_is_small_and_complete():
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 300_000
    info = shards.read_info(SAMPLE)
    assert (
        info['splits'].keys() == {'train', 'validation', 'test', 'unseen'}
        and info['version']
        and info['seed'] == 0
    )
    for split, counts in info['splits'].items():
        index = shards.RecordIndex(SAMPLE, split=split)
        lines = [index.read_record(i) for i in range(len(index))]
        assert len({line.writer for line in lines}) == counts['writers']
        assert sum(len(line.character_ids) for line in lines) == counts['characters']


def test_sample_can_be_trained_on(charset):
    data = LineBatches(SAMPLE, charset=charset, batch_size=4, seed=0)
    for step in range(8):
        batch = data.batch(step)
        assert batch['images'].min() < 0 < batch['images'].mean()
        np.testing.assert_array_equal(
            charset.character_components[batch['characters'].character_ids], batch['characters'].component_ids
        )
        np.testing.assert_array_equal(
            charset.character_structures[batch['characters'].character_ids], batch['characters'].structure_ids
        )
