"""Lines made larger: the network against loops, tiles and pieces, bytes, what ships."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from hwgen.inference import enlargement, picture_files
from hwgen.inference.enlargement import Enlarger, EnlargerError
from hwgen.metrics.sharpness import line_edges
from hwgen.settings import resources


def _kernels(rng, *channels, sizes=(3, 1, 3)):
    pairs = zip(sizes, (1, *channels), (*channels, 16), strict=True)
    return [rng.normal(0, 0.3, [size, size, a, b]).astype(np.float32) for size, a, b in pairs]


def _line(rng, height, width):
    """Strokes: thick random lines on paper."""
    image = np.full([height, width], 255, np.uint8)
    for x in range(6, width, 14):
        ends = rng.integers(4, height - 4, 2)
        cv2.line(image, (x, int(ends[0])), (x + 8, int(ends[1])), 40, max(2, height // 20), cv2.LINE_AA)
    return image


def _by_loops(ink, kernels):
    """Convolutions without padding, ReLU between them, 4 x 4 pixels of each: as sums, in float64."""
    x = ink[..., np.newaxis].astype(np.float64)
    reach = sum(kernel.shape[0] // 2 for kernel in kernels)
    for number, kernel in enumerate(kernels):
        size = kernel.shape[0]
        if number:
            x = np.maximum(x, 0)
        height, width = x.shape[0] - size + 1, x.shape[1] - size + 1
        out = np.zeros([height, width, kernel.shape[-1]])
        for row in range(height):
            for column in range(width):
                piece = x[row : row + size, column : column + size]
                out[row, column] = np.einsum('ijc,ijco->o', piece, kernel)
        x = out
    large = np.zeros([4 * x.shape[0], 4 * x.shape[1]])
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            block = x[row, column].reshape(4, 4) + ink[row + reach, column + reach]
            large[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = block
    return np.clip(large, 0, 1)


def test_the_network_is_its_sums():
    rng = np.random.default_rng(0)
    enlarger = Enlarger(_kernels(rng, 5, 4))
    ink = rng.random([9, 12]).astype(np.float32)
    assert enlarger.reach == 2 and enlarger.num_parameters == 9 * 5 + 5 * 4 + 9 * 4 * 16
    # float32 sums of 36 products
    np.testing.assert_allclose(enlarger.sharpen(ink), _by_loops(ink, enlarger._kernels), atol=1e-5, rtol=0)


def test_a_picture_of_tiles_is_the_picture():
    """Every tile sees what lies around it, paper beyond the ends."""
    rng = np.random.default_rng(1)
    enlarger = Enlarger(_kernels(rng, 5, 4))
    image = _line(rng, 16, 150)  # more than two tiles of 64 columns
    ink = np.pad(1 - image.astype(np.float32) / 255, enlarger.reach)
    wanted = np.rint(255 * (1 - enlarger.sharpen(ink)))
    found = enlarger.enlarge(image, 64)
    assert found.shape == (64, 600) and found.dtype == np.uint8
    # a sum in another order, rounded
    assert np.abs(found - wanted).max() <= 1 and np.mean(found != wanted) < 0.01


@pytest.mark.parametrize('height_px', [17, 33, 64, 100, 256])
def test_bytes_do_not_depend_on_the_pieces(height_px):
    rng = np.random.default_rng(2)
    enlarger = Enlarger(_kernels(rng, 5, 4))
    image = _line(rng, 16, 150)
    whole = enlarger.enlarge(image, height_px)
    assert whole.shape == (height_px, round(150 * height_px / 16))
    for cuts in ([1], [64], [5, 5, 70, 149], range(1, 150)):
        pieces = list(enlarger.in_pieces(np.split(image, cuts, axis=1), height_px))
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    assert list(enlarger.in_pieces(iter([]), height_px)) == []


def test_a_line_in_pieces_takes_constant_memory():
    enlarger = Enlarger(_kernels(np.random.default_rng(3), 3, 3))
    given = [0]

    def pieces():
        for _ in range(50):
            given[0] += 1
            yield np.full([16, 40], 128, np.uint8)

    found = enlarger.in_pieces(pieces(), 64)
    next(found)
    assert given[0] <= 3  # a tile of 64 columns and what lies beside it


def test_a_page_is_enlarged_as_its_lines():
    """Rows of tiles are as high as a line, so that a line that fills one looks as it does alone."""
    rng = np.random.default_rng(4)
    enlarger = Enlarger(_kernels(rng, 5, 4))
    paper = np.full([16, 90], 255, np.uint8)
    line = _line(rng, 16, 90)
    page = np.concatenate([paper, line, paper[:5]])
    found = enlarger.enlarge(page, 40, line_px=16)
    assert found.shape == (round(37 * 2.5), 225)
    np.testing.assert_array_equal(found[40:80], enlarger.enlarge(line, 40))


def test_paper_stays_paper_and_pale_ink_is_ink():
    enlarger = enlargement.shipped()
    assert (enlarger.enlarge(np.full([32, 70], 255, np.uint8), 128) == 255).all()
    ink = np.pad(1 - _line(np.random.default_rng(5), 32, 90).astype(np.float32) / 255, enlarger.reach)
    dark, pale = enlarger.sharpen(ink), enlarger.sharpen(ink / 4)
    inside = dark < 0.999  # what is not cut off at black
    np.testing.assert_allclose(4 * pale[inside], dark[inside], atol=1e-5)  # float32 sums


@pytest.mark.parametrize('height', [32, 64])
def test_what_ships_is_sharper_than_interpolation_and_nearer(height):
    """Strokes of a scan of four times the height, scaled down, and enlarged again."""
    rng = np.random.default_rng(6)
    fine = cv2.GaussianBlur(_line(rng, 4 * height, 12 * height), (0, 0), 1.2)
    image = cv2.resize(fine, (3 * height, height), interpolation=cv2.INTER_AREA)
    learned, cubic = (picture_files.scale(image, 4 * height, enlarging=how) for how in ('learned', 'cubic'))
    assert learned.shape == cubic.shape == fine.shape
    errors = [np.abs(found.astype(int) - fine).mean() for found in (learned, cubic)]
    assert errors[0] < 0.8 * errors[1]
    sharp = [line_edges(found).sharpness for found in (learned, cubic, fine)]
    assert sharp[0] > 1.1 * sharp[1] and sharp[0] > 0.85 * sharp[2]


def test_scale_is_as_before_where_nothing_grows_or_cubic_is_asked_for():
    image = _line(np.random.default_rng(7), 32, 90)
    assert picture_files.scale(image, None) is image and picture_files.scale(image, 32) is image
    np.testing.assert_array_equal(
        picture_files.scale(image, 20), cv2.resize(image, (56, 20), interpolation=cv2.INTER_AREA)
    )
    np.testing.assert_array_equal(
        picture_files.scale(image, 80, enlarging='cubic'),
        cv2.resize(image, (225, 80), interpolation=cv2.INTER_CUBIC),
    )
    with pytest.raises(ValueError, match='height_px=0: expected at least 1'):
        picture_files.scale(image, 0)
    with pytest.raises(ValueError, match="enlarging='linear': expected learned or cubic"):
        picture_files.scale(image, 64, enlarging='linear')
    page = np.concatenate([image, image[:20]])  # a page of lines 32 px high
    assert picture_files.scale(page, 48, line_px=32).shape == (78, 135)


def test_weights_that_cannot_be_used(tmp_path):
    with pytest.raises(EnlargerError, match=r'weights\.npz: no such file'):
        Enlarger.load(tmp_path)
    (tmp_path / 'weights.npz').write_bytes(b'PK')
    with pytest.raises(EnlargerError, match='damaged weights'):
        Enlarger.load(tmp_path)
    good = _kernels(np.random.default_rng(8), 5, 4)
    for wrong in (
        good[:2],  # gives no 16
        [good[0], good[2]],  # channels that do not follow
        [np.full_like(good[0], np.nan), *good[1:]],
        [good[0][:2, :2], *good[1:]],  # even
        [good[0][0], *good[1:]],
    ):
        np.savez(tmp_path / 'weights.npz', **{f'kernel_{i}': kernel for i, kernel in enumerate(wrong)})
        with pytest.raises(EnlargerError, match='kernels of shapes'):
            Enlarger.load(tmp_path)
    with pytest.raises(ValueError, match='height_px=10: expected at least 16'):
        Enlarger(good).enlarge(np.zeros([16, 4], np.uint8), 10)


def test_it_needs_no_tensorflow():
    code = (
        'import sys, numpy as np; from hwgen.inference import picture_files;'
        ' picture_files.scale(np.full([16, 16], 9, np.uint8), 40); print("tensorflow" in sys.modules)'
    )
    found = subprocess.run(
        [sys.executable, '-P', '-c', code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {'PYTHONPATH': str(resources.CHECKOUT)},
    )
    assert found.stdout.strip() == 'False'
