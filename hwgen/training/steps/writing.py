"""What the steps that move the generator share: lines written from texts, styles and noise, and the average
that follows the generator.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.data.reading.pipeline import LineBatch
from hwgen.models.generator import Generator
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training import averaging
from hwgen.training.steps import reading
from hwgen.training.steps.step import TrainingStep

# Streams of noise: one number for each independent use, so that no two draws of a step share their values.
STYLE_STREAM, NOISE_STREAM, POSTERIOR_STYLE_STREAM, POSTERIOR_NOISE_STREAM = range(4)
INK_STREAM, DRAWN_INK_STREAM = range(4, 6)


class GeneratorStep(TrainingStep):
    """A step that moves the generator.

    Args:
        model: HctGan, built within the strategy's scope.
        settings: see `TrainingStep`.
        variables: what the step moves.
        average_updates: int64 variable, how often the averaged generator was moved.
        strategy: see `TrainingStep`.
        **decays: Adam's, see `TrainingStep`.
    """

    def __init__(
        self,
        model: HctGan,
        settings: GanSettings,
        *,
        variables: Sequence[Any],
        average_updates: tf.Variable,
        strategy: tf.distribute.Strategy,
        **decays: float,
    ):
        self.model, self.settings, self.average_updates = model, settings, average_updates
        super().__init__(variables, settings, strategy=strategy, **decays)

    def move_average(self) -> None:
        """Moves the averaged generator towards the generator; for `run`, after the replicas."""
        averaging.move_average(
            self.model.average,
            self.model.generator,
            updates=self.average_updates,
            decay=self.settings.average_decay,
        )

    def drawn_hands(self, lines: LineBatch, texts: Characters) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Styles float32 [B, Z] and the noise of characters float32 [B, N, Zc], None where these have none,
        to write `texts`: drawn for the step and places of `lines`.
        """
        config = self.model.config.generator
        style = self.model.generator.style_space(self.normal(lines, [config.style_dim], STYLE_STREAM))
        if not config.character_noise_dim:
            return style, None
        n = tf.shape(texts.structure_ids)[1]
        normal = self.normal(lines, [n, config.character_noise_dim], NOISE_STREAM)
        return style, self.model.generator.drawn_noise(texts, style, normal)

    def write(
        self,
        texts: Characters,
        style: tf.Tensor,
        noise: tf.Tensor | None,
        *,
        generator: Generator | None = None,
    ) -> tf.Tensor:
        """Lines of texts as in training, float32 [B, H, W, 1].

        Args:
            texts: what to write.
            style: float32 [B, Z].
            noise: float32 [B, N, Zc], or None where characters have none.
            generator: which one writes; None: the one that learns.
        """
        return (generator or self.model.generator)(
            characters=texts._replace(lengths=reading.lengths_of(texts, self.settings)),
            style=style,
            character_noise=noise,
            training=True,
        )
