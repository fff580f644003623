"""Characters between characters: the content that lies on the way from one text to another, written in one
hand.

HCT-GAN (ICPR 2022) interpolates between styles; here the embeddings of components and structure, and the
boxes, are interpolated (see `ContentEncoder.interpolate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.images import to_uint8
from hwgen.inference import styles as style_space
from hwgen.inference.description import DEFAULT_TRUNCATION

if TYPE_CHECKING:
    from hwgen.inference.writer import Writer


class ContentInterpolation:
    """Writes what lies between two texts of equal length, character by character.

    Args:
        writer: Writer, whose generator writes.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        spec = tf.TensorSpec
        # One trace for all lengths, as the writer's own.
        self._generate = tf.function(
            self._draw,
            input_signature=[
                Characters.specs(1),
                Characters.specs(1),
                spec([], tf.float32),
                spec([1, writer.style_dim], tf.float32),
                spec([1, None, writer.character_noise_dim], tf.float32),
            ],
        )

    def write(
        self,
        first: str,
        second: str,
        *,
        steps: int,
        style_seed: int = 0,
        style: np.ndarray | None = None,
        truncation: float = DEFAULT_TRUNCATION,
        noise_offset: int = 0,
    ) -> list[np.ndarray]:
        """Writes the way from one text to another.

        Args:
            first, second: str of as many characters, at most the writer's `window_characters`; sequences of
                components stand for one each.
            steps: int >= 2, pictures including both ends.
            style_seed, style, truncation, noise_offset: as in `Writer.stream`: one hand, and at each place
                one character noise, all the way.

        Returns:
            list of uint8 [char_px, N * char_width_px], 255 = paper; the ends are what `Writer.write` gives
                for the texts in layout `cells`, but for a grey level where the last bits decide about
                rounding.

        Raises:
            CharsetError: as `Writer.encode`.
            ValueError: texts of different or too large length, fewer than 2 steps.
        """
        writer, ends = self._writer, [self._writer.encode(text) for text in (first, second)]
        n = len(ends[0].units)
        if len(ends[1].units) != n or n > writer.window_characters:
            raise ValueError(
                f'from {first!r} to {second!r}: {n} and {len(ends[1].units)} characters, expected equally'
                f' many, {writer.window_characters} at most'
            )
        if steps < 2:
            raise ValueError(f'interpolation of {steps} steps: expected at least 2, the two ends')
        if style is None:
            (style,) = writer.styles([style_seed], truncation=truncation)
        noise = style_space.character_noise(
            style_seed,
            noise_offset,
            noise_offset + n,
            character_noise_dim=writer.character_noise_dim,
            truncation=truncation,
        )
        coded = [tf.nest.map_structure(tf.constant, Characters.stack([end.characters])) for end in ends]
        return [
            to_uint8(
                self._generate(
                    *coded,
                    tf.constant(share),
                    tf.constant(np.asarray([style], np.float32)),
                    tf.constant(noise[np.newaxis]),
                ).numpy()[0, ..., 0]
            )
            for share in np.linspace(0.0, 1.0, steps, dtype=np.float32)
        ]

    def _draw(self, first, second, share, style, normal):
        generator = self._writer.generator
        encoder = generator.content_encoder
        noises = [generator.drawn_noise(characters, style, normal) for characters in (first, second)]
        noise = (1.0 - share) * noises[0] + share * noises[1]
        ends = [encoder.embed(characters) for characters in (first, second)]
        content = encoder.features(encoder.interpolate(*ends, share), style=generator.content_style(style))
        blank, other = (generator.blank(characters) for characters in (first, second))
        if blank is not None:  # on the way to or from a space something is written
            blank = tf.where(share <= 0.0, blank, tf.where(share >= 1.0, other, blank & other))
        return generator.draw(content, style, lengths=first.lengths, blank=blank, character_noise=noise)
