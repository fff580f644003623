"""The protocol of neighbours, with writers whose characters take ink from as far as they are told, or from
nowhere.
"""

import numpy as np
import pytest

from hwgen.data.reading import records
from hwgen.evaluation.measuring import neighbours

LETTERS = '天地玄黄日月'


class Lines:
    """Stands in for a RecordIndex."""

    folder, split = 'made', 'test'

    def __init__(self, lines):
        self.lines = lines

    def __len__(self):
        return len(self.lines)

    def read_record(self, number, *, decode_image=True):
        text, writer, *more = self.lines[number]
        ids = np.ones(len(text), np.int32)
        image, boxes = more or (
            np.repeat(np.arange(len(text)), 8)[np.newaxis].repeat(8, 0).astype(np.uint8),
            None,
        )
        return records.LineRecord(
            image, text, ids, np.ones([len(text), 4], np.int32), ids, writer, 'made', boxes
        )


class Writer:
    """A cell is the grey of its letter, and of its noise; its left column adds 10 for each 地 up to `reach`
    to its left, its right column 20 for those to its right.
    """

    char_px = char_width_px = 8

    def __init__(self, *, reach=0, noise=0):
        self.reach, self.noise, self.calls = reach, noise, []

    def write(self, texts, *, style_seeds, truncation, noise_offsets=0):
        self.calls.append((list(texts), style_seeds, noise_offsets, truncation))
        return [
            np.concatenate(
                [self._cell(text, place, noise_offsets, style_seeds) for place in range(len(text))], axis=1
            )
            for text in texts
        ]

    def _cell(self, text, place, offset, seed):
        cell = np.full(
            [8, 8], LETTERS.index(text[place]) + self.noise * (place + offset) + seed % 7, np.uint8
        )
        cell[:, 0] += np.uint8(10 * text[max(0, place - self.reach) : place].count('地'))
        cell[:, -1] += np.uint8(20 * text[place + 1 : place + 1 + self.reach].count('地'))
        return cell


@pytest.fixture
def index():
    rng = np.random.default_rng(0)
    return Lines(
        [(''.join(rng.choice(list(LETTERS), size=rng.integers(2, 9))), 'somebody') for _ in range(40)]
    )


def run(index, space, writer, **options):
    return neighbours.measure(index, writer, space=space, **{'num_places': 30, **options})


def test_who_looks_at_no_neighbour_is_changed_by_none(index, grey_space):
    figures = run(index, grey_space, Writer(noise=9)).figures
    for measure in ('pixels', 'changed', 'grey'):
        for distance in neighbours.DISTANCES:
            assert figures[f'neighbour_{measure}_{distance}_30'] == {'left': 0.0, 'right': 0.0, 'both': 0.0}
        assert (
            figures[f'copies_{measure}_30']['alone'] == 0.0
        )  # the same noise, at the same place of the line
    # Copies stand seven places apart; their neighbours make no difference. 63 greys are more than a few.
    assert (
        figures['copies_pixels_30']['same_neighbours']
        == figures['copies_pixels_30']['other_neighbours']
        == pytest.approx(63 / 255)
    )
    assert (
        figures['copies_changed_30']['same_neighbours'] == 1.0
        and figures['copies_changed_30']['other_hand'] == 0.0
    )
    assert 0.0 < figures['copies_pixels_30']['other_hand'] < 6 / 255
    assert figures['nearest_eighth_1_30'] == {'left': 0.0, 'right': 0.0}


