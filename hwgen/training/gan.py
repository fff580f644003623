"""The training of HCT-GAN and ScrabbleGAN: which steps there are, and which of them each step of the schedule
makes. The maths of a step is in `hwgen.training.steps`, the outer loop in `loop.py`.

Three steps, each over all replicas: recognisers on real lines; generator and style encoder by reconstruction,
also with a discriminator as a second judge; discriminator and generator against each other on lines of drawn
styles. With the game of pairs a fourth stands in place of the last two in the third phase.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from hwgen.characters import Characters
from hwgen.data.reading.pipeline import LineBatches
from hwgen.models import layers
from hwgen.models.hct_gan import HctGan
from hwgen.models.patch_judge import PatchJudge
from hwgen.settings.pairs import PairSettings
from hwgen.settings.schedule import Schedule
from hwgen.settings.steps import GanSettings
from hwgen.training import averaging
from hwgen.training.signatures import of_any_length
from hwgen.training.step_inputs import StepInput
from hwgen.training.steps.adversarial import AdversarialStep, DiscriminatorStep
from hwgen.training.steps.pairs import JudgeStep, PairStep
from hwgen.training.steps.recognizers import RecognizerStep
from hwgen.training.steps.reconstruction import ReconstructionStep
from hwgen.training.steps.step import Metrics


class StyledTexts(NamedTuple):
    """B texts and the hands to write them in.

    Attributes:
        characters: the texts.
        style: float32 [B, Z].
        character_noise: float32 [B, N, Zc].
    """

    characters: Characters
    style: tf.Tensor
    character_noise: tf.Tensor


class GanTraining:
    """A model and its steps, as `TrainingLoop` runs them (`interface.Training`).

    Every variable exists after construction, so that a checkpoint restored before the first step resumes bit
    for bit.

    Args:
        model: HctGan, built within the strategy's scope.
        settings: of all steps; may be replaced before a step is traced.
        strategy: over which replicas the steps run.
        pairs: how the game of pairs is played; None: the third phase is the paper's, and there is no judge.

    Attributes:
        model, strategy: as given.
        recognizers, reconstruction, discriminator, adversarial: the steps.
        pairs: PairStep, or None without that game.
        average_updates: int64 variable, how often the averaged generator was moved.

    Raises:
        ValueError: feature levels that the trunk does not have; a judge whose patches do not fit.
    """

    def __init__(
        self,
        model: HctGan,
        settings: GanSettings,
        *,
        strategy: tf.distribute.Strategy,
        pairs: PairSettings | None = None,
    ):
        self.model, self.strategy, self._settings = model, strategy, settings
        with strategy.scope():
            self.average_updates = tf.Variable(0, trainable=False, dtype=tf.int64, name='average_updates')
        self.recognizers = RecognizerStep(model, settings, strategy=strategy)
        self.discriminator = DiscriminatorStep(model, settings, strategy=strategy)
        moved = {'average_updates': self.average_updates, 'strategy': strategy}
        self.reconstruction = ReconstructionStep(model, settings, discriminator=self.discriminator, **moved)
        self.adversarial = AdversarialStep(model, settings, discriminator=self.discriminator, **moved)
        self.pairs: PairStep | None = None
        if pairs is not None:
            judge = JudgeStep(self._built_judge(pairs), settings, pairs=pairs, strategy=strategy)
            self.pairs = PairStep(model, settings, pairs=pairs, judge=judge, **moved)
        if settings.product_dtype != 'float32':
            # the average writes as it will write elsewhere
            modules = [module for name, module in model.modules().items() if name != 'average']
            for module in modules + ([] if self.judge is None else [self.judge]):
                layers.multiply_in(module, settings.product_dtype)
        self._statistics = None

    @property
    def settings(self) -> GanSettings:
        """Of all steps."""
        return self._settings

    @settings.setter
    def settings(self, settings: GanSettings) -> None:
        self._settings = settings
        steps = [self.recognizers, self.reconstruction, self.discriminator, self.adversarial]
        if self.pairs is not None:
            steps += [self.pairs, self.pairs.judge]
        for step in steps:
            step.settings = settings

    @property
    def judge(self) -> PatchJudge | None:
        """The judge of pairs; None without that game."""
        return None if self.pairs is None else self.pairs.judge.judge

    def trackables(self) -> dict[str, Any]:
        """Everything that a checkpoint must hold, by the name that it has there."""
        found = {
            **self.model.modules(),
            'recognizer_optimizer': self.recognizers.optimizer,
            'reconstruction_optimizer': self.reconstruction.optimizer,
            'generator_optimizer': self.adversarial.optimizer,
            'discriminator_optimizer': self.discriminator.optimizer,
            'average_updates': self.average_updates,
        }
        if self.pairs is not None:
            found |= {
                'judge': self.judge,
                'judge_optimizer': self.pairs.judge.optimizer,
                'pair_optimizer': self.pairs.optimizer,
            }
        return found

    def prepare(self, step: int, plan: Schedule, inputs: Any) -> None:
        """Before the first step that draws styles, where the style encoder may have learned any: see
        `draw_like_real_lines`.
        """
        if plan.starts_to_draw(step):
            self.draw_like_real_lines(inputs.batches)

    def draw_like_real_lines(self, batches: LineBatches) -> None:
        """From here on the drawn styles of training are like those of real lines (`StyleSpace`); the averaged
        generator follows.
        """
        found = averaging.styles_of_lines(self.model.style_encoder, batches)
        for generator in (self.model.generator, self.model.average):
            generator.style_space.fit(*found)

    def update(self, step: int, plan: Schedule, read: StepInput) -> Metrics:
        """The updates of one step of the plan.

        Args:
            step: counted from 0.
            plan: says which updates a step makes, and at which rates.
            read: what is read for the step.
        """
        phase, within, _ = plan.place(step)
        warm = phase == 'adversarial' and within >= plan.discriminator_warmup_steps
        metrics: Metrics = {}
        if plan.updates_recognizers(step):
            scale = plan.rate_scale(step) if phase == 'recognizers' else plan.rate_floor
            metrics.update(self.recognizers.update(read.lines, rate_scale=scale))
        if plan.updates_by_reconstruction(step):
            scale = plan.reconstruction_scale(step)
            if phase == 'adversarial' and _judges_reconstruction(self.settings):
                metrics.update(
                    self.reconstruction.update_judged(read.lines, rate_scale=scale, judge_scale=float(warm))
                )
            else:
                metrics.update(self.reconstruction.update(read.lines, rate_scale=scale))
        if plan.updates_by_pairs(step):
            metrics.update(self._update_pairs(step, plan, read.lines))
        if plan.updates_by_drawn_lines(step):
            metrics.update(
                self.adversarial.update(
                    read.lines,
                    read.texts,
                    real=read.real,
                    rate_scale=plan.rate_scale(step),
                    update_generator=warm,
                )
            )
        return metrics

    def _update_pairs(self, step, plan, lines):
        if self.pairs is None:
            raise ValueError('a plan with game=pairs: expected GanTraining(..., pairs=PairSettings(...))')
        _, within, steps = plan.place(step)
        return self.pairs.update(
            lines,
            rate_scale=plan.rate_scale(step),
            judge_scale=plan.judge_scale(step),
            share=within / steps,
        )

    def _built_judge(self, pairs):
        """A judge of lines as the generator writes them."""
        config = self.model.config.generator
        size = {'char_px': config.char_px, 'char_width_px': config.char_width_px or config.char_px}
        with self.strategy.scope():
            judge = PatchJudge(pairs.judge_channels, name='judge', **size)
            judge(tf.ones([1, size['char_px'], size['char_width_px'], 1]))
        return judge

    def recompute_statistics(self, texts: Iterable[StyledTexts]) -> None:
        """Batch statistics of the averaged generator, measured anew over these texts, the same on every
        replica.
        """

        def write(styled):
            self.adversarial.write(
                styled.characters, styled.style, styled.character_noise, generator=self.model.average
            )

        def passes():
            for styled in texts:
                if self._statistics is None:
                    self._statistics = tf.function(write, input_signature=[of_any_length(styled)])
                yield lambda styled=styled: self.strategy.run(self._statistics, args=(styled,))

        averaging.recompute_statistics(self.model.average, passes())


def _judges_reconstruction(settings):
    """Whether anyone has a say in reconstructed lines."""
    return bool(
        settings.reconstruction_discriminator_weight
        or settings.reconstruction_sequence_weight
        or settings.reconstruction_spatial_weight
    )
