"""Labels of pictures, read by independent means: json, xml.etree, csv."""

import collections
import dataclasses
import json
import pathlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from small_generator import shared_small_generator

from hwgen.charset.encoding import Charset
from hwgen.generation import session
from hwgen.generation.labels import boxes_jsonl, coco, page_xml
from hwgen.generation.labels.files import LabelFiles
from hwgen.generation.labels.truth import Placing, TruePicture, true_line
from hwgen.generation.verification import Verified
from hwgen.inference.line_boxes import LineBoxes
from hwgen.inference.writer import Writer
from hwgen.settings.generate import (
    GenerateSettings,
    HandSettings,
    LabelSettings,
    PageSettings,
    WritingSettings,
)
from hwgen.settings.setting import SettingError

PAGE = '{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}'
# The children of each element in their order, as the schema has them.
ORDER = {
    'PcGts': ['Metadata', 'Page'],
    'Metadata': ['Creator', 'Created', 'LastChange'],
    'Page': ['TextRegion'],
    'TextRegion': ['Coords', 'TextLine', 'TextEquiv'],
    'TextLine': ['Coords', 'Word', 'TextEquiv'],
    'Word': ['Coords', 'Glyph', 'TextEquiv'],
    'Glyph': ['Coords', 'Graphemes', 'TextEquiv'],
    'Graphemes': ['Grapheme'],
    'Grapheme': ['TextEquiv', 'Coords'],
    'TextEquiv': ['Unicode'],
    'Coords': [],
    'Unicode': [],
    'Creator': [],
    'Created': [],
    'LastChange': [],
}


@pytest.fixture(scope='module')
def charset():
    return Charset.load()


@pytest.fixture(scope='module')
def picture(charset):
    """明 ⿱山鱼 in a picture of 70 x 40 px, of a line of 48 x 16 px, twice as large there, at (-10, 4)."""
    encoded = charset.encode('明 ⿱山鱼')
    rooms = np.array([[0, 0, 16, 16], [16, 0, 32, 16], [32, 0, 48, 16]])
    characters = np.array([[6, 2, 15, 14], [0, 0, 0, 0], [33, 1, 47, 15]])
    components = np.zeros([3, 4, 4], int)
    components[0, :2] = [6, 3, 10, 13], [9, 2, 15, 14]
    components[2, :2] = [34, 1, 46, 6], [33, 6, 47, 15]
    line = true_line(
        '明 ⿱山鱼',
        encoded,
        charset,
        rooms=rooms,
        boxes=LineBoxes(characters, components),
        placing=Placing((-10.0, 4.0), (2.0, 2.0)),
        size=(70, 40),
        verified=Verified('partly', '明山鱼\x01', 0.75, 0.0, 2, 99, ('⿱山鱼',)),
    )
    return TruePicture('000001.png', 70, 40, '7', (line,))


def test_boxes_in_the_picture_by_hand(picture):
    ming, space, fish = picture.lines[0].characters
    # x: 2 * 6 - 10 = 2 .. 2 * 15 - 10 = 20; y: 2 * 2 + 4 = 8 .. 32; the room begins left of the picture
    assert (ming.box, ming.room) == ((2, 8, 20, 32), (0, 4, 22, 36))
    assert [one.box for one in ming.components] == [(2, 10, 10, 30), (8, 8, 20, 32)]
    assert [(one.name, one.slot) for one in ming.components] == [('日', 0), ('月', 1)]
    assert space.box is None and space.room == (22, 4, 54, 36)
    # cut at the right edge of the picture, 70 px
    assert fish.text == '⿱山鱼' and fish.box == (56, 6, 70, 34)
    assert fish.structure.startswith('⿱') and picture.lines[0].box == (2, 6, 70, 34)
    # a part of a pixel counts whole
    assert Placing((0.5, 0.0), (0.5, 0.5)).box([1, 1, 2, 4], (9, 9)) == (1, 0, 2, 2)
    assert Placing((-20.0, 0.0)).box([1, 1, 2, 4], (9, 9)) is None


def test_json_lines(picture):
    (row,) = map(json.loads, boxes_jsonl.rows(picture).splitlines())
    assert row['path'] == '000001.png' and row['line'] == 1 and row['text'] == '明 ⿱山鱼'
    assert row['characters'] == ['明', ' ', '⿱山鱼']
    assert row['boxes'][0] == [2, 8, 20, 32] and row['boxes'][1] == row['rooms'][1] == [22, 4, 54, 36]
    assert row['components'][0] == ['日', '月', '', ''] and row['component_boxes'][0][2:] == [[0] * 4] * 2
    assert row['reading'] == {
        'verdict': 'partly', 'text': '明山鱼\x01', 'error': 0.0, 'confidence': 0.75, 'tries': 2,
        'noise_seed': 99, 'unread': ['⿱山鱼'],
    }  # fmt: skip


