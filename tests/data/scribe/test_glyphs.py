"""Thinning and the two distance fields."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from hwgen.data.scribe import fonts, glyphs

FONTS = fonts.default_fonts('chinese', '2.0') + fonts.partial_fonts('chinese', '2.0')
EIGHT = np.ones([3, 3])


def drawn(field, *, brush, half_width_px=0.0, swell_px=0.0):
    """The formula of the module, in px of the field."""
    outline, path = np.moveaxis((field.astype(float) - glyphs.ZERO) * glyphs.STEP_PX, -1, 0)
    return (1 - brush) * (half_width_px + path) + brush * (outline + swell_px) > 0


def test_thin_bar_becomes_a_line():
    bar = np.zeros([21, 61], bool)
    bar[6:15, 10:51] = True
    path = glyphs.thin(bar)
    assert path[:, 20:41].sum(0).tolist() == [1] * 21
    assert abs(np.nonzero(path[:, 20:41])[0].mean() - 10) <= 1
    assert 30 <= path.sum() <= 41


@pytest.mark.parametrize('character', '国湖餐龙鱼口')
@pytest.mark.parametrize('name', FONTS)
def test_thin_keeps_pieces_and_holes(name, character):
    ink = fonts.font_for(name, character).mask(character, em_px=96, pad_px=16) > 127
    path = glyphs.thin(ink)
    assert not (path & ~ink).any()
    assert ndimage.label(path, EIGHT)[1] == ndimage.label(ink, EIGHT)[1]
    # paper is connected over edges where ink is over corners
    assert ndimage.label(~path)[1] == ndimage.label(~ink)[1]
    assert not ndimage.binary_erosion(path, np.ones([2, 2])).any() or path.sum() < ink.sum() / 3
    np.testing.assert_array_equal(glyphs.thin(path), path)


@pytest.mark.parametrize('name', FONTS)
def test_full_brush_is_the_font(name):
    ink = fonts.open_font(name).mask('想', em_px=glyphs.EM_PX, pad_px=glyphs.PAD_PX) > 127
    again = drawn(glyphs.fields(name, '想'), brush=1)
    assert (ink & again).sum() / (ink | again).sum() > 0.88  # the field is smoothed: corners are rounded
    bolder = drawn(glyphs.fields(name, '想'), brush=1, swell_px=1)
    assert bolder.sum() > 1.15 * again.sum() and (bolder | ~again).all()


@pytest.mark.parametrize('half_width', [1.5, 2.5, 3.5])
def test_pen_has_the_width_asked_for(half_width):
    widths = []
    for name in FONTS:
        strokes = drawn(glyphs.fields(name, '一'), brush=0, half_width_px=half_width)
        columns = np.flatnonzero(strokes.any(0))
        middle = strokes[:, columns[len(columns) // 4 : -len(columns) // 4]]
        widths.append(middle.sum(0).mean())
    # The path runs through the middles of pixels and is smoothed, which takes a little; strokes that rise
    # look wider upright.
    np.testing.assert_allclose(widths, 2 * half_width, atol=1)


def test_fields_are_kept_and_cannot_be_changed():
    field = glyphs.fields('long-cang', '明')
    assert field is glyphs.fields('long-cang', '明')
    assert field.shape == (glyphs.SIDE_PX, glyphs.SIDE_PX, 2) and field.dtype == np.uint8
    with pytest.raises(ValueError, match='read-only'):
        field[0, 0] = 0


def test_fallback_space_and_unknown():
    np.testing.assert_array_equal(glyphs.fields('caveat', '鱼'), glyphs.fields(fonts.FALLBACK, '鱼'))
    # the first fallback lacks it
    np.testing.assert_array_equal(glyphs.fields('caveat', '說'), glyphs.fields('kose', '說'))
    assert glyphs.fields('caveat', ' ') is None
    with pytest.raises(ValueError, match='U\\+AC00'):
        glyphs.fields('caveat', '가')


def test_removable_table_against_its_definition():
    """Zhang and Suen's conditions (a) to (d) by hand for a corner: P1 with ink only north, north-east and
    east may go in the first sub-step.
    """
    code = 1 + 2 + 4  # B = 3, A = 1, P2 P4 P6 = 1 1 0 -> 0, P4 P6 P8 = 1 0 0 -> 0
    assert glyphs._REMOVABLE[0, code] == 255
    assert glyphs._REMOVABLE[0, 0b00000001] == 0  # an end stays
    assert glyphs._REMOVABLE[0, 0b00010001] == 0  # a bridge between north and south stays
    assert glyphs._REMOVABLE[1, 0b11111111] == 0  # the inside stays
    ink = np.zeros([3, 3], np.uint8)
    ink[0, 1] = ink[0, 2] = ink[1, 2] = 1
    assert cv2.filter2D(ink, cv2.CV_8U, glyphs._NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)[1, 1] == code


def thinned(ink):
    """Zhang and Suen (CACM 27:3, 1984) as they state it, pixel by pixel, all of a sub-step at once."""
    ink = ink.copy()
    while True:
        before = ink.copy()
        for first in (True, False):
            gone = []
            for y, x in np.argwhere(ink):
                p2, p3, p4, p5, p6, p7, p8, p9 = (
                    int(ink[y + dy, x + dx])
                    for dy, dx in ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
                )
                ring = [p2, p3, p4, p5, p6, p7, p8, p9, p2]
                if (
                    2 <= sum(ring[:8]) <= 6
                    and sum(a == 0 and b == 1 for a, b in zip(ring, ring[1:])) == 1
                    and (
                        p2 * p4 * p6 == 0 and p4 * p6 * p8 == 0
                        if first
                        else p2 * p4 * p8 == 0 and p2 * p6 * p8 == 0
                    )
                ):
                    gone.append((y, x))
            for place in gone:
                ink[place] = False
        if (ink == before).all():
            return ink


def test_thinning_is_zhang_and_suens():
    rng = np.random.default_rng(0)
    for blur in (1.0, 1.6):
        ink = ndimage.gaussian_filter(rng.normal(size=(40, 44)), blur) > 0
        ink[[0, -1]] = ink[:, [0, -1]] = False
        np.testing.assert_array_equal(glyphs.thin(ink), thinned(ink))


def test_both_fields_are_distances_in_eighths_of_a_pixel(monkeypatch):
    """Of a wide bar, against SciPy's exact distances; what reaches the edge of the picture is cut off
    there.
    """
    mask = np.zeros([glyphs.SIDE_PX] * 2, np.uint8)
    mask[50:70, 20:110], mask[70:72, 20:110], mask[0:30, 60:64] = 255, 127, 255

    class Drawn:
        def mask(self, character, *, em_px, pad_px):
            assert (character, em_px, pad_px) == ('丨', 96, 16)
            return mask

    monkeypatch.setattr(glyphs, 'font_for', lambda name, character: Drawn())
    outline, path = np.moveaxis(glyphs.fields('none', '丨').astype(float) - 128, -1, 0) / 8
    ink = mask > 127
    ink[0] = False
    signed = ndimage.distance_transform_edt(ink) - ndimage.distance_transform_edt(~ink)
    np.testing.assert_allclose(
        outline[40:90, 30:56],
        np.clip(ndimage.gaussian_filter(signed, 0.7), -16, 127 / 8)[40:90, 30:56],
        atol=0.15,
    )
    away = ndimage.distance_transform_edt(~thinned(ink))
    np.testing.assert_allclose(
        path[40:90, 30:56], np.clip(-ndimage.gaussian_filter(away, 1.2), -16, 16)[40:90, 30:56], atol=0.25
    )
    # On the path itself, to a step: what a Gaussian leaves of a ridge.
    np.testing.assert_allclose(
        path[40:90, 35:56].max(0),
        -ndimage.gaussian_filter1d(np.abs(np.arange(-20.0, 21)), 1.2)[20],
        atol=0.07,
    )
    assert outline[60, 40] > 9 and outline.min() == -16 and path.max() <= 0 and path[1:20, 61:63].max() > -1.2
    glyphs.fields.cache_clear()


def test_the_smallest_dot_is_ink(monkeypatch):
    mask = np.zeros([glyphs.SIDE_PX] * 2, np.uint8)
    mask[60:62, 60:63] = 128
    monkeypatch.setattr(
        glyphs,
        'font_for',
        lambda name, character: type('', (), {'mask': lambda self, character, **options: mask})(),
    )
    assert glyphs.fields('dot', '.')[60, 61, 0] > 128
    mask[mask > 0] = 127
    assert glyphs.fields('dust', '.') is None
    glyphs.fields.cache_clear()


def test_distances_are_kept_in_steps_and_limits():
    np.testing.assert_array_equal(
        glyphs._quantized(np.array([0.0, 0.125, -0.125, 1.0, 0.06, 0.07, 99.0, -99.0])),
        [128, 129, 127, 136, 128, 129, 255, 0],
    )
