"""Plans of trainings: what a row is trained with, what is done again and what is not, trainings that fail
or are stopped. Small scripts stand for `train`.
"""

import json
import pathlib
import re
import sys

import pytest

from hwgen.evaluation.measuring import training_plan

PLAN = """
base = "base.flags"
[data]
lines = 9
[[rows]]
name = "one"
title = "the first"
recognizers = "kind"
seeds = [1, 2]
[[rows]]
name = "two"
title = "the second"
recognizers = "other"
seeds = [1]
"""
# Writes what it was told and how many threads it may take; fails where a flag says so.
SCRIPT = """
import os, pathlib, sys
run = pathlib.Path(sys.argv[-1].partition("=")[2])
with open(run / "calls", "a") as calls:
    calls.write(os.environ["TF_NUM_INTRAOP_THREADS"] + "\\n")
files = [a.partition("=")[2] for a in sys.argv if a.startswith("--flagfile=")]
said = " ".join(pathlib.Path(name).read_text() for name in files)
if "--break" in said:
    sys.exit("loss/pixel is nan at step 7")
if "--stop" in said:
    print("stopped at step 3/9")
    sys.exit(0)
(run / "model").mkdir(exist_ok=True)
print("finished at step 9/9")
print("  run  here")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(
        training_plan,
        'command_of',
        lambda job: [
            sys.executable,
            '-c',
            SCRIPT,
            *(f'--flagfile={file}' for file in job.flagfiles),
            *job.arguments,
            f'--run_dir={job.run_dir}',
        ],
    )
    plan = tmp_path / 'plan'
    for name, text in {
        'plan.toml': PLAN,
        'base.flags': '--batch_size=4\n',
        'recognizers/kind.flags': '--share_trunk\n',
        'recognizers/other.flags': '# none\n',
        'rows/one.flags': '--seven=7\n',
        'rows/two.flags': '',
    }.items():
        (plan / name).parent.mkdir(parents=True, exist_ok=True)
        (plan / name).write_text(text)
    return plan


def jobs_of(plan, runs):
    return [job for _, _, job in training_plan.row_jobs(plan, runs, data='lines')]


def calls(job):
    file = job.run_dir / 'calls'
    return len(file.read_text().split()) if file.exists() else 0


def test_what_rows_are_trained_with(folder, tmp_path):
    """First seeds first; recognisers once a kind, their phase alone; rows without that phase, from these."""
    plan = training_plan.read_plan(folder)
    assert plan.data == {'lines': 9} and plan.reference == 'one' and plan.strip == ()
    recognizers = training_plan.recognizer_jobs(plan, tmp_path, data='lines')
    assert [(job.name, job.run_dir) for job in recognizers] == [
        ('recognizers kind', tmp_path / 'recognizers' / 'kind'),
        ('recognizers other', tmp_path / 'recognizers' / 'other'),
    ]
    assert recognizers[0].identity() == {
        'flags': [
            '--batch_size=4',
            '--share_trunk',
            '--data=lines',
            '--seed=1',
            '--reconstruction_steps=0',
            '--adversarial_steps=0',
        ]
    }
    rows = training_plan.row_jobs(plan, tmp_path, data='lines')
    assert [(row.name, seed) for row, seed, _ in rows] == [('one', 1), ('two', 1), ('one', 2)]
    assert rows[2][2].identity() == {
        'flags': [
            '--batch_size=4',
            '--share_trunk',
            '--seven=7',
            '--data=lines',
            '--seed=2',
            '--recognizer_steps=0',
            f'--recognizers_from={tmp_path}/recognizers/kind',
        ]
    }
    assert [job.run_dir for _, _, job in rows] == [
        tmp_path / 'one' / 'seed-1',
        tmp_path / 'two' / 'seed-1',
        tmp_path / 'one' / 'seed-2',
    ]


def test_what_is_finished_is_not_done_again_unless_its_flags_changed(folder, tmp_path):
    said, plan = [], training_plan.read_plan(folder)
    jobs = jobs_of(plan, tmp_path)
    assert training_plan.train_all(jobs, num_parallel=2, report=said.append) == {}
    assert [calls(job) for job in jobs] == [1, 1, 1] and said[0] == '3 trainings, 0 of them done'
    training_plan.train_all(jobs, num_parallel=2, report=said.append)
    assert [calls(job) for job in jobs] == [1, 1, 1] and said[-1] == '3 trainings, 3 of them done'
    (folder / 'rows' / 'one.flags').write_text('# a comment changes nothing\n--seven=8\n')
    training_plan.train_all(jobs, num_parallel=1, report=said.append)
    assert [calls(job) for job in jobs] == [2, 1, 2]
    (folder / 'rows' / 'one.flags').write_text('--seven=8\n')
    training_plan.train_all(jobs, num_parallel=1, report=said.append)
    assert [calls(job) for job in jobs] == [2, 1, 2]


def test_processors_are_shared(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(training_plan.os, 'cpu_count', lambda: 8)
    jobs = jobs_of(training_plan.read_plan(folder), tmp_path)
    training_plan.train_all(jobs, num_parallel=3, report=lambda line: None)
    assert {(job.run_dir / 'calls').read_text() for job in jobs} == {'2\n'}


@pytest.mark.parametrize(
    'flag, reason',
    [
        ('--break', r'training ended with status 1: loss/pixel is nan at step 7 \(.*train.log\)'),
        ('--stop', r'training was stopped before its end \(.*train.log\); the same command goes on'),
    ],
)
def test_a_training_that_fails_is_named_and_the_others_go_on(folder, tmp_path, flag, reason):
    (folder / 'rows' / 'two.flags').write_text(flag)
    jobs = jobs_of(training_plan.read_plan(folder), tmp_path)
    failed = training_plan.train_all(jobs, num_parallel=1, report=lambda line: None)
    assert list(failed) == ['two seed 1'] and [job.is_done() for job in jobs] == [True, False, True]
    assert re.fullmatch(reason, failed['two seed 1'])
    training_plan.train_all(jobs, num_parallel=1, report=lambda line: None)
    assert [calls(job) for job in jobs] == [1, 2, 1]


def test_chosen_rows_and_other_base_flags(folder, tmp_path):
    other = tmp_path / 'large.flags'
    other.write_text('--batch_size=64\n')
    plan = training_plan.read_plan(folder, base=other, rows=['two'])
    assert [row.name for row in plan.rows] == ['two']
    assert (
        training_plan.row_jobs(plan, tmp_path, data='lines')[0][2].identity()['flags'][0] == '--batch_size=64'
    )


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda f: (f / 'plan.toml').unlink(), r'plan.toml: no such file; expected a plan'),
        (lambda f: (f / 'plan.toml').write_text('base = '), r'plan.toml: not a plan of trainings'),
        (
            lambda f: (f / 'plan.toml').write_text(PLAN.replace('title = "the first"', '')),
            r"plan.toml: not a plan of trainings: KeyError\('title'\); expected base and",
        ),
        (
            lambda f: (f / 'plan.toml').write_text(PLAN.replace('"two"', '"one"')),
            r"row 'one': expected a name of its own",
        ),
        (
            lambda f: (f / 'plan.toml').write_text('strip = ["one", "four"]' + PLAN),
            r"plan.toml: no row 'four'; expected some of one, two",
        ),
        (lambda f: (f / 'plan.toml').write_text('base = "base.flags"\nrows = []'), 'not a plan of trainings'),
        (lambda f: (f / 'rows' / 'two.flags').unlink(), r'two.flags: no such file; .*plan.toml names it'),
        (lambda f: (f / 'recognizers' / 'kind.flags').unlink(), r'kind.flags: no such file'),
        (lambda f: (f / 'base.flags').unlink(), r'base.flags: no such file'),
    ],
)
def test_damaged_plans(folder, change, message):
    change(folder)
    with pytest.raises(training_plan.PlanError, match=message):
        training_plan.read_plan(folder)


def test_the_command_and_the_surroundings_of_a_training(tmp_path, monkeypatch):
    """Flag files in their order, then the plan's own flags, then the folder; threads of both kinds; the
    name that messages have.
    """
    asked = []

    class Popen:
        def __init__(self, command, *, env, stdin, stdout, stderr):
            asked.append(
                (
                    command,
                    {
                        name: env[name]
                        for name in ('TF_NUM_INTRAOP_THREADS', 'TF_NUM_INTEROP_THREADS', 'HWGEN_PROGRAM')
                    },
                    env['KEPT'],
                    stdin,
                    stderr,
                )
            )
            stdout.write(b'finished at step 3/3\n')

        def wait(self):
            return 0

    monkeypatch.setattr(training_plan.subprocess, 'Popen', Popen)
    monkeypatch.setenv('KEPT', 'yes')
    (tmp_path / 'b.flags').write_text('--a=1\n')
    job, running = (
        training_plan.Job(
            'it', tmp_path / 'runs' / 'x', (tmp_path / 'b.flags', tmp_path / 'b.flags'), ('--seed=2',)
        ),
        [],
    )
    assert training_plan._train(job, threads=3, running=running) is None and len(running) == 1
    command, environment, kept, stdin, stderr = asked[0]
    assert command == [
        sys.executable,
        '-P',
        '-m',
        'hwgen.cli',
        'train',
        f'--flagfile={tmp_path}/b.flags',
        f'--flagfile={tmp_path}/b.flags',
        '--seed=2',
        f'--run_dir={tmp_path}/runs/x',
    ]
    assert (
        environment
        == {
            'TF_NUM_INTRAOP_THREADS': '3',
            'TF_NUM_INTEROP_THREADS': '3',
            'HWGEN_PROGRAM': 'bin/train',
        }
        and kept == 'yes'
    )
    assert (stdin, stderr) == (training_plan.subprocess.DEVNULL, training_plan.subprocess.STDOUT)
    assert not job.is_done()  # without a model it is not
    (job.run_dir / 'model').mkdir()
    assert job.is_done() and json.loads((job.run_dir / 'trained.json').read_text()) == job.identity() == {
        'flags': ['--a=1', '--a=1', '--seed=2']
    }
    assert not job._replace(arguments=()).is_done()
    # goes on below
    assert (
        training_plan._train(job, threads=1, running=running) is None
        and (job.run_dir / 'train.log').read_text() == 2 * 'finished at step 3/3\n'
    )
    (job.run_dir / 'trained.json').write_text('{')
    assert not job.is_done()


@pytest.mark.parametrize(
    'told, status, reason',
    [
        ('finished at step 9/9\n' + 'more\n' * 11, 0, None),
        ('finished at step 9/9\n' + 'more\n' * 12, 0, 'training was stopped before its end'),
        ('finished at step 9/9\n', 3, 'training ended with status 3: finished at step 9/9 '),
        ('it is finished at step 9\n', 0, 'training was stopped'),
        ('', 1, 'training ended with status 1: without a word '),
        ('one\n two \n\n  \n', -9, 'training ended with status -9: two '),
    ],
)
def test_what_is_said_at_the_end_decides(tmp_path, monkeypatch, told, status, reason):
    """Among the last twelve lines that are not blank, of all that was ever written to the log."""

    class Popen:
        def __init__(self, command, *, stdout, **options):
            stdout.write(told.encode())

        def wait(self):
            return status

    monkeypatch.setattr(training_plan.subprocess, 'Popen', Popen)
    job = training_plan.Job('it', tmp_path / 'x', (), ())
    found = training_plan._train(job, threads=1, running=[])
    assert (
        found is None if reason is None else found.startswith(reason) and f'({tmp_path}/x/train.log)' in found
    )
    assert (job.run_dir / 'trained.json').exists() == (reason is None) and (
        job.run_dir / 'train.log'
    ).read_text() == told


def test_every_training_has_a_thread_and_what_is_told_names_them(tmp_path, monkeypatch):
    said, asked = [], []
    monkeypatch.setattr(training_plan.os, 'cpu_count', lambda: 2)

    def train(job, *, threads, running):
        asked.append((job.name, threads))
        return 'it broke' if job.name == 'b' else None

    monkeypatch.setattr(training_plan, '_train', train)
    jobs = [training_plan.Job(name, tmp_path / name, (), ()) for name in 'ab']
    assert training_plan.train_all(jobs, num_parallel=5, report=said.append) == {'b': 'it broke'} and sorted(
        asked
    ) == [('a', 1), ('b', 1)]
    assert said[0] == '2 trainings, 0 of them done' and sorted(said[1:]) == sorted(
        [f'a: {tmp_path}/a/train.log', 'a: done', f'b: {tmp_path}/b/train.log', 'b: it broke']
    )
    assert (
        training_plan.train_all([], num_parallel=1, report=said.append) == {}
        and said[-1] == '0 trainings, 0 of them done'
    )


def test_an_interrupted_plan_ends_what_runs(tmp_path, monkeypatch):
    """They save a checkpoint and leave; what has not begun does not begin."""
    ended, begun = [], []

    class Process:
        def terminate(self):
            ended.append(self)
            raise ProcessLookupError

    def train(job, *, threads, running):
        begun.append(job.name)
        running += [Process(), Process()]
        raise KeyboardInterrupt

    monkeypatch.setattr(training_plan, '_train', train)
    with pytest.raises(KeyboardInterrupt):
        training_plan.train_all(
            [training_plan.Job(name, tmp_path / name, (), ()) for name in 'abc'],
            num_parallel=1,
            report=lambda line: None,
        )
    assert len(ended) >= 2


def test_seeds_of_rows_take_turns(folder, tmp_path):
    """Rows need not have as many; other orders of rows are as the plan has them, with its own reference
    and strip.
    """
    text = 'reference = "two"\nstrip = ["two", "one"]\n' + PLAN.replace('seeds = [1]', 'seeds = [4, 5, "6"]')
    (folder / 'plan.toml').write_text(text)
    plan = training_plan.read_plan(str(folder))
    assert (plan.reference, plan.strip, plan.rows[1]) == (
        'two',
        ('two', 'one'),
        training_plan.Row('two', 'the second', 'other', (4, 5, 6)),
    )
    rows = training_plan.row_jobs(plan, tmp_path, data='d')
    assert [(row.name, seed, job.name) for row, seed, job in rows] == [
        ('one', 1, 'one seed 1'),
        ('two', 4, 'two seed 4'),
        ('one', 2, 'one seed 2'),
        ('two', 5, 'two seed 5'),
        ('two', 6, 'two seed 6'),
    ]
    assert [file.name for file in rows[1][2].flagfiles] == ['base.flags', 'other.flags', 'two.flags'] and [
        file.name for file in training_plan.recognizer_jobs(plan, tmp_path, data='d')[0].flagfiles
    ] == ['base.flags', 'kind.flags']
    assert [row.name for row in training_plan.read_plan(folder, rows=['two', 'one']).rows] == ['one', 'two']
    (folder / 'plan.toml').write_text(PLAN.replace('name = "two"', 'name = "a/b"'))
    with pytest.raises(
        training_plan.PlanError, match="row 'a/b': expected a name of its own, without slashes"
    ):
        training_plan.read_plan(folder)


def test_unknown_rows(folder):
    with pytest.raises(training_plan.PlanError, match="no row 'three'; expected some of one, two"):
        training_plan.read_plan(folder, rows=['one', 'three'])


def test_the_plan_that_ships():
    """Every flag of it is one of train's, the seven rows that HCT-GAN compares have three seeds, and no
    two rows are trained alike.
    """
    from absl import flags

    from hwgen.cli import train

    plan = training_plan.read_plan(pathlib.Path(__file__).parents[2] / 'experiments' / 'ablation')
    assert [len(row.seeds) for row in plan.rows[:7]] == [3] * 7
    jobs = [job for _, seed, job in training_plan.row_jobs(plan, 'runs', data='lines') if seed == 1]
    names = {flag.name for flag in flags.FLAGS.flags_by_module_dict()[train.__name__]}
    for job in [*jobs, *training_plan.recognizer_jobs(plan, 'runs', data='lines')]:
        used = [line.removeprefix('--').partition('=')[0] for line in job.identity()['flags']]
        assert not [name for name in used if name not in names and name.removeprefix('no') not in names]
    assert len({tuple(job.identity()['flags']) for job in jobs}) == len(jobs)
