"""Handright as a system: deterministic, whole, and told where it is not there."""

import importlib.util
import sys

import numpy as np
import pytest

from hwgen.evaluation.systems import font_simulator

needs_handright = pytest.mark.skipif(
    importlib.util.find_spec('handright') is None,
    reason='needs handright: pip install --no-deps "handright>=8.2,<8.3"',
)


def page(*ink, size=(220, 320), grey=0):
    found = np.full(size, 255, np.uint8)
    for row, column in ink:
        found[row, column] = grey
    return found


def test_a_page_is_cut_to_its_ink_and_no_narrower_than_its_cells():
    """Cells from 100 to 200 px across and 60 to 160 down: all but 8 px of them are kept; ink beyond has 5
    px of paper around it.
    """

    def cut(found):
        return font_simulator._cut(found, cells=(100, 60, 200, 160))

    assert (
        cut(page()).shape == cut(page((110, 150))).shape == cut(page((73, 113), (146, 186))).shape == (84, 84)
    )
    for ink, shape, place in (
        ((110, 112), (84, 85), (42, 5)),
        ((110, 40), (84, 157), (42, 5)),
        ((72, 150), (85, 84), (5, 42)),
        ((30, 150), (127, 84), (5, 42)),
        ((110, 187), (84, 85), (42, 79)),
        ((110, 250), (84, 148), (42, 142)),
        ((147, 150), (85, 84), (79, 42)),
        ((190, 150), (128, 84), (122, 42)),
    ):
        for grey in (0, 254):  # the palest ink is ink
            found = cut(page(ink, grey=grey))
            assert found.shape == shape and np.argwhere(found != 255).tolist() == [list(place)]


class Handwriting:
    """Stands in for handright: a page with a dot where the text begins. Keeps what it is asked."""

    def __init__(self):
        self.asked = []

    def Template(self, **options):
        return options

    def handwrite(self, text, template, *, seed):
        self.asked.append((text, template, seed))
        found = np.array(template['background'])
        found[template['top_margin'] + 50, template['left_margin'] + 50] = 0
        return [font_simulator.Image.fromarray(found)]


@pytest.fixture
def stub():
    found = font_simulator.FontSimulator.__new__(font_simulator.FontSimulator)
    found._handright, found._fonts = Handwriting(), font_simulator.fonts.default_fonts('chinese')
    return found


def test_there_is_room_for_every_move(stub):
    """300 px around the line and three tenths of its length above and below, a character wider by a
    quarter; as much of it is kept as the line's cells.
    """
    texts = ['永', '\u2f00永和九年' * 4]
    lines = stub.write(texts, style_seeds=np.array([3, 4]), truncation=0.5)
    for text, line, seed, (written, template, told) in zip(
        texts, lines, (3, 4), stub._handright.asked, strict=True
    ):
        length, font = 100 * len(text), template['font']
        assert (written, told, font.size) == (text.replace('\u2f00', '一'), seed, 100) and type(told) is int
        assert round(sum(map(font.getlength, written))) == length  # hanzi are as wide as they are high
        assert (template['left_margin'], template['top_margin']) == (300, 300 + 0.3 * length)
        assert (
            template['background'].size == (1.25 * length + 800, 2 * template['top_margin'] + 100)
            and template['background'].mode == 'L'
        )
        assert (
            line.shape == (84, length - 16)
            and (line == 0).sum() == 1
            and line[42, 42] == 0
            and template['background'].getextrema() == (255, 255)
        )
    stub.write(['Ai永'], style_seeds=[3])
    template = stub._handright.asked[-1][1]
    length = round(sum(map(template['font'].getlength, 'Ai永')))  # letters are narrower
    assert (
        length < 250
        and template['top_margin'] == 300 + round(0.3 * length)
        and template['background'].size[0] == length + 75 + 800
    )
    with pytest.raises(ValueError):
        stub.write(['永'], style_seeds=[1, 2])


