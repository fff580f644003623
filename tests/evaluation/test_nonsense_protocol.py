"""Nonsense glyphs: which are drawn, real ink put together anew, and errors of a reader whose errors are
known.
"""

import numpy as np
import pytest

from hwgen.charset.encoding import Charset
from hwgen.data.preparing import shard_writer
from hwgen.data.reading import records, shards
from hwgen.evaluation.measuring import nonsense, nonsense_glyphs, nonsense_sheet
from hwgen.metrics import text


@pytest.fixture(scope='module')
def charset():
    return Charset.load()


@pytest.fixture(scope='module')
def known(charset):
    return nonsense_glyphs.known_codes(charset)


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
    size = len(known)
    glyphs = nonsense_glyphs.draw_glyphs(charset, vocabulary, 150, seed=3, known=known)
    assert len(set(glyphs)) == 150 and len(known) == size
    places = {
        (int(charset.character_structures[i]), slot, int(c))
        for i in vocabulary
        for slot, c in enumerate(charset.character_components[i])
    }
    real = set(charset.encodable_characters())
    for glyph in glyphs:
        encoded = charset.encode(glyph)
        assert len(encoded.units) == 1 and encoded.character_ids[0] == 0 and glyph not in real
        code = (int(encoded.structure_ids[0]), *encoded.component_ids[0].tolist())
        assert code not in known
        assert all((code[0], slot, component) in places for slot, component in enumerate(code[1:]))
    assert nonsense_glyphs.draw_glyphs(charset, vocabulary, 150, seed=3, known=known) == glyphs
    assert not set(nonsense_glyphs.draw_glyphs(charset, vocabulary, 150, seed=4, known=known)) >= set(glyphs)
    assert not set(glyphs) & set(
        nonsense_glyphs.draw_glyphs(
            charset,
            vocabulary,
            150,
            seed=3,
            known=known | {nonsense_glyphs._code(charset.encode(glyph), 0) for glyph in glyphs},
        )
    )
    assert nonsense_glyphs.draw_glyphs(charset, vocabulary, 20, seed=3, known=known) == glyphs[:20]
    with pytest.raises(ValueError, match='only 0 were found; expected a larger vocabulary'):
        nonsense_glyphs.draw_glyphs(charset, [charset.character_id('明')], 2, seed=0, known=known)


def record_of(charset, text, writer, grey):
    """Characters of 40 x 64 px in two grey halves, a blank column between: grey + 2 k and grey + 2 k + 1
    for the k-th.
    """
    image, boxes = np.full([64, 44 * len(text)], 255, np.uint8), []
    for k in range(len(text)):
        image[:, 44 * k : 44 * k + 18], image[:, 44 * k + 22 : 44 * k + 40] = grey + 2 * k, grey + 2 * k + 1
        boxes.append([44 * k, 0, 44 * k + 40, 64])
    encoded = charset.encode(text)
    return records.LineRecord(
        image,
        text,
        encoded.character_ids,
        encoded.component_ids,
        encoded.structure_ids,
        writer,
        'made',
        np.array(boxes, np.int32),
    )


def test_real_ink_put_together_anew(charset, known):
    # 安 is no ⿰ of two components and is passed over; so is 好 without a column between its components.
    lines = [
        record_of(charset, '明河', 'first', 0),
        record_of(charset, '好安时', 'first', 40),
        record_of(charset, '对知', 'second', 90),
    ]
    lines[1].image[:, :40] = 100
    ink = {'明': (0, 1), '河': (2, 3), '时': (44, 45), '对': (90, 91), '知': (92, 93)}
    of_writer = {'明': 1, '河': 1, '时': 1, '对': 2, '知': 2}
    whole, recombined = nonsense_glyphs.recombine(lines, charset, known=known, seed=0)
    assert whole and [len(units) for units, _ in whole] == [len(units) for units, _ in recombined]
    seen = 0
    for (characters, picture), (glyphs, other) in zip(whole, recombined):
        assert len({of_writer[c] for c in characters}) == 1 and picture.shape == other.shape == (
            64,
            40 * len(characters),
        )
        for place, (character, glyph) in enumerate(zip(characters, glyphs)):
            left, right = picture[0, 40 * place + 5], picture[0, 40 * place + 35]
            assert (left, right) == ink[character]
            assert other[0, 40 * place + 5] == left
            (donor,) = (c for c, halves in ink.items() if halves[1] == other[0, 40 * place + 35])
            assert of_writer[donor] == of_writer[character] and donor != character
            own, others = charset.encode(character).component_ids[0], charset.encode(donor).component_ids[0]
            encoded = charset.encode(glyph)
            assert (
                encoded.component_ids[0].tolist() == [own[0], others[1], 0, 0]
                and encoded.character_ids[0] == 0
            )
            seen += 1
    assert seen >= 3
    everything = known | {
        (charset.structures.index('⿰··'), *charset.encode(g).component_ids[0].tolist())
        for units, _ in recombined
        for g in units
    }
    assert nonsense_glyphs.recombine(lines, charset, known=everything, seed=0) == ([], [])


