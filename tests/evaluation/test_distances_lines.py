"""The lines of the protocols of distances: which ones a seed draws, what their digest tells, how they are
cut.
"""

import cv2
import numpy as np
import pytest

from hwgen.data.reading import records, shards
from hwgen.evaluation.measuring import conventions, distances, line_halves, line_statistics


@pytest.fixture
def index(written_folder):
    return shards.RecordIndex(written_folder, split='test')


def test_what_the_protocols_fix():
    """Numbers of the papers: a figure of another number of lines is not theirs, whatever its name says."""
    fixed = {name: tuple(protocol[:6]) for name, protocol in conventions.CONVENTIONS.items()}
    assert fixed == {
        'hct': (20_000, 5_000, 'cells', False, True, True),
        'scrabblegan': (1 << 30, 5_000, 'cells', False, False, True),
        'ganwriting': (1 << 30, 0, 'left', True, True, False),
        'hwd': (1 << 30, 0, 'squares', True, True, False),
    }
    assert (
        line_halves._STYLE_LINES,
        line_statistics._KEPT_VECTORS,
        distances._TRAINING_LINES,
        line_statistics._SHOWN,
    ) == (
        15,
        10_000,
        10_000,
        10,
    )
    streams = [*line_halves._STREAMS.values(), *line_statistics._STREAMS.values(), distances._TRAINING_STREAM]
    assert sorted(streams) == [0, 1, 2, 3, 4, 5]  # no two draw the same numbers


def test_halves_share_no_line_and_are_fixed_by_the_seed(index):
    chosen = line_halves.choose_lines(index, 'scrabblegan', num_lines=conventions.ALL_LINES, seed=1)
    assert sorted(chosen.first + chosen.second) == list(range(50))
    assert chosen == line_halves.choose_lines(index, 'scrabblegan', num_lines=conventions.ALL_LINES, seed=1)
    others = [
        line_halves.choose_lines(index, 'scrabblegan', num_lines=conventions.ALL_LINES, seed=2),
        line_halves.choose_lines(index, 'scrabblegan', num_lines=20, seed=1),
        line_halves.choose_lines(index, 'hct', num_lines=conventions.ALL_LINES, seed=1),
    ]
    assert len({chosen.digest, *(other.digest for other in others)}) == 4
    assert len(others[1].first) == len(others[1].second) == 20
    with pytest.raises(ValueError, match="split 'test': 1 lines for each half, expected at least 2"):
        line_halves.choose_lines(index, 'hct', num_lines=1, seed=0)


class Made:
    """Lines without a picture: a text and a writer each."""

    folder, split = 'made', 'some'

    def __init__(self, lines):
        self.lines = lines

    def __len__(self):
        return len(self.lines)

    def read_record(self, number, *, decode_image):
        assert decode_image is False  # thousands of pictures, none of which is looked at
        return records.LineRecord(
            None, self.lines[number][0], None, None, None, self.lines[number][1], 'made'
        )


def test_the_digest_is_that_of_the_lines_and_whose_they_are(monkeypatch):
    lines = [('天地', 'a'), ('玄', 'a'), ('黄', 'b'), ('日月', 'b'), ('人', 'b'), ('山', 'c')]

    def choose(lines, name='hct', seed=1):
        return line_halves.choose_lines(Made(lines), name, num_lines=2, seed=seed)

    chosen = choose(lines)
    for number in (*chosen.first, *chosen.second):
        for changed in (('别', lines[number][1]), (lines[number][0], 'd')):
            assert choose([*lines[:number], changed, *lines[number + 1 :]]).digest != chosen.digest
    unread = min({*range(6)} - {*chosen.first, *chosen.second})
    assert choose([*lines[:unread], ('别', 'd'), *lines[unread + 1 :]]) == chosen
    assert (
        len({choose(lines, name).digest for name in conventions.CONVENTIONS} | {choose(lines, seed=2).digest})
        == 5
        and len(chosen.digest) == 64
    )
    # a protocol that fixes something else
    for change in ({'num_lines': 5}, {'geometry_lines': 5}, {'picture': 'left'}, {'square': False}):
        monkeypatch.setitem(
            conventions.CONVENTIONS, 'scrabblegan', conventions.CONVENTIONS['hct']._replace(**change)
        )
        monkeypatch.setitem(conventions.CONVENTIONS, 'ganwriting', conventions.CONVENTIONS['hct'])
        repeated = []
        for name in ('scrabblegan', 'ganwriting'):
            monkeypatch.setitem(conventions.CONVENTIONS, 'hct', conventions.CONVENTIONS[name])
            repeated.append(choose(lines).digest)
        assert repeated[0] != repeated[1] == chosen.digest


