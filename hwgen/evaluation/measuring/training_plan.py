"""Plans of trainings that differ in a few flags: a TOML table of rows and a file of flags for each.

A row is trained with the plan's base flags, the flags of its recognisers and its own, in this order, once a
seed. The recogniser phase is trained once a kind of recognisers and shared by the rows. Every training is a
process of its own; what is finished is not done again, and what was interrupted goes on.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from hwgen import files
from hwgen.charset.printable import as_json
from hwgen.settings import presets

_DONE, _LOG = 'trained.json', 'train.log'


class PlanError(ValueError):
    """The plan cannot be read, or names what is not there; the message names file, row and what was
    expected.
    """


class Row(NamedTuple):
    """A row of the plan.

    Attributes:
        name: str, of its flag file (rows/NAME.flags) and its folder.
        title: str, for tables.
        recognizers: str, kind of the recognisers that teach it (recognizers/KIND.flags).
        seeds: tuple of int.
    """

    name: str
    title: str
    recognizers: str
    seeds: tuple


class Plan(NamedTuple):
    """What is trained.

    Attributes:
        folder: pathlib.Path, of the flag files.
        base: pathlib.Path, flags of all rows.
        data: dict, settings of the corpus (`prepare.prepare_scribe`), for where it is absent.
        rows: tuple of Row.
        reference: str, the row that the others are held against.
        strip: tuple of str, rows that are shown side by side.
    """

    folder: pathlib.Path
    base: pathlib.Path
    data: dict
    rows: tuple
    reference: str = ''
    strip: tuple = ()


class Job(NamedTuple):
    """A training.

    Attributes:
        name: str, for messages.
        run_dir: pathlib.Path.
        flagfiles: tuple of pathlib.Path.
        arguments: tuple of str, flags behind those of the files.
    """

    name: str
    run_dir: pathlib.Path
    flagfiles: tuple
    arguments: tuple

    def identity(self) -> dict[str, list[str]]:
        """What decides whether the training that is there is this one, the flags of all presets and of
        their parents: dict of JSON values.
        """
        return {
            'flags': [row for file in self.flagfiles for row in presets.read(file)] + list(self.arguments)
        }

    def is_done(self) -> bool:
        """Whether this training is there and finished."""
        try:
            done = json.loads((self.run_dir / _DONE).read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return False
        return done == self.identity() and (self.run_dir / 'model').is_dir()


def read_plan(
    folder: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] | None = None,
    rows: Sequence[str] | None = None,
) -> Plan:
    """Reads a plan.

    Args:
        folder: path of the folder with plan.toml, recognizers/ and rows/.
        base: path of other base flags, for other sizes or budgets; None: the plan's own.
        rows: list of the names of rows to keep, or None for all.

    Returns:
        Plan.

    Raises:
        PlanError: no plan there, damaged, or naming rows or flag files that do not exist.
    """
    folder = pathlib.Path(folder)
    file = folder / 'plan.toml'
    try:
        table = tomllib.loads(file.read_text(encoding='utf-8'))
        found = [
            Row(row['name'], row['title'], row['recognizers'], tuple(int(seed) for seed in row['seeds']))
            for row in table['rows']
        ]
        plan = Plan(
            folder,
            pathlib.Path(base) if base else folder / table['base'],
            dict(table.get('data', {})),
            tuple(found),
            table.get('reference', found[0].name),
            tuple(table.get('strip', ())),
        )
    except (FileNotFoundError, NotADirectoryError):
        raise PlanError(
            f'{file}: no such file; expected a plan, experiments/ablation/plan.toml for one'
        ) from None
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise PlanError(
            f'{file}: not a plan of trainings: {error!r}; expected base and [[rows]] with name, title,'
            ' recognizers and seeds'
        ) from None
    names = [row.name for row in plan.rows]
    for name in names:
        if names.count(name) > 1 or '/' in name:
            raise PlanError(f'{file}: row {name!r}: expected a name of its own, without slashes')
    unknown = sorted({*(rows or ()), plan.reference, *plan.strip} - set(names))
    if unknown:
        raise PlanError(f'{file}: no row {unknown[0]!r}; expected some of {", ".join(names)}')
    if rows:
        plan = plan._replace(rows=tuple(row for row in plan.rows if row.name in rows))
    for needed in [
        plan.base,
        *(
            path
            for row in plan.rows
            for path in (_recognizer_flags(plan, row.recognizers), _row_flags(plan, row))
        ),
    ]:
        if not needed.is_file():
            raise PlanError(f'{needed}: no such file; {file} names it')
    return plan


def _recognizer_flags(plan, kind):
    return plan.folder / 'recognizers' / f'{kind}.flags'


def _row_flags(plan, row):
    return plan.folder / 'rows' / f'{row.name}.flags'


def recognizer_jobs(plan: Plan, runs: str | os.PathLike[str], *, data: str | os.PathLike[str]) -> list[Job]:
    """The trainings of the recognisers: list of Job. Phase 1 of the base flags alone, seed 1."""
    kinds = dict.fromkeys(row.recognizers for row in plan.rows)
    return [
        Job(
            f'recognizers {kind}',
            _recognizer_run(runs, kind),
            (plan.base, _recognizer_flags(plan, kind)),
            (f'--data={data}', '--seed=1', '--reconstruction_steps=0', '--adversarial_steps=0'),
        )
        for kind in kinds
    ]


def row_jobs(
    plan: Plan, runs: str | os.PathLike[str], *, data: str | os.PathLike[str]
) -> list[tuple[Row, int, Job]]:
    """The trainings of the rows: list of (Row, seed, Job), the first seed of all rows before the second of
    any.
    """
    found = []
    for turn in range(max(len(row.seeds) for row in plan.rows)):
        for row in plan.rows:
            if turn < len(row.seeds):
                seed = row.seeds[turn]
                found.append(
                    (
                        row,
                        seed,
                        Job(
                            f'{row.name} seed {seed}',
                            pathlib.Path(runs) / row.name / f'seed-{seed}',
                            (plan.base, _recognizer_flags(plan, row.recognizers), _row_flags(plan, row)),
                            (
                                f'--data={data}',
                                f'--seed={seed}',
                                '--recognizer_steps=0',
                                f'--recognizers_from={_recognizer_run(runs, row.recognizers)}',
                            ),
                        ),
                    )
                )
    return found


def _recognizer_run(runs, kind):
    return pathlib.Path(runs) / 'recognizers' / kind


def train_all(jobs: Sequence[Job], *, num_parallel: int, report: Callable[[str], object]) -> dict[str, str]:
    """Runs trainings, several at a time, each on its share of the processors.

    Args:
        jobs: list of Job; finished ones are passed over.
        num_parallel: int >= 1.
        report: function of a str.

    Returns:
        dict name of a job -> str, why it failed; empty where all are finished.
    """
    missing = [job for job in jobs if not job.is_done()]
    report(f'{len(jobs)} trainings, {len(jobs) - len(missing)} of them done')
    running: list[subprocess.Popen] = []
    lock, failed = threading.Lock(), {}

    def work(job):
        with lock:
            report(f'{job.name}: {job.run_dir / _LOG}')
        reason = _train(job, threads=max(1, (os.cpu_count() or 1) // num_parallel), running=running)
        with lock:
            report(f'{job.name}: ' + (reason or 'done'))
            if reason:
                failed[job.name] = reason

    with concurrent.futures.ThreadPoolExecutor(num_parallel) as pool:
        try:
            for done in concurrent.futures.as_completed([pool.submit(work, job) for job in missing]):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:  # they save a checkpoint and leave
                with contextlib.suppress(OSError):
                    process.terminate()
            raise
    return failed


def command_of(job: Job) -> list[str]:
    """The command line of a training: list of str."""
    return [
        sys.executable,
        '-P',
        '-m',
        'hwgen.cli',
        'train',
        *(f'--flagfile={file}' for file in job.flagfiles),
        *job.arguments,
        f'--run_dir={job.run_dir}',
    ]


def _train(job, *, threads, running):
    """One training in a process of its own; returns why it failed, or None."""
    job.run_dir.mkdir(parents=True, exist_ok=True)
    identity = job.identity()
    environment = {
        **os.environ,
        'TF_NUM_INTRAOP_THREADS': str(threads),
        'TF_NUM_INTEROP_THREADS': str(threads),
        'HWGEN_PROGRAM': 'bin/train',
    }
    log = job.run_dir / _LOG
    with open(log, 'ab') as stream:
        process = subprocess.Popen(
            command_of(job),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        running.append(process)
        status = process.wait()
    said = [line for line in log.read_text(encoding='utf-8', errors='replace').splitlines() if line.strip()]
    if status:
        return (
            f'training ended with status {status}: {said[-1].strip() if said else "without a word"} ({log})'
        )
    if not any(line.startswith('finished at step') for line in said[-12:]):
        return f'training was stopped before its end ({log}); the same command goes on'
    files.write_json(job.run_dir / _DONE, as_json(identity))
    return None
