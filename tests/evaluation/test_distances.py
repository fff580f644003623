"""The protocols of distances: which lines, cut how, held against which; with a space and a writer whose
figures are known.
"""

import functools

import numpy as np
import pytest

from hwgen.data.reading import shards
from hwgen.evaluation.measuring import conventions, distances, line_halves, line_statistics
from hwgen.metrics import distribution, geometry_score, memorization


class Writer:
    """Writes every character in one grey: that of the style seed, or of the style it is given."""

    char_px = char_width_px = 32
    style_dim, learned_room = 1, False

    def __init__(self, *, grey=None, encoder=True):
        self.grey, self.calls = grey, []
        self.style_encoder = (
            (lambda line, training: {'style_mean': _Tensor(line.mean().reshape(1, 1))}) if encoder else None
        )

    def write(self, texts, *, style_seeds, styles, truncation):
        self.calls.append((list(texts), list(map(int, style_seeds)), styles, truncation))
        greys = (
            [self.grey if self.grey is not None else seed % 256 for seed in style_seeds]
            if styles is None
            else (styles[:, 0] + 1.0) * 127.5
        )
        return [
            np.full([32, 32 * len(text)], round(float(grey)), np.uint8) for text, grey in zip(texts, greys)
        ]


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
    monkeypatch.setattr(line_halves, '_GEOMETRY_REPEATS', 2)


def run(index, name, space, **options):
    return distances.compare(index, name, space=space, report=lambda line: None, **options)


def test_numbers_of_lines_and_repeats_are_the_protocols_unless_less_is_asked(index, grey_space, monkeypatch):
    monkeypatch.setitem(
        conventions.CONVENTIONS, 'hct', conventions.CONVENTIONS['hct']._replace(num_lines=9, geometry_lines=6)
    )
    asked, options = [], dict(space=grey_space, cells=dict(char_px=32, char_width_px=32), seed=4)
    monkeypatch.setattr(
        line_statistics.geometry_score,
        'relative_living_times',
        lambda points, **told: asked.append((len(points), told)) or np.array([len(asked), 0.0]),
    )
    halves = line_halves.Halves(index, 'hct', num_lines=20, **options)
    assert (
        len(halves.selection.first) == 9
        and len(line_halves.Halves(index, 'hct', num_lines=4, **options).selection.second) == 4
    )
    figures = halves.figures()
    # one for each side
    assert (
        figures['geometry_score_pixels_6'] == {'floor': 1.0}
        and asked == [(6, {'num_repeats': 2, 'seed': [4, 4]})] * 2
    )
    assert (
        set(halves.figures(halves.second)['geometry_score_pixels_6']) == {'floor', 'generated', 'other_texts'}
        and len(asked) == 2
    )
    assert (
        'geometry_score_pixels_6' in line_halves.Halves(index, 'hct', geometry_repeats=7, **options).figures()
        and asked[-1][1]['num_repeats'] == 7
    )
    assert set(line_halves.Halves(index, 'hct', geometry_repeats=0, **options).figures()) == {
        'fid_grey_9',
        'kid_grey_9',
        'is_grey_9',
    }


def test_more_vectors_than_are_kept_are_a_sample(index, grey_space, monkeypatch):
    """The same draw on every side of every seed: what is kept of written lines are the places that are
    kept of the real ones.
    """
    monkeypatch.setattr(line_statistics, '_KEPT_VECTORS', 5)
    protocol = conventions.CONVENTIONS['hct']._replace(geometry_lines=7)
    side = line_statistics.Side(
        protocol, grey_space, cells=dict(char_px=32, char_width_px=32), geometry_repeats=1
    )
    lines = [index.read_record(number) for number in range(30)]
    for part in (lines[:13], lines[13:]):
        side.update([line.image for line in part], part)
    cut = [
        conventions.pictures(
            line.image, kind='cells', num_characters=len(line.text), char_px=32, char_width_px=32
        )[0]
        for line in lines
    ]
    for found, capacity, vectors in (
        (side.vectors, 5, grey_space.measure(cut).vectors),
        (side.points, 7, np.stack(list(map(line_statistics._left_pixels, cut)))),
    ):
        expected = distribution.FeatureReservoir(capacity, seed=2)
        expected.update(vectors)
        np.testing.assert_array_equal(found.features, expected.features)
    assert (
        side.statistics.count == side.inception.count == 30
        and side.hands is None
        and side.inception_score() == side.inception.value
    )


