"""Text to ids and back: every character is up to 4 components, one structure and, where the table has it, a
character id.

A text may hold Ideographic Description Sequences (IDS), each standing for one character: `明天⿱山鱼`. It is
read in normal form (`normal_form`): what Unicode calls equal is one character, and what is invisible is none.
"""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hwgen.charset import groups, ids
from hwgen.charset.character_table import CharacterTable, filled
from hwgen.charset.composition import Composer, describe
from hwgen.charset.dictionary import (
    MAX_COMPONENTS,
    SYMBOL_STRUCTURES,
    TABLES,
    CharsetError,
    CharsetMismatchError,
    read_lines,
    read_sequences,
)
from hwgen.charset.encoded_text import EncodedText
from hwgen.charset.normal_form import normal_form, singletons
from hwgen.charset.symbols import VARIANTS, normalize

__all__ = ['Charset', 'CharsetError', 'CharsetMismatchError', 'EncodedText', 'normalize']

UNKNOWN_SLOT = '？'


class Charset(CharacterTable):
    """The dictionary: components, structures, characters; texts are read and written by it. Immutable.

    Args:
        lines: sequence of str, rows as `dictionary` describes them.
        sets: dict str -> str, named groups of characters.
        further_trees: function of a number of rows, gives dict str -> str, sequences of ideographs outside a
            table of so many rows; None: there are none.

    Attributes:
        those of `CharacterTable`.

    Raises:
        CharsetError: a row is malformed or refers to a later one.
    """

    def __init__(
        self,
        lines: Sequence[str],
        *,
        sets: Mapping[str, str] | None = None,
        further_trees: Callable[[int], Mapping[str, str]] | None = None,
    ) -> None:
        super().__init__(lines)
        self._sets, self._sequences_of = dict(sets or {}), further_trees
        self._larger: Charset | None = None  # the table whose beginning this is, see `prefix`
        self._prefixes: dict[int, Charset] = {}

    @functools.cached_property
    def _further_sequences(self) -> Mapping[str, str]:
        return self._sequences_of(self.row_count) if self._sequences_of else {}

    def _further_trees(self) -> Mapping[str, str]:
        return self._further_sequences

    @classmethod
    @functools.lru_cache(None)
    def load(cls) -> 'Charset':
        """The packaged dictionary.

        Returns:
            Charset, the same object at every call.
        """
        sets = dict(line.split('\t', 1) for line in read_lines(TABLES / 'sets.tsv'))
        return cls(read_lines(TABLES / 'dictionary.tsv'), sets=sets, further_trees=read_sequences)

    def prefix(self, row_count: int, hash: str | None = None) -> 'Charset':
        """The table as it was when it had so many rows: what an artefact of that time must be given texts in.

        Characters that were added since are composed as they were then, of the components of then, or refused
        with a line that says so.

        Args:
            row_count: int, the artefact's number of rows.
            hash: str, the artefact's hash; None: not checked.

        Returns:
            Charset, the same object at every call; this one where it has as many rows.

        Raises:
            CharsetMismatchError: as `check_compatible`.
        """
        if hash is not None:
            self.check_compatible(row_count, hash)
        if not 0 <= row_count <= self.row_count:
            raise CharsetMismatchError(
                f'the first {row_count} rows of the dictionary: it has only {self.row_count}'
            )
        if row_count == self.row_count:
            return self
        if row_count not in self._prefixes:
            smaller = Charset(self._lines[:row_count], sets=self._sets, further_trees=self._sequences_of)
            smaller._larger = self
            self._prefixes[row_count] = smaller
        return self._prefixes[row_count]

    def encode(self, text: str) -> EncodedText:
        """Reads a text.

        Args:
            text: str; a sequence such as ⿱山鱼 stands for one character.

        Returns:
            EncodedText.

        Raises:
            CharsetError: an unknown character or component, a malformed or too deep sequence; says where in
                the text as it was written, with the nearest help.
        """
        form = normal_form(text)
        try:
            units, rows = self._read(text, form)
        except CharsetError as error:
            raise self._with_age(error, form) from error
        n = len(rows)
        columns = list(zip(*rows, strict=True)) if rows else [()] * 5
        return EncodedText(
            tuple(units),
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int32).reshape(n, MAX_COMPONENTS),
            np.array(columns[2], np.int32),
            np.array(columns[3], np.float32).reshape(n, MAX_COMPONENTS, 4),
            np.array(columns[4], bool),
        )

    def _read(self, text, form):
        """Units and rows of a text."""
        units, rows, position, begin = [], [], 0, 0
        while position < len(form.text):
            character, place = form.text[position], form.starts[position]
            if character in ids.ARITY or character == ids.VARIATION:
                try:
                    sequence = ids.parse(form.text, position, places=form.starts)
                except ids.IdsError as error:
                    raise CharsetError(str(error), error.position) from error
                position = sequence.end
                rows.append(self._compose(sequence.tree, sequence.leaf_positions, place))
            else:
                position += 1
                index = self.character_id(character)
                rows.append(self._table_row(index) if index else self._compose(character, (place,), place))
            units.append(text[begin : form.starts[position]])
            begin = form.starts[position]
        return units, rows

    def _with_age(self, error, form):
        """An error of `prefix`: where the whole table has the character, that it is too new is what there
        is to say.
        """
        if self._larger is None or error.position not in form.starts[:-1]:
            return error
        character = form.text[form.starts.index(error.position)]
        if self._takes(character) or not self._larger._takes(character):
            return error
        return CharsetError(
            f'{describe(character)} at position {error.position}: was added to the table after this model was'
            f' trained (on its first {self.row_count:,} rows of {self._larger.row_count:,}); a model trained'
            ' since then can write it',
            error.position,
        )

    def encodable_characters(self) -> str:
        """All characters that `encode` takes by themselves, inside the table or not: single code points.

        Returns:
            str, by code point, each once.
        """
        further = (
            character
            for character, sequence in self._further_trees().items()
            if self._component_index.keys() >= set(ids.leaves(ids.parse_whole(sequence)))
        )
        single = (token for token in self._component_index if len(token) == 1)
        return ''.join(
            character
            for character in sorted({*self._character_index, *VARIANTS, *_singletons(), *single, *further})
            if self._takes(character)
        )

    def _takes(self, character):
        try:
            self._read(character, normal_form(character))
        except CharsetError:
            return False
        return True

    def _table_row(self, index):
        structure = self.character_structures[index]
        return index, self.character_components[index], structure, self.template_boxes[structure], True

    def _compose(self, tree, leaf_positions, position):
        found = self.composer.compose(tree, leaf_positions=leaf_positions, position=position)
        components = [self._component_index[token] for token in found.tokens]
        components += [0] * (MAX_COMPONENTS - len(components))
        structure = self._structure_index.get(found.pattern) or self._plain_structure(found.tree[0])
        boxes = np.zeros([MAX_COMPONENTS, 4], np.float32)
        boxes[: len(found.tokens)] = ids.boxes(found.tree)
        index = self._index_of_code.get((structure, *components), 0) if found.known_pattern else 0
        if index:
            return self._table_row(index)
        return index, components, structure, boxes, found.known_pattern

    def _plain_structure(self, operator):
        """Id that stands in for a pattern without one: the operator alone, else the first pattern it
        heads, else one component.
        """
        heads = [index for index, pattern in enumerate(self.structures) if pattern.startswith(operator)]
        plain = [index for index in heads if not self.structures[index][len(operator) :].strip(ids.SLOT)]
        return (plain + heads + [self._structure_index[ids.SLOT]])[0]

    def nearest_patterns(self, unit: str, count: int = 3) -> tuple[str, ...]:
        """Known patterns that resemble that of a sequence whose pattern has no id.

        Args:
            unit: str, a sequence or a character that `encode` accepts.
            count: int, how many.

        Returns:
            tuple of str such as ⿰·⿱··, nearest first: as many slots, the same first operator, most
            operators shared.

        Raises:
            CharsetError: as `encode`.
        """
        sequence = ids.parse(normal_form(unit).text)
        pattern = self.composer.compose(
            sequence.tree, leaf_positions=sequence.leaf_positions, position=0
        ).pattern

        def distance(index):
            known = self.structures[index]
            shared = sum(
                min(known.count(operator), pattern.count(operator)) for operator in set(pattern) - {ids.SLOT}
            )
            return (
                abs(known.count(ids.SLOT) - pattern.count(ids.SLOT)),
                known[0] != pattern[0],
                -shared,
                index,
            )

        known = [i for i in range(1, self.num_structures) if self.structures[i] not in SYMBOL_STRUCTURES]
        return tuple(self.structures[i] for i in sorted(known, key=distance)[:count])

    def decode(self, component_ids: ArrayLike, structure_ids: ArrayLike) -> str:
        """Writes codes as text, the inverse of `encode` on table characters.

        Args:
            component_ids: int [N, 4].
            structure_ids: int [N]; rows of structure 0 without components are padding and left out.

        Returns:
            str; a code that is no table character becomes a sequence, with ？ in a slot that has no component
            or one that no sequence can hold.

        Raises:
            CharsetError: an id beyond the table.
        """
        text = []
        rows = zip(np.asarray(component_ids).tolist(), np.asarray(structure_ids).tolist(), strict=True)
        for index, (components, structure) in enumerate(rows):
            if not 0 <= structure < self.num_structures or not all(
                0 <= c < self.num_components for c in components
            ):
                raise CharsetError(
                    f'character {index}: components {components}, structure {structure}; expected ids below '
                    f'{self.num_components} and {self.num_structures}',
                    index,
                )
            known = self._index_of_code.get((structure, *components))
            text.append(
                self.characters[known] if known else self._sequence(components, self.structures[structure])
            )
        return ''.join(text)

    def _sequence(self, components, pattern):
        tokens = [self.components[c] for c in components if c]
        if not pattern or pattern in SYMBOL_STRUCTURES or len(tokens) > pattern.count(ids.SLOT):
            # A code that no tree can have: its components in a row.
            pattern = ('', '·', '⿰··', '⿲···', 'H4····')[len(tokens)]
        if not pattern:
            return ''
        # a brace, a space or the sign of a slot would not be read again as parts of a sequence
        if len(pattern) > 1:
            tokens = [UNKNOWN_SLOT if token in ('{', '}', ' ', ids.SLOT) else token for token in tokens]
        tokens += [UNKNOWN_SLOT] * (pattern.count(ids.SLOT) - len(tokens))
        return ids.format_tree(ids.fill(pattern, tokens))

    def sequence(self, character: str) -> str | None:
        """What a character decomposes to, whether or not its components are known.

        Args:
            character: str.

        Returns:
            str, a sequence; the character itself where it is one component; None where the package has no
            source for it.
        """
        if self.character_id(character):
            return ids.format_tree(self.tree(character))
        return character if character in self._component_index else self._further_trees().get(character)

    def nearest_characters(self, tree: ids.Tree, count: int = 3) -> list[str]:
        """Table characters that share components with a tree, the nearest first; see `Composer.nearest`."""
        return self.composer.nearest(tree, count)

    @functools.cached_property
    def composer(self) -> Composer:
        """What finds the code of a tree: Composer."""
        return Composer(
            set(self._component_index),
            patterns=self._structure_index,
            trees={row.name: filled(row.pattern, row.tokens) for row in self._codes},
            further_trees=self._further_trees,
        )

    def character_set(self, name: str) -> tuple[int, ...]:
        """Ids of a named group.

        Args:
            name: 'gb2312-1', 'gb2312-2' (hanzi of its first and second level), 'big5-1' (of the first level
                of Big5), 'big5', 'gbk', 'tgh' (common standard characters), 'hanzi', 'symbols' (those of
                CASIA-HWDB and a few more), 'ascii', 'punctuation' (CJK).

        Returns:
            tuple of int, ascending.

        Raises:
            CharsetError: no such group.
        """
        if name not in self._groups:
            raise CharsetError(f'character set {name!r}: expected one of {", ".join(sorted(self._groups))}')
        return self._groups[name]

    @functools.cached_property
    def _groups(self) -> dict[str, tuple[int, ...]]:
        return groups.named_groups(self, self._sets)

    def component_cover(self) -> tuple[int, ...]:
        """A small set of hanzi that together show every component and every structure that hanzi have
        (greedy, most frequent first).

        Returns:
            tuple of int, character ids in the order chosen.
        """
        return self._cover

    @functools.cached_property
    def _cover(self) -> tuple[int, ...]:
        return groups.component_cover(self, self.character_set('hanzi'))


_singletons = functools.lru_cache(None)(singletons)
