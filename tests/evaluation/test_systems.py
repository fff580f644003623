"""Systems to compare with: folders of pictures in the layouts that are read, names, and what is told where
something is missing.
"""

import json
import pathlib

import numpy as np
import pytest

from hwgen import files
from hwgen.charset.encoding import Charset
from hwgen.data.formats import folder as folder_format
from hwgen.evaluation.systems import compared_systems
from hwgen.inference import artefact, picture_files
from hwgen.inference.writer import Writer
from tests.small_generator import shared_small_generator

_PALEST = 250  # greys are counted from here: black pictures are no lines


def draw(name, grey):
    files.write_file(name, picture_files.encode_png(np.full([20, 60], _PALEST - grey, np.uint8)))


def greys(system, texts):
    return [
        _PALEST - int(image[0, 0])
        for image in system.write(texts, style_seeds=[0] * len(texts), truncation=1.0)
    ]


@pytest.fixture
def pictures():
    """Pictures of 明 in the greys 10 and 20, and of 日 in 30."""
    for name, grey in (('a', 10), ('b', 20), ('c', 30)):
        draw(f'other/{name}.png', grey)
    return pathlib.Path('other')


def test_pictures_come_in_the_order_of_the_table_and_once_as_long_as_they_last(pictures):
    (pictures / 'labels.tsv').write_text('b.png\t明\nc.png\t日\na.png\t明\n', encoding='utf-8')
    system = compared_systems.open_system('other')
    assert system.description == {'system': 'folder of pictures', 'labels': 'labels.tsv', 'num_pictures': 3}
    system.require([['明', '日'], ['明', '明']])
    assert greys(system, ['明', '日']) == [20, 30] and greys(system, ['明', '明', '日']) == [10, 20, 30]
    system.require([['明']])  # a new comparison begins with the first picture
    assert greys(system, ['明']) == [20]


@pytest.mark.parametrize('layout', ['jsonl', 'label.txt', 'text files'])
def test_layouts_of_labels(pictures, layout):
    texts = {'a': '明', 'b': '明', 'c': '日'}
    if layout == 'jsonl':
        (pictures / 'metadata.jsonl').write_text(
            '\n'.join(json.dumps({'file_name': f'{name}.png', 'text': text}) for name, text in texts.items())
        )
    elif layout == 'label.txt':
        (pictures / 'label.txt').write_text(
            ''.join(f'{name}.png\t{text}\n' for name, text in texts.items()), encoding='utf-8'
        )
    else:
        for name, text in texts.items():
            (pictures / f'{name}.txt').write_text(text, encoding='utf-8')
    assert greys(compared_systems.open_system('other'), ['明', '日', '明']) == [10, 30, 20]


def test_what_is_missing_is_told(pictures):
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match='other: neither a model .* nor pictures with their texts; expected a table labels.tsv',
    ):
        compared_systems.open_system('other')
    (pictures / 'labels.tsv').write_text('a.png\t明\nd.png\t月\n', encoding='utf-8')
    system = compared_systems.open_system('other')
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match=(
            "labels.tsv: 1 pictures of '明', expected 3; 4 pictures of 2 texts are missing in all:"
            ' --texts_out=FILE'
        ),
    ):
        system.require([['明'], ['明', '明', '明'], ['日', '日', '明']])
    with pytest.raises(
        compared_systems.ComparedSystemError, match='other/d.png: no such picture, named in other/labels.tsv'
    ):
        system.require([['明', '月']])
    with pytest.raises(compared_systems.ComparedSystemError, match="no picture of '日'"):
        greys(system, ['日'])
    with pytest.raises(compared_systems.ComparedSystemError, match='in no given hand'):
        system.write(['明'], style_seeds=[0], styles=np.zeros([1, 2]))
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match='nowhere: no such folder; expected handright, the folder of a model',
    ):
        compared_systems.open_system('nowhere')


def test_names(pictures):
    (pictures / 'labels.tsv').write_text('a.png\t明\n', encoding='utf-8')
    pathlib.Path('runs/model').mkdir(parents=True)
    pathlib.Path('runs/model/labels.tsv').write_text('')
    assert [*compared_systems.open_systems(['other', 'zi2zi=other', 'runs/model'])] == [
        'other',
        'zi2zi',
        'runs',
    ]
    for places, message in (
        (['other', 'other/'], "other/: the name 'other' is taken; expected NAME=FOLDER"),
        (['floor=other'], "the name 'floor' is taken"),
        (['=other'], "the name '' is empty"),
    ):
        with pytest.raises(compared_systems.ComparedSystemError, match=message):
            compared_systems.open_systems(places)


def test_a_model(tmp_path):
    artefact.save_generator('small', shared_small_generator(), charset=Charset.load())
    (system,) = compared_systems.open_systems(['small']).values()
    assert isinstance(system, Writer)
    (image,) = system.write(['明天'], style_seeds=[1], truncation=1.0)
    np.testing.assert_array_equal(
        image, Writer.load('small').write(['明天'], style_seeds=[1], truncation=1.0)[0]
    )


