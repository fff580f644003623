"""Slant and size of lines: what was sheared by a known angle comes back, what is upright stays."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from hwgen.data.preparing import line_normalization as norm
from hwgen.data.scribe import corpus
from hwgen.data.scribe.pen_writer import PenWriter

HEIGHT = 64


def strokes(seed=0, paper=255, ink=0):
    """Upright strokes, bars, rings and dots, as of a line of writing."""
    rng = np.random.default_rng(seed)
    picture = Image.new('L', (520, HEIGHT), paper)
    draw = ImageDraw.Draw(picture)
    for x in range(30, 480, 45):
        top, kind = int(rng.integers(6, 16)), rng.integers(3)
        draw.line((x, top, x, 55), ink, 4)
        draw.line((x - 12, 20 + 10 * kind, x + 16, 20 + 10 * kind), ink, 3)
        draw.ellipse((x + 8, 34, x + 24, 54), outline=ink, width=3)
    return np.asarray(picture)


def slanted(image, degrees, paper=255):
    """Another implementation: each row moved by itself, interpolated with np.interp."""
    extra = 70
    wide = np.pad(image, ((0, 0), (extra, extra)), constant_values=paper).astype(np.float64)
    x = np.arange(wide.shape[1])
    rows = [
        np.interp(x - np.tan(np.radians(degrees)) * (HEIGHT / 2 - y), x, row) for y, row in enumerate(wide)
    ]
    return np.round(rows).astype(np.uint8)


def ink_box(image):
    mask = norm.ink_mask(image)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize('degrees', [-40, -20, -7, 0, 5, 18, 33])
@pytest.mark.parametrize('paper, ink', [(255, 0), (214, 90)])
def test_a_known_slant_is_found_and_taken_away(degrees, paper, ink):
    upright = strokes(paper=paper, ink=ink)
    image = slanted(upright, degrees, paper)
    found = norm.estimate_slant([image])
    assert abs(found - degrees) <= 1
    back, _ = norm.shear(image, degrees=degrees)
    one, other = ink_box(back).astype(int), ink_box(upright).astype(int)
    assert abs(one.shape[1] - other.shape[1]) <= 2 and one.shape[0] == other.shape[0]
    width = min(one.shape[1], other.shape[1])
    # Interpolated twice, so the edges of strokes of 4 px differ by a part of a pixel.
    assert np.abs(one[:, :width] - other[:, :width]).mean() < 0.25 * (paper - other).mean()
    left = [int(np.flatnonzero(norm.ink_mask(i).any(0))[0]) for i in (image, back)]
    right = [i.shape[1] - int(np.flatnonzero(norm.ink_mask(i).any(0))[-1]) for i in (image, back)]
    assert abs(left[0] - left[1]) <= 2 and abs(right[0] - right[1]) <= 2  # the paper beside it


@pytest.mark.parametrize('degrees', [-45, 45])
def test_45_degrees_are_the_most(degrees):
    assert norm.estimate_slant([slanted(strokes(1), degrees)]) == degrees and norm.IMAGES_OF_A_HAND == 40
    assert abs(norm.estimate_slant([slanted(strokes(1), degrees * 49 / 45)])) <= 45


@pytest.mark.parametrize('degrees', [-33, -12, 7, 25])
def test_slant_of_black_and_white(degrees):
    """A scan of one bit has no greys between which to part ink from paper; what a shear mixes of the two
    must still be told apart.
    """
    image = np.where(slanted(strokes(), degrees) > 127, 255, 0).astype(np.uint8)
    assert abs(norm.estimate_slant([image]) - degrees) <= 2


@pytest.mark.parametrize('degrees', [-20, 20])
def test_of_equally_good_angles_the_smallest_is_taken(degrees):
    """A low stroke is as upright by several angles, on a grid of pixels."""
    image = np.full((HEIGHT // 2, 80), 255, np.uint8)
    for row in range(10, 18):
        start = round(40 - np.tan(np.radians(degrees)) * (row - 16))
        image[row, start : start + 3] = 0
    found, totals = (
        norm.estimate_slant([image]),
        {angle: norm._unbroken(norm._sheared(image, angle)[0] < 128) for angle in range(-45, 46)},
    )
    equal = [angle for angle, total in totals.items() if total == max(totals.values())]
    assert len(equal) > 1 and found == min(equal, key=abs)


def test_what_is_upright_or_blank_stays():
    for image in (
        strokes(),
        np.full((40, 90), 255, np.uint8),
        np.full((40, 90), 201, np.uint8),
        np.zeros((1, 1), np.uint8),
    ):
        assert norm.estimate_slant([image]) == 0
        for degrees in (0, 20) if image.min() == image.max() else (0,):
            same, _ = norm.shear(image, degrees=degrees)
            np.testing.assert_array_equal(same, image)
    blank = np.full((40, 90), 230, np.uint8)
    np.testing.assert_array_equal(norm.sized(blank, share=0.5, num_characters=3)[0], blank)
    assert norm.estimate_slant([]) == 0


def test_a_hand_is_estimated_from_all_its_characters():
    """A ring and a dot alone say nothing."""
    image = slanted(strokes(), 15)
    pieces = [image[:, x : x + 45] for x in range(100, 550, 45)]
    assert abs(norm.estimate_slant(pieces) - 15) <= 2


@pytest.mark.parametrize('rise', [0, 1, 2, 3])
def test_what_is_round_has_no_slant(rise):
    """Rings with dashes through them: a shear by 3 degrees makes a column of pixels more or less unbroken,
    which is no slant.
    """
    picture = np.full((64, 300), 255, np.uint8)
    for x in range(30, 280, 40):
        cv2.circle(picture, (x, 32), 14, 0, 3)
        cv2.line(picture, (x - 10, 20 + rise), (x + 10, 24 + rise), 0, 3)
    assert norm.estimate_slant([picture]) == 0


def test_lines_of_hanzi():
    """The scribe's lines, slanted further, are found to be that much more slanted."""
    plan = corpus.plan_corpus(
        version=corpus.FONTS_VERSION,
        lines=6,
        vocabulary_size=700,
        seed=3,
        min_characters=6,
        max_characters=8,
        height_px=64,
        script='chinese',
        validation_lines=1,
        test_lines=1,
        unseen_lines=1,
    )
    images = [plan.line('train', i).image for i in range(6)]
    own = norm.estimate_slant(images)
    assert abs(own) <= 10
    for degrees in (-20, 10, 20):
        assert abs(norm.estimate_slant([slanted(image, degrees) for image in images]) - own - degrees) <= 4


