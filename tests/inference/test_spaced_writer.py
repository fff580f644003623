"""A writer whose characters have the room that they take: lines, streams, boxes and advances agree."""

import numpy as np
import pytest
from small_generator import make_small_generator

from hwgen.charset.encoding import Charset
from hwgen.images import to_uint8
from hwgen.inference import line_layout
from hwgen.inference.writer import Writer

TEXT = '天地玄黄宇宙洪荒日月，一二三。'


@pytest.fixture(scope='module')
def generator():
    generator = make_small_generator(layout='spaced', noise_prior='learned')
    kernel = generator.noise_space.distribution.kernel
    kernel.assign(0.1 * kernel)  # noise of a size that leaves advances within their bounds
    return generator


@pytest.fixture(scope='module')
def writer(generator):
    return Writer(generator, Charset.load(), window_characters=4, windows_per_step=1)


def test_a_line_is_its_cells_at_their_advances(writer):
    (line,) = writer.write_lines(TEXT, style_seeds=3)
    (cells,) = writer.in_cells().write(TEXT, style_seeds=3)
    advances = writer.advances(TEXT, style_seed=3)
    assert advances.std() > 0.02  # they differ: the comparison means something
    assert cells.shape == (16, 16 * len(TEXT))
    expected = line_layout.spaced(cells, advances, char_px=16, char_width_px=16)
    np.testing.assert_array_equal(line.boxes, expected.boxes)
    np.testing.assert_array_equal(line.image, expected.image)
    (image,) = writer.write(TEXT, style_seeds=3)
    np.testing.assert_array_equal(image, line.image)


@pytest.mark.parametrize('window', [1, 3, 100])
def test_windows_and_pieces_are_the_line(generator, writer, window):
    other = Writer(generator, Charset.load(), window_characters=window, windows_per_step=1)
    (expected,) = writer.write(TEXT, style_seeds=5)
    (whole,) = other.write(TEXT, style_seeds=5)
    assert np.abs(whole.astype(int) - expected).max() <= 1
    pieces = list(other.stream(TEXT, style_seed=5))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_truncation_and_place_reach_the_advances(writer):
    """Noise of the seed and of the place, at the truncation asked for."""
    plain = writer.advances('天天', style_seed=1, truncation=0.0)
    drawn = writer.advances('天天', style_seed=1, truncation=1.0)
    later = writer.advances('天天', style_seed=1, truncation=1.0, noise_offset=1)
    assert abs(drawn - plain).max() > 1e-3 and abs(later - drawn).max() > 1e-3
    (line,) = writer.write_lines('天天', style_seeds=1, truncation=1.0, noise_offsets=1)
    np.testing.assert_array_equal(line.boxes[:, 2] - line.boxes[:, 0], np.rint(later * 16))


def test_cells_can_be_asked_for(generator, writer):
    cells = Writer(generator, Charset.load(), layout='cells')
    assert cells.layout == 'cells' and writer.layout == 'spaced' and cells.in_cells() is cells
    assert cells.boxes(2).tolist() == [[0, 0, 16, 16], [16, 0, 32, 16]]
    np.testing.assert_array_equal(cells.advances('天地'), [1.0, 1.0])
    with pytest.raises(ValueError, match="boxes of layout 'spaced': expected 'cells'; see `write_lines`"):
        writer.boxes(2)
    with pytest.raises(ValueError, match="has not learned how much room characters take; expected 'cells'"):
        Writer(make_small_generator(), Charset.load(), layout='spaced')


def test_ink_is_the_same_in_both_layouts(writer):
    """Characters far enough apart: nothing is lost or invented."""
    rng = np.random.default_rng(0)
    cells = to_uint8(rng.uniform(-1, 1, (16, 48)))
    line = line_layout.spaced(cells, np.array([1.2, 1.0, 1.5], np.float32), char_px=16, char_width_px=16)
    assert line.image.shape == (16, 19 + 16 + 24)
    np.testing.assert_array_equal(line.image[:, 19:35], cells[:, 16:32])


@pytest.mark.parametrize('layout', ['spaced', 'cells'])
def test_lines_of_another_height(generator, writer, layout):
    """Larger than they are written: pictures, pieces and boxes."""
    other = writer if layout == 'spaced' else writer.in_cells()
    (line,) = other.write_lines(TEXT, style_seeds=3)
    for height_px in (40, 64):
        (large,) = other.write_lines(TEXT, style_seeds=3, height_px=height_px)
        assert large.image.shape == (height_px, round(line.image.shape[1] * height_px / 16))
        np.testing.assert_allclose(large.boxes, line.boxes * (height_px / 16), atol=0.51)
        np.testing.assert_array_equal(large.image, other.write(TEXT, style_seeds=3, height_px=height_px)[0])
        pieces = other.stream(TEXT, style_seed=3, height_px=height_px)
        np.testing.assert_array_equal(np.concatenate(list(pieces), axis=1), large.image)
    (small,) = other.write_lines(TEXT, style_seeds=3, height_px=8)
    assert small.image.shape == (8, round(line.image.shape[1] / 2))
    with pytest.raises(ValueError, match='height_px=8: expected at least 16, as high as lines are written'):
        other.stream(TEXT, height_px=8)
