"""The dictionary builder: every character becomes at most four components and one structure, uniquely.

    python -m hwgen.charset.components --moji_db dist/moji.db

computes the tables of this package from BabelStone's Ideographic Description Sequences (IDS; copyright
waived), which the npm package @mandel59/mojidata holds as table `ids` of its SQLite file, with the list of
common standard characters and word frequencies beside it. Rows that `tables/dictionary.tsv` already has are
kept as they are and new ones appended; delete the files to compute them anew. The table has grown by
editions, each computed with the rows of those before it fixed: GB 2312 and the common standard characters;
then GBK and Big5, the traditional ones.

A character's candidates are itself and every cut of its tree with at most four leaves. A cut costs the more
the rarer its components and its structure are, so that what many characters share is chosen and becomes more
frequent: iterated until nothing changes.
"""

import argparse
import collections
import itertools
import pathlib
import re
import sqlite3
import unicodedata
from typing import NamedTuple

from hwgen import files
from hwgen.charset import dictionary, ids, symbols

ROUNDS, DAMPED_ROUNDS = 40, 30
LEAF_COST, OVERLAP_COST, STROKE_COST, WHOLE_COST, STRUCTURE_WEIGHT, RAREST = 0.05, 2, 0.3, 0.6, 2, 0.02
OVERLAPS = '⿻㇯⿾⿿'
STROKES = '一丨丿丶乙乚亅乛' + ''.join(map(chr, range(0x31C0, 0x31E4)))
UNKNOWN = '？'


class Sources(NamedTuple):
    """What the builder reads.

    Attributes:
        sequences: dict str -> list of (source letters, sequence), in the order of the file.
        standard: str, the common standard characters in their official order.
        frequencies: dict str -> int, occurrences in a modern corpus, where known.
        strokes: set of str, characters of one stroke.
    """

    sequences: dict
    standard: str
    frequencies: dict
    strokes: set


def read_moji_db(path):
    """Reads the tables that the builder needs.

    Args:
        path: path of moji.db of @mandel59/mojidata 1.8.

    Returns:
        Sources.

    Raises:
        OSError: the file cannot be read or lacks a table.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'{path}: not a file, expected moji.db of the npm package @mandel59/mojidata')
    connection = sqlite3.connect(f'{path.resolve().as_uri()}?mode=ro', uri=True)
    try:
        sequences = collections.defaultdict(list)
        for character, source, sequence in connection.execute(
            'select UCS, source, IDS from ids order by rowid'
        ):
            sequences[character].append((source, sequence))
        standard = ''.join(row[0] for row in connection.execute('select 规范字 from tghb order by 序号'))
        frequencies = collections.Counter()
        for character, reading in connection.execute('select UCS, value from unihan_each_kHanyuPinlu'):
            frequencies[character] += int(re.search(r'\((\d+)\)', reading).group(1))
        strokes = {
            character
            for character, count in connection.execute('select UCS, value from unihan_kTotalStrokes')
            if count.split()[0] == '1'
        }
    except sqlite3.Error as error:
        raise OSError(
            f'{path}: {error}, expected the tables ids, tghb, unihan_each_kHanyuPinlu and'
            ' unihan_kTotalStrokes'
        ) from error
    finally:
        connection.close()
    return Sources(dict(sequences), standard, dict(frequencies), strokes | set(STROKES))


def gb2312_hanzi():
    """The 6,763 ideographs of GB 2312 in its order: str."""
    cells = (bytes([row, cell]) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return ''.join(cell.decode('gb2312', 'ignore') for cell in cells)


def gbk_and_big5_hanzi():
    """The ideographs of GBK and then of Big5, in their order: str.

    Compatibility ideographs count as those that they are equal to.
    """
    found = (
        bytes([row, cell]).decode(encoding, 'ignore')
        for encoding, rows in (('gbk', range(0x81, 0xFF)), ('big5', range(0xA4, 0xFA)))
        for row in rows
        for cell in range(0x40, 0xFF)
    )
    return ''.join(
        dict.fromkeys(
            unicodedata.normalize('NFC', character)
            for character in found
            if '\u4e00' <= character <= '\ufaff'
        )
    )


def choose_sequence(rows):
    """The sequence to take: the first of a source with G (mainland China), else the first that is not of X or
    Z (guesses, unifications).

    Args:
        rows: list of (source letters, sequence).

    Returns:
        str, or None.
    """
    mainland = [sequence for source, sequence in rows if 'G' in source]
    others = [sequence for source, sequence in rows if not set(source) & set('XZ')]
    return (mainland + others + [None])[0]


class Cuts:
    """Candidates: a character itself and every cut of its recursive tree with at most four leaves, flattened.

    Args:
        sequences: dict str -> list of (source letters, sequence).
        single_bodies: set of str, characters that are never taken apart.
    """

    def __init__(self, sequences, *, single_bodies):
        self._sequences, self._single_bodies, self._cuts = sequences, single_bodies, {}

    def expand(self, token):
        """The tree of a token's own sequence, or None where it has none that says something."""
        if token in self._single_bodies or len(token) > 1:
            return None
        sequence = choose_sequence(self._sequences.get(token, ()))
        if sequence is None:
            return None
        tree = ids.parse_whole(sequence)
        return None if isinstance(tree, str) or UNKNOWN in ids.leaves(tree) else tree

    def of(self, token):
        """Flattened candidates of a character, itself first: tuple of trees."""
        return tuple(dict.fromkeys(map(ids.flatten, self._of(token))))

    def _of(self, token):
        if token not in self._cuts:
            self._cuts[token] = (token,)  # a sequence that came back to its own character would end here
            tree = self.expand(token)
            self._cuts[token] += () if tree is None else self._of_tree(tree)
        return self._cuts[token]

    def _of_tree(self, tree):
        if isinstance(tree, str):
            return self._of(tree)
        combinations = itertools.product(*(self._of_tree(child) for child in tree[1:]))
        return tuple(
            (tree[0], *parts)
            for parts in combinations
            if sum(len(ids.leaves(part)) for part in parts) <= dictionary.MAX_COMPONENTS
        )