@pytest.mark.parametrize('reach', [1, 2])
def test_the_change_is_that_of_the_neighbours_within_reach(index, grey_space, reach):
    found = run(index, grey_space, Writer(reach=reach))
    lines = neighbours.choose_lines(index, 30, seed=0)
    for distance in neighbours.DISTANCES:
        sides = {}
        for side, sign, greys in (('left', -1, 10), ('right', 1, 20)):
            place = neighbours.MIDDLE + sign * distance
            changes = [(line[place] == '地') != (others[place] == '地') for line, others in lines]
            sides[side] = np.mean(changes) * greys / 8 / 255 if distance <= reach else 0.0
            # One column of eight, of 10 or 20 grey levels.
            assert found.figures[f'neighbour_changed_{distance}_30'][side] == pytest.approx(
                np.mean(changes) / 8 if distance <= reach else 0.0
            )
        assert all(value > 0.0 for value in sides.values()) == (distance <= reach)
        assert found.figures[f'neighbour_pixels_{distance}_30'] == pytest.approx(
            {**sides, 'both': sides['left'] + sides['right']}
        )
    assert found.figures['nearest_eighth_1_30'] == {'left': 1.0, 'right': 1.0}  # an eighth is the one column
    assert (
        found.figures['copies_pixels_30']['same_neighbours']
        == 0.0
        < found.figures['copies_pixels_30']['other_neighbours']
    )
    assert found.figures['copies_pixels_30']['alone'] > 0.0


def test_lines_hand_noise_and_truncation(index, grey_space):
    writer = Writer()
    found = run(index, grey_space, writer, num_places=4, truncation=0.7)
    lines = neighbours.choose_lines(index, 4, seed=0)
    assert all(a != b for line, others in lines for a, b in zip(line, others)) and {
        len(line) for line, _ in lines
    } == {7}
    texts, hand, offset, _ = writer.calls[0]
    (line, others), again = lines[0], writer.calls[1]
    assert (
        texts[:3] == [line, line * 2, line + others[:3] + line[3] + others[4:]]
        and len(texts) == 12
        and offset == 0
    )
    assert texts[3:6] == [
        line[:2] + others[2] + line[3:],
        line[:4] + others[4] + line[5:],
        line[:2] + others[2] + line[3] + others[4] + line[5:],
    ]
    assert (
        texts[9] == others[0] + line[1:] and again == ([line[3]], hand, 3, 0.7) and writer.calls[2][1] != hand
    )
    assert {call[3] for call in writer.calls} == {0.7}
    assert found == run(index, grey_space, Writer(), num_places=4)  # this writer does not mind
    assert found.digest != run(index, grey_space, Writer(), num_places=4, seed=1).digest
    with pytest.raises(ValueError, match="made, split 'test': 1 characters, expected at least 2"):
        run(Lines([('天天天', 'somebody')]), grey_space, Writer())


def test_real_copies(grey_space):
    """One writer's 玄 between 地 and 黄, once more with 黄 alone in common, and once with neither."""
    index = Lines(
        [('地玄黄', 'a'), ('日玄黄', 'a'), ('月玄天', 'a'), ('地玄黄', 'b'), ('玄黄日', 'c'), ('日黄月', 'c')]
    )
    real = neighbours.real_copies(index)
    # With 黄 in common: 0 and 1; with nothing in common: 0 and 2 (or 1 and 2). b has no second copy, and
    # c's 黄 has no pair with a neighbour in common.
    assert real.matched == [{'same_neighbours': ((0, 1), (1, 1)), 'other_neighbours': ((0, 1), (2, 1))}]
    index.lines = [
        (text, name, np.full([8, 24], grey, np.uint8), None)
        for (text, name), grey in zip(index.lines, (0, 51, 102, 0, 0, 0))
    ]
    figures = run(index, grey_space, Writer(), real=real, num_places=3).figures
    assert figures['real_pixels_1'] == pytest.approx({'same_neighbours': 0.2, 'other_neighbours': 0.4})
    assert not any(
        name.startswith('real')
        for name in run(
            index, grey_space, Writer(), real=neighbours.real_copies(Lines([('天地玄', 'a')])), num_places=3
        ).figures
    )


def test_what_has_changed_and_by_how_much(grey_space):
    """A pixel that differs by more than 8 grey levels has; darker or lighter is one."""

    def cell(*greys):
        return np.repeat(np.uint8([greys]), 4, axis=0)

    cells = {
        'a_{}': {
            'up': (cell(100, 100, 100, 100), cell(108, 109, 100, 100)),
            'down': (cell(100, 100, 100, 100), cell(92, 91, 70, 100)),
        }
    }
    found = {}
    neighbours._compare(cells, grey_space, 5, found)
    neighbours._compare(cells, grey_space, 5, found)
    assert found['a_changed_5'] == {'up': [0.25] * 2, 'down': [0.5] * 2}
    assert found['a_pixels_5'] == {
        'up': pytest.approx([17 / 4 / 255] * 2),
        'down': pytest.approx([47 / 4 / 255] * 2),
    }
    whole, left = np.array([47 / 4, 17 / 2]) / 255  # the two features: mean grey, and that of the left half
    assert found['a_grey_5']['down'] == pytest.approx([np.hypot(whole, left)] * 2, rel=1e-4)


