"""The protocol of hands, with writers whose ink is their own and with ones that all write alike."""

import types

import numpy as np
import pytest

from hwgen.data.reading import records
from hwgen.evaluation.measuring import hands

TEXT = '天地玄黄'
NUM_CHARACTERS = len(TEXT)


class Lines:
    """Stands in for a RecordIndex: `writers` writers of `each` lines, each with an ink of its own."""

    def __init__(self, writers, each):
        self.records = [self._line(writer, line) for line in range(each) for writer in range(writers)]

    def _line(self, writer, line):
        image = paint(grey=20 * writer + line % 2, offset=line % 3)
        ids = np.ones(len(TEXT), np.int32)
        return records.LineRecord(
            image, TEXT, ids, np.ones((len(TEXT), 4), np.int32), ids, f'writer-{writer}', 'made'
        )

    def __len__(self):
        return len(self.records)

    def read_record(self, number):
        return self.records[number]


def paint(*, grey, offset=0, characters=NUM_CHARACTERS):
    """uint8 [32, 32 N]: one bar a character."""
    image = np.full([32, 32 * characters], 255, np.uint8)
    for left in range(10, image.shape[1], 32):
        image[6 + offset : 24 + offset, left : left + 4] = grey
    return image


class Writer:
    char_px = char_width_px = 32

    def __init__(self, inks):
        self.inks, self.calls = inks, []

    def write(self, texts, *, style_seeds, truncation):
        self.calls.append(
            (
                tuple(texts),
                style_seeds if isinstance(style_seeds, int) else tuple(map(int, style_seeds)),
                truncation,
            )
        )
        rng = np.random.default_rng(len(self.calls))
        grey = self.inks[len(self.calls) % len(self.inks)]
        return [
            paint(grey=grey + int(rng.integers(2)), offset=int(rng.integers(3)), characters=len(text))
            for text in texts
        ]


def test_hands_that_differ_and_hands_that_do_not():
    index = Lines(writers=6, each=5)
    options = dict(num_hands=5, lines_per_hand=4, num_characters=2, truncation=0.7)
    summary, pictures = hands.hands_protocol(index, Writer([0, 30, 60, 90, 120]), **options)
    assert summary['chance'] == 0.2 and summary['identified_real'] == summary['identified_generated'] == 1.0
    # the bars are alike
    assert (summary['num_copies'], summary['equal_copies'], summary['copy_distance']) == (2 * 28, 2 * 28, 0.0)
    assert list(pictures) == [0, 1, 2, 3, 4] and all(len(lines) == 4 for lines in pictures.values())
    alike, _ = hands.hands_protocol(index, Writer([60]), **options)
    assert alike['identified_generated'] < 0.6 and alike['identified_real'] == 1.0
    assert alike['spread_generated']['darkness'] < 0.01 < alike['spread_real']['darkness']


def test_a_character_in_the_hands_of_different_writers():
    index = Lines(writers=6, each=4)
    index.records = [
        record._replace(image=paint(grey=20 * int(record.writer[-1]))) for record in index.records
    ]
    summary, _ = hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)
    # Bars of 4 x 18 px in cells of 32 x 32; the greys of two of the six writers are 20 apart for each step
    # between them.
    steps = [a - b for a in range(6) for b in range(a)]
    assert summary['hand_distance_real'] == pytest.approx(
        20 * np.mean(steps) * 4 * 18 / 32**2 / 255, rel=1e-6
    )
    index.records = [record for record in index.records if record.writer == 'writer-0'] + [
        record._replace(text='甲乙丙丁') for record in index.records if record.writer == 'writer-1'
    ]
    assert (
        hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)[0][
            'hand_distance_real'
        ]
        is None
    )


def test_the_same_texts_and_the_truncation_reach_the_writer():
    index, writer = Lines(writers=3, each=4), Writer([0, 50, 100])
    hands.hands_protocol(index, writer, num_hands=3, lines_per_hand=4, num_characters=1, truncation=0.7)
    character = writer.calls[3][0][0]
    assert character in TEXT
    assert [texts for texts, _, _ in writer.calls] == [(TEXT,) * 4] * 3 + [
        (character,) * hands.COPIES,
        (character * hands.COPIES,),
    ]
    assert {truncation for _, _, truncation in writer.calls} == {0.7}
    assert len({seed for _, seed, _ in writer.calls}) == 5 and len(set(writer.calls[3][1])) == hands.COPIES
    again = Writer([0, 50, 100])
    hands.hands_protocol(index, again, num_hands=3, lines_per_hand=4, num_characters=1, truncation=0.7)
    assert again.calls == writer.calls


def line_of(writer, text, grey=0, width=32, image=None):
    ids = np.ones(len(text), np.int32)
    image = np.full([32, width * len(text)], grey, np.uint8) if image is None else image
    return records.LineRecord(image, text, ids, np.ones((len(text), 4), np.int32), ids, writer, 'made')


