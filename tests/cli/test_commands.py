"""Every command from outside: help, presets, and how errors of the user and of the program reach the
terminal.
"""

import os
import pathlib
import re
import subprocess
import sys

import forked
import pytest

import hwgen
from hwgen.cli import app
from hwgen.settings import reference
from hwgen.settings.setting import described, flag_of

CHECKOUT = pathlib.Path(hwgen.__file__).resolve().parent.parent
COMMANDS = sorted(app.command_summaries())
PRESETS = sorted([*CHECKOUT.glob('*.flags'), *CHECKOUT.glob('experiments/*.flags')])

# A command as small as can be; `--what` chooses how it ends.
COMMAND = '''"""Tries the ends a command can come to.

More about it.
"""
from absl import flags, logging
from hwgen.cli import app
flags.DEFINE_string('what', 'done', 'How it ends. Example: --what=done')
flags.DEFINE_integer('num_lines', 3, 'Lines, 1 or more.', lower_bound=1)
flags.DEFINE_bool('fast', True, 'In a hurry.')
flags.DEFINE_enum('kind', 'ink', ['ink', 'paper'], 'Which.')

def main(arguments):
    what = flags.FLAGS.what
    if what == 'user':
        raise app.SettingError('lines.tsv, line 3: no TAB;\\n  expected path TAB text')
    if what == 'file':
        open('/nowhere/at all')
    if what == 'fault':
        int('x')
    if what == 'interrupt':
        raise KeyboardInterrupt
    if what == 'status':
        return 7
    print('done', flags.FLAGS.num_lines, flags.FLAGS.kind, *arguments)

app.run(main, __doc__, program='tries', default_flagfile=DEFAULT, positional=POSITIONAL)
'''


def python(*arguments, run=subprocess.run, **environment):
    """Runs Python as bin/ does, in the working directory, with this checkout's hwgen."""
    return run(
        [sys.executable, '-P', *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT), **environment},
    )


@pytest.fixture
def tries(tmp_path):
    """A function that runs COMMAND with the flags given and returns (status, output, errors)."""

    def call(*arguments, default=None, positional=None, **environment):
        script = tmp_path / 'tries.py'
        script.write_text(
            COMMAND.replace('DEFAULT', repr(default)).replace('POSITIONAL', repr(positional)),
            encoding='utf-8',
        )
        done = python(str(script), *arguments, **environment)
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.mark.parametrize('command', COMMANDS)
def test_help_reads_like_documentation(command):
    done = python('-m', 'hwgen.cli', command, '--help')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'usage: hwgen {command} [flags]')
    assert app.command_summaries()[command] in done.stdout
    flags = re.findall(r'^  --(\S+)  \(.*\)\n((?:      .*\n)*)', done.stdout, re.MULTILINE)
    assert len(flags) > 1
    assert not [name for name, text in flags if len(text.split()) < 3], 'flags without an explanation'


@pytest.mark.parametrize('command', COMMANDS)
def test_help_does_not_wait_for_heavy_modules(command):
    code = (
        f'import sys\nfrom hwgen.cli import {command}\nprint(*sorted({{"tensorflow", "keras", "numpy", "cv2",'
        ' "PIL", "scipy"} & set(sys.modules)))'
    )
    done = python('-c', code)
    assert (done.returncode, done.stdout.strip()) == (0, ''), done.stderr


@pytest.mark.parametrize('command', reference.COMMANDS)
def test_help_stands_in_sections(command):
    """Each with its flags, all of them, and the unit beside the default."""
    said = python('-m', 'hwgen.cli', command, '--help', run=forked.run).stdout
    parts = re.split(r'^(\S.*):\n(?=  --)', said, flags=re.MULTILINE)[1:]
    found = dict(
        zip(parts[::2], (re.findall(r'^  --(?:\[no\])?(\w+)', part, re.MULTILINE) for part in parts[1::2]))
    )
    assert ('Formats of collections' in found) == (command == 'prepare')
    found.pop('Formats of collections', None)  # of the docstring: values of --source
    found[list(found)[-1]].remove('flagfile')  # a preset, at the end
    assert found == {
        cls.SECTION: [flag for flag in (flag_of(cls, name) for name in described(cls)) if flag]
        for cls in reference.COMMANDS[command]
    }
    row = {
        'train': '--bend_px=INT  (default: 5 px)',
        'prepare': '--height_px=INT  (default: 64 px)',
        'generate': '--height_px=INT  (no default)',
        'imitate': '--minutes=FLOAT  (default: 0.0 minutes)',
        'export': '--max_characters=INT  (default: 256)',
        'serve': '--port=INT  (default: 8501)',
        'request': '--timeout_sec=FLOAT  (default: 60.0)',
    }
    assert row[command] in said


def test_every_command_has_its_script_and_every_script_its_command():
    scripts = {path.name for path in (CHECKOUT / 'bin').iterdir() if not path.name.startswith('.')}
    assert scripts == {*COMMANDS, 'test'}
    assert all(os.access(CHECKOUT / 'bin' / name, os.X_OK) for name in scripts)


