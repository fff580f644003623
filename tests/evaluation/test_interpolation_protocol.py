"""The protocol of interpolation, with writers whose pictures go evenly, or in one jump, from end to end."""

import numpy as np
import pytest

from hwgen.charset.encoding import CharsetError
from hwgen.data.reading import records
from hwgen.evaluation.measuring import interpolation

GREYS = dict(zip('天地玄黄日月', (0, 40, 80, 120, 160, 200)))
STRUCTURES = dict(zip('天地玄黄日月', (1, 1, 1, 2, 2, 2)))
K = interpolation.STEPS


class Lines:
    """Stands in for a RecordIndex."""

    folder, split = 'made', 'test'

    def __init__(self, texts):
        self.texts = texts

    def __len__(self):
        return len(self.texts)

    def read_record(self, number, *, decode_image=True):
        text = self.texts[number]
        structures = np.array([STRUCTURES[letter] for letter in text], np.int32)
        return records.LineRecord(
            None, text, structures, np.ones([len(text), 4], np.int32), structures, 'somebody', 'made'
        )


class Writer:
    """Each character a cell of its grey; a style is a grey to add. Remembers what it wrote."""

    char_px = char_width_px = 4

    def __init__(self, *, jumps=False):
        self.jumps, self.ends, self.truncations = jumps, [], set()

    def encode(self, text):
        for place, letter in enumerate(text):
            if letter not in GREYS:
                raise CharsetError(f'{letter}: unknown', place)

    def styles_between(self, first, second, *, steps, truncation):
        self.truncations.add(truncation)
        self.ends.append((first % 50, second % 50))
        shares = np.linspace(0.0, 1.0, steps)[:, np.newaxis]
        return first % 50 + (np.round(shares) if self.jumps else shares) * (second % 50 - first % 50)

    def write(self, texts, *, style_seeds, styles=None, truncation):
        self.truncations.add(truncation)
        styles = np.broadcast_to(style_seeds, [len(texts)]) % 50 if styles is None else styles[:, 0]
        return [
            np.concatenate(
                [np.full([4, 4], GREYS[letter] + round(float(style)), np.uint8) for letter in text], 1
            )
            for text, style in zip(texts, styles)
        ]


class Between:
    """From grey to grey: evenly, or at once behind the middle."""

    def __init__(self, *, jumps=False):
        self.jumps, self.ways = jumps, []

    def write(self, first, second, *, steps, style_seed, truncation):
        self.ways.append((first, second, style_seed))
        shares = np.linspace(0.0, 1.0, steps)
        shares = np.round(shares) if self.jumps else shares
        return [
            np.full([4, 4], round(GREYS[first] + share * (GREYS[second] - GREYS[first])), np.uint8)
            for share in shares
        ]


@pytest.fixture
def index():
    return Lines(['天地玄', '黄日', '月', '天月黄地'] * 3)


def run(index, space, *, jumps=False, **options):
    writer, between = Writer(jumps=jumps), Between(jumps=jumps)
    return (
        interpolation.measure(index, writer, between=between, space=space, **{'num_pairs': 6, **options}),
        writer,
        between,
    )


def test_an_even_way_and_a_jump(index, grey_space):
    even, _, between = run(index, grey_space)
    for kind in ('same_structure', 'other_structure'):
        ends = [
            abs(GREYS[a] - GREYS[b]) / 255.0
            for a, b, _ in between.ways
            if (STRUCTURES[a] == STRUCTURES[b]) == (kind == 'same_structure')
        ]
        assert len(ends) == 6
        for space, scale in (('pixels', 1.0), ('grey', 2.0**0.5)):  # two equal features

            def figure(name, figures, kind=kind, space=space):
                return figures[f'{name}_{kind}_{space}_6']

            def near(value):
                return pytest.approx(value, rel=0.1)  # whole greys

            assert figure('ppl', even.figures)['generated'] == near(np.mean(np.square(ends)) * scale**2)
            assert figure('uneven', even.figures)['generated'] < 1.3 and figure('detour', even.figures)[
                'generated'
            ] == pytest.approx(1.0)
            assert figure('step', even.figures)['generated'] == near(np.mean(ends) * scale / K)
            assert figure('ppl', even.figures)['cross_fade'] == near(np.mean(np.square(ends)) * scale**2)
            jump = run(index, grey_space, jumps=True)[0].figures
            assert figure('uneven', jump)['generated'] == pytest.approx(K) and figure('detour', jump)[
                'generated'
            ] == pytest.approx(1.0)
            assert figure('ppl', jump)['generated'] == pytest.approx(K * np.mean(np.square(ends)) * scale**2)
            assert figure('uneven', jump)['cross_fade'] < 1.3 and figure('detour', jump)['independent'] > 3.0
        assert len(even.by_pair[f'uneven_{kind}_pixels_6']['generated']) == 6


