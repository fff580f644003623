"""Layers that every module is built from: masked, spectrally normalised if asked for, equal on one replica
and on many.

The names of this package are those of its modules: `layers.Conv2D` is `layers.linear.Conv2D`.
"""

from hwgen.models.layers.attention import WindowedSelfAttention
from hwgen.models.layers.embedding import Embedding
from hwgen.models.layers.linear import Conv2D, Dense, multiply_in
from hwgen.models.layers.masks import apply_mask, column_mask
from hwgen.models.layers.normalization import BatchNormalization, batch_normalizations
from hwgen.models.layers.resampling import downsample, enlarge, shift_columns, shift_rows, upsample
from hwgen.models.layers.spectral import spectral_norm
from hwgen.models.layers.style_space import StyleSpace

__all__ = [
    'BatchNormalization',
    'Conv2D',
    'Dense',
    'Embedding',
    'StyleSpace',
    'WindowedSelfAttention',
    'apply_mask',
    'batch_normalizations',
    'column_mask',
    'downsample',
    'enlarge',
    'multiply_in',
    'shift_columns',
    'shift_rows',
    'spectral_norm',
    'upsample',
]