def test_what_a_comparison_needs_is_the_most_that_one_seed_asks_for(pictures):
    """As many pictures as there are texts are enough, and the next comparison begins anew; after the last
    picture the first comes again.
    """
    (pictures / 'labels.tsv').write_text('a.png\t明\nb.png\t明\nc.png\t日\n', encoding='utf-8')
    system = compared_systems.PictureFolder('other')
    system.require([['明', '日', '明'], ['日'], []])
    assert greys(system, ['明'] * 5) == [10, 20, 10, 20, 10] and greys(system, ['明', '日']) == [20, 30]
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match="1 pictures of '日', expected 2; 1 pictures of 1 texts are missing",
    ):
        system.require([['明', '日'], ['日', '日']])
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match="0 pictures of '月', expected 2; 2 pictures of 1 texts are missing",
    ):
        system.require([['月', '月']])
    assert (system.char_px, system.char_width_px, compared_systems.CELL_PX) == (32, 32, 32)
    # as it is in the folder
    assert [picture.shape for picture in system.write(['日'], style_seeds=[1], truncation=0.5)] == [(20, 60)]


def test_the_first_table_is_read(pictures):
    (pictures / 'labels.txt').write_text('a.png\t日\n', encoding='utf-8')
    (pictures / 'label.txt').write_text('b.png\t日\n', encoding='utf-8')
    assert compared_systems.PictureFolder('other').description == {
        'system': 'folder of pictures',
        'labels': 'label.txt',
        'num_pictures': 1,
    }
    (pictures / 'labels.tsv').write_text('c.png\t日\na.png\t明\n', encoding='utf-8')
    assert compared_systems.PictureFolder('other').description == {
        'system': 'folder of pictures',
        'labels': 'labels.tsv',
        'num_pictures': 2,
    }
    assert compared_systems.TABLES == (
        'labels.tsv',
        'label.txt',
        'labels.txt',
        'labels.jsonl',
        'metadata.jsonl',
    )


def test_names_and_places(pictures, monkeypatch):
    """A folder whose name has an = in it is a place; what is no folder is a name and a place."""
    opened = []
    monkeypatch.setattr(compared_systems, 'open_system', lambda place: opened.append(place) or place.upper())
    pathlib.Path('a=b').mkdir()
    found = compared_systems.open_systems(
        ['a=b', 'x=other', 'y=c=d', 'handright', 'runs/first/model', '../elsewhere/']
    )
    assert list(found) == ['a=b', 'x', 'y', 'handright', 'first', 'elsewhere'] and opened == [
        'a=b',
        'other',
        'c=d',
        'handright',
        'runs/first/model',
        '../elsewhere/',
    ]
    assert found['x'] == 'OTHER'
    for name in ('floor', 'real', 'name', 'better'):  # columns of the table
        with pytest.raises(compared_systems.ComparedSystemError, match=f"the name '{name}' is taken"):
            compared_systems.open_systems([f'{name}=other'])
    opened.clear()
    with pytest.raises(compared_systems.ComparedSystemError, match=r"x=there: the name 'x' is taken"):
        compared_systems.open_systems(['x=here', 'x=there'])
    assert not opened  # names first, models last
    assert (
        compared_systems.name_of('model') == pathlib.Path.cwd().name
        and compared_systems.name_of('a/model/b') == 'b'
    )


def test_which_kind_of_system_stands_at_a_place(pictures, monkeypatch):
    asked = []
    monkeypatch.setattr(
        compared_systems, 'FontSimulator', lambda **options: asked.append(('simulator', options))
    )
    monkeypatch.setattr(compared_systems, 'PictureFolder', lambda place: asked.append(('pictures', place)))
    monkeypatch.setattr(
        compared_systems.Writer, 'load', lambda place, **options: asked.append(('model', place, options))
    )
    pathlib.Path('trained').mkdir()
    pathlib.Path('trained/generator.json').write_text('{}')
    for place in ('handright', 'other', 'trained'):
        compared_systems.open_system(place)
    assert asked == [
        ('simulator', {'char_px': 32, 'char_width_px': 32}),
        ('pictures', 'other'),
        ('model', 'trained', {'allow_unseen': True}),
    ]


def test_lists_of_texts_are_tables_of_the_folder_to_be_filled():
    texts = ['明 天', '#日', '明 天']
    compared_systems.write_texts('new/labels.tsv', texts)
    rows = list(folder_format.read_folder('new'))
    assert [(row.path.name, row.text) for row in rows] == [
        ('000001.png', '明 天'),
        ('000002.png', '#日'),
        ('000003.png', '明 天'),
    ]
    compared_systems.write_texts('texts.txt', texts)
    assert pathlib.Path('texts.txt').read_text(encoding='utf-8') == '明 天\n#日\n明 天\n'
    compared_systems.write_texts('TEXTS.TSV', texts[:1])
    assert pathlib.Path('TEXTS.TSV').read_text(encoding='utf-8') == '000001.png\t明 天\n'


def test_pictures_of_ink_on_black_are_refused(tmp_path):
    picture = np.full((32, 64), 0, np.uint8)
    picture[10:20, 20:24] = picture[6:26, 40:43] = 255
    (tmp_path / 'a.png').write_bytes(picture_files.encode_png(picture))
    (tmp_path / 'labels.tsv').write_text('a.png\t天地', encoding='utf-8')
    with pytest.raises(
        compared_systems.ComparedSystemError,
        match=r'a.png: ink on black\? \(grey levels 0 to 255\), expected dark ink on light paper',
    ):
        compared_systems.PictureFolder(tmp_path).write(['天地'], style_seeds=[0])
