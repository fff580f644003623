"""Nonsense glyphs: which are drawn, real ink put together anew, and errors of a reader whose errors are known."""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data import records, shard_writer, shards
from hwgen.evaluation import nonsense, nonsense_sheet
from hwgen.metrics import text


@pytest.fixture(scope='module')
def charset():
    return Charset.load()


@pytest.fixture(scope='module')
def known(charset):
    return nonsense.known_codes(charset)


@pytest.fixture(scope='module')
def vocabulary(charset):
    """400 hanzi and some symbols."""
    return [*charset.character_set('gb2312-1')[:400], *map(charset.character_id, '，。A1')]


def test_known_codes_are_those_of_every_character(charset, known):
    for character in '明鲜㐂':  # the last one is not in the table
        encoded = charset.encode(character)
        if encoded.exact_structure[0]:
            assert (int(encoded.structure_ids[0]), *encoded.component_ids[0].tolist()) in known
    assert len(known) > charset.num_characters


def test_glyphs_are_new_combinations_of_known_parts(charset, known, vocabulary):
    glyphs = nonsense.draw_glyphs(charset, vocabulary, 150, seed=3, known=known)
    assert len(set(glyphs)) == 150
    places = {(int(charset.character_structures[i]), slot, int(c)) for i in vocabulary for slot, c in enumerate(charset.character_components[i])}
    real = set(charset.encodable_characters())
    for glyph in glyphs:
        encoded = charset.encode(glyph)
        assert len(encoded.units) == 1 and encoded.character_ids[0] == 0 and glyph not in real
        code = (int(encoded.structure_ids[0]), *encoded.component_ids[0].tolist())
        assert code not in known
        assert all((code[0], slot, component) in places for slot, component in enumerate(code[1:]))
    assert nonsense.draw_glyphs(charset, vocabulary, 150, seed=3, known=known) == glyphs
    assert not set(nonsense.draw_glyphs(charset, vocabulary, 150, seed=4, known=known)) >= set(glyphs)
    with pytest.raises(ValueError, match='only 0 were found; expected a larger vocabulary'):
        nonsense.draw_glyphs(charset, [charset.character_id('明')], 2, seed=0, known=known)


def record_of(charset, text, writer, grey):
    """Characters of 40 x 64 px in two grey halves, a blank column between: grey + 2 k and grey + 2 k + 1 for the k-th."""
    image, boxes = np.full([64, 44 * len(text)], 255, np.uint8), []
    for k in range(len(text)):
        image[:, 44 * k:44 * k + 18], image[:, 44 * k + 22:44 * k + 40] = grey + 2 * k, grey + 2 * k + 1
        boxes.append([44 * k, 0, 44 * k + 40, 64])
    encoded = charset.encode(text)
    return records.LineRecord(image, text, encoded.character_ids, encoded.component_ids, encoded.structure_ids, writer, 'made', np.array(boxes, np.int32))


def test_real_ink_put_together_anew(charset, known):
    # 安 is no ⿰ of two components and is passed over; so is 好 without a column between its components.
    lines = [record_of(charset, '明河', 'first', 0), record_of(charset, '好安时', 'first', 40), record_of(charset, '对知', 'second', 90)]
    lines[1].image[:, :40] = 100
    ink = {'明': (0, 1), '河': (2, 3), '时': (44, 45), '对': (90, 91), '知': (92, 93)}
    of_writer = {'明': 1, '河': 1, '时': 1, '对': 2, '知': 2}
    whole, recombined = nonsense.recombine(lines, charset, known=known, seed=0)
    assert whole and [len(units) for units, _ in whole] == [len(units) for units, _ in recombined]
    seen = 0
    for (characters, picture), (glyphs, other) in zip(whole, recombined):
        assert len({of_writer[c] for c in characters}) == 1 and picture.shape == other.shape == (64, 40 * len(characters))
        for place, (character, glyph) in enumerate(zip(characters, glyphs)):
            left, right = picture[0, 40 * place + 5], picture[0, 40 * place + 35]
            assert (left, right) == ink[character]
            assert other[0, 40 * place + 5] == left
            donor, = (c for c, halves in ink.items() if halves[1] == other[0, 40 * place + 35])
            assert of_writer[donor] == of_writer[character] and donor != character
            own, others = charset.encode(character).component_ids[0], charset.encode(donor).component_ids[0]
            encoded = charset.encode(glyph)
            assert encoded.component_ids[0].tolist() == [own[0], others[1], 0, 0] and encoded.character_ids[0] == 0
            seen += 1
    assert seen >= 3
    everything = known | {(charset.structures.index('⿰··'), *charset.encode(g).component_ids[0].tolist()) for units, _ in recombined for g in units}
    assert nonsense.recombine(lines, charset, known=everything, seed=0) == ([], [])


