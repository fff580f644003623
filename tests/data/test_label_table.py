"""Tables of labels in the forms that trainers of OCR have, and what only looks like one."""

import json
import os
import re

import pytest

from hwgen.data.formats import folder
from hwgen.data.formats.label_table import read_table
from hwgen.data.formats.samples import FormatError


def rows(tmp_path, text, name='labels.txt', **settings):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(row.number, row.name, row.text, row.writer) for row in read_table(tmp_path / name, **settings)]


@pytest.mark.parametrize(
    'name, text, expected',
    [
        (
            'rec_gt.txt',
            '["11.jpg", "12.jpg"]\t天地\n[1].jpg\t玄\n',
            [(1, '11.jpg', '天地', ''), (1, '12.jpg', '天地', ''), (2, '[1].jpg', '玄', '')],
        ),
        (
            'gt.txt',
            '\ufeffword_1.png, "PROPER"\r\nword_2.png, "a \\"b\\" \\\\ c, d"\r\n',
            [(1, 'word_1.png', 'PROPER', ''), (2, 'word_2.png', 'a "b" \\ c, d', '')],
        ),
        (
            'labels.csv',
            'filename,words\na.png,"你好, ""世界"""\nb.png,one, two\n',
            [(2, 'a.png', '你好, "世界"', ''), (3, 'b.png', 'one, two', '')],
        ),
        ('labels.txt', 'words,id,file_name\n"x, y",7,a.png\n', [(2, 'a.png', 'x, y', '')]),
        (
            'labels.csv',
            'a.png, "天, 地"\r\nb.png,"玄\n"\nc.png,黄"\n',
            [(1, 'a.png', '天, 地', ''), (2, 'b.png', '玄', ''), (4, 'c.png', '黄"', '')],
        ),
        ('labels.csv', 'a.png,天\nb.png,地\n', [(1, 'a.png', '天', ''), (2, 'b.png', '地', '')]),
        ('labels.csv', 'path;text;writer\na.png;天;w\n', [(2, 'a.png', '天', 'w')]),
        ('labels.csv', 'a.png\t天, 地\n', [(1, 'a.png', '天, 地', '')]),
        (
            'labels.tsv',
            '# lines\npath\ttext\tscore\na.png\t天\t.9\nb.png\t地\n',
            [(3, 'a.png', '天', ''), (4, 'b.png', '地', '')],
        ),
        (
            'labels.tsv',
            'Writer\tPath\tText\nanna\ta.png\t天\nberta\tb.png\t地\n',
            [(2, 'a.png', '天', 'anna'), (3, 'b.png', '地', 'berta')],
        ),
        (
            'label.jsonl',
            '{"filename": "a.png", "text": "天"}\n{"img_path": "b.png", "label": 7, "writer": "w"}\n',
            [(1, 'a.png', '天', ''), (2, 'b.png', '7', 'w')],
        ),
        ('label.txt', '{"filename": "a.png", "text": "天"}\n', [(1, 'a.png', '天', '')]),
        (
            'train.json',
            json.dumps({'metainfo': {}, 'data_list': [{'img_path': 'a.png', 'instances': [{'text': '天'}]}]}),
            [(1, 'a.png', '天', '')],
        ),
        (
            'train.json',
            json.dumps(
                [{'file_name': 'a.png', 'anno_info': [{'text': '天'}]}, {'filename': 'b.png', 'text': '地'}]
            ),
            [(1, 'a.png', '天', ''), (2, 'b.png', '地', '')],
        ),
        ('labels.tsv', 'a.png\t天\r\rb.png\t地\r', [(1, 'a.png', '天', ''), (3, 'b.png', '地', '')]),
        (
            'labels.txt',
            'a.png C:\\temp\nb.png \\textbf\nimages\\test.png\t天\nc.png\t[1]\nd.png\t[注]\n',
            [
                (1, 'a.png', 'C:\\temp', ''),
                (2, 'b.png', '\\textbf', ''),
                (3, 'images\\test.png', '天', ''),
                (4, 'c.png', '[1]', ''),
                (5, 'd.png', '[注]', ''),
            ],
        ),
    ],
)
def test_forms(tmp_path, name, text, expected):
    assert rows(tmp_path, text, name) == expected


BOXES = [{'transcription': '明天', 'points': [[1, 1], [9, 1], [9, 9], [1, 9]], 'difficult': False}]


