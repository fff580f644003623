"""The frozen dictionary as ids and arrays: its components, structures and characters, and the code of each
character.
"""

import functools
from collections.abc import Sequence

import numpy as np

from hwgen.charset import ids
from hwgen.charset.composition import describe
from hwgen.charset.dictionary import (
    MAX_COMPONENTS,
    SYMBOL_STRUCTURES,
    CharsetError,
    Row,
    check_extension,
    hash_lines,
    parse_lines,
)
from hwgen.charset.symbols import SPACE, normalize


class CharacterTable:
    """Components, structures and characters of a dictionary by their ids. Immutable.

    Args:
        lines: sequence of str, rows as `dictionary` describes them.

    Attributes:
        characters, components, structures: tuple of str; the index is the id, 0 is '' (padding; for
            components also CTC's blank).
        num_characters, num_components, num_structures: int, with padding.
        character_components: int32 [num_characters, 4].
        character_structures: int32 [num_characters].
        template_boxes: float32 [num_structures, 4, 4]; x0, y0, x1, y1 of each slot in [0, 1], origin top
            left; unused slots zero.
        row_count: int, number of frozen rows.
        hash: str, SHA-256 of them.

    Raises:
        CharsetError: a row is malformed or refers to a later one.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        rows = parse_lines(lines)
        self._lines = tuple(lines)
        self.components = _names(rows, 'component')
        self.structures = _names(rows, 'structure')
        self.characters = _names(rows, 'character')
        self.num_components, self.num_structures = len(self.components), len(self.structures)
        self.num_characters = len(self.characters)
        self._component_index = _index(self.components)
        self._structure_index = _index(self.structures)
        self._character_index = _index(self.characters)
        self.character_components = np.zeros([self.num_characters, MAX_COMPONENTS], np.int32)
        self.character_structures = np.zeros([self.num_characters], np.int32)
        self._codes = [row for row in rows if row.kind == 'character']
        for index, row in enumerate(self._codes, 1):
            self.character_components[index, : len(row.tokens)] = [
                self._component_index[token] for token in row.tokens
            ]
            self.character_structures[index] = self._structure_index[row.pattern]
        self.template_boxes = np.zeros([self.num_structures, MAX_COMPONENTS, 4], np.float32)
        for index, pattern in enumerate(self.structures[1:], 1):
            template = ids.boxes(filled(pattern))
            self.template_boxes[index, : len(template)] = template
        for array in (self.character_components, self.character_structures, self.template_boxes):
            array.flags.writeable = False
        self.row_count, self.hash = len(rows), hash_lines(lines)

    def check_compatible(self, row_count: int, hash: str) -> int:
        """Checks that this table is, or extends, the one an artefact was made with.

        Args:
            row_count: int, the artefact's number of rows.
            hash: str, the artefact's hash.

        Returns:
            int, number of rows here that the artefact does not know; `sizes(row_count)` gives the artefact's
            tables.

        Raises:
            CharsetMismatchError: naming both hashes.
        """
        return check_extension(self._lines, row_count, hash)

    def sizes(self, row_count: int) -> dict[str, int]:
        """How large the three id spaces were when the table had so many rows.

        Args:
            row_count: int.

        Returns:
            dict with num_components, num_structures, num_characters, padding included.
        """
        kinds = [line.split('\t', 1)[0] for line in self._lines[:row_count]]
        return {f'num_{kind}s': 1 + kinds.count(kind) for kind in ('component', 'structure', 'character')}

    def character_id(self, character: str) -> int:
        """Id of a character, in its normal form.

        Args:
            character: str.

        Returns:
            int, 0 where the table does not have it.
        """
        return self._character_index.get(normalize(character), 0)

    def tree(self, character: str) -> ids.Tree:
        """The code of a table character as a tree.

        Args:
            character: str.

        Returns:
            token or (operator, child, ...).

        Raises:
            CharsetError: the table does not have it.
        """
        index = self.character_id(character)
        if not index:
            raise CharsetError(f'{describe(character)}: not in the table')
        row = self._codes[index - 1]
        return filled(row.pattern, row.tokens)

    @functools.cached_property
    def _index_of_code(self):
        """Structure and components of every character -> its id."""
        codes = zip(self.character_structures.tolist(), self.character_components.tolist(), strict=True)
        return {(structure, *components): i for i, (structure, components) in enumerate(codes) if i}


def filled(pattern: str, tokens: Sequence[str] | None = None) -> ids.Tree:
    """The tree of a structure.

    Args:
        pattern: str, as the dictionary has it; that of a symbol is one slot.
        tokens: sequence of str, one a slot; None: the signs of the slots.

    Returns:
        token or (operator, child, ...).
    """
    pattern = ids.SLOT if pattern in SYMBOL_STRUCTURES else pattern
    return ids.fill(pattern, [ids.SLOT] * pattern.count(ids.SLOT) if tokens is None else tokens)


def space_component(table: CharacterTable) -> int:
    """Id of the space's component in a table: int, 0 where it has none."""
    return table.components.index(SPACE) if SPACE in table.components else 0


def _names(rows: Sequence[Row], kind: str) -> tuple[str, ...]:
    return ('', *(row.name for row in rows if row.kind == kind))


def _index(names: Sequence[str]) -> dict[str, int]:
    return {name: index for index, name in enumerate(names) if index}
