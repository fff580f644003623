"""Every public model can be built again from what it says of itself, and the table of encodings is that of
the settings.
"""

import json

import numpy as np
import pytest

from hwgen.characters import Characters
from hwgen.models.content.encodings import ENCODINGS
from hwgen.models.hct_gan import HctGan
from hwgen.models.style_encoder import StyleEncoder
from hwgen.settings.model import CONTENT_ENCODINGS, GeneratorSettings
from hwgen.settings.setting import choices_of

GUIDES = [{}, dict(recurrent_sequence=True, attention_perception=True, share_trunk=True)]


def test_the_encodings_are_those_of_the_settings():
    assert tuple(ENCODINGS) == tuple(CONTENT_ENCODINGS)
    assert tuple(CONTENT_ENCODINGS) == choices_of(GeneratorSettings, 'content_encoding')


@pytest.mark.parametrize('options', GUIDES)
def test_a_model_is_built_again_from_its_config(make_hct_gan, text_inputs, options):
    """Through JSON: the same kinds, names and shapes of weights, and with their values the same numbers."""
    first = make_hct_gan(**options)
    second = HctGan.from_config(json.loads(json.dumps(first.get_config())))
    assert second.config == first.config
    for name, module in first.modules().items():
        other = second.modules()[name]
        assert other.name == name and type(other) is type(module)
        # by name, not by path: Keras counts the cells within its LSTMs
        assert [(v.name, v.shape) for v in other.variables] == [(v.name, v.shape) for v in module.variables]
        alone = type(module).from_config(json.loads(json.dumps(module.get_config())))
        plain = json.dumps(alone.get_config())
        assert alone.name == name and plain == json.dumps(module.get_config())


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_a_generator_of_every_encoding(make_generator, text_inputs, encoding):
    generator = make_generator(char_px=16, content_encoding=encoding)
    again = type(generator).from_config(json.loads(json.dumps(generator.get_config())))
    inputs = text_inputs(1, 2, generator.config)
    again(**inputs)
    for variable, value in zip(again.variables, generator.variables, strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(again(**inputs), generator(**inputs))


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_a_content_encoder_alone(make_generator, text_inputs, encoding):
    encoder = make_generator(char_px=16, content_encoding=encoding).content_encoder
    again = type(encoder).from_config(encoder.get_config())
    characters, style = Characters.ones(), np.ones([1, 4], np.float32)
    again(characters, style)
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(again(characters, style)[0], encoder(characters, style)[0])


def test_a_style_encoder_alone():
    first = StyleEncoder(12, character_noise_dim=0, channels=(4, 5), char_px=16, char_width_px=8, name='e')
    second = StyleEncoder.from_config(first.get_config())
    images = np.ones([1, 16, 16, 1], np.float32)
    first(images), second(images)
    second.set_weights(first.get_weights())
    assert second.get_config() == first.get_config() and second.name == 'e'
    np.testing.assert_array_equal(first(images)['style_mean'], second(images)['style_mean'])
