"""A folder of images with a table of labels."""

import io

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


def test_images_that_are_not_read(tmp_path, recwarn):
    """What calls other programs, and what would fill the memory: a picture of 100 megapixels in 12 kB, refused without a word of Pillow's."""
    (tmp_path / 'x.png').write_bytes(b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n')
    with pytest.raises(OSError, match=r'x.png: no readable image \(none of PNG, JPEG, '):
        folder.read_image(tmp_path / 'x.png')
    with pytest.raises(OSError, match=r'^page: no readable image \(none of PNG, [^<]*$'):  # no address: rejected.tsv is the same every time
        folder.read_image(io.BytesIO(b'text'), name='page')
    Image.new('1', (10000, 10000)).save(tmp_path / 'y.png')
    with pytest.raises(OSError, match='y.png: no readable image .10000 x 10000 px, expected at most 16777216 pixels'):
        folder.read_image(tmp_path / 'y.png')
    assert not recwarn.list


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
    for row in ('{"path": "a.png"}', '{"path": "a.png", "text": "\\ud800"}', '{"path": "a.png", "text": "x", "writer": "\\ud800"}',
                '["a.png", "x"]', '{"path": ["a"], "text": "x"}', 'a.png\tx', '[' * 100000):
        with pytest.raises(ValueError, match=r'labels.jsonl, row 1: .*, expected \{"path": "...", "text": "..."\}'):
            list(folder.read_folder(table(tmp_path, row, 'labels.jsonl'), labels='labels.jsonl'))


def images(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / name)


def read(path, **settings):
    return [(r.path.relative_to(path).as_posix(), r.text, r.writer) for r in folder.read_folder(path, **settings)]


def test_rimes_words_have_a_space_between_name_and_text(tmp_path):
    """As its public readers split groundtruth_training_icdar2011.txt, which lies beside the folder training_WR; a byte order mark before it."""
    (tmp_path / 'training_WR').mkdir()
    table(tmp_path, '\ufefflot_2/lot_2_0.tiff monsieur\r\nlot_2/lot_2_1.tiff je vous\r\n', 'groundtruth_training_icdar2011.txt')
    assert read(tmp_path / 'training_WR', labels='../groundtruth_training_icdar2011.txt') == [
        ('lot_2/lot_2_0.tiff', 'monsieur', 'lot_2'), ('lot_2/lot_2_1.tiff', 'je vous', 'lot_2')]


def test_rimes_lines_have_a_text_file_each(tmp_path):
    """RIMES-2011-Lines: Images/train2011-0_000001.jpg, Transcriptions/train2011-0_000001.txt; a letter is one hand."""
    images(tmp_path, *(f'Images/train2011-{n}.jpg' for n in ('0_000001', '0_000002', '1_000001')))
    (tmp_path / 'Transcriptions').mkdir()
    for name, text in (('train2011-0_000001', 'Madame,'), ('train2011-0_000002', 'je vous\n')):
        (tmp_path / 'Transcriptions' / f'{name}.txt').write_text(text)
    errors = []
    assert read(tmp_path / 'Images', labels='../Transcriptions', name_pattern=r'(?P<writer>.+)_\d+', refuse=errors.append) == [
        ('train2011-0_000001.jpg', 'Madame,', 'train2011-0'), ('train2011-0_000002.jpg', 'je vous', 'train2011-0')]
    assert len(errors) == 1 and 'train2011-1_000001.jpg: no train2011-1_000001.txt in ' in str(errors[0])
    with pytest.raises(ValueError, match='no train2011-1_000001.txt in .*expected its text'):
        read(tmp_path / 'Images', labels='../Transcriptions')
    (tmp_path / 'Images' / 'train2011-1_000001.gt.txt').write_text('beside')
    found = list(folder.read_folder(tmp_path / 'Images', labels='.', refuse=errors.append))
    assert [(r.path.name, r.text, r.writer, r.row) for r in found] == [('train2011-1_000001.jpg', 'beside', '', 3)]


def test_cvl_words_have_their_text_in_the_name(tmp_path):
    """words/0052/0052-1-0-0-Imagine.tif: writer, page, line, word, text; the text may have a hyphen."""
    images(tmp_path, '0052/0052-1-0-0-Imagine.tif', '0052/0052-1-0-1-a.tif', '0053/0053-2-3-11-well-known.tif', '0053/0053-2.tif')
    pattern, errors = r'(?P<writer>\d{4})-\d+-\d+-\d+-(?P<text>.+)', []
    assert read(tmp_path, name_pattern=pattern, refuse=errors.append) == [
        ('0052/0052-1-0-0-Imagine.tif', 'Imagine', '0052'), ('0052/0052-1-0-1-a.tif', 'a', '0052'),
        ('0053/0053-2-3-11-well-known.tif', 'well-known', '0053')]
    assert len(errors) == 1 and '0053-2.tif: the name does not match (?P<writer>' in str(errors[0])
    for pattern, message in (('(', 'expected a regular expression'), ('a+', r'no group \(\?P<writer>...\) or \(\?P<text>...\)')):
        with pytest.raises(ValueError, match=message):
            read(tmp_path, name_pattern=pattern)


def test_the_table_knows_better_than_the_name(tmp_path):
    table(tmp_path, 'x1-a.png\t天\nx1-b.png\t地\tberta\n/elsewhere/x2-c.png\t玄\n')
    assert [(r.text, r.writer) for r in folder.read_folder(tmp_path, name_pattern='(?P<writer>[^-]+)-.*')] == [
        ('天', 'x1'), ('地', 'berta'), ('玄', 'x2')]
    assert [r.writer for r in folder.read_folder(tmp_path)] == ['', 'berta', '/elsewhere']
