"""The protocol of interpolation, with writers whose pictures go evenly, or in one jump, from end to end."""

import numpy as np
import pytest

from hwgen.charset.encoding import CharsetError
from hwgen.data import records
from hwgen.evaluation import interpolation

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
        return records.LineRecord(None, text, structures, np.ones([len(text), 4], np.int32), structures, 'somebody', 'made')


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
        shares = np.linspace(0., 1., steps)[:, np.newaxis]
        return first % 50 + (np.round(shares) if self.jumps else shares) * (second % 50 - first % 50)

    def write(self, texts, *, style_seeds, styles=None, truncation):
        self.truncations.add(truncation)
        styles = np.broadcast_to(style_seeds, [len(texts)]) % 50 if styles is None else styles[:, 0]
        return [np.concatenate([np.full([4, 4], GREYS[letter] + round(float(style)), np.uint8) for letter in text], 1) for text, style in zip(texts, styles)]


class Between:
    """From grey to grey: evenly, or at once behind the middle."""

    def __init__(self, *, jumps=False):
        self.jumps, self.ways = jumps, []

    def write(self, first, second, *, steps, style_seed, truncation):
        self.ways.append((first, second, style_seed))
        shares = np.linspace(0., 1., steps)
        shares = np.round(shares) if self.jumps else shares
        return [np.full([4, 4], round(GREYS[first] + share * (GREYS[second] - GREYS[first])), np.uint8) for share in shares]


@pytest.fixture
def index():
    return Lines(['天地玄', '黄日', '月', '天月黄地'] * 3)


def run(index, space, *, jumps=False, **options):
    writer, between = Writer(jumps=jumps), Between(jumps=jumps)
    return interpolation.measure(index, writer, between=between, space=space, **{'num_pairs': 6, **options}), writer, between


def test_an_even_way_and_a_jump(index, grey_space):
    even, _, between = run(index, grey_space)
    for kind in ('same_structure', 'other_structure'):
        ends = [abs(GREYS[a] - GREYS[b]) / 255. for a, b, _ in between.ways if (STRUCTURES[a] == STRUCTURES[b]) == (kind == 'same_structure')]
        assert len(ends) == 6
        for space, scale in (('pixels', 1.), ('grey', 2.**.5)):  # two equal features
            figure = lambda name, figures, kind=kind, space=space: figures[f'{name}_{kind}_{space}_6']
            near = lambda value: pytest.approx(value, rel=.1)  # whole greys
            assert figure('ppl', even.figures)['generated'] == near(np.mean(np.square(ends)) * scale**2)
            assert figure('uneven', even.figures)['generated'] < 1.3 and figure('detour', even.figures)['generated'] == pytest.approx(1.)
            assert figure('step', even.figures)['generated'] == near(np.mean(ends) * scale / K)
            assert figure('ppl', even.figures)['cross_fade'] == near(np.mean(np.square(ends)) * scale**2)
            jump = run(index, grey_space, jumps=True)[0].figures
            assert figure('uneven', jump)['generated'] == pytest.approx(K) and figure('detour', jump)['generated'] == pytest.approx(1.)
            assert figure('ppl', jump)['generated'] == pytest.approx(K * np.mean(np.square(ends)) * scale**2)
            assert figure('uneven', jump)['cross_fade'] < 1.3 and figure('detour', jump)['independent'] > 3.
        assert len(even.by_pair[f'uneven_{kind}_pixels_6']['generated']) == 6


def test_styles_go_evenly_too(index, grey_space):
    found, writer, _ = run(index, grey_space, truncation=.7)
    assert len(writer.ends) == 6 and all(a != b for a, b in writer.ends)
    steps = [np.abs(np.diff([round(float(grey)) for grey in np.linspace(a, b, K + 1)])) for a, b in writer.ends]  # whole greys
    assert found.figures['uneven_styles_pixels_6']['generated'] == pytest.approx(np.mean([one.max() / one.mean() for one in steps]))
    assert found.figures['step_styles_pixels_6']['generated'] == pytest.approx(np.mean(steps) / 255.)
    assert found.figures['detour_styles_pixels_6']['generated'] == pytest.approx(1.) and found.figures['detour_styles_pixels_6']['independent'] > 3.
    assert run(index, grey_space, jumps=True)[0].figures['uneven_styles_grey_6']['generated'] == pytest.approx(K)
    assert found.figures['darkness_styles_pixels_6'].keys() == {'generated', 'cross_fade'} and writer.truncations == {.7}


def test_every_way_has_a_hand_of_its_own(index, grey_space):
    _, writer, between = run(index, grey_space)
    hands = [hand for *_, hand in between.ways]
    assert len(between.ways) == len(set(hands)) == 12 and not {hand % 50 for hand in hands} <= {end for ends in writer.ends for end in ends}


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


def test_cross_fade():
    way = interpolation.cross_fade(np.full([1, 2], 0, np.uint8), np.array([[100, 201]], np.uint8), steps=3)
    assert [picture.tolist() for picture in way] == [[[0, 0]], [[50, 100]], [[100, 201]]]


def test_sheets(index):
    """The writer knows none of the characters that are shown otherwise: the drawn pairs take their place."""
    between = Between()
    found = interpolation.sheets(index, Writer(), between=between, seed=2)
    assert list(found) == ['styles', 'same_structure', 'other_structure', 'one_hand', 'one_text']
    assert len(between.ways) == 10 and {STRUCTURES[a] == STRUCTURES[b] for a, b, _ in between.ways[:5]} == {True}
    assert found['same_structure'][0].shape[1] == 4 * interpolation._SHOWN_STEPS and found['one_text'][0].shape == (9 * 5 + 4, 16)
