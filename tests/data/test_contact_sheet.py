"""The sheet of small pictures: where each of them lies, by hand."""

import numpy as np
import pytest

from hwgen.data.preparing.contact_sheet import draw_sheet, sheet_of_writers, small
from hwgen.data.reading import shards


@pytest.mark.parametrize(
    'shape, expected',
    [
        ((128, 100), (64, 50)),
        ((64, 1200), (64, 1200)),
        ((65, 13), (64, 13)),
        ((10, 3000), (4, 1200)),
        ((1, 5000), (1, 1200)),
        ((5000, 1), (64, 1)),
        ((20, 30), (20, 30)),
        ((128, 2401), (64, 1200)),
    ],
)
def test_a_picture_is_as_large_as_a_row_takes(shape, expected):
    assert small(np.zeros(shape, np.uint8)).shape == expected


def test_a_smaller_picture_is_the_mean_over_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (128, 60)).astype(np.uint8)
    assert np.abs(small(image) - image.reshape(64, 2, 30, 2).mean((1, 3))).max() <= 0.51


def grey(width, height, level):
    return np.full((height, width), level, np.uint8)


def test_rows_are_filled_to_the_last_pixel():
    """600 + 4 + 592 + 4 px are a row; 593 are one too many.

    Each row is as high as its highest picture, and 4 px.
    """
    sheet = draw_sheet(
        [grey(600, 20, 10), grey(592, 50, 20), grey(600, 30, 30), grey(593, 7, 40), grey(599, 64, 50)]
    )
    assert sheet.dtype == np.uint8 and sheet.shape == (54 + 34 + 68, 1200)
    expected = np.full(sheet.shape, 225)
    expected[:20, :600], expected[:50, 604:1196] = 10, 20
    expected[54:84, :600] = 30
    expected[88:95, :593], expected[88:152, 597:1196] = 40, 50
    np.testing.assert_array_equal(sheet, expected)


def test_rows_with_a_gap_after_the_last_picture():
    """A picture that fits without its gap begins another row; a single one of the whole width is a row,
    and none before it is empty.
    """
    sheet = draw_sheet([grey(1200, 10, 1), grey(1198, 10, 2), grey(2, 10, 3)])
    assert sheet.shape == (42, 1200) and sheet[[0, 14, 28], 0].tolist() == [1, 2, 3]


def test_the_first_of_each_writer_then_the_others_of_all_splits(tmp_path, write_folder, make_record):
    lines = [make_record(i, 1, image=np.full((10, 10), 10 * i, np.uint8)) for i in range(6)]
    folder = write_folder(tmp_path / 'greys', lines[:4], num_shards=2)
    train = shards.read_info(folder)['splits']
    write_folder(folder, lines[4:], split='test', num_shards=1)
    info = shards.read_info(folder)
    shards.write_info(folder, {**info, 'splits': train | info['splits']})
    firsts = [('test', 1), ('train', 2)]
    for most, expected in (
        (1, [50, 225]),
        (2, [50, 20, 225]),
        (4, [50, 20, 0, 10, 225]),
        (9, [50, 20, 0, 10, 30, 40, 225]),
    ):
        assert (
            sheet_of_writers(folder, iter(firsts), most=most)[5, 5 : 14 * len(expected) : 14].tolist()
            == expected
        )
