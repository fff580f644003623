"""The shots protocol, with a reader and writers whose errors are known: characters are grey levels of
whole cells.
"""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards
from hwgen.evaluation.judges import character_errors
from hwgen.evaluation.measuring import shots

SEEN, ZERO, FIVE = '天地玄黄', '日月盈昃', '宇宙洪荒'
ALPHABET = SEEN + ZERO + FIVE + '。'
CELL_PX = 32


def paint(text, *, cell_px):
    return np.tile(
        np.repeat(np.array([20 * ALPHABET.index(character) for character in text], np.uint8), cell_px),
        (cell_px, 1),
    )


def read_grey(images):
    return [
        ''.join(
            ALPHABET[round(float(cell.mean()) / 20)]
            for cell in np.split(image, image.shape[1] // image.shape[0], axis=1)
        )
        for image in images
    ]


class GreyReader:
    read = staticmethod(read_grey)


class ForgetfulWriter:
    """Writes 天 in the place of what it does not know."""

    char_px = char_width_px = CELL_PX

    def __init__(self, unknown):
        self.unknown, self.calls = unknown, []

    def write(self, texts, *, style_seeds, truncation):
        self.calls.append((list(texts), list(style_seeds), truncation))
        return [
            paint(''.join('天' if c in self.unknown else c for c in text), cell_px=CELL_PX) for text in texts
        ]


@pytest.fixture
def folder(tmp_path):
    """40 lines of seen characters as split test, 40 of the others as unseen; 5 shots of 宇宙洪荒 are said to
    be in the training lines.
    """
    rng, counts, charset = np.random.default_rng(0), {}, Charset.load()
    for split, alphabet in (('test', SEEN + '。'), ('unseen', ZERO + FIVE)):
        lines = []
        for _ in range(40):
            text = ''.join(rng.choice(list(alphabet), size=rng.integers(2, 6)))
            encoded = charset.encode(text)
            image = paint(text, cell_px=64)
            boxes = np.array([[64 * k, 0, 64 * k + 64, 64] for k in range(len(text))], np.int32)
            lines.append(
                records.LineRecord(
                    image,
                    text,
                    encoded.character_ids,
                    encoded.component_ids,
                    encoded.structure_ids,
                    'somebody',
                    'painted',
                    boxes,
                )
            )
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=1)._asdict()

    def ids(text):
        return [charset.character_id(character) for character in text]

    shards.write_info(
        tmp_path,
        {
            'splits': counts,
            'charset': {'row_count': 1, 'hash': 'none'},
            'vocabulary': sorted(ids(SEEN + '。')),
            'held_out': sorted(ids(ZERO + FIVE)),
            'shots': {'5': sorted(ids(FIVE)), '0': sorted(ids(ZERO))},
        },
    )
    return tmp_path


