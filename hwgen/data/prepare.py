"""Folders of records from the embedded corpus or from a folder of images; complete or not there at all."""

import collections
import contextlib
import functools
import hashlib
import math
import os
import pathlib

from hwgen.charset.encoding import Charset
from hwgen.data import record_folder
from hwgen.data import records as records_lib
from hwgen.data.formats.archives import File, fingerprint
from hwgen.data.formats.folder import list_images, read_folder, read_image
from hwgen.data.formats.samples import FormatError
from hwgen.data.line_image import scaled_down
from hwgen.data.line_normalization import IMAGES_OF_A_HAND, estimate_slant, shear, sized
from hwgen.data.scribe import corpus
from hwgen.data.split_writer import Piece, resumed, write_split
from hwgen.data.worker_pool import open_pool

_LINES_PER_SHARD = 5000
_LINES_PER_PIECE = 32


def prepare_scribe(out_dir, *, lines=48000, vocabulary_size=3500, seed=0, min_characters=2, max_characters=8,
                   height_px=64, script='chinese', validation_lines=500, test_lines=500, unseen_lines=500, shots=(), workers=None,
                   report=print):
    """Has the embedded corpus written: train, validation, test (other writers) and unseen (held-out characters).

    The result is the same for any number of workers. A folder that is there and was written with the same settings is
    left as it is; an interrupted call leaves no `out_dir`, and the same call goes on where it was.

    Args:
        out_dir: path to write.
        lines, validation_lines, test_lines, unseen_lines: int, lines of each split; Latin has no unseen.
        vocabulary_size: int, hanzi that have images; punctuation, digits and letters come on top. Latin: ignored.
        seed: int >= 0.
        min_characters, max_characters: int, length of a line.
        height_px: int, height of the stored images.
        script: 'chinese' | 'latin'.
        shots: sequence of int, how often training lines show the characters of each group of held-out ones (`corpus.plan_corpus`);
            empty: never.
        workers: int, processes; None: one for each CPU.
        report: function of a str, told about progress.

    Returns:
        dict, info.json.

    Raises:
        ValueError: impossible settings.
        FileExistsError: `out_dir` exists and was written with other settings, or another call was interrupted.
        ChildProcessError: a worker ended without an answer.
    """
    settings = {'lines': lines, 'validation_lines': validation_lines, 'test_lines': test_lines,
                'unseen_lines': unseen_lines, 'vocabulary_size': vocabulary_size, 'seed': seed,
                'min_characters': min_characters, 'max_characters': max_characters, 'height_px': height_px,
                'script': script}
    if shots:
        settings['shots'] = list(shots)
    identity = {'source': 'scribe', 'version': corpus.SCRIBE_VERSION, 'seed': seed, 'settings': settings}
    with record_folder.exclusive(out_dir, report=report) as work:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        plan = _plan(settings)
        counts = {name: n for name, n in plan.splits.items() if n}
        work.begin(identity, report=report)
        resumed(work, counts, unit='line', name=out_dir, report=report)
        written = {}
        with open_pool(workers or os.cpu_count() or 1, start=_start_worker, arguments=(settings,)) as pool:
            for split, n in counts.items():
                written[split] = write_split(work, functools.partial(_drawn_lines, plan, pool, split), split=split, steps=n, unit='line',
                                             num_shards=math.ceil(n / _LINES_PER_SHARD), name=out_dir, report=report)
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(), 'image_height_px': height_px,
                'vocabulary': [int(i) for i in plan.vocabulary], 'held_out': [int(i) for i in plan.held_out],
                'command': record_folder.typed_command()}
        if shots:
            info['shots'] = {str(count): list(group) for count, group in plan.shots.items()}
        return record_folder.publish(work, out_dir, info, report=report)


