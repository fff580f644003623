"""Generator: shapes, pinned sizes, masks, receptive field, gradients, frozen passes."""

import copy

import numpy as np
import pytest
import tensorflow as tf
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.models.content.encodings import ENCODINGS
from hwgen.models.generator import Generator
from hwgen.settings.model import GeneratorConfig

FINE = dict(
    content_encoding='warped',
    map_channels=(3, 2),
    learn_boxes=True,
    bend_px=4,
    upsample='between',
    spectral=False,
)
CELLS = [(16, 16), (32, 32), (32, 16), (64, 64)]


def widen(inputs, extra, seed=9):
    """Appends `extra` characters of rubbish to every line."""
    rng = np.random.default_rng(seed)

    def longer(value):
        rubbish = value[:, rng.integers(0, value.shape[1], size=extra)][::-1]
        return np.concatenate([value, rubbish], axis=1)

    return dict(
        characters=Characters(*map(longer, inputs['characters'][:4])),
        style=inputs['style'],
        character_noise=longer(inputs['character_noise']),
    )


def cut(inputs, line, characters):
    """The first characters of a line."""
    return dict(
        characters=Characters(*(value[line : line + 1, :characters] for value in inputs['characters'][:4])),
        style=inputs['style'][line : line + 1],
        character_noise=inputs['character_noise'][line : line + 1, :characters],
    )


def of_lengths(inputs, lengths):
    lengths = None if lengths is None else np.array(lengths, np.int32)
    return dict(inputs, characters=inputs['characters']._replace(lengths=lengths))


@pytest.mark.parametrize('char_px, char_width_px', CELLS)
def test_shapes(make_generator, text_inputs, char_px, char_width_px):
    generator = make_generator(char_px=char_px, char_width_px=char_width_px)
    blocks = {16: 2, 32: 3, 64: 4}[char_px]
    assert generator.config.num_blocks == blocks and generator.config.style_dim == 4 * (blocks + 1)
    for n in (1, 3):
        images = generator(**text_inputs(2, n, generator.config))
        assert images.shape == (2, char_px, n * char_width_px, 1) and images.dtype == tf.float32
        assert np.abs(images).max() <= 1.0 and np.std(images) > 0.01


@pytest.mark.parametrize(
    'encoding, in_encoder, in_all',
    [
        ('sequence', 8_995_840, 11_683_986),
        ('layout', 327_648, 3_015_794),
        ('warped', 597_984, 3_286_130),
        ('onehot', 16_240_640, 18_844_754),
    ],
)
def test_pinned_parameter_counts(encoding, in_encoder, in_all):
    """Sizes of the paper's defaults with tables of 500 components, 100 structures, 8,000 characters, by hand.

    Tables: 100 x 128 + 500 x 256 = 140,800. `sequence`: (128 + 4 x 256 + 1) x 7,680 more. `layout`: places 16
    x 128, projection (128 + 256 + 1) x 480. `warped`: maps (256 + 1 + 128 + 1) x 1,024, projection (64 + 64 +
    1) x 480.
    `onehot`, factorised: 8,000 x 64 + 64 x (32 x 16 x 480), no tables.
    On 480 + 32 + 8 channels (onehot: 480 + 8) stand the blocks: 1,973,008, attention 81,921, 500,864,
    131,648; the end 705.
    """
    generator = Generator(GeneratorConfig(500, 100, 8000, **{**PLAIN, 'content_encoding': encoding}))
    generator(
        Characters.ones(),
        style=tf.zeros([1, 128]),
        character_noise=tf.zeros([1, 1, 8]),
    )
    assert generator.content_encoder.count_params() == in_encoder
    assert sum(int(np.prod(v.shape)) for v in generator.trainable_variables) == in_all


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_line_alone_equals_line_in_a_padded_batch(make_generator, text_inputs, encoding):
    generator = make_generator(char_px=16, content_encoding=encoding)
    inputs, lengths = text_inputs(3, 4, generator.config), [4, 1, 3]
    for extra in (0, 4):
        images = generator(**of_lengths(widen(inputs, extra) if extra else inputs, lengths)).numpy()
        for line, length in enumerate(lengths):
            alone = generator(**cut(inputs, line, length)).numpy()[0]
            np.testing.assert_allclose(images[line, :, : 16 * length], alone, atol=1e-5)
            np.testing.assert_array_equal(images[line, :, 16 * length :], 1.0)  # padding is paper


