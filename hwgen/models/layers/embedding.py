"""A lookup table for ids of which 0 is padding."""

from typing import Any

import keras
import tensorflow as tf


class Embedding(keras.layers.Layer):
    """Lookup table with unit-variance rows and an exact zero row for id 0 (padding).

    Unit variance because the content is read next to N(0, 1) noise: with Keras' uniform(+-.05) the noise
    drowns it and every character becomes the same blob.

    Args:
        num_rows: int, rows of the table, row 0 (padding) included.
        units: int, size of a row.
    """

    def __init__(self, num_rows: int, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_rows = num_rows
        self.units = units

    def build(self, input_shape: Any) -> None:
        """Makes the table."""
        self.table = self.add_weight(
            shape=(self.num_rows, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name='table',
        )

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """int32 [...] -> float32 [..., units]; zeros for id 0."""
        rows = tf.gather(tf.convert_to_tensor(self.table), ids)
        return rows * tf.cast(ids > 0, rows.dtype)[..., tf.newaxis]
