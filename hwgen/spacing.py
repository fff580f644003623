"""Lines as their characters stand, one by one in cells: what lies between two characters is cut through the
middle, and each piece is set into the middle of its cell at the line's own scale.

A line that is scaled as a whole to so many equal cells has a comma stretched or a wide character squeezed,
and most characters beside their cell; what of it is due to place would have to be learned as noise. Here a
piece keeps its shape, and how much room it took along the line is a number of its own, its *advance*.
"""

import cv2
import numpy as np

from hwgen.images import resize_line

_NEAR = 0.1  # of the line's height: how far from the middle between two boxes a cut may go for less ink
_LEAST_PX = 2  # of a character's piece, at the line's height
_WIDEST_GAP = 0.15  # of the line's height: wider gaps do not widen the ends of a line
_SINGLE_GAP = 0.08  # of the line's height, around a character that stands alone
# Of the parting by expected room, chosen on 400 lines of the embedded corpus 2.0 (split train); columns are
# counted at `_HEIGHT_PX`, and costs are halves of squared deviations in spreads.
_HEIGHT_PX = 48  # of the line, while cuts are looked for
_BLANK = 0.015  # of a column that is no ink
_ON_ADVANCE, _ON_INK = 0.5, 0.2  # weights of what a piece and its ink deviate from what is expected
_ON_CUT = 100.0  # of the ink that is cut through
_ON_GAP, _WIDEST = 10.0, 0.3  # of a gap's width, in advances of a hanzi, and up to which
_LEAST_SPREAD = 0.08
_ANY = (1.0, 0.82, 0.25, 0.25)  # of a character that nobody knows: advance, ink, and their spreads
_EVERY_PX = 2  # columns that may be cut where there is ink
_FARTHEST = 2.5  # pieces wider than so many times what is expected are not looked at


def part_line(
    image: np.ndarray,
    num_characters: int,
    boxes: np.ndarray | None = None,
    *,
    room: np.ndarray | None = None,
) -> np.ndarray:
    """Where the characters of a line begin and end.

    Args:
        image: uint8 [H, W], 255 = paper.
        num_characters: int, N.
        boxes: int [N, 4] px x0, y0, x1, y1 of each character in the image; None: unknown, then the line is
            parted by its ink (`part_by_ink`).
        room: float [N, 4] of `charset.widths.expected_room`, what part_by_ink expects of each character;
            None: the same of all.

    Returns:
        float64 [N + 1] px, ascending: character i has the columns from number i to number i + 1.
    """
    height, width = image.shape
    if boxes is None:
        return part_by_ink(image, even_room(num_characters) if room is None else room)
    left, right = boxes[:, 0].astype(float), boxes[:, 2].astype(float)
    gaps = left[1:] - right[:-1]
    gap = float(np.median(gaps)) if gaps.size else _SINGLE_GAP * height
    margin = np.clip(gap, 0.0, _WIDEST_GAP * height) / 2
    ink = _ink(image)
    edges = [
        left[0] - margin,
        *(_least_ink(ink, place, _NEAR * height) for place in (left[1:] + right[:-1]) / 2),
        right[-1] + margin,
    ]
    return _ascending(np.clip(edges, 0.0, width), width)


def even_room(num_characters: int) -> np.ndarray:
    """What is expected of characters that nobody knows, as wide as hanzi are on the mean: float64 [N, 4]."""
    return np.tile(np.array(_ANY), (num_characters, 1))


