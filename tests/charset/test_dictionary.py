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


@pytest.mark.parametrize('line, says', [
    ('stroke\t一', 'expected component'), ('component', 'expected component'), ('component\t', 'expected component'), ('component\t日', 'earlier row'),
    ('component\t日\t月', 'expected component'), ('character\t朋\t⿱··\t月\t月', 'earlier structure'), ('character\t朋\t⿰··\t月', 'as many'),
    ('character\t胆\t⿰··\t月\t旦', 'earlier components'), ('character\t明\t⿰··\t日\t月', 'earlier row'), ('character\t空\t⿰··', 'as many')])
def test_a_bad_row_is_named(line, says):
    with pytest.raises(CharsetError, match=f'rows.tsv, row 5.*{says}'):
        dictionary.parse_lines([*ROWS, line], source='rows.tsv')


def test_an_extension_is_accepted_and_its_rows_counted():
    hash_ = dictionary.hash_lines(ROWS[:2])
    assert dictionary.check_extension(ROWS, 2, hash_) == 2
    assert dictionary.check_extension(ROWS, 4, dictionary.hash_lines(ROWS)) == 0


@pytest.mark.parametrize('row_count, rows', [(2, ROWS[1::-1]), (5, [*ROWS, 'component\t木']), (4, [*ROWS[:3], 'component\t木'])])
def test_another_table_is_refused_with_both_hashes(row_count, rows):
    theirs = dictionary.hash_lines(rows)
    ours = dictionary.hash_lines(ROWS[:row_count])
    with pytest.raises(CharsetMismatchError) as caught:
        dictionary.check_extension(ROWS, row_count, theirs)
    assert theirs in str(caught.value) and ours in str(caught.value)
