"""The bundle of modules: what belongs to it, what is shared, what is built, what a checkpoint holds."""

import numpy as np
import pytest
import tensorflow as tf

ALL = ('generator', 'average', 'discriminator', 'sequence_trunk', 'sequence_recognition', 'spatial_trunk',
       'spatial_perception', 'style_encoder')


@pytest.mark.parametrize('options, absent', [
    (dict(), ()), (dict(share_trunk=True), ('spatial_trunk',)), (dict(spatial_labels=0), ('spatial_trunk', 'spatial_perception'))])
def test_modules_and_reading(make_hct_gan, lines_of_images, options, absent):
    model = make_hct_gan(**options)
    assert tuple(model.modules()) == tuple(name for name in ALL if name not in absent)
    assert {m.name for m in model.recognizers()} == {
        name for name in model.modules() if name.startswith(('sequence', 'spatial'))}
    variables = [v for module in model.modules().values() for v in module.variables]
    assert len({id(v) for v in variables}) == len(variables)  # no variable belongs to two modules
    features, sequence, spatial, attention = model.read(lines_of_images([3, 3], 16, 16))
    assert sequence.shape == (2, 24, 23) and len(features) == 3
    if options.get('spatial_labels') == 0:
        assert spatial is None and attention is None
    else:
        assert spatial.shape == (2, 4, 12, 13) and attention.shape == (2, 4, 12, 1)


def test_a_shared_trunk_is_one_object(make_hct_gan, lines_of_images):
    shared, apart = make_hct_gan(share_trunk=True), make_hct_gan()
    assert shared.spatial_trunk is shared.sequence_trunk
    assert apart.spatial_trunk is not apart.sequence_trunk
    images = lines_of_images([2, 2], 16, 16)
    for model, same in ((shared, False), (apart, True)):
        before = model.read(images)[2]
        for variable in model.sequence_trunk.trainable_variables:
            variable.assign(variable * 1.5 + .1)
        assert np.allclose(before, model.read(images)[2]) == same


def test_the_average_starts_as_the_generator(make_hct_gan, text_inputs):
    model = make_hct_gan()
    for mean, variable in zip(model.average.variables, model.generator.variables):
        assert mean is not variable and mean.path.split('/', 1)[1] == variable.path.split('/', 1)[1]
        np.testing.assert_array_equal(mean, variable)
    inputs = text_inputs(2, 2, model.config.generator)
    np.testing.assert_array_equal(model.average(**inputs), model.generator(**inputs))


def test_everything_is_built(make_hct_gan, lines_of_images, text_inputs):
    """The first use makes no variable that a checkpoint restored before it would have missed."""
    model = make_hct_gan()
    count = {name: len(module.variables) for name, module in model.modules().items()}
    images, lengths = lines_of_images([3, 1], 16, 16), tf.constant([3, 1])
    model.generator(**text_inputs(2, 3, model.config.generator), lengths=lengths, training=True)
    model.discriminator(images, lengths=lengths, training=True)
    model.read(images, lengths=lengths, training=True)
    model.style_encoder(images, lengths=lengths, training=True)
    assert {name: len(module.variables) for name, module in model.modules().items()} == count


def test_checkpoint_holds_every_variable(make_hct_gan, tmp_path):
    """TensorFlow's checkpoints drop sublayers that a Keras model holds in a list or dict, without a word."""
    model = make_hct_gan()
    path = tf.train.Checkpoint(**model.modules()).write(str(tmp_path / 'model'))
    keys = [key for key, _ in tf.train.list_variables(path) if '.ATTRIBUTES' in key and not key.startswith('_CHECKPOINTABLE')]
    for name, module in model.modules().items():
        assert len([key for key in keys if key.startswith(f'{name}/')]) == len(module.variables), name


@pytest.mark.parametrize('char_px, char_width_px', [(32, 16), (64, 64)])
def test_other_sizes(make_hct_gan, lines_of_images, char_px, char_width_px):
    model = make_hct_gan(char_px=char_px, char_width_px=char_width_px)
    images = lines_of_images([2, 2], char_px, char_width_px)
    _, sequence, spatial, _ = model.read(images)
    assert sequence.shape == (2, 16, 23) and spatial.shape == (2, 4, 8, 13)
    assert model.style_encoder(images)['noise_mean'].shape == (2, 2, 3)
    assert model.discriminator(images).shape == (2,)