def part_by_ink(image: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Where the characters of a line begin and end where nobody knows: the cheapest of all ways to cut it, by
    dynamic programming. A way costs what its pieces and their ink differ from the width that is expected,
    and the ink that it cuts through; wide gaps are cut rather than narrow ones. The scale is the line's own;
    its ends are its first and last ink.

    Args:
        image: uint8 [H, W], 255 = paper.
        room: float [N, 4], of each character advance, width of the ink, and the spread of both, in one unit.

    Returns:
        As of `part_line`.
    """
    n, (height, width) = len(room), image.shape
    columns = max(2 * n, round(width * _HEIGHT_PX / height))
    how = cv2.INTER_AREA if columns < width else cv2.INTER_LINEAR
    ink = cv2.resize(_ink(image)[np.newaxis], (columns, 1), interpolation=how)[0]
    found = np.flatnonzero(ink > _BLANK)
    first, last = (found[0], found[-1] + 1) if found.size else (0, columns)
    margin = max(1, round(_SINGLE_GAP / 2 * _HEIGHT_PX))
    ends = max(0, first - margin), min(columns, last + margin)
    if ends[1] - ends[0] < 2 * n:
        ends = 0, columns
    cuts = _Cuts(ink, ends, needed=2 * n, in_blanks=bool((room[:, 1] == 0).any()))
    ends_blank = (room[0, 0] - room[0, 1] + room[-1, 0] - room[-1, 1]) / 2
    scale = (last - first) / max(room[:, 0].sum() - ends_blank, 1e-6)
    edges = cuts.cheapest(room, scale, margin) * (width / columns)
    return _ascending(edges, width)


class _Cuts:
    """Where a line may be cut, and what lies between two cuts.

    Args:
        ink: float [W], share of ink of each column.
        ends: the first and the last border; border x lies before column x.
        needed: as many places at least, or every border is one.
        in_blanks: paper may be cut anywhere, for characters without ink; else in the middle of each gap.
    """

    def __init__(self, ink: np.ndarray, ends: tuple[int, int], *, needed: int, in_blanks: bool):
        borders, there = np.arange(len(ink) + 1), ink > _BLANK
        beside = np.pad(ink, 1)
        beside = (beside[:-1] + beside[1:]) / 2
        inked = np.where(there, borders[:-1], len(ink))
        after = np.append(np.minimum.accumulate(inked[::-1])[::-1], len(ink))  # the next column with ink
        before = np.insert(
            np.maximum.accumulate(np.where(there, borders[:-1], -1)) + 1, 0, 0
        )  # behind the last
        blank = after > before
        around = np.pad(beside, 1, constant_values=np.inf)
        least = (beside <= around[:-2]) & (beside <= around[2:])
        may = np.where(
            blank & (not in_blanks),
            borders == (after + before) // 2,
            least & ~blank | (borders % _EVERY_PX == 0),
        )
        places = borders[may & (borders > ends[0]) & (borders < ends[1])]
        if len(places) < needed:
            places = np.arange(ends[0] + 1, ends[1])
        self.places = np.concatenate([ends[:1], places, ends[1:]])
        self._beside = beside[self.places]
        self._gaps = ((after - before) * blank)[self.places]
        self._after, self._before = after[self.places], before[self.places]

    def cheapest(self, room: np.ndarray, scale: float, margin: int) -> np.ndarray:
        """The cheapest edges, float64 [N + 1], in columns; see `part_by_ink`.

        Args:
            room: float [N, 4]; scale: columns of its unit; margin: columns before the first and behind the
                last ink.
        """
        span = float(self.places[-1] - self.places[0])
        reach = max(_FARTHEST * scale * float(room[:, 0].max()), 1.5 * span / len(room))
        edges = self._cheapest_within(room, scale, margin, reach)
        if edges is None:  # a gap wider than any piece that was looked at
            edges = self._cheapest_within(room, scale, margin, span)
        return np.linspace(self.places[0], self.places[-1], len(room) + 1) if edges is None else edges

    def _cheapest_within(self, room, scale, margin, reach):
        """As `cheapest`, of pieces that are no wider than `reach`; None: there is no such way."""
        places, n = self.places, len(room)
        number = np.arange(len(places))
        back = 1 + np.arange((number - np.searchsorted(places, places - reach)).max())
        start = number[:, np.newaxis] - back  # [places, places before]
        known = start >= 0
        start = np.maximum(start, 0)
        width = (places[:, np.newaxis] - places[start]) / scale
        known &= width * scale <= reach
        inked = np.maximum(self._before[:, np.newaxis] - self._after[start], 0) / scale
        through = _ON_CUT * self._beside - _ON_GAP * np.minimum(self._gaps / scale, _WIDEST)
        spreads = np.maximum(room[:, 2:], _LEAST_SPREAD)
        cost, ways = np.where(number == 0, 0.0, np.inf), []
        for i, (advance, own_ink, _, _) in enumerate(room):
            # the ends of a line are not in the middle of a gap, but beside the ink
            cut_off = ((advance - own_ink) / 2 - margin / scale) * ((i == 0) + (i == n - 1))
            total = cost[start] + _ON_ADVANCE / 2 * np.square((width + cut_off - advance) / spreads[i, 0])
            total += _ON_INK / 2 * np.square((inked - own_ink) / spreads[i, 1])
            total[~known] = np.inf
            way = total.argmin(1)
            ways.append(start[number, way])
            cost = total[number, way] + (through if i < n - 1 else 0.0)
        if not np.isfinite(cost[-1]):
            return None
        at = [len(places) - 1]
        for way in reversed(ways):
            at.append(way[at[-1]])
        return places[at[::-1]].astype(np.float64)


def _ink(image):
    """How much of each column is ink: float64 [W], 0 to 1."""
    return (255.0 - image.astype(np.float64)).sum(0) / 255.0 / image.shape[0]


def _least_ink(ink, place, reach):
    """A border between two columns near a place where there is little ink on either side; of equal ones the
    nearest.
    """
    borders = np.arange(max(1, int(np.ceil(place - reach))), min(len(ink) - 1, int(place + reach)) + 1)
    if not borders.size:
        return place
    beside = (ink[borders - 1] + ink[borders]) / 2
    away = np.abs(borders - place) / reach
    return float(borders[np.argmin(beside + 0.05 * away**2)])


def _ascending(edges, width):
    """Edges in ascending order with at least a pixel between them, as far as the width allows."""
    least = min(1.0, width / max(1, len(edges) - 1))
    for i in range(1, len(edges)):
        edges[i] = max(edges[i], edges[i - 1] + least)
    over = edges[-1] - width
    return edges if over <= 0 else np.minimum(edges, width - least * np.arange(len(edges) - 1, -1, -1))


def space_line(
    image: np.ndarray,
    num_characters: int,
    boxes: np.ndarray | None = None,
    *,
    char_px: int,
    char_width_px: int,
    room: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A line with each character in the middle of its own cell.

    Args:
        image: uint8 [H, W], 255 = paper.
        num_characters: int, N.
        boxes, room: see `part_line`.
        char_px, char_width_px: int, height and width of a cell.

    Returns:
        float32 [char_px, N * char_width_px] in [-1, 1], paper +1: pieces at the scale of the line's height,
            those wider than a cell squeezed to it;
        float32 [N], advances: the room each character took along the line, in heights of the line.
    """
    edges = part_line(image, num_characters, boxes, room=room) * (char_px / image.shape[0])
    scaled = resize_line(
        image, height_px=char_px, width_px=max(1, round(image.shape[1] * char_px / image.shape[0]))
    )
    bounds = np.rint(edges).astype(int)
    cells = np.ones((char_px, num_characters * char_width_px), np.float32)
    for i in range(num_characters):
        piece = scaled[:, bounds[i] : bounds[i + 1]]
        if not piece.shape[1]:
            continue
        if piece.shape[1] > char_width_px:
            piece = cv2.resize(piece, (char_width_px, char_px), interpolation=cv2.INTER_AREA)
        start = i * char_width_px + (char_width_px - piece.shape[1]) // 2
        cells[:, start : start + piece.shape[1]] = piece
    advances = np.maximum(np.diff(edges), _LEAST_PX) / char_px
    return cells, advances.astype(np.float32)


def in_cells(
    image: np.ndarray,
    num_characters: int,
    boxes: np.ndarray | None = None,
    *,
    spaced: bool,
    char_px: int,
    char_width_px: int,
    room: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A line in cells, as a model is shown it.

    Args:
        spaced: as `space_line` does it, whose other arguments and answer these are; else the line as a whole
            is scaled to its cells, which are its characters' advances.
    """
    if spaced:
        return space_line(
            image, num_characters, boxes, char_px=char_px, char_width_px=char_width_px, room=room
        )
    cells = resize_line(image, height_px=char_px, width_px=num_characters * char_width_px)
    return cells, np.full(num_characters, char_width_px / char_px, np.float32)
