"""Tables of labels row by row: every name of a column, every suffix, where a rule begins to hold; folders
of text files and names.
"""

import json

import pytest
from PIL import Image

from hwgen.data.formats import folder
from hwgen.data.formats.label_table import Row, read_table
from hwgen.data.formats.label_text import row_of_table, text_problem
from hwgen.data.formats.samples import FormatError

SUFFIXES = 'png jpg jpeg jfif jp2 tif tiff bmp gif webp pbm pgm pnm ppm avif PNG Jpg'.split()


def rows(tmp_path, text, name='labels.txt', **settings):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return [tuple(row) for row in read_table(tmp_path / name, **settings)]


def refusal(tmp_path, text, name='labels.txt'):
    with pytest.raises(FormatError) as caught:
        rows(tmp_path, text, name)
    assert caught.value.reason == 'table'
    return str(caught.value).removeprefix(f'{tmp_path}/{name}')


@pytest.mark.parametrize(
    'role, names',
    [
        ('path', 'path file_name filename image img image_path img_path image_name file'),
        ('text', 'text label words word transcription'),
        ('writer', 'writer writer_id'),
    ],
)
def test_names_of_columns(tmp_path, role, names):
    """In a first row and in objects; of two names of one thing the one that stands first in the list
    counts.
    """
    names = names.split()
    for number, name in enumerate(names):
        values = {'path': 'a.png', 'text': '天', 'writer': 'anna'}
        value = values.pop(role)
        for first in (name, name.upper()):
            table = '\t'.join(['other', *values, first]) + '\n' + '\t'.join(['7', *values.values(), value])
            assert rows(tmp_path, table) == [(2, 'a.png', '天', 'anna')], first
        assert rows(tmp_path, json.dumps({**values, name: value}), 'labels.jsonl') == [
            (1, 'a.png', '天', 'anna')
        ]
        if number:
            table = (
                '\t'.join([*values, name, names[number - 1]])
                + '\n'
                + '\t'.join([*values.values(), 'wrong', value])
            )
            assert rows(tmp_path, table) == [(2, 'a.png', '天', 'anna')]
            assert rows(
                tmp_path, json.dumps({name: 'wrong', **values, names[number - 1]: value}), 'labels.jsonl'
            ) == [(1, 'a.png', '天', 'anna')]
    other = '\t'.join(['path', 'text', 'writer']).replace(role, 'owner')
    # no row of names where one of the two is missing
    assert rows(tmp_path, f'{other}\nb.png\t地\tx\n')[0][0] == (2 if role == 'writer' else 1)


@pytest.mark.parametrize('suffix', SUFFIXES)
def test_suffixes_of_pictures(tmp_path, suffix):
    assert refusal(tmp_path, f'a.{suffix}\\t天').startswith(
        ', row 1: a backslash and a t (\\t) stand between path and text, expected a TAB'
    )
    assert refusal(tmp_path, f'a.png b.{suffix}').startswith(
        ', row 1: two names of pictures, expected path TAB text (TAB writer)'
    )
    assert (
        row_of_table(f'in/a b.{suffix}\t天')
        == row_of_table(f'a.{suffix}\\t天')
        == 'a row of a table of labels, a picture and its text; expected the text alone'
    )


def test_what_is_no_row_of_a_table():
    for text in ('a.png', 'a.png 天', 'a.xyz\t天', '见\ta.png\t天', 'a.png, "天', 'png\t天', 'apng\t天', ''):
        assert row_of_table(text) is None, text
    assert row_of_table('a.png, "天"') and row_of_table('word_1.xyz,"天, "地" " ')


def test_rows_separated_by_a_space(tmp_path):
    assert rows(tmp_path, 'a.png 天 地\nb.pngx c.png\nd.png  two\ne.png see f.png\n') == [
        (1, 'a.png', '天 地', ''),
        (2, 'b.pngx', 'c.png', ''),
        (3, 'd.png', 'two', ''),
        (4, 'e.png', 'see f.png', ''),
    ]
    assert rows(tmp_path, 'a.png \\today\nb.png \\tau\\t\n') == [
        (1, 'a.png', '\\today', ''),
        (2, 'b.png', '\\tau\\t', ''),
    ]
    assert 'a backslash and a t' in refusal(tmp_path, 'a.png \\t1') and 'a backslash and a t' in refusal(
        tmp_path, 'a b.png\\today'
    )


