"""Generator: what it draws of its features, against NumPy; spaces; how far a character reaches.

Masks and gradients: test_generator.py.
"""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import attend, convolve, double, normalise, relu
from plain_sizes import PLAIN

from hwgen.characters import Characters
from hwgen.models import layers
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


def block_of(block, x, style):
    h = relu(normalise(block.norm_1, x, style))
    h = convolve(block.conv_1, double(h) if block.upsample == 'first' else h)
    h = relu(normalise(block.norm_2, h, style))
    return convolve(block.conv_2, h if block.upsample == 'first' else double(h)) + double(
        convolve(block.skip, x)
    )


def numpy_draw(generator, content, style, noise):
    """One line: content [4, 4 N, C] and finer maps, style [Z], noise [N, D] or None -> [H, W]."""
    config, (x, maps) = generator.config, content
    n = x.shape[1] // 4
    if config.char_width_px < config.char_px:
        x, *maps = (m.reshape(m.shape[0], -1, 2, m.shape[-1]).mean(2) for m in (x, *maps))
    parts = np.split(style, config.num_blocks + 1)
    each = [] if config.content_encoding == 'onehot' else [np.tile(parts[0], [n, 1])]
    each += [noise] if config.character_noise_dim else []
    each = np.concatenate(each, -1)[None].repeat(4, 0).repeat(x.shape[1] // n, 1)
    x, bend = np.concatenate([x, each], -1), None
    for index, block in enumerate(generator.blocks):
        x = np.concatenate([x, maps[index - 1]], -1) if 0 < index <= len(maps) else x
        x = block_of(block, x, parts[index + 1])
        if x.shape[0] == config.attention_px:
            x = attend(generator.attention, x, x.shape[1] // n, 1)
        if config.bend_px and x.shape[0] == 8:
            coarse = config.bend_px * np.tanh(
                0.1 * convolve(generator.to_bend, np.concatenate([relu(x), double(each)], -1))
            )
            bend = layers.enlarge(tf.constant(coarse[None], tf.float32), config.char_px // 8)
    x = np.tanh(convolve(generator.last_conv, relu(normalise(generator.last_norm, x))))
    if bend is not None:
        ink = layers.shift_columns(
            tf.constant(1.0 - x[None], tf.float32), bend[..., :1], reach_px=config.bend_px
        )
        x = 1.0 - layers.shift_rows(ink, bend[..., 1:], reach_px=config.bend_px)[0].numpy()
    return x[..., 0]


@pytest.mark.parametrize(
    'options',
    [
        dict(upsample='first'),
        dict(upsample='between', spectral=False, attention_px=0),
        dict(upsample='between', char_width_px=8, attention_px=16),
        dict(upsample='between', content_encoding='onehot'),
        dict(content_encoding='warped', character_noise_dim=0),
        dict(
            char_px=32,
            content_encoding='warped',
            map_channels=(3, 2),
            bend_px=4,
            upsample='between',
            channels=(6, 5, 4),
            char_width_px=16,
        ),
    ],
)
def test_pictures_equal_numpy(make_generator, text_inputs, options):
    """Features beside z1 and the noise of their character, blocks each under its own part of z, finer maps
    before the second and third, attention, bending.
    """
    generator = make_generator(**{'char_px': 16, **options})
    config = generator.config
    inputs = text_inputs(1, 3, config)
    content = generator.content_encoder(
        inputs['characters'],
        generator.content_style(inputs['style']),
    )
    np.testing.assert_array_equal(generator.content_style(inputs['style']), inputs['style'][:, :4])
    expected = numpy_draw(
        generator,
        (content[0][0].numpy().astype(np.float64), [m[0].numpy().astype(np.float64) for m in content[1]]),
        inputs['style'][0],
        inputs['character_noise'][0],
    )
    found = generator(**inputs).numpy()[0, ..., 0]
    assert found.shape == (config.char_px, 3 * config.char_width_px) and found.std() > 0.05
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert np.abs(found - expected).mean() < 1e-4


# Spaces
# --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'options',
    [dict(char_px=16), dict(FINE, char_px=32), dict(char_px=16, char_width_px=8, upsample='between')],
)
def test_a_space_is_paper_and_its_neighbours_are_ends_of_lines(make_generator, text_inputs, options):
    """Two characters, a space, one more: the same pixels as the two lines alone.

    Without `space_component` it is a character like others.
    """
    generator = make_generator(**options)
    width, inputs = generator.config.char_width_px, text_inputs(2, 5, generator.config)
    components = inputs['characters'].component_ids
    components[:, 2] = [5, 0, 0, 0]
    components[:, 1] = [5, 3, 0, 0]  # with another component it is none
    plain = generator(**inputs).numpy()
    assert (
        plain[:, :, 2 * width : 3 * width].min() < 1.0
        and generator.blank(inputs['characters']) is None
        and generator.space_component == 0
    )
    generator.space_component = 5
    try:
        np.testing.assert_array_equal(
            generator.blank(inputs['characters']),
            [[False, False, True, False, False]] * 2,
        )
        for lengths in (None, tf.constant([5, 4])):
            written = dict(inputs, characters=inputs['characters']._replace(lengths=lengths))
            images = generator(**written).numpy()
            np.testing.assert_array_equal(images[:, :, 2 * width : 3 * width], 1.0)
            for first, last in ((0, 2), (3, 5 if lengths is None else 4)):
                characters = Characters(*(value[:, first:last] for value in inputs['characters'][:4]))
                noise = inputs['character_noise'][:, first:last]
                alone = generator(characters, inputs['style'], noise)
                for line in range(2) if lengths is None else [1]:
                    np.testing.assert_allclose(
                        images[line, :, first * width : last * width], alone[line], atol=1e-5
                    )
            if lengths is not None:
                np.testing.assert_array_equal(images[1, :, 4 * width :], 1.0)
    finally:
        generator.space_component = 0


# Sizes
# --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'options, reach',
    [
        # Kernels reach one place of their map on either side; maps are 4, 8, 16, ... places a character.
        # Attention sees one whole character further.
        (dict(char_px=16, attention_px=0, upsample='between'), 1),  # 1/4 + 1/8, 1/8 + 1/16, 1/16: .625
        # 1/8 + 1/8: 1, and 1 for attention; 1/16 + 1/16, 1/16: 1
        (dict(char_px=16), 3),
        (dict(char_px=16, char_width_px=8, attention_px=0, upsample='between'), 2),  # twice as much: 1.25
        (dict(char_px=32, attention_px=16), 3),  # 1/4 + 1/8: 1, and 1; 1/16 + 1/32: 1
        # 1/4 + 1/8: 1, and 1; 1/8 + 1/16 + 1/16 + 1/16 + 1/32 and 4 px of 32: 1
        (dict(FINE, char_px=32), 3),
        (dict(char_px=16, attention_px=0, upsample='between', bend_px=7), 2),  # .625 + 7/16
        (dict(char_px=16, attention_px=0, upsample='between', bend_px=6), 1),
    ],
)  # .625 + 6/16 = 1
def test_characters_that_can_change_a_character(options, reach):
    config = GeneratorConfig(
        30,
        12,
        20,
        **{
            **PLAIN,
            'char_width_px': options['char_px'],
            'channels': (8,) * (options['char_px'].bit_length() - 3),
            'spectral': False,
            **options,
        },
    )
    assert Generator(config).context_characters == reach
