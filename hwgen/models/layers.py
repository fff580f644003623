"""Layers every module is built from: masked, optionally spectrally normalised, equal on one replica and on
many.

Feature maps are [B, H, W, C]; a line of N characters is N cells wide. `valid` [B, 1, W, 1] holds 1 on the
valid columns and 0 on padding (Keras keeps the argument name `mask` to itself); `valid=None` says that every
column is valid, which takes the faster fused kernels.
"""

import keras
import numpy as np
import tensorflow as tf


def column_mask(lengths, num_characters, *, columns_per_character, dtype=tf.float32):
    """Mask of the valid columns of a padded batch of lines.

    Args:
        lengths: int32 [B], characters in each line, or float32, such that columns are whole; None when every
            line fills the batch's width.
        num_characters: int scalar, N, characters in the widest line.
        columns_per_character: int, feature columns of one character at this resolution.
        dtype: dtype of the mask.

    Returns:
        [B, 1, N * columns_per_character, 1], 1 where valid, or None for `lengths=None`.
    """
    if lengths is None:
        return None
    mask = tf.sequence_mask(
        lengths * columns_per_character, num_characters * columns_per_character, dtype=dtype
    )
    return mask[:, tf.newaxis, :, tf.newaxis]  # B x W -> B x 1 x W x 1


def apply_mask(x, mask):
    """Sets padding columns of `x` [B, H, W, C] to zero; the identity for `mask=None`."""
    return x if mask is None else x * tf.cast(mask, x.dtype)


def upsample(x):
    """Doubles height and width by repetition. [B, H, W, C] -> [B, 2H, 2W, C]."""
    return keras.ops.repeat(keras.ops.repeat(x, 2, axis=1), 2, axis=2)


def downsample(x):
    """Halves height and width by averaging. [B, H, W, C] -> [B, H/2, W/2, C]."""
    return tf.nn.avg_pool2d(x, 2, 2, 'VALID')


def shift_columns(x, shift_px, *, reach_px):
    """Moves every value along its row: out[w] = x[w + shift[w]], linear between columns.

    The second spatial transformer of Jaderberg et al. 2015 (bilinear sampling) in one dimension, as a sum
    over whole
    shifts: no gather, so the gradient is the same in every run.

    Args:
        x: float [B, H, W, C]; zero beyond its ends.
        shift_px: float [B, H, W, 1], columns, in [-reach_px, reach_px].
        reach_px: int.

    Returns:
        float [B, H, W, C].
    """
    return _shift(x, shift_px, axis=2, reach_px=reach_px)


def shift_rows(x, shift_px, *, reach_px):
    """`shift_columns` along columns: out[h] = x[h + shift[h]]."""
    return _shift(x, shift_px, axis=1, reach_px=reach_px)


def _shift(x, shift_px, *, axis, reach_px):
    size = tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]
    padding, place = [[0, 0]] * 4, [slice(None)] * 4
    padding[axis] = [reach_px, reach_px]
    padded, out = tf.pad(x, padding), 0.0
    for whole in range(-reach_px, reach_px + 1):
        place[axis] = slice(reach_px + whole, reach_px + whole + size)
        out += tf.nn.relu(1.0 - tf.abs(shift_px - whole)) * padded[tuple(place)]
    return out


def enlarge(x, factor):
    """Bilinear enlargement of a map by a whole factor, sample points at pixel centres. [B, H, W, C] -> [B,
    f H, f W, C].
    """
    return tf.image.resize(x, [tf.shape(x)[1] * factor, tf.shape(x)[2] * factor])


