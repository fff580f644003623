"""Simulated writers."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from hwgen.data.scribe import fonts
from hwgen.data.scribe.font_writer import FontWriter


def line(text, *, index=0, seed=3, draw=0, **options):
    script = options.pop('script', 'chinese')
    return FontWriter(seed, index, script=script).write_line(text, np.random.default_rng(draw), **options)[:2]


def test_line_is_a_function_of_its_arguments():
    image, boxes = line('明天写字')
    again, boxes_again = line('明天写字')
    np.testing.assert_array_equal(image, again)
    np.testing.assert_array_equal(boxes, boxes_again)
    for other, _ in (line('明天写字', index=1), line('明天写字', seed=4), line('明天写字', draw=1)):
        assert other.shape != image.shape or (other != image).any()


@pytest.mark.parametrize('script,text', [('chinese', '的的的的的的'), ('latin', 'eeeeee')])
@pytest.mark.parametrize('index', range(8))
def test_no_two_copies_of_a_character_are_equal(script, text, index):
    image, boxes = line(text, index=index, script=script)
    copies = [image[y0:y1, x0:x1] for x0, y0, x1, y1 in boxes]
    for i, one in enumerate(copies):
        for other in copies[:i]:
            assert one.shape != other.shape or np.abs(one.astype(int) - other).mean() > 4


def test_wide_letters_have_wide_cells():
    """Among hanzi a letter or digit has a narrow cell of the hand, m, w and their like a fifth more."""
    writer = FontWriter(3, 0)
    for character in 'mwMW%@':
        assert writer._cell(character) == pytest.approx(1.2 * writer.habits.narrow)
    assert {writer._cell(character) for character in 'aiN3,'} == {writer.habits.narrow} and {
        writer._cell(character) for character in '明，。'
    } == {1.0}


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    text=st.text('明天写字一乙，。12aW（', min_size=1, max_size=12),
    index=st.integers(0, 50),
    height=st.sampled_from([32, 48, 64, 96]),
)
def test_image_and_boxes(text, index, height):
    image, boxes = line(text, index=index, height_px=height)
    assert (
        image.dtype == np.uint8
        and image.shape[0] == height
        and boxes.shape == (len(text), 4)
        and boxes.dtype == np.int32
    )
    assert image.max() == 255 and image.min() < 215
    assert (
        (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= image.shape[1]).all() and (boxes[:, 3] <= height).all()
    )
    assert (boxes[:, 2] > boxes[:, 0]).all() and (boxes[:, 3] > boxes[:, 1]).all()
    for x0, y0, x1, y1 in boxes:
        assert image[y0:y1, x0:x1].min() < 235  # there is ink in the box of every character
    assert (np.diff(boxes[:, [0, 2]].mean(1)) > 0).all()
    outside = image.copy()
    for x0, y0, x1, y1 in boxes:
        outside[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = 255
    assert outside.min() > 150  # and hardly any elsewhere


@pytest.mark.parametrize('index', range(12))
def test_hanzi_lie_in_equal_cells(index):
    text = '国家明天我想能看'
    image, boxes = line(text, index=index)
    centres = boxes[:, [0, 2]].mean(1) / image.shape[1] * len(text)
    np.testing.assert_allclose(centres, np.arange(len(text)) + 0.5, atol=0.45)


def test_a_flat_character_is_not_blown_up():
    image, boxes = line('一')
    assert (boxes[0, 3] - boxes[0, 1]) < 0.5 * image.shape[0]


def test_a_comma_at_the_end_keeps_room():
    for index in range(6):
        image, _ = line('明天，', index=index)
        assert image.shape[1] / image.shape[0] > 1.7


def test_space_is_paper():
    image, boxes = line('ab cd', script='latin')
    x0, _, x1, _ = boxes[2]
    assert x1 - x0 > 0.1 * image.shape[0]
    assert (image[:, (x0 + x1) // 2] > 200).all()


def test_writers_differ_in_every_habit():
    habits = [FontWriter(0, index).habits for index in range(60)]
    assert {h.font for h in habits} == set(fonts.default_fonts('chinese'))
    for name in habits[0]._fields:
        if name not in ('font', 'bend'):
            values = np.array([getattr(h, name) for h in habits])
            assert np.isfinite(values).all() and len(np.unique(values)) > 20, name
    assert np.mean([h.brush < 0.3 for h in habits]) > 0.6  # most write with a pen
    assert any(h.brush > 0.8 for h in habits)


@pytest.mark.parametrize(
    'name', fonts.default_fonts('chinese', '2.0') + fonts.partial_fonts('chinese', '2.0')
)
def test_hands_of_all_fonts_write_alike(name):
    """The same habits with each font: size, aspect, place and ink are the writer's, not the font's."""
    text = '国有我湖看事要能得意明天去'
    heights, widths, rises, inks = [], [], [], []
    for index in range(6):
        image, boxes = FontWriter(5, index, fonts=[name]).write_line(text, np.random.default_rng(index))[:2]
        size = boxes[:, 2:] - boxes[:, :2]
        heights.append(np.median(size[:, 1]) / 64)
        widths.append(np.median(size[:, 0]) * len(text) / image.shape[1])
        rises.append(boxes[:, [1, 3]].mean() / 64)
        inks.append((image < (int(image.min()) + 255) / 2).mean())
    assert 0.6 < np.mean(heights) < 0.85 and 0.65 < np.mean(widths) < 1.05
    assert abs(np.mean(rises) - 0.5) < 0.04 and 0.1 < np.mean(inks) < 0.3


def test_scripts_and_fonts():
    assert FontWriter(0, 1, script='latin').habits.font in fonts.default_fonts('latin')
    assert FontWriter(0, 1, fonts=['ma-shan-zheng']).habits.font == 'ma-shan-zheng'
    assert FontWriter(0, 1).name != FontWriter(0, 1, script='latin').name
    with pytest.raises(ValueError, match="script 'klingon'"):
        FontWriter(0, 0, script='klingon')
    with pytest.raises(ValueError, match="font 'arial'"):
        FontWriter(0, 0, fonts=['arial'])


def test_errors():
    with pytest.raises(ValueError, match='empty'):
        line('')
    with pytest.raises(ValueError, match="position 2: '가' U\\+AC00: not in font"):
        line('明天가')
