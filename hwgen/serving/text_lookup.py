"""Text in the graph: strings become characters and these codes, by tables that the graph holds.

A character is a code point. Ideographic Description Sequences are not read here: choosing a sequence's code searches the
dictionary (`hwgen.charset.composition`), which no operation of TensorFlow does; their operators are unknown characters.
Nor are a letter and its accent composed: a combining mark is an unknown character. Invisible characters are none here
either, and compatibility ideographs and radicals have the codes of those that they are equal to.
The client reads sequences and marks and sends the codes.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from hwgen.charset.normal_form import IGNORABLE

MAX_CODE_POINT = 0x10FFFF


class Codes(NamedTuple):
    """What the generator reads of N characters.

    Attributes:
        component_ids: int32 [N, 4].
        structure_ids: int32 [N].
        boxes: float32 [N, 4, 4].
        character_ids: int32 [N].
    """

    component_ids: tf.Tensor
    structure_ids: tf.Tensor
    boxes: tf.Tensor
    character_ids: tf.Tensor


class LookedUp(NamedTuple):
    """Texts as rows of the table.

    Attributes:
        rows: int32 [B, max_characters], for `TextLookup.codes`; 0 pads.
        lengths: int32 [B], characters that are visible; 0 where there is an error.
        errors: string [B], empty or what is wrong with a text.
    """

    rows: tf.Tensor
    lengths: tf.Tensor
    errors: tf.Tensor


def name_code_points(code_points):
    """How errors name characters.

    Args:
        code_points: int32 [B] in 0 .. 0x10FFFF.

    Returns:
        string [B] such as U+660E, U+20BB7: at least four digits.
    """
    shifts = tf.constant([20, 16, 12, 8, 4, 0])
    digits = tf.bitwise.bitwise_and(tf.bitwise.right_shift(code_points[:, tf.newaxis], shifts), 15)  # B -> B x 6
    digits = tf.strings.reduce_join(tf.gather(tf.constant(list('0123456789ABCDEF')), digits), axis=1)
    return tf.strings.join(['U+', tf.strings.regex_replace(digits, '^00?', '', replace_global=False)])


def _are_visible(code_points):
    """int32 [N] -> bool [N]: which are no invisible characters."""
    first, last = tf.constant(IGNORABLE, tf.int32)[:, 0], tf.constant(IGNORABLE, tf.int32)[:, 1]
    index = tf.searchsorted(first, code_points, side='right') - 1  # the last range that begins at or before each
    return (index < 0) | (code_points > tf.gather(last, tf.maximum(index, 0)))


class TextLookup(tf.Module):
    """The characters that a model writes, as constants of a graph.

    Args:
        writer: Writer; its charset and its `can_write` decide which characters are known.
        max_characters: int, longer texts are errors.

    Attributes:
        characters: str, the known ones, by code point.
    """

    def __init__(self, writer, *, max_characters):
        super().__init__()
        if max_characters < 1:
            raise ValueError(f'max_characters={max_characters}: expected at least 1')
        self.max_characters = max_characters
        candidates = writer.charset.encodable_characters()
        encoded = writer.charset.encode(candidates)
        known = np.flatnonzero(writer.can_write(encoded))
        self.characters = ''.join(candidates[i] for i in known)
        # Few patterns have boxes of their own: a row names its boxes instead of holding 16 numbers. Row 0 is padding.
        boxes, layouts = np.unique(encoded.boxes[known].reshape(-1, 16), axis=0, return_inverse=True)
        columns = [encoded.component_ids[known], encoded.structure_ids[known][:, None], encoded.character_ids[known][:, None],
                   layouts.reshape(-1, 1)]
        # Tensors, not arrays: every signature refers to these, where an array would be written into each.
        self._rows = tf.constant(np.pad(np.concatenate(columns, axis=1), [[1, 0], [0, 0]]), tf.int32)
        self._boxes = tf.constant(boxes.reshape(-1, 4, 4), tf.float32)
        self._row_of = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
            tf.constant([ord(character) for character in self.characters], tf.int64),
            tf.range(1, len(self.characters) + 1, dtype=tf.int64)), default_value=0)

    def look_up(self, texts):
        """Splits texts into characters and finds their rows.

        Args:
            texts: string [B], UTF-8; malformed bytes count as U+FFFD, which no table has.

        Returns:
            LookedUp. An unknown character is named `U+XXXX at position n`, n counting code points from 0, the invisible ones too.
        """
        written = tf.strings.unicode_decode(texts, 'UTF-8')
        visible = tf.ragged.map_flat_values(_are_visible, written)
        places = tf.ragged.boolean_mask(tf.ragged.range(written.row_lengths()), visible)
        ragged = tf.ragged.boolean_mask(written, visible)
        lengths = tf.cast(ragged.row_lengths(), tf.int32)
        points = ragged[:, :self.max_characters].to_tensor(-1, shape=[None, self.max_characters])
        rows = self._row_of.lookup(tf.cast(points, tf.int64))
        unknown = (rows == 0) & (points >= 0)
        index = tf.argmax(unknown, axis=1, output_type=tf.int32)
        first = tf.maximum(tf.gather(points, index, axis=1, batch_dims=1), 0)
        places = places[:, :self.max_characters].to_tensor(-1, shape=[None, self.max_characters])
        position = tf.gather(places, index, axis=1, batch_dims=1)
        errors = tf.where(tf.reduce_any(unknown, axis=1), tf.strings.join(
            [name_code_points(first), ' at position ', tf.strings.as_string(position)]), '')
        errors = tf.where(lengths > self.max_characters, tf.strings.join(
            [tf.strings.as_string(lengths), f' characters: expected at most {self.max_characters}']), errors)
        errors = tf.where(lengths == 0, f'empty text: expected 1 to {self.max_characters} characters', errors)
        return LookedUp(tf.cast(rows, tf.int32), tf.where(errors == '', lengths, 0), errors)

    def codes(self, rows):
        """What the generator reads. int32 [N], rows of the table -> Codes."""
        found = tf.gather(self._rows, rows)  # N x (4 components, structure, character, layout)
        return Codes(found[:, :4], found[:, 4], tf.gather(self._boxes, found[:, 6]), found[:, 5])
