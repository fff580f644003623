"""experiments/sharpness: pieces that belong together, the network as it is computed later, ways to
enlarge.
"""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from experiments.sharpness import blur, compared, enlarger
from hwgen.inference.enlargement import FACTOR, Enlarger
from hwgen.models import layers

REACH = sum(size // 2 for size in enlarger.SIZES)


@pytest.fixture
def lines():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(4):
        image = np.full([256, 700], 255, np.uint8)
        for _ in range(30):
            ends = rng.integers(20, [680, 236], (2, 2))
            cv2.line(image, ends[0].tolist(), ends[1].tolist(), 60, 9, cv2.LINE_AA)
        found.append(image)
    return found


def test_small_pieces_are_the_large_ones_scaled_down(lines, monkeypatch):
    """Exactly where they are neither blurred nor between pixels; half as high ones, too."""
    monkeypatch.setattr(enlarger, '_BETWEEN', 0.0)
    monkeypatch.setattr(enlarger, '_BLURRED', 0.0)
    halves = [enlarger.halved(line) for line in lines]
    for kind in (lines, halves):
        small, large = enlarger.pieces(kind, kind, np.random.default_rng(1), reach=REACH, num=6)
        side = enlarger.PIECE_PX
        assert small.shape == (6, side + 2 * REACH, side + 2 * REACH, 1)
        means = large.reshape(6, side, FACTOR, side, FACTOR).mean((2, 4))
        np.testing.assert_allclose(small[:, REACH:-REACH, REACH:-REACH, 0], means, atol=0.51 / 255)


def test_pieces_between_pixels_stand_where_the_large_ones_do(lines, monkeypatch):
    """The ink of both has one centre."""
    monkeypatch.setattr(enlarger, '_BETWEEN', 1.0)
    halves = [enlarger.halved(line) for line in lines]
    small, large = enlarger.pieces(lines, halves, np.random.default_rng(2), reach=REACH, num=40)
    inner = small[:, REACH:-REACH, REACH:-REACH, 0]
    errors = {}
    for shift in (-1, 0, 1):  # large pixels
        moved = np.roll(large[..., 0], shift, axis=2)
        means = moved.reshape(40, inner.shape[1], FACTOR, inner.shape[2], FACTOR).mean((2, 4))
        errors[shift] = np.abs(means - inner).mean()
    assert errors[0] < 0.9 * min(errors[-1], errors[1])
    assert abs(errors[-1] - errors[1]) < 0.05 * errors[1]  # neither side is nearer


def test_the_network_that_learns_is_the_one_that_enlarges():
    model = enlarger.network([6, 5, 4, 3])
    rng = np.random.default_rng(3)
    for variable in model.variables:
        variable.assign(rng.normal(0, 0.2, variable.shape))
    ink = rng.random([1, 20 + 2 * REACH, 30 + 2 * REACH, 1]).astype(np.float32)
    inner = ink[:, REACH:-REACH, REACH:-REACH]
    found = np.clip(tf.nn.depth_to_space(model(ink) + inner, FACTOR), 0, 1)[0, ..., 0]
    wanted = Enlarger([variable.numpy() for variable in model.variables]).sharpen(ink[0, ..., 0])
    np.testing.assert_allclose(found, wanted, atol=1e-5)  # float32 sums


def test_a_flat_error_and_a_steep_one_cost_what_they_should():
    """By hand: 2 x 2 pixels, one of them wrong by 0.4."""
    wanted = np.zeros([1, 2, 2, 1], np.float32)
    found = wanted.copy()
    found[0, 0, 0] = 0.4
    loss, pixels = enlarger.losses(tf.constant(found), tf.constant(wanted), slopes=0.5)
    # image_gradients gives 0 in the last row and column: of four numbers each, one is wrong, by 0.4
    assert float(pixels) == pytest.approx(0.1) and float(loss) == pytest.approx(0.1 + 0.5 * (0.1 + 0.1))


def test_steepened_grey_by_hand():
    line = np.full([4, 100], 255, np.uint8)
    line[:, 20:40] = 55  # darkness 200 / 255
    line[:, 60:80] = 155  # half of it: stays; smoothstep(1/2) = 1/2
    line[:, 90:] = 205  # a quarter: 3/16 - 2/64 = 0.15625 of 200 = 31.25
    found = compared.steepened(line, 4)
    assert found[0, [0, 30, 70, 95]].tolist() == [255, 55, 155, 224]


def test_resampling_between_pixels_keeps_the_ink():
    rng = np.random.default_rng(4)
    images = np.pad(rng.uniform(-1, 1, [3, 6, 8, 1]), [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=1)
    moved = np.asarray(blur.between(images.astype(np.float32), rng))
    np.testing.assert_allclose((1 - moved).sum((1, 2)), (1 - images).sum((1, 2)), rtol=1e-5)
    kept = layers.shift_columns
    with blur.Bends() as bends:
        layers.shift_columns(1 - images, np.zeros_like(images), reach_px=1)
    np.testing.assert_allclose(bends.straight, images)
    assert layers.shift_columns is kept
