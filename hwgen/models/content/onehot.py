"""Content encoding `onehot`: a bank of filters, one a character, ScrabbleGAN's."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.content.cells import side_by_side
from hwgen.models.content.encoder import ContentEncoder
from hwgen.settings.model import CELLS, GeneratorConfig

FACTORISED_ABOVE = 500  # characters


class Filters(NamedTuple):
    """Characters as looked up.

    Attributes:
        filters: float32 [B, N, F], rows of the filter bank or of its first factor.
    """

    filters: tf.Tensor


class OneHotEncoder(ContentEncoder):
    """z1 times the filter F_c of character c -> 4 x 4 x C.

    Source: ScrabbleGAN (CVPR 2020), section 3.1. Differs: above 500 characters F_c is factorised (embedding
    of `rank` -> linear), and has num_characters * rank + rank * Z1 * 16 C weights instead of
    num_characters * Z1 * 16 C. With `filter_mean` z1 has a mean (ours): over styles of mean 0, z1 F_c is 0
    for every c, so that a recogniser has no letter to pull at until all styles have learned one each.

    Args:
        config: GeneratorConfig.
        rank: rank of the factorised filter bank.
    """

    reads_style = True

    def __init__(self, config: GeneratorConfig, *, rank: int = 64, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.rank = rank
        full = config.style_part_dim * CELLS * CELLS * config.content_channels
        self.factorised = config.num_characters > FACTORISED_ABOVE
        self.filters = layers.Embedding(
            config.num_characters, rank if self.factorised else full, name='filters'
        )
        if self.factorised:
            self.unfold = layers.Dense(
                full,
                use_bias=False,
                kernel_initializer=keras.initializers.RandomNormal(stddev=rank**-0.5),
                name='unfold',
            )

    def embed(self, characters: Characters) -> Filters:
        return Filters(self.filters(characters.character_ids))

    def features(self, embedded: Filters, *, style: tf.Tensor | None = None) -> tuple[tf.Tensor, tuple]:
        config, filters = self.config, embedded.filters
        b, n = tf.shape(filters)[0], tf.shape(filters)[1]
        if self.factorised:
            filters = self.unfold(filters)
        filters = tf.reshape(filters, [b, n, config.style_part_dim, CELLS * CELLS * config.content_channels])
        # z1 is N(0, 1): the product's variance stays at one
        cells = tf.einsum('bz,bnzf->bnf', style, filters) * config.style_part_dim**-0.5
        if config.filter_mean:  # as if the first number of z1 had the mean sqrt(Z1)
            cells += filters[:, :, 0]
        return side_by_side(tf.reshape(cells, [b, n, CELLS, CELLS, config.content_channels])), ()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), 'rank': self.rank}
