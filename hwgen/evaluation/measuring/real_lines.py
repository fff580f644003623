"""Real lines as they are held against written ones, and writers as measures of cells need them.

Whatever writes and is no `Writer` has no layout: its characters stand in equal cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.charset.encoding import Charset
from hwgen.data.reading.cells import record_in_cells
from hwgen.images import to_height, to_uint8

if TYPE_CHECKING:
    from hwgen.data.reading.records import LineRecord


def are_spaced(model: Any) -> bool:
    """Whether the characters of what a model writes have the room that they take."""
    return getattr(model, 'layout', 'cells') == 'spaced'


def of_cells(model: Any) -> Any:
    """A model, or one like it whose characters stand in equal cells."""
    return model.in_cells() if are_spaced(model) else model


def beside(record: LineRecord, model: Any) -> np.ndarray:
    """A real line to be read or measured beside what `model.write` gives.

    Args:
        record: the line.
        model: whose lines stand beside it.

    Returns:
        uint8 [char_px, W]: scaled to as many cells as it has characters, or, beside lines whose characters
        have the room that they take, as it was written.
    """
    if are_spaced(model):
        return to_height(record.image, model.char_px)
    return in_cells(record, model)


def in_cells(record: LineRecord, model: Any) -> np.ndarray:
    """A real line in cells, as the model was shown such lines while training.

    Args:
        record: the line.
        model: the model.

    Returns:
        uint8 [char_px, N * char_width_px].
    """
    image, _ = record_in_cells(
        record,
        Charset.load().characters,
        spaced=getattr(model, 'learned_room', False),
        char_px=model.char_px,
        char_width_px=model.char_width_px,
    )
    return to_uint8(image)
