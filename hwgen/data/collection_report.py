"""What a prepared collection holds, and what was left out: report.json, rejected.tsv, and a few lines to read at once."""

import collections
import json

from hwgen.charset import extension
from hwgen.charset.encoding import Charset

_SHOWN = 20


def write_report(folder, tally, *, parts, splits):
    """Writes report.json and rejected.tsv.

    Args:
        folder: pathlib.Path.
        tally: conversion.Tally.
        parts: list of Part, of the collection.
        splits: dict {split: dict of counts}.

    Returns:
        dict {character: Proposal} of those outside the dictionary, the most frequent first.
    """
    charset = Charset.load()
    proposals = {character: extension.propose_rows(charset, character) for character in _by_count(tally.outside)}
    outside = {character: {'count': tally.outside[character], 'code_point': f'U+{ord(character):04X}',
                           'sequence': found.sequence or None, 'missing': found.missing, 'nearest': ''.join(found.nearest)}
               for character, found in proposals.items()}
    files = collections.Counter(part.kind for part in parts)
    report = {'files': dict(sorted(files.items())), 'splits': splits,
              'writers_named': len({part.writer for part in parts if part.writer}), 'classes': len(tally.classes),
              'rejected': dict(sorted(tally.skipped.items())), 'outside_the_dictionary': outside,
              'rows_that_add_them': extension.merge_rows(proposals.values()),
              'codes_without_a_character': _by_count(tally.codes), 'class_histogram': _by_count(tally.classes)}
    (folder / 'report.json').write_text(json.dumps(report, ensure_ascii=False, indent=1) + '\n', encoding='utf-8')
    rows = [f'{reason}\t{" ".join(message.split())}\n' for message, reason in tally.rejected.items()]
    (folder / 'rejected.tsv').write_text(''.join(rows), encoding='utf-8', errors='backslashreplace')
    return proposals


def told(tally, *, proposals, splits):
    """The report in a few lines.

    Args:
        tally, splits: see `write_report`.
        proposals: what it returned.

    Yields:
        str.
    """
    lines = sum(counts['records'] for counts in splits.values())
    yield (f'{lines} lines, {sum(counts["characters"] for counts in splits.values())} characters of {len(tally.classes)} '
           f'classes (report.json; sheet.png shows some)')
    if proposals:
        shown = [f'{c} U+{ord(c):04X} {tally.outside[c]}' + (f' ({found.sequence} lacks {"".join(found.missing) or "nothing"})'
                                                             if found.sequence else '')
                 for c, found in list(proposals.items())[:_SHOWN]]
        unknown = sum(1 for found in proposals.values() if not found.sequence)
        yield (f'{len(proposals)} characters outside the dictionary: {", ".join(shown)}'
               + (f'; of {unknown} the package knows no decomposition' if unknown else ''))
        yield ('to add them, append rows_that_add_them of report.json to hwgen/charset/tables/dictionary.tsv and prepare '
               'again; a model must see their components in training')
    if tally.codes:
        shown = ', '.join(f'{code} {n}' for code, n in list(_by_count(tally.codes).items())[:_SHOWN])
        yield f'{len(tally.codes)} codes that decode to nothing: {shown}'
    if tally.skipped:
        yield (f'left out {sum(tally.skipped.values())} samples: {dict(sorted(tally.skipped.items()))}'
               + (' (rejected.tsv has those that cannot be used)' if tally.rejected else ''))


def _by_count(counter):
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