@pytest.mark.parametrize('preset', PRESETS, ids=lambda path: path.name)
def test_presets_name_their_command_and_flags_it_has(preset):
    head = re.search(
        rf'^#.*\b({"|".join(COMMANDS)}) --flagfile={preset.relative_to(CHECKOUT)}',
        preset.read_text(encoding='utf-8'),
        re.MULTILINE,
    )
    assert head, (
        f'{preset.name}: no comment gives the command it is for, `# ... train --flagfile={preset.name} ...`'
    )
    code = (
        f'from hwgen.cli import {head[1]}\nfrom absl import flags\nfrom hwgen.settings import presets\n'
        f'flags.FLAGS(["x", *presets.expand(["--flagfile={preset}"])])'
    )
    done = python('-c', code, run=forked.run)
    assert done.returncode == 0, done.stderr.splitlines()[-1]


def test_the_dispatcher_lists_the_commands():
    done = python('-m', 'hwgen.cli', '--help')
    assert done.returncode == 0
    for command, summary in app.command_summaries().items():
        assert re.search(rf'^  {command} +{re.escape(summary)}$', done.stdout, re.MULTILINE)
        assert len(summary) > 15
    done = python('-m', 'hwgen.cli', 'tarin')
    assert (done.returncode, done.stderr) == (
        2,
        f"hwgen: no command 'tarin'; there are: {', '.join(app.command_summaries())}\n",
    )
    assert python('-m', 'hwgen.cli', '--version').stdout == f'hwgen {hwgen.__version__}\n'


def test_every_command_tells_its_version():
    for name in app.command_summaries():
        done = python('-m', 'hwgen.cli', name, '--version')
        assert (done.returncode, done.stdout, done.stderr) == (0, f'hwgen {name} {hwgen.__version__}\n', '')


@pytest.mark.parametrize(
    'arguments, message',
    [
        (
            ['--min_characters=5', '--max_characters=3'],
            '--max_characters=3: expected at least --min_characters=5',
        ),
        (['--vocabulary=2400', '--lines=5', '--shots=0,1,5'], '--lines=5'),
        (
            ['--corpus=1.1', '--pen_share=.5'],
            '--pen_share=0.5: expected a share, 0 to 1; version 1.1 has no pens',
        ),
        (
            ['--trajectory', '--pen_share=.5'],
            (
                'trajectory with --corpus=2.0, --pen_share=0.5: a font has no path of a pen; expected'
                ' --pen_share=1'
            ),
        ),
        (['--slips=nan'], 'flag --slips=nan: expected a number'),
        (['--source=folder', '--input=.', '--test_share=NaN'], 'flag --test_share=nan: expected a number'),
        (['--out=-'], '--out=-: a folder is written'),
        (['--out='], '--out= is empty: expected a value'),
        (['--text_file='], '--text_file= is empty: expected a value'),
        (['--out=corpus.png'], '--out=corpus.png: a folder is written'),
    ],
)
def test_prepare_speaks_of_the_flags_that_were_typed(arguments, message, tmp_path):
    done = python('-m', 'hwgen.cli', 'prepare', f'--out={tmp_path}/out', *arguments, run=forked.run)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count('\n') == 1, done.stderr


def test_a_home_folder_behind_an_equals_sign(tmp_path):
    done = python(
        '-m', 'hwgen.cli', 'prepare', '--source=folder', '--input=~/scans', '--out=~/x', HOME=str(tmp_path)
    )
    assert (done.returncode, done.stderr) == (
        2,
        f'hwgen prepare: {tmp_path}/scans: no such folder; expected one with images and labels.tsv\n',
    )


def test_a_preset_that_can_be_read_once():
    reading, writing = os.pipe()
    os.write(writing, b'--text=\n--out=a.png\n')
    os.close(writing)
    done = subprocess.run(
        [sys.executable, '-P', '-m', 'hwgen.cli', 'generate', '--flagfile=/dev/stdin', '--text_file=x'],
        stdin=reading,
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': str(CHECKOUT)},
        check=False,
    )
    os.close(reading)
    assert done.returncode == 2 and 'expected either --text' in done.stderr


def test_a_command_leaves_at_once_with_its_status():
    """What modules do at the end is done and said; what would run while the interpreter takes itself apart
    is not.
    """
    code = (
        'import atexit, sys\nfrom hwgen.cli import app\nclass Last:\n    def __del__(self): print("taken'
        ' apart")\ndef dispatch():\n    global last\n    last = Last()\n    atexit.register(print, "at'
        ' exit")\n    print("said", end="|")\n    {end}\napp.dispatch = dispatch\napp.main()'
    )
    for end, status in ('sys.exit(130)', 130), ('sys.exit()', 0), ('int("x")', 1):
        done = python('-c', code.format(end=end))
        assert (done.returncode, done.stdout) == (status, 'said|at exit\n')
        assert ("int() with base 10: 'x'" in done.stderr) == (status == 1)