@pytest.mark.parametrize(
    'name, text, message',
    [
        (
            'Label.txt',
            f'a.png\t{json.dumps(BOXES, ensure_ascii=False)}',
            (
                r"row 1: the text is JSON with a transcription.*PPOCRLabel's Label.txt; expected"
                r" .*rec_gt.txt.*; the row: 'a.png"
            ),
        ),
        ('Label.txt', f'a.png\t{BOXES!r}', 'row 1: the text is JSON with a transcription'),
        (
            'label.jsonl',
            json.dumps({'path': 'a.png', 'text': json.dumps(BOXES)}),
            'row 1: the text is JSON with a transcription',
        ),
        ('label.txt', 'a.png\t["明天", "后天"]', 'row 1: the text is JSON, expected the text itself'),
        ('label.txt', 'a.png\t{"text": "明天"}', 'row 1: the text is JSON, expected the text itself'),
        (
            'label.txt',
            'a.png\\t明天',
            (
                r'row 1: a backslash and a t \(\\t\) stand between path and text, expected a TAB; the row:'
                r" 'a.png\\\\t明天'"
            ),
        ),
        ('label.txt', 'a.png \\t 明天', r'row 1: a backslash and a t'),
        ('label.txt', 'a.JPG\\thello', r'row 1: a backslash and a t'),
        ('label.txt', 'a.png\t\\t明天', 'row 1: the text begins with a backslash and a t'),
        (
            'label.txt',
            'b.png\x1b[31m',
            r"row 1: 1 columns, expected path TAB text .*; the row: 'b.png\\x1b\[31m'",
        ),
        ('label.txt', f'b{"x" * 99}.png', r"row 1: 1 columns.*the row: 'bx{59}' \.\.\."),
        ('label.txt', 'a.png,明天', r'1 columns, .*; fields by comma are read from a table named \*.csv'),
        ('label.csv', 'a.png,b.png,c.png,d.png', 'row 1: 4 columns, expected path'),
        ('label.csv', 'path,text\na.png', 'row 2: 1 columns, expected path and text as columns 1 and 2'),
        (
            'label.tsv',
            'path\ttext\na.png\t你好\t世界',
            r'row 2: 3 columns, expected the 2 of the first row \(a TAB inside the text\?\)',
        ),
        (
            'train.json',
            json.dumps({'data_list': [{'img_path': 'a.png', 'instances': [{'text': 'x'}, {'text': 'y'}]}]}),
            'row 1: 2 texts of a picture, expected 1',
        ),
        (
            'train.json',
            '{"path": "a.png", "text": "x"}',
            r'train.json: expected data_list, or a list of .*JSON Lines are named \*.jsonl',
        ),
        ('label.csv', 'a.png,"天', 'row 1: a quote that is not closed'),
        ('label.csv', 'a.png,"天"地"', 'row 1: .*; a quote inside a quoted field is written twice'),
        ('label.txt', 'a.png b.png 天', 'row 1: two names of pictures'),
        (
            'label.txt',
            'a.png\t377,117,463,117,465,130,378,130,明天',
            'row 1: the text begins with eight coordinates: labels of detection',
        ),
        ('label.txt', 'a.png\t\\u660e\\u5929', r'row 1: the text has \\u660e in place of a character'),
        ('label.csv', 'a.png,明&#22825;', 'row 1: the text has &#22825; in place'),
        ('train.json', '{"path"', 'train.json: no JSON'),
    ],
)
def test_what_only_looks_like_one(tmp_path, name, text, message):
    with pytest.raises(FormatError, match=message):
        rows(tmp_path, text, name)


@pytest.mark.parametrize('head, first', [('', 1), ('filename,words\n', 2)])
def test_a_quote_that_is_not_closed_takes_no_other_row_with_it(tmp_path, head, first):
    refused = []
    found = rows(
        tmp_path,
        f'{head}a.png,"明天\nb.png,"好"\n"c.png","天\n"d.png","去"\n',
        'labels.csv',
        refuse=refused.append,
    )
    assert found == [(first + 1, 'b.png', '好', ''), (first + 3, 'd.png', '去', '')]
    assert [re.search(r'row (\d+): ', str(error))[1] for error in refused] == [str(first), str(first + 2)]


