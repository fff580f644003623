"""A folder of images with a table of labels."""

import numpy as np
import pytest
from PIL import Image

from hwgen.data.formats import folder


def table(tmp_path, text, name='labels.tsv'):
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def test_rows_and_writers(tmp_path):
    table(tmp_path, '\ufeff# the lines\na.png\t天地\r\n\nanna/b.png\t玄 黄\nanna/c.png\t宇\tberta\n#d.png\t宙\n')
    rows = list(folder.read_folder(tmp_path))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in rows] == [
        ('a.png', '天地', '', 2), ('anna/b.png', '玄 黄', 'anna', 4), ('anna/c.png', '宇', 'berta', 5), ('#d.png', '宙', '', 6)]


def test_table_elsewhere(tmp_path):
    (tmp_path / 'images').mkdir()
    table(tmp_path, 'x.png\t一', 'label.txt')
    row, = folder.read_folder(tmp_path / 'images', labels=tmp_path / 'label.txt')
    assert row.path == tmp_path / 'images' / 'x.png'


@pytest.mark.parametrize('text, message', [
    ('a.png\t一\nb.png', 'labels.tsv, row 2: 1 columns, expected path TAB text'),
    ('a.png\t一\t二\t三', 'row 1: 4 columns'), ('\t一', 'row 1: 2 columns, expected path')])
def test_rows_of_another_shape(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        list(folder.read_folder(table(tmp_path, text)))


def test_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder; expected one with images and labels.tsv'):
        list(folder.read_folder('nowhere'))
    with pytest.raises(FileNotFoundError, match='label.txt: no such file; expected rows "path TAB text"'):
        list(folder.read_folder(tmp_path, labels='label.txt'))
    (tmp_path / 'labels.tsv').write_bytes('a.png\t天'.encode('gb18030'))
    with pytest.raises(ValueError, match='labels.tsv, byte 6: no UTF-8'):
        list(folder.read_folder(tmp_path))


GREY = np.array([[0, 100, 255], [7, 128, 200]], np.uint8)


@pytest.mark.parametrize('name', ['x.png', 'x.bmp', 'x.tif', 'x.pgm'])
def test_grey_images_are_read_as_they_are(tmp_path, name):
    Image.fromarray(GREY).save(tmp_path / name)
    np.testing.assert_array_equal(folder.read_image(tmp_path / name), GREY)


def test_other_images_become_grey(tmp_path):
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / 'deep.png')
    np.testing.assert_array_equal(folder.read_image(tmp_path / 'deep.png'), GREY)
    Image.fromarray(np.dstack([np.zeros((2, 3, 3), np.uint8), 255 - GREY])).save(tmp_path / 'ink.png')
    np.testing.assert_array_equal(folder.read_image(tmp_path / 'ink.png'), GREY)  # black ink on transparent paper
    turned = Image.fromarray(GREY)
    exif = turned.getexif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    turned.save(tmp_path / 'turned.png', exif=exif)
    np.testing.assert_array_equal(folder.read_image(tmp_path / 'turned.png'), np.rot90(GREY, -1))


def test_unreadable_images(tmp_path):
    with pytest.raises(FileNotFoundError, match='y.png: no such image'):
        folder.read_image(tmp_path / 'y.png')
    noise = np.random.default_rng(0).integers(0, 256, (50, 50)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / 'x.png')
    whole = (tmp_path / 'x.png').read_bytes()
    for damaged in (b'', b'text', whole[:40], whole[:len(whole) // 2]):
        (tmp_path / 'x.png').write_bytes(damaged)
        with pytest.raises(OSError, match='x.png: no readable image'):
            folder.read_image(tmp_path / 'x.png')


def test_images_without_a_table(tmp_path):
    """In the order of their paths; the sub-folder is the writer; other files and hidden ones are no images."""
    for name in ('b.PNG', 'anna/2.jpg', 'anna/10.jpg', 'anna/deep/x.tif', 'a.png', '.cache/y.png', '.z.png', 'labels.tsv', 'notes.txt', 'gif'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'folder.png').mkdir()
    found = list(folder.list_images(tmp_path))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in found] == [
        ('a.png', '', '', 1), ('anna/10.jpg', '', 'anna', 2), ('anna/2.jpg', '', 'anna', 3), ('anna/deep/x.tif', '', 'anna/deep', 4), ('b.PNG', '', '', 5)]
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder; expected one with images'):
        list(folder.list_images('nowhere'))
    with pytest.raises(FileNotFoundError, match='folder.png: no image in it; expected files .bmp, .gif'):
        list(folder.list_images(tmp_path / 'folder.png'))


def test_json_lines(tmp_path):
    table(tmp_path, '{"path": "a.png", "text": "天\\t地"}\n\n{"file_name": "anna/b.png", "label": 7}\n'
          '{"image": "c.png", "text": "宇", "writer": "berta"}\n', 'labels.jsonl')
    rows = list(folder.read_folder(tmp_path, labels='labels.jsonl'))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in rows] == [
        ('a.png', '天\t地', '', 1), ('anna/b.png', '7', 'anna', 3), ('c.png', '宇', 'berta', 4)]
    for row in ('{"path": "a.png"}', '["a.png", "x"]', '{"path": ["a"], "text": "x"}', 'a.png\tx', '[' * 100000):
        with pytest.raises(ValueError, match=r'labels.jsonl, row 1: .*, expected \{"path": "...", "text": "..."\}'):
            list(folder.read_folder(table(tmp_path, row, 'labels.jsonl'), labels='labels.jsonl'))
