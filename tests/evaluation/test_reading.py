"""The reader protocol, with a reader and a writer whose errors are known: characters are grey levels of
whole cells.
"""

import numpy as np
import pytest

from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards
from hwgen.evaluation.measuring import reading
from hwgen.metrics import text as text_metrics

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
        return [
            ''.join(
                ALPHABET[round(float(cell.mean()) / 20)]
                for cell in np.split(image, image.shape[1] // image.shape[0], axis=1)
            )
            for image in images
        ]


class SloppyWriter:
    """Paints cells of 32 px, and the last character of each line wrong."""

    char_px = char_width_px = 32

    def __init__(self):
        self.seeds = []

    def write(self, texts, *, style_seeds, truncation):
        assert len(style_seeds) == len(texts) and truncation == 0.5
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
            lines.append(
                records.LineRecord(
                    paint(text), text, ids, np.ones((len(text), 4), np.int32), ids, 'somebody', 'painted'
                )
            )
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=2)._asdict()
    shards.write_info(tmp_path, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}})
    return {split: shards.RecordIndex(tmp_path, split=split) for split in counts}


def run(indices, **options):
    return reading.reader_protocol(GreyReader(), indices, report=lambda line: None, **options)


def test_known_errors_come_out(indices):
    conditions = run(indices, model=SloppyWriter(), truncation=0.5, num_lines=30)
    assert [condition.name for condition in conditions] == [
        'real_seen',
        'real_unseen',
        'generated_seen',
        'generated_unseen',
    ]
    summaries = [condition.summary(seed=0) for condition in conditions]
    assert [row['num_lines'] for row in summaries] == [30, 15, 30, 15]
    assert [row['num_characters'] for row in summaries] == [
        sum(map(len, condition.texts)) for condition in conditions
    ]
    assert [row['cer'] for row in summaries[:2]] == [0, 0]
    for row in summaries[2:]:
        # One error a line.
        assert row['cer'] == pytest.approx(row['num_lines'] / row['num_characters'], abs=1e-12)
        assert row['cer_95_low'] < row['cer'] < row['cer_95_high']
        assert row['accurate_rate'] == row['correct_rate'] == pytest.approx(1 - row['cer'], abs=1e-12)


def test_generated_lines_have_the_texts_and_the_size_of_the_real_ones(indices):
    reader = GreyReader()
    real_seen, real_unseen, generated_seen, generated_unseen = reading.reader_protocol(
        reader, indices, model=SloppyWriter(), truncation=0.5, num_lines=10, report=lambda line: None
    )
    assert generated_seen.texts == real_seen.texts and generated_unseen.texts == real_unseen.texts
    for real, generated in ((real_seen, generated_seen), (real_unseen, generated_unseen)):
        assert (
            [image.shape for image in real.images]
            == [image.shape for image in generated.images]
            == [(32, 32 * len(text)) for text in real.texts]
        )


def test_the_same_seed_draws_the_same_lines_and_styles(indices):
    writers = [SloppyWriter() for _ in range(3)]
    first, again, other = (
        run(indices, model=writer, truncation=0.5, num_lines=12, seed=seed)
        for writer, seed in zip(writers, (3, 3, 4))
    )
    assert [condition.texts for condition in first] == [condition.texts for condition in again]
    assert [condition.summary(seed=3) for condition in first] == [
        condition.summary(seed=3) for condition in again
    ]
    assert writers[0].seeds == writers[1].seeds != writers[2].seeds
    assert len(set(writers[0].seeds)) == 24
    assert first[0].texts != other[0].texts
    # More lines are the same lines and others, so that a longer run extends a shorter one.
    assert run(indices, num_lines=20, seed=3)[0].texts[:12] == first[0].texts


def test_without_a_writer_real_lines_only_and_at_true_aspect_on_demand(indices):
    conditions = run(indices, num_lines=5, char_width_px=16, true_aspect=True)
    assert [condition.name for condition in conditions] == [
        'real_seen',
        'real_unseen',
        'real_seen_true_aspect',
        'real_unseen_true_aspect',
    ]
    seen, wide = conditions[0], conditions[2]
    assert [image.shape for image in seen.images] == [(32, 16 * len(text)) for text in seen.texts]
    assert [image.shape for image in wide.images] == [(32, 32 * len(text)) for text in wide.texts]
    assert [condition.name for condition in run({'test': indices['test']}, num_lines=5)] == ['real_seen']


def test_characters_the_reader_does_not_know_are_counted(indices):
    reader = GreyReader()
    reader.characters = frozenset(ALPHABET) - {'天'}
    condition = reading.reader_protocol(reader, indices, num_lines=40, report=lambda line: None)[0]
    assert condition.num_unreadable == ''.join(condition.texts).count('天') > 0


def test_a_text_that_stands_twice_counts_twice(indices):
    class Twice:
        def __len__(self):
            return 6

        def read_record(self, number):
            return indices['test'].read_record(number % 3)

    reader = GreyReader()
    reader.characters = frozenset(ALPHABET) - set(indices['test'].read_record(1).text[:1])
    condition = reading.reader_protocol(reader, {'test': Twice()}, num_lines=6, report=lambda line: None)[0]
    assert (
        len(set(condition.texts)) == 3
        and condition.num_unreadable
        == sum(c not in reader.characters for text in condition.texts for c in text)
        > 0
    )