@pytest.mark.slow
def test_a_pipeline_that_reads_ahead_does_not_keep_a_command_from_leaving():
    code = (
        'import sys, time\nimport numpy as np\nimport tensorflow as tf\nfrom hwgen.cli import app\ndef'
        ' read(i):\n    end = time.monotonic() + .005\n    while time.monotonic() < end: pass\n    return'
        ' np.int64(i)\ndef dispatch():\n    global lines\n    lines = tf.data.Dataset.range(10 **'
        ' 9).map(lambda i: tf.numpy_function(read, [i], tf.int64), num_parallel_calls=8)\n    lines ='
        ' iter(lines.prefetch(1000))\n    next(lines)\n    sys.exit(130)\napp.dispatch = dispatch\napp.main()'
    )
    for _ in range(5):  # without `main` about every third hangs or is aborted
        assert python('-c', code).returncode == 130


@pytest.mark.parametrize(
    'arguments, message',
    [
        (
            ['--num_line=4'],
            "tries: Unknown command line flag 'num_line'. Did you mean: num_lines ? (see tries --help)",
        ),
        (
            ['--num_lines=many'],
            "tries: flag --num_lines=many: invalid literal for int() with base 10: 'many' (see tries --help)",
        ),
        (['--num_lines=0'], 'tries: flag --num_lines=0: 0 is not a positive integer (see tries --help)'),
        (
            ['--kind=pencil'],
            'tries: flag --kind=pencil: value should be one of <ink|paper> (see tries --help)',
        ),
        (['--flagfile=none.flags'], 'tries: --flagfile=none.flags: no such file'),
        (['stray'], "tries: argument 'stray' is not a flag: flags begin with -- (see tries --help)"),
        (['--what=user'], 'tries: lines.tsv, line 3: no TAB; expected path TAB text'),
        (['--what=file'], 'tries: /nowhere/at all: no such file or directory'),
    ],
)
def test_wrong_input_is_one_line_and_status_2(tries, arguments, message):
    assert tries(*arguments) == (2, '', message + '\n')


def test_a_fault_of_the_program_keeps_its_traceback(tries):
    status, _, errors = tries('--what=fault')
    assert status == 1 and errors.startswith('Traceback') and "int('x')" in errors
    status, _, errors = tries('--what=user', HWGEN_TRACEBACK='1')
    assert status == 1 and errors.startswith('Traceback')


def test_other_ends(tries):
    assert tries() == (0, 'done 3 ink\n', '')
    assert tries('--what=status')[0] == 7
    assert tries('--what=interrupt') == (130, '', 'tries: interrupted\n')
    assert tries('a', '--num_lines=2', 'b', positional='FILE') == (0, 'done 2 ink a b\n', '')


def test_a_terminal_without_chinese_is_no_error(tries):
    assert tries('明', positional='TEXT', PYTHONIOENCODING='latin-1', PYTHONUTF8='0')[:2] == (
        0,
        'done 3 ink \\u660e\n',
    )


def test_no_arguments_means_the_preset(tries):
    pathlib.Path('own.flags').write_text('# tries\n--num_lines=5\n--kind=paper\n', encoding='utf-8')
    status, output, errors = tries(default='own.flags')
    assert (status, output) == (0, 'done 5 paper\n')
    assert errors == 'tries: no arguments, so tries --flagfile=own.flags\n'
    # Flags win over the preset; another or an empty --flagfile takes its place.
    assert tries('--what=done', default='own.flags')[1] == 'done 5 paper\n'
    assert tries('--num_lines=7', default='own.flags')[1] == 'done 7 paper\n'
    assert tries('--flagfile=', default='own.flags')[1] == 'done 3 ink\n'
    assert tries('--flagfile', 'own.flags', '--num_lines=6')[1] == 'done 6 paper\n'


def test_help_shows_defaults_and_choices(tries):
    status, output, _ = tries('--help', positional='FILE ...')
    assert status == 0
    assert output.startswith(
        'usage: tries [flags] FILE ...\n\nTries the ends a command can come to.\n\nMore about it.\n'
    )
    assert '  --num_lines=INT  (default: 3)\n      Lines, 1 or more.\n' in output
    assert '  --[no]fast  (default: on)\n' in output
    assert '  --kind=ink|paper  (default: ink)\n      Which.\n' in output
    assert '--verbosity' not in output and '--verbosity' in tries('--helpfull')[1]


def test_a_closed_pipe_is_no_error(tmp_path):
    command = f'{sys.executable} -P -m hwgen.cli --help | head -n 1'
    done = subprocess.run(
        ['sh', '-c', command], capture_output=True, text=True, env={**os.environ, 'PYTHONPATH': str(CHECKOUT)}
    )
    assert done.stderr == '' and done.stdout.startswith('hwgen writes Chinese')


def test_tensorflow_starts_in_silence(tmp_path):
    code = (
        'from hwgen.cli import quiet\nquiet.quiet_tensorflow()\nimport tensorflow as'
        ' tf\nprint(int(tf.constant(1) + 1))'
    )
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in ('TF_CPP_MIN_LOG_LEVEL', 'GRPC_VERBOSITY')
    }
    done = subprocess.run(
        [sys.executable, '-P', '-c', code],
        capture_output=True,
        text=True,
        env={**clean, 'PYTHONPATH': str(CHECKOUT)},
    )
    assert (done.stdout, done.stderr) == ('2\n', '')
