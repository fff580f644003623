"""The protocols of distances: which lines, cut how, held against which; with a space and a writer whose figures are known."""

import functools

import numpy as np
import pytest

from hwgen.data import shards
from hwgen.evaluation import distribution_protocol as distances
from hwgen.metrics import distribution, geometry_score


class Writer:
    """Writes every character in one grey: that of the style seed, or of the style it is given."""

    char_px = char_width_px = 32
    style_dim = 1

    def __init__(self, *, grey=None, encoder=True):
        self.grey, self.calls = grey, []
        self.style_encoder = (lambda line, training: {'style_mean': _Tensor(line.mean().reshape(1, 1))}) if encoder else None

    def write(self, texts, *, style_seeds, styles, truncation):
        self.calls.append((list(texts), list(map(int, style_seeds)), styles, truncation))
        greys = [self.grey if self.grey is not None else seed % 256 for seed in style_seeds] if styles is None else (styles[:, 0] + 1.) * 127.5
        return [np.full([32, 32 * len(text)], round(float(grey)), np.uint8) for text, grey in zip(texts, greys)]


class _Tensor(np.ndarray):
    """An array with TensorFlow's `numpy()`."""

    def __new__(cls, values):
        return np.asarray(values).view(cls)

    def numpy(self):
        return np.asarray(self)


@pytest.fixture
def index(written_folder):
    return shards.RecordIndex(written_folder, split='test')


@pytest.fixture(autouse=True)
def _few_landmarks(monkeypatch):
    monkeypatch.setattr(distances, '_GEOMETRY_REPEATS', 2)


def run(index, name, space, **options):
    return distances.compare(index, name, space=space, report=lambda line: None, **options)


def test_halves_share_no_line_and_are_fixed_by_the_seed(index):
    chosen = distances.choose_lines(index, 'scrabblegan', num_lines=distances.ALL_LINES, seed=1)
    assert sorted(chosen.first + chosen.second) == list(range(50))
    assert chosen == distances.choose_lines(index, 'scrabblegan', num_lines=distances.ALL_LINES, seed=1)
    others = [
        distances.choose_lines(index, 'scrabblegan', num_lines=distances.ALL_LINES, seed=2),
        distances.choose_lines(index, 'scrabblegan', num_lines=20, seed=1), distances.choose_lines(index, 'hct', num_lines=distances.ALL_LINES, seed=1)]
    assert len({chosen.digest, *(other.digest for other in others)}) == 4
    assert len(others[1].first) == len(others[1].second) == 20
    with pytest.raises(ValueError, match="split 'test': 1 lines for each half, expected at least 2"):
        distances.choose_lines(index, 'hct', num_lines=1, seed=0)


def test_hands_are_paired_and_take_turns(index):
    chosen = distances.choose_lines(index, 'hwd', num_lines=14, seed=0)
    writers = [[index.read_record(number).writer for number in half] for half in (chosen.first, chosen.second)]
    assert writers[0] == writers[1] and not set(chosen.first) & set(chosen.second)
    assert sorted(writers[0].count(writer) for writer in set(writers[0])) == [2, 2, 2, 2, 3, 3]


@pytest.mark.parametrize('kind, shapes', [('cells', [(32, 96)]), ('left', [(64, 64)]), ('squares', [(32, 32)] * 3)])
def test_pictures(kind, shapes):
    image = np.tile(np.linspace(0., 255., 144), [64, 1]).astype(np.uint8)
    found = distances.pictures(image, kind=kind, num_characters=3, char_px=32, char_width_px=32)
    assert [picture.shape for picture in found] == shapes
    if kind == 'left':
        np.testing.assert_array_equal(found[0], image[:, :64])
    if kind == 'squares':  # 72 px wide at 32 px: two squares and 8 px, the rest is paper
        np.testing.assert_array_equal(found[2][:, 8:], 255)
        assert abs(float(np.concatenate(found, axis=1)[:, :72].mean()) - image.mean()) < 2.


