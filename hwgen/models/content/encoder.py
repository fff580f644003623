"""Content encoder: the components and structure of each character become a 4 x 4 cell of features.

HCT-GAN (ICPR 2022), section 3, "encoder".
"""

import abc
import dataclasses
import math
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.settings.model import GeneratorConfig
from hwgen.settings.setting import from_stored


class Looked(NamedTuple):
    """Characters as looked up, before anything is learned of how they come together.

    Attributes:
        components: float32 [B, N, 4, D].
        structures: float32 [B, N, S].
    """

    components: tf.Tensor
    structures: tf.Tensor


class ContentEncoder(Composite, keras.layers.Layer, abc.ABC):
    """Characters -> features [B, 4, 4N, C]. An encoding is a subclass: it says what is looked up (`embed`)
    and how features come of it (`features`).

    The call has two halves so that what lies between two texts can be written (`interpolate`).

    Args:
        config: GeneratorConfig.

    Attributes:
        config: the same.
        reads_style: bool, the features depend on z1 already, so that it is not joined to them.
    """

    reads_style = False

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(**kwargs)
        self.config = config

    @abc.abstractmethod
    def embed(self, characters: Characters) -> Any:
        """The first half of the call: looks the characters up.

        Args:
            characters: Characters.

        Returns:
            NamedTuple of float32 tensors [B, N, ...], the encoding's own.
        """

    def describe(self, characters: Characters) -> tf.Tensor:
        """What is looked up of each character, in one row: float32 [B, N, F]."""
        b, n = tf.unstack(tf.shape(characters.structure_ids))
        return tf.concat(
            [tf.reshape(part, [b, n, math.prod(part.shape[2:])]) for part in self.embed(characters)],
            -1,
        )

    @abc.abstractmethod
    def features(self, embedded: Any, *, style: tf.Tensor | None = None) -> tuple[tf.Tensor, tuple]:
        """The second half of the call.

        Args:
            embedded: what `embed` looked up, or `interpolate` found between two.
            style: float32 [B, Z1], for those that read it (`reads_style`).

        Returns:
            As the call.
        """

    def interpolate(self, first: Any, second: Any, share: float | tf.Tensor) -> Any:
        """What lies on the straight line between two texts, each part by itself.

        Args:
            first, second: what `embed` gives, of one shape.
            share: float32 [], 0: the first, exactly; 1: the second.

        Returns:
            The same kind of NamedTuple.
        """
        return type(first)(*((1.0 - share) * a + share * b for a, b in zip(first, second, strict=True)))

    def component_boxes(self, characters: Characters) -> tf.Tensor:
        """Where the encoding puts each component within its character: float32 [B, N, 4, 4], x0, y0, x1, y1
        in [0, 1], anything where a slot is unused; here the template boxes of the structures.
        """
        return characters.boxes

    def call(
        self, characters: Characters, style: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        """Encodes a batch of lines.

        Args:
            characters: Characters.
            style: float32 [B, Z1], for those that read it (`reads_style`).

        Returns:
            float32 [B, 4, 4N, C]; tuple of finer maps, where the encoding has any: float32 [B, 8, 8N, C1],
            [B, 16, 16N, C2], ...
        """
        return self.features(self.embed(characters), style=style)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of: the sizes as a dict of plain values."""
        return {**super().get_config(), 'config': dataclasses.asdict(self.config)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'ContentEncoder':
        """One like that whose `get_config` this is, with weights of its own."""
        return super().from_config({**config, 'config': from_stored(GeneratorConfig, config['config'])})


class ComponentEncoder(ContentEncoder):
    """A content encoder that embeds components and structure (structure 128, components 256 in the paper)."""

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.structure_embedding = layers.Embedding(
            config.num_structures, config.structure_dim, name='structure_embedding'
        )
        self.component_embedding = layers.Embedding(
            config.num_components, config.component_dim, name='component_embedding'
        )

    def look_up(self, characters: Characters) -> Looked:
        """The embeddings of components and structures."""
        return Looked(
            components=self.component_embedding(characters.component_ids),
            structures=self.structure_embedding(characters.structure_ids),
        )
