"""A text as ids."""

from typing import NamedTuple

import numpy as np

from hwgen.characters import Characters


class EncodedText(NamedTuple):
    """A text as ids, N characters.

    Attributes:
        units: tuple of N str; the parts of the text as it was written, a character or a whole sequence each,
            with the invisible characters after it (the first one also with those before it). Joined they are
            the text.
        character_ids: int32 [N]; 0 where the table has no such character.
        component_ids: int32 [N, 4]; 0 pads.
        structure_ids: int32 [N]; where `exact_structure` is false, that of the top operator.
        boxes: float32 [N, 4, 4]; x0, y0, x1, y1 of each slot in [0, 1], origin top left; zero where a slot is
            unused.
        exact_structure: bool [N]; whether the pattern has an id.
    """

    units: tuple[str, ...]
    character_ids: np.ndarray
    component_ids: np.ndarray
    structure_ids: np.ndarray
    boxes: np.ndarray
    exact_structure: np.ndarray

    @property
    def characters(self) -> Characters:
        """The text as a single line of Characters."""
        return Characters(
            component_ids=self.component_ids,
            structure_ids=self.structure_ids,
            boxes=self.boxes,
            character_ids=self.character_ids,
            lengths=np.int32(len(self.units)),
        )
