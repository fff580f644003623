"""A folder of images with a table of labels."""

import pytest
from PIL import Image

from hwgen.data.formats import folder


def table(tmp_path, text, name='labels.tsv'):
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def test_rows_and_writers(tmp_path):
    table(
        tmp_path, '\ufeff# the lines\na.png\t天地\r\n\nanna/b.png\t玄 黄\nanna/c.png\t宇\tberta\n#d.png\t宙\n'
    )
    rows = list(folder.read_folder(tmp_path))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in rows] == [
        ('a.png', '天地', '', 2),
        ('anna/b.png', '玄 黄', 'anna', 4),
        ('anna/c.png', '宇', 'berta', 5),
        ('#d.png', '宙', '', 6),
    ]


def test_table_elsewhere(tmp_path):
    (tmp_path / 'images').mkdir()
    table(tmp_path, 'x.png\t一', 'label.txt')
    (row,) = folder.read_folder(tmp_path / 'images', labels=tmp_path / 'label.txt')
    assert row.path == tmp_path / 'images' / 'x.png'


@pytest.mark.parametrize(
    'text, message',
    [
        ('a.png\t一\nb.png', 'labels.tsv, row 2: 1 columns, expected path TAB text'),
        ('a.png\t一\t二\t三', 'row 1: 4 columns'),
        ('\t一', 'row 1: 2 columns, expected path'),
    ],
)
def test_rows_of_another_shape(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        list(folder.read_folder(table(tmp_path, text)))


def test_what_is_missing(tmp_path):
    with pytest.raises(
        FileNotFoundError, match='nowhere: no such folder; expected one with images and labels.tsv'
    ):
        list(folder.read_folder('nowhere'))
    with pytest.raises(FileNotFoundError, match='label.txt: no such file; expected rows "path TAB text"'):
        list(folder.read_folder(tmp_path, labels='label.txt'))
    (tmp_path / 'labels.tsv').write_bytes('a.png\t天'.encode('gb18030'))
    with pytest.raises(ValueError, match='labels.tsv, byte 6: no UTF-8'):
        list(folder.read_folder(tmp_path))


def test_images_without_a_table(tmp_path):
    """In the order of their paths; the sub-folder is the writer; other files and hidden ones are no
    images.
    """
    for name in (
        'b.PNG',
        'anna/2.jpg',
        'anna/10.jpg',
        'anna/deep/x.tif',
        'a.png',
        '.cache/y.png',
        '.z.png',
        'labels.tsv',
        'notes.txt',
        'gif',
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'folder.png').mkdir()
    found = list(folder.list_images(tmp_path))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in found] == [
        ('a.png', '', '', 1),
        ('anna/10.jpg', '', 'anna', 2),
        ('anna/2.jpg', '', 'anna', 3),
        ('anna/deep/x.tif', '', 'anna/deep', 4),
        ('b.PNG', '', '', 5),
    ]
    with pytest.raises(FileNotFoundError, match='nowhere: no such folder; expected one with images'):
        list(folder.list_images('nowhere'))
    with pytest.raises(FileNotFoundError, match='folder.png: no image in it; expected PNG, JPEG, '):
        list(folder.list_images(tmp_path / 'folder.png'))


def test_json_lines(tmp_path):
    table(
        tmp_path,
        '{"path": "a.png", "text": "天\\t地"}\n\n{"file_name": "anna/b.png", "label": 7}\n'
        '{"image": "c.png", "text": "宇", "writer": "berta"}\n',
        'labels.jsonl',
    )
    rows = list(folder.read_folder(tmp_path, labels='labels.jsonl'))
    assert [(r.path.relative_to(tmp_path).as_posix(), r.text, r.writer, r.row) for r in rows] == [
        ('a.png', '天\t地', '', 1),
        ('anna/b.png', '7', 'anna', 3),
        ('c.png', '宇', 'berta', 4),
    ]
    for row in (
        '{"path": "a.png"}',
        '{"path": "a.png", "text": "\\ud800"}',
        '{"path": "a.png", "text": "x", "writer": "\\ud800"}',
        '["a.png", "x"]',
        '{"path": ["a"], "text": "x"}',
        'a.png\tx',
        '[' * 100000,
    ):
        with pytest.raises(
            ValueError, match=r'labels.jsonl, row 1: .*, expected \{"path": "...", "text": "..."\}'
        ):
            list(folder.read_folder(table(tmp_path, row, 'labels.jsonl'), labels='labels.jsonl'))