def test_comments_and_empty_rows(tmp_path):
    """Without a TAB # makes a comment; in a table by commas without a comma, and before the row of names."""
    assert rows(tmp_path, '#a\n\n#b.png\t天\n  \t \n# path\nc.png\t地\n') == [
        (3, '#b.png', '天', ''),
        (6, 'c.png', '地', ''),
    ]
    assert rows(tmp_path, '# made by me\n#path\ttext\n#b.png\t天\n') == [(3, '#b.png', '天', '')]
    assert rows(tmp_path, '# by me, today\n\n# filename,words\na.png,天\n#none\n#b.png,地\n', 'x.csv') == [
        (4, 'a.png', '天', ''),
        (6, '#b.png', '地', ''),
    ]
    assert rows(tmp_path, '# by me\na.png,天\n#b.png,地\n', 'x.csv') == [
        (2, 'a.png', '天', ''),
        (3, '#b.png', '地', ''),
    ]
    assert (
        rows(tmp_path, '')
        == rows(tmp_path, '\n# no\n')
        == rows(tmp_path, '', 'x.csv')
        == rows(tmp_path, 'path,text\n')
        == []
    )


def test_a_row_of_names_is_one_once(tmp_path):
    assert rows(tmp_path, 'path\ttext\nfile\tword\n') == [(2, 'file', 'word', '')]
    assert rows(tmp_path, 'path;text\nfile;word\n') == [(2, 'file', 'word', '')]
    assert rows(tmp_path, 'file;word;writer\na.png;天;\n') == [(2, 'a.png', '天', '')]


def test_fields_that_a_row_has_too_many_or_too_few_of(tmp_path):
    assert rows(tmp_path, 'path\ttext\twriter\na.png\t天\nb.png\t地\tanna\t \t\nc.png\t\n') == [
        (2, 'a.png', '天', ''),
        (3, 'b.png', '地', 'anna'),
        (4, 'c.png', '', ''),
    ]
    for row, message in (
        ('a.png\t天\tanna\tx', '4 columns, expected the 3 of the first row (a TAB inside the text?)'),
        ('\t天', '2 columns, expected path and text as columns 1 and 2'),
        ('a.png', '1 columns, expected path and text as columns 1 and 2'),
    ):
        assert refusal(tmp_path, f'path\ttext\twriter\n{row}').startswith(f', row 2: {message}; the row: ')
    assert refusal(tmp_path, 'text,x,path\n"a","b"').startswith(
        ', row 2: 2 columns, expected path and text as columns 3 and 1; the row: '
    )
    assert refusal(tmp_path, 'text,path\n"a","b","c"').startswith(
        ', row 2: 3 columns, expected the 2 of the first row (a delimiter inside the text?); the row: '
    )
    # the text is not the last column
    assert refusal(tmp_path, 'text,path\na,b,c').startswith(', row 2: 3 columns')
    assert rows(tmp_path, 'id,path,text\n7,a.png,b, c,d\n8,"b.png",e\n') == [
        (2, 'a.png', 'b, c,d', ''),
        (3, 'b.png', 'e', ''),
    ]
    for row, message in (('a.png\t天\tx\ty', '4 columns'), ('\t天', '2 columns'), ('a.png', '1 columns')):
        assert (
            refusal(tmp_path, row)
            == f', row 1: {message}, expected path TAB text (TAB writer); the row: {row!r}'
        )


def test_quotes_over_rows(tmp_path):
    """Empty rows and the end of a quote belong to it; another row does not."""
    assert rows(tmp_path, 'a.png,"天\n\n"\nb.png,"地 ""x"" "\n', 'x.csv') == [
        (1, 'a.png', '天', ''),
        (4, 'b.png', '地 "x"', ''),
    ]
    assert rows(tmp_path, '"a.png", "天", "anna"\n', 'x.csv') == [(1, 'a.png', '天', 'anna')]
    assert refusal(tmp_path, 'a.png,"天\nb.png,"地"\n', 'x.csv').startswith(
        ", row 1: a quote that is not closed, expected its end in the same row; the row: 'a.png,\"天'"
    )
    assert refusal(tmp_path, 'a.png,"天\n\n', 'x.csv').startswith(', row 1: a quote that is not closed')
    assert refusal(tmp_path, 'a.png,"天"x,y\n', 'x.csv').startswith(
        ", row 1: ',' expected after '\"'; a quote inside a quoted field is written twice"
    )


