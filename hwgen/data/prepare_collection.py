"""Folders of records from collections of handwriting: splits by writer, a report, the list of what was left out."""

import collections
import hashlib
import itertools
import json
import math
import time

import numpy as np

from hwgen.charset.encoding import Charset, CharsetError
from hwgen.data import record_folder
from hwgen.data import records as records_lib
from hwgen.data import shards as shards_lib
from hwgen.data.collection import open_collection
from hwgen.data.formats.samples import UNKNOWN_CHARACTER, FormatError, Ink
from hwgen.data.line_image import draw_ink, on_paper, scaled_down, with_cells

PARTITIONS = ('auto', 'writers', 'train', 'validation', 'test')
_BYTES_PER_SHARD = 128 << 20
_MAX_SHARDS = 256
_REPORT_SEC = 5
_SHOWN = 20


def prepare_collection(out_dir, *, path, source='auto', unit='lines', partition='auto', height_px=64, pen_px=2.0,
                       min_characters=1, max_characters=None, seed=0, validation_share=.05, test_share=.05, on_error='fail',
                       report=print):
    """Writes the records of a collection, and beside them report.json and rejected.tsv.

    Args:
        out_dir: path to write.
        path: path of a file, an archive or a folder of both.
        source, unit: see `open_collection`.
        partition: 'auto': the official one where files or folders are named by it, else by writer; 'writers': by writer;
            'train' | 'validation' | 'test': all of it is that.
        height_px: int, higher images are scaled down to it, keeping their aspect; ink is drawn at it.
        pen_px: float, width of the pen that ink is drawn with.
        min_characters, max_characters: int, other lines are left out and counted.
        seed: int >= 0, of the splits.
        validation_share, test_share: float, of the bytes of what the official partition does not settle.
        on_error: 'fail' stops at the first sample that cannot be used; 'skip' keeps the others, and lists it in rejected.tsv.
        report: function of a str, told about progress.

    Returns:
        dict, info.json; `skipped` {reason: samples}.

    Raises:
        ValueError: on_error='fail' and a sample that cannot be used (FormatError: a file that is not what its format
            says); or no usable sample.
        FileExistsError: `out_dir` exists and was written with other settings.
        FileNotFoundError: no such path, or nothing of that source in it.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    settings = {'input': str(path), 'unit': unit, 'partition': partition, 'height_px': height_px, 'pen_px': pen_px,
                'min_characters': min_characters, 'max_characters': max_characters, 'validation_share': validation_share,
                'test_share': test_share, 'on_error': on_error}
    identity = {'source': source, 'version': 1, 'seed': seed, 'settings': settings}
    with record_folder.exclusive(out_dir) as partial:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        converter = _Converter(height_px=height_px, pen_px=pen_px, shortest=max(1, min_characters),
                               longest=max_characters or math.inf, rejected=None if on_error == 'fail' else [])
        parts = open_collection(path, source=source, unit=unit, refuse=converter.refuse if on_error == 'skip' else None)
        shares = {'test': test_share, 'validation': validation_share}
        written = {}
        for split, members in split_parts(parts, seed=seed, shares=shares, partition=partition, report=report):
            counts = _write_split(converter, members, partial, split=split, report=report, name=out_dir)
            if counts:
                written[split] = counts
        if 'train' not in written and partition not in ('validation', 'test') or not written:
            raise ValueError(f'{path}: no usable sample{" to train on" if written else ""}, left out '
                             f'{dict(converter.skipped) or "none"}')
        _write_report(partial, converter, parts, written)
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(), 'image_height_px': height_px,
                'vocabulary': sorted(converter.present), 'held_out': [], 'skipped': dict(sorted(converter.skipped.items())),
                'command': record_folder.typed_command()}
        for line in _told(converter, written):
            report(f'{out_dir}: {line}')
        return record_folder.publish(partial, out_dir, info, report=report)


def split_parts(parts, *, seed, shares, partition, report=print):
    """Which parts of a collection belong to which split; no writer is in two.

    Where the official partition settles test or validation it stands, and what it does not name goes with its writer, or
    to train. What it leaves open is drawn by writer, in an order by a hash of (seed, name). Samples of a part without a
    writer are drawn one by one.

    Args:
        parts: list of Part.
        seed: int.
        shares: dict {split: share of the bytes}, of the splits to draw.
        partition: see `prepare_collection`.
        report: function of a str, told of writers that the official partition has twice.

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
    drawn = _draw_writers([part for part in pool if part.writer], seed=seed, shares=shares, keep=set(twice))
    for part in pool:
        if part.writer:
            splits.setdefault(drawn.get(part.writer, 'train'), []).append((part, None))
            continue
        for split in ('train', *shares):
            splits.setdefault(split, []).append((part, _chooser(part.name, split, seed=seed, shares=shares)))
    return [(split, splits[split]) for split in ('train', 'validation', 'test') if splits.get(split)]


