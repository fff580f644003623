"""The frozen rows: reading, hashing, extension."""

import hashlib

import pytest

from hwgen.charset import dictionary
from hwgen.charset.dictionary import CharsetError, CharsetMismatchError

ROWS = ['component\t日', 'component\t月', 'structure\t⿰··', 'character\t明\t⿰··\t日\t月']


def test_lines_become_rows_and_lines_again():
    rows = dictionary.parse_lines(ROWS)
    assert rows[-1] == dictionary.Row('character', '明', '⿰··', ('日', '月'))
    assert [row.line() for row in rows] == ROWS


def test_the_hash_is_that_of_the_file(tmp_path):
    path = tmp_path / 'rows.tsv'
    path.write_bytes('\n'.join(ROWS).encode() + b'\n')
    assert dictionary.read_lines(path) == ROWS
    assert dictionary.hash_lines(ROWS) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_only_newlines_end_lines(tmp_path):
    path = tmp_path / 'rows.tsv'
    path.write_bytes('component\t\u2028\ncomponent\t\x85\n'.encode())
    assert dictionary.read_lines(path) == ['component\t\u2028', 'component\t\x85']


@pytest.mark.parametrize(
    'line, says',
    [
        ('stroke\t一', 'expected component'),
        ('component', 'expected component'),
        ('component\t', 'expected component'),
        ('component\t日', 'earlier row'),
        ('component\t日\t月', 'expected component'),
        ('character\t朋\t⿱··\t月\t月', 'earlier structure'),
        ('character\t朋\t⿰··\t月', 'as many'),
        ('character\t胆\t⿰··\t月\t旦', 'earlier components'),
        ('character\t明\t⿰··\t日\t月', 'earlier row'),
        ('character\t空\t⿰··', 'as many'),
    ],
)
def test_a_bad_row_is_named(line, says):
    with pytest.raises(CharsetError, match=f'rows.tsv, row 5.*{says}'):
        dictionary.parse_lines([*ROWS, line], source='rows.tsv')


def test_an_extension_is_accepted_and_its_rows_counted():
    hash_ = dictionary.hash_lines(ROWS[:2])
    assert dictionary.check_extension(ROWS, 2, hash_) == 2
    assert dictionary.check_extension(ROWS, 4, dictionary.hash_lines(ROWS)) == 0


def test_codes_of_one_to_four_components():
    pattern = ['·', '⿰··', '⿲···', 'H4····', '⿲·⿲···⿰··']
    for slots, name in enumerate(pattern, 1):
        tokens = '日月山水火木'[: name.count('·')]
        lines = [
            *(f'component\t{token}' for token in '日月山水火木'),
            f'structure\t{name}',
            '\t'.join(('character', '天', name, *tokens)),
        ]
        if slots <= 4:
            assert dictionary.parse_lines(lines)[-1] == dictionary.Row('character', '天', name, tuple(tokens))
            continue
        with pytest.raises(
            CharsetError,
            match=(
                '^dictionary, row 8: 天 as ⿲·⿲···⿰·· of 日 月 山 水 火 木, expected an earlier structure'
                ' and as many earlier components as it has slots$'
            ),
        ):
            dictionary.parse_lines(lines)
    # a structure without a place, and none of symbols
    with pytest.raises(CharsetError, match='row 3: 天 as wide of 日, expected'):
        dictionary.parse_lines(['component\t日', 'structure\twide', 'character\t天\twide\t日'])
    symbol = ['component\tA', 'component\tB', 'structure\tsym-wide', 'structure\tsym-narrow']
    for name in ('sym-wide', 'sym-narrow'):
        assert dictionary.parse_lines([*symbol, f'character\tA\t{name}\tA'])[-1].tokens == ('A',)
        with pytest.raises(CharsetError, match='as many'):
            dictionary.parse_lines([*symbol, f'character\tA\t{name}\tA\tB'])


def test_one_name_may_be_a_component_a_structure_and_a_character():
    assert (
        len(
            dictionary.parse_lines(['component\t日', 'structure\t·', 'character\t日\t·\t日', 'structure\t日'])
        )
        == 4
    )
    with pytest.raises(
        CharsetError, match='^x, row 2: structure · stands in an earlier row, expected once$'
    ) as caught:
        dictionary.parse_lines(['structure\t·', 'structure\t·'], source='x')
    assert caught.value.position is None and CharsetError('x', 3).position == 3


def test_lines_of_a_file(tmp_path):
    for data, lines in (
        (b'', []),
        (b'a', ['a']),
        (b'a\n', ['a']),
        (b'a\n\nb', ['a', '', 'b']),
        (b'\n', ['']),
    ):
        (tmp_path / 'x.tsv').write_bytes(data)
        assert dictionary.read_lines(tmp_path / 'x.tsv') == lines
    assert dictionary.read_sequences(9, tmp_path) == {} and len(dictionary.read_sequences(9658)) > 10000


def test_an_artefact_of_more_rows_than_there_are():
    for row_count in (5, -1):
        with pytest.raises(
            CharsetMismatchError,
            match=(
                f'^the artefact was made with a dictionary of {row_count} rows .hash abc.; this one has only'
                f' 4 .hash {dictionary.hash_lines(ROWS)}.: '
            ),
        ):
            dictionary.check_extension(ROWS, row_count, 'abc')
    assert dictionary.check_extension(ROWS, 0, dictionary.hash_lines([])) == 4


@pytest.mark.parametrize(
    'row_count, rows', [(2, ROWS[1::-1]), (5, [*ROWS, 'component\t木']), (4, [*ROWS[:3], 'component\t木'])]
)
def test_another_table_is_refused_with_both_hashes(row_count, rows):
    theirs = dictionary.hash_lines(rows)
    ours = dictionary.hash_lines(ROWS[:row_count])
    with pytest.raises(CharsetMismatchError) as caught:
        dictionary.check_extension(ROWS, row_count, theirs)
    assert theirs in str(caught.value) and ours in str(caught.value)
