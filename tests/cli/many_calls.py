"""Many calls of one command in one process of its own, with what it calls replaced: the flags of two
commands do not go together in one process.
"""

import json
import os
import pathlib
import sys

import forked

import hwgen

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
# `tell(name, ...)` keeps what something is called with; `Told(name)` stands for an object whose methods tell,
# `stand_in(module, ...)` for a module.
SCRIPT = """
import contextlib, io, json, os, sys, types
from absl import flags
from hwgen.cli import app
told = []
def tell(*values, **options):
    told.append([*values, options] if options else [*values])
def stand_in(name, **attributes):
    module = types.ModuleType(name)
    vars(module).update(attributes)
    sys.modules[name] = module
    package, _, own = name.rpartition('.')
    setattr(__import__(package, fromlist=['x']), own, module)
    return module
{setup}
from hwgen.cli import {command} as module
for arguments, environment in json.load(sys.stdin):
    os.environ.update(environment)
    for flag in flags.FLAGS._flags().values():
        flag.unparse()
    told.clear()
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ['hwgen', '{command}', *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            app.run(
                module.main,
                module.__doc__,
                arguments=arguments,
                program='{command}',
                default_flagfile=None,
                positional=getattr(module, 'POSITIONAL', None),
                sections=getattr(module, 'SECTIONS', ()),
            )
        except SystemExit as end:
            status = end.code
    {after}
    print('called', json.dumps([status, told, out.getvalue(), err.getvalue()], default=str), flush=True)
"""


def calls(command, cases, *, setup, after='', **environment):
    """-> list of (exit status, what was told, stdout, stderr), one for each list of arguments, or pair of
    arguments and what is in the environment from then on.
    """
    script = SCRIPT.replace('{setup}', setup).replace('{command}', command).replace('{after}', after)
    done = forked.run(
        [sys.executable, '-P', '-c', script],
        input=json.dumps([case if isinstance(case, tuple) else (case, {}) for case in cases]),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), **environment},
        check=False,
    )
    found = [
        json.loads(line.removeprefix('called '))
        for line in done.stdout.splitlines()
        if line.startswith('called ')
    ]
    assert len(found) == len(cases), done.stderr
    return found