def _draw_writers(parts, *, seed, shares, keep):
    """{writer: split} of those that are drawn; at least one writer is left, and `keep` are."""
    weights = collections.Counter()
    for part in parts:
        weights[part.writer] += max(1, part.num_bytes)
    order = sorted(weights.keys() - keep, key=lambda writer: hashlib.sha256(f'{seed} {writer}'.encode()).digest())
    drawn, total = {}, sum(weights.values())
    for split, share in shares.items():
        weight = 0
        while len(order) > 1 and weight < share * total:
            drawn[order[-1]] = split
            weight += weights[order.pop()]
    return drawn


def _chooser(name, split, *, seed, shares):
    """Whether a sample of a part without a writer belongs to a split, by a hash of (seed, part, record)."""

    def chosen(record):
        left = int.from_bytes(hashlib.sha256(f'{seed} {name} {record}'.encode()).digest()[:8], 'big') / 2**64
        for candidate, share in shares.items():
            if left < share:
                return candidate == split
            left -= share
        return split == 'train'

    return chosen


class _Converter:
    """Makes records of samples, and counts them and what is left out.

    `rejected` is None (a sample that cannot be used is raised), or a list that such samples are put into.
    """

    def __init__(self, *, height_px, pen_px, shortest, longest, rejected):
        self._settings = height_px, pen_px, shortest, longest
        self._charset = Charset.load()
        self._known = {}
        self.rejected = rejected
        self.classes, self.outside, self.codes, self.skipped = (collections.Counter() for _ in range(4))
        self.present, self._seen = set(), set()

    def refuse(self, error, reason=None):
        """Raises, or lists and counts, a sample that cannot be used."""
        if self.rejected is None:
            raise error
        if str(error) not in self._seen:  # a part without a writer is read once for each split
            self._seen.add(str(error))
            reason = reason or error.reason
            self.rejected.append((reason, str(error)))
            self.skipped[reason] += 1

    def records(self, part, chosen):
        """The records of a part."""
        try:
            yield from self._records(part, chosen)
        except FormatError as error:
            self.refuse(error)
        except OSError as error:
            self.refuse(FormatError(f'{part.name}, byte 0: {error.strerror or error}', reason='file'))

    def _records(self, part, chosen):
        refuse = None if self.rejected is None else self.refuse
        samples = part.read(refuse=refuse)
        for sample, cell in with_cells(samples) if part.isolated else ((sample, None) for sample in samples):
            if chosen is None or chosen(sample.record):
                record = self._record(part, sample, cell)
                if record is not None:
                    yield record

    def _record(self, part, sample, cell):
        height_px, pen_px, shortest, longest = self._settings
        place = f'{part.name}, {part.unit} {sample.record}, byte {sample.offset}'
        if sample.note:
            self.skipped[sample.note] += 1
            return None
        if UNKNOWN_CHARACTER in sample.text:
            bad = [code for code, character in zip(sample.codes, sample.text) if character == UNKNOWN_CHARACTER]
            self.codes.update(code.hex() for code in bad)
            shown = f'code {" ".join(code.hex() for code in bad[:_SHOWN])}' if bad else 'a code'
            self.refuse(FormatError(f'{place}: {shown} decodes to nothing, expected GBK or ASCII', reason='code'))
            return None
        try:
            encoded = self._charset.encode(sample.text.strip())
        except CharsetError as error:
            self.outside.update(c for c in sample.text if not self._is_known(c))
            self.refuse(FormatError(f'{place}: {error}', reason='text'))
            return None
        if not shortest <= len(encoded.character_ids) <= longest:
            self.skipped['length'] += 1
            return None
        try:
            image, boxes = self._image(part, sample, cell, height_px=height_px, pen_px=pen_px, units=len(encoded.units))
        except ValueError as error:
            self.refuse(FormatError(f'{place}: {error}', reason='size'))
            return None
        self.classes.update(encoded.units)
        self.present.update(int(i) for i in encoded.character_ids if i)
        return records_lib.LineRecord(
            image=image, text=sample.text.strip(), character_ids=encoded.character_ids, component_ids=encoded.component_ids,
            structure_ids=encoded.structure_ids, writer=sample.writer or part.writer or f'unknown {part.name} {sample.record}',
            source=part.kind, boxes=boxes)

    @staticmethod
    def _image(part, sample, cell, *, height_px, pen_px, units):
        if isinstance(sample, Ink):
            return draw_ink(sample.strokes, height_px=height_px, pen_px=pen_px, num_characters=units, cell_extent=cell), None
        image, boxes = sample.image, sample.boxes
        if part.isolated:
            image = on_paper(image)
        scaled = scaled_down(image, height_px=height_px)
        if boxes is not None and len(boxes) == units:
            factor = np.array(scaled.shape[::-1] * 2) / np.array(image.shape[::-1] * 2)
            return scaled, np.round(boxes * factor).astype(np.int32)
        return scaled, None

    def _is_known(self, character):
        if character not in self._known:
            try:
                self._charset.encode(character)
                self._known[character] = True
            except CharsetError:
                self._known[character] = False
        return self._known[character]


