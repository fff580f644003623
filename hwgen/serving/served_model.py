"""ServedModel: a generator with its tables as a TensorFlow module whose signatures take texts and give
pictures.

Every line is written by itself, in the windows of `hwgen.inference.writer`, each computed alone and without
padding: so a request's picture does not depend on what else is in its batch, and equals what the Writer
writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.writer import WINDOW_CHARACTERS
from hwgen.serving import drawn_styles
from hwgen.serving.text_lookup import Codes, TextLookup

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

MAX_CHARACTERS = 256
SIGNATURES = ('serving_default', 'styled', 'images', 'components', 'styled_components', 'styles')

_WRONG_STYLE = 'style: expected finite numbers'


def _same_size(axis, **inputs):
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


class ServedModel(tf.Module):
    """The module that `export` saves.

    Args:
        writer: Writer of the generator.
        truncation: float, of `serving_default` and `images`.
        max_characters: int, longer texts are errors.
    """

    def __init__(
        self, writer: Writer, *, truncation: float = DEFAULT_TRUNCATION, max_characters: int = MAX_CHARACTERS
    ) -> None:
        super().__init__()
        self.lookup = TextLookup(writer, max_characters=max_characters, repertoire=writer.repertoire)
        generator = writer.generator
        # Keras' own tracking would save the layers as objects; the graph needs the variables alone.
        self.weights = [variable.value for variable in generator.variables]
        object.__setattr__(self, '_generator', generator)
        self._charset = writer.charset.row_count, writer.charset.hash
        self._config = generator.config
        self._truncation = tf.constant(truncation, tf.float32)
        self._max_characters = max_characters
        blank = tf.fill([self._config.char_px, self._config.char_width_px, 1], tf.constant(255, tf.uint8))
        self._placeholder = tf.io.encode_png(blank).numpy()
        self._window = self._trace_window()

    def _trace_window(self):
        """The generator for one window: traced once, called by every signature."""
        config, spec = self._config, tf.TensorSpec
        codes = Codes(
            spec([None, 4], tf.int32),
            spec([None], tf.int32),
            spec([None, 4, 4], tf.float32),
            spec([None], tf.int32),
        )

        @tf.function(
            input_signature=[codes, spec([config.style_dim]), spec([None, config.character_noise_dim])]
        )
        def window(codes, style, noise):
            batch = {name: value[tf.newaxis] for name, value in codes._asdict().items()}
            image = self._generator(
                **batch,
                lengths=tf.shape(codes.structure_ids)[:1],
                style=style[tf.newaxis],
                character_noise=noise[tf.newaxis],
                training=False,
            )
            return image[0, :, :, 0]  # 1 x H x (N w) x 1 -> H x (N w)

        return window

    def _draw(self, codes, style, seed, truncation):
        """Codes of N >= 1 characters -> float32 [char_px, N * char_width_px]."""
        context, width = self._generator.context_characters, self._config.char_width_px
        n = tf.shape(codes.structure_ids)[0]
        noise = truncation * drawn_styles.character_noise(seed, n, noise_dim=self._config.character_noise_dim)

        def write(index, parts):
            start = index * WINDOW_CHARACTERS
            stop = tf.minimum(start + WINDOW_CHARACTERS, n)
            first, last = tf.maximum(start - context, 0), tf.minimum(stop + context, n)
            image = self._window(Codes(*(value[first:last] for value in codes)), style, noise[first:last])
            image = image[:, (start - first) * width : (stop - first) * width]
            return index + 1, parts.write(index, tf.transpose(image))  # H x (n w) -> (n w) x H

        num_windows = -(-n // WINDOW_CHARACTERS)
        parts = tf.TensorArray(
            tf.float32, num_windows, infer_shape=False, element_shape=[None, self._config.char_px]
        )
        _, parts = tf.while_loop(lambda index, _: index < num_windows, write, [0, parts])
        return tf.transpose(parts.concat())  # (N w) x H -> H x (N w)

    def _style(self, seed, truncation):
        """The hand of a seed. -> float32 [Z]"""
        normal = truncation * drawn_styles.style_of_seed(seed, self._config.style_dim)
        return self._generator.style_space(normal[tf.newaxis])[0]

    def _towards_average(self, style, truncation):
        """A hand float32 [Z] brought nearer to the average one. -> float32 [Z]"""
        return style + (1.0 - truncation) * (tf.convert_to_tensor(self._generator.style_space.mean) - style)

    def _picture(self, codes, style, seed, truncation, error):
        """One line -> PNG, error: what came with it, or that the weights or the style gave no picture."""
        image = self._draw(codes, style, seed, truncation)
        sound = tf.reduce_all(tf.math.is_finite(image))
        grey = tf.cast(tf.round((tf.where(tf.math.is_finite(image), image, 1.0) + 1.0) * 127.5), tf.uint8)
        png = tf.cond(
            sound, lambda: tf.io.encode_png(grey[..., tf.newaxis]), lambda: tf.constant(self._placeholder)
        )
        return png, tf.where(
            sound,
            error,
            'no picture: the model gives values that are not finite, expected a style near those it learned',
        )

    def _pictures(self, codes_of, errors, elements):
        """Lines -> image_bytes, error; lines with an error get the placeholder.

        Args:
            codes_of: function of a line's elements -> Codes, style, seed, truncation.
            errors: string [B].
            elements: tuple of tensors [B, ...].
        """

        def write(error, *element):
            return tf.cond(
                error == '',
                lambda: self._picture(*codes_of(*element), error),
                lambda: (tf.constant(self._placeholder), error),
            )

        images, errors = tf.map_fn(
            lambda line: write(*line), (errors, *elements), fn_output_signature=(tf.string, tf.string)
        )
        return dict(image_bytes=images, error=errors)

    def signatures(self) -> dict[str, Any]:
        """dict of name -> concrete function, for `tf.saved_model.save`; `SIGNATURES` are their names."""
        config, spec = self._config, tf.TensorSpec
        texts, seeds = spec([None], tf.string, 'texts'), spec([None], tf.int64, 'style_seeds')
        styles, truncation = (
            spec([None, config.style_dim], tf.float32, 'styles'),
            spec([None], tf.float32, 'truncation'),
        )
        ids = [
            spec([None, None, 4], tf.int32, 'component_ids'),
            spec([None, None], tf.int32, 'structure_ids'),
            spec([None, None, 4, 4], tf.float32, 'boxes'),
            spec([None, None], tf.int32, 'character_ids'),
            spec([None], tf.int32, 'lengths'),
        ]
        inputs = dict(
            serving_default=[texts, seeds],
            styled=[texts, styles, truncation],
            images=[texts, seeds],
            components=[*ids, seeds, truncation],
            styled_components=[*ids, styles, seeds, truncation],
            styles=[seeds],
        )
        functions = dict(
            serving_default=self.write,
            styled=self.write_styled,
            images=self.draw,
            components=self.write_components,
            styled_components=self.write_styled_components,
            styles=self.styles,
        )
        return {
            name: tf.function(functions[name]).get_concrete_function(*inputs[name]) for name in SIGNATURES
        }

    def write(self, texts: tf.Tensor, style_seeds: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_default`: texts [B], seeds int64 [B] -> image_bytes [B] (PNG), error [B]."""
        texts, style_seeds = _same_size(0, texts=texts, style_seeds=style_seeds).values()
        found = self.lookup.look_up(texts)

        def line(rows, length, seed):
            return (
                self.lookup.codes(rows[:length]),
                self._style(seed, self._truncation),
                seed,
                self._truncation,
            )

        return self._pictures(line, found.errors, (found.rows, found.lengths, style_seeds))

    def write_styled(
        self, texts: tf.Tensor, styles: tf.Tensor, truncation: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """`styled`: the hand is a vector, such as one of `styles`, or one between two of them.

        Args:
            texts: string [B].
            styles: float32 [B, Z].
            truncation: float32 [B]: 1 takes styles as they are, less brings them nearer to the average hand,
                by that share of their distance, and is the standard deviation of the character noise, which
                is that of seed 0.

        Returns:
            dict of image_bytes string [B], error string [B].
        """
        texts, styles, truncation = _same_size(0, texts=texts, styles=styles, truncation=truncation).values()
        styles = tf.ensure_shape(styles, [None, self._config.style_dim])
        found = self.lookup.look_up(texts)
        wrong = tf.reduce_any(~tf.math.is_finite(styles), axis=1)
        errors = tf.where((found.errors == '') & wrong, _WRONG_STYLE, found.errors)
        errors = _check_truncation(truncation, errors)

        def line(rows, length, style, truncation):
            return (
                self.lookup.codes(rows[:length]),
                self._towards_average(style, truncation),
                tf.constant(0, tf.int64),
                truncation,
            )

        return self._pictures(line, errors, (found.rows, found.lengths, styles, truncation))

    def draw(self, texts: tf.Tensor, style_seeds: tf.Tensor) -> dict[str, tf.Tensor]:
        """`images`: floats instead of a PNG, with the place of every character.

        Args:
            texts: string [B].
            style_seeds: int64 [B].

        Returns:
            dict of images float32 [B, char_px, W, 1] in [-1, 1], paper +1; widths int32 [B], pixels of each
            line, 0 where there is an error; boxes int32 [B, N, 4], x0, y0, x1, y1 in pixels, 0 beyond the
            line's end; error string [B].
        """
        texts, style_seeds = _same_size(0, texts=texts, style_seeds=style_seeds).values()
        found = self.lookup.look_up(texts)
        height, width = self._config.char_px, self._config.char_width_px
        most = tf.maximum(tf.reduce_max(found.lengths), 1)

        def image(rows, length, seed):
            pixels = self._draw(
                self.lookup.codes(rows[:length]), self._style(seed, self._truncation), seed, self._truncation
            )
            return tf.pad(pixels, [[0, 0], [0, (most - length) * width]], constant_values=1.0)[
                ..., tf.newaxis
            ]

        def line(rows, length, seed):
            return tf.cond(
                length > 0, lambda: image(rows, length, seed), lambda: tf.ones([height, most * width, 1])
            )

        images = tf.map_fn(
            lambda one: line(*one),
            (found.rows, found.lengths, style_seeds),
            fn_output_signature=tf.TensorSpec([height, None, 1], tf.float32),
        )
        left = tf.range(most) * width
        boxes = tf.stack([left, tf.zeros_like(left), left + width, tf.fill([most], height)], axis=1)
        boxes = boxes * tf.sequence_mask(found.lengths, most, tf.int32)[:, :, tf.newaxis]
        return dict(images=images, widths=found.lengths * width, boxes=boxes, error=found.errors)

    def write_components(
        self,
        component_ids: tf.Tensor,
        structure_ids: tf.Tensor,
        boxes: tf.Tensor,
        character_ids: tf.Tensor,
        lengths: tf.Tensor,
        style_seeds: tf.Tensor,
        truncation: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """`components`: any glyph that components describe, by its codes (`hwgen.charset`, `EncodedText`).

        Args:
            component_ids: int32 [B, N, 4].
            structure_ids: int32 [B, N].
            boxes: float32 [B, N, 4, 4].
            character_ids: int32 [B, N], read by content encoding `onehot` alone.
            lengths: int32 [B], characters of each line; what lies beyond is not read.
            style_seeds: int64 [B].
            truncation: float32 [B], of style and character noise; -1 for that of `serving_default`.

        Returns:
            dict of image_bytes string [B], error string [B], charset_rows int64 [B] and charset_hash string
            [B], the table that the ids belong to.
        """
        codes = Codes(component_ids, structure_ids, boxes, character_ids)
        return self._write_codes(codes, truncation, self._style, lengths=lengths, style_seeds=style_seeds)

    def write_styled_components(
        self,
        component_ids: tf.Tensor,
        structure_ids: tf.Tensor,
        boxes: tf.Tensor,
        character_ids: tf.Tensor,
        lengths: tf.Tensor,
        styles: tf.Tensor,
        style_seeds: tf.Tensor,
        truncation: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """`styled_components`: any glyph, in a hand that is a vector.

        Args:
            component_ids, structure_ids, boxes, character_ids, lengths: see `write_components`.
            styles: float32 [B, Z], see `write_styled`.
            style_seeds: int64 [B], of the character noise.
            truncation: float32 [B], as that of `write_styled`; -1 for that of `serving_default`.

        Returns:
            see `write_components`.
        """
        codes = Codes(component_ids, structure_ids, boxes, character_ids)
        return self._write_codes(
            codes,
            truncation,
            lambda _, truncation, style: self._towards_average(style, truncation),
            lengths=lengths,
            style_seeds=style_seeds,
            styles=tf.ensure_shape(styles, [None, self._config.style_dim]),
        )

    def _write_codes(self, codes, truncation, style_of, *, lengths, style_seeds, **hands):
        """What both signatures of codes share; style_of: function of a line's seed, truncation and style
        (`hands`) -> float32 [Z].
        """
        codes = codes._replace(
            component_ids=tf.ensure_shape(codes.component_ids, [None, None, 4]),
            boxes=tf.ensure_shape(codes.boxes, [None, None, 4, 4]),
        )
        same = _same_size(
            0, **codes._asdict(), lengths=lengths, **hands, style_seeds=style_seeds, truncation=truncation
        )
        codes = Codes(**_same_size(1, **{name: same[name] for name in Codes._fields}))
        lengths, style_seeds, hands = (
            same['lengths'],
            same['style_seeds'],
            {name: same[name] for name in hands},
        )
        truncation = tf.where(same['truncation'] == -1.0, self._truncation, same['truncation'])
        errors = self._check_codes(codes, lengths)
        for styles in hands.values():
            errors = tf.where(
                (errors == '') & tf.reduce_any(~tf.math.is_finite(styles), axis=1), _WRONG_STYLE, errors
            )
        errors = _check_truncation(truncation, errors)

        def line(components, structures, boxes, characters, length, seed, truncation, *hands):
            codes = Codes(*(value[:length] for value in (components, structures, boxes, characters)))
            return self.lookup.fold(codes), style_of(seed, truncation, *hands), seed, truncation

        answer = self._pictures(line, errors, (*codes, lengths, style_seeds, truncation, *hands.values()))
        rows, digest = self._charset
        return dict(
            answer,
            charset_rows=tf.fill(tf.shape(lengths), tf.constant(rows, tf.int64)),
            charset_hash=tf.fill(tf.shape(lengths), digest),
        )

    def _check_codes(self, codes, lengths):
        """What would stop the whole batch inside the generator, an id beyond its table, is an error of its
        line.
        """
        config, n = self._config, tf.shape(codes.structure_ids)[1]
        inside = tf.sequence_mask(lengths, n)

        def beyond(ids, least, count):
            return (ids < least) | (ids >= count)

        if config.content_encoding == 'onehot':
            wrong = beyond(codes.character_ids, 1, config.num_characters)
            expected = f'expected a character id of 1 to {config.num_characters - 1}'
        else:
            wrong = (
                tf.reduce_any(beyond(codes.component_ids, 0, config.num_components), -1)
                | beyond(codes.structure_ids, 1, config.num_structures)
                | ~tf.reduce_all((codes.boxes >= 0.0) & (codes.boxes <= 1.0), [-2, -1])
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

        unseen, reasons = self.lookup.unseen(codes)
        unseen = unseen & inside
        reason = tf.gather(
            tf.pad(reasons, [[0, 0], [0, 1]], constant_values=''), position(unseen), axis=1, batch_dims=1
        )
        errors = tf.where(tf.reduce_any(unseen, axis=1), tell(unseen, reason), '')
        errors = tf.where(tf.reduce_any(wrong, axis=1), tell(wrong, expected), errors)
        most = tf.minimum(n, self._max_characters)
        return tf.where(
            (lengths < 1) | (lengths > most),
            tf.strings.join(
                ['length ', tf.strings.as_string(lengths), ': expected 1 to ', tf.strings.as_string(most)]
            ),
            errors,
        )

    def styles(self, style_seeds: tf.Tensor) -> dict[str, tf.Tensor]:
        """`styles`: the hands of seeds at truncation 1, for `styled`. int64 [B] -> styles float32 [B, Z]."""

        def draw(seed):
            return self._style(seed, tf.constant(1.0))

        return dict(
            styles=tf.map_fn(
                draw, style_seeds, fn_output_signature=tf.TensorSpec([self._config.style_dim], tf.float32)
            )
        )


def _check_truncation(truncation, errors):
    """Adds to errors string [B] what is wrong with a truncation float32 [B]."""
    sound = tf.math.is_finite(truncation) & (truncation >= 0.0)
    return tf.where((errors == '') & ~sound, 'truncation: expected a number of at least 0', errors)