def test_the_eighth_next_to_the_neighbour(index, grey_space):
    """Cells 24 px wide, of which 3 are next to the neighbour: on the left the change is in four columns,
    on the right in those three and thrice as much in the middle.
    """

    class Wide(Writer):
        char_width_px = 24

        def _cell(self, text, place, offset, seed):
            cell = np.full([8, 24], 100, np.uint8)
            cell[:, :4] += np.uint8(10 * text[max(0, place - 1) : place].count('地'))
            cell[:, 21:] += np.uint8(20 * text[place + 1 : place + 2].count('地'))
            cell[:, 10:13] += np.uint8(60 * text[place + 1 : place + 2].count('地'))
            return cell

    assert run(index, grey_space, Wide()).figures['nearest_eighth_1_30'] == pytest.approx(
        {'left': 0.75, 'right': 0.25}
    )


def test_lines_are_cut_from_the_texts_one_after_the_other():
    """Texts with sequences are passed over; what is left over of one text begins the next line, and after
    the last the first comes again.
    """
    index = Lines([('天地玄', 'a'), ('黄日', 'a'), ('月', 'b'), ('人口手', 'b')])
    read = index.read_record
    index.read_record = lambda number, **options: read(number, **options)._replace(
        **({'character_ids': np.ones(1, np.int32)} if number == 3 else {})
    )
    lines = neighbours.choose_lines(index, 5, seed=8)
    order = ''.join(
        index.lines[number][0] for number in np.random.default_rng([8, 0]).permutation(4) if number != 3
    )
    assert ''.join(line for line, _ in lines) == (order * 6)[:35] and {
        letter for _, others in lines for letter in others
    } <= set('天地玄黄日月')
    assert len(set(lines)) == 5 and neighbours.choose_lines(index, 3, seed=8) == lines[:3]
    assert (neighbours.DISTANCES, neighbours.MIDDLE, neighbours.LENGTH, neighbours.DEFAULT_PLACES) == (
        (1, 2, 3),
        3,
        7,
        200,
    )
    assert neighbours.SIDES == {'left': (-1,), 'right': (1,), 'both': (-1, 1)}


def test_copies_of_one_writer_are_matched_with_copies_of_that_writer_if_there_are_any():
    """a has a pair with a neighbour in common and none without, b has both: a's is matched with what is
    left, b's with its own; each pair is used once.
    """
    index = Lines([('地玄黄', 'a'), ('日玄黄', 'a'), ('地玄黄', 'b'), ('地玄月', 'b'), ('日玄天', 'b')])
    matched = neighbours.real_copies(index).matched
    # b without anything in common: (2, 4) and (3, 4); a's pair is matched first, with the first of them.
    assert matched == [
        {'same_neighbours': ((0, 1), (1, 1)), 'other_neighbours': ((2, 1), (4, 1))},
        {'same_neighbours': ((2, 1), (3, 1)), 'other_neighbours': ((3, 1), (4, 1))},
    ]
    own = neighbours.real_copies(
        Lines([('月玄天', 'a'), ('日玄黄', 'a'), ('地玄黄', 'b'), ('日玄黄', 'b'), ('月玄天', 'b')])
    ).matched
    assert own == [{'same_neighbours': ((2, 1), (3, 1)), 'other_neighbours': ((2, 1), (4, 1))}]
    # Neither within one line nor at the ends of lines, nor where a sequence hides the places.
    assert neighbours.real_copies(Lines([('地玄黄地玄黄', 'a'), ('月玄日玄天', 'a')])).matched == []
    assert neighbours.real_copies(Lines([('玄黄天', 'a'), ('日玄黄', 'a'), ('月天玄', 'a')])).matched == []
    hidden, read = Lines([('地玄黄', 'a'), ('日玄黄', 'a'), ('月玄天', 'a')]), Lines.read_record
    hidden.read_record = lambda number, **options: read(hidden, number, **options)._replace(
        character_ids=np.ones(2, np.int32)
    )
    assert neighbours.real_copies(hidden).matched == []