def test_where_ink_is_cut(charset, known):
    """At the blank column nearest to the border of the structure, the middle: columns within the left
    component are not it. Pale ink, of 128 and more, is none.
    """
    line = record_of(charset, '明河对知', 'first', 0)
    line.image[:, 10::44], line.image[:, 33::44] = 255, 255
    (whole,), (recombined,) = nonsense_glyphs.recombine([line], charset, known=known, seed=1)
    cuts = charset.template_boxes[charset.structures.index('⿰··')][0][2]
    assert cuts == pytest.approx(0.5)
    for place in range(len(whole[0])):
        own, new = (lines[1][0, 40 * place : 40 * place + 40] for lines in (whole, recombined))
        assert (own[:20] == new[:20]).all() and (own[22:] != new[22:]).sum() == 17  # but for the blank column

    def characters():
        return {
            c
            for seed in range(4)
            for units, _ in nonsense_glyphs.recombine([line], charset, known=known, seed=seed)[0]
            for c in units
        }

    assert characters() == set('明河对知')
    line.image[:, 10], line.image[:, 33] = 0, 0
    line.image[5, 18:22] = 128
    assert '明' in characters()
    line.image[5, 18:22] = 127
    assert '明' not in characters()


def test_lines_put_together_anew_have_four_characters_of_one_writer_at_most(charset, known):
    lines = [
        record_of(charset, '明河时对知', 'b', 0),
        record_of(charset, '地明', 'a', 40),
        record_of(charset, '河时对林知', 'b', 90),
    ]
    whole, recombined = nonsense_glyphs.recombine(lines, charset, known=known, seed=2)
    lengths = [len(units) for units, _ in whole]
    assert (
        set(whole[0][0]) <= set('地明')
        and lengths[0] <= 2
        and len(lengths) > 2
        and all(length == 4 for length in lengths[1:-1])
        and 1 <= lengths[-1] <= 4
    )
    again = nonsense_glyphs.recombine(lines[::-1], charset, known=known, seed=2)[0]
    assert set(again[0][0]) <= set('地明')  # writers by name, not as they come


@pytest.mark.parametrize('blank', [4, 6, 32, 34])
def test_ink_is_cut_between_components_not_at_an_edge(charset, known, blank):
    """明 has blank columns within a fifth of its width from an end alone: they are within or beside a
    component.
    """
    line = record_of(charset, '明河对知', 'first', 0)
    line.image[:, :40] = 7
    line.image[:, blank : blank + 3] = 255
    found = {
        character
        for seed in range(6)
        for units, _ in nonsense_glyphs.recombine([line], charset, known=known, seed=seed)[0]
        for character in units
    }
    assert found == {'河', '对', '知'}


class NumberedWriter:
    """Its pictures hold the number of the text."""

    char_px = char_width_px = 32

    def __init__(self):
        self.texts, self.seeds = [], []

    def write(self, texts, *, style_seeds, truncation):
        images = []
        self.seeds += style_seeds.tolist()
        for written in texts:
            self.texts.append(written)
            image = np.zeros([32, 32 * len(Charset.load().encode(written).units)], np.uint8)
            image[0, :2] = divmod(len(self.texts) - 1, 256)
            images.append(image)
        return images


