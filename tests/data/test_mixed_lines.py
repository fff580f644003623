"""The discriminator's real lines: which they are, that all are scaled by one rule, where long ones are
cut, what is refused.
"""

import numpy as np
import pytest

from hwgen.data.reading import shards
from hwgen.data.reading.mixed_lines import MixedLines, cut_line
from hwgen.data.reading.pipeline import LineBatches
from hwgen.data.reading.shards import RecordError
from hwgen.images import resize_line

SHAPES = ((40, 31), (40, 62), (32, 100), (50, 45), (64, 200), (20, 33), (40, 400))


def plain(make_record, number, shape):
    """A line without text, of one grey level, so that every piece of it can be told."""
    nothing = dict(
        text='',
        character_ids=np.zeros(0, np.int32),
        component_ids=np.zeros([0, 4], np.int32),
        structure_ids=np.zeros(0, np.int32),
        boxes=None,
    )
    return make_record(number, 1, image=np.full(shape, 20 * number + 20, np.uint8), **nothing)


@pytest.fixture(scope='module')
def unlabelled(tmp_path_factory, write_folder, make_record):
    """Seven lines without text."""
    return write_folder(
        tmp_path_factory.mktemp('unlabelled') / 'lines',
        [plain(make_record, i, shape) for i, shape in enumerate(SHAPES)],
    )


@pytest.fixture
def make_mixed(folder, unlabelled, charset):
    """Function of MixedLines' options and those of the batches -> MixedLines; four lines of 16 px in a
    batch, two of them unlabelled.
    """

    def make(lines=unlabelled, *, share=0.5, data=folder, **options):
        batches = LineBatches(data, charset=charset, **{'batch_size': 4, 'seed': 7, 'char_px': 16, **options})
        return MixedLines(batches, lines, share=share)

    return make


def number_of(line):
    """Which of the plain lines an image shows."""
    level = (np.unique(line) + 1) * 127.5
    assert level.max() - level.min() < 1e-3
    return round((level[0] - 20) / 20)


