"""HCT-GAN: the five modules of the paper (ICPR 2022) and the style encoder, built together from one
configuration.

ScrabbleGAN is the same bundle with `content_encoding='onehot'`, character labels, and no spatial perception.
"""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.models.attention_perception import AttentionPerception
from hwgen.models.discriminator import Discriminator
from hwgen.models.generator import Generator
from hwgen.models.recognizer_trunk import RecognizerTrunk
from hwgen.models.sequence_recognition import SequenceRecognition
from hwgen.models.spatial_perception import SpatialPerception
from hwgen.models.style_encoder import StyleEncoder
from hwgen.settings.model import HctGanConfig, stored_model


class HctGan:
    """All modules, built (every variable exists), so that checkpoints restore before the first step.

    Attributes:
        generator: Generator that learns.
        average: Generator of the same sizes: the exponential moving average, which writes.
        discriminator: Discriminator.
        sequence_trunk, spatial_trunk: RecognizerTrunk, the same object with `share_trunk`; spatial_trunk is
            None without SPM.
        sequence_recognition: SequenceRecognition.
        spatial_perception: SpatialPerception or AttentionPerception, or None.
        style_encoder: StyleEncoder.
        config: HctGanConfig.
    """

    def __init__(self, config: HctGanConfig):
        self.config = config
        px = config.generator.char_px
        size = dict(char_px=px, char_width_px=config.generator.char_width_px or px)
        self.generator = Generator(config.generator, name='generator')
        self.average = Generator(config.generator, name='average')
        self.discriminator = Discriminator(
            config.discriminator_channels, pool=config.discriminator_pool, name='discriminator', **size
        )
        self.sequence_trunk = RecognizerTrunk(config.recognizer_channels, name='sequence_trunk', **size)
        self.sequence_recognition = SequenceRecognition(
            config.sequence_labels,
            hidden=config.recognizer_hidden,
            recurrent=config.recurrent_sequence,
            name='sequence_recognition',
        )
        self.spatial_trunk = self.spatial_perception = None
        if config.spatial_labels:
            self.spatial_trunk = (
                self.sequence_trunk
                if config.share_trunk
                else RecognizerTrunk(config.recognizer_channels, name='spatial_trunk', **size)
            )
            self.spatial_perception = (
                AttentionPerception if config.attention_perception else SpatialPerception
            )(config.spatial_labels, hidden=config.recognizer_hidden, name='spatial_perception')
        self.style_encoder = StyleEncoder(
            config.generator.style_dim,
            character_noise_dim=config.generator.character_noise_dim,
            channels=config.style_channels,
            reads_content=config.generator.layout == 'spaced',
            name='style_encoder',
            **size,
        )
        self._build()

    def modules(self) -> dict[str, keras.Model]:
        """dict name -> module; a shared trunk appears once."""
        named = dict(
            generator=self.generator,
            average=self.average,
            discriminator=self.discriminator,
            sequence_trunk=self.sequence_trunk,
            sequence_recognition=self.sequence_recognition,
            spatial_trunk=None if self.config.share_trunk else self.spatial_trunk,
            spatial_perception=self.spatial_perception,
            style_encoder=self.style_encoder,
        )
        return {name: module for name, module in named.items() if module is not None}

    def recognizers(self) -> tuple[keras.Model, ...]:
        """Modules that learn from real lines only: the trunks and heads of SRM and SPM."""
        return tuple(
            module for name, module in self.modules().items() if name.startswith(('sequence_', 'spatial_'))
        )

    def read(
        self,
        images: tf.Tensor,
        lengths: tf.Tensor | None = None,
        training: bool = False,
        components: tf.Tensor | None = None,
    ) -> tuple[tuple[tf.Tensor, ...], tf.Tensor, tf.Tensor | None, tf.Tensor | None]:
        """Runs the recognisers.

        Args:
            images: float32 [B, char_px, N * char_width_px, 1].
            lengths: int32 [B] or None.
            training: bool.
            components: int32 [B, L], what the lines say, zeros at the end of each row; for
                `attention_perception` alone.

        Returns:
            features: tuple of maps of SRM's trunk; sequence logits float32 [B, 8N, K]; spatial logits float32
                [B, 4, 4N, K'] and attention float32 [B, 4, 4N, 1], both None without SPM. With
                `attention_perception` these are [B, L + 1, K'] and [B, L + 1, 8, 8N], None without
                `components`.
        """
        features = self.sequence_trunk(images, lengths=lengths, training=training)
        sequence = self.sequence_recognition(features[-1], lengths=lengths, training=training)
        if self.spatial_perception is None or self.config.attention_perception and components is None:
            return features, sequence, None, None
        seen = features
        if self.spatial_trunk is not None and self.spatial_trunk is not self.sequence_trunk:
            seen = self.spatial_trunk(images, lengths=lengths, training=training)
        known = dict(labels=components) if self.config.attention_perception else {}
        spatial, attention = self.spatial_perception(seen[-1], lengths=lengths, training=training, **known)
        return features, sequence, spatial, attention

    def get_config(self) -> dict[str, Any]:
        """What `from_config` builds an equal one of: all sizes as a dict of plain values."""
        return dataclasses.asdict(self.config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'HctGan':
        """One like that whose `get_config` this is, with weights of its own."""
        return cls(stored_model(config))

    def _build(self):
        config = self.config.generator
        n = 1
        inputs = dict(
            characters=Characters.ones(1, n),
            style=tf.zeros([1, config.style_dim]),
            character_noise=tf.zeros([1, n, config.character_noise_dim]),
        )
        images = self.generator(**inputs)
        self.average(**inputs)
        for mean, variable in zip(self.average.variables, self.generator.variables, strict=True):
            mean.assign(variable)
        self.discriminator(images)
        self.read(images, components=tf.ones([1, 4 * n], tf.int32))
        self.style_encoder(images, described=self.generator.content_encoder.describe(inputs['characters']))
