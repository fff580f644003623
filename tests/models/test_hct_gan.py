"""The bundle of modules: what belongs to it, what is shared, what is built, what a checkpoint holds."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from hwgen.settings.model import GeneratorConfig, HctGanConfig

ALL = (
    'generator',
    'average',
    'discriminator',
    'sequence_trunk',
    'sequence_recognition',
    'spatial_trunk',
    'spatial_perception',
    'style_encoder',
)


@pytest.mark.parametrize(
    'options, absent',
    [
        (dict(), ()),
        (dict(share_trunk=True), ('spatial_trunk',)),
        (dict(spatial_labels=0), ('spatial_trunk', 'spatial_perception')),
    ],
)
def test_modules_and_reading(make_hct_gan, lines_of_images, options, absent):
    model = make_hct_gan(**options)
    assert tuple(model.modules()) == tuple(name for name in ALL if name not in absent)
    assert {m.name for m in model.recognizers()} == {
        name for name in model.modules() if name.startswith(('sequence', 'spatial'))
    }
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
            variable.assign(variable * 1.5 + 0.1)
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
    inputs = text_inputs(2, 3, model.config.generator)
    inputs['characters'] = inputs['characters']._replace(lengths=lengths)
    model.generator(**inputs, training=True)
    model.discriminator(images, lengths=lengths, training=True)
    model.read(images, lengths=lengths, training=True)
    model.style_encoder(images, lengths=lengths, training=True)
    assert {name: len(module.variables) for name, module in model.modules().items()} == count


def test_checkpoint_holds_every_variable(make_hct_gan, tmp_path):
    """TensorFlow's checkpoints drop sublayers that a Keras model holds in a list or dict, without a word."""
    model = make_hct_gan()
    path = tf.train.Checkpoint(**model.modules()).write(str(tmp_path / 'model'))
    keys = [
        key
        for key, _ in tf.train.list_variables(path)
        if '.ATTRIBUTES' in key and not key.startswith('_CHECKPOINTABLE')
    ]
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


def test_sizes_where_nothing_is_said():
    """Those of demo.flags."""
    config = HctGanConfig(None, 5, 6)
    assert dataclasses.asdict(config) == dict(
        generator=None,
        sequence_labels=5,
        spatial_labels=6,
        discriminator_channels=(24, 48, 96, 128),
        discriminator_pool='sum',
        recognizer_channels=(24, 48, 96, 128, 160),
        recognizer_hidden=192,
        recurrent_sequence=False,
        attention_perception=False,
        share_trunk=True,
        style_channels=(16, 32, 64, 96),
    )
    generator = dataclasses.asdict(GeneratorConfig(1, 2, 3))
    assert generator == dict(
        num_components=1,
        num_structures=2,
        num_characters=3,
        content_encoding='warped',
        filter_mean=False,
        noise_prior='normal',
        char_px=32,
        char_width_px=32,
        content_channels=192,
        channels=(128, 64, 32),
        style_part_dim=16,
        character_noise_dim=8,
        attention_px=8,
        upsample='between',
        spectral=False,
        structure_dim=64,
        component_dim=128,
        cell_dim=64,
        map_channels=(16, 8),
        learn_boxes=True,
        bend_px=5,
        layout='cells',
    )


def test_every_module_has_its_sizes(make_hct_gan):
    """What the configuration says of each reaches that one: all numbers differ."""
    model = make_hct_gan(
        discriminator_channels=(5, 6, 7),
        discriminator_pool='mean',
        recognizer_channels=(9, 10, 11),
        recognizer_hidden=12,
        style_channels=(13, 14, 15),
    )

    def filters(layers):
        return tuple(layer.filters for layer in layers)

    assert (
        tuple(block.conv_1.filters for block in model.discriminator.blocks) == (5, 6, 7)
        and model.discriminator.pool == 'mean'
    )
    assert (
        filters(model.sequence_trunk.convolutions) == filters(model.spatial_trunk.convolutions) == (9, 10, 11)
    )
    assert (model.sequence_recognition.frame_conv.filters, model.spatial_perception.conv.filters) == (12, 12)
    assert (model.sequence_recognition.classify.units, model.spatial_perception.classify.units) == (23, 13)
    assert (
        filters(model.style_encoder.convolutions) == (13, 14, 15)
        and model.style_encoder.style_dim == model.config.generator.style_dim == 12
    )
    assert (model.style_encoder.to_style.units, model.style_encoder.to_noise.units) == (24, 6)


def test_each_head_reads_its_own_trunk(make_hct_gan, lines_of_images):
    """Of lines of unequal lengths; while training all statistics move, else none."""
    model, images, lengths = make_hct_gan(), lines_of_images([3, 1], 16, 16), tf.constant([3, 1])
    features, sequence, spatial, attention = model.read(images, lengths=lengths)
    for found, expected in zip(features, model.sequence_trunk(images, lengths=lengths), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(sequence, model.sequence_recognition(features[-1], lengths=lengths))
    for found, expected in zip(
        (spatial, attention),
        model.spatial_perception(model.spatial_trunk(images, lengths=lengths)[-1], lengths=lengths),
    ):
        np.testing.assert_array_equal(found, expected)

    def statistics():
        return [
            v.numpy() for m in model.recognizers() for v in m.non_trainable_variables if 'moving' in v.path
        ]

    before = statistics()
    model.read(images, lengths=lengths, training=True)
    assert len(before) == 2 * (3 + 3 + 1 + 1) and all((a != b).any() for a, b in zip(before, statistics()))


def test_attention_in_place_of_counting_is_told_what_the_lines_say(make_hct_gan, lines_of_images):
    """Without that there is nothing to read of it; SRM may have memory besides."""
    model, images, lengths = (
        make_hct_gan(attention_perception=True, recurrent_sequence=True, share_trunk=True),
        lines_of_images([3, 1], 16, 16),
        tf.constant([3, 1]),
    )
    components = tf.constant([[3, 1, 2, 4], [5, 0, 0, 0]])
    features, sequence, spatial, attention = model.read(images, lengths=lengths, components=components)
    assert sequence.shape == (2, 24, 23) and model.sequence_recognition.recurrent
    for found, expected in zip(
        (spatial, attention), model.spatial_perception(features[-1], components, lengths=lengths)
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (
        spatial.shape == (2, 5, 13)
        and attention.shape == (2, 5, 8, 24)
        and not attention[1, :, :, 8:].numpy().any()
    )
    assert model.read(images, lengths=lengths)[2:] == (None, None)