def test_errors_by_group(folder):
    groups = shots.groups_of(shards.read_info(folder), Charset.load())
    assert groups == {'seen': frozenset(SEEN), 'shots0': frozenset(ZERO), 'shots5': frozenset(FIVE)} and list(
        groups
    ) == ['seen', 'shots0', 'shots5']
    indices = {split: shards.RecordIndex(folder, split=split) for split in ('test', 'unseen')}
    readers = {'ppocr': lambda images, texts: character_errors.read_characters(GreyReader(), images, texts)}

    def run(seed):
        writers = {'before': ForgetfulWriter(ZERO + FIVE), 'after': ForgetfulWriter(ZERO + '宇')}
        found = shots.read_lines(
            readers,
            indices,
            writers,
            groups=groups,
            num_lines=30,
            seed=seed,
            truncation=0.5,
            report=lambda line: None,
        )
        # Before and after differ in nothing but the model.
        assert writers['before'].calls == writers['after'].calls and {
            call[2] for call in writers['after'].calls
        } == {0.5}
        seeds = [seed for _, seeds, _ in writers['after'].calls for seed in seeds]
        assert len(seeds) == len(set(seeds)) == 60  # a hand for each line of both splits
        # Lines of the whole split and hands, by streams of the seed.
        orders = [np.random.default_rng([seed, 20, number]).permutation(40)[:30] for number in range(2)]
        assert [text for texts, *_ in writers['after'].calls for text in texts] == [
            indices[split].read_record(int(place)).text
            for split, order in zip(('test', 'unseen'), orders)
            for place in order
        ]
        assert seeds == [
            style
            for number in range(2)
            for style in np.random.default_rng([seed, 21, number]).integers(2**63, size=30)
        ]
        return found

    found = [run(seed) for seed in (0, 1)]
    figures = shots.figures(found[0], groups)
    rates = {group: figures[f'error_ppocr_{group}_30'] for group in groups}
    share = (found[0].errors['ppocr', 'floor'].only(frozenset(FIVE)).characters == '宇').mean()
    assert rates == {
        'seen': {'floor': 0.0, 'before': 0.0, 'after': 0.0},
        'shots0': {'floor': 0.0, 'before': 1.0, 'after': 1.0},
        'shots5': {'floor': 0.0, 'before': 1.0, 'after': pytest.approx(share)},
    }
    assert found[0].digest != found[1].digest and run(0).digest == found[0].digest
    rows = {row['group']: row for row in shots.intervals(found, groups, seed=0)}
    assert rows['shots0']['gain'] == [0, 0, 0] and rows['shots5']['num_characters'] == 4
    value, low, high = rows['shots5']['gain']
    assert 0 < low < value < high <= 1
    assert rows['shots5']['num_occurrences'] == sum(
        len(one.errors['ppocr', 'floor'].only(frozenset(FIVE)).characters) for one in found
    )
    assert '| ppocr | shots0 | 4 |' in shots.format_markdown(rows.values())
    # The sheet: nine rows, and in the row of a group each of its characters once, real ones cut by their
    # boxes.
    sheet = shots.sheet_rows(found[0], groups)
    assert len(sheet) == 9 and {len(row) for row in sheet} == {1 + 4}
    for row, characters in zip(
        sheet, [SEEN] * 3 + [ZERO, '天天天天', '天天天天'] + [FIVE, '天天天天', '天' + FIVE[1:]]
    ):
        assert sorted(read_grey(row[1:])) == sorted(characters)


def test_groups_are_those_of_the_numbers_of_shots_in_rising_order():
    """As numbers, 5 before 20; of the vocabulary the hanzi alone."""
    charset = Charset.load()

    def ids(text):
        return [charset.character_id(character) for character in text]

    groups = shots.groups_of(
        {
            'vocabulary': ids('天。A地'),
            'shots': {'20': ids('玄'), '1': ids('黄'), '5': ids('日月'), '0': ids('。人')},
        },
        charset,
    )
    assert list(groups.items()) == [
        ('seen', frozenset('天地')),
        ('shots0', frozenset('。人')),
        ('shots1', frozenset('黄')),
        ('shots5', frozenset('日月')),
        ('shots20', frozenset('玄')),
    ]


class Lines:
    """Stands in for a RecordIndex: lines of 天 and 地 with a number, in cells of 24 px."""

    def __len__(self):
        return 70

    def read_record(self, number):
        text = '天地'[number % 2] * (1 + number % 3)
        ids = np.ones(len(text), np.int32)
        return records.LineRecord(
            np.full([48, 30 * len(text)], number, np.uint8),
            text,
            ids,
            np.ones([len(text), 4], np.int32),
            ids,
            'somebody',
            'made',
        )


class Narrow:
    """Cells of 16 x 12 px, all of one grey; after counts how many lines it has written."""

    char_px, char_width_px = 16, 12

    def __init__(self):
        self.calls = []

    def write(self, texts, *, style_seeds, truncation):
        self.calls.append((len(texts), list(style_seeds)))
        return [
            np.repeat(np.arange(len(text), dtype=np.uint8), 12)[np.newaxis].repeat(16, axis=0) + np.uint8(100)
            for text in texts
        ]


