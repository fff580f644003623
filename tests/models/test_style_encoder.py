"""Style encoder: shapes, masks, what each of its vectors may see, gradients."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import convolve, halve, linear, normalise, relu

from hwgen.models.style_encoder import StyleEncoder


@pytest.fixture
def make(randomise):
    def build(*, char_px=16, char_width_px=None, character_noise_dim=3, channels=None):
        width = char_width_px or char_px
        module = StyleEncoder(
            5,
            character_noise_dim=character_noise_dim,
            channels=channels or (8,) * (char_px.bit_length() - 2),
            char_px=char_px,
            char_width_px=width,
        )
        module(tf.ones([1, char_px, width, 1]))
        return randomise(module)

    return build


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 32), (32, 16), (64, 64)])
def test_shapes(make, lines_of_images, char_px, char_width_px):
    module = make(char_px=char_px, char_width_px=char_width_px)
    for n in (1, 3):
        out = module(lines_of_images([n, n], char_px, char_width_px))
        assert {key: value.shape.as_list() for key, value in out.items()} == dict(
            style_mean=[2, 5], style_log_variance=[2, 5], noise_mean=[2, n, 3], noise_log_variance=[2, n, 3]
        )
        for key in ('style_log_variance', 'noise_log_variance'):
            assert out[key].numpy().min() >= -8.0 and out[key].numpy().max() <= 4.0


@pytest.mark.parametrize(
    'head, name', [('to_style', 'style_log_variance'), ('to_noise', 'noise_log_variance')]
)
def test_log_variances_are_clipped_and_only_they(make, lines_of_images, head, name):
    """A head that says 100, or -100, of everything: beyond e^4 and e^-8 no variance is believed.

    Means are as they are said.
    """
    module, images = make(), lines_of_images([2], 16, 16)
    dense = getattr(module, head)
    dense.kernel.assign(tf.zeros_like(dense.kernel))
    half = dense.units // 2
    for said, expected in ((100.0, 4.0), (-100.0, -8.0), (3.5, 3.5), (-7.5, -7.5)):
        dense.bias.assign([77.0] * half + [said] * half)
        np.testing.assert_array_equal(module(images)[name], np.full(module(images)[name].shape, expected))
    if head == 'to_style':
        np.testing.assert_array_equal(module(images)['style_mean'], np.full([1, 5], 77.0))


def test_without_character_noise(make, lines_of_images):
    module = make(character_noise_dim=0)
    assert set(module(lines_of_images([2], 16, 16))) == {'style_mean', 'style_log_variance'}


def test_pinned_parameter_count():
    module = StyleEncoder(
        128, character_noise_dim=8, channels=(32, 64, 128, 192), char_px=32, char_width_px=32
    )
    module(tf.ones([1, 32, 32, 1]))
    pairs = ((1, 32), (32, 64), (64, 128), (128, 192))
    expected = sum(9 * a * b + 2 * b for a, b in pairs) + (16 * 192 + 1) * (256 + 16)  # from the 4 x 4 places
    assert sum(int(np.prod(v.shape)) for v in module.trainable_variables) == expected == 1_150_320


@pytest.mark.parametrize('char_px, char_width_px', [(16, 16), (32, 16)])
def test_line_alone_equals_line_in_a_padded_batch(make, lines_of_images, char_px, char_width_px):
    module, lengths = make(char_px=char_px, char_width_px=char_width_px), [4, 1, 3]
    images = lines_of_images(lengths, char_px, char_width_px)
    wide = np.pad(images, [(0, 0), (0, 0), (0, 4 * char_width_px), (0, 0)], constant_values=-0.3)
    for batch in (images, wide):
        out = module(batch, lengths=tf.constant(lengths))
        for line, length in enumerate(lengths):
            for key, expected in module(images[line : line + 1, :, : length * char_width_px]).items():
                found = out[key][line] if key.startswith('style') else out[key][line, :length]
                np.testing.assert_allclose(found, expected[0], atol=1e-5)


def test_doubled_padding_changes_nothing_while_training(make, lines_of_images, numpy_values):
    results = []
    for n in (3, 6):
        module = make()
        out = module(
            lines_of_images([3, 1], 16, 16, num_characters=n), lengths=tf.constant([3, 1]), training=True
        )
        results.append(
            (
                out['style_mean'],
                out['style_log_variance'],
                out['noise_mean'][0, :3],
                out['noise_mean'][1, :1],
                *numpy_values(module),
            )
        )
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)  # statistics are summed in another order


def test_full_lengths_equal_none(make, lines_of_images):
    module, images = make(), lines_of_images([3, 3], 16, 16)
    for a, b in zip(module(images).values(), module(images, lengths=tf.constant([3, 3])).values()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_noise_of_a_character_comes_from_its_neighbourhood(make, lines_of_images):
    module = make()
    images = lines_of_images([9], 16, 16)
    changed = images.copy()
    changed[:, :, 64:80] *= -1.0  # character 4
    before, after = module(images), module(changed)
    difference = np.abs(after['noise_log_variance'] - before['noise_log_variance'])[0].max(-1)
    assert difference[4] > 1e-3
    np.testing.assert_array_equal(difference[[0, 1, 7, 8]], 0.0)
    # all others by the same, as the line's mean moved
    moved = (after['noise_mean'] - before['noise_mean']).numpy()[0]
    np.testing.assert_allclose(moved[[1, 7, 8]], moved[[0, 0, 0]], atol=1e-6)
    assert np.abs(moved[4] - moved[0]).max() > 1e-3


def test_what_the_characters_of_a_line_share_is_no_noise(make, lines_of_images):
    """Mean 0 over the valid characters, so that a line of one character has all in its style."""
    lengths = [4, 1, 3]
    noise = make()(lines_of_images(lengths, 16, 16), lengths=tf.constant(lengths))['noise_mean'].numpy()
    for line, length in zip(noise, lengths):
        np.testing.assert_allclose(line[:length].mean(0), 0.0, atol=1e-6)
    assert np.abs(noise[0]).max() > 1e-3
    np.testing.assert_array_equal(noise[1, 0], 0.0)


def test_style_tells_where_in_its_cell_ink_stands(make):
    """The same bar high or low, far from every edge: a mean over the cell would be the same."""
    module, high = make(char_px=64, channels=(8,) * 5), np.ones([1, 64, 64, 1], np.float32)
    high[:, 20:22, 24:40] = -1.0
    low = np.roll(high, 16, axis=1)
    assert np.abs(module(high)['style_mean'] - module(low)['style_mean']).max() > 1e-3


def test_every_variable_gets_a_gradient(make, lines_of_images):
    module, rng = make(char_px=32), np.random.default_rng(0)
    for training in (True, False):
        with tf.GradientTape() as tape:
            out = module(lines_of_images([3, 2], 32, 32), lengths=tf.constant([3, 2]), training=training)
            loss = tf.add_n([tf.reduce_sum(value * rng.normal(size=value.shape)) for value in out.values()])
        for variable, gradient in zip(
            module.trainable_variables, tape.gradient(loss, module.trainable_variables)
        ):
            assert gradient is not None and np.isfinite(gradient).all() and gradient.numpy().any(), (
                variable.path
            )


def test_a_pass_without_training_moves_nothing(make, lines_of_images, numpy_values):
    module, images = make(), lines_of_images([2, 2], 16, 16)
    before = numpy_values(module)
    module(images)
    for a, b in zip(before, numpy_values(module)):
        np.testing.assert_array_equal(a, b)


def test_graph_equals_eager(make, lines_of_images):
    module = make()
    images, lengths = tf.constant(lines_of_images([3, 1], 16, 16)), tf.constant([3, 1])
    function = tf.function(lambda x, n: module(x, lengths=n))
    expected = module(images, lengths=lengths)
    for key, value in function(images, lengths).items():
        np.testing.assert_allclose(value, expected[key], atol=1e-5)


@pytest.mark.parametrize(
    'char_px, char_width_px, channels', [(16, 16, (8, 6, 7)), (32, 16, (4, 5, 6, 8)), (16, 16, (8, 6, 5, 7))]
)
def test_styles_equal_numpy(make, lines_of_images, char_px, char_width_px, channels):
    """Convolutions, each but the first on half the map down to 4 rows; a character's places in the order
    rows, columns, channels; over the line the mean.
    """
    module, n = make(char_px=char_px, char_width_px=char_width_px, channels=channels), 3
    for head in (module.to_style, module.to_noise):
        head.kernel.assign(head.kernel * 0.2)  # far from where variances are clipped
    images = lines_of_images([n, n], char_px, char_width_px)
    out = {key: found.numpy() for key, found in module(images).items()}
    for line, image in enumerate(images.astype(np.float64)):
        x = 1.0 - image
        for i, (convolution, norm) in enumerate(zip(module.convolutions, module.norms)):
            x = halve(x) if i and x.shape[0] > 4 else x
            x = relu(normalise(norm, convolve(convolution, x)))
        places = np.stack([cell.reshape(-1) for cell in np.split(x, n, axis=1)])
        style, noise = linear(module.to_style, places.mean(0)), linear(module.to_noise, places)
        assert (
            x.shape == (4, 4 * n * char_width_px // char_px, channels[-1])
            and np.abs(noise[:, 3:]).max() < 4.0
        )
        np.testing.assert_allclose(out['style_mean'][line], style[:5], atol=1e-4)
        np.testing.assert_allclose(out['style_log_variance'][line], style[5:], atol=1e-4)
        np.testing.assert_allclose(out['noise_mean'][line], noise[:, :3] - noise[:, :3].mean(0), atol=1e-4)
        np.testing.assert_allclose(out['noise_log_variance'][line], noise[:, 3:], atol=1e-4)
