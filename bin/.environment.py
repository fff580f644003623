"""Makes the virtual environment that the commands in bin/ run in, from setup.cfg and constraints.txt.

Standard library only: it runs before anything is installed. Safe to interrupt and to start twice: a lock lets
one process install, a stamp is written last and atomically, and an installation that was cut short is started
afresh.
"""

import argparse
import configparser
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

NEEDED_DISK_BYTES = 4 * 2**30
NETWORK_SIGNS = (
    'NewConnectionError',
    'Max retries exceeded',
    'name resolution',
    'ConnectTimeout',
    'Read timed out',
    'ProxyError',
    'SSLError',
    'Network is unreachable',
    'Could not fetch URL',
    'Connection refused',
)


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""


def say(message):
    print(f'hwgen: {message}', file=sys.stderr, flush=True)


def read_requirements(root, extras):
    """The requirement lines of setup.cfg for `base` and extras, and those of [tool:hwgen], which are
    installed without what they ask for.
    """
    config = configparser.ConfigParser(interpolation=None)
    config.read(root / 'setup.cfg', encoding='utf-8')
    alone = config['tool:hwgen'] if config.has_section('tool:hwgen') else {}

    def lines(blocks):
        return [line for block in blocks for line in block.split('\n') if line.strip()]

    whole = [
        config['options']['install_requires'] if extra == 'base' else config['options.extras_require'][extra]
        for extra in extras
        if extra not in alone
    ]
    return lines(whole), lines([alone[extra] for extra in extras if extra in alone])


def wants_cuda():
    """Whether TensorFlow's CUDA libraries belong into the environment: HWGEN_CUDA, else whether a GPU is
    listed.
    """
    choice = os.environ.get('HWGEN_CUDA', '')
    if choice:
        return choice not in ('0', 'false', 'no')
    if sys.platform != 'linux' or not shutil.which('nvidia-smi'):
        return False
    try:
        listed = subprocess.run(['nvidia-smi', '-L'], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and 'GPU' in listed.stdout


def is_current(venv, extras, key):
    """Whether the stamps of all extras hold this key."""

    def stamp(extra):
        try:
            return (venv / '.hwgen' / extra).read_text().strip()
        except OSError:
            return None

    return os.access(venv / 'bin/python', os.X_OK) and all(stamp(extra) == key for extra in extras)


def write_stamp(path, text):
    """Writes a stamp so that it is there whole or not at all."""
    partial = path.with_name(path.name + '.partial')
    partial.write_text(text + '\n')
    os.replace(partial, path)


def explain(log, venv):
    """One or two sentences on why pip failed, from its log."""
    text = log.read_text(errors='replace')
    if 'No space left on device' in text or 'Disk quota exceeded' in text:
        free = shutil.disk_usage(venv).free / 2**30
        return (
            f'the disk is full ({free:.1f} GB free at {venv}; about {NEEDED_DISK_BYTES / 2**30:.0f} GB are'
            ' needed, and TMPDIR needs some too). Make room, or choose another place with HWGEN_VENV.'
        )
    fetched = re.search(r'^ *(Downloading|Using cached|Requirement already satisfied)', text, re.MULTILINE)
    if not fetched or any(sign in text for sign in NETWORK_SIGNS):
        return (
            'the package index cannot be reached. Check the connection, or point pip at a mirror'
            ' (PIP_INDEX_URL or `pip config`); offline, set HWGEN_VENV to a virtual environment that has the'
            ' packages of setup.cfg.'
        )
    conflict = re.search(r'The conflict is caused by:\n((?: +\S.*\n)+)', text)
    if conflict:
        return 'setup.cfg and constraints.txt contradict each other: ' + '; '.join(
            line.strip() for line in conflict[1].splitlines()
        )
    errors = re.findall(r'^ERROR: (.*)$', text, re.MULTILINE) or ['no reason given']
    return f'pip says: {errors[-1].strip()}'


def run_pip(python, requirements, *, constraints, log, lock):
    """Installs the requirements, tells of the large downloads as they come, and returns pip's exit status.

    pip inherits the lock: if we are killed and it lives on, the next start waits for it.
    """
    command = [
        python,
        '-I',
        '-m',
        'pip',
        'install',
        '--disable-pip-version-check',
        '--no-warn-script-location',
        '--progress-bar',
        'off',
        '--constraint',
        constraints,
        *requirements,
    ]
    environment = {**os.environ, 'PIP_USER': '0', 'PYTHONUNBUFFERED': '1'}
    with open(log, 'w', encoding='utf-8') as sink:
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            env=environment,
            pass_fds=[lock.fileno()],
        ) as process:
            try:
                for line in process.stdout:
                    sink.write(line)
                    sink.flush()
                    large = re.match(
                        r'\s*Downloading (\S+?)(?:-\d[^ ]*)? \((\d{2,}[.\d]* MB|[.\d]+ GB)\)', line
                    )
                    if large:
                        say(f'  downloading {large[1].rsplit("/", 1)[-1]} ({large[2]})')
                    elif line.startswith('Installing collected packages'):
                        say(f'  unpacking {line.count(",") + 1} packages')
            except BaseException:
                process.terminate()
                raise
    return process.returncode


