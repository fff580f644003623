"""Content encoding `layout`: components on the cells where the structure has its boxes."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.content.cells import overlap_with_cells, side_by_side
from hwgen.models.content.encoder import ComponentEncoder
from hwgen.settings.model import CELLS, GeneratorConfig


def placement(boxes: tf.Tensor, component_ids: tf.Tensor) -> tf.Tensor:
    """Which slot stands on which cell.

    A cell takes the component whose box covers it most; of equal ones the later slot wins (an enclosed
    component stands before its enclosure). A slot that no cell takes is summed into the cells its box covers
    most, so that no component is lost.

    Args:
        boxes: float32 [..., 4 slots, 4], x0, y0, x1, y1 in [0, 1], origin top left; zeros for an unused slot.
        component_ids: int32 [..., 4], 0 for an unused slot.

    Returns:
        float32 [..., 4 slots, 4 rows, 4 columns] of 0 and 1.
    """
    x0, y0, x1, y1 = tf.unstack(boxes, axis=-1)
    rows, columns = overlap_with_cells(y0, y1), overlap_with_cells(x0, x1)
    area = rows[..., :, tf.newaxis] * columns[..., tf.newaxis, :]  # ... x 4 slots x 4 x 4
    used = tf.cast(component_ids > 0, tf.float32)[..., tf.newaxis, tf.newaxis]
    area = area * used
    # Rounding keeps float noise in the template boxes (thirds) from deciding ties that the later slot should
    # win.
    ranked = tf.round(area * 1e4) + tf.reshape(tf.range(4, dtype=tf.float32), [4, 1, 1]) * 0.25
    winner = tf.cast(tf.equal(ranked, tf.reduce_max(ranked, axis=-3, keepdims=True)), tf.float32)
    winner = winner * tf.cast(area > 0.0, tf.float32)
    lost = used * tf.cast(tf.equal(tf.reduce_sum(winner, [-2, -1], keepdims=True), 0.0), tf.float32)
    best = tf.cast(area >= tf.reduce_max(area, [-2, -1], keepdims=True) - 1e-4, tf.float32) * tf.cast(
        area > 0.0, tf.float32
    )
    return winner + lost * best


class Placed(NamedTuple):
    """Characters as looked up.

    Attributes:
        components: float32 [B, N, 4, D].
        structures: float32 [B, N, S].
        places: float32 [B, N, 4 slots, 4 rows, 4 columns], see `placement`. Between two texts it is this that
            is interpolated, not the boxes that decide it: the choice of cells would jump.
    """

    components: tf.Tensor
    structures: tf.Tensor
    places: tf.Tensor


class LayoutEncoder(ComponentEncoder):
    """Embeddings of components on the cells of their template boxes (`placement`), the structure's on all
    cells, then one 1 x 1 convolution.

    Ours. An embedding of the cell's place is added, without which all cells of one component are equal.
    """

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.project = layers.Conv2D(config.content_channels, 1, name='project')

    def build(self, input_shape: Any = None) -> None:
        """Makes the embedding of the cells' places [4, 4, S]."""
        self.place_embedding = self.add_weight(
            shape=(CELLS, CELLS, self.config.structure_dim),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name='place_embedding',
        )

    def embed(self, characters: Characters) -> Placed:
        return Placed(*self.look_up(characters), places=placement(characters.boxes, characters.component_ids))

    def features(self, embedded: Placed, *, style: tf.Tensor | None = None) -> tuple[tf.Tensor, tuple]:
        components, structures, places = embedded
        cells = tf.einsum('bnsij,bnsd->bnijd', places, components)
        everywhere = structures[:, :, tf.newaxis, tf.newaxis, :] + tf.convert_to_tensor(self.place_embedding)
        return self.project(side_by_side(tf.concat([cells, everywhere], axis=-1))), ()
