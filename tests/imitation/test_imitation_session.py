"""Imitation from pictures to a written line: what is read, kept, written in, and refused."""

import json
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

import hwgen
from hwgen.data.formats.samples import FormatError
from hwgen.data.preparing.line_cut import cut_line
from hwgen.data.reading.shards import RecordIndex
from hwgen.generation import session as generation
from hwgen.imitation import fine_tuning, line_pictures
from hwgen.inference.hand_file import HandError, load_hand
from hwgen.inference.imitation import read_style
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.inference.writer import Writer
from hwgen.settings import flags
from hwgen.settings.setting import SettingError
from hwgen.settings.train import TrainSettings


def pixels(path):
    return np.asarray(Image.open(path))


def imitate(images, writer, **settings):
    said = []
    return hwgen.imitate(images, model=writer, report=said.append, **settings), said


def test_a_hand_is_what_the_encoder_reads_of_the_cut_lines(labelled, writer):
    found, said = imitate(labelled, writer, hand='mine.hand', text='日月', out='line.png', style_seed=3)
    images = [
        cut_line(pixels(path), num_characters=n + 2) for n, path in enumerate(sorted(labelled.glob('*.png')))
    ]
    expected = read_style(writer, images, [2, 3, 4])
    np.testing.assert_array_equal(found.hand.style, expected)
    assert (found.hand.lines, found.hand.characters, found.hand.counted) == (3, 9, 'labels')
    assert said[0] == 'my_lines: 3 lines, 9 characters (by their labels)'
    (line,) = writer.write('日月', styles=expected, style_seeds=3)
    np.testing.assert_array_equal(pixels('line.png'), line)
    np.testing.assert_array_equal(writer.hand('mine.hand'), expected)
    assert load_hand('mine.hand').digest == writer.digest() and found.path == 'mine.hand'


def test_lines_without_labels_are_counted(lines, writer):
    found, said = imitate(lines, writer, hand='mine.hand')
    assert (found.hand.lines, found.hand.characters, found.hand.counted) == (3, 9, 'shape')
    assert found.written is None and said[0] == 'my_lines: 3 lines, 9 characters (counted by their shape)'
    one, _ = imitate(lines / '1.png', writer, hand='one.hand')
    assert (one.hand.lines, one.hand.characters, one.hand.name) == (1, 3, 'one')
    with pytest.raises(FileExistsError, match='one.hand'):
        imitate(lines / '1.png', writer, hand='one.hand')
    imitate(lines / '1.png', writer, hand='one.hand', overwrite=True)


def test_grey_paper_and_size_change_little(lines, writer):
    """A scan at twice the size on grey paper with a gradient gives nearly the same hand."""
    plain, _ = imitate(lines / '2.png', writer, hand='a.hand')
    image = Image.fromarray(pixels(lines / '2.png'))
    large = np.asarray(image.resize((image.width * 2, image.height * 2)), float)
    Image.fromarray((large * np.linspace(0.7, 0.95, large.shape[1])).astype(np.uint8)).save('scan.png')
    scanned, _ = imitate('scan.png', writer, hand='b.hand')
    assert scanned.hand.characters == 4
    assert np.abs(scanned.hand.style - plain.hand.style).max() < 0.2 * np.abs(plain.hand.style).max()


def test_generate_writes_all_its_kinds_in_a_hand(lines, writer):
    imitate(lines, writer, hand='mine.hand')
    style, quiet = writer.hand('mine.hand'), dict(model=writer, hand='mine.hand', report=lambda line: None)
    hwgen.generate('日月', 'line.png', style_seed=5, **quiet)
    (expected,) = writer.write('日月', styles=style, style_seeds=5)
    np.testing.assert_array_equal(pixels('line.png'), expected)
    pathlib.Path('rows.txt').write_text('日月\n山水人\n', encoding='utf-8')
    hwgen.generate(text_file='rows.txt', out='rows', styles_per_line='random', style_seed=8, **quiet)
    for number, text in enumerate(('日月', '山水人')):
        (expected,) = writer.write(text, styles=style, style_seeds=8 + number)
        np.testing.assert_array_equal(pixels(f'rows/00000{number + 1}.png'), expected)
    assert pathlib.Path('rows/styles.tsv').read_text() == '000001.png\tmine 8\n000002.png\tmine 9\n'
    hwgen.generate(text_file='rows.txt', out='records', format='tfrecord', **quiet)
    records = [RecordIndex('records', split='train').read_record(number) for number in range(2)]
    assert {record.writer for record in records} == {'hand-mine'}
    (expected,) = writer.write('山水人', styles=style)
    np.testing.assert_array_equal(records[1].image, expected)
    hwgen.generate('日月', 'page.png', page_width='2', margin=0.0, indent=0, **quiet)
    (expected,) = writer.write('日月', styles=style)
    np.testing.assert_array_equal(pixels('page.png')[-16:, :32], expected)


