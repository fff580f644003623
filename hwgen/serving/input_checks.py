"""What is wrong with the inputs of a signature, told in the graph: of the batch as a refusal, of a line as
its error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from hwgen.characters import Characters

if TYPE_CHECKING:
    from hwgen.serving.text_lookup import TextLookup
    from hwgen.settings.model import GeneratorConfig


def same_size(axis: int, **inputs: Any) -> dict[str, Any]:
    """Refuses inputs of different size along an axis: TensorFlow would broadcast one seed over two texts in
    silence.

    Returns the inputs, a dict: what is computed from these waits for the refusal, which else another error
    might forestall.
    """
    sizes = {name: tf.shape(value)[axis] for name, value in inputs.items()}
    named = ', '.join(f'{name} {{}}' for name in sizes)
    message = tf.strings.format(f'{named}: expected one size of axis {axis}', list(sizes.values()))
    first, *others = sizes.values()
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(tf.equal(first, tf.stack(others))), [message])]
    ):
        return {name: tf.identity(value) for name, value in inputs.items()}


def character_errors(
    characters: Characters, *, config: GeneratorConfig, lookup: TextLookup, max_characters: int
) -> tf.Tensor:
    """What would stop the whole batch inside the generator, an id beyond its table, as an error of its line.

    Args:
        characters: Characters of B lines.
        config: sizes of the generator.
        lookup: what the generator was shown.
        max_characters: int, longer lines are errors.

    Returns:
        string [B], empty where a line is sound.
    """
    lengths: Any = characters.lengths
    n = tf.shape(characters.structure_ids)[1]
    inside = tf.sequence_mask(lengths, n)

    def beyond(ids, least, count):
        return (ids < least) | (ids >= count)

    if config.encoding.by_character:
        wrong = beyond(characters.character_ids, 1, config.num_characters)
        expected = f'expected a character id of 1 to {config.num_characters - 1}'
    else:
        wrong = (
            tf.reduce_any(beyond(characters.component_ids, 0, config.num_components), -1)
            | beyond(characters.structure_ids, 1, config.num_structures)
            | ~tf.reduce_all((characters.boxes >= 0.0) & (characters.boxes <= 1.0), [-2, -1])
        )
        expected = (
            f'expected component ids of 0 to {config.num_components - 1}, a structure id of 1 to'
            f' {config.num_structures - 1} and boxes from 0 to 1'
        )
    wrong = wrong & inside

    # One column more, which is never wrong: the place of the largest of no columns would be an error of
    # the batch.
    def position(wrong):
        return tf.argmax(tf.pad(tf.cast(wrong, tf.int32), [[0, 0], [0, 1]]), axis=1)

    def tell(wrong, reason):
        return tf.strings.join(['character ', tf.strings.as_string(position(wrong)), ': ', reason])

    unseen, reasons = lookup.unseen(characters)
    unseen = unseen & inside
    reason = tf.gather(
        tf.pad(reasons, [[0, 0], [0, 1]], constant_values=''), position(unseen), axis=1, batch_dims=1
    )
    errors = tf.where(tf.reduce_any(unseen, axis=1), tell(unseen, reason), '')
    errors = tf.where(tf.reduce_any(wrong, axis=1), tell(wrong, expected), errors)
    most = tf.minimum(n, max_characters)
    return tf.where(
        (lengths < 1) | (lengths > most),
        tf.strings.join(
            ['length ', tf.strings.as_string(lengths), ': expected 1 to ', tf.strings.as_string(most)]
        ),
        errors,
    )


def check_truncation(truncation: tf.Tensor, errors: tf.Tensor) -> tf.Tensor:
    """Adds to errors string [B] what is wrong with a truncation float32 [B]."""
    sound = tf.math.is_finite(truncation) & (truncation >= 0.0)
    return tf.where((errors == '') & ~sound, 'truncation: expected a number of at least 0', errors)
