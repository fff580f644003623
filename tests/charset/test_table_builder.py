"""The builder's sources and files on a database of a few characters, and its choice held against a plain
computation of the same rule.
"""

import collections
import pathlib
import sqlite3
import unicodedata

import pytest

from hwgen.charset import components, dictionary, ids
from tests.charset.test_components import CHARACTERS, SINGLE_BODIES, _sequences

STROKES = set('一丨丿丶乙乚亅乛') | {chr(code) for code in range(0x31C0, 0x31E4)}


def database(path, rows, standard='', readings=(), strokes=()):
    connection = sqlite3.connect(path)
    connection.executescript(
        'create table ids(UCS, source, IDS); create table tghb(规范字, 序号 integer); create table'
        ' unihan_each_kHanyuPinlu(UCS, value);create table unihan_kTotalStrokes(UCS, value)'
    )
    connection.executemany('insert into ids values (?, ?, ?)', rows)
    connection.executemany(
        'insert into tghb values (?, ?)',
        [(character, number) for number, character in enumerate(standard, 1)][::-1],
    )
    connection.executemany('insert into unihan_each_kHanyuPinlu values (?, ?)', readings)
    connection.executemany('insert into unihan_kTotalStrokes values (?, ?)', strokes)
    connection.commit()
    connection.close()
    return path


def test_what_is_read_of_the_database(tmp_path):
    path = database(
        tmp_path / 'moji.db',
        [('明', 'GT', '⿰日月'), ('林', 'G', '⿰木木'), ('明', 'J', '⿰目月')],
        '的一了',
        [('行', 'xíng(3525)'), ('行', 'háng(82)'), ('明', 'míng(7)')],
        [('〇', '1'), ('十', '2'), ('㇇', '1 2'), ('廿', '4 1'), ('乁', '1'), ('百', '11')],
    )
    found = components.read_moji_db(str(path))
    assert found.sequences == {'明': [('GT', '⿰日月'), ('J', '⿰目月')], '林': [('G', '⿰木木')]}
    assert (
        found.standard == '的一了'
        and found.frequencies == {'行': 3607, '明': 7}
        and found.strokes == STROKES | set('〇㇇乁')
    )


def test_characters_of_the_national_standards():
    """By encoding every ideograph: rows B0 to F7 of GB 2312; GBK, then Big5, without those that are equal
    to others.
    """
    hanzi = components.gb2312_hanzi()
    assert len(hanzi) == 6763 and set(hanzi) == {
        chr(code) for code in range(0x4E00, 0xA000) if len(chr(code).encode('gb2312', 'ignore')) == 2
    }
    assert [character.encode('gb2312') for character in hanzi] == sorted(
        character.encode('gb2312') for character in hanzi
    )
    found = components.gbk_and_big5_hanzi()
    gbk, big5 = (
        [
            chr(code)
            for code in (*range(0x4E00, 0xA000), *range(0xF900, 0xFB00))
            if len(chr(code).encode(name, 'ignore')) == 2
        ]
        for name in ('gbk', 'big5')
    )
    assert len(set(found)) == len(found) and set(found) == {
        unicodedata.normalize('NFC', character) for character in gbk + big5
    }
    ordered = [
        unicodedata.normalize('NFC', code)
        for name, characters in (('gbk', gbk), ('big5', big5))
        for code in sorted(characters, key=lambda c: c.encode(name))
    ]  # noqa: B023
    assert found == ''.join(dict.fromkeys(ordered))


def test_what_is_never_taken_apart():
    cuts = components.Cuts(
        {
            '甲': [('G', '⿰？b')],
            '乙': [('G', '乙')],
            '丙': [('X', '⿰ab')],
            '丁': [('G', '⿰ab')],
            '戊': [('G', '⿱丁戊')],
            '己': [('G', '⿱{7}丁')],
        },
        single_bodies={'丁'},
    )
    assert [cuts.of(token) for token in '甲乙丙丁'] == [('甲',), ('乙',), ('丙',), ('丁',)] and cuts.of(
        '{7}'
    ) == ('{7}',)
    assert (
        [ids.format_tree(tree) for tree in cuts.of('戊')] == ['戊', '⿱丁戊']
        and cuts.expand('己') == ('⿱', '{7}', '丁')
        and cuts.expand('丁') is None
    )