def test_what_does_not_go_with_a_hand(lines, writer):
    imitate(lines, writer, hand='mine.hand')
    quiet = dict(model=writer, hand='mine.hand', report=lambda line: None)
    for settings, said in (
        (dict(num_styles=2), 'num_styles does not go with hand'),
        (dict(interpolate=[1, 2]), 'interpolate does not go with hand'),
    ):
        with pytest.raises(SettingError, match=said):
            hwgen.generate('日', 'a.png', **quiet, **settings)
    stored = json.loads(pathlib.Path('mine.hand').read_text()) | {'digest': 'ab' * 32}
    pathlib.Path('theirs.hand').write_text(json.dumps(stored))
    with pytest.raises(HandError, match=r'^theirs\.hand: a hand of another model'):
        hwgen.generate('日', 'a.png', model=writer, hand='theirs.hand', report=lambda line: None)
    with pytest.raises(HandError, match=r'^theirs\.hand: a hand of another model'):
        writer.hand('theirs.hand')
    with pytest.raises(HandError, match='nowhere.hand: no such file'):
        hwgen.generate('日', 'a.png', model=writer, hand='nowhere.hand')
    assert not os.path.exists('a.png')


def test_refusals(labelled, writer, model):
    for keywords, error, said in (
        (dict(), SettingError, 'images is missing'),
        (dict(images='none', hand='a.hand'), FileNotFoundError, 'none'),
        (dict(images=labelled), SettingError, 'expected hand=FILE'),
        (dict(images=labelled, text='日'), SettingError, 'out is missing'),
        (dict(images=labelled, out='a.png'), SettingError, 'out=a.png without text'),
        (dict(images=labelled, hand='a.png'), SettingError, 'hand=a.png: a picture'),
        (dict(images=labelled, hand=labelled), FileExistsError, 'my_lines'),
        (dict(images=labelled, minutes=0.01, hand='b'), SettingError, 'minutes=0.01: expected at least 0.1'),
        (dict(images=labelled, minutes=1.0, text='日', out='a.png'), SettingError, 'expected hand=FOLDER'),
        (dict(images=labelled, minutes=1.0, hand='b'), SettingError, 'minutes with a Writer'),
        (dict(images=labelled, labels='x.tsv', hand='a.hand'), OSError, 'x.tsv'),
        (dict(images=labelled / '0.png', labels='x.tsv', hand='a.hand'), FormatError, 'x.tsv with'),
    ):
        with pytest.raises(error, match=said):
            imitate(keywords.pop('images', None), writer, **keywords)
    with pytest.raises(ValueError, match='the model has no style encoder'):
        imitate(labelled, Writer(writer.generator, writer.charset), hand='a.hand')
    description = json.loads(pathlib.Path(model, 'generator.json').read_text(encoding='utf-8'))
    del description['style_encoder']
    pathlib.Path('blind').mkdir()
    pathlib.Path('blind/generator.json').write_text(json.dumps(description), encoding='utf-8')
    with pytest.raises(ValueError, match='blind: the model has no style encoder'):
        hwgen.imitate(labelled, 'a.hand', model='blind')
    assert sorted(os.listdir()) == ['blind', 'my_lines']


def test_pictures_that_are_no_lines(labelled, writer):
    table = labelled / 'labels.tsv'
    good = table.read_text(encoding='utf-8')
    Image.fromarray(255 - pixels(labelled / '1.png')).save(labelled / 'dark.png')
    table.write_text(good + 'dark.png\t天地人\n', encoding='utf-8')
    with pytest.raises(FormatError, match='my_lines/dark.png: ink on black.*; dark=invert'):
        imitate(labelled, writer, hand='a.hand')
    turned, _ = imitate(labelled, writer, hand='a.hand', dark='invert')
    assert turned.hand.lines == 4
    table.write_text(good + 'gone.png\t天地人\n', encoding='utf-8')
    with pytest.raises(OSError, match='gone.png'):
        imitate(labelled, writer, hand='b.hand')
    table.write_text('0.png\t明天\tli\n1.png\t天地人\twang\n', encoding='utf-8')
    with pytest.raises(FormatError, match=r'my_lines: lines of 2 writers \(li, wang\)'):
        imitate(labelled, writer, hand='b.hand')
    # a character that is in no table is one character all the same
    table.write_text('0.png\t明\u0e01\n', encoding='utf-8')
    found, _ = imitate(labelled, writer, hand='c.hand')
    assert found.hand.characters == 2
    with pytest.raises(FormatError, match=r'my_lines/0.png: U\+0E01'):
        lines = line_pictures.read_lines(
            str(labelled), labels=None, dark='refuse', cell_aspect=1.0, report=print
        )
        line_pictures.check_texts(lines, hwgen.Charset.load())


