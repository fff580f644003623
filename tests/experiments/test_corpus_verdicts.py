"""experiments/corpus: lines and hands that are compared, what networks are taught and asked, tables and
sheets, step by step and by hand.
"""

import json

import numpy as np
import pytest

from experiments.corpus import (
    character_worth,
    hands,
    judges,
    line_worth,
    people_lines,
    report,
    sheets,
    spreads,
    worth_report,
    worth_rows,
    worth_sheet,
    writer_worth,
)
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.measuring import small_network

# ---- people's lines, hands, pools


def test_people_write_in_their_own_size_side_by_side():
    crop = np.ones([20, 10], np.float32)
    line = people_lines.set_side_by_side([crop, crop, np.ones([10, 100], np.float32)], scale=2.0)
    assert line.shape == (64, 55 * 3) and people_lines.HEIGHT_PX == 64
    inked = line < 128
    assert np.flatnonzero(inked[:, :55].any(1)).tolist() == list(range(12, 52)) and np.flatnonzero(
        inked[:, :55].any(0)
    ).tolist() == list(range(17, 37))
    assert inked[:, 110:].any(0).sum() == 53  # what does not fit is made smaller: 2 px of the cell stay free
    tall = people_lines.set_side_by_side([np.ones([100, 10], np.float32)], scale=2.0)
    assert (tall < 128).any(1).sum() == 62

    def scan(side):
        picture = np.full([64, 64], 255, np.uint8)
        picture[10 : 10 + side, 30:36] = 0
        return picture

    scans = [[[scan(side)] * 2] * 15 for side in (20, 40)]
    lines = people_lines.write_lines(scans, characters='一十百', lines=30, seed=1)
    assert {len(line.text) for line in lines} == {3, 4, 5, 6} and [line.person for line in lines] == [
        0
    ] * 30 + [1] * 30
    # whoever writes small is enlarged
    assert {int((line.image < 128).any(1).sum()) for line in lines} == {round(0.74 * 64)}
    assert lines[0].text != lines[30].text or lines[1].text != lines[31].text


def test_hands_of_each_kind():
    assert hands.test_index(3) == 100_003 and hands.KINDS == {
        'fonts_1_1': 'fonts, 1.1',
        'fonts_2_0': 'fonts, 2.0',
        'pen': 'pens',
    }
    assert isinstance(hands.open_hand('pen', 3), PenWriter) and hands.open_hand('pen', 3).name == 'pen 0-3'
    assert {hands.open_hand('fonts_1_1', n).habits.font for n in range(60)} == {
        'long-cang',
        'zhi-mang-xing',
        'ma-shan-zheng',
        'lxgw-wenkai',
    }
    assert {hands.open_hand('fonts_2_0', n).habits.font for n in range(60)} == {
        'long-cang',
        'zhi-mang-xing',
        'ma-shan-zheng',
        'lxgw-wenkai',
        'kose',
        'zen-kurenaido',
        'kiloji',
    }
    lacking = next(
        n for n in range(100_000, 100_100) if hands.open_hand('fonts_2_0', n).habits.font == 'kiloji'
    )
    assert (
        not hands.writes('fonts_2_0', lacking, '说')
        and hands.writes('fonts_2_0', lacking, '山')
        and hands.writes('pen', lacking, '说')
    )
    assert (
        hands.hand_for('fonts_2_0', '说', lacking - 100_000) > lacking
        and hands.hand_for('fonts_2_0', '山', lacking - 100_000) == lacking
    )
    one, other = hands.write('pen', 1, '山', 0), hands.write('pen', 1, '山', 1)
    np.testing.assert_array_equal(
        one, PenWriter(0, 1).write_line('山', np.random.default_rng((1, 0, ord('山'))), height_px=64).image
    )
    assert one.shape[0] == 64 and (one.shape != other.shape or (one != other).any())


def test_a_hands_pictures_are_brought_to_the_resolution_of_a_scan(monkeypatch):
    picture = np.full([64, 80], 255, np.uint8)
    picture[20:40, 10:60] = 0
    monkeypatch.setattr(hands, 'write', lambda kind, index, text, copy=0: picture)
    monkeypatch.setattr(hands, 'writes', lambda kind, index, text: text != '乙')
    assert hands.scanner_factor('pen', 25.0) == pytest.approx(0.5)
    drawn, there = hands.draw_pool('pen', '山乙', [1, 2], factor=0.5)
    assert (
        drawn.shape == (2, 2, 32, 32)
        and there.tolist() == [[True, False]] * 2
        and drawn[0, 0].max() > 250
        and not drawn[0, 1].any()
    )
    box = np.flatnonzero(drawn[0, 0].max(0) > 127)
    assert len(box) == 28 and box[0] == 2
    np.testing.assert_array_equal(drawn[0, 0], hands.prepare(picture, factor=0.5))
    assert len(hands.fingerprint('pen')) == 64


