"""The step of the recognisers, SRM and SPM: they learn from real lines alone (HCT-GAN, section 3)."""

import tensorflow as tf

from hwgen.data.reading.pipeline import LineBatch
from hwgen.models.hct_gan import HctGan
from hwgen.settings.steps import GanSettings
from hwgen.training.steps import reading
from hwgen.training.steps.step import Metrics, TrainingStep


class RecognizerStep(TrainingStep):
    """Updates SRM and SPM with their trunks by the sum of their losses.

    Differs: Adam's beta_1 is its own 0.9, where the paper has 0.5 for all networks: this is no game.

    Args:
        model: HctGan, built within the strategy's scope.
        settings, strategy: see `TrainingStep`.
    """

    def __init__(self, model: HctGan, settings: GanSettings, *, strategy: tf.distribute.Strategy):
        self.model, self.settings = model, settings
        super().__init__(
            [v for module in model.recognizers() for v in module.trainable_variables],
            settings,
            strategy=strategy,
        )

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        return self.settings.recognizer_rate

    def update(self, lines: LineBatch, *, rate_scale: float = 1.0) -> Metrics:
        """One update on real lines.

        Args:
            lines: real lines with their texts (per replica where the strategy has several).
            rate_scale: times the learning rate.

        Returns:
            float32 scalars: loss/sequence_real, loss/spatial_real (with SPM), grad/recognizer_norm,
            metric/label_error_real.
        """
        return self.run(self._replica_step, lines, rate_scale=rate_scale)

    def _replica_step(self, lines):
        with tf.GradientTape() as tape:
            read = reading.read(
                lines.characters, lines.images, model=self.model, settings=self.settings, training=True
            )
            losses = read.sequence_loss
            if read.spatial_loss is not None:
                losses = losses + read.spatial_loss
            loss = self.share(losses)
        norm = self.apply(tape, loss)
        metrics = {
            'loss/sequence_real': self.share(read.sequence_loss),
            'grad/recognizer_norm': norm,
            'metric/label_error_real': self.share(read.label_errors()),
        }
        if read.spatial_loss is not None:
            metrics['loss/spatial_real'] = self.share(read.spatial_loss)
        return metrics
