"""Which folders of tests a change touches: with `--touched`, only their tests run."""

import pathlib
import subprocess

# Where nothing is known of the history: a run, a preparation and a step that are broken off and go on.
WITHOUT_HISTORY = (
    'tests/cli/test_train.py::test_after_kill_9_the_same_command_ends_with_the_same_weights',
    'tests/data/formats/test_resuming.py',
    'tests/training/test_gan.py',
)
# What has no folder of the same name: the first that fits.
BESIDE = {
    'bin/': 'tests/cli',
    '.ci/': None,
    'saved_models/': 'tests/evaluation',
    'setup.cfg': 'tests',
    'constraints.txt': 'tests',
}


def changed_files(checkout):
    """Names of the files that differ from where this branch left origin/main; on that branch itself, or
    without it, from the commit before. None where git knows neither.
    """

    def git(*arguments):
        try:
            done = subprocess.run(
                ['git', '-C', str(checkout), *arguments], capture_output=True, text=True, check=False
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    head, base = git('rev-parse', 'HEAD'), git('merge-base', 'HEAD', 'origin/main')
    if base in (None, head):
        base = git('rev-parse', '--verify', '--quiet', 'HEAD^')
    names = git('diff', '--name-only', base) if base else None
    return None if names is None else names.split('\n') if names else []


def touched(files, checkout):
    """The places of tests that go with these files.

    Args:
        files: list of str, relative to the checkout; None: not known.
        checkout: Path.

    Returns:
        list of str, beginnings of test ids: folders that mirror a package, or are among the files.
    """
    if files is None:
        return list(WITHOUT_HISTORY)
    found = set()
    for name in files:
        parts = pathlib.PurePosixPath(name).parts
        beside = [place for start, place in BESIDE.items() if name.startswith(start)]
        if beside:
            found.update(place for place in beside if place)
        elif len(parts) == 1:
            found.update(['tests/cli'] if name.endswith('.flags') else [])
        elif parts[0] in ('hwgen', 'tests'):
            found.add(f'tests/{parts[1]}')
        else:
            found.add(f'tests/{parts[0]}')
    return sorted(place for place in found if (checkout / place).exists())


def belongs(test, places):
    """Whether a test, by its id, is one of these places or lies in one."""
    return any(test == place or test.startswith((f'{place}/', f'{place}::', f'{place}[')) for place in places)