def test_those_with_the_most_lines_are_asked_first():
    """Of as many lines the first by name; each writes as often as is asked."""
    index, writer = Lines(writers=0, each=0), Writer([0, 50])
    for name, text, number in (('d', '日月', 3), ('a', '天地', 2), ('c', '玄黄', 4), ('b', '人口', 3)):
        index.records += [line_of(name, text, image=paint(grey=ord(name) % 90, characters=2))] * number
    summary, pictures = hands.hands_protocol(
        index, writer, num_hands=3, lines_per_hand=3, num_characters=2, seed=4
    )
    assert [texts for texts, *_ in writer.calls[:3]] == [('玄黄',) * 3, ('人口',) * 3, ('日月',) * 3] and len(
        pictures
    ) == 3
    assert (summary['num_hands'], summary['lines_per_hand'], summary['chance']) == (3, 3, 1 / 3)
    with pytest.raises(ValueError, match='3 writers with 3 lines or more: expected 4'):
        hands.hands_protocol(index, writer, num_hands=4, lines_per_hand=3)
    assert hands.hands_protocol.__kwdefaults__ == {
        'num_hands': 8,
        'lines_per_hand': 12,
        'num_characters': 20,
        'seed': 0,
        'truncation': 0.8,
    }
    assert hands.COPIES == 8 and hands.distances_between_hands.__kwdefaults__ == {
        'num_characters': 20,
        'truncation': 0.8,
    }


def test_figures_of_hands_by_hand():
    """Real hands of the greys 0, 20, 40, ...; written ones twice as far apart; the copies of a character
    differ by 1 grey level from place to place.
    """

    class Steps(Writer):
        def write(self, texts, *, style_seeds, truncation):
            self.calls.append(texts)
            if len(texts[0]) == hands.COPIES:
                return [
                    np.concatenate(
                        [np.full([32, 32], 50 + place, np.uint8) for place in range(hands.COPIES)], axis=1
                    )
                ]
            if len(texts) == hands.COPIES and len(texts[0]) == 1:
                return [np.full([32, 32], 10 * place, np.uint8) for place in range(hands.COPIES)]
            return [paint(grey=40 * (len(self.calls) - 1), characters=len(text)) for text in texts]

    index = Lines(writers=3, each=2)
    index.records = [
        record._replace(image=paint(grey=20 * int(record.writer[-1]))) for record in index.records
    ]
    summary, pictures = hands.hands_protocol(
        index, Steps([0]), num_hands=3, lines_per_hand=2, num_characters=2
    )
    deviation = np.std([0.0, 20.0, 40.0]) / 255
    assert (summary['spread_real']['darkness'], summary['spread_generated']['darkness']) == (
        round(deviation, 4),
        round(2 * deviation, 4),
    )
    assert (
        summary['spread_real']['ink'] == pytest.approx(deviation * 4 * 18 / 32**2, abs=6e-5)
        and summary['spread_real']['height'] == 0.0
    )
    mean_step = np.mean([a - b for a in range(8) for b in range(a)])
    assert summary['copy_distance'] == pytest.approx(mean_step / 255) and summary[
        'hand_distance'
    ] == pytest.approx(10 * mean_step / 255)
    assert (summary['num_copies'], summary['equal_copies']) == (2 * 28, 0) and [
        line[10, 10] for line, _ in pictures.values()
    ] == [0, 40, 80]


def test_lines_are_held_against_each_other_in_the_same_cells():
    """A real line of 64 px in height has the measures of one of 32 px."""
    index = Lines(writers=2, each=2)
    index.records = [
        record._replace(image=paint(grey=20 * int(record.writer[-1])).repeat(2, axis=0).repeat(2, axis=1))
        for record in index.records
    ]
    large, _ = hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)
    index.records = [record._replace(image=record.image[::2, ::2]) for record in index.records]
    assert (
        hands.hands_protocol(index, Writer([0, 40]), num_hands=2, lines_per_hand=2, num_characters=1)[0]
        == large
    )


def test_the_most_frequent_ideographs():
    """Those of as many places by their code points; marks, letters and what lies beyond the block do not
    count.
    """
    lines = [
        line_of('a', text)
        for text in ('月天日，，', '天，A日', '\u4e00\u9fff，', '\u4dff\u4dff\u4dff\ua000\ua000\ua000天')
    ]
    assert hands._frequent(lines, 9) == ['天', '日', '一', '月', '\u9fff'] and hands._frequent(lines, 2) == [
        '天',
        '日',
    ]


def test_the_cells_of_a_character():
    """The first place in the first line of each writer that has it; of eight writers at most; cells need
    not be squares.
    """

    def steps(text):
        return np.repeat(np.uint8([10 * number for number in range(1, len(text) + 1)]), 20)[
            np.newaxis
        ].repeat(40, axis=0)

    lines = [line_of('a', text, image=steps(text)) for text in ('日月', '日天月天', '天')] + [
        line_of('b', '月天', image=steps('月天'))
    ]
    # a sequence: its letters are not its characters
    lines.insert(0, line_of('b', '天月', image=steps('天月'))._replace(character_ids=np.ones(1, np.int32)))

    def cells(char_px, char_width_px):
        return types.SimpleNamespace(char_px=char_px, char_width_px=char_width_px)

    found = hands._cells_of('天', lines, cells(16, 12))
    assert [cell.shape for cell in found] == [(16, 12)] * 2 and [int(np.median(cell)) for cell in found] == [
        20,
        20,
    ]
    many = [line_of(f'writer {number}', '天', grey=number) for number in range(12)]
    assert [int(cell[0, 0]) for cell in hands._cells_of('天', many, cells(32, 32))] == list(
        range(8)
    ) and hands._cells_of('地', many, cells(8, 8)) == []


def test_too_few_lines_are_named():
    with pytest.raises(ValueError, match='3 writers with 4 lines or more: expected 8'):
        hands.hands_protocol(Lines(writers=3, each=4), Writer([0]), num_hands=8, lines_per_hand=4)
    with pytest.raises(ValueError, match='0 writers with 12 lines or more: expected 3'):
        hands.hands_protocol(Lines(writers=3, each=4), Writer([0]), num_hands=3)
