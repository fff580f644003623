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

from hwgen.charset.printable import as_json
from hwgen.data.preparing import collection_report, conversion, record_folder, work_folder
from hwgen.data.preparing.collection import Chosen, Part, input_state, open_collection, source_of
from hwgen.data.preparing.identity import charset_info, normalization, typed_command
from hwgen.data.preparing.picture_intake import intake_settings
from hwgen.data.preparing.split_writer import resumed, write_split
from hwgen.data.preparing.worker_pool import open_pool
from hwgen.data.preparing.writer_splits import draw_writers
from hwgen.settings.prepare import InputSettings, OutputSettings

_INPUT, _OUTPUT = InputSettings(), OutputSettings()  # whose defaults are ours

PARTITIONS = ('auto', 'writers', 'train', 'validation', 'test')
_BYTES_PER_SHARD = 128 << 20
_MAX_SHARDS = 256
_SHOWN = 20
_ALONE_BYTES = 64 << 20  # read before further processes would have started


def prepare_collection(
    out_dir,
    *,
    path,
    source='auto',
    unit=_INPUT.unit,
    partition=_INPUT.partition,
    height_px=_OUTPUT.height_px,
    pen_px=_INPUT.pen_px,
    min_characters=1,
    max_characters=None,
    seed=0,
    validation_share=_INPUT.validation_share,
    test_share=_INPUT.test_share,
    on_error=_OUTPUT.on_error,
    deslant=False,
    normalize_size=None,
    keep_paper=False,
    dark=_INPUT.dark,
    workers=None,
    report=print,
):
    """Writes the records of a collection, and beside them report.json, rejected.tsv and sheet.png.

    The result is the same for any number of workers. An interrupted call leaves no `out_dir`, and the same
    call goes on behind the files that are done; of a file that is larger than 64 MiB, or a data base, behind
    the samples that are done.

    Args:
        out_dir: path to write.
        path: path of a file, an archive or a folder of both.
        source, unit: see `open_collection`.
        partition: 'auto': the official one where files or folders are named by it, else by writer; 'writers':
            by writer; 'train' | 'validation' | 'test': all of it is that.
        height_px: int, higher images are scaled down to it, keeping their aspect; ink is drawn at it.
        pen_px: float, width of the pen that ink is drawn with.
        min_characters, max_characters: int, other lines are left out and counted.
        seed: int >= 0, of the splits.
        validation_share, test_share: float, of the bytes of what the official partition does not settle.
        on_error: 'fail' stops at the first sample that cannot be used; 'skip' keeps the others, and lists it
            in rejected.tsv.
        deslant: bool, shear slanted writing upright: by the slant of each file's writer, of each line where
            the writer is unknown.
        normalize_size: float, the share of a line's height that the core of its writing takes, see
            `line_normalization.sized`; isolated characters keep their sizes. None: as it was written.
        keep_paper: bool, grey paper of an LMDB's pictures stays grey; else it becomes white
            (`paper.flattened`). CASIA's and IAM's are white when read.
        dark: 'refuse' | 'invert' | 'keep', what becomes of pictures of light ink on black.
        workers: int, processes that read; None: one for each CPU, and one in all for a collection of less
            than 64 MiB.
        report: function of a str, told about progress.

    Returns:
        dict, info.json; `skipped` {reason: samples}.

    Raises:
        ValueError: on_error='fail' and a sample that cannot be used (FormatError: a file that is not what its
            format says); or no usable sample.
        FileExistsError: `out_dir` exists and was written with other settings or from other input, or another
            call was interrupted.
        FileNotFoundError: no such path, or nothing of that source in it.
        ChildProcessError: a worker ended without an answer; names the file.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    settings = {
        'input': str(path),
        'unit': unit,
        'partition': partition,
        'height_px': height_px,
        'pen_px': pen_px,
        'min_characters': min_characters,
        'max_characters': max_characters,
        'validation_share': validation_share,
        'test_share': test_share,
        'on_error': on_error,
    }
    settings |= normalization(deslant=deslant, normalize_size=normalize_size)
    whitened = not keep_paper and (source if source != 'auto' else source_of(path)) in conversion.WHITENED
    settings |= intake_settings(whiten=whitened, dark=dark)
    identity = as_json({'source': source, 'version': 1, 'seed': seed, 'settings': settings})
    with work_folder.exclusive(out_dir, report=report) as work:
        state = functools.cache(lambda: input_state(path, source=source))
        done = record_folder.already_there(out_dir, identity, state=state, report=report)
        if done:
            return done
        tally = conversion.Tally(skip=on_error == 'skip')
        converting = {
            'height_px': height_px,
            'pen_px': pen_px,
            'shortest': max(1, min_characters),
            'longest': max_characters or math.inf,
            'deslant': deslant,
            'normalize_size': normalize_size,
            'keep_paper': keep_paper,
            'dark': dark,
        }
        parts = open_collection(path, source=source, unit=unit, refuse=tally.refuse if tally.skip else None)
        shares = {'test': test_share, 'validation': validation_share}
        if workers is None:
            workers = 1 if sum(part.num_bytes for part in parts) < _ALONE_BYTES else os.cpu_count() or 1
        splits = dict(split_parts(parts, seed=seed, shares=shares, partition=partition, report=report))
        kept = state().as_json()  # as it is before the first sample is read
        work.begin(identity, fingerprint=state().fingerprint, report=report)
        resumed(
            work,
            {split: len(members) for split, members in splits.items()},
            unit='file',
            name=out_dir,
            report=report,
        )
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
                    name=out_dir,
                    report=report,
                    tell=tally.merge,
                )
                if counts:
                    written[split] = counts
        if 'train' not in written and partition not in ('validation', 'test') or not written:
            raise ValueError(
                f'{path}: no usable sample{" to train on" if written else ""}, left out '
                f'{dict(tally.skipped) or "none"}'
            )
        info = {
            **identity,
            'splits': written,
            'charset': charset_info(),
            'image_height_px': height_px,
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
    official = partition == 'auto' and {part.partition for part in parts} & {'test', 'validation'}
    by_writer = {}
    for part in parts if official else ():
        if part.partition and part.writer:
            by_writer.setdefault(part.writer, set()).add(part.partition)
    twice = sorted(writer for writer, found in by_writer.items() if len(found) > 1)
    if twice:
        report(f'the official partition has {len(twice)} writers in two splits: {", ".join(twice[:_SHOWN])}')
    splits, pool = {'train': []}, []
    for part in parts:
        named = official and (part.partition or min(by_writer.get(part.writer, {'train'})))
        if named in ('test', 'validation'):
            splits.setdefault(named, []).append((part, None))
        else:
            pool.append(part)
    shares = {split: share for split, share in shares.items() if split not in splits and share > 0}
    weights = collections.Counter()
    for part in pool:
        if part.writer:
            weights[part.writer] += max(1, part.num_bytes)
    everything = all(part.writer for part in pool)  # else samples without a writer are drawn for every split
    drawn = draw_writers(
        weights, seed=seed, shares=shares, keep=set(twice), report=report if everything else lambda line: None
    )
    for part in pool:
        if part.writer:
            splits.setdefault(drawn.get(part.writer, 'train'), []).append((part, None))
            continue
        for split in ('train', *shares):
            splits.setdefault(split, []).append(
                (part, functools.partial(_is_chosen, part.name, split, seed, shares))
            )
    return [(split, splits[split]) for split in ('train', 'validation', 'test') if splits.get(split)]


def _is_chosen(name, split, seed, shares, record):
    """Whether a sample of a part without a writer belongs to a split, by a hash of (seed, part, record)."""
    left = int.from_bytes(hashlib.sha256(f'{seed} {name} {record}'.encode()).digest()[:8], 'big') / 2**64
    for candidate, share in shares.items():
        if left < share:
            return candidate == split
        left -= share
    return split == 'train'
