"""Reading by attention over the plane: a recurrent guide, to compare the spatial perception module (SPM)
of HCT-GAN with.
"""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models import layers
from hwgen.models.composite import Composite
from hwgen.models.recognizer_trunk import FRAMES


class AttentionPerception(Composite, keras.Model):
    """Trunk features and the labels so far -> logits of the next label, looking at a part of the map.

    Source: a decoder as in Show, Attend and Read (Li et al. 2019, section 3.3) and Watch, Attend and Parse
    (Zhang et al. 2017, eq. 6-9): a gated recurrent unit over the label before and what was looked at,
    additive attention over the rows and columns of the map (Bahdanau et al. 2015).
    Differs: one layer, and no coverage of what was looked at before. It sees the true labels before (teacher
    forcing) where it learns and where it guides.

    Args:
        num_labels: int, classes with id 0, which ends a line (and stands before its first label).
        hidden: int, channels of the recurrent state and of the attention.
    """

    def __init__(self, num_labels: int, *, hidden: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_labels, self.hidden = num_labels, hidden
        self.embed = keras.layers.Embedding(
            num_labels,
            hidden,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
            name='embed',
        )
        self.cell = keras.layers.GRUCell(hidden, name='cell')
        self.key = layers.Dense(hidden, name='key')
        self.query = layers.Dense(hidden, name='query')
        self.score = layers.Dense(1, name='score')
        self.classify = layers.Dense(num_labels, name='classify')

    def call(
        self,
        features: tf.Tensor,
        labels: tf.Tensor,
        lengths: tf.Tensor | None = None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Classifies each label and the end of the line.

        Args:
            features: float32 [B, 8, 8N, C], the trunk's last map.
            labels: int32 [B, L], what the line says, zeros at the end of each row.
            lengths: int32 [B], characters of each line; None when all fill N.
            training: bool; makes no difference here.

        Returns:
            logits float32 [B, L + 1, num_labels], those after a line's end carry no meaning; attention
            float32 [B, L + 1, 8, 8N], which sums to 1.
        """
        shape = tf.shape(features)
        flat = tf.reshape(features, [shape[0], -1, features.shape[-1]])  # B x H x W x C -> B x (H W) x C
        keys = self.key(flat)
        mask = layers.column_mask(lengths, shape[2] // FRAMES, columns_per_character=FRAMES)
        hidden_places = (
            0.0
            if mask is None
            else tf.reshape(
                tf.broadcast_to((1.0 - tf.cast(mask, tf.float32)) * -1e9, [shape[0], shape[1], shape[2], 1]),
                [shape[0], -1],
            )
        )

        def read(state, before):
            state, _, _ = state
            scores = self.score(tf.tanh(keys + self.query(state)[:, tf.newaxis]))[..., 0]
            weights = tf.nn.softmax(scores + hidden_places)
            seen = tf.einsum('bp,bpc->bc', weights, flat)
            state, _ = self.cell(tf.concat([before, seen], axis=-1), [state])
            return state, seen, weights

        before = self.embed(tf.pad(labels, [[0, 0], [1, 0]]))  # B x (L + 1) x D: the label before each
        start = (tf.zeros([shape[0], self.hidden]), tf.zeros_like(flat[:, 0]), tf.zeros_like(keys[:, :, 0]))
        # B x L x D -> L x B x D
        states, seen, weights = tf.scan(read, tf.transpose(before, [1, 0, 2]), initializer=start)
        logits = self.classify(tf.transpose(tf.concat([states, seen], axis=-1), [1, 0, 2]))  # and back
        # L x B x (H W) -> B x L x H x W
        attention = tf.reshape(tf.transpose(weights, [1, 0, 2]), [shape[0], -1, shape[1], shape[2]])
        return tf.cast(logits, tf.float32), attention

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of."""
        return {'name': self.name, 'num_labels': self.num_labels, 'hidden': self.hidden}
