"""Content encoding `warped`: each component is one drawing, stretched over the box that it has."""

from typing import Any, NamedTuple

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.models.content.cells import overlap_with_cells, side_by_side
from hwgen.models.content.encoder import ComponentEncoder
from hwgen.settings.model import CELLS, GeneratorConfig


def warp_weights(low: tf.Tensor, high: tf.Tensor, cells: int = CELLS) -> tf.Tensor:
    """Weights that stretch a map of so many cells over an interval of the character.

    Linear between the map's cells; where the interval is smaller than the map, each target cell averages over
    as many source cells as it stands for, so that no stroke falls between two samples.

    Args:
        low, high: float [...], ends of the interval in [0, 1].
        cells: cells of the map and of the character.

    Returns:
        float32 [..., cells (target), cells (source)]: row i sums to the share of cell i that the interval
        covers.
    """
    centre = (tf.range(cells, dtype=tf.float32) + 0.5) / cells
    span = tf.maximum(high - low, 0.05)[..., tf.newaxis]
    source = (centre - low[..., tf.newaxis]) / span * cells - 0.5
    source = tf.clip_by_value(source, 0.0, cells - 1.0)[..., tf.newaxis]
    reach = tf.maximum(1.0 / span, 1.0)[..., tf.newaxis]
    weights = tf.nn.relu(1.0 - tf.abs(source - tf.range(cells, dtype=tf.float32)) / reach)
    weights /= tf.reduce_sum(weights, -1, keepdims=True)
    return weights * overlap_with_cells(low, high, cells)[..., tf.newaxis]


class Boxed(NamedTuple):
    """Characters as looked up.

    Attributes:
        components: float32 [B, N, 4, D].
        structures: float32 [B, N, S].
        used: float32 [B, N, 4], 1 where a slot has a component, else 0.
        boxes: float32 [B, N, 4, 4].
    """

    components: tf.Tensor
    structures: tf.Tensor
    used: tf.Tensor
    boxes: tf.Tensor


class WarpedEncoder(ComponentEncoder):
    """Each component's embedding unfolds into its own 4 x 4 map, which is stretched over the box that it has
    in the character, so that 日 is the same drawing in 明, 早 and 日; the structure's embedding unfolds over
    the whole character; then one 1 x 1 convolution.

    Ours. With `map_channels` it gives finer maps as well; with `learn_boxes` the template boxes are moved by
    what stands in them.
    """

    def __init__(self, config: GeneratorConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        cells = CELLS * CELLS * config.cell_dim
        self.project = layers.Conv2D(config.content_channels, 1, name='project')
        self.component_map = layers.Dense(cells, name='component_map')
        self.structure_map = layers.Dense(cells, name='structure_map')
        self.fine_maps = tuple(
            layers.Dense((2 * CELLS << i) ** 2 * c, name=f'fine_map_{2 * CELLS << i}')
            for i, c in enumerate(config.map_channels)
        )
        if config.learn_boxes:
            self.box_hidden = layers.Dense(64, name='box_hidden')
            self.box_offsets = layers.Dense(4, kernel_initializer='zeros', name='box_offsets')

    def embed(self, characters: Characters) -> Boxed:
        found = self.look_up(characters)
        used = tf.cast(characters.component_ids > 0, found.components.dtype)
        return Boxed(*found, used=used, boxes=characters.boxes)

    def component_boxes(self, characters: Characters) -> tf.Tensor:
        """The boxes over which maps are stretched: with `learn_boxes` those that the encoder has learned."""
        embedded = self.embed(characters)
        if not self.config.learn_boxes:
            return embedded.boxes
        return self._refined(embedded.boxes, embedded.components, embedded.structures)

    def interpolate(self, first: Boxed, second: Boxed, share: float | tf.Tensor) -> Boxed:
        """As every encoding, but a slot that only one of the two uses fades in where it stands there, and
        does not grow out of the corner in which empty boxes lie.
        """
        boxes = [
            tf.where(one.used[..., tf.newaxis] > 0.0, one.boxes, other.boxes)
            for one, other in ((first, second), (second, first))
        ]
        return super().interpolate(first._replace(boxes=boxes[0]), second._replace(boxes=boxes[1]), share)

    def features(
        self, embedded: Boxed, *, style: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        config, (components, structures, used, boxes) = self.config, embedded
        b, n = tf.shape(structures)[0], tf.shape(structures)[1]
        if config.learn_boxes:
            boxes = self._refined(boxes, components, structures)

        def stretch(maps, cells, channels):
            return self._stretch(maps, used, boxes, cells, channels)

        cells = stretch(self.component_map(components), CELLS, config.cell_dim)
        everywhere = tf.reshape(self.structure_map(structures), [b, n, CELLS, CELLS, config.cell_dim])
        return self.project(side_by_side(tf.concat([cells, everywhere], axis=-1))), tuple(
            side_by_side(stretch(fine(components), 2 * CELLS << i, channels))
            for i, (fine, channels) in enumerate(zip(self.fine_maps, config.map_channels, strict=True))
        )

    def _refined(self, boxes, components, structures):
        """Template boxes moved by what stands in them: 氵 of 湖 takes less than half of its character."""
        b, n = tf.shape(boxes)[0], tf.shape(boxes)[1]
        others = tf.reduce_sum(components, 2, keepdims=True) - components
        slots = tf.broadcast_to(tf.eye(4), [b, n, 4, 4])
        context = tf.repeat(structures[:, :, tf.newaxis], 4, axis=2)
        hidden = tf.nn.relu(self.box_hidden(tf.concat([components, others, context, slots], -1)))
        offsets = 0.25 * tf.tanh(self.box_offsets(hidden))
        return tf.clip_by_value(boxes + offsets, 0.0, 1.0)

    def _stretch(self, maps, used, boxes, cells, channels):
        """Each component's map stretched over its box; those of a character summed. -> B x N x cells x
        cells x channels.
        """
        b, n = tf.shape(used)[0], tf.shape(used)[1]
        maps = tf.reshape(maps, [b, n, 4, cells, cells * channels])
        used = used[..., tf.newaxis, tf.newaxis]
        x0, y0, x1, y1 = tf.unstack(boxes, axis=-1)
        # Rows first, then columns: two steps are cheaper than one.
        half = tf.matmul(warp_weights(y0, y1, cells) * used, maps)  # B x N x 4 x rows x (columns C)
        half = tf.reshape(half, [b, n, 4, cells, cells, channels])
        # (s l) x (i C)
        half = tf.reshape(tf.transpose(half, [0, 1, 2, 4, 3, 5]), [b, n, 4 * cells, cells * channels])
        # j x (s l)
        columns = tf.reshape(
            tf.transpose(warp_weights(x0, x1, cells), [0, 1, 3, 2, 4]), [b, n, cells, 4 * cells]
        )
        out = tf.reshape(tf.matmul(columns, half), [b, n, cells, cells, channels])  # j i C
        return tf.transpose(out, [0, 1, 3, 2, 4])