def spectral_norm(kernel, u, *, training):
    """Kernel over its largest singular value, estimated by one power iteration.

    Source: Miyato et al. 2018, "Spectral Normalization for GANs", eq. 8 and algorithm 1. The reparametrised
    form: the gradient flows through sigma, while u and v are constants. Differs: nothing known.

    Args:
        kernel: float [..., C_out], the raw weights.
        u: variable float [1, C_out], the left singular vector's estimate; updated in place only when
            training.
        training: bool.

    Returns:
        float, shape of `kernel`.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])  # kh x kw x C_in x C_out -> (kh kw C_in) x C_out
    frozen = tf.stop_gradient(matrix)
    u_old = tf.convert_to_tensor(u)
    v = tf.math.l2_normalize(tf.matmul(u_old, frozen, transpose_b=True))  # 1 x (kh kw C_in)
    u_new = tf.math.l2_normalize(tf.matmul(v, frozen))  # 1 x C_out
    if training:
        u.assign(u_new)
    sigma = tf.matmul(tf.matmul(v, matrix), u_new, transpose_b=True)  # 1 x 1
    return kernel / tf.reshape(sigma, [])


class Conv2D(keras.layers.Layer):
    """Stride-1 'same' convolution with an optional spectrally normalised kernel.

    Zeros stand outside the map, which is what masked padding holds too: so a line alone and the same line
    padded in a batch give the same values.

    Args:
        filters: int, output channels.
        size: int or (int, int), kernel height and width.
        spectral: bool, divide the kernel by its spectral norm (see `spectral_norm`).
        use_bias: bool.

    Attributes:
        product_dtype: dtype of the products, or None for the input's; `multiply_in` sets it. Sums, weights
            and what flows between layers keep their own.
    """

    def __init__(self, filters, size=3, *, spectral=False, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.spectral = spectral
        self.use_bias = use_bias
        self.product_dtype = None

    def build(self, input_shape):
        shape = (*self.size, int(input_shape[-1]), self.filters)
        # Orthogonal weights keep signal size through deep stacks and suit spectral normalisation (SAGAN,
        # BigGAN).
        initializer = 'orthogonal' if self.spectral else 'he_normal'
        self.kernel = self.add_weight(shape=shape, initializer=initializer, name='kernel')
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer='zeros', name='bias')
        if self.spectral:
            self.u = self.add_weight(
                shape=(1, self.filters),
                initializer='random_normal',
                trainable=False,
                name='u',
                aggregation='only_first_replica',
            )

    def call(self, x, training=False):
        kernel = tf.convert_to_tensor(self.kernel)
        if self.spectral:
            kernel = spectral_norm(kernel, self.u, training=training)
        low = self.product_dtype or x.dtype
        x = tf.cast(tf.nn.conv2d(tf.cast(x, low), tf.cast(kernel, low), 1, 'SAME'), x.dtype)
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype)) if self.use_bias else x


class Dense(keras.layers.Layer):
    """Linear layer over the last axis with an optional spectrally normalised kernel; arguments as in
    `Conv2D`.
    """

    def __init__(
        self,
        units,
        *,
        spectral=False,
        use_bias=True,
        kernel_initializer=None,
        bias_initializer='zeros',
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.spectral = spectral
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer or ('orthogonal' if spectral else 'glorot_uniform')
        self.bias_initializer = bias_initializer

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer=self.kernel_initializer, name='kernel'
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name='bias')
        if self.spectral:
            self.u = self.add_weight(
                shape=(1, self.units),
                initializer='random_normal',
                trainable=False,
                name='u',
                aggregation='only_first_replica',
            )

    def call(self, x, training=False):
        kernel = tf.convert_to_tensor(self.kernel)
        if self.spectral:
            kernel = spectral_norm(kernel, self.u, training=training)
        x = tf.tensordot(x, tf.cast(kernel, x.dtype), 1)
        return x + tf.cast(self.bias, x.dtype) if self.use_bias else x


class Embedding(keras.layers.Layer):
    """Lookup table with unit-variance rows and an exact zero row for id 0 (padding).

    Unit variance because the content is read next to N(0, 1) noise: with Keras' uniform(+-.05) the noise
    drowns it and every character becomes the same blob.

    Args:
        num_rows: int, rows of the table, row 0 (padding) included.
        units: int, size of a row.
    """

    def __init__(self, num_rows, units, **kwargs):
        super().__init__(**kwargs)
        self.num_rows = num_rows
        self.units = units

    def build(self, input_shape):
        self.table = self.add_weight(
            shape=(self.num_rows, self.units),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            name='table',
        )

    def call(self, ids):
        rows = tf.gather(tf.convert_to_tensor(self.table), ids)
        return rows * tf.cast(ids > 0, rows.dtype)[..., tf.newaxis]


class BatchNormalization(keras.layers.Layer):
    """Batch normalisation over the valid positions of all replicas, optionally conditional on a style vector.

    Source: Ioffe and Szegedy 2015; the conditional form De Vries et al. 2017, as ScrabbleGAN and HCT-GAN use
    it: scale and shift are linear in z. Differs: statistics are sums over valid positions, reduced across
    replicas, so that neither padding nor the number of replicas changes the result.

    Args:
        conditional: bool, scale and shift come from `style` [B, Z] (1 + linear, linear); otherwise they are
            learned.
        epsilon: float, added to the variance.
        momentum: float in [0, 1), of the moving statistics; a variable, since `recompute_statistics` changes
            it.
    """

    def __init__(self, *, conditional=False, epsilon=1e-3, momentum=0.98, **kwargs):
        super().__init__(**kwargs)
        self.conditional = conditional
        self.epsilon = epsilon
        self.initial_momentum = momentum

    def build(self, input_shape):
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

    def call(self, x, style=None, valid=None, training=False):
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
            gamma, beta = tf.split(self.modulation(style)[:, tf.newaxis, tf.newaxis, :], 2, axis=-1)
            normal = normal * (1.0 + tf.cast(gamma, x.dtype)) + tf.cast(beta, x.dtype)
        else:
            normal = normal * tf.cast(self.gamma, x.dtype) + tf.cast(self.beta, x.dtype)
        return apply_mask(normal, valid)


def batch_normalizations(module):
    """All `BatchNormalization` layers below a Keras layer or model, each once, in no particular order."""
    return [layer for layer in module._flatten_layers() if isinstance(layer, BatchNormalization)]


def multiply_in(module, dtype):
    """Has the convolutions below a Keras layer or model multiply in `dtype` ('bfloat16'; None: as their
    input comes).
    """
    for layer in module._flatten_layers():
        if isinstance(layer, Conv2D):
            layer.product_dtype = dtype and tf.as_dtype(dtype)


class StyleSpace(keras.layers.Layer):
    """Where styles lie: the normal distribution of those that the style encoder found in real lines.

    A KL term leaves the encoder's styles of all lines together (the aggregate posterior) near N(0, 1), not at
    it; styles drawn from N(0, 1) would then be hands that the generator was never taught. Fitting a density
    to the encoder's styles after training removes that gap (Ghosh et al. 2020, "From variational to
    deterministic autoencoders", section 4).
    """

    def build(self, input_shape):
        """mean [Z] and lower triangular factor [Z, Z] of the covariance; N(0, 1) until they are fitted."""
        size = input_shape[-1]
        self.mean = self.add_weight(shape=[size], initializer='zeros', trainable=False, name='mean')
        self.factor = self.add_weight(
            shape=[size, size], initializer='identity', trainable=False, name='factor'
        )

    def call(self, normal):
        """Standard normal numbers float32 [B, Z] -> styles float32 [B, Z]."""
        return self.mean + tf.linalg.matmul(normal, self.factor, transpose_b=True)

    def fit(self, means, variances, *, least_variance=1e-3):
        """Takes mean and covariance of a mixture of normal distributions, one a line.

        Args:
            means, variances: float [lines, Z], what the style encoder says of each line.
            least_variance: float, added to every direction, so that few lines still give a factor.
        """
        means = np.asarray(means, np.float64)
        covariance = np.cov(means, rowvar=False, bias=True) + np.diag(np.mean(variances, 0) + least_variance)
        self.mean.assign(means.mean(0).astype(np.float32))
        self.factor.assign(np.linalg.cholesky(covariance).astype(np.float32))


class WindowedSelfAttention(keras.layers.Layer):
    """Self-attention of SAGAN within a window of characters.

    Source: Zhang et al. 2019, "Self-Attention GANs", eq. 1-3, with its 2 x 2 pooled keys and values and a
    learned gain that starts at zero. Differs: a position attends to its own character and `reach` characters
    on either side, not to the whole map, so that cost is linear in length, a line of any length is written in
    windows, and padding changes nothing.

    Args:
        columns_per_character: int, feature columns of one character here; even.
        reach: int, characters on either side that a position sees.
        spectral: bool, spectral normalisation of the projections.
    """

    def __init__(self, *, columns_per_character, reach=1, spectral=False, **kwargs):
        super().__init__(**kwargs)
        self.columns = columns_per_character
        self.reach = reach
        self.spectral = spectral

    def build(self, input_shape):
        channels = int(input_shape[-1])
        self.channels = channels
        self.query = Conv2D(max(channels // 8, 1), 1, spectral=self.spectral, use_bias=False, name='query')
        self.key = Conv2D(max(channels // 8, 1), 1, spectral=self.spectral, use_bias=False, name='key')
        self.value = Conv2D(max(channels // 2, 1), 1, spectral=self.spectral, use_bias=False, name='value')
        self.output_projection = Conv2D(
            channels, 1, spectral=self.spectral, use_bias=False, name='output_projection'
        )
        self.gain = self.add_weight(shape=(), initializer='zeros', name='gain')

    def _by_character(self, x, columns):
        """B x H x (N w) x C -> B x N x (H w) x C: the positions of each character together."""
        b, h, c = tf.shape(x)[0], x.shape[1], x.shape[-1]
        x = tf.reshape(x, [b, h, -1, columns, c])
        x = tf.transpose(x, [0, 2, 1, 3, 4])  # B x H x N x w x C -> B x N x H x w x C
        return tf.reshape(x, [b, -1, h * columns, c])

    def _neighbourhood(self, x):
        """B x N x P x C -> B x N x ((2 reach + 1)

        P) x C: each character with its neighbours; zeros beyond the ends.
        """
        padded = tf.pad(x, [[0, 0], [self.reach, self.reach], [0, 0], [0, 0]])
        n = tf.shape(x)[1]
        return tf.concat([padded[:, i : i + n] for i in range(2 * self.reach + 1)], axis=2)

    def call(self, x, valid=None, training=False):
        height, half = x.shape[1], self.columns // 2

        def pool(t):
            return tf.nn.max_pool2d(t, 2, 2, 'VALID')

        query = self._by_character(self.query(x, training=training), self.columns)
        key = self._neighbourhood(self._by_character(pool(self.key(x, training=training)), half))
        value = self._neighbourhood(self._by_character(pool(self.value(x, training=training)), half))
        columns = tf.ones_like(x[:, :1, :, :1]) if valid is None else tf.cast(valid, x.dtype)
        # B x 1 x (N w) x 1 -> B x N x 1, then each character's neighbours exist or do not: B x N x ((2 reach
        # + 1) P)
        exists = self._by_character(columns[:, :, :: self.columns], 1)
        positions = (height // 2) * half
        exists = tf.repeat(self._neighbourhood(exists)[..., 0], positions, axis=-1)
        scores = tf.matmul(query, key, transpose_b=True) + (exists[:, :, tf.newaxis, :] - 1.0) * 1e4
        attended = tf.matmul(tf.nn.softmax(tf.cast(scores, tf.float32)), tf.cast(value, tf.float32))
        b, c = tf.shape(x)[0], value.shape[-1]
        # B x N x (H w) x C ->
        attended = tf.reshape(tf.cast(attended, x.dtype), [b, -1, height, self.columns, c])
        # -> B x H x (N w) x C
        attended = tf.reshape(tf.transpose(attended, [0, 2, 1, 3, 4]), [b, height, -1, c])
        out = self.output_projection(attended, training=training)
        return apply_mask(x + tf.cast(self.gain, x.dtype) * out, valid)