def test_no_more_lines_of_a_hand_are_read_than_are_its_due(index, grey_space, monkeypatch):
    """The first of each writer in the order of the half, across chunks."""
    monkeypatch.setattr(line_halves, '_STYLE_LINES', 3)
    monkeypatch.setattr(line_halves, '_CHUNK_LINES', 5)
    monkeypatch.setattr(
        line_halves,
        'read_style',
        lambda writer, images, numbers: (writer, [image.tobytes() for image in images], list(numbers)),
    )
    lines = [index.read_record(number) for number in range(30, 0, -1)]
    found = line_halves._hands(index, range(30, 0, -1), 'writer')
    assert list(found) == list(dict.fromkeys(line.writer for line in lines))
    for name, (writer, images, numbers) in found.items():
        own = [line for line in lines if line.writer == name][:3]
        assert (writer, images, numbers) == (
            'writer',
            [line.image.tobytes() for line in own],
            [len(line.text) for line in own],
        )


def test_figures_are_those_of_the_lines(index, grey_space):
    """One seed, worked out again from the records."""
    writer = Writer()
    found = run(index, 'scrabblegan', grey_space, model=writer, seed=3, truncation=0.7)
    chosen = line_halves.choose_lines(index, 'scrabblegan', num_lines=conventions.ALL_LINES, seed=3)
    assert found.digest == chosen.digest
    texts = [index.read_record(number).text for number in chosen.second]
    assert [text for call in writer.calls for text in call[0]] == texts and {
        call[3] for call in writer.calls
    } == {0.7}
    seeds = [seed for call in writer.calls for seed in call[1]]
    assert len(set(seeds)) == 25

    def cut(number):
        return conventions.pictures(
            index.read_record(number).image,
            kind='cells',
            num_characters=len(index.read_record(number).text),
            char_px=32,
            char_width_px=32,
        )[0]

    sides = {
        'first': [cut(number) for number in chosen.first],
        'second': [cut(number) for number in chosen.second],
        'written': [np.full([32, 32], seed % 256, np.uint8) for seed in seeds],
    }

    def fid(a, b):
        moments = [distribution.FeatureStatistics() for _ in range(2)]
        for one, side in zip(moments, (a, b)):
            one.update(grey_space.measure(sides[side]).vectors)
        return distribution.frechet_distance(*moments)

    values = found.figures['fid_grey_25']
    assert values == pytest.approx(
        {
            'floor': fid('first', 'second'),
            'generated': fid('second', 'written'),
            'other_texts': fid('first', 'written'),
        },
        rel=1e-5,
    )
    kid = distribution.kernel_distance(
        *(grey_space.measure(sides[side]).vectors for side in ('second', 'written'))
    )[0]
    assert found.figures['kid_grey_25']['generated'] == pytest.approx(kid, rel=1e-5)
    assert set(found.figures) == {'fid_grey_25', 'kid_grey_25', 'is_grey_25', 'geometry_score_pixels_25'}
    for kind, side in (('floor', 'second'), ('generated', 'written')):
        p = np.float64(grey_space.measure(sides[side]).probabilities)
        assert found.figures['is_grey_25'][kind] == pytest.approx(
            np.exp(np.mean(np.sum(p * np.log(np.maximum(p, 1e-12) / p.mean(0)), axis=1))), rel=1e-6
        )
    assert (
        1.0 <= found.figures['is_grey_25']['generated'] <= 2.0
        and len(found.sheet) == line_statistics._SHOWN
        and found.copies == []
    )
    for (real, written), number, seed in zip(found.sheet, chosen.second, seeds):
        np.testing.assert_array_equal(real, index.read_record(number).image)
        assert (written == seed % 256).all()


