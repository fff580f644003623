"""What prepared pictures and ink are, and what was left out: report.json, rejected.tsv, sheet.png, and a
few lines to read at once.
"""

import collections
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from hwgen.charset import extension
from hwgen.charset.encoding import Charset
from hwgen.charset.printable import printable
from hwgen.data.formats.image_files import REPORT, SHEET
from hwgen.data.preparing import picture_intake, record_folder
from hwgen.data.preparing.contact_sheet import sheet_of_writers
from hwgen.data.preparing.conversion import Tally
from hwgen.data.preparing.work_folder import WorkFolder
from hwgen.data.reading import records as records_lib
from hwgen.data.reading import shards as shards_lib

_SHOWN = 20
_ON_SHEET = 60


def publish(
    work: WorkFolder,
    out_dir: str | os.PathLike[str],
    info: dict[str, Any],
    tally: Tally,
    *,
    files: Iterable[str],
    writers_named: int,
    whitened: bool,
    report: Callable[[str], object],
) -> dict[str, Any]:
    """Completes a folder whose splits are written: the reports and the sheet beside them, info.json, its
    name.

    Args:
        work: work_folder.WorkFolder.
        out_dir: path.
        info: dict, info.json.
        tally, files, writers_named: see `write_report`.
        whitened: bool, whether grey paper became white.
        report: function of a str, told what was found.

    Returns:
        dict, info.json.
    """
    splits = info['splits']
    proposals = write_report(work.path, tally, files=files, writers_named=writers_named, splits=splits)
    shards_lib.write_info(work.path, info)  # the sheet is drawn from what was written
    (work.path / SHEET).write_bytes(
        records_lib.encode_png(sheet_of_writers(work.path, work.first_records(), most=_ON_SHEET))
    )
    for line in told(tally, proposals=proposals, splits=splits, whitened=whitened):
        report(f'{out_dir}: {line}')
    return record_folder.publish(work, out_dir, info, report=report)


def write_report(
    folder: pathlib.Path,
    tally: Tally,
    *,
    files: Iterable[str],
    writers_named: int,
    splits: Mapping[str, Mapping[str, int]],
) -> dict[str, extension.Proposal]:
    """Writes report.json and rejected.tsv.

    Args:
        folder: pathlib.Path.
        tally: conversion.Tally.
        files: iterable of str, the kind of each file that was read.
        writers_named: int.
        splits: dict {split: dict of counts}.

    Returns:
        dict {character: Proposal} of those outside the dictionary, the most frequent first.
    """
    charset = Charset.load()
    proposals = {
        character: extension.propose_rows(charset, character) for character in _by_count(tally.outside)
    }
    outside = {
        character: {
            'count': tally.outside[character],
            'code_point': f'U+{ord(character):04X}',
            'sequence': found.sequence or None,
            'missing': found.missing,
            'nearest': ''.join(found.nearest),
        }
        for character, found in proposals.items()
    }
    report = {
        'files': dict(sorted(collections.Counter(files).items())),
        'splits': splits,
        'writers_named': writers_named,
        'classes': len(tally.classes),
        'rejected': dict(sorted(tally.skipped.items())),
        'remarks': dict(sorted(tally.remarks.items())),
        'outside_the_dictionary': outside,
        'rows_that_add_them': extension.merge_rows(proposals.values()),
        'codes_without_a_character': _by_count(tally.codes),
        'class_histogram': _by_count(tally.classes),
    }
    (folder / REPORT).write_text(json.dumps(report, ensure_ascii=False, indent=1) + '\n', encoding='utf-8')
    rows = [
        f'{reason}\t{printable(" ".join(message.split()))}\n' for message, reason in tally.rejected.items()
    ]
    (folder / 'rejected.tsv').write_text(''.join(rows), encoding='utf-8', errors='backslashreplace')
    return proposals


def told(
    tally: Tally,
    *,
    proposals: Mapping[str, extension.Proposal],
    splits: Mapping[str, Mapping[str, int]],
    whitened: bool,
) -> Iterator[str]:
    """The report in a few lines.

    Args:
        tally, splits: see `write_report`.
        whitened: see `publish`.
        proposals: what it returned.

    Yields:
        str.
    """
    lines = sum(counts['records'] for counts in splits.values())
    yield (
        f'{lines} lines, {sum(counts["characters"] for counts in splits.values())} characters of'
        f' {len(tally.classes)} classes (report.json; sheet.png shows some)'
    )
    yield from picture_intake.told(tally.remarks, total=lines, whitened=whitened)
    if proposals:
        shown = [
            f'{c} U+{ord(c):04X} {tally.outside[c]}'
            + (f' ({found.sequence} lacks {"".join(found.missing) or "nothing"})' if found.sequence else '')
            for c, found in list(proposals.items())[:_SHOWN]
        ]
        unknown = sum(1 for found in proposals.values() if not found.sequence)
        yield f'{len(proposals)} characters outside the dictionary: {", ".join(shown)}' + (
            f'; of {unknown} the package knows no decomposition' if unknown else ''
        )
        yield (
            'to add them, append rows_that_add_them of report.json to hwgen/charset/tables/dictionary.tsv and'
            ' prepare again; a model must see their components in training'
        )
    if tally.codes:
        codes = ', '.join(f'{code} {n}' for code, n in list(_by_count(tally.codes).items())[:_SHOWN])
        yield f'{len(tally.codes)} codes that decode to nothing: {codes}'
    if tally.skipped:
        yield f'left out {sum(tally.skipped.values())} samples: {dict(sorted(tally.skipped.items()))}' + (
            ' (rejected.tsv has those that cannot be used)' if tally.rejected else ''
        )


def _by_count(counter):
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
