"""The base of every training step: variables, their optimizer, and how an update runs on all replicas."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import keras
import tensorflow as tf

from hwgen.training.signatures import of_any_length

Metrics = dict[str, tf.Tensor]


class StepSettings(Protocol):
    """What the base asks of a step's settings (`GanSettings` has it)."""

    @property
    def batch_size(self) -> int:
        """Lines of a batch, over all replicas."""

    @property
    def seed(self) -> int:
        """Of the noise that steps draw."""

    @property
    def clip_norm(self) -> float:
        """Global norm that gradients are clipped to; 0: not at all."""


class Numbered(Protocol):
    """What noise is drawn for (`LineBatch` has it)."""

    @property
    def step(self) -> tf.Tensor:
        """int64 [B], the number of the step."""

    @property
    def example_index(self) -> tf.Tensor:
        """int32 [B], places in the global batch."""


class TrainingStep:
    """One kind of update: which variables it moves, by which optimizer, and by which losses.

    A step derives from this class. It says at which `rate` it learns, and offers a method `update` that
    hands a method of its own, the update of one replica, to `run`. In that method every loss is a share of
    the global batch (`share`), `apply` moves the variables, and the returned metrics are shares, too: `run`
    sums them over the replicas.

    Every variable exists after construction, so that a checkpoint restored before the first update resumes
    bit for bit.

    Args:
        variables: what the step moves; all of them exist.
        settings: batch size, clipping and seed, and what the step itself asks for.
        strategy: over which replicas it runs.
        beta_1, beta_2: Adam's decays of the mean gradient and of its mean square.

    Attributes:
        optimizer: Adam, built; a checkpoint must hold it.
        variables, settings, strategy: as given.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        settings: StepSettings,
        *,
        strategy: tf.distribute.Strategy,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
    ):
        self.variables, self.strategy = variables, strategy
        self.settings: Any = settings
        with strategy.scope():
            self.optimizer = keras.optimizers.Adam(self.rate, beta_1=beta_1, beta_2=beta_2)
        self.optimizer.build(variables)
        self._functions: dict[tuple[Callable[..., Metrics], int], Callable[..., Metrics]] = {}

    @property
    def rate(self) -> float:
        """Learning rate where nothing scales it."""
        raise NotImplementedError(f'{type(self).__name__} has no property `rate`')

    def run(
        self,
        replica_step: Callable[..., Metrics],
        *inputs: Any,
        rate_scale: float = 1.0,
        then: Callable[[], object] | None = None,
    ) -> Metrics:
        """Updates all replicas.

        One trace serves lines of every length: one trace for each length would compute other last bits, and
        with `reduce_retracing` those of a step would depend on which length its process met first.

        Args:
            replica_step: a method of the step, the update of one replica; takes the replica's part of the
                inputs. Its trace is kept, one for each number of inputs.
            *inputs: tensors, or nested tuples and dicts of them, of the global batch, or a value for each
                replica where there are several; those that are None are not handed on.
            rate_scale: times the learning rate.
            then: called after the replicas, once, within the same trace.

        Returns:
            float32 scalars, the means over the global batch.
        """
        given = [value for value in inputs if value is not None]
        key = replica_step, len(given)
        if key not in self._functions:

            def function(*parts):
                metrics = self.strategy.run(replica_step, args=parts)
                if then is not None:
                    then()
                return {
                    name: self.strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
                    for name, value in metrics.items()
                }

            self._functions[key] = tf.function(
                function, input_signature=[of_any_length(value) for value in given]
            )
        self.optimizer.learning_rate.assign(self.rate * rate_scale)
        return self._functions[key](*given)

    # Of one replica
    # ---------------------------------------------------------------------------------------------------

    def share(self, per_example: tf.Tensor) -> tf.Tensor:
        """Sum of per-example values [B] over the global batch size: summed over replicas it is the global
        mean.
        """
        return tf.reduce_sum(per_example) / self.settings.batch_size

    def total(self, value: Any) -> Any:
        """The sum of this replica's value and all others'; of a list of values, that of each."""
        replicas = tf.distribute.get_replica_context()
        if replicas.num_replicas_in_sync == 1:
            return value
        return replicas.all_reduce(tf.distribute.ReduceOp.SUM, value)

    def apply(
        self, tape: tf.GradientTape, target: Any, *, output_gradients: Any = None, clip: bool = True
    ) -> tf.Tensor:
        """Moves the variables by the gradient of a share of the global mean.

        Args:
            tape: that recorded `target`.
            target: what is lowered: a scalar, or tensors with `output_gradients`.
            output_gradients: gradients that come in at the targets; None: ones.
            clip: the gradient is clipped to the norm of the settings; False: it is taken as it is.

        Returns:
            float32 scalar, this replica's share of the global gradient's norm before clipping.
        """
        gradients = tape.gradient(target, self.variables, output_gradients=output_gradients)
        gradients = [
            tf.zeros_like(v) if g is None else tf.convert_to_tensor(g)
            for g, v in zip(gradients, self.variables, strict=True)
        ]
        count = tf.distribute.get_replica_context().num_replicas_in_sync
        # the norm must be that of the whole gradient, so that replicas do not change the clipping
        gradients = self.total(gradients)
        norm = tf.linalg.global_norm(gradients)
        if clip and self.settings.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.settings.clip_norm, use_norm=norm)
        if count > 1:  # Keras sums over replicas once more
            gradients = [g / count for g in gradients]
        self.optimizer.apply(gradients, self.variables)
        return norm / count

    def normal(self, lines: Numbered, shape: Sequence[Any], stream: int) -> tf.Tensor:
        """N(0, 1) noise [B, *shape] of (seed, step, example): replicas draw what one device would.

        Args:
            lines: whose step and places in the batch say what is drawn.
            shape: of one example.
            stream: 0 to 15, a number for each independent use, so that no two draws of a step share their
                values.
        """
        return self._drawn_numbers(tf.random.stateless_normal, lines, shape, stream)

    def uniform(self, lines: Numbered, shape: Sequence[Any], stream: int) -> tf.Tensor:
        """Numbers between -1 and 1, otherwise as `normal`."""
        return 2.0 * self._drawn_numbers(tf.random.stateless_uniform, lines, shape, stream) - 1.0

    def _drawn_numbers(self, draw, lines, shape, stream):
        seed = tf.stack(
            [tf.cast(self.settings.seed, tf.int64) * 16 + stream, tf.cast(lines.step[0], tf.int64)]
        )
        return tf.gather(draw(tf.concat([[self.settings.batch_size], shape], 0), seed), lines.example_index)