def _write_split(converter, members, partial, *, split, report, name):
    """Writes a split's shards; returns its counts, or None where it has no record."""
    total = sum(part.num_bytes for part, _ in members) or 1
    start = last = time.monotonic()

    def records():
        nonlocal last
        read, count = 0, 0
        for number, (part, chosen) in enumerate(members, 1):
            for record in converter.records(part, chosen):
                yield record
                count += 1
                now = time.monotonic()
                if now - last >= _REPORT_SEC:
                    last, passed = now, now - start
                    left = f', {math.ceil(passed * (total - read) / read)} s left' if read else ''
                    report(f'{name}: {split} file {number}/{len(members)}, {100 * read // total} %, {count} lines, '
                           f'{count / passed:.0f} lines/s{left}')
            read += part.num_bytes

    stream = records()
    first = next(stream, None)
    if first is None:
        report(f'{name}: {split} has no usable line')
        return None
    num_shards = min(_MAX_SHARDS, math.ceil(total / _BYTES_PER_SHARD))
    counts = shards_lib.write_shards(itertools.chain([first], stream), partial, split=split, num_shards=num_shards)
    report(f'{name}: {split} {counts.records} lines of {counts.writers} writers, {counts.characters} characters, '
           f'{counts.records / max(time.monotonic() - start, 1e-9):.0f} lines/s')
    return counts._asdict()


def _write_report(partial, converter, parts, written):
    files = collections.Counter(part.kind for part in parts)
    report = {'files': dict(sorted(files.items())), 'splits': written,
              'writers_named': len({part.writer for part in parts if part.writer}), 'classes': len(converter.classes),
              'rejected': dict(sorted(converter.skipped.items())),
              'outside_the_dictionary': dict(sorted(converter.outside.items(), key=lambda item: (-item[1], item[0]))),
              'codes_without_a_character': dict(sorted(converter.codes.items(), key=lambda item: (-item[1], item[0]))),
              'class_histogram': dict(sorted(converter.classes.items(), key=lambda item: (-item[1], item[0])))}
    (partial / 'report.json').write_text(json.dumps(report, ensure_ascii=False, indent=1) + '\n', encoding='utf-8')
    rows = [f'{reason}\t{" ".join(message.split())}\n' for reason, message in converter.rejected or ()]
    (partial / 'rejected.tsv').write_text(''.join(rows), encoding='utf-8', errors='backslashreplace')


def _told(converter, written):
    """The report in a few lines."""
    lines = sum(counts['records'] for counts in written.values())
    yield (f'{lines} lines, {sum(counts["characters"] for counts in written.values())} characters of {len(converter.classes)} '
           f'classes (report.json)')
    if converter.outside:
        shown = ', '.join(f'{c} U+{ord(c):04X} {n}' for c, n in converter.outside.most_common(_SHOWN))
        yield f'{len(converter.outside)} characters outside the dictionary: {shown}'
    if converter.codes:
        shown = ', '.join(f'{code} {n}' for code, n in converter.codes.most_common(_SHOWN))
        yield f'{len(converter.codes)} codes that decode to nothing: {shown}'
    if converter.skipped:
        yield (f'left out {sum(converter.skipped.values())} samples: {dict(sorted(converter.skipped.items()))}'
               + (' (rejected.tsv has those that cannot be used)' if converter.rejected else ''))
