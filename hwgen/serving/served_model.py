"""ServedModel: a generator with its tables as a TensorFlow module whose signatures take texts and give
pictures.

Every line is written by itself, in the windows of `hwgen.inference.writer`, each computed alone and without
padding: so a request's picture does not depend on what else is in its batch, and equals what the Writer
writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from hwgen.characters import CODES, Characters
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.writer import WINDOW_CHARACTERS
from hwgen.serving import drawn_styles, spaced_line
from hwgen.serving.input_checks import character_errors, check_truncation, same_size
from hwgen.serving.text_lookup import TextLookup

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer

MAX_CHARACTERS = 256
SIGNATURES = ('serving_default', 'styled', 'images', 'components', 'styled_components', 'styles')

_WRONG_STYLE = 'style: expected finite numbers'


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
        self._config, self._layout = generator.config, writer.layout
        self._truncation = tf.constant(truncation, tf.float32)
        self._max_characters = max_characters
        blank = tf.fill([self._config.char_px, self._config.char_width_px, 1], tf.constant(255, tf.uint8))
        self._placeholder = tf.io.encode_png(blank).numpy()
        self._window = self._trace_window()

    def _trace_window(self):
        """The generator for one window: traced once, called by every signature."""
        config, spec = self._config, tf.TensorSpec
        signature = [
            Characters.line_specs(),
            spec([config.style_dim]),
            spec([None, config.character_noise_dim]),
        ]

        @tf.function(input_signature=signature)
        def window(characters, style, normal):
            batch, hands = characters.as_batch(), style[tf.newaxis]
            noise = self._generator.drawn_noise(batch, hands, normal[tf.newaxis])
            hand = dict(style=hands, character_noise=noise)
            image = self._generator(batch, training=False, **hand)
            image = image[0, :, :, 0]  # 1 x H x (N w) x 1 -> H x (N w)
            if self._layout == 'spaced':
                return image, self._generator.log_advances(batch, **hand)[0]
            return image, tf.zeros([tf.shape(normal)[0]])

        return window

    def _draw(self, characters, style, seed, truncation):
        """A line of N >= 1 characters -> float32 [char_px, W]; int32 [N, 4], boxes."""
        context, width = self._generator.context_characters, self._config.char_width_px
        n = characters.lengths
        noise = truncation * drawn_styles.character_noise(
            seed, n, character_noise_dim=self._config.character_noise_dim
        )

        def write(index, parts, rooms):
            start = index * WINDOW_CHARACTERS
            stop = tf.minimum(start + WINDOW_CHARACTERS, n)
            first, last = tf.maximum(start - context, 0), tf.minimum(stop + context, n)
            image, room = self._window(characters.part(first, last), style, noise[first:last])
            image = image[:, (start - first) * width : (stop - first) * width]
            parts = parts.write(index, tf.transpose(image))  # H x (n w) -> (n w) x H
            return index + 1, parts, rooms.write(index, room[start - first : stop - first])

        num_windows = -(-n // WINDOW_CHARACTERS)
        parts = tf.TensorArray(
            tf.float32, num_windows, infer_shape=False, element_shape=[None, self._config.char_px]
        )
        rooms = tf.TensorArray(tf.float32, num_windows, infer_shape=False, element_shape=[None])
        _, parts, rooms = tf.while_loop(lambda index, *_: index < num_windows, write, [0, parts, rooms])
        cells = tf.transpose(parts.concat())  # (N w) x H -> H x (N w)
        if self._layout == 'spaced':
            return spaced_line.spaced(
                cells, rooms.concat(), char_px=self._config.char_px, char_width_px=width
            )
        left = tf.range(n) * width
        height = tf.fill([n], self._config.char_px)
        return cells, tf.stack([left, tf.zeros_like(left), left + width, height], axis=1)

    def _style(self, seed, truncation):
        """The hand of a seed. -> float32 [Z]"""
        normal = truncation * drawn_styles.style_of_seed(seed, self._config.style_dim)
        return self._generator.style_space(normal[tf.newaxis])[0]

    def _towards_average(self, style, truncation):
        """A hand float32 [Z] brought nearer to the average one. -> float32 [Z]"""
        return style + (1.0 - truncation) * (tf.convert_to_tensor(self._generator.style_space.mean) - style)

    def _picture(self, characters, style, seed, truncation, error):
        """One line -> PNG, error: what came with it, or that the weights or the style gave no picture."""
        image, _ = self._draw(characters, style, seed, truncation)
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

    def _pictures(self, line_of, errors, elements):
        """Lines -> image_bytes, error; lines with an error get the placeholder.

        Args:
            line_of: function of a line's elements -> Characters, style, seed, truncation.
            errors: string [B].
            elements: tuple of tensors [B, ...] or Characters.
        """

        def write(error, *element):
            return tf.cond(
                error == '',
                lambda: self._picture(*line_of(*element), error),
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
        styles = spec([None, config.style_dim], tf.float32, 'styles')
        truncation = spec([None], tf.float32, 'truncation')
        characters = Characters.specs(names=True)
        inputs = dict(
            serving_default=[texts, seeds],
            styled=[texts, styles, truncation],
            images=[texts, seeds],
            components=[characters, seeds, truncation],
            styled_components=[characters, styles, seeds, truncation],
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
        texts, style_seeds = same_size(0, texts=texts, style_seeds=style_seeds).values()
        found = self.lookup.look_up(texts)

        def line(rows, length, seed):
            return (
                self.lookup.characters_of(rows[:length]),
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
        texts, styles, truncation = same_size(0, texts=texts, styles=styles, truncation=truncation).values()
        styles = tf.ensure_shape(styles, [None, self._config.style_dim])
        found = self.lookup.look_up(texts)
        wrong = tf.reduce_any(~tf.math.is_finite(styles), axis=1)
        errors = tf.where((found.errors == '') & wrong, _WRONG_STYLE, found.errors)
        errors = check_truncation(truncation, errors)

        def line(rows, length, style, truncation):
            return (
                self.lookup.characters_of(rows[:length]),
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
        texts, style_seeds = same_size(0, texts=texts, style_seeds=style_seeds).values()
        found = self.lookup.look_up(texts)
        height, most = self._config.char_px, tf.maximum(tf.reduce_max(found.lengths), 1)

        def line(rows, length, seed):
            def written():
                pixels, boxes = self._draw(
                    self.lookup.characters_of(rows[:length]),
                    self._style(seed, self._truncation),
                    seed,
                    self._truncation,
                )
                return tf.transpose(pixels), boxes  # H x W -> W x H, so that lines can be ragged

            return tf.cond(
                length > 0,
                written,
                lambda: (tf.ones([0, height]), tf.zeros([0, 4], tf.int32)),
            )

        pixels, boxes = tf.map_fn(
            lambda one: line(*one),
            (found.rows, found.lengths, style_seeds),
            fn_output_signature=(
                tf.RaggedTensorSpec([None, height], tf.float32, ragged_rank=0),
                tf.RaggedTensorSpec([None, 4], tf.int32, ragged_rank=0),
            ),
        )
        widths = tf.cast(pixels.row_lengths(), tf.int32)
        # at least a cell, where no text can be written
        images = tf.transpose(_padded(pixels, self._config.char_width_px, 1.0), [0, 2, 1])
        return dict(
            images=images[..., tf.newaxis],
            widths=widths,
            boxes=_padded(boxes, most, 0),
            error=found.errors,
        )

    def write_components(
        self, characters: Characters, style_seeds: tf.Tensor, truncation: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """`components`: any glyph that components describe, by its codes (`hwgen.charset`, `EncodedText`).

        Args:
            characters: Characters; what lies beyond a line's length is not read, and `character_ids` by
                content encoding `onehot` alone. Each of its fields is an input of the signature.
            style_seeds: int64 [B].
            truncation: float32 [B], of style and character noise; -1 for that of `serving_default`.

        Returns:
            dict of image_bytes string [B], error string [B], charset_rows int64 [B] and charset_hash string
            [B], the table that the ids belong to.
        """
        return self._write_characters(characters, truncation, self._style, style_seeds=style_seeds)

    def write_styled_components(
        self, characters: Characters, styles: tf.Tensor, style_seeds: tf.Tensor, truncation: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """`styled_components`: any glyph, in a hand that is a vector.

        Args:
            characters: see `write_components`.
            styles: float32 [B, Z], see `write_styled`.
            style_seeds: int64 [B], of the character noise.
            truncation: float32 [B], as that of `write_styled`; -1 for that of `serving_default`.

        Returns:
            see `write_components`.
        """
        return self._write_characters(
            characters,
            truncation,
            lambda _, truncation, style: self._towards_average(style, truncation),
            style_seeds=style_seeds,
            styles=tf.ensure_shape(styles, [None, self._config.style_dim]),
        )

    def _write_characters(self, characters, truncation, style_of, *, style_seeds, **hands):
        """What both signatures of components share; style_of: function of a line's seed, truncation and style
        (`hands`) -> float32 [Z].
        """
        characters = characters._replace(
            component_ids=tf.ensure_shape(characters.component_ids, [None, None, 4]),
            boxes=tf.ensure_shape(characters.boxes, [None, None, 4, 4]),
        )
        same = same_size(0, **characters._asdict(), **hands, style_seeds=style_seeds, truncation=truncation)
        characters = Characters(
            **same_size(1, **{name: same[name] for name in CODES}), lengths=same['lengths']
        )
        style_seeds, hands = same['style_seeds'], {name: same[name] for name in hands}
        truncation = tf.where(same['truncation'] == -1.0, self._truncation, same['truncation'])
        errors = character_errors(
            characters, config=self._config, lookup=self.lookup, max_characters=self._max_characters
        )
        for styles in hands.values():
            errors = tf.where(
                (errors == '') & tf.reduce_any(~tf.math.is_finite(styles), axis=1), _WRONG_STYLE, errors
            )
        errors = check_truncation(truncation, errors)

        def line(characters, seed, truncation, *hands):
            characters = self.lookup.fold(characters.part(0, characters.lengths))
            return characters, style_of(seed, truncation, *hands), seed, truncation

        answer = self._pictures(line, errors, (characters, style_seeds, truncation, *hands.values()))
        rows, digest = self._charset
        return dict(
            answer,
            charset_rows=tf.fill(tf.shape(style_seeds), tf.constant(rows, tf.int64)),
            charset_hash=tf.fill(tf.shape(style_seeds), digest),
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


def _padded(ragged, least, value):
    """Ragged rows [B, (W), C] as a tensor [B, max(W, least), C], with a value behind each."""
    rows = ragged.to_tensor(value)
    return tf.pad(
        rows, [[0, 0], [0, tf.maximum(least - tf.shape(rows)[1], 0)], [0, 0]], constant_values=value
    )