@pytest.mark.parametrize(
    'row, fits',
    [
        ('{"path": "a", "text": 7, "writer": 8}', True),
        ('{"path": " a ", "text": " 7 ", "writer": " 8"}', True),
        ('{"path": "", "text": "7"}', False),
        ('{"path": "a", "text": null}', False),
        ('{"path": "a", "text": 1.5}', False),
        ('{"path": "a", "text": "7", "writer": [8]}', False),
        ('{}', False),
        ('{"text": "7"}', False),
        ('7', False),
        ('{"path": "a", "text": "7"', False),
    ],
)
def test_objects(tmp_path, row, fits):
    if fits:
        assert rows(tmp_path, row, 'x.jsonl') == [(1, 'a', '7', '8')] == rows(tmp_path, f'[{row}]', 'x.json')
        return
    assert refusal(tmp_path, row, 'x.jsonl') == f', row 1: {row!r}, expected {{"path": "...", "text": "..."}}'


def test_objects_of_one_file(tmp_path):
    assert rows(tmp_path, '{"path": "a", "text": "7", "writer": null}', 'x.jsonl') == [(1, 'a', '7', '')]
    objects = [
        {'img_path': 'a', 'instances': [{'text': '天'}]},
        {'img_path': 'b', 'anno_info': [{'text': '地', 'writer': 'w'}], 'text': 'x'},
        {'img_path': 'c', 'text': '玄'},
    ]
    expected = [(1, 'a', '天', ''), (2, 'b', '地', 'w'), (3, 'c', '玄', '')]
    assert (
        rows(tmp_path, json.dumps(objects), 'x.JSON')
        == rows(tmp_path, json.dumps({'data_list': objects}), 'x.json')
        == expected
    )
    both = [{'img_path': 'a', 'anno_info': [{'text': 'old'}], 'instances': [{'text': 'new'}]}]
    assert rows(tmp_path, json.dumps(both), 'x.json') == [(1, 'a', 'new', '')]
    for inner, count in (([], 0), ([{}, {}, {}], 3), ({'text': 'x'}, 0), ('x', 0)):
        assert refusal(tmp_path, json.dumps([{'img_path': 'a', 'instances': inner}]), 'x.json').startswith(
            f', row 1: {count} texts of a picture, expected 1 (labels of recognition, not of detection); the'
            ' row: '
        )
    assert refusal(tmp_path, json.dumps([{'img_path': 'a', 'instances': ['x']}]), 'x.json').startswith(
        ', row 1: 1 texts of a picture'
    )
    assert refusal(tmp_path, '[{"path": "a", "text": "x"}, 7]', 'x.json').startswith(
        ", row 2: '7', expected "
    )
    for text in ('7', '"x"', '{"data_list": {}}'):
        assert (
            refusal(tmp_path, text, 'x.json')
            == ': expected data_list, or a list of {"path": "...", "text": "..."}; JSON Lines are named'
            ' *.jsonl'
        )


def test_lists_of_pictures(tmp_path):
    assert rows(tmp_path, '["a.png", " b.png "]\t天\n["c.png", 7]\t地\n[]\t玄\n["d.png", ""]\t黄\n') == [
        (1, 'a.png', '天', ''),
        (1, 'b.png', '天', ''),
        (2, '["c.png", 7]', '地', ''),
        (3, '[]', '玄', ''),
        (4, '["d.png", ""]', '黄', ''),
    ]


@pytest.mark.parametrize(
    'text, problem',
    [
        ('\\t天', 'the text begins with a backslash and a t'),
        ('\\t', 'the text begins with a backslash and a t'),
        ('\\tau', None),
        ('天\\t地', None),
        ('1,2,3,4,5,6,7,8,天', 'the text begins with eight coordinates'),
        (' 1 , -2,3.5,4,5,6,7,8, 天', 'the text begins with eight coordinates'),
        ('1,2,3,4,5,6,7,天', None),
        ('1,2,3,4,5,6,7,8', None),
        ('1,2,3,4,5,6,7,8,', None),
        ('1 2 3 4 5 6 7 8 天', None),
        ('天\\u5929', 'the text has \\u5929 in place'),
        ('\\u592', None),
        ('&#22825;', 'the text has &#22825; in place'),
        ('a&#x5929;', 'the text has &#x5929; in place'),
        ('&#x;', None),
        *(
            (f'a{name}b', f'the text has {name} in place')
            for name in ('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&nbsp;')
        ),
        ('&copy;', None),
        ('&amp', None),
        ('A&B;', None),
        ('[{"transcription": "x"}]', 'the text is JSON with a transcription'),
        ('{"transcription": "x"}', 'the text is JSON with a transcription'),
        ("[{'transcription': 'x'", 'the text is JSON with a transcription'),
        ('[ { "transcription"', 'the text is JSON with a transcription'),
        ('["x"]', 'the text is JSON, expected'),
        ('[["x"]]', 'the text is JSON, expected'),
        ('[1, "x"]', 'the text is JSON, expected'),
        ('{"a": 1}', 'the text is JSON, expected'),
        ('[1, 2]', None),
        ('[]', None),
        ('{}', None),
        ('[[]]', None),
        ('[x]', None),
        ('{x}', None),
        ('[' * 99999, None),
        ('"x"', None),
        ('x [{"transcription"', None),
        ('', None),
    ],
)
def test_what_a_text_is_in_place_of_one(text, problem):
    found = text_problem(text)
    assert found is None if problem is None else found.startswith(problem)