class Candidate(NamedTuple):
    """A cut with what its cost needs: distinct leaves, pattern, and the part of the cost that does not
    change.
    """

    tree: object
    components: tuple
    pattern: str
    own_cost: float


def candidate(tree, *, divisible, strokes):
    """Prepares a cut.

    Args:
        tree: flattened tree.
        divisible: bool, whether the character has other cuts.
        strokes: set of str, tokens of one stroke.

    Returns:
        Candidate.
    """
    leaves = ids.leaves(tree)
    cost = (
        LEAF_COST * len(leaves)
        + OVERLAP_COST * sum(operator in OVERLAPS for operator in ids.operators(tree))
        + STROKE_COST * sum(leaf in strokes for leaf in leaves)
        + WHOLE_COST * (isinstance(tree, str) and divisible)
    )
    return Candidate(tree, tuple(dict.fromkeys(leaves)), ids.pattern(tree), cost)


def choose(candidates):
    """Iterates to the cheapest cut of every character.

    Args:
        candidates: dict character -> list of Candidate; one that has a single candidate keeps it.

    Returns:
        dict character -> list of Candidate, cheapest first.
    """
    component_counts, pattern_counts = collections.Counter(), collections.Counter()
    for cuts in candidates.values():
        for cut in cuts:
            pattern_counts[cut.pattern] += 1 / len(cuts)
            for component in cut.components:
                component_counts[component] += 1 / len(cuts)
    for step in range(ROUNDS):
        cost = _cost(component_counts, pattern_counts)
        chosen = [cuts[0] if len(cuts) == 1 else min(cuts, key=cost) for cuts in candidates.values()]
        now = (
            collections.Counter(c for cut in chosen for c in cut.components),
            collections.Counter(cut.pattern for cut in chosen),
        )
        keep = 0.5 if step < DAMPED_ROUNDS else 0
        for counts, new in zip((component_counts, pattern_counts), now):
            for name in counts:
                counts[name] = keep * counts[name] + (1 - keep) * new[name]
    cost = _cost(component_counts, pattern_counts)
    return {character: sorted(cuts, key=cost) for character, cuts in candidates.items()}


def _cost(component_counts, pattern_counts):
    component_costs = {name: 1 / max(count, RAREST) for name, count in component_counts.items()}
    pattern_costs = {name: STRUCTURE_WEIGHT / max(count, RAREST) for name, count in pattern_counts.items()}
    return lambda cut: (
        cut.own_cost + pattern_costs[cut.pattern] + sum(component_costs[c] for c in cut.components)
    )