@pytest.mark.slow
def test_hands_with_a_pen():
    """Eight lines of a hand with a pen, slanted further: half of the answers within two degrees, nearly
    all within four.
    """
    errors = []
    for index in range(6):
        writer = PenWriter(3, index)
        images = [
            writer.write_line('天地玄黄宇宙洪荒日月', np.random.default_rng(copy)).image for copy in range(8)
        ]
        own = norm.estimate_slant(images)
        errors += [
            abs(norm.estimate_slant([slanted(image, degrees) for image in images]) - own - degrees)
            for degrees in (-20, 10, 20)
        ]
    assert np.median(errors) <= 2 and np.quantile(errors, 0.9) <= 4


def test_boxes_follow_the_shear():
    image = np.full((40, 60), 255, np.uint8)
    image[5:35, 20:24] = 0
    image[5:35, 40:44] = 0
    boxes = np.array([[20, 5, 24, 35], [40, 5, 44, 35]], np.int32)
    sheared, moved = norm.shear(image, degrees=-30, boxes=boxes)
    mask = norm.ink_mask(sheared)
    for x0, y0, x1, y1 in moved:
        assert mask[y0:y1, x0:x1].sum() >= 0.98 * mask.sum() / 2
    assert moved[1, 0] - moved[0, 0] == 20 and (moved[:, 2] - moved[:, 0] <= 23).all()


@pytest.mark.parametrize('share', [0.3, 0.5, 0.8])
def test_the_core_takes_its_share(share):
    """A core of 20 rows, ascenders of 12 rows above, a descender of 8 below."""
    image = np.full((100, 300), 240, np.uint8)
    image[40:60:2, 20:280] = 30
    image[41:60:2, 20:240] = 30
    image[28:40, 50:54] = image[28:40, 150:154] = image[60:68, 100:104] = 30
    top, bottom = norm.core_rows(norm.ink_mask(image))
    assert (top, bottom) in ((40, 59), (40, 60))
    core = bottom - top
    boxes = np.array([[20, 28, 280, 68]], np.int32)
    out, moved = norm.sized(image, share=share, num_characters=20, boxes=boxes)
    expected = max(core / share, 2 * ((top + bottom) / 2 - 28), 2 * (68 - (top + bottom) / 2))
    assert abs(out.shape[0] - expected) <= 2 and out.shape[1] == 300
    # no ink is lost, nothing is scaled
    np.testing.assert_array_equal(out[moved[0, 1] : moved[0, 3]], image[28:68])
    found = norm.core_rows(norm.ink_mask(out))
    assert abs(sum(found) / 2 - out.shape[0] / 2) <= 1
    assert share > 0.3 or out[0].min() == 240


