"""The protocol of hands, with writers whose ink is their own and with ones that all write alike."""

import numpy as np
import pytest

from hwgen.data import records
from hwgen.evaluation import hands

TEXT = '天地玄黄'


class Lines:
    """Stands in for a RecordIndex: `writers` writers of `each` lines, each with an ink of its own."""

    def __init__(self, writers, each):
        self.records = [self._line(writer, line) for line in range(each) for writer in range(writers)]

    def _line(self, writer, line):
        image = paint(grey=20 * writer + line % 2, offset=line % 3)
        ids = np.ones(len(TEXT), np.int32)
        return records.LineRecord(image, TEXT, ids, np.ones((len(TEXT), 4), np.int32), ids, f'writer-{writer}', 'made')

    def __len__(self):
        return len(self.records)

    def read_record(self, number):
        return self.records[number]


def paint(*, grey, offset=0, characters=len(TEXT)):
    """uint8 [32, 32 N]: one bar a character."""
    image = np.full([32, 32 * characters], 255, np.uint8)
    for left in range(10, image.shape[1], 32):
        image[6 + offset:24 + offset, left:left + 4] = grey
    return image


class Writer:
    char_px = char_width_px = 32

    def __init__(self, inks):
        self.inks, self.calls = inks, []

    def write(self, texts, *, style_seeds, truncation):
        self.calls.append((tuple(texts), style_seeds if isinstance(style_seeds, int) else tuple(map(int, style_seeds)), truncation))
        rng = np.random.default_rng(len(self.calls))
        grey = self.inks[len(self.calls) % len(self.inks)]
        return [paint(grey=grey + int(rng.integers(2)), offset=int(rng.integers(3)), characters=len(text)) for text in texts]


def test_hands_that_differ_and_hands_that_do_not():
    index = Lines(writers=6, each=5)
    options = dict(num_hands=5, lines_per_hand=4, num_characters=2, truncation=.7)
    summary, pictures = hands.hands_protocol(index, Writer([0, 30, 60, 90, 120]), **options)
    assert summary['chance'] == .2 and summary['identified_real'] == summary['identified_generated'] == 1.
    assert (summary['num_copies'], summary['equal_copies'], summary['copy_distance']) == (2 * 28, 2 * 28, 0.)  # the bars are alike
    assert list(pictures) == [0, 1, 2, 3, 4] and all(len(lines) == 4 for lines in pictures.values())
    alike, _ = hands.hands_protocol(index, Writer([60]), **options)
    assert alike['identified_generated'] < .6 and alike['identified_real'] == 1.
    assert alike['spread_generated']['darkness'] < .01 < alike['spread_real']['darkness']


def test_a_character_in_the_hands_of_different_writers():
    index = Lines(writers=6, each=4)
    index.records = [record._replace(image=paint(grey=20 * int(record.writer[-1]))) for record in index.records]
    summary, _ = hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)
    # Bars of 4 x 18 px in cells of 32 x 32; the greys of two of the six writers are 20 apart for each step between them.
    steps = [a - b for a in range(6) for b in range(a)]
    assert summary['hand_distance_real'] == pytest.approx(20 * np.mean(steps) * 4 * 18 / 32**2 / 255, rel=1e-6)
    index.records = [record for record in index.records if record.writer == 'writer-0'] + [
        record._replace(text='甲乙丙丁') for record in index.records if record.writer == 'writer-1']
    assert hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)[0]['hand_distance_real'] is None


def test_the_same_texts_and_the_truncation_reach_the_writer():
    index, writer = Lines(writers=3, each=4), Writer([0, 50, 100])
    hands.hands_protocol(index, writer, num_hands=3, lines_per_hand=4, num_characters=1, truncation=.7)
    character = writer.calls[3][0][0]
    assert character in TEXT
    assert [texts for texts, _, _ in writer.calls] == [(TEXT,) * 4] * 3 + [(character,) * hands.COPIES, (character * hands.COPIES,)]
    assert {truncation for _, _, truncation in writer.calls} == {.7}
    assert len({seed for _, seed, _ in writer.calls}) == 5 and len(set(writer.calls[3][1])) == hands.COPIES
    again = Writer([0, 50, 100])
    hands.hands_protocol(index, again, num_hands=3, lines_per_hand=4, num_characters=1, truncation=.7)
    assert again.calls == writer.calls


def test_too_few_lines_are_named():
    with pytest.raises(ValueError, match='3 writers with 4 lines or more: expected 8'):
        hands.hands_protocol(Lines(writers=3, each=4), Writer([0]), num_hands=8, lines_per_hand=4)
    with pytest.raises(ValueError, match='0 writers with 12 lines or more: expected 3'):
        hands.hands_protocol(Lines(writers=3, each=4), Writer([0]), num_hands=3)