def prepare_folder(out_dir, *, images, labels='labels.tsv', name_pattern=None, height_px=64, min_characters=1, max_characters=None, seed=0,
                   validation_share=0.05, test_share=0.05, on_error='fail', deslant=False, normalize_size=None, report=print):
    """Writes the records of a folder of line images with a table of labels, or of images alone (`formats/folder.py`).

    Splits are made by writer; of lines whose writer is unknown each counts as a writer of its own.

    Args:
        out_dir: path to write.
        images, labels: paths of the folder and the table, or folder of texts; None as `labels`: every image of the folder, without text.
        name_pattern: str, what the names of the images tell, see `read_folder`; None: nothing.
        height_px: int, higher images are scaled down to it, keeping their aspect.
        min_characters, max_characters: int, other lines are left out and counted; no matter without text.
        seed: int >= 0, of the splits.
        validation_share, test_share: float, shares of the lines.
        on_error: 'fail' stops at the first row that cannot be used; 'skip' reports and counts them.
        deslant: bool, shear slanted writing upright: by the slant of each writer, of each line where the writer is unknown.
        normalize_size: float, the share of a line's height that the core of its writing takes, see `line_normalization.sized`;
            None: as it was written.
        report: function of a str, told about progress and skipped rows.

    Returns:
        dict, info.json; `skipped` {reason: rows}.

    Raises:
        ValueError: on_error='fail' and a row that cannot be used (names table, row, image, place in the text); or no
            usable row.
        FileExistsError: `out_dir` exists and was written with other settings, or another call was interrupted.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    settings = {'images': str(images), 'labels': None if labels is None else str(labels), 'height_px': height_px, 'min_characters': min_characters,
                'max_characters': max_characters, 'validation_share': validation_share, 'test_share': test_share,
                'on_error': on_error}
    settings |= record_folder.normalization(deslant=deslant, normalize_size=normalize_size)
    if name_pattern is not None:
        settings['name_pattern'] = name_pattern
    identity = {'source': 'folder', 'version': 1, 'seed': seed, 'settings': settings}
    charset, has_text = Charset.load(), labels is not None
    with record_folder.exclusive(out_dir, report=report) as work:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        table = pathlib.Path(images) / (labels or '')
        rows, skipped = [], collections.Counter()
        place = table if table.exists() else images

        def tell(error):
            if on_error == 'fail':
                raise error
            report(f'skipped: {error}')

        def refuse(error):
            tell(error)
            skipped[error.reason] += 1

        def unusable(row, reason, error):
            place_of_row = f'{place}, row {row.row} ({row.path.name}): ' if has_text else ''
            return FormatError(f'{place_of_row}{error}', reason=reason)

        found = read_folder(images, labels=labels, name_pattern=name_pattern, refuse=refuse) if has_text else list_images(images)
        for row in found:
            try:
                encoded = charset.encode(row.text)
            except ValueError as error:
                refuse(unusable(row, 'text', error))
                continue
            n = len(encoded.character_ids)
            if has_text and (n < max(1, min_characters) or max_characters and n > max_characters):
                skipped['length'] += 1
            else:
                rows.append((row, encoded))
        if not rows:
            raise ValueError(f'{place}: no usable row, skipped {dict(skipped) or "none"}; expected rows "path TAB text"')

        def pieces(members, done, within):
            del within
            for start in range(done, len(members), _LINES_PER_PIECE):
                records, unread = [], 0
                for row, encoded in members[start:start + _LINES_PER_PIECE]:
                    try:
                        image = read_image(row.path)
                    except OSError as error:
                        tell(unusable(row, 'image', error))  # counted when the piece is written: whoever goes on has read the count
                        unread += 1
                        continue
                    image, _ = shear(image, degrees=slants(row, image))
                    if normalize_size:
                        image, _ = sized(image, share=normalize_size, num_characters=len(encoded.character_ids) or None)
                    records.append(records_lib.LineRecord(
                        image=scaled_down(image, height_px=height_px), text=row.text, character_ids=encoded.character_ids,
                        component_ids=encoded.component_ids, structure_ids=encoded.structure_ids,
                        writer=row.writer or f'unknown {row.row}', source='folder'))
                yield Piece(records, min(start + _LINES_PER_PIECE, len(members)), found={'image': unread} if unread else {})

        slants = _Slants([row for row, _ in rows]) if deslant else lambda row, image: 0
        splits = dict(_by_writer(rows, seed=seed, shares={'validation': validation_share, 'test': test_share}))
        work.begin(identity, fingerprint=fingerprint(File(f'{row.writer} {row.text}', 0, row.path) for row, _ in rows), report=report)
        resumed(work, {split: len(members) for split, members in splits.items()}, unit='row', name=out_dir, report=report)
        written = {}
        for split, members in splits.items():
            counts = write_split(work, functools.partial(pieces, members), split=split, steps=len(members), unit='row',
                                 num_shards=math.ceil(len(members) / _LINES_PER_SHARD), name=out_dir, report=report, tell=skipped.update)
            if counts:
                written[split] = counts
        if 'train' not in written:
            raise ValueError(f'{place}: no usable row to train on, skipped {dict(skipped)}')
        present = {int(i) for _, encoded in rows for i in encoded.character_ids if i}
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(), 'image_height_px': height_px,
                'vocabulary': sorted(present), 'held_out': [], 'skipped': dict(skipped), 'command': record_folder.typed_command()}
        if skipped:
            report(f'{out_dir}: skipped {sum(skipped.values())} rows: {dict(skipped)}')
        return record_folder.publish(work, out_dir, info, report=report)


class _Slants:
    """The slant of each row's hand."""

    def __init__(self, rows):
        self._of_writer, self._found = {}, {}
        for row in rows:
            self._of_writer.setdefault(row.writer, []).append(row)

    def __call__(self, row, image):
        if not row.writer:
            return estimate_slant([image])
        if row.writer not in self._found:
            self._found[row.writer] = estimate_slant(self._readable(self._of_writer[row.writer][:IMAGES_OF_A_HAND]))
        return self._found[row.writer]

    @staticmethod
    def _readable(rows):
        for row in rows:
            with contextlib.suppress(OSError):  # told when its record is made
                yield read_image(row.path)


