"""Trains HCT-GAN: from shards of handwritten lines to a generator that writes any text.

Without flags it makes a model like saved_models/demo, on the embedded corpus, in about an hour on two CPU
cores: the defaults below are those of `demo.flags`, which is read first unless --flagfile names another
preset. The flags you give change that. A corpus that is not there is written to --data: its validation lines
first, its training lines beside the training, which draws what it reads before that. The run is the same to
the last bit, slower until then. With one core or --strategy=multi_worker all lines are written first.

A run has three phases: the recognisers learn to read real lines; the generator learns to rebuild real lines
from their text and style; then generator and discriminator play against each other, while the recognisers
keep the text readable, or, with --game=pairs, a judge of pairs of real and written lines teaches the
generator beside the rebuilding. Setting a phase's steps to 0 skips it: the paper's pure GAN, `paper.flags`,
has the third alone, at sizes near to the paper's (`paper_sizes.flags`).

A run that was stopped, by any means, resumes from its last checkpoint, at most a minute old, when you repeat
the command.

With --max_minutes the minutes are divided: each phase that is left gets the share of them that its steps are
of all that are left, so that the generator learns however few they are; a phase whose share is over is cut
short. If you repeat the command, it resumes in the phase where it stopped, with as many minutes again; a
phase that was cut short stays so (plan.json in the run directory says where). With --nodivide_minutes it
stops wherever it is, and the repeated command resumes there. At its end, a call says what has been trained.

Examples:
  train
  train --max_minutes=10
  train --flagfile=demo.flags --data=tfrecords/mine --run_dir=runs/mine
  train --flagfile=hand.flags --data=tfrecords/mine --run_dir=runs/hand
  train --flagfile=paper.flags
  train --flagfile=scrabblegan.flags
  train --data=tfrecords/mine --unlabelled=tfrecords/unlabelled --adversarial_steps=3000 --run_dir=runs/mine

On your own lines: `prepare --source=folder --input=scans --out=tfrecords/mine`, then the third example, or
the fourth, which starts from the writer that ships and is done in minutes. Images without text (`prepare
--source=folder --unlabelled`) are shown to the discriminator alone, in the third phase, beside labelled ones:
the last example.
"""

import dataclasses
import os
import shlex
import sys
import time
from typing import Any

from hwgen import console
from hwgen.settings import flags as settings_flags
from hwgen.settings.train import SECTIONS, TrainSettings

_STARTED = time.monotonic()  # --max_minutes counts from here on
DEFAULT_FLAGFILE = 'demo.flags'

settings_flags.define(*SECTIONS, module=__name__)


def main(arguments: list[str]) -> None:
    """Trains as the flags say and tells what became of it."""
    del arguments
    from hwgen.cli import quiet
    from hwgen.data.preparing.corpus_place import corpus_place
    from hwgen.training import session

    settings = settings_flags.read_all(TrainSettings)
    data = dataclasses.replace(settings.data, data=corpus_place(settings.data.data))
    settings = dataclasses.replace(settings, data=data)
    typed = (
        [] if any('flagfile' in argument for argument in sys.argv[2:]) else [f'--flagfile={DEFAULT_FLAGFILE}']
    )
    summary = session.train(
        settings,
        started=_STARTED,
        command=shlex.join(['train', *typed, *sys.argv[2:]]),
        program=_program(),
        worker_start=quiet.quiet_tensorflow,
    )
    _tell(summary, settings.run)


def _program() -> str:
    """What stands before the name of a command, as the user types it."""
    return os.environ.get('HWGEN_PROGRAM', 'hwgen train').removesuffix('train')


def _tell(summary: dict[str, Any], run: Any) -> None:
    """The closing summary: what became of the run, what was trained, where everything lies, and what to
    type next.
    """
    schedule, step, run_dir = summary['schedule'], summary['step'], shlex.quote(run.run_dir)
    learned, to_come = schedule.generator_steps(step), schedule.generator_steps(schedule.total_steps)
    rows = [
        ('trained', _trained(schedule, summary['planned'], step)),
        (
            'generator',
            (
                'not trained: this run has no phase for it'
                if not to_come
                else (
                    'not trained yet: its phase is still to come'
                    if not learned
                    else f'trained for {learned} of {to_come} steps'
                )
            ),
        ),
        ('checkpoint', summary['checkpoint']),
        ('sample sheet', summary['sheet']),
        ('run', f'{run.run_dir}  (tensorboard --logdir {run_dir} --samples_per_plugin images=1000)'),
    ]
    if summary['state'] != 'finished':
        reached = run.max_steps is not None and step >= run.max_steps
        rows.append(
            (
                'to resume',
                'the same command'
                + (', with more --max_steps' if reached else '')
                + (
                    ', with more --max_minutes: these ended before the generator began'
                    if run.max_minutes is not None and to_come and not learned and not reached
                    else ''
                ),
            )
        )
    if summary['model'] and learned:
        rows.append(
            (
                'next',
                (
                    f'{_program()}generate --model={shlex.quote(summary["model"])}'
                    f' --text="{"Hello world" if summary["latin"] else "你好，世界"}" --out=line.png'
                ),
            )
        )
    console.say(f'{summary["state"]} at step {step}/{schedule.total_steps}')
    for name, value in rows:
        if value:
            console.say(f'  {name:<13} {value}')


def _trained(schedule: Any, planned: Any, step: int) -> str:
    """How far each phase is: `phase 1 of 2 (recognisers): 310 steps (cut short, 2000 were planned); phase
    2 of 2 (...): 40 of 4000 steps`.
    """
    from hwgen.training import measures

    parts = []
    for phase, done in schedule.done(step).items():
        steps, wanted = schedule.phases()[phase], planned.phases()[phase]
        parts.append(
            f'{measures.phase_name(phase, schedule)}: '
            + (
                f'{done} of {steps} steps'
                if done < steps
                else (
                    f'all {steps} steps'
                    if steps == wanted
                    else f'{steps} steps (cut short, {wanted} were planned)'
                )
            )
        )
    return '; '.join(parts)