def test_lines_are_written_in_portions_and_real_ones_scaled_to_the_same_cells():
    seen, said, writer = [], [], Narrow()

    def read(images, texts):
        seen.append([image.shape for image in images])
        assert seen[-1] == [(16, 12 * len(text)) for text in texts]
        return character_errors.CharacterErrors.of((text[0], 0, 1) for text in texts)

    found = shots.read_lines(
        {'one': read},
        {'test': Lines(), 'unseen': Lines()},
        {'after': writer},
        groups={'seen': frozenset('地')},
        num_lines=65,
        seed=2,
        report=said.append,
    )
    assert [number for number, _ in writer.calls] == [32, 32, 1] * 2
    seeds = [seed for _, seeds in writer.calls for seed in seeds]
    assert (
        seeds[:65] == np.random.default_rng([2, 21, 0]).integers(2**63, size=65).tolist()
        and len(seen) == 4
        and found.num_lines == 65
    )
    assert said == [
        f'seed 2: {split}, {side}: 65 lines read'
        for split in ('test', 'unseen')
        for side in ('real', 'after')
    ]
    # both splits
    assert (
        list(found.errors) == [('one', 'floor'), ('one', 'after')]
        and len(found.errors['one', 'after'].total) == 130
    )
    # The first 地, of the split that was read last: its share of the real line, and its cell.
    (real,) = found.cells['seen', 'floor']
    (written,) = found.cells['seen', 'after']
    first = next(number for number in np.random.default_rng([2, 20, 1]).permutation(70) if number % 2)
    assert (
        (real == first).all()
        and real.shape == (32, 20)
        and written.shape == (16, 12)
        and (written == 100).all()
    )
    few = shots.read_lines(
        {'one': read},
        {'test': Lines(), 'unseen': Lines()},
        {'after': writer},
        groups={},
        num_lines=9,
        seed=2,
        report=said.append,
    )
    assert few.num_lines == 9 and few.digest != found.digest

    class Few(Lines):
        def __len__(self):
            return 5

    uneven = shots.read_lines(
        {'one': read},
        {'test': Few(), 'unseen': Lines()},
        {'after': writer},
        groups={},
        num_lines=9,
        seed=2,
        report=said.append,
    )
    assert uneven.num_lines == 9 and len(uneven.errors['one', 'floor'].total) == 14
    assert shots.read_lines.__kwdefaults__ == {
        'num_lines': 250,
        'seed': 0,
        'truncation': 0.8,
        'sheet_characters': 12,
        'report': print,
    }


def errors_of(*rows):
    return character_errors.CharacterErrors.of(rows)


def test_intervals_are_over_all_seeds_and_the_gain_is_paired():
    """Two seeds; every reader and group its row, with the intervals of `character_errors` over the lines
    of both.
    """

    def reading(wrong):
        more = [
            (character, place * place + wrong, 3 + place) for place, character in enumerate('人口手山水火')
        ]
        return shots.Reading(
            {
                (reader, side): errors_of(
                    ('日', (wrong + shift) % 3, 2),
                    ('月', 1, 2),
                    ('月', wrong % 2, 2),
                    ('天', 0, 1),
                    *(
                        (character, (number + shift * place) % 4, total)
                        for place, (character, number, total) in enumerate(more)
                    ),
                )
                for reader in ('a', 'b')
                for shift, side in enumerate(('floor', 'before', 'after'))
            },
            3,
            {},
            '',
        )

    found, groups = (
        [reading(1), reading(2)],
        {
            'shots0': frozenset('日月'),
            'seen': frozenset('天'),
            'shots5': frozenset('人口手山水火'),
        },
    )
    rows = shots.intervals(found, groups, seed=5)
    assert [(row['reader'], row['group'], row['num_characters'], row['num_occurrences']) for row in rows] == [
        (reader, *row) for reader in 'ab' for row in (('shots0', 2, 6), ('seen', 1, 2), ('shots5', 6, 12))
    ]
    for row, group, total in ((rows[0], 'shots0', 12), (rows[2], 'shots5', 2 * sum(range(3, 9)))):
        own = {
            side: character_errors.joined([one.errors['a', side] for one in found]).only(groups[group])
            for side in shots.SIDES
        }
        for side, errors in own.items():
            assert row[side] == [errors.wrong.sum() / total, *errors.interval(seed=[5, 22])]
        gain = (own['before'].wrong.sum() - own['after'].wrong.sum()) / total
        assert (
            row['gain'] == [pytest.approx(gain), *own['after'].interval(seed=[5, 22], before=own['before'])]
            and gain != 0
        )
    table = shots.format_markdown(
        [
            {
                **rows[0],
                'floor': [0.0, 0.1, 0.2],
                'before': [0.3, 0.25, 0.4],
                'after': [0.1, 0.0, 0.2],
                'gain': [0.2, -0.1, 0.3],
            }
        ]
    )
    assert (
        table
        == """\
| reader | group | characters | occurrences | real | before | after | before - after |
|---|---|---|---|---|---|---|---|
| a | shots0 | 2 | 6 | 0.000 (0.100 to 0.200) | 0.300 (0.250 to 0.400) | 0.100 (0.000 to 0.200) \
| 0.200 (-0.100 to 0.300) |
"""
    )
    assert shots.figures(found[0], groups)['error_b_shots0_3'] == {
        side: found[0].errors['b', side].only(groups['shots0']).rate() for side in shots.SIDES
    }