def test_readings_as_figures(indices):
    conditions = run(indices, model=SloppyWriter(), truncation=0.5, num_lines=12, true_aspect=True)
    figures = reading.reading_figures(conditions)
    by_name = {condition.name: condition.summary(seed=0)['cer'] for condition in conditions}
    assert set(figures) == {'cer_seen_12', 'cer_unseen_12'}
    assert figures['cer_seen_12'] == {
        'floor': 0.0,
        'true_aspect': 0.0,
        'generated': by_name['generated_seen'],
    }
    again, other = (
        run(indices, num_lines=12, seed=seed, true_aspect=True, model=SloppyWriter(), truncation=0.5)
        for seed in (0, 1)
    )
    assert reading.texts_digest(again) == reading.texts_digest(conditions) != reading.texts_digest(other)


def test_no_lines_are_refused(indices):
    with pytest.raises(ValueError, match='num_lines=0'):
        run(indices, num_lines=0)
    with pytest.raises(ValueError, match='one split'):
        run({})


def test_lines_and_hands_are_those_of_the_seeds_streams(indices):
    """Beyond 32 lines, which are written at once, too."""
    writer = SloppyWriter()
    conditions = {
        condition.name: condition
        for condition in run(indices, model=writer, truncation=0.5, num_lines=39, seed=6)
    }

    def rng(*stream):
        return np.random.default_rng([6, *stream])

    for number, (split, kind, count) in enumerate((('test', 'seen', 39), ('unseen', 'unseen', 15))):
        order = rng(0, number).permutation(len(indices[split]))[:39]
        assert conditions[f'real_{kind}'].texts == [
            indices[split].read_record(int(place)).text for place in order
        ]
        seeds, writer.seeds = writer.seeds[:count], writer.seeds[count:]
        assert seeds == rng(1, number).integers(2**63, size=count).tolist()
        wrong = [
            sum(a != b for a, b in zip(text, reading))
            for text, reading in zip(
                conditions[f'generated_{kind}'].texts, conditions[f'generated_{kind}'].readings
            )
        ]
        assert wrong == [1] * count == conditions[f'generated_{kind}'].counts.errors.tolist()
    assert (
        not writer.seeds
        and reading.bootstrap_seed(6) == [6, 2]
        and reading.SPLITS == {'test': 'seen', 'unseen': 'unseen'}
    )
    assert reading.reader_protocol.__kwdefaults__ == {
        'model': None,
        'num_lines': 200,
        'seed': 0,
        'char_px': 32,
        'char_width_px': 32,
        'true_aspect': False,
        'crop': False,
        'truncation': 0.8,
        'report': print,
    }


class Silent:
    """Reads one text everywhere; keeps the pictures."""

    characters = frozenset('天A!')

    def __init__(self, text):
        self.text, self.images = text, []

    def read(self, images):
        self.images += images
        return [self.text] * len(images)


def test_lines_are_cropped_before_they_are_read_where_that_is_asked(indices):
    """Grey levels of 200 and more are paper: the cells of 盈 and 昃 at the ends of lines."""
    reader = Silent('天')
    conditions = reading.reader_protocol(reader, indices, num_lines=15, crop=True, report=lambda line: None)
    for condition in conditions:
        for text, image in zip(condition.texts, condition.images, strict=True):
            assert image.shape[0] == 32 and (image.shape[1] == 32 * len(text)) == (
                not {text[0], text[-1]} & set('盈昃') or set(text) <= set('盈昃')
            )
    assert sum(map(len, (condition.images for condition in conditions))) == len(reader.images) and any(
        image.shape[1] % 32 for image in reader.images
    )


def test_texts_are_compared_folded_and_what_is_said_of_them(monkeypatch):
    """Full-width and plain are one; what the reader does not know is counted of what was to be written."""

    class Index:
        texts = ['Ａ！天', '天 ，人']

        def __len__(self):
            return len(self.texts)

        def read_record(self, number):
            ids = np.ones(len(self.texts[number]), np.int32)
            return records.LineRecord(
                np.full([20, 50], 90, np.uint8), self.texts[number], ids, None, ids, 'a', 'made'
            )

    said = []
    (condition,) = reading.reader_protocol(
        Silent('Ａ！　天'), {'test': Index()}, num_lines=5, report=said.append
    )
    errors = dict(zip(condition.texts, condition.counts.errors.tolist()))
    assert errors == {'Ａ！天': 0, '天 ，人': 3} and condition.num_unreadable == 2  # , and 人
    assert (
        said == ['real_seen: 2 lines read, character error 0.500'] and condition.readings == ['Ａ！　天'] * 2
    )
    summary = condition.summary(seed=3)
    low, high = text_metrics.bootstrap_interval(condition.counts, text_metrics.character_error_rate, seed=3)
    assert summary == {
        'name': 'real_seen',
        'num_lines': 2,
        'num_characters': 6,
        'num_unreadable_characters': 2,
        'cer': 0.5,
        'cer_95_low': low,
        'cer_95_high': high,
        'accurate_rate': 0.5,
        'correct_rate': 0.5,
        'normalized_edit_distance': 0.5,
    }
    other = text_metrics.edit_counts(['天', '天地'], ['天地玄', '地'])
    summary = condition._replace(counts=other).summary(seed=3)
    assert [
        summary[name] for name in ('cer', 'accurate_rate', 'correct_rate', 'normalized_edit_distance')
    ] == pytest.approx([1.0, 0.0, 2 / 3, (2 / 3 + 1 / 2) / 2])


def test_the_digest_is_that_of_kinds_and_texts(indices):
    one, two = run(indices, num_lines=3)
    digest = reading.texts_digest([one, two])
    assert digest == reading.texts_digest([one._replace(readings=[], images=[]), two]) and len(digest) == 64
    assert (
        len(
            {
                digest,
                reading.texts_digest([two, one]),
                reading.texts_digest([one, two._replace(name='x')]),
                reading.texts_digest([one]),
                reading.texts_digest([one._replace(texts=one.texts[::-1]), two]),
            }
        )
        == 5
    )
