"""Boxes of ink: by hand in small pictures, and of a small generator's lines against their very pixels."""

import numpy as np
import pytest
from small_generator import make_small_generator, shared_small_generator

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.inference.line_boxes import boxes_of, cell_boxes, fitted, ink_box
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
    ink[0, 19] = 1.0
    assert ink_box(ink).tolist() == [5, 0, 20, 15]


def test_boxes_of_components_fill_the_ink_by_hand():
    # side by side in the middle of the cell; the ink is twice as high and begins at (2, 1)
    boxes = np.array([[0.2, 0.4, 0.4, 0.6], [0.4, 0.4, 0.8, 0.6]])
    found = fitted(boxes, np.array([2.0, 1.0, 8.0, 9.0]))
    np.testing.assert_allclose(found, [[2, 1, 4, 9], [4, 1, 8, 9]], atol=1e-5)
    ink = np.zeros([10, 10])
    ink[1:9, 2:8] = 0.5
    parts = np.array([[True, True, False, False], [True, False, False, False], [True, True, False, False]])
    every = np.zeros([3, 4, 4])
    every[:, :2] = boxes
    cells = cell_boxes([ink, ink, np.zeros([10, 10])], parts, every)
    assert cells.characters.tolist() == [[2, 1, 8, 9], [2, 1, 8, 9], [0] * 4]
    np.testing.assert_allclose(cells.components[0, :2], found)
    # a character of one component is that; without ink there is none
    assert cells.components[1].tolist() == [[2, 1, 8, 9], [0] * 4, [0] * 4, [0] * 4]
    assert not cells.components[2].any() and not cells.components[0, 2:].any()


def test_learned_boxes_are_those_that_maps_are_stretched_over(monkeypatch):
    generator = make_small_generator(learn_boxes=True, content_encoding='warped')
    encoder, charset = generator.content_encoder, Charset.load()
    characters = Characters.stack([charset.encode('明湖').characters])
    found = encoder.component_boxes(characters).numpy()
    seen, stretch = [], type(encoder)._stretch
    monkeypatch.setattr(type(encoder), '_stretch', lambda *given: seen.append(given[3]) or stretch(*given))
    encoder(characters)
    np.testing.assert_allclose(found, seen[0], atol=1e-6)
    assert np.abs(found - characters.boxes).max() > 0.01


@pytest.mark.parametrize('encoding', ['warped', 'layout'])
@pytest.mark.parametrize('layout', ['cells', 'spaced'])
def test_boxes_of_lines(encoding, layout):
    generator = shared_small_generator(layout=layout, content_encoding=encoding)
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


def test_an_encoding_that_draws_characters_whole_has_the_boxes_of_structures():
    writer = Writer(shared_small_generator(content_encoding='onehot'), Charset.load())
    (boxes,) = boxes_of(writer, '明天')
    x0, _, x1, _ = boxes.characters[0]
    assert boxes.components[0, 0, 0] == x0 and boxes.components[0, 1, 2] == x1
    # 明 is ⿰日月: their boxes meet in the middle
    assert np.abs(boxes.components[0, [0, 1], [2, 0]] - (x0 + x1) / 2).max() <= 1
