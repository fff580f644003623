"""Folders of records from the embedded corpus or from a folder of images; complete or not there at all."""

import contextlib
import hashlib
import math
import multiprocessing
import os
import pathlib
import time

import cv2

from hwgen.charset.encoding import Charset
from hwgen.data import record_folder
from hwgen.data import records as records_lib
from hwgen.data import shards as shards_lib
from hwgen.data.formats.folder import list_images, read_folder, read_image
from hwgen.data.line_image import scaled_down
from hwgen.data.scribe import corpus

_LINES_PER_SHARD = 5000
_LINES_PER_TASK = 8
_REPORT_SEC = 5


def prepare_scribe(out_dir, *, lines=48000, vocabulary_size=3500, seed=0, min_characters=2, max_characters=8,
                   height_px=64, script='chinese', validation_lines=500, test_lines=500, unseen_lines=500, workers=None,
                   report=print):
    """Has the embedded corpus written: train, validation, test (other writers) and unseen (held-out characters).

    The result is the same for any number of workers. A folder that is there and was written with the same settings is
    left as it is; an interrupted run leaves no `out_dir`.

    Args:
        out_dir: path to write.
        lines, validation_lines, test_lines, unseen_lines: int, lines of each split; Latin has no unseen.
        vocabulary_size: int, hanzi that have images; punctuation, digits and letters come on top. Latin: ignored.
        seed: int >= 0.
        min_characters, max_characters: int, length of a line.
        height_px: int, height of the stored images.
        script: 'chinese' | 'latin'.
        workers: int, processes; None: one for each CPU.
        report: function of a str, told about progress.

    Returns:
        dict, info.json.

    Raises:
        ValueError: impossible settings.
        FileExistsError: `out_dir` exists and was written with other settings.
    """
    settings = {'lines': lines, 'validation_lines': validation_lines, 'test_lines': test_lines,
                'unseen_lines': unseen_lines, 'vocabulary_size': vocabulary_size, 'seed': seed,
                'min_characters': min_characters, 'max_characters': max_characters, 'height_px': height_px,
                'script': script}
    identity = {'source': 'scribe', 'version': corpus.SCRIBE_VERSION, 'seed': seed, 'settings': settings}
    with record_folder.exclusive(out_dir) as partial:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        plan = _plan(settings)
        counts = {name: n for name, n in plan.splits.items() if n}
        written = {}
        for split, n in counts.items():
            with contextlib.closing(_drawn_lines(plan, settings, split=split, workers=workers)) as drawn:
                written[split] = _write_split(drawn, partial, split=split, total=n, report=report, name=out_dir)
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(), 'image_height_px': height_px,
                'vocabulary': [int(i) for i in plan.vocabulary], 'held_out': [int(i) for i in plan.held_out],
                'command': record_folder.typed_command()}
        return record_folder.publish(partial, out_dir, info, report=report)