def test_lessons_share_out_copies_among_the_hands(tmp_path):
    """Hands that lack a character leave it to others; each hand once before one comes twice."""
    pools = character_worth.Pools(tmp_path, writers=4, tested=2, longer_px=25.0, characters='永人')

    def pool(value):
        there = np.ones([4, 2], bool)
        there[0, 1] = False
        return (
            np.full([4, 2, 32, 32], value, np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None],
            there,
        )

    pools._kept = {('fonts_1_1', 'taught'): pool(0), ('pen', 'taught'): pool(100)}
    drawn, labels = pools.lesson({'fonts_1_1': 0.25, 'pen': 0.75}, copies=8, rng=np.random.default_rng(0))
    values = drawn[:, 0, 0].astype(int)
    assert labels.tolist() == [0] * 8 + [1] * 8
    first, second = values[:8], values[8:]
    assert (first < 100).sum() == (second < 100).sum() == 2 and sorted(first[first < 100]) == sorted(
        set(first[first < 100])
    )
    assert (
        np.bincount(first[first >= 100] - 100, minlength=4).min() == 1
        and not (second % 100 == 0).any()
        and np.bincount(second[second >= 100] - 100).max() == 2
    )
    assert pools._indices['taught'] == range(4) and pools._indices['tested'] == [100_000, 100_001]


def test_few_people_are_left_out_of_what_they_taught():
    few = character_worth.taught_people(20, 1)
    assert (
        len(few) == len(set(few)) == 5
        and set(few) <= set(range(20))
        and set(few) != set(character_worth.taught_people(20, 2))
    )
    people_ = np.arange(6 * 15 * 3).reshape(6, 15, 3, 1, 1)
    drawn, labels = character_worth.one_copy(people_, [4, 1], seed=5)
    np.testing.assert_array_equal(drawn[:, 0, 0], [people_[w, c, 2, 0, 0] for w in (4, 1) for c in range(15)])
    assert labels.tolist() == [*range(15)] * 2 and character_worth._without([1.0, 2.0, 3.0], [1]) == [
        1.0,
        None,
        3.0,
    ]


def test_people_are_read_among_all_characters_and_among_the_numerals():
    """A network that says the numeral right for the first person, another character for the second, the
    wrong numeral for the third.
    """

    class Network:
        def logits(self, drawn):
            who, character = drawn[:, 0, 0] // 15, drawn[:, 0, 0] % 15
            found = np.zeros([len(drawn), 20])
            found[np.arange(len(drawn)), character] = 1
            found[who == 1, 17] = 2
            found[who == 2, (character[who == 2] + 1) % 15] = 2
            return found

    people_ = np.repeat((np.arange(3)[:, None] * 15 + np.arange(15))[:, :, None, None, None], 2, 2)
    assert character_worth.read_people(Network(), people_) == [[1, 0, 0], [1, 1, 0]]


# ---- networks and verdicts


def test_maps_of_the_augmentation():
    """From the result to the picture: turned, sheared and sized about the middle, by at most what is told."""
    maps = small_network.affine_maps(np.random.default_rng(0), 4000)
    assert maps.shape == (4000, 8) and maps.dtype == np.float32 and not maps[:, 6:].any()
    matrix, shift = maps[:, [0, 1, 3, 4]].reshape(-1, 2, 2).astype(float), maps[:, [2, 5]]
    middle = 15.5 - matrix @ [15.5, 15.5]
    away = shift - middle  # how far the middle is moved
    assert np.abs(away).max() == pytest.approx(0.06 * 32, abs=0.01) and np.abs(away.mean(0)).max() < 0.05
    turn = np.arctan2(matrix[:, 1, 0], matrix[:, 1, 1])
    sizes = np.hypot(matrix[:, 0, 0], matrix[:, 1, 0])
    assert 0.89 < sizes.min() < 0.92 and 1.08 < sizes.max() < 1.12 and np.abs(turn).max() < 0.14
    rng = np.random.default_rng(3)
    (angle,), (shear,), size = (
        rng.uniform(-0.12, 0.12, 1),
        rng.uniform(-0.15, 0.15, 1),
        np.exp(rng.uniform(-0.1, 0.1, [2, 1]))[:, 0],
    )
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(
        small_network.affine_maps(np.random.default_rng(3), 1)[0, [0, 1, 3, 4]].reshape(2, 2),
        size[:, None] * rotate @ np.array([[1, shear], [0, 1]]),
        atol=1e-6,
    )