class KnowingReader:
    """Reads generated lines, but takes the last label of each character that does not exist for the
    blank's neighbour 1; of real lines nothing.
    """

    def __init__(self, writer, charset):
        self.writer, self.charset = writer, charset

    def labels(self, text):
        encoded = self.charset.encode(text)
        return [
            (5000 + int(s), *(int(c) for c in row if c))
            for s, row in zip(encoded.structure_ids, encoded.component_ids)
        ]

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
        lines = [
            record_of(
                charset,
                ''.join(rng.choice([*hanzi, '，'] if split == 'test' else hanzi, size=4)),
                'somebody',
                0,
            )
            for _ in range(30)
        ]
        counts[split] = shard_writer.write_shards(lines, tmp_path, split=split, num_shards=1)._asdict()
    shards.write_info(tmp_path, {'splits': counts, 'charset': {'row_count': 1, 'hash': 'none'}})
    indices, writer = {split: shards.RecordIndex(tmp_path, split=split) for split in counts}, NumberedWriter()

    def run(seed):
        return nonsense.read_lines(
            KnowingReader(writer, charset),
            indices,
            writer,
            vocabulary=vocabulary,
            charset=charset,
            known=known,
            num_lines=10,
            seed=seed,
            report=lambda line: None,
        )

    found = run(0)
    kinds = {(lines.kind, lines.side): lines for lines in found}
    assert set(kinds) == {
        (kind, side) for kind in ('seen', 'unseen', 'whole', 'recombined') for side in ('floor', 'generated')
    } | {('even', 'generated'), ('nonsense', 'generated')}
    assert [len(units) for units in kinds['nonsense', 'generated'].units] == [
        len(units) for units in kinds['unseen', 'floor'].units
    ]
    # Lines that are compared one by one are in one hand, all others in hands of their own.
    seeds = iter(writer.seeds)
    hands = {lines.kind: [next(seeds) for _ in lines.units] for lines in found if lines.side == 'generated'}
    assert hands['whole'] == hands.pop('recombined') and len(
        {seed for kind in hands.values() for seed in kind}
    ) == sum(map(len, hands.values()))

    # What each kind is made of, by streams of the seed that no other kind has.
    def rng(*stream):
        return np.random.default_rng([0, *stream])

    for number, (split, kind) in enumerate((('test', 'seen'), ('unseen', 'unseen'))):
        expected = [
            tuple(indices[split].read_record(int(place)).text)
            for place in rng(30, number).permutation(30)[:10]
        ]
        assert kinds[kind, 'floor'].units == kinds[kind, 'generated'].units == expected
        assert hands[kind] == rng(31, number).integers(2**63, size=10).tolist()

    def flat(kind):
        return [unit for line in kinds[kind, 'generated'].units for unit in line]

    lengths = [len(line) for line in kinds['unseen', 'floor'].units]
    assert [len(line) for line in kinds['even', 'generated'].units] == lengths and flat('even') == [
        hanzi[k] for k in rng(33).integers(len(hanzi), size=sum(lengths))
    ]
    assert flat('nonsense') == nonsense_glyphs.draw_glyphs(
        charset, vocabulary, sum(lengths), seed=[0, 32], known=known
    )
    lines = [indices['test'].read_record(number) for number in range(30)]
    for kind, made in zip(
        ('whole', 'recombined'), nonsense_glyphs.recombine(lines, charset, known=known, seed=[0, 34])
    ):
        assert (
            kinds[kind, 'floor'].units == [units for units, _ in made[:10]]
            and hands['whole'] == rng(31, 4).integers(2**63, size=len(made[:10])).tolist()
        )
        assert all((image == other).all() for image, (_, other) in zip(kinds[kind, 'floor'].images, made))
    assert (
        hands['even'] == rng(31, 2).integers(2**63, size=10).tolist()
        and hands['nonsense'] == rng(31, 3).integers(2**63, size=10).tolist()
    )
    assert writer.texts[:10] == [''.join(line) for line in kinds['seen', 'floor'].units]
    figures = nonsense.figures(found)
    # nothing was read
    assert {
        figures[f'error_{name}_{kind}_10']['floor']
        for name in ('structures', 'components')
        for kind in ('seen', 'unseen')
    } == {1.0}
    assert {name.split('_')[2] for name in figures} == {'seen', 'unseen', 'even', 'nonsense'}
    for kind in ('seen', 'unseen', 'even'):
        assert {
            figures[f'error_{name}_{kind}_10']['generated'] for name in ('labels', 'structures', 'components')
        } == {0.0}
    assert figures['error_labels_seen_10']['floor'] == 1.0
    # Of every nonsense glyph the last component is read wrong, and nothing else.
    glyphs = [glyph for line in kinds['nonsense', 'generated'].units for glyph in line]
    components = sum(np.count_nonzero(charset.encode(glyph).component_ids) for glyph in glyphs)
    assert figures['error_components_nonsense_10']['generated'] == pytest.approx(len(glyphs) / components)
    assert figures['error_labels_nonsense_10']['generated'] == pytest.approx(
        len(glyphs) / (components + len(glyphs))
    )
    assert figures['error_structures_nonsense_10']['generated'] == 0.0
    # Symbols are no hanzi.
    seen = kinds['seen', 'generated']
    assert len(seen.structures) == sum(character != '，' for line in seen.units for character in line)
    by_kind = {(row['kind'], row['side']): row for row in nonsense.intervals([found, run(1)], seed=0)}
    row = by_kind['nonsense', 'generated']
    assert (
        row['num_lines'] == 20
        and row['label_error_95_low'] <= row['label_error'] <= row['label_error_95_high']
    )
    both = [
        {(lines.kind, lines.side): lines for lines in run(seed)}['nonsense', 'generated'] for seed in (0, 1)
    ]
    errors, totals = (
        np.concatenate([getattr(lines.counts, name) for lines in both])
        for name in ('errors', 'reference_lengths')
    )
    assert (row['num_characters'], row['num_labels']) == (
        sum(len(line) for lines in both for line in lines.units),
        totals.sum(),
    )
    assert row['label_error'] == errors.sum() / totals.sum()
    draws = np.random.default_rng([0, 35]).integers(20, size=(1000, 20))
    expected = np.percentile(errors[draws].sum(1) / totals[draws].sum(1), [2.5, 97.5])
    np.testing.assert_allclose([row['label_error_95_low'], row['label_error_95_high']], expected)
    costs = nonsense.recombining([found], seed=0)
    # ⿰ of two components: one label of three; of real ink nothing was read either way.
    assert costs == {
        'floor': [0, 0, 0],
        'generated': pytest.approx([1 / 3] * 3),
        'writer': pytest.approx([1 / 3] * 3),
    }
    table = nonsense.format_markdown(by_kind.values(), costs)
    assert (
        '| nonsense | generated | 20 |' in table
        and '| generated - real | +0.333 (+0.333 to +0.333) |' in table
    )
    assert nonsense.digest(run(0)) == nonsense.digest(found) != nonsense.digest(run(1))
    assert nonsense.recombining([[lines for lines in found if lines.kind == 'nonsense']], seed=0) is None