def test_costs_of_what_is_rare():
    """1 of the number of characters that have a component, 2 of those that have a structure, and no number
    below a fiftieth.
    """
    cut = components.Candidate(('⿰', 'a', 'b'), ('a', 'b'), '⿰··', 0.7)
    assert components._cost({'a': 4, 'b': 0.5, 'c': 9}, {'⿰··': 8})(cut) == pytest.approx(
        0.7 + 2 / 8 + 1 / 4 + 2
    )
    assert components._cost({'a': 4, 'b': 0}, {'⿰··': 0.001})(cut) == pytest.approx(
        0.7 + 2 / 0.02 + 1 / 4 + 1 / 0.02
    )


@pytest.mark.parametrize(
    'tree, cost',
    [
        ('⿰ab', 0.1),
        ('⿰aa', 0.1),
        ('⿻ab', 2.1),
        ('㇯ab', 2.1),
        ('⿾a', 2.05),
        ('⿿a', 2.05),
        ('⿻⿻abc', 4.15),
        ('⿱一㇀', 0.7),
        ('⿱乛㇣', 0.7),
        ('⿰亅㇤', 0.4),
        ('⿴ab', 0.1),
    ],
)
def test_a_cuts_own_cost(tree, cost):
    """A twentieth a leaf, 2 an overlap or the like, .3 a stroke."""
    found = components.candidate(ids.parse_whole(tree), divisible=True, strokes=STROKES)
    assert found.own_cost == pytest.approx(cost) and components.STROKES and set(components.STROKES) == STROKES
    assert found.components == tuple(
        dict.fromkeys(ids.leaves(ids.parse_whole(tree)))
    ) and found.pattern == ids.pattern(ids.parse_whole(tree))


def plain_choice(options, strokes):
    """The rule of the builder once more, one step after the other: 40 rounds, of which 30 go half of the
    way.
    """

    def own(tree, alone):
        leaves = ids.leaves(tree)
        return (
            0.05 * len(leaves)
            + 2 * sum(o in '⿻㇯⿾⿿' for o in ids.operators(tree))
            + 0.3 * sum(leaf in strokes for leaf in leaves)
            + (0.6 if isinstance(tree, str) and not alone else 0)
        )

    parts, shapes = collections.defaultdict(float), collections.defaultdict(float)
    for trees in options.values():
        for tree in trees:
            shapes[ids.pattern(tree)] += 1 / len(trees)
            for leaf in set(ids.leaves(tree)):
                parts[leaf] += 1 / len(trees)

    def price(character, tree):
        leaves = sorted(set(ids.leaves(tree)))
        return (
            own(tree, len(options[character]) == 1)
            + 2 / max(shapes[ids.pattern(tree)], 0.02)
            + sum(1 / max(parts[leaf], 0.02) for leaf in leaves)
        )

    for step in range(40):
        best = {
            character: min(trees, key=lambda tree: price(character, tree))
            for character, trees in options.items()
        }  # noqa: B023
        now = (
            collections.Counter(leaf for tree in best.values() for leaf in set(ids.leaves(tree))),
            collections.Counter(map(ids.pattern, best.values())),
        )
        for counts, new in zip((parts, shapes), now):
            for name in counts:
                counts[name] = (counts[name] + new[name]) / 2 if step < 30 else new[name]
    return {
        character: sorted(trees, key=lambda tree: round(price(character, tree), 9))
        for character, trees in options.items()
    }


