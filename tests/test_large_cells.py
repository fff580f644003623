"""Cells of 128 px by flags alone: a step of every phase, lines, and an export, in both layouts."""

import pathlib

import numpy as np
import pytest

import hwgen
from hwgen.settings.resources import CHECKOUT

LARGE = dict(
    char_px=128,
    batch_size=2,
    longest_lines=2,
    generator_channels=(8, 8, 8, 8, 4),
    map_channels=(4, 4),
    bend_px=20,
    content_channels=8,
    component_dim=8,
    structure_dim=8,
    cell_dim=8,
    style_part_dim=4,
    discriminator_channels=(4, 8, 8, 8, 8, 8),
    recognizer_channels=(4, 8, 8, 8, 8, 16),
    recognizer_hidden=16,
    feature_levels=(4, 5),
    style_channels=(4, 8, 8, 8, 8, 8),
    recognizer_steps=1,
    reconstruction_steps=1,
    adversarial_steps=1,
    discriminator_warmup_steps=0,
    log_every=1,
    growing_steps=0,
)


@pytest.mark.slow
@pytest.mark.parametrize('layout', ['cells', 'spaced'])
def test_cells_of_128_px(layout):
    done = hwgen.train(
        data=str(CHECKOUT / 'tfrecords' / 'sample'),
        run_dir='run',
        character_layout=layout,
        report=lambda line: None,
        **LARGE,
    )
    assert done['step'] == 3
    writer = hwgen.load(done['model'], allow_unseen=True, tell=None)
    assert (writer.char_px, writer.layout) == (128, layout)
    (line,) = writer.write_lines('明天', style_seeds=1)
    assert line.image.shape[0] == 128 and line.boxes.shape == (2, 4)
    pieces = np.concatenate(list(writer.stream('明天', style_seed=1, height_px=256)), axis=1)
    np.testing.assert_array_equal(pieces, writer.write('明天', style_seeds=1, height_px=256)[0])
    version = hwgen.export(writer, 'version/1', data_licence='made for a test', report=lambda line: None)
    assert (pathlib.Path(version) / 'saved_model.pb').is_file()