def test_halves_of_hands_have_writers_with_two_lines_alone():
    lines = [('天', 'odd')] * 5 + [('地', 'pair')] * 2 + [('玄', 'alone')]
    chosen = line_halves.choose_lines(Made(lines), 'ganwriting', num_lines=99, seed=0)
    assert [[lines[number][1] for number in half] for half in (chosen.first, chosen.second)] == [
        ['odd', 'pair', 'odd']
    ] * 2
    assert len({*chosen.first, *chosen.second}) == 6 and 7 not in chosen.first + chosen.second
    with pytest.raises(
        ValueError,
        match=(
            r"made, split 'some': 1 lines for each half, expected at least 2 \(of writers with two lines or"
            r' more\)'
        ),
    ):
        line_halves.choose_lines(Made(lines[5:]), 'hwd', num_lines=99, seed=0)
    # of five one is left over
    assert len(line_halves.choose_lines(Made(lines[:5]), 'hct', num_lines=99, seed=0).second) == 2


def test_hands_are_paired_and_take_turns(index):
    chosen = line_halves.choose_lines(index, 'hwd', num_lines=14, seed=0)
    writers = [
        [index.read_record(number).writer for number in half] for half in (chosen.first, chosen.second)
    ]
    assert writers[0] == writers[1] and not set(chosen.first) & set(chosen.second)
    assert sorted(writers[0].count(writer) for writer in set(writers[0])) == [2, 2, 2, 2, 3, 3]


@pytest.mark.parametrize(
    'kind, shapes', [('cells', [(32, 96)]), ('left', [(64, 64)]), ('squares', [(32, 32)] * 3)]
)
def test_pictures(kind, shapes):
    image = np.tile(np.linspace(0.0, 255.0, 144), [64, 1]).astype(np.uint8)
    found = conventions.pictures(image, kind=kind, num_characters=3, char_px=32, char_width_px=32)
    assert [picture.shape for picture in found] == shapes
    if kind == 'left':
        np.testing.assert_array_equal(found[0], image[:, :64])
    if kind == 'squares':  # 72 px wide at 32 px: two squares and 8 px, the rest is paper
        np.testing.assert_array_equal(found[2][:, 8:], 255)
        assert abs(float(np.concatenate(found, axis=1)[:, :72].mean()) - image.mean()) < 2.0


def test_how_lines_are_cut():
    rng = np.random.default_rng(1)
    tall, narrow = (rng.integers(0, 256, size=shape).astype(np.uint8) for shape in ((128, 200), (64, 24)))

    def cut(image, kind, **cells):
        return conventions.pictures(
            image, kind=kind, num_characters=2, **{**dict(char_px=32, char_width_px=32), **cells}
        )

    (cells,) = cut(tall, 'cells', char_px=24, char_width_px=20)
    assert cells.shape == (24, 40)
    (left,) = cut(tall, 'left')
    # half as high: 64 px of it are 128 of the line
    np.testing.assert_allclose(left, tall[:, :128].reshape(64, 2, 64, 2).mean((1, 3)), atol=1.0)
    (square,) = cut(narrow, 'left')
    # a narrow line is widened
    np.testing.assert_array_equal(square, cv2.resize(narrow, (64, 64), interpolation=cv2.INTER_AREA))
    two = cut(tall[:, :128], 'squares')
    assert [picture.shape for picture in two] == [(32, 32)] and [
        len(cut(np.pad(tall, [(0, 0), (0, more)]), 'squares')) for more in (0, 56, 60)
    ] == [2, 2, 3]
    np.testing.assert_allclose(two[0], tall[:, :128].reshape(32, 4, 32, 4).mean((1, 3)), atol=1.0)


def test_points_of_the_geometry_score_are_left_ends():
    """Two cells at 32 px, in [0, 1]; what a short line has no ink for is paper."""
    image = np.random.default_rng(2).integers(0, 256, size=[32, 80]).astype(np.uint8)
    np.testing.assert_allclose(line_statistics._left_pixels(image), image[:, :64].ravel() / 255.0, rtol=1e-6)
    short = line_statistics._left_pixels(image[:, :40]).reshape(32, 64)
    np.testing.assert_allclose(
        short, np.pad(image[:, :40] / 255.0, [(0, 0), (0, 24)], constant_values=1.0), rtol=1e-6
    )
    assert short.dtype == np.float32 and line_statistics._left_pixels(
        np.zeros([64, 30], np.uint8)
    ).sum() == 32 * (64 - 15)