def test_no_more_pairs_of_a_character_than_are_wanted(monkeypatch):
    lines = [('地玄黄', 'a')] * 5 + [('日玄月', 'a')] * 5
    assert len(neighbours.real_copies(Lines(lines)).matched) == 20  # twice 10 of 5 lines alike; 25 across
    monkeypatch.setattr(neighbours, '_REAL_PAIRS', 7)
    assert len(neighbours.real_copies(Lines(lines)).matched) == 7
    real = neighbours.RealCopies(None, list(range(40)))
    drawn = neighbours._draw_real(real, 6, seed=3)
    assert (
        drawn == np.random.default_rng([3, 3]).permutation(40)[:6].tolist()
        and len(neighbours._draw_real(real, 99, seed=3)) == 40
        and neighbours._draw_real(None, 6, seed=3) == []
    )


def test_cells_of_real_lines():
    image = np.full([16, 40], 255, np.uint8)
    image[2:14, 17:29] = 100
    boxes = np.array([[0, 0, 10, 16], [17, 2, 29, 14], [30, 5, 30, 5]], np.int32)
    boxed = Lines([('天地玄', 'a', image, boxes)]).read_record(0)
    assert (neighbours.real_cell(boxed, 1, Writer()) == 100).all() and (
        neighbours.real_cell(boxed, 0, Writer()) == 255
    ).all()
    assert neighbours.real_cell(boxed, 2, Writer()).shape == (8, 8)  # an empty box is a pixel
    steps = np.repeat(np.uint8([10, 20, 30, 40]), 4)[np.newaxis].repeat(12, axis=0)
    # beyond the picture there is nothing
    outside = Lines([('天', 'a', steps, np.array([[-6, -3, 8, 6]], np.int32))]).read_record(0)
    np.testing.assert_array_equal(
        neighbours.real_cell(outside, 0, Writer()), steps[:6, :8].repeat(2, axis=0)[:8]
    )
    greys = Lines([('天地玄', 'a')]).read_record(0)
    assert (neighbours.real_cell(greys, 2, Writer()) == 2).all()


def test_the_sheet(index):
    ((picture, caption),) = neighbours.sheets(index, Writer(reach=1)).values()
    assert picture.shape == (neighbours._SHOWN * 10, 5 * 56 + 4 * 4) and 'four times' in caption
    line, changed, difference, joined, other = (
        picture[0, 60 * k : 60 * k + 56].astype(int) for k in range(5)
    )
    np.testing.assert_array_equal(difference, 255 - 4 * np.abs(line - changed))
    np.testing.assert_array_equal(other, 255 - 4 * np.abs(line - joined))
    assert (
        (difference != 255).any()
        and (other != 255).any()
        and (picture[:8, 56:60] == 255).all()
        and (picture[8:10] == 255).all()
    )


def test_what_is_on_the_sheet(index):
    """Line after line in a hand of its own: as it is, with the next neighbours exchanged, and glyph by
    glyph with the noise of its place.
    """
    writer = Writer(reach=1, noise=40)
    ((picture, _),) = neighbours.sheets(index, writer, seed=5, truncation=0.7).values()
    hands = (
        np.random.default_rng([5, neighbours._STREAMS['styles']]).integers(2**63, size=[6, 2])[:, 0].tolist()
    )
    for number, (line, others) in enumerate(neighbours.choose_lines(index, 6, seed=5)):
        first, *glyphs = writer.calls[8 * number : 8 * number + 8]
        assert first == ([line, line[:2] + others[2] + line[3] + others[4] + line[5:]], hands[number], 0, 0.7)
        assert glyphs == [([letter], hands[number], place, 0.7) for place, letter in enumerate(line)]
        row = picture[10 * number].astype(int)
        np.testing.assert_array_equal(row[120:176], 255 - np.minimum(4 * np.abs(row[:56] - row[60:116]), 255))