@pytest.mark.parametrize('blank', [4, 34])
def test_ink_is_cut_between_components_not_at_an_edge(charset, known, blank):
    """明 has blank columns within a fifth of its width from an end alone: they are within or beside a component."""
    line = record_of(charset, '明河对知', 'first', 0)
    line.image[:, :40] = 7
    line.image[:, blank:blank + 3] = 255
    found = {character for seed in range(6) for units, _ in nonsense.recombine([line], charset, known=known, seed=seed)[0] for character in units}
    assert found == {'河', '对', '知'}


class NumberedWriter:
    """Its pictures hold the number of the text."""

    char_px = char_width_px = 32

    def __init__(self):
        self.texts, self.seeds = [], []

    def write(self, texts, *, style_seeds, truncation):
        images = []
        self.seeds += style_seeds.tolist()
        for text in texts:
            self.texts.append(text)
            image = np.zeros([32, 32 * len(Charset.load().encode(text).units)], np.uint8)
            image[0, :2] = divmod(len(self.texts) - 1, 256)
            images.append(image)
        return images


class KnowingReader:
    """Reads generated lines, but takes the last label of each character that does not exist for the blank's neighbour 1; of real lines nothing."""

    def __init__(self, writer, charset):
        self.writer, self.charset = writer, charset

    def labels(self, text):
        encoded = self.charset.encode(text)
        return [(5000 + int(s), *(int(c) for c in row if c)) for s, row in zip(encoded.structure_ids, encoded.component_ids)]

    def read(self, images, num_characters):
        found = []
        for image in images:
            if image.shape[0] == 64:
                found.append([])
                continue
            text = self.writer.texts[int(image[0, 0]) * 256 + int(image[0, 1])]
            labels = zip(self.labels(text), self.charset.encode(text).character_ids)
            found.append([label for own, known in labels for label in (own if known else (*own[:-1], 9999))])
        return found