def test_a_tab_inside_a_text(tmp_path):
    """A third column in some rows is no writer, unless it comes again; one in every row that never does is
    said.
    """
    refused = []
    assert [
        row[:2] for row in rows(tmp_path, 'a.png\t天\nb.png\t你好\t世界\nc.png\t地\n', refuse=refused.append)
    ] == [(1, 'a.png'), (3, 'c.png')]
    (error,) = refused
    assert (
        'row 2: 3 columns, 2 other rows have 2: a TAB inside the text?' in str(error)
        and error.reason == 'table'
        and "the row: 'b.png\\t你好\\t世界'" in str(error)
    )
    assert rows(tmp_path, 'a.png\t天\t\nb.png\t地\tanna\n')[1][3] == 'anna'  # every row has the column
    # a writer of two rows
    assert rows(tmp_path, 'a.png\t天\nb.png\t地\tanna\nc.png\t玄\tanna\n')[2][3] == 'anna'
    # two of two rows each
    assert [
        row[3]
        for row in rows(tmp_path, 'a.png\t天\nb.png\t地\t安\nc.png\t玄\t安\nd.png\t天\t白\ne.png\t地\t白\n')
    ] == ['', *'安安白白']
    # the first row says so
    assert rows(tmp_path, 'path\ttext\twriter\na.png\t天\nb.png\t地\tanna\n')[1][3] == 'anna'
    said = []
    # a name behind a text in other letters, but it is said
    assert rows(tmp_path, 'a.png\t天\nb.png\t地\tanna\n', report=said.append)[1][3] == 'anna'
    assert (
        len(said) == 1
        and "the third column is taken for the writer, and 1 rows have 1 of them ('anna' in row 2)"
        in said.pop()
    )
    with pytest.raises(FormatError, match='row 2: 3 columns, 1 other rows have 2'):
        rows(tmp_path, 'a.png\thi\nb.png\thello\tworld\n')
    assert len(rows(tmp_path, 'a.png\t明天\t你\nb.png\t后天\t我\nc.png\t去\t她\n', report=said.append)) == 3
    assert (
        len(said) == 1
        and "the third column is taken for the writer, and 3 rows have 3 of them ('你' in row 1)" in said[0]
    )
    rows(tmp_path, ''.join(f'{i}.png\t天\tw{i % 3}\n' for i in range(9)), report=said.append)
    assert len(said) == 1


def test_paths_from_windows(tmp_path):
    (tmp_path / 'anna').mkdir()
    (tmp_path / 'anna' / 'a.png').touch()
    (tmp_path / 'x\\y.png').touch()
    (tmp_path / 'labels.tsv').write_text('anna\\a.png\t天\nx\\y.png\t地\nanna\\none.png\t玄\n')
    found = [(row.path.relative_to(tmp_path).as_posix(), row.writer) for row in folder.read_folder(tmp_path)]
    assert found == [('anna/a.png', 'anna'), ('x\\y.png', ''), ('anna\\none.png', '')]


def test_a_pipe_is_told_that_it_is_none_of_a_table(tmp_path):
    os.mkfifo(tmp_path / 'labels.tsv')
    with pytest.raises(FormatError, match='labels.tsv: no regular file; it is read more than once'):
        list(read_table(tmp_path / 'labels.tsv'))


def test_texts_that_all_stand_in_quotes_are_kept_and_said(tmp_path):
    said = []
    assert [row[2] for row in rows(tmp_path, 'a.png\t"天"\nb.png\t"地"\n', report=said.append)] == [
        '"天"',
        '"地"',
    ]
    assert len(said) == 1 and 'all 2 texts stand in quotation marks' in said[0]
    rows(tmp_path, 'a.png\t"天"\nb.png\t地\n', report=said.append)
    rows(tmp_path, 'a.png\t"天"\n', report=said.append)
    assert len(said) == 1


@pytest.mark.parametrize(
    'text, told',
    [
        ('明天去\\n鱼', 'the text has a line break'),
        ('###', 'stands for what nobody transcribed'),
        ('[UNK]', 'stands for what nobody transcribed'),
        ("('明天', 0.98)", 'what a recogniser read'),
        ('["明天", 9.1e-2]', 'what a recogniser read'),
    ],
)
def test_texts_that_are_none(tmp_path, text, told):
    refused = []
    assert rows(tmp_path, f'a.png\t天\nb.png\t{text}\n', refuse=refused.append) == [(1, 'a.png', '天', '')]
    assert 'row 2' in str(refused[0]) and told in str(refused[0])


def test_texts_that_look_a_little_like_none(tmp_path):
    texts = ['C:\\new', '#', '##', '(天, 地)', '[明天]', "'天', 1", '\\nabla']
    assert [
        row[2] for row in rows(tmp_path, ''.join(f'{i}.png\t{text}\n' for i, text in enumerate(texts)))
    ] == texts


def test_names_that_begin_like_a_comment(tmp_path):
    """A row that starts with # is a comment, but for the name of a picture."""
    assert rows(tmp_path, '# a comment.png of ours\n#1.png 天\n0.png 地\n#2.jpg, "玄"\n#3 黄\n') == [
        (2, '#1.png', '天', ''),
        (3, '0.png', '地', ''),
        (4, '#2.jpg', '玄', ''),
    ]
    assert rows(tmp_path, '#1.png;天\n#2.png;地\n', 'labels.csv') == [
        (1, '#1.png', '天', ''),
        (2, '#2.png', '地', ''),
    ]