def test_what_recombining_costs_is_held_line_by_line():
    """The same lines are drawn on all sides: where both sides err alike there is nothing between them, in
    no sample of lines.
    """
    rng = np.random.default_rng(0)
    whole, recombined = (
        text.EditCounts(
            rng.integers(5, size=30), *np.zeros([2, 30], np.int64), np.full(30, 12), np.full(30, 12)
        )
        for _ in range(2)
    )
    found = [
        nonsense.Lines(kind, side, [('明',)] * 30, [], counts, None, None)
        for side in ('floor', 'generated')
        for kind, counts in (('whole', whole), ('recombined', recombined))
    ]
    costs = nonsense.recombining([found], seed=0)
    assert costs['writer'] == [0.0, 0.0, 0.0] and costs['floor'] == costs['generated']
    value, low, high = costs['floor']
    each = (recombined.errors - whole.errors) / 12
    assert value == pytest.approx(each.mean())
    draws = np.random.default_rng([7, 35]).integers(30, size=(1000, 30))
    other = nonsense.recombining([found], seed=7)
    np.testing.assert_allclose(
        other['floor'], [each.mean(), *np.percentile(each[draws].mean(1), [2.5, 97.5])]
    )
    # A paired difference spreads as the lines' differences do: its interval is that of their mean.
    assert (high - low) / 2 == pytest.approx(1.96 * each.std() / 30**0.5, rel=0.15)  # 1,000 samples


