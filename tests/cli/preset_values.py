"""What presets and the rows of the ablation's plan come to: every flag of `train` after all files are read.

Run as a script, it writes preset_values.json anew.

The file holds a name -> [name of another, what differs from it], so that a preset can be read there as it is
meant.
"""

import json
import pathlib
import subprocess
import sys

from train_process import CHECKOUT, ENVIRONMENT

GOLDEN = pathlib.Path(__file__).with_suffix('.json')
PLAN = CHECKOUT / 'experiments' / 'ablation'
RESOLVE = """
import contextlib, io, json, sys
from absl import flags
from hwgen.cli import app, train
own = flags.FLAGS.flags_by_module_dict()['hwgen.cli.train']
for arguments in json.load(sys.stdin):
    for flag in flags.FLAGS._flags().values():
        flag.unparse()
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            app.run(
                lambda rest: None,
                '',
                arguments=arguments,
                program='train',
                default_flagfile=train.DEFAULT_FLAGFILE,
            )
        except SystemExit as end:
            if end.code:
                raise ValueError(f'{arguments}: {said.getvalue()}')
    print(json.dumps({flag.name: flag.value for flag in own}))
"""


def resolve(calls, **options):
    """The values of all flags of `train`, of each of a list of calls: list of dict."""
    done = subprocess.run(
        [sys.executable, '-P', '-c', RESOLVE],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def calls():
    """dict name -> (name of the one it is held against, arguments of `train`)."""
    from hwgen.evaluation.measuring import training_plan

    found = {'demo': ('', ['--flagfile=demo.flags']), 'no preset': ('demo', [])}
    for file in sorted(
        [
            *CHECKOUT.glob('*.flags'),
            *CHECKOUT.glob('experiments/*.flags'),
            *CHECKOUT.glob('experiments/accelerator/*.flags'),
        ]
    ):
        found.setdefault(
            str(file.relative_to(CHECKOUT)).removesuffix('.flags'), ('demo', [f'--flagfile={file}'])
        )
    for base in ('base', 'paper'):
        plan = training_plan.read_plan(PLAN, base=PLAN / f'{base}.flags')
        found[f'ablation/{base}'] = 'demo', [f'--flagfile={PLAN}/{base}.flags']
        jobs = [
            *training_plan.recognizer_jobs(plan, 'runs', data='lines'),
            *(job for _, seed, job in training_plan.row_jobs(plan, 'runs', data='lines') if seed == 1),
        ]
        for job in jobs:
            found[f'ablation/{base}: {job.name}'] = f'ablation/{base}', training_plan.command_of(job)[5:]
    return found


def differences(values, against):
    """Of the values of all flags, what `against` has otherwise."""
    return {
        name: value for name, value in sorted(values.items()) if name not in against or against[name] != value
    }


def described(**options):
    """What the golden file holds, from the presets as they are now."""
    asked = calls()
    values = dict(zip(asked, resolve([arguments for _, arguments in asked.values()], **options)))
    return {
        name: [against, differences(values[name], values.get(against, {}))]
        for name, (against, _) in asked.items()
    }


if __name__ == '__main__':
    rows = ',\n'.join(f'{json.dumps(name)}: {json.dumps(entry)}' for name, entry in described().items())
    GOLDEN.write_text('{\n' + rows + '\n}\n', encoding='utf-8')