def test_fine_tuning_is_hand_flags_with_the_sizes_of_the_model(model):
    settings = fine_tuning.training_settings(model, minutes=4, longest=11)
    schedule = settings.schedule
    assert (schedule.recognizer_steps, schedule.reconstruction_steps) == (160, 740)  # 900 as hand.flags has
    assert schedule.longest_lines == 11 and settings.run.max_minutes == 4
    assert settings.run.init_from == model
    assert settings.generator.char_px == 16 and settings.generator.content_channels == 12
    assert settings.modules.style_channels == (4, 6, 8)
    assert len(settings.modules.discriminator_channels) == 3  # log2(16 / 4) + 1
    # one that is smaller than what ships is taught as demo.flags teaches: no block more in the recognisers
    assert settings.modules.recognizer_channels == (24, 48, 96, 128, 160)
    assert (settings.steps.feature_levels, settings.steps.noise_kl_weight) == ((4,), 0.002)


@pytest.mark.parametrize('name, px, blocks', [('demo', 32, 3), ('spaced64', 64, 4)])
def test_fine_tuning_fits_the_models_that_ship(name, px, blocks):
    settings = fine_tuning.training_settings(find_model(name), minutes=4, longest=5)
    assert (settings.generator.char_px, len(settings.generator.channels)) == (px, blocks)
    assert settings.generator.layout == ('cells' if px == 32 else 'spaced')
    assert len(settings.modules.discriminator_channels) == blocks + 1
    assert len(settings.modules.recognizer_channels) == blocks + 2  # a stem and a convolution more
    assert len(settings.modules.style_channels) == blocks + 1


def test_hand_flags_has_the_sizes_of_the_model_that_ships():
    """Else nobody could begin with it: the generator's, and those of its style encoder."""
    settings = flags.parse(TrainSettings, ['--flagfile=hand.flags'])
    assert settings.run.init_from == DEFAULT_MODEL
    described = json.loads(pathlib.Path(find_model(DEFAULT_MODEL), 'generator.json').read_text('utf-8'))
    here = json.loads(json.dumps(vars(settings.generator)))  # tuples as lists
    compared = {name for name, value in here.items() if value is not None} & {*described['generator']}
    assert {'char_px', 'layout', 'channels', 'map_channels', 'bend_px', 'style_part_dim'} <= compared
    assert {name: described['generator'][name] for name in compared} == {
        name: here[name] for name in compared
    }
    assert list(settings.modules.style_channels) == described['style_encoder']['channels']


def test_generate_takes_the_model_of_a_folder(lines, model):
    """What fine-tuning leaves: a model and a hand in one folder."""
    writer = Writer.load(model, tell=None)
    os.makedirs('mine')
    for name in os.listdir(model):
        pathlib.Path('mine', name).write_bytes(pathlib.Path(model, name).read_bytes())
    imitate(lines, writer, hand=f'mine/{generation.HAND}')
    hwgen.generate('日月', 'line.png', hand='mine', report=lambda line: None)
    (expected,) = writer.write('日月', styles=writer.hand(f'mine/{generation.HAND}'))
    np.testing.assert_array_equal(pixels('line.png'), expected)
    with pytest.raises(SettingError, match='model=elsewhere does not go with hand=mine'):
        hwgen.generate('日月', 'a.png', hand='mine', model='elsewhere')
    with pytest.raises(HandError, match='my_lines/hand.json: no such file'):
        hwgen.generate('日月', 'a.png', hand='my_lines')


@pytest.mark.slow
def test_fine_tuning(labelled, model):
    """A minute: a model and a hand, nothing else, and nothing left of a training that fails."""
    said = []
    found = hwgen.imitate(
        labelled, 'mine', model=model, minutes=1, text='日月', out='line.png', report=said.append
    )
    assert any('the generator learned ' in line for line in said)
    assert sorted(os.listdir('mine')) == ['generator.json', 'hand.json', 'weights.npz']
    assert sorted(os.listdir()) == ['line.png', 'mine', 'my_lines']
    tuned = Writer.load('mine', tell=None)
    assert tuned.digest() != Writer.load(model, tell=None).digest()
    np.testing.assert_array_equal(tuned.hand('mine/hand.json'), found.hand.style)
    (expected,) = tuned.write('日月', styles=found.hand.style)
    np.testing.assert_array_equal(pixels('line.png'), expected)
    hwgen.generate('日月', 'again.png', hand='mine', report=lambda line: None)
    np.testing.assert_array_equal(pixels('again.png'), expected)
    with pytest.raises(FileExistsError, match='mine'):
        hwgen.imitate(labelled, 'mine', model=model, minutes=0.1)
    (labelled / 'labels.tsv').unlink()
    with pytest.raises(FormatError, match='0.png: no label, expected a text for each line'):
        hwgen.imitate(labelled, 'other', model=model, minutes=0.1)
    assert not os.path.exists('other')