def test_styles_go_evenly_too(index, grey_space):
    found, writer, _ = run(index, grey_space, truncation=0.7)
    assert len(writer.ends) == 6 and all(a != b for a, b in writer.ends)
    # whole greys
    steps = [
        np.abs(np.diff([round(float(grey)) for grey in np.linspace(a, b, K + 1)])) for a, b in writer.ends
    ]
    assert found.figures['uneven_styles_pixels_6']['generated'] == pytest.approx(
        np.mean([one.max() / one.mean() for one in steps])
    )
    assert found.figures['step_styles_pixels_6']['generated'] == pytest.approx(np.mean(steps) / 255.0)
    assert (
        found.figures['detour_styles_pixels_6']['generated'] == pytest.approx(1.0)
        and found.figures['detour_styles_pixels_6']['independent'] > 3.0
    )
    assert run(index, grey_space, jumps=True)[0].figures['uneven_styles_grey_6'][
        'generated'
    ] == pytest.approx(K)
    assert found.figures['darkness_styles_pixels_6'].keys() == {
        'generated',
        'cross_fade',
    } and writer.truncations == {0.7}


def test_every_way_has_a_hand_of_its_own(index, grey_space):
    _, writer, between = run(index, grey_space)
    hands = [hand for *_, hand in between.ways]
    assert len(between.ways) == len(set(hands)) == 12 and not {hand % 50 for hand in hands} <= {
        end for ends in writer.ends for end in ends
    }


def test_the_seed_fixes_everything(index, grey_space):
    first, again, other = (run(index, grey_space, seed=seed)[0] for seed in (0, 0, 1))
    assert first == again and first.digest != other.digest and first.figures != other.figures
    assert first.figures.keys() == other.figures.keys()


def test_kinds_of_pairs_that_are_not_there(grey_space):
    found, _, _ = run(Lines(['天地玄']), grey_space)
    assert {name.split('_')[1] for name in found.figures} == {'styles', 'same'}
    assert 'ppl_styles_pixels_1' in found.figures and 'ppl_same_structure_pixels_6' in found.figures
    assert {name.split('_')[1] for name in run(Lines(['天日']), grey_space)[0].figures} == {'styles', 'other'}
    with pytest.raises(ValueError, match="made, split 'test': 1 characters, expected at least 2"):
        run(Lines(['天']), grey_space)


def test_figures_are_means_over_paths_and_a_detour_is_that_of_all_of_them(index, grey_space, monkeypatch):
    """Two ends may be equal: the lengths of all paths over the distances of all ends, not a mean of
    ratios.
    """
    paths = iter([((3.0, 1.0), 2.0), ((1.0, 3.0), 5.0), ((2.0, 4.0), 8.0)] + [((0.0, 0.0), 1.0)] * 6)

    def measure_path(written, others, space):
        assert len(written) == len(others) == K + 1 and space is grey_space
        ends, value = next(paths)
        return {
            ('detour', 'pixels'): {'generated': ends, 'independent': ends[::-1]},
            ('ppl', 'grey'): {'generated': value},
        }

    monkeypatch.setattr(interpolation, '_measure_path', measure_path)
    found = run(index, grey_space, num_pairs=3)[0]
    assert found.figures['detour_styles_pixels_3'] == {
        'generated': 6 / 8,
        'independent': 8 / 6,
    } and found.figures['ppl_styles_grey_3'] == {'generated': 5.0}
    # nowhere to go, and no way round
    assert found.figures['detour_same_structure_pixels_3'] == {'generated': 1.0, 'independent': 1.0}
    assert found.by_pair['ppl_styles_grey_3'] == {'generated': [2.0, 5.0, 8.0]} and not any(
        name.startswith('detour') for name in found.by_pair
    )