def test_rows_of_the_sheet():
    """Group by group real, before, after, each with its name; short ones filled up with paper."""

    def cell(grey):
        return np.full([32, 32], grey, np.uint8)

    cells = {
        (group, side): [cell(10 * number + place) for place in range(1 + number % 2 * 2)]
        for number, (group, side) in enumerate(
            (group, side) for group in ('seen', 'shots0') for side in shots.SIDES
        )
    }
    rows = shots.sheet_rows(shots.Reading({}, 0, cells, ''), {'seen': None, 'shots0': None})
    assert [[int(picture[0, 0]) for picture in row[1:]] for row in rows] == [
        [0, 255, 255],
        [10, 11, 12],
        [20, 255, 255],
        [30, 31, 32],
        [40, 255, 255],
        [50, 51, 52],
    ]
    for row, name in zip(
        rows, [f'{group} {side}' for group in ('seen', 'shots0') for side in ('real', 'before', 'after')]
    ):
        np.testing.assert_array_equal(row[0], shots._label(name))
        assert (
            row[0].shape == (32, 130)
            and row[0].min() == 90
            and (row[0][:6] == 255).all()
            and (row[0][:, 0:5] < 255).any()
        )


def test_the_first_of_each_character_is_shown():
    texts = ['玄。天天', '地天黄', '日']
    assert shots._first_places(texts, frozenset(SEEN), 9) == [(0, 0), (0, 2), (1, 0), (1, 2)]
    assert (
        shots._first_places(texts, frozenset(SEEN), 3) == [(0, 0), (0, 2), (1, 0)]
        and shots._first_places(texts, frozenset(), 3) == []
    )


def test_real_characters_are_cut_by_their_boxes():
    """Or, where there are none, as equal parts of the line."""
    image = np.repeat(np.uint8([10, 50, 90]), [20, 80, 60])[np.newaxis].repeat(64, axis=0)
    ids, boxes = (
        np.ones(3, np.int32),
        np.array([[0, 0, 20, 64], [20, 5, 100, 60], [100, 0, 160, 64]], np.int32),
    )
    record = records.LineRecord(
        image, '天地玄', ids, np.ones([3, 4], np.int32), ids, 'somebody', 'made', boxes
    )
    cells = [shots._real_cell(record, place) for place in range(3)]
    assert [cell.shape for cell in cells] == [(32, 10), (32, 40), (32, 30)] and [
        set(cell.flat) for cell in cells
    ] == [{10}, {50}, {90}]
    thirds = [shots._real_cell(record._replace(boxes=None), place) for place in range(3)]
    assert [cell.shape for cell in thirds] == [(32, 26), (32, 27), (32, 26)] and thirds[1][0, 5] == 50
    # beyond the picture there is nothing; an empty box is a pixel
    odd = record._replace(boxes=np.array([[-9, 0, 20, 64], [30, 0, 30, 64], [150, 0, 999, 64]], np.int32))
    assert [shots._real_cell(odd, place).shape for place in range(3)] == [(32, 10), (32, 1), (32, 5)]


def test_what_cannot_be_compared(folder):
    info = shards.read_info(folder)
    del info['shots']
    with pytest.raises(ValueError, match='no shots: expected a folder of `prepare --shots=0,1,5,20`'):
        shots.groups_of(info, Charset.load())
    writers = {'before': ForgetfulWriter(''), 'after': ForgetfulWriter('')}
    writers['after'].char_width_px = 16
    with pytest.raises(ValueError, match='cells of 32 x 16 px and 32 x 32 px: expected one size'):
        shots.read_lines({}, {}, writers, groups={})