def coco_of(tmp_path, *pictures):
    with LabelFiles(str(tmp_path), ['coco'], {'model': 'a "model"'}) as out:
        for one in pictures:
            out.add(one)
    return json.loads((tmp_path / coco.NAME).read_text(encoding='utf-8'))


def test_coco(picture, tmp_path):
    other = picture._replace(name='000002.png')
    data = coco_of(tmp_path, picture, other)
    assert {'info', 'licenses', 'images', 'annotations', 'categories'} == set(data)
    assert [(one['id'], one['file_name'], one['width'], one['height']) for one in data['images']] == [
        (1, '000001.png', 70, 40),
        (2, '000002.png', 70, 40),
    ]
    categories = {one['id']: one['name'] for one in data['categories']}
    # as pycocotools' createIndex goes through it
    of_image = collections.defaultdict(list)
    for one in data['annotations']:
        of_image[one['image_id']].append(one)
    ids = [one['id'] for one in data['annotations']]
    assert ids == list(range(1, len(ids) + 1)) and set(of_image) == {1, 2}
    assert [categories[one['category_id']] for one in of_image[1]] == [
        'line', 'character', 'component', 'component', 'character', 'component', 'component'
    ]  # fmt: skip
    by_id = {one['id']: one for one in data['annotations']}
    for one in data['annotations']:
        x, y, width, height = one['bbox']
        assert one['area'] == width * height > 0 and one['iscrowd'] == 0
        assert 0 <= x and x + width <= 70 and 0 <= y and y + height <= 40
        (polygon,) = one['segmentation']
        xs, ys = polygon[::2], polygon[1::2]
        assert (min(xs), min(ys), max(xs), max(ys)) == (x, y, x + width, y + height)
        if 'parent' in one:
            parent = by_id[one['parent']]
            assert parent['category_id'] == one['category_id'] - 1
            assert parent['image_id'] == one['image_id']
    line, ming, sun = of_image[1][:3]
    assert line['text'] == '明 ⿱山鱼' and line['confidence'] == 0.75 and line['verdict'] == 'partly'
    assert ming['bbox'] == [2, 8, 18, 24] and (sun['text'], sun['slot']) == ('日', 0)


def test_coco_of_nothing_is_a_file_all_the_same(tmp_path):
    assert coco_of(tmp_path)['annotations'] == []


def test_page_xml(picture):
    data = page_xml.document(picture, creator='hwgen')
    root = ElementTree.fromstring(data)
    assert data.startswith(b'<?xml') and root.tag == f'{PAGE}PcGts'

    def check(element):
        tag = element.tag.removeprefix(PAGE)
        tags = [child.tag.removeprefix(PAGE) for child in element]
        assert tags == sorted(tags, key=ORDER[tag].index), tag
        for child in element:
            check(child)

    check(root)
    ids = [element.get('id') for element in root.iter() if element.get('id')]
    assert len(ids) == len(set(ids)) and all(name[0].isalpha() for name in ids)
    page = root.find(f'{PAGE}Page')
    assert page.attrib == {'imageFilename': '000001.png', 'imageWidth': '70', 'imageHeight': '40'}
    (line,) = page.iter(f'{PAGE}TextLine')
    asked, read = line.findall(f'{PAGE}TextEquiv')
    assert asked.find(f'{PAGE}Unicode').text == '明 ⿱山鱼'
    # what XML has no place for is not lost without a mark
    assert read.find(f'{PAGE}Unicode').text == '明山鱼\ufffd' and float(read.get('conf')) == 0.75
    assert [word.find(f'{PAGE}TextEquiv')[0].text for word in line.iter(f'{PAGE}Word')] == ['明', '⿱山鱼']
    glyphs = list(line.iter(f'{PAGE}Glyph'))
    assert [glyph.find(f'{PAGE}Coords').get('points') for glyph in glyphs] == [
        '2,8 20,8 20,32 2,32',
        '56,6 70,6 70,34 56,34',
    ]
    parts = [[part.find(f'{PAGE}TextEquiv')[0].text for part in g.iter(f'{PAGE}Grapheme')] for g in glyphs]
    assert parts == [['日', '月'], ['山', '鱼']]
    assert [part.get('index') for part in line.iter(f'{PAGE}Grapheme')] == ['0', '1', '0', '1']


