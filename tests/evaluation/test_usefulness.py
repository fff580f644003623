"""The protocol of usefulness: who writes what, what is cut out, taught and read, losses and intervals;
networks are stood in for by the nearest mean.
"""

import hashlib
import pathlib

import numpy as np
import pytest
from PIL import Image, ImageFont

from hwgen.data.scribe import fonts
from hwgen.data.scribe.font_writer import FontWriter
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.data.scribe.plan import corpus_charset
from hwgen.evaluation import session
from hwgen.evaluation.measuring import small_network, usefulness, usefulness_lines, usefulness_report
from hwgen.evaluation.measuring.character_pictures import as_seen
from hwgen.evaluation.measuring.people import NUMERALS
from hwgen.evaluation.measuring.usefulness import Taught, Tested
from hwgen.evaluation.measuring.usefulness_lines import Lines
from hwgen.evaluation.protocols.protocol import ProtocolError, Request
from hwgen.evaluation.protocols.registry import find_protocol
from tests.evaluation.tasks import task_with_files

CHECKOUT = pathlib.Path(session.__file__).resolve().parents[2]
CHARACTERS = '一二三十土木口日'


def info_of(version, characters=CHARACTERS, **settings):
    table = corpus_charset(version).characters
    return {
        'source': 'scribe',
        'version': version,
        'settings': {'seed': 0, 'script': 'chinese', **settings},
        'vocabulary': [table.index(c) for c in characters],
    }


# ---- who writes


def test_the_writers_of_a_corpus():
    plan = usefulness_lines.plan_of(
        info_of('2.0', num_writers=50, pen_share=0.3, seed=7, lines=5, vocabulary_size=9)
    )
    assert (plan.seed, plan.version, plan.pen_share) == (7, '2.0', 0.3)
    assert (plan.writers['train'], plan.writers['test']) == (range(50), range(55, 60))
    # what a folder does not say is what it is by default
    assert usefulness_lines.plan_of({'source': 'scribe', 'version': '1.1'}).writers['train'] == range(400)
    for info, told in (
        ({'source': 'casia'}, 'data of casia: expected the embedded corpus in Chinese'),
        ({}, 'data of an unknown source: expected'),
        (
            {'source': 'scribe', 'version': '2.0', 'settings': {'script': 'latin'}},
            'expected the embedded corpus',
        ),
    ):
        with pytest.raises(ValueError, match=told):
            usefulness_lines.plan_of(info)


def test_look_alikes_that_the_corpus_has():
    info = info_of('2.0', characters='口永一龙三')
    assert usefulness_lines.choose_characters(info) == '一三口永'
    assert usefulness_lines.choose_characters(info, count=3) == '一三口'
    with pytest.raises(ValueError, match='1 of 158 look-alike characters to tell apart: expected at least 2'):
        usefulness_lines.choose_characters(info, count=1)


def test_who_is_read_has_taught_nothing():
    """Of fonts pens, of pens fonts, of both each apart."""
    found = {}
    for share in (0.0, 0.5, 1.0):
        plan = usefulness_lines.plan_of(info_of('2.0', num_writers=40, pen_share=share))
        for kind, of in usefulness.tested_kinds(plan).items():
            writers = [of.writer(index) for index in (*plan.writers['test'], *plan.writers['unseen'])]
            found[share, kind] = {type(writer) for writer in writers}
    assert found == {
        (0.0, 'pens'): {PenWriter},
        (0.5, 'pens'): {PenWriter, FontWriter},
        (0.5, 'fonts'): {PenWriter, FontWriter},
        (1.0, 'fonts'): {FontWriter},
    }
    plan = usefulness_lines.plan_of(info_of('2.0', num_writers=40, pen_share=0.5))
    tested = usefulness.draw_tested(plan, '一口', num_hands=3, side_px=32)
    # four writers of each split, half of them with a pen
    assert {kind: one.pictures.shape for kind, one in tested.items()} == dict.fromkeys(
        ('pens', 'fonts'), (6, 32, 32)
    )
    for one in tested.values():
        assert one.owners.tolist() == [0, 0, 1, 1, 2, 2] and one.among is None
        assert [sorted(one.labels[n : n + 2]) for n in (0, 2, 4)] == [[0, 1]] * 3
        # 一 lies, 口 does not
        heights = (one.pictures > 100).any(2).sum(1)
        assert (heights[one.labels == 0] < 20).all() and (heights[one.labels == 1] > 14).all()


