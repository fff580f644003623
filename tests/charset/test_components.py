"""The dictionary builder, on a small set of sequences, and the packaged table against an independent
computation.
"""

import collections
import os
import pathlib
import random
import sqlite3
import subprocess
import sys

import pytest

from hwgen.charset import components, dictionary, ids, symbols
from hwgen.charset.encoding import Charset, CharsetMismatchError

DATA = pathlib.Path(__file__).parent / 'data'
CHARACTERS = (DATA / 'characters_sample.txt').read_text('utf-8').strip()
SINGLE_BODIES = set((dictionary.TABLES / 'single_bodies.txt').read_text('utf-8').strip())
# Where the packaged code differs from the reference; docs/charset.md explains each class.
DIFFERENCES = '癌寡键健虱廷习雄汛讯盈羽荀楗楹戤犍腱踺鲺鞬翃𬭎'


def _sequences():
    sequences = collections.defaultdict(list)
    for line in dictionary.read_lines(DATA / 'sequences_sample.tsv'):
        character, source, sequence = line.split('\t')
        sequences[character].append((source, sequence))
    return dict(sequences)


def _build(characters=CHARACTERS, **options):
    options = {'frequencies': {'明': 9, '我': 5, '员': 2}, 'symbol_characters': ' A，', **options}
    return components.build_rows(
        characters, _sequences(), single_bodies=SINGLE_BODIES, strokes=set(components.STROKES), **options
    )


def _lines(rows):
    return [row.line() for row in rows]


def test_the_sequence_of_mainland_china_is_taken_first():
    assert (
        components.choose_sequence([('T', '⿰ab'), ('X', '⿰cd'), ('GHT', '⿰ef'), ('G', '⿰gh')]) == '⿰ef'
    )
    assert components.choose_sequence([('Z', '⿰ab'), ('X', '⿰cd'), ('JK', '⿰ef')]) == '⿰ef'
    assert components.choose_sequence([('Z', '⿰ab'), ('X', '⿰cd')]) is None


def test_candidates_are_the_character_and_every_cut_with_at_most_four_leaves():
    # 湖 = ⿰氵胡, 胡 = ⿰古月, 古 = ⿱十口; 月, 十 and 口 are single bodies, 氵 has no parts.
    cuts = components.Cuts(_sequences(), single_bodies=SINGLE_BODIES)
    assert [ids.format_tree(tree) for tree in cuts.of('湖')] == ['湖', '⿰氵胡', '⿲氵古月', '⿲氵⿱十口月']
    assert cuts.of('月') == ('月',)
    assert cuts.of('{83}') == ('{83}',)
    deep = components.Cuts(
        {'丙': [('G', '⿰甲甲')], '甲': [('G', '⿰子子')], '子': [('G', '⿱AB')]}, single_bodies=set()
    )
    assert [ids.pattern(tree) for tree in deep.of('丙')] == [
        '·',
        '⿰··',
        '⿲···',
        '⿲··⿱··',
        '⿲·⿱···',
        '⿲···',
        'H4····',
        '⿲·⿱···',
        '⿲⿱····',
    ]


def test_a_cost_by_hand():
    # ⿱⿻一丨口: three leaves (.15), an overlap (2), two strokes (.6).
    tree = ids.parse_whole('⿱⿻一丨口')
    assert components.candidate(
        tree, divisible=True, strokes=set(components.STROKES)
    ).own_cost == pytest.approx(2.75)
    assert components.candidate('口', divisible=True, strokes=set()).own_cost == pytest.approx(0.65)
    assert components.candidate('口', divisible=False, strokes=set()).own_cost == pytest.approx(0.05)


def test_what_many_share_is_chosen():
    # 甲 shared by three characters stays a component; as a part of one character only, its parts are known
    # already and it goes.
    sequences = {
        'A': [('G', '⿰x甲')],
        'B': [('G', '⿰y甲')],
        'C': [('G', '⿰z甲')],
        'D': [('G', '⿰x乙')],
        '乙': [('G', '⿱yz')],
        'E': [('G', '⿰xy')],
        'F': [('G', '⿰zy')],
        'G': [('G', '⿰x⿱yz')],
        'H': [('G', '⿰y⿱zx')],
        '甲': [('G', '⿴pq')],
    }
    rows = components.build_rows('ABCDEFH', sequences, single_bodies=set(), strokes=set())
    codes = {row.name: row for row in rows if row.kind == 'character'}
    assert codes['A'].tokens == ('x', '甲')
    assert (codes['D'].pattern, codes['D'].tokens) == ('⿰·⿱··', ('x', 'y', 'z'))


def test_two_characters_of_one_sequence_get_two_codes():
    # 甲, the more frequent, takes ⿰ab; 乙 keeps itself.
    sequences = {'甲': [('G', '⿰ab')], '乙': [('G', '⿰ab')], '丙': [('G', '⿰ba')]}
    rows = components.build_rows(
        '甲乙丙', sequences, single_bodies=set(), strokes=set(), frequencies={'甲': 2}
    )
    codes = {row.name: row.tokens for row in rows if row.kind == 'character'}
    assert codes == {'甲': ('a', 'b'), '丙': ('b', 'a'), '乙': ('乙',)}