def test_the_same_call_gives_the_same_figures_and_another_seed_others(index, grey_space):
    first, again, other = (
        run(index, 'hct', grey_space, model=Writer(), num_lines=12, seed=seed) for seed in (0, 0, 1)
    )
    assert first.figures == again.figures and first.digest == again.digest
    assert first.figures != other.figures and first.digest != other.digest
    assert first.figures['geometry_score_pixels_12'].keys() == {'generated', 'floor', 'other_texts'}


def test_the_floor_alone_without_a_model(index, grey_space):
    found = run(index, 'ganwriting', grey_space, cells=dict(char_px=32, char_width_px=32))
    assert {kind for values in found.figures.values() for kind in values} == {'floor'} and all(
        len(row) == 1 for row in found.sheet
    )
    assert set(grey_space.shapes) == {(64, 64)}


def test_hands_are_imitated_from_the_other_half(index, grey_space):
    """A writer's grey is read from lines of the first half and written again: the hands are right, and
    were they mixed up, it would show.
    """
    writer = Writer()
    found = run(index, 'hwd', grey_space, model=writer, seed=0)
    values = found.figures['hwd_grey_24']
    assert values['generated'] < 0.02 and values['floor'] < 0.02 < values['other_hands']
    assert all(call[2] is not None for call in writer.calls)
    # a grey of its own is not used where styles are given
    wrong = run(index, 'hwd', grey_space, model=Writer(grey=200, encoder=True)).figures
    assert wrong['hwd_grey_24']['generated'] == pytest.approx(values['generated'])
    with pytest.raises(ValueError, match='--protocol=hwd: the model has no style encoder'):
        run(index, 'hwd', grey_space, model=Writer(encoder=False))


@pytest.mark.parametrize('name', ['hwd', 'ganwriting'])
def test_hands_are_read_from_lines_that_are_not_compared(index, grey_space, monkeypatch, name):
    """From those of the first half, each writer's own, where the written lines are held against the
    second.
    """
    read = []
    monkeypatch.setattr(
        line_halves,
        'read_style',
        lambda writer, images, num_characters: (
            read.append((images, num_characters)) or np.zeros(1, np.float32)
        ),
    )
    run(index, name, grey_space, model=Writer(), seed=1)
    chosen, expected = line_halves.choose_lines(index, name, num_lines=conventions.ALL_LINES, seed=1), {}
    for record in map(index.read_record, chosen.first):
        expected.setdefault(record.writer, []).append((record.image.tobytes(), len(record.text)))
    assert sorted(
        [(image.tobytes(), n) for image, n in zip(images, numbers)] for images, numbers in read
    ) == sorted(expected.values())


def test_handwriting_distance_is_that_of_the_writers_columns(index, grey_space):
    """A line counts by its feature columns, pixels here: worked out again from the records."""
    values = run(index, 'hwd', grey_space, cells=dict(char_px=32, char_width_px=32), seed=2).figures
    chosen, means = line_halves.choose_lines(index, 'hwd', num_lines=conventions.ALL_LINES, seed=2), []
    for half in (chosen.first, chosen.second):
        by_writer = {}
        for record in map(index.read_record, half):
            by_writer.setdefault(record.writer, []).append(
                (grey_space.measure([record.image]).vectors[0], record.image.shape[1])
            )
        means.append(
            {
                writer: np.average(
                    [vector for vector, _ in lines], axis=0, weights=[width for _, width in lines]
                )
                for writer, lines in by_writer.items()
            }
        )
    assert values['hwd_grey_24']['floor'] == pytest.approx(
        np.mean([np.linalg.norm(means[0][w] - means[1][w]) for w in means[0]]), rel=1e-4
    )
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
    run(Long(index), 'scrabblegan', grey_space, model=writer)
    seeds = [seed for call in writer.calls for seed in call[1]]
    assert len(writer.calls) == 7 and len(set(seeds)) == 200
    # the stream: the same hands for every model
    assert seeds == np.random.default_rng([0, 1]).integers(2**63, size=200).tolist()