def test_people_are_told_from_all_and_among_the_numerals():
    scans = np.full([2, 15, 3, 40, 40], 255, np.uint8)
    scans[:, :, :, 10:30, 18:22] = 0
    scans[:, 3, :, 18:22, 5:35] = 0
    found = usefulness.people_tested(scans, '一三口', copies=2, side_px=64)
    assert list(found) == ['people', 'people_numerals'] and found['people'].pictures.shape == (8, 64, 64)
    assert found['people'].labels.tolist() == [0, 0, 1, 1] * 2
    assert found['people'].owners.tolist() == [0] * 4 + [1] * 4
    assert (found['people'].among, found['people_numerals'].among) == (None, 2)
    crossed = (found['people'].pictures > 100).any(1).sum(1) > 40  # 三, the fourth numeral
    assert (crossed == (found['people'].labels == 1)).all()
    assert usefulness.people_tested(scans, '一口日', copies=2, side_px=32) == {}


def test_every_hand_writes_every_character_once():
    plan = usefulness_lines.plan_of(info_of('1.1', num_writers=5))
    lines = usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=15, seed=3)
    # 8 characters are two lines of four, so 15 lines are seven hands, of five writers
    assert [len(text) for text in lines.texts] == [4] * 14
    assert lines.hands.tolist() == [n // 2 for n in range(14)] and lines.places.tolist() == [0, 4] * 7
    assert sorted(lines.writers[:5]) == [0, 1, 2, 3, 4] and lines.writers[5:] == lines.writers[:2]
    for hand in range(7):
        assert sorted(''.join(lines.texts[2 * hand : 2 * hand + 2])) == sorted(CHARACTERS)
    assert lines.texts != usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=15, seed=4).texts
    again = usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=15, seed=3)
    assert (again.texts, again.writers) == (lines.texts, lines.writers)
    labels = usefulness_lines.labels_of(lines, CHARACTERS)
    assert ''.join(CHARACTERS[n] for n in labels) == ''.join(lines.texts)
    with pytest.raises(
        ValueError, match='num_lines=1: a hand writes 8 characters in 2 lines; expected at least'
    ):
        usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=1, seed=3)


def test_fonts_write_what_they_have(monkeypatch):
    """But for the first corpus, where another font stood in; what nobody has is told."""
    monkeypatch.setattr(FontWriter, 'characters', frozenset('一二三十'))
    kept = usefulness_lines.plan_lines(
        usefulness_lines.plan_of(info_of('1.1', num_writers=5)), CHARACTERS, num_lines=2, seed=3
    )
    assert sorted(''.join(kept.texts)) == sorted(CHARACTERS)
    mixed = usefulness_lines.plan_of(info_of('2.0', num_writers=6, pen_share=0.5))
    lines = usefulness_lines.plan_lines(mixed, CHARACTERS, num_lines=12, seed=3)
    for hand, index in enumerate(lines.writers):
        own = ''.join(text for text, whose in zip(lines.texts, lines.hands, strict=True) if whose == hand)
        has = '一二三十' if isinstance(mixed.writer(index), FontWriter) else CHARACTERS
        assert sorted(own) == sorted(has)
    plan = usefulness_lines.plan_of(info_of('2.0', num_writers=6, pen_share=0.0))
    with pytest.raises(ValueError, match='num_lines=12: none of 6 writers has 口土日木 in its font'):
        usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=12, seed=3)


# ---- what is cut out


def test_characters_by_their_boxes():
    image = np.arange(200, dtype=np.uint8).reshape(10, 20)
    first, second, edge = usefulness_lines.characters_of(
        image, [[2, 1, 5, 4], [4.6, 2.0, 7.2, 9.5], [19, 8, 25, 12]]
    )
    assert (first[4:-4, 4:-4] == image[1:4, 2:5]).all() and first.shape == (11, 11)
    assert (second[4:-4, 4:-4] == image[2:10, 4:8]).all()
    assert (edge[4:-4, 4:-4] == image[8:, 19:]).all()
    for picture in (first, second, edge):
        inner = np.zeros(picture.shape, bool)
        inner[4:-4, 4:-4] = True
        assert (picture[~inner] == 255).all()