def test_verdicts_by_hand():
    """Two networks, three writers, two characters, one copy; NaN was not asked."""
    right = np.full([2, 3, 2, 1], np.nan)
    right[0, 0, :, 0], right[0, 1, :, 0], right[1, 1, :, 0] = (1, 0), (1, 1), (0, 1)
    found = judges._verdict(right, [(1, 2)])
    assert (
        found.accuracy.value == pytest.approx(4 / 6)
        and found.seeds == [0.75, 0.5]
        and found.characters == [pytest.approx(2 / 3), pytest.approx(2 / 3)]
    )
    assert found.pictures == 4 and found.surest == [(1, 2)]


def test_lots_and_halves():
    first, second = judges.lots(11)
    assert (
        sorted([*first, *second]) == list(range(11))
        and len(first) == 6
        and first.tolist() == sorted(first)
        and list(first) != list(range(0, 11, 2))
    )
    for seed in (0, 1):
        taught, tested = judges.halves(10, seed=seed)
        assert (
            len(taught) == len(tested) == 5
            and taught.tolist() == sorted(taught)
            and tested.tolist() == sorted(tested)
        )
    assert judges.halves(10, seed=0)[0].tolist() != judges.halves(10, seed=1)[0].tolist()
    labels = judges._characters(np.zeros([2, 3, 2, 4, 4]))
    assert labels.tolist() == [[[0, 0], [1, 1], [2, 2]]] * 2 and judges._flat(
        np.zeros([2, 3, 2, 4, 5])
    ).shape == (12, 4, 5)


class Sure:
    """Stands for SmallNetwork: knows the kind of a picture by its first pixel, and tells what it was
    trained with.
    """

    told = []

    def __init__(self, classes, *, seed):
        self.classes, self.seed = classes, seed

    def train(self, drawn, labels, *, steps):
        Sure.told.append((self.classes, self.seed, drawn[:, 0, 0].tolist(), list(labels), steps))
        return self

    def logits(self, drawn):
        return np.stack([np.zeros(len(drawn)), drawn[:, 0, 0].astype(float) - 99], 1)


def test_kinds_are_told_apart_on_hands_that_did_not_teach(monkeypatch):
    monkeypatch.setattr(judges, 'SmallNetwork', Sure)
    Sure.told.clear()
    first = np.zeros([6, 2, 3, 4, 4], np.uint8) + np.arange(6, dtype=np.uint8)[:, None, None, None, None]
    second = first[:, :, :2] + 100
    first[5] = 120  # one of the first kind is taken for the second
    found = judges.tell_apart(first, second, seeds=2, steps=7)
    for seed, (classes, own, values, labels, steps) in enumerate(Sure.told):
        sides = [judges.halves(6, seed=2 * seed + kind)[0] for kind in (0, 1)]
        assert (classes, own, steps) == (2, seed, 7) and labels == [0] * 12 + [1] * 12
        assert values == [120 if w == 5 else w for w in sides[0] for _ in range(4)] + [
            100 + w for w in sides[1] for _ in range(4)
        ]
    wrong = [5 in judges.halves(6, seed=2 * seed)[1] for seed in (0, 1)]
    assert found.seeds == [1 - 4 / 24 * w for w in wrong] and found.pictures == 24 and len(found.surest) == 24
    assert (
        found.surest == sorted(found.surest)
        and found.surest[-1][0] > 0
        and {entry[1] for entry in found.surest} == {0, 1}
    )
    Sure.told.clear()
    judges.same_kind(second, seeds=1, steps=3)
    assert len(Sure.told) == 1 and {value - 100 for value in Sure.told[0][2]} <= set(range(6))


def test_who_is_taught_by_whom(monkeypatch):
    monkeypatch.setattr(judges, 'SmallNetwork', Sure)
    Sure.told.clear()
    people_, simulated_ = np.full([4, 2, 1, 4, 4], 99, np.uint8), np.full([3, 2, 1, 4, 4], 50, np.uint8)
    people_[:, 1] = 110  # the second character: told right
    people_[2] = 90  # one who is taken for the first character always
    found = judges.teach(people_, simulated_, seeds=1, steps=5)
    assert [(classes, len(values), labels) for classes, _, values, labels, _ in Sure.told] == [
        (2, 6, [0, 1] * 3),
        (2, 4, [0, 1] * 2),
    ]
    assert (
        found['simulated_all'].accuracy.value == pytest.approx(7 / 8) and found['simulated_all'].pictures == 8
    )
    tested = judges.halves(4, seed=0)[1]
    assert found['simulated'].pictures == found['people'].pictures == 4 and found[
        'people'
    ].accuracy.value == pytest.approx(1 - (2 in tested) / 4)