@pytest.mark.parametrize('ink', [(28, 60), (40, 72), (40, 73), (12, 88)])
def test_no_row_of_ink_is_cut_off(ink):
    """A line that goes far up, far down or both, though its core of 20 rows should take nearly all of the
    height.
    """
    image = np.full((100, 300), 255, np.uint8)
    image[40:60, 20:280:2] = 0
    image[slice(*ink), 150] = 0
    for turned in (image, image[::-1]):
        out, _ = norm.sized(turned, share=0.95, num_characters=20)
        np.testing.assert_array_equal(
            np.sort((out < 128).sum(1)[(out < 128).any(1)]),
            np.sort((image < 128).sum(1)[(image < 128).any(1)]),
        )


def test_dashes_are_not_blown_up():
    image = np.full((60, 120), 255, np.uint8)
    image[30:34, 10:50] = image[30:34, 70:110] = 0
    out, _ = norm.sized(image, share=0.7, num_characters=2)
    assert abs(out.shape[0] - 100 / 3) <= 2


def test_a_line_of_unknown_length_is_not_taken_for_a_character():
    """A long line whose core has half the height already stays as high as it is; of one character it would
    be padded to 2/3 of its width.
    """
    line = np.full((40, 600), 255, np.uint8)
    line[10:30, 5:595:3] = 0
    assert norm.sized(line, share=0.5, num_characters=None)[0].shape == (40, 600)
    assert norm.sized(line, share=0.5, num_characters=1)[0].shape[0] > 390


# ---- by hand


def test_ink_is_what_is_not_lighter_than_half_way_to_paper():
    """Of two levels the threshold lies in the middle; of several the one between the groups that Otsu
    parts, by his criterion tried for each.
    """
    assert (
        norm._threshold(np.array([[10, 61]], np.uint8)) == 35
        and norm._threshold(np.array([[255, 0]], np.uint8)) == 127
    )
    assert (
        norm._threshold(np.full((3, 3), 9, np.uint8)) is None
        and not norm.ink_mask(np.full((3, 3), 9, np.uint8)).any()
    )
    image = np.concatenate(
        [np.repeat([20, 60, 90], [9, 7, 5]), np.repeat([180, 200, 240], [30, 10, 60])]
    ).astype(np.uint8)[:, np.newaxis]

    def between(level):  # variance between the classes
        low, high = image[image <= level].astype(float), image[image > level].astype(float)
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2

    best = max(np.unique(image)[:-1].tolist(), key=between)
    assert best == 90 and norm._threshold(image) == (90 + 180) // 2
    assert norm.ink_mask(image)[:, 0].tolist() == [True] * 21 + [False] * 100


def test_columns_of_one_stroke_count_by_the_square_of_their_length():
    mask = np.zeros((6, 7), bool)
    mask[1:4, 0] = mask[:, 1] = mask[5, 2] = mask[0, 3] = True  # 3, 6, 1, 1
    mask[[0, 1, 3], 4] = mask[[0, 5], 5] = True  # broken
    assert norm._unbroken(mask) == 9 + 36 + 1 + 1 and norm._unbroken(~mask[:, 6:]) == 36


@pytest.mark.parametrize('degrees', [45, -45])
def test_a_shear_of_45_degrees_moves_each_row_by_one_more(degrees):
    """Slant to the right is taken away by moving what is below to the right; the paper beside the ink
    keeps its width of 4 and 6 px.
    """
    rng = np.random.default_rng(1)
    image = np.full((15, 40), 200, np.uint8)
    image[3:12, 4:34] = np.where(rng.random((9, 30)) < 0.5, 10, 200)
    image[7, 4] = image[7, 33] = image[3, 20] = image[11, 20] = 10
    boxes = np.array([[4, 3, 20, 12], [21, 5, 34, 9], [0, 0, 40, 14]], np.int32)
    found, moved = norm.shear(image, degrees=degrees, boxes=boxes)
    by = np.arange(15) * (1 if degrees > 0 else -1) - (0 if degrees > 0 else -14)
    wide = np.full((15, 54), 200, np.uint8)
    for row in range(15):
        wide[row, by[row] : by[row] + 40] = image[row]
    columns = np.flatnonzero((wide == 10).any(0))
    np.testing.assert_array_equal(found, wide[:, columns[0] - 4 : columns[-1] + 1 + 6])
    shift = [min(by[y0], by[y1]) for _, y0, _, y1 in boxes], [max(by[y0], by[y1]) for _, y0, _, y1 in boxes]
    expected = np.stack([boxes[:, 0] + shift[0], boxes[:, 1], boxes[:, 2] + shift[1], boxes[:, 3]], 1) - (
        columns[0] - 4
    ) * np.array([1, 0, 1, 0])
    expected[:, [0, 2]] = expected[:, [0, 2]].clip(0, found.shape[1])
    np.testing.assert_array_equal(moved, expected)
    assert moved.dtype == np.int32