def test_figures_are_those_of_the_lines(index, grey_space):
    """One seed, worked out again from the records."""
    writer = Writer()
    found = run(index, 'scrabblegan', grey_space, writer=writer, seed=3, truncation=.7)
    chosen = distances.choose_lines(index, 'scrabblegan', num_lines=distances.ALL_LINES, seed=3)
    assert found.digest == chosen.digest
    texts = [index.read_record(number).text for number in chosen.second]
    assert [text for call in writer.calls for text in call[0]] == texts and {call[3] for call in writer.calls} == {.7}
    seeds = [seed for call in writer.calls for seed in call[1]]
    assert len(set(seeds)) == 25
    cut = lambda number: distances.pictures(index.read_record(number).image, kind='cells', num_characters=len(index.read_record(number).text), char_px=32,
                                            char_width_px=32)[0]
    sides = {'first': [cut(number) for number in chosen.first], 'second': [cut(number) for number in chosen.second],
             'written': [np.full([32, 32], seed % 256, np.uint8) for seed in seeds]}

    def fid(a, b):
        moments = [distribution.FeatureStatistics() for _ in range(2)]
        for one, side in zip(moments, (a, b)):
            one.update(grey_space.measure(sides[side]).vectors)
        return distribution.frechet_distance(*moments)

    values = found.figures['fid_grey_25']
    assert values == pytest.approx({'floor': fid('first', 'second'), 'generated': fid('second', 'written'), 'other_texts': fid('first', 'written')}, rel=1e-5)
    kid = distribution.kernel_distance(*(grey_space.measure(sides[side]).vectors for side in ('second', 'written')))[0]
    assert found.figures['kid_grey_25']['generated'] == pytest.approx(kid, rel=1e-5)
    assert set(found.figures) == {'fid_grey_25', 'kid_grey_25', 'is_grey_25', 'geometry_score_pixels_25'}
    assert 1. <= found.figures['is_grey_25']['generated'] <= 2. and len(found.sheet) == distances._SHOWN and found.copies == []


def test_the_same_call_gives_the_same_figures_and_another_seed_others(index, grey_space):
    first, again, other = (run(index, 'hct', grey_space, writer=Writer(), num_lines=12, seed=seed) for seed in (0, 0, 1))
    assert first.figures == again.figures and first.digest == again.digest
    assert first.figures != other.figures and first.digest != other.digest
    assert first.figures['geometry_score_pixels_12'].keys() == {'generated', 'floor', 'other_texts'}


def test_the_floor_alone_without_a_model(index, grey_space):
    found = run(index, 'ganwriting', grey_space, cells=dict(char_px=32, char_width_px=32))
    assert {kind for values in found.figures.values() for kind in values} == {'floor'} and all(len(row) == 1 for row in found.sheet)
    assert set(grey_space.shapes) == {(64, 64)}


def test_hands_are_imitated_from_the_other_half(index, grey_space):
    """A writer's grey is read from lines of the first half and written again: the hands are right, and were they mixed up, it would show."""
    writer = Writer()
    found = run(index, 'hwd', grey_space, writer=writer, seed=0)
    values = found.figures['hwd_grey_24']
    assert values['generated'] < .02 and values['floor'] < .02 < values['other_hands']
    assert all(call[2] is not None for call in writer.calls)
    wrong = run(index, 'hwd', grey_space, writer=Writer(grey=200, encoder=True)).figures  # a grey of its own is not used where styles are given
    assert wrong['hwd_grey_24']['generated'] == pytest.approx(values['generated'])
    with pytest.raises(ValueError, match='--protocol=hwd: the model has no style encoder'):
        run(index, 'hwd', grey_space, writer=Writer(encoder=False))


@pytest.mark.parametrize('name', ['hwd', 'ganwriting'])
def test_hands_are_read_from_lines_that_are_not_compared(index, grey_space, monkeypatch, name):
    """From those of the first half, each writer's own, where the written lines are held against the second."""
    read = []
    monkeypatch.setattr(distances, 'read_style', lambda writer, images, num_characters: read.append((images, num_characters)) or np.zeros(1, np.float32))
    run(index, name, grey_space, writer=Writer(), seed=1)
    chosen, expected = distances.choose_lines(index, name, num_lines=distances.ALL_LINES, seed=1), {}
    for record in map(index.read_record, chosen.first):
        expected.setdefault(record.writer, []).append((record.image.tobytes(), len(record.text)))
    assert sorted([(image.tobytes(), n) for image, n in zip(images, numbers)] for images, numbers in read) == sorted(expected.values())


def test_handwriting_distance_is_that_of_the_writers_columns(index, grey_space):
    """A line counts by its feature columns, pixels here: worked out again from the records."""
    values = run(index, 'hwd', grey_space, cells=dict(char_px=32, char_width_px=32), seed=2).figures
    chosen, means = distances.choose_lines(index, 'hwd', num_lines=distances.ALL_LINES, seed=2), []
    for half in (chosen.first, chosen.second):
        by_writer = {}
        for record in map(index.read_record, half):
            by_writer.setdefault(record.writer, []).append((grey_space.measure([record.image]).vectors[0], record.image.shape[1]))
        means.append({writer: np.average([vector for vector, _ in lines], axis=0, weights=[width for _, width in lines])
                      for writer, lines in by_writer.items()})
    assert values['hwd_grey_24']['floor'] == pytest.approx(np.mean([np.linalg.norm(means[0][w] - means[1][w]) for w in means[0]]), rel=1e-4)
    between = [np.linalg.norm(means[1][a] - means[1][b]) for a in means[1] for b in means[1] if a < b]
    assert values['hwd_grey_24']['other_hands'] == pytest.approx(np.mean(between), rel=1e-4)