def test_a_path_is_held_against_its_own_ends_and_against_strangers(grey_space):
    """Darkness is told of what has a middle alone; a step is the mean of all steps."""
    ways = {'written': [100, 110, 160, 180], 'others': [0, 200, 0, 100]}
    written, others = ([np.full([4, 8], grey, np.uint8) for grey in greys] for greys in ways.values())
    found = interpolation._measure_path(written, others, grey_space)
    assert set(found) == {
        (figure, place) for place in ('pixels', 'grey') for figure in ('ppl', 'uneven', 'detour', 'step')
    } | {('darkness', 'pixels')}
    values = {
        key: {
            way: np.array(value) * (255.0 if key[0] in ('step', 'detour') else 1.0)
            for way, value in one.items()
        }
        for key, one in found.items()
    }
    assert values['step', 'pixels'] == pytest.approx(
        {'generated': 80 / 3, 'cross_fade': 80 / 3, 'independent': 500 / 3}
    )
    assert values['uneven', 'pixels']['generated'] == pytest.approx(50 / (80 / 3)) and values[
        'uneven', 'pixels'
    ]['cross_fade'] == pytest.approx(27 / (80 / 3))
    np.testing.assert_allclose(values['detour', 'pixels']['independent'], [500.0, 100.0])
    np.testing.assert_allclose(
        values['detour', 'grey']['generated'], [80.0 * 2**0.5, 80.0 * 2**0.5], rtol=1e-5
    )
    assert values['ppl', 'pixels']['generated'] == pytest.approx(3 * (100 + 2500 + 400) / 255**2)
    assert found['darkness', 'pixels'] == pytest.approx(
        {'generated': 2 * 95 / (155 + 75), 'cross_fade': 2 * (255 - 153) / (155 + 75)}
    )


def test_cross_fade():
    way = interpolation.cross_fade(np.full([1, 2], 0, np.uint8), np.array([[100, 201]], np.uint8), steps=3)
    assert [picture.tolist() for picture in way] == [[[0, 0]], [[50, 100]], [[100, 201]]]
    # 7.25, 5.5, 3.75
    assert [
        picture[0, 0] for picture in interpolation.cross_fade(np.uint8([[9]]), np.uint8([[2]]), steps=5)
    ] == [9, 7, 6, 4, 2]
    assert interpolation.cross_fade(np.uint8([[9]]), np.uint8([[2]]), steps=2)[0].dtype == np.uint8


def test_pairs_are_of_all_characters_in_turn_each_with_one_that_fits():
    """Of equal structure those that have a companion, of different ones all; sequences, whose letters are
    no characters, give none.
    """
    texts = ['天地玄黄日', '天天', '月']
    index = Lines(texts)
    STRUCTURES.update({'月': 3})
    try:
        read = index.read_record
        index.read_record = lambda number, **options: read(number, **options)._replace(
            **({'structure_ids': np.ones(1, np.int32)} if index.texts[number] == '天天' else {})
        )
        chosen, pairs, characters = interpolation._choose(index, 13, 4)
        assert (
            sorted(chosen) == sorted(texts)
            and characters == sorted('天地玄黄日月')
            and list(pairs) == ['same_structure', 'other_structure']
        )
        for kind, firsts in (('same_structure', '天地玄黄日'), ('other_structure', '天地玄黄日月')):
            assert len(pairs[kind]) == 13 and all(
                a != b and (STRUCTURES[a] == STRUCTURES[b]) == (kind == 'same_structure')
                for a, b in pairs[kind]
            )
            turns = [a for a, _ in pairs[kind]]
            assert turns[len(firsts) :] == turns[: 13 - len(firsts)] and sorted(
                turns[: len(firsts)]
            ) == sorted(firsts)
        assert (
            interpolation._choose(index, 2, 4)[0] == chosen[:2]
            and len(interpolation._choose(index, 2, 4)[1]['same_structure']) == 2
        )
    finally:
        STRUCTURES.update({'月': 2})
    assert (interpolation.STEPS, interpolation.DEFAULT_PAIRS) == (16, 60)