def test_costs_over_seeds_are_of_all_lines_and_the_writers_is_the_rest():
    """By hand, lines of unequal lengths: of real ink 3 of 10 wrong become 5 of 8, of written 1 of 10
    become 7 of 8.
    """

    def line(kind, side, errors, lengths):
        return nonsense.Lines(
            kind,
            side,
            [('明',)] * len(errors),
            [],
            text.EditCounts(
                np.array(errors), *np.zeros([2, len(errors)], np.int64), np.array(lengths), np.array(lengths)
            ),
            None,
            None,
        )

    first = [
        line('whole', 'floor', [1], [4]),
        line('whole', 'generated', [1], [4]),
        line('recombined', 'floor', [3], [3]),
        line('recombined', 'generated', [2], [3]),
    ]
    second = [
        line('whole', 'floor', [2], [6]),
        line('whole', 'generated', [0], [6]),
        line('recombined', 'floor', [2], [5]),
        line('recombined', 'generated', [5], [5]),
    ]
    costs = nonsense.recombining([[line('seen', 'floor', [9], [9]), *first], second], seed=0)
    assert [costs[name][0] for name in ('floor', 'generated', 'writer')] == pytest.approx(
        [5 / 8 - 0.3, 7 / 8 - 0.1, 7 / 8 - 0.1 - 5 / 8 + 0.3]
    )
    # Two lines: drawn is the first twice, each once, or the second twice; the ends of the interval are the
    # first and the last of these.
    assert costs['floor'][1:] == pytest.approx(sorted([1.0 - 1 / 4, 2 / 5 - 2 / 6])) and costs['generated'][
        1:
    ] == pytest.approx(sorted([2 / 3 - 1 / 4, 1.0]))


def test_tables_of_what_was_read_and_of_what_it_costs():
    row = dict(
        kind='even',
        side='floor',
        num_lines=3,
        num_characters=12,
        num_labels=40,
        label_error=0.12345,
        label_error_95_low=0.1,
        label_error_95_high=0.25,
    )
    table = nonsense.format_markdown(
        [row, {**row, 'side': 'generated'}], {'floor': [0.1, -0.05, 0.2], 'writer': [-0.25, -0.5, 0.0]}
    )
    assert (
        table
        == """\
| lines | hand | N lines | N characters | N labels | label error |
|---|---|---|---|---|---|
| even | real | 3 | 12 | 40 | 0.123 (0.100 to 0.250) |
| even | generated | 3 | 12 | 40 | 0.123 (0.100 to 0.250) |

| recombining adds | label error |
|---|---|
| real | +0.100 (-0.050 to +0.200) |
| generated - real | -0.250 (-0.500 to +0.000) |
"""
    )
    assert nonsense.format_markdown([row], None).endswith(
        '0.250) |\n'
    ) and 'recombining' not in nonsense.format_markdown([row], None)


def test_a_sequence_spells_what_is_in_no_table_and_nothing_else(charset):
    def code(glyph):
        return nonsense_glyphs._code(charset.encode(glyph), 0)

    assert nonsense_glyphs._spells(charset, '⿱山鱼', code('⿱山鱼')) and code('⿱山鱼') == (
        charset.structures.index('⿱··'),
        *map(charset.components.index, '山鱼'),
        0,
        0,
    )
    assert not nonsense_glyphs._spells(charset, '⿱山鱼', code('⿱山土')) and not nonsense_glyphs._spells(
        charset, '⿱山鱼', code('⿰山鱼')
    )
    # these exist
    assert not nonsense_glyphs._spells(charset, '明', code('明')) and not nonsense_glyphs._spells(
        charset, '⿰日月', code('⿰日月')
    )
    assert not nonsense_glyphs._spells(
        charset, '⿱山鱼⿱山鱼', code('⿱山鱼')
    ) and not nonsense_glyphs._spells(charset, '⿱山', code('⿱山鱼'))