@pytest.mark.parametrize(
    'options',
    [
        dict(char_px=32, upsample='first'),
        dict(char_px=32, upsample='between', spectral=False),
        dict(char_px=32, char_width_px=16),
        dict(char_px=32, character_noise_dim=0, attention_px=0),
        FINE,
        dict(FINE, char_width_px=16),
    ],
)
def test_padding_is_ignored_by_every_variant(make_generator, text_inputs, options):
    generator = make_generator(**options)
    width = generator.config.char_width_px
    inputs, lengths = text_inputs(2, 3, generator.config), [3, 1]
    images = generator(**of_lengths(widen(inputs, 2), lengths)).numpy()
    for line, length in enumerate(lengths):
        alone = generator(**cut(inputs, line, length)).numpy()[0]
        np.testing.assert_allclose(images[line, :, : width * length], alone, atol=1e-5)


@pytest.mark.parametrize('upsample', ['first', 'between'])
def test_padding_is_ignored_while_training(make_generator, text_inputs, numpy_values, upsample):
    lengths, results = [3, 1], []
    for extra in (0, 3):
        generator = make_generator(char_px=16, upsample=upsample)
        inputs = text_inputs(2, 3, generator.config)
        images = generator(
            **of_lengths(widen(inputs, extra) if extra else inputs, lengths), training=True
        ).numpy()
        results.append((images[:, :, :48], numpy_values(generator)))
    # batch statistics: sums in another order
    np.testing.assert_allclose(results[0][0], results[1][0], atol=2e-5)
    for a, b in zip(results[0][1], results[1][1]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('training', [False, True])
def test_no_lengths_equals_full_lengths(make_generator, text_inputs, numpy_values, training):
    results = []
    for lengths in (None, [3, 3]):
        generator = make_generator(char_px=16)
        images = generator(**of_lengths(text_inputs(2, 3, generator.config), lengths), training=training)
        results.append((images, *numpy_values(generator)))
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)  # the fused kernel sums in another order


@pytest.mark.parametrize(
    'options',
    [
        dict(char_px=16),
        dict(char_px=32),
        dict(char_px=32, upsample='between'),
        dict(char_px=32, char_width_px=16),
        dict(char_px=32, attention_px=0),
        dict(char_px=64, channels=(4, 4, 4, 4)),
        dict(char_px=16, attention_px=16),
        FINE,
    ],
)
def test_receptive_field(make_generator, text_inputs, options):
    """A character beyond `context_characters` changes no bit; the context is not much wider than what does
    change.
    """
    generator = make_generator(**options)
    context, by_character = generator.context_characters, change_of_the_middle(generator, text_inputs)
    middle = len(by_character) // 2
    reach = np.abs(np.flatnonzero(by_character) - middle).max()
    assert by_character[middle] > 0.01
    assert reach <= context, 'a character beyond the context changed'
    assert context <= 4 and context <= reach + 1


