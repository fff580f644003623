"""A space is blank paper, whatever the network learned of it, and what stands beside it is written as at a
line's end.
"""

import numpy as np
import pytest
import tensorflow as tf
from small_generator import shared_small_generator

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.inference.content_interpolation import ContentInterpolation
from hwgen.inference.writer import Writer

OPTIONS = {
    'layout': {},
    'warped': dict(
        content_encoding='warped',
        map_channels=(3,),
        learn_boxes=True,
        bend_px=4,
        upsample='between',
        spectral=False,
    ),
    'narrow': dict(char_width_px=8),
    'onehot': dict(content_encoding='onehot'),
    'sequence': dict(content_encoding='sequence', attention_px=0),
}


SLOW = ('narrow', 'onehot', 'sequence')


@pytest.fixture(
    scope='module',
    params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in OPTIONS],
)
def writer(request):
    return Writer(
        shared_small_generator(**OPTIONS[request.param]),
        Charset.load(),
        window_characters=4,
        windows_per_step=1,
    )


def cells(image, writer, first, last):
    return image[:, first * writer.char_width_px : last * writer.char_width_px]


@pytest.mark.parametrize('space', ' \u3000\u00a0\u2003\u202f')
def test_a_space_is_paper(writer, space):
    (image,) = writer.write([f'明天{space}去'], style_seeds=3)
    assert (cells(image, writer, 2, 3) == 255).all()
    for first, last in ((0, 2), (3, 4)):
        assert np.std(cells(image, writer, first, last)) > 1


def test_what_stands_before_it_is_written_as_at_the_end_of_a_line(writer):
    (spaced,) = writer.write(['明天  去钓'], style_seeds=3)
    (alone,) = writer.write(['明天'], style_seeds=3)
    (behind,) = writer.write(['去钓'], style_seeds=3, noise_offsets=4)
    assert np.abs(cells(spaced, writer, 0, 2).astype(int) - alone).max() <= 1
    assert np.abs(cells(spaced, writer, 4, 6).astype(int) - behind).max() <= 1


def test_lines_of_spaces_alone_and_at_the_ends(writer):
    image, spaced = writer.write(['     ', ' 天 '], style_seeds=3)
    assert (
        (image == 255).all()
        and (cells(spaced, writer, 0, 1) == 255).all()
        and (cells(spaced, writer, 2, 3) == 255).all()
    )


def test_windows_join_at_spaces(writer):
    """Spaces in and beside every place of a window of four."""
    text = '明 天去 钓鱼  永和九 年 明天'
    (line,) = writer.write([text], style_seeds=5)
    np.testing.assert_array_equal(np.concatenate(list(writer.stream(text, style_seed=5)), axis=1), line)
    (whole,) = Writer(writer.generator, writer.charset, window_characters=99, windows_per_step=1).write(
        [text], style_seeds=5
    )
    assert np.abs(line.astype(int) - whole).max() <= 1
    for place, character in enumerate(text):
        assert character != ' ' or (cells(line, writer, place, place + 1) == 255).all()


@pytest.mark.usefixtures('untraced')
def test_to_a_generator_in_training_it_is_a_character_like_others(make_generator):
    """The discriminator would know written lines by paper that is exactly white."""
    generator, charset = make_generator(), Charset.load()
    inputs = dict(
        characters=Characters.stack([charset.encode('天 ').characters]),
        style=tf.ones([1, generator.config.style_dim]),
        character_noise=tf.ones([1, 2, generator.config.character_noise_dim]),
    )
    before = np.asarray(generator(**inputs))[0, :, 16:]
    Writer(generator, charset)
    assert np.std(before) > 0.01 and (np.asarray(generator(**inputs))[0, :, 16:] == 1).all()


def test_the_way_to_a_space_ends_in_paper(writer):
    if writer.generator.config.content_encoding == 'onehot':
        pytest.skip('interpolates filters alone')
    found = ContentInterpolation(writer).write('天明', '天 ', steps=3, style_seed=2)
    for picture, text in ((found[0], '天明'), (found[-1], '天 ')):
        assert np.abs(picture.astype(int) - writer.write([text], style_seeds=2)[0]).max() <= 1
    assert np.std(cells(found[1], writer, 1, 2)) > 0.1