def test_the_choice_is_that_of_the_rule():
    cuts = components.Cuts(_sequences(), single_bodies=SINGLE_BODIES)
    options = {character: cuts.of(character) for character in dict.fromkeys(CHARACTERS)}
    found = components.choose(
        {
            character: [
                components.candidate(tree, divisible=len(trees) > 1, strokes=STROKES) for tree in trees
            ]
            for character, trees in options.items()
        }
    )
    expected = plain_choice(options, STROKES)
    assert sum(isinstance(trees[0], tuple) for trees in expected.values()) > 100
    assert {character: cuts[0].tree for character, cuts in found.items()} == {
        character: trees[0] for character, trees in expected.items()
    }
    assert all(
        [cut.own_cost for cut in cuts] and {cut.tree for cut in cuts} == set(options[character])
        for character, cuts in found.items()
    )


def test_choices_that_swing_to_and_fro():
    """甲 to 丁 would swing between their cuts for ever; where the last ten rounds leave them is what is
    taken.
    """
    options = {
        name: [ids.parse_whole(text) for text in texts]
        for name, texts in {
            '甲': ['⿳bda', 'c'],
            '乙': ['⿳ffe', '⿳aaa', '⿱af'],
            '丙': ['⿰de', '⿱cd', '⿱df'],
            '丁': ['⿰ea', 'e'],
        }.items()
    }
    found = components.choose(
        {
            name: [components.candidate(tree, divisible=True, strokes=set('ab')) for tree in trees]
            for name, trees in options.items()
        }
    )
    assert {name: [cut.tree for cut in cuts] for name, cuts in found.items()} == plain_choice(
        options, set('ab')
    )
    assert found['丙'][0].tree == ('⿱', 'c', 'd')


def test_choices_that_take_many_rounds():
    options = {
        name: [ids.parse_whole(text) for text in texts]
        for name, texts in {
            '甲': ['⿰da', 'a', '⿱fa'],
            '乙': ['⿰fd'],
            '丙': ['e', '⿲eec', '⿲ede'],
            '丁': ['⿲cee', 'a', '⿱da'],
            '戊': ['⿱cd', '⿳ccc'],
            '己': ['⿳efa', '⿰ce'],
        }.items()
    }
    found = components.choose(
        {
            name: [components.candidate(tree, divisible=len(trees) > 1, strokes=set('ab')) for tree in trees]
            for name, trees in options.items()
        }
    )
    assert {name: [cut.tree for cut in cuts] for name, cuts in found.items()} == plain_choice(
        options, set('ab')
    )
    assert [tree[0] for tree in (cut.tree for cut in found['丙'])] == ['⿲', '⿲', 'e'] and found['丙'][
        0
    ].tree == ('⿲', 'e', 'e', 'c')


def test_a_character_without_a_free_code_is_named():
    one, other = (
        components.candidate(ids.parse_whole(text), divisible=True, strokes=set())
        for text in ('⿰ab', '⿱ab')
    )
    assert (
        components.unique(
            {
                '甲': [one, other],
                '乙': [one, other],
                '丙': [components.candidate('丙', divisible=False, strokes=set())],
            }
        )['乙']
        is other
    )
    with pytest.raises(
        ValueError, match='^丙: all of its 2 codes are taken by other characters, expected a free one$'
    ):
        components.unique({'甲': [one, other], '乙': [one, other], '丙': [one, other]})


