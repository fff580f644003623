"""What the recognisers lose on lines that should read a text: CTC of the sequence recogniser (SRM), and
counting (or attention) of the spatial one (SPM); HCT-GAN, section 3.
"""

from typing import NamedTuple

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.losses import ace, attention, ctc
from hwgen.models import layers
from hwgen.models.hct_gan import HctGan
from hwgen.models.recognizer_trunk import FRAMES
from hwgen.settings.steps import GanSettings


class Reading(NamedTuple):
    """What the recognisers make of B lines.

    Attributes:
        sequence_loss: float32 [B], CTC of SRM per character.
        spatial_loss: float32 [B], of SPM; None without it.
        labels: int32 [B, L], what SRM should read, zeros are left out.
        logits: float32 [B, T, K], what SRM reads.
        num_frames: int32 [B], frames of each line.
    """

    sequence_loss: tf.Tensor
    spatial_loss: tf.Tensor | None
    labels: tf.Tensor
    logits: tf.Tensor
    num_frames: tf.Tensor

    def label_errors(self) -> tf.Tensor:
        """Share of the labels of each line that SRM misreads, float32 [B]."""
        errors, counts = ctc.label_errors(self.labels, self.logits, num_frames=self.num_frames)
        return errors / tf.maximum(counts, 1.0)


def lengths_of(characters: Characters, settings: GanSettings) -> tf.Tensor | None:
    """Characters of each line, int32 [B]; None where all lines are as long as the batch, which is faster."""
    return None if settings.uniform_lengths else characters.lengths


def labels_of(characters: Characters, model: HctGan, settings: GanSettings) -> tf.Tensor:
    """What SRM should read of the lines, int32 [B, L] (`ctc.line_labels`)."""
    return ctc.line_labels(
        settings.sequence_labels,
        characters,
        num_components=model.config.generator.num_components,
    )


def read(
    characters: Characters, images: tf.Tensor, *, model: HctGan, settings: GanSettings, training: bool
) -> Reading:
    """Has the recognisers read lines.

    Args:
        characters: the texts that the lines should read.
        images: float32 [B, H, W, 1].
        model, settings: whose recognisers read, and what.
        training: True: batch statistics, which move; False: the recognisers are frozen.
    """
    lengths = lengths_of(characters, settings)
    # B x N x 4 -> B x 4N
    components, _ = ctc.left_aligned(tf.reshape(characters.component_ids, [tf.shape(images)[0], -1]))
    _, sequence, spatial, _ = model.read(images, lengths=lengths, training=training, components=components)
    frames = tf.fill([tf.shape(sequence)[0]], tf.shape(sequence)[1]) if lengths is None else lengths * FRAMES
    labels = labels_of(characters, model, settings)
    sequence_loss = ctc.ctc_loss(labels, sequence, num_frames=frames, dense=settings.dense_ctc)
    # CTC grows with length; per character, a line's weight does not depend on its length and rates carry
    # over.
    sequence_loss /= tf.cast(frames // FRAMES, tf.float32)
    spatial_loss = None
    if model.config.attention_perception and spatial is not None:
        spatial_loss = attention.attention_loss(components, spatial)
    elif spatial is not None:
        spatial_loss = counting_loss(characters, spatial, model=model, settings=settings)
    return Reading(sequence_loss, spatial_loss, labels, sequence, frames)


def counting_loss(
    characters: Characters, spatial: tf.Tensor, *, model: HctGan, settings: GanSettings
) -> tf.Tensor:
    """ACE of SPM's logits [B, 4, 4N, K], float32 [B]: of components, and of structures behind them where
    these are counted.
    """
    mask = layers.column_mask(
        lengths_of(characters, settings), tf.shape(spatial)[2] // 4, columns_per_character=4
    )
    counted = characters.component_ids
    if settings.spatial_structures:
        structures = characters.structure_ids[..., tf.newaxis]
        offset = model.config.generator.num_components - 1
        counted = tf.concat([counted, tf.where(structures > 0, structures + offset, 0)], axis=-1)
    counts = ace.component_counts(counted, num_labels=model.config.spatial_labels)
    return ace.ace_loss(counts, spatial, mask=mask)
