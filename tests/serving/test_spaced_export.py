"""An exported model whose characters have the room that they take."""

import numpy as np
import pytest
import tensorflow as tf
from small_generator import make_small_generator

from hwgen.charset.encoding import Charset
from hwgen.inference import line_layout
from hwgen.inference.writer import Writer
from hwgen.serving import export, spaced_line
from hwgen.serving.saved_version import SavedVersion


@pytest.mark.parametrize('seed', range(5))
def test_the_graph_lays_out_as_the_writer(seed):
    """Wide and narrow advances among them: the same boxes, the same pixels to the rounding of a stretch."""
    rng = np.random.default_rng(seed)
    n, cell = int(rng.integers(1, 9)), dict(char_px=10, char_width_px=6)
    cells = rng.integers(0, 256, (10, 6 * n), dtype=np.uint8)
    advances = rng.uniform(0.02, 1.5, n).astype(np.float32)
    expected = line_layout.spaced(cells, advances, **cell)
    image, boxes = spaced_line.spaced(
        tf.constant(cells / np.float32(127.5) - 1), tf.constant(np.log(advances)), **cell
    )
    np.testing.assert_array_equal(boxes, expected.boxes)
    np.testing.assert_allclose((image.numpy() + 1) * 127.5, expected.image, atol=0.51)


def test_advances_that_are_not_finite_make_a_line_all_the_same():
    image, _ = spaced_line.spaced(tf.ones([10, 6]), tf.constant([np.nan]), char_px=10, char_width_px=6)
    assert image.shape == (10, 10)


@pytest.mark.slow
def test_export(tmp_path):
    """Exported and compared with the writer in a fresh process; boxes, widths and padding of `images`."""
    writer = Writer(make_small_generator(layout='spaced'), Charset.load(), windows_per_step=1)
    path, _ = export.export_model(
        writer, str(tmp_path / 'hwgen' / '1'), truncation=0.7, max_characters=40, licence='made for a test'
    )
    texts = ['天地玄黄，宇宙', '一', '\U0010ffff']
    served = SavedVersion(path)
    answer = served.run('images', dict(texts=texts, style_seeds=[4, 5, 6]))
    written = writer.write_lines(texts[:2], style_seeds=[4, 5], truncation=0.7)
    widths = [line.image.shape[1] for line in written]
    assert np.asarray(answer['widths']).tolist() == [*widths, 0]
    for row, line in enumerate(written):
        np.testing.assert_array_equal(answer['boxes'][row][: len(line.boxes)], line.boxes)
        pixels = (np.asarray(answer['images'][row])[:, : line.image.shape[1], 0] + 1) * 127.5
        np.testing.assert_allclose(pixels, line.image, atol=1.5)
        assert (np.asarray(answer['images'][row])[:, line.image.shape[1] :] == 1).all()
