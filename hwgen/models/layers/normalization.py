"""Batch normalisation of padded lines, equal on one replica and on many."""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models.layers.linear import Dense
from hwgen.models.layers.masks import apply_mask


class BatchNormalization(keras.layers.Layer):
    """Batch normalisation over the valid positions of all replicas, if asked for conditional on a style.

    Source: Ioffe and Szegedy 2015; the conditional form De Vries et al. 2017, as ScrabbleGAN and HCT-GAN use
    it: scale and shift are linear in z. Differs: statistics are sums over valid positions, reduced across
    replicas, so that neither padding nor the number of replicas changes the result.

    Args:
        conditional: bool, scale and shift come from `style_part` [B, Z1] (1 + linear, linear); otherwise
            they are learned.
        epsilon: float, added to the variance.
        momentum: float in [0, 1), of the moving statistics; a variable, since `recompute_statistics` changes
            it.
    """

    def __init__(
        self, *, conditional: bool = False, epsilon: float = 1e-3, momentum: float = 0.98, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.conditional = conditional
        self.epsilon = epsilon
        self.initial_momentum = momentum

    def build(self, input_shape: Any) -> None:
        """Makes statistics, and gain and shift or what gives them, for so many channels as the input has."""
        channels = int(input_shape[-1])
        self.channels = channels

        def weight(name, start):
            return self.add_weight(
                shape=(channels,),
                initializer=start,
                trainable=False,
                name=name,
                dtype='float32',
                aggregation='only_first_replica',
            )

        self.moving_mean = weight('moving_mean', 'zeros')
        self.moving_variance = weight('moving_variance', 'ones')
        self.momentum = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(self.initial_momentum),
            trainable=False,
            name='momentum',
            dtype='float32',
        )
        if self.conditional:
            small = keras.initializers.RandomNormal(stddev=0.05)
            self.modulation = Dense(2 * channels, kernel_initializer=small, name='modulation')
        else:
            self.gamma = self.add_weight(shape=(channels,), initializer='ones', name='gamma')
            self.beta = self.add_weight(shape=(channels,), initializer='zeros', name='beta')

    def _batch_statistics(self, x, mask):
        """Mean and variance [C] over valid positions of every replica."""
        x = tf.cast(x, tf.float32)
        if mask is None:
            count = tf.cast(tf.size(x) // self.channels, tf.float32)
            total = tf.reduce_sum(x, [0, 1, 2])
        else:
            mask = tf.cast(mask, tf.float32)
            count = tf.reduce_sum(mask) * tf.cast(tf.shape(x)[1], tf.float32)
            total = tf.reduce_sum(x * mask, [0, 1, 2])
        replicas = tf.distribute.get_replica_context()
        several = replicas is not None and replicas.num_replicas_in_sync > 1
        if several:
            total, count = replicas.all_reduce(tf.distribute.ReduceOp.SUM, [total, count])
        mean = total / count
        # Two passes: E[x^2] - E[x]^2 cancels badly when a channel's mean is large beside its spread.
        square = tf.math.squared_difference(x, mean)
        spread = tf.reduce_sum(square if mask is None else square * mask, [0, 1, 2])
        if several:
            spread = replicas.all_reduce(tf.distribute.ReduceOp.SUM, spread)
        return mean, spread / count

    def call(
        self,
        x: tf.Tensor,
        style_part: tf.Tensor | None = None,
        valid: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """Normalises a map.

        Args:
            x: float [B, H, W, C].
            style_part: float [B, Z1], where it is conditional: the part of a style that is this layer's.
            valid: float [B, 1, W, 1], 1 on valid columns; None: all are.
            training: bool, the statistics are those of the batch, and the moving ones follow them.

        Returns:
            float [B, H, W, C], zero on columns that are not valid.
        """
        replicas = tf.distribute.get_replica_context()
        if training:
            if (
                valid is None
                and x.dtype == tf.float32
                and (replicas is None or replicas.num_replicas_in_sync == 1)
            ):
                ones, zeros = tf.ones([self.channels]), tf.zeros([self.channels])
                normal, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                    x, ones, zeros, epsilon=self.epsilon, is_training=True
                )[:3]
                # The fused kernel reports the unbiased variance; the general path and inference use the
                # biased one.
                count = tf.cast(tf.size(x) // self.channels, tf.float32)
                variance = variance * (count - 1.0) / count
            else:
                mean, variance = self._batch_statistics(x, valid)
                normal = (x - tf.cast(mean, x.dtype)) * tf.cast(
                    tf.math.rsqrt(variance + self.epsilon), x.dtype
                )
            momentum = tf.convert_to_tensor(self.momentum)
            for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(momentum * moving + (1.0 - momentum) * tf.stop_gradient(value))
        else:
            scale = tf.math.rsqrt(tf.convert_to_tensor(self.moving_variance) + self.epsilon)
            normal = (x - tf.cast(self.moving_mean, x.dtype)) * tf.cast(scale, x.dtype)
        if self.conditional:
            # B x 1 x 1 x C
            gamma, beta = tf.split(self.modulation(style_part)[:, tf.newaxis, tf.newaxis, :], 2, axis=-1)
            normal = normal * (1.0 + tf.cast(gamma, x.dtype)) + tf.cast(beta, x.dtype)
        else:
            normal = normal * tf.cast(self.gamma, x.dtype) + tf.cast(self.beta, x.dtype)
        return apply_mask(normal, valid)


def batch_normalizations(module: keras.layers.Layer) -> list[BatchNormalization]:
    """All `BatchNormalization` layers below a Keras layer or model, each once, in no particular order."""
    return [layer for layer in module._flatten_layers() if isinstance(layer, BatchNormalization)]