def test_sheets(index):
    """The writer knows none of the characters that are shown otherwise: the drawn pairs take their place."""
    between = Between()
    found = interpolation.sheets(index, Writer(), between=between, seed=2)
    assert list(found) == ['styles', 'same_structure', 'other_structure', 'one_hand', 'one_text']
    assert len(between.ways) == 10 and {STRUCTURES[a] == STRUCTURES[b] for a, b, _ in between.ways[:5]} == {
        True
    }
    assert found['same_structure'][0].shape[1] == 4 * interpolation._SHOWN_STEPS and found['one_text'][
        0
    ].shape == (9 * 5 + 4, 16)
    assert [caption for _, caption in found.values()] == [
        'From hand to hand, downwards: one text each, the ends are drawn styles',
        'From character to character, of same structure; below each a cross-fade of the ends',
        'From character to character, of other structure; below each a cross-fade of the ends',
        'One style, many texts',
        'One text, many styles',
    ]


class Keeps(Writer):
    """Keeps texts and hands, and knows what it is told to know."""

    def __init__(self, known):
        super().__init__()
        self.known, self.asked = known, []

    def encode(self, text):
        if set(text) - set(self.known):
            raise CharsetError('unknown', 0)

    def styles_between(self, first, second, *, steps, truncation):
        self.asked.append(('between', first, second, steps, truncation))
        return np.linspace(0.0, 11.0, steps)[:, np.newaxis]

    def write(self, texts, *, style_seeds, styles=None, truncation):
        self.asked.append(
            (
                texts,
                np.ravel(style_seeds).tolist(),
                None if styles is None else styles[:, 0].tolist(),
                truncation,
            )
        )
        return [np.full([4, 4 * len(text)], len(self.asked), np.uint8) for text in texts]


def test_what_is_shown(index):
    """The texts of up to three characters from hand to hand; each text once, the shortest first; the hands
    are the first that the seed draws.
    """
    writer, between = Keeps('春眠不觉晓江河明时草苗国园思忘'), Between()
    GREYS.update(dict.fromkeys('江河明时草苗国园思忘', 90))
    try:
        found = interpolation.sheets(index, writer, between=between, seed=2, truncation=0.7)
    finally:
        for letter in '江河明时草苗国园思忘':
            del GREYS[letter]
    hands = np.random.default_rng([2, interpolation._STREAMS['styles']]).integers(2**63, size=10).tolist()
    ways = [told for told in writer.asked if told[0] == 'between']
    assert [told[1:] for told in ways] == [(hands[k], hands[k + 1], 12, 0.7) for k in range(3)]
    shown = [told for told in writer.asked if told[0] != 'between']
    assert [(set(texts), len(texts), seeds) for texts, seeds, styles, _ in shown if styles is not None] == [
        ({text}, 12, [hands[k]]) for k, text in enumerate(['月', '黄日', '天地玄'])
    ]
    (texts, one, *_), (same, many, *_) = shown[-2:]
    assert (
        (texts, one) == (['月', '黄日', '天地玄', '天月黄地'], [hands[0]])
        and (same, many) == (['春眠不觉晓'] * 10, hands)
        and {told[3] for told in shown} == {0.7}
    )
    # known ones; of the others those that were drawn
    assert [way[:2] for way in between.ways[:5]] == [
        tuple(pair) for pair in ('江河', '明时', '草苗', '国园', '思忘')
    ]
    assert (
        {way[2] for way in between.ways[:5]} == {hands[0]}
        and {way[2] for way in between.ways[5:]} == {hands[1]}
        and len(between.ways) == 10
    )
    # a block a text, half a cell of paper behind each
    assert found['styles'][0].shape == (12 * 4, (1 + 2 + 3) * 4 + 3 * 2)


def test_where_all_texts_are_long_the_shortest_is_shown(grey_space):
    writer = Keeps(''.join(GREYS))
    found = interpolation.sheets(
        Lines(['天地玄黄日月', '月日黄玄', '天地月日黄']), writer, between=Between(), seed=2, truncation=0.7
    )
    assert [
        texts[0]
        for texts, _, styles, _ in (told for told in writer.asked if told[0] != 'between')
        if styles is not None
    ] == ['月日黄玄']
    assert found['styles'][0].shape == (12 * 4, 4 * 4 + 2)
