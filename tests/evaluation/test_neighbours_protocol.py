"""The protocol of neighbours, with writers whose characters take ink from as far as they are told, or from nowhere."""

import numpy as np
import pytest

from hwgen.data import records
from hwgen.evaluation import neighbours

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
        image, boxes = more or (np.repeat(np.arange(len(text)), 8)[np.newaxis].repeat(8, 0).astype(np.uint8), None)
        return records.LineRecord(image, text, ids, np.ones([len(text), 4], np.int32), ids, writer, 'made', boxes)


class Writer:
    """A cell is the grey of its letter, and of its noise; its left column adds 10 for each 地 up to `reach` to its left, its right column 20 for those to its right."""

    char_px = char_width_px = 8

    def __init__(self, *, reach=0, noise=0):
        self.reach, self.noise, self.calls = reach, noise, []

    def write(self, texts, *, style_seeds, truncation, noise_offsets=0):
        self.calls.append((list(texts), style_seeds, noise_offsets, truncation))
        return [np.concatenate([self._cell(text, place, noise_offsets, style_seeds) for place in range(len(text))], axis=1) for text in texts]

    def _cell(self, text, place, offset, seed):
        cell = np.full([8, 8], LETTERS.index(text[place]) + self.noise * (place + offset) + seed % 7, np.uint8)
        cell[:, 0] += np.uint8(10 * text[max(0, place - self.reach):place].count('地'))
        cell[:, -1] += np.uint8(20 * text[place + 1:place + 1 + self.reach].count('地'))
        return cell


@pytest.fixture
def index():
    rng = np.random.default_rng(0)
    return Lines([(''.join(rng.choice(list(LETTERS), size=rng.integers(2, 9))), 'somebody') for _ in range(40)])


def run(index, space, writer, **options):
    return neighbours.measure(index, writer, space=space, **{'num_places': 30, **options})


def test_who_looks_at_no_neighbour_is_changed_by_none(index, grey_space):
    figures = run(index, grey_space, Writer(noise=9)).figures
    for measure in ('pixels', 'changed', 'grey'):
        for distance in neighbours.DISTANCES:
            assert figures[f'neighbour_{measure}_{distance}_30'] == {'left': 0., 'right': 0., 'both': 0.}
        assert figures[f'copies_{measure}_30']['alone'] == 0.  # the same noise, at the same place of the line
    # Copies stand seven places apart; their neighbours make no difference. 63 greys are more than a few.
    assert figures['copies_pixels_30']['same_neighbours'] == figures['copies_pixels_30']['other_neighbours'] == pytest.approx(63 / 255)
    assert figures['copies_changed_30']['same_neighbours'] == 1. and figures['copies_changed_30']['other_hand'] == 0.
    assert 0. < figures['copies_pixels_30']['other_hand'] < 6 / 255
    assert figures['nearest_eighth_1_30'] == {'left': 0., 'right': 0.}


@pytest.mark.parametrize('reach', [1, 2])
def test_the_change_is_that_of_the_neighbours_within_reach(index, grey_space, reach):
    found = run(index, grey_space, Writer(reach=reach))
    lines = neighbours.choose_lines(index, 30, seed=0)
    for distance in neighbours.DISTANCES:
        sides = {}
        for side, sign, greys in (('left', -1, 10), ('right', 1, 20)):
            place = neighbours.MIDDLE + sign * distance
            changes = [(line[place] == '地') != (others[place] == '地') for line, others in lines]
            sides[side] = np.mean(changes) * greys / 8 / 255 if distance <= reach else 0.
            # One column of eight, of 10 or 20 grey levels.
            assert found.figures[f'neighbour_changed_{distance}_30'][side] == pytest.approx(np.mean(changes) / 8 if distance <= reach else 0.)
        assert all(value > 0. for value in sides.values()) == (distance <= reach)
        assert found.figures[f'neighbour_pixels_{distance}_30'] == pytest.approx({**sides, 'both': sides['left'] + sides['right']})
    assert found.figures['nearest_eighth_1_30'] == {'left': 1., 'right': 1.}  # an eighth is the one column
    assert found.figures['copies_pixels_30']['same_neighbours'] == 0. < found.figures['copies_pixels_30']['other_neighbours']
    assert found.figures['copies_pixels_30']['alone'] > 0.


