"""The game of pairs (`hwgen.training.steps.pairs`) for an accelerator: the product's step with its numbers
and its noise as inputs, so that XLA compiles it once and how the game is played can change from step to step.
"""

import numpy as np
import tensorflow as tf

from experiments.accelerator import lowering
from hwgen.training.steps.pairs import PairControls
from hwgen.training.steps.writing import (
    DRAWN_INK_STREAM,
    INK_STREAM,
    NOISE_STREAM,
    POSTERIOR_NOISE_STREAM,
    POSTERIOR_STYLE_STREAM,
    STYLE_STREAM,
)

# Numbers that come with every step: those of the game, and the learning rate of the judge.
CONTROLS = (*PairControls._fields, 'judge_rate')
_NOISE = {
    POSTERIOR_STYLE_STREAM: 'style_normal',
    POSTERIOR_NOISE_STREAM: 'noise_normal',
    STYLE_STREAM: 'drawn_style_normal',
    NOISE_STREAM: 'drawn_noise_normal',
}
_GAME = ('judge', 'judge_optimizer', 'pair_optimizer')  # of a checkpoint


class PairTrainer(lowering.LoweredTrainer):
    """`LoweredTrainer` with one more phase, `pairs`. Arguments as there, and `pairs`, PairSettings.

    Differs from `GanTraining`: what the game adds to a checkpoint is apart (`game_trackables`), so that a run
    without it can be opened.
    """

    def __init__(self, model, settings, *, pairs, **kwargs):
        super().__init__(model, settings, pairs=pairs, **kwargs)

    def trackables(self):
        """Those of a run without the game."""
        return {name: item for name, item in super().trackables().items() if name not in _GAME}

    def game_trackables(self):
        """dict name -> what the game adds to a checkpoint's."""
        return {name: item for name, item in super().trackables().items() if name in _GAME}

    def optimizer_of(self, phase):
        return self.pairs.optimizer if phase == 'pairs' else super().optimizer_of(phase)

    def step(self, phase, *, jit=True):
        if phase != 'pairs':
            return super().step(phase, jit=jit)

        @tf.function(jit_compile=jit, autograph=False)
        def pairs(batch):
            step = self.pairs
            step.normal = lambda lines, shape, stream: batch[_NOISE[stream]]
            step.uniform = _ink_numbers(batch)
            step.judge.optimizer.learning_rate.assign(batch['judge_rate'])
            controls = PairControls(*(batch[name] for name in PairControls._fields))
            metrics = step._replica_step(self._lines(batch), controls)
            step.move_average()
            return metrics

        return pairs


def _ink_numbers(batch):
    """What `TrainingStep.uniform` is replaced by: numbers for the real lines of all pairs, then for the
    written ones.
    """
    lines = batch['images'].shape[0]
    # 2 (B + D) x 2 -> B + D x 2 x 2
    numbers = tf.transpose(tf.reshape(batch['jitter_uniform'], [2, -1, 2]), [1, 0, 2])
    parts = {INK_STREAM: numbers[:lines], DRAWN_INK_STREAM: numbers[lines:]}
    return lambda lines, shape, stream: parts[stream]


def specification(config, pairs, *, batch_size, num_characters):
    """What the lowered phase takes: `lowering.specification`, noise for drawn hands, numbers for the ink, and
    CONTROLS.
    """
    d = pairs.drawn_lines(batch_size)
    drawn = {
        'drawn_style_normal': (np.float32, (d, config.style_dim)),
        'drawn_noise_normal': (np.float32, (d, num_characters, config.character_noise_dim)),
    }
    return {
        **lowering.specification(config, batch_size=batch_size, num_characters=num_characters),
        **(drawn if d else {}),
        'jitter_uniform': (np.float32, (2 * (batch_size + d), 2)),
        **dict.fromkeys(CONTROLS, (np.float32, ())),
    }