def test_bending_brings_ink_from_as_far_as_it_reaches(make_generator, text_inputs):
    """With all ink moved by as much as there is, a quarter of a character, half a one, a whole one;
    convolutions alone reach .625.
    """
    for bend_px, further in ((4, 0), (8, 1), (16, 1)):
        options = dict(char_px=16, attention_px=0, upsample='between')
        generator = make_generator(**options, bend_px=bend_px)
        assert generator.context_characters == make_generator(**options).context_characters + further
        generator.to_bend.bias.assign([1e4, 0.0])  # columns alone
        by_character = change_of_the_middle(generator, text_inputs)
        assert (
            np.abs(np.flatnonzero(by_character) - len(by_character) // 2).max()
            <= generator.context_characters
        )


def change_of_the_middle(generator, text_inputs):
    """float [N]: how much each character of a line changes where the one in its middle is exchanged."""
    config = generator.config
    n = 2 * generator.context_characters + 5
    middle, inputs = n // 2, text_inputs(1, n, config)
    inputs['characters'].component_ids[0, middle] = [1, 2, 3, 4]
    changed = copy.deepcopy(inputs)
    changed['characters'].component_ids[0, middle] = [5, 6, 7, 8]
    changed['characters'].structure_ids[0, middle] %= 11
    changed['characters'].structure_ids[0, middle] += 1
    changed['character_noise'][0, middle] += 3.0
    difference = np.abs(generator(**inputs) - generator(**changed))
    return difference.reshape(config.char_px, n, config.char_width_px).max((0, 2))


@pytest.mark.parametrize(
    'options',
    [dict(content_encoding=e) for e in ENCODINGS]
    + [
        dict(upsample='between', spectral=False, content_encoding='warped'),
        dict(char_width_px=16),
        dict(character_noise_dim=0),
        FINE,
    ],
)
def test_every_variable_gets_a_gradient(make_generator, text_inputs, options):
    generator = make_generator(char_px=32, **options)
    inputs, weights = (
        text_inputs(3, 2, generator.config),
        np.random.default_rng(5).normal(size=(3, 32, 64, 1)),
    )
    weights = weights[:, :, : 2 * generator.config.char_width_px].astype(np.float32)
    for training in (True, False):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(generator(**inputs, training=training) * weights)
        for variable, gradient in zip(
            generator.trainable_variables, tape.gradient(loss, generator.trainable_variables)
        ):
            assert gradient is not None, variable.path
            gradient = tf.convert_to_tensor(gradient).numpy()
            assert np.isfinite(gradient).all(), variable.path
            # With batch statistics a bias before a normalisation cancels; with fixed ones nothing does.
            assert training or gradient.any(), variable.path


def test_graph_equals_eager(make_generator, text_inputs):
    generator = make_generator(char_px=16)
    function = tf.function(lambda inputs: generator(**inputs))
    for n in (2, 3):
        inputs = of_lengths(text_inputs(2, n, generator.config), [n, 1])
        tensors = tf.nest.map_structure(tf.constant, inputs)
        np.testing.assert_allclose(function(tensors), generator(**inputs), atol=1e-5)


def test_a_pass_without_training_moves_nothing(make_generator, text_inputs, numpy_values):
    generator = make_generator(char_px=16)
    before, inputs = numpy_values(generator), text_inputs(2, 2, generator.config)
    generator(**inputs, training=False)
    for a, b in zip(before, numpy_values(generator)):
        np.testing.assert_array_equal(a, b)
    generator(**inputs, training=True)
    moved = {v.path.rsplit('/', 1)[-1] for a, v in zip(before, generator.variables) if (a != v.numpy()).any()}
    assert moved == {'u', 'moving_mean', 'moving_variance'}


def test_style_and_noise_matter(make_generator, text_inputs):
    """Every part of z and every character's noise changes the picture; noise changes its own neighbourhood
    only.
    """
    generator = make_generator(char_px=32)
    inputs = text_inputs(1, 1, generator.config)
    base = generator(**inputs).numpy()
    for part in range(4):
        other = dict(inputs, style=inputs['style'].copy())
        other['style'][:, 4 * part : 4 * part + 4] += 1.0
        assert np.abs(generator(**other) - base).max() > 1e-3, part
    other = dict(inputs, character_noise=inputs['character_noise'] + 1.0)
    assert np.abs(generator(**other) - base).max() > 1e-3


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(char_px=24), 'char_px=24: expected a power of two'),
        (dict(char_px=4, channels=()), 'char_px=4: expected a power of two of at least 8'),
        (dict(char_px=64), r'char_px=64 has 4 blocks .* expected 4 numbers'),
        (dict(char_width_px=8), 'char_width_px=8: expected 32 or 16'),
        (dict(char_width_px=0), 'char_width_px=0: expected 32 or 16'),
        (dict(content_encoding='runes'), "'runes': expected one of sequence, layout, warped, onehot"),
        (dict(upsample='after'), "upsample='after': expected one of first, between$"),
        (dict(upsample='subpixel'), "upsample='subpixel': expected one of first, between$"),
        (dict(map_channels=(4, 4, 4)), r'map_channels \(4, 4, 4\): expected fewer than the 3 blocks'),
    ],
)
def test_impossible_sizes(options, message):
    with pytest.raises(ValueError, match=message):
        GeneratorConfig(30, 12, 20, **{**PLAIN, **options})


def test_bending_moves_ink_and_keeps_the_amount(make_generator, text_inputs):
    """A constant displacement shifts the whole picture: every value is found where it points."""
    generator = make_generator(**FINE)
    inputs = text_inputs(1, 2, generator.config)
    kernel, bias = generator.to_bend.kernel.numpy(), generator.to_bend.bias.numpy()
    try:
        generator.to_bend.kernel.assign(np.zeros_like(kernel))
        pictures = {}
        for name, value in (('still', 0.0), ('moved', np.arctanh(0.5) * 10.0)):  # tanh(.1 bias) * 4 px: 2 px
            generator.to_bend.bias.assign([value, 0.0])
            pictures[name] = generator(**inputs).numpy()[0, ..., 0]
        np.testing.assert_allclose(pictures['moved'][:, :-2], pictures['still'][:, 2:], atol=1e-5)
        np.testing.assert_allclose(pictures['moved'][:, -2:], 1.0, atol=1e-5)  # paper comes in from outside
    finally:
        generator.to_bend.kernel.assign(kernel)
        generator.to_bend.bias.assign(bias)
