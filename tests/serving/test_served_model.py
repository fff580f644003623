"""The graph of every kind of generator against the Writer, before it is saved."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_generator import make_small_generator

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset
from hwgen.inference.writer import Writer
from hwgen.serving.served_model import ServedModel


@pytest.mark.slow
@pytest.mark.parametrize(
    'options',
    [
        dict(content_encoding='onehot'),
        dict(content_encoding='sequence', character_noise_dim=0, char_width_px=8, attention_px=0),
    ],
    ids=['onehot', 'sequence'],
)
def test_other_generators(options):
    writer = Writer(make_small_generator(**options), Charset.load(), windows_per_step=1)
    model = ServedModel(writer, truncation=1.0, max_characters=40)
    text, charset = '天地玄黄' * 9, writer.charset  # two windows
    outside = next(
        character for character in charset.encodable_characters() if not charset.character_id(character)
    )
    answer = tf.function(model.write)(tf.constant([text, outside, '⿻']), tf.constant([5, 1, 2], tf.int64))
    # A character outside the table has components, but no filter.
    known = options['content_encoding'] == 'sequence'
    assert [error.decode() for error in answer['error'].numpy()] == [
        '',
        '' if known else f'U+{ord(outside):04X} at position 0',
        'U+2FFB at position 0',
    ]
    (expected,) = writer.write([text], style_seeds=5, truncation=1.0)
    found = np.asarray(Image.open(io.BytesIO(answer['image_bytes'][0].numpy())))
    assert (
        found.shape == expected.shape
        and np.std(expected) > 1
        and np.abs(found.astype(int) - expected).max() <= 1
    )
    characters = Characters.stack([writer.charset.encode('永人').characters] * 2)
    characters.character_ids[1, 1] = 0
    answer = tf.function(model.write_components)(
        tf.nest.map_structure(tf.constant, characters),
        style_seeds=tf.constant([5, 5], tf.int64),
        truncation=tf.constant([1.0, 1.0]),
    )
    first, second = (error.decode() for error in answer['error'].numpy())
    assert first == '' and second == (
        '' if known else f'character 1: expected a character id of 1 to {writer.charset.num_characters - 1}'
    )
    (expected,) = writer.write(['永人'], style_seeds=5, truncation=1.0)
    assert (
        np.abs(
            np.asarray(Image.open(io.BytesIO(answer['image_bytes'][0].numpy()))).astype(int) - expected
        ).max()
        <= 1
    )


@pytest.mark.slow
def test_weights_that_give_no_picture_are_an_error_of_the_line(writer):
    bias = writer.generator.last_conv.bias
    before = bias.numpy()
    model = ServedModel(writer, truncation=1.0, max_characters=9)
    try:
        bias.assign([np.nan])
        answer = tf.function(model.write)(tf.constant(['永', 'ก']), tf.constant([5, 1], tf.int64))
    finally:
        bias.assign(before)
    assert answer['error'][0].numpy().startswith(b'no picture: the model gives values that are not finite')
    assert (
        answer['error'][1] == b'U+0E01 at position 0' and answer['image_bytes'][0] == answer['image_bytes'][1]
    )
