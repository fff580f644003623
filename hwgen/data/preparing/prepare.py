"""Folders of records (or of pictures) from the embedded corpus; complete or not there at all."""

import functools
import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from hwgen.data.preparing import record_folder, work_folder
from hwgen.data.preparing.corpus_work import work_of
from hwgen.data.preparing.identity import charset_info, typed_command
from hwgen.data.preparing.picture_folder import picture_storage
from hwgen.data.preparing.shard_writer import SHARDS
from hwgen.data.preparing.split_writer import LINES_PER_PIECE, LINES_PER_SHARD, Piece, resumed, write_split
from hwgen.data.preparing.worker_pool import open_pool
from hwgen.data.reading import records as records_lib
from hwgen.data.reading.records import LineRecord
from hwgen.data.reading.shards import ShardCounts, read_info
from hwgen.data.scribe import corpus
from hwgen.data.scribe.plan import Plan, corpus_charset

# Corpora that commands write where they are asked for by these names and not there: folder -> settings of
# `prepare_scribe`.
EMBEDDED: dict[str, dict[str, Any]] = {
    'tfrecords/demo': {},
    f'tfrecords/demo-{corpus.FONTS_VERSION}': {'version': corpus.FONTS_VERSION},
    'tfrecords/latin': {'script': 'latin'},
    # of 7,000 hanzi: what saved_models/spaced64 learned from, and is measured on
    'tfrecords/wide': {
        'lines': 16000,
        'validation_lines': 300,
        'test_lines': 300,
        'unseen_lines': 300,
        'vocabulary_size': 7000,
        'seed': 5,
    },
}


def prepare_scribe(
    out_dir: str | os.PathLike[str],
    *,
    splits: Collection[str] | None = None,
    workers: int | None = None,
    report: Callable[[str], object] = print,
    **settings: Any,
) -> dict[str, Any]:
    """Has the embedded corpus written: train, validation, test (other writers) and unseen (held-out
    characters).

    The result is the same for any number of workers. A folder that is there and was written with the same
    settings is left as it is; an interrupted call leaves no `out_dir`, and the same call goes on where it
    was.

    Args:
        out_dir: path to write.
        splits: collection of str, the splits that are needed now; the folder gets the others when a later
            call asks for them, and is then byte for byte the one that is written at once. None: all. Not for
            pictures or a text file.
        workers: int, processes; None: one for each CPU.
        report: function of a str, told about progress.
        settings: those of `work_of`.

    Returns:
        dict, info.json; with a text file `skipped` {reason: lines}.

    Raises:
        ValueError: impossible settings, a line of the text file that cannot be written, or a writer without a
            trajectory where it is asked for.
        FileExistsError: `out_dir` exists and was written with other settings, or another call was
            interrupted.
        ChildProcessError: a worker ended without an answer.
    """
    plan, planned, identity, given, as_pictures, trajectory = work_of(**settings)
    counts = {name: n for name, n in plan.splits.items() if n}
    if splits is not None and (as_pictures or given):
        raise ValueError(
            'some of the splits of pictures or of given texts: expected all of them, splits=None'
        )
    storage = picture_storage(subfolders=len(counts) > 1, trajectory=trajectory) if as_pictures else SHARDS
    with work_folder.exclusive(out_dir, storage=storage, report=report) as work:
        said: list[str] = []
        done = record_folder.already_there(out_dir, identity, report=said.append)
        there = done['splits'] if done else {}
        wanted = [name for name in counts if name not in there and (splits is None or name in splits)]
        if done and not wanted:
            report(*said)
            return done
        for problem in given.refused if given else ():
            report(f'skipped: {problem}')
        work.begin(identity, charset=corpus_charset(plan.version), report=report)
        resumed(work, {name: counts[name] for name in wanted}, unit='line', name=out_dir, report=report)
        written = {}
        with open_pool(
            workers or os.cpu_count() or 1, start=_start_worker, arguments=(planned, trajectory)
        ) as pool:
            for split in wanted:
                written[split] = write_split(
                    work,
                    functools.partial(_drawn_lines, plan, pool, split, trajectory),
                    split=split,
                    steps=counts[split],
                    unit='line',
                    num_shards=0 if as_pictures else _num_shards(counts[split]),
                    name=out_dir,
                    report=report,
                )
        info = _info(
            plan, identity, {name: written.get(name) or there.get(name) for name in counts}, given=given
        )
        if given and given.skipped:
            report(f'{out_dir}: skipped {sum(given.skipped.values())} lines of {given.name}: {given.skipped}')
        return record_folder.publish(work, out_dir, info, report=report)