def unique(choices):
    """Takes the cheapest code of every character that no earlier one has.

    Args:
        choices: dict character -> list of Candidate, cheapest first; characters of more weight first.

    Returns:
        dict character -> Candidate.

    Raises:
        ValueError: a character has no code of its own left.
    """
    taken, result = set(), {}
    for character, cuts in choices.items():
        free = [cut for cut in cuts if cut.tree not in taken]
        if not free:
            raise ValueError(
                f'{character}: all of its {len(cuts)} codes are taken by other characters, expected a'
                ' free one'
            )
        result[character] = free[0]
        taken.add(free[0].tree)
    return result


def build_rows(
    characters, sequences, *, single_bodies, strokes, frequencies=None, symbol_characters='', existing=()
):
    """Computes the dictionary.

    Args:
        characters: iterable of str, ideographs.
        sequences: dict str -> list of (source letters, sequence).
        single_bodies: set of str, ideographs that are never taken apart.
        strokes: set of str, tokens of one stroke.
        frequencies: dict str -> int; orders the characters, those without one come last, by code point.
        symbol_characters: str, characters that are components of their own.
        existing: list of dictionary.Row that stay as they are.

    Returns:
        list of dictionary.Row, `existing` first.
    """
    frequencies = frequencies or {}
    known = {
        kind: {row.name for row in existing if row.kind == kind}
        for kind in ('component', 'structure', 'character')
    }
    fixed = {
        row.name: ids.fill(row.pattern, row.tokens)
        for row in existing
        if row.kind == 'character' and row.pattern not in dictionary.SYMBOL_STRUCTURES
    }
    order = sorted(dict.fromkeys(characters), key=lambda c: (c not in fixed, -frequencies.get(c, 0), c))
    order = list(fixed) + [c for c in order if c not in fixed]
    cuts, candidates = Cuts(sequences, single_bodies=single_bodies), {}
    for character in order:
        trees = (fixed[character],) if character in fixed else cuts.of(character)
        candidates[character] = [candidate(tree, divisible=len(trees) > 1, strokes=strokes) for tree in trees]
    codes = unique(choose(candidates))

    component_counts = collections.Counter(c for cut in codes.values() for c in cut.components)
    pattern_counts = collections.Counter(cut.pattern for cut in codes.values())
    component_names = sorted(
        component_counts, key=lambda name: (-component_counts[name], len(name) > 1, _token_order(name))
    )
    structure_names = sorted(pattern_counts, key=lambda name: (-pattern_counts[name], name))
    new_symbols = [symbol for symbol in symbol_characters if symbol not in known['character']]
    rows = list(existing)
    rows += [dictionary.Row('component', name) for name in component_names if name not in known['component']]
    rows += [
        dictionary.Row('structure', name)
        for name in (*structure_names, *dictionary.SYMBOL_STRUCTURES)
        if name not in known['structure']
    ]
    rows += [dictionary.Row('component', symbol) for symbol in new_symbols]
    rows += [
        dictionary.Row('character', symbol, symbols.structure_of(symbol), (symbol,)) for symbol in new_symbols
    ]
    rows += [
        dictionary.Row('character', c, codes[c].pattern, ids.leaves(codes[c].tree))
        for c in order
        if c not in fixed
    ]
    return rows


def _token_order(name):
    return int(name[1:-1]) if len(name) > 1 else ord(name)


def further_ideographs(characters, rows, sequences, *, single_bodies, strokes):
    """Sequences for ideographs outside the table, in its components where it has them.

    Args:
        characters: iterable of str.
        rows: list of dictionary.Row.
        sequences, single_bodies, strokes: as `build_rows`.

    Returns:
        dict character -> sequence; one whose components the table lacks keeps its own sequence, from which
        errors tell what is missing.
    """
    codes = {
        row.name: ids.fill(row.pattern, row.tokens)
        for row in rows
        if row.kind == 'character' and row.pattern not in dictionary.SYMBOL_STRUCTURES
    }
    components = {row.name for row in rows if row.kind == 'component'}
    counts = collections.Counter(leaf for tree in codes.values() for leaf in set(ids.leaves(tree)))
    pattern_counts = collections.Counter(map(ids.pattern, codes.values()))
    taken, cuts, result = set(codes.values()), Cuts(sequences, single_bodies=single_bodies), {}
    for character in characters:
        if character in codes or character in components:
            continue
        trees = [
            tree
            for tree in cuts.of(character)
            if tree != character and components.issuperset(ids.leaves(tree))
        ]
        if trees:
            options = [candidate(tree, divisible=True, strokes=strokes) for tree in trees]
            cost = _cost(
                collections.Counter({leaf: counts[leaf] for option in options for leaf in option.components}),
                collections.Counter({option.pattern: pattern_counts[option.pattern] for option in options}),
            )
            # The glyph of a table character only where nothing else describes this one.
            result[character] = ids.format_tree(
                min(options, key=lambda option: (option.tree in taken, cost(option))).tree
            )
        elif cuts.expand(character) is not None:
            result[character] = ids.format_tree(cuts.expand(character))
    return result