def test_lines_hand_noise_and_truncation(index, grey_space):
    writer = Writer()
    found = run(index, grey_space, writer, num_places=4, truncation=.7)
    lines = neighbours.choose_lines(index, 4, seed=0)
    assert all(a != b for line, others in lines for a, b in zip(line, others)) and {len(line) for line, _ in lines} == {7}
    texts, hand, offset, _ = writer.calls[0]
    (line, others), again = lines[0], writer.calls[1]
    assert texts[:3] == [line, line * 2, line + others[:3] + line[3] + others[4:]] and len(texts) == 12 and offset == 0
    assert texts[3:6] == [line[:2] + others[2] + line[3:], line[:4] + others[4] + line[5:], line[:2] + others[2] + line[3] + others[4] + line[5:]]
    assert texts[9] == others[0] + line[1:] and again == ([line[3]], hand, 3, .7) and writer.calls[2][1] != hand
    assert {call[3] for call in writer.calls} == {.7}
    assert found == run(index, grey_space, Writer(), num_places=4)  # this writer does not mind
    assert found.digest != run(index, grey_space, Writer(), num_places=4, seed=1).digest
    with pytest.raises(ValueError, match="made, split 'test': 1 characters, expected at least 2"):
        run(Lines([('天天天', 'somebody')]), grey_space, Writer())


def test_real_copies(grey_space):
    """One writer's 玄 between 地 and 黄, once more with 黄 alone in common, and once with neither."""
    index = Lines([('地玄黄', 'a'), ('日玄黄', 'a'), ('月玄天', 'a'), ('地玄黄', 'b'), ('玄黄日', 'c'), ('日黄月', 'c')])
    real = neighbours.real_copies(index)
    # With 黄 in common: 0 and 1; with nothing in common: 0 and 2 (or 1 and 2). b has no second copy, and c's 黄 has no pair with a neighbour in common.
    assert real.matched == [{'same_neighbours': ((0, 1), (1, 1)), 'other_neighbours': ((0, 1), (2, 1))}]
    index.lines = [(text, name, np.full([8, 24], grey, np.uint8), None) for (text, name), grey in zip(index.lines, (0, 51, 102, 0, 0, 0))]
    figures = run(index, grey_space, Writer(), real=real, num_places=3).figures
    assert figures['real_pixels_1'] == pytest.approx({'same_neighbours': .2, 'other_neighbours': .4})
    assert not any(name.startswith('real') for name in run(index, grey_space, Writer(), real=neighbours.real_copies(Lines([('天地玄', 'a')])), num_places=3).figures)


def test_cells_of_real_lines():
    image = np.full([16, 40], 255, np.uint8)
    image[2:14, 17:29] = 100
    boxes = np.array([[0, 0, 10, 16], [17, 2, 29, 14], [30, 5, 30, 5]], np.int32)
    boxed = Lines([('天地玄', 'a', image, boxes)]).read_record(0)
    assert (neighbours.real_cell(boxed, 1, Writer()) == 100).all() and (neighbours.real_cell(boxed, 0, Writer()) == 255).all()
    assert neighbours.real_cell(boxed, 2, Writer()).shape == (8, 8)  # an empty box is a pixel
    greys = Lines([('天地玄', 'a')]).read_record(0)
    assert (neighbours.real_cell(greys, 2, Writer()) == 2).all()


def test_the_sheet(index):
    (picture, caption), = neighbours.sheets(index, Writer(reach=1)).values()
    assert picture.shape == (neighbours._SHOWN * 10, 5 * 56 + 4 * 4) and 'four times' in caption
    line, changed, difference = picture[0, :56], picture[0, 60:116], picture[0, 120:176]
    np.testing.assert_array_equal(difference, 255 - 4 * np.abs(line.astype(int) - changed))
    assert (difference != 255).any()