def make_environment(root, venv, *, key, extras, lock):
    """Makes or completes the environment; the caller holds the lock, an open file.

    Raises:
      SetupError: no disk, no network, a folder that is not ours, or whatever pip says.
    """
    ours, python = venv / '.hwgen', venv / 'bin/python'
    if venv.exists() and not ours.is_dir() and any(venv.iterdir()):
        raise SetupError(
            f'{venv} exists and is not a virtual environment. Choose another place with HWGEN_VENV.'
        )
    ours.mkdir(parents=True, exist_ok=True)
    sound = (
        not (ours / 'installing').exists()
        and python.exists()
        and subprocess.run([python, '-I', '-m', 'pip', '--version'], capture_output=True).returncode == 0
    )
    if 'base' in extras and not sound and wants_cuda():
        extras = [*extras, 'cuda']
    kept = (
        [
            path.name
            for path in ours.iterdir()
            if path.name in ('test', 'reader', 'compare', 'grpc', 'serve', 'cuda')
        ]
        if sound
        else []
    )
    extras = list(dict.fromkeys([*extras, *kept]))
    named = ', '.join(extra for extra in extras if extra != 'base')
    version = '.'.join(map(str, sys.version_info[:2]))
    say(
        f'{"bringing up to date" if sound else "first start: making"} the Python environment {venv} (Python'
        f' {version}{", with " + named if named else ""}). '
        + ('' if sound else 'About 0.7 GB to download, 1 to 5 minutes; done once.')
    )
    if not sound:
        if shutil.disk_usage(ours).free < NEEDED_DISK_BYTES:
            raise SetupError(
                f'{shutil.disk_usage(ours).free / 2**30:.1f} GB free at {venv}, about'
                f' {NEEDED_DISK_BYTES / 2**30:.0f} GB are needed. Make room, or choose another place with'
                ' HWGEN_VENV.'
            )
        # Everything but our own folder goes: without it, a kill right after this would leave something that
        # looks like a foreign environment.
        for path in venv.iterdir():
            if path != ours:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for path in ours.iterdir():
            path.unlink()
    for extra in extras:
        (ours / extra).unlink(missing_ok=True)
    write_stamp(ours / 'installing', key)
    if not sound:
        made = subprocess.run([sys.executable, '-I', '-m', 'venv', venv], capture_output=True, text=True)
        if made.returncode:
            raise SetupError(
                f'python -m venv failed: {(made.stderr or made.stdout).strip().splitlines()[-1:]}'
            )
    log = ours / 'pip.log'
    whole, alone = read_requirements(root, extras)
    for requirements in (whole, ['--no-deps', *alone] if alone else []):
        if requirements and run_pip(
            python, requirements, constraints=root / 'constraints.txt', log=log, lock=lock
        ):
            raise SetupError(f'{explain(log, venv)} (all of it: {log})')
    for extra in extras:
        write_stamp(ours / extra, key)
    (ours / 'installing').unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--root', type=pathlib.Path, required=True, help='the checkout')
    parser.add_argument(
        '--venv', type=pathlib.Path, required=True, help='where the environment is or shall be'
    )
    parser.add_argument(
        '--key', required=True, help='checksum of setup.cfg and constraints.txt: what the stamps must say'
    )
    parser.add_argument('extras', nargs='+', help='base, and extras of setup.cfg')
    arguments = parser.parse_args()
    venv, start = arguments.venv, time.monotonic()
    try:
        venv.parent.mkdir(parents=True, exist_ok=True)
        with open(venv.with_name(venv.name + '.lock'), 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f'another start is making {venv}; waiting for it')
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_current(venv, arguments.extras, arguments.key):
                make_environment(arguments.root, venv, key=arguments.key, extras=arguments.extras, lock=lock)
                say(f'the environment is ready ({time.monotonic() - start:.0f} s).')
    except (SetupError, OSError) as error:
        say(f'cannot make the Python environment: {error}')
        return 1
    except KeyboardInterrupt:
        say('interrupted; the next start begins the environment again (what was downloaded is kept by pip).')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