def images(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('L', (3, 2), 'white').save(tmp_path / name)


def read(path, **settings):
    return [
        (r.path.relative_to(path).as_posix(), r.text, r.writer) for r in folder.read_folder(path, **settings)
    ]


def test_rimes_words_have_a_space_between_name_and_text(tmp_path):
    """As its public readers split groundtruth_training_icdar2011.txt, which lies beside the folder
    training_WR; a byte order mark before it.
    """
    (tmp_path / 'training_WR').mkdir()
    table(
        tmp_path,
        '\ufefflot_2/lot_2_0.tiff monsieur\r\nlot_2/lot_2_1.tiff je vous\r\n',
        'groundtruth_training_icdar2011.txt',
    )
    assert read(tmp_path / 'training_WR', labels='../groundtruth_training_icdar2011.txt') == [
        ('lot_2/lot_2_0.tiff', 'monsieur', 'lot_2'),
        ('lot_2/lot_2_1.tiff', 'je vous', 'lot_2'),
    ]


def test_rimes_lines_have_a_text_file_each(tmp_path):
    """RIMES-2011-Lines: Images/train2011-0_000001.jpg, Transcriptions/train2011-0_000001.txt; a letter is
    one hand.
    """
    images(tmp_path, *(f'Images/train2011-{n}.jpg' for n in ('0_000001', '0_000002', '1_000001')))
    (tmp_path / 'Transcriptions').mkdir()
    for name, text in (('train2011-0_000001', 'Madame,'), ('train2011-0_000002', 'je vous\n')):
        (tmp_path / 'Transcriptions' / f'{name}.txt').write_text(text)
    errors = []
    assert read(
        tmp_path / 'Images',
        labels='../Transcriptions',
        name_pattern=r'(?P<writer>.+)_\d+',
        refuse=errors.append,
    ) == [
        ('train2011-0_000001.jpg', 'Madame,', 'train2011-0'),
        ('train2011-0_000002.jpg', 'je vous', 'train2011-0'),
    ]
    assert len(errors) == 1 and 'train2011-1_000001.jpg: no train2011-1_000001.txt in ' in str(errors[0])
    with pytest.raises(ValueError, match='no train2011-1_000001.txt in .*expected its text'):
        read(tmp_path / 'Images', labels='../Transcriptions')
    (tmp_path / 'Images' / 'train2011-1_000001.gt.txt').write_text('beside')
    found = list(folder.read_folder(tmp_path / 'Images', labels='.', refuse=errors.append))
    assert [(r.path.name, r.text, r.writer, r.row) for r in found] == [
        ('train2011-1_000001.jpg', 'beside', '', 3)
    ]


def test_cvl_words_have_their_text_in_the_name(tmp_path):
    """words/0052/0052-1-0-0-Imagine.tif: writer, page, line, word, text; the text may have a hyphen."""
    images(
        tmp_path,
        '0052/0052-1-0-0-Imagine.tif',
        '0052/0052-1-0-1-a.tif',
        '0053/0053-2-3-11-well-known.tif',
        '0053/0053-2.tif',
    )
    pattern, errors = r'(?P<writer>\d{4})-\d+-\d+-\d+-(?P<text>.+)', []
    assert read(tmp_path, name_pattern=pattern, refuse=errors.append) == [
        ('0052/0052-1-0-0-Imagine.tif', 'Imagine', '0052'),
        ('0052/0052-1-0-1-a.tif', 'a', '0052'),
        ('0053/0053-2-3-11-well-known.tif', 'well-known', '0053'),
    ]
    assert len(errors) == 1 and '0053-2.tif: the name does not match (?P<writer>' in str(errors[0])
    for pattern, message in (
        ('(', 'expected a regular expression'),
        ('a+', r'no group \(\?P<writer>...\) or \(\?P<text>...\)'),
    ):
        with pytest.raises(ValueError, match=message):
            read(tmp_path, name_pattern=pattern)


def test_the_table_knows_better_than_the_name(tmp_path):
    table(tmp_path, 'x1-a.png\t天\nx1-b.png\t地\tberta\n/elsewhere/x2-c.png\t玄\n')
    assert [
        (r.text, r.writer) for r in folder.read_folder(tmp_path, name_pattern='(?P<writer>[^-]+)-.*')
    ] == [('天', 'x1'), ('地', 'berta'), ('玄', 'x2')]
    assert [r.writer for r in folder.read_folder(tmp_path)] == ['', 'berta', '/elsewhere']


def test_pictures_that_are_passed_over_are_named(tmp_path):
    """A table may name any picture that is read; a walk finds the same formats, and names what looks like
    a picture and is none of them.
    """
    images(tmp_path, 'a.png', 'b.jp2', 'c.jfif', 'd.ppm', 'e.avif', 'f.J2K', 'g.pbm', 'h.webp')
    (tmp_path / 'scan').write_bytes((tmp_path / 'h.webp').read_bytes())
    for name, content in (
        ('IMG_1.HEIC', b'?'),
        ('page.pdf', b'%PDF'),
        ('notes', b'BM and P5'),
        ('notes.txt', b'x'),
        ('.hidden.heic', b'x'),
    ):
        (tmp_path / name).write_bytes(content)
    said = []
    found = [row.path.name for row in folder.list_images(tmp_path, report=said.append)]
    assert found == ['a.png', 'b.jp2', 'c.jfif', 'd.ppm', 'e.avif', 'f.J2K', 'g.pbm', 'h.webp']
    (line,) = said
    assert (
        'passed over 3 files that look like pictures: IMG_1.HEIC (HEIC is not read), page.pdf (PDF is not'
        ' read), scan (WebP without its suffix); ' in line
    )
    for settings in ({'labels': '.'}, {'name_pattern': '(?P<text>.+)'}):
        said.clear()
        list(folder.read_folder(tmp_path, refuse=lambda error: None, report=said.append, **settings))
        assert len(said) == 1 and 'passed over 3 files' in said[0]
    for name in found:
        (tmp_path / name).unlink()
    with pytest.raises(
        FileNotFoundError, match='no image in it; passed over 3 files that look like pictures: IMG_1.HEIC'
    ):
        list(folder.list_images(tmp_path))


def test_names_from_the_root_on_have_no_other_writers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'tab' / 'anna').mkdir(parents=True)
    table(
        tmp_path / 'tab',
        f'{tmp_path}/tab/a.png\t天\n{tmp_path}/tab/anna/b.png\t地\nanna/c.png\t玄\n{tmp_path}/else/d.png\t黄\n',
    )
    assert [row.writer for row in folder.read_folder('tab')] == ['', 'anna', 'anna', f'{tmp_path}/else']