def test_a_line_in_cells():
    """Three characters of 80 x 60 px in cells of 20 x 16: across 48 / 60, down 20 / 80."""
    image = np.full([80, 60], 255, np.uint8)
    image[40:60, 20:40] = 0
    scaled, boxes = usefulness_lines.in_cells(
        image, np.array([[0, 0, 20, 80], [20, 40, 40, 60], [40, 0, 60, 80]]), char_px=20, char_width_px=16
    )
    assert scaled.shape == (20, 48)
    np.testing.assert_allclose(boxes, [[0, 0, 16, 20], [16, 10, 32, 15], [32, 0, 48, 20]])
    assert (scaled[10:15, 16:32] == 0).all() and scaled[:10].min() == 255


class Model:
    """Writes blank paper and tells what it was asked."""

    char_px = char_width_px = 32

    def __init__(self):
        self.asked = []

    def write(self, texts, *, style_seeds, truncation, noise_offsets):
        self.asked.append((texts, style_seeds, truncation, noise_offsets))
        return [np.full([32, 32 * len(text)], 255, np.uint8) for text in texts]


def test_a_drawn_style_for_every_hand():
    lines = Lines(['一二', '三', '三一', '二'], np.array([0, 0, 1, 1]), np.array([0, 2, 0, 2]), [8, 3])
    model = Model()
    found = usefulness_lines.written_lines(model, lines, seed=5, truncation=0.7)
    assert [image.shape for image in found] == [(32, 64), (32, 32), (32, 64), (32, 32)]
    (first, one, *_), (second, other, *_) = model.asked
    assert (first, second) == (['一二', '三'], ['三一', '二']) and one != other
    assert {asked[2] for asked in model.asked} == {0.7} and [asked[3] for asked in model.asked] == [
        [0, 2]
    ] * 2
    again = Model()
    usefulness_lines.written_lines(again, lines, seed=6, truncation=0.7)
    assert again.asked[0][1] != one


# ---- what is taught and read


class NearestMean:
    """Stands for SmallNetwork: the class whose mean picture is nearest."""

    made = []

    def __init__(self, classes, *, seed, side_px):
        self.classes = classes
        NearestMean.made.append((classes, seed, side_px))

    def train(self, pictures, labels, *, steps):
        self.steps = steps
        self.means = np.stack([pictures[labels == n].astype(float).mean(0) for n in range(self.classes)])
        return self

    def logits(self, pictures):
        away = pictures[:, None].astype(float) - self.means
        return -np.square(away).sum((2, 3))


@pytest.fixture
def nearest(monkeypatch):
    monkeypatch.setattr(NearestMean, 'made', [])
    monkeypatch.setattr(small_network, 'SmallNetwork', NearestMean)


def teach(model, plan, tested, **options):
    told = []
    found = usefulness.teach(
        model,
        plan,
        CHARACTERS,
        tested,
        num_lines=8,
        steps=9,
        side_px=32,
        seed=1,
        truncation=1.0,
        report=told.append,
        **options,
    )
    return found, told