def test_the_order_of_rows():
    """Components and structures by how many characters have them, then by number or code point, braces
    last; characters by frequency, then code point.
    """
    sequences = {
        '甲': [('G', '⿰b{12}')],
        '乙': [('G', '⿰{12}{3}')],
        '丙': [('G', '⿱cb')],
        '丁': [('G', '⿰b{3}')],
        '戊': [('G', '⿱ac')],
        '己': [('G', '⿱ab')],
        '庚': [('G', '⿱ca')],
    }
    rows = components.build_rows(
        '庚丙乙甲己丁戊',
        sequences,
        single_bodies=set(),
        strokes=set(),
        frequencies={'丁': 2, '戊': 9},
        symbol_characters='Ａ1',
        existing=dictionary.parse_lines(['component\tc', 'structure\tsym-narrow', 'structure\t·']),
    )
    assert [row.line().replace('\t', ' ') for row in rows] == [
        'component c',
        'structure sym-narrow',
        'structure ·',
        'component b',
        'component a',
        'component {3}',
        'component {12}',
        'structure ⿱··',
        'structure ⿰··',
        'structure sym-wide',
        'component Ａ',
        'component 1',
        'character Ａ sym-wide Ａ',
        'character 1 sym-narrow 1',
        'character 戊 ⿱·· a c',
        'character 丁 ⿰·· b {3}',
        'character 丙 ⿱·· c b',
        'character 乙 ⿰·· {12} {3}',
        'character 己 ⿱·· a b',
        'character 庚 ⿱·· c a',
        'character 甲 ⿰·· b {12}',
    ]
    # Of equal numbers a character stands before a number in braces.
    rows = components.build_rows(
        '甲乙丙',
        {'甲': [('G', '⿰e{2}')], '乙': [('G', '⿰{2}d')], '丙': [('G', '⿰de')]},
        single_bodies=set(),
        strokes=set(),
    )
    assert [row.name for row in rows if row.kind == 'component'] == ['d', 'e', '{2}']