def prepare_folder(out_dir, *, images, labels='labels.tsv', height_px=64, min_characters=1, max_characters=None, seed=0,
                   validation_share=0.05, test_share=0.05, on_error='fail', report=print):
    """Writes the records of a folder of line images with a table of labels, or of images alone (`formats/folder.py`).

    Splits are made by writer; of lines whose writer is unknown each counts as a writer of its own.

    Args:
        out_dir: path to write.
        images, labels: paths of the folder and the table; None as `labels`: every image of the folder, without text.
        height_px: int, higher images are scaled down to it, keeping their aspect.
        min_characters, max_characters: int, other lines are left out and counted; no matter without text.
        seed: int >= 0, of the splits.
        validation_share, test_share: float, shares of the lines.
        on_error: 'fail' stops at the first row that cannot be used; 'skip' reports and counts them.
        report: function of a str, told about progress and skipped rows.

    Returns:
        dict, info.json; `skipped` {reason: rows}.

    Raises:
        ValueError: on_error='fail' and a row that cannot be used (names table, row, image, place in the text); or no
            usable row.
        FileExistsError: `out_dir` exists and was written with other settings.
    """
    if on_error not in ('fail', 'skip'):
        raise ValueError(f'on_error={on_error!r}: expected fail or skip')
    settings = {'images': str(images), 'labels': None if labels is None else str(labels), 'height_px': height_px, 'min_characters': min_characters,
                'max_characters': max_characters, 'validation_share': validation_share, 'test_share': test_share,
                'on_error': on_error}
    identity = {'source': 'folder', 'version': 1, 'seed': seed, 'settings': settings}
    charset, has_text = Charset.load(), labels is not None
    with record_folder.exclusive(out_dir) as partial:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        table = pathlib.Path(images) / (labels or '')
        rows, skipped = [], {}

        def refuse(row, reason, error):
            message = f'{table}, row {row.row} ({row.path.name}): {error}' if has_text else str(error)
            if on_error == 'fail':
                raise ValueError(message)
            report(f'skipped: {message}')
            skipped[reason] = skipped.get(reason, 0) + 1

        for row in read_folder(images, labels=labels) if has_text else list_images(images):
            try:
                encoded = charset.encode(row.text)
            except ValueError as error:
                refuse(row, 'text', error)
                continue
            n = len(encoded.character_ids)
            if has_text and (n < max(1, min_characters) or max_characters and n > max_characters):
                skipped['length'] = skipped.get('length', 0) + 1
            else:
                rows.append((row, encoded))
        if not rows:
            raise ValueError(f'{table}: no usable row, skipped {skipped or "none"}; expected rows "path TAB text"')

        def records(members):
            for row, encoded in members:
                try:
                    image = read_image(row.path)
                except OSError as error:
                    refuse(row, 'image', error)
                    continue
                yield records_lib.LineRecord(
                    image=scaled_down(image, height_px=height_px), text=row.text, character_ids=encoded.character_ids,
                    component_ids=encoded.component_ids, structure_ids=encoded.structure_ids,
                    writer=row.writer or f'unknown {row.row}', source='folder')

        written = {}
        for split, members in _by_writer(rows, seed=seed, shares={'validation': validation_share, 'test': test_share}):
            written[split] = _write_split(records(members), partial, split=split, total=len(members), report=report,
                                          name=out_dir)
        present = {int(i) for _, encoded in rows for i in encoded.character_ids if i}
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(), 'image_height_px': height_px,
                'vocabulary': sorted(present), 'held_out': [], 'skipped': skipped, 'command': record_folder.typed_command()}
        if skipped:
            report(f'{out_dir}: skipped {sum(skipped.values())} rows: {skipped}')
        return record_folder.publish(partial, out_dir, info, report=report)


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
    cv2.setNumThreads(1)  # the processes share the cores
    _worker_plan = _plan(settings)


def _draw(task):
    split, i = task
    record = _worker_plan.line(split, i)
    return record._replace(image=records_lib.encode_png(record.image))


def _drawn_lines(plan, settings, *, split, workers):
    """The lines of a split, in order."""
    workers = workers or os.cpu_count() or 1
    tasks = [(split, i) for i in range(plan.splits[split])]
    if workers == 1 or len(tasks) <= _LINES_PER_TASK:
        yield from (plan.line(*task) for task in tasks)
        return
    # Fresh processes: those that fork from one with TensorFlow's threads may hang.
    context = multiprocessing.get_context('spawn')
    with context.Pool(workers, initializer=_start_worker, initargs=(settings,)) as pool:
        yield from pool.imap(_draw, tasks, chunksize=_LINES_PER_TASK)


# ---- writing a split


def _write_split(records, partial, *, split, total, report, name):
    """Writes a split's shards and reports a line every few seconds."""
    start = last = time.monotonic()

    def counted():
        nonlocal last
        for i, record in enumerate(records, 1):
            yield record
            now = time.monotonic()
            if now - last >= _REPORT_SEC:
                last, rate = now, i / (now - start)
                report(f'{name}: {split} {i}/{total} lines, {100 * i // total} %, {rate:.0f} lines/s, '
                       f'{math.ceil((total - i) / rate)} s left')

    counts = shards_lib.write_shards(counted(), partial, split=split, num_shards=math.ceil(total / _LINES_PER_SHARD))
    report(f'{name}: {split} {counts.records} lines of {counts.writers} writers, {counts.characters} characters, '
           f'{counts.records / max(time.monotonic() - start, 1e-9):.0f} lines/s')
    return counts._asdict()