def test_when_a_third_column_is_said_to_be_no_writer(tmp_path):
    """Three rows and more than nine tenths of them with another one each."""
    for others, again, told in ((2, 0, False), (3, 0, True), (9, 1, False), (19, 1, True), (10, 1, True)):
        said, names = [], [f'w{i}' for i in range(others)] + ['w0'] * again
        found = rows(
            tmp_path, ''.join(f'{i}.png\t天\t{name}\n' for i, name in enumerate(names)), report=said.append
        )
        assert [row[3] for row in found] == names and len(said) == told, (others, again)
    assert said == [
        f"{tmp_path}/labels.txt: the third column is taken for the writer, and 11 rows have 10 of them ('w0'"
        ' in row 1): is it one, or the rest of a text with a TAB in it? (a first row "path TAB text TAB'
        ' writer" says that it is)'
    ]
    said.clear()
    assert (
        len(
            rows(
                tmp_path,
                '{"path": "a", "text": "天", "writer": "1"}\n{"path": "b", "text": "天", "writer":'
                ' "2"}\n{"path": "c", "text": "天", "writer": "3"}',
                'x.jsonl',
                report=said.append,
            )
        )
        == 3
        and said == []
    )


def test_which_third_columns_are_the_rest_of_a_text(tmp_path):
    """Where rows have no third column: all but names in Latin letters behind a text in others."""
    table = 'a.png\t天\nb.png\t地\tanna-1.b_c\nc.png\t玄\t王\nd.png\tabc\tberta\ne.png\t黄\tcarl the great\n'
    refused, said = [], []
    assert rows(tmp_path, table, refuse=refused.append, report=said.append) == [
        (1, 'a.png', '天', ''),
        (2, 'b.png', '地', 'anna-1.b_c'),
    ]
    assert [
        str(error).partition('; the row: ')[0].removeprefix(f'{tmp_path}/labels.txt, ') for error in refused
    ] == [
        f'row {row}: 3 columns, 1 other rows have 2: a TAB inside the text? As a writer expected in every'
        ' row, or a first row "path TAB text TAB writer" says that it is'
        for row in (3, 4, 5)
    ] and len(said) == 1


def test_an_empty_third_column_is_one(tmp_path):
    assert rows(tmp_path, 'a.png\thi\t\nb.png\thello\tworld\n') == [
        (1, 'a.png', 'hi', ''),
        (2, 'b.png', 'hello', 'world'),
    ]


def test_what_kind_of_table(tmp_path):
    assert (
        rows(tmp_path, 'a.png;天\n', 'x.CSV')
        == [(1, 'a.png', '天', '')]
        == rows(tmp_path, 'a.png\t天\n', 'x.csv')
    )
    # the comma before the semicolon
    assert rows(tmp_path, 'a.png,天;地\n', 'x.csv') == [(1, 'a.png', '天;地', '')]
    assert rows(tmp_path, 'path,text\n', 'x.jsonl', refuse=lambda error: None) == []
    assert rows(tmp_path, '{"path": "a", "text": "b"}', 'x.JSONL') == [(1, 'a', 'b', '')]
    assert rows(tmp_path, ' {"path": "a", "text": "b"}\nc.png\t天\n') == [
        (1, 'a', 'b', ''),
        (2, 'c.png', '天', ''),
    ]
    assert list(read_table(tmp_path / 'x.csv')) == [Row(1, 'a.png', '天;地', '')]
    with pytest.raises(FormatError) as caught:
        rows(tmp_path, b'a.png\t\xe5\xa4\xa9\nb\xff')
    assert (
        str(caught.value) == f'{tmp_path}/labels.txt, byte 11: no UTF-8; convert it to that'
        and caught.value.reason == 'text'
    )


# ---- folders