def test_who_writes_as_its_corpus_loses_nothing(nearest):
    """One that copies the corpus line by line, and one that leaves the paper blank."""
    plan = usefulness_lines.plan_of(info_of('1.1', num_writers=6))
    tested = usefulness.draw_tested(plan, CHARACTERS, num_hands=2, side_px=32)

    class Copying(Model):
        def write(self, texts, **options):
            lines = usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=8, seed=1)
            place = lines.texts.index(texts[0])
            # as if cut by boxes: each in the middle of its cell
            found = []
            for image, boxes in usefulness_lines.corpus_lines(plan, lines, seed=1)[
                place : place + len(texts)
            ]:
                scaled = usefulness_lines.in_cells(image, boxes, char_px=32, char_width_px=32)
                cells = []
                for picture in usefulness_lines.characters_of(*scaled):
                    cell = np.full([64, 64], 255, np.uint8)
                    height, width = picture.shape
                    cell[: min(height, 64), : min(width, 64)] = picture[:64, :64]
                    cells.append(cell)
                found.append(np.concatenate(cells, axis=1))
            return found

    same, told = teach(Copying(), plan, tested)
    assert same.right['pens', 'generated'].tolist() == same.right['pens', 'floor'].tolist()
    assert same.totals['pens'].tolist() == [8, 8] and same.right['pens', 'floor'].sum() > 4
    assert (same.num_lines, same.num_hands, same.num_pictures) == (8, 4, 32)
    assert NearestMean.made == [(8, 1, 32)] * 3
    assert (
        told[0] == 'seed 1: 8 lines of 4 hands written, by each' and 'taught by the model: pens 0.' in told[1]
    )
    blank, _ = teach(Model(), plan, tested)
    assert blank.digest == same.digest and blank.right['pens', 'generated'].tolist() == [1, 1]
    assert blank.right['pens', 'floor'].tolist() == same.right['pens', 'floor'].tolist()
    shown = blank.samples['characters']
    assert not shown['generated']['木'].any() and shown['floor']['木'].shape == (4, 32, 32)
    assert len(blank.samples['lines']) == 8


def test_among_the_numerals_only_these_can_be_said(nearest):
    """口, the seventh character, as the corpus teaches it, asked for as if it were one of four."""
    plan = usefulness_lines.plan_of(info_of('1.1', num_writers=6))
    lines = usefulness_lines.plan_lines(plan, CHARACTERS, num_lines=8, seed=1)
    cut = [
        usefulness_lines.characters_of(*line) for line in usefulness_lines.corpus_lines(plan, lines, seed=1)
    ]
    pictures = [as_seen(picture) for line in cut for picture in line]
    labels = usefulness_lines.labels_of(lines, CHARACTERS)
    square = Tested(np.stack([pictures[n] for n in np.flatnonzero(labels == 6)]), np.full(4, 6), np.arange(4))
    found, _ = teach(Model(), plan, {'all': square, 'few': square._replace(among=4)})
    assert found.right['all', 'as_written'].sum() >= 3 and found.right['few', 'as_written'].sum() == 0


# ---- losses


def taught_of(right, totals):
    return Taught(
        {(name, arm): np.array(hands) for (name, arm), hands in right.items()},
        {name: np.array(hands) for name, hands in totals.items()},
        {},
        4,
        2,
        9,
        'none',
    )


def test_figures_by_hand():
    """Of 20 pictures of two hands 13, 16 and 18 are read."""
    found = taught_of(
        {('pens', 'generated'): [6, 7], ('pens', 'floor'): [7, 9], ('pens', 'as_written'): [8, 10]},
        {'pens': [10, 10]},
    )
    rows = usefulness.figures(found)
    assert rows['reads_pens_20'] == {'generated': 0.65, 'floor': 0.8, 'as_written': 0.9}
    assert rows['loss_pens_20'] == pytest.approx({'generated': 0.15, 'as_written': 0.25})
    assert list(rows) == ['reads_pens_20', 'loss_pens_20']


def test_losses_are_paired_by_hand_and_by_network():
    """Hands and networks differ much, the loss of each is the same: its interval is a point."""
    floor = np.array([[9, 2, 6, 1], [5, 1, 3, 4], [8, 7, 9, 3]])
    found = [
        taught_of(
            {('pens', 'generated'): row - 1, ('pens', 'floor'): row, ('pens', 'as_written'): row + 1},
            {'pens': [10] * 4},
        )
        for row in floor
    ]
    (row,) = usefulness_report.intervals(found, seed=0)
    assert (row['tested'], row['num_hands'], row['num_pictures'], row['num_networks']) == ('pens', 4, 40, 3)
    assert row['loss'] == pytest.approx([0.1] * 3) and row['loss_as_written'] == pytest.approx([0.2] * 3)
    value, low, high = row['floor']
    assert value == pytest.approx(floor.sum() / 120) and low < value - 0.05 and high > value + 0.05
    assert row['verdict'] == 'beyond 2 points'
    # The interval by the plain bootstrap, drawn otherwise: within what 1,000 draws leave.
    rng = np.random.default_rng(5)
    means = [floor[rng.integers(3, size=3)][:, rng.integers(4, size=4)].mean() / 10 for _ in range(20000)]
    assert [low, high] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.03)


