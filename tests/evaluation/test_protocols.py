"""The reader protocol, with a reader and a writer whose errors are known: characters are grey levels of whole cells."""

import numpy as np
import pytest

from hwgen.data import records, shard_writer, shards
from hwgen.evaluation import protocols

ALPHABET = '天地玄黄宇宙洪荒日月盈昃'
CELL_PX = 64


def paint(text, *, cell_px=CELL_PX):
    """uint8 [cell, N * cell]: each character a cell of its own grey level."""
    levels = np.array([20 * ALPHABET.index(character) for character in text], np.uint8)
    return np.tile(np.repeat(levels, cell_px), (cell_px, 1))


class GreyReader:
    """Reads what `paint` paints, and never anything else: no error is its own."""

    characters = frozenset(ALPHABET)

    def __init__(self):
        self.shapes = []

    def read(self, images):
        self.shapes += [image.shape for image in images]
        return [''.join(ALPHABET[round(float(cell.mean()) / 20)] for cell in np.split(image, image.shape[1] // image.shape[0], axis=1))
                for image in images]


class SloppyWriter:
    """Paints cells of 32 px, and the last character of each line wrong."""

    char_px = char_width_px = 32

    def __init__(self):
        self.seeds = []

    def write(self, texts, *, style_seeds, truncation):
        assert len(style_seeds) == len(texts) and truncation == .5
        self.seeds += list(style_seeds)
        return [paint(text[:-1] + ('月' if text[-1] != '月' else '日'), cell_px=32) for text in texts]


@pytest.fixture
def indices(tmp_path):
    """40 lines of 2 to 5 characters as split test, 15 as split unseen."""
    generator = np.random.default_rng(5)
    counts = {}
    for split, number in (('test', 40), ('unseen', 15)):
        lines = []
        for _ in range(number):
            text = ''.join(generator.choice(list(ALPHABET), size=generator.integers(2, 6)))
            ids = np.ones(len(text), np.int32)
            lines.append(records.LineRecord(paint(text), text, ids, np.ones((len(text), 4), np.int32), ids, 'somebody', 'painted'))
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=2)._asdict()
    shards.write_info(tmp_path, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}})
    return {split: shards.RecordIndex(tmp_path, split=split) for split in counts}


def run(indices, **options):
    return protocols.reader_protocol(GreyReader(), indices, report=lambda line: None, **options)


def test_known_errors_come_out(indices):
    conditions = run(indices, writer=SloppyWriter(), truncation=.5, num_lines=30)
    assert [condition.name for condition in conditions] == ['real_seen', 'real_unseen', 'generated_seen', 'generated_unseen']
    summaries = [condition.summary(seed=0) for condition in conditions]
    assert [row['num_lines'] for row in summaries] == [30, 15, 30, 15]
    assert [row['num_characters'] for row in summaries] == [sum(map(len, condition.texts)) for condition in conditions]
    assert [row['cer'] for row in summaries[:2]] == [0, 0]
    for row in summaries[2:]:
        # One error a line.
        assert row['cer'] == pytest.approx(row['num_lines'] / row['num_characters'], abs=1e-12)
        assert row['cer_95_low'] < row['cer'] < row['cer_95_high']
        assert row['accurate_rate'] == row['correct_rate'] == pytest.approx(1 - row['cer'], abs=1e-12)


def test_generated_lines_have_the_texts_and_the_size_of_the_real_ones(indices):
    reader = GreyReader()
    real_seen, real_unseen, generated_seen, generated_unseen = protocols.reader_protocol(
        reader, indices, writer=SloppyWriter(), truncation=.5, num_lines=10, report=lambda line: None)
    assert generated_seen.texts == real_seen.texts and generated_unseen.texts == real_unseen.texts
    for real, generated in ((real_seen, generated_seen), (real_unseen, generated_unseen)):
        assert [image.shape for image in real.images] == [image.shape for image in generated.images] == [(32, 32 * len(text)) for text in real.texts]


def test_the_same_seed_draws_the_same_lines_and_styles(indices):
    writers = [SloppyWriter() for _ in range(3)]
    first, again, other = (run(indices, writer=writer, truncation=.5, num_lines=12, seed=seed) for writer, seed in zip(writers, (3, 3, 4)))
    assert [condition.texts for condition in first] == [condition.texts for condition in again]
    assert [condition.summary(seed=3) for condition in first] == [condition.summary(seed=3) for condition in again]
    assert writers[0].seeds == writers[1].seeds != writers[2].seeds
    assert len(set(writers[0].seeds)) == 24
    assert first[0].texts != other[0].texts
    # More lines are the same lines and others, so that a longer run extends a shorter one.
    assert run(indices, num_lines=20, seed=3)[0].texts[:12] == first[0].texts


def test_without_a_writer_real_lines_only_and_at_true_aspect_on_demand(indices):
    conditions = run(indices, num_lines=5, char_width_px=16, true_aspect=True)
    assert [condition.name for condition in conditions] == ['real_seen', 'real_unseen', 'real_seen_true_aspect', 'real_unseen_true_aspect']
    seen, wide = conditions[0], conditions[2]
    assert [image.shape for image in seen.images] == [(32, 16 * len(text)) for text in seen.texts]
    assert [image.shape for image in wide.images] == [(32, 32 * len(text)) for text in wide.texts]
    assert [condition.name for condition in run({'test': indices['test']}, num_lines=5)] == ['real_seen']


def test_characters_the_reader_does_not_know_are_counted(indices):
    reader = GreyReader()
    reader.characters = frozenset(ALPHABET) - {'天'}
    condition = protocols.reader_protocol(reader, indices, num_lines=40, report=lambda line: None)[0]
    assert condition.num_unreadable == ''.join(condition.texts).count('天') > 0


def test_readings_as_figures(indices):
    conditions = run(indices, writer=SloppyWriter(), truncation=.5, num_lines=12, true_aspect=True)
    figures = protocols.reading_figures(conditions)
    by_name = {condition.name: condition.summary(seed=0)['cer'] for condition in conditions}
    assert set(figures) == {'cer_seen_12', 'cer_unseen_12'}
    assert figures['cer_seen_12'] == {'floor': 0., 'true_aspect': 0., 'generated': by_name['generated_seen']}
    again, other = (run(indices, num_lines=12, seed=seed, true_aspect=True, writer=SloppyWriter(), truncation=.5) for seed in (0, 1))
    assert protocols.texts_digest(again) == protocols.texts_digest(conditions) != protocols.texts_digest(other)


def test_no_lines_are_refused(indices):
    with pytest.raises(ValueError, match='num_lines=0'):
        run(indices, num_lines=0)
    with pytest.raises(ValueError, match='one split'):
        run({})


def test_crop_to_ink():
    image = np.full((20, 100), 255, np.uint8)
    image[5:9, 30:50] = 10
    # A margin of 2 px, a tenth of the height, on every side.
    np.testing.assert_array_equal(protocols.crop_to_ink(image), image[3:11, 28:52])
    image[0, 99] = 10
    np.testing.assert_array_equal(protocols.crop_to_ink(image), image[:11, 28:])
    blank = np.full((20, 100), 255, np.uint8)
    assert protocols.crop_to_ink(blank) is blank