def pictures(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('L', (3, 2), 'white').save(tmp_path / name)


def read(path, **settings):
    return [
        (r.path.relative_to(path).as_posix(), r.text, r.writer, r.row)
        for r in folder.read_folder(path, **settings)
    ]


def test_text_files_of_pictures(tmp_path):
    """a.txt before a.gt.txt, in the sub-folder of the same name; a text is checked like that of a table."""
    pictures(tmp_path, 'in/a.png', 'in/anna/b.v2.png', 'in/anna/c.png', 'in/d.png')
    for name, text in (
        ('a.txt', '\ufeff 天 \n'),
        ('a.gt.txt', 'wrong'),
        ('anna/b.v2.gt.txt', '地'),
        ('anna/b.txt', 'wrong'),
        ('c.txt', 'wrong'),
        ('d.txt', '["x"]'),
    ):
        (tmp_path / 'texts' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'texts' / name).write_text(text)
    errors = []
    assert read(tmp_path / 'in', labels='../texts', refuse=errors.append) == [
        ('a.png', '天', '', 1),
        ('anna/b.v2.png', '地', 'anna', 2),
    ]
    assert [error.reason for error in errors] == ['table', 'table']
    assert (
        str(errors[0])
        == f'{tmp_path}/in/anna/c.png: no c.txt in {tmp_path}/in/../texts/anna, expected its text'
    )
    assert str(errors[1]).startswith(f'{tmp_path}/in/../texts/d.txt: the text is JSON, expected') and str(
        errors[1]
    ).endswith('; the text: \'["x"]\'')


def test_names_that_tell(tmp_path):
    pictures(tmp_path, 'x/1-a-天.png', 'x/2-b-.png', 'y.png')
    pattern = r'\d-(?P<writer>\w)-(?P<text>.*)'
    errors = []
    assert read(tmp_path, name_pattern=pattern, refuse=errors.append) == [
        ('x/1-a-天.png', '天', 'a', 1),
        ('x/2-b-.png', '', 'b', 2),
    ]
    assert (
        str(errors[0]) == f'{tmp_path}/y.png: the name does not match {pattern}, expected it to'
        and errors[0].reason == 'name'
    )
    pictures(tmp_path, 'z/A\nb.png')
    assert (
        read(tmp_path / 'z', name_pattern='(?P<text>A.+)') == [('A\nb.png', 'A\nb', '', 1)]
        and read(tmp_path / 'z', name_pattern='(?P<text>a.+)', refuse=errors.append) == []
    )
    (tmp_path / 'labels.tsv').write_text('y.png\t玄\nx/1-a-天.png\t地\n')
    assert read(tmp_path, name_pattern=r'(\d-(?P<writer>\w)-)?.*') == [
        ('y.png', '玄', '', 1),
        ('x/1-a-天.png', '地', 'a', 2),
    ]


def test_a_name_with_a_backslash_is_its_own_where_it_is_there(tmp_path):
    for name in ('x/y.png', 'x\\y.png', 'x/z.png'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / 'labels.tsv').write_text('x\\y.png\t天\nx\\z.png\t地\nx/y.png\t玄\n')
    assert [(name, writer) for name, _, writer, _ in read(tmp_path)] == [
        ('x\\y.png', ''),
        ('x/z.png', 'x'),
        ('x/y.png', 'x'),
    ]


def test_at_most_ten_that_are_passed_over_are_named(tmp_path):
    pictures(tmp_path, 'a.png')
    for count, told in (
        (1, '1 file that looks like a picture: 00.pdf (PDF is not read); expected PNG, JPEG, '),
        (
            10,
            '10 files that look like pictures: '
            + ', '.join(f'{i:02d}.pdf (PDF is not read)' for i in range(10))
            + '; expected PNG',
        ),
        (
            11,
            '11 files that look like pictures: '
            + ', '.join(f'{i:02d}.pdf (PDF is not read)' for i in range(10))
            + ' ...; expected PNG',
        ),
    ):
        for i in range(count):
            (tmp_path / f'{i:02d}.pdf').touch()
        said = []
        assert len(list(folder.list_images(tmp_path, report=said.append))) == 1 and len(said) == 1
        assert said[0].startswith(f'{tmp_path}: passed over {told}') and said[0].endswith(
            ' with their suffixes'
        )
    assert len(list(folder.list_images(tmp_path))) == 1


def test_paths_outside_the_folder(tmp_path):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'labels.tsv').write_text(
        f'{tmp_path}/in/anna/a.png\t天\nb/c.png\t地\n/else/d.png\t玄\n'
    )
    assert [(str(row.path), row.writer) for row in folder.read_folder(tmp_path / 'in')] == [
        (f'{tmp_path}/in/anna/a.png', 'anna'),
        (f'{tmp_path}/in/b/c.png', 'b'),
        ('/else/d.png', '/else'),
    ]
