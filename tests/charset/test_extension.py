"""Rows for characters outside the dictionary: appended, they make it encode them, and change nothing else."""

import pytest

from hwgen.charset import extension
from hwgen.charset.dictionary import TABLES, read_lines
from hwgen.charset.encoding import Charset, CharsetError

CHARSET = Charset.load()
OUTSIDE = 'Жé㣈㗠䌱㷤𠀀あ'


def test_each():
    assert extension.propose_rows(CHARSET, 'Ж') == (
        '',
        ('Ж',),
        (),
        ('component\tЖ', 'character\tЖ\tsym-wide\tЖ'),
    )
    # no sequence is packaged
    assert extension.propose_rows(CHARSET, '𠀀').rows == ('component\t𠀀', 'character\t𠀀\t·\t𠀀')
    found = extension.propose_rows(CHARSET, '㙿')
    assert (
        found.sequence == '⿰土⿱𦍌⿻秀{97}' and found.missing == ('秀', '{97}') and len(found.nearest) == 3
    )
    assert found.rows == (
        'component\t秀',
        'component\t{97}',
        'structure\t⿰·⿱·⿻··',
        'character\t㙿\t⿰·⿱·⿻··\t土\t𦍌\t秀\t{97}',
    )
    # it would take five components
    assert extension.propose_rows(CHARSET, '㷤').rows[-1] == 'character\t㷤\t·\t㷤'


def test_one_that_its_components_and_structure_are_known_of():
    """Ideographs have the structure of their sequence, or one of a component alone; what is none is a
    symbol, wide or narrow.
    """
    small = Charset(
        [
            *(f'component\t{c}' for c in '日月a'),
            'structure\t⿰··',
            'structure\tsym-narrow',
            'character\t明\t⿰··\t日\t月',
            'character\ta\tsym-narrow\ta',
        ],
        further_trees=lambda count: {
            '昍': '⿰日日',
            '晶': '⿱日⿰日日',
            '㗊': '⿱⿰日日⿱⿰日日日',
            '日': '⿰月月',
            '炎': '⿰火火',
        },
    )
    # a component once
    assert extension.propose_rows(small, '炎') == (
        '⿰火火',
        ('火',),
        (),
        ('component\t火', 'character\t炎\t⿰··\t火\t火'),
    )
    assert extension.propose_rows(small, '昍') == ('⿰日日', (), ('明',), ('character\t昍\t⿰··\t日\t日',))
    assert extension.propose_rows(small, '晶') == (
        '⿱日⿰日日',
        (),
        ('明',),
        ('structure\t⿱·⿰··', 'character\t晶\t⿱·⿰··\t日\t日\t日'),
    )
    # five components
    assert extension.propose_rows(small, '㗊') == (
        '⿱⿰日日⿱⿰日日日',
        ('㗊',),
        ('明',),
        ('component\t㗊', 'structure\t·', 'character\t㗊\t·\t㗊'),
    )
    assert extension.propose_rows(small, '山') == (
        '',
        ('山',),
        (),
        ('component\t山', 'structure\t·', 'character\t山\t·\t山'),
    )
    assert extension.propose_rows(small, '☃') == (
        '',
        ('☃',),
        (),
        ('component\t☃', 'structure\tsym-wide', 'character\t☃\tsym-wide\t☃'),
    )
    assert extension.propose_rows(small, 'z') == (
        '',
        ('z',),
        (),
        ('component\tz', 'character\tz\tsym-narrow\tz'),
    )
    # a component that is no character
    assert extension.propose_rows(small, '日').rows == ('structure\t·', 'character\t日\t·\t日')
    assert extension.merge_rows([extension.propose_rows(small, c) for c in '山☃山水']) == [
        'component\t山',
        'structure\t·',
        'character\t山\t·\t山',
        'component\t☃',
        'structure\tsym-wide',
        'character\t☃\tsym-wide\t☃',
        'component\t水',
        'character\t水\t·\t水',
    ]


@pytest.mark.parametrize('character', '\ue000\u0600\x00\u1680\u2028\t⿰〾')
def test_what_no_row_can_add(character):
    assert extension.propose_rows(CHARSET, character) == ('', (), (), ())


def test_appended_they_are_encoded():
    for character in OUTSIDE:
        with pytest.raises(CharsetError):
            CHARSET.encode(character)
    rows = extension.merge_rows(extension.propose_rows(CHARSET, character) for character in OUTSIDE + '㣈')
    assert len(rows) == len(set(rows))
    larger = Charset(read_lines(TABLES / 'dictionary.tsv') + rows)
    assert larger.check_compatible(CHARSET.row_count, CHARSET.hash) == len(rows)
    encoded = larger.encode(OUTSIDE)
    assert (
        encoded.character_ids.all() and larger.decode(encoded.component_ids, encoded.structure_ids) == OUTSIDE
    )


def test_sequences():
    assert CHARSET.sequence('明') == '⿰日月' and CHARSET.sequence('Ж') is None
