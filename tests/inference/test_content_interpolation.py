"""Between texts: the ends are the ordinary pictures in every encoding; what lies between is on the way."""

import numpy as np
import pytest
import tensorflow as tf

from hwgen.characters import Characters
from hwgen.charset.encoding import Charset, CharsetError
from hwgen.inference import content_interpolation
from hwgen.inference import writer as writer_module
from hwgen.inference.content_interpolation import ContentInterpolation
from hwgen.inference.writer import Writer
from hwgen.models.content.layout import placement

WARPED = dict(content_encoding='warped', map_channels=(3,), learn_boxes=True, bend_px=2)


@pytest.fixture(scope='module')
def warped(make_generator):
    return make_generator(**WARPED)


@pytest.fixture(scope='module')
def between(writer):
    return ContentInterpolation(writer)


@pytest.mark.parametrize(
    'options',
    [
        pytest.param(dict(content_encoding='sequence'), marks=pytest.mark.slow),
        pytest.param(dict(content_encoding='layout'), marks=pytest.mark.slow),
        dict(content_encoding='onehot'),
        WARPED,
        pytest.param(
            dict(content_encoding='layout', char_width_px=8, character_noise_dim=0), marks=pytest.mark.slow
        ),
    ],
    ids=lambda o: '-'.join(map(str, o.values())),
)
def test_the_ends_are_the_ordinary_pictures(make_generator, warped, monkeypatch, options):
    """一 has one component, 明 two, 湖 three: slots appear and vanish on the way.

    Before they are rounded to grey levels: this graph is not the Writer's, and
    most pixels differ in their last bits (some 2e-6), so that one in ten thousand lies beyond the half
    between two levels."""
    for module in (content_interpolation, writer_module):
        monkeypatch.setattr(module, 'to_uint8', lambda pixels: pixels)
    generator = warped if options == WARPED else make_generator(**options)
    writer = Writer(generator, Charset.load(), windows_per_step=1)
    between = ContentInterpolation(writer)

    def written(text, **options):
        (pixels,) = writer.stream(text, **options)
        return pixels

    hand = dict(style_seed=3, truncation=0.7, noise_offset=2)
    for first, second in (('明', '湖'), ('一明湖', '湖一明')):
        way = between.write(first, second, steps=5, **hand)
        assert len(way) == 5 and np.std(way[0]) > 0.05
        for found, text in ((way[0], first), (way[-1], second)):
            np.testing.assert_allclose(found, written(text, **hand), atol=1e-5)
        assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(way, way[1:]))  # and every step is one
    style = np.full(writer.style_dim, 0.3, np.float32)
    np.testing.assert_allclose(
        between.write('一', '明', steps=2, style_seed=1, style=style)[1],
        written('明', style_seed=1, style=style),
        atol=1e-5,
    )


def test_pictures_are_grey_levels(writer, between):
    way = between.write('明', '湖', steps=3, style_seed=3)
    assert [(picture.dtype, picture.shape) for picture in way] == [(np.uint8, (16, 16))] * 3
    assert np.abs(way[0].astype(int) - writer.write('明', style_seeds=3)[0]).max() <= 1


def test_half_way_by_hand(make_generator, generator, warped):
    """The middle of `sequence`, linear in what it embeds, has the middle of the features; `warped` has the
    mean box, or the only one.
    """
    charset = Charset.load()
    first, second = charset.encode('明'), charset.encode('湖')  # ⿰日月; 湖 has three components

    def embed(encoder, text):
        return encoder.embed(tf.nest.map_structure(tf.constant, Characters.stack([text.characters])))

    encoder = make_generator(content_encoding='sequence').content_encoder
    ends = [embed(encoder, text) for text in (first, second)]
    features = [encoder.features(one)[0].numpy() for one in (*ends, encoder.interpolate(*ends, 0.5))]
    np.testing.assert_allclose(features[2], (features[0] + features[1]) / 2.0, atol=1e-5)
    encoder = warped.content_encoder
    middle = encoder.interpolate(*(embed(encoder, text) for text in (first, second)), 0.5)
    np.testing.assert_array_equal(middle.used.numpy()[0, 0], [1.0, 1.0, 0.5, 0.0])
    np.testing.assert_allclose(
        middle.boxes.numpy()[0, 0, :2], (first.boxes[0, :2] + second.boxes[0, :2]) / 2.0
    )
    np.testing.assert_array_equal(middle.boxes.numpy()[0, 0, 2], second.boxes[0, 2])
    encoder = generator.content_encoder  # layout
    places = encoder.interpolate(*(embed(encoder, text) for text in (first, second)), 0.25).places
    np.testing.assert_allclose(
        places.numpy()[0],
        0.75 * placement(first.boxes, first.component_ids)
        + 0.25 * placement(second.boxes, second.component_ids),
    )


def test_what_cannot_be_interpolated(between):
    with pytest.raises(
        ValueError, match="from '明' to '明天': 1 and 2 characters, expected equally many, 4 at most"
    ):
        between.write('明', '明天', steps=3)
    with pytest.raises(ValueError, match='5 and 5 characters, expected equally many, 4 at most'):
        between.write('明明明明明', '天天天天天', steps=3)
    with pytest.raises(ValueError, match='1 steps: expected at least 2'):
        between.write('明', '天', steps=1)
    with pytest.raises(CharsetError, match='position 0'):
        between.write('明', '\u0007', steps=2)
