"""Folders of records from collections of handwriting: splits by writer, a report, the list of what was
left out.
"""

import collections
import functools
import hashlib
import itertools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hwgen.charset.printable import as_json
from hwgen.data.formats import registry
from hwgen.data.formats.format import Part
from hwgen.data.preparing import collection_report, conversion, record_folder, work_folder
from hwgen.data.preparing.collection import Chosen, input_state, open_collection, source_of
from hwgen.data.preparing.identity import charset_info, normalization, typed_command
from hwgen.data.preparing.picture_intake import intake_settings
from hwgen.data.preparing.split_writer import resumed, write_split
from hwgen.data.preparing.work_folder import WorkFolder
from hwgen.data.preparing.worker_pool import open_pool
from hwgen.data.preparing.writer_splits import draw_writers
from hwgen.settings.prepare import InputSettings, OutputSettings

PARTITIONS = ('auto', 'writers', 'train', 'validation', 'test')
_BYTES_PER_SHARD = 128 << 20
_MAX_SHARDS = 256
_SHOWN = 20
_ALONE_BYTES = 64 << 20  # read before further processes would have started


def prepare_collection(
    output: OutputSettings, given: InputSettings, *, report: Callable[[str], object] = print
) -> dict[str, Any]:
    """Writes the records of a collection, and beside them report.json, rejected.tsv and sheet.png.

    The result is the same for any number of workers. An interrupted call leaves no folder, and the same call
    goes on behind the files that are done; of a file that is larger than 64 MiB, or a data base, behind the
    samples that are done.

    Args:
        output: OutputSettings: `source`, a value of `registry.sources` or 'auto'; `out`, the folder to write;
            `seed` of the splits; `height_px`, to which higher images are scaled down, and at which ink is
            drawn; `min_characters` (None: 1) and `max_characters`, other lines are left out and counted;
            `workers` that read, None: one for each CPU, and one in all for a collection of less than 64 MiB;
            `on_error`: 'fail' stops at the first sample that cannot be used, 'skip' keeps the others, and
            lists it in rejected.tsv.
        given: InputSettings: `input`, a file, an archive or a folder of both; `unit` (`open_collection`);
            `partition`: 'auto' is the official one where files or folders are named by it, else by writer,
            'writers' by writer, 'train' | 'validation' | 'test': all of it is that; `pen_px`, the pen that
            ink is drawn with; the shares of what the official partition does not settle, of its bytes;
            `deslant`, by the slant of each file's writer, of each line where the writer is unknown;
            `normalize_size` (`line_normalization.sized`), isolated characters keep their sizes;
            `keep_paper`, else the grey paper of pictures that come as they were taken becomes white
            (`paper.flattened`); `dark`.
        report: function of a str, told about progress.

    Returns:
        dict, info.json; `skipped` {reason: samples}.

    Raises:
        ValueError: on_error='fail' and a sample that cannot be used (FormatError: a file that is not what its
            format says); no such source; or no usable sample.
        FileExistsError: `out` exists and was written with other settings or from other input, or another
            call was interrupted.
        FileNotFoundError: no such path, or nothing of that source in it.
        ChildProcessError: a worker ended without an answer; names the file.
    """
    if output.out is None or given.input is None:
        raise ValueError(
            f'out={output.out}, input={given.input}: expected a folder to write and a collection'
        )
    out_dir, path = output.out, given.input
    whitened = not given.keep_paper and _has_paper(path, output.source)
    identity = _identity(output, given, whitened=whitened)
    with work_folder.exclusive(out_dir, report=report) as work:
        state = functools.cache(functools.partial(input_state, path, source=output.source))
        done = record_folder.already_there(out_dir, identity, state=state, report=report)
        if done:
            return done
        tally = conversion.Tally(skip=output.on_error == 'skip')
        parts = open_collection(
            path, source=output.source, unit=given.unit, refuse=tally.refuse if tally.skip else None
        )
        splits = split_parts(
            parts,
            seed=output.seed,
            shares={'test': given.test_share, 'validation': given.validation_share},
            partition=given.partition,
            report=report,
        )
        kept = state().as_json()  # as it is before the first sample is read
        work.begin(identity, fingerprint=state().fingerprint, report=report)
        workers = output.workers or _num_workers(parts)
        written = _write_splits(work, dict(splits), output, given, tally, workers=workers, report=report)
        if not written or 'train' not in written and given.partition not in ('validation', 'test'):
            raise ValueError(
                f'{path}: no usable sample{" to train on" if written else ""}, left out '
                f'{dict(tally.skipped) or "none"}'
            )
        info = {
            **identity,
            'splits': written,
            'charset': charset_info(),
            'image_height_px': output.height_px,
            'vocabulary': sorted(tally.present),
            'held_out': [],
            'skipped': dict(sorted(tally.skipped.items())),
            'input': kept,
            'command': typed_command(),
        }
        return collection_report.publish(
            work,
            out_dir,
            info,
            tally,
            files=[part.kind for part in parts],
            whitened=whitened,
            writers_named=len({part.writer for part in parts if part.writer}),
            report=report,
        )


def _has_paper(path: str, source: str) -> bool:
    """Whether the pictures of a collection come as they were taken, with the grey of their paper."""
    found = source_of(path) if source == 'auto' else source
    return found is not None and any(not one.white_paper for one in registry.formats_of(found))


