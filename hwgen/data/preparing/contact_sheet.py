"""A sheet of small pictures to look at: what was read, of many hands."""

import itertools
import os
from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from hwgen.data.reading.shards import RecordIndex, read_info

WIDTH_PX = 1200
ROW_PX = 64
_PAPER = 225  # light grey, so that the edges of the pictures show
_GAP_PX = 4


def sheet_of_writers(
    folder: str | os.PathLike[str], firsts: Iterable[tuple[str, int]], *, most: int
) -> np.ndarray:
    """A sheet of lines of a folder of records, of as many writers as fit.

    Args:
        folder: path of the folder, with info.json.
        firsts: iterable of (split, number of a record), one of each writer.
        most: int, pictures on the sheet; further lines fill it where there are fewer writers.

    Returns:
        uint8 [H, 1200].
    """
    chosen = list(itertools.islice(firsts, most))
    indices = {split: RecordIndex(folder, split=split) for split in read_info(folder)['splits']}
    everything = ((split, i) for split, index in indices.items() for i in range(len(index)))
    taken = set(chosen)
    chosen += itertools.islice((place for place in everything if place not in taken), most - len(chosen))
    pictures = [small(indices[split].read_record(i).image) for split, i in chosen]
    for index in indices.values():
        index.close()
    return draw_sheet(pictures)


def small(image: np.ndarray) -> np.ndarray:
    """An image as large as a sheet takes it.

    Args:
        image: uint8 [H, W].

    Returns:
        uint8 [H <= 64, W <= 1200], the aspect kept.
    """
    scale = min(1, ROW_PX / image.shape[0], WIDTH_PX / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def draw_sheet(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures in rows, on light grey.

    Args:
        pictures: list of uint8 [H, W <= 1200], at least one; see `small`.

    Returns:
        uint8 [H, 1200].
    """
    rows: list[list[tuple[int, np.ndarray]]] = []
    row: list[tuple[int, np.ndarray]] = []  # pictures and where they begin
    used = 0
    for picture in pictures:
        if row and used + picture.shape[1] + _GAP_PX > WIDTH_PX:
            rows.append(row)
            row, used = [], 0
        row.append((used, picture))
        used += picture.shape[1] + _GAP_PX
    rows.append(row)
    height = sum(max(picture.shape[0] for _, picture in row) + _GAP_PX for row in rows)
    sheet, top = np.full((height, WIDTH_PX), _PAPER, np.uint8), 0
    for row in rows:
        for left, picture in row:
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        top += max(picture.shape[0] for _, picture in row) + _GAP_PX
    return sheet
