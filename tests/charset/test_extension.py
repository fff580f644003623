"""Rows for characters outside the dictionary: appended, they make it encode them, and change nothing else."""

import pytest

from hwgen.charset import extension
from hwgen.charset.dictionary import TABLES, read_lines
from hwgen.charset.encoding import Charset, CharsetError

CHARSET = Charset.load()
OUTSIDE = 'Жé㣈㗠䌱㷤𠀀あ'


def test_each():
    assert extension.propose_rows(CHARSET, 'Ж') == ('', ('Ж',), (), ('component\tЖ', 'character\tЖ\tsym-wide\tЖ'))
    assert extension.propose_rows(CHARSET, '𠀀').rows == ('component\t𠀀', 'character\t𠀀\t·\t𠀀')  # no sequence is packaged
    found = extension.propose_rows(CHARSET, '㙿')
    assert found.sequence == '⿰土⿱𦍌⿻秀{97}' and found.missing == ('秀', '{97}') and len(found.nearest) == 3
    assert found.rows == ('component\t秀', 'component\t{97}', 'structure\t⿰·⿱·⿻··', 'character\t㙿\t⿰·⿱·⿻··\t土\t𦍌\t秀\t{97}')
    assert extension.propose_rows(CHARSET, '㷤').rows[-1] == 'character\t㷤\t·\t㷤'  # it would take five components


@pytest.mark.parametrize('character', '\u2028\t⿰〾')
def test_what_no_row_can_add(character):
    assert extension.propose_rows(CHARSET, character).rows == ()


def test_appended_they_are_encoded():
    for character in OUTSIDE:
        with pytest.raises(CharsetError):
            CHARSET.encode(character)
    rows = extension.merge_rows(extension.propose_rows(CHARSET, character) for character in OUTSIDE + '㣈')
    assert len(rows) == len(set(rows))
    larger = Charset(read_lines(TABLES / 'dictionary.tsv') + rows)
    assert larger.check_compatible(CHARSET.row_count, CHARSET.hash) == len(rows)
    encoded = larger.encode(OUTSIDE)
    assert encoded.character_ids.all() and larger.decode(encoded.component_ids, encoded.structure_ids) == OUTSIDE


def test_sequences():
    assert CHARSET.sequence('明') == '⿰日月' and CHARSET.sequence('Ж') is None