def test_known_errors_come_out(tmp_path, charset, known, vocabulary):
    rng, counts = np.random.default_rng(0), {}
    hanzi = [charset.characters[i] for i in vocabulary[:-4]]
    for split in ('test', 'unseen'):
        lines = [record_of(charset, ''.join(rng.choice([*hanzi, '，'] if split == 'test' else hanzi, size=4)), 'somebody', 0) for _ in range(30)]
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=1)._asdict()
    shards.write_info(tmp_path, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}})
    indices, writer = {split: shards.RecordIndex(tmp_path, split=split) for split in counts}, NumberedWriter()

    def run(seed):
        return nonsense.read_lines(KnowingReader(writer, charset), indices, writer, vocabulary=vocabulary, charset=charset, known=known, num_lines=10,
                                   seed=seed, report=lambda line: None)
    found = run(0)
    kinds = {(lines.kind, lines.side): lines for lines in found}
    assert set(kinds) == {(kind, side) for kind in ('seen', 'unseen', 'whole', 'recombined') for side in ('floor', 'generated')} | {
        ('even', 'generated'), ('nonsense', 'generated')}
    assert [len(units) for units in kinds['nonsense', 'generated'].units] == [len(units) for units in kinds['unseen', 'floor'].units]
    # Lines that are compared one by one are in one hand, all others in hands of their own.
    seeds = iter(writer.seeds)
    hands = {lines.kind: [next(seeds) for _ in lines.units] for lines in found if lines.side == 'generated'}
    assert hands['whole'] == hands.pop('recombined') and len({seed for kind in hands.values() for seed in kind}) == sum(map(len, hands.values()))
    figures = nonsense.figures(found)
    assert {name.split('_')[2] for name in figures} == {'seen', 'unseen', 'even', 'nonsense'}
    for kind in ('seen', 'unseen', 'even'):
        assert {figures[f'error_{name}_{kind}_10']['generated'] for name in ('labels', 'structures', 'components')} == {0.}
    assert figures['error_labels_seen_10']['floor'] == 1.
    # Of every nonsense glyph the last component is read wrong, and nothing else.
    glyphs = [glyph for line in kinds['nonsense', 'generated'].units for glyph in line]
    components = sum(np.count_nonzero(charset.encode(glyph).component_ids) for glyph in glyphs)
    assert figures['error_components_nonsense_10']['generated'] == pytest.approx(len(glyphs) / components)
    assert figures['error_labels_nonsense_10']['generated'] == pytest.approx(len(glyphs) / (components + len(glyphs)))
    assert figures['error_structures_nonsense_10']['generated'] == 0.
    # Symbols are no hanzi.
    seen = kinds['seen', 'generated']
    assert len(seen.structures) == sum(character != '，' for line in seen.units for character in line)
    by_kind = {(row['kind'], row['side']): row for row in nonsense.intervals([found, run(1)], seed=0)}
    row = by_kind['nonsense', 'generated']
    assert row['num_lines'] == 20 and row['label_error_95_low'] <= row['label_error'] <= row['label_error_95_high']
    costs = nonsense.recombining([found], seed=0)
    # ⿰ of two components: one label of three; of real ink nothing was read either way.
    assert costs == {'floor': [0, 0, 0], 'generated': pytest.approx([1 / 3] * 3), 'writer': pytest.approx([1 / 3] * 3)}
    table = nonsense.format_markdown(by_kind.values(), costs)
    assert '| nonsense | generated | 20 |' in table and '| generated - real | +0.333 (+0.333 to +0.333) |' in table
    assert nonsense.digest(run(0)) == nonsense.digest(found) != nonsense.digest(run(1))
    assert nonsense.recombining([[lines for lines in found if lines.kind == 'nonsense']], seed=0) is None


def test_what_recombining_costs_is_held_line_by_line():
    """The same lines are drawn on all sides: where both sides err alike there is nothing between them, in no sample of lines."""
    rng = np.random.default_rng(0)
    whole, recombined = (text.EditCounts(rng.integers(5, size=30), *np.zeros([2, 30], np.int64), np.full(30, 12), np.full(30, 12)) for _ in range(2))
    found = [nonsense.Lines(kind, side, [('明',)] * 30, [], counts, None, None)
             for side in ('floor', 'generated') for kind, counts in (('whole', whole), ('recombined', recombined))]
    costs = nonsense.recombining([found], seed=0)
    assert costs['writer'] == [0., 0., 0.] and costs['floor'] == costs['generated']
    value, low, high = costs['floor']
    each = (recombined.errors - whole.errors) / 12
    assert value == pytest.approx(each.mean())
    # A paired difference spreads as the lines' differences do: its interval is that of their mean.
    assert (high - low) / 2 == pytest.approx(1.96 * each.std() / 30**.5, rel=.15)  # 1,000 samples


def test_plan_of_a_glyph(charset):
    plan = nonsense_sheet.draw_plan(charset, '⿱山土')
    top, bottom = (text_half < 128 for text_half in (plan[2:30, 2:62], plan[34:62, 2:62]))
    assert plan.shape == (64, 64) and top.mean() > .03 and bottom.mean() > .03
    sheet = nonsense_sheet.draw_sheet(charset, [('⿱山土', '⿰日土'), ('⿱山鱼',)], [np.zeros([32, 64], np.uint8), np.full([32, 32], 255, np.uint8)], columns=2, count=3)
    assert sheet.shape[1] == 2 * (2 * 64 + 14) and (sheet[:64, :64] == 0).all() and (sheet[80:, :64] == 255).all()
    np.testing.assert_array_equal(sheet[:64, 64:128], plan)
