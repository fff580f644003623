"""Content encoding `sequence`: structure and components as one row of numbers, HCT-GAN's."""

from typing import Any

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.content.cells import side_by_side
from hwgen.models.content.encoder import ComponentEncoder, Looked
from hwgen.settings.model import CELLS, GeneratorConfig


class SequenceEncoder(ComponentEncoder):
    """Concatenated embeddings -> linear -> 4 x 4 x C: the spread over cells is learned.

    Source: HCT-GAN, section 3, "encoder" (C = 480). Differs: nothing known.
    """

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.spread = layers.Dense(CELLS * CELLS * config.content_channels, name='spread')

    def embed(self, characters: Characters) -> Looked:
        return self.look_up(characters)

    def features(self, embedded: Looked, *, style: tf.Tensor | None = None) -> tuple[tf.Tensor, tuple]:
        components, structures = embedded
        b, n = tf.shape(structures)[0], tf.shape(structures)[1]
        flat = tf.concat([structures, tf.reshape(components, [b, n, 4 * components.shape[-1]])], axis=-1)
        cells = tf.reshape(self.spread(flat), [b, n, CELLS, CELLS, self.config.content_channels])
        return side_by_side(cells), ()