def test_rows_do_not_depend_on_order_or_hash_seed():
    expected = _lines(_build())
    shuffled = list(CHARACTERS)
    random.Random(0).shuffle(shuffled)
    assert _lines(_build(shuffled)) == expected
    program = (
        'from tests.charset import test_components as t; from hwgen.charset import dictionary;'
        ' print(dictionary.hash_lines(t._lines(t._build())))'
    )
    for seed in '1', '2':
        environment = {**os.environ, 'PYTHONHASHSEED': seed}
        out = subprocess.run(
            [sys.executable, '-c', program],
            cwd=DATA.parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert out.stdout.strip() == dictionary.hash_lines(expected)


def test_ids_fall_with_frequency_and_characters_too():
    rows = _build()
    counts = collections.Counter(
        token for row in rows if row.kind == 'character' for token in set(row.tokens)
    )
    names = [row.name for row in rows if row.kind == 'component']
    hanzi = names[: names.index(' ')]
    assert [counts[name] for name in hanzi] == sorted((counts[name] for name in hanzi), reverse=True)
    assert names[names.index(' ') :] == list(' A，')
    assert [row.name for row in rows if row.kind == 'character'][:6] == [' ', 'A', '，', '明', '我', '员']


def test_a_table_grows_by_appending():
    first = _build(CHARACTERS[:150])
    second = _build(CHARACTERS, symbol_characters=' A，B', existing=first)
    assert second[: len(first)] == first
    assert {row.name for row in second if row.kind == 'character'} == set(CHARACTERS) | set(' A，B')
    assert _build(CHARACTERS, symbol_characters=' A，B', existing=second) == second
    old, new = Charset(_lines(first)), Charset(_lines(second))
    assert new.check_compatible(old.row_count, old.hash) == len(second) - len(first)
    assert new.sizes(old.row_count) == {
        f'num_{kind}': getattr(old, f'num_{kind}') for kind in ('components', 'structures', 'characters')
    }
    assert new.characters[: old.num_characters] == old.characters
    with pytest.raises(CharsetMismatchError, match=old.hash) as caught:
        old.check_compatible(new.row_count, new.hash)
    assert new.hash in str(caught.value)


def test_further_ideographs_use_known_components():
    sequences = {
        '甲': [('G', '⿰ab')],
        '乙': [('G', '⿰ba')],
        '丙': [('G', '⿱ab')],
        '丁': [('G', '⿱ba')],
        '戊': [('G', '⿱甲b')],
        '己': [('G', '⿱ac')],
        '庚': [('G', '⿰ab')],
        '辛': [('G', '⿱⿰ab⿱⿰ab⿰ab')],
    }
    options = dict(single_bodies=set(), strokes=set())
    rows = components.build_rows('甲乙丙丁', sequences, **options)
    assert [row.name for row in rows if row.kind == 'component'] == ['a', 'b']
    further = components.further_ideographs('甲丙戊己庚辛a', rows, sequences, **options)
    # 己 needs c, which the table lacks, and 辛 six components: their own sequences tell. 庚 has the glyph of
    # 甲.
    assert further == {'戊': '⿱⿰abb', '己': '⿱ac', '庚': '⿰ab', '辛': '⿱⿰ab⿱⿰ab⿰ab'}


def test_a_foreign_database_is_named(tmp_path):
    with pytest.raises(OSError, match='absent.db'):
        components.read_moji_db(tmp_path / 'absent.db')
    sqlite3.connect(tmp_path / 'empty.db').close()
    with pytest.raises(OSError, match='empty.db.*expected the tables ids'):
        components.read_moji_db(tmp_path / 'empty.db')


def _reference():
    return {
        line.split('\t')[0]: tuple(line.split('\t')[1:])
        for line in dictionary.read_lines(DATA / 'reference_codes.tsv')
    }


def test_the_packaged_table_agrees_with_the_reference():
    # the first edition
    rows = dictionary.parse_lines(dictionary.read_lines(dictionary.TABLES / 'dictionary.tsv')[:9658])
    packaged = {
        row.name: (row.pattern, *row.tokens)
        for row in rows
        if row.kind == 'character' and row.name not in symbols.SYMBOLS
    }
    reference = _reference()
    assert packaged.keys() == reference.keys()
    assert {character for character in reference if packaged[character] != reference[character]} == set(
        DIFFERENCES
    )


@pytest.mark.parametrize(
    'character, sequence',
    [
        ('明', '⿰日月'),
        ('语', '⿰讠吾'),
        ('国', '⿴囗玉'),
        ('湖', '⿲氵古月'),
        ('器', '⿳吅犬吅'),
        ('森', '⿱木⿰木木'),
        ('达', '⿺辶大'),
        ('病', '⿸疒丙'),
        ('闻', '⿵门耳'),
        ('赢', '⿱吂⿲月贝凡'),
        ('戆', '⿱⿰章⿱夂贡心'),
        ('游', '⿲氵方⿱𠂉子'),
        ('我', '我'),
    ],
)
def test_worked_examples(character, sequence):
    assert ids.format_tree(Charset.load().tree(character)) == sequence


@pytest.mark.skipif(
    'HWGEN_MOJI_DB' not in os.environ,
    reason='HWGEN_MOJI_DB does not name moji.db of @mandel59/mojidata 1.8.1',
)
def test_the_builder_writes_the_packaged_tables(tmp_path):
    (tmp_path / 'single_bodies.txt').write_bytes((dictionary.TABLES / 'single_bodies.txt').read_bytes())
    components.main(['--moji_db', os.environ['HWGEN_MOJI_DB'], '--out', str(tmp_path)])
    for name in 'dictionary.tsv', 'sets.tsv', 'ideographs.tsv':
        assert (tmp_path / name).read_bytes() == (dictionary.TABLES / name).read_bytes(), name