def test_further_ideographs_avoid_the_glyph_of_a_table_character():
    """The cheaper code is that of 丁: it is taken only where nothing else describes the character, and of
    the others the cheapest.
    """
    lines = [
        *(f'component\t{c}' for c in 'abcde丙'),
        *(f'structure\t{p}' for p in ('⿰··', '⿲···', '·')),
        'character\t丁\t⿲···\ta\tb\tc',
        'character\t丙\t⿰··\ta\tb',
        *(f'character\t{c}\t⿲···\ta\tb\t{d}' for c, d in zip('xyz', 'dab')),
        'character\t丙丙\t⿰··\tc\t丙',
        'character\tu\t·\td',
    ]
    rows, sequences = (
        dictionary.parse_lines(lines),
        {
            '戊': [('G', '⿰丙c')],
            '丙': [('G', '⿰ab')],
            '己': [('G', '⿰丙d')],
            '庚': [('G', '⿰？a')],
            'e': [('G', '⿰ab')],
        },
    )
    further = components.further_ideographs(
        '戊己庚丁丙e', rows, sequences, single_bodies=set(), strokes=set()
    )
    # 己: ⿲abd is the code of x; ⿰丙d is free.
    assert further == {'戊': '⿰丙c', '己': '⿰丙d'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two editions of a few characters: 明 林, then 森 and 們."""
    monkeypatch.setattr(components, 'gb2312_hanzi', lambda: '明林')
    monkeypatch.setattr(components, 'gbk_and_big5_hanzi', lambda: '森們')
    (tmp_path / 'single_bodies.txt').write_text('日月木\n', 'utf-8')
    return tmp_path


SOURCE = components.Sources(
    {
        '明': [('G', '⿰日月')],
        '林': [('G', '⿰木木')],
        '森': [('G', '⿱木林')],
        '們': [('G', '⿰亻門')],
        '朋': [('G', '⿰月月')],
        '㖊': [('G', '⿰日木')],
        '晶': [('G', '⿱日⿰日日')],
        '𣊭': [('G', '⿰日日')],
        '昍': [('G', '⿰日日')],
        '門': [('G', '⿰日門')],
    },
    '木日',
    {'木': 9, '林': 3},
    STROKES,
)


def tables(folder):
    return [
        [line.split('\t') for line in dictionary.read_lines(folder / f'{name}.tsv')]
        for name in ('dictionary', 'sets', 'ideographs')
    ]


def test_tables_are_written_edition_by_edition(folder):
    report = components.write_tables(str(folder), SOURCE)
    rows, sets, further = tables(folder)
    hanzi = [row[1] for row in rows if row[0] == 'character' and not row[2].startswith('sym')]
    # The first edition: the most frequent first; then the second, by code point.
    assert hanzi == ['木', '林', '日', '明', '們', '森']
    assert (
        [name for name, _ in sets] == ['tgh', 'symbols', 'punctuation']
        and sets[0][1] == '木日'
        and ' ' not in sets[1][1]
        and sets[1][1].endswith('㈩')
        and len(sets[1][1]) == 264
    )
    first = next(number for number, row in enumerate(rows) if row[1] == '€')
    assert [row[1] for row in rows[:first] if row[0] == 'character'][-4:] == hanzi[:4]
    # In the order of the code points, the extension A last; 森 and 們 only until the second edition had them;
    # what could not be written then and can be now, since then.
    assert [line[0] for line in further if len(line) == 2] == ['們', '昍', '晶', '朋', '森', '門', '㖊']
    assert dict(line[:2] for line in further if len(line) == 2) == {
        '們': '⿰亻門',
        '昍': '⿰日日',
        '晶': '⿱日⿰日日',
        '朋': '⿰月月',
        '森': '⿱木⿰木木',
        '門': '⿰日門',
        '㖊': '⿰日木',
    }
    assert [line for line in further if len(line) == 3] == []
    kinds = collections.Counter(row[0] for row in rows)
    assert report == {
        'existing': 0,
        'rows': len(rows),
        'components': kinds['component'],
        'structures': kinds['structure'],
        'characters': kinds['character'],
        'ideographs': 7,
    }
    assert not list(folder.glob('*.part'))


def test_tables_that_are_there_are_kept_and_added_to(folder, monkeypatch):
    components.write_tables(folder, SOURCE)
    before = tables(folder)
    assert components.write_tables(folder, SOURCE)['existing'] == len(before[0]) and tables(folder) == before
    monkeypatch.setattr(components, 'gbk_and_big5_hanzi', lambda: '森們晶')
    newer = SOURCE._replace(sequences=SOURCE.sequences | {'㖊': [('G', '⿱日木')], '杏': [('G', '⿱木日')]})
    report = components.write_tables(folder, newer)
    after = tables(folder)
    assert after[0][: len(before[0])] == before[0] and [
        row[1] for row in after[0][len(before[0]) :] if row[0] == 'character'
    ] == ['晶']
    count = str(len(after[0]))
    assert (
        after[2] == [*before[2], ['杏', '⿱木日', count], ['㖊', '⿱日木', count]]
        and report['existing'] == len(before[0])
        and report['ideographs'] == 8
    )


def test_new_sequences_without_new_characters_are_added_to_the_newest_table(folder):
    components.write_tables(folder, SOURCE)
    before = tables(folder)
    report = components.write_tables(
        folder, SOURCE._replace(sequences=SOURCE.sequences | {'杏': [('G', '⿱木日')]})
    )
    after = tables(folder)
    assert (
        after[0] == before[0]
        and after[2] == [*before[2], ['杏', '⿱木日', str(len(before[0]))]]
        and report['ideographs'] == 8
    )


def test_the_command(folder, capsys):
    path = database(
        folder / 'moji.db',
        [
            (character, source, sequence)
            for character, rows in SOURCE.sequences.items()
            for source, sequence in rows
        ],
        '木日',
        [('木', 'mù(9)'), ('林', 'lín(3)')],
    )
    components.main(['--moji_db', str(path), '--out', str(folder)])
    found = (folder / 'dictionary.tsv').read_bytes()
    report, hash_, cover = capsys.readouterr().out.splitlines()
    assert (
        report.startswith('existing 0, rows ')
        and hash_ == f'hash {dictionary.hash_lines(dictionary.read_lines(folder / "dictionary.tsv"))}'
    )
    assert cover.split(' ')[1:] == 'characters show every component and structure:'.split(' ') + cover.split(
        ' '
    )[-1:] and int(cover.split(' ')[0]) == len(cover.split(' ')[-1])
    for name in ('dictionary.tsv', 'sets.tsv', 'ideographs.tsv'):
        (folder / name).unlink()
    components.write_tables(folder, SOURCE)
    assert (folder / 'dictionary.tsv').read_bytes() == found
    with pytest.raises(SystemExit):
        components.main([])


def test_the_default_folder_is_the_package():
    assert dictionary.TABLES == pathlib.Path(components.__file__).parent / 'tables'
