"""Groups and covers of small tables, by hand."""

from hwgen.charset.encoding import Charset

ROWS = [
    *(f'component\t{c}' for c in 'abcdeＡ1'),
    *(f'structure\t{s}' for s in ('⿰··', '⿱··', 'sym-wide', 'sym-narrow', '·')),
    'character\t1\tsym-narrow\t1',
    'character\t啊\t⿰··\ta\tb',
    'character\t座\t⿰··\tb\tc',
    'character\t亍\t⿱··\ta\tb',
    'character\t齄\t⿰··\td\ta',
    'character\t們\t⿱··\tb\te',
    'character\tＡ\tsym-wide\tＡ',
    'character\t乙\t·\tc',
    'character\t㐀\t·\td',
    'character\t籲\t⿰··\te\tc',
    'character\t乂\t⿰··\ta\te',
    'character\t糸\t⿱··\te\tb',
]
TABLE = Charset(ROWS, sets={'mine': '座Ａ啊１龘', 'none': ''})


def names(group):
    return ''.join(TABLE.characters[i] for i in TABLE.character_set(group))


def test_groups_by_national_standards():
    """啊 and 座 are the first and last of level 1 of GB 2312, 亍 and 齄 of level 2; of Big5 乙 is on
    level 1, 籲 its last, 乂 the first of level 2.
    """
    assert (
        names('hanzi') == '啊座亍齄們乙㐀籲乂糸'
        and names('gb2312-1') == '啊座乙'
        and names('gb2312-2') == '亍齄糸'
    )
    assert (
        names('gbk') == '啊座亍齄們乙籲乂糸'
        and names('big5') == '啊座亍們乙籲乂糸'
        and names('big5-1') == '啊座們乙籲糸'
        and names('ascii') == '1'
    )
    # As the table has them; A and 1 stand for their full-width forms.
    assert names('mine') == '1啊座' and len(TABLE.character_set('mine')) == 3 and names('none') == ''
    assert all(
        list(TABLE.character_set(group)) == sorted(TABLE.character_set(group)) for group in ('mine', 'hanzi')
    )


def test_a_cover_takes_what_shows_the_most_that_is_missing():
    """Two components and a structure each, of the first ones 啊 (a, b, ⿰); then d alone: 齄 shows it, 㐀
    shows it and a structure of its own; ...
    """
    cover = ''.join(TABLE.characters[i] for i in TABLE.component_cover())
    found, missing = (
        '',
        {component for row in ROWS if row.startswith('character') for component in row.split('\t')[2:]}
        - {'sym-wide', 'sym-narrow', 'Ａ', '1'},
    )
    shows = {
        row.split('\t')[1]: set(row.split('\t')[2:])
        for row in ROWS
        if row.startswith('character') and '\tsym' not in row
    }
    while missing:
        best = max(shows, key=lambda name: len(shows[name] & missing))
        found, missing = found + best, missing - shows[best]
    assert cover == found and len(cover) < len(shows)