def _by_writer(rows, *, seed, shares):
    """Splits rows such that no writer is in two; writers are drawn by a hash of (seed, name), whatever their order."""
    writers = {}
    for row in rows:
        writers.setdefault(row[0].writer or f'unknown {row[0].row}', []).append(row)
    order = sorted(writers, key=lambda w: hashlib.sha256(f'{seed} {w}'.encode()).digest())
    splits = {}
    for split, share in shares.items():
        while len(order) > 1 and len(splits.get(split, ())) < share * len(rows):
            splits.setdefault(split, []).extend(writers[order.pop()])
    train = sorted((row for w in order for row in writers[w]), key=lambda row: row[0].row)
    return [('train', train), *splits.items()]


# ---- the embedded corpus, drawn by several processes

_worker_plan = None


def _plan(settings):
    return corpus.plan_corpus(**settings)


def _start_worker(settings):
    global _worker_plan
    _worker_plan = _plan(settings)


def _draw(split, lines):
    return _drawn(_worker_plan, split, lines)


def _drawn(plan, split, lines):
    records = (plan.line(split, i) for i in lines)
    return [record._replace(image=records_lib.encode_png(record.image)) for record in records]


def _drawn_lines(plan, pool, split, done, within):
    """The Pieces of a split after so many lines."""
    del within
    total = plan.splits[split]
    tasks = [range(start, min(start + _LINES_PER_PIECE, total)) for start in range(done, total, _LINES_PER_PIECE)]
    if pool is None:
        drawn = (_drawn(plan, split, lines) for lines in tasks)
    else:
        drawn = pool.results(_draw, ((split, lines) for lines in tasks), names=lambda n: f'{split}, lines {tasks[n][0]} to {tasks[n][-1]}')
    for lines, records in zip(tasks, drawn):
        yield Piece(records, lines[-1] + 1)
