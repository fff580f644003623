"""Folders of records from the embedded corpus (or of pictures) or from a folder of images; complete or not there at all."""

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
from hwgen.data.picture_folder import picture_storage
from hwgen.data.scribe import corpus
from hwgen.data.scribe.given_texts import read_texts
from hwgen.data.shard_writer import SHARDS
from hwgen.data.split_writer import Piece, resumed, write_split
from hwgen.data.worker_pool import open_pool

_LINES_PER_SHARD = 5000
_LINES_PER_PIECE = 32
# Corpora that commands write where they are asked for by these names and not there: folder -> settings of `prepare_scribe`.
EMBEDDED = {'tfrecords/demo': {}, f'tfrecords/demo-{corpus.FONTS_VERSION}': {'version': corpus.FONTS_VERSION}, 'tfrecords/latin': {'script': 'latin'}}
_WRITERS = 400  # that a corpus had before their number was a setting


def prepare_scribe(out_dir, *, lines=None, vocabulary_size=3500, seed=0, min_characters=None, max_characters=None,
                   height_px=64, script='chinese', validation_lines=None, test_lines=None, unseen_lines=None, shots=(), num_writers=_WRITERS,
                   text_file=None, on_error='fail', output_format='records', trajectory=False, version=corpus.SCRIBE_VERSION, pen_share=None, vertical=False,
                   slips=0., workers=None, report=print):
    """Has the embedded corpus written: train, validation, test (other writers) and unseen (held-out characters).

    The result is the same for any number of workers. A folder that is there and was written with the same settings is
    left as it is; an interrupted call leaves no `out_dir`, and the same call goes on where it was.

    With `text_file` its lines are what is written (`given_texts.read_texts`, `corpus.plan_corpus`).

    Args:
        out_dir: path to write.
        lines: int, of train; None: 48,000, or as many as the text file has.
        validation_lines, test_lines, unseen_lines: int, lines of these splits; None: 500, or none with a text file, whose lines have no unseen. Latin
            has no unseen either.
        vocabulary_size: int, hanzi that have images; punctuation, digits and letters come on top. Latin: ignored.
        seed: int >= 0.
        min_characters, max_characters: int, length of a line; None: 2 and 8, or no limit to the lines of a text file.
        height_px: int, height of the stored images.
        script: 'chinese' | 'latin'.
        shots: sequence of int, how often training lines show the characters of each group of held-out ones (`corpus.plan_corpus`);
            empty: never.
        num_writers: int, of train; other splits have a tenth as many, at least 4, of their own.
        text_file: path of a UTF-8 file, or None.
        on_error: 'fail' stops at a line of the text file that cannot be written; 'skip' reports and counts those.
        output_format: 'records' | 'folder': pictures and tables, see `picture_folder`; a folder for each split where there are several.
        trajectory: bool, whether the path of the pen is stored as well.
        version, pen_share, vertical, slips: `corpus.plan_corpus`; pictures of vertical lines are for folders, and height_px is their width. Where
            trajectories are asked for all writers have a pen.
        workers: int, processes; None: one for each CPU.
        report: function of a str, told about progress.

    Returns:
        dict, info.json; with a text file `skipped` {reason: lines}.

    Raises:
        ValueError: impossible settings, a line of the text file that cannot be written, or a writer without a trajectory where it is asked for.
        FileExistsError: `out_dir` exists and was written with other settings, or another call was interrupted.
        ChildProcessError: a worker ended without an answer.
    """
    if output_format not in ('records', 'folder'):
        raise ValueError(f'output_format={output_format!r}: expected records or folder')
    if vertical and output_format == 'records':
        raise ValueError('vertical lines: models learn from horizontal ones; expected output_format=folder')
    if trajectory and pen_share is None and version != corpus.FONTS_VERSION:
        pen_share = 1.
    if trajectory and pen_share != 1:
        raise ValueError(f'trajectory with version={version}, pen_share={pen_share}: a font has no path of a pen; expected pen_share=1')
    planned = {'seed': seed, 'height_px': height_px, 'script': script, 'shots': list(shots), 'num_writers': num_writers, 'version': version,
               'pen_share': pen_share, 'vertical': vertical, 'slips': slips}
    if text_file is None:
        given = None
        planned |= {'lines': 48000 if lines is None else lines, 'vocabulary_size': vocabulary_size,
                    'min_characters': 2 if min_characters is None else min_characters, 'max_characters': 8 if max_characters is None else max_characters}
    else:
        given = read_texts(text_file, script=script, version=version, height_px=height_px, min_characters=min_characters or 1, max_characters=max_characters,
                           on_error=on_error)
        planned |= {'lines': len(given.texts) if lines is None else lines, 'texts': given.texts}
    planned |= {f'{split}_lines': (0 if given else 500) if n is None else n
                for split, n in (('validation', validation_lines), ('test', test_lines), ('unseen', unseen_lines))}
    # What was not thought of when folders were written that are there today stands here only where it is not as it was then.
    plan = _plan(planned)
    planned['pen_share'] = plan.pen_share
    unsaid = {'shots': [], 'num_writers': _WRITERS, 'version': version, 'vertical': False, 'slips': 0, **({} if plan.pen_share else {'pen_share': 0})}
    settings = {name: value for name, value in planned.items() if name != 'texts' and value != unsaid.get(name)}
    if given:
        settings |= {'text_file': given.name, 'text_file_bytes': given.num_bytes, 'text_file_sha256': given.sha256, 'on_error': on_error,
                     'min_characters': min_characters, 'max_characters': max_characters}
    if output_format != 'records':
        settings['format'] = output_format
    if trajectory:
        settings['trajectory'] = True
    identity = {'source': 'scribe', 'version': version, 'seed': seed, 'settings': settings}
    counts = {name: n for name, n in plan.splits.items() if n}
    as_pictures = output_format == 'folder'
    storage = picture_storage(subfolders=len(counts) > 1, trajectory=trajectory) if as_pictures else SHARDS
    with record_folder.exclusive(out_dir, storage=storage, report=report) as work:
        done = record_folder.already_there(out_dir, identity)
        if done:
            report(f'{out_dir}: already there, {record_folder.summary(done)}')
            return done
        for problem in given.refused if given else ():
            report(f'skipped: {problem}')
        work.begin(identity, charset=corpus.corpus_charset(version), report=report)
        resumed(work, counts, unit='line', name=out_dir, report=report)
        written = {}
        with open_pool(workers or os.cpu_count() or 1, start=_start_worker, arguments=(planned, trajectory)) as pool:
            for split, n in counts.items():
                written[split] = write_split(work, functools.partial(_drawn_lines, plan, pool, split, trajectory), split=split, steps=n, unit='line',
                                             num_shards=0 if as_pictures else math.ceil(n / _LINES_PER_SHARD), name=out_dir, report=report)
        info = {**identity, 'splits': written, 'charset': record_folder.charset_info(corpus.corpus_charset(version)), 'image_height_px': height_px,
                'vocabulary': [int(i) for i in plan.vocabulary], 'held_out': [int(i) for i in plan.held_out],
                'command': record_folder.typed_command()}
        if shots:
            info['shots'] = {str(count): list(group) for count, group in plan.shots.items()}
        if given:
            info['skipped'] = given.skipped
            if given.skipped:
                report(f'{out_dir}: skipped {sum(given.skipped.values())} lines of {text_file}: {given.skipped}')
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