def ensure_embedded(
    folder: str | os.PathLike[str],
    splits: Collection[str],
    *,
    settings: Mapping[str, Any] | None = None,
    report: Callable[[str], object] = print,
) -> None:
    """Sees to it that a folder has the splits that a command reads, where it is that of an embedded corpus;
    else does nothing.

    Args:
        folder: path; the names of `EMBEDDED` are written where they are not there.
        splits: collection of str; those that the corpus does not have are passed over.
        settings: dict, of `prepare_scribe`, for where the folder is not there; None: those of `EMBEDDED`.
        report: function of a str.

    Raises:
        as `prepare_scribe`.
    """
    if os.path.exists(os.path.join(folder, 'info.json')):
        info = read_info(folder)
        if not set(splits) & set(info.get('planned', ())):
            return
        settings = settings_of(info)
    else:
        settings = EMBEDDED.get(str(folder)) if settings is None else settings
    if settings is not None:
        report(
            f'{folder}: writing what is needed of the embedded corpus and not there: {", ".join(splits)}'
            ' (once)'
        )
        prepare_scribe(folder, **settings, splits=splits, report=report)


def settings_of(info: dict[str, Any]) -> dict[str, Any]:
    """The settings of `prepare_scribe` by which a folder of the embedded corpus was written: dict.

    Args:
        info: dict, its info.json, which has `planned`.
    """
    return {**info['settings'], 'version': info['version']}


def not_shown(plan: Plan) -> list[int]:
    """The characters of the vocabulary that no training line of a plan shows: list of int, ascending;
    nothing is drawn.
    """
    charset, missing = corpus_charset(plan.version), {*plan.vocabulary}
    for i in range(plan.splits['train']):
        if not missing:
            break
        missing.difference_update(charset.encode(plan.text('train', i)).character_ids.tolist())
    return [int(i) for i in sorted(missing)]


def _info(plan, identity, counts, *, given=None):
    """info.json: of the splits that have no counts it has what they will be."""
    planned = {}
    for split in [name for name, found in counts.items() if found is None]:
        lengths, writers = plan.outline(split)
        planned[split] = ShardCounts(
            len(lengths), _num_shards(len(lengths)), len(set(writers.tolist())), int(lengths.sum())
        )._asdict()
    charset = corpus_charset(plan.version)
    info = {
        **identity,
        'splits': {name: found for name, found in counts.items() if found},
        'charset': charset_info(charset),
        'image_height_px': plan.height_px,
        'vocabulary': [int(i) for i in plan.vocabulary],
        'held_out': [int(i) for i in plan.held_out],
        'command': typed_command(),
    }
    if plan.shots:
        info['shots'] = {str(count): list(group) for count, group in plan.shots.items()}
    if given:
        info['skipped'] = given.skipped
    return info | ({'planned': planned} if planned else {})


def _num_shards(num_lines):
    return math.ceil(num_lines / LINES_PER_SHARD)


# ---- the embedded corpus, drawn by several processes


class _Worker:
    """What a process draws lines of, from its start on."""

    plan: Plan
    trajectory: bool  # whether the paths of the pen are kept


_worker = _Worker()


def _start_worker(settings: Mapping[str, Any], trajectory: bool) -> None:
    _worker.plan, _worker.trajectory = corpus.plan_corpus(**settings), trajectory


def _draw(split: str, lines: Iterable[int]) -> list[LineRecord]:
    return drawn(_worker.plan, split, lines, trajectory=_worker.trajectory)


def drawn(plan: Plan, split: str, lines: Iterable[int], *, trajectory: bool) -> list[LineRecord]:
    """Lines of a plan as they are written: list of LineRecord, their images PNG.

    Args:
        plan: Plan.
        split: str.
        lines: iterable of int.
        trajectory: bool, whether the paths of the pen are kept.

    Raises:
        ValueError: paths are to be kept and a line has none.
    """
    records = []
    for i in lines:
        record = plan.line(split, i)
        if not trajectory:
            record = record._replace(trajectory=None, trajectory_slots=None)
        elif record.trajectory is None:
            raise ValueError(
                f'{split}, line {i}: {record.writer} writes with a font and has no trajectory, expected a'
                ' writer with a pen; leave --trajectory out'
            )
        png: Any = records_lib.encode_png(record.image)  # while it is being written, see LineRecord
        records.append(record._replace(image=png))
    return records


def _drawn_lines(plan, pool, split, trajectory, done, within):
    """The Pieces of a split after so many lines."""
    del within
    total = plan.splits[split]
    tasks = [
        range(start, min(start + LINES_PER_PIECE, total)) for start in range(done, total, LINES_PER_PIECE)
    ]
    if pool is None:
        found = (drawn(plan, split, lines, trajectory=trajectory) for lines in tasks)
    else:
        found = pool.results(
            _draw,
            ((split, lines) for lines in tasks),
            names=lambda n: f'{split}, lines {tasks[n][0]} to {tasks[n][-1]}',
        )
    for lines, records in zip(tasks, found, strict=True):
        yield Piece(records, lines[-1] + 1)
