"""Text in the graph: strings become characters and these codes, by tables that the graph holds.

A character is a code point. Ideographic Description Sequences are not read here: choosing a sequence's code
searches the dictionary (`hwgen.charset.composition`), which no operation of TensorFlow does; their operators
are unknown characters. Nor are a letter and its accent composed: a combining mark is an unknown character.
Invisible characters are none here either, and compatibility ideographs and radicals have the codes of those
that they are equal to. The client reads sequences and marks and sends the codes. What the model was not shown
it does not write here either, and the forms that look alike (`charset.folding`) are chosen here, for texts
and codes alike (`Repertoire`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.normal_form import IGNORABLE

if TYPE_CHECKING:
    from hwgen.inference.repertoire import Repertoire
    from hwgen.inference.writer import Writer

MAX_CODE_POINT = 0x10FFFF
UNSEEN = ': no training picture of this model showed it'


class LookedUp(NamedTuple):
    """Texts as rows of the table.

    Attributes:
        rows: int32 [B, max_characters], for `TextLookup.characters_of`; 0 pads.
        lengths: int32 [B], characters that are visible; 0 where there is an error.
        errors: string [B], empty or what is wrong with a text.
    """

    rows: tf.Tensor
    lengths: tf.Tensor
    errors: tf.Tensor


def name_code_points(code_points: tf.Tensor) -> tf.Tensor:
    """How errors name characters.

    Args:
        code_points: int32 [B] in 0 .. 0x10FFFF.

    Returns:
        string [B] such as U+660E, U+20BB7: at least four digits.
    """
    shifts = tf.constant([20, 16, 12, 8, 4, 0])
    # B -> B x 6
    digits = tf.bitwise.bitwise_and(tf.bitwise.right_shift(code_points[:, tf.newaxis], shifts), 15)
    digits = tf.strings.reduce_join(tf.gather(tf.constant(list('0123456789ABCDEF')), digits), axis=1)
    return tf.strings.join(['U+', tf.strings.regex_replace(digits, '^00?', '', replace_global=False)])


def _are_visible(code_points):
    """int32 [N] -> bool [N]: which are no invisible characters."""
    first, last = tf.constant(IGNORABLE, tf.int32)[:, 0], tf.constant(IGNORABLE, tf.int32)[:, 1]
    # the last range that begins at or before each
    index = tf.searchsorted(first, code_points, side='right') - 1
    return (index < 0) | (code_points > tf.gather(last, tf.maximum(index, 0)))


class TextLookup(tf.Module):
    """The characters that a model writes, as constants of a graph.

    Args:
        writer: Writer; its charset and its `can_write` decide which characters are known.
        max_characters: int, longer texts are errors.
        repertoire: Repertoire of the writer, for forms that are folded and characters that are refused; None:
            neither.

    Attributes:
        characters: str, those that are written, by code point.
    """

    def __init__(self, writer: Writer, *, max_characters: int, repertoire: Repertoire | None = None) -> None:
        super().__init__()
        if max_characters < 1:
            raise ValueError(f'max_characters={max_characters}: expected at least 1')
        self.max_characters = max_characters
        candidates = writer.charset.encodable_characters()
        encoded = writer.charset.encode(candidates)
        known = np.flatnonzero(writer.can_write(encoded))
        self.characters = ''.join(candidates[i] for i in known)
        # Those that the model could write but was not shown have no rows, only the number behind the last
        # one, which is an error.
        able = (
            known if repertoire is None else np.flatnonzero(repertoire.can_write(encoded, allow_unseen=True))
        )
        unseen = [candidates[i] for i in np.setdiff1d(able, known)]
        numbers = [*range(1, len(known) + 1), *[len(known) + 1] * len(unseen)]
        # Few patterns have boxes of their own: a row names its boxes instead of holding 16 numbers. Row 0 is
        # padding.
        boxes, layouts = np.unique(encoded.boxes[known].reshape(-1, 16), axis=0, return_inverse=True)
        columns = [
            encoded.component_ids[known],
            encoded.structure_ids[known][:, None],
            encoded.character_ids[known][:, None],
            layouts.reshape(-1, 1),
        ]
        # Tensors, not arrays: every signature refers to these, where an array would be written into each.
        self._rows = tf.constant(np.pad(np.concatenate(columns, axis=1), [[1, 0], [0, 0]]), tf.int32)
        self._boxes = tf.constant(boxes.reshape(-1, 4, 4), tf.float32)
        self._row_of = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant([ord(character) for character in (*self.characters, *unseen)], tf.int64),
                tf.constant(numbers, tf.int64),
            ),
            default_value=0,
        )
        self._folds = repertoire is not None and bool(repertoire.folding)
        self._checks = repertoire is not None and repertoire.knows_seen and not repertoire.allow_unseen
        if self._folds or self._checks:
            self._hold(repertoire)

    def _hold(self, repertoire):
        """Puts the numbers of a repertoire into the graph."""
        charset, folds = repertoire.charset, repertoire.folding.first > 0
        self._folding = [tf.constant(rows) for rows in repertoire.folding]
        self._components_of, self._structure_of = (
            tf.constant(rows) for rows in (charset.character_components, charset.character_structures)
        )
        # Whatever is folded stands for something that was shown.
        self._seen = dict(
            components=tf.constant(repertoire.seen_components | folds),
            structures=tf.constant(repertoire.seen_structures),
            characters=tf.constant(repertoire.seen_characters),
            folded=tf.constant(folds),
        )
        self._names, self._by_character = tf.constant(charset.components), repertoire.by_character

    def look_up(self, texts: tf.Tensor) -> LookedUp:
        """Splits texts into characters and finds their rows.

        Args:
            texts: string [B], UTF-8; malformed bytes count as U+FFFD, which no table has.

        Returns:
            LookedUp. An unknown character is named `U+XXXX at position n`, n counting code points from 0, the
            invisible ones too; one that the model was not shown likewise, and after it stands why.
        """
        written = tf.strings.unicode_decode(texts, 'UTF-8')
        visible = tf.ragged.map_flat_values(_are_visible, written)
        places = tf.ragged.boolean_mask(tf.ragged.range(written.row_lengths()), visible)
        ragged = tf.ragged.boolean_mask(written, visible)
        lengths = tf.cast(ragged.row_lengths(), tf.int32)
        points = ragged[:, : self.max_characters].to_tensor(-1, shape=[None, self.max_characters])
        rows = self._row_of.lookup(tf.cast(points, tf.int64))
        unknown = ((rows == 0) | (rows > len(self.characters))) & (points >= 0)
        index = tf.argmax(unknown, axis=1, output_type=tf.int32)
        first = tf.maximum(tf.gather(points, index, axis=1, batch_dims=1), 0)
        places = places[:, : self.max_characters].to_tensor(-1, shape=[None, self.max_characters])
        position = tf.gather(places, index, axis=1, batch_dims=1)
        errors = tf.where(
            tf.reduce_any(unknown, axis=1),
            tf.strings.join(
                [
                    name_code_points(first),
                    ' at position ',
                    tf.strings.as_string(position),
                    tf.where(tf.gather(rows, index, axis=1, batch_dims=1) > 0, UNSEEN, ''),
                ]
            ),
            '',
        )
        errors = tf.where(
            lengths > self.max_characters,
            tf.strings.join(
                [tf.strings.as_string(lengths), f' characters: expected at most {self.max_characters}']
            ),
            errors,
        )
        errors = tf.where(lengths == 0, f'empty text: expected 1 to {self.max_characters} characters', errors)
        return LookedUp(tf.cast(rows, tf.int32), tf.where(errors == '', lengths, 0), errors)

    def characters_of(self, rows: tf.Tensor) -> Characters:
        """What the generator reads. int32 [N], rows of the table -> Characters of a single line."""
        found = tf.gather(self._rows, rows)  # N x (4 components, structure, character, layout)
        return self.fold(
            Characters(
                component_ids=found[:, :4],
                structure_ids=found[:, 4],
                boxes=tf.gather(self._boxes, found[:, 6]),
                character_ids=found[:, 5],
                lengths=tf.shape(rows)[0],
            )
        )

    def unseen(self, characters: Characters) -> tuple[tf.Tensor, tf.Tensor]:
        """Which characters no training picture showed, nor their parts.

        Args:
            characters: Characters of B lines; ids beyond the table count as its last.

        Returns:
            bool [B, N]; string [B, N], why.
        """

        def shown(kind, ids):
            return tf.gather(self._seen[kind], tf.clip_by_value(ids, 0, len(self._seen[kind]) - 1))

        if not self._checks:
            return tf.zeros_like(characters.structure_ids, tf.bool), tf.fill(
                tf.shape(characters.structure_ids), ''
            )
        if self._by_character:
            missing = ~shown('characters', characters.character_ids) & ~shown(
                'folded', characters.component_ids[..., 0]
            )
            return missing, tf.fill(tf.shape(missing), UNSEEN[2:])
        missing = ~shown('components', characters.component_ids)
        first = tf.gather(
            characters.component_ids, tf.argmax(tf.cast(missing, tf.int32), axis=-1), axis=-1, batch_dims=2
        )
        part = tf.where(
            tf.reduce_any(missing, axis=-1),
            tf.strings.join(
                ['component ', tf.gather(self._names, tf.clip_by_value(first, 0, len(self._names) - 1))]
            ),
            'structure',
        )
        return tf.reduce_any(missing, axis=-1) | ~shown(
            'structures', characters.structure_ids
        ), tf.strings.join([UNSEEN[2:], ', nor its ', part])

    def fold(self, characters: Characters) -> Characters:
        """`Repertoire.fold` in the graph, of a single line."""
        if not self._folds:
            return characters
        alone = tf.reduce_all(characters.component_ids[:, 1:] == 0, axis=1)
        first, second = (
            tf.where(alone, tf.gather(ids, characters.component_ids[:, 0]), 0) for ids in self._folding
        )
        in_turn = first != second
        second_turn = in_turn & (tf.cumsum(tf.cast(in_turn, tf.int32), exclusive=True) % 2 == 1)
        rows = tf.where(second_turn, second, first)
        there = rows > 0  # symbols fill their cells, so that boxes stay
        components = tf.gather(self._components_of, rows)
        return characters._replace(
            component_ids=tf.where(there[:, tf.newaxis], components, characters.component_ids),
            structure_ids=tf.where(there, tf.gather(self._structure_of, rows), characters.structure_ids),
            character_ids=tf.where(there, rows, characters.character_ids),
        )
