"""Real lines as they are held against written ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwgen.data.reading.spacing import space_line
from hwgen.images import to_cells, to_height, to_uint8

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord
    from hwgen.inference.writer import Writer


def beside(record: LineRecord, model: Writer) -> np.ndarray:
    """A real line to be read or measured beside what `model.write` gives.

    Args:
        record: the line.
        model: whose lines stand beside it.

    Returns:
        uint8 [char_px, W]: scaled to as many cells as it has characters, or, beside lines whose characters
        have the room that they take, as it was written.
    """
    if model.layout == 'spaced':
        return to_height(record.image, model.char_px)
    return in_cells(record, model)


def in_cells(record: LineRecord, model: Writer) -> np.ndarray:
    """A real line in cells, as the model was shown such lines while training.

    Args:
        record: the line.
        model: the model.

    Returns:
        uint8 [char_px, N * char_width_px].
    """
    cells = {'char_px': model.char_px, 'char_width_px': model.char_width_px}
    if model.generator.config.layout == 'spaced':
        image, _ = space_line(record.image, len(record.character_ids), record.boxes, **cells)
        return to_uint8(image)
    return to_cells(record.image, len(record.character_ids), **cells)
