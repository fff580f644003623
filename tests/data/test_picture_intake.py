"""Pictures at first sight: where the limits lie, worked out for pictures of a few levels."""

import collections

import numpy as np
import pytest

from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing import picture_intake
from hwgen.data.preparing.picture_intake import (
    Intake,
    Look,
    intake_settings,
    look_at,
    look_at_character,
    look_soon,
    told,
)


def white(height=40, width=100, level=255):
    return np.full((height, width), level, np.uint8)


def inked(pixels, *, level=0, paper=255, height=40, width=100):
    """Paper with so many pixels of ink in its middle, three rows high."""
    image = white(height, width, paper)
    columns = -(-pixels // 3)
    image[18:21, 30 : 30 + columns] = level
    image[20, 30 + columns - (3 * columns - pixels) : 30 + columns] = paper
    return image


# ---- faults


def test_four_pixels_are_the_least():
    for shape, fault in (((4, 50), 'blank'), ((50, 4), 'blank'), ((3, 50), 'tiny'), ((50, 3), 'tiny')):
        assert look_at(white(*shape)).fault == fault
    assert (
        look_at(white(50, 3)).words == 'a picture of 3 x 50 px, expected at least 4 x 4'
        and look_at(white(50, 3)).grey_paper is False
    )


def test_what_is_nearly_black_all_over():
    """Below 40 at 95 of 100 pixels is black, unless one in 500 is as light as 80: light ink on black."""
    for level, fault in ((39, 'black'), (41, 'blank')):
        assert look_at(white(level=level)).fault == fault
    found = look_at(white(level=39))
    assert found == Look(
        'black', 'a black picture (grey levels 39 to 39), expected dark ink on light paper', True
    )
    assert (
        look_at(inked(150, level=79, paper=10)).fault == 'black'
        and look_at(inked(150, level=120, paper=10)).fault == 'dark'
    )
    assert look_at(inked(270, level=79, paper=10, width=130)).fault != 'black', 'one in 19'
    assert (
        look_at(inked(6, level=255, paper=10)).fault == 'black'
        and look_at(inked(12, level=255, paper=10)).fault != 'black'
    ), 'six or twelve pixels of 4,000'


def test_light_ink_on_dark_paper_is_dark_in_both_places():
    """Around ink and along the edge: a dark frame around white paper is no dark paper."""
    found = look_at(inked(180, level=250, paper=60))
    assert found == Look(
        'dark', 'ink on black? (grey levels 60 to 250), expected dark ink on light paper', False
    )
    assert look_at(inked(180, level=60, paper=250)).fault == ''
    framed = inked(180, level=60, paper=250)
    framed[[0, -1]] = framed[:, [0, -1]] = 60
    assert look_at(framed).fault == ''
    # of 280 pixels along the edge 102 are light, and nine or ten more: from four tenths on it is not dark
    for more, fault in ((8, 'dark'), (9, 'blank')):
        image = inked(180, level=250, paper=60)
        image[0] = image[-1, :more] = 250
        assert look_at(image).fault == fault


@pytest.mark.parametrize('grey, fault', [(110, 'dark'), (140, '')])
def test_paper_is_dark_where_it_is_nearer_to_black_than_to_white(grey, fault):
    """With black strokes and white ones in reach of each other everywhere."""
    picture = white(60, 300, grey)
    for left in range(10, 280, 12):
        picture[6:54, left : left + 3], picture[6:54, left + 6 : left + 9] = 250, 0
    assert look_at(picture).fault == fault


def test_chalk_on_a_board_with_a_white_label_is_dark():
    """Chalk that is .41 as strong as the label's black on white counts as ink; the label alone would be
    light.
    """
    board = white(96, 400, 60)
    for row in range(10, 90, 16):
        board[row : row + 3, 5:290] = 140
    board[8:88, 300:390] = 255
    board[40:44, 310:380] = 0
    assert look_at(board).fault == 'dark' and look_at(board[:, 296:394]).fault == ''


def test_what_has_no_ink():
    """Four pixels of it, 12 grey levels below white paper, are enough; specks of one pixel are none."""
    for pixels, level, fault in ((9, 0, ''), (9, 200, ''), (0, 0, 'blank'), (9, 250, 'blank')):
        assert look_at(inked(pixels, level=level)).fault == fault, (pixels, level)
    dot = white()
    dot[20:22, 50:52] = 0
    assert look_at(dot).fault == ''
    dot[21, 51] = 255
    assert look_at(dot).fault == 'blank', 'three pixels'
    assert look_at(inked(9, level=242)).fault == '' and look_at(inked(9, level=245)).fault == 'blank'
    assert look_at(inked(9, level=250)) == Look(
        'blank', 'no ink (grey levels 250 to 255), expected some on the paper', False
    )


def test_a_photograph_of_paper_asks_for_more_ink():
    """On grey paper twice the depth, and a pixel in 2,000."""
    assert look_at(inked(90, level=100, paper=180)) == Look('', '', True)
    for share in (0.95, 0.8):  # of 180: 13 and 51 levels of 255
        assert look_at(inked(90, level=round(180 * share), paper=180)).fault == (
            'blank' if share == 0.95 else ''
        )
        assert look_at(inked(90, level=round(255 * share))).fault == ''
    wide = white(90, 900, 180)
    wide[40:44, 300:306] = 60
    assert look_at(wide).fault == 'blank', '24 of 81,000 pixels'
    wide[40:46, 300:312] = 60
    assert look_at(wide).fault == ''


# ---- sooner


def test_a_line_of_a_collection_that_is_white_with_ink_for_sure_is_looked_at_no_closer(monkeypatch):
    asked = []
    monkeypatch.setattr(
        picture_intake, 'look_at', lambda image: asked.append(image) or Look('black', 'asked', True)
    )

    def closer(image):
        asked.clear()
        found = look_soon(image)
        assert found == (Look('black', 'asked', True) if asked else Look('', '', False))
        return bool(asked)

    assert not closer(inked(20, level=199)) and closer(inked(19, level=199)) and closer(inked(30, level=200))
    grey = inked(30)
    # 400 px a twelfth of ... of 4,000: more than seven tenths are white
    for rows, found in ((11, False), (12, True)):
        grey = white()
        grey[:rows] = 100
        assert closer(grey) is found
    assert not closer(inked(30, paper=254)) and closer(inked(30, paper=253))
    assert closer(np.where(np.arange(200) < 150, 255, 0).astype(np.uint8).reshape(50, 4)[:, :3])
    assert not closer(np.where(np.arange(200) < 150, 255, 0).astype(np.uint8).reshape(50, 4))


def test_a_character_is_blank_where_all_of_it_is_light():
    assert look_at_character(white(level=128)) == Look(
        'blank', 'no ink (all of grey level 128), expected some on the paper', False
    )
    for image in (white(level=127), white(level=0), inked(3, level=254)):
        assert look_at_character(image) == Look('', '', False)


# ---- what becomes of them


def test_refused_pictures_say_what_may_be_done():
    for whiten in (True, False):
        with pytest.raises(
            FormatError,
            match=(
                '^ink on black.*; --dark=invert turns such pictures over, --dark=keep takes them as they are$'
            ),
        ):
            Intake(whiten=whiten).take(inked(180, level=250, paper=60))
        for dark in ('refuse', 'invert', 'keep'):
            with pytest.raises(FormatError, match='expected some on the paper$') as raised:
                Intake(whiten=whiten, dark=dark).take(white())
            assert raised.value.reason == 'blank'


def test_a_dark_picture_is_turned_over_once_and_looked_at_again():
    dark = inked(180, level=255, paper=60)
    image, remarks = Intake(whiten=False, dark='invert').take(dark)
    assert remarks == ('inverted', 'grey paper') and np.array_equal(image, 255 - dark.astype(int))
    image, remarks = Intake(whiten=True, dark='keep').take(dark)
    assert image is dark and remarks == ('ink on black',)
    light = inked(180, level=60)
    assert (
        Intake(whiten=True, dark='invert').take(light) == (light, ())
        and Intake(whiten=False, dark='keep').take(light)[0] is light
    )


def test_settings_are_said_where_pictures_are_changed():
    assert intake_settings(whiten=False, dark='refuse') == {} and intake_settings(
        whiten=True, dark='refuse'
    ) == {'paper': 'flattened'}
    assert intake_settings(whiten=False, dark='keep') == {'dark': 'keep'}
    assert intake_settings(whiten=True, dark='invert') == {'paper': 'flattened', 'dark': 'invert'}


def test_remarks_are_told_in_their_order():
    remarks = collections.Counter({'ink on black': 1, 'inverted': 2, 'grey paper': 3})
    assert list(told(remarks, total=9, whitened=True)) == [
        '3 of 9 pictures with grey paper: made white (--keep_paper keeps it)',
        '2 of 9 pictures of ink on black: turned over',
        '1 of 9 pictures of ink on black: kept as they are',
    ]
    assert list(told(collections.Counter({'grey paper': 3}), total=9, whitened=False)) == [
        '3 of 9 pictures with grey paper: kept, look at the sheet'
    ]