def test_hands_count_by_their_pictures():
    """One hand of 90 pictures, one of 10."""
    found = taught_of({('fonts', arm): [90, 0] for arm in usefulness.ARMS}, {'fonts': [90, 10]})
    (row,) = usefulness_report.intervals([found], seed=0)
    assert (
        row['floor'] == [0.9, 0.0, 1.0] and row['loss'] == [0.0] * 3 and row['verdict'] == 'within 2 points'
    )


@pytest.mark.parametrize(
    'loss, told',
    [
        ((0.01, -0.01, 0.02), 'within 2 points'),
        ((-0.3, -0.4, -0.2), 'within 2 points'),
        ((0.01, -0.01, 0.03), 'within 2 points, not certain'),
        ((0.03, 0.01, 0.05), 'beyond 2 points, not certain'),
        ((0.03, 0.021, 0.05), 'beyond 2 points'),
    ],
)
def test_verdicts(loss, told):
    assert usefulness_report.verdict(*loss) == told


def test_a_table():
    row = {
        'tested': 'people_numerals',
        'num_hands': 100,
        'num_pictures': 7500,
        'generated': [0.5, 0.4, 0.6],
        'floor': [0.75, 0.7, 0.8],
        'as_written': [0.8, 0.75, 0.85],
        'loss': [0.25, 0.2, 0.3],
        'loss_as_written': [0.3, -0.01, 0.4],
        'verdict': 'beyond 2 points',
    }
    head, rule, line = usefulness_report.format_markdown([row]).splitlines()
    assert line == (
        '| people numerals | 100 | 7500 | 0.500 (0.400 to 0.600) | 0.750 (0.700 to 0.800) | 0.800 (0.750 to'
        ' 0.850) | +0.250 (+0.200 to +0.300) | beyond 2 points | +0.300 (-0.010 to +0.400) |'
    )
    assert head.count('|') == rule.count('|') == line.count('|')


def test_sheets_show_both_and_what_is_read(tmp_path):
    characters = NUMERALS[:9] + '土木口日目白自田由甲申'
    shown = usefulness_report.shown_characters(characters)
    assert len(shown) == 14 and shown[0] == '零' and shown[-1] == '申' and len(set(shown)) == 14
    assert usefulness_report.shown_characters('口日') == '口日'
    pictures = {
        arm: {c: np.full([2, 32, 32], grey, np.uint8) for c in characters}
        for arm, grey in (('as_written', 40), ('floor', 80), ('generated', 120))
    }
    first = taught_of({}, {})._replace(
        samples={'characters': pictures, 'lines': [(np.full([32, 64], 10, np.uint8),) * 2]}
    )
    everything = Tested(np.full([9, 32, 32], 200, np.uint8), np.arange(9), np.zeros(9, int))
    place = {'characters': tmp_path / 'a.png', 'lines': tmp_path / 'b.png'}
    font = ImageFont.truetype(str(fonts.open_font(fonts.FALLBACK).path), 18)
    usefulness_report.write_sheets(
        place,
        first,
        {'people': everything, 'people_numerals': everything._replace(among=9)},
        characters,
        font=font,
    )
    sheet = np.asarray(Image.open(place['characters']).convert('L'))
    # rows of 48 px and 12 px between; a picture is 48 px wide
    row = sheet[48 + 12 + 24]
    # its last column is mixed with the paper beside it
    assert [(row == 255 - grey).sum() for grey in (40, 80, 120)] == [95] * 3
    assert (row == 55).sum() == 47  # one of people's, which are not told twice
    assert hashlib.sha256(place['lines'].read_bytes()).hexdigest()


# ---- the protocol


