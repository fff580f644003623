"""Paper made white: held against what the photographs were made of."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import paper as paper_lib
from hwgen.data.preparing.paper import depth_of_ink, flattened, has_white_paper, reduced, window
from hwgen.data.preparing.picture_intake import Intake, look_at


def writing(*, height=80, ink=50, thickness=4, seed=0, width=420):
    """A line of strokes on white: uint8 [H, W]."""
    rng, fine = np.random.default_rng(seed), np.full((height * 4, width * 4), 255, np.uint8)
    for left in range(30, width * 4 - 4 * height, 4 * height):
        for _ in range(7):
            points = rng.integers([left, height], [left + 3 * height, 3 * height], (2, 2))
            cv2.line(fine, points[0].tolist(), points[1].tolist(), ink, thickness * 4, cv2.LINE_AA)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)


def photograph(line, *, paper, gradient=0.0, shadow=0.0, noise=0.0, quality=None, seed=1):
    """The line on paper in uneven light, with noise, as JPEG where a quality is given."""
    height, width = line.shape
    y, x = np.mgrid[:height, :width]
    light = paper * (1 - gradient * (0.7 * x / width + 0.3 * y / height))
    light *= 1 - shadow / (1 + np.exp(-(x + y - 0.6 * width) / 6))
    picture = np.clip(
        np.rint(line / 255 * light + np.random.default_rng(seed).normal(0, noise, line.shape)), 0, 255
    ).astype(np.uint8)
    if quality is None:
        return picture
    data = io.BytesIO()
    Image.fromarray(picture).save(data, 'JPEG', quality=quality)
    return np.array(Image.open(data))


PHOTOGRAPHS = {
    'scan': dict(paper=248, noise=3),
    'light scan': dict(paper=252, noise=1.5),
    'grey scan': dict(paper=232, noise=3, quality=70),
    'gradient': dict(paper=190, gradient=0.35, noise=4, quality=75),
    'dim': dict(paper=90, gradient=0.4, noise=3, quality=80),
    'noisy': dict(paper=180, gradient=0.3, noise=8),
    'shadow': dict(paper=210, shadow=0.45, noise=2, quality=85),
}


@pytest.mark.parametrize('kind', PHOTOGRAPHS)
def test_photographs_become_what_they_were_made_of(kind):
    """Paper white, ink as dark relative to its paper as it was, within 4 % of black."""
    for ink, thickness in ((50, 4), (120, 2), (20, 8)):
        line = writing(ink=ink, thickness=thickness)
        photo = photograph(line, **PHOTOGRAPHS[kind])
        found = flattened(photo)
        paper, core = (
            cv2.erode((line == 255).astype(np.uint8), np.ones((5, 5))) > 0,
            cv2.erode((line == ink).astype(np.uint8), np.ones((3, 3))) > 0,
        )
        core = core if core.any() else line == ink
        assert not has_white_paper(photo) and (found[paper] > 250).mean() > (
            0.9 if kind == 'shadow' else 0.97
        ), (ink, (found[paper] > 250).mean())
        assert abs(found[core].mean() - ink) < 10, (ink, found[core].mean())


@pytest.mark.parametrize('kind', ['scan', 'light scan', 'grey scan', 'gradient'])
def test_pale_strokes_survive(kind):
    """A pencil a sixth as dark as ink: most of it is there, and as pale as it was."""
    line = writing(ink=210, thickness=3)
    found = flattened(photograph(line, **PHOTOGRAPHS[kind]))
    assert abs(found[line == 210].mean() - 210) < 12 and (found[line == 210] < 250).mean() > 0.85


def test_what_hangs_together_is_a_stroke_and_a_speck_is_none():
    """Three levels darker than paper of 200: a dash of 240 px is ink, nine pixels of the same grey are noise.

    By depth both are ink, or neither.
    """
    picture = np.full((80, 300), 200, np.uint8)
    picture[40:46, 100:140] = picture[20:23, 250:253] = 197
    depth = depth_of_ink(picture)
    assert (
        (depth[41:45, 102:138] > 2.5).all()
        and (depth[15:28, 245:258] == 0).all()
        and (depth[:, :90] == 0).all()
    )


def test_how_large_or_how_dark_a_speck_is_ink():
    """On even paper the noise is a level of 255: ink is what is twice that and hangs together, 100 px of
    it, or reaches five times that anywhere.
    """

    def depth(height, width, below):
        picture = np.full((80, 300), 200, np.uint8)
        picture[40 : 40 + height, 100 : 100 + width] = 200 - below
        found = depth_of_ink(picture)
        assert not found[:30].any() and not found[:, :90].any()
        return found[40 : 40 + height, 100 : 100 + width]

    # a stroke of 22 px is seen with a pixel less all around
    assert not depth(6, 13, 3).any() and depth(6, 22, 3)[2:4, 4:18].min() > 2.5
    assert (
        not depth(12, 100, 1).any()
        and not depth(12, 100, 2).any()
        and depth(12, 100, 4)[3:-3, 3:-3].min() > 2
    )
    assert not depth(3, 3, 4).any() and depth(3, 3, 5).min() > 5.5  # after blurring .88 of 5.1 and of 6.4
    # What is within four hundredths of paper is taken for paper and lowers its level around; it fades from
    # two times the noise on to three times.
    for below, least, most in ((3, 0.1, 0.9), (4, 2.2, 3.1), (7, 4.2, 6), (9, 11.2, 11.6)):
        assert least < depth(12, 100, below)[6, 50] < most
    np.testing.assert_allclose(depth(3, 3, 8), 8 * 255 / 200, atol=0.1)
    np.testing.assert_allclose(depth(9, 9, 120), 120 * 255 / 200, atol=0.5)


def test_noise_is_measured_where_a_speck_is():
    """Within 32 px: nine pixels, eight levels darker than even paper, are ink 40 px from where noise
    begins, and may be noise 25 px from it.
    """
    for away, expected in ((25, 0), (40, 9)):
        picture = np.full((300, 96), 200.0)
        picture[150:] += np.random.default_rng(0).normal(0, 8, (150, 96))
        picture[148 - away : 151 - away, 40:43] = 192
        depth = depth_of_ink(np.rint(picture.clip(0, 255)).astype(np.uint8))
        assert (depth[148 - away : 151 - away, 40:43] > 5).sum() == expected


def test_a_stroke_along_the_edge_is_ink():
    """A bar of 12 rows there, mirrored, is not as wide as half a line."""
    bar = np.full((80, 300), 200, np.uint8)
    bar[:12, 50:250] = 60
    for picture in (bar, bar[::-1]):
        assert abs(float(np.median(flattened(picture)[picture == 60])) - 60 * 255 / 200) < 3


@pytest.mark.parametrize('left, right, down', [(180, 180, 0), (150, 220, 30), (90, 130, 10)])
def test_in_light_that_changes_evenly_every_level_comes_back(left, right, down):
    """Without noise: what was made darker by a plane of light is, but for rounding, what it was, in a
    picture of any height.
    """
    for line in (
        writing(ink=60, thickness=5),
        cv2.resize(writing(ink=60, thickness=5), None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR),
    ):
        y, x = np.mgrid[: line.shape[0], : line.shape[1]] / np.array(line.shape)[:, None, None]
        found = flattened(np.rint(line / 255 * (left + (right - left) * x - down * y)).astype(np.uint8))
        error = found.astype(float) - line
        assert (
            found.dtype == np.uint8
            and np.abs(error).max() <= 7
            and np.abs(error).mean() < 0.25
            and abs(error[line < 200].mean()) < 0.4
        ), (np.abs(error).max(), np.abs(error).mean())


def test_a_low_line_in_light_that_changes_evenly():
    """12 px high, as characters of a screen are: windows and fits have fewer rows than columns."""
    line = cv2.resize(writing(ink=60, thickness=5), (252, 12), interpolation=cv2.INTER_AREA)
    found = flattened(np.rint(line / 255 * (230 - 150 * np.arange(252) / 252)).astype(np.uint8)).astype(float)
    assert np.abs(found - line).mean() < 2 and (found[line == 255] > 250).mean() > 0.97, (
        np.abs(found - line).mean(),
        (found[line == 255] > 250).mean(),
    )


def test_a_shadow_without_noise_is_taken_away():
    """Over half of the line, at its edge within 20 px from 55 % of the light to all of it."""
    line = writing(ink=60, thickness=5)
    assert np.abs(flattened(photograph(line, paper=210, shadow=0.45)).astype(int) - line).mean() < 1.5


def test_a_stain_does_not_spoil_the_light_of_all():
    """Light that falls off to the right by half, and a stain of 50 px square: without it in the fit the
    right end comes back as it was.
    """
    line = writing(ink=60, thickness=5)
    y, x = np.mgrid[:80, :420]
    light = (
        220
        * (1 - 0.5 * ((x - 60) / 360) ** 2)
        * np.where((200 < x) & (x < 250) & (10 < y) & (y < 60), 0.7, 1)
    )
    found = flattened(np.rint(line / 255 * light).astype(np.uint8)).astype(float)
    assert np.abs(found - line)[:, 300:].mean() < 0.4 and np.abs(found - line).mean() < 1


def test_a_long_picture_is_done_in_parts_that_show_no_seam(monkeypatch):
    """Of 1,000 px with 300 on each side, it is as in one, within a grey level; and rows are done in any
    number at a time.
    """
    picture = photograph(
        np.hstack([writing(seed=seed, width=900) for seed in range(3)]), paper=190, gradient=0.3, noise=4
    )
    whole = flattened(picture).astype(int)
    monkeypatch.setattr(paper_lib, '_PIXELS_AT_ONCE', 9000)
    np.testing.assert_array_equal(flattened(picture), whole)
    monkeypatch.setattr(paper_lib, '_CHUNK_PX', 1000)
    monkeypatch.setattr(paper_lib, '_OVERLAP_PX', 300)
    parts = flattened(picture)
    assert (
        parts.shape == whole.shape
        and np.quantile(np.abs(parts - whole), 0.99) <= 1
        and np.abs(parts - whole).mean() < 0.3
    )
    assert np.abs(parts - whole)[:, [995, 999, 1000, 1004, 1999, 2000]].mean() < 0.6


def test_parts_overlap_on_both_sides(monkeypatch):
    """Columns of a picture of 2,500 px in parts of 1,000, with 300 more on each side where there are as
    many.
    """
    picture, parts = np.full((40, 2500), 120, np.uint8), []
    picture[:, ::7] = 20
    first = picture.__array_interface__['data'][0]

    def flatten(part):
        left = part.__array_interface__['data'][0] - first  # it is a view
        parts.append((left, left + part.shape[1]))
        return part

    for name, value in (('_flattened', flatten), ('_CHUNK_PX', 1000), ('_OVERLAP_PX', 300)):
        monkeypatch.setattr(paper_lib, name, value)
    np.testing.assert_array_equal(flattened(picture), picture)
    assert parts == [(0, 1300), (700, 2300), (1700, 2500)]


def test_what_white_paper_is():
    """Everywhere, but for one pixel in fifty, three tenths of the paper are at 254 or more; the square
    that is looked at has 63 px.
    """
    picture = np.full((60, 600), 254, np.uint8)
    assert has_white_paper(picture) and not has_white_paper(picture - np.uint8(1))
    # a margin: less than three tenths of the square are white up to its 11th or 13th column of 600
    for grey, expected in ((24, True), (26, False)):
        picture = np.full((60, 600), 255, np.uint8)
        picture[:, :grey] = 250
        assert has_white_paper(picture) is expected
    noise = np.random.default_rng(0).random((60, 400))
    assert has_white_paper(np.where(noise < 0.36, 254, 250).astype(np.uint8)) and not has_white_paper(
        np.where(noise < 0.26, 254, 250).astype(np.uint8)
    )
    # stripes of eight pixels in ten: paper of another grey, or ink
    for depth, expected in ((31, False), (34, True)):
        assert (
            has_white_paper(
                np.where(np.arange(400) % 10 < 8, 255 - depth, 255).astype(np.uint8)[np.newaxis].repeat(60, 0)
            )
            is expected
        )


def test_a_reduced_picture_keeps_its_aspect():
    for shape, expected, side in (
        ((200, 301), (96, 144), 49),
        ((97, 3), (96, 3), 49),
        ((500, 2), (96, 1), 49),
        ((96, 40000), (96, 16384), 49),
        ((29, 7), (29, 7), 15),
        ((32, 7), (32, 7), 17),
        ((9, 9), (9, 9), 15),
    ):
        found = reduced(np.zeros(shape, np.uint8))
        assert found.shape == expected and window(found) == side
    image = np.random.default_rng(0).integers(0, 256, (192, 40)).astype(np.uint8)
    assert (
        np.abs(reduced(image) - image.reshape(96, 2, 20, 2).mean((1, 3))).max() <= 0.51
        and reduced(image, 192) is image
    )
    assert reduced(image, 64).shape == (64, 13)


def test_broad_pale_strokes_are_found_in_strong_noise():
    """A twenty-fifth darker than paper, with noise nearly as large: it shows in the mean over a stroke's
    width, not in pixels. More than half of it is kept.
    """
    kept = []
    for seed in range(4):
        line = writing(seed=seed)
        line[56:60, 60:360] = 245
        found = flattened(photograph(line, paper=200, noise=6, seed=seed))
        kept.append((found[56:60, 60:360] < 252).mean())
    assert np.mean(kept) > 0.6, kept


def test_white_paper_stays_byte_for_byte():
    for ink, thickness in ((20, 12), (120, 2), (235, 3)):
        for height in (12, 24, 64, 200):
            line = writing(
                height=height, ink=ink, thickness=min(thickness, height // 6 + 1), width=6 * height
            )
            assert flattened(line) is line
    data = io.BytesIO()
    Image.fromarray(writing()).save(data, 'JPEG', quality=80)
    line = np.array(Image.open(data))
    assert line.min() < 60 and flattened(line) is line


@pytest.mark.parametrize('shape', [(1, 1), (1, 3000), (4, 4), (5000, 4), (4, 40000), (2000, 2000)])
def test_any_size(shape):
    noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    for picture in (noise, noise * 0, noise * 0 + 255, noise // 8 + 150):
        found = flattened(picture)
        assert found.shape == shape and found.dtype == np.uint8
        look_at(picture)


# ---- what is looked at first

LINE = writing()


@pytest.mark.parametrize(
    'picture, fault, words',
    [
        (255 - LINE, 'dark', 'ink on black'),
        (photograph(255 - LINE, paper=200, noise=4, gradient=0.3), 'dark', 'ink on black'),
        (LINE // 16, 'black', 'grey levels 3 to 15'),
        (LINE * 0, 'black', 'grey levels 0 to 0'),
        (LINE * 0 + 255, 'blank', 'no ink'),
        (photograph(LINE * 0 + 255, paper=248, noise=3), 'blank', 'no ink'),
        (LINE * 0 + 130, 'blank', 'no ink'),
        (LINE[:1, :1], 'tiny', '1 x 1 px'),
        (LINE[:3], 'tiny', '420 x 3 px, expected at least 4 x 4'),
    ],
)
def test_pictures_that_are_no_lines(picture, fault, words):
    with pytest.raises(FormatError, match=words) as raised:
        Intake(whiten=True).take(picture)
    assert raised.value.reason == fault
    with pytest.raises(FormatError) as raised:
        Intake(whiten=False).take(picture)
    assert raised.value.reason == fault


def test_pictures_that_are_lines():
    """Also where a shadow has more than half of it, and where a dash is cut closely."""
    picture, remarks = Intake(whiten=True).take(LINE)
    assert picture is LINE and remarks == ()
    half = LINE.astype(float)
    half[:, :250] *= 0.4
    dash = cv2.resize(
        cv2.line(np.full((48, 240), 255, np.uint8), (24, 30), (216, 18), 0, 31),
        (60, 12),
        interpolation=cv2.INTER_AREA,
    )
    for picture in [
        half.astype(np.uint8),
        dash,
        (dash * 0.7 + 20).astype(np.uint8),
        *(photograph(LINE, **kind) for kind in PHOTOGRAPHS.values()),
    ]:
        assert look_at(picture).fault == ''
    assert (dash < 128).mean() > 0.5


def test_what_becomes_of_dark_and_grey_pictures():
    dark, grey = 255 - LINE, photograph(LINE, paper=200, noise=3)
    assert Intake(whiten=True, dark='keep').take(dark)[1] == ('ink on black',)
    turned, remarks = Intake(whiten=True, dark='invert').take(dark)
    assert remarks == ('inverted',) and np.array_equal(turned, LINE)
    kept, remarks = Intake(whiten=False).take(grey)
    assert remarks == ('grey paper',) and kept is grey
    white, remarks = Intake(whiten=True).take(grey)
    assert remarks == ('grey paper',) and np.median(white) == 255
    slate = photograph(255 - LINE, paper=200) + np.uint8(40)  # chalk on a grey board: it is both
    white, remarks = Intake(whiten=True, dark='invert').take(slate)
    assert remarks == ('inverted', 'grey paper') and np.median(white) == 255
    with pytest.raises(ValueError, match="dark='x': expected one of refuse, invert, keep"):
        Intake(whiten=True, dark='x')


@pytest.mark.parametrize('side', ['left', 'right'])
def test_writing_beside_a_black_edge_stays(side):
    """The lid of a scanner, 32 px of black beside a line on white paper: all of its ink is still there."""
    line, black = writing(seed=3), np.zeros((80, 32), np.uint8)
    found = flattened(np.hstack([black, line] if side == 'left' else [line, black]))
    kept = found[:, 32:] if side == 'left' else found[:, :-32]
    inked = line < 110
    assert (kept[inked] < 110).mean() > 0.99


def test_paper_in_a_deep_shadow_is_whiter_for_the_limit(monkeypatch):
    """The light of paper is not taken for less than 0.4 of the brightest: in a shadow that leaves 0.3 of it
    more of the paper becomes white so (measured on six pictures: 0.86 of it, 0.81 without the limit).
    """

    def white():
        shares = []
        for seed in range(6):
            line = writing(seed=seed)
            found = flattened(photograph(line, paper=210, shadow=0.7, noise=2, seed=seed))
            shares.append((found[line == 255] > 250).mean())
        return np.mean(shares)

    limited = white()
    monkeypatch.setattr(paper_lib, '_DEEPEST_SHADOW', 0.0)
    assert limited > 0.84 and limited - white() > 0.03
