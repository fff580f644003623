"""Content encoder: the components and structure of each character become a 4 x 4 cell of features.

HCT-GAN (ICPR 2022), section 3, "encoder". Three encodings share one call signature; `warped` is a fourth,
ours.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models import layers
from hwgen.settings.model import CELLS, GeneratorSettings
from hwgen.settings.setting import choices_of

ENCODINGS = choices_of(GeneratorSettings, 'content_encoding')


def overlap_with_cells(low, high, cells=CELLS):
    """Share of each of the cell rows (or columns) of a character that an interval covers.

    Args:
        low, high: float [...], ends of the interval in [0, 1].
        cells: int, rows (or columns) of a character.

    Returns:
        float [..., cells] in [0, 1].
    """
    edges = tf.range(cells, dtype=tf.float32) / cells
    low, high = low[..., tf.newaxis], high[..., tf.newaxis]
    return tf.nn.relu(tf.minimum(high, edges + 1.0 / cells) - tf.maximum(low, edges)) * cells


def placement(boxes, component_ids):
    """Which slot stands on which cell: the rule of the `layout` encoding.

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


def warp_weights(low, high, cells=CELLS):
    """Weights that stretch a map of so many cells over an interval of the character.

    Linear between the map's cells; where the interval is smaller than the map, each target cell averages over
    as many source cells as it stands for, so that no stroke falls between two samples.

    Args:
        low, high: float [...], ends of the interval in [0, 1].
        cells: int, cells of the map and of the character.

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


class Embedded(NamedTuple):
    """Characters as looked up, before anything is learned of how they come together; None where an encoding
    has no such part.

    Attributes:
        components: float32 [B, N, 4, D].
        structures: float32 [B, N, S].
        used: float32 [B, N, 4], 1 where a slot has a component, else 0 (`warped`).
        boxes: float32 [B, N, 4, 4] (`warped`).
        places: float32 [B, N, 4 slots, 4 rows, 4 columns], see `placement` (`layout`).
        filters: float32 [B, N, F], rows of the filter bank or of its first factor (`onehot`).
    """

    components: tf.Tensor | None = None
    structures: tf.Tensor | None = None
    used: tf.Tensor | None = None
    boxes: tf.Tensor | None = None
    places: tf.Tensor | None = None
    filters: tf.Tensor | None = None


def interpolate(first, second, share):
    """Embedded characters on the straight line between two, each part by itself.

    `layout` has its placement interpolated, not the boxes that decide it: that choice of cells would jump. A
    slot that only one of the two uses fades in where it stands there, and does not grow out of the corner in
    which empty boxes lie.

    Args:
        first, second: Embedded of one shape.
        share: float32 [], 0: the first, exactly; 1: the second.

    Returns:
        Embedded.
    """
    if first.boxes is not None:
        boxes = [
            tf.where(one.used[..., tf.newaxis] > 0.0, one.boxes, other.boxes)
            for one, other in ((first, second), (second, first))
        ]
        first, second = first._replace(boxes=boxes[0]), second._replace(boxes=boxes[1])
    return Embedded(*(None if a is None else (1.0 - share) * a + share * b for a, b in zip(first, second)))


class ContentEncoder(keras.layers.Layer):
    """Characters as components and structure -> features [B, 4, 4N, C].

    Source: HCT-GAN, section 3, "encoder" (structure 128, components 256, C = 480).
    Encodings:
      * `sequence`, the paper's: concatenated embeddings -> linear -> 4 x 4 x C, the spread over cells being
        learned.
      * `layout`, ours: embeddings placed on the cells of the structure's template boxes (`placement`), the
        structure's on all cells, then one 1 x 1 convolution. An embedding of the cell's place is added,
        without which all cells of one component are equal.
      * `warped`, ours: each component's embedding unfolds into its own 4 x 4 map, which is stretched over the
        box it has in the character, so that 日 is the same drawing in 明, 早 and 日; the structure's embedding
        unfolds over the whole character; then one 1 x 1 convolution.
      * `onehot`, ScrabbleGAN's filter bank: z1 times F_c -> 4 x 4 x C. Above 500 classes F_c is factorised
        (embedding of `onehot_rank` -> linear). Differs: the factorised bank has num_characters * rank + rank
        * Z1 * 16 C weights instead of num_characters * Z1 * 16 C.

    Args:
        encoding: one of `ENCODINGS`.
        num_components, num_structures, num_characters: int, table sizes with id 0 (padding).
        channels: int, C.
        structure_dim, component_dim: int, embedding sizes.
        cell_dim: int, channels of a component's own map (`warped`).
        onehot_rank: int, rank of the factorised filter bank.

    Raises:
        ValueError: for an unknown encoding, naming the known ones.
    """

    def __init__(
        self,
        encoding: str,
        *,
        num_components: int,
        num_structures: int,
        num_characters: int,
        channels: int,
        structure_dim: int,
        component_dim: int,
        cell_dim: int,
        map_channels: tuple[int, ...],
        learn_boxes: bool,
        style_dim: int,
        onehot_rank: int = 64,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if encoding not in ENCODINGS:
            raise ValueError(f'content encoding {encoding!r}: expected one of {", ".join(ENCODINGS)}')
        self.encoding = encoding
        self.channels = channels
        self.cell_dim = cell_dim
        self.map_channels = tuple(map_channels) if encoding == 'warped' else ()
        self.learn_boxes = learn_boxes and encoding == 'warped'
        self.style_dim = style_dim
        if encoding == 'onehot':
            full = style_dim * CELLS * CELLS * channels
            self.filter_scale = style_dim**-0.5  # z1 is N(0, 1): keep the product's variance at one
            if num_characters <= 500:
                self.filters = layers.Embedding(num_characters, full, name='filters')
            else:
                self.filters = layers.Embedding(num_characters, onehot_rank, name='filters')
                self.unfold = layers.Dense(
                    full,
                    use_bias=False,
                    kernel_initializer=keras.initializers.RandomNormal(stddev=onehot_rank**-0.5),
                    name='unfold',
                )
            self.factorised = num_characters > 500
            return
        self.structure_embedding = layers.Embedding(num_structures, structure_dim, name='structure_embedding')
        self.component_embedding = layers.Embedding(num_components, component_dim, name='component_embedding')
        if encoding == 'sequence':
            self.spread = layers.Dense(CELLS * CELLS * channels, name='spread')
        else:
            self.project = layers.Conv2D(channels, 1, name='project')
        if encoding == 'warped':
            self.component_map = layers.Dense(CELLS * CELLS * cell_dim, name='component_map')
            self.structure_map = layers.Dense(CELLS * CELLS * cell_dim, name='structure_map')
            self.fine_maps = tuple(
                layers.Dense((2 * CELLS << i) ** 2 * c, name=f'fine_map_{2 * CELLS << i}')
                for i, c in enumerate(self.map_channels)
            )
            if self.learn_boxes:
                self.box_hidden = layers.Dense(64, name='box_hidden')
                self.box_offsets = layers.Dense(4, kernel_initializer='zeros', name='box_offsets')

    def build(self, input_shape=None):
        if self.encoding == 'layout':
            self.place_embedding = self.add_weight(
                shape=(CELLS, CELLS, self.structure_embedding.units),
                initializer=keras.initializers.RandomNormal(stddev=1.0),
                name='place_embedding',
            )

    def call(self, characters: Characters, style=None):
        """Encodes a batch of lines.

        Args:
            characters: Characters.
            style: float32 [B, Z1] (`onehot` only).

        Returns:
            float32 [B, 4, 4N, C]; tuple of finer maps float32 [B, 8, 8N, map_channels[0]], [B, 16, 16N, ...],
            ...
        """
        return self.features(self.embed(characters), style=style)

    def embed(self, characters: Characters) -> Embedded:
        """The first half of the call: looks the characters up."""
        if self.encoding == 'onehot':
            return Embedded(filters=self.filters(characters.character_ids))
        looked_up = Embedded(
            components=self.component_embedding(characters.component_ids),
            structures=self.structure_embedding(characters.structure_ids),
        )
        if self.encoding == 'layout':
            return looked_up._replace(places=placement(characters.boxes, characters.component_ids))
        if self.encoding == 'warped':
            used = tf.cast(characters.component_ids > 0, looked_up.components.dtype)
            return looked_up._replace(used=used, boxes=characters.boxes)
        return looked_up

    def features(self, embedded, *, style=None):
        """The second half of the call: what `embed` looked up, or `interpolate` found between two, as
        features; returns as the call does.
        """
        if self.encoding == 'onehot':
            return self._onehot(embedded.filters, style), ()
        components, structures = embedded.components, embedded.structures  # B x N x 4 x D, B x N x S
        b, n = tf.shape(structures)[0], tf.shape(structures)[1]
        if self.encoding == 'sequence':
            flat = tf.concat([structures, tf.reshape(components, [b, n, 4 * components.shape[-1]])], axis=-1)
            return self._join(tf.reshape(self.spread(flat), [b, n, CELLS, CELLS, self.channels])), ()
        if self.encoding == 'layout':
            cells = tf.einsum('bnsij,bnsd->bnijd', embedded.places, components)
            everywhere = structures[:, :, tf.newaxis, tf.newaxis, :] + tf.convert_to_tensor(
                self.place_embedding
            )
            return self.project(self._join(tf.concat([cells, everywhere], axis=-1))), ()
        boxes = self._refined(embedded.boxes, components, structures) if self.learn_boxes else embedded.boxes

        def stretch(maps, cells, channels):
            return self._stretch(maps, embedded.used, boxes, cells, channels)

        cells = stretch(self.component_map(components), CELLS, self.cell_dim)
        everywhere = tf.reshape(self.structure_map(structures), [b, n, CELLS, CELLS, self.cell_dim])
        return self.project(self._join(tf.concat([cells, everywhere], axis=-1))), tuple(
            self._join(stretch(fine(components), 2 * CELLS << i, c))
            for i, (fine, c) in enumerate(zip(self.fine_maps, self.map_channels))
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

    def _onehot(self, filters, style):
        b, n = tf.shape(filters)[0], tf.shape(filters)[1]
        if self.factorised:
            filters = self.unfold(filters)
        filters = tf.reshape(filters, [b, n, self.style_dim, CELLS * CELLS * self.channels])
        cells = tf.einsum('bz,bnzf->bnf', style, filters) * self.filter_scale
        return self._join(tf.reshape(cells, [b, n, CELLS, CELLS, self.channels]))

    def _join(self, cells):
        """B x N x H x H x C -> B x H x (N H) x C: characters side by side."""
        b, h, c = tf.shape(cells)[0], cells.shape[2], cells.shape[-1]
        return tf.reshape(tf.transpose(cells, [0, 2, 1, 3, 4]), [b, h, -1, c])
