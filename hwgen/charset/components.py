"""The dictionary builder: every character becomes at most four components and one structure, uniquely.

    python -m hwgen.charset.components --moji_db dist/moji.db

computes the tables of this package from BabelStone's Ideographic Description Sequences (IDS; copyright
waived), which the npm package @mandel59/mojidata holds as table `ids` of its SQLite file, with the list of
common standard characters and word frequencies beside it. Rows that `tables/dictionary.tsv` already has are
kept as they are and new ones appended; delete the files to compute them anew. The table has grown by
editions, each computed with the rows of those before it fixed: GB 2312 and the common standard characters;
then GBK and Big5, the traditional ones.

`component_choice` says how characters are cut, `ideograph_sources` what is read.
"""

import argparse
import collections
import os
import pathlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from hwgen import files
from hwgen.charset import dictionary, ids, symbols
from hwgen.charset.component_choice import Cuts, candidate, choose, cost_of, unique
from hwgen.charset.ideograph_sources import (
    SourcedSequences,
    Sources,
    gb2312_hanzi,
    gbk_and_big5_hanzi,
    read_moji_db,
)


def build_rows(
    characters: Iterable[str],
    sequences: SourcedSequences,
    *,
    single_bodies: Collection[str],
    strokes: Collection[str],
    frequencies: Mapping[str, int] | None = None,
    symbol_characters: str = '',
    existing: Sequence[dictionary.Row] = (),
) -> list[dictionary.Row]:
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


def further_ideographs(
    characters: Iterable[str],
    rows: Sequence[dictionary.Row],
    sequences: SourcedSequences,
    *,
    single_bodies: Collection[str],
    strokes: Collection[str],
) -> dict[str, str]:
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
            cost = cost_of(
                collections.Counter({leaf: counts[leaf] for option in options for leaf in option.components}),
                collections.Counter({option.pattern: pattern_counts[option.pattern] for option in options}),
            )
            # The glyph of a table character only where nothing else describes this one.
            result[character] = ids.format_tree(
                min(options, key=lambda option: (option.tree in taken, cost(option))).tree
            )
        elif (own := cuts.expand(character)) is not None:
            result[character] = ids.format_tree(own)
    return result


def write_tables(folder: str | os.PathLike[str], sources: Sources) -> dict[str, int]:
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


def main(arguments: Sequence[str] | None = None) -> None:
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