_worker = None  # the plan, and whether trajectories are kept


def _plan(settings):
    return corpus.plan_corpus(**settings)


def _start_worker(settings, trajectory):
    global _worker
    _worker = _plan(settings), trajectory


def _draw(split, lines):
    return _drawn(_worker[0], split, lines, trajectory=_worker[1])


def _drawn(plan, split, lines, *, trajectory):
    records = []
    for i in lines:
        record = plan.line(split, i)
        if not trajectory:
            record = record._replace(trajectory=None, trajectory_slots=None)
        elif record.trajectory is None:
            raise ValueError(f'{split}, line {i}: {record.writer} writes with a font and has no trajectory, expected a writer with a pen; '
                             'leave --trajectory out')
        records.append(record._replace(image=records_lib.encode_png(record.image)))
    return records


def _drawn_lines(plan, pool, split, trajectory, done, within):
    """The Pieces of a split after so many lines."""
    del within
    total = plan.splits[split]
    tasks = [range(start, min(start + _LINES_PER_PIECE, total)) for start in range(done, total, _LINES_PER_PIECE)]
    if pool is None:
        drawn = (_drawn(plan, split, lines, trajectory=trajectory) for lines in tasks)
    else:
        drawn = pool.results(_draw, ((split, lines) for lines in tasks), names=lambda n: f'{split}, lines {tasks[n][0]} to {tasks[n][-1]}')
    for lines, records in zip(tasks, drawn):
        yield Piece(records, lines[-1] + 1)
