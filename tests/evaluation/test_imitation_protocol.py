"""The protocol of imitated hands, with a writer that imitates rightly, and one that mixes the hands up."""

import numpy as np
import pytest

from hwgen.data.reading import records
from hwgen.evaluation.measuring import imitation

WRITERS, LINES = 3, 8
TEXT = '天地玄黄'


def paint(*, grey, offset=0, characters=4):
    """uint8 [32, 32 N]: one bar a character."""
    image = np.full([32, 32 * characters], 255, np.uint8)
    for left in range(4, image.shape[1], 32):
        image[4 + offset : 26 + offset, left : left + 24] = grey
    return image


class Lines:
    """Stands in for a RecordIndex: each writer has an ink of its own."""

    folder = 'made'

    def __len__(self):
        return WRITERS * LINES

    def read_record(self, number, decode_image=True):
        writer, line = number % WRITERS, number // WRITERS
        ids = np.ones(len(TEXT), np.int32)
        return records.LineRecord(
            paint(grey=60 * writer + line % 2, offset=line % 3) if decode_image else None,
            TEXT,
            ids,
            np.ones((len(TEXT), 4), np.int32),
            ids,
            f'writer-{writer}',
            'made',
        )


class Array(np.ndarray):
    def numpy(self):
        return np.asarray(self)


class Imitator:
    """Reads the darkest grey of a line and writes in it, `paler` by so much."""

    char_px = char_width_px = 32
    style_dim, learned_room = 1, False

    def __init__(self, *, paler=0):
        self.paler = paler
        self.asked = []

    def style_encoder(self, line, training):
        return {'style_mean': np.array([[(line.min() + 1) * 127.5]]).view(Array)}

    def styles(self, seeds, truncation):
        return np.full([len(seeds), 1], 10.0, np.float32)

    def write(self, texts, *, style_seeds, styles, truncation):
        self.asked.append((texts, styles))
        return [
            paint(grey=int(styles[0]) + self.paler + place % 2, offset=place % 3, characters=len(text))
            for place, text in enumerate(texts)
        ]


def chosen(**options):
    return imitation.choose_lines(
        Lines(), **{**dict(shots=(1, 2), num_writers=9, lines_per_hand=3, seed=0), **options}
    )


def test_lines_are_read_written_and_compared_once():
    found = chosen()
    assert sorted(found) == ['writer-0', 'writer-1', 'writer-2']
    for lines in found.values():
        assert [len(part) for part in lines] == [2, 3, 3]
        assert len({id(record) for part in lines for record in part}) == 8
    assert len(chosen(num_writers=2)) == 2
    with pytest.raises(ValueError, match='made: 0 writers with 9 lines, expected at least 2'):
        chosen(shots=(3,))


def test_a_right_imitator():
    figures = imitation.figures(
        imitation.measure(Imitator(), chosen(), shots=(1, 2), report=lambda line: None)
    )
    assert list(figures['own_distance']) == [
        'floor',
        'drawn',
        'lines_1',
        'unlabelled_1',
        'lines_2',
        'unlabelled_2',
    ]
    for kind in ('floor', 'lines_1', 'lines_2', 'unlabelled_2'):
        assert figures['nearest_own'][kind] == 1.0
        assert figures['own_distance'][kind] < 0.2 * figures['other_distance'][kind]
    assert figures['nearest_own']['drawn'] == pytest.approx(1 / 3)


def test_what_all_hands_share_is_taken_away():
    """A model that writes all hands paler by 50 of 255 is as near as the right one once that is known."""
    right, paler = (
        imitation.measure(Imitator(paler=grey), chosen(), shots=(2,), report=lambda line: None)
        for grey in (0, 50)
    )
    assert paler.bias['ink'] < -1 and abs(right.bias['ink']) < 0.5
    own = {name: imitation.figures(one) for name, one in (('right', right), ('paler', paler))}
    assert own['paler']['own_distance']['lines_2'] > 5 * own['right']['own_distance']['lines_2']
    assert own['paler']['centred_own_distance']['lines_2'] < own['paler']['own_distance']['lines_2'] / 3
    assert own['paler']['centred_nearest_own']['lines_2'] == 1.0
    assert right.digest == paler.digest


def test_own_and_others_by_hand():
    own, others, nearest = imitation.own_and_others(np.array([[1.0, 2, 6], [3, 5, 4], [8, 4, 2]]))
    assert own.tolist() == [1, 5, 2] and others.tolist() == [4, 3.5, 6]
    assert nearest.tolist() == [True, False, True]


def test_intervals_hold_the_means():
    found = imitation.measure(Imitator(), chosen(), shots=(1,), report=lambda line: None)
    rows = imitation.intervals([found, found], seed=0)
    assert {(row['kind'], row['centred']) for row in rows} >= {('floor', False), ('lines_1', True)}
    for row in rows:
        assert row['num_hands'] == 6
        for mean, low, high in (row['own'], row['others'], row['nearest']):
            assert low <= mean <= high
    assert imitation.format_markdown(rows).count('| floor |') == 2


@pytest.mark.parametrize(('layout', 'width'), [('cells', 128), ('spaced', 64)])
def test_beside_spaced_lines_real_ones_are_as_wide_as_they_were_written(layout, width):
    """Four characters on 64 px: stretched to four cells of 32 beside a model that writes in cells."""

    class Narrow(Lines):
        def read_record(self, number, decode_image=True):
            record = super().read_record(number, decode_image=decode_image)
            return record._replace(image=record.image[:, ::2]) if decode_image else record

    model = Imitator()
    model.layout = layout
    lines = imitation.choose_lines(Narrow(), shots=(1,), num_writers=9, lines_per_hand=3, seed=0)
    found = imitation.measure(model, lines, shots=(1,), report=lambda line: None)
    assert {row[0].shape for row in found.rows} == {(32, width)}