@pytest.mark.parametrize('degrees', [45, -45])
def test_ink_in_the_corners_is_not_sheared_off(degrees):
    image = np.full((15, 9), 200, np.uint8)
    image[[0, 0, -1, -1], [0, -1, 0, -1]] = 10
    found, boxes = norm.shear(image, degrees=degrees)
    assert (
        boxes is None
        and (found == 10).sum() == 4
        and np.flatnonzero((found == 10).any(0)).tolist() == [0, 8, 14, 22]
        and found.shape == (15, 23)
    )


def test_strokes_of_a_pen_are_sheared_by_their_height():
    strokes_ = [np.array([[5, 0], [7, 10], [-3, -4]], np.int32), np.array([[100, 21]], np.int32)]
    found = norm.upright(strokes_, degrees=45)
    assert [stroke.tolist() for stroke in found] == [[[5, 0], [17, 10], [-7, -4]], [[121, 21]]] and found[
        0
    ].dtype == np.int32
    half = np.degrees(np.arctan(0.25))
    assert (
        norm.upright(strokes_, degrees=-half)[1].tolist() == [[95, 21]]
        and norm.upright(strokes_, degrees=0) is strokes_
    )


def test_the_core_is_the_span_of_the_dense_rows():
    """Rows of 9 and 10 among rows of 1 and 2: also where a sparse one lies between them.

    Rows that are all as dense are all of it.
    """
    mask = np.zeros((12, 12), bool)
    for row, count in enumerate((0, 1, 2, 10, 1, 9, 9, 2, 1, 0)):
        mask[row, :count] = True
    assert norm.core_rows(mask) == (3, 7) and norm.core_rows(mask[::-1]) == (5, 9)
    even = np.zeros((12, 12), bool)
    even[2:9, 3] = even[10, 5] = True
    assert norm.core_rows(even) == (2, 11) and norm.core_rows(even[:, :4]) == (2, 9)


def core_line(height=100, top=40, bottom=60, paper=240, width=300):
    """A core of rows that are all as dense, 280 px wide."""
    image = np.full((height, width), paper, np.uint8)
    image[top:bottom, 10:290] = 30
    return image


@pytest.mark.parametrize(
    'share, first, last', [(0.5, 30, 70), (0.2, 0, 100), (0.1, -50, 150), (1.0, 40, 60), (0.6, 33, 67)]
)
def test_a_line_is_cut_and_padded_to_the_pixel(share, first, last):
    """20 rows around row 50: their number by the share, more rather than less; what is beyond the picture
    is paper.
    """
    image = core_line()
    boxes = np.array([[10, 40, 290, 60]], np.int32)
    found, moved = norm.sized(image, share=share, num_characters=40, boxes=boxes)
    expected = np.pad(image, ((max(0, -first), max(0, last - 100)), (0, 0)), constant_values=240)[
        max(0, first) :
    ][: last - first]
    np.testing.assert_array_equal(found, expected)
    assert moved.tolist() == [[10, 40 - first, 290, 60 - first]] and moved.dtype == np.int32


def test_ascenders_descenders_and_few_characters_ask_for_more_height():
    image = core_line()
    # twice what is from the middle of the core to the other side of the row of ink
    for row, height in ((25, 50), (75, 52), (8, 84)):
        other = image.copy()
        other[row, 100] = 30
        assert norm.sized(other, share=0.9, num_characters=40)[0].shape[0] == height
    # 280 / 4 = 70 px of width, 46.7 of height: 26.7 to 73.3
    assert norm.sized(image, share=0.5, num_characters=4)[0].shape[0] == 48
    assert (
        norm.sized(image, share=0.5, num_characters=0)[0].shape
        == norm.sized(image, share=0.5, num_characters=1)[0].shape
        == (188, 300)
    )
    low = core_line(top=11, bottom=32)
    # 21.5 rows on each side of row 21.5: exactly 42 px, from 0.5 to 42.5
    assert norm.sized(low, share=0.5, num_characters=40)[0].shape[0] == 43