def test_lines_are_measured_alike_in_chunks_of_any_size(index, grey_space, monkeypatch):
    """What is shown, what is nearest to training lines and every figure, with a last chunk that is not
    full.
    """
    training, whole = np.random.default_rng(0).random([30, 2]).astype(np.float32), None
    for size in (32, 7, 3):
        monkeypatch.setattr(line_halves, '_CHUNK_LINES', size)
        found = run(index, 'hct', grey_space, model=Writer(), training=training, seed=6)
        whole = whole or found
        assert (
            found.digest == whole.digest
            and found.figures.keys() == whole.figures.keys()
            and len(found.sheet) == len(found.copies) == 10
        )
        for name, values in found.figures.items():
            assert values == pytest.approx(whole.figures[name], rel=1e-6, abs=1e-9)
        for row, other in zip((*found.sheet, *found.copies), (*whole.sheet, *whole.copies), strict=True):
            assert all(np.array_equal(one, same) for one, same in zip(row, other, strict=True))


def test_what_is_said_of_a_seed(index, grey_space):
    said, cells = [], dict(char_px=32, char_width_px=32)
    for writer in (Writer(), None):
        distances.compare(
            index,
            'hct',
            space=grey_space,
            model=writer,
            cells=cells,
            num_lines=12,
            seed=3,
            report=said.append,
        )
    assert said == ['seed 3: 2 x 12 real lines, 12 generated', 'seed 3: 2 x 12 real lines']


def test_what_is_drawn_in_measuring_follows_the_seed(index, grey_space, monkeypatch):
    """Subsets of KID and landmarks of the geometry score, of the same lines."""
    chosen = line_halves.choose_lines(index, 'hct', num_lines=20, seed=0)
    monkeypatch.setattr(line_halves, 'choose_lines', lambda *arguments, **options: chosen)
    monkeypatch.setattr(
        line_statistics.distribution,
        'kernel_distance',
        functools.partial(distribution.kernel_distance, subset_size=8, num_subsets=3),
    )
    # Few landmarks and a complex that grows large: one of 20 points has no holes at the authors' size.
    monkeypatch.setattr(
        line_statistics.geometry_score,
        'relative_living_times',
        functools.partial(geometry_score.relative_living_times, num_landmarks=12, gamma=0.9),
    )
    first, again, other = (
        line_halves.Halves(
            index,
            'hct',
            space=grey_space,
            cells=dict(char_px=32, char_width_px=32),
            seed=seed,
            geometry_repeats=2,
        ).figures()
        for seed in (3, 3, 4)
    )
    assert first == again
    for name in ('kid_grey_20', 'geometry_score_pixels_20'):
        assert first[name] != other[name]
    assert first['fid_grey_20'] == other['fid_grey_20']


def test_copies_of_training_lines_show(written_folder, index, grey_space):
    train = shards.RecordIndex(written_folder, split='train')
    cells = dict(char_px=32, char_width_px=32)
    training = distances.training_features(train, 'hct', space=grey_space, cells=cells)
    numbers = distances.training_lines(train)
    assert training.shape == (40, 2) and sorted(numbers) == list(range(40)) != list(numbers)
    cut = [
        conventions.pictures(record.image, kind='cells', num_characters=len(record.text), **cells)[0]
        for record in (train.read_record(int(number)) for number in numbers)
    ]
    np.testing.assert_array_equal(training, grey_space.measure(cut).vectors)

    class Copier(Writer):
        def write(self, texts, **options):
            by_length = {
                len(train.read_record(int(number)).text): train.read_record(int(number)) for number in numbers
            }
            records = [by_length[len(text)] for text in texts]
            return [
                conventions.pictures(record.image, kind='cells', num_characters=len(record.text), **cells)[0]
                for record in records
            ]

    copied = run(index, 'hct', grey_space, model=Copier(), training=training)
    figures = copied.figures
    assert (
        figures['copied_share_grey_25']['generated'] == 1.0
        and figures['copying_z_grey_25']['generated'] < -4.0 < figures['copying_z_grey_25']['floor']
    )
    # The sheet shows each copy with what it is a copy of.
    image, place = copied.copies[0]
    record = train.read_record(int(numbers[place]))
    np.testing.assert_array_equal(
        image, conventions.pictures(record.image, kind='cells', num_characters=len(record.text), **cells)[0]
    )
    honest = run(index, 'hct', grey_space, model=Writer(), training=training).figures
    assert (
        honest['copied_share_grey_25']['generated'] < 0.5 and honest['copying_z_grey_25']['generated'] > 0.0
    )