def test_plan_of_a_glyph(charset):
    plan = nonsense_sheet.draw_plan(charset, '⿱山土')
    top, bottom = (text_half < 128 for text_half in (plan[2:30, 2:62], plan[34:62, 2:62]))
    assert plan.shape == (64, 64) and top.mean() > 0.03 and bottom.mean() > 0.03
    # The upper box is as wide as the cell and half as high, its frame pale; what surrounds is drawn over what
    # it surrounds, neither hides the other.
    frame = np.argwhere(plan == 200)
    assert frame.min(0).tolist() == [0, 0] and frame.max(0).tolist() == [63, 63]
    assert not (plan == nonsense_sheet.draw_plan(charset, '⿱土山')).all()
    around, alone = (nonsense_sheet.draw_plan(charset, glyph) < 100 for glyph in ('⿴囗土', '⿴囗人'))
    assert (around & alone).mean() > 0.05 and (around ^ alone).any()
    sheet = nonsense_sheet.draw_sheet(
        charset,
        [('⿱山土', '⿰日土'), ('⿱山鱼',)],
        [np.zeros([32, 64], np.uint8), np.full([32, 32], 255, np.uint8)],
        columns=2,
        count=3,
    )
    assert (
        sheet.shape[1] == 2 * (2 * 64 + 14)
        and (sheet[:64, :64] == 0).all()
        and (sheet[80:, :64] == 255).all()
    )
    np.testing.assert_array_equal(sheet[:64, 64:128], plan)


def test_boxes_of_a_plan(charset):
    """Frames in the boxes of the structure; in each its component as high and as wide as the box, or its
    code point where no font has it.
    """
    encoded = charset.encode('⿰日土')
    plan = nonsense_sheet.draw_plan(charset, '⿰日土')
    for x0, y0, x1, y1 in np.round(encoded.boxes[0][:2].astype(float) * 63).astype(int):
        assert (plan[[y0, y0, y1, y1], [x0, x1, x0, x1]] == 200).all()
        inside = np.argwhere(plan[y0 + 2 : y1 - 1, x0 + 2 : x1 - 1] < 100)
        assert np.ptp(inside[:, 0]) > 0.6 * (y1 - y0) and np.ptp(inside[:, 1]) > 0.4 * (x1 - x0)
    assert sorted(column for column in range(64) if (plan[:, column] == 200).sum() > 50) == sorted(
        {round(float(x) * 63) for box in encoded.boxes[0][:2] for x in (box[0], box[2])}
    )
    characters = nonsense_sheet.fonts.open_font(nonsense_sheet.fonts.FALLBACK).characters
    place = next(
        place
        for place, name in enumerate(charset.components)
        if place and len(name) == 1 and name not in characters and ord(name) > 0x2E80
    )
    told = nonsense_sheet.draw_plan(charset, f'⿱{charset.components[place]}土')
    # small letters in the corner of the box, nothing below them
    assert 120 <= told[2:14, 2:40].min() < 150 and (told[16:28, 2:62] == 255).all()
    assert nonsense_sheet.draw_sheet.__kwdefaults__ == {'columns': 7, 'count': 56}


def test_the_sheet_has_the_first_glyphs_in_rows(charset):
    """Seven in a row; more lines than are shown, of several lengths; each beside its plan."""
    glyphs = [tuple(['⿱山土', '⿰日土', '⿱山鱼'][: 1 + line % 3]) for line in range(9)]
    images = [
        np.repeat(np.uint8([10 * line + place for place in range(len(own))]), 32)[np.newaxis].repeat(
            32, axis=0
        )
        for line, own in enumerate(glyphs)
    ]
    sheet = nonsense_sheet.draw_sheet(charset, glyphs, images, count=16)
    assert sheet.shape == (3 * 64 + 2 * 16, 7 * 142)
    expected = [
        (10 * line + place, glyph) for line, own in enumerate(glyphs) for place, glyph in enumerate(own)
    ]
    for number, (grey, glyph) in enumerate(expected[:16]):
        top, left = number // 7 * 80, number % 7 * 142
        assert (sheet[top : top + 64, left : left + 64] == grey).all() and (
            sheet[top : top + 64, left + 128 : left + 142] == 255
        ).all()
        np.testing.assert_array_equal(
            sheet[top : top + 64, left + 64 : left + 128], nonsense_sheet.draw_plan(charset, glyph)
        )
    assert (sheet[160:, 2 * 142 :] == 255).all()