# ---- tables and sheets


def test_figures_in_tables():
    estimated = spreads.Estimate(0.12345, -0.1, 0.98765)
    assert (report._plain(estimated), report._percent(estimated), report._degrees(estimated)) == (
        '0.123 (-0.100 to 0.988)',
        '12.3 % (-10.0 to 98.8)',
        '0.1° (-0.1 to 1.0)',
    )
    assert (
        report._number(estimated) == '0.123 (-0.100 to 0.988)'
        and report._number(spreads.Estimate(5.0, 4.0, 6.0)) == '5.0 (4.0 to 6.0)'
    )
    assert (
        worth_report.plain(estimated) == '0.123 (-0.100 to 0.988)'
        and worth_report.signed(estimated) == '+0.123 (-0.100 to +0.988)'
    )
    assert report.plain({'a': (1, 0.1234567, np.float64(2)), 'b': estimated, 'c': float('nan')}) == {
        'a': [1, 0.12346, 2.0],
        'b': {'value': 0.12345, 'low': -0.1, 'high': 0.98765},
        'c': None,
    }
    assert worth_report._rounded({'a': [0.123456, 1, 'x'], 'b': (0.00004,)}) == {
        'a': [0.1235, 1, 'x'],
        'b': [0.0],
    }
    assert worth_report._line(['a', 'b']) == '| a | b |' and worth_report._head(['a', 'b']) == [
        '| a | b |',
        '|---|---|',
    ]


def test_tables_of_lines_and_writers(tmp_path):
    def line(errors):
        return {
            kind: {'lines': 2, 'labels': [[errors, 10], [0, 10]], 'characters': [[1, 4], [0, 4]]}
            for kind in (*hands.KINDS, 'people')
        }

    text, summary = worth_report.line_table(
        {
            'fonts_1_1': line(4),
            'pen': line(2),
            'pp_ocr': {
                kind: {'lines': 2, 'characters': [[1, 4], [1, 4]]} for kind in (*hands.KINDS, 'people')
            },
        }
    )
    rows = text.splitlines()
    assert (
        rows[2].startswith('| fonts, 1.1 | 0.200 (')
        and rows[2].endswith('; 0.125 |  |')
        and rows[3].startswith('| pens | 0.100 (')
        and '-0.100 (' in rows[3].split('|')[-2]
    )
    assert rows[4].startswith('| PP-OCR, characters | 0.250 (') and summary['pen'][
        'people_difference'
    ].value == pytest.approx(-0.1)
    figures = {
        'pp_ocr': {
            f'{origin}_{kind}': [[n, 10]]
            for n, (kind, origin) in enumerate(
                [('seen', 'written'), ('seen', 'corpus'), ('unseen', 'written'), ('unseen', 'corpus')]
            )
        },
        'read': {kind: [0.25, 0.75] for kind in hands.KINDS},
        'taught': [[0.2, 0.4]],
        'taught_15': [[0.6, 0.8]],
    }
    text, summary = worth_report.writer_table({'pen': figures})
    cells = [cell.strip().split(' ')[0] for cell in text.splitlines()[2].split('|')[1:-1]]
    assert cells == ['pens', '0.000', '0.100', '0.200', '0.300', '0.500', '0.500', '0.500', '0.300', '0.700']
    for part, name, value in (
        ('writer', 'pen', figures),
        ('lines', 'pen', line(2)),
        (
            'lines',
            'pp_ocr',
            {kind: {'lines': 2, 'characters': [[1, 4]]} for kind in (*hands.KINDS, 'people')},
        ),
    ):
        (tmp_path / part).mkdir(exist_ok=True)
        (tmp_path / part / f'{name}.json').write_text(
            json.dumps({'measured_under': {'corpus': '2.0', 'pen_share': 1, 'seeds': 3}, 'figures': value}),
            encoding='utf-8',
        )
    text = worth_report.write(tmp_path)
    assert (tmp_path / 'worth.md').read_text(encoding='utf-8') == text and text.index(
        'taught by'
    ) < text.index('learned from')
    told = json.loads((tmp_path / 'worth.json').read_text(encoding='utf-8'))
    assert (
        list(told) == ['lines', 'writer']
        and told['writer']['measured_under'] == {'seeds': 3}
        and told['writer']['rows']['pen']['taught'][0] == 0.3
    )