def _identity(output: OutputSettings, given: InputSettings, *, whitened: bool) -> dict[str, Any]:
    """By what the folder is known: see `record_folder.already_there`."""
    settings = {
        'input': str(given.input),
        'unit': given.unit,
        'partition': given.partition,
        'height_px': output.height_px,
        'pen_px': given.pen_px,
        'min_characters': output.min_characters or 1,
        'max_characters': output.max_characters,
        'validation_share': given.validation_share,
        'test_share': given.test_share,
        'on_error': output.on_error,
    }
    settings |= normalization(deslant=given.deslant, normalize_size=given.normalize_size)
    settings |= intake_settings(whiten=whitened, dark=given.dark)
    return as_json({'source': output.source, 'version': 1, 'seed': output.seed, 'settings': settings})


def _write_splits(
    work: WorkFolder,
    splits: Mapping[str, Sequence[tuple[Part, Chosen]]],
    output: OutputSettings,
    given: InputSettings,
    tally: conversion.Tally,
    *,
    workers: int,
    report: Callable[[str], object],
) -> dict[str, dict[str, int]]:
    """Writes the splits, from where an interrupted process left them: the counts of those that have lines."""
    converting = {
        'height_px': output.height_px,
        'pen_px': given.pen_px,
        'shortest': output.min_characters or 1,
        'longest': output.max_characters or math.inf,
        'deslant': given.deslant,
        'normalize_size': given.normalize_size,
        'keep_paper': given.keep_paper,
        'dark': given.dark,
    }
    totals = {split: len(members) for split, members in splits.items()}
    resumed(work, totals, unit='file', name=output.out, report=report)
    written = {}
    with open_pool(workers) as pool:
        for split, members in splits.items():
            weights = list(itertools.accumulate((part.num_bytes for part, _ in members), initial=0))
            counts = write_split(
                work,
                functools.partial(
                    conversion.converted, members, settings=converting, skip=tally.skip, pool=pool
                ),
                split=split,
                num_shards=min(_MAX_SHARDS, math.ceil((weights[-1] or 1) / _BYTES_PER_SHARD)),
                steps=len(members),
                unit='file',
                weights=weights,
                name=output.out,
                report=report,
                tell=tally.merge,
            )
            if counts:
                written[split] = counts
    return written


def _num_workers(parts: Sequence[Part]) -> int:
    """How many processes read where that was not asked for."""
    return 1 if sum(part.num_bytes for part in parts) < _ALONE_BYTES else os.cpu_count() or 1


def split_parts(
    parts: Sequence[Part],
    *,
    seed: int,
    shares: Mapping[str, float],
    partition: str,
    report: Callable[[str], object] = print,
) -> list[tuple[str, list[tuple[Part, Chosen]]]]:
    """Which parts of a collection belong to which split; no writer is in two.

    Where the official partition settles test or validation it stands, and what it does not name goes with its
    writer, or to train. What it leaves open is drawn by writer, see `draw_writers`. Samples of a part without
    a writer are drawn one by one.

    Args:
        parts: list of Part.
        seed: int.
        shares: dict {split: share of the bytes}, of the splits to draw.
        partition: see `prepare_collection`.
        report: function of a str, told of writers that the official partition has twice, and of splits that
            stay empty.

    Returns:
        list of (split, list of (Part, None or function of a record's number -> bool)); train first.
    """
    if partition not in PARTITIONS:
        raise ValueError(f'partition={partition!r}: expected one of {", ".join(PARTITIONS)}')
    if partition in ('train', 'validation', 'test'):
        return [(partition, [(part, None) for part in parts])]
    official = partition == 'auto' and any(part.partition in ('test', 'validation') for part in parts)
    by_writer: dict[str, set[str]] = {}
    if official:
        for part in parts:
            if part.partition and part.writer:
                by_writer.setdefault(part.writer, set()).add(part.partition)
    twice = sorted(writer for writer, found in by_writer.items() if len(found) > 1)
    if twice:
        report(f'the official partition has {len(twice)} writers in two splits: {", ".join(twice[:_SHOWN])}')
    splits: dict[str, list[tuple[Part, Chosen]]] = {'train': []}
    left: list[Part] = []  # what the official partition does not settle
    for part in parts:
        named = (part.partition or min(by_writer.get(part.writer, {'train'}))) if official else ''
        if named in ('test', 'validation'):
            splits.setdefault(named, []).append((part, None))
        else:
            left.append(part)
    shares = {split: share for split, share in shares.items() if split not in splits and share > 0}
    weights: collections.Counter[str] = collections.Counter()
    for part in left:
        if part.writer:
            weights[part.writer] += max(1, part.num_bytes)
    everything = all(part.writer for part in left)  # else samples without a writer are drawn for every split
    drawn = draw_writers(
        weights, seed=seed, shares=shares, keep=set(twice), report=report if everything else _say_nothing
    )
    for part in left:
        if part.writer:
            splits.setdefault(drawn.get(part.writer, 'train'), []).append((part, None))
            continue
        for split in ('train', *shares):
            splits.setdefault(split, []).append(
                (part, functools.partial(_is_chosen, part.name, split, seed, shares))
            )
    return [(split, splits[split]) for split in ('train', 'validation', 'test') if splits.get(split)]


def _say_nothing(line: str) -> None:
    del line


def _is_chosen(name: str, split: str, seed: int, shares: Mapping[str, float], record: int) -> bool:
    """Whether a sample of a part without a writer belongs to a split, by a hash of (seed, part, record)."""
    left = int.from_bytes(hashlib.sha256(f'{seed} {name} {record}'.encode()).digest()[:8], 'big') / 2**64
    for candidate, share in shares.items():
        if left < share:
            return candidate == split
        left -= share
    return split == 'train'
