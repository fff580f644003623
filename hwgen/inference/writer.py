"""Writer: text (or sequences of components) and a style become images of handwritten lines, of any length.

A line is written in windows anchored at absolute character indices: window w holds characters w * W .. (w +
1) * W - 1 and is computed with as many characters of context on both sides as can change its pixels (none
beyond the line's ends). So memory does not grow with the line, and a line's bytes depend on nothing but its
text, its style and the model.
"""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from hwgen import console
from hwgen.characters import Characters
from hwgen.charset.character_table import space_component
from hwgen.charset.encoding import Charset, EncodedText
from hwgen.images import to_uint8
from hwgen.inference import line_layout
from hwgen.inference import styles as style_space
from hwgen.inference.artefact import load_generator
from hwgen.inference.description import DEFAULT_TRUNCATION
from hwgen.inference.hand_file import digest_of, load_hand
from hwgen.inference.line_layout import WrittenLine
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.inference.repertoire import Repertoire, as_texts
from hwgen.inference.windows import Window, batched, inputs_of, lines_to_write, windows_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hwgen.models.generator import Generator
    from hwgen.models.style_encoder import StyleEncoder

WINDOW_CHARACTERS = 32


class Writer:
    """Writes with a trained generator.

    Args:
        generator: Generator, built; see `hwgen.models.generator`.
        charset: Charset whose ids the generator was trained with: the table as it was then
            (`Charset.prefix`).
        style_encoder: StyleEncoder or None, for `imitation`.
        description: dict, what the artefact says of itself.
        allow_unseen: bool, characters that no training picture showed, nor their parts, are written all the
            same; without it they are refused.
        tell: function of a str, told once where such a character is written; None: nobody.
        window_characters: int, W. Other values give the same picture within 1e-4, not the same bytes.
        windows_per_step: int, windows computed together; None for 1 on a CPU, which loses nothing by it, and
            32 on a GPU. Every step has exactly this many, blank ones included, so that a window's bytes
            depend neither on its neighbours in the step nor on how many there are.
        layout: 'cells': each character is as wide as the next; 'spaced': each has the room that it takes,
            for models that have learned it; None: as the model was trained.

    Attributes:
        char_px, char_width_px: int, size of a character's cell in pixels.
        learned_room: bool, the generator has learned how much room characters take.
        layout: 'cells' or 'spaced', how they stand on a line.
        style_dim, character_noise_dim: int, sizes of a style and of the noise of each character.
        repertoire: Repertoire, what this model can write.
    """

    def __init__(
        self,
        generator: Generator,
        charset: Charset,
        *,
        style_encoder: StyleEncoder | None = None,
        description: dict[str, Any] | None = None,
        allow_unseen: bool = False,
        tell: Callable[[str], object] | None = console.warn,
        window_characters: int = WINDOW_CHARACTERS,
        windows_per_step: int | None = None,
        layout: str | None = None,
    ) -> None:
        if window_characters < 1:
            raise ValueError(f'window_characters={window_characters}: expected at least 1')
        if windows_per_step is None:
            windows_per_step = 32 if tf.config.list_physical_devices('GPU') else 1
        if windows_per_step < 1:
            raise ValueError(f'windows_per_step={windows_per_step}: expected at least 1')
        self.generator = generator
        # a space is blank paper, whatever was learned of it
        generator.space_component = space_component(charset)
        self.charset = charset
        self.style_encoder = style_encoder
        self.description = description or {}
        self.repertoire = Repertoire(
            charset, generator.config, seen=self.description.get('seen'), allow_unseen=allow_unseen, tell=tell
        )
        self.char_px = generator.config.char_px
        self.char_width_px = generator.config.char_width_px or generator.config.char_px
        self.style_dim = generator.config.style_dim
        self.character_noise_dim = generator.config.character_noise_dim
        self.learned_room = generator.config.layout == 'spaced'
        self.layout = line_layout.chosen(layout, generator.config.layout)
        self.window_characters = window_characters
        self.windows_per_step = windows_per_step
        # A GPU looks for its fastest kernels anew for every shape, so it gets few shapes; a CPU computes no
        # padding.
        self._width_step = 1 if windows_per_step == 1 else 8
        self._generate = self._compile()

    @classmethod
    def load(
        cls, path: str | os.PathLike[str] = DEFAULT_MODEL, charset: Charset | None = None, **options: Any
    ) -> Writer:
        """Reads a trained generator.

        Args:
            path: str, folder that `save_generator` wrote, or a run; by default the model that ships, wherever
                this is called from.
            charset: Charset, or None for the packaged one; the Writer has it as it was when the model was
                trained, so that what is appended to the table changes nothing that this model writes.
            **options: allow_unseen, tell, window_characters, windows_per_step, layout.

        Raises:
            ArtefactError: naming the file and what was expected.
            CharsetMismatchError: the model was trained with another table of characters.
        """
        charset = Charset.load() if charset is None else charset
        generator, style_encoder, description = load_generator(find_model(path), charset=charset)
        return cls(
            generator,
            charset.prefix(description['charset']['row_count']),
            style_encoder=style_encoder,
            description=description,
            **options,
        )

    def encode(self, text: str, *, quotes_before: int = 0) -> EncodedText:
        """Text -> codes that this model can write: EncodedText.

        Raises CharsetError. See `Repertoire.encode`.
        """
        return self.repertoire.encode(text, quotes_before=quotes_before)

    def can_write(self, encoded: EncodedText) -> np.ndarray:
        """Which characters of a text this model has learned to write.

        EncodedText -> bool [N]; `encode` refuses the others.
        """
        return self.repertoire.can_write(encoded)

    def styles(self, seeds: ArrayLike, *, truncation: float = DEFAULT_TRUNCATION) -> np.ndarray:
        """Style vectors of seeds. int [B] -> float32 [B, Z]; see `styles_from_seeds` and the generator's
        `StyleSpace`.
        """
        return self._in_style_space(
            style_space.styles_from_seeds(seeds, self.style_dim, truncation=truncation)
        )

    def styles_between(
        self, first: int, second: int, *, steps: int, truncation: float = DEFAULT_TRUNCATION
    ) -> np.ndarray:
        """Style vectors from the hand of one seed to that of another, both included: float32 [steps, Z];
        see `interpolate_styles`.
        """
        ends = style_space.styles_from_seeds([first, second], self.style_dim, truncation=truncation)
        return self._in_style_space(style_space.interpolate_styles(*ends, steps=steps))

    def digest(self) -> str:
        """SHA-256 of the generator's weights: by it a hand file knows its model."""
        return digest_of(variable.numpy() for variable in self.generator.variables)

    def hand(self, path: str | os.PathLike[str]) -> np.ndarray:
        """The hand of a file that `imitate` saved, for `write(..., styles=)`: float32 [Z]; or HandError."""
        hand = load_hand(path)
        hand.check_model(self.digest())
        return hand.style

    def _in_style_space(self, normal):
        # One by one: the last bit of a product of matrices depends on how many rows it has.
        return np.reshape(
            [self.generator.style_space(row[np.newaxis]) for row in normal], normal.shape
        ).astype(np.float32)

    def write(
        self,
        texts: str | Sequence[str],
        *,
        style_seeds: int | Sequence[int] | np.ndarray = 0,
        styles: ArrayLike | None = None,
        truncation: float = DEFAULT_TRUNCATION,
        noise_offsets: int | Sequence[int] = 0,
        quotes_before: int | Sequence[int] = 0,
        height_px: int | None = None,
    ) -> list[np.ndarray]:
        """Writes lines.

        Args:
            texts: sequence of str, or one str.
            style_seeds: int, or a sequence of one int a line, in [0, 2^64): style and character noise.
            styles: float32 [Z] or [B, Z], in place of the styles of the seeds (which keep drawing character
                noise).
            truncation: float >= 0, standard deviation of what seeds draw; `styles` are taken as they are.
            noise_offsets: int, or one a line: place of the first character in a longer text (the lines of a
                page), so that equal characters on different lines differ.
            quotes_before: int, or one a line: plain quotation marks (") before it in a longer text, see
                `Repertoire.fold`.
            height_px: int, height of the lines; None: char_px. Higher ones stay sharp up to 256 px
                (`hwgen.inference.enlargement`).

        Returns:
            list of uint8 [height_px, W], 255 = paper; W is N * char_width_px in layout `cells`, as written.

        Raises:
            CharsetError: as `encode`; TypeError: something else than texts; ValueError: numbers of texts,
                seeds, styles differ, or the model's weights give values that are not finite.
        """
        written = self.write_lines(
            texts,
            style_seeds=style_seeds,
            styles=styles,
            truncation=truncation,
            noise_offsets=noise_offsets,
            quotes_before=quotes_before,
            height_px=height_px,
        )
        return [line.image for line in written]

    def write_lines(
        self,
        texts: str | Sequence[str],
        *,
        style_seeds: int | Sequence[int] | np.ndarray = 0,
        styles: ArrayLike | None = None,
        truncation: float = DEFAULT_TRUNCATION,
        noise_offsets: int | Sequence[int] = 0,
        quotes_before: int | Sequence[int] = 0,
        height_px: int | None = None,
    ) -> list[WrittenLine]:
        """Writes lines and says where their characters stand. Arguments and errors: see `write`."""
        lines = self._lines(texts, style_seeds, styles, truncation, noise_offsets, quotes_before)
        images = [np.empty([self.char_px, line.length * self.char_width_px], np.uint8) for line in lines]
        advances = [np.empty([line.length], np.float32) for line in lines]
        windows = [(index, window) for index, line in enumerate(lines) for window in self._windows(line)]
        # Only windows of one width share a step: a wider neighbour would change the shapes a window is
        # computed in.
        windows.sort(key=lambda item: self._padded_width(item[1]))
        for _, group in itertools.groupby(windows, key=lambda item: self._padded_width(item[1])):
            for step in batched(group, self.windows_per_step):
                for (index, window), (pixels, room) in zip(
                    step, self._render([window for _, window in step]), strict=True
                ):
                    left = window.start * self.char_width_px
                    images[index][:, left : left + pixels.shape[1]] = to_uint8(pixels)
                    advances[index][window.start : window.stop] = room
        return [self._lay_out(*line).at_height(height_px) for line in zip(images, advances, strict=True)]

    def stream(
        self,
        text: str,
        *,
        style_seed: int = 0,
        style: ArrayLike | None = None,
        truncation: float = DEFAULT_TRUNCATION,
        noise_offset: int = 0,
        height_px: int | None = None,
    ) -> Iterator[np.ndarray]:
        """Writes one line window by window; memory does not grow with the line.

        Args:
            text: str.
            style_seed, style, truncation, noise_offset, height_px: as in `write`, for one line.

        Yields:
            uint8 [height_px, w], of layout `cells` as it is written n * char_width_px wide, n <=
            window_characters; side by side they are the line of `write`.

        Raises:
            As `write`, before the first window.
        """
        (line,) = self._lines([text], style_seed, style, truncation, noise_offset)

        def windows():
            for _, group in itertools.groupby(self._windows(line), key=self._padded_width):
                for step in batched(group, self.windows_per_step):
                    for pixels, advances in self._render(step):
                        yield to_uint8(pixels), advances

        if self.layout == 'spaced':
            pieces = line_layout.in_pieces(windows(), **self._cells)
        else:
            pieces = (cells for cells, _ in windows())
        return line_layout.pieces_at_height(pieces, height_px, char_px=self.char_px)

    def advances(
        self,
        text: str,
        *,
        style_seed: int = 0,
        truncation: float = DEFAULT_TRUNCATION,
        style: ArrayLike | None = None,
        noise_offset: int = 0,
    ) -> np.ndarray:
        """How much room each character of a text takes in a hand, without writing it: float32 [N], in heights
        of the line. Arguments and errors: see `stream`.
        """
        (line,) = self._lines([text], style_seed, style, truncation, noise_offset)
        if self.layout == 'cells':
            return np.full([line.length], self.char_width_px / self.char_px, np.float32)
        whole = Window(line, 0, line.length, 0, line.length)
        characters, of_hand, normal = inputs_of([whole], 1, line.length, self.character_noise_dim)
        noise = self.generator.drawn_noise(characters, of_hand, normal)
        return np.exp(self.generator.log_advances(characters, of_hand, noise).numpy()[0])

    def in_cells(self) -> Writer:
        """This writer, or one like it that gives each character as much room as the next."""
        if self.layout == 'cells':
            return self
        other = copy.copy(self)
        other.layout = 'cells'
        other._generate = other._compile()
        return other

    def boxes(self, num_characters: int) -> np.ndarray:
        """Cells of the characters of a line of layout `cells`: int32 [N, 4], x0, y0, x1, y1 in pixels of the
        image as written; ValueError for layout `spaced`. `write_lines` has those of any layout.
        """
        if self.layout != 'cells':
            raise ValueError(f"boxes of layout {self.layout!r}: expected 'cells'; see `write_lines`")
        return line_layout.even_boxes(num_characters, **self._cells)

    @property
    def _cells(self):
        return dict(char_px=self.char_px, char_width_px=self.char_width_px)

    def _lay_out(self, cells, advances):
        if self.layout == 'spaced':
            return line_layout.spaced(cells, advances, **self._cells)
        return WrittenLine(cells, line_layout.even_boxes(len(advances), **self._cells))

    def _lines(self, texts, style_seeds, styles, truncation, noise_offsets, quotes_before=0):
        return lines_to_write(
            as_texts(texts),
            style_seeds,
            styles,
            truncation=truncation,
            noise_offsets=noise_offsets,
            quotes_before=quotes_before,
            encode=self.encode,
            styles_of=lambda seeds: self.styles(seeds, truncation=truncation),
            style_dim=self.style_dim,
        )

    def _windows(self, line):
        return windows_of(line, self.window_characters, context=self.generator.context_characters)

    def _padded_width(self, window):
        return -(-(window.last - window.first) // self._width_step) * self._width_step

    def _render(self, windows):
        """At most `windows_per_step` windows of one width -> list of float32 [char_px, n * char_width_px] and
        advances float32 [n], which are those of equal cells where none are learned.
        """
        n = self._padded_width(windows[0])
        images, log_advances = self._generate(
            *inputs_of(windows, self.windows_per_step, n, self.character_noise_dim)
        )
        images = images.numpy()[..., 0]  # B x H x (N w) x 1 -> B x H x (N w)
        rooms = np.exp(log_advances.numpy())
        return [  # the last windows of a step may be blank
            window.own_part(image, room, char_width_px=self.char_width_px)
            for image, room, window in zip(images, rooms, windows, strict=False)
        ]

    def _compile(self):
        """One trace for all widths and batch sizes."""
        spec = tf.TensorSpec
        signature = [
            Characters.specs(),
            spec([None, self.style_dim], tf.float32),
            spec([None, None, self.character_noise_dim], tf.float32),
        ]

        def drawn(characters, style, normal):
            return self.draw(characters, style, self.generator.drawn_noise(characters, style, normal))

        return tf.function(drawn, input_signature=signature).get_concrete_function()

    def draw(
        self, characters: Characters, style: tf.Tensor, character_noise: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What the generator says of a batch: float32 [B, char_px, N * char_width_px, 1] in [-1, 1], and the
        logarithms of the advances, float32 [B, N]; of equal cells in layout `cells`.
        """
        image = self.generator(characters, style=style, character_noise=character_noise, training=False)
        if self.layout == 'spaced':
            return image, self.generator.log_advances(characters, style, character_noise)
        even = tf.math.log(self.char_width_px / self.char_px)
        return image, tf.fill(tf.shape(characters.structure_ids), tf.cast(even, tf.float32))