def test_sheets_show_hands_and_what_is_sure():
    people_, simulated_ = (np.full([5, 2, 2, 8, 8], value, np.uint8) for value in (40, 200))
    sheet = sheets.hands_sheet(people_, simulated_, writers=3)
    assert (
        sheet.shape == (22 + 36, 24 + 24 + 24)
        and sheet[40, 10] == 215
        and sheet[40, 60] == 55
        and (sheet[:, 24:48] == 255).all()
    )
    surest = sorted([(float(w - 2), kind, w, 0, c) for kind in (0, 1) for w in range(5) for c in range(2)])
    verdict = judges.Verdict(None, [], [], 0, surest)
    marked = [np.zeros([5, 1, 2, 8, 8], np.uint8) for _ in range(2)]
    for kind in (0, 1):
        for w in range(5):
            for c in range(2):
                marked[kind][w, 0, c] = 100 * kind + 10 * w + c
    sheet = 255 - sheets.surest_sheet(marked[0], marked[1], verdict, columns=2, rows=1).astype(int)
    blocks = sheet.reshape(4, 22 + 12, 24)[:, 28, [6, 18]]
    np.testing.assert_allclose(blocks, [[141, 140], [0, 1], [100, 101], [41, 40]], atol=1)


def test_errors_of_each_hand():
    assert line_worth.by_hand(['b', 'a', 'a'], [1, 2, 3], [10, 20, 30]) == [[5, 50], [1, 10]]


def test_sheets_of_writers(monkeypatch):
    writer = type(
        '',
        (),
        {
            'write': lambda self, texts, *, style_seeds, truncation: [
                np.full([20, 30], 100 + 50 * style_seeds, np.uint8) for _ in texts
            ]
        },
    )()
    monkeypatch.setattr(hands, 'hand_for', lambda kind, text, n: n)
    monkeypatch.setattr(
        hands,
        'write',
        lambda kind, index, text, copy=0: np.full([80, 40], {'fonts_2_0': 10, 'pen': 60}[kind], np.uint8),
    )
    row = next(row for row in worth_rows.ROWS if row.name == 'pen_70')
    sheet = worth_sheet.draw({row: writer}, ['天地', '玄黄'], truncation=0.8)
    # Two hands of the corpus, 20 px wide at 40 px high; two that were written, 60 px wide; 10 px below and 20
    # px after each.
    assert sheet.shape == (20 + 2 * 50, 2 * 2 * 80)
    assert [int(sheet[20 + 50 * n + 20, 10]) for n in (0, 1)] == [10, 60] and [
        int(sheet[20 + 50 * n + 20, 170]) for n in (0, 1)
    ] == [100, 150]


def test_lines_of_a_corpus_are_shared_out_among_its_kinds(monkeypatch):
    told = []
    monkeypatch.setattr(hands, 'hand_for', lambda kind, text, n: told.append((kind, n)) or n)
    monkeypatch.setattr(
        hands, 'write', lambda kind, index, text, copy=0: np.full([64, 64 * len(text)], 9, np.uint8)
    )
    row = next(row for row in worth_rows.ROWS if row.name == 'pen_70')
    found = writer_worth.corpus_lines(row, ['天地'] * 400, {'char_px': 32, 'char_width_px': 32})
    assert all(image.shape == (32, 64) for image in found) and [n for _, n in told] == [
        20 * k for k in range(400)
    ]
    assert np.mean([kind == 'pen' for kind, _ in told]) == pytest.approx(0.7, abs=0.06)


def test_written_characters_come_back_in_their_order():
    """A writer whose cells are 40 px wide and as dark as the character's number."""

    class Cells:
        def boxes(self, count):
            return [(40 * n, 0, 40 * n + 40, 40) for n in range(count)]

        def write(self, lines, *, style_seeds, truncation):
            assert truncation == 1.0
            Cells.lines.append(lines[0])
            line = np.full([40, 40 * len(lines[0])], 255, np.uint8)
            for n, c in enumerate(lines[0]):
                line[15:25, 40 * n + 5 : 40 * n + 5 + 5 * (1 + '一二三'.index(c))] = 0
            return [line]

    Cells.lines = []
    found = writer_worth.write_characters(Cells(), '一二三', hands_count=6)
    assert found.shape == (6, 3, 32, 32) and len(set(Cells.lines)) > 1
    widths = (found > 127).any(2).sum(-1)
    assert (widths == widths[0]).all() and widths[0].tolist() == [14, 28, 28]