def test_first_the_lines_of_the_batch_then_unlabelled_ones(make_mixed):
    """The labelled ones are the batch's own records at their own aspect; every unlabelled line comes once
    in an epoch.
    """
    mixed, seen = make_mixed(char_width_px=8), []
    for step in range(14):
        real, (members, _) = mixed.batch(step), mixed.labelled.members(step)
        assert (
            real.images.dtype == np.float32
            and real.images.shape[:2] == (4, 16)
            and real.images.shape[2] % 8 == 0
        )
        np.testing.assert_array_equal(real.unlabelled_weights, [0, 0, 2, 2])
        widths = np.round(real.lengths * 8).astype(int)
        assert (widths % 4 == 0).all() and widths.max() > real.images.shape[2] - 8
        for row in range(4):
            assert (real.images[row, :, widths[row] :] == 1).all()
        for row in range(2):
            image = mixed.labelled.index.read_record(int(members[row])).image
            assert abs(widths[row] - image.shape[1] / image.shape[0] * 16 * mixed.stretch) <= 2
            np.testing.assert_array_equal(
                real.images[row, :, : widths[row], 0],
                resize_line(image, height_px=16, width_px=widths[row]),
            )
        seen += [number_of(real.images[row, :, : widths[row]]) for row in (2, 3)]
    for epoch in range(4):
        assert sorted(seen[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert seen[:7] != seen[7:14]


def test_unlabelled_lines_keep_their_aspect_but_for_the_factor_of_all(make_mixed):
    """Whole where they are no longer than the step's lines; else a piece of about as many cells."""
    mixed, cut = make_mixed(), 0
    for step in range(40):
        real, n = mixed.batch(step), mixed.labelled.members(step)[1]
        for row in (2, 3):
            cells = real.lengths[row]
            height, width = SHAPES[number_of(real.images[row, :, : round(cells * 16)])]
            natural = width / height * mixed.stretch
            if natural > n + 0.5:
                cut += 1
                assert abs(cells - n) <= 1.25
            else:
                assert abs(cells - natural) <= 1 / 8 + 1e-6
    assert cut > 10


def test_the_mean_labelled_character_is_as_wide_as_a_cell(tmp_path, write_folder, make_record, make_mixed):
    """By hand: characters of .5, 1 and 2 heights, mean 1; with cells half as wide as high the factor is
    .5.
    """
    records = [make_record(i, n, cell=width) for i, (n, width) in enumerate(((2, 20), (3, 40), (4, 80)))]
    data = write_folder(tmp_path / 'data', records, num_shards=1)
    assert make_mixed(data=data).stretch == pytest.approx(1.0)
    assert make_mixed(data=data, char_width_px=8).stretch == pytest.approx(0.5)


def test_a_batch_is_a_function_of_seed_and_step(make_mixed):
    first, again, other = make_mixed(), make_mixed(), make_mixed(seed=8)
    differs = False
    for step in (9, 3, 9, 1000):
        expected = first.batch(step)
        found = again.batch(step)
        for name, value in expected._asdict().items():
            np.testing.assert_array_equal(getattr(found, name), value, err_msg=name)
        differs |= not np.array_equal(other.batch(step).images, expected.images)
    assert differs


def test_shards_with_text_serve_as_well_whatever_their_dictionary(
    tmp_path, write_folder, make_record, make_mixed
):
    """Their texts are not read: ids that no table has, and another table's hash."""
    records = [make_record(i, 2, character_ids=np.array([1, 2**30], np.int32)) for i in range(3)]
    mixed = make_mixed(write_folder(tmp_path / 'labelled', records, hash='0' * 64), share=1.0)
    assert mixed.batch(0).images.shape[0] == 4 and (mixed.batch(0).unlabelled_weights == 1).all()


def test_one_odd_line_makes_no_batch_of_any_width(tmp_path, write_folder, make_record, make_mixed):
    records = [make_record(i, 1, cell=40) for i in range(20)] + [make_record(20, 1, cell=4000)]
    mixed = make_mixed(data=write_folder(tmp_path / 'data', records))
    shown = [step for step in range(60) if 20 in mixed.labelled.members(step)[0][:2]]
    assert shown and all(mixed.batch(step).images.shape[2] <= 3 * 16 for step in shown)


def test_lines_are_cut_in_the_gaps():
    """Six characters of 20 px with gaps of 4: whichever piece is taken, no character is cut in two."""
    image = np.tile(np.hstack([np.full((30, 20), 90, np.uint8), np.full((30, 4), 255, np.uint8)]), 6)
    for place in np.linspace(0, 0.999, 50):
        piece = cut_line(image, width_px=50.0, reach_px=13.0, place=place)
        assert 50 - 26 <= piece.shape[1] <= 50 + 28
        edges = np.flatnonzero(np.diff((piece == 90).all(0).astype(int), prepend=0, append=0))
        np.testing.assert_array_equal(edges[1::2] - edges[::2], 20, err_msg=f'{place}')
    np.testing.assert_array_equal(cut_line(image, width_px=140.0, reach_px=12.0, place=0.7), image)
    black = np.zeros((30, 200), np.uint8)
    assert 99 <= cut_line(black, width_px=100.0, reach_px=10.0, place=0.5).shape[1] <= 102, (
        'nothing but ink: where it was asked for'
    )


def test_what_cannot_serve(tmp_path, make_mixed, write_folder, make_record, unlabelled):
    for share, batch_size, message in (
        (0.1, 4, 'share 0.1 of unlabelled lines: 0 of the 4 lines of a batch, expected 1 to 4'),
        (2.0, 4, '8 of the 4'),
    ):
        with pytest.raises(ValueError, match=message):
            make_mixed(share=share, batch_size=batch_size)
    with pytest.raises(RecordError, match='nowhere: no such folder; expected shards'):
        make_mixed('nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(RecordError, match='empty/info.json: no such file'):
        make_mixed(tmp_path / 'empty')
    with pytest.raises(RecordError, match="no records of split 'train'; it has test"):
        make_mixed(write_folder(tmp_path / 'test', [make_record(0, 1)], split='test', num_shards=1))
    low = write_folder(tmp_path / 'low', [make_record(0, 1)], num_shards=1)
    shards.write_info(low, {**shards.read_info(low), 'image_height_px': 8})
    with pytest.raises(
        RecordError, match='low: its images are stored 8 px high, expected at least 16, .*--height_px=16'
    ):
        make_mixed(low)


def test_lines_without_text_are_nothing_to_read(unlabelled, charset):
    """As --data they are refused, and say what they are for; they are no labelled lines of length 0."""
    with pytest.raises(RecordError, match="split 'train': its 7 lines have no text.*`train --unlabelled`"):
        LineBatches(unlabelled, charset=charset, batch_size=4, seed=0)


def test_a_damaged_record_is_named(tmp_path, write_folder, make_record, make_mixed):
    lines = write_folder(
        tmp_path / 'broken', [plain(make_record, i, (40, 60)) for i in range(2)], num_shards=1
    )
    mixed = make_mixed(lines)
    path = lines / 'train-00000-of-00001.tfrecord'
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(
        RecordError, match=r'broken/train-00000-of-00001.tfrecord, record \d, byte \d+: checksum'
    ):
        mixed.batch(0)


# ---- by hand


def cut_places(quiet, *, width=10.0, reach=4.0, place=0.5, length=40):
    """The first and last column of the piece of a black line with some columns of another grey: {column:
    level}.
    """
    line = np.zeros((5, length), np.uint8)
    for column, level in quiet.items():
        line[:, column] = level
    piece = cut_line(line, width_px=width, reach_px=reach, place=place)
    first = piece.__array_interface__['data'][0] - line.__array_interface__['data'][0]  # a piece is a view
    np.testing.assert_array_equal(piece, line[:, first : first + piece.shape[1]])
    return first, first + piece.shape[1] - 1


@pytest.mark.parametrize(
    'quiet, places',
    [
        ({}, (15, 25)),
        ({13: 250, 26: 250}, (13, 26)),
        ({11: 250, 29: 250}, (11, 29)),
        ({10: 250, 30: 250}, (15, 25)),
        ({19: 250, 21: 250}, (19, 21)),
        ({20: 250}, (15, 25)),
        ({12: 250, 19: 250, 22: 250, 27: 250}, (12, 27)),
        ({14: 100, 18: 250, 25: 249, 22: 250}, (18, 22)),
        ({14: 251, 11: 250}, (14, 25)),
    ],
)
def test_a_cut_takes_the_quietest_column_in_reach_and_of_several_the_nearest(quiet, places):
    """10 of 40 columns are wanted in the middle, 15 to 25, either cut moved by at most 4."""
    assert cut_places(quiet) == places


def test_a_cut_keeps_to_the_line():
    assert cut_places({}, place=0.0) == (0, 10) and cut_places({2: 250}, place=0.0) == (
        0,
        10,
    ), 'the end of the line cuts nothing'
    assert cut_places({3: 255}, place=0.1) == (3, 13) and cut_places({3: 254, 12: 250}, place=0.1) == (0, 12)
    assert cut_places({37: 250}, place=0.99) == (30, 39) and cut_places({36: 255, 31: 250}, place=0.9) == (
        31,
        36,
    )


def test_the_ends_of_a_line_cut_nothing():
    """At its ends a line is whole, however black they are; a line that is just within reach is not cut."""
    black = np.zeros((5, 40), np.uint8)
    assert cut_line(black, width_px=36.0, reach_px=4.0, place=0.9) is black
    assert cut_line(black, width_px=35.9, reach_px=4.0, place=0.0).shape == (5, 40) and cut_line(
        black, width_px=30.0, reach_px=4.0, place=0.0
    ).shape == (5, 31)
    assert cut_line(black, width_px=30.0, reach_px=4.0, place=0.999).shape == (5, 40 - 10)


def philox(*key):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(key)))


def test_which_lines_and_which_pieces_follow_the_seed(make_mixed):
    """By the numbers of numpy's Philox for (seed, 5, epoch) and (seed, 6, step): a run that goes on must
    see the same ones.
    """
    mixed = make_mixed()
    for step in (0, 3, 4, 11):
        real, n = mixed.batch(step), mixed.labelled.members(step)[1]
        places = philox(7, 6, step).random(4)
        for row in (2, 3):
            epoch, place = divmod(2 * step + row - 2, 7)
            number = philox(7, 5, epoch).permutation(7)[place]
            height, width = SHAPES[number]
            scale = mixed.stretch * 16 / height
            image = cut_line(
                np.full((height, width), 20 * number + 20, np.uint8),
                width_px=n * 16 / scale,
                reach_px=8 / scale,
                place=places[row],
            )
            assert real.lengths[row] == max(1, round(image.shape[1] * scale / 4)) / 4
            assert number_of(real.images[row, :, : round(real.lengths[row] * 16)]) == number


def test_pieces_of_labelled_lines_are_cut_beyond_twice_their_cells(
    tmp_path, write_folder, make_record, make_mixed
):
    """Of a line of 500 cells the piece at the place of its row: two cells, and a cell's half to and fro."""
    ramp = np.linspace(0, 254, 4000).astype(np.uint8)[np.newaxis].repeat(40, axis=0)
    mixed = make_mixed(
        data=write_folder(
            tmp_path / 'data',
            [make_record(0, 1, image=ramp)] + [make_record(i, 1, cell=40) for i in range(1, 9)],
        )
    )
    seen = 0
    for step in range(20):
        real, places = mixed.batch(step), philox(7, 6, step).random(4)
        for row in np.flatnonzero(mixed.labelled.members(step)[0][:2] == 0):
            seen += 1
            scale = mixed.stretch * 16 / 40
            image = cut_line(ramp, width_px=2 * 16 / scale, reach_px=8 / scale, place=places[row])
            width = round(real.lengths[row] * 16)
            assert width == max(1, round(image.shape[1] * scale / 4)) * 4
            np.testing.assert_allclose(
                real.images[row, :, :width, 0], resize_line(image, height_px=16, width_px=width)
            )
    assert seen


def test_a_narrow_line_has_a_column_at_least(tmp_path, write_folder, make_record, make_mixed):
    narrow = write_folder(
        tmp_path / 'narrow', [plain(make_record, 1, (80, 2)), plain(make_record, 2, (40, 100))], num_shards=1
    )
    real = make_mixed(narrow).batch(0)
    assert sorted(real.lengths[2:].tolist())[0] == 1 / 4 and sorted(real.lengths[2:].tolist())[1] > 1


def test_shares_are_rounded_to_whole_lines(make_mixed):
    for share, lines in ((0.25, 1), (0.3, 1), (0.4, 2), (0.7, 3), (1.0, 4)):
        mixed = make_mixed(share=share)
        assert (
            mixed.num_unlabelled == lines
            and mixed.batch(0).unlabelled_weights.tolist()
            == [0.0] * (4 - lines) + [pytest.approx(4 / lines)] * lines
        )


def test_the_mean_character_is_measured_from_the_first_line_to_the_last(
    tmp_path, write_folder, make_record, make_mixed, monkeypatch
):
    data = write_folder(
        tmp_path / 'data',
        [
            make_record(i, n, cell=width)
            for i, (n, width) in enumerate(((2, 10), (1, 40), (3, 40), (1, 40), (2, 160)))
        ],
    )
    # by hand: a quarter, one, one, one, four heights
    assert make_mixed(data=data).stretch == pytest.approx(1.0)
    monkeypatch.setattr('hwgen.data.reading.mixed_lines._MEASURED_LINES', 2)
    assert make_mixed(data=data, min_characters=2).stretch == pytest.approx(1.0)
    assert make_mixed(data=data, max_characters=2, min_characters=1).stretch == pytest.approx(1.0)
    assert make_mixed(data=data, min_characters=3).stretch == pytest.approx(1.0) and make_mixed(
        data=data, max_characters=1
    ).stretch == pytest.approx(1.0)
    monkeypatch.setattr('hwgen.data.reading.mixed_lines._MEASURED_LINES', 3)
    assert make_mixed(data=data, char_width_px=4).stretch == pytest.approx(0.25)
