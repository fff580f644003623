"""A sheet of small pictures to look at: what was read, of many hands."""

import cv2
import numpy as np

WIDTH_PX = 1200
ROW_PX = 64
_PAPER = 225  # light grey, so that the edges of the pictures show
_GAP_PX = 4


class ContactSheet:
    """Keeps the first picture of each of several writers, and further ones where there are few writers.

    Args:
        most: int, pictures on the sheet.
    """

    def __init__(self, most):
        self._most, self._writers = most, set()
        self._first, self._further = [], []

    def wants(self, writer):
        """Whether a picture of this writer would be kept."""
        return len(self._first) < self._most and (writer not in self._writers or len(self._further) < self._most)

    def add(self, image, *, writer):
        """Keeps a picture where there is room for it.

        Args:
            image: uint8 [H, W], 255 = paper.
            writer: str.
        """
        if self.wants(writer):
            (self._further if writer in self._writers else self._first).append(small(image))
            self._writers.add(writer)

    def draw(self):
        """uint8 [H, W] of the sheet, or None where nothing was added; first pictures of writers come first."""
        pictures = (self._first + self._further)[:self._most]
        return draw_sheet(pictures) if pictures else None


def small(image):
    """An image as large as a sheet takes it.

    Args:
        image: uint8 [H, W].

    Returns:
        uint8 [H <= 64, W <= 1200], the aspect kept.
    """
    scale = min(1, ROW_PX / image.shape[0], WIDTH_PX / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def draw_sheet(pictures):
    """Pictures in rows, on light grey.

    Args:
        pictures: list of uint8 [H, W <= 1200], at least one; see `small`.

    Returns:
        uint8 [H, 1200].
    """
    rows, row, used = [], [], 0
    for picture in pictures:
        if row and used + picture.shape[1] + _GAP_PX > WIDTH_PX:
            rows.append(row)
            row, used = [], 0
        row.append((used, picture))
        used += picture.shape[1] + _GAP_PX
    rows.append(row)
    height = sum(max(p.shape[0] for _, p in row) + _GAP_PX for row in rows)
    sheet, top = np.full((height, WIDTH_PX), _PAPER, np.uint8), 0
    for row in rows:
        for left, picture in row:
            sheet[top:top + picture.shape[0], left:left + picture.shape[1]] = picture
        top += max(p.shape[0] for _, p in row) + _GAP_PX
    return sheet
