"""Boxes of ink: by hand in small pictures, and of a small generator's lines against their very pixels."""

import numpy as np
import pytest
from small_generator import make_small_generator

from hwgen.charset.encoding import Charset
from hwgen.inference.line_boxes import boxes_of, cell_boxes, ink_box, owned
from hwgen.inference.writer import Writer

TEXT = '明一⿱山鱼 湖天赢日'


def test_the_box_of_ink_by_hand():
    ink = np.zeros([8, 10])
    assert ink_box(ink).tolist() == [0, 0, 0, 0]
    ink[2:5, 3:9] = 0.5
    ink[7, 0] = 0.12  # less than a quarter of the darkest
    assert ink_box(ink).tolist() == [3, 2, 9, 5]
    assert ink_box(ink / 8).tolist() == [0, 0, 0, 0]  # hardly grey anywhere
    ink = np.zeros([20, 20])
    ink[5:15, 5:15] = 1.0
    ink[0, 19] = 1.0  # one of 101: less than two in a hundred
    assert ink_box(ink).tolist() == [5, 0, 20, 15]
    assert ink_box(ink, stray=0.02).tolist() == [5, 5, 15, 15]


def test_ink_belongs_to_the_component_that_it_goes_with():
    left, right = np.zeros([4, 8]), np.zeros([4, 8])
    left[:, 1:4], right[1:3, 5:7] = 0.9, 0.8
    right[0, 0] = 0.05  # a shade elsewhere that goes with the right one
    both = left + right
    mine, other = owned(both, [both - left, both - right])
    np.testing.assert_array_equal(mine > 0, left > 0)
    np.testing.assert_array_equal(other > 0, right > 0.1)
    parts = np.array([[True, True, False, False], [True, False, False, False]])
    cells = [[both, left], [right, left], [left, left]]  # whole, without slot 0, without slot 1
    found = cell_boxes(cells, parts, [0, 1], separable=True)
    assert found.characters.tolist() == [[1, 0, 7, 4], [1, 0, 4, 4]]
    assert found.components[0].tolist() == [[1, 0, 4, 4], [5, 1, 7, 3], [0] * 4, [0] * 4]
    # a character of one component is that
    assert found.components[1].tolist() == [[1, 0, 4, 4], [0] * 4, [0] * 4, [0] * 4]
    assert not cell_boxes(cells, parts, [0, 1], separable=False).components[0].any()


@pytest.mark.parametrize('encoding', ['warped', 'layout'])
@pytest.mark.parametrize('layout', ['cells', 'spaced'])
def test_boxes_of_lines(encoding, layout):
    generator = make_small_generator(layout=layout, content_encoding=encoding)
    writer = Writer(generator, Charset.load(), window_characters=3, windows_per_step=1)
    how = dict(style_seeds=5, truncation=1.0, noise_offsets=2)
    (line,) = writer.write_lines(TEXT, **how)
    (boxes,) = boxes_of(writer, TEXT, **how)
    encoded = writer.encode(TEXT)
    used = encoded.component_ids > 0
    assert boxes.characters.shape == (8, 4) and boxes.components.shape == (8, 4, 4)
    there = boxes.components[..., 2] > boxes.components[..., 0]
    assert not there[~used].any() and not boxes.characters[3].any()  # the space
    alone = used.sum(1) == 1
    np.testing.assert_array_equal(boxes.components[alone, 0], boxes.characters[alone])
    height, width = line.image.shape
    for place, (x0, y0, x1, y1) in enumerate(boxes.characters):
        if x1 == x0:
            continue
        assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
        if layout == 'cells':
            # NumPy on the very picture: the pixels that are at least a quarter as dark as the darkest, which
            # rounding to whole grey levels blurs
            dark = 255.0 - line.image[:, 16 * place : 16 * place + 16]
            for more, sign in ((1.0, 1), (-1.0, -1)):
                seen = dark >= max(0.25 * dark.max(), 25.5) + more
                rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0)) + 16 * place
                ends = np.array([columns[0] - x0, rows[0] - y0, x1 - columns[-1] - 1, y1 - rows[-1] - 1])
                assert (sign * ends >= 0).all(), (place, more, ends)
        # components lie within their character
        for own in boxes.components[place][there[place]]:
            assert (own[:2] >= (x0, y0)).all() and (own[2:] <= (x1, y1)).all()
    # windows change nothing but a pixel's rounding
    whole = Writer(generator, Charset.load(), window_characters=64, windows_per_step=1)
    (others,) = boxes_of(whole, TEXT, **how)
    assert np.abs(others.characters - boxes.characters).max() <= 1


def test_an_encoding_that_draws_characters_whole_has_no_boxes_of_their_parts():
    writer = Writer(make_small_generator(content_encoding='onehot'), Charset.load())
    (boxes,) = boxes_of(writer, '明天')
    assert boxes.characters.any() and not boxes.components[0].any()