class Long:
    """400 lines: those of an index, again and again."""

    def __init__(self, index):
        self.folder, self.split, self._index = index.folder, index.split, index

    def __len__(self):
        return 400

    def read_record(self, number, **options):
        return self._index.read_record(number % 50, **options)


def test_every_line_has_a_hand_of_its_own_beyond_a_chunk_too(index, grey_space):
    writer = Writer()
    run(Long(index), 'scrabblegan', grey_space, writer=writer)
    assert len(writer.calls) == 7 and len({seed for call in writer.calls for seed in call[1]}) == 200


def test_what_is_drawn_in_measuring_follows_the_seed(index, grey_space, monkeypatch):
    """Subsets of KID and landmarks of the geometry score, of the same lines."""
    chosen = distances.choose_lines(index, 'hct', num_lines=20, seed=0)
    monkeypatch.setattr(distances, 'choose_lines', lambda *arguments, **options: chosen)
    monkeypatch.setattr(distances.distribution, 'kernel_distance', functools.partial(distribution.kernel_distance, subset_size=8, num_subsets=3))
    # Few landmarks and a complex that grows large: one of 20 points has no holes at the authors' size.
    monkeypatch.setattr(distances.geometry_score, 'relative_living_times', functools.partial(geometry_score.relative_living_times, num_landmarks=12, gamma=.9))
    first, again, other = (distances.Halves(index, 'hct', space=grey_space, cells=dict(char_px=32, char_width_px=32), seed=seed, geometry_repeats=2).figures()
                           for seed in (3, 3, 4))
    assert first == again
    for name in ('kid_grey_20', 'geometry_score_pixels_20'):
        assert first[name] != other[name]
    assert first['fid_grey_20'] == other['fid_grey_20']


def test_copies_of_training_lines_show(written_folder, index, grey_space):
    train = shards.RecordIndex(written_folder, split='train')
    cells = dict(char_px=32, char_width_px=32)
    training = distances.training_features(train, 'hct', space=grey_space, cells=cells)
    numbers = distances.training_lines(train)
    assert training.shape == (40, 2) and sorted(numbers) == list(range(40))

    class Copier(Writer):
        def write(self, texts, **options):
            by_length = {len(train.read_record(int(number)).text): train.read_record(int(number)) for number in numbers}
            records = [by_length[len(text)] for text in texts]
            return [distances.pictures(record.image, kind='cells', num_characters=len(record.text), **cells)[0] for record in records]

    copied = run(index, 'hct', grey_space, writer=Copier(), training=training)
    figures = copied.figures
    assert figures['copied_share_grey_25']['generated'] == 1. and figures['copying_z_grey_25']['generated'] < -4. < figures['copying_z_grey_25']['floor']
    # The sheet shows each copy with what it is a copy of.
    image, place = copied.copies[0]
    record = train.read_record(int(numbers[place]))
    np.testing.assert_array_equal(image, distances.pictures(record.image, kind='cells', num_characters=len(record.text), **cells)[0])
    honest = run(index, 'hct', grey_space, writer=Writer(), training=training).figures
    assert honest['copied_share_grey_25']['generated'] < .5 and honest['copying_z_grey_25']['generated'] > 0.


def test_the_closest_copies_are_shown_the_closest_first(index, grey_space):
    training = np.random.default_rng(0).random([30, 2]).astype(np.float32)
    found = run(index, 'hct', grey_space, writer=Writer(), training=training)
    distances_of = lambda image: np.linalg.norm(training - grey_space.measure([image]).vectors[0], axis=1)
    shown = [distances_of(image)[place] for image, place in found.copies]
    written = [np.full([32, 32], seed % 256, np.uint8) for seed in np.random.default_rng([0, distances._STREAMS['styles']]).integers(2**63, size=25)]
    np.testing.assert_allclose(shown, np.sort([distances_of(image).min() for image in written])[:10], rtol=1e-5)


def test_no_more_lines_are_held_than_a_chunk(index, grey_space):
    """Lines stream: what is measured together never exceeds a chunk, whatever the number of lines."""
    sizes = []

    class Counting(type(grey_space)):
        def measure(self, pictures):
            sizes.append(len(pictures))
            return super().measure(pictures)

    class Short(Writer):
        def write(self, texts, **options):
            sizes.append(len(texts))
            return super().write(texts, **options)

    run(Long(index), 'scrabblegan', Counting(), writer=Short())
    assert max(sizes) == distances._CHUNK_LINES and sum(sizes) == 4 * 200


def test_counts_in_names():
    assert [distances.short_count(number) for number in (25, 999, 1000, 1234, 1500, 20000)] == ['25', '999', '1k', '1234', '1.5k', '20k']