def write_tables(folder, sources):
    """Writes dictionary.tsv, sets.tsv and ideographs.tsv; appends to the first and the last where they are
    there.

    Args:
        folder: path; `single_bodies.txt` is read there.
        sources: Sources.

    Returns:
        dict with the numbers of rows: existing, rows, components, structures, characters, ideographs.
    """
    folder = pathlib.Path(folder)
    path, further_path = folder / 'dictionary.tsv', folder / 'ideographs.tsv'
    rows = dictionary.parse_lines(dictionary.read_lines(path), source=str(path)) if path.exists() else []
    further_lines = dictionary.read_lines(further_path) if further_path.exists() else []
    options = dict(
        single_bodies=set((folder / 'single_bodies.txt').read_text('utf-8').strip()), strokes=sources.strokes
    )
    known, existing = dictionary.read_sequences(len(rows), folder), len(rows)
    characters, symbol_characters = '', ''
    editions = (
        (gb2312_hanzi() + sources.standard, symbols.SYMBOLS),
        (
            gbk_and_big5_hanzi(),
            symbols.FURTHER_SYMBOLS,
        ),
    )
    for number, (new, new_symbols) in enumerate(editions, 1):
        characters, symbol_characters, before = characters + new, symbol_characters + new_symbols, len(rows)
        rows = build_rows(
            characters,
            sources.sequences,
            frequencies=sources.frequencies,
            symbol_characters=symbol_characters,
            existing=rows,
            **options,
        )
        if len(rows) == before and number < len(editions):
            continue
        further = further_ideographs(
            map(chr, (*range(0x4E00, 0xA000), *range(0x3400, 0x4DC0))), rows, sources.sequences, **options
        )
        since = (str(len(rows)),) if further_lines else ()
        further_lines += [
            '\t'.join((character, sequence, *since))
            for character, sequence in further.items()
            if known.get(character) != sequence
        ]
        known |= further
    sets = {
        'tgh': sources.standard,
        'symbols': symbol_characters.replace(' ', ''),
        'punctuation': symbols.PUNCTUATION,
    }
    for name, lines in (
        ('dictionary.tsv', [row.line() for row in rows]),
        ('sets.tsv', map('\t'.join, sets.items())),
        ('ideographs.tsv', further_lines),
    ):
        files.write_file(folder / name, ''.join(line + '\n' for line in lines).encode())
    return {
        'existing': existing,
        'rows': len(rows),
        **{
            f'{kind}s': sum(row.kind == kind for row in rows)
            for kind in ('component', 'structure', 'character')
        },
        'ideographs': len(known),
    }


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(
        prog='python -m hwgen.charset.components',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--moji_db',
        required=True,
        help='moji.db of the npm package @mandel59/mojidata 1.8 (e.g. dist/moji.db)',
    )
    parser.add_argument(
        '--out', default=dictionary.TABLES, help='folder of the tables (default: those of the package)'
    )
    options = parser.parse_args(arguments)
    report = write_tables(options.out, read_moji_db(options.moji_db))
    print(', '.join(f'{name} {number}' for name, number in report.items()))

    from hwgen.charset.encoding import Charset  # only now: it reads the tables that were just written

    charset = Charset(dictionary.read_lines(pathlib.Path(options.out) / 'dictionary.tsv'))
    cover = charset.component_cover()
    print(f'hash {charset.hash}')
    print(
        f'{len(cover)} characters show every component and structure:'
        f' {"".join(charset.characters[i] for i in cover)}'
    )


if __name__ == '__main__':
    main()
