"""The characters of lines as numbers: what a record, a network and a served signature mean by a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

SLOTS = 4  # components that a character has at most
# What each field has behind the axis of the lines, and its type; None: the characters of a line.
_FIELDS: dict[str, tuple[type, tuple[int | None, ...]]] = {
    'component_ids': (np.int32, (None, SLOTS)),
    'structure_ids': (np.int32, (None,)),
    'boxes': (np.float32, (None, SLOTS, 4)),
    'character_ids': (np.int32, (None,)),
    'lengths': (np.int32, ()),
}
CODES = tuple(_FIELDS)[:-1]  # the fields that have a value for each character


class Table(Protocol):
    """What `Characters.from_table` asks of a Charset."""

    character_components: np.ndarray
    character_structures: np.ndarray
    template_boxes: np.ndarray


class Characters(NamedTuple):
    """The characters of B lines of at most N characters, as NumPy arrays or as tensors.

    A single line is described likewise, without the first axis. Fields that a network does not read may be
    anything of their shape. The names are those of the inputs of an exported model.

    Attributes:
        component_ids: int32 [B, N, 4], the component in each slot of a character; 0: none.
        structure_ids: int32 [B, N], how the slots lie; 0 pads.
        boxes: float32 [B, N, 4, 4], x0, y0, x1, y1 of each slot within its character, in [0, 1], origin top
            left; 0 where a slot is unused.
        character_ids: int32 [B, N]; 0 where the table has no such character, and as padding.
        lengths: int32 [B], characters of each line; None: all have N.
    """

    component_ids: np.ndarray | tf.Tensor
    structure_ids: np.ndarray | tf.Tensor
    boxes: np.ndarray | tf.Tensor
    character_ids: np.ndarray | tf.Tensor
    lengths: np.ndarray | tf.Tensor | None = None

    @classmethod
    def zeros(cls, num_lines: int, num_characters: int) -> Characters:
        """Lines of no characters, NumPy arrays to be filled in.

        Args:
            num_lines, num_characters: int, B and N.

        Returns:
            Characters of zeros, `lengths` too.
        """
        return cls(*(np.zeros(shape, dtype) for dtype, shape in _shapes(num_lines, num_characters)))

    @classmethod
    def ones(cls, num_lines: int = 1, num_characters: int = 1) -> Characters:
        """Lines of some character, all of one length: what a network is built with, before it has weights.

        Args:
            num_lines, num_characters: int, B and N.

        Returns:
            Characters of ones, without `lengths`.
        """
        ones: list[Any] = [np.ones(shape, dtype) for dtype, shape in _shapes(num_lines, num_characters)]
        return cls(*ones)._replace(lengths=None)

    @classmethod
    def from_table(cls, character_ids: np.ndarray, table: Table) -> Characters:
        """Characters of a table by their ids.

        Args:
            character_ids: int [B, N], or [N] for a single line; all lines have N characters.
            table: Charset.

        Returns:
            Characters.
        """
        ids = np.asarray(character_ids, np.int32)
        structures = table.character_structures[ids].astype(np.int32)
        return cls(
            component_ids=table.character_components[ids].astype(np.int32),
            structure_ids=structures,
            boxes=table.template_boxes[structures],
            character_ids=ids,
            lengths=np.full(ids.shape[:-1], ids.shape[-1], np.int32),
        )

    @classmethod
    def stack(
        cls, lines: Sequence[Characters], *, num_lines: int | None = None, num_characters: int | None = None
    ) -> Characters:
        """Single lines side by side, padded with zeros.

        Args:
            lines: sequence of Characters of single lines, NumPy arrays.
            num_lines: int, B; lines that are missing have no characters. None: as many as there are.
            num_characters: int, N; None: that of the longest line.

        Returns:
            Characters of NumPy arrays, with `lengths`.
        """
        lengths = np.zeros([len(lines) if num_lines is None else num_lines], np.int32)
        lengths[: len(lines)] = [len(line.structure_ids) for line in lines]
        stacked = cls.zeros(len(lengths), int(lengths.max()) if num_characters is None else num_characters)
        for row, line in enumerate(lines):
            for name in CODES:
                getattr(stacked, name)[row, : lengths[row]] = getattr(line, name)
        return stacked._replace(lengths=lengths)

    @classmethod
    def specs(cls, num_lines: int | None = None, *, names: bool = False) -> Characters:
        """The signature of a function that takes lines of any length.

        Args:
            num_lines: int, B; None: any number.
            names: bool, name each tensor as its field, as the inputs of an exported model are.

        Returns:
            Characters of tf.TensorSpec.
        """
        return cls(*_specs((num_lines,), names=names))

    @classmethod
    def line_specs(cls) -> Characters:
        """The signature of a function that takes a single line of any length: Characters of tf.TensorSpec."""
        return cls(*_specs((), names=False))

    def part(self, start: int | tf.Tensor, stop: int | tf.Tensor) -> Characters:
        """Some characters of a single line.

        Args:
            start, stop: int or int32 []; from `start` to the one before `stop`, within the line.

        Returns:
            Characters of a single line.
        """
        codes: list[Any] = [getattr(self, name)[start:stop] for name in CODES]
        return Characters(*codes)._replace(lengths=stop - start)

    def as_batch(self) -> Characters:
        """A single line, of which `lengths` is known, as the only one of a batch."""
        return Characters(*(None if value is None else value[np.newaxis] for value in self))


def _shapes(num_lines: int, num_characters: int) -> list[tuple[type, tuple[int, ...]]]:
    """Type and shape of each field."""
    return [
        (dtype, (num_lines, *(num_characters if size is None else size for size in shape)))
        for dtype, shape in _FIELDS.values()
    ]


def _specs(first: tuple[int | None, ...], *, names: bool) -> list[Any]:
    import tensorflow as tf  # here: batches are read without it, too

    return [
        tf.TensorSpec([*first, *shape], dtype, name if names else None)
        for name, (dtype, shape) in _FIELDS.items()
    ]
