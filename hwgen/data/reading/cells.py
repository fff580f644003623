"""A recorded line in cells, as a model is shown it, while it is trained and where it is measured."""

from collections.abc import Sequence

import numpy as np

from hwgen import spacing
from hwgen.charset.widths import expected_room
from hwgen.data.reading.records import LineRecord


def record_in_cells(
    record: LineRecord, characters: Sequence[str], *, spaced: bool, char_px: int, char_width_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """The picture of a line in the cells of its characters, and their advances; see `spacing.in_cells`.

    Args:
        record: the line; where it has no boxes, its characters are parted by what they are.
        characters: of the table that its ids belong to (`Charset.characters`); ids beyond them are those of
            characters that nobody knows.
        spaced, char_px, char_width_px: see `spacing.in_cells`.
    """
    room = None
    if spaced and record.boxes is None:
        room = expected_room(characters[i] if i < len(characters) else '' for i in record.character_ids)
    return spacing.in_cells(
        record.image,
        len(record.character_ids),
        record.boxes,
        spaced=spaced,
        char_px=char_px,
        char_width_px=char_width_px,
        room=room,
    )
