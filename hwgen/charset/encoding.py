"""Text to ids and back: every character is up to 4 components, one structure and, where the table has it, a
character id.

A text may hold Ideographic Description Sequences (IDS), each standing for one character: `明天⿱山鱼`. It is read
in normal form (`normal_form`): what Unicode calls equal is one character, and what is invisible is none.
"""

import functools
from typing import NamedTuple

import numpy as np

from hwgen.characters import Characters
from hwgen.charset import groups, ids
from hwgen.charset.composition import Composer, describe
from hwgen.charset.dictionary import (
    MAX_COMPONENTS,
    SYMBOL_STRUCTURES,
    TABLES,
    CharsetError,
    CharsetMismatchError,
    check_extension,
    hash_lines,
    parse_lines,
    read_lines,
    read_sequences,
)
from hwgen.charset.normal_form import normal_form, singletons
from hwgen.charset.symbols import VARIANTS, normalize

__all__ = ['Charset', 'CharsetError', 'CharsetMismatchError', 'EncodedText', 'normalize']

UNKNOWN_SLOT = '？'


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

    units: tuple
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


class Charset:
    """The dictionary: components, structures, characters. Immutable.

    Args:
        lines: sequence of str, rows as `dictionary` describes them.
        sets: dict str -> str, named groups of characters.
        further_trees: callable, number of rows -> dict str -> str, sequences of ideographs outside a table of
            so many rows.

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

    def __init__(self, lines, *, sets=None, further_trees=lambda row_count: {}):
        rows = parse_lines(lines)
        self._lines, self._sets, self._sequences_of, self._larger, self._prefixes = (
            tuple(lines),
            dict(sets or {}),
            further_trees,
            None,
            {},
        )
        self.components, self.structures, self.characters = (
            ('', *(row.name for row in rows if row.kind == kind))
            for kind in ('component', 'structure', 'character')
        )
        self.num_components, self.num_structures, self.num_characters = map(
            len, (self.components, self.structures, self.characters)
        )
        self._component_index, self._structure_index, self._character_index = (
            {name: index for index, name in enumerate(names) if index}
            for names in (self.components, self.structures, self.characters)
        )
        self.character_components = np.zeros([self.num_characters, MAX_COMPONENTS], np.int32)
        self.character_structures = np.zeros([self.num_characters], np.int32)
        codes = [row for row in rows if row.kind == 'character']
        for index, row in enumerate(codes, 1):
            self.character_components[index, : len(row.tokens)] = [
                self._component_index[token] for token in row.tokens
            ]
            self.character_structures[index] = self._structure_index[row.pattern]
        self.template_boxes = np.zeros([self.num_structures, MAX_COMPONENTS, 4], np.float32)
        for index, pattern in enumerate(self.structures[1:], 1):
            template = ids.boxes(self._fill(pattern))
            self.template_boxes[index, : len(template)] = template
        for array in (self.character_components, self.character_structures, self.template_boxes):
            array.flags.writeable = False
        self.row_count, self.hash = len(rows), hash_lines(lines)
        self._codes, self._further_trees = codes, functools.lru_cache(None)(lambda: further_trees(len(rows)))

    @classmethod
    @functools.lru_cache(None)
    def load(cls):
        """The packaged dictionary.

        Returns:
            Charset, the same object at every call.
        """
        sets = dict(line.split('\t', 1) for line in read_lines(TABLES / 'sets.tsv'))
        return cls(read_lines(TABLES / 'dictionary.tsv'), sets=sets, further_trees=read_sequences)

    def check_compatible(self, row_count, hash):  # pylint: disable=redefined-builtin
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

    def prefix(self, row_count, hash=None):  # pylint: disable=redefined-builtin
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
            smaller._larger = self  # pylint: disable=protected-access
            self._prefixes[row_count] = smaller
        return self._prefixes[row_count]

    def sizes(self, row_count):
        """How large the three id spaces were when the table had so many rows.

        Args:
            row_count: int.

        Returns:
            dict with num_components, num_structures, num_characters, padding included.
        """
        kinds = [line.split('\t', 1)[0] for line in self._lines[:row_count]]
        return {f'num_{kind}s': 1 + kinds.count(kind) for kind in ('component', 'structure', 'character')}

    def character_id(self, character):
        """Id of a character, in its normal form.

        Args:
            character: str.

        Returns:
            int, 0 where the table does not have it.
        """
        return self._character_index.get(normalize(character), 0)

    def encode(self, text):
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
        columns = list(zip(*rows)) if rows else [()] * 5
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
        if self._takes(character) or not self._larger._takes(character):  # pylint: disable=protected-access
            return error
        return CharsetError(
            f'{describe(character)} at position {error.position}: was added to the table after this model was'
            f' trained (on its first {self.row_count:,} rows of {self._larger.row_count:,}); a model trained'
            ' since then can write it',
            error.position,
        )

    def encodable_characters(self):
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

    def nearest_patterns(self, unit, count=3):
        """Known patterns that resemble that of a sequence whose pattern has no id.

        Args:
            unit: str, a sequence or a character that `encode` accepts.
            count: int, how many.

        Returns:
            tuple of str such as ⿰·⿱··, nearest first: as many slots, the same first operator, most operators
            shared.

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

    def decode(self, component_ids, structure_ids):
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
        for index, (components, structure) in enumerate(
            zip(np.asarray(component_ids).tolist(), np.asarray(structure_ids).tolist())
        ):
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

    def tree(self, character):
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
        return self._fill(row.pattern, row.tokens)

    def sequence(self, character):
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

    def nearest_characters(self, tree, count=3):
        """Table characters that share components with a tree, the nearest first; see `Composer.nearest`."""
        return self.composer.nearest(tree, count)

    @staticmethod
    def _fill(pattern, tokens=None):
        pattern = ids.SLOT if pattern in SYMBOL_STRUCTURES else pattern
        return ids.fill(pattern, [ids.SLOT] * pattern.count(ids.SLOT) if tokens is None else tokens)

    @functools.cached_property
    def _index_of_code(self):
        return {
            (int(s), *c): i
            for i, (s, c) in enumerate(
                zip(self.character_structures.tolist(), self.character_components.tolist())
            )
            if i
        }

    @functools.cached_property
    def composer(self):
        """What finds the code of a tree: Composer."""
        return Composer(
            set(self._component_index),
            patterns=self._structure_index,
            trees={row.name: self._fill(row.pattern, row.tokens) for row in self._codes},
            further_trees=self._further_trees,
        )

    def character_set(self, name):
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
    def _groups(self):
        return groups.named_groups(self, self._sets)

    def component_cover(self):
        """A small set of hanzi that together show every component and every structure that hanzi have
        (greedy, most frequent first).

        Returns:
            tuple of int, character ids in the order chosen.
        """
        return self._cover

    _cover = functools.cached_property(groups.component_cover)


_singletons = functools.lru_cache(None)(singletons)