def test_dates_do_not_change(picture, monkeypatch):
    assert page_xml.document(picture, creator='a') == page_xml.document(picture, creator='a')
    monkeypatch.setenv('SOURCE_DATE_EPOCH', '86400')
    assert b'<Created>1970-01-02T00:00:00</Created>' in page_xml.document(picture, creator='a')


def test_a_line_of_spaces_has_no_word(charset):
    nothing = LineBoxes(np.zeros([1, 4], int), np.zeros([1, 4, 4], int))
    line = true_line(
        ' ', charset.encode(' '), charset, rooms=np.array([[0, 0, 16, 16]]), boxes=nothing,
        placing=Placing(), size=(16, 16),
    )  # fmt: skip
    empty = TruePicture('000001.png', 16, 16, '0', (line,))
    assert list(line.words()) == [] and line.box == (0, 0, 16, 16)
    assert not list(ElementTree.fromstring(page_xml.document(empty, creator='a')).iter(f'{PAGE}Word'))


@pytest.mark.parametrize('layout', ['cells', 'spaced'])
def test_boxes_lie_around_the_ink_of_the_very_pictures(layout):
    """In lines and on pages, at another height, of the line that is kept of several tries."""
    writer = Writer(shared_small_generator(layout=layout), Charset.load(), windows_per_step=1)

    class Reader:
        name, characters = 'none', frozenset('明天')

        def readings(self, images):
            assert {image.shape[0] for image in images} == {32}
            return [('', 0.5)] * len(images)  # nothing ever reads: the first try is kept

    for out, more in (('lines', {}), ('pages', {'page_width': '3', 'indent': 1, 'margin': 0.5})):
        settings = GenerateSettings(
            WritingSettings(text='明天 ⿱山鱼湖', out=out + '/'),
            HandSettings(style_seed=3),
            PageSettings(height_px=32, **more),
            LabelSettings(labels=('jsonl', 'coco', 'page'), verify=0.0, verify_tries=2),
        )
        told = session.generate(settings, writer=writer, open_reader=Reader, report=str).told
        assert 'readings.tsv, boxes.jsonl, coco.json, *.xml' in told
        image = np.array(Image.open(f'{out}/000001.png'))
        rows = [json.loads(row) for row in pathlib.Path(f'{out}/boxes.jsonl').read_text('utf-8').splitlines()]
        assert [row['line'] for row in rows] == list(range(1, len(rows) + 1))
        assert len(rows) == 2 or not more or layout == 'spaced'
        known = [(c, b) for row in rows for c, b in zip(row['characters'], row['boxes'], strict=True)]
        assert [character for character, _ in known if character != ' '] == ['明', '天', '⿱山鱼', '湖']
        for character, (x0, y0, x1, y1) in known:
            if character == ' ':
                continue
            ink = image[y0:y1, x0:x1] < 200  # cubic enlargement moves grey levels a little
            assert ink.any(0)[[0, 1, -2, -1]].any() and ink[:2].any() and ink[-2:].any(), character
        if layout == 'cells' and not more:
            # all ink of a cell lies in its box
            cell = image[:, :32].copy()
            x0, y0, x1, y1 = known[0][1]
            cell[y0:y1, x0:x1] = 255
            assert cell.min() > 100
        (page,) = ElementTree.parse(f'{out}/000001.xml').getroot().iter(f'{PAGE}Page')
        assert int(page.get('imageWidth')) == image.shape[1] and int(page.get('imageHeight')) == len(image)
        data = json.loads(pathlib.Path(f'{out}/coco.json').read_text('utf-8'))
        assert [one['bbox'] for one in data['annotations'] if one['category_id'] == 2] == [
            [x0, y0, x1 - x0, y1 - y0] for c, (x0, y0, x1, y1) in known if c != ' '
        ]
    # the same again, byte by byte
    before = {path.name: path.read_bytes() for path in pathlib.Path('pages').iterdir()}
    again = dataclasses.replace(settings, writing=dataclasses.replace(settings.writing, overwrite=True))
    session.generate(again, writer=writer, open_reader=Reader, report=str)
    assert before == {path.name: path.read_bytes() for path in pathlib.Path('pages').iterdir()}


@pytest.mark.parametrize(
    'labels, writing, message',
    [
        (
            ('coco',),
            dict(out='a.png'),
            'labels belong to a folder of pictures; expected the name',
        ),
        (('page',), dict(out='a', format='tfrecord'), 'expected --format png'),
        (('pascal',), dict(out='a/'), 'expected of tsv, jsonl, coco, page'),
    ],
)
def test_refused(labels, writing, message):
    with pytest.raises(SettingError, match=message):
        settings = GenerateSettings(
            WritingSettings(text='明', **writing), labels=LabelSettings(labels=labels)
        )
        session.generate(settings, writer=object(), report=str)