def test_the_font_of_a_seed(stub):
    """The first that has all characters, in an order that the seed draws: the stream is part of the
    figure.
    """
    names, only = (
        stub._fonts,
        sorted(system_characters() - font_simulator.fonts.open_font('long-cang').characters)[0],
    )
    assert len(names) > 3
    for seed in range(12):
        order = [names[place] for place in np.random.default_rng([seed, 0x4A12D]).permutation(len(names))]
        assert stub._choose_font('明天', seed) == order[0]
        assert stub._choose_font(only, seed) == next(
            name for name in order if only in font_simulator.fonts.open_font(name).characters
        )
    font = font_simulator._sized(names[0], 100)
    assert (
        font.font_variant(size=57).size == 57
        and font.font_variant(size=57) is font.font_variant(size=57)
        and font.font_variant(size=57).path == font.path
    )


@pytest.fixture
def system():
    return font_simulator.FontSimulator()


@needs_handright
def test_a_seed_is_a_line(system):
    texts = ['明天去钓鱼', '永和九年', '明天去钓鱼', '明天去钓鱼']
    lines = system.write(texts, style_seeds=[1, 2, 1, 3], truncation=0.8)
    again = font_simulator.FontSimulator().write(texts[1:], style_seeds=[2, 1, 3])
    for line, other in zip(lines[1:], again, strict=True):
        np.testing.assert_array_equal(line, other)
    np.testing.assert_array_equal(lines[0], lines[2])
    assert lines[0].shape != lines[3].shape or (lines[0] != lines[3]).any()
    fonts = {system._choose_font('明天', seed) for seed in range(40)}
    assert fonts == set(system.description['fonts']) and system.description['system'].startswith(
        'handright 8.2'
    )


@needs_handright
def test_nothing_is_lost(system, monkeypatch):
    """Not cut, a page has as much ink; its rim is blank, in lines of one character and of many."""
    texts, seeds = ['一', '，', '永', '餐' * 40, '天，'], range(5)
    cut = system.write(texts, style_seeds=seeds)
    monkeypatch.setattr(font_simulator, '_cut', lambda page, cells: page)
    for text, line, page in zip(texts, cut, system.write(texts, style_seeds=seeds), strict=True):
        assert (line == 0).sum() == (page == 0).sum() > 0 and line.dtype == np.uint8 and line.ndim == 2
        rim = np.concatenate([line[0], line[-1], line[:, 0], line[:, -1]])
        assert (rim == 255).all(), text
        # Neither a stroke nor a comma is enlarged: a line is as high as its cells but for their rim (90 px is
        # the narrowest).
        assert 84 <= line.shape[0] <= 160 and line.shape[1] >= 74 + 80 * (len(text) - 1)


def system_characters():
    return font_simulator.fonts.open_font(font_simulator.fonts.FALLBACK).characters


@needs_handright
def test_what_it_cannot_write(system):
    rare = next(c for c in '龘鱻䶮' if c not in system_characters())
    with pytest.raises(ValueError, match=f'position 1: .{rare}. .*in no font that handright writes with'):
        system.write([f'天{rare}'], style_seeds=[0])
    with pytest.raises(ValueError, match='in no given hand'):
        system.write(['天'], style_seeds=[0], styles=np.zeros([1, 3]))


@needs_handright
def test_characters_that_one_font_alone_has(system):
    only = sorted(system_characters() - font_simulator.fonts.open_font('long-cang').characters)[0]
    lines = system.write([only] * 6, style_seeds=range(6))
    assert all((line == 0).any() for line in lines) and {
        system._choose_font(only, seed) for seed in range(6)
    } == {font_simulator.fonts.FALLBACK}


def test_without_handright(monkeypatch):
    monkeypatch.setitem(sys.modules, 'handright', None)
    with pytest.raises(
        font_simulator.SimulatorUnavailableError,
        match='handright is not installed: pip install --no-deps "handright>=8.2,<8.3"',
    ):
        font_simulator.FontSimulator()