def test_training_lines_are_drawn_from_all_of_them(written_folder, monkeypatch):
    train = shards.RecordIndex(written_folder, split='train')
    every = distances.training_lines(train)
    monkeypatch.setattr(distances, '_TRAINING_LINES', 8)
    np.testing.assert_array_equal(distances.training_lines(train), every[:8])
    assert max(every[:8]) >= 8  # not the first ones alone


def test_copies_are_looked_for_where_the_protocol_has_it(index, grey_space):
    """Test lines are those of the second half; the first half and the written lines are held against them."""
    training, options = (
        np.array([[0.1, 0.1], [0.6, 0.6]], np.float32),
        dict(space=grey_space, cells=dict(char_px=32, char_width_px=32), training=None, num_lines=8),
    )
    halves = line_halves.Halves(index, 'hct', **{**options, 'training': training})

    def nearest(side):
        return np.concatenate(side.distances)

    vectors = grey_space.measure(
        [
            conventions.pictures(
                record.image, kind='cells', num_characters=len(record.text), char_px=32, char_width_px=32
            )[0]
            for record in map(index.read_record, halves.selection.second)
        ]
    ).vectors
    np.testing.assert_allclose(
        nearest(halves.second), np.linalg.norm(vectors[:, np.newaxis] - training, axis=2).min(1), rtol=1e-5
    )
    figures = halves.figures(halves.first)
    for name, measure in (
        ('copying_z_grey_8', memorization.copying_score),
        ('copied_share_grey_8', memorization.copied_share),
    ):
        expected = measure(nearest(halves.second), nearest(halves.first))
        assert figures[name] == {'floor': expected, 'generated': expected} and halves.figures()[name] == {
            'floor': expected
        }
    assert not any(name.startswith('cop') for name in line_halves.Halves(index, 'hct', **options).figures())
    assert not line_halves.Halves(index, 'hwd', **{**options, 'training': training}).second.distances


def test_the_closest_copies_are_shown_the_closest_first(index, grey_space):
    training = np.random.default_rng(0).random([30, 2]).astype(np.float32)
    found = run(index, 'hct', grey_space, model=Writer(), training=training)

    def distances_of(image):
        return np.linalg.norm(training - grey_space.measure([image]).vectors[0], axis=1)

    shown = [distances_of(image)[place] for image, place in found.copies]
    written = [
        np.full([32, 32], seed % 256, np.uint8)
        for seed in np.random.default_rng([0, line_halves._STREAMS['styles']]).integers(2**63, size=25)
    ]
    np.testing.assert_allclose(
        shown, np.sort([distances_of(image).min() for image in written])[:10], rtol=1e-5
    )


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

    run(Long(index), 'scrabblegan', Counting(), model=Short())
    assert max(sizes) == line_halves._CHUNK_LINES and sum(sizes) == 4 * 200


def test_counts_in_names():
    assert [line_statistics.short_count(number) for number in (25, 999, 1000, 1234, 1500, 20000)] == [
        '25',
        '999',
        '1k',
        '1234',
        '1.5k',
        '20k',
    ]
