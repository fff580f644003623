"""The shots protocol, with a reader and writers whose errors are known: characters are grey levels of whole cells."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data import records, shard_writer, shards
from hwgen.evaluation import character_errors, shots

SEEN, ZERO, FIVE = '天地玄黄', '日月盈昃', '宇宙洪荒'
ALPHABET = SEEN + ZERO + FIVE + '。'
CELL_PX = 32


def paint(text, *, cell_px):
    return np.tile(np.repeat(np.array([20 * ALPHABET.index(character) for character in text], np.uint8), cell_px), (cell_px, 1))


def read_grey(images):
    return [''.join(ALPHABET[round(float(cell.mean()) / 20)] for cell in np.split(image, image.shape[1] // image.shape[0], axis=1)) for image in images]


class GreyReader:
    read = staticmethod(read_grey)


class ForgetfulWriter:
    """Writes 天 in the place of what it does not know."""

    char_px = char_width_px = CELL_PX

    def __init__(self, unknown):
        self.unknown, self.calls = unknown, []

    def write(self, texts, *, style_seeds, truncation):
        self.calls.append((list(texts), list(style_seeds), truncation))
        return [paint(''.join('天' if c in self.unknown else c for c in text), cell_px=CELL_PX) for text in texts]


@pytest.fixture
def folder(tmp_path):
    """40 lines of seen characters as split test, 40 of the others as unseen; 5 shots of 宇宙洪荒 are said to be in the training lines."""
    rng, counts, charset = np.random.default_rng(0), {}, Charset.load()
    for split, alphabet in (('test', SEEN + '。'), ('unseen', ZERO + FIVE)):
        lines = []
        for _ in range(40):
            text = ''.join(rng.choice(list(alphabet), size=rng.integers(2, 6)))
            encoded = charset.encode(text)
            image = paint(text, cell_px=64)
            boxes = np.array([[64 * k, 0, 64 * k + 64, 64] for k in range(len(text))], np.int32)
            lines.append(records.LineRecord(image, text, encoded.character_ids, encoded.component_ids, encoded.structure_ids, 'somebody', 'painted', boxes))
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=1)._asdict()
    ids = lambda text: [charset.character_id(character) for character in text]
    shards.write_info(tmp_path, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}, 'vocabulary': sorted(ids(SEEN + '。')),
                                 'held_out': sorted(ids(ZERO + FIVE)), 'shots': {'5': sorted(ids(FIVE)), '0': sorted(ids(ZERO))}})
    return tmp_path


def test_errors_by_group(folder):
    groups = shots.groups_of(shards.read_info(folder), Charset.load())
    assert groups == {'seen': frozenset(SEEN), 'shots0': frozenset(ZERO), 'shots5': frozenset(FIVE)} and list(groups) == ['seen', 'shots0', 'shots5']
    indices = {split: shards.RecordIndex(folder, split=split) for split in ('test', 'unseen')}
    readers = {'ppocr': lambda images, texts: character_errors.read_characters(GreyReader(), images, texts)}

    def run(seed):
        writers = {'before': ForgetfulWriter(ZERO + FIVE), 'after': ForgetfulWriter(ZERO + '宇')}
        found = shots.read_lines(readers, indices, writers, groups=groups, num_lines=30, seed=seed, truncation=.5, report=lambda line: None)
        # Before and after differ in nothing but the model.
        assert writers['before'].calls == writers['after'].calls and {call[2] for call in writers['after'].calls} == {.5}
        seeds = [seed for _, seeds, _ in writers['after'].calls for seed in seeds]
        assert len(seeds) == len(set(seeds)) == 60  # a hand for each line of both splits
        return found
    found = [run(seed) for seed in (0, 1)]
    figures = shots.figures(found[0], groups)
    rates = {group: figures[f'error_ppocr_{group}_30'] for group in groups}
    share = (found[0].errors['ppocr', 'floor'].only(frozenset(FIVE)).characters == '宇').mean()
    assert rates == {'seen': {'floor': 0., 'before': 0., 'after': 0.}, 'shots0': {'floor': 0., 'before': 1., 'after': 1.},
                     'shots5': {'floor': 0., 'before': 1., 'after': pytest.approx(share)}}
    assert found[0].digest != found[1].digest and run(0).digest == found[0].digest
    rows = {row['group']: row for row in shots.intervals(found, groups, seed=0)}
    assert rows['shots0']['gain'] == [0, 0, 0] and rows['shots5']['num_characters'] == 4
    value, low, high = rows['shots5']['gain']
    assert 0 < low < value < high <= 1
    assert rows['shots5']['num_occurrences'] == sum(len(one.errors['ppocr', 'floor'].only(frozenset(FIVE)).characters) for one in found)
    assert '| ppocr | shots0 | 4 |' in shots.format_markdown(rows.values())
    # The sheet: nine rows, and in the row of a group each of its characters once, real ones cut by their boxes.
    sheet = shots.sheet_rows(found[0], groups)
    assert len(sheet) == 9 and {len(row) for row in sheet} == {1 + 4}
    for row, characters in zip(sheet, [SEEN] * 3 + [ZERO, '天天天天', '天天天天'] + [FIVE, '天天天天', '天' + FIVE[1:]]):
        assert sorted(read_grey(row[1:])) == sorted(characters)


def test_the_first_of_each_character_is_shown():
    texts = ['玄。天天', '地天黄', '日']
    assert shots._first_places(texts, frozenset(SEEN), 9) == [(0, 0), (0, 2), (1, 0), (1, 2)]
    assert shots._first_places(texts, frozenset(SEEN), 3) == [(0, 0), (0, 2), (1, 0)] and shots._first_places(texts, frozenset(), 3) == []


def test_real_characters_are_cut_by_their_boxes():
    """Or, where there are none, as equal parts of the line."""
    image = np.repeat(np.uint8([10, 50, 90]), [20, 80, 60])[np.newaxis].repeat(64, axis=0)
    ids, boxes = np.ones(3, np.int32), np.array([[0, 0, 20, 64], [20, 5, 100, 60], [100, 0, 160, 64]], np.int32)
    record = records.LineRecord(image, '天地玄', ids, np.ones([3, 4], np.int32), ids, 'somebody', 'made', boxes)
    cells = [shots._real_cell(record, place) for place in range(3)]
    assert [cell.shape for cell in cells] == [(32, 10), (32, 40), (32, 30)] and [set(cell.flat) for cell in cells] == [{10}, {50}, {90}]
    thirds = [shots._real_cell(record._replace(boxes=None), place) for place in range(3)]
    assert [cell.shape for cell in thirds] == [(32, 26), (32, 27), (32, 26)] and thirds[1][0, 5] == 50


def test_what_cannot_be_compared(folder):
    info = shards.read_info(folder)
    del info['shots']
    with pytest.raises(ValueError, match='no shots: expected a folder of `prepare --shots=0,1,5,20`'):
        shots.groups_of(info, Charset.load())
    writers = {'before': ForgetfulWriter(''), 'after': ForgetfulWriter('')}
    writers['after'].char_width_px = 16
    with pytest.raises(ValueError, match='cells of 32 x 16 px and 32 x 32 px: expected one size'):
        shots.read_lines({}, {}, writers, groups={})
