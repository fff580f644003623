"""Linear layers: a convolution and a dense layer, with spectral normalisation where it is asked for."""

from typing import Any

import keras
import tensorflow as tf

from hwgen.models.layers.spectral import spectral_norm


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

    def __init__(
        self,
        filters: int,
        size: int | tuple[int, int] = 3,
        *,
        spectral: bool = False,
        use_bias: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.spectral = spectral
        self.use_bias = use_bias
        self.product_dtype: tf.DType | None = None

    def build(self, input_shape: Any) -> None:
        """Makes the kernel for so many channels as the input has, the bias and the singular vector."""
        shape = (*self.size, int(input_shape[-1]), self.filters)
        # Orthogonal weights keep signal size through deep stacks and suit spectral normalisation (SAGAN,
        # BigGAN).
        initializer = 'orthogonal' if self.spectral else 'he_normal'
        self.kernel = self.add_weight(shape=shape, initializer=initializer, name='kernel')
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer='zeros', name='bias')
        if self.spectral:
            self.u = _singular_vector(self, self.filters)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[B, H, W, C] -> [B, H, W, filters]; while training the singular vector takes a step."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.spectral:
            kernel = spectral_norm(kernel, self.u, training=training)
        low = self.product_dtype or x.dtype
        x = tf.cast(tf.nn.conv2d(tf.cast(x, low), tf.cast(kernel, low), 1, 'SAME'), x.dtype)
        return tf.nn.bias_add(x, tf.cast(self.bias, x.dtype)) if self.use_bias else x


def multiply_in(module: keras.layers.Layer, dtype: str | None) -> None:
    """Has the convolutions below a Keras layer or model multiply in `dtype` ('bfloat16'; None: as their
    input comes).
    """
    for layer in module._flatten_layers():
        if isinstance(layer, Conv2D):
            layer.product_dtype = dtype and tf.as_dtype(dtype)


class Dense(keras.layers.Layer):
    """Linear layer over the last axis with an optional spectrally normalised kernel; arguments as in
    `Conv2D`.
    """

    def __init__(
        self,
        units: int,
        *,
        spectral: bool = False,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = 'zeros',
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.spectral = spectral
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer or ('orthogonal' if spectral else 'glorot_uniform')
        self.bias_initializer = bias_initializer

    def build(self, input_shape: Any) -> None:
        """Makes the kernel for so many numbers as the input has, the bias and the singular vector."""
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer=self.kernel_initializer, name='kernel'
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.units,), initializer=self.bias_initializer, name='bias')
        if self.spectral:
            self.u = _singular_vector(self, self.units)

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[..., C] -> [..., units]; while training the singular vector takes a step."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.spectral:
            kernel = spectral_norm(kernel, self.u, training=training)
        x = tf.tensordot(x, tf.cast(kernel, x.dtype), 1)
        return x + tf.cast(self.bias, x.dtype) if self.use_bias else x


def _singular_vector(layer, size):
    """The vector [1, size] by which `spectral_norm` knows a kernel's largest singular value."""
    return layer.add_weight(
        shape=(1, size),
        initializer='random_normal',
        trainable=False,
        name='u',
        aggregation='only_first_replica',
    )
