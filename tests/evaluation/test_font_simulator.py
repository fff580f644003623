"""Handright as a system: deterministic, whole, and told where it is not there."""

import importlib.util
import sys

import numpy as np
import pytest

from hwgen.evaluation import font_simulator

needs_handright = pytest.mark.skipif(importlib.util.find_spec('handright') is None, reason='needs handright: pip install --no-deps "handright>=8.2,<8.3"')


@pytest.fixture
def system():
    return font_simulator.FontSimulator()


@needs_handright
def test_a_seed_is_a_line(system):
    texts = ['明天去钓鱼', '永和九年', '明天去钓鱼', '明天去钓鱼']
    lines = system.write(texts, style_seeds=[1, 2, 1, 3], truncation=.8)
    again = font_simulator.FontSimulator().write(texts[1:], style_seeds=[2, 1, 3])
    for line, other in zip(lines[1:], again, strict=True):
        np.testing.assert_array_equal(line, other)
    np.testing.assert_array_equal(lines[0], lines[2])
    assert lines[0].shape != lines[3].shape or (lines[0] != lines[3]).any()
    fonts = {system._choose_font('明天', seed) for seed in range(40)}
    assert fonts == set(system.description['fonts']) and system.description['system'].startswith('handright 8.2')


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
        # Neither a stroke nor a comma is enlarged: a line is as high as its cells but for their rim (90 px is the narrowest).
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
    assert all((line == 0).any() for line in lines) and {system._choose_font(only, seed) for seed in range(6)} == {font_simulator.fonts.FALLBACK}


def test_without_handright(monkeypatch):
    monkeypatch.setitem(sys.modules, 'handright', None)
    with pytest.raises(font_simulator.SimulatorUnavailableError, match='handright is not installed: pip install --no-deps "handright>=8.2,<8.3"'):
        font_simulator.FontSimulator()
