"""Layers: masks, batch normalisation against NumPy and the fused kernel.

Spectral normalisation: test_spectral_norm.py.
"""

import keras
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from hwgen.models import layers


def test_column_mask():
    mask = layers.column_mask(tf.constant([2, 1]), 3, columns_per_character=2)
    np.testing.assert_array_equal(mask[:, 0, :, 0], [[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]])
    assert mask.shape == [2, 1, 6, 1]
    assert layers.column_mask(None, 3, columns_per_character=2) is None


def test_resampling_equals_numpy():
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
    np.testing.assert_array_equal(layers.upsample(x), x.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_allclose(layers.downsample(x), x.reshape(2, 2, 2, 3, 2, 3).mean((2, 4)), atol=1e-6)
    np.testing.assert_allclose(layers.downsample(layers.upsample(x)), x, atol=1e-6)


# Convolution, linear layer, embedding
# --------------------------------------------------------------------------------


@pytest.mark.parametrize('size', [1, 3, (1, 5), 7])
def test_convolution_equals_numpy(size, randomise):
    x = np.random.default_rng(4).normal(size=(2, 5, 6, 3)).astype(np.float32)
    layer = layers.Conv2D(4, size)
    layer(x)
    randomise(layer)
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    height, width = kernel.shape[:2]
    padded = np.pad(x, [(0, 0), (height // 2,) * 2, (width // 2,) * 2, (0, 0)])
    expected = np.zeros([2, 5, 6, 4]) + bias
    for i in range(height):
        for j in range(width):
            expected += padded[:, i : i + 5, j : j + 6] @ kernel[i, j]
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_embedding_has_a_zero_row_and_unit_variance():
    layer = layers.Embedding(300, 40)
    rows = layer(tf.range(300)).numpy()
    np.testing.assert_array_equal(rows[0], np.zeros(40))
    np.testing.assert_array_equal(rows[1:], layer.table.numpy()[1:])
    assert rows[1:].std() == pytest.approx(1.0, abs=0.05)  # 12,000 draws: five standard errors are .03
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(tf.constant([0, 3])) ** 2)
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.table)).numpy()
    assert not gradient[0].any() and gradient[3].any()


# Batch normalisation
# -------------------------------------------------------------------------------------------------


def norm_of(x, randomise, **options):
    layer = layers.BatchNormalization(**options)
    layer(x, style_part=np.zeros([len(x), 3], np.float32)) if options.get('conditional') else layer(x)
    return randomise(layer)


@pytest.fixture
def padded_batch():
    rng = np.random.default_rng(7)
    x = rng.normal(2.0, 3.0, size=(3, 4, 6, 5)).astype(np.float32)
    mask = (np.arange(6) < np.array([6, 2, 4])[:, None]).astype(np.float32)[:, None, :, None]
    return x, mask


def test_batch_statistics_equal_numpy_over_valid_positions(padded_batch, randomise):
    x, mask = padded_batch
    layer = norm_of(x, randomise, momentum=0.9)
    valid = np.broadcast_to(mask > 0, (3, 4, 6, 1))[..., 0]
    mean, variance = x[valid].mean(0), x[valid].var(0)
    old = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    out = layer(x, valid=mask, training=True).numpy()
    expected = (x - mean) / np.sqrt(variance + 1e-3) * layer.gamma.numpy() + layer.beta.numpy()
    np.testing.assert_allclose(out, expected * mask, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.9 * old[0] + 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 * old[1] + 0.1 * variance, rtol=1e-5)


def test_fixed_statistics_equal_numpy_and_stay(padded_batch, randomise):
    x, mask = padded_batch
    layer = norm_of(x, randomise)
    before = [variable.numpy() for variable in layer.variables]
    expected = (x - layer.moving_mean.numpy()) / np.sqrt(layer.moving_variance.numpy() + 1e-3)
    expected = (expected * layer.gamma.numpy() + layer.beta.numpy()) * mask
    np.testing.assert_allclose(layer(x, valid=mask, training=False), expected, atol=1e-5)
    for value, variable in zip(before, layer.variables):
        np.testing.assert_array_equal(value, variable)


def test_conditional_scale_and_shift_equal_numpy(padded_batch, randomise):
    x, mask = padded_batch
    style = np.random.default_rng(8).normal(size=(3, 3)).astype(np.float32)
    layer = norm_of(x, randomise, conditional=True)
    gamma, beta = np.split(
        style @ layer.modulation.kernel.numpy() + layer.modulation.bias.numpy(), 2, axis=-1
    )
    normal = (x - layer.moving_mean.numpy()) / np.sqrt(layer.moving_variance.numpy() + 1e-3)
    expected = (normal * (1.0 + gamma[:, None, None]) + beta[:, None, None]) * mask
    np.testing.assert_allclose(layer(x, style_part=style, valid=mask), expected, atol=1e-5)


def test_fused_kernel_and_masked_path_agree(padded_batch, randomise):
    """Outputs, statistics and gradients with `valid=None` (the fused kernel) and with a mask of ones."""
    x, _ = padded_batch
    ones, results = np.ones([3, 1, 6, 1], np.float32), []
    weights = np.random.default_rng(9).normal(size=x.shape).astype(np.float32)
    for valid in (None, ones):
        layer = norm_of(x, randomise)
        inputs = tf.Variable(x)
        with tf.GradientTape() as tape:
            out = layer(tf.convert_to_tensor(inputs), valid=valid, training=True)
            loss = tf.reduce_sum(out * weights)
        results.append(
            [
                out,
                *tape.gradient(loss, [inputs, layer.gamma, layer.beta]),
                layer.moving_mean,
                layer.moving_variance,
            ]
        )
    for fused, masked in zip(*results):
        # sums of 72 values of size 10 in two orders
        np.testing.assert_allclose(fused, masked, atol=2e-5, rtol=1e-5)


def test_doubled_padding_changes_nothing_while_training(padded_batch, randomise):
    x, mask = padded_batch

    def wide(array):
        return np.pad(array, [(0, 0), (0, 0), (0, 6), (0, 0)])

    first, second = (norm_of(x, randomise) for _ in range(2))
    out = first(x, valid=mask, training=True)
    again = second(wide(x) + 40.0 * (1.0 - wide(mask)), valid=wide(mask), training=True)
    np.testing.assert_allclose(again[:, :, :6], out, atol=1e-5)
    assert not again[:, :, 6:].numpy().any()
    for a, b in zip(first.variables, second.variables):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_large_mean_beside_a_small_spread(randomise):
    rng = np.random.default_rng(10)
    x = (1e3 + rng.normal(scale=0.1, size=(2, 4, 8, 3))).astype(np.float32)
    layer = norm_of(x, randomise)
    layer.gamma.assign([1.0, 1.0, 1.0])
    layer.beta.assign([0.0, 0.0, 0.0])
    out = layer(x, valid=np.ones([2, 1, 8, 1], np.float32), training=True).numpy()
    wide = x.astype(np.float64)
    expected = (wide - wide.mean((0, 1, 2))) / np.sqrt(wide.var((0, 1, 2)) + 1e-3)
    # float32 resolves 6e-5 at 1000: 6e-4 of a spread of .1
    np.testing.assert_allclose(out, expected, atol=2e-2)


def test_two_replicas_share_their_statistics(padded_batch, randomise):
    """Halves of a batch with unlike padding on two replicas: outputs, statistics and gradients of the
    whole.
    """
    x, mask = (np.concatenate([array, array[:1]]) for array in padded_batch)
    weights = np.random.default_rng(11).normal(size=x.shape).astype(np.float32)

    def step(layer, rows):
        def cut(array):
            return tf.constant(array)[rows : rows + 2] if rows is not None else tf.constant(array)

        inputs = cut(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            out = layer(inputs, valid=cut(mask), training=True)
            loss = tf.reduce_sum(out * cut(weights))
        return out, tape.gradient(loss, inputs)

    layer = norm_of(x, randomise)
    whole, statistics = step(layer, None), [layer.moving_mean.numpy(), layer.moving_variance.numpy()]
    # Not by collectives: the keys of their calls are counted anew by each strategy of a process, and would
    # clash.
    strategy = tf.distribute.MirroredStrategy(
        ['CPU:0', 'CPU:1'], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        layer = norm_of(x, randomise)
    both = tf.function(
        lambda: strategy.run(
            lambda: step(layer, 2 * tf.distribute.get_replica_context().replica_id_in_sync_group)
        )
    )()
    for found, expected in zip(both, whole):
        np.testing.assert_allclose(
            np.concatenate(strategy.experimental_local_results(found)), expected, atol=2e-5
        )
    for variable, expected in zip((layer.moving_mean, layer.moving_variance), statistics):
        for value in strategy.experimental_local_results(variable.value):
            np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_batch_normalizations_finds_each_once(make_generator):
    generator = make_generator(char_px=16)
    found = layers.batch_normalizations(generator)
    expected = [norm for block in generator.blocks for norm in (block.norm_1, block.norm_2)] + [
        generator.last_norm
    ]
    assert len(found) == 5 and {id(norm) for norm in found} == {id(norm) for norm in expected}


# Windowed self-attention
# ---------------------------------------------------------------------------------------------


def numpy_attention(layer, x, lengths):
    """Position by position, as the docstring says it: own character and `reach` on either side, 2 x 2
    pooled keys.
    """

    def pointwise(conv, t):
        return t @ conv.kernel.numpy()[0, 0]

    def pool(t):
        return t.reshape(t.shape[0] // 2, 2, t.shape[1] // 2, 2, -1).max((1, 3))

    out, columns = np.zeros_like(x), layer.columns
    for b, length in enumerate(lengths):
        line = x[b, :, : length * columns]
        query, key, value = (
            pointwise(layer.query, line),
            pool(pointwise(layer.key, line)),
            pool(pointwise(layer.value, line)),
        )
        for i in range(line.shape[0]):
            for j in range(line.shape[1]):
                character = j // columns
                low = max(0, character - layer.reach) * columns // 2
                high = min(length, character + layer.reach + 1) * columns // 2
                keys = key[:, low:high].reshape(-1, key.shape[-1])
                scores = keys @ query[i, j]
                shares = np.exp(scores - scores.max())
                seen = (shares / shares.sum()) @ value[:, low:high].reshape(-1, value.shape[-1])
                out[b, i, j] = line[i, j] + layer.gain.numpy() * pointwise(layer.output_projection, seen)
    return out


@pytest.fixture
def make_attention(randomise):
    def make(x, *, columns=4, reach=1, **options):
        layer = layers.WindowedSelfAttention(columns_per_character=columns, reach=reach, **options)
        layer(x)
        randomise(layer)
        layer.gain.assign(0.7)
        return layer

    return make


@pytest.mark.parametrize('columns, reach', [(4, 1), (2, 1), (4, 2), (2, 0)])
def test_attention_equals_brute_force(make_attention, columns, reach):
    lengths = [5, 2, 1]
    x = np.random.default_rng(11).normal(size=(3, 4, 5 * columns, 16)).astype(np.float32)
    mask = layers.column_mask(tf.constant(lengths), 5, columns_per_character=columns)
    layer = make_attention(x, columns=columns, reach=reach)
    x = x * mask.numpy()
    np.testing.assert_allclose(layer(x, valid=mask), numpy_attention(layer, x, lengths), atol=1e-5)
    np.testing.assert_allclose(layer(x), numpy_attention(layer, x, [5, 5, 5]), atol=1e-5)


def test_attention_starts_as_the_identity():
    x = tf.random.stateless_normal([1, 4, 8, 8], [1, 2])
    layer = layers.WindowedSelfAttention(columns_per_character=4)
    np.testing.assert_array_equal(layer(x), x)


def test_attention_sees_its_window_and_nothing_else(make_attention):
    x = np.random.default_rng(12).normal(size=(1, 4, 7 * 4, 16)).astype(np.float32)
    layer = make_attention(x)
    changed = x.copy()
    changed[:, :, 12:16] += 1.0  # character 3
    difference = np.abs(layer(x).numpy() - layer(changed).numpy()).reshape(4, 7, 4, 16).max((0, 2, 3))
    assert (difference[2:5] > 0.0).all()
    np.testing.assert_array_equal(difference[[0, 1, 5, 6]], 0.0)


def test_attention_ignores_padding(make_attention):
    x = np.random.default_rng(13).normal(size=(2, 4, 12, 16)).astype(np.float32)
    layer = make_attention(x)
    mask = layers.column_mask(tf.constant([3, 1]), 3, columns_per_character=4).numpy()
    out = layer(x * mask, valid=mask)
    wide = np.pad(x * mask, [(0, 0), (0, 0), (0, 12), (0, 0)])
    doubled = layer(wide, valid=np.pad(mask, [(0, 0), (0, 0), (0, 12), (0, 0)]))
    np.testing.assert_allclose(doubled[:, :, :12], out, atol=1e-6)
    assert not doubled[:, :, 12:].numpy().any()
    np.testing.assert_allclose(layer(x[1:, :, :4]), out[1:, :, :4], atol=1e-6)


@pytest.mark.parametrize('shift, axis', [(layers.shift_columns, 2), (layers.shift_rows, 1)])
def test_shifts_equal_scipy(shift, axis):
    """Linear sampling at x + d, zero outside: SciPy's map_coordinates of order 1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=[2, 6, 9, 1]).astype(np.float32)
    moved = rng.uniform(-3, 3, size=x.shape).astype(np.float32)
    moved[0, 0, :3, 0] = -3.0, 0.0, 3.0  # the ends of the reach, and none
    found = shift(tf.constant(x), tf.constant(moved), reach_px=3).numpy()
    for b in range(2):
        rows, columns = np.mgrid[:6, :9].astype(np.float64)
        places = [
            rows + (moved[b, ..., 0] if axis == 1 else 0),
            columns + (moved[b, ..., 0] if axis == 2 else 0),
        ]
        padded = np.pad(x[b, ..., 0], 4)  # between the last sample and zero, too, it is linear
        expected = scipy.ndimage.map_coordinates(padded, [p + 4 for p in places], order=1)
        np.testing.assert_allclose(found[b, ..., 0], expected, atol=1e-5)


def test_shifts_have_the_gradient_of_linear_sampling():
    x = tf.constant(np.random.default_rng(1).normal(size=[1, 4, 6, 1]))
    d = tf.constant(np.random.default_rng(2).uniform(-1.9, 1.9, size=[1, 4, 6, 1]))
    for shift in (layers.shift_columns, layers.shift_rows):
        for index in (0, 1):

            def f(a, other=(d, x)[index], index=index):
                return shift(*((a, other) if index == 0 else (other, a)), reach_px=2)

            theory, numeric = tf.test.compute_gradient(f, [(x, d)[index]], delta=1e-6)
            np.testing.assert_allclose(theory[0], numeric[0], atol=1e-7)


def test_enlarging_is_linear_between_pixel_centres():
    """1, 3 enlarged twice: centres of the new pixels at -.25, .25, .75, 1.25 of the old ones; flat beyond
    the ends.
    """
    out = layers.enlarge(tf.reshape([1.0, 3.0], [1, 1, 2, 1]), 2).numpy()[0, :, :, 0]
    np.testing.assert_allclose(out, [[1.0, 1.5, 2.5, 3.0]] * 2)


def test_products_of_another_dtype_leave_inputs_and_weights_alone(randomise):
    convolution = layers.Conv2D(3)
    x = tf.constant(np.random.default_rng(0).normal(size=[1, 5, 5, 4]), tf.float32)
    exact = convolution(x)
    holder = keras.Sequential([convolution])
    layers.multiply_in(holder, 'bfloat16')
    rough = convolution(x)
    assert rough.dtype == tf.float32 and convolution.kernel.dtype == 'float32'
    assert 0 < np.abs(rough - exact).max() < 0.05
    layers.multiply_in(holder, None)
    np.testing.assert_array_equal(convolution(x), exact)


def test_style_space_is_standard_normal_until_fitted():
    space = layers.StyleSpace()
    normal = np.random.default_rng(0).normal(size=[4, 6]).astype(np.float32)
    np.testing.assert_array_equal(space(normal), normal)
    assert not space.trainable_variables and len(space.variables) == 2


def test_style_space_has_the_moments_of_a_mixture():
    """Against 400,000 draws from the mixture itself: mean and covariance of what the layer makes of N(0,
    1).
    """
    rng = np.random.default_rng(1)
    means = rng.normal(size=[50, 3]) @ np.array([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, -0.3, 0.1]]) + [
        1.0,
        -2.0,
        0.0,
    ]
    variances = rng.uniform(0.01, 0.5, size=[50, 3])
    which = rng.integers(50, size=400_000)
    drawn = means[which] + np.sqrt(variances[which]) * rng.normal(size=[400_000, 3])
    space = layers.StyleSpace()
    space.build([None, 3])
    space.fit(means, variances, least_variance=0.0)
    styles = space(rng.normal(size=[400_000, 3]).astype(np.float32)).numpy()
    np.testing.assert_allclose(styles.mean(0), drawn.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(styles.T), np.cov(drawn.T), atol=0.05)
    np.testing.assert_allclose(space(np.zeros([1, 3], np.float32))[0], means.mean(0), atol=1e-6)


def test_style_space_of_one_line_has_a_factor():
    space = layers.StyleSpace()
    space.build([None, 4])
    space.fit(np.ones([1, 4]), np.zeros([1, 4]))
    np.testing.assert_allclose(space.factor, np.sqrt(1e-3) * np.eye(4), rtol=1e-5)


# What layers start with
# --------------------------------------------------------------------------------------------------


def test_weights_start_with_the_variance_that_keeps_signals():
    """He (2 / inputs) for convolutions, Glorot's bounds sqrt(6 / (in + out)) for linear layers, orthogonal
    columns under spectral normalisation; no bias.
    """
    convolution, dense, embedding = layers.Conv2D(64, 3), layers.Dense(60), layers.Embedding(3, 4)
    convolution.build([None, 4, 4, 32])
    dense.build([None, 90])
    # 18,432 draws: a standard error is .5 %
    assert np.std(convolution.kernel) == pytest.approx(np.sqrt(2.0 / (9 * 32)), rel=0.03)
    bound = np.sqrt(6.0 / 150)
    assert 0.97 * bound < np.abs(dense.kernel).max() <= bound and np.std(dense.kernel) == pytest.approx(
        bound / np.sqrt(3.0), rel=0.05
    )
    for layer, shape in (
        (layers.Conv2D(8, 3, spectral=True), [None, 4, 4, 5]),
        (layers.Dense(8, spectral=True), [None, 45]),
    ):
        layer.build(shape)
        matrix = layer.kernel.numpy().reshape(-1, 8)
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(8), atol=1e-5)
        assert layer.u.shape == (1, 8) and not layer.u.trainable and np.abs(layer.u).min() > 0.0
    for layer in (convolution, dense):
        assert not np.any(layer.bias) and not layer.spectral
    embedding.build(None)
    assert embedding.table.shape == (3, 4)


def test_normalisation_starts_as_the_identity_nearly():
    """Scale 1, shift 0, statistics of N(0, 1), momentum .98; conditional on a style with linear weights of
    .05.
    """
    norm, conditional = layers.BatchNormalization(), layers.BatchNormalization(conditional=True)
    norm(np.zeros([1, 1, 1, 40], np.float32))
    conditional(np.zeros([1, 1, 1, 40], np.float32), style_part=np.zeros([1, 50], np.float32))
    for name, start in (('gamma', 1.0), ('beta', 0.0), ('moving_mean', 0.0), ('moving_variance', 1.0)):
        np.testing.assert_array_equal(getattr(norm, name), np.full(40, start))
    assert float(norm.momentum) == pytest.approx(0.98) and norm.epsilon == 1e-3
    # 4,000 draws
    assert conditional.modulation.kernel.shape == (50, 80) and np.std(
        conditional.modulation.kernel
    ) == pytest.approx(0.05, rel=0.05)
    assert not np.any(conditional.modulation.bias) and len(conditional.trainable_variables) == 2


def test_attention_projects_to_an_eighth_and_a_half(make_attention):
    layer = make_attention(np.zeros([1, 4, 8, 16], np.float32))
    assert [conv.filters for conv in (layer.query, layer.key, layer.value, layer.output_projection)] == [
        2,
        2,
        8,
        16,
    ]
    assert not any(
        conv.use_bias or conv.spectral
        for conv in (layer.query, layer.key, layer.value, layer.output_projection)
    )
    narrow = make_attention(np.zeros([1, 4, 8, 1], np.float32), spectral=True)
    assert [conv.filters for conv in (narrow.query, narrow.key, narrow.value)] == [
        1,
        1,
        1,
    ] and narrow.query.spectral


def test_masks_of_floats_and_of_nothing():
    """Lengths of whole columns; the identity where every column is valid."""
    np.testing.assert_array_equal(
        layers.column_mask(tf.constant([1.5, 0.25]), 2, columns_per_character=4)[:, 0, :, 0],
        [[1] * 6 + [0] * 2, [1] + [0] * 7],
    )
    x = tf.constant(np.random.default_rng(0).normal(size=[2, 3, 8, 2]))
    assert layers.apply_mask(x, None) is x
    np.testing.assert_array_equal(
        layers.apply_mask(x, layers.column_mask(tf.constant([2, 1]), 2, columns_per_character=4))[1],
        np.where(np.arange(8)[:, None] < 4, x[1], 0.0),
    )


def test_a_style_space_adds_a_little_to_every_direction():
    """Three lines by hand: variances of the means, 8/3 and 0, with their covariance 0, and the mean of the
    lines' own.
    """
    space = layers.StyleSpace()
    space.build([None, 2])
    space.fit([[0.0, 5.0], [2.0, 5.0], [4.0, 5.0]], [[0.1, 0.4], [0.2, 0.5], [0.3, 0.6]])
    np.testing.assert_allclose(space.mean, [2.0, 5.0])
    np.testing.assert_allclose(
        space.factor, np.diag(np.sqrt([8.0 / 3 + 0.2 + 0.001, 0.5 + 0.001])), rtol=1e-6
    )