def test_people_are_left_out_with_a_word(monkeypatch, tmp_path):
    """Without --numbers, and where no two numerals are told apart; what is known beforehand is refused."""
    protocol = find_protocol('usefulness')
    options = {option.name: option.default for option in protocol.options}
    read = Tested(np.zeros([1, 2, 2], np.uint8), np.zeros(1, int), np.zeros(1, int))
    counts = {('pens', arm): [5] for arm in usefulness.ARMS}
    monkeypatch.setattr(usefulness, 'draw_tested', lambda *arguments, **options: {'pens': read})
    monkeypatch.setattr(usefulness, 'teach', lambda *arguments, **options: taught_of(counts, {'pens': [9]}))
    for opened, characters, why in (
        (None, CHARACTERS, 'people: no --numbers'),
        ((np.zeros([2, 15, 1, 8, 8], np.uint8), 'digest'), '口日', 'people: fewer than two numerals'),
    ):
        told = []
        task = task_with_files(
            protocol='usefulness',
            info=info_of('1.1', characters=characters),
            model=Model(),
            options=options,
            opened=opened,
            report=told.append,
        )
        found = protocol.measure(task)
        assert found.facts['left_out'].startswith(why) and told[0].startswith('people are left out: ')
        assert [row['tested'] for row in found.facts['conditions']] == ['pens']
        assert found.measured_under['tested_sha256'] == {'pens': hashlib.sha256(bytes(4)).hexdigest()}
        assert found.measured_under.get('numbers_sha256') == (None if opened is None else 'digest')
        assert (found.facts['num_lines'], found.facts['num_hands'], found.facts['num_pictures']) == (
            [4, 4],
            [2, 2],
            [9, 9],
        )
    request = Request('mine', (), None, 0.8, {**options, 'picture_px': 48})
    with pytest.raises(ProtocolError, match='--picture_px=48: expected 32 or 64'):
        protocol.open(request)
    absent = Request('mine', (), None, 0.8, {**options, 'numbers': str(tmp_path / 'none.npz')})
    with pytest.raises(ProtocolError, match="none.npz: no such file; expected an .npz of people's numerals"):
        protocol.open(absent)
    assert protocol.open(Request('mine', (), None, 0.8, options)) is None


@pytest.mark.slow
@pytest.mark.parametrize('picture_px', [32, 64])
def test_as_a_whole(picture_px, tmp_path):
    """Tiny, with a model that ships; twice the same."""
    rng = np.random.default_rng(0)
    scans = np.full([30, 40, 40], 255, np.uint8)
    for n, scan in enumerate(scans):
        scan[6:34, 5 + n % 15 : 9 + n % 15] = scan[10 + n % 15 : 14 + n % 15, 5:35] = rng.integers(40)
    np.savez(
        tmp_path / 'numbers.npz',
        images=scans,
        code=np.arange(30) % 15 + 1,
        writer=np.arange(30) // 15 + 1,
        sample=np.ones(30, int),
    )

    def measure(out):
        told = []
        result = session.evaluate(
            'saved_models/demo',
            'usefulness',
            data=str(CHECKOUT / 'tfrecords/sample'),
            out=str(tmp_path / out),
            seeds=2,
            num_lines=9,
            truncation=1.0,
            numbers=str(tmp_path / 'numbers.npz'),
            network_steps=20,
            lookalikes=17,
            tested_hands=2,
            picture_px=picture_px,
            report=told.append,
        )
        return result, told

    result, told = measure('first')
    assert {path.name for path in (tmp_path / 'first').iterdir()} == {
        f'usefulness{rest}' for rest in ('.json', '.html', '.md', '.png', '_lines.png')
    }
    # 17 characters are three lines, so 9 lines are three hands
    assert (result['num_lines'], result['num_hands'], result['num_pictures']) == ([9, 9], [3, 3], [51, 51])
    # those of the sample's 1,000 hanzi: nine numerals, by two people
    assert result['left_out'] is None and result['characters'] == '一三四五六十百千万实宣定完官害土士'
    names = [row['name'] for row in result['figures']]
    assert names == [
        f'{word}_{kind}'
        for kind in ('pens_34', 'people_18', 'people_numerals_18')
        for word in ('reads', 'loss')
    ]
    for reads, loss in zip(result['figures'][::2], result['figures'][1::2], strict=True):
        assert all(0 <= reads[arm]['mean'] <= 1 for arm in usefulness.ARMS)
        assert loss['generated']['mean'] == pytest.approx(reads['floor']['mean'] - reads['generated']['mean'])
    assert any(line.startswith('people, 18 pictures by 2 hands, 2 networks: lost ') for line in told)
    assert measure('second')[0]['figures'] == result['figures']
